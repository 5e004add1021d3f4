//! Which sent changes the server's version of a row proves to be stored.
//!
//! The backend counts a row that its database refused as a success (docs/protocol.md, upload 4), so only the row itself is
//! proof: a change is proven when every column it sent is there as sent, or was overwritten by a later change that is
//! proven, or holds a new value of somebody who wrote the row since. A row that is as it was before proves that the change
//! was swallowed. In between nobody can say: the change was swallowed, or overwritten by another device at the same moment,
//! or by a stale copy of the column that another device sent along with its own change. Then what is missing is sent again.

use crate::change::Operation;
use crate::schema::{ColumnType, Table};
use crate::timestamp::parse_micros;
use serde_json::{Map, Value as Json};
use std::collections::HashSet;

/// Columns that the backend overwrites whatever is sent (upload 2).
const SERVERS_OWN: [&str; 2] = ["user_id", "updated_at"];

/// A change that the backend has answered.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// What was sent.
    pub operation: &'a Operation,
    /// The backend's clock at its answer, µs since the epoch, if it said so.
    pub answered_at: Option<i64>,
}

/// The row as it came back.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Its columns.
    pub columns: &'a Map<String, Json>,
    /// When it was written, µs since the epoch.
    pub updated_at: i64,
    /// The version known before, if one was.
    pub known: Option<&'a Map<String, Json>>,
    /// When that was written.
    pub known_at: Option<i64>,
}

/// What the row says of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is stored.
    Proven,
    /// It is not stored.
    Swallowed,
    /// It may be either: these of its columns are not there as sent.
    Unclear(Map<String, Json>),
}

