//! What a meeting was like: medians and scatters that a state can carry over midnight.
//!
//! Taken at fixed moments (whole multiples of the sampling step since 1970), counted and summed in integers, so that neither
//! a cut of the files nor the order of summing can move a figure.

use crate::detect::motion;
use crate::detect::pairs::Moving;
use crate::model::fix::NULL_U16;
use crate::spatial::geodesy::{self, Vec3};
use crate::units::METRES_PER_NM;
use std::sync::LazyLock;

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
    fn add(&mut self, x_m: f64, y_m: f64) {
        let (x, y) = (nearest(x_m * 100.0), nearest(y_m * 100.0));
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
    /// Standard deviation over both axes, in metres; 0 for fewer than two.
    pub fn scatter_m(&self) -> f64 {
        if self.n < 2 {
            return 0.0;
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
    /// Smallest separation in millimetres.
    pub min_mm: Option<i64>,
    /// Position of each ship, east and north of the origin.
    pub place: [Moments; 2],
    /// Middle of the pair.
    pub middle: Moments,
    /// Vector from ship 1 to ship 2: east and north, then in the heading frame of ship 1, then of ship 2.
    pub vector: [Moments; 3],
    /// Origin of the planes: position of ship 1 at the first sample, (lat, lon) in 1e-7 degree.
    pub origin_e7: Option<(i32, i32)>,
    /// Samples at night.
    pub night: u32,
}

/// Sine and cosine of whole degrees.
static HEADING: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| (0..360).map(|d| f64::from(d).to_radians()).map(|r| (libm::sin(r), libm::cos(r))).collect());

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
        }
        for k in 0..3 {
            self.vector[k].merge(&other.vector[k]);
        }
        self.middle.merge(&other.middle);
        self.min_mm = [self.min_mm, other.min_mm].into_iter().flatten().min();
        self.origin_e7 = self.origin_e7.or(other.origin_e7);
        self.night += other.night;
    }

    /// Samples the pair over `from..=to` at whole multiples of `step_ms`.
    pub fn sample(&mut self, a: Moving, b: Moving, from: i64, to: i64, step_ms: i64) {
        let mut t = from + (step_ms - from.rem_euclid(step_ms)) % step_ms;
        if t > to {
            return;
        }
        let (mut ca, mut cb) = (Cursor::seek(a, t), Cursor::seek(b, t));
        let mut plane: Option<(Vec3, Vec3, Vec3)> = None;
        while t <= to {
            let (Some(pa), Some(pb)) = (ca.at(t), cb.at(t)) else {
                t += step_ms;
                continue;
            };
            let (origin, east, north) = *plane.get_or_insert_with(|| {
                let origin = self.origin_e7.get_or_insert_with(|| geodesy::position_e7(pa.place));
                let origin = geodesy::point(origin.0, origin.1);
                let (east, north) = geodesy::east_north(origin);
                (origin, east, north)
            });
            let r = geodesy::sub(pb.place, pa.place);
            let separation = geodesy::dot(r, r).sqrt();
            self.separation.add((separation / 5.0) as u32);
            let mm = nearest(separation * 1000.0);
            self.min_mm = Some(self.min_mm.map_or(mm, |m| m.min(mm)));
            let knots = |v: Vec3| (geodesy::dot(v, v).sqrt() * 3_600_000.0 / METRES_PER_NM * 10.0) as u32;
            self.speed[0].add(knots(pa.velocity));
            self.speed[1].add(knots(pb.velocity));
            self.relative.add(knots(geodesy::sub(pb.velocity, pa.velocity)));
            let on_plane = |p: Vec3| {
                let d = geodesy::sub(p, origin);
                (geodesy::dot(d, east), geodesy::dot(d, north))
            };
            let (a_plane, b_plane) = (on_plane(pa.place), on_plane(pb.place));
            self.place[0].add(a_plane.0, a_plane.1);
            self.place[1].add(b_plane.0, b_plane.1);
            self.middle.add((a_plane.0 + b_plane.0) / 2.0, (a_plane.1 + b_plane.1) / 2.0);
            let (e, n) = (b_plane.0 - a_plane.0, b_plane.1 - a_plane.1);
            self.vector[0].add(e, n);
            for (k, heading) in [pa.heading, pb.heading].into_iter().enumerate() {
                if let Some(h) = heading {
                    let (s, c) = HEADING[usize::from(h)];
                    self.vector[k + 1].add(n * c + e * s, e * c - n * s);
                    self.heading[k].add(u32::from(h) / 5);
                }
            }
            if let (Some(x), Some(y)) = (pa.heading, pb.heading) {
                let d = (u32::from(x) + 360 - u32::from(y)) % 180;
                self.difference.add(d.min(180 - d) / 5);
            }
            let solar = (t + i64::from(ca.lon_e7()) * 24 / 1000).rem_euclid(86_400_000);
            self.night += u32::from(!(21_600_000..64_800_000).contains(&solar));
            t += step_ms;
        }
    }

    /// How many moments were sampled.
    pub fn samples(&self) -> i64 {
        self.middle.n
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
        self.vector[ship + 1].n * 10 >= self.vector[0].n * 9 && self.vector[0].n > 0
    }

    /// Least scatter of the vector between the ships, in metres. Where the pair turned, the vector is taken in the heading frame
    /// of either ship: two neighbours that swing about their own anchors keep it in the map's frame, two ships made fast in theirs.
    pub fn vector_scatter_m(&self) -> f64 {
        let turned = self.turned_deg().is_some_and(|t| t >= 10.0);
        let frames = (0..3).filter(|&k| if k == 0 { !turned } else { self.sent_heading(k - 1) });
        frames.map(|k| self.vector[k].scatter_m()).fold(f64::INFINITY, f64::min)
    }

    /// 1 for two ships made fast, 0 for two that move each for itself. `None` where the pair moved less than 30 m, or turned less
    /// than 10 degrees and drifted less than 200 m; and where no heading tells whether it turned, unless it drifted a kilometre.
    ///
    /// Two ships that move independently scatter the vector between them twice as much as their middle.
    pub fn moved_as_one(&self) -> Option<f64> {
        let motion = self.middle.scatter_m();
        // A scatter s over both axes of a straight drift is its length over the square root of 12.
        let drift = motion * 12f64.sqrt();
        let enough = match self.turned_deg() {
            Some(turned) => drift >= 30.0 && (turned >= 10.0 || drift >= 200.0),
            None => drift >= 1000.0,
        };
        let vector = self.vector_scatter_m();
        (enough && vector.is_finite()).then(|| (1.0 - vector / (2.0 * motion)).clamp(0.0, 1.0))
    }
}

