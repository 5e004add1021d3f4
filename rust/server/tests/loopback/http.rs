//! Bad requests, limits and CORS.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use omnii_sync_server::Config;
use reqwest::Method;
use serde_json::json;

use crate::client::{id, read, start, start_with, task};

#[tokio::test]
async fn without_a_valid_token_every_route_of_the_protocol_is_401() {
    let client = start().await;
    let backend = client.server.backend();
    let expired = backend.mint_token_for(&client.user, 0).unwrap();
    let ended = backend.mint_token(&client.user).unwrap();
    backend.revoke_sessions(&client.user).unwrap();
    let headers = [
        (None, "Missing"),
        (Some(format!("Basic {}", client.token)), "Missing"),
        (Some("Bearer rubbish".to_owned()), "not a JWT"),
        (Some(format!("Bearer {expired}")), "expired"),
        (Some(format!("Bearer {ended}")), "session has ended"),
    ];
    let routes = [(Method::GET, "health"), (Method::GET, "sync"), (Method::POST, "upload"), (Method::POST, "populate")];
    for (method, route) in routes {
        for (header, expected) in &headers {
            let url = format!("{}/{route}", client.server.api_url());
            let mut request = client.http.request(method.clone(), url).body(r#"{"changes":{}}"#);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let (status, body) = read(request.send().await.unwrap()).await;
            assert_eq!((status, &body["error"]), (401, &json!("Unauthorized")), "{route} {header:?}");
            assert!(body["message"].as_str().unwrap().contains(expected), "{route} {header:?} {body}");
        }
    }
}

#[tokio::test]
async fn malformed_json_is_a_400_that_names_the_fault() {
    let client = start().await;
    let cases = [
        ("", "line 1 column 0"),
        ("{\"changes\":\n {", "line 2 column 2"),
        ("[]", "expected"),
        ("{}", "missing field `changes`"),
        (r#"{"changes":[]}"#, "changes: invalid type: sequence, expected an object"),
        (r#"{"changes":{"sync_entities":{}}}"#, "changes.sync_entities: invalid type: map, expected a sequence"),
        (r#"{"changes":{"sync_entities":[{"type":"PUT","data":"x"}]}}"#, "changes.sync_entities[0].data: invalid type"),
        (r#"{"changes":{"sync_entities":[1]}}"#, "changes.sync_entities[0]: invalid type"),
        (r#"{"changes":{}} x"#, "trailing characters at line 1 column 16"),
    ];
    for (text, expected) in cases {
        let (status, body) = client.post("/api/powersync/upload", text).await;
        let message = body["message"].as_str().unwrap_or_default();
        assert_eq!((status, &body["error"]), (400, &json!("Bad Request")), "{text} {body}");
        assert!(message.contains(expected), "{text} gave {message}");
    }
    let (status, _) = client.post("/api/powersync/upload", vec![0xff, 0xfe]).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_malformed_upload_is_refused_whole() {
    let client = start().await;
    let text = format!(r#"{{"changes":{{"sync_entities":[{{"type":"PUT","data":{}}},"#, task(1, "a"));
    assert_eq!(client.post("/api/powersync/upload", text).await.0, 400);
    assert_eq!(client.count("sync_entities"), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_one_at_the_limit_is_read() {
    let client = start_with(Config { body_limit_bytes: 1_000, ..Config::test() }).await;
    let padded = |bytes: usize| {
        let body = json!({ "changes": { "sync_entities": [{ "type": "PUT", "data": task(1, "a") }] } }).to_string();
        let padding = " ".repeat(bytes - body.len());
        body + &padding
    };
    let (status, body) = client.post("/api/powersync/upload", padded(1_001)).await;
    assert_eq!((status, &body["error"]), (413, &json!("Payload Too Large")));
    assert_eq!(body["message"], "The request's body is larger than 1000 bytes");
    assert!(client.row("sync_entities", &id(1)).is_none());
    assert_eq!(client.post("/api/powersync/upload", padded(1_000)).await.0, 200);
    assert!(client.row("sync_entities", &id(1)).is_some());
    let (status, body) = client.post("/auth/v1/signup", " ".repeat(1_001)).await;
    assert_eq!((status, &body["error_code"]), (413, &json!("request_too_large")));
}

/// A client that reads only after it has written everything loses the answer if the server stops reading: closing a
/// socket with unread data resets it.
#[tokio::test]
async fn a_client_that_writes_a_far_too_large_body_to_its_end_still_gets_the_413() {
    let client = start().await;
    let (addr, token) = (client.server.addr, client.token.clone());
    let answer = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(addr).unwrap();
        let bytes = 20 * 1024 * 1024;
        let head = format!(
            "POST /api/powersync/upload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-length: {bytes}\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&vec![b' '; bytes]).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains(r#""error":"Payload Too Large""#), "{answer}");
}

#[tokio::test]
async fn unknown_routes_are_404_and_wrong_methods_405_in_json() {
    let client = start().await;
    for path in ["/", "/api/powersync", "/api/powersync/nope", "/auth/v1/admin/users"] {
        let (status, body) = client.get(path).await;
        assert_eq!((status, &body["error"]), (404, &json!("Not Found")), "{path}");
    }
    for (method, path) in [(Method::POST, "/api/powersync/sync"), (Method::GET, "/api/powersync/upload")] {
        let request = client.http.request(method, format!("{}{path}", client.server.url()));
        let response = request.bearer_auth(&client.token).send().await.unwrap();
        assert!(response.headers().contains_key("allow"));
        let (status, body) = read(response).await;
        assert_eq!((status, &body["error"]), (405, &json!("Method Not Allowed")), "{path}");
    }
}

#[tokio::test]
async fn any_origin_may_call_with_any_header() {
    let client = start().await;
    let url = format!("{}/upload", client.server.api_url());
    let preflight = client
        .http
        .request(Method::OPTIONS, url)
        .header("origin", "http://localhost:8081")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,apikey,x-client-info");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(header("access-control-allow-headers"), "authorization,apikey,x-client-info");
    assert!(header("access-control-allow-methods").contains("POST"));
    let refused = client.http.get(format!("{}/sync", client.server.api_url())).header("origin", "http://x");
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], "*", "errors are readable from a browser, too");
}
