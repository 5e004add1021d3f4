//! Runs simulations: many seeds on all cores, or one with its trace and its shortest failing schedule.
//!
//! `simulate --seeds N [--from S] [--first]`, `simulate --seed S`. Exits with 1 if a seed failed, with 2 if it was called wrongly.

use omnii_sync_testkit::sim::{Features, Plan, run, shrink};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

const USAGE: &str = "simulate --seeds N [--from S] [--jobs J] [--first] [--all] | simulate --seed S [--all]";

/// Tries of shrinking.
const MOST_RUNS: usize = 600;

#[derive(Default)]
struct Arguments {
    seeds: Option<u64>,
    from: u64,
    seed: Option<u64>,
    jobs: Option<u64>,
    all: bool,
    /// Stop at the first failure.
    first: bool,
}

fn arguments() -> Option<Arguments> {
    let mut given = Arguments { from: 1, ..Arguments::default() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next()?.parse::<u64>().ok();
        match word.as_str() {
            "--seeds" => given.seeds = Some(number()?),
            "--from" => given.from = number()?,
            "--seed" => given.seed = Some(number()?),
            "--jobs" => given.jobs = Some(number()?),
            "--all" => given.all = true,
            "--first" => given.first = true,
            _ => return None,
        }
    }
    (given.seeds.is_some() != given.seed.is_some()).then_some(given)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let features = if arguments.all { Features::ALL } else { Features::default() };
    let failed = match (arguments.seed, arguments.seeds) {
        (Some(seed), _) => one(seed, features),
        (None, seeds) => many(&arguments, seeds.unwrap_or(0), features),
    };
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Replays a seed. If it fails, shrinks its schedule and shows what is left of it.
fn one(seed: u64, features: Features) -> bool {
    let plan = Plan::new(seed);
    let outcome = run(&plan, features, true);
    let Some(failure) = outcome.failure else {
        show(&outcome.trace);
        println!("seed {seed} holds: {} steps, {} s of virtual time", plan.steps.len(), outcome.lasted_ms / 1000);
        return false;
    };
    println!("seed {seed} fails: {failure}\nshrinking its {} steps …", plan.steps.len());
    let small = shrink(&plan, features, MOST_RUNS);
    let outcome = run(&small, features, true);
    show(&outcome.trace);
    println!("\nthe {} steps that are left:", small.steps.len());
    for step in &small.steps {
        println!("  {step:?}");
    }
    println!("\nseed {seed}: {}", outcome.failure.unwrap_or(failure));
    true
}

fn show(trace: &[String]) {
    for line in trace {
        println!("{line}");
    }
}

fn many(arguments: &Arguments, seeds: u64, features: Features) -> bool {
    let &Arguments { from, jobs, first, .. } = arguments;
    // a panic is a failure of its seed, and is reported as one
    std::panic::set_hook(Box::new(|_| ()));
    let begun = Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let (next, done) = (AtomicU64::new(from), AtomicU64::new(0));
    let failures: Mutex<Vec<(u64, String)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..jobs.unwrap_or(cores).max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let enough = first && !failures.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
                    if enough || seed >= from.saturating_add(seeds) {
                        return;
                    }
                    if let Some(failure) = run(&Plan::new(seed), features, false).failure {
                        println!("seed {seed} fails: {failure}");
                        failures.lock().unwrap_or_else(PoisonError::into_inner).push((seed, failure));
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if done % 500 == 0 {
                        eprintln!("{done} of {seeds} seeds, {:.1} s", begun.elapsed().as_secs_f64());
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort();
    let done = done.into_inner();
    println!("{done} seeds from {from} in {:.1} s, {} failed", begun.elapsed().as_secs_f64(), failures.len());
    if !failures.is_empty() {
        let numbers: Vec<String> = failures.iter().map(|(seed, _)| seed.to_string()).collect();
        println!("failing seeds: {}", numbers.join(" "));
    }
    !failures.is_empty()
}
