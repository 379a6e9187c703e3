//! The canonical table as GeoParquet: one report a row, positions and times exact, nothing scaled that the name does not say.
//!
//! *In*: the rows of ships, what they said, and where each row came from. *Out*: one file for a UTC day. Its row groups lie in blocks of
//! [`BLOCK_H`] hours, in these by cells of one degree along a Hilbert curve, in a cell by ship and time: a question about a place and
//! an hour finds its rows in few of them, and the statistics of `t`, `lon` and `lat` say in which.

use crate::frame::ShipRows;
use crate::model::fix::{NULL_STATUS, NULL_U16};
use crate::model::time::{self, HOUR_MS};
use crate::model::{AisClass, Fix, Particulars};
use crate::units::E7;
use polars::prelude::*;
use rayon::prelude::*;
use std::io::Write;
use std::ops::Range;

/// Hours of a block of row groups.
pub const BLOCK_H: i64 = 6;
/// Rows of a row group, at most.
pub const MOST_ROWS: usize = 128 << 10;

/// Rows, and what is needed to tell of them.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// By ship, in total order.
    pub ships: &'a [ShipRows<'a>],
    /// What `particulars` of a fix is the place in.
    pub particulars: &'a [Particulars],
    /// The names of the inputs.
    pub sources: &'a [String],
    /// The first row of each.
    pub first_rows: &'a [u32],
}

/// A row's place among the ships, under the key that it is sorted by.
#[derive(Clone, Copy)]
struct Place {
    key: u32,
    ship: u32,
    fix: u32,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Row groups.
    pub row_groups: u64,
}

/// Writes the rows of one UTC day, which all of `rows` are.
pub fn write(rows: Rows, day: i32, out: impl Write) -> PolarsResult<Written> {
    let mut places: Vec<Place> = rows
        .ships
        .par_iter()
        .enumerate()
        .flat_map_iter(|(ship, s)| (0..s.t_ms.len()).map(move |k| Place { key: key(&s.fix(k)), ship: ship as u32, fix: k as u32 }))
        .collect();
    // Stable: within a cell the rows stay by ship and time.
    places.par_sort_by_key(|p| p.key);
    let groups = groups(&places);
    let schema = frame(&[])?.schema().clone();
    let about = KeyValueMetadata::from_static(vec![("geo".to_owned(), geo(&rows)), ("alongside".to_owned(), about(day))]);
    let mut writer = ParquetWriter::new(out)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::full())
        .with_key_value_metadata(Some(about))
        .batched(&schema)?;
    for group in &groups {
        let of_group: Vec<Row> = places[group.clone()].iter().map(|place| Row::at(&rows, *place)).collect();
        writer.write_batch(&frame(&of_group)?)?;
    }
    writer.finish()?;
    Ok(Written { rows: places.len() as u64, row_groups: groups.len() as u64 })
}

/// The block of hours, then the cell.
fn key(fix: &Fix) -> u32 {
    let block = fix.t_ms.div_euclid(BLOCK_H * HOUR_MS).rem_euclid(24 / BLOCK_H) as u32;
    let cell = |e7: i32, most: i64| (i64::from(e7) + most).div_euclid(E7 as i64) as u32;
    block << (2 * CURVE_BITS) | along_hilbert(cell(fix.lon_e7, 1_800_000_000), cell(fix.lat_e7, 900_000_000))
}

/// Cells on either axis of the curve, as a power of two: 360 fit.
const CURVE_BITS: u32 = 9;

/// The place of a cell on a Hilbert curve: what is near on it is near on the chart (Wikipedia, "Hilbert curve", `xy2d`).
fn along_hilbert(mut x: u32, mut y: u32) -> u32 {
    let n = 1 << CURVE_BITS;
    let mut place = 0;
    let mut side = n / 2;
    while side > 0 {
        let (right, upper) = (u32::from(x & side > 0), u32::from(y & side > 0));
        place += side * side * ((3 * right) ^ upper);
        if upper == 0 {
            if right == 1 {
                (x, y) = (n - 1 - x, n - 1 - y);
            }
            std::mem::swap(&mut x, &mut y);
        }
        side /= 2;
    }
    place
}

/// Row groups: as many whole cells of one block as fit, and the pieces of a cell that does not.
fn groups(places: &[Place]) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut open = 0..0;
    let block = |at: usize| places[at].key >> (2 * CURVE_BITS);
    for cell in places.chunk_by(|a, b| a.key == b.key) {
        let begin = open.end;
        if !open.is_empty() && (open.len() + cell.len() > MOST_ROWS || block(open.start) != block(begin)) {
            out.push(open.clone());
            open.start = begin;
        }
        open.end = begin + cell.len();
        let pieces = cell.len().div_ceil(MOST_ROWS);
        if pieces > 1 {
            out.extend((0..pieces).map(|p| begin + cell.len() * p / pieces..begin + cell.len() * (p + 1) / pieces));
            open.start = open.end;
        }
    }
    if !open.is_empty() {
        out.push(open);
    }
    out
}

/// Everything that a row tells.
struct Row<'a> {
    mmsi: u32,
    fix: Fix,
    said: &'a Particulars,
    source: &'a str,
    line: u32,
}

