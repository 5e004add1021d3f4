//! The outbox: local changes on their way to the backend.
//!
//! Entries come from the triggers of [`super::ddl`] and are *queued*; the push takes them in order, marks them *sent* when
//! the backend has answered, and they leave when acknowledged: a delete by that answer, everything else by read-back
//! ([`super::apply`]). What the backend refuses is *parked*: kept with its reason, out of the way of the rest.

use super::overlay::{ServerVersion, json_text};
use super::sql_error::sql_error;
use super::{Writer, internal};
use omnii_sync_core::error::Result;
use omnii_sync_core::merge::{RowState, overlay};
use omnii_sync_core::protocol1::upload::Base;
use omnii_sync_core::{Change, ChangeId, Operation, Table};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Entries of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Queued or sent.
    pub pending: u64,
    /// Refused for good.
    pub parked: u64,
}

/// Changes to push, with their rows as they were before them.
#[derive(Debug, Default)]
pub struct PendingBatch {
    /// In outbox order.
    pub changes: Vec<Change>,
    /// Per (table, id).
    pub bases: HashMap<(String, String), Base>,
}

/// Where a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// To be sent.
    Queued,
    /// Answered by the backend, to be proven by read-back.
    Sent,
    /// Refused for good.
    Parked,
}

/// An entry of a row's history.
pub(super) struct RowEntry {
    pub(super) change: Change,
    pub(super) state: State,
    /// Whether the pull in question can prove it: it was sent before that began, or is parked (another way may have led to
    /// what it wanted).
    pub(super) provable: bool,
    /// The backend's clock when it answered; `None` for a parked change, which only the row itself can prove.
    pub(super) answered_at: Option<i64>,
    /// How often what was missing of it has been sent again.
    pub(super) resent: i64,
}

/// The columns of [`CHANGE`].
pub(super) type ChangeRow = (i64, i64, String, String, i64, Option<String>, bool);

pub(super) const CHANGE: &str = "id, tx, tbl, row_id, op, data, merged = 2";

pub(super) fn change(row: &Row<'_>) -> rusqlite::Result<ChangeRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
}

pub(super) fn columns(text: Option<String>) -> Result<Map<String, Json>> {
    serde_json::from_str(&text.unwrap_or_default()).map_err(|e| internal(format!("an outbox entry can't be read: {e}")))
}

pub(super) fn row_state(text: Option<String>) -> Result<RowState> {
    text.map(|t| columns(Some(t))).transpose()
}

pub(super) fn to_change((id, transaction, table, row_id, op, data, alone): ChangeRow) -> Result<Change> {
    let operation = match op {
        1 => Operation::Insert(columns(data)?),
        2 => Operation::Update(columns(data)?),
        _ => Operation::Delete,
    };
    Ok(Change { id, transaction, table, row_id, operation, alone })
}

impl Writer {
    /// The id of the newest change there is, queued or not; 0 if there is none.
    pub fn newest_change(&mut self) -> Result<ChangeId> {
        self.connection
            .query_row("SELECT coalesce(max(id), 0) FROM omnii_outbox", [], |row| row.get(0))
            .map_err(sql_error)
    }

    /// The id of the oldest change that is queued or sent.
    pub fn oldest_pending(&mut self) -> Result<Option<ChangeId>> {
        self.connection
            .query_row("SELECT min(id) FROM omnii_outbox WHERE state <> 2", [], |row| row.get(0))
            .map_err(sql_error)
    }

    /// The oldest queued changes up to `newest`, at most `limit`. Those of a row wait while one before them, that was refused together with
    /// others, is out to be proven by itself: whether they can build on it is not known.
    pub fn queued(&mut self, newest: ChangeId, limit: u32) -> Result<PendingBatch> {
        let mut batch = PendingBatch::default();
        let free = format!(
            "state = 0 AND id <= {newest} AND NOT EXISTS (SELECT 1 FROM omnii_outbox AS e WHERE e.tbl = omnii_outbox.tbl \
             AND e.row_id = omnii_outbox.row_id AND e.state = 1 AND e.merged = 2) ORDER BY id LIMIT {limit}"
        );
        for change in self.changes_where(&free)? {
            if let Entry::Vacant(entry) = batch.bases.entry((change.table.clone(), change.row_id.clone())) {
                entry.insert(self.base_of(&change)?);
            }
            batch.changes.push(change);
        }
        Ok(batch)
    }

