//! Tables: each transition once, with its effects spelled out.

use super::Effect::{Cancel, ClearTimer, Publish, SetTimer, StartPull, StartPush};
use super::*;
use crate::status::StatusKind;

const OK: Result<(), RoundError> = Ok(());

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

    /// Connected after one good round that ended at 1,000; the poll is set for 31,000.
    fn synced() -> Self {
        let mut rig = Self::new();
        rig.run([Input::Connect, Input::PushFinished(OK), Input::PullFinished(OK)]);
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

    fn on(&mut self, input: Input) -> Vec<Effect> {
        self.machine.handle(self.now, 0.5, input)
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
        next_retry_at_ms: Some(9),
        error: Some(closed()),
        ..Status::default()
    };
    let machine = Machine::new(SyncOptions::default(), stored);
    let expected = Status {
        pending_changes: 3,
        parked_changes: 1,
        has_synced: true,
        last_synced_at_ms: Some(7),
        ..Status::default()
    };
    assert_eq!(machine.status(), &expected);
}

#[test]
fn connect_runs_a_round_at_once_and_then_polls() {
    let mut rig = Rig::new();
    assert_eq!(rig.on(Input::Connect), [StartPush, Publish]);
    assert_eq!(rig.status().kind(), StatusKind::Connecting);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPull, Publish]);
    assert_eq!(rig.on(Input::Contacted), [Publish]);
    assert_eq!(rig.status().kind(), StatusKind::Syncing);
    assert_eq!(rig.on(Input::Contacted), []);
    assert_eq!(rig.on(Input::PullFinished(OK)), [SetTimer { at_ms: 31_000 }, Publish]);
    assert_eq!(rig.status().kind(), StatusKind::Synced);
    assert_eq!((rig.status().has_synced, rig.status().last_synced_at_ms), (true, Some(1_000)));
    rig.now = 31_000;
    assert_eq!(rig.on(Input::Timer), [StartPush]);
}

#[test]
fn connect_is_idempotent_in_every_activity() {
    let mut rig = Rig::synced();
    assert_eq!(rig.on(Input::Connect), []);
    rig.on(Input::Timer);
    assert_eq!(rig.on(Input::Connect), []);
    rig.on(Input::PushFinished(OK));
    assert_eq!(rig.on(Input::Connect), []);
    assert_eq!(Rig::retrying().on(Input::Connect), []);
}

#[test]
fn inputs_that_mean_nothing_now_change_nothing() {
    for input in [Input::LocalWrite, Input::Foreground, Input::NetworkRegained, Input::CredentialsChanged, Input::Timer]
    {
        let mut rig = Rig::new();
        assert_eq!(rig.on(input.clone()), [], "{input:?} while disconnected");
        assert_eq!(rig.on(Input::Contacted), []);
        assert_eq!(rig.on(Input::PushFinished(OK)), []);
        assert_eq!(rig.on(Input::PullFinished(OK)), []);
        assert_eq!(rig.on(Input::Disconnect), []);
        assert_eq!(*rig.status(), Status::default());
    }
    let mut rig = Rig::new();
    rig.on(Input::Connect);
    assert_eq!(rig.on(Input::PullFinished(OK)), [], "a pull ends while a push is in flight");
    assert_eq!(rig.on(Input::Timer), [], "a timer fires while a push is in flight");
    rig.on(Input::PushFinished(OK));
    assert_eq!(rig.on(Input::PushFinished(OK)), [], "a push ends while a pull is in flight");
}

#[test]
fn uploading_is_shown_only_when_there_is_something_to_upload() {
    let mut rig = Rig::synced();
    rig.on(Input::Timer);
    assert!(!rig.status().uploading);
    assert_eq!(rig.on(Input::Counts { pending: 2, parked: 1 }), [Publish]);
    assert!(rig.status().uploading);
    assert_eq!(rig.on(Input::Counts { pending: 2, parked: 1 }), []);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPull, Publish]);
    assert_eq!((rig.status().uploading, rig.status().downloading), (false, true));
    rig.on(Input::PullFinished(OK));
    assert_eq!((rig.status().pending_changes, rig.status().parked_changes), (2, 1));
    assert!(!rig.status().downloading);
}

