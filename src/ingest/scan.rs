//! The line scanner: a block of whole lines to records and rejects.
//!
//! A line is split at its commas; only a line that holds a quote is read with quoting, inside that line. The field count must
//! fit the header exactly. Whatever is wrong with a line is that line's affair.

use crate::ingest::blocks::Block;
use crate::ingest::layout::{Field, Identity, Layout, PARTICULARS, TimeForm, Units};
use crate::ingest::{escape, row};
use crate::model::fix::{NULL_STATUS, NULL_U16};
use crate::model::mmsi::DEFAULT_MMSIS;
use crate::model::{Fix, Mmsi, RejectReason, time};
use crate::units::{Lat, Lon};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Lines longer than this are refused.
pub const MOST_LINE: usize = 64 << 10;
/// Bytes of a text field that are kept.
pub const MOST_TEXT: usize = 1 << 10;
/// Refused rows kept verbatim, a reason.
pub const MOST_REJECTS: usize = 1000;
/// Records are spread over this many shards by MMSI, so that grouping can go in parallel.
pub const SHARDS: usize = 64;

/// Which shard a ship belongs to.
pub fn shard_of(mmsi: u32) -> usize {
    (mmsi.wrapping_mul(0x9E37_79B1) >> 26) as usize % SHARDS
}

/// A refused line.
#[derive(Clone, Debug)]
pub struct RawReject {
    pub line: u32,
    pub byte_offset: u64,
    pub reason: RejectReason,
    pub text: String,
}

/// What a block gave.
pub struct Scanned {
    pub stream: usize,
    pub sequence: usize,
    pub worker: usize,
    /// Line of the stream that its first line is, the first behind the header being 0; set when the blocks before it are counted.
    pub first_line: u64,
    /// Lines of any kind.
    pub lines: u32,
    /// Lines that are rows.
    pub rows: u64,
    pub no_position: u64,
    pub not_ships: BTreeMap<&'static str, u64>,
    pub rejected: BTreeMap<RejectReason, u64>,
    pub rejects: Vec<RawReject>,
    /// Fixes by shard; `row` is the line within the block, `particulars` what the worker numbered as [`Worker::said`].
    pub shards: Vec<Vec<Fix>>,
    pub days: BTreeMap<i32, u64>,
}

/// Which rows are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// First and last UTC day, inclusive.
    pub days: (Option<i32>, Option<i32>),
    /// West, south, east, north in 1e-7 degree; west > east crosses the antimeridian.
    pub bbox_e7: Option<[i32; 4]>,
}

impl Wanted {
    #[inline]
    fn refuses_day(&self, day: i32) -> bool {
        self.days.0.is_some_and(|d| day < d) || self.days.1.is_some_and(|d| day > d)
    }
    #[inline]
    fn refuses_place(&self, lat: i32, lon: i32) -> bool {
        self.bbox_e7.is_some_and(|[w, s, e, n]| {
            let across = if w <= e { (w..=e).contains(&lon) } else { lon >= w || lon <= e };
            !across || !(s..=n).contains(&lat)
        })
    }
}

/// A worker's own memory: ships and what they say of themselves, numbered as they come, and buffers.
#[derive(Default)]
pub struct Worker {
    number: usize,
    /// The stream that tails were kept of: another may mean something else by the same bytes.
    stream: Option<usize>,
    /// What ships said of themselves, by its number here: the MMSI in four bytes, and raw particulars.
    pub said: Vec<Arc<[u8]>>,
    /// The same to its number.
    sayings: FxHashMap<Arc<[u8]>, u32>,
    /// MMSIs to the number of the ship here.
    numbers: FxHashMap<u32, u32>,
    /// Ships by their number.
    ships: Vec<Ship>,
    key: Vec<u8>,
    fields: Vec<(u32, u32)>,
    unquoted: Vec<u8>,
    clock: row::Clock,
}

/// Bytes that [`Ship::tail`] has room for.
const MOST_TAIL: usize = 100;

