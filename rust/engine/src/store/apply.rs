//! Applying what the backend sent: pages, with their cursor, in one transaction.
//!
//! Guarantees: a row that is already as sent is not written, so that a page applied twice changes nothing and notifies
//! nobody; a row with pending changes shows the server's version with the local columns on top; a change that the page
//! proves stored leaves the outbox in the same transaction; the cursor never goes back.

use super::app_schema;
use super::open::set_meta;
use super::sql_error::sql_error;
use super::{Writer, ddl::quote};
use omnii_sync_core::error::Result;
use omnii_sync_core::protocol1::page::{Page, PageRow};
use omnii_sync_core::protocol1::pull::Cursor;
use omnii_sync_core::{ErrorCode, Table, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, OptionalExtension, ToSql, params};
use std::collections::HashSet;

/// A page as [`Writer::apply`] takes it.
#[derive(Debug)]
pub struct PulledPage<'p, 'b> {
    /// The table it belongs to.
    pub table: &'p Table,
    /// Its rows.
    pub page: &'p Page<'b>,
    /// The pull it belongs to ([`super::Store::begin_pull`]).
    pub pull: i64,
    /// Set if the table is up to date with this page.
    pub complete: Option<Complete>,
    /// Whether it belongs to a sweep, which notes the ids.
    pub sweep: bool,
}

/// The end of a table's pull.
#[derive(Debug, Clone, Copy)]
pub struct Complete {
    /// The backend's clock at its first page, microseconds since the epoch, as far as known.
    pub began_at: Option<i64>,
    /// The overlap window of the next pulls.
    pub overlap_ms: u64,
}

/// What a page did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Rows inserted, updated or deleted.
    pub written: usize,
    /// Changes acknowledged by read-back.
    pub acknowledged: usize,
    /// Changes parked because a complete pull did not bring their row back.
    pub parked: usize,
    /// Rows left out because a constraint or trigger that the app added refuses them.
    pub refused: usize,
    /// Why the first of them was refused.
    pub fault: Option<String>,
}

impl Applied {
    /// Counts what became of one row. One that a constraint refuses must not keep the rows behind it from coming.
    /// But if it ended the transaction (RAISE(ROLLBACK) in a trigger), nothing of the page may stay.
    fn count(&mut self, row: &PageRow<'_>, outcome: Result<usize>, ended: bool) -> Result<()> {
        match outcome {
            Ok(written) => self.written += written,
            Err(error) if error.code == ErrorCode::Constraint && !ended => {
                self.refused += 1;
                self.fault.get_or_insert_with(|| format!("row {}: {}", row.id, error.message));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

struct Sql<'a, 'v>(&'a Value<'v>);

impl ToSql for Sql<'_, '_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(i) => ValueRef::Integer(*i),
            Value::Real(r) => ValueRef::Real(*r),
            Value::Text(t) => ValueRef::Text(t.as_bytes()),
        }))
    }
}

/// An upsert of `id` and the given columns that writes nothing when the row is as sent.
pub(super) fn upsert(table: &Table, present: &dyn Fn(usize) -> bool) -> String {
    let columns: Vec<String> =
        table.columns.iter().enumerate().filter(|(i, _)| present(*i)).map(|(_, c)| quote(&c.name)).collect();
    let t = quote(table.sql_name());
    let list: String = columns.iter().map(|c| format!(", {c}")).collect();
    let marks = ", ?".repeat(columns.len());
    if columns.is_empty() {
        return format!("INSERT INTO {t} (\"id\") VALUES (?) ON CONFLICT (\"id\") DO NOTHING");
    }
    let sets: Vec<String> = columns.iter().map(|c| format!("{c} = excluded.{c}")).collect();
    let differs: Vec<String> = columns.iter().map(|c| format!("{t}.{c} IS NOT excluded.{c}")).collect();
    format!(
        "INSERT INTO {t} (\"id\"{list}) VALUES (?{marks}) ON CONFLICT (\"id\") DO UPDATE SET {} WHERE {}",
        sets.join(", "),
        differs.join(" OR ")
    )
}

fn write(statement: &mut CachedStatement<'_>, row: &PageRow<'_>) -> Result<usize> {
    statement.raw_bind_parameter(1, row.id.as_ref()).map_err(sql_error)?;
    for (at, value) in row.values.iter().flatten().enumerate() {
        statement.raw_bind_parameter(at + 2, Sql(value)).map_err(sql_error)?;
    }
    statement.raw_execute().map_err(sql_error)
}

impl Writer {
    /// What is remembered of earlier pulls of a table.
    pub fn cursor(&self, table: &str) -> Result<Cursor> {
        self.connection
            .query_row("SELECT updated_at, pulled_at FROM omnii_cursor WHERE tbl = ?", [table], |row| {
                Ok(Cursor { updated_at: row.get(0)?, pulled_at: row.get(1)? })
            })
            .optional()
            .map(Option::unwrap_or_default)
            .map_err(sql_error)
    }

