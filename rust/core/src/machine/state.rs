//! What the machine knows between two inputs: enums that carry their data, so that no combination is meaningless.

use super::io::{Effect, RequestId, RoundError};
use crate::error::SyncError;
use std::mem;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// `failures`: failed rounds in a row.
    Connected {
        failures: u32,
    },
    Disconnected,
    Closed,
}

/// What an idle, connected machine waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wait {
    /// The next poll.
    Poll { at: i64 },
    /// The end of the throttle after a local write.
    Write { at: i64 },
    /// The next attempt after a failure. Nothing but an explicit wish shortens it.
    Retry { at: i64, writes: Writes },
}

/// What local writes may do while a retry is waited for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Writes {
    /// Nothing: uploading is what failed, or the backend could not be reached.
    Held,
    /// Be pushed: only downloading failed.
    Free,
    /// One was made and will be pushed at this time.
    Due { at: i64 },
}

impl Wait {
    pub(super) fn at(self) -> i64 {
        match self {
            Self::Poll { at } | Self::Write { at } | Self::Retry { at, writes: Writes::Held | Writes::Free } => at,
            Self::Retry { at, writes: Writes::Due { at: push } } => at.min(push),
        }
    }

    /// The same wait after a local write that may be pushed at `at`; a retry is not brought forward by it.
    pub(super) fn with_write(self, at: i64) -> Self {
        match self {
            Self::Poll { at: poll } => Self::Write { at: at.min(poll) },
            Self::Retry { at: retry, writes: Writes::Free } => Self::Retry { at: retry, writes: Writes::Due { at } },
            Self::Write { .. } | Self::Retry { writes: Writes::Held | Writes::Due { .. }, .. } => self,
        }
    }

    /// The same wait when a push that begins now takes the writes along.
    pub(super) fn without_write(self) -> Self {
        match self {
            Self::Retry { at, writes: Writes::Due { .. } } => Self::Retry { at, writes: Writes::Free },
            Self::Poll { .. } | Self::Write { .. } | Self::Retry { writes: Writes::Held | Writes::Free, .. } => self,
        }
    }

    /// Whether a push is due before the retry.
    pub(super) fn is_push_alone(self) -> bool {
        match self {
            Self::Retry { at, writes: Writes::Due { at: push } } => push < at,
            Self::Poll { .. } | Self::Write { .. } | Self::Retry { writes: Writes::Held | Writes::Free, .. } => false,
        }
    }
}

#[derive(Debug)]
pub(super) enum Scope {
    /// Push, pull, and a sweep if one is asked for or due.
    Full,
    /// Push alone; afterwards the machine goes on waiting as before.
    PushOnly { resume: Option<Wait> },
}

/// Callers who wait, by what they wait for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Answered at the end of a push.
    pub(super) uploads: Vec<RequestId>,
    /// Answered at the end of a round.
    pub(super) triggers: Vec<RequestId>,
    /// Answered at the end of a round's sweep.
    pub(super) reconciles: Vec<RequestId>,
}

impl Waiting {
    pub(super) fn append(&mut self, mut other: Self) {
        self.uploads.append(&mut other.uploads);
        self.triggers.append(&mut other.triggers);
        self.reconciles.append(&mut other.reconciles);
    }

    pub(super) fn into_all(mut self) -> Vec<RequestId> {
        let mut all = self.triggers;
        all.append(&mut self.uploads);
        all.append(&mut self.reconciles);
        all
    }
}

#[derive(Debug)]
pub(super) struct Round {
    pub(super) scope: Scope,
    pub(super) waiting: Waiting,
    /// When the first local write was made that this round's push may have missed.
    pub(super) missed_write_at: Option<i64>,
    /// The surroundings improved while it ran: should it fail, the next one need not wait.
    pub(super) woken: bool,
}

/// The two ways to download.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fetch {
    Pull,
    Sweep,
}

#[derive(Debug)]
pub(super) enum Activity {
    /// `None` only while disconnected or closed.
    Idle(Option<Wait>),
    /// Nothing may begin, whoever asks. Whether syncing is wanted afterwards is the mode's business.
    Suspended,
    Pushing(Round),
    Fetching {
        fetch: Fetch,
        round: Round,
        push_error: Option<RoundError>,
    },
}

impl Activity {
    /// What it was; it is idle afterwards.
    pub(super) fn take(&mut self) -> Self {
        mem::replace(self, Self::Idle(None))
    }

    pub(super) fn is_in_flight(&self) -> bool {
        match self {
            Self::Idle(_) | Self::Suspended => false,
            Self::Pushing(_) | Self::Fetching { .. } => true,
        }
    }
}

/// What is wanted after the work in flight.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) waiting: Waiting,
    /// A whole round is wanted though nobody waits for it.
    pub(super) full: bool,
}

/// One input's moment and its effects, sorted by what must come first.
pub(super) struct Step {
    pub(super) now_ms: i64,
    pub(super) jitter: f64,
    pub(super) work: Vec<Effect>,
    pub(super) settled: Vec<Effect>,
}

impl Step {
    pub(super) fn new(now_ms: i64, jitter: f64) -> Self {
        Self { now_ms, jitter, work: Vec::new(), settled: Vec::new() }
    }

    /// This many ms from now.
    pub(super) fn after(&self, ms: u64) -> i64 {
        self.now_ms.saturating_add_unsigned(ms)
    }

    pub(super) fn settle(&mut self, requests: Vec<RequestId>, outcome: Result<(), SyncError>) {
        if !requests.is_empty() {
            self.settled.push(Effect::Settle { requests, outcome });
        }
    }
}
