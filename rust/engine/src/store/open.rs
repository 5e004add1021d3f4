//! Opening a file: claims, pragmas, migrations of our tables, and bringing the app's tables to the schema.
//!
//! Everything that changes the file happens in one transaction: an open that fails leaves the file as it was.

use super::capture::{self, Capture};
use super::encryption::CurrentKey;
use super::sql_error::{damaged, open_error, sql_error};
use super::{Remembered, StoreObserver, StoreOptions, Writer, app_schema, ddl, import};
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, SyncError};
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Files open in this process, by canonical path.
static OPEN: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// Marks a file as open in this process until dropped.
#[derive(Debug)]
pub(super) struct Claim(PathBuf);

/// Claims the file, creating its directory. `AlreadyOpen` when it is open in this process.
pub(super) fn claim(path: &Path) -> Result<Claim> {
    let (directory, name) = match (path.parent(), path.file_name()) {
        (Some(directory), Some(name)) => (directory, name),
        _ => return Err(SyncError::new(ErrorCode::InvalidOptions, "filename must be the name of a file")),
    };
    let unwritable = |e: std::io::Error| {
        SyncError::new(
            ErrorCode::Unwritable,
            format!("the database directory can't be used ({}): choose one that the app may write to", e.kind()),
        )
    };
    std::fs::create_dir_all(directory).map_err(unwritable)?;
    let path = directory.canonicalize().map_err(unwritable)?.join(name);
    // the file itself may be a link to one that is open
    let path = path.canonicalize().unwrap_or(path);
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if !open.get_or_insert_default().insert(path.clone()) {
        return Err(SyncError::new(
            ErrorCode::AlreadyOpen,
            format!("'{}' is open already: share that Database, or close() it first", name.to_string_lossy()),
        ));
    }
    Ok(Claim(path))
}

impl Claim {
    /// The file, links resolved.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(open) = OPEN.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            open.remove(&self.0);
        }
    }
}

/// The default file name: from a hash of the user id, so that users never share a file and the id is not on disk.
pub fn file_name(user_id: &str) -> String {
    let hash = Sha256::digest(user_id.as_bytes());
    let hex: String = hash.iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("omnii-{hex}.db")
}

/// A connection with the settings that readers and the writer share.
pub(super) fn connection(path: &Path, key: &CurrentKey) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    key.give(&connection, path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// Opens the writing connection and brings the file to the schema.
pub(super) fn writer(
    options: &StoreOptions,
    key: &CurrentKey,
    observer: Arc<dyn StoreObserver>,
) -> Result<(Writer, Remembered)> {
    let failed = |e| open_error(e, &options.path);
    let connection = connection(&options.path, key).map_err(failed)?;
    key.check(&connection, &options.path)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(SyncError::new(
            ErrorCode::Unwritable,
            format!("SQLite can't use WAL in this directory (it chose {mode})"),
        ));
    }
    // NORMAL: a commit survives a crash of the app; a power cut may take the last commits but never the file's integrity
    connection.pragma_update(None, "synchronous", "normal").map_err(failed)?;
    connection.pragma_update(None, "recursive_triggers", true).map_err(failed)?;
    connection.pragma_update(None, "cache_size", -32_000).map_err(failed)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000).map_err(failed)?;
    connection.pragma_update(None, "journal_size_limit", 16 << 20).map_err(failed)?;

    let captured = Arc::new(Capture::default());
    capture::register(&connection, &options.schema, &captured).map_err(failed)?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    // an error drops the connection, which rolls back
    let remembered = prepare(&connection, options).map_err(|e| told_of_damage(e, &options.path))?;
    connection.execute_batch("COMMIT").map_err(failed)?;
    import::note(&connection, options);
    let writer =
        Writer::new(connection, options.schema.clone(), captured, observer, options.integers).map_err(failed)?;
    let counts = writer.counts();
    Ok((writer, Remembered { counts, ..remembered }))
}

/// Damage may show at any statement; the app is told the same whichever it was.
fn told_of_damage(error: SyncError, path: &Path) -> SyncError {
    match error.code {
        ErrorCode::CorruptDatabase => damaged(path, &error.message),
        _ => error,
    }
}

