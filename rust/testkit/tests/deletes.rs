//! Rows deleted on the backend, against the reference backend over HTTP (docs/protocol.md, pull 6).

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_engine::ErrorCode;
use omnii_sync_server::{Answer, Fault, Route};
use omnii_sync_testkit::{Device, LIVELY, QUIET, World};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

async fn names(device: &Device) -> Vec<String> {
    device.read("SELECT name FROM sync_entities ORDER BY name").await.concat()
}

fn delete(world: &World, id: &str) {
    assert!(world.server.backend().delete(&world.user, "sync_entities", id).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_removes_what_is_gone_there_and_nothing_else() {
    let world = World::new().await;
    let ids: Vec<String> = ["a", "b", "c"].iter().map(|name| world.entity(name)).collect();
    let device = world.device("x", QUIET);
    device.database.trigger_sync().await.unwrap();
    device.execute("INSERT INTO sync_entities (id, entity_type, name) VALUES ('11111111-1111-4111-8111-111111111111', 'task', 'mine')").await.unwrap();
    device.execute(&format!("UPDATE sync_entities SET source_id = 'edited' WHERE id = '{}'", ids[1])).await.unwrap();
    delete(&world, &ids[0]);
    device.database.trigger_sync().await.unwrap();
    assert_eq!(names(&device).await, ["a", "b", "c", "mine"], "an ordinary round can't know");
    device.database.reconcile().await.unwrap();
    assert_eq!(names(&device).await, ["b", "c", "mine"]);
    let status = device.database.status();
    assert!(status.last_reconciled_at_ms.is_some());
    assert_eq!((status.pending_changes, status.parked_changes), (0, 0));
    device.take_events();
    device.database.reconcile().await.unwrap();
    assert_eq!(device.take_events(), Vec::<Vec<String>>::new(), "nothing more to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_edited_here_and_deleted_there_goes_up_whole() {
    let world = World::new().await;
    let id = world.entity("theirs");
    let device = world.device("x", QUIET);
    device.database.trigger_sync().await.unwrap();
    // the sweep must come before the push, as after a time offline in which the push failed
    delete(&world, &id);
    device.execute(&format!("UPDATE sync_entities SET source_id = 'mine' WHERE id = '{id}'")).await.unwrap();
    world.server.faults().next(Route::Upload, 1, Fault::Answer(Answer::status(500)));
    assert_eq!(device.database.reconcile().await.unwrap_err().code, ErrorCode::Server);
    assert_eq!(names(&device).await, ["theirs"]);
    device.database.trigger_sync().await.unwrap();
    let there = world.row("sync_entities", &id).unwrap();
    assert_eq!((&there["name"], &there["source_id"]), (&json!("theirs"), &json!("mine")));
    assert_eq!(there["properties"], json!({"a":[1,{"b":"ü"}]}), "columns that were not edited, too");
    assert_eq!(device.database.status().pending_changes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_incomplete_deletes_nothing() {
    let world = World::new().await;
    let id = world.entity("a");
    let device = world.device("x", QUIET);
    device.database.trigger_sync().await.unwrap();
    delete(&world, &id);
    let no_id = Arc::new(|body: &[u8]| {
        String::from_utf8_lossy(body)
            .replacen(r#""sync_events":["#, r#""sync_events":[{"summary":"x"}"#, 1)
            .into_bytes()
    });
    for fault in [
        Fault::FailTables(vec!["sync_relationships".into()]),
        Fault::Answer(Answer::status(503)),
        Fault::DropAfter,
        Fault::TruncateBody { keep_bytes: 10 },
        Fault::RewriteBody(no_id),
    ] {
        // every page goes wrong: a dropped connection alone is tried again below us
        world.server.faults().next(Route::Sync, 100, fault.clone());
        let outcome = device.database.reconcile().await;
        world.server.faults().clear();
        assert!(outcome.is_err(), "{fault:?}");
        assert_eq!(names(&device).await, ["a"]);
    }
    device.database.reconcile().await.unwrap();
    assert_eq!(names(&device).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_a_page_holds() {
    let world = World::new().await;
    world.server.backend().seed(&world.user, 12_000).unwrap();
    let device = world.device("x", QUIET);
    device.database.trigger_sync().await.unwrap();
    let rows = world.server.backend().rows(&world.user, "sync_events").unwrap();
    for row in rows.iter().step_by(7) {
        world.server.backend().delete(&world.user, "sync_events", row["id"].as_str().unwrap()).unwrap();
    }
    device.database.reconcile().await.unwrap();
    for table in ["sync_entities", "sync_events", "sync_relationships"] {
        let here = device.read(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(here, [[world.server.backend().count(&world.user, table).unwrap().to_string()]], "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_sweeps_by_itself_on_connecting_but_not_twice_for_a_first_sync() {
    let world = World::new().await;
    let id = world.entity("a");
    let device = world.device("x", LIVELY);
    device.database.connect();
    let status = device.wait_for(|s| s.has_synced).await;
    assert!(status.last_reconciled_at_ms.is_some(), "a first sync sees everything");
    let requests = world.server.traffic().requests(Route::Sync);
    device.database.trigger_sync().await.unwrap();
    assert_eq!(requests % 3, 0, "one page of each table a round: no sweep beside it");
    device.database.close().await;
    delete(&world, &id);

    // within the interval the next run does not sweep; with a short one it does
    let soon = r#"{"pollIntervalMs":50,"uploadThrottleMs":10,"reconcileIntervalMs":10}"#;
    let device = world.device("x", soon);
    device.database.connect();
    for _ in 0..400 {
        if names(&device).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the row did not go");
}
