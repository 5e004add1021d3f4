//! How often to look for what is new, by what is known of the app, the user and the device.
//!
//! Owns the reports of the outside (foreground, network, battery) and the memory of when something last changed. Guarantees
//! that every state has an interval: a report that there is no network only makes attempts rare, since such reports lie. It
//! decides about polls alone; local writes are pushed after their throttle, whatever the schedule says, but while offline.

use crate::options::SyncOptions;
use crate::status::SyncFrequency;

/// How long nothing may have changed in either direction before polls become rarer: 3 min.
const IDLE_AFTER_MS: u64 = 180_000;

#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) in_background: bool,
    pub(super) is_offline: bool,
    pub(super) is_metered: bool,
    pub(super) is_battery_low: bool,
    /// When something last changed here or there, or the user did something.
    active_at_ms: Option<i64>,
    /// Rounds in a row after which it was quiet for too long; each one doubles the interval.
    quiet_rounds: u32,
    /// From when the poll under way is counted.
    pub(super) since_ms: i64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            in_background: false,
            is_offline: false,
            is_metered: false,
            is_battery_low: false,
            active_at_ms: None,
            quiet_rounds: 0,
            since_ms: i64::MIN,
        }
    }
}

impl Schedule {
    pub(super) fn active(&mut self, now_ms: i64) {
        self.active_at_ms = Some(now_ms);
        self.quiet_rounds = 0;
    }

    /// A round was complete and the next poll is counted from now.
    pub(super) fn round_over(&mut self, now_ms: i64) {
        self.since_ms = now_ms;
        let active_at_ms = *self.active_at_ms.get_or_insert(now_ms);
        let quiet = now_ms >= active_at_ms && now_ms.abs_diff(active_at_ms) >= IDLE_AFTER_MS;
        self.quiet_rounds = if quiet { self.quiet_rounds.saturating_add(1) } else { 0 };
        if now_ms < active_at_ms {
            // the clock was set back
            self.active_at_ms = Some(now_ms);
        }
    }

    /// The gravest reason goes first.
    pub(super) fn frequency(&self) -> SyncFrequency {
        if self.is_offline {
            SyncFrequency::Offline
        } else if self.in_background {
            SyncFrequency::Background
        } else if self.is_battery_low {
            SyncFrequency::LowBattery
        } else if self.is_metered {
            SyncFrequency::Metered
        } else if self.quiet_rounds > 0 {
            SyncFrequency::Idle
        } else {
            SyncFrequency::Active
        }
    }

    /// Time between two polls, ms; never less than `poll_interval_ms`.
    pub(super) fn interval_ms(&self, options: &SyncOptions) -> u64 {
        let poll = options.poll_interval_ms;
        let rare = options.idle_poll_interval_ms.max(poll);
        match self.frequency() {
            SyncFrequency::Active => poll,
            SyncFrequency::Idle => {
                let factor = 1_u64.checked_shl(self.quiet_rounds).unwrap_or(u64::MAX).max(2);
                poll.saturating_mul(factor).min(rare)
            }
            SyncFrequency::Metered | SyncFrequency::LowBattery | SyncFrequency::Offline => rare,
            SyncFrequency::Background => options.background_poll_interval_ms.max(poll),
        }
    }

    /// When the poll is due that is waited for already, by what is known now. A clock set back does not postpone it.
    pub(super) fn poll_at(&self, now_ms: i64, options: &SyncOptions) -> i64 {
        self.since_ms.min(now_ms).saturating_add_unsigned(self.interval_ms(options)).max(now_ms)
    }
}
