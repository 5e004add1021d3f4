//! The store against real SQLite files: capture, apply, overlay, ack, transactions, opening.

mod conflicts;
mod inline;
mod parked;
mod suspend;
mod sweep;

use super::*;
use omnii_sync_core::protocol1::page;
use std::sync::Mutex;
use std::sync::mpsc::channel;

#[derive(Default)]
struct Seen {
    tables: Mutex<Vec<Vec<String>>>,
    outbox: Mutex<Vec<(Counts, bool)>>,
}

impl StoreObserver for Seen {
    fn tables_changed(&self, tables: Vec<String>) {
        self.tables.lock().unwrap().push(tables);
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
}

fn open_in(directory: &std::path::Path, schema: &str, seen: Arc<Seen>) -> Result<Arc<Store>> {
    let options = StoreOptions {
        path: directory.join("x.db"),
        schema: Arc::new(Schema::from_json(schema).unwrap()),
        user_id: "u".into(),
    };
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
            let ids: Vec<i64> = w.queued(100)?.changes.iter().map(|c| c.id).collect();
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

#[test]
fn every_way_of_writing_lands_in_the_outbox_in_its_transaction() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title, n, r, meta) VALUES ('a', 'x', 9007199254740993, 0.1, '{\"q\":[1,2]}')");
    f.run("UPDATE notes SET n = 2, title = title WHERE id = 'a'");
    f.run("UPDATE notes SET title = 'x' WHERE id = 'a'"); // changes nothing
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'up') ON CONFLICT (id) DO UPDATE SET title = excluded.title");
    f.run("INSERT INTO notes (id, title) SELECT 'b' || value, 'many' FROM json_each('[1,2]')");
    f.run("DELETE FROM notes WHERE id LIKE 'b%'");
    f.run("INSERT INTO \"we\"\"ird 'name\" (id, \"a\"\"b\") VALUES ('w', 'v')");
    let rows: Vec<Vec<String>> = f.outbox();
    let brief: Vec<String> = rows.iter().map(|r| format!("{} {} {} {}", r[0], r[2], r[3], r[4])).collect();
    assert_eq!(
        brief,
        [
            r#"1 a 1 {"title":"x","n":9007199254740993,"r":0.1,"meta":"{\"q\":[1,2]}","updated_at":null}"#,
            r#"2 a 2 {"n":2}"#,
            r#"4 a 2 {"title":"up"}"#,
            r#"5 b1 1 {"title":"many","n":null,"r":null,"meta":null,"updated_at":null}"#,
            r#"5 b2 1 {"title":"many","n":null,"r":null,"meta":null,"updated_at":null}"#,
            "6 b1 3 NULL",
            "6 b2 3 NULL",
            r#"7 w 1 {"a\"b":"v"}"#,
        ]
    );
    assert_eq!(f.counts(), (8, 0));
    assert_eq!(f.seen.outbox.lock().unwrap().last().unwrap(), &(Counts { pending: 8, parked: 0 }, true));
}

#[test]
fn replace_is_one_put_and_keeps_the_servers_version() {
    let f = fixture();
    f.pull(&row("a", "server", "01"));
    f.run("INSERT OR REPLACE INTO notes (id, title) VALUES ('a', 'mine')");
    f.run("REPLACE INTO notes (id, title) VALUES ('a', 'mine again')");
    let ops: Vec<String> = f.outbox().iter().map(|r| r[3].clone()).collect();
    assert_eq!(ops, ["1", "1"]);
    assert!(f.read("SELECT server FROM omnii_overlay")[0][0].contains("\"title\":\"server\""));
    assert_eq!(f.counts(), (2, 0));
}

