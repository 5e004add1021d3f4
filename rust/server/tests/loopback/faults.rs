//! Faults on order, and the counters.

use std::time::{Duration, Instant};

use omnii_sync_server::{Answer, Fault, Gate, Recorded, Route};
use serde_json::{Value, json};

use crate::client::{Client, id, start, task};

fn upload_of(n: u32) -> String {
    json!({ "changes": { "sync_entities": [{ "type": "PUT", "data": task(n, "a") }] } }).to_string()
}

async fn raw_upload(client: &Client, n: u32) -> reqwest::Result<reqwest::Response> {
    let url = format!("{}/upload", client.server.api_url());
    client.http.post(url).bearer_auth(&client.token).body(upload_of(n)).send().await
}

#[tokio::test]
async fn a_failed_table_is_missing_with_status_200() {
    let client = start().await;
    client.put("sync_events", json!({ "id": id(1) })).await;
    client.server.faults().next(Route::Sync, 1, Fault::fail_table("sync_entities"));
    let page = client.sync("").await;
    let tables: Vec<_> = page["changes"].as_object().unwrap().keys().collect();
    assert_eq!(tables, ["sync_events", "sync_relationships"]);
    assert_eq!(page["changes"]["sync_events"].as_array().unwrap().len(), 1);
    assert_eq!(client.sync("").await["changes"].as_object().unwrap().len(), 3, "for one request only");
}

#[tokio::test]
async fn a_table_that_really_fails_is_missing_too() {
    let client = start().await;
    client.server.backend().with_connection(|c| c.execute_batch("DROP TABLE sync_relationships").unwrap());
    let page = client.sync("").await;
    assert_eq!(page["changes"], json!({ "sync_entities": [], "sync_events": [] }));
    let results = client
        .upload(r#"{"sync_relationships":[{"type":"DELETE","id":"00000000-0000-4000-8000-000000000001"}]}"#)
        .await;
    assert_eq!(results["sync_relationships"]["success"], 0);
    assert_eq!(results["sync_relationships"]["errors"].as_array().unwrap().len(), 1, "an exception, not a refusal");
}

#[tokio::test]
async fn made_up_answers_come_before_or_after_processing() {
    let client = start().await;
    let faults = client.server.faults();
    faults.next(Route::Upload, 2, Fault::Answer(Answer::status(503).retry_after("7")));
    faults.next(Route::Upload, 1, Fault::AnswerAfter(Answer::status(502)));
    for _ in 0..2 {
        let response = raw_upload(&client, 1).await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "7"));
        assert_eq!(client.count("sync_entities"), 0);
    }
    assert_eq!(raw_upload(&client, 1).await.unwrap().status(), 502);
    assert_eq!(client.count("sync_entities"), 1);
    assert_eq!(raw_upload(&client, 2).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_truncated_body_breaks_off_after_what_was_kept() {
    let client = start().await;
    client.put("sync_entities", task(1, "a")).await;
    client.server.faults().next(Route::Sync, 1, Fault::TruncateBody { keep_bytes: 30 });
    let mut response = client.get_as(&client.token, "/api/powersync/sync").await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.content_length().unwrap() > 30);
    let mut received = Vec::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => received.extend_from_slice(&chunk),
            Ok(None) => panic!("the body ended as if it were whole"),
            Err(error) => break error,
        }
    };
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert_eq!(received, br#"{"changes":{"sync_entities":[{"#);
}

#[tokio::test]
async fn bodies_can_be_replaced_or_rewritten() {
    let client = start().await;
    client.put("sync_entities", task(1, "a")).await;
    client.server.faults().next(Route::Sync, 1, Fault::Answer(Answer::html()));
    let response = client.get_as(&client.token, "/api/powersync/sync").await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()), (200, "text/html"));
    assert!(response.text().await.unwrap().starts_with("<html>"));
    let foreign = |body: &[u8]| {
        let mut page: Value = serde_json::from_slice(body).unwrap();
        page["changes"]["sync_entities"][0]["user_id"] = json!("somebody else, with a longer name than a uuid has");
        page.to_string().into_bytes()
    };
    client.server.faults().next(Route::Sync, 1, Fault::rewrite(foreign));
    let page = client.sync("").await;
    assert_eq!(page["changes"]["sync_entities"][0]["user_id"], "somebody else, with a longer name than a uuid has");
}

#[tokio::test]
async fn a_connection_dropped_before_processing_stored_nothing_and_one_dropped_after_did() {
    let client = start().await;
    for (fault, stored) in [(Fault::DropBefore, 0), (Fault::DropAfter, 1)] {
        // reqwest retries a request whose connection died before it was sent; these were sent, so once each.
        let before = client.server.traffic().requests(Route::Upload);
        client.server.faults().next(Route::Upload, 1, fault.clone());
        let error = raw_upload(&client, 1).await.unwrap_err();
        assert!(error.is_request(), "{fault:?} {error:?}");
        assert_eq!(client.server.traffic().requests(Route::Upload), before + 1);
        assert_eq!(client.count("sync_entities"), stored, "{fault:?}");
    }
}

#[tokio::test]
async fn a_delay_delays_and_a_gate_holds() {
    let client = start().await;
    client.server.faults().next(Route::Health, 1, Fault::Delay(Duration::from_millis(120)));
    let started = Instant::now();
    client.get("/api/powersync/health").await;
    assert!(started.elapsed() >= Duration::from_millis(120));

    let (before, after) = (Gate::closed(), Gate::closed());
    client.server.faults().next(Route::Upload, 1, Fault::HoldBefore(before.clone()));
    client.server.faults().next(Route::Upload, 1, Fault::HoldAfter(after.clone()));
    let steps = async {
        before.arrived(1).await;
        assert_eq!(client.count("sync_entities"), 0);
        before.open();
        after.arrived(1).await;
        assert_eq!(client.count("sync_entities"), 2, "processed, but not yet answered");
        after.open();
    };
    let uploads = async {
        assert_eq!(raw_upload(&client, 1).await.unwrap().status(), 200);
        assert_eq!(raw_upload(&client, 2).await.unwrap().status(), 200);
    };
    tokio::join!(steps, uploads);
}

#[tokio::test]
async fn faults_of_one_route_leave_the_others_alone_and_can_be_taken_back() {
    let client = start().await;
    client.server.faults().next(Route::Token, usize::MAX, Fault::status(500));
    assert_eq!(client.get("/api/powersync/health").await.0, 200);
    assert_eq!(client.post("/auth/v1/token?grant_type=password", "{}").await.0, 500);
    client.server.faults().clear();
    assert_eq!(client.post("/auth/v1/token?grant_type=password", "{}").await.0, 400);
}

#[tokio::test]
async fn requests_are_counted_and_recorded_on_demand() {
    let client = start().await;
    let traffic = client.server.traffic();
    client.get("/api/powersync/health").await;
    traffic.record();
    client.sync("limit=2&since=2026-01-01").await;
    raw_upload(&client, 1).await.unwrap();
    assert_eq!([Route::Health, Route::Sync, Route::Upload, Route::Token].map(|r| traffic.requests(r)), [1, 1, 1, 0]);
    traffic.wait_for(Route::Upload, 1).await;
    let expected = [
        Recorded { route: Route::Sync, query: "limit=2&since=2026-01-01".into(), body: String::new() },
        Recorded { route: Route::Upload, query: String::new(), body: upload_of(1) },
    ];
    assert_eq!(traffic.take_recorded(), expected);
    assert!(traffic.take_recorded().is_empty());
    assert_eq!(client.count("sync_entities"), 1, "recording does not eat the body");
}
