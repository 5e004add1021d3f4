//! `GET /sync` and `GET /health`.

use serde_json::{Value, json};

use crate::client::{id, start, task};

fn names(page: &Value, table: &str) -> Vec<String> {
    page["changes"][table].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

fn is_iso_ms(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.'
}

#[tokio::test]
async fn health_names_the_user_and_the_time() {
    let client = start().await;
    let (status, body) = client.get("/api/powersync/health").await;
    assert_eq!((status, &body["status"], &body["userId"]), (200, &json!("ok"), &json!(client.user)));
    assert!(is_iso_ms(body["timestamp"].as_str().unwrap()), "{body}");
}

#[tokio::test]
async fn rows_are_full_rows_with_json_values_and_six_digit_timestamps() {
    let client = start().await;
    let row = json!({ "id": id(1), "entity_type": "task", "name": "Grüße \"an\"\nalle", "properties": { "a": [1, null] },
        "created_at": "2026-01-02T03:04:05+01:00" });
    client.server.backend().upsert_at(&client.user, "sync_entities", row, "2026-01-26T10:11:12.5Z").unwrap();
    let page = client.sync("").await;
    let expected = json!({
        "id": id(1), "user_id": client.user, "entity_type": "task", "name": "Grüße \"an\"\nalle",
        "properties": { "a": [1, null] }, "source_id": null,
        "created_at": "2026-01-02T02:04:05.000000+00:00", "updated_at": "2026-01-26T10:11:12.500000+00:00",
    });
    assert_eq!(page["changes"], json!({ "sync_entities": [expected], "sync_events": [], "sync_relationships": [] }));
    assert_eq!(page["hasMore"], false);
    assert!(is_iso_ms(page["timestamp"].as_str().unwrap()), "{page}");
}

#[tokio::test]
async fn since_is_strict_but_cut_to_milliseconds_so_the_last_row_comes_again() {
    let client = start().await;
    let backend = client.server.backend();
    for (n, at) in [(1, "2026-01-01T00:00:00.123000Z"), (2, "2026-01-01T00:00:00.123456Z")] {
        backend.upsert_at(&client.user, "sync_entities", task(n, &format!("r{n}")), at).unwrap();
    }
    let again = client.sync("since=2026-01-01T00:00:00.123456%2B00:00").await;
    assert_eq!(names(&again, "sync_entities"), ["r2"], "the very row of the cursor is delivered again");
    let strict = client.sync("since=2026-01-01T00:00:00.123Z").await;
    assert_eq!(names(&strict, "sync_entities"), ["r2"], "r1 is exactly at since");
    let after = client.sync("since=2026-01-01T00:00:00.124Z").await;
    assert!(names(&after, "sync_entities").is_empty());
}

#[tokio::test]
async fn pages_are_ordered_by_updated_at_then_id_and_limited_per_table() {
    let client = start().await;
    let backend = client.server.backend();
    for (n, at) in [(1, "2026-01-03"), (3, "2026-01-01"), (2, "2026-01-01"), (4, "2026-01-02")] {
        backend.upsert_at(&client.user, "sync_entities", task(n, &format!("r{n}")), at).unwrap();
    }
    backend.upsert_at(&client.user, "sync_events", json!({ "id": id(9) }), "2026-01-01").unwrap();
    let page = client.sync("limit=3").await;
    assert_eq!(names(&page, "sync_entities"), ["r2", "r3", "r4"]);
    assert_eq!(page["changes"]["sync_events"].as_array().unwrap().len(), 1);
    assert_eq!(page["hasMore"], true);
    assert_eq!(client.sync("limit=4").await["hasMore"], true, "a page that is exactly full may have more");
    assert_eq!(client.sync("limit=5").await["hasMore"], false);
}

#[tokio::test]
async fn the_default_limit_is_1000_and_the_largest_5000() {
    let client = start().await;
    let rows = (0..5_001).map(|n| task(n, "x")).collect();
    client.server.backend().upsert_together(&client.user, "sync_entities", rows).unwrap();
    for (query, expected) in [("", 1_000), ("limit=0", 1_000), ("limit=abc", 1_000), ("limit=9999", 5_000)] {
        let page = client.sync(query).await;
        assert_eq!(names(&page, "sync_entities").len(), expected, "{query:?}");
        assert_eq!(page["hasMore"], true);
    }
}

#[tokio::test]
async fn one_transaction_is_one_instant_even_across_pages() {
    let client = start().await;
    let rows = (0..3).map(|n| task(n, "x")).collect();
    let at = client.server.backend().upsert_together(&client.user, "sync_entities", rows).unwrap();
    let page = client.sync("limit=2").await;
    let rows = page["changes"]["sync_entities"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["updated_at"] == at.as_str()), "{rows:?}");
    let next = client.sync(&format!("limit=2&since={}", at.replace('+', "%2B"))).await;
    assert_eq!(next["changes"]["sync_entities"], page["changes"]["sync_entities"], "the cursor cannot advance");
}

#[tokio::test]
async fn unknown_tables_are_dropped_silently() {
    let client = start().await;
    let page = client.sync("tables=sync_events,users,omnii_users").await;
    assert_eq!(page["changes"], json!({ "sync_events": [] }));
    assert_eq!(client.sync("tables=nope").await["changes"], json!({}));
    assert_eq!(client.sync("tables=").await["changes"].as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn a_since_that_is_no_timestamp_is_a_400_that_says_so() {
    let client = start().await;
    // An unescaped + is a space.
    for since in ["yesterday", "2026-01-01T00:00:00.123456+00:00"] {
        let (status, body) = client.get(&format!("/api/powersync/sync?since={since}")).await;
        assert_eq!(status, 400, "{since}");
        assert!(body["message"].as_str().unwrap().starts_with("since: "), "{body}");
    }
}

#[tokio::test]
async fn deletes_do_not_arrive() {
    let client = start().await;
    let backend = client.server.backend();
    backend.upsert(&client.user, "sync_entities", task(1, "gone")).unwrap();
    assert!(backend.delete(&client.user, "sync_entities", &id(1)).unwrap());
    assert_eq!(client.sync("tables=sync_entities").await["changes"], json!({ "sync_entities": [] }));
}

#[tokio::test]
async fn populate_imports_the_same_rows_each_time() {
    let client = start().await;
    let expected = json!({ "sync_entities": 3, "sync_events": 1, "sync_relationships": 2 });
    for _ in 0..2 {
        let (status, body) = client.post("/api/powersync/populate", "").await;
        assert_eq!((status, &body["success"], &body["synced"]), (200, &json!(true), &expected));
        assert_eq!(client.count("sync_entities"), 3);
        assert_eq!(client.count("sync_relationships"), 2);
    }
}
