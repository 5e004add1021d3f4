//! A world for tests: the reference backend with one user, and a directory for that user's devices.

use crate::{Device, SCHEMA};
use omnii_sync_server::{Config, Route, Running, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Long enough that only what a test asks for happens.
pub const QUIET: &str = r#"{"pollIntervalMs":3600000,"uploadThrottleMs":3600000}"#;
/// Everything soon, by itself.
pub const LIVELY: &str = r#"{"pollIntervalMs":50,"uploadThrottleMs":10,"maxBackoffMs":100}"#;

/// See the module's documentation. Its methods panic where a test could not go on.
pub struct World {
    /// The backend.
    pub server: Running,
    /// The user's id.
    pub user: String,
    /// Holds a directory for each device.
    pub directory: TempDir,
}

impl World {
    /// A running backend, empty.
    pub async fn new() -> Self {
        Self::with(Config::test()).await
    }

    /// The same with other settings.
    pub async fn with(config: Config) -> Self {
        let server = Server::start(config).await.expect("the server starts");
        let user = server.backend().create_user("ada@example.com", "secret-123").expect("a new user");
        Self { server, user, directory: tempfile::tempdir().expect("a directory") }
    }

    /// A device of the user, signed in. The same name opens the same file.
    pub fn device(&self, name: &str, sync: &str) -> Device {
        self.device_with(name, sync, SCHEMA)
    }

    /// The same with another schema.
    pub fn device_with(&self, name: &str, sync: &str, schema: &str) -> Device {
        let directory = self.directory.path().join(name);
        let device = Device::open_with(&directory, &self.user, sync, schema).expect("the device opens");
        device.sign_in(&self.server.api_url(), &self.server.backend().mint_token(&self.user).expect("a token"));
        device
    }

    /// The same with another schema, of an app that uploads by itself.
    pub fn device_that_uploads(&self, name: &str, sync: &str, schema: &str) -> Device {
        let directory = self.directory.path().join(name);
        let device = Device::open_custom(&directory, &self.user, sync, schema).expect("the device opens");
        device.sign_in(&self.server.api_url(), &self.server.backend().mint_token(&self.user).expect("a token"));
        device
    }

    /// A new row in `sync_entities`, written on the backend; answers its id.
    pub fn entity(&self, name: &str) -> String {
        let row = json!({"entity_type":"task","name":name,"properties":{"a":[1,{"b":"ü"}]}});
        self.server.backend().upsert(&self.user, "sync_entities", row).expect("a row")
    }

    /// A row as the backend has it.
    pub fn row(&self, table: &str, id: &str) -> Option<Value> {
        self.server.backend().row(&self.user, table, id).expect("the row is read")
    }

    /// Bodies of the uploads since the last call.
    pub fn uploads(&self) -> Vec<Value> {
        self.server
            .traffic()
            .take_recorded()
            .into_iter()
            .filter(|r| r.route == Route::Upload)
            .map(|r| serde_json::from_str(&r.body).expect("an upload is JSON"))
            .collect()
    }
}
