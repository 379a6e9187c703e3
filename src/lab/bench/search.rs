//! The pair search by every way, each held against rstar's defaults.
//!
//! A family of ways shares the rules of a meeting: all of them must give the same meetings, bit for bit. Each way goes through the
//! whole step; then the searches are repeated in turn, so that a machine that slows down slows all of them. Brute force
//! is looked at as long as it is a matter of seconds.

use crate::detect::meeting::{self, Found, Step, WindowEnd};
use crate::lab::bench::{Error, Plan, Progress, Traffic, median, pool, ratio};
use crate::model::time::rfc3339;
use crate::model::{Params, RendezvousFacts};
use crate::run::engine;
use crate::spatial::boxes::{self, Box4, IndexKind, NodeSize, Work};
use crate::units::{Hours, Metres};
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// Sizes of a run's box beside the default, metres.
const RUN_BOXES_M: [f64; 3] = [500.0, 1000.0, 4000.0];
/// Lengths of a run beside the default, hours.
const RUN_HOURS: [f64; 3] = [1.0, 3.0, 12.0];
/// Brute force ends at so many pairs of boxes that overlap in time: some seconds.
const MOST_BRUTE_PAIRS: u64 = 4_000_000_000;
/// A search that took longer than this within its step, seconds, is not repeated: what was taken then counts.
const MOST_REPEATED_S: f64 = 1.0;

/// The group of all indexes under the default rules.
const INDEX: &str = "index";

/// One way, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What it is compared in: index, run, threads, or a reach.
    pub group: String,
    /// Its name in the table.
    pub name: String,
    /// The index.
    pub index: String,
    /// Most children of a node.
    pub node_size: Option<usize>,
    /// Greatest extent of a run.
    pub run_extent_m: f64,
    /// Longest run.
    pub run_h: f64,
    /// Entering and leaving distance.
    pub enter_m: f64,
    /// Leaving distance.
    pub leave_m: f64,
    /// Threads.
    pub threads: usize,
    /// What the others of its rules are held against.
    pub is_base: bool,
    /// The figures, where it was not left out.
    pub measured: Option<Measured>,
    /// As multiples of the base's.
    pub to_base: Option<Ratios>,
    /// Why it was left out.
    pub left_out: Option<String>,
}

/// Figures of a way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Runs in the index.
    pub entries: u64,
    /// Time to build the index, median.
    pub build_ms: f64,
    /// Time to query it with every run, median.
    pub query_ms: f64,
    /// How often these two were measured.
    pub times: usize,
    /// Time of the whole step from runs to meetings: median among the indexes, elsewhere once.
    pub step_ms: f64,
    /// Bytes of the index, from the number and size of its nodes.
    pub memory_bytes: u64,
    /// Pairs of runs that the index gave out.
    pub candidates: u64,
    /// Tests of leg on leg.
    pub exact_tests: u64,
    /// Pairs of ships with qualifying time.
    pub hits: u64,
    /// Meetings.
    pub meetings: u64,
    /// BLAKE3 of the meetings.
    pub answers: String,
}

/// Figures of a way as multiples of those of rstar's defaults; none where the latter is nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    /// Runs in the index.
    pub entries: Option<f64>,
    /// Time to build.
    pub build: Option<f64>,
    /// Time to query.
    pub query: Option<f64>,
    /// Both.
    pub search: Option<f64>,
    /// The whole step.
    pub step: Option<f64>,
    /// Memory.
    pub memory: Option<f64>,
    /// Candidates.
    pub candidates: Option<f64>,
    /// Exact tests.
    pub exact_tests: Option<f64>,
    /// Hits.
    pub hits: Option<f64>,
}

/// One way to measure.
#[derive(Clone, Debug)]
struct Way {
    group: String,
    name: String,
    kind: IndexKind,
    params: Params,
    threads: usize,
}

