//! What the machine knows between two inputs: enums that carry their data, so that no combination is meaningless.

use super::io::{Effect, RequestId, RoundError};
use crate::error::SyncError;

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
    Retry { at: i64 },
}

impl Wait {
    pub(super) fn at(self) -> i64 {
        match self {
            Self::Poll { at } | Self::Write { at } | Self::Retry { at } => at,
        }
    }

    /// The same wait, brought forward to `at` for a local write; a retry is not.
    pub(super) fn with_write(self, at: i64) -> Self {
        match self {
            Self::Poll { at: poll } => Self::Write { at: at.min(poll) },
            Self::Write { .. } | Self::Retry { .. } => self,
        }
    }
}

#[derive(Debug)]
pub(super) enum Scope {
    /// Push, then pull.
    Full,
    /// Push alone; afterwards the machine goes on waiting as before.
    PushOnly { resume: Option<Wait> },
}

#[derive(Debug)]
pub(super) struct Round {
    pub(super) scope: Scope,
    /// Requests answered at the end of the round.
    pub(super) triggers: Vec<RequestId>,
    /// Requests answered at the end of its push.
    pub(super) uploads: Vec<RequestId>,
    /// When the first local write was made that this round's push may have missed.
    pub(super) missed_write_at: Option<i64>,
    /// The surroundings improved while it ran: should it fail, the next one need not wait.
    pub(super) woken: bool,
}

#[derive(Debug)]
pub(super) enum Activity {
    /// `None` only while disconnected or closed.
    Idle(Option<Wait>),
    Pushing(Round),
    Pulling {
        round: Round,
        push_error: Option<RoundError>,
    },
}

/// What is wanted after the work in flight.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) triggers: Vec<RequestId>,
    pub(super) uploads: Vec<RequestId>,
    /// A whole round is wanted though nobody waits for it.
    pub(super) full: bool,
}

/// The effects of one input, sorted by what must come first.
#[derive(Default)]
pub(super) struct Step {
    pub(super) work: Vec<Effect>,
    pub(super) settled: Vec<Effect>,
}

impl Step {
    pub(super) fn settle(&mut self, requests: Vec<RequestId>, outcome: Result<(), SyncError>) {
        if !requests.is_empty() {
            self.settled.push(Effect::Settle { requests, outcome });
        }
    }
}
