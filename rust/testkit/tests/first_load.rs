//! The first pull of a large table: its indexes are made at the end. What that must not change.

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_server::{Config, Fault, Gate, Route, Running, Server};
use omnii_sync_testkit::Device;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const QUIET: &str = r#"{"pollIntervalMs":3600000,"uploadThrottleMs":3600000}"#;
const INDEXES: [&str; 2] = ["sync_entities__by_source", "sync_entities__by_type"];
/// Of 1,000 and 5,000 rows; the second begins with the last millisecond of the first.
const TWO_PAGES: std::ops::RangeInclusive<usize> = 5_990..=6_000;
const TABLES: [&str; 3] = ["sync_entities", "sync_events", "sync_relationships"];

struct World {
    server: Running,
    user: String,
    directory: TempDir,
}

impl World {
    /// 70 % of the rows are in `sync_entities`.
    async fn with_rows(count: u32) -> Self {
        let server = Server::start(Config::test()).await.unwrap();
        let user = server.backend().create_user("ada@example.com", "secret-123").unwrap();
        server.backend().seed(&user, count).unwrap();
        Self { server, user, directory: tempfile::tempdir().unwrap() }
    }
    fn device_in(&self, directory: &Path, sync: &str) -> Device {
        let device = Device::open(directory, &self.user, sync).unwrap();
        device.sign_in(&self.server.api_url(), &self.server.backend().mint_token(&self.user).unwrap());
        device
    }
    fn device(&self, sync: &str) -> Device {
        self.device_in(&self.directory.path().join("a"), sync)
    }
    /// The n-th request for rows from now on, after `n - 1` that are answered.
    fn at_request(&self, n: usize, fault: Fault) {
        self.server.faults().next(Route::Sync, n - 1, Fault::Delay(Duration::ZERO));
        self.server.faults().next(Route::Sync, 1, fault);
    }
    /// Holds a first load after two pages of entities (the first pages of all tables are asked for at once).
    async fn hold_a_load(&self, device: &Device) -> (Gate, impl Future<Output = ()> + use<>) {
        let gate = Gate::closed();
        self.at_request(5, Fault::HoldBefore(gate.clone()));
        let database = device.database.clone();
        let round = tokio::spawn(async move { database.trigger_sync().await });
        gate.arrived(1).await;
        device.execute("SELECT 1").await.unwrap(); // behind the page that asked for the one that is held
        (gate, async move { round.await.unwrap().unwrap() })
    }
    async fn assert_complete(&self, device: &Device) {
        assert_eq!(indexes(device).await, INDEXES);
        for table in TABLES {
            let here = device.read(&format!("SELECT count(*) FROM {table}")).await;
            assert_eq!(here, [[self.server.backend().count(&self.user, table).unwrap().to_string()]], "{table}");
        }
        assert_eq!(device.read("PRAGMA integrity_check").await, [["ok"]], "the indexes fit the rows");
    }
}

async fn indexes(device: &Device) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'sync\\_%' ESCAPE '\\' ORDER BY name";
    device.read(sql).await.into_iter().map(|mut row| row.remove(0)).collect()
}

/// The indexes wait, or the test tests nothing; unless the machine was so slow that their time is over.
async fn assert_missing(device: &Device, started: Instant) {
    let missing = indexes(device).await.is_empty();
    assert!(missing || started.elapsed() >= Duration::from_secs(3));
}

