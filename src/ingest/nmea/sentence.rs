//! One line: its time, its source, and the sentence in it. Nothing here remembers another line.

use super::Reason;
use memchr::{memchr, memchr3};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Receive times before 1990 or from 2100 on are slips of the pen: in seconds.
const EARLIEST_S: i64 = 631_152_000;
const LATEST_S: i64 = 4_102_444_800;
/// Bytes before a sentence that may hold a time.
const MOST_PREFIX: usize = 64;
/// Lines longer than this hold no sentence; TAG blocks take up to 80 bytes each, sentences 82.
const MOST_LINE: usize = 1024;
/// Bytes of the name of a station that count.
const MOST_STATION: usize = 15;

/// When a line was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Heard {
    /// The line does not say.
    #[default]
    Unsaid,
    /// It says so in a form or of a size that is no time.
    Bad,
    /// UTC milliseconds.
    At(i64),
}

impl Heard {
    /// This, or the other where this says nothing.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Unsaid { other } else { self }
    }
    /// Of two parts of one message: the earlier time.
    pub(super) fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
            (Self::At(_), _) | (Self::Bad, Self::Unsaid) => self,
            _ => other,
        }
    }
}

/// The name of the station that received; empty where none is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Station {
    length: u8,
    bytes: [u8; MOST_STATION],
}

impl Station {
    fn of(name: &[u8]) -> Self {
        let mut out = Self::default();
        for (to, from) in out.bytes.iter_mut().zip(name) {
            *to = *from;
            out.length += 1;
        }
        out
    }
    pub(super) fn is_known(self) -> bool {
        self.length > 0
    }
}

/// What stands around a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) heard: Heard,
    pub(super) station: Station,
    /// The group a line belongs to.
    pub(super) group: Option<u32>,
}

/// A VDM or VDO sentence whose checksum fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vdm<'l> {
    pub(super) tag: Tag,
    /// Parts of the message, 1..=9.
    pub(super) total: u8,
    /// Which of them this is, 1..=total.
    pub(super) number: u8,
    /// Sequential message number; 255 where there is none.
    pub(super) sequence: u8,
    /// `A`, `B`, another byte, or 0 where there is none.
    pub(super) channel: u8,
    pub(super) payload: &'l [u8],
    /// Bits at the end that do not count, 0..=5.
    pub(super) fill: u8,
    pub(super) checksum: u8,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// Blank, a comment, or a sentence that is not about AIS positions.
    Other(Tag),
    /// A `$PGHP` line: the time of the next message, and the exclusive or of the checksums of its sentences; 0 says nothing.
    Clock { t_ms: i64, checksum: u8 },
    /// A sentence.
    Vdm(Vdm<'l>),
}

/// Reads a line.
#[inline]
pub(super) fn read(line: &[u8]) -> Result<Line<'_>, Reason> {
    let mut tag = Tag::default();
    let mut rest = line;
    if line.first() != Some(&b'!') {
        rest = line.trim_ascii();
        if rest.is_empty() || rest.starts_with(b"#") {
            return Ok(Line::Other(tag));
        }
        rest = before_sentence(rest, &mut tag)?;
    }
    if line.len() > MOST_LINE {
        return Err(Reason::BadSentence);
    }
    let Some((&kind, rest)) = rest.split_first() else { return Ok(Line::Other(tag)) };
    let Some(star) = memchr(b'*', rest) else {
        // A checksum is optional in other sentences of NMEA 0183, not in this one.
        return if kind == b'$' { Ok(Line::Other(tag)) } else { Err(Reason::BadChecksum) };
    };
    let Some((body, [b'*', end @ ..])) = rest.split_at_checked(star) else { return Err(Reason::BadSentence) };
    let Some(([high, low], end)) = end.split_first_chunk::<2>() else { return Err(Reason::BadChecksum) };
    let checksum = xor(body);
    if hex(*high, *low) != Some(checksum) {
        return Err(Reason::BadChecksum);
    }
    if !end.is_empty() {
        after_sentence(end, &mut tag);
    }
    let Some((head, fields)) = body.split_first_chunk::<5>() else { return Ok(Line::Other(tag)) };
    match (kind, head) {
        (b'!', [_, _, b'V', b'D', b'M' | b'O']) => vdm(fields, checksum, tag),
        (b'$', b"PGHP,") => clock(fields),
        _ => Ok(Line::Other(tag)),
    }
}

