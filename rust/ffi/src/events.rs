//! What a database emits, on its way to C++.

use crate::bridge::EngineSink;
use cxx::SharedPtr;
use omnii_sync_engine::{Changes, DatabaseObserver, Status, SyncError};

/// Carries what one database emits to the sink.
pub(crate) struct Events {
    pub(crate) sink: SharedPtr<EngineSink>,
    pub(crate) database: u32,
}

impl DatabaseObserver for Events {
    fn status_changed(&self, status: &Status) {
        if let Some(sink) = self.sink.as_ref() {
            sink.status_changed(self.database, status.to_json());
        }
    }

    fn tables_changed(&self, changes: &Changes) {
        if let Some(sink) = self.sink.as_ref() {
            sink.tables_changed(self.database, changes.names(), changes.ids_to_json());
        }
    }

    fn watch_changed(&self, watch: u64, error: Option<&SyncError>) {
        if let Some(sink) = self.sink.as_ref() {
            let error = error.map(|error| {
                serde_json::to_string(error)
                    .unwrap_or_else(|_| r#"{"code":"Internal","message":"","retryable":false}"#.into())
            });
            sink.watch_changed(self.database, watch, error.unwrap_or_default());
        }
    }

    fn credentials_requested(&self, request: u64) {
        if let Some(sink) = self.sink.as_ref() {
            sink.credentials_requested(self.database, request);
        }
    }
    fn upload_requested(&self, request: u64) {
        if let Some(sink) = self.sink.as_ref() {
            sink.upload_requested(self.database, request);
        }
    }
}
