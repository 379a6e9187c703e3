//! What `alongside convert` writes: one report a row, positions and times exact, speeds, courses and sizes in tenths.
//!
//! ```text
//! mmsi,t,lon,lat,sog_dkn,cog_ddeg,heading_deg,status,name,imo,call_sign,ship_type,length_dm,beam_dm,draught_dm,cargo,class,to_bow_m,to_stern_m,to_port_m,to_starboard_m,source,line
//! 563000001,2024-10-07 02:06:55,103.85393,1.25206,103,2385,238,0,EXAMPLE,9000003,9VAB2,80,1830,320,75,80,A,149,34,10,22,ais-2024-10-07.csv,2
//! ```

use super::{Field, Identity, Known, TimeForm, Units};

/// The canonical columns.
pub const ALONGSIDE: Known = Known {
    name: "alongside",
    marks: &["mmsi", "t", "sog_dkn", "cog_ddeg"],
    names: &[
        ("mmsi", Field::Mmsi),
        ("t", Field::Time),
        ("lon", Field::Lon),
        ("lat", Field::Lat),
        ("sog_dkn", Field::Sog),
        ("cog_ddeg", Field::Cog),
        ("heading_deg", Field::Heading),
        ("status", Field::Status),
        ("name", Field::Particular(0)),
        ("imo", Field::Particular(1)),
        ("call_sign", Field::Particular(2)),
        ("ship_type", Field::Particular(3)),
        ("length_dm", Field::Particular(4)),
        ("beam_dm", Field::Particular(5)),
        ("draught_dm", Field::Particular(6)),
        ("cargo", Field::Particular(7)),
        ("class", Field::Particular(8)),
        ("to_bow_m", Field::Particular(9)),
        ("to_stern_m", Field::Particular(10)),
        ("to_port_m", Field::Particular(11)),
        ("to_starboard_m", Field::Particular(12)),
    ],
    time: TimeForm::Iso,
    units: Units::Tenths,
    identity: Identity::Numbered,
    station: None,
    signed_course: false,
};
