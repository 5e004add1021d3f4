//! The app is suspended and comes back, users sign out and in: real files, real HTTP.

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_engine::{ErrorCode, OnSignOut};
use omnii_sync_server::{Answer, Config, Fault, Gate, Route, Running, Server};
use omnii_sync_testkit::Device;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const QUIET: &str = r#"{"pollIntervalMs":3600000,"uploadThrottleMs":3600000}"#;
const LIVELY: &str = r#"{"pollIntervalMs":50,"uploadThrottleMs":10,"maxBackoffMs":100,"pageLimit":100}"#;
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

struct World {
    server: Running,
    directory: TempDir,
}

struct User {
    id: String,
    device: Device,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = Server::start(Config::test().on_file(directory.path().join("server.db"))).await.unwrap();
        Self { server, directory }
    }
    fn user(&self, name: &str, sync: &str) -> User {
        let id = self.server.backend().create_user(&format!("{name}@example.com"), "secret-123").unwrap();
        User { device: self.sign_in(&id, sync), id }
    }
    fn sign_in(&self, id: &str, sync: &str) -> Device {
        let device = Device::open(&self.data(), id, sync).unwrap();
        device.sign_in(&self.server.api_url(), &self.server.backend().mint_token(id).unwrap());
        device
    }
    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
    /// Database files, their logs and indexes.
    fn files(&self) -> usize {
        std::fs::read_dir(self.data()).unwrap().count()
    }
    fn has(&self, user: &str, n: u32) -> bool {
        self.server.backend().row(user, "sync_entities", &id(n)).unwrap().is_some()
    }
}

fn id(n: u32) -> String {
    format!("11111111-1111-4111-8111-{n:012}")
}

