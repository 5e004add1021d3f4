//! What a statement is, found out without running it.
//!
//! Tables come from SQLite's authorizer, which is asked about each table a statement touches while it is prepared, also
//! behind views and triggers. Our own tables and SQLite's are left out.

use super::readers::Reader;
use super::rows;
use super::sql_error::sql_error;
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, SyncError};
use rusqlite::hooks::AuthAction;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use std::sync::{Mutex, PoisonError};

/// What a statement is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// Tables of the app that it reads or writes, sorted.
    pub tables: Vec<String>,
    /// Whether it leaves the file as it is.
    pub read_only: bool,
    /// How many parameters it takes.
    pub parameters: usize,
    /// Its columns; empty for one that answers no rows.
    pub column_names: Vec<String>,
}

/// Takes note of the tables that statements touch as they are prepared.
#[derive(Default)]
pub(super) struct Seen(Mutex<Option<Vec<String>>>);

impl Seen {
    /// For the authorizer.
    pub(super) fn note(&self, action: &AuthAction<'_>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tables) = seen.as_mut() else { return };
        let (AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }) = action
        else {
            return;
        };
        if !tables.iter().any(|table| table == table_name) {
            tables.push((*table_name).to_owned());
        }
    }

    /// Runs `prepare` and answers what was seen meanwhile.
    pub(super) fn during<T>(&self, prepare: impl FnOnce() -> T) -> (T, Vec<String>) {
        let set = |value| std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), value);
        set(Some(Vec::new()));
        let outcome = prepare();
        (outcome, set(None).unwrap_or_default())
    }
}

/// Prepares `sql` and says what it is.
pub(super) fn describe(reader: &Reader, sql: &str) -> Result<Description> {
    let (outcome, seen) = reader.watching(|connection| {
        let statement = connection.prepare(sql).map_err(sql_error)?;
        if rows::is_empty(&statement) {
            return Err(SyncError::new(ErrorCode::BadArgument, "the SQL text holds no statement"));
        }
        Ok((statement.readonly(), statement.parameter_count(), rows::names(&statement)))
    });
    let (read_only, parameters, column_names) = outcome?;
    let mut tables = Vec::with_capacity(seen.len());
    for name in seen {
        tables.extend(table_of_the_app(&reader.connection, &name)?);
    }
    tables.sort_unstable();
    tables.dedup();
    Ok(Description { tables, read_only, parameters, column_names })
}

/// The table's name as it was created; views, and functions that look like tables, have none.
fn table_of_the_app(connection: &Connection, name: &str) -> Result<Option<String>> {
    let ours = ["omnii_", "sqlite_"].iter().any(|prefix| {
        name.len() >= prefix.len() && name.as_bytes()[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
    });
    if ours {
        return Ok(None);
    }
    connection
        .prepare_cached("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE")
        .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
        .map_err(sql_error)
}
