//! Consecutive changes of a row as one operation.
//!
//! An operation may take in a later change of its row if nothing in between could tell the difference: what lies between must
//! belong to tables that neither refer to this one nor are referred to by it. Rows of the same table count as related, since
//! a unique key may pass from one to another. Whatever is in doubt stays apart: the backend takes operations one by one
//! anyway. If the backend refuses such an operation, its changes are sent again one by one, so that one that it can't take
//! does not take down those that it can.

use crate::change::{Change, ChangeId, Operation};
use crate::schema::{Schema, Table};
use serde_json::{Map, Value as Json};
use std::collections::{HashMap, HashSet};

/// One operation to send, and the changes it stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folded<'a> {
    pub(super) table: &'a Table,
    pub(super) row_id: &'a str,
    /// Oldest first; never empty.
    pub(super) changes: Vec<ChangeId>,
    pub(super) operation: Operation,
}

/// The operations for `changes` (outbox order), in the order in which the backend must take them. `known` says whether the
/// server has the row. Changes of tables that are not in the schema are left out, and those behind one of their row that must
/// prove itself alone.
pub(super) fn fold<'a>(
    schema: &'a Schema,
    changes: &'a [Change],
    known: impl Fn(&str, &str) -> bool,
) -> Vec<Folded<'a>> {
    let relations = Relations::of(schema);
    let mut folded: Vec<Folded<'a>> = Vec::with_capacity(changes.len());
    let mut last_of_row: HashMap<(&str, &str), usize> = HashMap::new();
    let mut deleted: HashSet<(&str, &str)> = HashSet::new();
    let mut held: HashSet<(&str, &str)> = HashSet::new();
    for change in changes {
        let Some(table) = schema.table(&change.table) else { continue };
        let row = (change.table.as_str(), change.row_id.as_str());
        if held.contains(&row) {
            continue;
        }
        if change.operation == Operation::Delete {
            deleted.insert(row);
        }
        if change.alone {
            held.insert(row);
        } else if let Some(&at) = last_of_row.get(&row)
            && !folded[at + 1..].iter().any(|between| relations.related(&between.table.name, &table.name))
            && let Some(merged) =
                merge(&folded[at].operation, &change.operation, known(row.0, row.1) && !deleted.contains(&row))
        {
            folded[at].operation = merged;
            folded[at].changes.push(change.id);
            continue;
        }
        last_of_row.insert(row, folded.len());
        folded.push(Folded {
            table,
            row_id: &change.row_id,
            changes: vec![change.id],
            operation: change.operation.clone(),
        });
    }
    folded
}

/// The one operation that leaves the row as both would, whether or not the first has been taken already.
fn merge(first: &Operation, second: &Operation, known: bool) -> Option<Operation> {
    match (first, second) {
        (Operation::Insert(_) | Operation::Update(_), Operation::Delete) => Some(Operation::Delete),
        (Operation::Update(a), Operation::Update(b)) => Some(Operation::Update(with(a, b))),
        // a new row is sent without its NULLs, so one that was set on purpose must travel by itself
        (Operation::Insert(a), Operation::Update(b)) if known || !b.values().any(Json::is_null) => {
            Some(Operation::Insert(with(a, b)))
        }
        // a replaced row is sent with all of its columns
        (Operation::Update(_), Operation::Insert(b)) if known => Some(Operation::Insert(b.clone())),
        // deleting cascades on the backend, so a row that comes back is a delete and an insert there, too
        (Operation::Delete, _) | (_, Operation::Insert(_) | Operation::Update(_)) => None,
    }
}

fn with(a: &Map<String, Json>, b: &Map<String, Json>) -> Map<String, Json> {
    a.iter().chain(b).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Which tables depend on which, directly or not.
pub(super) struct Relations<'s>(HashSet<(&'s str, &'s str)>);

impl<'s> Relations<'s> {
    pub(super) fn of(schema: &'s Schema) -> Self {
        let mut pairs = HashSet::new();
        for table in &schema.tables {
            let mut open: Vec<&str> = table.parents.iter().map(String::as_str).collect();
            while let Some(ancestor) = open.pop() {
                if pairs.insert((table.name.as_str(), ancestor)) {
                    let next = schema.table(ancestor).into_iter().flat_map(|t| &t.parents);
                    open.extend(next.map(String::as_str));
                }
            }
        }
        Self(pairs)
    }

    /// Whether rows of `child` may refer to rows of `ancestor`.
    pub(super) fn descends(&self, child: &str, ancestor: &str) -> bool {
        self.0.contains(&(child, ancestor))
    }

    /// Whether an operation on one could matter to an operation on the other.
    fn related(&self, a: &str, b: &str) -> bool {
        a == b || self.descends(a, b) || self.descends(b, a)
    }
}
