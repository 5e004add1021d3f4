//! Batches, queries on the caller's thread, what a statement is, and integers that JavaScript can't hold.

use super::suspend::both;
use super::*;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(1);

fn text(value: &str) -> Parameter {
    Parameter::Text(value.into())
}

fn batch(sets: &[&[Parameter]]) -> Batch {
    let mut batch = Batch::default();
    for set in sets {
        batch.parameters.extend_from_slice(set);
        batch.ends.push(batch.parameters.len());
    }
    batch
}

impl Fixture {
    fn run_batch(&self, transaction: u64, sql: &str, sets: &[&[Parameter]]) -> Result<u64> {
        wait(|done| self.store.execute_batch(transaction, sql.into(), batch(sets), done))
    }
    fn now(&self, sql: &str) -> Result<Rows> {
        self.store.query_now(sql, &[])
    }
    fn described(&self, sql: &str) -> Result<Description> {
        wait(|done| self.store.describe(sql.into(), done))
    }
}

const INSERT: &str = "INSERT INTO notes (id, title) VALUES (?, ?)";

#[test]
fn a_batch_is_one_transaction_with_one_event() {
    for f in both() {
        let sets = [[text("a"), text("x")], [text("b"), text("y")], [text("c"), Parameter::Null]];
        assert_eq!(f.run_batch(0, INSERT, &sets.each_ref().map(|s| &s[..])).unwrap(), 3);
        assert_eq!(f.read("SELECT id, title FROM notes ORDER BY id"), [["a", "x"], ["b", "y"], ["c", "NULL"]]);
        let entries: Vec<String> = f.outbox().iter().map(|r| format!("{} {}", r[0], r[2])).collect();
        assert_eq!(entries, ["1 a", "1 b", "1 c"]);
        assert_eq!(*f.seen.tables.lock().unwrap(), [["notes"]]);
        assert_eq!(f.counts(), (3, 0));
        assert_eq!(
            f.run_batch(0, "UPDATE notes SET n = ?", &[&[Parameter::Integer(1)], &[Parameter::Integer(2)]]),
            Ok(6)
        );
        assert_eq!(
            f.run_batch(0, "DELETE FROM notes WHERE id = ? RETURNING id", &[&[text("a")], &[text("none")]]),
            Ok(1)
        );
        assert_eq!(f.run_batch(0, INSERT, &[]), Ok(0), "no set, nothing to do");
        assert_eq!(f.run_batch(0, "SELECT ?", &[&[text("a")]]), Ok(0));
    }
}

#[test]
fn a_batch_that_fails_leaves_nothing_and_names_the_set() {
    for f in both() {
        let sets: [&[Parameter]; 3] = [&[text("a"), text("x")], &[text("b"), text("y")], &[text("a"), text("z")]];
        let error = f.run_batch(0, INSERT, &sets).unwrap_err();
        assert_eq!((error.code, error.table.as_deref()), (ErrorCode::Constraint, Some("notes")));
        assert!(error.message.starts_with("parameter set 2 ("), "{error}");
        let error = f.run_batch(0, INSERT, &[&[text("a"), text("x")], &[text("b")]]).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadArgument);
        assert!(error.message.contains("set 1") && error.message.contains("2 parameters, 1"), "{error}");
        for (sql, code) in [
            ("INSERT INTO nowhere VALUES (?)", ErrorCode::Sql),
            ("INSERT INTO omnii_outbox (id) VALUES (?)", ErrorCode::BadArgument),
            ("COMMIT", ErrorCode::BadArgument),
            ("  ", ErrorCode::BadArgument),
        ] {
            assert_eq!(f.run_batch(0, sql, &[&[text("a")]]).unwrap_err().code, code, "{sql}");
        }
        assert_eq!(f.read("SELECT count(*) FROM notes"), [["0"]]);
        assert_eq!((f.counts(), f.outbox().len()), ((0, 0), 0));
        assert!(f.seen.tables.lock().unwrap().is_empty());
        f.run("INSERT INTO notes (id) VALUES ('later')");
        assert_eq!(f.counts(), (1, 0));
    }
}

