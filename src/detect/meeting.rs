//! Meetings: qualifying pieces joined over flickers and holes, with what they were like.
//!
//! *In*: tracks, their legs and runs, and the meetings that were still open at the last frontier. *Out*: meetings that ended,
//! and those that may go on. A fold over time: what is handed on is all that a later day needs.

use crate::detect::motion::{Legs, Run};
use crate::detect::pairs::{self, Moving, Piece, Rules};
use crate::detect::stats::{Sampling, Stats};
use crate::model::time::HOUR_MS;
use crate::model::{Mmsi, Params, RendezvousFacts, Track, TrackId};
use crate::spatial::boxes::{self, Box4, IndexKind, Work};
use crate::spatial::geodesy;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// How far segmentation and meetings look ahead: a day is evaluated up to this long before its end.
pub const LOOK_AHEAD_MS: i64 = 4 * HOUR_MS;

/// Two tracks, lower MMSI (then track id) first.
pub type Pair = (TrackId, TrackId);

/// A meeting that is not over, or of which only a part has been looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Meeting {
    /// First and last moment within the entering distance so far.
    pub enter_ms: Option<(i64, i64)>,
    /// Begin of the first qualifying piece.
    pub begin_ms: i64,
    /// End of the last qualifying piece.
    pub last_ms: i64,
    /// Observed time up to the last entering moment.
    pub observed_ms: i64,
    /// Qualifying pieces after the last entering moment, to be added if the ships come near again: (begin, end, observed).
    pub pending: Vec<(i64, i64, bool)>,
    /// Qualifying pieces up to the last entering moment that are not sampled yet.
    pub unsampled: Vec<(i64, i64)>,
    /// The last moment that sampling has dealt with.
    pub sampled_to_ms: Option<i64>,
    /// What was sampled.
    pub stats: Stats,
    /// Positions of both at the start.
    pub start_e7: Option<[(i32, i32); 2]>,
    /// Positions of both at the last entering moment.
    pub end_e7: Option<[(i32, i32); 2]>,
    /// Draught of each at the start, as [`RendezvousFacts`] has it: a later day no longer has the tracks.
    pub draught_before_dm: [Option<u16>; 2],
    /// The same after the last entering moment so far. It is taken down as soon as that is known: the ships may stay near for days.
    pub draught_after_dm: [Option<u16>; 2],
    /// While nothing was sampled: the last entering moment, by which contacts too short to hold a sampling moment are told.
    pub moment: Option<Box<Stats>>,
    /// What was sampled of the pending pieces, and real fixes of each in them: a later day no longer has the tracks.
    pub waiting: (Stats, [u32; 2]),
    /// Real fixes of each inside, so far.
    pub fixes: [u32; 2],
}

/// What one step over a window of time gives.
#[derive(Debug, Default)]
pub struct Found {
    /// Meetings that are over.
    pub ended: Vec<RendezvousFacts>,
    /// Meetings that may go on.
    pub alive: BTreeMap<Pair, Meeting>,
    /// What the candidate search did.
    pub work: Work,
    /// Exact tests of leg on leg.
    pub exact_tests: u64,
    /// Pairs of ships with any qualifying time.
    pub hits: u64,
}

/// How a window ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowEnd {
    /// More data will come: what may go on is handed on.
    Frontier,
    /// The data end here: what may go on is given out as open.
    DataEnd,
}

/// One step over a window of time: what to look at, and how.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Begin and end of the window, both inclusive: what lies on the border belongs to both and is joined.
    pub window: (i64, i64),
    /// What comes after it.
    pub end: WindowEnd,
    /// The rules.
    pub params: &'a Params,
    /// The candidate search.
    pub index: IndexKind,
    /// The caller's clock in microseconds, for [`Work`] alone.
    pub now_us: &'a (dyn Fn() -> u64 + Sync),
}

