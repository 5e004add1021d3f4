//! What goes into the machine and what comes out: the whole vocabulary between it and whoever drives it.
//!
//! Plain data. It owns nothing and refuses nothing; which error counts as "the backend can't be reached" is decided here,
//! in one place.

use crate::error::{ErrorCode, SyncError};
use crate::status::DownloadProgress;

/// Names one caller waiting for a round; the driver never reuses one.
pub type RequestId = u64;

/// Why a push, a pull or a sweep failed.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundError {
    /// What the app is told.
    pub error: SyncError,
    /// How long the backend asked us to stay away, in ms.
    pub retry_after_ms: Option<u64>,
}

impl RoundError {
    /// Whether the backend could not be talked to at all, so that the other half of the round would fail the same way.
    pub(super) fn is_connection_level(&self) -> bool {
        matches!(
            self.error.code,
            ErrorCode::Network
                | ErrorCode::Timeout
                | ErrorCode::NoCredentials
                | ErrorCode::CredentialsFailed
                | ErrorCode::CredentialsTimeout
                | ErrorCode::Unauthorized
        )
    }

    /// Whether nothing was heard for too long. It may be this one request that is too much for the backend.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self.error.code, ErrorCode::Timeout | ErrorCode::Stalled)
    }

    /// Whether only some table or row is at fault: the backend is there, and everything else was exchanged.
    pub(super) fn is_of_one_table(&self) -> bool {
        matches!(self.error.code, ErrorCode::TableFailed | ErrorCode::CursorStalled | ErrorCode::ForeignRow)
    }

    /// Whether a sweep that fails with this will fail again though everything else works.
    pub(super) fn is_of_the_sweep(&self) -> bool {
        !(self.error.retryable || self.is_connection_level())
    }

    /// Whether an attempt soon may help. "Nobody is signed in" changes by an event, not by asking again.
    pub(super) fn is_worth_backoff(&self) -> bool {
        self.error.retryable && self.error.code != ErrorCode::NoCredentials
    }
}

impl From<SyncError> for RoundError {
    fn from(error: SyncError) -> Self {
        Self { error, retry_after_ms: None }
    }
}

/// What a complete pull or sweep says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pulled {
    /// Rows that were delivered and refused.
    pub refused_rows: u64,
    /// What the app should know though everything that could be applied was. The round is complete all the same.
    pub warning: Option<SyncError>,
    /// Rows that are gone on the backend are gone here, too: a sweep would find nothing to do. So after a first pull into
    /// an empty file.
    pub swept: bool,
    /// Rows that are not as they were before.
    pub changed_rows: u64,
}

/// What happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The app wants syncing. Does nothing if it wanted it already.
    Connect,
    /// The app wants silence: the round in flight is cancelled, its waiters are rejected.
    Disconnect,
    /// A local transaction put something into the outbox.
    LocalWrite,
    /// The app asks for a whole round that begins now or later, also while disconnected.
    Trigger(RequestId),
    /// The app asks for a push without a pull, also while disconnected.
    Upload(RequestId),
    /// The app asks for a whole round with a sweep for rows deleted on the backend, also while disconnected. The sweep
    /// begins after this.
    Reconcile(RequestId),
    /// The app came to the foreground; connections may have died meanwhile.
    Foreground,
    /// The app went to the background and still runs.
    Background,
    /// The user does something.
    Active,
    /// The device is on a network again.
    NetworkRegained,
    /// The device says that it has no network. Until it says otherwise, or the backend answers, only explicit wishes and a
    /// rare attempt of our own are tried.
    NetworkLost,
    /// Whether the network costs money.
    Metered(bool),
    /// Whether the battery is low.
    BatteryLow(bool),
    /// Somebody signed in, or the token was renewed.
    CredentialsChanged,
    /// The timer set by [`Effect::SetTimer`] fired. It is trusted to be the latest one: the wall clock may have jumped.
    Timer,
    /// The backend gave a good answer during the work in flight.
    Contacted,
    /// How far the download in flight is.
    Progress(DownloadProgress),
    /// The work of [`Effect::StartPush`] ended.
    PushFinished(Result<(), RoundError>),
    /// The work of [`Effect::StartPull`] ended.
    PullFinished(Result<Pulled, RoundError>),
    /// The work of [`Effect::StartReconcile`] ended. `swept` goes without saying.
    ReconcileFinished(Result<Pulled, RoundError>),
    /// The outbox as it is now.
    Counts {
        /// Changes queued or sent.
        pending: u64,
        /// Changes refused for good.
        parked: u64,
    },
    /// The synced rows and cursors were dropped: nothing has been synced yet.
    Cleared,
    /// The process may be stopped at any moment: what is in flight is cancelled and nothing begins until
    /// [`Input::Resume`]. Who waits goes on waiting. Does nothing if suspended already.
    Suspend,
    /// Goes on after [`Input::Suspend`]: a round begins at once if syncing is wanted or somebody waits for one.
    Resume,
    /// The database closes. Everything after it is inert.
    Close,
}

/// What the driver must do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Start a push; answer with [`Input::PushFinished`].
    StartPush,
    /// Start a pull; answer with [`Input::PullFinished`].
    StartPull,
    /// Start a sweep, which is also a pull of everything; answer with [`Input::ReconcileFinished`].
    StartReconcile,
    /// Stop the work in flight and never report its result.
    Cancel,
    /// Send [`Input::Timer`] at this time, instead of at the time set before. May lie in the past.
    SetTimer {
        /// Milliseconds since the Unix epoch.
        at_ms: i64,
    },
    /// Forget the timer.
    ClearTimer,
    /// [`Machine::status`](super::Machine::status) changed: show it.
    Publish,
    /// These requests are answered.
    Settle {
        /// At least one.
        requests: Vec<RequestId>,
        /// How their round ended.
        outcome: Result<(), SyncError>,
    },
}
