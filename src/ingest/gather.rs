//! From blocks to one delivery: scanned in parallel, grouped by ship, put in total order, duplicates dropped, every row counted.

use crate::frame::{self, PositionColumns};
use crate::ingest::blocks::{Block, Blocks};
use crate::ingest::container::{self, Stream};
use crate::ingest::layout::{self, Layout, Reading, digitraffic};
use crate::ingest::nmea::{self, lines::Aside};
use crate::ingest::scan::{MOST_LINE, MOST_REJECTS, Plan, RawReject, Scanned, Wanted, Worker};
use crate::ingest::spill::{Spill, Taker};
use crate::ingest::store::{Dropped, Sighting, Store, is_duplicate, stream_of};
use crate::ingest::{Error, escape};
use crate::model::{FileAccount, Fix, Reject, RejectReason, time};
use polars::prelude::{DataFrame, PolarsError};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that went in and what came of them.
#[derive(Debug)]
pub struct Delivery {
    /// One row a report; the rows of a ship stand together, in total order.
    pub positions: DataFrame,
    /// One row for every distinct thing that a ship said of itself.
    pub particulars: DataFrame,
    /// Row accounting, one a stream, in input order.
    pub accounts: Vec<FileAccount>,
    /// Refused rows kept verbatim, first 1,000 a reason.
    pub rejects: Vec<Reject>,
    /// First row number of every stream; a fix's `row` less this is its line (the header being line 1).
    pub first_rows: Vec<u32>,
    /// Inputs that were refused, and why; empty when all was read.
    pub refused: Vec<Error>,
    /// The UTC days that were delivered, ascending.
    pub days: Vec<i32>,
    /// Rows handed on before, in parts, that must not count: their stream was refused afterwards.
    pub refused_rows: Vec<Range<u32>>,
    /// Parts that were handed on before.
    pub parts: usize,
    /// Streams that hold at least one delivered position each day, for people; by day.
    pub rows_by_day: BTreeMap<i32, u64>,
}

/// What to read, and what not to take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rows asked for.
    pub days: (Option<i32>, Option<i32>),
    /// West, south, east, north in degrees times 1e7.
    pub bbox_e7: Option<[i32; 4]>,
    /// What is known of the layout of tables before they are looked at.
    pub reading: Reading,
    /// Share of malformed rows, in percent of a file, above which it is refused.
    pub max_reject_percent: f64,
    /// Share of the fullest day's rows that a day must hold to count as delivered.
    pub stray_share: f64,
    /// Fixes that may come together before duplicates among them are looked for. It cannot be seen in what comes out.
    pub settle_after: usize,
    /// Fixes of more than one day that may come together in memory before they are handed on, where somebody takes them.
    pub spill_after: usize,
}

impl Limits {
    /// The days that count as delivered: those named, and those that hold at least a share of what the fullest holds; where days lie
    /// more than `REMOTE_D` days from all others, one of them as much as [`Self::worth`] says. The rest is of stray clocks.
    pub fn delivered(&self, rows_by_day: &BTreeMap<i32, u64>) -> BTreeSet<i32> {
        let fullest = rows_by_day.values().copied().max().unwrap_or(0);
        // An open end names no day but its own: a stray clock beyond it stays one.
        let named = |d: i32| match self.days {
            (Some(from), Some(to)) => (from..=to).contains(&d),
            (from, to) => from.or(to) == Some(d),
        };
        let many = |n: u64| n > 0 && n as f64 >= self.stray_share * fullest as f64;
        let delivered: Vec<(i32, u64)> = rows_by_day.iter().filter(|(day, n)| named(**day) || many(**n)).map(|(day, n)| (*day, *n)).collect();
        let near = delivered.chunk_by(|a, b| b.0 - a.0 <= REMOTE_D);
        near.filter(|days| days.iter().any(|(day, n)| named(*day) || *n >= self.worth(fullest))).flatten().map(|(day, _)| *day).collect()
    }

