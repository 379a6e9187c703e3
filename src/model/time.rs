//! Times are UTC milliseconds since 1970, i64, half-open intervals; here they become text and back.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

/// Milliseconds in a second.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds in a UTC day (POSIX time has no leap seconds).
pub const DAY_MS: i64 = 86_400_000;

/// The number of the UTC day that holds `t_ms`, counted from 1970-01-01.
pub fn day_of(t_ms: i64) -> i32 {
    t_ms.div_euclid(DAY_MS) as i32
}

/// The first millisecond of a UTC day.
pub fn day_start_ms(day: i32) -> i64 {
    i64::from(day) * DAY_MS
}

/// `2020-01-01` for a day number.
pub fn day_text(day: i32) -> String {
    rfc3339(day_start_ms(day)).chars().take(10).collect()
}

/// A day number from `2020-01-01`.
pub fn parse_day(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day_of(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()))
}

/// RFC 3339 in UTC with `Z`, to the second, rounded to the nearest.
pub fn rfc3339(t_ms: i64) -> String {
    let seconds = (t_ms + SECOND_MS / 2).div_euclid(SECOND_MS);
    DateTime::<Utc>::from_timestamp(seconds, 0).map(|t| t.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

/// UTC milliseconds from RFC 3339 text.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp_millis())
}
