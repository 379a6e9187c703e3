//! Hulls: rectangles against polygons, and the gap, the contact and the draughts of a meeting.

use crate::support::{CHARTS, Chart, Delivery, GULF, START_MS, fix, for_all, says, through_bytes};
use alongside::model::fix::NULL_U16;
use alongside::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use alongside::model::{Fix, Params, Particulars, RendezvousFacts};
use alongside::spatial::geodesy;
use alongside::spatial::hull::{self, Laid};
use geo::{Distance, Euclidean, LineString, Polygon};
use proptest::prelude::*;

/// Metres east and north, or to starboard and ahead.
type Plane = (f64, f64);

/// A ship in a drawing: where the middle of her hull is, where she points, and where her antenna stands (bow, stern, port, starboard).
#[derive(Clone, Copy, Debug)]
struct Drawn {
    middle: Plane,
    heading: f64,
    antenna_m: [u16; 4],
}

/// 180 m by 32 m, the antenna amidships across.
const TANKER: [u16; 4] = [150, 30, 16, 16];

fn turned((right, ahead): Plane, degrees: f64) -> Plane {
    let (s, c) = degrees.to_radians().sin_cos();
    (right * c + ahead * s, ahead * c - right * s)
}

impl Drawn {
    fn new(middle: Plane, heading: f64, antenna_m: [u16; 4]) -> Self {
        Self { middle, heading, antenna_m }
    }
    /// The whole drawing turned about its origin.
    fn turned(self, degrees: f64) -> Self {
        Self { middle: turned(self.middle, degrees), heading: self.heading + degrees, ..self }
    }
    fn on_deck(&self, at: Plane) -> Plane {
        let d = turned(at, self.heading);
        (self.middle.0 + d.0, self.middle.1 + d.1)
    }
    fn antenna(&self) -> Plane {
        let [bow, stern, port, starboard] = self.antenna_m.map(f64::from);
        self.on_deck(((port - starboard) / 2.0, (stern - bow) / 2.0))
    }
    fn polygon(&self) -> Polygon {
        let [bow, stern, port, starboard] = self.antenna_m.map(f64::from);
        let (w, l) = ((port + starboard) / 2.0, (bow + stern) / 2.0);
        Polygon::new(LineString::from([(w, l), (w, -l), (-w, -l), (-w, l)].map(|p| self.on_deck(p)).to_vec()), vec![])
    }
    /// Sine and cosine of her heading by the meridian she is on: near a pole it is not that of the chart's place.
    fn heading_at(&self, chart: Chart, (lat_e7, lon_e7): (i32, i32)) -> (f64, f64) {
        let axes = |lat: f64, lon: f64| {
            let ((sp, cp), (sl, cl)) = (lat.to_radians().sin_cos(), lon.to_radians().sin_cos());
            ([-sl, cl, 0.0], [-sp * cl, -sp * sl, cp])
        };
        let (e0, n0) = axes(chart.lat, chart.lon);
        let (e1, n1) = axes(f64::from(lat_e7) / 1e7, f64::from(lon_e7) / 1e7);
        let (s, c) = self.heading.to_radians().sin_cos();
        let ahead = [0, 1, 2].map(|k| e0[k] * s + n0[k] * c);
        let dot = |v: [f64; 3]| (0..3).map(|k| ahead[k] * v[k]).sum::<f64>();
        let (east, north) = (dot(e1), dot(n1));
        (east / east.hypot(north), north / east.hypot(north))
    }
}

/// The gap by the library, with port and starboard as drawn and exchanged.
fn gaps(chart: Chart, ships: [Drawn; 2]) -> [f64; 2] {
    let at = ships.map(|s| chart.at(s.antenna().0, s.antenna().1));
    let points = at.map(|p| geodesy::point(p.0, p.1));
    let [a, b] = [0, 1].map(|k| Laid::new(ships[k].antenna_m, points[k], ships[k].heading_at(chart, at[k])));
    hull::gaps_m([&a, &b], points)
}

/// What the second ship is to a tanker at the origin that heads north, and the metres between them.
fn drawings() -> Vec<(&'static str, Drawn, f64)> {
    let at = |middle, heading| Drawn::new(middle, heading, TANKER);
    let reach = 106.0 * 0.5f64.sqrt();
    vec![
        ("side by side", at((36.0, 0.0), 0.0), 4.0),
        ("side by side to port", at((-36.0, 12.0), 0.0), 4.0),
        ("side by side, head to tail", at((36.0, -20.0), 180.0), 4.0),
        ("side to side without a gap", at((32.0, 0.0), 0.0), 0.0),
        ("bow to stern", at((5.0, 187.0), 0.0), 7.0),
        ("bow to bow", at((-5.0, 187.0), 180.0), 7.0),
        ("corner to corner", at((35.0, 184.0), 0.0), 5.0),
        ("across the bow", at((0.0, 116.0), 90.0), 10.0),
        ("crossed through, no corner in the other", at((0.0, 0.0), 90.0), 0.0),
        ("overlapping", at((10.0, 20.0), 5.0), 0.0),
        ("a boat on deck", Drawn::new((3.0, 4.0), 77.0, [4, 4, 1, 1]), 0.0),
        ("a corner towards the side", at((16.0 + reach + 5.0, 0.0), 45.0), 5.0),
        ("far abeam", at((432.0, 0.0), 0.0), 400.0),
        ("antenna in a corner of the hull", Drawn::new((36.0, 0.0), 0.0, [178, 2, 1, 31]), 4.0),
    ]
}

