//! The knobs of syncing, with their units in their names.

use crate::error::{ErrorCode, SyncError};
use crate::protocol1::MAX_PAGE_LIMIT;
use serde::Deserialize;

/// `sync` of `openDatabase`. All times in milliseconds; absent fields take the default.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SyncOptions {
    /// Time between rounds when nothing else asks for one, while the app is in use. Default 30 s.
    pub poll_interval_ms: u64,
    /// Longest time between rounds in the foreground when nothing has changed for some minutes, on a metered network, with a
    /// low battery, and while the device says that it has no network. Not below `poll_interval_ms`, which is used then. Default 5 min.
    pub idle_poll_interval_ms: u64,
    /// Time between rounds while the app is in the background and still runs. Not below `poll_interval_ms`, which is used
    /// then. Default 15 min.
    pub background_poll_interval_ms: u64,
    /// Least time between a local write and the push it causes, so that writes gather. Default 200 ms.
    pub upload_throttle_ms: u64,
    /// How far behind its cursor a table is read again, for rows that were committed late (docs/protocol.md, pull 4). Default 30 s.
    pub overlap_ms: u64,
    /// Rows of one table asked for at a time, 1 to 5000. Default: 1000, and up to 5000 where much is to be fetched and pages
    /// come quickly ([`crate::protocol1::pull`]).
    pub page_limit: Option<u32>,
    /// Longest time one HTTP request may take. Default 60 s.
    pub request_timeout_ms: u64,
    /// Longest time `fetchCredentials` may take. Default 30 s.
    pub credentials_timeout_ms: u64,
    /// Longest time between two attempts after failures. Default 5 min.
    pub max_backoff_ms: u64,
    /// Least time between two automatic sweeps for rows deleted on the backend (docs/protocol.md, pull 6). Default 6 h.
    pub reconcile_interval_ms: u64,
    /// How long work may be outstanding without any progress before the status says `Stalled`. Default 3 min.
    pub stall_timeout_ms: u64,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            poll_interval_ms: 30_000,
            idle_poll_interval_ms: 300_000,
            background_poll_interval_ms: 900_000,
            upload_throttle_ms: 200,
            overlap_ms: 30_000,
            page_limit: None,
            request_timeout_ms: 60_000,
            credentials_timeout_ms: 30_000,
            max_backoff_ms: 300_000,
            reconcile_interval_ms: 21_600_000,
            stall_timeout_ms: 180_000,
        }
    }
}

impl SyncOptions {
    /// Refuses values that can't work, naming the option.
    pub fn validate(&self) -> Result<(), SyncError> {
        let bad = |what: &str| Err(SyncError::new(ErrorCode::InvalidOptions, format!("sync.{what}")));
        if self.page_limit.is_some_and(|limit| !(1..=MAX_PAGE_LIMIT).contains(&limit)) {
            return bad("pageLimit must be between 1 and 5000");
        }
        for (name, value) in [
            ("pollIntervalMs", self.poll_interval_ms),
            ("idlePollIntervalMs", self.idle_poll_interval_ms),
            ("backgroundPollIntervalMs", self.background_poll_interval_ms),
            ("requestTimeoutMs", self.request_timeout_ms),
            ("credentialsTimeoutMs", self.credentials_timeout_ms),
            ("maxBackoffMs", self.max_backoff_ms),
            ("stallTimeoutMs", self.stall_timeout_ms),
        ] {
            if !(10..=86_400_000).contains(&value) {
                return bad(&format!("{name} must be between 10 and 86400000 (24 hours)"));
            }
        }
        if !(10..=2_592_000_000).contains(&self.reconcile_interval_ms) {
            return bad("reconcileIntervalMs must be between 10 and 2592000000 (30 days)");
        }
        for (name, value) in [("uploadThrottleMs", self.upload_throttle_ms), ("overlapMs", self.overlap_ms)] {
            if value > 86_400_000 {
                return bad(&format!("{name} must be at most 86400000 (24 hours)"));
            }
        }
        Ok(())
    }
}
