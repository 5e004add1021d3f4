//! A device's process: the real engine on a real file, an app that answers for credentials, and its death.
//!
//! A process dies by having its files copied as they are at that moment; the copy is what the next one opens. Of the
//! write-ahead log, commits may be cut off behind which nothing became visible outside: the process may as well have died
//! right after any of them.

use super::app::Write;
use super::backend::tables::TABLES;
use super::net::{ENDPOINT, Link};
use super::schedule::Policy;
use super::world::{Shared, SimClock, World};
use crate::SCHEMA;
use omnii_sync_engine::clock::Jitter;
use omnii_sync_engine::credentials::Credentials;
use omnii_sync_engine::store::{Changes, Counts, Store, StoreObserver, StoreOptions};
use omnii_sync_engine::{
    Database, DatabaseObserver, Environment, ErrorCode, Execution, OpenOptions, Schema, Status, SyncError,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

/// See the module's documentation.
pub struct Client {
    /// Its number.
    pub index: usize,
    /// Its user's number.
    pub user: usize,
    /// The open database.
    pub database: Arc<Database>,
    /// Whether the app wants to be connected.
    pub connected: bool,
    /// What the app wrote and that is not accounted for yet.
    pub writes: Vec<Write>,
    /// The highest cursors seen, by table.
    pub cursors: [Option<i64>; 3],
}

struct App {
    shared: Arc<Shared>,
    client: usize,
    user: usize,
    database: Arc<OnceLock<Weak<Database>>>,
}

impl DatabaseObserver for App {
    fn status_changed(&self, status: &Status) {
        self.shared.note(|| {
            let error = status.error.as_ref().map(|e| format!(" {:?}", e.code)).unwrap_or_default();
            let Status { pending_changes, parked_changes, .. } = status;
            format!(
                "client {}:   {:?}{error}, {pending_changes} pending, {parked_changes} parked",
                self.client,
                status.kind()
            )
        });
    }

    fn tables_changed(&self, _: &omnii_sync_engine::Changes) {}

    fn credentials_requested(&self, request: u64) {
        let Some(database) = self.database.get().cloned() else { return };
        let (shared, client, user) = (self.shared.clone(), self.client, self.user);
        tokio::spawn(async move {
            let (wait_ms, tells_expiry, mood) = {
                let mut world = shared.lock();
                (world.rng.between(0, 40), world.rng.percent(50), world.rng.below(4))
            };
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            let now_ms = shared.now_ms();
            let answer = {
                let mut world = shared.lock();
                if now_ms < world.devices[client].signed_out_until_ms {
                    match mood {
                        0 => Err("the app's own error".to_owned()),
                        // the app never answers
                        1 => return,
                        _ => Ok(None),
                    }
                } else {
                    let (token, ends_ms) = world.token(user, now_ms);
                    let expiry = tells_expiry.then_some(super::world::BEGIN_MS + ends_ms as i64);
                    Credentials::new(ENDPOINT, token, expiry).map(Some).map_err(|e| e.message)
                }
            };
            if let Some(database) = database.upgrade() {
                database.provide_credentials(request, answer);
            }
        });
    }
}

fn open(shared: &Arc<Shared>, client: usize, user: usize) -> Result<Arc<Database>, SyncError> {
    let (path, generation, sync, jitter, schema) = {
        let mut world = shared.lock();
        let (seed, sync) = (world.rng.number(), world.setting.sync.clone());
        let device = &mut world.devices[client];
        device.wal_mark = 0;
        let (path, generation) = (device.path.clone(), device.generation);
        (path, generation, sync, Jitter::seeded(seed), schema(&world.setting.policies))
    };
    let cell = Arc::new(OnceLock::new());
    let link = Link { shared: shared.clone(), client, generation, database: cell.clone() };
    let environment = Environment {
        runtime: tokio::runtime::Handle::current(),
        transport: Arc::new(link),
        clock: Arc::new(SimClock(shared.clone())),
        jitter,
        execution: Execution::Inline,
    };
    let store = StoreOptions::new(path, Arc::new(Schema::from_json(&schema)?), World::user(user));
    let app = App { shared: shared.clone(), client, user, database: cell.clone() };
    let database =
        Arc::new(Database::open(OpenOptions { store, sync, custom_upload: false }, environment, Arc::new(app))?);
    // set once
    let _ = cell.set(Arc::downgrade(&database));
    mark(shared, client);
    Ok(database)
}

impl Client {
    /// The first process of device `index`, with its files in `directory`.
    pub fn start(shared: &Arc<Shared>, index: usize, directory: &Path) -> Result<Self, SyncError> {
        let (user, path) = {
            let mut world = shared.lock();
            let path = directory.join(format!("{index}.0.db"));
            world.devices[index].path = path.clone();
            (world.setting.users[index], path)
        };
        // making the tables takes longer than all else that a simulation does with this device
        let policies = shared.lock().setting.policies;
        if let Some(fresh) = fresh(user, &policies) {
            std::fs::write(&path, &*fresh).map_err(|e| SyncError::new(ErrorCode::Unwritable, e.to_string()))?;
        }
        let database = open(shared, index, user)?;
        Ok(Self { index, user, database, connected: false, writes: Vec::new(), cursors: [None; 3] })
    }

    /// Starts the process again from the copy that [`die`] made.
    pub async fn restart(&mut self, shared: &Arc<Shared>) -> Result<(), SyncError> {
        {
            let mut world = shared.lock();
            let device = &mut world.devices[self.index];
            device.generation += 1;
            device.path = next_path(&device.path, device.generation);
            device.dead = false;
            device.suspended = false;
            device.dies = None;
        }
        self.take_up(shared).await
    }

    /// Opens the file again that the last process has closed.
    pub async fn reopen(&mut self, shared: &Arc<Shared>) -> Result<(), SyncError> {
        shared.lock().devices[self.index].generation += 1;
        self.take_up(shared).await
    }

    async fn take_up(&mut self, shared: &Arc<Shared>) -> Result<(), SyncError> {
        let old = std::mem::replace(&mut self.database, open(shared, self.index, self.user)?);
        drop(old);
        // its tasks end in these turns; nothing they do reaches the backend or the new file
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        if self.connected {
            self.database.connect();
        }
        Ok(())
    }
}

/// The app's schema.
fn schema(policies: &[Policy; 3]) -> String {
    let mut schema = SCHEMA.to_owned();
    for (table, policy) in TABLES.iter().zip(policies) {
        let word = match policy {
            Policy::LastWriteWins => continue,
            Policy::ClientWins => "clientWins",
            Policy::ServerWins => "serverWins",
        };
        let name = format!("{{\"name\":\"{}\",", table.name);
        schema = schema.replacen(&name, &format!("{name}\"conflictPolicy\":\"{word}\","), 1);
    }
    schema
}

/// A file as the engine makes it at its first opening.
fn fresh(user: usize, policies: &[Policy; 3]) -> Option<Arc<Vec<u8>>> {
    type Files = BTreeMap<(usize, String), Arc<Vec<u8>>>;
    static FILES: Mutex<Files> = Mutex::new(BTreeMap::new());
    struct Nobody;
    impl StoreObserver for Nobody {
        fn tables_changed(&self, _: Changes) {}
        fn outbox_changed(&self, _: Counts, _: bool) {}
    }
    let schema = schema(policies);
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = files.get(&(user, schema.clone())) {
        return Some(file.clone());
    }
    let directory = tempfile::tempdir().ok()?;
    let path = directory.path().join("fresh.db");
    let parsed = Arc::new(Schema::from_json(&schema).ok()?);
    let options = StoreOptions::new(path.clone(), parsed, World::user(user));
    let store = Store::open_with(options, Arc::new(Nobody), Execution::Inline).ok()?;
    store.close();
    let file = Arc::new(std::fs::read(path).ok()?);
    files.insert((user, schema), file.clone());
    Some(file)
}

fn next_path(path: &Path, generation: u64) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let device = name.split('.').next().unwrap_or_default();
    path.with_file_name(format!("{device}.{generation}.db"))
}

