//! Schemas other than the contract's.

use omnii_sync_server::{BackendError, Config, Schema, Server, StartError};
use serde_json::{Value, json};

use crate::client::start_with;

const CONFIG: &str = r#"{ "tables": {
    "zoo": { "idType": "text", "columns": {
        "title": { "type": "text", "notNull": true },
        "state": { "type": "text", "enum": ["open", "it's done"], "default": "open" },
        "weight": { "type": "real", "min": 0, "max": 10.5, "default": 1 },
        "legs": { "type": "integer", "min": -1 },
        "tags": { "type": "json", "default": ["new"] },
        "seen_at": { "type": "timestamp" }
    }, "unique": [["user_id", "title"]] },
    "keeper": { "columns": {
        "animal_id": { "type": "text", "references": { "table": "zoo", "onDelete": "setNull" } },
        "boss_id": { "type": "uuid", "references": { "table": "keeper" } }
    } }
} }"#;

fn config() -> Config {
    Config { schema: Schema::from_json(CONFIG).unwrap(), ..Config::test() }
}

#[tokio::test]
async fn types_defaults_and_order_are_as_configured() {
    let client = start_with(config()).await;
    client.put("zoo", json!({ "id": "e1", "title": "Elephant", "legs": "4", "seen_at": "2026-01-01 12:00+01" })).await;
    let page = client.sync("").await;
    let mut row = page["changes"]["zoo"][0].clone();
    row["updated_at"].take();
    assert_eq!(
        row,
        json!({
            "id": "e1", "user_id": client.user, "title": "Elephant", "state": "open", "weight": 1.0, "legs": 4,
            "tags": ["new"], "seen_at": "2026-01-01T11:00:00.000000+00:00", "updated_at": null,
        })
    );
    let text = client.get_as(&client.token, "/api/powersync/sync").await.unwrap().text().await.unwrap();
    let at = |key: &str| text.find(&format!("\"{key}\"")).unwrap();
    assert!(at("zoo") < at("keeper") && at("title") < at("state") && at("tags") < at("seen_at"), "{text}");
}

#[tokio::test]
async fn rules_are_enforced_as_refusals() {
    let client = start_with(config()).await;
    let backend = client.server.backend();
    backend.upsert(&client.user, "zoo", json!({ "id": "e1", "title": "Elephant" })).unwrap();
    backend.upsert(&client.user, "zoo", json!({ "title": "Ant", "state": "it's done", "weight": 10.5 })).unwrap();
    for row in [
        json!({ "title": "Elephant" }),
        json!({ "title": "a", "state": "closed" }),
        json!({ "title": "a", "weight": 10.6 }),
        json!({ "title": "a", "weight": -1 }),
        json!({ "title": "a", "legs": -2 }),
        json!({ "title": "a", "legs": 1.5 }),
    ] {
        let refused = backend.upsert(&client.user, "zoo", row.clone());
        assert!(matches!(refused, Err(BackendError::Refused(_))), "{row} {refused:?}");
    }
    assert_eq!(client.count("zoo"), 2);
}

#[tokio::test]
async fn references_set_null_or_restrict() {
    let client = start_with(config()).await;
    let backend = client.server.backend();
    backend.upsert(&client.user, "zoo", json!({ "id": "e1", "title": "Elephant" })).unwrap();
    let boss = backend.upsert(&client.user, "keeper", json!({ "animal_id": "e1" })).unwrap();
    backend.upsert(&client.user, "keeper", json!({ "boss_id": boss })).unwrap();
    assert!(backend.delete(&client.user, "zoo", "e1").unwrap());
    assert_eq!(client.row("keeper", &boss).unwrap()["animal_id"], Value::Null);
    assert!(matches!(backend.delete(&client.user, "keeper", &boss), Err(BackendError::Refused(_))));
    let results = client.upload(&json!({ "keeper": [{ "type": "DELETE", "id": boss }] }).to_string()).await;
    assert_eq!(results["keeper"], json!({ "success": 1, "errors": [] }), "over HTTP it is swallowed");
    assert!(client.row("keeper", &boss).is_some());
}

#[tokio::test]
async fn the_demo_needs_the_contracts_tables() {
    let client = start_with(config()).await;
    let (status, body) = client.post("/api/powersync/populate", "").await;
    assert_eq!((status, &body["success"]), (400, &json!(false)));
    assert!(body["error"].as_str().unwrap().contains("sync_entities"), "{body}");
    let error = Server::start(Config { seed: Some(1), ..config() }).await.err().unwrap();
    assert!(matches!(error, StartError::Backend(BackendError::UnknownTable(_))), "{error}");
}

#[tokio::test]
async fn a_file_made_with_another_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.db");
    Server::start(config().on_file(&file)).await.unwrap().stop().await;
    let error = Server::start(Config::test().on_file(&file)).await.err().unwrap();
    assert!(matches!(error, StartError::OtherSchema(_)), "{error}");
    Server::start(config().on_file(&file)).await.unwrap().stop().await;
}
