//! Which page of a table to ask for next.
//!
//! Owns the answer to four quirks of docs/protocol.md: the cursor is the highest `updated_at` received and never goes back
//! (pull 1), the backend compares in milliseconds (2), many rows may share an instant (3), rows may be committed late (4).
//! And how many rows to ask for: the more in one transaction, the cheaper each, but a page must come within the request's
//! time and fit into memory. So the first is small, and what it cost decides about the next.

use super::{MAX_PAGE_LIMIT, PAGE_LIMIT, page::Page};
use crate::error::{ErrorCode, SyncError};
use crate::timestamp::format_micros;

/// How many overlap windows the backend's clock may be past the cursor before the window is no longer read again. A
/// transaction that began within the window and took longer than this is found by no pull; without the limit, a burst of
/// rows would be fetched again at every poll for as long as nothing newer is written.
const OVERLAP_AGE: i64 = 2;

/// A page that may become larger than this is not asked for: two are in memory at a time.
const WIDE_PAGE_BYTES: u64 = 8 << 20;

/// A page that may take more than this part of the time a request has is not asked for.
const PART_OF_TIMEOUT: u64 = 4;

/// What is remembered of a table between pulls. Times in microseconds since the epoch, by the backend's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Highest `updated_at` received.
    pub updated_at: Option<i64>,
    /// When the last complete pull of the table began.
    pub pulled_at: Option<i64>,
}

impl Cursor {
    /// Whether the overlap window is read no more; then a later `pulled_at` changes nothing and need not be kept.
    pub fn window_is_closed(self, overlap_ms: u64) -> bool {
        matches!(self, Self { updated_at: Some(updated_at), pulled_at: Some(at) } if at >= updated_at.saturating_add(window_age(overlap_ms)))
    }
}

fn micros(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1000)
}

fn window_age(overlap_ms: u64) -> i64 {
    micros(overlap_ms).saturating_mul(OVERLAP_AGE)
}

/// What to ask for so that every row of the instant `since` comes again. The backend cuts to milliseconds and compares
/// strictly: an instant that is a whole millisecond would be left behind, with the rows of it that a page had no room for.
fn asked(since: i64) -> i64 {
    if since.rem_euclid(1000) == 0 { since.saturating_sub(1) } else { since }
}

/// The pull of one table, page by page.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePull {
    since: Option<i64>,
    limit: u32,
    /// The limit of pages whose cost is not known.
    page_limit: u32,
    /// The limit of pages that come quickly.
    widest: u32,
    /// The limit of the next page.
    next_limit: u32,
    began_at: Option<i64>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// Up to a page that is not full.
    Walk,
    /// The same, and then once more from the overlap window before its own beginning.
    Sweep { overlap_ms: u64 },
}

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask for another page.
    More,
    /// The table is up to date.
    Done,
}

impl TablePull {
    /// Begins behind the stored cursor by the overlap window, or at the beginning without a cursor. The window shrinks to
    /// nothing once the last complete pull was `OVERLAP_AGE` windows past the cursor. `page_limit` is the app's wish, which
    /// no page exceeds unless it holds one instant only.
    pub fn new(cursor: Cursor, overlap_ms: u64, page_limit: Option<u32>) -> Self {
        let since = cursor.updated_at.map(|updated_at| {
            let earliest = updated_at.saturating_sub(micros(overlap_ms));
            let still_open = cursor.pulled_at.map_or(earliest, |at| at.saturating_sub(window_age(overlap_ms)));
            still_open.clamp(earliest, updated_at)
        });
        Self::from(since, page_limit, Stage::Walk)
    }

    /// From the beginning, so that every row is seen that was there all the time. A row that is written meanwhile moves to
    /// the end, where the walk still comes by. Only a transaction that began earlier and commits meanwhile may move one back
    /// (docs/protocol.md, pull 4); so the window before the beginning is read again at the end.
    pub fn sweep(overlap_ms: u64, page_limit: Option<u32>) -> Self {
        Self::from(None, page_limit, Stage::Sweep { overlap_ms })
    }

    fn from(since: Option<i64>, page_limit: Option<u32>, stage: Stage) -> Self {
        let (limit, widest) = (page_limit.unwrap_or(PAGE_LIMIT), page_limit.unwrap_or(MAX_PAGE_LIMIT));
        Self { since, limit, page_limit: limit, widest, next_limit: limit, began_at: None, stage }
    }

