//! Reading and writing the synced rows of one user. Owns the upsert, the delete and the page query of protocol 1, and
//! the straight way of a row from SQLite to JSON bytes. Every statement is bound to a user id; no call can read, change
//! or delete another user's row, nor hang a row on another user's parent.

use std::io::Write as _;

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde_json::{Map, Value};

use crate::ddl::{self, quoted};
use crate::schema::{ColumnType, IMPLIED, Table};
use crate::timestamps;
use crate::values::{self, Refusal};

/// Why a row was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The database's own refusal: swallowed over HTTP (protocol 1, upload 4).
    Refused(Refusal),
    /// Anything else SQLite said: a thrown exception in the protocol's terms.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            return Self::Refused(Refusal(error.to_string()));
        }
        Self::Database(error)
    }
}

impl From<Refusal> for WriteError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T, WriteError> {
    Err(WriteError::Refused(Refusal(why.into())))
}

/// Upserts exactly the columns in `data`, and returns the row's id. `data.id` absent: a new row. `user_id` and
/// `updated_at` in `data` are overruled by `user_id` and `stamp_us`. SQLite, like PostgreSQL, checks NOT NULL and CHECK
/// before it looks for the conflict.
pub(crate) fn put(
    connection: &Connection,
    table: &Table,
    user_id: &str,
    data: &Map<String, Value>,
    stamp_us: i64,
) -> Result<String, WriteError> {
    let id = match data.get("id") {
        None => uuid::Uuid::new_v4().to_string(),
        Some(given) => match values::to_sql(table.id_type, given)? {
            Sql::Text(id) => id,
            _ => return refuse("null value in column \"id\""),
        },
    };
    let stamp = timestamps::canonical(stamp_us);
    let mut names = vec!["id", "user_id", "updated_at"];
    let mut row = vec![Sql::Text(id.clone()), Sql::Text(user_id.to_owned()), Sql::Text(stamp.clone())];
    for (name, value) in data.iter().filter(|(name, _)| !IMPLIED.contains(&name.as_str())) {
        let Some(column) = table.column(name) else {
            return refuse(format!("column {name:?} of {:?} does not exist", table.name));
        };
        let value = values::to_sql(column.spec.kind, value)?;
        if let (Some(reference), Sql::Text(parent)) = (&column.spec.references, &value)
            && !(reference.table == table.name && *parent == id)
        {
            owns_parent(connection, &reference.table, parent, user_id)?;
        }
        names.push(name);
        row.push(value);
    }
    // What a conflict sets; a `now` default (added below) only counts on insert.
    let updates: Vec<_> = names.iter().skip(2).map(|name| format!("{0} = excluded.{0}", quoted(name))).collect();
    for column in table.columns.iter().filter(|c| c.spec.defaults_to_now() && !data.contains_key(&c.name)) {
        names.push(&column.name);
        row.push(Sql::Text(stamp.clone()));
    }
    let columns: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT (\"id\") DO UPDATE SET {} \
         WHERE {table}.\"user_id\" = excluded.\"user_id\"",
        columns.join(", "),
        vec!["?"; row.len()].join(", "),
        updates.join(", "),
        table = quoted(&table.name),
    );
    let stored = connection.prepare_cached(&sql)?.execute(params_from_iter(row))?;
    if stored == 0 {
        return refuse("the row belongs to another user");
    }
    Ok(id)
}

/// A parent must exist and be the user's own: otherwise one user's cascade would delete another user's rows.
fn owns_parent(connection: &Connection, table: &str, id: &str, user_id: &str) -> Result<(), WriteError> {
    let sql = format!("SELECT 1 FROM {} WHERE \"id\" = ?1 AND \"user_id\" = ?2", quoted(table));
    let found = connection.prepare_cached(&sql)?.exists(params![id, user_id])?;
    if found { Ok(()) } else { refuse(format!("no such row in {table:?}")) }
}

/// Deletes the user's own row and, as the schema says, its children. True if there was one.
pub(crate) fn delete(connection: &Connection, table: &Table, user_id: &str, id: &Value) -> Result<bool, WriteError> {
    let id = values::to_sql(table.id_type, id)?;
    let sql = format!("DELETE FROM {} WHERE \"id\" = ?1 AND \"user_id\" = ?2", quoted(&table.name));
    Ok(connection.prepare_cached(&sql)?.execute(params![id, user_id])? > 0)
}

