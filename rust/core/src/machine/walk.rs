//! A seeded random walk: any sequence of inputs, sensible or not, keeps the promises of the module.
//!
//! A failure prints its seed; `OMNII_WALK_SEED=<seed>` runs that one alone.

use super::*;
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

    fn result(&mut self) -> Result<(), RoundError> {
        use ErrorCode as E;
        const CODES: [E; 9] = [
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
}

/// What an honest driver would know, kept beside the machine.
struct Model {
    in_flight: InFlight,
    timer: Option<i64>,
    connected: bool,
    closed: bool,
    /// Pushes started so far.
    pushes: u64,
    /// Open requests and how many pushes had been started when they were made.
    open: HashMap<RequestId, u64>,
    settled: HashSet<RequestId>,
    published: Status,
}

impl Model {
    fn apply(&mut self, effects: &[Effect], status: &Status) {
        for effect in effects {
            match effect {
                Effect::StartPush => {
                    assert_eq!(self.in_flight, InFlight::Nothing, "two things in flight");
                    self.in_flight = InFlight::Push;
                    self.pushes += 1;
                }
                Effect::StartPull => {
                    assert_eq!(self.in_flight, InFlight::Nothing, "two things in flight");
                    self.in_flight = InFlight::Pull;
                }
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
                        let pushes = self.open.remove(id).expect("settled twice or never asked for");
                        assert!(self.settled.insert(*id));
                        if outcome.is_ok() {
                            assert!(self.pushes > pushes, "settled by a round that began before the request");
                        }
                    }
                }
            }
        }
        assert_eq!(*status, self.published, "changed without a Publish");
        let busy = self.in_flight != InFlight::Nothing;
        if self.closed {
            assert!(!busy && self.timer.is_none() && self.open.is_empty(), "something goes on after close");
        } else if self.connected {
            assert!(busy || self.timer.is_some(), "no way out");
        } else {
            assert!(self.timer.is_none(), "a timer while disconnected");
        }
        assert!(!(busy && self.timer.is_some()), "a timer besides work in flight");
        assert!(busy || self.open.is_empty(), "somebody waits for nothing");
        assert!(!status.uploading || (self.in_flight == InFlight::Push && status.pending_changes > 0));
        assert_eq!(status.downloading, self.in_flight == InFlight::Pull);
        assert_eq!(status.connecting, busy && !status.connected);
        assert!(status.next_retry_at_ms.is_none() || status.next_retry_at_ms == self.timer);
    }
}

fn walk(seed: u64) {
    let mut rng = SplitMix(seed);
    let mut machine = Machine::new(SyncOptions::default(), Status::default());
    let mut now = 1_700_000_000_000_i64;
    let mut next_id = 0;
    let mut model = Model {
        in_flight: InFlight::Nothing,
        timer: None,
        connected: false,
        closed: false,
        pushes: 0,
        open: HashMap::new(),
        settled: HashSet::new(),
        published: Status::default(),
    };
    for _ in 0..300 {
        // Mostly forward, at times far, at times back.
        now += match rng.below(20) {
            0 => -(rng.below(100_000) as i64),
            1 => rng.below(1_000_000) as i64,
            _ => rng.below(300) as i64,
        };
        let input = match rng.below(40) {
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
            16 => Input::NetworkRegained,
            17 => Input::CredentialsChanged,
            18 => Input::Timer,
            19..22 => Input::Contacted,
            22 => Input::PushFinished(rng.result()),
            23 => Input::PullFinished(rng.result()),
            24 => Input::Counts { pending: rng.below(3), parked: rng.below(2) },
            25 if rng.below(20) == 0 => Input::Close,
            26 if rng.below(4) == 0 => Input::Cleared,
            // What an honest driver would report next.
            _ => match (model.in_flight, model.timer) {
                (InFlight::Push, _) => Input::PushFinished(rng.result()),
                (InFlight::Pull, _) => Input::PullFinished(rng.result()),
                (InFlight::Nothing, Some(at)) => {
                    now = now.max(at);
                    Input::Timer
                }
                (InFlight::Nothing, None) => Input::LocalWrite,
            },
        };
        match &input {
            Input::Connect => model.connected = true,
            Input::Disconnect => model.connected = false,
            Input::Close => model.closed = true,
            Input::Timer => model.timer = None,
            Input::Trigger(id) | Input::Upload(id) => {
                model.open.insert(*id, model.pushes);
            }
            Input::PushFinished(_) if model.in_flight == InFlight::Push => model.in_flight = InFlight::Nothing,
            Input::PullFinished(_) if model.in_flight == InFlight::Pull => model.in_flight = InFlight::Nothing,
            _ => {}
        }
        let effects = machine.handle(now, rng.unit(), input);
        model.apply(&effects, machine.status());
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
