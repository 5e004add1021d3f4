//! The crate's errors, and the one place where an error becomes an HTTP answer. Three audiences: who starts a server
//! ([`StartError`]), who reaches into its data ([`BackendError`]), and HTTP clients of the protocol ([`ApiError`]; the
//! auth routes have GoTrue's shape, see `auth::errors`).

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The schema is malformed or contradicts itself.
    #[error("schema: {0}")]
    Schema(String),
    /// The database cannot be opened or prepared.
    #[error("database {path}: {source}")]
    Database {
        /// The file, or `:memory:`.
        path: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database was made with another schema. Nothing was changed.
    #[error("database {0} was made with another schema; use another --database file or the --config it was made with")]
    OtherSchema(String),
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Seeding or another first access to the data failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Why an access to the backend's data failed.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// SQLite failed (not a refused row: that is [`BackendError::Refused`]).
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The table is not in the schema.
    #[error("unknown table: {0}")]
    UnknownTable(String),
    /// There is no such user.
    #[error("unknown user")]
    UnknownUser,
    /// The email address is taken.
    #[error("user already registered")]
    EmailTaken,
    /// The row violates a constraint, has an unknown column, a value of the wrong type, or another owner. Over HTTP
    /// this is swallowed (protocol 1, upload 4); here it is told.
    #[error("refused: {0}")]
    Refused(String),
    /// The password could not be hashed.
    #[error("password: {0}")]
    Password(String),
}

/// An answer that is not a success, in the protocol's shape: `{"error":"Unauthorized","message":"…"}`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    /// An answer with this status; the `error` field is the status's standard phrase.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client is told.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }
}

impl From<BackendError> for ApiError {
    fn from(error: BackendError) -> Self {
        tracing::error!(%error, "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the database failed; see the server's log")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = self.status.canonical_reason().unwrap_or("Error");
        (self.status, Json(json!({ "error": error, "message": self.message }))).into_response()
    }
}
