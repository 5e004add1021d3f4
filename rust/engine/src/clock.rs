//! Time and chance: the two things the core refuses to fetch for itself.
//!
//! [`Clock`] is wall-clock time, for expiry and for what the status shows; how long to wait is tokio's business, so that a
//! paused runtime pauses every timer. [`Jitter`] spreads retries over time and nothing else: it is no source of secrets.

use std::hash::{BuildHasher, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall-clock time. It may jump, in both directions.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The device's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let signed = |d: std::time::Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => signed(since),
            Err(before) => -signed(before.duration()),
        }
    }
}

/// Numbers in `[0, 1)` (splitmix64). The same seed gives the same numbers.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// For tests and the simulator.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Different in each process and for each call, so that devices do not return in step.
    pub fn random() -> Self {
        // The standard library seeds its hash maps from the operating system's randomness.
        Self(std::collections::hash_map::RandomState::new().build_hasher().finish())
    }

    /// The next number in `[0, 1)`.
    pub fn next_unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_in_this_century() {
        assert!((1_700_000_000_000..4_102_444_800_000).contains(&SystemClock.now_ms()));
    }

    #[test]
    fn jitter_stays_in_range_and_follows_its_seed() {
        let (mut a, mut b) = (Jitter::seeded(7), Jitter::seeded(7));
        let numbers: Vec<f64> = (0..1_000).map(|_| a.next_unit()).collect();
        assert!(numbers.iter().all(|n| (0.0..1.0).contains(n)));
        assert!(numbers.iter().all(|n| *n == b.next_unit()));
        let mean = numbers.iter().sum::<f64>() / 1_000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
        assert_ne!(Jitter::random().next_unit(), Jitter::random().next_unit());
    }
}
