//! Giving the file up while the app is suspended, and taking it up again.
//!
//! iOS ends an app that holds a lock on a file of a shared container while it is suspended (0xdead10cc), and SQLite holds
//! one as long as a connection in WAL mode is open. Guarantees: when [`Store::suspend`] has returned no connection to the
//! file is open; what is asked meanwhile waits and runs after [`Store::resume`]; nothing is lost that was answered. What
//! belongs to a connection (temporary tables, attached files) does not outlive it.

use super::{Store, closed};
use omnii_sync_core::error::Result;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

impl Store {
    /// Closes every connection, and folds the write-ahead log into the file unless another process reads it.
    ///
    /// What was asked before runs first, and an open transaction may end, for at most `grace`. After that statements are
    /// interrupted, an open transaction is rolled back (`TransactionEnded` for whoever goes on with it), and queries run
    /// once more after [`Self::resume`]. A pull under way is cancelled. Idempotent; also fine on a closed store.
    pub async fn suspend(&self, grace: Duration) {
        let _turn = self.suspending.lock().await;
        // its connection's proofs and positions end here
        self.cancel_pull();
        let end = Instant::now() + grace;
        // the last connection to close folds the log: readers first, lest the writer waits for them
        let mut readers = self.readers.suspend();
        if !is_there_by(end, &mut readers).await {
            self.readers.suspend_now();
            finished(readers).await;
        }
        let mut writer = self.writer.suspend();
        if !is_there_by(end, &mut writer).await {
            finished(self.writer.suspend_now()).await;
        }
    }

    /// Opens the file again and runs what waited. Does nothing if it is open.
    ///
    /// # Errors
    /// As [`Store::open`]. It is then also the answer to all that waited and to all that is asked until a later call
    /// succeeds. `Closed` on a closed store.
    pub async fn resume(&self) -> Result<()> {
        let _turn = self.suspending.lock().await;
        let outcome = self.writer.resume().await.unwrap_or_else(|_| Err(closed()));
        self.readers.resume(outcome.as_ref().err().cloned());
        outcome
    }
}

async fn is_there_by(end: Instant, answer: &mut oneshot::Receiver<()>) -> bool {
    timeout_at(end, answer).await.is_ok()
}

async fn finished(answer: oneshot::Receiver<()>) {
    // an error says that the threads have ended, and their connections with them
    let _ = answer.await;
}
