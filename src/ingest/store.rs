//! What is kept of the blocks until all is read: fixes by shard, freed of duplicates whenever many have come together.
//!
//! Where and how often that happens cannot be seen in what comes out: of equal fixes the one with the smallest row stays, and
//! what was dropped is remembered by stream and day, because a day may prove to be a stray clock's in the end.

use crate::ingest::scan::{MOST_REJECTS, MOST_TEXT, Plan, SHARDS, Scanned, Worker, shard_of};
use crate::ingest::{escape, row};
use crate::model::{AisClass, Fix, Particulars, time};
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::collections::{BTreeMap, BinaryHeap};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

/// The fixes of a block that belong to a shard.
struct Piece {
    worker: usize,
    /// How its stream writes particulars.
    class: usize,
    /// Row of the first line of the block.
    base: u32,
    /// `row` is the line within the block, `particulars` the worker's number of what was said.
    fixes: Vec<Fix>,
}

/// Fixes of a shard by ship, in total order and without duplicates; `particulars` as [`Sayings`] numbers them.
struct Run {
    /// MMSIs with their number of fixes, ascending.
    ships: Vec<(u32, u32)>,
    /// In pieces that fit where the pieces of a block stood: memory that was given back is taken again.
    fixes: Vec<Vec<Fix>>,
}

/// Fixes of a run's piece; a block has about as many in a shard.
const PIECE: usize = 896;

impl Run {
    fn len(&self) -> usize {
        self.ships.iter().map(|(_, n)| *n as usize).sum()
    }
}

/// Everything of the ships whose numbers fall into it.
#[derive(Default)]
struct Shard {
    runs: Vec<Run>,
    pieces: Vec<Piece>,
    /// How many runs and pieces there were when the stream began.
    mark: (usize, usize),
    dropped: Dropped,
}

impl Shard {
    fn len(&self, from: (usize, usize)) -> usize {
        let runs: usize = self.runs[from.0..].iter().map(Run::len).sum();
        runs + self.pieces[from.1..].iter().map(|p| p.fixes.len()).sum::<usize>()
    }
    fn from(&self, whole: bool) -> (usize, usize) {
        if whole { (0, 0) } else { self.mark }
    }
}

/// A fix as a reject names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// Over all inputs.
    pub row: u32,
    pub mmsi: u32,
    pub t_ms: i64,
}

/// Duplicates dropped so far, of one day.
#[derive(Default)]
pub struct DroppedDay {
    pub day: i32,
    /// How many, by stream.
    pub counts: BTreeMap<usize, u64>,
    /// Those that stand first in the input, as many as could become listed rejects.
    pub first: BinaryHeap<Sighting>,
}

/// Duplicates dropped so far.
#[derive(Default)]
pub struct Dropped {
    pub days: Vec<DroppedDay>,
    last: usize,
}

impl Dropped {
    fn day(&mut self, day: i32) -> &mut DroppedDay {
        if self.days.get(self.last).is_none_or(|d| d.day != day) {
            self.last = self.days.iter().position(|d| d.day == day).unwrap_or(self.days.len());
            if self.last == self.days.len() {
                self.days.push(DroppedDay { day, ..DroppedDay::default() });
            }
        }
        &mut self.days[self.last]
    }
    /// One more.
    pub fn push(&mut self, stream: usize, one: Sighting) {
        let day = self.day(time::day_of(one.t_ms));
        *day.counts.entry(stream).or_default() += 1;
        day.keep(one);
    }
    fn append(&mut self, other: Self) {
        for from in other.days {
            let day = self.day(from.day);
            for (stream, n) in from.counts {
                *day.counts.entry(stream).or_default() += n;
            }
            from.first.into_iter().for_each(|one| day.keep(one));
        }
    }
    /// Forgets the last stream.
    pub fn forget(&mut self, stream: usize, first_row: u64) {
        for day in &mut self.days {
            day.counts.remove(&stream);
            day.first.retain(|one| u64::from(one.row) < first_row);
        }
    }
}

