//! `detect`: files in, a run folder out.

use crate::detect::coverage::Coverage;
use crate::export::whole::{Failure, Folder};
use crate::export::{self, csv as events_csv, geojson, particulars, rejects};
use crate::frame;
use crate::ingest::{self, Delivery, Limits};
use crate::model::time;
use crate::model::{FileAccount, Kind, Params, RejectReason};
use crate::run::book::{self, Book, References};
use crate::run::engine::{self, DayRows, Findings, State, Tally, Ways};
use crate::run::nightly::{self, News, Place};
use crate::run::presets::Preset;
use crate::run::{manifest, state, tracks};
use crate::spatial::{boxes::IndexKind, coast::Coast, ports::Ports, zones::Zones};
use std::borrow::Cow;
use std::path::PathBuf;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Files, folders, globs, `-`.
    pub inputs: Vec<String>,
    /// The run folder.
    pub out: PathBuf,
    /// Replace a run that is there.
    pub overwrite: bool,
    /// The rules.
    pub params: Params,
    /// What the rules began with; for the manifest alone.
    pub preset: Preset,
    /// The candidate search.
    pub index: IndexKind,
    /// Which rows, and how many may be malformed.
    pub limits: Limits,
    /// Events below are counted, not written.
    pub min_confidence: i32,
    /// Kinds to write.
    pub kinds: Vec<Kind>,
    /// Whether `events.geojson`, `events.csv` are written.
    pub formats: Vec<Format>,
}

impl Plan {
    /// What `detect` does with these inputs unless told otherwise.
    pub fn new(inputs: Vec<String>, out: PathBuf) -> Self {
        Self {
            inputs,
            out,
            overwrite: false,
            params: Params::default(),
            preset: Preset::Default,
            index: IndexKind::Rstar,
            limits: Limits::default(),
            min_confidence: 50,
            kinds: Kind::ALL.to_vec(),
            formats: vec![Format::Geojson, Format::Csv],
        }
    }
}

/// Event files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `events.geojson`.
    Geojson,
    /// `events.csv`.
    Csv,
}

/// What a run can fail of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No input could be used: what was wrong with each.
    #[error("no input could be used")]
    NothingUsable(Vec<ingest::Error>),
    /// An input as named cannot be.
    #[error(transparent)]
    Input(#[from] ingest::Error),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] export::Error),
    /// Two inputs of one name, of which a state would keep one.
    #[error("{} and {} have the same name `{name}` to a state, which keeps one of a name", .paths[0].display(), .paths[1].display())]
    SameName {
        /// The name.
        name: String,
        /// Where they are.
        paths: [PathBuf; 2],
    },
    /// Standard input has none.
    #[error("standard input has no name, and a state knows its inputs by their names")]
    NoName,
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] state::Error),
    /// Our bug: the rows do not add up, or a frame cannot be made.
    #[error("a fault of alongside itself: {0}")]
    Bug(String),
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Row accounting by file.
    pub accounts: Vec<FileAccount>,
    /// Inputs that were refused.
    pub refused: Vec<ingest::Error>,
    /// Events and counts.
    pub book: Book,
    /// Work.
    pub tally: Tally,
    /// Ships with a position.
    pub vessels: u64,
    /// Days delivered.
    pub days: Vec<i32>,
    /// Where the run is.
    pub out: PathBuf,
    /// What a night changed in its state, where there is one.
    pub news: Option<News>,
}

/// What progress is reported of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bytes of the input files as stored, known before reading.
    Total(u64),
    /// Decoded bytes scanned.
    Bytes(u64),
    /// A stage begins.
    Stage(&'static str),
}

/// When a run began.
pub struct Clock {
    begin: std::time::Instant,
    /// The same for people, RFC 3339.
    pub started: String,
}

impl Clock {
    /// Now.
    pub fn start() -> Self {
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
        Self { begin: std::time::Instant::now(), started: now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true) }
    }
    /// Microseconds since then.
    pub fn us(&self) -> u64 {
        self.begin.elapsed().as_micros() as u64
    }
}

/// Bytes of all inputs as stored.
pub fn stored_bytes(paths: &[PathBuf]) -> u64 {
    paths.iter().filter_map(|p| std::fs::metadata(p).ok()).map(|m| m.len()).sum()
}

