//! The two watches: work in flight that does not move, and an outbox that never gets shorter.

use super::*;

const TIMEOUT: i64 = 180_000;
const TICK: i64 = TIMEOUT / 4;

/// Lets the watch look until it gives up; says after how long.
fn until_cancelled(rig: &mut Rig) -> (i64, Vec<Effect>) {
    let began = rig.now;
    for _ in 0..10 {
        let effects = rig.fire();
        if effects.contains(&Cancel) {
            return (rig.now - began, effects);
        }
        assert_eq!(effects, []);
    }
    panic!("never cancelled");
}

fn message(rig: &Rig) -> &str {
    &rig.status().error.as_ref().expect("an error").message
}

#[test]
fn work_without_progress_is_given_up_and_tried_again_by_its_own_timer() {
    let mut rig = Rig::synced();
    rig.on(Input::Trigger(1));
    assert_eq!(rig.machine.timer, Some(rig.now + TICK), "work in flight has a timer");
    let (after, effects) = until_cancelled(&mut rig);
    assert_eq!(after, TIMEOUT);
    let error = rig.status().error.clone().unwrap();
    let settled = Effect::Settle { requests: vec![1], outcome: Err(error) };
    assert_eq!(effects, [Cancel, SetTimer { at_ms: rig.now + 500 }, Publish, settled]);
    assert_eq!((rig.code(), rig.status().kind()), (Some(ErrorCode::Stalled), StatusKind::Error));
    assert_eq!(rig.status().next_retry_at_ms, Some(rig.now + 500));
    assert!(message(&rig).contains("upload") && message(&rig).contains("180 s"), "{}", message(&rig));
    assert_eq!(rig.on(Input::PushFinished(OK)), [], "its late result is not heard");
    assert_eq!(rig.fire()[0], StartPush);
    rig.run([Input::PushFinished(OK), pulled()]);
    assert_eq!(rig.code(), None);
}

#[test]
fn each_kind_of_work_is_watched_and_named() {
    let mut rig = Rig::pulling();
    until_cancelled(&mut rig);
    assert!(message(&rig).contains("download"));
    let mut rig = Rig::synced();
    rig.run([Input::Reconcile(1), Input::PushFinished(OK), Input::PullFinished(Ok(Pulled::default()))]);
    until_cancelled(&mut rig);
    assert!(message(&rig).contains("deleted"));
    rig.fire();
    rig.on(Input::PushFinished(OK));
    rig.now += 6 * 3_600_000;
    assert!(rig.on(Input::PullFinished(Ok(Pulled::default()))).contains(&StartReconcile), "but not at once");
    // also what was asked for while disconnected
    let mut rig = Rig::new();
    rig.on(Input::Upload(1));
    let (_, effects) = until_cancelled(&mut rig);
    assert!(matches!(&effects[..], [Cancel, Publish, Effect::Settle { .. }]), "{effects:?}");
    assert_eq!(rig.code(), Some(ErrorCode::Stalled));
}

#[test]
fn a_stalled_upload_lets_the_next_rounds_download() {
    let mut rig = Rig::synced();
    rig.on(Input::Timer);
    until_cancelled(&mut rig);
    rig.fire();
    let (_, effects) = until_cancelled(&mut rig);
    assert_eq!(effects[..2], [Cancel, StartPull]);
    rig.on(pulled());
    assert_eq!(rig.code(), Some(ErrorCode::Stalled));
}

#[test]
fn progress_postpones_the_end_for_as_long_as_it_lasts() {
    let progress = [Input::Contacted, Input::Counts { pending: 4, parked: 0 }, Input::Counts { pending: 4, parked: 1 }];
    for input in progress {
        let mut rig = Rig::synced();
        rig.on(Input::Counts { pending: 5, parked: 0 });
        rig.on(Input::Timer);
        for _ in 0..100 {
            rig.now = rig.machine.timer.unwrap() - 1;
            // the same counts again would be no progress
            rig.on(Input::Counts { pending: 5, parked: 0 });
            rig.on(input.clone());
            assert_eq!(rig.fire(), []);
        }
        let (after, _) = until_cancelled(&mut rig);
        assert!((TIMEOUT..=TIMEOUT + TICK).contains(&after), "{input:?}: {after}");
    }
}

#[test]
fn local_writes_are_no_progress_of_syncing() {
    let mut rig = Rig::synced();
    rig.on(Input::Timer);
    let began = rig.now;
    for pending in 1..20 {
        rig.run([Input::Counts { pending, parked: 0 }, Input::LocalWrite]);
        if rig.fire().contains(&Cancel) {
            break;
        }
    }
    assert_eq!(rig.now - began, TIMEOUT);
}

#[test]
fn each_half_has_its_own_time() {
    let mut rig = Rig::synced();
    rig.on(Input::Timer);
    for _ in 0..3 {
        rig.fire();
    }
    rig.on(Input::PushFinished(OK));
    assert_eq!(until_cancelled(&mut rig).0, TIMEOUT);
}

