//! Norwegian Coastal Administration (Kystverket): historical AIS as CSV, and older exports with semicolons. No particulars.
//!
//! ```text
//! date_time_utc,mmsi,longitude,latitude,status,course_over_ground,true_heading,speed_over_ground,rate_of_turn,maneuvre,data_source,ais_class,msg_type
//! 2024-01-01 00:00:01.250,257000001,5.12345,60.12345,0,12.5,14,9.8,0,0,1,A,1
//!
//! mmsi;date_time_utc;sog;cog;true_heading;nav_status;calc_speed;lon;lat
//! 257000001;2020-01-01 08:50:54;8.2;238.0;231;0;7.6;5.38693;60.3666
//! ```

use super::{Field, Identity, Known, TimeForm, Units};

/// Both forms.
pub const KYSTVERKET: Known = Known {
    name: "kystverket",
    marks: &["date_time_utc"],
    names: &[
        ("date_time_utc", Field::Time),
        ("mmsi", Field::Mmsi),
        ("longitude", Field::Lon),
        ("lon", Field::Lon),
        ("latitude", Field::Lat),
        ("lat", Field::Lat),
        ("status", Field::Status),
        ("nav_status", Field::Status),
        ("course_over_ground", Field::Cog),
        ("cog", Field::Cog),
        ("true_heading", Field::Heading),
        ("speed_over_ground", Field::Sog),
        ("sog", Field::Sog),
        ("ais_class", Field::Particular(8)),
    ],
    time: TimeForm::Iso,
    units: Units::Plain,
    identity: Identity::Mmsi,
    station: None,
    signed_course: false,
};
