//! Giving the file up and taking it up again, with and without threads.

use super::*;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(1);
const NO_GRACE: Duration = Duration::ZERO;
/// Runs until it is interrupted, or as long as the knob says.
const SLOW: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < (SELECT n FROM knob)) \
                    SELECT count(*) FROM n";

pub(super) fn both() -> [Fixture; 2] {
    [Execution::Inline, Execution::Threads].map(|execution| {
        EXECUTION.set(execution);
        fixture()
    })
}

pub(super) type Outcome = std::sync::mpsc::Receiver<std::result::Result<Vec<String>, SyncError>>;

impl Fixture {
    fn path(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("x.db")
    }
    pub(super) fn asked(&self, reader: bool, transaction: u64, sql: &str) -> Outcome {
        let (send, receive) = channel();
        let done = move |outcome: Result<Rows>| {
            let cells = |rows: Rows| (0..rows.len()).map(|r| format!("{:?}", rows.cell(r, 0))).collect();
            drop(send.send(outcome.map(cells)));
        };
        match reader {
            true => self.store.query(sql.into(), vec![], done),
            false => self.store.execute(transaction, sql.into(), vec![], done),
        }
        receive
    }
    /// The file as somebody else sees it, who can only look while nobody locks it.
    fn outside(&self, sql: &str) {
        rusqlite::Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }
}

/// Descriptors this process has on the database's three files.
#[cfg(target_os = "linux")]
pub(super) fn descriptors(f: &Fixture) -> usize {
    let path = f.path().into_os_string().into_string().unwrap();
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| target.to_string_lossy().starts_with(&path))
        .count()
}

