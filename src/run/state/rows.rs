//! The rows of an input by UTC day, as objects, and the rows of a day out of all its inputs.

use crate::frame::{self, PositionColumns, ShipRows};
use crate::ingest::Delivery;
use crate::ingest::store::is_duplicate;
use crate::model::{Fix, Particulars, time};
use crate::run::state::Error;
use crate::run::state::index::Rows;
use crate::run::state::objects::{Name, Objects};
use polars::prelude::DataFrame;
use rayon::prelude::*;
use std::collections::BTreeMap;

fn bug(e: impl std::fmt::Display) -> Error {
    Error::Bug(e.to_string())
}

/// Rows of a day and an input that are in memory still, with the name of their object.
pub struct Fresh {
    name: Name,
    positions: DataFrame,
    table: Vec<Particulars>,
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows of {}", self.positions.height(), self.name)
    }
}

/// Keeps the rows of a delivery, day by day. Where they are all of one day they are given back as well.
pub fn keep(delivery: Delivery, objects: &Objects) -> Result<(BTreeMap<i32, Rows>, Option<Fresh>), Error> {
    let Delivery { mut positions, mut particulars, rows_by_day, .. } = delivery;
    let mut kept = BTreeMap::new();
    if let (Some((&day, &delivered)), 1) = (rows_by_day.first_key_value(), rows_by_day.len()) {
        let n = positions.height() as u64;
        let names = put(&mut positions, &mut particulars, objects)?;
        let fresh = Fresh { name: names[0].clone(), positions, table: frame::particulars_records(&particulars).map_err(bug)? };
        kept.insert(day, Rows { delivered, positions: n, objects: Some(names) });
        return Ok((kept, Some(fresh)));
    }
    let table = frame::particulars_records(&particulars).map_err(bug)?;
    let ships = frame::ships(&positions).map_err(bug)?;
    for (day, delivered) in rows_by_day {
        let (from, to) = (time::day_start_ms(day), time::day_start_ms(day + 1));
        let of_day: Vec<ShipRows> = ships.iter().map(|s| s.between(from, to)).filter(|s| !s.t_ms.is_empty()).collect();
        // Only what is spoken of on the day, numbered anew in the same order.
        let mut used = vec![false; table.len()];
        of_day.iter().for_each(|s| (0..s.t_ms.len()).for_each(|k| used[s.fix(k).particulars as usize] = true));
        let mut number = vec![0u32; table.len()];
        let mut spoken: Vec<Particulars> = Vec::new();
        for (k, particulars) in table.iter().enumerate().filter(|(k, _)| used[*k]) {
            number[k] = spoken.len() as u32;
            spoken.push(particulars.clone());
        }
        let mut columns = PositionColumns::with_capacity(of_day.iter().map(|s| s.t_ms.len()).sum());
        for ship in &of_day {
            for k in 0..ship.t_ms.len() {
                let fix = ship.fix(k);
                columns.push(ship.mmsi.0, &Fix { particulars: number[fix.particulars as usize], ..fix });
            }
        }
        let positions = columns.mmsi.len() as u64;
        let mut frames = (columns.into_frame().map_err(bug)?, frame::particulars(&spoken).map_err(bug)?);
        kept.insert(day, Rows { delivered, positions, objects: Some(put(&mut frames.0, &mut frames.1, objects)?) });
    }
    Ok((kept, None))
}

fn put(positions: &mut DataFrame, particulars: &mut DataFrame, objects: &Objects) -> Result<[Name; 2], Error> {
    Ok([objects.put(&frame::to_parquet(positions).map_err(bug)?)?, objects.put(&frame::to_parquet(particulars).map_err(bug)?)?])
}

/// The rows of a day.
pub struct DayOf {
    /// One row a report, without repeats over the inputs.
    pub positions: DataFrame,
    /// What ships said of themselves.
    pub table: Vec<Particulars>,
    /// Where the rows of each input begin.
    pub first_rows: Vec<u32>,
    /// Repeats of another input's rows, by input.
    pub repeated: Vec<u64>,
}

impl DayOf {
    /// Of a day without data.
    pub fn nothing() -> Result<Self, Error> {
        Ok(Self { positions: PositionColumns::default().into_frame().map_err(bug)?, table: Vec::new(), first_rows: Vec::new(), repeated: Vec::new() })
    }
}

/// Brings the inputs of a day together, in their order.
pub fn of_day(inputs: &[(&str, &Rows)], objects: &Objects, fresh: Option<&Fresh>) -> Result<DayOf, Error> {
    let is_fresh = |rows: &Rows| fresh.filter(|f| rows.objects.as_ref().is_some_and(|o| o[0] == f.name));
    if let [(_, rows)] = inputs
        && let Some(fresh) = is_fresh(rows)
    {
        return Ok(DayOf { positions: fresh.positions.clone(), table: fresh.table.clone(), first_rows: vec![0], repeated: vec![0] });
    }
    let mut parts: Vec<(DataFrame, Vec<Particulars>)> = Vec::new();
    for (name, rows) in inputs {
        let Some([positions, particulars]) = &rows.objects else { return Err(Error::Bug(format!("the rows of {name} are gone"))) };
        let read = |object: &str| frame::from_parquet(objects.get(object)?).map_err(bug);
        parts.push((read(positions)?, frame::particulars_records(&read(particulars)?).map_err(bug)?));
    }
    if parts.len() == 1
        && let Some((positions, table)) = parts.pop()
    {
        return Ok(DayOf { positions, table, first_rows: vec![0], repeated: vec![0] });
    }
    let mut table: Vec<Particulars> = parts.iter().flat_map(|p| p.1.iter().cloned()).collect();
    table.sort_unstable();
    table.dedup();
    let (mut all, mut first_rows): (Vec<(u32, Fix)>, Vec<u32>) = (Vec::new(), Vec::new());
    for (positions, said) in &parts {
        let base = all.iter().map(|(_, f)| f.row + 1).max().unwrap_or(0);
        let number: Vec<u32> = said.iter().map(|p| table.partition_point(|t| t < p) as u32).collect();
        first_rows.push(base);
        for ship in frame::ships(positions).map_err(bug)? {
            let fix = |k| ship.fix(k);
            all.extend((0..ship.t_ms.len()).map(fix).map(|f| (ship.mmsi.0, Fix { particulars: number[f.particulars as usize], row: f.row + base, ..f })));
        }
    }
    drop(parts);
    all.par_sort_unstable();
    let mut repeated = vec![0; first_rows.len()];
    let mut columns = PositionColumns::with_capacity(all.len());
    let mut last: Option<(u32, Fix)> = None;
    for (mmsi, fix) in all {
        if last.is_some_and(|(m, f)| m == mmsi && is_duplicate(&f, &fix)) {
            repeated[first_rows.partition_point(|r| *r <= fix.row) - 1] += 1;
        } else {
            columns.push(mmsi, &fix);
            last = Some((mmsi, fix));
        }
    }
    Ok(DayOf { positions: columns.into_frame().map_err(bug)?, table, first_rows, repeated })
}
