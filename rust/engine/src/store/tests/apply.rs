//! Pages: what they write, what they prove, and what they leave alone.

use super::*;

#[test]
pub(super) fn pulled_rows_do_not_enter_the_outbox_and_a_page_twice_changes_nothing() {
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
pub(super) fn pending_changes_survive_a_pull_by_column_and_settle_when_proven() {
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
    let ids = f.write(|w| Ok(w.queued(i64::MAX, 10)?.changes.iter().map(|c| c.id).collect::<Vec<_>>()));
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
fn a_parked_change_leaves_when_the_row_shows_it_after_all_or_is_deleted() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title, n) VALUES ('a', 'bad', 1), ('b', 'bad', 1)");
    f.send_all();
    assert_eq!(f.pull("").parked, 2);
    // the user mends one and deletes the other
    f.run("UPDATE notes SET title = 'good' WHERE id = 'a'");
    f.run("DELETE FROM notes WHERE id = 'b'");
    let base = f.write(|w| Ok(w.queued(i64::MAX, 10)?.bases[&("notes".into(), "a".into())].clone()));
    assert!(!base.known && base.row.unwrap()["n"] == 1, "the whole row goes up");
    let ids = f.send_all();
    f.write(move |w| w.transaction(|w| w.acknowledge_delete(&ids[1..])));
    assert_eq!(f.counts(), (1, 1));
    let applied = f.pull(&row("a", "good", "00"));
    assert_eq!((applied.acknowledged, f.counts()), (2, (0, 0)));
}
