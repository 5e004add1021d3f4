//! A page: the rows of one table, read straight from the response's bytes.
//!
//! Text without escapes and JSON values are borrowed from the body, so that a page costs one pass over its bytes. A row
//! that can't be used (no id, no `updated_at`, a value its column can't hold) is refused and counted, never applied in
//! part, and never stops the rows behind it. What the backend may get wrong is listed in docs/protocol.md, pull 7.

mod cell;

use crate::error::{ErrorCode, SyncError};
use crate::schema::{ColumnType, Table};
use crate::timestamp::parse_micros;
use crate::value::Value;
use cell::{Cell, Text};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// One row of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRow<'a> {
    /// The row's id.
    pub id: Cow<'a, str>,
    /// One per column of the schema's table, in its order; `None` where the backend sent no such column.
    pub values: Vec<Option<Value<'a>>>,
    /// When the backend last wrote it, in microseconds since the epoch.
    pub updated_at: i64,
}

/// What a page held.
#[derive(Debug, Default, PartialEq)]
pub struct Page<'a> {
    /// Rows to apply, in the order they came.
    pub rows: Vec<PageRow<'a>>,
    /// All rows the backend sent, refused ones included.
    pub received: usize,
    /// Highest `updated_at` received, refused rows included, in microseconds since the epoch. Says where the next page begins.
    pub last_updated_at: Option<i64>,
    /// Highest `updated_at` of [`Self::rows`]. Becomes the cursor: a row that was refused must not move it.
    pub cursor: Option<i64>,
    /// The backend's clock when it answered, in microseconds since the epoch, as far as it can be read.
    pub answered_at: Option<i64>,
    /// Rows of another user, refused.
    pub foreign: usize,
    /// Rows that could not be used, refused.
    pub malformed: usize,
    /// Where the first malformed row went wrong: `row <id>, column <name>: …`.
    pub first_fault: Option<String>,
    /// Ids of refused rows, as far as they can be read.
    pub refused_ids: Vec<Cow<'a, str>>,
    /// Refused rows without a readable id.
    pub unidentified: usize,
}

impl<'a> Page<'a> {
    fn note_refused(&mut self, id: Option<Cow<'a, str>>) {
        match id {
            Some(id) if is_usable_id(&id) => self.refused_ids.push(id),
            _ => self.unidentified += 1,
        }
    }
}

/// Reads the rows of `table` from the body of a `/sync` answer. `Ok(None)` when the answer has no such table, which means
/// that its query failed on the backend (docs/protocol.md, pull 5). Errors with `BadResponse` when the body is not a
/// `/sync` answer at all.
pub fn read<'a>(body: &'a [u8], table: &Table, user_id: &str) -> Result<Option<Page<'a>>, SyncError> {
    let once = |careful| {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        AnswerSeed(Reading { table, user_id, careful })
            .deserialize(&mut deserializer)
            .and_then(|page| deserializer.end().map(|()| page))
    };
    // one value that can't be read (a number beyond all types, half a surrogate pair) must not refuse the rows around it
    once(false).or_else(|_| once(true)).map_err(|e| {
        let at = format!("line {}, column {}", e.line(), e.column());
        SyncError::new(
            ErrorCode::BadResponse,
            format!("the answer for table '{}' is not a page ({at}): is the endpoint right?", table.name),
        )
    })
}

/// What is read, and how.
#[derive(Clone, Copy)]
struct Reading<'s> {
    table: &'s Table,
    user_id: &'s str,
    /// Each value is delimited before it is read: twice the work, so only where reading at once has failed.
    careful: bool,
}

impl Reading<'_> {
    fn cell(self, column_type: ColumnType) -> Cell {
        Cell { column_type, careful: self.careful }
    }
}

struct AnswerSeed<'s>(Reading<'s>);

