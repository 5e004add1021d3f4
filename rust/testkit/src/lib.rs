//! Dev only: what tests of the engine need around it. A [`Device`] is the engine as a phone would run it, on a real file,
//! talking real HTTP to the reference backend. [`sim`] runs several engines against a model of the backend in virtual time,
//! with everything that can go wrong.

mod device;
pub mod sim;
mod world;

pub use device::{Device, SCHEMA};
pub use world::{LIVELY, QUIET, World};
