//! How fast a ship goes on each leg, and the slow stretches (*runs*) that the index holds.
//!
//! *In*: one track. *Out*: a pace for every leg and its runs. Between fixes a ship moves on a straight line at one speed; a
//! leg's pace is the mean velocity over ten minutes to either side of its middle, from positions, never from the reported speed.

use crate::detect::stats::{Samples, Sampling};
use crate::model::{Fix, Params, Particulars, Track};
use crate::spatial::geodesy::{self, Vec3};
use crate::spatial::hull::Hull;
use std::ops::Range;
use std::sync::OnceLock;

/// The pace of a leg, slower being greater, so that "at least paced" is a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// Too long between the fixes: a hole, no leg.
    Hole,
    /// Faster than any transfer.
    Fast,
    /// Slow enough for a transfer under way.
    Paced,
    /// Drifting, anchored or moored.
    Drift,
}

/// The legs of the fixes of a track that tell of a window ([`fixes_for`]): `pace[i]` is that of the leg from fix `i` to fix `i + 1` of them.
/// Small: there may be a great many ships. Where all legs are holes, nothing but the fixes is told of.
#[derive(Clone, Debug, Default)]
pub struct Legs {
    /// The fixes that have legs, as a part of the track's.
    of: Range<u32>,
    /// One pace a leg; one fewer than fixes.
    pub pace: Box<[Pace]>,
    /// The point of every fix.
    pub points: Box<[Vec3]>,
    /// By size as in [`BLOCKS`], one for every so many legs: what can be said of them together.
    pub blocks: [Box<[Block]>; BLOCKS.len()],
    /// What the ship said that a meeting asks for, by time; empty where nobody looked.
    pub stated: Box<[Stated]>,
    sampled: OnceLock<Box<Samples>>,
}

/// What a ship had said of itself from a moment on, the latest of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stated {
    /// Since when, in UTC milliseconds.
    pub from_ms: i64,
    /// Where the antenna stands in the hull.
    pub hull: Option<Hull>,
    /// Draught in tenths of a metre; 0 where none was sent.
    pub draught_dm: u16,
}

/// What a ship had said at its changes of particulars, (time, which), in order.
pub fn stated<'a>(changes: impl Iterator<Item = (i64, &'a Particulars)>) -> Vec<Stated> {
    let mut out: Vec<Stated> = Vec::new();
    for (from_ms, said) in changes {
        let (hull, draught_dm) = (said.antenna_in_hull_m(), said.draught_dm);
        let last = out.last().map_or((None, 0), |s| (s.hull, s.draught_dm));
        let now = (hull.or(last.0), if draught_dm == 0 { last.1 } else { draught_dm });
        if now != last {
            out.push(Stated { from_ms, hull: now.0, draught_dm: now.1 });
        }
    }
    out
}

impl Legs {
    /// What the ship had said at a moment.
    pub fn stated_at(&self, t_ms: i64) -> Option<&Stated> {
        self.stated[..self.stated.partition_point(|s| s.from_ms <= t_ms)].last()
    }

    /// The fixes that have legs, as a part of the track's.
    pub fn of(&self) -> Range<usize> {
        self.of.start as usize..self.of.end as usize
    }

    /// The ship at every sampling moment of a window, worked out when first asked for. `fixes` must be those of the legs, and the window theirs.
    pub fn samples(&self, fixes: &[Fix], window: (i64, i64), rules: Sampling) -> &Samples {
        self.sampled.get_or_init(|| Box::new(Samples::of(&fixes[..self.points.len()], &self.points, window, rules)))
    }
}

/// The window that holds everything.
pub const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

/// Which fixes tell of a window: those in it, and to either side as many as the paces of the legs that touch it are made of.
pub fn fixes_for(fixes: &[Fix], window: (i64, i64), params: &Params) -> Range<usize> {
    let reach = params.motion.longest_leg_min.millis() + params.motion.speed_window_min.millis();
    let (from, to) = (window.0.saturating_sub(reach), window.1.saturating_add(reach));
    let first = fixes.partition_point(|f| f.t_ms <= from).saturating_sub(1);
    first..(fixes.partition_point(|f| f.t_ms < to) + 1).min(fixes.len())
}

/// Legs in a block, coarse and fine. Eight are about ten minutes of a ship in port, 64 an hour and a half: boxes small enough to
/// settle most pairs at once. The first is a multiple of the second.
pub const BLOCKS: [usize; 2] = [64, FINE];
const FINE: usize = 8;

/// Consecutive legs, as many as the size at most, the first being a multiple of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Corners of all its positions, metres, rounded outward.
    pub extent: Extent,
    /// Every leg drifts and is short enough to count as observed.
    pub plain: bool,
}

/// Lower and upper corner of a stretch of positions, metres, rounded outward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Lower corner.
    pub lo: [i32; 3],
    /// Upper corner.
    pub hi: [i32; 3],
}

