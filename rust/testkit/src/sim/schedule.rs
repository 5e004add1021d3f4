//! The schedule of a simulation: everything that will be done, generated up front from the seed.
//!
//! Each step carries randomness of its own and chooses rows when it runs, so that a schedule from which steps were removed
//! still means something: that is what makes shrinking work.

use super::rng::Rng;
pub use omnii_sync_core::ConflictPolicy as Policy;
use omnii_sync_engine::SyncOptions;

/// What a simulation is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where it came from.
    pub seed: u64,
    /// What holds for its whole length.
    pub setting: Setting,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// What holds for a whole simulation.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Index of the user of each client; 0 for most.
    pub users: Vec<usize>,
    /// The knobs of all clients.
    pub sync: SyncOptions,
    /// Whose version prevails, by table.
    pub policies: [Policy; 3],
    /// How far the backend's clock is ahead of the devices'.
    pub skew_ms: i64,
    /// How long tokens live.
    pub token_life_ms: u64,
    /// Longest way of a request or an answer.
    pub latency_ms: u64,
    /// Rows on the backend at the beginning, per table.
    pub rows: u64,
}

/// One thing that is done.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its place in the schedule as generated; names what it writes.
    pub id: usize,
    /// Virtual time before it.
    pub wait_ms: u64,
    /// The client concerned.
    pub client: usize,
    /// What.
    pub act: Act,
    /// Seed of its own choices.
    pub seed: u64,
}

/// See [`Step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The app writes in one transaction.
    Write,
    /// The app opens a transaction and leaves it open for a while, then commits or rolls back.
    LongTransaction,
    /// `connect()`.
    Connect,
    /// `disconnect()`.
    Disconnect,
    /// `triggerSync()`.
    Trigger,
    /// `uploadData()`.
    Upload,
    /// `clearAndReconnect()`.
    Clear,
    /// What the device, the user or the app tells: foreground and background, network, battery, credentials.
    Wake,
    /// The process dies and starts again.
    Kill,
    /// The process dies at one of its next requests or answers.
    KillAtRequest,
    /// The next requests meet a fault.
    Fault,
    /// The backend can't be reached for a while.
    Outage,
    /// The token is refused from now on; the app has another.
    ExpireToken,
    /// Nobody is signed in for a while.
    SignedOut,
    /// `reconcile()`.
    Reconcile,
    /// The app looks at its parked changes, tries some again or gives them up.
    Parked,
    /// `prepareForSuspend()`, things asked meanwhile, `resume()`, or the process dies before.
    Suspend,
    /// The user signs out and in again.
    SignOut,
    /// Another writer on the backend.
    ServerWrite,
    /// Many rows in one instant.
    ServerBulk,
    /// A transaction that began earlier commits.
    ServerLate,
    /// Another writer deletes.
    ServerDelete,
    /// Nothing for a while.
    Rest,
}

/// What is not part of a simulation unless it is switched on: what the engine is known not to stand yet. Nothing at present.
#[derive(Debug, Clone, Copy, Default)]
pub struct Features {}

impl Features {
    /// Everything.
    pub const ALL: Self = Self {};
}

impl Plan {
    /// The plan of a seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x5EED_0000_0000_0000);
        let clients = rng.between(2, 3) as usize;
        let users = (0..clients).map(|client| usize::from(client == clients - 1 && rng.percent(15))).collect();
        let setting = Setting {
            users,
            sync: SyncOptions {
                poll_interval_ms: *rng.pick(&[3_000, 10_000, 30_000]),
                upload_throttle_ms: *rng.pick(&[0, 50, 200, 2_000]),
                overlap_ms: *rng.pick(&[0, 2_000, 30_000]),
                page_limit: rng.weighted(&[(8, Some(1)), (17, Some(2)), (20, Some(3)), (25, Some(7)), (30, None)]),
                request_timeout_ms: *rng.pick(&[3_000, 10_000, 60_000]),
                max_backoff_ms: *rng.pick(&[2_000, 30_000, 300_000]),
                reconcile_interval_ms: *rng.pick(&[8_000, 60_000, 21_600_000]),
                ..SyncOptions::default()
            },
            policies: policies(&mut rng),
            skew_ms: *rng.pick(&[0, 0, -90_000, 3_600_000]),
            token_life_ms: *rng.pick(&[20_000, 3_600_000, 3_600_000]),
            latency_ms: *rng.pick(&[0, 5, 80, 700]),
            rows: rng.below(6),
        };
        let length = rng.between(10, 40) as usize;
        let mut steps: Vec<Step> = (0..length).map(|id| step(id, clients, &mut rng)).collect();
        // most apps connect when they start
        for (client, step) in steps.iter_mut().enumerate().take(clients) {
            if rng.percent(85) {
                (step.client, step.act) = (client, Act::Connect);
            }
        }
        Self { seed, setting, steps }
    }
}

fn policies(rng: &mut Rng) -> [Policy; 3] {
    let one = [(60, Policy::LastWriteWins), (20, Policy::ClientWins), (20, Policy::ServerWins)];
    // most apps don't say
    match rng.percent(60) {
        true => [Policy::LastWriteWins; 3],
        false => [(); 3].map(|()| rng.weighted(&one)),
    }
}

fn step(id: usize, clients: usize, rng: &mut Rng) -> Step {
    let act = rng.weighted(&[
        (40, Act::Write),
        (3, Act::LongTransaction),
        (3, Act::Connect),
        (3, Act::Disconnect),
        (6, Act::Trigger),
        (3, Act::Upload),
        (2, Act::Clear),
        (3, Act::Wake),
        (5, Act::Kill),
        (6, Act::KillAtRequest),
        (14, Act::Fault),
        (4, Act::Reconcile),
        (4, Act::Parked),
        (4, Act::Suspend),
        (2, Act::SignOut),
        (3, Act::Outage),
        (2, Act::ExpireToken),
        (2, Act::SignedOut),
        (7, Act::ServerWrite),
        (3, Act::ServerBulk),
        (3, Act::ServerLate),
        (3, Act::ServerDelete),
        (6, Act::Rest),
    ]);
    let longest = rng.weighted(&[(30, 0), (30, 30), (25, 800), (12, 8_000), (2, 70_000)]);
    let wait_ms = rng.between(0, longest);
    Step { id, wait_ms, client: rng.index(clients), act, seed: rng.number() }
}