impl<'de> DeserializeSeed<'de> for AnswerSeed<'_> {
    type Value = Option<Page<'de>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AnswerSeed<'_> {
    type Value = Option<Page<'de>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with changes")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut changes, mut answered_at) = (None, None);
        while let Some(key) = map.next_key_seed(Text)? {
            match key.as_ref() {
                "changes" => changes = Some(map.next_value_seed(ChangesSeed(self.0))?),
                "timestamp" => {
                    answered_at =
                        text_of(map.next_value_seed(self.0.cell(ColumnType::Text))?).and_then(|t| parse_micros(&t));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let page: Option<Page<'de>> = changes.ok_or_else(|| A::Error::custom("no field changes"))?;
        Ok(page.map(|page| Page { answered_at, ..page }))
    }
}

struct ChangesSeed<'s>(Reading<'s>);

impl<'de> DeserializeSeed<'de> for ChangesSeed<'_> {
    type Value = Option<Page<'de>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ChangesSeed<'_> {
    type Value = Option<Page<'de>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tables")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut page = None;
        while let Some(key) = map.next_key_seed(Text)? {
            if key == self.0.table.name.as_str() {
                page = Some(map.next_value_seed(RowsSeed(self.0))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(page)
    }
}

struct RowsSeed<'s>(Reading<'s>);

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = Page<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = Page<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut page = Page::default();
        let mut order = KeyOrder::default();
        while let Some(row) = seq.next_element_seed(RowSeed { reading: self.0, order: &mut order })? {
            page.received += 1;
            page.last_updated_at = page.last_updated_at.max(row.updated_at);
            if row.user_id.as_deref().is_some_and(|u| u != self.0.user_id) {
                page.foreign += 1;
                page.note_refused(row.id);
                continue;
            }
            match (row.fault, row.id, row.updated_at) {
                (None, Some(id), Some(updated_at)) if is_usable_id(&id) => {
                    page.cursor = page.cursor.max(Some(updated_at));
                    page.rows.push(PageRow { id, values: row.values, updated_at });
                }
                (fault, id, _) => {
                    page.malformed += 1;
                    let what = match &fault {
                        Some(Fault { column, found }) => format!("column {column} can't hold {found}"),
                        None if !id.as_deref().is_some_and(is_usable_id) => "it has no usable id".to_string(),
                        None => "it has no usable updated_at".to_string(),
                    };
                    page.first_fault
                        .get_or_insert_with(|| format!("row {}: {what}", shortened(id.as_deref().unwrap_or("?"))));
                    page.note_refused(id);
                }
            }
        }
        Ok(page)
    }
}

/// An id as it goes into a message; ids are short, but the backend decides.
fn shortened(id: &str) -> String {
    id.chars().take(64).collect()
}

/// SQLite's `length()`, which the table's CHECK uses, ends at a NUL.
fn is_usable_id(id: &str) -> bool {
    !id.is_empty() && !id.contains('\0')
}

/// Rows of a page carry their keys in one order: the place of the last row's n-th key is the guess for this row's.
#[derive(Default)]
struct KeyOrder(Vec<Key>);

#[derive(Clone, Copy, PartialEq)]
enum Key {
    Id,
    Column(usize),
    UserId,
    UpdatedAt,
    Unknown,
}

impl KeyOrder {
    fn find(&mut self, nth: usize, key: &str, table: &Table) -> Key {
        if let Some(&guess) = self.0.get(nth) {
            let hit = match guess {
                Key::Id => key == "id",
                Key::Column(i) => table.columns[i].name == key,
                Key::UserId => key == "user_id",
                Key::UpdatedAt => key == "updated_at",
                Key::Unknown => false,
            };
            if hit {
                return guess;
            }
        }
        let found = match key {
            "id" => Key::Id,
            _ => match (table.column_index(key), key) {
                (Some(i), _) => Key::Column(i),
                (None, "user_id") => Key::UserId,
                (None, "updated_at") => Key::UpdatedAt,
                (None, _) => Key::Unknown,
            },
        };
        if nth >= self.0.len() {
            self.0.resize(nth + 1, Key::Unknown);
        }
        self.0[nth] = found;
        found
    }
}