    /// Takes note of what the page that is about to be passed to [`Self::advance`] cost: its size and the time from the
    /// request to its last byte, of `timeout_ms` that a request may take.
    pub fn measured(&mut self, bytes: usize, took_ms: u64, timeout_ms: u64) {
        let widened = |cost: u64| cost.saturating_mul(u64::from(self.widest)) / u64::from(self.limit.max(1));
        let affordable = widened(bytes as u64) <= WIDE_PAGE_BYTES && widened(took_ms) <= timeout_ms / PART_OF_TIMEOUT;
        self.next_limit = if affordable { self.widest } else { self.page_limit };
    }

    /// The backend's clock at the first page of this pull.
    pub fn began_at(&self) -> Option<i64> {
        self.began_at
    }

    /// `since` of the next request; `None` means from the beginning.
    pub fn since(&self) -> Option<String> {
        self.since.map(|since| format_micros(asked(since)))
    }

    /// `limit` of the next request.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Takes note of the page that answered the last request. `CursorStalled` when more rows share one millisecond than a
    /// page can hold.
    pub fn advance(&mut self, page: &Page<'_>, table: &str) -> Result<Next, SyncError> {
        self.began_at = self.began_at.or(page.answered_at);
        if page.received < self.limit as usize {
            return Ok(self.walked());
        }
        let millisecond = |micros: i64| asked(micros).div_euclid(1000);
        let advances = match (self.since, page.last_updated_at) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(since), Some(last)) => millisecond(last) > millisecond(since),
        };
        if advances {
            self.since = page.last_updated_at;
            self.limit = self.next_limit;
            return Ok(Next::More);
        }
        if self.limit < MAX_PAGE_LIMIT {
            self.limit = MAX_PAGE_LIMIT;
            return Ok(Next::More);
        }
        Err(SyncError::new(
            ErrorCode::CursorStalled,
            format!(
                "table '{table}': {} rows or more share one millisecond of updated_at, more than a page can hold; \
                 the backend must spread them",
                page.received
            ),
        )
        .of_table(table))
    }
}

impl TablePull {
    /// What follows a page that was not full.
    fn walked(&mut self) -> Next {
        let Stage::Sweep { overlap_ms } = self.stage else { return Next::Done };
        self.stage = Stage::Walk;
        let (Some(since), Some(began_at)) = (self.since, self.began_at) else { return Next::Done };
        let window = began_at.saturating_sub(micros(overlap_ms));
        if window >= since {
            return Next::Done; // the last page covered it
        }
        self.since = Some(window);
        self.limit = self.next_limit;
        Next::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(received: usize, last: i64) -> Page<'static> {
        Page { received, last_updated_at: Some(last), ..Page::default() }
    }

    #[test]
    fn from_the_beginning_until_a_page_is_not_full() {
        let mut pull = TablePull::new(Cursor::default(), 30_000, Some(2));
        assert_eq!((pull.since(), pull.limit()), (None, 2));
        assert_eq!(pull.advance(&page(2, 5_000_000), "t"), Ok(Next::More));
        assert_eq!(pull.since().unwrap(), "1970-01-01T00:00:04.999999Z", "more rows of that instant may be to come");
        assert_eq!(pull.advance(&page(2, 6_000_100), "t"), Ok(Next::More));
        assert_eq!(
            pull.since().unwrap(),
            "1970-01-01T00:00:06.000100Z",
            "the backend cuts it to a millisecond before them"
        );
        assert_eq!(pull.advance(&page(1, 6_000_100), "t"), Ok(Next::Done));
    }

    #[test]
    fn begins_behind_the_cursor_by_the_overlap_until_the_window_is_old() {
        let since = |pulled_at: Option<i64>| {
            let cursor = Cursor { updated_at: Some(100_000_000), pulled_at };
            TablePull::new(cursor, 30_000, Some(2)).since().unwrap()
        };
        for (pulled_at, expected) in [
            (None, "1970-01-01T00:01:09.999999Z"),
            (Some(90_000_000), "1970-01-01T00:01:09.999999Z"),
            (Some(130_000_000), "1970-01-01T00:01:09.999999Z"),
            (Some(150_000_000), "1970-01-01T00:01:29.999999Z"),
            (Some(160_000_000), "1970-01-01T00:01:39.999999Z"),
            (Some(999_000_000), "1970-01-01T00:01:39.999999Z"),
        ] {
            assert_eq!(since(pulled_at), expected, "{pulled_at:?}");
            let cursor = Cursor { updated_at: Some(100_000_000), pulled_at };
            assert_eq!(cursor.window_is_closed(30_000), expected.contains("01:39"), "{pulled_at:?}");
        }
    }