/// Finds the meetings with qualifying time in the step's window, going on from `alive`, in the order of the ships.
pub fn find(tracks: &[Track], legs: &[Legs], runs: &[Run], alive: BTreeMap<Pair, Meeting>, step: &Step) -> Found {
    let mut ended = Vec::new();
    let mut found = find_each(tracks, legs, runs, alive, step, |facts| facts, |facts| ended.push(facts));
    ended.sort_by_key(|m: &RendezvousFacts| (m.mmsis, m.tracks, m.start_ms));
    found.ended = ended;
    found
}

/// The same for whoever need not keep all that a meeting was: `look` sees each that is over, on any thread, and `take` what it
/// made of them, one after the other in an order that is no one's. n ships on one point are n * n / 2 meetings.
pub fn find_each<T: Send>(
    tracks: &[Track],
    legs: &[Legs],
    runs: &[Run],
    mut alive: BTreeMap<Pair, Meeting>,
    step: &Step,
    look: impl Fn(RendezvousFacts) -> T + Sync,
    mut take: impl FnMut(T),
) -> Found {
    let Step { window, params, index, now_us, .. } = *step;
    let rules = Rules::new(params);
    let runs: Vec<&Run> = runs.iter().filter(|r| r.t1_ms >= window.0 && r.t0_ms <= window.1).collect();
    let boxes: Vec<Box4> = runs.iter().map(|r| as_box(r, window)).collect();
    let (near, work) = boxes::near_pairs(&boxes, reach_m(params), index, now_us);
    drop(boxes);
    let ordered = |&(i, j): &(u32, u32)| {
        let turned = is_before(tracks, runs[j as usize].track, runs[i as usize].track);
        let (i, j) = if turned { (j, i) } else { (i, j) };
        Near { tracks: (runs[i as usize].track, runs[j as usize].track), runs: (i, j) }
    };
    let mut near: Vec<Near> = near.par_iter().map(ordered).collect();
    near.par_sort_unstable_by_key(|n| u64::from(n.tracks.0) << 32 | u64::from(n.tracks.1));
    // One group a pair of tracks; pairs with an open meeting and no candidate now are groups of their own.
    let place: BTreeMap<TrackId, u32> = if alive.is_empty() { BTreeMap::new() } else { tracks.iter().enumerate().map(|(i, t)| (t.id, i as u32)).collect() };
    let mut groups: Vec<Group> = near
        .par_chunk_by_mut(|x, y| x.tracks == y.tracks)
        .filter_map(|candidates| {
            let (a, b) = candidates[0].tracks;
            let (one, two) = (&tracks[a as usize], &tracks[b as usize]);
            let is_kept = one.mmsi != two.mmsi && (may_meet(&runs, candidates, &rules, window.1, params) || alive.contains_key(&(one.id, two.id)));
            is_kept.then(|| {
                candidates.sort_unstable_by_key(|n| {
                    let (a, b) = (runs[n.runs.0 as usize].t0_ms, runs[n.runs.1 as usize].t0_ms);
                    (a.max(b), a, b)
                });
                let place = runs[candidates[0].runs.0 as usize].extent.lo.map(|v| v >> 11);
                Group { a, b, candidates, place: Some(place), carried: None }
            })
        })
        .collect();
    if !alive.is_empty() {
        for group in &mut groups {
            group.carried = alive.remove(&(tracks[group.a as usize].id, tracks[group.b as usize].id)).map(Box::new);
        }
    }
    for ((a, b), meeting) in alive {
        if let (Some(&a), Some(&b)) = (place.get(&a), place.get(&b)) {
            groups.push(Group { a, b, candidates: &[], place: None, carried: Some(Box::new(meeting)) });
        }
    }
    // Neighbours after one another: the tracks of a port stay in the processor's cache.
    groups.par_sort_unstable_by_key(|g| (g.place, g.a, g.b));
    let mut found = Found { work, ..Found::default() };
    while !groups.is_empty() {
        // Part by part from the end, so that neither groups nor results of all pairs stand in memory at once.
        let done: Vec<_> = groups
            .par_drain(groups.len().saturating_sub(GROUPS)..)
            // Small shares: the pairs of one port may take longer than those of an ocean.
            .with_max_len(8)
            .map(|Group { a, b, candidates, carried, .. }| {
                let ship = |t: u32| Moving::new(&tracks[t as usize], &legs[t as usize], window);
                let (a, b) = (ship(a), ship(b));
                let mut pieces = Vec::new();
                let mut tests = 0;
                for &Near { runs: (i, j), .. } in candidates {
                    tests += pairs::pieces(a, runs[i as usize], b, runs[j as usize], &rules, window, &mut pieces);
                }
                let hit = !pieces.is_empty();
                let mut ended = Vec::new();
                let alive = fold(a, b, &pieces, carried, &rules, step, |facts| ended.push(look(facts)));
                (ended, alive.map(|m| ((a.track.id, b.track.id), m)), tests, hit)
            })
            .collect();
        for (ended, alive, tests, hit) in done {
            ended.into_iter().for_each(&mut take);
            found.alive.extend(alive.map(|(pair, m)| (pair, *m)));
            found.exact_tests += tests;
            found.hits += u64::from(hit);
        }
    }
    found
}

