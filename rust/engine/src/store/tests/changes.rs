//! The change set of a commit: complete or unknown, whoever wrote.

use super::*;

impl Fixture {
    /// What the commits since the last call changed, as `table: ids`; `*` for ids that are not known.
    fn changed(&self) -> Vec<String> {
        let commits = std::mem::take(&mut *self.seen.changes.lock().unwrap());
        let mut all = Vec::new();
        for table in commits.into_iter().flat_map(|c| c.tables) {
            all.push(format!("{}: {}", table.table, table.ids.map_or("*".into(), |ids| ids.join(" "))));
        }
        all.sort();
        all
    }

    fn in_transaction(&self, statements: &[&str]) {
        let tx = wait(|done| self.store.begin(done)).unwrap();
        for sql in statements {
            // some are meant to fail
            drop(wait::<Result<Rows>>(|done| self.store.execute(tx, (*sql).into(), vec![], done)));
        }
        wait::<Result<()>>(|done| self.store.end(tx, true, done)).unwrap();
    }
}

#[test]
pub(super) fn a_commit_tells_the_ids_of_all_rows_it_changed() {
    let f = fixture();
    f.run("CREATE TABLE local (k INTEGER PRIMARY KEY, v TEXT)");
    f.run("CREATE TABLE links (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID");
    f.run("INSERT INTO notes (id, title, n) VALUES ('a', 'x', 1), ('b', 'y', 2), ('c', 'z', 3)");
    f.run("CREATE UNIQUE INDEX one_n ON notes (n)");
    f.changed();
    let cases: &[(&[&str], &[&str])] = &[
        (&["INSERT INTO notes (id) VALUES ('d')"], &["notes: d"]),
        (&["UPDATE notes SET title = 'w' WHERE id = 'a'"], &["notes: a"]),
        (&["UPDATE notes SET title = 'w' WHERE id = 'a'"], &["notes: a"]), // records no change, but is one to SQLite
        (&["UPDATE notes SET title = 'w' WHERE id = 'nobody'"], &[]),
        (&["DELETE FROM notes WHERE id = 'd'"], &["notes: d"]),
        (&["INSERT OR REPLACE INTO notes (id, title, n) VALUES ('e', 'new', 1)"], &["notes: a e"]),
        (
            &["INSERT INTO notes (id, title) VALUES ('b', 'q') ON CONFLICT (id) DO UPDATE SET title = excluded.title"],
            &["notes: b"],
        ),
        (&["INSERT INTO notes (id) VALUES ('b') ON CONFLICT DO NOTHING"], &[]),
        (&["UPDATE OR REPLACE notes SET n = 1 WHERE id = 'c'"], &["notes: c e"]),
        (&["INSERT INTO local (v) VALUES ('1'), ('2')"], &["local: *", "links: *"]),
        (&["INSERT INTO links VALUES ('1', '2')"], &["links: *"]),
        (&["DELETE FROM local"], &["local: *", "links: *"]),
        (&["INSERT INTO notes (id) VALUES ('f'), (NULL)"], &[]), // failed: nothing is committed
        (
            &[
                "INSERT INTO notes (id) VALUES ('f')",
                "SAVEPOINT s",
                "INSERT INTO notes (id) VALUES ('g')",
                "ROLLBACK TO s",
            ],
            &["links: *", "notes: f g"], // what was undone may be named, too
        ),
        (&["DELETE FROM notes"], &["notes: b c f"]),
    ];
    for (statements, expected) in cases {
        match statements {
            [one] => drop(f.try_run(one)),
            many => f.in_transaction(many),
        }
        let mut expected: Vec<&str> = expected.to_vec();
        // a table of which SQLite does not tell counts as changed whenever anything was
        if !expected.is_empty() && !expected.contains(&"links: *") {
            expected.push("links: *");
        }
        expected.sort_unstable();
        assert_eq!(f.changed(), expected, "{statements:?}");
    }
}

#[test]
fn what_a_failed_statement_left_undone_never_makes_a_set_incomplete() {
    let f = fixture();
    f.run("CREATE UNIQUE INDEX one_n ON notes (n)");
    f.changed();
    // SAVEPOINT can't be had as a statement; a failed statement rolls back to one of SQLite's own
    f.in_transaction(&[
        "INSERT INTO notes (id, n) VALUES ('a', 1)",
        "INSERT INTO notes (id, n) VALUES ('b', 2), ('c', 1)",
        "INSERT INTO notes (id, n) VALUES ('d', 4)",
    ]);
    let all = f.changed();
    assert!(all == ["notes: *"] || all == ["notes: a b d"], "{all:?}");
}

#[test]
fn triggers_of_the_app_are_covered() {
    let f = fixture();
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'x'), ('a1', 'child'), ('a2', 'child')");
    f.run("CREATE TRIGGER cascade AFTER DELETE ON notes BEGIN DELETE FROM notes WHERE id LIKE OLD.id || '_%'; END");
    f.run("CREATE TABLE log (id TEXT)");
    f.run("CREATE TRIGGER logs AFTER INSERT ON notes BEGIN INSERT INTO log VALUES (NEW.id); END");
    f.run("CREATE TRIGGER again AFTER INSERT ON notes WHEN NEW.title = 'twice' BEGIN UPDATE notes SET n = 2 WHERE id = NEW.id; END");
    f.changed();
    f.run("DELETE FROM notes WHERE id = 'a'");
    assert_eq!(f.changed(), ["notes: a a1 a2"]);
    f.run("INSERT INTO notes (id, title) VALUES ('b', 'twice')");
    assert_eq!(f.changed(), ["log: *", "notes: b"]);
    f.run("DELETE FROM log");
    assert_eq!(f.changed(), ["log: *"], "emptied at one blow");
    f.pull(&row("c", "twice", "01"));
    assert_eq!(f.changed(), ["log: *", "notes: c"]);
    f.run("CREATE TRIGGER odd AFTER UPDATE ON notes BEGIN SELECT RAISE(IGNORE); END");
    f.run("UPDATE notes SET n = 77 WHERE id = 'b'");
    let all = f.changed();
    assert!(all == ["notes: *"] || all == ["notes: b"], "{all:?}");
}

