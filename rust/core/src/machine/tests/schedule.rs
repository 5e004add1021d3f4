//! How often polls come, and what may bring them sooner.

use super::*;
use crate::status::{DownloadProgress, SyncFrequency as F};

/// A round without anything new; answers the time until the next poll.
fn quiet_round(rig: &mut Rig) -> i64 {
    rig.run([Input::PushFinished(OK), pulled()]);
    rig.machine.timer.unwrap() - rig.now
}

fn frequency(rig: &Rig) -> F {
    rig.status().sync_frequency
}

#[test]
fn polls_get_rarer_when_nothing_changes_and_come_back_with_the_user() {
    let mut rig = Rig::synced();
    let mut gaps = Vec::new();
    for _ in 0..11 {
        rig.fire();
        gaps.push(quiet_round(&mut rig) / 1000);
    }
    assert_eq!(gaps, [30, 30, 30, 30, 30, 60, 120, 240, 300, 300, 300]);
    assert_eq!(frequency(&rig), F::Idle);
    rig.now += 10_000;
    assert_eq!(rig.on(Input::Active), [SetTimer { at_ms: rig.now + 20_000 }, Publish], "30 s after the last one");
    assert_eq!(frequency(&rig), F::Active);
    rig.now += 1;
    assert_eq!(rig.on(Input::Active), [], "nothing new");
}

#[test]
fn what_arrives_keeps_polls_frequent_and_so_does_what_waits() {
    for pending in [0, 1] {
        let mut rig = Rig::synced();
        rig.on(Input::Counts { pending, parked: 0 });
        for _ in 0..20 {
            rig.fire();
            let changed_rows = 1 - pending;
            let brought = Input::PullFinished(Ok(Pulled { swept: true, changed_rows, ..Pulled::default() }));
            rig.run([Input::PushFinished(OK), brought]);
            assert_eq!((rig.machine.timer, frequency(&rig)), (Some(rig.now + 30_000), F::Active));
        }
    }
}

#[test]
fn each_reason_has_its_interval_and_the_gravest_counts() {
    let mut rig = Rig::synced();
    for (input, expected, gap) in [
        (Input::Metered(true), F::Metered, 300),
        (Input::BatteryLow(true), F::LowBattery, 300),
        (Input::Background, F::Background, 900),
        (Input::NetworkLost, F::Offline, 300),
    ] {
        rig.on(input);
        assert_eq!((frequency(&rig), rig.machine.timer.unwrap() - rig.now), (expected, gap * 1000));
    }
    assert_eq!(rig.on(Input::NetworkRegained), [StartPush, Publish]);
    assert_eq!((quiet_round(&mut rig), frequency(&rig)), (900_000, F::Background));
    assert_eq!(rig.on(Input::Foreground), [StartPush, Publish]);
    assert_eq!((quiet_round(&mut rig), frequency(&rig)), (300_000, F::LowBattery));
    rig.now += 100_000;
    rig.on(Input::BatteryLow(false));
    assert_eq!(rig.machine.timer, Some(rig.now + 200_000), "still metered, and counted from the last round");
    rig.on(Input::Metered(false));
    assert_eq!((rig.machine.timer, frequency(&rig)), (Some(rig.now), F::Active), "overdue");
}

#[test]
fn local_writes_are_pushed_whatever_the_schedule() {
    for input in [Input::Metered(true), Input::BatteryLow(true), Input::Background] {
        let mut rig = Rig::synced();
        rig.run([input, Input::LocalWrite]);
        assert_eq!(rig.machine.timer, Some(rig.now + 200));
    }
}