struct Fault {
    column: String,
    found: &'static str,
}

struct RawRow<'a> {
    id: Option<Cow<'a, str>>,
    values: Vec<Option<Value<'a>>>,
    user_id: Option<Cow<'a, str>>,
    updated_at: Option<i64>,
    fault: Option<Fault>,
}

struct RowSeed<'s, 'o> {
    reading: Reading<'s>,
    order: &'o mut KeyOrder,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = RawRow<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = RawRow<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::with_capacity(self.reading.table.columns.len());
        values.resize_with(self.reading.table.columns.len(), || None);
        let mut row = RawRow { id: None, values, user_id: None, updated_at: None, fault: None };
        let mut nth = 0;
        while let Some(key) = map.next_key_seed(Text)? {
            match self.order.find(nth, &key, self.reading.table) {
                Key::Id => row.id = text_of(map.next_value_seed(self.reading.cell(ColumnType::Text))?),
                Key::UserId => match map.next_value_seed(self.reading.cell(ColumnType::Text))? {
                    // whose row it is must not be left open
                    Err(found) => drop(row.fault.get_or_insert_with(|| Fault { column: key.into_owned(), found })),
                    cell => row.user_id = text_of(cell),
                },
                Key::UpdatedAt => {
                    row.updated_at = text_of(map.next_value_seed(self.reading.cell(ColumnType::Text))?)
                        .and_then(|t| parse_micros(&t));
                }
                Key::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Column(i) => {
                    let column = &self.reading.table.columns[i];
                    match map.next_value_seed(self.reading.cell(column.column_type))? {
                        Ok(value) => {
                            if let Value::Text(text) = &value {
                                match column.name.as_str() {
                                    "user_id" => row.user_id = Some(text.clone()),
                                    "updated_at" => row.updated_at = parse_micros(text),
                                    _ => {}
                                }
                            }
                            row.values[i] = Some(value);
                        }
                        Err(found) => {
                            row.fault.get_or_insert_with(|| Fault { column: column.name.clone(), found });
                        }
                    }
                }
            }
            nth += 1;
        }
        Ok(row)
    }
    // A row that is no object at all: counted as malformed.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(RawRow { id: None, values: Vec::new(), user_id: None, updated_at: None, fault: None })
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
        self.visit_unit()
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
        self.visit_unit()
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
        self.visit_unit()
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
        self.visit_unit()
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
        self.visit_unit()
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.visit_unit()
    }
}

