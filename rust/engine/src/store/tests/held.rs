//! Read transactions, read locks and write locks.

use super::suspend::both;
use super::*;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(1);

impl Fixture {
    fn hold(&self, mode: Mode) -> u64 {
        wait(|done| self.store.hold(mode, done)).unwrap()
    }
    fn within(&self, id: u64, sql: &str) -> Result<Rows> {
        wait(|done| self.store.execute(id, sql.into(), vec![], done))
    }
    fn end(&self, id: u64, commit: bool) -> Result<()> {
        wait(|done| self.store.end(id, commit, done))
    }
    fn seen_by(&self, id: u64) -> usize {
        self.within(id, "SELECT id FROM notes").unwrap().len()
    }
}

const ADD: &str = "INSERT INTO notes (id) VALUES (lower(hex(randomblob(16))))";

#[test]
fn a_read_transaction_sees_the_state_it_began_with_and_a_lock_the_last() {
    for f in both() {
        f.run(ADD);
        let (snapshot, lock) = (f.hold(Mode::Read), f.hold(Mode::ReadLock));
        assert_ne!(snapshot, lock);
        f.run(ADD);
        assert_eq!((f.seen_by(snapshot), f.seen_by(lock)), (1, 2), "from its beginning, though it had read nothing");
        f.run(ADD);
        assert_eq!((f.seen_by(snapshot), f.seen_by(lock)), (1, 3));
        f.end(snapshot, true).unwrap();
        f.end(lock, false).unwrap();
        for id in [snapshot, lock] {
            assert_eq!(f.within(id, "SELECT 1").unwrap_err().code, ErrorCode::TransactionEnded);
            assert_eq!(f.end(id, true).unwrap_err().code, ErrorCode::TransactionEnded);
        }
        let again = f.hold(Mode::Read);
        assert_eq!(f.seen_by(again), 3, "a connection that is used again has let go of the past");
        f.end(again, false).unwrap();
    }
}

#[test]
fn what_only_reads_refuses_writes_and_transactions() {
    for f in both() {
        for mode in [Mode::Read, Mode::ReadLock] {
            let id = f.hold(mode);
            assert_eq!(f.within(id, ADD).unwrap_err().code, ErrorCode::ReadOnly);
            let batch = Batch { parameters: vec![], ends: vec![0] };
            let outcome: Result<u64> = wait(|done| f.store.execute_batch(id, ADD.into(), batch.clone(), done));
            assert_eq!(outcome.unwrap_err().code, ErrorCode::ReadOnly);
            for sql in ["BEGIN", "COMMIT", "ROLLBACK", "END"] {
                assert_eq!(f.within(id, sql).unwrap_err().code, ErrorCode::BadArgument, "{sql}");
            }
            assert_eq!(f.within(id, "SELECT nothing").unwrap_err().code, ErrorCode::Sql);
            assert_eq!(f.seen_by(id), 0, "none of it ends it");
            let outcome: Result<u64> =
                wait(|done| f.store.execute_batch(id, "SELECT id FROM notes".into(), batch, done));
            assert_eq!(outcome, Ok(0));
            f.end(id, true).unwrap();
        }
    }
}

#[test]
fn a_write_lock_holds_the_writer_and_commits_each_statement() {
    for f in both() {
        let lock = f.hold(Mode::WriteLock);
        let (send, waits) = channel();
        f.store.execute(0, "INSERT INTO notes (id) VALUES ('later')".into(), vec![], move |r| send.send(r).unwrap());
        f.within(lock, "INSERT INTO notes (id) VALUES ('a')").unwrap();
        assert_eq!(f.read("SELECT id FROM notes"), [["a"]], "committed");
        assert_eq!(f.seen.tables.lock().unwrap().len(), 1, "and told");
        assert_eq!(f.within(lock, "INSERT INTO notes (id) VALUES ('a')").unwrap_err().code, ErrorCode::Constraint);
        assert_eq!(f.within(lock, "BEGIN").unwrap_err().code, ErrorCode::BadArgument);
        assert_eq!(f.within(lock, "SAVEPOINT s").unwrap_err().code, ErrorCode::BadArgument);
        let batch =
            Batch { parameters: vec![Parameter::Text("b".into()), Parameter::Text("c".into())], ends: vec![1, 2] };
        let batched: Result<u64> =
            wait(|done| f.store.execute_batch(lock, "INSERT INTO notes (id) VALUES (?)".into(), batch, done));
        assert_eq!(batched, Ok(2));
        assert_eq!(f.read("SELECT count(*) FROM notes"), [["3"]]);
        assert!(waits.try_recv().is_err());
        f.end(lock, false).unwrap();
        waits.recv().unwrap().unwrap();
        let entries: Vec<String> = f.outbox().iter().map(|r| format!("{} {}", r[0], r[2])).collect();
        let shape: Vec<&str> = entries.iter().map(|e| e.split(' ').nth(1).unwrap()).collect();
        assert_eq!(shape, ["a", "b", "c", "later"], "a rollback undoes nothing that has been committed");
        let transactions: std::collections::BTreeSet<&str> =
            entries.iter().map(|e| e.split(' ').next().unwrap()).collect();
        assert_eq!(transactions.len(), 3, "{entries:?}");
        assert_eq!(f.counts(), (4, 0));
        assert_eq!(f.within(lock, "SELECT 1").unwrap_err().code, ErrorCode::TransactionEnded);
    }
}

