//! The first load of a table: its secondary indexes are made when the rows are there, which costs a fraction of keeping
//! them up to date row by row.
//!
//! Guarantees: only an index of the schema is ever missing, and only while the first pull of a table that was as good as
//! empty goes on; queries answer the same without it. However that pull ends (complete, failed, cancelled, the app killed)
//! the indexes come back: at its end by [`Load`], else when the file is opened. What is missing is read from the file
//! itself, so there is nothing to be remembered and nothing that could be remembered wrongly. Pages are applied as always,
//! by [`Writer::apply`].

use super::sql_error::sql_error;
use super::{Store, Writer, ddl};
use omnii_sync_core::error::Result;
use omnii_sync_core::{Schema, Table};
use rusqlite::Connection;
use std::sync::Arc;

/// A table with more rows than this (written before the first pull) keeps its indexes: somebody works with them.
const AS_GOOD_AS_EMPTY: i64 = 1000;

/// A table whose indexes wait for the end of its first pull. Dropping it has them made without waiting.
pub struct Load {
    store: Arc<Store>,
    table: Arc<Table>,
    finished: bool,
}

impl Load {
    /// `table`'s indexes were taken away by [`Writer::begin_load`], and that is committed.
    pub fn new(store: Arc<Store>, table: Arc<Table>) -> Self {
        Self { store, table, finished: false }
    }

    /// Makes the indexes, each in a transaction of its own, so that writes of the app go between.
    pub async fn finish(mut self) -> Result<()> {
        loop {
            let table = self.table.clone();
            if !self.store.write(move |w| make_one_missing_index(&w.connection, &table)).await? {
                self.finished = true;
                return Ok(());
            }
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let table = self.table.clone();
        self.store.writer.run(move |writer| {
            let made = writer.and_then(|w| make_missing_indexes(&w.connection, &table));
            if let Err(error) = made {
                // closed or interrupted: the next opening makes them
                tracing::debug!(table = table.name, code = error.code.as_str(), "indexes wait for the next opening");
            }
        });
    }
}

impl Writer {
    /// Takes the indexes of a table away that is as good as empty; says whether it did. Call it inside
    /// [`Writer::transaction`], and make a [`Load`] when that is committed.
    pub fn begin_load(&mut self, table: &Table) -> Result<bool> {
        let indexes = ddl::indexes(table);
        if indexes.is_empty() {
            return Ok(false);
        }
        let count = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?)", ddl::quote(&table.name));
        let rows: i64 =
            self.connection.query_row(&count, [AS_GOOD_AS_EMPTY + 1], |row| row.get(0)).map_err(sql_error)?;
        if rows > AS_GOOD_AS_EMPTY {
            return Ok(false);
        }
        for (name, _) in indexes {
            self.connection.execute_batch(&format!("DROP INDEX IF EXISTS {}", ddl::quote(&name))).map_err(sql_error)?;
        }
        Ok(true)
    }
}

/// For opening: a load that was cut short has left these.
pub(super) fn complete_indexes(connection: &Connection, schema: &Schema) -> Result<()> {
    schema.tables.iter().try_for_each(|table| make_missing_indexes(connection, table))
}

fn make_missing_indexes(connection: &Connection, table: &Table) -> Result<()> {
    while make_one_missing_index(connection, table)? {}
    Ok(())
}

/// Makes the first index that is missing; false if none is.
fn make_one_missing_index(connection: &Connection, table: &Table) -> Result<bool> {
    let mut there = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ? COLLATE NOCASE)")
        .map_err(sql_error)?;
    for (name, sql) in ddl::indexes(table) {
        if !there.query_row([&name], |row| row.get::<_, bool>(0)).map_err(sql_error)? {
            connection.execute_batch(&sql).map_err(sql_error)?;
            return Ok(true);
        }
    }
    Ok(false)
}
