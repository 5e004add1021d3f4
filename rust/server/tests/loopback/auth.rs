//! Dev auth in GoTrue's shapes: the rules that `@supabase/supabase-js` relies on.

use std::time::Duration;

use omnii_sync_server::{Clock, Config, Server};
use serde_json::{Value, json};

use crate::client::{Answer, Client, read, start, start_with};

const EPOCH_US: i64 = 1_769_422_272_000_000;

async fn sign_in(client: &Client, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password }).to_string();
    client.post("/auth/v1/token?grant_type=password", body).await
}

async fn refresh(client: &Client, token: &Value) -> Answer {
    let body = json!({ "refresh_token": token }).to_string();
    client.post("/auth/v1/token?grant_type=refresh_token", body).await
}

fn access(session: &Value) -> &str {
    session["access_token"].as_str().unwrap()
}

async fn health(client: &Client, token: &str) -> u16 {
    client.get_as(token, "/api/powersync/health").await.unwrap().status().as_u16()
}

#[tokio::test]
async fn signing_up_opens_a_session_with_supabases_shape() {
    let client = start_with(Config { clock: Clock::manual(EPOCH_US), token_lifetime_s: 60, ..Config::test() }).await;
    let body = json!({ "email": " New@Example.com ", "password": "secret-3", "data": { "nick": "n" } }).to_string();
    let (status, session) = client.post("/auth/v1/signup", body).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("bearer"), &json!(60)));
    assert_eq!(session["expires_at"], EPOCH_US / 1_000_000 + 60);
    let user = &session["user"];
    assert_eq!(
        (&user["email"], &user["aud"], &user["role"]),
        (&json!("new@example.com"), &json!("authenticated"), &json!("authenticated"))
    );
    assert_eq!((&user["user_metadata"]["nick"], &user["identities"][0]["provider"]), (&json!("n"), &json!("email")));
    assert_eq!(user["created_at"], "2026-01-26T10:11:12.000000Z");

    let bearer = access(&session);
    let (_, me) = read(client.get_as(bearer, "/auth/v1/user").await.unwrap()).await;
    assert_eq!(&me, user);
    let health = read(client.get_as(bearer, "/api/powersync/health").await.unwrap()).await.1;
    assert_eq!(health["userId"], user["id"]);
}