    /// Whether all of these are queued.
    pub fn are_queued(&mut self, ids: &[ChangeId]) -> Result<bool> {
        let mut queued = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM omnii_outbox WHERE id = ? AND state = 0)")
            .map_err(sql_error)?;
        for id in ids {
            if !queued.query_row([id], |row| row.get::<_, bool>(0)).map_err(sql_error)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tables that have queued changes.
    pub fn queued_tables(&mut self) -> Result<Vec<String>> {
        self.connection
            .prepare_cached("SELECT DISTINCT tbl FROM omnii_outbox WHERE state = 0")
            .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
            .map_err(sql_error)
    }

    /// Changes that fit a constant condition.
    pub(super) fn changes_where(&self, condition: &str) -> Result<Vec<Change>> {
        let sql = format!("SELECT {CHANGE} FROM omnii_outbox WHERE {condition}");
        let rows: Vec<_> = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_map([], change)?.collect())
            .map_err(sql_error)?;
        rows.into_iter().map(to_change).collect()
    }

    /// The row as it was before `first`, the oldest queued change of it: earlier ones were sent. What is parked has not
    /// reached the server, so it counts only in a row that the server does not have and that must be sent whole.
    fn base_of(&self, first: &Change) -> Result<Base> {
        let server = self.server_version(&first.table, &first.row_id)?.and_then(|version| version.columns);
        let earlier: Vec<_> = self
            .entries_of(&first.table, &first.row_id, 0)?
            .into_iter()
            .filter(|entry| entry.change.id < first.id && (server.is_none() || entry.state != State::Parked))
            .map(|entry| entry.change.operation)
            .collect();
        Ok(Base { known: server.is_some(), row: overlay(server, &earlier) })
    }

