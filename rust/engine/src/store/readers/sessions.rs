//! Connections that the app holds for a while: read transactions, which see one state of the data, and read locks.
//!
//! Each has a connection of its own beside those of the pool, so that however many are held queries are served; what is
//! asked of one runs in order. Guarantees: what is held ends when the database closes, and, when the app is suspended, after
//! the time that is left to it; who goes on with it is told why it ended.

use super::connection::{Reader, connect};
use super::question::Query;
use super::shared::{Shared, State};
use crate::store::closed;
use crate::store::writer::{SUSPENDED, ended};
use omnii_sync_core::SyncError;
use omnii_sync_core::error::{ErrorCode, Result};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// So many may be held at once; more wait until one has ended.
pub(super) const MAX_SESSIONS: usize = 4;

/// Ids begin here, far above those of the writer's transactions; still exact as a JavaScript number.
pub(in crate::store) const FIRST_SESSION: u64 = 1 << 52;

/// Who waits for a connection of his own.
pub(super) struct Begin {
    pub(super) snapshot: bool,
    pub(super) done: Box<dyn FnOnce(Result<u64>) + Send>,
}

pub(super) enum SessionJob {
    Query(Query),
    End(Box<dyn FnOnce(Result<()>) + Send>),
}

impl SessionJob {
    pub(super) fn refuse(self, error: SyncError) {
        match self {
            Self::Query(query) => query.refuse(error),
            Self::End(done) => done(Err(error)),
        }
    }
}

#[derive(Default)]
struct Session {
    /// `None` while a thread works with it.
    reader: Option<Reader>,
    jobs: VecDeque<SessionJob>,
}

/// Those that are held, and who waits.
#[derive(Default)]
pub(super) struct Sessions {
    last: u64,
    live: BTreeMap<u64, Session>,
    pub(super) begins: VecDeque<Begin>,
    /// Those that have a job and a connection that is free.
    ready: VecDeque<u64>,
    /// Connections to be used again.
    spare: Vec<Reader>,
    /// Those that a suspension ended last.
    cut_off: Vec<u64>,
}

/// What there is to do for one.
pub(super) enum Step {
    Begin(u64, Begin, Option<Reader>),
    Job(u64, Reader, SessionJob),
}

impl Sessions {
    pub(super) fn held(&self) -> usize {
        self.live.len()
    }

    /// How many steps could be taken now.
    pub(super) fn steps(&self, may_begin: bool) -> usize {
        let free = MAX_SESSIONS.saturating_sub(self.live.len());
        self.ready.len() + if may_begin { self.begins.len().min(free) } else { 0 }
    }

    pub(super) fn next(&mut self, may_begin: bool) -> Option<Step> {
        while let Some(id) = self.ready.pop_front() {
            if let Some(session) = self.live.get_mut(&id)
                && let Some(reader) = session.reader.take()
            {
                match session.jobs.pop_front() {
                    Some(job) => return Some(Step::Job(id, reader, job)),
                    None => session.reader = Some(reader),
                }
            }
        }
        if !may_begin || self.live.len() >= MAX_SESSIONS {
            return None;
        }
        let begin = self.begins.pop_front()?;
        self.last += 1;
        let id = FIRST_SESSION + self.last;
        self.live.insert(id, Session::default());
        Some(Step::Begin(id, begin, self.spare.pop()))
    }

    /// Queues a job; hands it back with the reason when there is no such session.
    pub(super) fn ask(&mut self, id: u64, job: SessionJob) -> std::result::Result<(), (SessionJob, SyncError)> {
        let Some(session) = self.live.get_mut(&id) else {
            let why = if self.cut_off.contains(&id) { SUSPENDED } else { "it was committed or rolled back" };
            return Err((job, ended(why)));
        };
        session.jobs.push_back(job);
        if session.reader.is_some() && session.jobs.len() == 1 {
            self.ready.push_back(id);
        }
        Ok(())
    }

    /// Takes the statements that wait.
    pub(super) fn take_queries(&mut self) -> Vec<Query> {
        let mut taken = Vec::new();
        for session in self.live.values_mut() {
            for job in std::mem::take(&mut session.jobs) {
                match job {
                    SessionJob::Query(query) => taken.push(query),
                    SessionJob::End(_) => session.jobs.push_back(job),
                }
            }
        }
        taken
    }

    /// Connections that nothing is done with at present.
    pub(super) fn take_spare(&mut self) -> Vec<Reader> {
        std::mem::take(&mut self.spare)
    }

