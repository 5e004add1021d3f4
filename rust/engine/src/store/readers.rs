//! The readers: a few threads, each with a read-only connection, fed from one queue.
//!
//! In WAL mode they never wait for the writer and see the last commit before the query began. While the app is suspended no
//! connection is open and queries wait. Refuses everything that would write.

use super::capture;
use super::open;
use super::rows::{self, Parameter, Rows};
use super::sql_error::{open_error, sql_error};
use super::writer::OPERATIONS_BETWEEN_LOOKS;
use super::{Execution, closed, internal};
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, Schema, SyncError};
use rusqlite::{Connection, InterruptHandle};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// As many as PowerSync's and op-sqlite's pools roughly use; more would only compete for the phone's cores.
const MAX_READERS: usize = 4;

/// Page cache of each reader, 8 MB (SQLite takes a negative number as KiB). SQLite's default of 2 MB is too small for lookups
/// by random ids; memory is taken only as pages are read.
const CACHE_KIB: i64 = -8_000;

struct Query {
    sql: String,
    parameters: Vec<Parameter>,
    done: Box<dyn FnOnce(Result<Rows>) + Send>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Query>,
    idle: usize,
    /// Threads that have not asked for their first query yet.
    starting: usize,
    threads: Vec<JoinHandle<()>>,
    interrupts: Vec<InterruptHandle>,
    /// Connections that are open or being opened.
    open: usize,
    state: State,
    /// Who wants to know when no connection is open any more.
    suspenders: Vec<oneshot::Sender<()>>,
}

#[derive(Default)]
enum State {
    #[default]
    Running,
    Suspended,
    /// The file could not be opened again.
    Failed(SyncError),
    Closed,
}

impl Queue {
    fn answer_if_suspended(&mut self) {
        if self.open == 0 {
            self.interrupts.clear();
            for suspender in self.suspenders.drain(..) {
                // whoever asked may be gone
                let _ = suspender.send(());
            }
        }
    }
}

struct Shared {
    path: PathBuf,
    schema: Arc<Schema>,
    /// What runs must end: the database closes, or the app has waited long enough to be suspended.
    ending: Arc<AtomicBool>,
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// What there is for a reader to do.
enum Turn {
    Serve(Query),
    /// Give the connection up.
    Release,
    /// Nothing at present.
    Rest,
    End,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(queue: &mut Queue, connected: bool) -> Turn {
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
    fn serve(&self, connection: &mut Option<Connection>, query: Query) {
        let opened = match connection {
            Some(opened) => Ok(opened),
            None => connect(self).map(|opened| {
                self.lock().interrupts.push(opened.get_interrupt_handle());
                connection.insert(opened)
            }),
        };
        let result = opened.and_then(|connection| run(connection, &query.sql, &query.parameters));
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
        if catch_unwind(AssertUnwindSafe(|| (query.done)(result))).is_err() {
            tracing::error!("who received the rows of a query panicked");
        }
    }

    fn release(&self, connection: &mut Option<Connection>) {
        *connection = None;
        let mut queue = self.lock();
        queue.open -= 1;
        queue.answer_if_suspended();
    }
}

/// The pool. Threads start when queries wait and no reader is idle.
pub(super) struct Readers {
    shared: Arc<Shared>,
    /// The one connection when queries run on the caller's thread; held while they do.
    inline: Option<Mutex<Option<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, schema: Arc<Schema>, execution: Execution) -> Self {
        let shared = Shared { path, schema, ending: Arc::default(), queue: Mutex::default(), wake: Condvar::new() };
        Self { shared: Arc::new(shared), inline: (execution == Execution::Inline).then(Mutex::default) }
    }

    pub(super) fn query(
        &self,
        sql: String,
        parameters: Vec<Parameter>,
        done: impl FnOnce(Result<Rows>) + Send + 'static,
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
        queue.waiting.push_back(Query { sql, parameters, done: Box::new(done) });
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
                        (query.done)(Err(internal(format!("no reader thread could be started: {error}"))));
                    }
                    return;
                }
                Err(_) => break, // those that run will serve it
            }
        }
    }

    /// Runs what is queued on this thread, unless that is being done already further up in the stack.
    fn drain(&self, connection: &Mutex<Option<Connection>>) {
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
                    (query.done)(Err(error.clone()));
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
            (query.done)(Err(closed()));
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

fn connect(shared: &Shared) -> Result<Connection> {
    let Shared { path, schema, ending, .. } = shared;
    let ending = ending.clone();
    let mut connection = open::connection(path).map_err(|e| open_error(e, path))?;
    // so that a statement that would write is refused for that, not for the triggers' functions
    capture::register(&connection, schema, &Arc::default()).map_err(sql_error)?;
    connection.pragma_update(None, "query_only", true).map_err(sql_error)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB).map_err(sql_error)?;
    // an interrupt that comes just before a statement begins is forgotten; this is not
    connection
        .progress_handler(OPERATIONS_BETWEEN_LOOKS, Some(move || ending.load(Ordering::Relaxed)))
        .map_err(sql_error)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn run(connection: &Connection, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
    let mut statement = connection.prepare_cached(sql).map_err(sql_error)?;
    if !statement.readonly() {
        return Err(SyncError::new(
            ErrorCode::ReadOnly,
            "this call only reads; use execute() for statements that write",
        ));
    }
    let rows = rows::run(&mut statement, parameters);
    drop(statement);
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(sql_error)?;
        return Err(SyncError::new(
            ErrorCode::BadArgument,
            "BEGIN does not work as a statement; use writeTransaction()",
        ));
    }
    rows
}
