//! What the writer is asked to do, and the order in which it does it; who runs it is [`super::queue`]'s business.
//!
//! Guarantees: while an interactive transaction is open only its own statements run and everything else waits behind it;
//! a panic in one job does not take the writer from all others.

use super::{Writer, ended};
use crate::store::closed;
use crate::store::sql_error::sql_error;
use omnii_sync_core::error::Result;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

pub(super) type Work = Box<dyn FnOnce(Result<&mut Writer>) + Send>;

pub(super) enum Job {
    Run(Work),
    Begin(Box<dyn FnOnce(Result<u64>) + Send>),
    In { transaction: u64, work: Work },
    End { transaction: u64, commit: bool, done: Box<dyn FnOnce(Result<()>) + Send> },
}

impl Job {
    /// Answers a job that will not run.
    pub(super) fn refuse(self) {
        match self {
            Self::Run(work) | Self::In { work, .. } => work(Err(closed())),
            Self::Begin(done) => done(Err(closed())),
            Self::End { done, .. } => done(Err(closed())),
        }
    }
}

/// The writer with the transaction under way and the jobs that wait for its end.
pub(super) struct Worker {
    writer: Writer,
    current: Option<u64>,
    last: u64,
    waiting: VecDeque<Job>,
}

impl Worker {
    pub(super) fn new(writer: Writer) -> Self {
        Self { writer, current: None, last: 0, waiting: VecDeque::new() }
    }

    /// The job that has waited longest for a transaction that is over now.
    pub(super) fn put_off(&mut self) -> Option<Job> {
        match self.current {
            None => self.waiting.pop_front(),
            Some(_) => None,
        }
    }

    pub(super) fn run(&mut self, job: Job) {
        if catch_unwind(AssertUnwindSafe(|| self.step(job))).is_err() {
            tracing::error!("a job on the writer panicked");
            self.writer.capture.on.store(false, Ordering::Relaxed);
            if self.current.is_none() {
                self.writer.rollback();
            }
        }
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
        }
    }

    /// The end: what is open rolls back, what waits here and in `rest` is refused, the file is complete by itself.
    pub(super) fn finish(mut self, rest: impl IntoIterator<Item = Job>) {
        // what follows must not be cut short
        if let Err(error) = self.writer.connection.progress_handler(0, None::<fn() -> bool>) {
            tracing::error!(code = ?sql_error(error).code, "the writer could not be calmed");
        }
        if self.current.is_some() {
            self.writer.rollback();
        }
        for job in self.waiting.drain(..).chain(rest) {
            job.refuse();
        }
        self.writer.fold_wal();
    }
}
