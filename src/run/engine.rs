//! One day after the other.
//!
//! *In*: a [`State`] and the rows of a day. *Out*: what ended, and the next state. A day is evaluated up to its frontier, four
//! hours before its end, because that is how far segmentation and meetings look ahead; the rest is evaluated with the next day,
//! or, where the data end, by [`conclude`]. The same frontiers are met however the files are cut.

use crate::detect::coverage::{self, Reception};
use crate::detect::gap;
use crate::detect::meeting::{self, LOOK_AHEAD_MS, Meeting, Pair, Step, WindowEnd};
use crate::detect::motion::{self, Legs, Run};
use crate::frame::ShipRows;
use crate::model::time::DAY_MS;
use crate::model::{AisClass, Fix, GapFacts, Mmsi, Params, Particulars, Party, RendezvousFacts, Track, TrackId};
use crate::run::faint::Faint;
use crate::spatial::boxes::{IndexKind, Work};
use crate::track::segment::{self, Assigned, ShipState};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// Everything that a day hands on. A value: it can be written, read back and split by key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Up to here everything is evaluated; `None` before the first day.
    pub frontier_ms: Option<i64>,
    /// Open tracks by MMSI.
    pub ships: BTreeMap<Mmsi, ShipState>,
    /// The last fixes of every track: those that tell of the time from the frontier on, of ships in an open meeting from four hours before
    /// it, and times of 12 h before the last one up to the frontier.
    #[serde(with = "crate::run::packed")]
    pub tails: Vec<Track>,
    /// Meetings that may go on.
    pub meetings: BTreeMap<Pair, Meeting>,
    /// What ships said of themselves, as far as the tails speak of it; their `particulars` are indexes into it.
    pub particulars: Vec<Particulars>,
}

/// What was found, with the ships' particulars of the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Meetings that are over, or open at the end of the data.
    pub meetings: Vec<(RendezvousFacts, [Party; 2])>,
    /// Meetings that are over and not worth keeping ([`Ways::keep`]), in no order.
    pub faint: Vec<Faint>,
    /// Silences; the water around them is not asked yet.
    pub gaps: Vec<(GapFacts, Party)>,
    /// Who was heard where and when.
    pub heard: Reception,
    /// Counts and work.
    pub tally: Tally,
}

/// What the steps did, summed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Tracks looked at in the last step.
    pub tracks: u64,
    /// Runs in the index, candidates, and time.
    pub search: Work,
    /// Exact tests of leg on leg.
    pub exact_tests: u64,
    /// Pairs of tracks with qualifying time.
    pub hits: u64,
    /// Fixes dropped by segmentation.
    pub teleports: u64,
    /// Fixes dropped as repeats of an old report.
    pub repeats: u64,
    /// Second positions of one moment.
    pub simultaneous: u64,
    /// Wall-clock microseconds by room, for the manifest.
    pub rooms_us: BTreeMap<&'static str, u64>,
}

impl Findings {
    /// Adds what another step found.
    pub fn extend(&mut self, other: Self) {
        self.meetings.extend(other.meetings);
        if self.faint.is_empty() {
            self.faint = other.faint;
        } else {
            self.faint.extend(other.faint);
        }
        self.gaps.extend(other.gaps);
        self.heard.extend(other.heard);
        self.tally.extend(&other.tally);
    }
}

impl Tally {
    /// Adds what another step did.
    pub fn extend(&mut self, other: &Self) {
        self.tracks = self.tracks.max(other.tracks);
        self.search.entries += other.search.entries;
        self.search.candidates += other.search.candidates;
        self.search.build_us += other.search.build_us;
        self.search.query_us += other.search.query_us;
        self.search.bytes = self.search.bytes.max(other.search.bytes);
        self.exact_tests += other.exact_tests;
        self.hits += other.hits;
        self.teleports += other.teleports;
        self.repeats += other.repeats;
        self.simultaneous += other.simultaneous;
        for (room, us) in &other.rooms_us {
            *self.rooms_us.entry(room).or_default() += us;
        }
    }
}

/// What steers a step besides the data: rules, index, and the caller's clock for the manifest.
#[derive(Clone, Copy)]
pub struct Ways<'a> {
    /// The rules.
    pub params: &'a Params,
    /// The candidate search.
    pub index: IndexKind,
    /// The confidence worth keeping: a meeting that cannot reach it is kept as a faint one. 0 keeps everything.
    pub keep: i32,
    /// Microseconds of the caller's clock.
    pub now_us: &'a (dyn Fn() -> u64 + Sync),
}