#[test]
fn a_write_waits_for_the_throttle_counted_from_the_first_one() {
    let mut rig = Rig::synced();
    assert_eq!(rig.on(Input::LocalWrite), [SetTimer { at_ms: 1_200 }]);
    rig.now = 1_150;
    assert_eq!(rig.on(Input::LocalWrite), []);
    rig.now = 1_200;
    assert_eq!(rig.on(Input::Timer), [StartPush]);
    // Its poll timer was replaced, not kept beside.
    rig.run([Input::PushFinished(OK), Input::PullFinished(OK)]);
    assert_eq!(rig.machine.timer, Some(31_200));
}

#[test]
fn a_write_never_postpones_the_poll() {
    let mut rig = Rig::synced();
    rig.now = 30_950;
    assert_eq!(rig.on(Input::LocalWrite), []);
    assert_eq!(rig.machine.timer, Some(31_000));
}

#[test]
fn a_write_during_a_round_causes_another_after_the_throttle() {
    for half in [0, 1] {
        let mut rig = Rig::synced();
        rig.on(Input::Timer);
        if half == 1 {
            rig.on(Input::PushFinished(OK));
        }
        rig.now = 1_100;
        assert_eq!(rig.on(Input::LocalWrite), []);
        rig.now = 1_150;
        rig.on(Input::LocalWrite);
        if half == 0 {
            rig.on(Input::PushFinished(OK));
        }
        assert_eq!(rig.on(Input::PullFinished(OK)), [SetTimer { at_ms: 1_300 }, Publish]);
    }
}

#[test]
fn a_clock_set_back_does_not_postpone_a_write() {
    let mut rig = Rig::synced();
    rig.now = 3_600_000;
    rig.run([Input::Timer, Input::LocalWrite]);
    rig.now = 0;
    rig.run([Input::PushFinished(OK), Input::PullFinished(OK)]);
    assert_eq!(rig.machine.timer, Some(200));
}

#[test]
fn a_write_neither_shortens_nor_owns_a_retry() {
    let mut rig = Rig::retrying();
    assert_eq!(rig.on(Input::LocalWrite), []);
    assert_eq!(rig.status().next_retry_at_ms, Some(1_500));
}

#[test]
fn a_write_during_a_failing_round_does_not_shorten_its_retry() {
    let mut rig = Rig::synced();
    rig.run([Input::Timer, Input::LocalWrite, Input::PushFinished(Err(err(ErrorCode::Network)))]);
    assert_eq!((rig.machine.timer, rig.status().next_retry_at_ms), (Some(1_500), Some(1_500)));
}

#[test]
fn failures_without_writes_each_get_their_own_attempt() {
    let mut rig = Rig::synced();
    rig.on(Input::Timer);
    for n in 1..=10_u32 {
        let effects = rig.on(Input::PushFinished(Err(err(ErrorCode::Network))));
        let due = rig.now + (500_i64 << (n - 1)).min(150_000);
        assert!(effects.contains(&SetTimer { at_ms: due }), "failure {n}: {effects:?}");
        rig.now = due;
        assert!(rig.on(Input::Timer).contains(&StartPush), "failure {n}");
    }
    rig.run([Input::PushFinished(OK), Input::PullFinished(OK)]);
    assert_eq!(rig.status().error, None);
    // The count began anew.
    rig.run([Input::Timer, Input::PushFinished(Err(err(ErrorCode::Network)))]);
    assert_eq!(rig.machine.timer, Some(rig.now + 500));
}

#[test]
fn retry_after_is_a_floor() {
    let mut rig = Rig::synced();
    let error = RoundError { retry_after_ms: Some(20_000), ..err(ErrorCode::Server) };
    rig.run([Input::Timer, Input::PushFinished(OK), Input::PullFinished(Err(error))]);
    assert_eq!(rig.machine.timer, Some(1_000 + 20_000 + 500));
}

