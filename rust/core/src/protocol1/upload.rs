//! Changes into `/upload` requests, and their answers.
//!
//! Owns the order: the backend runs tables in the order of the JSON object's keys and operations in array order, each on its
//! own. A request therefore never moves an operation ahead of one it depends on; where grouping by table would, a new
//! request begins. PUT carries `id`, the columns the user changed and the `required` ones where the server is known to have
//! the row, the full row where it is not (docs/protocol.md, upload 1 to 5).

use crate::change::{Change, ChangeId, Operation};
use crate::error::{ErrorCode, SyncError};
use crate::merge::{RowState, overlay};
use crate::schema::{ColumnType, Schema, Table};
use crate::timestamp::parse_micros;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, value::RawValue};
use std::collections::{HashMap, HashSet};

/// Bounds of one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most operations.
    pub operations: usize,
    /// Most bytes of operations; one larger operation travels alone.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { operations: 500, bytes: 1 << 20 }
    }
}

/// One request to send.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadRequest {
    /// The JSON body.
    pub body: Vec<u8>,
    /// Its changes per table, in the body's order.
    pub tables: Vec<(String, Vec<ChangeId>)>,
}

impl UploadRequest {
    /// The changes in the request.
    pub fn change_ids(&self) -> impl Iterator<Item = ChangeId> + '_ {
        self.tables.iter().flat_map(|(_, ids)| ids.iter().copied())
    }
}

#[derive(Serialize)]
struct WireOperation {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

/// One table of a draft: its operations as JSON text.
type Group = (String, Vec<(ChangeId, Box<RawValue>)>);

#[derive(Default)]
struct Draft {
    groups: Vec<Group>,
    operations: usize,
    bytes: usize,
}

impl Draft {
    fn finish(self) -> UploadRequest {
        struct Groups<'a>(&'a [Group]);
        impl Serialize for Groups<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.len()))?;
                for (table, operations) in self.0 {
                    let operations: Vec<&RawValue> = operations.iter().map(|(_, op)| &**op).collect();
                    map.serialize_entry(table, &operations)?;
                }
                map.end()
            }
        }
        #[derive(Serialize)]
        struct Body<'a> {
            changes: Groups<'a>,
        }
        let body = serde_json::to_vec(&Body { changes: Groups(&self.groups) }).expect("JSON text of JSON values");
        let tables = self.groups.into_iter().map(|(t, ops)| (t, ops.into_iter().map(|(id, _)| id).collect())).collect();
        UploadRequest { body, tables }
    }
}

/// A row before the changes to be planned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Base {
    /// Whether the server is known to have the row.
    pub known: bool,
    /// The server's version as far as known, with the changes on top that were sent or parked before.
    pub row: RowState,
}

/// Plans the requests for `changes` (outbox order). `bases` holds each change's row by (table, id); an absent one is a row
/// that the server is not known to have.
pub fn plan(
    schema: &Schema,
    changes: &[Change],
    bases: &HashMap<(String, String), Base>,
    limits: Limits,
) -> Vec<UploadRequest> {
    let mut requests = Vec::new();
    let mut draft = Draft::default();
    let mut rows: HashMap<(&str, &str), Base> = HashMap::new();
    for change in changes {
        let Some(table) = schema.table(&change.table) else { continue };
        let base = rows
            .entry((&change.table, &change.row_id))
            .or_insert_with(|| bases.get(&(change.table.clone(), change.row_id.clone())).cloned().unwrap_or_default());
        let after = overlay(base.row.take(), [&change.operation]);
        let operation = wire_operation(table, change, base.known, after.as_ref());
        base.row = after;
        let text = serde_json::value::to_raw_value(&operation).expect("JSON text of JSON values");
        let size = text.get().len() + 1;
        let full = draft.operations >= limits.operations || (draft.operations > 0 && draft.bytes + size > limits.bytes);
        if full || reorders(schema, &draft, change) {
            requests.push(std::mem::take(&mut draft).finish());
        }
        draft.operations += 1;
        draft.bytes += size;
        match draft.groups.iter_mut().find(|(t, _)| *t == change.table) {
            Some((_, operations)) => operations.push((change.id, text)),
            None => draft.groups.push((change.table.clone(), vec![(change.id, text)])),
        }
    }
    if draft.operations > 0 {
        requests.push(draft.finish());
    }
    requests
}

fn wire_operation(table: &Table, change: &Change, known: bool, after: Option<&Map<String, Json>>) -> WireOperation {
    let data = match &change.operation {
        Operation::Delete => None,
        Operation::Insert(columns) if known => Some(put_data(table, &change.row_id, columns)),
        // what the app left out takes the server's default
        Operation::Insert(columns) => Some(put_data(table, &change.row_id, &without_nulls(columns))),
        Operation::Update(columns) => {
            let full = after.unwrap_or(columns);
            let mut sent = if known { Map::new() } else { without_nulls(full) };
            sent.extend(columns.clone());
            for name in &table.required {
                if let (false, Some(value)) = (sent.contains_key(name), full.get(name)) {
                    sent.insert(name.clone(), value.clone());
                }
            }
            Some(put_data(table, &change.row_id, &sent))
        }
    };
    WireOperation { kind: if data.is_some() { "PUT" } else { "DELETE" }, id: change.row_id.clone(), data }
}

