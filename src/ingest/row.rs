//! One field at a time: text to integers, strictly, without a float where none is needed.

use crate::model::fix::{NULL_STATUS, NULL_U16};
use crate::model::mmsi::DEFAULT_MMSIS;
use crate::model::time::DAY_MS;
use chrono::NaiveDate;

/// A decimal number scaled by `10^digits` and rounded half away from zero; `None` where it is no plain finite number or does
/// not fit. An exponent is read through `f64`.
#[inline]
pub fn scaled(text: &[u8], digits: u32) -> Option<i64> {
    let (negative, body) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mut value, mut seen, mut left) = (0i64, false, digits);
    let mut k = 0;
    while k < body.len() {
        let d = body[k].wrapping_sub(b'0');
        if d > 9 {
            break;
        }
        if value > 1 << 52 {
            return None;
        }
        value = value * 10 + i64::from(d);
        seen = true;
        k += 1;
    }
    if k < body.len() && body[k] == b'.' {
        k += 1;
        while k < body.len() {
            let d = body[k].wrapping_sub(b'0');
            if d > 9 {
                break;
            }
            seen = true;
            if left > 0 {
                if value > 1 << 52 {
                    return None;
                }
                value = value * 10 + i64::from(d);
                left -= 1;
            } else if left == 0 {
                // The first digit dropped rounds; the others cannot matter.
                value += i64::from(d >= 5);
                k += 1;
                while k < body.len() && body[k].is_ascii_digit() {
                    k += 1;
                }
                break;
            }
            k += 1;
        }
    }
    if !seen {
        return None;
    }
    if k < body.len() {
        return if matches!(body[k], b'e' | b'E') { through_float(text, digits) } else { None };
    }
    for _ in 0..left {
        value = value.checked_mul(10)?;
    }
    Some(if negative { -value } else { value })
}

fn through_float(text: &[u8], digits: u32) -> Option<i64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let value = value * 10f64.powi(digits as i32);
    (value.is_finite() && value.abs() < 9e15).then(|| value.round() as i64)
}

/// Nine digits; a trailing `.0` is allowed, as some exports write every number so.
#[inline]
pub fn mmsi(text: &[u8]) -> Option<u32> {
    let digits = text.strip_suffix(b".0").unwrap_or(text);
    if digits.len() != 9 {
        return None;
    }
    digits.iter().try_fold(0u32, |v, b| b.is_ascii_digit().then(|| v * 10 + u32::from(b - b'0')))
}

/// Whether a text that is no MMSI is a number of [`DEFAULT_MMSIS`] that lost its leading zeros in some export.
pub fn is_short_default(text: &[u8]) -> bool {
    text.len() < 9 && scaled(text, 0).is_some_and(|v| DEFAULT_MMSIS.iter().any(|d| i64::from(*d) == v))
}

/// Times as files write them, with a memory of the last: neighbouring rows share the second or at least the date.
pub struct Clock {
    date: [u8; 10],
    date_ms: i64,
    seconds: [u8; 19],
    seconds_ms: i64,
}

impl Default for Clock {
    /// Remembers the first second of 1970.
    fn default() -> Self {
        Self { date: *b"1970-01-01", date_ms: 0, seconds: *b"1970-01-01T00:00:00", seconds_ms: 0 }
    }
}

impl Clock {
    /// `2020-01-01T00:00:00` or with a blank, optionally a fraction of a second and `Z`; UTC milliseconds.
    #[inline]
    pub fn time_ms(&mut self, text: &[u8]) -> Option<i64> {
        let text = text.strip_suffix(b"Z").unwrap_or(text);
        let (seconds, fraction) = text.split_first_chunk()?;
        let fraction = match fraction {
            [] => 0,
            [b'.', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                (0..3).fold(0, |v, k| v * 10 + digits.get(k).map_or(0, |d| i64::from(d - b'0')))
            }
            _ => return None,
        };
        Some(self.seconds_ms(seconds)? + fraction)
    }

    /// Date and time to the second.
    #[inline]
    pub fn seconds_ms(&mut self, text: &[u8; 19]) -> Option<i64> {
        if *text == self.seconds {
            return Some(self.seconds_ms);
        }
        if !matches!(text[10], b'T' | b' ') || text[13] != b':' || text[16] != b':' {
            return None;
        }
        if text[..10] != self.date {
            let day = date_ms(&text[..10])?;
            self.date.copy_from_slice(&text[..10]);
            self.date_ms = day;
        }
        let two = |k: usize| {
            let (x, y) = (text[k].wrapping_sub(b'0'), text[k + 1].wrapping_sub(b'0'));
            (x <= 9 && y <= 9).then(|| i64::from(x) * 10 + i64::from(y))
        };
        let (h, m, s) = (two(11)?, two(14)?, two(17)?);
        if h > 23 || m > 59 || s > 59 {
            return None;
        }
        self.seconds = *text;
        self.seconds_ms = self.date_ms + ((h * 60 + m) * 60 + s) * 1000;
        Some(self.seconds_ms)
    }
}

