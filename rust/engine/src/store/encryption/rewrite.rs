//! Writing a file anew with another key.
//!
//! SQLCipher could change the key in place, but then a crash in the middle leaves it to a journal which pages have which key,
//! and it can't encrypt a plain file at all. So everything is written into a new file, which takes the old one's name when it
//! is complete and on the disk: a crash before leaves the old file, one after it the new one. It takes as much space again.

use super::super::sql_error::{open_error, sql_error};
use super::{Key, UNFINISHED, is_no_database, wrong_key};
use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use rusqlite::Connection;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes what a rewrite that was cut short has left.
pub(super) fn forget(path: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        // mostly there is none
        let _ = std::fs::remove_file(beside(path, &format!("{UNFINISHED}{suffix}")));
    }
}

/// See the module's documentation. `owned` may look at the old file and refuse.
pub(super) fn rewrite(
    path: &Path,
    from: Option<&Key>,
    to: &Key,
    owned: impl FnOnce(&Connection) -> Result<()>,
) -> Result<()> {
    forget(path);
    let new = beside(path, UNFINISHED);
    let outcome = written(path, from, to, &new, owned).and_then(|()| put_in_place(&new, path));
    if outcome.is_err() {
        forget(path);
    }
    outcome
}

fn written(
    path: &Path,
    from: Option<&Key>,
    to: &Key,
    new: &Path,
    owned: impl FnOnce(&Connection) -> Result<()>,
) -> Result<()> {
    let failed = |e: rusqlite::Error| match is_no_database(&e) {
        true => wrong_key(path, from.is_some()),
        false => open_error(e, path),
    };
    let old = Connection::open(path).map_err(failed)?;
    if let Some(key) = from {
        key.give(&old).map_err(failed)?;
    }
    old.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    let version: u32 = old.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    owned(&old)?;
    // What a log beside the old file holds would be played into the new one. This ends the log, and fails if anybody else has
    // the file open; the lock keeps it so.
    old.pragma_update(None, "locking_mode", "exclusive").map_err(failed)?;
    let mode: String = old.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0)).map_err(failed)?;
    if mode != "delete" {
        let message = format!("the file can't be encrypted while it is in use (its journal stays {mode})");
        return Err(SyncError::new(ErrorCode::Busy, message));
    }
    old.execute_batch("BEGIN IMMEDIATE; COMMIT").map_err(failed)?;
    let name = new.to_str().ok_or_else(|| super::super::internal("the path of the database is not UTF-8"))?;
    old.execute("ATTACH DATABASE ? AS omnii_new KEY ?", [name, to.0.as_str()]).map_err(sql_error)?;
    old.query_row("SELECT sqlcipher_export('omnii_new')", [], |_| Ok(())).map_err(sql_error)?;
    old.pragma_update(Some("omnii_new"), "user_version", version).map_err(sql_error)?;
    old.execute_batch("DETACH DATABASE omnii_new").map_err(sql_error)?;
    old.close().map_err(|(_, e)| sql_error(e))?;
    if std::fs::metadata(beside(path, "-wal")).is_ok_and(|m| m.len() > 0) {
        return Err(SyncError::new(ErrorCode::Busy, "the file can't be encrypted while it is in use"));
    }
    readable(new, to, version)
}

/// Nothing takes the old file's place that can't be read with the new key.
fn readable(new: &Path, key: &Key, version: u32) -> Result<()> {
    let connection = Connection::open(new).map_err(sql_error)?;
    key.give(&connection).map_err(sql_error)?;
    let there: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql_error)?;
    if there == version { Ok(()) } else { Err(super::super::internal("the encrypted copy is not complete")) }
}

fn put_in_place(new: &Path, path: &Path) -> Result<()> {
    let unwritable =
        |e: std::io::Error| SyncError::new(ErrorCode::Unwritable, format!("the file can't be replaced ({})", e.kind()));
    std::fs::File::open(new).and_then(|file| file.sync_all()).map_err(unwritable)?;
    std::fs::rename(new, path).map_err(unwritable)?;
    // the new name must be on the disk before anything is written under it; where directories can't be opened there is no more
    // to be done
    if let Some(Ok(directory)) = path.parent().map(std::fs::File::open) {
        let _ = directory.sync_all();
    }
    Ok(())
}
