//! The rows of the old file: one table of `id` and a JSON object of columns for each table.

use super::super::apply::upsert;
use super::super::ddl::quote;
use super::super::overlay::json_to_sql;
use super::super::sql_error::sql_error;
use super::source::Source;
use super::{Import, usable_id};
use omnii_sync_core::Table;
use omnii_sync_core::convert::fit;
use omnii_sync_core::error::{ErrorCode, Result};
use rusqlite::Connection;
use serde_json::{Map, Value as Json};

/// A row as it was, if that can be read.
type Raw = (Option<String>, Option<String>);

impl Import<'_> {
    /// Takes in the rows of all tables that the schema has.
    pub(super) fn rows(&mut self, source: &Source) -> Result<()> {
        let schema = self.options.schema.clone();
        for (full, name) in source.tables()? {
            match schema.table(&name) {
                // its rows are in the queue only
                Some(table) if table.insert_only => {}
                Some(table) => self.rows_of(source, &full, table)?,
                None => {
                    let sql = format!("SELECT count(*) FROM {}", quote(&full));
                    let count = source.connection().query_row(&sql, [], |row| row.get::<_, i64>(0));
                    self.done.skipped_rows += count.map_err(|e| source.failed(e))?.unsigned_abs();
                }
            }
        }
        Ok(())
    }

    fn rows_of(&mut self, source: &Source, full: &str, table: &Table) -> Result<()> {
        let sql = format!("SELECT CAST(id AS TEXT), CAST(data AS TEXT) FROM {} ORDER BY rowid", quote(full));
        let mut statement = source.connection().prepare(&sql).map_err(|e| source.failed(e))?;
        let mut rows = statement.query([]).map_err(|e| source.failed(e))?;
        while let Some(row) = rows.next().map_err(|e| source.failed(e))? {
            // text that is not UTF-8 is an unusable row and not the end
            let raw: Raw = (row.get(0).ok().flatten(), row.get(1).ok().flatten());
            if !self.row(table, raw)? {
                self.done.skipped_rows += 1;
            }
        }
        Ok(())
    }

    /// Takes in one row; says whether it could be used.
    fn row(&mut self, table: &Table, (id, data): Raw) -> Result<bool> {
        let Some(id) = id.and_then(|id| usable_id(table, id)) else { return Ok(false) };
        let Some(Ok(data)) = data.map(|data| serde_json::from_str::<Map<String, Json>>(&data)) else {
            return Ok(false);
        };
        if !table.local_only && self.is_foreign(&data) {
            self.foreign.insert((table.name.clone(), id));
            return Ok(false);
        }
        let (columns, lost) = fitted(table, &data);
        match written(self.connection, table, &id, &columns) {
            Ok(()) => {
                self.done.rows += 1;
                self.done.lost_values += lost;
                Ok(true)
            }
            // of the app's own
            Err(error) if error.code == ErrorCode::Constraint => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// All columns of the row as ours hold them, and how many values are lost by that.
pub(super) fn fitted(table: &Table, data: &Map<String, Json>) -> (Vec<Json>, u64) {
    let mut lost = 0;
    let columns = table.columns.iter().map(|column| {
        let value = data.get(&column.name).unwrap_or(&Json::Null);
        let fits = fit(value, column.column_type);
        lost += u64::from(fits.is_null() && !value.is_null());
        fits
    });
    (columns.collect(), lost)
}

fn written(connection: &Connection, table: &Table, id: &str, columns: &[Json]) -> Result<()> {
    let mut statement = connection.prepare_cached(&upsert(table, &|_| true)).map_err(sql_error)?;
    statement.raw_bind_parameter(1, id).map_err(sql_error)?;
    for (at, value) in columns.iter().enumerate() {
        statement.raw_bind_parameter(at + 2, json_to_sql(value)).map_err(sql_error)?;
    }
    statement.raw_execute().map(drop).map_err(sql_error)
}
