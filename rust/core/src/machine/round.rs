//! The way of a round: push, pull, and a sweep if one is asked for or due; then what is queued, or a wait.
//!
//! The pull comes before the sweep though a sweep reads everything anyway: a sweep takes long, and an app that never runs
//! long enough for one must still get what is new. Who waits for the round is answered before its sweep begins.

use super::io::{Effect, Pulled, RoundError};
use super::stall::Watch;
use super::state::{Activity, Fetch, Mode, Queue, Round, Scope, Step, Wait, Writes};
use super::{Machine, backoff};
use crate::error::{ErrorCode, SyncError};
use std::mem;

/// What went wrong in a round.
enum Failure {
    /// The push; with `heard`, everything was downloaded all the same, so the backend can be reached.
    Upload { error: RoundError, heard: bool },
    /// A pull or a sweep, and perhaps the push before it.
    Download { fetch: Fetch, error: RoundError, push: Option<RoundError> },
}

impl Failure {
    fn errors(&self) -> impl Iterator<Item = &RoundError> {
        match self {
            Self::Upload { error, .. } => [Some(error), None],
            Self::Download { error, push, .. } => [push.as_ref(), Some(error)],
        }
        .into_iter()
        .flatten()
    }

    /// The push's error goes first: the app can do something about it. But that an upload by the app failed says less than
    /// that the backend can't be reached.
    fn shown(&self) -> &SyncError {
        match self {
            Self::Download { push: Some(push), error, .. }
                if push.error.code == ErrorCode::UploadFailed && error.is_connection_level() =>
            {
                &error.error
            }
            Self::Upload { error, .. } | Self::Download { push: Some(error), .. } | Self::Download { error, .. } => {
                &error.error
            }
        }
    }

    /// Whether the backend could not be reached in the end.
    fn is_cut_off(&self) -> bool {
        match self {
            Self::Upload { heard: true, .. } => false,
            Self::Upload { error, heard: false } | Self::Download { error, .. } => error.is_connection_level(),
        }
    }

    /// Whether only one table or only the sweep is at fault. That must neither slow down the rest nor keep local writes
    /// waiting.
    fn is_harmless(&self) -> bool {
        match self {
            Self::Download { fetch: Fetch::Sweep, error, push: None } => {
                error.is_of_one_table() || error.is_of_the_sweep()
            }
            Self::Upload { .. } | Self::Download { .. } => self.errors().all(RoundError::is_of_one_table),
        }
    }

    /// What it means for local writes.
    fn writes(&self) -> Writes {
        match self {
            Self::Download { error, push: None, .. } if !error.is_connection_level() => Writes::Free,
            Self::Upload { .. } | Self::Download { .. } => Writes::Held,
        }
    }
}

impl Machine {
    pub(super) fn push_finished(&mut self, result: Result<(), RoundError>, step: &mut Step) {
        let mut round = match self.activity.take() {
            Activity::Pushing(round) => round,
            other @ (Activity::Idle(_) | Activity::Suspended | Activity::Fetching { .. }) => {
                self.activity = other;
                return;
            }
        };
        let outcome = result.as_ref().copied().map_err(|e| e.error.clone());
        self.status.upload_error = outcome.as_ref().err().cloned();
        step.settle(mem::take(&mut round.waiting.uploads), outcome);
        let silent = result.as_ref().is_err_and(RoundError::is_silence);
        let silent_again = mem::replace(&mut self.push_was_silent, silent) && silent;
        match (&round.scope, result) {
            // An upload that gets no answer twice in a row is perhaps too much for the backend: downloads go on.
            (Scope::Full, Err(e)) if !silent_again && (silent || e.is_connection_level()) => {
                self.fail(round, Failure::Upload { error: e, heard: false }, step);
            }
            (Scope::Full, result) => {
                let pulling = Activity::Fetching { fetch: Fetch::Pull, round, push_error: result.err() };
                self.begin(pulling, Effect::StartPull, step);
            }
            (Scope::PushOnly { .. }, Err(e)) => self.fail(round, Failure::Upload { error: e, heard: false }, step),
            (&Scope::PushOnly { resume }, Ok(())) => {
                let wait = resume.map(|wait| self.with_missed_write(wait, &round, step));
                // Connected meanwhile: `connect` has queued the whole round that sets the next wait.
                self.go_on(wait, step);
            }
        }
    }

