//! Who was heard where and when: what other ships in the same water and hour transmitted.
//!
//! *In*: tracks. *Out*: for every cell of 0.1 degree, clock hour and class, how many ships should have been heard and how many
//! were, summed up a day at a time so that a silence is judged by the same days whenever it is judged. A ship counts for an hour when it was heard shortly before and after the middle of it: then it surely was there.

use crate::detect::motion;
use crate::model::time::{self, HOUR_MS};
use crate::model::{AisClass, Fix, Params, Track};
use crate::spatial::geodesy;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A cell of 0.1 degree, (latitude, longitude) index.
pub type Cell = (i16, i16);

/// The cell of a position.
pub fn cell_of(position_e7: (i32, i32)) -> Cell {
    (position_e7.0.div_euclid(1_000_000) as i16, position_e7.1.div_euclid(1_000_000) as i16)
}

/// Ships that should have been heard, and ships that were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Heard {
    /// Ships that were there.
    pub present: u32,
    /// Of those, ships with a fix in the hour.
    pub heard: u32,
}

/// Reception in one hour: by cell and class, ascending.
pub type HourHeard = Vec<(Cell, AisClass, Heard)>;

/// What a step of days learnt of reception; a daily summary. Every hour stands in the summary of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reception {
    /// By hour since 1970.
    pub hours: BTreeMap<i32, HourHeard>,
    /// By UTC day since 1970: cells with any reception at all, ascending.
    pub cells: BTreeMap<i32, Vec<Cell>>,
}

impl Reception {
    /// Counts vessel-hours.
    pub fn of(mut seen: Vec<VesselHour>) -> Self {
        seen.par_sort_unstable_by_key(|&(cell, hour, class, _)| (hour, cell, class));
        let mut out = Self::default();
        for of_hour in seen.chunk_by(|a, b| a.1 == b.1) {
            let counted = of_hour.chunk_by(|a, b| (a.0, a.2) == (b.0, b.2)).map(|same| {
                let heard = same.iter().filter(|h| h.3).count() as u32;
                (same[0].0, same[0].2, Heard { present: same.len() as u32, heard })
            });
            let counted: HourHeard = counted.collect();
            let hour = of_hour[0].1;
            out.cells.entry(hour.div_euclid(24)).or_default().extend(counted.iter().filter(|c| c.2.heard > 0).map(|c| c.0));
            out.hours.insert(hour, counted);
        }
        for cells in out.cells.values_mut() {
            cells.sort_unstable();
            cells.dedup();
        }
        out
    }

    /// Adds what other steps learnt.
    pub fn extend(&mut self, other: Self) {
        self.hours.extend(other.hours);
        for (day, cells) in other.cells {
            let mine = self.cells.entry(day).or_default();
            mine.extend(cells);
            mine.sort_unstable();
            mine.dedup();
        }
    }
}

/// Reception as silences are judged by it.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    hours: BTreeMap<i32, HourHeard>,
    /// The days on which a cell was heard from, ascending.
    cells: FxHashMap<Cell, Vec<i32>>,
}

/// One observation: a ship that was in a cell for an hour, and whether it was heard.
pub type VesselHour = (Cell, i32, AisClass, bool);

/// The hours of one track whose middle lies in `window` (half-open). `class_of` tells the class that was sent beside a fix.
pub fn vessel_hours(track: &Track, class_of: impl Fn(&Fix) -> AisClass, window: (i64, i64), params: &Params) -> Vec<VesselHour> {
    let reach = params.gap.witness_h.millis();
    let mut out = Vec::new();
    let fixes = &track.fixes;
    let (Some(first), Some(last)) = (fixes.first(), fixes.last()) else { return out };
    let from = window.0.max(first.t_ms).div_euclid(HOUR_MS) as i32;
    let to = window.1.min(last.t_ms).div_euclid(HOUR_MS) as i32;
    let mut k = 0;
    for hour in from..=to {
        let begin = i64::from(hour) * HOUR_MS;
        let middle = begin + HOUR_MS / 2;
        if middle < window.0 || middle >= window.1 {
            continue;
        }
        k += fixes[k..].partition_point(|f| f.t_ms <= middle);
        let (Some(before), Some(after)) = (k.checked_sub(1).map(|b| &fixes[b]), fixes.get(k)) else { continue };
        if middle - before.t_ms > reach || after.t_ms - middle > reach {
            continue;
        }
        let heard = before.t_ms >= begin || after.t_ms < begin + HOUR_MS;
        let at = motion::on_leg((before.t_ms, motion::point_of(before)), (after.t_ms, motion::point_of(after)), middle);
        out.push((cell_of(geodesy::position_e7(at)), hour, class_of(before), heard));
    }
    out
}

