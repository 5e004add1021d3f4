//! The first load of a table: its secondary indexes are made when the rows are there, which costs a fraction of keeping
//! them up to date row by row.
//!
//! Guarantees: only an index of the schema is ever missing, and only during the first seconds ([`LONGEST`]) of the first pull
//! of a table that was as good as empty; queries answer the same without it. If that is not enough for all rows, either the
//! network is slow and indexes cost no time, or the table is so large that queries would notice. However that pull ends (complete, failed, cancelled, the app killed)
//! the indexes come back: at its end by [`Load`], else when the file is opened. What is missing is read from the file
//! itself, so there is nothing to be remembered and nothing that could be remembered wrongly. Pages are applied as always,
//! by [`Writer::apply`].

use super::sql_error::sql_error;
use super::{Store, Writer, ddl};
use omnii_sync_core::error::Result;
use omnii_sync_core::{Schema, Table};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A table with more rows than this (written before the first pull) keeps its indexes: somebody works with them.
const AS_GOOD_AS_EMPTY: i64 = 1000;

/// How long indexes may be missing before they are made, whatever is still to come.
const LONGEST: Duration = Duration::from_secs(3);

/// A table whose indexes wait for the end of its first pull. Dropping it has them made without waiting.
pub struct Load {
    store: Arc<Store>,
    table: Arc<Table>,
    end: Instant,
    finished: bool,
}

impl Load {
    /// `table`'s indexes were taken away by [`Writer::begin_load`], and that is committed.
    pub fn new(store: Arc<Store>, table: Arc<Table>) -> Self {
        Self { store, table, end: Instant::now() + LONGEST, finished: false }
    }

    /// When the indexes should be made at the latest.
    pub fn end(&self) -> Instant {
        self.end
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
        let count = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?)", ddl::quote(table.sql_name()));
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

#[cfg(test)]
mod tests {
    use super::super::{Changes, Counts, StoreObserver, StoreOptions};
    use super::*;

    struct Deaf;

    impl StoreObserver for Deaf {
        fn tables_changed(&self, _: Changes) {}
        fn outbox_changed(&self, _: Counts, _: bool) {}
    }

    const SCHEMA: &str = r#"{"tables":[{"name":"Notes","columns":[{"name":"title","type":"text"},{"name":"n","type":"integer"}],
        "indexes":[{"name":"by_title","columns":["title"]},{"name":"by_n","columns":["n","title"]}]}]}"#;

    fn begin(store: &Arc<Store>, rows: i64) -> (bool, Vec<String>) {
        let (send, receive) = std::sync::mpsc::channel();
        store.writer.run(move |writer| {
            let writer = writer.unwrap();
            let insert = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
                          INSERT INTO notes (id) SELECT 'r' || i FROM n";
            writer.connection.execute(insert, [rows]).unwrap();
            let table = writer.schema.tables[0].clone();
            let began = writer.transaction(|w| w.begin_load(&table)).unwrap();
            send.send((began, there(&writer.connection))).unwrap();
        });
        receive.recv().unwrap()
    }

    fn there(connection: &Connection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND name LIKE 'notes%' ORDER BY name";
        connection.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect()
    }

    fn open(directory: &std::path::Path) -> Arc<Store> {
        let schema = Arc::new(Schema::from_json(SCHEMA).unwrap());
        let options = StoreOptions::new(directory.join("x.db"), schema, "u".into());
        Arc::new(Store::open(options, Arc::new(Deaf)).unwrap())
    }

    fn indexes_of(store: &Arc<Store>) -> Vec<String> {
        let (send, receive) = std::sync::mpsc::channel();
        store.writer.run(move |writer| send.send(there(&writer.unwrap().connection)).unwrap());
        receive.recv().unwrap()
    }

    #[test]
    fn a_table_that_somebody_works_with_keeps_its_indexes() {
        let directory = tempfile::tempdir().unwrap();
        let (began, left) = begin(&open(directory.path()), AS_GOOD_AS_EMPTY + 1);
        assert_eq!((began, left.len()), (false, 2));
    }

    #[test]
    fn indexes_come_back_when_the_load_is_dropped_or_else_at_the_next_opening() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        assert_eq!(begin(&store, 3), (true, vec![]));
        drop(Load::new(store.clone(), Arc::new(store.schema().tables[0].clone())));
        assert_eq!(indexes_of(&store), ["Notes__by_n", "Notes__by_title"]);

        store.writer.run(|writer| drop(writer.unwrap().connection.execute("DELETE FROM notes", [])));
        assert_eq!(begin(&store, 3), (true, vec![]));
        store.close(); // nobody has made them
        assert_eq!(indexes_of(&open(directory.path())).len(), 2);
    }
}
