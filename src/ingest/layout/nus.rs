//! National University of Singapore, tankers: the integers of the messages as they were sent.
//!
//! ```text
//! message_type,mmsi,navigation_status,rate_of_turn,speed_over_ground,longitude,latitude,course_over_ground,true_heading,timeStamp
//! 3,563000001,0,0,103,62312345,751234,2385,238,2013-07-27T00:40:44Z
//! ```

use super::{Field, Identity, Known, TimeForm, Units};

/// Positions in 1/10000 minute, speeds and courses in tenths.
pub const NUS: Known = Known {
    name: "nus",
    marks: &["message_type", "navigation_status", "timestamp", "speed_over_ground"],
    names: &[
        ("mmsi", Field::Mmsi),
        ("timestamp", Field::Time),
        ("longitude", Field::Lon),
        ("latitude", Field::Lat),
        ("speed_over_ground", Field::Sog),
        ("course_over_ground", Field::Cog),
        ("true_heading", Field::Heading),
        ("navigation_status", Field::Status),
    ],
    time: TimeForm::Iso,
    units: Units::Raw,
    identity: Identity::Mmsi,
    station: None,
    signed_course: false,
};
