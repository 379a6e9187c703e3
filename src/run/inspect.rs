//! `inspect`: what a delivery is, before anybody trusts an event from it.
//!
//! *In*: paths. *Out*: a [`Report`]: rows, ships, span, area, intervals, what is missing and what is odd. Nothing is refused for
//! its dirt here: that is what one wants to see.

use crate::frame::{self, ShipRows};
use crate::ingest::layout::{self, Reading};
use crate::ingest::{self, Limits};
use crate::model::time::HOUR_MS;
use crate::model::{AisClass, FileAccount, NULL_STATUS, NULL_U16, Particulars, RejectReason, ShipType, time};
use crate::run::oneshot::{self, Error, Progress};
use crate::spatial::coast::Coast;
use crate::units::{E7, METRES_PER_NM};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// One a file, or member of an archive.
    pub files: Vec<File>,
    /// Ships with a position.
    pub vessels: u64,
    /// Ships by class of transponder, as they said last.
    pub vessels_by_class: BTreeMap<&'static str, u64>,
    /// Ships by type, as they said last.
    pub vessels_by_type: BTreeMap<&'static str, u64>,
    /// Positions, duplicates not counted.
    pub positions: u64,
    /// First and last time, UTC.
    pub span: Option<(String, String)>,
    /// Positions by UTC day.
    pub positions_by_day: BTreeMap<String, u64>,
    /// Times of ten minutes and more in which nobody was heard: from, to.
    pub holes: Vec<(String, String)>,
    /// West, south, east, north in degrees; west > east crosses the antimeridian.
    pub area: Option<[f64; 4]>,
    /// Time between a ship's positions in seconds: 10, 50 and 90 % of them are at most so long.
    pub interval_s: Option<[u32; 3]>,
    /// Share of positions without a value, by column.
    pub missing: BTreeMap<&'static str, f64>,
    /// What does not look as it should, in words.
    pub odd: Vec<Oddity>,
}

/// A file and what became of its rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct File {
    /// As given or found.
    pub path: String,
    /// The layout, and by what it was told.
    pub layout: String,
    /// By what it was told.
    pub told_by: String,
    /// Size as stored.
    pub bytes: u64,
    /// Rows below the header.
    pub rows: u64,
    /// Rows that became a position.
    pub positions: u64,
    /// Rows equal to another in every column that is read.
    pub duplicates: u64,
    /// Rows of particulars alone.
    pub static_only: u64,
    /// Rows without a position.
    pub no_position: u64,
    /// Rows of what is no ship, by kind.
    pub not_ships: BTreeMap<&'static str, u64>,
    /// Refused rows by reason.
    pub rejected: BTreeMap<&'static str, u64>,
}

/// Something odd.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Oddity {
    /// A word for machines.
    pub kind: &'static str,
    /// A sentence for people.
    pub what: String,
}

/// Reads and looks. With the inputs that could not be read.
pub fn inspect(inputs: &[String], reading: Reading, progress: &(dyn Fn(Progress) + Sync)) -> Result<(Report, Vec<ingest::Error>), Error> {
    let limits = Limits { reading, max_reject_percent: 100.0, stray_share: 0.0, ..Limits::default() };
    let delivery = oneshot::read(inputs, &limits, progress)?;
    if delivery.accounts.is_empty() {
        return Err(Error::NothingUsable(delivery.refused));
    }
    let bug = |e: polars::prelude::PolarsError| Error::Bug(e.to_string());
    let table = frame::particulars_records(&delivery.particulars).map_err(bug)?;
    let ships = frame::ships(&delivery.positions).map_err(bug)?;
    Ok((report(&delivery.accounts, &ships, &table), delivery.refused))
}

