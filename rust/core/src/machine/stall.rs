//! Two watches over progress: one over the work in flight, one over an outbox that never gets shorter.
//!
//! Neither trusts the wall clock with more than a part of the time it measures: a clock that jumps, or a device that slept,
//! is not a stall.

use crate::error::{ErrorCode, SyncError};

/// In how many pieces the time without progress is measured. A stall is noticed at most one piece late.
const TICKS: u8 = 4;

/// Counts timers without progress while something is in flight. It reads no clock at all: only timers that fired.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// What the timer is set to; `None` until the work that begins has been given its first one.
    pub(super) due_ms: Option<i64>,
    moved: bool,
    silent_ticks: u8,
}

impl Watch {
    /// Time between two looks, ms.
    pub(super) fn tick_ms(timeout_ms: u64) -> u64 {
        timeout_ms.div_ceil(u64::from(TICKS)).max(1)
    }

    pub(super) fn progress(&mut self) {
        self.moved = true;
    }

    /// The timer fired; says whether this is a stall. Otherwise the watch wants its next timer.
    pub(super) fn fired(&mut self) -> bool {
        self.due_ms = None;
        self.silent_ticks = if self.moved { 0 } else { self.silent_ticks + 1 };
        self.moved = false;
        self.silent_ticks >= TICKS
    }
}

/// How long the outbox has not got shorter though rounds were complete.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    since_ms: Option<i64>,
    stuck_ms: u64,
    /// The status shows it.
    pub(super) is_shown: bool,
}

impl Outbox {
    /// Something left it, it was empty before, or syncing begins: the count starts anew with the next complete round or now.
    pub(super) fn restart(&mut self, now_ms: i64) {
        self.since_ms = Some(now_ms);
        self.stuck_ms = 0;
    }

    /// Time in which no round was complete says nothing.
    pub(super) fn skip(&mut self, now_ms: i64) {
        self.since_ms = Some(now_ms);
    }

    /// A round was complete and `pending` changes are left.
    pub(super) fn round_complete(&mut self, now_ms: i64, pending: u64, timeout_ms: u64) {
        if pending == 0 {
            self.stuck_ms = 0;
        } else if let Some(since) = self.since_ms {
            // one step counts at most half: a clock that jumps or a night's sleep does not make a stall
            let passed = u64::try_from(now_ms.saturating_sub(since)).unwrap_or(0).min(timeout_ms.div_ceil(2));
            self.stuck_ms = self.stuck_ms.saturating_add(passed);
        }
        self.since_ms = Some(now_ms);
    }

    /// The error to show, if it is one.
    pub(super) fn error(&self, pending: u64, timeout_ms: u64) -> Option<SyncError> {
        (pending > 0 && self.stuck_ms >= timeout_ms).then(|| {
            let seconds = timeout_ms.div_ceil(1000);
            SyncError::new(
                ErrorCode::Stalled,
                format!("{pending} changes have been waiting for the backend's confirmation for more than {seconds} s although rounds succeed"),
            )
        })
    }
}