    /// All changes of a row, parked ones included, oldest first; `provable` as seen from pull `pull`.
    pub(super) fn entries_of(&self, table: &str, row_id: &str, pull: i64) -> Result<Vec<RowEntry>> {
        let sql = format!(
            "SELECT {CHANGE}, state, state = 2 OR (state = 1 AND sent_pull < ?3), CASE state WHEN 1 THEN sent_at END, resent \
             FROM omnii_outbox WHERE tbl = ?1 AND row_id = ?2 ORDER BY id"
        );
        let rows: Vec<_> = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut s| {
                let rows = s.query_map(params![table, row_id, pull], |row| {
                    Ok((change(row)?, row.get::<_, i64>(7)?, row.get(8)?, row.get(9)?, row.get(10)?))
                })?;
                rows.collect()
            })
            .map_err(sql_error)?;
        rows.into_iter()
            .map(|(row, state, provable, answered_at, resent)| {
                let state = match state {
                    0 => State::Queued,
                    1 => State::Sent,
                    _ => State::Parked,
                };
                Ok(RowEntry { change: to_change(row)?, state, provable, answered_at, resent })
            })
            .collect()
    }

    /// The backend answered one operation, at `answered_at` by its clock: its changes become *sent*, to be proven by a pull
    /// that begins after `pull`.
    pub fn mark_sent(&mut self, ids: &[ChangeId], pull: i64, answered_at: Option<i64>) -> Result<()> {
        let mut update = self
            .connection
            .prepare_cached(
                "UPDATE omnii_outbox SET state = 1, sent_pull = ?2, sent_at = ?3, merged = max(merged, ?4) WHERE id = ?1 AND state = 0",
            )
            .map_err(sql_error)?;
        for id in ids {
            update.execute(params![id, pull, answered_at, ids.len() > 1]).map_err(sql_error)?;
        }
        Ok(())
    }

    /// The backend has deleted a row for these changes (a delete, and what was coalesced into it): they are acknowledged, and
    /// whatever else was done to the row before is moot, also what the app has queued again meanwhile.
    pub fn acknowledge_delete(&mut self, ids: &[ChangeId]) -> Result<()> {
        let Some(last) = ids.last() else { return Ok(()) };
        let row: Option<(String, String)> = self
            .connection
            .prepare_cached("SELECT tbl, row_id FROM omnii_outbox WHERE id = ?")
            .and_then(|mut s| s.query_row([last], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(sql_error)?;
        // given up while it was on its way
        let Some((table, row_id)) = row else { return Ok(()) };
        self.connection
            .prepare_cached("DELETE FROM omnii_outbox WHERE tbl = ? AND row_id = ? AND id <= ?")
            .and_then(|mut s| s.execute(params![table, row_id, last]))
            .map_err(sql_error)?;
        self.set_server_version(&table, &row_id, &ServerVersion::default())?;
        self.drop_settled_overlay(&table, &row_id)
    }

    /// The backend has taken changes of a table of which nothing is ever read back: its answer is their proof.
    pub fn acknowledge_unseen(&mut self, ids: &[ChangeId]) -> Result<()> {
        for id in ids {
            let row: Option<(String, String)> = self
                .connection
                .prepare_cached("DELETE FROM omnii_outbox WHERE id = ? RETURNING tbl, row_id")
                .and_then(|mut s| s.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional())
                .map_err(sql_error)?;
            if let Some((table, row_id)) = row {
                self.drop_settled_overlay(&table, &row_id)?;
            }
        }
        Ok(())
    }

    /// Queues these columns of a sent change again, as an update: the row is there, without them.
    pub(super) fn send_again(&mut self, id: ChangeId, columns: &Map<String, Json>) -> Result<()> {
        let data = json_text(columns)?;
        self.connection
            .prepare_cached("UPDATE omnii_outbox SET state = 0, op = 2, data = ?2, sent_at = NULL, resent = resent + 1 WHERE id = ?1")
            .and_then(|mut s| s.execute(params![id, data]))
            .map_err(sql_error)?;
        self.wake_after_commit();
        Ok(())
    }

    /// Puts changes aside with a reason that the app can show.
    pub fn park(&mut self, ids: &[ChangeId], reason: &str) -> Result<()> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE omnii_outbox SET state = 2, error = ?2 WHERE id = ?1")
            .map_err(sql_error)?;
        for id in ids {
            update.execute(params![id, reason]).map_err(sql_error)?;
        }
        Ok(())
    }

    /// The backend refused an operation that stands for several changes: they are sent one by one.
    pub fn send_apart(&mut self, ids: &[ChangeId]) -> Result<()> {
        let mut update =
            self.connection.prepare_cached("UPDATE omnii_outbox SET merged = 2 WHERE id = ?").map_err(sql_error)?;
        for id in ids {
            update.execute([id]).map_err(sql_error)?;
        }
        Ok(())
    }

    /// A pull of `table` that began after their upload is complete and did not prove these changes: the backend has
    /// swallowed a refusal (docs/protocol.md, upload 4). Those that were sent as one operation are sent again, each by itself;
    /// the others are parked. Answers how many.
    pub(super) fn park_unproven(&mut self, table: &Table, pull: i64) -> Result<usize> {
        let apart = self
            .connection
            .prepare_cached(
                "UPDATE omnii_outbox SET state = 0, sent_at = NULL, merged = 2 \
                 WHERE state = 1 AND merged = 1 AND tbl = ?1 AND sent_pull < ?2",
            )
            .and_then(|mut s| s.execute(params![table.name, pull]))
            .map_err(sql_error)?;
        let parked = self
            .connection
            .prepare_cached(
                "UPDATE omnii_outbox SET state = 2, error = 'the backend accepted the upload but its row does not show the change: \
                 it may break one of the backend''s constraints, or the row was deleted there' WHERE state = 1 AND tbl = ?1 AND sent_pull < ?2",
            )
            .and_then(|mut s| s.execute(params![table.name, pull]))
            .map_err(sql_error)?;
        if apart + parked > 0 {
            // what waited for them may go now
            self.wake_after_commit();
        }
        Ok(parked)
    }

    /// Forgets the server's version of a row that has no changes left.
    pub(super) fn drop_settled_overlay(&self, table: &str, row_id: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "DELETE FROM omnii_overlay WHERE tbl = ?1 AND row_id = ?2 \
                 AND NOT EXISTS (SELECT 1 FROM omnii_outbox WHERE tbl = ?1 AND row_id = ?2)",
            )
            .and_then(|mut s| s.execute(params![table, row_id]))
            .map(|_| ())
            .map_err(sql_error)
    }
}