    #[test]
    fn a_page_of_one_millisecond_raises_the_limit_then_stalls() {
        let mut pull = TablePull::new(Cursor { updated_at: Some(5_000_100), pulled_at: None }, 0, None);
        assert_eq!(pull.advance(&page(1000, 5_000_900), "t"), Ok(Next::More));
        assert_eq!(pull.limit(), MAX_PAGE_LIMIT);
        let mut lucky = pull.clone();
        assert_eq!(lucky.advance(&page(5000, 5_001_001), "t"), Ok(Next::More));
        assert_eq!(lucky.limit(), 1000);
        let error = pull.advance(&page(5000, 5_000_999), "t").unwrap_err();
        assert_eq!(error.code, ErrorCode::CursorStalled);
        assert!(error.message.contains("'t'"));
        assert_eq!(error.table.as_deref(), Some("t"));
    }

    #[test]
    fn a_sweep_reads_the_window_before_its_beginning_again() {
        let page = |received, last| Page { answered_at: Some(60_000_000), ..page(received, last) };
        let mut pull = TablePull::sweep(30_000, None);
        assert_eq!((pull.since(), pull.limit()), (None, PAGE_LIMIT));
        assert_eq!(pull.advance(&page(5000, 50_000_000), "t"), Ok(Next::More));
        assert_eq!(pull.advance(&page(7, 61_000_000), "t"), Ok(Next::More));
        assert_eq!(pull.since().unwrap(), "1970-01-01T00:00:29.999999Z");
        assert_eq!(pull.advance(&page(9, 61_000_000), "t"), Ok(Next::Done));

        let mut together = TablePull::new(Cursor::default(), 0, Some(2));
        assert_eq!(together.advance(&page(2, 5_000_000), "t"), Ok(Next::More));
        assert_eq!(together.advance(&page(2, 5_000_000), "t"), Ok(Next::More));
        assert_eq!(together.limit(), MAX_PAGE_LIMIT, "the same rows again: a larger page is needed");

        let mut old = TablePull::sweep(30_000, None);
        assert_eq!(old.advance(&page(5000, 20_000_000), "t"), Ok(Next::More));
        assert_eq!(old.advance(&page(7, 21_000_000), "t"), Ok(Next::Done), "the last page covered the window");
        let mut small = TablePull::sweep(30_000, None);
        assert_eq!(small.advance(&page(7, 61_000_000), "t"), Ok(Next::Done), "one page is one moment");
    }

    #[test]
    fn pages_widen_while_they_are_cheap_and_never_beyond_what_the_app_asked_for() {
        let limits = |wish: Option<u32>, costs: &[(usize, u64)]| -> Vec<u32> {
            let mut pull = TablePull::new(Cursor::default(), 0, wish);
            let mut limits = vec![pull.limit()];
            for (n, &(bytes, took_ms)) in costs.iter().enumerate() {
                pull.measured(bytes, took_ms, 60_000);
                assert_eq!(pull.advance(&page(5000, (n as i64 + 1) * 1_000_000), "t"), Ok(Next::More));
                limits.push(pull.limit());
            }
            limits
        };
        let (small, large, mib) = (500_000, 5_000_000, 1 << 20);
        assert_eq!(limits(None, &[(small, 100), (5 * small, 500)]), [1000, 5000, 5000]);
        assert_eq!(limits(None, &[(small, 4_000)]), [1000, 1000], "five times that is more than a quarter of a minute");
        assert_eq!(limits(None, &[(small, 100), (5 * small, 16_000)]), [1000, 5000, 1000], "the network got slower");
        assert_eq!(limits(None, &[(2 * mib, 100)]), [1000, 1000], "10 MiB are too much at a time");
        assert_eq!(limits(None, &[(small, 100), (2 * large, 500)]), [1000, 5000, 1000], "the rows got longer");
        assert_eq!(limits(Some(300), &[(small, 1)]), [300, 300]);
        assert_eq!(limits(Some(5000), &[(2 * large, 20_000)]), [5000, 5000], "so be it");
    }
}