/// Runs `detect`.
pub fn detect(plan: &Plan, progress: &(dyn Fn(Progress) + Sync)) -> Result<Outcome, Error> {
    let clock = Clock::start();
    let now_us = || clock.us();
    let mut timings_ms: Vec<(&'static str, u64)> = Vec::new();
    let mut lap = now_us();
    let mut mark = |stage: &'static str, now: u64| {
        timings_ms.push((stage, (now - lap) / 1000));
        lap = now;
    };
    let mut folder = Folder::begin(&plan.out, plan.overwrite)?;
    let ((mut delivery, (first_day, last_day)), place) = deliver_apart(&plan.inputs, &plan.limits, progress)?;
    // Rows that did not fit into memory; or so many days that some events become final, each as its day left it.
    if place.is_some() || last_day - first_day >= plan.params.book.final_d as i32 {
        let place = place.map_or_else(nightly::Place::new, Ok)?;
        return nightly::many_days(plan, delivery, place, folder, &clock, progress);
    }
    mark("read", now_us());

    progress(Progress::Stage("finding meetings and gaps"));
    let bug = |e: polars::prelude::PolarsError| Error::Bug(e.to_string());
    // Two at a time, as far as one does not need the other: the coast is unpacked when first asked for.
    let said = std::mem::take(&mut delivery.particulars);
    let ((table, ships), coast) = rayon::join(|| (frame::particulars_records(&said), frame::ships(&delivery.positions)), Coast::embedded);
    drop(said);
    let (table, ships) = (table.map_err(bug)?, ships.map_err(bug)?);
    let ways = Ways { params: &plan.params, index: plan.index, keep: book::worth_keeping(plan.min_confidence), now_us: &now_us };
    let mut state = State::default();
    let mut findings = Findings::default();
    for day in first_day..=last_day {
        let (from, to) = (time::day_start_ms(day), time::day_start_ms(day + 1));
        // Of one day they are all.
        let of_day = if first_day == last_day { Cow::from(&ships) } else { Cow::from(frame::between(&ships, from, to)) };
        let rows = DayRows { ships: &of_day, particulars: &table };
        if day == last_day {
            findings.extend(engine::conclude(std::mem::take(&mut state), rows, to, &ways));
        } else {
            let (next, found) = engine::advance(std::mem::take(&mut state), rows, to, &ways);
            state = next;
            findings.extend(found);
        }
    }
    mark("detect", now_us());

    progress(Progress::Stage("weighing the evidence"));
    let tally = findings.tally.clone();
    let refs = References { zones: Zones::embedded(), ports: Ports::embedded(), coast };
    let missing: Vec<i32> = (first_day..=last_day).filter(|d| delivery.days.binary_search(d).is_err()).collect();
    let coverage = Coverage::new(std::mem::take(&mut findings.heard));
    book::hear(&mut findings.gaps, &coverage, &missing, coast, &plan.params);
    drop(coverage);
    let mut book = book::write_up(findings, refs, &plan.params, plan.min_confidence);
    book.events.retain(|e| plan.kinds.contains(&e.kind));
    mark("score", now_us());

    progress(Progress::Stage("writing"));
    if plan.formats.contains(&Format::Geojson) {
        folder.file("events.geojson", |out| geojson::write(&book.events, out))?;
    }
    if plan.formats.contains(&Format::Csv) {
        folder.file("events.csv", |out| events_csv::write(&book.events, out))?;
    }
    mark("write events", now_us());
    let wanted = tracks::wanted(&book.events);
    folder.file("tracks.parquet", |out| {
        std::thread::scope(|scope| {
            // The next piece is made while one is written.
            let (sender, receiver) = std::sync::mpsc::sync_channel(1);
            scope.spawn(|| {
                let sender = sender;
                let mut pieces = tracks::of(&wanted, &ships, &delivery.first_rows, &plan.params);
                while pieces.next().is_some_and(|piece| sender.send(piece).is_ok()) {}
            });
            frame::write_tracks(receiver.into_iter(), out)
        })
    })?;
    let files: Vec<String> = delivery.accounts.iter().map(|a| a.path.display().to_string()).collect();
    let changes = tracks::changes(&wanted, &ships, &table, (&delivery.first_rows, &files), &plan.params);
    folder.file("particulars.csv", |out| particulars::write(changes, out))?;
    folder.file("rejects.csv", |out| rejects::write(&delivery.rejects, &delivery.accounts, out))?;
    mark("write tracks", now_us());
    for (room, us) in &tally.rooms_us {
        timings_ms.push((room, us / 1000));
    }
    let facts = manifest::Facts {
        accounts: &delivery.accounts,
        refused: &delivery.refused,
        params: &plan.params,
        preset: plan.preset,
        index: plan.index,
        tally: &tally,
        book: &book,
        vessels: ships.len() as u64,
        days: delivery.days.iter().map(|d| time::day_text(*d)).collect(),
        data_end: time::rfc3339(time::day_start_ms(last_day + 1)),
        min_confidence: plan.min_confidence,
        threads: rayon::current_num_threads(),
        started: clock.started.clone(),
        timings_ms,
        news: None,
        track_files: &[],
    };
    let manifest = manifest::json(&facts, folder.written());
    folder.file("manifest.json", |out| {
        serde_json::to_writer_pretty(&mut *out, &manifest)?;
        out.write_all(b"\n").map_err(Failure::from)
    })?;
    folder.finish()?;
    let vessels = ships.len() as u64;
    drop(ships);
    Ok(Outcome { accounts: delivery.accounts, refused: delivery.refused, book, tally, vessels, days: delivery.days, out: plan.out.clone(), news: None })
}