#[test]
fn a_failed_statement_leaves_nothing_and_says_where() {
    let f = fixture();
    for (sql, code, words) in [
        ("INSERT INTO notes (id, n) VALUES ('a', 1), ('b', 'x')", ErrorCode::Constraint, "notes.n"),
        (
            "INSERT INTO notes (id, meta) VALUES ('a', '{oops')",
            ErrorCode::Constraint,
            "notes.meta: a JSON column must hold valid JSON",
        ),
        ("INSERT INTO notes (id, r) VALUES ('a', 9e999)", ErrorCode::Constraint, "notes.r: infinity"),
        ("INSERT INTO notes (id, title) VALUES ('', 'x')", ErrorCode::Constraint, "CHECK"),
        ("INSERT INTO nowhere VALUES (1)", ErrorCode::Sql, "no such table: nowhere"),
        ("BEGIN", ErrorCode::BadArgument, "writeTransaction"),
        ("SAVEPOINT s", ErrorCode::BadArgument, "writeTransaction"),
        ("DELETE FROM omnii_outbox", ErrorCode::BadArgument, "omnii_outbox"),
        ("DROP TABLE notes", ErrorCode::BadArgument, "through the schema"),
        ("DROP TRIGGER omnii_insert_notes", ErrorCode::BadArgument, "belongs to the sync engine"),
        ("PRAGMA recursive_triggers = 0", ErrorCode::BadArgument, "recursive_triggers"),
        ("CREATE TEMP TABLE omnii_outbox (x)", ErrorCode::BadArgument, "choose another"),
        ("CREATE TEMP TABLE notes (x)", ErrorCode::BadArgument, "choose another"),
        ("PRAGMA query_only = 1", ErrorCode::BadArgument, "query_only"),
        ("SELECT omnii_record()", ErrorCode::Constraint, "old trigger"),
        ("SELECT 1\0, 2", ErrorCode::BadArgument, "NUL"),
        ("INSERT INTO notes (id, meta) VALUES ('a', '\"\\ud800\"')", ErrorCode::Constraint, "valid JSON"),
        ("INSERT INTO notes (id) VALUES ('013DA0BA-0000-4000-8000-000000000000')", ErrorCode::Constraint, "lower case"),
        ("SELECT 1; SELECT 2", ErrorCode::BadArgument, "one statement"),
        ("SELECT ?", ErrorCode::BadArgument, "1 parameters, 0 were given"),
    ] {
        let error = f.try_run(sql).expect_err(sql);
        assert_eq!(error.code, code, "{sql}: {error}");
        assert!(error.message.contains(words), "{sql}: {error}");
    }
    f.run("INSERT INTO notes (id) VALUES ('a')");
    assert_eq!(f.try_run("UPDATE notes SET id = 'z'").unwrap_err().code, ErrorCode::Constraint);
    assert_eq!(f.counts(), (1, 0));
    assert_eq!(f.outbox().len(), 1);
}

#[test]
fn pulled_rows_do_not_enter_the_outbox_and_a_page_twice_changes_nothing() {
    let f = fixture();
    let page = [row("a", "x", "01"), row("b", "y", "02")].join(",");
    assert_eq!(f.pull(&page).written, 2);
    assert_eq!(f.seen.tables.lock().unwrap().len(), 1);
    assert_eq!(f.pull(&page), Applied::default());
    assert_eq!(f.seen.tables.lock().unwrap().len(), 1, "no event for a page that changed nothing");
    assert_eq!(f.outbox().len(), 0);
    let cursor = f.write(|w| w.cursor("notes"));
    f.pull(&row("a", "x", "01"));
    assert_eq!(f.write(|w| w.cursor("notes")), cursor, "the cursor never goes back");
}

#[test]
fn the_apps_own_triggers_see_pulled_rows_without_making_changes_of_them() {
    let f = fixture();
    f.run("CREATE TABLE search (id TEXT, title TEXT)");
    f.run("CREATE TRIGGER fts AFTER INSERT ON notes BEGIN INSERT INTO search VALUES (NEW.id, NEW.title); END");
    f.pull(&row("a", "x", "01"));
    assert_eq!(f.read("SELECT * FROM search"), [["a", "x"]]);
    assert_eq!(f.outbox().len(), 0);
}

