//! When two ships were near each other and slow together, exactly.
//!
//! *In*: two runs that the index found near each other. *Out*: [`Piece`]s, the qualifying times. On two legs the vector
//! between the ships is linear in time, so the times within a distance are one interval in closed form: no time grid.

use crate::detect::motion::{self, BLOCKS, Extent, Legs, Pace, Run};
use crate::detect::stats::{Samples, Sampling};
use crate::model::{Fix, Params, Track};
use crate::spatial::geodesy::{self, Vec3};

/// A time during which two ships were within the leaving distance and slow together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Begin, UTC milliseconds.
    pub t0_ms: i64,
    /// End.
    pub t1_ms: i64,
    /// First and last moment within the entering distance.
    pub enter_ms: Option<(i64, i64)>,
    /// Both ships on legs short enough to count as observed.
    pub observed: bool,
}

/// A track with its legs, as the exact tests need it.
#[derive(Clone, Copy)]
pub struct Moving<'a> {
    /// All that is known of it.
    pub track: &'a Track,
    /// Its paces about the window.
    pub legs: &'a Legs,
    /// Its fixes there.
    pub fixes: &'a [Fix],
    /// Begin and end of the window.
    window: (i64, i64),
}

impl<'a> Moving<'a> {
    /// A track with its own legs about a window.
    pub fn new(track: &'a Track, legs: &'a Legs, window: (i64, i64)) -> Self {
        Self { track, legs, fixes: &track.fixes[legs.of()], window }
    }

    /// The ship at every sampling moment of the window.
    pub fn samples(&self, rules: Sampling) -> &'a Samples {
        self.legs.samples(self.fixes, self.window, rules)
    }

    /// Where the leg from a fix of the track to the next begins and ends, also where the window is far.
    pub fn leg(&self, k: usize) -> [(i64, Vec3); 2] {
        [k, k + 1].map(|k| {
            let fix = &self.track.fixes[k];
            let known = k.checked_sub(self.legs.of().start).and_then(|k| self.legs.points.get(k));
            (fix.t_ms, known.copied().unwrap_or_else(|| motion::point_of(fix)))
        })
    }
}

/// Distances and speeds of the rules, prepared: metres of chord, metres a millisecond.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    enter: f64,
    leave: f64,
    relative: f64,
    half_window_ms: i64,
    observed_leg_ms: i64,
    longest_leg_ms: i64,
}

impl Rules {
    /// `plain`: both stretches drift and are observed throughout.
    #[inline]
    fn settle(&self, a: &Extent, b: &Extent, plain: bool) -> Settled {
        let (near2, far2) = a.distances2(b);
        let (enter2, leave2) = (self.enter * self.enter, self.leave * self.leave);
        if near2 > leave2 {
            Settled::Apart
        } else if plain && (far2 <= enter2 || near2 > enter2 && far2 <= leave2) {
            Settled::Together { entered: far2 <= enter2 }
        } else {
            Settled::No
        }
    }

    /// Whether the boxes of two runs allow a moment within the entering distance.
    pub fn may_enter(&self, a: &Run, b: &Run) -> bool {
        a.extent.distances2(&b.extent).0 <= self.enter * self.enter
    }

    /// From the parameters.
    pub fn new(params: &Params) -> Self {
        Self {
            enter: geodesy::chord_of_arc(params.rendezvous.enter_m.get()),
            leave: geodesy::chord_of_arc(params.rendezvous.leave_m.get().max(params.rendezvous.enter_m.get())),
            relative: params.rendezvous.paced_relative_kn.metres_per_second() / 1000.0,
            half_window_ms: params.motion.speed_window_min.millis(),
            observed_leg_ms: params.motion.observed_leg_min.millis(),
            longest_leg_ms: params.motion.longest_leg_min.millis(),
        }
    }
}

/// The part of `[0, 1]` in which `|r0 + w s|` is at most `d`.
pub fn within(r0: Vec3, w: Vec3, d: f64) -> Option<(f64, f64)> {
    let (a, b, c) = (geodesy::dot(w, w), geodesy::dot(r0, w), geodesy::dot(r0, r0) - d * d);
    if a < 1e-12 {
        return (c <= 0.0).then_some((0.0, 1.0));
    }
    let root = b * b - a * c;
    if root < 0.0 {
        return None;
    }
    let root = root.sqrt();
    let (lo, hi) = (((-b - root) / a).max(0.0), ((-b + root) / a).min(1.0));
    (lo <= hi).then_some((lo, hi))
}

/// Adds the qualifying pieces of two runs to `out`, in time order, cut to `window`. Adjoining pieces are joined where both
/// are observed or both are not.
pub fn pieces(a: Moving, run_a: &Run, b: Moving, run_b: &Run, rules: &Rules, window: (i64, i64), out: &mut Vec<Piece>) -> u64 {
    let t0 = run_a.t0_ms.max(run_b.t0_ms).max(window.0);
    let t1 = run_a.t1_ms.min(run_b.t1_ms).min(window.1);
    if t0 >= t1 {
        return 0;
    }
    match rules.settle(&run_a.extent, &run_b.extent, run_a.plain && run_b.plain) {
        Settled::Apart => 0,
        Settled::Together { entered } => {
            push(out, Piece { t0_ms: t0, t1_ms: t1, enter_ms: entered.then_some((t0, t1)), observed: true });
            0
        }
        Settled::No => exact(a, run_a, b, run_b, rules, (t0, t1), out),
    }
}