impl DroppedDay {
    fn keep(&mut self, one: Sighting) {
        if self.first.len() < MOST_REJECTS {
            self.first.push(one);
        } else if self.first.peek().is_some_and(|last| one < *last) {
            self.first.pop();
            self.first.push(one);
        }
    }
}

/// No number.
const NONE: u32 = u32::MAX;

/// What ships said of themselves, in canonical form, numbered as it comes up.
#[derive(Default)]
struct Sayings {
    list: Vec<Particulars>,
    /// By hash: the last number with it.
    numbers: FxHashMap<u64, u32>,
    /// By number: the one before with the same hash, or [`NONE`].
    before: Vec<u32>,
    /// By worker and class: the MMSI and number of each of the worker's sayings.
    known: BTreeMap<(usize, usize), Vec<(u32, u32)>>,
}

impl Sayings {
    /// Learns what a worker has heard since the last time.
    fn learn(&mut self, worker: usize, class: usize, plan: &Plan, said: &[Arc<[u8]>]) {
        let known = self.known.entry((worker, class)).or_default();
        let read = |raw: &Arc<[u8]>| raw.split_first_chunk().map(|(mmsi, text)| (u32::from_le_bytes(*mmsi), parse(plan, text)));
        for some in said.get(known.len()..).unwrap_or_default().chunks(1 << 14) {
            let heard: Vec<Option<(u32, Particulars)>> = some.par_iter().map(read).collect();
            for (mmsi, particulars) in heard.into_iter().flatten() {
                let last = self.numbers.entry(FxBuildHasher.hash_one(&particulars)).or_insert(NONE);
                let mut number = *last;
                while number != NONE && self.list[number as usize] != particulars {
                    number = self.before[number as usize];
                }
                if number == NONE {
                    number = self.list.len() as u32;
                    self.list.push(particulars);
                    self.before.push(std::mem::replace(last, number));
                }
                known.push((mmsi, number));
            }
        }
    }
    /// All in order, and by number the rank.
    fn ranked(&mut self) -> (Vec<Particulars>, Vec<u32>) {
        (self.numbers, self.before) = Default::default();
        let mut numbered: Vec<(Particulars, usize)> = std::mem::take(&mut self.list).into_iter().enumerate().map(|(n, p)| (p, n)).collect();
        numbered.par_sort_unstable();
        let mut ranks = vec![0; numbered.len()];
        for (rank, (_, n)) in numbered.iter().enumerate() {
            ranks[*n] = rank as u32;
        }
        (numbered.into_iter().map(|(p, _)| p).collect(), ranks)
    }
}

/// By worker and class: the place in its shard and the particulars of each of the worker's sayings.
type Places = BTreeMap<(usize, usize), Vec<(u32, u32)>>;

/// What is needed to bring the parts of a shard together.
struct View {
    /// By shard, ascending.
    mmsis: Vec<Vec<u32>>,
    places: Places,
    /// Ranks of particulars by number; before all are known, none.
    ranks: Option<Vec<u32>>,
}