/// Groups worked on between two reckonings.
const GROUPS: usize = 1 << 16;

/// Two tracks, their candidate runs, and their meeting that is still open.
struct Group<'a> {
    a: u32,
    b: u32,
    candidates: &'a [Near],
    /// Where the first candidate lies, on a grid of two kilometres.
    place: Option<[i32; 3]>,
    carried: Option<Box<Meeting>>,
}

/// Two runs near each other, with their tracks; the track that comes first stands first.
struct Near {
    tracks: (u32, u32),
    runs: (u32, u32),
}

fn is_before(tracks: &[Track], x: u32, y: u32) -> bool {
    let name = |t: u32| (tracks[t as usize].mmsi, tracks[t as usize].id);
    name(x) < name(y)
}

/// Whether two ships can have come within the entering distance for long enough: most neighbours in a port never do, and most
/// that pass do not for long. What ends less than a hole before the end of the window may go on beyond it.
fn may_meet(runs: &[&Run], group: &[Near], rules: &Rules, window_end: i64, params: &Params) -> bool {
    let mut span: Option<(i64, i64)> = None;
    for &Near { runs: (i, j), .. } in group {
        let (a, b) = (runs[i as usize], runs[j as usize]);
        if rules.may_enter(a, b) {
            let (from, to) = (a.t0_ms.max(b.t0_ms), a.t1_ms.min(b.t1_ms));
            span = Some(span.map_or((from, to), |s| (s.0.min(from), s.1.max(to))));
        }
    }
    span.is_some_and(|(from, to)| to + params.rendezvous.hole_h.millis() >= window_end || to - from >= params.rendezvous.min_duration_min.millis())
}

/// How far the candidate search reaches. A metre on top: corners are rounded outward, reaches must not round inward.
pub fn reach_m(params: &Params) -> i32 {
    params.rendezvous.leave_m.get().max(params.rendezvous.enter_m.get()).ceil() as i32 + 1
}

/// The box of a run in the index of a window.
pub fn as_box(run: &Run, window: (i64, i64)) -> Box4 {
    // Seconds since the window's begin, rounded outward; a run may begin up to a leg and six hours before it.
    let s0 = (run.t0_ms.max(window.0 - 86_400_000) - window.0).div_euclid(1000) as i32;
    let s1 = (run.t1_ms.min(window.1 + 86_400_000) - window.0).div_euclid(1000) as i32 + 1;
    let ([x0, y0, z0], [x1, y1, z1]) = (run.extent.lo, run.extent.hi);
    Box4 { lo: [x0, y0, z0, s0], hi: [x1, y1, z1, s1], owner: run.track }
}

