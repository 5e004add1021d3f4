//! A reader's connection, and one query on it.

use super::shared::Shared;
use crate::store::rows::{self, Parameter, Rows};
use crate::store::sql_error::{open_error, sql_error};
use crate::store::writer::OPERATIONS_BETWEEN_LOOKS;
use crate::store::{capture, open};
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, SyncError};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Page cache of each reader, 8 MB (SQLite takes a negative number as KiB). SQLite's default of 2 MB is too small for lookups
/// by random ids; memory is taken only as pages are read.
const CACHE_KIB: i64 = -8_000;

pub(super) fn connect(shared: &Shared) -> Result<Connection> {
    let Shared { path, schema, ending, .. } = shared;
    let ending = ending.clone();
    let mut connection = open::connection(path).map_err(|e| open_error(e, path))?;
    // so that a statement that would write is refused for that, not for the triggers' functions
    capture::register(&connection, schema, &Arc::default()).map_err(sql_error)?;
    connection.pragma_update(None, "query_only", true).map_err(sql_error)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB).map_err(sql_error)?;
    // an interrupt that comes just before a statement begins is forgotten; this is not
    connection
        .progress_handler(OPERATIONS_BETWEEN_LOOKS, Some(move || ending.load(Ordering::Relaxed)))
        .map_err(sql_error)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

pub(super) fn run(connection: &Connection, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
    let mut statement = connection.prepare_cached(sql).map_err(sql_error)?;
    if !statement.readonly() {
        return Err(SyncError::new(
            ErrorCode::ReadOnly,
            "this call only reads; use execute() for statements that write",
        ));
    }
    let rows = rows::run(&mut statement, parameters);
    drop(statement);
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(sql_error)?;
        return Err(SyncError::new(
            ErrorCode::BadArgument,
            "BEGIN does not work as a statement; use writeTransaction()",
        ));
    }
    rows
}