/// What a worker knows of a ship: most rows repeat what the ship said of itself before. Looked up for every row, in any order:
/// two cache lines, the first of which mostly suffices.
#[repr(C, align(64))]
struct Ship {
    /// The number of what it said last; `u32::MAX` before it said anything.
    saying: u32,
    /// The status in the tail.
    status: u8,
    /// What stood behind the columns that change, to the end of the line and with it; empty where it cannot be used again.
    tail_length: u8,
    tail: [u8; MOST_TAIL],
    /// What it said last, as interned.
    key: Arc<[u8]>,
}

impl Ship {
    fn new() -> Self {
        Self { key: Arc::from([]), saying: u32::MAX, status: NULL_STATUS, tail_length: 0, tail: [0; MOST_TAIL] }
    }
    /// Whether a tail was kept. It is read from its end, so that all of it comes from memory.
    #[inline]
    fn has_tail(&self) -> bool {
        usize::from(self.tail_length).checked_sub(1).is_some_and(|last| self.tail[last] == b'\n')
    }
    /// Keeps the tail of an accepted line. One with a quote in it is read anew each time.
    fn keep_tail(&mut self, tail: &[u8], status: u8) {
        let fits = tail.len() <= MOST_TAIL && tail.last() == Some(&b'\n') && memchr::memchr(b'"', tail).is_none();
        self.tail_length = if fits { tail.len() as u8 } else { 0 };
        self.status = status;
        if fits {
            self.tail[..tail.len()].copy_from_slice(tail);
        }
    }
}

/// A line that was found ahead.
#[derive(Clone, Copy, Default)]
struct Next {
    /// Where it ends.
    end: usize,
    mmsi: u32,
    /// The number of its ship, where one is known that has a tail.
    ship: Option<u32>,
}

/// Lines that were found ahead, and how many of them are done with.
#[derive(Default)]
struct Ahead {
    lines: [Next; 32],
    length: usize,
    at: usize,
}

impl Ahead {
    #[inline]
    fn next(&mut self) -> Option<Next> {
        let next = self.lines[..self.length].get(self.at).copied();
        self.at += 1;
        next
    }
}

/// A layout with what the scanner looks up in it.
pub struct Plan {
    layout: Layout,
    at: [Option<usize>; 7],
    particulars: Vec<(u8, usize)>,
    /// Stretches of particulars that stand side by side: (first column, last column, first particular).
    stretches: Vec<(usize, usize)>,
    /// The columns up to the last one that changes from row to row, where nothing else stands among them; else none.
    head: Vec<Field>,
    /// Whether rows end in what is a position, or a made-up name, wherever it ends.
    open_ended: bool,
}

