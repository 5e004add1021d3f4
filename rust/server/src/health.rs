//! `GET /api/powersync/health`: who the token speaks for, and the server's time.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::auth::CurrentUser;
use crate::http::AppState;
use crate::timestamps::iso_ms;

pub(crate) async fn health(State(state): State<AppState>, CurrentUser(user_id): CurrentUser) -> Json<Value> {
    Json(json!({ "status": "ok", "userId": user_id, "timestamp": iso_ms(state.backend.clock().now_us()) }))
}