/// The write-ahead log of a file.
pub fn wal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// What is in the file now has been seen outside: a process that dies later has done it.
pub fn mark(shared: &Shared, client: usize) {
    let mut world = shared.lock();
    let device = &mut world.devices[client];
    if !device.dead {
        device.wal_mark = std::fs::metadata(wal_of(&device.path)).map_or(0, |m| m.len());
    }
}

/// The process dies now: its files are copied for the next one, and nothing it does from now on counts.
pub fn die(shared: &Shared, client: usize) {
    let now_ms = shared.now_ms();
    let mut guard = shared.lock();
    let world = &mut *guard;
    let device = &mut world.devices[client];
    if device.dead {
        return;
    }
    device.dead = true;
    let copy = next_path(&device.path, device.generation + 1);
    let log = std::fs::read(wal_of(&device.path)).unwrap_or_default();
    let ends = commits(&log, device.wal_mark);
    let end = match ends.as_slice() {
        [] => log.len(),
        ends => *world.rng.pick(ends),
    };
    let copied = std::fs::copy(&device.path, &copy).and_then(|_| std::fs::write(wal_of(&copy), &log[..end]));
    world.trace.note(now_ms, || format!("client {client} dies; {} of {} bytes of its log remain", end, log.len()));
    if let Err(error) = copied {
        world.trace.fail(now_ms, || format!("the simulator could not copy a file: {error}"));
    }
    shared.died.notify_one();
}

/// Where the log may end: behind `from`, and behind each commit after it (SQLite file format, 4.1 and 4.2).
fn commits(log: &[u8], from: u64) -> Vec<usize> {
    const HEADER: usize = 32;
    const FRAME_HEADER: usize = 24;
    let word = |at: usize| log.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let (Some(page), Ok(from)) = (word(8), usize::try_from(from)) else { return Vec::new() };
    let frame = FRAME_HEADER + page as usize;
    let mut ends = vec![from.min(log.len())];
    let mut at = HEADER;
    while at + frame <= log.len() {
        let size_after_commit = word(at + 4).unwrap_or(0);
        at += frame;
        if size_after_commit > 0 && at > from {
            ends.push(at);
        }
    }
    ends
}
