//! `convert`: files in, one canonical GeoParquet file a UTC day out.

use crate::export::rejects;
use crate::export::whole::{Failure, Folder};
use crate::frame::{self, ShipRows, canonical};
use crate::ingest::{self, Delivery, Limits};
use crate::model::{FileAccount, Mmsi, Particulars, time};
use crate::run::manifest;
use crate::run::oneshot::{self, Clock, Error, Progress};
use rustc_hash::FxHashSet;
use serde_json::json;
use std::path::PathBuf;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Files, folders, globs, `-`.
    pub inputs: Vec<String>,
    /// The folder.
    pub out: PathBuf,
    /// Replace what an earlier run left there.
    pub overwrite: bool,
    /// Which rows, and how many may be malformed.
    pub limits: Limits,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Row accounting by file.
    pub accounts: Vec<FileAccount>,
    /// Inputs that were refused.
    pub refused: Vec<ingest::Error>,
    /// The files written, in the order of their days.
    pub files: Vec<DayFile>,
    /// Ships with a position.
    pub vessels: u64,
    /// Where they are.
    pub out: PathBuf,
}

/// A file of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFile {
    /// Within the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// What is in it.
    pub written: canonical::Written,
}

/// Runs `convert`.
pub fn convert(plan: &Plan, progress: &(dyn Fn(Progress) + Sync)) -> Result<Outcome, Error> {
    let clock = Clock::start();
    let mut folder = Folder::begin(&plan.out, plan.overwrite)?;
    let ((mut delivery, _), place) = oneshot::deliver_apart(&plan.inputs, &plan.limits, progress)?;
    let read_ms = clock.us() / 1000;

    progress(Progress::Stage("writing"));
    let bug = |e: polars::prelude::PolarsError| Error::Bug(e.to_string());
    // The name alone: where the file lay is nobody's affair but the manifest's.
    let name = |a: &FileAccount| a.path.file_name().map_or_else(|| a.path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let sources: Vec<String> = delivery.accounts.iter().map(name).collect();
    let first_rows = std::mem::take(&mut delivery.first_rows);
    let days = std::mem::take(&mut delivery.days);
    let mut files: Vec<DayFile> = Vec::new();
    let mut write = |day: i32, ships: &[ShipRows], particulars: &[Particulars]| -> Result<(), Error> {
        let rows = canonical::Rows { ships, particulars, sources: &sources, first_rows: &first_rows };
        let name = format!("{}.parquet", time::day_text(day));
        let mut written = canonical::Written::default();
        folder.file(&name, |out| -> Result<(), Failure> {
            written = canonical::write(rows, day, out)?;
            Ok(())
        })?;
        let bytes = folder.written().last().map_or(0, |w| w.bytes);
        files.push(DayFile { name, bytes, written });
        Ok(())
    };
    let (accounts, rejects, refused, vessels);
    if let Some(place) = place {
        // Rows that did not fit into memory.
        let mut ships_seen: FxHashSet<Mmsi> = FxHashSet::default();
        let mut kept = place.days(Delivery { first_rows: first_rows.clone(), days: days.clone(), ..delivery })?;
        for &day in &days {
            let rows = kept.day(day)?;
            let ships = frame::ships(&rows.positions).map_err(bug)?;
            ships_seen.extend(ships.iter().map(|s| s.mmsi));
            write(day, &ships, &rows.table)?;
        }
        vessels = ships_seen.len() as u64;
        (accounts, rejects, refused) = (kept.taken.accounts, kept.taken.rejects, kept.taken.refused);
    } else {
        let table = frame::particulars_records(&std::mem::take(&mut delivery.particulars)).map_err(bug)?;
        let ships = frame::ships(&delivery.positions).map_err(bug)?;
        for &day in &days {
            write(day, &frame::between(&ships, time::day_start_ms(day), time::day_start_ms(day + 1)), &table)?;
        }
        vessels = ships.len() as u64;
        (accounts, rejects, refused) = (delivery.accounts, delivery.rejects, delivery.refused);
    }
    // What was delivered is what was written: no row is lost between.
    let (positions, rows) = (accounts.iter().map(|a| a.positions).sum::<u64>(), files.iter().map(|f| f.written.rows).sum::<u64>());
    if positions != rows {
        return Err(Error::Bug(format!("{positions} positions, {rows} rows written")));
    }
    folder.file("rejects.csv", |out| rejects::write(&rejects, &accounts, out))?;
    let outputs = folder.written().iter().map(|w| {
        let about = files.iter().find(|f| f.name == w.name).map(|f| f.written);
        let mut output = json!({"name": w.name, "bytes": w.bytes, "sha256": w.sha256});
        if let (Some(about), Some(output)) = (about, output.as_object_mut()) {
            output.insert("rows".to_owned(), json!(about.rows));
            output.insert("row_groups".to_owned(), json!(about.row_groups));
        }
        output
    });
    let manifest = json!({
        "tool": "alongside",
        "version": env!("CARGO_PKG_VERSION"),
        "schema_version": 1,
        "command": "convert",
        "inputs": manifest::inputs(&accounts, &refused),
        "refused": refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "days": days.iter().map(|d| time::day_text(*d)).collect::<Vec<_>>(),
        "vessels": vessels,
        "outputs": outputs.collect::<Vec<_>>(),
        "threads": rayon::current_num_threads(),
        "started": clock.started,
        "timings_ms": {"read": read_ms, "write": clock.us() / 1000 - read_ms},
        "peak_memory_bytes": manifest::peak_memory_bytes(),
    });
    folder.file("manifest.json", |out| {
        serde_json::to_writer_pretty(&mut *out, &manifest)?;
        out.write_all(b"\n").map_err(Failure::from)
    })?;
    folder.finish()?;
    Ok(Outcome { accounts, refused, files, vessels, out: plan.out.clone() })
}