#[test]
fn hulls_are_as_far_apart_as_drawn_wherever_and_however_turned() {
    for (what, other, wanted) in drawings() {
        for chart in CHARTS {
            for turn in (0..360).step_by(15).map(f64::from) {
                let ships = [Drawn::new((0.0, 0.0), 0.0, TANKER), other].map(|s| s.turned(turn));
                let [gap, _] = gaps(chart, ships);
                assert!((gap - wanted).abs() < 0.03, "{what}, turned by {turn} at {chart:?}: {gap}");
                let [swapped, _] = gaps(chart, [ships[1], ships[0]]);
                assert!((gap - swapped).abs() < 1e-3, "{what}: {gap} from one, {swapped} from the other");
            }
        }
    }
}

/// Antennas ten metres off the middle line: read the other way round the hull lies twenty metres farther over.
#[test]
fn port_and_starboard_exchanged_is_the_other_reading() {
    for turn in (0..360).step_by(40).map(f64::from) {
        let pair =
            |first: [u16; 4], second: [u16; 4]| gaps(GULF, [Drawn::new((0.0, 0.0), 0.0, first), Drawn::new((36.0, 0.0), 0.0, second)].map(|s| s.turned(turn)));
        let near = |found: [f64; 2], wanted: [f64; 2]| assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 0.03), "{found:?} {wanted:?}");
        near(pair(TANKER, TANKER), [4.0, 4.0]);
        near(pair([150, 30, 6, 26], TANKER), [4.0, 24.0]);
        near(pair([150, 30, 26, 6], TANKER), [4.0, 0.0]);
        near(pair([150, 30, 6, 26], [150, 30, 6, 26]), [4.0, 4.0]);
        near(pair([150, 30, 6, 26], [150, 30, 26, 6]), [4.0, 44.0]);
    }
}

/// Any two hulls anywhere, against the polygons of another library.
#[test]
fn gaps_are_those_of_polygons() {
    let antenna = || (0u16..300, 1u16..100, 0u16..40, 1u16..40).prop_map(|(bow, stern, port, starboard)| [bow, stern, port, starboard]);
    let ship = || ((-300.0..300.0, -300.0..300.0), 0.0..360.0, antenna()).prop_map(|(middle, heading, antenna_m)| Drawn { middle, heading, antenna_m });
    let zero = std::cell::Cell::new(0);
    for_all(3000, &(ship(), ship(), 0..CHARTS.len(), -180.0..180.0), |(a, b, chart, east)| {
        let by_hand = Euclidean.distance(&a.polygon(), &b.polygon());
        let mirrored = [a, b].map(|s| Drawn::new((-s.middle.0, s.middle.1), -s.heading, [s.antenna_m[0], s.antenna_m[1], s.antenna_m[3], s.antenna_m[2]]));
        // Exactly at a pole no heading means anything.
        let shifted = Chart { lat: CHARTS[chart].lat, lon: east };
        for (what, chart, ships) in [
            ("plain", CHARTS[chart], [a, b]),
            ("swapped", CHARTS[chart], [b, a]),
            ("shifted in longitude", shifted, [a, b]),
            ("in a mirror", CHARTS[chart], mirrored),
        ] {
            let [gap, _] = gaps(chart, ships);
            prop_assert!((gap - by_hand).abs() < 0.05, "{}: {} by the library, {} by polygons", what, gap, by_hand);
        }
        zero.set(zero.get() + usize::from(by_hand == 0.0));
        Ok(())
    });
    assert!((100..2900).contains(&zero.get()), "{zero:?} overlap");
}

/// Fixes every five minutes of a ship drawn at a minute after [`START_MS`], with whole degrees of heading where she sends one.
fn sailed(chart: Chart, minutes: std::ops::Range<i64>, sends_heading: bool, rule: impl Fn(f64) -> Drawn) -> Vec<Fix> {
    let at = |m: i64| {
        let ship = rule(m as f64);
        let at = chart.at(ship.antenna().0, ship.antenna().1);
        let (s, c) = ship.heading_at(chart, at);
        let heading = s.atan2(c).to_degrees().rem_euclid(360.0).round() as u16 % 360;
        Fix { heading_deg: if sends_heading { heading } else { NULL_U16 }, ..fix(START_MS + m * MINUTE_MS, at) }
    };
    minutes.step_by(5).map(at).collect()
}