/// Locks that this process has on the file.
#[cfg(target_os = "linux")]
pub(super) fn locks(f: &Fixture) -> usize {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{}", std::fs::metadata(f.path()).unwrap().ino());
    let held = std::fs::read_to_string("/proc/locks").unwrap();
    // inode numbers are unique on one disk only, so the process must fit, too
    let me = std::process::id().to_string();
    let ours = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.contains(&me.as_str()) && words.iter().any(|word| word.ends_with(&inode))
    };
    held.lines().filter(|line| ours(line)).count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn while_suspended_no_file_is_open_and_nothing_is_locked() {
    for f in both() {
        f.run("INSERT INTO notes (id) VALUES ('a')");
        f.read("SELECT * FROM notes");
        // a reading of /proc/locks may miss one while others come and go
        let seen = (0..100).any(|_| descriptors(&f) >= 4 && locks(&f) >= 1);
        assert!(seen, "the test sees what there is");
        f.store.suspend(GRACE).await;
        assert_eq!((descriptors(&f), locks(&f)), (0, 0));
        let left: Vec<_> = std::fs::read_dir(f.directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["x.db"], "the log is folded");
        let write = f.asked(false, 0, "INSERT INTO notes (id) VALUES ('b')");
        let read = f.asked(true, 0, "SELECT count(*) FROM notes");
        std::thread::sleep(Duration::from_millis(50));
        assert!(write.try_recv().is_err() && read.try_recv().is_err(), "they wait");
        assert_eq!((descriptors(&f), locks(&f)), (0, 0), "asking opens nothing");
        f.store.resume().await.unwrap();
        write.recv().unwrap().unwrap();
        read.recv().unwrap().unwrap();
        assert_eq!(f.read("SELECT count(*) FROM notes"), [["2"]]);
        f.store.suspend(GRACE).await;
        assert_eq!((descriptors(&f), locks(&f)), (0, 0), "the second time, too");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_checkpoint_on_its_way_holds_nothing_open() {
    EXECUTION.set(Execution::Threads);
    let f = fixture();
    f.run("CREATE TABLE big (a)");
    for n in 1..=5 {
        for _ in 0..3 {
            f.run("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO big SELECT zeroblob(4000) FROM n");
        }
        f.store.suspend(GRACE).await;
        assert_eq!((descriptors(&f), locks(&f)), (0, 0));
        f.store.resume().await.unwrap();
        assert_eq!(f.read("SELECT count(*) FROM big"), [[(n * 6000).to_string()]]);
    }
}

#[tokio::test]
async fn after_resuming_the_writer_is_what_it_was() {
    for f in both() {
        f.run("INSERT INTO notes (id) VALUES ('a')");
        f.store.suspend(GRACE).await;
        f.store.resume().await.unwrap();
        f.run("INSERT OR REPLACE INTO notes (id, title) VALUES ('b', 'x')");
        f.run("INSERT OR REPLACE INTO notes (id, title) VALUES ('b', 'y')");
        let outbox: Vec<String> = f.outbox().iter().map(|r| format!("{} {} {}", r[0], r[2], r[3])).collect();
        assert_eq!(outbox, ["1 a 1", "2 b 1", "3 b 1"], "captured, replaced rows too, transactions counted on");
        assert_eq!(f.try_run("DELETE FROM omnii_outbox").unwrap_err().code, ErrorCode::BadArgument);
        assert_eq!(f.counts(), (3, 0));
        assert_eq!(f.seen.outbox.lock().unwrap().last().unwrap(), &(Counts { pending: 3, parked: 0 }, true));
        assert_eq!(f.seen.tables.lock().unwrap().last().unwrap(), &["notes"]);
        assert_eq!(f.pull(&row("c", "server", "01")).written, 1);
    }
}

#[tokio::test]
async fn asked_at_any_time_and_any_number_of_times() {
    for f in both() {
        f.store.resume().await.unwrap();
        f.store.suspend(GRACE).await;
        f.store.suspend(GRACE).await;
        f.store.resume().await.unwrap();
        f.store.resume().await.unwrap();
        f.run("INSERT INTO notes (id) VALUES ('a')");
        f.store.suspend(GRACE).await;
        let waiting = [f.asked(false, 0, "SELECT 1"), f.asked(true, 0, "SELECT 1")];
        f.store.close();
        for outcome in waiting {
            assert_eq!(outcome.recv().unwrap().unwrap_err().code, ErrorCode::Closed);
        }
        f.store.suspend(GRACE).await;
        assert_eq!(f.store.resume().await.unwrap_err().code, ErrorCode::Closed);
        let Fixture { store, seen, directory } = f;
        let again = open_in(directory.path(), SCHEMA, seen.clone()).unwrap();
        drop(store);
        assert_eq!(again.remembered().counts.pending, 1);
    }
}

#[tokio::test]
async fn a_transaction_may_end_before_the_file_is_given_up() {
    for f in both() {
        let tx = wait(|done| f.store.begin(done)).unwrap();
        f.asked(false, tx, "INSERT INTO notes (id) VALUES ('a')").recv().unwrap().unwrap();
        let before = f.asked(false, 0, "INSERT INTO notes (id) VALUES ('before')");
        let ended = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
        };
        tokio::join!(f.store.suspend(Duration::from_secs(60)), ended);
        before.try_recv().expect("asked before, done before").unwrap();
        f.outside("CREATE TABLE free (n)");
        f.store.resume().await.unwrap();
        assert_eq!(f.read("SELECT id FROM notes ORDER BY id"), [["a"], ["before"]]);
    }
}

#[tokio::test]
async fn a_transaction_that_does_not_end_is_rolled_back_and_told_why() {
    for f in both() {
        let tx = wait(|done| f.store.begin(done)).unwrap();
        f.asked(false, tx, "INSERT INTO notes (id) VALUES ('a')").recv().unwrap().unwrap();
        let behind = f.asked(false, 0, "INSERT INTO notes (id) VALUES ('behind')");
        f.store.suspend(Duration::from_millis(10)).await;
        assert!(behind.try_recv().is_err());
        let late = f.asked(false, tx, "INSERT INTO notes (id) VALUES ('late')").recv().unwrap().unwrap_err();
        assert_eq!(late.code, ErrorCode::TransactionEnded);
        assert!(late.message.contains("suspended"), "{late}");
        f.store.resume().await.unwrap();
        behind.recv().unwrap().unwrap();
        let ended: Result<()> = wait(|done| f.store.end(tx, true, done));
        assert!(ended.unwrap_err().message.contains("suspended"));
        assert_eq!(f.read("SELECT id FROM notes"), [["behind"]]);
        assert_eq!((f.counts(), f.outbox().len()), ((1, 0), 1));
        let tx = wait(|done| f.store.begin(done)).unwrap();
        wait::<Result<()>>(|done| f.store.end(tx, true, done)).unwrap();
    }
}

#[tokio::test]
async fn what_runs_too_long_is_interrupted_a_read_begins_again() {
    EXECUTION.set(Execution::Threads);
    let f = fixture();
    f.run(&format!("CREATE TABLE knob AS SELECT {} AS n", i64::MAX));
    let reads: Vec<_> = (0..6).map(|_| f.asked(true, 0, SLOW)).collect();
    let write = f.asked(false, 0, &SLOW.replace("SELECT count(*)", "INSERT INTO notes (id) SELECT 'b' || count(*)"));
    let behind = f.asked(false, 0, "INSERT INTO notes (id) VALUES ('behind')");
    f.store.suspend(Duration::from_millis(20)).await;
    let error = write.recv().unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::TransactionEnded);
    assert!(error.message.contains("suspended"), "{error}");
    f.outside("UPDATE knob SET n = 7");
    assert!(behind.try_recv().is_err());
    f.store.resume().await.unwrap();
    for read in reads {
        assert_eq!(read.recv().unwrap().unwrap(), ["Integer(7)"]);
    }
    behind.recv().unwrap().unwrap();
    assert_eq!(f.read("SELECT id FROM notes"), [["behind"]]);
}

