//! Where a simulated ship is at any moment, in closed form.
//!
//! *In*: ships with paths, which are stretches of one mode of motion each. *Out*: pose, antenna and position. Nothing is
//! integrated step by step, so a report does not depend on the one before it, and days can be made apart. Trigonometry is `libm`'s.

use crate::lab::fleet::Ship;
use crate::units::EARTH_RADIUS_M;
use std::f64::consts::TAU;

/// Metres east and north of a scene's origin.
pub type Plane = (f64, f64);

/// Where the middle of a hull is and where it points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Metres east and north of the scene's origin.
    pub at: Plane,
    /// True heading in radians.
    pub heading: f64,
}

/// One way to move. Times are UTC milliseconds, lengths metres, speeds metres a second, angles radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Straight from one point to another; stays there afterwards.
    Line { from: Plane, to: Plane, t0: i64, t1: i64 },
    /// To and fro between two points, `leg_ms` each way.
    Shuttle { from: Plane, to: Plane, t0: i64, leg_ms: i64 },
    /// Made fast to something that does not move.
    Fixed { at: Plane, heading: f64 },
    /// About an anchor: with the tide by `arc` to either side of `base`, yawing a few degrees meanwhile.
    Swing { anchor: Plane, radius: f64, base: f64, arc: f64, phase: f64 },
    /// At one speed on a course that turns by `curl` a second, the heading by `turn`.
    Roam { from: Plane, t0: i64, speed: f64, course: f64, curl: f64, heading: f64, turn: f64, yaw: f64 },
    /// At an offset (right, forward) from another ship, in her frame, which changes from one to the other between two times and
    /// stays. Offsets that end nearer close in ever more slowly, others open ever faster. `sway` metres of a ship's own motion.
    Beside { leader: usize, from: Plane, to: Plane, t0: i64, t1: i64, reversed: bool, sway: f64, phase: f64 },
}

/// The tide turns a ship at anchor in this time: 12 h 25 min.
const TIDE_S: f64 = 44_700.0;
/// Yaw of a ship at rest: one swing in 18 min.
const YAW_S: f64 = 1_080.0;
/// A ship under way for itself wanders off her line and back in 40 min.
const SWAY_S: f64 = 2_400.0;

fn seconds(from: i64, t: i64) -> f64 {
    (t - from) as f64 / 1000.0
}

/// A vector (right, forward) in the frame of a heading, in the plane.
pub fn turned((right, forward): Plane, heading: f64) -> Plane {
    let (s, c) = (libm::sin(heading), libm::cos(heading));
    (right * c + forward * s, forward * c - right * s)
}

/// The point `metres` away on a course.
pub fn onward(from: Plane, course: f64, metres: f64) -> Plane {
    let d = turned((0.0, metres), course);
    (from.0 + d.0, from.1 + d.1)
}

/// Metres between two points.
pub fn apart(a: Plane, b: Plane) -> f64 {
    ((b.0 - a.0) * (b.0 - a.0) + (b.1 - a.1) * (b.1 - a.1)).sqrt()
}

fn between(from: Plane, to: Plane, f: f64) -> Plane {
    (from.0 + (to.0 - from.0) * f, from.1 + (to.1 - from.1) * f)
}

fn course(from: Plane, to: Plane) -> f64 {
    libm::atan2(to.0 - from.0, to.1 - from.1)
}

/// The mode of a ship at a moment.
pub fn mode(ship: &Ship, t: i64) -> &Mode {
    let k = ship.path.partition_point(|(from, _)| *from <= t);
    &ship.path[k.max(1) - 1].1
}

/// Where a ship is at a moment.
pub fn pose(ships: &[Ship], ship: usize, t: i64) -> Pose {
    pose_in(ships, mode(&ships[ship], t), t)
}

