//! The readers: a few threads, each with a read-only connection, fed from one queue.
//!
//! In WAL mode they never wait for the writer and see the last commit before the query began. Refuses everything that
//! would write.

use super::capture;
use super::open;
use super::rows::{self, Parameter, Rows};
use super::sql_error::{open_error, sql_error};
use super::writer::OPERATIONS_BETWEEN_LOOKS;
use super::{closed, internal};
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, Schema, SyncError};
use rusqlite::{Connection, InterruptHandle};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
}

/// The pool. Threads start when queries wait and no reader is idle.
pub(super) struct Readers(Arc<Shared>);

impl Readers {
    pub(super) fn new(path: PathBuf, schema: Arc<Schema>) -> Self {
        Self(Arc::new(Shared { path, schema, closing: Arc::default(), queue: Mutex::default(), wake: Condvar::new() }))
    }

    pub(super) fn query(
        &self,
        sql: String,
        parameters: Vec<Parameter>,
        done: impl FnOnce(Result<Rows>) + Send + 'static,
    ) {
        let mut queue = self.0.lock();
        if queue.closed {
            drop(queue);
            return done(Err(closed()));
        }
        queue.waiting.push_back(Query { sql, parameters, done: Box::new(done) });
        if queue.idle < queue.waiting.len() && queue.threads.len() < MAX_READERS {
            let shared = self.0.clone();
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
        self.0.wake.notify_one();
    }

    pub(super) fn close(&self) {
        let (waiting, threads) = {
            let mut queue = self.0.lock();
            queue.closed = true;
            self.0.closing.store(true, Ordering::Relaxed);
            for interrupt in &queue.interrupts {
                interrupt.interrupt();
            }
            (std::mem::take(&mut queue.waiting), std::mem::take(&mut queue.threads))
        };
        self.0.wake.notify_all();
        for query in waiting {
            (query.done)(Err(closed()));
        }
        for thread in threads {
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a reader thread panicked");
            }
        }
    }
}

fn read(shared: &Shared) {
    let mut connection: Option<Connection> = None;
    loop {
        let query = {
            let mut queue = shared.lock();
            loop {
                if queue.closed {
                    return;
                }
                if let Some(query) = queue.waiting.pop_front() {
                    break query;
                }
                queue.idle += 1;
                queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
            }
        };
        if connection.is_none() {
            match connect(shared) {
                Ok(opened) => {
                    shared.lock().interrupts.push(opened.get_interrupt_handle());
                    connection = Some(opened);
                }
                Err(error) => {
                    (query.done)(Err(error));
                    continue;
                }
            }
        }
        let result = match &connection {
            Some(connection) => run(connection, &query.sql, &query.parameters),
            None => Err(closed()),
        };
        (query.done)(result);
    }
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
