//! The PowerSync database to be taken in, opened without touching it.
//!
//! With nothing beside it the file is opened as immutable: SQLite then neither locks it nor makes files beside it. What a
//! write-ahead log or a journal beside it holds belongs to the data, and SQLite would write to bring the two together: then
//! all of it is copied, and the copy, which is beside our own file, is gone when this value is.

use super::super::sql_error::sql_error;
use super::{COPY, failed};
use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(super) struct Source {
    /// Dropped before the copy is.
    connection: Connection,
    path: PathBuf,
    _copy: Option<Copied>,
}

/// Files that go when this goes.
struct Copied(PathBuf);

impl Copied {
    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // most of them are not there
            let _ = std::fs::remove_file(beside(&self.0, suffix));
        }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        self.remove();
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

impl Source {
    /// Opens the file at `path`; `ours` is the database that takes it in.
    pub(super) fn open(path: &Path, ours: &Path) -> Result<Self> {
        let unreadable = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::StorageFull => {
                SyncError::new(ErrorCode::DiskFull, "no space is left for a copy of the file to be imported")
            }
            kind => failed(path, &format!("it can't be read ({kind})")),
        };
        let is_there = |suffix: &&str| std::fs::metadata(beside(path, suffix)).is_ok_and(|m| m.len() > 0);
        let logs: Vec<&str> = ["-wal", "-journal"].into_iter().filter(is_there).collect();
        let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let (opened, copy) = if logs.is_empty() {
            std::fs::File::open(path).map_err(unreadable)?;
            let uri = format!("file:{}?immutable=1", encoded(path));
            (Connection::open_with_flags(uri, read_only | OpenFlags::SQLITE_OPEN_URI), None)
        } else {
            let copy = Copied(beside(ours, COPY));
            copy.remove();
            for suffix in logs.iter().copied().chain([""]) {
                std::fs::copy(beside(path, suffix), beside(&copy.0, suffix)).map_err(unreadable)?;
            }
            // not read-only: the log is to be read, and a journal to be rolled back
            (Connection::open(&copy.0), Some(copy))
        };
        let connection = opened.map_err(|e| failed(path, &sql_error(e).message))?;
        let source = Self { connection, path: path.to_owned(), _copy: copy };
        if !source.has("ps_crud")? {
            return Err(failed(path, "it is not a PowerSync database"));
        }
        Ok(source)
    }

    /// What SQLite said of the old file.
    pub(super) fn failed(&self, error: rusqlite::Error) -> SyncError {
        failed(&self.path, &sql_error(error).message)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether it has that table.
    pub(super) fn has(&self, table: &str) -> Result<bool> {
        self.connection
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)",
                [table],
                |row| row.get(0),
            )
            .map_err(|e| self.failed(e))
    }

    /// Its tables of rows: full name, and the name that its schema has.
    pub(super) fn tables(&self) -> Result<Vec<(String, String)>> {
        let names: Vec<String> = self
            .connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
            .map_err(|e| self.failed(e))?;
        let known = |full: String| {
            let name = full.strip_prefix("ps_data__").or_else(|| full.strip_prefix("ps_data_local__"))?.to_owned();
            Some((full, name))
        };
        Ok(names.into_iter().filter_map(known).collect())
    }
}

/// The path as the URI of SQLite takes it.
fn encoded(path: &Path) -> String {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => char::from(*byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
