use super::*;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

struct FakeClock(AtomicI64);

impl Clock for FakeClock {
    fn now_ms(&self) -> i64 {
        self.0.load(SeqCst)
    }
}

struct Rig {
    store: Arc<CredentialStore>,
    asked: Arc<Mutex<Vec<u64>>>,
    clock: Arc<FakeClock>,
}

fn rig() -> Rig {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let clock = Arc::new(FakeClock(AtomicI64::new(0)));
    let sink = Arc::clone(&asked);
    let store = CredentialStore::new(move |id| sink.lock().unwrap().push(id), clock.clone(), Duration::from_secs(30));
    Rig { store: Arc::new(store), asked, clock }
}

impl Rig {
    fn spawn_get(&self) -> tokio::task::JoinHandle<Result<Arc<Credentials>, SyncError>> {
        let store = Arc::clone(&self.store);
        tokio::spawn(async move { store.get().await })
    }

    /// Lets spawned tasks run until they wait.
    async fn settle(&self) {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
    }

    fn asked(&self) -> Vec<u64> {
        self.asked.lock().unwrap().clone()
    }

    /// Fills the cache.
    async fn signed_in(token: &str, expires_at_ms: Option<i64>) -> Self {
        let rig = rig();
        let get = rig.spawn_get();
        rig.settle().await;
        rig.store.provide(1, Ok(Some(credentials(token, expires_at_ms))));
        get.await.unwrap().unwrap();
        rig
    }
}

fn credentials(token: &str, expires_at_ms: Option<i64>) -> Credentials {
    Credentials::new("https://example.org/api/powersync", token, expires_at_ms).unwrap()
}

fn code<T: fmt::Debug>(result: Result<T, SyncError>) -> ErrorCode {
    result.unwrap_err().code
}

#[test]
fn endpoints_are_checked_and_trimmed() {
    let ok = |e: &str| Credentials::new(e, "t", None).unwrap().endpoint().to_owned();
    assert_eq!(ok("http://10.0.2.2:8080/api/powersync//"), "http://10.0.2.2:8080/api/powersync");
    assert_eq!(ok(" https://example.org/ "), "https://example.org");
    assert_eq!(ok("https://example.org"), "https://example.org");
    for bad in [
        "",
        "example.org/api",
        "/api",
        "ftp://example.org",
        "file:///etc/passwd",
        "http://",
        "https://example.org/?a=b",
        "https://example.org/#a",
        "https://user@example.org/",
        "https://user:word@example.org/",
    ] {
        assert_eq!(code(Credentials::new(bad, "t", None)), ErrorCode::CredentialsFailed, "{bad:?}");
    }
    for bad in ["", "two words", "line\nbreak", "ü"] {
        let error = Credentials::new("https://example.org", bad, None).unwrap_err();
        assert_eq!(error.code, ErrorCode::CredentialsFailed);
        assert!(bad.is_empty() || !error.message.contains(bad), "the token is in the message");
    }
}