/// A day's rows by ship, and the table that their `particulars` index.
#[derive(Clone, Copy)]
pub struct DayRows<'a> {
    /// Ships in ascending MMSI; rows in total order.
    pub ships: &'a [ShipRows<'a>],
    /// The table.
    pub particulars: &'a [Particulars],
}

impl State {
    /// The state as bytes, the same for the same state.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        postcard::to_stdvec(self).map_err(|e| e.to_string())
    }

    /// From [`State::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        postcard::from_bytes(bytes).map_err(|e| e.to_string())
    }
}

/// Takes in the rows up to `day_end_ms` and evaluates up to that day's frontier.
pub fn advance(state: State, rows: DayRows, day_end_ms: i64, ways: &Ways) -> (State, Findings) {
    advance_taken(take_in(state, rows.ships, rows.particulars, day_end_ms, ways), day_end_ms, ways)
}

/// The second half of [`advance`], for which the rows need not be in memory any more.
pub fn advance_taken(TakenIn { mut state, tracks, mut table, tally }: TakenIn, day_end_ms: i64, ways: &Ways) -> (State, Findings) {
    let frontier = day_end_ms - LOOK_AHEAD_MS;
    let window = (state.frontier_ms.unwrap_or(day_end_ms - DAY_MS), frontier);
    let alive = std::mem::take(&mut state.meetings);
    let (alive, found) = evaluate((&state.ships, alive), &tracks, &table, (window, WindowEnd::Frontier), tally, ways);
    state.meetings = alive;
    state.frontier_ms = Some(frontier);
    state.tails = cut_tails(tracks, frontier, &state.meetings, ways.params, &mut table);
    (keep_particulars(state, &table), found)
}

/// Takes in the last rows, if any, and evaluates up to the end of the data. What may go on is given out as open.
pub fn conclude(state: State, rows: DayRows, data_end_ms: i64, ways: &Ways) -> Findings {
    let TakenIn { mut state, tracks, table, tally } = take_in(state, rows.ships, rows.particulars, data_end_ms, ways);
    // Nobody goes on from here; of the ships only those are asked for that have several tracks.
    state.ships.retain(|_, ship| ship.tracks.len() > 1);
    let window = (state.frontier_ms.unwrap_or(data_end_ms - DAY_MS), data_end_ms);
    let alive = std::mem::take(&mut state.meetings);
    let (_, found) = evaluate((&state.ships, alive), &tracks, &table, (window, WindowEnd::DataEnd), tally, ways);
    drop_beside((state, tracks));
    found
}

/// What [`conclude`] gives where no rows are left and the state goes on: it is looked at, and its fixes are not held twice.
pub fn concluded(state: &State, data_end_ms: i64, ways: &Ways) -> Findings {
    let begin = (ways.now_us)();
    let mut tally = Tally { tracks: state.tails.len() as u64, ..Tally::default() };
    let several = state.ships.iter().filter(|(_, ship)| ship.tracks.len() > 1);
    let mut ships: BTreeMap<Mmsi, ShipState> = several.map(|(mmsi, ship)| (*mmsi, ship.clone())).collect();
    tally.teleports = settle_all(ships.values_mut(), data_end_ms, ways.params);
    tally.rooms_us.insert("track", (ways.now_us)() - begin);
    let table = Table { carried: Cow::from(&state.particulars), delivered: &[], added: Vec::new() };
    let window = (state.frontier_ms.unwrap_or(data_end_ms - DAY_MS), data_end_ms);
    evaluate((&ships, state.meetings.clone()), &state.tails, &table, (window, WindowEnd::DataEnd), tally, ways).1
}

/// Drops what nothing can confirm any more; returns how many fixes went.
fn settle_all<'s>(ships: impl Iterator<Item = &'s mut ShipState>, end_ms: i64, params: &Params) -> u64 {
    let mut left = Assigned::default();
    ships.for_each(|ship| segment::settle(ship, end_ms, params, &mut left));
    left.teleports
}

/// Gives memory back while others go on: of millions of rows that takes a while.
fn drop_beside<T: Send + 'static>(value: T) {
    rayon::spawn(move || drop(value));
}

