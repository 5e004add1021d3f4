//! Taking in a PowerSync database: its rows and its queue of pending uploads, once (docs/migrating-from-powersync.md).
//!
//! Guarantees: all of it is in the transaction of opening, so that it is taken in whole or not at all; the old file is only
//! read; what was taken in once is never taken in again, also not after this file was deleted; a file that holds data already
//! takes in nothing. What was pending there is pending here, in the same order, and is protected from older versions of the
//! backend as every local change is. Refuses what is no PowerSync database with `ImportFailed`; single rows and changes that
//! can't be used are left out and counted.

mod queue;
mod rows;
mod source;

use super::StoreOptions;
use super::ddl::quote;
use super::open::{meta, set_meta};
use super::sql_error::sql_error;
use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use omnii_sync_core::{Schema, Table};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use source::Source;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What an import took in; js/types.ts calls it `ImportResult`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Rows that are here now.
    pub rows: u64,
    /// Changes that wait to be uploaded.
    pub changes: u64,
    /// Rows left out: of tables that the schema does not have, of another user, or unusable.
    pub skipped_rows: u64,
    /// Changes left out: of such tables and rows, or of such columns only.
    pub skipped_changes: u64,
    /// Values that their columns can't hold, NULL here.
    pub lost_values: u64,
}

/// What the copy of an old file is called behind our own file's name, and its log. Both are gone when it was taken in; what a
/// crash leaves is removed by the next attempt, or with our file.
pub(super) const COPY: &str = ".importing";
/// See [`COPY`].
pub(super) const COPY_LOG: &str = ".importing-wal";

/// Where `omnii_meta` has the [`Imported`].
const DONE: &str = "imported";

/// What this file once took in; `None` if nothing.
pub(super) fn result(connection: &Connection) -> Result<Option<Imported>> {
    Ok(meta(connection, DONE)?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Takes in what `options` name, if that was never done and this file holds nothing yet. Call it in the transaction of opening.
pub(super) fn once(connection: &Connection, options: &StoreOptions) -> Result<()> {
    let Some(from) = &options.import_from else { return Ok(()) };
    if meta(connection, DONE)?.is_some() {
        return Ok(());
    }
    if note_of(options).is_some_and(|note| note.exists()) {
        tracing::info!("nothing is imported: the file was taken in before");
        return Ok(());
    }
    if !from.try_exists().map_err(|e| failed(from, &format!("it can't be read ({})", e.kind())))? {
        tracing::debug!("nothing is imported: there is no such file");
        return Ok(());
    }
    if has_data(connection, &options.schema)? {
        tracing::info!("nothing is imported: the database holds data already");
        // nor later, when it may have been cleared
        return set_meta(connection, DONE, "null");
    }
    let source = Source::open(from, &options.path)?;
    let mut import = Import { connection, options, foreign: HashSet::new(), done: Imported::default() };
    import.rows(&source)?;
    import.queue(&source)?;
    let done = import.done;
    tracing::info!(
        rows = done.rows,
        changes = done.changes,
        skipped_rows = done.skipped_rows,
        skipped_changes = done.skipped_changes,
        lost_values = done.lost_values,
        "a PowerSync database was taken in"
    );
    set_meta(connection, DONE, &serde_json::to_string(&done).map_err(|e| super::internal(e.to_string()))?)
}

/// Leaves a note beside this file that the old one was dealt with, for the time when this file may be gone: its old changes
/// must not be uploaded a second time. Call it after the transaction of opening.
pub(super) fn note(connection: &Connection, options: &StoreOptions) {
    let Some(note) = note_of(options) else { return };
    if matches!(meta(connection, DONE), Ok(Some(_)))
        && !note.exists()
        && let Err(error) = std::fs::write(&note, "done\n")
    {
        tracing::warn!(kind = %error.kind(), "it could not be noted that a file was imported; the next opening tries again");
    }
}

/// The note, in the directory of our own file.
fn note_of(options: &StoreOptions) -> Option<PathBuf> {
    let mut name = options.import_from.as_ref()?.file_name()?.to_owned();
    name.push(".imported");
    Some(options.path.with_file_name(name))
}

fn has_data(connection: &Connection, schema: &Schema) -> Result<bool> {
    let own = ["omnii_outbox", "omnii_cursor", "omnii_overlay"].map(str::to_owned);
    let tables = schema.tables.iter().map(|t| quote(t.sql_name()));
    for table in own.into_iter().chain(tables) {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        if connection.query_row(&sql, [], |row| row.get(0)).map_err(sql_error)? {
            return Ok(true);
        }
    }
    Ok(meta(connection, "last_synced_at_ms")?.is_some())
}

/// One import under way.
struct Import<'a> {
    connection: &'a Connection,
    options: &'a StoreOptions,
    /// Rows of another user, by table and id.
    foreign: HashSet<(String, String)>,
    done: Imported,
}

impl Import<'_> {
    /// Whether the row belongs to somebody else, as pages are told (docs/protocol.md, pull 7).
    fn is_foreign(&self, row: &Map<String, Json>) -> bool {
        row.get("user_id").and_then(Json::as_str).is_some_and(|user| user != self.options.user_id)
    }
}

/// The id as the backend prints it: UUIDs in lower case. `None` if no row can have it.
fn usable_id(table: &Table, id: String) -> Option<String> {
    let is_uuid = id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    match id {
        id if id.is_empty() || id.contains('\0') => None,
        id if is_uuid && !table.local_only => Some(id.to_ascii_lowercase()),
        id => Some(id),
    }
}

/// The file can't be taken in.
fn failed(path: &Path, why: &str) -> SyncError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    SyncError::new(
        ErrorCode::ImportFailed,
        format!("'{name}' can't be imported: {why}. Nothing was changed; open without importFrom to go on without it"),
    )
}
