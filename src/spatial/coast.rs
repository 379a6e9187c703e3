//! The land outline (Natural Earth 1:10m): is a place on land, and how far is the shore.
//!
//! The outline is embedded, cut into short chains, and the chains stand in an R-tree of boxes in three dimensions; the exact
//! distance is taken to the segments of the nearest chains. Good to about half a mile: the scale of the outline.

use crate::spatial::geodesy::{self, Vec3};
use rstar::{AABB, PointDistance, RTree, RTreeObject};
use std::sync::LazyLock;

const CHAIN: usize = 48;
/// Positions of the embedded file are in 1e-5 degree.
const TO_E7: i32 = 100;

struct Chain {
    /// Segments `first..last` of the vertex list: from vertex i to i + 1.
    first: u32,
    last: u32,
    lo: Vec3,
    hi: Vec3,
}

impl RTreeObject for Chain {
    type Envelope = AABB<Vec3>;
    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(self.lo, self.hi)
    }
}

impl PointDistance for Chain {
    fn distance_2(&self, p: &Vec3) -> f64 {
        (0..3)
            .map(|k| {
                let d = (self.lo[k] - p[k]).max(p[k] - self.hi[k]).max(0.0);
                d * d
            })
            .sum()
    }
}

/// Land, as closed rings under the even-odd rule.
pub struct Coast {
    /// Ring vertices, (lat, lon) in 1e-7 degree; every ring closed by its first vertex again.
    vertices: Vec<(i32, i32)>,
    /// For the even-odd test: (south, north, east) of every chain in 1e-7 degree, and its segments.
    bands: Vec<(i32, i32, i32, u32, u32)>,
    tree: RTree<Chain>,
}

static EMBEDDED: LazyLock<Coast> = LazyLock::new(|| {
    let bytes = zstd::decode_all(&include_bytes!("data/land.bin.zst")[..]).unwrap_or_default();
    Coast::new(&decode(&bytes).unwrap_or_default())
});

/// Rings of (lat, lon) in 1e-7 degree from the embedded form; `None` where the bytes end early.
fn decode(bytes: &[u8]) -> Option<Vec<Vec<(i32, i32)>>> {
    let mut at = 0;
    let mut word = |n: usize| {
        let piece = bytes.get(at..at + n)?;
        at += n;
        Some(piece)
    };
    let u32_of = |b: &[u8]| Some(u32::from_le_bytes(b.try_into().ok()?));
    let rings = u32_of(word(4)?)?;
    let mut out = Vec::with_capacity(rings as usize);
    for _ in 0..rings {
        let n = u32_of(word(4)?)?;
        let mut lon = u32_of(word(4)?)? as i32;
        let mut lat = u32_of(word(4)?)? as i32;
        let mut ring = vec![(lat * TO_E7, lon * TO_E7)];
        for _ in 1..n {
            let mut varint = || {
                let (mut value, mut shift) = (0u32, 0);
                loop {
                    let byte = word(1)?[0];
                    value |= u32::from(byte & 0x7f) << shift;
                    shift += 7;
                    if byte & 0x80 == 0 || shift > 28 {
                        return Some(((value >> 1) as i32) ^ -((value & 1) as i32));
                    }
                }
            };
            lon += varint()?;
            lat += varint()?;
            ring.push((lat * TO_E7, lon * TO_E7));
        }
        out.push(ring);
    }
    Some(out)
}

impl Coast {
    /// The outline that comes with the program.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// An index over rings of (lat, lon) in 1e-7 degree, not closed.
    pub fn new(rings: &[Vec<(i32, i32)>]) -> Self {
        let mut vertices = Vec::new();
        let (mut chains, mut bands) = (Vec::new(), Vec::new());
        for ring in rings {
            let begin = vertices.len();
            vertices.extend_from_slice(ring);
            vertices.extend(ring.first());
            let mut first = begin;
            while first + 1 < vertices.len() {
                let last = (first + CHAIN).min(vertices.len() - 1);
                let stretch = &vertices[first..=last];
                let fold = |f: fn(i32, i32) -> i32, by: fn(&(i32, i32)) -> i32| stretch.iter().map(by).reduce(f).unwrap_or(0);
                bands.push((fold(i32::min, |v| v.0), fold(i32::max, |v| v.0), fold(i32::max, |v| v.1), first as u32, last as u32));
                let (mut lo, mut hi) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
                for v in stretch {
                    let p = geodesy::point(v.0, v.1);
                    for k in 0..3 {
                        lo[k] = lo[k].min(p[k]);
                        hi[k] = hi[k].max(p[k]);
                    }
                }
                chains.push(Chain { first: first as u32, last: last as u32, lo, hi });
                first = last;
            }
        }
        Self { vertices, bands, tree: RTree::bulk_load(chains) }
    }

