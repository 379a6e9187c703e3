//! Parts of one message, sent as several sentences, put together.
//!
//! Sequence number and channel hardly name a message: merged feeds use them again while another message is unfinished. So parts
//! come in order, unless a TAG group names their message; and where two unfinished messages cannot be told apart, none is made.

use super::Reason;
use super::message::Bits;
use super::sentence::{Heard, Vdm};
use std::collections::VecDeque;

/// A message is given up when its last part came this many lines ago.
pub const MOST_LINES_APART: u64 = 64;
/// Parts received further apart belong to different messages.
pub const MOST_MS_APART: i64 = 5_000;

/// A part whose message never became whole: a refused row, with [`Reason::OrphanPart`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Line of the stream, the first being 1.
    pub line: u64,
    /// As given with the line.
    pub byte_offset: u64,
    /// The line as it stood.
    pub text: Vec<u8>,
}

/// The time that a `$PGHP` line gave, and what the checksums of its message must come to; 0 says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) t_ms: i64,
    pub(super) checksum: u8,
}

impl Clock {
    /// The time, where the message is the one it was given for.
    pub(super) fn heard(self, checksums: u8) -> Heard {
        if self.checksum == 0 || self.checksum == checksums { Heard::At(self.t_ms) } else { Heard::Unsaid }
    }
}

/// A message that waits for parts.
#[derive(Default)]
struct Slot {
    total: u8,
    sequence: u8,
    channel: u8,
    station: super::sentence::Station,
    group: Option<u32>,
    heard: Heard,
    clock: Option<Clock>,
    /// Exclusive or of the checksums.
    checksums: u8,
    /// Payloads in the order they came: part, and how long it is.
    parts: Vec<(u8, usize)>,
    payloads: Vec<u8>,
    lines: Vec<Lost>,
    last_line: u64,
    /// Messages begun that this cannot tell from each other, itself among them.
    open: u32,
    /// There were several, and what comes next may be of any.
    contested: bool,
}

impl Slot {
    /// Whether a part may be of this message; and how much says so.
    fn likeness(&self, part: &Vdm<'_>) -> Option<u8> {
        let (station, group) = (part.tag.station, part.tag.group);
        let near = match (self.heard, part.tag.heard) {
            (Heard::At(a), Heard::At(b)) => a.abs_diff(b) <= MOST_MS_APART as u64,
            _ => true,
        };
        let stations = station == self.station || !station.is_known() || !self.station.is_known();
        let groups = group == self.group || group.is_none() || self.group.is_none();
        let same = (part.total, part.sequence, part.channel) == (self.total, self.sequence, self.channel);
        (near && same && stations && groups).then(|| 2 * u8::from(group.is_some() && group == self.group) + u8::from(station == self.station))
    }
    /// Whether a part that is like enough may be put to it.
    fn takes(&self, part: &Vdm<'_>) -> bool {
        let named = part.tag.group.is_some() && part.tag.group == self.group;
        let next = usize::from(part.number) == self.parts.len() + 1;
        let fits = named || (next && part.tag.group.is_none());
        (fits && self.part(part.number).is_none()) || (self.contested && part.number > 1)
    }
    /// The payload of a part that came.
    fn part(&self, number: u8) -> Option<&[u8]> {
        let mut rest = &self.payloads[..];
        for (n, length) in &self.parts {
            let (payload, after) = rest.split_at_checked(*length)?;
            if *n == number {
                return Some(payload);
            }
            rest = after;
        }
        None
    }
}

/// What adding a part came to.
pub(super) enum Added {
    Waits,
    /// All parts are there; and when the message was received.
    Whole(Bits, Heard),
    Refused(Reason),
}

/// Unfinished messages, the oldest first.
#[derive(Default)]
pub(super) struct Assembler {
    slots: Vec<Slot>,
    pub(super) lost: VecDeque<Lost>,
}

impl Assembler {
    /// Adds a part.
    pub(super) fn add(&mut self, part: &Vdm<'_>, clock: Option<Clock>, line: Lost) -> Added {
        if part.number < part.total && part.fill != 0 {
            return Added::Refused(Reason::BadPayload);
        }
        self.give_up(|slot| slot.last_line.saturating_add(MOST_LINES_APART) < line.line);
        let mut best: Option<(u8, usize)> = None;
        let (mut tied, mut open) = (false, 0u32);
        for (k, slot) in self.slots.iter_mut().enumerate() {
            let Some(likeness) = slot.likeness(part) else { continue };
            if slot.takes(part) {
                match best {
                    Some((most, _)) if likeness < most => {}
                    Some((most, _)) if likeness == most => tied = true,
                    _ => (best, tied) = (Some((likeness, k)), false),
                }
            } else if part.number == 1 {
                if !slot.contested && slot.part(1) == Some(part.payload) {
                    // Another receiver's copy: its other parts will come too.
                    slot.open = slot.open.saturating_add(1);
                    return Added::Refused(Reason::OrphanPart);
                }
                open = open.saturating_add(slot.open);
            }
        }
        if tied {
            return Added::Refused(Reason::OrphanPart);
        }
        let k = match best {
            Some((_, k)) => k,
            None if part.number == 1 || part.tag.group.is_some() => {
                if open > 0 {
                    self.give_up(|slot| slot.likeness(part).is_some());
                }
                let (total, sequence, channel) = (part.total, part.sequence, part.channel);
                self.slots.push(Slot { total, sequence, channel, open: open.saturating_add(1), contested: open > 0, ..Slot::default() });
                self.slots.len() - 1
            }
            None => return Added::Refused(Reason::OrphanPart),
        };
        let Some(slot) = self.slots.get_mut(k) else { return Added::Refused(Reason::OrphanPart) };
        if slot.contested && part.number > 1 {
            slot.open = slot.open.saturating_sub(u32::from(part.number == part.total));
            if slot.open == 0 {
                self.lost.extend(self.slots.remove(k).lines);
            }
            return Added::Refused(Reason::OrphanPart);
        }
        if !slot.station.is_known() {
            slot.station = part.tag.station;
        }
        slot.group = slot.group.or(part.tag.group);
        slot.heard = slot.heard.earlier(part.tag.heard);
        slot.clock = slot.clock.or(clock);
        slot.checksums ^= part.checksum;
        slot.parts.push((part.number, part.payload.len()));
        slot.payloads.extend_from_slice(part.payload);
        slot.last_line = line.line;
        slot.lines.push(line);
        if slot.parts.len() < usize::from(slot.total) {
            return Added::Waits;
        }
        let mut bits = Bits::default();
        for number in 1..=slot.total {
            bits.push(slot.part(number).unwrap_or_default());
        }
        let heard = slot.heard.or(slot.clock.map_or(Heard::Unsaid, |clock| clock.heard(slot.checksums)));
        if slot.open > 1 {
            // The copies' last parts must not fall to the next message.
            slot.open -= 1;
            slot.contested = true;
            slot.lines.clear();
        } else {
            self.slots.remove(k);
        }
        Added::Whole(bits, heard)
    }
    /// Gives up unfinished messages.
    fn give_up(&mut self, which: impl Fn(&Slot) -> bool) {
        let lost = &mut self.lost;
        self.slots.retain_mut(|slot| {
            let gone = which(slot);
            if gone {
                lost.extend(slot.lines.drain(..));
            }
            !gone
        });
    }
    /// Gives up all of them.
    pub(super) fn finish(&mut self) {
        self.give_up(|_| true);
    }
}
