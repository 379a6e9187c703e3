//! Heterogeneous Integrated Dataset for Maritime Intelligence, Brest (Zenodo 1167595), `nari_dynamic.csv`: seconds since 1970.
//!
//! ```text
//! sourcemmsi,navigationalstatus,rateofturn,speedoverground,courseoverground,trueheading,lon,lat,t
//! 227000001,0,-127,9.1,253.9,511,-4.4657183,48.38249,1443650402
//! ```

use super::{Field, Identity, Known, TimeForm, Units};

/// The positions; the particulars stand in a file of their own that is not read.
pub const BREST: Known = Known {
    name: "brest",
    marks: &["sourcemmsi", "t"],
    names: &[
        ("sourcemmsi", Field::Mmsi),
        ("t", Field::Time),
        ("lon", Field::Lon),
        ("lat", Field::Lat),
        ("navigationalstatus", Field::Status),
        ("speedoverground", Field::Sog),
        ("courseoverground", Field::Cog),
        ("trueheading", Field::Heading),
    ],
    time: TimeForm::EpochSeconds,
    units: Units::Plain,
    identity: Identity::Mmsi,
    station: None,
    signed_course: false,
};
