//! The thread around the [`Writer`]: a queue of jobs, run in order.
//!
//! Guarantees: while an interactive transaction is open only its own statements run and everything else waits behind it;
//! every job is answered, at the latest with `Closed`; closing ends a statement that runs and never waits for one that is
//! just beginning.

use super::{Writer, ended, lock};
use crate::store::sql_error::sql_error;
use crate::store::{closed, internal};
use omnii_sync_core::error::Result;
use rusqlite::InterruptHandle;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

type Work = Box<dyn FnOnce(Result<&mut Writer>) + Send>;

enum Job {
    Run(Work),
    Begin(Box<dyn FnOnce(Result<u64>) + Send>),
    In { transaction: u64, work: Work },
    End { transaction: u64, commit: bool, done: Box<dyn FnOnce(Result<()>) + Send> },
    Stop,
}

/// How many steps of SQLite's machine may pass before a statement notices that the database closes.
pub(in crate::store) const OPERATIONS_BETWEEN_LOOKS: i32 = 1000;

/// The way to the thread.
pub(in crate::store) struct WriterThread {
    jobs: mpsc::Sender<Job>,
    interrupt: InterruptHandle,
    closing: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl WriterThread {
    pub(in crate::store) fn spawn(mut writer: Writer) -> Result<Self> {
        let (jobs, inbox) = mpsc::channel();
        let interrupt = writer.connection.get_interrupt_handle();
        let closing = Arc::new(AtomicBool::new(false));
        let stop = closing.clone();
        let asked = closing.clone();
        // an interrupt that comes just before a statement begins is forgotten; this is not
        writer
            .connection
            .progress_handler(OPERATIONS_BETWEEN_LOOKS, Some(move || asked.load(Ordering::Relaxed)))
            .map_err(sql_error)?;
        let thread = std::thread::Builder::new()
            .name("omnii-writer".into())
            .spawn(move || Loop { writer, current: None, last: 0, waiting: VecDeque::new(), closing: stop }.run(&inbox))
            .map_err(|e| internal(format!("the writer thread could not be started: {e}")))?;
        Ok(Self { jobs, interrupt, closing, thread: Mutex::new(Some(thread)) })
    }

    fn send(&self, job: Job) {
        if let Err(mpsc::SendError(job)) = self.jobs.send(job) {
            refuse(job);
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
        // a send error means the thread has ended already
        let _ = self.jobs.send(Job::Stop);
        if let Some(thread) = lock(&self.thread).take()
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }
}

fn refuse(job: Job) {
    match job {
        Job::Run(work) | Job::In { work, .. } => work(Err(closed())),
        Job::Begin(done) => done(Err(closed())),
        Job::End { done, .. } => done(Err(closed())),
        Job::Stop => {}
    }
}

struct Loop {
    writer: Writer,
    current: Option<u64>,
    last: u64,
    waiting: VecDeque<Job>,
    closing: Arc<AtomicBool>,
}

impl Loop {
    fn run(mut self, inbox: &mpsc::Receiver<Job>) {
        while !self.closing.load(Ordering::SeqCst) {
            let job = match self.current {
                None => self.waiting.pop_front(),
                Some(_) => None,
            };
            let Some(job) = job.or_else(|| inbox.recv().ok()) else { break };
            if matches!(job, Job::Stop) {
                break;
            }
            // a panic in one job must not take the writer from all others
            if catch_unwind(AssertUnwindSafe(|| self.step(job))).is_err() {
                tracing::error!("a job on the writer panicked");
                self.writer.capture.on.store(false, Ordering::Relaxed);
                if self.current.is_none() {
                    self.writer.rollback();
                }
            }
        }
        // what follows must not be cut short
        if let Err(error) = self.writer.connection.progress_handler(0, None::<fn() -> bool>) {
            tracing::error!(code = ?sql_error(error).code, "the writer could not be calmed");
        }
        if self.current.is_some() {
            self.writer.rollback();
        }
        for job in self.waiting.drain(..).chain(inbox.try_iter()) {
            refuse(job);
        }
        self.writer.fold_wal();
    }

    fn step(&mut self, job: Job) {
        match (job, self.current) {
            (job @ (Job::Run(_) | Job::Begin(_)), Some(_)) => self.waiting.push_back(job),
            (Job::Run(work), None) => work(Ok(&mut self.writer)),
            (Job::Begin(done), None) => match self.writer.begin() {
                Ok(()) => {
                    self.last += 1;
                    self.current = Some(self.last);
                    done(Ok(self.last));
                }
                Err(error) => done(Err(error)),
            },
            (Job::In { transaction, work }, current) if current == Some(transaction) => {
                if self.writer.connection.is_autocommit() {
                    work(Err(ended("it was rolled back when a statement in it failed")));
                } else {
                    work(Ok(&mut self.writer));
                }
            }
            (Job::End { transaction, commit, done }, current) if current == Some(transaction) => {
                self.current = None;
                if commit {
                    done(self.writer.commit());
                } else {
                    self.writer.rollback();
                    done(Ok(()));
                }
            }
            (Job::In { work, .. }, _) => work(Err(ended("it was committed or rolled back"))),
            (Job::End { done, .. }, _) => done(Err(ended("it was committed or rolled back"))),
            (Job::Stop, _) => {}
        }
    }
}
