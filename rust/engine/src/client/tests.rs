use super::*;
use crate::clock::SystemClock;
use crate::transport::BoxFuture;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Answers from a script and keeps what was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Result<HttpResponse, SyncError>>>,
    requests: Mutex<Vec<HttpRequest>>,
}

impl Transport for Script {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, SyncError>> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().expect("one request too many");
        Box::pin(async move { answer })
    }
}

fn answer(status: u16, body: &str) -> Result<HttpResponse, SyncError> {
    Ok(HttpResponse { status, retry_after_ms: None, body: body.as_bytes().to_vec() })
}

struct Rig {
    client: Client,
    script: Arc<Script>,
    fetches: Arc<AtomicUsize>,
    contacts: Arc<AtomicUsize>,
}

/// The app answers each fetch with the next of these tokens, and with "nobody" when they have run out.
fn rig(tokens: &'static [&'static str], answers: impl IntoIterator<Item = Result<HttpResponse, SyncError>>) -> Rig {
    let script = Arc::new(Script::default());
    script.answers.lock().unwrap().extend(answers);
    let fetches = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetches);
    let store = Arc::new_cyclic(|store: &std::sync::Weak<CredentialStore>| {
        let store = store.clone();
        let ask = move |id| {
            let token = tokens.get(count.fetch_add(1, SeqCst));
            let answer = token.map(|t| Credentials::new("https://example.org/api/", *t, None).unwrap());
            store.upgrade().unwrap().provide(id, Ok(answer));
        };
        CredentialStore::new(ask, Arc::new(SystemClock), Duration::from_secs(1))
    });
    let client = Client::new(script.clone(), store, Duration::from_secs(7));
    let contacts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&contacts);
    client.on_contact(move || {
        count.fetch_add(1, SeqCst);
    });
    Rig { client, script, fetches, contacts }
}

impl Rig {
    fn tokens_used(&self) -> Vec<String> {
        self.script.requests.lock().unwrap().iter().map(|r| r.token.clone()).collect()
    }
}

#[tokio::test]
async fn a_request_carries_everything_and_its_answer_comes_back() {
    let rig = rig(&["t"], [answer(200, " \n{\"a\":1}"), answer(200, "{}")]);
    assert_eq!(rig.client.get("/sync?since=x").await.unwrap().body, b" \n{\"a\":1}");
    rig.client.post("/upload", b"{}".to_vec()).await.unwrap();
    let request = |method, path: &str, body: Option<&[u8]>| HttpRequest {
        method,
        url: format!("https://example.org/api{path}"),
        token: "t".to_owned(),
        body: body.map(<[u8]>::to_vec),
        timeout: Duration::from_secs(7),
    };
    assert_eq!(
        *rig.script.requests.lock().unwrap(),
        [request(Method::Get, "/sync?since=x", None), request(Method::Post, "/upload", Some(b"{}"))]
    );
    assert_eq!((rig.fetches.load(SeqCst), rig.contacts.load(SeqCst)), (1, 2));
}

#[tokio::test]
async fn every_status_has_its_class() {
    use ErrorCode as E;
    let table = [
        (204, "", E::BadResponse),
        (200, "", E::BadResponse),
        (200, "<!doctype html><title>Welcome to the train</title>", E::BadResponse),
        (200, "[1]", E::BadResponse),
        (301, "", E::BadResponse),
        (302, "{}", E::BadResponse),
        (304, "", E::BadResponse),
        (101, "", E::BadResponse),
        (999, "", E::BadResponse),
        (400, "{}", E::Rejected),
        (400, "<html>Bad Request", E::BadResponse),
        (409, "", E::BadResponse),
        (403, "{}", E::Unauthorized),
        (404, "<html>", E::BadResponse),
        (405, "", E::BadResponse),
        (422, "{}", E::Rejected),
        (408, "", E::Server),
        (413, "{}", E::TooLarge),
        (429, "", E::Server),
        (500, "oops", E::Server),
        (503, "", E::Server),
        (599, "", E::Server),
    ];
    for (status, body, code) in table {
        let rig = rig(&["t"], [answer(status, body)]);
        let error = rig.client.get("/sync").await.unwrap_err();
        assert_eq!(error.error.code, code, "{status} {body}");
        assert_eq!(error.error.retryable, code.retryable());
        assert_eq!(rig.contacts.load(SeqCst), 0);
    }
}

