//! The overlay: what the app sees of a row with pending changes is the server's version with the local changes on top.
//!
//! Rows are JSON objects of their columns (`id` not included), as the outbox records them. Last writer by column: a column
//! the user changed keeps the local value until it is acknowledged, every other column follows the server.

use crate::change::Operation;
use serde_json::{Map, Value as Json};

/// A row's columns; `None` where there is no row.
pub type RowState = Option<Map<String, Json>>;

/// Lays operations, oldest first, over the server's version. An update of a row that is known not to exist
/// changes nothing.
pub fn overlay<'a>(server: RowState, operations: impl IntoIterator<Item = &'a Operation>) -> RowState {
    operations.into_iter().fold(server, |row, operation| match operation {
        Operation::Insert(columns) => Some(columns.clone()),
        Operation::Update(columns) => row.map(|mut row| {
            for (name, value) in columns {
                row.insert(name.clone(), value.clone());
            }
            row
        }),
        Operation::Delete => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn by_column_in_order() {
        let server = || Some(map(json!({"a": 1, "b": 2})));
        let update = |v| Operation::Update(map(v));
        let insert = |v| Operation::Insert(map(v));
        for (base, operations, expected) in [
            (server(), vec![], server()),
            (server(), vec![update(json!({"a": 9}))], Some(map(json!({"a": 9, "b": 2})))),
            (server(), vec![update(json!({"a": 9})), update(json!({"a": 8}))], Some(map(json!({"a": 8, "b": 2})))),
            (server(), vec![update(json!({"a": 9})), Operation::Delete], None),
            (
                server(),
                vec![Operation::Delete, insert(json!({"a": 7, "b": null}))],
                Some(map(json!({"a": 7, "b": null}))),
            ),
            (None, vec![insert(json!({"a": 7})), update(json!({"a": 6}))], Some(map(json!({"a": 6})))),
            (None, vec![update(json!({"a": 6}))], None),
        ] {
            assert_eq!(overlay(base, &operations), expected, "{operations:?}");
        }
    }
}
