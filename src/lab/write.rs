//! Rows to text, as the files of MarineCadastre or of the Danish Maritime Authority have them.
//!
//! *In*: the rows of a day. *Out*: one file in the layout that is asked for, with a few malformed lines, as real days have. Text is
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

/// Header of the Danish layout.
pub const DMA: &str = "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,Ship type,Cargo type,\
    Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type,A,B,C,D";

/// Lines that no reader should take: short, a stray quote, no such number, no such hour, no such latitude. None is in real files
/// more than a few times a day.
const MALFORMED: [&str; 5] = [
    "366999001,2024-03-01T00:00:00,29.1",
    "366999002,\"2024-03-01T00:00:00,29.10000,-94.50000,0.0,0.0,511.0,STRAY QUOTE,,,70,0.0,,,,,A",
    "36699900X,2024-03-01T00:00:00,29.10000,-94.50000,0.0,0.0,511.0,NO NUMBER,,,70,0.0,,,,,A",
    "366999004,2024-03-01T25:00:00,29.10000,-94.50000,0.0,0.0,511.0,NO HOUR,,,70,0.0,,,,,A",
    "366999005,2024-03-01T00:00:00,north,-94.50000,0.0,0.0,511.0,NO LATITUDE,,,70,0.0,,,,,A",
];

/// The same in the Danish layout.
const MALFORMED_DMA: [&str; 5] = [
    "01/03/2024 00:00:00,Class A,219999001,55.1",
    "01/03/2024 00:00:00,Class A,219999002,55.100000,11.500000,\"Moored,0.0,0.0,0.0,,Unknown,Unknown,STRAY QUOTE,Cargo,,,,GPS,,Unknown,,AIS,,,,",
    "01/03/2024 00:00:00,Class A,21999900X,55.100000,11.500000,Moored,0.0,0.0,0.0,,Unknown,Unknown,NO NUMBER,Cargo,,,,GPS,,Unknown,,AIS,,,,",
    "01/03/2024 25:00:00,Class A,219999004,55.100000,11.500000,Moored,0.0,0.0,0.0,,Unknown,Unknown,NO HOUR,Cargo,,,,GPS,,Unknown,,AIS,,,,",
    "01/03/2024 00:00:00,Class A,219999005,north,11.500000,Moored,0.0,0.0,0.0,,Unknown,Unknown,NO LATITUDE,Cargo,,,,GPS,,Unknown,,AIS,,,,",
];

/// Rows a piece of text holds, and pieces made at a time.
const PIECE: usize = 1 << 14;
const AT_ONCE: usize = 16;

/// Texts of a ship that stand in every row of hers: after the heading, after the status, after the draught. In the Danish layout:
/// after the heading up to the draught, after the time, after the draught.
struct Texts {
    names: String,
    size: String,
    end: String,
}

fn texts_dma(ship: &Ship) -> Texts {
    let unknown = |text: &str| if text.is_empty() { "Unknown".to_owned() } else { text.to_owned() };
    let (mobile, device) = match ship.trade {
        Trade::BaseStation => ("Base Station", "GPS"),
        Trade::Yacht => ("Class B", "Undefined"),
        _ => ("Class A", "GPS"),
    };
    let kind = match ship.ship_type {
        30 => "Fishing",
        31 => "Towing",
        36 => "Sailing",
        37 => "Pleasure",
        50 => "Pilot",
        52 => "Tug",
        70..=79 => "Cargo",
        80..=89 => "Tanker",
        _ => "Undefined",
    };
    let imo = unknown(&if ship.imo == 0 { String::new() } else { ship.imo.to_string() });
    let [bow, stern, port, starboard] = ship.antenna_m();
    let (size, antenna) = match ship.trade {
        Trade::BaseStation => (",".to_owned(), ",,,".to_owned()),
        // By the publisher's description: starboard before port.
        _ => (format!("{},{}", port + starboard, bow + stern), format!("{bow},{stern},{starboard},{port}")),
    };
    Texts {
        size: format!(",{mobile},{},", ship.mmsi),
        names: format!(",{imo},{},{},{kind},,{size},{device},", unknown(&ship.call_sign), ship.name),
        end: format!(",Unknown,,AIS,{antenna}\n"),
    }
}

fn texts(ship: &Ship, layout: Layout) -> Texts {
    let whole = |v: f64| match layout {
        _ if v <= 0.0 => String::new(),
        Layout::Legacy => format!("{v:.1}"),
        _ => format!("{v:.0}"),
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
    let dma = layout == Layout::Dma;
    let texts: Vec<Texts> = ships.iter().map(|s| if dma { texts_dma(s) } else { texts(s, layout) }).collect();
    let (header, lines) = match layout {
        Layout::Legacy => (LEGACY, &MALFORMED),
        Layout::Renamed => (RENAMED, &MALFORMED),
        Layout::Dma => (DMA, &MALFORMED_DMA),
    };
    writeln!(out, "{header}")?;
    // Each malformed line stands before the first row of some piece, or at the end.
    let pieces = rows.len().div_ceil(PIECE);
    let places = lines.map(|_| dice.below(pieces + 1));
    let malformed =
        |here: usize, out: &mut dyn Write| lines.iter().zip(places).filter(|(_, place)| *place == here).try_for_each(|(line, _)| writeln!(out, "{line}"));
    for (n, stretch) in rows.chunks(PIECE * AT_ONCE).enumerate() {
        let made: Vec<Vec<u8>> =
            stretch.par_chunks(PIECE).map(|rows| if dma { piece_dma(rows, date, &texts) } else { piece(rows, date, layout, &texts) }).collect();
        for (k, text) in made.iter().enumerate() {
            malformed(n * AT_ONCE + k, out)?;
            out.write_all(text)?;
        }
    }
    malformed(pieces, out)
}

fn clock(out: &mut Vec<u8>, second: u32) {
    for (k, part) in [second / 3600, second / 60 % 60, second % 60].into_iter().enumerate() {
        if k > 0 {
            out.push(b':');
        }
        number(out, part.into(), 2, 0);
    }
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
        clock(&mut out, row.second);
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

/// The day first in the date; degrees to six places; words for the status.
fn piece_dma(rows: &[Row], date: &str, texts: &[Texts]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 160);
    let date = date.split('-').rev().collect::<Vec<_>>().join("/");
    for row in rows {
        let text = &texts[row.ship as usize];
        let base = text.size.starts_with(",Base");
        let class_b = text.size.starts_with(",Class B");
        out.extend_from_slice(date.as_bytes());
        out.push(b' ');
        clock(&mut out, row.second);
        out.extend_from_slice(text.size.as_bytes());
        number(&mut out, i64::from(row.lat) * 10, 7, 6);
        out.push(b',');
        // Without a position: 91, 0.
        number(&mut out, if row.lat > 9_000_000 { 0 } else { i64::from(row.lon) * 10 }, 7, 6);
        out.extend_from_slice(match row.status {
            _ if base || class_b => b",Unknown value,,".as_slice(),
            0 => b",Under way using engine,0.0,",
            1 => b",At anchor,0.0,",
            3 => b",Restricted maneuverability,0.0,",
            5 => b",Moored,0.0,",
            _ => b",Unknown value,,",
        });
        if base {
            out.extend_from_slice(b",,");
        } else {
            number(&mut out, row.sog.into(), 2, 1);
            out.push(b',');
            number(&mut out, row.cog.into(), 2, 1);
            out.push(b',');
            if row.heading != NONE {
                number(&mut out, row.heading.into(), 1, 0);
            }
        }
        out.extend_from_slice(text.names.as_bytes());
        if row.draught > 0 && !class_b {
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
