//! The schema changes between two openings: what becomes of tables, rows, cursors and pending changes.

use super::*;
use omnii_sync_core::protocol1::upload;

fn schema(tables: &str) -> String {
    format!(r#"{{"tables":[{tables}]}}"#)
}

fn reopened(f: Fixture, tables: &str) -> Fixture {
    try_reopened(f, tables).unwrap()
}

fn try_reopened(f: Fixture, tables: &str) -> Result<Fixture> {
    let Fixture { store, seen, directory } = f;
    drop(store);
    let store = open_in(directory.path(), &schema(tables), seen.clone())?;
    Ok(Fixture { store, seen, directory })
}

fn first(tables: &str) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let seen = Arc::new(Seen::default());
    let store = open_in(directory.path(), &schema(tables), seen.clone()).unwrap();
    Fixture { store, seen, directory }
}

fn server_row(id: &str, fields: &str) -> String {
    format!(r#"{{"id":"{id}",{fields},"updated_at":"2026-01-01T00:00:01Z"}}"#)
}

/// The bodies that would be uploaded now.
fn uploads(f: &Fixture) -> String {
    f.write(|w| {
        let schema = w.schema.clone();
        let batch = w.queued(i64::MAX, 100)?;
        let requests = upload::plan(&schema, &batch.changes, &batch.bases, upload::Limits::default());
        Ok(requests.iter().map(|r| String::from_utf8(r.body.clone()).unwrap()).collect())
    })
}

fn is_pulled_anew(f: &Fixture) -> bool {
    f.read("SELECT count(*) FROM omnii_cursor") == [["0"]]
}

#[test]
fn every_older_format_is_brought_up_to_date_with_its_changes() {
    for version in 1..ddl::MIGRATIONS.len() {
        let directory = tempfile::tempdir().unwrap();
        let old = rusqlite::Connection::open(directory.path().join("x.db")).unwrap();
        for migration in &ddl::MIGRATIONS[..version] {
            old.execute_batch(migration).unwrap();
        }
        old.pragma_update(None, "user_version", version as u32).unwrap();
        old.execute_batch(
            "INSERT INTO omnii_outbox (tx, tbl, row_id, op, data, state) VALUES (1, 'notes', 'a', 2, '{\"n\":1}', 1)",
        )
        .unwrap();
        drop(old);
        let seen = Arc::new(Seen::default());
        let f = Fixture { store: open_in(directory.path(), SCHEMA, seen.clone()).unwrap(), seen, directory };
        assert_eq!(f.counts(), (1, 0), "from {version}");
        let added = "SELECT resent, merged, previous, metadata FROM omnii_outbox";
        assert_eq!(f.read(added), [["0", "0", "NULL", "NULL"]], "from {version}");
        assert_eq!(f.write(|w| w.client_id()).len(), 36);
    }
}

#[test]
fn values_are_converted_where_nothing_is_lost_and_the_table_is_pulled_anew() {
    // type before, what the backend sends and the app writes, type after, what is seen and sent then
    for (before, value, pending, after, seen, sent) in [
        ("text", r#""12""#, "'7'", "integer", ("integer", "12", "7"), r#""c":7"#),
        ("text", r#""twelve""#, "'seven'", "integer", ("null", "NULL", "NULL"), ""),
        ("text", r#""true""#, "'0'", "boolean", ("integer", "1", "0"), r#""c":false"#),
        ("text", r#""{\"a\":1}""#, "'[]'", "json", ("text", r#"{"a":1}"#, "[]"), r#""c":[]"#),
        ("integer", "1", "0", "boolean", ("integer", "1", "0"), r#""c":false"#),
        ("integer", "5", "1", "boolean", ("null", "NULL", "1"), r#""c":true"#),
        ("integer", "5", "6", "text", ("text", "5", "6"), r#""c":"6""#),
        ("integer", "5", "6", "real", ("real", "5.0", "6.0"), r#""c":6.0"#),
        ("real", "2.0", "2.5", "integer", ("integer", "2", "NULL"), ""),
        ("real", "0.30000000000000004", "1e300", "text", ("text", "0.30000000000000004", "1e+300"), r#""c":"1e+300""#),
        ("boolean", "true", "0", "integer", ("integer", "1", "0"), r#""c":0"#),
        ("boolean", "true", "0", "text", ("text", "true", "false"), r#""c":"false""#),
        ("json", r#"{"a":1}"#, "'5'", "integer", ("null", "NULL", "5"), r#""c":5"#),
        ("json", r#"{"a":1}"#, "'5'", "text", ("text", r#"{"a":1}"#, "5"), r#""c":"5""#),
    ] {
        let case = format!("{before} -> {after}");
        let table = |c: &str| {
            format!(
                r#"{{"name":"t","columns":[{{"name":"before","type":"text"}},{{"name":"c","type":"{c}"}},{{"name":"n","type":"integer"}}],
                   "indexes":[{{"name":"i","columns":["c"]}}]}}"#
            )
        };
        let f = first(&table(before));
        let rows = [server_row("a", &format!(r#""c":{value},"n":1"#)), server_row("b", r#""c":null,"n":1"#)];
        let pull = f.store.begin_pull().number();
        let body = format!(r#"{{"changes":{{"t":[{}]}}}}"#, rows.join(","));
        f.write(move |w| {
            let table = w.schema.tables[0].clone();
            let page = page::read(body.as_bytes(), &table, "u")?.unwrap();
            let pulled = PulledPage { table: &table, page: &page, pull, complete: COMPLETE, sweep: false };
            w.transaction(|w| w.apply(&pulled))
        });
        f.run(&format!("UPDATE t SET c = {pending}, n = 2 WHERE id = 'b'"));
        f.run("CREATE INDEX apps_own ON t (c, n)");
        f.run("CREATE TABLE seen (id)");
        f.run("CREATE TRIGGER apps_trigger AFTER UPDATE ON t BEGIN INSERT INTO seen VALUES (NEW.id); END");
        f.run("CREATE VIEW apps_view AS SELECT id, c FROM t");
        assert!(!is_pulled_anew(&f));
        let f = reopened(f, &table(after));
        assert_eq!(f.read("SELECT typeof(c), c FROM t WHERE id = 'a'"), [[seen.0, seen.1]], "{case}");
        assert_eq!(f.read("SELECT c, n FROM t WHERE id = 'b'"), [[seen.2, "2"]], "{case}");
        assert_eq!(f.read("SELECT count(*) FROM seen"), [["0"]], "{case}: the app's triggers do not run");
        assert_eq!(f.read("SELECT count(*) FROM apps_view"), [["2"]], "{case}");
        assert_eq!(
            f.read("PRAGMA table_info(t)").iter().map(|c| &c[1]).collect::<Vec<_>>(),
            ["id", "before", "c", "n"]
        );
        assert!(is_pulled_anew(&f), "{case}");
        let body = uploads(&f);
        assert!(body.contains(r#""n":2"#) && body.contains(sent), "{case}: {body}");
        assert_eq!(body.contains(r#""c""#), !sent.is_empty(), "{case}: nobody has asked for NULL: {body}");
        f.run("UPDATE t SET n = 3 WHERE id = 'a'");
        assert_eq!((f.counts(), f.read("SELECT id FROM seen")), ((2, 0), vec![vec!["a".to_string()]]), "{case}");
        let indexes = "SELECT count(*) FROM sqlite_master WHERE name IN ('apps_own', 't__i')";
        assert_eq!(f.read(indexes), [["2"]], "{case}");
        // and back: the file is as good as any
        let f = reopened(f, &table(before));
        f.run("DELETE FROM t WHERE id = 'a'");
        assert_eq!(f.counts(), (3, 0), "{case}");
    }
}

const NOTES: &str = r#"{"name":"notes","columns":[{"name":"title","type":"text"},{"name":"n","type":"integer"}]"#;

#[test]
fn a_timestamp_was_a_text_all_along() {
    let f = first(&format!("{NOTES}}}"));
    f.pull(&server_row("a", r#""title":"2026-01-01","n":1"#));
    let f = reopened(f, &format!("{}}}", NOTES.replace("text", "timestamp")));
    assert!(!is_pulled_anew(&f));
    assert_eq!(f.read("SELECT title FROM notes"), [["2026-01-01"]]);
}

#[test]
fn a_removed_column_keeps_its_values_and_is_left_out_of_uploads() {
    let without = r#"{"name":"notes","columns":[{"name":"title","type":"text"}]}"#;
    let f = first(&format!("{NOTES}}}"));
    f.pull(&server_row("a", r#""title":"x","n":1"#));
    f.run("UPDATE notes SET title = 'y', n = 5 WHERE id = 'a'");
    let f = reopened(f, without);
    assert_eq!(f.counts(), (1, 0));
    assert_eq!(uploads(&f), r#"{"changes":{"notes":[{"type":"PUT","id":"a","data":{"id":"a","title":"y"}}]}}"#);
    let crud = f.write(|w| w.crud(crate::store::CrudQuery { after: None, transactions: 0, entries: 9 }));
    assert_eq!(serde_json::to_string(&crud.entries[0].data).unwrap(), r#"{"title":"y"}"#);
    assert!(!is_pulled_anew(&f));
    // back, with another type
    let f = reopened(f, &format!("{}}}", NOTES.replace("integer", "text")));
    assert_eq!(f.read("SELECT title, n FROM notes"), [["y", "5"]]);
    assert!(is_pulled_anew(&f) && f.counts() == (1, 0));
}

#[test]
fn what_a_new_column_brings_is_no_conflict() {
    let policy = r#","conflictPolicy":"serverWins"}"#;
    let f = first(&format!("{}{policy}", NOTES.replace(r#",{"name":"n","type":"integer"}"#, "")));
    f.pull(&server_row("a", r#""title":"x""#));
    f.run("UPDATE notes SET title = 'mine'");
    let f = reopened(f, &format!("{NOTES}{policy}"));
    f.pull(&server_row("a", r#""title":"x","n":1"#));
    assert_eq!(f.read("SELECT title, n FROM notes"), [["mine", "1"]]);
    assert_eq!(f.counts(), (1, 0));
}

#[test]
fn a_table_that_becomes_local_keeps_its_rows_and_one_that_ceases_to_be_uploads_them() {
    let local = format!(r#"{NOTES},"localOnly":true}}"#);
    let f = first(&format!("{NOTES}}}"));
    f.pull(&[server_row("a", r#""title":"x","n":1"#), server_row("b", r#""title":"y","n":1"#)].join(","));
    f.run("UPDATE notes SET n = 2 WHERE id = 'a'");
    f.run("DELETE FROM notes WHERE id = 'b'");
    let f = reopened(f, &local);
    assert_eq!((f.counts(), f.read("SELECT id, n FROM notes")), ((0, 2), vec![vec!["a".to_string(), "2".into()]]));
    assert!(f.write(|w| w.parked())[0].reason.contains("only local"));
    f.run("INSERT INTO notes (id, title) VALUES ('c', 'z')");
    assert_eq!(f.counts(), (0, 2));
    assert_eq!(f.write(|w| w.transaction(|w| w.retry_parked(None))), 0, "not as long as it is local");
    let f = reopened(f, &format!("{NOTES}}}"));
    let told: Vec<String> = f.outbox().iter().map(|r| format!("{} {} {} {}", r[2], r[3], r[4], r[5])).collect();
    assert_eq!(
        told,
        ["b 3 NULL 0", r#"a 1 {"title":"x","n":2} 0"#, r#"c 1 {"title":"z","n":null} 0"#],
        "the delete, and each row as it is"
    );
    assert!(is_pulled_anew(&f));
    f.run("UPDATE notes SET n = 9 WHERE id = 'c'");
    assert_eq!(f.counts(), (4, 0));
}

#[test]
fn giving_up_what_was_pending_leaves_the_rows_of_a_table_that_is_local_now() {
    let f = first(&format!("{NOTES}}}"));
    f.pull(&server_row("a", r#""title":"x","n":1"#));
    f.run("UPDATE notes SET n = 2");
    let f = reopened(f, &format!(r#"{NOTES},"localOnly":true}}"#));
    assert_eq!(f.write(|w| w.transaction(|w| w.discard_parked(None))), 1);
    assert_eq!((f.read("SELECT n FROM notes"), f.counts()), (vec![vec!["2".to_string()]], (0, 0)));
    assert_eq!(f.read("SELECT count(*) FROM omnii_overlay"), [["0"]]);
}

#[test]
fn a_local_table_holds_what_can_not_be_synced_until_it_is() {
    let table = |local: bool| {
        let bytes = if local { "blob" } else { "text" };
        format!(
            r#"{{"name":"d","columns":[{{"name":"j","type":"json"}},{{"name":"r","type":"real"}},{{"name":"b","type":"{bytes}"}}],"localOnly":{local}}}"#
        )
    };
    let f = first(&table(true));
    f.run("INSERT INTO d (id, j, r, b) VALUES ('a', 'no JSON', 9e999, x'00'), ('b', '[1]', 0.5, NULL)");
    let f = reopened(f, &table(false));
    let data: Vec<String> = f.outbox().iter().map(|r| r[4].clone()).collect();
    assert_eq!(data, [r#"{"j":null,"r":null,"b":null}"#, r#"{"j":"[1]","r":0.5,"b":null}"#]);
}

#[test]
fn a_table_that_takes_inserts_only_lets_its_rows_go_but_not_its_changes() {
    let insert_only = format!(r#"{NOTES},"insertOnly":true}}"#);
    let f = first(&format!("{NOTES}}}"));
    f.pull(&server_row("a", r#""title":"x","n":1"#));
    f.run("INSERT INTO notes (id, title) VALUES ('b', 'y')");
    f.send_all();
    f.run("UPDATE notes SET n = 2 WHERE id = 'a'");
    let f = reopened(f, &insert_only);
    assert_eq!((f.counts(), f.read("SELECT count(*) FROM notes")), ((2, 0), vec![vec!["0".to_string()]]));
    let body = uploads(&f);
    assert!(body.contains(r#""id":"b""#) && body.contains(r#""id":"a","n":2"#), "{body}");
    f.run("INSERT INTO notes (id, title) VALUES ('c', 'z')");
    let f = reopened(f, &format!("{NOTES}}}"));
    assert_eq!(f.counts(), (3, 0));
    assert!(is_pulled_anew(&f));
    f.run("UPDATE notes SET n = 1");
    // and rows of a local one are inserts, too
    let f = first(&format!(r#"{NOTES},"localOnly":true}}"#));
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'x')");
    let f = reopened(f, &insert_only);
    assert_eq!((f.counts(), f.read("SELECT count(*) FROM notes")), ((1, 0), vec![vec!["0".to_string()]]));
}

#[test]
fn names_in_sql_may_change_also_for_each_others() {
    let tables = |a: &str, b: &str| {
        let view = |name: &str| if name.is_empty() { String::new() } else { format!(r#","viewName":"{name}""#) };
        format!(
            r#"{{"name":"a","columns":[{{"name":"x","type":"text"}}]{}}},{{"name":"b","columns":[{{"name":"x","type":"text"}}]{}}}"#,
            view(a),
            view(b)
        )
    };
    let f = first(&tables("", ""));
    f.run("INSERT INTO a (id) VALUES ('of a')");
    f.run("INSERT INTO b (id) VALUES ('of b')");
    f.run("CREATE VIEW v AS SELECT id FROM a");
    let f = reopened(f, &tables("b", "a"));
    assert_eq!(f.read("SELECT id FROM b UNION ALL SELECT id FROM a"), [["of a"], ["of b"]]);
    f.run("UPDATE b SET x = '1'");
    assert_eq!(f.outbox().last().unwrap()[1], "a");
    let f = reopened(f, &tables("first", "second"));
    assert_eq!(f.read("SELECT id FROM first UNION ALL SELECT id FROM second"), [["of a"], ["of b"]]);
    f.run("CREATE TABLE mine (x)");
    let (directory, seen) = (f.directory.path().to_owned(), f.seen.clone());
    let Fixture { store, directory: _keep, .. } = f;
    drop(store);
    let error = open_in(&directory, &schema(&tables("mine", "second")), seen.clone()).err().unwrap();
    assert_eq!(error.code, ErrorCode::SchemaMismatch);
    assert!(error.message.contains("'a' can't be called 'mine'"), "{error}");
    // and the file is as it was
    let store = open_in(&directory, &schema(&tables("first", "second")), seen).unwrap();
    assert_eq!(wait::<Result<Rows>>(|done| store.query("SELECT * FROM first".into(), vec![], done)).unwrap().len(), 1);
}

#[test]
fn a_table_that_left_makes_room_for_another_of_its_name_and_is_cleared_with_the_rest() {
    let other = |more: &str| format!(r#"{{"name":"other","columns":[]}}{more}"#);
    let f = first(&format!("{NOTES}}}"));
    f.pull(&server_row("a", r#""title":"x","n":1"#));
    let f = reopened(f, &other(""));
    assert_eq!(f.read("SELECT id FROM notes"), [["a"]], "its rows stay");
    let f = reopened(f, &other(r#",{"name":"b","columns":[{"name":"q","type":"text"}],"viewName":"notes"}"#));
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["0"]]);
    f.run("INSERT INTO notes (id, q) VALUES ('b', 'q')");
    assert_eq!(f.outbox()[0][1], "b");
    let f = reopened(f, &other(""));
    assert_eq!(f.counts(), (0, 1));
    f.write(|w| w.transaction(|w| w.clear_all(false)));
    assert!(f.try_run("SELECT * FROM notes").is_err());
    let f = reopened(f, &format!("{NOTES}}}"));
    f.run("INSERT INTO notes (id) VALUES ('a')");
    // back under another name
    let f = reopened(f, &other(""));
    let f = reopened(f, &format!(r#"{NOTES},"viewName":"n"}}"#));
    assert_eq!((f.read("SELECT id FROM n"), f.counts()), (vec![vec!["a".to_string()]], (1, 0)));
}

#[test]
fn a_table_of_the_apps_own_is_not_taken() {
    let f = first(r#"{"name":"other","columns":[]}"#);
    f.run("CREATE TABLE notes (id TEXT PRIMARY KEY, title TEXT)");
    f.run("INSERT INTO notes VALUES ('a', 'mine')");
    let error = try_reopened(f, &format!("{NOTES}}}")).err().unwrap();
    assert_eq!(error.code, ErrorCode::SchemaMismatch);
    assert!(error.message.contains("'notes' is a table or view of the app's own"), "{error}");
}

#[test]
fn options_may_come_and_go() {
    let f = first(&format!("{NOTES}}}"));
    f.pull("");
    f.pull(&server_row("z", r#""title":"x","n":1"#));
    f.write(|w| w.transaction(|w| w.delete_unseen()));
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'x')");
    let f = reopened(f, &format!(r#"{NOTES},"trackMetadata":true,"trackPrevious":{{}}}}"#));
    f.run("UPDATE notes SET title = 'y', _metadata = 'm'");
    assert_eq!(
        f.read("SELECT previous, metadata FROM omnii_outbox WHERE op = 2"),
        [[r#"{"title":"x","n":null}"#, "m"]]
    );
    assert!(!is_pulled_anew(&f));
    let f = reopened(f, &format!("{NOTES}}}"));
    f.run("UPDATE notes SET title = 'z'");
    assert_eq!(f.read("SELECT count(*) FROM omnii_outbox WHERE previous IS NULL"), [["2"]]);
    assert_eq!(f.counts(), (3, 0));
}

#[test]
fn a_local_table_that_stays_local_keeps_what_could_not_be_synced_when_another_column_changes() {
    let table = |n: &str| {
        format!(
            r#"{{"name":"d","columns":[{{"name":"j","type":"json"}},{{"name":"r","type":"real"}},{{"name":"n","type":"{n}"}}],"localOnly":true}}"#
        )
    };
    let f = first(&table("text"));
    f.run("INSERT INTO d (id, j, r, n) VALUES ('a', 'not JSON', 9e999, '5')");
    let f = reopened(f, &table("integer"));
    assert_eq!(f.read("SELECT j, r, n FROM d"), [["not JSON", "inf", "5"]]);
}