/// Every way of every family; the first of a family is its base.
fn families(plan: &Plan) -> Vec<Vec<Way>> {
    let defaults = Params::default();
    let main = plan.threads.iter().copied().max().unwrap_or(1);
    let way = |group: &str, name: String, kind, params: &Params| Way { group: group.to_owned(), name, kind, params: params.clone(), threads: main };
    let named = |group: &str, kind: IndexKind, params: &Params| way(group, kind.word().to_owned(), kind, params);
    let of_nodes = |kind: IndexKind, size: NodeSize| way(INDEX, format!("{}, nodes of {}", kind.word(), size.get()), kind, &defaults);

    let mut first = vec![named(INDEX, IndexKind::Rstar, &defaults)];
    first.extend(NodeSize::ALL.map(|size| of_nodes(IndexKind::RstarNodes(size), size)));
    first.push(named(INDEX, IndexKind::Sif, &defaults));
    first.extend(NodeSize::ALL.map(|size| of_nodes(IndexKind::SifNodes(size), size)));
    first.extend([IndexKind::Grid, IndexKind::Brute].map(|kind| named(INDEX, kind, &defaults)));
    for extent_m in RUN_BOXES_M {
        let mut params = defaults.clone();
        params.search.run_extent_m = Metres::of(extent_m);
        first.push(way("run", format!("rstar, runs of {extent_m} m"), IndexKind::Rstar, &params));
    }
    for hours in RUN_HOURS {
        let mut params = defaults.clone();
        params.search.run_h = Hours::of(hours);
        first.push(way("run", format!("rstar, runs of {hours} h"), IndexKind::Rstar, &params));
    }
    for &threads in plan.threads.iter().filter(|n| **n != main) {
        for kind in [IndexKind::Rstar, IndexKind::Sif, IndexKind::Grid] {
            let name = format!("{}, {threads} thread{}", kind.word(), if threads == 1 { "" } else { "s" });
            first.push(Way { threads, ..way("threads", name, kind, &defaults) });
        }
    }

    let mut families = vec![first];
    let hysteresis = defaults.rendezvous.leave_m.get() / defaults.rendezvous.enter_m.get();
    for &reach_m in plan.reaches_m.iter().filter(|r| **r != defaults.rendezvous.enter_m.get()) {
        let mut params = defaults.clone();
        params.rendezvous.enter_m = Metres::of(reach_m);
        params.rendezvous.leave_m = Metres::of(reach_m * hysteresis);
        families.push(IndexKind::ALL.map(|kind| named(&format!("reach {reach_m} m"), kind, &params)).to_vec());
    }
    families
}

/// Measures every way.
pub fn measure(traffic: &Traffic, plan: &Plan, progress: &(dyn Fn(Progress) + Sync)) -> Result<Vec<Row>, Error> {
    let families = families(plan);
    let of = families.iter().map(Vec::len).sum();
    let mut pools = BTreeMap::new();
    for way in families.iter().flatten() {
        if let std::collections::btree_map::Entry::Vacant(free) = pools.entry(way.threads) {
            free.insert(pool(way.threads)?);
        }
    }
    let mut rows = Vec::with_capacity(of);
    if let Some(base) = families.iter().flatten().next() {
        // The first step of all finds cold memory: it does not count.
        progress(Progress::Measuring { done: 0, of, name: "warming up".to_owned() });
        pools[&base.threads].install(|| step(traffic, base));
    }
    for family in &families {
        let before = rows.len();
        let tell = |k: usize, name: &str| progress(Progress::Measuring { done: before + k, of, name: name.to_owned() });
        rows.extend(measure_family(traffic, family, plan.runs, &pools, &tell)?);
    }
    Ok(rows)
}

/// What is known of a way so far.
struct Taken {
    whole: Found,
    answers: String,
    steps_us: Vec<u64>,
    searches: Vec<Work>,
}