/// What `row` says of each of its sent changes, oldest first.
pub fn judge(table: &Table, sent: &[Sent<'_>], row: Row<'_>) -> Vec<Verdict> {
    let mut overwritten: HashSet<&str> = HashSet::new();
    let mut verdicts = vec![Verdict::Swallowed; sent.len()];
    for (i, change) in sent.iter().enumerate().rev() {
        let (columns, whole) = match change.operation {
            Operation::Insert(columns) => (columns, true),
            Operation::Update(columns) => (columns, false),
            Operation::Delete => continue, // the answer to its upload is its proof
        };
        let set_before = |name: &str| sent[..i].iter().any(|earlier| sets(earlier.operation, name));
        let is_there = |name: &str, value: &Json| {
            SERVERS_OWN.contains(&name)
                || overwritten.contains(name)
                || (whole && value.is_null() && !set_before(name)) // left to the server's default
                || shows(table, row.columns, name, value)
        };
        let mut missing: Map<String, Json> =
            columns.iter().filter(|(n, v)| !is_there(n, v)).map(|(n, v)| (n.clone(), v.clone())).collect();
        // in whole milliseconds: the answer's clock shows no more
        let written_since = change.answered_at.is_some_and(|at| row.updated_at.div_euclid(1000) > at.div_euclid(1000));
        if written_since {
            // a column that is neither as sent nor as it was is somebody's later write
            missing.retain(|name, _| {
                let was = row.known.and_then(|known| known.get(name));
                // nor what an earlier change of ours had made of it: its request may have arrived twice
                was.is_some_and(|was| shows(table, row.columns, name, was))
                    || sent[..i].iter().any(|earlier| may_have_made(table, earlier.operation, name, row.columns))
            });
        }
        if missing.is_empty() {
            verdicts[i] = Verdict::Proven;
            overwritten.extend(columns.keys().map(String::as_str));
        } else if row.known_at.is_none_or(|known| row.updated_at > known) {
            verdicts[i] = Verdict::Unclear(missing);
        }
    }
    verdicts
}

/// Whether the operation alone could have left the column as the row shows it.
fn may_have_made(table: &Table, operation: &Operation, name: &str, row: &Map<String, Json>) -> bool {
    match operation {
        // what an insert leaves out takes the server's default
        Operation::Insert(columns) => {
            columns.get(name).is_none_or(|value| value.is_null() || shows(table, row, name, value))
        }
        Operation::Update(columns) => columns.get(name).is_some_and(|value| shows(table, row, name, value)),
        Operation::Delete => false,
    }
}

fn sets(operation: &Operation, name: &str) -> bool {
    match operation {
        Operation::Insert(columns) | Operation::Update(columns) => columns.get(name).is_some_and(|v| !v.is_null()),
        Operation::Delete => false,
    }
}

/// Whether a row's column means `value`; true for a column that has left the schema.
fn shows(table: &Table, row: &Map<String, Json>, name: &str, value: &Json) -> bool {
    table.column_index(name).is_none() || row.get(name).is_some_and(|there| means(table, name, value, there))
}

/// Whether everything in which `row` differs from the version known before was set by one of `operations`, as far as the
/// backend lets a device set it.
pub fn is_own(
    table: &Table,
    known: Option<&Map<String, Json>>,
    row: &Map<String, Json>,
    operations: &[&Operation],
) -> bool {
    row.iter().filter(|(name, _)| !SERVERS_OWN.contains(&name.as_str())).all(|(name, there)| {
        known.and_then(|known| known.get(name)).is_some_and(|was| means(table, name, was, there))
            || operations.iter().any(|operation| may_have_made(table, operation, name, row))
    })
}

/// Whether both mean the same in column `name`; true for one that has left the schema.
fn means(table: &Table, name: &str, value: &Json, there: &Json) -> bool {
    table.column_index(name).is_none_or(|index| same(table.columns[index].column_type, value, there))
}

/// Whether both mean the same to the backend, which prints timestamps, UUIDs and JSON in its own way.
fn same(column_type: ColumnType, sent: &Json, there: &Json) -> bool {
    if sent == there {
        return true;
    }
    match (column_type, sent, there) {
        (ColumnType::Json, Json::String(a), Json::String(b)) => {
            match (serde_json::from_str::<Json>(a), serde_json::from_str::<Json>(b)) {
                (Ok(a), Ok(b)) => same_json(&a, &b),
                _ => false,
            }
        }
        // JSON null comes back as NULL
        (ColumnType::Json, Json::String(a), Json::Null) => a.trim() == "null",
        (_, Json::String(a), Json::String(b)) => {
            let instants = (parse_micros(a), parse_micros(b));
            (instants.0.is_some() && instants.0 == instants.1) || (is_uuid(a) && a.eq_ignore_ascii_case(b))
        }
        _ => same_json(sent, there),
    }
}

fn same_json(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_json(a, b)))
        }
        (a, b) => a == b,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use serde_json::json;

    /// Verdicts as words, for a row whose version known before was written at `known_at`.
    fn judged(sent: &[(Operation, i64)], server: Json, updated_at: i64, known_at: i64) -> Vec<String> {
        judged_from(sent, json!({"a":"was","n":0,"j":null}), server, updated_at, known_at)
    }

    fn judged_from(
        sent: &[(Operation, i64)],
        known: Json,
        server: Json,
        updated_at: i64,
        known_at: i64,
    ) -> Vec<String> {
        let schema = Schema::from_json(
            r#"{"tables":[{"name":"t","columns":[{"name":"a","type":"text"},{"name":"n","type":"real"},{"name":"j","type":"json"},
            {"name":"updated_at","type":"text"}]}]}"#,
        )
        .unwrap();
        let sent: Vec<Sent<'_>> =
            sent.iter().map(|(operation, at)| Sent { operation, answered_at: Some(*at) }).collect();
        let row = Row {
            columns: server.as_object().unwrap(),
            updated_at,
            known: known.as_object(),
            known_at: Some(known_at),
        };
        let word = |verdict| match verdict {
            Verdict::Proven => "proven".to_owned(),
            Verdict::Swallowed => "swallowed".to_owned(),
            Verdict::Unclear(columns) => serde_json::to_string(&columns).unwrap(),
        };
        judge(&schema.tables[0], &sent, row).into_iter().map(word).collect()
    }

    fn check(sent: &[(Operation, i64)], server: Json, updated_at: i64) -> Vec<bool> {
        judged(sent, server, updated_at, updated_at).iter().map(|word| word == "proven").collect()
    }

    fn update(columns: Json) -> Operation {
        Operation::Update(columns.as_object().unwrap().clone())
    }

    fn insert(columns: Json) -> Operation {
        Operation::Insert(columns.as_object().unwrap().clone())
    }

    #[test]
    fn the_row_as_sent_is_proof_whatever_the_way_it_is_printed() {
        for (sent, there) in [
            (update(json!({"a":"x"})), json!({"a":"x","n":5})),
            (update(json!({"a":"x","updated_at":"mine"})), json!({"a":"x","updated_at":"theirs"})),
            (update(json!({"a":"2026-01-26T10:11:12Z"})), json!({"a":"2026-01-26T11:11:12.000000+01:00"})),
            (
                update(json!({"a":"ABCDEF00-1111-4111-8111-111111111111"})),
                json!({"a":"abcdef00-1111-4111-8111-111111111111"}),
            ),
            (update(json!({"n":1})), json!({"n":1.0})),
            (update(json!({"j":"{\"b\":[1, 2],\"a\":1.0}"})), json!({"j":"{\"a\": 1, \"b\": [1,2]}"})),
            (insert(json!({"a":"x","n":null})), json!({"a":"x","n":7})),
            (update(json!({"n":null})), json!({"n":null})),
            (update(json!({"j":"null"})), json!({"j":null})),
            (update(json!({"n":-26.175278461985638})), json!({"n":-26.175278461985638})),
        ] {
            assert_eq!(check(&[(sent.clone(), 1000)], there, 900), [true], "{sent:?}");
        }
    }

    #[test]
    fn another_value_is_no_proof_unless_somebody_wrote_since() {
        for (sent, there) in [
            (update(json!({"a":"x"})), json!({"a":"X"})),
            (update(json!({"n":null})), json!({"n":7})),
            (update(json!({"j":"[1]"})), json!({"j":"[1,2]"})),
            (update(json!({"a":"x"})), json!({})),
        ] {
            assert_eq!(
                check(&[(sent.clone(), 1_000)], there.clone(), 1_999),
                [false],
                "{sent:?}: the same millisecond"
            );
            assert_eq!(check(&[(sent.clone(), 1_000)], there, 2_000), [true], "{sent:?}");
        }
    }

    #[test]
    fn of_two_changes_the_one_that_is_there_is_proven() {
        let both = [(update(json!({"a":"first"})), 1000), (update(json!({"a":"second","n":9})), 1000)];
        assert_eq!(check(&both, json!({"a":"second","n":9}), 900), [true, true]);
        assert_eq!(check(&both, json!({"a":"first","n":1}), 900), [true, false], "the second was swallowed");
        assert_eq!(check(&both, json!({"a":"old","n":1}), 900), [false, false]);
    }

    #[test]
    fn a_row_that_changed_otherwise_at_the_same_moment_is_unclear_and_names_what_is_missing() {
        let both = [(insert(json!({"a":"first","n":1,"j":null})), 1000), (update(json!({"a":"second"})), 1000)];
        assert_eq!(
            judged(&both, json!({"a":"second","n":5}), 900, 800),
            [r#"{"n":1.0}"#.replace("1.0", "1"), "proven".into()]
        );
        assert_eq!(judged(&both, json!({"a":"second","n":5}), 900, 900), ["swallowed", "proven"], "as it was before");
    }

    #[test]
    fn what_somebody_wrote_since_replaces_the_change_but_a_value_as_it_was_before_does_not() {
        let sent = [(update(json!({"a":"mine","n":9})), 1_000)];
        let later = |server| judged(&sent, server, 9_000, 500);
        assert_eq!(later(json!({"a":"theirs","n":5})), ["proven"], "both overwritten");
        assert_eq!(later(json!({"a":"theirs","n":0})), [r#"{"n":9}"#], "n was swallowed, or carried along as it was");
        assert_eq!(later(json!({"a":"was","n":9})), [r#"{"a":"mine"}"#]);
    }

    #[test]
    fn what_an_earlier_change_of_ours_had_set_is_nobodys_later_write() {
        // the new row's PUT arrived once more behind the edit, which was swallowed
        let both = [(insert(json!({"a":"first","n":1,"j":null})), 1_000), (update(json!({"a":"second"})), 2_000)];
        assert_eq!(
            judged_from(&both, Json::Null, json!({"a":"first","n":1,"j":"[]"}), 9_000, 500),
            ["proven", r#"{"a":"second"}"#]
        );
        // the same with a column that the server has filled
        let both = [(both[0].0.clone(), 1_000), (update(json!({"j":"[1]"})), 2_000)];
        assert_eq!(
            judged_from(&both, Json::Null, json!({"a":"first","n":1,"j":"[]"}), 9_000, 500),
            ["proven", r#"{"j":"[1]"}"#]
        );
    }

    #[test]
    fn what_came_back_is_our_own_if_we_set_whatever_changed() {
        let schema = Schema::from_json(
            r#"{"tables":[{"name":"t","columns":[{"name":"a","type":"text"},{"name":"j","type":"json"},{"name":"updated_at","type":"text"}]}]}"#,
        )
        .unwrap();
        let known = json!({"a":"was","j":null,"updated_at":"1"});
        let (new, first, second) =
            (insert(json!({"a":"new","j":null})), update(json!({"a":"first"})), update(json!({"a":"second"})));
        for (known, row, operations, own) in [
            (&known, json!({"a":"was","j":null,"updated_at":"2"}), vec![&first], true),
            (&known, json!({"a":"first","j":null}), vec![&first, &second], true),
            (&known, json!({"a":"second","j":null}), vec![&first, &second], true),
            (&known, json!({"a":"second","j":"[]"}), vec![&first, &second], false),
            (&known, json!({"a":"theirs","j":null}), vec![&first], false),
            (&Json::Null, json!({"a":"new","j":"{}"}), vec![&new, &Operation::Delete], true),
            (&Json::Null, json!({"a":"first","j":"{}"}), vec![&new, &first, &second], true),
            (&Json::Null, json!({"a":"theirs","j":"{}"}), vec![&new, &first], false),
        ] {
            let is_own = is_own(&schema.tables[0], known.as_object(), row.as_object().unwrap(), &operations);
            assert_eq!(is_own, own, "{row} {operations:?}");
        }
    }

    #[test]
    fn a_null_that_replaces_an_earlier_value_must_be_there() {
        let both = |second| [(insert(json!({"a":"x","n":1})), 1_000), (insert(second), 1_000)];
        assert_eq!(judged(&both(json!({"a":"x","n":null})), json!({"a":"x","n":1}), 900, 900), ["proven", "swallowed"]);
        assert_eq!(judged(&both(json!({"a":"x","n":null})), json!({"a":"x","n":null}), 900, 900), ["proven", "proven"]);
    }
}
