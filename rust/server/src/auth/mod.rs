//! Dev auth: as much of Supabase's auth service (GoTrue) as `@supabase/supabase-js` needs to sign up, sign in, refresh,
//! ask who it is and sign out. Owns users, sessions and tokens. An access token counts only while its session lives,
//! so that signing out takes effect at once. Nothing here logs an email address, a password or a token.

pub(crate) mod errors;
pub(crate) mod jwt;
pub(crate) mod password;
pub(crate) mod routes;
pub(crate) mod sessions;
pub(crate) mod users;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::backend::Backend;
use crate::errors::{ApiError, BackendError};
use crate::http::AppState;
use users::User;

/// Who a valid access token speaks for.
#[derive(Debug)]
pub(crate) struct Access {
    pub user: User,
    /// `None` for a token signed with our key elsewhere, without a session of ours.
    pub session_id: Option<String>,
}

/// Why a request has no user.
#[derive(Debug)]
pub(crate) enum AccessDenied {
    /// No `Authorization: Bearer …`.
    NoToken,
    /// Not a JWT, signed by another key, for another role.
    BadToken(&'static str),
    /// It was good until its `exp`.
    Expired,
    /// Signed out.
    NoSession,
    /// The user is gone.
    NoUser,
    /// The database failed.
    Failed(BackendError),
}

impl From<rusqlite::Error> for AccessDenied {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// The token of `Authorization: Bearer …`; the scheme in any case.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Checks signature, expiry, role, session and user. Blocks for two indexed reads.
pub(crate) fn authenticate(backend: &Backend, token: &str) -> Result<Access, AccessDenied> {
    let claims = backend.key().verify_access(token, backend.clock().now_us())?;
    let connection = backend.lock();
    if let Some(id) = &claims.session_id {
        let session = sessions::by_id(&connection, id)?;
        if session.is_none_or(|session| session.user_id != claims.sub) {
            return Err(AccessDenied::NoSession);
        }
    }
    let user = users::by_id(&connection, &claims.sub).map_err(AccessDenied::Failed)?.ok_or(AccessDenied::NoUser)?;
    Ok(Access { user, session_id: claims.session_id })
}

/// The access of a request's token, or `NoToken`.
pub(crate) async fn request_access(backend: &Backend, headers: &HeaderMap) -> Result<Access, AccessDenied> {
    let token = bearer(headers).ok_or(AccessDenied::NoToken)?;
    backend.blocking(move |backend| backend.authenticate(&token)).await
}

/// Extractor of the protocol's routes: the id of the signed-in user, or 401 in the protocol's shape.
pub(crate) struct CurrentUser(pub String);

impl FromRequestParts<AppState> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Self::Rejection> {
        match request_access(&state.backend, &parts.headers).await {
            Ok(access) => Ok(Self(access.user.id)),
            Err(AccessDenied::NoToken) => Err(ApiError::unauthorized("Missing Authorization: Bearer token")),
            Err(AccessDenied::BadToken(why)) => Err(ApiError::unauthorized(format!("Invalid token: {why}"))),
            Err(AccessDenied::Expired) => Err(ApiError::unauthorized("Invalid token: it has expired")),
            Err(AccessDenied::NoSession) => Err(ApiError::unauthorized("Invalid token: its session has ended")),
            Err(AccessDenied::NoUser) => Err(ApiError::unauthorized("Invalid token: no such user")),
            Err(AccessDenied::Failed(error)) => Err(error.into()),
        }
    }
}
