//! What a device holds: read through the engine's own queries.

use super::backend::Row;
use super::backend::tables::{TABLES, instant};
use omnii_sync_engine::{Database, Parameter, Rows};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A row's cells: `user_id`, the declared columns, `updated_at`.
pub type Cells = Vec<Option<String>>;

/// An entry of the outbox.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub change: i64,
    /// The table's index.
    pub table: usize,
    /// The row.
    pub id: String,
    /// 1 insert, 2 update, 3 delete.
    pub op: i64,
    /// Columns; empty for a delete.
    pub data: Map<String, Value>,
    /// 0 queued, 1 sent, 2 parked.
    pub state: i64,
    /// Why it was parked.
    pub error: Option<String>,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct View {
    /// What the app sees.
    pub rows: BTreeMap<(usize, String), Cells>,
    /// In order.
    pub outbox: Vec<Entry>,
    /// By table.
    pub cursors: [Option<i64>; 3],
}

/// Runs a query; the engine runs it before the call returns. `None` if it was refused.
pub fn query(database: &Database, sql: &str) -> Option<Rows> {
    let answer = Arc::new(Mutex::new(None));
    let slot = answer.clone();
    database.query(sql.to_owned(), Vec::new(), move |rows| {
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = rows.ok();
    });
    answer.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn text(cell: Parameter) -> Option<String> {
    match cell {
        Parameter::Null => None,
        Parameter::Integer(i) => Some(i.to_string()),
        Parameter::Real(r) => Some(format!("{r:?}")),
        Parameter::Text(t) => Some(t),
        Parameter::Blob(_) => Some("a blob".to_owned()),
    }
}

fn integer(cell: &Parameter) -> Option<i64> {
    match cell {
        Parameter::Integer(i) => Some(*i),
        _ => None,
    }
}

/// The names of a row's cells.
pub fn columns(table: usize) -> impl Iterator<Item = &'static str> {
    ["user_id"].into_iter().chain(TABLES[table].columns.iter().map(|c| c.name)).chain(["updated_at"])
}

impl View {
    /// Reads all of it. `None` if the database answers no more.
    pub fn read(database: &Database) -> Option<Self> {
        let mut view = Self { outbox: Self::outbox(database)?, ..Self::default() };
        for (table, t) in TABLES.iter().enumerate() {
            let names: Vec<String> = columns(table).map(|name| format!("\"{name}\"")).collect();
            let rows = query(database, &format!("SELECT \"id\", {} FROM {}", names.join(", "), t.name))?;
            for row in 0..rows.len() {
                let id = text(rows.cell(row, 0)).unwrap_or_default();
                let cells = (1..rows.columns.len()).map(|column| text(rows.cell(row, column))).collect();
                view.rows.insert((table, id), cells);
            }
        }
        let cursors = query(database, "SELECT tbl, updated_at FROM omnii_cursor")?;
        for row in 0..cursors.len() {
            let name = text(cursors.cell(row, 0)).unwrap_or_default();
            if let Some(table) = super::backend::tables::table_index(&name) {
                view.cursors[table] = integer(&cursors.cell(row, 1));
            }
        }
        Some(view)
    }

    /// Reads the outbox alone.
    pub fn outbox(database: &Database) -> Option<Vec<Entry>> {
        let rows = query(database, "SELECT tbl, row_id, op, data, state, error, id FROM omnii_outbox ORDER BY id")?;
        let entry = |row| {
            let data = text(rows.cell(row, 3)).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            Entry {
                change: integer(&rows.cell(row, 6)).unwrap_or(0),
                table: super::backend::tables::table_index(&text(rows.cell(row, 0)).unwrap_or_default()).unwrap_or(0),
                id: text(rows.cell(row, 1)).unwrap_or_default(),
                op: integer(&rows.cell(row, 2)).unwrap_or(0),
                data,
                state: integer(&rows.cell(row, 4)).unwrap_or(0),
                error: text(rows.cell(row, 5)),
            }
        };
        Some((0..rows.len()).map(entry).collect())
    }

    /// The ids the app sees, by table.
    pub fn ids(&self) -> [Vec<String>; 3] {
        [0, 1, 2].map(|table| self.rows.keys().filter(|(t, _)| *t == table).map(|(_, id)| id.clone()).collect())
    }
}

/// A row of the backend as a device shows it.
pub fn cells_of(row: &Row) -> Cells {
    let mut cells = Vec::with_capacity(row.cells.len() + 2);
    cells.push(Some(row.user.to_string()));
    cells.extend(row.cells.iter().cloned());
    cells.push(Some(instant(row.updated_us)));
    cells
}

/// What the app must see of a row whose version on the backend is `server`, with `changes` on top: the rule of
/// docs/protocol.md, "Conflicts", written a second time.
pub fn expected(table: usize, server: Option<Cells>, changes: &[&Entry]) -> Option<Cells> {
    let cell = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let mut row = server;
    for change in changes {
        match change.op {
            1 => row = Some(columns(table).map(|name| change.data.get(name).and_then(cell)).collect()),
            2 => {
                if let Some(cells) = &mut row {
                    for (at, name) in columns(table).enumerate() {
                        if let Some(value) = change.data.get(name) {
                            cells[at] = cell(value);
                        }
                    }
                }
            }
            _ => row = None,
        }
    }
    row
}
