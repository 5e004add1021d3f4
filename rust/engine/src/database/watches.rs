//! Live queries and the news of commits, as the app asks for them.

use super::Database;
use crate::live::{Fresh, WatchOptions};
use crate::store::Parameter;
use omnii_sync_core::error::Result;

impl Database {
    /// Watches the result of a statement that reads; `done` gets the watch's id. Each result, the first one too, is announced
    /// by [`super::DatabaseObserver::watch_changed`], as is a failed run; the watch goes on after one.
    ///
    /// # Errors
    /// If the statement can't be prepared, `ReadOnly` if it writes.
    pub fn watch(
        &self,
        sql: String,
        parameters: Vec<Parameter>,
        options: WatchOptions,
        done: impl FnOnce(Result<u64>) + Send + 'static,
    ) {
        self.events.live.watch(sql, parameters, options, done);
    }

    /// The newest result of a watch, `None` if there is none but the one taken before. Never waits for a query.
    pub fn take_watched(&self, watch: u64) -> Option<Fresh> {
        self.events.live.take(watch)
    }

    /// Ends a watch.
    pub fn unwatch(&self, watch: u64) {
        self.events.live.unwatch(watch);
    }

    /// Whether commits are told to [`super::DatabaseObserver::tables_changed`]; not at first.
    pub fn set_table_events(&self, wanted: bool) {
        self.events.live.want_tables(wanted);
    }
}
