//! The server's data, for the routes and for tests that embed a server and play "another device". Owns the one SQLite
//! connection behind a mutex (no await ever happens under it), the clock, the schema and the keys. All methods block
//! for the time of a SQLite statement; async code goes through [`Backend::blocking`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use crate::auth::jwt::JwtKey;
use crate::auth::password::Passwords;
use crate::auth::{AccessDenied, sessions, users};
use crate::clock::Clock;
use crate::config::Config;
use crate::db;
use crate::errors::{BackendError, StartError};
use crate::rows::{self, WriteError};
use crate::schema::{Schema, Table};
use crate::seed;
use crate::timestamps;

/// A handle on the server's data; clones share it. Outlives the server: a clone kept after `Running::stop` keeps the
/// database open.
#[derive(Clone)]
pub struct Backend(Arc<Inner>);

struct Inner {
    connection: Mutex<Connection>,
    schema: Schema,
    clock: Clock,
    key: JwtKey,
    passwords: Passwords,
    token_lifetime_s: u32,
    refresh_reuse_interval: Duration,
}

impl Backend {
    /// Opens the database as `config` says; `issuer` is the auth service's URL, as tokens name it.
    pub(crate) fn open(config: &Config, issuer: &str) -> Result<Self, StartError> {
        let connection = db::open(&config.database, &config.schema)?;
        let secret = match &config.jwt_secret {
            Some(secret) => secret.clone().into_bytes(),
            None => db::jwt_secret(&connection).map_err(BackendError::from)?,
        };
        Ok(Self(Arc::new(Inner {
            connection: Mutex::new(connection),
            schema: config.schema.clone(),
            clock: config.clock.clone(),
            key: JwtKey::new(&secret, issuer),
            passwords: Passwords::new(config.password_cost),
            token_lifetime_s: config.token_lifetime_s,
            refresh_reuse_interval: config.refresh_reuse_interval,
        })))
    }

