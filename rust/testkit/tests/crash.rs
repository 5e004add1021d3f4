//! A real engine process is killed (SIGKILL) again and again while it writes, uploads and downloads. Whatever it had been told
//! is committed must be there after each kill, and on the backend once at the end.
//!
//! `OMNII_CRASH_SEED` repeats a schedule of kills (as far as real time allows), `OMNII_CRASH_KILLS` sets their number.

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_engine::clock::Jitter;
use omnii_sync_server::{Backend, Config, Fault, Route, Running, Server};
use omnii_sync_testkit::Device;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const KILLS: u64 = 220;
const SYNC: &str = r#"{"pollIntervalMs":50,"uploadThrottleMs":10,"maxBackoffMs":100}"#;

/// Rows by id; only those the client makes.
type Rows = BTreeMap<String, String>;

/// What the client says it did.
#[derive(Default)]
struct Journal {
    read: usize,
    /// Rows as they are after all that is certain.
    certain: Rows,
    /// The last step, if the client was killed before it knew whether that is committed.
    doubtful: Option<BTreeMap<String, Option<String>>>,
    steps: u64,
    doubts: u64,
}

impl Journal {
    fn read(&mut self, path: &Path) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for line in text[self.read..].lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            match line.get("begin") {
                Some(step) => {
                    assert!(self.doubtful.is_none(), "settled after each kill");
                    self.doubtful = Some(serde_json::from_value(step.clone()).unwrap());
                }
                None => {
                    self.certain = self.with_the_last_step();
                    self.doubtful = None;
                    self.steps += 1;
                }
            }
        }
        self.read = text.len();
    }

    fn with_the_last_step(&self) -> Rows {
        let mut rows = self.certain.clone();
        for (id, name) in self.doubtful.iter().flatten() {
            match name {
                Some(name) => drop(rows.insert(id.clone(), name.clone())),
                None => drop(rows.remove(id)),
            }
        }
        rows
    }

    /// The file tells which way the step in doubt went: all of it happened, or nothing.
    fn settle(&mut self, there: &Rows) {
        let with = self.with_the_last_step();
        assert!(*there == self.certain || *there == with, "{}", difference(&self.certain, there));
        self.doubts += u64::from(self.doubtful.take().is_some());
        self.certain.clone_from(there);
    }
}

fn difference(expected: &Rows, there: &Rows) -> String {
    let lost = expected.iter().filter(|(id, name)| there.get(*id) != Some(name)).take(5);
    let invented = there.iter().filter(|(id, name)| expected.get(*id) != Some(name)).take(5);
    format!(
        "expected but not there: {:?}; there but not expected: {:?}",
        Vec::from_iter(lost),
        Vec::from_iter(invented)
    )
}

/// What the kills met, to see that they met something.
#[derive(Debug, Default)]
struct Met {
    queued: u64,
    sent: u64,
    pulling: u64,
    drained: u64,
    log_left: u64,
}

struct World {
    server: Running,
    user: String,
    directory: tempfile::TempDir,
}

