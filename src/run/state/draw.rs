//! The tracks of new and revised events, out of the rows that are kept.

use crate::frame;
use crate::model::{Fix, Mmsi, Params, Particulars, TrackId, time};
use crate::run::state::Error;
use crate::run::state::fold::Folded;
use crate::run::state::index::{Index, Rows};
use crate::run::state::objects::Objects;
use crate::run::state::rows;
use crate::run::tracks::Wanted;
use crate::track::segment::{self, ShipState};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// What the tracks of events are drawn from.
#[derive(Default)]
pub struct Drawn {
    /// Fixes by ship and track, in time order: those of the days folded and the one before that lie near an event of the ship.
    pub fixes: BTreeMap<(Mmsi, TrackId), Vec<Fix>>,
    /// What their `particulars` are the places in.
    pub table: Vec<Particulars>,
    /// Where the rows of each file begin.
    pub first_rows: Vec<u32>,
    /// The inputs that they are of, day by day; none where the rows are those of one delivery.
    pub files: Vec<String>,
}

/// Gathers what the tracks of events are drawn from, a day in memory at a time. `delivered_rows` is where the rows of each file begin,
/// where all are of one delivery.
pub fn draw(wanted: &[Wanted], delivered_rows: &[u32], folded: &Folded, index: &Index, objects: &Objects, params: &Params) -> Result<Drawn, Error> {
    let mut drawn = Drawn { first_rows: delivered_rows.to_vec(), ..Drawn::default() };
    let (Some((first, last)), Some(begin)) = (folded.span, folded.begin) else { return Ok(drawn) };
    let mut near: BTreeMap<Mmsi, Vec<(i64, i64)>> = BTreeMap::new();
    for (event, (mmsi, _)) in wanted.iter().flat_map(|e| e.ships.iter().map(move |s| (e, s))) {
        near.entry(*mmsi).or_default().push(event.window());
    }
    let oldest = index.settled_before.unwrap_or(first).max(first);
    let mut base = 0;
    for day in ((begin - 1).max(oldest)..=last).filter(|d| folded.delivered.contains(d)) {
        let (from, to) = (time::day_start_ms(day), time::day_start_ms(day + 1));
        let touches = |windows: &Vec<(i64, i64)>| windows.iter().any(|(a, b)| *a < to && *b >= from);
        if !near.values().any(touches) {
            continue;
        }
        let open: BTreeMap<Mmsi, ShipState> = match index.days.get(&(day - 1)).and_then(|d| d.ships.as_ref()) {
            Some(name) => objects.get_value(name)?,
            None => BTreeMap::new(),
        };
        let inputs: Vec<(&str, &Rows)> = index.rows_of(day).0;
        let ships = near.iter().filter(|(_, windows)| touches(windows)).map(|(mmsi, _)| mmsi.0).collect();
        let rows = rows::of_ships(&inputs, objects, Some(&ships))?;
        let of_day: Vec<_> =
            frame::ships(&rows.positions).map_err(|e| Error::Bug(e.to_string()))?.into_iter().filter(|s| near.get(&s.mmsi).is_some_and(touches)).collect();
        let assigned: Vec<(Mmsi, segment::Assigned)> = of_day
            .par_iter()
            .map(|ship| {
                let mut state = open.get(&ship.mmsi).cloned().unwrap_or_default();
                let fixes = (0..ship.t_ms.len()).map(|k| ship.fix(k));
                (ship.mmsi, segment::assign(ship.mmsi, fixes, &mut state, params))
            })
            .collect();
        let mut behind = base;
        let mut numbers: FxHashMap<u32, u32> = FxHashMap::default();
        for (mmsi, tracks) in assigned {
            // What waited since the day before has forgotten its line.
            let wanted = |f: &Fix| f.row != u32::MAX && near[&mmsi].iter().any(|(a, b)| (*a..=*b).contains(&f.t_ms));
            for (track, fixes) in tracks.fixes {
                let kept = drawn.fixes.entry((mmsi, track)).or_default();
                kept.extend(fixes.into_iter().filter(wanted).map(|f| {
                    let particulars = *numbers.entry(f.particulars).or_insert_with(|| {
                        drawn.table.push(rows.table[f.particulars as usize].clone());
                        drawn.table.len() as u32 - 1
                    });
                    Fix { row: f.row + base, particulars, ..f }
                }));
                behind = kept.iter().map(|f| f.row + 1).max().unwrap_or(0).max(behind);
            }
        }
        if delivered_rows.is_empty() {
            drawn.first_rows.extend(rows.first_rows.iter().map(|r| r + base));
            drawn.files.extend(inputs.iter().map(|(name, _)| (*name).to_owned()));
            base = behind;
        }
    }
    Ok(drawn)
}
