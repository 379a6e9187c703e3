//! Digitraffic, Finland (Fintraffic, meri.digitraffic.fi/api/ais/v1): GeoJSON, not a table.
//!
//! `locations`, the last known position of every ship; `timestampExternal` is when it was received, in milliseconds since 1970,
//! `timestamp` only the second of the minute (0 to 59, or 60 to 63 for none):
//! ```text
//! {"type":"FeatureCollection","dataUpdatedTime":"2022-07-30T20:29:00Z","features":[
//!  {"mmsi":219000001,"type":"Feature","geometry":{"type":"Point","coordinates":[20.85169,55.770832]},
//!   "properties":{"mmsi":219000001,"sog":0.1,"cog":346.5,"navStat":1,"rot":4,"posAcc":true,"raim":false,"heading":79,"timestamp":59,"timestampExternal":1659212938646}}]}
//! ```
//! `vessels`, what ships said of themselves; lengths in metres from the antenna, draught in tenths of a metre, IMO number 0 for none:
//! ```text
//! [{"name":"EXAMPLE","timestamp":1659212938646,"mmsi":219000001,"callSign":"OXAB2","imo":9000003,"shipType":80,"draught":75,"eta":416128,
//!   "posType":1,"referencePointA":149,"referencePointB":34,"referencePointC":10,"referencePointD":22,"destination":"SEGOT"}]
//! ```
//! Downloads may stand one behind the other in a file, with lines between them or none: vessels first, and their particulars stand
//! beside the positions that follow. Every element becomes a line for the scanner, one that is no position a blank one, counted
//! in [`Aside`]. So the line of a row is the number of its element in the file, from 1.
//!
//! Elements are found by their brackets, each by itself. Where one cannot be read, the search goes on behind its first bracket.

use crate::ingest::container::read_up_to;
use crate::ingest::layout::TimeForm;
use crate::ingest::nmea::Position;
use crate::ingest::nmea::lines::{Aside, NOTHING_SAID, Pen, text};
use crate::ingest::row::{self, Clock};
use crate::model::fix::NULL_U16;
use crate::model::mmsi::DEFAULT_MMSIS;
use crate::model::{AisClass, Mmsi, RejectReason};
use crate::units::{Lat, Lon};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

/// Its name in the manifest.
pub const NAME: &str = "digitraffic";

/// Bytes asked for at once.
const PIECE: usize = 256 << 10;
/// Bytes of an element: real ones have some 330.
const MOST_ELEMENT: usize = 4 << 10;
/// Brackets within brackets: a feature has three.
const DEEPEST: u32 = 8;
/// Bytes of a text, between its quotes.
const MOST_STRING: usize = 256;

/// Whether a head is that of such a file.
pub fn is_here(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let holds = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    matches!(text.first(), Some(b'{' | b'[')) && holds(b"\"mmsi\"") && (holds(b"\"timestampExternal\"") || holds(b"\"shipType\""))
}

/// Turns elements into lines.
pub struct Rows<R> {
    inner: R,
    /// Bytes read, from where the search goes on.
    left: Vec<u8>,
    /// Lines made and not yet handed out.
    made: Vec<u8>,
    handed: usize,
    /// Elements so far, and the offset of `left`.
    element: u64,
    offset: u64,
    done: bool,
    /// An element was refused, and what follows may still be part of it.
    amiss: bool,
    /// The list of features has ended: what its collection says of itself may follow.
    closed: bool,
    /// The file begins with a list of features whose end was not seen.
    in_list: bool,
    /// The last two bytes that are no white space.
    last: [u8; 2],
    pen: Pen,
    clock: Clock,
    /// The particulars of ships, as columns.
    said: FxHashMap<u32, Box<[u8]>>,
    aside: Arc<Mutex<Aside>>,
}

/// What begins at a bracket.
enum Found {
    /// An element, and its length.
    Element(usize),
    /// A collection, and the length of what stands before its elements.
    Collection(usize),
    /// Nothing that can be read.
    Nothing,
    /// Nobody knows yet.
    More,
}