fn date_ms(text: &[u8]) -> Option<i64> {
    if text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let number = |t: &[u8]| t.iter().try_fold(0u32, |v, b| b.is_ascii_digit().then(|| v * 10 + u32::from(b - b'0')));
    let date = NaiveDate::from_ymd_opt(number(&text[..4])? as i32, number(&text[5..7])?, number(&text[8..10])?)?;
    // Years that no clock of an AIS receiver shows would only stretch the arithmetic.
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    (0..=100_000).contains(&days).then_some(days * DAY_MS)
}

/// Speed over ground in tenths of a knot. Sentinels (102.2, which says "102.2 or more", 102.3 and more, negative, and the values
/// 51.2 and 63.0 that broken encoders make of them) are null; `None` where it is no number.
#[inline]
pub fn sog_dkn(text: &[u8]) -> Option<u16> {
    if text.is_empty() { Some(NULL_U16) } else { scaled(text, 1).map(sog_of) }
}

/// Course over ground in tenths of a degree; 360 and more, and negative, are null.
#[inline]
pub fn cog_ddeg(text: &[u8]) -> Option<u16> {
    if text.is_empty() { Some(NULL_U16) } else { scaled(text, 1).map(cog_of) }
}

/// True heading in degrees; 360 and more (511 is "not available"), and negative, are null.
#[inline]
pub fn heading_deg(text: &[u8]) -> Option<u16> {
    if text.is_empty() { Some(NULL_U16) } else { scaled(text, 0).map(heading_of) }
}

/// [`sog_dkn`] of a number.
#[inline]
pub fn sog_of(v: i64) -> u16 {
    if !(0..1022).contains(&v) || v == 512 || v == 630 { NULL_U16 } else { v as u16 }
}

/// [`cog_ddeg`] of a number.
#[inline]
pub fn cog_of(v: i64) -> u16 {
    if (0..3600).contains(&v) { v as u16 } else { NULL_U16 }
}

/// [`heading_deg`] of a number.
#[inline]
pub fn heading_of(v: i64) -> u16 {
    if (0..360).contains(&v) { v as u16 } else { NULL_U16 }
}

/// The plain decimal number that `text` begins with, as [`scaled`] reads it, and its length; `None`, which says nothing, where
/// it is not one of at most 15 characters with a digit at either end.
#[inline]
pub fn decimal(text: &[u8], digits: u32, out: &mut i64) -> Option<usize> {
    let text: &[u8; 16] = text.first_chunk()?;
    let negative = text[0] == b'-';
    let mut k = usize::from(negative);
    let (mut value, begin) = (0i64, k);
    let digit = |k: usize| Some(text.get(k)?.wrapping_sub(b'0')).filter(|d| *d <= 9);
    while let Some(d) = digit(k) {
        value = value * 10 + i64::from(d);
        k += 1;
    }
    if k == begin {
        return None;
    }
    let mut left = digits;
    if text.get(k) == Some(&b'.') {
        k += 1;
        let point = k;
        while left > 0
            && let Some(d) = digit(k)
        {
            value = value * 10 + i64::from(d);
            left -= 1;
            k += 1;
        }
        if let Some(d) = digit(k) {
            // The first digit dropped rounds; the others cannot matter.
            value += i64::from(d >= 5);
            while digit(k).is_some() {
                k += 1;
            }
        }
        if k == point {
            return None;
        }
    }
    if k >= text.len() {
        return None;
    }
    value = value.checked_mul(POWERS[left as usize])?;
    *out = if negative { -value } else { value };
    Some(k)
}

const POWERS: [i64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The same for a value that may be missing, which has no length, and is turned by `of`.
#[inline]
pub fn motion(text: &[u8], digits: u32, of: impl Fn(i64) -> u16, out: &mut u16) -> Option<usize> {
    if text.first() == Some(&b',') {
        *out = NULL_U16;
        return Some(0);
    }
    let mut value = 0;
    let length = decimal(text, digits, &mut value)?;
    *out = of(value);
    Some(length)
}

/// Navigational status as a number 0..=14; 15 and what is no such number are null: a status never costs a row.
#[inline]
pub fn status(text: &[u8]) -> u8 {
    match scaled(text, 0) {
        Some(v) if (0..15).contains(&v) => v as u8,
        _ => NULL_STATUS,
    }
}
