//! What a database emits, on its way to C++.

use crate::bridge::EngineSink;
use cxx::SharedPtr;
use omnii_sync_engine::{DatabaseObserver, Status};

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

    fn tables_changed(&self, tables: Vec<String>) {
        if let Some(sink) = self.sink.as_ref() {
            sink.tables_changed(self.database, tables);
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
