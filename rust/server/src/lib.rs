//! The reference backend of `@omnii/sync`: protocol 1 of `docs/protocol.md` with all its quirks, dev auth that
//! `@supabase/supabase-js` works against, on embedded SQLite. It imports nothing of the engine. The binary
//! `omnii-server` is a thin command line over this library; tests embed it:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use omnii_sync_server::{Config, Fault, Route, Server};
//!
//! let server = Server::start(Config::test()).await?;
//! let user = server.backend().create_user("ada@example.com", "secret-1")?;
//! let token = server.backend().mint_token(&user)?; // for Authorization: Bearer …, at server.api_url()
//! let row = serde_json::json!({ "entity_type": "task", "name": "from another device" });
//! let id = server.backend().upsert(&user, "sync_entities", row)?;
//! server.faults().next(Route::Sync, 1, Fault::status(503));
//! assert_eq!(server.backend().count(&user, "sync_entities")?, 1);
//! server.stop().await;
//! # let _ = (token, id);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod auth;
mod backend;
mod clock;
mod config;
mod db;
mod ddl;
mod errors;
mod faults;
mod faulty;
mod gate;
mod health;
mod http;
mod ordered;
mod populate;
mod rows;
mod schema;
mod seed;
mod serve;
mod sync;
mod timestamps;
mod traffic;
mod upload;
mod values;

pub use backend::Backend;
pub use clock::Clock;
pub use config::{Config, Database, PasswordCost};
pub use errors::{BackendError, StartError};
pub use faults::{Answer, Fault, Faults, Rewrite};
pub use gate::Gate;
pub use schema::{Column, ColumnSpec, ColumnType, DEFAULT_CONFIG, OnDelete, Reference, Schema, Table};
pub use seed::{DEMO_EMAIL, DEMO_PASSWORD, DEMO_USER_ID};
pub use serve::{Running, Server};
pub use traffic::{Recorded, Route, Traffic};
