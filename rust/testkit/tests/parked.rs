//! Changes that the backend refuses without a word, and what the app can do about them.

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_testkit::{Device, QUIET, World};

const ID: &str = "11111111-1111-4111-8111-111111111111";

fn counts(device: &Device) -> (u64, u64) {
    let status = device.database.status();
    (status.pending_changes, status.parked_changes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_is_kept_listed_mended_and_tried_again() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    device
        .execute(&format!("INSERT INTO sync_entities (id, entity_type, name) VALUES ('{ID}', 'wish', 'n')"))
        .await
        .unwrap();
    device
        .execute("INSERT INTO sync_events (id, summary) VALUES ('22222222-2222-4222-8222-222222222222', 'fine')")
        .await
        .unwrap();
    device.database.trigger_sync().await.unwrap();
    assert_eq!(counts(&device), (0, 1), "the rest went on");
    let parked = device.database.parked_changes().await.unwrap();
    assert_eq!(
        (parked[0].table.as_str(), parked[0].row_id.as_str(), parked[0].operation),
        ("sync_entities", ID, "insert")
    );
    assert_eq!(device.database.retry_parked(Some(vec![parked[0].id])).await.unwrap(), 1);
    device.database.trigger_sync().await.unwrap();
    assert_eq!(counts(&device), (0, 1), "nothing has changed, so it is refused again");

    device.execute(&format!("UPDATE sync_entities SET entity_type = 'task' WHERE id = '{ID}'")).await.unwrap();
    device.database.trigger_sync().await.unwrap();
    assert_eq!(counts(&device), (0, 0), "the edit mended it");
    assert_eq!(world.row("sync_entities", ID).unwrap()["name"], "n");
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_restores_the_servers_version() {
    let world = World::new().await;
    let id = world.entity("theirs");
    let device = world.device("a", QUIET);
    device.database.trigger_sync().await.unwrap();
    device.execute(&format!("UPDATE sync_entities SET entity_type = 'wish' WHERE id = '{id}'")).await.unwrap();
    for _ in 0..2 {
        device.database.trigger_sync().await.unwrap();
    }
    assert_eq!(counts(&device), (0, 1));
    assert_eq!(device.read("SELECT entity_type FROM sync_entities").await, [["wish"]]);
    device.take_events();
    assert_eq!(device.database.discard_parked(None).await.unwrap(), 1);
    assert_eq!(device.read("SELECT entity_type FROM sync_entities").await, [["task"]]);
    assert_eq!(device.take_events(), [["sync_entities"]]);
    assert_eq!(counts(&device), (0, 0));
    assert_eq!(device.database.discard_parked(None).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_edit_is_not_lost_with_a_bad_one_of_the_same_row() {
    let world = World::new().await;
    let id = world.entity("theirs");
    let device = world.device("a", QUIET);
    device.database.trigger_sync().await.unwrap();
    for (column, value) in [("entity_type", "wish"), ("source_id", "good"), ("name", "better")] {
        device.execute(&format!("UPDATE sync_entities SET {column} = '{value}' WHERE id = '{id}'")).await.unwrap();
    }
    for _ in 0..4 {
        device.database.trigger_sync().await.unwrap();
    }
    assert_eq!(counts(&device), (0, 1));
    let there = world.row("sync_entities", &id).unwrap();
    assert_eq!((there["source_id"].as_str(), there["name"].as_str()), (Some("good"), Some("better")));
}