/// What a ship says whose antenna stands there.
fn stands(name: &str, antenna_m: [u16; 4]) -> Particulars {
    let [to_bow_m, to_stern_m, to_port_m, to_starboard_m] = antenna_m;
    Particulars { to_bow_m, to_stern_m, to_port_m, to_starboard_m, ..says(name, 80, 180) }
}

const MMSIS: [u32; 2] = [366_000_001, 636_000_002];

/// Two ships 4 m from side to side for twelve hours, turning slowly and drifting, and what each says.
fn lying(chart: Chart, heading: f64, says: [Particulars; 2], sends_heading: [bool; 2]) -> Delivery {
    let mut delivery = Delivery::default();
    for (k, said) in says.into_iter().enumerate() {
        // She lies as she is, whatever she says: antennas as in `TANKER`.
        let rule = |m: f64| {
            let turn = heading + m / 24.0;
            let ship = Drawn::new((36.0 * k as f64, 0.0), 0.0, TANKER).turned(turn);
            Drawn { middle: (ship.middle.0 + m * 6.0, ship.middle.1 - m * 3.0), ..ship }
        };
        delivery.add(MMSIS[k], said, sailed(chart, 0..720, sends_heading[k], rule));
    }
    delivery
}

fn whole(delivery: &Delivery) -> Vec<RendezvousFacts> {
    delivery.through(START_MS, &[START_MS + 3 * DAY_MS], &Params::default(), |s| s).meetings.into_iter().map(|m| m.0).collect()
}

