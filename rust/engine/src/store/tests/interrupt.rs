//! Ending the app's statements, and nothing else.

use super::suspend::both;
use super::*;
use std::time::Duration;

const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

fn threads() -> Fixture {
    EXECUTION.set(Execution::Threads);
    fixture()
}

fn code(outcome: &suspend::Outcome) -> ErrorCode {
    let error = outcome.recv_timeout(Duration::from_secs(30)).expect("answered").unwrap_err();
    assert_eq!(error.retryable, error.code == ErrorCode::Interrupted);
    error.code
}

#[test]
fn statements_that_run_and_that_wait_end_and_later_ones_run() {
    let f = threads();
    let endless_write =
        format!("INSERT INTO notes (id) {}", ENDLESS.replace("SELECT count(*)", "SELECT 'x' || max(i)"));
    let mut asked: Vec<_> = (0..6).map(|_| f.asked(true, 0, ENDLESS)).collect();
    asked.push(f.asked(false, 0, &endless_write));
    asked.push(f.asked(false, 0, "INSERT INTO notes (id) VALUES ('waits')"));
    let held = wait(|done| f.store.hold(Mode::Read, done)).unwrap();
    asked.push(f.asked(false, held, ENDLESS));
    asked.push(f.asked(false, held, "SELECT 1"));
    std::thread::sleep(Duration::from_millis(30));
    f.store.interrupt();
    for outcome in &asked {
        assert_eq!(code(outcome), ErrorCode::Interrupted);
    }
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["0"]]);
    f.run("INSERT INTO notes (id) VALUES ('a')");
    f.asked(false, held, "SELECT 1").recv().unwrap().unwrap();
    wait::<Result<()>>(|done| f.store.end(held, true, done)).unwrap();
    assert_eq!(f.counts(), (1, 0));
}

#[test]
fn what_waits_for_a_transaction_ends_at_once_and_the_transaction_goes_on() {
    for f in both() {
        let tx = wait(|done| f.store.begin(done)).unwrap();
        f.asked(false, tx, "INSERT INTO notes (id) VALUES ('a')").recv().unwrap().unwrap();
        let waits = f.asked(false, 0, "INSERT INTO notes (id) VALUES ('b')");
        let engine = f.store.write(|w| Ok(w.counts()));
        std::thread::sleep(Duration::from_millis(10));
        f.store.interrupt();
        assert_eq!(code(&waits), ErrorCode::Interrupted);
        f.asked(false, tx, "INSERT INTO notes (id) VALUES ('c')").recv().unwrap().unwrap();
        wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
        assert_eq!(f.read("SELECT id FROM notes ORDER BY id"), [["a"], ["c"]]);
        drop(engine);
    }
}

#[test]
fn a_batch_that_is_interrupted_leaves_nothing() {
    let f = threads();
    let (send, outcome) = channel();
    let batch = Batch { parameters: vec![], ends: vec![0; 2_000_000] };
    let sql = "INSERT INTO notes (id) VALUES (lower(hex(randomblob(16))))";
    f.store.execute_batch(0, sql.into(), batch, move |rows| send.send(rows).unwrap());
    std::thread::sleep(Duration::from_millis(50));
    f.store.interrupt();
    let error: SyncError = outcome.recv_timeout(Duration::from_secs(60)).expect("answered").unwrap_err();
    assert_eq!(error.code, ErrorCode::Interrupted);
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["0"]]);
    assert_eq!(f.counts(), (0, 0));
}

#[test]
fn the_engines_own_work_is_never_interrupted() {
    let f = threads();
    let store = f.store.clone();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let interrupting = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            store.interrupt();
            std::thread::sleep(Duration::from_micros(50));
        }
    });
    for round in 0..20 {
        let rows: Vec<String> = (0..500).map(|n| row(&format!("r{round}-{n}"), "x", "01")).collect();
        assert_eq!(f.pull(&rows.join(",")).written, 500);
        let _ = f.try_run("UPDATE notes SET n = n + 1 WHERE title = 'x'");
        f.send_all();
    }
    stop.store(true, Ordering::Relaxed);
    interrupting.join().unwrap();
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["10000"]]);
    let pending = f.read("SELECT count(*) FROM omnii_outbox");
    let entries = f.read("SELECT op, state, tx, count(*) FROM omnii_outbox GROUP BY op, state, tx");
    assert_eq!(pending, [[f.counts().0.to_string()]], "operation, state, transaction, how many: {entries:?}");
}
