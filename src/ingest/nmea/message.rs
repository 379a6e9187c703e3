//! The bits of one whole message (ITU-R M.1371-5) to canonical integers.

use super::sentence::{Heard, utc_ms};
use super::{Outcome, Reason};
use crate::ingest::row::{cog_of, heading_of, sog_of};
use crate::model::fix::{NULL_STATUS, NULL_U16};
use crate::model::mmsi::{DEFAULT_MMSIS, MmsiClass};
use crate::model::{AisClass, Mmsi};

/// Six-bit characters of a message that are kept: all that is read stands in them. Longer messages are checked whole.
const KEPT: usize = 70;
/// A message fills at most five slots of 256 bits on the air.
pub(super) const MOST_CHARACTERS: usize = 5 * 256 / 6;

/// Byte of a payload to its six bits; 255 for a byte that has none.
const SIX: [u8; 256] = {
    let mut table = [255; 256];
    let mut b = 48;
    while b < 120 {
        if b < 88 {
            table[b] = (b - 48) as u8;
        } else if b > 95 {
            table[b] = (b - 56) as u8;
        }
        b += 1;
    }
    table
};

/// The bits of a message, ten characters a word. What lies beyond its end reads as zero.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    words: [u64; KEPT / 10 + 1],
    characters: usize,
    bad: bool,
}

impl Bits {
    /// Appends the payload of a sentence.
    #[inline]
    pub(super) fn push(&mut self, payload: &[u8]) {
        let mut all = 0;
        if self.characters == 0 && payload.len() <= KEPT {
            for (word, ten) in self.words.iter_mut().zip(payload.chunks(10)) {
                let mut value = 0;
                for b in ten {
                    let six = SIX[usize::from(*b)];
                    all |= six;
                    value = value << 6 | u64::from(six);
                }
                // A short chunk is at most nine characters short: 54 bits.
                *word = value << (60u32.wrapping_sub(6 * ten.len() as u32) & 63);
            }
            self.characters = payload.len();
        } else {
            for b in payload {
                let six = SIX[usize::from(*b)];
                all |= six;
                if let Some(word) = self.words.get_mut(self.characters / 10).filter(|_| self.characters < KEPT) {
                    *word |= u64::from(six & 63) << (54 - 6 * (self.characters % 10));
                }
                self.characters += 1;
            }
        }
        self.bad |= all > 63;
    }
    /// Whether every byte was one of the 64, and they are not too many.
    pub(super) fn is_whole(&self) -> bool {
        !self.bad && self.characters <= MOST_CHARACTERS
    }
    /// `LENGTH` bits from bit `START`.
    #[inline]
    fn get<const START: usize, const LENGTH: u32>(&self) -> u32 {
        const { assert!(START + LENGTH as usize <= 6 * KEPT && LENGTH <= 32) };
        let (word, offset) = (START / 60, (START % 60) as u32);
        let both = u128::from(self.words[word]) << 60 | u128::from(self.words[word + 1]);
        (both >> (120 - offset - LENGTH)) as u32 & ((1u64 << LENGTH) - 1) as u32
    }
    /// The same, of two's complement.
    #[inline]
    fn signed<const START: usize, const LENGTH: u32>(&self) -> i64 {
        let shift = 32 - LENGTH;
        i64::from((self.get::<START, LENGTH>() << shift) as i32 >> shift)
    }
    /// `N` characters of six-bit text from bit `START`: to the first `@`, without blanks around.
    fn text<const START: usize, const N: usize>(&self) -> Text<N> {
        const { assert!(START + 6 * N <= 6 * KEPT && N < 256) };
        let mut bytes = [0; N];
        let mut length = 0;
        for (k, to) in bytes.iter_mut().enumerate() {
            let at = START + 6 * k;
            let word = |k: usize| u128::from(self.words.get(k).copied().unwrap_or(0));
            let six = ((word(at / 60) << 60 | word(at / 60 + 1)) >> (114 - at % 60)) as u8 & 63;
            if six == 0 {
                break;
            }
            *to = if six < 32 { six | 64 } else { six };
            length = k + 1;
        }
        Text::of(bytes.get(..length).unwrap_or_default().trim_ascii())
    }
    /// Bow, stern, port and starboard from bit `START`: 9, 9, 6 and 6 bits.
    #[inline]
    fn size<const START: usize>(&self) -> [u16; 4] {
        let all = self.get::<START, 30>();
        [(all >> 21 & 511) as u16, (all >> 12 & 511) as u16, (all >> 6 & 63) as u16, (all & 63) as u16]
    }
}

