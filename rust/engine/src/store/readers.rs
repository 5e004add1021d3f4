//! The readers: a few threads, each with a read-only connection, fed from one queue.
//!
//! In WAL mode they never wait for the writer and see the last commit before the query began. While the app is suspended no
//! connection is open and queries wait. Refuses everything that would write.

mod connection;
mod question;
mod shared;

pub(super) use connection::Reader;

use super::{Execution, closed, internal};
use omnii_sync_core::error::Result;
use omnii_sync_core::{Schema, SyncError};
use question::Query;
use shared::{Queue, Shared, State, Turn};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use tokio::sync::oneshot;

/// As many as PowerSync's and op-sqlite's pools roughly use; more would only compete for the phone's cores.
const MAX_READERS: usize = 4;

/// The pool. Threads start when queries wait and no reader is idle.
pub(super) struct Readers {
    shared: Arc<Shared>,
    /// The one connection when queries run on the caller's thread; held while they do.
    inline: Option<Mutex<Option<Reader>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, schema: Arc<Schema>, execution: Execution) -> Self {
        let shared = Shared { path, schema, ending: Arc::default(), queue: Mutex::default(), wake: Condvar::new() };
        Self { shared: Arc::new(shared), inline: (execution == Execution::Inline).then(Mutex::default) }
    }

    /// Has `run` done by a reader; it may be called a second time. `done` is called once on the reader's thread.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        run: impl FnMut(&Reader) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let mut queue = self.shared.lock();
        let refusal = match &queue.state {
            State::Running | State::Suspended => None,
            State::Failed(error) => Some(error.clone()),
            State::Closed => Some(closed()),
        };
        if let Some(error) = refusal {
            drop(queue);
            return done(Err(error));
        }
        queue.waiting.push_back(Query::new(run, done));
        self.work(queue);
        self.shared.wake.notify_one();
    }

    /// Has what waits served.
    fn work(&self, mut queue: MutexGuard<'_, Queue>) {
        if let Some(connection) = &self.inline {
            drop(queue);
            return self.drain(connection);
        }
        while matches!(queue.state, State::Running)
            && queue.idle + queue.starting < queue.waiting.len()
            && queue.threads.len() < MAX_READERS
        {
            let shared = self.shared.clone();
            match std::thread::Builder::new().name("omnii-reader".into()).spawn(move || read(&shared)) {
                Ok(thread) => {
                    queue.starting += 1;
                    queue.threads.push(thread);
                }
                Err(error) if queue.threads.is_empty() => {
                    let refused = std::mem::take(&mut queue.waiting);
                    drop(queue);
                    for query in refused {
                        query.refuse(internal(format!("no reader thread could be started: {error}")));
                    }
                    return;
                }
                Err(_) => break, // those that run will serve it
            }
        }
    }

    /// Runs what is queued on this thread, unless that is being done already further up in the stack.
    fn drain(&self, connection: &Mutex<Option<Reader>>) {
        loop {
            let mut connection = match connection.try_lock() {
                Ok(connection) => connection,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            loop {
                let turn = Shared::turn(&mut self.shared.lock(), connection.is_some());
                match turn {
                    Turn::Serve(query) => self.shared.serve(&mut connection, query),
                    Turn::Release => self.shared.release(&mut connection),
                    Turn::Rest => break,
                    Turn::End => {
                        *connection = None;
                        return;
                    }
                }
            }
            drop(connection);
            let queue = self.shared.lock();
            if queue.waiting.is_empty() || !matches!(queue.state, State::Running) {
                return;
            }
        }
    }

    /// Closes the connections as they become idle; what is asked from now on waits. Resolves then, or when closed.
    pub(super) fn suspend(&self) -> oneshot::Receiver<()> {
        let (done, suspended) = oneshot::channel();
        let mut queue = self.shared.lock();
        if !matches!(queue.state, State::Closed) {
            queue.state = State::Suspended;
            queue.suspenders.push(done);
            queue.answer_if_suspended();
            self.work(queue);
            self.shared.wake.notify_all();
        }
        suspended
    }

    /// As [`Self::suspend`], for what still runs: it is interrupted, and runs once more afterwards.
    pub(super) fn suspend_now(&self) {
        self.shared.ending.store(true, Ordering::Relaxed);
    }

    /// Serves again what waits; with an error, that is everybody's answer until the next try.
    pub(super) fn resume(&self, failure: Option<SyncError>) {
        let mut queue = self.shared.lock();
        if matches!(queue.state, State::Closed) {
            return;
        }
        self.shared.ending.store(false, Ordering::Relaxed);
        match failure {
            None => {
                queue.state = State::Running;
                self.work(queue);
                self.shared.wake.notify_all();
            }
            Some(error) => {
                queue.state = State::Failed(error.clone());
                let waiting = std::mem::take(&mut queue.waiting);
                drop(queue);
                for query in waiting {
                    query.refuse(error.clone());
                }
            }
        }
    }

    pub(super) fn close(&self) {
        let (waiting, threads) = {
            let mut queue = self.shared.lock();
            queue.state = State::Closed;
            self.shared.ending.store(true, Ordering::Relaxed);
            for interrupt in &queue.interrupts {
                interrupt.interrupt();
            }
            (std::mem::take(&mut queue.waiting), std::mem::take(&mut queue.threads))
        };
        self.shared.wake.notify_all();
        for query in waiting {
            query.refuse(closed());
        }
        if let Some(connection) = &self.inline {
            self.drain(connection);
        }
        for thread in threads {
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a reader thread panicked");
            }
        }
        self.shared.lock().suspenders.clear();
    }
}

/// A thread's life.
fn read(shared: &Shared) {
    let mut connection = None;
    shared.lock().starting -= 1;
    loop {
        let mut queue = shared.lock();
        let turn = loop {
            match Shared::turn(&mut queue, connection.is_some()) {
                Turn::Rest => {
                    queue.idle += 1;
                    queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    queue.idle -= 1;
                }
                turn => break turn,
            }
        };
        drop(queue);
        match turn {
            Turn::Serve(query) => shared.serve(&mut connection, query),
            Turn::Release => shared.release(&mut connection),
            Turn::Rest => {}
            Turn::End => return,
        }
    }
}
