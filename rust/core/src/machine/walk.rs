//! A seeded random walk: any sequence of inputs, sensible or not, keeps the promises of the module.
//!
//! A failure prints its seed; `OMNII_WALK_SEED=<seed>` runs that one alone.

use super::*;
use crate::status::{DownloadProgress, StatusKind};
use std::collections::{HashMap, HashSet};

/// Sebastiano Vigna's splitmix64.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn pulled(&mut self) -> Result<Pulled, RoundError> {
        self.result().map(|()| Pulled {
            refused_rows: self.below(3),
            warning: (self.below(4) == 0).then(|| SyncError::new(ErrorCode::ForeignRow, "walk")),
            swept: self.below(3) == 0,
            changed_rows: self.below(3) / 2,
        })
    }

    fn result(&mut self) -> Result<(), RoundError> {
        use ErrorCode as E;
        const CODES: [E; 10] = [
            E::Stalled,
            E::Network,
            E::Timeout,
            E::NoCredentials,
            E::Unauthorized,
            E::Server,
            E::BadResponse,
            E::Rejected,
            E::TableFailed,
            E::Internal,
        ];
        if self.below(2) == 0 {
            return Ok(());
        }
        let code = CODES[self.below(CODES.len() as u64) as usize];
        let retry_after_ms = (self.below(4) == 0).then(|| self.below(1_000_000));
        Err(RoundError { error: SyncError::new(code, "walk"), retry_after_ms })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum InFlight {
    Nothing,
    Push,
    Pull,
    Sweep,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wish {
    Trigger,
    Upload,
    Reconcile,
}

/// What an honest driver would know, kept beside the machine.
struct Model {
    in_flight: InFlight,
    timer: Option<i64>,
    connected: bool,
    suspended: bool,
    closed: bool,
    /// Pushes started so far; this numbers the rounds, too.
    pushes: u64,
    /// The last round of which a push, a pull, a sweep was complete.
    pushed: u64,
    pulled: u64,
    swept: u64,
    /// Open requests and how many pushes had been started when they were made.
    open: HashMap<RequestId, (Wish, u64)>,
    settled: HashSet<RequestId>,
    /// Why the last push, and the last pull or sweep, failed.
    upload_error: Option<SyncError>,
    download_error: Option<SyncError>,
    published: Status,
}

impl Model {
    fn new() -> Self {
        Self {
            in_flight: InFlight::Nothing,
            timer: None,
            connected: false,
            suspended: false,
            closed: false,
            pushes: 0,
            pushed: 0,
            pulled: 0,
            swept: 0,
            open: HashMap::new(),
            settled: HashSet::new(),
            upload_error: None,
            download_error: None,
            published: Status::default(),
        }
    }

    fn note(&mut self, input: &Input) {
        match input {
            Input::Connect => self.connected = true,
            Input::Disconnect => self.connected = false,
            Input::Suspend => self.suspended = true,
            Input::Resume => self.suspended = false,
            Input::Close => self.closed = true,
            Input::Timer => self.timer = None,
            Input::Trigger(id) => self.ask(*id, Wish::Trigger),
            Input::Upload(id) => self.ask(*id, Wish::Upload),
            Input::Reconcile(id) => self.ask(*id, Wish::Reconcile),
            Input::PushFinished(result) if self.in_flight == InFlight::Push => {
                self.in_flight = InFlight::Nothing;
                self.upload_error = result.as_ref().err().map(|e| e.error.clone());
                if result.is_ok() {
                    self.pushed = self.pushes;
                }
            }
            Input::PullFinished(result) if self.in_flight == InFlight::Pull => {
                self.in_flight = InFlight::Nothing;
                self.download_error = result.as_ref().err().map(|e| e.error.clone());
                if let Ok(pulled) = result {
                    self.pulled = self.pushes;
                    if pulled.swept {
                        self.swept = self.pushes;
                    }
                }
            }
            Input::ReconcileFinished(result) if self.in_flight == InFlight::Sweep => {
                self.in_flight = InFlight::Nothing;
                self.download_error = result.as_ref().err().map(|e| e.error.clone());
                if result.is_ok() {
                    self.swept = self.pushes;
                }
            }
            _ => {}
        }
    }

    fn ask(&mut self, id: RequestId, wish: Wish) {
        self.open.insert(id, (wish, self.pushes));
    }

    fn start(&mut self, what: InFlight) {
        assert_eq!(self.in_flight, InFlight::Nothing, "two things in flight");
        self.in_flight = what;
    }

    fn apply(&mut self, effects: &[Effect], status: &Status) {
        for effect in effects {
            match effect {
                Effect::StartPush => {
                    self.start(InFlight::Push);
                    self.pushes += 1;
                }
                Effect::StartPull => self.start(InFlight::Pull),
                Effect::StartReconcile => self.start(InFlight::Sweep),
                Effect::Cancel => {
                    assert_ne!(self.in_flight, InFlight::Nothing, "nothing to cancel");
                    self.in_flight = InFlight::Nothing;
                }
                Effect::SetTimer { at_ms } => {
                    assert_ne!(self.timer, Some(*at_ms), "set twice");
                    self.timer = Some(*at_ms);
                }
                Effect::ClearTimer => assert!(self.timer.take().is_some(), "no timer to clear"),
                Effect::Publish => {
                    assert_ne!(*status, self.published, "published without a change");
                    self.published = status.clone();
                }
                Effect::Settle { requests, outcome } => {
                    assert!(!requests.is_empty());
                    for id in requests {
                        let (wish, pushes) = self.open.remove(id).expect("settled twice or never asked for");
                        assert!(self.settled.insert(*id));
                        if outcome.is_ok() {
                            assert!(self.pushed > pushes, "answered without a push that began later");
                            assert!(wish == Wish::Upload || self.pulled > pushes, "answered without a later pull");
                            assert!(wish != Wish::Reconcile || self.swept > pushes, "answered without a later sweep");
                        }
                    }
                }
            }
        }
        self.check(status);
    }

    fn check(&self, status: &Status) {
        assert_eq!(*status, self.published, "changed without a Publish");
        let busy = self.in_flight != InFlight::Nothing;
        if self.closed {
            assert!(!busy && self.timer.is_none() && self.open.is_empty(), "something goes on after close");
        } else if self.suspended {
            assert!(!busy && self.timer.is_none(), "something goes on while suspended");
            assert_eq!(status.kind(), StatusKind::Offline);
        } else {
            assert_eq!(self.timer.is_some(), self.connected || busy, "no way out, or a timer for nothing");
            assert!(busy || self.open.is_empty(), "somebody waits for nothing");
        }
        assert!(!status.uploading || (self.in_flight == InFlight::Push && status.pending_changes > 0));
        assert_eq!(status.downloading, matches!(self.in_flight, InFlight::Pull | InFlight::Sweep));
        assert_eq!(status.connecting, busy && !status.connected);
        assert!(status.download_progress.is_none() || status.downloading);
        // a stall that the machine itself has found is in nobody's report
        let agrees = |shown: &Option<SyncError>, last: &Option<SyncError>| {
            shown == last || shown.as_ref().is_some_and(|e| e.code == ErrorCode::Stalled)
        };
        assert!(agrees(&status.upload_error, &self.upload_error), "{:?}", status.upload_error);
        assert!(agrees(&status.download_error, &self.download_error), "{:?}", status.download_error);
        // a push may come before the retry
        assert!(status.next_retry_at_ms.is_none() || (!busy && status.next_retry_at_ms >= self.timer));
        assert!(status.has_synced || status.last_synced_at_ms.is_none());
    }

    /// What an honest driver would report next when all goes well.
    fn next_good(&self) -> Input {
        match self.in_flight {
            InFlight::Push => Input::PushFinished(Ok(())),
            InFlight::Pull => Input::PullFinished(Ok(Pulled::default())),
            InFlight::Sweep => Input::ReconcileFinished(Ok(Pulled::default())),
            InFlight::Nothing => Input::Timer,
        }
    }
}

/// The faults have stopped: whatever came before, few steps lead to `Synced`.
fn recover(machine: &mut Machine, model: &mut Model, now: &mut i64) {
    let mut step = |machine: &mut Machine, input: Input| {
        if input == Input::Timer {
            *now = (*now).max(model.timer.expect("a timer while connected"));
        }
        model.note(&input);
        let effects = machine.handle(*now, 0.5, input);
        model.apply(&effects, machine.status());
        model.next_good()
    };
    let mut next = Input::Timer;
    for input in [Input::Resume, Input::Connect, Input::Counts { pending: 0, parked: 0 }] {
        next = step(machine, input);
    }
    // A sweep that failed for good is shown until the next one: that is up to 15 min of polls, 30 s apart and at most four
    // steps each.
    for _ in 0..124 {
        if machine.status().kind() == StatusKind::Synced && next == Input::Timer {
            assert!(model.open.is_empty());
            return;
        }
        next = step(machine, next);
    }
    panic!("not synced: {:?}", machine.status());
}

fn walk(seed: u64) {
    let mut rng = SplitMix(seed);
    let mut machine = Machine::new(SyncOptions::default(), Status::default());
    let mut now = 1_700_000_000_000_i64;
    let mut next_id = 0;
    let mut model = Model::new();
    for _ in 0..300 {
        // Mostly forward, at times far, at times back.
        now += match rng.below(20) {
            0 => -(rng.below(100_000) as i64),
            1 => rng.below(1_000_000) as i64,
            _ => rng.below(300) as i64,
        };
        let input = match rng.below(56) {
            0..3 => Input::Connect,
            3 => Input::Disconnect,
            4..8 => Input::LocalWrite,
            8..12 => {
                next_id += 1;
                Input::Trigger(next_id)
            }
            12..15 => {
                next_id += 1;
                Input::Upload(next_id)
            }
            15 => Input::Foreground,
            50 => Input::Background,
            51 => Input::Active,
            52 => Input::NetworkLost,
            53 => Input::Metered(rng.below(2) == 0),
            54 => Input::BatteryLow(rng.below(2) == 0),
            55 => {
                let downloaded = rng.below(5);
                Input::Progress(DownloadProgress { downloaded, total: downloaded + rng.below(5) })
            }
            16 => Input::NetworkRegained,
            17 => Input::CredentialsChanged,
            18 => Input::Timer,
            19..22 => Input::Contacted,
            22 => Input::PushFinished(rng.result()),
            23 => Input::PullFinished(rng.pulled()),
            27 => Input::ReconcileFinished(rng.pulled()),
            28 | 29 => {
                next_id += 1;
                Input::Reconcile(next_id)
            }
            30 => Input::Suspend,
            31..34 => Input::Resume,
            24 => Input::Counts { pending: rng.below(3), parked: rng.below(2) },
            25 if rng.below(20) == 0 => Input::Close,
            26 if rng.below(4) == 0 => Input::Cleared,
            // What an honest driver would report next.
            _ => match (model.in_flight, model.timer) {
                (InFlight::Push | InFlight::Pull | InFlight::Sweep, Some(at)) if rng.below(3) == 0 => {
                    now = now.max(at);
                    Input::Timer
                }
                (InFlight::Push, _) => Input::PushFinished(rng.result()),
                (InFlight::Pull, _) => Input::PullFinished(rng.pulled()),
                (InFlight::Sweep, _) => Input::ReconcileFinished(rng.pulled()),
                (InFlight::Nothing, Some(at)) => {
                    now = now.max(at);
                    Input::Timer
                }
                (InFlight::Nothing, None) => Input::LocalWrite,
            },
        };
        model.note(&input);
        let effects = machine.handle(now, rng.unit(), input);
        model.apply(&effects, machine.status());
    }
    if !model.closed {
        recover(&mut machine, &mut model, &mut now);
    }
    let effects = machine.handle(now, 0.0, Input::Close);
    model.closed = true;
    model.apply(&effects, machine.status());
    assert_eq!(model.settled.len() as u64, next_id, "every request is settled exactly once");
}

#[test]
fn random_walks_keep_every_promise() {
    let seeds = match std::env::var("OMNII_WALK_SEED") {
        Ok(seed) => {
            let seed: u64 = seed.parse().unwrap();
            seed..seed + 1
        }
        Err(_) => 0..2_000,
    };
    for seed in seeds {
        if let Err(panic) = std::panic::catch_unwind(|| walk(seed)) {
            eprintln!("random walk failed: OMNII_WALK_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
