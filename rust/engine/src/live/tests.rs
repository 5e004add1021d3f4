//! Watches on a real file, without threads and in simulated time, and with threads for what only shows there.

use super::*;
use crate::store::{Execution, StoreObserver, StoreOptions};
use omnii_sync_core::{ErrorCode, Schema};
use std::sync::mpsc::channel;

const SCHEMA: &str = r#"{"tables":[
    {"name":"notes","columns":[{"name":"title","type":"text"},{"name":"n","type":"integer"}]},
    {"name":"others","columns":[{"name":"x","type":"text"}]}]}"#;

struct Heard(Arc<Live>);

impl StoreObserver for Heard {
    fn tables_changed(&self, changes: Changes) {
        self.0.committed(&changes);
    }
    fn row_ids_wanted(&self) -> bool {
        self.0.row_ids_wanted()
    }
    fn outbox_changed(&self, _: crate::store::Counts, _: bool) {}
}

/// A watch, and why it failed.
type Event = (u64, Option<ErrorCode>);

struct Fixture {
    live: Arc<Live>,
    store: Arc<Store>,
    events: Arc<Mutex<Vec<Event>>>,
    _directory: tempfile::TempDir,
}

fn fixture(execution: Execution) -> Fixture {
    fixture_of(execution, SCHEMA)
}

fn fixture_of(execution: Execution, schema: &str) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let heard = events.clone();
    let on_change = move |id, error: Option<&SyncError>| heard.lock().unwrap().push((id, error.map(|e| e.code)));
    let live = Live::new(Handle::current(), Box::new(on_change));
    let schema = Arc::new(Schema::from_json(schema).unwrap());
    let options = StoreOptions::new(directory.path().join("x.db"), schema, "u".into());
    let store = Arc::new(Store::open_with(options, Arc::new(Heard(live.clone())), execution).unwrap());
    live.serve(&store);
    Fixture { live, store, events, _directory: directory }
}

fn text(value: &str) -> Parameter {
    Parameter::Text(value.into())
}

fn cells(rows: &Rows) -> Vec<Vec<Parameter>> {
    (0..rows.len()).map(|r| (0..rows.columns.len()).map(|c| rows.cell(r, c)).collect()).collect()
}