struct Sample {
    place: Vec3,
    /// Metres a millisecond.
    velocity: Vec3,
    heading: Option<u16>,
}

/// Walks along a track.
struct Cursor<'a> {
    ship: Moving<'a>,
    leg: usize,
}

impl<'a> Cursor<'a> {
    fn seek(ship: Moving<'a>, t: i64) -> Self {
        let fixes = &ship.track.fixes;
        let leg = fixes.partition_point(|f| f.t_ms < t).max(1) - 1;
        let leg = leg.min(fixes.len().saturating_sub(2));
        Self { ship, leg }
    }
    fn at(&mut self, t: i64) -> Option<Sample> {
        let fixes = &self.ship.track.fixes;
        while self.leg + 2 < fixes.len() && fixes[self.leg + 1].t_ms < t {
            self.leg += 1;
        }
        // Where two legs meet, the shorter tells the speed, wherever sampling began; a hole tells none.
        if let [f, g, h, ..] = &fixes[self.leg..]
            && g.t_ms == t
            && h.t_ms - t < t - f.t_ms
        {
            self.leg += 1;
        }
        let (f, g) = (&fixes[self.leg], fixes.get(self.leg + 1)?);
        if t < f.t_ms || t > g.t_ms || g.t_ms == f.t_ms {
            return None;
        }
        let points = &self.ship.legs.points;
        let (from, to) = (points[self.leg], points[self.leg + 1]);
        let step = geodesy::sub(to, from);
        let dt = (g.t_ms - f.t_ms) as f64;
        let nearer = if t - f.t_ms <= g.t_ms - t { f } else { g };
        Some(Sample {
            place: motion::on_leg((f.t_ms, from), (g.t_ms, to), t),
            velocity: [step[0] / dt, step[1] / dt, step[2] / dt],
            heading: (nearer.heading_deg != NULL_U16).then_some(nearer.heading_deg.min(359)),
        })
    }
    fn lon_e7(&self) -> i32 {
        self.ship.track.fixes[self.leg].lon_e7
    }
}