/// The report of rows that are read already.
pub fn report(accounts: &[FileAccount], ships: &[ShipRows], table: &[Particulars]) -> Report {
    let looked = ships.par_iter().map(|s| Looked::at(s, table)).reduce(Looked::default, Looked::and);
    let mut by_class: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut by_type: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut false_imos = 0;
    for ship in ships {
        let last = |says: &dyn Fn(&Particulars) -> bool| {
            let mut seen = None;
            let said = (0..ship.t_ms.len()).rev().map(|k| ship.fix(k).particulars).filter(|p| seen.replace(*p) != Some(*p));
            said.take(64).filter_map(|p| table.get(p as usize)).find(|p| says(p))
        };
        false_imos += u64::from(last(&|p| p.imo != 0).is_some_and(|p| !p.has_imo()));
        let class = last(&|p| p.class != AisClass::Unknown).map_or("unknown", |p| if p.class == AisClass::A { "A" } else { "B" });
        *by_class.entry(class).or_default() += 1;
        *by_type.entry(last(&|p| p.ship_type != 0).map_or(ShipType::Unknown, |p| ShipType::of(p.ship_type)).word()).or_default() += 1;
    }
    let share = |n: u64| if looked.positions == 0 { 0.0 } else { n as f64 / looked.positions as f64 };
    Report {
        files: accounts.iter().map(file).collect(),
        vessels: ships.len() as u64,
        vessels_by_class: by_class,
        vessels_by_type: by_type,
        positions: looked.positions,
        span: looked.span.map(|(from, to)| (time::rfc3339(from), time::rfc3339(to))),
        positions_by_day: looked.days.iter().map(|(d, n)| (time::day_text(*d), *n)).collect(),
        holes: holes(&looked),
        area: area(&looked),
        interval_s: looked.percentiles(),
        missing: COLUMNS.into_iter().zip(looked.missing.map(share)).collect(),
        odd: oddities(accounts, ships, &looked, false_imos),
    }
}

fn file(account: &FileAccount) -> File {
    File {
        path: account.path.display().to_string(),
        layout: account.layout.clone(),
        told_by: layout::told_by(&account.layout),
        bytes: account.bytes,
        rows: account.rows,
        positions: account.positions,
        duplicates: account.duplicates,
        static_only: account.static_only,
        no_position: account.no_position,
        not_ships: account.not_ships.clone(),
        rejected: account.rejected.iter().map(|(reason, n)| (reason.key(), *n)).collect(),
    }
}

/// Columns whose missing values are counted, in the order of [`Looked::missing`].
const COLUMNS: [&str; 11] = ["speed", "course", "heading", "status", "name", "imo", "ship_type", "length", "draught", "class", "antenna"];

/// Intervals longer than this are silences.
const LONGEST_INTERVAL_S: usize = 4 * 3600;
const SLOT_MS: i64 = 600_000;
const BAND_E7: i32 = 10_000_000;

/// Sums over ships; whole numbers, so that their order cannot matter.
#[derive(Default)]
struct Looked {
    positions: u64,
    span: Option<(i64, i64)>,
    days: BTreeMap<i32, u64>,
    /// Slots of ten minutes in which anybody was heard.
    slots: FxHashSet<i64>,
    /// Least and greatest latitude.
    lat_e7: Option<(i32, i32)>,
    /// Least and greatest longitude by band of one degree.
    bands: BTreeMap<i32, (i32, i32)>,
    /// Positions by seconds since the last.
    intervals: BTreeMap<u32, u64>,
    missing: [u64; COLUMNS.len()],
}

impl Looked {
    fn at(ship: &ShipRows, table: &[Particulars]) -> Self {
        let mut out = Self::default();
        let mut counts: FxHashMap<u32, u64> = FxHashMap::default();
        for k in 0..ship.t_ms.len() {
            let fix = ship.fix(k);
            out.positions += 1;
            *out.days.entry(time::day_of(fix.t_ms)).or_default() += 1;
            out.slots.insert(fix.t_ms.div_euclid(SLOT_MS));
            out.lat_e7 = wider(out.lat_e7, (fix.lat_e7, fix.lat_e7));
            let band = out.bands.entry(fix.lon_e7.div_euclid(BAND_E7)).or_insert((fix.lon_e7, fix.lon_e7));
            *band = (band.0.min(fix.lon_e7), band.1.max(fix.lon_e7));
            if k > 0 {
                let seconds = (fix.t_ms - ship.t_ms[k - 1]) / 1000;
                if let Some(s) = u32::try_from(seconds).ok().filter(|s| *s as usize <= LONGEST_INTERVAL_S) {
                    *counts.entry(s).or_default() += 1;
                }
            }
            let said = table.get(fix.particulars as usize);
            let lacks = |f: &dyn Fn(&Particulars) -> bool| said.is_none_or(f);
            let missing = [
                fix.sog_dkn == NULL_U16,
                fix.cog_ddeg == NULL_U16,
                fix.heading_deg == NULL_U16,
                fix.status == NULL_STATUS,
                lacks(&|p| p.name.is_empty()),
                lacks(&|p| p.imo == 0),
                lacks(&|p| p.ship_type == 0),
                lacks(&|p| p.length_dm == 0),
                lacks(&|p| p.draught_dm == 0),
                lacks(&|p| p.class == AisClass::Unknown),
                lacks(&|p| p.antenna_in_hull_m().is_none()),
            ];
            out.missing.iter_mut().zip(missing).for_each(|(n, m)| *n += u64::from(m));
        }
        out.span = ship.t_ms.first().zip(ship.t_ms.last()).map(|(a, b)| (*a, *b));
        out.intervals.extend(counts);
        out
    }