#[test]
fn pending_changes_survive_a_pull_by_column_and_settle_when_proven() {
    let f = fixture();
    f.pull(&row("a", "one", "01"));
    f.run("UPDATE notes SET n = 42 WHERE id = 'a'");
    f.pull(&row("a", "two", "02"));
    assert_eq!(f.read("SELECT title, n FROM notes"), [["two", "42"]], "server below, local column on top");
    f.send_all();
    // the overlap brings the version known already: no proof
    assert_eq!(f.counts(), (1, 0));
    let pull = |at: &str, n: i64| f.pull(&row("a", "three", at).replace("\"n\":1", &format!("\"n\":{n}")));
    assert_eq!(pull("03", 42), Applied { written: 1, acknowledged: 1, ..Applied::default() });
    assert_eq!(f.read("SELECT title, n FROM notes"), [["three", "42"]]);
    assert_eq!(f.counts(), (0, 0));
    assert_eq!(f.read("SELECT * FROM omnii_overlay").len(), 0);
    pull("04", 7);
    assert_eq!(f.read("SELECT n FROM notes"), [["7"]], "settled: the row follows the server again");
}

#[test]
fn a_change_sent_during_a_pull_is_not_proven_by_it() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'mine')");
    let pull = f.store.begin_pull().number();
    f.send_all();
    let body = format!(r#"{{"changes":{{"notes":[{}]}}}}"#, row("a", "stale", "01"));
    let applied = f.write(move |w| {
        let table = w.schema.tables[0].clone();
        let page = page::read(body.as_bytes(), &table, "u")?.unwrap();
        w.transaction(|w| w.apply(&PulledPage { table: &table, page: &page, pull, complete: COMPLETE, sweep: false }))
    });
    assert_eq!((applied.acknowledged, applied.parked), (0, 0));
    assert_eq!(f.read("SELECT title FROM notes"), [["mine"]]);
}

#[test]
fn a_sent_change_that_a_complete_pull_does_not_bring_back_is_parked_not_lost() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'mine')");
    f.send_all();
    assert_eq!(f.pull("").parked, 1);
    assert_eq!(f.counts(), (0, 1));
    assert_eq!(f.read("SELECT title FROM notes"), [["mine"]]);
    assert!(f.read("SELECT error FROM omnii_outbox")[0][0].contains("does not show the change"));
}

#[test]
fn an_acknowledged_delete_leaves_with_all_that_was_sent_before_it() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'mine')");
    f.run("DELETE FROM notes WHERE id = 'a'");
    let ids = f.write(|w| Ok(w.queued(10)?.changes.iter().map(|c| c.id).collect::<Vec<_>>()));
    f.write(move |w| {
        w.transaction(|w| {
            w.mark_sent(&ids[..1], 0, None)?;
            w.acknowledge_delete(&ids[1..])
        })
    });
    assert_eq!((f.counts(), f.outbox().len()), ((0, 0), 0));
    assert_eq!(f.read("SELECT * FROM omnii_overlay").len(), 0);
}

#[test]
fn a_transaction_is_one_entry_group_and_everything_else_waits_for_it() {
    let f = fixture();
    let tx = wait(|done| f.store.begin(done)).unwrap();
    let within = |sql: &str| wait::<Result<Rows>>(|done| f.store.execute(tx, sql.into(), vec![], done));
    within("INSERT INTO notes (id) VALUES ('a')").unwrap();
    let (send, waits) = channel();
    f.store.execute(0, "INSERT INTO notes (id) VALUES ('later')".into(), vec![], move |r| send.send(r).unwrap());
    assert_eq!(within("COMMIT").unwrap_err().code, ErrorCode::BadArgument);
    assert!(within("INSERT INTO notes (id) VALUES ('a')").is_err(), "a failed statement does not end the transaction");
    within("INSERT INTO notes (id) VALUES ('b')").unwrap();
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["0"]], "nobody sees half a transaction");
    assert!(waits.try_recv().is_err());
    wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
    waits.recv().unwrap().unwrap();
    let transactions: Vec<String> = f.outbox().iter().map(|r| format!("{} {}", r[0], r[2])).collect();
    assert_eq!(transactions, ["1 a", "1 b", "2 later"]);
    assert_eq!(within("SELECT 1").unwrap_err().code, ErrorCode::TransactionEnded);
    assert_eq!(f.counts(), (3, 0));
    let tx = wait(|done| f.store.begin(done)).unwrap();
    wait::<Result<Rows>>(|done| f.store.execute(tx, "DELETE FROM notes".into(), vec![], done)).unwrap();
    wait::<Result<()>>(|done| f.store.end(tx, false, done)).unwrap();
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["3"]]);
    assert_eq!(f.counts(), (3, 0));
}

