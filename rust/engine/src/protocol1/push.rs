//! The push: what the outbox holds, in requests that the backend can take.
//!
//! A request that is refused for what it holds is sent again in smaller pieces until the operation at fault stands alone;
//! that one is parked and the rest goes on, so that no operation can keep others from the backend.

use super::{Protocol1, RoundResult};
use crate::store::Writer;
use crate::uploads::AppUploads;
use omnii_sync_core::machine::RoundError;
use omnii_sync_core::protocol1::upload::{self, Limits, TableAnswer, UploadAnswer, UploadRequest};
use omnii_sync_core::{ChangeId, ConflictPolicy, ErrorCode, SyncError};

/// Changes read from the outbox at a time.
const PUSH_BATCH: u32 = 2000;

/// What follows a request.
enum Next {
    /// The one planned after it.
    Go,
    /// Plan anew: the outbox is not as it was planned for, or the pieces must be smaller.
    Replan(Limits),
}

impl Protocol1 {
    pub(super) async fn push_all(&self) -> RoundResult<()> {
        let (held, failure) = self.look_before_pushing().await?;
        let whole = Limits::default();
        let mut limits = Limits {
            operations: self.uploads.cut(whole.operations).unwrap_or(whole.operations),
            bytes: self.uploads.cut(whole.bytes).unwrap_or(whole.bytes),
        };
        // what is held must not hide what is behind it
        let at_once = if held.is_empty() { PUSH_BATCH } else { u32::MAX };
        // an app that writes all the time must not keep the pull from its turn
        let newest = self.store.write(|w| w.newest_change()).await?;
        'plan: loop {
            let mut batch = self.store.write(move |w| w.queued(newest, at_once)).await?;
            batch.changes.retain(|change| !held.contains(&change.table));
            if batch.changes.is_empty() {
                self.uploads.got_through();
                return failure.map_or(Ok(()), Err);
            }
            let requests = upload::plan(self.store.schema(), &batch.changes, &batch.bases, limits);
            if requests.is_empty() {
                // changes of tables that have left the schema are parked when the file is opened
                return Err(SyncError::new(ErrorCode::Internal, "queued changes could not be planned").into());
            }
            for request in requests {
                if !self.is_still_queued(&request).await? {
                    continue 'plan;
                }
                if let Next::Replan(smaller) = self.send(request).await? {
                    limits = smaller;
                    continue 'plan;
                }
            }
        }
    }

    /// Where the app uploads by itself: asks it to, again and again as long as that makes the outbox shorter, until everything
    /// is gone that was pending at the beginning. Sends nothing.
    pub(super) async fn push_by_app(&self, app: &AppUploads) -> RoundResult<()> {
        let newest = self.store.write(|w| w.newest_change()).await?;
        let mut oldest = self.store.write(|w| w.oldest_pending()).await?;
        if oldest.is_none() {
            return Ok(());
        }
        // what the backend fails to show of a table does not keep the app from uploading; it may look for itself
        let (_, failure) = self.look_before_pushing().await?;
        while oldest.is_some_and(|id| id <= newest) {
            app.upload().await?;
            let left = self.store.write(|w| w.oldest_pending()).await?;
            if left == oldest {
                break;
            }
            oldest = left;
        }
        failure.map_or(Ok(()), Err)
    }

    /// Whether the outbox is as the request was planned for. The app may have given changes up meanwhile; so the token, for
    /// which it may have to wait, is fetched before this is asked.
    async fn is_still_queued(&self, request: &UploadRequest) -> RoundResult<bool> {
        self.client.credentials().get().await?;
        let ids: Vec<ChangeId> = request.operations().flat_map(|operation| operation.changes.clone()).collect();
        Ok(self.store.write(move |w| w.are_queued(&ids)).await?)
    }

    /// Where the server is to win, its version must be known before ours overwrites it. Answers the tables of which it is
    /// not, because the backend fails to answer for them; their changes are held while those of the others go.
    async fn look_before_pushing(&self) -> RoundResult<(Vec<String>, Option<RoundError>)> {
        let yields = |table: &String| {
            self.store.schema().table(table).is_some_and(|t| t.conflict_policy == ConflictPolicy::ServerWins)
        };
        let (mut held, mut failure) = (Vec::new(), None);
        for table in self.store.write(|w| w.queued_tables()).await?.into_iter().filter(yields) {
            match self.pull_early(&table).await {
                Ok(()) => {}
                Err(error) if matches!(error.error.code, ErrorCode::TableFailed | ErrorCode::CursorStalled) => {
                    held.push(table);
                    failure.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok((held, failure))
    }

    async fn send(&self, request: UploadRequest) -> RoundResult<Next> {
        match self.client.post("/upload", request.body.clone()).await {
            Ok(response) => {
                let answer = upload::read_answer(&request, &response.body)?;
                self.settle(request, answer).await
            }
            Err(failure) if matches!(failure.error.code, ErrorCode::TooLarge | ErrorCode::Rejected) => {
                let operations: Vec<_> = request.operations().collect();
                if let [operation] = operations[..] {
                    if operation.changes.len() > 1 {
                        let ids = operation.changes.clone();
                        self.store.write(move |w| w.transaction(|w| w.send_apart(&ids))).await?;
                        return Ok(Next::Replan(Limits::default()));
                    }
                    tracing::warn!(code = failure.error.code.as_str(), "a change was parked");
                    let ids = operation.changes.clone();
                    self.store.write(move |w| w.transaction(|w| w.park(&ids, &failure.error.message))).await?;
                    // the culprit is out of the way
                    return Ok(Next::Replan(Limits::default()));
                }
                Ok(Next::Replan(Limits {
                    operations: operations.len().div_ceil(2),
                    bytes: request.body.len().div_ceil(2),
                }))
            }
            Err(failure) => {
                // the backend works off one operation after another: fewer of them take less time
                if failure.error.code == ErrorCode::Timeout && request.operations().nth(1).is_some() {
                    self.uploads.too_large();
                }
                Err(failure)
            }
        }
    }

    /// Notes what the backend said about a request: PUTs wait for read-back, DELETEs are done, refusals are parked.
    async fn settle(&self, request: UploadRequest, answer: UploadAnswer) -> RoundResult<Next> {
        let (pull, answered_at) = (self.store.last_pull(), answer.answered_at);
        let schema = self.store.schema();
        // nothing of these is ever read back
        let unseen = |table: &str| schema.table(table).is_some_and(|t| t.insert_only);
        let tables = request.tables.into_iter().map(|(table, operations)| (unseen(&table), operations));
        let steps: Vec<_> = tables.zip(answer.tables).collect();
        let job = move |w: &mut Writer| {
            let mut next = Next::Go;
            for ((unseen, operations), answer) in &steps {
                for operation in operations {
                    let changes: &[ChangeId] = &operation.changes;
                    match answer {
                        TableAnswer::Accepted if operation.delete => w.acknowledge_delete(changes)?,
                        TableAnswer::Accepted if *unseen => w.acknowledge_unseen(changes)?,
                        TableAnswer::Accepted => w.mark_sent(changes, pull, answered_at)?,
                        TableAnswer::UnknownTable(why) => w.park(changes, why)?,
                        // which operations failed is not said: alone, it was this one
                        TableAnswer::Refused(_) if operations.len() == 1 && changes.len() > 1 => {
                            w.send_apart(changes)?;
                            next = Next::Replan(Limits::default());
                        }
                        TableAnswer::Refused(why) if operations.len() == 1 => w.park(changes, why)?,
                        // else read-back finds out for PUTs; DELETEs, and what is never read back, are sent again one by one
                        TableAnswer::Refused(_) if operation.delete || *unseen => {
                            next = Next::Replan(Limits { operations: 1, ..Limits::default() });
                        }
                        TableAnswer::Refused(_) => w.mark_sent(changes, pull, answered_at)?,
                    }
                }
            }
            Ok(next)
        };
        Ok(self.store.write(move |w| w.transaction(job)).await?)
    }
}
