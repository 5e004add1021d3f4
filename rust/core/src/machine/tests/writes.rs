//! Local writes: gathered, pushed soon, and never in the way of a retry.

use super::*;

#[test]
fn a_write_waits_for_the_throttle_counted_from_the_first_one() {
    let mut rig = Rig::synced();
    assert_eq!(rig.on(Input::LocalWrite), [SetTimer { at_ms: 1_200 }]);
    rig.now = 1_150;
    assert_eq!(rig.on(Input::LocalWrite), []);
    rig.now = 1_200;
    assert_eq!(rig.on(Input::Timer), [StartPush]);
    // Its poll timer was replaced, not kept beside.
    rig.run([Input::PushFinished(OK), pulled()]);
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
        assert_eq!(rig.on(pulled()), [SetTimer { at_ms: 1_300 }, Publish]);
    }
}

#[test]
fn a_clock_set_back_does_not_postpone_a_write() {
    let mut rig = Rig::synced();
    rig.now = 3_600_000;
    rig.run([Input::Timer, Input::LocalWrite]);
    rig.now = 0;
    rig.run([Input::PushFinished(OK), pulled()]);
    assert_eq!(rig.machine.timer, Some(200));
}

#[test]
fn a_write_neither_shortens_nor_owns_a_retry() {
    use ErrorCode as E;
    // (push, pull): uploading itself failed, or the backend could not be reached
    let failures = [
        (Some(E::Server), None),
        (Some(E::Network), None),
        (Some(E::Server), Some(E::Server)),
        (None, Some(E::Network)),
    ];
    for (push, pull) in failures {
        let mut rig = Rig::synced();
        rig.run([Input::Timer, Input::PushFinished(push.map_or(OK, |code| Err(err(code))))]);
        rig.on(pull.map_or(pulled(), |code| Input::PullFinished(Err(err(code)))));
        assert_eq!(rig.on(Input::LocalWrite), [], "{push:?} {pull:?}");
        assert_eq!((rig.machine.timer, rig.status().next_retry_at_ms), (Some(1_500), Some(1_500)));
    }
}

#[test]
fn a_write_during_a_failing_round_does_not_shorten_its_retry() {
    let mut rig = Rig::synced();
    rig.run([Input::Timer, Input::LocalWrite, Input::PushFinished(Err(err(ErrorCode::Network)))]);
    assert_eq!((rig.machine.timer, rig.status().next_retry_at_ms), (Some(1_500), Some(1_500)));
}

#[test]
fn a_write_during_an_upload_brings_the_round_forward() {
    let mut rig = Rig::synced();
    rig.run([Input::Upload(1), Input::LocalWrite, Input::PushFinished(OK)]);
    assert_eq!(rig.machine.timer, Some(1_200));
}

#[test]
fn a_write_is_pushed_while_only_downloading_fails_and_the_retry_stays_where_it_was() {
    let mut rig = Rig::pulling();
    let error = RoundError { retry_after_ms: Some(60_000), ..err(ErrorCode::Server) };
    rig.on(Input::PullFinished(Err(error)));
    assert_eq!((rig.machine.timer, rig.status().next_retry_at_ms), (Some(61_500), Some(61_500)));
    for written_at in [2_000, 10_000] {
        rig.now = written_at;
        assert_eq!(rig.on(Input::LocalWrite), [SetTimer { at_ms: written_at + 200 }]);
        assert_eq!(rig.on(Input::LocalWrite), []);
        assert_eq!(rig.status().next_retry_at_ms, Some(61_500));
        assert_eq!(rig.fire(), [StartPush, Publish]);
        assert_eq!(rig.on(Input::PushFinished(OK)), [SetTimer { at_ms: 61_500 }, Publish], "a push alone");
        assert_eq!((rig.code(), rig.status().next_retry_at_ms), (Some(ErrorCode::Server), Some(61_500)));
    }
    // a write during such a push gets one of its own
    rig.now = 20_000;
    rig.on(Input::LocalWrite);
    rig.fire();
    rig.on(Input::LocalWrite);
    rig.on(Input::PushFinished(OK));
    assert_eq!(rig.machine.timer, Some(20_400));
    // when the push fails, too, writes wait with it
    rig.fire();
    rig.on(Input::PushFinished(Err(err(ErrorCode::Server))));
    assert_eq!((rig.machine.timer, rig.on(Input::LocalWrite)), (Some(20_400 + 1_000), vec![]));
    assert_eq!(rig.fire()[0], StartPush);
    assert!(rig.on(Input::PushFinished(OK)).contains(&StartPull), "a whole round");
}

#[test]
fn a_write_during_a_pull_that_fails_is_pushed_soon() {
    let mut rig = Rig::pulling();
    rig.on(Input::LocalWrite);
    rig.on(Input::PullFinished(Err(err(ErrorCode::Internal))));
    assert_eq!((rig.machine.timer, rig.status().next_retry_at_ms), (Some(1_200), Some(301_000)));
}

#[test]
fn a_write_just_before_the_retry_rides_on_it() {
    let mut rig = Rig::retrying();
    rig.now = 1_400;
    assert_eq!(rig.on(Input::LocalWrite), []);
    rig.fire();
    assert_eq!((rig.now, rig.on(Input::PushFinished(OK))[0].clone()), (1_500, StartPull));
}

#[test]
fn an_upload_during_a_retry_takes_the_waiting_write_along() {
    let mut rig = Rig::pulling();
    rig.on(Input::PullFinished(Err(err(ErrorCode::Internal))));
    rig.run([Input::LocalWrite, Input::Upload(1), Input::PushFinished(OK)]);
    assert_eq!(rig.machine.timer, Some(301_000));
}
