//! Labels: what is true of a simulation, and the file that says so.
//!
//! *In*: planned scenes, or `labels.csv`. *Out*: [`Label`]s. Columns: `label_id, kind, truth, scenario, start, end,
//! vessel_1_mmsi, vessel_2_mmsi, lat, lon`; vessel_1 is the lower MMSI, vessel_2 empty for a gap. A meeting lasts from the first
//! to the last true moment within 500 m and slow together, a gap from the last report before to the first after; what goes on
//! beyond the data is cut to their end.

use crate::lab::reports::Reports;
use crate::lab::world::World;
use crate::lab::{Error, motion};
use crate::model::time::{parse_rfc3339, rfc3339};
use crate::model::{Kind, Mmsi};
use std::io::{self, Write};
use std::path::Path;

/// A scene of which something is to be said.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What it would be reported as.
    pub kind: Kind,
    /// Whether it is that, or only looks like it.
    pub truth: bool,
    /// Name of the scenario.
    pub scenario: &'static str,
    /// One ship, or two.
    pub ships: (usize, Option<usize>),
    /// When it happens, at the outside.
    pub window: (i64, i64),
}

/// One line of `labels.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Name of the label, unique in its file.
    pub id: String,
    /// What a detector would call it.
    pub kind: Kind,
    /// True: it is that. False: it only looks like it, and must not be reported.
    pub truth: bool,
    /// Name of the scenario.
    pub scenario: String,
    /// UTC milliseconds.
    pub start_ms: i64,
    /// UTC milliseconds.
    pub end_ms: i64,
    /// One ship, or two with the lower MMSI first.
    pub ships: Vec<Mmsi>,
    /// Degrees, of the beginning.
    pub at: (f64, f64),
}

const COLUMNS: [&str; 10] = ["label_id", "kind", "truth", "scenario", "start", "end", "vessel_1_mmsi", "vessel_2_mmsi", "lat", "lon"];

/// The labels of a world. A planned scene that never comes about within the data has none.
pub fn of(world: &World, reports: &Reports) -> Vec<Label> {
    let mut labels: Vec<Label> = world.planned.iter().filter_map(|p| label(world, reports, p)).collect();
    labels.sort_by(|a, b| (a.start_ms, &a.ships, a.kind).cmp(&(b.start_ms, &b.ships, b.kind)));
    for (k, label) in labels.iter_mut().enumerate() {
        label.id = format!("L{:05}", k + 1);
    }
    labels
}

fn label(world: &World, reports: &Reports, planned: &Planned) -> Option<Label> {
    const STEP_MS: i64 = 30_000;
    let ships = &world.ships;
    let (a, b) = planned.ships;
    let ((start_ms, end_ms), mut numbers) = match b {
        Some(b) => {
            let from = planned.window.0.max(ships[a].first_ms).max(ships[b].first_ms).max(world.span.0);
            let to = planned.window.1.min(world.span.1);
            let moments = || (0..=(to - from).max(0) / STEP_MS).map(|k| from + k * STEP_MS);
            let together = |t: &i64| motion::together(ships, a, b, *t);
            ((moments().find(together)?, moments().rev().find(together)?), vec![Mmsi(ships[a].mmsi), Mmsi(ships[b].mmsi)])
        }
        None => (reports.silence(a, planned.window)?, vec![Mmsi(ships[a].mmsi)]),
    };
    numbers.sort();
    let at = motion::degrees(ships[a].origin, motion::antenna(ships, a, start_ms).at);
    let Planned { kind, truth, scenario, .. } = *planned;
    (start_ms < end_ms).then(|| Label { id: String::new(), kind, truth, scenario: scenario.to_owned(), start_ms, end_ms, ships: numbers, at })
}

/// Writes the file.
pub fn write(labels: &[Label], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for l in labels {
        let truth = if l.truth { "yes" } else { "no" };
        let ship = |k: usize| l.ships.get(k).map(Mmsi::to_string).unwrap_or_default();
        let (start, end) = (rfc3339(l.start_ms), rfc3339(l.end_ms));
        writeln!(out, "{},{},{truth},{},{start},{end},{},{},{:.5},{:.5}", l.id, l.kind.word(), l.scenario, ship(0), ship(1), l.at.0, l.at.1)?;
    }
    Ok(())
}

/// Reads the file; columns by name, others are left alone.
pub fn read(path: &Path) -> Result<Vec<Label>, Error> {
    let table = super::table::read(path, &COLUMNS)?;
    let mut labels = Vec::with_capacity(table.rows.len());
    for (line, row) in &table.rows {
        let bad = |column: usize| Error::Cell { path: path.to_path_buf(), line: *line, column: COLUMNS[column], found: super::table::shown(&row[column]) };
        let number = |k: usize| row[k].parse::<u32>().map(Mmsi).map_err(|_| bad(k));
        let degrees = |k: usize| row[k].parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| bad(k));
        let time = |k: usize| parse_rfc3339(&row[k]).ok_or_else(|| bad(k));
        let mut ships = vec![number(6)?];
        if !row[7].is_empty() {
            ships.push(number(7)?);
        }
        ships.sort();
        labels.push(Label {
            id: row[0].clone(),
            kind: Kind::parse(&row[1]).ok_or_else(|| bad(1))?,
            truth: match row[2].as_str() {
                "yes" => true,
                "no" => false,
                _ => return Err(bad(2)),
            },
            scenario: row[3].clone(),
            start_ms: time(4)?,
            end_ms: time(5)?,
            ships,
            at: (degrees(8)?, degrees(9)?),
        });
    }
    Ok(labels)
}
