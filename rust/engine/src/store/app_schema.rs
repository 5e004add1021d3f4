//! Bringing the app's tables in a file to the schema that this version of the app declares (docs/protocol.md, "Changing the
//! schema").
//!
//! Guarantees: all of it happens in the transaction of opening; pending changes are kept; a value is converted without loss or
//! becomes NULL; a table whose rows may be incomplete afterwards is pulled from the beginning. Refuses with `SchemaMismatch`
//! what would take the app's own tables away. What changes inside a table is [`columns`]'s business.

mod columns;

use super::ddl::{self, quote};
use super::open::{meta, set_meta};
use super::sql_error::sql_error;
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, Schema, SyncError, Table};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Why changes of a table that the app no longer declares are parked; they are taken up when it is declared again.
const LEFT_THE_SCHEMA: &str = "the table has left the schema";

/// The same for one that is no longer synced.
const IS_LOCAL_NOW: &str = "the table is only local now";

/// A table that has left the schema and is still in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Left {
    name: String,
    sql_name: String,
    local: bool,
}

/// Why a table can't be brought to the schema; nothing of the file has changed then.
fn mismatch(message: String) -> SyncError {
    SyncError::new(ErrorCode::SchemaMismatch, message)
}

/// Brings the file to `schema`; call it in the transaction of opening, with the functions of the triggers registered.
pub(super) fn apply(connection: &Connection, schema: &Schema) -> Result<()> {
    let json = serde_json::to_string(schema).map_err(|e| super::internal(e.to_string()))?;
    let made: Vec<(String, String)> = schema
        .tables
        .iter()
        .enumerate()
        .flat_map(|(index, table)| ddl::indexes(table).into_iter().chain(ddl::triggers(index, table)))
        .collect();
    // also of the statements: another version of the app may make them otherwise
    let fingerprint = Sha256::digest(made.iter().fold(json.clone(), |all, (_, sql)| all + "\n" + sql).as_bytes());
    let fingerprint: String = fingerprint.iter().map(|b| format!("{b:02x}")).collect();
    if meta(connection, "ddl")?.as_deref() == Some(fingerprint.as_str()) {
        return Ok(());
    }
    let old = meta(connection, "schema")?.map(|text| Schema::from_json(&text)).transpose()?;
    let run = |sql: &str| connection.execute_batch(sql).map_err(sql_error);
    let triggers: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'omnii\\_%' ESCAPE '\\'")
        .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
        .map_err(sql_error)?;
    for name in triggers {
        run(&format!("DROP TRIGGER {}", quote(&name)))?;
    }
    for (name, _) in old.iter().flat_map(|s| &s.tables).flat_map(ddl::indexes) {
        run(&format!("DROP INDEX IF EXISTS {}", quote(&name)))?;
    }
    let was = name_tables(connection, schema, old.as_ref())?;
    for table in &schema.tables {
        let before = old.as_ref().and_then(|s| s.table(&table.name));
        columns::bring(connection, table, before)?;
        let was_left = was.iter().any(|left| left.name == table.name);
        let was_local = before.is_some_and(|t| t.local_only) || was.iter().any(|l| l.name == table.name && l.local);
        if table.local_only && before.is_some() && !was_local {
            park_all(connection, table, IS_LOCAL_NOW)?;
        }
        if was_local && !table.local_only {
            queue_rows(connection, schema, table)?;
        } else if !table.local_only && (was_left || (old.is_some() && before.is_none())) {
            take_up(connection, table, LEFT_THE_SCHEMA)?;
        }
        if table.insert_only && before.is_some_and(|t| !t.insert_only) {
            empty(connection, table)?;
        }
        if table.is_pulled() && before.is_none_or(|t| !t.is_pulled()) {
            columns::pull_anew(connection, table)?;
        }
    }
    for (_, sql) in &made {
        run(sql)?;
    }
    for table in old.iter().flat_map(|s| &s.tables).filter(|t| schema.table(&t.name).is_none()) {
        park_all(connection, table, LEFT_THE_SCHEMA)?;
    }
    set_meta(connection, "schema", &json)?;
    set_meta(connection, "ddl", &fingerprint)
}

/// Gives the tables the names that they have in SQL now. A table that has left the schema keeps its rows under its name unless
/// another one takes that. Answers those that had left before and are back.
fn name_tables(connection: &Connection, schema: &Schema, old: Option<&Schema>) -> Result<Vec<Left>> {
    let left: Vec<Left> =
        meta(connection, "left")?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let (back, mut left): (Vec<Left>, Vec<Left>) = left.into_iter().partition(|l| schema.table(&l.name).is_some());
    let leaving = old.iter().flat_map(|s| &s.tables).filter(|t| schema.table(&t.name).is_none());
    left.extend(leaving.map(|t| Left { name: t.name.clone(), sql_name: t.sql_name().into(), local: t.local_only }));
    let is_taken = |l: &Left| schema.tables.iter().any(|t| t.sql_name().eq_ignore_ascii_case(&l.sql_name));
    let (taken, left): (Vec<Left>, Vec<Left>) = left.into_iter().partition(is_taken);
    for table in taken {
        run(connection, &format!("DROP TABLE IF EXISTS {}", quote(&table.sql_name)))?;
    }
    set_meta(connection, "left", &serde_json::to_string(&left).map_err(|e| super::internal(e.to_string()))?)?;

    let name_before = |table: &Table| -> Option<String> {
        let declared = old.and_then(|s| s.table(&table.name)).map(|t| t.sql_name().to_owned());
        declared.or_else(|| back.iter().find(|l| l.name == table.name).map(|l| l.sql_name.clone()))
    };
    let renamed: Vec<(&Table, String)> = schema
        .tables
        .iter()
        .filter_map(|table| Some((table, name_before(table)?)))
        .filter(|(table, before)| before != table.sql_name())
        .collect();
    // by way of names that nobody has, since two tables may change theirs for each other's
    let away = |at: usize| format!("\"omnii_renamed_{at}\"");
    let first = renamed.iter().enumerate().map(|(at, (table, before))| (*table, quote(before), away(at)));
    let second = renamed.iter().enumerate().map(|(at, (table, _))| (*table, away(at), quote(table.sql_name())));
    for (table, from, to) in first.chain(second) {
        connection.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).map_err(|e| {
            let (name, view, why) = (&table.name, table.sql_name(), sql_error(e).message);
            mismatch(format!("table '{name}' can't be called '{view}' in SQL from now on: {why}"))
        })?;
    }
    Ok(back)
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(sql_error)
}

