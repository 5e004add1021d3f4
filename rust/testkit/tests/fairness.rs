//! Nothing waits for ever behind something else: busy apps, failing tables, slow networks, the wrong user.

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_engine::ErrorCode;
use omnii_sync_server::{Answer, Fault, Route};
use omnii_sync_testkit::{Device, QUIET, SCHEMA, World};
use serde_json::Value;
use std::time::{Duration, Instant};

const ID: &str = "11111111-1111-4111-8111-111111111111";

async fn insert(device: &Device) {
    let sql = format!("INSERT INTO sync_entities (id, entity_type, name) VALUES ('{ID}', 'task', 'mine')");
    device.execute(&sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_writes_all_the_time_still_gets_what_is_new() {
    let world = World::new().await;
    let device = world.device("x", r#"{"pollIntervalMs":200,"uploadThrottleMs":10,"maxBackoffMs":100}"#);
    insert(&device).await;
    device.database.connect();
    device.wait_for(|s| s.has_synced && s.pending_changes == 0).await;
    world.server.faults().next(Route::Upload, 10_000, Fault::Delay(Duration::from_millis(100)));
    let theirs = world.entity("theirs");
    let begun = Instant::now();
    for i in 0.. {
        device.execute(&format!("UPDATE sync_entities SET source_id = '{i}' WHERE id = '{ID}'")).await.unwrap();
        if device.read(&format!("SELECT 1 FROM sync_entities WHERE id = '{theirs}'")).await.len() == 1 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "never pulled: {:?}", device.database.status());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_fails_to_answer_holds_back_only_its_own_changes() {
    let world = World::new().await;
    let policy = r#""required":["entity_type","name"],"conflictPolicy":"serverWins""#;
    let device = world.device_with("x", QUIET, &SCHEMA.replace(r#""required":["entity_type","name"]"#, policy));
    device.database.trigger_sync().await.unwrap();
    insert(&device).await;
    device.execute(&format!("INSERT INTO sync_events (id, summary) VALUES ('{ID}', 'party')")).await.unwrap();
    world.server.faults().next(Route::Sync, 100, Fault::fail_table("sync_entities"));
    assert_eq!(device.database.trigger_sync().await.unwrap_err().code, ErrorCode::TableFailed);
    assert!(world.row("sync_events", ID).is_some());
    assert!(world.row("sync_entities", ID).is_none(), "not before it is known whom it would overwrite");
    world.server.faults().clear();
    device.database.trigger_sync().await.unwrap();
    assert!(world.row("sync_entities", ID).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_users_token_deletes_nothing() {
    let world = World::new().await;
    world.entity("a");
    let device = world.device("x", QUIET);
    device.database.trigger_sync().await.unwrap();
    let other = world.server.backend().create_user("bob@example.com", "secret-456").unwrap();
    device.sign_in(&world.server.api_url(), &world.server.backend().mint_token(&other).unwrap());
    device.database.credentials_changed();
    assert_eq!(device.database.reconcile().await.unwrap_err().code, ErrorCode::ForeignRow);
    assert_eq!(device.read("SELECT name FROM sync_entities").await, [["a"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_get_through_in_time_is_tried_in_smaller_pieces() {
    let world = World::new().await;
    let device = world.device("x", r#"{"pollIntervalMs":3600000,"uploadThrottleMs":3600000,"requestTimeoutMs":400}"#);
    for i in 0..8 {
        let sql = format!(
            "INSERT INTO sync_entities (id, entity_type, name) VALUES ('00000000-0000-4000-8000-00000000000{i}', 'task', 'n')"
        );
        device.execute(&sql).await.unwrap();
    }
    let slow = || Fault::Delay(Duration::from_millis(1_500));
    for _ in 0..7 {
        world.server.faults().next(Route::Upload, 1, slow());
        assert_eq!(device.database.upload_data().await.unwrap_err().code, ErrorCode::Timeout);
    }
    world.server.faults().clear();
    world.server.traffic().record();
    device.database.upload_data().await.unwrap();
    let sizes: Vec<usize> =
        world.uploads().iter().map(|body: &Value| body["changes"]["sync_entities"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [3, 3, 2], "500 halved seven times");

    world.server.faults().next(Route::Sync, 10, slow());
    assert_eq!(device.database.trigger_sync().await.unwrap_err().code, ErrorCode::Timeout);
    world.server.faults().clear();
    world.server.traffic().take_recorded();
    device.database.trigger_sync().await.unwrap();
    let asked = world.server.traffic().take_recorded();
    let pages: Vec<&str> = asked.iter().filter(|r| r.route == Route::Sync).map(|r| r.query.as_str()).collect();
    assert!(!pages.is_empty() && pages.iter().all(|query| query.contains("limit=500")), "{pages:?}");
    assert_eq!(device.database.status().pending_changes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_change_that_proves_itself_does_not_wait_for_the_poll() {
    let world = World::new().await;
    let device = world.device("x", r#"{"pollIntervalMs":3600000,"uploadThrottleMs":10}"#);
    device.database.trigger_sync().await.unwrap();
    insert(&device).await;
    for i in 0..2 {
        device.execute(&format!("UPDATE sync_entities SET source_id = '{i}' WHERE id = '{ID}'")).await.unwrap();
    }
    world.server.faults().next(Route::Upload, 1, Fault::Answer(Answer::status(400)));
    device.database.connect();
    let begun = Instant::now();
    while world.row("sync_entities", ID).is_none_or(|row| row["source_id"] != "1") {
        assert!(begun.elapsed() < Duration::from_secs(15), "still held: {:?}", device.database.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_download_is_remembered_though_uploads_have_failed_ever_since() {
    let world = World::new().await;
    world.entity("a");
    let device = world.device("x", QUIET);
    insert(&device).await;
    world.server.faults().next(Route::Upload, 10, Fault::status(500));
    assert_eq!(device.database.trigger_sync().await.unwrap_err().code, ErrorCode::Server);
    assert!(device.database.status().has_synced);
    device.execute("SELECT 1").await.unwrap(); // behind what the writer still had to note
    device.database.close().await;
    assert!(world.device("x", QUIET).database.status().has_synced);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_refused_while_a_push_looks_first_are_counted() {
    let world = World::new().await;
    let policy = r#""required":["entity_type","name"],"conflictPolicy":"serverWins""#;
    let quiet = r#"{"pollIntervalMs":3600000,"uploadThrottleMs":3600000,"overlapMs":0}"#;
    let device = world.device_with("x", quiet, &SCHEMA.replace(r#""required":["entity_type","name"]"#, policy));
    device.database.trigger_sync().await.unwrap();
    world.entity("theirs");
    insert(&device).await;
    let user = world.user.clone();
    let foreign = move |body: &[u8]| String::from_utf8_lossy(body).replace(&user, "somebody-else").into_bytes();
    world.server.faults().next(Route::Sync, 1, Fault::RewriteBody(std::sync::Arc::new(foreign)));
    device.database.trigger_sync().await.unwrap();
    let status = device.database.status();
    assert_eq!((status.refused_rows, status.error.map(|e| e.code)), (1, Some(ErrorCode::ForeignRow)));
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.database.status().refused_rows, 0, "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_beyond_the_limit_is_asked_for_in_smaller_pages() {
    let world = World::new().await;
    let device = world.device("x", QUIET);
    world.entity("theirs");
    let huge = |body: &[u8]| [body, &vec![b' '; 65 << 20]].concat();
    world.server.faults().next(Route::Sync, 3, Fault::RewriteBody(std::sync::Arc::new(huge)));
    let error = device.database.trigger_sync().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::BadResponse, "{error}");
    assert!(error.retryable && error.message.contains("smaller pages"), "{error}");
    world.server.faults().clear();
    world.server.traffic().record();
    device.database.trigger_sync().await.unwrap();
    let asked = world.server.traffic().take_recorded();
    let pages: Vec<&str> = asked.iter().filter(|r| r.route == Route::Sync).map(|r| r.query.as_str()).collect();
    assert!(!pages.is_empty() && pages.iter().all(|query| query.contains("limit=500")), "{pages:?}");
    assert_eq!(device.read("SELECT name FROM sync_entities").await, [["theirs"]]);
}
