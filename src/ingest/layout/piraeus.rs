//! The Piraeus AIS dataset (Zenodo 6323416), `unipi_ais_dynamic_*.csv`: milliseconds since 1970, ships under made-up names.
//!
//! ```text
//! t,vessel_id,lon,lat,heading,speed,course
//! 1502370018000,5a1b9e,23.5681767,37.9539267,0,0,73.3
//! ```
//! Its relatives write `oid` for the name.

use super::{Field, Identity, Known, TimeForm, Units};

/// The positions.
pub const PIRAEUS: Known = Known {
    name: "piraeus",
    marks: &["t", "lon", "lat", "speed"],
    names: &[
        ("vessel_id", Field::Mmsi),
        ("oid", Field::Mmsi),
        ("t", Field::Time),
        ("lon", Field::Lon),
        ("lat", Field::Lat),
        ("speed", Field::Sog),
        ("course", Field::Cog),
        ("heading", Field::Heading),
        ("status", Field::Status),
    ],
    time: TimeForm::EpochMillis,
    units: Units::Plain,
    identity: Identity::Hashed,
    station: None,
    signed_course: false,
};
