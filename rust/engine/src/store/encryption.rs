//! Encryption at rest with SQLCipher (feature `sqlcipher`): the key, and giving a file another one (docs/encryption.md).
//!
//! Guarantees: every connection is given the key before anything else; a file that can't be read with it is `WrongKey` and is
//! left as it is; a file gets another key, or its first one, by being written anew beside itself and put in its place in one
//! step, so that at every moment it is whole, with the old key or the new one. The key is in no error and in no log. Without
//! the feature no [`Key`] can be made.

use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use rusqlite::{Connection, ffi};
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

#[cfg(feature = "sqlcipher")]
mod derive;
#[cfg(feature = "sqlcipher")]
mod rewrite;

/// What every plain database begins with.
const PLAIN: &[u8] = b"SQLite format 3\0";

/// SQLCipher's page, of which encrypted files are made.
const PAGE: u64 = 4096;

/// What a file is encrypted with, as `PRAGMA key` takes it. Overwritten in memory when it is dropped; SQLite has copies.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<String>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Reads `{"passphrase": text}` or `{"raw": 64 hex digits}`.
    ///
    /// # Errors
    /// `Unsupported` where the engine was built without encryption; `InvalidOptions`.
    pub fn from_json(json: &str) -> Result<Self> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        enum Wire {
            Passphrase(String),
            Raw(String),
        }
        if !cfg!(feature = "sqlcipher") {
            return Err(SyncError::new(
                ErrorCode::Unsupported,
                "encryptionKey: this build of the engine has no encryption; build it with the feature 'sqlcipher'",
            ));
        }
        // serde's message could quote the key
        let invalid =
            || SyncError::new(ErrorCode::InvalidOptions, "encryptionKey must be a non-empty string or 32 bytes");
        match serde_json::from_str(json).map_err(|_| invalid())? {
            Wire::Passphrase(text) => {
                let text = Zeroizing::new(text);
                if text.is_empty() || text.contains('\0') { Err(invalid()) } else { Ok(Self(text)) }
            }
            Wire::Raw(hex) => {
                let hex = Zeroizing::new(hex);
                let is_raw = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
                if is_raw { Ok(Self(Zeroizing::new(format!("x'{}'", *hex)))) } else { Err(invalid()) }
            }
        }
    }

    #[cfg(feature = "sqlcipher")]
    fn of_bytes(bytes: &[u8; 32]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(3 + 2 * bytes.len()));
        text.push_str("x'");
        for byte in bytes {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or_default());
            }
        }
        text.push('\'');
        Self(text)
    }

    /// Whether it is the key itself; SQLCipher knows them by their form, too.
    #[cfg(feature = "sqlcipher")]
    fn is_raw(&self) -> bool {
        self.0.starts_with("x'") && self.0.ends_with('\'') && matches!(self.0.len(), 67 | 99)
    }

    #[cfg(feature = "sqlcipher")]
    fn give(&self, connection: &Connection) -> rusqlite::Result<()> {
        // it would write of wrong keys to stderr and to the device's log; the error says it
        connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
        connection.pragma_update(None, "key", self.0.as_str())
    }
}

/// The key that the file has now: shared by all who open connections to it, since it may change.
#[derive(Clone, Default, Debug)]
pub(super) struct CurrentKey(Arc<RwLock<Option<Key>>>, #[cfg(feature = "sqlcipher")] Arc<derive::Derived>);

impl CurrentKey {
    pub(super) fn new(key: Option<Key>) -> Self {
        Self(
            Arc::new(RwLock::new(key)),
            #[cfg(feature = "sqlcipher")]
            Arc::default(),
        )
    }

    /// Gives the key to a connection to the file at `path` that has just been made.
    #[cfg(feature = "sqlcipher")]
    pub(super) fn give(&self, connection: &Connection, path: &Path) -> rusqlite::Result<()> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Some(key) => self.1.of(key, path).as_ref().unwrap_or(key).give(connection),
            None => Ok(()),
        }
    }

    #[cfg(not(feature = "sqlcipher"))]
    pub(super) fn give(&self, _: &Connection, _: &Path) -> rusqlite::Result<()> {
        Ok(())
    }

    /// Reads the file for the first time: with another key it is no database at all.
    pub(super) fn check(&self, connection: &Connection, path: &Path) -> Result<()> {
        let read = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0));
        let Err(error) = read else { return Ok(()) };
        let has_key = self.0.read().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_no_database(&error) && !is_plain(path) && (has_key || looks_encrypted(path)) {
            // closing must not tidy up what it could not read
            let _ = connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            return Err(wrong_key(path, has_key));
        }
        Err(super::sql_error::open_error(error, path))
    }

    /// Encrypts a plain file if there is a key; `owned` says whether it is the user's. Nobody may have the file open.
    #[cfg(feature = "sqlcipher")]
    pub(super) fn encrypt_plain(&self, path: &Path, owned: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(key) = key else { return Ok(()) };
        rewrite::forget(path);
        if !is_plain(path) {
            return Ok(());
        }
        rewrite::rewrite(path, None, &key, owned)?;
        tracing::info!("the database file is encrypted from now on");
        Ok(())
    }

    /// Gives the file another key, or its first one. Nobody may have the file open.
    #[cfg(feature = "sqlcipher")]
    pub(super) fn change(&self, path: &Path, to: Key) -> Result<()> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        rewrite::rewrite(path, current.as_ref(), &to, |_| Ok(()))?;
        *current = Some(to);
        tracing::info!("the database file has another key from now on");
        Ok(())
    }

    #[cfg(not(feature = "sqlcipher"))]
    pub(super) fn encrypt_plain(&self, _: &Path, _: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
        Ok(())
    }

    #[cfg(not(feature = "sqlcipher"))]
    pub(super) fn change(&self, _: &Path, _: Key) -> Result<()> {
        Err(super::internal("a key in a build without encryption"))
    }
}

/// What a rewrite that was cut short has left; nobody needs it.
pub(super) const UNFINISHED: &str = ".encrypting";

fn is_no_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code & 0xff == ffi::SQLITE_NOTADB)
}

fn is_plain(path: &Path) -> bool {
    let mut head = [0; 16];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head == *PLAIN
}

/// Encrypted data looks like nothing at all; but it comes in whole pages.
fn looks_encrypted(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.len() > 0 && m.len() % PAGE == 0)
}

fn wrong_key(path: &Path, has_key: bool) -> SyncError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let why = match has_key {
        true => "can't be read with this encryptionKey: it has another one",
        false => "can't be read without its encryptionKey: it is encrypted",
    };
    SyncError::new(ErrorCode::WrongKey, format!("'{name}' {why}, or is damaged. It was left untouched"))
}
