//! An app that comes from PowerSync: its file is taken in, and what was pending there reaches the backend.

#![allow(clippy::unwrap_used)] // helpers outside of #[test] functions

use omnii_sync_server::{Config, Server};
use omnii_sync_testkit::Device;
use std::path::PathBuf;

const QUIET: &str = r#"{"pollIntervalMs":3600000,"uploadThrottleMs":3600000}"#;

/// Made by the real PowerSync; its folder says how.
fn old_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../engine/fixtures/powersync/powersync.sqlite")
}

fn id(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pending_is_uploaded_and_what_is_gone_goes() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(Config::test().on_file(directory.path().join("server.db"))).await.unwrap();
    let user = server.backend().create_user("a@example.com", "secret-123").unwrap();
    let first = Device::open(&directory.path().join("first"), &user, QUIET).unwrap();
    first.sign_in(&server.api_url(), &server.backend().mint_token(&user).unwrap());
    // the backend as it is meanwhile: 601 has been changed elsewhere, 602 is there, 603 has been deleted
    for n in [601, 602] {
        let sql = "INSERT INTO sync_entities (id, entity_type, name, properties) VALUES";
        first.execute(&format!("{sql} ('{}', 'task', 'synced {n}', '{{\"n\":2}}')", id(n))).await.unwrap();
    }
    first.database.trigger_sync().await.unwrap();

    let device = Device::open_importing(&directory.path().join("second"), &user, QUIET, &old_file()).unwrap();
    device.sign_in(&server.api_url(), &server.backend().mint_token(&user).unwrap());
    let done = device.database.imported().unwrap();
    assert_eq!((done.rows, done.changes), (3, 3));
    assert_eq!(device.database.status().pending_changes, 3);
    let names = "SELECT name FROM sync_entities ORDER BY id";
    assert_eq!(device.read(names).await, [["renamed offline"], ["synced 603"], ["made offline"]]);

    device.database.trigger_sync().await.unwrap();
    let row = |n: u32| server.backend().row(&user, "sync_entities", &id(n)).unwrap();
    assert_eq!(row(601).unwrap()["name"], "renamed offline");
    assert_eq!(row(601).unwrap()["properties"]["n"], 2, "only what was changed is sent");
    assert!(row(602).is_none());
    assert_eq!(row(610).unwrap()["name"], "made offline");
    device.wait_for(|status| status.pending_changes == 0).await;
    device.database.reconcile().await.unwrap();
    assert_eq!(device.read(names).await, [["renamed offline"], ["made offline"]]);
    assert_eq!(device.database.status().parked_changes, 0);

    // without a row of its own the queue is not taken in a second time
    device.database.close().await;
    let again = Device::open_importing(&directory.path().join("second"), &user, QUIET, &old_file()).unwrap();
    assert_eq!(again.database.status().pending_changes, 0);
    assert_eq!(again.read(names).await, [["renamed offline"], ["made offline"]]);
    again.database.close().await;
    first.database.close().await;
}
