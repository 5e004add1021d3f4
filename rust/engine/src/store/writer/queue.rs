//! The way to the [`Writer`]: a queue of jobs, run in order on a thread of its own, or on the caller's
//! ([`Execution`] says which).
//!
//! Guarantees: every job is answered, at the latest with `Closed`; closing ends a statement that runs and never waits for
//! one that is just beginning; a job that asks for more jobs (its answer's receiver may) never waits for itself.

use super::jobs::{Job, Wishes, Worker, interrupted};
use super::{Writer, lock};
use crate::store::bell::Bell;
use crate::store::sql_error::sql_error;
use crate::store::{Execution, internal};
use omnii_sync_core::error::Result;
use rusqlite::InterruptHandle;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// How many steps of SQLite's machine may pass before a statement notices that it must end.
pub(in crate::store) const OPERATIONS_BETWEEN_LOOKS: i32 = 1000;

/// What callers and the writer share.
#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    wake: Condvar,
    /// Rung whenever something is added to the inbox.
    bell: Bell,
    wishes: Arc<Wishes>,
    /// Of the connection open now.
    interrupt: Mutex<Option<InterruptHandle>>,
}

#[derive(Default)]
struct Inbox {
    /// These overtake what waits.
    urgent: VecDeque<Job>,
    jobs: VecDeque<Job>,
    /// Whether the thread has to be woken.
    asleep: bool,
    closed: bool,
}

impl Inbox {
    fn pop(&mut self) -> Option<Job> {
        self.urgent.pop_front().or_else(|| self.jobs.pop_front())
    }
}

impl Shared {
    fn urgent(&self) -> Option<Job> {
        lock(&self.inbox).urgent.pop_front()
    }

    /// The next job; waits for one. `None` when closed.
    fn wait(&self) -> Option<Job> {
        let mut inbox = lock(&self.inbox);
        let mut watched = false;
        loop {
            if inbox.closed {
                return None;
            }
            if let Some(job) = inbox.pop() {
                return Some(job);
            }
            if watched {
                inbox.asleep = true;
                inbox = self.wake.wait(inbox).unwrap_or_else(PoisonError::into_inner);
                inbox.asleep = false;
            } else {
                let rung = self.bell.rung();
                drop(inbox);
                self.bell.watch(rung);
                inbox = lock(&self.inbox);
                watched = true;
            }
        }
    }

    fn close(&self) -> VecDeque<Job> {
        let mut inbox = lock(&self.inbox);
        inbox.closed = true;
        let mut rest = std::mem::take(&mut inbox.urgent);
        rest.append(&mut inbox.jobs);
        rest
    }

    /// Lets statements of this connection notice that they must end.
    fn listen(&self, writer: &mut Writer) -> Result<()> {
        *lock(&self.interrupt) = Some(writer.connection.get_interrupt_handle());
        writer.wishes = self.wishes.clone();
        let wishes = self.wishes.clone();
        // an interrupt that comes just before a statement begins is forgotten; this is not
        writer
            .connection
            .progress_handler(OPERATIONS_BETWEEN_LOOKS, Some(move || wishes.ends_statements()))
            .map_err(sql_error)
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
    runner: Runner,
}

impl WriterQueue {
    /// `open` opens the file once more, after it was given up.
    pub(in crate::store) fn start(
        mut writer: Writer,
        open: impl Fn() -> Result<Writer> + Send + 'static,
        execution: Execution,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.listen(&mut writer)?;
        let ears = Arc::downgrade(&shared);
        let again = move || {
            let mut writer = open()?;
            if let Some(shared) = ears.upgrade() {
                shared.listen(&mut writer)?;
            }
            Ok(writer)
        };
        let worker = Worker::new(writer, Box::new(again), shared.wishes.clone());
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
        Ok(Self { shared, runner })
    }

    fn send(&self, job: Job) {
        let mut inbox = lock(&self.shared.inbox);
        if inbox.closed {
            drop(inbox);
            return job.refuse();
        }
        match job {
            Job::SuspendNow(_) | Job::Resume(_) | Job::Interrupt => inbox.urgent.push_back(job),
            Job::Run(_)
            | Job::Alone { .. }
            | Job::Begin { .. }
            | Job::In { .. }
            | Job::End { .. }
            | Job::Suspend(_) => inbox.jobs.push_back(job),
        }
        let asleep = inbox.asleep;
        drop(inbox);
        match &self.runner {
            Runner::Thread(_) => {
                self.shared.bell.ring();
                if asleep {
                    self.shared.wake.notify_one();
                }
            }
            Runner::Inline(worker) => self.drain(worker),
        }
    }