/// Reads inputs; every row is accounted for.
pub fn read(inputs: &[String], limits: &Limits, progress: &(dyn Fn(Progress) + Sync)) -> Result<Delivery, Error> {
    let paths = ingest::inputs::expand(inputs)?;
    progress(Progress::Total(stored_bytes(&paths)));
    let delivery = ingest::read(&paths, limits, &|n| progress(Progress::Bytes(n)))?;
    check(&delivery.accounts)?;
    Ok(delivery)
}

/// The program's own check: every row is accounted for.
pub fn check(accounts: &[FileAccount]) -> Result<(), Error> {
    match accounts.iter().find(|a| !a.balances()) {
        Some(a) => Err(Error::Bug(format!("{}: {} rows, {} accepted, {} rejected", a.path.display(), a.rows, a.accepted(), a.rejected_total()))),
        None => Ok(()),
    }
}

/// A delivery, and its first and last day.
pub type Spanning = (Delivery, (i32, i32));

/// The same where there is at least one day to look at. With its first and last day.
pub fn deliver(inputs: &[String], limits: &Limits, progress: &(dyn Fn(Progress) + Sync)) -> Result<Spanning, Error> {
    with_days(read(inputs, limits, progress)?)
}

/// The same, where what does not fit into memory goes to a place on the disk.
pub fn deliver_apart(inputs: &[String], limits: &Limits, progress: &(dyn Fn(Progress) + Sync)) -> Result<(Spanning, Option<Place>), Error> {
    let paths = ingest::inputs::expand(inputs)?;
    progress(Progress::Total(stored_bytes(&paths)));
    let (mut place, mut broken): (Option<Place>, Option<state::Error>) = (None, None);
    let mut keep = |part| {
        let put = || {
            let mut there = place.take().map_or_else(Place::new, Ok)?;
            there.keep(part)?;
            place = Some(there);
            Ok(())
        };
        put().map_err(|e| state::taken::later(e, &mut broken))
    };
    let read = ingest::read_apart(&paths, limits, &|n| progress(Progress::Bytes(n)), &mut keep);
    if let Some(e) = broken {
        return Err(e.into());
    }
    let delivery = read?;
    check(&delivery.accounts)?;
    Ok((with_days(delivery)?, place))
}

/// A delivery with at least one day to look at, and its first and last.
fn with_days(mut delivery: Delivery) -> Result<Spanning, Error> {
    for account in &delivery.accounts {
        if account.positions + account.duplicates == 0 && !not_asked_for(account) && account.rejected_total() < account.rows.max(1) {
            delivery.refused.push(nothing_usable(account));
        }
    }
    let (Some(&first_day), Some(&last_day)) = (delivery.days.first(), delivery.days.last()) else {
        let mut refused = delivery.refused;
        if refused.is_empty() {
            refused.extend(delivery.accounts.iter().map(nothing_usable));
        }
        return Err(Error::NothingUsable(refused));
    };
    Ok((delivery, (first_day, last_day)))
}

/// Whether a file holds rows outside the period or the box that was asked for: then there is nothing wrong with it.
pub fn not_asked_for(account: &FileAccount) -> bool {
    [RejectReason::OutsidePeriod, RejectReason::OutsideBbox].iter().any(|reason| account.rejected.contains_key(reason))
}

/// What became of the rows of a file that gave no position.
pub fn nothing_usable(account: &FileAccount) -> ingest::Error {
    let rejected = account.rejected.iter().map(|(reason, n)| (reason.key(), *n));
    let not_ships = account.not_ships.iter().map(|(kind, n)| (*kind, *n));
    let all = rejected.chain(not_ships).chain([("no_position", account.no_position), ("static_only", account.static_only)]);
    let why: Vec<String> = all.filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what} {n}")).collect();
    let why = if why.is_empty() { "nothing below the header".to_owned() } else { why.join(", ") };
    ingest::Error::NothingUsable { path: account.path.clone(), rows: account.rows, why }
}
