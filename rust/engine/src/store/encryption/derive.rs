//! The key of a passphrase, derived once for all connections.
//!
//! SQLCipher would do so for each connection by itself, and again after each time the app was suspended; it is meant to take
//! long. This is its own way (version 4: PBKDF2 with HMAC-SHA-512, 256,000 rounds, the file's first 16 bytes as salt), so
//! that the file can be opened with the passphrase by other programs, too.

use super::Key;
use ring::pbkdf2;
use std::io::Read;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

const ROUNDS: NonZeroU32 = NonZeroU32::new(256_000).expect("not zero");

/// What was derived last.
#[derive(Debug, Default)]
pub(super) struct Derived(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    passphrase: Key,
    salt: [u8; 16],
    raw: Key,
}

impl Derived {
    /// The key itself that `key` means for the file at `path`; `None` if it is one already, or the file has no salt yet.
    pub(super) fn of(&self, key: &Key, path: &Path) -> Option<Key> {
        if key.is_raw() {
            return None;
        }
        let mut salt = [0; 16];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut salt)).ok()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(known) if known.salt == salt && known.passphrase == *key => Some(known.raw.clone()),
            _ => {
                let mut bytes = Zeroizing::new([0; 32]);
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, ROUNDS, &salt, key.0.as_bytes(), &mut *bytes);
                let raw = Key::of_bytes(&bytes);
                *known = Some(Known { passphrase: key.clone(), salt, raw: raw.clone() });
                Some(raw)
            }
        }
    }
}
