//! Timers and immediates: which callback is due, in the order of deadline and then of creation.
//!
//! Owns ids and deadlines only; the callbacks stay in the prelude. A cancelled timer never fires. A repeating timer is
//! armed again before its callback runs, from its deadline, or from now if that has passed: it never fires in bursts.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::{Duration, Instant};

/// The longest delay, as in browsers: 2^31 - 1 ms.
const MAX_DELAY_MS: f64 = 2_147_483_647.0;

/// The timers of one runtime.
#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u64, u32)>>,
    live: HashMap<u32, Timer>,
    immediates: Vec<u32>,
    live_immediates: HashSet<u32>,
    keeping_alive: usize,
    sequence: u64,
}

struct Timer {
    /// The heap entry that counts; entries of an older arming are stale.
    sequence: u64,
    period: Option<Duration>,
    keeps_alive: bool,
}

impl Timers {
    /// Arms a timer. `delay_ms` that is negative or not a number means 0; a period is at least 1 ms.
    pub fn start(&mut self, now: Instant, id: u32, delay_ms: f64, repeat: bool, keeps_alive: bool) {
        let delay_ms = if delay_ms >= 0.0 { delay_ms.min(MAX_DELAY_MS) } else { 0.0 };
        let delay = Duration::from_secs_f64(delay_ms / 1000.0);
        let period = repeat.then(|| delay.max(Duration::from_millis(1)));
        self.cancel(id);
        self.keeping_alive += usize::from(keeps_alive);
        self.arm(id, now + period.unwrap_or(delay), period, keeps_alive);
    }

    fn arm(&mut self, id: u32, deadline: Instant, period: Option<Duration>, keeps_alive: bool) {
        self.sequence += 1;
        self.heap.push(Reverse((deadline, self.sequence, id)));
        self.live.insert(id, Timer { sequence: self.sequence, period, keeps_alive });
    }

    /// Queues an immediate.
    pub fn start_immediate(&mut self, id: u32) {
        self.immediates.push(id);
        self.live_immediates.insert(id);
    }

    /// Forgets a timer or immediate; an unknown id is fine.
    pub fn cancel(&mut self, id: u32) {
        self.live_immediates.remove(&id);
        if let Some(timer) = self.live.remove(&id) {
            self.keeping_alive -= usize::from(timer.keeps_alive);
        }
    }

    /// Takes the next timer that is due at `now`.
    pub fn take_due(&mut self, now: Instant) -> Option<u32> {
        while let Some(&Reverse((deadline, sequence, id))) = self.heap.peek() {
            let stale = self.live.get(&id).is_none_or(|timer| timer.sequence != sequence);
            if !stale && deadline > now {
                return None;
            }
            self.heap.pop();
            if stale {
                continue;
            }
            match self.live.remove(&id) {
                Some(Timer { period: Some(period), keeps_alive, .. }) => {
                    let next = deadline + period;
                    self.arm(id, if next > now { next } else { now + period }, Some(period), keeps_alive);
                }
                Some(timer) => self.keeping_alive -= usize::from(timer.keeps_alive),
                None => continue,
            }
            return Some(id);
        }
        None
    }

    /// Takes the immediates queued so far; those queued while they run wait for the next round.
    pub fn take_immediates(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.immediates)
    }

    /// Whether a taken immediate has not been cancelled meanwhile; answers yes once.
    pub fn immediate_is_live(&mut self, id: u32) -> bool {
        self.live_immediates.remove(&id)
    }

    /// When the loop has to wake up at the latest.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        if !self.immediates.is_empty() {
            return Some(Instant::now());
        }
        while let Some(&Reverse((deadline, sequence, id))) = self.heap.peek() {
            if self.live.get(&id).is_some_and(|timer| timer.sequence == sequence) {
                return Some(deadline);
            }
            self.heap.pop();
        }
        None
    }

    /// Whether a timer or immediate keeps the process alive.
    pub fn keep_alive(&self) -> bool {
        self.keeping_alive > 0 || !self.live_immediates.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(timers: &mut Timers, now: Instant) -> Vec<u32> {
        std::iter::from_fn(|| timers.take_due(now)).collect()
    }

    #[test]
    fn fires_by_deadline_then_by_creation() {
        let (mut timers, now) = (Timers::default(), Instant::now());
        for (id, delay) in [(1, 20.0), (2, 10.0), (3, 10.0), (4, f64::NAN), (5, -1.0)] {
            timers.start(now, id, delay, false, true);
        }
        assert_eq!(drain(&mut timers, now + Duration::from_millis(30)), [4, 5, 2, 3, 1]);
        assert!(!timers.keep_alive());
    }

    #[test]
    fn a_cancelled_or_restarted_timer_leaves_no_trace() {
        let (mut timers, now) = (Timers::default(), Instant::now());
        timers.start(now, 1, 5.0, false, true);
        timers.start(now, 2, 5.0, false, true);
        timers.start(now, 2, 50.0, false, true);
        timers.cancel(1);
        assert_eq!(timers.next_deadline(), Some(now + Duration::from_millis(50)));
        assert!(drain(&mut timers, now + Duration::from_millis(10)).is_empty());
        timers.cancel(2);
        assert!(!timers.keep_alive());
        assert_eq!(timers.next_deadline(), None);
    }

    #[test]
    fn a_late_interval_does_not_catch_up_in_a_burst() {
        let (mut timers, now) = (Timers::default(), Instant::now());
        timers.start(now, 1, 10.0, true, true);
        let late = now + Duration::from_millis(100);
        assert_eq!(timers.take_due(late), Some(1));
        assert_eq!(timers.take_due(late), None);
        assert_eq!(timers.next_deadline(), Some(late + Duration::from_millis(10)));
    }

    #[test]
    fn a_timer_may_leave_the_process_free_to_end() {
        let (mut timers, now) = (Timers::default(), Instant::now());
        timers.start(now, 1, 10.0, false, false);
        assert!(!timers.keep_alive());
        timers.start_immediate(2);
        assert!(timers.keep_alive());
    }
}
