//! What the writer is asked to do, and the order in which it does it; who runs it is [`super::queue`]'s business.
//!
//! Guarantees: while an interactive transaction is open only its own statements run and everything else waits behind it;
//! while the file is given up for a suspended app, everything that needs it waits; a panic in one job does not take the
//! writer from all others.

use super::{Writer, ended};
use crate::store::closed;
use crate::store::sql_error::sql_error;
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, SyncError};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

pub(super) type Work = Box<dyn FnOnce(Result<&mut Writer>) + Send>;

pub(super) enum Job {
    /// The engine's own.
    Run(Work),
    /// A statement of the app by itself; `asked` is the count of interrupts when it was asked for.
    Alone {
        asked: u64,
        work: Work,
    },
    /// With `lock` the writer is held, and each statement commits by itself.
    Begin {
        lock: bool,
        done: Box<dyn FnOnce(Result<u64>) + Send>,
    },
    In {
        transaction: u64,
        asked: u64,
        work: Work,
    },
    End {
        transaction: u64,
        commit: bool,
        done: Box<dyn FnOnce(Result<()>) + Send>,
    },
    /// Ends what the app has asked for before and what waits here.
    Interrupt,
    /// Gives the file up when what was asked before is done, unless that is not wanted any more.
    Suspend(oneshot::Sender<()>),
    /// Gives the file up at once.
    SuspendNow(oneshot::Sender<()>),
    Resume(oneshot::Sender<Result<()>>),
}

impl Job {
    /// Answers a job that will not run.
    pub(super) fn refuse(self) {
        match self {
            Self::Run(work) | Self::Alone { work, .. } | Self::In { work, .. } => work(Err(closed())),
            Self::Begin { done, .. } => done(Err(closed())),
            Self::Interrupt => {}
            Self::End { done, .. } => done(Err(closed())),
            // a closed file is given up
            Self::Suspend(done) | Self::SuspendNow(done) => drop(done.send(())),
            Self::Resume(done) => drop(done.send(Err(closed()))),
        }
    }
}

/// What is asked of the writer past its queue.
#[derive(Debug)]
pub(in crate::store) struct Wishes {
    /// The database closes: what runs must end.
    pub(super) closing: AtomicBool,
    /// The file is to be given up.
    pub(super) suspending: AtomicBool,
    /// It has waited long enough for that: what runs must end.
    pub(super) hurry: AtomicBool,
    /// How often the app has interrupted its statements, from 1.
    pub(super) interrupts: AtomicU64,
    /// That count when the app's statement that runs was asked for; 0 when none runs, so that the engine's own work is left
    /// alone.
    pub(super) running: AtomicU64,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            closing: AtomicBool::new(false),
            suspending: AtomicBool::new(false),
            hurry: AtomicBool::new(false),
            interrupts: AtomicU64::new(1),
            running: AtomicU64::new(0),
        }
    }
}

impl Wishes {
    /// Whether the statement under way must end.
    pub(super) fn ends_statements(&self) -> bool {
        let running = self.running.load(Ordering::Relaxed);
        self.closing.load(Ordering::Relaxed)
            || self.hurry.load(Ordering::Relaxed)
            || (running != 0 && self.interrupted(running))
    }

    /// Whether what was asked for when the count was `asked` has been interrupted.
    pub(super) fn interrupted(&self, asked: u64) -> bool {
        self.interrupts.load(Ordering::Relaxed) != asked
    }
}

/// Who has the writer to himself.
struct Holder {
    id: u64,
    /// Whether there is no transaction: each statement commits by itself.
    lock: bool,
}

/// How the file is opened again: ready to write, and told of `Wishes`.
pub(super) type Open = Box<dyn Fn() -> Result<Writer> + Send>;

/// How long folding the write-ahead log waits for another process, when the app is about to be suspended.
const FOLD_TIMEOUT: Duration = Duration::from_millis(100);

enum File {
    Open(Box<Writer>),
    Suspended,
    /// It could not be opened again.
    Failed(SyncError),
}

/// The writer with the transaction under way and the jobs that wait for its end.
pub(super) struct Worker {
    file: File,
    open: Open,
    wishes: Arc<Wishes>,
    current: Option<Holder>,
    last: u64,
    /// The transaction that ended because the app was suspended.
    cut_off: Option<u64>,
    waiting: VecDeque<Job>,
}

impl Worker {
    pub(super) fn new(writer: Writer, open: Open, wishes: Arc<Wishes>) -> Self {
        let file = File::Open(Box::new(writer));
        Self { file, open, wishes, current: None, last: 0, cut_off: None, waiting: VecDeque::new() }
    }

    /// The job that has waited longest for what is over now.
    pub(super) fn put_off(&mut self) -> Option<Job> {
        match (&self.file, &self.current) {
            (File::Open(_) | File::Failed(_), None) => self.waiting.pop_front(),
            (File::Open(_), Some(_)) | (File::Suspended, _) | (File::Failed(_), Some(_)) => None,
        }
    }

    pub(super) fn run(&mut self, job: Job) {
        if catch_unwind(AssertUnwindSafe(|| self.step(job))).is_err() {
            tracing::error!("a job on the writer panicked");
            if let File::Open(writer) = &mut self.file {
                writer.capture.on.store(false, Ordering::Relaxed);
                if self.current.is_none() {
                    writer.rollback();
                }
            }
        }
    }

