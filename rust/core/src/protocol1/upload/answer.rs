//! What the backend says to an upload, read from bytes that may be anything.
//!
//! An answer speaks of tables, not of operations (docs/protocol.md, upload 4): what it means for a single change is decided by
//! whoever sent the request.

use super::UploadRequest;
use crate::error::{ErrorCode, SyncError};
use crate::timestamp::parse_micros;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::HashMap;

/// What the backend said about one table of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableAnswer {
    /// No error. PUTs are now to be proven by read-back; DELETEs are done.
    Accepted,
    /// The backend has no such table: none of its operations can ever succeed.
    UnknownTable(String),
    /// The backend reported errors; it does not say for which operations.
    Refused(String),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadAnswer {
    /// One per table of the request, in its order.
    pub tables: Vec<TableAnswer>,
    /// The backend's clock when it answered, in microseconds since the epoch, as far as it can be read. Whoever wrote a row
    /// later than that wrote after us.
    pub answered_at: Option<i64>,
}

/// Reads the answer to `request`.
pub fn read_answer(request: &UploadRequest, body: &[u8]) -> Result<UploadAnswer, SyncError> {
    #[derive(Deserialize)]
    struct Answer {
        results: HashMap<String, TableResult>,
        #[serde(default)]
        timestamp: Json,
    }
    #[derive(Deserialize)]
    struct TableResult {
        #[serde(default)]
        errors: Vec<Json>,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|e| {
        let at = format!("line {}, column {}", e.line(), e.column());
        SyncError::new(
            ErrorCode::BadResponse,
            format!("the answer to an upload is not one ({at}): is the endpoint right?"),
        )
    })?;
    let table_answer = |table: &str| match answer.results.get(table).map(|result| result.errors.first()) {
        None => TableAnswer::Refused("the backend's answer does not mention the table".into()),
        Some(None) => TableAnswer::Accepted,
        // the words are the protocol's (upload 4)
        Some(Some(Json::String(text))) if text.starts_with("Invalid table") => TableAnswer::UnknownTable(cut(text)),
        Some(Some(Json::String(text))) => TableAnswer::Refused(cut(text)),
        Some(Some(_)) => TableAnswer::Refused("refused without a reason".into()),
    };
    let tables = request.tables.iter().map(|(table, _)| table_answer(table)).collect();
    Ok(UploadAnswer { tables, answered_at: answer.timestamp.as_str().and_then(parse_micros) })
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}
