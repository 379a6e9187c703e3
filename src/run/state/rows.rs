//! The rows of an input by UTC day, as objects, and the rows of a day out of all its inputs.

use crate::frame::{self, PositionColumns, ShipRows};
use crate::ingest::store::is_duplicate;
use crate::model::{Fix, Particulars, Reject, RejectReason, time};
use crate::run::state::Error;
use crate::run::state::index::{Part, Rows};
use crate::run::state::objects::Objects;
use polars::prelude::DataFrame;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

fn bug(e: impl std::fmt::Display) -> Error {
    Error::Bug(e.to_string())
}

/// Rows of a day and an input that are in memory still, with the name of their object.
pub struct Fresh {
    part: Part,
    positions: DataFrame,
    table: Vec<Particulars>,
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows of {}", self.positions.height(), self.part[0])
    }
}

/// Rows as they were kept: by day, how many, and where.
#[derive(Default)]
pub struct Kept {
    /// By UTC day.
    days: BTreeMap<i32, (u64, Vec<Part>)>,
    /// The last that were kept, where they are all of one day.
    fresh: Option<Fresh>,
}

impl Kept {
    /// Keeps rows of any days.
    pub fn add(&mut self, mut positions: DataFrame, mut particulars: DataFrame, objects: &Objects) -> Result<(), Error> {
        self.fresh = None;
        let table = frame::particulars_records(&particulars).map_err(bug)?;
        let ships = frame::ships(&positions).map_err(bug)?;
        let days: BTreeSet<i32> = ships.iter().flat_map(|s| s.t_ms.chunk_by(|a, b| time::day_of(*a) == time::day_of(*b)).map(|c| time::day_of(c[0]))).collect();
        if let (Some(&day), 1) = (days.first(), days.len()) {
            drop(ships);
            let part = put(&mut positions, &mut particulars, objects)?;
            self.note(day, positions.height() as u64, part.clone());
            self.fresh = Some(Fresh { part, positions, table });
            return Ok(());
        }
        for day in days {
            let (from, to) = (time::day_start_ms(day), time::day_start_ms(day + 1));
            let of_day: Vec<ShipRows> = ships.iter().map(|s| s.between(from, to)).filter(|s| !s.t_ms.is_empty()).collect();
            let (mut positions, mut particulars) = some_of(&of_day, &table, |_| true)?;
            let part = put(&mut positions, &mut particulars, objects)?;
            self.note(day, positions.height() as u64, part);
        }
        Ok(())
    }

    fn note(&mut self, day: i32, positions: u64, part: Part) {
        let entry = self.days.entry(day).or_default();
        entry.0 += positions;
        entry.1.push(part);
    }

    /// Drops rows whose stream was refused after they were kept.
    pub fn drop_rows(&mut self, refused: &[Range<u32>], objects: &Objects) -> Result<(), Error> {
        if refused.is_empty() {
            return Ok(());
        }
        self.fresh = None;
        for (count, parts) in self.days.values_mut() {
            *count = 0;
            for part in parts {
                let (positions, table) = get(part, objects)?;
                let ships = frame::ships(&positions).map_err(bug)?;
                let (mut positions, mut particulars) = some_of(&ships, &table, |fix| !refused.iter().any(|r| r.contains(&fix.row)))?;
                *count += positions.height() as u64;
                *part = put(&mut positions, &mut particulars, objects)?;
            }
        }
        self.days.retain(|_, (count, _)| *count > 0);
        Ok(())
    }

    /// By day, with the rows that were delivered for it; and the rows that are in memory still.
    pub fn finish(mut self, delivered: &BTreeMap<i32, u64>) -> (BTreeMap<i32, Rows>, Option<Fresh>) {
        let rows = |(day, (positions, parts))| (day, Rows { delivered: delivered.get(&day).copied().unwrap_or(positions), positions, objects: Some(parts) });
        let days: BTreeMap<i32, Rows> = std::mem::take(&mut self.days).into_iter().map(rows).collect();
        (days, self.fresh)
    }
}

/// Some rows of ships, with a table of what they speak of, numbered anew in the same order.
fn some_of(ships: &[ShipRows], table: &[Particulars], wanted: impl Fn(&Fix) -> bool) -> Result<(DataFrame, DataFrame), Error> {
    let fixes = || ships.iter().flat_map(|s| (0..s.t_ms.len()).map(|k| (s.mmsi.0, s.fix(k)))).filter(|(_, fix)| wanted(fix));
    let mut used = vec![false; table.len()];
    fixes().for_each(|(_, fix)| used[fix.particulars as usize] = true);
    let mut number = vec![0u32; table.len()];
    let mut spoken: Vec<Particulars> = Vec::new();
    for (k, particulars) in table.iter().enumerate().filter(|(k, _)| used[*k]) {
        number[k] = spoken.len() as u32;
        spoken.push(particulars.clone());
    }
    let mut columns = PositionColumns::with_capacity(ships.iter().map(|s| s.t_ms.len()).sum());
    fixes().for_each(|(mmsi, fix)| columns.push(mmsi, &Fix { particulars: number[fix.particulars as usize], ..fix }));
    Ok((columns.into_frame().map_err(bug)?, frame::particulars(&spoken).map_err(bug)?))
}

fn put(positions: &mut DataFrame, particulars: &mut DataFrame, objects: &Objects) -> Result<Part, Error> {
    Ok([objects.put(&frame::to_parquet(positions).map_err(bug)?)?, objects.put(&frame::to_parquet(particulars).map_err(bug)?)?])
}

