//! Change capture: what the triggers call while the app writes.
//!
//! Triggers on every synced table (see [`super::ddl`]) call these SQL functions, so that a change and its outbox entry are
//! one transaction whoever wrote the SQL. While the engine itself applies rows, capturing is off and nothing is recorded.
//! The functions check what the backend could never take (broken JSON, infinities) and fail the app's statement with the
//! table and column named, before anything is stored.

use super::changes::Notes;
use omnii_sync_core::{ColumnType, ErrorCode, Schema, SyncError};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Shared between a connection's functions and whoever runs statements on it, on the same thread.
#[derive(Debug, Default)]
pub struct Capture {
    /// Whether changes are recorded now.
    pub on: AtomicBool,
    /// Number of the transaction that changes belong to.
    pub transaction: AtomicI64,
    /// Id of the last change. None is used twice, also not after the outbox was empty: an answer of the backend, or the app,
    /// may still mean the change that had it.
    pub change: AtomicI64,
    /// The same when the statement under way began.
    pub statement: AtomicI64,
    /// The transaction whose last change is a delete, 0 if none.
    deleted: AtomicI64,
    /// Why the statement under way was refused by us, not by SQLite; what SQLite makes of it says less.
    refusal: Mutex<Option<SyncError>>,
    /// What the transaction under way changes; nothing is noted where nobody has put notes.
    pub notes: Mutex<Option<Notes>>,
}

impl Capture {
    /// Notes why the statement under way must fail.
    pub fn refuse(&self, code: ErrorCode, message: String) {
        self.refused(SyncError::new(code, message));
    }

    fn refused(&self, error: SyncError) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Notes the ids that a trigger hands over (`omnii_capturing(table, id, …)`).
    fn note(&self, context: &Context<'_>) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(notes), ValueRef::Integer(place)) = (notes.as_mut(), context.get_raw(0)) else { return };
        let Ok(place) = usize::try_from(place) else { return };
        notes.note(place, (1..context.len()).map(|i| context.get_raw(i).as_str().ok()));
    }

    /// Whether the row being inserted may have entries that the insert takes back: those of the same statement (triggers of
    /// the app, REPLACE), or a delete directly before in the same transaction. Saves the triggers of nearly all inserts their
    /// searches.
    fn may_be_taken_back(&self) -> bool {
        let deleted = self.deleted.load(Ordering::Relaxed);
        self.change.load(Ordering::Relaxed) > self.statement.load(Ordering::Relaxed)
            || (deleted != 0 && deleted == self.transaction.load(Ordering::Relaxed))
    }

    /// Takes the note.
    pub fn take_refusal(&self) -> Option<SyncError> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Registers the functions the triggers use.
pub fn register(connection: &Connection, schema: &Arc<Schema>, capture: &Arc<Capture>) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let state = capture.clone();
    connection.create_scalar_function("omnii_capturing", -1, flags, move |context| {
        if !context.is_empty() {
            state.note(context);
        }
        Ok(state.on.load(Ordering::Relaxed))
    })?;
    let state = capture.clone();
    connection.create_scalar_function("omnii_transaction", 0, flags, move |_| {
        Ok(state.transaction.load(Ordering::Relaxed))
    })?;
    let state = capture.clone();
    connection
        .create_scalar_function("omnii_statement", 0, flags, move |_| Ok(state.statement.load(Ordering::Relaxed)))?;
    let state = capture.clone();
    // 3 for a delete
    connection.create_scalar_function("omnii_change", -1, flags, move |context| {
        let transaction = if !context.is_empty() { state.transaction.load(Ordering::Relaxed) } else { 0 };
        state.deleted.store(transaction, Ordering::Relaxed);
        Ok(state.change.fetch_add(1, Ordering::Relaxed) + 1)
    })?;
    let state = capture.clone();
    connection.create_scalar_function("omnii_again", 0, flags, move |_| Ok(state.may_be_taken_back()))?;
    let (tables, state) = (schema.clone(), capture.clone());
    connection
        .create_scalar_function("omnii_record", -1, flags, move |c| told(record(c, &tables), c, &tables, &state))?;
    let (tables, state) = (schema.clone(), capture.clone());
    connection.create_scalar_function("omnii_diff", -1, flags, move |c| told(diff(c, &tables), c, &tables, &state))?;
    // of tables with trackPrevious
    let (tables, state) = (schema.clone(), capture.clone());
    connection.create_scalar_function("omnii_previous", -1, flags, move |c| {
        told(previous(c, &tables, true), c, &tables, &state)
    })?;
    let (tables, state) = (schema.clone(), capture.clone());
    connection.create_scalar_function("omnii_previous_row", -1, flags, move |c| {
        told(previous(c, &tables, false), c, &tables, &state)
    })
}

/// Notes the reason of a refusal before SQLite wraps it.
fn told<T>(
    result: rusqlite::Result<T>,
    context: &Context<'_>,
    schema: &Schema,
    capture: &Capture,
) -> rusqlite::Result<T> {
    if let Err(Error::UserFunctionError(reason)) = &result {
        let error = SyncError::new(ErrorCode::Constraint, reason.to_string());
        capture.refused(match table_of(context, schema) {
            Some(table) => error.of_table(&table.name),
            None => error,
        });
    }
    result
}

