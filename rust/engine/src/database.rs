//! An open database that syncs: the facade that `rust/ffi` and the tests use.
//!
//! Owns the wiring of store, driver, client and credentials, and their end. Guarantees that after [`Database::close`] has
//! returned no thread of this database runs and the observer hears nothing more.

mod crud;
mod lifecycle;
mod statements;
mod watches;

use crate::client::Client;
use crate::clock::{Clock, Jitter, SystemClock};
use crate::credentials::{CredentialStore, Credentials};
use crate::driver::{Driver, DriverHandle};
use crate::live::Live;
use crate::options::OpenOptions;
use crate::protocol1::{Protocol1, sync_path};
use crate::store::{Changes, Counts, Execution, Store, StoreObserver, closed};
use crate::transport::{HttpResponse, HttpTransport, Transport};
use crate::uploads::AppUploads;
use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use omnii_sync_core::machine::{Input, Machine, RoundError};
use omnii_sync_core::protocol1::PAGE_LIMIT;
use omnii_sync_core::{ChangeId, ParkedChange, Status, SyncOptions};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// What becomes of the file when its user signs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSignOut {
    /// It stays for this user's next sign-in.
    Keep,
    /// It is deleted if nothing in it still waits for the backend (parked changes included), else it stays.
    ClearWhenSynced,
    /// It is deleted, pending changes with it.
    Clear,
}

/// Who is told what happens. Called from threads of the engine; must not block.
pub trait DatabaseObserver: Send + Sync + 'static {
    /// The status changed.
    fn status_changed(&self, status: &Status);
    /// What one commit changed; at least one table. Only while [`Database::set_table_events`] says so.
    fn tables_changed(&self, changes: &Changes);
    /// A watch has something to be taken, or its query has failed.
    fn watch_changed(&self, watch: u64, error: Option<&SyncError>) {
        tracing::debug!(watch, failed = error.is_some(), "nobody takes what a watch has");
    }
    /// The app must answer with [`Database::provide_credentials`].
    fn credentials_requested(&self, request: u64);
    /// The app must upload and answer with [`Database::finish_upload`]; only with `custom_upload` in the options.
    fn upload_requested(&self, request: u64) {
        tracing::error!(request, "nobody uploads");
    }
}

/// The outside world, injected.
pub struct Environment {
    /// Where tasks run.
    pub runtime: Handle,
    /// The way to the backend.
    pub transport: Arc<dyn Transport>,
    /// Wall-clock time.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub jitter: Jitter,
    /// Where SQL runs.
    pub execution: Execution,
}

impl Environment {
    /// The real world on `runtime`.
    pub fn real(runtime: Handle) -> Result<Self> {
        Ok(Self {
            runtime,
            transport: Arc::new(HttpTransport::new()?),
            clock: Arc::new(SystemClock),
            jitter: Jitter::random(),
            execution: Execution::Threads,
        })
    }
}

/// How long local writes gather before the driver hears of them. Waking it for each one would cost as much as the write:
/// nobody waits for it, since [`Database::status`] counts at once and a push comes later anyway.
const GATHER: Duration = Duration::from_millis(8);

/// Passes what the store says on to the driver and the observer.
struct StoreEvents {
    driver: OnceLock<DriverHandle>,
    observer: Arc<dyn DatabaseObserver>,
    live: Arc<Live>,
    counts: Mutex<Counts>,
    runtime: Handle,
    gather: Duration,
    /// Whether there are local writes of which the driver has not heard.
    gathering: AtomicBool,
    this: Weak<Self>,
}

impl StoreEvents {
    /// Tells the driver of the writes that gather, if any.
    fn tell_of_writes(&self) {
        if let Some(driver) = self.driver.get()
            && self.gathering.swap(false, Ordering::SeqCst)
        {
            self.tell_counts(driver);
            driver.send(Input::LocalWrite);
        }
    }

    fn tell_counts(&self, driver: &DriverHandle) {
        let counts = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        driver.send(Input::Counts { pending: counts.pending, parked: counts.parked });
    }
}

impl StoreObserver for StoreEvents {
    fn tables_changed(&self, changes: Changes) {
        // in front of the answer that whoever wrote waits for
        if self.live.tables_wanted() && !changes.tables.is_empty() {
            self.observer.tables_changed(&changes);
        }
        self.live.committed(&changes);
    }

    fn row_ids_wanted(&self) -> bool {
        self.live.row_ids_wanted()
    }

    fn outbox_changed(&self, counts: Counts, local: bool) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        let Some(driver) = self.driver.get() else { return };
        if !local {
            return self.tell_counts(driver);
        }
        if self.gathering.swap(true, Ordering::SeqCst) {
            return;
        }
        if self.gather.is_zero() {
            return self.tell_of_writes();
        }
        let (this, gather) = (self.this.clone(), self.gather);
        self.runtime.spawn(async move {
            tokio::time::sleep(gather).await;
            if let Some(this) = this.upgrade() {
                this.tell_of_writes();
            }
        });
    }
}

