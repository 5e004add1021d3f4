//! The cxx bridge between the engine and `cpp/`, and nothing else.
//!
//! Owns the translation of requests (an id, chosen by C++) into engine calls and of their outcomes into calls of the
//! [`EngineSink`](bridge::EngineSink). Guarantees that no panic crosses into C++ and that every request is settled exactly
//! once, on whatever thread the outcome arises. Refuses to know about JSI, SQL or retries.

mod crud;
mod engine;
mod events;
mod request;
mod statements;
mod values;
mod watches;

pub use engine::Engine;
pub use values::{Rows, Values};

use engine::new_engine;
use values::new_values;
pub use watches::Taken;

/// The functions and types both sides share. Strings are UTF-8; structured options are JSON.
#[cxx::bridge(namespace = "omnii")]
pub mod bridge {
    /// Why a request failed: `code` is stable, `message` is for people, `retryable` says that trying later may help.
    #[derive(Debug, Clone)]
    struct Failure {
        /// An `ErrorCode`'s name.
        code: String,
        /// What happened and what to do.
        message: String,
        /// Whether trying later may help.
        retryable: bool,
        /// The table it is about; empty if none in particular.
        table: String,
        /// The row it is about; empty if none in particular.
        row_id: String,
    }

    extern "Rust" {
        type Engine;
        type Values;
        type Rows;
        type Taken;

        /// One engine per module instance. Dropping the box closes every database it opened and waits for their threads.
        fn new_engine(sink: SharedPtr<EngineSink>) -> Box<Engine>;

        /// How many databases are open.
        fn open_databases(self: &Engine) -> usize;
        fn open(self: &Engine, request: u64, options: &str);
        fn close(self: &Engine, request: u64, database: u32);
        fn execute(self: &Engine, request: u64, database: u32, transaction: u64, sql: &str, params: Box<Values>);
        /// As `execute`; the rows say that arrays are wanted.
        fn execute_raw(self: &Engine, request: u64, database: u32, transaction: u64, sql: &str, params: Box<Values>);
        /// `sets`: one `end_set` per set. Answers the number of rows changed.
        fn execute_batch(self: &Engine, request: u64, database: u32, transaction: u64, sql: &str, sets: Box<Values>);
        fn query(self: &Engine, request: u64, database: u32, sql: &str, params: Box<Values>);
        /// As `query`, at once. If it failed, `failure.code` is not empty and the rows mean nothing.
        fn query_now(self: &Engine, database: u32, sql: &str, params: Box<Values>, failure: &mut Failure) -> Box<Rows>;
        /// Answers JSON of what the statement is.
        fn describe(self: &Engine, request: u64, database: u32, sql: &str);
        fn interrupt(self: &Engine, request: u64, database: u32);
        /// `mode`: write, writeLock, read or readLock.
        fn begin(self: &Engine, request: u64, database: u32, mode: &str);
        fn commit(self: &Engine, request: u64, database: u32, transaction: u64);
        fn rollback(self: &Engine, request: u64, database: u32, transaction: u64);
        /// `options`: JSON of `{throttleMs, tables}`. Answers the watch id, ahead of the first `watch_changed`.
        fn watch(self: &Engine, request: u64, database: u32, sql: &str, params: Box<Values>, options: &str);
        /// What the app has not taken yet; never waits for a query.
        fn take_watched(self: &Engine, database: u32, watch: u64) -> Box<Taken>;
        fn unwatch(self: &Engine, database: u32, watch: u64);
        fn set_table_events(self: &Engine, database: u32, wanted: bool);
        fn connect(self: &Engine, request: u64, database: u32);
        fn disconnect(self: &Engine, request: u64, database: u32);
        fn trigger_sync(self: &Engine, request: u64, database: u32);
        fn upload_data(self: &Engine, request: u64, database: u32);
        fn clear_and_reconnect(self: &Engine, request: u64, database: u32);
        fn reconcile(self: &Engine, request: u64, database: u32);
        fn parked_changes(self: &Engine, request: u64, database: u32);
        /// `ids`: a JSON array of change ids; empty for all. Answers how many, as `discard_parked` does.
        fn retry_parked(self: &Engine, request: u64, database: u32, ids: &str);
        fn discard_parked(self: &Engine, request: u64, database: u32, ids: &str);
        /// Also tables that are only local, with `local`.
        fn clear(self: &Engine, request: u64, database: u32, local: bool);
        /// `options`: JSON of `{after, transactions, entries}`. Answers JSON of `NativeCrud` (js/types.ts).
        fn crud(self: &Engine, request: u64, database: u32, options: &str);
        fn complete_crud(self: &Engine, request: u64, database: u32, last: i64);
        /// Answers JSON of `{count, size}`.
        fn upload_queue_stats(self: &Engine, request: u64, database: u32, with_size: bool);
        fn client_id(self: &Engine, request: u64, database: u32);
        /// Answers JSON of `ImportResult` (js/types.ts) or `null`.
        fn import_result(self: &Engine, request: u64, database: u32);
        /// `key`: JSON of `NativeEncryptionKey` (js/types.ts).
        fn rekey(self: &Engine, request: u64, database: u32, key: &str);
        /// `error` empty: all is uploaded that can be.
        fn finish_upload(self: &Engine, database: u32, request: u64, error: &str);
        /// `event`: foreground, background, active, networkRegained, networkLost, metered, unmetered, batteryLow, batteryOk or
        /// credentialsChanged.
        fn notify(self: &Engine, request: u64, database: u32, event: &str);
        fn prepare_for_suspend(self: &Engine, request: u64, database: u32);
        fn resume(self: &Engine, request: u64, database: u32);
        /// `policy`: keep, clearWhenSynced or clear. Answers whether the file was deleted; the database is closed then, also
        /// when this failed (but for a bad `policy`).
        fn sign_out(self: &Engine, request: u64, database: u32, policy: &str, timeout_ms: u64);
        fn fetch_changes(self: &Engine, request: u64, database: u32, since: &str);
        fn health(self: &Engine, request: u64, database: u32);
        fn populate(self: &Engine, request: u64, database: u32);
        /// JSON of the status; of a closed database when the id is unknown.
        fn status(self: &Engine, database: u32) -> String;
        /// `credentials`: JSON of `{endpoint, token, expiresAt?}` or `null`; `error`, when fetching them failed, of
        /// `{code, message}`, else empty. `Network` as code: the app can't know without a network.
        fn provide_credentials(self: &Engine, database: u32, request: u64, credentials: &str, error: &str);

        /// SQL parameters, pushed in order.
        fn new_values(capacity: usize) -> Box<Values>;
        fn push_null(self: &mut Values);
        fn push_integer(self: &mut Values, value: i64);
        fn push_real(self: &mut Values, value: f64);
        fn push_text(self: &mut Values, value: &str);
        fn push_blob(self: &mut Values, value: &[u8]);
        /// What was pushed since the last one is a set of its own.
        fn end_set(self: &mut Values);

        /// A result set, flat: cell `i` is row `i / columns`, column `i % columns`.
        fn column_names(self: &Rows) -> &[String];
        /// Results with the same number have the same column names; 0: no columns.
        fn columns_id(self: &Rows) -> u64;
        /// Whether each row is wanted as an array of values.
        fn raw(self: &Rows) -> bool;
        /// Kind of each cell: 0 null, 1 integer, 2 real, 3 text (UTF-8), 4 blob, 5 text known to be ASCII.
        fn kinds(self: &Rows) -> &[u8];
        /// Per cell: an integer's or real's 64 bits; for text and blobs the offset into `bytes` in the upper 32 bits and
        /// the length in bytes in the lower 32.
        fn words(self: &Rows) -> &[u64];
        fn bytes(self: &Rows) -> &[u8];
        fn rows_affected(self: &Rows) -> i64;
        /// The last inserted rowid; 0 if the statement inserted nothing.
        fn insert_id(self: &Rows) -> i64;

        /// Whether there is anything; if not, the rest is empty.
        fn is_something(self: &Taken) -> bool;
        /// Whether all rows are new, so that `kept` says nothing.
        fn is_full(self: &Taken) -> bool;
        /// For each row its index in the result taken before, -1 if it was not there.
        fn kept(self: &Taken) -> &[i32];
        /// The cells of all rows, kept ones too; laid out as in `Rows`.
        #[cxx_name = "column_names"]
        fn taken_column_names(self: &Taken) -> &[String];
        #[cxx_name = "kinds"]
        fn taken_kinds(self: &Taken) -> &[u8];
        #[cxx_name = "words"]
        fn taken_words(self: &Taken) -> &[u64];
        #[cxx_name = "bytes"]
        fn taken_bytes(self: &Taken) -> &[u8];
    }