/// The tracks of all rows at once, for those who look at the whole and not day by day. In the order of MMSI and id.
pub fn tracks_of(rows: DayRows, end_ms: i64, ways: &Ways) -> Vec<Track> {
    take_in(State::default(), rows.ships, rows.particulars, end_ms, ways).tracks
}

/// What ships said of themselves: what a state carried, what was delivered, and what was put together of it since, numbered in this order.
struct Table<'a> {
    carried: Cow<'a, [Particulars]>,
    delivered: &'a [Particulars],
    added: Vec<Particulars>,
}

impl Table<'_> {
    fn get(&self, number: u32) -> &Particulars {
        let k = number as usize;
        match k.checked_sub(self.carried.len()) {
            None => &self.carried[k],
            Some(k) => self.delivered.get(k).unwrap_or_else(|| &self.added[k - self.delivered.len()]),
        }
    }

    fn push(&mut self, one: Particulars) -> u32 {
        self.added.push(one);
        self.len() as u32 - 1
    }

    fn len(&self) -> usize {
        self.carried.len() + self.delivered.len() + self.added.len()
    }
}

/// A state and the tracks that new rows made of it.
pub struct TakenIn<'p> {
    state: State,
    tracks: Vec<Track>,
    table: Table<'p>,
    tally: Tally,
}

/// What a ship had: its state, where its tails are, and their fixes.
type Had = (ShipState, Range<usize>, Vec<(TrackId, Vec<Fix>)>);

/// A ship's rows joined to what it had.
struct Joined {
    mmsi: Mmsi,
    ship: ShipState,
    tails: Range<usize>,
    assigned: Assigned,
}

/// The tails of a ship; they stand in the order of MMSI and id.
fn tails_of(tails: &[Track], mmsi: Mmsi) -> Range<usize> {
    let from = tails.partition_point(|t| t.mmsi < mmsi);
    from..from + tails[from..].iter().take_while(|t| t.mmsi == mmsi).count()
}

/// Ships whose rows are assigned to tracks together.
const SHIPS: usize = 1 << 13;
/// Ships that one thread takes at a time: no more, since some have a hundred times the rows of others.
const SHARE: usize = 64;

/// Assigns new rows to tracks and joins them to the tails. Tracks come out in the order of MMSI and id.
pub fn take_in<'p>(mut state: State, rows: &[ShipRows], delivered: &'p [Particulars], end_ms: i64, ways: &Ways) -> TakenIn<'p> {
    let begin = (ways.now_us)();
    let table = Table { carried: Cow::from(std::mem::take(&mut state.particulars)), delivered, added: Vec::new() };
    let base = table.carried.len() as u32;
    let mut ships = std::mem::take(&mut state.ships);
    let mut tracks = std::mem::take(&mut state.tails);
    tracks.reserve_exact(rows.iter().filter(|r| !ships.contains_key(&r.mmsi)).count());
    let tails = tracks.len();
    let mut taken: Vec<(Mmsi, ShipState)> = Vec::with_capacity(rows.len());
    let mut tally = Tally::default();
    // Some ships at a time: what is between rows and tracks is never there of all.
    for some in rows.chunks(SHIPS) {
        let mut take = |rows: &ShipRows| {
            let of = tails_of(&tracks[..tails], rows.mmsi);
            let fixes = tracks[of.clone()].iter_mut().map(|tail| (tail.id, std::mem::take(&mut tail.fixes))).collect();
            (ships.remove(&rows.mmsi).unwrap_or_default(), of, fixes)
        };
        let work: Vec<(&ShipRows, Had)> = some.iter().map(|rows| (rows, take(rows))).collect();
        let done: Vec<Joined> = work
            .into_par_iter()
            .with_max_len(SHARE)
            .map(|(rows, (mut ship, tails, had))| {
                let fixes = (0..rows.t_ms.len()).map(|k| {
                    let mut fix = rows.fix(k);
                    fix.particulars += base;
                    fix
                });
                let mut assigned = segment::assign_behind(had, rows.mmsi, fixes, &mut ship, ways.params);
                segment::settle(&mut ship, end_ms, ways.params, &mut assigned);
                Joined { mmsi: rows.mmsi, ship, tails, assigned }
            })
            .collect();
        for Joined { mmsi, ship, tails, assigned } in done {
            taken.push((mmsi, ship));
            tally.teleports += assigned.teleports;
            tally.repeats += assigned.repeats;
            tally.simultaneous += assigned.simultaneous;
            for (id, fixes) in assigned.fixes {
                // A ship's rows come once: only a tail can have the same name.
                match tracks[tails.clone()].iter_mut().find(|tail| tail.id == id) {
                    Some(tail) => tail.fixes = fixes,
                    None => tracks.push(Track::new(id, mmsi, fixes)),
                }
            }
        }
    }
    tally.teleports += settle_all(ships.values_mut(), end_ms, ways.params);
    taken.extend(ships);
    tracks.sort_by_key(|t| (t.mmsi, t.id));
    state.ships = taken.into_iter().collect();
    tally.tracks = tracks.len() as u64;
    tally.rooms_us.insert("track", (ways.now_us)() - begin);
    TakenIn { state, tracks, table, tally }
}

