//! What a meeting was like: medians and scatters that a state can carry over midnight.
//!
//! Taken at fixed moments (whole multiples of the sampling step since 1970), counted and summed in integers, so that neither
//! a cut of the files nor the order of summing can move a figure.

use crate::detect::motion::{self, Legs, Stated};
use crate::detect::pairs::Moving;
use crate::model::fix::NULL_U16;
use crate::model::{Fix, Params};
use crate::spatial::geodesy::{self, Vec3};
use crate::spatial::hull::{self, Laid};
use crate::units::METRES_PER_NM;
use std::cmp::Ordering;
use std::sync::{LazyLock, OnceLock};

/// A histogram of equal bins that holds only what occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Histogram {
    /// (bin, count), by bin.
    pub bins: Vec<(u32, u32)>,
}

impl Histogram {
    /// Counts one value.
    pub fn add(&mut self, bin: u32) {
        match self.bins.binary_search_by_key(&bin, |b| b.0) {
            Ok(k) => self.bins[k].1 += 1,
            Err(k) => self.bins.insert(k, (bin, 1)),
        }
    }
    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        for &(bin, n) in &other.bins {
            match self.bins.binary_search_by_key(&bin, |b| b.0) {
                Ok(k) => self.bins[k].1 += n,
                Err(k) => self.bins.insert(k, (bin, n)),
            }
        }
    }
    /// How many values.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|b| u64::from(b.1)).sum()
    }
    /// The quantile in units of the bin width, interpolated inside its bin; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let wanted = q * self.count() as f64;
        let mut below = 0.0;
        for &(bin, n) in &self.bins {
            let n = f64::from(n);
            if below + n >= wanted && n > 0.0 {
                return Some(f64::from(bin) + ((wanted - below) / n).clamp(0.0, 1.0));
            }
            below += n;
        }
        self.bins.last().map(|b| f64::from(b.0) + 1.0)
    }
}

/// Count, sums and sum of squares of plane vectors, in centimetres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moments {
    /// How many.
    pub n: i64,
    /// Sum of the first axis.
    pub x: i64,
    /// Sum of the second axis.
    pub y: i64,
    /// Sum of the squares of both.
    pub sq: i128,
}

/// The nearest whole number, halves away from zero; without the call that `round` is where the processor's own is not assumed.
#[inline]
fn nearest(v: f64) -> i64 {
    (v + 0.5f64.copysign(v)) as i64
}

impl Moments {
    #[inline]
    fn add(&mut self, (x, y): (i64, i64)) {
        self.n += 1;
        self.x += x;
        self.y += y;
        self.sq += i128::from(x * x + y * y);
    }
    fn merge(&mut self, o: &Self) {
        self.n += o.n;
        self.x += o.x;
        self.y += o.y;
        self.sq += o.sq;
    }
    /// Standard deviation over both axes, in metres; infinite, as nothing is known of it, for fewer than two.
    pub fn scatter_m(&self) -> f64 {
        if self.n < 2 {
            return f64::INFINITY;
        }
        let n = i128::from(self.n);
        let (x, y) = (i128::from(self.x), i128::from(self.y));
        let spread = (n * self.sq - x * x - y * y).max(0);
        (spread as f64).sqrt() / self.n as f64 / 100.0
    }
}

/// Everything sampled over one meeting.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stats {
    /// Separation, bins of 5 m.
    pub separation: Histogram,
    /// Speed of each, bins of 0.1 kn.
    pub speed: [Histogram; 2],
    /// Relative speed, bins of 0.1 kn.
    pub relative: Histogram,
    /// Heading of each, bins of 5 degrees.
    pub heading: [Histogram; 2],
    /// Heading difference folded to 0..90 degrees, bins of 5 degrees.
    pub difference: Histogram,
    /// Metres between the hulls, with port and starboard as sent and exchanged: bin 0 is an overlap, others are of 1 m.
    pub hull_gap: [Histogram; 2],
    /// Smallest separation in millimetres.
    pub min_mm: Option<i64>,
    /// Position of each ship, east and north of the origin, while they were in step; so too all that follows.
    pub place: [Moments; 2],
    /// Sum of the scalar products of the two positions, in square centimetres: with `place` it gives the moments of the pair's
    /// middle and of the vector between the ships exactly.
    pub cross: i128,
    /// Vector from ship 1 to ship 2 in the heading frame of ship 1, then of ship 2.
    pub framed: [Moments; 2],
    /// Origin of the planes: position of ship 1 at the first sample, (lat, lon) in 1e-7 degree.
    pub origin_e7: Option<(i32, i32)>,
    /// Samples at night.
    pub night: u32,
    /// Samples with ship 1, ship 2 and both made fast to the ground.
    pub still: [u32; 3],
}

