//! Real water for simulated ships.
//!
//! *In*: dice. *Out*: places that are not on land, apart from one another. Boxes, ports and lanes are chosen by hand on the chart:
//! known transfer areas of the embedded zone table, ports of the embedded list, open water for the rest.

use crate::lab::dice::Dice;
use crate::spatial::coast::Coast;
use crate::units::EARTH_RADIUS_M;

/// South, north, west, east in degrees.
pub type Box = (f64, f64, f64, f64);

/// Where ships drift, anchor and transfer: off Galveston, East China Sea, Gulf of Oman, Laconian Gulf, Gulf of Tonkin, Hurd's
/// Bank off Malta, Gulf of Guinea, south of Vietnam, the Pacific Area Lightering, and the open Arabian Sea for large fleets.
pub const SEA: &[Box] = &[
    (27.9, 28.9, -95.0, -93.4),
    (28.0, 30.5, 123.8, 125.6),
    (24.7, 25.4, 56.8, 57.8),
    (36.0, 36.5, 22.6, 22.9),
    (18.8, 20.3, 107.2, 108.3),
    (35.6, 36.05, 14.7, 15.1),
    (2.5, 4.0, 3.0, 6.0),
    (4.0, 7.0, 106.0, 108.5),
    (31.8, 32.8, -120.0, -119.0),
    (13.0, 20.0, 61.0, 68.0),
];
/// South of Fiji and south of the Aleutians; the longitude is that of the antimeridian.
pub const DATELINE: &[Box] = &[(-24.0, -21.5, -180.0, -180.0), (47.0, 50.0, -180.0, -180.0)];
/// Within a mile or two of ports of the embedded list: Galveston, Fujairah, Rotterdam, Haiphong, Shanghai, Suva.
pub const PORTS: &[Box] = &[
    (29.255, 29.29, -94.845, -94.81),
    (25.16, 25.195, 56.34, 56.375),
    (51.885, 51.92, 4.425, 4.46),
    (20.892, 20.927, 106.723, 106.758),
    (31.382, 31.418, 121.48, 121.515),
    (-18.134, -18.1, 178.4, 178.435),
];
/// Open ocean where one island station hears what is near it, and nobody hears the rest.
pub const ISLANDS: &[Box] = &[(10.0, 17.0, -168.0, -152.0), (-32.0, -22.0, 62.0, 76.0), (-26.0, -12.0, -22.0, -8.0)];
/// Open ocean whose stations fail together.
pub const STATIONS: &[Box] = &[(28.0, 38.0, 148.0, 166.0), (30.0, 38.0, -62.0, -40.0), (-40.0, -32.0, -30.0, -5.0)];

/// Busy ways over open water, 240 nm and more: latitude and longitude of their beginning, and the course in degrees.
pub const LANES: &[(f64, f64, f64)] = &[
    (27.2, -95.8, 92.0),
    (27.3, 123.8, 15.0),
    (24.2, 59.7, 105.0),
    (34.0, 19.5, 90.0),
    (50.2, 177.0, 95.0),
    (41.5, -11.5, 180.0),
    (1.5, 0.5, 85.0),
    (13.5, 112.5, 35.0),
    (14.8, -76.5, 90.0),
];

/// Places that are taken.
#[derive(Debug, Default)]
pub struct Waters {
    taken: Vec<(f64, f64)>,
    turn: usize,
}

fn e7(p: (f64, f64)) -> (i32, i32) {
    ((p.0 * 1e7).round() as i32, (p.1 * 1e7).round() as i32)
}

/// Whether a place is water at least so many metres from any shore.
pub fn is_open(p: (f64, f64), shore_m: f64) -> bool {
    let coast = Coast::embedded();
    !coast.is_land(e7(p)) && coast.shore_m(e7(p), shore_m).is_none()
}

impl Waters {
    /// A place in the boxes, taken in turn, `spacing_m` from all places before and `shore_m` from the shore (0: ports, where quays
    /// are). Where the boxes are full, places come closer together, but never ashore.
    pub fn spot(&mut self, boxes: &[Box], spacing_m: f64, shore_m: f64, dice: &mut Dice) -> (f64, f64) {
        const TRIES: usize = 240;
        self.turn += 1;
        let mut place = (0.0, 0.0);
        for attempt in 0..3 * TRIES {
            let (south, north, west, east) = boxes[(self.turn + attempt / 12) % boxes.len()];
            place = (dice.between(south, north), dice.between(west, east));
            let spacing = spacing_m / (1 + 2 * (attempt / TRIES)) as f64;
            let free = self.taken.iter().all(|t| far(*t, place, spacing));
            if free && (shore_m <= 0.0 || is_open(place, shore_m)) {
                break;
            }
        }
        self.taken.push(place);
        place
    }
}

/// Whether two places are farther apart than so many metres, on their parallel.
fn far(a: (f64, f64), b: (f64, f64), metres: f64) -> bool {
    let degree = EARTH_RADIUS_M.to_radians();
    let north = (a.0 - b.0) * degree;
    if north.abs() > metres {
        return true;
    }
    let east = (a.1 - b.1) * degree * libm::cos(a.0.to_radians());
    north * north + east * east > metres * metres
}