fn without_nulls(columns: &Map<String, Json>) -> Map<String, Json> {
    columns.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn put_data(table: &Table, id: &str, columns: &Map<String, Json>) -> Box<RawValue> {
    struct Data<'a>(&'a Table, &'a str, &'a Map<String, Json>);
    impl Serialize for Data<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Self(table, id, columns) = self;
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("id", id)?;
            for column in &table.columns {
                let Some(value) = columns.get(&column.name) else { continue };
                let json = match (column.column_type, value) {
                    // JSON columns go as JSON values; a string would come back doubly encoded (upload 3)
                    (ColumnType::Json, Json::String(text)) => serde_json::from_str::<&RawValue>(text).ok(),
                    _ => None,
                };
                match json {
                    Some(raw) => map.serialize_entry(&column.name, raw)?,
                    None => map.serialize_entry(&column.name, value)?,
                }
            }
            map.end()
        }
    }
    serde_json::value::to_raw_value(&Data(table, id, columns)).expect("JSON text of JSON values")
}

/// Whether appending the change to its table's group would move it ahead of something it depends on.
fn reorders(schema: &Schema, draft: &Draft, change: &Change) -> bool {
    let Some(at) = draft.groups.iter().position(|(t, _)| *t == change.table) else { return false };
    let put = change.operation != Operation::Delete;
    draft.groups[at + 1..].iter().any(|(other, _)| {
        // a parent's PUT may go ahead of its children's operations; nothing else that is related may move
        let child_of_ours = descends(schema, other, &change.table);
        descends(schema, &change.table, other) || (child_of_ours && !put)
    })
}

fn descends(schema: &Schema, child: &str, ancestor: &str) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![child];
    while let Some(name) = open.pop() {
        let Some(table) = schema.table(name) else { continue };
        for parent in &table.parents {
            if parent == ancestor {
                return true;
            }
            if seen.insert(parent.as_str()) {
                open.push(parent);
            }
        }
    }
    false
}

/// What the backend said about one table of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableAnswer {
    /// No error. PUTs are now to be proven by read-back; DELETEs are done.
    Accepted,
    /// The backend has no such table: none of its operations can ever succeed.
    UnknownTable(String),
    /// The backend reported errors; it does not say for which operations.
    Refused(String),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadAnswer {
    /// One per table of the request, in its order.
    pub tables: Vec<TableAnswer>,
    /// The backend's clock when it answered, in microseconds since the epoch, as far as it can be read. Whoever wrote a row
    /// later than that wrote after us.
    pub answered_at: Option<i64>,
}