impl Plan {
    /// Looks up a layout's columns.
    pub fn new(layout: Layout) -> Self {
        let find = |field: Field| layout.columns.iter().position(|f| *f == field);
        let at = [Field::Mmsi, Field::Time, Field::Lat, Field::Lon, Field::Sog, Field::Cog, Field::Heading].map(find);
        let particulars: Vec<(u8, usize)> =
            layout.columns.iter().enumerate().filter_map(|(c, f)| if let Field::Particular(p) = f { Some((*p, c)) } else { None }).collect();
        let mut stretches: Vec<(usize, usize)> = Vec::new();
        for &(_, c) in &particulars {
            match stretches.last_mut() {
                Some(last) if last.1 + 1 == c => last.1 = c,
                _ => stretches.push((c, c)),
            }
        }
        let moving = at.iter().flatten().max().map_or(0, |last| last + 1);
        let plain =
            (layout.delimiter, layout.time, layout.station) == (b',', TimeForm::Iso, None) && layout.units != Units::Raw && layout.identity != Identity::Hashed;
        let split = plain
            && moving < layout.columns.len()
            && layout.columns[..moving].iter().all(|f| !matches!(f, Field::Status | Field::Particular(_) | Field::Other));
        let head = if split { layout.columns[..moving].to_vec() } else { Vec::new() };
        let open_ended = match layout.columns.last() {
            Some(Field::Lat | Field::Lon) => true,
            Some(Field::Mmsi) => layout.identity == Identity::Hashed,
            _ => false,
        };
        Self { layout, at, particulars, stretches, head, open_ended }
    }
    /// The MMSI in a line, where it is plain.
    #[inline]
    fn mmsi_in(&self, line: &[u8]) -> Option<u32> {
        let column = self.head.iter().position(|field| *field == Field::Mmsi)?;
        let begin = if column == 0 { 0 } else { memchr::memchr_iter(b',', line).nth(column - 1)? + 1 };
        row::mmsi(line.get(begin..begin + 9)?)
    }
    fn is_header(&self, line: &[u8]) -> bool {
        line == self.layout.header
    }
    /// Digits behind the point that a column is read to: of positions and, in a speed or course, of tenths.
    fn scaled(&self, text: &[u8], digits: u32) -> Option<i64> {
        match self.layout.units {
            Units::Plain => row::scaled(text, digits),
            Units::Raw if digits == 7 => row::scaled(text, 0).and_then(row::e7_of_ten_thousandths),
            Units::Tenths if digits == 7 => row::scaled(text, 7),
            Units::Raw | Units::Tenths => row::scaled(text, 0),
        }
    }
    /// A speed, course or heading that may be missing.
    fn motion(&self, text: &[u8], digits: u32, of: impl Fn(i64) -> u16) -> Option<u16> {
        if text.is_empty() { Some(NULL_U16) } else { self.scaled(text, digits).map(of) }
    }
    #[inline]
    fn cog_of(&self, v: i64) -> u16 {
        if self.layout.signed_course { row::cog_of_signed(v) } else { row::cog_of(v) }
    }
    /// Whether nothing says that a row is whole of which this follows: no end of a line, or a line that is no row but may be the rest of one.
    fn may_go_on(&self, following: Option<&[u8]>) -> bool {
        let Some(rest) = following else { return true };
        let next = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        !next.trim_ascii().is_empty() && memchr::memchr(self.layout.delimiter, next).is_none()
    }
    /// Digits of a length behind the point, to have it in tenths of a metre.
    pub fn length_digits(&self) -> u32 {
        u32::from(self.layout.units != Units::Tenths)
    }
    /// Digits of a draught behind the point, to have it in tenths of a metre.
    pub fn draught_digits(&self) -> u32 {
        u32::from(self.layout.units == Units::Plain)
    }
    fn status_column(&self) -> Option<usize> {
        self.layout.columns.iter().position(|f| *f == Field::Status)
    }
    /// What else raw particulars depend on.
    pub fn layout_parts(&self) -> (u8, Units) {
        (self.layout.delimiter, self.layout.units)
    }
    /// Which canonical particulars stand in the file, in file order.
    pub fn particulars_order(&self) -> Vec<u8> {
        self.particulars.iter().map(|p| p.0).collect()
    }
    /// Whether an unquoted line holds the particulars that a ship's key was made of.
    #[inline]
    fn repeats(&self, line: &[u8], fields: &[(u32, u32)], key: &[u8]) -> bool {
        let Some([.., 0]) = key.first_chunk::<5>() else { return false };
        let mut rest = &key[5..];
        for (k, &(first, last)) in self.stretches.iter().enumerate() {
            if k > 0 {
                let Some((between, after)) = rest.split_first() else { return false };
                if *between != self.layout.delimiter {
                    return false;
                }
                rest = after;
            }
            let piece = &line[fields[first].0 as usize..fields[last].1 as usize];
            match rest.split_at_checked(piece.len()) {
                Some((head, after)) if head == piece => rest = after,
                _ => return false,
            }
        }
        rest.is_empty()
    }
    /// Raw particulars, as interned behind the MMSI, to text by canonical field.
    pub fn texts<'k>(&self, key: &'k [u8]) -> [&'k [u8]; PARTICULARS.len()] {
        let mut out: [&[u8]; PARTICULARS.len()] = [b""; PARTICULARS.len()];
        let Some((quoted, body)) = key.split_first() else { return out };
        if *quoted == 1 {
            let mut rest = body;
            for &(p, _) in &self.particulars {
                let Some((length, tail)) = rest.split_first_chunk::<4>() else { break };
                (out[usize::from(p)], rest) = tail.split_at((u32::from_le_bytes(*length) as usize).min(tail.len()));
            }
            return out;
        }
        for (&(p, _), text) in self.particulars.iter().zip(body.split(|b| *b == self.layout.delimiter)) {
            out[usize::from(p)] = text;
        }
        out
    }
}

