//! One table's columns: added, converted to another type, or left alone.
//!
//! A new column is added in place. Another type needs the table to be made anew, since a STRICT column keeps its type: the rows
//! are copied with their values converted ([`omnii_sync_core::convert`]), and the app's own indexes and triggers on the table
//! are made again. Columns that have left the schema keep their values, out of sight of syncing.

use super::super::ddl::{self, quote};
use super::super::outbox::columns as columns_of;
use super::super::overlay::{NOT_SEEN, json_text};
use super::super::sql_error::sql_error;
use super::{mismatch, run};
use omnii_sync_core::convert::convert;
use omnii_sync_core::error::Result;
use omnii_sync_core::{Column, ColumnType, Table};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value as Json};

/// A column of the table in the file.
struct Existing {
    name: String,
    sql_type: String,
    column_type: ColumnType,
}

/// A column whose type changes.
struct Changed<'a> {
    column: &'a Column,
    from: ColumnType,
}

/// Makes the table, or brings the one in the file to what `table` says; `before` is how the schema declared it last.
pub(super) fn bring(connection: &Connection, table: &Table, before: Option<&Table>) -> Result<()> {
    let existing = existing(connection, table, before)?;
    if existing.is_empty() {
        return run(connection, &ddl::create_table(table, table.sql_name(), &[]));
    }
    let wanted = ddl::columns(table);
    let find = |column: &Column| existing.iter().find(|e| e.name.eq_ignore_ascii_case(&column.name));
    let changed: Vec<Changed<'_>> = wanted
        .iter()
        .filter_map(|column| Some(Changed { column, from: find(column)?.column_type }))
        .filter(|c| !is_the_same(c.from, c.column.column_type))
        .collect();
    // written without our checks so far
    let is_unchecked = !table.local_only && before.is_some_and(|t| t.local_only);
    if changed.is_empty() && !is_unchecked {
        for column in wanted.iter().filter(|c| find(c).is_none()) {
            run(connection, &ddl::add_column(table, column))?;
        }
    } else {
        rebuild(connection, table, &wanted, &existing)?;
        convert_pending(connection, table, &changed)?;
    }
    let is_new = |c: &Column| before.is_none_or(|t| t.column_index(&c.name).is_none());
    if !changed.is_empty() || table.columns.iter().any(is_new) {
        // new, or back after a time in which it was not kept up to date
        pull_anew(connection, table)?;
    }
    Ok(())
}

/// A timestamp is a text that is not looked into.
fn is_the_same(from: ColumnType, to: ColumnType) -> bool {
    let plain = |t| if t == ColumnType::Timestamp { ColumnType::Text } else { t };
    plain(from) == plain(to)
}

/// Forgets how far the table was pulled. The server's versions under pending changes lack something now.
pub(super) fn pull_anew(connection: &Connection, table: &Table) -> Result<()> {
    connection
        .execute("DELETE FROM omnii_cursor WHERE tbl = ?", [&table.name])
        .and_then(|_| {
            connection.execute("UPDATE omnii_overlay SET updated_at = ?2 WHERE tbl = ?1", params![table.name, NOT_SEEN])
        })
        .map(drop)
        .map_err(sql_error)
}

