//! Several changes of the app as one: a statement with many sets of parameters, and what is undone when a part of it fails.

use super::{Writer, lock};
use crate::store::rows::{self, Batch};
use crate::store::sql_error::sql_error;
use omnii_sync_core::error::Result;

impl Writer {
    /// Runs one statement of the app once per set: in the transaction that is open, which stays usable when a set fails, else
    /// in one of its own. All or nothing. Answers the rows changed.
    pub(in crate::store) fn batch(&mut self, sql: &str, batch: &Batch) -> Result<u64> {
        if !self.connection.is_autocommit() {
            let outcome = self.as_app(|w| w.all_or_nothing(|| w.sets(sql, batch)));
            if outcome.is_err() {
                lock(&self.touched).undone = true;
            }
            return outcome;
        }
        self.begin()?;
        match self.as_app(|w| w.sets(sql, batch)) {
            Ok(changed) => self.commit().map(|()| changed),
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    fn sets(&self, sql: &str, batch: &Batch) -> Result<u64> {
        let mut statement = self.prepared(sql)?;
        let mut changed = 0;
        batch.each(|parameters| {
            self.start_statement();
            let before = self.connection.total_changes();
            rows::run_without_rows(&mut statement, parameters)?;
            if self.connection.total_changes() != before {
                changed += self.connection.changes();
            }
            Ok(())
        })?;
        Ok(changed)
    }

    /// Undoes what `work` did if it fails, and nothing else.
    pub(super) fn all_or_nothing<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let run = |sql: &str| self.connection.execute_batch(sql).map_err(sql_error);
        run("SAVEPOINT omnii_all")?;
        let outcome = work().and_then(|value| run("RELEASE omnii_all").map(|()| value));
        // SQLite itself may have rolled everything back
        if outcome.is_err() && !self.connection.is_autocommit() {
            run("ROLLBACK TO omnii_all; RELEASE omnii_all")?;
        }
        outcome
    }
}
