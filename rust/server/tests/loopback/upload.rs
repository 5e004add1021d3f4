//! `POST /upload`, quirk by quirk.

use std::time::Duration;

use omnii_sync_server::{Clock, Config};
use serde_json::{Value, json};

use crate::client::{id, start, start_with, task};

/// 2026-01-26T10:11:12.123456Z
const NOON_US: i64 = 1_769_422_272_123_456;

#[tokio::test]
async fn the_id_comes_from_data_and_without_one_a_new_row_is_invented() {
    let client = start().await;
    client.put("sync_entities", task(1, "named")).await;
    assert_eq!(client.row("sync_entities", &id(1)).unwrap()["name"], "named");
    client.put("sync_entities", json!({ "entity_type": "task", "name": "invented" })).await;
    client.put("sync_entities", json!({ "entity_type": "task", "name": "invented" })).await;
    assert_eq!(client.count("sync_entities"), 3);
    client.upload(r#"{"sync_events":[{"type":"PUT","id":"x"}]}"#).await;
    assert_eq!(client.count("sync_events"), 1, "no data at all is a new row where every column has a default");
}

#[tokio::test]
async fn a_put_changes_exactly_the_columns_in_data() {
    let client = start().await;
    client
        .put(
            "sync_entities",
            json!({ "id": id(1), "entity_type": "task", "name": "a", "source_id": "s",
            "properties": { "k": 1 }, "created_at": "2020-01-01T00:00:00Z" }),
        )
        .await;
    client.put("sync_entities", json!({ "id": id(1), "entity_type": "email", "name": "b" })).await;
    let row = client.row("sync_entities", &id(1)).unwrap();
    assert_eq!((&row["entity_type"], &row["name"]), (&json!("email"), &json!("b")));
    assert_eq!((&row["source_id"], &row["properties"]), (&json!("s"), &json!({ "k": 1 })));
    assert_eq!(row["created_at"], "2020-01-01T00:00:00.000000+00:00");
    client.put("sync_entities", json!({ "id": id(1), "entity_type": "email", "name": "b", "source_id": null })).await;
    assert_eq!(client.row("sync_entities", &id(1)).unwrap()["source_id"], Value::Null);
}

#[tokio::test]
async fn absent_columns_take_their_defaults_on_insert() {
    let client = start_with(Config { clock: Clock::manual(NOON_US), ..Config::test() }).await;
    client.put("sync_entities", task(1, "a")).await;
    let row = client.row("sync_entities", &id(1)).unwrap();
    assert_eq!(row["properties"], json!({}));
    assert_eq!(row["created_at"], "2026-01-26T10:11:12.123456+00:00");
    client.put("sync_events", json!({ "id": id(2) })).await;
    assert_eq!(client.row("sync_events", &id(2)).unwrap()["attendees"], json!([]));
}

#[tokio::test]
async fn user_id_and_updated_at_are_the_servers() {
    let clock = Clock::manual(NOON_US);
    let client = start_with(Config { clock: clock.clone(), ..Config::test() }).await;
    let data = json!({ "id": id(1), "entity_type": "task", "name": "a", "user_id": id(99),
        "updated_at": "2036-01-01T00:00:00Z" });
    client.put("sync_entities", data.clone()).await;
    let row = client.row("sync_entities", &id(1)).unwrap();
    assert_eq!(
        (&row["user_id"], &row["updated_at"]),
        (&json!(client.user), &json!("2026-01-26T10:11:12.123456+00:00"))
    );
    clock.advance(Duration::from_secs(60));
    client.put("sync_entities", data).await;
    let row = client.row("sync_entities", &id(1)).unwrap();
    assert_eq!(row["updated_at"], "2026-01-26T10:12:12.123456+00:00");
}

#[tokio::test]
async fn every_operation_has_its_own_updated_at() {
    let client = start_with(Config { clock: Clock::manual(NOON_US), ..Config::test() }).await;
    let puts: Vec<_> = (1..=3).map(|n| json!({ "type": "PUT", "data": task(n, "a") })).collect();
    client.upload(&json!({ "sync_entities": puts }).to_string()).await;
    let stamps: Vec<_> = (1..=3).map(|n| client.row("sync_entities", &id(n)).unwrap()["updated_at"].clone()).collect();
    let expected = [6, 7, 8].map(|last| json!(format!("2026-01-26T10:11:12.12345{last}+00:00")));
    assert_eq!(stamps, expected);
}

#[tokio::test]
async fn a_string_in_a_json_column_is_stored_as_a_json_string() {
    let client = start().await;
    let with = |properties: Value| json!({ "id": id(1), "entity_type": "task", "name": "a", "properties": properties });
    client.put("sync_entities", with(json!({ "bb": 1, "a": "x" }))).await;
    assert_eq!(client.row("sync_entities", &id(1)).unwrap()["properties"], json!({ "a": "x", "bb": 1 }));
    client.put("sync_entities", with(json!(r#"{"a":1}"#))).await;
    assert_eq!(client.row("sync_entities", &id(1)).unwrap()["properties"], json!(r#"{"a":1}"#));
    client.put("sync_entities", with(Value::Null)).await;
    assert_eq!(client.row("sync_entities", &id(1)).unwrap()["properties"], Value::Null);
}

#[tokio::test]
async fn what_the_database_refuses_counts_as_success_and_changes_nothing() {
    let client = start().await;
    client.put("sync_entities", task(1, "kept")).await;
    client.put("sync_entities", task(2, "other")).await;
    client.put("sync_events", json!({ "id": id(3), "google_event_id": "g" })).await;
    let relation = |n, from, to| json!({ "id": id(n), "from_entity_id": id(from), "to_entity_id": id(to), "relationship_type": "about" });
    client.put("sync_relationships", relation(4, 1, 2)).await;
    let before = client.sync("").await["changes"].clone();
    let refused = [
        ("sync_entities", json!({ "id": id(1), "name": "NOT NULL before the conflict" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": null })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "note", "name": "check" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": "a", "colour": "unknown column" })),
        ("sync_entities", json!({ "id": "task-1", "entity_type": "task", "name": "no uuid" })),
        ("sync_entities", json!({ "id": null, "entity_type": "task", "name": "null id" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": "a", "created_at": "yesterday" })),
        ("sync_entities", json!({ "id": id(1), "entity_type": "task", "name": "nul \0" })),
        ("sync_events", json!({ "id": id(5), "google_event_id": "g" })),
        ("sync_relationships", relation(6, 1, 77)),
        ("sync_relationships", relation(7, 1, 2)),
        ("sync_relationships", json!({ "id": id(8), "from_entity_id": id(1), "relationship_type": "about" })),
    ];
    for (table, data) in refused {
        client.put(table, data.clone()).await;
        assert_eq!(client.sync("").await["changes"], before, "{data}");
    }
}

#[tokio::test]
async fn invalid_tables_and_unknown_types_land_in_errors_and_the_rest_goes_on() {
    let client = start().await;
    let results = client
        .upload(&format!(
            r#"{{"nope":[{{"type":"PUT","data":{{}}}}],
                "sync_entities":[{{"type":"PATCH","id":"x","data":{{}}}},{{"id":"x"}},{{"type":"PUT","data":{}}}]}}"#,
            task(1, "a")
        ))
        .await;
    assert_eq!(results["nope"], json!({ "success": 0, "errors": ["Invalid table: nope"] }));
    assert_eq!(
        results["sync_entities"],
        json!({ "success": 1, "errors": ["Unknown operation type: PATCH", "Unknown operation type: undefined"] })
    );
    assert!(client.row("sync_entities", &id(1)).is_some());
}

#[tokio::test]
async fn tables_are_processed_in_the_order_of_the_keys() {
    let client = start().await;
    let entities = format!(
        r#""sync_entities":[{{"type":"PUT","data":{}}},{{"type":"PUT","data":{}}}]"#,
        task(1, "a"),
        task(2, "b")
    );
    let relation = json!({ "id": id(3), "from_entity_id": id(1), "to_entity_id": id(2), "relationship_type": "about" });
    let relations = format!(r#""sync_relationships":[{{"type":"PUT","data":{relation}}}]"#);
    let results = client.upload(&format!("{{{relations},{entities}}}")).await;
    assert_eq!(results["sync_relationships"]["success"], 1);
    assert_eq!(client.count("sync_relationships"), 0, "the child came before its parents");
    assert_eq!(client.count("sync_entities"), 2);
    client.upload(&format!("{{{entities},{relations}}}")).await;
    assert_eq!(client.count("sync_relationships"), 1);
}

#[tokio::test]
async fn results_keep_the_order_of_the_keys() {
    let client = start().await;
    let body = r#"{"changes":{"sync_relationships":[],"a":[],"sync_entities":[]}}"#;
    let url = format!("{}/upload", client.server.api_url());
    let response = client.http.post(url).bearer_auth(&client.token).body(body).send().await.unwrap();
    let text = response.text().await.unwrap();
    let at = |key: &str| text.find(key).unwrap_or_else(|| panic!("{key} in {text}"));
    assert!(at("\"sync_relationships\"") < at("\"a\"") && at("\"a\"") < at("\"sync_entities\""), "{text}");
}

#[tokio::test]
async fn operations_of_a_table_are_processed_in_array_order() {
    let client = start().await;
    let put = |name: &str| json!({ "type": "PUT", "data": task(1, name) });
    let delete = json!({ "type": "DELETE", "id": id(1) });
    client.upload(&json!({ "sync_entities": [put("a"), delete, put("b")] }).to_string()).await;
    assert_eq!(client.row("sync_entities", &id(1)).unwrap()["name"], "b");
    client.upload(&json!({ "sync_entities": [put("c"), delete] }).to_string()).await;
    assert!(client.row("sync_entities", &id(1)).is_none());
}

#[tokio::test]
async fn the_same_upload_twice_is_the_same_rows() {
    let client = start().await;
    client.put("sync_entities", task(9, "to go")).await;
    let changes = json!({ "sync_entities": [
        { "type": "PUT", "data": task(1, "a") }, { "type": "DELETE", "id": id(9) }, { "type": "DELETE", "id": "no-uuid" },
    ] });
    for _ in 0..2 {
        let results = client.upload(&changes.to_string()).await;
        assert_eq!(results["sync_entities"], json!({ "success": 3, "errors": [] }));
        assert_eq!(client.count("sync_entities"), 1);
    }
}

#[tokio::test]
async fn deleting_a_parent_deletes_its_relationships() {
    let client = start().await;
    client.put("sync_entities", task(1, "a")).await;
    client.put("sync_entities", task(2, "b")).await;
    for (n, from, to) in [(3, 1, 2), (4, 2, 1), (5, 2, 2)] {
        let data = json!({ "id": id(n), "from_entity_id": id(from), "to_entity_id": id(to), "relationship_type": "x" });
        client.put("sync_relationships", data).await;
    }
    client.upload(&json!({ "sync_entities": [{ "type": "DELETE", "id": id(1) }] }).to_string()).await;
    let left: Vec<_> = client.server.backend().rows(&client.user, "sync_relationships").unwrap();
    assert_eq!(left.iter().map(|row| row["id"].clone()).collect::<Vec<_>>(), [json!(id(5))]);
}

#[tokio::test]
async fn ids_are_normalised_as_postgres_normalises_them() {
    let client = start().await;
    let data = json!({ "id": "ABCDEF00-0000-4000-8000-000000000001", "entity_type": "task", "name": "a" });
    client.put("sync_entities", data).await;
    assert!(client.row("sync_entities", "abcdef00-0000-4000-8000-000000000001").is_some());
    let delete = json!({ "type": "DELETE", "id": "ABCDEF00-0000-4000-8000-000000000001" });
    client.upload(&json!({ "sync_entities": [delete] }).to_string()).await;
    assert_eq!(client.count("sync_entities"), 0);
}