/// The legs of every track, and the runs of all.
pub type Paced = (Vec<Legs>, Vec<Run>);

/// Legs and runs of tracks about a window.
pub fn legs_and_runs(tracks: &[Track], window: (i64, i64), params: &Params) -> Paced {
    let (legs, runs, _) = walk(tracks, window, params, |_, _| ());
    (legs, runs)
}

/// The runs of a track, and what else was looked for.
type Seen<T> = (Box<[Run]>, T);

/// Legs and runs of tracks, and what else there is to see of each while its fixes are at hand.
fn walk<T: Send>(tracks: &[Track], window: (i64, i64), params: &Params, look: impl Fn(&Track, &mut Legs) -> T + Sync) -> (Vec<Legs>, Vec<Run>, Vec<Seen<T>>) {
    let (mut legs, mut seen): (Vec<Legs>, Vec<Seen<T>>) = (Vec::new(), Vec::new());
    // Each goes to its place at once: of a great many ships nothing is held twice.
    let walked = tracks.par_iter().enumerate().with_max_len(SHARE).map(|(i, track)| {
        let (mut legs, runs) = motion::legs_and_runs(i as u32, track, window, params);
        let look = look(track, &mut legs);
        (legs, (runs.into_boxed_slice(), look))
    });
    walked.unzip_into_vecs(&mut legs, &mut seen);
    let mut runs = Vec::with_capacity(seen.iter().map(|(runs, _)| runs.len()).sum());
    seen.iter_mut().for_each(|(own, _)| runs.extend(std::mem::take(own)));
    (legs, runs, seen)
}

/// What a track has besides its motion.
struct Look {
    said: Said,
    hours: Box<[coverage::VesselHour]>,
    silences: Box<[u32]>,
}

