//! A reader's connection, and what may be done with it.

use super::shared::Shared;
use crate::store::rows::{self, Parameter, Rows};
use crate::store::sql_error::{open_error, sql_error};
use crate::store::writer::OPERATIONS_BETWEEN_LOOKS;
use crate::store::{capture, open};
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, SyncError};
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// Page cache of each reader, 8 MB (SQLite takes a negative number as KiB). SQLite's default of 2 MB is too small for lookups
/// by random ids; memory is taken only as pages are read.
const CACHE_KIB: i64 = -8_000;

/// Tables that statements read as they are prepared, while somebody wants to know.
#[derive(Default)]
struct Seen(Mutex<Option<Vec<String>>>);

impl Seen {
    fn note(&self, table: &str) {
        if let Some(tables) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            && !tables.iter().any(|t| t == table)
        {
            tables.push(table.to_owned());
        }
    }

    fn set(&self, tables: Option<Vec<String>>) -> Option<Vec<String>> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), tables)
    }
}

/// A read-only connection.
pub(in crate::store) struct Reader {
    pub(in crate::store) connection: Connection,
    seen: Arc<Seen>,
}

pub(super) fn connect(shared: &Shared) -> Result<Reader> {
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
    let seen = Arc::new(Seen::default());
    let looks = seen.clone();
    connection
        .authorizer(Some(move |context: AuthContext<'_>| {
            if let AuthAction::Read { table_name, .. } = context.action {
                looks.note(table_name);
            }
            Authorization::Allow
        }))
        .map_err(sql_error)?;
    // as many as may be watched at once without being prepared again at each run
    connection.set_prepared_statement_cache_capacity(128);
    Ok(Reader { connection, seen })
}

impl Reader {
    /// Runs one statement that only reads.
    pub(in crate::store) fn run(&self, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        run(&self.connection, sql, parameters)
    }

    /// Runs `prepare` and answers the names of the tables that what it prepared reads.
    pub(in crate::store) fn watching<T>(&self, prepare: impl FnOnce(&Connection) -> T) -> (T, Vec<String>) {
        self.seen.set(Some(Vec::new()));
        let outcome = prepare(&self.connection);
        (outcome, self.seen.set(None).unwrap_or_default())
    }
}

fn run(connection: &Connection, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
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