/// Joins the pieces of a pair to meetings: `end` takes those that are over, one that may go on comes back.
fn fold(
    a: Moving,
    b: Moving,
    pieces: &[Piece],
    carried: Option<Box<Meeting>>,
    rules: &Rules,
    step: &Step,
    mut end: impl FnMut(RendezvousFacts),
) -> Option<Box<Meeting>> {
    let (now_ms, params) = (step.window.1, step.params);
    let mut current = carried;
    for piece in pieces {
        if let Some(meeting) = current.take_if(|m| !goes_on(a, b, m, piece.t0_ms, rules, params)) {
            close(a, b, meeting, false, params).into_iter().for_each(&mut end);
        }
        let meeting = current.get_or_insert_with(|| Box::new(Meeting { begin_ms: piece.t0_ms, last_ms: piece.t0_ms, ..Meeting::default() }));
        extend(meeting, piece);
    }
    let mut meeting = current?;
    // Whether it may go on: the hole is not too long yet, and what was seen since does not rule it out.
    let may_go_on = goes_on(a, b, &meeting, now_ms, rules, params);
    if may_go_on && step.end == WindowEnd::Frontier {
        // Tracks are cut behind the frontier: sample now what they still show.
        settle(a, b, &mut meeting, params);
        settle_pending(a, b, &mut meeting, params);
        return Some(meeting);
    }
    close(a, b, meeting, may_go_on, params).into_iter().for_each(end);
    None
}

/// Whether the ships' being together again at `t_ms` belongs to this meeting.
fn goes_on(a: Moving, b: Moving, meeting: &Meeting, t_ms: i64, rules: &Rules, params: &Params) -> bool {
    let gap = t_ms - meeting.last_ms;
    if gap <= 0 {
        return true;
    }
    if gap > params.rendezvous.hole_h.millis() {
        return false;
    }
    pairs::is_flicker(a, b, rules, (meeting.last_ms, t_ms), params.rendezvous.flicker_min.millis(), params.rendezvous.flicker_m.get())
}

fn extend(meeting: &mut Meeting, piece: &Piece) {
    meeting.last_ms = meeting.last_ms.max(piece.t1_ms);
    let Some((first, last)) = piece.enter_ms else {
        if meeting.enter_ms.is_some() {
            meeting.pending.push((piece.t0_ms, piece.t1_ms, piece.observed));
        }
        return;
    };
    // From the first entering moment on everything up to the last counts.
    let from = match meeting.enter_ms {
        None => first,
        Some(_) => {
            for (t0, t1, observed) in std::mem::take(&mut meeting.pending) {
                meeting.observed_ms += if observed { t1 - t0 } else { 0 };
                meeting.unsampled.push((t0, t1));
            }
            let (stats, fixes) = std::mem::take(&mut meeting.waiting);
            meeting.stats.merge(&stats);
            (0..2).for_each(|k| meeting.fixes[k] += fixes[k]);
            piece.t0_ms
        }
    };
    meeting.enter_ms = Some((meeting.enter_ms.map_or(first, |e| e.0), last));
    meeting.observed_ms += if piece.observed { last - from } else { 0 };
    meeting.unsampled.push((from, last));
    if last < piece.t1_ms {
        meeting.pending.push((last, piece.t1_ms, piece.observed));
    }
}

/// Samples what is not sampled yet, and counts fixes.
fn settle(a: Moving, b: Moving, meeting: &mut Meeting, params: &Params) {
    let Some((start, end)) = meeting.enter_ms else { return };
    if meeting.start_e7.is_none() {
        meeting.start_e7 = Some([place_at(a, start), place_at(b, start)]);
        meeting.draught_before_dm = [a, b].map(|ship| draught_at(ship, start));
    }
    let is_new = !meeting.unsampled.is_empty();
    if is_new {
        meeting.end_e7 = Some([place_at(a, end), place_at(b, end)]);
        meeting.draught_after_dm = [a, b].map(|ship| draught_after(ship, end));
    }
    for piece in std::mem::take(&mut meeting.unsampled) {
        sample(a, b, piece, &mut meeting.sampled_to_ms, &mut meeting.stats, &mut meeting.fixes, params);
    }
    meeting.moment = match meeting.stats.samples() {
        0 if is_new => Some(Box::new(Stats::at(a, b, end, Sampling::new(params)))),
        0 => meeting.moment.take(),
        _ => None,
    };
}

