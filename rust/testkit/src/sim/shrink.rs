//! Delta debugging over the steps of a failing plan.

use super::run::run;
use super::schedule::{Features, Plan};

/// The shortest plan found that still fails: no single step of it can be left out. Runs the plan at most `most` times.
pub fn shrink(plan: &Plan, features: Features, most: usize) -> Plan {
    let mut best = plan.clone();
    let mut left = most;
    let mut chunk = best.steps.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let mut removed = false;
        while at < best.steps.len() {
            let mut candidate = best.clone();
            let end = (at + chunk).min(candidate.steps.len());
            candidate.steps.drain(at..end);
            if left == 0 {
                return best;
            }
            left -= 1;
            if run(&candidate, features, false).failure.is_some() {
                best = candidate;
                removed = true;
            } else {
                at += chunk;
            }
        }
        if chunk == 1 && !removed {
            return best;
        }
        chunk = if chunk == 1 { 1 } else { chunk.div_ceil(2) };
    }
}