#[tokio::test]
async fn retry_after_is_passed_on() {
    let busy = HttpResponse { status: 503, retry_after_ms: Some(9_000), body: Vec::new() };
    let rig = rig(&["t"], [Ok(busy)]);
    assert_eq!(rig.client.get("/sync").await.unwrap_err().retry_after_ms, Some(9_000));
}

#[tokio::test]
async fn the_servers_words_are_quoted_and_cut() {
    let long = format!(r#"{{"error":"{}"}}"#, "ü".repeat(5_000));
    let table = [
        (
            r#"{"error":"Bad Request","message":"no such table"}"#,
            "the backend refused the request (400: no such table)",
        ),
        (r#"{"error":"Bad Request"}"#, "the backend refused the request (400: Bad Request)"),
        (r#"{"error":"a\u0000b\nc","message":" "}"#, "the backend refused the request (400: a b c)"),
        (r#"{"error":{"code":7}}"#, "the backend refused the request (400)"),
        ("<html>secrets</html>", "the backend answered with status 400, which is not the protocol"),
        (&long, &format!("the backend refused the request (400: {})", "ü".repeat(200))),
    ];
    for (body, message) in table {
        let rig = rig(&["t"], [answer(400, body)]);
        assert_eq!(rig.client.get("/sync").await.unwrap_err().error.message, message);
    }
}

#[tokio::test]
async fn a_rejected_token_is_refreshed_once() {
    let rig = rig(&["old", "new"], [answer(401, "{}"), answer(200, "{}"), answer(200, "{}")]);
    rig.client.post("/upload", b"{}".to_vec()).await.unwrap();
    rig.client.get("/sync").await.unwrap();
    assert_eq!(rig.tokens_used(), ["old", "new", "new"]);
    assert!(rig.script.requests.lock().unwrap()[1].body.is_some(), "the body goes along again");
    assert_eq!(rig.fetches.load(SeqCst), 2);
}

#[tokio::test]
async fn twice_rejected_is_unauthorized_and_the_next_call_asks_the_app() {
    let rig = rig(&["a", "b", "c"], [answer(401, "{}"), answer(401, "{}"), answer(200, "{}")]);
    let error = rig.client.get("/sync").await.unwrap_err().error;
    assert_eq!((error.code, error.retryable), (ErrorCode::Unauthorized, true));
    rig.client.get("/sync").await.unwrap();
    assert_eq!(rig.tokens_used(), ["a", "b", "c"]);
}

#[tokio::test]
async fn the_same_token_is_not_tried_twice_in_one_call() {
    let rig = rig(&["a", "a", "a"], [answer(401, "{}"), answer(200, "{}")]);
    assert_eq!(rig.client.get("/sync").await.unwrap_err().error.code, ErrorCode::Unauthorized);
    assert_eq!(rig.tokens_used(), ["a"]);
    rig.client.get("/sync").await.unwrap();
    assert_eq!(rig.fetches.load(SeqCst), 3);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let nobody = rig(&[], []);
    assert_eq!(nobody.client.get("/sync").await.unwrap_err().error.code, ErrorCode::NoCredentials);
    // Signed out in the middle.
    let left = rig(&["a"], [answer(401, "{}")]);
    assert_eq!(left.client.get("/sync").await.unwrap_err().error.code, ErrorCode::NoCredentials);
    assert_eq!(left.tokens_used(), ["a"]);
}

#[tokio::test]
async fn errors_of_the_way_pass_through() {
    let rig = rig(&["t"], [Err(SyncError::new(ErrorCode::Timeout, "late"))]);
    assert_eq!(rig.client.get("/sync").await.unwrap_err().error.code, ErrorCode::Timeout);
}
