//! How long to wait after a failure: exponential backoff with full jitter above the server's own wish.
//!
//! A pure function: the random number arrives as an argument. Full jitter (a uniform choice between nothing and the
//! exponential ceiling) is what keeps a crowd of devices from returning in step after an outage. `Retry-After` is a floor
//! *under* the jitter, so that a crowd told the same number is spread out as well. The cap holds for everything, also for
//! `Retry-After`: a server that answers "in a year" by mistake must not silence a device.

/// The ceiling after the first failure.
const BASE_MS: u64 = 1_000;

/// Milliseconds until the next attempt.
///
/// `failures` counts the failed attempts in a row, the last one included; 0 is taken as 1. `jitter` is uniform in
/// `[0, 1)`; anything else is clamped (NaN counts as 0). `retry_after_ms` is what the server asked for. The result is at
/// most `max_backoff_ms`.
pub fn delay_ms(failures: u32, jitter: f64, retry_after_ms: Option<u64>, max_backoff_ms: u64) -> u64 {
    let doublings = failures.max(1) - 1;
    let ceiling = if doublings < 40 { BASE_MS << doublings } else { u64::MAX }.min(max_backoff_ms);
    let jitter = if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, 1.0) };
    // A ceiling is at most a day or so of milliseconds, far inside f64's exact integers.
    let spread = (ceiling as f64 * jitter) as u64;
    retry_after_ms.unwrap_or(0).saturating_add(spread).min(max_backoff_ms)
}

#[cfg(test)]
mod tests {
    use super::delay_ms;

    #[test]
    fn grows_by_doubling_and_stops_at_the_cap() {
        let ceilings: Vec<u64> = (1..=12).map(|n| delay_ms(n, 1.0, None, 300_000)).collect();
        assert_eq!(
            ceilings,
            [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000]
        );
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        assert_eq!(delay_ms(4, 0.0, None, 300_000), 0);
        assert_eq!(delay_ms(4, 0.5, None, 300_000), 4_000);
    }

    #[test]
    fn retry_after_is_a_floor_and_the_cap_holds_for_it() {
        assert_eq!(delay_ms(1, 0.0, Some(5_000), 300_000), 5_000);
        assert_eq!(delay_ms(1, 0.5, Some(5_000), 300_000), 5_500);
        assert_eq!(delay_ms(1, 0.5, Some(u64::MAX), 300_000), 300_000);
    }

    #[test]
    fn is_total() {
        for failures in [0, 1, 39, 40, 41, 64, 65, u32::MAX] {
            for jitter in [f64::NAN, f64::NEG_INFINITY, -1.0, 0.0, 0.999, 2.0, f64::INFINITY] {
                for max in [0, 1, 10, 300_000, u64::MAX] {
                    assert!(delay_ms(failures, jitter, Some(3), max) <= max);
                }
            }
        }
    }
}