#[test]
fn every_kind_of_error_has_a_way_out() {
    use ErrorCode as E;
    // (code, stays connected, next attempt after a failed pull in ms)
    let table = [
        (E::Network, false, 500),
        (E::Timeout, false, 500),
        (E::CredentialsFailed, false, 500),
        (E::CredentialsTimeout, false, 500),
        (E::Unauthorized, false, 500),
        (E::NoCredentials, false, 30_000),
        (E::Server, true, 500),
        (E::BadResponse, true, 500),
        (E::Busy, true, 500),
        (E::Rejected, true, 300_000),
        (E::TooLarge, true, 300_000),
        (E::Internal, true, 300_000),
    ];
    for (code, connected, delay) in table {
        let mut rig = Rig::synced();
        rig.run([Input::Timer, Input::PushFinished(OK)]);
        let effects = rig.on(Input::PullFinished(Err(err(code))));
        assert_eq!(effects, [SetTimer { at_ms: 1_000 + delay }, Publish], "{code:?}");
        assert_eq!(rig.status().connected, connected, "{code:?}");
        assert_eq!(rig.code(), Some(code));
        assert_eq!(rig.status().next_retry_at_ms, Some(1_000 + delay));
        assert_eq!(rig.status().last_synced_at_ms, Some(1_000));
        assert_eq!(rig.on(Input::Timer), [StartPush, Publish], "{code:?}");
        assert_eq!(rig.code(), Some(code), "an error stays until a complete round");
        assert_eq!(rig.status().next_retry_at_ms, None);
    }
}

#[test]
fn one_bad_table_slows_nothing_down() {
    use ErrorCode as E;
    for code in [E::TableFailed, E::CursorStalled, E::ForeignRow] {
        let mut rig = Rig::synced();
        rig.run([Input::Timer, Input::PushFinished(OK)]);
        let effects = rig.on(Input::PullFinished(Err(err(code))));
        assert_eq!(effects, [SetTimer { at_ms: 1_000 + 30_000 }, Publish], "{code:?}");
        assert_eq!((rig.code(), rig.status().connected, rig.status().next_retry_at_ms), (Some(code), true, None));
        assert_eq!(rig.on(Input::LocalWrite), [SetTimer { at_ms: 1_000 + 200 }], "a write goes up as ever");
    }
}

#[test]
fn a_push_that_cannot_reach_the_backend_ends_the_round() {
    use ErrorCode as E;
    for code in [E::Network, E::Timeout, E::NoCredentials, E::CredentialsFailed, E::CredentialsTimeout, E::Unauthorized]
    {
        let mut rig = Rig::new();
        rig.run([Input::Connect, Input::Trigger(1)]);
        let effects = rig.on(Input::PushFinished(Err(err(code))));
        // The trigger came during that round: it gets one of its own.
        assert_eq!(effects, [StartPush, Publish], "{code:?}");
        let effects = rig.on(Input::PushFinished(Err(err(code))));
        assert!(effects.contains(&settle(&[1], Err(code))), "{code:?}");
        assert!(!effects.contains(&StartPull), "{code:?}");
    }
}

#[test]
fn a_push_refused_for_its_content_does_not_keep_the_pull_from_running() {
    use ErrorCode as E;
    for (code, delay) in [(E::Rejected, 300_000), (E::Server, 500), (E::BadResponse, 500), (E::Internal, 300_000)] {
        let mut rig = Rig::synced();
        rig.run([Input::Trigger(1)]);
        assert_eq!(rig.on(Input::PushFinished(Err(err(code)))), [StartPull, Publish], "{code:?}");
        let effects = rig.on(Input::PullFinished(OK));
        assert_eq!(effects, [SetTimer { at_ms: 1_000 + delay }, Publish, settle(&[1], Err(code))]);
        assert!(rig.status().connected);
    }
}

#[test]
fn when_both_halves_fail_the_push_is_shown_and_the_sooner_wait_wins() {
    let mut rig = Rig::synced();
    rig.run([
        Input::Timer,
        Input::PushFinished(Err(err(ErrorCode::Rejected))),
        Input::PullFinished(Err(err(ErrorCode::Network))),
    ]);
    assert_eq!(rig.code(), Some(ErrorCode::Rejected));
    assert!(!rig.status().connected);
    assert_eq!(rig.status().next_retry_at_ms, Some(1_500));
}

#[test]
fn a_trigger_starts_a_round_at_once_also_during_backoff() {
    for mut rig in [Rig::synced(), Rig::retrying()] {
        assert_eq!(rig.on(Input::Trigger(1))[..2], [StartPush, ClearTimer]);
        rig.on(Input::PushFinished(OK));
        assert!(rig.on(Input::PullFinished(OK)).ends_with(&[settle(&[1], Ok(()))]));
    }
}

