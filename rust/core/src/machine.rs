//! The sync state machine: when to push, when to pull, when to wait, and what the app is told meanwhile.
//!
//! It owns the [`Status`], the decision what runs next, and the list of callers waiting for a round. It is pure
//! (time and randomness are arguments), total (every input is legal in every state; one that means nothing there changes
//! nothing) and deterministic. It guarantees:
//! - one push or one pull in flight, never two;
//! - every request is settled exactly once, with the outcome of a round that began after it was made;
//! - while connected there is always work in flight or a timer set, so no state is without a way out;
//! - a failed attempt is repeated by its own timer, whether or not the app writes again;
//! - a failing upload never keeps downloads from running.
//!
//! It refuses to know HTTP, SQL or threads: [`Effect`]s go out, [`Input`]s come back.

mod io;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;

use crate::backoff;
use crate::error::{ErrorCode, SyncError};
use crate::options::SyncOptions;
use crate::status::Status;
use std::mem;

pub use io::{Effect, Input, Pulled, RequestId, RoundError};
use state::{Activity, Mode, Queue, Round, Scope, Step, Wait};

/// See the module's documentation.
#[derive(Debug)]
pub struct Machine {
    options: SyncOptions,
    status: Status,
    mode: Mode,
    activity: Activity,
    queue: Queue,
    /// What the driver's timer is set to.
    timer: Option<i64>,
}

impl Machine {
    /// A disconnected machine. Of `status`, what outlives a process is taken over: the counts, `has_synced` and
    /// `last_synced_at_ms`.
    pub fn new(options: SyncOptions, status: Status) -> Self {
        let status = Status {
            pending_changes: status.pending_changes,
            parked_changes: status.parked_changes,
            has_synced: status.has_synced,
            last_synced_at_ms: status.last_synced_at_ms,
            ..Status::default()
        };
        Self {
            options,
            status,
            mode: Mode::Disconnected,
            activity: Activity::Idle(None),
            queue: Queue::default(),
            timer: None,
        }
    }

    /// The snapshot for the app.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Takes one input and says what to do. `now_ms` is wall-clock time since the Unix epoch, `jitter` is uniform in
    /// `[0, 1)`.
    pub fn handle(&mut self, now_ms: i64, jitter: f64, input: Input) -> Vec<Effect> {
        let mut step = Step::default();
        if self.mode == Mode::Closed {
            if let Input::Trigger(id) | Input::Upload(id) = input {
                step.settle(vec![id], Err(closed()));
            }
            return step.settled;
        }
        let before = self.status.clone();
        match input {
            Input::Connect => self.connect(&mut step),
            Input::Disconnect => self.stop(Mode::Disconnected, disconnected(), &mut step),
            Input::Close => self.stop(Mode::Closed, closed(), &mut step),
            Input::LocalWrite => self.local_write(now_ms),
            Input::Trigger(id) => {
                self.queue.triggers.push(id);
                self.start_if_idle(&mut step);
            }
            Input::Upload(id) => {
                self.queue.uploads.push(id);
                self.start_if_idle(&mut step);
            }
            Input::Foreground => self.wake(&mut step),
            Input::NetworkRegained | Input::CredentialsChanged => {
                // What failed in the old surroundings says nothing about the new ones.
                if let Mode::Connected { failures } = &mut self.mode {
                    *failures = 0;
                }
                self.wake(&mut step);
            }
            Input::Timer => {
                self.timer = None;
                if let Activity::Idle(Some(_)) = self.activity {
                    self.queue.full = true;
                    self.start_if_idle(&mut step);
                }
            }
            Input::Contacted => {
                if !matches!(self.activity, Activity::Idle(_)) {
                    self.status.connected = true;
                }
            }
            Input::PushFinished(result) => self.push_finished(now_ms, jitter, result, &mut step),
            Input::PullFinished(result) => self.pull_finished(now_ms, jitter, result, &mut step),
            Input::Counts { pending, parked } => {
                self.status.pending_changes = pending;
                self.status.parked_changes = parked;
            }
            Input::Cleared => {
                self.status.has_synced = false;
                self.status.last_synced_at_ms = None;
            }
        }
        self.conclude(&before, step)
    }

    fn connect(&mut self, step: &mut Step) {
        match self.mode {
            Mode::Connected { .. } | Mode::Closed => return,
            Mode::Disconnected => self.mode = Mode::Connected { failures: 0 },
        }
        self.status.error = None;
        // A whole round already in flight (asked for while disconnected) serves as the first one.
        self.queue.full = match &self.activity {
            Activity::Idle(_) | Activity::Pushing(Round { scope: Scope::PushOnly { .. }, .. }) => true,
            Activity::Pushing(_) | Activity::Pulling { .. } => false,
        };
        self.start_if_idle(step);
    }

