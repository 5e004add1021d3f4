//! Which page of a table to ask for next.
//!
//! Owns the answer to four quirks of docs/protocol.md: the cursor is the highest `updated_at` received and never goes back
//! (pull 1), the backend compares in milliseconds (2), many rows may share an instant (3), rows may be committed late (4).

use super::{MAX_PAGE_LIMIT, page::Page};
use crate::error::{ErrorCode, SyncError};
use crate::timestamp::format_micros;

/// The pull of one table, page by page.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePull {
    since: Option<i64>,
    limit: u32,
    page_limit: u32,
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
    /// Begins behind the stored cursor (µs since the epoch) by the overlap window, or at the beginning without a cursor.
    pub fn new(cursor: Option<i64>, overlap_ms: u64, page_limit: u32) -> Self {
        let overlap = i64::try_from(overlap_ms).unwrap_or(i64::MAX).saturating_mul(1000);
        Self { since: cursor.map(|c| c.saturating_sub(overlap)), limit: page_limit, page_limit }
    }

    /// `since` of the next request; `None` means from the beginning.
    pub fn since(&self) -> Option<String> {
        self.since.map(format_micros)
    }

    /// `limit` of the next request.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Takes note of the page that answered the last request. `CursorStalled` when more rows share one millisecond than a
    /// page can hold.
    pub fn advance(&mut self, page: &Page<'_>, table: &str) -> Result<Next, SyncError> {
        if page.received < self.limit as usize {
            return Ok(Next::Done);
        }
        let millisecond = |micros: i64| micros.div_euclid(1000);
        let advances = match (self.since, page.last_updated_at) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(since), Some(last)) => millisecond(last) > millisecond(since),
        };
        if advances {
            self.since = page.last_updated_at;
            self.limit = self.page_limit;
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
        ))
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
        let mut pull = TablePull::new(None, 30_000, 2);
        assert_eq!((pull.since(), pull.limit()), (None, 2));
        assert_eq!(pull.advance(&page(2, 5_000_000), "t"), Ok(Next::More));
        assert_eq!(pull.since().unwrap(), "1970-01-01T00:00:05.000000Z");
        assert_eq!(pull.advance(&page(1, 6_000_000), "t"), Ok(Next::Done));
    }

    #[test]
    fn begins_behind_the_cursor_by_the_overlap() {
        assert_eq!(TablePull::new(Some(31_000_000), 30_000, 2).since().unwrap(), "1970-01-01T00:00:01.000000Z");
    }

    #[test]
    fn a_page_of_one_millisecond_raises_the_limit_then_stalls() {
        let mut pull = TablePull::new(Some(5_000_100), 0, 1000);
        assert_eq!(pull.advance(&page(1000, 5_000_900), "t"), Ok(Next::More));
        assert_eq!(pull.limit(), MAX_PAGE_LIMIT);
        let mut lucky = pull.clone();
        assert_eq!(lucky.advance(&page(5000, 5_001_000), "t"), Ok(Next::More));
        assert_eq!(lucky.limit(), 1000);
        let error = pull.advance(&page(5000, 5_000_999), "t").unwrap_err();
        assert_eq!(error.code, ErrorCode::CursorStalled);
        assert!(error.message.contains("'t'"));
    }
}
