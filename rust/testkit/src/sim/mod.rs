//! The simulator: real engines, a model backend, and everything that can go wrong, in virtual time.
//!
//! A simulation follows from its seed alone: [`Plan::new`] makes the whole schedule, [`run`] carries it out on one thread
//! with tokio's paused clock, [`shrink`] looks for the shortest part of a failing schedule that still fails. What must hold
//! is in [`invariants`] and [`complete`]. The README of this crate says how to use it and what it has been shown to catch.

pub mod app;
pub mod backend;
pub mod client;
pub mod complete;
pub mod fault;
pub mod invariants;
mod life;
pub mod net;
pub mod rng;
mod run;
pub mod schedule;
mod shrink;
mod steps;
pub mod trace;
pub mod view;
pub mod world;

pub use run::{Outcome, run};
pub use schedule::{Features, Plan};
pub use shrink::shrink;
