//! The sync state machine: when to push, pull and sweep, when to wait, and what the app is told meanwhile.
//!
//! It owns the [`Status`], the decision what runs next, and the list of callers waiting for a round. It is pure
//! (time and randomness are arguments), total (every input is legal in every state; one that means nothing there changes
//! nothing) and deterministic. It guarantees:
//! - one push, pull or sweep in flight, never two;
//! - every request is settled exactly once, with the outcome of a round that began after it was made;
//! - work in flight has a timer, and while connected and not suspended there is always work in flight or a timer set, so no
//!   state is without a way out;
//! - a failed attempt is repeated by its own timer, whether or not the app writes again;
//! - a failing upload never keeps downloads from running for good, a failing download never keeps local writes from being
//!   uploaded, and a failing sweep slows down neither;
//! - work that makes no progress is given up, and an outbox that never gets shorter is reported: both as `Stalled`;
//! - while suspended nothing begins, no timer is set, and nobody who waits is turned away.
//!
//! It refuses to know HTTP, SQL or threads: [`Effect`]s go out, [`Input`]s come back.

mod io;
mod round;
mod schedule;
mod stall;
mod state;
mod sweep;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;
mod wishes;

use crate::backoff;
use crate::error::{ErrorCode, SyncError};
use crate::options::SyncOptions;
use crate::status::Status;

pub use io::{Effect, Input, Pulled, RequestId, RoundError};
use schedule::Schedule;
use stall::{Outbox, Watch};
use state::{Activity, Fetch, Mode, Queue, Scope, Step, Wait};
use sweep::Sweeps;

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
    /// Over the work in flight.
    watch: Watch,
    outbox: Outbox,
    sweeps: Sweeps,
    schedule: Schedule,
    /// What the last complete pull or sweep wanted to be known.
    warning: Option<SyncError>,
    /// The last push got no answer.
    push_was_silent: bool,
}

impl Machine {
    /// A disconnected machine. Of `status`, what outlives a process is taken over: the counts, `has_synced`,
    /// `last_synced_at_ms` and `last_reconciled_at_ms`.
    pub fn new(options: SyncOptions, status: Status) -> Self {
        let status = Status {
            pending_changes: status.pending_changes,
            parked_changes: status.parked_changes,
            has_synced: status.has_synced,
            last_synced_at_ms: status.last_synced_at_ms,
            last_reconciled_at_ms: status.last_reconciled_at_ms,
            ..Status::default()
        };
        Self {
            options,
            status,
            mode: Mode::Disconnected,
            activity: Activity::Idle(None),
            queue: Queue::default(),
            timer: None,
            watch: Watch::default(),
            outbox: Outbox::default(),
            sweeps: Sweeps::default(),
            schedule: Schedule::default(),
            warning: None,
            push_was_silent: false,
        }
    }

    /// The snapshot for the app.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Takes one input and says what to do. `now_ms` is wall-clock time since the Unix epoch, `jitter` is uniform in
    /// `[0, 1)`.
    pub fn handle(&mut self, now_ms: i64, jitter: f64, input: Input) -> Vec<Effect> {
        let mut step = Step::new(now_ms, jitter);
        if self.mode == Mode::Closed {
            if let Input::Trigger(id) | Input::Upload(id) | Input::Reconcile(id) = input {
                step.settle(vec![id], Err(closed()));
            }
            return step.settled;
        }
        let before = self.status.clone();
        match input {
            Input::Connect => self.connect(&mut step),
            Input::Disconnect => self.stop(Mode::Disconnected, disconnected(), &mut step),
            Input::Close => self.stop(Mode::Closed, closed(), &mut step),
            Input::Suspend => self.suspend(&mut step),
            Input::Resume => self.resume(&mut step),
            Input::LocalWrite => self.local_write(&step),
            Input::Trigger(id) => {
                self.schedule.active(now_ms);
                self.queue.waiting.triggers.push(id);
                self.start_if_idle(&mut step);
            }
            Input::Upload(id) => {
                self.queue.waiting.uploads.push(id);
                self.start_if_idle(&mut step);
            }
            Input::Reconcile(id) => {
                self.queue.waiting.reconciles.push(id);
                self.start_if_idle(&mut step);
            }
            Input::Foreground => {
                self.schedule.in_background = false;
                self.schedule.active(now_ms);
                self.wake(&mut step);
            }
            Input::Background => self.reschedule(&step, |schedule| schedule.in_background = true),
            Input::Active => self.reschedule(&step, |schedule| schedule.active(now_ms)),
            Input::Metered(is) => self.reschedule(&step, |schedule| schedule.is_metered = is),
            Input::BatteryLow(is) => self.reschedule(&step, |schedule| schedule.is_battery_low = is),
            Input::NetworkLost => self.network_lost(&step),
            Input::NetworkRegained | Input::CredentialsChanged => {
                if input == Input::NetworkRegained {
                    self.schedule.is_offline = false;
                }
                // What failed in the old surroundings says nothing about the new ones.
                if let Mode::Connected { failures } = &mut self.mode {
                    *failures = 0;
                }
                self.wake(&mut step);
            }
            Input::Timer => self.timer_fired(&mut step),
            Input::Contacted => {
                if self.activity.is_in_flight() {
                    self.reached();
                    self.watch.progress();
                }
            }
            Input::Progress(progress) => {
                if matches!(self.activity, Activity::Fetching { .. }) {
                    self.status.download_progress = Some(progress);
                }
            }
            Input::PushFinished(result) => self.push_finished(result, &mut step),
            Input::PullFinished(result) => self.fetch_finished(Fetch::Pull, result, &mut step),
            Input::ReconcileFinished(result) => self.fetch_finished(Fetch::Sweep, result, &mut step),
            Input::Counts { pending, parked } => self.count(pending, parked, &step),
            Input::Cleared => {
                self.status.has_synced = false;
                self.status.last_synced_at_ms = None;
                self.status.last_reconciled_at_ms = None;
                self.status.refused_rows = 0;
                self.warning = None;
                self.sweeps = Sweeps::default();
            }
        }
        self.conclude(&before, step)
    }

