//! The sweep: rows that the backend has no more.

use super::*;

#[test]
fn only_rows_that_were_not_seen_and_have_no_changes_go() {
    let f = fixture();
    f.pull(&[row("a", "x", "01"), row("b", "x", "02"), row("c", "x", "03"), row("d", "x", "04")].join(","));
    f.run("UPDATE notes SET n = 9 WHERE id = 'c'");
    f.run("INSERT INTO notes (id, title) VALUES ('new', 'mine')");
    f.seen.tables.lock().unwrap().clear();
    assert_eq!(f.sweep(&row("a", "x", "01")), 2);
    assert_eq!(f.read("SELECT id FROM notes ORDER BY id"), [["a"], ["c"], ["new"]]);
    assert_eq!(*f.seen.tables.lock().unwrap(), [["notes"]], "one commit, one event");
    assert_eq!(f.counts(), (2, 0));
    assert_eq!(f.sweep(&row("a", "x", "01")), 0);
    assert_eq!(f.read("SELECT count(*) FROM omnii_sweep"), [["0"]]);
}

#[test]
fn a_row_that_was_refused_exists_all_the_same() {
    let f = fixture();
    f.pull(&[row("a", "x", "01"), row("b", "x", "02")].join(","));
    let unusable = row("a", "x", "05").replace(r#""n":1"#, r#""n":"text""#);
    let foreign = row("b", "x", "06").replace(r#""n":1"#, r#""n":1,"user_id":"other""#);
    assert_eq!(f.sweep(&[unusable, foreign].join(",")), 0);
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["2"]]);
}

#[test]
fn an_empty_file_knows_nothing_until_the_first_row_of_the_server() {
    let f = fixture();
    assert!(f.write(|w| w.knows_nothing()));
    f.run("INSERT INTO notes (id, title) VALUES ('new', 'mine')");
    assert!(f.write(|w| w.knows_nothing()), "what was made here is not from there");
    f.pull(&row("a", "x", "01"));
    f.run("UPDATE notes SET n = 9 WHERE id = 'a'");
    f.write(|w| w.transaction(|w| w.clear()));
    assert!(!f.write(|w| w.knows_nothing()), "a row with changes may have been deleted there");
}