/// The days whose reception says something of a silence that ended on `day`: the 30 before, that day and the next. What was heard
/// later changes no verdict.
pub fn days_for(day: i32) -> RangeInclusive<i32> {
    day - LEARNT_DAYS..=day + 1
}

/// Days before the end of a silence that tell of its water.
pub const LEARNT_DAYS: i32 = 30;

impl Coverage {
    /// Of everything that was learnt.
    pub fn new(learnt: Reception) -> Self {
        let mut cells: FxHashMap<Cell, Vec<i32>> = FxHashMap::default();
        for (day, heard) in learnt.cells {
            heard.into_iter().for_each(|cell| cells.entry(cell).or_default().push(day));
        }
        Self { hours: learnt.hours, cells }
    }

    /// How surprising it is, in nats, that a ship of `class` was not heard from `off` to `on` on the straight path: the sum
    /// over the whole hours between of -ln of the chance of silence. Hours in which no ship was near to tell add nothing;
    /// `None` where no hour had a witness.
    pub fn surprise(&self, off: (i64, (i32, i32)), on: (i64, (i32, i32)), class: AisClass, params: &Params) -> Option<f64> {
        let (p, q) = (geodesy::point(off.1.0, off.1.1), geodesy::point(on.1.0, on.1.1));
        let earliest = i64::from(*days_for(time::day_of(on.0)).start()) * 24;
        let first = (off.0.div_euclid(HOUR_MS) + 1).max(earliest);
        let until = on.0.min(off.0 + params.gap.longest_judged_h.millis()).div_euclid(HOUR_MS);
        let cap = -libm::log(params.gap.hour_floor.clamp(1e-9, 1.0));
        let (mut sum, mut witnessed) = (0.0, false);
        for hour in first..until {
            let at = motion::on_leg((off.0, p), (on.0, q), hour * HOUR_MS + HOUR_MS / 2);
            let cell = cell_of(geodesy::position_e7(at));
            if let Some(heard) = self.witnesses(cell, hour as i32, class) {
                let chance = f64::from(heard.heard + 1) / f64::from(heard.present + 2);
                sum += (-libm::log(1.0 - chance)).min(cap);
                witnessed = true;
            }
        }
        witnessed.then(|| sum.min(params.gap.max_surprise_nats))
    }

    /// Who was there to tell: in the cell itself, or where nobody was, in the eight around it.
    fn witnesses(&self, (lat, lon): Cell, hour: i32, class: AisClass) -> Option<Heard> {
        let of_hour = self.hours.get(&hour)?;
        let heard = |cell: Cell| of_hour.binary_search_by_key(&(cell, class), |h| (h.0, h.1)).ok().map(|k| of_hour[k].2);
        heard((lat, lon)).or_else(|| {
            let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (lat + dy, wrap(lon + dx))));
            around.filter_map(heard).reduce(|a, b| Heard { present: a.present + b.present, heard: a.heard + b.heard })
        })
    }

    /// Whether any cell within one of the position's own was heard from on any of the days.
    pub fn reaches(&self, position_e7: (i32, i32), days: &RangeInclusive<i32>) -> bool {
        let (lat, lon) = cell_of(position_e7);
        let heard = |cell: Cell| self.cells.get(&cell).is_some_and(|on| on.get(on.partition_point(|d| d < days.start())).is_some_and(|d| d <= days.end()));
        (-1..=1).any(|dy| (-1..=1).any(|dx| heard((lat + dy, wrap(lon + dx)))))
    }
}

fn wrap(lon_cell: i16) -> i16 {
    (lon_cell + 1800).rem_euclid(3600) - 1800
}
