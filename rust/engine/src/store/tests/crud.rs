//! The outbox in the app's hands.

use super::*;
use crate::store::{Crud, CrudQuery, QueueStats};

fn crud(f: &Fixture, after: Option<i64>, transactions: u32, entries: u32) -> Crud {
    f.write(move |w| w.crud(CrudQuery { after, transactions, entries }))
}

fn rows_of(crud: &Crud) -> Vec<&str> {
    crud.entries.iter().map(|e| e.row_id.as_str()).collect()
}

fn complete(f: &Fixture, last: i64) {
    f.write(move |w| w.transaction(|w| w.complete_crud(last)));
}

/// Transactions of 1, 3, and 2 entries.
fn three_transactions() -> Fixture {
    let f = fixture();
    f.run("INSERT INTO notes (id) VALUES ('a')");
    f.run("INSERT INTO notes (id) VALUES ('b'), ('c'), ('d')");
    f.run("INSERT INTO notes (id) VALUES ('e'), ('f')");
    f
}

#[test]
pub(super) fn they_are_listed_by_transaction_or_by_number() {
    let f = three_transactions();
    let first = crud(&f, None, 0, 1).entries[0].id;
    for (after, transactions, entries, expected, has_more) in [
        (None, 0, 100, "abcdef", false),
        (None, 0, 2, "ab", true),
        (None, 0, 6, "abcdef", false),
        (None, 0, 0, "", true),
        (None, 1, 100, "a", true),
        (Some(first), 1, 1, "bcd", true),
        (Some(first), 1, 100, "bcd", true),
        (Some(first + 1), 1, 100, "cd", true),
        (None, 2, 100, "abcd", true),
        (None, 3, 100, "abcdef", false),
        (None, 100, 2, "abcd", true),
        (None, 100, 4, "abcd", true),
        (None, 100, 5, "abcdef", false),
        (Some(first + 5), 1, 100, "", false),
    ] {
        let found = crud(&f, after, transactions, entries);
        let case = format!("after {after:?}, {transactions} transactions, {entries} entries");
        assert_eq!((rows_of(&found).concat().as_str(), found.has_more), (expected, has_more), "{case}");
    }
    let transactions: Vec<i64> = crud(&f, None, 0, 9).entries.iter().map(|e| e.transaction).collect();
    assert_eq!(transactions, [1, 2, 2, 2, 3, 3]);
}

#[test]
fn an_entry_says_what_was_written() {
    let f = fixture();
    f.pull(&[row("a", "x", "01"), row("b", "y", "02")].join(","));
    f.run("INSERT INTO notes (id, title, meta) VALUES ('n', 'new', '{\"k\":1}')");
    f.run("UPDATE notes SET n = 5, meta = NULL WHERE id = 'a'");
    f.run("DELETE FROM notes WHERE id = 'b'");
    f.run("INSERT OR REPLACE INTO notes (id, title) VALUES ('a', 'again')");
    let found = crud(&f, None, 0, 9);
    let told: Vec<String> = found
        .entries
        .iter()
        .map(|e| format!("{} {} {}", e.op, e.row_id, serde_json::to_string(&e.data).unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            r#"PUT n {"meta":"{\"k\":1}","title":"new"}"#,
            r#"PATCH a {"meta":null,"n":5}"#,
            "DELETE b null",
            // the backend has the row: what is NULL now must be said
            r#"PUT a {"meta":null,"n":null,"r":null,"title":"again","updated_at":null}"#,
        ]
    );
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["hasMore"], false);
    assert_eq!(json["entries"][2]["rowId"], "b");
    assert!(json["entries"][2]["previous"].is_null() && json["entries"][2]["metadata"].is_null());
}