    /// A pull or a sweep ended.
    pub(super) fn fetch_finished(&mut self, ended: Fetch, result: Result<Pulled, RoundError>, step: &mut Step) {
        let (mut round, push_error) = match self.activity.take() {
            Activity::Fetching { fetch, round, push_error } if fetch == ended => (round, push_error),
            other @ (Activity::Idle(_) | Activity::Suspended | Activity::Pushing(_) | Activity::Fetching { .. }) => {
                self.activity = other;
                return;
            }
        };
        let pulled = match result {
            Ok(pulled) => pulled,
            Err(e) => {
                self.status.download_error = Some(e.error.clone());
                return self.fail(round, Failure::Download { fetch: ended, error: e, push: push_error }, step);
            }
        };
        self.reached();
        self.status.download_error = None;
        if pulled.changed_rows > 0 || self.status.pending_changes > 0 {
            self.schedule.active(step.now_ms);
        }
        // everything is here, though an upload may fail: who waits for the first rows need not wait for that
        self.status.has_synced = true;
        self.status.refused_rows = pulled.refused_rows;
        self.warning = pulled.warning;
        let swept = pulled.swept || ended == Fetch::Sweep;
        if swept {
            self.status.last_reconciled_at_ms = Some(step.now_ms);
            self.sweeps.succeeded();
        }
        if push_error.is_none() {
            self.complete(step);
            step.settle(mem::take(&mut round.waiting.triggers), Ok(()));
        }
        if !swept && (!round.waiting.reconciles.is_empty() || self.is_sweep_due(step)) {
            let sweeping = Activity::Fetching { fetch: Fetch::Sweep, round, push_error };
            return self.begin(sweeping, Effect::StartReconcile, step);
        }
        match push_error {
            Some(e) => self.fail(round, Failure::Upload { error: e, heard: true }, step),
            None => {
                step.settle(mem::take(&mut round.waiting.reconciles), Ok(()));
                let wait = match self.mode {
                    Mode::Connected { .. } => Some(self.next_poll(&round, step)),
                    Mode::Disconnected | Mode::Closed => None,
                };
                self.go_on(wait, step);
            }
        }
    }

    fn is_sweep_due(&self, step: &Step) -> bool {
        matches!(self.mode, Mode::Connected { .. })
            && self.sweeps.is_due(step.now_ms, self.status.last_reconciled_at_ms, self.options.reconcile_interval_ms)
    }

    /// Everything has been exchanged.
    fn complete(&mut self, step: &Step) {
        self.status.last_synced_at_ms = Some(step.now_ms);
        if let Mode::Connected { failures } = &mut self.mode {
            *failures = 0;
            self.outbox.round_complete(step.now_ms, self.status.pending_changes, self.options.stall_timeout_ms);
        }
        self.show_what_remains();
    }

    /// After a complete round: what is still to be told.
    pub(super) fn show_what_remains(&mut self) {
        let stalled = self.outbox.error(self.status.pending_changes, self.options.stall_timeout_ms);
        let is_stalled = stalled.is_some();
        let error = stalled.or_else(|| self.warning.clone()).or_else(|| self.sweeps.fault().cloned());
        self.show(error);
        self.outbox.is_shown = is_stalled;
    }

    pub(super) fn show(&mut self, error: Option<SyncError>) {
        self.status.error = error;
        self.outbox.is_shown = false;
    }

    /// The next poll, or sooner for a write that the round's push may have missed.
    fn next_poll(&mut self, round: &Round, step: &Step) -> Wait {
        self.schedule.round_over(step.now_ms);
        let poll = Wait::Poll { at: self.schedule.poll_at(step.now_ms, &self.options) };
        self.with_missed_write(poll, round, step)
    }

    fn with_missed_write(&self, wait: Wait, round: &Round, step: &Step) -> Wait {
        match round.missed_write_at {
            // it goes with the next attempt
            _ if self.schedule.is_offline => wait,
            Some(at) => wait.with_write(self.after_throttle(at, step)),
            None => wait,
        }
    }

