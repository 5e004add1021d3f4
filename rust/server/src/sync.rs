//! `GET /api/powersync/sync`: one page of each table (protocol 1). Keeps the quirks: `since` is cut to milliseconds
//! while rows carry microseconds; `timestamp` is now, not a cursor; a table whose query fails is left out with status
//! 200; unknown tables are dropped silently.

use axum::extract::{Query, State};
use axum::http::Extensions;
use axum::response::Response;

use crate::auth::CurrentUser;
use crate::backend::Backend;
use crate::errors::ApiError;
use crate::faulty::FailTables;
use crate::http::{AppState, json_bytes};
use crate::rows;
use crate::schema::Schema;
use crate::timestamps;

const DEFAULT_LIMIT: u32 = 1_000;
const MAX_LIMIT: u32 = 5_000;

/// What a request asks for.
#[derive(Debug)]
struct Page {
    user_id: String,
    since_us: Option<i64>,
    /// Known tables only, each once, in the order asked for.
    tables: Vec<String>,
    limit: u32,
}

pub(crate) async fn sync(
    State(state): State<AppState>,
    CurrentUser(user_id): CurrentUser,
    Query(query): Query<Vec<(String, String)>>,
    extensions: Extensions,
) -> Result<Response, ApiError> {
    let parameter = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let page = Page {
        user_id,
        since_us: since(parameter("since"))?,
        tables: tables(state.backend.schema(), parameter("tables")),
        limit: limit(parameter("limit")),
    };
    let failing = extensions.get::<FailTables>().cloned().unwrap_or_default();
    Ok(json_bytes(state.backend.blocking(move |backend| answer(backend, &page, &failing.0)).await))
}

fn since(text: Option<&str>) -> Result<Option<i64>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let hint = "since: not an ISO 8601 timestamp (in a URL, + must be written %2B)";
    timestamps::parse_cut_to_ms(text).map(Some).ok_or_else(|| ApiError::bad_request(hint))
}

fn tables(schema: &Schema, text: Option<&str>) -> Vec<String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return schema.tables().iter().map(|table| table.name.clone()).collect();
    };
    let mut tables: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| schema.table(name).is_some()) {
        if !tables.iter().any(|known| known == name) {
            tables.push(name.to_owned());
        }
    }
    tables
}

/// Digits only; anything else, zero included, is rubbish and means the default.
fn limit(text: Option<&str>) -> u32 {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return DEFAULT_LIMIT;
    }
    match text.parse::<u32>() {
        Ok(0) => DEFAULT_LIMIT,
        Ok(limit) => limit.min(MAX_LIMIT),
        Err(_) => MAX_LIMIT, // digits that do not fit are a very large number
    }
}

fn answer(backend: &Backend, page: &Page, failing: &[String]) -> Vec<u8> {
    let mut out = br#"{"changes":{"#.to_vec();
    let mut has_more = false;
    let mut first = true;
    let connection = backend.lock();
    for name in page.tables.iter().filter(|name| !failing.contains(name)) {
        let table = backend.schema().table(name).expect("only known tables are asked for");
        let start = out.len();
        if !first {
            out.push(b',');
        }
        out.extend_from_slice(format!("\"{name}\":").as_bytes());
        match rows::write_page(&connection, table, &page.user_id, page.since_us, page.limit, &mut out) {
            Ok(count) => {
                first = false;
                has_more |= count >= page.limit;
            }
            Err(error) => {
                out.truncate(start);
                tracing::error!(table = name, %error, "page query failed");
            }
        }
    }
    drop(connection);
    let timestamp = timestamps::iso_ms(backend.clock().now_us());
    out.extend_from_slice(format!("}},\"timestamp\":\"{timestamp}\",\"hasMore\":{has_more}}}").as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_clamped_and_rubbish_means_the_default() {
        let cases = [
            (None, 1_000),
            (Some(""), 1_000),
            (Some("0"), 1_000),
            (Some("-5"), 1_000),
            (Some("1.5"), 1_000),
            (Some("ten"), 1_000),
            (Some("1"), 1),
            (Some("5000"), 5_000),
            (Some("5001"), 5_000),
            (Some("99999999999999999999"), 5_000),
        ];
        for (text, expected) in cases {
            assert_eq!(limit(text), expected, "{text:?}");
        }
    }

    #[test]
    fn unknown_and_repeated_tables_are_dropped() {
        let schema = Schema::default();
        assert_eq!(tables(&schema, Some("sync_events,x, sync_entities,sync_events")), ["sync_events", "sync_entities"]);
        assert!(tables(&schema, Some("x")).is_empty());
        assert_eq!(tables(&schema, None).len(), 3);
    }
}