impl Worker {
    /// The `number`th worker.
    pub fn new(number: usize) -> Self {
        Self { number, ..Self::default() }
    }

    /// Scans a block.
    pub fn scan(&mut self, plan: &Plan, stream: usize, block: &Block, wanted: &Wanted) -> Scanned {
        let bytes = block.bytes();
        let per_shard = bytes.len() / 70 / SHARDS;
        let mut out = Scanned {
            stream,
            sequence: block.sequence,
            worker: self.number,
            first_line: 0,
            lines: 0,
            rows: 0,
            no_position: 0,
            not_ships: BTreeMap::new(),
            rejected: BTreeMap::new(),
            rejects: Vec::new(),
            shards: (0..SHARDS).map(|_| Vec::with_capacity(per_shard)).collect(),
            days: BTreeMap::new(),
        };
        if self.stream.replace(stream) != Some(stream) {
            self.ships.iter_mut().for_each(|ship| ship.tail_length = 0);
        }
        let quotes = memchr::memchr(b'"', bytes).is_some();
        let status = plan.status_column();
        let (mut day, mut day_rows) = (i32::MIN, 0u64);
        let mut begin = 0;
        let mut count_day = |days: &mut BTreeMap<i32, u64>, t_ms: i64| {
            let today = time::day_of(t_ms);
            if today != day {
                *days.entry(day).or_default() += std::mem::take(&mut day_rows);
                day = today;
            }
            day_rows += 1;
        };
        let mut ahead = Ahead::default();
        while begin < bytes.len() {
            let next = ahead.next().or_else(|| {
                self.look_ahead(plan, bytes, begin, &mut ahead);
                ahead.next()
            });
            let end = next.map_or(bytes.len(), |line| line.end);
            if let Some(line) = next
                && let Some((shard, fix)) = self.quick(plan, &bytes[begin..], line.end + 1 - begin, line, wanted)
            {
                count_day(&mut out.days, fix.t_ms);
                out.shards[shard].push(Fix { row: out.lines, ..fix });
                out.lines += 1;
                out.rows += 1;
                begin = end + 1;
                continue;
            }
            let line_bytes = &bytes[begin..end];
            let offset_in = begin;
            let offset = block.offset + begin as u64;
            begin = end + 1;
            let line = line_bytes.strip_suffix(b"\r").unwrap_or(line_bytes);
            let number = out.lines;
            out.lines += 1;
            if line.is_empty() {
                continue;
            }
            out.rows += 1;
            let judged = match self.line(plan, status, line, quotes, wanted) {
                Ok(Row::Fix { .. }) if plan.open_ended && plan.may_go_on(bytes.get(begin..)) => Err(RejectReason::CutShort),
                judged => judged,
            };
            match judged {
                Ok(Row::Fix { ship, shard, fix }) => {
                    count_day(&mut out.days, fix.t_ms);
                    if let Some(tail) = tail_of(plan, &bytes[offset_in..begin.min(bytes.len())]) {
                        self.ships[ship].keep_tail(tail, fix.status);
                    }
                    out.shards[shard].push(Fix { row: number, ..fix });
                }
                Ok(Row::NoPosition) => out.no_position += 1,
                Ok(Row::NotShip(kind)) => *out.not_ships.entry(kind).or_default() += 1,
                Err(reason) => {
                    let count = out.rejected.entry(reason).or_default();
                    *count += 1;
                    if *count <= MOST_REJECTS as u64 {
                        out.rejects.push(RawReject { line: number, byte_offset: offset, reason, text: escape(line, 1024) });
                    }
                }
            }
        }
        *out.days.entry(day).or_default() += day_rows;
        out.days.retain(|_, n| *n > 0);
        out
    }

