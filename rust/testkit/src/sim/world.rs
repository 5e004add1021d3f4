//! What all parts of a simulation share: time, the backend, the way to it, and what each device was told.
//!
//! Everything runs on one thread, so the lock is never waited for; it is never held across an await.

use super::backend::{Backend, Row};
use super::fault::Armed;
use super::rng::Rng;
use super::schedule::{Features, Setting};
use super::trace::Trace;
use omnii_sync_engine::clock::Clock;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// When simulations begin: 2026-01-26T10:11:12Z in ms.
pub const BEGIN_MS: i64 = 1_769_422_272_000;

/// A version of a row that a device was told of; `None`: that there is none.
pub type Version = Option<Arc<Row>>;

/// When a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Before a request leaves.
    BeforeRequest,
    /// When the backend has done it, before the answer is there.
    BeforeAnswer,
    /// With the answer, after so many other turns of the runtime.
    AfterAnswer(u8),
}

/// One device's side of the world, across its restarts.
#[derive(Debug, Default)]
pub struct Device {
    /// Number of the process.
    pub generation: u64,
    /// The process has died and was not started again yet.
    pub dead: bool,
    /// It has been suspended: it must not stir.
    pub suspended: bool,
    /// The database file of this process.
    pub path: PathBuf,
    /// Length of the write-ahead log when something last became visible outside: what is behind it can be lost.
    pub wal_mark: u64,
    /// Faults that wait for requests.
    pub armed: VecDeque<Armed>,
    /// Bad rows that answers held since this was last looked at.
    pub bad_rows: usize,
    /// Dies at the n-th request from now.
    pub dies: Option<(u32, Death)>,
    /// Nobody is signed in before this time.
    pub signed_out_until_ms: u64,
    /// Versions per row that may be the newest one applied, oldest first. A row that is not here: none.
    pub told: BTreeMap<(usize, String), Vec<Version>>,
    /// Rows of changes that the app gave up, and when: a request planned before may still leave.
    pub given_up: BTreeMap<(usize, String), u64>,
    /// How often `clearAndReconnect` ran, or the file was deleted.
    pub clears: u64,
}

/// See the module's documentation.
pub struct World {
    /// The model.
    pub backend: Backend,
    /// The devices.
    pub devices: Vec<Device>,
    /// Chance on the network.
    pub rng: Rng,
    /// What happened.
    pub trace: Trace,
    /// What holds throughout.
    pub setting: Setting,
    /// What is part of it.
    pub features: Features,
    /// The backend can't be reached before this time.
    pub outage_until_ms: u64,
    /// Tokens by user: the current one and when it ends.
    pub tokens: BTreeMap<usize, (String, u64)>,
    /// Calls that were not answered yet.
    pub unanswered: usize,
    /// Requests that will still reach the backend.
    pub travelling: usize,
    minted: u64,
}

/// A shared [`World`].
pub struct Shared {
    world: Mutex<World>,
    begin: Instant,
    /// A process has died.
    pub died: Notify,
}

impl Shared {
    /// A world at its beginning; call it inside the runtime whose time it goes by.
    pub fn new(seed: u64, setting: Setting, features: Features, keep_trace: bool) -> Arc<Self> {
        let devices = setting.users.iter().map(|_| Device::default()).collect();
        let begin_us = (BEGIN_MS + setting.skew_ms) * 1000;
        let world = World {
            backend: Backend::new(begin_us, true),
            features,
            devices,
            rng: Rng::new(seed ^ 0x0E70_0000_0000_0000),
            trace: Trace::new(keep_trace),
            setting,
            outage_until_ms: 0,
            tokens: BTreeMap::new(),
            unanswered: 0,
            travelling: 0,
            minted: 0,
        };
        Arc::new(Self { world: Mutex::new(world), begin: Instant::now(), died: Notify::new() })
    }

    /// The world, its backend's clock set to now.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = (BEGIN_MS + world.setting.skew_ms) * 1000 + self.now_ms() as i64 * 1000;
        world.backend.set_now(now_us);
        world
    }

    /// Virtual ms since the beginning.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes a line in the trace.
    pub fn note(&self, line: impl FnOnce() -> String) {
        let now_ms = self.now_ms();
        self.lock().trace.note(now_ms, line);
    }

    /// Notes a violated invariant.
    pub fn fail(&self, why: impl FnOnce() -> String) {
        let now_ms = self.now_ms();
        self.lock().trace.fail(now_ms, why);
    }

    /// Ends it: what was noted.
    pub fn finish(&self) -> Trace {
        std::mem::take(&mut self.lock().trace)
    }
}

impl World {
    /// A user's id.
    pub fn user(index: usize) -> String {
        format!("{:08x}-0000-4000-8000-00000000000{index}", 0xABCD_0000_u32)
    }

    /// A token that the backend takes, and when it ends.
    pub fn token(&mut self, user: usize, now_ms: u64) -> (String, u64) {
        if let Some((token, ends)) = self.tokens.get(&user)
            // enough for the way of the request it is asked for
            && *ends > now_ms + self.setting.latency_ms
        {
            return (token.clone(), *ends);
        }
        self.minted += 1;
        let fresh = (format!("token-{user}-{}", self.minted), now_ms + self.setting.token_life_ms);
        self.backend.admit(&fresh.0, &Self::user(user));
        self.tokens.insert(user, fresh.clone());
        fresh
    }

    /// Refuses tokens that have ended.
    pub fn expire_tokens(&mut self, now_ms: u64) {
        for (token, ends) in self.tokens.values() {
            if *ends <= now_ms {
                self.backend.expel(token);
            }
        }
    }

    /// Refuses the user's token before its time.
    pub fn revoke(&mut self, user: usize) {
        if let Some((token, _)) = self.tokens.remove(&user) {
            self.backend.expel(&token);
        }
    }
}

/// The devices' clock.
pub struct SimClock(pub Arc<Shared>);

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        BEGIN_MS + self.0.now_ms() as i64
    }
}
