//! A local change: one operation on one row, made in one transaction, waiting to be pushed.

use serde::Serialize;
use serde_json::{Map, Value as Json};

/// Position in the outbox: grows with every change, never reused.
pub type ChangeId = i64;

/// What was done to the row. Column values are JSON: text, numbers, null; `json` columns hold JSON *text* here, as SQLite
/// does; the protocol module turns it into JSON values.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// The row was inserted (or replaced) with these columns: all of the schema's.
    Insert(Map<String, Json>),
    /// These columns changed.
    Update(Map<String, Json>),
    /// The row was deleted.
    Delete,
}

/// One entry of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Order of the changes, also within a transaction.
    pub id: ChangeId,
    /// Changes of one local transaction share this.
    pub transaction: i64,
    /// The table's name, as in the schema.
    pub table: String,
    /// The row's `id`.
    pub row_id: String,
    /// What was done.
    pub operation: Operation,
    /// It was refused together with others of its row, so that it must prove itself alone.
    pub alone: bool,
}

/// A change that the backend refused for good, as the app sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedChange {
    /// Names it in `retryParked` and `discardParked`.
    pub id: ChangeId,
    /// Changes of one local transaction share this.
    pub transaction_id: i64,
    /// The table's name.
    pub table: String,
    /// The row's `id`.
    pub row_id: String,
    /// `insert`, `update` or `delete`.
    pub operation: &'static str,
    /// The columns that were set, as SQLite holds them; `null` for a delete.
    pub columns: Option<Map<String, Json>>,
    /// Why it was refused, for people.
    pub reason: String,
}
