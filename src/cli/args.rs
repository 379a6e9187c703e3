//! The command line, parsed low: what is not given stays `None` for the configuration to decide.

use crate::ingest::layout::{Field, PARTICULARS, Reading, TimeForm};
use crate::model::Kind;
use crate::run::oneshot::Format;
use crate::run::presets::Preset;
use crate::run::{config, providers};
use crate::spatial::boxes::IndexKind;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// Finds ship-to-ship transfers in downloaded public AIS files.
#[derive(Debug, Parser)]
#[command(
    name = "alongside",
    version,
    max_term_width = 110,
    after_help = "Examples:\n  alongside detect AIS_2020_01_01.zip -o night\n  alongside detect 'ais/*.csv.zst' -o week --min-confidence 70\n  alongside simulate -o traffic && alongside detect traffic/ais -o out && alongside evaluate out/events.csv traffic/labels.csv"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find events: rendezvous and gaps, scored, as GeoJSON and CSV
    Detect(Box<Detect>),
    /// Write what was read as canonical GeoParquet, one file a UTC day
    Convert(Convert),
    /// Make labelled synthetic traffic: what is true of it is known
    Simulate(Simulate),
    /// Compare events with labels: recall, precision and timing, by kind and scenario
    Evaluate(Evaluate),
    /// Time the spatial queries on your own files, side by side; every index must give the same answers
    Bench(Bench),
    /// Say what files are: layout, rows, ships, span, area, intervals, what is missing and what is odd
    Inspect(Inspect),
    /// Look into the state of nightly runs, export its book, verify, prune or forget
    State {
        #[command(subcommand)]
        what: StateCommand,
    },
    /// Print the default configuration, commented, ready to edit
    Config {
        /// With the values of a preset, and why it has them
        #[arg(long, value_enum, value_name = "NAME", default_value = "default")]
        preset: Preset,
    },
    /// Print shell completions
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Options of `detect`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "INPUT is AIS as CSV or Parquet: MarineCadastre (both layouts), Danish Maritime Authority, Kystverket,\nBrest, Piraeus, Global Fishing Watch tracks, NUS, AISHub, exactEarth, Spire and UN Global Platform,\nrecognised by the columns, and what `convert` writes; raw NMEA with receive times; or Finnish JSON (Digitraffic).\n\nExit codes: 0 done; 2 usage or configuration; 3 no usable input; 4 some input refused;\n5 output not written; 6 another run holds the output or the state; 70 our bug; 130, 143 stopped.\n\nExamples:\n  alongside detect AIS_2020_01_01.zip -o night\n  alongside detect ais/ -o month --from 2020-01-01 --to 2020-01-31 --kinds rendezvous\n  alongside detect AIS_2020_01_02.zip --state state -o night --overwrite\n  zstdcat day.csv.zst | alongside detect - -o night --overwrite"
)]
pub struct Detect {
    /// A file, a folder, a glob in quotes, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Folder of the run; appears whole or not at all
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace a run that is there
    #[arg(long)]
    pub overwrite: bool,
    /// Folder that remembers from night to night: what came is added, and the whole book is written
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// Whose definition of a meeting to begin with; a configuration file and single parameters lie over it
    #[arg(long, value_enum, value_name = "NAME", default_value = "default", help_heading = "Rules")]
    pub preset: Preset,
    /// Configuration file; `alongside config` prints one
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub config: Option<PathBuf>,
    /// One parameter, as section.key=value (repeatable)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Rules")]
    pub set: Vec<String>,
    /// How candidates are searched; the answers are the same
    #[arg(long, value_enum, default_value = "rstar", help_heading = "Rules")]
    pub index: Index,

    /// How the files are laid out
    #[command(flatten)]
    pub layout: LayoutOptions,

    /// Which rows
    #[command(flatten)]
    pub rows: Rows,

    /// Events below are counted, not written
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i32).range(0..=100), help_heading = "Which events")]
    pub min_confidence: i32,
    /// Kinds to write: rendezvous, gap [default: all]
    #[arg(long, value_delimiter = ',', value_parser = parse_kind, help_heading = "Which events")]
    pub kinds: Vec<Kind>,
    /// Event files to write
    #[arg(long, value_delimiter = ',', value_enum, default_value = "geojson,csv", help_heading = "Which events")]
    pub formats: Vec<Format>,

    /// How it runs
    #[command(flatten)]
    pub running: Running,
    /// Say how long the rooms took
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Running")]
    pub verbose: u8,
}

