//! Waiting for the next job for a moment before going to sleep.
//!
//! An app that awaits one statement after the other asks for the next one some microseconds after it has the last one's
//! answer, while sending a thread to sleep and waking it costs more than a small statement. So a thread that has just worked
//! watches the bell for [`MOMENT`], once, and yields to whoever else wants the processor.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a thread watches. Longer than JavaScript needs from an answer to its next call, short enough to cost nothing.
const MOMENT: Duration = Duration::from_micros(30);

/// Counts how often it was rung.
#[derive(Debug, Default)]
pub(super) struct Bell(AtomicUsize);

impl Bell {
    pub(super) fn ring(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    pub(super) fn rung(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Returns when it has been rung since `rung`, or after a moment.
    pub(super) fn watch(&self, rung: usize) {
        let end = Instant::now() + MOMENT;
        while self.rung() == rung && Instant::now() < end {
            for _ in 0..16 {
                std::hint::spin_loop();
            }
            std::thread::yield_now();
        }
    }
}
