//! What starts a round, what it consists of, and who is answered when.

use super::*;

#[test]
fn connect_runs_a_round_at_once_and_then_polls() {
    let mut rig = Rig::new();
    assert_eq!(rig.on(Input::Connect), [StartPush, Publish]);
    assert_eq!(rig.status().kind(), StatusKind::Connecting);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPull, Publish]);
    assert_eq!(rig.on(Input::Contacted), [Publish]);
    assert_eq!(rig.status().kind(), StatusKind::Syncing);
    assert_eq!(rig.on(Input::Contacted), []);
    assert_eq!(rig.on(pulled()), [SetTimer { at_ms: 31_000 }, Publish]);
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
fn uploading_is_shown_only_when_there_is_something_to_upload() {
    let mut rig = Rig::synced();
    rig.on(Input::Timer);
    assert!(!rig.status().uploading);
    assert_eq!(rig.on(Input::Counts { pending: 2, parked: 1 }), [Publish]);
    assert!(rig.status().uploading);
    assert_eq!(rig.on(Input::Counts { pending: 2, parked: 1 }), []);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPull, Publish]);
    assert_eq!((rig.status().uploading, rig.status().downloading), (false, true));
    rig.on(pulled());
    assert_eq!((rig.status().pending_changes, rig.status().parked_changes), (2, 1));
    assert!(!rig.status().downloading);
}

#[test]
fn a_trigger_starts_a_round_at_once_also_during_backoff() {
    for mut rig in [Rig::synced(), Rig::retrying()] {
        assert_eq!(rig.on(Input::Trigger(1))[0], StartPush);
        rig.on(Input::PushFinished(OK));
        assert!(rig.on(pulled()).ends_with(&[settle(&[1], Ok(()))]));
    }
}

#[test]
fn triggers_during_a_round_share_one_new_round() {
    let mut rig = Rig::synced();
    rig.run([Input::Trigger(1), Input::Trigger(2), Input::PushFinished(OK), Input::Trigger(3)]);
    assert_eq!(rig.on(pulled()), [StartPush, Publish, settle(&[1], Ok(()))]);
    rig.on(Input::PushFinished(OK));
    let failed = rig.on(Input::PullFinished(Err(err(ErrorCode::Server))));
    assert!(failed.ends_with(&[settle(&[2, 3], Err(ErrorCode::Server))]));
}

#[test]
fn a_round_asked_for_while_disconnected_is_run_once() {
    for outcome in [Ok(Pulled::default()), Err(err(ErrorCode::Server))] {
        let mut rig = Rig::synced();
        rig.on(Input::Disconnect);
        assert_eq!(rig.on(Input::Trigger(1)), [StartPush, Publish]);
        assert!(rig.status().connecting);
        rig.run([Input::Contacted, Input::PushFinished(OK)]);
        assert!(rig.status().connected, "it is, for the time being");
        let effects = rig.on(Input::PullFinished(outcome.clone()));
        assert_eq!(effects, [ClearTimer, Publish, settle(&[1], outcome.clone().map(|_| ()).map_err(|e| e.error.code))]);
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
    assert_eq!(rig.on(pulled())[0], SetTimer { at_ms: 31_000 });
    assert!(rig.status().connected);
}

#[test]
fn an_upload_is_a_push_alone_and_the_wait_goes_on() {
    let mut rig = Rig::synced();
    assert_eq!(rig.on(Input::Upload(1)), [StartPush]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [SetTimer { at_ms: 31_000 }, settle(&[1], Ok(()))]);
    // Also a retry goes on, and its error stays.
    let mut rig = Rig::retrying();
    rig.run([Input::Upload(1), Input::PushFinished(OK)]);
    assert_eq!((rig.code(), rig.status().next_retry_at_ms), (Some(ErrorCode::Server), Some(1_500)));
    // Disconnected: nothing afterwards.
    let mut rig = Rig::new();
    assert_eq!(rig.on(Input::Upload(1)), [StartPush, Publish]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [ClearTimer, Publish, settle(&[1], Ok(()))]);
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
    assert_eq!(rig.on(pulled()), [StartPush, Publish], "a push of its own");
    rig.run([Input::Upload(2), Input::Trigger(3)]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPush, settle(&[1], Ok(()))]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [StartPull, Publish, settle(&[2], Ok(()))]);
    assert!(rig.on(pulled()).contains(&settle(&[3], Ok(()))));
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
            assert_eq!(rig.on(input.clone())[0], StartPush, "{input:?}");
        }
    }
}
