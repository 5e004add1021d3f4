//! Requests of C++ as calls of the engine, and their outcomes as calls of the sink.
//!
//! Owns the databases one module instance has open. What arrives as text or as a word is read here; a value that means
//! nothing is `BadArgument`, as is everything else that only a wrong caller can cause.

use crate::bridge::EngineSink;
use crate::events::Events;
use crate::request::Request;
use cxx::SharedPtr;
use omnii_sync_engine::credentials::Credentials;
use omnii_sync_engine::{Database, Environment, ErrorCode, Key, OnSignOut, OpenOptions, Status, SyncError};
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

pub(crate) type Result<T> = std::result::Result<T, SyncError>;

#[derive(Default)]
struct Databases {
    open: HashMap<u32, Arc<Database>>,
    last_id: u32,
    closed: bool,
}

/// What a module instance holds. Methods are called on the JS thread and never block it.
pub struct Engine {
    sink: SharedPtr<EngineSink>,
    databases: Arc<Mutex<Databases>>,
}

pub(crate) fn new_engine(sink: SharedPtr<EngineSink>) -> Box<Engine> {
    Box::new(Engine { sink, databases: Arc::default() })
}

/// The tokio runtime of this process: two threads for all databases; waiting costs nothing.
fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::result::Result<Runtime, String>> = OnceLock::new();
    let built = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("omnii-sync")
            .enable_all()
            .build()
            .map_err(|e| e.to_string())
    });
    built.as_ref().map_err(|e| SyncError::new(ErrorCode::Internal, format!("no runtime could be started: {e}")))
}

/// Where databases live when the app names no directory. Phones hand theirs down; on a desktop it is the user's data folder.
fn default_directory() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    from("OMNII_SYNC_DIRECTORY")
        .or_else(|| from("XDG_DATA_HOME").map(|d| d.join("omnii-sync")))
        .or_else(|| from("HOME").map(|d| d.join(".local/share/omnii-sync")))
        .ok_or_else(|| {
            SyncError::new(ErrorCode::InvalidOptions, "no default directory is known here; pass `directory`")
        })
}

fn lock(databases: &Mutex<Databases>) -> MutexGuard<'_, Databases> {
    databases.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn bad_argument(message: &str) -> SyncError {
    SyncError::new(ErrorCode::BadArgument, message)
}

/// A JSON array of change ids; empty text means all of them.
fn change_ids(json: &str) -> Result<Option<Vec<i64>>> {
    if json.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(json)
        .map(Some)
        .map_err(|_| bad_argument("ids must be a JSON array of whole numbers, or empty"))
}

/// Keeps a panic from C++; a request it leaves behind answers for itself.
pub(crate) fn guarded(call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::error!("a request panicked");
    }
}

impl Engine {
    fn request(&self, id: u64) -> Request {
        Request::new(id, self.sink.clone())
    }

    pub(crate) fn database(&self, id: u32) -> Result<Arc<Database>> {
        lock(&self.databases).open.get(&id).cloned().ok_or_else(|| {
            SyncError::new(ErrorCode::Closed, "the database is closed; open it again with openDatabase()")
        })
    }

    /// Runs `call` with the request and the database. A panic is caught; the request then answers for itself.
    pub(crate) fn with(&self, request: u64, database: u32, call: impl FnOnce(Request, &Arc<Database>)) {
        let request = self.request(request);
        guarded(|| match self.database(database) {
            Ok(database) => call(request, &database),
            Err(error) => request.fail(error),
        });
    }