impl View {
    /// Brings the parts of a shard together in `scratch`, ships in ascending order, and returns where each begins.
    fn join(&self, shard: usize, runs: &[Run], pieces: &[Piece], scratch: &mut Vec<Fix>) -> Vec<usize> {
        let mmsis = &self.mmsis[shard];
        let mut starts = vec![0usize; mmsis.len() + 1];
        let place_of = |mmsi: u32| mmsis.partition_point(|m| *m < mmsi);
        for (mmsi, n) in runs.iter().flat_map(|r| &r.ships) {
            starts[place_of(*mmsi) + 1] += *n as usize;
        }
        for piece in pieces {
            let places = &self.places[&(piece.worker, piece.class)];
            for fix in &piece.fixes {
                starts[places[fix.particulars as usize].0 as usize + 1] += 1;
            }
        }
        for k in 0..mmsis.len() {
            starts[k + 1] += starts[k];
        }
        let blank = Fix { t_ms: 0, lat_e7: 0, lon_e7: 0, sog_dkn: 0, cog_ddeg: 0, heading_deg: 0, status: 0, particulars: 0, row: 0 };
        if scratch.len() < starts[mmsis.len()] {
            scratch.resize(starts[mmsis.len()], blank);
        }
        let mut at = starts.clone();
        for run in runs {
            let mut fixes = run.fixes.iter().flatten();
            for (mmsi, n) in &run.ships {
                let slot = &mut at[place_of(*mmsi)];
                for (to, fix) in scratch[*slot..*slot + *n as usize].iter_mut().zip(&mut fixes) {
                    *to = Fix { particulars: self.rank(fix.particulars), ..*fix };
                }
                *slot += *n as usize;
            }
        }
        for piece in pieces {
            let places = &self.places[&(piece.worker, piece.class)];
            for fix in &piece.fixes {
                let (place, particulars) = places[fix.particulars as usize];
                let slot = &mut at[place as usize];
                scratch[*slot] = Fix { particulars, row: fix.row + piece.base, ..*fix };
                *slot += 1;
            }
        }
        // The order of a fix is over its columns and the row last; what was in order before is merged, not sorted.
        for k in 0..mmsis.len() {
            let own = &mut scratch[starts[k]..starts[k + 1]];
            if !own.is_sorted() {
                own.sort();
            }
        }
        starts
    }
    fn rank(&self, number: u32) -> u32 {
        self.ranks.as_ref().map_or(number, |r| r[number as usize])
    }
}

/// Whether two fixes of a ship say the same.
pub fn is_duplicate(a: &Fix, b: &Fix) -> bool {
    Fix { row: b.row, ..*a } == *b
}

/// Which stream a row belongs to.
pub fn stream_of<R: Copy + Into<u64>>(first_rows: &[R], row: u32) -> usize {
    first_rows.partition_point(|f| (*f).into() <= u64::from(row)).saturating_sub(1)
}

/// Fixes of all streams read so far.
pub struct Store {
    shards: Vec<Shard>,
    sayings: Sayings,
    /// Layouts that write particulars alike, one of each.
    classes: Vec<Arc<Plan>>,
    class: usize,
    /// First row of each stream, the one being read included.
    first_rows: Vec<u64>,
    /// Fixes after which duplicates are looked for.
    many: usize,
    /// Fixes added since duplicates were last looked for: in all, and in this stream.
    added: (usize, usize),
}