    fn and(mut self, other: Self) -> Self {
        self.positions += other.positions;
        self.span = [self.span, other.span].into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        for (day, n) in other.days {
            *self.days.entry(day).or_default() += n;
        }
        let (mut more, fewer) = if self.slots.len() < other.slots.len() { (other.slots, self.slots) } else { (self.slots, other.slots) };
        more.extend(fewer);
        self.slots = more;
        self.lat_e7 = other.lat_e7.map_or(self.lat_e7, |lat| wider(self.lat_e7, lat));
        for (band, (lo, hi)) in other.bands {
            let mine = self.bands.entry(band).or_insert((lo, hi));
            *mine = (mine.0.min(lo), mine.1.max(hi));
        }
        for (s, n) in other.intervals {
            *self.intervals.entry(s).or_default() += n;
        }
        self.missing.iter_mut().zip(other.missing).for_each(|(a, b)| *a += b);
        self
    }

    fn percentiles(&self) -> Option<[u32; 3]> {
        let all: u64 = self.intervals.values().sum();
        let at = |share: f64| {
            let mut below = 0;
            self.intervals.iter().find(|(_, n)| {
                below += **n;
                below as f64 >= share * all as f64
            })
        };
        (all > 0).then(|| [0.1, 0.5, 0.9].map(|share| at(share).map_or(0, |(s, _)| *s)))
    }
}

fn wider(a: Option<(i32, i32)>, b: (i32, i32)) -> Option<(i32, i32)> {
    Some(a.map_or(b, |a| (a.0.min(b.0), a.1.max(b.1))))
}

fn holes(looked: &Looked) -> Vec<(String, String)> {
    let mut slots: Vec<i64> = looked.slots.iter().copied().collect();
    slots.sort_unstable();
    let silent = slots.windows(2).filter(|w| w[1] - w[0] > 1);
    silent.map(|w| (time::rfc3339((w[0] + 1) * SLOT_MS), time::rfc3339(w[1] * SLOT_MS))).collect()
}

/// The box about all positions: of the ways round the globe the one without the widest empty stretch of longitude.
fn area(looked: &Looked) -> Option<[f64; 4]> {
    let (south, north) = looked.lat_e7?;
    let bands: Vec<(i32, i32)> = looked.bands.values().copied().collect();
    let (first, last) = (bands.first()?, bands.last()?);
    // From east to west edge of the stretch: at first the one over the antimeridian.
    let mut widest = (i64::from(first.0) + 3_600_000_000 - i64::from(last.1), first.0, last.1);
    for w in bands.windows(2) {
        let empty = i64::from(w[1].0) - i64::from(w[0].1);
        if empty > widest.0 {
            widest = (empty, w[1].0, w[0].1);
        }
    }
    Some([widest.1, south, widest.2, north].map(|v| f64::from(v) / E7))
}