    /// The rows that a day far from all others, or one that was settled long ago, must hold to count, where the fullest day holds
    /// `fullest`: the share of stray clocks, and a tenth, or more than one ship can send, so that no single clock makes a day.
    pub fn worth(&self, fullest: u64) -> u64 {
        if self.stray_share == 0.0 { 1 } else { (self.stray_share * fullest as f64).ceil().max((fullest as f64 / 10.0).min(MOST_OF_A_SHIP)) as u64 }
    }
}

/// Reports that one ship sends in a day at most: one every two seconds (ITU-R M.1371).
const MOST_OF_A_SHIP: f64 = 43_200.0;

/// Days without any other between them after which days are remote.
const REMOTE_D: i32 = 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            days: (None, None),
            bbox_e7: None,
            reading: Reading::default(),
            max_reject_percent: 5.0,
            stray_share: 0.001,
            settle_after: 6_000_000,
            spill_after: 4_000_000,
        }
    }
}

struct OpenStream {
    account: FileAccount,
    digest: container::Digesting,
    first_row: u64,
    /// The header and what stands above it.
    header_lines: u64,
    /// Lines behind the header.
    lines: u64,
    /// Rows refused before the scanner; lines from 0.
    rejects: Vec<RawReject>,
}

impl OpenStream {
    /// As [`refuse`] for the rows that the scanner does not see.
    fn refuse(&mut self) {
        let account = &mut self.account;
        let fine = account.rows - account.rejected_total();
        (account.no_position, account.static_only) = (0, 0);
        account.not_ships.clear();
        refuse_rows(&mut account.rejected, fine);
    }
    /// Counts rows that the scanner does not see.
    fn put_aside(&mut self, aside: Aside) {
        let account = &mut self.account;
        (account.rows, account.no_position, account.static_only) = (aside.rows, aside.no_position, aside.static_only);
        (account.not_ships, account.rejected) = (aside.not_ships, aside.rejected);
        self.rejects = aside.rejects;
    }
}

/// Reads all files. `progress` is told of decoded bytes as they are scanned.
pub fn read(paths: &[PathBuf], limits: &Limits, progress: &(dyn Fn(u64) + Sync)) -> Result<Delivery, Error> {
    read_in(paths, limits, progress, Spill::new(None, usize::MAX))
}

/// The same, where rows of more than one day do not come together in memory: they are handed on in parts, and what is left is the
/// delivery's. Its accounts and days are those of all.
pub fn read_apart(paths: &[PathBuf], limits: &Limits, progress: &(dyn Fn(u64) + Sync), taker: Taker) -> Result<Delivery, Error> {
    read_in(paths, limits, progress, Spill::new(Some(taker), limits.spill_after))
}

