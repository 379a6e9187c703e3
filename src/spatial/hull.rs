//! Hulls as rectangles about their antennas, and the distance between two of them.
//!
//! *In*: metres from the antenna to bow, stern, port and starboard; where two antennas stand and the ships point. *Out*: metres of
//! water between the hulls, 0 where they overlap. Headings are laid out in three dimensions at each ship's own north, and the plane
//! is that of the first ship: there is no antimeridian and no pole in it.

use crate::spatial::geodesy::{self, Vec3};
use crate::units::EARTH_RADIUS_M;

/// Metres from the antenna to bow, stern, port and starboard.
pub type Hull = [u16; 4];

/// A hull that points somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Laid {
    hull: Hull,
    /// The unit vector ahead.
    ahead: Vec3,
}

impl Laid {
    /// Of a ship whose antenna is at a point, from sine and cosine of its true heading.
    pub fn new(hull: Hull, antenna: Vec3, (sin, cos): (f64, f64)) -> Self {
        let (east, north) = geodesy::east_north(antenna);
        Self { hull, ahead: [0, 1, 2].map(|k| east[k] * sin + north[k] * cos) }
    }
    /// The middle from the antenna, and the halves of the hull: metres to starboard and ahead.
    fn rectangle(&self) -> ((f64, f64), (f64, f64)) {
        let [bow, stern, port, starboard] = self.hull.map(f64::from);
        (((starboard - port) / 2.0, (bow - stern) / 2.0), ((starboard + port) / 2.0, (bow + stern) / 2.0))
    }
}

/// Metres between two hulls, from where their antennas are, and between the same with port and starboard of both exchanged.
pub fn gaps_m([a, b]: [&Laid; 2], antennas: [Vec3; 2]) -> [f64; 2] {
    let (up, ahead) = (antennas[0].map(|v| v * (1.0 / EARTH_RADIUS_M)), a.ahead);
    let right = [ahead[1] * up[2] - ahead[2] * up[1], ahead[2] * up[0] - ahead[0] * up[2], ahead[0] * up[1] - ahead[1] * up[0]];
    let plane = |v: Vec3| (geodesy::dot(v, right), geodesy::dot(v, ahead));
    let ((x, y), (s, c)) = (plane(geodesy::sub(antennas[1], antennas[0])), plane(b.ahead));
    let ((middle_a, half_a), (middle_b, half_b)) = (a.rectangle(), b.rectangle());
    // The second ship's bow is at (s, c), her starboard at (c, -s).
    let (x, y) = (x + middle_b.1 * s, y + middle_b.1 * c - middle_a.1);
    let reading = |across_a: f64, across_b: f64| between(half_a, half_b, (x + across_b * c - across_a, y - across_b * s), (s, c));
    let sent = reading(middle_a.0, middle_b.0);
    [sent, if (middle_a.0, middle_b.0) == (0.0, 0.0) { sent } else { reading(-middle_a.0, -middle_b.0) }]
}

/// Metres between a rectangle about the origin, upright, and another whose middle lies at `(x, y)` and whose length points along
/// `(s, c)`; each by its halves across and along.
fn between(a: (f64, f64), b: (f64, f64), (x, y): (f64, f64), (s, c): (f64, f64)) -> f64 {
    // How far the corners of one stand from its middle, seen by the other.
    let reach = |(w, l): (f64, f64)| (w * c.abs() + l * s.abs(), w * s.abs() + l * c.abs());
    // The middle of the first as the second sees it.
    let (u, v) = (y * s - x * c, -x * s - y * c);
    let ((rx, ry), (ru, rv)) = (reach(b), reach(a));
    // Two rectangles are apart where a side of either has the other wholly beyond it, and are then nearest at a corner.
    if x.abs() <= a.0 + rx && y.abs() <= a.1 + ry && u.abs() <= b.0 + ru && v.abs() <= b.1 + rv {
        return 0.0;
    }
    let beyond = |p: f64, half: f64| (p.abs() - half).max(0.0);
    let mut least = f64::INFINITY;
    for (across, along) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
        let (w, l) = (across * b.0, along * b.1);
        let (p, q) = (beyond(x + w * c + l * s, a.0), beyond(y - w * s + l * c, a.1));
        least = least.min(p * p + q * q);
        let (w, l) = (across * a.0, along * a.1);
        let (p, q) = (beyond(u + w * c - l * s, b.0), beyond(v + w * s + l * c, b.1));
        least = least.min(p * p + q * q);
    }
    least.sqrt()
}
