//! Suspension: everything stands still, nobody is turned away, and afterwards it goes on.

use super::*;

fn is_quiet(rig: &Rig) {
    assert_eq!((rig.machine.timer, rig.machine.activity.is_in_flight()), (None, false));
    assert_eq!((rig.status().kind(), rig.code()), (StatusKind::Offline, None));
    assert_eq!(rig.status().next_retry_at_ms, None);
}

#[test]
fn work_in_flight_is_cancelled_and_who_waits_gets_a_round_after_resume() {
    for ends in 0..3 {
        let mut rig = Rig::synced();
        rig.run([Input::Trigger(1), Input::Upload(2)]);
        let finished = [Input::PushFinished(OK), Input::PullFinished(Ok(Pulled::default()))];
        rig.run([Input::Reconcile(3)]);
        rig.run(finished.into_iter().take(ends));
        let effects = rig.on(Input::Suspend);
        assert!(effects.starts_with(&[Cancel, ClearTimer]) && effects.len() == 3, "{effects:?}");
        is_quiet(&rig);
        assert_eq!(rig.on(Input::Suspend), []);
        // too late, or meaningless now
        for input in [
            Input::PushFinished(OK),
            pulled(),
            Input::ReconcileFinished(Err(err(ErrorCode::Network))),
            Input::Timer,
            Input::Contacted,
            Input::LocalWrite,
            Input::Foreground,
            Input::NetworkRegained,
            Input::CredentialsChanged,
            Input::Connect,
            Input::Upload(4),
            Input::Trigger(5),
            Input::Reconcile(6),
        ] {
            assert_eq!(rig.on(input.clone()), [], "{input:?}");
        }
        assert_eq!(rig.on(Input::Resume), [StartPush, Publish]);
        assert_eq!(rig.on(Input::Resume), []);
        let effects = rig.run([Input::PushFinished(OK), pulled()]);
        let answered: Vec<RequestId> = effects
            .into_iter()
            .flat_map(|effect| match effect {
                Effect::Settle { requests, outcome: Ok(()) } => requests,
                _ => vec![],
            })
            .collect();
        let (before, mut all) = (if ends == 2 { vec![1] } else { vec![] }, answered);
        all.extend(before);
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4, 5, 6], "{ends}");
        assert_eq!(rig.status().kind(), StatusKind::Synced);
    }
}

#[test]
fn a_wait_ends_and_a_round_begins_at_once_afterwards() {
    for mut rig in [Rig::synced(), Rig::retrying()] {
        assert_eq!(rig.on(Input::Suspend), [ClearTimer, Publish]);
        is_quiet(&rig);
        rig.now += 3_600_000;
        assert_eq!(rig.on(Input::Resume), [StartPush, Publish]);
    }
}

#[test]
fn failures_before_it_are_not_forgotten() {
    let mut rig = Rig::retrying();
    rig.run([Input::Suspend, Input::Resume, Input::PushFinished(Err(err(ErrorCode::Network)))]);
    assert_eq!(rig.status().next_retry_at_ms, Some(2_000));
}

#[test]
fn while_disconnected_only_who_waits_causes_work() {
    let mut rig = Rig::new();
    assert_eq!(rig.run([Input::Suspend, Input::Resume]), []);
    rig.run([Input::Upload(1), Input::Suspend]);
    is_quiet(&rig);
    assert_eq!(rig.on(Input::Resume), [StartPush, Publish]);
    assert_eq!(rig.on(Input::PushFinished(OK)), [ClearTimer, Publish, settle(&[1], Ok(()))]);
}

#[test]
fn connect_counts_when_it_is_over() {
    let mut rig = Rig::new();
    assert_eq!(rig.run([Input::Suspend, Input::Connect]), []);
    assert_eq!(rig.on(Input::Resume), [StartPush, Publish]);
    rig.run([Input::PushFinished(OK), pulled()]);
    assert_eq!(rig.machine.timer, Some(31_000));
}

#[test]
fn disconnect_turns_away_who_waits_and_it_stays_suspended() {
    let mut rig = Rig::synced();
    rig.run([Input::Trigger(1), Input::Suspend, Input::Upload(2)]);
    assert_eq!(rig.on(Input::Disconnect), [settle(&[1, 2], Err(ErrorCode::Disconnected))]);
    assert_eq!(rig.on(Input::Trigger(3)), [], "still suspended");
    assert_eq!(rig.on(Input::Disconnect), [settle(&[3], Err(ErrorCode::Disconnected))]);
    assert_eq!(rig.on(Input::Resume), [], "it does not sync by itself any more");
    assert_eq!(rig.on(Input::Trigger(4))[0], StartPush);
}

#[test]
fn close_ends_it() {
    let mut rig = Rig::synced();
    rig.run([Input::Reconcile(1), Input::Suspend]);
    assert_eq!(rig.on(Input::Close), [settle(&[1], Err(ErrorCode::Closed))]);
    assert_eq!(rig.on(Input::Resume), []);
}

#[test]
fn counts_are_kept_and_cleared_data_is_known() {
    let mut rig = Rig::synced();
    rig.on(Input::Suspend);
    assert_eq!(rig.on(Input::Counts { pending: 2, parked: 1 }), [Publish]);
    assert_eq!(rig.on(Input::Cleared), [Publish]);
    assert_eq!((rig.status().pending_changes, rig.status().has_synced), (2, false));
}
