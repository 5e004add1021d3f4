//! The life of a server: listening, serving each connection in its own task, and the end of it, graceful or abrupt.
//! Connections are served here rather than by `axum::serve` so that a test can cut a single one, and so that stopping
//! can wait for requests in flight and still end in time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower_service::Service as _;

use crate::backend::Backend;
use crate::config::Config;
use crate::errors::StartError;
use crate::faults::Faults;
use crate::faulty::Connection;
use crate::http::{AppState, router};
use crate::seed;
use crate::traffic::Traffic;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause after a failed accept (out of file descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A server that is listening. Dropping it is [`Running::kill`] without the waiting.
pub struct Running {
    /// The address it listens on, with the real port.
    pub addr: SocketAddr,
    backend: Backend,
    faults: Faults,
    traffic: Traffic,
    seeded: Option<bool>,
    phase: watch::Sender<Phase>,
    accepting: JoinHandle<()>,
}

/// In the order in which they are reached; some are skipped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Phase {
    Serving,
    /// No new requests; those in flight may finish.
    Draining,
    /// Everything is cut.
    Killed,
}

impl Server {
    /// Opens the database, seeds it if asked to, and listens. Must be called within a tokio runtime with IO and time.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let wanted = SocketAddr::new(config.host, config.port);
        let bind_error = |source| StartError::Bind { addr: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(bind_error)?;
        let addr = listener.local_addr().map_err(bind_error)?;
        let issuer = format!("{}/auth/v1", url(addr));
        let opening = config.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let backend = Backend::open(&opening, &issuer)?;
            let seeded = opening.seed.map(|count| seed::demo_user(&backend, count)).transpose()?;
            Ok::<_, StartError>((backend, seeded))
        });
        let (backend, seeded) = opened.await.expect("opening the database does not panic")?;
        let (faults, traffic) = (Faults::default(), Traffic::default());
        let state = AppState {
            backend: backend.clone(),
            faults: faults.clone(),
            traffic: traffic.clone(),
            body_limit_bytes: config.body_limit_bytes,
        };
        let (phase, seen) = watch::channel(Phase::Serving);
        let accepting = tokio::spawn(accept(listener, router(state), seen, config.shutdown_grace));
        tracing::info!(%addr, "listening");
        Ok(Running { addr, backend, faults, traffic, seeded, phase, accepting })
    }
}

impl Running {
    /// `http://127.0.0.1:PORT`: what supabase-js' `createClient` takes.
    pub fn url(&self) -> String {
        url(self.addr)
    }

    /// `http://127.0.0.1:PORT/api/powersync`: the protocol's base.
    pub fn api_url(&self) -> String {
        format!("{}/api/powersync", self.url())
    }

    /// The data, to reach into.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The faults, to order some.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The counters and records.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// `None`: no seed was asked for. `Some(false)`: the database had the demo user already and was left alone.
    pub fn seeded(&self) -> Option<bool> {
        self.seeded
    }

    /// Stops listening, lets requests in flight finish (for at most `Config::shutdown_grace`), closes all connections
    /// and, unless a clone of the backend is kept, the database. The port is free afterwards.
    pub async fn stop(mut self) {
        self.end(Phase::Draining).await;
    }

    /// As a crash would end it: every connection is cut at once. What is committed stays.
    pub async fn kill(mut self) {
        self.end(Phase::Killed).await;
    }

    async fn end(&mut self, phase: Phase) {
        self.phase.send_replace(phase);
        if let Err(error) = (&mut self.accepting).await {
            tracing::error!(%error, "the accept loop failed");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Killed);
    }
}

/// The URL to reach `addr` at: an unspecified address is reached at loopback.
fn url(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, addr.port()))
}

async fn accept(listener: TcpListener, router: Router, phase: watch::Receiver<Phase>, grace: Duration) {
    let mut connections = JoinSet::new();
    let mut ending = phase.clone();
    loop {
        tokio::select! {
            biased;
            _ = reached(&mut ending, Phase::Draining) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone(), phase.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    let finished = tokio::time::timeout(grace, all_done).await;
    if finished.is_err() {
        tracing::warn!(connections = connections.len(), "cut after the grace period");
        connections.shutdown().await;
    }
}

async fn serve(stream: TcpStream, router: Router, mut phase: watch::Receiver<Phase>) {
    // Without it small answers wait for the client's acknowledgement of the last one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "set_nodelay");
    }
    let cut = Arc::new(Notify::new());
    let handle = Connection(cut.clone());
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(handle.clone());
        router.clone().call(request)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut draining = false;
    loop {
        tokio::select! {
            biased;
            () = cut.notified() => return,
            reached = reached(&mut phase, if draining { Phase::Killed } else { Phase::Draining }) => {
                if reached == Phase::Killed {
                    return;
                }
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
        }
    }
}

/// Waits for `least` or a later phase, and tells which. A vanished sender is the end.
async fn reached(phase: &mut watch::Receiver<Phase>, least: Phase) -> Phase {
    phase.wait_for(|phase| *phase >= least).await.map_or(Phase::Killed, |phase| *phase)
}
