//! The one writer: the only connection that writes, fed from a [`queue`].
//!
//! Guarantees: changes are captured for what the app writes and for nothing else;
//! observers hear of a commit after it, once.

mod batch;
mod jobs;
mod queue;

pub(super) use queue::{OPERATIONS_BETWEEN_LOOKS, WriterQueue};

pub(super) use jobs::SUSPENDED;

use jobs::{Wishes, interrupted};

use super::StoreObserver;
use super::capture::Capture;
use super::changes::{Changes, Layout, Notes};
use super::checkpoint::Checkpointer;
use super::encryption::CurrentKey;
use super::outbox::Counts;
use super::rows::{Collector, Integers, Parameter, Rows};
use super::sql_error::sql_error;
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, Schema, SyncError};
use rusqlite::hooks::{Action, AuthAction, AuthContext, Authorization};
use rusqlite::{CachedStatement, Connection};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the transaction under way has touched so far.
#[derive(Default)]
struct Touched {
    outbox: bool,
    /// Entries added less entries removed.
    added: i64,
    /// Whether something was queued that nobody wrote, so that a push is due.
    queued: bool,
    /// Whether something was undone after it was counted, so that `added` can't be trusted.
    undone: bool,
}

/// Whose commit it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The app's.
    App,
    /// The engine's own.
    Sync,
}

