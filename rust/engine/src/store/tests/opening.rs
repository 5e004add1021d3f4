//! Opening, closing, and what outlives both.

use super::*;

#[test]
pub(super) fn a_transaction_is_one_entry_group_and_everything_else_waits_for_it() {
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
pub(super) fn readers_refuse_to_write() {
    let f = fixture();
    for sql in ["INSERT INTO notes (id) VALUES ('a')", "BEGIN", "PRAGMA query_only = 0"] {
        let outcome: Result<Rows> = wait(|done| f.store.query(sql.into(), vec![], done));
        let refused = outcome.is_err();
        let still = wait::<Result<Rows>>(|done| f.store.query("DELETE FROM notes".into(), vec![], done));
        assert!(still.is_err() && (refused || sql.starts_with("PRAGMA")), "{sql}");
    }
}

#[test]
pub(super) fn changes_and_cursor_outlive_a_restart_and_clear_keeps_what_is_pending() {
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
    let store = open_in(directory.path(), &changed, seen.clone()).unwrap();
    let f = Fixture { store, seen, directory };
    assert_eq!(f.read("SELECT typeof(n), n FROM notes"), [["text", "1"]]);
}

#[test]
fn what_can_not_be_opened_says_why_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: std::path::PathBuf, user: &str| {
        let schema = Arc::new(Schema::from_json(SCHEMA).unwrap());
        Store::open(StoreOptions::new(path, schema, user.into()), Arc::new(Seen::default())).map(|_| ())
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
    let error = open(mine.clone(), "u").unwrap_err();
    assert_eq!(error.code, ErrorCode::SchemaMismatch);
    assert!(error.message.contains("format 99") && error.message.contains("update the app"), "{error}");
    let newer = rusqlite::Connection::open(&mine).unwrap();
    newer.pragma_update(None, "user_version", ddl::MIGRATIONS.len() as u32).unwrap();
    drop(newer);
    open(mine, "u").unwrap();
}

#[test]
pub(super) fn closing_answers_everything_that_waits() {
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
fn a_column_that_left_and_came_back_is_pulled_again_and_its_type_is_checked() {
    let without = SCHEMA.replace(r#"{"name":"n","type":"integer"},"#, "");
    let f = fixture();
    f.pull(&row("a", "x", "01"));
    let Fixture { store, seen, directory } = f;
    drop(store);
    drop(open_in(directory.path(), &without, seen.clone()).unwrap());
    let as_text = SCHEMA.replace(r#"{"name":"n","type":"integer"}"#, r#"{"name":"n","type":"text"}"#);
    drop(open_in(directory.path(), &as_text, seen.clone()).unwrap());
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
    let options = StoreOptions::new(f.directory.path().join("y.db"), f.store.schema().clone(), "u".into());
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
