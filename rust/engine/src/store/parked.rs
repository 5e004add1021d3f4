//! Parked changes in the app's hands: look, try again, give up.

use super::Writer;
use super::outbox::State;
use super::sql_error::sql_error;
use omnii_sync_core::error::Result;
use omnii_sync_core::{ChangeId, Operation, ParkedChange};
use std::collections::{BTreeSet, HashSet};

impl Writer {
    /// All parked changes, oldest first.
    pub fn parked(&mut self) -> Result<Vec<ParkedChange>> {
        let rows = self.changes_where("state = 2 ORDER BY id")?;
        let mut reasons = self
            .connection
            .prepare_cached("SELECT coalesce(error, '') FROM omnii_outbox WHERE id = ?")
            .map_err(sql_error)?;
        rows.into_iter()
            .map(|change| {
                let reason = reasons.query_row([change.id], |row| row.get(0)).map_err(sql_error)?;
                let (operation, columns) = match change.operation {
                    Operation::Insert(columns) => ("insert", Some(columns)),
                    Operation::Update(columns) => ("update", Some(columns)),
                    Operation::Delete => ("delete", None),
                };
                Ok(ParkedChange {
                    id: change.id,
                    transaction_id: change.transaction,
                    table: change.table,
                    row_id: change.row_id,
                    operation,
                    columns,
                    reason,
                })
            })
            .collect()
    }

    /// The parked ones among `ids`, or all; changes of tables that are not synced (any more) are left out if `synced` is set.
    fn parked_among(&self, ids: Option<&[ChangeId]>, synced: bool) -> Result<Vec<(ChangeId, String, String)>> {
        let rows: Vec<(ChangeId, String, String)> = self
            .connection
            .prepare_cached("SELECT id, tbl, row_id FROM omnii_outbox WHERE state = 2 ORDER BY id")
            .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
            .map_err(sql_error)?;
        let wanted: Option<HashSet<ChangeId>> = ids.map(|ids| ids.iter().copied().collect());
        let fits = |(id, table, _): &(ChangeId, String, String)| {
            wanted.as_ref().is_none_or(|ids| ids.contains(id))
                && (!synced || self.schema.table(table).is_some_and(|t| !t.local_only))
        };
        Ok(rows.into_iter().filter(fits).collect())
    }

    /// Queues parked changes again, in their old places; call it inside [`Writer::transaction`]. Changes of a table that has
    /// left the schema, or is only local now, stay parked. Answers how many were queued.
    pub fn retry_parked(&mut self, ids: Option<&[ChangeId]>) -> Result<u64> {
        let chosen = self.parked_among(ids, true)?;
        let mut queue = self
            .connection
            .prepare_cached(
                "UPDATE omnii_outbox SET state = 0, error = NULL, sent_at = NULL, resent = 0, merged = 0 WHERE id = ?",
            )
            .map_err(sql_error)?;
        for (id, _, _) in &chosen {
            queue.execute([id]).map_err(sql_error)?;
        }
        drop(queue);
        if !chosen.is_empty() {
            self.wake_after_commit();
        }
        Ok(chosen.len() as u64)
    }

    /// Gives parked changes up; call it inside [`Writer::transaction`]. Each row settles on the server's version with what is
    /// still pending on top. Later changes of a row whose insert is given up go with it, up to the next insert: they build on
    /// a row that will never be. Answers how many parked changes were given up.
    pub fn discard_parked(&mut self, ids: Option<&[ChangeId]>) -> Result<u64> {
        let chosen = self.parked_among(ids, false)?;
        let doomed: HashSet<ChangeId> = chosen.iter().map(|(id, _, _)| *id).collect();
        let rows: BTreeSet<(&str, &str)> =
            chosen.iter().map(|(_, table, row)| (table.as_str(), row.as_str())).collect();
        let schema = self.schema.clone();
        for (table, row_id) in rows {
            let entries = self.entries_of(table, row_id, 0)?;
            let insert = entries
                .iter()
                .find(|e| doomed.contains(&e.change.id) && matches!(e.change.operation, Operation::Insert(_)))
                .map(|e| e.change.id);
            let server = self.server_version(table, row_id)?.unwrap_or_default();
            // an insert over a row that the server has is an edit of all its columns
            let from = insert.filter(|_| server.columns.is_none());
            // a later insert builds on nothing
            let until = from.and_then(|from| {
                entries
                    .iter()
                    .map(|e| &e.change)
                    .find(|c| c.id > from && !doomed.contains(&c.id) && matches!(c.operation, Operation::Insert(_)))
            });
            let until = until.map_or(ChangeId::MAX, |change| change.id);
            let (gone, kept): (Vec<_>, Vec<_>) = entries.into_iter().partition(|e| {
                debug_assert!(!doomed.contains(&e.change.id) || e.state == State::Parked);
                doomed.contains(&e.change.id) || from.is_some_and(|from| (from..until).contains(&e.change.id))
            });
            self.forget(&gone)?;
            match schema.table(table).filter(|t| t.is_pulled()) {
                Some(table) => drop(self.lay_over(table, row_id, server.columns, &kept)?),
                // the table has left the schema, or its rows are not the backend's: nobody keeps them up to date
                None if kept.is_empty() => self.drop_settled_overlay(table, row_id)?,
                None => {}
            }
        }
        Ok(chosen.len() as u64)
    }
}
