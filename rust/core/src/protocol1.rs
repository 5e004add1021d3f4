//! Protocol 1: the wire contract of the backend that exists (docs/protocol.md), as pure functions.
//!
//! [`page`] reads a page of one table, [`pull`] decides what to ask for next, [`upload`] turns changes into requests and
//! reads their answers, [`readback`] says which of them a row proves. Everything particular to this protocol is here and in the engine's module of the same name; a
//! protocol 2 will stand beside both.

pub mod page;
pub mod pull;
pub mod readback;
pub mod upload;

/// The most rows of one table the backend hands out at a time.
pub const MAX_PAGE_LIMIT: u32 = 5000;

/// Rows of one table asked for at a time unless the app or experience says otherwise.
pub const PAGE_LIMIT: u32 = 1000;
