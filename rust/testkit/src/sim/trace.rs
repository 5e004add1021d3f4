//! What a simulation did, line by line, and the first thing that went wrong.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// Lines of text, kept only if asked for.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Option<Vec<String>>,
    hash: DefaultHasher,
    failure: Option<String>,
}

impl Trace {
    /// `keep`: whether lines are made at all.
    pub fn new(keep: bool) -> Self {
        Self { lines: keep.then(Vec::new), ..Self::default() }
    }

    /// Notes a line; `line` is called only if lines are kept.
    pub fn note(&mut self, at_ms: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let line = format!("{:>9.3}  {}", at_ms as f64 / 1000.0, line());
            line.hash(&mut self.hash);
            lines.push(line);
        }
    }

    /// Notes what went wrong; only the first counts.
    pub fn fail(&mut self, at_ms: u64, why: impl FnOnce() -> String) {
        if self.failure.is_none() {
            let why = why();
            self.note(at_ms, || format!("VIOLATED: {why}"));
            self.failure = Some(why);
        }
    }

    /// Whether something went wrong.
    pub fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// What went wrong, the lines, and a number that is the same for the same lines.
    pub fn finish(self) -> (Option<String>, Vec<String>, u64) {
        (self.failure, self.lines.unwrap_or_default(), self.hash.finish())
    }
}
