//! Distances on the sphere, through points in three dimensions.
//!
//! *In*: latitudes and longitudes in 1e-7 degree. *Out*: metres, with the Earth's centre as origin.
//! The only transcendental functions that decide a result come from `libm`, so the last bit is the same everywhere.

use crate::units::{E7, EARTH_RADIUS_M};
use std::sync::LazyLock;

/// A point or vector in metres, Earth-centred.
pub type Vec3 = [f64; 3];

/// Table step: 0.05 degree. Between steps a short series is exact to the last bits.
const STEP_E7: i32 = 500_000;
const STEPS: usize = 7201;

/// Sines and cosines of -180..=180 degrees in steps of 0.05 degree.
static TABLE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
    let angle = |i: usize| ((i as f64 - 3600.0) * f64::from(STEP_E7) / E7).to_radians();
    (0..STEPS).map(|i| (libm::sin(angle(i)), libm::cos(angle(i)))).collect()
});

/// Sine and cosine of an angle of -180..=180 degrees in 1e-7 degree; a pure function of the angle.
#[inline(always)]
fn sin_cos_e7(angle_e7: i32) -> (f64, f64) {
    let k = (angle_e7 + if angle_e7 >= 0 { STEP_E7 / 2 } else { -STEP_E7 / 2 }) / STEP_E7;
    let d = f64::from(angle_e7 - k * STEP_E7) * (std::f64::consts::PI / (180.0 * E7));
    let (s0, c0) = TABLE[(k + 3600) as usize];
    // |d| is at most 4.4e-4 rad: the next terms are below 1e-20.
    let d2 = d * d;
    let s = d * (1.0 - d2 / 6.0 * (1.0 - d2 / 20.0));
    let c = 1.0 - d2 / 2.0 * (1.0 - d2 / 12.0);
    (s0 * c + c0 * s, c0 * c - s0 * s)
}

/// The point of a position on the sphere, in metres.
#[inline]
pub fn point(lat_e7: i32, lon_e7: i32) -> Vec3 {
    let (sin_lat, cos_lat) = sin_cos_e7(lat_e7);
    let (sin_lon, cos_lon) = sin_cos_e7(lon_e7);
    [EARTH_RADIUS_M * cos_lat * cos_lon, EARTH_RADIUS_M * cos_lat * sin_lon, EARTH_RADIUS_M * sin_lat]
}

/// `b - a`.
#[inline]
pub fn sub(b: Vec3, a: Vec3) -> Vec3 {
    [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
}

/// Scalar product.
#[inline]
pub fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// `a + (b - a) * f`.
#[inline]
pub fn lerp(a: Vec3, b: Vec3, f: f64) -> Vec3 {
    [a[0] + (b[0] - a[0]) * f, a[1] + (b[1] - a[1]) * f, a[2] + (b[2] - a[2]) * f]
}

/// The straight line through the Earth below an arc of `metres`.
pub fn chord_of_arc(metres: f64) -> f64 {
    let half = metres / (2.0 * EARTH_RADIUS_M);
    2.0 * EARTH_RADIUS_M * libm::sin(half.min(std::f64::consts::FRAC_PI_2))
}

/// The arc above a straight line of `metres`.
pub fn arc_of_chord(metres: f64) -> f64 {
    2.0 * EARTH_RADIUS_M * libm::asin((metres / (2.0 * EARTH_RADIUS_M)).min(1.0))
}

/// Great-circle distance in metres between two positions, (lat, lon) in 1e-7 degree.
pub fn distance_m(a: (i32, i32), b: (i32, i32)) -> f64 {
    let v = sub(point(b.0, b.1), point(a.0, a.1));
    arc_of_chord(dot(v, v).sqrt())
}

/// The position below a point, (lat, lon) in 1e-7 degree. The centre of the Earth is given as 0, 0.
pub fn position_e7(p: Vec3) -> (i32, i32) {
    let flat = (p[0] * p[0] + p[1] * p[1]).sqrt();
    let lat = libm::atan2(p[2], flat).to_degrees();
    let lon = libm::atan2(p[1], p[0]).to_degrees();
    let lon = (lon * E7).round() as i32;
    ((lat * E7).round() as i32, if lon == 1_800_000_000 { -1_800_000_000 } else { lon })
}

/// East and north unit vectors at a point; at a pole any east will do.
#[inline]
pub fn east_north(p: Vec3) -> (Vec3, Vec3) {
    let flat = (p[0] * p[0] + p[1] * p[1]).sqrt();
    let r = (flat * flat + p[2] * p[2]).sqrt();
    if flat < 1e-6 || r < 1e-6 {
        return ([0.0, 1.0, 0.0], [if p[2] > 0.0 { -1.0 } else { 1.0 }, 0.0, 0.0]);
    }
    let east = [-p[1] / flat, p[0] / flat, 0.0];
    let north = [-p[2] * p[0] / (flat * r), -p[2] * p[1] / (flat * r), flat / r];
    (east, north)
}

/// The position reached from another after `metres` on an initial course in degrees.
pub fn destination(from: (i32, i32), course_deg: f64, metres: f64) -> (i32, i32) {
    let p = point(from.0, from.1);
    let (east, north) = east_north(p);
    let (s, c) = (libm::sin(course_deg.to_radians()), libm::cos(course_deg.to_radians()));
    let a = metres / EARTH_RADIUS_M;
    let (sa, ca) = (libm::sin(a), libm::cos(a));
    let mut q = [0.0; 3];
    for i in 0..3 {
        q[i] = p[i] * ca + EARTH_RADIUS_M * sa * (north[i] * c + east[i] * s);
    }
    position_e7(q)
}