    /// Finds the next lines from `begin` on and the ships that they are of, and asks for what is known of these: memory answers for many
    /// at once in the time it takes for one.
    fn look_ahead(&self, plan: &Plan, bytes: &[u8], begin: usize, ahead: &mut Ahead) {
        (ahead.at, ahead.length) = (0, 0);
        let mut from = begin;
        for (end, next) in memchr::memchr_iter(b'\n', &bytes[begin..]).map(|k| begin + k).zip(&mut ahead.lines) {
            let mmsi = plan.mmsi_in(&bytes[from..end]);
            *next = Next { end, mmsi: mmsi.unwrap_or_default(), ship: mmsi.and_then(|m| self.numbers.get(&m)).copied() };
            ahead.length += 1;
            from = end + 1;
        }
        for next in &mut ahead.lines[..ahead.length] {
            next.ship = next.ship.filter(|ship| self.ships[*ship as usize].has_tail());
        }
    }

    /// The usual row: plain numbers in the columns that change, and behind them to the end of the line what the ship said last
    /// time. It is what [`Worker::line`] makes of the same bytes; whatever is not just so is left to it. It is the first `length` bytes of `rest`.
    #[inline]
    fn quick(&mut self, plan: &Plan, rest: &[u8], length: usize, Next { mmsi, ship, .. }: Next, wanted: &Wanted) -> Option<(usize, Fix)> {
        let known = &self.ships[ship? as usize];
        let head = length.checked_sub(usize::from(known.tail_length)).filter(|head| *head < length)?;
        if known.tail[..length - head] != rest[head..length] {
            return None;
        }
        let (mut t_ms, mut lat, mut lon) = (0, i64::MAX, i64::MAX);
        let (mut sog_dkn, mut cog_ddeg, mut heading_deg) = (NULL_U16, NULL_U16, NULL_U16);
        let tenths = u32::from(plan.layout.units == Units::Plain);
        let mut k = 0;
        for field in &plan.head {
            let text = rest.get(k..)?;
            k += match field {
                Field::Mmsi => 9,
                Field::Time => {
                    t_ms = self.clock.seconds_ms(text.first_chunk()?)?;
                    19
                }
                Field::Lat => row::decimal(text, 7, &mut lat)?,
                Field::Lon => row::decimal(text, 7, &mut lon)?,
                Field::Sog => row::motion(text, tenths, row::sog_of, &mut sog_dkn)?,
                Field::Cog => row::motion(text, tenths, |v| plan.cog_of(v), &mut cog_ddeg)?,
                Field::Heading => row::motion(text, 0, row::heading_of, &mut heading_deg)?,
                Field::Status | Field::Particular(_) | Field::Other => return None,
            };
            if rest.get(k) != Some(&b',') {
                return None;
            }
            k += 1;
        }
        let inside = |v: i64, most: i32| i32::try_from(v).ok().filter(|v| (-most..=most).contains(v));
        let (lat_e7, lon_e7) = (inside(lat, 900_000_000)?, inside(lon, 1_799_999_999)?);
        if k != head || (lat_e7, lon_e7) == (0, 0) || wanted.refuses_day(time::day_of(t_ms)) || wanted.refuses_place(lat_e7, lon_e7) {
            return None;
        }
        let fix = Fix { t_ms, lat_e7, lon_e7, sog_dkn, cog_ddeg, heading_deg, status: known.status, particulars: known.saying, row: 0 };
        Some((shard_of(mmsi), fix))
    }