impl Fixture {
    fn try_watch(&self, sql: &str, parameters: &[Parameter], throttle_ms: u64) -> Result<u64> {
        let (send, receive) = channel();
        let options = WatchOptions { throttle: Duration::from_millis(throttle_ms), tables: None };
        self.live.watch(sql.into(), parameters.to_vec(), options, move |id| send.send(id).unwrap());
        receive.recv().unwrap()
    }
    fn watch(&self, sql: &str, parameters: &[Parameter], throttle_ms: u64) -> u64 {
        self.try_watch(sql, parameters, throttle_ms).unwrap()
    }
    fn run(&self, sql: &str) {
        let (send, receive) = channel();
        self.store.execute(0, sql.into(), vec![], move |outcome| send.send(outcome.map(drop)).unwrap());
        receive.recv().unwrap().expect(sql);
    }
    fn read(&self, sql: &str, parameters: &[Parameter]) -> Vec<Vec<Parameter>> {
        let (send, receive) = channel();
        self.store.query(sql.into(), parameters.to_vec(), move |outcome| send.send(outcome).unwrap());
        cells(&receive.recv().unwrap().expect(sql))
    }
    fn events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }
    /// Lays what there is to take over what was taken.
    fn take_over(&self, id: u64, shown: &mut Vec<Vec<Parameter>>) -> bool {
        let Some(fresh) = self.live.take(id) else { return false };
        let rows = cells(fresh.rows());
        if let Some(kept) = &fresh.kept {
            for (row, from) in rows.iter().zip(kept) {
                assert!(*from < 0 || shown[*from as usize] == *row, "a row that was kept is not the same");
            }
        }
        *shown = rows;
        true
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_change_is_seen_at_once_and_then_at_most_every_throttle() {
    let f = fixture(Execution::Inline);
    let id = f.watch("SELECT title FROM notes", &[], 100);
    assert_eq!(f.events(), [(id, None)]);
    assert!(f.live.take(id).unwrap().kept.is_none());
    assert!(f.live.take(id).is_none());
    tokio::time::sleep(Duration::from_millis(150)).await;
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'x')");
    assert_eq!(f.events(), [(id, None)], "at once");
    assert_eq!(f.live.take(id).unwrap().kept, Some(vec![-1]));
    for i in 0..10 {
        f.run(&format!("UPDATE notes SET title = 'y{i}'"));
    }
    assert_eq!(f.events(), []);
    tokio::time::sleep(Duration::from_millis(99)).await;
    assert_eq!(f.events(), []);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(f.events(), [(id, None)], "one run for all");
    assert_eq!(cells(f.live.take(id).unwrap().rows()), [[text("y9")]]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(f.events(), [], "nothing changes, nothing runs");
    // told once until it is taken
    for i in 0..5 {
        f.run(&format!("INSERT INTO notes (id) VALUES ('b{i}')"));
        tokio::time::sleep(Duration::from_millis(101)).await;
    }
    assert_eq!(f.events(), [(id, None)]);
    assert_eq!(f.live.take(id).unwrap().kept, Some(vec![0, -1, -1, -1, -1, -1]));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_matter_is_not_run_and_what_is_equal_is_not_told() {
    let f = fixture(Execution::Inline);
    f.run("CREATE VIEW seen AS SELECT * FROM notes");
    f.run("CREATE VIEW twice AS SELECT n.* FROM seen AS n");
    let point = f.watch("SELECT title FROM notes WHERE id = ?", &[text("a")], 0);
    let view = f.watch("SELECT count(*) FROM twice WHERE n > 0", &[], 0);
    let fails = f.watch("SELECT json(title) FROM notes WHERE id = ?", &[text("b")], 0);
    f.events();
    for id in [point, view, fails] {
        f.live.take(id);
    }
    f.run("INSERT INTO others (id) VALUES ('a')");
    assert_eq!(f.events(), []);
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'x')");
    assert_eq!(f.events(), [(point, None)]);
    f.run("INSERT INTO notes (id, title, n) VALUES ('c', 'x', 1)");
    assert_eq!(f.events(), [(view, None)]);
    f.run("INSERT INTO notes (id, title) VALUES ('b', 'no JSON')");
    assert_eq!(f.events(), [(fails, Some(ErrorCode::Sql))]);
    f.run("UPDATE notes SET n = 0 WHERE id = 'c'");
    assert_eq!(f.events(), [], "told and not taken; the failing one does not depend on it");
    f.live.take(view);
    f.live.take(point);
    f.run("UPDATE notes SET title = '1' WHERE id = 'b'");
    assert_eq!(f.events(), [(fails, None)]);
    f.live.unwatch(point);
    f.run("UPDATE notes SET title = 'z' WHERE id = 'a'");
    assert_eq!(f.events(), []);
    // the view is another one now
    f.run("DROP VIEW twice");
    assert_eq!(f.events(), [(view, Some(ErrorCode::Sql))]);
    f.run("CREATE VIEW twice AS SELECT x, 1 AS n FROM others");
    assert_eq!(f.events(), [(view, None)]);
    f.live.take(view);
    f.run("INSERT INTO others (id) VALUES ('b')");
    assert_eq!(f.events(), [(view, None)]);
    f.live.close();
    f.run("INSERT INTO others (id) VALUES ('c')");
    assert_eq!(f.events(), []);
    assert_eq!(f.try_watch("SELECT 1", &[], 0).unwrap_err().code, ErrorCode::Closed);
}

struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len() as u64) as usize]
    }
    fn write(&mut self) -> String {
        let (id, other, n) = (self.below(5), self.below(5), self.below(4));
        match self.below(9) {
            0 | 1 => format!("INSERT OR REPLACE INTO notes (id, title, n) VALUES ('r{id}', 'R{n}', {n})"),
            2 => format!("INSERT INTO notes (id, n) VALUES ('r{id}', {n}) ON CONFLICT DO UPDATE SET n = {n}"),
            3 => format!("DELETE FROM notes WHERE id = 'r{id}'"),
            4 => format!("UPDATE notes SET title = 'r{other}' WHERE n = {n}"),
            5 => format!("UPDATE notes SET n = {n} WHERE id IN ('r{id}', 'r{other}')"),
            6 => format!("INSERT OR IGNORE INTO others (id, x) VALUES ('r{id}', 'r{other}')"),
            7 => format!("UPDATE OR REPLACE notes SET n = n + 1 WHERE id = 'r{id}'"),
            _ => format!("DELETE FROM others WHERE x = 'r{id}'"),
        }
    }
    /// A query that is a lookup, or looks like one.
    fn query(&mut self) -> (String, Vec<Parameter>) {
        let mut parameters = Vec::new();
        let mut value = |random: &mut Self| {
            let literal = format!("'r{}'", random.below(5));
            match random.below(3) {
                0 => literal,
                _ => {
                    parameters.push(Parameter::Text(format!("{}{}", random.pick(&["r", "R"]), random.below(5))));
                    "?".into()
                }
            }
        };
        let columns = self.pick(&["*", "title, n", "count(*)", "max(n), upper(title)", "id || title"]);
        let from = self.pick(&["notes", "notes AS t", "\"NOTES\" t", "notes, others", "seen"]);
        let id = self.pick(&["id", "\"id\"", "t.id", "notes.id", "title", "+id"]);
        let compared = match self.below(6) {
            0 => format!("IN ({}, {})", value(self), value(self)),
            1 => format!("= {} COLLATE NOCASE", value(self)),
            2 => format!("= lower({})", value(self)),
            _ => format!("= {}", value(self)),
        };
        let extra = match self.below(7) {
            0 => format!(" OR title = {}", value(self)),
            1 => " AND n > 0".to_owned(),
            2 => format!(" AND title <> {}", value(self)),
            3 => " AND n = (SELECT max(n) FROM notes)".to_owned(),
            4 => " UNION ALL SELECT 1, 2".to_owned(),
            _ => String::new(),
        };
        (format!("SELECT {columns} FROM {from} WHERE {id} {compared}{extra}"), parameters)
    }
}

