//! Opening the database. Owns the connection's settings, the numbered forward-only migrations of the server's own
//! tables (`omnii_meta`, `omnii_users`, `omnii_sessions`), the creation of the synced tables, and what a database
//! remembers about itself: the schema it was made with and its JWT secret. It refuses a file made with another schema.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::config::Database;
use crate::ddl;
use crate::errors::StartError;
use crate::schema::Schema;

/// Each entry brings `PRAGMA user_version` from its index to the next. Never edit one that has shipped.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE omnii_meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;

    -- Instants are microseconds since 1970.
    CREATE TABLE omnii_users (
        id TEXT NOT NULL PRIMARY KEY,
        email TEXT NOT NULL UNIQUE,           -- trimmed, lower case
        password_hash TEXT NOT NULL,          -- PHC string (argon2id)
        user_metadata TEXT NOT NULL,          -- JSON object
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        last_sign_in_at INTEGER
    ) STRICT;

    -- One row per sign-in. Signing out deletes it. The refresh token is derived from id and counter, never stored.
    CREATE TABLE omnii_sessions (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES omnii_users (id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        refresh_counter INTEGER NOT NULL,     -- of the token that is valid now
        rotated_at INTEGER NOT NULL,          -- when that token was made
        refresh_revoked INTEGER NOT NULL      -- 1 after the reuse of an old token
    ) STRICT;
    CREATE INDEX omnii_sessions_user ON omnii_sessions (user_id);
"];

/// Opens (and on first use makes) the database.
pub(crate) fn open(database: &Database, schema: &Schema) -> Result<Connection, StartError> {
    let path = match database {
        Database::Memory => ":memory:".to_owned(),
        Database::File(path) => path.display().to_string(),
    };
    let fail = |source| StartError::Database { path: path.clone(), source };
    let mut connection = match database {
        Database::Memory => Connection::open_in_memory(),
        Database::File(path) => Connection::open(path),
    }
    .map_err(fail)?;
    configure(&connection).map_err(fail)?;
    migrate(&mut connection).map_err(fail)?;
    let same_schema = create_tables(&mut connection, schema).map_err(fail)?;
    if same_schema { Ok(connection) } else { Err(StartError::OtherSchema(path)) }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;",
    )
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (next_version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(next_version, _)| *next_version > version) {
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "user_version", next_version)?;
    }
    tx.commit()
}

/// False, and nothing done, if the database was made with another schema.
fn create_tables(connection: &mut Connection, schema: &Schema) -> rusqlite::Result<bool> {
    let fingerprint = schema.fingerprint();
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match meta(&tx, "schema")? {
        Some(known) => return Ok(known == fingerprint),
        None => set_meta(&tx, "schema", &fingerprint)?,
    }
    for table in schema.tables() {
        tx.execute_batch(&ddl::create_table(table))?;
        for (_, sql) in ddl::indexes(table) {
            tx.execute_batch(&sql)?;
        }
    }
    tx.commit()?;
    Ok(true)
}

/// The database's own JWT secret, made on first use.
pub(crate) fn jwt_secret(connection: &Connection) -> rusqlite::Result<Vec<u8>> {
    if let Some(text) = meta(connection, "jwt_secret")? {
        return Ok(text.into_bytes());
    }
    let text = BASE64.encode(rand::random::<[u8; 32]>());
    set_meta(connection, "jwt_secret", &text)?;
    Ok(text.into_bytes())
}

fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT value FROM omnii_meta WHERE key = ?1", [key], |row| row.get(0)).optional()
}

fn set_meta(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO omnii_meta (key, value) VALUES (?1, ?2)", params![key, value]).map(drop)
}