    fn fail(&mut self, round: Round, failure: Failure, step: &mut Step) {
        if failure.is_cut_off() {
            self.status.connected = false;
        }
        self.outbox.skip(step.now_ms);
        let delay_ms = self.delay_ms(&failure, step);
        if let Failure::Download { fetch: Fetch::Sweep, error, .. } = &failure {
            let fault = error.is_of_the_sweep().then(|| error.error.clone());
            self.sweeps.failed(step.now_ms, delay_ms, self.options.reconcile_interval_ms, fault);
        }
        let wait = match self.mode {
            Mode::Connected { .. } if failure.is_harmless() => Some(self.next_poll(&round, step)),
            Mode::Connected { .. } => {
                self.queue.full |= round.woken;
                let retry = Wait::Retry { at: step.after(delay_ms), writes: failure.writes() };
                Some(self.with_missed_write(retry, &round, step))
            }
            Mode::Disconnected | Mode::Closed => None,
        };
        let error = failure.shown().clone();
        self.show(Some(error.clone()));
        step.settle(round.waiting.into_all(), Err(error));
        self.go_on(wait, step);
    }

    /// Counts the failure; says how long to wait before the next attempt.
    fn delay_ms(&mut self, failure: &Failure, step: &Step) -> u64 {
        let delay_ms = self.backoff_ms(failure, step);
        // a failure is no reason to try more often than after a success
        let is_quiet = self.schedule.in_background && self.status.pending_changes == 0;
        if self.schedule.is_offline || is_quiet {
            delay_ms.max(self.schedule.interval_ms(&self.options))
        } else {
            delay_ms
        }
    }

    fn backoff_ms(&mut self, failure: &Failure, step: &Step) -> u64 {
        let Mode::Connected { failures } = &mut self.mode else { return 0 };
        *failures = if failure.is_harmless() { 0 } else { failures.saturating_add(1) };
        if failure.is_harmless() {
            self.options.poll_interval_ms
        } else if failure.errors().any(RoundError::is_worth_backoff) {
            let retry_after_ms = failure.errors().filter_map(|e| e.retry_after_ms).max();
            backoff::delay_ms(*failures, step.jitter, retry_after_ms, self.options.max_backoff_ms)
        } else if failure.errors().all(|e| e.error.code == ErrorCode::NoCredentials) {
            // asking the app again costs no network
            self.options.poll_interval_ms.min(self.options.max_backoff_ms)
        } else {
            self.options.max_backoff_ms
        }
    }

    /// When a write made at `written_at` may be pushed; a clock set back meanwhile does not postpone it.
    fn after_throttle(&self, written_at: i64, step: &Step) -> i64 {
        written_at.min(step.now_ms).saturating_add_unsigned(self.options.upload_throttle_ms)
    }

    pub(super) fn start_if_idle(&mut self, step: &mut Step) {
        if let Activity::Idle(wait) = self.activity {
            self.go_on(wait, step);
        }
    }

    /// Nothing is in flight: starts what is queued, or waits.
    pub(super) fn go_on(&mut self, wait: Option<Wait>, step: &mut Step) {
        let waiting = &self.queue.waiting;
        if self.queue.full || !waiting.triggers.is_empty() || !waiting.reconciles.is_empty() {
            self.begin_round(Scope::Full, step);
        } else if !waiting.uploads.is_empty() {
            self.begin_round(Scope::PushOnly { resume: wait.map(Wait::without_write) }, step);
        } else {
            if self.mode == Mode::Disconnected {
                self.status.connected = false;
            }
            self.activity = Activity::Idle(wait);
        }
    }

    /// Takes along who waits.
    pub(super) fn begin_round(&mut self, scope: Scope, step: &mut Step) {
        let Queue { waiting, full: _ } = mem::take(&mut self.queue);
        let round = Round { scope, waiting, missed_write_at: None, woken: false };
        self.begin(Activity::Pushing(round), Effect::StartPush, step);
    }

    fn begin(&mut self, activity: Activity, effect: Effect, step: &mut Step) {
        self.activity = activity;
        self.watch = Watch::default();
        step.work.push(effect);
    }
}