/// `,total,number,sequence,channel,payload,fill`
#[inline]
fn vdm(fields: &[u8], checksum: u8, tag: Tag) -> Result<Line<'_>, Reason> {
    let bad = Reason::BadSentence;
    let [b',', total @ b'1'..=b'9', b',', number @ b'1'..=b'9', b',', rest @ ..] = fields else { return Err(bad) };
    if number > total {
        return Err(bad);
    }
    let (sequence, rest) = match rest {
        [b',', rest @ ..] => (u8::MAX, rest),
        [d @ b'0'..=b'9', b',', rest @ ..] => (d & 15, rest),
        [d @ b'0'..=b'9', e @ b'0'..=b'9', b',', rest @ ..] => ((d & 15) * 10 + (e & 15), rest),
        _ => return Err(bad),
    };
    let (channel, rest) = match rest {
        [b',', rest @ ..] => (0, rest),
        [c, b',', rest @ ..] => (*c, rest),
        _ => return Err(bad),
    };
    let channel = match channel {
        b'1' => b'A',
        b'2' => b'B',
        c => c,
    };
    let [payload @ .., b',', fill @ b'0'..=b'5'] = rest else { return Err(bad) };
    Ok(Line::Vdm(Vdm { tag, total: total & 15, number: number & 15, sequence, channel, payload, fill: fill & 15, checksum }))
}

/// `1,year,month,day,hour,minute,second,millisecond,country,region,station,online,checksum`
fn clock(fields: &[u8]) -> Result<Line<'_>, Reason> {
    let mut parts = fields.split(|b| *b == b',');
    let mut next = |most: i64| parts.next().and_then(number).filter(|v| *v <= most);
    let mut read = || {
        next(1)?;
        let (year, month, day) = (next(9999)?, next(12)?, next(31)?);
        let (hour, minute, second, milli) = (next(23)?, next(59)?, next(59)?, next(999)?);
        utc_ms(year, month, day, hour, minute, second)?.checked_add(milli)
    };
    let t_ms = read().ok_or(Reason::BadTime)?;
    let checksum = match parts.next_back() {
        Some([]) | None => Some(0),
        Some([high, low]) => hex(*high, *low),
        Some(_) => None,
    };
    Ok(Line::Clock { t_ms, checksum: checksum.ok_or(Reason::BadSentence)? })
}

/// Reads a time before the sentence and its TAG blocks; gives the sentence from its first byte.
fn before_sentence<'l>(line: &'l [u8], tag: &mut Tag) -> Result<&'l [u8], Reason> {
    let start = memchr3(b'!', b'$', b'\\', line).ok_or(Reason::BadSentence)?;
    let (prefix, mut rest) = line.split_at_checked(start).ok_or(Reason::BadSentence)?;
    let mut blocks = Heard::Unsaid;
    while let [b'\\', block @ ..] = rest {
        let end = memchr(b'\\', block).ok_or(Reason::BadSentence)?;
        let (block, after) = block.split_at_checked(end).ok_or(Reason::BadSentence)?;
        rest = after.get(1..).unwrap_or_default();
        blocks = blocks.or(tag_block(block, tag)?);
    }
    if !prefix.is_empty() {
        tag.heard = before(prefix);
    }
    tag.heard = blocks.or(tag.heard);
    Ok(match rest {
        [] | [b'!' | b'$', ..] => rest,
        _ => return Err(Reason::BadSentence),
    })
}