    fn stop(&mut self, mode: Mode, error: SyncError, step: &mut Step) {
        self.mode = mode;
        self.status.connected = false;
        // told to be silent, it is offline; what went wrong before is no longer the reason
        self.status.error = None;
        let queue = mem::take(&mut self.queue);
        let mut waiting = Vec::new();
        match mem::replace(&mut self.activity, Activity::Idle(None)) {
            Activity::Idle(_) => {}
            Activity::Pushing(round) | Activity::Pulling { round, .. } => {
                step.work.push(Effect::Cancel);
                waiting.extend(round.triggers);
                waiting.extend(round.uploads);
            }
        }
        waiting.extend(queue.triggers);
        waiting.extend(queue.uploads);
        step.settle(waiting, Err(error));
    }

    fn local_write(&mut self, now_ms: i64) {
        let Mode::Connected { .. } = self.mode else { return };
        match &mut self.activity {
            Activity::Idle(wait) => {
                let at = now_ms.saturating_add_unsigned(self.options.upload_throttle_ms);
                *wait = Some(wait.map_or(Wait::Write { at }, |wait| wait.with_write(at)));
            }
            Activity::Pushing(round) | Activity::Pulling { round, .. } => {
                round.missed_write_at.get_or_insert(now_ms);
            }
        }
    }

    /// Something suggests that now is a better time than the one waited for.
    fn wake(&mut self, step: &mut Step) {
        let Mode::Connected { .. } = self.mode else { return };
        match &mut self.activity {
            Activity::Idle(_) => {
                self.queue.full = true;
                self.start_if_idle(step);
            }
            Activity::Pushing(round) | Activity::Pulling { round, .. } => match round.scope {
                Scope::Full => round.woken = true,
                Scope::PushOnly { .. } => self.queue.full = true,
            },
        }
    }

    fn push_finished(&mut self, now_ms: i64, jitter: f64, result: Result<(), RoundError>, step: &mut Step) {
        let mut round = match mem::replace(&mut self.activity, Activity::Idle(None)) {
            Activity::Pushing(round) => round,
            other @ (Activity::Idle(_) | Activity::Pulling { .. }) => {
                self.activity = other;
                return;
            }
        };
        let outcome = result.as_ref().copied().map_err(|e| e.error.clone());
        step.settle(mem::take(&mut round.uploads), outcome);
        match (&round.scope, result) {
            (Scope::Full, Err(e)) if e.is_connection_level() => self.fail(now_ms, jitter, round, e, None, step),
            (Scope::Full, result) => {
                self.activity = Activity::Pulling { round, push_error: result.err() };
                step.work.push(Effect::StartPull);
            }
            (Scope::PushOnly { .. }, Err(e)) => self.fail(now_ms, jitter, round, e, None, step),
            (&Scope::PushOnly { resume }, Ok(())) => {
                let wait = resume.map(|wait| match round.missed_write_at {
                    Some(at) => wait.with_write(self.after_throttle(now_ms, at)),
                    None => wait,
                });
                // Connected meanwhile: `connect` has queued the whole round that sets the next wait.
                self.go_on(wait, step);
            }
        }
    }

    fn pull_finished(&mut self, now_ms: i64, jitter: f64, result: Result<(), RoundError>, step: &mut Step) {
        let (round, push_error) = match mem::replace(&mut self.activity, Activity::Idle(None)) {
            Activity::Pulling { round, push_error } => (round, push_error),
            other @ (Activity::Idle(_) | Activity::Pushing(_)) => {
                self.activity = other;
                return;
            }
        };
        if result.is_ok() {
            self.status.connected = true;
        }
        match (push_error, result) {
            (None, Ok(())) => self.succeed(now_ms, round, step),
            (None, Err(e)) => self.fail(now_ms, jitter, round, e, None, step),
            (Some(e), Ok(())) => self.fail(now_ms, jitter, round, e, None, step),
            (Some(e), Err(pull)) => self.fail(now_ms, jitter, round, e, Some(pull), step),
        }
    }

    fn succeed(&mut self, now_ms: i64, round: Round, step: &mut Step) {
        self.status.error = None;
        self.status.has_synced = true;
        self.status.last_synced_at_ms = Some(now_ms);
        let poll = self.next_poll(now_ms, &round);
        step.settle(round.triggers, Ok(()));
        let wait = match &mut self.mode {
            Mode::Connected { failures } => {
                *failures = 0;
                Some(poll)
            }
            Mode::Disconnected | Mode::Closed => None,
        };
        self.go_on(wait, step);
    }