/// What to do with a state.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Say what it holds: nights, days, inputs, events, room on disk
    Show {
        /// The state folder
        #[arg(value_name = "DIR")]
        state: PathBuf,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Write its whole book: events and ledger
    Export {
        /// The state folder
        #[arg(value_name = "DIR")]
        state: PathBuf,
        /// Folder to make; appears whole or not at all
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        /// Replace a run that is there
        #[arg(long)]
        overwrite: bool,
        /// Event files to write
        #[arg(long, value_delimiter = ',', value_enum, default_value = "geojson,csv")]
        formats: Vec<Format>,
    },
    /// Read every file of it again and check its hash
    Verify {
        /// The state folder
        #[arg(value_name = "DIR")]
        state: PathBuf,
    },
    /// Let go of what is older than state.revision_d and state.keep_d
    Prune {
        /// The state folder
        #[arg(value_name = "DIR")]
        state: PathBuf,
        /// One parameter, as section.key=value (repeatable)
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
    },
    /// Take an input, or all rows of a day, out of it, and fold again what that touches
    Forget {
        /// The state folder
        #[arg(value_name = "DIR")]
        state: PathBuf,
        /// An input by its file name, or a UTC day such as 2020-01-31
        #[arg(value_name = "FILE|DAY")]
        what: String,
    },
}

/// How a command that works on files runs.
#[derive(Clone, Debug, clap::Args)]
pub struct Running {
    /// Threads [default: every core]
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub threads: Option<usize>,
    /// Progress bar: on a terminal, or never
    #[arg(long, value_enum, default_value = "auto", help_heading = "Running")]
    pub progress: ProgressWhen,
    /// Messages on standard error: text, or one JSON object a line for a scheduler
    #[arg(long, value_enum, value_name = "FORM", default_value = "text", help_heading = "Running")]
    pub log_format: LogFormat,
    /// No summary, no progress
    #[arg(short, long, help_heading = "Running")]
    pub quiet: bool,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which rows are asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Rows {
    /// First UTC day, e.g. 2020-01-01
    #[arg(long, value_name = "DAY", help_heading = "Which rows")]
    pub from: Option<String>,
    /// Last UTC day
    #[arg(long, value_name = "DAY", help_heading = "Which rows")]
    pub to: Option<String>,
    /// Only rows in this box, degrees; W > E crosses the antimeridian
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true, help_heading = "Which rows")]
    pub bbox: Option<String>,
    /// Malformed rows a file may have, in percent, before it is refused
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = parse_percent, help_heading = "Which rows")]
    pub max_reject_share: f64,
}

/// What is known of a layout before looking.
#[derive(Clone, Debug, clap::Args)]
pub struct LayoutOptions {
    /// The layout, by name, or a provider that the configuration file holds; auto tells it by the header
    #[arg(long, value_name = "NAME", default_value = "auto", help_heading = "Layout")]
    pub provider: String,
    /// The column of a field, as in lat=Breite (repeatable): mmsi, time, lat, lon, sog, cog, heading, status, name, imo, ...
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = parse_map, help_heading = "Layout")]
    pub map: Vec<(Field, String)>,
    /// How times are written: iso, day-first, compact, epoch-s or epoch-ms [default: as in the layout]
    #[arg(long, value_name = "FORM", value_parser = parse_time_form, help_heading = "Layout")]
    pub time_format: Option<TimeForm>,
}

impl LayoutOptions {
    /// For the reader: what the provider says, and over it what is said here.
    pub fn reading(&self, config: Option<&Path>) -> Result<Reading, config::Error> {
        let saved = providers::reading(&self.provider, config)?;
        let mut map = self.map.clone();
        map.extend(saved.map.iter().filter(|(field, _)| !self.map.iter().any(|(f, _)| f == field)).cloned());
        Ok(Reading { map, time: self.time_format.or(saved.time), ..saved })
    }
}

fn parse_map(text: &str) -> Result<(Field, String), String> {
    let (field, column) = text.split_once('=').ok_or("write it as FIELD=COLUMN")?;
    let known = Field::parse(field)
        .ok_or_else(|| format!("no field `{field}`; there are mmsi, time, lat, lon, sog, cog, heading, status, {}", PARTICULARS.join(", ")))?;
    Ok((known, column.to_owned()))
}

