//! From blocks to one delivery: scanned in parallel, grouped by ship, put in total order, duplicates dropped, every row counted.

use crate::frame::{self, PositionColumns};
use crate::ingest::blocks::Blocks;
use crate::ingest::container::{self, Stream};
use crate::ingest::layout::Layout;
use crate::ingest::row;
use crate::ingest::scan::{MOST_REJECTS, MOST_TEXT, Plan, RawReject, Record, SHARDS, Scanned, Wanted, Worker, shard_of};
use crate::ingest::{Error, escape, nmea};
use crate::model::{AisClass, FileAccount, Fix, Particulars, Reject, RejectReason, time};
use polars::prelude::{DataFrame, PolarsError};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Mutex;

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
    /// Share of malformed rows, in percent of a file, above which it is refused.
    pub max_reject_percent: f64,
    /// Share of the run's rows that a day must hold to count as delivered.
    pub stray_share: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { days: (None, None), bbox_e7: None, max_reject_percent: 5.0, stray_share: 0.001 }
    }
}

struct OpenStream {
    plan: Plan,
    account: FileAccount,
    digest: container::Digesting,
    header_lines: u32,
    /// Rows refused before the scanner; lines from 0.
    rejects: Vec<RawReject>,
}

impl OpenStream {
    /// As [`refuse`] for the rows that the scanner does not see.
    fn refuse(&mut self) {
        let account = &mut self.account;
        (account.rows, account.no_position, account.static_only) = (account.rejected_total(), 0, 0);
        account.not_ships.clear();
    }
    /// Counts rows that the scanner does not see.
    fn put_aside(&mut self, aside: nmea::lines::Aside) {
        let account = &mut self.account;
        (account.rows, account.no_position, account.static_only) = (aside.rows, aside.no_position, aside.static_only);
        (account.not_ships, account.rejected) = (aside.not_ships, aside.rejected);
        self.rejects = aside.rejects;
    }
}

/// Reads all files. `progress` is told of decoded bytes as they are scanned.
pub fn read(paths: &[PathBuf], limits: &Limits, progress: &(dyn Fn(u64) + Sync)) -> Result<Delivery, Error> {
    // 180 is written -180: a box that ends there reaches across.
    let bbox_e7 = limits.bbox_e7.map(|[w, s, e, n]| [w, s, if e == 1_800_000_000 && w > -e { -e } else { e }, n]);
    let wanted = Wanted { days: limits.days, bbox_e7 };
    let workers: Vec<Mutex<Worker>> = (0..rayon::current_num_threads()).map(|n| Mutex::new(Worker::new(n))).collect();
    let mut refused = Vec::new();
    let mut opened: Vec<OpenStream> = Vec::new();
    let mut scanned: Vec<Scanned> = Vec::new();
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
            match scan_stream(stream, number, &workers, &wanted, progress) {
                Ok((mut open, mut blocks)) => {
                    let scanned_malformed: u64 = blocks.iter().flat_map(|b| &b.rejected).filter(|(r, _)| r.is_malformed()).map(|(_, n)| n).sum();
                    let malformed = open.account.malformed() + scanned_malformed;
                    let rows = open.account.rows + blocks.iter().map(|b| b.rows).sum::<u64>();
                    let percent = 100.0 * malformed as f64 / rows.max(1) as f64;
                    if percent > limits.max_reject_percent {
                        let path = open.account.path.clone();
                        refused.push(Error::TooManyRejects { path, malformed, rows, percent, limit: limits.max_reject_percent });
                        blocks.iter_mut().for_each(refuse);
                        open.refuse();
                    }
                    opened.push(open);
                    scanned.extend(blocks);
                }
                Err(e) => refused.push(e),
            }
        }
    }
    gather(opened, scanned, &workers, limits, refused)
}

/// Of a refused file only the rows are kept that were refused by themselves, to be counted and looked up; no other is taken.
fn refuse(block: &mut Scanned) {
    block.rows = block.rejected.values().sum();
    block.no_position = 0;
    block.not_ships.clear();
    block.shards.clear();
    block.days.clear();
}