/// What the boxes of two stretches say of their ships.
enum Settled {
    /// Never within the leaving distance.
    Apart,
    /// Always within it, and either always or never within the entering distance.
    Together {
        /// Which.
        entered: bool,
    },
    /// Nothing.
    No,
}

/// Walks along both runs, block on block and, where boxes do not settle it, leg on leg.
fn exact(a: Moving, run_a: &Run, b: Moving, run_b: &Run, rules: &Rules, (t0, t1): (i64, i64), out: &mut Vec<Piece>) -> u64 {
    let (fa, fb) = (a.fixes, b.fixes);
    // The last leg that begins at or before t0.
    let seek = |fixes: &[Fix], run: &Run| {
        let (first, last) = (run.first as usize, run.last as usize);
        if run.t0_ms == t0 {
            return first;
        }
        let k = fixes[first..=last].partition_point(|f| f.t_ms <= t0);
        (first + k.max(1) - 1).min(last - 1)
    };
    let (last_a, last_b) = (run_a.last as usize, run_b.last as usize);
    let (mut i, mut j) = (seek(fa, run_a), seek(fb, run_b));
    let (qa, qb) = (&a.legs.points, &b.legs.points);
    let (leave2, enter2) = (rules.leave * rules.leave, rules.enter * rules.enter);
    let mut tests = 0;
    // The vector between the ships at a moment, which the end of one overlap and the begin of the next share.
    let mut known: Option<(i64, Vec3)> = None;
    // By size of block, those that are known to settle nothing.
    let mut open = [(usize::MAX, usize::MAX); BLOCKS.len()];
    'walk: while i < last_a && j < last_b && fa[i].t_ms.max(fb[j].t_ms) <= t1 {
        for (level, size) in BLOCKS.into_iter().enumerate() {
            let blocks = (i / size, j / size);
            if blocks == open[level] {
                continue;
            }
            let (x, y) = (&a.legs.blocks[level][blocks.0], &b.legs.blocks[level][blocks.1]);
            let settled = rules.settle(&x.extent, &y.extent, x.plain && y.plain);
            if matches!(settled, Settled::No) {
                open[level] = blocks;
                continue;
            }
            let (to_a, to_b) = ((blocks.0 * size + size).min(last_a), (blocks.1 * size + size).min(last_b));
            let end = fa[to_a].t_ms.min(fb[to_b].t_ms);
            if let Settled::Together { entered } = settled {
                let (x, y) = (fa[i].t_ms.max(fb[j].t_ms).max(t0), end.min(t1));
                if x <= y {
                    push(out, Piece { t0_ms: x, t1_ms: y, enter_ms: entered.then_some((x, y)), observed: true });
                }
            }
            // One of the two is at its end.
            i = if fa[to_a].t_ms == end { to_a } else { i + fa[i + 1..=to_a].partition_point(|f| f.t_ms <= end) };
            j = if fb[to_b].t_ms == end { to_b } else { j + fb[j + 1..=to_b].partition_point(|f| f.t_ms <= end) };
            continue 'walk;
        }
        let (a0, a1, b0, b1) = (fa[i].t_ms, fa[i + 1].t_ms, fb[j].t_ms, fb[j + 1].t_ms);
        // The whole overlap of the two legs, uncut, so that a window's edge never moves a root.
        let (s0, s1) = (a0.max(b0), a1.min(b1));
        if s1 >= t0 && s0 <= s1 {
            tests += 1;
            let at = |t: i64| geodesy::sub(motion::on_leg((b0, qb[j]), (b1, qb[j + 1]), t), motion::on_leg((a0, qa[i]), (a1, qa[i + 1]), t));
            let begin = known.filter(|k| k.0 == s0).map_or_else(|| at(s0), |k| k.1);
            let end = at(s1);
            known = Some((s1, end));
            // The distance to a point on a straight way is convex: what holds at both ends holds between them.
            let (d0, d1) = (geodesy::dot(begin, begin), geodesy::dot(end, end));
            let stay = |d: f64, d2: f64| if d0 <= d2 && d1 <= d2 { Some((0.0, 1.0)) } else { within(begin, geodesy::sub(end, begin), d) };
            if let Some(left) = stay(rules.leave, leave2) {
                let drift = a.legs.pace[i] == Pace::Drift && b.legs.pace[j] == Pace::Drift;
                if drift || in_step(a, i, b, j, (s0, s1), rules) {
                    let when = |f: f64| if f == 1.0 { s1 } else { s0 + (f * (s1 - s0) as f64).round() as i64 };
                    let cut = |(x, y): (f64, f64)| {
                        let (x, y) = (when(x).max(t0), when(y).min(t1));
                        (x <= y).then_some((x, y))
                    };
                    if let Some((x, y)) = cut(left) {
                        let enter_ms = stay(rules.enter, enter2).and_then(cut);
                        let observed = a1 - a0 <= rules.observed_leg_ms && b1 - b0 <= rules.observed_leg_ms;
                        push(out, Piece { t0_ms: x, t1_ms: y, enter_ms, observed });
                    }
                }
            }
        }
        // Where both legs end at once both go on: legs that touch in one moment have no time in common.
        (i, j) = (i + usize::from(a1 <= b1), j + usize::from(b1 <= a1));
    }
    tests
}