/// A text of at most `N` characters of the six-bit alphabet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<const N: usize> {
    length: u8,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// No text.
    pub const EMPTY: Self = Self { length: 0, bytes: [0; N] };

    fn of(text: &[u8]) -> Self {
        let mut out = Self::EMPTY;
        for (to, from) in out.bytes.iter_mut().zip(text) {
            *to = *from;
            out.length += 1;
        }
        out
    }
    /// ASCII from blank to `_`.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
    /// The same as a string.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
    /// Whether none was sent.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<const N: usize> std::fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}

/// A position report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Number of the message, which says how fine the position is: 27 has tenths of a minute, 185 m, the others 0.185 m.
    pub message: u8,
    pub mmsi: u32,
    /// When it was received; UTC milliseconds.
    pub t_ms: i64,
    pub lat_e7: i32,
    /// Within -180..180 degrees.
    pub lon_e7: i32,
    /// Tenths of a knot, or [`NULL_U16`].
    pub sog_dkn: u16,
    /// Tenths of a degree, or [`NULL_U16`].
    pub cog_ddeg: u16,
    /// Degrees, or [`NULL_U16`].
    pub heading_deg: u16,
    /// As ITU-R M.1371 numbers it, or [`NULL_STATUS`].
    pub status: u8,
    pub class: AisClass,
}

/// What a ship says of itself. A message has some of the fields only: the others are as if nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Static {
    /// Number of the message: 5, 19 or 24.
    pub message: u8,
    pub mmsi: u32,
    /// When it was received; UTC milliseconds.
    pub t_ms: i64,
    pub name: Text<20>,
    pub call_sign: Text<7>,
    /// As sent, 0 where none was; the check digit is not looked at.
    pub imo: u32,
    /// Code of ITU-R M.1371, 0 where none was sent.
    pub ship_type: u16,
    /// Metres from the antenna to bow, stern, port and starboard, 0 where none were sent; 511 and 63 say "or more".
    pub size_m: [u16; 4],
    /// Tenths of a metre, 0 where none was sent.
    pub draught_dm: u16,
    /// The ship an auxiliary craft belongs to, 0 where none was sent.
    pub mothership: u32,
    pub class: AisClass,
}

impl Static {
    fn new(message: u8, mmsi: u32, t_ms: i64, class: AisClass) -> Self {
        Self { message, mmsi, t_ms, name: Text::EMPTY, call_sign: Text::EMPTY, imo: 0, ship_type: 0, size_m: [0; 4], draught_dm: 0, mothership: 0, class }
    }
    /// Length overall in tenths of a metre.
    pub fn length_dm(&self) -> u16 {
        let [bow, stern, ..] = self.size_m;
        bow.saturating_add(stern).saturating_mul(10)
    }
    /// Beam in tenths of a metre.
    pub fn beam_dm(&self) -> u16 {
        let [.., port, starboard] = self.size_m;
        port.saturating_add(starboard).saturating_mul(10)
    }
    /// This report, with what it leaves empty taken from an older one of the same ship: the two halves of message 24 come
    /// apart.
    pub fn over(self, older: &Self) -> Self {
        let pick = |new: u32, old: u32| if new == 0 { old } else { new };
        Self {
            name: if self.name.is_empty() { older.name } else { self.name },
            call_sign: if self.call_sign.is_empty() { older.call_sign } else { self.call_sign },
            imo: pick(self.imo, older.imo),
            ship_type: if self.ship_type == 0 { older.ship_type } else { self.ship_type },
            size_m: if self.size_m == [0; 4] { older.size_m } else { self.size_m },
            draught_dm: if self.draught_dm == 0 { older.draught_dm } else { self.draught_dm },
            mothership: pick(self.mothership, older.mothership),
            ..self
        }
    }
}

