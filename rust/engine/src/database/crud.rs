//! Uploads in the app's hands, and the end of everything that was synced.

use super::Database;
use crate::store::{Crud, CrudQuery, QueueStats};
use omnii_sync_core::ChangeId;
use omnii_sync_core::error::Result;
use omnii_sync_core::machine::Input;

impl Database {
    /// Pending changes, oldest first; parked ones are not among them.
    pub async fn crud(&self, query: CrudQuery) -> Result<Crud> {
        self.store.write(move |w| w.crud(query)).await
    }

    /// The app has uploaded its pending changes up to `last`: they leave the outbox. Their rows stay as they are seen, and
    /// later pulls bring the backend's. Ids that are gone, or that never were, do no harm.
    pub async fn complete_crud(&self, last: ChangeId) -> Result<()> {
        self.store.write(move |w| w.transaction(|w| w.complete_crud(last))).await
    }

    /// How many changes are pending, and with `with_size` their bytes.
    pub async fn upload_queue_stats(&self, with_size: bool) -> Result<QueueStats> {
        self.store.write(move |w| w.queue_stats(with_size)).await
    }

    /// A UUID that stands for this file on this device, made at its first opening; clearing keeps it.
    pub async fn client_id(&self) -> Result<String> {
        self.store.write(|w| w.client_id()).await
    }

    /// Answers [`super::DatabaseObserver::upload_requested`]: an empty `error` when all is uploaded that can be, else why not.
    /// Does nothing if nobody waits for that answer.
    pub fn finish_upload(&self, request: u64, error: String) {
        if let Some(uploads) = &self.uploads {
            uploads.finish(request, error);
        }
    }

    /// Stops syncing and deletes everything that was synced, pending and parked changes included; with `local` also what is in
    /// tables that are only local. All or nothing; afterwards the status says so. Syncing stays stopped.
    pub async fn clear(&self, local: bool) -> Result<()> {
        self.disconnect();
        let store = self.store.clone();
        let cleared = self
            .store
            .write(move |writer| {
                // a page of the cancelled pull that is still on its way here must not bring anything back
                store.cancel_pull();
                writer.transaction(|w| w.clear_all(local))
            })
            .await;
        if cleared.is_ok() {
            self.driver.send(Input::Cleared);
        }
        self.settled().await;
        cleared
    }
}
