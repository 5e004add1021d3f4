//! The app's statements: to the writer, to a reader, or to the connection that the app holds.
//!
//! Guarantees: every call is answered once; statements of one transaction run in the order of the calls.

use super::Store;
use super::describe::{self, Description};
use super::readers::FIRST_SESSION;
use super::rows::{Batch, Parameter, Rows};
use omnii_sync_core::error::Result;

/// What [`Store::hold`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A transaction on the writer.
    Write,
    /// The writer; each statement commits by itself.
    WriteLock,
    /// A reader that sees one state of the data.
    Read,
    /// A reader; each statement sees the last commit.
    ReadLock,
}

impl Store {
    /// Runs one statement: on the writer if `transaction` is 0, else in what [`Self::hold`] gave. `done` is called once on that
    /// connection's thread.
    pub fn execute(
        &self,
        transaction: u64,
        sql: String,
        parameters: Vec<Parameter>,
        done: impl FnOnce(Result<Rows>) + Send + 'static,
    ) {
        if transaction < FIRST_SESSION {
            self.writer.app(transaction, move |writer| done(writer.and_then(|w| w.app(&sql, &parameters))));
        } else {
            self.readers.ask_session(transaction, move |reader| reader.run(&sql, &parameters), done);
        }
    }

    /// As [`Self::execute`], once per set of parameters; all or nothing. `done` gets the number of rows changed in all.
    pub fn execute_batch(
        &self,
        transaction: u64,
        sql: String,
        batch: Batch,
        done: impl FnOnce(Result<u64>) + Send + 'static,
    ) {
        if transaction < FIRST_SESSION {
            self.writer.app(transaction, move |writer| done(writer.and_then(|w| w.batch(&sql, &batch))));
        } else {
            let run = move |reader: &super::readers::Reader| reader.run_batch(&sql, &batch).map(|()| 0);
            self.readers.ask_session(transaction, run, done);
        }
    }

    /// Runs one read-only statement on a reader. `done` is called once on a reader's thread.
    pub fn query(&self, sql: String, parameters: Vec<Parameter>, done: impl FnOnce(Result<Rows>) + Send + 'static) {
        self.readers.ask(move |reader| reader.run(&sql, &parameters), done);
    }

    /// As [`Self::query`], on the caller's thread: it returns with the rows, and waits for no other statement.
    ///
    /// # Errors
    /// As `query`, and `Suspended` while the file is given up.
    pub fn query_now(&self, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        self.readers.now(|reader| reader.run(sql, parameters))
    }

    /// Says what a statement is, without running it. `done` is called once on a reader's thread.
    pub fn describe(&self, sql: String, done: impl FnOnce(Result<Description>) + Send + 'static) {
        self.readers.ask(move |reader| describe::describe(reader, &sql), done);
    }

    /// Ends the app's statements that run or wait; they are answered with `Interrupted`. What the engine does for itself goes
    /// on, and transactions stay open unless SQLite rolls them back with the statement.
    pub fn interrupt(&self) {
        self.writer.interrupt();
        self.readers.interrupt();
    }

    /// Begins a write transaction when those before it have ended; `done` gets its id.
    pub fn begin(&self, done: impl FnOnce(Result<u64>) + Send + 'static) {
        self.hold(Mode::Write, done);
    }

    /// Gives the app a connection to itself when that is free; `done` gets the id that the other calls take as `transaction`.
    pub fn hold(&self, mode: Mode, done: impl FnOnce(Result<u64>) + Send + 'static) {
        match mode {
            Mode::Write => self.writer.begin(false, done),
            Mode::WriteLock => self.writer.begin(true, done),
            Mode::Read => self.readers.begin(true, done),
            Mode::ReadLock => self.readers.begin(false, done),
        }
    }

    /// Ends what [`Self::hold`] began.
    pub fn end(&self, transaction: u64, commit: bool, done: impl FnOnce(Result<()>) + Send + 'static) {
        if transaction < FIRST_SESSION {
            self.writer.end(transaction, commit, done);
        } else {
            self.readers.end(transaction, done);
        }
    }
}
