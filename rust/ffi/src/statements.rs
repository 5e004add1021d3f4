//! The app's statements as calls of the engine.

use crate::bridge::Failure;
use crate::engine::{Engine, bad_argument};
use crate::request::failure;
use crate::values::{Rows, Values};
use omnii_sync_engine::{ErrorCode, Mode, SyncError};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Engine {
    pub(crate) fn execute(&self, request: u64, database: u32, transaction: u64, sql: &str, params: Box<Values>) {
        self.with(request, database, |request, database| {
            database
                .execute(transaction, sql.to_owned(), params.into_parameters(), move |rows| request.rows(rows, false));
        });
    }

    pub(crate) fn execute_raw(&self, request: u64, database: u32, transaction: u64, sql: &str, params: Box<Values>) {
        self.with(request, database, |request, database| {
            database
                .execute(transaction, sql.to_owned(), params.into_parameters(), move |rows| request.rows(rows, true));
        });
    }

    pub(crate) fn execute_batch(&self, request: u64, database: u32, transaction: u64, sql: &str, sets: Box<Values>) {
        self.with(request, database, |request, database| {
            database.execute_batch(transaction, sql.to_owned(), sets.into_batch(), move |changed| {
                request.number(changed.map(|changed| changed as f64));
            });
        });
    }

    pub(crate) fn query(&self, request: u64, database: u32, sql: &str, params: Box<Values>) {
        self.with(request, database, |request, database| {
            database.query(sql.to_owned(), params.into_parameters(), move |rows| request.rows(rows, false));
        });
    }

    pub(crate) fn query_now(&self, database: u32, sql: &str, params: Box<Values>, failed: &mut Failure) -> Box<Rows> {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.database(database).and_then(|database| database.query_now(sql, &params.into_parameters()))
        }))
        .unwrap_or_else(|_| Err(SyncError::new(ErrorCode::Internal, "the query panicked")));
        let rows = outcome.unwrap_or_else(|error| {
            *failed = failure(error);
            omnii_sync_engine::Rows::default()
        });
        Box::new(Rows { rows, raw: false })
    }

    pub(crate) fn describe(&self, request: u64, database: u32, sql: &str) {
        self.with(request, database, |request, database| {
            database.describe(sql.to_owned(), move |description| {
                request.text(description.and_then(|description| {
                    serde_json::to_string(&description).map_err(|e| {
                        SyncError::new(ErrorCode::Internal, format!("a description could not be written: {e}"))
                    })
                }));
            });
        });
    }

    pub(crate) fn interrupt(&self, request: u64, database: u32) {
        self.with(request, database, |request, database| {
            database.interrupt();
            request.done(Ok(()));
        });
    }

    pub(crate) fn begin(&self, request: u64, database: u32, mode: &str) {
        let mode = match mode {
            "write" => Ok(Mode::Write),
            "writeLock" => Ok(Mode::WriteLock),
            "read" => Ok(Mode::Read),
            "readLock" => Ok(Mode::ReadLock),
            _ => Err(bad_argument("begin: mode must be write, writeLock, read or readLock")),
        };
        self.with(request, database, |request, database| match mode {
            Ok(mode) => database.hold(mode, move |id| request.number(id.map(|id| id as f64))),
            Err(error) => request.fail(error),
        });
    }

    pub(crate) fn commit(&self, request: u64, database: u32, transaction: u64) {
        self.with(request, database, |request, database| {
            database.end(transaction, true, move |outcome| request.done(outcome));
        });
    }

    pub(crate) fn rollback(&self, request: u64, database: u32, transaction: u64) {
        self.with(request, database, |request, database| {
            database.end(transaction, false, move |outcome| request.done(outcome));
        });
    }
}
