//! AISHub (aishub.net/api), CSV. The human format is recognised; the AIS format has the same header and must be named.
//!
//! ```text
//! MMSI,TIME,LONGITUDE,LATITUDE,COG,SOG,HEADING,ROT,NAVSTAT,IMO,NAME,CALLSIGN,TYPE,A,B,C,D,DRAUGHT,DEST,ETA
//! 563000001,2024-10-07 02:06:55 GMT,103.85393,1.25206,238.5,10.3,238,0,0,9000003,EXAMPLE,9VAB2,80,149,34,10,22,7.5,SINGAPORE,10-07 12:00
//! 563000001,1728266815,62312358,751236,2385,103,238,0,0,9000003,EXAMPLE,9VAB2,80,149,34,10,22,75,SINGAPORE,1234
//! ```

use super::{Field, Identity, Known, TimeForm, Units};

/// Degrees, knots, times as people write them.
pub const AISHUB: Known = Known {
    name: "aishub",
    marks: &["mmsi", "time", "navstat"],
    names: &[
        ("mmsi", Field::Mmsi),
        ("time", Field::Time),
        ("longitude", Field::Lon),
        ("latitude", Field::Lat),
        ("cog", Field::Cog),
        ("sog", Field::Sog),
        ("heading", Field::Heading),
        ("navstat", Field::Status),
        ("imo", Field::Particular(1)),
        ("name", Field::Particular(0)),
        ("callsign", Field::Particular(2)),
        ("type", Field::Particular(3)),
        ("a", Field::Particular(9)),
        ("b", Field::Particular(10)),
        ("c", Field::Particular(11)),
        ("d", Field::Particular(12)),
        ("draught", Field::Particular(6)),
    ],
    time: TimeForm::Iso,
    units: Units::Plain,
    identity: Identity::Mmsi,
    station: None,
    signed_course: false,
};

/// The integers of the messages, seconds since 1970.
pub const AISHUB_RAW: Known = Known { name: "aishub-raw", time: TimeForm::EpochSeconds, units: Units::Raw, ..AISHUB };
