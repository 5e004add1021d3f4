//! What a table's options do, seen through SQL.

use super::*;
use crate::store::CrudQuery;
use serde_json::{Value as Json, json};

fn with(table: &str) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let seen = Arc::new(Seen::default());
    let store = open_in(directory.path(), &format!(r#"{{"tables":[{table}]}}"#), seen.clone()).unwrap();
    Fixture { store, seen, directory }
}

/// All pending entries as JSON: op, row, data, previous, metadata.
fn entries(f: &Fixture) -> Json {
    let crud = f.write(|w| w.crud(CrudQuery { after: None, transactions: 0, entries: 100 }));
    let told = |e: &crate::store::CrudEntry| json!([e.op, e.row_id, e.data, e.previous, e.metadata]);
    crud.entries.iter().map(told).collect()
}

const COLUMNS: &str = r#""columns":[{"name":"title","type":"text"},{"name":"n","type":"integer"}]"#;

#[test]
fn a_local_table_is_nobody_elses_business() {
    let f = with(&format!(
        r#"{{"name":"notes",{COLUMNS}}},
           {{"name":"drafts","columns":[{{"name":"body","type":"blob"}},{{"name":"j","type":"json"}}],"localOnly":true,
             "indexes":[{{"name":"i","columns":["-j"]}}]}}"#
    ));
    f.run("INSERT INTO drafts (id, body, j) VALUES ('a', x'00ff', 'no JSON')");
    f.run("UPDATE drafts SET id = 'A' WHERE id = 'a'");
    f.run("INSERT INTO drafts (id) VALUES ('b')");
    f.run("DELETE FROM drafts WHERE id = 'b'");
    assert_eq!((f.counts(), entries(&f)), ((0, 0), json!([])));
    assert_eq!(f.read("SELECT count(*) FROM omnii_overlay"), [["0"]]);
    let names: Vec<String> = f.store.schema().pulled().map(|t| t.name.clone()).collect();
    assert_eq!(names, ["notes"]);
    assert!(f.write(|w| w.knows_nothing()), "it is not the backend's");
    f.write(|w| w.transaction(|w| w.delete_unseen()));
    f.write(|w| w.transaction(|w| w.clear()));
    f.write(|w| w.transaction(|w| w.clear_all(false)));
    assert_eq!(f.read("SELECT id, body FROM drafts"), [["A", "[0, 255]"]]);
    assert!(f.try_run("DROP TABLE drafts").is_err());
    f.seen.tables.lock().unwrap().clear();
    f.write(|w| w.transaction(|w| w.clear_all(true)));
    assert_eq!(f.read("SELECT count(*) FROM drafts"), [["0"]]);
    assert_eq!(*f.seen.tables.lock().unwrap(), [["drafts"]]);
}

#[test]
fn rows_of_an_insert_only_table_go_to_the_outbox_and_nowhere_else() {
    let f = with(&format!(
        r#"{{"name":"log",{COLUMNS},"insertOnly":true,"trackMetadata":true,"indexes":[{{"name":"i","columns":["n"]}}]}}"#
    ));
    let rows = f.run("INSERT INTO log (id, title, n, _metadata) VALUES ('a', 'x', 1, 'm'), ('b', 'y', 2, NULL)");
    assert_eq!(rows.rows_affected, 2);
    f.run("INSERT OR REPLACE INTO log (id, title) VALUES ('a', 'again')");
    assert_eq!(f.read("SELECT count(*) FROM log"), [["0"]]);
    assert_eq!(
        entries(&f),
        json!([
            ["PUT", "a", {"title":"x","n":1}, null, "m"],
            ["PUT", "b", {"title":"y","n":2}, null, null],
            ["PUT", "a", {"title":"again","n":null}, null, null]
        ])
    );
    for sql in [
        "UPDATE log SET n = 1",
        "DELETE FROM log",
        "DELETE FROM log WHERE id = 'a'",
        "INSERT INTO log (id) VALUES ('c') ON CONFLICT (id) DO UPDATE SET n = 1",
    ] {
        let error = f.try_run(sql).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadArgument, "{sql}");
        assert!(error.message.contains("'log' is insertOnly"), "{sql}: {error}");
    }
    assert_eq!(f.try_run("INSERT INTO log (id, n) VALUES ('c', 'text')").unwrap_err().code, ErrorCode::Constraint);
    assert_eq!(f.counts(), (3, 0));
    assert_eq!(f.store.schema().pulled().count(), 0);
    let ids: Vec<i64> = f.write(|w| Ok(w.queued(i64::MAX, 9)?.changes.iter().map(|c| c.id).collect()));
    f.write(move |w| w.transaction(|w| w.acknowledge_unseen(&ids)));
    assert_eq!((f.counts(), f.read("SELECT count(*) FROM omnii_overlay")), ((0, 0), vec![vec!["0".to_string()]]));
}