fn scan_stream(
    stream: Stream,
    number: usize,
    workers: &[Mutex<Worker>],
    wanted: &Wanted,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(OpenStream, Vec<Scanned>), Error> {
    let Stream { path, stored_bytes, mut reader, digest } = stream;
    let damaged = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::IsADirectory => Error::Io { path: path.clone(), source: e },
        _ => Error::Damaged { path: path.clone(), what: e.to_string() },
    };
    // The header: the first line that is not blank.
    let mut head = vec![0u8; 64 << 10];
    let n = container::read_up_to(&mut reader, &mut head).map_err(damaged)?;
    head.truncate(n);
    if head.is_empty() {
        return Err(Error::Empty(path));
    }
    if nmea::lines::are_here(&head) {
        let (lines, aside) = nmea::lines::Lines::new(std::io::Cursor::new(head).chain(reader));
        let plan = Plan::new(nmea::lines::layout());
        let mut open = OpenStream {
            account: FileAccount { path: path.clone(), layout: plan.name().to_owned(), bytes: stored_bytes, ..FileAccount::default() },
            plan,
            digest,
            header_lines: 0,
            rejects: Vec::new(),
        };
        let scanned = scan_blocks(Blocks::new(Box::new(lines), Vec::new(), 0), number, &open.plan, workers, wanted, progress).map_err(damaged)?;
        open.put_aside(std::mem::take(&mut *aside.lock().unwrap_or_else(std::sync::PoisonError::into_inner)));
        return Ok((open, scanned));
    }
    let (mut begin, mut header_lines) = (0, 0u32);
    let line = loop {
        let end = memchr::memchr(b'\n', &head[begin..]).map_or(head.len(), |k| begin + k);
        let line = head[begin..end].trim_ascii_end();
        begin = (end + 1).min(head.len());
        header_lines += 1;
        if !line.is_empty() || begin >= head.len() {
            break line;
        }
    };
    let layout = Layout::recognise(&path, line, None)?;
    let plan = Plan::new(layout);
    let rest = head.split_off(begin);
    let scanned = scan_blocks(Blocks::new(reader, rest, begin as u64), number, &plan, workers, wanted, progress).map_err(damaged)?;
    let account = FileAccount { path, layout: plan.name().to_owned(), bytes: stored_bytes, ..FileAccount::default() };
    Ok((OpenStream { plan, account, digest, header_lines, rejects: Vec::new() }, scanned))
}

