//! The way to the [`Writer`]: a queue of jobs, run in order on a thread of its own, or on the caller's
//! ([`Execution`] says which).
//!
//! Guarantees: every job is answered, at the latest with `Closed`; closing ends a statement that runs and never waits for
//! one that is just beginning; a job that asks for more jobs (its answer's receiver may) never waits for itself.

use super::jobs::{Job, Worker};
use super::{Writer, lock};
use crate::store::sql_error::sql_error;
use crate::store::{Execution, internal};
use omnii_sync_core::error::Result;
use rusqlite::InterruptHandle;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;

/// How many steps of SQLite's machine may pass before a statement notices that the database closes.
pub(in crate::store) const OPERATIONS_BETWEEN_LOOKS: i32 = 1000;

/// What callers and the writer share.
#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    wake: Condvar,
}

#[derive(Default)]
struct Inbox {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Shared {
    /// The next job; waits for one. `None` when closed.
    fn wait(&self) -> Option<Job> {
        let mut inbox = lock(&self.inbox);
        loop {
            if inbox.closed {
                return None;
            }
            if let Some(job) = inbox.jobs.pop_front() {
                return Some(job);
            }
            inbox = self.wake.wait(inbox).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) -> VecDeque<Job> {
        let mut inbox = lock(&self.inbox);
        inbox.closed = true;
        std::mem::take(&mut inbox.jobs)
    }
}

enum Runner {
    Thread(Mutex<Option<JoinHandle<()>>>),
    /// Held while jobs run; `None` when closed.
    Inline(Box<Mutex<Option<Worker>>>),
}

/// See the module's documentation.
pub(in crate::store) struct WriterQueue {
    shared: Arc<Shared>,
    interrupt: InterruptHandle,
    closing: Arc<AtomicBool>,
    runner: Runner,
}

impl WriterQueue {
    pub(in crate::store) fn start(mut writer: Writer, execution: Execution) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let interrupt = writer.connection.get_interrupt_handle();
        let closing = Arc::new(AtomicBool::new(false));
        let asked = closing.clone();
        // an interrupt that comes just before a statement begins is forgotten; this is not
        writer
            .connection
            .progress_handler(OPERATIONS_BETWEEN_LOOKS, Some(move || asked.load(Ordering::Relaxed)))
            .map_err(sql_error)?;
        let worker = Worker::new(writer);
        let runner = match execution {
            Execution::Inline => Runner::Inline(Box::new(Mutex::new(Some(worker)))),
            Execution::Threads => {
                let queue = shared.clone();
                let thread = std::thread::Builder::new()
                    .name("omnii-writer".into())
                    .spawn(move || work(worker, &queue))
                    .map_err(|e| internal(format!("the writer thread could not be started: {e}")))?;
                Runner::Thread(Mutex::new(Some(thread)))
            }
        };
        Ok(Self { shared, interrupt, closing, runner })
    }

    fn send(&self, job: Job) {
        let mut inbox = lock(&self.shared.inbox);
        if inbox.closed {
            drop(inbox);
            return job.refuse();
        }
        inbox.jobs.push_back(job);
        drop(inbox);
        match &self.runner {
            Runner::Thread(_) => self.shared.wake.notify_one(),
            Runner::Inline(worker) => self.drain(worker),
        }
    }

    /// Runs what is queued on this thread, unless that is being done already further up in the stack.
    fn drain(&self, worker: &Mutex<Option<Worker>>) {
        loop {
            let mut slot = match worker.try_lock() {
                Ok(slot) => slot,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            while !self.closing.load(Ordering::SeqCst)
                && let Some(worker) = slot.as_mut()
                && let Some(job) = worker.put_off().or_else(|| lock(&self.shared.inbox).jobs.pop_front())
            {
                worker.run(job);
            }
            if self.closing.load(Ordering::SeqCst)
                && let Some(worker) = slot.take()
            {
                worker.finish(self.shared.close());
            }
            drop(slot);
            let inbox = lock(&self.shared.inbox);
            if inbox.closed || inbox.jobs.is_empty() {
                return;
            }
        }
    }

    pub(in crate::store) fn run(&self, work: impl FnOnce(Result<&mut Writer>) + Send + 'static) {
        self.send(Job::Run(Box::new(work)));
    }

    pub(in crate::store) fn in_transaction(
        &self,
        transaction: u64,
        work: impl FnOnce(Result<&mut Writer>) + Send + 'static,
    ) {
        self.send(Job::In { transaction, work: Box::new(work) });
    }

    pub(in crate::store) fn begin(&self, done: impl FnOnce(Result<u64>) + Send + 'static) {
        self.send(Job::Begin(Box::new(done)));
    }

    pub(in crate::store) fn end(&self, transaction: u64, commit: bool, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.send(Job::End { transaction, commit, done: Box::new(done) });
    }

    pub(in crate::store) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.interrupt.interrupt();
        match &self.runner {
            Runner::Inline(worker) => self.drain(worker),
            Runner::Thread(thread) => {
                lock(&self.shared.inbox).closed = true;
                self.shared.wake.notify_all();
                if let Some(thread) = lock(thread).take()
                    && thread.thread().id() != std::thread::current().id()
                    && thread.join().is_err()
                {
                    tracing::error!("the writer thread panicked");
                }
            }
        }
    }
}

/// The thread's life.
fn work(mut worker: Worker, shared: &Shared) {
    while let Some(job) = worker.put_off().or_else(|| shared.wait()) {
        worker.run(job);
    }
    worker.finish(shared.close());
}