/// The writing connection with what belongs to it. Only ever used by one job at a time.
pub struct Writer {
    /// Before the connection: the last one to close folds the log into the file.
    checkpointer: Option<Checkpointer>,
    pub(super) connection: Connection,
    pub(super) schema: Arc<Schema>,
    capture: Arc<Capture>,
    touched: Arc<Mutex<Touched>>,
    observer: Arc<dyn StoreObserver>,
    next_transaction: i64,
    counts: Counts,
    /// Whether anything has been committed since this was last cleared.
    has_committed: Arc<AtomicBool>,
    /// Of the file's tables.
    layout: Layout,
    /// Rows written on this connection when the last transaction ended.
    written: u64,
    /// Why a statement may have been ended from outside.
    wishes: Arc<Wishes>,
    /// The count of interrupts when the app's statement that is to run was asked for.
    asked: u64,
    collector: Collector,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    pub(super) fn new(
        mut connection: Connection,
        schema: Arc<Schema>,
        capture: Arc<Capture>,
        observer: Arc<dyn StoreObserver>,
        integers: Integers,
    ) -> rusqlite::Result<Self> {
        connection.set_prepared_statement_cache_capacity(128);
        let touched = Arc::new(Mutex::new(Touched::default()));
        *lock(&capture.notes) = Some(Notes::new(schema.clone()));
        let (seen, noting, asked) = (touched.clone(), capture.clone(), observer.clone());
        connection.update_hook(Some(move |action: Action, _: &str, table: &str, _: i64| {
            if table == "omnii_outbox" {
                let mut touched = lock(&seen);
                touched.outbox = true;
                touched.added += match action {
                    Action::SQLITE_INSERT => 1,
                    Action::SQLITE_DELETE => -1,
                    _ => 0,
                };
            } else if !table.starts_with("omnii_")
                && let Some(notes) = lock(&noting.notes).as_mut()
            {
                notes.changed(table, || asked.row_ids_wanted());
            }
        }))?;
        let (capturing, tables) = (capture.clone(), schema.clone());
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            // what is refused is not noted: it will not be done
            if capturing.on.load(Ordering::Relaxed)
                && let Some(why) = forbidden(&context, &tables)
            {
                capturing.refuse(ErrorCode::BadArgument, why);
                return Authorization::Deny;
            }
            noted(&context.action, &capturing)
        }))?;
        let has_committed = Arc::new(AtomicBool::new(false));
        let hooked = has_committed.clone();
        connection.commit_hook(Some(move || {
            hooked.store(true, Ordering::Relaxed);
            false
        }))?;
        let next_transaction =
            connection.query_row("SELECT coalesce(max(tx), 0) + 1 FROM omnii_outbox", [], |row| row.get(0))?;
        capture.change.store(first_change(&connection)?, Ordering::Relaxed);
        let counts = count(&connection)?;
        let layout = Layout::of(&connection)?;
        let written = connection.total_changes();
        Ok(Self {
            checkpointer: None,
            connection,
            schema,
            capture,
            touched,
            observer,
            next_transaction,
            counts,
            has_committed,
            layout,
            written,
            wishes: Arc::default(),
            asked: 1,
            collector: Collector::new(integers),
        })
    }

    /// Has checkpoints of the file, which is at `path`, made on a thread of their own from now on.
    pub(super) fn checkpoint_beside(&mut self, path: &Path, key: &CurrentKey) -> Result<()> {
        self.checkpointer = Some(Checkpointer::beside(&mut self.connection, path, key)?);
        Ok(())
    }

    /// Runs one statement of the app: in the transaction that is open, else in one of its own.
    pub(super) fn app(&mut self, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        if self.connection.is_autocommit() {
            self.execute_alone(sql, parameters)
        } else {
            self.execute(sql, parameters)
        }
    }

    /// Runs one statement of the app in a transaction of its own.
    pub(super) fn execute_alone(&mut self, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        self.start_local();
        self.has_committed.store(false, Ordering::Relaxed);
        let result = self.execute(sql, parameters);
        if !self.connection.is_autocommit() {
            self.rollback();
            return Err(SyncError::new(
                ErrorCode::BadArgument,
                "BEGIN and SAVEPOINT do not work in execute(); use writeTransaction()",
            ));
        }
        match result {
            Ok(rows) => {
                self.committed(Origin::App);
                Ok(rows)
            }
            // just before it was ended, or with OR FAIL, which keeps what was done before the failure
            Err(error) if self.has_committed.load(Ordering::Relaxed) => {
                self.committed(Origin::App);
                Err(error)
            }
            Err(error) => {
                self.forget_touched();
                Err(error)
            }
        }
    }

    /// Runs one statement of the app in whatever transaction is open.
    pub(super) fn execute(&mut self, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        let result = self.as_app(|w| w.statement(sql, parameters));
        if result.is_err() || returns_to_a_savepoint(sql) {
            lock(&self.touched).undone = true;
        }
        result
    }

    /// Runs a statement of the app: what it changes is captured, what it may not do is refused, and it can be interrupted.
    fn as_app<T>(&mut self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.start_statement();
        self.wishes.running.store(self.asked, Ordering::Relaxed);
        self.capture.on.store(true, Ordering::Relaxed);
        let result = work(self);
        self.capture.on.store(false, Ordering::Relaxed);
        let refusal = self.capture.take_refusal();
        let result = result.map_err(|error| refusal.unwrap_or_else(|| self.explain(error)));
        self.wishes.running.store(0, Ordering::Relaxed);
        result
    }

    fn start_statement(&self) {
        self.capture.statement.store(self.capture.change.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn statement(&self, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        let mut statement = self.prepared(sql)?;
        let (changed, rowid) = (self.connection.total_changes(), self.connection.last_insert_rowid());
        let mut rows = if statement.column_count() > 0 && !statement.readonly() && !is_pragma(sql) {
            // RETURNING: what is done before its rows are refused must be undone
            self.all_or_nothing(|| {
                let rows = self.collector.run(&mut statement, sql, parameters);
                drop(statement);
                rows
            })?
        } else {
            let rows = self.collector.run(&mut statement, sql, parameters)?;
            drop(statement);
            rows
        };
        if self.connection.total_changes() != changed {
            rows.rows_affected = i64::try_from(self.connection.changes()).unwrap_or(i64::MAX);
            let now = self.connection.last_insert_rowid();
            if rows.rows_affected > 0 && (inserts(sql) || now != rowid) {
                rows.insert_id = now;
            }
        }
        Ok(rows)
    }

    /// Prepares a statement of the app.
    fn prepared(&self, sql: &str) -> Result<CachedStatement<'_>> {
        if sql.contains('\0') {
            return Err(SyncError::new(
                ErrorCode::BadArgument,
                "the SQL text has a NUL character; bind it as a parameter",
            ));
        }
        // the mark keeps the app's statements apart from ours in the cache: what is cached is not checked again
        let marked = format!("{APP_MARK}{sql}");
        self.connection.prepare_cached(&marked).map_err(|e| sql_error(unmarked(e)))
    }

    fn start_local(&mut self) {
        self.capture.transaction.store(self.next_transaction, Ordering::Relaxed);
        self.next_transaction += 1;
    }

    fn begin(&mut self) -> Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(sql_error)?;
        self.start_local();
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if self.connection.is_autocommit() {
            self.forget_touched();
            return Err(ended("it was rolled back when a statement in it failed"));
        }
        if let Err(error) = self.connection.execute_batch("COMMIT") {
            self.rollback();
            return Err(sql_error(error));
        }
        self.committed(Origin::App);
        Ok(())
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(code = ?sql_error(error).code, "a transaction could not be rolled back");
        }
        self.forget_touched();
    }

    fn forget_touched(&mut self) {
        *lock(&self.touched) = Touched::default();
        if let Some(notes) = lock(&self.capture.notes).as_mut() {
            notes.forget();
        }
        self.written = self.connection.total_changes();
    }

    /// Brings everything from the write-ahead log into the file, so that the file alone is the database. Closing would do so,
    /// too, were it not for the interrupt that ended what ran: this statement also clears that.
    fn fold_wal(&self) {
        let folded = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        if !matches!(folded, Ok(0)) {
            tracing::warn!("the write-ahead log could not be folded into the file; it will be at the next opening");
        }
    }

    /// Runs the engine's own work as one transaction, nothing captured; all or nothing.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(sql_error)?;
        let result = work(self).and_then(|value| {
            self.connection.execute_batch("COMMIT").map_err(sql_error)?;
            Ok(value)
        });
        match result {
            Ok(value) => {
                self.committed(Origin::Sync);
                Ok(value)
            }
            Err(error) => {
                self.rollback();
                Err(self.explain(error))
            }
        }
    }

    /// SQLite says only that a statement was interrupted: the database closes, the app is suspended, or the app wanted it.
    fn explain(&self, error: SyncError) -> SyncError {
        let is_set = |wish: &AtomicBool| wish.load(Ordering::Relaxed);
        let running = self.wishes.running.load(Ordering::Relaxed);
        match error.code {
            ErrorCode::Closed if is_set(&self.wishes.closing) => error,
            ErrorCode::Closed if running != 0 && !is_set(&self.wishes.hurry) => interrupted(),
            ErrorCode::Closed => ended(SUSPENDED),
            _ => error,
        }
    }

    fn committed(&mut self, origin: Origin) {
        let touched = std::mem::take(&mut *lock(&self.touched));
        if touched.outbox {
            if origin == Origin::App && !touched.undone {
                self.counts.pending = self.counts.pending.saturating_add_signed(touched.added);
            } else {
                match count(&self.connection) {
                    Ok(counts) => self.counts = counts,
                    Err(error) => tracing::error!(code = ?sql_error(error).code, "the outbox could not be counted"),
                }
            }
            self.observer.outbox_changed(self.counts, origin == Origin::App || touched.queued);
        }
        let changes = self.changes(touched.outbox);
        if changes != Changes::default() {
            self.observer.tables_changed(changes);
        }
    }

    /// What the transaction that has just been committed changed.
    fn changes(&mut self, outbox: bool) -> Changes {
        // the authorizer notes, too: what is prepared here must not find the notes locked
        if lock(&self.capture.notes).as_ref().is_some_and(Notes::schema_changed) {
            match Layout::of(&self.connection) {
                Ok(layout) => self.layout = layout,
                Err(error) => tracing::error!(code = ?sql_error(error).code, "the tables could not be listed"),
            }
        }
        let mut notes = lock(&self.capture.notes);
        let Some(notes) = notes.as_mut() else { return Changes::default() };
        let written = std::mem::replace(&mut self.written, self.connection.total_changes());
        Changes { outbox, ..notes.take(&self.layout, written != self.written) }
    }

    /// Says that the transaction under way queues something to be pushed.
    pub(super) fn wake_after_commit(&self) {
        lock(&self.touched).queued = true;
    }

    /// Entries of the outbox by state.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

