//! The sweep: finding rows that were deleted on the backend, which never says so (docs/protocol.md, pull 6).
//!
//! A sweep reads every table from its beginning and notes each id in a table of ours, so that its memory does not grow with
//! the data. Only when all of it was complete are the rows deleted that were not seen, in one transaction. A row with
//! pending changes is never removed; it learns that the server has it no more.

use super::Writer;
use super::ddl::quote;
use super::sql_error::sql_error;
use omnii_sync_core::error::Result;
use omnii_sync_core::protocol1::page::Page;
use rusqlite::params;

impl Writer {
    /// Forgets what an earlier sweep has seen.
    pub fn begin_sweep(&mut self) -> Result<()> {
        self.connection.execute("DELETE FROM omnii_sweep", []).map(|_| ()).map_err(sql_error)
    }

    /// Notes the ids of a page, also of rows that were refused: they exist. Call it in the page's transaction.
    pub(super) fn note_seen(&mut self, table: &str, page: &Page<'_>) -> Result<()> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO omnii_sweep (tbl, row_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .map_err(sql_error)?;
        // in key order, as the tree is
        let mut ids: Vec<&str> =
            page.rows.iter().map(|r| r.id.as_ref()).chain(page.refused_ids.iter().map(AsRef::as_ref)).collect();
        ids.sort_unstable();
        for id in ids {
            insert.execute(params![table, id]).map_err(sql_error)?;
        }
        Ok(())
    }

    /// Counts a row as seen: the backend has it by now, which a sweep under way may have asked too early to learn.
    pub(super) fn note_uploaded(&self, table: &str, id: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO omnii_sweep (tbl, row_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .and_then(|mut s| s.execute(params![table, id]))
            .map(drop)
            .map_err(sql_error)
    }

    /// The end of a complete sweep: deletes what it has not seen. Call it inside [`Writer::transaction`]. Answers how many
    /// rows are gone.
    pub fn delete_unseen(&mut self) -> Result<usize> {
        let schema = self.schema.clone();
        let mut deleted = 0;
        for table in schema.pulled() {
            let unseen = "NOT EXISTS (SELECT 1 FROM omnii_sweep AS s WHERE s.tbl = ?1 AND s.row_id = t.\"id\")";
            let sql = format!(
                "DELETE FROM {} AS t WHERE {unseen} AND NOT EXISTS (SELECT 1 FROM omnii_outbox AS o WHERE o.tbl = ?1 AND o.row_id = t.\"id\")",
                quote(table.sql_name())
            );
            deleted += self.connection.execute(&sql, [&table.name]).map_err(sql_error)?;
            let changed: Vec<String> = self
                .connection
                .prepare_cached(
                    "SELECT row_id FROM omnii_overlay AS o WHERE tbl = ?1 AND server IS NOT NULL \
                     AND NOT EXISTS (SELECT 1 FROM omnii_sweep AS s WHERE s.tbl = ?1 AND s.row_id = o.row_id)",
                )
                .and_then(|mut s| s.query_map([&table.name], |row| row.get(0))?.collect())
                .map_err(sql_error)?;
            for row_id in changed {
                deleted += self.settle_deleted(table, &row_id)?;
            }
        }
        self.begin_sweep()?;
        Ok(deleted)
    }

    /// Whether a pull from the beginning would show everything that is known of the backend: no cursor, and no row that
    /// came from there.
    pub fn knows_nothing(&mut self) -> Result<bool> {
        let schema = self.schema.clone();
        for table in schema.pulled() {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM omnii_cursor WHERE tbl = ?1) \
                 OR EXISTS (SELECT 1 FROM omnii_overlay WHERE tbl = ?1 AND server IS NOT NULL) \
                 OR EXISTS (SELECT 1 FROM {} AS t WHERE NOT EXISTS (SELECT 1 FROM omnii_outbox AS o WHERE o.tbl = ?1 AND o.row_id = t.\"id\"))",
                quote(table.sql_name())
            );
            if self.connection.query_row(&sql, [&table.name], |row| row.get(0)).map_err(sql_error)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
