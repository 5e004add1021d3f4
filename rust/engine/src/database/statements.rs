//! The app's statements on a [`Database`]: the store's own calls, handed through.

use super::Database;
use crate::store::{Batch, Description, Mode, Parameter, Rows};
use omnii_sync_core::error::Result;

impl Database {
    /// See [`crate::store::Store::execute`].
    pub fn execute(
        &self,
        transaction: u64,
        sql: String,
        parameters: Vec<Parameter>,
        done: impl FnOnce(Result<Rows>) + Send + 'static,
    ) {
        self.store.execute(transaction, sql, parameters, done);
    }

    /// See [`crate::store::Store::execute_batch`].
    pub fn execute_batch(
        &self,
        transaction: u64,
        sql: String,
        batch: Batch,
        done: impl FnOnce(Result<u64>) + Send + 'static,
    ) {
        self.store.execute_batch(transaction, sql, batch, done);
    }

    /// See [`crate::store::Store::query`].
    pub fn query(&self, sql: String, parameters: Vec<Parameter>, done: impl FnOnce(Result<Rows>) + Send + 'static) {
        self.store.query(sql, parameters, done);
    }

    /// See [`crate::store::Store::query_now`].
    pub fn query_now(&self, sql: &str, parameters: &[Parameter]) -> Result<Rows> {
        self.store.query_now(sql, parameters)
    }

    /// See [`crate::store::Store::describe`].
    pub fn describe(&self, sql: String, done: impl FnOnce(Result<Description>) + Send + 'static) {
        self.store.describe(sql, done);
    }

    /// See [`crate::store::Store::interrupt`].
    pub fn interrupt(&self) {
        self.store.interrupt();
    }

    /// Begins a write transaction; `done` gets its id.
    pub fn begin(&self, done: impl FnOnce(Result<u64>) + Send + 'static) {
        self.store.begin(done);
    }

    /// See [`crate::store::Store::hold`].
    pub fn hold(&self, mode: Mode, done: impl FnOnce(Result<u64>) + Send + 'static) {
        self.store.hold(mode, done);
    }

    /// Commits or rolls back; ends a lock.
    pub fn end(&self, transaction: u64, commit: bool, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.store.end(transaction, commit, done);
    }
}
