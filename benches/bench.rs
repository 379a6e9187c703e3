//! One benchmark binary: the scanner, the candidate search by every index, and the whole run, on the committed two-day fixture;
//! and a bare walk over the lines and fields of any file, the least that a reader can do.
//!
//! `cargo bench` runs it; `cargo bench -- search` runs one group, `ALONGSIDE_WALK=DAY.csv cargo bench -- walk` walks a file of
//! yours. Whole days and a comparison with SQL, polars and Python: `benches/peers.py`.

use alongside::detect::motion::{self, Run};
use alongside::detect::pairs::Rules;
use alongside::frame;
use alongside::ingest::{self, Limits};
use alongside::model::{Params, Track};
use alongside::run::oneshot::{self, Plan};
use alongside::spatial::boxes::{self, Box4, IndexKind};
use alongside::track::segment::{self, ShipState};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use std::hint::black_box;
use std::path::{Path, PathBuf};

fn days() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/two-days");
    let mut days: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    days.sort();
    days
}

/// The fixture as plain CSV, so that the scanner is timed and not the decoder.
fn plain(folder: &Path) -> Vec<PathBuf> {
    days()
        .iter()
        .map(|day| {
            let out = folder.join(day.file_stem().unwrap_or_default());
            std::fs::write(&out, zstd::decode_all(std::fs::File::open(day).expect("fixture")).expect("zstd")).expect("scratch file");
            out
        })
        .collect()
}

fn scanner(c: &mut Criterion) {
    let scratch = tempfile::tempdir().expect("scratch folder");
    let days = plain(scratch.path());
    let bytes = days.iter().filter_map(|d| std::fs::metadata(d).ok()).map(|m| m.len()).sum();
    let mut group = c.benchmark_group("scanner");
    group.throughput(Throughput::Bytes(bytes)).sample_size(20);
    group.bench_function("rows to grouped frames", |b| b.iter(|| black_box(ingest::read(&days, &Limits::default(), &|_| ()).expect("read"))));
    group.finish();
}

/// Lines and commas of some whole lines: what every reader of CSV must find, and nothing made of it.
fn walk_over(bytes: &[u8]) -> (u64, u64) {
    let (mut lines, mut commas, mut begin) = (0, 0, 0);
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        let line = &bytes[begin..end];
        if !line.is_empty() {
            lines += 1;
            commas += memchr::memchr_iter(b',', line).map(|at| u64::from(black_box(at) < line.len())).sum::<u64>();
        }
        begin = (end + 1).min(bytes.len());
    }
    (lines, commas)
}

/// Blocks of whole lines, 4 MiB or a little less each.
fn blocks(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let most = rest.len().min(4 << 20);
        let cut = if most == rest.len() { most } else { memchr::memrchr(b'\n', &rest[..most]).map_or(rest.len(), |at| at + 1) };
        let (block, after) = rest.split_at(cut);
        out.push(block);
        rest = after;
    }
    out
}

fn walk(c: &mut Criterion) {
    let scratch = tempfile::tempdir().expect("scratch folder");
    let path = std::env::var_os("ALONGSIDE_WALK").map_or_else(|| plain(scratch.path()).remove(0), PathBuf::from);
    let bytes = std::fs::read(path).expect("the file to walk over");
    let blocks = blocks(&bytes);
    let in_parallel = || blocks.par_iter().map(|block| walk_over(block)).reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    assert_eq!(walk_over(&bytes), in_parallel());
    let mut group = c.benchmark_group("walk");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
    group.bench_function("lines and fields, one thread", |b| b.iter(|| black_box(walk_over(&bytes))));
    group.bench_function("lines and fields, every core", |b| b.iter(|| black_box(in_parallel())));
    group.finish();
}

fn runs_of_the_fixture(params: &Params) -> Vec<Run> {
    let delivery = ingest::read(&days(), &Limits::default(), &|_| ()).expect("read");
    let ships = frame::ships(&delivery.positions).expect("frame");
    let mut tracks: Vec<Track> = Vec::new();
    for rows in &ships {
        let fixes = (0..rows.t_ms.len()).map(|k| rows.fix(k));
        let assigned = segment::assign(rows.mmsi, fixes, &mut ShipState::default(), params);
        tracks.extend(assigned.fixes.into_iter().map(|(id, fixes)| Track::new(id, rows.mmsi, fixes)));
    }
    tracks.iter().enumerate().flat_map(|(k, track)| motion::legs_and_runs(k as u32, track, motion::ALWAYS, params).1).collect()
}

fn search(c: &mut Criterion) {
    let params = Params::default();
    let runs = runs_of_the_fixture(&params);
    let begin = runs.iter().map(|r| r.t0_ms).min().unwrap_or(0);
    let boxes: Vec<Box4> = runs
        .iter()
        .map(|r| {
            let ([x0, y0, z0], [x1, y1, z1]) = (r.extent.lo, r.extent.hi);
            let seconds = |t: i64| ((t - begin) / 1000) as i32;
            Box4 { lo: [x0, y0, z0, seconds(r.t0_ms)], hi: [x1, y1, z1, seconds(r.t1_ms) + 1], owner: r.track }
        })
        .collect();
    let reach = params.rendezvous.leave_m.get().ceil() as i32 + 1;
    let mut group = c.benchmark_group("search");
    group.throughput(Throughput::Elements(boxes.len() as u64)).sample_size(20);
    for kind in IndexKind::ALL {
        group.bench_with_input(BenchmarkId::from_parameter(kind.word()), &kind, |b, kind| b.iter(|| black_box(boxes::near_pairs(&boxes, reach, *kind, &|| 0))));
    }
    let rules = Rules::new(&params);
    let (pairs, _) = boxes::near_pairs(&boxes, reach, IndexKind::Rstar, &|| 0);
    group.throughput(Throughput::Elements(pairs.len() as u64));
    group.bench_function("boxes of candidates", |b| b.iter(|| pairs.iter().filter(|&&(i, j)| rules.may_enter(&runs[i as usize], &runs[j as usize])).count()));
    group.finish();
}

fn whole_run(c: &mut Criterion) {
    let scratch = tempfile::tempdir().expect("scratch folder");
    let inputs = days().iter().map(|d| d.display().to_string()).collect();
    let plan = Plan { overwrite: true, ..Plan::new(inputs, scratch.path().join("run")) };
    let mut group = c.benchmark_group("run");
    group.sample_size(10);
    group.bench_function("detect, two days", |b| b.iter(|| black_box(oneshot::detect(&plan, &|_| ()).expect("run"))));
    group.finish();
}

criterion_group!(all, scanner, walk, search, whole_run);
criterion_main!(all);
