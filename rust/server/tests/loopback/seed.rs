//! Demo data.

use std::collections::HashSet;

use omnii_sync_server::{Config, DEMO_EMAIL, DEMO_PASSWORD, DEMO_USER_ID, Running, Server};
use serde_json::{Value, json};

use crate::client::{http, read, start};

const TABLES: [&str; 3] = ["sync_entities", "sync_events", "sync_relationships"];

async fn seeded(count: u32) -> Running {
    Server::start(Config { seed: Some(count), ..Config::test() }).await.unwrap()
}

fn all_rows(server: &Running, user: &str) -> Vec<Vec<Value>> {
    TABLES.map(|table| server.backend().rows(user, table).unwrap()).into()
}

#[tokio::test]
async fn the_same_seed_is_the_same_rows_in_their_proportions() {
    let (a, b) = (seeded(1_000).await, seeded(1_000).await);
    let user = DEMO_USER_ID.to_string();
    let rows = all_rows(&a, &user);
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [700, 200, 100]);
    assert_eq!(rows, all_rows(&b, &user));
    let stamps: HashSet<_> = rows.iter().flatten().map(|row| row["updated_at"].as_str().unwrap()).collect();
    assert_eq!(stamps.len(), 1_000, "unique");
    assert!(stamps.iter().all(|stamp| stamp.starts_with("2025-")));
    let kinds: HashSet<_> = rows[0].iter().map(|row| row["entity_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, HashSet::from(["task", "email", "contact", "concept", "entity"]));
    assert!(rows[0].iter().all(|row| row["properties"].as_object().is_some_and(|object| !object.is_empty())));
    assert!(rows[1].iter().all(|row| row["attendees"].as_array().is_some_and(|list| list.len() == 2)));
}

#[tokio::test]
async fn small_seeds_and_none_work() {
    for (count, expected) in [(0, [0, 0, 0]), (1, [1, 0, 0]), (10, [7, 2, 1])] {
        let server = seeded(count).await;
        let rows = all_rows(&server, &DEMO_USER_ID.to_string());
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), expected);
    }
    let server = Server::start(Config::test()).await.unwrap();
    assert_eq!(server.backend().user_id(DEMO_EMAIL).unwrap(), None);
}

#[tokio::test]
async fn the_demo_user_signs_in_and_syncs() {
    let server = seeded(20).await;
    let http = http();
    let body = json!({ "email": DEMO_EMAIL, "password": DEMO_PASSWORD }).to_string();
    let request = http.post(format!("{}/auth/v1/token?grant_type=password", server.url())).body(body);
    let (status, session) = read(request.send().await.unwrap()).await;
    assert_eq!((status, &session["user"]["id"]), (200, &json!(DEMO_USER_ID.to_string())));
    let request = http.get(format!("{}/sync", server.api_url())).bearer_auth(session["access_token"].as_str().unwrap());
    let (_, page) = read(request.send().await.unwrap()).await;
    assert_eq!(page["changes"]["sync_entities"].as_array().unwrap().len(), 14);
}

#[tokio::test]
async fn a_database_with_the_demo_user_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { seed: Some(10), ..Config::test() }.on_file(folder.path().join("server.db"));
    let first = Server::start(config.clone()).await.unwrap();
    assert_eq!(first.seeded(), Some(true));
    first.stop().await;
    let second = Server::start(Config { seed: Some(500), ..config }).await.unwrap();
    assert_eq!(second.seeded(), Some(false));
    assert_eq!(second.backend().count(&DEMO_USER_ID.to_string(), "sync_entities").unwrap(), 7);
}

#[tokio::test]
async fn every_user_can_be_filled_with_rows_of_their_own() {
    let client = start().await;
    let (eve, _) = client.second_user();
    let backend = client.server.backend();
    backend.seed(&client.user, 100).unwrap();
    backend.seed(&eve, 100).unwrap();
    assert_eq!((client.count("sync_entities"), backend.count(&eve, "sync_entities").unwrap()), (70, 70));
    let indexes: i64 = backend.with_connection(|connection| {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name LIKE 'omnii_page_%'";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    });
    assert_eq!(indexes, 3, "made again after the bulk load");
}
