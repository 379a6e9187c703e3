//! Danish Maritime Authority, aisdata.ais.dk: 26 columns, or 22 without A to D in older files.
//!
//! ```text
//! # Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type,A,B,C,D
//! 26/04/2026 00:00:09,Class A,219000001,56.912600,7.750783,Under way using engine,0.0,11.9,34.0,32,9000003,OXAB2,EXAMPLE,Tanker,,32,183,GPS,7.5,GDANSK,26/04/2026 12:00:00,AIS,149,34,10,22
//! ```
//! Day first, UTC; words for status and type; base stations and aids to navigation among the rows; many repeats.
//! By the publisher's own description C is the way to starboard and D that to port, the other way round than in the messages.

use super::{Field, Identity, Known, TimeForm, Units};

/// Both forms.
pub const DMA: Known = Known {
    name: "dma",
    marks: &["timestamp", "type of mobile"],
    names: &[
        ("timestamp", Field::Time),
        ("type of mobile", Field::Particular(8)),
        ("mmsi", Field::Mmsi),
        ("latitude", Field::Lat),
        ("longitude", Field::Lon),
        ("navigational status", Field::Status),
        ("sog", Field::Sog),
        ("cog", Field::Cog),
        ("heading", Field::Heading),
        ("imo", Field::Particular(1)),
        ("callsign", Field::Particular(2)),
        ("name", Field::Particular(0)),
        ("ship type", Field::Particular(3)),
        ("width", Field::Particular(5)),
        ("length", Field::Particular(4)),
        ("draught", Field::Particular(6)),
        ("a", Field::Particular(9)),
        ("b", Field::Particular(10)),
        ("c", Field::Particular(12)),
        ("d", Field::Particular(11)),
    ],
    time: TimeForm::DayFirst,
    units: Units::Plain,
    identity: Identity::Mmsi,
    station: Some("type of mobile"),
    signed_course: false,
};
