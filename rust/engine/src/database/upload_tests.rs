//! Uploads by the app, on paused time: who is asked when, what an answer does, and what happens without one. The backend is
//! made up: it never has a row, and fails on an upload.

use super::*;
use crate::store::CrudQuery;
use crate::transport::{BoxFuture, HttpRequest, Method};
use omnii_sync_core::StatusKind;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The app: hears of its requests in order.
struct App {
    asked: mpsc::UnboundedSender<u64>,
    credentials: mpsc::UnboundedSender<u64>,
}

impl DatabaseObserver for App {
    fn status_changed(&self, _: &Status) {}
    fn tables_changed(&self, _: &crate::Changes) {}
    fn credentials_requested(&self, request: u64) {
        let _ = self.credentials.send(request);
    }
    fn upload_requested(&self, request: u64) {
        let _ = self.asked.send(request);
    }
}

/// Answers every download with nothing, or not at all.
#[derive(Default)]
struct Backend {
    unreachable: AtomicBool,
}

impl Transport for Arc<Backend> {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse>> {
        Box::pin(async move {
            assert_eq!(request.method, Method::Get, "the engine itself uploads nothing");
            if self.unreachable.load(Ordering::SeqCst) {
                return Err(SyncError::new(ErrorCode::Network, "no way"));
            }
            let body = json!({ "changes": { "notes": [] }, "timestamp": "2026-01-01T00:00:00Z", "hasMore": false });
            Ok(HttpResponse { status: 200, retry_after_ms: None, body: body.to_string().into_bytes() })
        })
    }
}

struct Rig {
    database: Arc<Database>,
    asked: mpsc::UnboundedReceiver<u64>,
    backend: Arc<Backend>,
    _directory: tempfile::TempDir,
}

fn rig() -> Rig {
    let directory = tempfile::tempdir().unwrap();
    let sync = r#"{"pollIntervalMs":60000,"uploadThrottleMs":10,"maxBackoffMs":500,"stallTimeoutMs":4000}"#;
    let json = format!(
        r#"{{"schema":{{"tables":[{{"name":"notes","columns":[{{"name":"title","type":"text"}}]}}]}},"userId":"u",
            "directory":{:?},"sync":{sync},"customUpload":true}}"#,
        directory.path()
    );
    let options = OpenOptions::from_json(&json, || unreachable!("a directory is given")).unwrap();
    let backend = Arc::new(Backend::default());
    let environment = Environment {
        runtime: Handle::current(),
        transport: Arc::new(backend.clone()),
        clock: Arc::new(SystemClock),
        jitter: Jitter::seeded(7),
        execution: Execution::Inline,
    };
    let (asked, receive) = mpsc::unbounded_channel();
    let (credentials, mut tokens) = mpsc::unbounded_channel();
    let database = Arc::new(Database::open(options, environment, Arc::new(App { asked, credentials })).unwrap());
    let answering = Arc::downgrade(&database);
    tokio::spawn(async move {
        while let Some(request) = tokens.recv().await {
            let Some(database) = answering.upgrade() else { return };
            database.provide_credentials(request, Ok(Some(Credentials::new("http://x/api", "t", None).unwrap())));
        }
    });
    Rig { database, asked: receive, backend, _directory: directory }
}

impl Rig {
    async fn write(&self, sql: &str) {
        let (send, done) = oneshot::channel();
        self.database.execute(0, sql.into(), vec![], move |outcome| drop(send.send(outcome.map(|_| ()))));
        done.await.unwrap().unwrap();
    }
    /// The next question.
    async fn asked(&mut self) -> u64 {
        timeout(Duration::from_secs(60), self.asked.recv()).await.expect("the app is asked").unwrap()
    }
    async fn nobody_asks_for(&mut self, ms: u64) {
        assert!(timeout(Duration::from_millis(ms), self.asked.recv()).await.is_err(), "the app is asked again");
    }
    fn finish(&self, request: u64, error: &str) {
        self.database.finish_upload(request, error.into());
    }
    /// As an app that uploads one transaction when it is asked.
    async fn complete_one(&self) {
        let query = CrudQuery { after: None, transactions: 1, entries: 100 };
        let crud = self.database.crud(query).await.unwrap();
        if let Some(last) = crud.entries.last() {
            self.database.complete_crud(last.id).await.unwrap();
        }
    }
    fn code(&self) -> Option<ErrorCode> {
        self.database.status().error.map(|e| e.code)
    }
}

#[tokio::test(start_paused = true)]
async fn the_app_is_asked_until_nothing_is_left_and_not_for_nothing() {
    let mut rig = rig();
    rig.database.trigger_sync().await.unwrap();
    rig.nobody_asks_for(10).await;
    for n in 0..3 {
        rig.write(&format!("INSERT INTO notes (id) VALUES ('r{n}')")).await;
    }
    let round = tokio::spawn(rig.database.trigger_sync());
    for left in [2, 1, 0] {
        let request = rig.asked().await;
        assert!(rig.database.status().uploading);
        rig.complete_one().await;
        rig.finish(request, "");
        assert_eq!(rig.database.status().pending_changes, left);
    }
    round.await.unwrap().unwrap();
    rig.nobody_asks_for(100).await;
    assert_eq!(rig.database.status().kind(), StatusKind::Offline, "not connected: it was one round");
}