fn only(delivery: &Delivery) -> RendezvousFacts {
    let mut found = whole(delivery);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn the_gap_of_a_meeting_is_that_of_its_hulls() {
    for chart in CHARTS {
        for heading in [0.0, 77.0, 200.0, 305.0] {
            let [sent, exchanged] = only(&lying(chart, heading, ["ONE", "TWO"].map(|n| stands(n, TANKER)), [true; 2])).hull_gap_m.unwrap();
            // Whole degrees of heading move the ends of a hull by a metre and a half.
            assert!((sent - 4.0).abs() < 1.6 && (exchanged - sent).abs() < 0.1, "{chart:?} {heading}: {sent} {exchanged}");
        }
    }
    let other = [stands("ONE", [150, 30, 6, 26]), stands("TWO", TANKER)];
    // She says that her hull lies 10 m farther to starboard than it does, or the other way round 10 m farther to port.
    let [sent, exchanged] = only(&lying(GULF, 10.0, other, [true; 2])).hull_gap_m.unwrap();
    assert!(sent == 0.0 && (exchanged - 14.0).abs() < 1.6, "{sent} {exchanged}");
}

#[test]
fn a_gap_is_never_guessed() {
    let gap = |first: Particulars, sends_heading: [bool; 2]| only(&lying(GULF, 40.0, [first, stands("TWO", TANKER)], sends_heading)).hull_gap_m;
    assert!(gap(stands("ONE", TANKER), [true; 2]).is_some());
    assert!(gap(stands("ONE", [150, 30, 0, 32]), [true; 2]).is_some(), "at the edge of the hull");
    assert_eq!(gap(stands("ONE", TANKER), [false, true]), None, "no heading");
    assert_eq!(gap(stands("ONE", TANKER), [true, false]), None, "no heading");
    for (antenna, why) in [
        ([0; 4], "nothing sent"),
        ([0, 180, 0, 32], "the size alone"),
        ([0, 180, 32, 0], "the size alone, with the sides exchanged"),
        ([150, 30, 0, 0], "no beam"),
        ([0, 0, 16, 16], "no length"),
        ([511, 30, 16, 16], "511 m or more"),
        ([150, 30, 63, 16], "63 m or more"),
    ] {
        assert_eq!(gap(stands("ONE", antenna), [true; 2]), None, "{why}");
    }
}

/// The latest before a moment counts: never what is said later, and what is not sent again stands.
#[test]
fn hulls_are_known_from_when_they_are_said() {
    let told_from = |minute: i64| {
        let mut delivery = lying(GULF, 40.0, [says("ONE", 80, 180), stands("TWO", TANKER)], [true; 2]);
        let blank = Particulars { to_bow_m: 0, to_stern_m: 0, to_port_m: 0, to_starboard_m: 0, ..says("ONE", 80, 180) };
        let fixes = delivery.ships.remove(&MMSIS[0]).unwrap();
        let at = START_MS + minute * MINUTE_MS;
        delivery.add(MMSIS[0], blank.clone(), fixes.iter().filter(|f| f.t_ms < at).copied());
        delivery.add(MMSIS[0], stands("ONE", TANKER), fixes.iter().filter(|f| f.t_ms == at).copied());
        delivery.add(MMSIS[0], blank, fixes.iter().filter(|f| f.t_ms > at).copied());
        only(&delivery).hull_gap_m
    };
    assert!(told_from(0).is_some_and(|g| (g[0] - 4.0).abs() < 1.6));
    assert!(told_from(300).is_some_and(|g| (g[0] - 4.0).abs() < 1.6), "seven hours of twelve");
    assert_eq!(told_from(420), None, "five hours of twelve");
}

/// Draughts in tenths of a metre, from hours after the begin of the meeting on (it lasts twelve), and what the event has.
#[test]
fn draughts_are_the_last_before_and_within_four_hours_after() {
    let with = |said: &[(f64, u16)], heard_to_h: f64| {
        let mut delivery = Delivery::default();
        for k in 0..2 {
            // A kilometre away from three hours before it and again after it.
            let rule = |m: f64| Drawn::new((if k == 1 && !(180.0..=900.0).contains(&m) { 3000.0 } else { 80.0 * f64::from(k) }, 0.0), 0.0, TANKER);
            let fixes = sailed(GULF, 0..2000, true, rule);
            let hours = |f: &Fix| (f.t_ms - START_MS) as f64 / HOUR_MS as f64 - 3.0;
            for (n, &(from, draught_dm)) in said.iter().enumerate() {
                let to = said.get(n + 1).map_or(f64::INFINITY, |s| s.0).min(heard_to_h);
                let part = fixes.iter().filter(|f| (from..to).contains(&hours(f))).copied();
                delivery.add(MMSIS[k as usize], Particulars { draught_dm, ..says("ONE", 80, 180) }, part);
            }
        }
        only(&delivery).draught_dm[0]
    };
    assert_eq!(with(&[(-3.0, 100)], 40.0), [Some(100), Some(100)], "unchanged");
    assert_eq!(with(&[(-3.0, 100), (13.5, 82)], 40.0), [Some(100), Some(82)], "keyed in after");
    assert_eq!(with(&[(-3.0, 100), (5.0, 82)], 40.0), [Some(100), Some(82)], "keyed in during it");
    assert_eq!(with(&[(-3.0, 100), (13.0, 28), (14.0, 82)], 40.0), [Some(100), Some(82)], "keyed in wrong, then right");
    assert_eq!(with(&[(-3.0, 100), (17.0, 82)], 40.0), [Some(100), Some(100)], "too late to be seen");
    assert_eq!(with(&[(-3.0, 90), (-1.0, 100), (13.0, 82)], 40.0), [Some(100), Some(82)], "changed before it");
    assert_eq!(with(&[(-3.0, 0), (13.0, 82)], 40.0), [None, Some(82)], "none sent before");
    assert_eq!(with(&[(-3.0, 100), (11.0, 0)], 40.0), [Some(100), Some(100)], "not sent again");
    assert_eq!(with(&[(-3.0, 100)], 11.0), [Some(100), None], "not heard after it");
    assert_eq!(with(&[(-3.0, 0)], 40.0), [None, None]);
}

/// Said once, a day and a half before the meeting, then never again: a night no longer holds that fix, and still knows.
#[test]
fn what_was_said_long_ago_is_carried_over_the_nights() {
    let mut delivery = Delivery::default();
    for k in 0..2 {
        let rule = |m: f64| Drawn::new((if (2300.0..3300.0).contains(&m) { 36.0 } else { 5000.0 } * f64::from(k), m), 0.0, TANKER);
        let fixes = sailed(GULF, 0..4200, true, rule);
        let mut once = Particulars { draught_dm: 95, ..stands("ONE", TANKER) };
        delivery.add(MMSIS[k as usize], once.clone(), fixes[..1].iter().copied());
        once = Particulars { name: "ONE".into(), ..Particulars::default() };
        delivery.add(MMSIS[k as usize], once, fixes[1..].iter().copied());
    }
    let at_once = delivery.through(START_MS, &[START_MS + 3 * DAY_MS], &Params::default(), |s| s).meetings;
    for hours in [5, 7, 24] {
        let ends: Vec<i64> = (1..=71 / hours).map(|n| START_MS + n * hours * HOUR_MS).chain([START_MS + 3 * DAY_MS]).collect();
        let nights = delivery.through(START_MS, &ends, &Params::default(), through_bytes).meetings;
        assert_eq!(nights, at_once, "every {hours} h");
    }
    let facts = &at_once[0].0;
    assert!(facts.hull_gap_m.is_some_and(|g| (g[0] - 4.0).abs() < 1.6) && facts.draught_dm == [[Some(95); 2]; 2], "{facts:?}");
}
