//! Tables: each transition once, with its effects spelled out. Here what they share, and the ends of a machine's life.

mod failures;
mod rounds;
mod schedule;
mod stalls;
mod suspension;
mod sweeps;
mod writes;

use super::Effect::{Cancel, ClearTimer, Publish, SetTimer, StartPull, StartPush, StartReconcile};
use super::*;
use crate::status::StatusKind;

const OK: Result<(), RoundError> = Ok(());

/// A complete pull after which no sweep is due.
fn pulled() -> Input {
    Input::PullFinished(Ok(Pulled { swept: true, ..Pulled::default() }))
}

fn err(code: ErrorCode) -> RoundError {
    SyncError::new(code, "because").into()
}

fn settle(requests: &[RequestId], outcome: Result<(), ErrorCode>) -> Effect {
    let outcome = outcome.map_err(|code| match code {
        ErrorCode::Disconnected => disconnected(),
        ErrorCode::Closed => closed(),
        _ => err(code).error,
    });
    Effect::Settle { requests: requests.to_vec(), outcome }
}

/// A machine and its clock. Jitter is 1/2 throughout, so the first backoff is 500 ms, the second 1,000 ms.
struct Rig {
    machine: Machine,
    now: i64,
}

impl Rig {
    fn new() -> Self {
        Self { machine: Machine::new(SyncOptions::default(), Status::default()), now: 1_000 }
    }

    /// In the middle of a pull of the second round.
    fn pulling() -> Self {
        let mut rig = Self::synced();
        rig.run([Input::Timer, Input::PushFinished(OK)]);
        rig
    }

    /// Connected after one good round that ended at 1,000; the poll is set for 31,000.
    fn synced() -> Self {
        let mut rig = Self::new();
        rig.run([Input::Connect, Input::PushFinished(OK), pulled()]);
        assert_eq!(rig.machine.timer, Some(31_000));
        rig
    }

    /// Connected and waiting after one failed pull; the retry is set for 1,500.
    fn retrying() -> Self {
        let mut rig = Self::synced();
        rig.run([Input::Timer, Input::PushFinished(OK), Input::PullFinished(Err(err(ErrorCode::Server)))]);
        assert_eq!(rig.machine.timer, Some(1_500));
        rig
    }

    /// The effects without the timers of the watch over work in flight; `stalls` has those.
    fn on(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = self.machine.handle(self.now, 0.5, input);
        if self.machine.activity.is_in_flight() {
            effects.retain(|effect| !matches!(effect, SetTimer { .. }));
        }
        effects
    }

    /// Lets the timer fire when it is due.
    fn fire(&mut self) -> Vec<Effect> {
        self.now = self.machine.timer.expect("a timer");
        self.on(Input::Timer)
    }

    fn run(&mut self, inputs: impl IntoIterator<Item = Input>) -> Vec<Effect> {
        inputs.into_iter().flat_map(|input| self.on(input)).collect()
    }

    fn status(&self) -> &Status {
        self.machine.status()
    }

    fn code(&self) -> Option<ErrorCode> {
        self.status().error.as_ref().map(|e| e.code)
    }
}

#[test]
fn a_new_machine_keeps_only_what_outlives_a_process() {
    let stored = Status {
        connected: true,
        downloading: true,
        pending_changes: 3,
        parked_changes: 1,
        has_synced: true,
        last_synced_at_ms: Some(7),
        last_reconciled_at_ms: Some(6),
        next_retry_at_ms: Some(9),
        refused_rows: 4,
        error: Some(closed()),
        ..Status::default()
    };
    let machine = Machine::new(SyncOptions::default(), stored);
    let expected = Status {
        pending_changes: 3,
        parked_changes: 1,
        has_synced: true,
        last_synced_at_ms: Some(7),
        last_reconciled_at_ms: Some(6),
        ..Status::default()
    };
    assert_eq!(machine.status(), &expected);
}

#[test]
fn inputs_that_mean_nothing_now_change_nothing() {
    for input in [
        Input::LocalWrite,
        Input::Foreground,
        Input::NetworkRegained,
        Input::CredentialsChanged,
        Input::Timer,
        Input::Resume,
    ] {
        let mut rig = Rig::new();
        assert_eq!(rig.on(input.clone()), [], "{input:?} while disconnected");
        assert_eq!(rig.on(Input::Contacted), []);
        assert_eq!(rig.on(Input::PushFinished(OK)), []);
        assert_eq!(rig.on(pulled()), []);
        assert_eq!(rig.on(Input::Disconnect), []);
        assert_eq!(*rig.status(), Status::default());
    }
    let mut rig = Rig::new();
    rig.on(Input::Connect);
    assert_eq!(rig.on(pulled()), [], "a pull ends while a push is in flight");
    assert_eq!(rig.on(Input::Timer), [], "a timer fires while a push is in flight");
    assert_eq!(rig.on(Input::Resume), [], "resumed without having been suspended");
    rig.on(Input::PushFinished(OK));
    assert_eq!(rig.on(Input::PushFinished(OK)), [], "a push ends while a pull is in flight");
}