    /// The next poll, or sooner for a write that the round's push may have missed.
    fn next_poll(&self, now_ms: i64, round: &Round) -> Wait {
        let poll = Wait::Poll { at: now_ms.saturating_add_unsigned(self.options.poll_interval_ms) };
        match round.missed_write_at {
            Some(at) => poll.with_write(self.after_throttle(now_ms, at)),
            None => poll,
        }
    }

    /// `error` is the one shown; `also` is what the pull said after a failed push.
    fn fail(
        &mut self,
        now_ms: i64,
        jitter: f64,
        round: Round,
        error: RoundError,
        also: Option<RoundError>,
        step: &mut Step,
    ) {
        let errors = || also.iter().chain([&error]);
        let poll = self.next_poll(now_ms, &round);
        if errors().any(RoundError::is_connection_level) {
            self.status.connected = false;
        }
        let wait = match &mut self.mode {
            // one bad table must not slow down the others, nor keep local writes waiting
            Mode::Connected { failures } if errors().all(RoundError::is_of_one_table) => {
                *failures = 0;
                Some(poll)
            }
            Mode::Connected { failures } => {
                *failures = failures.saturating_add(1);
                self.queue.full |= round.woken;
                let delay_ms = if errors().any(RoundError::is_worth_backoff) {
                    let retry_after_ms = errors().filter_map(|e| e.retry_after_ms).max();
                    backoff::delay_ms(*failures, jitter, retry_after_ms, self.options.max_backoff_ms)
                } else if errors().all(|e| e.error.code == ErrorCode::NoCredentials) {
                    // asking the app again costs no network
                    self.options.poll_interval_ms.min(self.options.max_backoff_ms)
                } else {
                    self.options.max_backoff_ms
                };
                Some(Wait::Retry { at: now_ms.saturating_add_unsigned(delay_ms) })
            }
            Mode::Disconnected | Mode::Closed => None,
        };
        self.status.error = Some(error.error.clone());
        step.settle(round.triggers, Err(error.error));
        self.go_on(wait, step);
    }

    /// When a write made at `written_at` may be pushed; a clock set back meanwhile does not postpone it.
    fn after_throttle(&self, now_ms: i64, written_at: i64) -> i64 {
        written_at.min(now_ms).saturating_add_unsigned(self.options.upload_throttle_ms)
    }

    fn start_if_idle(&mut self, step: &mut Step) {
        if let Activity::Idle(wait) = self.activity {
            self.go_on(wait, step);
        }
    }

    /// Nothing is in flight: starts what is queued, or waits.
    fn go_on(&mut self, wait: Option<Wait>, step: &mut Step) {
        let scope = if self.queue.full || !self.queue.triggers.is_empty() {
            Scope::Full
        } else if !self.queue.uploads.is_empty() {
            Scope::PushOnly { resume: wait }
        } else {
            if self.mode == Mode::Disconnected {
                self.status.connected = false;
            }
            self.activity = Activity::Idle(wait);
            return;
        };
        let Queue { triggers, uploads, full: _ } = mem::take(&mut self.queue);
        self.activity = Activity::Pushing(Round { scope, triggers, uploads, missed_write_at: None, woken: false });
        step.work.push(Effect::StartPush);
    }

    /// Derives what follows from the state (part of the status, the timer) and lists what changed.
    fn conclude(&mut self, before: &Status, step: Step) -> Vec<Effect> {
        let (pushing, pulling, wait) = match &self.activity {
            Activity::Idle(wait) => (false, false, *wait),
            Activity::Pushing(_) => (true, false, None),
            Activity::Pulling { .. } => (false, true, None),
        };
        self.status.uploading = pushing && self.status.pending_changes > 0;
        self.status.downloading = pulling;
        self.status.connecting = (pushing || pulling) && !self.status.connected;
        self.status.next_retry_at_ms = match wait {
            Some(Wait::Retry { at }) => Some(at),
            Some(Wait::Poll { .. } | Wait::Write { .. }) | None => None,
        };

        let mut effects = step.work;
        let due = wait.map(Wait::at);
        if due != self.timer {
            self.timer = due;
            effects.push(due.map_or(Effect::ClearTimer, |at_ms| Effect::SetTimer { at_ms }));
        }
        if self.status != *before {
            effects.push(Effect::Publish);
        }
        effects.extend(step.settled);
        effects
    }
}

fn disconnected() -> SyncError {
    SyncError::new(ErrorCode::Disconnected, "syncing was disconnected before the round finished")
}

fn closed() -> SyncError {
    SyncError::new(ErrorCode::Closed, "the database was closed")
}
