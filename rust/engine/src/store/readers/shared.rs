//! What the readers share: the queries that wait, and whether they may be served.

use super::connection::{Reader, connect};
use super::question::Query;
use super::sessions::{Sessions, Step};
use crate::store::encryption::CurrentKey;
use crate::store::rows::Integers;
use omnii_sync_core::{ErrorCode, Schema, SyncError};
use rusqlite::InterruptHandle;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<Query>,
    pub(super) sessions: Sessions,
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
    /// The connection for queries on their callers' threads, when none of them uses it.
    pub(super) direct: Option<Reader>,
    /// Queries that run on their callers' threads now.
    pub(super) direct_running: usize,
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

    /// How many threads would find something to do.
    pub(super) fn work(&self) -> usize {
        match self.state {
            State::Running => self.waiting.len() + self.sessions.steps(true),
            State::Suspended => self.sessions.steps(false),
            State::Failed(_) | State::Closed => 0,
        }
    }
}

pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) key: CurrentKey,
    pub(super) schema: Arc<Schema>,
    pub(super) integers: Integers,
    /// What runs must end: the database closes, or the app has waited long enough to be suspended.
    pub(super) ending: Arc<AtomicBool>,
    /// How often the app has interrupted its statements, from 1.
    pub(super) interrupts: Arc<AtomicU64>,
    pub(super) queue: Mutex<Queue>,
    pub(super) wake: Condvar,
    /// The last query on its caller's thread has ended.
    pub(super) calm: Condvar,
}

/// What there is for a reader to do.
pub(super) enum Turn {
    Serve(Query),
    Step(Step),
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
        let running = matches!(queue.state, State::Running);
        match queue.state {
            State::Closed => Turn::End,
            State::Suspended | State::Failed(_) if connected => Turn::Release,
            State::Running | State::Suspended | State::Failed(_) => {
                if let Some(step) = queue.sessions.next(running) {
                    queue.open += usize::from(matches!(step, Step::Begin(_, _, None)));
                    return Turn::Step(step);
                }
                match running.then(|| queue.waiting.pop_front()).flatten() {
                    Some(query) => {
                        queue.open += usize::from(!connected);
                        Turn::Serve(query)
                    }
                    None => Turn::Rest,
                }
            }
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
        let mut result = opened.and_then(|reader| query.run(reader));
        if connection.is_none() || matches!(&result, Err(error) if error.code == ErrorCode::Closed) {
            let mut queue = self.lock();
            if connection.is_none() {
                queue.open -= 1;
                queue.answer_if_suspended();
            }
            if matches!(&result, Err(error) if error.code == ErrorCode::Closed) {
                match queue.state {
                    // it only reads, so it may run once more
                    State::Suspended => return queue.waiting.push_front(query),
                    State::Closed => {}
                    State::Running | State::Failed(_) if query.asked == self.interrupts.load(Ordering::Relaxed) => {
                        return queue.waiting.push_front(query);
                    }
                    State::Running | State::Failed(_) => result = Err(interrupted()),
                }
            }
        }
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

pub(super) fn interrupted() -> SyncError {
    SyncError::new(ErrorCode::Interrupted, "interrupt() ended the statement")
}