    unsafe extern "C++" {
        include!("EngineSink.h");

        /// The module's side; see cpp/EngineSink.h. Every method may be called from any thread.
        type EngineSink;

        /// The request has a result set.
        #[cxx_name = "rowsReady"]
        fn rows_ready(self: &EngineSink, request: u64, rows: Box<Rows>);
        /// The request has a number: a database or transaction id, or a count.
        #[cxx_name = "numberReady"]
        fn number_ready(self: &EngineSink, request: u64, value: f64);
        /// The request has a yes or no.
        #[cxx_name = "flagReady"]
        fn flag_ready(self: &EngineSink, request: u64, value: bool);
        /// The request has a text: JSON.
        #[cxx_name = "textReady"]
        fn text_ready(self: &EngineSink, request: u64, text: String);
        /// The request has ended well.
        fn done(self: &EngineSink, request: u64);
        /// The request has failed.
        fn failed(self: &EngineSink, request: u64, failure: Failure);

        /// JSON of the new status.
        #[cxx_name = "statusChanged"]
        fn status_changed(self: &EngineSink, database: u32, status: String);
        /// Tables that one commit changed, and JSON of the ids by table.
        #[cxx_name = "tablesChanged"]
        fn tables_changed(self: &EngineSink, database: u32, tables: Vec<String>, row_ids: String);
        /// There is something for `take_watched`, or, with JSON of `{code, message, retryable}`, the query has failed.
        #[cxx_name = "watchChanged"]
        fn watch_changed(self: &EngineSink, database: u32, watch: u64, error: String);
        /// To be answered with `provide_credentials`.
        #[cxx_name = "credentialsRequested"]
        fn credentials_requested(self: &EngineSink, database: u32, request: u64);
        /// To be answered with `finish_upload`.
        #[cxx_name = "uploadRequested"]
        fn upload_requested(self: &EngineSink, database: u32, request: u64);
    }

    impl SharedPtr<EngineSink> {}
}

// SAFETY: EngineSink's contract (cpp/EngineSink.h) is that its methods may be called from any thread.
unsafe impl Send for bridge::EngineSink {}
// SAFETY: as above; all of its methods are const and synchronise inside.
unsafe impl Sync for bridge::EngineSink {}