/// A TAG block of NMEA 0183 version 4, without its backslashes: `g:1-2-1234,s:name,c:time*hh`.
fn tag_block(block: &[u8], tag: &mut Tag) -> Result<Heard, Reason> {
    let [body @ .., b'*', high, low] = block else { return Err(Reason::BadChecksum) };
    if hex(*high, *low) != Some(xor(body)) {
        return Err(Reason::BadChecksum);
    }
    let (mut heard, mut text) = (Heard::Unsaid, Heard::Unsaid);
    for field in body.split(|b| *b == b',') {
        match field {
            [b'c', b':', value @ ..] => heard = unix_ms(value).map_or(Heard::Bad, Heard::At),
            // ORBCOMM writes the time as a text too.
            [b'T', b':', value @ ..] => text = date_time_ms(value).map_or(Heard::Bad, Heard::At),
            [b's', b':', value @ ..] => tag.station = Station::of(value),
            [b'g', b':', value @ ..] => {
                tag.group = value.rsplit(|b| *b == b'-').next().and_then(number).and_then(|v| u32::try_from(v).ok());
            }
            _ => {}
        }
    }
    Ok(heard.or(text))
}

/// A time before the sentence: of Unix, or ISO 8601, perhaps in brackets, perhaps with other words behind it.
fn before(prefix: &[u8]) -> Heard {
    if prefix.len() > MOST_PREFIX {
        return Heard::Unsaid;
    }
    let text = trimmed(prefix);
    let first = text.split(|b| matches!(b, b' ' | b',' | b';' | b'\t')).next().unwrap_or_default();
    match any_time_ms(text).or_else(|| any_time_ms(first)) {
        Some(t_ms) => Heard::At(t_ms),
        None if !first.is_empty() && first.iter().all(u8::is_ascii_digit) => Heard::Bad,
        None => Heard::Unsaid,
    }
}

/// What some receivers and archives write behind the checksum: the station, and last the time.
fn after_sentence(end: &[u8], tag: &mut Tag) {
    let text = trimmed(end);
    if text.is_empty() {
        return;
    }
    let mut last: &[u8] = b"";
    for word in text.split(|b| matches!(b, b' ' | b',' | b';' | b'\t')) {
        if let [b'b' | b'r', _, ..] = word
            && !tag.station.is_known()
        {
            tag.station = Station::of(word);
        }
        last = word;
    }
    let heard = match any_time_ms(text).or_else(|| any_time_ms(last)) {
        Some(t_ms) => Heard::At(t_ms),
        None if last.iter().all(u8::is_ascii_digit) => Heard::Bad,
        None => Heard::Unsaid,
    };
    tag.heard = tag.heard.or(heard);
}

fn trimmed(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [b' ' | b'\t' | b'\r' | b'\n' | b',' | b';' | b'[' | b'"', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n' | b',' | b';' | b':' | b']' | b'"'] = text {
        text = rest;
    }
    text
}

fn any_time_ms(text: &[u8]) -> Option<i64> {
    unix_ms(text).or_else(|| date_time_ms(text))
}

/// Seconds, milliseconds or microseconds since 1970, told apart by their size; a fraction of a second may follow.
fn unix_ms(text: &[u8]) -> Option<i64> {
    let mut halves = text.splitn(2, |b| *b == b'.');
    let value = number(halves.next()?)?;
    let within = |least: i64| (EARLIEST_S * least..LATEST_S * least).contains(&value);
    let (whole_ms, fraction) = (value, halves.next());
    match fraction {
        _ if within(1) => whole_ms.checked_mul(1000)?.checked_add(fraction.map_or(Some(0), milli)?),
        None if within(1000) => Some(value),
        Some(digits) if within(1000) && milli(digits).is_some() => Some(value),
        None if within(1_000_000) => Some(value / 1000),
        _ => None,
    }
}

