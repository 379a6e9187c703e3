//! A fix is one position report; a track is what one physical ship sent.

use crate::model::mmsi::Mmsi;
use std::fmt;

/// "Not available" in a u16 column (speed, course, heading).
pub const NULL_U16: u16 = u16::MAX;
/// "Not available" in the navigational status column.
pub const NULL_STATUS: u8 = u8::MAX;

/// One position report on canonical integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Fix {
    /// UTC milliseconds.
    pub t_ms: i64,
    /// Latitude in 1e-7 degree, within -90..=90 degrees.
    pub lat_e7: i32,
    /// Longitude in 1e-7 degree, within -180..180 degrees.
    pub lon_e7: i32,
    /// Reported speed over ground in tenths of a knot, or [`NULL_U16`].
    pub sog_dkn: u16,
    /// Reported course over ground in tenths of a degree, or [`NULL_U16`].
    pub cog_ddeg: u16,
    /// Reported true heading in degrees, or [`NULL_U16`].
    pub heading_deg: u16,
    /// Navigational status as ITU-R M.1371 numbers it, or [`NULL_STATUS`].
    pub status: u8,
    /// Which of the ship's particulars stood in the same row (index into the delivery's table).
    pub particulars: u32,
    /// Where it came from: a row number over all inputs, for people to look up; never part of an answer.
    pub row: u32,
}

/// The name of a track: a hash of the MMSI and its first fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct TrackId(pub u64);

impl TrackId {
    /// From the MMSI and the first fix, and an ordinal among equal ones; never from a line number.
    pub fn of(mmsi: Mmsi, first: &Fix, ordinal: u32) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&mmsi.0.to_le_bytes());
        hasher.update(&first.t_ms.to_le_bytes());
        hasher.update(&first.lat_e7.to_le_bytes());
        hasher.update(&first.lon_e7.to_le_bytes());
        hasher.update(&ordinal.to_le_bytes());
        let mut head = [0u8; 8];
        head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Self(u64::from_be_bytes(head))
    }
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What one physical ship sent: its fixes in time order, one a moment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Track {
    /// Stable name.
    pub id: TrackId,
    /// The number the ship sent under.
    pub mmsi: Mmsi,
    /// Strictly increasing in time.
    pub fixes: Vec<Fix>,
    /// UTC milliseconds of the fixes before these that are not carried any more, as far as a silence asks how many there were.
    pub earlier_ms: Box<[i64]>,
}

impl Track {
    /// Of all its fixes.
    pub fn new(id: TrackId, mmsi: Mmsi, fixes: Vec<Fix>) -> Self {
        Self { id, mmsi, fixes, earlier_ms: Box::default() }
    }
}
