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
    let table = error.sqlite_error().and_then(|failure| table_of(failure, &text)).map(str::to_owned);
    let error = match advice(code) {
        Some(advice) => SyncError::new(code, format!("{text}: {advice}")),
        None => SyncError::new(code, text),
    };
    SyncError { table, ..error }
}

/// The table that a violated constraint is of, as SQLite's text has it: "UNIQUE constraint failed: table.column, …".
fn table_of<'t>(failure: &ffi::Error, text: &'t str) -> Option<&'t str> {
    let place = match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID
        | ffi::SQLITE_CONSTRAINT_NOTNULL => text.split_once(" constraint failed: ")?.1,
        ffi::SQLITE_CONSTRAINT_DATATYPE => text.rsplit_once(" column ")?.1,
        _ => return None,
    };
    let (table, column) = place.split(", ").next()?.split_once('.')?;
    // a name with a point in it could be cut at the wrong one; an index on an expression is told by its name
    (!column.contains('.') && !place.starts_with("index '")).then_some(table)
}

/// What to do about errors that are not the statement's fault.
fn advice(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::DiskFull => Some("nothing of this statement was stored; free some space and try again"),
        ErrorCode::Busy => Some("another process holds the file; try again"),
        ErrorCode::Unwritable => {
            Some("the file can't be written or read; check the disk and the directory's permissions")
        }
        _ => None,
    }
}

fn code_of(failure: &ffi::Error) -> ErrorCode {
    match failure.extended_code & 0xff {
        ffi::SQLITE_CONSTRAINT | ffi::SQLITE_MISMATCH => ErrorCode::Constraint,
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => ErrorCode::Busy,
        ffi::SQLITE_NOMEM => ErrorCode::Internal,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => ErrorCode::CorruptDatabase,
        ffi::SQLITE_FULL => ErrorCode::DiskFull,
        // readers refuse statements that write before they run, so SQLITE_READONLY is the file's
        ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM | ffi::SQLITE_READONLY | ffi::SQLITE_IOERR => ErrorCode::Unwritable,
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
        ErrorCode::CorruptDatabase => damaged(path, &message),
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

/// The file is damaged: where it is and what to do.
pub fn damaged(path: &Path, message: &str) -> SyncError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    SyncError::new(
        ErrorCode::CorruptDatabase,
        format!(
            "'{name}' is damaged or is no SQLite database ({message}). It was left untouched: move it away together with its \
             -wal and -shm files, or open another file name"
        ),
    )
}