#[test]
fn in_a_transaction_a_batch_that_fails_is_undone_alone() {
    for f in both() {
        let tx = wait(|done| f.store.begin(done)).unwrap();
        let within = |sql: &str| wait::<Result<Rows>>(|done| f.store.execute(tx, sql.into(), vec![], done));
        within("INSERT INTO notes (id) VALUES ('before')").unwrap();
        let sets: [&[Parameter]; 2] = [&[text("a"), text("x")], &[text("before"), text("y")]];
        assert_eq!(f.run_batch(tx, INSERT, &sets).unwrap_err().code, ErrorCode::Constraint);
        assert_eq!(within("SELECT id FROM notes").unwrap().len(), 1);
        assert_eq!(f.run_batch(tx, INSERT, &[&[text("b"), text("x")], &[text("c"), text("y")]]), Ok(2));
        within("INSERT INTO notes (id) VALUES ('after')").unwrap();
        wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
        let entries: Vec<String> = f.outbox().iter().map(|r| format!("{} {}", r[0], r[2])).collect();
        assert_eq!(entries, ["1 before", "1 b", "1 c", "1 after"]);
        assert_eq!(f.counts(), (4, 0));
        assert_eq!(f.run_batch(tx, INSERT, &[&[text("d"), text("x")]]).unwrap_err().code, ErrorCode::TransactionEnded);
    }
}

#[test]
fn ten_thousand_sets() {
    let f = fixture();
    let sets: Vec<[Parameter; 2]> = (0..10_000).map(|n| [text(&format!("r{n}")), text("x")]).collect();
    let refs: Vec<&[Parameter]> = sets.iter().map(|s| &s[..]).collect();
    assert_eq!(f.run_batch(0, INSERT, &refs), Ok(10_000));
    assert_eq!(f.counts(), (10_000, 0));
}

#[test]
fn a_query_now_reads_the_last_commit_while_others_write() {
    for f in both() {
        f.run("INSERT INTO notes (id) VALUES ('a')");
        let tx = wait(|done| f.store.begin(done)).unwrap();
        wait::<Result<Rows>>(|done| f.store.execute(tx, "INSERT INTO notes (id) VALUES ('b')".into(), vec![], done))
            .unwrap();
        assert_eq!(f.now("SELECT id FROM notes").unwrap().len(), 1, "it waits for nobody");
        wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
        assert_eq!(f.now("SELECT id FROM notes").unwrap().len(), 2);
        let rows = f.store.query_now("SELECT id FROM notes WHERE id = ?", &[text("b")]).unwrap();
        assert_eq!(rows.cell(0, 0), text("b"));
    }
}

#[test]
fn a_query_now_obeys_the_readers_rules() {
    for f in both() {
        for (sql, code) in [
            ("INSERT INTO notes (id) VALUES ('a')", ErrorCode::ReadOnly),
            ("BEGIN", ErrorCode::BadArgument),
            ("SAVEPOINT a", ErrorCode::BadArgument),
            ("SELECT nothing FROM notes", ErrorCode::Sql),
            ("SELECT ?", ErrorCode::BadArgument),
            ("", ErrorCode::BadArgument),
            ("SELECT 1; SELECT 2", ErrorCode::BadArgument),
        ] {
            assert_eq!(f.now(sql).unwrap_err().code, code, "{sql}");
        }
        assert_eq!(f.now("SELECT 1").unwrap().len(), 1);
        f.store.close();
        assert_eq!(f.now("SELECT 1").unwrap_err().code, ErrorCode::Closed);
    }
}