#[tokio::test]
async fn sign_up_refuses_with_gotrues_codes() {
    let client = start().await;
    let cases = [
        (json!({ "email": "ADA@example.com", "password": "secret-1" }), 422, "user_already_exists"),
        (json!({ "email": "b@example.com", "password": "short" }), 422, "weak_password"),
        (json!({ "email": "b@example.com", "password": "x".repeat(73) }), 400, "validation_failed"),
        (json!({ "email": "b@example.com" }), 400, "validation_failed"),
        (json!({ "email": "nope", "password": "secret-1" }), 400, "validation_failed"),
        (json!({ "phone": "123", "password": "secret-1" }), 422, "phone_provider_disabled"),
        (json!({}), 422, "anonymous_provider_disabled"),
        (json!([]), 400, "bad_json"),
        (json!({ "email": 5 }), 400, "bad_json"),
    ];
    for (body, status, code) in cases {
        let answer = client.post("/auth/v1/signup", body.to_string()).await;
        assert_eq!(
            (answer.0, &answer.1["error_code"], &answer.1["code"]),
            (status, &json!(code), &json!(status)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn errors_have_string_codes_for_clients_that_ask_for_them() {
    let client = start().await;
    let url = format!("{}/auth/v1/token?grant_type=password", client.server.url());
    let request =
        client.http.post(url).header("x-supabase-api-version", "2024-01-01").body(r#"{"email":"a@b","password":"c"}"#);
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-supabase-api-version"], "2024-01-01");
    let expected = json!({ "code": "invalid_credentials", "message": "Invalid login credentials" });
    assert_eq!(read(response).await, (400, expected));
}

#[tokio::test]
async fn only_the_right_password_signs_in() {
    let client = start().await;
    assert_eq!(sign_in(&client, "Ada@Example.com", "secret-1").await.0, 200);
    for (email, password) in
        [("ada@example.com", "secret-2"), ("ada@example.com", ""), ("nobody@example.com", "secret-1")]
    {
        let (status, body) = sign_in(&client, email, password).await;
        assert_eq!((status, &body["error_code"]), (400, &json!("invalid_credentials")));
    }
    let (status, body) = client.post("/auth/v1/token?grant_type=magic", "{}").await;
    assert_eq!((status, &body["error_code"]), (400, &json!("unsupported_grant_type")));
    assert_eq!(client.post("/auth/v1/token", "{}").await.0, 400);
}

#[tokio::test]
async fn access_tokens_expire_and_refreshing_makes_new_ones() {
    let clock = Clock::manual(EPOCH_US);
    let client = start_with(Config { clock: clock.clone(), token_lifetime_s: 60, ..Config::test() }).await;
    let (_, session) = sign_in(&client, "ada@example.com", "secret-1").await;
    clock.advance(Duration::from_secs(59));
    assert_eq!(health(&client, access(&session)).await, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(health(&client, access(&session)).await, 401);
    let (status, body) = read(client.get_as(access(&session), "/auth/v1/user").await.unwrap()).await;
    assert_eq!((status, &body["error_code"]), (403, &json!("bad_jwt")));
    let (status, renewed) = refresh(&client, &session["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_eq!(health(&client, access(&renewed)).await, 200);
    assert_ne!(renewed["refresh_token"], session["refresh_token"]);
}

#[tokio::test]
async fn the_token_just_replaced_works_for_a_moment_and_gets_the_current_one() {
    let clock = Clock::manual(EPOCH_US);
    let client = start_with(Config { clock: clock.clone(), ..Config::test() }).await;
    let (_, first) = sign_in(&client, "ada@example.com", "secret-1").await;
    let (_, second) = refresh(&client, &first["refresh_token"]).await;
    clock.advance(Duration::from_secs(9));
    let (status, again) = refresh(&client, &first["refresh_token"]).await;
    assert_eq!((status, &again["refresh_token"]), (200, &second["refresh_token"]));
    assert_ne!(again["access_token"], second["access_token"]);
    clock.advance(Duration::from_secs(1));
    let (status, body) = refresh(&client, &first["refresh_token"]).await;
    assert_eq!((status, &body["error_code"]), (400, &json!("refresh_token_already_used")));
}

#[tokio::test]
async fn an_older_token_is_refused_and_ends_the_refreshing_of_its_session() {
    let client = start().await;
    let (_, other) = sign_in(&client, "ada@example.com", "secret-1").await;
    let (_, first) = sign_in(&client, "ada@example.com", "secret-1").await;
    let (_, second) = refresh(&client, &first["refresh_token"]).await;
    let (_, third) = refresh(&client, &second["refresh_token"]).await;
    let (status, body) = refresh(&client, &first["refresh_token"]).await;
    assert_eq!((status, &body["error_code"]), (400, &json!("refresh_token_already_used")));
    assert_eq!(
        refresh(&client, &third["refresh_token"]).await.0,
        400,
        "somebody has a copy: the thief may hold this one"
    );
    assert_eq!(refresh(&client, &other["refresh_token"]).await.0, 200, "another session is none of its business");
    for rubbish in [json!("abc"), json!(""), Value::Null] {
        let (status, body) = refresh(&client, &rubbish).await;
        assert_eq!((status, &body["error_code"]), (400, &json!("refresh_token_not_found")), "{rubbish}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_sessions_of_its_scope_at_once() {
    for (scope, alive) in [
        ("", [false, false]),
        ("?scope=global", [false, false]),
        ("?scope=local", [false, true]),
        ("?scope=others", [true, false]),
    ] {
        let client = start().await;
        let (_, mine) = sign_in(&client, "ada@example.com", "secret-1").await;
        let (_, other) = sign_in(&client, "ada@example.com", "secret-1").await;
        let path = format!("/auth/v1/logout{scope}");
        assert_eq!(client.post_as(access(&mine), &path, "").await.unwrap().0, 204);
        for (session, alive) in [(mine, alive[0]), (other, alive[1])] {
            assert_eq!(health(&client, access(&session)).await == 200, alive, "{scope}");
            assert_eq!(refresh(&client, &session["refresh_token"]).await.0 == 200, alive, "{scope}");
            let (status, body) = read(client.get_as(access(&session), "/auth/v1/user").await.unwrap()).await;
            let code = if alive { Value::Null } else { json!("session_not_found") };
            assert_eq!((status, &body["error_code"]), (if alive { 200 } else { 403 }, &code), "{scope}");
        }
    }
}

#[tokio::test]
async fn signing_out_needs_a_token_and_a_known_scope() {
    let client = start().await;
    assert_eq!(client.post("/auth/v1/logout?scope=all", "").await.0, 400);
    let (status, body) = client.post_as("rubbish", "/auth/v1/logout", "").await.unwrap();
    assert_eq!((status, &body["error_code"]), (403, &json!("bad_jwt")));
    let url = format!("{}/auth/v1/user", client.server.url());
    let (status, body) = read(client.http.get(url).send().await.unwrap()).await;
    assert_eq!((status, &body["error_code"]), (401, &json!("no_authorization")));
}

#[tokio::test]
async fn tokens_of_another_server_are_refused_and_a_shared_secret_is_shared() {
    let client = start().await;
    let other = start().await;
    assert_eq!(health(&client, &other.token).await, 401, "each database has its own random secret");
    let shared = || Config { jwt_secret: Some("shared".into()), ..Config::test() };
    let (a, b) = (start_with(shared()).await, Server::start(shared()).await.unwrap());
    let (status, body) = {
        let url = format!("{}/health", b.api_url());
        read(a.http.get(url).bearer_auth(&a.token).send().await.unwrap()).await
    };
    assert_eq!(status, 401);
    assert!(
        body["message"].as_str().unwrap().contains("session"),
        "the signature fits, the session is not there: {body}"
    );
}

#[tokio::test]
async fn passwords_and_refresh_tokens_are_not_in_the_database() {
    let client = start().await;
    let (_, session) = sign_in(&client, "ada@example.com", "secret-1").await;
    let dump = client.server.backend().with_connection(|connection| {
        let mut dump = String::new();
        for table in ["omnii_users", "omnii_sessions"] {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                (0..columns).for_each(|n| dump.push_str(&format!("{:?} ", row.get_ref(n).unwrap())));
            }
        }
        dump
    });
    assert!(!dump.contains("secret-1"));
    assert!(!dump.contains(session["refresh_token"].as_str().unwrap()));
}