#[test]
fn previous_values_are_kept_as_asked_for() {
    let case = |track: &str| {
        let f = with(&format!(r#"{{"name":"notes",{COLUMNS},"trackPrevious":{track}}}"#));
        f.run("INSERT INTO notes (id, title, n) VALUES ('a', 'x', 1)");
        f.run("UPDATE notes SET title = 'y' WHERE id = 'a'");
        f.run("UPDATE notes SET title = 'y' WHERE id = 'a'");
        f.run("UPDATE notes SET title = 'z', n = 2 WHERE id = 'a'");
        f.run("DELETE FROM notes WHERE id = 'a'");
        let told = entries(&f);
        told.as_array().unwrap().iter().map(|e| e[3].clone()).collect::<Json>()
    };
    let (x, y, z) = (json!({"title":"x","n":1}), json!({"title":"y","n":1}), json!({"title":"z","n":2}));
    assert_eq!(case("{}"), json!([null, x, y, z]));
    assert_eq!(case(r#"{"onlyWhenChanged":true}"#), json!([null, {"title":"x"}, y, z]));
    assert_eq!(case(r#"{"columns":["n"]}"#), json!([null, {"n":1}, {"n":1}, {"n":2}]));
    assert_eq!(case(r#"{"columns":["n"],"onlyWhenChanged":true}"#), json!([null, {}, {"n":1}, {"n":2}]));
    assert_eq!(case("null"), json!([null, null, null, null]));
}

#[test]
fn metadata_goes_with_the_change_and_stays_nowhere() {
    let f = with(&format!(r#"{{"name":"notes",{COLUMNS},"trackMetadata":true,"trackPrevious":{{}}}}"#));
    f.run("INSERT INTO notes (id, title, _metadata) VALUES ('a', 'x', 'made')");
    f.run("UPDATE notes SET title = 'y', _metadata = 'edited'");
    f.run("UPDATE notes SET n = 1");
    f.run("UPDATE notes SET _metadata = 'nothing else'");
    f.run("INSERT INTO notes (id, n, _metadata) VALUES ('a', 2, 'upserted') ON CONFLICT (id) DO UPDATE SET n = excluded.n, _metadata = excluded._metadata");
    f.run("DELETE FROM notes");
    assert_eq!(
        entries(&f),
        json!([
            ["PUT", "a", {"title":"x"}, null, "made"],
            ["PATCH", "a", {"title":"y"}, {"title":"x","n":null}, "edited"],
            ["PATCH", "a", {"n":1}, {"title":"y","n":null}, null],
            ["PATCH", "a", {"n":2}, {"title":"y","n":1}, "upserted"],
            ["DELETE", "a", null, {"title":"y","n":2}, null]
        ])
    );
    f.run("INSERT INTO notes (id, _metadata) VALUES ('b', 'x')");
    assert_eq!(f.read("SELECT * FROM notes"), [["b", "NULL", "NULL", "NULL"]]);
    f.pull(r#"{"id":"c","title":"t","_metadata":"of the backend","updated_at":"2026-01-01T00:00:00Z"}"#);
    assert_eq!(f.read("SELECT title, _metadata FROM notes WHERE id = 'c'"), [["t", "NULL"]]);
    // an update that only takes a note leaves nothing behind
    f.run("UPDATE notes SET _metadata = 'x' WHERE id = 'c'");
    assert_eq!(f.read("SELECT count(*) FROM omnii_overlay WHERE row_id = 'c'"), [["0"]]);
}

#[test]
fn a_table_may_have_another_name_in_sql() {
    let f = with(&format!(
        r#"{{"name":"notes",{COLUMNS},"viewName":"my \"notes'","indexes":[{{"name":"i","columns":["-title","n"]}}]}}"#
    ));
    let t = r#""my ""notes'""#;
    f.run(&format!("INSERT INTO {t} (id, title) VALUES ('a', 'x')"));
    f.pull(r#"{"id":"b","title":"y","n":1,"updated_at":"2026-01-01T00:00:00Z"}"#);
    f.run(&format!("UPDATE {t} SET n = 2 WHERE id = 'b'"));
    f.pull(r#"{"id":"b","title":"z","n":1,"updated_at":"2026-01-01T00:00:05Z"}"#);
    assert_eq!(f.read(&format!("SELECT id, title, n FROM {t} ORDER BY id")), [["a", "x", "NULL"], ["b", "z", "2"]]);
    assert!(f.outbox().iter().all(|row| row[1] == "notes"));
    assert_eq!(f.read("SELECT tbl FROM omnii_cursor"), [["notes"]]);
    assert!(f.seen.tables.lock().unwrap().iter().flatten().all(|name| name == "my \"notes'"));
    assert!(f.try_run("SELECT * FROM notes").is_err());
    for sql in [format!("DROP TABLE {t}"), "CREATE TABLE notes (x)".into()] {
        assert_eq!(f.try_run(&sql).unwrap_err().code, ErrorCode::BadArgument, "{sql}");
    }
    let plan = f.read(&format!("EXPLAIN QUERY PLAN SELECT id FROM {t} ORDER BY title DESC, n"));
    assert!(plan[0][3].contains("notes__i"), "{plan:?}");
    f.write(|w| w.transaction(|w| w.clear()));
    f.write(|w| w.transaction(|w| w.delete_unseen()));
    assert_eq!(f.read(&format!("SELECT count(*) FROM {t}")), [["2"]]);
    assert!(f.write(|w| {
        let t = w.schema.tables[0].clone();
        w.transaction(|w| w.begin_load(&t))
    }));
}

#[test]
fn a_boolean_is_0_1_or_null() {
    let f = with(r#"{"name":"notes","columns":[{"name":"done","type":"boolean"},{"name":"at","type":"timestamp"}]}"#);
    f.run(
        "INSERT INTO notes (id, done, at) VALUES ('a', true, '2026-01-01 10:00'), ('b', 0, NULL), ('c', NULL, 'soon')",
    );
    for value in ["2", "-1"] {
        let error = f.try_run(&format!("UPDATE notes SET done = {value}")).unwrap_err();
        assert_eq!(error.code, ErrorCode::Constraint);
        assert!(error.message.contains("notes.done is a boolean"), "{error}");
    }
    assert!(f.try_run("UPDATE notes SET done = 'true'").is_err());
    assert_eq!(entries(&f)[0][2], json!({"done":1,"at":"2026-01-01 10:00"}));
    f.pull(r#"{"id":"d","done":true,"at":"2026-01-01T10:00:00+00:00","updated_at":"2026-01-01T00:00:00Z"}"#);
    assert_eq!(f.read("SELECT done, at FROM notes WHERE id = 'd'"), [["1", "2026-01-01T10:00:00+00:00"]]);
}