fn read_in(paths: &[PathBuf], limits: &Limits, progress: &(dyn Fn(u64) + Sync), mut spill: Spill) -> Result<Delivery, Error> {
    // 180 is written -180: a box that ends there reaches across.
    let bbox_e7 = limits.bbox_e7.map(|[w, s, e, n]| [w, s, if e == 1_800_000_000 && w > -e { -e } else { e }, n]);
    let wanted = Wanted { days: limits.days, bbox_e7 };
    let workers: Vec<Mutex<Worker>> = (0..rayon::current_num_threads()).map(|n| Mutex::new(Worker::new(n))).collect();
    let mut refused = Vec::new();
    let mut opened: Vec<OpenStream> = Vec::new();
    let mut scanned: Vec<Scanned> = Vec::new();
    let mut store = Store::new(limits.settle_after);
    let hands = Hands { workers: &workers, wanted: &wanted, reading: &limits.reading, progress };
    let mut next_row = 0;
    let mut refused_rows: Vec<Range<u32>> = Vec::new();
    let mut listed = Listed::new();
    for path in paths {
        let streams = match container::open(path) {
            Ok(streams) => streams,
            Err(e) => {
                refused.push(e);
                continue;
            }
        };
        for stream in streams {
            let number = opened.len();
            let (first_row, parts) = (next_row, spill.parts);
            let mut listed_too = listed.clone();
            let read = scan_stream(stream, number, &mut next_row, &hands, &mut store, &mut spill, &mut listed_too);
            if let Some(broken) = spill.broken.take() {
                return Err(broken);
            }
            let mut drop_rows = |spill: &mut Spill, until: u64| {
                spill.forget(number, first_row);
                if spill.parts > parts {
                    refused_rows.push(first_row as u32..until as u32);
                }
            };
            match read {
                Ok((mut open, mut blocks)) => {
                    listed = listed_too;
                    next_row = first_row + open.header_lines + open.lines + 1;
                    let scanned_malformed: u64 = blocks.iter().flat_map(|b| &b.rejected).filter(|(r, _)| r.is_malformed()).map(|(_, n)| n).sum();
                    let malformed = open.account.malformed() + scanned_malformed;
                    let rows = open.account.rows + blocks.iter().map(|b| b.rows).sum::<u64>();
                    let percent = 100.0 * malformed as f64 / rows.max(1) as f64;
                    if percent > limits.max_reject_percent {
                        let path = open.account.path.clone();
                        let why = most_frequent(open.account.rejected.iter().chain(blocks.iter().flat_map(|b| &b.rejected)));
                        refused.push(Error::TooManyRejects { path, malformed, rows, percent, limit: limits.max_reject_percent, why });
                        blocks.iter_mut().for_each(refuse);
                        open.refuse();
                        store.refuse(false);
                        drop_rows(&mut spill, next_row);
                    }
                    opened.push(open);
                    scanned.extend(blocks);
                }
                Err(e) => {
                    refused.push(e);
                    drop_rows(&mut spill, next_row);
                }
            }
        }
    }
    gather(opened, scanned, store, spill, &workers, limits, refused).map(|delivery| Delivery { refused_rows, ..delivery })
}

/// What malformed rows suffer from, the most frequent first.
fn most_frequent<'a>(rejected: impl Iterator<Item = (&'a RejectReason, &'a u64)>) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    rejected.filter(|(reason, _)| reason.is_malformed()).for_each(|(reason, n)| *counts.entry(reason.key()).or_default() += n);
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts.iter().map(|(reason, n)| format!("{reason} {n}")).collect::<Vec<_>>().join(", ")
}

/// Of a refused file no row is taken: those that were refused by themselves can be looked up, the others are counted.
fn refuse(block: &mut Scanned) {
    let fine = block.rows - block.rejected.values().sum::<u64>();
    refuse_rows(&mut block.rejected, fine);
    block.no_position = 0;
    block.not_ships.clear();
    block.days.clear();
}

fn refuse_rows(rejected: &mut BTreeMap<RejectReason, u64>, fine: u64) {
    if fine > 0 {
        *rejected.entry(RejectReason::FileRefused).or_default() += fine;
    }
}

/// Who scans, and how.
struct Hands<'a> {
    workers: &'a [Mutex<Worker>],
    wanted: &'a Wanted,
    reading: &'a Reading,
    progress: &'a (dyn Fn(u64) + Sync),
}

/// Scans a stream whose first line is row `next_row`; its fixes go to the store. Where it fails, `next_row` is behind the rows that went
/// there before.
fn scan_stream(
    stream: Stream,
    number: usize,
    next_row: &mut u64,
    hands: &Hands,
    store: &mut Store,
    spill: &mut Spill,
    listed: &mut Listed,
) -> Result<(OpenStream, Vec<Scanned>), Error> {
    let first_row = *next_row;
    let Stream { path, stored_bytes, reader, table, digest } = stream;
    let damaged = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::IsADirectory => Error::Io { path: path.clone(), source: e },
        _ => Error::Damaged { path: path.clone(), what: e.to_string() },
    };
    let Source { layout, blocks, header_lines, aside } = match table {
        Some(table) => {
            let layout = Layout::recognise(&path, &table.header(), hands.reading).map_err(|e| with_unread(e, table.unread()))?;
            let (layout, lines) = table.lines(&path, layout);
            Source { layout, blocks: Blocks::new(lines, Vec::new(), 0), header_lines: 1, aside: None }
        }
        None => open(&path, reader, hands.reading, &damaged)?,
    };
    let name = layout.name;
    let plan = Arc::new(Plan::new(layout));
    let blocks = Mutex::new(Some(blocks));
    store.begin(&plan, first_row, hands.workers);
    let (mut scanned, mut lines) = (Vec::new(), 0);
    loop {
        let round = scan_round(&blocks, &plan, number, hands, store.room().min(spill.room()));
        let (mut round, last) = round.map_err(|e| {
            store.refuse(true);
            *next_row = first_row + header_lines + lines + 1;
            damaged(e)
        })?;
        for block in &mut round {
            block.first_line = lines;
            lines += u64::from(block.lines);
            keep_first(&mut block.rejects, listed, |r| r.reason);
        }
        store.add(&mut round, first_row + header_lines + 1, hands.workers, last);
        let go_on = spill.look(&round, store, hands.workers);
        scanned.append(&mut round);
        if last || !go_on {
            break;
        }
    }
    let account = FileAccount { path, layout: name.to_owned(), bytes: stored_bytes, ..FileAccount::default() };
    let mut open = OpenStream { account, digest, first_row, header_lines, lines, rejects: Vec::new() };
    if let Some(aside) = aside {
        open.put_aside(std::mem::take(&mut *aside.lock().unwrap_or_else(PoisonError::into_inner)));
    }
    Ok((open, scanned))
}

