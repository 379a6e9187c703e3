//! A stream of sentences as lines of a table, so that accounts, order and scanning are those of every other file.
//!
//! *In*: bytes. *Out*: as many lines as came in: a position as a row of [`layout`], with what its ship had said of itself so far in
//! this stream; everything else as a blank line, which is no row, and counted in [`Aside`].

use crate::ingest::escape;
use crate::ingest::layout::{Field, Identity, Layout, TimeForm, Units};
use crate::ingest::nmea::{Decoder, Outcome, Position, Reason, Static};
use crate::ingest::scan::{MOST_REJECTS, RawReject};
use crate::model::fix::{NULL_STATUS, NULL_U16};
use crate::model::{AisClass, RejectReason, time};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

/// Lines of a head that are looked at to know sentences by.
const LOOKED_AT: usize = 64;
/// Bytes asked for at once.
const PIECE: usize = 256 << 10;
/// A line longer than this is dropped but for its beginning.
const MOST_UNBROKEN: usize = 1 << 20;
/// What is kept of it: far more than a sentence has.
const KEPT: usize = 64 << 10;

/// Whether a head is that of a stream of sentences.
pub fn are_here(head: &[u8]) -> bool {
    let mut decoder = Decoder::new();
    let lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    // A sentence whose checksum fits is one; nothing else is so by chance.
    lines.take(LOOKED_AT).any(|line| !matches!(decoder.line(line), Outcome::Other | Outcome::Reject(Reason::BadSentence | Reason::BadChecksum)))
}

/// The layout of the lines that come out, under the name of what went in.
pub fn layout(name: &'static str) -> Layout {
    let particulars = [8, 0, 1, 2, 3, 6, 9, 10, 11, 12].map(Field::Particular);
    let mut columns = vec![Field::Mmsi, Field::Time, Field::Lat, Field::Lon, Field::Sog, Field::Cog, Field::Heading, Field::Status];
    columns.extend(particulars);
    Layout {
        name,
        delimiter: b',',
        columns,
        time: TimeForm::Iso,
        units: Units::Plain,
        identity: Identity::Mmsi,
        station: None,
        signed_course: false,
        header: Vec::new(),
    }
}

/// What is known of the rows that are no positions, when the stream has been read to its end.
#[derive(Debug, Default)]
pub struct Aside {
    /// All of them.
    pub rows: u64,
    /// Reports of ships that do not know where they are.
    pub no_position: u64,
    /// Reports of particulars alone.
    pub static_only: u64,
    /// Stations that are no ships, by kind.
    pub not_ships: BTreeMap<&'static str, u64>,
    /// Refused rows by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// The first of each reason; their lines count from 0.
    pub rejects: Vec<RawReject>,
}

impl Aside {
    /// Counts a refused row, and keeps the first of each reason.
    pub fn reject(&mut self, reason: RejectReason, line: u64, byte_offset: u64, text: &[u8]) {
        self.rows += 1;
        let n = self.rejected.entry(reason).or_default();
        *n += 1;
        if *n <= MOST_REJECTS as u64 {
            self.rejects.push(RawReject { line: u32::try_from(line).unwrap_or(u32::MAX), byte_offset, reason, text: escape(text.trim_ascii_end(), 1024) });
        }
    }
}

/// Turns sentences into lines.
pub struct Lines<R> {
    inner: R,
    decoder: Decoder,
    /// Bytes read and not yet decoded.
    left: Vec<u8>,
    /// Lines made and not yet handed out.
    made: Vec<u8>,
    handed: usize,
    line: u64,
    offset: u64,
    /// Bytes of the line that `left` begins, beyond those in it.
    dropped: u64,
    done: bool,
    pen: Pen,
    aside: Arc<Mutex<Aside>>,
}

impl<R: Read> Lines<R> {
    /// With where to look for what is no position.
    pub fn new(inner: R) -> (Self, Arc<Mutex<Aside>>) {
        let aside = Arc::new(Mutex::new(Aside::default()));
        let lines = Self {
            inner,
            decoder: Decoder::new(),
            left: Vec::new(),
            made: Vec::new(),
            handed: 0,
            line: 0,
            offset: 0,
            dropped: 0,
            done: false,
            pen: Pen::default(),
            aside: Arc::clone(&aside),
        };
        (lines, aside)
    }

    /// Decodes the next piece.
    fn make(&mut self) -> io::Result<()> {
        self.made.clear();
        self.handed = 0;
        let mut bytes = std::mem::take(&mut self.left);
        let old = bytes.len();
        bytes.resize(old + PIECE, 0);
        let got = crate::ingest::container::read_up_to(&mut self.inner, bytes.get_mut(old..).unwrap_or_default())?;
        bytes.truncate(old + got);
        self.done = got < PIECE;
        let whole = if self.done { bytes.len() } else { memchr::memrchr(b'\n', &bytes).map_or(0, |k| k + 1) };
        let (whole, rest) = bytes.split_at(whole);
        let shared = Arc::clone(&self.aside);
        let mut aside = shared.lock().map_err(|_| io::Error::other("a thread that read beside this one failed"))?;
        for line in whole.split_inclusive(|b| *b == b'\n') {
            let outcome = self.decoder.line_at(line, self.offset);
            self.take(outcome, line, &mut aside)?;
            self.made.push(b'\n');
            self.line += 1;
            self.offset += line.len() as u64 + std::mem::take(&mut self.dropped);
        }
        if self.done {
            self.decoder.finish();
        }
        while let Some(lost) = self.decoder.lost() {
            aside.reject(RejectReason::OrphanPart, lost.line.saturating_sub(1), lost.byte_offset, &lost.text);
        }
        self.left = rest.to_vec();
        if rest.len() > MOST_UNBROKEN {
            self.left.truncate(KEPT);
            self.dropped += (rest.len() - KEPT) as u64;
        }
        Ok(())
    }