impl Store {
    /// Looks for duplicates after every `many` fixes.
    pub fn new(many: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { shards, sayings: Sayings::default(), classes: Vec::new(), class: 0, first_rows: Vec::new(), many: many.max(1), added: (0, 0) }
    }
    /// A stream begins.
    pub fn begin(&mut self, plan: &Arc<Plan>, first_row: u64, workers: &[Mutex<Worker>]) {
        if self.added.0 >= self.many {
            self.settle(workers, true);
            self.added.0 = 0;
        }
        self.class = self.classes.iter().position(|c| c.reads_like(plan)).unwrap_or(self.classes.len());
        if self.class == self.classes.len() {
            self.classes.push(Arc::clone(plan));
        }
        self.first_rows.push(first_row);
        self.added.1 = 0;
        for shard in &mut self.shards {
            shard.mark = (shard.runs.len(), shard.pieces.len());
        }
    }
    /// How many more fixes of this stream may come before [`Self::add`].
    pub fn room(&self) -> usize {
        self.many.saturating_sub(self.added.1).max(1)
    }
    /// Takes the fixes of blocks whose first lines are counted; line 0 of the stream is row `base`.
    pub fn add(&mut self, blocks: &mut [Scanned], base: u64, workers: &[Mutex<Worker>], last: bool) {
        for block in blocks {
            for (shard, fixes) in self.shards.iter_mut().zip(std::mem::take(&mut block.shards)) {
                if !fixes.is_empty() {
                    self.added = (self.added.0 + fixes.len(), self.added.1 + fixes.len());
                    shard.pieces.push(Piece { worker: block.worker, class: self.class, base: (base + block.first_line) as u32, fixes });
                }
            }
        }
        if !last && self.added.1 >= self.many {
            self.settle(workers, false);
            self.added.1 = 0;
        }
    }
    /// Fixes held.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|s| s.len((0, 0))).sum()
    }
    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// First row of each stream so far.
    pub fn first_rows(&self) -> &[u64] {
        &self.first_rows
    }
    /// All that is held, and an empty store that goes on where this one was.
    pub fn take(&mut self) -> Self {
        let rest = Self { classes: self.classes.clone(), class: self.class, first_rows: self.first_rows.clone(), ..Self::new(self.many) };
        std::mem::replace(self, rest)
    }
    /// Takes back what came of the stream that was read last; `whole` where it is as if it had never been.
    pub fn refuse(&mut self, whole: bool) {
        let stream = self.first_rows.len().saturating_sub(1);
        let first_row = self.first_rows.last().copied().unwrap_or(0);
        for shard in &mut self.shards {
            shard.runs.truncate(shard.mark.0);
            shard.pieces.truncate(shard.mark.1);
            shard.dropped.forget(stream, first_row);
        }
        if whole {
            self.first_rows.pop();
        }
    }

    /// Drops duplicates: of this stream, which may yet be refused, or of the whole.
    fn settle(&mut self, workers: &[Mutex<Worker>], whole: bool) {
        let view = self.view(workers);
        // The fullest shard shows whether it would save an eighth; where not, all stays as it is.
        let Some(fullest) = (0..SHARDS).max_by_key(|s| self.shards[*s].len(self.shards[*s].from(whole))) else { return };
        let before = self.shards[fullest].len(self.shards[fullest].from(whole));
        let (run, dropped) = self.settled(fullest, whole, &view, &mut Vec::new());
        if run.len() + before / 8 > before {
            return;
        }
        self.shards[fullest].replace(whole, run, dropped);
        let mut shards = std::mem::take(&mut self.shards);
        let first_rows = &self.first_rows;
        shards.par_iter_mut().enumerate().filter(|(s, _)| *s != fullest).for_each_init(Vec::new, |scratch, (s, shard)| {
            let (run, dropped) = shard.settled(s, whole, &view, first_rows, scratch);
            shard.replace(whole, run, dropped);
        });
        self.shards = shards;
    }
    fn settled(&self, shard: usize, whole: bool, view: &View, scratch: &mut Vec<Fix>) -> (Run, Dropped) {
        self.shards[shard].settled(shard, whole, view, &self.first_rows, scratch)
    }

    /// Numbers all ships and sayings that any worker has met.
    fn view(&mut self, workers: &[Mutex<Worker>]) -> View {
        let pairs: std::collections::BTreeSet<(usize, usize)> = self.shards.iter().flat_map(|s| &s.pieces).map(|p| (p.worker, p.class)).collect();
        for (worker, class) in pairs {
            if let Ok(state) = workers[worker].lock() {
                self.sayings.learn(worker, class, &self.classes[class], &state.said);
            }
        }
        let mut mmsis: Vec<Vec<u32>> = vec![Vec::new(); SHARDS];
        for &(mmsi, _) in self.sayings.known.values().flatten() {
            mmsis[shard_of(mmsi)].push(mmsi);
        }
        for list in &mut mmsis {
            list.sort_unstable();
            list.dedup();
        }
        let place = |mmsi: u32| mmsis[shard_of(mmsi)].partition_point(|m| *m < mmsi) as u32;
        let places = self.sayings.known.iter().map(|(key, known)| (*key, known.iter().map(|(mmsi, n)| (place(*mmsi), *n)).collect())).collect();
        View { mmsis, places, ranks: None }
    }

    /// All that is kept, shard by shard: `each` makes something of a shard's ships. With it come the distinct particulars, in
    /// order, and the duplicates dropped before.
    pub fn finish<T: Send>(
        mut self,
        workers: &[Mutex<Worker>],
        each: impl Fn(&[u32], &[usize], &[Fix]) -> T + Sync,
    ) -> (Vec<Particulars>, Vec<T>, Vec<Dropped>) {
        let mut view = self.view(workers);
        let (table, ranks) = self.sayings.ranked();
        for (_, number) in view.places.values_mut().flatten() {
            *number = ranks[*number as usize];
        }
        view.ranks = Some(ranks);
        let made: Vec<(T, Dropped)> = self
            .shards
            .into_par_iter()
            .enumerate()
            .map_init(Vec::new, |scratch, (s, Shard { runs, pieces, dropped, .. })| {
                let starts = view.join(s, &runs, &pieces, scratch);
                drop((runs, pieces));
                (each(&view.mmsis[s], &starts, scratch), dropped)
            })
            .collect();
        let (made, dropped) = made.into_iter().unzip();
        (table, made, dropped)
    }
}