/// The table's columns in the file, `id` left out; none if it is not there. What the schema said last counts, where the file
/// does not contradict it: SQLite knows fewer types.
fn existing(connection: &Connection, table: &Table, before: Option<&Table>) -> Result<Vec<Existing>> {
    let columns: Vec<(String, String)> = connection
        .prepare("SELECT name, type FROM pragma_table_info(?) WHERE name <> 'id'")
        .and_then(|mut s| s.query_map([table.sql_name()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .map_err(sql_error)?;
    let sql: Option<String> = connection
        .query_row(
            "SELECT sql FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE",
            [table.sql_name()],
            |row| row.get(0),
        )
        .optional()
        .map_err(sql_error)?;
    let Some(sql) = sql else { return Ok(Vec::new()) };
    if !sql.ends_with("STRICT") {
        let message =
            format!("'{}' is a table or view of the app's own in this file: choose another name", table.sql_name());
        return Err(mismatch(message));
    }
    let columns = columns.into_iter().map(|(name, sql_type)| {
        let declared = before.and_then(|t| t.columns.iter().find(|c| c.name.eq_ignore_ascii_case(&name)));
        let is_boolean = sql.contains(&ddl::boolean_check(&name));
        let column_type = match (sql_type.as_str(), declared.map(|c| c.column_type)) {
            ("TEXT", Some(text @ (ColumnType::Json | ColumnType::Timestamp))) => text,
            ("TEXT", _) => ColumnType::Text,
            ("INTEGER", _) if is_boolean => ColumnType::Boolean,
            ("INTEGER", _) => ColumnType::Integer,
            ("REAL", _) => ColumnType::Real,
            _ => ColumnType::Blob,
        };
        Existing { name, sql_type, column_type }
    });
    let mut columns: Vec<Existing> = columns.collect();
    if columns.is_empty() {
        // a table of ids alone is there, too
        columns.push(Existing { name: "id".into(), sql_type: "TEXT".into(), column_type: ColumnType::Text });
    }
    Ok(columns)
}

fn rebuild(connection: &Connection, table: &Table, wanted: &[Column], existing: &[Existing]) -> Result<()> {
    register_convert(connection)?;
    let name = quote(table.sql_name());
    let own: Vec<String> = connection
        .prepare(
            "SELECT sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL",
        )
        .and_then(|mut s| s.query_map([table.sql_name()], |row| row.get(0))?.collect())
        .map_err(sql_error)?;
    let is_wanted = |e: &&Existing| wanted.iter().any(|c| c.name.eq_ignore_ascii_case(&e.name));
    let further: Vec<(String, String)> = existing
        .iter()
        .filter(|e| !is_wanted(e) && e.name != "id")
        .map(|e| (e.name.clone(), e.sql_type.clone()))
        .collect();
    let (mut into, mut from) = (String::new(), String::new());
    for column in wanted {
        if let Some(there) = existing.iter().find(|e| e.name.eq_ignore_ascii_case(&column.name)) {
            into += &format!(", {}", quote(&column.name));
            let (was, is) = (there.column_type as u8, column.column_type as u8);
            from += &match (there.column_type, column.column_type) {
                (ColumnType::Blob, ColumnType::Blob) => format!(", {}", quote(&there.name)),
                // what is never synced may hold what can't be
                (was, is) if table.local_only && is_the_same(was, is) => format!(", {}", quote(&there.name)),
                _ => format!(", omnii_convert({}, {was}, {is})", quote(&there.name)),
            };
        }
    }
    for (column, _) in &further {
        into += &format!(", {}", quote(column));
        from += &format!(", {}", quote(column));
    }
    run(connection, &ddl::create_table(table, "omnii_rebuilt", &further))?;
    run(
        connection,
        &format!(
            "INSERT INTO omnii_rebuilt (\"id\"{into}) SELECT \"id\"{from} FROM {name} ORDER BY rowid; DROP TABLE {name};"
        ),
    )?;
    // what the app's views and triggers say of the name stays as it is
    run(
        connection,
        &format!(
            "PRAGMA legacy_alter_table = ON; ALTER TABLE omnii_rebuilt RENAME TO {name}; PRAGMA legacy_alter_table = OFF;"
        ),
    )?;
    for sql in own {
        connection.execute_batch(&sql).map_err(|e| {
            mismatch(format!(
                "an index or trigger of the app's own on table '{}' does not fit its new columns: {}",
                table.name,
                sql_error(e).message
            ))
        })?;
    }
    Ok(())
}

/// In the order in which they are declared.
const TYPES: [ColumnType; 7] = [
    ColumnType::Text,
    ColumnType::Integer,
    ColumnType::Real,
    ColumnType::Json,
    ColumnType::Boolean,
    ColumnType::Timestamp,
    ColumnType::Blob,
];

/// `omnii_convert(value, from, to)`; the types are their places in [`TYPES`].
fn register_convert(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let converted = |c: &rusqlite::functions::Context<'_>| {
        let value = match c.get_raw(0) {
            ValueRef::Integer(i) => Json::from(i),
            ValueRef::Real(r) => Json::from(r),
            ValueRef::Text(t) => Json::from(String::from_utf8_lossy(t).into_owned()),
            ValueRef::Null | ValueRef::Blob(_) => Json::Null,
        };
        let column_type = |at: u8| TYPES[usize::from(at).min(TYPES.len() - 1)];
        let (from, to) = (column_type(c.get(1)?), column_type(c.get(2)?));
        Ok::<_, rusqlite::Error>(match convert(&value, from, to) {
            Json::String(text) => Sql::Text(text),
            Json::Number(number) => match (to, number.as_i64()) {
                (ColumnType::Real, _) | (_, None) => number.as_f64().map_or(Sql::Null, Sql::Real),
                (_, Some(whole)) => Sql::Integer(whole),
            },
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => Sql::Null,
        })
    };
    connection.create_scalar_function("omnii_convert", 3, flags, converted).map_err(sql_error)
}

/// Pending changes, and the server's versions under them, by the same rule. A value that is lost is left out of its change:
/// nobody has asked for NULL.
fn convert_pending(connection: &Connection, table: &Table, changed: &[Changed<'_>]) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let entries: Vec<(i64, i64, Option<String>, Option<String>)> = connection
        .prepare("SELECT id, op, data, previous FROM omnii_outbox WHERE tbl = ?")
        .and_then(|mut s| {
            s.query_map([&table.name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
        })
        .map_err(sql_error)?;
    for (id, op, data, previous) in entries {
        let data = converted(data, changed, false)?;
        if op == 2 && data.as_ref().is_some_and(Map::is_empty) {
            connection.execute("DELETE FROM omnii_outbox WHERE id = ?", [id]).map_err(sql_error)?;
            continue;
        }
        let (data, previous) = (text(data)?, text(converted(previous, changed, true)?)?);
        connection
            .execute("UPDATE omnii_outbox SET data = ?2, previous = ?3 WHERE id = ?1", params![id, data, previous])
            .map_err(sql_error)?;
    }
    let versions: Vec<(String, Option<String>)> = connection
        .prepare("SELECT row_id, server FROM omnii_overlay WHERE tbl = ?")
        .and_then(|mut s| s.query_map([&table.name], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .map_err(sql_error)?;
    for (row_id, server) in versions {
        let server = text(converted(server, changed, true)?)?;
        connection
            .execute(
                "UPDATE omnii_overlay SET server = ?3 WHERE tbl = ?1 AND row_id = ?2",
                params![table.name, row_id, server],
            )
            .map_err(sql_error)?;
    }
    connection
        .execute(
            "DELETE FROM omnii_overlay WHERE tbl = ?1 \
             AND NOT EXISTS (SELECT 1 FROM omnii_outbox AS o WHERE o.tbl = ?1 AND o.row_id = omnii_overlay.row_id)",
            [&table.name],
        )
        .map(drop)
        .map_err(sql_error)
}

fn converted(row: Option<String>, changed: &[Changed<'_>], keep_lost: bool) -> Result<Option<Map<String, Json>>> {
    let Some(row) = row else { return Ok(None) };
    let mut row = columns_of(Some(row))?;
    for Changed { column, from } in changed {
        let Some(value) = row.get_mut(&column.name) else { continue };
        let new = convert(value, *from, column.column_type);
        if new.is_null() && !value.is_null() && !keep_lost {
            row.remove(&column.name);
        } else {
            *value = new;
        }
    }
    Ok(Some(row))
}

fn text(row: Option<Map<String, Json>>) -> Result<Option<String>> {
    row.as_ref().map(json_text).transpose()
}
