//! The store against real SQLite files: capture, apply, overlay, ack, transactions, opening.

mod apply;
mod capture;
mod changes;
mod conflicts;
mod crud;
mod encryption;
mod held;
mod import;
mod inline;
mod interrupt;
mod migrations;
mod opening;
mod options;
mod parked;
mod statements;
mod suspend;
mod sweep;

use super::*;
use omnii_sync_core::protocol1::page;
use std::sync::Mutex;
use std::sync::mpsc::channel;

#[derive(Default)]
struct Seen {
    tables: Mutex<Vec<Vec<String>>>,
    changes: Mutex<Vec<Changes>>,
    outbox: Mutex<Vec<(Counts, bool)>>,
}

impl StoreObserver for Seen {
    fn tables_changed(&self, changes: Changes) {
        if !changes.tables.is_empty() {
            self.tables.lock().unwrap().push(changes.names());
        }
        self.changes.lock().unwrap().push(changes);
    }
    fn row_ids_wanted(&self) -> bool {
        true
    }
    fn outbox_changed(&self, counts: Counts, local: bool) {
        self.outbox.lock().unwrap().push((counts, local));
    }
}

const SCHEMA: &str = r#"{"tables":[
    {"name":"notes","columns":[{"name":"title","type":"text"},{"name":"n","type":"integer"},{"name":"r","type":"real"},
     {"name":"meta","type":"json"},{"name":"updated_at","type":"text"}],"indexes":[{"name":"by_title","columns":["title"]}],"required":["title"]},
    {"name":"we\"ird 'name","columns":[{"name":"a\"b","type":"text"}]}]}"#;

/// Uploads are answered in the first minute of 2026, before any row that `row()` says was written later.
const ANSWERED_AT: i64 = 1_767_225_600_500_000;
const COMPLETE: Option<Complete> = Some(Complete { began_at: None, overlap_ms: 30_000 });

struct Fixture {
    store: Arc<Store>,
    seen: Arc<Seen>,
    directory: tempfile::TempDir,
}

thread_local! {
    /// How [`open_in`] opens: the tests of this file are run both ways.
    static EXECUTION: std::cell::Cell<Execution> = const { std::cell::Cell::new(Execution::Threads) };
    static INTEGERS: std::cell::Cell<Integers> = const { std::cell::Cell::new(Integers::Whole) };
}

fn open_in(directory: &std::path::Path, schema: &str, seen: Arc<Seen>) -> Result<Arc<Store>> {
    let schema = Arc::new(Schema::from_json(schema).unwrap());
    let options =
        StoreOptions { integers: INTEGERS.get(), ..StoreOptions::new(directory.join("x.db"), schema, "u".into()) };
    Store::open_with(options, seen, EXECUTION.get()).map(Arc::new)
}

fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let seen = Arc::new(Seen::default());
    let store = open_in(directory.path(), SCHEMA, seen.clone()).unwrap();
    Fixture { store, seen, directory }
}

fn wait<T: Send + 'static>(call: impl FnOnce(Box<dyn FnOnce(T) + Send>)) -> T {
    let (send, receive) = channel();
    call(Box::new(move |value| send.send(value).unwrap()));
    receive.recv().unwrap()
}

impl Fixture {
    fn try_run(&self, sql: &str) -> Result<Rows> {
        wait(|done| self.store.execute(0, sql.into(), vec![], done))
    }
    fn run(&self, sql: &str) -> Rows {
        self.try_run(sql).expect(sql)
    }
    fn read(&self, sql: &str) -> Vec<Vec<String>> {
        let rows: Rows = wait(|done| self.store.query(sql.into(), vec![], done)).expect(sql);
        let text = |p: Parameter| match p {
            Parameter::Null => "NULL".into(),
            Parameter::Integer(i) => i.to_string(),
            Parameter::Real(r) => format!("{r:?}"),
            Parameter::Text(t) => t,
            Parameter::Blob(b) => format!("{b:?}"),
        };
        (0..rows.len()).map(|r| (0..rows.columns.len()).map(|c| text(rows.cell(r, c))).collect()).collect()
    }
    fn outbox(&self) -> Vec<Vec<String>> {
        self.read("SELECT tx, tbl, row_id, op, data, state FROM omnii_outbox ORDER BY id")
    }
    fn write<T: Send + 'static>(&self, job: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static) -> T {
        let (send, receive) = channel();
        self.store.writer.run(move |w| send.send(w.and_then(job)).unwrap());
        receive.recv().unwrap().unwrap()
    }
    /// Applies rows (JSON objects, comma-separated) as the last page of a new pull.
    fn pull(&self, rows: &str) -> Applied {
        let pull = self.store.begin_pull().number();
        let body = format!(r#"{{"changes":{{"notes":[{rows}]}}}}"#);
        self.write(move |w| {
            let table = w.schema.tables[0].clone();
            let page = page::read(body.as_bytes(), &table, "u")?.unwrap();
            w.transaction(|w| {
                w.apply(&PulledPage { table: &table, page: &page, pull, complete: COMPLETE, sweep: false })
            })
        })
    }
    fn send_all(&self) -> Vec<i64> {
        let pull = self.store.last_pull();
        self.write(move |w| {
            let ids: Vec<i64> = w.queued(i64::MAX, 100)?.changes.iter().map(|c| c.id).collect();
            w.transaction(|w| ids.iter().try_for_each(|id| w.mark_sent(&[*id], pull, Some(ANSWERED_AT))))?;
            Ok(ids)
        })
    }
    fn counts(&self) -> (u64, u64) {
        let counts = self.write(|w| Ok(w.counts()));
        (counts.pending, counts.parked)
    }
}

fn row(id: &str, title: &str, at: &str) -> String {
    format!(
        r#"{{"id":"{id}","title":"{title}","n":1,"r":0.1,"meta":{{"k":1}},"updated_at":"2026-01-01T00:00:{at}+00:00"}}"#
    )
}
