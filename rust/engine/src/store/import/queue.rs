//! The old file's queue of pending uploads as entries of our outbox.
//!
//! A PUT is an insert, a PATCH an update, a DELETE a delete, in the same order and the same transactions. What the backend had
//! of their rows before is not known but for columns that nobody changed, and for values that PowerSync kept (`trackPrevious`).
//! So the version under the changes says that it was not seen, and the first pull brings the real one.

use super::super::capture::record_of;
use super::super::ddl::quote;
use super::super::outbox::row_state;
use super::super::overlay::{NOT_SEEN, json_text};
use super::super::sql_error::sql_error;
use super::rows::fitted;
use super::source::Source;
use super::{Import, usable_id};
use omnii_sync_core::Table;
use omnii_sync_core::convert::fit;
use omnii_sync_core::error::Result;
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// `ps_crud.data`.
#[derive(Deserialize)]
struct Entry {
    op: String,
    #[serde(rename = "type")]
    table: String,
    id: String,
    #[serde(default)]
    data: Option<Map<String, Json>>,
    #[serde(default)]
    old: Option<Map<String, Json>>,
    #[serde(default)]
    metadata: Option<String>,
}

/// An entry as the outbox holds it.
struct Taken {
    op: i64,
    data: Option<Map<String, Json>>,
}

/// What is known of a row from its entries.
#[derive(Default)]
struct History {
    /// Made here, so that the backend has no version of it as far as known.
    is_new: bool,
    /// Deleted or made anew: the row that is here says nothing of the backend's.
    is_replaced: bool,
    /// Columns that entries changed, with the value before where that was kept.
    changed: Map<String, Json>,
    unknown: Vec<String>,
}

/// Where new entries are put.
struct Place {
    id: i64,
    transaction: i64,
}