/// Sine and cosine of whole degrees.
static HEADING: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| (0..360).map(|d| f64::from(d).to_radians()).map(|r| (libm::sin(r), libm::cos(r))).collect());

/// When to sample, and what counts as lying together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Milliseconds from moment to moment.
    pub step_ms: i64,
    /// Longest leg; a longer one is a hole.
    pub longest_leg_ms: i64,
    /// Greatest relative speed of two ships in step, metres a millisecond, squared.
    pub in_step2: f64,
}

impl Sampling {
    /// From the parameters.
    pub fn new(params: &Params) -> Self {
        let in_step = params.rendezvous.paced_relative_kn.metres_per_second() / 1000.0;
        let step_ms = i64::from(params.rendezvous.sample_s.max(1)) * 1000;
        Self { step_ms, longest_leg_ms: params.motion.longest_leg_min.millis(), in_step2: in_step * in_step }
    }
}

/// Counts of a histogram in the making, dense over the bins that occur; what lies beyond goes to the histogram at once.
struct Dense<const N: usize>([u32; N]);

impl<const N: usize> Dense<N> {
    #[inline]
    fn add(&mut self, bin: u32, beyond: &mut Histogram) {
        match self.0.get_mut(bin as usize) {
            Some(n) => *n += 1,
            None => beyond.add(bin),
        }
    }
    fn into_histogram(self, histogram: &mut Histogram) {
        // Almost all bins are empty: eight at a time.
        let eights = self.0.chunks(8).enumerate().filter(|(_, eight)| eight.iter().fold(0, |any, n| any | n) > 0);
        let bins = eights.flat_map(|(k, eight)| eight.iter().enumerate().map(move |(bin, n)| ((k * 8 + bin) as u32, *n)));
        let counted = bins.filter(|(_, n)| *n > 0);
        if histogram.bins.is_empty() {
            histogram.bins.extend(counted);
        } else {
            histogram.merge(&Histogram { bins: counted.collect() });
        }
    }
}

impl Stats {
    /// Adds what another counted; origins must agree, or one be empty.
    pub fn merge(&mut self, other: &Self) {
        self.separation.merge(&other.separation);
        self.relative.merge(&other.relative);
        self.difference.merge(&other.difference);
        for k in 0..2 {
            self.speed[k].merge(&other.speed[k]);
            self.heading[k].merge(&other.heading[k]);
            self.place[k].merge(&other.place[k]);
            self.framed[k].merge(&other.framed[k]);
            self.hull_gap[k].merge(&other.hull_gap[k]);
        }
        self.cross += other.cross;
        self.min_mm = [self.min_mm, other.min_mm].into_iter().flatten().min();
        self.origin_e7 = self.origin_e7.or(other.origin_e7);
        self.night += other.night;
        (0..3).for_each(|k| self.still[k] += other.still[k]);
    }

    /// Samples the pair over `from..=to` at the moments that the rules name.
    pub fn sample(&mut self, a: Moving, b: Moving, from: i64, to: i64, rules: Sampling) {
        let step_ms = rules.step_ms;
        let steps = (from.div_euclid(step_ms) + i64::from(from.rem_euclid(step_ms) > 0), to.div_euclid(step_ms));
        let samples = [a, b].map(|ship| ship.samples(rules));
        self.count_pair([a.legs, b.legs], samples, steps, rules);
    }

