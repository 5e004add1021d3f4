//! The one public error: a stable code, a message for people, and whether trying again may help.
//!
//! Every layer above (ffi, cpp, js) passes these three on unchanged. Nobody matches on message text. Messages name tables,
//! columns and ids of rows; never tokens, row contents or full URLs.

use serde::Serialize;

/// Stable error codes. JavaScript sees the variant's name as `SyncError.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ErrorCode {
    /// No database is open. Raised in JavaScript; the engine itself answers `Closed` for an id it does not know.
    NotOpen,
    /// The file is open already in this process.
    AlreadyOpen,
    /// The database was closed before or while the call ran.
    Closed,
    /// An argument has the wrong type or is out of range.
    BadArgument,
    /// The schema is not valid; the message names table and column.
    InvalidSchema,
    /// An option of `openDatabase` is not valid.
    InvalidOptions,
    /// SQLite refused the statement.
    Sql,
    /// A constraint or a column's type refused the values.
    Constraint,
    /// The database file is locked by another process.
    Busy,
    /// A write was tried on a read-only path.
    ReadOnly,
    /// The transaction has been committed or rolled back already.
    TransactionEnded,
    /// A row that must exist does not.
    NotFound,
    /// The directory or file can't be written.
    Unwritable,
    /// The file is not a database or is damaged.
    CorruptDatabase,
    /// The file is encrypted with another key, or is encrypted and no key was given.
    WrongKey,
    /// The file named by `importFrom` can't be taken in; neither file has changed.
    ImportFailed,
    /// This build of the engine can't do that.
    Unsupported,
    /// The disk is full.
    DiskFull,
    /// The file was made by a newer version, or can't be brought to the given schema.
    SchemaMismatch,
    /// The file belongs to another user.
    UserMismatch,
    /// `fetchCredentials` answered that nobody is signed in.
    NoCredentials,
    /// `fetchCredentials` failed or answered something unusable.
    CredentialsFailed,
    /// `fetchCredentials` did not answer in time.
    CredentialsTimeout,
    /// The backend refused the token (401, also after one refresh) or the user (403).
    Unauthorized,
    /// The backend can't be reached.
    Network,
    /// The backend did not answer in time.
    Timeout,
    /// The backend answered 5xx, 429 or 408.
    Server,
    /// The backend answered something that is not the protocol (a captive portal, a truncated body).
    BadResponse,
    /// The backend refused a request for its size, and it can't be made smaller; or its answer is larger than any may be.
    TooLarge,
    /// The backend refused what was sent (400, 409, 422); trying the same again won't help.
    Rejected,
    /// More rows share one instant than a page can hold, so the cursor can't advance.
    CursorStalled,
    /// The backend failed to answer for one table, or rows of it could not be used.
    TableFailed,
    /// The backend sent rows of another user; they were refused.
    ForeignRow,
    /// The app's own upload (`uploadData` of the connector) failed.
    UploadFailed,
    /// Work was outstanding and nothing moved for `stallTimeoutMs`.
    Stalled,
    /// The statement was ended by `interrupt()`.
    Interrupted,
    /// The app is suspended, so the file is closed; only calls that can't wait for `resume()` are refused.
    Suspended,
    /// An integer of a result does not fit into a JavaScript number, and the database was opened with `bigIntegers: 'error'`.
    OutOfRange,
    /// The work was cancelled by `disconnect`, `clearAndReconnect` or `close`.
    Disconnected,
    /// A fault in the engine itself.
    Internal,
}

impl ErrorCode {
    /// The name JavaScript sees.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOpen => "NotOpen",
            Self::AlreadyOpen => "AlreadyOpen",
            Self::Closed => "Closed",
            Self::BadArgument => "BadArgument",
            Self::InvalidSchema => "InvalidSchema",
            Self::InvalidOptions => "InvalidOptions",
            Self::Sql => "Sql",
            Self::Constraint => "Constraint",
            Self::Busy => "Busy",
            Self::ReadOnly => "ReadOnly",
            Self::TransactionEnded => "TransactionEnded",
            Self::NotFound => "NotFound",
            Self::Unwritable => "Unwritable",
            Self::CorruptDatabase => "CorruptDatabase",
            Self::WrongKey => "WrongKey",
            Self::ImportFailed => "ImportFailed",
            Self::Unsupported => "Unsupported",
            Self::DiskFull => "DiskFull",
            Self::SchemaMismatch => "SchemaMismatch",
            Self::UserMismatch => "UserMismatch",
            Self::NoCredentials => "NoCredentials",
            Self::CredentialsFailed => "CredentialsFailed",
            Self::CredentialsTimeout => "CredentialsTimeout",
            Self::Unauthorized => "Unauthorized",
            Self::Network => "Network",
            Self::Timeout => "Timeout",
            Self::Server => "Server",
            Self::BadResponse => "BadResponse",
            Self::TooLarge => "TooLarge",
            Self::Rejected => "Rejected",
            Self::CursorStalled => "CursorStalled",
            Self::TableFailed => "TableFailed",
            Self::ForeignRow => "ForeignRow",
            Self::UploadFailed => "UploadFailed",
            Self::Stalled => "Stalled",
            Self::Interrupted => "Interrupted",
            Self::Suspended => "Suspended",
            Self::OutOfRange => "OutOfRange",
            Self::Disconnected => "Disconnected",
            Self::Internal => "Internal",
        }
    }

    /// Whether trying the same later may succeed without anyone changing anything.
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::DiskFull
                | Self::NoCredentials
                | Self::CredentialsFailed
                | Self::CredentialsTimeout
                | Self::Unauthorized
                | Self::Network
                | Self::Timeout
                | Self::Server
                | Self::BadResponse
                | Self::TableFailed
                | Self::UploadFailed
                | Self::Stalled
                | Self::Interrupted
                | Self::Suspended
                | Self::Disconnected
        )
    }
}

/// What went wrong, for whoever called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct SyncError {
    /// Stable; the thing to branch on.
    pub code: ErrorCode,
    /// What happened, to which table and row, and what to do.
    pub message: String,
    /// [`ErrorCode::retryable`] of `code`.
    pub retryable: bool,
    /// The table it is about, where that is sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The row it is about, where that is sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_id: Option<String>,
}

impl SyncError {
    /// An error whose `retryable` follows from its code, about no table or row in particular.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: code.retryable(), table: None, row_id: None }
    }

    /// The same error, about this table.
    pub fn of_table(self, table: impl Into<String>) -> Self {
        Self { table: Some(table.into()), ..self }
    }

    /// The same error, about this row of its table.
    pub fn of_row(self, row_id: impl Into<String>) -> Self {
        Self { row_id: Some(row_id.into()), ..self }
    }
}

/// A result with the public error.
pub type Result<T> = std::result::Result<T, SyncError>;
