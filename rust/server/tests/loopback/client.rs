//! A started server with one signed-in user, and requests to it.

use omnii_sync_server::{Config, Running, Server};
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

pub struct Client {
    pub server: Running,
    pub user: String,
    pub token: String,
    pub http: reqwest::Client,
}

/// Status and JSON body (`Null` if it is not JSON).
pub type Answer = (u16, Value);

pub fn http() -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

pub async fn start() -> Client {
    start_with(Config::test()).await
}

pub async fn start_with(config: Config) -> Client {
    let server = Server::start(config).await.unwrap();
    let user = server.backend().create_user("ada@example.com", "secret-1").unwrap();
    let token = server.backend().mint_token(&user).unwrap();
    Client { server, user, token, http: http() }
}

impl Client {
    /// A second user of the same server: id and token.
    pub fn second_user(&self) -> (String, String) {
        let backend = self.server.backend();
        let user = backend.create_user("eve@example.com", "secret-2").unwrap();
        let token = backend.mint_token(&user).unwrap();
        (user, token)
    }

    pub async fn get_as(&self, token: &str, path: &str) -> reqwest::Result<reqwest::Response> {
        self.http.get(format!("{}{path}", self.server.url())).bearer_auth(token).send().await
    }

    pub async fn get(&self, path: &str) -> Answer {
        read(self.get_as(&self.token, path).await.unwrap()).await
    }

    pub async fn sync(&self, query: &str) -> Value {
        let (status, body) = self.get(&format!("/api/powersync/sync?{query}")).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub async fn post_as(&self, token: &str, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.server.url())).bearer_auth(token);
        let response = request.header(CONTENT_TYPE, "application/json").body(body).send().await?;
        Ok(read(response).await)
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.post_as(&self.token, path, body).await.unwrap()
    }

    /// Uploads `changes` as they are written, and returns `results`.
    pub async fn upload(&self, changes: &str) -> Value {
        let (status, body) = self.post("/api/powersync/upload", format!(r#"{{"changes":{changes}}}"#)).await;
        assert_eq!(status, 200, "{body}");
        body["results"].clone()
    }

    /// Uploads one PUT and asserts that it was "successful", as refused ones are, too.
    pub async fn put(&self, table: &str, data: Value) {
        let changes = format!(r#"{{"{table}":[{{"type":"PUT","id":"ignored","data":{data}}}]}}"#);
        let results = self.upload(&changes).await;
        assert_eq!(results[table], serde_json::json!({ "success": 1, "errors": [] }), "{changes}");
    }

    pub fn row(&self, table: &str, id: &str) -> Option<Value> {
        self.server.backend().row(&self.user, table, id).unwrap()
    }

    pub fn count(&self, table: &str) -> u64 {
        self.server.backend().count(&self.user, table).unwrap()
    }
}

pub async fn read(response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// A UUID that is easy to read.
pub fn id(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

pub fn task(n: u32, name: &str) -> Value {
    serde_json::json!({ "id": id(n), "entity_type": "task", "name": name })
}
