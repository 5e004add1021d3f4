//! Uploads by the app: one question at a time, asked of JavaScript and answered once.
//!
//! Guarantees: an answer counts only for the question that is open; one that comes after its question was given up (a stall,
//! `disconnect`, the end of the database) is ignored. Refuses to know what is uploaded, or how.

use omnii_sync_core::{ErrorCode, SyncError};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What the app answers: why not, if not.
type Answer = Result<(), String>;

#[derive(Default)]
struct State {
    last_id: u64,
    open: Option<(u64, oneshot::Sender<Answer>)>,
}

/// Asks the app to upload; see the module's documentation.
pub struct AppUploads {
    ask: Box<dyn Fn(u64) + Send + Sync>,
    state: Mutex<State>,
}

/// Closes a question that nobody waits for any more.
struct Question<'a> {
    uploads: &'a AppUploads,
    id: u64,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.uploads.lock().open.take_if(|(id, _)| *id == self.id);
    }
}

impl AppUploads {
    /// `ask` tells the app the id of a question; it must not block.
    pub fn new(ask: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self { ask: Box::new(ask), state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // every change of the state is complete before anything can panic
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the app to upload what is pending and waits for its answer, however long that takes. Dropping the future gives
    /// the question up.
    ///
    /// # Errors
    /// `UploadFailed` with the app's words.
    pub async fn upload(&self) -> Result<(), SyncError> {
        let (send, answer) = oneshot::channel();
        let id = {
            let mut state = self.lock();
            state.last_id += 1;
            state.open = Some((state.last_id, send));
            state.last_id
        };
        let _question = Question { uploads: self, id };
        (self.ask)(id);
        match answer.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(SyncError::new(ErrorCode::UploadFailed, why)),
            // asked again meanwhile; the driver has one push in flight, so this is nobody's case
            Err(_) => Err(SyncError::new(ErrorCode::Disconnected, "the upload was given up")),
        }
    }

    /// Answers question `id`: an empty `error` when all is uploaded that can be.
    pub fn finish(&self, id: u64, error: String) {
        let open = self.lock().open.take_if(|(open, _)| *open == id);
        match open {
            Some((_, answer)) => {
                // the push may be ending at this moment
                let _ = answer.send(if error.is_empty() { Ok(()) } else { Err(error) });
            }
            None => tracing::debug!(id, "an answer to an upload that was given up is ignored"),
        }
    }
}

impl fmt::Debug for AppUploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppUploads").finish_non_exhaustive()
    }
}
