//! The spatial queries timed on anybody's own files, side by side.
//!
//! *In*: AIS files. *Out*: a [`Report`]: the pair search by every index, size of node, size of run, reach and number of threads, and
//! the queries of zones, ports and coast. Every way must give the same answers, or there is no report. The input is looked at as one
//! window of time from the first day to the last, not day by day: the meetings are the same, and the index is as large as it gets.

pub mod against;
pub mod places;
pub mod search;
pub mod text;

use crate::frame;
use crate::ingest::{self, Limits};
use crate::model::time::{day_start_ms, day_text};
use crate::model::{Params, Track};
use crate::run::engine::{self, DayRows, Ways};
use crate::run::oneshot;
use crate::spatial::boxes::IndexKind;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Instant;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Files, folders, globs, `-`.
    pub inputs: Vec<String>,
    /// Which rows.
    pub limits: Limits,
    /// How often a search is repeated; the median counts.
    pub runs: u32,
    /// Numbers of threads; the greatest is that of all comparisons but that of threads.
    pub threads: Vec<usize>,
    /// Entering distances, metres.
    pub reaches_m: Vec<f64>,
    /// A report to compare with.
    pub against: Option<Report>,
}

/// Everything that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of this program.
    pub version: String,
    /// What was looked at.
    pub input: Input,
    /// Cores of the machine.
    pub cores: usize,
    /// How long a fixed piece of arithmetic takes on one core, milliseconds: what makes two machines comparable.
    pub calibration_ms: f64,
    /// How often a search was repeated.
    pub runs: u32,
    /// The pair search.
    pub searches: Vec<search::Row>,
    /// Zones, ports and coast, on one thread.
    pub places: Vec<places::Row>,
    /// Against an earlier report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<against::Row>,
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// First and last UTC day.
    pub days: (String, String),
    /// Rows below the headers.
    pub rows: u64,
    /// Ships with a position.
    pub vessels: u64,
    /// Tracks.
    pub tracks: u64,
    /// Fixes of the tracks.
    pub fixes: u64,
    /// BLAKE3 of the times and positions of all fixes, by track; the same however the files are cut.
    pub digest: String,
}

/// What a measurement can fail of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input could not be read.
    #[error(transparent)]
    Run(#[from] oneshot::Error),
    /// Two ways to the same answer gave two answers.
    #[error("`{way}` and `{base}` give different answers: {what}")]
    Differ {
        /// Which way.
        way: String,
        /// What it was held against.
        base: String,
        /// What differs first.
        what: String,
    },
    /// No report of ours.
    #[error("{}: not a report of `alongside bench`: {what}", .path.display())]
    NoReport {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A report of something else.
    #[error("the earlier report is of other input: {what}")]
    OtherInput {
        /// What differs first.
        what: String,
    },
    /// A report with other answers.
    #[error("the earlier report has other answers: {what}")]
    OtherAnswers {
        /// What differs first.
        what: String,
    },
    /// The report could not be written.
    #[error("{}: {what}", .path.display())]
    Output {
        /// Which file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// No threads to be had.
    #[error("{threads} threads: {what}")]
    Threads {
        /// How many.
        threads: usize,
        /// Why not.
        what: String,
    },
}

impl Error {
    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Run(_) => "",
            Self::Differ { .. } => "please report it with the command line and, where you may, the input",
            Self::NoReport { .. } => "--against takes a file that --save wrote",
            Self::OtherInput { .. } => "measure both on the same files, with the same --from, --to and --bbox",
            Self::OtherAnswers { .. } => "times of different answers say nothing of each other: look into the answers first",
            Self::Output { .. } => "name another file with --save",
            Self::Threads { .. } => "ask for fewer with --threads",
        }
    }
}

/// What progress is reported of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Reading.
    Reading(oneshot::Progress),
    /// A measurement begins.
    Measuring {
        /// Measurements done.
        done: usize,
        /// Measurements in all.
        of: usize,
        /// What is measured.
        name: String,
    },
}

/// The tracks of the input, and the window of time over them.
pub struct Traffic {
    /// In the order of MMSI and id.
    pub tracks: Vec<Track>,
    /// First and last moment, UTC milliseconds.
    pub window: (i64, i64),
}

/// Measures. With the inputs that were refused.
pub fn bench(plan: &Plan, progress: &(dyn Fn(Progress) + Sync)) -> Result<(Report, Vec<ingest::Error>), Error> {
    let main = plan.threads.iter().copied().max().unwrap_or(1);
    let pool = pool(main)?;
    let (traffic, input, refused) = pool.install(|| read(plan, progress))?;
    if let Some(old) = &plan.against {
        against::same_input(&old.input, &input)?;
    }
    let calibration_ms = calibrate();
    let searches = search::measure(&traffic, plan, progress)?;
    let places = pool.install(|| places::measure(&traffic, &Params::default(), progress))?;
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        input,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        calibration_ms,
        runs: plan.runs,
        searches,
        places,
        against: Vec::new(),
    };
    if let Some(old) = &plan.against {
        report.against = against::compare(old, &report)?;
    }
    Ok((report, refused))
}