fn measure_family(traffic: &Traffic, family: &[Way], runs: u32, pools: &BTreeMap<usize, ThreadPool>, tell: &dyn Fn(usize, &str)) -> Result<Vec<Row>, Error> {
    let Some(base) = family.first() else { return Ok(Vec::new()) };
    let boxes: Vec<Vec<Box4>> = family.iter().map(|way| pools[&way.threads].install(|| boxes_of(traffic, &way.params))).collect();
    let mut reference = Vec::new();
    let mut taken: Vec<Option<Taken>> = Vec::with_capacity(family.len());
    for (k, (way, boxes)) in family.iter().zip(&boxes).enumerate() {
        tell(k, &way.name);
        if way.kind == IndexKind::Brute && boxes::pairs_in_time(boxes) > MOST_BRUTE_PAIRS {
            taken.push(None);
            continue;
        }
        let (mut whole, step_us) = pools[&way.threads].install(|| step(traffic, way));
        let answers = digest(&whole.ended);
        let meetings = std::mem::take(&mut whole.ended);
        if k == 0 {
            reference = meetings;
        } else if let Some(what) = first_difference(&reference, &meetings) {
            return Err(Error::Differ { way: full_name(way), base: full_name(base), what });
        }
        taken.push(Some(Taken { whole, answers, steps_us: vec![step_us], searches: Vec::new() }));
    }
    repeat(traffic, family, &boxes, runs, pools, &mut taken)?;
    let rows = family.iter().zip(&boxes).zip(taken);
    let mut rows: Vec<Row> = rows.map(|((way, boxes), taken)| row(way, boxes, taken, reference.len() as u64)).collect();
    compare_with_base(&mut rows);
    Ok(rows)
}

/// Repeats the searches alone, in turn. A round before the first finds cold memory and does not count: in it the pairs of boxes
/// themselves are compared, where the runs are the same.
fn repeat(
    traffic: &Traffic,
    family: &[Way],
    boxes: &[Vec<Box4>],
    runs: u32,
    pools: &BTreeMap<usize, ThreadPool>,
    taken: &mut [Option<Taken>],
) -> Result<(), Error> {
    let mut pairs_of_base: Option<Vec<(u32, u32)>> = None;
    for round in 0..=runs {
        for (k, way) in family.iter().enumerate() {
            let Some(taken) = &mut taken[k] else { continue };
            if (taken.whole.work.build_us + taken.whole.work.query_us) as f64 > MOST_REPEATED_S * 1e6 {
                continue;
            }
            let begin = Instant::now();
            let now_us = || begin.elapsed().as_micros() as u64;
            let (pairs, work) = pools[&way.threads].install(|| boxes::near_pairs(&boxes[k], meeting::reach_m(&way.params), way.kind, &now_us));
            if round > 0 {
                taken.searches.push(work);
            }
            if round > 1 && way.group == INDEX {
                taken.steps_us.push(pools[&way.threads].install(|| step(traffic, way)).1);
            }
            if round == 0 && k == 0 {
                pairs_of_base = Some(pairs);
            } else if let (0, Some(base)) = (round, &pairs_of_base)
                && way.params == family[0].params
                && pairs != *base
            {
                let at = pairs.iter().zip(base).take_while(|(x, y)| x == y).count();
                let what = format!("{} pairs of runs and {}, the same up to pair {at}", pairs.len(), base.len());
                return Err(Error::Differ { way: full_name(way), base: full_name(&family[0]), what });
            }
        }
    }
    Ok(())
}

fn full_name(way: &Way) -> String {
    format!("{}, enter {} m", way.name, way.params.rendezvous.enter_m.get())
}

/// The boxes that the index holds.
fn boxes_of(traffic: &Traffic, params: &Params) -> Vec<Box4> {
    let (_, runs) = engine::legs_and_runs(&traffic.tracks, traffic.window, params);
    let window = traffic.window;
    runs.iter().filter(|r| r.t1_ms >= window.0 && r.t0_ms <= window.1).map(|r| meeting::as_box(r, window)).collect()
}

/// The whole step from runs to meetings, and its microseconds. Legs are made anew: they keep what a step has sampled.
fn step(traffic: &Traffic, way: &Way) -> (Found, u64) {
    let (legs, runs) = engine::legs_and_runs(&traffic.tracks, traffic.window, &way.params);
    let begin = Instant::now();
    let now_us = || begin.elapsed().as_micros() as u64;
    let step = Step { window: traffic.window, end: WindowEnd::DataEnd, params: &way.params, index: way.kind, now_us: &now_us };
    let found = meeting::find(&traffic.tracks, &legs, &runs, BTreeMap::new(), &step);
    let us = now_us();
    (found, us)
}

