//! What simulated ships are and say of themselves.
//!
//! *In*: a trade and a number. *Out*: a [`Ship`] with a plausible size, flag, name and numbers; every MMSI and IMO number is made
//! up, with allocated country digits and a fitting check digit.

use crate::lab::dice::Dice;
use crate::lab::motion::{Mode, Plane};

/// What a ship does for a living.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trade {
    /// Crude tanker, 230 to 333 m.
    Crude,
    /// Product tanker, 140 to 200 m.
    Product,
    /// Small tanker that bunkers others, 75 to 115 m.
    Bunker,
    /// Bulk carrier or general cargo ship, 130 to 229 m.
    Cargo,
    /// Tug.
    Tug,
    /// Pilot boat.
    Pilot,
    /// Trawler, class A.
    Fishing,
    /// Sailing or motor yacht, class B.
    Yacht,
    /// A shore station, to be left out by a reader.
    BaseStation,
}

/// Sizes in metres, ITU ship types, country digits of the flags that such ships fly.
struct Build {
    length: (f64, f64),
    beam_share: f64,
    draught: (f64, f64),
    types: &'static [u16],
    mids: &'static [u32],
}

const OPEN: &[u32] = &[351, 352, 353, 354, 355, 356, 357, 370, 371, 372, 373, 538, 636, 636, 636, 215, 229, 248, 249, 256, 240, 241, 477, 563, 564, 565, 311];
const COAST: &[u32] = &[366, 367, 368, 338, 412, 413, 431, 219, 235, 244, 257, 563, 574];

fn build(trade: Trade) -> Build {
    let (length, beam_share, draught, types, mids): (_, _, _, &[u16], &[u32]) = match trade {
        Trade::Crude => ((230.0, 333.0), 0.18, (9.0, 20.0), &[80, 80, 81, 89], OPEN),
        Trade::Product => ((140.0, 200.0), 0.175, (7.0, 12.5), &[80, 80, 82, 84, 89], OPEN),
        Trade::Bunker => ((75.0, 115.0), 0.165, (3.5, 6.5), &[80, 89], COAST),
        Trade::Cargo => ((130.0, 229.0), 0.15, (6.0, 13.0), &[70, 70, 71, 79], OPEN),
        Trade::Tug => ((24.0, 38.0), 0.33, (3.5, 5.5), &[52, 52, 31], COAST),
        Trade::Pilot => ((14.0, 20.0), 0.3, (1.5, 2.5), &[50], COAST),
        Trade::Fishing => ((22.0, 45.0), 0.27, (3.0, 5.5), &[30], COAST),
        Trade::Yacht => ((9.0, 18.0), 0.3, (1.5, 2.5), &[36, 37, 37], COAST),
        Trade::BaseStation => ((0.0, 0.0), 0.0, (0.0, 0.0), &[0], &[366]),
    };
    Build { length, beam_share, draught, types, mids }
}

/// A simulated ship.
#[derive(Clone, Debug)]
pub struct Ship {
    /// Her number; not always hers alone.
    pub mmsi: u32,
    /// What she does.
    pub trade: Trade,
    /// Name as sent.
    pub name: String,
    /// IMO number with a fitting check digit; 0 for small craft.
    pub imo: u32,
    /// Call sign.
    pub call_sign: String,
    /// ITU ship type.
    pub ship_type: u16,
    /// Metres.
    pub length: f64,
    /// Metres.
    pub beam: f64,
    /// Tenths of a metre before and after a moment.
    pub draught_dm: (u8, u8, i64),
    /// Metres (right, forward) from the middle of the hull.
    pub antenna: Plane,
    /// Sends headings; others send 511.
    pub heading: bool,
    /// Status she sends while neither at anchor nor moored.
    pub status: u8,
    /// Latitude and longitude in degrees of her scene's origin.
    pub origin: (f64, f64),
    /// Modes by their beginning; the first stands for all time before.
    pub path: Vec<(i64, Mode)>,
    /// First moment she is in the data.
    pub first_ms: i64,
    /// Half-open times in which nothing of her is received.
    pub silent: Vec<(i64, i64)>,
    /// A moment at which one report puts her somewhere else.
    pub teleport_ms: Option<i64>,
}

