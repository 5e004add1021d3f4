//! The network between a device and the backend: a [`Transport`] with latency, faults, and processes that die in the
//! middle of a request.
//!
//! Once it has left, a request travels by itself: whoever gives up waiting does not call it back.

use super::backend::{Answer, Mischief, Origin, tables::table_index};
use super::client::die;
use super::fault::Fault;
use super::invariants;
use super::world::{Death, Shared, World};
use omnii_sync_engine::transport::{BoxFuture, HttpRequest, HttpResponse, Transport};
use omnii_sync_engine::{Database, ErrorCode, SyncError};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::oneshot;

/// The base of all URLs.
pub const ENDPOINT: &str = "http://sim.invalid/api/powersync";

/// One process's way to the backend.
pub struct Link {
    /// The world.
    pub shared: Arc<Shared>,
    /// Whose.
    pub client: usize,
    /// Which process of it.
    pub generation: u64,
    /// Set when it is open.
    pub database: Arc<OnceLock<Weak<Database>>>,
}

impl Transport for Link {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, SyncError>> {
        Box::pin(self.exchange(request))
    }
}

fn network() -> SyncError {
    SyncError::new(ErrorCode::Network, "the simulated network lost it")
}

impl Link {
    fn is_dead(&self) -> bool {
        let world = self.shared.lock();
        world.devices[self.client].dead || world.devices[self.client].generation != self.generation
    }

    /// What a dead process waits for.
    async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, SyncError> {
        self.alive().await;
        if self.shared.lock().devices[self.client].suspended {
            self.shared.fail(|| format!("client {}: a request leaves though it is suspended", self.client));
        }
        let path = request.url.strip_prefix(ENDPOINT).unwrap_or_default().to_owned();
        let (fault, death) = self.fate(&request, &path);
        if death == Some(Death::BeforeRequest) {
            die(&self.shared, self.client);
            self.alive().await;
        }
        if let (Some(body), Some(database)) = (&request.body, self.database.get().and_then(Weak::upgrade)) {
            invariants::upload_is_pending(&self.shared, self.client, &database, body);
        }
        let (send, answer) = oneshot::channel();
        let timeout = request.timeout;
        let (shared, client, way) = (self.shared.clone(), self.client, path.clone());
        tokio::spawn(async move {
            shared.lock().travelling += 1;
            travel(&shared, client, request, way, fault, send).await;
            shared.lock().travelling -= 1;
        });
        let answer = tokio::time::timeout(timeout, answer).await;
        self.alive().await;
        if death == Some(Death::BeforeAnswer) {
            die(&self.shared, self.client);
            self.alive().await;
        }
        if let Some(Death::AfterAnswer(turns)) = death {
            let (shared, client, generation) = (self.shared.clone(), self.client, self.generation);
            tokio::spawn(async move {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                if shared.lock().devices[client].generation == generation {
                    die(&shared, client);
                }
            });
        }
        let result = match answer {
            Err(_) => Err(SyncError::new(ErrorCode::Timeout, "the simulated backend did not answer in time")),
            Ok(Err(_)) => Err(network()),
            Ok(Ok((answer, retry_after_ms))) => {
                self.told(&answer);
                Ok(HttpResponse { status: answer.status, retry_after_ms, body: answer.body })
            }
        };
        self.shared.note(|| {
            let outcome = match &result {
                Ok(response) => response.status.to_string(),
                Err(error) => format!("{:?}", error.code),
            };
            format!("client {}:   answer to {path}: {outcome}", self.client)
        });
        result
    }