/// See the module's documentation. Shared by `Arc`; every method may be called from any thread.
pub struct Database {
    store: Arc<Store>,
    events: Arc<StoreEvents>,
    driver: DriverHandle,
    /// For calls beside the rounds.
    calls: Client,
    credentials: Arc<CredentialStore>,
    /// Set if the app uploads itself.
    uploads: Option<Arc<AppUploads>>,
    options: SyncOptions,
    closing: watch::Sender<bool>,
    /// Whether the app is suspended. Held while that changes, so that one follows the other.
    suspension: tokio::sync::Mutex<bool>,
}

impl Database {
    /// Opens the file and starts the driver, disconnected. Blocks on the disk: call it off the JS thread.
    pub fn open(options: OpenOptions, environment: Environment, observer: Arc<dyn DatabaseObserver>) -> Result<Self> {
        let OpenOptions { store: store_options, sync, custom_upload } = options;
        let Environment { runtime, transport, clock, jitter, execution } = environment;
        let watcher = observer.clone();
        let live = Live::new(runtime.clone(), Box::new(move |watch, error| watcher.watch_changed(watch, error)));
        let events = Arc::new_cyclic(|this| StoreEvents {
            driver: OnceLock::new(),
            observer: observer.clone(),
            live: live.clone(),
            counts: Mutex::default(),
            runtime: runtime.clone(),
            gather: GATHER.min(Duration::from_millis(sync.upload_throttle_ms)),
            gathering: AtomicBool::new(false),
            this: this.clone(),
        });
        let store = Arc::new(Store::open_with(store_options, events.clone(), execution)?);
        live.serve(&store);
        *events.counts.lock().unwrap_or_else(PoisonError::into_inner) = store.remembered().counts;
        let asker = observer.clone();
        let credentials = Arc::new(CredentialStore::new(
            move |request| asker.credentials_requested(request),
            clock.clone(),
            Duration::from_millis(sync.credentials_timeout_ms),
        ));
        let timeout = Duration::from_millis(sync.request_timeout_ms);
        let client = Arc::new(Client::new(transport.clone(), credentials.clone(), timeout));
        // its answers say nothing about the work in flight, so the machine does not hear of them
        let calls = Client::new(transport, credentials.clone(), timeout);
        let uploads = custom_upload.then(|| {
            // ahead of every push: it is queued here and now
            drop(store.write(|w| w.transaction(|w| w.queue_sent())));
            let asker = observer.clone();
            Arc::new(AppUploads::new(move |request| asker.upload_requested(request)))
        });
        let work = Arc::new(Protocol1::new(store.clone(), client.clone(), sync.clone(), uploads.clone()));
        let remembered = store.remembered();
        let status = Status {
            pending_changes: remembered.counts.pending,
            parked_changes: remembered.counts.parked,
            // a sweep has seen everything, though uploads may have failed ever since
            has_synced: remembered.last_synced_at_ms.is_some() || remembered.last_reconciled_at_ms.is_some(),
            last_synced_at_ms: remembered.last_synced_at_ms,
            last_reconciled_at_ms: remembered.last_reconciled_at_ms,
            ..Status::default()
        };
        let told_progress = work.clone();
        let machine = Machine::new(sync.clone(), status);
        let last_round = Mutex::new((remembered.last_synced_at_ms, remembered.last_reconciled_at_ms));
        let keeper = Arc::downgrade(&store);
        let on_status = move |status: &Status| {
            let mut last = last_round.lock().unwrap_or_else(PoisonError::into_inner);
            let now = (status.last_synced_at_ms, status.last_reconciled_at_ms);
            if *last != now {
                *last = now;
                if let Some(store) = keeper.upgrade() {
                    store.remember_round(status.last_synced_at_ms, status.last_reconciled_at_ms);
                }
            }
            drop(last);
            observer.status_changed(status);
        };
        let driver = Driver::spawn(&runtime, machine, work, clock, jitter, Box::new(on_status));
        client.on_contact(driver.contact_hook());
        told_progress.on_progress(driver.progress_hook());
        // the store's first event can only follow a write, which nobody can make before this function returns
        let _ = events.driver.set(driver.clone());
        Ok(Self {
            store,
            events,
            driver,
            calls,
            credentials,
            uploads,
            options: sync,
            closing: watch::Sender::new(false),
            suspension: tokio::sync::Mutex::default(),
        })
    }

    /// Starts syncing by itself.
    pub fn connect(&self) {
        self.events.tell_of_writes();
        self.driver.send(Input::Connect);
    }

    /// Stops syncing by itself.
    pub fn disconnect(&self) {
        self.driver.send(Input::Disconnect);
    }

    /// Resolves when everything asked for before has reached the status.
    pub fn settled(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.events.tell_of_writes();
        self.driver.settled()
    }

    /// A full round that begins after this call.
    pub fn trigger_sync(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        self.events.tell_of_writes();
        self.driver.trigger()
    }

    /// A push that begins after this call.
    pub fn upload_data(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        self.events.tell_of_writes();
        self.driver.upload()
    }