/// A pool of threads of its own for each number of them.
fn pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| Error::Threads { threads, what: e.to_string() })
}

/// Reads the input into tracks.
fn read(plan: &Plan, progress: &(dyn Fn(Progress) + Sync)) -> Result<(Traffic, Input, Vec<ingest::Error>), Error> {
    let (delivery, (first_day, last_day)) = oneshot::deliver(&plan.inputs, &plan.limits, &|p| progress(Progress::Reading(p)))?;
    progress(Progress::Reading(oneshot::Progress::Stage("making tracks")));
    let bug = |e: polars::prelude::PolarsError| Error::Run(oneshot::Error::Bug(e.to_string()));
    let table = frame::particulars_records(&delivery.particulars).map_err(bug)?;
    let ships = frame::ships(&delivery.positions).map_err(bug)?;
    // Rows of stray days between or beside those delivered are no traffic.
    let window = (day_start_ms(first_day), day_start_ms(last_day + 1));
    let of_window: Vec<_> = ships.iter().map(|s| s.between(window.0, window.1)).filter(|s| !s.t_ms.is_empty()).collect();
    let params = Params::default();
    let ways = Ways { params: &params, index: IndexKind::Rstar, keep: 0, now_us: &|| 0 };
    let tracks = engine::tracks_of(DayRows { ships: &of_window, particulars: &table }, window.1, &ways);
    let input = Input {
        days: (day_text(first_day), day_text(last_day)),
        rows: delivery.accounts.iter().map(|a| a.rows).sum(),
        vessels: ships.len() as u64,
        tracks: tracks.len() as u64,
        fixes: tracks.iter().map(|t| t.fixes.len() as u64).sum(),
        digest: digest(&tracks),
    };
    Ok((Traffic { tracks, window }, input, delivery.refused))
}

fn digest(tracks: &[Track]) -> String {
    let mut hasher = blake3::Hasher::new();
    for track in tracks {
        hasher.update(&track.mmsi.0.to_le_bytes());
        hasher.update(&track.id.0.to_le_bytes());
        for fix in &track.fixes {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&fix.t_ms.to_le_bytes());
            bytes[8..12].copy_from_slice(&fix.lat_e7.to_le_bytes());
            bytes[12..].copy_from_slice(&fix.lon_e7.to_le_bytes());
            hasher.update(&bytes);
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Milliseconds that a fixed piece of integer and floating arithmetic takes on one core: the least of five.
fn calibrate() -> f64 {
    let once = || {
        let begin = Instant::now();
        let (mut word, mut sum) = (0x9e37_79b9_7f4a_7c15u64, 0.0f64);
        for _ in 0..std::hint::black_box(20_000_000) {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            sum = (sum + (word >> 40) as f64).sqrt();
        }
        std::hint::black_box(sum);
        begin.elapsed().as_secs_f64() * 1000.0
    };
    (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
}

/// The middle one of some figures; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { 0.0 } else { (values[(n - 1) / 2] + values[n / 2]) / 2.0 }
}

/// One figure as a multiple of another; none of nothing.
fn ratio(value: f64, base: f64) -> Option<f64> {
    (base > 0.0).then(|| value / base)
}

/// Reads a report that [`save`] wrote.
pub fn load(path: &std::path::Path) -> Result<Report, Error> {
    let no_report = |what: String| Error::NoReport { path: path.to_path_buf(), what };
    let text = std::fs::read(path).map_err(|e| no_report(e.to_string()))?;
    serde_json::from_slice(&text).map_err(|e| no_report(e.to_string()))
}

/// Whether a report may be written there: nothing is there, or a report of ours.
pub fn may_save(path: &std::path::Path) -> Result<(), Error> {
    let output = |what: &str| Error::Output { path: path.to_path_buf(), what: what.to_owned() };
    if path.exists() && load(path).is_err() {
        return Err(output("exists already, and is no report of `alongside bench`"));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    if folder.is_some_and(|f| !f.is_dir()) { Err(output("no such folder")) } else { Ok(()) }
}

/// The report as JSON text.
pub fn json(report: &Report) -> Result<String, Error> {
    serde_json::to_string_pretty(report).map(|text| text + "\n").map_err(|e| Error::Run(oneshot::Error::Bug(e.to_string())))
}

/// Writes a report, whole or not at all.
pub fn save(report: &Report, path: &std::path::Path) -> Result<(), Error> {
    let output = |e: std::io::Error| Error::Output { path: path.to_path_buf(), what: e.to_string() };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(output)?;
    std::io::Write::write_all(&mut file, json(report)?.as_bytes()).map_err(output)?;
    file.persist(path).map(drop).map_err(|e| output(e.error))
}