    /// Ends all that are held. Connections in use are dropped by who uses them.
    pub(super) fn end_all(&mut self) -> (Vec<Reader>, Vec<SessionJob>) {
        let (mut readers, mut jobs) = (Vec::new(), Vec::new());
        self.ready.clear();
        self.cut_off = self.live.keys().copied().collect();
        for session in std::mem::take(&mut self.live).into_values() {
            readers.extend(session.reader);
            jobs.extend(session.jobs);
        }
        (readers, jobs)
    }
}

impl Shared {
    /// Takes a step; panics of who is told stay here.
    pub(super) fn step(&self, step: Step) {
        let told = catch_unwind(AssertUnwindSafe(|| match step {
            Step::Begin(id, begin, spare) => self.begin(id, begin, spare),
            Step::Job(id, reader, SessionJob::Query(query)) => self.statement(id, reader, query),
            Step::Job(id, reader, SessionJob::End(done)) => self.end(id, reader, done),
        }));
        if told.is_err() {
            tracing::error!("who waited for a read transaction panicked");
        }
    }

    fn begin(&self, id: u64, begin: Begin, spare: Option<Reader>) {
        let opened = match spare {
            Some(reader) => Ok(reader),
            None => self.connect_counted(),
        };
        let held = opened.and_then(|reader| match reader.hold(begin.snapshot) {
            Ok(()) => Ok(reader),
            Err(error) => {
                self.dispose(vec![reader]);
                Err(error)
            }
        });
        let mut queue = self.lock();
        let session = queue.sessions.live.get_mut(&id);
        match (held, session) {
            (Ok(reader), Some(session)) => {
                session.reader = Some(reader);
                drop(queue);
                (begin.done)(Ok(id));
            }
            // ended before it had begun: it may begin once more
            (held, None) => {
                let again = matches!(queue.state, State::Suspended);
                let refused = if again {
                    queue.sessions.begins.push_front(begin);
                    None
                } else {
                    Some(begin)
                };
                drop(queue);
                self.dispose(held.into_iter().collect());
                if let Some(begin) = refused {
                    (begin.done)(Err(closed()));
                }
            }
            (Err(error), Some(_)) => {
                queue.sessions.live.remove(&id);
                drop(queue);
                (begin.done)(Err(error));
            }
        }
    }

    fn statement(&self, id: u64, reader: Reader, mut query: Query) {
        let mut outcome = query.run(&reader);
        let mut queue = self.lock();
        let interrupted = matches!(&outcome, Err(error) if error.code == ErrorCode::Closed);
        match queue.sessions.live.get_mut(&id) {
            Some(session) => {
                session.reader = Some(reader);
                if !session.jobs.is_empty() {
                    queue.sessions.ready.push_back(id);
                }
                drop(queue);
                if interrupted {
                    outcome = Err(super::shared::interrupted());
                }
            }
            None => {
                let is_closed = matches!(queue.state, State::Closed);
                drop(queue);
                self.dispose(vec![reader]);
                if interrupted && !is_closed {
                    outcome = Err(ended(SUSPENDED));
                }
            }
        }
        query.question.answer(outcome);
    }

    fn end(&self, id: u64, reader: Reader, done: Box<dyn FnOnce(Result<()>) + Send>) {
        let outcome = reader.release();
        let mut queue = self.lock();
        let rest = queue.sessions.live.remove(&id).map(|session| session.jobs).unwrap_or_default();
        if outcome.is_ok() && matches!(queue.state, State::Running) {
            queue.sessions.spare.push(reader);
            drop(queue);
        } else {
            drop(queue);
            self.dispose(vec![reader]);
        }
        for job in rest {
            job.refuse(ended("it was committed or rolled back"));
        }
        // what it held is free; an interrupted end has nothing more to do either
        done(outcome.or_else(|error| if error.code == ErrorCode::Closed { Ok(()) } else { Err(error) }));
    }

    /// Opens a connection that is counted already, since under the lock that was held when this was decided.
    pub(super) fn connect_counted(&self) -> Result<Reader> {
        let opened = connect(self);
        let mut queue = self.lock();
        match &opened {
            Ok(reader) => queue.interrupts.push(reader.connection.get_interrupt_handle()),
            Err(_) => {
                queue.open -= 1;
                queue.answer_if_suspended();
            }
        }
        opened
    }

    /// Closes connections. Not under the lock: the last one to close works on the file.
    pub(super) fn dispose(&self, readers: Vec<Reader>) {
        let count = readers.len();
        drop(readers);
        let mut queue = self.lock();
        queue.open -= count;
        queue.answer_if_suspended();
    }
}