    /// Whether a position, (lat, lon) in 1e-7 degree, is on land.
    pub fn is_land(&self, (lat, lon): (i32, i32)) -> bool {
        // A ray to the east, along the parallel; no ring crosses the antimeridian.
        let mut inside = false;
        for &(south, north, east, first, last) in &self.bands {
            if south > lat || north < lat || east < lon {
                continue;
            }
            inside ^= self.crossed(first, last, (lat, lon));
        }
        inside
    }

    /// [`Coast::is_land`] by every segment, for comparison.
    pub fn is_land_by_all(&self, at_e7: (i32, i32)) -> bool {
        self.bands.iter().fold(false, |inside, band| inside ^ self.crossed(band.3, band.4, at_e7))
    }

    /// Whether the ray to the east crosses segments `first..last` an odd number of times.
    fn crossed(&self, first: u32, last: u32, (lat, lon): (i32, i32)) -> bool {
        let mut odd = false;
        for pair in self.vertices[first as usize..=last as usize].windows(2) {
            let ((y0, x0), (y1, x1)) = (pair[0], pair[1]);
            if (y0 > lat) != (y1 > lat) {
                let cross = f64::from(x0) + (f64::from(x1) - f64::from(x0)) * (f64::from(lat) - f64::from(y0)) / (f64::from(y1) - f64::from(y0));
                odd ^= cross > f64::from(lon);
            }
        }
        odd
    }

    /// Metres to the nearest shore from either side of it, where it is within `reach_m`.
    pub fn shore_m(&self, at_e7: (i32, i32), reach_m: f64) -> Option<f64> {
        let p = geodesy::point(at_e7.0, at_e7.1);
        let reach = geodesy::chord_of_arc(reach_m);
        let mut best = reach * reach;
        let mut found = false;
        for (chain, d2) in self.tree.nearest_neighbor_iter_with_distance_2(p) {
            // A chord runs below the arc: its box may be nearer than the shore, never farther.
            if d2 > best {
                break;
            }
            found |= self.nearer(chain.first, chain.last, p, &mut best);
        }
        found.then(|| geodesy::arc_of_chord(best.sqrt()))
    }

    /// [`Coast::shore_m`] by every segment, for comparison.
    pub fn shore_m_by_all(&self, at_e7: (i32, i32), reach_m: f64) -> Option<f64> {
        let p = geodesy::point(at_e7.0, at_e7.1);
        let reach = geodesy::chord_of_arc(reach_m);
        let mut best = reach * reach;
        let mut found = false;
        for band in &self.bands {
            found |= self.nearer(band.3, band.4, p, &mut best);
        }
        found.then(|| geodesy::arc_of_chord(best.sqrt()))
    }

    /// Whether one of the segments `first..last` is at most as far from a point as the best so far, squared, which it becomes.
    fn nearer(&self, first: u32, last: u32, p: Vec3, best: &mut f64) -> bool {
        let mut found = false;
        for pair in self.vertices[first as usize..=last as usize].windows(2) {
            if is_artificial(pair[0], pair[1]) {
                continue;
            }
            let (a, b) = (geodesy::point(pair[0].0, pair[0].1), geodesy::point(pair[1].0, pair[1].1));
            let (ab, ap) = (geodesy::sub(b, a), geodesy::sub(p, a));
            let f = (geodesy::dot(ap, ab) / geodesy::dot(ab, ab).max(1e-12)).clamp(0.0, 1.0);
            let d = geodesy::sub(p, geodesy::lerp(a, b, f));
            let d2 = geodesy::dot(d, d);
            if d2 <= *best {
                *best = d2;
                found = true;
            }
        }
        found
    }
}

/// Edges along the antimeridian and the south pole are cuts of the map, not shores.
fn is_artificial(a: (i32, i32), b: (i32, i32)) -> bool {
    let cut = 1_799_999_900;
    (a.1.abs() >= cut && b.1.abs() >= cut) || (a.0 <= -899_000_000 && b.0 <= -899_000_000)
}