#[tokio::test]
async fn a_file_that_can_not_be_opened_again_is_told_and_tried_again() {
    for f in both() {
        f.run("INSERT INTO notes (id) VALUES ('a')");
        f.store.suspend(GRACE).await;
        let whole = std::fs::read(f.path()).unwrap();
        std::fs::write(f.path(), "this is not a database, not at all, by no means").unwrap();
        let waiting = [f.asked(false, 0, "SELECT 1"), f.asked(true, 0, "SELECT 1")];
        let begin = f.store.write(|w| Ok(w.counts()));
        assert_eq!(f.store.resume().await.unwrap_err().code, ErrorCode::CorruptDatabase);
        for outcome in waiting {
            assert_eq!(outcome.recv().unwrap().unwrap_err().code, ErrorCode::CorruptDatabase);
        }
        assert_eq!(begin.await.unwrap_err().code, ErrorCode::CorruptDatabase);
        assert_eq!(f.try_run("SELECT 1").unwrap_err().code, ErrorCode::CorruptDatabase, "nobody waits for ever");
        assert_eq!(f.asked(true, 0, "SELECT 1").recv().unwrap().unwrap_err().code, ErrorCode::CorruptDatabase);
        std::fs::write(f.path(), whole).unwrap();
        f.store.suspend(NO_GRACE).await;
        let waits = f.asked(false, 0, "SELECT 1");
        f.store.resume().await.unwrap();
        waits.recv().unwrap().unwrap();
        assert_eq!(f.read("SELECT id FROM notes"), [["a"]]);
    }
}

#[tokio::test]
async fn a_pull_does_not_outlive_the_suspension() {
    for f in both() {
        let pull = f.store.begin_pull();
        assert!(f.store.is_active(pull.number()));
        f.store.suspend(GRACE).await;
        f.store.resume().await.unwrap();
        assert!(!f.store.is_active(pull.number()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_write_is_lost_however_often_the_app_is_suspended() {
    EXECUTION.set(Execution::Threads);
    let f = fixture();
    let (send, answered) = channel();
    let store = f.store.clone();
    let writing = std::thread::spawn(move || {
        for n in 0..2_000 {
            let send = send.clone();
            store.execute(0, format!("INSERT INTO notes (id) VALUES ('{n:04}')"), vec![], move |outcome| {
                if outcome.is_ok() {
                    send.send(n).unwrap();
                }
            });
            if n % 10 == 0 {
                store.query("SELECT count(*) FROM notes".into(), vec![], |rows| assert!(rows.is_ok()));
                std::thread::sleep(Duration::from_micros(500));
            }
        }
    });
    for _ in 0..20 {
        f.store.suspend(GRACE).await;
        #[cfg(target_os = "linux")]
        assert_eq!((descriptors(&f), locks(&f)), (0, 0));
        f.store.resume().await.unwrap();
    }
    writing.join().unwrap();
    let answered: Vec<i32> = answered.iter().collect();
    assert_eq!(answered.len(), 2_000, "asked with time to spare, each is done");
    assert!(answered.is_sorted(), "in order");
    assert_eq!(f.counts(), (2_000, 0));
    assert_eq!(f.read("SELECT count(*) FROM notes"), [["2000"]]);
}

#[tokio::test]
async fn a_panic_of_what_runs_on_a_reader_is_answered_and_does_not_keep_the_file_open() {
    for f in both() {
        f.read("SELECT 1");
        let (send, answer) = channel();
        f.store.readers.ask(|_| -> Result<()> { panic!("as it should") }, move |outcome| drop(send.send(outcome)));
        let answer = answer.recv_timeout(Duration::from_secs(10)).expect("an answer");
        assert_eq!(answer.unwrap_err().code, ErrorCode::Internal);
        let outcome = f.store.readers.now(|_| -> Result<()> { panic!("as it should") });
        assert_eq!(outcome.unwrap_err().code, ErrorCode::Internal);
        let id = wait(|done| f.store.hold(Mode::Read, done)).unwrap();
        let (send, answer) = channel();
        let panics = |_: &crate::store::readers::Reader| -> Result<()> { panic!("as it should") };
        f.store.readers.ask_session(id, panics, move |outcome| drop(send.send(outcome)));
        let answer = answer.recv_timeout(Duration::from_secs(10)).expect("an answer");
        assert_eq!(answer.unwrap_err().code, ErrorCode::Internal);
        wait::<Result<()>>(|done| f.store.end(id, true, done)).unwrap();
        assert_eq!(f.read("SELECT 1"), [["1"]]);
        tokio::time::timeout(Duration::from_secs(10), f.store.suspend(NO_GRACE)).await.expect("it is given up");
        f.store.resume().await.unwrap();
        assert_eq!(f.read("SELECT 1"), [["1"]]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_opens_the_file_once_it_is_given_up_however_close_he_came() {
    let f = fixture();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    drop(f.store.query_now("SELECT 1", &[]));
                    f.store.hold(Mode::Read, |_| {});
                    std::thread::yield_now();
                }
            });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..600 {
                std::thread::sleep(Duration::from_micros(round * 7 % 900));
                // sessions that are held end at once
                runtime.block_on(f.store.suspend(NO_GRACE));
                for _ in 0..5 {
                    assert_eq!(descriptors(&f), 0, "round {round}");
                }
                runtime.block_on(f.store.resume()).unwrap();
            }
        }));
        stop.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
}
