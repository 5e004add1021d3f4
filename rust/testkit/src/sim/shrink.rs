//! Delta debugging over the steps of a failing plan.

use super::run::run;
use super::schedule::{Features, Plan};

/// What a failure says, without whom it says it of.
fn kind(failure: &str) -> String {
    failure.chars().filter(|c| !c.is_ascii_digit()).take(40).collect()
}

/// The shortest plan found that still fails in the same way: no single step of it can be left out. Runs the plan at most `most` times.
pub fn shrink(plan: &Plan, features: Features, most: usize) -> Plan {
    let mut best = plan.clone();
    let Some(wanted) = run(plan, features, false).failure.map(|failure| kind(&failure)) else { return best };
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
            if run(&candidate, features, false).failure.is_some_and(|failure| kind(&failure) == wanted) {
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
