//! What the app writes: random statements on the rows that it sees, each value recognisable by the step that wrote it.

use super::backend::tables::{ENTITIES, ENTITY_TYPES, EVENTS, Kind, RELATIONSHIPS, TABLES};
use super::rng::Rng;
use super::view::Entry;
use super::world::Version;
use omnii_sync_engine::Parameter;

/// A write of the app that must not get lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table's index.
    pub table: usize,
    /// The row.
    pub id: String,
    /// What.
    pub what: Wrote,
    /// The backend's last event before it.
    pub after_seq: u64,
    /// The backend's version of the row that the device had applied then.
    pub known: Version,
}

impl Write {
    /// Whether it is what this entry of the outbox holds.
    pub fn is_of(&self, entry: &Entry) -> bool {
        let here = (self.table, &self.id) == (entry.table, &entry.id);
        here && match &self.what {
            Wrote::Column(_, None) | Wrote::Insert => false,
            Wrote::Column(column, Some(value)) => {
                let name = TABLES[self.table].columns[*column].name;
                entry.data.get(name).and_then(|there| there.as_str()) == Some(value)
            }
            Wrote::Delete => entry.op == 3,
        }
    }
}

/// See [`Write`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrote {
    /// A column got a value that nothing else ever has, or (`None`) one that says nothing of who wrote it.
    Column(usize, Option<String>),
    /// The row was inserted or replaced: what was there before is gone.
    Insert,
    /// The row was deleted.
    Delete,
}

/// A statement with what it does if it affects a row.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its text.
    pub sql: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The table's index and the row.
    pub row: (usize, String),
    /// In order.
    pub wrote: Vec<Wrote>,
}

/// The id of the `n`-th row that step `step` makes.
pub fn row_id(step: usize, n: usize) -> String {
    format!("00000000-0000-4000-8000-{:012x}", step * 100 + n)
}

/// A value of column `column` that only this write has, and whether it is one.
pub fn value(rng: &mut Rng, table: usize, column: usize, token: &str) -> (Option<String>, bool) {
    let c = &TABLES[table].columns[column];
    match c.kind {
        Kind::Json if rng.percent(15) => (rng.percent(50).then(|| "null".to_owned()), false),
        Kind::Json => (Some(format!("{{\"w\":\"{token}\",\"list\":[1,null]}}")), true),
        Kind::Timestamp => {
            let minute = rng.below(60);
            (Some(format!("2026-02-03T04:{minute:02}:06.000000+00:00")), false)
        }
        Kind::Uuid => (None, false),
        Kind::Text if !c.allowed.is_empty() => (Some((*rng.pick(ENTITY_TYPES)).to_owned()), false),
        Kind::Text if !c.not_null && rng.percent(10) => (None, false),
        Kind::Text => (Some(token.to_owned()), true),
    }
}

/// Builds the statements of one transaction.
pub struct Author<'a> {
    rng: &'a mut Rng,
    step: usize,
    /// Rows to choose from, by table; grows with what is inserted.
    ids: [Vec<String>; 3],
    /// Google ids that exist.
    google_ids: Vec<String>,
    made: usize,
}

impl<'a> Author<'a> {
    /// `ids`: the rows that the app sees.
    pub fn new(rng: &'a mut Rng, step: usize, ids: [Vec<String>; 3], google_ids: Vec<String>) -> Self {
        Self { rng, step, ids, google_ids, made: 0 }
    }

    /// A transaction.
    pub fn transaction(&mut self) -> Vec<Statement> {
        let length = self.rng.weighted(&[(50, 1), (20, 2), (20, 4), (10, 8)]);
        (0..length).flat_map(|_| self.statements()).collect()
    }

    fn statements(&mut self) -> Vec<Statement> {
        match self.rng.below(100) {
            0..24 => vec![self.insert(ENTITIES, false)],
            24..34 => vec![self.insert(EVENTS, false)],
            34..44 => vec![self.insert(RELATIONSHIPS, false)],
            // a parent and its child at once
            44..50 => vec![self.insert(ENTITIES, false), self.insert(RELATIONSHIPS, false)],
            50..80 => self.update().into_iter().collect(),
            80..88 => self.delete().into_iter().collect(),
            88..93 => self.replace().into_iter().collect(),
            _ => self.refused().into_iter().collect(),
        }
    }

    fn token(&mut self) -> String {
        self.made += 1;
        format!("w{}.{}", self.step, self.made)
    }

    fn any(&mut self, table: usize) -> Option<String> {
        let ids = &self.ids[table];
        // what was made last is written again more often
        match ids.len() {
            0 => None,
            n if self.rng.percent(30) => Some(ids[n - 1].clone()),
            n => Some(ids[self.rng.index(n)].clone()),
        }
    }

    fn any_row(&mut self) -> Option<(usize, String)> {
        let table = self.rng.weighted(&[(5, ENTITIES), (3, EVENTS), (2, RELATIONSHIPS)]);
        self.any(table).map(|id| (table, id))
    }

