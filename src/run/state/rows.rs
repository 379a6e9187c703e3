//! The rows of an input by UTC day, as objects, and the rows of a day out of all its inputs.

use crate::frame::{self, KeptPositions, PositionColumns, ShipRows};
use crate::ingest::store::{is_duplicate, stream_of};
use crate::model::{Fix, Particulars, Reject, RejectReason, time};
use crate::run::state::Error;
use crate::run::state::index::{Part, Rows};
use crate::run::state::objects::{Name, Objects};
use polars::prelude::DataFrame;
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
    /// All that were kept, where they are one part of one day.
    fresh: Option<Fresh>,
}

impl Kept {
    /// Keeps rows of any days.
    pub fn add(&mut self, positions: DataFrame, particulars: DataFrame, objects: &Objects) -> Result<(), Error> {
        // Of several parts none is a day: in memory it would lie in the way of all that comes.
        self.fresh = None;
        let is_first = self.days.is_empty();
        let table = frame::particulars_records(&particulars).map_err(bug)?;
        let ships = frame::ships(&positions).map_err(bug)?;
        let mut days: BTreeMap<i32, Vec<ShipRows>> = BTreeMap::new();
        for ship in &ships {
            for day in ship.t_ms.chunk_by(|a, b| time::day_of(*a) == time::day_of(*b)).map(|c| time::day_of(c[0])) {
                days.entry(day).or_default().push(ship.between(time::day_start_ms(day), time::day_start_ms(day + 1)));
            }
        }
        let mut last = None;
        for (day, ships) in &days {
            let (part, n) = put(ships, &table, objects)?;
            self.note(*day, n, part.clone());
            last = Some(part);
        }
        let single = last.filter(|_| is_first && days.len() == 1);
        drop((days, ships));
        self.fresh = single.map(|part| Fresh { part, positions, table });
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
            for [positions, _] in parts {
                let mut kept = KeptPositions::new(objects.get(positions)?).map_err(bug)?;
                let mut left: Vec<(u32, Fix)> = Vec::new();
                while let fixes = kept.next_fixes(None).map_err(bug)?
                    && !fixes.is_empty()
                {
                    left.extend(fixes.into_iter().filter(|(_, fix)| !refused.iter().any(|r| r.contains(&fix.row))));
                }
                *count += left.len() as u64;
                *positions = put_positions(left.into_iter(), objects)?.0;
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

/// Keeps rows of ships, with a table of what they speak of, numbered anew in the same order; returns how many.
fn put(ships: &[ShipRows], table: &[Particulars], objects: &Objects) -> Result<(Part, u64), Error> {
    let fixes = || ships.iter().flat_map(|s| (0..s.t_ms.len()).map(|k| (s.mmsi.0, s.fix(k))));
    let mut used = vec![false; table.len()];
    fixes().for_each(|(_, fix)| used[fix.particulars as usize] = true);
    let mut number = vec![0u32; table.len()];
    let mut spoken: Vec<Particulars> = Vec::new();
    for (k, particulars) in table.iter().enumerate().filter(|(k, _)| used[*k]) {
        number[k] = spoken.len() as u32;
        spoken.push(particulars.clone());
    }
    let mut spoken = frame::particulars(&spoken).map_err(bug)?;
    let (positions, n) = put_positions(fixes().map(|(mmsi, fix)| (mmsi, Fix { particulars: number[fix.particulars as usize], ..fix })), objects)?;
    Ok(([positions, objects.put(&frame::to_parquet(&mut spoken).map_err(bug)?)?], n))
}

fn put_positions(fixes: impl Iterator<Item = (u32, Fix)>, objects: &Objects) -> Result<(Name, u64), Error> {
    let mut written = 0;
    let name = objects.put_with(|out| {
        written = frame::write_positions(fixes, out).map_err(bug)?;
        Ok(())
    })?;
    Ok((name, written))
}

fn said(particulars: &str, objects: &Objects) -> Result<Vec<Particulars>, Error> {
    frame::particulars_records(&frame::from_parquet(objects.get(particulars)?).map_err(bug)?).map_err(bug)
}

/// Rows of undelivered days, by stream: how many, and the first of them as rejects name them.
pub fn strays(days: &[Rows], first_rows: &[u32], objects: &Objects) -> Result<(BTreeMap<usize, u64>, Vec<Reject>), Error> {
    let (mut counts, mut rejects) = (BTreeMap::new(), Vec::new());
    for [positions, _] in days.iter().flat_map(|rows| rows.objects.iter().flatten()) {
        let mut kept = KeptPositions::new(objects.get(positions)?).map_err(bug)?;
        while let fixes = kept.next_fixes(None).map_err(bug)?
            && !fixes.is_empty()
        {
            for (mmsi, fix) in fixes {
                let stream = stream_of(first_rows, fix.row);
                *counts.entry(stream).or_default() += 1;
                let text = format!("mmsi {mmsi:09}, time {}", time::rfc3339(fix.t_ms));
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

/// Where the rows of inputs are, each with the place of its input.
fn parts_of<'r>(inputs: &[(&str, &'r Rows)]) -> Vec<(usize, &'r Part)> {
    inputs.iter().enumerate().flat_map(|(k, (_, rows))| rows.objects.iter().flatten().map(move |p| (k, p))).collect()
}

/// Brings the inputs of a day together, in their order. What is still in memory of them is given away.
pub fn of_day(inputs: &[(&str, &Rows)], objects: &Objects, fresh: &mut Option<Fresh>) -> Result<DayOf, Error> {
    if let [(_, part)] = parts_of(inputs).as_slice()
        && let Some(Fresh { positions, table, .. }) = fresh.take_if(|fresh| fresh.part == **part)
    {
        return Ok(DayOf { positions, table, first_rows: vec![0], repeated: Vec::new() });
    }
    of_ships(inputs, objects, None)
}

/// The rows of some ships of a day, or of all where none are named, read again: ship by ship, with a row group of each part in memory.
pub fn of_ships(inputs: &[(&str, &Rows)], objects: &Objects, wanted: Option<&BTreeSet<u32>>) -> Result<DayOf, Error> {
    if let Some((name, _)) = inputs.iter().find(|(_, rows)| rows.objects.is_none()) {
        return Err(Error::Bug(format!("the rows of {name} are gone")));
    }
    let all = parts_of(inputs);
    let tables: Vec<Vec<Particulars>> = all.iter().map(|(_, part)| said(&part[1], objects)).collect::<Result<_, _>>()?;
    let mut table: Vec<Particulars> = tables.iter().flatten().cloned().collect();
    table.sort_unstable();
    table.dedup();
    let (mut sources, mut first_rows, mut behind): (Vec<Source>, Vec<u32>, u32) = (Vec::new(), Vec::new(), 0);
    for ((input, [positions, _]), said) in all.into_iter().zip(tables) {
        let kept = KeptPositions::new(objects.get(positions)?).map_err(bug)?;
        // Parts of one input number their rows together.
        first_rows.resize((input + 1).max(first_rows.len()), behind);
        let base = first_rows[input];
        if inputs.len() > 1 {
            behind = behind.max(kept.last_row().map_err(bug)?.map_or(base, |row| base + row + 1));
        }
        let number = said.iter().map(|p| table.partition_point(|t| t < p) as u32).collect();
        sources.push(Source { kept, fixes: Vec::new().into_iter(), number, base });
    }
    let mut repeated = vec![Vec::new(); first_rows.len()];
    // Of a whole day as much as there is, at once: what grows leaves holes in memory.
    let rows = if wanted.is_some() { 0 } else { sources.iter().map(|s| s.kept.rows()).sum() };
    let mut columns = PositionColumns::with_capacity(rows);
    let (mut own, mut before): (Vec<Fix>, Option<u32>) = (Vec::new(), None);
    loop {
        let mut next: Option<u32> = None;
        for source in &mut sources {
            next = [next, source.ship(wanted)?].into_iter().flatten().min();
        }
        let Some(mmsi) = next else { break };
        if before.replace(mmsi).is_some_and(|before| before >= mmsi) {
            return Err(bug(format!("the rows of {mmsi} do not stand in order")));
        }
        own.clear();
        for source in &mut sources {
            source.take(mmsi, &mut own, wanted)?;
        }
        // What was in order is merged, not sorted.
        own.sort();
        let mut last: Option<&Fix> = None;
        for fix in &own {
            if last.is_some_and(|last| is_duplicate(last, fix)) {
                let input = stream_of(&first_rows, fix.row);
                repeated[input].push(fix.row - first_rows[input]);
            } else {
                columns.push(mmsi, fix);
                last = Some(fix);
            }
        }
    }
    Ok(DayOf { positions: columns.into_frame().map_err(bug)?, table, first_rows, repeated })
}

/// A part of a day on its way into the whole: its ships in ascending order.
struct Source {
    kept: KeptPositions,
    fixes: std::vec::IntoIter<(u32, Fix)>,
    /// Where its particulars stand in the table of the day.
    number: Vec<u32>,
    /// Where its rows begin.
    base: u32,
}

impl Source {
    /// The next ship.
    fn ship(&mut self, wanted: Option<&BTreeSet<u32>>) -> Result<Option<u32>, Error> {
        if self.fixes.as_slice().is_empty() {
            self.fixes = self.kept.next_fixes(wanted).map_err(bug)?.into_iter();
        }
        Ok(self.fixes.as_slice().first().map(|(mmsi, _)| *mmsi))
    }
    /// The rows of a ship, if it is the next.
    fn take(&mut self, mmsi: u32, into: &mut Vec<Fix>, wanted: Option<&BTreeSet<u32>>) -> Result<(), Error> {
        while self.ship(wanted)? == Some(mmsi) {
            let n = self.fixes.as_slice().partition_point(|(m, _)| *m == mmsi);
            into.extend(self.fixes.by_ref().take(n).map(|(_, f)| Fix { particulars: self.number[f.particulars as usize], row: f.row + self.base, ..f }));
        }
        Ok(())
    }
}