    fn take(&mut self, outcome: Outcome, line: &[u8], aside: &mut Aside) -> io::Result<()> {
        match outcome {
            Outcome::Position(position) | Outcome::PositionAndStatic(position, _) => return self.row(&position),
            Outcome::Static(_) => aside.static_only += 1,
            Outcome::NoPosition { .. } => aside.no_position += 1,
            Outcome::NotShip(kind) => *aside.not_ships.entry(kind).or_default() += 1,
            Outcome::Part | Outcome::Clock | Outcome::Other => return Ok(()),
            Outcome::Reject(reason) => {
                aside.reject(reason.into(), self.line, self.offset, line);
                return Ok(());
            }
        }
        aside.rows += 1;
        Ok(())
    }

    fn row(&mut self, p: &Position) -> io::Result<()> {
        let said = self.decoder.known(p.mmsi).copied();
        let class = if p.class == AisClass::Unknown { said.map_or(AisClass::Unknown, |s| s.class) } else { p.class };
        self.pen.position(&mut self.made, &Position { class, ..*p })?;
        match said {
            Some(said) => particulars(&mut self.made, &said),
            None => {
                self.made.extend_from_slice(NOTHING_SAID);
                Ok(())
            }
        }
    }
}

/// The columns of particulars behind a position of a ship that has said nothing yet.
pub const NOTHING_SAID: &[u8] = b",,,,,,,,,";

/// Writes positions as rows of [`layout`], with a memory of the last day.
pub struct Pen {
    day: i32,
    date: String,
}

impl Default for Pen {
    fn default() -> Self {
        Self { day: i32::MIN, date: String::new() }
    }
}

impl Pen {
    /// The row as far as the class; particulars follow.
    pub fn position(&mut self, out: &mut Vec<u8>, p: &Position) -> io::Result<()> {
        let day = time::day_of(p.t_ms);
        if self.day != day {
            (self.day, self.date) = (day, time::day_text(day));
        }
        let (ms, s) = (p.t_ms.rem_euclid(1000), p.t_ms.div_euclid(1000).rem_euclid(86_400));
        write!(out, "{:09},{}T{:02}:{:02}:{:02}", p.mmsi, self.date, s / 3600, s / 60 % 60, s % 60)?;
        if ms > 0 {
            write!(out, ".{ms:03}")?;
        }
        for e7 in [p.lat_e7, p.lon_e7] {
            let size = e7.unsigned_abs();
            write!(out, ",{}{}.{:07}", if e7 < 0 { "-" } else { "" }, size / 10_000_000, size % 10_000_000)?;
        }
        for tenths in [p.sog_dkn, p.cog_ddeg] {
            out.push(b',');
            if tenths != NULL_U16 {
                write!(out, "{}.{}", tenths / 10, tenths % 10)?;
            }
        }
        out.push(b',');
        if p.heading_deg != NULL_U16 {
            write!(out, "{}", p.heading_deg)?;
        }
        out.push(b',');
        if p.status != NULL_STATUS {
            write!(out, "{}", p.status)?;
        }
        out.extend_from_slice(match p.class {
            AisClass::A => b",A",
            AisClass::B => b",B",
            AisClass::Unknown => b",",
        });
        Ok(())
    }
}

fn particulars(out: &mut Vec<u8>, said: &Static) -> io::Result<()> {
    text(out, said.name.as_bytes());
    number(out, said.imo)?;
    text(out, said.call_sign.as_bytes());
    number(out, u32::from(said.ship_type))?;
    out.push(b',');
    if said.draught_dm > 0 {
        write!(out, "{}.{}", said.draught_dm / 10, said.draught_dm % 10)?;
    }
    // Where nothing was sent of the antenna all four are 0; of a bow at 0 alone that is no sign.
    for side in said.size_m {
        out.push(b',');
        if said.size_m != [0; 4] {
            write!(out, "{side}")?;
        }
    }
    Ok(())
}

fn number(out: &mut Vec<u8>, v: u32) -> io::Result<()> {
    out.push(b',');
    if v > 0 { write!(out, "{v}") } else { Ok(()) }
}

/// A text behind a comma, in quotes where it holds what would part it.
pub fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b',');
    if !text.iter().any(|b| matches!(b, b',' | b'"')) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for b in text {
        out.extend_from_slice(if *b == b'"' { b"\"\"" } else { std::slice::from_ref(b) });
    }
    out.push(b'"');
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.handed >= self.made.len() {
            if self.done {
                return Ok(0);
            }
            self.make()?;
        }
        let ready = self.made.get(self.handed..).unwrap_or_default();
        let n = buf.len().min(ready.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.handed += n;
        Ok(n)
    }
}

impl From<Reason> for RejectReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::BadChecksum => Self::BadChecksum,
            Reason::BadSentence => Self::BadSentence,
            Reason::EmptyPayload => Self::EmptyPayload,
            Reason::BadPayload => Self::BadPayload,
            Reason::OrphanPart => Self::OrphanPart,
            Reason::BadTime => Self::BadTime,
            Reason::BadMmsi => Self::BadMmsi,
            Reason::DefaultMmsi => Self::DefaultMmsi,
            Reason::PositionOffGlobe => Self::PositionOffGlobe,
            Reason::UnsupportedType => Self::UnsupportedType,
        }
    }
}
