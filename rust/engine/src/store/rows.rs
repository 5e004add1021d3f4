//! Parameters and result sets in a flat form that crosses the FFI without one allocation per cell.
//!
//! Owns running a prepared statement into that form. Knows nothing of transactions or capture.

use super::sql_error::sql_error;
use omnii_sync_core::{ErrorCode, SyncError, error::Result};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};

/// One SQL parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// NULL.
    Null,
    /// 64-bit signed integer.
    Integer(i64),
    /// 64-bit float.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(i) => ValueRef::Integer(*i),
            Self::Real(r) => ValueRef::Real(*r),
            Self::Text(t) => ValueRef::Text(t.as_bytes()),
            Self::Blob(b) => ValueRef::Blob(b),
        }))
    }
}

/// What a cell holds; the numbers are the FFI's (rust/ffi, `Rows::kinds`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum CellKind {
    /// NULL.
    Null = 0,
    /// The word is an `i64`.
    Integer = 1,
    /// The word is an `f64`'s bits.
    Real = 2,
    /// The word is offset << 32 | length into `bytes`, UTF-8.
    Text = 3,
    /// As text, but bytes.
    Blob = 4,
    /// As text, all of it ASCII.
    AsciiText = 5,
}

/// A result set. Cell `i` is row `i / columns.len()`, column `i % columns.len()`.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Rows {
    /// Column names as SQLite gives them; duplicates are possible.
    pub columns: Vec<String>,
    /// A [`CellKind`] per cell.
    pub kinds: Vec<u8>,
    /// 64 bits per cell.
    pub words: Vec<u64>,
    /// Text and blobs of all cells.
    pub bytes: Vec<u8>,
    /// Rows inserted, updated or deleted by the statement itself (not by triggers); 0 for one that changes none.
    pub rows_affected: i64,
    /// Rowid of the last row the statement inserted, 0 if none.
    pub insert_id: i64,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.kinds.len().checked_div(self.columns.len()).unwrap_or(0)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The cell as a parameter, for Rust callers. Panics when out of range.
    pub fn cell(&self, row: usize, column: usize) -> Parameter {
        let i = row * self.columns.len() + column;
        let (word, slice) = (self.words[i], |w: u64| &self.bytes[(w >> 32) as usize..][..(w & 0xffff_ffff) as usize]);
        match self.kinds[i] {
            0 => Parameter::Null,
            1 => Parameter::Integer(word as i64),
            2 => Parameter::Real(f64::from_bits(word)),
            4 => Parameter::Blob(slice(word).to_vec()),
            _ => Parameter::Text(String::from_utf8_lossy(slice(word)).into_owned()),
        }
    }

    fn push(&mut self, value: ValueRef<'_>) -> Result<()> {
        let (kind, word) = match value {
            ValueRef::Null => (CellKind::Null, 0),
            ValueRef::Integer(i) => (CellKind::Integer, i as u64),
            ValueRef::Real(r) => (CellKind::Real, r.to_bits()),
            ValueRef::Text(t) if t.is_ascii() => (CellKind::AsciiText, self.append(t)?),
            ValueRef::Text(t) => match std::str::from_utf8(t) {
                Ok(_) => (CellKind::Text, self.append(t)?),
                Err(_) => (CellKind::Text, self.append(String::from_utf8_lossy(t).as_bytes())?),
            },
            ValueRef::Blob(b) => (CellKind::Blob, self.append(b)?),
        };
        self.kinds.push(kind as u8);
        self.words.push(word);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let offset = self.bytes.len();
        if offset + bytes.len() > u32::MAX as usize {
            return Err(SyncError::new(ErrorCode::TooLarge, "the result is larger than 4 GiB; read it in parts"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok((offset as u64) << 32 | bytes.len() as u64)
    }
}

/// Binds the parameters, steps the statement to its end and collects the rows. `rows_affected` and `insert_id` are left to
/// the caller, who knows the connection.
pub fn run(statement: &mut Statement<'_>, parameters: &[Parameter]) -> Result<Rows> {
    if statement.column_count() == 0 && statement.expanded_sql().is_none() {
        return Err(SyncError::new(ErrorCode::BadArgument, "the SQL text holds no statement"));
    }
    let expected = statement.parameter_count();
    if expected != parameters.len() {
        return Err(SyncError::new(
            ErrorCode::BadArgument,
            format!("the statement has {expected} parameters, {} were given", parameters.len()),
        ));
    }
    for (i, parameter) in parameters.iter().enumerate() {
        statement.raw_bind_parameter(i + 1, parameter).map_err(sql_error)?;
    }
    let mut result = Rows { columns: names(statement), ..Rows::default() };
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(sql_error)? {
        let statement: &Statement<'_> = row.as_ref();
        if result.kinds.is_empty() && statement.column_count() != result.columns.len() {
            // the first step prepared a cached `SELECT *` anew, since a table has changed
            result.columns = names(statement);
        }
        for column in 0..result.columns.len() {
            result.push(row.get_ref(column).map_err(sql_error)?)?;
        }
    }
    Ok(result)
}

fn names(statement: &Statement<'_>) -> Vec<String> {
    statement.column_names().map(str::to_owned).collect()
}