    /// As [`Self::with`] for what takes time: `call` makes a future, which runs on the engine's threads.
    pub(crate) fn spawn<F, T>(
        &self,
        request: u64,
        database: u32,
        answer: fn(Request, Result<T>),
        call: impl FnOnce(Arc<Database>) -> F,
    ) where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        self.with(request, database, |request, database| match runtime() {
            Ok(runtime) => {
                let future = {
                    let _context = runtime.enter();
                    call(database.clone())
                };
                runtime.spawn(async move { answer(request, future.await) });
            }
            Err(error) => request.fail(error),
        });
    }

    pub(crate) fn open_databases(&self) -> usize {
        lock(&self.databases).open.len()
    }

    pub(crate) fn open(&self, request: u64, options: &str) {
        guarded(|| self.start_open(request, options));
    }

    fn start_open(&self, request: u64, options: &str) {
        let request = self.request(request);
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(error) => return request.fail(error),
        };
        // a key may be in them
        let options = Zeroizing::new(options.to_owned());
        let (sink, databases) = (self.sink.clone(), self.databases.clone());
        runtime.spawn_blocking(move || {
            let id = {
                let mut databases = lock(&databases);
                databases.last_id += 1;
                databases.last_id
            };
            let opened = OpenOptions::from_json(&options, default_directory).and_then(|options| {
                let environment = Environment::real(runtime.handle().clone())?;
                Database::open(options, environment, Arc::new(Events { sink, database: id }))
            });
            match opened {
                Ok(database) => {
                    let mut databases = lock(&databases);
                    if databases.closed {
                        drop(databases);
                        runtime.block_on(database.close());
                        return; // the request answers for itself
                    }
                    databases.open.insert(id, Arc::new(database));
                    drop(databases);
                    request.number(Ok(f64::from(id)));
                }
                Err(error) => request.fail(error),
            }
        });
    }

    pub(crate) fn close(&self, request: u64, database: u32) {
        guarded(|| self.start_close(request, database));
    }

    fn start_close(&self, request: u64, database: u32) {
        let taken = lock(&self.databases).open.remove(&database);
        let request = self.request(request);
        match (taken, runtime()) {
            (Some(database), Ok(runtime)) => {
                runtime.spawn(async move {
                    database.close().await;
                    request.done(Ok(()));
                });
            }
            (None, _) => request.done(Ok(())),
            (Some(_), Err(error)) => request.fail(error),
        }
    }

    pub(crate) fn connect(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::done, |database| {
            database.connect();
            let settled = database.settled();
            async move {
                settled.await;
                Ok(())
            }
        });
    }

    pub(crate) fn disconnect(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::done, |database| {
            database.disconnect();
            let settled = database.settled();
            async move {
                settled.await;
                Ok(())
            }
        });
    }

    pub(crate) fn trigger_sync(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::done, |database| database.trigger_sync());
    }

    pub(crate) fn upload_data(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::done, |database| database.upload_data());
    }

    pub(crate) fn clear_and_reconnect(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::done, |database| async move { database.clear_and_reconnect().await });
    }

    pub(crate) fn reconcile(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::done, |database| database.reconcile());
    }

    pub(crate) fn parked_changes(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::text, |database| async move {
            let parked = database.parked_changes().await?;
            serde_json::to_string(&parked)
                .map_err(|e| SyncError::new(ErrorCode::Internal, format!("parked changes could not be written: {e}")))
        });
    }

    pub(crate) fn retry_parked(&self, request: u64, database: u32, ids: &str) {
        let ids = change_ids(ids);
        self.spawn(request, database, Request::number, |database| async move {
            database.retry_parked(ids?).await.map(|count| count as f64)
        });
    }

    pub(crate) fn discard_parked(&self, request: u64, database: u32, ids: &str) {
        let ids = change_ids(ids);
        self.spawn(request, database, Request::number, |database| async move {
            database.discard_parked(ids?).await.map(|count| count as f64)
        });
    }

    pub(crate) fn notify(&self, request: u64, database: u32, event: &str) {
        let known: Result<fn(&Database)> = match event {
            "foreground" => Ok(Database::foreground),
            "background" => Ok(Database::background),
            "active" => Ok(Database::active),
            "networkLost" => Ok(Database::network_lost),
            "metered" => Ok(|database| database.metered(true)),
            "unmetered" => Ok(|database| database.metered(false)),
            "batteryLow" => Ok(|database| database.battery_low(true)),
            "batteryOk" => Ok(|database| database.battery_low(false)),
            "networkRegained" => Ok(Database::network_regained),
            "credentialsChanged" => Ok(Database::credentials_changed),
            _ => Err(bad_argument(
                "notify: event must be foreground, background, active, networkRegained, networkLost, metered, unmetered, \
                 batteryLow, batteryOk or credentialsChanged",
            )),
        };
        self.spawn(request, database, Request::done, |database| {
            let told = known.map(|tell| tell(&database));
            let settled = database.settled();
            async move {
                settled.await;
                told
            }
        });
    }

    pub(crate) fn prepare_for_suspend(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::done, |database| async move { database.prepare_for_suspend().await });
    }

    pub(crate) fn import_result(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::text, |database| async move {
            serde_json::to_string(&database.imported())
                .map_err(|e| SyncError::new(ErrorCode::Internal, format!("the import could not be told: {e}")))
        });
    }

    pub(crate) fn rekey(&self, request: u64, database: u32, key: &str) {
        let key = Key::from_json(key);
        self.spawn(request, database, Request::done, |database| async move { database.rekey(key?).await });
    }

    pub(crate) fn resume(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::done, |database| async move { database.resume().await });
    }

    /// The database stays known until it has ended, because the last push may ask for credentials.
    pub(crate) fn sign_out(&self, request: u64, database: u32, policy: &str, timeout_ms: u64) {
        let policy = match policy {
            "keep" => Ok(OnSignOut::Keep),
            "clearWhenSynced" => Ok(OnSignOut::ClearWhenSynced),
            "clear" => Ok(OnSignOut::Clear),
            _ => Err(bad_argument("signOut: policy must be keep, clearWhenSynced or clear")),
        };
        let databases = self.databases.clone();
        self.spawn(request, database, Request::flag, move |open| async move {
            let outcome = open.sign_out(policy?, Duration::from_millis(timeout_ms)).await;
            if outcome.is_err() {
                open.close().await;
            }
            lock(&databases).open.remove(&database);
            outcome
        });
    }

    pub(crate) fn fetch_changes(&self, request: u64, database: u32, since: &str) {
        let since = (!since.is_empty()).then(|| since.to_owned());
        self.spawn(request, database, Request::text, |database| async move {
            database.fetch_changes(since.as_deref()).await
        });
    }

    pub(crate) fn health(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::text, |database| async move { database.health().await });
    }

    pub(crate) fn populate(&self, request: u64, database: u32) {
        self.spawn(request, database, Request::text, |database| async move { database.populate().await });
    }

    pub(crate) fn status(&self, database: u32) -> String {
        catch_unwind(AssertUnwindSafe(|| match self.database(database) {
            Ok(database) => database.status().to_json(),
            Err(_) => Status::default().to_json(),
        }))
        .unwrap_or_else(|_| Status::default().to_json())
    }

    pub(crate) fn provide_credentials(&self, database: u32, request: u64, credentials: &str, error: &str) {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            endpoint: String,
            token: String,
            expires_at: Option<f64>,
        }
        /// `code`: `Network`, or any other for `CredentialsFailed`.
        #[derive(serde::Deserialize)]
        struct Failure {
            code: String,
            message: String,
        }
        let Ok(database) = self.database(database) else { return };
        guarded(|| {
            let answer = if error.is_empty() {
                serde_json::from_str::<Option<Wire>>(credentials)
                    // serde's message could quote the text, and with it the token
                    .map_err(|_| {
                        "the answer must be { endpoint: string, token: string, expiresAt?: Date } or null".to_owned()
                    })
                    .and_then(|wire| {
                        wire.map(|w| Credentials::new(&w.endpoint, w.token, w.expires_at.map(|ms| ms as i64)))
                            .transpose()
                            .map_err(|e| e.message)
                    })
            } else {
                match serde_json::from_str::<Failure>(error) {
                    Ok(Failure { code, message }) if code == "Network" => {
                        return database.credentials_unreachable(request, &message);
                    }
                    Ok(Failure { message, .. }) => Err(message),
                    Err(_) => Err("the error must be { code: string, message: string }".to_owned()),
                }
            };
            database.provide_credentials(request, answer);
        });
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let open = {
            let mut databases = lock(&self.databases);
            databases.closed = true;
            std::mem::take(&mut databases.open)
        };
        if let (false, Ok(runtime)) = (open.is_empty(), runtime()) {
            guarded(|| {
                runtime.block_on(async {
                    for database in open.into_values() {
                        database.close().await;
                    }
                });
            });
        }
    }
}
