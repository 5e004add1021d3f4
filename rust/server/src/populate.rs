//! `POST /api/powersync/populate`: stands in for the real backend's import from other systems. Upserts a few rows whose
//! ids follow from the user's id, so that a second import brings the same rows up to date instead of doubling them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::auth::CurrentUser;
use crate::backend::Backend;
use crate::errors::BackendError;
use crate::http::AppState;

pub(crate) async fn populate(State(state): State<AppState>, CurrentUser(user_id): CurrentUser) -> Response {
    match state.backend.blocking(move |backend| import(backend, &user_id)).await {
        Ok(synced) => Json(json!({ "success": true, "synced": synced })).into_response(),
        Err(error @ (BackendError::UnknownTable(_) | BackendError::Refused(_))) => {
            let body = json!({ "success": false, "error": format!("nothing to import into this schema: {error}") });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        Err(error) => crate::errors::ApiError::from(error).into_response(),
    }
}

/// The rows' counts by table.
fn import(backend: &Backend, user_id: &str) -> Result<Map<String, Value>, BackendError> {
    let id = |label: &str| imported_id(user_id, label);
    let rows = [
        (
            "sync_entities",
            json!({
                "id": id("contact"), "entity_type": "contact", "name": "Ada Lovelace",
                "properties": { "email": "ada@example.com", "company": "Analytical Engines" }, "source_id": "import:contact",
            }),
        ),
        (
            "sync_entities",
            json!({
                "id": id("task"), "entity_type": "task", "name": "Reply to Ada",
                "properties": { "status": "open", "priority": "high" }, "source_id": "import:task",
            }),
        ),
        (
            "sync_entities",
            json!({
                "id": id("email"), "entity_type": "email", "name": "Notes on the engine",
                "properties": { "from": "ada@example.com", "unread": true }, "source_id": "import:email",
            }),
        ),
        (
            "sync_events",
            json!({
                "id": id("event"), "summary": "Call with Ada", "start_time": "2026-02-02T09:00:00Z",
                "end_time": "2026-02-02T09:30:00Z", "location": "Online", "google_event_id": "import-call",
                "attendees": [{ "email": "ada@example.com", "responseStatus": "accepted" }],
            }),
        ),
        (
            "sync_relationships",
            json!({
                "id": id("about"), "from_entity_id": id("task"), "to_entity_id": id("email"),
                "relationship_type": "about", "properties": {},
            }),
        ),
        (
            "sync_relationships",
            json!({
                "id": id("sent-by"), "from_entity_id": id("email"), "to_entity_id": id("contact"),
                "relationship_type": "sent_by", "properties": {},
            }),
        ),
    ];
    let mut synced = Map::new();
    for (table, row) in rows {
        backend.upsert(user_id, table, row)?;
        let count = synced.get(table).and_then(Value::as_u64).unwrap_or_default() + 1;
        synced.insert(table.to_owned(), count.into());
    }
    Ok(synced)
}

fn imported_id(user_id: &str, label: &str) -> String {
    let digest = Sha256::digest(format!("omnii populate {user_id} {label}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