fn parse_time_form(word: &str) -> Result<TimeForm, String> {
    let names = || TimeForm::ALL.map(|f| f.1).join(", ");
    TimeForm::ALL.iter().find(|f| f.1 == word).map(|f| f.0).ok_or_else(|| format!("no such form; there are {}", names()))
}

/// Options of `inspect`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads whatever `detect` reads and refuses nothing for its dirt: that is what one wants to see.\n\nExit codes: 0 done; 3 no readable input; 4 some input could not be read.\n\nExamples:\n  alongside inspect AIS_2020_01_01.zip\n  alongside inspect 'ais/*.csv.zst' --json"
)]
pub struct Inspect {
    /// A file, a folder, a glob in quotes, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// How the files are laid out
    #[command(flatten)]
    pub layout: LayoutOptions,
    /// Configuration file, for the providers in it
    #[arg(long, value_name = "FILE", help_heading = "Layout")]
    pub config: Option<PathBuf>,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

/// Options of `convert`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads whatever `detect` reads and writes DIR/YYYY-MM-DD.parquet, one a UTC day, with rejects.csv and manifest.json.\nEvery report stands there once, with its file and line; `detect` finds the same events in it as in the source.\nRow groups lie by six hours, then by place: a question about a degree and an hour reads a few of them.\n\nExit codes: 0 done; 2 usage; 3 no usable input; 4 some input refused; 5 output not written; 70 our bug.\n\nExamples:\n  alongside convert AIS_2020_01_01.zip -o canonical\n  alongside convert 'ais/*.csv.zst' -o gulf --bbox=-98,24,-80,31\n  alongside convert ais/ -o canonical && alongside detect canonical -o night"
)]
pub struct Convert {
    /// A file, a folder, a glob in quotes, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Folder of the files; appears whole or not at all
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what an earlier run left there
    #[arg(long)]
    pub overwrite: bool,

    /// How the files are laid out
    #[command(flatten)]
    pub layout: LayoutOptions,
    /// Configuration file, for the providers in it
    #[arg(long, value_name = "FILE", help_heading = "Layout")]
    pub config: Option<PathBuf>,

    /// Which rows
    #[command(flatten)]
    pub rows: Rows,

    /// How it runs
    #[command(flatten)]
    pub running: Running,
}

/// Options of `simulate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes DIR/ais/ais-YYYY-MM-DD.csv (aisdk- with --layout dma; .zst with --compress), one a UTC day, and DIR/labels.csv. The same options\ngive the same bytes on any machine. A real US day has 12,700 ships and 6.3 million rows. 9,000 ships at\n--interval 45 send 9.9 million rows a day: 16 s and 0.6 GB of memory on two cores, 1.2 GB of CSV.\n\nExit codes: 0 done; 2 usage; 5 output not written.\n\nExamples:\n  alongside simulate -o traffic\n  alongside simulate -o large --ships 9000 --days 1 --compress zst\n  alongside detect traffic/ais -o out && alongside evaluate out traffic/labels.csv"
)]
pub struct Simulate {
    /// Folder to make; it must not be there yet, or be empty
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// Another seed, other traffic
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// UTC days
    #[arg(long, value_name = "D", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// The first UTC day
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2024-03-01")]
    pub start: String,
    /// Ships in all; scenes come again until there are so many, 150 or more have all of them
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub ships: u32,
    /// Time between two reports of a ship under way; at rest 2.4 times that
    #[arg(long, value_name = "SECONDS", default_value_t = 75, value_parser = clap::value_parser!(u32).range(2..=3600))]
    pub interval: u32,
    /// Header and spelling of the files
    #[arg(long, value_enum, default_value = "marinecadastre")]
    pub layout: SimulatedLayout,
    /// Compress the files
    #[arg(long, value_enum)]
    pub compress: Option<Compress>,
}

/// Header and spelling of simulated files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SimulatedLayout {
    /// MMSI,BaseDateTime,LAT,LON,... (2015 to 2024)
    Marinecadastre,
    /// mmsi,base_date_time,longitude,latitude,... (2025)
    #[value(name = "marinecadastre-2025")]
    Marinecadastre2025,
    /// # Timestamp,Type of mobile,MMSI,... with A to D (Danish Maritime Authority)
    Dma,
}

