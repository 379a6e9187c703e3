//! What a ship says of itself: name, numbers, type and size.

use compact_str::CompactString;
use std::fmt;

/// Static data as sent with, or beside, a position. Every field is as reported: none of it is trusted. Texts of up to 24 bytes, which are
/// nearly all, stand in it: there may be a great many ships.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Particulars {
    /// Ship name; empty where none was sent.
    pub name: CompactString,
    /// IMO number as sent; 0 where none was sent. The check digit is not assumed to fit.
    pub imo: u32,
    /// Call sign; empty where none was sent.
    pub call_sign: CompactString,
    /// Ship type as ITU-R M.1371 codes it; 0 where none was sent.
    pub ship_type: u16,
    /// Length overall in tenths of a metre; 0 where none was sent.
    pub length_dm: u16,
    /// Beam in tenths of a metre; 0 where none was sent.
    pub beam_dm: u16,
    /// Draught in tenths of a metre; 0 where none was sent.
    pub draught_dm: u16,
    /// Cargo code as sent; 0 where none was sent.
    pub cargo: u16,
    /// Class of the transponder.
    pub class: AisClass,
    /// Metres from the antenna to the bow (A of ITU-R M.1371), and so the next three. All four are 0 where none were sent.
    /// To bow and to port 0 and the others not: the size was sent, the place of the antenna was not.
    pub to_bow_m: u16,
    /// Metres from the antenna to the stern (B).
    pub to_stern_m: u16,
    /// Metres from the antenna to the port side (C).
    pub to_port_m: u16,
    /// Metres from the antenna to the starboard side (D).
    pub to_starboard_m: u16,
}

/// Class of the transponder that sent a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum AisClass {
    /// The layout does not say.
    #[default]
    Unknown,
    /// Class A: ships under SOLAS.
    A,
    /// Class B: small craft.
    B,
}

impl Particulars {
    /// Which fields were sent, a bit each; cargo and class, which stand beside others, are not asked for.
    pub fn known_fields(&self) -> u8 {
        let known = [
            !self.name.is_empty(),
            self.imo != 0,
            !self.call_sign.is_empty(),
            self.ship_type != 0,
            self.length_dm != 0,
            self.beam_dm != 0,
            self.draught_dm != 0,
            self.antenna_m() != [0; 4],
        ];
        known.iter().fold(0, |bits, known| bits << 1 | u8::from(*known))
    }

    /// Metres from the antenna to bow, stern, port and starboard as sent.
    pub fn antenna_m(&self) -> [u16; 4] {
        [self.to_bow_m, self.to_stern_m, self.to_port_m, self.to_starboard_m]
    }

    /// The same, where they place the antenna in a hull: all of them sent, none of them the "or more" of the message (511 m
    /// along, 63 m across), and not the size alone (to bow 0, and to one side: which of them, publishers are not agreed on).
    pub fn antenna_in_hull_m(&self) -> Option<[u16; 4]> {
        let [bow, stern, port, starboard] = self.antenna_m();
        let size = bow + stern > 0 && port + starboard > 0 && bow.max(stern) < 511 && port.max(starboard) < 63;
        (size && (bow > 0 || port.min(starboard) > 0)).then_some([bow, stern, port, starboard])
    }

    /// Whether an IMO number was sent that can be one: a number whose check digit fails names no ship.
    pub fn has_imo(&self) -> bool {
        imo_check_digit_fits(self.imo)
    }
}

/// Whether the seventh digit of an IMO number checks the first six (sum of digit times 7, 6, ... 2; last digit of the sum).
pub fn imo_check_digit_fits(imo: u32) -> bool {
    if !(1_000_000..=9_999_999).contains(&imo) {
        return false;
    }
    let mut rest = imo / 10;
    let mut sum = 0;
    for weight in 2..=7 {
        sum += rest % 10 * weight;
        rest /= 10;
    }
    sum % 10 == imo % 10
}

/// Ship type groups that the rules speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShipType {
    /// Nothing usable was sent.
    Unknown,
    /// 80-89: tankers.
    Tanker,
    /// 70-79: cargo ships.
    Cargo,
    /// 31, 32, 52, 57, and 50s that tug-barges send: towing and tugs.
    Tug,
    /// 60-69: passenger ships.
    Passenger,
    /// 30: fishing.
    Fishing,
    /// 36, 37: sailing and pleasure craft.
    Pleasure,
    /// 50: pilot boats.
    Pilot,
    /// 33: dredging; 34: diving; 51, 53, 54, 55, 58: rescue, tenders, anti-pollution, law, medical.
    Service,
    /// 40-49: high-speed craft.
    HighSpeed,
    /// 90-99 and what fits nowhere.
    Other,
}

impl ShipType {
    /// From the code of ITU-R M.1371, or the AVIS codes 1001-1025 that MarineCadastre used before 2018.
    pub fn of(code: u16) -> Self {
        match code {
            0 => Self::Unknown,
            30 | 1001 | 1002 => Self::Fishing,
            31 | 32 | 52 | 57 | 1023 | 1025 => Self::Tug,
            36 | 37 | 1019 => Self::Pleasure,
            33 | 34 | 35 | 51 | 53..=55 | 58 | 59 | 1007..=1009 | 1018 | 1020..=1022 => Self::Service,
            40..=49 => Self::HighSpeed,
            50 => Self::Pilot,
            60..=69 | 1012..=1015 => Self::Passenger,
            70..=79 | 1003 | 1004 | 1016 => Self::Cargo,
            80..=89 | 1017 | 1024 => Self::Tanker,
            _ => Self::Other,
        }
    }
    /// One lower-case word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Tanker => "tanker",
            Self::Cargo => "cargo",
            Self::Tug => "tug",
            Self::Passenger => "passenger",
            Self::Fishing => "fishing",
            Self::Pleasure => "pleasure",
            Self::Pilot => "pilot",
            Self::Service => "service",
            Self::HighSpeed => "high-speed",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ShipType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
