//! exactEarth, and the same as the UN Global Platform hands it out, with or without the times written compactly.
//!
//! ```text
//! mmsi,imo,vessel_name,callsign,vessel_type,vessel_type_code,vessel_type_cargo,vessel_class,length,width,flag_country,flag_code,destination,eta,draught,longitude,latitude,sog,cog,rot,heading,nav_status,nav_status_code,source,ts_pos_utc,ts_static_utc,ts_insert_utc,dt_pos_utc,...
//! 563000001,9000003,EXAMPLE,9VAB2,Tanker,80,,A,183,32,Singapore,563,SINGAPORE,1007120000,7.5,103.85393,1.25206,10.3,238.5,0,238,Under Way Using Engine,0,S-AIS,20190327085040,...,...,2019-03-27 08:50:40,...
//! ```

use super::{Field, Identity, Known, TimeForm, Units};

const NAMES: [(&str, Field); 16] = [
    ("mmsi", Field::Mmsi),
    ("ts_pos_utc", Field::Time),
    ("longitude", Field::Lon),
    ("latitude", Field::Lat),
    ("sog", Field::Sog),
    ("cog", Field::Cog),
    ("heading", Field::Heading),
    ("nav_status_code", Field::Status),
    ("vessel_name", Field::Particular(0)),
    ("imo", Field::Particular(1)),
    ("callsign", Field::Particular(2)),
    ("vessel_type_code", Field::Particular(3)),
    ("length", Field::Particular(4)),
    ("width", Field::Particular(5)),
    ("draught", Field::Particular(6)),
    ("vessel_class", Field::Particular(8)),
];

/// The same with the other column of that time; where both are there, the compact one counts.
const UN_NAMES: [(&str, Field); 16] = {
    let mut names = NAMES;
    names[1] = ("dt_pos_utc", Field::Time);
    names
};

/// The position's own time counts, as `ts_pos_utc`.
pub const EXACTEARTH: Known = Known {
    name: "exactearth",
    marks: &["mmsi", "ts_pos_utc"],
    names: &NAMES,
    time: TimeForm::Compact,
    units: Units::Plain,
    identity: Identity::Mmsi,
    station: None,
    signed_course: false,
};

/// Where the times stand only as people write them, or as a timestamp of Parquet.
pub const UN_GLOBAL_PLATFORM: Known = Known { name: "un-global-platform", marks: &["mmsi", "dt_pos_utc"], names: &UN_NAMES, time: TimeForm::Iso, ..EXACTEARTH };
