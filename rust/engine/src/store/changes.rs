//! What a commit changed: the tables, and in each the ids of the rows if all of them are known.
//!
//! Two sources are laid side by side. SQLite's update hook tells of every row that changes, but knows only its rowid; the
//! triggers of [`super::ddl`] hand over the ids, also while the engine itself writes. A table's ids are told only if the
//! triggers have told as often as the hook, so that a set is complete or not told at all. What a savepoint or a failed
//! statement has undone stays in the set: it may name too many rows, never too few.
//!
//! The hook is silent for tables without rowids and for virtual ones ([`Layout`] knows them), and for `DELETE` without `WHERE`
//! as long as SQLite may empty the table at one blow, which the writer's authorizer does not let it.

use omnii_sync_core::Schema;
use rusqlite::Connection;
use std::sync::Arc;

/// A commit that changed more rows of a table than this does not tell which.
const MAX_IDS: usize = 1000;

/// What one commit changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The app's tables, each once.
    pub tables: Vec<TableChange>,
    /// Whether tables or views were made, changed or dropped.
    pub schema: bool,
    /// Whether the outbox changed.
    pub outbox: bool,
}

/// What one commit changed in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableChange {
    /// The table's name in SQL.
    pub table: String,
    /// The ids of all rows that changed, sorted; `None` if they are too many or not known.
    pub ids: Option<Vec<String>>,
}

impl Changes {
    /// JSON of the ids by table; tables whose ids are not known are left out.
    pub fn ids_to_json(&self) -> String {
        let known = self.tables.iter().filter_map(|t| Some((t.table.clone(), t.ids.clone()?.into())));
        serde_json::Value::Object(known.collect()).to_string()
    }

    /// Names of the tables.
    pub fn names(&self) -> Vec<String> {
        self.tables.iter().map(|t| t.table.clone()).collect()
    }
}

/// What is known of a table of the schema.
#[derive(Debug, Default)]
struct Rows {
    /// Calls of the update hook.
    changed: u64,
    /// Calls of the triggers.
    noted: u64,
    ids: Vec<String>,
    /// Whether some ids were not kept.
    incomplete: bool,
}

/// The notes on the transaction under way.
#[derive(Debug)]
pub(super) struct Notes {
    schema: Arc<Schema>,
    /// By the table's place in the schema.
    synced: Vec<Rows>,
    /// Places of those that changed, in the order of their first change.
    touched: Vec<usize>,
    /// Tables outside the schema.
    others: Vec<String>,
    /// The place that changed last.
    last: usize,
    wanted: bool,
    schema_changed: bool,
    /// The table that a statement being prepared is about to drop.
    dropping: Option<String>,
}

impl Notes {
    pub(super) fn new(schema: Arc<Schema>) -> Self {
        let synced = schema.tables.iter().map(|_| Rows::default()).collect();
        Self {
            schema,
            synced,
            touched: Vec::new(),
            others: Vec::new(),
            last: 0,
            wanted: false,
            schema_changed: false,
            dropping: None,
        }
    }

    /// The update hook's call. `wanted` is asked at a transaction's first row: whether anybody needs ids.
    pub(super) fn changed(&mut self, table: &str, wanted: impl FnOnce() -> bool) {
        let is_it =
            |place: usize| self.schema.tables.get(place).is_some_and(|t| t.sql_name().eq_ignore_ascii_case(table));
        let place = if is_it(self.last) { Some(self.last) } else { (0..self.synced.len()).find(|place| is_it(*place)) };
        match place {
            Some(place) => {
                if self.touched.is_empty() {
                    self.wanted = wanted();
                }
                self.last = place;
                if self.synced[place].changed == 0 {
                    self.touched.push(place);
                }
                self.synced[place].changed += 1;
            }
            None if self.others.iter().any(|t| t == table) => {}
            None => self.others.push(table.to_owned()),
        }
    }