    fn insert(&mut self, table: usize, replace: bool) -> Statement {
        self.made += 1;
        let id = row_id(self.step, self.made);
        self.ids[table].push(id.clone());
        self.put(table, id, replace)
    }

    fn put(&mut self, table: usize, id: String, replace: bool) -> Statement {
        let mut names = vec!["\"id\"".to_owned()];
        let mut parameters = vec![Parameter::Text(id.clone())];
        let mut wrote = vec![Wrote::Insert];
        for (index, column) in TABLES[table].columns.iter().enumerate() {
            let distinctive = matches!(column.name, "name" | "summary" | "relationship_type");
            if !column.not_null && !distinctive && self.rng.percent(50) {
                continue;
            }
            let token = self.token();
            let (value, unique) = match column.parent {
                true => (self.any(ENTITIES).or_else(|| Some(row_id(999, 1))), false),
                false if distinctive => (Some(token), true),
                false => value(self.rng, table, index, &token),
            };
            names.push(format!("\"{}\"", column.name));
            parameters.push(value.clone().map_or(Parameter::Null, Parameter::Text));
            wrote.push(Wrote::Column(index, value.filter(|_| unique)));
        }
        let verb = if replace { "INSERT OR REPLACE" } else { "INSERT" };
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("{verb} INTO {} ({}) VALUES ({marks})", TABLES[table].name, names.join(", "));
        Statement { sql, parameters, row: (table, id), wrote }
    }

    fn replace(&mut self) -> Option<Statement> {
        let (table, id) = self.any_row()?;
        Some(self.put(table, id, true))
    }

    fn update(&mut self) -> Option<Statement> {
        let (table, id) = self.any_row()?;
        let columns = TABLES[table].columns;
        let (mut sets, mut parameters, mut wrote) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.rng.between(1, 3) {
            let index = self.rng.index(columns.len());
            let name = format!("\"{}\" = ?", columns[index].name);
            if columns[index].parent || sets.contains(&name) {
                continue;
            }
            let token = self.token();
            let (value, unique) = value(self.rng, table, index, &token);
            sets.push(name);
            parameters.push(value.clone().map_or(Parameter::Null, Parameter::Text));
            wrote.push(Wrote::Column(index, value.filter(|_| unique)));
        }
        if self.rng.percent(20) {
            // as many apps do; the backend overrules it
            sets.push("\"updated_at\" = ?".to_owned());
            parameters.push(Parameter::Text("2026-01-01T00:00:00.000Z".to_owned()));
        }
        if sets.is_empty() {
            return None;
        }
        parameters.push(Parameter::Text(id.clone()));
        let sql = format!("UPDATE {} SET {} WHERE \"id\" = ?", TABLES[table].name, sets.join(", "));
        Some(Statement { sql, parameters, row: (table, id), wrote })
    }

    fn delete(&mut self) -> Option<Statement> {
        let (table, id) = self.any_row()?;
        self.ids[table].retain(|known| *known != id);
        let sql = format!("DELETE FROM {} WHERE \"id\" = ?", TABLES[table].name);
        Some(Statement {
            sql,
            parameters: vec![Parameter::Text(id.clone())],
            row: (table, id),
            wrote: vec![Wrote::Delete],
        })
    }

    /// Something that the device takes and the backend does not.
    fn refused(&mut self) -> Option<Statement> {
        match self.rng.below(5) {
            0 => {
                let mut statement = self.insert(ENTITIES, false);
                statement.parameters[1] = Parameter::Text("note".to_owned());
                Some(statement)
            }
            1 => {
                let mut statement = self.insert(RELATIONSHIPS, false);
                statement.parameters[1] = Parameter::Text(row_id(888, 8));
                Some(statement)
            }
            2 => {
                let google_id = match self.google_ids.is_empty() {
                    true => "g".to_owned(),
                    false => self.rng.pick(&self.google_ids).clone(),
                };
                let (id, token) = (self.any(EVENTS)?, self.token());
                let sql = "UPDATE sync_events SET google_event_id = ?, summary = ? WHERE id = ?".to_owned();
                let parameters = [google_id, token.clone(), id.clone()].map(Parameter::Text).to_vec();
                Some(Statement {
                    sql,
                    parameters,
                    row: (EVENTS, id),
                    wrote: vec![Wrote::Column(5, None), Wrote::Column(0, Some(token))],
                })
            }
            3 => {
                let mut statement = self.insert(ENTITIES, false);
                let id = format!("no-uuid-{}", self.step);
                statement.parameters[0] = Parameter::Text(id.clone());
                statement.row.1 = id;
                self.ids[ENTITIES].pop();
                Some(statement)
            }
            _ => {
                let id = self.any(ENTITIES)?;
                let sql = "UPDATE sync_entities SET entity_type = 'note' WHERE id = ?".to_owned();
                let parameters = vec![Parameter::Text(id.clone())];
                Some(Statement { sql, parameters, row: (ENTITIES, id), wrote: vec![Wrote::Column(0, None)] })
            }
        }
    }
}