#[test]
fn readers_refuse_to_write() {
    let f = fixture();
    for sql in ["INSERT INTO notes (id) VALUES ('a')", "BEGIN", "PRAGMA query_only = 0"] {
        let outcome: Result<Rows> = wait(|done| f.store.query(sql.into(), vec![], done));
        let refused = outcome.is_err();
        let still = wait::<Result<Rows>>(|done| f.store.query("DELETE FROM notes".into(), vec![], done));
        assert!(still.is_err() && (refused || sql.starts_with("PRAGMA")), "{sql}");
    }
}

#[test]
fn changes_and_cursor_outlive_a_restart_and_clear_keeps_what_is_pending() {
    let Fixture { store, seen, directory } = fixture();
    let f = Fixture { store, seen, directory };
    f.pull(&[row("a", "x", "01"), row("b", "y", "02")].join(","));
    f.run("UPDATE notes SET n = 5 WHERE id = 'a'");
    let Fixture { store, seen, directory } = f;
    assert_eq!(open_in(directory.path(), SCHEMA, seen.clone()).err().unwrap().code, ErrorCode::AlreadyOpen);
    drop(store);
    let store = open_in(directory.path(), SCHEMA, seen.clone()).unwrap();
    assert_eq!(store.remembered().counts, Counts { pending: 1, parked: 0 });
    let f = Fixture { store, seen, directory };
    assert!(f.write(|w| w.cursor("notes")).updated_at.is_some());
    f.write(|w| w.transaction(|w| w.clear()));
    assert_eq!(f.read("SELECT id, n FROM notes"), [["a", "5"]]);
    assert_eq!((f.write(|w| w.cursor("notes")).updated_at, f.counts()), (None, (1, 0)));
}

#[test]
fn the_times_of_the_last_round_and_sweep_outlive_a_restart_until_they_are_forgotten() {
    let mut f = fixture();
    type Step = fn(&mut Writer) -> Result<()>;
    let steps: [(Step, _); 5] = [
        (|_| Ok(()), (None, None)),
        (|w| w.round_complete(Some(7), None), (Some(7), None)),
        (|w| w.round_complete(Some(8), Some(9)), (Some(8), Some(9))),
        (|w| w.round_complete(None, Some(9)), (None, Some(9))),
        (|w| w.transaction(Writer::clear), (None, None)),
    ];
    for (step, expected) in steps {
        f.write(step);
        f.store.close();
        f.store = open_in(f.directory.path(), SCHEMA, f.seen.clone()).unwrap();
        let remembered = f.store.remembered();
        assert_eq!((remembered.last_synced_at_ms, remembered.last_reconciled_at_ms), expected);
    }
}