impl Extent {
    /// That of some points; there must be one.
    pub fn of(points: &[Vec3]) -> Self {
        let (mut lo, mut hi) = (points[0], points[0]);
        for p in &points[1..] {
            for k in 0..3 {
                lo[k] = lo[k].min(p[k]);
                hi[k] = hi[k].max(p[k]);
            }
        }
        Self::outward(lo, hi)
    }

    fn outward(lo: Vec3, hi: Vec3) -> Self {
        Self { lo: [floor(lo[0]), floor(lo[1]), floor(lo[2])], hi: [-floor(-hi[0]), -floor(-hi[1]), -floor(-hi[2])] }
    }

    /// That of both.
    #[inline]
    fn join(mut self, other: &Self) -> Self {
        for k in 0..3 {
            self.lo[k] = self.lo[k].min(other.lo[k]);
            self.hi[k] = self.hi[k].max(other.hi[k]);
        }
        self
    }

    /// Least and greatest distance to the positions of another, squared.
    #[inline]
    pub fn distances2(&self, other: &Self) -> (f64, f64) {
        let (mut near, mut far) = (0.0, 0.0);
        for k in 0..3 {
            let gap = f64::from((other.lo[k] - self.hi[k]).max(self.lo[k] - other.hi[k]).max(0));
            let span = f64::from((other.hi[k] - self.lo[k]).max(self.hi[k] - other.lo[k]));
            near += gap * gap;
            far += span * span;
        }
        (near, far)
    }
}

/// The whole metre at or below; without the call that `floor` is where the processor's own is not assumed.
#[inline]
fn floor(v: f64) -> i32 {
    let whole = v as i32;
    whole - i32::from(f64::from(whole) > v)
}

/// A stretch of consecutive legs that are all at least paced, inside a small box and a bounded time.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Index of the track.
    pub track: u32,
    /// First fix, of those that have legs.
    pub first: u32,
    /// Last fix; the legs are `first..last`.
    pub last: u32,
    /// Time of the first fix.
    pub t0_ms: i64,
    /// Time of the last fix.
    pub t1_ms: i64,
    /// Where it lies.
    pub extent: Extent,
    /// Every leg drifts and is short enough to count as observed.
    pub plain: bool,
}

/// The point of a fix.
#[inline]
pub fn point_of(fix: &Fix) -> Vec3 {
    geodesy::point(fix.lat_e7, fix.lon_e7)
}

/// Where the ship was at `t_ms` on the leg from `a` to `b`: at its ends the fixes themselves, to the last bit.
#[inline]
pub fn on_leg(a: (i64, Vec3), b: (i64, Vec3), t_ms: i64) -> Vec3 {
    if t_ms == a.0 || b.0 == a.0 {
        return a.1;
    }
    if t_ms == b.0 {
        return b.1;
    }
    geodesy::lerp(a.1, b.1, (t_ms - a.0) as f64 / (b.0 - a.0) as f64)
}

/// The paces of a track's legs about a window, and its runs there. A leg longer than the longest, in time, is a hole.
pub fn legs_and_runs(index: u32, track: &Track, window: (i64, i64), params: &Params) -> (Legs, Vec<Run>) {
    let of = fixes_for(&track.fixes, window, params);
    let fixes = &track.fixes[of.clone()];
    if fixes.len() < 2 {
        return (Legs::default(), Vec::new());
    }
    let longest = params.motion.longest_leg_min.millis();
    if fixes.windows(2).all(|pair| pair[1].t_ms - pair[0].t_ms > longest) {
        return (Legs { of: of.start as u32..of.end as u32, ..Legs::default() }, Vec::new());
    }
    let points: Box<[Vec3]> = fixes.iter().map(point_of).collect();
    let mut pace = vec![Pace::Hole; fixes.len() - 1].into_boxed_slice();
    let blocks_from = || (0..pace.len()).step_by(FINE);
    let fine: Vec<Extent> = blocks_from().map(|from| Extent::of(&points[from..=(from + FINE).min(pace.len())])).collect();
    let mut from = 0;
    while from + 1 < fixes.len() {
        // A stretch without holes.
        let mut to = from;
        while to + 1 < fixes.len() && fixes[to + 1].t_ms - fixes[to].t_ms <= longest {
            to += 1;
        }
        if to > from {
            paces(fixes, &points, (from, to), &fine, params, &mut pace);
        }
        from = to + 1;
    }
    let runs = runs(index, fixes, &points, &pace, params);
    let observed = params.motion.observed_leg_min.millis();
    let block = |(k, extent): (usize, Extent)| {
        let (from, to) = (k * FINE, (k * FINE + FINE).min(pace.len()));
        Block { extent, plain: (from..to).all(|k| is_plain(fixes, &pace, k, observed)) }
    };
    let fine: Box<[Block]> = fine.into_iter().enumerate().map(block).collect();
    let join = |blocks: &[Block]| blocks[1..].iter().fold(blocks[0], |x, y| Block { extent: x.extent.join(&y.extent), plain: x.plain && y.plain });
    let coarse = fine.chunks(BLOCKS[0] / FINE).map(join).collect();
    let of = of.start as u32..of.end as u32;
    (Legs { of, pace, points, blocks: [coarse, fine], ..Legs::default() }, runs)
}

