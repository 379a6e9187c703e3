//! Rows to text, as the MarineCadastre files have them.
//!
//! *In*: the rows of a day. *Out*: one file, legacy or renamed (2025) layout, with a few malformed lines, as real days have. Text is
//! made in pieces on all threads and written in order.

use crate::lab::Layout;
use crate::lab::dice::Dice;
use crate::lab::fleet::{Ship, Trade};
use crate::lab::reports::{NONE, Row};
use rayon::prelude::*;
use std::io::{self, Write};

/// Header of the legacy layout.
pub const LEGACY: &str = "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,TransceiverClass";
/// Header of the layout of 2025.
pub const RENAMED: &str =
    "mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,width,draft,cargo,transceiver";

/// Lines that no reader should take: short, a stray quote, no such number, no such hour, no such latitude. None is in real files
/// more than a few times a day.
const MALFORMED: [&str; 5] = [
    "366999001,2024-03-01T00:00:00,29.1",
    "366999002,\"2024-03-01T00:00:00,29.10000,-94.50000,0.0,0.0,511.0,STRAY QUOTE,,,70,0.0,,,,,A",
    "36699900X,2024-03-01T00:00:00,29.10000,-94.50000,0.0,0.0,511.0,NO NUMBER,,,70,0.0,,,,,A",
    "366999004,2024-03-01T25:00:00,29.10000,-94.50000,0.0,0.0,511.0,NO HOUR,,,70,0.0,,,,,A",
    "366999005,2024-03-01T00:00:00,north,-94.50000,0.0,0.0,511.0,NO LATITUDE,,,70,0.0,,,,,A",
];

/// Rows a piece of text holds, and pieces made at a time.
const PIECE: usize = 1 << 14;
const AT_ONCE: usize = 16;

/// Texts of a ship that stand in every row of hers: after the heading, after the status, after the draught.
struct Texts {
    names: String,
    size: String,
    end: String,
}

fn texts(ship: &Ship, layout: Layout) -> Texts {
    let whole = |v: f64| match layout {
        _ if v <= 0.0 => String::new(),
        Layout::Legacy => format!("{v:.1}"),
        Layout::Renamed => format!("{v:.0}"),
    };
    let imo = if ship.imo == 0 { String::new() } else { format!("IMO{}", ship.imo) };
    let kind = if ship.ship_type == 0 { String::new() } else { ship.ship_type.to_string() };
    let cargo = if (70..90).contains(&ship.ship_type) { whole(f64::from(ship.ship_type)) } else { String::new() };
    let class = if ship.trade == Trade::Yacht { "B" } else { "A" };
    Texts {
        names: format!(",{},{imo},{},{kind},", ship.name, ship.call_sign),
        size: format!(",{},{},", whole(ship.length), whole(ship.beam)),
        end: format!(",{cargo},{class}\n"),
    }
}

/// Writes a day: `date` is `2024-03-01`.
pub fn day(ships: &[Ship], rows: &[Row], date: &str, layout: Layout, dice: &mut Dice, out: &mut dyn Write) -> io::Result<()> {
    let texts: Vec<Texts> = ships.iter().map(|s| texts(s, layout)).collect();
    let header = if layout == Layout::Legacy { LEGACY } else { RENAMED };
    writeln!(out, "{header}")?;
    // Each malformed line stands before the first row of some piece, or at the end.
    let pieces = rows.len().div_ceil(PIECE);
    let places = MALFORMED.map(|_| dice.below(pieces + 1));
    for (n, stretch) in rows.chunks(PIECE * AT_ONCE).enumerate() {
        let made: Vec<Vec<u8>> = stretch.par_chunks(PIECE).map(|rows| piece(rows, date, layout, &texts)).collect();
        for (k, text) in made.iter().enumerate() {
            malformed(&places, n * AT_ONCE + k, out)?;
            out.write_all(text)?;
        }
    }
    malformed(&places, pieces, out)
}

fn malformed(places: &[usize], here: usize, out: &mut dyn Write) -> io::Result<()> {
    for (line, _) in MALFORMED.iter().zip(places).filter(|(_, place)| **place == here) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn piece(rows: &[Row], date: &str, layout: Layout, texts: &[Texts]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 128);
    let legacy = layout == Layout::Legacy;
    for row in rows {
        let text = &texts[row.ship as usize];
        number(&mut out, row.mmsi.into(), 9, 0);
        out.push(b',');
        out.extend_from_slice(date.as_bytes());
        out.push(if legacy { b'T' } else { b' ' });
        for (k, part) in [row.second / 3600, row.second / 60 % 60, row.second % 60].into_iter().enumerate() {
            if k > 0 {
                out.push(b':');
            }
            number(&mut out, part.into(), 2, 0);
        }
        let places = if legacy { [row.lat, row.lon] } else { [row.lon, row.lat] };
        for degrees in places {
            out.push(b',');
            if legacy || row.lat <= 9_000_000 {
                number(&mut out, degrees.into(), 6, 5);
            }
        }
        out.push(b',');
        number(&mut out, row.sog.into(), 2, 1);
        out.push(b',');
        number(&mut out, row.cog.into(), 2, 1);
        out.push(b',');
        match (row.heading, legacy) {
            (NONE, true) => out.extend_from_slice(b"511.0"),
            (NONE, false) => {}
            (heading, true) => number(&mut out, i64::from(heading) * 10, 2, 1),
            (heading, false) => number(&mut out, heading.into(), 1, 0),
        }
        out.extend_from_slice(text.names.as_bytes());
        match (row.status, legacy) {
            (NONE, _) => {}
            (status, true) => number(&mut out, i64::from(status) * 10, 2, 1),
            (status, false) => number(&mut out, status.into(), 1, 0),
        }
        out.extend_from_slice(text.size.as_bytes());
        if row.draught > 0 {
            number(&mut out, row.draught.into(), 2, 1);
        }
        out.extend_from_slice(text.end.as_bytes());
    }
    out
}

/// A whole number with a point before its last `decimals` digits, and at least `least` digits in all.
fn number(out: &mut Vec<u8>, value: i64, least: usize, decimals: usize) {
    if value < 0 {
        out.push(b'-');
    }
    let (mut digits, mut n, mut rest) = ([b'0'; 20], 0, value.unsigned_abs());
    while rest > 0 || n < least {
        digits[n] = b'0' + (rest % 10) as u8;
        (rest, n) = (rest / 10, n + 1);
    }
    for k in (0..n).rev() {
        out.push(digits[k]);
        if k == decimals && k > 0 {
            out.push(b'.');
        }
    }
}