/// The milliseconds of the digits behind a point.
fn milli(digits: &[u8]) -> Option<i64> {
    if digits.iter().any(|b| !b.is_ascii_digit()) {
        return None;
    }
    let digit = |k: usize| digits.get(k).map_or(0, |d| i64::from(d & 15));
    Some(digit(0) * 100 + digit(1) * 10 + digit(2))
}

/// `2020-01-01T00:00:00`, with a blank for the `T`, slashes or points between the numbers or nothing at all, a fraction of a
/// second, and `Z` or a difference to UTC.
fn date_time_ms(text: &[u8]) -> Option<i64> {
    let mut rest = text;
    let year = take(&mut rest, 4)?;
    skip(&mut rest, b"-/.");
    let month = take(&mut rest, 2)?;
    skip(&mut rest, b"-/.");
    let day = take(&mut rest, 2)?;
    skip(&mut rest, b"T ");
    let hour = take(&mut rest, 2)?;
    skip(&mut rest, b":.");
    let minute = take(&mut rest, 2)?;
    skip(&mut rest, b":.");
    let second = take(&mut rest, 2)?;
    let mut t_ms = utc_ms(year, month, day, hour, minute, second)?;
    if let [b'.' | b',', tail @ ..] = rest {
        let length = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, after) = tail.split_at_checked(length).filter(|_| length > 0)?;
        t_ms = t_ms.checked_add(milli(digits)?)?;
        rest = after;
    }
    let east = match rest {
        [] | [b'Z' | b'z'] | b" UTC" | b"UTC" | b" GMT" | b"GMT" => return Some(t_ms),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    rest = rest.get(1..)?;
    let hours = take(&mut rest, 2)?;
    skip(&mut rest, b":");
    let minutes = if rest.is_empty() { 0 } else { take(&mut rest, 2)? };
    (rest.is_empty() && hours <= 14 && minutes < 60).then(|| t_ms - east * (hours * 60 + minutes) * 60_000)
}

/// UTC milliseconds of a date and time in the years that receive times can have. Leap seconds are read as the next second.
pub(super) fn utc_ms(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if !(1990..2100).contains(&year) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // 2000 was a leap year, and 2100 is out of reach.
    let leap = year % 4 == 0;
    let before = LENGTHS.get(..usize::try_from(month.checked_sub(1)?).ok()?)?;
    let length = LENGTHS.get(before.len())? + i64::from(leap && month == 2);
    if !(1..=length).contains(&day) {
        return None;
    }
    let years = year - 1970;
    let days = years * 365 + (years + 1) / 4 + before.iter().sum::<i64>() + i64::from(leap && month > 2) + day - 1;
    Some(days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000)
}

fn take(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(digits)?;
    *rest = tail;
    number(head)
}

fn skip(rest: &mut &[u8], any_of: &[u8]) {
    if let [first, tail @ ..] = *rest
        && any_of.contains(first)
    {
        *rest = tail;
    }
}

/// One to eighteen digits.
fn number(text: &[u8]) -> Option<i64> {
    if !(1..=18).contains(&text.len()) {
        return None;
    }
    text.iter().try_fold(0i64, |v, b| b.is_ascii_digit().then(|| v * 10 + i64::from(b & 15)))
}

#[inline]
fn xor(bytes: &[u8]) -> u8 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let wide = chunks.iter().fold(0u64, |v, c| v ^ u64::from_ne_bytes(*c));
    let wide = wide ^ (wide >> 32);
    let wide = wide ^ (wide >> 16);
    let wide = wide ^ (wide >> 8);
    rest.iter().fold(wide as u8, |v, b| v ^ b)
}

#[inline]
fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b & 15),
        b'A'..=b'F' | b'a'..=b'f' => Some((b & 15) + 9),
        _ => None,
    };
    Some(digit(high)? << 4 | digit(low)?)
}
