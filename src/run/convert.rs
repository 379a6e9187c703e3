//! `convert`: files in, one canonical GeoParquet file a UTC day out.

use crate::export::rejects;
use crate::export::whole::{Failure, Folder};
use crate::frame::{self, canonical};
use crate::ingest::{self, Limits};
use crate::model::{FileAccount, time};
use crate::run::manifest;
use crate::run::oneshot::{self, Error, Progress};
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
    let begin = std::time::Instant::now();
    let started = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let mut folder = Folder::begin(&plan.out, plan.overwrite)?;
    let (delivery, _) = oneshot::deliver(&plan.inputs, &plan.limits, progress)?;
    let read_ms = begin.elapsed().as_millis() as u64;

    progress(Progress::Stage("writing"));
    let bug = |e: polars::prelude::PolarsError| Error::Bug(e.to_string());
    let table = frame::particulars_records(&delivery.particulars).map_err(bug)?;
    let ships = frame::ships(&delivery.positions).map_err(bug)?;
    // The name alone: where the file lay is nobody's affair but the manifest's.
    let name = |a: &FileAccount| a.path.file_name().map_or_else(|| a.path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let sources: Vec<String> = delivery.accounts.iter().map(name).collect();
    let mut files: Vec<DayFile> = Vec::new();
    for &day in &delivery.days {
        let (from, to) = (time::day_start_ms(day), time::day_start_ms(day + 1));
        let of_day: Vec<_> = ships.iter().map(|s| s.between(from, to)).filter(|s| !s.t_ms.is_empty()).collect();
        let rows = canonical::Rows { ships: &of_day, particulars: &table, sources: &sources, first_rows: &delivery.first_rows };
        let name = format!("{}.parquet", time::day_text(day));
        let mut written = canonical::Written::default();
        folder.file(&name, |out| -> Result<(), Failure> {
            written = canonical::write(rows, day, out)?;
            Ok(())
        })?;
        let bytes = folder.written().last().map_or(0, |w| w.bytes);
        files.push(DayFile { name, bytes, written });
    }
    // What was delivered is what was written: no row is lost between.
    let (positions, rows) = (delivery.accounts.iter().map(|a| a.positions).sum::<u64>(), files.iter().map(|f| f.written.rows).sum::<u64>());
    if positions != rows {
        return Err(Error::Bug(format!("{positions} positions, {rows} rows written")));
    }
    folder.file("rejects.csv", |out| rejects::write(&delivery.rejects, &delivery.accounts, out))?;
    let outputs = folder.written().iter().map(|w| {
        let about = files.iter().find(|f| f.name == w.name).map(|f| f.written);
        let mut output = json!({"name": w.name, "bytes": w.bytes, "sha256": w.sha256});
        if let (Some(about), Some(output)) = (about, output.as_object_mut()) {
            output.insert("rows".to_owned(), json!(about.rows));
            output.insert("row_groups".to_owned(), json!(about.row_groups));
        }
        output
    });
    let vessels = ships.len() as u64;
    let manifest = json!({
        "tool": "alongside",
        "version": env!("CARGO_PKG_VERSION"),
        "schema_version": 1,
        "command": "convert",
        "inputs": manifest::inputs(&delivery.accounts, &delivery.refused),
        "refused": delivery.refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "days": delivery.days.iter().map(|d| time::day_text(*d)).collect::<Vec<_>>(),
        "vessels": vessels,
        "outputs": outputs.collect::<Vec<_>>(),
        "threads": rayon::current_num_threads(),
        "started": started,
        "timings_ms": {"read": read_ms, "write": begin.elapsed().as_millis() as u64 - read_ms},
        "peak_memory_bytes": manifest::peak_memory_bytes(),
    });
    folder.file("manifest.json", |out| {
        serde_json::to_writer_pretty(&mut *out, &manifest)?;
        out.write_all(b"\n").map_err(Failure::from)
    })?;
    folder.finish()?;
    drop(ships);
    Ok(Outcome { accounts: delivery.accounts, refused: delivery.refused, files, vessels, out: plan.out.clone() })
}
