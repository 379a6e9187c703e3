//! Which column holds what, by header name, never by position: one file a layout, with a sample and its source. [`digitraffic`] has
//! no columns: it is made into rows before it is scanned.
//!
//! *In*: the first line of a file. *Out*: a [`Layout`]. Dates, units and identities are read as the layout says, never guessed
//! row by row.

mod aishub;
mod alongside;
mod brest;
pub mod digitraffic;
mod dma;
mod exactearth;
mod gfw;
mod kystverket;
mod marinecadastre;
mod nus;
mod piraeus;
mod spire;

use crate::ingest::{Error, escape};
use std::path::Path;

/// The canonical fields a column may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The number the ship sends under, or whatever stands for it.
    Mmsi,
    /// When.
    Time,
    /// Latitude.
    Lat,
    /// Longitude.
    Lon,
    /// Speed over ground.
    Sog,
    /// Course over ground.
    Cog,
    /// True heading.
    Heading,
    /// Navigational status.
    Status,
    /// One of the particulars, in the order of [`PARTICULARS`].
    Particular(u8),
    /// Nothing that is read.
    Other,
}

/// Particulars in the order in which they are interned. `bow` to `starboard` are A to D of ITU-R M.1371: from the antenna to the
/// bow, the stern, and the two sides.
pub const PARTICULARS: [&str; 13] =
    ["name", "imo", "call_sign", "ship_type", "length", "width", "draught", "cargo", "class", "bow", "stern", "port", "starboard"];

/// How a layout writes times. All are UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// `2020-01-01T00:00:00`, or with a blank; a fraction, and `Z`, ` UTC`, ` GMT` or `+00:00` may follow.
    Iso,
    /// `31/12/2025 23:59:59`.
    DayFirst,
    /// `20190327085040`.
    Compact,
    /// Seconds since 1970, perhaps with a fraction.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
}

/// In what a layout writes positions, speeds and courses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Degrees, knots, degrees.
    Plain,
    /// The integers of the messages: 1/10000 minute, tenths of a knot, tenths of a degree.
    Raw,
    /// Degrees; tenths of a knot, of a degree and of a metre, as whole numbers.
    Tenths,
}

/// What stands for the ship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Its MMSI.
    Mmsi,
    /// A name that the publisher made up: ships can be told apart, and nothing can be said of their flags.
    Hashed,
    /// Its MMSI, or the number above all MMSIs that stands for such a name.
    Numbered,
}

impl Units {
    /// Both, with their words in a configuration file.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Plain, "plain"), (Self::Raw, "raw")];
}

impl TimeForm {
    /// Every form, with its word on the command line.
    pub const ALL: [(Self, &'static str); 5] =
        [(Self::Iso, "iso"), (Self::DayFirst, "day-first"), (Self::Compact, "compact"), (Self::EpochSeconds, "epoch-s"), (Self::EpochMillis, "epoch-ms")];
}

impl Field {
    /// The field that a word on the command line names.
    pub fn parse(word: &str) -> Option<Self> {
        let moving = ["mmsi", "time", "lat", "lon", "sog", "cog", "heading", "status"];
        let fields = [Self::Mmsi, Self::Time, Self::Lat, Self::Lon, Self::Sog, Self::Cog, Self::Heading, Self::Status];
        let particular = || PARTICULARS.iter().position(|p| *p == word).map(|k| Self::Particular(k as u8));
        moving.iter().position(|m| *m == word).map(|k| fields[k]).or_else(particular)
    }
}

/// What the caller knows of a layout before looking: nothing, its name, or its columns.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The layout.
    pub known: Option<&'static Known>,
    /// Fields and the header names of their columns; they lie over those of the layout.
    pub map: Vec<(Field, String)>,
    /// How times are written, where that is not as in the layout.
    pub time: Option<TimeForm>,
    /// In what positions, speeds and courses are written, where that is not as in the layout.
    pub units: Option<Units>,
}

/// A layout that is known.
#[derive(Debug)]
pub struct Known {
    /// Its name on the command line and in the manifest.
    pub name: &'static str,
    /// Header names, in lower case, that tell it from the others.
    marks: &'static [&'static str],
    /// Header names, in lower case, and what they hold.
    names: &'static [(&'static str, Field)],
    time: TimeForm,
    units: Units,
    identity: Identity,
    /// The column that says what kind of station sent: a ship of class A or B, or none at all.
    station: Option<&'static str>,
    /// Whether a course below zero is one that was read with a sign.
    signed_course: bool,
}

/// The layout of what `convert` writes.
pub const CANONICAL: &str = alongside::ALONGSIDE.name;

/// All layouts; of those that fit the first counts.
pub const KNOWN: [&Known; 14] = [
    &alongside::ALONGSIDE,
    &dma::DMA,
    &exactearth::EXACTEARTH,
    &exactearth::UN_GLOBAL_PLATFORM,
    &spire::SPIRE,
    &kystverket::KYSTVERKET,
    &brest::BREST,
    &piraeus::PIRAEUS,
    &gfw::GFW,
    &nus::NUS,
    &aishub::AISHUB,
    &aishub::AISHUB_RAW,
    &marinecadastre::RENAMED,
    &marinecadastre::LEGACY,
];

