//! Bringing the write-ahead log into the database file, on a thread beside the writer.
//!
//! A checkpoint waits for the disk, tens of milliseconds at a time. Left to SQLite it runs inside whatever commit makes the
//! log long enough, which is some write the app waits for. SQLite allows one connection to write while another checkpoints;
//! so here another does. Guarantees: the log stays below [`LONGEST_LOG`] (but for readers that hold it), if need be by a
//! checkpoint on the writer as SQLite would do it; the connection is closed when this value has been dropped.

use super::encryption::CurrentKey;
use super::sql_error::sql_error;
use super::{internal, open};
use omnii_sync_core::error::Result;
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// Pages in the log at which a checkpoint begins, 16 MB.
const LONG_LOG: i32 = 4000;

/// Pages that come between two checkpoints of a log that can't be begun anew, because it is written to all the time.
const MORE: i32 = 2000;

/// Pages at which the writer has to wait for a checkpoint, 64 MB.
const LONGEST_LOG: i32 = 16_000;

enum Ask {
    Checkpoint,
    End,
}

/// The thread; it ends with this value.
pub(super) struct Checkpointer {
    asks: mpsc::Sender<Ask>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Takes over the checkpoints of `writer`, which has the file at `path` open.
    pub(super) fn beside(writer: &mut Connection, path: &Path, key: &CurrentKey) -> Result<Self> {
        let (asks, asked) = mpsc::channel();
        let busy = Arc::new(AtomicBool::new(false));
        let (path, key, done) = (path.to_owned(), key.clone(), busy.clone());
        let thread = std::thread::Builder::new()
            .name("omnii-checkpoint".into())
            .spawn(move || run(&path, &key, &asked, &done))
            .map_err(|e| internal(format!("the checkpoint thread could not be started: {e}")))?;
        let ask = asks.clone();
        let mut next = LONG_LOG;
        let hook = move |log: &mut rusqlite::hooks::Wal, pages: i32| {
            if pages < LONG_LOG {
                next = LONG_LOG;
            } else if pages >= LONGEST_LOG {
                // what fails now is tried again at the next commit; this one has succeeded
                let _ = log.checkpoint();
            } else if pages >= next && !busy.swap(true, Ordering::SeqCst) {
                next = pages + MORE;
                // an error says that the thread has ended
                let _ = ask.send(Ask::Checkpoint);
            }
            Ok(())
        };
        let this = Self { asks, thread: Some(thread) };
        writer.wal_hook(Some(hook)).map_err(sql_error)?;
        Ok(this)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        // the writer's connection may outlive this value, and its hook holds a sender: the end must be said
        let _ = self.asks.send(Ask::End);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

fn run(path: &Path, key: &CurrentKey, asked: &mpsc::Receiver<Ask>, busy: &AtomicBool) {
    let mut connection: Option<Connection> = None;
    while matches!(asked.recv(), Ok(Ask::Checkpoint)) {
        let opened = match &connection {
            Some(opened) => Ok(opened),
            None => open::connection(path, key).map(|opened| &*connection.insert(opened)),
        };
        // never in the writer's or a reader's way
        let outcome = opened.and_then(|c| c.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())));
        if let Err(error) = outcome {
            tracing::warn!(code = ?sql_error(error).code, "a checkpoint failed; it is tried again");
        }
        busy.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn pages_written(connection: &Connection, pages: i32) {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
                   INSERT INTO t SELECT zeroblob(4000) FROM n";
        connection.execute(sql, [pages]).unwrap();
    }

    #[test]
    fn a_long_log_reaches_the_file_without_the_writer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let mut writer = open::connection(&path, &CurrentKey::default()).unwrap();
        writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (a)").unwrap();
        let checkpointer = Checkpointer::beside(&mut writer, &path, &CurrentKey::default()).unwrap();
        let length = || std::fs::metadata(&path).unwrap().len();
        pages_written(&writer, LONG_LOG / 2);
        let short = length();
        pages_written(&writer, LONG_LOG);
        let end = Instant::now() + Duration::from_secs(20);
        while length() == short {
            assert!(Instant::now() < end, "no checkpoint");
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(checkpointer);
        writer.close().unwrap();
        assert!(!directory.path().join("x.db-wal").exists(), "the writer was the last to close");
    }

    #[test]
    fn a_log_that_grows_too_long_is_the_writers_business() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let mut writer = open::connection(&path, &CurrentKey::default()).unwrap();
        writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (a)").unwrap();
        let checkpointer = Checkpointer::beside(&mut writer, &path, &CurrentKey::default()).unwrap();
        // its thread has ended, as when it can't open the file
        checkpointer.asks.send(Ask::End).unwrap();
        let log = || std::fs::metadata(directory.path().join("x.db-wal")).unwrap().len();
        for _ in 0..20 {
            pages_written(&writer, LONG_LOG / 2);
        }
        let longest = u64::try_from(LONGEST_LOG + LONG_LOG).unwrap() * 4200;
        assert!(log() < longest, "{} bytes", log());
    }
}
