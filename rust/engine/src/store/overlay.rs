//! Rows with local changes: the server's version underneath, what is pending on top.
//!
//! Guarantees: what the app sees of such a row is always the last version the server has shown with the changes that are still
//! in the outbox laid over it; a change leaves the outbox in the transaction in which the row settles. Whose version prevails
//! where both sides changed a row is the table's [`ConflictPolicy`] (docs/protocol.md, "Conflicts").

use super::apply::upsert;
use super::ddl::quote;
use super::outbox::{RowEntry, State, row_state};
use super::sql_error::sql_error;
use super::{Writer, internal};
use omnii_sync_core::error::Result;
use omnii_sync_core::merge::{RowState, overlay};
use omnii_sync_core::protocol1::page::PageRow;
use omnii_sync_core::protocol1::readback::{self, Sent, Verdict, judge};
use omnii_sync_core::timestamp::parse_micros;
use omnii_sync_core::{ConflictPolicy, Operation, Table, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value as Json};
use std::collections::HashSet;

/// How often what a row does not show is sent again before its change counts as refused.
const MAX_RESENDS: i64 = 2;

/// In place of the time at which a server's version was written: it was put together here (of what the app has uploaded by
/// itself, or for columns that were not there before), and what the backend really has in all columns has not been seen yet.
pub(super) const NOT_SEEN: i64 = 0;

/// `op` of an outbox entry.
const INSERT: i64 = 1;
/// `op` of an outbox entry.
const UPDATE: i64 = 2;

/// The server's version of a row, as far as known.
#[derive(Debug, Default)]
pub(super) struct ServerVersion {
    /// Its columns; `None` where it has no such row.
    pub(super) columns: RowState,
    /// When it was written, in microseconds since the epoch.
    pub(super) updated_at: Option<i64>,
}

impl Writer {
    /// The server's version of a row that has changes, if anything is known of it.
    pub(super) fn server_version(&self, table: &str, row_id: &str) -> Result<Option<ServerVersion>> {
        let stored: Option<(Option<String>, Option<i64>)> = self
            .connection
            .prepare_cached("SELECT server, updated_at FROM omnii_overlay WHERE tbl = ? AND row_id = ?")
            .and_then(|mut s| s.query_row(params![table, row_id], |r| Ok((r.get(0)?, r.get(1)?))).optional())
            .map_err(sql_error)?;
        let Some((text, updated_at)) = stored else { return Ok(None) };
        let columns = row_state(text)?;
        let own = || parse_micros(columns.as_ref()?.get("updated_at")?.as_str()?);
        Ok(Some(ServerVersion { updated_at: updated_at.or_else(own), columns }))
    }

    pub(super) fn set_server_version(&self, table: &str, row_id: &str, version: &ServerVersion) -> Result<()> {
        let text = version.columns.as_ref().map(json_text).transpose()?;
        self.connection
            .prepare_cached(
                "INSERT INTO omnii_overlay (tbl, row_id, server, updated_at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (tbl, row_id) DO UPDATE SET server = excluded.server, updated_at = excluded.updated_at",
            )
            .and_then(|mut s| s.execute(params![table, row_id, text, version.updated_at]))
            .map(|_| ())
            .map_err(sql_error)
    }

