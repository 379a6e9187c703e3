//! The laboratory: labelled synthetic traffic, how well events agree with labels, and how fast the spatial queries are.
//!
//! *In*: a seed and a size. *Out*: AIS files as MarineCadastre or the Danish Maritime Authority writes them, and what is true of them; or *in*: events and labels,
//! *out*: recall, precision and timing. It stands beside `cli`, above `run`, and is a user's tool too: it shows what the detector
//! can see and what it cannot. The same plan gives the same bytes on any machine: chance is written out ([`dice`]), trigonometry
//! is `libm`'s, and nothing depends on the clock, the threads or the order of a hash.

pub mod bench;
pub mod dice;
pub mod evaluate;
pub mod fleet;
pub mod labels;
pub mod motion;
pub mod reports;
mod table;
pub mod waters;
pub mod world;
pub mod write;

use crate::export;
use crate::export::whole::Folder;
use crate::model::time::day_text;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// Level of compression: at 6 the fixture is a fifteenth smaller, but a day of ten million rows took 44 s on a busy machine of two
/// cores; at 3 it took 15 s on the same one, less busy.
const ZSTD_LEVEL: i32 = 3;

/// Which header and spelling the files have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// MarineCadastre 2015 to 2024.
    Legacy,
    /// MarineCadastre 2025: renamed columns, longitude first, sentinels empty.
    Renamed,
    /// Danish Maritime Authority, with the place of the antenna (A to D).
    Dma,
}

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Folder that appears whole or not at all: `ais/ais-2024-03-01.csv`, one a day (`ais/aisdk-2024-03-01.csv` as the Danish files
    /// are called), and `labels.csv`.
    pub out: PathBuf,
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// UTC days.
    pub days: u32,
    /// The first, counted from 1970-01-01.
    pub start_day: i32,
    /// Ships in all.
    pub ships: u32,
    /// Seconds between two reports of a ship under way; at rest 2.4 times that. Real files: 75 (thinned to about a minute).
    pub interval_s: f64,
    /// Header and spelling.
    pub layout: Layout,
    /// Whether the days are `.csv.zst`.
    pub compress: bool,
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Made {
    /// Files of reports with their rows, malformed lines not counted.
    pub days: Vec<(String, u64)>,
    /// Labels by scenario: true ones, look-alikes.
    pub labels: BTreeMap<String, (u64, u64)>,
}

/// What the laboratory can fail of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No CSV, or a broken one.
    #[error("{}: not a readable table: {what}", .path.display())]
    NotATable {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A column is missing.
    #[error("{}: no column `{column}`; found {}", .path.display(), .found.join(", "))]
    MissingColumn {
        /// Which file.
        path: PathBuf,
        /// Which.
        column: &'static str,
        /// What is there.
        found: Vec<String>,
    },
    /// A cell that says nothing.
    #[error("{}: line {line}: `{found}` is no {column}", .path.display())]
    Cell {
        /// Which file.
        path: PathBuf,
        /// Line, the header being 1; of a GeoJSON file the number of the feature.
        line: u64,
        /// Which column.
        column: &'static str,
        /// What is there.
        found: String,
    },
    /// The simulation could not be written.
    #[error(transparent)]
    Output(#[from] export::Error),
    /// A folder without events.
    #[error("{}: no events.csv and no events.geojson in it", .0.display())]
    NoEvents(PathBuf),
}

impl Error {
    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check the spelling: events first, then labels: alongside evaluate out/events.csv traffic/labels.csv",
            Self::NotATable { .. } | Self::MissingColumn { .. } | Self::Cell { .. } => {
                "events are the events.csv, events.geojson or folder of `alongside detect`, labels the labels.csv of `alongside simulate`"
            }
            Self::Output(e @ export::Error::Io { .. }) => e.hint(),
            Self::Output(_) => "name another folder with -o",
            Self::NoEvents(_) => "give the folder that `alongside detect -o` wrote",
        }
    }
}

/// Simulates: plans the world, then makes and writes one day after the other.
pub fn simulate(plan: &Plan) -> Result<Made, Error> {
    let mut folder = Folder::begin(&plan.out, false)?;
    let world = world::plan(plan);
    let reports = reports::Reports { world: &world, seed: plan.seed, interval_s: plan.interval_s };
    let mut made = Made::default();
    for day in 0..plan.days {
        let rows = reports.day(day.into());
        let date = day_text(plan.start_day + day as i32);
        let name = format!("ais/{}-{date}.csv{}", if plan.layout == Layout::Dma { "aisdk" } else { "ais" }, if plan.compress { ".zst" } else { "" });
        let mut dice = dice::Dice::new(plan.seed, u64::MAX - 1 - u64::from(day));
        folder.file(&name, |out| {
            if !plan.compress {
                return write::day(&world.ships, &rows, &date, plan.layout, &mut dice, out);
            }
            let mut packed = zstd::Encoder::new(out, ZSTD_LEVEL)?;
            write::day(&world.ships, &rows, &date, plan.layout, &mut dice, &mut packed)?;
            packed.finish().map(drop)
        })?;
        made.days.push((name, rows.len() as u64));
    }
    let labels = labels::of(&world, &reports);
    folder.file("labels.csv", |out| labels::write(&labels, out))?;
    folder.finish()?;
    for label in labels {
        let counts = made.labels.entry(label.scenario).or_default();
        *(if label.truth { &mut counts.0 } else { &mut counts.1 }) += 1;
    }
    Ok(made)
}
