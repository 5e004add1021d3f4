//! Giving the file up while the app is suspended, and taking it up again.
//!
//! iOS ends an app that holds a lock on a file of a shared container while it is suspended (0xdead10cc), and SQLite holds
//! one as long as a connection in WAL mode is open. Guarantees: when [`Store::suspend`] has returned no connection to the
//! file is open; what is asked meanwhile waits and runs after [`Store::resume`]; nothing is lost that was answered. What
//! belongs to a connection (temporary tables, attached files) does not outlive it.

use super::{Execution, Key, Store, closed, internal};
use omnii_sync_core::error::{ErrorCode, Result};
use std::sync::{Arc, PoisonError};
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
        self.give_up(grace).await;
    }

    /// Gives the file another key, or its first one: closes every connection as [`Self::suspend`] does, writes the file anew,
    /// and opens it again. What fails leaves the file with the key it had.
    ///
    /// # Errors
    /// Those of the disk; `Busy` if another process has the file open; as [`Self::resume`].
    pub async fn rekey(self: &Arc<Self>, key: Key, grace: Duration) -> Result<()> {
        let _turn = self.suspending.lock().await;
        let mine = || self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        // kept from `close()`, lest the file be opened again while it is written anew
        let Some(claim) = mine().take() else { return Err(closed()) };
        self.give_up(grace).await;
        let store = self.clone();
        let change = move || (store.key.change(&store.path, key), claim);
        let (changed, claim) = match self.execution {
            Execution::Inline => change(),
            Execution::Threads => {
                tokio::task::spawn_blocking(change).await.map_err(|_| internal("changing the key panicked"))?
            }
        };
        let taken_up = self.take_up().await;
        if !matches!(&taken_up, Err(error) if error.code == ErrorCode::Closed) {
            *mine() = Some(claim);
        }
        taken_up.and(changed)
    }

    async fn give_up(&self, grace: Duration) {
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
        self.take_up().await
    }

    async fn take_up(&self) -> Result<()> {
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