async fn wait_for_indexes(device: &Device) {
    for _ in 0..400 {
        if indexes(device).await == INDEXES {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the indexes did not come");
}

async fn rows(device: &Device, condition: &str) -> usize {
    device.read(&format!("SELECT id FROM sync_entities WHERE {condition}")).await.len()
}

fn insert(id: &str, name: &str) -> String {
    format!("INSERT INTO sync_entities (id, entity_type, name) VALUES ('{id}', 'task', '{name}')")
}

const ID: &str = "11111111-1111-4111-8111-111111111111";

#[tokio::test(flavor = "multi_thread")]
async fn ends_with_every_index_and_in_few_requests() {
    let world = World::with_rows(12_000).await;
    let device = world.device(QUIET);
    device.database.trigger_sync().await.unwrap();
    world.assert_complete(&device).await;
    // 8,400, 2,400 and 1,200 rows in pages of 1,000 would be 14
    assert_eq!(world.server.traffic().requests(Route::Sync), 7);
    let plan = device.read("EXPLAIN QUERY PLAN SELECT * FROM sync_entities WHERE entity_type = 'task'").await;
    assert!(plan[0][3].contains("sync_entities__by_type"), "{plan:?}");

    device.take_events();
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.take_events(), Vec::<Vec<String>>::new(), "the same rows again change nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_limit_of_the_app_holds_for_every_page() {
    let world = World::with_rows(2_000).await;
    world.server.traffic().record();
    world.device(r#"{"pageLimit":1000,"pollIntervalMs":3600000}"#).database.trigger_sync().await.unwrap();
    let asked = world.server.traffic().take_recorded();
    assert!(asked.iter().filter(|r| r.route == Route::Sync).all(|r| r.query.ends_with("limit=1000")), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_writes_go_on_meanwhile() {
    let world = World::with_rows(12_000).await;
    let device = world.device(QUIET);
    let started = Instant::now();
    let (gate, done) = world.hold_a_load(&device).await;
    assert_missing(&device, started).await;

    assert!(TWO_PAGES.contains(&rows(&device, "true").await));
    let by_type = rows(&device, "entity_type = 'task'").await;
    assert!(by_type > 0 && by_type == rows(&device, "+entity_type = 'task'").await);
    // a new row; one that has come; one that is still to come
    device.execute(&insert(ID, "new")).await.unwrap();
    let come = device.read("SELECT id FROM sync_entities WHERE updated_at > '' LIMIT 1").await.remove(0).remove(0);
    device.execute(&format!("UPDATE sync_entities SET name = 'changed' WHERE id = '{come}'")).await.unwrap();
    let all = world.server.backend().rows(&world.user, "sync_entities").unwrap();
    let newest = all.iter().max_by_key(|row| row["updated_at"].as_str().unwrap().to_owned()).unwrap();
    let (to_come, its_type) = (newest["id"].as_str().unwrap(), newest["entity_type"].as_str().unwrap());
    device.execute(&insert(to_come, "mine, too")).await.unwrap();
    assert_eq!(rows(&device, "name IN ('new', 'mine, too')").await, 2);

    gate.open();
    done.await;
    assert_eq!(indexes(&device).await, INDEXES);
    for (id, name) in [(ID, "new"), (&come, "changed"), (to_come, "mine, too")] {
        assert_eq!(rows(&device, &format!("id = '{id}' AND name = '{name}'")).await, 1, "{name} is never overwritten");
    }
    let underneath = format!("SELECT server ->> 'entity_type' FROM omnii_overlay WHERE row_id = '{to_come}'");
    assert_eq!(device.read(&underneath).await, [[its_type]], "the server's version is kept, too");
    assert_eq!(device.database.status().pending_changes, 3);

    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.database.status().pending_changes, 0);
    world.assert_complete(&device).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_middle_leaves_a_file_that_goes_on() {
    let world = World::with_rows(12_000).await;
    let device = world.device(QUIET);
    let (gate, done) = world.hold_a_load(&device).await;
    // the file as a killed process leaves it; nothing is being written now
    let copy = world.directory.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(world.directory.path().join("a")).unwrap().map(Result::unwrap) {
        if !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    world.server.faults().clear();
    let after = world.device_in(&copy, QUIET);
    assert!(TWO_PAGES.contains(&rows(&after, "true").await));
    assert_eq!(indexes(&after).await, INDEXES, "opening makes them");
    world.server.traffic().record();
    after.database.trigger_sync().await.unwrap();
    world.assert_complete(&after).await;
    let asked = world.server.traffic().take_recorded();
    let entities = asked.iter().find(|r| r.query.contains("sync_entities")).unwrap();
    assert!(entities.query.starts_with("since="), "it goes on where it was: {}", entities.query);

    gate.open();
    done.await;
    world.assert_complete(&device).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_fails_or_is_given_up_gets_its_indexes_at_once() {
    let world = World::with_rows(12_000).await;
    let device = world.device(QUIET);
    world.at_request(5, Fault::status(500));
    device.database.trigger_sync().await.unwrap_err();
    device.execute("SELECT 1").await.unwrap(); // behind what the failure has left on the writer
    assert!(TWO_PAGES.contains(&rows(&device, "true").await));
    assert_eq!(indexes(&device).await, INDEXES);
    device.database.trigger_sync().await.unwrap();
    world.assert_complete(&device).await;

    let other = world.device_in(&world.directory.path().join("b"), QUIET);
    let started = Instant::now();
    let gate = Gate::closed();
    world.at_request(5, Fault::HoldBefore(gate.clone()));
    other.database.connect();
    gate.arrived(1).await;
    other.execute("SELECT 1").await.unwrap();
    assert_missing(&other, started).await;
    other.database.disconnect();
    wait_for_indexes(&other).await;
    gate.open();
    other.database.trigger_sync().await.unwrap();
    world.assert_complete(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_takes_its_time_does_not_keep_the_indexes_waiting() {
    let world = World::with_rows(12_000).await;
    let device = world.device(QUIET);
    let (gate, done) = world.hold_a_load(&device).await;
    wait_for_indexes(&device).await;
    assert!(TWO_PAGES.contains(&rows(&device, "true").await));
    gate.open();
    done.await;
    world.assert_complete(&device).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pending_changes_go_up_in_three_requests_at_most() {
    let world = World::with_rows(10).await;
    let device = world.device(QUIET);
    device.database.trigger_sync().await.unwrap();
    for i in 0..1_000 {
        device.execute(&insert(&format!("11111111-1111-4111-8111-{i:012}"), &format!("n{i}"))).await.unwrap();
    }
    assert_eq!(device.database.status().pending_changes, 1_000);
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.database.status().pending_changes, 0);
    let requests = world.server.traffic().requests(Route::Upload);
    assert!((1..=3).contains(&requests), "{requests}");
    world.assert_complete(&device).await;
}
