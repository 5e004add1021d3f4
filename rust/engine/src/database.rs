//! An open database that syncs: the facade that `rust/ffi` and the tests use.
//!
//! Owns the wiring of store, driver, client and credentials, and their end. Guarantees that after [`Database::close`] has
//! returned no thread of this database runs and the observer hears nothing more.

use crate::client::Client;
use crate::clock::{Clock, Jitter, SystemClock};
use crate::credentials::{CredentialStore, Credentials};
use crate::driver::{Driver, DriverHandle};
use crate::options::OpenOptions;
use crate::protocol1::{Protocol1, sync_path};
use crate::store::{Counts, Execution, Parameter, Rows, Store, StoreObserver, closed};
use crate::transport::{HttpResponse, HttpTransport, Transport};
use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use omnii_sync_core::machine::{Input, Machine, RoundError};
use omnii_sync_core::{ChangeId, ParkedChange, Status, SyncOptions};
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
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
    /// One commit changed these tables.
    fn tables_changed(&self, tables: Vec<String>);
    /// The app must answer with [`Database::provide_credentials`].
    fn credentials_requested(&self, request: u64);
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

/// Passes what the store says on to the driver and the observer.
struct StoreEvents {
    driver: OnceLock<DriverHandle>,
    observer: Arc<dyn DatabaseObserver>,
    counts: Mutex<Counts>,
}

impl StoreObserver for StoreEvents {
    fn tables_changed(&self, tables: Vec<String>) {
        self.observer.tables_changed(tables);
    }

    fn outbox_changed(&self, counts: Counts, local: bool) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        let Some(driver) = self.driver.get() else { return };
        driver.send(Input::Counts { pending: counts.pending, parked: counts.parked });
        if local {
            driver.send(Input::LocalWrite);
        }
    }
}

/// See the module's documentation. Shared by `Arc`; every method may be called from any thread.
pub struct Database {
    store: Arc<Store>,
    events: Arc<StoreEvents>,
    driver: DriverHandle,
    client: Arc<Client>,
    credentials: Arc<CredentialStore>,
    options: SyncOptions,
    closing: watch::Sender<bool>,
}

impl Database {
    /// Opens the file and starts the driver, disconnected. Blocks on the disk: call it off the JS thread.
    pub fn open(options: OpenOptions, environment: Environment, observer: Arc<dyn DatabaseObserver>) -> Result<Self> {
        let OpenOptions { store: store_options, sync } = options;
        let Environment { runtime, transport, clock, jitter, execution } = environment;
        let events =
            Arc::new(StoreEvents { driver: OnceLock::new(), observer: observer.clone(), counts: Mutex::default() });
        let store = Arc::new(Store::open_with(store_options, events.clone(), execution)?);
        *events.counts.lock().unwrap_or_else(PoisonError::into_inner) = store.remembered().counts;
        let asker = observer.clone();
        let credentials = Arc::new(CredentialStore::new(
            move |request| asker.credentials_requested(request),
            clock.clone(),
            Duration::from_millis(sync.credentials_timeout_ms),
        ));
        let timeout = Duration::from_millis(sync.request_timeout_ms);
        let client = Arc::new(Client::new(transport, credentials.clone(), timeout));
        let work = Arc::new(Protocol1::new(store.clone(), client.clone(), sync.clone()));
        let remembered = store.remembered();
        let status = Status {
            pending_changes: remembered.counts.pending,
            parked_changes: remembered.counts.parked,
            has_synced: remembered.last_synced_at_ms.is_some(),
            last_synced_at_ms: remembered.last_synced_at_ms,
            last_reconciled_at_ms: remembered.last_reconciled_at_ms,
            ..Status::default()
        };
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
        // the store's first event can only follow a write, which nobody can make before this function returns
        let _ = events.driver.set(driver.clone());
        Ok(Self { store, events, driver, client, credentials, options: sync, closing: watch::Sender::new(false) })
    }

