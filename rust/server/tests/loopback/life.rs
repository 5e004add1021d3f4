//! Starting, stopping, starting again.

use std::time::{Duration, Instant};

use omnii_sync_server::{Config, Fault, Gate, Route, Server, StartError};

use crate::client::{http, id, start, start_with, task};

#[tokio::test]
async fn a_stop_and_start_on_the_same_file_and_port_keeps_rows_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::test().on_file(folder.path().join("server.db"));
    let client = start_with(config.clone()).await;
    client.put("sync_entities", task(1, "kept")).await;
    let (addr, api) = (client.server.addr, client.server.api_url());
    client.server.stop().await;
    let refused = http().get(format!("{api}/health")).send().await.unwrap_err();
    assert!(refused.is_connect());

    let server = Server::start(config.on_port(addr.port())).await.unwrap();
    assert_eq!(server.addr, addr);
    // The old client with its pool and its token.
    let response = client.http.get(format!("{api}/sync")).bearer_auth(&client.token).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.unwrap().contains("\"kept\""));
    server.stop().await;
}

#[tokio::test]
async fn a_graceful_stop_lets_the_request_in_flight_finish() {
    let client = start().await;
    let gate = Gate::closed();
    client.server.faults().next(Route::Health, 1, Fault::HoldBefore(gate.clone()));
    let url = format!("{}/health", client.server.api_url());
    let request = tokio::spawn(client.http.get(&url).bearer_auth(&client.token).send());
    gate.arrived(1).await;
    let stop = tokio::spawn(client.server.stop());
    // Nobody new gets in once the listener is gone; the request is still held meanwhile.
    let fresh = http();
    while !fresh.get(&url).send().await.is_err_and(|error| error.is_connect()) {
        tokio::task::yield_now().await;
    }
    assert!(!stop.is_finished());
    gate.open();
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    stop.await.unwrap();
}

#[tokio::test]
async fn a_graceful_stop_cuts_what_does_not_finish_in_time_and_does_not_wait_for_idle_connections() {
    let client = start_with(Config { shutdown_grace: Duration::from_millis(200), ..Config::test() }).await;
    let gate = Gate::closed();
    client.server.faults().next(Route::Health, 1, Fault::HoldBefore(gate.clone()));
    let url = format!("{}/health", client.server.api_url());
    let request = tokio::spawn(client.http.get(&url).bearer_auth(&client.token).send());
    gate.arrived(1).await;
    client.server.stop().await;
    assert!(request.await.unwrap().unwrap_err().is_request());

    let idle = start_with(Config { shutdown_grace: Duration::from_secs(60), ..Config::test() }).await;
    idle.get("/api/powersync/health").await;
    let started = Instant::now();
    idle.server.stop().await;
    assert!(started.elapsed() < Duration::from_secs(30), "the kept-alive connection was waited for");
}

#[tokio::test]
async fn a_kill_cuts_requests_in_flight_and_keeps_what_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        Config { shutdown_grace: Duration::from_secs(60), ..Config::test() }.on_file(folder.path().join("server.db"));
    let client = start_with(config.clone()).await;
    let gate = Gate::closed();
    client.server.faults().next(Route::Upload, 1, Fault::HoldAfter(gate.clone()));
    let body = serde_json::json!({ "changes": { "sync_entities": [{ "type": "PUT", "data": task(1, "a") }] } });
    let url = format!("{}/upload", client.server.api_url());
    let request = tokio::spawn(client.http.post(url).bearer_auth(&client.token).body(body.to_string()).send());
    gate.arrived(1).await;
    let started = Instant::now();
    client.server.kill().await;
    assert!(started.elapsed() < Duration::from_secs(30), "a kill knows no grace");
    assert!(request.await.unwrap().unwrap_err().is_request());
    let server = Server::start(config).await.unwrap();
    assert!(server.backend().row(&client.user, "sync_entities", &id(1)).unwrap().is_some());
}

#[tokio::test]
async fn a_taken_port_and_a_bad_file_are_named() {
    let client = start().await;
    let taken = Server::start(Config::test().on_port(client.server.addr.port())).await.err().unwrap();
    assert!(matches!(taken, StartError::Bind { addr, .. } if addr == client.server.addr), "{taken}");
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Server::start(Config::test().on_file(folder.path().join("no/such/dir.db"))).await.err().unwrap();
    assert!(matches!(&nowhere, StartError::Database { path, .. } if path.ends_with("no/such/dir.db")), "{nowhere}");
    let file = folder.path().join("text.db");
    std::fs::write(&file, "this is no database, but long enough to be read as a header of one".repeat(20)).unwrap();
    let corrupt = Server::start(Config::test().on_file(file)).await.err().unwrap();
    assert!(matches!(corrupt, StartError::Database { .. }), "{corrupt}");
}