/// What is said of missing columns, with those that are there and cannot be read.
fn with_unread(mut e: Error, unread: &[String]) -> Error {
    if let Error::MissingColumn { found, .. } | Error::NoSuchColumn { found, .. } = &mut e {
        found.extend(unread.iter().map(|name| format!("{} (of a type that is not read)", escape(name.to_lowercase().as_bytes(), 40))));
    }
    e
}

/// A stream that is known: how to read its rows, and where they are.
struct Source {
    layout: Layout,
    blocks: Blocks<Box<dyn Read + Send>>,
    header_lines: u64,
    /// Where rows are counted that the scanner does not see.
    aside: Option<Arc<Mutex<Aside>>>,
}

/// Looks at the head of a stream: sentences, or a table with a header, which is the first line that is not blank.
fn open(path: &Path, mut reader: Box<dyn Read + Send>, reading: &Reading, damaged: &dyn Fn(std::io::Error) -> Error) -> Result<Source, Error> {
    let mut head = vec![0u8; MOST_LINE];
    let n = container::read_up_to(&mut reader, &mut head).map_err(damaged)?;
    head.truncate(n);
    if head.is_empty() {
        return Err(Error::Empty(path.to_path_buf()));
    }
    if is_utf16(&head) {
        return Err(Error::Utf16(path.to_path_buf()));
    }
    // Sentences of which a table would make one line.
    if matches!(head.first(), Some(b'!' | b'$' | b'\\')) && !head.contains(&b'\n') && head.trim_ascii_end().contains(&b'\r') {
        return Err(Error::CarriageReturns(path.to_path_buf()));
    }
    if nmea::lines::are_here(&head) {
        let (lines, aside) = nmea::lines::Lines::new(std::io::Cursor::new(head).chain(reader));
        return Ok(Source { layout: nmea::lines::layout("nmea"), blocks: Blocks::new(Box::new(lines), Vec::new(), 0), header_lines: 0, aside: Some(aside) });
    }
    if digitraffic::is_here(&head) {
        let (rows, aside) = digitraffic::Rows::new(std::io::Cursor::new(head).chain(reader));
        return Ok(Source {
            layout: nmea::lines::layout(digitraffic::NAME),
            blocks: Blocks::new(Box::new(rows), Vec::new(), 0),
            header_lines: 0,
            aside: Some(aside),
        });
    }
    let (mut begin, mut header_lines) = (0, 0u64);
    let line = loop {
        let end = memchr::memchr(b'\n', &head[begin..]).map_or(head.len(), |k| begin + k);
        let line = head[begin..end].trim_ascii_end();
        begin = (end + 1).min(head.len());
        header_lines += 1;
        if !line.is_empty() || begin >= head.len() {
            break line;
        }
    };
    let layout = Layout::recognise(path, line, reading)?;
    if head.len() == MOST_LINE && begin == MOST_LINE && !head.ends_with(b"\n") {
        return Err(damaged(std::io::Error::other(format!("its first line is longer than {} KiB", MOST_LINE >> 10))));
    }
    let rest = head.split_off(begin);
    Ok(Source { layout, blocks: Blocks::new(reader, rest, begin as u64), header_lines, aside: None })
}

