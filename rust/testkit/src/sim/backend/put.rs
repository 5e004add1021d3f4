//! A PUT of the model: exactly the sent columns, and the constraints that may be against it.

use super::tables::{Fill, Kind, TABLES, instant};
use super::{Backend, Origin, Row, What};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Backend {
    /// Upserts exactly the columns in `data`. `late`: its transaction began earlier; true if beyond the window. False if the
    /// database refuses.
    pub(super) fn put(
        &mut self,
        table: usize,
        user: &str,
        data: &Map<String, Value>,
        stamp: i64,
        origin: Origin,
        late: Option<bool>,
    ) -> bool {
        let id = match data.get("id") {
            None => {
                self.invented += 1;
                Some(Some(format!("11111111-0000-4000-8000-{:012x}", self.invented)))
            }
            Some(id) => Kind::Uuid.normal(id),
        };
        let Some(Some(id)) = id else { return false };
        match self.candidate(table, user, &id, data, stamp) {
            Some((cells, set)) => {
                let seq = self.history.note(table, &id, origin, What::Put(set));
                let (late, too_late) = (late.is_some(), late == Some(true));
                let row = Row { user: user.into(), cells, updated_us: stamp, seq, late, too_late };
                self.rows[table].insert(id, Arc::new(row));
                true
            }
            None => {
                self.history.note(table, &id, origin, What::Refused);
                false
            }
        }
    }

    /// Refuses a PUT for no reason.
    pub(super) fn refuse(&mut self, table: usize, data: &Map<String, Value>, origin: Origin) {
        if let Some(id) = data.get("id").and_then(Value::as_str) {
            self.history.note(table, id, origin, What::Refused);
        }
    }

    /// The row that a PUT makes and the columns it sets, `None` if a constraint is against it.
    #[allow(clippy::type_complexity)]
    fn candidate(
        &self,
        table: usize,
        user: &str,
        id: &str,
        data: &Map<String, Value>,
        stamp: i64,
    ) -> Option<(Vec<Option<String>>, Vec<(usize, Option<String>)>)> {
        let columns = TABLES[table].columns;
        let mut set = Vec::with_capacity(data.len());
        for (name, value) in data {
            if matches!(name.as_str(), "id" | "user_id" | "updated_at") {
                continue;
            }
            let index = TABLES[table].column(name)?;
            let value = columns[index].kind.normal(value)?;
            let own = |parent: &str| self.rows[0].get(parent).is_some_and(|row| &*row.user == user);
            if columns[index].parent && value.as_deref().is_some_and(|parent| !own(parent)) {
                return None;
            }
            set.push((index, value));
        }
        // the row as if it were new: NOT NULL and CHECK are judged by it, also for an update (upload 2)
        let mut inserted: Vec<Option<String>> = columns
            .iter()
            .map(|column| match column.fill {
                Fill::Null => None,
                Fill::Now => Some(instant(stamp)),
                Fill::Text(text) => Some(text.to_owned()),
            })
            .collect();
        for (index, value) in &set {
            inserted[*index].clone_from(value);
        }
        for (column, cell) in columns.iter().zip(&inserted) {
            match cell {
                None if column.not_null => return None,
                Some(text) if !column.allowed.is_empty() && !column.allowed.contains(&text.as_str()) => return None,
                None | Some(_) => {}
            }
        }
        let cells = match self.rows[table].get(id) {
            None => inserted,
            Some(row) if &*row.user != user => return None,
            Some(row) => {
                let mut cells = row.cells.clone();
                for (index, value) in &set {
                    cells[*index].clone_from(value);
                }
                cells
            }
        };
        let unique = TABLES[table].unique;
        let key = |cells: &[Option<String>]| unique.iter().map(|i| cells[*i].clone()).collect::<Option<Vec<String>>>();
        if let (false, Some(mine)) = (unique.is_empty(), key(&cells))
            && self.rows_of(table, user).any(|(other, row)| other != id && key(&row.cells).as_ref() == Some(&mine))
        {
            return None;
        }
        Some((cells, set))
    }
}