/// The table that the first argument means.
fn table_of<'s>(context: &Context<'_>, schema: &'s Schema) -> Option<&'s omnii_sync_core::Table> {
    let index = if context.is_empty() { None } else { context.get::<i64>(0).ok() };
    index.and_then(|index| usize::try_from(index).ok()).and_then(|index| schema.tables.get(index))
}

/// The call of `omnii_record` for a row of the table at `index` in the schema, as SQL.
pub fn record_of(index: usize, table: &omnii_sync_core::Table) -> String {
    let columns: String = table.columns.iter().map(|c| format!(", {}", super::ddl::quote(&c.name))).collect();
    format!("omnii_record({index}{columns})")
}

/// `omnii_record(table, value, …)`: all columns of a row as a JSON object.
fn record(context: &Context<'_>, schema: &Schema) -> rusqlite::Result<String> {
    let mut writer = ColumnWriter::new(context, schema)?;
    for i in 0..context.len().saturating_sub(1) {
        writer.column(i, context.get_raw(1 + i))?;
    }
    Ok(writer.finish())
}

/// `omnii_diff(table, old, new, …)`: the columns that changed as a JSON object, NULL if none did.
fn diff(context: &Context<'_>, schema: &Schema) -> rusqlite::Result<Option<String>> {
    let mut writer = ColumnWriter::new(context, schema)?;
    let mut changed = false;
    for i in 0..context.len().saturating_sub(1) / 2 {
        let (old, new) = (context.get_raw(1 + 2 * i), context.get_raw(2 + 2 * i));
        if old != new {
            writer.column(i, new)?;
            changed = true;
        }
    }
    Ok(changed.then(|| writer.finish()))
}

/// `omnii_previous(table, old, new, …)` and, not in `pairs`, `omnii_previous_row(table, old, …)`: the values before that the
/// table tracks as a JSON object.
fn previous(context: &Context<'_>, schema: &Schema, pairs: bool) -> rusqlite::Result<String> {
    let mut writer = ColumnWriter::new(context, schema)?;
    let step = if pairs { 2 } else { 1 };
    for i in 0..context.len().saturating_sub(1) / step {
        let old = context.get_raw(1 + step * i);
        let Some(track) = &writer.table.track_previous else { continue };
        let name = writer.table.columns.get(i).map(|column| &column.name);
        let is_wanted = track.columns.as_ref().is_none_or(|wanted| name.is_some_and(|name| wanted.contains(name)));
        let is_unchanged = pairs && track.only_when_changed && old == context.get_raw(2 + step * i);
        if is_wanted && !is_unchanged {
            writer.column(i, old)?;
        }
    }
    Ok(writer.finish())
}

struct ColumnWriter<'s> {
    table: &'s omnii_sync_core::Table,
    json: String,
}

impl<'s> ColumnWriter<'s> {
    fn new(context: &Context<'_>, schema: &'s Schema) -> rusqlite::Result<Self> {
        let table =
            table_of(context, schema).ok_or_else(|| refuse("the schema has changed under an old trigger".into()))?;
        Ok(Self { table, json: String::from("{") })
    }

    fn column(&mut self, index: usize, value: ValueRef<'_>) -> rusqlite::Result<()> {
        let Some(column) = self.table.columns.get(index) else {
            return Err(refuse("the schema has changed under an old trigger".into()));
        };
        let place = || format!("{}.{}", self.table.name, column.name);
        let text = match value {
            ValueRef::Null => "null".to_string(),
            ValueRef::Integer(i) => i.to_string(),
            ValueRef::Real(r) if r.is_finite() => serde_json::to_string(&r).expect("a finite float is JSON"),
            ValueRef::Real(_) => return Err(refuse(format!("{}: infinity can't be synced", place()))),
            ValueRef::Text(bytes) => {
                let text =
                    std::str::from_utf8(bytes).map_err(|_| refuse(format!("{}: the text is not UTF-8", place())))?;
                if column.column_type == ColumnType::Json && serde_json::from_str::<serde_json::Value>(text).is_err() {
                    return Err(refuse(format!(
                        "{}: a JSON column must hold valid JSON (use JSON.stringify)",
                        place()
                    )));
                }
                serde_json::to_string(text).expect("a string is JSON")
            }
            ValueRef::Blob(_) => return Err(refuse(format!("{}: blobs can't be synced", place()))),
        };
        if self.json.len() > 1 {
            self.json.push(',');
        }
        self.json.push_str(&serde_json::to_string(&column.name).expect("a string is JSON"));
        self.json.push(':');
        self.json.push_str(&text);
        Ok(())
    }

    fn finish(mut self) -> String {
        self.json.push('}');
        self.json
    }
}

fn refuse(message: String) -> Error {
    Error::UserFunctionError(message.into())
}