/// Where a ship would be in a mode.
pub fn pose_in(ships: &[Ship], mode: &Mode, t: i64) -> Pose {
    match *mode {
        Mode::Line { from, to, t0, t1 } => {
            let f = (seconds(t0, t) / seconds(t0, t1).max(1.0)).clamp(0.0, 1.0);
            Pose { at: between(from, to, f), heading: course(from, to) }
        }
        Mode::Shuttle { from, to, t0, leg_ms } => {
            let legs = (t - t0).div_euclid(leg_ms);
            let f = (t - t0).rem_euclid(leg_ms) as f64 / leg_ms as f64;
            let (a, b) = if legs % 2 == 0 { (from, to) } else { (to, from) };
            Pose { at: between(a, b, f), heading: course(a, b) }
        }
        Mode::Fixed { at, heading } => Pose { at, heading },
        Mode::Swing { anchor, radius, base, arc, phase } => {
            let s = seconds(0, t);
            let heading = base + arc * libm::sin(TAU * s / TIDE_S + phase) + 0.06 * libm::sin(TAU * s / YAW_S + 7.0 * phase);
            Pose { at: onward(anchor, heading, -radius), heading }
        }
        Mode::Roam { from, t0, speed, course, curl, heading, turn, yaw } => {
            let s = seconds(t0, t);
            // The integral of a velocity that turns evenly.
            let chord = if curl.abs() < 1e-9 { s } else { 2.0 * libm::sin(curl * s / 2.0) / curl };
            let at = onward(from, course + curl * s / 2.0, speed * chord);
            Pose { at, heading: heading + turn * s + yaw * libm::sin(TAU * s / YAW_S) }
        }
        Mode::Beside { leader, from, to, t0, t1, reversed, sway, phase } => {
            let lead = pose(ships, leader, t);
            let s = (seconds(t0, t) / seconds(t0, t1).max(1.0)).clamp(0.0, 1.0);
            let closes = apart((0.0, 0.0), to) < apart((0.0, 0.0), from);
            let (right, forward) = between(from, to, if closes { 1.0 - (1.0 - s) * (1.0 - s) } else { s * s });
            let own = TAU * seconds(0, t) / SWAY_S + phase;
            let (right, forward) = (right + sway * 0.4 * libm::sin(own * 1.3), forward + sway * libm::sin(own));
            let d = turned((right, forward), lead.heading);
            let heading = lead.heading + if reversed { TAU / 2.0 } else { 0.0 } + sway * 0.0006 * libm::cos(own);
            Pose { at: (lead.at.0 + d.0, lead.at.1 + d.1), heading }
        }
    }
}

/// Where the antenna of a ship is, and her heading.
pub fn antenna(ships: &[Ship], ship: usize, t: i64) -> Pose {
    let hull = pose(ships, ship, t);
    let d = turned(ships[ship].antenna, hull.heading);
    Pose { at: (hull.at.0 + d.0, hull.at.1 + d.1), heading: hull.heading }
}

/// Whether a ship lies at anchor or alongside something, and so reports less often: the status she would send, if so.
pub fn rest_status(ships: &[Ship], ship: usize, t: i64) -> Option<u8> {
    match *mode(&ships[ship], t) {
        Mode::Swing { .. } => Some(1),
        Mode::Fixed { .. } => Some(5),
        Mode::Beside { leader, t1, .. } if t > t1 => rest_status(ships, leader, t),
        _ => None,
    }
}

/// Latitude and longitude in degrees of a point of a scene. East is measured along the point's own parallel, so that distances
/// between near ships are true wherever the scene reaches.
pub fn degrees(origin: (f64, f64), at: Plane) -> (f64, f64) {
    let lat = origin.0 + (at.1 / EARTH_RADIUS_M).to_degrees();
    let lon = origin.1 + (at.0 / (EARTH_RADIUS_M * libm::cos(lat.to_radians()))).to_degrees();
    (
        lat,
        if lon >= 180.0 {
            lon - 360.0
        } else if lon < -180.0 {
            lon + 360.0
        } else {
            lon
        },
    )
}

/// Whether two ships are within 500 m and slow together at a moment: both below 2 kn, or both below 6 kn and in step within
/// 0.5 kn, as a rendezvous is defined; by the true motion of the antennas, without noise.
pub fn together(ships: &[Ship], a: usize, b: usize, t: i64) -> bool {
    const KNOT: f64 = 1852.0 / 3600.0;
    let at = |ship: usize, t: i64| antenna(ships, ship, t).at;
    let (p, q) = (at(a, t), at(b, t));
    if apart(p, q) > 500.0 {
        return false;
    }
    let way = |from: Plane, to: Plane| ((to.0 - from.0) / 120.0, (to.1 - from.1) / 120.0);
    let (u, v) = (way(at(a, t - 60_000), at(a, t + 60_000)), way(at(b, t - 60_000), at(b, t + 60_000)));
    let fastest = apart((0.0, 0.0), u).max(apart((0.0, 0.0), v)) / KNOT;
    fastest <= 2.0 || (fastest <= 6.0 && apart(u, v) <= 0.5 * KNOT)
}