#[test]
fn what_the_engine_writes_is_told() {
    let f = fixture();
    f.pull(&[row("a", "x", "01"), row("b", "y", "02")].join(","));
    assert_eq!(f.changed(), ["notes: a b"]);
    f.pull(&[row("a", "x", "01"), row("b", "z", "03")].join(","));
    assert_eq!(f.changed(), ["notes: b"]);
    f.run("UPDATE notes SET n = 5 WHERE id = 'a'");
    f.changed();
    // under a pending change
    f.pull(&row("a", "renamed", "04"));
    assert_eq!(f.changed(), ["notes: a"]);
    f.write(|w| {
        let ids: Vec<i64> = w.queued(i64::MAX, 10)?.changes.iter().map(|c| c.id).collect();
        w.transaction(|w| w.park(&ids, "no"))
    });
    f.changed();
    f.write(|w| w.transaction(|w| w.discard_parked(None)));
    assert_eq!(f.changed(), ["notes: a"]);
    f.write(|w| {
        w.begin_sweep()?;
        w.transaction(|w| w.delete_unseen())
    });
    assert_eq!(f.changed(), ["notes: a b"]);
    f.pull(&row("a", "x", "05"));
    f.changed();
    f.write(|w| w.transaction(|w| w.clear()));
    assert_eq!(f.changed(), ["notes: a"]);
    let many: Vec<String> = (0..1001).map(|i| row(&format!("r{i:04}"), "x", "06")).collect();
    f.pull(&many[..1000].join(","));
    assert!(f.changed()[0].ends_with("r0999"));
    f.write(|w| w.transaction(|w| w.clear()));
    f.changed();
    f.pull(&many.join(","));
    assert_eq!(f.changed(), ["notes: *"], "more than are told");
}

#[test]
fn virtual_tables_go_by_their_own_name_and_the_layout_is_known_to_change() {
    let f = fixture();
    f.run("CREATE VIRTUAL TABLE search USING fts5(title)");
    assert!(f.seen.changes.lock().unwrap().iter().any(|c| c.schema));
    f.changed();
    f.run("CREATE TRIGGER fts AFTER INSERT ON notes BEGIN INSERT INTO search (title) VALUES (NEW.title); END");
    f.run("INSERT INTO notes (id, title) VALUES ('a', 'x')");
    assert_eq!(f.changed(), ["notes: a", "search: *"]);
    f.pull(&row("b", "y", "01"));
    assert_eq!(f.changed(), ["notes: b", "search: *"]);
    f.run("CREATE TABLE gone (x)");
    f.run("DROP TABLE gone");
    assert_eq!(f.read("SELECT count(*) FROM sqlite_schema WHERE name = 'gone'"), [["0"]], "DROP is not a DELETE");
    f.run("CREATE VIEW seen AS SELECT 1");
    f.run("DROP VIEW seen");
    f.run("DROP TABLE search");
    assert_eq!(f.read("SELECT count(*) FROM sqlite_schema WHERE name IN ('seen', 'search')"), [["0"]]);
    f.run("CREATE INDEX by_n ON notes (n)");
    f.run("DROP INDEX by_n");
    assert_eq!(f.read("SELECT count(*) FROM sqlite_schema WHERE name = 'by_n'"), [["0"]]);
}

#[test]
fn a_drop_that_was_refused_does_not_hide_what_is_deleted_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let seen = Arc::new(Seen::default());
    let schema = r#"{"tables":[{"name":"drafts","columns":[{"name":"v","type":"text"}],"localOnly":true}]}"#;
    let store = open_in(directory.path(), schema, seen.clone()).unwrap();
    let f = Fixture { store, seen, directory };
    f.run("INSERT INTO drafts (id) VALUES ('a'), ('b')");
    assert_eq!(f.try_run("DROP TABLE drafts").unwrap_err().code, ErrorCode::BadArgument);
    f.changed();
    f.run("DELETE FROM drafts");
    assert_eq!(f.changed(), ["drafts: *"]);
}

#[test]
fn what_a_failed_statement_has_committed_all_the_same_is_told() {
    let f = fixture();
    f.run("INSERT INTO notes (id) VALUES ('a')");
    f.changed();
    f.seen.outbox.lock().unwrap().clear();
    // FAIL keeps what came before
    f.try_run("INSERT OR FAIL INTO notes (id) VALUES ('b'), ('a'), ('c')").unwrap_err();
    assert_eq!(f.read("SELECT id FROM notes ORDER BY id"), [["a"], ["b"]]);
    assert_eq!(f.changed(), ["notes: b"]);
    let counts = Counts { pending: 2, parked: 0 };
    assert_eq!((f.counts(), &f.seen.outbox.lock().unwrap()[..]), ((2, 0), &[(counts, true)][..]));
    f.try_run("INSERT INTO notes (id) VALUES ('d'), ('a')").unwrap_err();
    assert!(f.changed().is_empty());
    assert_eq!(f.seen.outbox.lock().unwrap().len(), 1);
}
