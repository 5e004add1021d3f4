//! Parked changes in the app's hands.

use super::*;

fn parked_ids(f: &Fixture) -> Vec<i64> {
    f.write(|w| Ok(w.parked()?.iter().map(|p| p.id).collect()))
}

fn park_all(f: &Fixture) {
    f.send_all();
    f.pull("");
}

#[test]
fn they_are_listed_with_what_was_done_and_why() {
    let f = fixture();
    f.pull(&row("b", "x", "01"));
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'bad')");
    f.run("UPDATE notes SET n = 5 WHERE id = 'b'");
    park_all(&f);
    let parked = f.write(|w| w.parked());
    assert_eq!(parked.len(), 2);
    assert_eq!((parked[0].operation, parked[0].row_id.as_str(), parked[0].table.as_str()), ("insert", "a", "notes"));
    assert_eq!(parked[0].columns.as_ref().unwrap()["title"], "bad");
    assert_eq!(
        (parked[1].operation, serde_json::to_string(&parked[1].columns).unwrap().as_str()),
        ("update", r#"{"n":5}"#)
    );
    assert!(parked[1].reason.contains("constraints"), "{}", parked[1].reason);
    assert!(parked[0].transaction_id < parked[1].transaction_id);
}

#[test]
fn retrying_queues_them_in_their_old_places_and_asks_for_a_push() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'bad')");
    park_all(&f);
    f.run("INSERT INTO notes (id, title) VALUES ('b', 'later')");
    f.seen.outbox.lock().unwrap().clear();
    assert_eq!(f.write(|w| w.transaction(|w| w.retry_parked(Some(&[999])))), 0);
    assert_eq!(f.write(|w| w.transaction(|w| w.retry_parked(None))), 1);
    assert_eq!(f.counts(), (2, 0));
    assert!(f.seen.outbox.lock().unwrap().iter().any(|(counts, push)| *push && counts.pending == 2));
    let order: Vec<String> = f.write(|w| Ok(w.queued(i64::MAX, 9)?.changes.into_iter().map(|c| c.row_id).collect()));
    assert_eq!(order, ["a", "b"]);
}

#[test]
fn discarding_restores_the_servers_version_under_what_is_still_pending() {
    let f = fixture();
    f.pull(&row("a", "theirs", "01"));
    f.run("UPDATE notes SET title = 'bad', n = 2 WHERE id = 'a'");
    park_all(&f);
    f.run("UPDATE notes SET n = 3 WHERE id = 'a'");
    let ids = parked_ids(&f);
    assert_eq!(f.write(move |w| w.transaction(|w| w.discard_parked(Some(&ids)))), 1);
    assert_eq!(f.read("SELECT title, n FROM notes"), [["theirs", "3"]]);
    assert_eq!(f.counts(), (1, 0));
    f.run("DELETE FROM notes WHERE id = 'a'");
    f.write(|w| {
        w.transaction(|w| {
            let ids: Vec<i64> = w.queued(i64::MAX, 9)?.changes.iter().map(|c| c.id).collect();
            w.park(&ids, "no")
        })
    });
    assert_eq!(f.write(|w| w.transaction(|w| w.discard_parked(None))), 2);
    assert_eq!(f.read("SELECT title, n FROM notes"), [["theirs", "1"]], "the row is back");
    assert_eq!(f.read("SELECT count(*) FROM omnii_overlay"), [["0"]]);
}

#[test]
fn discarding_an_insert_takes_the_row_and_its_later_changes() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'bad')");
    park_all(&f);
    f.run("UPDATE notes SET n = 3 WHERE id = 'a'");
    assert_eq!(f.write(|w| w.transaction(|w| w.discard_parked(None))), 1);
    assert_eq!((f.read("SELECT count(*) FROM notes"), f.counts()), (vec![vec!["0".to_owned()]], (0, 0)));
}