    /// A trigger's call, one for each of the hook's: the row with these ids (before and after) has changed.
    pub(super) fn note<'i>(&mut self, place: usize, ids: impl Iterator<Item = Option<&'i str>>) {
        let Some(rows) = self.synced.get_mut(place) else { return };
        rows.noted += 1;
        if !self.wanted {
            rows.incomplete = true;
            return;
        }
        for id in ids {
            match id {
                Some(id) if rows.ids.len() < MAX_IDS => {
                    if rows.ids.last().is_none_or(|last| last != id) {
                        rows.ids.push(id.to_owned());
                    }
                }
                _ => rows.incomplete = true,
            }
        }
    }

    /// A table or view is made, changed or dropped.
    pub(super) fn schema_changes(&mut self) {
        self.schema_changed = true;
    }

    /// A statement that drops this table or view is being prepared.
    pub(super) fn drops(&mut self, name: &str) {
        self.schema_changed = true;
        self.dropping = Some(name.to_owned());
    }

    /// Whether the permission to delete that is being asked for belongs to a DROP.
    pub(super) fn is_dropping(&mut self, name: &str) -> bool {
        self.dropping.take_if(|dropped| dropped == name).is_some()
    }

    /// The transaction has not come to be.
    pub(super) fn forget(&mut self) {
        for place in self.touched.drain(..) {
            self.synced[place] = Rows::default();
        }
        self.others.clear();
        self.schema_changed = false;
    }

    /// Whether tables or views were made, changed or dropped.
    pub(super) fn schema_changed(&self) -> bool {
        self.schema_changed
    }

    /// The transaction has been committed: what it changed. `silent` says whether it may have changed tables of which the
    /// hook does not tell.
    pub(super) fn take(&mut self, layout: &Layout, silent: bool) -> Changes {
        let mut tables = Vec::with_capacity(self.touched.len());
        for place in self.touched.drain(..) {
            let rows = std::mem::take(&mut self.synced[place]);
            let complete = !rows.incomplete && rows.noted >= rows.changed;
            let ids = complete.then(|| {
                let mut ids = rows.ids;
                ids.sort_unstable();
                ids.dedup();
                ids
            });
            tables.push(TableChange { table: self.schema.tables[place].sql_name().to_owned(), ids });
        }
        let others = self.others.drain(..).map(|name| layout.visible(name));
        let unseen = if silent { layout.silent.as_slice() } else { &[] };
        for name in others.chain(unseen.iter().cloned()) {
            if !tables.iter().any(|t| t.table == name) {
                tables.push(TableChange { table: name, ids: None });
            }
        }
        Changes { tables, schema: std::mem::take(&mut self.schema_changed), outbox: false }
    }
}

/// What the file's tables are beyond the schema's, as far as change sets need it.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Tables in which virtual tables keep their data, and whose they are.
    shadows: Vec<(String, String)>,
    /// Tables without rowids.
    pub(super) silent: Vec<String>,
}

impl Layout {
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let tables: Vec<(String, String, bool)> = connection
            .prepare("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type <> 'view' AND name NOT LIKE 'omnii\\_%' ESCAPE '\\'")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let owner = |shadow: &str| {
            let owns = |name: &&str| shadow.strip_prefix(*name).is_some_and(|rest| rest.starts_with('_'));
            let virtual_tables =
                tables.iter().filter(|(_, kind, _)| kind == "virtual").map(|(name, _, _)| name.as_str());
            virtual_tables.filter(owns).max_by_key(|name| name.len()).map(str::to_owned)
        };
        let shadows = tables.iter().filter(|(_, kind, _)| kind == "shadow");
        let silent = tables.iter().filter(|(_, kind, without_rowid)| kind == "table" && *without_rowid);
        Ok(Self {
            shadows: shadows.filter_map(|(name, _, _)| Some((name.clone(), owner(name)?))).collect(),
            silent: silent.map(|(name, _, _)| name.clone()).collect(),
        })
    }

    /// The table that the app knows.
    fn visible(&self, name: String) -> String {
        self.shadows.iter().find(|(shadow, _)| *shadow == name).map_or(name, |(_, owner)| owner.clone())
    }
}