/// Reads a whole message.
#[inline]
pub(super) fn read(bits: &Bits, heard: Heard) -> Outcome {
    match read_ship(bits, heard) {
        Ok(outcome) => outcome,
        Err(reason) => Outcome::Reject(reason),
    }
}

#[inline]
fn read_ship(bits: &Bits, heard: Heard) -> Result<Outcome, Reason> {
    if bits.characters == 0 {
        return Err(Reason::EmptyPayload);
    }
    if !bits.is_whole() || bits.characters < 7 {
        return Err(Reason::BadPayload);
    }
    let message = bits.get::<0, 6>() as u8;
    // Characters, not bits: senders count the fill bits differently, and it never matters.
    let (lengths, by_message) = match message {
        1..=3 | 18 => (28..=28, None),
        4 => (28..=28, Some(MmsiClass::BaseStation)),
        9 => (28..=28, Some(MmsiClass::SarAircraft)),
        5 => (70..=72, None),
        19 => (52..=52, None),
        21 => (45..=60, Some(MmsiClass::AidToNavigation)),
        24 => (27..=28, None),
        // 96 bits, but some send a whole slot.
        27 if bits.characters == 28 => (28..=28, None),
        27 => (16..=16, None),
        _ => return Err(Reason::UnsupportedType),
    };
    if !lengths.contains(&bits.characters) {
        return Err(Reason::BadPayload);
    }
    let mmsi = bits.get::<8, 30>();
    if mmsi > 999_999_999 {
        return Err(Reason::BadMmsi);
    }
    if DEFAULT_MMSIS.contains(&mmsi) {
        return Err(Reason::DefaultMmsi);
    }
    if let Some(kind) = by_message.unwrap_or(Mmsi(mmsi).class()).not_ship_key() {
        return Ok(Outcome::NotShip(kind));
    }
    let Heard::At(t_ms) = heard else { return Err(Reason::BadTime) };
    let place = |lat: i64, lon: i64, per_minute: i64| Place { message, mmsi, t_ms, lat_e7: to_e7(lat, per_minute), lon_e7: to_e7(lon, per_minute) };
    match message {
        1..=3 => {
            let status = bits.get::<38, 4>() as u8;
            let motion = (sog_of(i64::from(bits.get::<50, 10>())), cog_of(i64::from(bits.get::<116, 12>())), heading_of(i64::from(bits.get::<128, 9>())));
            place(bits.signed::<89, 27>(), bits.signed::<61, 28>(), 10_000).with(motion, status, AisClass::A)
        }
        5 => {
            let mut out = Static::new(message, mmsi, t_ms, AisClass::A);
            out.imo = bits.get::<40, 30>();
            out.call_sign = bits.text::<70, 7>();
            out.name = bits.text::<112, 20>();
            out.ship_type = bits.get::<232, 8>() as u16;
            out.size_m = bits.size::<240>();
            out.draught_dm = bits.get::<294, 8>() as u16;
            Ok(Outcome::Static(out))
        }
        18 | 19 => {
            let motion = (sog_of(i64::from(bits.get::<46, 10>())), cog_of(i64::from(bits.get::<112, 12>())), heading_of(i64::from(bits.get::<124, 9>())));
            let position = place(bits.signed::<85, 27>(), bits.signed::<57, 28>(), 10_000).with(motion, NULL_STATUS, AisClass::B);
            if message == 18 {
                return position;
            }
            let mut out = Static::new(message, mmsi, t_ms, AisClass::B);
            out.name = bits.text::<143, 20>();
            out.ship_type = bits.get::<263, 8>() as u16;
            out.size_m = bits.size::<271>();
            Ok(match position? {
                Outcome::Position(position) => Outcome::PositionAndStatic(position, out),
                _ => Outcome::Static(out),
            })
        }
        24 => {
            let mut out = Static::new(message, mmsi, t_ms, AisClass::B);
            match bits.get::<38, 2>() {
                0 => out.name = bits.text::<40, 20>(),
                1 => {
                    out.ship_type = bits.get::<40, 8>() as u16;
                    out.call_sign = bits.text::<90, 7>();
                    if mmsi / 10_000_000 == 98 {
                        out.mothership = bits.get::<132, 30>();
                    } else {
                        out.size_m = bits.size::<132>();
                    }
                }
                _ => return Err(Reason::BadPayload),
            }
            Ok(Outcome::Static(out))
        }
        _ => {
            let sog = match bits.get::<79, 6>() {
                63 => NULL_U16,
                knots => knots as u16 * 10,
            };
            let cog = match bits.get::<85, 9>() {
                degrees @ 0..360 => degrees as u16 * 10,
                _ => NULL_U16,
            };
            place(bits.signed::<62, 17>(), bits.signed::<44, 18>(), 10).with((sog, cog, NULL_U16), bits.get::<40, 4>() as u8, AisClass::Unknown)
        }
    }
}