/// Whether text has two bytes a character: by the mark of byte order, or because every other byte of its beginning is zero.
fn is_utf16(head: &[u8]) -> bool {
    let marked = matches!(head, [0xff, 0xfe, a, b, ..] if (*a, *b) != (0, 0)) || head.starts_with(&[0xfe, 0xff]);
    let begin = head.get(..16).unwrap_or_default();
    let zero = |from: usize| begin.iter().skip(from).step_by(2).all(|b| *b == 0);
    let some = |from: usize| begin.iter().skip(from).step_by(2).all(|b| *b != 0);
    marked || (!begin.is_empty() && ((zero(0) && some(1)) || (some(0) && zero(1))))
}

/// Scans blocks until the stream ends or about `room` fixes have come; returns them in order, and whether it ended. Each worker
/// takes the next block under a lock and scans it outside: reading and decoding overlap with scanning.
fn scan_round<R: Read + Send>(
    blocks: &Mutex<Option<Blocks<R>>>,
    plan: &Plan,
    number: usize,
    hands: &Hands,
    room: usize,
) -> std::io::Result<(Vec<Scanned>, bool)> {
    let failure: Mutex<Option<std::io::Error>> = Mutex::new(None);
    let results: Mutex<Vec<Scanned>> = Mutex::new(Vec::new());
    let fixes = AtomicUsize::new(0);
    let next = |spare: Vec<u8>| -> Option<Block> {
        let mut guard = blocks.lock().ok()?;
        match guard.as_mut()?.next(spare) {
            Ok(Some(block)) => return Some(block),
            Ok(None) => {}
            Err(e) => {
                if let Ok(mut slot) = failure.lock() {
                    *slot = Some(e);
                }
            }
        }
        *guard = None;
        None
    };
    rayon::scope(|scope| {
        for worker in hands.workers {
            let (next, results, fixes) = (&next, &results, &fixes);
            scope.spawn(move |_| {
                let Ok(mut worker) = worker.lock() else { return };
                let mut spare = Vec::new();
                while fixes.load(Ordering::Relaxed) < room
                    && let Some(block) = next(spare)
                {
                    let done = worker.scan(plan, number, &block, hands.wanted);
                    (hands.progress)(block.bytes().len() as u64);
                    spare = block.into_spare();
                    fixes.fetch_add(done.shards.iter().map(Vec::len).sum(), Ordering::Relaxed);
                    if let Ok(mut all) = results.lock() {
                        all.push(done);
                    }
                }
            });
        }
    });
    if let Ok(Some(e)) = failure.into_inner() {
        return Err(e);
    }
    let mut scanned = results.into_inner().unwrap_or_default();
    scanned.sort_by_key(|s| s.sequence);
    Ok((scanned, blocks.lock().map_or(true, |b| b.is_none())))
}

