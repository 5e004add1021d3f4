//! A reader's connection, and what the app may do with it.

use super::shared::Shared;
use crate::store::describe::Seen;
use crate::store::rows::{self, Collector, Parameter, Rows};
use crate::store::sql_error::{open_error, sql_error};
use crate::store::writer::OPERATIONS_BETWEEN_LOOKS;
use crate::store::{capture, internal, open};
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, SyncError};
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Page cache of each reader, 8 MB (SQLite takes a negative number as KiB). SQLite's default of 2 MB is too small for lookups
/// by random ids; memory is taken only as pages are read.
const CACHE_KIB: i64 = -8_000;

/// What the connection's hooks and whoever uses it share.
#[derive(Default)]
struct Guard {
    /// The count of interrupts when the statement that runs was asked for; 0 when none runs.
    running: AtomicU64,
    /// Whether the connection is held by the app, which must not end what was begun for it.
    held: AtomicBool,
    seen: Seen,
}

/// A read-only connection.
pub(in crate::store) struct Reader {
    pub(in crate::store) connection: Connection,
    guard: Arc<Guard>,
    collector: Collector,
}

pub(super) fn connect(shared: &Shared) -> Result<Reader> {
    let Shared { path, key, schema, ending, interrupts, .. } = shared;
    let (ending, interrupts) = (ending.clone(), interrupts.clone());
    let mut connection = open::connection(path, key).map_err(|e| open_error(e, path))?;
    // so that a statement that would write is refused for that, not for the triggers' functions
    capture::register(&connection, schema, &Arc::default()).map_err(sql_error)?;
    connection.pragma_update(None, "query_only", true).map_err(sql_error)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB).map_err(sql_error)?;
    let guard = Arc::new(Guard::default());
    let looks = guard.clone();
    // an interrupt that comes just before a statement begins is forgotten; this is not
    let must_end = move || {
        let running = looks.running.load(Ordering::Relaxed);
        ending.load(Ordering::Relaxed) || (running != 0 && running != interrupts.load(Ordering::Relaxed))
    };
    connection.progress_handler(OPERATIONS_BETWEEN_LOOKS, Some(must_end)).map_err(sql_error)?;
    let looks = guard.clone();
    connection
        .authorizer(Some(move |context: AuthContext<'_>| {
            looks.seen.note(&context.action);
            match context.action {
                AuthAction::Transaction { .. } if looks.held.load(Ordering::Relaxed) => Authorization::Deny,
                _ => Authorization::Allow,
            }
        }))
        .map_err(sql_error)?;
    // as many as may be watched at once without being prepared again at each run
    connection.set_prepared_statement_cache_capacity(128);
    Ok(Reader { connection, guard, collector: Collector::new(shared.integers) })
}

impl Reader {
    /// Runs `work`, which ends early when the count of interrupts is no longer `asked`. A panic in it is an error like
    /// others, since whoever asked waits for an answer, and the connection must be closed in its time.
    pub(super) fn interruptible<T>(&self, asked: u64, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.guard.running.store(asked, Ordering::Relaxed);
        let outcome = catch_unwind(AssertUnwindSafe(|| work(self)));
        self.guard.running.store(0, Ordering::Relaxed);
        outcome.unwrap_or_else(|_| Err(internal("a query panicked")))
    }

    /// Runs one statement that only reads.
    pub(in crate::store) fn run(&self, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        let held = self.guard.held.load(Ordering::Relaxed);
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| self.explained(e))?;
        if !statement.readonly() {
            return Err(read_only(held));
        }
        let rows = self.collector.run(&mut statement, sql, parameters);
        drop(statement);
        if !held && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(sql_error)?;
            return Err(transactions_do_not_work());
        }
        rows
    }

    /// Runs one statement that only reads once per set, for whatever it may be good for.
    pub(in crate::store) fn run_batch(&self, sql: &str, batch: &rows::Batch) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| self.explained(e))?;
        if !statement.readonly() {
            return Err(read_only(true));
        }
        batch.each(|parameters| rows::run_without_rows(&mut statement, parameters))
    }

    /// Runs `prepare` and answers the names of the tables that what it prepared reads or writes.
    pub(in crate::store) fn watching<T>(&self, prepare: impl FnOnce(&Connection) -> T) -> (T, Vec<String>) {
        self.guard.seen.during(|| prepare(&self.connection))
    }

    /// Makes the connection the app's until [`Self::release`]; with `snapshot`, what it reads stays the same.
    pub(super) fn hold(&self, snapshot: bool) -> Result<()> {
        if snapshot {
            // BEGIN alone reads nothing yet, and the snapshot is taken by the first who reads
            self.connection.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1").map_err(sql_error)?;
        }
        self.guard.held.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The end of [`Self::hold`].
    pub(super) fn release(&self) -> Result<()> {
        self.guard.held.store(false, Ordering::Relaxed);
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(sql_error)?;
        }
        Ok(())
    }

    fn explained(&self, error: rusqlite::Error) -> SyncError {
        let denied = matches!(&error, rusqlite::Error::SqliteFailure(e, _) | rusqlite::Error::SqlInputError { error: e, .. }
            if e.code == rusqlite::ErrorCode::AuthorizationForStatementDenied);
        if denied { transactions_do_not_work() } else { sql_error(error) }
    }
}

fn read_only(held: bool) -> SyncError {
    let message = if held {
        "a read transaction only reads; use writeTransaction()"
    } else {
        "this call only reads; use execute() for statements that write"
    };
    SyncError::new(ErrorCode::ReadOnly, message)
}

fn transactions_do_not_work() -> SyncError {
    SyncError::new(
        ErrorCode::BadArgument,
        "BEGIN, COMMIT and ROLLBACK do not work as statements; use readTransaction() or writeTransaction()",
    )
}
