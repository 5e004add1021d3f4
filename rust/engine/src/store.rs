//! The local database: one file per user, one writer thread, a few readers.
//!
//! Guarantees: a local write and its outbox entry commit together; the rows of a page and its cursor commit together; no
//! pulled row enters the outbox; SQL after opening runs on threads of this module, never on
//! the caller's ([`Execution`] names the exception). Refuses to know of HTTP,
//! tokens or when to sync.

mod app_schema;
mod apply;
mod capture;
mod changes;
mod checkpoint;
mod closed_file;
mod crud;
mod ddl;
mod describe;
mod encryption;
mod import;
mod load;
mod open;
mod outbox;
mod overlay;
mod parked;
mod readers;
mod rows;
mod sql_error;
mod statements;
mod suspend;
mod sweep;
#[cfg(test)]
mod tests;
mod watched;
mod writer;

pub use apply::{Applied, Complete, PulledPage};
pub use changes::{Changes, TableChange};
pub use closed_file::ClosedFile;
pub use crud::{Crud, CrudEntry, CrudQuery, QueueStats};
pub use describe::Description;
pub use encryption::Key;
pub use import::Imported;
pub use load::Load;
pub use open::file_name;
pub use outbox::{Counts, PendingBatch};
pub use rows::{Batch, CellKind, Columns, Integers, Parameter, Rows};
pub use statements::Mode;
pub(crate) use watched::{Inspected, Watched};
pub use writer::Writer;

use encryption::CurrentKey;
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, Schema, SyncError};
use readers::Readers;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use writer::WriterQueue;

/// Who is told what commits change. Called on the writer's thread after the commit; must not block.
pub trait StoreObserver: Send + Sync + 'static {
    /// What one commit changed; never nothing.
    fn tables_changed(&self, changes: Changes);
    /// Whether anybody needs to know which rows a commit changes; asked once in each.
    fn row_ids_wanted(&self) -> bool {
        false
    }
    /// The outbox changed. `local` when by a write of the app, as opposed to by syncing.
    fn outbox_changed(&self, counts: Counts, local: bool);
}

/// Where the store's SQL runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Execution {
    /// On threads of the store: one that writes, a few that read. Callers never wait.
    #[default]
    Threads,
    /// On the caller's thread, before the call returns, in the order of the calls; what a job's answer asks for in turn runs
    /// when that job is done. For the simulator: on a single-threaded runtime with paused time nothing then depends on the
    /// operating system's scheduler, and the same seed gives the same run. Never for apps: callers wait for the disk.
    Inline,
}

/// What [`Store::open`] needs.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The database file; its directory is created when missing.
    pub path: PathBuf,
    /// Validated.
    pub schema: Arc<Schema>,
    /// Whose data it is; a file of another user is refused.
    pub user_id: String,
    /// What becomes of integers in results that a JavaScript number can't hold.
    pub integers: Integers,
    /// A PowerSync database to take in once, if it is there.
    pub import_from: Option<PathBuf>,
    /// What the file is encrypted with; plain without.
    pub key: Option<Key>,
}

impl StoreOptions {
    /// A plain file, nothing to take in, whole integers.
    pub fn new(path: PathBuf, schema: Arc<Schema>, user_id: String) -> Self {
        Self { path, schema, user_id, integers: Integers::default(), import_from: None, key: None }
    }
}

/// What a file remembered from its last run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Remembered {
    /// The outbox.
    pub counts: Counts,
    /// End of the last complete round, ms since the Unix epoch.
    pub last_synced_at_ms: Option<i64>,
    /// End of the last complete sweep for rows deleted on the backend, ms since the Unix epoch.
    pub last_reconciled_at_ms: Option<i64>,
    /// What it took in of a PowerSync database.
    pub imported: Option<Imported>,
}

/// An open database. Cheap to share; closing is explicit.
pub struct Store {
    schema: Arc<Schema>,
    user_id: String,
    remembered: Remembered,
    writer: WriterQueue,
    readers: Readers,
    execution: Execution,
    /// Number of the pull begun last.
    last_pull: AtomicI64,
    /// Number of the pull under way, 0 if there is none.
    active_pull: AtomicI64,
    /// Given up when the threads are gone, not when the last owner of this value is.
    claim: Mutex<Option<open::Claim>>,
    path: PathBuf,
    key: CurrentKey,
    /// Held while the file is given up or taken up again: one after the other.
    suspending: tokio::sync::Mutex<()>,
}

/// A pull under way; its pages are refused once this is dropped.
pub struct Pull {
    store: Arc<Store>,
    number: i64,
}

impl Pull {
    /// Uploads answered before this pull began carry a lower number.
    pub fn number(&self) -> i64 {
        self.number
    }
}

impl Drop for Pull {
    fn drop(&mut self) {
        // fails when another pull has begun or all were cancelled
        let _ = self.store.active_pull.compare_exchange(self.number, 0, Ordering::SeqCst, Ordering::SeqCst);
    }
}

