//! GoTrue's error answers. Clients that send `X-Supabase-Api-Version: 2024-01-01` (supabase-js does) get
//! `{"code":"<error code>","message":"…"}` and the header back; others the older `{"code":<status>,"error_code":…,
//! "msg":…}`. supabase-js decides by the codes, so they are GoTrue's own.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::AccessDenied;
use crate::errors::BackendError;

const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const WITH_STRING_CODES: &str = "2024-01-01";

/// An error of the auth routes, before it is known in which shape the client wants it.
#[derive(Debug)]
pub(crate) struct AuthError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl AuthError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "validation_failed", message)
    }

    pub fn invalid_credentials() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_credentials", "Invalid login credentials")
    }

    /// The answer in the shape that the request's headers ask for.
    pub fn for_request(self, headers: &HeaderMap) -> Response {
        // Versions are dates, so the order of the text is the order of the versions.
        let version = headers.get(&API_VERSION).and_then(|value| value.to_str().ok());
        let modern = version.is_some_and(|version| version >= WITH_STRING_CODES);
        let mut body = if modern {
            json!({ "code": self.code, "message": self.message })
        } else {
            json!({ "code": self.status.as_u16(), "error_code": self.code, "msg": self.message })
        };
        if self.code == "weak_password" {
            body["weak_password"] = json!({ "reasons": ["length"] });
        }
        let mut response = (self.status, Json(body)).into_response();
        if modern {
            response.headers_mut().insert(API_VERSION, HeaderValue::from_static(WITH_STRING_CODES));
        }
        response
    }
}

impl From<BackendError> for AuthError {
    fn from(error: BackendError) -> Self {
        if matches!(error, BackendError::EmailTaken) {
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "user_already_exists", "User already registered");
        }
        tracing::error!(%error, "auth request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_failure", "Unexpected failure; see the server's log")
    }
}

impl From<rusqlite::Error> for AuthError {
    fn from(error: rusqlite::Error) -> Self {
        BackendError::from(error).into()
    }
}

impl From<AccessDenied> for AuthError {
    fn from(denied: AccessDenied) -> Self {
        let (status, code, message) = match denied {
            AccessDenied::NoToken => {
                (StatusCode::UNAUTHORIZED, "no_authorization", "This endpoint requires a valid Bearer token".to_owned())
            }
            AccessDenied::BadToken(why) => (StatusCode::FORBIDDEN, "bad_jwt", format!("invalid JWT: {why}")),
            AccessDenied::Expired => (StatusCode::FORBIDDEN, "bad_jwt", "invalid JWT: token is expired".to_owned()),
            AccessDenied::NoSession => {
                let message = "Session from session_id claim in JWT does not exist".to_owned();
                (StatusCode::FORBIDDEN, "session_not_found", message)
            }
            AccessDenied::NoUser => {
                (StatusCode::FORBIDDEN, "user_not_found", "User from sub claim in JWT does not exist".to_owned())
            }
            AccessDenied::Failed(error) => return error.into(),
        };
        Self::new(status, code, message)
    }
}