#[tokio::test(start_paused = true)]
async fn whenever_a_result_changes_the_watch_tells_whatever_the_query_and_the_write() {
    let f = fixture(Execution::Inline);
    f.run("CREATE VIEW seen AS SELECT * FROM notes WHERE n < 3");
    f.run("CREATE UNIQUE INDEX one_n ON notes (n) WHERE n > 4");
    let mut random = Random(7);
    let (mut tried, mut lookups) = (0, 0);
    while tried < 150 {
        let (sql, parameters) = random.query();
        let Ok(id) = f.try_watch(&sql, &parameters, 0) else { continue };
        tried += 1;
        lookups += usize::from(f.live.lock().watches[&id].plan.lookup.is_some());
        let mut shown = Vec::new();
        f.take_over(id, &mut shown);
        for _ in 0..25 {
            f.events();
            let write = random.write();
            let (send, receive) = channel();
            f.store.execute(0, write.clone(), vec![], move |outcome| send.send(outcome.is_ok()).unwrap());
            receive.recv().unwrap();
            let now = f.read(&sql, &parameters);
            if now != shown {
                assert_eq!(f.events(), [(id, None)], "{sql} {parameters:?} after {write}");
                f.take_over(id, &mut shown);
                assert_eq!(shown, now, "{sql} after {write}");
            } else {
                assert_eq!(f.events(), [], "{sql} after {write}");
            }
        }
        f.live.unwatch(id);
    }
    assert!(lookups > 20, "only {lookups} of {tried} queries were lookups");
    assert!(f.live.lock().index.tables.is_empty() && !f.live.row_ids_wanted());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_change_is_lost_in_a_thousand_commits() {
    let f = fixture(Execution::Threads);
    let queries: Vec<(String, Vec<Parameter>, u64)> = vec![
        ("SELECT * FROM notes ORDER BY n, id".into(), vec![], 0),
        ("SELECT * FROM notes ORDER BY title, id LIMIT 3".into(), vec![], 5),
        ("SELECT n FROM notes WHERE id = ?".into(), vec![text("r1")], 0),
        ("SELECT n FROM notes WHERE id IN (?, ?)".into(), vec![text("r2"), text("r3")], 3),
        ("SELECT count(*) FROM others".into(), vec![], 1),
    ];
    let watches: Vec<u64> =
        queries.iter().map(|(sql, parameters, throttle)| f.watch(sql, parameters, *throttle)).collect();
    let mut shown = vec![Vec::new(); watches.len()];
    let mut random = Random(11);
    for i in 0..1000 {
        f.store.execute(0, random.write(), vec![], drop);
        if i % 7 == 0 {
            for (id, shown) in watches.iter().zip(&mut shown) {
                f.take_over(*id, shown);
            }
        }
        if i % 100 == 0 {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
    f.store.write(|_| Ok(())).await.unwrap();
    let expected: Vec<_> = queries.iter().map(|(sql, parameters, _)| f.read(sql, parameters)).collect();
    for _ in 0..2000 {
        for (id, shown) in watches.iter().zip(&mut shown) {
            f.take_over(*id, shown);
        }
        if shown == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(shown, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn while_suspended_runs_wait_and_then_everything_runs_once() {
    let f = fixture(Execution::Threads);
    let id = f.watch("SELECT count(*) FROM notes", &[], 0);
    // the first result is announced after the watch's id
    while f.live.take(id).is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    f.events();
    f.store.suspend(Duration::from_secs(1)).await;
    f.live.resumed(); // a run that finds the file given up
    let (done, write) = channel();
    f.store.execute(0, "INSERT INTO notes (id) VALUES ('a')".into(), vec![], move |_| done.send(()).unwrap());
    assert_eq!(f.events(), []);
    f.store.resume().await.unwrap();
    f.live.resumed();
    write.recv().unwrap();
    let mut shown = Vec::new();
    for _ in 0..2000 {
        f.take_over(id, &mut shown);
        if shown == [[Parameter::Integer(1)]] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lookup_in_a_table_with_another_name_in_sql_is_not_run_for_other_rows() {
    let schema = SCHEMA.replace(r#""name":"others""#, r#""name":"others","viewName":"those""#);
    let f = fixture_of(Execution::Inline, &schema);
    let by_id = f.watch("SELECT x FROM those WHERE id = ?", &[text("a")], 0);
    let state = f.live.lock();
    assert_eq!(state.watches[&by_id].plan.lookup.as_deref(), Some(&["a".to_owned()][..]));
    drop(state);
    f.events();
    f.live.take(by_id).unwrap();
    f.run("INSERT INTO those (id, x) VALUES ('b', '1')");
    assert!(f.events().is_empty());
    f.run("INSERT INTO those (id, x) VALUES ('a', '1')");
    assert_eq!(f.events(), [(by_id, None)]);
}
