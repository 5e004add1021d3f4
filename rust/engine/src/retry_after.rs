//! The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or an HTTP date.
//!
//! A date is read relative to the answer's own `Date` header, never to the device's clock, which may be hours off. It
//! refuses the two obsolete date formats: an unreadable header counts as absent.

/// Milliseconds to stay away. `date` is the answer's `Date` header; without it a `Retry-After` date means nothing.
pub(crate) fn parse_ms(value: &str, date: Option<&str>) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are "very long"; the backoff's cap decides.
        return Some(value.parse::<u64>().map_or(u64::MAX, |s| s.saturating_mul(1_000)));
    }
    let wait_s = http_date_s(value)? - http_date_s(date?.trim())?;
    Some(u64::try_from(wait_s).unwrap_or(0) * 1_000)
}

/// Seconds since the Unix epoch of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date_s(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day = digits(parts.next()?, 2)?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|m| *m == name)? as i64 + 1;
    let year = digits(parts.next()?, 4)?;
    let mut time = parts.next()?.split(':').map(|part| digits(part, 2));
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let in_range = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if parts.next() != Some("GMT") || parts.next().is_some() || time.next().is_some() || !in_range {
        return None;
    }
    Some(((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let plain = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds() {
        assert_eq!(parse_ms("0", None), Some(0));
        assert_eq!(parse_ms(" 120 ", None), Some(120_000));
        assert_eq!(parse_ms("99999999999999999999999", None), Some(u64::MAX));
    }

    #[test]
    fn reads_dates_relative_to_the_answer() {
        assert_eq!(http_date_s("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date_s("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date_s("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        let (now, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:51:37 GMT");
        assert_eq!(parse_ms(later, Some(now)), Some(120_000));
        assert_eq!(parse_ms(now, Some(later)), Some(0), "a date in the past means now");
        assert_eq!(parse_ms(later, None), None);
    }

    #[test]
    fn refuses_everything_else() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for bad in [
            "",
            "-1",
            "1.5",
            "soon",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT x",
        ] {
            assert_eq!(parse_ms(bad, date), None, "{bad:?}");
        }
    }
}