    /// The pair at one moment.
    pub fn at(a: Moving, b: Moving, t_ms: i64, rules: Sampling) -> Self {
        let rules = Sampling { step_ms: 1, ..rules };
        let samples = [a, b].map(|ship| Samples::along(ship.fixes, &ship.legs.points, (t_ms, t_ms), rules));
        let mut stats = Self::default();
        stats.count_pair([a.legs, b.legs], [&samples[0], &samples[1]], (t_ms, t_ms), rules);
        stats
    }

    /// Counts both ships from one step to another, as far as both have samples.
    fn count_pair(&mut self, ships: [&Legs; 2], [a, b]: [&Samples; 2], (first, last): (i64, i64), rules: Sampling) {
        let (first, last) = (first.max(a.first).max(b.first), last.min(a.last()).min(b.last()));
        self.count(a.between(first, last), b.between(first, last), rules);
        if ships.iter().all(|ship| ship.stated.iter().any(|s| s.hull.is_some())) {
            let [one, two] = [(a, ships[0]), (b, ships[1])].map(|(s, ship)| s.part(s.laid(&ship.stated, rules.step_ms), first, last));
            let [places, others] = [a, b].map(|s| s.between(first, last).iter().map(|p| p.place));
            for ((one, at_one), (two, at_two)) in one.iter().zip(places).zip(two.iter().zip(others)) {
                if let (Some(one), Some(two)) = (one, two) {
                    for (gaps, metres) in self.hull_gap.iter_mut().zip(hull::gaps_m([one, two], [at_one, at_two])) {
                        gaps.add(metres.ceil() as u32);
                    }
                }
            }
        }
    }

    /// Median gap between the hulls in metres, with port and starboard as sent and exchanged; `None` where it is known of fewer than
    /// half of the samples.
    pub fn hull_gap_m(&self) -> Option<[f64; 2]> {
        let [sent, exchanged] = &self.hull_gap;
        let metres = |gaps: &Histogram| Some((gaps.quantile(0.5)? - 1.0).max(0.0));
        if sent.count() * 2 < self.separation.count() { None } else { Some([metres(sent)?, metres(exchanged)?]) }
    }

    /// Counts both ships at the same moments.
    fn count(&mut self, a: &[Sample], b: &[Sample], rules: Sampling) {
        let Some(head) = a.first() else { return };
        let origin = *self.origin_e7.get_or_insert_with(|| geodesy::position_e7(head.place));
        let origin = geodesy::point(origin.0, origin.1);
        let (east, north) = geodesy::east_north(origin);
        let mut separation_bins = Dense([0; 160]);
        let mut relative_bins = Dense([0; 128]);
        let mut speed_bins = [Dense([0; 128]), Dense([0; 128])];
        let mut heading_bins = [Dense([0; 72]), Dense([0; 72])];
        let mut difference_bins = Dense([0; 19]);
        for (pa, pb) in a.iter().zip(b) {
            let r = geodesy::sub(pb.place, pa.place);
            let separation = geodesy::dot(r, r).sqrt();
            separation_bins.add((separation / 5.0) as u32, &mut self.separation);
            let mm = nearest(separation * 1000.0);
            self.min_mm = Some(self.min_mm.map_or(mm, |m| m.min(mm)));
            for (k, p) in [pa, pb].into_iter().enumerate() {
                speed_bins[k].add(u32::from(p.speed_dkn), &mut self.speed[k]);
            }
            self.night += u32::from(pa.night);
            for (n, still) in self.still.iter_mut().zip([pa.still, pb.still, pa.still && pb.still]) {
                *n += u32::from(still);
            }
            let relative = geodesy::sub(pb.velocity, pa.velocity);
            relative_bins.add(tenths_of_knot(relative), &mut self.relative);
            // Coming and going is not lying together: of that only the histograms tell.
            if geodesy::dot(relative, relative) > rules.in_step2 {
                continue;
            }
            let on_plane = |p: &Sample| {
                let d = geodesy::sub(p.place, origin);
                (nearest(geodesy::dot(d, east) * 100.0), nearest(geodesy::dot(d, north) * 100.0))
            };
            let (at_a, at_b) = (on_plane(pa), on_plane(pb));
            self.place[0].add(at_a);
            self.place[1].add(at_b);
            self.cross += i128::from(at_a.0 * at_b.0 + at_a.1 * at_b.1);
            let (e, n) = ((at_b.0 - at_a.0) as f64, (at_b.1 - at_a.1) as f64);
            for (k, p) in [pa, pb].into_iter().enumerate() {
                if p.heading_deg != NULL_U16 {
                    let (s, c) = HEADING[usize::from(p.heading_deg)];
                    self.framed[k].add((nearest(n * c + e * s), nearest(e * c - n * s)));
                    heading_bins[k].add(u32::from(p.heading_deg) / 5, &mut self.heading[k]);
                }
            }
            if pa.heading_deg != NULL_U16 && pb.heading_deg != NULL_U16 {
                let d = (u32::from(pa.heading_deg) + 360 - u32::from(pb.heading_deg)) % 180;
                difference_bins.add(d.min(180 - d) / 5, &mut self.difference);
            }
        }
        separation_bins.into_histogram(&mut self.separation);
        relative_bins.into_histogram(&mut self.relative);
        difference_bins.into_histogram(&mut self.difference);
        for (k, (speed, heading)) in speed_bins.into_iter().zip(heading_bins).enumerate() {
            speed.into_histogram(&mut self.speed[k]);
            heading.into_histogram(&mut self.heading[k]);
        }
    }