#[test]
pub(super) fn what_is_completed_leaves_and_nobody_sees_a_difference() {
    let f = fixture();
    f.pull(&[row("a", "theirs", "01"), row("b", "y", "02")].join(","));
    f.run("UPDATE notes SET title = 'mine' WHERE id = 'a'");
    f.run("DELETE FROM notes WHERE id = 'b'");
    f.run("INSERT INTO notes (id, title) VALUES ('c', 'new')");
    let last = crud(&f, None, 0, 9).entries[2].id;
    f.run("UPDATE notes SET n = 7 WHERE id = 'a'");
    f.run("UPDATE notes SET n = 8 WHERE id = 'c'");
    let before = f.read("SELECT id, title, n FROM notes ORDER BY id");
    f.seen.tables.lock().unwrap().clear();
    complete(&f, last);
    assert_eq!(f.read("SELECT id, title, n FROM notes ORDER BY id"), before);
    assert!(f.seen.tables.lock().unwrap().is_empty(), "nothing has changed");
    assert_eq!(f.counts(), (2, 0));
    assert_eq!(rows_of(&crud(&f, None, 0, 9)).concat(), "ac");
    // a pull that began before shows the old version of what is not pending, and the new one over nothing
    f.pull(&row("a", "mine", "03"));
    assert_eq!(f.read("SELECT title, n FROM notes WHERE id = 'a'"), [["mine", "7"]]);
    complete(&f, i64::MAX);
    assert_eq!(f.counts(), (0, 0));
    assert_eq!(f.read("SELECT count(*) FROM omnii_overlay"), [["0"]]);
    assert_eq!(f.read("SELECT id, n FROM notes ORDER BY id"), [["a", "7"], ["c", "8"]]);
    // and the backend has the last word
    f.pull(&row("a", "theirs again", "04"));
    assert_eq!(f.read("SELECT title, n FROM notes WHERE id = 'a'"), [["theirs again", "1"]]);
}

#[test]
fn completing_twice_or_what_never_was_does_no_harm() {
    let f = three_transactions();
    for last in [0, -5, 1, 1, i64::MAX, i64::MAX] {
        complete(&f, last);
    }
    assert_eq!(f.counts(), (0, 0));
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["6"]]);
    f.run("UPDATE notes SET n = 1 WHERE id = 'a'");
    assert_eq!(crud(&f, None, 1, 9).entries.len(), 1, "ids are never used twice");
}

#[test]
fn a_refused_change_stays_parked_but_does_not_hide_what_was_uploaded_since() {
    let f = fixture();
    f.pull(&row("a", "theirs", "01"));
    f.run("UPDATE notes SET title = 'bad', n = 2 WHERE id = 'a'");
    f.send_all();
    f.pull("");
    f.run("UPDATE notes SET title = 'good' WHERE id = 'a'");
    assert_eq!(crud(&f, None, 0, 9).entries.len(), 1, "parked changes have calls of their own");
    complete(&f, i64::MAX);
    assert_eq!(f.read("SELECT title, n FROM notes"), [["good", "2"]]);
    assert_eq!(f.counts(), (0, 1));
    f.run("DELETE FROM notes WHERE id = 'a'");
    complete(&f, i64::MAX);
    assert_eq!(f.counts(), (0, 0), "with the row goes what was wrong with it");
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["0"]]);
}