/// How simulated files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Compress {
    /// Zstandard, as NOAA's newer files
    Zst,
}

/// Options of `evaluate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An event matches a label when kind and both ships agree and they overlap by at least half of the shorter of the\ntwo; one event to one label, the best overlap first. An event that matches no label of truth `yes` is wrong.\nTo look below confidence 50, run `detect` with --min-confidence 0 first.\n\nExit codes: 0 done; 2 usage; 3 a file could not be read.\n\nExamples:\n  alongside evaluate out traffic/labels.csv\n  alongside evaluate out/events.geojson labels.csv --min-confidence 70 --json"
)]
pub struct Evaluate {
    /// events.csv, events.geojson, or the folder of a run
    pub events: PathBuf,
    /// labels.csv: label_id, kind, truth, scenario, start, end, vessel_1_mmsi, vessel_2_mmsi, lat, lon
    pub labels: PathBuf,
    /// Events below do not count
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i32).range(0..=100))]
    pub min_confidence: i32,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

/// Options of `bench`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Runs the pair search by every index, node size, run size, number of threads and reach, and the zone, port and\ncoast queries, over INPUT as one window of time. Figures are multiples of rstar's defaults. Where two ways give\ndifferent answers, it says which and prints no table. A US day of 6.3 million rows takes about two minutes.\n\nExit codes: 0 done; 2 usage; 3 no usable input, or --against is of other input or answers; 4 some input refused;\n5 --save not written; 70 two ways gave different answers.\n\nExamples:\n  alongside bench AIS_2020_01_01.zip\n  alongside bench ais/ --bbox=-95.5,29,-94.3,30 --save before.json\n  alongside bench ais/ --bbox=-95.5,29,-94.3,30 --against before.json\n  alongside simulate -o traffic --ships 3000 && alongside bench traffic/ais --json"
)]
pub struct Bench {
    /// A file, a folder, a glob in quotes, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,

    /// Which rows
    #[command(flatten)]
    pub rows: Rows,

    /// Entering distances, metres; the leaving distance goes with it
    #[arg(long, value_name = "M,...", value_delimiter = ',', default_value = "100,500,5000", value_parser = clap::value_parser!(u32).range(1..=50_000), help_heading = "What to measure")]
    pub reach: Vec<u32>,
    /// Numbers of threads [default: 1 and every core]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = parse_threads, help_heading = "What to measure")]
    pub threads: Vec<usize>,
    /// How often a search is repeated; the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "What to measure")]
    pub runs: u32,

    /// Print the report as JSON
    #[arg(long, help_heading = "The report")]
    pub json: bool,
    /// Keep the report, as JSON; replaces an earlier one
    #[arg(long, value_name = "FILE", help_heading = "The report")]
    pub save: Option<PathBuf>,
    /// Compare with a report that was kept, of the same input
    #[arg(long, value_name = "FILE", help_heading = "The report")]
    pub against: Option<PathBuf>,
    /// Print neither report nor progress
    #[arg(short, long, help_heading = "The report")]
    pub quiet: bool,
}

fn parse_threads(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=1024).contains(n)).ok_or_else(|| "not a number from 1 to 1024".to_owned())
}

fn parse_kind(word: &str) -> Result<Kind, String> {
    Kind::parse(word).ok_or_else(|| format!("no kind `{word}`; there are {}", Kind::ALL.map(Kind::word).join(", ")))
}

fn parse_percent(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|v| (0.0..=100.0).contains(v)).ok_or_else(|| "not a number from 0 to 100".to_owned())
}

/// Spelling of [`IndexKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Index {
    /// R-tree over boxes in space and time
    Rstar,
    /// The same, flat and immutable (sif-rtree)
    Sif,
    /// Uniform grid in space and time
    Grid,
    /// Every run against every other of its time
    Brute,
}

impl From<Index> for IndexKind {
    fn from(index: Index) -> Self {
        match index {
            Index::Rstar => Self::Rstar,
            Index::Sif => Self::Sif,
            Index::Grid => Self::Grid,
            Index::Brute => Self::Brute,
        }
    }
}

impl ValueEnum for Preset {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }
    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.word()).help(self.whose()))
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Geojson, Self::Csv]
    }
    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Self::Geojson => "geojson",
            Self::Csv => "csv",
        }))
    }
}

/// When to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressWhen {
    /// On a terminal
    Auto,
    /// Never
    Never,
}
