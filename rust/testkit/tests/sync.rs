//! The engine against the reference backend, both real, over loopback HTTP.

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_engine::{ErrorCode, StatusKind};
use omnii_sync_server::{Answer, Config, Fault, Route, Server};
use omnii_sync_testkit::{Device, LIVELY, QUIET, World};
use serde_json::{Value, json};

const ID: &str = "11111111-1111-4111-8111-111111111111";

fn insert(id: &str, name: &str) -> String {
    format!(
        "INSERT INTO sync_entities (id, entity_type, name, properties) VALUES ('{id}', 'task', '{name}', '{{\"x\":1}}')"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_reaches_the_backend_is_proven_by_read_back_and_reaches_a_second_device() {
    let world = World::new().await;
    let there = world.entity("from the server");
    let a = world.device("a", QUIET);
    a.execute(&insert(ID, "mine")).await.unwrap();
    assert_eq!(a.database.status().pending_changes, 1, "counted as soon as the write is answered");
    a.database.trigger_sync().await.unwrap();
    assert_eq!(a.database.status().pending_changes, 0);
    let stored = world.row("sync_entities", ID).unwrap();
    assert_eq!((&stored["name"], &stored["properties"]), (&json!("mine"), &json!({"x":1})));
    let names = a.read("SELECT name, properties FROM sync_entities ORDER BY name").await;
    assert_eq!(names[0], ["from the server", r#"{"a":[1,{"b":"ü"}]}"#]);
    assert_eq!(a.read("SELECT count(*) FROM omnii_outbox").await, [["0"]], "no echo");

    let b = world.device("b", QUIET);
    b.database.trigger_sync().await.unwrap();
    assert_eq!(b.read("SELECT id FROM sync_entities WHERE name = 'mine'").await, [[ID]]);
    b.execute(&format!("DELETE FROM sync_entities WHERE id = '{there}'")).await.unwrap();
    b.database.trigger_sync().await.unwrap();
    assert_eq!(world.row("sync_entities", &there), None);
    assert_eq!(b.database.status().pending_changes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_round_writes_nothing_and_tells_nobody() {
    let world = World::new().await;
    world.server.backend().seed(&world.user, 300).unwrap();
    let device = world.device("a", QUIET);
    device.database.trigger_sync().await.unwrap();
    assert!(!device.take_events().is_empty());
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.take_events(), Vec::<Vec<String>>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_arrives_also_when_many_rows_share_an_instant() {
    let world = World::new().await;
    let together = (0..1500).map(|i| json!({"entity_type":"task","name":format!("n{i}")})).collect();
    world.server.backend().upsert_together(&world.user, "sync_entities", together).unwrap();
    world.server.backend().seed(&world.user, 2500).unwrap();
    let device = world.device("a", r#"{"pageLimit":100,"pollIntervalMs":3600000}"#);
    device.database.trigger_sync().await.unwrap();
    for table in ["sync_entities", "sync_events", "sync_relationships"] {
        let here = device.read(&format!("SELECT count(*) FROM {table}")).await[0][0].parse::<u64>().unwrap();
        assert_eq!(here, world.server.backend().count(&world.user, table).unwrap(), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_writes_are_readable_at_once_and_go_up_by_themselves_when_the_server_returns() {
    let world = World::new().await;
    let file = world.directory.path().join("server.db");
    let config = Config::test().on_file(&file);
    let server = Server::start(config.clone()).await.unwrap();
    let user = server.backend().create_user("bob@example.com", "secret-123").unwrap();
    let port = server.addr.port();
    let device = Device::open(&world.directory.path().join("d"), &user, LIVELY).unwrap();
    device.sign_in(&server.api_url(), &server.backend().mint_token(&user).unwrap());
    device.database.connect();
    device.wait_for(|s| s.kind() == StatusKind::Synced).await;
    server.stop().await;
    device.wait_for(|s| s.kind() == StatusKind::Offline).await;
    device.execute(&insert(ID, "offline")).await.unwrap();
    device.execute(&format!("UPDATE sync_entities SET name = 'still offline' WHERE id = '{ID}'")).await.unwrap();
    assert_eq!(device.read("SELECT name FROM sync_entities").await, [["still offline"]]);
    assert_eq!(device.database.status().pending_changes, 2);
    let server = Server::start(config.on_port(port)).await.unwrap();
    device.wait_for(|s| s.kind() == StatusKind::Synced && s.pending_changes == 0).await;
    assert_eq!(server.backend().row(&user, "sync_entities", ID).unwrap().unwrap()["name"], "still offline");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_sends_only_what_changed_and_what_is_required() {
    let world = World::new().await;
    let id = world.entity("theirs");
    let device = world.device("a", QUIET);
    device.database.trigger_sync().await.unwrap();
    world.server.traffic().record();
    device
        .execute(&format!("UPDATE sync_entities SET properties = '{{\"new\":true}}' WHERE id = '{id}'"))
        .await
        .unwrap();
    // another device changes another column meanwhile
    world
        .server
        .backend()
        .upsert(&world.user, "sync_entities", json!({"id":id,"entity_type":"task","name":"theirs","source_id":"s"}))
        .unwrap();
    device.database.trigger_sync().await.unwrap();
    let put =
        json!({"type":"PUT","id":id,"data":{"id":id,"entity_type":"task","name":"theirs","properties":{"new":true}}});
    assert_eq!(world.uploads(), [json!({"changes":{"sync_entities":[put]}})]);
    let row = world.row("sync_entities", &id).unwrap();
    assert_eq!((&row["source_id"], &row["properties"]), (&json!("s"), &json!({"new":true})));
    assert_eq!(device.read("SELECT source_id FROM sync_entities").await, [["s"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_backend_swallows_is_parked_and_the_rest_goes_on() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    device
        .execute(&format!("INSERT INTO sync_entities (id, entity_type, name) VALUES ('{ID}', 'no such type', 'x')"))
        .await
        .unwrap();
    device.execute(&insert("22222222-2222-4222-8222-222222222222", "good")).await.unwrap();
    device.database.trigger_sync().await.unwrap();
    let status = device.database.status();
    assert_eq!((status.pending_changes, status.parked_changes), (0, 1));
    assert_eq!(device.read("SELECT count(*) FROM sync_entities").await, [["2"]], "kept");
    assert_eq!(world.server.backend().count(&world.user, "sync_entities").unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_is_narrowed_down_to_the_operation_at_fault() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    for i in 0..9 {
        let name = if i == 5 { "poison" } else { "fine" };
        device.execute(&insert(&format!("{i}1111111-1111-4111-8111-111111111111"), name)).await.unwrap();
    }
    // a backend that refuses every request with that row in it
    world.server.faults().next(Route::Upload, 4, Fault::Answer(Answer::status(422)));
    device.database.trigger_sync().await.unwrap();
    let status = device.database.status();
    assert_eq!((status.pending_changes, status.parked_changes), (0, 1));
    assert_eq!(world.server.backend().count(&world.user, "sync_entities").unwrap(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_sent_again_and_does_no_harm() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    device.execute(&insert(ID, "once")).await.unwrap();
    world.server.faults().next(Route::Upload, 1, Fault::DropAfter);
    assert_eq!(device.database.trigger_sync().await.unwrap_err().code, ErrorCode::Network);
    assert_eq!(device.database.status().pending_changes, 1);
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.database.status().pending_changes, 0);
    assert_eq!(world.server.backend().count(&world.user, "sync_entities").unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_fails_is_named_and_the_others_go_on() {
    let world = World::new().await;
    world.entity("e");
    world.server.backend().upsert(&world.user, "sync_events", json!({"summary":"s"})).unwrap();
    let device = world.device("a", QUIET);
    world.server.faults().next(Route::Sync, 3, Fault::fail_table("sync_entities"));
    let error = device.database.trigger_sync().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TableFailed);
    assert!(error.message.contains("sync_entities"), "{error}");
    assert_eq!(device.read("SELECT count(*) FROM sync_events").await, [["1"]]);
    assert_eq!((device.kind(), device.database.status().has_synced), (StatusKind::Error, false));
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.read("SELECT count(*) FROM sync_entities").await, [["1"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_user_are_refused_and_reported() {
    let world = World::new().await;
    world.entity("mine");
    let device = world.device("a", QUIET);
    let user = world.user.clone();
    let rewrite = move |body: &[u8]| String::from_utf8_lossy(body).replace(&user, "someone-else").into_bytes();
    world.server.faults().next(Route::Sync, 3, Fault::rewrite(rewrite));
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.read("SELECT count(*) FROM sync_entities").await, [["0"]]);
    let status = device.database.status();
    assert_eq!((status.kind(), status.error.unwrap().code), (StatusKind::Error, ErrorCode::ForeignRow));
    assert_eq!((status.refused_rows, status.has_synced), (1, true), "what could be exchanged was");
    device.database.trigger_sync().await.unwrap();
    assert_eq!((device.database.status().error, device.database.status().refused_rows), (None, 0));
    assert_eq!(device.read("SELECT count(*) FROM sync_entities").await, [["1"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_answers_are_typed_errors_and_lose_nothing() {
    let world = World::new().await;
    world.entity("e");
    for (name, fault, code) in [
        ("portal", Fault::Answer(Answer::html()), ErrorCode::BadResponse),
        ("cut", Fault::TruncateBody { keep_bytes: 40 }, ErrorCode::Network),
        ("down", Fault::status(503), ErrorCode::Server),
        ("gone", Fault::DropBefore, ErrorCode::Network),
        ("other json", Fault::Answer(Answer::status(200).body("{\"hello\":1}")), ErrorCode::BadResponse),
    ] {
        let device = world.device(name, QUIET);
        world.server.faults().next(Route::Sync, 3, fault);
        let error = device.database.trigger_sync().await.unwrap_err();
        assert!(error.code == code || (name == "cut" && error.code == ErrorCode::BadResponse), "{name}: {error:?}");
        world.server.faults().clear();
        device.database.trigger_sync().await.unwrap();
        assert_eq!(device.read("SELECT name FROM sync_entities").await, [["e"]], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_refused_absent_or_failing_are_states_with_a_way_out() {
    let world = World::new().await;
    world.entity("e");
    let device = world.device("a", QUIET);
    let good = world.server.backend().mint_token(&world.user).unwrap();
    for (answer, code) in [
        (Ok(None), ErrorCode::NoCredentials),
        (Err("keychain locked".to_owned()), ErrorCode::CredentialsFailed),
        (Ok(Some(("not a url".to_owned(), "t".to_owned()))), ErrorCode::CredentialsFailed),
        (Ok(Some((world.server.api_url(), "rubbish".to_owned()))), ErrorCode::Unauthorized),
    ] {
        device.answer_with(answer);
        let error = device.database.trigger_sync().await.unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(!error.message.contains("rubbish"));
    }
    device.sign_in(&world.server.api_url(), &good);
    device.database.trigger_sync().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn trigger_after_disconnect_does_one_round_and_stays_disconnected() {
    let world = World::new().await;
    let device = world.device("a", LIVELY);
    device.database.connect();
    device.wait_for(|s| s.kind() == StatusKind::Synced).await;
    device.database.disconnect();
    device.wait_for(|s| s.kind() == StatusKind::Offline).await;
    let id = world.entity("late");
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.read("SELECT id FROM sync_entities").await, [[id]]);
    device.wait_for(|s| s.kind() == StatusKind::Offline && !s.connected).await;
    let before = world.server.traffic().requests(Route::Sync);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await; // six poll intervals
    assert_eq!(world.server.traffic().requests(Route::Sync), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn clear_and_reconnect_pulls_again_and_keeps_what_is_pending() {
    let world = World::new().await;
    world.server.backend().seed(&world.user, 200).unwrap();
    let device = world.device("a", r#"{"pollIntervalMs":50,"uploadThrottleMs":3600000}"#);
    device.database.trigger_sync().await.unwrap();
    let count = || device.read("SELECT count(*) FROM sync_entities");
    let all = count().await;
    world.server.faults().next(Route::Upload, 1000, Fault::status(503));
    device.execute(&insert(ID, "pending")).await.unwrap();
    device.database.clear_and_reconnect().await.unwrap();
    assert_eq!(device.read(&format!("SELECT name FROM sync_entities WHERE id = '{ID}'")).await, [["pending"]]);
    device.wait_for(|s| s.error.as_ref().is_some_and(|e| e.code == ErrorCode::Server)).await;
    assert_eq!(device.database.status().pending_changes, 1);
    assert_eq!(count().await[0][0].parse::<u64>().unwrap(), all[0][0].parse::<u64>().unwrap() + 1, "downloads go on");
    world.server.faults().clear();
    device.wait_for(|s| s.pending_changes == 0 && s.kind() == StatusKind::Synced).await;
    assert!(world.row("sync_entities", ID).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_in_the_middle_of_a_round_answers_everyone_and_frees_the_file() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    world.server.faults().next(Route::Sync, 3, Fault::Delay(std::time::Duration::from_secs(30)));
    let round = tokio::spawn(device.database.trigger_sync());
    world.server.traffic().wait_for(Route::Sync, 1).await;
    device.database.close().await;
    assert_eq!(round.await.unwrap().unwrap_err().code, ErrorCode::Closed);
    drop(device);
    let again = world.device("a", QUIET);
    world.server.faults().clear();
    again.database.trigger_sync().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_a_row_whose_insert_is_sent_but_not_read_back_is_not_lost() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    device.execute(&insert(ID, "first")).await.unwrap();
    device.database.upload_data().await.unwrap();
    assert_eq!(device.database.status().pending_changes, 1, "sent is not proven");
    device.execute(&format!("UPDATE sync_entities SET source_id = 'edited' WHERE id = '{ID}'")).await.unwrap();
    device.execute(&format!("UPDATE sync_entities SET properties = '[2]' WHERE id = '{ID}'")).await.unwrap();
    device.database.trigger_sync().await.unwrap();
    let row = world.row("sync_entities", ID).unwrap();
    assert_eq!((&row["name"], &row["source_id"], &row["properties"]), (&json!("first"), &json!("edited"), &json!([2])));
    let status = device.database.status();
    assert_eq!((status.pending_changes, status.parked_changes), (0, 0));
    let here = device.read("SELECT name, source_id, properties FROM sync_entities").await;
    assert_eq!(here, [["first", "edited", "[2]"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_arrive_to_the_last_bit() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    let json = r#"{"x":-26.175278461985638,"y":[0.1,1e-7,123456789.12345679]}"#;
    device
        .execute(&format!(
            "INSERT INTO sync_entities (id, entity_type, name, properties) VALUES ('{ID}', 'task', 'n', '{json}')"
        ))
        .await
        .unwrap();
    device.database.trigger_sync().await.unwrap();
    assert_eq!((device.database.status().pending_changes, device.database.status().parked_changes), (0, 0));
    let there: Value = world.row("sync_entities", ID).unwrap()["properties"].clone();
    assert_eq!(there, serde_json::from_str::<Value>(json).unwrap());
    assert_eq!(there["x"].as_f64().unwrap().to_bits(), (-26.175278461985638_f64).to_bits());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_editing_one_row_at_once_converge_and_park_nothing() {
    let world = World::new().await;
    let id = world.entity("start");
    let (a, b) = (world.device("a", QUIET), world.device("b", QUIET));
    for device in [&a, &b] {
        device.database.trigger_sync().await.unwrap();
    }
    for i in 0..60 {
        for (device, name) in [(&a, "a"), (&b, "b")] {
            let set = if i % 3 == 0 { "source_id" } else { "name" };
            device.execute(&format!("UPDATE sync_entities SET {set} = '{name}{i}' WHERE id = '{id}'")).await.unwrap();
        }
        let (one, two) = tokio::join!(a.database.trigger_sync(), b.database.trigger_sync());
        one.unwrap();
        two.unwrap();
    }
    for device in [&a, &b, &a, &b, &a, &b] {
        device.database.trigger_sync().await.unwrap();
    }
    for device in [&a, &b] {
        let status = device.database.status();
        assert_eq!((status.pending_changes, status.parked_changes), (0, 0));
    }
    let read = "SELECT name, source_id FROM sync_entities";
    assert_eq!(a.read(read).await, b.read(read).await);
    let there = world.row("sync_entities", &id).unwrap();
    assert_eq!(a.read(read).await[0], [there["name"].as_str().unwrap(), there["source_id"].as_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swallowed_second_change_is_parked_though_the_first_arrived() {
    let world = World::new().await;
    let id = world.entity("theirs");
    let device = world.device("a", QUIET);
    device.database.trigger_sync().await.unwrap();
    device.execute(&format!("UPDATE sync_entities SET name = 'fine' WHERE id = '{id}'")).await.unwrap();
    device.execute(&format!("UPDATE sync_entities SET entity_type = 'no such type' WHERE id = '{id}'")).await.unwrap();
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.database.status().pending_changes, 2, "sent together, and once more each by itself");
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.database.status().pending_changes, 1, "sent once more, in case another device wrote meanwhile");
    device.database.trigger_sync().await.unwrap();
    let status = device.database.status();
    assert_eq!((status.pending_changes, status.parked_changes), (0, 1));
    assert_eq!(world.row("sync_entities", &id).unwrap()["name"], "fine");
    assert_eq!(device.read("SELECT name, entity_type FROM sync_entities").await, [["fine", "no such type"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_row_takes_the_servers_defaults_for_what_was_left_out() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    device
        .execute(&format!("INSERT INTO sync_entities (id, entity_type, name) VALUES ('{ID}', 'task', 'x')"))
        .await
        .unwrap();
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.read("SELECT properties, created_at IS NULL FROM sync_entities").await, [["{}", "0"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_not_fetched_again_once_its_window_is_old() {
    let world = World::new().await;
    let long_ago = "2026-01-01T00:00:00.000000Z";
    for i in 0..50 {
        let row = json!({"entity_type":"task","name":format!("n{i}")});
        world.server.backend().upsert_at(&world.user, "sync_entities", row, long_ago).unwrap();
    }
    let device = world.device("a", r#"{"pageLimit":10,"pollIntervalMs":3600000}"#);
    device.database.trigger_sync().await.unwrap();
    let before = world.server.traffic().requests(Route::Sync);
    device.database.trigger_sync().await.unwrap();
    // one page of each table, and one more with a higher limit, since the newest instant is longer than a page
    assert!(world.server.traffic().requests(Route::Sync) - before <= 4);
    // what is committed late, within the window, is still found
    world.server.backend().upsert(&world.user, "sync_entities", json!({"entity_type":"task","name":"now"})).unwrap();
    device.database.trigger_sync().await.unwrap();
    let ten_seconds_ago = time_text(-10_000);
    let row = json!({"entity_type":"task","name":"late commit"});
    world.server.backend().upsert_at(&world.user, "sync_entities", row, &ten_seconds_ago).unwrap();
    device.database.trigger_sync().await.unwrap();
    assert_eq!(device.read("SELECT count(*) FROM sync_entities WHERE name = 'late commit'").await, [["1"]]);
}

/// Now and so many milliseconds, as ISO 8601.
fn time_text(offset_ms: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    omnii_sync_core::timestamp::format_micros(i64::try_from(now.as_micros()).unwrap() + offset_ms * 1000)
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_calls_beside_the_rounds_and_frees_the_file_at_once() {
    let world = World::new().await;
    let device = world.device("a", QUIET);
    world.server.faults().next(Route::Health, 1, Fault::Delay(std::time::Duration::from_secs(30)));
    let database = device.database.clone();
    let call = tokio::spawn(async move { database.health().await });
    world.server.traffic().wait_for(Route::Health, 1).await;
    device.database.close().await;
    let again = world.device("a", QUIET); // though `device` still holds the closed one
    assert_eq!(call.await.unwrap().unwrap_err().code, ErrorCode::Closed);
    again.database.trigger_sync().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_disconnect_no_page_is_applied() {
    let world = World::new().await;
    world.server.backend().seed(&world.user, 5000).unwrap();
    let device = world.device("a", r#"{"pageLimit":50,"pollIntervalMs":3600000}"#);
    device.database.connect();
    device.wait_for(|s| s.downloading && s.connected).await;
    device.database.disconnect();
    device.database.settled().await;
    assert_eq!(device.kind(), StatusKind::Offline);
    let count = || device.read("SELECT count(*) FROM sync_entities");
    device.execute("SELECT 1").await.unwrap(); // behind whatever was on the writer
    let now = count().await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(count().await, now);
    device.database.trigger_sync().await.unwrap();
    assert_eq!(count().await, [[world.server.backend().count(&world.user, "sync_entities").unwrap().to_string()]]);
}