fn park_all(connection: &Connection, table: &Table, why: &str) -> Result<()> {
    connection
        .execute("UPDATE omnii_outbox SET state = 2, error = ?2 WHERE tbl = ?1 AND state <> 2", [&table.name, why])
        .map(drop)
        .map_err(sql_error)
}

/// Queues again what [`park_all`] has put aside.
fn take_up(connection: &Connection, table: &Table, why: &str) -> Result<()> {
    connection
        .execute(
            "UPDATE omnii_outbox SET state = 0, error = NULL WHERE tbl = ? AND state = 2 AND error = ?",
            [&table.name, why],
        )
        .map(drop)
        .map_err(sql_error)
}

/// A table that was only local is synced from now on: each row is an insert that is pending. Of what was pending when it ceased
/// to be synced, only deletes of rows that are still gone say something that the rows don't.
fn queue_rows(connection: &Connection, schema: &Schema, table: &Table) -> Result<()> {
    let name = quote(table.sql_name());
    for why in [IS_LOCAL_NOW, LEFT_THE_SCHEMA] {
        let moot = format!(
            "DELETE FROM omnii_outbox WHERE tbl = ?1 AND state = 2 AND error = ?2 \
             AND (op <> 3 OR EXISTS (SELECT 1 FROM {name} AS t WHERE t.\"id\" = row_id))"
        );
        connection.execute(&moot, [&table.name, why]).map_err(sql_error)?;
        take_up(connection, table, why)?;
    }
    connection
        .execute(
            "DELETE FROM omnii_overlay WHERE tbl = ?1 \
             AND NOT EXISTS (SELECT 1 FROM omnii_outbox AS o WHERE o.tbl = ?1 AND o.row_id = omnii_overlay.row_id)",
            [&table.name],
        )
        .map_err(sql_error)?;
    // above all ids that were ever given out
    let first: i64 = connection
        .query_row(
            "SELECT max(coalesce((SELECT CAST(value AS INTEGER) FROM omnii_meta WHERE key = 'changes'), 0), \
             coalesce((SELECT max(id) FROM omnii_outbox), 0))",
            [],
            |row| row.get(0),
        )
        .map_err(sql_error)?;
    let index = schema.tables.iter().position(|t| t.name == table.name).unwrap_or_default();
    let columns: String = table.columns.iter().map(|c| format!(", {}", quote(&c.name))).collect();
    let sql = format!(
        "INSERT INTO omnii_outbox (id, tx, tbl, row_id, op, data) \
         SELECT ?1 + row_number() OVER (ORDER BY rowid), (SELECT coalesce(max(tx), 0) + 1 FROM omnii_outbox), ?2, \"id\", 1, \
           omnii_record({index}{columns}) FROM {name} ORDER BY rowid"
    );
    connection.execute(&sql, params![first, table.name]).map_err(sql_error)?;
    if table.insert_only { empty(connection, table) } else { Ok(()) }
}

/// The table takes inserts only from now on: its rows stay on the backend, and what is pending of them is sent. What was sent
/// can't be proven any more, so it is sent again.
fn empty(connection: &Connection, table: &Table) -> Result<()> {
    run(connection, &format!("DELETE FROM {}", quote(table.sql_name())))?;
    connection
        .execute("DELETE FROM omnii_cursor WHERE tbl = ?", [&table.name])
        .and_then(|_| {
            connection
                .execute("UPDATE omnii_outbox SET state = 0, sent_at = NULL WHERE tbl = ? AND state = 1", [&table.name])
        })
        .map(drop)
        .map_err(sql_error)
}

/// Drops the tables that have left the schema: everything that was synced is to go, and with `local` the rest, too.
pub(super) fn drop_left(connection: &Connection, local: bool) -> Result<()> {
    let left: Vec<Left> =
        meta(connection, "left")?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let (gone, kept): (Vec<Left>, Vec<Left>) = left.into_iter().partition(|l| local || !l.local);
    for table in gone {
        run(connection, &format!("DROP TABLE IF EXISTS {}", quote(&table.sql_name)))?;
    }
    set_meta(connection, "left", &serde_json::to_string(&kept).map_err(|e| super::internal(e.to_string()))?)
}
