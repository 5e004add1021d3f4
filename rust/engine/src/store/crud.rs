//! The outbox in the app's hands: what is pending, for an app that uploads by itself, and what it has uploaded.
//!
//! Guarantees: entries come in the order in which they were made, those of one local transaction together; what is completed
//! leaves the outbox in one transaction, and no row looks different for it: what the app has seen becomes the version that
//! counts as the backend's until a pull brings the real one. Refuses parked entries, which have calls of their own
//! ([`super::parked`]).

use super::Writer;
use super::outbox::{CHANGE, RowEntry, State, change, columns, to_change};
use super::overlay::{NOT_SEEN, ServerVersion};
use super::sql_error::sql_error;
use omnii_sync_core::error::Result;
use omnii_sync_core::merge::overlay;
use omnii_sync_core::{ChangeId, Operation};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// Which entries are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CrudQuery {
    /// Only those after this change.
    #[serde(default)]
    pub after: Option<ChangeId>,
    /// From at most so many transactions, none of them cut; 0: whatever transaction.
    pub transactions: u32,
    /// No transaction is begun, or with `transactions` 0 no entry taken, beyond so many entries.
    pub entries: u32,
}

/// One pending change as the app sees it; js/types.ts calls it `NativeCrudEntry`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CrudEntry {
    /// Grows with every change.
    pub id: ChangeId,
    /// Changes of one local transaction share this.
    pub transaction: i64,
    /// The table's own name.
    pub table: String,
    /// The row's `id`.
    pub row_id: String,
    /// `PUT`, `PATCH` or `DELETE`.
    pub op: &'static str,
    /// The columns that were written, as SQLite holds them. A new row comes without those that nobody set, so that the
    /// backend's defaults apply.
    pub data: Option<Map<String, Json>>,
    /// The values before, where the table tracks them.
    pub previous: Option<Map<String, Json>>,
    /// What was written into `_metadata`.
    pub metadata: Option<String>,
}

/// What is pending, from the oldest on.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Crud {
    /// In outbox order.
    pub entries: Vec<CrudEntry>,
    /// Whether there are more behind them.
    pub has_more: bool,
}

/// How much is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QueueStats {
    /// Entries, parked ones not included.
    pub count: u64,
    /// Their bytes, roughly; only if asked for.
    pub size: Option<u64>,
}

