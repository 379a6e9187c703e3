//! Which boxes in space and time lie near each other: four ways to the same answer.
//!
//! *In*: boxes on integer axes (x, y, z in metres, Earth-centred; time in seconds). *Out*: the pairs `i < j` whose boxes come
//! within a reach in space and overlap in time, sorted. A superset of what the exact test keeps; never a cap.

use crate::spatial::grid::Grid;
use rayon::prelude::*;
use rstar::{AABB, DefaultParams, ParentNode, RStarInsertionStrategy, RTree, RTreeNode, RTreeObject, RTreeParams};
use std::ops::ControlFlow;

/// How to look for pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// An R-tree (rstar) over boxes in space and time.
    Rstar,
    /// A flat, immutable R-tree (sif-rtree) over the same boxes.
    Sif,
    /// A uniform grid in space and time.
    Grid,
    /// Every box against every other whose time overlaps.
    Brute,
    /// rstar with larger nodes; for `bench` alone.
    RstarNodes(NodeSize),
    /// sif-rtree with larger nodes; for `bench` alone.
    SifNodes(NodeSize),
}

/// Most children of a tree's node, where not the 6 that both trees have by default. Boxes of four axes are split at least in two
/// along each when a tree is loaded at once, so that smaller nodes, too, come out with up to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeSize {
    /// 16.
    Of16,
    /// 32.
    Of32,
}

impl NodeSize {
    /// Every size.
    pub const ALL: [Self; 2] = [Self::Of16, Self::Of32];
    /// Children.
    pub fn get(self) -> usize {
        match self {
            Self::Of16 => 16,
            Self::Of32 => 32,
        }
    }
}

