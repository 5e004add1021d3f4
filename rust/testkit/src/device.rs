//! A device: a directory, a user, an open [`Database`] with real transport and clock, and what it told its observer.

use omnii_sync_engine::credentials::Credentials;
use omnii_sync_engine::{
    Changes, Database, DatabaseObserver, Environment, OpenOptions, Parameter, Rows, Status, StatusKind, SyncError,
};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// The contract's three tables as an app declares them (docs/protocol.md).
pub const SCHEMA: &str = r#"{"tables":[
  {"name":"sync_entities","columns":[{"name":"user_id","type":"text"},{"name":"entity_type","type":"text"},{"name":"name","type":"text"},
   {"name":"properties","type":"json"},{"name":"source_id","type":"text"},{"name":"created_at","type":"text"},{"name":"updated_at","type":"text"}],
   "indexes":[{"name":"by_type","columns":["entity_type"]},{"name":"by_source","columns":["source_id"]}],"required":["entity_type","name"]},
  {"name":"sync_events","columns":[{"name":"user_id","type":"text"},{"name":"summary","type":"text"},{"name":"description","type":"text"},
   {"name":"start_time","type":"text"},{"name":"end_time","type":"text"},{"name":"location","type":"text"},{"name":"google_event_id","type":"text"},
   {"name":"attendees","type":"json"},{"name":"created_at","type":"text"},{"name":"updated_at","type":"text"}]},
  {"name":"sync_relationships","columns":[{"name":"user_id","type":"text"},{"name":"from_entity_id","type":"text"},{"name":"to_entity_id","type":"text"},
   {"name":"relationship_type","type":"text"},{"name":"properties","type":"json"},{"name":"created_at","type":"text"},{"name":"updated_at","type":"text"}],
   "parents":["sync_entities"],"required":["from_entity_id","to_entity_id","relationship_type"]}]}"#;

/// What the app answers to a request for credentials.
pub type Answer = Result<Option<(String, String)>, String>;

struct Observer {
    database: OnceLock<Weak<Database>>,
    answer: Mutex<Option<Answer>>,
    status: watch::Sender<Status>,
    tables: Mutex<Vec<Vec<String>>>,
    uploads: mpsc::UnboundedSender<u64>,
}

impl DatabaseObserver for Observer {
    fn status_changed(&self, status: &Status) {
        self.status.send_replace(status.clone());
    }
    fn tables_changed(&self, changes: &Changes) {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).push(changes.names());
    }
    fn credentials_requested(&self, request: u64) {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(database), Some(answer)) = (self.database.get().and_then(Weak::upgrade), answer) else { return };
        let answer = answer.and_then(|pair| {
            pair.map(|(endpoint, token)| Credentials::new(&endpoint, token, None).map_err(|e| e.message)).transpose()
        });
        database.provide_credentials(request, answer);
    }
    fn upload_requested(&self, request: u64) {
        // the device may be gone
        let _ = self.uploads.send(request);
    }
}

/// See the module's documentation.
pub struct Device {
    /// The engine.
    pub database: Arc<Database>,
    observer: Arc<Observer>,
    /// Requests to upload, of an app that does so by itself.
    pub uploads: tokio::sync::Mutex<mpsc::UnboundedReceiver<u64>>,
}

impl Device {
    /// Opens `directory`'s database of `user_id` with the contract's schema; `sync` is the JSON of the `sync` option.
    pub fn open(directory: &Path, user_id: &str, sync: &str) -> Result<Self, SyncError> {
        Self::open_with(directory, user_id, sync, SCHEMA)
    }

    /// The same with another schema.
    pub fn open_with(directory: &Path, user_id: &str, sync: &str, schema: &str) -> Result<Self, SyncError> {
        Self::open_as(directory, user_id, sync, schema, false)
    }

    /// The same for an app that uploads by itself: it is asked by [`Self::uploads`].
    pub fn open_custom(directory: &Path, user_id: &str, sync: &str, schema: &str) -> Result<Self, SyncError> {
        Self::open_as(directory, user_id, sync, schema, true)
    }

