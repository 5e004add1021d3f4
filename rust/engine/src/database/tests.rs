//! A database in a world without chance: one thread, simulated time, a made-up backend. The same world twice must tell the
//! same story, event by event; the simulator builds on that.

use super::*;
use crate::transport::{BoxFuture, HttpRequest, Method};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Weak;
use tokio::sync::oneshot;
use tokio::time::Instant;

const START_MS: i64 = 1_767_225_600_000; // 2026-01-01

struct World {
    began: Instant,
    story: Mutex<Vec<String>>,
    rows: Mutex<BTreeMap<(String, String), Json>>,
    requests: Mutex<u64>,
    database: OnceLock<Weak<Database>>,
}

impl World {
    fn note(&self, what: impl AsRef<str>) {
        let at = self.began.elapsed().as_millis();
        self.story.lock().unwrap().push(format!("{at} {}", what.as_ref()));
    }
    fn time(&self) -> String {
        let ms = self.began.elapsed().as_millis();
        format!("2026-01-01T00:{:02}:{:02}.{:03}Z", ms / 60_000, ms / 1000 % 60, ms % 1000)
    }
    fn answer(&self, request: &HttpRequest) -> Json {
        let mut rows = self.rows.lock().unwrap();
        if request.method == Method::Get {
            let table = request.url.split("tables=").nth(1).unwrap().split('&').next().unwrap();
            let rows: Vec<&Json> = rows.iter().filter(|((t, _), _)| t == table).map(|(_, row)| row).collect();
            return json!({ "changes": { table: rows }, "timestamp": self.time(), "hasMore": false });
        }
        let body: Json = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
        let mut results = serde_json::Map::new();
        for (table, operations) in body["changes"].as_object().unwrap() {
            for operation in operations.as_array().unwrap() {
                let key = (table.clone(), operation["id"].as_str().unwrap().to_owned());
                if operation["type"] == "DELETE" {
                    rows.remove(&key);
                    continue;
                }
                let row = rows.entry(key).or_insert_with(|| json!({ "user_id": "u" })).as_object_mut().unwrap();
                row.extend(operation["data"].as_object().unwrap().clone());
                row.insert("updated_at".into(), self.time().into());
            }
            results.insert(table.clone(), json!({ "success": operations.as_array().unwrap().len(), "errors": [] }));
        }
        json!({ "success": true, "results": results, "timestamp": self.time() })
    }
}

impl Transport for Arc<World> {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse>> {
        Box::pin(async move {
            let n = {
                let mut requests = self.requests.lock().unwrap();
                *requests += 1;
                *requests
            };
            let path = request.url.split("/api").nth(1).unwrap().to_owned();
            self.note(format!(
                "{:?} {path} {:?}",
                request.method,
                request.body.as_deref().map(String::from_utf8_lossy)
            ));
            tokio::time::sleep(Duration::from_millis(n * 7 % 13)).await;
            if n.is_multiple_of(9) && n < 150 {
                return Ok(HttpResponse { status: 503, retry_after_ms: None, body: vec![] });
            }
            let body = self.answer(&request).to_string().into_bytes();
            tokio::time::sleep(Duration::from_millis(n * 5 % 11)).await;
            Ok(HttpResponse { status: 200, retry_after_ms: None, body })
        })
    }
}

impl Clock for World {
    fn now_ms(&self) -> i64 {
        START_MS + i64::try_from(self.began.elapsed().as_millis()).unwrap()
    }
}

impl DatabaseObserver for World {
    fn status_changed(&self, status: &Status) {
        self.note(format!("{status:?}"));
    }
    fn tables_changed(&self, changes: &Changes) {
        let tables = changes.names();
        self.note(format!("changed {tables:?}"));
    }
    fn credentials_requested(&self, request: u64) {
        self.note("credentials");
        let Some(database) = self.database.get().cloned() else { return };
        // late, so that several requests wait for it
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(3)).await;
            let credentials = Credentials::new("http://x/api", "t", None).unwrap();
            if let Some(database) = database.upgrade() {
                database.provide_credentials(request, Ok(Some(credentials)));
            }
        });
    }
}

async fn write(database: &Database, sql: String) {
    let (send, done) = oneshot::channel();
    database.execute(0, sql, vec![], move |outcome| drop(send.send(outcome.map(|_| ()))));
    done.await.unwrap().unwrap();
}

fn open(directory: &std::path::Path, world: &Arc<World>, sync: &str) -> Arc<Database> {
    let columns =
        r#"[{"name":"title","type":"text"},{"name":"user_id","type":"text"},{"name":"updated_at","type":"text"}]"#;
    let tables: Vec<String> =
        ["a", "b", "c", "d", "e"].map(|t| format!(r#"{{"name":"{t}","columns":{columns}}}"#)).to_vec();
    let json = format!(
        r#"{{"schema":{{"tables":[{}]}},"userId":"u","directory":{directory:?},"sync":{sync}}}"#,
        tables.join(",")
    );
    let options = OpenOptions::from_json(&json, || unreachable!("a directory is given")).unwrap();
    let environment = Environment {
        runtime: Handle::current(),
        transport: Arc::new(world.clone()),
        clock: world.clone(),
        jitter: Jitter::seeded(7),
        execution: Execution::Inline,
    };
    let database = Arc::new(Database::open(options, environment, world.clone()).unwrap());
    world.database.set(Arc::downgrade(&database)).unwrap();
    database
}

impl World {
    /// Its first 150 requests have their faults.
    fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            story: Mutex::default(),
            rows: Mutex::default(),
            requests: Mutex::default(),
            database: OnceLock::new(),
        })
    }
}

