//! A grid in space and time: near boxes by the cells they share.
//!
//! Every box is filed under all cells that it covers when its upper corner is moved out by the reach: two boxes are near
//! exactly where two such boxes meet. What they have in common begins at the greater of their lower corners, axis by axis,
//! and lies in one cell: there, and nowhere else, the pair is given out.

use crate::spatial::boxes::Box4;
use rayon::prelude::*;

/// A box that covers more cells is not filed but compared with every other.
const MOST_CELLS: i64 = 256;

type Cell = [i32; 4];

/// Boxes by cell.
pub(super) struct Grid {
    /// Edges of a cell, metres and seconds.
    edge: [i32; 4],
    /// Cell and box, sorted.
    filed: Vec<(Cell, u32)>,
    /// Boxes that cover too many cells.
    large: Vec<u32>,
}

impl Grid {
    /// Cells as large as the usual box: smaller ones hold it many times over, larger ones hold many that are not near.
    pub(super) fn build(boxes: &[Box4], reach_m: i32) -> Self {
        let side = |b: &Box4| (0..3).map(|k| b.hi[k].saturating_sub(b.lo[k])).max().unwrap_or(0);
        let metres = median(boxes.iter().map(side)).saturating_add(reach_m).saturating_mul(2).max(1000);
        let seconds = median(boxes.iter().map(|b| b.hi[3].saturating_sub(b.lo[3]))).max(3600);
        let mut grid = Self { edge: [metres, metres, metres, seconds], filed: Vec::new(), large: Vec::new() };
        let covered: Vec<(Cell, Cell)> = boxes.par_iter().map(|b| (grid.cell(b.lo), grid.cell(outward(b, reach_m)))).collect();
        let is_large = |(from, to): &(Cell, Cell)| (0..4).map(|k| i64::from(to[k]) - i64::from(from[k]) + 1).fold(1i64, i64::saturating_mul) > MOST_CELLS;
        grid.large = (0..boxes.len() as u32).filter(|&i| is_large(&covered[i as usize])).collect();
        grid.filed = covered
            .par_iter()
            .enumerate()
            .filter(|(_, range)| !is_large(range))
            .flat_map_iter(|(i, &(from, to))| cells(from, to).map(move |cell| (cell, i as u32)))
            .collect();
        grid.filed.par_sort_unstable();
        grid
    }

    fn cell(&self, v: [i32; 4]) -> Cell {
        [0, 1, 2, 3].map(|k| v[k].div_euclid(self.edge[k]))
    }

    /// All pairs `(i, j)`, `i < j`, of different owners that are near; sorted.
    pub(super) fn pairs(&self, boxes: &[Box4], reach_m: i32) -> Vec<(u32, u32)> {
        let groups: Vec<&[(Cell, u32)]> = self.filed.chunk_by(|x, y| x.0 == y.0).filter(|group| group.len() > 1).collect();
        let near = |i: u32, j: u32| boxes[i as usize].owner != boxes[j as usize].owner && boxes[i as usize].near(&boxes[j as usize], reach_m);
        let in_cells = groups.into_par_iter().flat_map_iter(|group| {
            let mut out = Vec::new();
            for (k, &(cell, i)) in group.iter().enumerate() {
                for &(_, j) in &group[k + 1..] {
                    if near(i, j) && self.cell(meeting_corner(&boxes[i as usize], &boxes[j as usize])) == cell {
                        out.push((i, j));
                    }
                }
            }
            out
        });
        // Of two large boxes the pair is given out by the second.
        let of_large = self.large.par_iter().flat_map_iter(|&i| {
            let others = (0..boxes.len() as u32).filter(move |&j| j != i && (j < i || self.large.binary_search(&j).is_err()));
            others.filter(move |&j| near(i, j)).map(move |j| (i.min(j), i.max(j)))
        });
        let mut pairs: Vec<(u32, u32)> = in_cells.chain(of_large).collect();
        pairs.par_sort_unstable();
        pairs
    }

    /// Bytes of the lists.
    pub(super) fn bytes(&self) -> u64 {
        (size_of_val(&self.filed[..]) + size_of_val(&self.large[..])) as u64
    }
}

/// The upper corner moved out by the reach in space.
fn outward(b: &Box4, reach_m: i32) -> [i32; 4] {
    [b.hi[0].saturating_add(reach_m), b.hi[1].saturating_add(reach_m), b.hi[2].saturating_add(reach_m), b.hi[3]]
}

/// The lower corner of what two boxes have in common.
fn meeting_corner(a: &Box4, b: &Box4) -> [i32; 4] {
    [0, 1, 2, 3].map(|k| a.lo[k].max(b.lo[k]))
}

/// Every cell from one to another, both included.
fn cells(from: Cell, to: Cell) -> impl Iterator<Item = Cell> {
    (from[0]..=to[0]).flat_map(move |x| (from[1]..=to[1]).flat_map(move |y| (from[2]..=to[2]).flat_map(move |z| (from[3]..=to[3]).map(move |t| [x, y, z, t]))))
}

/// The middle one in order of size; 0 of none.
fn median(values: impl Iterator<Item = i32>) -> i32 {
    let mut values: Vec<i32> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() { 0 } else { *values.select_nth_unstable(middle).1 }
}