    /// Runs `work` on a thread where blocking is allowed.
    pub async fn blocking<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> T + Send + 'static,
    {
        let backend = self.clone();
        match tokio::task::spawn_blocking(move || work(&backend)).await {
            Ok(value) => value,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => std::future::pending().await, // the runtime is shutting down; nobody waits for the answer
            },
        }
    }

    /// Runs `work` on the SQLite connection. Everything else waits meanwhile: `work` must not call the backend.
    pub fn with_connection<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> T {
        work(&mut self.lock())
    }

    /// The schema of the synced tables.
    pub fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// The server's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn key(&self) -> &JwtKey {
        &self.0.key
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(crate) fn token_lifetime_s(&self) -> u32 {
        self.0.token_lifetime_s
    }

    pub(crate) fn refresh_reuse_interval(&self) -> Duration {
        self.0.refresh_reuse_interval
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while it was held rolled its transaction back on the way out, so the connection is sound.
        self.0.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a user and returns the id.
    pub fn create_user(&self, email: &str, password: &str) -> Result<String, BackendError> {
        let hash = self.passwords().hash(password)?;
        users::insert(&self.lock(), None, email, &hash, &Value::Object(Default::default()), self.0.clock.now_us())
            .map(|user| user.id)
    }

    /// The id of the user with this email address.
    pub fn user_id(&self, email: &str) -> Result<Option<String>, BackendError> {
        Ok(users::by_email(&self.lock(), email)?.map(|user| user.id))
    }

    /// An access token of a new session, with the configured lifetime.
    pub fn mint_token(&self, user_id: &str) -> Result<String, BackendError> {
        self.mint_token_for(user_id, i64::from(self.0.token_lifetime_s))
    }

    /// An access token of a new session that lives `lifetime_s` seconds; not positive: it has already expired.
    pub fn mint_token_for(&self, user_id: &str, lifetime_s: i64) -> Result<String, BackendError> {
        let connection = self.lock();
        let user = users::by_id(&connection, user_id)?.ok_or(BackendError::UnknownUser)?;
        let now_us = self.0.clock.now_us();
        let session = sessions::insert(&connection, &user.id, now_us)?;
        Ok(self.key().sign_access(&user, &session.id, now_us, lifetime_s).token)
    }

    /// Ends all of the user's sessions: their access and refresh tokens are refused from now on.
    pub fn revoke_sessions(&self, user_id: &str) -> Result<(), BackendError> {
        Ok(sessions::delete_all(&self.lock(), user_id)?)
    }

    /// The user that an access token speaks for, or why it does not.
    pub(crate) fn authenticate(&self, token: &str) -> Result<crate::auth::Access, AccessDenied> {
        crate::auth::authenticate(self, token)
    }

    /// Upserts the columns in `row` (a JSON object) as an upload's PUT would, with the next `updated_at`; returns the
    /// row's id. What an upload would swallow is an error here.
    pub fn upsert(&self, user_id: &str, table: &str, row: Value) -> Result<String, BackendError> {
        self.put(user_id, table, row, None)
    }

    /// As [`Backend::upsert`], with a given `updated_at` (ISO 8601): a late commit, or one instant for many rows.
    pub fn upsert_at(&self, user_id: &str, table: &str, row: Value, updated_at: &str) -> Result<String, BackendError> {
        let stamp_us = timestamps::parse_us(updated_at)
            .ok_or_else(|| BackendError::Refused("updated_at is not an ISO 8601 timestamp".into()))?;
        self.put(user_id, table, row, Some(stamp_us))
    }

    /// Upserts many rows in one transaction that share one `updated_at`, as one server transaction's rows do
    /// (protocol 1, sync 3); returns that `updated_at`. All or nothing.
    pub fn upsert_together(&self, user_id: &str, table: &str, all: Vec<Value>) -> Result<String, BackendError> {
        let table = self.table(table)?;
        let mut connection = self.lock();
        let stamp_us = self.0.clock.stamp_us();
        let tx = connection.transaction()?;
        for row in all {
            put_row(&tx, table, user_id, row, stamp_us)?;
        }
        tx.commit()?;
        Ok(timestamps::canonical(stamp_us))
    }

    /// Deletes the user's row; true if there was one.
    pub fn delete(&self, user_id: &str, table: &str, id: &str) -> Result<bool, BackendError> {
        let table = self.table(table)?;
        Ok(rows::delete(&self.lock(), table, user_id, &Value::from(id))?)
    }

    /// The user's row, as the protocol shows it.
    pub fn row(&self, user_id: &str, table: &str, id: &str) -> Result<Option<Value>, BackendError> {
        let table = self.table(table)?;
        Ok(rows::find(&self.lock(), table, user_id, id)?.map(|bytes| parsed(&bytes)))
    }

    /// All of the user's rows in the order of `updated_at`, as the protocol shows them.
    pub fn rows(&self, user_id: &str, table: &str) -> Result<Vec<Value>, BackendError> {
        let table = self.table(table)?;
        let mut bytes = Vec::new();
        rows::write_page(&self.lock(), table, user_id, None, u32::MAX, &mut bytes)?;
        match parsed(&bytes) {
            Value::Array(rows) => Ok(rows),
            _ => unreachable!("write_page writes an array"),
        }
    }

    /// How many rows the user has in the table.
    pub fn count(&self, user_id: &str, table: &str) -> Result<u64, BackendError> {
        let table = self.table(table)?;
        let sql = format!("SELECT count(*) FROM {} WHERE \"user_id\" = ?1", crate::ddl::quoted(&table.name));
        let count: i64 = self.lock().query_row(&sql, [user_id], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Fills the user with `count` deterministic rows (see the module `seed`), in one transaction.
    pub fn seed(&self, user_id: &str, count: u32) -> Result<(), BackendError> {
        seed::fill(self, user_id, count)
    }

    pub(crate) fn table(&self, name: &str) -> Result<&Table, BackendError> {
        self.0.schema.table(name).ok_or_else(|| BackendError::UnknownTable(name.to_owned()))
    }

    /// `stamp_us` `None`: the next one, taken under the lock, so that stamps are in the order of the commits.
    fn put(&self, user_id: &str, table: &str, row: Value, stamp_us: Option<i64>) -> Result<String, BackendError> {
        let connection = self.lock();
        let stamp_us = stamp_us.unwrap_or_else(|| self.0.clock.stamp_us());
        put_row(&connection, self.table(table)?, user_id, row, stamp_us)
    }
}

fn put_row(
    connection: &Connection,
    table: &Table,
    user_id: &str,
    row: Value,
    stamp_us: i64,
) -> Result<String, BackendError> {
    let Value::Object(data) = row else {
        return Err(BackendError::Refused("a row is a JSON object".into()));
    };
    Ok(rows::put(connection, table, user_id, &data, stamp_us)?)
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("rows are written as JSON")
}

impl From<WriteError> for BackendError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusal) => Self::Refused(refusal.0),
            WriteError::Database(error) => Self::Database(error),
        }
    }
}