/// Changes that one opening of a file may number.
const CHANGES_OF_A_RUN: i64 = 1 << 24;

/// The number after which the changes of this opening begin: above all that any opening before may have used.
fn first_change(connection: &Connection) -> rusqlite::Result<i64> {
    let first: i64 = connection.query_row(
        "SELECT max(coalesce((SELECT CAST(value AS INTEGER) FROM omnii_meta WHERE key = 'changes'), 0), \
         coalesce((SELECT max(id) FROM omnii_outbox), 0))",
        [],
        |row| row.get(0),
    )?;
    connection.execute(
        "INSERT INTO omnii_meta (key, value) VALUES ('changes', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [(first + CHANGES_OF_A_RUN).to_string()],
    )?;
    Ok(first)
}

fn count(connection: &Connection) -> rusqlite::Result<Counts> {
    connection
        .prepare_cached("SELECT coalesce(sum(state <> 2), 0), coalesce(sum(state = 2), 0) FROM omnii_outbox")?
        .query_row([], |row| {
            let (pending, parked): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(Counts { pending: pending.unsigned_abs(), parked: parked.unsigned_abs() })
        })
}

/// In front of the app's statements. A comment, since the cache trims spaces; in front, since SQLite names columns after the
/// statement's own text.
const APP_MARK: &str = "/**/";

/// The error as if the mark were not there.
fn unmarked(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqlInputError { error, msg, sql, offset } => {
            let mark = i32::try_from(APP_MARK.len()).unwrap_or_default();
            rusqlite::Error::SqlInputError { error, msg, sql, offset: offset - mark }
        }
        other => other,
    }
}