    /// How many moments were sampled.
    pub fn samples(&self) -> i64 {
        self.separation.count() as i64
    }

    /// How many of them found the ships in step.
    fn in_step(&self) -> i64 {
        self.place[0].n
    }

    /// Moments of the second position plus (`sign` 1) or minus (-1) the first.
    fn pair(&self, sign: i64) -> Moments {
        let [a, b] = &self.place;
        Moments { n: a.n, x: b.x + sign * a.x, y: b.y + sign * a.y, sq: a.sq + b.sq + 2 * i128::from(sign) * self.cross }
    }

    /// Scatter of the middle between the ships, in metres.
    pub fn middle_scatter_m(&self) -> f64 {
        self.pair(1).scatter_m() / 2.0
    }

    /// Mean of the middle between the ships, metres east and north of the origin; 0 without a sample.
    pub fn middle_m(&self) -> (f64, f64) {
        let (sum, n) = (self.pair(1), (self.in_step() * 200).max(1) as f64);
        (sum.x as f64 / n, sum.y as f64 / n)
    }

    /// Arc that a ship's headings covered, in degrees: the circle less its widest empty stretch.
    pub fn heading_arc_deg(&self, ship: usize) -> Option<f64> {
        let bins = &self.heading[ship].bins;
        let (first, last) = (bins.first()?.0, bins.last()?.0);
        let mut widest = first + 72 - last;
        for pair in bins.windows(2) {
            widest = widest.max(pair[1].0 - pair[0].0);
        }
        Some(f64::from(72 - widest.min(72)) * 5.0)
    }

    /// How far the pair's headings turned, in degrees; `None` where neither sent a heading at nine of ten samples.
    pub fn turned_deg(&self) -> Option<f64> {
        (0..2).filter(|k| self.sent_heading(*k)).filter_map(|k| self.heading_arc_deg(k)).reduce(f64::max)
    }

    fn sent_heading(&self, ship: usize) -> bool {
        self.framed[ship].n * 10 >= self.in_step() * 9 && self.in_step() > 0
    }

    /// Least scatter of the vector between the ships, in metres. Where the pair turned, the vector is taken in the heading frame
    /// of either ship: two neighbours that swing about their own anchors keep it in the map's frame, two ships made fast in theirs.
    pub fn vector_scatter_m(&self) -> f64 {
        let turned = self.turned_deg().is_some_and(|t| t >= 10.0);
        let framed = (0..2).filter(|&k| self.sent_heading(k)).map(|k| self.framed[k].scatter_m());
        let mapped = (!turned).then(|| self.pair(-1).scatter_m());
        framed.chain(mapped).fold(f64::INFINITY, f64::min)
    }

