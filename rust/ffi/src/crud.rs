//! Uploads in the app's hands, as requests of C++.

use crate::engine::{Engine, Result, bad_argument, guarded};
use crate::request::Request;
use omnii_sync_engine::{CrudQuery, ErrorCode, SyncError};
use serde::Serialize;

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| SyncError::new(ErrorCode::Internal, format!("pending changes could not be written: {e}")))
}

impl Engine {
    pub(crate) fn clear(&self, request: u64, database: u32, local: bool) {
        self.spawn(request, database, Request::done, move |database| async move { database.clear(local).await });
    }

    pub(crate) fn crud(&self, request: u64, database: u32, options: &str) {
        let query = serde_json::from_str::<CrudQuery>(options).map_err(|_| {
            bad_argument(
                "getCrud: options must be JSON of { after: number | null, transactions: number, entries: number }",
            )
        });
        self.spawn(request, database, Request::text, |database| async move { json(&database.crud(query?).await?) });
    }

    pub(crate) fn complete_crud(&self, request: u64, database: u32, last: i64) {
        self.spawn(request, database, Request::done, move |database| async move { database.complete_crud(last).await });
    }

    pub(crate) fn upload_queue_stats(&self, request: u64, database: u32, with_size: bool) {
        self.spawn(request, database, Request::text, move |database| async move {
            json(&database.upload_queue_stats(with_size).await?)
        });
    }

    pub(crate) fn client_id(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::text, |database| async move { database.client_id().await });
    }

    pub(crate) fn finish_upload(&self, database: u32, request: u64, error: &str) {
        let Ok(database) = self.database(database) else { return };
        guarded(|| database.finish_upload(request, error.to_owned()));
    }
}
