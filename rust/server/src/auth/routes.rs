//! The HTTP side of auth: `/auth/v1/{signup,token,user,logout}` in GoTrue's shapes. Sign-ups are confirmed at once.
//! Phone, OAuth, one-time codes, factors and changes to a user are not here.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::errors::AuthError;
use super::sessions::{self, Refresh, Session};
use super::users::{self, User};
use super::{Access, request_access};
use crate::backend::Backend;
use crate::http::{AppState, JsonBody};

const MIN_PASSWORD_CHARS: usize = 6;
const MAX_PASSWORD_BYTES: usize = 72;

#[derive(Deserialize)]
pub(crate) struct Credentials {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
pub(crate) struct TokenQuery {
    grant_type: Option<String>,
}

#[derive(Deserialize)]
struct RefreshBody {
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct LogoutQuery {
    scope: Option<String>,
}

/// `POST /auth/v1/signup`
pub(crate) async fn signup(State(state): State<AppState>, headers: HeaderMap, body: JsonBody) -> Response {
    answer(&headers, async {
        let credentials: Credentials = parse(body)?;
        state.backend.blocking(move |backend| sign_up(backend, credentials)).await
    })
    .await
}

/// `POST /auth/v1/token?grant_type=password|refresh_token`
pub(crate) async fn token(
    State(state): State<AppState>,
    Query(query): Query<TokenQuery>,
    headers: HeaderMap,
    body: JsonBody,
) -> Response {
    answer(&headers, async {
        match query.grant_type.as_deref() {
            Some("password") => {
                let credentials: Credentials = parse(body)?;
                state.backend.blocking(move |backend| sign_in(backend, credentials)).await
            }
            Some("refresh_token") => {
                let token = parse::<RefreshBody>(body)?.refresh_token;
                state.backend.blocking(move |backend| refresh(backend, token.as_deref().unwrap_or_default())).await
            }
            _ => Err(AuthError::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", "unsupported_grant_type")),
        }
    })
    .await
}

/// `GET /auth/v1/user`
pub(crate) async fn user(State(state): State<AppState>, headers: HeaderMap) -> Response {
    answer(&headers, async { Ok(request_access(&state.backend, &headers).await?.user.to_json()) }).await
}

/// `POST /auth/v1/logout?scope=global|local|others`
pub(crate) async fn logout(
    State(state): State<AppState>,
    Query(query): Query<LogoutQuery>,
    headers: HeaderMap,
) -> Response {
    let ended = async {
        let access = request_access(&state.backend, &headers).await?;
        state.backend.blocking(move |backend| sign_out(backend, &access, query.scope.as_deref())).await
    };
    match ended.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.for_request(&headers),
    }
}

async fn answer(headers: &HeaderMap, work: impl Future<Output = Result<Value, AuthError>>) -> Response {
    match work.await {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.for_request(headers),
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: JsonBody) -> Result<T, AuthError> {
    let bytes = body.0.map_err(|error| AuthError::new(error.status(), "request_too_large", error.message()))?;
    crate::http::parse_json(&bytes).map_err(|message| {
        AuthError::new(StatusCode::BAD_REQUEST, "bad_json", format!("Could not parse request body as JSON: {message}"))
    })
}

fn sign_up(backend: &Backend, credentials: Credentials) -> Result<Value, AuthError> {
    if credentials.phone.is_some_and(|phone| !phone.is_empty()) {
        let message = "Phone signups are disabled";
        return Err(AuthError::new(StatusCode::UNPROCESSABLE_ENTITY, "phone_provider_disabled", message));
    }
    let email = credentials.email.unwrap_or_default();
    let password = credentials.password.unwrap_or_default();
    if email.is_empty() && password.is_empty() {
        let message = "Anonymous sign-ins are disabled";
        return Err(AuthError::new(StatusCode::UNPROCESSABLE_ENTITY, "anonymous_provider_disabled", message));
    }
    if password.is_empty() {
        return Err(AuthError::validation("Signup requires a valid password"));
    }
    if !users::is_email(&email) {
        return Err(AuthError::validation("Unable to validate email address: invalid format"));
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        let message = format!("Password should be at least {MIN_PASSWORD_CHARS} characters.");
        return Err(AuthError::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", message));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        let message = format!("Password cannot be longer than {MAX_PASSWORD_BYTES} characters");
        return Err(AuthError::validation(message));
    }
    let hash = backend.passwords().hash(&password)?;
    let metadata = Value::Object(credentials.data.unwrap_or_default());
    let now_us = backend.clock().now_us();
    let user = users::insert(&backend.lock(), None, &email, &hash, &metadata, now_us)?;
    open_session(backend, user)
}

fn sign_in(backend: &Backend, credentials: Credentials) -> Result<Value, AuthError> {
    let (Some(email), Some(password)) = (credentials.email, credentials.password) else {
        return Err(AuthError::validation("missing email or password"));
    };
    let user = users::by_email(&backend.lock(), &email)?;
    let fits = backend.passwords().verify(&password, user.as_ref().map(|user| user.password_hash.as_str()));
    match user {
        Some(user) if fits => open_session(backend, user),
        _ => Err(AuthError::invalid_credentials()),
    }
}

fn open_session(backend: &Backend, mut user: User) -> Result<Value, AuthError> {
    let now_us = backend.clock().now_us();
    let session = {
        let connection = backend.lock();
        users::signed_in(&connection, &mut user, now_us)?;
        sessions::insert(&connection, &user.id, now_us)?
    };
    session_json(backend, &user, &session, now_us)
}

fn refresh(backend: &Backend, token: &str) -> Result<Value, AuthError> {
    let bad = |code, message| AuthError::new(StatusCode::BAD_REQUEST, code, message);
    let not_found = || bad("refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
    let token = backend.key().verify_refresh(token).ok_or_else(not_found)?;
    let now_us = backend.clock().now_us();
    let (session, user) = {
        let connection = backend.lock();
        match sessions::refresh(&connection, &token, now_us, backend.refresh_reuse_interval())? {
            Refresh::Granted(session) => {
                let user = users::by_id(&connection, &session.user_id)?.ok_or_else(not_found)?;
                (session, user)
            }
            Refresh::NotFound => return Err(not_found()),
            Refresh::AlreadyUsed => {
                return Err(bad("refresh_token_already_used", "Invalid Refresh Token: Already Used"));
            }
        }
    };
    session_json(backend, &user, &session, now_us)
}

fn session_json(backend: &Backend, user: &User, session: &Session, now_us: i64) -> Result<Value, AuthError> {
    let lifetime_s = backend.token_lifetime_s();
    let access = backend.key().sign_access(user, &session.id, now_us, i64::from(lifetime_s));
    let session_id = Uuid::parse_str(&session.id)
        .map_err(|_| AuthError::new(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_failure", "bad session id"))?;
    Ok(json!({
        "access_token": access.token,
        "token_type": "bearer",
        "expires_in": lifetime_s,
        "expires_at": access.expires_at_s,
        "refresh_token": backend.key().sign_refresh(session_id, session.refresh_counter),
        "user": user.to_json(),
    }))
}

fn sign_out(backend: &Backend, access: &Access, scope: Option<&str>) -> Result<(), AuthError> {
    let connection = backend.lock();
    match (scope.unwrap_or("global"), &access.session_id) {
        ("local", Some(session)) => sessions::delete(&connection, session)?,
        ("others", Some(session)) => sessions::delete_others(&connection, &access.user.id, session)?,
        ("local" | "others", None) => {}
        ("global", _) => sessions::delete_all(&connection, &access.user.id)?,
        (_, _) => return Err(AuthError::validation("Unsupported logout scope")),
    }
    Ok(())
}