/// The same for the pieces that count only if the ships come near again.
fn settle_pending(a: Moving, b: Moving, meeting: &mut Meeting, params: &Params) {
    let (stats, fixes) = &mut meeting.waiting;
    stats.origin_e7 = stats.origin_e7.or(meeting.stats.origin_e7);
    for &(t0, t1, _) in &meeting.pending {
        sample(a, b, (t0, t1), &mut meeting.sampled_to_ms, stats, fixes, params);
    }
}

fn sample(a: Moving, b: Moving, (t0, t1): (i64, i64), done: &mut Option<i64>, stats: &mut Stats, fixes: &mut [u32; 2], params: &Params) {
    // A moment on the border of two pieces belongs to the first.
    let from = done.map_or(t0, |done| t0.max(done + 1));
    if from > t1 {
        return;
    }
    stats.sample(a, b, from, t1, Sampling::new(params));
    for (count, ship) in fixes.iter_mut().zip([a, b]) {
        let fixes = ship.fixes;
        *count += (fixes.partition_point(|f| f.t_ms <= t1) - fixes.partition_point(|f| f.t_ms < from)) as u32;
    }
    *done = Some(t1);
}

fn place_at(ship: Moving, t_ms: i64) -> (i32, i32) {
    let fixes = &ship.track.fixes;
    let k = fixes.partition_point(|f| f.t_ms <= t_ms).max(1) - 1;
    let f = &fixes[k];
    if t_ms <= f.t_ms || k + 1 == fixes.len() {
        return (f.lat_e7, f.lon_e7);
    }
    let [p, q] = ship.leg(k);
    geodesy::position_e7(crate::detect::motion::on_leg(p, q, t_ms))
}

/// The draught that a ship had sent last at a moment, in tenths of a metre.
fn draught_at(ship: Moving, t_ms: i64) -> Option<u16> {
    ship.legs.stated_at(t_ms).map(|s| s.draught_dm).filter(|d| *d > 0)
}

/// The same at the end of the time that every step looks ahead, where the ship was heard after `end_ms`.
fn draught_after(ship: Moving, end_ms: i64) -> Option<u16> {
    let (fixes, until_ms) = (&ship.track.fixes, end_ms + LOOK_AHEAD_MS - 1);
    let heard = fixes.partition_point(|f| f.t_ms <= until_ms) > fixes.partition_point(|f| f.t_ms <= end_ms);
    heard.then(|| draught_at(ship, until_ms)).flatten()
}

fn close(a: Moving, b: Moving, mut meeting: Box<Meeting>, open: bool, params: &Params) -> Option<RendezvousFacts> {
    let (start, end) = meeting.enter_ms?;
    if end - start < params.rendezvous.min_duration_min.millis() {
        return None;
    }
    settle(a, b, &mut meeting, params);
    let stats = meeting.moment.as_deref().unwrap_or(&meeting.stats);
    if stats.samples() == 0 {
        return None;
    }
    let middle = stats.origin_e7?;
    let origin = geodesy::point(middle.0, middle.1);
    let (east, north) = geodesy::east_north(origin);
    let (x, y) = stats.middle_m();
    let mean = [0, 1, 2].map(|k| origin[k] + east[k] * x + north[k] * y);
    let metres = |q: f64| stats.separation.quantile(q).unwrap_or(0.0) * 5.0;
    let tenths = |h: &crate::detect::stats::Histogram| h.quantile(0.5).unwrap_or(0.0) * 0.1;
    let mmsis: [Mmsi; 2] = [a.track.mmsi, b.track.mmsi];
    Some(RendezvousFacts {
        tracks: [a.track.id, b.track.id],
        mmsis,
        start_ms: start,
        end_ms: end,
        observed_ms: meeting.observed_ms.min(end - start),
        open,
        mean_e7: geodesy::position_e7(mean),
        start_e7: meeting.start_e7.unwrap_or([middle; 2]),
        end_e7: meeting.end_e7.unwrap_or([middle; 2]),
        median_m: metres(0.5),
        p10_m: metres(0.1),
        p90_m: metres(0.9),
        min_m: stats.min_mm.unwrap_or(0) as f64 / 1000.0,
        hull_gap_m: stats.hull_gap_m(),
        draught_dm: [0, 1].map(|k| [meeting.draught_before_dm[k], if open { None } else { meeting.draught_after_dm[k] }]),
        speed_kn: [tenths(&stats.speed[0]), tenths(&stats.speed[1])],
        relative_kn: tenths(&stats.relative),
        moved_as_one: stats.moved_as_one(),
        scatter_m: [stats.place[0].scatter_m(), stats.place[1].scatter_m()],
        relative_scatter_m: stats.vector_scatter_m(),
        heading_arc_deg: [stats.heading_arc_deg(0), stats.heading_arc_deg(1)],
        heading_difference_deg: stats.difference.quantile(0.5).map(|q| q * 5.0),
        night_share: f64::from(stats.night) / stats.samples() as f64,
        still_share: stats.still.map(|n| f64::from(n) / stats.samples() as f64),
        fixes: meeting.fixes,
        neighbours: 0,
    })
}