/// What a window shows, and the meetings that may go on. `ships` tell who shares a number; `alive` are the meetings that were open before.
fn evaluate(
    (ships, alive): (&BTreeMap<Mmsi, ShipState>, BTreeMap<Pair, Meeting>),
    tracks: &[Track],
    table: &Table,
    (window, end): ((i64, i64), WindowEnd),
    mut tally: Tally,
    ways: &Ways,
) -> (BTreeMap<Pair, Meeting>, Findings) {
    let timed = |begin: u64| (ways.now_us)() - begin;
    let begin = (ways.now_us)();
    let look = |t: &Track, legs: &mut Legs| {
        let class_of = |f: &Fix| table.get(f.particulars).class;
        let said = Said::of(&t.fixes, table);
        legs.stated = motion::stated(said.changes.iter().map(|c| (c.0, table.get(c.1)))).into_boxed_slice();
        let hours = coverage::vessel_hours(t, class_of, window, ways.params).into_boxed_slice();
        Look { said, hours, silences: gap::silences(t, window, end, ways.params).into_boxed_slice() }
    };
    let (legs, runs, looks) = walk(tracks, window, ways.params, look);
    tally.rooms_us.insert("motion", timed(begin));
    // In the order of MMSI and id.
    let look_at = |id: TrackId, mmsi: Mmsi| tracks.binary_search_by_key(&(mmsi, id), |t| (t.mmsi, t.id)).ok().map(|k| &looks[k].1);
    let party = |id: TrackId, mmsi: Mmsi, until_ms: i64| Party {
        mmsi,
        track: id,
        particulars: look_at(id, mmsi).map(|look| look.said.latest(until_ms, table)).unwrap_or_default(),
        shared_mmsi: ships.get(&mmsi).is_some_and(|s| s.tracks.iter().filter(|t| t.confirmed && t.count >= 10).count() > 1),
    };
    let look = |m: RendezvousFacts| {
        let parties = [0, 1].map(|k| party(m.tracks[k], m.mmsis[k], m.end_ms));
        // Boxed: almost all are faint, and millions of them wait side by side.
        Faint::of(&m, &parties, ways.keep, ways.params).ok_or_else(|| Box::new((m, parties)))
    };
    // Neither needs the other, and the index of meetings is built by one thread.
    let (found, gaps) = rayon::join(
        || {
            let begin = (ways.now_us)();
            let step = Step { window, end, params: ways.params, index: ways.index, now_us: ways.now_us };
            let (mut meetings, mut faint) = (Vec::new(), Vec::new());
            let found = meeting::find_each(tracks, &legs, &runs, alive, &step, look, |met| match met {
                Ok(f) => faint.push(f),
                Err(m) => meetings.push(*m),
            });
            meetings.sort_by_key(|(m, _)| (m.mmsis, m.tracks, m.start_ms));
            (found, meetings, faint, timed(begin))
        },
        || {
            let begin = (ways.now_us)();
            let heard = Reception::of(looks.iter().flat_map(|(_, look)| look.hours.iter().copied()).collect());
            let told = tracks.par_iter().zip(&looks).flat_map_iter(|(t, (_, look))| gap::tell(t, &look.silences, window.1, ways.params));
            let gaps = (told.collect::<Vec<GapFacts>>(), heard);
            (gaps, timed(begin))
        },
    );
    let (found, meetings, faint, meetings_us) = found;
    let ((gaps, heard), gaps_us) = gaps;
    tally.rooms_us.insert("meetings", meetings_us);
    tally.rooms_us.insert("gaps", gaps_us);
    tally.search = found.work;
    tally.exact_tests = found.exact_tests;
    tally.hits = found.hits;
    let gaps = gaps
        .into_iter()
        .map(|g| {
            let party = party(g.track, g.mmsi, g.off_ms);
            (g, party)
        })
        .collect();
    drop_beside((legs, runs, looks));
    (found.alive, Findings { meetings, faint, gaps, heard, tally })
}

/// What a ship said of itself while it sent some fixes.
struct Said {
    /// When the particulars beside the fixes changed, and to which; the first are those of the first fix.
    changes: Box<[(i64, u32)]>,
    /// Every field that any of them has, as [`Particulars::known_fields`] gives them.
    known: u8,
}

impl Said {
    fn of(fixes: &[Fix], table: &Table) -> Self {
        let (mut changes, mut known) = (Vec::new(), 0);
        for fix in fixes {
            if changes.last().is_none_or(|last: &(i64, u32)| last.1 != fix.particulars) {
                changes.push((fix.t_ms, fix.particulars));
                known |= table.get(fix.particulars).known_fields();
            }
        }
        Self { changes: changes.into_boxed_slice(), known }
    }

    /// The last up to a time: each field from the latest report that has it.
    fn latest(&self, until_ms: i64, table: &Table) -> Particulars {
        let mut out = Particulars::default();
        let end = self.changes.partition_point(|c| c.0 <= until_ms).max(1).min(self.changes.len());
        for (distinct, (_, said)) in self.changes[..end].iter().rev().enumerate() {
            let p = table.get(*said);
            let number = |mine: &mut u16, its: u16| {
                if *mine == 0 {
                    *mine = its;
                }
            };
            if out.name.is_empty() {
                out.name.clone_from(&p.name);
            }
            if out.imo == 0 {
                out.imo = p.imo;
            }
            if out.call_sign.is_empty() {
                out.call_sign.clone_from(&p.call_sign);
            }
            number(&mut out.ship_type, p.ship_type);
            number(&mut out.length_dm, p.length_dm);
            number(&mut out.beam_dm, p.beam_dm);
            number(&mut out.draught_dm, p.draught_dm);
            number(&mut out.cargo, p.cargo);
            if out.class == AisClass::Unknown {
                out.class = p.class;
            }
            if out.antenna_m() == [0; 4] {
                [out.to_bow_m, out.to_stern_m, out.to_port_m, out.to_starboard_m] = p.antenna_m();
            }
            if out.known_fields() == self.known || distinct >= 63 {
                break;
            }
        }
        out
    }
}