    #[inline]
    fn line(&mut self, plan: &Plan, status: Option<usize>, line: &[u8], quotes: bool, wanted: &Wanted) -> Result<Row, RejectReason> {
        if line.len() > MOST_LINE {
            return Err(RejectReason::LineTooLong);
        }
        let (columns, delimiter) = (plan.layout.columns.len(), plan.layout.delimiter);
        // Where the quotes are in order they count: without them a row that lacks a field would be made whole by a comma in a name.
        let quoted = quotes && memchr::memchr(b'"', line).is_some() && self.split_quoted(line, delimiter);
        if !quoted {
            self.fields.clear();
            let mut from = 0;
            for comma in memchr::memchr_iter(delimiter, line) {
                self.fields.push((from as u32, comma as u32));
                from = comma + 1;
            }
            self.fields.push((from as u32, line.len() as u32));
        }
        if self.fields.len() != columns {
            return Err(RejectReason::FieldCount);
        }
        let text: &[u8] = if quoted { &self.unquoted } else { line };
        let fields = &self.fields;
        let field = |c: Option<usize>| c.and_then(|c| fields.get(c)).map_or(&b""[..], |&(x, y)| trim(&text[x as usize..y as usize]));
        // Some layouts say what kind of station sent, and write the numbers of coast stations without their zeros.
        if let Some(kind) = plan.layout.station.and_then(|c| row::not_ship(field(Some(c)))) {
            return Ok(Row::NotShip(kind));
        }
        let number = field(plan.at[0]);
        let known = match plan.layout.identity {
            Identity::Mmsi => row::mmsi(number),
            Identity::Hashed => row::hashed_identity(number, plan.is_header(line)),
            Identity::Numbered => row::mmsi_or_made_up(number),
        };
        let Some(mmsi) = known else {
            return Err(match () {
                () if plan.is_header(line) => RejectReason::RepeatedHeader,
                () if row::is_short_default(number) => RejectReason::DefaultMmsi,
                () => RejectReason::BadMmsi,
            });
        };
        if DEFAULT_MMSIS.contains(&mmsi) {
            return Err(RejectReason::DefaultMmsi);
        }
        if let Some(kind) = Mmsi(mmsi).class().not_ship_key() {
            return Ok(Row::NotShip(kind));
        }
        let t_ms = self.clock.time_ms(field(plan.at[1]), plan.layout.time).ok_or(RejectReason::BadTime)?;
        if wanted.refuses_day(time::day_of(t_ms)) {
            return Err(RejectReason::OutsidePeriod);
        }
        let (lat, lon) = (field(plan.at[2]), field(plan.at[3]));
        if lat.is_empty() && lon.is_empty() {
            return Ok(Row::NoPosition);
        }
        let lat = plan.scaled(lat, 7).ok_or(RejectReason::BadPosition)?;
        let lon = plan.scaled(lon, 7).ok_or(RejectReason::BadPosition)?;
        if row::is_no_position(lat, lon) {
            return Ok(Row::NoPosition);
        }
        let on_globe = |v: i64| i32::try_from(v).ok();
        let lat = on_globe(lat).and_then(Lat::from_e7).ok_or(RejectReason::PositionOffGlobe)?.e7();
        let lon = on_globe(lon).and_then(Lon::from_e7).ok_or(RejectReason::PositionOffGlobe)?.e7();
        if wanted.refuses_place(lat, lon) {
            return Err(RejectReason::OutsideBbox);
        }
        let bad = RejectReason::BadMotion;
        let fix = Fix {
            t_ms,
            lat_e7: lat,
            lon_e7: lon,
            row: 0,
            particulars: 0,
            sog_dkn: plan.motion(field(plan.at[4]), 1, row::sog_of).ok_or(bad)?,
            cog_ddeg: plan.motion(field(plan.at[5]), 1, |v| plan.cog_of(v)).ok_or(bad)?,
            heading_deg: plan.motion(field(plan.at[6]), 0, row::heading_of).ok_or(bad)?,
            status: status.map_or(NULL_STATUS, |c| row::status(field(Some(c)))),
        };
        let next = self.ships.len() as u32;
        let ship = *self.numbers.entry(mmsi).or_insert(next);
        if ship == next {
            self.ships.push(Ship::new());
        }
        let Ship { key: last, saying, .. } = &mut self.ships[ship as usize];
        // Most rows repeat what the ship said before: then no key need be made.
        if quoted || *saying == u32::MAX || !plan.repeats(line, &self.fields, last) {
            self.key.clear();
            self.key.extend_from_slice(&mmsi.to_le_bytes());
            self.key.push(u8::from(quoted));
            if quoted {
                // No byte can part them: whatever a quoted field holds is text.
                for &(_, c) in &plan.particulars {
                    let (x, y) = self.fields[c];
                    self.key.extend_from_slice(&(y - x).to_le_bytes());
                    self.key.extend_from_slice(&self.unquoted[x as usize..y as usize]);
                }
            } else {
                for (k, &(first, last)) in plan.stretches.iter().enumerate() {
                    if k > 0 {
                        self.key.push(delimiter);
                    }
                    self.key.extend_from_slice(&line[self.fields[first].0 as usize..self.fields[last].1 as usize]);
                }
            }
            (*last, *saying) = match self.sayings.get_key_value(&self.key[..]) {
                Some((key, number)) => (Arc::clone(key), *number),
                None => {
                    let (key, number) = (Arc::<[u8]>::from(&self.key[..]), self.said.len() as u32);
                    self.said.push(Arc::clone(&key));
                    self.sayings.insert(Arc::clone(&key), number);
                    (key, number)
                }
            };
        }
        let particulars = *saying;
        Ok(Row::Fix { ship: ship as usize, shard: shard_of(mmsi), fix: Fix { particulars, ..fix } })
    }