impl IndexKind {
    /// Every way that `detect` offers.
    pub const ALL: [Self; 4] = [Self::Rstar, Self::Sif, Self::Grid, Self::Brute];
    /// The word on the command line and in the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rstar | Self::RstarNodes(_) => "rstar",
            Self::Sif | Self::SifNodes(_) => "sif",
            Self::Grid => "grid",
            Self::Brute => "brute",
        }
    }
    /// Most children of a node, where it is a tree.
    pub fn node_size(self) -> Option<usize> {
        match self {
            Self::Rstar => Some(DefaultParams::MAX_SIZE),
            Self::Sif => Some(sif_rtree::DEF_NODE_LEN),
            Self::RstarNodes(size) | Self::SifNodes(size) => Some(size.get()),
            Self::Grid | Self::Brute => None,
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
    /// Whether the two come within `reach` metres in every axis of space and overlap in time.
    pub(super) fn near(&self, other: &Self, reach: i32) -> bool {
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
    /// Bytes of the index, from the number and size of its nodes; without the boxes and what the allocator adds.
    pub bytes: u64,
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

impl sif_rtree::Object for Entry {
    type Point = [i32; 4];
    fn aabb(&self) -> ([i32; 4], [i32; 4]) {
        (self.lo, self.hi)
    }
}

/// What a way came to: the pairs, the moments at which the index stood and the last query ended, and the index's bytes.
struct Searched {
    pairs: Vec<(u32, u32)>,
    built_us: u64,
    queried_us: u64,
    bytes: u64,
}

type Clock<'a> = &'a (dyn Fn() -> u64 + Sync);

/// All pairs `(i, j)`, `i < j`, of different owners within `reach_m` of each other in every axis of space and overlapping in
/// time; sorted. The clock of the caller, for [`Work`], comes as a function so that nothing here reads one.
pub fn near_pairs(boxes: &[Box4], reach_m: i32, kind: IndexKind, now_us: &(dyn Fn() -> u64 + Sync)) -> (Vec<(u32, u32)>, Work) {
    let begin = now_us();
    let done = match kind {
        IndexKind::Rstar => by_rstar::<DefaultParams>(boxes, reach_m, now_us),
        IndexKind::RstarNodes(NodeSize::Of16) => by_rstar::<Nodes<16>>(boxes, reach_m, now_us),
        IndexKind::RstarNodes(NodeSize::Of32) => by_rstar::<Nodes<32>>(boxes, reach_m, now_us),
        IndexKind::Sif => by_sif(boxes, reach_m, sif_rtree::DEF_NODE_LEN, now_us),
        IndexKind::SifNodes(size) => by_sif(boxes, reach_m, size.get(), now_us),
        IndexKind::Grid => by_grid(boxes, reach_m, now_us),
        IndexKind::Brute => by_brute_force(boxes, reach_m, now_us),
    };
    let work = Work {
        entries: boxes.len() as u64,
        candidates: done.pairs.len() as u64,
        build_us: done.built_us - begin,
        query_us: done.queried_us - done.built_us,
        bytes: done.bytes,
    };
    (done.pairs, work)
}

/// rstar with nodes of another size. Trees are loaded at once, so that only the greatest size counts.
struct Nodes<const MOST: usize>;

impl<const MOST: usize> RTreeParams for Nodes<MOST> {
    const MIN_SIZE: usize = MOST / 2;
    const MAX_SIZE: usize = MOST;
    const REINSERTION_COUNT: usize = MOST / 3;
    type DefaultInsertionStrategy = RStarInsertionStrategy;
}

fn entries(boxes: &[Box4]) -> Vec<Entry> {
    boxes.iter().enumerate().map(|(i, b)| Entry { lo: b.lo, hi: b.hi, index: i as u32 }).collect()
}

/// The corners of a box, grown by the reach in space.
fn grown(b: &Box4, reach_m: i32) -> ([i32; 4], [i32; 4]) {
    let grow = |v: [i32; 4], by: i32| [v[0] + by, v[1] + by, v[2] + by, v[3]];
    (grow(b.lo, -reach_m), grow(b.hi, reach_m))
}

fn by_rstar<P: RTreeParams>(boxes: &[Box4], reach_m: i32, now_us: Clock) -> Searched {
    let trees: Vec<RTree<Entry, P>> = quarters(entries(boxes)).into_par_iter().map(RTree::bulk_load_with_params).collect();
    let built_us = now_us();
    let mut groups = Vec::new();
    trees.iter().for_each(|tree| groups_below(tree.root(), &mut groups));
    // What is near one of a group is near the group: the tree is asked once for all in it.
    let pairs = collect(groups.len(), |g, out| {
        let (lower, upper) = (groups[g].envelope().lower(), groups[g].envelope().upper());
        let whole = Box4 { lo: lower, hi: upper, owner: u32::MAX };
        let (lo, hi) = grown(&whole, reach_m);
        let around: Vec<&Entry> = trees.iter().flat_map(|tree| tree.locate_in_envelope_intersecting(AABB::from_corners(lo, hi))).collect();
        for one in groups[g].children().iter().filter_map(leaf) {
            let b = &boxes[one.index as usize];
            let (lo, hi) = grown(b, reach_m);
            for other in &around {
                let is_near = (0..4).all(|k| other.lo[k] <= hi[k] && lo[k] <= other.hi[k]);
                if is_near && other.index > one.index && boxes[other.index as usize].owner != b.owner {
                    out.push((one.index, other.index));
                }
            }
        }
    });
    let queried_us = now_us();
    let nodes: u64 = trees.iter().map(|tree| nodes_below(tree.root())).sum();
    Searched { pairs, built_us, queried_us, bytes: nodes * size_of::<RTreeNode<Entry>>() as u64 }
}

/// Four trees, by place, are built at once where one would be built by one thread.
fn quarters(mut entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let halve = |entries: &mut Vec<Entry>, axis: usize| {
        let middle = entries.len() / 2;
        if middle > 0 {
            entries.select_nth_unstable_by_key(middle, |e| (e.lo[axis], e.index));
        }
        entries.split_off(middle)
    };
    let mut upper = halve(&mut entries, 0);
    let quarters = [halve(&mut entries, 1), halve(&mut upper, 1)];
    [entries, upper].into_iter().chain(quarters).filter(|q| !q.is_empty()).collect()
}

fn leaf(node: &RTreeNode<Entry>) -> Option<&Entry> {
    match node {
        RTreeNode::Leaf(entry) => Some(entry),
        RTreeNode::Parent(_) => None,
    }
}

/// The nodes that hold boxes themselves.
fn groups_below<'a>(node: &'a ParentNode<Entry>, out: &mut Vec<&'a ParentNode<Entry>>) {
    if node.children().iter().any(|child| leaf(child).is_some()) {
        out.push(node);
    }
    for child in node.children() {
        if let RTreeNode::Parent(parent) = child {
            groups_below(parent, out);
        }
    }
}

fn nodes_below(node: &ParentNode<Entry>) -> u64 {
    let of = |child: &RTreeNode<Entry>| match child {
        RTreeNode::Leaf(_) => 1,
        RTreeNode::Parent(parent) => 1 + nodes_below(parent),
    };
    node.children().iter().map(of).sum()
}

fn by_sif(boxes: &[Box4], reach_m: i32, node_size: usize, now_us: Clock) -> Searched {
    if boxes.is_empty() {
        // It holds at least one.
        return Searched { pairs: Vec::new(), built_us: now_us(), queried_us: now_us(), bytes: 0 };
    }
    let tree = sif_rtree::RTree::new(node_size, entries(boxes));
    let built_us = now_us();
    let pairs = collect(boxes.len(), |i, out| {
        let b = &boxes[i];
        let _ = tree.look_up_aabb_intersects(&grown(b, reach_m), |entry| {
            if entry.index as usize > i && boxes[entry.index as usize].owner != b.owner {
                out.push((i as u32, entry.index));
            }
            ControlFlow::<()>::Continue(())
        });
    });
    let queried_us = now_us();
    Searched { pairs, built_us, queried_us, bytes: size_of_val(&tree[..]) as u64 }
}

fn by_grid(boxes: &[Box4], reach_m: i32, now_us: Clock) -> Searched {
    let grid = Grid::build(boxes, reach_m);
    let built_us = now_us();
    let pairs = grid.pairs(boxes, reach_m);
    let queried_us = now_us();
    Searched { pairs, built_us, queried_us, bytes: grid.bytes() }
}

/// How many pairs of boxes brute force looks at: those that overlap in time.
pub fn pairs_in_time(boxes: &[Box4]) -> u64 {
    let mut begins: Vec<i32> = boxes.iter().map(|b| b.lo[3]).collect();
    begins.sort_unstable();
    // Of each pair that overlaps, the later one begins before the other ends.
    let until: u64 = boxes.iter().map(|b| begins.partition_point(|t| *t <= b.hi[3]) as u64).sum();
    let n = boxes.len() as u64;
    until - n * (n + 1) / 2
}

/// Boxes in the order in which they begin.
fn by_start(boxes: &[Box4]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..boxes.len() as u32).collect();
    order.sort_by_key(|&i| (boxes[i as usize].lo[3], i));
    order
}

fn by_brute_force(boxes: &[Box4], reach_m: i32, now_us: Clock) -> Searched {
    let order = by_start(boxes);
    let built_us = now_us();
    let pairs = collect(boxes.len(), |k, out| {
        let i = order[k];
        let b = &boxes[i as usize];
        for &j in &order[k + 1..] {
            let o = &boxes[j as usize];
            if o.lo[3] > b.hi[3] {
                break;
            }
            if o.owner != b.owner && b.near(o, reach_m) {
                out.push((i.min(j), i.max(j)));
            }
        }
    });
    let queried_us = now_us();
    Searched { pairs, built_us, queried_us, bytes: size_of_val(&order[..]) as u64 }
}

fn collect(n: usize, each: impl Fn(usize, &mut Vec<(u32, u32)>) + Sync) -> Vec<(u32, u32)> {
    // Small: of ships on one point each box has as many neighbours as there are boxes.
    const PIECE: usize = 64;
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
    pairs.par_sort_unstable_by_key(|&(i, j)| u64::from(i) << 32 | u64::from(j));
    pairs
}