    fn step(&mut self, job: Job) {
        match job {
            Job::SuspendNow(done) => self.suspend(done),
            Job::Resume(done) => drop(done.send(self.resume())),
            Job::Interrupt => self.interrupt(),
            job @ (Job::Run(_) | Job::Alone { .. } | Job::Begin { .. } | Job::Suspend(_)) if self.current.is_some() => {
                self.waiting.push_back(job);
            }
            Job::Suspend(done) if self.wishes.suspending.load(Ordering::SeqCst) => self.suspend(done),
            // it was taken back while it waited
            Job::Suspend(done) => drop(done.send(())),
            Job::Run(work) => match &mut self.file {
                File::Open(writer) => work(Ok(writer)),
                File::Suspended => self.waiting.push_back(Job::Run(work)),
                File::Failed(error) => work(Err(error.clone())),
            },
            Job::Alone { asked, work } => match &mut self.file {
                File::Open(_) if self.wishes.interrupted(asked) => work(Err(interrupted())),
                File::Open(writer) => {
                    writer.asked = asked;
                    work(Ok(writer));
                }
                File::Suspended => self.waiting.push_back(Job::Alone { asked, work }),
                File::Failed(error) => work(Err(error.clone())),
            },
            Job::Begin { lock, done } => match &mut self.file {
                File::Open(writer) => match if lock { Ok(()) } else { writer.begin() } {
                    Ok(()) => {
                        self.last += 1;
                        self.current = Some(Holder { id: self.last, lock });
                        done(Ok(self.last));
                    }
                    Err(error) => done(Err(error)),
                },
                File::Suspended => self.waiting.push_back(Job::Begin { lock, done }),
                File::Failed(error) => done(Err(error.clone())),
            },
            Job::In { transaction, asked, work } => {
                let interrupt = self.wishes.interrupted(asked);
                match self.of(transaction) {
                    Ok((writer, false)) if writer.connection.is_autocommit() => {
                        work(Err(ended("it was rolled back when a statement in it failed")));
                    }
                    Ok(_) if interrupt => work(Err(interrupted())),
                    Ok((writer, _)) => {
                        writer.asked = asked;
                        work(Ok(writer));
                    }
                    Err(error) => work(Err(error)),
                }
            }
            Job::End { transaction, commit, done } => match self.of(transaction) {
                Ok((writer, lock)) => {
                    let outcome = if lock {
                        Ok(())
                    } else if commit {
                        writer.commit()
                    } else {
                        writer.rollback();
                        Ok(())
                    };
                    self.current = None;
                    done(outcome);
                }
                Err(error) => done(Err(error)),
            },
        }
    }

    /// What waits for the end of a transaction is answered now; what is still in the queue is its owner's business.
    fn interrupt(&mut self) {
        for job in std::mem::take(&mut self.waiting) {
            match job {
                Job::Alone { asked, work } if self.wishes.interrupted(asked) => work(Err(interrupted())),
                job => self.waiting.push_back(job),
            }
        }
    }

    /// The writer, if it works for this transaction, and whether that is only a lock.
    fn of(&mut self, transaction: u64) -> Result<(&mut Writer, bool)> {
        match (&mut self.file, &self.current) {
            (File::Open(writer), Some(holder)) if holder.id == transaction => Ok((writer, holder.lock)),
            _ if self.cut_off == Some(transaction) => Err(ended(SUSPENDED)),
            _ => Err(ended("it was committed or rolled back")),
        }
    }

    /// Closes the file; a transaction that is open is rolled back.
    fn suspend(&mut self, done: oneshot::Sender<()>) {
        self.wishes.hurry.store(false, Ordering::SeqCst);
        if let File::Open(mut writer) = std::mem::replace(&mut self.file, File::Suspended) {
            if let Some(holder) = self.current.take() {
                writer.rollback();
                self.cut_off = Some(holder.id);
            }
            if let Err(error) = writer.connection.busy_timeout(FOLD_TIMEOUT) {
                tracing::warn!(code = ?sql_error(error).code, "the file may be given up late");
            }
            writer.fold_wal();
        }
        // whoever asked may be gone
        let _ = done.send(());
    }

    fn resume(&mut self) -> Result<()> {
        if matches!(self.file, File::Open(_)) {
            return Ok(());
        }
        match (self.open)() {
            Ok(writer) => {
                // another process may have written meanwhile
                writer.observer.outbox_changed(writer.counts, false);
                self.file = File::Open(Box::new(writer));
                Ok(())
            }
            Err(error) => {
                self.file = File::Failed(error.clone());
                Err(error)
            }
        }
    }

    /// The end: what is open rolls back, what waits here and in `rest` is refused, the file is complete by itself.
    pub(super) fn finish(mut self, rest: impl IntoIterator<Item = Job>) {
        if let File::Open(writer) = &mut self.file {
            // what follows must not be cut short
            if let Err(error) = writer.connection.progress_handler(0, None::<fn() -> bool>) {
                tracing::error!(code = ?sql_error(error).code, "the writer could not be calmed");
            }
            if self.current.is_some() {
                writer.rollback();
            }
        }
        for job in self.waiting.drain(..).chain(rest) {
            job.refuse();
        }
        if let File::Open(writer) = &self.file {
            writer.fold_wal();
        }
    }
}

pub(super) fn interrupted() -> SyncError {
    SyncError::new(ErrorCode::Interrupted, "interrupt() ended the statement")
}

/// Why a transaction or a statement ended that nobody ended.
pub(in crate::store) const SUSPENDED: &str = "the app was suspended before it was committed";