impl Shard {
    /// What there is since the mark, or the whole, as one run, and what fell out of it.
    fn settled(&self, number: usize, whole: bool, view: &View, first_rows: &[u64], scratch: &mut Vec<Fix>) -> (Run, Dropped) {
        let (runs, pieces) = self.from(whole);
        let starts = view.join(number, &self.runs[runs..], &self.pieces[pieces..], scratch);
        let (mut ships, mut dropped, mut kept) = (Vec::new(), Dropped::default(), 0);
        for (k, &mmsi) in view.mmsis[number].iter().enumerate() {
            let begin = kept;
            for from in starts[k]..starts[k + 1] {
                let fix = scratch[from];
                if kept > begin && is_duplicate(&scratch[kept - 1], &fix) {
                    dropped.push(stream_of(first_rows, fix.row), Sighting { row: fix.row, mmsi, t_ms: fix.t_ms });
                } else {
                    scratch[kept] = fix;
                    kept += 1;
                }
            }
            if kept > begin {
                ships.push((mmsi, (kept - begin) as u32));
            }
        }
        (Run { ships, fixes: scratch[..kept].chunks(PIECE).map(<[Fix]>::to_vec).collect() }, dropped)
    }
    fn replace(&mut self, whole: bool, run: Run, dropped: Dropped) {
        let (runs, pieces) = self.from(whole);
        self.runs.truncate(runs);
        self.pieces.truncate(pieces);
        self.runs.push(run);
        self.dropped.append(dropped);
    }
}

/// Raw particulars in canonical form.
fn parse(plan: &Plan, raw: &[u8]) -> Particulars {
    let [name, imo, call_sign, ship_type, length, width, draught, cargo, class, bow, stern, port, starboard] = plan.texts(raw);
    // What is kept is itself no longer than what is read: so it is the same when it is read again.
    let text = |t: &[u8]| {
        let text = escape(&t[..t.len().min(MOST_TEXT)], MOST_TEXT);
        text[..text.floor_char_boundary(MOST_TEXT)].trim_matches(|c: char| c.is_whitespace() || c == '@').into()
    };
    let number = |t: &[u8], digits: u32, most: i64| match row::scaled(t.trim_ascii(), digits) {
        Some(v) if (1..=most).contains(&v) => v,
        _ => 0,
    };
    // Where the antenna stands: a hull is as long as the ways to both its ends. An end that is missing leaves the other.
    let antenna = [bow, stern, port, starboard].map(|t| row::scaled(t.trim_ascii(), 0).filter(|v| (0..=511).contains(v)).map(|v| v as u16));
    let [to_bow_m, to_stern_m, to_port_m, to_starboard_m] = if antenna.contains(&None) { [0; 4] } else { antenna.map(|v| v.unwrap_or(0)) };
    let [bow, stern, port, starboard] = antenna.map(|v| v.unwrap_or(0));
    let (length_dm, beam_dm) = (number(length, plan.length_digits(), 10_220) as u16, number(width, plan.length_digits(), 1_260) as u16);
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
        to_bow_m,
        to_stern_m,
        to_port_m,
        to_starboard_m,
    }
}

impl Plan {
    /// Whether raw particulars mean the same under both.
    fn reads_like(&self, other: &Self) -> bool {
        self.particulars_order() == other.particulars_order() && self.layout_parts() == other.layout_parts()
    }
}