fn text_of<'a>(cell: Result<Value<'a>, &'static str>) -> Option<Cow<'a, str>> {
    match cell {
        Ok(Value::Text(text)) => Some(text),
        Ok(Value::Null | Value::Integer(_) | Value::Real(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    fn table() -> Table {
        Schema::from_json(
            r#"{"tables":[{"name":"t","columns":[{"name":"a","type":"text"},{"name":"n","type":"integer"},
            {"name":"r","type":"real"},{"name":"j","type":"json"},{"name":"updated_at","type":"text"}]}]}"#,
        )
        .unwrap()
        .tables
        .remove(0)
    }

    fn page_of(rows: &str) -> String {
        format!(r#"{{"changes":{{"other":[1],"t":[{rows}]}},"timestamp":"2026-01-26T10:11:13.5Z","hasMore":false}}"#)
    }

    #[test]
    fn a_row_with_every_type_absent_and_unknown_columns() {
        let t = table();
        let body = page_of(
            r#"{"zzz":{"q":[1]},"id":"1","user_id":"u","a":"h\u00e9\n","n":true,"r":2,"j": {"k": [1, 2]} ,"updated_at":"2026-01-26T10:11:12.123456+00:00"},
               {"id":"2","updated_at":"2026-01-26T10:11:12Z","j":null}"#,
        );
        let page = read(body.as_bytes(), &t, "u").unwrap().unwrap();
        assert_eq!(page.received, 2);
        assert_eq!((page.last_updated_at, page.cursor), (Some(1_769_422_272_123_456), Some(1_769_422_272_123_456)));
        assert_eq!(page.answered_at, Some(1_769_422_273_500_000));
        let text = |s: &str| Some(Value::Text(Cow::Owned(s.to_string())));
        assert_eq!(
            page.rows[0].values[..4],
            [text("hé\n"), Some(Value::Integer(1)), Some(Value::Real(2.0)), text(r#"{"k": [1, 2]}"#)]
        );
        assert_eq!(page.rows[1].values, [None, None, None, Some(Value::Null), text("2026-01-26T10:11:12Z")]);
    }

    #[test]
    fn booleans_and_timestamps_take_what_they_are() {
        let t = Schema::from_json(
            r#"{"tables":[{"name":"t","columns":[{"name":"b","type":"boolean"},{"name":"at","type":"timestamp"}]}]}"#,
        )
        .unwrap()
        .tables
        .remove(0);
        let fields = [
            r#""b":true,"at":"yesterday""#,
            r#""b":false,"at":null"#,
            r#""b":1"#,
            r#""b":null"#,
            r#""b":2"#,
            r#""b":"true""#,
            r#""b":0.5"#,
            r#""at":5"#,
            r#""at":true"#,
        ];
        let rows = fields.map(|f| format!(r#"{{"id":"x","updated_at":"2026-01-26T10:11:12Z",{f}}}"#)).join(",");
        let body = page_of(&rows);
        let page = read(body.as_bytes(), &t, "u").unwrap().unwrap();
        let read: Vec<_> = page.rows.iter().map(|row| row.values.clone()).collect();
        let text = |s: &'static str| Some(Value::Text(Cow::Borrowed(s)));
        assert_eq!(
            read,
            [
                vec![Some(Value::Integer(1)), text("yesterday")],
                vec![Some(Value::Integer(0)), Some(Value::Null)],
                vec![Some(Value::Integer(1)), None],
                vec![Some(Value::Null), None],
            ]
        );
        assert_eq!(page.malformed, 5);
    }

    #[test]
    fn foreign_and_malformed_rows_are_refused_counted_and_passed() {
        let t = table();
        let at = r#""updated_at":"2026-01-26T10:11:12Z""#;
        let body = page_of(&format!(
            r#"{{"id":"1","user_id":"evil","updated_at":"2099-01-01T00:00:00Z"}}, {{"id":"2","n":1.5,{at}}}, {{"n":1,{at}}}, {{"id":"4"}}, 7, null, [1], "x", {{"id":"5","a":{{}},{at}}}, {{"id":"",{at}}}, {{"id":"x\u0000",{at}}}, {{"id":"6",{at}}}"#
        ));
        let page = read(body.as_bytes(), &t, "u").unwrap().unwrap();
        assert_eq!((page.received, page.foreign, page.malformed, page.rows.len()), (12, 1, 10, 1));
        assert!(page.cursor < page.last_updated_at, "a refused row does not move the cursor");
        assert_eq!(page.rows[0].id, "6");
        assert_eq!(page.first_fault.as_deref(), Some("row 2: column n can't hold a fraction"));
    }

    #[test]
    fn a_missing_table_is_none_and_anything_else_is_a_bad_response() {
        let t = table();
        assert_eq!(read(br#"{"changes":{},"hasMore":false}"#, &t, "u").unwrap(), None);
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"changes":[]}"#,
            r#"{"changes":{"t":{}}}"#,
            r#"{"changes":{"t":[{"id":"1""#,
            r#"{"changes":{}} x"#,
        ] {
            assert_eq!(read(body.as_bytes(), &t, "u").unwrap_err().code, ErrorCode::BadResponse, "{body}");
        }
    }
}
