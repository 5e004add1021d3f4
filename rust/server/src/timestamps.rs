//! Text and numbers for instants. Owns the one canonical form in which the server stores and sends a `timestamptz`:
//! `2026-01-26T10:11:12.123456+00:00`, always six digits and always UTC, so that the order of the text is the order of
//! time. (PostgREST drops trailing zeros of the fraction; this server never does. Clients must parse, not compare
//! lengths, and the fixed width is what lets SQLite compare texts.) Inside the crate an instant is an `i64` of
//! microseconds since 1970 (`_us`).

use time::{Date, Month, OffsetDateTime, UtcOffset};

const US_PER_S: i64 = 1_000_000;

/// `2026-01-26T10:11:12.123456+00:00`: the form of every stored timestamp.
pub fn canonical(us: i64) -> String {
    format!("{}.{:06}+00:00", seconds_text(us), us.rem_euclid(US_PER_S))
}

/// `2026-01-26T10:11:12.123Z`: what JavaScript's `toISOString` prints; the form of `timestamp` in answers.
pub fn iso_ms(us: i64) -> String {
    format!("{}.{:03}Z", seconds_text(us), us.rem_euclid(US_PER_S) / 1_000)
}

/// `2026-01-26T10:11:12.123456Z`: the form in GoTrue's user objects.
pub fn iso_us(us: i64) -> String {
    format!("{}.{:06}Z", seconds_text(us), us.rem_euclid(US_PER_S))
}

fn seconds_text(us: i64) -> String {
    // Out-of-range values can only come from a hand-written row; they are shown as the epoch rather than panicking.
    let at = OffsetDateTime::from_unix_timestamp(us.div_euclid(US_PER_S)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (y, m, d) = (at.year(), u8::from(at.month()), at.day());
    format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

/// Reads a `timestamptz` as PostgreSQL would read ISO 8601, rounded to microseconds: date and time divided by `T` or a
/// space, 0 to 9 digits of fraction, offset `Z`, `+HH`, `+HHMM` or `+HH:MM`, none meaning UTC; a bare date is midnight
/// UTC. PostgreSQL's words (`now`, `infinity`) are not accepted.
pub fn parse_us(text: &str) -> Option<i64> {
    let (seconds, nanos) = parse(text)?;
    Some(seconds * US_PER_S + (i64::from(nanos) + 500) / 1_000)
}

/// Reads a `since`: as [`parse_us`], but cut to whole milliseconds, as JavaScript's `new Date` cuts it.
/// Still in microseconds.
pub fn parse_cut_to_ms(text: &str) -> Option<i64> {
    let (seconds, nanos) = parse(text)?;
    Some(seconds * US_PER_S + i64::from(nanos / 1_000_000) * 1_000)
}

fn parse(text: &str) -> Option<(i64, u32)> {
    let mut rest = Scanner(text.trim().as_bytes());
    let year = rest.number(4)?;
    rest.expect(b"-")?;
    let month = Month::try_from(u8::try_from(rest.number(2)?).ok()?).ok()?;
    rest.expect(b"-")?;
    let day = u8::try_from(rest.number(2)?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, day).ok()?;
    if rest.0.is_empty() {
        return Some((date.midnight().assume_utc().unix_timestamp(), 0));
    }
    rest.expect(b"Tt ")?;
    let hour = rest.number(2)?;
    rest.expect(b":")?;
    let minute = rest.number(2)?;
    let second = if rest.skip(b":") { rest.number(2)? } else { 0 };
    let nanos = if rest.skip(b".") { rest.fraction()? } else { 0 };
    let offset = rest.offset()?;
    let [hour, minute, second] = [hour, minute, second].map(|n| u8::try_from(n).ok());
    let at = date.with_hms(hour?, minute?, second?).ok()?.assume_offset(offset);
    Some((at.unix_timestamp(), nanos))
}

struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn skip(&mut self, any_of: &[u8]) -> bool {
        let found = self.0.first().is_some_and(|byte| any_of.contains(byte));
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn expect(&mut self, any_of: &[u8]) -> Option<()> {
        self.skip(any_of).then_some(())
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        self.0 = tail;
        if !head.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(head).ok()?.parse().ok()
    }

    fn fraction(&mut self) -> Option<u32> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        let value = self.number(digits)?;
        Some(value * 10_u32.pow(9 - u32::try_from(digits).ok()?))
    }

    fn offset(&mut self) -> Option<UtcOffset> {
        if self.0.is_empty() || (self.skip(b"Zz") && self.0.is_empty()) {
            return Some(UtcOffset::UTC);
        }
        let sign: i8 = match self.0.first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let hours = i8::try_from(self.number(2)?).ok()?;
        let minutes = if self.0.is_empty() {
            0
        } else {
            self.skip(b":");
            i8::try_from(self.number(2)?).ok()?
        };
        if !self.0.is_empty() || minutes > 59 {
            return None;
        }
        UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_becomes_the_same_canonical_text() {
        for text in [
            "2026-01-26T10:11:12.5+00:00",
            "2026-01-26 10:11:12.500000Z",
            "2026-01-26T12:11:12.5+02",
            "2026-01-26T12:41:12.5+0230",
            "2026-01-26T05:11:12.5-05:00",
            "2026-01-26T10:11:12.4999999",
        ] {
            assert_eq!(canonical(parse_us(text).expect(text)), "2026-01-26T10:11:12.500000+00:00", "{text}");
        }
        assert_eq!(canonical(parse_us("2026-01-26").unwrap()), "2026-01-26T00:00:00.000000+00:00");
        assert_eq!(canonical(parse_us("2026-01-26T10:11Z").unwrap()), "2026-01-26T10:11:00.000000+00:00");
        assert_eq!(canonical(parse_us("1969-12-31T23:59:59.25Z").unwrap()), "1969-12-31T23:59:59.250000+00:00");
    }

    #[test]
    fn rubbish_is_refused() {
        for text in [
            "",
            "now",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "2026-01-26T",
            "2026-01-26T25:00:00Z",
            "2026-01-26T10:11:12.Z",
            "2026-01-26T10:11:12Zx",
            "2026-01-26T10:11:12 00:00",
            "2026-01-26T10:11:12+00:0",
            "1769422272123",
        ] {
            assert_eq!(parse_us(text), None, "{text:?}");
        }
    }

    #[test]
    fn since_is_cut_and_never_rounded_up() {
        let us = parse_cut_to_ms("2026-01-26T10:11:12.123999+00:00").unwrap();
        assert_eq!(canonical(us), "2026-01-26T10:11:12.123000+00:00");
        assert_eq!(iso_ms(us + 999), "2026-01-26T10:11:12.123Z");
    }
}