fn insert(n: u32) -> String {
    format!("INSERT INTO sync_entities (id, entity_type, name) VALUES ('{}', 'task', 'mine {n}')", id(n))
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_uploads_what_is_pending_and_clears_only_this_users_file() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada", QUIET), world.user("bob", QUIET));
    bob.device.execute(&insert(2)).await.unwrap();
    bob.device.database.close().await;
    ada.device.execute(&insert(1)).await.unwrap();
    assert_eq!(ada.device.database.sign_out(OnSignOut::ClearWhenSynced, LONG).await, Ok(true));
    assert!(world.has(&ada.id, 1));
    assert_eq!(world.files(), 1, "bob's");
    let late = ada.device.execute("SELECT 1").await;
    assert_eq!(late.unwrap_err().code, ErrorCode::Closed);
    assert_eq!(
        ada.device.database.sign_out(OnSignOut::ClearWhenSynced, SHORT).await,
        Ok(true),
        "once more is no fault"
    );

    let bob = world.sign_in(&bob.id, QUIET);
    assert_eq!(bob.database.status().pending_changes, 1);
    assert_eq!(bob.read("SELECT name FROM sync_entities").await, [["mine 2"]]);
    let ada = world.sign_in(&ada.id, QUIET);
    assert_eq!(ada.read("SELECT count(*) FROM sync_entities").await, [["0"]]);
    ada.database.trigger_sync().await.unwrap();
    assert_eq!(ada.read("SELECT name FROM sync_entities").await, [["mine 1"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_synced_is_cleared_without_asking_the_backend_and_kept_if_the_app_wants() {
    let world = World::new().await;
    let ada = world.user("ada", QUIET);
    ada.device.execute(&insert(1)).await.unwrap();
    ada.device.database.trigger_sync().await.unwrap();
    let requests = world.server.traffic().requests(Route::Upload);
    assert_eq!(ada.device.database.sign_out(OnSignOut::Keep, LONG).await, Ok(false));
    assert_eq!(world.server.traffic().requests(Route::Upload), requests);
    let again = world.sign_in(&ada.id, QUIET);
    assert_eq!(again.read("SELECT name FROM sync_entities").await, [["mine 1"]]);
    assert_eq!(again.database.sign_out(OnSignOut::ClearWhenSynced, LONG).await, Ok(true));
    assert_eq!(world.files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_uploaded_is_kept_for_the_next_sign_in() {
    let world = World::new().await;
    let port = world.server.addr.port();
    let ada = world.user("ada", LIVELY);
    ada.device.execute(&insert(1)).await.unwrap();
    let World { server, directory } = world;
    server.stop().await;
    let began = Instant::now();
    assert_eq!(ada.device.database.sign_out(OnSignOut::ClearWhenSynced, LONG).await, Ok(false));
    assert!(began.elapsed() < LONG, "a failed attempt is enough");
    let config = Config::test().on_file(directory.path().join("server.db")).on_port(port);
    let world = World { server: Server::start(config).await.unwrap(), directory };
    let device = world.sign_in(&ada.id, LIVELY);
    assert_eq!(device.database.status().pending_changes, 1);
    device.database.connect();
    device.wait_for(|s| s.has_synced && s.pending_changes == 0).await;
    assert!(world.has(&ada.id, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_takes_no_longer_than_it_may() {
    let world = World::new().await;
    let gate = Gate::closed();
    let ada = world.user("ada", QUIET);
    ada.device.execute(&insert(1)).await.unwrap();
    world.server.faults().next(Route::Upload, 1, Fault::HoldBefore(gate.clone()));
    let began = Instant::now();
    assert_eq!(ada.device.database.sign_out(OnSignOut::ClearWhenSynced, SHORT).await, Ok(false));
    assert!(began.elapsed() >= SHORT && began.elapsed() < LONG);
    gate.open();

    // nobody answers the request for credentials
    let mute = Device::open(&world.data(), &ada.id, QUIET).unwrap();
    assert_eq!(mute.database.status().pending_changes, 1);
    let began = Instant::now();
    assert_eq!(mute.database.sign_out(OnSignOut::ClearWhenSynced, SHORT).await, Ok(false));
    assert!(began.elapsed() < LONG);

    let again = Device::open(&world.data(), &ada.id, QUIET).unwrap();
    assert_eq!(again.database.sign_out(OnSignOut::Clear, SHORT).await, Ok(true), "whatever is in it");
    assert_eq!(world.files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_change_keeps_the_file() {
    let world = World::new().await;
    let ada = world.user("ada", QUIET);
    world.server.faults().next(Route::Upload, 1, Fault::Answer(Answer::status(400)));
    ada.device.execute(&insert(1)).await.unwrap();
    let _ = ada.device.database.trigger_sync().await;
    assert_eq!(ada.device.database.status().parked_changes, 1);
    assert_eq!(ada.device.database.sign_out(OnSignOut::ClearWhenSynced, LONG).await, Ok(false));
    let again = world.sign_in(&ada.id, QUIET);
    assert_eq!(again.database.status().parked_changes, 1);
    assert_eq!(again.read("SELECT name FROM sync_entities").await, [["mine 1"]]);
}

/// How many descriptors this process has on files below `directory`.
#[cfg(target_os = "linux")]
fn descriptors(directory: &Path) -> usize {
    let directory = directory.canonicalize().unwrap();
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| target.starts_with(&directory))
        .count()
}

#[cfg(not(target_os = "linux"))]
fn descriptors(_: &Path) -> usize {
    0
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_in_the_middle_of_a_first_sync_and_again_and_again() {
    let world = World::new().await;
    let ada = world.user("ada", LIVELY);
    world.server.backend().seed(&ada.id, 6_000).unwrap();
    let total = world.server.backend().count(&ada.id, "sync_entities").unwrap();
    let database = &ada.device.database;
    database.connect();
    for n in 0..20 {
        tokio::time::sleep(Duration::from_millis(7 * u64::from(n))).await;
        database.prepare_for_suspend().await.unwrap();
        assert_eq!(descriptors(&world.data()), 0, "{n}");
        let statement = insert(n);
        let written = ada.device.execute(&statement);
        tokio::pin!(written);
        let waited = tokio::time::timeout(Duration::from_millis(5), &mut written).await;
        assert!(waited.is_err(), "a write waits");
        assert_eq!(descriptors(&world.data()), 0, "{n}");
        database.resume().await.unwrap();
        written.await.unwrap();
    }
    database.settled().await;
    ada.device.wait_for(|s| s.has_synced && s.pending_changes == 0).await;
    assert_eq!(database.status().parked_changes, 0);
    assert!((0..20).all(|n| world.has(&ada.id, n)));
    let count: u64 = ada.device.read("SELECT count(*) FROM sync_entities").await[0][0].parse().unwrap();
    assert_eq!(count, total + 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_during_an_upload_and_back_in_the_state_the_app_wanted() {
    let world = World::new().await;
    let gate = Gate::closed();
    world.server.faults().next(Route::Upload, 1, Fault::HoldBefore(gate.clone()));
    let ada = world.user("ada", LIVELY);
    let database = &ada.device.database;
    database.connect();
    ada.device.execute(&insert(1)).await.unwrap();
    gate.arrived(1).await;
    tokio::time::timeout(LONG, database.prepare_for_suspend()).await.unwrap().unwrap();
    tokio::time::timeout(LONG, database.prepare_for_suspend()).await.unwrap().unwrap();
    gate.open();
    database.resume().await.unwrap();
    ada.device.wait_for(|s| s.pending_changes == 0).await;
    assert!(world.has(&ada.id, 1));

    database.prepare_for_suspend().await.unwrap();
    database.disconnect();
    database.resume().await.unwrap();
    database.settled().await;
    let requests = world.server.traffic().requests(Route::Sync);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.server.traffic().requests(Route::Sync), requests, "disconnected while suspended");

    database.prepare_for_suspend().await.unwrap();
    database.connect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.server.traffic().requests(Route::Sync), requests, "suspended");
    assert_eq!(descriptors(&world.data()), 0);
    database.resume().await.unwrap();
    world.server.traffic().wait_for(Route::Sync, requests + 1).await;
    database.prepare_for_suspend().await.unwrap();
    database.close().await;
    assert_eq!(database.resume().await.unwrap_err().code, ErrorCode::Closed);
}