#[test]
fn triggers_during_a_round_share_one_new_round() {
    let mut rig = Rig::synced();
    rig.run([Input::Trigger(1), Input::Trigger(2), Input::PushFinished(OK), Input::Trigger(3)]);
    assert_eq!(rig.on(Input::PullFinished(OK)), [StartPush, Publish, settle(&[1], Ok(()))]);
    rig.on(Input::PushFinished(OK));
    let failed = rig.on(Input::PullFinished(Err(err(ErrorCode::Server))));
    assert!(failed.ends_with(&[settle(&[2, 3], Err(ErrorCode::Server))]));
}

#[test]
fn a_round_asked_for_while_disconnected_is_run_once() {
    for outcome in [OK, Err(err(ErrorCode::Server))] {
        let mut rig = Rig::synced();
        rig.on(Input::Disconnect);
        assert_eq!(rig.on(Input::Trigger(1)), [StartPush, Publish]);
        assert!(rig.status().connecting);
        rig.run([Input::Contacted, Input::PushFinished(OK)]);
        assert!(rig.status().connected, "it is, for the time being");
        let effects = rig.on(Input::PullFinished(outcome.clone()));
        assert_eq!(effects, [Publish, settle(&[1], outcome.clone().map_err(|e| e.error.code))]);
        assert!(!rig.status().connected);
        assert_eq!(rig.status().next_retry_at_ms, None);
        assert_eq!((rig.on(Input::LocalWrite), rig.on(Input::Timer)), (vec![], vec![]));
        if outcome.is_ok() {
            assert_eq!(rig.status().kind(), StatusKind::Offline);
        }
    }
}

#[test]
fn connecting_during_such_a_round_takes_it_as_the_first_one() {
    let mut rig = Rig::new();
    rig.on(Input::Trigger(1));
    assert_eq!(rig.on(Input::Connect), []);
    rig.on(Input::PushFinished(OK));
    assert_eq!(rig.on(Input::PullFinished(OK))[0], SetTimer { at_ms: 31_000 });
    assert!(rig.status().connected);
}

#[test]
fn an_upload_is_a_push_alone_and_the_wait_goes_on() {
    let mut rig = Rig::synced();
    assert_eq!(rig.on(Input::Upload(1)), [StartPush, ClearTimer]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [SetTimer { at_ms: 31_000 }, settle(&[1], Ok(()))]);
    // Also a retry goes on, and its error stays.
    let mut rig = Rig::retrying();
    rig.run([Input::Upload(1), Input::PushFinished(OK)]);
    assert_eq!((rig.code(), rig.status().next_retry_at_ms), (Some(ErrorCode::Server), Some(1_500)));
    // Disconnected: nothing afterwards.
    let mut rig = Rig::new();
    assert_eq!(rig.on(Input::Upload(1)), [StartPush, Publish]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [Publish, settle(&[1], Ok(()))]);
    assert_eq!(*rig.status(), Status::default());
}

#[test]
fn a_failed_upload_is_retried_by_a_round() {
    let mut rig = Rig::synced();
    rig.on(Input::Upload(1));
    let effects = rig.on(Input::PushFinished(Err(err(ErrorCode::Rejected))));
    assert_eq!(effects, [SetTimer { at_ms: 301_000 }, Publish, settle(&[1], Err(ErrorCode::Rejected))]);
}

#[test]
fn uploads_wait_for_a_push_that_begins_after_them_and_ride_on_a_round() {
    let mut rig = Rig::synced();
    rig.run([Input::Timer, Input::Upload(1)]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPull, Publish], "that push began before");
    assert_eq!(rig.on(Input::PullFinished(OK)), [StartPush, Publish], "a push of its own");
    rig.run([Input::Upload(2), Input::Trigger(3)]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPush, settle(&[1], Ok(()))]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPull, Publish, settle(&[2], Ok(()))]);
    assert!(rig.on(Input::PullFinished(OK)).contains(&settle(&[3], Ok(()))));
}

#[test]
fn a_write_during_an_upload_brings_the_round_forward() {
    let mut rig = Rig::synced();
    rig.run([Input::Upload(1), Input::LocalWrite, Input::PushFinished(OK)]);
    assert_eq!(rig.machine.timer, Some(1_200));
}

#[test]
fn connecting_during_an_upload_runs_a_round_afterwards() {
    let mut rig = Rig::new();
    rig.run([Input::Upload(1), Input::Connect]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPush, settle(&[1], Ok(()))]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPull, Publish]);
}

