//! The readers: a few threads, each with a read-only connection, fed from one queue.
//!
//! Beside their queue a reader may be held by the app ([`sessions`]), and one serves queries on the caller's thread ([`direct`]).
//!
//! In WAL mode they never wait for the writer and see the last commit before the query began. While the app is suspended no
//! connection is open and queries wait. Refuses everything that would write.

mod connection;
mod direct;
mod question;
mod sessions;
mod shared;

pub(super) use connection::Reader;
pub(super) use sessions::FIRST_SESSION;

use super::encryption::CurrentKey;
use super::rows::Integers;
use super::writer::{SUSPENDED, ended};
use super::{Execution, closed, internal};
use omnii_sync_core::error::Result;
use omnii_sync_core::{Schema, SyncError};
use question::Query;
use sessions::{Begin, MAX_SESSIONS, SessionJob};
use shared::{Queue, Shared, State, Turn, interrupted};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
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
    pub(super) fn new(
        path: PathBuf,
        key: CurrentKey,
        schema: Arc<Schema>,
        integers: Integers,
        execution: Execution,
    ) -> Self {
        let shared = Shared {
            path,
            key,
            schema,
            integers,
            ending: Arc::default(),
            interrupts: Arc::new(AtomicU64::new(1)),
            queue: Mutex::default(),
            wake: Condvar::new(),
            calm: Condvar::new(),
        };
        Self { shared: Arc::new(shared), inline: (execution == Execution::Inline).then(Mutex::default) }
    }

    /// Has `run` run on a reader, perhaps twice; `done` is told what came out once, on a reader's thread.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        run: impl FnMut(&Reader) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let mut queue = self.shared.lock();
        if let Some(error) = refusal(&queue) {
            drop(queue);
            return done(Err(error));
        }
        let asked = self.shared.interrupts.load(Ordering::Relaxed);
        queue.waiting.push_back(Query::new(asked, run, done));
        self.work(queue);
        self.shared.wake.notify_one();
    }

    /// Gives the app a connection of its own as soon as there is one; with `snapshot` it sees one state of the data. `done`
    /// gets its id.
    pub(super) fn begin(&self, snapshot: bool, done: impl FnOnce(Result<u64>) + Send + 'static) {
        let mut queue = self.shared.lock();
        if let Some(error) = refusal(&queue) {
            drop(queue);
            return done(Err(error));
        }
        queue.sessions.begins.push_back(Begin { snapshot, done: Box::new(done) });
        self.work(queue);
        self.shared.wake.notify_one();
    }

    /// As [`Self::ask`], on the connection that the app holds as `session`.
    pub(super) fn ask_session<T: Send + 'static>(
        &self,
        session: u64,
        run: impl FnMut(&Reader) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let asked = self.shared.interrupts.load(Ordering::Relaxed);
        self.job(session, SessionJob::Query(Query::new(asked, run, done)));
    }

    /// Gives the connection back.
    pub(super) fn end(&self, session: u64, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.job(session, SessionJob::End(Box::new(done)));
    }

    fn job(&self, session: u64, job: SessionJob) {
        let mut queue = self.shared.lock();
        if matches!(queue.state, State::Closed) {
            drop(queue);
            return job.refuse(closed());
        }
        if let Err((job, error)) = queue.sessions.ask(session, job) {
            drop(queue);
            return job.refuse(error);
        }
        self.work(queue);
        self.shared.wake.notify_one();
    }

    /// Ends what the app has asked for so far and what has not been answered.
    pub(super) fn interrupt(&self) {
        let mut queue = self.shared.lock();
        // under the lock: whatever waits now was asked before
        self.shared.interrupts.fetch_add(1, Ordering::Relaxed);
        let mut waiting = queue.sessions.take_queries();
        waiting.extend(std::mem::take(&mut queue.waiting));
        drop(queue);
        for query in waiting {
            query.refuse(interrupted());
        }
    }

    /// Has what waits served.
    fn work(&self, mut queue: MutexGuard<'_, Queue>) {
        if let Some(connection) = &self.inline {
            drop(queue);
            return self.drain(connection);
        }
        // what the app holds must not keep queries from threads
        while queue.idle + queue.starting < queue.work()
            && queue.threads.len()
                < MAX_READERS + queue.sessions.held().max(queue.sessions.steps(true)).min(MAX_SESSIONS)
        {
            let shared = self.shared.clone();
            match std::thread::Builder::new().name("omnii-reader".into()).spawn(move || read(&shared)) {
                Ok(thread) => {
                    queue.starting += 1;
                    queue.threads.push(thread);
                }
                Err(error) if queue.threads.is_empty() => {
                    let refused = std::mem::take(&mut queue.waiting);
                    let begins = std::mem::take(&mut queue.sessions.begins);
                    drop(queue);
                    let error = internal(format!("no reader thread could be started: {error}"));
                    for query in refused {
                        query.refuse(error.clone());
                    }
                    for begin in begins {
                        (begin.done)(Err(error.clone()));
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
                    Turn::Step(step) => self.shared.step(step),
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
            if queue.work() == 0 {
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
            let mut free = queue.sessions.take_spare();
            free.extend(queue.direct.take());
            drop(queue);
            self.shared.dispose(free);
            self.work(self.shared.lock());
            self.shared.wake.notify_all();
        }
        suspended
    }

    /// As [`Self::suspend`], for what still runs: it is interrupted, and runs once more afterwards. What the app holds ends.
    pub(super) fn suspend_now(&self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        let (free, jobs) = self.shared.lock().sessions.end_all();
        self.shared.dispose(free);
        for job in jobs {
            job.refuse(ended(SUSPENDED));
        }
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
                let begins = std::mem::take(&mut queue.sessions.begins);
                drop(queue);
                for query in waiting {
                    query.refuse(error.clone());
                }
                for begin in begins {
                    (begin.done)(Err(error.clone()));
                }
            }
        }
    }

    pub(super) fn close(&self) {
        let (waiting, begins, threads, free, jobs) = {
            let mut queue = self.shared.lock();
            queue.state = State::Closed;
            self.shared.ending.store(true, Ordering::Relaxed);
            for interrupt in &queue.interrupts {
                interrupt.interrupt();
            }
            let (mut free, jobs) = queue.sessions.end_all();
            free.extend(queue.sessions.take_spare());
            free.extend(queue.direct.take());
            let waiting = std::mem::take(&mut queue.waiting);
            let begins = std::mem::take(&mut queue.sessions.begins);
            (waiting, begins, std::mem::take(&mut queue.threads), free, jobs)
        };
        self.shared.wake.notify_all();
        self.shared.dispose(free);
        for query in waiting {
            query.refuse(closed());
        }
        for begin in begins {
            (begin.done)(Err(closed()));
        }
        for job in jobs {
            job.refuse(closed());
        }
        if let Some(connection) = &self.inline {
            self.drain(connection);
        }
        for thread in threads {
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a reader thread panicked");
            }
        }
        let mut queue = self.shared.lock();
        while queue.direct_running > 0 {
            queue = self.shared.calm.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.suspenders.clear();
    }
}

/// Why nothing may be asked now.
fn refusal(queue: &Queue) -> Option<SyncError> {
    match &queue.state {
        State::Running | State::Suspended => None,
        State::Failed(error) => Some(error.clone()),
        State::Closed => Some(closed()),
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
            Turn::Step(step) => shared.step(step),
            Turn::Release => shared.release(&mut connection),
            Turn::Rest => {}
            Turn::End => return,
        }
    }
}
