//! The simulator as a test: two thousand seeds hold, and a seed is always the same run.

use omnii_sync_testkit::sim::{Features, Plan, run};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds 1 to this one.
const SEEDS: u64 = 2_000;

#[test]
fn every_seed_holds() {
    let next = AtomicU64::new(1);
    let failures = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > SEEDS {
                        return;
                    }
                    if let Some(failure) = run(&Plan::new(seed), Features::default(), false).failure {
                        failures.lock().unwrap().push((seed, failure));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    for (seed, failure) in &failures {
        println!(
            "seed {seed} fails: {failure}\n  npm run simulate -- --seed {seed}   shrinks its schedule and shows what happened"
        );
    }
    assert!(failures.is_empty(), "{} of {SEEDS} seeds fail", failures.len());
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [3, 17, 163, 1_001] {
        let (plan, features) = (Plan::new(seed), Features::default());
        let (first, second) = (run(&plan, features, true), run(&plan, features, true));
        for (n, (a, b)) in first.trace.iter().zip(&second.trace).enumerate() {
            assert_eq!(a, b, "line {n} of seed {seed}");
        }
        assert_eq!((first.hash, first.trace.len()), (second.hash, second.trace.len()), "seed {seed}");
        assert!(first.trace.len() > 100, "seed {seed} does something");
        let other = run(&Plan::new(seed + 1), features, true);
        assert_ne!(first.hash, other.hash, "seed {seed} and the next");
    }
}