/// Lives through some minutes; answers what happened.
fn story(directory: &std::path::Path) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::new();
        let database = open(directory, &world, r#"{"pollIntervalMs":3000,"uploadThrottleMs":40,"maxBackoffMs":500}"#);
        database.connect();
        for n in 0..120_u64 {
            let table = ["a", "b", "c", "d", "e"][(n % 5) as usize];
            let id = n * 11 % 17;
            let sql = match n % 4 {
                0 => format!("DELETE FROM {table} WHERE id = 'r{id}'"),
                _ => format!(
                    "INSERT INTO {table} (id, title) VALUES ('r{id}', 't{n}') ON CONFLICT (id) DO UPDATE SET title = excluded.title"
                ),
            };
            write(&database, sql).await;
            tokio::time::sleep(Duration::from_millis(n * 31 % 97)).await;
            if n % 7 == 3 {
                database.credentials_changed();
            }
            if n % 40 == 13 {
                database.prepare_for_suspend().await.unwrap();
                let late = write(&database, format!("INSERT INTO e (id, title) VALUES ('late{n}', 'x')"));
                let (_, resumed) = tokio::join!(late, async {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    database.resume().await
                });
                resumed.unwrap();
            }
        }
        // what was refused by a 503 is tried again, with jitter
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!((database.status().pending_changes, database.status().parked_changes), (0, 0));
        let rows = world.rows.lock().unwrap().clone();
        for ((table, id), row) in rows {
            let (send, read) = oneshot::channel();
            let sql = format!("SELECT title FROM {table} WHERE id = '{id}'");
            database.query(sql, vec![], move |rows| drop(send.send(rows)));
            assert_eq!(read.await.unwrap().unwrap().cell(0, 0), crate::store::Parameter::Text(row["title"].as_str().unwrap().into()));
        }
        // ends without a thread to wait for
        database.close().await;
        drop(database);
        std::mem::take(&mut *world.story.lock().unwrap())
    })
}

#[test]
fn the_same_world_twice_tells_the_same_story() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two, three] = directories.each_ref().map(|directory| story(directory.path()));
    assert!(one.len() > 500, "something happened: {}", one.len());
    for other in [two, three] {
        for (n, (left, right)) in one.iter().zip(&other).enumerate() {
            assert_eq!(left, right, "event {n} of {}", one.len());
        }
        assert_eq!(one.len(), other.len());
    }
}

#[tokio::test(start_paused = true)]
async fn writes_that_gather_are_neither_lost_nor_forgotten_in_the_status() {
    const INSERT: &str = "INSERT INTO a (id, title) VALUES ('x', 't')";
    for end in ["nothing", "disconnect", "suspend", "close"] {
        let directory = tempfile::tempdir().unwrap();
        let world = World::new();
        *world.requests.lock().unwrap() = 150;
        let mut database = open(directory.path(), &world, "{}");
        database.connect();
        database.trigger_sync().await.unwrap();
        write(&database, INSERT.into()).await;
        // at once: the driver has not been told yet
        assert_eq!(database.driver.status().pending_changes, 0, "{end}: or this tests nothing");
        match end {
            "disconnect" => database.disconnect(),
            "suspend" => database.prepare_for_suspend().await.unwrap(),
            "close" => database.close().await,
            _ => {}
        }
        assert_eq!(database.status().pending_changes, 1, "{end}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(database.status().pending_changes, 1, "{end}: the throttle is not over");
        if end != "close" {
            assert_eq!(database.driver.status().pending_changes, 1, "{end}: and the driver has been told");
        }
        match end {
            "disconnect" => database.connect(),
            "suspend" => database.resume().await.unwrap(),
            "close" => {
                drop(database);
                let again = World::new();
                database = open(directory.path(), &again, "{}");
                assert_eq!(database.status().pending_changes, 1, "{end}");
                database.connect();
                tokio::time::sleep(Duration::from_secs(20)).await;
                assert!(again.rows.lock().unwrap().contains_key(&("a".into(), "x".into())));
                continue;
            }
            _ => {}
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(world.rows.lock().unwrap().contains_key(&("a".into(), "x".into())), "{end}: pushed by itself");
        database.close().await;
    }
}

#[cfg(feature = "sqlcipher")]
#[tokio::test(start_paused = true)]
async fn syncing_goes_on_with_another_key() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new();
    *world.requests.lock().unwrap() = 150;
    let database = open(directory.path(), &world, "{}");
    let key = || crate::Key::from_json(r#"{"passphrase":"k"}"#).unwrap();
    database.connect();
    database.trigger_sync().await.unwrap();
    write(&database, "INSERT INTO a (id, title) VALUES ('x', 't')".into()).await;
    // a round is asked for, and is in flight when the key changes
    let round = database.trigger_sync();
    tokio::time::sleep(Duration::from_millis(2)).await;
    database.rekey(key()).await.unwrap();
    round.await.unwrap();
    assert!(world.rows.lock().unwrap().contains_key(&("a".into(), "x".into())));
    database.prepare_for_suspend().await.unwrap();
    assert_eq!(database.rekey(key()).await.unwrap_err().code, ErrorCode::Suspended);
    database.resume().await.unwrap();
    assert_eq!(database.status().pending_changes, 0);
    database.close().await;
    assert_eq!(database.rekey(key()).await.unwrap_err().code, ErrorCode::Closed);
}