#[tokio::test]
async fn a_query_now_is_refused_while_suspended_and_holds_no_file() {
    for f in both() {
        f.now("SELECT 1").unwrap();
        f.store.suspend(GRACE).await;
        #[cfg(target_os = "linux")]
        assert_eq!((suspend::descriptors(&f), suspend::locks(&f)), (0, 0));
        let error = f.now("SELECT 1").unwrap_err();
        assert_eq!((error.code, error.retryable), (ErrorCode::Suspended, true));
        #[cfg(target_os = "linux")]
        assert_eq!(suspend::descriptors(&f), 0, "asking opens nothing");
        f.store.resume().await.unwrap();
        assert_eq!(f.now("SELECT 1").unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_now_that_runs_too_long_is_ended_by_suspension_and_by_closing() {
    EXECUTION.set(Execution::Threads);
    const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let f = fixture();
    let started = |f: &Fixture| {
        let store = f.store.clone();
        let query = std::thread::spawn(move || store.query_now(ENDLESS, &[]).map(|_| ()));
        std::thread::sleep(Duration::from_millis(30));
        query
    };
    let query = started(&f);
    f.store.suspend(Duration::from_millis(10)).await;
    #[cfg(target_os = "linux")]
    assert_eq!(suspend::descriptors(&f), 0);
    assert_eq!(query.join().unwrap().unwrap_err().code, ErrorCode::Suspended);
    f.store.resume().await.unwrap();
    let query = started(&f);
    f.store.interrupt();
    assert_eq!(query.join().unwrap().unwrap_err().code, ErrorCode::Interrupted);
    let query = started(&f);
    f.store.close();
    assert!(query.is_finished() || query.join().is_ok(), "closing waits for it");
    assert!(open_in(f.directory.path(), SCHEMA, f.seen.clone()).is_ok());
}

#[test]
fn what_a_statement_is() {
    for f in both() {
        f.run("CREATE TABLE mine (a, b)");
        f.run("CREATE VIEW joined AS SELECT notes.id AS id, mine.b FROM notes JOIN mine ON mine.a = notes.title");
        f.run("CREATE VIEW outer_view AS SELECT id FROM joined");
        f.run("CREATE TRIGGER follow AFTER INSERT ON mine BEGIN UPDATE notes SET n = 1 WHERE id = NEW.a; END");
        let is = |sql: &str, tables: &[&str], read_only: bool, parameters: usize, columns: &[&str]| {
            let got = f.described(sql).unwrap();
            let expected = Description {
                tables: tables.iter().map(|&t| t.into()).collect(),
                read_only,
                parameters,
                column_names: columns.iter().map(|&c| c.into()).collect(),
            };
            assert_eq!(got, expected, "{sql}");
        };
        is("SELECT id, title AS t FROM notes WHERE id = ?", &["notes"], true, 1, &["id", "t"]);
        is("SELECT count(*) FROM notes", &["notes"], true, 0, &["count(*)"]);
        is("SELECT * FROM outer_view", &["mine", "notes"], true, 0, &["id"]);
        is("SELECT 1 FROM NOTES, json_each('[1]'), omnii_outbox, sqlite_schema", &["notes"], true, 0, &["1"]);
        is("WITH c AS (SELECT b FROM mine) SELECT b FROM c", &["mine"], true, 0, &["b"]);
        is("SELECT ?2", &[], true, 2, &["?2"]);
        is("INSERT INTO mine VALUES (?, ?)", &["mine", "notes"], false, 2, &[]);
        is("DELETE FROM notes RETURNING id", &["notes"], false, 0, &["id"]);
        is("CREATE TABLE other (a)", &[], false, 0, &[]);
        is("SELECT \"a\"\"b\" FROM \"we\"\"ird 'name\"", &["we\"ird 'name"], true, 0, &["a\"b"]);
        assert_eq!(f.read("SELECT count(*) FROM mine"), [["0"]], "nothing has run");
        for (sql, code) in [
            ("SELECT", ErrorCode::Sql),
            ("SELECT * FROM nowhere", ErrorCode::Sql),
            (" -- nothing", ErrorCode::BadArgument),
        ] {
            assert_eq!(f.described(sql).unwrap_err().code, code, "{sql}");
        }
    }
}

#[test]
fn integers_that_a_number_can_not_hold_are_refused_by_option() {
    for integers in [Integers::Exact, Integers::Whole] {
        INTEGERS.set(integers);
        for f in both() {
            let refused = |outcome: Result<Rows>| match (integers, outcome) {
                (Integers::Exact, Err(error)) => {
                    assert_eq!(error.code, ErrorCode::OutOfRange);
                    assert!(error.message.contains("'big'"), "{error}");
                }
                (Integers::Whole, Ok(_)) => {}
                (_, outcome) => panic!("{outcome:?}"),
            };
            f.run("INSERT INTO notes (id, n) VALUES ('a', 9007199254740991), ('b', -9007199254740991)");
            assert_eq!(f.read("SELECT n FROM notes").len(), 2);
            refused(wait(|done| f.store.query("SELECT 1, 9007199254740992 AS big".into(), vec![], done)));
            refused(f.now("SELECT -9007199254740992 AS big"));
            f.run("UPDATE notes SET n = n + 1 WHERE id = 'a'");
            refused(f.try_run("SELECT id, n AS big FROM notes"));
            refused(f.try_run("UPDATE notes SET title = 'changed' WHERE id = 'a' RETURNING n AS big"));
            let tx = wait(|done| f.store.begin(done)).unwrap();
            let within = |sql: &str| wait::<Result<Rows>>(|done| f.store.execute(tx, sql.into(), vec![], done));
            refused(within("INSERT INTO notes (id, n) VALUES ('c', 9223372036854775807) RETURNING n AS big"));
            within("INSERT INTO notes (id) VALUES ('d')").unwrap();
            wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
            // what was refused was not done either
            let expected = if integers == Integers::Exact { ["0", "0", "1"] } else { ["1", "1", "1"] };
            let counted = "SELECT count(title), (SELECT count(*) FROM notes WHERE id = 'c'), \
                           (SELECT count(*) FROM notes WHERE id = 'd') FROM notes";
            assert_eq!(f.read(counted), [expected]);
            let pending = f.read("SELECT count(*) FROM omnii_outbox");
            assert_eq!(pending, [[f.counts().0.to_string()]]);
        }
    }
    INTEGERS.set(Integers::Whole);
}

#[test]
fn columns_have_a_number_of_their_own() {
    for f in both() {
        let columns = |sql: &str| f.try_run(sql).unwrap().columns;
        let (one, again) = (columns("SELECT id, title FROM notes"), columns("SELECT id, title FROM notes"));
        assert_eq!((one.id, &one.names), (again.id, &again.names));
        assert_ne!(one.id, columns("SELECT title, id FROM notes").id);
        assert_eq!(columns("DELETE FROM notes").id, 0);
        f.run("CREATE TABLE mine (a)");
        let before = columns("SELECT * FROM mine");
        f.run("ALTER TABLE mine ADD COLUMN b");
        let after = columns("SELECT * FROM mine");
        assert_eq!((after.names.len(), after.id == before.id), (2, false));
        for n in 0..600 {
            assert_eq!(columns(&format!("SELECT {n} AS c{n}")).names, [format!("c{n}")]);
        }
    }
}

#[test]
fn a_violated_constraint_names_its_table() {
    for f in both() {
        f.run("INSERT INTO notes (id) VALUES ('a')");
        for (sql, table) in [
            ("INSERT INTO notes (id) VALUES ('a')", Some("notes")),
            ("INSERT INTO notes (id) VALUES (NULL)", Some("notes")),
            ("INSERT INTO notes (id, n) VALUES ('b', 'text')", Some("notes")),
            ("INSERT INTO notes (id, meta) VALUES ('b', '{')", Some("notes")),
            ("INSERT INTO notes (id) VALUES ('')", None),
        ] {
            let error = f.try_run(sql).unwrap_err();
            assert_eq!((error.code, error.table.as_deref()), (ErrorCode::Constraint, table), "{sql}: {error}");
        }
    }
}