    /// The fault and the death that this request meets.
    fn fate(&self, request: &HttpRequest, path: &str) -> (Option<Fault>, Option<Death>) {
        let now_ms = self.shared.now_ms();
        let mut world = self.shared.lock();
        let outage = now_ms < world.outage_until_ms;
        let device = &mut world.devices[self.client];
        let mut fault = None;
        if outage {
            fault = Some(Fault::Lost);
        } else if let Some(at) = device.armed.iter().position(|armed| armed.fault.fits(request.method)) {
            let armed = &mut device.armed[at];
            if armed.skip > 0 {
                armed.skip -= 1;
            } else {
                fault = Some(armed.fault);
                armed.left -= 1;
                if armed.left == 0 {
                    device.armed.remove(at);
                }
            }
        }
        let death = match &mut device.dies {
            Some((0, death)) => {
                let death = *death;
                device.dies = None;
                Some(death)
            }
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        world.trace.note(now_ms, || {
            let body = request.body.as_deref().map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default();
            let fault = fault.map(|f| format!(" [{f:?}]")).unwrap_or_default();
            let death = death.map(|d| format!(" [{d:?}]")).unwrap_or_default();
            format!("client {}: {path} {body}{fault}{death}", self.client)
        });
        (fault, death)
    }

    /// Remembers what the device has been told, and what it could have concluded.
    fn told(&self, answer: &Answer) {
        let mut world = self.shared.lock();
        let World { backend, devices, .. } = &mut *world;
        devices[self.client].bad_rows += answer.bad_rows;
        let told = &mut devices[self.client].told;
        for ((table, id), versions) in told.iter_mut().filter(|((table, _), _)| answer.tables.contains(table)) {
            // a sweep may not find it, either because it is gone or because it moved back behind the sweep's back
            let hidden = backend.row(*table, id).is_some_and(|row| row.too_late);
            let gone = hidden || !backend.history().was_there(*table, id, answer.seq);
            if gone && versions.last().is_some_and(Option::is_some) {
                versions.push(None);
            }
        }
        for (table, id, row) in &answer.rows {
            let versions = told.entry((*table, id.clone())).or_insert_with(|| vec![None]);
            if versions.last() != Some(&Some(row.clone())) {
                versions.push(Some(row.clone()));
            }
        }
        for (table, id) in &answer.deleted {
            let versions = told.entry((*table, id.clone())).or_insert_with(|| vec![None]);
            if versions.last() != Some(&None) {
                versions.push(None);
            }
        }
    }
}

/// A request on its way. Dropping `answer` without an answer is a lost connection.
async fn travel(
    shared: &Shared,
    client: usize,
    request: HttpRequest,
    path: String,
    fault: Option<Fault>,
    answer: oneshot::Sender<(Answer, Option<u64>)>,
) {
    let (there_ms, back_ms, later_ms, cut) = {
        let mut world = shared.lock();
        let latency = world.setting.latency_ms;
        (world.rng.between(0, latency), world.rng.between(0, latency), world.rng.between(1, 5_000), world.rng.number())
    };
    let ms = Duration::from_millis;
    tokio::time::sleep(ms(there_ms)).await;
    let mut mischief = Mischief::default();
    match fault {
        Some(Fault::Lost) => return,
        Some(Fault::Silence) => return answer_never(answer).await,
        Some(Fault::Late) => {
            tokio::time::sleep(request.timeout + ms(later_ms)).await;
        }
        Some(Fault::Status(status, retry_after)) => {
            tokio::time::sleep(ms(back_ms)).await;
            let body = br#"{"error":"simulated","message":"simulated"}"#.to_vec();
            // whoever asked may be gone
            let _ = answer.send((Answer { status, body, ..Answer::default() }, retry_after.map(|s| s * 1000)));
            return;
        }
        Some(Fault::Portal) => {
            let body = b"<!doctype html><title>Sign in</title>".to_vec();
            let _ = answer.send((Answer { status: 200, body, ..Answer::default() }, None));
            return;
        }
        Some(Fault::MissingTable) => {
            let name = path.split("tables=").nth(1).and_then(|rest| rest.split('&').next());
            mischief.missing_table = name.and_then(table_index);
        }
        Some(Fault::BadRows(seed)) => mischief.bad_rows = Some(seed),
        Some(Fault::Swallowed(rest)) => mischief.swallow = Some(rest),
        Some(Fault::Throws) => mischief.throws = true,
        Some(Fault::AnswerLost | Fault::SilenceAfter | Fault::Twice | Fault::TwiceLater | Fault::Truncated) | None => {}
    }
    let process = || {
        let now_ms = shared.now_ms();
        let mut world = shared.lock();
        world.expire_tokens(now_ms);
        world.backend.handle(&path, &request.token, request.body.as_deref(), Origin::Client(client), mischief)
    };
    let mut done = process();
    if fault == Some(Fault::Twice) {
        process();
    }
    tokio::time::sleep(ms(back_ms)).await;
    match fault {
        Some(Fault::AnswerLost) => return,
        Some(Fault::SilenceAfter) => return answer_never(answer).await,
        Some(Fault::Truncated) => {
            done.body.truncate((cut % done.body.len().max(1) as u64) as usize);
            done.rows.clear();
            done.deleted.clear();
        }
        _ => {}
    }
    // whoever asked may be gone
    let _ = answer.send((done, None));
    if fault == Some(Fault::TwiceLater) {
        tokio::time::sleep(ms(later_ms)).await;
        process();
    }
}

async fn answer_never(mut answer: oneshot::Sender<(Answer, Option<u64>)>) {
    answer.closed().await;
}