#[test]
fn without_a_network_nothing_is_tried_but_by_wish_and_now_and_then() {
    let mut rig = Rig::synced();
    assert_eq!(rig.on(Input::NetworkLost), [SetTimer { at_ms: 301_000 }, Publish]);
    assert_eq!(rig.status().kind(), StatusKind::Offline);
    assert_eq!(rig.on(Input::NetworkLost), [], "known");
    rig.run([Input::Counts { pending: 1, parked: 0 }, Input::LocalWrite]);
    assert_eq!(rig.machine.timer, Some(301_000), "a write waits for the network");
    // the rare attempt fails
    rig.fire();
    rig.run([Input::LocalWrite, Input::PushFinished(Err(err(ErrorCode::Network)))]);
    assert_eq!((rig.machine.timer, frequency(&rig)), (Some(rig.now + 300_000), F::Offline));
    // or by wish
    assert!(rig.on(Input::Foreground).contains(&StartPush));
    rig.on(Input::PushFinished(Err(err(ErrorCode::Network))));
    assert_eq!(rig.machine.timer, Some(rig.now + 300_000));
    // and the network comes back
    assert_eq!(rig.on(Input::NetworkRegained), [StartPush, Publish]);
    assert_eq!(frequency(&rig), F::Active);
}

#[test]
fn a_backend_that_answers_proves_the_report_wrong() {
    let mut rig = Rig::synced();
    rig.run([Input::NetworkLost, Input::Upload(1), Input::Contacted]);
    assert_eq!(frequency(&rig), F::Active);
    let effects = rig.on(Input::PushFinished(OK));
    assert_eq!(effects, [StartPush, settle(&[1], Ok(()))], "a whole round follows, instead of a long wait");
    assert_eq!(quiet_round(&mut rig), 30_000);
}

#[test]
fn a_network_lost_while_a_retry_waits_postpones_it() {
    let mut rig = Rig::retrying();
    rig.on(Input::NetworkLost);
    assert_eq!(rig.machine.timer, Some(rig.now + 300_000));
    assert_eq!(rig.on(Input::NetworkRegained), [StartPush, Publish]);
}

#[test]
fn a_failure_in_the_background_is_no_reason_to_try_more_often_unless_something_waits() {
    for (pending, gap) in [(0, 900_000), (1, 500)] {
        let mut rig = Rig::synced();
        rig.run([Input::Background, Input::Counts { pending, parked: 0 }]);
        rig.fire();
        rig.run([Input::PushFinished(OK), Input::PullFinished(Err(err(ErrorCode::Server)))]);
        assert_eq!(rig.machine.timer, Some(rig.now + gap));
    }
}

#[test]
fn each_direction_keeps_its_error_until_it_succeeds() {
    let mut rig = Rig::pulling();
    let codes = |rig: &Rig| {
        let code = |e: &Option<SyncError>| e.as_ref().map(|e| e.code);
        (code(&rig.status().upload_error), code(&rig.status().download_error))
    };
    rig.on(Input::PullFinished(Err(err(ErrorCode::Server))));
    assert_eq!(codes(&rig), (None, Some(ErrorCode::Server)));
    rig.fire();
    rig.on(Input::PushFinished(Err(err(ErrorCode::Rejected))));
    assert_eq!(codes(&rig), (Some(ErrorCode::Rejected), Some(ErrorCode::Server)));
    rig.on(pulled());
    assert_eq!(codes(&rig), (Some(ErrorCode::Rejected), None));
    rig.run([Input::Suspend, Input::Resume]);
    assert_eq!(codes(&rig), (Some(ErrorCode::Rejected), None));
    rig.on(Input::PushFinished(OK));
    assert_eq!(codes(&rig), (None, None));
}

#[test]
fn progress_is_shown_while_a_download_is_in_flight() {
    let progress = Input::Progress(DownloadProgress { downloaded: 1_000, total: 2_000 });
    let mut rig = Rig::pulling();
    assert_eq!(rig.on(progress.clone()), [Publish]);
    let json = rig.status().to_json();
    assert!(json.contains(r#""downloadProgress":{"downloaded":1000,"total":2000},"syncFrequency":"active""#), "{json}");
    rig.on(pulled());
    assert_eq!(rig.status().download_progress, None);
    assert_eq!(rig.on(progress), [], "too late");
}
