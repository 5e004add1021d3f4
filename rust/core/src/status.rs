//! What the app is told about syncing: one immutable snapshot, replaced as a whole.

use crate::error::SyncError;
use serde::Serialize;

/// The five words of the status, derived from the rest of the snapshot by [`Status::kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusKind {
    /// Not connected: told to disconnect, nobody signed in, or the backend can't be reached.
    Offline,
    /// Reaching the backend for the first time since `connect` or since the last failure.
    Connecting,
    /// Changes or pages are on their way.
    Syncing,
    /// The last round was complete and nothing is under way.
    Synced,
    /// The last round failed for another reason than the network.
    Error,
}

/// What the schedule goes by. The first reason that holds, from the last one of these to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SyncFrequency {
    /// Changes come and go, or the user does something.
    #[default]
    Active,
    /// In the foreground, but nothing has changed for some minutes.
    Idle,
    /// The network costs money.
    Metered,
    /// The battery is low.
    LowBattery,
    /// The app is in the background.
    Background,
    /// The device says that it has no network.
    Offline,
}

/// How far the download under way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DownloadProgress {
    /// Rows applied so far.
    pub downloaded: u64,
    /// An estimate, at least `downloaded`: one more page while the last one was full. The backend does not say how much is
    /// to come.
    pub total: u64,
}

/// A snapshot of the sync state. Serialises to the JSON that js/types.ts calls `NativeStatus`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// The last exchange with the backend succeeded, and syncing has not been told to stop.
    pub connected: bool,
    /// An attempt to reach the backend is under way while not connected.
    pub connecting: bool,
    /// An upload is in flight.
    pub uploading: bool,
    /// A download is in flight.
    pub downloading: bool,
    /// Local changes not yet acknowledged (queued or sent), parked ones not included.
    pub pending_changes: u64,
    /// Changes the backend refused for good; kept until retried or discarded.
    pub parked_changes: u64,
    /// Everything has been downloaded once with this database file, now or in an earlier run; uploads may still fail.
    pub has_synced: bool,
    /// End of the last complete round, ms since the Unix epoch.
    pub last_synced_at_ms: Option<i64>,
    /// End of the last complete sweep for rows deleted on the backend, ms since the Unix epoch.
    pub last_reconciled_at_ms: Option<i64>,
    /// Rows that the last pull delivered and that were refused: of another user, or not usable.
    pub refused_rows: u64,
    /// When the next attempt is due after a failure, ms since the Unix epoch.
    pub next_retry_at_ms: Option<i64>,
    /// Why the last round failed, or what is wrong though it was complete: rows that were refused, an outbox that does not get
    /// shorter, a sweep that keeps failing. Set anew by each round; cleared by connect, disconnect and suspension.
    pub error: Option<SyncError>,
    /// Why the last upload failed; only a later upload that succeeds clears it.
    pub upload_error: Option<SyncError>,
    /// Why the last download failed; only a later download that succeeds clears it.
    pub download_error: Option<SyncError>,
    /// Of the download under way, when something of it has been told.
    pub download_progress: Option<DownloadProgress>,
    /// What the schedule goes by.
    pub sync_frequency: SyncFrequency,
}

impl Status {
    /// The word for this snapshot.
    pub fn kind(&self) -> StatusKind {
        use crate::error::ErrorCode as E;
        if self.connected && (self.uploading || self.downloading) {
            return StatusKind::Syncing;
        }
        if self.connecting {
            return StatusKind::Connecting;
        }
        match &self.error {
            // an upload alone may get no answer while downloads do
            Some(e) if e.code == E::Timeout && self.connected => StatusKind::Error,
            Some(e) if matches!(e.code, E::Network | E::Timeout | E::NoCredentials | E::Disconnected) => {
                StatusKind::Offline
            }
            Some(_) => StatusKind::Error,
            None if self.connected => StatusKind::Synced,
            None => StatusKind::Offline,
        }
    }

    /// The snapshot as JSON, with `status` first.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            status: StatusKind,
            connected: bool,
            connecting: bool,
            uploading: bool,
            downloading: bool,
            pending_changes: u64,
            parked_changes: u64,
            has_synced: bool,
            last_synced_at: Option<i64>,
            last_reconciled_at: Option<i64>,
            refused_rows: u64,
            next_retry_at: Option<i64>,
            error: Option<&'a SyncError>,
            upload_error: Option<&'a SyncError>,
            download_error: Option<&'a SyncError>,
            download_progress: Option<DownloadProgress>,
            sync_frequency: SyncFrequency,
        }
        let wire = Wire {
            status: self.kind(),
            connected: self.connected,
            connecting: self.connecting,
            uploading: self.uploading,
            downloading: self.downloading,
            pending_changes: self.pending_changes,
            parked_changes: self.parked_changes,
            has_synced: self.has_synced,
            last_synced_at: self.last_synced_at_ms,
            last_reconciled_at: self.last_reconciled_at_ms,
            refused_rows: self.refused_rows,
            next_retry_at: self.next_retry_at_ms,
            error: self.error.as_ref(),
            upload_error: self.upload_error.as_ref(),
            download_error: self.download_error.as_ref(),
            download_progress: self.download_progress,
            sync_frequency: self.sync_frequency,
        };
        serde_json::to_string(&wire).expect("numbers, booleans and strings always serialise")
    }
}