    /// As [`Self::open`], taking in the PowerSync database at `from`.
    pub fn open_importing(directory: &Path, user_id: &str, sync: &str, from: &Path) -> Result<Self, SyncError> {
        Self::open_json(&format!(
            r#"{{"schema":{SCHEMA},"userId":{user_id:?},"directory":{:?},"sync":{sync},"importFrom":{:?}}}"#,
            directory.to_string_lossy(),
            from.to_string_lossy()
        ))
    }

    fn open_as(directory: &Path, user_id: &str, sync: &str, schema: &str, custom: bool) -> Result<Self, SyncError> {
        Self::open_json(&format!(
            r#"{{"schema":{schema},"userId":{user_id:?},"directory":{:?},"sync":{sync},"customUpload":{custom}}}"#,
            directory.to_string_lossy()
        ))
    }

    fn open_json(json: &str) -> Result<Self, SyncError> {
        let (asked, uploads) = mpsc::unbounded_channel();
        let options = OpenOptions::from_json(json, || unreachable!("a directory is given"))?;
        let observer = Arc::new(Observer {
            database: OnceLock::new(),
            answer: Mutex::new(None),
            status: watch::Sender::new(Status::default()),
            tables: Mutex::default(),
            uploads: asked,
        });
        let environment = Environment::real(tokio::runtime::Handle::current())?;
        let database = Arc::new(Database::open(options, environment, observer.clone())?);
        database.set_table_events(true);
        observer.database.set(Arc::downgrade(&database)).expect("set once");
        Ok(Self { database, observer, uploads: tokio::sync::Mutex::new(uploads) })
    }

    /// What the app answers from now on; without it requests for credentials hang.
    pub fn answer_with(&self, answer: Answer) {
        *self.observer.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    /// Signs in: from now on the app answers with this token.
    pub fn sign_in(&self, endpoint: &str, token: &str) {
        self.answer_with(Ok(Some((endpoint.to_owned(), token.to_owned()))));
    }

    /// Runs one statement on the writer.
    pub async fn execute(&self, sql: &str) -> Result<Rows, SyncError> {
        let (send, receive) = oneshot::channel();
        self.database.execute(0, sql.to_owned(), vec![], move |rows| drop(send.send(rows)));
        receive.await.expect("settled once")
    }

    /// Reads all cells as text; NULL is `NULL`.
    pub async fn read(&self, sql: &str) -> Vec<Vec<String>> {
        let (send, receive) = oneshot::channel();
        self.database.query(sql.to_owned(), vec![], move |rows| drop(send.send(rows)));
        let rows: Rows = receive.await.expect("settled once").expect(sql);
        let text = |cell| match cell {
            Parameter::Null => "NULL".to_owned(),
            Parameter::Integer(i) => i.to_string(),
            Parameter::Real(r) => format!("{r:?}"),
            Parameter::Text(t) => t,
            Parameter::Blob(b) => format!("{b:?}"),
        };
        (0..rows.len()).map(|r| (0..rows.columns.len()).map(|c| text(rows.cell(r, c))).collect()).collect()
    }

    /// Waits for a published status that fits. Panics after 20 s with the last one. What is published may lag behind the
    /// writes whose calls have been answered; the snapshot does not, so it must fit as well.
    pub async fn wait_for(&self, mut what: impl FnMut(&Status) -> bool) -> Status {
        let mut receiver = self.observer.status.subscribe();
        let fits = async {
            loop {
                let status = receiver.wait_for(&mut what).await.expect("the observer lives").clone();
                if what(&self.database.status()) {
                    return status;
                }
                receiver.changed().await.expect("the observer lives");
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), fits).await {
            Ok(status) => status,
            Err(_) => panic!("the awaited status did not come; last: {:?}", self.database.status()),
        }
    }

    /// The word of the current status.
    pub fn kind(&self) -> StatusKind {
        self.database.status().kind()
    }

    /// Takes the change events seen so far.
    pub fn take_events(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut *self.observer.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
