//! Protocol 1 over HTTP: one push, one pull, one sweep, as the driver runs them.
//!
//! Owns the order of requests and what an answer does to the store. Decisions about bodies, cursors and pages are
//! `omnii_sync_core::protocol1`'s. No lock of the store is held while the network is awaited; each step commits by itself,
//! so a push or pull that is dropped at any await leaves a consistent file.

mod progress;
mod pull;
mod push;

use crate::client::Client;
use crate::driver::Work;
use crate::store::Store;
use crate::transport::BoxFuture;
use crate::uploads::AppUploads;
use omnii_sync_core::SyncOptions;
use omnii_sync_core::machine::{Pulled, RoundError};
use omnii_sync_core::status::DownloadProgress;
use progress::{OnProgress, Progress};
use pull::Refused;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

type RoundResult<T> = Result<T, RoundError>;

/// The parts of a round, for the driver.
pub(crate) struct Protocol1 {
    store: Arc<Store>,
    client: Arc<Client>,
    options: SyncOptions,
    pages: Size,
    uploads: Size,
    /// Set if the app uploads itself.
    by_app: Option<Arc<AppUploads>>,
    /// What downloads on behalf of a push have refused, by table, until a pull reports it: that pull need not see those rows
    /// again.
    refused_early: Mutex<HashMap<String, Refused>>,
    on_progress: OnceLock<OnProgress>,
}

/// How often requests must be cut in half because the last ones did not get through in time; the app is not asked to know
/// how fast its network is, nor how long its rows are.
#[derive(Debug, Default)]
pub(crate) struct Size(AtomicU32);

impl Size {
    /// Beyond this a request holds one row.
    const MOST: u32 = 12;

    fn too_large(&self) {
        // an error says that it is as small as can be
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < Self::MOST).then_some(n + 1));
    }

    fn got_through(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    }

    /// `None` as long as nothing had to be cut.
    fn cut(&self, whole: usize) -> Option<usize> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            halvings => Some((whole >> halvings).max(1)),
        }
    }
}

impl Work for Protocol1 {
    fn push(&self) -> BoxFuture<'_, RoundResult<()>> {
        match &self.by_app {
            None => Box::pin(self.push_all()),
            Some(app) => Box::pin(self.push_by_app(app)),
        }
    }

    fn pull(&self) -> BoxFuture<'_, RoundResult<Pulled>> {
        Box::pin(self.pull_all())
    }

    fn reconcile(&self) -> BoxFuture<'_, RoundResult<Pulled>> {
        Box::pin(self.sweep_all())
    }
}

impl Protocol1 {
    pub(crate) fn new(
        store: Arc<Store>,
        client: Arc<Client>,
        options: SyncOptions,
        by_app: Option<Arc<AppUploads>>,
    ) -> Self {
        Self {
            store,
            client,
            options,
            pages: Size::default(),
            uploads: Size::default(),
            by_app,
            refused_early: Mutex::default(),
            on_progress: OnceLock::new(),
        }
    }
}

impl Protocol1 {
    /// Registers who hears how far a download is. Only the first registration counts.
    pub(crate) fn on_progress(&self, hook: impl Fn(DownloadProgress) + Send + Sync + 'static) {
        if self.on_progress.set(Box::new(hook)).is_err() {
            tracing::warn!("a second progress hook was ignored");
        }
    }
}

/// `/sync` with its query, encoded.
pub(crate) fn sync_path(since: Option<&str>, table: Option<&str>, limit: u32) -> String {
    let mut url = reqwest::Url::parse("http://localhost/sync").expect("a constant URL");
    {
        let mut query = url.query_pairs_mut();
        if let Some(since) = since {
            query.append_pair("since", since);
        }
        if let Some(table) = table {
            query.append_pair("tables", table);
        }
        query.append_pair("limit", &limit.to_string());
    }
    format!("/sync?{}", url.query().unwrap_or_default())
}
