//! When a sweep for rows deleted on the backend is due.
//!
//! Owns the memory of failed and interrupted sweeps. A sweep reads everything from the beginning, so it must not be repeated
//! with each round or each time the app is opened: the next automatic attempt waits, and ordinary rounds go on meanwhile. What keeps failing for a reason of
//! its own stays in the status until a sweep succeeds. A wall clock set back postpones nothing.

use crate::error::SyncError;

/// Least time between a failed sweep and the next automatic one, unless the interval itself is shorter: 15 min.
const RETRY_MS: u64 = 900_000;

#[derive(Debug, Default)]
pub(super) struct Sweeps {
    failed: Option<Failed>,
    /// Why sweeps fail though everything else works.
    fault: Option<SyncError>,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    at_ms: i64,
    wait_ms: u64,
}

impl Sweeps {
    /// Whether one should run by itself now. `last_ms` is the end of the last complete one.
    pub(super) fn is_due(&self, now_ms: i64, last_ms: Option<i64>, interval_ms: u64) -> bool {
        let held = self.failed.is_some_and(|failed| is_within(now_ms, failed.at_ms, failed.wait_ms));
        // what is shown as failing must get its chance to succeed
        !held && (self.fault.is_some() || last_ms.is_none_or(|last| !is_within(now_ms, last, interval_ms)))
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// `backoff_ms`: how long the round that failed with it waits. `fault`: what to show until a sweep succeeds.
    pub(super) fn failed(&mut self, now_ms: i64, backoff_ms: u64, interval_ms: u64, fault: Option<SyncError>) {
        let wait_ms = backoff_ms.max(RETRY_MS).min(interval_ms);
        *self = Self { failed: Some(Failed { at_ms: now_ms, wait_ms }), fault };
    }

    /// It was cancelled though nothing was wrong with it.
    pub(super) fn interrupted(&mut self, now_ms: i64, interval_ms: u64) {
        let fault = self.fault.take();
        self.failed(now_ms, 0, interval_ms, fault);
    }

    pub(super) fn fault(&self) -> Option<&SyncError> {
        self.fault.as_ref()
    }
}

/// Whether less than `ms` have passed since `since_ms`. Not if that lies in the future: the clock was set back.
fn is_within(now_ms: i64, since_ms: i64, ms: u64) -> bool {
    now_ms >= since_ms && now_ms.abs_diff(since_ms) < ms
}
