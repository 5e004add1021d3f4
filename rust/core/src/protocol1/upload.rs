//! Changes into `/upload` requests.
//!
//! Owns the order: the backend runs tables in the order of the JSON object's keys and operations in array order, each on its
//! own. A request therefore never moves an operation ahead of one it depends on; where grouping by table would, a new
//! request begins. Consecutive changes of a row become one operation where that is safe (`coalesce`). PUT carries `id`, the columns the user changed and the `required` ones where the server is known to have
//! the row, the full row where it is not (docs/protocol.md, upload 1 to 5).

mod answer;
mod coalesce;

use crate::change::{Change, ChangeId, Operation};
use crate::merge::{RowState, overlay};
use crate::schema::{ColumnType, ConflictPolicy, Schema, Table};
use coalesce::{Folded, Relations};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value as Json, value::RawValue};
use std::collections::HashMap;

pub use answer::{TableAnswer, UploadAnswer, read_answer};

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

/// One operation of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentOperation {
    /// The changes it stands for, oldest first; never empty. More than one if they were coalesced.
    pub changes: Vec<ChangeId>,
    /// Whether it is a DELETE.
    pub delete: bool,
}

/// One request to send.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadRequest {
    /// The JSON body.
    pub body: Vec<u8>,
    /// Its operations per table, in the body's order.
    pub tables: Vec<(String, Vec<SentOperation>)>,
}

impl UploadRequest {
    /// Its operations, in the body's order.
    pub fn operations(&self) -> impl Iterator<Item = &SentOperation> + '_ {
        self.tables.iter().flat_map(|(_, operations)| operations)
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

/// One table of a draft: its operations with their JSON text.
type Group = (String, Vec<(SentOperation, Box<RawValue>)>);

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
        let tables = self.groups.into_iter().map(|(t, ops)| (t, ops.into_iter().map(|(op, _)| op).collect())).collect();
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
    let relations = Relations::of(schema);
    let base_of = |table: &str, row: &str| bases.get(&(table.to_owned(), row.to_owned()));
    let operations = coalesce::fold(schema, changes, |table, row| base_of(table, row).is_some_and(|base| base.known));
    let mut requests = Vec::new();
    let mut draft = Draft::default();
    let mut rows: HashMap<(&str, &str), Base> = HashMap::new();
    for Folded { table, row_id, changes, operation } in operations {
        let base = rows
            .entry((&table.name, row_id))
            .or_insert_with(|| base_of(&table.name, row_id).cloned().unwrap_or_default());
        let before = base.row.take();
        let after = overlay(before.clone(), [&operation]);
        let wire = wire_operation(table, row_id, &operation, base.known, before.as_ref(), after.as_ref());
        let delete = operation == Operation::Delete;
        base.known &= !delete;
        base.row = after;
        let text = serde_json::value::to_raw_value(&wire).expect("JSON text of JSON values");
        let size = text.get().len() + 1;
        let full = draft.operations >= limits.operations || (draft.operations > 0 && draft.bytes + size > limits.bytes);
        if full || reorders(&relations, &draft, table, delete) {
            requests.push(std::mem::take(&mut draft).finish());
        }
        draft.operations += 1;
        draft.bytes += size;
        let sent = (SentOperation { changes, delete }, text);
        match draft.groups.iter_mut().find(|(t, _)| *t == table.name) {
            Some((_, operations)) => operations.push(sent),
            None => draft.groups.push((table.name.clone(), vec![sent])),
        }
    }
    if draft.operations > 0 {
        requests.push(draft.finish());
    }
    requests
}

/// `before` and `after` are the row around the operation, as far as known.
fn wire_operation(
    table: &Table,
    row_id: &str,
    operation: &Operation,
    known: bool,
    before: Option<&Map<String, Json>>,
    after: Option<&Map<String, Json>>,
) -> WireOperation {
    let data = match operation {
        Operation::Delete => None,
        Operation::Insert(columns) if known => Some(put_data(table, row_id, columns)),
        Operation::Insert(columns) => {
            // what the app left out takes the server's default, unless an earlier version of the row may be there
            let mut sent = without_nulls(columns);
            let set_before = before.into_iter().flatten().filter(|(_, value)| !value.is_null());
            sent.extend(set_before.filter_map(|(name, _)| Some((name.clone(), columns.get(name)?.clone()))));
            Some(put_data(table, row_id, &sent))
        }
        Operation::Update(columns) => {
            let full = after.unwrap_or(columns);
            let mut sent = match (known, table.conflict_policy) {
                (true, ConflictPolicy::LastWriteWins | ConflictPolicy::ServerWins) => Map::new(),
                (true, ConflictPolicy::ClientWins) => full.clone(),
                (false, _) => without_nulls(full),
            };
            sent.extend(columns.clone());
            for name in &table.required {
                if let (false, Some(value)) = (sent.contains_key(name), full.get(name)) {
                    sent.insert(name.clone(), value.clone());
                }
            }
            Some(put_data(table, row_id, &sent))
        }
    };
    WireOperation { kind: if data.is_some() { "PUT" } else { "DELETE" }, id: row_id.to_owned(), data }
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
                match (json, column.column_type, value.as_i64()) {
                    (Some(raw), _, _) => map.serialize_entry(&column.name, raw)?,
                    (None, ColumnType::Boolean, Some(bit)) => map.serialize_entry(&column.name, &(bit != 0))?,
                    (None, _, _) => map.serialize_entry(&column.name, value)?,
                }
            }
            map.end()
        }
    }
    serde_json::value::to_raw_value(&Data(table, id, columns)).expect("JSON text of JSON values")
}

/// Whether appending an operation to its table's group would move it ahead of something it depends on.
fn reorders(relations: &Relations<'_>, draft: &Draft, table: &Table, delete: bool) -> bool {
    let Some(at) = draft.groups.iter().position(|(t, _)| *t == table.name) else { return false };
    draft.groups[at + 1..].iter().any(|(other, _)| {
        // a parent's PUT may go ahead of its children's operations; nothing else that is related may move
        relations.descends(&table.name, other) || (relations.descends(other, &table.name) && delete)
    })
}

#[cfg(test)]
mod tests;
