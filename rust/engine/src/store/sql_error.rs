//! SQLite's errors as ours: the one place that maps them.

use omnii_sync_core::{ErrorCode, SyncError};
use rusqlite::{Error, ffi};
use std::path::Path;

/// What SQLite or rusqlite said, with a stable code. SQLite's texts name tables and columns, never values.
pub fn sql_error(error: Error) -> SyncError {
    let (code, text) = match &error {
        Error::SqliteFailure(failure, text) => (code_of(failure), text.clone().unwrap_or_else(|| failure.to_string())),
        Error::SqlInputError { error: failure, msg, offset, .. } => {
            (code_of(failure), if *offset >= 0 { format!("{msg} (at character {offset})") } else { msg.clone() })
        }
        Error::MultipleStatement => {
            (ErrorCode::BadArgument, "one statement at a time; send the next one by its own call".into())
        }
        Error::NulError(_) => (ErrorCode::BadArgument, "the SQL text has a NUL character".into()),
        other => (ErrorCode::Sql, other.to_string()),
    };
    SyncError::new(code, text)
}

fn code_of(failure: &ffi::Error) -> ErrorCode {
    match failure.extended_code & 0xff {
        ffi::SQLITE_CONSTRAINT | ffi::SQLITE_MISMATCH => ErrorCode::Constraint,
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => ErrorCode::Busy,
        ffi::SQLITE_READONLY => ErrorCode::ReadOnly,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => ErrorCode::CorruptDatabase,
        ffi::SQLITE_FULL => ErrorCode::DiskFull,
        ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM => ErrorCode::Unwritable,
        ffi::SQLITE_INTERRUPT => ErrorCode::Closed,
        ffi::SQLITE_TOOBIG => ErrorCode::TooLarge,
        ffi::SQLITE_RANGE => ErrorCode::BadArgument,
        _ => ErrorCode::Sql,
    }
}

/// An error while opening, with the file named and what to do about it.
pub fn open_error(error: Error, path: &Path) -> SyncError {
    let SyncError { code, message, .. } = sql_error(error);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match code {
        ErrorCode::CorruptDatabase => SyncError::new(
            code,
            format!(
                "'{name}' is damaged or is no SQLite database ({message}). It was left untouched: move it away, or open another file name"
            ),
        ),
        ErrorCode::Unwritable | ErrorCode::ReadOnly => SyncError::new(
            ErrorCode::Unwritable,
            format!(
                "'{name}' can't be opened for writing ({message}). Check that the directory exists and may be written"
            ),
        ),
        ErrorCode::Busy => SyncError::new(code, format!("'{name}' is locked by another process")),
        _ => SyncError::new(code, format!("'{name}' can't be opened: {message}")),
    }
}
