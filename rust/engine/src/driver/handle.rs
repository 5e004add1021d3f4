//! The way to a running driver: inputs in, answers and snapshots out.
//!
//! Every call queues its message at once, so that what is asked first is heard first, whoever polls when.

use super::Message;
use omnii_sync_core::error::{ErrorCode, SyncError};
use omnii_sync_core::machine::Input;
use omnii_sync_core::status::{DownloadProgress, Status};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// The way to a running driver. Cheap to clone; callable from any thread. When the last one is dropped the driver closes.
#[derive(Clone)]
pub struct DriverHandle {
    pub(super) inbox: mpsc::UnboundedSender<Message>,
    pub(super) snapshot: Arc<Mutex<Arc<Status>>>,
    /// Its sender is dropped when the driver has ended.
    pub(super) ended: watch::Receiver<()>,
}

impl DriverHandle {
    /// Feeds one input. Does nothing after close. Requests go through [`Self::trigger`], [`Self::upload`] and
    /// [`Self::reconcile`], which know their ids; they are refused here, as are the inputs that only the driver itself may
    /// make.
    pub fn send(&self, input: Input) {
        match input {
            Input::Connect
            | Input::Disconnect
            | Input::LocalWrite
            | Input::Foreground
            | Input::Background
            | Input::Active
            | Input::NetworkRegained
            | Input::NetworkLost
            | Input::Metered(_)
            | Input::BatteryLow(_)
            | Input::CredentialsChanged
            | Input::Contacted
            | Input::Progress(_)
            | Input::Counts { .. }
            | Input::Cleared
            | Input::Suspend
            | Input::Resume
            | Input::Close => {
                // The driver has ended: everything is inert.
                let _ = self.inbox.send(Message::Input(input));
            }
            Input::Trigger(_)
            | Input::Upload(_)
            | Input::Reconcile(_)
            | Input::Timer
            | Input::PushFinished(_)
            | Input::PullFinished(_)
            | Input::ReconcileFinished(_) => {
                tracing::error!("an input that belongs to the driver was refused");
            }
        }
    }

    /// Asks for a whole round at once (not first when the future is polled) and waits for its outcome.
    pub fn trigger(&self) -> impl Future<Output = Result<(), SyncError>> + Send + 'static + use<> {
        self.request(Message::Trigger)
    }

    /// Asks for a push alone at once and waits for its outcome.
    pub fn upload(&self) -> impl Future<Output = Result<(), SyncError>> + Send + 'static + use<> {
        self.request(Message::Upload)
    }

    /// Asks for a whole round with a sweep for rows deleted on the backend at once and waits for its outcome.
    pub fn reconcile(&self) -> impl Future<Output = Result<(), SyncError>> + Send + 'static + use<> {
        self.request(Message::Reconcile)
    }

    /// Suspends at once (see [`Input::Suspend`]); resolves when the task that was in flight has really ended. What it handed
    /// to other threads may outlive it, see `Work`.
    pub fn suspend(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.send(Input::Suspend);
        let (answer, drained) = oneshot::channel();
        let _ = self.inbox.send(Message::Drained(answer));
        async move {
            // an error says that the driver has ended, and all with it
            let _ = drained.await;
        }
    }

    fn request(
        &self,
        message: fn(oneshot::Sender<Result<(), SyncError>>) -> Message,
    ) -> impl Future<Output = Result<(), SyncError>> + Send + 'static + use<> {
        let (answer, outcome) = oneshot::channel();
        // If the driver has ended, the message and the sender in it are dropped.
        let _ = self.inbox.send(message(answer));
        async move { outcome.await.unwrap_or_else(|_| Err(SyncError::new(ErrorCode::Closed, "the database was closed"))) }
    }

    /// Resolves when all that was sent before this call has reached the status; at once if the driver has ended.
    pub fn settled(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (answer, settled) = oneshot::channel();
        let _ = self.inbox.send(Message::Settled(answer));
        async move {
            // an error says that the driver has ended, and all with it
            let _ = settled.await;
        }
    }

    /// The latest snapshot.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.snapshot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For [`Client::on_contact`](crate::client::Client::on_contact). Does not keep the driver alive, which in turn keeps
    /// the client alive.
    pub fn contact_hook(&self) -> impl Fn() + Send + Sync + 'static {
        let inbox = self.inbox.downgrade();
        move || {
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(Message::Input(Input::Contacted));
            }
        }
    }

    /// For [`Progress`](crate::protocol1::Progress). As [`Self::contact_hook`].
    pub(crate) fn progress_hook(&self) -> impl Fn(DownloadProgress) + Send + Sync + 'static {
        let inbox = self.inbox.downgrade();
        move |progress| {
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(Message::Input(Input::Progress(progress)));
            }
        }
    }

    /// Cancels what is in flight, rejects who waits with `Closed`, and returns when the tasks have really ended. After
    /// that nothing is emitted. May be called more than once.
    pub async fn close(&self) {
        self.send(Input::Close);
        let mut ended = self.ended.clone();
        // Nothing is ever sent: the error is the end.
        while ended.changed().await.is_ok() {}
    }
}

impl fmt::Debug for DriverHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverHandle").field("status", &self.status()).finish_non_exhaustive()
    }
}
