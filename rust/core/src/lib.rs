//! The pure part of the sync engine: what a change is, what protocol messages mean, how rows merge, when to retry.
//!
//! Everything here is a function of its arguments. No SQL, no HTTP, no clock, no randomness, no threads: time and random
//! numbers arrive as arguments, so every behaviour can be shown in a table or replayed from a seed.

pub mod backoff;
pub mod change;
pub mod convert;
pub mod error;
pub mod machine;
pub mod merge;
pub mod options;
pub mod protocol1;
pub mod schema;
pub mod status;
pub mod timestamp;
pub mod value;

pub use change::{Change, ChangeId, Operation, ParkedChange};
pub use error::{ErrorCode, SyncError};
pub use options::SyncOptions;
pub use schema::{Column, ColumnType, ConflictPolicy, Index, METADATA, Schema, Table, TrackPrevious};
pub use status::{Status, StatusKind, SyncFrequency};
pub use value::Value;