    /// Drops every synced row without pending changes, forgets the cursors and connects again.
    pub async fn clear_and_reconnect(&self) -> Result<()> {
        self.disconnect();
        let store = self.store.clone();
        let cleared = self
            .store
            .write(move |writer| {
                // a page of the cancelled pull that is still on its way here must not set a cursor
                store.cancel_pull();
                writer.transaction(|w| w.clear())
            })
            .await;
        if cleared.is_ok() {
            self.driver.send(Input::Cleared);
        }
        // also with all data still there syncing goes on
        self.connect();
        cleared
    }

    /// A full round with a complete sweep for rows that were deleted on the backend; it begins after this call.
    pub fn reconcile(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        self.events.tell_of_writes();
        self.driver.reconcile()
    }

    /// The parked changes, oldest first.
    pub async fn parked_changes(&self) -> Result<Vec<ParkedChange>> {
        self.store.write(|w| w.parked()).await
    }

    /// Queues parked changes again, all of them without `ids`; ids that are not parked are ignored. Answers how many.
    pub async fn retry_parked(&self, ids: Option<Vec<ChangeId>>) -> Result<u64> {
        self.store.write(move |w| w.transaction(|w| w.retry_parked(ids.as_deref()))).await
    }

    /// Gives parked changes up, all of them without `ids`: their rows settle on the server's version with what is still
    /// pending on top. Giving up an insert gives up the later changes of that row, too. Answers how many were given up.
    pub async fn discard_parked(&self, ids: Option<Vec<ChangeId>>) -> Result<u64> {
        self.store.write(move |w| w.transaction(|w| w.discard_parked(ids.as_deref()))).await
    }

    /// The app came to the foreground: a round begins now if syncing is wanted.
    pub fn foreground(&self) {
        self.events.tell_of_writes();
        self.driver.send(Input::Foreground);
    }

    /// The app went to the background and still runs: polls become rare.
    pub fn background(&self) {
        self.driver.send(Input::Background);
    }

    /// The user does something: polls are as frequent as they get.
    pub fn active(&self) {
        self.driver.send(Input::Active);
    }

    /// The device says that it has no network: only explicit wishes are tried, and a rare attempt of our own.
    pub fn network_lost(&self) {
        self.driver.send(Input::NetworkLost);
    }

    /// Whether the network costs money.
    pub fn metered(&self, is: bool) {
        self.driver.send(Input::Metered(is));
    }

    /// Whether the battery is low.
    pub fn battery_low(&self, is: bool) {
        self.driver.send(Input::BatteryLow(is));
    }

    /// The device is on a network again.
    pub fn network_regained(&self) {
        self.driver.send(Input::NetworkRegained);
    }

    /// Somebody signed in, or the token was renewed: what is known of it is forgotten.
    pub fn credentials_changed(&self) {
        self.credentials.invalidate();
        self.driver.send(Input::CredentialsChanged);
    }

    /// One page of every table, as the backend sends it; nothing is applied.
    pub async fn fetch_changes(&self, since: Option<&str>) -> Result<String> {
        self.raw(self.calls.get(&sync_path(since, None, self.options.page_limit.unwrap_or(PAGE_LIMIT)))).await
    }

    /// The backend's health answer.
    pub async fn health(&self) -> Result<String> {
        self.raw(self.calls.get("/health")).await
    }

    /// Asks the backend to import from other systems.
    pub async fn populate(&self) -> Result<String> {
        self.raw(self.calls.post("/populate", b"{}".to_vec())).await
    }

    /// A call beside the rounds; it ends when the database closes.
    async fn raw(&self, call: impl Future<Output = std::result::Result<HttpResponse, RoundError>>) -> Result<String> {
        let mut closing = self.closing.subscribe();
        let response = tokio::select! {
            // without this the first branch to look at is drawn by lot
            biased;
            _ = closing.wait_for(|closing| *closing) => return Err(closed()),
            response = call => response.map_err(|e| e.error)?,
        };
        String::from_utf8(response.body)
            .map_err(|_| SyncError::new(ErrorCode::BadResponse, "the backend's answer is not UTF-8"))
    }

    /// The current snapshot. Counts every write whose call has been answered, though the machine may hear of it later.
    pub fn status(&self) -> Status {
        let counts = *self.events.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Status {
            pending_changes: counts.pending,
            parked_changes: counts.parked,
            ..Status::clone(&self.driver.status())
        }
    }

    /// Answers [`DatabaseObserver::credentials_requested`]: `Ok(None)` when nobody is signed in, `Err` with the app's message.
    pub fn provide_credentials(&self, request: u64, answer: std::result::Result<Option<Credentials>, String>) {
        self.credentials.provide(request, answer);
    }

    /// Answers [`DatabaseObserver::credentials_requested`]: the app can't know without a network. `message` is the app's.
    pub fn credentials_unreachable(&self, request: u64, message: &str) {
        self.credentials.unreachable(request, message);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.driver.send(Input::Close);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod upload_tests;