fn gather(
    mut opened: Vec<OpenStream>,
    mut scanned: Vec<Scanned>,
    store: Store,
    spill: Spill,
    workers: &[Mutex<Worker>],
    limits: &Limits,
    refused: Vec<Error>,
) -> Result<Delivery, Error> {
    let first_rows: Vec<u64> = opened.iter().map(|o| o.first_row).collect();
    let next = opened.last().map_or(0, |o| o.first_row + o.header_lines + o.lines + 1);
    if next > u64::from(u32::MAX) {
        let path = opened.last().map(|o| o.account.path.clone()).unwrap_or_default();
        return Err(Error::Archive { path, what: format!("{next} rows in one run; at most {} fit: give fewer files at a time", u32::MAX) });
    }
    // Days.
    let mut rows_by_day: BTreeMap<i32, u64> = BTreeMap::new();
    for block in &scanned {
        for (day, n) in &block.days {
            *rows_by_day.entry(*day).or_default() += n;
        }
    }
    // What `convert` wrote was looked at for stray clocks when it was read.
    let canonical = |block: &&Scanned| opened[block.stream].account.layout == layout::CANONICAL;
    let settled: BTreeSet<i32> = scanned.iter().filter(canonical).flat_map(|block| block.days.keys().copied()).collect();
    let delivered: BTreeSet<i32> = limits.delivered(&rows_by_day).into_iter().chain(settled).collect();
    let days_seen = rows_by_day.len();
    rows_by_day.retain(|d, _| delivered.contains(d));
    // Counts and rejects of the blocks.
    let mut rejects: Vec<Reject> = Vec::new();
    for block in &mut scanned {
        let open = &mut opened[block.stream];
        open.account.rows += block.rows;
        open.account.no_position += block.no_position;
        for (kind, n) in &block.not_ships {
            *open.account.not_ships.entry(kind).or_default() += n;
        }
        for (reason, n) in &block.rejected {
            *open.account.rejected.entry(*reason).or_default() += n;
        }
        let line0 = block.first_line + open.header_lines + 1;
        for RawReject { line, byte_offset, reason, text } in std::mem::take(&mut block.rejects) {
            rejects.push(Reject { file: block.stream as u32, line: line0 + u64::from(line), byte_offset, reason, text });
        }
    }
    for (file, open) in opened.iter_mut().enumerate() {
        for RawReject { line, byte_offset, reason, text } in std::mem::take(&mut open.rejects) {
            rejects.push(Reject { file: file as u32, line: u64::from(line) + 1, byte_offset, reason, text });
        }
    }
    drop(scanned);
    let strays = (rows_by_day.len() < days_seen).then_some(&delivered);
    let context = Context { days: strays.map_or(Days::All, Days::Known), first_rows: &first_rows };
    let (table, grouped, dropped) = store.finish(workers, |mmsis, starts, fixes| group(mmsis, starts, fixes, &context));
    let grouped = grouped.into_iter().collect::<Result<Vec<_>, _>>().map_err(frame_error)?;
    for (stream, n) in spill.accepted {
        opened[stream].account.positions += n;
    }
    let mut seen_astray = Vec::new();
    for shard in &grouped {
        for (stream, n) in &shard.duplicates {
            opened[*stream].account.duplicates += n;
        }
        for (stream, n) in &shard.accepted {
            opened[*stream].account.positions += n;
        }
        for stray in &shard.strays {
            *opened[stream_of(&first_rows, stray.row)].account.rejected.entry(RejectReason::StrayClock).or_default() += 1;
        }
        seen_astray.extend_from_slice(&shard.strays);
    }
    // What was dropped before the days were known: of a stray clock's day it is no duplicate.
    for day in dropped.into_iter().chain(spill.dropped).flat_map(|d| d.days) {
        let astray = strays.is_some_and(|days| !days.contains(&day.day));
        for (stream, n) in day.counts {
            let account = &mut opened[stream].account;
            *if astray { account.rejected.entry(RejectReason::StrayClock).or_default() } else { &mut account.duplicates } += n;
        }
        if astray {
            seen_astray.extend(day.first);
        }
    }
    for Sighting { row, mmsi, t_ms } in seen_astray {
        let stream = stream_of(&first_rows, row);
        let text = format!("mmsi {mmsi:09}, time {}", time::rfc3339(t_ms));
        let line = u64::from(row) - first_rows[stream];
        rejects.push(Reject { file: stream as u32, line, byte_offset: 0, reason: RejectReason::StrayClock, text });
    }
    list_rejects(&mut rejects, Vec::new());
    let positions = frame::stack(grouped.into_iter().map(|shard| shard.positions).filter(|frame| frame.height() > 0).collect()).map_err(frame_error)?;
    let particulars = frame::particulars(&table).map_err(frame_error)?;
    let accounts: Vec<FileAccount> = opened
        .into_iter()
        .map(|open| {
            let (sha256, bytes) = open.digest.finish();
            let bytes = if open.account.bytes == 0 { bytes } else { open.account.bytes };
            FileAccount { sha256, bytes, ..open.account }
        })
        .collect();
    let first_rows = first_rows.into_iter().map(|r| r as u32).collect();
    let days = delivered.into_iter().collect();
    Ok(Delivery { positions, particulars, accounts, rejects, first_rows, refused, refused_rows: Vec::new(), parts: spill.parts, days, rows_by_day })
}