/// Reads the answer to `request`.
pub fn read_answer(request: &UploadRequest, body: &[u8]) -> Result<UploadAnswer, SyncError> {
    #[derive(Deserialize)]
    struct Answer {
        results: HashMap<String, TableResult>,
        #[serde(default)]
        timestamp: Json,
    }
    #[derive(Deserialize)]
    struct TableResult {
        #[serde(default)]
        errors: Vec<Json>,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|e| {
        let at = format!("line {}, column {}", e.line(), e.column());
        SyncError::new(
            ErrorCode::BadResponse,
            format!("the answer to an upload is not one ({at}): is the endpoint right?"),
        )
    })?;
    let table_answer = |table: &str| match answer.results.get(table).map(|result| result.errors.first()) {
        None => TableAnswer::Refused("the backend's answer does not mention the table".into()),
        Some(None) => TableAnswer::Accepted,
        // the words are the protocol's (upload 4)
        Some(Some(Json::String(text))) if text.starts_with("Invalid table") => TableAnswer::UnknownTable(cut(text)),
        Some(Some(Json::String(text))) => TableAnswer::Refused(cut(text)),
        Some(Some(_)) => TableAnswer::Refused("refused without a reason".into()),
    };
    let tables = request.tables.iter().map(|(table, _)| table_answer(table)).collect();
    Ok(UploadAnswer { tables, answered_at: answer.timestamp.as_str().and_then(parse_micros) })
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::from_json(
            r#"{"tables":[
            {"name":"rel","columns":[{"name":"from_id","type":"text"}],"parents":["ent"],"required":["from_id"]},
            {"name":"ent","columns":[{"name":"name","type":"text"},{"name":"kind","type":"text"},{"name":"props","type":"json"}],"required":["name"]},
            {"name":"solo","columns":[{"name":"x","type":"integer"}]}]}"#,
        )
        .unwrap()
    }

    fn change(id: i64, table: &str, row: &str, operation: Operation) -> Change {
        Change { id, transaction: id, table: table.into(), row_id: row.into(), operation }
    }

    fn map(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    fn bodies(changes: &[Change], server: &HashMap<(String, String), Base>, limits: Limits) -> Vec<Json> {
        plan(&schema(), changes, server, limits).iter().map(|r| serde_json::from_slice(&r.body).unwrap()).collect()
    }

    #[test]
    fn put_carries_id_changed_and_required_columns_and_json_as_json() {
        let row = Some(map(json!({"name":"n","kind":"k","props":"{}"})));
        let server = HashMap::from([(("ent".to_string(), "e1".to_string()), Base { known: true, row })]);
        let update = || Operation::Update(map(json!({"props": r#"{"a":[1]}"#})));
        let full = Operation::Insert(map(json!({"name":"m","kind":null,"props":"[]"})));
        let changes =
            [change(1, "ent", "e1", update()), change(2, "ent", "e2", full), change(3, "ent", "e2", update())];
        assert_eq!(
            bodies(&changes, &server, Limits::default()),
            [json!({"changes":{"ent":[
                {"type":"PUT","id":"e1","data":{"id":"e1","name":"n","props":{"a":[1]}}},
                {"type":"PUT","id":"e2","data":{"id":"e2","name":"m","props":[]}},
                {"type":"PUT","id":"e2","data":{"id":"e2","name":"m","props":{"a":[1]}}}]}})]
        );
    }

    #[test]
    fn splits_where_grouping_would_reorder() {
        let none = HashMap::new();
        let ent = |id, row| change(id, "ent", row, Operation::Insert(map(json!({"name":"n"}))));
        let rel = |id, row| change(id, "rel", row, Operation::Insert(map(json!({"from_id":"e"}))));
        let solo = |id| change(id, "solo", "s", Operation::Insert(map(json!({"x":1}))));
        let gone = |id, table, row| change(id, table, row, Operation::Delete);
        let ids = |changes: &[Change]| -> Vec<Vec<ChangeId>> {
            plan(&schema(), changes, &none, Limits::default()).iter().map(|r| r.change_ids().collect()).collect()
        };
        // a parent's PUT may join its group ahead of children
        assert_eq!(ids(&[ent(1, "a"), rel(2, "r"), ent(3, "b"), rel(4, "q")]), [[1, 3, 2, 4]]);
        // a child may not go ahead of its parent
        assert_eq!(ids(&[rel(1, "r"), ent(2, "a"), rel(3, "q")]), [vec![1, 2], vec![3]]);
        // a parent's DELETE may not go ahead of its children's operations
        assert_eq!(ids(&[ent(1, "a"), gone(2, "rel", "r"), gone(3, "ent", "a")]), [vec![1, 2], vec![3]]);
        // what is unrelated may
        assert_eq!(ids(&[solo(1), ent(2, "a"), solo(3)]), [[1, 3, 2]]);
    }

    #[test]
    fn bounded_by_operations_and_bytes() {
        let big = |id| change(id, "ent", &id.to_string(), Operation::Insert(map(json!({"name":"x".repeat(100)}))));
        let changes: Vec<Change> = (0..5).map(big).collect();
        let count = |limits| plan(&schema(), &changes, &HashMap::new(), limits).len();
        assert_eq!(count(Limits { operations: 2, bytes: 1 << 20 }), 3);
        assert_eq!(count(Limits { operations: 500, bytes: 320 }), 3);
        assert_eq!(count(Limits { operations: 500, bytes: 10 }), 5);
    }

    #[test]
    fn answers_per_table() {
        let request = UploadRequest {
            body: vec![],
            tables: vec![("a".into(), vec![1]), ("b".into(), vec![2]), ("c".into(), vec![3]), ("d".into(), vec![4])],
        };
        let body = br#"{"results":{"a":{"success":1,"errors":[]},"b":{"success":0,"errors":["Invalid table: b"]},"d":{"success":0,"errors":["oops"]}},
            "timestamp":"1970-01-01T00:00:01.5Z"}"#;
        let answer = read_answer(&request, body).unwrap();
        assert_eq!(answer.answered_at, Some(1_500_000));
        assert_eq!(answer.tables[0], TableAnswer::Accepted);
        assert_eq!(answer.tables[1], TableAnswer::UnknownTable("Invalid table: b".into()));
        assert!(matches!(&answer.tables[2], TableAnswer::Refused(m) if m.contains("mention")));
        assert_eq!(answer.tables[3], TableAnswer::Refused("oops".into()));
        assert_eq!(read_answer(&request, b"<html>").unwrap_err().code, ErrorCode::BadResponse);
    }

    #[test]
    fn a_row_the_server_may_not_have_is_sent_whole_also_after_its_insert_was_sent() {
        let row = Some(map(json!({"name":"n","kind":"k","props":null})));
        let bases = HashMap::from([(("ent".to_string(), "e".to_string()), Base { known: false, row })]);
        let changes = [change(2, "ent", "e", Operation::Update(map(json!({"kind":null}))))];
        assert_eq!(
            bodies(&changes, &bases, Limits::default()),
            [json!({"changes":{"ent":[{"type":"PUT","id":"e","data":{"id":"e","name":"n","kind":null}}]}})]
        );
    }
}
