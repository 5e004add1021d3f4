use super::*;
use crate::error::ErrorCode;
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
    Change { id, transaction: id, table: table.into(), row_id: row.into(), operation, alone: false }
}

fn map(value: Json) -> Map<String, Json> {
    value.as_object().unwrap().clone()
}

fn bodies(changes: &[Change], server: &HashMap<(String, String), Base>, limits: Limits) -> Vec<Json> {
    plan(&schema(), changes, server, limits).iter().map(|r| serde_json::from_slice(&r.body).unwrap()).collect()
}

fn ids_of(request: &UploadRequest) -> Vec<ChangeId> {
    request.operations().flat_map(|operation| operation.changes.clone()).collect()
}

#[test]
fn put_carries_id_changed_and_required_columns_and_json_as_json() {
    let row = Some(map(json!({"name":"n","kind":"k","props":"{}"})));
    let server = HashMap::from([(("ent".to_string(), "e1".to_string()), Base { known: true, row })]);
    let update = || Operation::Update(map(json!({"props": r#"{"a":[1]}"#})));
    let full = Operation::Insert(map(json!({"name":"m","kind":null,"props":"[]"})));
    let changes = [change(1, "ent", "e1", update()), change(2, "ent", "e2", full), change(3, "ent", "e2", update())];
    assert_eq!(
        bodies(&changes, &server, Limits::default()),
        [json!({"changes":{"ent":[
            {"type":"PUT","id":"e1","data":{"id":"e1","name":"n","props":{"a":[1]}}},
            {"type":"PUT","id":"e2","data":{"id":"e2","name":"m","props":{"a":[1]}}}]}})]
    );
}

#[test]
fn booleans_are_booleans_on_the_wire_and_timestamps_stay_as_they_are() {
    let schema = Schema::from_json(
        r#"{"tables":[{"name":"t","columns":[{"name":"a","type":"boolean"},{"name":"b","type":"boolean"},
           {"name":"c","type":"boolean"},{"name":"n","type":"integer"},{"name":"at","type":"timestamp"}],"viewName":"v"}]}"#,
    )
    .unwrap();
    let base = Base { known: true, row: Some(map(json!({}))) };
    let row = map(json!({"a":1,"b":0,"c":null,"n":1,"at":"2026-01-01 10:00+02","left":5}));
    let changes = [change(1, "t", "r", Operation::Update(row))];
    let requests = plan(&schema, &changes, &[(("t".into(), "r".into()), base)].into(), Limits::default());
    assert_eq!(
        serde_json::from_slice::<Json>(&requests[0].body).unwrap(),
        json!({"changes":{"t":[{"type":"PUT","id":"r","data":{"id":"r","a":true,"b":false,"c":null,"n":1,"at":"2026-01-01 10:00+02"}}]}})
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
        plan(&schema(), changes, &none, Limits::default()).iter().map(ids_of).collect()
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
    let request =
        UploadRequest { body: vec![], tables: ["a", "b", "c", "d"].map(|name| (name.to_owned(), vec![])).into() };
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

/// The operations of one plan as `TYPE id columns [changes]`.
fn told(changes: &[Change], known: &[&str]) -> Vec<String> {
    let row = |id: &&str| {
        let base = Base { known: true, row: Some(map(json!({"name":"n","kind":"k","props":"{}"}))) };
        (("ent".to_owned(), (*id).to_owned()), base)
    };
    let bases = known.iter().map(row).collect();
    let mut told = Vec::new();
    for request in plan(&schema(), changes, &bases, Limits::default()) {
        let body: Json = serde_json::from_slice(&request.body).unwrap();
        for (table, operations) in &request.tables {
            for (i, operation) in operations.iter().enumerate() {
                let wire = &body["changes"][table][i];
                let data = wire["data"].as_object().map(|data| {
                    data.iter()
                        .filter(|(k, _)| *k != "id")
                        .map(|(k, v)| format!("{k}={v}"))
                        .collect::<Vec<_>>()
                        .join(" ")
                });
                let kind = wire["type"].as_str().unwrap();
                told.push(
                    format!("{kind} {} {} {:?}", wire["id"], data.unwrap_or_default(), operation.changes)
                        .replace('"', ""),
                );
            }
        }
    }
    told
}

#[test]
fn consecutive_changes_of_a_row_are_one_operation_where_nothing_could_tell() {
    let ent = |id, row: &str, columns| change(id, "ent", row, Operation::Update(map(columns)));
    let new = |id, row: &str, columns| change(id, "ent", row, Operation::Insert(map(columns)));
    let gone = |id, row: &str| change(id, "ent", row, Operation::Delete);
    let rel = |id| change(id, "rel", "r", Operation::Insert(map(json!({"from_id":"e"}))));
    let solo = |id| change(id, "solo", "s", Operation::Insert(map(json!({"x":1}))));
    for (changes, known, expected) in [
        (
            vec![ent(1, "e", json!({"kind":"a"})), ent(2, "e", json!({"kind":"b"}))],
            true,
            vec!["PUT e kind=b name=n [1, 2]"],
        ),
        // unrelated tables in between do not matter
        (
            vec![ent(1, "e", json!({"kind":"a"})), solo(2), ent(3, "e", json!({"name":"m"}))],
            true,
            vec!["PUT e kind=a name=m [1, 3]", "PUT s x=1 [2]"],
        ),
        // a child in between might refer to what changes; another row might take over a unique value
        (
            vec![ent(1, "e", json!({"kind":"a"})), rel(2), ent(3, "e", json!({"kind":"b"}))],
            true,
            vec!["PUT e kind=a name=n [1]", "PUT e kind=b name=n [3]", "PUT r from_id=e [2]"],
        ),
        (
            vec![ent(1, "e", json!({"kind":"a"})), new(2, "f", json!({"name":"x"})), ent(3, "e", json!({"kind":"b"}))],
            true,
            vec!["PUT e kind=a name=n [1]", "PUT f name=x [2]", "PUT e kind=b name=n [3]"],
        ),
        (
            vec![new(1, "e", json!({"name":"m"})), ent(2, "e", json!({"kind":"b"}))],
            false,
            vec!["PUT e kind=b name=m [1, 2]"],
        ),
        // a NULL set on purpose must not be left to the server's default
        (
            vec![new(1, "e", json!({"name":"m","kind":"k"})), ent(2, "e", json!({"kind":null}))],
            false,
            vec!["PUT e kind=k name=m [1]", "PUT e kind=null name=m [2]"],
        ),
        // an insert whose answer was lost may have arrived: the delete goes all the same
        (
            vec![new(1, "e", json!({"name":"m"})), ent(2, "e", json!({"kind":"b"})), gone(3, "e")],
            false,
            vec!["DELETE e  [1, 2, 3]"],
        ),
        // deleted and made anew: the first version's columns must not survive, nor may its children
        (
            vec![gone(1, "e"), new(2, "e", json!({"name":"m","kind":null})), ent(3, "e", json!({"props":"[]"}))],
            true,
            vec!["DELETE e  [1]", "PUT e name=m props=[] [2, 3]"],
        ),
        (
            vec![new(1, "e", json!({"name":"m","kind":"k"})), new(2, "e", json!({"name":"o","kind":null}))],
            false,
            vec!["PUT e kind=k name=m [1]", "PUT e kind=null name=o [2]"],
        ),
    ] {
        assert_eq!(told(&changes, if known { &["e"] } else { &[] }), expected, "{changes:?}");
    }
}

#[test]
fn a_change_that_was_refused_with_others_travels_alone() {
    let ent = |id, columns| change(id, "ent", "e", Operation::Update(map(columns)));
    let apart = Change { alone: true, ..ent(2, json!({"kind":"bad"})) };
    let changes = [ent(1, json!({"kind":"a"})), apart, ent(3, json!({"kind":"b"})), ent(4, json!({"props":"[]"}))];
    assert_eq!(
        told(&changes, &["e"]),
        ["PUT e kind=a name=n [1]", "PUT e kind=bad name=n [2]"],
        "what comes after it waits until it is proven or parked"
    );
}

#[test]
fn client_wins_sends_the_whole_row() {
    let mut schema = schema();
    schema.tables[1].conflict_policy = ConflictPolicy::ClientWins;
    let row = Some(map(json!({"name":"n","kind":null,"props":"{}"})));
    let bases = HashMap::from([(("ent".to_owned(), "e".to_owned()), Base { known: true, row })]);
    let changes = [change(1, "ent", "e", Operation::Update(map(json!({"name":"m"}))))];
    let requests = plan(&schema, &changes, &bases, Limits::default());
    let body: Json = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body["changes"]["ent"][0]["data"], json!({"id":"e","name":"m","kind":null,"props":{}}));
}