#[test]
fn a_later_change_that_is_stored_is_not_hidden_by_an_earlier_parked_one() {
    let f = fixture();
    f.pull(&row("a", "was", "01"));
    f.run("UPDATE notes SET title = 'bad', n = 2 WHERE id = 'a'");
    park_all(&f);
    f.run("UPDATE notes SET title = 'good' WHERE id = 'a'");
    f.send_all();
    f.pull(&row("a", "good", "00").replace("00:00:00", "00:00:00.4"));
    assert_eq!(f.read("SELECT title, n FROM notes"), [["good", "2"]]);
    let parked = f.write(|w| w.parked());
    assert_eq!(serde_json::to_string(&parked[0].columns).unwrap(), r#"{"n":2}"#, "title is no longer at issue");
    f.pull(&row("a", "theirs", "30"));
    assert_eq!(f.read("SELECT title, n FROM notes"), [["theirs", "2"]]);
}

#[test]
fn a_table_that_comes_back_into_the_schema_takes_its_changes_up_again() {
    let Fixture { store, seen, directory } = fixture();
    let f = Fixture { store, seen: seen.clone(), directory };
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'x')");
    let Fixture { store, directory, .. } = f;
    drop(store);
    let other = r#"{"tables":[{"name":"other","columns":[]}]}"#;
    drop(open_in(directory.path(), other, seen.clone()).unwrap());
    let f = Fixture { store: open_in(directory.path(), SCHEMA, seen.clone()).unwrap(), seen, directory };
    assert_eq!(f.counts(), (1, 0));
    assert_eq!(f.write(|w| Ok(w.queued(i64::MAX, 9)?.changes.len())), 1);
}

#[test]
fn a_parked_insert_does_not_hide_what_the_server_shows_of_the_row() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title, n) VALUES ('a', 'bad', 1)");
    park_all(&f);
    f.run("UPDATE notes SET title = 'good' WHERE id = 'a'");
    f.send_all();
    // stored whole, and another device has set n since
    f.pull(&row("a", "good", "30").replace(r#""n":1"#, r#""n":7"#));
    assert_eq!(f.read("SELECT title FROM notes"), [["good"]]);
    let parked = f.write(|w| w.parked());
    assert!(parked.iter().all(|p| p.operation == "update" && !p.columns.as_ref().unwrap().contains_key("title")));
}

#[test]
fn discarding_an_insert_leaves_a_later_insert_of_the_row() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'bad')");
    park_all(&f);
    f.run("UPDATE notes SET n = 3 WHERE id = 'a'");
    f.run("INSERT OR REPLACE INTO notes (id, title) VALUES ('a', 'good')");
    assert_eq!(f.write(|w| w.transaction(|w| w.discard_parked(None))), 1);
    assert_eq!((f.read("SELECT title FROM notes"), f.counts()), (vec![vec!["good".to_owned()]], (1, 0)));
}

#[test]
fn an_answer_never_meets_a_change_that_came_after_what_was_given_up() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'bad')");
    park_all(&f);
    f.run("DELETE FROM notes WHERE id = 'a'");
    let on_its_way: Vec<i64> = f.write(|w| Ok(w.queued(i64::MAX, 9)?.changes.iter().map(|c| c.id).collect()));
    f.write(|w| w.transaction(|w| w.discard_parked(None)));
    f.run("INSERT INTO notes (id, title) VALUES ('b', 'precious')");
    f.write(move |w| w.transaction(|w| w.acknowledge_delete(&on_its_way)));
    assert_eq!((f.counts(), f.read("SELECT row_id FROM omnii_outbox")), ((1, 0), vec![vec!["b".to_owned()]]));
    let before = parked_or_queued(&f);
    let f = Fixture {
        store: {
            f.store.close();
            open_in(f.directory.path(), SCHEMA, f.seen.clone()).unwrap()
        },
        ..f
    };
    f.write(|w| {
        w.transaction(|w| {
            let ids: Vec<i64> = w.queued(i64::MAX, 9)?.changes.iter().map(|c| c.id).collect();
            w.acknowledge_delete(&ids)
        })
    });
    f.run("INSERT INTO notes (id, title) VALUES ('c', 'x')");
    assert!(parked_or_queued(&f) > before, "nor after a restart");
}

fn parked_or_queued(f: &Fixture) -> i64 {
    f.read("SELECT max(id) FROM omnii_outbox")[0][0].parse().unwrap()
}

#[test]
fn a_delete_that_is_done_takes_what_was_queued_again_meanwhile() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'bad')");
    park_all(&f);
    f.run("DELETE FROM notes WHERE id = 'a'");
    let on_its_way: Vec<i64> = f.write(|w| Ok(w.queued(i64::MAX, 9)?.changes.iter().map(|c| c.id).collect()));
    f.write(|w| w.transaction(|w| w.retry_parked(None)));
    f.write(move |w| w.transaction(|w| w.acknowledge_delete(&on_its_way)));
    assert_eq!(f.counts(), (0, 0));
}
