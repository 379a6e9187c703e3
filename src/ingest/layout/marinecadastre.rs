//! MarineCadastre, United States (NOAA and BOEM).
//!
//! Legacy (2015-2024, coast.noaa.gov/htdata/CMSP/AISDataHandler), with sentinels such as heading 511:
//! ```text
//! MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,TransceiverClass
//! 366000001,2023-06-15T00:00:00,28.61952,-94.25871,0.3,193.3,511.0,EXAMPLE,IMO9000003,WDA0001,80,0.0,183.0,32.0,9.1,80.0,A
//! ```
//! Some years misspell the class column. 2015-2017 write the status as words, have no class, and read the course, twelve bits
//! without a sign, as one with a sign: from 204.8 degrees on it is 409.6 too low, and "not available" is -49.6.
//!
//! Renamed (2025, csv2): longitude before latitude, a blank for the `T`, sentinels empty:
//! ```text
//! mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,width,draft,cargo,transceiver
//! 366000001,2025-12-31 00:00:00,-94.25871,28.61952,0.3,193.3,,EXAMPLE,IMO9000003,WDA0001,80,0,183,32,9.1,80,A
//! ```

use super::{Field, Identity, Known, TimeForm, Units};

const NAMES: [(&str, Field); 27] = [
    ("mmsi", Field::Mmsi),
    ("basedatetime", Field::Time),
    ("base_date_time", Field::Time),
    ("lat", Field::Lat),
    ("latitude", Field::Lat),
    ("lon", Field::Lon),
    ("longitude", Field::Lon),
    ("sog", Field::Sog),
    ("cog", Field::Cog),
    ("heading", Field::Heading),
    ("status", Field::Status),
    ("vesselname", Field::Particular(0)),
    ("vessel_name", Field::Particular(0)),
    ("imo", Field::Particular(1)),
    ("callsign", Field::Particular(2)),
    ("call_sign", Field::Particular(2)),
    ("vesseltype", Field::Particular(3)),
    ("vessel_type", Field::Particular(3)),
    ("length", Field::Particular(4)),
    ("width", Field::Particular(5)),
    ("draft", Field::Particular(6)),
    ("draught", Field::Particular(6)),
    ("cargo", Field::Particular(7)),
    ("transceiverclass", Field::Particular(8)),
    ("transcieverclass", Field::Particular(8)),
    ("transceiver", Field::Particular(8)),
    ("transceiver_class", Field::Particular(8)),
];

/// 2015 to 2024. Last of all: what has its names and no other's is read as this.
pub const LEGACY: Known = Known {
    name: "marinecadastre",
    marks: &[],
    names: &NAMES,
    time: TimeForm::Iso,
    units: Units::Plain,
    identity: Identity::Mmsi,
    station: None,
    signed_course: true,
};

/// 2025 and later.
pub const RENAMED: Known = Known { name: "marinecadastre-2025", marks: &["base_date_time"], ..LEGACY };
