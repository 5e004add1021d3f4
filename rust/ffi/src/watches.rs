//! Live queries, as calls of C++.

use crate::engine::{Engine, Result, bad_argument, guarded};
use crate::values::Values;
use omnii_sync_engine::{Fresh, Rows, WatchOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// What a watch had for the app.
#[derive(Debug)]
pub struct Taken(Option<Fresh>);

impl Taken {
    fn rows(&self) -> Option<&Rows> {
        self.0.as_ref().map(Fresh::rows)
    }

    pub(crate) fn is_something(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.as_ref().is_some_and(|fresh| fresh.kept.is_none())
    }

    pub(crate) fn kept(&self) -> &[i32] {
        self.0.as_ref().and_then(|fresh| fresh.kept.as_deref()).unwrap_or_default()
    }

    pub(crate) fn taken_column_names(&self) -> &[String] {
        self.rows().map(|rows| rows.columns.names.as_slice()).unwrap_or_default()
    }

    pub(crate) fn taken_kinds(&self) -> &[u8] {
        self.rows().map(|rows| rows.kinds.as_slice()).unwrap_or_default()
    }

    pub(crate) fn taken_words(&self) -> &[u64] {
        self.rows().map(|rows| rows.words.as_slice()).unwrap_or_default()
    }

    pub(crate) fn taken_bytes(&self) -> &[u8] {
        self.rows().map(|rows| rows.bytes.as_slice()).unwrap_or_default()
    }
}

fn watch_options(json: &str) -> Result<WatchOptions> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        throttle_ms: u32,
        tables: Option<Vec<String>>,
    }
    serde_json::from_str::<Wire>(json)
        .map(|wire| WatchOptions { throttle: Duration::from_millis(wire.throttle_ms.into()), tables: wire.tables })
        .map_err(|_| {
            bad_argument("watch: options must be JSON of { throttleMs: whole number, tables: string[] | null }")
        })
}

impl Engine {
    pub(crate) fn watch(&self, request: u64, database: u32, sql: &str, params: Box<Values>, options: &str) {
        self.with(request, database, |request, database| match watch_options(options) {
            Ok(options) => {
                let done = move |watch: Result<u64>| request.number(watch.map(|id| id as f64));
                database.watch(sql.to_owned(), params.into_parameters(), options, done);
            }
            Err(error) => request.fail(error),
        });
    }

    pub(crate) fn take_watched(&self, database: u32, watch: u64) -> Box<Taken> {
        let take = || self.database(database).ok().and_then(|database| database.take_watched(watch));
        Box::new(Taken(catch_unwind(AssertUnwindSafe(take)).unwrap_or_default()))
    }

    pub(crate) fn unwatch(&self, database: u32, watch: u64) {
        let Ok(database) = self.database(database) else { return };
        guarded(|| database.unwatch(watch));
    }

    pub(crate) fn set_table_events(&self, database: u32, wanted: bool) {
        let Ok(database) = self.database(database) else { return };
        guarded(|| database.set_table_events(wanted));
    }
}