#[test]
fn waking_up_runs_a_round_at_once() {
    for input in [Input::Foreground, Input::NetworkRegained, Input::CredentialsChanged] {
        for mut rig in [Rig::synced(), Rig::retrying()] {
            assert_eq!(rig.on(input.clone())[..2], [StartPush, ClearTimer], "{input:?}");
        }
    }
}

#[test]
fn waking_up_during_a_round_repeats_it_at_once_if_it_fails() {
    for input in [Input::Foreground, Input::NetworkRegained, Input::CredentialsChanged] {
        let mut rig = Rig::synced();
        rig.run([Input::Timer, input.clone()]);
        assert_eq!(rig.on(Input::PushFinished(Err(err(ErrorCode::Network))))[0], StartPush, "{input:?}");
        let effects = rig.on(Input::PushFinished(Err(err(ErrorCode::Network))));
        assert!(matches!(effects[0], SetTimer { .. }), "once only: {effects:?}");
        let mut rig = Rig::synced();
        rig.run([Input::Timer, input, Input::PushFinished(OK)]);
        assert_eq!(rig.on(Input::PullFinished(OK))[0], SetTimer { at_ms: 31_000 });
    }
}

#[test]
fn a_regained_network_or_new_credentials_forget_old_failures() {
    for (input, delay) in [(Input::NetworkRegained, 500), (Input::CredentialsChanged, 500), (Input::Foreground, 1_000)]
    {
        let mut rig = Rig::retrying();
        rig.run([input.clone(), Input::PushFinished(Err(err(ErrorCode::Network)))]);
        assert_eq!(rig.machine.timer, Some(1_000 + delay), "{input:?}");
    }
}

#[test]
fn disconnect_cancels_and_rejects_the_round_and_what_waits_behind_it() {
    for half in [0, 1] {
        let mut rig = Rig::synced();
        rig.on(Input::Trigger(1));
        if half == 1 {
            rig.on(Input::PushFinished(OK));
        }
        rig.run([Input::Trigger(2), Input::Upload(3)]);
        let effects = rig.on(Input::Disconnect);
        assert_eq!(effects, [Cancel, Publish, settle(&[1, 2, 3], Err(ErrorCode::Disconnected))]);
        assert_eq!(rig.status().kind(), StatusKind::Offline);
        assert_eq!(rig.on(Input::PushFinished(OK)), [], "too late");
        assert_eq!(rig.on(Input::PullFinished(OK)), [], "too late");
    }
    assert_eq!(Rig::synced().on(Input::Disconnect), [ClearTimer, Publish]);
}

#[test]
fn disconnect_also_cancels_a_round_asked_for_while_disconnected() {
    let mut rig = Rig::new();
    rig.on(Input::Trigger(1));
    let effects = rig.on(Input::Disconnect);
    assert_eq!(effects, [Cancel, Publish, settle(&[1], Err(ErrorCode::Disconnected))]);
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
    assert_eq!(rig.on(Input::Cleared), []);
    rig.run([Input::Timer, Input::PushFinished(OK), Input::PullFinished(OK)]);
    assert!(rig.status().has_synced);
}

#[test]
fn close_rejects_everything_and_is_inert_afterwards() {
    let mut rig = Rig::synced();
    rig.run([Input::Trigger(1), Input::Trigger(2)]);
    assert_eq!(rig.on(Input::Close), [Cancel, Publish, settle(&[1, 2], Err(ErrorCode::Closed))]);
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
        Input::PullFinished(OK),
        Input::Counts { pending: 9, parked: 9 },
        Input::Cleared,
        Input::Close,
    ];
    assert_eq!(rig.run(inert), []);
    assert_eq!(rig.on(Input::Trigger(3)), [settle(&[3], Err(ErrorCode::Closed))]);
    assert_eq!(rig.on(Input::Upload(4)), [settle(&[4], Err(ErrorCode::Closed))]);
}

#[test]
fn times_at_the_edge_do_not_overflow() {
    for now in [i64::MIN, i64::MAX] {
        let mut rig = Rig::new();
        rig.now = now;
        rig.run([Input::Connect, Input::LocalWrite, Input::PushFinished(OK), Input::PullFinished(OK)]);
        rig.run([Input::LocalWrite, Input::Timer, Input::PushFinished(Err(err(ErrorCode::Network)))]);
        assert!(rig.machine.timer.is_some());
    }
}
