//! When a simulated ship is received, and what she says then.
//!
//! *In*: a world. *Out*: rows of one UTC day, in time order, then by number. Every ship and day has its own streams of chance, so
//! days are made apart and on as many threads as there are, and only one day of rows is held.

use crate::lab::dice::Dice;
use crate::lab::fleet::Trade;
use crate::lab::motion;
use crate::lab::world::World;
use crate::model::time::{DAY_MS, SECOND_MS};
use rayon::prelude::*;

/// "Not sent" in a heading or status.
pub const NONE: u16 = u16::MAX;
/// Error of a position, one standard deviation on either axis, in metres.
const POSITION_M: f64 = 5.0;
/// Error of a speed, one standard deviation on either axis, in metres a second (0.1 kn).
const SPEED_M_S: f64 = 0.05;
/// Error of a heading, one standard deviation, in degrees.
const HEADING_DEG: f64 = 0.7;
/// Ships at rest report this much less often: 3 min against 75 s in the minute-thinned public files.
const REST: f64 = 2.4;

/// One position report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Second of the day.
    pub second: u32,
    /// Number as sent.
    pub mmsi: u32,
    /// Index of the ship.
    pub ship: u32,
    /// Latitude in 1e-5 degree; 91 degrees is "not available".
    pub lat: i32,
    /// Longitude in 1e-5 degree; 181 degrees is "not available".
    pub lon: i32,
    /// Tenths of a knot.
    pub sog: u16,
    /// Tenths of a degree.
    pub cog: u16,
    /// Degrees, or [`NONE`].
    pub heading: u16,
    /// Navigational status, or [`NONE`].
    pub status: u16,
    /// Tenths of a metre.
    pub draught: u8,
}

/// The reports of a world.
pub struct Reports<'a> {
    /// Its ships.
    pub world: &'a World,
    /// The seed.
    pub seed: u64,
    /// Seconds between two reports of a ship under way, in the middle.
    pub interval_s: f64,
}

impl Reports<'_> {
    fn dice(&self, ship: usize, day: i64, stream: u64) -> Dice {
        Dice::new(self.seed, ((ship as u64) << 20) | ((day as u64) << 2) | stream)
    }

    /// Times at which a ship is received on a day, counted from the first of the data.
    fn times(&self, ship: usize, day: i64) -> Vec<i64> {
        let mut dice = self.dice(ship, day, 0);
        let (ships, s) = (&self.world.ships, &self.world.ships[ship]);
        let begin = self.world.span.0 + day * DAY_MS;
        let mut t = begin as f64 + dice.unit() * self.interval_s * 1000.0;
        let mut times = Vec::new();
        while t < (begin + DAY_MS) as f64 {
            let whole = (t as i64).div_euclid(SECOND_MS) * SECOND_MS;
            if whole >= s.first_ms && s.silent.iter().all(|(from, to)| whole < *from || whole >= *to) {
                times.push(whole);
            }
            let pace = match s.trade {
                Trade::BaseStation => 40.0,
                _ if motion::rest_status(ships, ship, whole).is_some() => REST,
                _ => 1.0,
            };
            // One report in 25 is lost, and up to two more with it.
            let lost = if dice.chance(0.04) { dice.between(1.0, 3.0) } else { 1.0 };
            t += self.interval_s * 1000.0 * pace * lost * dice.between(0.75, 1.25);
        }
        times
    }

    /// The last report before a window and the first after it, or the end of the data; `None` where there is none before.
    pub fn silence(&self, ship: usize, window: (i64, i64)) -> Option<(i64, i64)> {
        let (start, end) = self.world.span;
        let day = |t: i64| (t - start).div_euclid(DAY_MS).clamp(0, (end - start) / DAY_MS - 1);
        let off = (0..=day(window.0)).rev().take(3).find_map(|d| self.times(ship, d).into_iter().rev().find(|t| *t < window.0))?;
        let on = (day(window.1)..=day(end)).take(3).find_map(|d| self.times(ship, d).into_iter().find(|t| *t >= window.1));
        Some((off, on.unwrap_or(end)))
    }

    /// All rows of a day.
    pub fn day(&self, day: i64) -> Vec<Row> {
        let of_ship: Vec<Vec<Row>> = (0..self.world.ships.len()).into_par_iter().map(|ship| self.of_ship(ship, day)).collect();
        let mut rows = Vec::with_capacity(of_ship.iter().map(Vec::len).sum::<usize>() + 8);
        for part in of_ship {
            rows.extend(part);
        }
        self.spoil(&mut rows, day);
        rows.par_sort_unstable();
        rows
    }

    fn of_ship(&self, ship: usize, day: i64) -> Vec<Row> {
        const KNOT: f64 = 1852.0 / 3600.0;
        const AHEAD_MS: i64 = 15_000;
        let ships = &self.world.ships;
        let s = &ships[ship];
        let mut dice = self.dice(ship, day, 1);
        let mut teleport = s.teleport_ms.filter(|t| (t - self.world.span.0).div_euclid(DAY_MS) == day);
        let row = |t: i64| {
            // Of the middle of the hull: a ship that turns at the end of her way must not seem to dash from stern to stern.
            let here = motion::antenna(ships, ship, t);
            let (now, next) = (motion::pose(ships, ship, t).at, motion::pose(ships, ship, t + AHEAD_MS).at);
            let moved = |a: f64, b: f64, dice: &mut Dice| (b - a) * 1000.0 / AHEAD_MS as f64 + dice.bell() * SPEED_M_S;
            let (east, north) = (moved(now.0, next.0, &mut dice), moved(now.1, next.1, &mut dice));
            let seen = (here.at.0 + dice.bell() * POSITION_M, here.at.1 + dice.bell() * POSITION_M);
            let (mut lat, lon) = motion::degrees(s.origin, seen);
            if teleport.is_some_and(|m| t >= m) {
                (teleport, lat) = (None, lat + if lat > 0.0 { -4.0 } else { 4.0 });
            }
            let whole = |degrees: f64| (degrees.rem_euclid(360.0) + 0.5) as u16 % 360;
            let course = libm::atan2(east, north).to_degrees().rem_euclid(360.0);
            let heading = whole(here.heading.to_degrees() + dice.bell() * HEADING_DEG);
            let class_b = s.trade == Trade::Yacht;
            Row {
                second: ((t - self.world.span.0 - day * DAY_MS) / SECOND_MS) as u32,
                mmsi: s.mmsi,
                ship: ship as u32,
                lat: (lat * 1e5).round() as i32,
                lon: (lon * 1e5).round() as i32,
                sog: ((east * east + north * north).sqrt() / KNOT * 10.0).round() as u16,
                cog: (course * 10.0).round() as u16 % 3600,
                heading: if s.heading { heading } else { NONE },
                status: if class_b { NONE } else { motion::rest_status(ships, ship, t).unwrap_or(s.status).into() },
                draught: if t < s.draught_dm.2 { s.draught_dm.0 } else { s.draught_dm.1 },
            }
        };
        self.times(ship, day).into_iter().map(row).collect()
    }

    /// A few exact duplicates, and a report without a position.
    fn spoil(&self, rows: &mut Vec<Row>, day: i64) {
        let mut dice = self.dice(self.world.ships.len(), day, 2);
        for k in 0..6 {
            if let Some(&row) = rows.get(dice.below(rows.len())) {
                rows.push(if k == 0 { Row { lat: 9_100_000, lon: 18_100_000, ..row } } else { row });
            }
        }
    }
}
