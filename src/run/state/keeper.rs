//! What people do with a state besides running nights: look, export, verify, prune, forget.

use crate::export::whole::{Failure, Folder};
use crate::ingest::Limits;
use crate::model::time;
use crate::run::config;
use crate::run::nightly::{self, News};
use crate::run::oneshot::{Error, Format, Progress};
use crate::run::state::fold::{self, Rules};
use crate::run::state::index::Index;
use crate::run::state::ledger::{self, Ledger, Rendered};
use crate::run::state::taken::Taken;
use crate::run::state::{Dir, Error as StateError, input_name};
use crate::spatial::boxes::IndexKind;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is in a state.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Nights so far.
    pub nights: u64,
    /// Version that wrote it last.
    pub version: String,
    /// Hash of the rules that decide which events exist.
    pub detection_hash: String,
    /// Days before this one cannot change any more.
    pub settled_before: Option<String>,
    /// The days in order.
    pub days: Vec<ShownDay>,
    /// The inputs whose rows it holds.
    pub inputs: Vec<ShownInput>,
    /// Events in the book, and of them final ones.
    pub events: (u64, u64),
    /// Bytes on disk, by what they hold.
    pub bytes: BTreeMap<&'static str, u64>,
}

/// A day.
#[derive(Clone, Debug, Serialize)]
pub struct ShownDay {
    /// `2020-01-01`.
    pub day: String,
    /// Rows delivered; 0 for a missing day.
    pub rows: u64,
    /// It may still be corrected.
    pub revisable: bool,
}

/// An input.
#[derive(Clone, Debug, Serialize)]
pub struct ShownInput {
    /// By which it is known.
    pub name: String,
    /// Where it was.
    pub path: String,
    /// Hash of the file as stored.
    pub sha256: String,
    /// The night it came.
    pub night: u64,
    /// Rows by day.
    pub days: BTreeMap<String, u64>,
}

fn index_of(dir: &Dir) -> Result<Index, Error> {
    dir.index.clone().ok_or_else(|| StateError::NoState(dir.folder().to_path_buf()).into())
}

/// Looks into a state.
pub fn show(folder: &Path) -> Result<Shown, Error> {
    let dir = Dir::existing(folder)?;
    let index = index_of(&dir)?;
    let book = fold::book_of(&index, &dir.objects)?;
    let size = |name: &String| std::fs::metadata(dir.objects.path(name)).map_or(0, |m| m.len());
    let mut bytes: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut add = |what, name: Option<&String>| *bytes.entry(what).or_default() += name.map_or(0, size);
    for rows in index.inputs.values().flat_map(|i| i.days.values()).flat_map(|r| r.objects.iter().flatten().flatten()) {
        add("rows", Some(rows));
    }
    for day in index.days.values() {
        add("checkpoints", day.checkpoint.as_ref());
        add("checkpoints", day.ships.as_ref());
        for name in [&day.found, &day.faint, &day.open, &day.judged] {
            add("findings", name.as_ref());
        }
        add("reception", day.heard.as_ref());
        add("book", day.settled.as_ref());
    }
    add("book", index.provisional.as_ref());
    add("ledger", index.ledger.as_ref());
    let revisable = |day: i32| index.settled_before.is_none_or(|s| day >= s);
    Ok(Shown {
        nights: index.nights,
        version: index.version.clone(),
        detection_hash: index.detection.hash.clone(),
        settled_before: index.settled_before.map(time::day_text),
        days: index.days.iter().map(|(d, day)| ShownDay { day: time::day_text(*d), rows: day.delivered, revisable: revisable(*d) }).collect(),
        inputs: index
            .inputs
            .iter()
            .map(|(name, i)| ShownInput {
                name: name.clone(),
                path: i.path.display().to_string(),
                sha256: i.sha256.clone(),
                night: i.night,
                days: i.days.iter().map(|(d, r)| (time::day_text(*d), r.delivered)).collect(),
            })
            .collect(),
        events: (book.len() as u64, book.iter().filter(|e| e.settled).count() as u64),
        bytes,
    })
}

