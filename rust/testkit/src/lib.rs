//! Dev only: what tests of the engine need around it. A [`Device`] is the engine as a phone would run it, on a real file,
//! talking real HTTP to the reference backend.

mod device;
mod world;

pub use device::{Device, SCHEMA};
pub use world::{LIVELY, QUIET, World};