    /// A row with changes came with a page: the server's version goes underneath, what it proves leaves the outbox, the rest
    /// stays on top. Answers the rows written and the changes acknowledged.
    pub(super) fn apply_under_changes(
        &mut self,
        table: &Table,
        row: &PageRow<'_>,
        pull: i64,
    ) -> Result<(usize, usize)> {
        let known = self.server_version(&table.name, &row.id)?.unwrap_or_default();
        let shown = columns_of(table, row, known.columns.clone());
        let mut entries = self.entries_of(&table.name, &row.id, pull)?;
        let before = entries.len();
        let conflict = is_conflict(table, &known, &shown, &entries);
        let is_sent = |e: &RowEntry| e.state == State::Sent;
        match table.conflict_policy {
            ConflictPolicy::ServerWins if conflict => {
                // what was sent is no conflict any more: it is proven or refused like any other
                let (sent, lost): (Vec<RowEntry>, Vec<RowEntry>) = entries.into_iter().partition(is_sent);
                self.forget(&lost)?;
                entries = sent;
            }
            ConflictPolicy::ClientWins if conflict && !entries.iter().any(is_sent) => {
                self.widen_first(&mut entries, known.columns.clone(), UPDATE)?;
            }
            ConflictPolicy::LastWriteWins | ConflictPolicy::ClientWins | ConflictPolicy::ServerWins => {}
        }
        entries = self.settle_proven(table, row, &known, &shown, entries)?;
        let gone = before - entries.len();
        let version = ServerVersion { columns: Some(shown), updated_at: Some(row.updated_at) };
        self.set_server_version(&table.name, &row.id, &version)?;
        let written = self.lay_over(table, &row.id, version.columns, &entries)?;
        Ok((written, gone))
    }