#[test]
fn disconnect_cancels_and_rejects_the_round_and_what_waits_behind_it() {
    for half in [0, 1] {
        let mut rig = Rig::synced();
        rig.on(Input::Trigger(1));
        if half == 1 {
            rig.on(Input::PushFinished(OK));
        }
        rig.run([Input::Trigger(2), Input::Upload(3), Input::Reconcile(4)]);
        let effects = rig.on(Input::Disconnect);
        assert_eq!(effects, [Cancel, ClearTimer, Publish, settle(&[1, 2, 3, 4], Err(ErrorCode::Disconnected))]);
        assert_eq!(rig.status().kind(), StatusKind::Offline);
        assert_eq!(rig.on(Input::PushFinished(OK)), [], "too late");
        assert_eq!(rig.on(pulled()), [], "too late");
    }
    assert_eq!(Rig::synced().on(Input::Disconnect), [ClearTimer, Publish]);
}

#[test]
fn disconnect_also_cancels_a_round_asked_for_while_disconnected() {
    let mut rig = Rig::new();
    rig.on(Input::Trigger(1));
    let effects = rig.on(Input::Disconnect);
    assert_eq!(effects, [Cancel, ClearTimer, Publish, settle(&[1], Err(ErrorCode::Disconnected))]);
}

#[test]
fn disconnect_forgets_the_error_and_the_failures() {
    let mut rig = Rig::retrying();
    assert_eq!(rig.on(Input::Disconnect), [ClearTimer, Publish]);
    assert_eq!((rig.code(), rig.status().next_retry_at_ms), (None, None));
    assert_eq!(rig.status().kind(), StatusKind::Offline);
    assert_eq!(rig.on(Input::Connect), [StartPush, Publish]);
    // The failures of the former connection are forgotten.
    rig.on(Input::PushFinished(Err(err(ErrorCode::Network))));
    assert_eq!(rig.machine.timer, Some(1_500));
}

#[test]
fn cleared_data_has_not_been_synced() {
    let mut rig = Rig::synced();
    assert_eq!(rig.on(Input::Cleared), [Publish]);
    assert_eq!((rig.status().has_synced, rig.status().last_synced_at_ms), (false, None));
    assert_eq!((rig.status().last_reconciled_at_ms, rig.status().refused_rows), (None, 0));
    assert_eq!(rig.on(Input::Cleared), []);
    rig.run([Input::Timer, Input::PushFinished(OK), pulled()]);
    assert!(rig.status().has_synced);
}

#[test]
fn close_rejects_everything_and_is_inert_afterwards() {
    let mut rig = Rig::synced();
    rig.run([Input::Trigger(1), Input::Trigger(2)]);
    assert_eq!(rig.on(Input::Close), [Cancel, ClearTimer, Publish, settle(&[1, 2], Err(ErrorCode::Closed))]);
    assert_eq!(rig.status().kind(), StatusKind::Offline);
    let inert = [
        Input::Connect,
        Input::Disconnect,
        Input::LocalWrite,
        Input::Foreground,
        Input::NetworkRegained,
        Input::CredentialsChanged,
        Input::Timer,
        Input::Contacted,
        Input::PushFinished(OK),
        pulled(),
        Input::Counts { pending: 9, parked: 9 },
        Input::ReconcileFinished(Ok(Pulled::default())),
        Input::Suspend,
        Input::Resume,
        Input::Cleared,
        Input::Close,
    ];
    assert_eq!(rig.run(inert), []);
    assert_eq!(rig.on(Input::Trigger(3)), [settle(&[3], Err(ErrorCode::Closed))]);
    assert_eq!(rig.on(Input::Reconcile(5)), [settle(&[5], Err(ErrorCode::Closed))]);
    assert_eq!(rig.on(Input::Upload(4)), [settle(&[4], Err(ErrorCode::Closed))]);
}

#[test]
fn times_at_the_edge_do_not_overflow() {
    for now in [i64::MIN, i64::MAX] {
        let mut rig = Rig::new();
        rig.now = now;
        rig.run([Input::Connect, Input::LocalWrite, Input::PushFinished(OK), pulled()]);
        rig.run([Input::LocalWrite, Input::Timer, Input::PushFinished(Err(err(ErrorCode::Network)))]);
        assert!(rig.machine.timer.is_some());
    }
}
