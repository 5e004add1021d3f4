//! What is asked of a reader, whatever its answer is.
//!
//! Guarantees that whoever asked is answered once. What is asked may run a second time, since a suspension ends what runs.

use super::connection::Reader;
use omnii_sync_core::SyncError;
use omnii_sync_core::error::Result;

/// Something to be done with a reader's connection, and who waits for it.
pub(super) trait Question: Send {
    /// Does it and keeps what came out.
    fn run(&mut self, reader: &Reader) -> Result<()>;
    /// Tells who asked: the failure, or what came out.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

struct Asked<T, R, D> {
    run: R,
    done: D,
    value: Option<T>,
}

impl<T, R, D> Question for Asked<T, R, D>
where
    T: Send,
    R: FnMut(&Reader) -> Result<T> + Send,
    D: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, reader: &Reader) -> Result<()> {
        self.value = Some((self.run)(reader)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let Self { done, value, .. } = *self;
        done(outcome.and_then(|()| value.ok_or_else(crate::store::closed)));
    }
}

/// A question in the queue.
pub(super) struct Query {
    pub(super) question: Box<dyn Question>,
    /// The count of interrupts when it was asked.
    pub(super) asked: u64,
}

impl Query {
    pub(super) fn new<T: Send + 'static>(
        asked: u64,
        run: impl FnMut(&Reader) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Self {
        Self { question: Box::new(Asked { run, done, value: None }), asked }
    }

    pub(super) fn run(&mut self, reader: &Reader) -> Result<()> {
        reader.interruptible(self.asked, |reader| self.question.run(reader))
    }

    pub(super) fn refuse(self, error: SyncError) {
        self.question.answer(Err(error));
    }
}