#[test]
fn a_clock_that_jumps_is_no_stall_and_hides_none() {
    for jump in [-1_000_000_000_000, -TIMEOUT, TIMEOUT, 1_000_000_000_000] {
        let mut rig = Rig::pulling();
        for tick in 1..=4 {
            // the driver's timer measures the time from then to now by another clock
            rig.now = rig.machine.timer.unwrap() + jump;
            let effects = rig.on(Input::Timer);
            assert_eq!(effects.contains(&Cancel), tick == 4, "{jump}: {effects:?}");
        }
    }
}

#[test]
fn the_shortest_timeout_works() {
    let options = SyncOptions { stall_timeout_ms: 10, ..SyncOptions::default() };
    let mut rig = Rig { machine: Machine::new(options, Status::default()), now: 0 };
    rig.on(Input::Connect);
    assert!((10..=12).contains(&until_cancelled(&mut rig).0));
}

/// One complete round at the time of the next poll.
fn round(rig: &mut Rig) {
    rig.fire();
    rig.run([Input::PushFinished(OK), pulled()]);
}

#[test]
fn an_outbox_that_never_gets_shorter_is_reported_until_it_does() {
    let mut rig = Rig::synced();
    rig.on(Input::Counts { pending: 2, parked: 0 });
    let written = rig.now;
    while rig.code().is_none() {
        assert!(rig.now < written + 10 * TIMEOUT, "silence");
        round(&mut rig);
    }
    assert!((TIMEOUT..=TIMEOUT + 30_000).contains(&(rig.now - written)), "{}", rig.now - written);
    assert_eq!((rig.code(), rig.status().kind()), (Some(ErrorCode::Stalled), StatusKind::Error));
    assert_eq!((rig.status().last_synced_at_ms, rig.status().next_retry_at_ms), (Some(rig.now), None));
    round(&mut rig);
    assert_eq!(rig.code(), Some(ErrorCode::Stalled));
    assert_eq!(rig.on(Input::Counts { pending: 3, parked: 0 }), [Publish], "a new write changes nothing about it");
    assert_eq!(rig.code(), Some(ErrorCode::Stalled));
    rig.on(Input::Counts { pending: 2, parked: 0 });
    assert_eq!(rig.code(), None, "it moves");
    round(&mut rig);
    assert_eq!(rig.code(), None);
}

#[test]
fn a_busy_outbox_is_no_stall() {
    let mut rig = Rig::synced();
    for _ in 0..100 {
        // as many are written as are acknowledged
        rig.run([Input::Counts { pending: 8, parked: 0 }, Input::Counts { pending: 5, parked: 0 }]);
        rig.run([Input::Counts { pending: 8, parked: 0 }]);
        round(&mut rig);
        assert_eq!(rig.code(), None);
    }
}

#[test]
fn the_end_of_a_stalled_outbox_uncovers_what_else_is_to_be_told() {
    let mut rig = Rig::synced();
    rig.on(Input::Counts { pending: 2, parked: 0 });
    let warned = || {
        let warning = Some(err(ErrorCode::ForeignRow).error);
        Input::PullFinished(Ok(Pulled { warning, swept: true, ..Pulled::default() }))
    };
    for _ in 0..10 {
        rig.fire();
        rig.run([Input::PushFinished(OK), warned()]);
    }
    assert_eq!(rig.code(), Some(ErrorCode::Stalled));
    rig.on(Input::Counts { pending: 0, parked: 0 });
    assert_eq!(rig.code(), Some(ErrorCode::ForeignRow));
}

#[test]
fn time_offline_asleep_or_by_a_jumping_clock_is_no_stalled_outbox() {
    let mut rig = Rig::synced();
    rig.on(Input::Counts { pending: 2, parked: 0 });
    // hours of failures
    rig.on(Input::Timer);
    for _ in 0..20 {
        rig.on(Input::PushFinished(Err(err(ErrorCode::Network))));
        rig.fire();
    }
    rig.run([Input::PushFinished(OK), pulled()]);
    assert_eq!(rig.code(), None);
    // a backend that fails most of the time
    for _ in 0..20 {
        rig.fire();
        rig.on(Input::PushFinished(OK));
        rig.now += 60_000;
        rig.on(Input::PullFinished(Err(err(ErrorCode::Server))));
        rig.fire();
        rig.run([Input::PushFinished(OK), pulled()]);
        assert_eq!(rig.code(), None);
        rig.on(Input::Foreground);
        rig.run([Input::PushFinished(OK), Input::PullFinished(Err(err(ErrorCode::Server)))]);
    }
    rig.on(Input::Foreground);
    rig.run([Input::PushFinished(OK), pulled()]);
    // a night, a suspension, a pause, a clock that was set
    for pause in [vec![], vec![Input::Suspend, Input::Resume], vec![Input::Disconnect, Input::Connect]] {
        rig.on(Input::Counts { pending: 0, parked: 0 });
        rig.on(Input::Counts { pending: 2, parked: 0 });
        rig.now += 8 * 3_600_000;
        rig.run(pause);
        rig.run([Input::Timer, Input::PushFinished(OK), pulled()]);
        assert_eq!(rig.code(), None);
    }
    rig.now -= 80 * 3_600_000;
    rig.run([Input::Timer, Input::PushFinished(OK), pulled()]);
    assert_eq!(rig.code(), None);
}
