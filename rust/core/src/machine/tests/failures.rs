//! Every kind of failure: what is shown, and when the next attempt comes.

use super::*;

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
    rig.run([Input::PushFinished(OK), pulled()]);
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
    for code in [E::Network, E::NoCredentials, E::CredentialsFailed, E::CredentialsTimeout, E::Unauthorized] {
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
        let effects = rig.on(pulled());
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
fn waking_up_during_a_round_repeats_it_at_once_if_it_fails() {
    for input in [Input::Foreground, Input::NetworkRegained, Input::CredentialsChanged] {
        let mut rig = Rig::synced();
        rig.run([Input::Timer, input.clone()]);
        assert_eq!(rig.on(Input::PushFinished(Err(err(ErrorCode::Network))))[0], StartPush, "{input:?}");
        let effects = rig.on(Input::PushFinished(Err(err(ErrorCode::Network))));
        assert!(matches!(effects[0], SetTimer { .. }), "once only: {effects:?}");
        let mut rig = Rig::synced();
        rig.run([Input::Timer, input, Input::PushFinished(OK)]);
        assert_eq!(rig.on(pulled())[0], SetTimer { at_ms: 31_000 });
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
fn an_upload_that_gets_no_answer_twice_in_a_row_lets_downloads_go_on() {
    for code in [ErrorCode::Timeout, ErrorCode::Stalled] {
        let mut rig = Rig::synced();
        rig.on(Input::Timer);
        assert!(!rig.on(Input::PushFinished(Err(err(code)))).contains(&StartPull), "{code:?}");
        for _ in 0..3 {
            assert!(rig.fire().contains(&StartPush));
            assert!(rig.on(Input::PushFinished(Err(err(code)))).contains(&StartPull), "{code:?}");
            let effects = rig.on(pulled());
            assert!(matches!(effects[0], SetTimer { .. }), "{effects:?}");
            assert_eq!((rig.code(), rig.status().connected), (Some(code), true));
            assert_eq!(rig.status().kind(), StatusKind::Error);
            assert!(rig.status().next_retry_at_ms.is_some());
        }
        // the pull has the last word on whether the backend can be reached
        rig.fire();
        rig.run([Input::PushFinished(Err(err(code))), Input::PullFinished(Err(err(ErrorCode::Network)))]);
        assert_eq!((rig.code(), rig.status().connected), (Some(code), false));
        // one that gets an answer ends it
        rig.fire();
        rig.run([Input::PushFinished(OK), pulled(), Input::Foreground]);
        assert!(!rig.on(Input::PushFinished(Err(err(code)))).contains(&StartPull), "{code:?}");
    }
}

#[test]
fn a_refused_user_waits_visibly_and_new_credentials_end_the_wait() {
    let mut rig = Rig::synced();
    rig.on(Input::Timer);
    for n in 1..=4 {
        rig.on(Input::PushFinished(Err(err(ErrorCode::Unauthorized))));
        assert_eq!((rig.code(), rig.status().kind()), (Some(ErrorCode::Unauthorized), StatusKind::Error));
        assert_eq!(rig.status().next_retry_at_ms, Some(rig.now + (250 << n)), "the backoff allows one more try");
        assert!(rig.fire().contains(&StartPush));
    }
    rig.on(Input::PushFinished(Err(err(ErrorCode::Unauthorized))));
    assert_eq!(rig.on(Input::LocalWrite), []);
    assert_eq!(rig.on(Input::CredentialsChanged)[0], StartPush);
    rig.run([Input::PushFinished(OK), pulled()]);
    assert_eq!(rig.status().kind(), StatusKind::Synced);
}

#[test]
fn a_regained_network_ends_the_wait_for_a_retry() {
    let mut rig = Rig::synced();
    rig.on(Input::Timer);
    for _ in 0..9 {
        rig.on(Input::PushFinished(Err(err(ErrorCode::Network))));
        rig.fire();
    }
    rig.on(Input::PushFinished(Err(err(ErrorCode::Network))));
    assert_eq!(rig.status().next_retry_at_ms, Some(rig.now + 150_000));
    assert_eq!(rig.on(Input::NetworkRegained)[0], StartPush);
    assert_eq!(rig.status().next_retry_at_ms, None);
}

#[test]
fn a_refused_row_keeps_nothing_from_being_synced() {
    let mut rig = Rig::new();
    rig.run([Input::Connect, Input::PushFinished(OK)]);
    rig.on(Input::Trigger(1));
    let warned =
        || Pulled { refused_rows: 3, warning: Some(err(ErrorCode::ForeignRow).error), swept: true, changed_rows: 0 };
    assert_eq!(rig.on(Input::PullFinished(Ok(warned())))[0], StartPush, "the trigger came too late for that round");
    rig.on(Input::PushFinished(OK));
    let effects = rig.on(Input::PullFinished(Ok(warned())));
    assert_eq!(effects, [SetTimer { at_ms: 31_000 }, Publish, settle(&[1], Ok(()))]);
    assert!(rig.status().has_synced && rig.status().connected);
    assert_eq!((rig.status().last_synced_at_ms, rig.status().refused_rows), (Some(1_000), 3));
    assert_eq!((rig.code(), rig.status().kind()), (Some(ErrorCode::ForeignRow), StatusKind::Error));
    assert_eq!(rig.status().next_retry_at_ms, None, "nothing is retried");
    assert_eq!(rig.on(Input::LocalWrite), [SetTimer { at_ms: 1_200 }]);
    rig.run([Input::Timer, Input::PushFinished(OK), pulled()]);
    assert_eq!((rig.code(), rig.status().refused_rows), (None, 0));
}

#[test]
fn a_warning_ends_a_row_of_failures() {
    let mut rig = Rig::retrying();
    rig.fire();
    let warning = Some(err(ErrorCode::TableFailed).error);
    rig.run([Input::PushFinished(OK), Input::PullFinished(Ok(Pulled { warning, swept: true, ..Pulled::default() }))]);
    rig.run([Input::Timer, Input::PushFinished(Err(err(ErrorCode::Network)))]);
    assert_eq!(rig.status().next_retry_at_ms, Some(rig.now + 500));
}