impl Writer {
    /// Pending changes. Columns that have left the schema are left out.
    pub fn crud(&mut self, query: CrudQuery) -> Result<Crud> {
        let sql = format!(
            "SELECT {CHANGE}, previous, metadata, op = 1 AND (\
               EXISTS (SELECT 1 FROM omnii_overlay AS v WHERE v.tbl = o.tbl AND v.row_id = o.row_id AND v.server IS NOT NULL) \
               OR EXISTS (SELECT 1 FROM omnii_outbox AS e WHERE e.tbl = o.tbl AND e.row_id = o.row_id AND e.id < o.id)) \
             FROM omnii_outbox AS o WHERE state <> 2 AND id > ? ORDER BY id"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(sql_error)?;
        let mut rows = statement.query([query.after.unwrap_or(0)]).map_err(sql_error)?;
        let mut crud = Crud::default();
        let (mut transactions, mut last) = (0, None);
        while let Some(row) = rows.next().map_err(sql_error)? {
            let found = to_change(change(row).map_err(sql_error)?)?;
            let begins = last != Some(found.transaction);
            let is_full = crud.entries.len() >= query.entries as usize;
            let beyond = match query.transactions {
                0 => is_full,
                most => begins && (transactions == most || (is_full && transactions > 0)),
            };
            if beyond {
                crud.has_more = true;
                break;
            }
            transactions += u32::from(begins);
            last = Some(found.transaction);
            let previous: Option<String> = row.get(7).map_err(sql_error)?;
            let is_replaced: bool = row.get(9).map_err(sql_error)?;
            let (op, data) = match found.operation {
                Operation::Insert(mut data) => {
                    data.retain(|_, value| is_replaced || !value.is_null());
                    ("PUT", Some(data))
                }
                Operation::Update(data) => ("PATCH", Some(data)),
                Operation::Delete => ("DELETE", None),
            };
            let table = self.schema.table(&found.table);
            let known = |mut data: Map<String, Json>| {
                data.retain(|name, _| table.is_none_or(|t| t.column_index(name).is_some()));
                data
            };
            crud.entries.push(CrudEntry {
                id: found.id,
                transaction: found.transaction,
                op,
                data: data.map(known),
                previous: previous.map(|text| columns(Some(text))).transpose()?.map(known),
                metadata: row.get(8).map_err(sql_error)?,
                table: found.table,
                row_id: found.row_id,
            });
        }
        Ok(crud)
    }

    /// The app has uploaded its pending changes up to `last`: they leave the outbox, and their rows stay as they are seen.
    /// Call it inside [`Writer::transaction`].
    pub fn complete_crud(&mut self, last: ChangeId) -> Result<()> {
        let rows: BTreeSet<(String, String)> = self
            .connection
            .prepare_cached("SELECT DISTINCT tbl, row_id FROM omnii_outbox WHERE state <> 2 AND id <= ?")
            .and_then(|mut s| s.query_map([last], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(sql_error)?;
        for (table, row_id) in rows {
            self.complete_row(&table, &row_id, last)?;
        }
        Ok(())
    }

    fn complete_row(&mut self, table: &str, row_id: &str, last: ChangeId) -> Result<()> {
        let is_done = |e: &RowEntry| e.state != State::Parked && e.change.id <= last;
        let (done, mut left): (Vec<RowEntry>, Vec<RowEntry>) =
            self.entries_of(table, row_id, 0)?.into_iter().partition(is_done);
        // a parked change from before the row was made anew or deleted can't matter any more
        let whole = |e: &&RowEntry| !matches!(e.change.operation, Operation::Update(_));
        let anew = done.iter().rfind(whole).map_or(0, |e| e.change.id);
        let (moot, kept): (Vec<RowEntry>, Vec<RowEntry>) =
            left.into_iter().partition(|e| e.state == State::Parked && e.change.id < anew);
        left = kept;
        self.forget(&moot)?;
        self.forget(&done)?;
        self.note_uploaded(table, row_id)?;
        if left.is_empty() {
            return self.drop_settled_overlay(table, row_id);
        }
        let server = self.server_version(table, row_id)?.unwrap_or_default().columns;
        let columns = overlay(server, done.iter().map(|e| &e.change.operation));
        self.set_server_version(
            table,
            row_id,
            &ServerVersion { columns: columns.clone(), updated_at: Some(NOT_SEEN) },
        )?;
        if columns.is_some() {
            self.narrow_parked_inserts(&mut left)?;
        }
        self.take_back_superseded(&done, &mut left)?;
        match self.schema.clone().table(table).filter(|t| t.is_pulled()) {
            Some(table) => self.lay_over(table, row_id, columns, &left).map(drop),
            None => Ok(()),
        }
    }

    /// How much is pending.
    pub fn queue_stats(&mut self, with_size: bool) -> Result<QueueStats> {
        let count = self.counts().pending;
        if !with_size {
            return Ok(QueueStats { count, size: None });
        }
        // numbers and the entry's own columns: PowerSync counts 20 bytes for them, too
        let bytes: i64 = self
            .connection
            .query_row(
                "SELECT coalesce(sum(20 + length(CAST(tbl AS BLOB)) + length(CAST(row_id AS BLOB)) \
                 + coalesce(length(CAST(data AS BLOB)), 0) + coalesce(length(CAST(previous AS BLOB)), 0) \
                 + coalesce(length(CAST(metadata AS BLOB)), 0)), 0) FROM omnii_outbox WHERE state <> 2",
                params![],
                |row| row.get(0),
            )
            .map_err(sql_error)?;
        Ok(QueueStats { count, size: Some(bytes.unsigned_abs()) })
    }

    /// The app uploads by itself from now on: what was sent and not yet proven is its business, too.
    pub fn queue_sent(&mut self) -> Result<()> {
        self.connection
            .execute(
                "UPDATE omnii_outbox SET state = 0, sent_at = NULL, resent = 0, merged = 0 WHERE state = 1 OR merged > 0 AND state = 0",
                [],
            )
            .map(drop)
            .map_err(sql_error)
    }

    /// Stands for this file on this device; made when the file was.
    pub fn client_id(&mut self) -> Result<String> {
        super::open::meta(&self.connection, "client_id")?.ok_or_else(|| super::internal("the file has no client id"))
    }
}