    /// Takes out what the server's row proves; answers what remains, oldest first.
    fn settle_proven(
        &mut self,
        table: &Table,
        row: &PageRow<'_>,
        known: &ServerVersion,
        shown: &Map<String, Json>,
        entries: Vec<RowEntry>,
    ) -> Result<Vec<RowEntry>> {
        let (provable, mut remaining): (Vec<RowEntry>, Vec<RowEntry>) = entries.into_iter().partition(|e| e.provable);
        let sent: Vec<Sent<'_>> =
            provable.iter().map(|e| Sent { operation: &e.change.operation, answered_at: e.answered_at }).collect();
        let verdicts = judge(
            table,
            &sent,
            readback::Row {
                columns: shown,
                updated_at: row.updated_at,
                known: known.columns.as_ref(),
                known_at: known.updated_at,
            },
        );
        let mut proven = Vec::new();
        for (mut entry, verdict) in provable.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Proven => proven.push(entry),
                Verdict::Unclear(mut missing) if entry.state == State::Sent && entry.resent < MAX_RESENDS => {
                    // what a change that waits here will set anyway is not worth sending before it
                    let later = remaining.iter().filter(|r| r.state == State::Queued && r.change.id > entry.change.id);
                    let set_later: HashSet<&str> = later.flat_map(|r| columns_set(&r.change.operation)).collect();
                    missing.retain(|name, _| !set_later.contains(name.as_str()));
                    if missing.is_empty() {
                        proven.push(entry);
                        continue;
                    }
                    self.send_again(entry.change.id, &missing)?;
                    entry.change.operation = Operation::Update(missing);
                    remaining.push(entry);
                }
                Verdict::Unclear(_) | Verdict::Swallowed => remaining.push(entry),
            }
        }
        if proven.iter().any(|e| e.change.alone) && remaining.iter().any(|e| e.state == State::Queued) {
            // what waited for it may go now
            self.wake_after_commit();
        }
        self.forget(&proven)?;
        remaining.sort_by_key(|entry| entry.change.id);
        self.narrow_parked_inserts(&mut remaining)?;
        self.take_back_superseded(&proven, &mut remaining)?;
        Ok(remaining)
    }

    /// The server has the row after all: a parked insert of it is no more than an edit of the columns that it set.
    pub(super) fn narrow_parked_inserts(&mut self, entries: &mut [RowEntry]) -> Result<()> {
        for entry in entries.iter_mut().filter(|e| e.state == State::Parked) {
            let Operation::Insert(columns) = &mut entry.change.operation else { continue };
            let mut columns = std::mem::take(columns);
            columns.retain(|_, value| !value.is_null());
            let data = json_text(&columns)?;
            self.connection
                .prepare_cached("UPDATE omnii_outbox SET op = ?2, data = ?3 WHERE id = ?1")
                .and_then(|mut s| s.execute(params![entry.change.id, UPDATE, data]))
                .map_err(sql_error)?;
            entry.change.operation = Operation::Update(columns);
        }
        Ok(())
    }

    /// A change that stays behind (parked) must not hide the columns that a later one has set and that are stored.
    pub(super) fn take_back_superseded(&mut self, proven: &[RowEntry], remaining: &mut Vec<RowEntry>) -> Result<()> {
        let mut empty = Vec::new();
        for entry in remaining.iter_mut() {
            let later: HashSet<&str> = proven
                .iter()
                .filter(|p| p.change.id > entry.change.id)
                .flat_map(|p| columns_set(&p.change.operation))
                .collect();
            let Operation::Update(columns) = &mut entry.change.operation else { continue };
            let had = columns.len();
            columns.retain(|name, _| !later.contains(name.as_str()));
            if columns.is_empty() {
                empty.push(entry.change.id);
            } else if columns.len() < had {
                let data = json_text(columns)?;
                self.connection
                    .prepare_cached("UPDATE omnii_outbox SET data = ?2 WHERE id = ?1")
                    .and_then(|mut s| s.execute(params![entry.change.id, data]))
                    .map_err(sql_error)?;
            }
        }
        let (superseded, kept): (Vec<RowEntry>, Vec<RowEntry>) =
            std::mem::take(remaining).into_iter().partition(|e| empty.contains(&e.change.id));
        *remaining = kept;
        self.forget(&superseded)
    }

    /// Takes entries out of the outbox.
    pub(super) fn forget(&mut self, entries: &[RowEntry]) -> Result<()> {
        let mut delete = self.connection.prepare_cached("DELETE FROM omnii_outbox WHERE id = ?").map_err(sql_error)?;
        for entry in entries {
            delete.execute([entry.change.id]).map_err(sql_error)?;
        }
        Ok(())
    }

    /// Shows the server's version with `entries` on top, and forgets it if there are none. Answers the rows written.
    pub(super) fn lay_over(
        &mut self,
        table: &Table,
        row_id: &str,
        server: RowState,
        entries: &[RowEntry],
    ) -> Result<usize> {
        if entries.is_empty() {
            self.drop_settled_overlay(&table.name, row_id)?;
        }
        self.show(table, row_id, &overlay(server, entries.iter().map(|e| &e.change.operation)))
    }

    /// Makes the visible row what `state` says; answers the rows written.
    fn show(&self, table: &Table, id: &str, state: &RowState) -> Result<usize> {
        let Some(columns) = state else {
            return self
                .connection
                .prepare_cached(&format!("DELETE FROM {} WHERE \"id\" = ?", quote(table.sql_name())))
                .and_then(|mut s| s.execute([id]))
                .map_err(sql_error);
        };
        let sql = upsert(table, &|i| columns.contains_key(&table.columns[i].name));
        let mut statement = self.connection.prepare_cached(&sql).map_err(sql_error)?;
        statement.raw_bind_parameter(1, id).map_err(sql_error)?;
        let values = table.columns.iter().filter_map(|c| columns.get(&c.name));
        for (at, value) in values.enumerate() {
            statement.raw_bind_parameter(at + 2, json_to_sql(value)).map_err(sql_error)?;
        }
        statement.raw_execute().map_err(sql_error)
    }

    /// A complete sweep did not find a row that the server was known to have: it has been deleted there. A row that was only
    /// edited here is sent whole, so that the edit is not lost, unless the table lets the server win.
    pub(super) fn settle_deleted(&mut self, table: &Table, row_id: &str) -> Result<usize> {
        let known = self.server_version(&table.name, row_id)?.unwrap_or_default();
        let mut entries = self.entries_of(&table.name, row_id, 0)?;
        // a delete that was refused is done all the same
        let is_done = |e: &RowEntry| e.state == State::Parked && e.change.operation == Operation::Delete;
        let (done, left): (Vec<RowEntry>, Vec<RowEntry>) = entries.into_iter().partition(is_done);
        self.forget(&done)?;
        entries = left;
        if table.conflict_policy == ConflictPolicy::ServerWins {
            // what follows a delete of ours (whose answer may have been lost) has nothing to yield to
            let deleted = entries.iter().rposition(|e| e.change.operation == Operation::Delete);
            let kept = entries.split_off(deleted.map_or(entries.len(), |at| at + 1));
            self.forget(&entries)?;
            entries = kept;
        } else {
            self.widen_first(&mut entries, known.columns, INSERT)?;
        }
        self.set_server_version(&table.name, row_id, &ServerVersion::default())?;
        self.lay_over(table, row_id, None, &entries)
    }

    /// If the row was only edited, makes its first change one of all columns, as the app saw them.
    fn widen_first(&mut self, entries: &mut [RowEntry], known: RowState, op: i64) -> Result<()> {
        let Some(first) = entries.first_mut() else { return Ok(()) };
        let Operation::Update(_) = first.change.operation else { return Ok(()) };
        let whole = overlay(known, [&first.change.operation]).unwrap_or_default();
        let data = json_text(&whole)?;
        self.connection
            .prepare_cached("UPDATE omnii_outbox SET op = ?2, data = ?3 WHERE id = ?1")
            .and_then(|mut s| s.execute(params![first.change.id, op, data]))
            .map_err(sql_error)?;
        first.change.operation = if op == INSERT { Operation::Insert(whole) } else { Operation::Update(whole) };
        Ok(())
    }
}