/// What the clock of a base station says (message 4); UTC milliseconds.
pub(super) fn base_station_ms(bits: &Bits) -> Option<i64> {
    if bits.get::<0, 6>() != 4 || bits.characters != 28 || !bits.is_whole() {
        return None;
    }
    let [year, month, day] = [bits.get::<38, 14>(), bits.get::<52, 4>(), bits.get::<56, 5>()].map(i64::from);
    let [hour, minute, second] = [bits.get::<61, 5>(), bits.get::<66, 6>(), bits.get::<72, 6>()].map(i64::from);
    utc_ms(year, month, day, hour, minute, second)
}

struct Place {
    message: u8,
    mmsi: u32,
    t_ms: i64,
    lat_e7: i64,
    lon_e7: i64,
}

impl Place {
    #[inline]
    fn with(self, (sog_dkn, cog_ddeg, heading_deg): (u16, u16, u16), status: u8, class: AisClass) -> Result<Outcome, Reason> {
        let Self { message, mmsi, t_ms, lat_e7, lon_e7 } = self;
        // 91 and 181 are "not available"; 0, 0 is what a receiver without a position gives.
        if lat_e7 == 910_000_000 || lon_e7.abs() == 1_810_000_000 || (lat_e7 == 0 && lon_e7 == 0) {
            return Ok(Outcome::NoPosition { mmsi, t_ms });
        }
        let inside = |v: i64, most: i32| i32::try_from(v).ok().filter(|v| (-most..=most).contains(v)).ok_or(Reason::PositionOffGlobe);
        let (lat_e7, lon_e7) = (inside(lat_e7, 900_000_000)?, inside(lon_e7, 1_800_000_000)?);
        let lon_e7 = if lon_e7 == 1_800_000_000 { -lon_e7 } else { lon_e7 };
        let status = if status < 15 { status } else { NULL_STATUS };
        Ok(Outcome::Position(Position { message, mmsi, t_ms, lat_e7, lon_e7, sog_dkn, cog_ddeg, heading_deg, status, class }))
    }
}

/// Parts of a minute to 1e-7 degree: to the nearest, which is never between two, as a third of a unit is the finest step.
#[inline]
fn to_e7(value: i64, per_minute: i64) -> i64 {
    let thirds = value * (500_000 / per_minute);
    (thirds + thirds.signum()) / 3
}