fn oddities(accounts: &[FileAccount], ships: &[ShipRows], looked: &Looked, false_imos: u64) -> Vec<Oddity> {
    let mut out = Vec::new();
    let mut say = |kind, what: String| out.push(Oddity { kind, what });
    let rejected = |reason| accounts.iter().map(|a| a.rejected.get(&reason).copied().unwrap_or(0)).sum::<u64>();
    let rows: u64 = accounts.iter().map(|a| a.rows).sum();
    let malformed: u64 = accounts.iter().map(FileAccount::malformed).sum();
    if malformed * 20 > rows {
        say("malformed", format!("{malformed} of {rows} rows are malformed: `detect` refuses a file with more than 5 % unless told otherwise"));
    }
    if rejected(RejectReason::BadTime) * 2 > rows {
        let sentences = accounts.iter().all(|a| a.layout == "nmea");
        let why = if sentences {
            "most sentences come without a time of receipt, and the messages give the second only: a receiver that writes TAG blocks with `c:` keeps it"
        } else {
            "most times do not have the form of the layout: is it the layout that its header says? `--time-format` names another form"
        };
        say("times_unread", why.to_owned());
    }
    for (kind, what) in swapped(ships, rejected(RejectReason::PositionOffGlobe), rows).into_iter().chain(months(accounts, looked)) {
        say(kind, what);
    }
    let stray: u64 = looked.days.values().filter(|n| (**n as f64) < 0.001 * looked.positions as f64).sum();
    if stray > 0 {
        let days = looked.days.values().filter(|n| (**n as f64) < 0.001 * looked.positions as f64).count();
        say("stray_clocks", format!("{stray} positions on {days} days that hold less than 0.1 % of all: stray clocks, which `detect` rejects"));
    }
    for (lat, lon, n) in jammed(ships) {
        let (lat, lon) = (f64::from(lat) / 1000.0, f64::from(lon) / 1000.0);
        say(
            "jammed",
            format!("{n} ships gave a position more than 50 kn from their last inside one 100 m square at {lat:.3} {lon:.3}: jammed or spoofed receivers"),
        );
    }
    if false_imos > 0 {
        say("imo_numbers", format!("{false_imos} ships send an IMO number whose check digit does not fit: `detect` shows it, and takes it for none"));
    }
    let duplicates: u64 = accounts.iter().map(|a| a.duplicates).sum();
    if duplicates * 10 > rows {
        say("duplicates", format!("{:.0} % of the rows repeat another", 100.0 * duplicates as f64 / rows.max(1) as f64));
    }
    out
}

/// Positions looked at for land, at most.
const LOOKED_FOR_LAND: usize = 2000;

/// How far from the shore a receiver on it hears most ships, nautical miles.
const RECEIVED_NM: f64 = 40.0;

/// Latitude and longitude that would make more sense the other way round.
fn swapped(ships: &[ShipRows], off_globe: u64, rows: u64) -> Option<(&'static str, String)> {
    let coast = Coast::embedded();
    let step = ships.len().div_ceil(LOOKED_FOR_LAND).max(1);
    let middles = ships.iter().step_by(step).filter(|s| !s.t_ms.is_empty()).map(|s| s.fix(s.t_ms.len() / 2));
    let places: Vec<(i32, i32)> = middles.map(|f| (f.lat_e7, f.lon_e7)).collect();
    let other = |&(lat, lon): &(i32, i32)| (lon.abs() <= 900_000_000).then_some((lon, lat));
    let on_land = places.iter().filter(|p| coast.is_land(**p)).count();
    let swapped: Vec<(i32, i32)> = places.iter().filter_map(other).collect();
    let on_land_swapped = swapped.iter().filter(|p| coast.is_land(**p)).count();
    let worse = on_land * 2 > places.len() && swapped.len() == places.len() && on_land_swapped * 4 < on_land;
    if worse {
        return Some(("swapped", format!("{on_land} of {} ships lie on land, and {on_land_swapped} with latitude and longitude swapped", places.len())));
    }
    // Where the sea is on both sides: receivers stand on shores.
    let off_shore = |at: &(i32, i32)| !coast.is_land(*at) && coast.shore_m(*at, RECEIVED_NM * METRES_PER_NM).is_none();
    let far = places.iter().filter(|p| off_shore(p)).count();
    if far * 10 > places.len() * 9 && swapped.len() == places.len() {
        let far_swapped = swapped.iter().filter(|p| off_shore(p)).count();
        if far_swapped * 10 < places.len() && on_land_swapped * 4 < places.len() {
            let what =
                format!("{far} of {} ships lie more than {RECEIVED_NM} nm from any shore, and {far_swapped} with latitude and longitude swapped", places.len());
            return Some(("swapped", what));
        }
    }
    (off_globe * 10 > rows).then(|| ("swapped", format!("{off_globe} positions are off the globe: are latitude and longitude swapped?")))
}