    /// Splits a line with quotes into `unquoted` and `fields`. False where a quote is a stray one, which is then text like any other.
    fn split_quoted(&mut self, line: &[u8], delimiter: u8) -> bool {
        self.unquoted.clear();
        self.fields.clear();
        let mut k = 0;
        loop {
            let from = self.unquoted.len() as u32;
            if line.get(k) == Some(&b'"') {
                k += 1;
                loop {
                    match (line.get(k), line.get(k + 1)) {
                        (Some(b'"'), Some(b'"')) => {
                            self.unquoted.push(b'"');
                            k += 2;
                        }
                        (Some(b'"'), next) if next.is_none_or(|b| *b == delimiter) => {
                            k += 1;
                            break;
                        }
                        (Some(b'"'), Some(_)) | (None, _) => return false,
                        (Some(&b), _) => {
                            self.unquoted.push(b);
                            k += 1;
                        }
                    }
                }
            } else {
                while k < line.len() && line[k] != delimiter {
                    self.unquoted.push(line[k]);
                    k += 1;
                }
            }
            self.fields.push((from, self.unquoted.len() as u32));
            if k >= line.len() {
                return true;
            }
            k += 1;
        }
    }
}

enum Row {
    /// With the number of its ship, and its shard.
    Fix {
        ship: usize,
        shard: usize,
        fix: Fix,
    },
    NoPosition,
    NotShip(&'static str),
}

/// What stands behind the columns that change, with the end of the line.
fn tail_of<'l>(plan: &Plan, line: &'l [u8]) -> Option<&'l [u8]> {
    let comma = memchr::memchr_iter(b',', line).nth(plan.head.len().checked_sub(1)?)?;
    line.get(comma + 1..)
}

#[inline]
fn trim(text: &[u8]) -> &[u8] {
    match text {
        [b' ', ..] | [.., b' '] => text.trim_ascii(),
        _ => text,
    }
}