/// What an element says.
enum Said {
    Position(Position),
    Vessel(u32, Box<[u8]>),
    NotShip(&'static str),
    NoPosition,
    /// A collection without features.
    Empty,
}

impl<R: Read> Rows<R> {
    /// With where to look for what is no position.
    pub fn new(inner: R) -> (Self, Arc<Mutex<Aside>>) {
        let aside = Arc::new(Mutex::new(Aside::default()));
        let rows = Self {
            inner,
            left: Vec::new(),
            made: Vec::new(),
            handed: 0,
            element: 0,
            offset: 0,
            done: false,
            amiss: false,
            closed: false,
            in_list: false,
            last: [b' '; 2],
            pen: Pen::default(),
            clock: Clock::default(),
            said: FxHashMap::default(),
            aside: Arc::clone(&aside),
        };
        (rows, aside)
    }

    /// Reads the next piece, and makes lines of the elements in it.
    fn make(&mut self) -> io::Result<()> {
        self.made.clear();
        self.handed = 0;
        let mut bytes = std::mem::take(&mut self.left);
        let old = bytes.len();
        bytes.resize(old + PIECE, 0);
        let got = read_up_to(&mut self.inner, bytes.get_mut(old..).unwrap_or_default())?;
        bytes.truncate(old + got);
        self.done = got < PIECE;
        let mut black = bytes.iter().skip(old).rev().filter(|b| !b.is_ascii_whitespace());
        if let Some(last) = black.next() {
            self.last = [black.next().copied().unwrap_or(self.last[1]), *last];
        }
        let shared = Arc::clone(&self.aside);
        let mut aside = shared.lock().map_err(|_| io::Error::other("a thread that read beside this one failed"))?;
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(begin) = memchr::memchr(b'{', rest) else {
                // One bracket may be missing or damaged; where none of what ends a list is there, the rest of it is missing.
                let nothing_follows = self.last != *b"]}" && rest.iter().all(|b| b.is_ascii_whitespace() || *b == b',');
                if self.done && self.in_list && (nothing_follows || !self.last.iter().any(|b| b"]}".contains(b))) {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "its list of features does not end: it is cut"));
                }
                // What stands before the next bracket is looked at together with it; but it must not fill the memory.
                if self.done || rest.len() > MOST_ELEMENT {
                    self.between(rest, at, &mut aside);
                    at = bytes.len();
                }
                break;
            };
            match find(rest.get(begin..).unwrap_or_default(), self.done) {
                Found::More => break,
                found => {
                    self.between(rest.get(..begin).unwrap_or_default(), at, &mut aside);
                    at += begin + self.take(found, rest.get(begin..).unwrap_or_default(), at + begin, &mut aside)?;
                }
            }
        }
        self.offset += at as u64;
        bytes.drain(..at);
        self.left = bytes;
        Ok(())
    }

    /// Takes what begins at a bracket; how far it reaches.
    fn take(&mut self, found: Found, bytes: &[u8], at: usize, aside: &mut Aside) -> io::Result<usize> {
        let length = match found {
            Found::Collection(length) => {
                (self.amiss, self.closed) = (false, false);
                // What a file begins with; farther on a damaged feature looks like one.
                self.in_list |= self.element == 0;
                return Ok(length);
            }
            Found::Element(length) => length,
            Found::Nothing | Found::More => {
                self.refuse(RejectReason::BadFeature, bytes.get(..bytes.len().min(MOST_ELEMENT)).unwrap_or_default(), at, aside);
                return Ok(1);
            }
        };
        let text = bytes.get(..length).unwrap_or_default();
        // A text may hold any bytes; outside of one they are no JSON.
        let judged = match serde_json::from_str::<Map<String, Value>>(&String::from_utf8_lossy(text)) {
            Ok(element) => self.judge(&element),
            Err(_) => Err(RejectReason::BadFeature),
        };
        if let Err(reason) = judged {
            self.refuse(reason, text, at, aside);
            // Of an element with a bracket too many or too few a part was taken for the whole.
            self.amiss = reason == RejectReason::BadFeature;
            return Ok(if self.amiss { 1 } else { length });
        }
        self.amiss = false;
        let row = match judged {
            Ok(Said::Empty) => return Ok(length),
            Ok(Said::Position(p)) => {
                self.pen.position(&mut self.made, &p)?;
                self.made.extend_from_slice(self.said.get(&p.mmsi).map_or(NOTHING_SAID, |said| said));
                0
            }
            Ok(Said::Vessel(mmsi, said)) => {
                self.said.insert(mmsi, said);
                aside.static_only += 1;
                1
            }
            Ok(Said::NotShip(kind)) => {
                *aside.not_ships.entry(kind).or_default() += 1;
                1
            }
            Ok(Said::NoPosition) | Err(_) => {
                aside.no_position += 1;
                1
            }
        };
        aside.rows += row;
        self.next_line();
        Ok(length)
    }

    fn next_line(&mut self) {
        self.made.push(b'\n');
        self.element += 1;
    }

    /// Refuses an element, once: what can be read of its parts says nothing more.
    fn refuse(&mut self, reason: RejectReason, text: &[u8], at: usize, aside: &mut Aside) {
        if !self.amiss {
            aside.reject(reason, self.element, self.offset + at as u64, text);
            self.next_line();
        }
        self.amiss = true;
    }

    /// Looks at what stands between two elements: commas and brackets, or what is left of an element without its first bracket.
    fn between(&mut self, text: &[u8], at: usize, aside: &mut Aside) {
        let is_mark = |b: &u8| b.is_ascii_whitespace() || b",[]{}\xef\xbb\xbf\x1e".contains(b);
        self.closed |= text.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b']');
        self.in_list &= !self.closed;
        // To the bracket that closes the collection; no further.
        let from = match memchr::memchr(b'}', text).filter(|_| self.closed) {
            Some(end) => end + 1,
            None if self.closed => text.len(),
            None => 0,
        };
        self.closed &= from == text.len();
        if let Some(k) = text.iter().skip(from).position(|b| !is_mark(b)).map(|k| from + k) {
            self.refuse(RejectReason::BadFeature, text.get(k..).unwrap_or_default(), at + k, aside);
        }
    }

    /// What an element says, or why it is refused.
    fn judge(&mut self, element: &Map<String, Value>) -> Result<Said, RejectReason> {
        let (geometry, properties) = (element.get("geometry"), element.get("properties").and_then(Value::as_object));
        let is_vessel = geometry.is_none() && properties.is_none() && ["name", "shipType", "callSign", "imo"].iter().any(|k| element.contains_key(*k));
        if element.get("features").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            return Ok(Said::Empty);
        }
        if !is_vessel && (geometry.is_none() || properties.is_none()) {
            return Err(RejectReason::BadFeature);
        }
        // A feature says it twice.
        let numbers = [Some(element), properties].map(|of| of.and_then(|of| of.get("mmsi")).map(plain));
        let (Some(number), second) = (numbers[0].as_ref().or(numbers[1].as_ref()), &numbers[1]) else { return Err(RejectReason::BadMmsi) };
        let Some(mmsi) = row::mmsi(number.as_bytes()).filter(|_| second.as_ref().is_none_or(|s| s == number)) else {
            return Err(if row::is_short_default(number.as_bytes()) { RejectReason::DefaultMmsi } else { RejectReason::BadMmsi });
        };
        if DEFAULT_MMSIS.contains(&mmsi) {
            return Err(RejectReason::DefaultMmsi);
        }
        if let Some(kind) = Mmsi(mmsi).class().not_ship_key() {
            return Ok(Said::NotShip(kind));
        }
        if is_vessel {
            return Ok(Said::Vessel(mmsi, particulars(element)));
        }
        let of = |key: &str| properties.and_then(|p| p.get(key)).map_or_else(String::new, plain);
        let t_ms = self.clock.time_ms(of("timestampExternal").as_bytes(), TimeForm::EpochMillis).ok_or(RejectReason::BadTime)?;
        if geometry.is_some_and(Value::is_null) {
            return Ok(Said::NoPosition);
        }
        // A third number would be one that came apart.
        let place = geometry.and_then(|g| g.get("coordinates")).and_then(Value::as_array).map(Vec::as_slice);
        let Some([lon, lat]) = place else { return Err(RejectReason::BadPosition) };
        let e7 = |degrees: &Value| row::scaled(plain(degrees).as_bytes(), 7).ok_or(RejectReason::BadPosition);
        let (lat, lon) = (e7(lat)?, e7(lon)?);
        if row::is_no_position(lat, lon) {
            return Ok(Said::NoPosition);
        }
        let on_globe = |v: i64| i32::try_from(v).ok();
        let lat_e7 = on_globe(lat).and_then(Lat::from_e7).ok_or(RejectReason::PositionOffGlobe)?.e7();
        let lon_e7 = on_globe(lon).and_then(Lon::from_e7).ok_or(RejectReason::PositionOffGlobe)?.e7();
        let motion = |key: &str, digits: u32, read: fn(i64) -> u16| match of(key) {
            text if text.is_empty() => Ok(NULL_U16),
            text => row::scaled(text.as_bytes(), digits).map(read).ok_or(RejectReason::BadMotion),
        };
        Ok(Said::Position(Position {
            message: 1,
            mmsi,
            t_ms,
            lat_e7,
            lon_e7,
            sog_dkn: motion("sog", 1, row::sog_of)?,
            cog_ddeg: motion("cog", 1, row::cog_of)?,
            heading_deg: motion("heading", 0, row::heading_of)?,
            status: row::status(of("navStat").as_bytes()),
            class: AisClass::Unknown,
        }))
    }
}

