//! The app's tables, handed in as data.
//!
//! Owns the shape and its validation. Every other module may rely on a validated [`Schema`]: names are unique without
//! regard to case, indexes and `required` name real columns, parents form no cycle, no option contradicts another, and
//! nothing collides with our own tables. Names are still hostile to SQL: whoever builds SQL quotes them.

use crate::error::{ErrorCode, Result, SyncError};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The update trigger hands two values per column to one function, which takes at most 1000 arguments.
const MAX_COLUMNS: usize = 499;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// UTF-8 text; timestamps and UUIDs are text.
    Text,
    /// 64-bit signed integer.
    Integer,
    /// 64-bit float.
    Real,
    /// A JSON value on the wire, JSON text in SQLite.
    Json,
    /// true or false on the wire, 1 or 0 in SQLite.
    Boolean,
    /// Text that says when, ISO 8601; kept as it comes.
    Timestamp,
    /// Bytes; only in tables that are never synced.
    Blob,
}

/// A column besides `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name, on the device and on the wire.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Unique within the table.
    pub name: String,
    /// Column names, in order; `-name` for descending order, unless a column has that very name.
    pub columns: Vec<String>,
}

/// Which values of a row are kept from before a change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrackPrevious {
    /// Of these columns only; absent: of all.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// Of an update, only those that it changes.
    #[serde(default)]
    pub only_when_changed: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Whose version of a row prevails while the device has changes of it that the backend has not acknowledged. What each
/// means, also for deletes, is in docs/protocol.md, "Conflicts".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ConflictPolicy {
    /// Column by column, the write that reaches the backend last.
    #[default]
    LastWriteWins,
    /// The device's whole row.
    ClientWins,
    /// The backend's row: what was changed here meanwhile is dropped.
    ServerWins,
}

/// A table with an implied `id TEXT PRIMARY KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name on the wire, and in SQL unless `view_name` gives it another one there.
    pub name: String,
    /// All columns but `id`.
    pub columns: Vec<Column>,
    /// Secondary indexes.
    #[serde(default)]
    pub indexes: Vec<Index>,
    /// Columns that every upload of a row must carry because the backend demands a value (docs/protocol.md, upload 2).
    #[serde(default)]
    pub required: Vec<String>,
    /// Tables whose rows must exist on the backend before rows of this one.
    #[serde(default)]
    pub parents: Vec<String>,
    /// What happens when a row was changed here and there.
    #[serde(default, rename = "conflictPolicy")]
    pub conflict_policy: ConflictPolicy,
    /// Never uploaded, pulled, or deleted by syncing.
    #[serde(default, rename = "localOnly", skip_serializing_if = "is_default")]
    pub local_only: bool,
    /// Rows are uploaded and not kept: the table is always empty and never pulled.
    #[serde(default, rename = "insertOnly", skip_serializing_if = "is_default")]
    pub insert_only: bool,
    /// Values from before each change are kept with it.
    #[serde(default, rename = "trackPrevious", skip_serializing_if = "is_default")]
    pub track_previous: Option<TrackPrevious>,
    /// A column [`METADATA`] takes notes on a change that are kept with it and never uploaded.
    #[serde(default, rename = "trackMetadata", skip_serializing_if = "is_default")]
    pub track_metadata: bool,
    /// What the app calls it in SQL.
    #[serde(default, rename = "viewName", skip_serializing_if = "is_default")]
    pub view_name: Option<String>,
}

/// The column of tables with `track_metadata`; it always reads as NULL.
pub const METADATA: &str = "_metadata";

impl Table {
    /// Position of a column, `id` not counted. Names on the wire are compared exactly.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// What it is called in SQL.
    pub fn sql_name(&self) -> &str {
        self.view_name.as_deref().unwrap_or(&self.name)
    }

    /// Whether the backend's rows of it are here.
    pub fn is_pulled(&self) -> bool {
        !(self.local_only || self.insert_only)
    }

    /// A column of an index, and whether its order is descending.
    pub fn index_term<'a>(&self, term: &'a str) -> (&'a str, bool) {
        match term.strip_prefix('-') {
            Some(name) if self.column_index(term).is_none() => (name, true),
            _ => (term, false),
        }
    }
}

/// All tables of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// In the order the app gave them.
    pub tables: Vec<Table>,
}

fn invalid(message: String) -> SyncError {
    SyncError::new(ErrorCode::InvalidSchema, message)
}

fn check_name(what: &str, name: &str) -> Result<()> {
    let lower = name.to_lowercase();
    if name.is_empty() {
        return Err(invalid(format!("{what} has an empty name")));
    }
    if name.contains('\0') {
        return Err(invalid(format!("{what} has a NUL character in its name")));
    }
    if lower.starts_with("omnii_") || lower.starts_with("sqlite_") {
        return Err(invalid(format!("{what} '{name}': names beginning with omnii_ or sqlite_ are reserved")));
    }
    Ok(())
}

