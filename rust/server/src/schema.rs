//! The shape of the synced tables, as data. Owns the config file's format, its validation, and the built-in schema
//! (`config.example.json`, the three tables of protocol 1).
//!
//! ```json
//! { "tables": {
//!     "projects": {
//!       "idType": "uuid",
//!       "columns": {
//!         "title":      { "type": "text", "notNull": true },
//!         "state":      { "type": "text", "enum": ["open", "done"], "default": "open" },
//!         "weight":     { "type": "integer", "min": 0, "max": 10 },
//!         "tags":       { "type": "json", "default": [] },
//!         "parent_id":  { "type": "uuid", "references": { "table": "projects", "onDelete": "cascade" } },
//!         "created_at": { "type": "timestamp", "default": "now" }
//!       },
//!       "unique": [["user_id", "title"]]
//!     } } }
//! ```
//!
//! Every table also has `id` (primary key, `idType` `uuid` by default or `text`), `user_id` and `updated_at`; they are
//! not declared. The order of tables and columns in the file is their order in answers.

mod validate;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::errors::StartError;
use crate::ordered::Ordered;

/// The config file equal to the built-in schema.
pub const DEFAULT_CONFIG: &str = include_str!("../config.example.json");

/// A validated set of tables.
#[derive(Debug, Clone)]
pub struct Schema {
    tables: Vec<Table>,
}

/// One synced table.
#[derive(Debug, Clone)]
pub struct Table {
    /// SQL name: lower case, digits, `_`.
    pub name: String,
    /// `Uuid` or `Text`.
    pub id_type: ColumnType,
    /// The declared columns, without `id`, `user_id`, `updated_at`.
    pub columns: Vec<Column>,
    /// Sets of columns that are unique together.
    pub unique: Vec<Vec<String>>,
}

/// One declared column.
#[derive(Debug, Clone)]
pub struct Column {
    /// SQL name.
    pub name: String,
    /// Its type and rules.
    pub spec: ColumnSpec,
}

/// A column as the config file says it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ColumnSpec {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Refuse NULL; absent means false.
    #[serde(default)]
    pub not_null: bool,
    /// The value of an absent column on insert; `"now"` for a timestamp.
    #[serde(default)]
    pub default: Option<Value>,
    /// The only values allowed (text columns).
    #[serde(default, rename = "enum")]
    pub allowed: Option<Vec<String>>,
    /// Smallest value allowed (integer and real columns).
    #[serde(default)]
    pub min: Option<f64>,
    /// Largest value allowed (integer and real columns).
    #[serde(default)]
    pub max: Option<f64>,
    /// The table whose `id` this column names.
    #[serde(default)]
    pub references: Option<Reference>,
}

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Any text.
    Text,
    /// 64-bit integer.
    Integer,
    /// Double.
    Real,
    /// Any JSON value, kept as `jsonb` keeps it.
    Json,
    /// `timestamptz`, microseconds.
    Timestamp,
    /// UUID, printed in lower case with hyphens.
    Uuid,
    /// true or false.
    Boolean,
}

/// A foreign key to another table's `id`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reference {
    /// The parent table.
    pub table: String,
    /// What a deleted parent does to this row; absent means the parent cannot be deleted.
    #[serde(default)]
    pub on_delete: OnDelete,
}

/// What a deleted parent does to its children.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnDelete {
    /// The delete is refused (and, over HTTP, swallowed).
    #[default]
    Restrict,
    /// The children are deleted too.
    Cascade,
    /// The column becomes NULL.
    SetNull,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    tables: Ordered<TableSpec>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TableSpec {
    #[serde(default = "uuid")]
    id_type: ColumnType,
    columns: Ordered<ColumnSpec>,
    #[serde(default)]
    unique: Vec<Vec<String>>,
}

fn uuid() -> ColumnType {
    ColumnType::Uuid
}

impl Default for Schema {
    fn default() -> Self {
        Self::from_json(DEFAULT_CONFIG).expect("the built-in config is valid (a test reads it)")
    }
}

impl Schema {
    /// Reads and validates a config file's text. The error names the line and column, or the table and column.
    pub fn from_json(text: &str) -> Result<Self, StartError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let file: ConfigFile = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| StartError::Schema(format!("{}: {}", error.path(), error.inner())))?;
        deserializer.end().map_err(|error| StartError::Schema(error.to_string()))?;
        let tables = file.tables.0.into_iter().map(|(name, spec)| Table {
            name,
            id_type: spec.id_type,
            columns: spec.columns.0.into_iter().map(|(name, spec)| Column { name, spec }).collect(),
            unique: spec.unique,
        });
        let schema = Self { tables: tables.collect() };
        validate::validate(&schema).map_err(StartError::Schema)?;
        Ok(schema)
    }

    /// Reads and validates a config file.
    pub fn from_file(path: &Path) -> Result<Self, StartError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| StartError::File { path: path.to_owned(), source })?;
        Self::from_json(&text)
    }

    /// The tables in the order of the config.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// The same schema always gives the same text; a database remembers it.
    pub(crate) fn fingerprint(&self) -> String {
        let tables = self.tables.iter().map(|table| {
            let columns = table.columns.iter().map(|column| (column.name.clone(), column.spec.clone())).collect();
            let spec = TableSpec { id_type: table.id_type, columns: Ordered(columns), unique: table.unique.clone() };
            (table.name.clone(), spec)
        });
        serde_json::to_string(&ConfigFile { tables: Ordered(tables.collect()) }).expect("plain data serializes")
    }
}

/// The columns that every table has.
pub(crate) const IMPLIED: [&str; 3] = ["id", "user_id", "updated_at"];

impl ColumnSpec {
    /// Whether an absent value means the instant of the insert.
    pub(crate) fn defaults_to_now(&self) -> bool {
        self.kind == ColumnType::Timestamp && self.default.as_ref().is_some_and(|default| default == "now")
    }
}

impl Table {
    /// The declared column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_schema_is_the_contracts() {
        let schema = Schema::default();
        let names: Vec<_> = schema.tables().iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["sync_entities", "sync_events", "sync_relationships"]);
        let events = schema.table("sync_events").unwrap();
        assert_eq!(events.unique, [["user_id", "google_event_id"]]);
        assert!(events.columns.iter().all(|column| !column.spec.not_null));
        let required: Vec<_> = schema.tables()[2].columns.iter().filter(|c| c.spec.not_null).map(|c| &c.name).collect();
        assert_eq!(required, ["from_entity_id", "to_entity_id", "relationship_type"]);
    }
}