impl<'a> Row<'a> {
    fn at(rows: &Rows<'a>, place: Place) -> Self {
        let ship = &rows.ships[place.ship as usize];
        let fix = ship.fix(place.fix as usize);
        let file = rows.first_rows.partition_point(|r| *r <= fix.row).max(1) - 1;
        let source = rows.sources.get(file).map_or("", String::as_str);
        Self { mmsi: ship.mmsi.0, fix, said: &rows.particulars[fix.particulars as usize], source, line: fix.row - rows.first_rows[file] }
    }
    fn class(&self) -> &'a str {
        match self.said.class {
            AisClass::Unknown => "",
            AisClass::A => "A",
            AisClass::B => "B",
        }
    }
    fn lon(&self) -> f64 {
        f64::from(self.fix.lon_e7) / E7
    }
    fn lat(&self) -> f64 {
        f64::from(self.fix.lat_e7) / E7
    }
    /// Well-known binary of a point, little-endian.
    fn point(&self) -> [u8; 21] {
        let mut wkb = [0; 21];
        wkb[0] = 1;
        wkb[1] = 1;
        wkb[5..13].copy_from_slice(&self.lon().to_le_bytes());
        wkb[13..].copy_from_slice(&self.lat().to_le_bytes());
        wkb
    }
}

/// Rows as a frame, in the order of the data dictionary.
fn frame<'a>(rows: &[Row<'a>]) -> PolarsResult<DataFrame> {
    let number = |name: &str, f: &dyn Fn(&Row) -> u32| UInt32Chunked::from_vec(name.into(), rows.iter().map(f).collect()).into_column();
    let degrees = |name: &str, f: &dyn Fn(&Row) -> f64| Float64Chunked::from_vec(name.into(), rows.iter().map(f).collect()).into_column();
    // What was not sent is null.
    let maybe = |name: &str, not_sent: u16, f: &dyn Fn(&Row) -> u16| {
        UInt16Chunked::from_iter_options(name.into(), rows.iter().map(f).map(|v| (v != not_sent).then_some(v))).into_column()
    };
    let text = |name: &str, f: fn(&Row<'a>) -> &'a str| {
        StringChunked::from_iter_options(name.into(), rows.iter().map(f).map(|v| (!v.is_empty()).then_some(v))).into_column()
    };
    // All four or none: 0 is where an antenna may stand.
    let metres = |name: &str, side: usize| {
        let sent = rows.iter().map(|r| r.said.antenna_m()).map(|m| (m != [0; 4]).then_some(m[side]));
        UInt16Chunked::from_iter_options(name.into(), sent).into_column()
    };
    let t = Int64Chunked::from_vec("t".into(), rows.iter().map(|r| r.fix.t_ms).collect());
    let status = rows.iter().map(|r| (r.fix.status != NULL_STATUS).then_some(r.fix.status));
    let imo = rows.iter().map(|r| (r.said.imo != 0).then_some(r.said.imo));
    DataFrame::new(
        rows.len(),
        vec![
            number("mmsi", &|r| r.mmsi),
            t.into_column().cast(&DataType::Datetime(TimeUnit::Milliseconds, None))?,
            degrees("lon", &|r| r.lon()),
            degrees("lat", &|r| r.lat()),
            maybe("sog_dkn", NULL_U16, &|r| r.fix.sog_dkn),
            maybe("cog_ddeg", NULL_U16, &|r| r.fix.cog_ddeg),
            maybe("heading_deg", NULL_U16, &|r| r.fix.heading_deg),
            UInt8Chunked::from_iter_options("status".into(), status).into_column(),
            text("name", |r| &r.said.name),
            UInt32Chunked::from_iter_options("imo".into(), imo).into_column(),
            text("call_sign", |r| &r.said.call_sign),
            maybe("ship_type", 0, &|r| r.said.ship_type),
            maybe("length_dm", 0, &|r| r.said.length_dm),
            maybe("beam_dm", 0, &|r| r.said.beam_dm),
            maybe("draught_dm", 0, &|r| r.said.draught_dm),
            maybe("cargo", 0, &|r| r.said.cargo),
            text("class", Row::class),
            metres("to_bow_m", 0),
            metres("to_stern_m", 1),
            metres("to_port_m", 2),
            metres("to_starboard_m", 3),
            text("source", |r| r.source),
            number("line", &|r| r.line),
            BinaryChunked::from_iter_values("geometry".into(), rows.iter().map(Row::point)).into_column(),
        ],
    )
}

/// GeoParquet 1.1. It has no `covering`: that must be a column of boxes, and of points `lon` and `lat` say as much.
fn geo(rows: &Rows) -> String {
    let fixes = || rows.ships.iter().flat_map(|s| (0..s.t_ms.len()).map(|k| s.fix(k)));
    let bound = |f: fn(&Fix) -> i32| fixes().map(|x| f(&x)).min().zip(fixes().map(|x| f(&x)).max()).unwrap_or_default();
    let ((west, east), (south, north)) = (bound(|f| f.lon_e7), bound(|f| f.lat_e7));
    let [w, s, e, n] = [west, south, east, north].map(|v| f64::from(v) / E7);
    format!(
        r#"{{"version":"1.1.0","primary_column":"geometry","columns":{{"geometry":{{"encoding":"WKB","geometry_types":["Point"],"bbox":[{w:?},{s:?},{e:?},{n:?}]}}}}}}"#
    )
}

/// Which day, and what wrote it.
fn about(day: i32) -> String {
    format!(r#"{{"version":"{}","day":"{}"}}"#, env!("CARGO_PKG_VERSION"), time::day_text(day))
}