/// By what a layout is told from the others, in words.
pub fn told_by(name: &str) -> String {
    match KNOWN.iter().find(|k| k.name == name).map(|k| k.marks) {
        Some([]) => "it has the columns needed, and none that marks another layout".to_owned(),
        Some(marks) => format!("columns {}", marks.join(", ")),
        None if name == digitraffic::NAME => "JSON with `mmsi` and `timestampExternal`, or with `mmsi` and `shipType`".to_owned(),
        None if name == "nmea" => "sentences with checksums".to_owned(),
        None => "as named".to_owned(),
    }
}

/// How to read the rows of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Name for people and the manifest.
    pub name: &'static str,
    /// Between the columns.
    pub delimiter: u8,
    /// What each column holds, in file order.
    pub columns: Vec<Field>,
    /// How times are written.
    pub time: TimeForm,
    /// In what positions, speeds and courses are written.
    pub units: Units,
    /// What stands for the ship.
    pub identity: Identity,
    /// The column that says what kind of station sent.
    pub station: Option<usize>,
    /// Whether a course below zero is one that was read with a sign.
    pub signed_course: bool,
    /// The header line as it stood, to know it again.
    pub header: Vec<u8>,
}

impl Layout {
    /// From the first line of a file, and what the caller knows of it.
    pub fn recognise(path: &Path, line: &[u8], reading: &Reading) -> Result<Self, Error> {
        let mut header = line;
        // Tools that add a mark of byte order do so once each.
        while let Some(rest) = header.strip_prefix(b"\xef\xbb\xbf") {
            header = rest;
        }
        let delimiter = delimiter_of(header);
        let names: Vec<String> = String::from_utf8_lossy(header)
            .split(char::from(delimiter))
            .map(|n| n.trim().trim_matches('"').trim_start_matches('#').trim().to_lowercase())
            .collect();
        let has = |mark: &&str| names.iter().any(|n| n == mark);
        let unknown = || Error::UnknownLayout { path: path.to_path_buf(), found: escape(line, 120) };
        let known = reading.known.or_else(|| KNOWN.into_iter().find(|k| k.marks.iter().all(&has))).ok_or_else(unknown)?;
        let mapped = |n: &String| reading.map.iter().find(|(_, column)| column.trim().to_lowercase() == *n).map(|(f, _)| *f);
        let field = |n: &String| mapped(n).or_else(|| known.names.iter().find(|(name, _)| name == n).map(|(_, f)| *f)).unwrap_or(Field::Other);
        let mut columns: Vec<Field> = names.iter().map(field).collect();
        // A column that was named is the one, wherever the layout would have looked.
        for k in 0..columns.len() {
            let elsewhere = reading.map.iter().any(|(f, _)| *f == columns[k]) && mapped(&names[k]) != Some(columns[k]);
            if elsewhere {
                columns[k] = Field::Other;
            }
        }
        if let Some((_, column)) = reading.map.iter().find(|(_, column)| !names.contains(&column.trim().to_lowercase())) {
            let found = names.iter().map(|n| escape(n.as_bytes(), 40)).collect();
            return Err(Error::NoSuchColumn { path: path.to_path_buf(), column: column.clone(), found });
        }
        if columns.iter().filter(|f| **f != Field::Other).count() < 2 {
            return Err(unknown());
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
        let needed = [(Field::Mmsi, "MMSI", "mmsi"), (Field::Time, "time", "time"), (Field::Lat, "latitude", "lat"), (Field::Lon, "longitude", "lon")];
        for (which, column, field) in needed {
            if !columns.contains(&which) {
                let found = names.iter().map(|n| escape(n.as_bytes(), 40)).collect();
                return Err(Error::MissingColumn { path: path.to_path_buf(), column, found, field });
            }
        }
        let station = known.station.and_then(|s| names.iter().position(|n| n == s));
        let Known { name, time, units, identity, signed_course, .. } = *known;
        let (time, units) = (reading.time.unwrap_or(time), reading.units.unwrap_or(units));
        // Nothing but the named columns tells what it is.
        let name = if reading.known.is_none() && !reading.map.is_empty() && known.marks.is_empty() { "mapped" } else { name };
        Ok(Self { name, delimiter, columns, time, units, identity, station, signed_course, header: header.to_vec() })
    }
}

/// Comma, semicolon, tab or bar: whichever parts the header into most names. None of them but the comma and the semicolon can be sent.
fn delimiter_of(header: &[u8]) -> u8 {
    let count = |d: u8| header.iter().filter(|b| **b == d).count();
    [b'|', b';', b'\t', b','].into_iter().max_by_key(|d| count(*d)).unwrap_or(b',')
}
