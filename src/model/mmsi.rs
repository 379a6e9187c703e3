//! The number a transponder gives for itself, and what kind of station it says it is.

use std::fmt;

/// A nine-digit Maritime Mobile Service Identity, 0..=999,999,999; above, what stands for a ship whose number is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Mmsi(pub u32);

/// What kind of station an MMSI belongs to (ITU-R M.585).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MmsiClass {
    /// A ship, including craft with handheld (8) and auxiliary (98) numbers, and numbers whose country is unallocated:
    /// a tampered identity is the signal, not noise.
    Ship,
    /// Coast station, 00.
    BaseStation,
    /// Group of ships, a single leading 0.
    Group,
    /// Search and rescue aircraft, 111.
    SarAircraft,
    /// Search and rescue transmitter 970, man overboard 972, EPIRB 974.
    Beacon,
    /// Aid to navigation, 99.
    AidToNavigation,
}

impl MmsiClass {
    /// The key of the row accounting (`not_ships`); `None` for a ship.
    pub fn not_ship_key(self) -> Option<&'static str> {
        match self {
            Self::Ship => None,
            Self::BaseStation => Some("base_station"),
            Self::Group => Some("group"),
            Self::SarAircraft => Some("sar_aircraft"),
            Self::Beacon => Some("beacon"),
            Self::AidToNavigation => Some("aid_to_navigation"),
        }
    }
}

/// Numbers that transponders send when nobody has set them up; they stand for many ships at once and can stand for none.
/// 1193046 is the Nauticast default (UK MCA MIN 298).
pub const DEFAULT_MMSIS: [u32; 5] = [0, 1_193_046, 111_111_111, 123_456_789, 999_999_999];

impl Mmsi {
    /// What kind of station this is, by its leading digits.
    pub fn class(self) -> MmsiClass {
        match self.0 {
            v if v < 10_000_000 => MmsiClass::BaseStation,
            v if v < 100_000_000 => MmsiClass::Group,
            v if v / 1_000_000 == 111 => MmsiClass::SarAircraft,
            v if matches!(v / 1_000_000, 970 | 972 | 974) => MmsiClass::Beacon,
            v if v / 10_000_000 == 99 => MmsiClass::AidToNavigation,
            _ => MmsiClass::Ship,
        }
    }
    /// The three country digits (MID), where the number has any: not for handhelds.
    pub fn mid(self) -> Option<u16> {
        match self.0 / 10_000_000 {
            98 => Some((self.0 / 10_000 % 1000) as u16),
            v if v / 10 == 8 || self.is_made_up() => None,
            _ => Some((self.0 / 1_000_000) as u16),
        }
    }
    /// Not an MMSI, but a number above them all that stands for the name a publisher made up.
    pub fn is_made_up(self) -> bool {
        self.0 > 999_999_999
    }
    /// Tender or other craft of a parent ship, 98.
    pub fn is_auxiliary(self) -> bool {
        self.0 / 10_000_000 == 98
    }
}

impl fmt::Display for Mmsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:09}", self.0)
    }
}
