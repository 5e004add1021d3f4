//! Whom we talk to and as whom: the app's endpoint and token, fetched through the app's own `fetchCredentials`.
//!
//! It owns the only copy of the token and keeps it in memory alone. It guarantees that one fetch at most is open, that all
//! who wait share its answer, that giving up waiting harms nobody else, and that a refresh is tied to the token that was
//! rejected: the second of two callers rejected with the same token gets the first one's new token without another fetch.
//! "Nobody is signed in" is an answer, not remembered. It refuses to guess: no token is never replaced by an anonymous one.

use crate::clock::Clock;
use omnii_sync_core::error::{ErrorCode, SyncError};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A token is renewed this long before it expires, so that it does not expire on its way.
const EXPIRY_SKEW_MS: i64 = 5_000;

/// Longest message of the app's own error that is passed on, in characters.
const MAX_APP_MESSAGE: usize = 500;

/// What `fetchCredentials` answered. `Debug` shows neither the token nor the path of the endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    endpoint: String,
    token: String,
    expires_at_ms: Option<i64>,
}

impl Credentials {
    /// Checks what the app answered. `endpoint` is an absolute http or https URL without query, fragment or login, its host
    /// in ASCII (Unicode's tables for other letters are left out of the build: idna_adapter in Cargo.lock); its trailing
    /// slashes are cut off. `expires_at_ms` is ms since the Unix epoch.
    ///
    /// # Errors
    /// `CredentialsFailed`, naming the part that is wrong.
    pub fn new(endpoint: &str, token: impl Into<String>, expires_at_ms: Option<i64>) -> Result<Self, SyncError> {
        let bad = |what: &str| Err(SyncError::new(ErrorCode::CredentialsFailed, format!("fetchCredentials: {what}")));
        let Ok(url) = reqwest::Url::parse(endpoint.trim()) else {
            if !host_of(endpoint).is_ascii() {
                return bad(
                    "the host of endpoint has letters beyond ASCII: write it in punycode, as in https://xn--bcher-kva.example",
                );
            }
            return bad("endpoint must be an absolute URL such as https://host/api/powersync");
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return bad("endpoint must begin with http:// or https://");
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return bad("endpoint must not contain a query, a fragment or a login");
        }
        let token = token.into();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return bad("token must be non-empty and consist of visible ASCII characters");
        }
        Ok(Self { endpoint: url.as_str().trim_end_matches('/').to_owned(), token, expires_at_ms })
    }

    /// The base URL, without a trailing slash.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The bearer token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// When the token expires, ms since the Unix epoch; `None`: when the backend says so.
    pub fn expires_at_ms(&self) -> Option<i64> {
        self.expires_at_ms
    }

    fn is_fresh(&self, now_ms: i64) -> bool {
        self.expires_at_ms.is_none_or(|at| now_ms < at.saturating_sub(EXPIRY_SKEW_MS))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expires_at_ms", &self.expires_at_ms).finish_non_exhaustive()
    }
}

type Answer = Result<Arc<Credentials>, SyncError>;

/// A fetch the app has not answered yet.
struct Fetch {
    /// Stays the same when [`CredentialStore::invalidate`] asks again.
    group: u64,
    /// The request the app must answer.
    id: u64,
    deadline: Instant,
    /// Who waits, in the order they came: a `watch` would wake them in an order drawn by lot.
    waiting: Vec<oneshot::Sender<Answer>>,
}

impl Fetch {
    fn join(&mut self) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        // those who gave up leave no trace
        self.waiting.retain(|waiting| !waiting.is_closed());
        self.waiting.push(sender);
        receiver
    }

    fn settle(self, answer: &Answer) {
        for waiting in self.waiting {
            // whoever asked may be gone
            let _ = waiting.send(answer.clone());
        }
    }
}

#[derive(Default)]
struct State {
    cached: Option<Arc<Credentials>>,
    fetch: Option<Fetch>,
    last_id: u64,
}

/// Asks the app, remembers the answer while it is good. Shared by reference; every method may be called from any thread.
pub struct CredentialStore {
    ask: Box<dyn Fn(u64) + Send + Sync>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    state: Mutex<State>,
}

impl CredentialStore {
    /// `ask` tells the app to answer the request of this id through [`Self::provide`]; it may do so at once, on the same
    /// thread. `timeout` is how long one fetch may take.
    pub fn new(ask: impl Fn(u64) + Send + Sync + 'static, clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        Self { ask: Box::new(ask), clock, timeout, state: Mutex::default() }
    }