impl World {
    fn file(&self) -> PathBuf {
        let mut files = std::fs::read_dir(self.data()).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|end| end == "db")).unwrap()
    }
    fn data(&self) -> PathBuf {
        self.directory.path().join("device")
    }
    fn journal(&self) -> PathBuf {
        self.directory.path().join("journal")
    }
    fn spawn(&self, run: u64) -> Child {
        Command::new(env!("CARGO_BIN_EXE_crash_client"))
            .args([&self.data().to_string_lossy(), self.user.as_str(), &self.server.api_url()])
            .arg(self.server.backend().mint_token(&self.user).unwrap())
            .arg(self.journal())
            .arg(run.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The file as the kill left it, looked at by nobody's engine.
    fn check(&self, journal: &mut Journal, met: &mut Met) {
        let left = std::fs::metadata(self.file().with_extension("db-wal")).map_or(0, |log| log.len());
        met.log_left += u64::from(left > 0);
        let db = Connection::open(self.file()).unwrap();
        let number = |sql: &str| -> u64 { db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs() };
        let integrity: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(integrity, "ok");
        if number("SELECT count(*) FROM sqlite_master WHERE name = 'omnii_outbox'") == 0 {
            return; // killed before its first commit
        }
        for (broken, what) in [
            (
                "SELECT count(*) FROM omnii_outbox o WHERE NOT EXISTS (SELECT 1 FROM omnii_overlay v WHERE v.tbl = o.tbl AND v.row_id = o.row_id) \
                 AND NOT EXISTS (SELECT 1 FROM omnii_outbox i WHERE i.tbl = o.tbl AND i.row_id = o.row_id AND i.op = 1)",
                "a change of a row that is not new, without the server's version beneath it",
            ),
            (
                "SELECT count(*) FROM omnii_overlay v WHERE NOT EXISTS (SELECT 1 FROM omnii_outbox o WHERE v.tbl = o.tbl AND v.row_id = o.row_id)",
                "a server's version without a change above it",
            ),
            (
                "SELECT count(*) FROM omnii_outbox WHERE state NOT IN (0, 1) OR (op < 3) <> coalesce(json_valid(data), 0)",
                "a change that is parked or can't be read",
            ),
        ] {
            assert_eq!(number(broken), 0, "{what}");
        }
        met.queued += u64::from(number("SELECT count(*) FROM omnii_outbox WHERE state = 0") > 0);
        met.sent += u64::from(number("SELECT count(*) FROM omnii_outbox WHERE state = 1") > 0);
        met.drained += u64::from(number("SELECT count(*) FROM omnii_outbox") < 5);
        let theirs = self.server.backend().count(&self.user, "sync_entities").unwrap();
        met.pulling += u64::from(number("SELECT count(*) FROM sync_entities") < theirs);
        let mine = db
            .prepare("SELECT id, name FROM sync_entities WHERE name LIKE 'mine%'")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<Rows, _>>()
            .unwrap();
        journal.settle(&mine);
    }

    /// The backend's rows.
    fn there(&self) -> Rows {
        let rows = self.server.backend().rows(&self.user, "sync_entities").unwrap();
        let text = |row: &Value, column: &str| row[column].as_str().unwrap().to_owned();
        rows.iter().map(|row| (text(row, "id"), text(row, "name"))).collect()
    }
}

/// Another device, so that there is always something to download.
async fn write_elsewhere(backend: Backend, user: String, stop: Arc<AtomicBool>) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let row = json!({ "entity_type": "task", "name": format!("theirs {n}") });
        backend.upsert(&user, "sync_entities", row).unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

fn order_faults(world: &World, draw: &mut impl FnMut(u64) -> u64) {
    world.server.faults().clear();
    let some_ms = Duration::from_millis(5 + draw(25));
    match draw(6) {
        0 => world.server.faults().next(Route::Upload, 1000, Fault::Delay(some_ms)),
        1 => world.server.faults().next(Route::Sync, 1000, Fault::Delay(some_ms)),
        2 => world.server.faults().next(Route::Upload, 2, Fault::DropAfter),
        3 => world.server.faults().next(Route::Upload, 1, Fault::DropBefore),
        _ => {}
    }
}

fn number_from(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled_however_often_the_process_is_killed() {
    let seed = number_from("OMNII_CRASH_SEED").unwrap_or_else(|| (Jitter::random().next_unit() * 1e9) as u64);
    let kills = number_from("OMNII_CRASH_KILLS").unwrap_or(KILLS);
    println!("OMNII_CRASH_SEED={seed}");
    let mut chance = Jitter::seeded(seed);
    let mut draw = move |below: u64| (chance.next_unit() * below as f64) as u64;
    let server = Server::start(Config::test()).await.unwrap();
    let user = server.backend().create_user("ada@example.com", "secret-123").unwrap();
    server.backend().seed(&user, 300).unwrap();
    let world = World { server, user, directory: tempfile::tempdir().unwrap() };
    let stop = Arc::new(AtomicBool::new(false));
    let elsewhere = tokio::spawn(write_elsewhere(world.server.backend().clone(), world.user.clone(), stop.clone()));

    let (mut journal, mut met) = (Journal::default(), Met::default());
    for run in 0..kills {
        order_faults(&world, &mut draw);
        let mut client = world.spawn(run);
        // now and then while it opens the file; never before there is one
        if run == 0 || draw(5) > 0 {
            let mut output = BufReader::new(client.stdout.take().unwrap());
            let said = tokio::task::spawn_blocking(move || {
                let mut line = String::new();
                output.read_line(&mut line).map(|_| line)
            });
            assert_eq!(said.await.unwrap().unwrap(), "ready\n", "run {run} opens the file");
            tokio::time::sleep(Duration::from_micros(draw(150_000))).await;
        } else {
            tokio::time::sleep(Duration::from_micros(draw(60_000))).await;
        }
        assert_eq!(client.try_wait().unwrap(), None, "run {run} lives until it is killed");
        client.kill().unwrap();
        client.wait().unwrap();
        journal.read(&world.journal());
        world.check(&mut journal, &mut met);
    }
    world.server.faults().clear();
    stop.store(true, Ordering::Relaxed);
    elsewhere.await.unwrap();

    let device = Device::open(&world.data(), &world.user, SYNC).unwrap();
    device.sign_in(&world.server.api_url(), &world.server.backend().mint_token(&world.user).unwrap());
    device.database.connect();
    device.wait_for(|status| status.has_synced && status.pending_changes == 0).await;
    device.database.trigger_sync().await.unwrap();
    assert_eq!((device.database.status().pending_changes, device.database.status().parked_changes), (0, 0));
    let there = world.there();
    let mine: Rows = there.clone().into_iter().filter(|(_, name)| name.starts_with("mine")).collect();
    assert_eq!(mine, journal.certain, "{}", difference(&journal.certain, &mine));
    // under its own id and under no other
    assert_eq!(mine.values().collect::<HashSet<_>>().len(), mine.len(), "a write is there twice");
    let here = device.read("SELECT id, name FROM sync_entities").await;
    let here: Rows = here.into_iter().map(|mut row| (row.swap_remove(0), row.swap_remove(0))).collect();
    assert_eq!(here, there, "{}", difference(&there, &here));

    let Journal { steps, doubts, .. } = journal;
    println!("{kills} kills, {steps} steps, {doubts} in doubt, {} rows of {}; met {met:?}", mine.len(), there.len());
    assert!(steps > kills * 3, "the client got somewhere between the kills");
    for (what, count) in [
        ("queued", met.queued),
        ("sent", met.sent),
        ("pulling", met.pulling),
        ("drained", met.drained),
        ("log", met.log_left),
    ] {
        assert!(count >= kills / 20, "{what}: {count} of {kills} kills; they must not all hit the same moment");
    }
}