/// The paces of a stretch without holes, from one fix to another. `hulls` are those of the fine blocks.
fn paces(fixes: &[Fix], points: &[Vec3], (begin, end): (usize, usize), hulls: &[Extent], params: &Params, pace: &mut [Pace]) {
    let half = params.motion.speed_window_min.millis();
    let drift = params.rendezvous.drift_speed_kn.metres_per_second() / 1000.0;
    let paced = params.rendezvous.paced_speed_kn.metres_per_second() / 1000.0;
    let (first, last) = (fixes[begin].t_ms, fixes[end].t_ms);
    // A ship whose box is small drifts whatever it does inside. A metre on top: no rounding may decide.
    let shortest = half.min(last - first) as f64;
    let drifts = |hull: Extent| (0..3).map(|k| f64::from(hull.hi[k] - hull.lo[k] + 1)).map(|v| v * v).sum::<f64>() <= drift * drift * shortest * shortest;
    let (mut lo, mut hi, mut far) = (begin, begin, begin);
    let mut settled = begin;
    for i in begin..end {
        if i < settled {
            continue;
        }
        if i == begin || i % FINE == 0 {
            let next = (i / FINE * FINE + FINE).min(end);
            while fixes[lo + 1].t_ms < (fixes[i].t_ms - half).max(first) {
                lo += 1;
            }
            while fixes[far + 1].t_ms < (fixes[next].t_ms + half).min(last) {
                far += 1;
            }
            let around = &hulls[lo / FINE..=far / FINE];
            if drifts(around[1..].iter().fold(around[0], |x, y| x.join(y))) {
                pace[i..next].fill(Pace::Drift);
                settled = next;
                continue;
            }
        }
        let middle = (fixes[i].t_ms + fixes[i + 1].t_ms).div_euclid(2);
        let (a, b) = ((middle - half).max(first), (middle + half).min(last));
        while fixes[lo + 1].t_ms < a {
            lo += 1;
        }
        while fixes[hi + 1].t_ms < b {
            hi += 1;
        }
        let at = |k: usize, t: i64| on_leg((fixes[k].t_ms, points[k]), (fixes[k + 1].t_ms, points[k + 1]), t);
        let way = geodesy::sub(at(hi, b), at(lo, a));
        let (way2, time) = (geodesy::dot(way, way), (b - a) as f64);
        pace[i] = if way2 <= drift * drift * time * time {
            Pace::Drift
        } else if way2 <= paced * paced * time * time {
            Pace::Paced
        } else {
            Pace::Fast
        };
    }
}

/// Whether a leg drifts and is short enough to count as observed.
fn is_plain(fixes: &[Fix], pace: &[Pace], leg: usize, observed_ms: i64) -> bool {
    pace[leg] == Pace::Drift && fixes[leg + 1].t_ms - fixes[leg].t_ms <= observed_ms
}

fn runs(index: u32, fixes: &[Fix], points: &[Vec3], pace: &[Pace], params: &Params) -> Vec<Run> {
    let extent = params.search.run_extent_m.get();
    let longest = params.search.run_h.millis();
    let observed = params.motion.observed_leg_min.millis();
    let mut runs = Vec::new();
    let mut i = 0;
    while i < pace.len() {
        if pace[i] < Pace::Paced {
            i += 1;
            continue;
        }
        let first = i;
        let (mut lo, mut hi) = (points[i], points[i]);
        let mut plain = true;
        while i < pace.len() && pace[i] >= Pace::Paced {
            let next = points[i + 1];
            let (mut lo2, mut hi2) = (lo, hi);
            for k in 0..3 {
                lo2[k] = lo2[k].min(next[k]);
                hi2[k] = hi2[k].max(next[k]);
            }
            let fits = (0..3).all(|k| hi2[k] - lo2[k] <= extent) && fixes[i + 1].t_ms - fixes[first].t_ms <= longest;
            if !fits && i > first {
                break;
            }
            (lo, hi) = (lo2, hi2);
            plain &= is_plain(fixes, pace, i, observed);
            i += 1;
        }
        runs.push(Run {
            track: index,
            first: first as u32,
            last: i as u32,
            t0_ms: fixes[first].t_ms,
            t1_ms: fixes[i].t_ms,
            extent: Extent::outward(lo, hi),
            plain,
        });
    }
    runs
}
