//! One suite for two backends: the same requests to the model and to the reference server, at the same time of their
//! clocks, must be answered alike, down to every timestamp.

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_server::{Clock, Config, Running, Server};
use omnii_sync_testkit::sim::backend::{Backend, Mischief, Origin};
use omnii_sync_testkit::sim::rng::Rng;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// 2026-01-26T10:11:12.123456Z
const BEGIN_US: i64 = 1_769_422_272_123_456;

struct Both {
    server: Running,
    clock: Clock,
    http: HttpClient,
    user: String,
    token: String,
    other: (String, String),
    model: Backend,
    now_us: i64,
}

/// Requests as the engine makes them.
struct HttpClient(omnii_sync_engine::transport::HttpTransport);

impl HttpClient {
    async fn send(&self, url: String, token: &str, body: Option<String>) -> (u16, Vec<u8>) {
        use omnii_sync_engine::transport::{HttpRequest, Method, Transport};
        let request = HttpRequest {
            method: if body.is_some() { Method::Post } else { Method::Get },
            url,
            token: token.to_owned(),
            body: body.map(String::into_bytes),
            timeout: Duration::from_secs(20),
        };
        let response = self.0.send(request).await.unwrap();
        (response.status, response.body)
    }
}

impl Both {
    async fn start() -> Self {
        let clock = Clock::manual(BEGIN_US);
        let config = Config { clock: clock.clone(), body_limit_bytes: 20_000, ..Config::test() };
        let server = Server::start(config).await.unwrap();
        let mut model = Backend::new(BEGIN_US, false);
        model.body_limit = 20_000;
        let mut user = |email: &str| {
            let id = server.backend().create_user(email, "secret-1").unwrap();
            let token = server.backend().mint_token(&id).unwrap();
            model.admit(&token, &id);
            (id, token)
        };
        let ((user, token), other) = (user("ada@example.com"), user("eve@example.com"));
        let http = HttpClient(omnii_sync_engine::transport::HttpTransport::new().unwrap());
        Self { server, clock, http, user, token, other, model, now_us: BEGIN_US }
    }

    fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
        self.now_us += i64::try_from(time.as_micros()).unwrap();
        self.model.set_now(self.now_us);
    }

    /// The answers of both, which must be the same; answers the status and the body.
    async fn ask_as(&mut self, token: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        let theirs = self.http.send(format!("{}{path}", self.server.api_url()), token, body.map(str::to_owned)).await;
        let ours = self.model.handle(path, token, body.map(str::as_bytes), Origin::Client(0), Mischief::default());
        assert_eq!(ours.status, theirs.0, "{path} {body:?}");
        let parsed = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap();
        let (ours, theirs_body) = (parsed(&ours.body), parsed(&theirs.1));
        if theirs.0 == 200 {
            assert_eq!(ours, theirs_body, "{path} {body:?}");
        } else {
            // words may differ, the shape may not
            let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(&ours), keys(&theirs_body), "{path} {body:?}");
        }
        (theirs.0, theirs_body)
    }

    async fn ask(&mut self, path: &str, body: Option<&str>) -> Value {
        let token = self.token.clone();
        self.ask_as(&token, path, body).await.1
    }

    /// An upload, and everything that is there afterwards.
    async fn upload(&mut self, changes: &str) -> Value {
        let answer = self.ask("/upload", Some(&format!(r#"{{"changes":{changes}}}"#))).await;
        self.ask("/sync", None).await;
        answer["results"].clone()
    }

    async fn put(&mut self, table: &str, data: Value) {
        self.upload(&format!(r#"{{"{table}":[{{"type":"PUT","id":"ignored","data":{data}}}]}}"#)).await;
    }
}

fn id(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

fn task(n: u64, name: &str) -> Value {
    json!({ "id": id(n), "entity_type": "task", "name": name })
}

fn relation(n: u64, from: u64, to: u64, kind: &str) -> Value {
    json!({ "id": id(n), "from_entity_id": id(from), "to_entity_id": id(to), "relationship_type": kind })
}

#[tokio::test]
async fn puts_defaults_and_normal_forms() {
    let mut both = Both::start().await;
    both.put("sync_entities", task(1, "a")).await;
    both.put("sync_events", json!({ "id": id(2) })).await;
    both.pass(Duration::from_millis(1_500));
    for data in [
        json!({ "id": id(1), "entity_type": "email", "name": "b" }),
        json!({ "id": id(1), "entity_type": "email", "name": "b", "source_id": "s", "properties": {"bb":1,"a":[true,null],"c":{"z":1,"y":2.5}} }),
        json!({ "id": id(1), "entity_type": "email", "name": "b", "source_id": null, "properties": null }),
        json!({ "id": id(1), "entity_type": "email", "name": "b", "properties": "{\"a\":1}" }),
        json!({ "id": id(1), "entity_type": "email", "name": "Grüße \"an\"\nalle\u{7f}", "created_at": "2026-01-02T03:04:05+01:00" }),
        json!({ "id": id(1), "entity_type": "email", "name": 5, "user_id": id(99), "updated_at": "2036-01-01T00:00:00Z" }),
        json!({ "id": "ABCDEF00-0000-4000-8000-000000000001", "entity_type": "task", "name": "upper case" }),
        json!({ "id": id(3), "entity_type": "task", "name": "created", "created_at": null }),
    ] {
        both.put("sync_entities", data).await;
    }
    both.put("sync_events", json!({ "id": id(2), "attendees": [{ "e": "x" }], "start_time": "2026-01-02 03:04:05.5" }))
        .await;
}

#[tokio::test]
async fn what_the_database_refuses_counts_as_success() {
    let mut both = Both::start().await;
    both.put("sync_entities", task(1, "kept")).await;
    both.put("sync_entities", task(2, "other")).await;
    both.put("sync_events", json!({ "id": id(3), "google_event_id": "g" })).await;
    both.put("sync_events", json!({ "id": id(13), "google_event_id": "h" })).await;
    both.put("sync_relationships", relation(4, 1, 2, "about")).await;
    let before = both.ask("/sync", None).await["changes"].clone();
    for (table, data) in [
        ("sync_entities", json!({ "id": id(1), "name": "NOT NULL before the conflict" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": null })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "note", "name": "check" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": "a", "colour": "unknown column" })),
        ("sync_entities", json!({ "id": "task-1", "entity_type": "task", "name": "no uuid" })),
        ("sync_entities", json!({ "id": null, "entity_type": "task", "name": "null id" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": "a", "created_at": "yesterday" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": "a", "created_at": 5 })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": "nul \0" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": "nul", "properties": { "k": "\0" } })),
        ("sync_events", json!({ "id": id(5), "google_event_id": "g" })),
        ("sync_events", json!({ "id": id(13), "google_event_id": "g" })),
        ("sync_relationships", relation(6, 1, 77, "about")),
        ("sync_relationships", relation(7, 1, 2, "about")),
        ("sync_relationships", relation(4, 1, 77, "about")),
        ("sync_relationships", json!({ "id": id(8), "from_entity_id": id(1), "relationship_type": "about" })),
    ] {
        both.put(table, data.clone()).await;
        assert_eq!(both.ask("/sync", None).await["changes"], before, "{data}");
    }
    both.put("sync_events", json!({ "id": id(3), "google_event_id": "g", "summary": "itself" })).await;
    both.put("sync_events", json!({ "id": id(15), "google_event_id": null })).await;
    both.put("sync_events", json!({ "id": id(16) })).await;
}

#[tokio::test]
async fn order_of_tables_and_operations_deletes_and_cascades() {
    let mut both = Both::start().await;
    let child = relation(3, 1, 2, "about");
    let entities = format!(
        r#""sync_entities":[{{"type":"PUT","data":{}}},{{"type":"PUT","data":{}}}]"#,
        task(1, "a"),
        task(2, "b")
    );
    let children = format!(r#""sync_relationships":[{{"type":"PUT","data":{child}}}]"#);
    both.upload(&format!("{{{children},{entities}}}")).await;
    both.upload(&format!("{{{entities},{children}}}")).await;
    both.put("sync_relationships", relation(4, 2, 1, "x")).await;
    both.put("sync_relationships", relation(5, 2, 2, "x")).await;
    both.upload(&format!(
        r#"{{"sync_entities":[{{"type":"DELETE","id":"{}"}},{{"type":"DELETE","id":"no uuid"}},{{"type":"DELETE"}}]}}"#,
        id(1)
    ))
    .await;
    let put = |name: &str| json!({ "type": "PUT", "data": task(1, name) });
    let delete = json!({ "type": "DELETE", "id": id(1) });
    both.upload(&json!({ "sync_entities": [put("a"), delete, put("b")] }).to_string()).await;
    both.upload(&json!({ "sync_entities": [put("c"), delete] }).to_string()).await;
    both.upload(r#"{"nope":[{"type":"PUT","data":{}}],"sync_entities":[{"type":"PATCH","id":"x"},{"id":"x"},{"type":7}],"sync_events":[]}"#).await;
}

#[tokio::test]
async fn pages_since_limits_and_tables() {
    let mut both = Both::start().await;
    for n in 1..=7 {
        both.pass(Duration::from_micros(437 * n));
        both.put("sync_entities", task(n, "x")).await;
        both.put("sync_events", json!({ "id": id(100 + n) })).await;
    }
    for query in [
        "limit=3",
        "limit=0",
        "limit=-1",
        "limit=abc",
        "limit=7",
        "limit=8",
        "limit=99999",
        "tables=sync_events",
        "tables=sync_events,nope,%20sync_entities,sync_events",
        "tables=nope",
        "tables=",
        "since=",
        "since=2026-01-26T10%3A11%3A12.125Z",
        "since=2026-01-26T10%3A11%3A12.124999%2B00%3A00&limit=2",
        "since=2026-01-26T11%3A11%3A12.126%2B01%3A00&tables=sync_entities",
        "since=yesterday",
        "since=2026-01-01T00:00:00.123456+00:00",
    ] {
        both.ask(&format!("/sync?{query}"), None).await;
    }
    // the last row again and again, by its own timestamp
    let page = both.ask("/sync?tables=sync_entities", None).await;
    let last = page["changes"]["sync_entities"][6]["updated_at"].as_str().unwrap().replace('+', "%2B");
    let again = both.ask(&format!("/sync?tables=sync_entities&since={last}"), None).await;
    assert!(!again["changes"]["sync_entities"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn tokens_users_health_sizes_and_rubbish() {
    let mut both = Both::start().await;
    both.put("sync_entities", task(1, "mine")).await;
    both.put("sync_entities", task(2, "mine")).await;
    assert_eq!(both.ask_as("rubbish", "/sync", None).await.0, 401);
    let (_, theirs) = both.other.clone();
    both.ask_as(&theirs, "/sync", None).await;
    for body in [
        json!({ "changes": { "sync_entities": [{ "type": "PUT", "data": task(1, "stolen") }] } }),
        json!({ "changes": { "sync_entities": [{ "type": "DELETE", "id": id(1) }] } }),
        json!({ "changes": { "sync_relationships": [{ "type": "PUT", "data": relation(9, 1, 2, "hung on") }] } }),
    ] {
        both.ask_as(&theirs, "/upload", Some(&body.to_string())).await;
        both.ask_as(&theirs, "/sync", None).await;
        both.ask("/sync", None).await;
    }
    let health = both.ask("/health", None).await;
    assert_eq!(health["userId"], both.user.as_str());
    for body in ["", "{}", "[]", r#"{"changes":[]}"#, r#"{"changes":{"sync_entities":{}}}"#, "nonsense"] {
        let token = both.token.clone();
        assert_eq!(both.ask_as(&token, "/upload", Some(body)).await.0, 400, "{body}");
    }
    let large = json!({ "changes": { "sync_entities": [{ "type": "PUT", "data": task(3, &"x".repeat(30_000)) }] } });
    let token = both.token.clone();
    assert_eq!(both.ask_as(&token, "/upload", Some(&large.to_string())).await.0, 413);
    assert_eq!(both.ask_as(&token, "/nothing", None).await.0, 404);
}

#[tokio::test]
async fn one_instant_for_many_rows_and_late_commits() {
    let mut both = Both::start().await;
    let user = both.user.clone();
    let rows: Vec<Value> = (1..=5).map(|n| task(n, "bulk")).collect();
    both.server.backend().upsert_together(&user, "sync_entities", rows.clone()).unwrap();
    let objects: Vec<(usize, Map<String, Value>)> =
        rows.iter().map(|row| (0, row.as_object().unwrap().clone())).collect();
    both.model.write(&user, &objects, None, 0);
    both.ask("/sync?limit=2", None).await;
    both.pass(Duration::from_secs(9));
    both.put("sync_entities", task(8, "on time")).await;
    both.server.backend().upsert_at(&user, "sync_entities", task(3, "late"), "2026-01-26T10:11:14.5Z").unwrap();
    both.model.write(&user, &[(0, task(3, "late").as_object().unwrap().clone())], Some(1_769_422_274_500_000), 0);
    let page = both.ask("/sync?since=2026-01-26T10:11:13Z", None).await;
    assert_eq!(page["changes"]["sync_entities"].as_array().unwrap().len(), 2);
    both.server.backend().delete(&user, "sync_entities", &id(1)).unwrap();
    both.model.delete(&user, 0, &id(1), Origin::Server);
    both.ask("/sync", None).await;
}

#[tokio::test]
async fn random_uploads() {
    let mut both = Both::start().await;
    let mut rng = Rng::new(20_261_123);
    for _ in 0..150 {
        both.pass(Duration::from_micros(rng.below(3_000_000)));
        let mut groups = Vec::new();
        for table in ["sync_relationships", "sync_entities", "sync_events"] {
            let operations: Vec<Value> = (0..rng.below(4)).map(|_| operation(&mut rng, table)).collect();
            groups.push(format!("\"{table}\":{}", Value::from(operations)));
        }
        if rng.percent(50) {
            groups.swap(0, 1);
        }
        both.upload(&format!("{{{}}}", groups.join(","))).await;
    }
    let page = both.ask("/sync", None).await;
    for table in ["sync_relationships", "sync_entities", "sync_events"] {
        assert!(!page["changes"][table].as_array().unwrap().is_empty(), "{table} has rows");
    }
}

fn operation(rng: &mut Rng, table: &str) -> Value {
    let n = rng.below(12);
    if rng.percent(15) {
        return json!({ "type": "DELETE", "id": id(n) });
    }
    let mut data = json!({ "id": id(n) });
    let mut set = |name: &str, chance: u64, choices: &[Value], rng: &mut Rng| {
        if rng.percent(chance) {
            data[name] = rng.pick(choices).clone();
        }
    };
    let ids: Vec<Value> = (0..12).map(|n| json!(id(n))).collect();
    match table {
        "sync_entities" => {
            set("entity_type", 95, &[json!("task"), json!("email"), json!("note"), Value::Null], rng);
            set("name", 95, &[json!("a"), json!("b"), json!(1)], rng);
            set("properties", 40, &[json!({"b":1,"aa":2}), json!("x"), json!([1]), Value::Null], rng);
            set("source_id", 40, &[json!("s"), Value::Null], rng);
        }
        "sync_events" => {
            set("summary", 60, &[json!("s"), Value::Null], rng);
            set("google_event_id", 60, &[json!("g"), json!("h"), json!("i"), Value::Null], rng);
            set("start_time", 30, &[json!("2026-01-01T00:00:00Z"), json!("soon")], rng);
        }
        _ => {
            set("from_entity_id", 97, &ids, rng);
            set("to_entity_id", 97, &ids, rng);
            set("relationship_type", 97, &[json!("x"), json!("y")], rng);
        }
    }
    json!({ "type": "PUT", "data": data })
}
