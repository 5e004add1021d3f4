//! `omnii-server`: the command line of the reference backend. The first line on stdout is JSON with the address, for
//! scripts; everything else goes to stderr. SIGTERM or SIGINT stops it: requests in flight finish, for a few seconds.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use omnii_sync_server::{Config, DEMO_EMAIL, DEMO_PASSWORD, Database, Running, Schema, Server, StartError};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The reference backend of @omnii/sync: protocol 1 and dev auth on embedded SQLite.
///
/// The first line on stdout is JSON: {"url", "api", "pid", "demo": {"email", "password", "userId"} | null}.
/// Logs go to stderr (RUST_LOG=debug shows each request).
#[derive(Parser)]
#[command(name = "omnii-server", version)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 lets the system choose.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// SQLite file, made if absent, or :memory:.
    #[arg(long, default_value = ":memory:", value_name = "FILE")]
    database: PathBuf,
    /// JSON file with the tables; default: the three of protocol 1 (see rust/server/config.example.json).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Fill the demo user demo@omnii.dev (password omnii-demo) with this many rows, unless the database has that user.
    #[arg(long, value_name = "ROWS")]
    seed: Option<u32>,
    /// Largest request body; more is answered 413.
    #[arg(long, default_value_t = Config::default().body_limit_bytes, value_name = "BYTES")]
    body_limit_bytes: usize,
    /// Life of an access token.
    #[arg(long, default_value_t = Config::default().token_lifetime_s, value_name = "SECONDS")]
    token_lifetime_s: u32,
    /// Key of the access tokens (HS256); default: random, kept in the database.
    #[arg(long, env = "OMNII_JWT_SECRET", hide_env_values = true, value_name = "TEXT")]
    jwt_secret: Option<String>,
    /// Protocol to speak; there is one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=1))]
    protocol: u8,
}

impl Arguments {
    fn into_config(self) -> Result<Config, StartError> {
        let memory = self.database.as_os_str() == ":memory:";
        Ok(Config {
            host: self.host,
            port: self.port,
            database: if memory { Database::Memory } else { Database::File(self.database) },
            schema: self.config.as_deref().map(Schema::from_file).transpose()?.unwrap_or_default(),
            seed: self.seed,
            body_limit_bytes: self.body_limit_bytes,
            token_lifetime_s: self.token_lifetime_s,
            jwt_secret: self.jwt_secret,
            ..Config::default()
        })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), StartError> {
    // Before the address is printed: a script may stop us as soon as it has read it.
    let stop = stop_signal();
    let server = Server::start(arguments.into_config()?).await?;
    if server.seeded() == Some(false) {
        tracing::warn!("the database already has {DEMO_EMAIL}: not seeded");
    }
    let line = json!({
        "url": server.url(),
        "api": server.api_url(),
        "pid": std::process::id(),
        "demo": demo(&server)?,
    });
    // Nobody has to read it; a closed stdout is no reason to stop.
    let mut stdout = std::io::stdout().lock();
    if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        tracing::warn!(%error, "cannot write the address to stdout");
    }
    drop(stdout);
    stop.await;
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}

fn demo(server: &Running) -> Result<Value, StartError> {
    let user_id = server.backend().user_id(DEMO_EMAIL)?;
    Ok(user_id
        .map_or(Value::Null, |user_id| json!({ "email": DEMO_EMAIL, "password": DEMO_PASSWORD, "userId": user_id })))
}

/// Listens from the call on; resolves with the first SIGTERM or SIGINT.
fn stop_signal() -> impl Future<Output = ()> {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened for once per process");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be listened for once per process");
    async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