fn prepare(connection: &Connection, options: &StoreOptions) -> Result<Remembered> {
    migrate(connection, &options.path)?;
    check_user(connection, options)?;
    give_client_id(connection)?;
    app_schema::apply(connection, &options.schema)?;
    super::load::complete_indexes(connection, &options.schema)?;
    import::once(connection, options)?;
    // sent before this run: the first pull of this run may already prove them
    connection.execute("UPDATE omnii_outbox SET sent_pull = 0 WHERE state = 1", []).map_err(sql_error)?;
    let time = |key: &str| Ok(meta(connection, key)?.and_then(|text| text.parse().ok()));
    Ok(Remembered {
        last_synced_at_ms: time("last_synced_at_ms")?,
        last_reconciled_at_ms: time("last_reconciled_at_ms")?,
        imported: import::result(connection)?,
        ..Remembered::default()
    })
}

fn migrate(connection: &Connection, path: &Path) -> Result<()> {
    let version: u32 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|e| open_error(e, path))?;
    let version = version as usize;
    if version > ddl::MIGRATIONS.len() {
        return Err(SyncError::new(
            ErrorCode::SchemaMismatch,
            format!(
                "the file has format {version}, this version of the app knows up to {}: update the app, or open another file name",
                ddl::MIGRATIONS.len()
            ),
        ));
    }
    for migration in &ddl::MIGRATIONS[version..] {
        connection.execute_batch(migration).map_err(|e| open_error(e, path))?;
    }
    connection.pragma_update(None, "user_version", ddl::MIGRATIONS.len() as u32).map_err(sql_error)
}

/// Encrypts a file that is still plain if there is a key, unless it is another user's.
pub(super) fn encrypt_plain(options: &StoreOptions, key: &CurrentKey) -> Result<()> {
    key.encrypt_plain(&options.path, |connection| {
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'omnii_meta')";
        let is_ours: bool =
            connection.query_row(sql, [], |row| row.get(0)).map_err(|e| open_error(e, &options.path))?;
        if is_ours { refuse_others(connection, options) } else { Ok(()) }
    })
}

fn check_user(connection: &Connection, options: &StoreOptions) -> Result<()> {
    match meta(connection, "user")? {
        None => set_meta(connection, "user", &file_name(&options.user_id)),
        Some(_) => refuse_others(connection, options),
    }
}

fn refuse_others(connection: &Connection, options: &StoreOptions) -> Result<()> {
    match meta(connection, "user")? {
        Some(stored) if stored == file_name(&options.user_id) => Ok(()),
        None => Ok(()),
        Some(_) => Err(SyncError::new(
            ErrorCode::UserMismatch,
            "the file holds another user's data: leave filename out, so that each user has a file, or choose another",
        )),
    }
}

/// A random UUID (version 4), made once per file; SQLite's generator is seeded by the operating system.
fn give_client_id(connection: &Connection) -> Result<()> {
    connection
        .execute(
            "INSERT INTO omnii_meta (key, value) SELECT 'client_id', substr(r, 1, 8) || '-' || substr(r, 9, 4) || '-4' || substr(r, 14, 3) \
               || '-' || substr('89ab', 1 + (random() & 3), 1) || substr(r, 18, 3) || '-' || substr(r, 21, 12) \
             FROM (SELECT lower(hex(randomblob(16))) AS r) WHERE true ON CONFLICT DO NOTHING",
            [],
        )
        .map(drop)
        .map_err(sql_error)
}

pub(super) fn meta(connection: &Connection, key: &str) -> Result<Option<String>> {
    connection
        .query_row("SELECT value FROM omnii_meta WHERE key = ?", [key], |row| row.get(0))
        .optional()
        .map_err(sql_error)
}

pub(super) fn set_meta(connection: &Connection, key: &str, value: &str) -> Result<()> {
    connection
        .execute(
            "INSERT INTO omnii_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [key, value],
        )
        .map(|_| ())
        .map_err(sql_error)
}
