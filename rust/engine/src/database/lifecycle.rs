//! The beginnings and ends of a [`Database`]'s days: the app is suspended and comes back, the user signs out.

use super::{Database, OnSignOut};
use crate::store::{Execution, Imported, Key};
use omnii_sync_core::error::{ErrorCode, Result, SyncError};
use omnii_sync_core::machine::Input;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long what the app had begun may go on when it is about to be suspended. iOS gives a few seconds for everything.
const SUSPEND_GRACE: Duration = Duration::from_secs(1);

/// The same before the file gets another key; nobody is in a hurry then.
const REKEY_GRACE: Duration = Duration::from_secs(10);

impl Database {
    /// Ends the round in flight and releases every lock on the file, so that iOS may suspend the process. What is asked of
    /// the database meanwhile waits for [`Self::resume`]; what was asked before may go on for a second, then a transaction
    /// that is still open is rolled back. Idempotent; does nothing on a closed database.
    pub async fn prepare_for_suspend(&self) -> Result<()> {
        let mut is_suspended = self.suspension.lock().await;
        *is_suspended = true;
        // its bookkeeping comes before the file is given up
        self.driver.suspend().await;
        self.store.suspend(SUSPEND_GRACE).await;
        Ok(())
    }

    /// Takes the file up again and syncs if that was wanted before. Idempotent.
    ///
    /// # Errors
    /// As when opening. Everything that needs the file is then answered with that error until a later call succeeds.
    pub async fn resume(&self) -> Result<()> {
        let mut is_suspended = self.suspension.lock().await;
        let resumed = self.store.resume().await;
        self.events.live.resumed();
        resumed?;
        *is_suspended = false;
        self.driver.send(Input::Resume);
        Ok(())
    }

    /// Encrypts the file with another key, or for the first time. Meanwhile no connection is open: what is asked waits, the
    /// round in flight ends and is taken up again, and an open transaction has ten seconds to end before it is rolled back.
    ///
    /// # Errors
    /// `Suspended` while the app is; those of the disk, and `Busy` if another process has the file open: the file then has the
    /// key it had.
    pub async fn rekey(&self, key: Key) -> Result<()> {
        let is_suspended = self.suspension.lock().await;
        if *is_suspended {
            return Err(SyncError::new(ErrorCode::Suspended, "the app is suspended; change the key after resume()"));
        }
        self.driver.suspend().await;
        let outcome = self.store.rekey(key, REKEY_GRACE).await;
        self.events.live.resumed();
        self.driver.send(Input::Resume);
        outcome
    }

    /// What this file took in of a PowerSync database (`importFrom`), now or at an earlier opening; `None` if nothing.
    pub fn imported(&self) -> Option<Imported> {
        self.store.remembered().imported
    }

    /// Pushes what is pending for at most `timeout`, closes, and deletes the file if `policy` says so. Answers whether the
    /// file was deleted. Nothing may be asked of the database afterwards. Never fails for want of a connection or a token:
    /// then the file stays, unless `policy` is [`OnSignOut::Clear`].
    ///
    /// # Errors
    /// Of the file (`Unwritable`, `CorruptDatabase`), which is closed and stays; `AlreadyOpen` when this database was closed
    /// before and the file has been opened again.
    pub async fn sign_out(&self, policy: OnSignOut, timeout: Duration) -> Result<bool> {
        // a suspended database lets everybody wait; what can't be taken up again can't be pushed either
        if let Err(error) = self.resume().await {
            tracing::info!(code = error.code.as_str(), "signing out of a file that can't be opened");
        }
        self.push_for(timeout).await;
        self.close_tasks().await;
        let store = self.store.clone();
        let end = move || match policy {
            OnSignOut::Keep => {
                store.close();
                Ok(false)
            }
            OnSignOut::Clear => store.close_and(|file| file.delete().map(|()| true)),
            OnSignOut::ClearWhenSynced => store.close_and(|file| match file.unsynced()? {
                0 => file.delete().map(|()| true),
                left => {
                    tracing::info!(left, "the file stays: not everything in it has reached the backend");
                    Ok(false)
                }
            }),
        };
        self.off_the_runtime(end).await
    }

    /// Rounds until nothing is pending, an attempt fails or does not get further, or time is up.
    async fn push_for(&self, timeout: Duration) {
        let end = Instant::now() + timeout;
        let mut before = u64::MAX;
        loop {
            let pending = self.status().pending_changes;
            if pending == 0 || pending >= before {
                return;
            }
            before = pending;
            match timeout_at(end, self.trigger_sync()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::info!(
                        pending,
                        code = error.code.as_str(),
                        "signing out with changes that are not uploaded"
                    );
                    return;
                }
                Err(_elapsed) => {
                    tracing::info!(pending, "signing out with changes that are not uploaded in time");
                    return;
                }
            }
        }
    }

    /// Ends syncing, then the threads of the file. Idempotent.
    pub async fn close(&self) {
        self.close_tasks().await;
        let store = self.store.clone();
        let closed = self.off_the_runtime(move || {
            store.close();
            Ok(())
        });
        if closed.await.is_err() {
            tracing::error!("closing a database panicked");
        }
    }

    async fn close_tasks(&self) {
        self.closing.send_replace(true);
        self.events.live.close();
        self.driver.close().await;
    }

    /// Runs what blocks.
    async fn off_the_runtime<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        match self.store.execution() {
            // a task of the blocking pool would keep a paused clock from moving and end when the scheduler likes
            Execution::Inline => work(),
            Execution::Threads => tokio::task::spawn_blocking(work)
                .await
                .unwrap_or_else(|_| Err(SyncError::new(ErrorCode::Internal, "closing the database panicked"))),
        }
    }
}
