//! Who was heard where and when: what other ships in the same water and hour transmitted.
//!
//! *In*: tracks. *Out*: for every cell of 0.1 degree, clock hour and class, how many ships should have been heard and how many
//! were. A ship counts for an hour when it was heard shortly before and after the middle of it: then it surely was there.

use crate::detect::motion;
use crate::model::time::HOUR_MS;
use crate::model::{AisClass, Params, Track};
use crate::spatial::geodesy;
use rustc_hash::{FxHashMap, FxHashSet};

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

/// Reception by cell, hour since 1970 and class.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Coverage {
    /// The counts.
    pub hours: FxHashMap<(Cell, i32, AisClass), Heard>,
    /// Cells with any reception at all.
    pub cells: FxHashSet<Cell>,
}

/// One observation: a ship that was in a cell for an hour, and whether it was heard.
pub type VesselHour = (Cell, i32, AisClass, bool);

/// The hours of one track whose middle lies in `window` (half-open).
pub fn vessel_hours(track: &Track, class: AisClass, window: (i64, i64), params: &Params) -> Vec<VesselHour> {
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
        out.push((cell_of(geodesy::position_e7(at)), hour, class, heard));
    }
    out
}

impl Coverage {
    /// Counts vessel-hours.
    pub fn add(&mut self, hours: &[VesselHour]) {
        for &(cell, hour, class, heard) in hours {
            let entry = self.hours.entry((cell, hour, class)).or_default();
            entry.present += 1;
            if heard {
                entry.heard += 1;
                self.cells.insert(cell);
            }
        }
    }

    /// Forgets hours before `hour`.
    pub fn forget_before(&mut self, hour: i32) {
        self.hours.retain(|key, _| key.1 >= hour);
    }

    /// How surprising it is, in nats, that a ship of `class` was not heard from `off` to `on` on the straight path: the sum
    /// over the whole hours between of -ln of the chance of silence. Hours in which no ship was near to tell add nothing;
    /// `None` where no hour had a witness.
    pub fn surprise(&self, off: (i64, (i32, i32)), on: (i64, (i32, i32)), class: AisClass, params: &Params) -> Option<f64> {
        let (p, q) = (geodesy::point(off.1.0, off.1.1), geodesy::point(on.1.0, on.1.1));
        let first = off.0.div_euclid(HOUR_MS) + 1;
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
        if let Some(heard) = self.hours.get(&((lat, lon), hour, class)) {
            return Some(*heard);
        }
        let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (lat + dy, wrap(lon + dx))));
        around
            .filter_map(|cell| self.hours.get(&(cell, hour, class)))
            .copied()
            .reduce(|a, b| Heard { present: a.present + b.present, heard: a.heard + b.heard })
    }

    /// Whether any cell within one of the position's own was ever heard from.
    pub fn reaches(&self, position_e7: (i32, i32)) -> bool {
        let (lat, lon) = cell_of(position_e7);
        (-1..=1).any(|dy| (-1..=1).any(|dx| self.cells.contains(&(lat + dy, wrap(lon + dx)))))
    }
}

fn wrap(lon_cell: i16) -> i16 {
    (lon_cell + 1800).rem_euclid(3600) - 1800
}
