//! MarineCadastre, both layouts: which column holds what, by header name, never by position.
//!
//! Legacy (2015-2024, coast.noaa.gov/htdata/CMSP/AISDataHandler):
//! `MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,TransceiverClass`
//! with times `2023-06-15T00:00:00` and sentinels such as heading 511.
//!
//! Renamed (2025): `mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,
//! width,draft,cargo,transceiver`: longitude before latitude, a blank for the `T`, sentinels empty.

use crate::ingest::{Error, escape};
use std::path::Path;

/// The canonical fields a column may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Mmsi,
    Time,
    Lat,
    Lon,
    Sog,
    Cog,
    Heading,
    Status,
    /// One of the particulars, in the order of [`PARTICULARS`].
    Particular(u8),
    Other,
}

/// Particulars in the order in which they are interned.
pub const PARTICULARS: [&str; 9] = ["name", "imo", "call_sign", "ship_type", "length", "width", "draught", "cargo", "class"];

/// Header names, lower case; some years misspell the class column.
const NAMES: [(&str, Field); 27] = [
    ("mmsi", Field::Mmsi),
    ("basedatetime", Field::Time),
    ("base_date_time", Field::Time),
    ("lat", Field::Lat),
    ("latitude", Field::Lat),
    ("lon", Field::Lon),
    ("longitude", Field::Lon),
    ("sog", Field::Sog),
    ("cog", Field::Cog),
    ("heading", Field::Heading),
    ("status", Field::Status),
    ("vesselname", Field::Particular(0)),
    ("vessel_name", Field::Particular(0)),
    ("imo", Field::Particular(1)),
    ("callsign", Field::Particular(2)),
    ("call_sign", Field::Particular(2)),
    ("vesseltype", Field::Particular(3)),
    ("vessel_type", Field::Particular(3)),
    ("length", Field::Particular(4)),
    ("width", Field::Particular(5)),
    ("draft", Field::Particular(6)),
    ("draught", Field::Particular(6)),
    ("cargo", Field::Particular(7)),
    ("transceiverclass", Field::Particular(8)),
    ("transcieverclass", Field::Particular(8)),
    ("transceiver", Field::Particular(8)),
    ("transceiver_class", Field::Particular(8)),
];

/// How to read the rows of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Name for people and the manifest.
    pub name: &'static str,
    /// What each column holds, in file order.
    pub columns: Vec<Field>,
    /// The header line as it stood, to know it again.
    pub header: Vec<u8>,
}

impl Layout {
    /// From the first line of a file.
    pub fn recognise(path: &Path, line: &[u8]) -> Result<Self, Error> {
        let header = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let names: Vec<String> = String::from_utf8_lossy(header).split(',').map(|n| n.trim().trim_matches('"').trim().to_lowercase()).collect();
        let field = |n: &String| NAMES.iter().find(|(name, _)| name == n).map_or(Field::Other, |(_, f)| *f);
        let mut columns: Vec<Field> = names.iter().map(field).collect();
        let known = columns.iter().filter(|f| **f != Field::Other).count();
        if known < 2 || !columns.contains(&Field::Mmsi) {
            return Err(Error::UnknownLayout { path: path.to_path_buf(), found: escape(line, 120) });
        }
        // Such a file is a single line, and would have no rows.
        if header.contains(&b'\r') {
            return Err(Error::CarriageReturns(path.to_path_buf()));
        }
        // Of two columns for one field the first counts.
        for i in 0..columns.len() {
            if columns[..i].contains(&columns[i]) {
                columns[i] = Field::Other;
            }
        }
        for (field, column) in [(Field::Time, "time"), (Field::Lat, "latitude"), (Field::Lon, "longitude")] {
            if !columns.contains(&field) {
                let found = names.iter().map(|n| escape(n.as_bytes(), 40)).collect();
                return Err(Error::MissingColumn { path: path.to_path_buf(), column, found });
            }
        }
        let renamed = names.iter().any(|n| n == "base_date_time");
        let name = if renamed { "marinecadastre-2025" } else { "marinecadastre" };
        Ok(Self { name, columns, header: header.to_vec() })
    }
}