fn get([positions, particulars]: &Part, objects: &Objects) -> Result<(DataFrame, Vec<Particulars>), Error> {
    let read = |object: &str| frame::from_parquet(objects.get(object)?).map_err(bug);
    Ok((read(positions)?, frame::particulars_records(&read(particulars)?).map_err(bug)?))
}

/// Rows of undelivered days, by stream: how many, and the first of them as rejects name them.
pub fn strays(days: &[Rows], first_rows: &[u32], objects: &Objects) -> Result<(BTreeMap<usize, u64>, Vec<Reject>), Error> {
    let (mut counts, mut rejects) = (BTreeMap::new(), Vec::new());
    for part in days.iter().flat_map(|rows| rows.objects.iter().flatten()) {
        let (positions, _) = get(part, objects)?;
        for ship in frame::ships(&positions).map_err(bug)? {
            for fix in (0..ship.t_ms.len()).map(|k| ship.fix(k)) {
                let stream = first_rows.partition_point(|r| *r <= fix.row).max(1) - 1;
                *counts.entry(stream).or_default() += 1;
                let text = format!("mmsi {:09}, time {}", ship.mmsi.0, time::rfc3339(fix.t_ms));
                let line = u64::from(fix.row - first_rows.get(stream).copied().unwrap_or_default());
                rejects.push(Reject { file: stream as u32, line, byte_offset: 0, reason: RejectReason::StrayClock, text });
            }
        }
    }
    rejects.sort_by_key(|r: &Reject| (r.file, r.line));
    Ok((counts, rejects))
}

/// The rows of a day.
pub struct DayOf {
    /// One row a report, without repeats over the inputs.
    pub positions: DataFrame,
    /// What ships said of themselves.
    pub table: Vec<Particulars>,
    /// Where the rows of each input begin.
    pub first_rows: Vec<u32>,
    /// Rows that repeat others of the day, by input, numbered within it.
    pub repeated: Vec<Vec<u32>>,
}

impl DayOf {
    /// Of a day without data.
    pub fn nothing() -> Result<Self, Error> {
        Ok(Self { positions: PositionColumns::default().into_frame().map_err(bug)?, table: Vec::new(), first_rows: Vec::new(), repeated: Vec::new() })
    }
}

/// Brings the inputs of a day together, in their order.
pub fn of_day(inputs: &[(&str, &Rows)], objects: &Objects, fresh: Option<&Fresh>) -> Result<DayOf, Error> {
    let all: Vec<(usize, &Part)> = inputs.iter().enumerate().flat_map(|(k, (_, rows))| rows.objects.iter().flatten().map(move |p| (k, p))).collect();
    if let (Some(fresh), [(_, part)]) = (fresh, all.as_slice())
        && **part == fresh.part
    {
        return Ok(DayOf { positions: fresh.positions.clone(), table: fresh.table.clone(), first_rows: vec![0], repeated: Vec::new() });
    }
    if let Some((name, _)) = inputs.iter().find(|(_, rows)| rows.objects.is_none()) {
        return Err(Error::Bug(format!("the rows of {name} are gone")));
    }
    if let [(_, part)] = all.as_slice() {
        let (positions, table) = get(part, objects)?;
        return Ok(DayOf { positions, table, first_rows: vec![0], repeated: Vec::new() });
    }
    let parts: Vec<(DataFrame, Vec<Particulars>)> = all.iter().map(|(_, part)| get(part, objects)).collect::<Result<_, _>>()?;
    let mut table: Vec<Particulars> = parts.iter().flat_map(|p| p.1.iter().cloned()).collect();
    table.sort_unstable();
    table.dedup();
    let (mut fixes, mut first_rows, mut behind): (Vec<(u32, Fix)>, Vec<u32>, u32) = (Vec::new(), Vec::new(), 0);
    for ((input, _), (positions, said)) in all.iter().zip(&parts) {
        let number: Vec<u32> = said.iter().map(|p| table.partition_point(|t| t < p) as u32).collect();
        // Parts of one input number their rows together.
        first_rows.resize((*input + 1).max(first_rows.len()), behind);
        let base = first_rows[*input];
        for ship in frame::ships(positions).map_err(bug)? {
            let fix = |k| ship.fix(k);
            fixes.extend((0..ship.t_ms.len()).map(fix).map(|f| (ship.mmsi.0, Fix { particulars: number[f.particulars as usize], row: f.row + base, ..f })));
        }
        behind = fixes.iter().map(|(_, f)| f.row + 1).max().unwrap_or(0);
    }
    drop(parts);
    fixes.par_sort_unstable();
    let mut repeated = vec![Vec::new(); first_rows.len()];
    let mut columns = PositionColumns::with_capacity(fixes.len());
    let mut last: Option<(u32, Fix)> = None;
    for (mmsi, fix) in fixes {
        if last.is_some_and(|(m, f)| m == mmsi && is_duplicate(&f, &fix)) {
            let input = first_rows.partition_point(|r| *r <= fix.row) - 1;
            repeated[input].push(fix.row - first_rows[input]);
        } else {
            columns.push(mmsi, &fix);
            last = Some((mmsi, fix));
        }
    }
    Ok(DayOf { positions: columns.into_frame().map_err(bug)?, table, first_rows, repeated })
}
