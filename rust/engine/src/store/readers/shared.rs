//! What the readers share: the queries that wait, and whether they may be served.

use super::connection::{Reader, connect};
use super::question::Query;
use omnii_sync_core::{ErrorCode, Schema, SyncError};
use rusqlite::InterruptHandle;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<Query>,
    pub(super) idle: usize,
    /// Threads that have not asked for their first query yet.
    pub(super) starting: usize,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) interrupts: Vec<InterruptHandle>,
    /// Connections that are open or being opened.
    pub(super) open: usize,
    pub(super) state: State,
    /// Who wants to know when no connection is open any more.
    pub(super) suspenders: Vec<oneshot::Sender<()>>,
}

#[derive(Default)]
pub(super) enum State {
    #[default]
    Running,
    Suspended,
    /// The file could not be opened again.
    Failed(SyncError),
    Closed,
}

impl Queue {
    pub(super) fn answer_if_suspended(&mut self) {
        if self.open == 0 {
            self.interrupts.clear();
            for suspender in self.suspenders.drain(..) {
                // whoever asked may be gone
                let _ = suspender.send(());
            }
        }
    }
}

pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) schema: Arc<Schema>,
    /// What runs must end: the database closes, or the app has waited long enough to be suspended.
    pub(super) ending: Arc<AtomicBool>,
    pub(super) queue: Mutex<Queue>,
    pub(super) wake: Condvar,
}

/// What there is for a reader to do.
pub(super) enum Turn {
    Serve(Query),
    /// Give the connection up.
    Release,
    /// Nothing at present.
    Rest,
    End,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn turn(queue: &mut Queue, connected: bool) -> Turn {
        match queue.state {
            State::Closed => Turn::End,
            State::Suspended | State::Failed(_) if connected => Turn::Release,
            State::Suspended | State::Failed(_) => Turn::Rest,
            State::Running => match queue.waiting.pop_front() {
                Some(query) => {
                    queue.open += usize::from(!connected);
                    Turn::Serve(query)
                }
                None => Turn::Rest,
            },
        }
    }

    /// Runs one query; opens the connection if there is none.
    pub(super) fn serve(&self, connection: &mut Option<Reader>, mut query: Query) {
        let opened = match connection {
            Some(opened) => Ok(opened),
            None => connect(self).map(|opened| {
                self.lock().interrupts.push(opened.connection.get_interrupt_handle());
                connection.insert(opened)
            }),
        };
        let result = opened.and_then(|reader| query.question.run(reader));
        let mut queue = self.lock();
        if connection.is_none() {
            queue.open -= 1;
            queue.answer_if_suspended();
        }
        if let (Err(error), State::Suspended) = (&result, &queue.state)
            && error.code == ErrorCode::Closed
        {
            // interrupted; it only reads, so it may run once more
            return queue.waiting.push_front(query);
        }
        drop(queue);
        // the thread serves others, too
        if catch_unwind(AssertUnwindSafe(|| query.question.answer(result))).is_err() {
            tracing::error!("who received the rows of a query panicked");
        }
    }

    pub(super) fn release(&self, connection: &mut Option<Reader>) {
        *connection = None;
        let mut queue = self.lock();
        queue.open -= 1;
        queue.answer_if_suspended();
    }
}
