//! How far a download is, told at most ten times a second.
//!
//! A download that is over before the first telling is due tells nothing: most of them bring a page or less.

use omnii_sync_core::status::DownloadProgress;
use std::time::Duration;
use tokio::time::Instant;

/// Least time between two tellings.
const EVERY: Duration = Duration::from_millis(100);

/// Who hears of it; must return quickly.
pub(crate) type OnProgress = Box<dyn Fn(DownloadProgress) + Send + Sync>;

/// Of one download.
pub(crate) struct Progress<'h> {
    hook: Option<&'h OnProgress>,
    downloaded: u64,
    told: Instant,
}

impl<'h> Progress<'h> {
    pub(crate) fn new(hook: Option<&'h OnProgress>) -> Self {
        Self { hook, downloaded: 0, told: Instant::now() }
    }

    /// A page with so many rows was applied; `next` is how many the next page of the same table may have, 0 if it was the last.
    pub(crate) fn page(&mut self, rows: usize, next: u32) {
        self.downloaded += rows as u64;
        let now = Instant::now();
        if now.duration_since(self.told) >= EVERY
            && let Some(hook) = self.hook
        {
            self.told = now;
            hook(DownloadProgress { downloaded: self.downloaded, total: self.downloaded + u64::from(next) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[tokio::test(start_paused = true)]
    async fn tells_at_most_ten_times_a_second_and_nothing_of_a_short_download() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = told.clone();
        let hook: OnProgress =
            Box::new(move |progress| seen.lock().unwrap().push((progress.downloaded, progress.total)));
        Progress::new(Some(&hook)).page(10, 0);
        assert_eq!(*told.lock().unwrap(), []);
        let mut progress = Progress::new(Some(&hook));
        for _ in 0..100 {
            tokio::time::advance(Duration::from_millis(10)).await;
            progress.page(1_000, 5_000);
        }
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 10);
        assert_eq!(told[0], (10_000, 15_000));
    }
}