/// Days that jump from month to month, or are those of the files' names with day and month swapped: the signs of a day taken for a month.
fn months(accounts: &[FileAccount], looked: &Looked) -> Option<(&'static str, String)> {
    let days: Vec<String> = looked.days.keys().map(|d| time::day_text(*d)).collect();
    for account in accounts {
        let name = account.path.file_name().unwrap_or_default().to_string_lossy();
        let there = |day: &String| days.contains(day);
        if let Some([named, swapped]) = named_day(&name).filter(|[named, swapped]| !there(named) && there(swapped)) {
            return Some(("day_month", format!("a file named after {named} holds {swapped}: are day and month swapped?")));
        }
    }
    let same_day = days.len() >= 3 && days.windows(2).all(|w| w[0][8..] == w[1][8..]);
    same_day.then(|| ("day_month", format!("{} days, all of them the {}. of a month: are day and month swapped?", days.len(), &days[0][8..])))
}

/// The day that a file is named after, as `2024-03-01`, `2024_03_01` or `20240301`, and the same with day and month swapped, where that is a day.
fn named_day(name: &str) -> Option<[String; 2]> {
    let digits: Vec<(usize, u8)> = name.bytes().enumerate().filter(|(_, b)| b.is_ascii_digit()).collect();
    digits.windows(8).find_map(|eight| {
        let between = |k: usize| eight[k].0 - eight[k - 1].0;
        // Eight digits on end, or two separators, one before the month and one before the day.
        let apart: [usize; 7] = std::array::from_fn(|k| between(k + 1));
        if !matches!(apart, [1, 1, 1, 1, 1, 1, 1] | [1, 1, 1, 2, 1, 2, 1]) {
            return None;
        }
        let text: String = eight.iter().map(|(_, b)| char::from(*b)).collect();
        let days = [(4, 6), (6, 4)].map(|(month, day)| format!("{}-{}-{}", &text[..4], &text[month..month + 2], &text[day..day + 2]));
        days.iter().all(|d| time::parse_day(d).is_some()).then_some(days)
    })
}

/// Squares of 0.001 degree into which five and more ships jumped faster than any ship sails, the worst three.
fn jammed(ships: &[ShipRows]) -> Vec<(i32, i32, usize)> {
    const FASTEST_MPS: f64 = 25.7;
    let jumps: Vec<(i32, i32)> = ships
        .par_iter()
        .flat_map_iter(|s| {
            let mut squares = FxHashSet::default();
            for k in 1..s.t_ms.len() {
                let (a, b) = (s.fix(k - 1), s.fix(k));
                // The way along the meridian alone, or the parallel, suffices for a jump; both cheap to tell.
                let north_m = f64::from((a.lat_e7 - b.lat_e7).abs()) / E7 * 111_195.0;
                let east_m = f64::from(a.lon_e7.abs_diff(b.lon_e7).min(3_600_000_000 - a.lon_e7.abs_diff(b.lon_e7))) / E7
                    * 111_195.0
                    * (f64::from(a.lat_e7) / E7).to_radians().cos();
                let seconds = (b.t_ms - a.t_ms) as f64 / 1000.0 + 60.0;
                if b.t_ms - a.t_ms < HOUR_MS && north_m.max(east_m) > FASTEST_MPS * seconds {
                    squares.insert((b.lat_e7.div_euclid(10_000), b.lon_e7.div_euclid(10_000)));
                }
            }
            squares
        })
        .collect();
    let mut counts: BTreeMap<(i32, i32), usize> = BTreeMap::new();
    jumps.into_iter().for_each(|square| *counts.entry(square).or_default() += 1);
    let mut worst: Vec<(i32, i32, usize)> = counts.into_iter().filter(|(_, n)| *n >= 5).map(|((lat, lon), n)| (lat, lon, n)).collect();
    worst.sort_by_key(|w| (std::cmp::Reverse(w.2), w.0, w.1));
    worst.truncate(3);
    worst
}

impl Report {
    /// Days between the first and the last position without one.
    pub fn missing_days(&self) -> u64 {
        // By day and not by the span, whose ends are rounded to the second.
        let day = |text: Option<&String>| text.and_then(|t| time::parse_day(t));
        let ends = day(self.positions_by_day.keys().next()).zip(day(self.positions_by_day.keys().next_back()));
        ends.map_or(0, |(a, b)| i64::from(b - a + 1) as u64 - self.positions_by_day.len() as u64)
    }
}