fn columns_set(operation: &Operation) -> impl Iterator<Item = &str> {
    let columns = match operation {
        Operation::Insert(columns) | Operation::Update(columns) => Some(columns),
        Operation::Delete => None,
    };
    columns.into_iter().flat_map(Map::keys).map(String::as_str)
}

/// Whether somebody else has changed a row for which changes wait here. What was sent, and what was but its answer lost so
/// that it is still queued, comes back as our own.
fn is_conflict(table: &Table, known: &ServerVersion, shown: &Map<String, Json>, entries: &[RowEntry]) -> bool {
    // what is not known to be different is not somebody else's doing
    if known.updated_at == Some(NOT_SEEN) {
        return false;
    }
    let operations: Vec<&Operation> = entries.iter().map(|e| &e.change.operation).collect();
    !readback::is_own(table, known.columns.as_ref(), shown, &operations)
}

/// The row's columns: what the page shows, over what was known of columns that it leaves out.
fn columns_of(table: &Table, row: &PageRow<'_>, known: RowState) -> Map<String, Json> {
    let mut columns = known.unwrap_or_default();
    for (column, value) in table.columns.iter().zip(&row.values) {
        let json = match value {
            None => continue,
            Some(Value::Null) => Json::Null,
            Some(Value::Integer(i)) => Json::from(*i),
            Some(Value::Real(r)) => Json::from(*r),
            Some(Value::Text(t)) => Json::from(t.as_ref()),
        };
        columns.insert(column.name.clone(), json);
    }
    columns
}

pub(super) fn json_text(columns: &Map<String, Json>) -> Result<String> {
    serde_json::to_string(columns).map_err(|e| internal(e.to_string()))
}

pub(super) fn json_to_sql(value: &Json) -> ToSqlOutput<'_> {
    match value {
        Json::String(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Json::Number(number) => match number.as_i64() {
            Some(i) => ToSqlOutput::Owned(i.into()),
            None => ToSqlOutput::Owned(number.as_f64().into()),
        },
        Json::Bool(b) => ToSqlOutput::Owned((*b).into()),
        Json::Null | Json::Array(_) | Json::Object(_) => ToSqlOutput::Borrowed(ValueRef::Null),
    }
}