/// A number or a text as it stands; what is neither stands for itself, and will not be read.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// The particulars of a vessel as the columns behind a position.
fn particulars(vessel: &Map<String, Value>) -> Box<[u8]> {
    let of = |key: &str| vessel.get(key).map_or_else(String::new, plain);
    let sides = ["referencePointA", "referencePointB", "referencePointC", "referencePointD"].map(of);
    let known = sides.iter().any(|s| s != "0");
    let tenths = |text: String| match row::scaled(text.as_bytes(), 0) {
        Some(v) if v > 0 => format!("{}.{}", v / 10, v % 10),
        _ => String::new(),
    };
    let mut out = Vec::new();
    for column in [of("name"), of("imo"), of("callSign"), of("shipType"), tenths(of("draught"))] {
        text(&mut out, column.replace(['\n', '\r'], " ").as_bytes());
    }
    for side in &sides {
        text(&mut out, if known { side.replace(['\n', '\r'], " ") } else { String::new() }.as_bytes());
    }
    out.into()
}

/// Looks at what begins with a bracket: to the one that closes it, or to the list of elements in it. `whole`: no more bytes will come.
fn find(bytes: &[u8], whole: bool) -> Found {
    let (mut depth, mut open, mut after) = (0u32, None, b' ');
    let mut list = None;
    for (k, &b) in bytes.iter().take(MOST_ELEMENT).enumerate() {
        if let Some(quote) = open {
            match b {
                b'"' if after != b'\\' => open = None,
                0..=31 => return Found::Nothing,
                _ if k - quote > MOST_STRING => return Found::Nothing,
                _ => {}
            }
            // A backslash behind a backslash escapes nothing.
            after = if after == b'\\' { b' ' } else { b };
            continue;
        }
        if b.is_ascii_whitespace() {
            continue;
        }
        if b == b'{'
            && let Some(list) = list
        {
            return Found::Collection(list);
        }
        list = None;
        match b {
            b'"' => (open, after) = (Some(k), b' '),
            b'{' | b'[' if depth == DEEPEST => return Found::Nothing,
            b'{' | b'[' => {
                // The elements of a list right below the top are elements themselves.
                list = (b == b'[' && depth == 1).then_some(k + 1);
                depth += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Found::Element(k + 1);
                }
            }
            _ => {}
        }
    }
    if whole || bytes.len() >= MOST_ELEMENT { Found::Nothing } else { Found::More }
}

impl<R: Read> Read for Rows<R> {
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
