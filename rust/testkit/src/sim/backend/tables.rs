//! The contract's three tables as the model knows them, and the normal form of their values: UUIDs in lower case,
//! timestamps with six digits and `+00:00`, JSON as `jsonb` prints it (keys by length, then bytes). A value that does not
//! fit its column is `None` from [`Kind::normal`]: a refusal.

use omnii_sync_core::timestamp::{format_micros, parse_micros};
use serde_json::Value;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// JSON, kept as its text.
    Json,
    /// `timestamptz`.
    Timestamp,
    /// UUID.
    Uuid,
}

/// What an absent column becomes in a new row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// NULL.
    Null,
    /// The row's `updated_at`.
    Now,
    /// This text.
    Text(&'static str),
}

/// A declared column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Refuses NULL. These are also the device schema's `required` columns.
    pub not_null: bool,
    /// The default.
    pub fill: Fill,
    /// The only values allowed, if not empty.
    pub allowed: &'static [&'static str],
    /// Names a row of the entities, whose deletion cascades.
    pub parent: bool,
}

/// A synced table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// All but `id`, `user_id`, `updated_at`.
    pub columns: &'static [Column],
    /// Columns that are unique together among a user's rows; NULLs are distinct.
    pub unique: &'static [usize],
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, not_null: false, fill: Fill::Null, allowed: &[], parent: false }
}

const fn timestamp(name: &'static str) -> Column {
    Column { kind: Kind::Timestamp, ..text(name) }
}

const fn json(name: &'static str, default: &'static str) -> Column {
    Column { kind: Kind::Json, fill: Fill::Text(default), ..text(name) }
}

const fn parent(name: &'static str) -> Column {
    Column { kind: Kind::Uuid, not_null: true, parent: true, ..text(name) }
}

/// The index of `sync_entities`, the parents of relationships.
pub const ENTITIES: usize = 0;
/// The index of `sync_events`.
pub const EVENTS: usize = 1;
/// The index of `sync_relationships`.
pub const RELATIONSHIPS: usize = 2;

/// The types an entity may have.
pub const ENTITY_TYPES: &[&str] = &["task", "email", "contact", "concept", "entity"];

/// All tables, in the order of answers.
pub static TABLES: [Table; 3] = [
    Table {
        name: "sync_entities",
        columns: &[
            Column { not_null: true, allowed: ENTITY_TYPES, ..text("entity_type") },
            Column { not_null: true, ..text("name") },
            json("properties", "{}"),
            text("source_id"),
            Column { fill: Fill::Now, ..timestamp("created_at") },
        ],
        unique: &[],
    },
    Table {
        name: "sync_events",
        columns: &[
            text("summary"),
            text("description"),
            timestamp("start_time"),
            timestamp("end_time"),
            text("location"),
            text("google_event_id"),
            json("attendees", "[]"),
            Column { fill: Fill::Now, ..timestamp("created_at") },
        ],
        unique: &[5],
    },
    Table {
        name: "sync_relationships",
        columns: &[
            parent("from_entity_id"),
            parent("to_entity_id"),
            Column { not_null: true, ..text("relationship_type") },
            json("properties", "{}"),
            Column { fill: Fill::Now, ..timestamp("created_at") },
        ],
        unique: &[0, 1, 2],
    },
];

/// The index of the table of that name.
pub fn table_index(name: &str) -> Option<usize> {
    TABLES.iter().position(|table| table.name == name)
}

impl Table {
    /// The index of the declared column of that name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl Kind {
    /// The value as it is stored; `Some(None)` is NULL, `None` a refusal.
    pub fn normal(self, value: &Value) -> Option<Option<String>> {
        if value.is_null() {
            return Some(None);
        }
        let stored = match (self, value) {
            (Self::Text, Value::String(text)) => text.clone(),
            (Self::Text, other) => other.to_string(),
            (Self::Json, value) => {
                let mut out = String::new();
                write_jsonb(value, &mut out);
                out
            }
            (Self::Timestamp, Value::String(text)) => instant(parse_micros(text)?),
            (Self::Uuid, Value::String(text)) => uuid(text)?,
            (Self::Timestamp | Self::Uuid, _) => return None,
        };
        // PostgreSQL has no place for NUL, in JSON neither
        let has_nul = stored.contains('\0') || (self == Self::Json && stored.contains("\\u0000"));
        (!has_nul).then_some(Some(stored))
    }
}

/// The form of every stored timestamp.
pub fn instant(us: i64) -> String {
    format_micros(us).replace('Z', "+00:00")
}

/// The form of `timestamp` in answers.
pub fn instant_ms(us: i64) -> String {
    let text = format_micros(us);
    format!("{}Z", &text[..text.len() - 4])
}

fn uuid(text: &str) -> Option<String> {
    let shaped = text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() });
    shaped.then(|| text.to_ascii_lowercase())
}

fn write_jsonb(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_jsonb(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by(|(a, _), (b, _)| (a.len(), a.as_bytes()).cmp(&(b.len(), b.as_bytes())));
            out.push('{');
            for (n, (key, item)) in pairs.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_jsonb(item, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}
