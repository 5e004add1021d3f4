//! The server's only source of time. A clock is the system's or a hand-driven one for tests, and it hands out *stamps*:
//! instants that strictly increase even when the system's clock stands still or steps back, because a row's
//! `updated_at` is what clients page by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A shared source of time; clones tell the same time. All instants are microseconds since 1970.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// `None`: the system's clock. `Some`: what a test has set.
    manual_us: Option<AtomicI64>,
    last_stamp_us: AtomicI64,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Arc::new(Inner { manual_us: None, last_stamp_us: AtomicI64::new(i64::MIN) }))
    }

    /// A clock that stands at `start_us` until [`Clock::advance`] moves it.
    pub fn manual(start_us: i64) -> Self {
        let manual_us = Some(AtomicI64::new(start_us));
        Self(Arc::new(Inner { manual_us, last_stamp_us: AtomicI64::new(i64::MIN) }))
    }

    /// Moves a manual clock forward; the system's clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Some(manual) = &self.0.manual_us {
            manual.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Now.
    pub fn now_us(&self) -> i64 {
        match &self.0.manual_us {
            Some(manual) => manual.load(Ordering::SeqCst),
            None => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
            }
        }
    }

    /// Now, or one microsecond after the last stamp, whichever is later: no two calls return the same instant.
    pub fn stamp_us(&self) -> i64 {
        let now = self.now_us();
        let next = |last: i64| now.max(last.saturating_add(1));
        let previous = self.0.last_stamp_us.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)));
        next(previous.unwrap_or(i64::MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_increase_while_the_clock_stands_still_and_follow_it_when_it_moves() {
        let clock = Clock::manual(1_000);
        assert_eq!([clock.stamp_us(), clock.stamp_us(), clock.stamp_us()], [1_000, 1_001, 1_002]);
        clock.advance(Duration::from_millis(1));
        assert_eq!((clock.now_us(), clock.stamp_us()), (2_000, 2_000));
    }
}
