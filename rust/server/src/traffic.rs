//! What has come in, for tests: requests per route, and on demand the requests themselves. Counting happens on
//! arrival, before faults, authentication and limits. Recording is off until a test asks for it, and never leaves the
//! process.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// A route of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `GET /api/powersync/health`
    Health,
    /// `GET /api/powersync/sync`
    Sync,
    /// `POST /api/powersync/upload`
    Upload,
    /// `POST /api/powersync/populate`
    Populate,
    /// `POST /auth/v1/signup`
    Signup,
    /// `POST /auth/v1/token`
    Token,
    /// `GET /auth/v1/user`
    User,
    /// `POST /auth/v1/logout`
    Logout,
}

impl Route {
    const COUNT: usize = 8;

    pub(crate) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/api/powersync/health" => Self::Health,
            "/api/powersync/sync" => Self::Sync,
            "/api/powersync/upload" => Self::Upload,
            "/api/powersync/populate" => Self::Populate,
            "/auth/v1/signup" => Self::Signup,
            "/auth/v1/token" => Self::Token,
            "/auth/v1/user" => Self::User,
            "/auth/v1/logout" => Self::Logout,
            _ => return None,
        })
    }
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Which route.
    pub route: Route,
    /// The query string without `?`, still encoded; empty if there is none.
    pub query: String,
    /// The body; empty if there is none or it was over the limit.
    pub body: String,
}

/// Counters and records of one server; clones share them.
#[derive(Clone, Debug)]
pub struct Traffic(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    counts: watch::Sender<[u64; Route::COUNT]>,
    recorded: Mutex<Option<Vec<Recorded>>>,
}

impl Default for Traffic {
    fn default() -> Self {
        let counts = watch::Sender::new([0; Route::COUNT]);
        Self(Arc::new(Inner { counts, recorded: Mutex::new(None) }))
    }
}

impl Traffic {
    /// Requests of this route so far (CORS preflights not counted).
    pub fn requests(&self, route: Route) -> u64 {
        self.0.counts.borrow()[route as usize]
    }

    /// Waits until this route has had at least `count` requests.
    pub async fn wait_for(&self, route: Route, count: u64) {
        let mut counts = self.0.counts.subscribe();
        counts.wait_for(|counts| counts[route as usize] >= count).await.expect("the sender lives in self");
    }

    /// Starts recording, from an empty record.
    pub fn record(&self) {
        *self.recorded() = Some(Vec::new());
    }

    /// The requests recorded since the last take, in the order of arrival; recording goes on.
    pub fn take_recorded(&self) -> Vec<Recorded> {
        self.recorded().as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.recorded().is_some()
    }

    pub(crate) fn count(&self, route: Route) {
        self.0.counts.send_modify(|counts| counts[route as usize] += 1);
    }

    pub(crate) fn push(&self, request: Recorded) {
        if let Some(recorded) = self.recorded().as_mut() {
            recorded.push(request);
        }
    }

    fn recorded(&self) -> std::sync::MutexGuard<'_, Option<Vec<Recorded>>> {
        self.0.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