impl Store {
    /// Opens or creates the file and brings it to the schema. Blocks; call it off the JS thread.
    pub fn open(options: StoreOptions, observer: Arc<dyn StoreObserver>) -> Result<Self> {
        Self::open_with(options, observer, Execution::Threads)
    }

    /// As [`Self::open`], with the choice of where jobs run.
    pub fn open_with(
        mut options: StoreOptions,
        observer: Arc<dyn StoreObserver>,
        execution: Execution,
    ) -> Result<Self> {
        let claim = open::claim(&options.path)?;
        let key = CurrentKey::new(options.key.take());
        open::encrypt_plain(&options, &key)?;
        let (mut writer, remembered) = open::writer(&options, &key, observer.clone())?;
        let keys = key.clone();
        let checkpoints = move |writer: &mut Writer, options: &StoreOptions| match execution {
            Execution::Threads => writer.checkpoint_beside(&options.path, &keys),
            Execution::Inline => Ok(()),
        };
        checkpoints(&mut writer, &options)?;
        // a file that appears later must not come between what the app sees
        let again = StoreOptions { import_from: None, ..options.clone() };
        let keys = key.clone();
        let reopen = move || {
            let (mut writer, _) = open::writer(&again, &keys, observer.clone())?;
            checkpoints(&mut writer, &again)?;
            Ok(writer)
        };
        let writer = WriterQueue::start(writer, reopen, execution)?;
        let readers =
            Readers::new(options.path.clone(), key.clone(), options.schema.clone(), options.integers, execution);
        Ok(Self {
            schema: options.schema,
            user_id: options.user_id,
            remembered,
            writer,
            readers,
            execution,
            last_pull: AtomicI64::new(0),
            active_pull: AtomicI64::new(0),
            claim: Mutex::new(Some(claim)),
            path: options.path,
            key,
            suspending: tokio::sync::Mutex::default(),
        })
    }

    /// Where jobs run.
    pub fn execution(&self) -> Execution {
        self.execution
    }

    /// The app's tables.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Whose data this is.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// What the file remembered when it was opened.
    pub fn remembered(&self) -> Remembered {
        self.remembered
    }

    /// Runs `job` on the writer's thread between transactions. It is queued at once, not when the future is first polled.
    pub fn write<T, F>(&self, job: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    {
        let (send, receive) = tokio::sync::oneshot::channel();
        self.writer.run(move |writer: Result<&mut Writer>| {
            // whoever waited may have been cancelled; then nobody wants the answer
            let _ = send.send(writer.and_then(job));
        });
        async move { receive.await.unwrap_or_else(|_| Err(closed())) }
    }

    /// Notes the ends of the last complete round and the last complete sweep, without waiting for it; `None` forgets.
    pub fn remember_round(&self, synced_at_ms: Option<i64>, reconciled_at_ms: Option<i64>) {
        self.writer.run(move |writer| {
            if let Err(error) = writer.and_then(|w| w.round_complete(synced_at_ms, reconciled_at_ms)) {
                tracing::warn!(code = error.code.as_str(), "the time of the last round could not be kept");
            }
        });
    }

    /// Begins a pull; those before it are over.
    pub fn begin_pull(self: &Arc<Self>) -> Pull {
        let number = self.last_pull.fetch_add(1, Ordering::SeqCst) + 1;
        self.active_pull.store(number, Ordering::SeqCst);
        Pull { store: self.clone(), number }
    }

    /// The number of the pull begun last.
    pub fn last_pull(&self) -> i64 {
        self.last_pull.load(Ordering::SeqCst)
    }

    /// Whether pages of this pull may still be applied.
    pub fn is_active(&self, pull: i64) -> bool {
        self.active_pull.load(Ordering::SeqCst) == pull
    }

    /// Ends the pull under way: none of its pages is applied from now on.
    pub fn cancel_pull(&self) {
        self.active_pull.store(0, Ordering::SeqCst);
    }

    /// Stops the threads: what runs is interrupted, what waits is answered with `Closed`, open transactions roll back.
    /// Blocks until the threads are gone; then the file may be opened again. Idempotent.
    pub fn close(&self) {
        self.readers.close();
        self.writer.close();
        self.claim.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// As [`Self::close`], with something to do to the closed file before anybody may open it again.
    ///
    /// # Errors
    /// Those of `last`; `AlreadyOpen` when the store was closed before and the file has been opened again.
    pub fn close_and<T>(&self, last: impl FnOnce(&ClosedFile) -> Result<T>) -> Result<T> {
        self.readers.close();
        self.writer.close();
        let held = self.claim.lock().unwrap_or_else(PoisonError::into_inner).take();
        let held = held.map_or_else(|| open::claim(&self.path), Ok)?;
        last(&ClosedFile::new(held, self.key.clone()))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

pub(crate) fn closed() -> SyncError {
    SyncError::new(ErrorCode::Closed, "the database is closed")
}

pub(crate) fn internal(message: impl Into<String>) -> SyncError {
    SyncError::new(ErrorCode::Internal, message)
}