#[test]
fn a_grown_schema_keeps_data_and_pulls_the_new_columns() {
    let f = fixture();
    f.pull(&row("a", "x", "01"));
    let Fixture { store, seen, directory } = f;
    drop(store);
    let grown = SCHEMA
        .replace(r#"{"name":"n","type":"integer"}"#, r#"{"name":"n","type":"integer"},{"name":"extra","type":"text"}"#);
    let store = open_in(directory.path(), &grown, seen.clone()).unwrap();
    let f = Fixture { store, seen, directory };
    assert_eq!(f.read("SELECT title, extra FROM notes"), [["x", "NULL"]]);
    assert_eq!(f.write(|w| w.cursor("notes")).updated_at, None);
    f.run("UPDATE notes SET extra = 'e'");
    assert_eq!(f.outbox()[0][4], r#"{"extra":"e"}"#);
    let Fixture { store, seen, directory } = f;
    drop(store);
    let changed = SCHEMA.replace(r#"{"name":"n","type":"integer"}"#, r#"{"name":"n","type":"text"}"#);
    let error = open_in(directory.path(), &changed, seen).err().unwrap();
    assert_eq!(error.code, ErrorCode::SchemaMismatch);
    assert!(error.message.contains("notes.n"), "{error}");
}

#[test]
fn what_can_not_be_opened_says_why_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: std::path::PathBuf, user: &str| {
        let schema = Arc::new(Schema::from_json(SCHEMA).unwrap());
        Store::open(StoreOptions { path, schema, user_id: user.into() }, Arc::new(Seen::default())).map(|_| ())
    };
    let garbage = directory.path().join("garbage.db");
    std::fs::write(&garbage, "this is not a database, not at all, by no means").unwrap();
    assert_eq!(open(garbage.clone(), "u").unwrap_err().code, ErrorCode::CorruptDatabase);
    assert!(std::fs::read(&garbage).unwrap().starts_with(b"this is not"));
    assert_eq!(open(garbage.join("x.db"), "u").unwrap_err().code, ErrorCode::Unwritable);
    let mine = directory.path().join("mine.db");
    open(mine.clone(), "u").unwrap();
    assert_eq!(open(mine.clone(), "v").unwrap_err().code, ErrorCode::UserMismatch);
    let newer = rusqlite::Connection::open(&mine).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    assert_eq!(open(mine, "u").unwrap_err().code, ErrorCode::SchemaMismatch);
}

#[test]
fn closing_answers_everything_that_waits() {
    let f = fixture();
    wait(|done| f.store.begin(done)).unwrap();
    let (send, receive) = channel();
    for sql in ["SELECT 1", "SELECT 2"] {
        let send = send.clone();
        f.store.execute(0, sql.into(), vec![], move |r| send.send(r.unwrap_err().code).unwrap());
    }
    f.store.close();
    drop(send);
    assert_eq!(receive.iter().collect::<Vec<_>>(), [ErrorCode::Closed; 2]);
    let late: Result<Rows> = wait(|done| f.store.query("SELECT 1".into(), vec![], done));
    assert_eq!(late.unwrap_err().code, ErrorCode::Closed);
    let late: Result<Rows> = wait(|done| f.store.execute(0, "SELECT 1".into(), vec![], done));
    assert_eq!(late.unwrap_err().code, ErrorCode::Closed);
}

#[test]
fn a_row_that_the_apps_own_constraint_refuses_does_not_stop_the_page() {
    let f = fixture();
    f.run("CREATE UNIQUE INDEX mine ON notes (title)");
    f.run("INSERT INTO notes (id, title) VALUES ('local', 'taken')");
    let applied = f.pull(&[row("a", "x", "01"), row("b", "taken", "02"), row("c", "y", "03")].join(","));
    assert_eq!((applied.written, applied.refused), (2, 1));
    assert!(applied.fault.unwrap().contains("notes.title"));
    assert_eq!(f.read("SELECT id FROM notes ORDER BY id"), [["a"], ["c"], ["local"]]);
}

#[test]
fn of_two_sent_changes_only_the_one_the_row_shows_is_acknowledged() {
    let f = fixture();
    f.pull(&row("a", "zero", "00"));
    f.run("UPDATE notes SET title = 'first' WHERE id = 'a'");
    f.run("UPDATE notes SET title = 'second', n = -1 WHERE id = 'a'");
    f.send_all();
    // the backend stored the first and swallowed the second
    let applied = f.pull(&row("a", "first", "00.1"));
    assert_eq!((applied.acknowledged, applied.parked), (1, 0));
    // another device may have written at the same moment: what is missing is sent once more
    assert_eq!(f.outbox()[0][3..], ["2", r#"{"n":-1,"title":"second"}"#, "0"]);
    assert!(f.seen.outbox.lock().unwrap().last().unwrap().1, "a push is due");
    f.send_all();
    assert_eq!(f.pull(&row("a", "first", "00.1")).parked, 1, "the row is as it was: swallowed");
    assert_eq!(f.read("SELECT title, n FROM notes"), [["second", "-1"]], "the parked change stays visible");
    assert_eq!(f.counts(), (0, 1));
}

#[test]
fn a_row_refused_while_it_is_settled_is_not_acknowledged() {
    let f = fixture();
    f.pull(&[row("a", "x", "00"), row("b", "taken", "00")].join(","));
    f.run("UPDATE notes SET title = 'y' WHERE id = 'a'");
    f.run("CREATE UNIQUE INDEX mine ON notes (title)");
    f.send_all();
    // the server's row shows the change, but with another column that the app's own index refuses to show
    f.run("DROP INDEX mine");
    f.run("CREATE UNIQUE INDEX mine ON notes (title, updated_at)");
    f.run("CREATE TRIGGER no AFTER UPDATE ON notes WHEN NEW.updated_at LIKE '%00:03%' BEGIN SELECT RAISE(ABORT, 'not this one'); END");
    let applied = f.pull(&row("a", "y", "03"));
    assert_eq!((applied.acknowledged, applied.refused), (0, 1));
    assert_eq!(f.counts(), (0, 1), "kept, as parked");
}

#[test]
fn a_transaction_that_sqlite_rolled_back_leaves_no_ghosts_in_the_count() {
    let f = fixture();
    f.run("INSERT INTO notes (id) VALUES ('a')");
    let tx = wait(|done| f.store.begin(done)).unwrap();
    let within = |sql: &str| wait::<Result<Rows>>(|done| f.store.execute(tx, sql.into(), vec![], done));
    within("INSERT INTO notes (id) VALUES ('b')").unwrap();
    within("INSERT OR ROLLBACK INTO notes (id) VALUES ('a')").unwrap_err();
    assert_eq!(within("SELECT 1").unwrap_err().code, ErrorCode::TransactionEnded);
    let ended: Result<()> = wait(|done| f.store.end(tx, true, done));
    assert_eq!(ended.unwrap_err().code, ErrorCode::TransactionEnded);
    f.run("UPDATE notes SET n = 1");
    assert_eq!(f.counts(), (2, 0));
    assert_eq!(f.outbox().len(), 2);
}

#[test]
fn what_a_statement_did_is_told_exactly() {
    let f = fixture();
    let told = |sql: &str| {
        let rows = f.run(sql);
        (rows.rows_affected, rows.insert_id)
    };
    assert_eq!(told("INSERT\n INTO notes (id) VALUES ('a'), ('b')"), (2, 2));
    assert_eq!(told("INSERT INTO notes (id) VALUES ('a') ON CONFLICT DO NOTHING"), (0, 0));
    assert_eq!(told("CREATE TABLE other (x)"), (0, 0));
    assert_eq!(told("WITH w AS (SELECT 7 AS x) INSERT INTO other SELECT x FROM w"), (1, 1));
    assert_eq!(told("UPDATE notes SET n = 1"), (2, 0));
    assert_eq!(told("SELECT * FROM notes"), (0, 0));
}

#[test]
fn the_apps_statements_and_triggers_never_touch_our_tables() {
    let f = fixture();
    f.run("INSERT INTO notes (id) VALUES ('a')");
    // the very text the engine uses itself, and has in its cache
    let ours = "DELETE FROM omnii_outbox WHERE id = ?";
    f.write(move |w| w.connection.prepare_cached(ours).map(|_| ()).map_err(sql_error::sql_error));
    let outcome: Result<Rows> = wait(|done| f.store.execute(0, ours.into(), vec![Parameter::Integer(1)], done));
    assert_eq!(outcome.unwrap_err().code, ErrorCode::BadArgument);
    f.run("CREATE TRIGGER sly AFTER UPDATE ON notes BEGIN DELETE FROM omnii_outbox; END");
    assert_eq!(f.try_run("UPDATE notes SET n = 1").unwrap_err().code, ErrorCode::BadArgument);
    assert_eq!(
        f.try_run("CREATE TRIGGER omnii_x AFTER UPDATE ON notes BEGIN SELECT 1; END").unwrap_err().code,
        ErrorCode::BadArgument
    );
    assert_eq!(f.outbox().len(), 1);
}

#[test]
fn a_column_that_left_and_came_back_is_pulled_again_and_its_type_is_checked() {
    let without = SCHEMA.replace(r#"{"name":"n","type":"integer"},"#, "");
    let f = fixture();
    f.pull(&row("a", "x", "01"));
    let Fixture { store, seen, directory } = f;
    drop(store);
    drop(open_in(directory.path(), &without, seen.clone()).unwrap());
    let as_text = SCHEMA.replace(r#"{"name":"n","type":"integer"}"#, r#"{"name":"n","type":"text"}"#);
    assert_eq!(open_in(directory.path(), &as_text, seen.clone()).err().unwrap().code, ErrorCode::SchemaMismatch);
    let store = open_in(directory.path(), SCHEMA, seen.clone()).unwrap();
    let f = Fixture { store, seen, directory };
    assert_eq!(f.write(|w| w.cursor("notes")).updated_at, None);
    f.run("UPDATE notes SET n = 8");
    assert_eq!(f.outbox()[0][4], r#"{"n":8}"#);
}

#[test]
fn triggers_of_an_older_version_are_replaced() {
    let Fixture { store, seen, directory } = fixture();
    drop(store);
    let old = rusqlite::Connection::open(directory.path().join("x.db")).unwrap();
    old.execute_batch(
        "DROP TRIGGER omnii_insert_notes; CREATE TRIGGER omnii_insert_notes AFTER INSERT ON notes BEGIN SELECT 1; END;
         CREATE TRIGGER omnii_long_gone AFTER INSERT ON notes BEGIN SELECT RAISE(ABORT, 'old'); END;
         UPDATE omnii_meta SET value = 'an older one' WHERE key = 'ddl'",
    )
    .unwrap();
    drop(old);
    let store = open_in(directory.path(), SCHEMA, seen.clone()).unwrap();
    let f = Fixture { store, seen, directory };
    f.run("INSERT INTO notes (id) VALUES ('a')");
    assert_eq!(f.outbox().len(), 1);
}

#[test]
fn the_count_is_exact_when_part_of_a_transaction_is_undone() {
    let f = fixture();
    let tx = wait(|done| f.store.begin(done)).unwrap();
    let within = |sql: &str| wait::<Result<Rows>>(|done| f.store.execute(tx, sql.into(), vec![], done));
    within("INSERT INTO notes (id) VALUES ('a')").unwrap();
    within("SAVEPOINT s").unwrap();
    within("INSERT INTO notes (id) VALUES ('b'), ('c')").unwrap();
    within("ROLLBACK TO s").unwrap();
    within("INSERT INTO notes (id) VALUES ('d'), ('a')").unwrap_err();
    within("INSERT INTO notes (id) VALUES ('e')").unwrap();
    wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
    assert_eq!((f.counts(), f.outbox().len()), ((2, 0), 2));
    let tx = wait(|done| f.store.begin(done)).unwrap();
    wait::<Result<Rows>>(|done| f.store.execute(tx, "INSERT INTO notes (id) VALUES ('f')".into(), vec![], done))
        .unwrap();
    wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
    assert_eq!(f.counts(), (3, 0));
}

#[test]
fn a_parked_change_leaves_when_the_row_shows_it_after_all_or_is_deleted() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title, n) VALUES ('a', 'bad', 1), ('b', 'bad', 1)");
    f.send_all();
    assert_eq!(f.pull("").parked, 2);
    // the user mends one and deletes the other
    f.run("UPDATE notes SET title = 'good' WHERE id = 'a'");
    f.run("DELETE FROM notes WHERE id = 'b'");
    let base = f.write(|w| Ok(w.queued(10)?.bases[&("notes".into(), "a".into())].clone()));
    assert!(!base.known && base.row.unwrap()["n"] == 1, "the whole row goes up");
    let ids = f.send_all();
    f.write(move |w| w.transaction(|w| w.acknowledge_delete(&ids[1..])));
    assert_eq!(f.counts(), (1, 1));
    let applied = f.pull(&row("a", "good", "00"));
    assert_eq!((applied.acknowledged, f.counts()), (2, (0, 0)));
}

#[test]
fn a_closed_file_is_complete_by_itself_also_when_a_statement_was_interrupted() {
    let f = fixture();
    f.pull(&(0..2000).map(|i| row(&format!("r{i}"), "x", "01")).collect::<Vec<_>>().join(","));
    let slow = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let (send, receive) = channel();
    f.store.execute(0, slow.into(), vec![], move |outcome| send.send(outcome.map(|_| ())).unwrap());
    f.store.close();
    assert_eq!(receive.recv().unwrap().unwrap_err().code, ErrorCode::Closed);
    let left: Vec<_> = std::fs::read_dir(f.directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["x.db"]);
}

#[test]
fn a_link_to_an_open_file_is_already_open() {
    let f = fixture();
    std::os::unix::fs::symlink(f.directory.path().join("x.db"), f.directory.path().join("y.db")).unwrap();
    let options =
        StoreOptions { path: f.directory.path().join("y.db"), schema: f.store.schema().clone(), user_id: "u".into() };
    assert_eq!(Store::open(options, f.seen.clone()).err().unwrap().code, ErrorCode::AlreadyOpen);
}

#[test]
fn damage_in_the_middle_is_told_with_what_to_do() {
    let Fixture { store, seen, directory } = fixture();
    drop(store);
    let path = directory.path().join("x.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[4096..end].fill(0xff);
    std::fs::write(&path, &bytes).unwrap();
    let error = open_in(directory.path(), SCHEMA, seen).err().unwrap();
    assert_eq!(error.code, ErrorCode::CorruptDatabase);
    assert!(error.message.contains("move it away"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "left as it was");
}

#[test]
fn a_text_without_a_statement_says_so() {
    let f = fixture();
    for sql in ["", "  ", "-- nothing", "/* nothing */"] {
        let error = f.try_run(sql).expect_err(sql);
        assert_eq!(
            (error.code, error.message.as_str()),
            (ErrorCode::BadArgument, "the SQL text holds no statement"),
            "{sql:?}"
        );
        assert!(wait::<Result<Rows>>(|done| f.store.query(sql.into(), vec![], done)).is_err());
    }
}

#[test]
fn a_trigger_of_the_app_that_changes_the_row_again_is_what_goes_up() {
    let f = fixture();
    f.run("CREATE TRIGGER loud AFTER INSERT ON notes BEGIN UPDATE notes SET title = upper(NEW.title) WHERE id = NEW.id; END");
    f.run("CREATE TRIGGER louder AFTER UPDATE OF n ON notes BEGIN UPDATE notes SET title = title || '!' WHERE id = NEW.id; END");
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'x')");
    f.run("UPDATE notes SET n = 1, title = 'y' WHERE id = 'a'");
    assert_eq!(f.read("SELECT title FROM notes"), [["y!"]]);
    let batch = f.write(|w| w.queued(10));
    let state = omnii_sync_core::merge::overlay(None, batch.changes.iter().map(|c| &c.operation)).unwrap();
    assert_eq!((&state["title"], &state["n"]), (&"y!".into(), &1.into()), "{:?}", batch.changes);
}

#[test]
fn names_and_places_are_those_of_the_apps_own_text() {
    let f = fixture();
    assert_eq!(f.run("INSERT INTO notes (id) VALUES ('a') RETURNING id, upper(id)").columns, ["id", "upper(id)"]);
    assert!(f.try_run("SELECT nope").unwrap_err().message.contains("(at character 7)"));
}

#[test]
fn closing_does_not_wait_for_a_read_that_is_just_beginning() {
    // close() at every moment from before a reader takes the query, through its opening a connection, to its running
    for wait_us in (0..3000).step_by(100) {
        let f = fixture();
        let slow = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let (send, receive) = channel();
        f.store.query(slow.into(), vec![], move |outcome| send.send(outcome.map(|_| ())).unwrap());
        std::thread::sleep(std::time::Duration::from_micros(wait_us));
        f.store.close();
        assert_eq!(receive.recv().unwrap().unwrap_err().code, ErrorCode::Closed);
    }
}