    /// Applies a page and its cursor; call it inside [`Writer::transaction`].
    pub fn apply(&mut self, pulled: &PulledPage<'_, '_>) -> Result<Applied> {
        let PulledPage { table, page, pull, complete, sweep } = *pulled;
        let pending = self.pending_ids(table)?;
        let mut applied = Applied::default();
        // in key order: neighbours in the primary key's tree are written together
        let mut order: Vec<&PageRow<'_>> = page.rows.iter().collect();
        order.sort_by(|a, b| a.id.cmp(&b.id));
        {
            let full = upsert(table, &|_| true);
            let mut statement = self.connection.prepare_cached(&full).map_err(sql_error)?;
            for row in order.iter().filter(|r| !pending.contains(r.id.as_ref())) {
                let outcome = if row.values.iter().all(Option::is_some) {
                    write(&mut statement, row)
                } else {
                    let partial = upsert(table, &|i| row.values[i].is_some());
                    write(&mut self.connection.prepare_cached(&partial).map_err(sql_error)?, row)
                };
                applied.count(row, outcome, self.connection.is_autocommit())?;
            }
        }
        if !pending.is_empty() {
            for row in order.iter().filter(|r| pending.contains(r.id.as_ref())) {
                self.connection.execute_batch("SAVEPOINT omnii_row").map_err(sql_error)?;
                let outcome = self.apply_under_changes(table, row, pull);
                if outcome.is_err() {
                    // what the app's constraint refuses to show must not be acknowledged either
                    self.connection.execute_batch("ROLLBACK TO omnii_row").map_err(sql_error)?;
                }
                self.connection.execute_batch("RELEASE omnii_row").map_err(sql_error)?;
                if let Ok((_, acknowledged)) = &outcome {
                    applied.acknowledged += acknowledged;
                }
                applied.count(row, outcome.map(|(written, _)| written), self.connection.is_autocommit())?;
            }
        }
        if sweep {
            self.note_seen(&table.name, page)?;
        }
        if let Some(cursor) = page.cursor {
            self.connection
                .prepare_cached(
                    "INSERT INTO omnii_cursor (tbl, updated_at) VALUES (?, ?) ON CONFLICT (tbl) DO UPDATE \
                     SET updated_at = excluded.updated_at WHERE updated_at IS NULL OR excluded.updated_at > updated_at",
                )
                .and_then(|mut s| s.execute(params![table.name, cursor]))
                .map_err(sql_error)?;
        }
        if let Some(complete) = complete {
            applied.parked = self.park_unproven(table, pull)?;
            self.note_pulled(table, complete)?;
        }
        Ok(applied)
    }

    /// Remembers when a complete pull began, as long as that still decides where the next one begins: a table that stays
    /// quiet is not written at every poll.
    fn note_pulled(&mut self, table: &Table, complete: Complete) -> Result<()> {
        if self.cursor(&table.name)?.window_is_closed(complete.overlap_ms) {
            return Ok(());
        }
        self.connection
            .prepare_cached("UPDATE omnii_cursor SET pulled_at = ?2 WHERE tbl = ?1")
            .and_then(|mut s| s.execute(params![table.name, complete.began_at]))
            .map(|_| ())
            .map_err(sql_error)
    }

    fn pending_ids(&self, table: &Table) -> Result<HashSet<String>> {
        self.connection
            .prepare_cached("SELECT DISTINCT row_id FROM omnii_outbox WHERE tbl = ?")
            .and_then(|mut s| s.query_map([&table.name], |row| row.get(0))?.collect())
            .map_err(sql_error)
    }

    /// Notes the ends of the last complete round and the last complete sweep; `None` forgets.
    pub fn round_complete(&mut self, synced_at_ms: Option<i64>, reconciled_at_ms: Option<i64>) -> Result<()> {
        for (key, at_ms) in [("last_synced_at_ms", synced_at_ms), ("last_reconciled_at_ms", reconciled_at_ms)] {
            match at_ms {
                Some(at_ms) => set_meta(&self.connection, key, &at_ms.to_string())?,
                None => {
                    self.connection.execute("DELETE FROM omnii_meta WHERE key = ?", [key]).map_err(sql_error)?;
                }
            }
        }
        Ok(())
    }

    /// Forgets the cursors and every row that has no pending change; call it inside [`Writer::transaction`].
    pub fn clear(&mut self) -> Result<()> {
        let schema = self.schema.clone();
        for table in schema.pulled() {
            let sql = format!(
                "DELETE FROM {0} WHERE \"id\" NOT IN (SELECT row_id FROM omnii_outbox WHERE tbl = ?)",
                quote(table.sql_name())
            );
            self.connection.execute(&sql, [&table.name]).map_err(sql_error)?;
        }
        self.connection
            .execute_batch(
                "DELETE FROM omnii_cursor;
                 DELETE FROM omnii_meta WHERE key IN ('last_synced_at_ms', 'last_reconciled_at_ms')",
            )
            .map_err(sql_error)
    }

    /// Deletes everything that was synced or waits to be, parked changes included, and with `local` the tables that are only
    /// local, too; call it inside [`Writer::transaction`]. The file is then as after its first opening.
    pub fn clear_all(&mut self, local: bool) -> Result<()> {
        let schema = self.schema.clone();
        for table in schema.tables.iter().filter(|t| local || !t.local_only) {
            // with a condition: without one SQLite drops the rows in one go and tells nobody
            let sql = format!("DELETE FROM {} WHERE true", quote(table.sql_name()));
            self.connection.execute(&sql, []).map_err(sql_error)?;
        }
        app_schema::drop_left(&self.connection, local)?;
        self.connection
            .execute_batch(
                "DELETE FROM omnii_outbox WHERE true;
                 DELETE FROM omnii_overlay;
                 DELETE FROM omnii_sweep;
                 DELETE FROM omnii_cursor;
                 DELETE FROM omnii_meta WHERE key IN ('last_synced_at_ms', 'last_reconciled_at_ms')",
            )
            .map_err(sql_error)
    }
}
