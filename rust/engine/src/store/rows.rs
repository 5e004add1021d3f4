//! Parameters and result sets in a flat form that crosses the FFI without one allocation per cell.
//!
//! Owns running a prepared statement into that form. Knows nothing of transactions or capture.

use super::sql_error::sql_error;
use omnii_sync_core::{ErrorCode, SyncError, error::Result};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// What becomes of integers that a JavaScript number can't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Integers {
    /// They are answered like all others.
    #[default]
    Whole,
    /// The statement fails with `OutOfRange`.
    Exact,
}

/// Number.MAX_SAFE_INTEGER: beyond it one number stands for several integers.
const MAX_EXACT_INTEGER: i64 = (1 << 53) - 1;

/// The columns of a result set.
#[derive(Debug, Default, Clone)]
pub struct Columns {
    /// Results with the same number have the same names; no two lists of names ever had the same number. 0: no columns.
    pub id: u64,
    /// As SQLite gives them; duplicates are possible.
    pub names: Vec<String>,
}

impl Columns {
    fn of(statement: &Statement<'_>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        match statement.column_count() {
            0 => Self::default(),
            _ => Self { id: LAST.fetch_add(1, Ordering::Relaxed) + 1, names: names(statement) },
        }
    }

    fn are_of(&self, statement: &Statement<'_>) -> bool {
        statement.column_count() == self.names.len()
            && (0..self.names.len()).all(|i| statement.column_name(i).is_ok_and(|name| name == self.names[i]))
    }
}

impl PartialEq for Columns {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl std::ops::Deref for Columns {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.names
    }
}

/// A result set. Cell `i` is row `i / columns.len()`, column `i % columns.len()`.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Rows {
    /// Column names.
    pub columns: Arc<Columns>,
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

/// Runs the statements of one connection into result sets.
#[derive(Debug, Default)]
pub struct Collector {
    integers: Integers,
    /// The columns that statements had when they ran last, by their text.
    columns: RefCell<HashMap<Box<str>, Arc<Columns>>>,
}

/// So many statements' columns are remembered.
const MAX_REMEMBERED: usize = 256;

impl Collector {
    /// For a new connection.
    pub fn new(integers: Integers) -> Self {
        Self { integers, columns: RefCell::default() }
    }

    /// Binds the parameters, steps the statement, whose text is `sql`, to its end and collects the rows. `rows_affected` and
    /// `insert_id` are left to the caller, who knows the connection.
    pub fn run(&self, statement: &mut Statement<'_>, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        bind(statement, parameters)?;
        let mut result = Rows::default();
        let mut rows = statement.raw_query();
        let mut row = rows.next().map_err(sql_error)?;
        if let Some(row) = row {
            // now, since the first step may have prepared a cached `SELECT *` anew
            result.columns = self.columns(row.as_ref(), sql);
        }
        while let Some(cells) = row {
            for column in 0..result.columns.len() {
                let value = cells.get_ref(column).map_err(sql_error)?;
                if let (Integers::Exact, ValueRef::Integer(integer)) = (self.integers, value)
                    && !(-MAX_EXACT_INTEGER..=MAX_EXACT_INTEGER).contains(&integer)
                {
                    return Err(out_of_range(&result.columns[column]));
                }
                result.push(value)?;
            }
            row = rows.next().map_err(sql_error)?;
        }
        drop(rows);
        if result.kinds.is_empty() {
            result.columns = self.columns(statement, sql);
        }
        Ok(result)
    }

    fn columns(&self, statement: &Statement<'_>, sql: &str) -> Arc<Columns> {
        if statement.column_count() == 0 {
            return Arc::default();
        }
        let mut remembered = self.columns.borrow_mut();
        if let Some(columns) = remembered.get(sql)
            && columns.are_of(statement)
        {
            return columns.clone();
        }
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        let columns = Arc::new(Columns::of(statement));
        remembered.insert(sql.into(), columns.clone());
        columns
    }
}

fn out_of_range(column: &str) -> SyncError {
    SyncError::new(
        ErrorCode::OutOfRange,
        format!(
            "column '{column}' holds an integer beyond ±(2^53 - 1): read it as text, or open with bigIntegers: 'bigint'"
        ),
    )
}

/// Parameter sets for one statement.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Batch {
    /// The parameters of all sets, one set after the other.
    pub parameters: Vec<Parameter>,
    /// Where in `parameters` each set ends.
    pub ends: Vec<usize>,
}

impl Batch {
    /// Calls `run` with each set. An error says which set it was.
    pub fn each(&self, mut run: impl FnMut(&[Parameter]) -> Result<()>) -> Result<()> {
        let mut start = 0;
        for (index, end) in self.ends.iter().enumerate() {
            run(&self.parameters[start..*end]).map_err(|error| SyncError {
                message: format!("parameter set {index} (the first is 0): {}", error.message),
                ..error
            })?;
            start = *end;
        }
        Ok(())
    }
}

/// Binds the parameters and steps the statement to its end; rows that it answers are dropped.
pub fn run_without_rows(statement: &mut Statement<'_>, parameters: &[Parameter]) -> Result<()> {
    bind(statement, parameters)?;
    let mut rows = statement.raw_query();
    while rows.next().map_err(sql_error)?.is_some() {}
    Ok(())
}

fn bind(statement: &mut Statement<'_>, parameters: &[Parameter]) -> Result<()> {
    let expected = statement.parameter_count();
    if expected == 0 && is_empty(statement) {
        return Err(SyncError::new(ErrorCode::BadArgument, "the SQL text holds no statement"));
    }
    if expected != parameters.len() {
        return Err(SyncError::new(
            ErrorCode::BadArgument,
            format!("the statement has {expected} parameters, {} were given", parameters.len()),
        ));
    }
    for (i, parameter) in parameters.iter().enumerate() {
        statement.raw_bind_parameter(i + 1, parameter).map_err(sql_error)?;
    }
    Ok(())
}

/// Whether the text held nothing but spaces and comments.
pub fn is_empty(statement: &Statement<'_>) -> bool {
    statement.column_count() == 0 && statement.expanded_sql().is_none()
}

pub(super) fn names(statement: &Statement<'_>) -> Vec<String> {
    statement.column_names().map(str::to_owned).collect()
}
