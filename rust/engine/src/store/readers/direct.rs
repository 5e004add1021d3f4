//! Queries on their callers' threads, for small reads that can't wait for a promise.
//!
//! One connection of its own, opened by the first such query; it waits for no other query and never for the writer.
//! Guarantees: while the app is suspended the connection is closed, and the query is refused rather than kept waiting;
//! closing the database waits until the query has ended.

use super::Readers;
use super::connection::Reader;
use super::shared::{State, interrupted};
use crate::store::{closed, internal};
use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

impl Readers {
    /// Runs `query` here and now.
    pub(in crate::store) fn now<T>(&self, query: impl FnOnce(&Reader) -> Result<T>) -> Result<T> {
        let free = {
            let mut queue = self.shared.lock();
            match &queue.state {
                State::Running => {}
                State::Suspended => return Err(suspended()),
                State::Failed(error) => return Err(error.clone()),
                State::Closed => return Err(closed()),
            }
            queue.direct_running += 1;
            let free = queue.direct.take();
            // counted before anybody can give the file up
            queue.open += usize::from(free.is_none());
            free
        };
        let asked = self.shared.interrupts.load(Ordering::Relaxed);
        let run = || {
            let reader = match free {
                Some(reader) => reader,
                None => self.shared.connect_counted()?,
            };
            Ok((reader.interruptible(asked, query), reader))
        };
        let (outcome, reader) = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok((outcome, reader))) => (outcome, Some(reader)),
            Ok(Err(error)) => (Err(error), None),
            Err(_) => (Err(internal("a query panicked")), None),
        };
        self.settle(outcome, reader)
    }

    fn settle<T>(&self, outcome: Result<T>, reader: Option<Reader>) -> Result<T> {
        let mut queue = self.shared.lock();
        let refusal = match queue.state {
            State::Running => interrupted(),
            State::Suspended | State::Failed(_) => suspended(),
            State::Closed => closed(),
        };
        let mut too_many = reader;
        if matches!(queue.state, State::Running) && queue.direct.is_none() {
            queue.direct = too_many.take();
        }
        drop(queue);
        self.shared.dispose(too_many.into_iter().collect());
        self.shared.lock().direct_running -= 1;
        self.shared.calm.notify_all();
        outcome.map_err(|error| if error.code == ErrorCode::Closed { refusal } else { error })
    }
}

fn suspended() -> SyncError {
    SyncError::new(
        ErrorCode::Suspended,
        "the app is suspended, so the file is closed until resume(); calls that answer a promise wait for that",
    )
}