impl Schema {
    /// Reads the JSON that `js/schema.ts` makes and validates it.
    pub fn from_json(json: &str) -> Result<Self> {
        let schema: Self = serde_json::from_str(json).map_err(|e| invalid(format!("the schema can't be read: {e}")))?;
        schema.validate()?;
        Ok(schema)
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// The tables of which the backend's rows are here.
    pub fn pulled(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|t| t.is_pulled())
    }

    /// Table names with parents before children; otherwise in the order of the schema.
    pub fn parents_first(&self) -> Vec<&Table> {
        let mut done: Vec<&Table> = Vec::with_capacity(self.tables.len());
        while done.len() < self.tables.len() {
            let before = done.len();
            for table in &self.tables {
                let placed = |name: &str| done.iter().any(|t| t.name == name);
                if !placed(&table.name) && table.parents.iter().all(|p| *p == table.name || placed(p)) {
                    done.push(table);
                }
            }
            if done.len() == before {
                break; // a cycle; validate() refuses it
            }
        }
        done
    }

    /// Refuses what can't work, naming table and column.
    pub fn validate(&self) -> Result<()> {
        if self.tables.is_empty() {
            return Err(invalid("the schema has no tables".into()));
        }
        let mut names = HashSet::new();
        for table in &self.tables {
            check_name("table", &table.name)?;
            if !names.insert(table.name.to_lowercase()) {
                return Err(invalid(format!("table '{}' is declared twice", table.name)));
            }
            self.validate_table(table)?;
        }
        let mut in_sql = HashSet::new();
        for table in &self.tables {
            if table.view_name.is_some() {
                check_name(&format!("table '{}': viewName", table.name), table.sql_name())?;
            }
            if !in_sql.insert(table.sql_name().to_lowercase()) {
                return Err(invalid(format!("'{}' is the name of two tables in SQL", table.sql_name())));
            }
        }
        if self.parents_first().len() != self.tables.len() {
            let stuck: Vec<&str> = self
                .tables
                .iter()
                .filter(|t| !self.parents_first().iter().any(|d| d.name == t.name))
                .map(|t| t.name.as_str())
                .collect();
            return Err(invalid(format!("the parents of {} form a cycle", stuck.join(", "))));
        }
        Ok(())
    }

    fn validate_table(&self, table: &Table) -> Result<()> {
        let t = &table.name;
        if table.columns.len() > MAX_COLUMNS {
            return Err(invalid(format!("table '{t}' has {} columns; at most {MAX_COLUMNS}", table.columns.len())));
        }
        let mut columns = HashSet::new();
        for column in &table.columns {
            check_name(&format!("table '{t}': a column"), &column.name)?;
            if column.name.eq_ignore_ascii_case("id") {
                return Err(invalid(format!("table '{t}': column 'id' is implied and must not be declared")));
            }
            if !columns.insert(column.name.to_lowercase()) {
                return Err(invalid(format!("table '{t}': column '{}' is declared twice", column.name)));
            }
        }
        let mut indexes = HashSet::new();
        for index in &table.indexes {
            check_name(&format!("table '{t}': an index"), &index.name)?;
            if !indexes.insert(index.name.to_lowercase()) {
                return Err(invalid(format!("table '{t}': index '{}' is declared twice", index.name)));
            }
            if index.columns.is_empty() {
                return Err(invalid(format!("table '{t}': index '{}' has no columns", index.name)));
            }
            for c in index.columns.iter().map(|term| table.index_term(term).0) {
                if c != "id" && table.column_index(c).is_none() {
                    return Err(invalid(format!("table '{t}': index '{}' names unknown column '{c}'", index.name)));
                }
            }
        }
        for c in &table.required {
            if table.column_index(c).is_none() {
                return Err(invalid(format!("table '{t}': required names unknown column '{c}'")));
            }
        }
        for p in &table.parents {
            match self.table(p) {
                None => return Err(invalid(format!("table '{t}': parents names unknown table '{p}'"))),
                Some(parent) if parent.local_only => {
                    return Err(invalid(format!("table '{t}': its parent '{p}' is localOnly and never uploaded")));
                }
                Some(_) => {}
            }
        }
        self.validate_options(table)
    }

