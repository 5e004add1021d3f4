//! A database file that nobody has open: what is still in it, and its end.

use super::encryption::{CurrentKey, UNFINISHED};
use super::import::{COPY, COPY_LOG};
use super::open::{self, Claim};
use super::sql_error::{open_error, sql_error};
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, SyncError};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;

/// A closed file. Nobody in this process can open it while this value lives.
#[derive(Debug)]
pub struct ClosedFile(Claim, CurrentKey);

impl ClosedFile {
    pub(super) fn new(claim: Claim, key: CurrentKey) -> Self {
        Self(claim, key)
    }

    /// Changes in it that the backend does not have, parked ones included. None in a file that is gone.
    pub fn unsynced(&self) -> Result<u64> {
        let path = self.0.path();
        if !path.exists() {
            return Ok(0);
        }
        let connection = open::connection(path, &self.1).map_err(|e| open_error(e, path))?;
        let count: i64 = connection
            .query_row("SELECT count(*) FROM omnii_outbox", [], |row| row.get(0))
            .map_err(|e| open_error(e, path))?;
        connection.close().map_err(|(_, e)| sql_error(e))?;
        Ok(count.unsigned_abs())
    }

    /// Deletes it with its log and index. No error if it is gone already.
    pub fn delete(&self) -> Result<()> {
        // the file first: a log without its file is ignored, a file without its log would be an older state
        for suffix in ["", "-wal", "-shm", UNFINISHED, COPY, COPY_LOG] {
            let mut name = OsString::from(self.0.path());
            name.push(suffix);
            match std::fs::remove_file(PathBuf::from(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(SyncError::new(
                        ErrorCode::Unwritable,
                        format!("the database file could not be deleted ({})", error.kind()),
                    ));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}