/// What later days need of the tracks. Tracks silent for longer than any silence is judged are let go.
fn cut_tails(tracks: Vec<Track>, frontier_ms: i64, open: &BTreeMap<Pair, Meeting>, params: &Params, table: &mut Table) -> Vec<Track> {
    let known: &Table = table;
    // What lies between two contacts of a meeting is looked at when the second comes.
    let in_meeting: FxHashSet<TrackId> = open.keys().flat_map(|(a, b)| [*a, *b]).collect();
    let (mut tails, said): (Vec<Track>, Vec<Option<Box<Particulars>>>) = tracks
        .into_par_iter()
        .filter_map(|mut track| {
            let last = track.fixes.last()?.t_ms;
            if last < frontier_ms - params.gap.longest_judged_h.millis() {
                return None;
            }
            let from_ms = if in_meeting.contains(&track.id) { frontier_ms - LOOK_AHEAD_MS } else { frontier_ms };
            let cut = motion::fixes_for(&track.fixes, (from_ms, i64::MAX), params).start;
            // Before the last fix that was evaluated: a silence that began with it may end beyond the frontier.
            let evaluated = track.fixes.partition_point(|f| f.t_ms <= frontier_ms).max(1) - 1;
            let counts_from_ms = track.fixes[evaluated].t_ms.min(frontier_ms) - params.gap.before_h.millis();
            let gone = track.earlier_ms.iter().copied().chain(track.fixes[..cut].iter().map(|f| f.t_ms));
            let earlier_ms = gone.filter(|t| *t >= counts_from_ms).collect();
            // What was said before the cut stands beside the first fix behind it.
            let said = Said::of(&track.fixes[..=cut], known);
            let latest = (said.changes.len() > 1).then(|| said.latest(track.fixes[cut].t_ms, known));
            // Mostly she said the same the day before, under another number.
            let latest = latest.filter(|latest| latest != known.get(track.fixes[cut].particulars));
            Some((Track { fixes: track.fixes.split_off(cut), earlier_ms, ..track }, latest.map(Box::new)))
        })
        .unzip();
    for (tail, said) in tails.iter_mut().zip(said) {
        if let (Some(first), Some(said)) = (tail.fixes.first_mut(), said) {
            first.particulars = table.push(*said);
        }
    }
    tails
}

/// Drops particulars that no carried fix speaks of, numbers the rest in their own order, and forgets where the fixes stood.
fn keep_particulars(mut state: State, table: &Table) -> State {
    let used: Vec<AtomicBool> = (0..table.len()).map(|_| AtomicBool::new(false)).collect();
    // Looked at first: two threads that write to neighbours wait for each other.
    let is_used = |f: &Fix| {
        let used = &used[f.particulars as usize];
        if !used.load(Ordering::Relaxed) {
            used.store(true, Ordering::Relaxed);
        }
    };
    state.tails.par_iter().for_each(|t| t.fixes.iter().for_each(is_used));
    state.ships.values().flat_map(|s| &s.tracks).for_each(|t| t.waiting.iter().chain([&t.last]).for_each(is_used));
    let numbers = || (0u32..).zip(&used).filter(|(_, used)| used.load(Ordering::Relaxed)).map(|(k, _)| k);
    let mut kept: Vec<&Particulars> = numbers().map(|k| table.get(k)).collect();
    kept.par_sort_unstable();
    kept.dedup();
    let mut rank = vec![0; used.len()];
    numbers().for_each(|k| rank[k as usize] = kept.partition_point(|p| *p < table.get(k)) as u32);
    let map = |f: &mut Fix| {
        f.particulars = rank[f.particulars as usize];
        // The line of an input that a later run does not have.
        f.row = u32::MAX;
    };
    state.tails.par_iter_mut().for_each(|t| t.fixes.iter_mut().for_each(map));
    for track in state.ships.values_mut().flat_map(|s| &mut s.tracks) {
        map(&mut track.last);
        track.waiting.iter_mut().for_each(map);
    }
    state.particulars = kept.into_iter().cloned().collect();
    state
}
