//! The readers: a few threads, each with a read-only connection, fed from one queue.
//!
//! In WAL mode they never wait for the writer and see the last commit before the query began. Refuses everything that
//! would write.

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
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;

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
    threads: Vec<JoinHandle<()>>,
    interrupts: Vec<InterruptHandle>,
    closed: bool,
}

struct Shared {
    path: PathBuf,
    schema: Arc<Schema>,
    closing: Arc<AtomicBool>,
    queue: Mutex<Queue>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next query; waits for one. `None` when closed.
    fn next(&self) -> Option<Query> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(query) = queue.waiting.pop_front() {
                return Some(query);
            }
            queue.idle += 1;
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    fn next_now(&self) -> Option<Query> {
        self.lock().waiting.pop_front()
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
        let shared = Shared { path, schema, closing: Arc::default(), queue: Mutex::default(), wake: Condvar::new() };
        Self { shared: Arc::new(shared), inline: (execution == Execution::Inline).then(Mutex::default) }
    }

    pub(super) fn query(
        &self,
        sql: String,
        parameters: Vec<Parameter>,
        done: impl FnOnce(Result<Rows>) + Send + 'static,
    ) {
        let mut queue = self.shared.lock();
        if queue.closed {
            drop(queue);
            return done(Err(closed()));
        }
        queue.waiting.push_back(Query { sql, parameters, done: Box::new(done) });
        if let Some(connection) = &self.inline {
            drop(queue);
            return self.drain(connection);
        }
        if queue.idle < queue.waiting.len() && queue.threads.len() < MAX_READERS {
            let shared = self.shared.clone();
            match std::thread::Builder::new().name("omnii-reader".into()).spawn(move || read(&shared)) {
                Ok(thread) => queue.threads.push(thread),
                Err(error) if queue.threads.is_empty() => {
                    let refused = queue.waiting.pop_back();
                    drop(queue);
                    if let Some(query) = refused {
                        (query.done)(Err(internal(format!("no reader thread could be started: {error}"))));
                    }
                    return;
                }
                Err(_) => {} // those that run will serve it
            }
        }
        drop(queue);
        self.shared.wake.notify_one();
    }

    /// Runs what is queued on this thread, unless that is being done already further up in the stack.
    fn drain(&self, connection: &Mutex<Option<Connection>>) {
        loop {
            let mut connection = match connection.try_lock() {
                Ok(connection) => connection,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            while let Some(query) = self.shared.next_now() {
                serve(&self.shared, &mut connection, query);
            }
            if self.shared.lock().closed {
                *connection = None;
            }
            drop(connection);
            if self.shared.lock().waiting.is_empty() {
                return;
            }
        }
    }

    pub(super) fn close(&self) {
        let (waiting, threads) = {
            let mut queue = self.shared.lock();
            queue.closed = true;
            self.shared.closing.store(true, Ordering::Relaxed);
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
    }
}

fn read(shared: &Shared) {
    let mut connection = None;
    while let Some(query) = shared.next() {
        serve(shared, &mut connection, query);
    }
}

/// Runs one query; opens the connection if this is its first.
fn serve(shared: &Shared, connection: &mut Option<Connection>, query: Query) {
    let opened = match connection {
        Some(opened) => Ok(opened),
        None => connect(shared).map(|opened| {
            shared.lock().interrupts.push(opened.get_interrupt_handle());
            connection.insert(opened)
        }),
    };
    (query.done)(opened.and_then(|connection| run(connection, &query.sql, &query.parameters)));
}

fn connect(shared: &Shared) -> Result<Connection> {
    let Shared { path, schema, closing, .. } = shared;
    let closing = closing.clone();
    let mut connection = open::connection(path).map_err(|e| open_error(e, path))?;
    // so that a statement that would write is refused for that, not for the triggers' functions
    capture::register(&connection, schema, &Arc::default()).map_err(sql_error)?;
    connection.pragma_update(None, "query_only", true).map_err(sql_error)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB).map_err(sql_error)?;
    // an interrupt that comes just before a statement begins is forgotten; this is not
    connection
        .progress_handler(OPERATIONS_BETWEEN_LOOKS, Some(move || closing.load(Ordering::Relaxed)))
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