/// Writes the whole book of a state into a run folder; returns how many events.
pub fn export(folder: &Path, out: &Path, overwrite: bool, formats: &[Format]) -> Result<u64, Error> {
    let dir = Dir::existing(folder)?;
    let index = index_of(&dir)?;
    let book = fold::book_of(&index, &dir.objects)?;
    let mut target = Folder::begin(out, overwrite)?;
    nightly::write_events(&mut target, &book.iter().collect::<Vec<&Rendered>>(), formats)?;
    let ledger: Ledger = index.ledger.as_ref().map(|name| dir.objects.get_value(name)).transpose()?.unwrap_or_default();
    target.file("ledger.csv", |out| ledger::write(&ledger, out))?;
    let outputs: Vec<_> = target.written().iter().map(|w| serde_json::json!({"name": w.name, "bytes": w.bytes, "sha256": w.sha256})).collect();
    let manifest = serde_json::json!({
        "tool": "alongside",
        "version": env!("CARGO_PKG_VERSION"),
        "schema_version": 1,
        "state": {"nights": index.nights, "detection_hash": index.detection.hash, "days": index.days.keys().map(|d| time::day_text(*d)).collect::<Vec<_>>()},
        "configuration": index.detection.params,
        "outputs": outputs,
    });
    target.file("manifest.json", |out| {
        serde_json::to_writer_pretty(&mut *out, &manifest)?;
        out.write_all(b"\n").map_err(Failure::from)
    })?;
    target.finish()?;
    Ok(book.len() as u64)
}

/// Reads every object again; returns how many there are, and what is wrong with some.
pub fn verify(folder: &Path) -> Result<(usize, Vec<StateError>), Error> {
    let dir = Dir::existing(folder)?;
    let index = index_of(&dir)?;
    let names = index.objects();
    Ok((names.len(), names.iter().filter_map(|name| dir.objects.get(name).err()).collect()))
}

/// Lets go of what the configuration does not ask to keep; returns how many files went, and their bytes.
pub fn prune(folder: &Path, params: &crate::model::Params) -> Result<(u64, u64), Error> {
    let mut dir = Dir::existing(folder)?;
    let mut index = index_of(&dir)?;
    index.prune(params);
    dir.commit(index)?;
    Ok(dir.sweep()?)
}

/// Takes an input, or all rows of a day, out of a state, and folds again what that touches.
pub fn forget(folder: &Path, what: &str, progress: &(dyn Fn(Progress) + Sync)) -> Result<News, Error> {
    let mut dir = Dir::existing(folder)?;
    let mut index = index_of(&dir)?;
    let name = input_name(&PathBuf::from(what));
    let settled = index.settled_before;
    let too_old = |what: String| StateError::Settled { what, oldest: settled.map(time::day_text).unwrap_or_default() };
    if let Some(day) = time::parse_day(what).filter(|_| !index.inputs.contains_key(&name)) {
        if settled.is_some_and(|s| day < s) {
            return Err(too_old(format!("the rows of {what}")).into());
        }
        let removed = index.inputs.values_mut().filter_map(|i| i.days.remove(&day)).count();
        if removed == 0 {
            return Err(unknown(what, &index).into());
        }
        index.inputs.retain(|_, i| !i.days.is_empty());
    } else {
        let input = index.inputs.remove(&name).ok_or_else(|| unknown(what, &index))?;
        // Rows of stray clocks are not of a day that was settled.
        let folded = |day: &i32| index.days.get(day).is_some_and(|d| !d.rows_hash.is_empty());
        if input.days.iter().any(|(day, rows)| rows.objects.is_none() && folded(day)) {
            return Err(too_old(format!("rows of {name}")).into());
        }
    }
    index.nights += 1;
    let begin = std::time::Instant::now();
    let now_us = || begin.elapsed().as_micros() as u64;
    let params = index.detection.params.clone();
    let limits = Limits::default();
    let scoring_hash = config::scoring_hash(&params);
    let rules = Rules::new(&params, IndexKind::Rstar, index.detection.min_confidence, &limits, scoring_hash, &now_us, progress);
    let mut taken = Taken::default();
    let news = nightly::carry_on(&dir, &mut index, &mut taken, &rules)?.news;
    dir.commit(index)?;
    dir.sweep()?;
    Ok(news)
}

fn unknown(asked: &str, index: &Index) -> StateError {
    let known: BTreeSet<String> = index.inputs.keys().cloned().chain(index.days.keys().map(|d| time::day_text(*d))).collect();
    let mut known: Vec<String> = known.into_iter().collect();
    known.sort_by(|a, b| strsim::jaro_winkler(asked, b).total_cmp(&strsim::jaro_winkler(asked, a)).then(a.cmp(b)));
    known.truncate(3);
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    StateError::Unknown { asked: asked.to_owned(), known }
}

/// The configuration that a state was folded with.
pub fn params(folder: &Path) -> Result<crate::model::Params, Error> {
    Ok(index_of(&Dir::existing(folder)?)?.detection.params)
}