/// Adds to the rejects that are listed: the first thousand a reason, in the order of the inputs.
pub fn list_rejects(rejects: &mut Vec<Reject>, more: Vec<Reject>) {
    rejects.extend(more);
    rejects.sort_by_key(|a| (a.file, a.line));
    keep_first(rejects, &mut Listed::new(), |r| r.reason);
}

/// How many rejects are listed so far, by reason.
type Listed = BTreeMap<RejectReason, usize>;

/// Lets go of those before which a thousand of their reason stand.
fn keep_first<T>(rejects: &mut Vec<T>, listed: &mut Listed, reason: impl Fn(&T) -> RejectReason) {
    rejects.retain(|r| {
        let n = listed.entry(reason(r)).or_default();
        *n += 1;
        *n <= MOST_REJECTS
    });
    rejects.shrink_to_fit();
}

pub(super) fn frame_error(e: PolarsError) -> Error {
    Error::Damaged { path: PathBuf::from("frame"), what: e.to_string() }
}

/// Which days were delivered.
pub(super) enum Days<'a> {
    All,
    Known(&'a BTreeSet<i32>),
    /// More is to come: a day may prove to be a stray clock's.
    Open,
}

pub(super) struct Context<'a> {
    pub days: Days<'a>,
    pub first_rows: &'a [u64],
}

pub(super) struct Grouped {
    /// Ships in ascending order.
    pub positions: DataFrame,
    /// By stream, where the days are known.
    duplicates: BTreeMap<usize, u64>,
    /// By day, where they are not.
    pub dropped: Dropped,
    /// By stream.
    pub accepted: BTreeMap<usize, u64>,
    strays: Vec<Sighting>,
}

/// One shard: its fixes by ship, in total order, without duplicates and strays.
pub(super) fn group(mmsis: &[u32], starts: &[usize], fixes: &[Fix], context: &Context) -> Result<Grouped, PolarsError> {
    let single = context.first_rows.len() == 1;
    let stream_of = |row: u32| if single { 0 } else { stream_of(context.first_rows, row) };
    let mut columns = PositionColumns::with_capacity(starts[mmsis.len()]);
    let (mut duplicates, mut dropped, mut accepted, mut strays) = (BTreeMap::new(), Dropped::default(), BTreeMap::new(), Vec::new());
    for (k, &mmsi) in mmsis.iter().enumerate() {
        let astray = |fix: &Fix| matches!(context.days, Days::Known(days) if !days.contains(&time::day_of(fix.t_ms)));
        let together = |a: &Fix, b: &Fix| !matches!(context.days, Days::Known(_)) || time::day_of(a.t_ms) == time::day_of(b.t_ms);
        for of_day in fixes[starts[k]..starts[k + 1]].chunk_by(together) {
            if astray(&of_day[0]) {
                strays.extend(of_day.iter().map(|fix| Sighting { row: fix.row, mmsi, t_ms: fix.t_ms }));
                continue;
            }
            // What is cut off from what stands before says the same.
            for (n, mut kept) in of_day.chunk_by(|a, b| !is_duplicate(a, b)).enumerate() {
                if n > 0 {
                    let Fix { row, t_ms, .. } = kept[0];
                    match context.days {
                        Days::Open => dropped.push(stream_of(row), Sighting { row, mmsi, t_ms }),
                        Days::All | Days::Known(_) => *duplicates.entry(stream_of(row)).or_default() += 1,
                    }
                    kept = &kept[1..];
                }
                columns.extend(mmsi, kept);
                if !single {
                    kept.iter().for_each(|fix| *accepted.entry(stream_of(fix.row)).or_default() += 1);
                }
            }
        }
    }
    if single && !columns.mmsi.is_empty() {
        accepted.insert(0, columns.mmsi.len() as u64);
    }
    Ok(Grouped { positions: columns.into_frame()?, duplicates, dropped, accepted, strays })
}
