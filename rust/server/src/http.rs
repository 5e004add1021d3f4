//! The HTTP surface: routes, CORS, bodies and their limit, JSON errors for what is not found. Every request of a known
//! route is counted and meets its faults here, before it reaches its handler. Logs carry method, route, status and
//! duration; never a query, a header or a body.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tower_http::cors::{AllowHeaders, Any, CorsLayer, ExposeHeaders};

use crate::backend::Backend;
use crate::errors::ApiError;
use crate::faults::Faults;
use crate::faulty;
use crate::traffic::{Recorded, Route, Traffic};
use crate::{auth, health, populate, sync, upload};

/// What every handler can reach.
#[derive(Clone)]
pub(crate) struct AppState {
    pub backend: Backend,
    pub faults: Faults,
    pub traffic: Traffic,
    pub body_limit_bytes: usize,
}

pub(crate) fn router(state: AppState) -> Router {
    // As open as Supabase's: any origin may call; the token in the header is what counts.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::any())
        .max_age(Duration::from_secs(86_400));
    Router::new()
        .route("/api/powersync/health", get(health::health))
        .route("/api/powersync/sync", get(sync::sync))
        .route("/api/powersync/upload", post(upload::upload))
        .route("/api/powersync/populate", post(populate::populate))
        .route("/auth/v1/signup", post(auth::routes::signup))
        .route("/auth/v1/token", post(auth::routes::token))
        .route("/auth/v1/user", get(auth::routes::user))
        .route("/auth/v1/logout", post(auth::routes::logout))
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "No such route"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "This route does not know that method")
        })
        .layer(middleware::from_fn_with_state(state.clone(), observe))
        .layer(cors)
        .with_state(state)
}

async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Some(route) = Route::of(request.uri().path()) else {
        return next.run(request).await;
    };
    let started = Instant::now();
    let method = request.method().clone();
    if state.traffic.is_recording() {
        request = record(&state, route, request).await;
    }
    state.traffic.count(route);
    let response = match state.faults.take(route) {
        None => next.run(request).await,
        Some(fault) => {
            tracing::debug!(?route, ?fault, "fault");
            faulty::run(fault, request, next).await
        }
    };
    let ms = started.elapsed().as_millis();
    tracing::debug!(%method, ?route, status = response.status().as_u16(), ms, "request");
    response
}

async fn record(state: &AppState, route: Route, request: Request) -> Request {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (parts, body) = request.into_parts();
    // An oversized body cannot be given back whole: its handler must still see that it is too large.
    let (text, body) = match read(body, state.body_limit_bytes).await {
        Ok(bytes) => (String::from_utf8_lossy(&bytes).into_owned(), Body::from(bytes)),
        Err(_) => (String::new(), Body::from(vec![b' '; state.body_limit_bytes + 1])),
    };
    state.traffic.push(Recorded { route, query, body: text });
    Request::from_parts(parts, body)
}

/// A request's whole body, or why not (413 over the limit, 400 if it broke off). Extracting never fails, so that each
/// route can answer in its own shape.
pub(crate) struct JsonBody(pub Result<Bytes, ApiError>);

impl FromRequest<AppState> for JsonBody {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Self::Rejection> {
        Ok(Self(read(request.into_body(), state.body_limit_bytes).await))
    }
}

/// How far beyond the limit a body is still read (and thrown away). A server that stops reading resets the connection,
/// and the client might never see the 413.
const DRAIN_FACTOR: usize = 16;
const DRAIN_TIME: Duration = Duration::from_secs(5);

async fn read(mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("The request's body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            let mut left = limit.saturating_mul(DRAIN_FACTOR);
            let drain = async {
                while let Some(Ok(frame)) = body.frame().await {
                    left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                    if left == 0 {
                        break;
                    }
                }
            };
            // Whether it came to its end or not, the answer is the same.
            let _ = tokio::time::timeout(DRAIN_TIME, drain).await;
            let message = format!("The request's body is larger than {limit} bytes");
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// Parses JSON; the error names the field's path, and line and column: `changes.t[0].data: invalid type … at line 1
/// column 9`.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        // A path of "." is the document itself: nothing to name.
        if path == "." { error.inner().to_string() } else { format!("{path}: {}", error.inner()) }
    })?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// 200 with bytes that are JSON already.
pub(crate) fn json_bytes(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
}
