//! Nobody sees or touches another user's rows.

use omnii_sync_server::BackendError;
use serde_json::json;

use crate::client::{id, read, start, task};

#[tokio::test]
async fn a_user_can_neither_read_nor_overwrite_nor_delete_anothers_row() {
    let client = start().await;
    let (eve, eves_token) = client.second_user();
    client.put("sync_entities", task(1, "ada's")).await;
    let before = client.row("sync_entities", &id(1)).unwrap();

    let page = read(client.get_as(&eves_token, "/api/powersync/sync").await.unwrap()).await.1;
    assert_eq!(page["changes"]["sync_entities"], json!([]));

    let changes = json!({ "changes": { "sync_entities": [
        { "type": "PUT", "data": task(1, "eve's") },
        { "type": "PUT", "data": { "id": id(1), "entity_type": "task", "name": "eve's", "user_id": client.user } },
        { "type": "DELETE", "id": id(1) },
    ] } });
    let (status, body) = client.post_as(&eves_token, "/api/powersync/upload", changes.to_string()).await.unwrap();
    assert_eq!((status, &body["results"]["sync_entities"]), (200, &json!({ "success": 3, "errors": [] })));
    assert_eq!(client.row("sync_entities", &id(1)).unwrap(), before);
    assert_eq!(client.server.backend().count(&eve, "sync_entities").unwrap(), 0);
}

#[tokio::test]
async fn a_row_cannot_hang_on_anothers_parent() {
    let client = start().await;
    let (eve, _) = client.second_user();
    let backend = client.server.backend();
    client.put("sync_entities", task(1, "ada's")).await;
    backend.upsert(&eve, "sync_entities", task(2, "eve's")).unwrap();
    let relation = json!({ "from_entity_id": id(2), "to_entity_id": id(1), "relationship_type": "x" });
    assert!(matches!(backend.upsert(&eve, "sync_relationships", relation), Err(BackendError::Refused(_))));
}

#[tokio::test]
async fn unique_keys_are_per_user() {
    let client = start().await;
    let (eve, _) = client.second_user();
    let event = |n| json!({ "id": id(n), "google_event_id": "g" });
    client.put("sync_events", event(1)).await;
    client.server.backend().upsert(&eve, "sync_events", event(2)).unwrap();
    assert_eq!((client.count("sync_events"), client.server.backend().count(&eve, "sync_events").unwrap()), (1, 1));
}
