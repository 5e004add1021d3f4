//! How a server is to run. The same settings serve the command line and tests that embed a server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::schema::Schema;

/// All settings of a server. `Config::default()` is what `omnii-server` without flags does.
#[derive(Debug, Clone)]
pub struct Config {
    /// Default 127.0.0.1.
    pub host: IpAddr,
    /// 0 lets the system choose (see `Running::addr`). Default 8787.
    pub port: u16,
    /// Default: memory.
    pub database: Database,
    /// Default: the three tables of protocol 1.
    pub schema: Schema,
    /// Fill the demo user with this many rows, unless the database already has that user. Default: do not.
    pub seed: Option<u32>,
    /// Largest request body; more is answered 413. Default 5 MiB.
    pub body_limit_bytes: usize,
    /// Life of an access token. Default 3600.
    pub token_lifetime_s: u32,
    /// For how long the refresh token just replaced still works. Default 10 s, as GoTrue's.
    pub refresh_reuse_interval: Duration,
    /// Key of the JWTs; `None`: random, kept in the database. Default `None`.
    pub jwt_secret: Option<String>,
    /// How dear a password hash is. Default [`PasswordCost::Standard`].
    pub password_cost: PasswordCost,
    /// How long a graceful stop waits for requests in flight. Default 5 s.
    pub shutdown_grace: Duration,
    /// Default: the machine's clock.
    pub clock: Clock,
}

/// Where the rows live.
#[derive(Debug, Clone)]
pub enum Database {
    /// Gone when the server stops.
    Memory,
    /// A SQLite file, made if absent.
    File(PathBuf),
}

/// The cost of argon2id. A hash remembers its own cost, so that both kinds can be verified by any server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCost {
    /// The crate's recommended parameters (19 MiB, two passes).
    Standard,
    /// The cheapest allowed. For tests only.
    Test,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8787,
            database: Database::Memory,
            schema: Schema::default(),
            seed: None,
            body_limit_bytes: 5 * 1024 * 1024,
            token_lifetime_s: 3600,
            refresh_reuse_interval: Duration::from_secs(10),
            jwt_secret: None,
            password_cost: PasswordCost::Standard,
            shutdown_grace: Duration::from_secs(5),
            clock: Clock::system(),
        }
    }
}

impl Config {
    /// For tests: port 0, memory, cheap password hashes; otherwise the defaults.
    pub fn test() -> Self {
        Self { port: 0, password_cost: PasswordCost::Test, ..Self::default() }
    }

    /// The same on a file.
    pub fn on_file(self, path: impl Into<PathBuf>) -> Self {
        Self { database: Database::File(path.into()), ..self }
    }

    /// The same on this port.
    pub fn on_port(self, port: u16) -> Self {
        Self { port, ..self }
    }
}