impl Ship {
    /// Metres from the antenna to bow, stern, port and starboard, whole as they are sent.
    pub fn antenna_m(&self) -> [u16; 4] {
        let ends = |size: f64, to: f64| {
            let (size, to) = (size as u16, (size / 2.0 + to).round() as u16);
            [to.min(size), size - to.min(size)]
        };
        let ([stern, bow], [port, starboard]) = (ends(self.length, self.antenna.1), ends(self.beam, self.antenna.0));
        [bow, stern, port, starboard]
    }
}

const FIRST: [&str; 24] = [
    "ATLANTIC", "NORDIC", "EASTERN", "GOLDEN", "PACIFIC", "AEGEAN", "SILVER", "OCEAN", "STAR", "GULF", "CRYSTAL", "ROYAL", "BLUE", "CAPE", "DELTA", "EMERALD",
    "HORIZON", "IONIAN", "JADE", "LUNAR", "MERIDIAN", "POLAR", "SUMMER", "TRIUMPH",
];
const SECOND: [&str; 24] = [
    "SPIRIT", "PIONEER", "GLORY", "TRADER", "HARMONY", "BREEZE", "VOYAGER", "PRIDE", "LEADER", "WAVE", "HERON", "FALCON", "DAWN", "UNITY", "FORTUNE", "ORCHID",
    "RIVER", "SUN", "CREST", "MARINER", "ARROW", "LEGACY", "TIDE", "PEARL",
];

/// The ship with the number `k` (from 0) of a trade.
pub fn ship(trade: Trade, k: usize, origin: (f64, f64), dice: &mut Dice) -> Ship {
    let b = build(trade);
    let length = dice.between(b.length.0, b.length.1).floor();
    let beam = (length * b.beam_share * dice.between(0.92, 1.08)).floor().max(0.0);
    let draught = (dice.between(b.draught.0, b.draught.1) * 10.0) as u8;
    let small = matches!(trade, Trade::Yacht | Trade::Pilot | Trade::BaseStation);
    // 7919 shares no factor with 1,000,000: numbers do not come again.
    let serial = ((k as u64 * 7919 + 120_011) % 1_000_000) as u32;
    let mmsi = if trade == Trade::BaseStation { 3_660_000 + serial % 10_000 } else { b.mids[dice.below(b.mids.len())] * 1_000_000 + serial };
    let round = k / (24 * 24);
    let suffix = if round == 0 { String::new() } else { format!(" {}", round + 1) };
    // Stern bridges hold the antennas: 0.13 to 0.25 of the length from the stern (1,724 tankers); small craft amidships.
    let forward = if length > 60.0 { length * (dice.between(0.13, 0.25) - 0.5) } else { length * dice.between(-0.1, 0.15) };
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    Ship {
        mmsi,
        trade,
        name: if trade == Trade::BaseStation { String::new() } else { format!("{} {}{suffix}", FIRST[k % 24], SECOND[(k / 24 + k) % 24]) },
        imo: if small || (trade == Trade::Fishing && dice.chance(0.5)) { 0 } else { imo(k as u32) },
        call_sign: if small { String::new() } else { format!("{}{}{}{}{}", letter(k / 7 + 3), letter(k / 11 + 9), letter(k), k % 10, k / 10 % 10) },
        ship_type: b.types[dice.below(b.types.len())],
        length,
        beam,
        draught_dm: (draught, draught, 0),
        antenna: (dice.between(-0.15, 0.15) * beam, forward),
        heading: match trade {
            Trade::Yacht | Trade::Pilot => false,
            Trade::Fishing | Trade::Tug => dice.chance(0.7),
            _ => dice.chance(0.93),
        },
        status: if dice.chance(0.85) { 0 } else { 3 },
        origin,
        path: Vec::new(),
        first_ms: 0,
        silent: Vec::new(),
        teleport_ms: None,
    }
}

/// A seven-digit number whose last digit checks the others (digits 1 to 6 times 7 to 2, last digit of the sum).
fn imo(k: u32) -> u32 {
    let body = 900_000 + (k * 37 + 11) % 99_989;
    let sum: u32 = (0..6).map(|n| body / 10u32.pow(n) % 10 * (n + 2)).sum();
    body * 10 + sum % 10
}