#[tokio::test(start_paused = true)]
async fn an_app_that_leaves_changes_where_they_are_is_asked_again_at_the_next_round() {
    let mut rig = rig();
    rig.write("INSERT INTO notes (id) VALUES ('a')").await;
    rig.database.connect();
    let request = rig.asked().await;
    rig.finish(request, "");
    rig.nobody_asks_for(50_000).await;
    assert_eq!((rig.database.status().kind(), rig.database.status().pending_changes), (StatusKind::Synced, 1));
    let request = rig.asked().await;
    rig.complete_one().await;
    rig.finish(request, "");
    rig.nobody_asks_for(100_000).await;
    assert_eq!(rig.database.status().pending_changes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_upload_is_an_error_of_the_round_downloads_go_on_and_it_is_tried_again() {
    let mut rig = rig();
    rig.write("INSERT INTO notes (id) VALUES ('a')").await;
    rig.database.connect();
    let request = rig.asked().await;
    rig.finish(request, "the API says no");
    rig.finish(request, "");
    tokio::time::sleep(Duration::from_millis(1)).await;
    let status = rig.database.status();
    let error = status.error.clone().unwrap();
    assert_eq!(
        (error.code, error.message.as_str(), error.retryable),
        (ErrorCode::UploadFailed, "the API says no", true)
    );
    assert!(status.has_synced && status.next_retry_at_ms.is_some() && status.kind() == StatusKind::Error);
    let again = rig.asked().await;
    assert_ne!(again, request);
    // the answer to the old question is not one to the new
    rig.complete_one().await;
    rig.finish(request, "late");
    rig.finish(again, "");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((rig.code(), rig.database.status().kind()), (None, StatusKind::Synced));
    // without a network the app's failure is not the news
    rig.backend.unreachable.store(true, Ordering::SeqCst);
    rig.write("INSERT INTO notes (id) VALUES ('b')").await;
    let request = rig.asked().await;
    rig.finish(request, "fetch failed");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((rig.code(), rig.database.status().kind()), (Some(ErrorCode::Network), StatusKind::Offline));
    // who waits for an upload alone hears why it failed
    let upload = tokio::spawn(rig.database.upload_data());
    loop {
        let request = rig.asked().await;
        rig.finish(request, "no");
        tokio::time::sleep(Duration::from_millis(1)).await;
        if upload.is_finished() {
            break;
        }
    }
    assert_eq!(upload.await.unwrap().unwrap_err().code, ErrorCode::UploadFailed);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_never_answers_stalls_and_one_that_gets_on_does_not() {
    let mut rig = rig();
    rig.write("INSERT INTO notes (id) VALUES ('a')").await;
    rig.database.connect();
    let silent = rig.asked().await;
    tokio::time::sleep(Duration::from_millis(3900)).await;
    assert_eq!(rig.code(), None);
    let again = rig.asked().await;
    assert_eq!(rig.code(), Some(ErrorCode::Stalled));
    rig.finish(silent, "");
    rig.complete_one().await;
    rig.finish(again, "");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(rig.code(), None);

    for n in 0..8 {
        rig.write(&format!("INSERT INTO notes (id) VALUES ('r{n}')")).await;
    }
    let long = rig.asked().await;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        rig.complete_one().await;
        assert_eq!(rig.code(), None);
    }
    assert!(rig.database.status().uploading || rig.database.status().pending_changes == 0);
    rig.finish(long, "");
    rig.nobody_asks_for(1000).await;
    assert_eq!(rig.database.status().kind(), StatusKind::Synced);
}

#[tokio::test(start_paused = true)]
async fn disconnect_suspension_and_close_end_the_question() {
    let mut rig = rig();
    rig.write("INSERT INTO notes (id) VALUES ('a')").await;
    rig.database.connect();
    let first = rig.asked().await;
    rig.database.disconnect();
    rig.database.settled().await;
    rig.finish(first, "late");
    assert_eq!((rig.code(), rig.database.status().kind()), (None, StatusKind::Offline));
    rig.database.connect();
    let second = rig.asked().await;
    rig.database.prepare_for_suspend().await.unwrap();
    rig.finish(second, "");
    rig.nobody_asks_for(10_000).await;
    rig.database.resume().await.unwrap();
    let third = rig.asked().await;
    assert!(first < second && second < third);
    let waiting = tokio::spawn(rig.database.trigger_sync());
    tokio::time::sleep(Duration::from_millis(1)).await;
    rig.database.close().await;
    assert_eq!(waiting.await.unwrap().unwrap_err().code, ErrorCode::Closed);
    rig.finish(third, "");
    rig.nobody_asks_for(10_000).await;
}

#[tokio::test(start_paused = true)]
async fn clearing_stops_syncing_and_the_status_says_at_once_that_nothing_is_there() {
    let mut rig = rig();
    rig.database.connect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(rig.database.status().has_synced);
    rig.write("INSERT INTO notes (id) VALUES ('a')").await;
    let request = rig.asked().await;
    rig.database.clear(false).await.unwrap();
    let status = rig.database.status();
    assert_eq!((status.pending_changes, status.has_synced, status.last_synced_at_ms), (0, false, None));
    assert_eq!(status.kind(), StatusKind::Offline);
    rig.finish(request, "");
    rig.nobody_asks_for(100_000).await;
    assert!(!rig.database.status().has_synced);
    rig.write("INSERT INTO notes (id) VALUES ('a')").await;
    rig.database.connect();
    rig.asked().await;
}
