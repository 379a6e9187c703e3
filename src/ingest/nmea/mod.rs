//! Raw NMEA AIS: sentences of any talker, with TAG blocks, `$PGHP` time lines, or a time before or behind them.
//!
//! A stream is decoded by one [`Decoder`], line by line and in order: a message may take several lines, and a time line belongs
//! to the line after it. Every line has exactly one [`Outcome`]. How lines count:
//!
//! - A *row* is a line whose outcome is neither [`Outcome::Part`], [`Outcome::Clock`] nor [`Outcome::Other`]. The last part of a
//!   message to come is the row of the whole message.
//! - A part whose message never becomes whole turns up in [`Decoder::lost`], once, and is then a row refused for
//!   [`Reason::OrphanPart`].
//! - So rows = accepted + refused, and lines = rows + others + (parts - lost) after [`Decoder::finish`].

mod assemble;
pub mod lines;
mod message;
mod sentence;

pub use assemble::{Lost, MOST_LINES_APART, MOST_MS_APART};
pub use message::{Position, Static, Text};

use assemble::{Added, Assembler, Clock};
use message::Bits;
use sentence::{Heard, Line, Tag};
use std::collections::HashMap;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Messages 1, 2, 3, 18 and 27.
    Position(Position),
    /// Message 19.
    PositionAndStatic(Position, Static),
    /// Messages 5 and 24, and 19 without a position.
    Static(Static),
    /// A position report of a ship that does not know its position.
    NoPosition { mmsi: u32, t_ms: i64 },
    /// A station that is no ship, by its number or by the message (4, 9 and 21): the key of the row accounting.
    NotShip(&'static str),
    /// A part of a message; the others are still to come.
    Part,
    /// A `$PGHP` line.
    Clock,
    /// A blank line, a comment, a sentence about something else.
    Other,
    /// Refused.
    Reject(Reason),
}

impl Outcome {
    /// Whether the line counts as a row.
    pub fn is_row(&self) -> bool {
        !matches!(self, Self::Part | Self::Clock | Self::Other)
    }
}

/// Why a line was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The checksum of the sentence or of a TAG block is missing or does not fit.
    BadChecksum,
    /// The checksum fits, but it is no sentence; or there is none in the line.
    BadSentence,
    /// The payload is empty: the receiver heard something, and could not read it.
    EmptyPayload,
    /// The payload holds other bytes than six-bit characters, or has a length that its message cannot have.
    BadPayload,
    /// A part of a message whose other parts are missing or came first, that came twice, or that may belong to more than one
    /// message.
    OrphanPart,
    /// There is no receive time, or none that can be read. Of the time of sending, the message gives the second only.
    BadTime,
    /// The MMSI has more than nine digits.
    BadMmsi,
    /// The MMSI is one that transponders send when nobody has set them up.
    DefaultMmsi,
    /// Latitude or longitude is off the globe and no known sentinel.
    PositionOffGlobe,
    /// A message that says nothing about a ship's position or particulars.
    UnsupportedType,
}

impl Reason {
    /// The key in outputs.
    pub fn key(self) -> &'static str {
        match self {
            Self::BadChecksum => "bad_checksum",
            Self::BadSentence => "bad_sentence",
            Self::EmptyPayload => "empty_payload",
            Self::BadPayload => "bad_payload",
            Self::OrphanPart => "orphan_part",
            Self::BadTime => "bad_time",
            Self::BadMmsi => "bad_mmsi",
            Self::DefaultMmsi => "default_mmsi",
            Self::PositionOffGlobe => "position_off_globe",
            Self::UnsupportedType => "unsupported_type",
        }
    }
    /// Whether the line counts as malformed. Receivers pass on every type and what they could
    /// not read, and parts are lost on the way.
    pub fn is_malformed(self) -> bool {
        !matches!(self, Self::EmptyPayload | Self::OrphanPart | Self::DefaultMmsi | Self::UnsupportedType)
    }
}

/// Decodes a stream, a line at a time.
#[derive(Default)]
pub struct Decoder {
    lines: u64,
    /// Of the time line before, until the next sentence.
    clock: Option<Clock>,
    /// The last group of lines that gave its time.
    group: Option<(u32, i64)>,
    base_station_ms: Option<i64>,
    assembler: Assembler,
    statics: HashMap<u32, Static>,
}

impl Decoder {
    /// At the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes the next line, with or without its end.
    pub fn line(&mut self, line: &[u8]) -> Outcome {
        self.line_at(line, 0)
    }

    /// The same, with the offset of its first byte: lost parts tell it.
    #[inline]
    pub fn line_at(&mut self, line: &[u8], byte_offset: u64) -> Outcome {
        self.lines += 1;
        let line = match line {
            [text @ .., b'\r', b'\n'] | [text @ .., b'\n' | b'\r'] => text,
            text => text,
        };
        let mut vdm = match sentence::read(line) {
            Ok(Line::Vdm(vdm)) => vdm,
            Ok(Line::Clock { t_ms, checksum }) => {
                self.clock = Some(Clock { t_ms, checksum });
                return Outcome::Clock;
            }
            Ok(Line::Other(mut tag)) => {
                self.time_of_group(&mut tag);
                return Outcome::Other;
            }
            Err(reason) => {
                self.clock = None;
                return Outcome::Reject(reason);
            }
        };
        let clock = self.clock.take();
        self.time_of_group(&mut vdm.tag);
        let outcome = if vdm.total == 1 {
            let mut bits = Bits::default();
            bits.push(vdm.payload);
            let heard = vdm.tag.heard.or(clock.map_or(Heard::Unsaid, |clock| clock.heard(vdm.checksum)));
            self.whole(&bits, heard)
        } else {
            let part = Lost { line: self.lines, byte_offset, text: line.to_vec() };
            match self.assembler.add(&vdm, clock, part) {
                Added::Waits => Outcome::Part,
                Added::Whole(bits, heard) => self.whole(&bits, heard),
                Added::Refused(reason) => Outcome::Reject(reason),
            }
        };
        if let Outcome::Static(new) | Outcome::PositionAndStatic(_, new) = &outcome {
            self.statics.entry(new.mmsi).and_modify(|known| *known = new.over(known)).or_insert(*new);
        }
        outcome
    }

    #[inline]
    fn whole(&mut self, bits: &Bits, heard: Heard) -> Outcome {
        let outcome = message::read(bits, heard);
        if outcome == Outcome::NotShip("base_station")
            && let Some(t_ms) = message::base_station_ms(bits)
        {
            self.base_station_ms = Some(t_ms);
        }
        outcome
    }

    /// In a group of lines, the first alone may carry the time.
    #[inline]
    fn time_of_group(&mut self, tag: &mut Tag) {
        let Some(group) = tag.group else { return };
        match (tag.heard, self.group) {
            (Heard::At(t_ms), _) => self.group = Some((group, t_ms)),
            (Heard::Unsaid, Some((known, t_ms))) if known == group => tag.heard = Heard::At(t_ms),
            _ => {}
        }
    }

    /// Gives up what still waits for parts: the stream is at its end.
    pub fn finish(&mut self) {
        self.clock = None;
        self.assembler.finish();
    }

    /// The next part whose message was given up since.
    pub fn lost(&mut self) -> Option<Lost> {
        self.assembler.lost.pop_front()
    }

    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// What a ship has said of itself so far, all its messages together.
    pub fn known(&self, mmsi: u32) -> Option<&Static> {
        self.statics.get(&mmsi)
    }

    /// What the clock of a base station said last (message 4). No row is dated by it: UTC milliseconds.
    pub fn base_station_ms(&self) -> Option<i64> {
        self.base_station_ms
    }
}
