//! Which boxes in space and time lie near each other: three ways to the same answer.
//!
//! *In*: boxes on integer axes (x, y, z in metres, Earth-centred; time in seconds). *Out*: the pairs `i < j` whose boxes come
//! within a reach in space and overlap in time, sorted. A superset of what the exact test keeps; never a cap.

use rayon::prelude::*;
use rstar::{AABB, RTree, RTreeObject};
use rustc_hash::FxHashMap;

/// How to look for pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// An R-tree (rstar) over boxes in space and time.
    Rstar,
    /// A uniform grid in space and time.
    Grid,
    /// Every box against every other whose time overlaps.
    Brute,
}

impl IndexKind {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Rstar, Self::Grid, Self::Brute];
    /// The word on the command line and in the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rstar => "rstar",
            Self::Grid => "grid",
            Self::Brute => "brute",
        }
    }
}

/// A box: lower and upper corner on (x, y, z, time), both inclusive. `owner` is the track: pairs of one owner do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Box4 {
    /// Lower corner.
    pub lo: [i32; 4],
    /// Upper corner.
    pub hi: [i32; 4],
    /// Whose box.
    pub owner: u32,
}

impl Box4 {
    fn near(&self, other: &Self, reach: i32) -> bool {
        (0..3).all(|k| self.lo[k] <= other.hi[k].saturating_add(reach) && other.lo[k] <= self.hi[k].saturating_add(reach))
            && self.lo[3] <= other.hi[3]
            && other.lo[3] <= self.hi[3]
    }
}

/// What a search did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Boxes in the index.
    pub entries: u64,
    /// Pairs that came out.
    pub candidates: u64,
    /// Microseconds to build the index.
    pub build_us: u64,
    /// Microseconds to query it.
    pub query_us: u64,
}

struct Entry {
    lo: [i32; 4],
    hi: [i32; 4],
    index: u32,
}

impl RTreeObject for Entry {
    type Envelope = AABB<[i32; 4]>;
    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(self.lo, self.hi)
    }
}

/// All pairs `(i, j)`, `i < j`, of different owners within `reach_m` of each other in every axis of space and overlapping in
/// time; sorted. The clock of the caller, for [`Work`], comes as a function so that nothing here reads one.
pub fn near_pairs(boxes: &[Box4], reach_m: i32, kind: IndexKind, now_us: &(dyn Fn() -> u64 + Sync)) -> (Vec<(u32, u32)>, Work) {
    let begin = now_us();
    let built;
    let pairs = match kind {
        IndexKind::Rstar => {
            let tree = RTree::bulk_load(boxes.iter().enumerate().map(|(i, b)| Entry { lo: b.lo, hi: b.hi, index: i as u32 }).collect());
            built = now_us();
            collect(boxes.len(), |i, out| {
                let b = &boxes[i];
                let grow = |v: [i32; 4], by: i32| [v[0] + by, v[1] + by, v[2] + by, v[3]];
                let query = AABB::from_corners(grow(b.lo, -reach_m), grow(b.hi, reach_m));
                for entry in tree.locate_in_envelope_intersecting(query) {
                    if entry.index as usize > i && boxes[entry.index as usize].owner != b.owner {
                        out.push((i as u32, entry.index));
                    }
                }
            })
        }
        IndexKind::Grid => {
            let grid = Grid::build(boxes, reach_m);
            built = now_us();
            collect(boxes.len(), |i, out| grid.query(boxes, i, reach_m, out))
        }
        IndexKind::Brute => {
            let mut by_start: Vec<u32> = (0..boxes.len() as u32).collect();
            by_start.sort_by_key(|&i| (boxes[i as usize].lo[3], i));
            built = now_us();
            collect(boxes.len(), |k, out| {
                let i = by_start[k];
                let b = &boxes[i as usize];
                for &j in &by_start[k + 1..] {
                    let o = &boxes[j as usize];
                    if o.lo[3] > b.hi[3] {
                        break;
                    }
                    if o.owner != b.owner && b.near(o, reach_m) {
                        out.push((i.min(j), i.max(j)));
                    }
                }
            })
        }
    };
    let work = Work { entries: boxes.len() as u64, candidates: pairs.len() as u64, build_us: built - begin, query_us: now_us() - built };
    (pairs, work)
}

fn collect(n: usize, each: impl Fn(usize, &mut Vec<(u32, u32)>) + Sync) -> Vec<(u32, u32)> {
    // Small: of ships on one point each box has as many neighbours as there are boxes.
    const PIECE: usize = 256;
    let mut pairs: Vec<(u32, u32)> = (0..n.div_ceil(PIECE))
        .into_par_iter()
        .flat_map_iter(|piece| {
            let mut out = Vec::new();
            for i in piece * PIECE..((piece + 1) * PIECE).min(n) {
                each(i, &mut out);
            }
            out
        })
        .collect();
    pairs.par_sort_unstable();
    pairs
}

/// Cells of a few reaches and six hours. A box is filed under its lower corner; boxes larger than a cell stand apart, in a
/// list that every query reads.
struct Grid {
    cell: i32,
    cells: FxHashMap<[i32; 4], Vec<u32>>,
    large: Vec<u32>,
}

const GRID_SECONDS: i32 = 6 * 3600;

impl Grid {
    fn key(&self, v: [i32; 4]) -> [i32; 4] {
        [v[0].div_euclid(self.cell), v[1].div_euclid(self.cell), v[2].div_euclid(self.cell), v[3].div_euclid(GRID_SECONDS)]
    }
    fn build(boxes: &[Box4], reach_m: i32) -> Self {
        let mut grid = Self { cell: (2 * reach_m).max(1000), cells: FxHashMap::default(), large: Vec::new() };
        for (i, b) in boxes.iter().enumerate() {
            let fits = (0..3).all(|k| b.hi[k] - b.lo[k] <= grid.cell) && b.hi[3] - b.lo[3] <= GRID_SECONDS;
            if fits {
                let key = grid.key(b.lo);
                grid.cells.entry(key).or_default().push(i as u32);
            } else {
                grid.large.push(i as u32);
            }
        }
        grid
    }
    fn query(&self, boxes: &[Box4], i: usize, reach_m: i32, out: &mut Vec<(u32, u32)>) {
        let b = &boxes[i];
        let mut take = |j: u32| {
            let o = &boxes[j as usize];
            if j as usize > i && o.owner != b.owner && b.near(o, reach_m) {
                out.push((i as u32, j));
            }
        };
        // A box that begins up to one cell below still reaches in.
        let down = |v: i32| v - reach_m - self.cell;
        let from = self.key([down(b.lo[0]), down(b.lo[1]), down(b.lo[2]), b.lo[3] - GRID_SECONDS]);
        let to = self.key([b.hi[0] + reach_m, b.hi[1] + reach_m, b.hi[2] + reach_m, b.hi[3]]);
        let visits: i64 = (0..4).map(|k| i64::from(to[k] - from[k] + 1)).product();
        if visits > self.cells.len() as i64 {
            self.cells.values().flatten().for_each(|&j| take(j));
        } else {
            for x in from[0]..=to[0] {
                for y in from[1]..=to[1] {
                    for z in from[2]..=to[2] {
                        for t in from[3]..=to[3] {
                            if let Some(list) = self.cells.get(&[x, y, z, t]) {
                                list.iter().for_each(|&j| take(j));
                            }
                        }
                    }
                }
            }
        }
        self.large.iter().for_each(|&j| take(j));
    }
}