/// BLAKE3 of meetings, bit for bit.
fn digest(meetings: &[RendezvousFacts]) -> String {
    let mut hasher = blake3::Hasher::new();
    for meeting in meetings {
        hasher.update(&bytes(meeting));
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn bytes(meeting: &RendezvousFacts) -> Vec<u8> {
    postcard::to_stdvec(meeting).unwrap_or_default()
}

/// What two lists of meetings differ in first; none where they are the same, bit for bit.
pub fn first_difference(base: &[RendezvousFacts], other: &[RendezvousFacts]) -> Option<String> {
    let at = base.iter().zip(other).position(|(x, y)| bytes(x) != bytes(y));
    let at = match at {
        None if base.len() == other.len() => return None,
        None => base.len().min(other.len()),
        Some(at) => at,
    };
    let tell = |list: &[RendezvousFacts]| match list.get(at) {
        None => "nothing".to_owned(),
        Some(m) => format!("{} beside {} from {} to {}", m.mmsis[0].0, m.mmsis[1].0, rfc3339(m.start_ms), rfc3339(m.end_ms)),
    };
    Some(format!("{} meetings and {}; meeting {} is {} and {}", other.len(), base.len(), at + 1, tell(other), tell(base)))
}

fn row(way: &Way, boxes: &[Box4], taken: Option<Taken>, meetings: u64) -> Row {
    let params = &way.params;
    let left_out = taken.is_none().then(|| {
        let pairs = boxes::pairs_in_time(boxes);
        format!("{:.1e} pairs of runs overlap in time; brute force ends at {:.0e}", pairs as f64, MOST_BRUTE_PAIRS as f64)
    });
    Row {
        group: way.group.clone(),
        name: way.name.clone(),
        index: way.kind.word().to_owned(),
        node_size: way.kind.node_size(),
        run_extent_m: params.search.run_extent_m.get(),
        run_h: params.search.run_h.millis() as f64 / 3_600_000.0,
        enter_m: params.rendezvous.enter_m.get(),
        leave_m: params.rendezvous.leave_m.get(),
        threads: way.threads,
        is_base: false,
        measured: taken.map(|taken| measured(&taken, meetings)),
        to_base: None,
        left_out,
    }
}

fn measured(taken: &Taken, meetings: u64) -> Measured {
    let work = taken.whole.work;
    let searches = if taken.searches.is_empty() { &[work][..] } else { &taken.searches };
    let ms = |of: fn(&Work) -> u64| median(searches.iter().map(|w| of(w) as f64 / 1000.0).collect());
    Measured {
        entries: work.entries,
        build_ms: ms(|w| w.build_us),
        query_ms: ms(|w| w.query_us),
        times: searches.len(),
        step_ms: median(taken.steps_us.iter().map(|us| *us as f64 / 1000.0).collect()),
        memory_bytes: work.bytes,
        candidates: work.candidates,
        exact_tests: taken.whole.exact_tests,
        hits: taken.whole.hits,
        meetings,
        answers: taken.answers.clone(),
    }
}

fn compare_with_base(rows: &mut [Row]) {
    let Some(base) = rows.first_mut().and_then(|row| {
        row.is_base = true;
        row.measured.clone()
    }) else {
        return;
    };
    for row in rows {
        row.to_base = row.measured.as_ref().map(|m| m.ratios(&base));
    }
}

impl Measured {
    /// Time of both, milliseconds.
    pub fn search_ms(&self) -> f64 {
        self.build_ms + self.query_ms
    }

    /// As multiples of another's.
    pub fn ratios(&self, base: &Self) -> Ratios {
        let counts = |x: u64, y: u64| ratio(x as f64, y as f64);
        Ratios {
            entries: counts(self.entries, base.entries),
            build: ratio(self.build_ms, base.build_ms),
            query: ratio(self.query_ms, base.query_ms),
            search: ratio(self.search_ms(), base.search_ms()),
            step: ratio(self.step_ms, base.step_ms),
            memory: counts(self.memory_bytes, base.memory_bytes),
            candidates: counts(self.candidates, base.candidates),
            exact_tests: counts(self.exact_tests, base.exact_tests),
            hits: counts(self.hits, base.hits),
        }
    }
}
