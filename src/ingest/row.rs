//! One field at a time: text to integers, strictly, without a float where none is needed.

use crate::ingest::layout::TimeForm;
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

/// Nine digits, or the ten of a number that stands for a made-up name.
#[inline]
pub fn mmsi_or_made_up(text: &[u8]) -> Option<u32> {
    mmsi(text).or_else(|| if text.len() == 10 { scaled(text, 0).and_then(|v| u32::try_from(v).ok()).filter(|v| *v > 999_999_999) } else { None })
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
    /// A time in the layout's form, as UTC milliseconds.
    #[inline]
    pub fn time_ms(&mut self, text: &[u8], form: TimeForm) -> Option<i64> {
        match form {
            TimeForm::Iso => self.iso_ms(text),
            TimeForm::DayFirst => {
                let t: &[u8; 19] = text.try_into().ok()?;
                let between = [t[2], t[5], t[10]] == [b'/', b'/', b' '];
                let iso = [t[6], t[7], t[8], t[9], b'-', t[3], t[4], b'-', t[0], t[1], b'T', t[11], t[12], t[13], t[14], t[15], t[16], t[17], t[18]];
                between.then(|| self.seconds_ms(&iso)).flatten()
            }
            TimeForm::Compact => {
                let t: &[u8; 14] = text.strip_suffix(b".0").unwrap_or(text).try_into().ok()?;
                let iso = [t[0], t[1], t[2], t[3], b'-', t[4], t[5], b'-', t[6], t[7], b'T', t[8], t[9], b':', t[10], t[11], b':', t[12], t[13]];
                self.seconds_ms(&iso)
            }
            TimeForm::EpochSeconds => scaled(text, 3).filter(|t| EPOCH_MS.contains(t)),
            TimeForm::EpochMillis => scaled(text, 0).filter(|t| EPOCH_MS.contains(t)),
        }
    }

    /// `2020-01-01T00:00:00` or with a blank, optionally a fraction of a second and a word for UTC.
    #[inline]
    fn iso_ms(&mut self, text: &[u8]) -> Option<i64> {
        let utc: [&[u8]; 4] = [b"Z", b" UTC", b" GMT", b"+00:00"];
        let text = utc.into_iter().find_map(|u| text.strip_suffix(u)).unwrap_or(text);
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

/// Milliseconds since 1970 that a time may have: 1980 to 2170. Seconds taken for milliseconds, or the other way, fall outside.
const EPOCH_MS: std::ops::Range<i64> = 315_532_800_000..6_311_433_600_000;

/// 1e-7 degree from 1/10000 minute, rounded half away from zero.
pub fn e7_of_ten_thousandths(v: i64) -> Option<i64> {
    let twice = v.checked_mul(100)?;
    Some((twice + 3 * twice.signum()) / 6)
}

/// Whether latitude and longitude in 1e-7 degree say that there is none: 91 and 181 are "not available" (ITU-R M.1371); 0, 0 is what
/// a receiver without a position gives.
#[inline]
pub fn is_no_position(lat: i64, lon: i64) -> bool {
    lat == 910_000_000 || lon.abs() == 1_810_000_000 || (lat == 0 && lon == 0)
}

/// A number for a made-up name of a ship: above every MMSI, the same wherever the name stands. `None` for a name that is none.
pub fn hashed_identity(text: &[u8], is_header: bool) -> Option<u32> {
    if text.is_empty() || is_header {
        return None;
    }
    let head: [u8; 8] = blake3::hash(text).as_bytes().first_chunk().copied()?;
    u32::try_from(1_000_000_000 + u64::from_le_bytes(head) % 3_200_000_000).ok()
}

/// What a layout's word for the station says it is, where that is no ship; keys of the row accounting.
pub fn not_ship(word: &[u8]) -> Option<&'static str> {
    match word {
        b"Base Station" => Some("base_station"),
        b"AtoN" => Some("aid_to_navigation"),
        b"SAR Airborne" => Some("sar_aircraft"),
        b"Search and Rescue Transponder" | b"Man Overboard Device" | b"EPIRB" => Some("beacon"),
        _ => None,
    }
}

/// Navigational status in words, as ITU-R M.1371 and the Danish and American files have them.
const STATUS_WORDS: [(&str, u8); 16] = [
    ("under way using engine", 0),
    ("at anchor", 1),
    ("not under command", 2),
    ("restricted maneuverability", 3),
    ("restricted manoeuvrability", 3),
    ("constrained by her draught", 4),
    ("constrained by draught", 4),
    ("moored", 5),
    ("aground", 6),
    ("engaged in fishing", 7),
    ("under way sailing", 8),
    ("reserved for future amendment [hsc]", 9),
    ("reserved for future amendment [wig]", 10),
    ("power-driven vessel towing astern", 11),
    ("power-driven vessel pushing ahead or towing alongside", 12),
    ("ais-sart (active)", 14),
];

/// Ship types in words, as the Danish files have them, with the plainest code of each.
const TYPE_WORDS: [(&str, u16); 25] = [
    ("wig", 20),
    ("fishing", 30),
    ("towing", 31),
    ("towing long/wide", 32),
    ("dredging", 33),
    ("diving", 34),
    ("military", 35),
    ("sailing", 36),
    ("pleasure", 37),
    ("hsc", 40),
    ("pilot", 50),
    ("sar", 51),
    ("tug", 52),
    ("port tender", 53),
    ("anti-pollution", 54),
    ("law enforcement", 55),
    ("spare 1", 56),
    ("spare 2", 57),
    ("medical", 58),
    ("not party to conflict", 59),
    ("ships not party to armed conflict", 59),
    ("passenger", 60),
    ("cargo", 70),
    ("tanker", 80),
    ("other", 90),
];

/// The code of a ship type in words; 0 for a word that says nothing.
pub fn type_of_word(text: &[u8]) -> u16 {
    TYPE_WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word.as_bytes())).map_or(0, |(_, code)| *code)
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
/// 51.2 and 63.0 that broken encoders make of them) are null.
#[inline]
pub fn sog_of(v: i64) -> u16 {
    if !(0..1022).contains(&v) || v == 512 || v == 630 { NULL_U16 } else { v as u16 }
}

/// Course over ground in tenths of a degree; 360 and more, and negative, are null.
#[inline]
pub fn cog_of(v: i64) -> u16 {
    if (0..3600).contains(&v) { v as u16 } else { NULL_U16 }
}

/// The same of a layout that read the twelve bits with a sign: from 204.8 degrees on they are 409.6 too low.
#[inline]
pub fn cog_of_signed(v: i64) -> u16 {
    cog_of(if (-2048..0).contains(&v) { v + 4096 } else { v })
}

/// True heading in degrees; 360 and more (511 is "not available"), and negative, are null.
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

/// Navigational status 0..=14, as a number or in words; 15 and what is neither are null: a status never costs a row.
#[inline]
pub fn status(text: &[u8]) -> u8 {
    match scaled(text, 0) {
        Some(v) if (0..15).contains(&v) => v as u8,
        None if !text.is_empty() => STATUS_WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word.as_bytes())).map_or(NULL_STATUS, |(_, code)| *code),
        _ => NULL_STATUS,
    }
}