#[test]
fn what_the_backend_makes_of_an_upload_is_no_conflict() {
    for policy in ["clientWins", "serverWins"] {
        let schema = SCHEMA.replacen(r#""required""#, &format!(r#""conflictPolicy":"{policy}","required""#), 1);
        let Fixture { store, seen, directory } = fixture();
        drop(store);
        let store = open_in(directory.path(), &schema, seen.clone()).unwrap();
        let f = Fixture { store, seen, directory };
        f.run("INSERT INTO notes (id, title) VALUES ('a', 'new')");
        let last = crud(&f, None, 0, 9).entries[0].id;
        f.run("UPDATE notes SET title = 'newer' WHERE id = 'a'");
        complete(&f, last);
        // r, n and meta are the backend's defaults
        f.pull(&row("a", "new", "02"));
        assert_eq!(f.read("SELECT title, n FROM notes"), [["newer", "1"]], "{policy}");
        assert_eq!(f.outbox()[0][4], r#"{"title":"newer"}"#, "{policy}");
        // somebody else's edit is one
        f.pull(&row("a", "theirs", "03"));
        let expected = if policy == "serverWins" { "theirs" } else { "newer" };
        assert_eq!(f.read("SELECT title FROM notes"), [[expected]], "{policy}");
    }
}

#[test]
fn what_the_engine_has_sent_is_listed_when_the_app_takes_over() {
    let f = three_transactions();
    f.send_all();
    assert_eq!(crud(&f, None, 0, 9).entries.len(), 6);
    f.write(|w| w.transaction(|w| w.queue_sent()));
    f.pull(""); // which proves none of them
    assert_eq!((f.counts(), crud(&f, None, 0, 9).entries.len()), ((6, 0), 6));
}

#[test]
fn the_queue_is_counted_and_weighed() {
    let f = fixture();
    assert_eq!(f.write(|w| w.queue_stats(true)), QueueStats { count: 0, size: Some(0) });
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'äöü')");
    let stats = f.write(|w| w.queue_stats(true));
    let data = r#"{"title":"äöü","n":null,"r":null,"meta":null,"updated_at":null}"#.len() as u64;
    assert_eq!(stats, QueueStats { count: 1, size: Some(20 + 5 + 1 + data) });
    assert_eq!(f.write(|w| w.queue_stats(false)), QueueStats { count: 1, size: None });
}

#[test]
fn a_file_has_a_client_id_of_its_own_for_ever() {
    let id = |f: &Fixture| f.write(|w| w.client_id());
    let mut f = fixture();
    let first = id(&f);
    assert!(first.len() == 36 && first.as_bytes()[14] == b'4' && "89ab".contains(&first[19..20]), "{first}");
    f.write(|w| w.transaction(|w| w.clear_all(true)));
    f.store.close();
    f.store = open_in(f.directory.path(), SCHEMA, f.seen.clone()).unwrap();
    assert_eq!(id(&f), first);
    assert_ne!(id(&fixture()), first);
}

#[test]
pub(super) fn clearing_leaves_nothing_behind_and_tells_everybody() {
    let f = fixture();
    f.pull(&[row("a", "x", "01"), row("b", "y", "02")].join(","));
    f.run("UPDATE notes SET title = 'bad' WHERE id = 'a'");
    f.send_all();
    f.pull("");
    f.run("UPDATE notes SET n = 3 WHERE id = 'a'");
    f.run("DELETE FROM notes WHERE id = 'b'");
    f.write(|w| w.round_complete(Some(1), Some(2)));
    assert_eq!(f.counts(), (2, 1));
    f.seen.tables.lock().unwrap().clear();
    f.write(|w| w.transaction(|w| w.clear_all(false)));
    assert_eq!(f.counts(), (0, 0));
    assert_eq!(*f.seen.tables.lock().unwrap(), [["notes"]]);
    let left = "SELECT (SELECT count(*) FROM notes) + (SELECT count(*) FROM omnii_outbox) + (SELECT count(*) FROM omnii_overlay) \
                + (SELECT count(*) FROM omnii_cursor) + (SELECT count(*) FROM omnii_meta WHERE key LIKE 'last%')";
    assert_eq!(f.read(left), [["0"]]);
    f.run("INSERT INTO notes (id) VALUES ('c')");
    assert_eq!(f.counts(), (1, 0), "it goes on");
}

#[test]
fn a_row_completed_during_a_sweep_that_could_not_see_it_stays() {
    let f = fixture();
    f.pull(&row("old", "x", "01"));
    f.run("INSERT INTO notes (id, title) VALUES ('new', 'n')");
    f.run("UPDATE notes SET n = 7 WHERE id = 'old'");
    // the sweep has asked for everything by now, and gets to see nothing
    f.write(|w| w.begin_sweep());
    complete(&f, i64::MAX);
    f.write(|w| w.transaction(|w| w.delete_unseen()));
    assert_eq!(f.read("SELECT id, n FROM notes ORDER BY id"), [["new", "NULL"], ["old", "7"]]);
    // the next one knows better
    f.write(|w| w.begin_sweep());
    f.write(|w| w.transaction(|w| w.delete_unseen()));
    assert!(f.read("SELECT id FROM notes").is_empty());
}
