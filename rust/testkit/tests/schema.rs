//! Schema options against the reference backend over real HTTP: booleans, names in SQL, inserts only, and an app that uploads
//! by itself.

use omnii_sync_engine::{CrudQuery, ErrorCode};
use omnii_sync_server::{Config, Route, Schema};
use omnii_sync_testkit::{Device, QUIET, World};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

const BACKEND: &str = r#"{"tables":{
    "todos":{"idType":"text","columns":{"title":{"type":"text","notNull":true},"done":{"type":"boolean","default":false},
      "due":{"type":"timestamp"},"created_at":{"type":"timestamp","default":"now"}}},
    "log":{"idType":"text","columns":{"what":{"type":"text"},"level":{"type":"integer","min":0}}}}}"#;

const APP: &str = r#"{"tables":[
    {"name":"todos","columns":[{"name":"title","type":"text"},{"name":"done","type":"boolean"},{"name":"due","type":"timestamp"},
      {"name":"created_at","type":"timestamp"}],"viewName":"my_todos","required":["title"],"trackMetadata":true,
      "indexes":[{"name":"newest","columns":["-created_at"]}]},
    {"name":"log","columns":[{"name":"what","type":"text"},{"name":"level","type":"integer"}],"insertOnly":true},
    {"name":"drafts","columns":[{"name":"body","type":"text"}],"localOnly":true}]}"#;

async fn world() -> World {
    let world =
        World::with(Config { schema: Schema::from_json(BACKEND).expect("a valid schema"), ..Config::test() }).await;
    world.server.traffic().record();
    world
}

async fn run(device: &Device, sql: &str) {
    device.execute(sql).await.expect(sql);
}