#[test]
fn ids_that_nobody_has_given_out_have_ended() {
    for f in both() {
        for id in [1, 77, (1 << 52) - 1, 1 << 52, (1 << 52) + 9, 1 << 53] {
            assert_eq!(f.within(id, "SELECT 1").unwrap_err().code, ErrorCode::TransactionEnded);
            assert_eq!(f.end(id, true).unwrap_err().code, ErrorCode::TransactionEnded);
        }
    }
}

#[test]
fn however_many_are_held_queries_are_served_and_more_wait_their_turn() {
    for f in both() {
        f.run(ADD);
        let held: Vec<u64> = (0..4).map(|_| f.hold(Mode::Read)).collect();
        let (send, more) = channel();
        for mode in [Mode::Read, Mode::ReadLock] {
            let send = send.clone();
            f.store.hold(mode, move |id| send.send(id.unwrap()).unwrap());
        }
        for _ in 0..20 {
            assert_eq!(f.read("SELECT count(*) FROM notes"), [["1"]]);
        }
        f.run(ADD);
        assert!(more.try_recv().is_err());
        f.end(held[1], true).unwrap();
        let fifth = more.recv().unwrap();
        assert_eq!(f.seen_by(fifth), 2);
        assert!(more.try_recv().is_err());
        f.end(held[0], true).unwrap();
        let sixth = more.recv().unwrap();
        for id in [held[2], held[3], fifth, sixth] {
            f.end(id, false).unwrap();
        }
    }
}

#[test]
fn slow_statements_of_held_readers_leave_threads_for_queries() {
    EXECUTION.set(Execution::Threads);
    let f = fixture();
    let slow = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let outcomes: Vec<_> = (0..4).map(|_| f.asked(false, f.hold(Mode::ReadLock), slow)).collect();
    for _ in 0..3 {
        drop(f.asked(true, 0, slow));
    }
    assert_eq!(f.read("SELECT 1"), [["1"]], "the fourth thread of the pool is free");
    f.store.close();
    for outcome in outcomes {
        assert_eq!(outcome.recv().unwrap().unwrap_err().code, ErrorCode::Closed);
    }
}

#[test]
fn closing_ends_what_is_held_and_what_waits() {
    for f in both() {
        let held: Vec<u64> = (0..4).map(|_| f.hold(Mode::Read)).collect();
        let (send, more) = channel();
        f.store.hold(Mode::Read, move |id| send.send(id).unwrap());
        f.store.close();
        assert_eq!(more.recv().unwrap().unwrap_err().code, ErrorCode::Closed);
        for id in held {
            assert_eq!(f.within(id, "SELECT 1").unwrap_err().code, ErrorCode::Closed);
            assert_eq!(f.end(id, true).unwrap_err().code, ErrorCode::Closed);
        }
        drop(open_in(f.directory.path(), SCHEMA, f.seen.clone()).unwrap());
        let left: Vec<_> = std::fs::read_dir(f.directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["x.db"]);
    }
}

#[tokio::test]
async fn a_held_reader_may_end_before_the_file_is_given_up() {
    for f in both() {
        let id = f.hold(Mode::Read);
        let ended = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(f.seen_by(id), 0, "it goes on for as long as it may");
            f.end(id, true).unwrap();
        };
        tokio::join!(f.store.suspend(Duration::from_secs(60)), ended);
        #[cfg(target_os = "linux")]
        assert_eq!((suspend::descriptors(&f), suspend::locks(&f)), (0, 0));
        let (send, begun) = channel();
        f.store.hold(Mode::Read, move |id| send.send(id.unwrap()).unwrap());
        assert!(begun.try_recv().is_err(), "it waits");
        f.store.resume().await.unwrap();
        f.end(begun.recv().unwrap(), false).unwrap();
    }
}

#[tokio::test]
async fn what_does_not_end_is_cut_off_and_told_why() {
    for f in both() {
        let held = [f.hold(Mode::Read), f.hold(Mode::ReadLock), f.hold(Mode::WriteLock)];
        let (send, later) = channel();
        f.store.hold(Mode::Write, move |id| send.send(id.unwrap()).unwrap());
        f.store.suspend(Duration::from_millis(10)).await;
        #[cfg(target_os = "linux")]
        assert_eq!((suspend::descriptors(&f), suspend::locks(&f)), (0, 0));
        for again in 0..2 {
            for id in held {
                let error = f.within(id, "SELECT 1").unwrap_err();
                assert_eq!(error.code, ErrorCode::TransactionEnded);
                assert!(error.message.contains("suspended"), "{error}");
                assert!(f.end(id, true).unwrap_err().message.contains("suspended"));
            }
            if again == 0 {
                f.store.resume().await.unwrap();
            }
        }
        f.end(later.recv().unwrap(), true).unwrap();
        let id = f.hold(Mode::Read);
        f.end(id, true).unwrap();
        f.store.suspend(GRACE).await;
        #[cfg(target_os = "linux")]
        assert_eq!(suspend::descriptors(&f), 0, "spare ones, too");
    }
}

#[tokio::test]
async fn a_statement_of_a_held_reader_is_interrupted_by_suspension() {
    EXECUTION.set(Execution::Threads);
    let f = fixture();
    let slow = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let running = f.asked(false, f.hold(Mode::Read), slow);
    f.store.suspend(Duration::from_millis(20)).await;
    #[cfg(target_os = "linux")]
    assert_eq!(suspend::descriptors(&f), 0);
    let error = running.recv().unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::TransactionEnded);
    assert!(error.message.contains("suspended"), "{error}");
    f.store.resume().await.unwrap();
    f.read("SELECT 1");
}