    /// The app's answer to request `request`: credentials, `None` for "nobody is signed in", or its own error's message.
    /// An unknown id (answered twice, too late, abandoned) is ignored.
    pub fn provide(&self, request: u64, answer: Result<Option<Credentials>, String>) {
        self.settle(
            request,
            match answer {
                Ok(Some(credentials)) => Ok(Arc::new(credentials)),
                Ok(None) => {
                    Err(SyncError::new(ErrorCode::NoCredentials, "nobody is signed in: fetchCredentials returned null"))
                }
                Err(message) => {
                    let message = shortened(&message);
                    Err(SyncError::new(ErrorCode::CredentialsFailed, format!("fetchCredentials failed: {message}")))
                }
            },
        );
    }

    /// The app's answer to request `request`: it can't know without a network, and `message` says what it needed. A sign-in
    /// that has run out while the device is offline is no fault of the connector.
    pub fn unreachable(&self, request: u64, message: &str) {
        let message = format!("fetchCredentials needs the network: {}", shortened(message));
        self.settle(request, Err(SyncError::new(ErrorCode::Network, message)));
    }

    fn settle(&self, request: u64, answer: Answer) {
        let mut state = self.lock();
        let Some(fetch) = state.fetch.take_if(|fetch| fetch.id == request) else {
            tracing::debug!(request, "late credentials ignored");
            return;
        };
        state.cached = answer.as_ref().ok().cloned();
        drop(state);
        fetch.settle(&answer);
    }

    /// Credentials that have not expired, asking the app if need be.
    ///
    /// # Errors
    /// `NoCredentials`, `CredentialsFailed`, `CredentialsTimeout`, `Network`.
    pub async fn get(&self) -> Result<Arc<Credentials>, SyncError> {
        let (group, mut answer) = match self.cached_or_fetch() {
            Ok(fresh) => return Ok(fresh),
            Err(waiting) => waiting,
        };
        let mut deadline = Instant::now() + self.timeout;
        loop {
            match tokio::time::timeout_at(deadline, &mut answer).await {
                Ok(Ok(answer)) => return answer,
                Ok(Err(_closed)) => return Err(timed_out()),
                Err(_elapsed) => {}
            }
            let mut state = self.lock();
            match &state.fetch {
                // Asked again meanwhile, or joined late: the fetch's own deadline counts.
                Some(fetch) if fetch.group == group && Instant::now() < fetch.deadline => deadline = fetch.deadline,
                Some(fetch) if fetch.group == group => {
                    give_up(state.fetch.take());
                    return Err(timed_out());
                }
                // Answered at this very moment: the answer is there.
                Some(_) | None => deadline = Instant::now() + self.timeout,
            }
        }
    }

    /// Fresh credentials, or the fetch to wait for.
    fn cached_or_fetch(&self) -> Result<Arc<Credentials>, (u64, oneshot::Receiver<Answer>)> {
        let now_ms = self.clock.now_ms();
        let mut state = self.lock();
        if let Some(fresh) = state.cached.as_ref().filter(|c| c.is_fresh(now_ms)) {
            return Ok(Arc::clone(fresh));
        }
        if let Some(fetch) = &mut state.fetch {
            if Instant::now() < fetch.deadline {
                return Err((fetch.group, fetch.join()));
            }
            // Everybody who waited for it has gone, and the app never answered.
            give_up(state.fetch.take());
        }
        state.last_id += 1;
        let id = state.last_id;
        let mut fetch = Fetch { group: id, id, deadline: Instant::now() + self.timeout, waiting: Vec::new() };
        let receiver = fetch.join();
        state.fetch = Some(fetch);
        drop(state);
        (self.ask)(id);
        Err((id, receiver))
    }

    /// Credentials other than the ones just rejected. If others are known already, the app is not asked again.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn refresh(&self, rejected_token: &str) -> Result<Arc<Credentials>, SyncError> {
        self.reject(rejected_token);
        self.get().await
    }

    /// Forgets the credentials if they are still the ones with this token.
    pub fn reject(&self, rejected_token: &str) {
        self.lock().cached.take_if(|c| c.token == rejected_token);
    }

    /// Forgets what is known: the app says that its credentials changed. An open fetch is asked again under a new id,
    /// because its answer may be the old one's; those who wait go on waiting.
    pub fn invalidate(&self) {
        let mut state = self.lock();
        state.cached = None;
        let id = state.last_id + 1;
        let Some(fetch) = &mut state.fetch else { return };
        fetch.id = id;
        fetch.deadline = Instant::now() + self.timeout;
        state.last_id = id;
        drop(state);
        (self.ask)(id);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialStore").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

fn shortened(message: &str) -> String {
    message.chars().take(MAX_APP_MESSAGE).collect()
}

/// What stands where a URL has its host, login and port included.
fn host_of(endpoint: &str) -> &str {
    let rest = endpoint.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

fn give_up(fetch: Option<Fetch>) {
    if let Some(fetch) = fetch {
        fetch.settle(&Err(timed_out()));
    }
}

fn timed_out() -> SyncError {
    SyncError::new(ErrorCode::CredentialsTimeout, "fetchCredentials did not answer in time")
}

#[cfg(test)]
mod tests;
