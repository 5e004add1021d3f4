//! `POST /api/powersync/upload`: applying a client's changes (protocol 1). Keeps the quirks: tables in the order of the
//! object's keys, operations in array order, each its own statement with its own `updated_at`; a PUT's id comes from
//! `data`; what the database refuses counts as success.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::auth::CurrentUser;
use crate::backend::Backend;
use crate::errors::ApiError;
use crate::http::{AppState, JsonBody, parse_json};
use crate::ordered::Ordered;
use crate::rows::{self, WriteError};
use crate::schema::Table;
use crate::timestamps;

#[derive(Deserialize)]
struct Upload {
    changes: Ordered<Vec<Operation>>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(rename = "type", default)]
    kind: Value,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    data: Option<Map<String, Value>>,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    results: Ordered<TableResult>,
    timestamp: String,
}

#[derive(Serialize, Default)]
struct TableResult {
    success: u32,
    errors: Vec<String>,
}

pub(crate) async fn upload(
    State(state): State<AppState>,
    CurrentUser(user_id): CurrentUser,
    body: JsonBody,
) -> Result<Json<Answer>, ApiError> {
    let body = body.0?;
    let parse_and_apply = move |backend: &Backend| {
        let upload: Upload = parse_json(&body).map_err(ApiError::bad_request)?;
        Ok(apply(backend, &user_id, &upload))
    };
    state.backend.blocking(parse_and_apply).await.map(Json)
}

fn apply(backend: &Backend, user_id: &str, upload: &Upload) -> Answer {
    let results = upload.changes.0.iter().map(|(name, operations)| {
        let result = match backend.schema().table(name) {
            Some(table) => apply_to_table(backend, table, user_id, operations),
            None => TableResult { success: 0, errors: vec![format!("Invalid table: {name}")] },
        };
        (name.clone(), result)
    });
    let results = Ordered(results.collect());
    Answer { results, timestamp: timestamps::iso_ms(backend.clock().now_us()) }
}

fn apply_to_table(backend: &Backend, table: &Table, user_id: &str, operations: &[Operation]) -> TableResult {
    let mut result = TableResult::default();
    let connection = backend.lock();
    let nothing = Map::new();
    for operation in operations {
        let written = match operation.kind.as_str() {
            Some("PUT") => {
                let data = operation.data.as_ref().unwrap_or(&nothing);
                rows::put(&connection, table, user_id, data, backend.clock().stamp_us()).map(drop)
            }
            Some("DELETE") => rows::delete(&connection, table, user_id, &operation.id).map(drop),
            _ => {
                result.errors.push(format!("Unknown operation type: {}", shown(&operation.kind)));
                continue;
            }
        };
        match written {
            Ok(()) => result.success += 1,
            Err(WriteError::Refused(refusal)) => {
                result.success += 1;
                tracing::debug!(table = table.name, %refusal, "refused and swallowed");
            }
            Err(WriteError::Database(error)) => {
                tracing::error!(table = table.name, %error, "upload operation failed");
                result.errors.push(error.to_string());
            }
        }
    }
    result
}

fn shown(kind: &Value) -> String {
    match kind {
        Value::String(text) => text.clone(),
        Value::Null => "undefined".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => kind.to_string(),
    }
}