    fn validate_options(&self, table: &Table) -> Result<()> {
        let t = &table.name;
        for (given, option) in [
            (table.insert_only, "insertOnly"),
            (table.track_previous.is_some(), "trackPrevious"),
            (table.track_metadata, "trackMetadata"),
            (!table.required.is_empty(), "required"),
            (!table.parents.is_empty(), "parents"),
        ] {
            if table.local_only && given {
                return Err(invalid(format!(
                    "table '{t}': localOnly tables are never uploaded, so {option} means nothing"
                )));
            }
        }
        if let Some(column) = table.columns.iter().find(|c| c.column_type == ColumnType::Blob)
            && !table.local_only
        {
            let c = &column.name;
            return Err(invalid(format!("table '{t}': column '{c}' is a blob, which only localOnly tables can hold")));
        }
        for c in table.track_previous.iter().flat_map(|track| track.columns.iter().flatten()) {
            if table.column_index(c).is_none() {
                return Err(invalid(format!("table '{t}': trackPrevious names unknown column '{c}'")));
            }
        }
        if table.track_metadata && table.columns.iter().any(|c| c.name.eq_ignore_ascii_case(METADATA)) {
            return Err(invalid(format!("table '{t}': column '{METADATA}' is implied by trackMetadata")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(json: &str) -> Result<Schema> {
        Schema::from_json(&format!("{{\"tables\":[{json}]}}"))
    }

    #[test]
    fn refuses_with_the_place_named() {
        for (json, words) in [
            ("", "no tables"),
            (r#"{"name":"","columns":[]}"#, "empty name"),
            (r#"{"name":"omnii_x","columns":[]}"#, "reserved"),
            (r#"{"name":"t","columns":[{"name":"id","type":"text"}]}"#, "implied"),
            (r#"{"name":"t","columns":[{"name":"a","type":"bytes"}]}"#, "unknown variant"),
            (r#"{"name":"t","columns":[{"name":"a","type":"blob"}]}"#, "only localOnly"),
            (r#"{"name":"t","columns":[],"localOnly":true,"insertOnly":true}"#, "insertOnly means nothing"),
            (r#"{"name":"t","columns":[],"localOnly":true,"trackPrevious":{}}"#, "trackPrevious means nothing"),
            (r#"{"name":"t","columns":[],"localOnly":true,"trackMetadata":true}"#, "trackMetadata means nothing"),
            (r#"{"name":"t","columns":[],"localOnly":true},{"name":"c","columns":[],"parents":["t"]}"#, "is localOnly"),
            (r#"{"name":"t","columns":[],"trackPrevious":{"columns":["b"]}}"#, "unknown column 'b'"),
            (r#"{"name":"t","columns":[],"trackPrevious":true}"#, "can't be read"),
            (r#"{"name":"t","columns":[{"name":"_Metadata","type":"text"}],"trackMetadata":true}"#, "implied"),
            (r#"{"name":"t","columns":[],"viewName":"omnii_t"}"#, "reserved"),
            (r#"{"name":"t","columns":[],"viewName":""}"#, "empty name"),
            (r#"{"name":"t","columns":[],"viewName":"U"},{"name":"u","columns":[]}"#, "two tables"),
            (r#"{"name":"t","columns":[],"indexes":[{"name":"i","columns":["-b"]}]}"#, "unknown column 'b'"),
            (r#"{"name":"t","columns":[{"name":"a","type":"text"},{"name":"A","type":"text"}]}"#, "declared twice"),
            (r#"{"name":"t","columns":[],"indexes":[{"name":"i","columns":["b"]}]}"#, "unknown column 'b'"),
            (r#"{"name":"t","columns":[],"required":["b"]}"#, "unknown column 'b'"),
            (r#"{"name":"t","columns":[],"parents":["p"]}"#, "unknown table 'p'"),
            (r#"{"name":"a","columns":[],"parents":["b"]},{"name":"b","columns":[],"parents":["a"]}"#, "cycle"),
        ] {
            let error = table(json).expect_err(json);
            assert_eq!(error.code, ErrorCode::InvalidSchema);
            assert!(error.message.contains(words), "{json}: {}", error.message);
        }
    }

    #[test]
    fn options_are_written_only_where_they_are_set() {
        let plain =
            r#"{"name":"t","columns":[],"indexes":[],"required":[],"parents":[],"conflictPolicy":"lastWriteWins"}"#;
        assert_eq!(serde_json::to_string(&table(plain).unwrap().tables[0]).unwrap(), plain);
        let full = r#"{"name":"t","columns":[{"name":"a","type":"boolean"},{"name":"-a","type":"timestamp"}],
            "indexes":[{"name":"i","columns":["-a","a","-id"]}],"insertOnly":true,"trackMetadata":true,"viewName":"v",
            "trackPrevious":{"columns":["a"],"onlyWhenChanged":true}}"#;
        let schema = table(full).unwrap();
        let t = &schema.tables[0];
        assert_eq!(["-a", "a", "-id"].map(|term| t.index_term(term)), [("-a", false), ("a", false), ("id", true)]);
        assert_eq!((t.sql_name(), t.is_pulled(), schema.pulled().count()), ("v", false, 0));
        assert_eq!(table(&serde_json::to_string(t).unwrap()).unwrap(), schema);
    }

    #[test]
    fn parents_come_first_and_a_table_may_be_its_own_parent() {
        let schema = table(
            r#"{"name":"c","columns":[],"parents":["b","c"]},{"name":"b","columns":[],"parents":["a"]},{"name":"a","columns":[]}"#,
        )
        .unwrap();
        let order: Vec<&str> = schema.parents_first().iter().map(|t| t.name.as_str()).collect();
        assert_eq!(order, ["a", "b", "c"]);
    }
}
