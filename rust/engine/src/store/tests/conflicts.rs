//! Both sides changed a row: what the app sees and what is still to be sent, by policy (docs/protocol.md, "Conflicts").

use super::*;

/// A store whose table `notes` has this policy, with row `a` as the server had it: title `was`, n 1.
fn with_policy(policy: &str) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let seen = Arc::new(Seen::default());
    let schema =
        SCHEMA.replacen(r#""required":["title"]"#, &format!(r#""required":["title"],"conflictPolicy":"{policy}""#), 1);
    let store = open_in(directory.path(), &schema, seen.clone()).unwrap();
    let f = Fixture { store, seen, directory };
    f.pull(&row("a", "was", "00"));
    f
}

impl Fixture {
    /// Title and n of row `a` (`-` if it is not there), then the outbox as `op columns state`.
    fn stand(&self) -> String {
        let row = self.read("SELECT title, n FROM notes WHERE id = 'a'").pop().map_or("-".into(), |r| r.join(" "));
        let outbox = self.read("SELECT op, coalesce(data, ''), state FROM omnii_outbox ORDER BY id");
        [row].into_iter().chain(outbox.into_iter().map(|entry| entry.join(" "))).collect::<Vec<_>>().join(" | ")
    }
    /// A complete sweep that sees these rows (JSON objects, comma-separated).
    pub(super) fn sweep(&self, rows: &str) -> usize {
        let pull = self.store.begin_pull().number();
        let body = format!(r#"{{"changes":{{"notes":[{rows}]}}}}"#);
        self.write(move |w| {
            w.begin_sweep()?;
            let table = w.schema.tables[0].clone();
            let page = page::read(body.as_bytes(), &table, "u")?.unwrap();
            w.transaction(|w| {
                w.apply(&PulledPage { table: &table, page: &page, pull, complete: COMPLETE, sweep: true })
            })?;
            w.transaction(|w| w.delete_unseen())
        })
    }
}

const EDIT: &str = "UPDATE notes SET title = 'mine' WHERE id = 'a'";
const DELETE: &str = "DELETE FROM notes WHERE id = 'a'";

#[test]
fn edited_here_and_there() {
    let theirs = || row("a", "theirs", "20").replace(r#""n":1"#, r#""n":7"#);
    for (policy, expected) in [
        ("lastWriteWins", r#"mine 7 | 2 {"title":"mine"} 0"#),
        (
            "clientWins",
            r#"mine 1 | 2 {"meta":"{\"k\":1}","n":1,"r":0.1,"title":"mine","updated_at":"2026-01-01T00:00:00+00:00"} 0"#,
        ),
        ("serverWins", "theirs 7"),
    ] {
        let f = with_policy(policy);
        f.run(EDIT);
        f.pull(&theirs());
        assert_eq!(f.stand(), expected, "{policy}");
        assert_eq!(f.pull(&theirs()).written, 0, "{policy}: the same again changes nothing");
    }
}

#[test]
fn deleted_here_and_edited_there() {
    for (policy, expected) in [("lastWriteWins", "- | 3  0"), ("clientWins", "- | 3  0"), ("serverWins", "theirs 1")] {
        let f = with_policy(policy);
        f.run(DELETE);
        f.pull(&row("a", "theirs", "20"));
        assert_eq!(f.stand(), expected, "{policy}");
    }
}

#[test]
fn edited_here_and_deleted_there() {
    for (policy, expected) in [
        // the edit is not lost: the row goes up whole
        (
            "lastWriteWins",
            r#"mine 1 | 1 {"meta":"{\"k\":1}","n":1,"r":0.1,"title":"mine","updated_at":"2026-01-01T00:00:00+00:00"} 0"#,
        ),
        (
            "clientWins",
            r#"mine 1 | 1 {"meta":"{\"k\":1}","n":1,"r":0.1,"title":"mine","updated_at":"2026-01-01T00:00:00+00:00"} 0"#,
        ),
        ("serverWins", "-"),
    ] {
        let f = with_policy(policy);
        f.run(EDIT);
        f.sweep("");
        assert_eq!(f.stand(), expected, "{policy}");
        let base = f.write(|w| Ok(w.queued(i64::MAX, 10)?.bases.into_values().next()));
        assert!(base.is_none_or(|base| !base.known), "{policy}: the server is known not to have it");
    }
}

#[test]
fn deleted_here_and_there() {
    for policy in ["lastWriteWins", "clientWins", "serverWins"] {
        let f = with_policy(policy);
        f.run(DELETE);
        f.sweep("");
        assert_eq!(f.stand(), if policy == "serverWins" { "-" } else { "- | 3  0" }, "{policy}");
    }
}

#[test]
fn server_wins_does_not_take_its_own_echo_for_a_conflict() {
    let f = with_policy("serverWins");
    // sent, and edited again before the row came back
    f.run(EDIT);
    f.send_all();
    f.run("UPDATE notes SET n = 9 WHERE id = 'a'");
    f.pull(&row("a", "mine", "20"));
    assert_eq!(f.stand(), r#"mine 9 | 2 {"n":9} 0"#);
    // the answer was lost: the change is still queued, and the row shows it
    let f = with_policy("serverWins");
    f.run(EDIT);
    f.run("UPDATE notes SET n = 9 WHERE id = 'a'");
    f.pull(&row("a", "mine", "20"));
    assert_eq!(f.stand(), r#"mine 9 | 2 {"title":"mine"} 0 | 2 {"n":9} 0"#);
}

#[test]
fn server_wins_over_nothing_that_only_we_have_changed() {
    // of two edits that went up together the later one came back, and its answer was lost
    let f = with_policy("serverWins");
    f.run(EDIT);
    f.run("UPDATE notes SET title = 'later' WHERE id = 'a'");
    f.run("UPDATE notes SET n = 9 WHERE id = 'a'");
    f.pull(&row("a", "later", "20"));
    assert_eq!(f.stand(), r#"later 9 | 2 {"title":"mine"} 0 | 2 {"title":"later"} 0 | 2 {"n":9} 0"#);
    // a new row with the server's defaults in it
    let f = with_policy("serverWins");
    f.run("INSERT INTO notes (id, title) VALUES ('b', 'new')");
    f.run("DELETE FROM notes WHERE id = 'b'");
    f.pull(&row("b", "new", "20"));
    assert_eq!(f.read("SELECT op FROM omnii_outbox ORDER BY id"), [["1"], ["3"]]);
    // our own delete, whose answer was lost
    let f = with_policy("serverWins");
    f.run(DELETE);
    f.run("INSERT INTO notes (id, title, n) VALUES ('a', 'again', 5)");
    f.sweep("");
    assert_eq!(f.read("SELECT title, n FROM notes WHERE id = 'a'"), [["again", "5"]]);
    assert_eq!(f.read("SELECT op FROM omnii_outbox"), [["1"]]);
}

#[test]
fn what_is_missing_is_sent_again_a_few_times_and_then_parked() {
    let f = with_policy("lastWriteWins");
    f.run(EDIT);
    for round in 0..3 {
        f.send_all();
        // a backend that writes something else than was sent
        f.pull(&row("a", &format!("MINE {round}"), "00").replace("00:00:00", &format!("00:00:00.40{round}")));
        f.pull("");
        assert_eq!(f.counts(), if round < 2 { (1, 0) } else { (0, 1) }, "{round}");
    }
}

#[test]
fn a_trigger_of_the_app_that_touches_the_row_does_not_become_the_servers_version() {
    let touch = "CREATE TRIGGER touch AFTER UPDATE ON notes WHEN OLD.r IS NEW.r BEGIN UPDATE notes SET r = 7.5 WHERE id = NEW.id; END";
    let f = with_policy("serverWins");
    f.run(touch);
    f.run(EDIT);
    f.pull(&row("a", "was", "00"));
    assert!(f.stand().starts_with("mine 1"), "{}", f.stand());
    assert_eq!(f.read("SELECT server ->> 'title' FROM omnii_overlay"), [["was"]]);

    let f = with_policy("serverWins");
    f.run("CREATE TRIGGER fill AFTER INSERT ON notes BEGIN UPDATE notes SET n = 5 WHERE id = NEW.id; END");
    f.run("INSERT INTO notes (id, title) VALUES ('b', 'new')");
    assert_eq!(f.read("SELECT op, data ->> 'n' FROM omnii_outbox"), [["1", "5"]]);
    f.sweep(&row("a", "was", "00"));
    assert_eq!(f.read("SELECT n FROM notes WHERE id = 'b'"), [["5"]]);
    // and of a row that is replaced, the server's version stays
    f.run("INSERT OR REPLACE INTO notes (id, title) VALUES ('a', 'mine')");
    assert_eq!(f.read("SELECT op, data ->> 'n' FROM omnii_outbox WHERE row_id = 'a'"), [["1", "5"]]);
    assert_eq!(f.read("SELECT server ->> 'title' FROM omnii_overlay WHERE row_id = 'a'"), [["was"]]);
}

#[test]
fn an_update_that_changes_nothing_leaves_nothing() {
    let f = with_policy("lastWriteWins");
    f.run("UPDATE notes SET title = title");
    assert_eq!(f.read("SELECT count(*) FROM omnii_overlay"), [["0"]]);
    f.run(EDIT);
    f.run("UPDATE notes SET title = title");
    assert_eq!(f.read("SELECT server ->> 'title' FROM omnii_overlay"), [["was"]]);
}

#[test]
fn server_wins_over_an_edit_that_waits_behind_a_sent_one() {
    let f = with_policy("serverWins");
    f.run(EDIT);
    f.send_all();
    f.run("UPDATE notes SET n = 9 WHERE id = 'a'");
    f.pull(&row("a", "mine", "20").replace(r#""n":1"#, r#""n":7"#));
    assert_eq!(f.stand(), "mine 7");
}

#[test]
fn a_refused_delete_is_done_when_the_row_is_gone() {
    let f = with_policy("lastWriteWins");
    f.run(DELETE);
    f.write(|w| {
        let ids: Vec<i64> = w.queued(i64::MAX, 9)?.changes.iter().map(|c| c.id).collect();
        w.transaction(|w| w.park(&ids, "no"))
    });
    f.sweep("");
    assert_eq!((f.stand().as_str(), f.counts()), ("-", (0, 0)));
}