    /// 1 for two ships made fast, 0 for two that move each for itself. `None` where the pair moved less than 30 m, or turned less
    /// than 10 degrees and drifted less than 200 m; and where no heading tells whether it turned, unless it drifted a kilometre.
    ///
    /// Taken over the moments in step; ships that were in step for less than half of the time did not move as one.
    /// Two ships that move independently scatter the vector between them twice as much as their middle.
    pub fn moved_as_one(&self) -> Option<f64> {
        let motion = self.middle_scatter_m();
        // A scatter s over both axes of a straight drift is its length over the square root of 12.
        let drift = motion * 12f64.sqrt();
        let enough = match self.turned_deg() {
            Some(turned) => drift >= 30.0 && (turned >= 10.0 || drift >= 200.0),
            None => drift >= 1000.0,
        };
        let vector = self.vector_scatter_m();
        let seldom = self.in_step() * 2 < self.samples();
        (enough && vector.is_finite()).then(|| if seldom { 0.0 } else { (1.0 - vector / (2.0 * motion)).clamp(0.0, 1.0) })
    }
}

/// A ship at a sampling moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    place: Vec3,
    /// Metres a millisecond, on the leg; at a fix between equal legs the mean of both.
    velocity: Vec3,
    /// Tenths of a knot.
    speed_dkn: u16,
    /// Of the nearer fix; [`NULL_U16`] where it sent none.
    heading_deg: u16,
    /// Between 18:00 and 06:00 local solar time.
    night: bool,
    /// On a leg too long to be one: nobody knows where she was.
    hole: bool,
    /// Made fast to the ground, as far as the half hour to either side tells.
    still: bool,
}

/// A ship at every whole multiple of the sampling step in a window, between its first fix and its last. Many pairs share a ship.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    first: i64,
    list: Vec<Sample>,
    /// The hull at every sample, worked out when first asked for.
    laid: OnceLock<Vec<Option<Laid>>>,
}

/// Time to either side over which a ship must not have moved to be still.
const STILL_MS: i64 = 30 * 60_000;
/// Positions within this of each other are one: a quay gives 1 to 5 m of scatter, in two axes, twice.
const STILL_M: f64 = 12.0;

/// Whether four in five of the positions up to `reach` samples away lie within [`STILL_M`], and no heading there differs by more
/// than 5 degrees: a ship at anchor swings and yaws, one at a quay does neither.
fn is_still(list: &[Sample], k: usize, reach: usize) -> bool {
    let here = &list[k];
    // Not across a hole: what was not seen did not stay.
    let seen = |s: &&Sample| !s.hole;
    let before = list[k.saturating_sub(reach)..k].iter().rev().take_while(seen).count();
    let after = list[k + 1..(k + 1 + reach).min(list.len())].iter().take_while(seen).count();
    let around = &list[k - before..=k + after];
    let allowed = around.len() / 5;
    let mut strayed = 0;
    for s in around {
        let way = geodesy::sub(s.place, here.place);
        strayed += usize::from(geodesy::dot(way, way) > STILL_M * STILL_M);
        if here.heading_deg != NULL_U16 && s.heading_deg != NULL_U16 {
            let turned = here.heading_deg.abs_diff(s.heading_deg);
            strayed += usize::from(turned.min(360 - turned) > 5);
        }
        if strayed > allowed {
            return false;
        }
    }
    true
}

fn tenths_of_knot(v: Vec3) -> u32 {
    (geodesy::dot(v, v).sqrt() * (3_600_000.0 / METRES_PER_NM * 10.0)) as u32
}

impl Samples {
    /// Every moment to sample in a window, and as far around it as tells who is still; `points` are those of the fixes.
    pub fn of(fixes: &[Fix], points: &[Vec3], window: (i64, i64), rules: Sampling) -> Self {
        let step_ms = rules.step_ms;
        let (Some(begin), Some(end)) = (fixes.first(), fixes.last()) else { return Self::default() };
        let (begin, end) = (begin.t_ms.max(window.0.saturating_sub(STILL_MS)), end.t_ms.min(window.1.saturating_add(STILL_MS)));
        let first = begin.div_euclid(step_ms) + i64::from(begin.rem_euclid(step_ms) > 0);
        let mut samples = Self::along(fixes, points, (first, end.div_euclid(step_ms)), rules);
        let reach = (STILL_MS / step_ms.max(1)) as usize;
        let still: Vec<bool> = (0..samples.list.len()).map(|k| is_still(&samples.list, k, reach)).collect();
        for (sample, still) in samples.list.iter_mut().zip(still) {
            sample.still = still;
        }
        samples
    }