/// Without Unicode's tables no other host can be written. Nothing has been asked or sent when this is said.
#[test]
fn a_host_beyond_ascii_is_to_be_written_in_punycode() {
    for bad in ["https://bücher.example", "https://bücher.example/api", " http://пример.испытание:8787/api/powersync"]
    {
        let error = Credentials::new(bad, "t", None).unwrap_err();
        assert_eq!(error.code, ErrorCode::CredentialsFailed, "{bad}");
        assert!(error.message.contains("punycode"), "{}", error.message);
    }
    let ok = Credentials::new("https://xn--bcher-kva.example/api", "t", None).unwrap();
    assert_eq!(ok.endpoint(), "https://xn--bcher-kva.example/api");
    // Elsewhere in the URL other letters are encoded.
    assert_eq!(Credentials::new("https://h/ü", "t", None).unwrap().endpoint(), "https://h/%C3%BC");
    let error = Credentials::new("nowhere/ü", "t", None).unwrap_err();
    assert!(!error.message.contains("punycode"), "{}", error.message);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_needs_the_network_to_know_is_offline_not_at_fault() {
    let rig = rig();
    let get = rig.spawn_get();
    rig.settle().await;
    rig.store.unreachable(1, "Network request failed");
    let error = get.await.unwrap().unwrap_err();
    assert_eq!((error.code, error.retryable), (ErrorCode::Network, true));
    assert!(error.message.ends_with("needs the network: Network request failed"), "{}", error.message);
}

#[tokio::test(start_paused = true)]
async fn debug_output_hides_the_token() {
    let rig = Rig::signed_in("secret-token", None).await;
    let cached = rig.store.get().await.unwrap();
    assert!(!format!("{cached:?} {:?}", rig.store).contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn one_fetch_serves_all_who_wait_and_is_remembered() {
    let rig = rig();
    let waiters: Vec<_> = (0..5).map(|_| rig.spawn_get()).collect();
    rig.settle().await;
    assert_eq!(rig.asked(), [1]);
    rig.store.provide(1, Ok(Some(credentials("a", None))));
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap().unwrap().token(), "a");
    }
    assert_eq!(rig.store.get().await.unwrap().token(), "a");
    assert_eq!(rig.asked(), [1]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_within_the_callback_works() {
    let cell: Arc<Mutex<Option<std::sync::Weak<CredentialStore>>>> = Arc::default();
    let own = Arc::clone(&cell);
    let ask = move |id| {
        let store = own.lock().unwrap().as_ref().and_then(std::sync::Weak::upgrade).unwrap();
        store.provide(id, Ok(Some(credentials("now", None))));
    };
    let clock = Arc::new(FakeClock(AtomicI64::new(0)));
    let store = Arc::new(CredentialStore::new(ask, clock, Duration::from_secs(30)));
    *cell.lock().unwrap() = Some(Arc::downgrade(&store));
    assert_eq!(store.get().await.unwrap().token(), "now");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_shortly_before_it_expires() {
    let rig = Rig::signed_in("a", Some(60_000)).await;
    rig.clock.0.store(54_999, SeqCst);
    assert_eq!(rig.store.get().await.unwrap().token(), "a");
    rig.clock.0.store(55_000, SeqCst);
    let get = rig.spawn_get();
    rig.settle().await;
    assert_eq!(rig.asked(), [1, 2]);
    // Even credentials that look expired are tried: it may be our clock that is wrong.
    rig.store.provide(2, Ok(Some(credentials("b", Some(0)))));
    assert_eq!(get.await.unwrap().unwrap().token(), "b");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_is_tied_to_the_rejected_token() {
    let rig = Rig::signed_in("old", None).await;
    let refreshes: Vec<_> = (0..3)
        .map(|_| {
            let store = Arc::clone(&rig.store);
            tokio::spawn(async move { store.refresh("old").await })
        })
        .collect();
    rig.settle().await;
    assert_eq!(rig.asked(), [1, 2]);
    rig.store.provide(2, Ok(Some(credentials("new", None))));
    for refresh in refreshes {
        assert_eq!(refresh.await.unwrap().unwrap().token(), "new");
    }
    // Rejected with the old token, but late: the new one is there already.
    assert_eq!(rig.store.refresh("old").await.unwrap().token(), "new");
    rig.store.reject("old");
    assert_eq!(rig.store.get().await.unwrap().token(), "new");
    assert_eq!(rig.asked(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_typed_and_not_remembered() {
    let rig = rig();
    let long = "x".repeat(10_000);
    let answers = [
        (Ok(None), ErrorCode::NoCredentials),
        (Err("no network".to_owned()), ErrorCode::CredentialsFailed),
        (Err(long), ErrorCode::CredentialsFailed),
    ];
    for (id, (answer, expected)) in (1..).zip(answers) {
        let (get, too) = (rig.spawn_get(), rig.spawn_get());
        rig.settle().await;
        rig.store.provide(id, answer);
        let error = get.await.unwrap().unwrap_err();
        assert_eq!(error.code, expected);
        assert!(error.message.len() < 600);
        assert_eq!(code(too.await.unwrap()), expected);
    }
    assert_eq!(rig.asked(), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_fetch_times_out_for_all_and_its_late_answer_is_ignored() {
    let rig = rig();
    let first = rig.spawn_get();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let second = rig.spawn_get();
    let start = Instant::now();
    assert_eq!(code(first.await.unwrap()), ErrorCode::CredentialsTimeout);
    assert_eq!(code(second.await.unwrap()), ErrorCode::CredentialsTimeout);
    assert_eq!(start.elapsed().as_secs(), 10, "the second shares the first one's time");
    let third = rig.spawn_get();
    rig.settle().await;
    assert_eq!(rig.asked(), [1, 2]);
    rig.store.provide(1, Ok(Some(credentials("late", None))));
    rig.store.provide(99, Ok(Some(credentials("unknown", None))));
    rig.settle().await;
    assert!(!third.is_finished());
    rig.store.provide(2, Ok(Some(credentials("good", None))));
    rig.store.provide(2, Ok(Some(credentials("twice", None))));
    assert_eq!(third.await.unwrap().unwrap().token(), "good");
    assert_eq!(rig.store.get().await.unwrap().token(), "good");
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_harms_nobody() {
    let rig = rig();
    let (asker, other) = (rig.spawn_get(), rig.spawn_get());
    rig.settle().await;
    asker.abort();
    rig.settle().await;
    rig.store.provide(1, Ok(Some(credentials("a", None))));
    assert_eq!(other.await.unwrap().unwrap().token(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_everybody_left_is_joined_or_replaced() {
    let rig = rig();
    for wait in [10, 100] {
        let get = rig.spawn_get();
        rig.settle().await;
        get.abort();
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
    assert_eq!(rig.asked(), [1], "joined while it may still be answered");
    let get = rig.spawn_get();
    rig.settle().await;
    assert_eq!(rig.asked(), [1, 2], "replaced afterwards");
    rig.store.provide(2, Ok(Some(credentials("a", None))));
    assert_eq!(get.await.unwrap().unwrap().token(), "a");
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_nobody_is_remembered() {
    let rig = rig();
    let get = rig.spawn_get();
    rig.settle().await;
    get.abort();
    rig.settle().await;
    rig.store.provide(1, Ok(Some(credentials("a", None))));
    assert_eq!(rig.store.get().await.unwrap().token(), "a");
}

#[tokio::test(start_paused = true)]
async fn invalidating_forgets_the_token_and_asks_an_open_fetch_again() {
    let rig = Rig::signed_in("a", None).await;
    rig.store.invalidate();
    assert_eq!(rig.asked(), [1], "nobody waits");
    let get = rig.spawn_get();
    tokio::time::sleep(Duration::from_secs(25)).await;
    rig.store.invalidate();
    assert_eq!(rig.asked(), [1, 2, 3]);
    rig.store.provide(2, Ok(Some(credentials("stale", None))));
    // The first deadline passes; the fetch asked again has its own.
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert!(!get.is_finished());
    rig.store.provide(3, Ok(Some(credentials("b", None))));
    assert_eq!(get.await.unwrap().unwrap().token(), "b");
    let get = {
        rig.store.invalidate();
        rig.spawn_get()
    };
    rig.settle().await;
    rig.store.invalidate();
    assert_eq!(code(get.await.unwrap()), ErrorCode::CredentialsTimeout);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_hear_in_the_order_they_came() {
    for _ in 0..20 {
        let rig = rig();
        let order = Arc::new(Mutex::new(Vec::new()));
        for n in 0..8 {
            let (store, order) = (rig.store.clone(), order.clone());
            tokio::spawn(async move {
                store.get().await.unwrap();
                order.lock().unwrap().push(n);
            });
        }
        rig.settle().await;
        rig.store.provide(1, Ok(Some(credentials("t", None))));
        rig.settle().await;
        assert_eq!(*order.lock().unwrap(), (0..8).collect::<Vec<_>>());
    }
}
