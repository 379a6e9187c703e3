//! Spire Maritime: data samples, data extracts and combined extracts, as CSV (documentation.spire.com, "Combined data extracts" and
//! "Standard data sample format").
//!
//! ```text
//! created_at,timestamp,mmsi,msg_type,latitude,longitude,speed,course,heading,rot,imo,name,call_sign,flag,draught,ship_and_cargo_type,length,width,eta,destination,status,maneuver,accuracy,collection_type
//! 2020-01-01T00:00:41Z,2020-01-01T00:00:09Z,563000001,1,1.25206,103.85393,10.3,238.5,238,0,9000003,EXAMPLE,9VAB2,SG,7.5,80,183,32,,SINGAPORE,0,0,True,satellite
//! ```
//! `timestamp` is when the message was sent, `created_at` when it was filed. Messages 5 and 24 are rows without a position; in the
//! combined extract what they say stands beside every position.

use super::{Field, Identity, Known, TimeForm, Units};

/// All three.
pub const SPIRE: Known = Known {
    name: "spire",
    marks: &["mmsi", "timestamp", "ship_and_cargo_type"],
    names: &[
        ("mmsi", Field::Mmsi),
        ("timestamp", Field::Time),
        ("latitude", Field::Lat),
        ("longitude", Field::Lon),
        ("speed", Field::Sog),
        ("course", Field::Cog),
        ("heading", Field::Heading),
        ("status", Field::Status),
        ("name", Field::Particular(0)),
        ("imo", Field::Particular(1)),
        ("call_sign", Field::Particular(2)),
        ("ship_and_cargo_type", Field::Particular(3)),
        ("length", Field::Particular(4)),
        ("width", Field::Particular(5)),
        ("draught", Field::Particular(6)),
    ],
    time: TimeForm::Iso,
    units: Units::Plain,
    identity: Identity::Mmsi,
    station: None,
    signed_course: false,
};