/// What a meeting is to its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Lying {
    /// The two tracks.
    pub tracks: [TrackId; 2],
    /// From when.
    pub start_ms: i64,
    /// To when.
    pub end_ms: i64,
    /// Median separation in metres.
    pub median_m: f64,
}

impl From<&RendezvousFacts> for Lying {
    fn from(m: &RendezvousFacts) -> Self {
        Self { tracks: m.tracks, start_ms: m.start_ms, end_ms: m.end_ms, median_m: m.median_m }
    }
}

/// For each of `n` meetings, how many other ships lay as near to either of the two for more than half of its time. Only meetings
/// count as neighbours, and only with half as much again of this meeting's own median separation, at least 150 m.
///
/// The count is exact up to `enough` of the meeting and goes no further: among n ships on one point every ship is a neighbour of
/// every pair, and to count them all is work of n * n * n.
pub fn neighbours(n: usize, of: impl Fn(usize) -> Lying + Sync, enough: impl Fn(usize) -> u32 + Sync) -> Vec<u32> {
    // Of every ship its meetings, one list after the other.
    let mut ships: FxHashMap<TrackId, u32> = FxHashMap::default();
    let mut begins: Vec<usize> = Vec::new();
    for m in (0..n).map(&of) {
        for track in m.tracks {
            let next = ships.len() as u32;
            let ship = *ships.entry(track).or_insert(next) as usize;
            begins.resize(begins.len().max(ship + 1), 0);
            begins[ship] += 1;
        }
    }
    let mut sum = 0;
    for begin in &mut begins {
        (*begin, sum) = (sum, sum + *begin);
    }
    let mut ends = begins.clone();
    let mut lists: Vec<u32> = vec![0; sum];
    for k in 0..n {
        for track in of(k).tracks {
            let end = &mut ends[ships[&track] as usize];
            lists[*end] = k as u32;
            *end += 1;
        }
    }
    let count = |k: usize| {
        let (m, enough) = (of(k), enough(k) as usize);
        let reach = (m.median_m * 1.5).max(150.0);
        let mut others: Vec<TrackId> = Vec::new();
        for track in m.tracks {
            let ship = ships[&track] as usize;
            for &other in &lists[begins[ship]..ends[ship]] {
                let o = of(other as usize);
                let overlap = o.end_ms.min(m.end_ms) - o.start_ms.max(m.start_ms);
                let other = o.tracks[usize::from(o.tracks[0] == track)];
                if o.median_m <= reach && overlap * 2 > m.end_ms - m.start_ms && !m.tracks.contains(&other) {
                    others.push(other);
                    // Sorted out now and then: a ship may be there several times.
                    if others.len() >= enough {
                        others.sort_unstable();
                        others.dedup();
                        if others.len() >= enough {
                            return enough as u32;
                        }
                    }
                }
            }
        }
        others.sort_unstable();
        others.dedup();
        others.len() as u32
    };
    (0..n).into_par_iter().map(count).collect()
}