    /// The multiples `first..=last` of the step, which must lie on the track.
    fn along(fixes: &[Fix], points: &[Vec3], (first, last): (i64, i64), rules: Sampling) -> Self {
        let step_ms = rules.step_ms;
        let mut list = Vec::with_capacity((last - first + 1).max(0) as usize);
        let mut leg = fixes.partition_point(|f| f.t_ms < first * step_ms).max(1) - 1;
        for t in (first..=last).map(|k| k * step_ms) {
            while leg + 2 < fixes.len() && fixes[leg + 1].t_ms < t {
                leg += 1;
            }
            // Where two legs meet, the shorter tells the speed; a hole tells none, and of equal ones neither more than the other.
            let mut as_long = None;
            if let [f, g, h, ..] = &fixes[leg..]
                && g.t_ms == t
            {
                match (h.t_ms - t).cmp(&(t - f.t_ms)) {
                    Ordering::Less => leg += 1,
                    Ordering::Equal => as_long = Some(geodesy::sub(points[leg + 2], points[leg]).map(|v| v / (h.t_ms - f.t_ms) as f64)),
                    Ordering::Greater => {}
                }
            }
            let next = (leg + 1).min(fixes.len() - 1);
            let (f, g, p, q) = (&fixes[leg], &fixes[next], points[leg], points[next]);
            let dt = (g.t_ms - f.t_ms).max(1) as f64;
            let velocity = as_long.unwrap_or_else(|| geodesy::sub(q, p).map(|v| v / dt));
            let nearer = if t - f.t_ms <= g.t_ms - t { f } else { g };
            let solar = (t + i64::from(f.lon_e7) * 24 / 1000).rem_euclid(86_400_000);
            list.push(Sample {
                place: motion::on_leg((f.t_ms, p), (g.t_ms, q), t),
                velocity,
                speed_dkn: tenths_of_knot(velocity).min(u32::from(u16::MAX)) as u16,
                heading_deg: if nearer.heading_deg < 360 { nearer.heading_deg } else { NULL_U16 },
                night: !(21_600_000..64_800_000).contains(&solar),
                hole: as_long.is_none() && g.t_ms - f.t_ms > rules.longest_leg_ms,
                still: false,
            });
        }
        Self { first, list, laid: OnceLock::new() }
    }
    /// The hull at every sample: where the ship had said by then where its antenna stands, and the nearest fix has a heading.
    fn laid(&self, stated: &[Stated], step_ms: i64) -> &[Option<Laid>] {
        self.laid.get_or_init(|| {
            let (mut t_ms, mut later) = (self.first * step_ms, stated.iter().peekable());
            let mut hull = None;
            let laid = |sample: &Sample| {
                while let Some(next) = later.next_if(|s| s.from_ms <= t_ms) {
                    hull = next.hull;
                }
                t_ms += step_ms;
                let heading = HEADING.get(usize::from(sample.heading_deg))?;
                Some(Laid::new(hull?, sample.place, *heading))
            };
            self.list.iter().map(laid).collect()
        })
    }
    fn last(&self) -> i64 {
        self.first + self.list.len() as i64 - 1
    }
    fn between(&self, first: i64, last: i64) -> &[Sample] {
        self.part(&self.list, first, last)
    }
    /// What belongs to the samples `first..=last` in a list of something of all.
    fn part<'a, T>(&self, list: &'a [T], first: i64, last: i64) -> &'a [T] {
        let (from, to) = ((first - self.first).max(0) as usize, (last + 1 - self.first).max(0) as usize);
        list.get(from..to.min(list.len())).unwrap_or(&[])
    }
}
