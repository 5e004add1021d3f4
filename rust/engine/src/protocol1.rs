//! Protocol 1 over HTTP: one push, one pull, one sweep, as the driver runs them.
//!
//! Owns the order of requests and what an answer does to the store. Decisions about bodies, cursors and pages are
//! `omnii_sync_core::protocol1`'s. No lock of the store is held while the network is awaited; each step commits by itself,
//! so a push or pull that is dropped at any await leaves a consistent file.

mod pull;
mod push;

use crate::client::Client;
use crate::driver::Work;
use crate::store::Store;
use crate::transport::BoxFuture;
use omnii_sync_core::SyncOptions;
use omnii_sync_core::machine::{Pulled, RoundError};
use std::sync::Arc;

type RoundResult<T> = Result<T, RoundError>;

/// The parts of a round, for the driver.
pub(crate) struct Protocol1 {
    store: Arc<Store>,
    client: Arc<Client>,
    options: SyncOptions,
}

impl Work for Protocol1 {
    fn push(&self) -> BoxFuture<'_, RoundResult<()>> {
        Box::pin(self.push_all())
    }

    fn pull(&self) -> BoxFuture<'_, RoundResult<Pulled>> {
        Box::pin(self.pull_all())
    }

    fn reconcile(&self) -> BoxFuture<'_, RoundResult<Pulled>> {
        Box::pin(self.sweep_all())
    }
}

impl Protocol1 {
    pub(crate) fn new(store: Arc<Store>, client: Arc<Client>, options: SyncOptions) -> Self {
        Self { store, client, options }
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
