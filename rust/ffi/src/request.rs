//! What C++ is owed: the answer to one request.
//!
//! Owns the promise that every request id is settled once: a [`Request`] that is dropped unanswered (a thread ended, a job
//! panicked) answers for itself.

use crate::bridge::{EngineSink, Failure};
use crate::engine::Result;
use crate::values::Rows;
use cxx::SharedPtr;
use omnii_sync_engine::{ErrorCode, SyncError};

/// One request of C++, to be settled once.
pub(crate) struct Request {
    id: u64,
    sink: Option<SharedPtr<EngineSink>>,
}

impl Request {
    pub(crate) fn new(id: u64, sink: SharedPtr<EngineSink>) -> Self {
        Self { id, sink: Some(sink) }
    }

    fn settle(mut self, outcome: Result<()>, answer: impl FnOnce(&EngineSink, u64)) {
        let Some(sink) = self.sink.take() else { return };
        match (outcome, sink.as_ref()) {
            (Ok(()), Some(sink)) => answer(sink, self.id),
            (Err(error), Some(sink)) => sink.failed(self.id, failure(error)),
            (_, None) => {}
        }
    }

    pub(crate) fn rows(self, outcome: Result<omnii_sync_engine::Rows>, raw: bool) {
        match outcome {
            Ok(rows) => self.settle(Ok(()), |sink, id| sink.rows_ready(id, Box::new(Rows { rows, raw }))),
            Err(error) => self.fail(error),
        }
    }

    pub(crate) fn number(self, outcome: Result<f64>) {
        match outcome {
            Ok(value) => self.settle(Ok(()), |sink, id| sink.number_ready(id, value)),
            Err(error) => self.fail(error),
        }
    }

    pub(crate) fn text(self, outcome: Result<String>) {
        match outcome {
            Ok(text) => self.settle(Ok(()), |sink, id| sink.text_ready(id, text)),
            Err(error) => self.fail(error),
        }
    }

    pub(crate) fn flag(self, outcome: Result<bool>) {
        match outcome {
            Ok(value) => self.settle(Ok(()), |sink, id| sink.flag_ready(id, value)),
            Err(error) => self.fail(error),
        }
    }

    pub(crate) fn done(self, outcome: Result<()>) {
        self.settle(outcome, |sink, id| sink.done(id));
    }

    pub(crate) fn fail(self, error: SyncError) {
        self.settle(Err(error), |_, _| {});
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(sink) = self.sink.take()
            && let Some(sink) = sink.as_ref()
        {
            sink.failed(
                self.id,
                failure(SyncError::new(ErrorCode::Closed, "the database was closed before this call ended")),
            );
        }
    }
}

pub(crate) fn failure(error: SyncError) -> Failure {
    Failure {
        code: error.code.as_str().to_owned(),
        message: error.message,
        retryable: error.retryable,
        table: error.table.unwrap_or_default(),
        row_id: error.row_id.unwrap_or_default(),
    }
}
