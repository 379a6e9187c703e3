//! Global Fishing Watch, public tracks: seconds since 1970, ships under made-up numbers.
//!
//! ```text
//! mmsi,timestamp,distance_from_shore,distance_from_port,speed,course,lat,lon,is_fishing,source
//! 126395608075910.0,1348642040.0,74996.6,81384.3,10.5,139.6,44.30784,-60.51738,-1.0,dalhousie_longliner
//! ```

use super::{Field, Identity, Known, TimeForm, Units};

/// The positions.
pub const GFW: Known = Known {
    name: "gfw",
    marks: &["mmsi", "timestamp", "distance_from_shore"],
    names: &[("mmsi", Field::Mmsi), ("timestamp", Field::Time), ("lat", Field::Lat), ("lon", Field::Lon), ("speed", Field::Sog), ("course", Field::Cog)],
    time: TimeForm::EpochSeconds,
    units: Units::Plain,
    identity: Identity::Hashed,
    station: None,
    signed_course: false,
};
