//! IO around the pure core: SQLite, HTTP, credentials, and the loop that drives the machine.
//!
//! [`Database`] is the whole of it for callers: an open file that syncs. Everything below is replaceable at a seam
//! ([`transport::Transport`], [`clock::Clock`]) so that tests inject faults and time.

pub mod client;
pub mod clock;
pub mod credentials;
mod database;
pub mod driver;
mod live;
mod options;
mod protocol1;
mod retry_after;
pub mod store;
pub mod transport;
mod uploads;

pub use database::{Database, DatabaseObserver, Environment, OnSignOut};
pub use live::{Fresh, WatchOptions};
pub use omnii_sync_core::{ErrorCode, ParkedChange, Schema, Status, StatusKind, SyncError, SyncFrequency, SyncOptions};
pub use options::OpenOptions;
pub use store::{
    Batch, CellKind, Changes, Columns, Crud, CrudEntry, CrudQuery, Description, Execution, Imported, Key, Mode,
    Parameter, QueueStats, Rows, TableChange,
};
