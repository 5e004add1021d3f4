//! What the app, the user and the device want: connect, silence, suspension, writes, and reasons to try sooner.

use super::Machine;
use super::io::Effect;
use super::schedule::Schedule;
use super::state::{Activity, Fetch, Mode, Queue, Round, Scope, Step, Wait, Writes};
use crate::error::SyncError;
use std::mem;

impl Machine {
    pub(super) fn connect(&mut self, step: &mut Step) {
        match self.mode {
            Mode::Connected { .. } | Mode::Closed => return,
            Mode::Disconnected => self.mode = Mode::Connected { failures: 0 },
        }
        self.show(None);
        self.outbox.restart(step.now_ms);
        self.schedule.active(step.now_ms);
        // A whole round already in flight (asked for while disconnected) serves as the first one.
        self.queue.full = match &self.activity {
            Activity::Idle(_)
            | Activity::Suspended
            | Activity::Pushing(Round { scope: Scope::PushOnly { .. }, .. }) => true,
            Activity::Pushing(_) | Activity::Fetching { .. } => false,
        };
        self.start_if_idle(step);
    }

    /// Ends everything and answers everybody. A suspended machine stays so until it is resumed.
    pub(super) fn stop(&mut self, mode: Mode, error: SyncError, step: &mut Step) {
        let waiting = self.silence(step).waiting.into_all();
        self.mode = mode;
        if self.mode == Mode::Closed {
            self.activity = Activity::Idle(None);
        }
        step.settle(waiting, Err(error));
    }

    pub(super) fn suspend(&mut self, step: &mut Step) {
        // those who wait go on waiting; `resume` decides anew whether a round is wanted besides
        self.queue.waiting = self.silence(step).waiting;
        self.activity = Activity::Suspended;
    }

    pub(super) fn resume(&mut self, step: &mut Step) {
        match self.activity {
            Activity::Suspended => {}
            Activity::Idle(_) | Activity::Pushing(_) | Activity::Fetching { .. } => return,
        }
        self.outbox.restart(step.now_ms);
        self.schedule.active(step.now_ms);
        self.queue.full = matches!(self.mode, Mode::Connected { .. });
        self.go_on(None, step);
    }

    /// Cancels what is in flight and hands over who waits. The status says offline: told to be silent, what went wrong
    /// before is no longer the reason.
    fn silence(&mut self, step: &mut Step) -> Queue {
        self.status.connected = false;
        self.show(None);
        let mut queue = Queue::default();
        match self.activity.take() {
            Activity::Idle(_) => {}
            Activity::Suspended => self.activity = Activity::Suspended,
            Activity::Pushing(round) | Activity::Fetching { fetch: Fetch::Pull, round, .. } => {
                step.work.push(Effect::Cancel);
                queue.waiting = round.waiting;
            }
            Activity::Fetching { fetch: Fetch::Sweep, round, .. } => {
                step.work.push(Effect::Cancel);
                self.sweeps.interrupted(step.now_ms, self.options.reconcile_interval_ms);
                queue.waiting = round.waiting;
            }
        }
        queue.waiting.append(mem::take(&mut self.queue).waiting);
        queue
    }

    pub(super) fn local_write(&mut self, step: &Step) {
        self.reschedule(step, |schedule| schedule.active(step.now_ms));
        let Mode::Connected { .. } = self.mode else { return };
        match &mut self.activity {
            // it goes with the next attempt
            Activity::Idle(_) if self.schedule.is_offline => {}
            Activity::Idle(wait) => {
                let at = step.after(self.options.upload_throttle_ms);
                *wait = Some(wait.map_or(Wait::Write { at }, |wait| wait.with_write(at)));
            }
            // the round at the end of it takes it along
            Activity::Suspended => {}
            Activity::Pushing(round) | Activity::Fetching { round, .. } => {
                round.missed_write_at.get_or_insert(step.now_ms);
            }
        }
    }

    /// The backend has answered: whatever the device says, there is a network.
    pub(super) fn reached(&mut self) {
        self.status.connected = true;
        if self.schedule.is_offline {
            self.schedule.is_offline = false;
            if let Activity::Pushing(Round { scope: Scope::PushOnly { resume: Some(_) }, .. }) = self.activity {
                // what it goes on waiting for is far away
                self.queue.full = true;
            }
        }
    }

    /// Something is known that the schedule goes by: the poll under way comes sooner or later for it.
    pub(super) fn reschedule(&mut self, step: &Step, change: impl FnOnce(&mut Schedule)) {
        change(&mut self.schedule);
        if let Activity::Idle(Some(Wait::Poll { at })) = &mut self.activity {
            *at = self.schedule.poll_at(step.now_ms, &self.options);
        }
    }

    /// What is in flight may end as it will; nothing begins soon.
    pub(super) fn network_lost(&mut self, step: &Step) {
        if self.schedule.is_offline {
            return;
        }
        self.schedule.is_offline = true;
        let Activity::Idle(wait) = &mut self.activity else { return };
        self.status.connected = false;
        self.schedule.since_ms = step.now_ms;
        let later = self.schedule.poll_at(step.now_ms, &self.options);
        *wait = wait.map(|wait| match wait {
            Wait::Poll { .. } | Wait::Write { .. } => Wait::Poll { at: later },
            Wait::Retry { at, .. } => Wait::Retry { at: at.max(later), writes: Writes::Held },
        });
    }

    /// Something suggests that now is a better time than the one waited for.
    pub(super) fn wake(&mut self, step: &mut Step) {
        let Mode::Connected { .. } = self.mode else { return };
        match &mut self.activity {
            Activity::Idle(_) => {
                self.queue.full = true;
                self.start_if_idle(step);
            }
            Activity::Suspended => {}
            Activity::Pushing(round) | Activity::Fetching { round, .. } => match round.scope {
                Scope::Full => round.woken = true,
                Scope::PushOnly { .. } => self.queue.full = true,
            },
        }
    }
}