fn returns_to_a_savepoint(sql: &str) -> bool {
    sql.split_whitespace().next().is_some_and(|verb| verb.eq_ignore_ascii_case("rollback"))
}

fn inserts(sql: &str) -> bool {
    let verb = sql.split_whitespace().next().unwrap_or_default();
    verb.eq_ignore_ascii_case("insert") || verb.eq_ignore_ascii_case("replace")
}

fn is_pragma(sql: &str) -> bool {
    sql.split_whitespace().next().is_some_and(|verb| verb.eq_ignore_ascii_case("pragma"))
}

const FORBIDDEN_PRAGMAS: [&str; 10] = [
    "user_version",
    "journal_mode",
    "recursive_triggers",
    "writable_schema",
    "locking_mode",
    "trusted_schema",
    "query_only",
    "count_changes",
    "key",
    "rekey",
];

/// Notes what a statement that is being prepared will do unseen by the update hook, and keeps it from emptying a table at one
/// blow, of which the hook would not tell either: that is what [`Authorization::Ignore`] means for a DELETE.
fn noted(action: &AuthAction<'_>, capture: &Capture) -> Authorization {
    let mut notes = lock(&capture.notes);
    let Some(notes) = notes.as_mut() else { return Authorization::Allow };
    match action {
        AuthAction::CreateTable { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::CreateVtable { .. }
        | AuthAction::AlterTable { .. } => notes.schema_changes(),
        AuthAction::DropTable { table_name: name }
        | AuthAction::DropVtable { table_name: name, .. }
        | AuthAction::DropView { view_name: name }
        | AuthAction::DropTempTable { table_name: name }
        | AuthAction::DropTempView { view_name: name } => notes.drops(name),
        AuthAction::Delete { table_name: name }
            if !name.starts_with("sqlite_") && *name != "omnii_sweep" && !notes.is_dropping(name) =>
        {
            return Authorization::Ignore;
        }
        _ => {}
    }
    Authorization::Allow
}

/// Why a statement of the app must not run, if so. Checked while it is prepared.
fn forbidden(context: &AuthContext<'_>, schema: &Schema) -> Option<String> {
    let ours = |name: &str| name.len() >= 6 && name.as_bytes()[..6].eq_ignore_ascii_case(b"omnii_");
    let named = |name: &str| schema.tables.iter().find(|t| t.sql_name().eq_ignore_ascii_case(name));
    let synced = |name: &str| named(name).is_some() || schema.tables.iter().any(|t| t.name.eq_ignore_ascii_case(name));
    match context.action {
        AuthAction::Delete { table_name } | AuthAction::Update { table_name, .. }
            if !context.accessor.is_some_and(ours) && named(table_name).is_some_and(|t| t.insert_only) =>
        {
            Some(format!(
                "table '{table_name}' is insertOnly: its rows are uploaded and not kept, so there are none to change"
            ))
        }
        AuthAction::Insert { table_name }
        | AuthAction::Delete { table_name }
        | AuthAction::Update { table_name, .. }
            if ours(table_name) && !context.accessor.is_some_and(ours) =>
        {
            Some(format!("table '{table_name}' belongs to the sync engine and can't be written"))
        }
        AuthAction::DropTable { table_name } | AuthAction::AlterTable { table_name, .. }
            if ours(table_name) || synced(table_name) =>
        {
            Some(format!("table '{table_name}' belongs to the schema; change it through the schema"))
        }
        AuthAction::CreateTempTable { table_name: name }
        | AuthAction::CreateTempView { view_name: name }
        | AuthAction::CreateView { view_name: name }
        | AuthAction::CreateTable { table_name: name }
            if ours(name) || synced(name) =>
        {
            Some(format!("'{name}' is the name of a table of the sync engine or of the schema; choose another"))
        }
        AuthAction::DropTrigger { trigger_name, .. }
        | AuthAction::CreateTrigger { trigger_name, .. }
        | AuthAction::CreateTempTrigger { trigger_name, .. }
            if ours(trigger_name) =>
        {
            Some(format!("trigger '{trigger_name}' belongs to the sync engine"))
        }
        AuthAction::Pragma { pragma_name, pragma_value: Some(_) }
            if FORBIDDEN_PRAGMAS.iter().any(|p| pragma_name.eq_ignore_ascii_case(p)) =>
        {
            Some(format!("PRAGMA {pragma_name} can't be set: the sync engine relies on it"))
        }
        AuthAction::Transaction { .. } => {
            Some("BEGIN, COMMIT, ROLLBACK and VACUUM do not work as statements; use writeTransaction()".into())
        }
        _ => None,
    }
}

pub(super) fn ended(why: &str) -> SyncError {
    SyncError::new(ErrorCode::TransactionEnded, format!("the transaction has ended: {why}"))
}