    fn timer_fired(&mut self, step: &mut Step) {
        self.timer = None;
        match &self.activity {
            Activity::Idle(Some(wait)) if wait.is_push_alone() => {
                let resume = Some(wait.without_write());
                self.begin_round(Scope::PushOnly { resume }, step);
            }
            Activity::Idle(Some(_)) => {
                self.queue.full = true;
                self.start_if_idle(step);
            }
            Activity::Idle(None) | Activity::Suspended => {}
            Activity::Pushing(_) => {
                if self.watch.fired() {
                    step.work.push(Effect::Cancel);
                    self.push_finished(Err(self.stalled("the upload")), step);
                }
            }
            &Activity::Fetching { fetch, .. } => {
                if self.watch.fired() {
                    step.work.push(Effect::Cancel);
                    let what = match fetch {
                        Fetch::Pull => "the download",
                        Fetch::Sweep => "the search for rows that were deleted on the backend",
                    };
                    self.fetch_finished(fetch, Err(self.stalled(what)), step);
                }
            }
        }
    }

    fn stalled(&self, what: &str) -> RoundError {
        let seconds = self.options.stall_timeout_ms.div_ceil(1000);
        let message = format!("{what} made no progress for {seconds} s and was given up; it will be tried again");
        SyncError::new(ErrorCode::Stalled, message).into()
    }

    fn count(&mut self, pending: u64, parked: u64, step: &Step) {
        let (pending_before, parked_before) = (self.status.pending_changes, self.status.parked_changes);
        self.status.pending_changes = pending;
        self.status.parked_changes = parked;
        // local writes make the outbox longer, which is no progress of syncing
        if pending < pending_before || parked != parked_before {
            self.watch.progress();
        }
        if pending < pending_before || pending_before == 0 {
            self.outbox.restart(step.now_ms);
            if self.outbox.is_shown {
                self.show_what_remains();
            }
        }
    }

    /// Derives what follows from the state (part of the status, the timer) and lists what changed.
    fn conclude(&mut self, before: &Status, step: Step) -> Vec<Effect> {
        let (pushing, fetching, wait) = match &self.activity {
            Activity::Idle(wait) => (false, false, *wait),
            Activity::Suspended => (false, false, None),
            Activity::Pushing(_) => (true, false, None),
            Activity::Fetching { .. } => (false, true, None),
        };
        self.status.uploading = pushing && self.status.pending_changes > 0;
        self.status.downloading = fetching;
        if !fetching {
            self.status.download_progress = None;
        }
        self.status.sync_frequency = self.schedule.frequency();
        self.status.connecting = (pushing || fetching) && !self.status.connected;
        self.status.next_retry_at_ms = match wait {
            Some(Wait::Retry { at, .. }) => Some(at),
            Some(Wait::Poll { .. } | Wait::Write { .. }) | None => None,
        };

        let mut effects = step.work;
        let due = if pushing || fetching {
            let tick_ms = Watch::tick_ms(self.options.stall_timeout_ms);
            Some(*self.watch.due_ms.get_or_insert_with(|| step.now_ms.saturating_add_unsigned(tick_ms)))
        } else {
            wait.map(Wait::at)
        };
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