fn push(out: &mut Vec<Piece>, piece: Piece) {
    if let Some(last) = out.last_mut()
        && last.observed == piece.observed
        && last.t1_ms == piece.t0_ms
    {
        last.t1_ms = piece.t1_ms;
        last.enter_ms = match (last.enter_ms, piece.enter_ms) {
            (Some(x), Some(y)) => Some((x.0.min(y.0), x.1.max(y.1))),
            (x, y) => x.or(y),
        };
        return;
    }
    out.push(piece);
}

/// Whether two ships on these legs go in step: their relative velocity over the common part of the speed window is low.
fn in_step(a: Moving, i: usize, b: Moving, j: usize, (s0, s1): (i64, i64), rules: &Rules) -> bool {
    let middle = (s0 + s1).div_euclid(2);
    let (mut from, mut to) = (middle - rules.half_window_ms, middle + rules.half_window_ms);
    for (m, k) in [(a, i), (b, j)] {
        let (x, y) = unbroken(m, k, from, to, rules.longest_leg_ms);
        (from, to) = (from.max(x), to.min(y));
    }
    if to <= from {
        return false;
    }
    let (a0, a1) = (position_near(a, i, from), position_near(a, i, to));
    let (b0, b1) = (position_near(b, j, from), position_near(b, j, to));
    let way = geodesy::sub(geodesy::sub(b1, a1), geodesy::sub(b0, a0));
    let limit = rules.relative * (to - from) as f64;
    geodesy::dot(way, way) <= limit * limit
}

/// The part of `from..to` about leg `k` in which the track has no hole.
fn unbroken(m: Moving, k: usize, from: i64, to: i64, longest_leg_ms: i64) -> (i64, i64) {
    let fixes = m.fixes;
    let (mut lo, mut hi) = (k, k + 1);
    while fixes[lo].t_ms > from && lo > 0 && fixes[lo].t_ms - fixes[lo - 1].t_ms <= longest_leg_ms {
        lo -= 1;
    }
    while fixes[hi].t_ms < to && hi + 1 < fixes.len() && fixes[hi + 1].t_ms - fixes[hi].t_ms <= longest_leg_ms {
        hi += 1;
    }
    (fixes[lo].t_ms, fixes[hi].t_ms)
}

/// Position at a time not far from leg `k`.
fn position_near(m: Moving, k: usize, t: i64) -> Vec3 {
    let fixes = m.fixes;
    let mut k = k;
    while k > 0 && fixes[k].t_ms > t {
        k -= 1;
    }
    while k + 2 < fixes.len() && fixes[k + 1].t_ms < t {
        k += 1;
    }
    let points = &m.legs.points;
    motion::on_leg((fixes[k].t_ms, points[k]), (fixes[k + 1].t_ms, points[k + 1]), t)
}

/// Whether what stands between two pieces is a flicker: both ships were observed there for `most_ms` at most, and came no farther
/// apart than `far_m`.
pub fn is_flicker(a: Moving, b: Moving, rules: &Rules, (from, to): (i64, i64), most_ms: i64, far_m: f64) -> bool {
    let (fa, fb) = (&a.track.fixes, &b.track.fixes);
    let seek = |fixes: &[Fix]| fixes.partition_point(|f| f.t_ms <= from).max(1) - 1;
    let (mut i, mut j) = (seek(fa), seek(fb));
    let mut seen_ms = 0;
    while i + 1 < fa.len() && j + 1 < fb.len() {
        let (a0, a1, b0, b1) = (fa[i].t_ms, fa[i + 1].t_ms, fb[j].t_ms, fb[j + 1].t_ms);
        let (s0, s1) = (a0.max(b0).max(from), a1.min(b1).min(to));
        if a0.max(b0) >= to {
            break;
        }
        if s0 < s1 && a1 - a0 <= rules.longest_leg_ms && b1 - b0 <= rules.longest_leg_ms {
            seen_ms += s1 - s0;
            if seen_ms > most_ms {
                return false;
            }
            let ([pa, qa], [pb, qb]) = (a.leg(i), b.leg(j));
            for t in [s0, s1] {
                let r = geodesy::sub(motion::on_leg(pb, qb, t), motion::on_leg(pa, qa, t));
                if geodesy::dot(r, r).sqrt() > far_m {
                    return false;
                }
            }
        }
        if a1 <= b1 { i += 1 } else { j += 1 }
    }
    true
}