    /// Runs one statement on the writer; see [`Store::execute`].
    pub fn execute(
        &self,
        transaction: u64,
        sql: String,
        parameters: Vec<Parameter>,
        done: impl FnOnce(Result<Rows>) + Send + 'static,
    ) {
        self.store.execute(transaction, sql, parameters, done);
    }

    /// Runs one read-only statement; see [`Store::query`].
    pub fn query(&self, sql: String, parameters: Vec<Parameter>, done: impl FnOnce(Result<Rows>) + Send + 'static) {
        self.store.query(sql, parameters, done);
    }

    /// Begins a write transaction; `done` gets its id.
    pub fn begin(&self, done: impl FnOnce(Result<u64>) + Send + 'static) {
        self.store.begin(done);
    }

    /// Commits or rolls back.
    pub fn end(&self, transaction: u64, commit: bool, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.store.end(transaction, commit, done);
    }

    /// Starts syncing by itself.
    pub fn connect(&self) {
        self.driver.send(Input::Connect);
    }

    /// Stops syncing by itself.
    pub fn disconnect(&self) {
        self.driver.send(Input::Disconnect);
    }

    /// Resolves when everything asked for before has reached the status.
    pub fn settled(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.driver.settled()
    }

    /// A full round that begins after this call.
    pub fn trigger_sync(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        self.driver.trigger()
    }

    /// A push that begins after this call.
    pub fn upload_data(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        self.driver.upload()
    }

    /// Drops every synced row without pending changes, forgets the cursors and connects again.
    pub async fn clear_and_reconnect(&self) -> Result<()> {
        self.driver.send(Input::Disconnect);
        let store = self.store.clone();
        self.store
            .write(move |writer| {
                // a page of the cancelled pull that is still on its way here must not set a cursor
                store.cancel_pull();
                writer.transaction(|w| w.clear())
            })
            .await?;
        self.driver.send(Input::Cleared);
        self.driver.send(Input::Connect);
        Ok(())
    }

    /// A full round with a complete sweep for rows that were deleted on the backend; it begins after this call.
    pub fn reconcile(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
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
        self.driver.send(Input::Foreground);
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

    /// Ends the round in flight and releases every lock on the file, so that iOS may suspend the process. What is asked of
    /// the database meanwhile waits for [`Self::resume`]. Idempotent.
    pub async fn prepare_for_suspend(&self) -> Result<()> {
        Err(SyncError::new(ErrorCode::Internal, "not there yet"))
    }

    /// Takes the file up again and syncs if that was wanted before. Idempotent.
    pub async fn resume(&self) -> Result<()> {
        Err(SyncError::new(ErrorCode::Internal, "not there yet"))
    }

    /// Pushes what is pending for at most `timeout`, closes, and deletes the file if `policy` says so. Answers whether the
    /// file was deleted. Nothing may be asked of the database afterwards.
    pub async fn sign_out(&self, _policy: OnSignOut, _timeout: Duration) -> Result<bool> {
        Err(SyncError::new(ErrorCode::Internal, "not there yet"))
    }

    /// One page of every table, as the backend sends it; nothing is applied.
    pub async fn fetch_changes(&self, since: Option<&str>) -> Result<String> {
        self.raw(self.client.get(&sync_path(since, None, self.options.page_limit))).await
    }

    /// The backend's health answer.
    pub async fn health(&self) -> Result<String> {
        self.raw(self.client.get("/health")).await
    }

    /// Asks the backend to import from other systems.
    pub async fn populate(&self) -> Result<String> {
        self.raw(self.client.post("/populate", b"{}".to_vec())).await
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

    /// Ends syncing, then the threads of the file. Idempotent.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        self.driver.close().await;
        let store = self.store.clone();
        match store.execution() {
            // a task of the blocking pool would keep a paused clock from moving and end when the scheduler likes
            Execution::Inline => store.close(),
            Execution::Threads => {
                if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
                    tracing::error!("closing a database panicked");
                }
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.driver.send(Input::Close);
    }
}
