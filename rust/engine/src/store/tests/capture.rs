//! What the app writes lands in the outbox, in its transaction.

use super::*;

#[test]
pub(super) fn every_way_of_writing_lands_in_the_outbox_in_its_transaction() {
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
pub(super) fn a_failed_statement_leaves_nothing_and_says_where() {
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
pub(super) fn a_transaction_that_sqlite_rolled_back_leaves_no_ghosts_in_the_count() {
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
pub(super) fn the_count_is_exact_when_part_of_a_transaction_is_undone() {
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
pub(super) fn a_text_without_a_statement_says_so() {
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
    let batch = f.write(|w| w.queued(i64::MAX, 10));
    let state = omnii_sync_core::merge::overlay(None, batch.changes.iter().map(|c| &c.operation)).unwrap();
    assert_eq!((&state["title"], &state["n"]), (&"y!".into(), &1.into()), "{:?}", batch.changes);
}

#[test]
fn names_and_places_are_those_of_the_apps_own_text() {
    let f = fixture();
    assert_eq!(f.run("INSERT INTO notes (id) VALUES ('a') RETURNING id, upper(id)").columns.names, ["id", "upper(id)"]);
    assert!(f.try_run("SELECT nope").unwrap_err().message.contains("(at character 7)"));
}

/// The fixture with these triggers of the app, once made after ours and once before: ours are made anew when the schema of a
/// new version of the app differs.
fn in_both_orders(triggers: &[&str], test: impl Fn(&Fixture)) {
    for renewed in [false, true] {
        let mut f = fixture();
        for trigger in triggers {
            f.run(trigger);
        }
        if renewed {
            f.store.close();
            let newer = SCHEMA.replace(r#"{"name":"n","#, r#"{"name":"added","type":"text"},{"name":"n","#);
            f.store = open_in(f.directory.path(), &newer, f.seen.clone()).unwrap();
        }
        test(&f);
    }
}

/// What the outbox would make of a row that the server does not have or has as given.
fn sent(f: &Fixture, id: &str, server: omnii_sync_core::merge::RowState) -> omnii_sync_core::merge::RowState {
    let (batch, id) = (f.write(|w| w.queued(i64::MAX, 100)), id.to_owned());
    let of_row = batch.changes.iter().filter(|c| c.row_id == id).map(|c| &c.operation);
    omnii_sync_core::merge::overlay(server, of_row)
}

#[test]
fn triggers_of_the_app_may_run_before_ours_or_after() {
    let loud = "CREATE TRIGGER loud AFTER INSERT ON notes BEGIN UPDATE notes SET title = upper(NEW.title) WHERE id = NEW.id; END";
    let louder = "CREATE TRIGGER louder AFTER UPDATE OF n ON notes BEGIN UPDATE notes SET title = title || '!' WHERE id = NEW.id; END";
    in_both_orders(&[loud, louder], |f| {
        f.run("INSERT INTO notes (id, title) VALUES ('a', 'x')");
        assert_eq!(sent(f, "a", None).unwrap()["title"], "X");
        f.run("UPDATE notes SET n = 1, title = 'y' WHERE id = 'a'");
        assert_eq!(f.read("SELECT title FROM notes"), [["y!"]]);
        let state = sent(f, "a", None).unwrap();
        assert_eq!((&state["title"], &state["n"]), (&"y!".into(), &1.into()));
        // the server's version is the one before any trigger
        f.pull(&row("b", "T", "01"));
        f.run("UPDATE notes SET n = 2 WHERE id = 'b'");
        assert_eq!(f.read("SELECT json_extract(server, '$.title'), json_extract(server, '$.n') FROM omnii_overlay WHERE row_id = 'b'"), [["T", "1"]]);
        let title = f.read("SELECT title FROM notes WHERE id = 'b'");
        assert_eq!(sent(f, "b", Some(serde_json::Map::new())).unwrap()["title"], title[0][0].as_str());
    });
}

#[test]
fn a_row_that_a_trigger_of_the_app_deletes_again_was_never_there() {
    let gone = "CREATE TRIGGER gone AFTER INSERT ON notes WHEN NEW.title = 'no' BEGIN \
                UPDATE notes SET n = 7 WHERE id = NEW.id; DELETE FROM notes WHERE id = NEW.id; END";
    let dies = "CREATE TRIGGER dies AFTER UPDATE OF title ON notes WHEN NEW.title = 'die' BEGIN DELETE FROM notes WHERE id = NEW.id; END";
    in_both_orders(&[gone, dies], |f| {
        f.run("INSERT INTO notes (id, title) VALUES ('a', 'no')");
        assert_eq!(f.read("SELECT * FROM notes"), Vec::<Vec<String>>::new());
        assert_eq!(f.read("SELECT * FROM omnii_overlay"), Vec::<Vec<String>>::new(), "the server knows nothing of it");
        assert_eq!(sent(f, "a", None), None);
        // and it may come into being later
        f.run("INSERT INTO notes (id, title) VALUES ('a', 'yes')");
        assert_eq!(sent(f, "a", None).unwrap()["title"], "yes");
        // a row of the server that was replaced is deleted
        f.pull(&row("b", "theirs", "01"));
        f.run("INSERT OR REPLACE INTO notes (id, title) VALUES ('b', 'no')");
        assert_eq!(sent(f, "b", Some(serde_json::Map::new())), None);
        assert_eq!(
            f.read("SELECT json_extract(server, '$.title') FROM omnii_overlay WHERE row_id = 'b'"),
            [["theirs"]]
        );
        // so is one that dies of an update
        f.pull(&row("c", "theirs", "02"));
        f.run("UPDATE notes SET title = 'die' WHERE id = 'c'");
        assert_eq!(sent(f, "c", Some(serde_json::Map::new())), None);
        assert_eq!(
            f.read("SELECT json_extract(server, '$.title') FROM omnii_overlay WHERE row_id = 'c'"),
            [["theirs"]]
        );
        assert_eq!(f.counts().0 as usize, f.outbox().len());
    });
}
