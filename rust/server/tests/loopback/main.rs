//! The server over loopback HTTP, as a client sees it: one test per clause of the contract, so that each names the
//! clause it breaks.

#![allow(clippy::unwrap_used, reason = "the lint's own exception for tests does not reach their helper functions")]

mod auth;
mod client;
mod configured;
mod faults;
mod http;
mod life;
mod seed;
mod separation;
mod sync;
mod upload;