impl Import<'_> {
    /// Takes in the queue, and then the rows that were only local and are synced from now on, as inserts.
    pub(super) fn queue(&mut self, source: &Source) -> Result<()> {
        let schema = self.options.schema.clone();
        let mut place = Place { id: self.last_change()?, transaction: 0 };
        let mut rows: HashMap<(String, String), History> = HashMap::new();
        let mut statement = source
            .connection()
            .prepare("SELECT tx_id, CAST(data AS TEXT) FROM ps_crud ORDER BY id")
            .map_err(|e| source.failed(e))?;
        let mut entries = statement.query([]).map_err(|e| source.failed(e))?;
        let mut last: Option<i64> = None;
        while let Some(row) = entries.next().map_err(|e| source.failed(e))? {
            let group: Option<i64> = row.get(0).map_err(|e| source.failed(e))?;
            let text: Option<String> = row.get(1).ok().flatten();
            if group.is_none() || group != last || place.transaction == 0 {
                place.transaction += 1;
            }
            last = group;
            let entry: Option<Entry> = text.and_then(|text| serde_json::from_str(&text).ok());
            let table = entry.as_ref().and_then(|e| schema.table(&e.table)).filter(|t| !t.local_only);
            let (Some(entry), Some(table)) = (entry, table) else {
                self.done.skipped_changes += 1;
                continue;
            };
            let Some(id) = usable_id(table, entry.id.clone()) else {
                self.done.skipped_changes += 1;
                continue;
            };
            match self.taken(table, &id, &entry) {
                Some(taken) => self.add(&mut place, table, id, &entry, taken, &mut rows)?,
                None => self.done.skipped_changes += 1,
            }
        }
        self.versions(rows)?;
        self.rows_synced_from_now_on(source, &mut place)
    }

    /// The number above which changes are new.
    fn last_change(&self) -> Result<i64> {
        self.connection
            .query_row(
                "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM omnii_meta WHERE key = 'changes'), 0)",
                [],
                |row| row.get(0),
            )
            .map_err(sql_error)
    }

    /// What the entry is here; `None` if nothing.
    fn taken(&mut self, table: &Table, id: &str, entry: &Entry) -> Option<Taken> {
        let empty = Map::new();
        let data = entry.data.as_ref().unwrap_or(&empty);
        let row = (table.name.clone(), id.to_owned());
        if self.is_foreign(data) {
            self.foreign.insert(row);
            return None;
        }
        if self.foreign.contains(&row) {
            return None;
        }
        match entry.op.as_str() {
            "PUT" => {
                let (values, lost) = fitted(table, data);
                self.done.lost_values += lost;
                let columns = table.columns.iter().map(|c| c.name.clone()).zip(values).collect();
                Some(Taken { op: 1, data: Some(columns) })
            }
            "PATCH" if !table.insert_only => {
                let mut columns = Map::new();
                for (name, value) in data {
                    let Some(index) = table.column_index(name) else { continue };
                    let fits = fit(value, table.columns[index].column_type);
                    if fits.is_null() && !value.is_null() {
                        // nobody has asked for NULL
                        self.done.lost_values += 1;
                    } else {
                        columns.insert(name.clone(), fits);
                    }
                }
                (!columns.is_empty()).then_some(Taken { op: 2, data: Some(columns) })
            }
            "DELETE" if !table.insert_only => Some(Taken { op: 3, data: None }),
            _ => None,
        }
    }

    fn add(
        &mut self,
        place: &mut Place,
        table: &Table,
        id: String,
        entry: &Entry,
        taken: Taken,
        rows: &mut HashMap<(String, String), History>,
    ) -> Result<()> {
        let old = entry.old.as_ref().map(|old| known(table, old));
        let previous =
            old.as_ref().filter(|_| table.track_previous.is_some() && taken.op > 1).map(json_text).transpose()?;
        let metadata = entry.metadata.as_ref().filter(|_| table.track_metadata);
        place.id += 1;
        self.connection
            .prepare_cached(
                "INSERT INTO omnii_outbox (id, tx, tbl, row_id, op, data, previous, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .and_then(|mut s| {
                let data = taken.data.as_ref().map(json_text).transpose();
                let data = data.map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
                s.execute(params![place.id, place.transaction, table.name, id, taken.op, data, previous, metadata])
            })
            .map_err(sql_error)?;
        self.done.changes += 1;
        if table.is_pulled() {
            rows.entry((table.name.clone(), id))
                .or_insert_with(|| History { is_new: taken.op == 1, ..History::default() })
                .note(&taken, old);
        }
        Ok(())
    }

    /// Puts what is known of the backend's versions under the changes.
    fn versions(&self, rows: HashMap<(String, String), History>) -> Result<()> {
        let schema = &self.options.schema;
        for ((name, id), history) in rows {
            let Some(table) = schema.table(&name).filter(|_| !history.is_new) else { continue };
            let here = if history.is_replaced { None } else { self.row_here(table, &id)? };
            if here.is_none() && !history.is_replaced {
                // changed, but not here: who knows
                continue;
            }
            let mut columns = here.unwrap_or_default();
            columns.retain(|name, _| !history.unknown.contains(name));
            columns.extend(history.changed);
            self.connection
                .prepare_cached("INSERT INTO omnii_overlay (tbl, row_id, server, updated_at) VALUES (?, ?, ?, ?)")
                .and_then(|mut s| {
                    let text = json_text(&columns).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
                    s.execute(params![name, id, text, NOT_SEEN])
                })
                .map_err(sql_error)?;
        }
        Ok(())
    }

    /// The row that was taken in.
    fn row_here(&self, table: &Table, id: &str) -> Result<Option<Map<String, Json>>> {
        let index = self.options.schema.tables.iter().position(|t| t.name == table.name).unwrap_or_default();
        let sql = format!("SELECT {} FROM {} WHERE \"id\" = ?", record_of(index, table), quote(table.sql_name()));
        let text: Option<Option<String>> = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
            .map_err(sql_error)?;
        text.map_or(Ok(None), row_state)
    }

    /// Rows of tables that were only local in the old file.
    fn rows_synced_from_now_on(&mut self, source: &Source, place: &mut Place) -> Result<()> {
        let schema = self.options.schema.clone();
        for (index, table) in schema.tables.iter().enumerate().filter(|(_, t)| t.is_pulled()) {
            let full = format!("ps_data_local__{}", table.name);
            if !source.has(&full)? {
                continue;
            }
            place.transaction += 1;
            let ids: Vec<String> = source
                .connection()
                .prepare(&format!("SELECT CAST(id AS TEXT) FROM {} ORDER BY rowid", quote(&full)))
                .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
                .map_err(|e| source.failed(e))?;
            let sql = format!(
                "INSERT INTO omnii_outbox (id, tx, tbl, row_id, op, data) SELECT ?1, ?2, ?3, \"id\", 1, {} FROM {} \
                 WHERE \"id\" = ?4 AND NOT EXISTS (SELECT 1 FROM omnii_outbox WHERE tbl = ?3 AND row_id = ?4)",
                record_of(index, table),
                quote(table.sql_name())
            );
            let mut insert = self.connection.prepare_cached(&sql).map_err(sql_error)?;
            for id in ids.into_iter().filter_map(|id| usable_id(table, id)) {
                let added =
                    insert.execute(params![place.id + 1, place.transaction, table.name, id]).map_err(sql_error)?;
                place.id += i64::from(added > 0);
                self.done.changes += added as u64;
            }
        }
        Ok(())
    }
}

impl History {
    fn note(&mut self, taken: &Taken, old: Option<Map<String, Json>>) {
        let old = old.unwrap_or_default();
        match &taken.data {
            Some(columns) if taken.op == 2 => {
                for name in columns.keys().filter(|_| !self.is_replaced) {
                    if self.unknown.contains(name) {
                        continue; // the value before it is one of ours
                    }
                    self.unknown.push(name.clone());
                    if let Some(value) = old.get(name) {
                        self.changed.insert(name.clone(), value.clone());
                    }
                }
            }
            _ => {
                // a delete tells the whole row before it, or nothing
                for (name, value) in old.into_iter().filter(|_| !self.is_replaced) {
                    if !self.unknown.contains(&name) {
                        self.changed.insert(name, value);
                    }
                }
                self.is_replaced = true;
            }
        }
    }
}

/// The columns that the table has, as it holds them.
fn known(table: &Table, row: &Map<String, Json>) -> Map<String, Json> {
    let fits = |(name, value): (&String, &Json)| {
        let column = &table.columns[table.column_index(name)?];
        Some((name.clone(), fit(value, column.column_type)))
    };
    row.iter().filter_map(fits).collect()
}