#[tokio::test(flavor = "multi_thread")]
async fn booleans_timestamps_and_names_in_sql_go_both_ways() {
    let world = world().await;
    let [one, two] = ["one", "two"].map(|name| world.device_with(name, QUIET, APP));
    run(&one, "INSERT INTO my_todos (id, title, done, due, _metadata) VALUES ('a', 'x', true, '2026-01-26T11:11:12+01:00', 'note')").await;
    run(&one, "INSERT INTO my_todos (id, title) VALUES ('b', 'y')").await;
    run(&one, "INSERT INTO drafts (id, body) VALUES ('d', 'mine alone')").await;
    one.database.trigger_sync().await.unwrap();
    let data: Vec<Json> = world
        .uploads()
        .iter()
        .flat_map(|b| b["changes"]["todos"].as_array().unwrap().clone())
        .map(|o| o["data"].clone())
        .collect();
    assert_eq!(
        data,
        [json!({"id":"a","title":"x","done":true,"due":"2026-01-26T11:11:12+01:00"}), json!({"id":"b","title":"y"})]
    );
    assert_eq!((one.database.status().pending_changes, one.database.status().parked_changes), (0, 0));
    // the backend prints a timestamp in its own way, which is no change; its defaults are here
    let rows = "SELECT id, done, due, created_at IS NOT NULL FROM my_todos ORDER BY id";
    let expected = [["a", "1", "2026-01-26T10:11:12.000000+00:00", "1"], ["b", "0", "NULL", "1"]];
    assert_eq!(one.read(rows).await, expected);
    two.database.trigger_sync().await.unwrap();
    assert_eq!(two.read(rows).await, expected);
    run(&two, "UPDATE my_todos SET done = NOT done WHERE id = 'b'").await;
    run(&two, "UPDATE my_todos SET done = NULL WHERE id = 'a'").await;
    two.database.trigger_sync().await.unwrap();
    assert_eq!(world.row("todos", "b").unwrap()["done"], json!(true));
    one.database.trigger_sync().await.unwrap();
    assert_eq!(one.read("SELECT done FROM my_todos ORDER BY id").await, [["NULL"], ["1"]]);
    one.database.reconcile().await.unwrap();
    one.database.clear_and_reconnect().await.unwrap();
    assert_eq!(one.read("SELECT body FROM drafts").await, [["mine alone"]]);
    let pulls = world.server.traffic().take_recorded().into_iter().filter(|r| r.route == Route::Sync);
    let asked: BTreeSet<String> =
        pulls.map(|r| r.query.split("tables=").nth(1).unwrap().split('&').next().unwrap().into()).collect();
    assert_eq!(asked, BTreeSet::from(["todos".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn inserts_only_are_done_with_the_backends_answer() {
    let world = world().await;
    let device = world.device_with("x", QUIET, APP);
    for n in 0..3 {
        run(&device, &format!("INSERT INTO log (id, what, level) VALUES ('l{n}', 'w', {n})")).await;
    }
    device.database.upload_data().await.unwrap();
    assert_eq!((device.database.status().pending_changes, device.database.status().parked_changes), (0, 0));
    assert_eq!(world.row("log", "l2").unwrap()["level"], json!(2));
    device.database.reconcile().await.unwrap();
    assert_eq!(device.read("SELECT count(*) FROM log").await, [["0"]]);
    assert!(world.row("log", "l0").is_some());
}

/// What an app's `uploadData` does: one transaction after another, by its own means.
async fn upload_all(world: &World, device: &Device) {
    loop {
        let query = CrudQuery { after: None, transactions: 1, entries: 100 };
        let crud = device.database.crud(query).await.expect("the backend and the device work");
        let Some(last) = crud.entries.last() else { return };
        for entry in &crud.entries {
            let backend = world.server.backend();
            match &entry.data {
                Some(data) => {
                    let mut row = world.row(&entry.table, &entry.row_id).unwrap_or_else(|| json!({}));
                    let row = row.as_object_mut().expect("rows are objects");
                    row.extend(data.clone());
                    row.insert("id".into(), entry.row_id.clone().into());
                    backend
                        .upsert(&world.user, &entry.table, Json::Object(row.clone()))
                        .expect("the backend and the device work");
                }
                None => drop(
                    backend.delete(&world.user, &entry.table, &entry.row_id).expect("the backend and the device work"),
                ),
            }
        }
        device.database.complete_crud(last.id).await.expect("the backend and the device work");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_uploads_by_itself_and_pulls_bring_what_became_of_it() {
    let world = world().await;
    let device = world.device_that_uploads("x", QUIET, APP);
    run(&device, "INSERT INTO my_todos (id, title, done) VALUES ('a', 'x', 1), ('b', 'y', 0)").await;
    run(&device, "INSERT INTO log (id, what) VALUES ('l', 'w')").await;
    let round = tokio::spawn(device.database.trigger_sync());
    let request = device.uploads.lock().await.recv().await.unwrap();
    upload_all(&world, &device).await;
    device.database.finish_upload(request, String::new());
    round.await.unwrap().unwrap();
    assert_eq!(device.database.status().pending_changes, 0);
    let rows = "SELECT id, title, done, created_at IS NOT NULL FROM my_todos ORDER BY id";
    assert_eq!(device.read(rows).await, [["a", "x", "1", "1"], ["b", "y", "0", "1"]]);

    run(&device, "UPDATE my_todos SET title = 'z' WHERE id = 'a'").await;
    run(&device, "DELETE FROM my_todos WHERE id = 'b'").await;
    let round = tokio::spawn(device.database.trigger_sync());
    let request = device.uploads.lock().await.recv().await.unwrap();
    device.database.finish_upload(request, "the API is down".into());
    assert_eq!(round.await.unwrap().unwrap_err().code, ErrorCode::UploadFailed);
    assert_eq!(device.read("SELECT id, title FROM my_todos").await, [["a", "z"]]);
    let round = tokio::spawn(device.database.trigger_sync());
    let request = device.uploads.lock().await.recv().await.unwrap();
    device.take_events();
    upload_all(&world, &device).await;
    assert!(device.take_events().is_empty(), "nothing looks different");
    device.database.finish_upload(request, String::new());
    round.await.unwrap().unwrap();
    device.database.reconcile().await.unwrap();
    assert_eq!(device.read("SELECT id, title FROM my_todos").await, [["a", "z"]]);
    assert_eq!((world.row("todos", "b"), world.row("todos", "a").unwrap()["title"].clone()), (None, json!("z")));
    assert!(
        !world.server.traffic().take_recorded().iter().any(|r| r.route == Route::Upload),
        "the engine uploads nothing"
    );

    device.database.clear(false).await.unwrap();
    assert_eq!(device.read("SELECT count(*) FROM my_todos").await, [["0"]]);
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.read("SELECT id FROM my_todos").await, [["a"]]);
}