/// The user's rows with `updated_at > since` (microseconds; `None`: all), oldest first, ties by id, at most `limit`, as
/// a JSON array appended to `out`. Returns their number. On an error `out` is as it was.
pub(crate) fn write_page(
    connection: &Connection,
    table: &Table,
    user_id: &str,
    since_us: Option<i64>,
    limit: u32,
    out: &mut Vec<u8>,
) -> rusqlite::Result<u32> {
    let start = out.len();
    let written = try_write_page(connection, table, user_id, since_us, limit, out);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn try_write_page(
    connection: &Connection,
    table: &Table,
    user_id: &str,
    since_us: Option<i64>,
    limit: u32,
    out: &mut Vec<u8>,
) -> rusqlite::Result<u32> {
    let row_writer = RowWriter::new(table);
    let sql = format!(
        "{} WHERE \"user_id\" = ?1 AND \"updated_at\" > ?2 ORDER BY \"updated_at\", \"id\" LIMIT ?3",
        row_writer.select
    );
    let since = since_us.map(timestamps::canonical).unwrap_or_default();
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![user_id, since, limit])?;
    let mut count = 0;
    out.push(b'[');
    while let Some(row) = rows.next()? {
        if count > 0 {
            out.push(b',');
        }
        row_writer.write(row, out)?;
        count += 1;
    }
    out.push(b']');
    Ok(count)
}

/// One of the user's rows as JSON bytes.
pub(crate) fn find(
    connection: &Connection,
    table: &Table,
    user_id: &str,
    id: &str,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let row_writer = RowWriter::new(table);
    let sql = format!("{} WHERE \"user_id\" = ?1 AND \"id\" = ?2", row_writer.select);
    let mut statement = connection.prepare_cached(&sql)?;
    let to_bytes = |row: &rusqlite::Row<'_>| {
        let mut out = Vec::new();
        row_writer.write(row, &mut out)?;
        Ok(out)
    };
    statement.query_row(params![user_id, id], to_bytes).optional()
}

/// Writes rows of one table; holds what is the same for each of them.
struct RowWriter {
    select: String,
    /// `"name":` of each column, with the `{` or `,` before it, and whether its text is JSON already.
    keys: Vec<(Vec<u8>, bool)>,
}

impl RowWriter {
    fn new(table: &Table) -> Self {
        let columns = ddl::columns(table);
        let names: Vec<_> = columns.iter().map(|(name, _)| quoted(name)).collect();
        let keys = columns.iter().enumerate().map(|(n, (name, kind))| {
            let opening = if n == 0 { '{' } else { ',' };
            (format!("{opening}\"{name}\":").into_bytes(), matches!(kind, ColumnType::Json | ColumnType::Boolean))
        });
        Self { select: format!("SELECT {} FROM {}", names.join(", "), quoted(&table.name)), keys: keys.collect() }
    }

    fn write(&self, row: &rusqlite::Row<'_>, out: &mut Vec<u8>) -> rusqlite::Result<()> {
        for (index, (key, is_json)) in self.keys.iter().enumerate() {
            out.extend_from_slice(key);
            match row.get_ref(index)? {
                ValueRef::Null => out.extend_from_slice(b"null"),
                ValueRef::Text(text) if *is_json => out.extend_from_slice(text),
                ValueRef::Text(text) => write_string(text, out),
                ValueRef::Integer(number) => write!(out, "{number}").expect("a vector takes every write"),
                ValueRef::Real(number) => {
                    serde_json::to_writer(&mut *out, &number).expect("a finite number serializes");
                }
                // No column type makes one; only a hand could have put it there.
                ValueRef::Blob(_) => out.extend_from_slice(b"null"),
            }
        }
        out.push(b'}');
        Ok(())
    }
}

fn write_string(text: &[u8], out: &mut Vec<u8>) {
    let plain = text.iter().all(|byte| !matches!(byte, 0..0x20 | b'"' | b'\\' | 0x80..));
    if plain {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        let text = String::from_utf8_lossy(text);
        serde_json::to_writer(&mut *out, &text).expect("a string always serializes");
    }
}
