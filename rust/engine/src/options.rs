//! What `openDatabase` hands down, read from JSON and checked.

use crate::store::{Integers, Key, StoreOptions};
use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use omnii_sync_core::{Schema, SyncOptions};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Checked options.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// File, schema and user.
    pub store: StoreOptions,
    /// The knobs of syncing.
    pub sync: SyncOptions,
    /// The app uploads itself: the push of a round asks it ([`crate::DatabaseObserver::upload_requested`]) and sends nothing.
    pub custom_upload: bool,
}

impl OpenOptions {
    /// Reads the JSON that js/types.ts calls `NativeOpenOptions`:
    /// `{schema, userId, directory?, filename?, sync?, customUpload?, bigIntegers?, importFrom?, encryptionKey?}`.
    /// `default_directory` is where files go when the app names no directory.
    pub fn from_json(json: &str, default_directory: impl FnOnce() -> Result<PathBuf>) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Wire {
            schema: Box<serde_json::value::RawValue>,
            user_id: String,
            directory: Option<PathBuf>,
            filename: Option<String>,
            #[serde(default)]
            sync: Option<SyncOptions>,
            #[serde(default)]
            custom_upload: bool,
            #[serde(default)]
            big_integers: Option<BigIntegers>,
            #[serde(default)]
            import_from: Option<PathBuf>,
            // read apart: what serde says of a value may quote it
            #[serde(default)]
            encryption_key: Option<Box<serde_json::value::RawValue>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        enum BigIntegers {
            Bigint,
            Error,
        }
        let invalid = |message: String| SyncError::new(ErrorCode::InvalidOptions, message);
        let wire: Wire = serde_json::from_str(json).map_err(|e| invalid(format!("the options can't be read: {e}")))?;
        let schema = Schema::from_json(wire.schema.get())?;
        if wire.user_id.is_empty() {
            return Err(invalid("userId must not be empty".into()));
        }
        let sync = wire.sync.unwrap_or_default();
        sync.validate()?;
        let name = match wire.filename {
            None => crate::store::file_name(&wire.user_id),
            Some(name) if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) => {
                return Err(invalid(
                    "filename must be the name of a file without a path; use directory for the path".into(),
                ));
            }
            Some(name) => name,
        };
        let directory = match wire.directory {
            Some(directory) if directory.as_os_str().is_empty() => {
                return Err(invalid("directory must not be empty".into()));
            }
            Some(directory) => directory,
            None => default_directory()?,
        };
        let integers = match wire.big_integers {
            None | Some(BigIntegers::Bigint) => Integers::Whole,
            Some(BigIntegers::Error) => Integers::Exact,
        };
        let path = directory.join(name);
        let import_from = match wire.import_from {
            Some(from) if from.file_name().is_none() => {
                return Err(invalid("importFrom must name a file".into()));
            }
            from => from.map(|from| directory.join(from)),
        };
        if import_from.as_ref() == Some(&path) {
            return Err(invalid("importFrom names this database's own file".into()));
        }
        let key = wire.encryption_key.map(|given| Key::from_json(given.get())).transpose()?;
        let store =
            StoreOptions { integers, import_from, key, ..StoreOptions::new(path, Arc::new(schema), wire.user_id) };
        Ok(Self { store, sync, custom_upload: wire.custom_upload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(extra: &str) -> Result<OpenOptions> {
        let json = format!(r#"{{"schema":{{"tables":[{{"name":"t","columns":[]}}]}},"userId":"u"{extra}}}"#);
        OpenOptions::from_json(&json, || Ok("/data".into()))
    }

    #[test]
    fn defaults_and_names() {
        let options = parse("").unwrap();
        let name = options.store.path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("omnii-") && name.ends_with(".db") && !name.contains("u."), "{name}");
        assert_eq!(options.sync, SyncOptions::default());
        assert_eq!(parse(r#","directory":"/d","filename":"x.db""#).unwrap().store.path, PathBuf::from("/d/x.db"));
        assert_eq!(parse(r#","bigIntegers":"bigint""#).unwrap().store.integers, Integers::Whole);
        assert_eq!(parse(r#","bigIntegers":"error""#).unwrap().store.integers, Integers::Exact);
        assert_eq!(parse(r#","sync":{"pageLimit":7}"#).unwrap().sync.page_limit, Some(7));
        let import = |extra: &str| parse(extra).unwrap().store.import_from;
        assert_eq!(import(r#","importFrom":"old.db""#), Some(PathBuf::from("/data/old.db")));
        assert_eq!(import(r#","importFrom":"/elsewhere/old.db","directory":"/d""#), Some("/elsewhere/old.db".into()));
        assert_eq!((import(""), parse("").unwrap().store.key), (None, None));
        assert_eq!((options.custom_upload, parse(r#","customUpload":true"#).unwrap().custom_upload), (false, true));
    }

    #[test]
    fn refusals() {
        for (extra, code) in [
            (r#","filename":"../x""#, ErrorCode::InvalidOptions),
            (r#","filename":"""#, ErrorCode::InvalidOptions),
            (r#","directory":"""#, ErrorCode::InvalidOptions),
            (r#","sync":{"pageLimit":0}"#, ErrorCode::InvalidOptions),
            (r#","sync":{"pollMs":1}"#, ErrorCode::InvalidOptions),
            (r#","bigIntegers":"number""#, ErrorCode::InvalidOptions),
            (r#","filename":"x.db","importFrom":"x.db""#, ErrorCode::InvalidOptions),
            (r#","importFrom":"..""#, ErrorCode::InvalidOptions),
            (
                r#","encryptionKey":"secret""#,
                if cfg!(feature = "sqlcipher") { ErrorCode::InvalidOptions } else { ErrorCode::Unsupported },
            ),
            (r#","wat":1"#, ErrorCode::InvalidOptions),
        ] {
            let error = parse(extra).unwrap_err();
            assert_eq!(error.code, code, "{extra}");
            assert!(!error.message.contains("secret"), "{error}");
        }
    }
}