/// Each worker takes the next block under a lock and scans it outside: reading and decoding overlap with scanning.
fn scan_blocks(
    blocks: Blocks<Box<dyn Read + Send>>,
    number: usize,
    plan: &Plan,
    workers: &[Mutex<Worker>],
    wanted: &Wanted,
    progress: &(dyn Fn(u64) + Sync),
) -> std::io::Result<Vec<Scanned>> {
    let blocks = Mutex::new(Some(blocks));
    let failure: Mutex<Option<std::io::Error>> = Mutex::new(None);
    let results: Mutex<Vec<Scanned>> = Mutex::new(Vec::new());
    rayon::scope(|scope| {
        for worker in workers {
            let (blocks, failure, results) = (&blocks, &failure, &results);
            scope.spawn(move |_| {
                let Ok(mut worker) = worker.lock() else { return };
                let mut spare = Vec::new();
                loop {
                    let block = {
                        let Ok(mut guard) = blocks.lock() else { return };
                        let Some(source) = guard.as_mut() else { return };
                        match source.next(std::mem::take(&mut spare)) {
                            Ok(Some(block)) => block,
                            Ok(None) => {
                                *guard = None;
                                return;
                            }
                            Err(e) => {
                                *guard = None;
                                if let Ok(mut slot) = failure.lock() {
                                    *slot = Some(e);
                                }
                                return;
                            }
                        }
                    };
                    let done = worker.scan(plan, number, &block, wanted);
                    progress(block.bytes().len() as u64);
                    spare = block.into_spare();
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
    Ok(scanned)
}

fn gather(mut opened: Vec<OpenStream>, mut scanned: Vec<Scanned>, workers: &[Mutex<Worker>], limits: &Limits, refused: Vec<Error>) -> Result<Delivery, Error> {
    // Particulars: canonical, ranked, so that neither worker nor layout can be seen in them.
    let (table, ranks) = rank_particulars(workers, &opened, &scanned);
    // Row numbers over all inputs.
    let mut lines_of = vec![0u64; opened.len()];
    let mut block_base = Vec::with_capacity(scanned.len());
    for block in &scanned {
        block_base.push(lines_of[block.stream]);
        lines_of[block.stream] += u64::from(block.lines);
    }
    let mut first_rows = Vec::with_capacity(opened.len());
    let mut next = 0u64;
    for (k, open) in opened.iter().enumerate() {
        first_rows.push(next);
        next += u64::from(open.header_lines) + lines_of[k] + 1;
    }
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
    let total: u64 = rows_by_day.values().sum();
    // An open end names no day but its own: a stray clock beyond it stays one.
    let named = |d: i32| match limits.days {
        (Some(from), Some(to)) => (from..=to).contains(&d),
        (from, to) => from.or(to) == Some(d),
    };
    let delivered: BTreeSet<i32> = rows_by_day.iter().filter(|(d, n)| named(**d) || **n as f64 >= limits.stray_share * total as f64).map(|(d, _)| *d).collect();
    let days_seen = rows_by_day.len();
    rows_by_day.retain(|d, _| delivered.contains(d));
    // Counts and rejects of the blocks.
    let mut rejects: Vec<Reject> = Vec::new();
    for (block, base) in scanned.iter_mut().zip(&block_base) {
        let open = &mut opened[block.stream];
        open.account.rows += block.rows;
        open.account.no_position += block.no_position;
        for (kind, n) in &block.not_ships {
            *open.account.not_ships.entry(kind).or_default() += n;
        }
        for (reason, n) in &block.rejected {
            *open.account.rejected.entry(*reason).or_default() += n;
        }
        let line0 = base + u64::from(open.header_lines) + 1;
        for RawReject { line, byte_offset, reason, text } in std::mem::take(&mut block.rejects) {
            rejects.push(Reject { file: block.stream as u32, line: line0 + u64::from(line), byte_offset, reason, text });
        }
    }
    for (file, open) in opened.iter_mut().enumerate() {
        for RawReject { line, byte_offset, reason, text } in std::mem::take(&mut open.rejects) {
            rejects.push(Reject { file: file as u32, line: u64::from(line) + 1, byte_offset, reason, text });
        }
    }
    // Shards: each ship whole in one.
    let bases: Vec<(u32, usize)> = scanned
        .iter()
        .zip(&block_base)
        .map(|(b, base)| ((first_rows[b.stream] + base + u64::from(opened[b.stream].header_lines) + 1) as u32, b.worker))
        .collect();
    let mut by_shard: Vec<Vec<(usize, Vec<Record>)>> = (0..SHARDS).map(|_| Vec::with_capacity(scanned.len())).collect();
    for (k, block) in scanned.iter_mut().enumerate() {
        for (shard, records) in std::mem::take(&mut block.shards).into_iter().enumerate() {
            if !records.is_empty() {
                by_shard[shard].push((k, records));
            }
        }
    }
    let streams: Vec<usize> = scanned.iter().map(|b| b.stream).collect();
    drop(scanned);
    let (mmsis, places) = number_ships(workers);
    let strays = (rows_by_day.len() < days_seen).then_some(&delivered);
    let context = Context { bases: &bases, ranks: &ranks, streams: &streams, delivered: strays, first_rows: &first_rows, places: &places };
    let grouped: Result<Vec<Grouped>, PolarsError> =
        by_shard.into_par_iter().zip(&mmsis).map_init(Vec::new, |scratch, (pieces, mmsis)| group(mmsis, pieces, &context, scratch)).collect();
    let grouped = grouped.map_err(frame_error)?;
    for shard in &grouped {
        for (stream, n) in &shard.duplicates {
            opened[*stream].account.duplicates += n;
        }
        for (stream, n) in &shard.accepted {
            opened[*stream].account.positions += n;
        }
        for (mmsi, record) in &shard.strays {
            let stream = first_rows.partition_point(|f| *f <= u64::from(record.row)) - 1;
            *opened[stream].account.rejected.entry(RejectReason::StrayClock).or_default() += 1;
            let text = format!("mmsi {mmsi:09}, time {}", time::rfc3339(record.t_ms));
            let line = u64::from(record.row) - first_rows[stream];
            rejects.push(Reject { file: stream as u32, line, byte_offset: 0, reason: RejectReason::StrayClock, text });
        }
    }
    // The first thousand a reason, in the order of the inputs.
    rejects.sort_by_key(|a| (a.file, a.line));
    let mut kept: BTreeMap<RejectReason, usize> = BTreeMap::new();
    rejects.retain(|r| {
        let n = kept.entry(r.reason).or_default();
        *n += 1;
        *n <= MOST_REJECTS
    });
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
    Ok(Delivery { positions, particulars, accounts, rejects, first_rows, refused, days: delivered.into_iter().collect(), rows_by_day })
}

fn frame_error(e: PolarsError) -> Error {
    Error::Damaged { path: PathBuf::from("frame"), what: e.to_string() }
}

/// By worker and stream: number to rank.
type Ranks = FxHashMap<(usize, usize), Vec<u32>>;

struct Context<'a> {
    bases: &'a [(u32, usize)],
    /// By (worker, stream): number to rank.
    ranks: &'a Ranks,
    streams: &'a [usize],
    /// The delivered days; None where all are.
    delivered: Option<&'a BTreeSet<i32>>,
    first_rows: &'a [u64],
    /// By worker: number of a ship to its place in its shard.
    places: &'a [Vec<u32>],
}

struct Grouped {
    /// Ships in ascending order.
    positions: DataFrame,
    /// By stream.
    duplicates: BTreeMap<usize, u64>,
    /// By stream.
    accepted: BTreeMap<usize, u64>,
    /// With their MMSI.
    strays: Vec<(u32, Record)>,
}

/// One shard: its records by ship, in total order, without duplicates and strays. `scratch` is memory to use again.
fn group(mmsis: &[u32], pieces: Vec<(usize, Vec<Record>)>, context: &Context, scratch: &mut Vec<Record>) -> Result<Grouped, PolarsError> {
    let mut starts = vec![0usize; mmsis.len() + 1];
    for (block, records) in &pieces {
        let places = &context.places[context.bases[*block].1];
        for r in records {
            starts[places[r.ship as usize] as usize + 1] += 1;
        }
    }
    for k in 0..mmsis.len() {
        starts[k + 1] += starts[k];
    }
    let rows = starts[mmsis.len()];
    let blank = Record { t_ms: 0, ship: 0, lat_e7: 0, lon_e7: 0, row: 0, particulars: 0, sog_dkn: 0, cog_ddeg: 0, heading_deg: 0, status: 0 };
    if scratch.len() < rows {
        scratch.resize(rows, blank);
    }
    let mut at = starts.clone();
    for (block, records) in pieces {
        let (base, worker) = context.bases[block];
        let (ranks, places) = (&context.ranks[&(worker, context.streams[block])], &context.places[worker]);
        for mut r in records {
            r.row += base;
            r.particulars = ranks[r.particulars as usize];
            r.ship = places[r.ship as usize];
            let slot = &mut at[r.ship as usize];
            scratch[*slot] = r;
            *slot += 1;
        }
    }
    let single = context.first_rows.len() == 1;
    let stream_of = |row: u32| if single { 0 } else { context.first_rows.partition_point(|f| *f <= u64::from(row)) - 1 };
    let mut columns = PositionColumns::with_capacity(rows);
    let (mut duplicates, mut accepted, mut strays) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for (k, &mmsi) in mmsis.iter().enumerate() {
        let records = &mut scratch[starts[k]..starts[k + 1]];
        let order_of = |r: &Record| (r.key(), r.row);
        if !records.is_sorted_by_key(order_of) {
            records.sort_unstable_by_key(order_of);
        }
        let mut last = None;
        for r in records.iter() {
            if context.delivered.is_some_and(|days| !days.contains(&time::day_of(r.t_ms))) {
                strays.push((mmsi, *r));
            } else if last == Some(r.key()) {
                *duplicates.entry(stream_of(r.row)).or_default() += 1;
            } else {
                last = Some(r.key());
                let &Record { t_ms, lat_e7, lon_e7, sog_dkn, cog_ddeg, heading_deg, status, particulars, row, .. } = r;
                columns.push(mmsi, &Fix { t_ms, lat_e7, lon_e7, sog_dkn, cog_ddeg, heading_deg, status, particulars, row });
                if !single {
                    *accepted.entry(stream_of(row)).or_default() += 1;
                }
            }
        }
    }
    if single && !columns.mmsi.is_empty() {
        accepted.insert(0, columns.mmsi.len() as u64);
    }
    Ok(Grouped { positions: columns.into_frame()?, duplicates, accepted, strays })
}

/// The MMSIs of every shard in ascending order, and by worker the place there of each of its ships.
fn number_ships(workers: &[Mutex<Worker>]) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let seen: Vec<Vec<u32>> = workers.iter().map(|w| w.lock().map(|w| w.ships.iter().map(|s| s.mmsi).collect()).unwrap_or_default()).collect();
    let mut mmsis: Vec<Vec<u32>> = vec![Vec::new(); SHARDS];
    for &mmsi in seen.iter().flatten() {
        mmsis[shard_of(mmsi)].push(mmsi);
    }
    for list in &mut mmsis {
        list.sort_unstable();
        list.dedup();
    }
    let place = |mmsi: &u32| mmsis[shard_of(*mmsi)].partition_point(|m| m < mmsi) as u32;
    let places = seen.iter().map(|list| list.iter().map(place).collect()).collect();
    (mmsis, places)
}

/// All distinct particulars in order, and for every worker and stream the rank of each of its numbers.
fn rank_particulars(workers: &[Mutex<Worker>], opened: &[OpenStream], scanned: &[Scanned]) -> (Vec<Particulars>, Ranks) {
    let pairs: BTreeSet<(usize, usize)> = scanned.iter().map(|s| (s.worker, s.stream)).collect();
    // A worker numbers raw texts over all streams; what they mean depends on the stream's layout, and few layouts differ.
    let mut parsed: BTreeMap<(usize, usize), Vec<Particulars>> = BTreeMap::new();
    let mut same: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
    for &(worker, stream) in &pairs {
        let twin = parsed.keys().find(|(w, s)| *w == worker && opened[*s].plan.reads_like(&opened[stream].plan)).copied();
        if let Some(twin) = twin {
            same.insert((worker, stream), twin);
            continue;
        }
        let Ok(worker_state) = workers[worker].lock() else { continue };
        let mut list = vec![Particulars::default(); worker_state.particulars.len()];
        for (key, n) in &worker_state.particulars {
            list[*n as usize] = parse(&opened[stream].plan, key);
        }
        parsed.insert((worker, stream), list);
        same.insert((worker, stream), (worker, stream));
    }
    let mut table: Vec<Particulars> = parsed.values().flatten().cloned().collect();
    table.sort_unstable();
    table.dedup();
    let rank_lists: BTreeMap<(usize, usize), Vec<u32>> =
        parsed.into_iter().map(|(key, list)| (key, list.into_iter().map(|p| table.partition_point(|q| *q < p) as u32).collect())).collect();
    let ranks = same.into_iter().map(|(key, twin)| (key, rank_lists[&twin].clone())).collect();
    (table, ranks)
}

fn parse(plan: &Plan, key: &[u8]) -> Particulars {
    let [name, imo, call_sign, ship_type, length, width, draught, cargo, class, bow, stern, port, starboard] = plan.texts(key);
    let text = |t: &[u8]| escape(&t[..t.len().min(MOST_TEXT)], MOST_TEXT).trim_matches(|c: char| c.is_whitespace() || c == '@').to_owned();
    let number = |t: &[u8], digits: u32, most: i64| match row::scaled(t.trim_ascii(), digits) {
        Some(v) if (1..=most).contains(&v) => v,
        _ => 0,
    };
    // Where the antenna stands: a hull is as long as the ways to both its ends. None of it where any is missing.
    let antenna = [bow, stern, port, starboard].map(|t| row::scaled(t.trim_ascii(), 0).filter(|v| (0..=511).contains(v)).map(|v| v as u16));
    let [bow, stern, port, starboard] = antenna.map(|v| v.unwrap_or(0));
    let (length_dm, beam_dm) = (number(length, 1, 10_220) as u16, number(width, 1, 1_260) as u16);
    let imo = imo.trim_ascii();
    let imo = imo.strip_prefix(b"IMO").unwrap_or(imo).trim_ascii();
    Particulars {
        name: text(name),
        imo: number(imo, 0, 9_999_999) as u32,
        call_sign: text(call_sign),
        ship_type: match number(ship_type, 0, 9999) as u16 {
            0 => row::type_of_word(ship_type.trim_ascii()),
            code => code,
        },
        length_dm: if length_dm == 0 { (bow + stern) * 10 } else { length_dm },
        beam_dm: if beam_dm == 0 { (port + starboard) * 10 } else { beam_dm },
        draught_dm: number(draught, plan.draught_digits(), 255) as u16,
        cargo: number(cargo, 0, 9999) as u16,
        class: match class.trim_ascii() {
            b"A" | b"a" | b"Class A" => AisClass::A,
            b"B" | b"b" | b"Class B" => AisClass::B,
            _ => AisClass::Unknown,
        },
    }
}

impl Plan {
    /// Whether raw particulars mean the same under both.
    fn reads_like(&self, other: &Self) -> bool {
        self.particulars_order() == other.particulars_order() && self.layout_parts() == other.layout_parts()
    }
}