    /// Runs what is queued on this thread, unless that is being done already further up in the stack.
    fn drain(&self, worker: &Mutex<Option<Worker>>) {
        let closing = || self.shared.wishes.closing.load(Ordering::SeqCst);
        loop {
            let mut slot = match worker.try_lock() {
                Ok(slot) => slot,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            while !closing()
                && let Some(worker) = slot.as_mut()
                && let Some(job) =
                    self.shared.urgent().or_else(|| worker.put_off()).or_else(|| lock(&self.shared.inbox).pop())
            {
                worker.run(job);
            }
            if closing()
                && let Some(worker) = slot.take()
            {
                worker.finish(self.shared.close());
            }
            drop(slot);
            let inbox = lock(&self.shared.inbox);
            if inbox.closed || (inbox.jobs.is_empty() && inbox.urgent.is_empty()) {
                return;
            }
        }
    }

    pub(in crate::store) fn run(&self, work: impl FnOnce(Result<&mut Writer>) + Send + 'static) {
        self.send(Job::Run(Box::new(work)));
    }

    /// A statement of the app: in this transaction or, if 0, by itself.
    pub(in crate::store) fn app(&self, transaction: u64, work: impl FnOnce(Result<&mut Writer>) + Send + 'static) {
        let (asked, work) = (self.shared.wishes.interrupts.load(Ordering::Relaxed), Box::new(work));
        self.send(if transaction == 0 { Job::Alone { asked, work } } else { Job::In { transaction, asked, work } });
    }

    /// Ends what the app has asked for so far and what has not been answered. Never the engine's own work.
    pub(in crate::store) fn interrupt(&self) {
        let ended: Vec<_> = {
            let mut inbox = lock(&self.shared.inbox);
            self.shared.wishes.interrupts.fetch_add(1, Ordering::Relaxed);
            let (statements, rest) = std::mem::take(&mut inbox.jobs)
                .into_iter()
                .partition(|job| matches!(job, Job::Alone { .. } | Job::In { .. }));
            inbox.jobs = rest;
            Vec::from(statements)
        };
        for job in ended {
            if let Job::Alone { work, .. } | Job::In { work, .. } = job {
                work(Err(interrupted()));
            }
        }
        self.send(Job::Interrupt);
    }

    pub(in crate::store) fn begin(&self, lock: bool, done: impl FnOnce(Result<u64>) + Send + 'static) {
        self.send(Job::Begin { lock, done: Box::new(done) });
    }

    pub(in crate::store) fn end(&self, transaction: u64, commit: bool, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.send(Job::End { transaction, commit, done: Box::new(done) });
    }

    /// Gives the file up behind what is queued; an open transaction may end first. Resolves then, or when closed.
    pub(in crate::store) fn suspend(&self) -> oneshot::Receiver<()> {
        let (done, suspended) = oneshot::channel();
        self.shared.wishes.suspending.store(true, Ordering::SeqCst);
        self.send(Job::Suspend(done));
        suspended
    }

    /// Gives the file up now: what runs is interrupted, an open transaction rolls back, the rest goes on waiting.
    pub(in crate::store) fn suspend_now(&self) -> oneshot::Receiver<()> {
        let (done, suspended) = oneshot::channel();
        self.shared.wishes.hurry.store(true, Ordering::SeqCst);
        self.send(Job::SuspendNow(done));
        suspended
    }

    /// Takes the file up again; an error is also the answer to all that waits.
    pub(in crate::store) fn resume(&self) -> oneshot::Receiver<Result<()>> {
        let (done, resumed) = oneshot::channel();
        self.shared.wishes.suspending.store(false, Ordering::SeqCst);
        self.send(Job::Resume(done));
        resumed
    }

    pub(in crate::store) fn close(&self) {
        self.shared.wishes.closing.store(true, Ordering::SeqCst);
        if let Some(interrupt) = &*lock(&self.shared.interrupt) {
            interrupt.interrupt();
        }
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
    while let Some(job) = shared.urgent().or_else(|| worker.put_off()).or_else(|| shared.wait()) {
        // an answer may have closed the database; what waits for a transaction is not run any more
        if shared.wishes.closing.load(Ordering::SeqCst) {
            job.refuse();
            break;
        }
        worker.run(job);
    }
    worker.finish(shared.close());
}
