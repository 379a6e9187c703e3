//! Hulls as rectangles about their antennas, and the distance between two of them.
//!
//! *In*: metres from the antenna to bow, stern, port and starboard; where two antennas stand and the ships point. *Out*: metres of
//! water between the hulls, 0 where they overlap. The plane is that of the first ship's heading, laid out in three dimensions at
//! each ship's own north: there is no antimeridian and no pole in it.

use crate::spatial::geodesy::{self, Vec3};

/// A rectangle, in metres to starboard of and ahead of the antenna.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hull {
    /// Its middle.
    middle: (f64, f64),
    /// Half of its beam and of its length.
    half: (f64, f64),
}

/// Which way a ship points: unit vectors to starboard and ahead.
#[derive(Clone, Copy, Debug)]
pub struct Heading {
    right: Vec3,
    ahead: Vec3,
}

impl Heading {
    /// Of a ship at a point, from sine and cosine of its true heading.
    pub fn at(place: Vec3, (sin, cos): (f64, f64)) -> Self {
        let (east, north) = geodesy::east_north(place);
        Self { right: [0, 1, 2].map(|k| east[k] * cos - north[k] * sin), ahead: [0, 1, 2].map(|k| east[k] * sin + north[k] * cos) }
    }
}

/// A rectangle in a plane: its middle, the unit vector along it, and its halves across and along.
#[derive(Clone, Copy)]
struct Laid {
    middle: (f64, f64),
    ahead: (f64, f64),
    half: (f64, f64),
}

impl Laid {
    /// A point as metres across and along it.
    fn seen(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (x, y) = (x - self.middle.0, y - self.middle.1);
        (x * self.ahead.1 - y * self.ahead.0, x * self.ahead.0 + y * self.ahead.1)
    }
    fn corners(&self) -> [(f64, f64); 4] {
        let ((s, c), (w, l)) = (self.ahead, self.half);
        [(w, l), (w, -l), (-w, -l), (-w, l)].map(|(x, y)| (self.middle.0 + x * c + y * s, self.middle.1 - x * s + y * c))
    }
    /// The least distance of some corners, squared, and whether a side of it has all of them beyond.
    fn least(&self, corners: [(f64, f64); 4]) -> (f64, bool) {
        let seen = corners.map(|p| self.seen(p));
        let beyond = |v: f64, half: f64| (v.abs() - half).max(0.0);
        let least = seen.iter().map(|p| (beyond(p.0, self.half.0), beyond(p.1, self.half.1))).map(|(x, y)| x * x + y * y).fold(f64::INFINITY, f64::min);
        let all = |f: &dyn Fn((f64, f64)) -> bool| seen.iter().all(|p| f(*p));
        let (w, l) = self.half;
        (least, all(&|p| p.0 > w) || all(&|p| p.0 < -w) || all(&|p| p.1 > l) || all(&|p| p.1 < -l))
    }
}

impl Hull {
    /// From the metres between the antenna and bow, stern, port and starboard.
    pub fn new([bow, stern, port, starboard]: [u16; 4]) -> Self {
        let [bow, stern, port, starboard] = [bow, stern, port, starboard].map(f64::from);
        Self { middle: ((starboard - port) / 2.0, (bow - stern) / 2.0), half: ((starboard + port) / 2.0, (bow + stern) / 2.0) }
    }

    /// The same with port and starboard exchanged.
    pub fn mirrored(self) -> Self {
        Self { middle: (-self.middle.0, self.middle.1), half: self.half }
    }

    /// Metres between two hulls; `way` leads from the antenna of the first to that of the second.
    pub fn gap_m(hulls: [Self; 2], headings: [&Heading; 2], way: Vec3) -> f64 {
        let [first, second] = headings;
        let plane = |v: Vec3| (geodesy::dot(v, first.right), geodesy::dot(v, first.ahead));
        let ((x, y), (right, ahead)) = (plane(way), (plane(second.right), plane(second.ahead)));
        let (w, l) = hulls[1].middle;
        let a = Laid { middle: hulls[0].middle, ahead: (0.0, 1.0), half: hulls[0].half };
        let b = Laid { middle: (x + right.0 * w + ahead.0 * l, y + right.1 * w + ahead.1 * l), ahead, half: hulls[1].half };
        // Two rectangles are apart where a side of either has the other wholly beyond; they are nearest at a corner.
        let ((to_a, beyond_a), (to_b, beyond_b)) = (a.least(b.corners()), b.least(a.corners()));
        if beyond_a || beyond_b { to_a.min(to_b).sqrt() } else { 0.0 }
    }
}
