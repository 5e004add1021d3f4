//! ISO 8601 timestamps as microseconds since the epoch, as far as cursors need them.
//!
//! Owns parsing and printing for cursors only; column values are never rewritten.

/// Microseconds since the Unix epoch of `YYYY-MM-DD(T| )HH:MM:SS[.fraction][Z|±HH[:MM]]`; no offset means UTC.
/// `None` when the text is something else. Digits beyond microseconds are cut.
pub fn parse_micros(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    if b.len() < 19
        || b[4] != b'-'
        || b[7] != b'-'
        || !matches!(b[10], b'T' | b't' | b' ')
        || b[13] != b':'
        || b[16] != b':'
    {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        b[range].iter().try_fold(0i64, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = &b[19..];
    let mut micros = 0i64;
    if rest.first() == Some(&b'.') {
        let digits = rest[1..].iter().take_while(|d| d.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for i in 0..6 {
            micros = micros * 10 + if i < digits { i64::from(rest[1 + i] - b'0') } else { 0 };
        }
        rest = &rest[1 + digits..];
    }
    let offset_s = match rest {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), tail @ ..] => {
            let two = |t: &[u8]| -> Option<i64> {
                (t[0].is_ascii_digit() && t[1].is_ascii_digit())
                    .then(|| i64::from(t[0] - b'0') * 10 + i64::from(t[1] - b'0'))
            };
            let (h, m) = match tail.len() {
                2 => (two(tail)?, 0),
                4 => (two(tail)?, two(&tail[2..])?),
                5 if tail[2] == b':' => (two(tail)?, two(&tail[3..])?),
                _ => return None,
            };
            (h * 3600 + m * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let days = days_from_civil(year, month, day);
    Some((((days * 24 + hour) * 60 + minute) * 60 + second - offset_s) * 1_000_000 + micros)
}

/// The same instant as `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
pub fn format_micros(micros: i64) -> String {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (y, m, d) = civil_from_days(days);
    format!(
        "{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}.{fraction:06}Z",
        second_of_day / 3600,
        second_of_day / 60 % 60,
        second_of_day % 60
    )
}

// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that leap days come last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-26T10:11:12.123456+00:00", 1_769_422_272_123_456),
            ("2026-01-26T12:11:12.123456+02:00", 1_769_422_272_123_456),
            ("2026-01-26 10:11:12.123456789", 1_769_422_272_123_456),
            ("2026-01-26T10:11:12.5-00", 1_769_422_272_500_000),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999_000),
            ("1969-12-31T23:59:59.999999Z", -1),
        ] {
            assert_eq!(parse_micros(text), Some(micros), "{text}");
            assert_eq!(parse_micros(&format_micros(micros)), Some(micros), "{text}");
        }
        assert_eq!(format_micros(-1), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn rubbish_is_none() {
        for text in [
            "",
            "now",
            "2026-01-26",
            "2026-13-01T00:00:00Z",
            "2026-01-26T10:11:12.Z",
            "2026-01-26T10:11:12+1",
            "2026-01-26T10:11:12Zx",
            "２０２６-01-26T10:11:12Z",
        ] {
            assert_eq!(parse_micros(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_round_trips() {
        for day in -150_000..150_000i64 {
            let micros = day * 86_400_000_000 + 1;
            assert_eq!(parse_micros(&format_micros(micros)), Some(micros));
        }
    }
}
