//! The plan of a simulation: which scenes are played, by whom, where and when, and what is true of them.
//!
//! *In*: a plan. *Out*: ships with their paths, and what the labels will say. A scene has its own place and its own ships; the
//! scenes of a round come again until the fleet is large enough, so their shares stay the same at any size.

use crate::lab::Plan;
use crate::lab::dice::Dice;
use crate::lab::fleet::{self, Ship, Trade};
use crate::lab::labels::Planned;
use crate::lab::motion::{self, Mode, Plane, onward, turned};
use crate::lab::waters::{self, Waters};
use crate::model::Kind;
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, day_start_ms};
use std::f64::consts::{PI, TAU};

const KNOT: f64 = 1852.0 / 3600.0;
const NM: f64 = 1852.0;

/// Ships and what is true of them.
pub struct World {
    /// All ships.
    pub ships: Vec<Ship>,
    /// What the labels will say.
    pub planned: Vec<Planned>,
    /// First and last moment of the data, half-open.
    pub span: (i64, i64),
    dice: Dice,
    waters: Waters,
    limit: usize,
    lanes: usize,
}

/// How the larger ship of a meeting lies.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Adrift,
    AtAnchor,
    UnderWay,
}

/// One ship comes alongside another. Hours alongside; guests one after the other.
struct Meeting {
    scenario: &'static str,
    truth: bool,
    host: Trade,
    guest: Trade,
    how: How,
    hours: (f64, f64),
    guests: usize,
}

const fn meeting(scenario: &'static str, truth: bool, host: Trade, guest: Trade, how: How, hours: (f64, f64), guests: usize) -> Meeting {
    Meeting { scenario, truth, host, guest, how, hours, guests }
}

/// Durations: product and crude transfers 5 to 24 h, bunkering 2 to 6 h, a tug's job 30 to 80 min, a pilot 15 to 35 min.
const MEETINGS: [Meeting; 11] = [
    meeting("transfer_adrift", true, Trade::Crude, Trade::Product, How::Adrift, (5.0, 24.0), 1),
    meeting("transfer_at_anchor", true, Trade::Crude, Trade::Crude, How::AtAnchor, (8.0, 24.0), 1),
    meeting("transfer_under_way_then_adrift", true, Trade::Crude, Trade::Product, How::UnderWay, (6.0, 20.0), 1),
    meeting("transfer_with_holes", true, Trade::Crude, Trade::Product, How::Adrift, (7.0, 20.0), 1),
    meeting("bunkering", true, Trade::Cargo, Trade::Bunker, How::AtAnchor, (2.0, 6.0), 1),
    meeting("two_customers", true, Trade::Crude, Trade::Product, How::Adrift, (5.0, 8.0), 2),
    meeting("transfer_across_antimeridian", true, Trade::Crude, Trade::Product, How::Adrift, (6.0, 16.0), 1),
    meeting("transfer_over_midnight", true, Trade::Product, Trade::Product, How::AtAnchor, (6.0, 14.0), 1),
    meeting("tug_work", false, Trade::Cargo, Trade::Tug, How::UnderWay, (0.5, 1.35), 1),
    meeting("tug_at_anchored_ship", false, Trade::Cargo, Trade::Tug, How::AtAnchor, (0.5, 1.35), 1),
    meeting("pilot_call", false, Trade::Cargo, Trade::Pilot, How::UnderWay, (0.25, 0.6), 1),
];

/// One round. Truth comes first, so that a small fleet has it.
const ROUND: [fn(&mut World); 27] = [
    |w| w.meet(&MEETINGS[0]),
    |w| w.meet(&MEETINGS[1]),
    |w| w.neighbours(),
    |w| w.meet(&MEETINGS[4]),
    |w| w.lane(),
    |w| w.quay(false),
    |w| w.meet(&MEETINGS[2]),
    |w| w.meet(&MEETINGS[3]),
    |w| w.background(8),
    |w| w.meet(&MEETINGS[8]),
    |w| w.island(),
    |w| w.quay(true),
    |w| w.meet(&MEETINGS[5]),
    |w| w.meet(&MEETINGS[6]),
    |w| w.convoy(),
    |w| w.meet(&MEETINGS[10]),
    |w| w.background(8),
    |w| w.meet(&MEETINGS[7]),
    |w| w.blackout(),
    |w| w.yachts(),
    |w| w.neighbours(),
    |w| w.meet(&MEETINGS[0]),
    |w| w.trawlers(),
    |w| w.meet(&MEETINGS[9]),
    |w| w.meet(&MEETINGS[4]),
    |w| w.background(8),
    |w| w.quay(false),
];

/// The largest scene.
const LARGEST: usize = 9;

/// Plans a simulation of exactly `plan.ships` ships.
pub fn plan(plan: &Plan) -> World {
    let start = day_start_ms(plan.start_day);
    let span = (start, start + i64::from(plan.days) * DAY_MS);
    let dice = Dice::new(plan.seed, u64::MAX);
    let mut world =
        World { ships: Vec::new(), planned: Vec::new(), span, dice, waters: Waters::default(), limit: plan.ships as usize, lanes: (plan.seed % 97) as usize };
    for scene in ROUND.iter().cycle() {
        if world.ships.len() + LARGEST > world.limit {
            break;
        }
        scene(&mut world);
    }
    world.background(world.limit - world.ships.len());
    world.dirt();
    world
}

fn ms(hours: f64) -> i64 {
    (hours * HOUR_MS as f64) as i64
}

impl World {
    fn add(&mut self, trade: Trade, origin: (f64, f64)) -> usize {
        self.ships.push(fleet::ship(trade, self.ships.len(), origin, &mut self.dice));
        self.ships.len() - 1
    }
    fn then(&mut self, ship: usize, t: i64, mode: Mode) {
        let ship = &mut self.ships[ship];
        if ship.path.is_empty() {
            ship.first_ms = t;
        }
        ship.path.push((t, mode));
    }
    fn label(&mut self, scenario: &'static str, truth: bool, ships: (usize, Option<usize>), window: (i64, i64)) {
        let kind = if ships.1.is_some() { Kind::Rendezvous } else { Kind::Gap };
        self.planned.push(Planned { kind, truth, scenario, ships, window });
    }
    /// A moment in the data with room for so many hours before and after it.
    fn moment(&mut self, before: f64, after: f64) -> i64 {
        let (from, to) = (self.span.0 + ms(before), self.span.1 - ms(after));
        from + (self.dice.unit() * (to - from).max(0) as f64) as i64
    }
    fn sea(&mut self) -> (f64, f64) {
        self.waters.spot(waters::SEA, 16_000.0, 14_000.0, &mut self.dice)
    }
    fn port(&mut self) -> (f64, f64) {
        self.waters.spot(waters::PORTS, 900.0, 0.0, &mut self.dice)
    }
    /// A bearing on which there is water for so many metres.
    fn bearing(&mut self, origin: (f64, f64), from: Plane, metres: f64) -> f64 {
        let first = self.dice.between(0.0, TAU);
        let clear = |b: &f64| (1..=4).all(|k| waters::is_open(motion::degrees(origin, onward(from, *b, metres * f64::from(k) / 4.0)), 1_000.0));
        (0..16).map(|k| first + f64::from(k) * TAU / 16.0).find(clear).unwrap_or(first)
    }

    fn swing(&mut self, ship: usize, anchor: Plane) -> Mode {
        let d = &mut self.dice;
        let radius = self.ships[ship].length * 0.5 + d.between(80.0, 160.0);
        Mode::Swing { anchor, radius, base: d.between(0.0, TAU), arc: d.between(0.7, 1.5), phase: d.between(0.0, TAU) }
    }
    /// The same, with the anchor where it makes her lie at a place at a moment, so that she does not jump there.
    fn anchored(&mut self, ship: usize, at: Plane, t: i64) -> Mode {
        let mode = self.swing(ship, (0.0, 0.0));
        let pose = motion::pose_in(&self.ships, &mode, t).at;
        match mode {
            Mode::Swing { radius, base, arc, phase, .. } => Mode::Swing { anchor: (at.0 - pose.0, at.1 - pose.1), radius, base, arc, phase },
            other => other,
        }
    }
    /// Adrift at 0.3 to 1.5 kn on the tide, which turns the course about once in 12 h; the heading turns 3 to 12 degrees an hour.
    fn adrift(&mut self, from: Plane, t0: i64, heading: f64) -> Mode {
        let d = &mut self.dice;
        let way = if d.chance(0.5) { 1.0 } else { -1.0 };
        let turn = d.between(3.0, 12.0).to_radians() / 3600.0 * way;
        Mode::Roam { from, t0, speed: d.between(0.3, 1.5) * KNOT, course: d.between(0.0, TAU), curl: way * TAU / 44_700.0, heading, turn, yaw: 0.05 }
    }

    fn meet(&mut self, m: &Meeting) {
        let hours = self.dice.between(m.hours.0, m.hours.1).min((self.span.1 - self.span.0) as f64 / HOUR_MS as f64 - 8.0).max(m.hours.0);
        let origin = match m.scenario {
            "transfer_across_antimeridian" => self.waters.spot(waters::DATELINE, 16_000.0, 14_000.0, &mut self.dice),
            _ => self.sea(),
        };
        let mut t0 = self.moment(3.0, (m.guests as f64 * (hours + 3.0)).min(12.0));
        if m.scenario == "transfer_over_midnight" {
            let midnights = ((self.span.1 - self.span.0) / DAY_MS - 1) as usize;
            if midnights == 0 {
                return;
            }
            t0 = self.span.0 + (1 + self.dice.below(midnights)) as i64 * DAY_MS - ms(self.dice.between(1.5, 4.5));
        }
        let host = self.add(m.host, origin);
        let heading = self.dice.between(0.0, TAU);
        let first = t0 - ms(self.dice.between(3.0, 6.0));
        match m.how {
            How::Adrift => {
                let mode = self.adrift((0.0, 0.0), t0, heading);
                self.then(host, first, mode);
            }
            How::AtAnchor => {
                let mode = self.swing(host, (0.0, 0.0));
                self.then(host, first, mode);
            }
            How::UnderWay => {
                let speed = self.dice.between(4.4, 5.2) * KNOT;
                let until = t0 + ms(if m.truth { self.dice.between(0.9, 1.4) } else { hours + 1.0 });
                let metres = |t: i64| speed * (t - t0) as f64 / 1000.0;
                let (from, to) = (onward((0.0, 0.0), heading, metres(first)), onward((0.0, 0.0), heading, metres(until)));
                self.then(host, first, Mode::Line { from, to, t0: first, t1: until });
                let mode = if m.truth { self.adrift(to, until, heading) } else { self.anchored(host, to, until) };
                self.then(host, until, mode);
            }
        }
        for _ in 0..m.guests {
            self.guest(host, m, t0, hours);
            t0 += ms(hours + self.dice.between(2.0, 3.5));
        }
    }

    /// A ship that comes at 11 kn, closes in over 35 to 50 min (a boat or tug: 10), lies alongside to starboard, and goes.
    fn guest(&mut self, host: usize, m: &Meeting, t0: i64, hours: f64) {
        let origin = self.ships[host].origin;
        let guest = self.add(m.guest, origin);
        let t1 = t0 + ms(hours);
        let (close, open) = if m.truth { (self.dice.between(35.0, 50.0), 25.0) } else { (10.0, 8.0) };
        let (begin, gone) = (t0 - ms(close / 60.0), t1 + ms(open / 60.0));
        let d = &mut self.dice;
        let side = (self.ships[host].beam + self.ships[guest].beam) / 2.0 + d.between(2.5, 4.5);
        let near = (side, d.between(-0.05, 0.05) * self.ships[host].length);
        let far = (side + d.between(500.0, 900.0), -d.between(900.0, 1400.0));
        let away = (side + d.between(800.0, 1000.0), d.between(900.0, 1300.0));
        let reversed = m.truth && d.chance(0.12);
        let beside = |from, to, t0, t1| Mode::Beside { leader: host, from, to, t0, t1, reversed, sway: 0.0, phase: 0.0 };
        let point = |w: &Self, offset: Plane, t: i64| {
            let lead = motion::pose(&w.ships, host, t);
            let o = turned(offset, lead.heading);
            (lead.at.0 + o.0, lead.at.1 + o.1)
        };
        let (gate, out) = (point(self, far, begin), point(self, away, gone));
        let speed = self.dice.between(9.5, 12.5) * KNOT;
        let way = 16.0 * NM;
        let from = onward(gate, self.bearing(origin, gate, way), way);
        let came = begin - (way / speed * 1000.0) as i64;
        self.then(guest, came, Mode::Line { from, to: gate, t0: came, t1: begin });
        self.then(guest, begin, beside(far, near, begin, t0));
        self.then(guest, t1, beside(near, away, t1, gone));
        let way = self.dice.between(14_000.0, 18_000.0);
        let to = onward(out, self.bearing(origin, out, way), way);
        let there = gone + (way / speed * 1000.0) as i64;
        self.then(guest, gone, Mode::Line { from: out, to, t0: gone, t1: there });
        let rest = self.anchored(guest, to, there);
        self.then(guest, there, rest);
        if m.scenario == "transfer_with_holes" {
            for k in 0..1 + self.dice.below(2) {
                let from = t0 + ms(0.5 + (hours - 1.0) / 2.0 * k as f64 + self.dice.between(0.0, 0.6));
                let who = if self.dice.chance(0.5) { host } else { guest };
                let length = ms(self.dice.between(0.7, 2.8));
                self.ships[who].silent.push((from, from + length));
            }
        }
        if m.truth {
            // Cargo passed: draughts change, and crews key that in an hour or two later.
            let share = self.dice.between(0.15, 0.4) * if self.dice.chance(0.5) { 1.0 } else { -1.0 };
            for (ship, sign) in [(host, share), (guest, -share)] {
                let before = self.ships[ship].draught_dm.1;
                let smaller = f64::from(self.ships[guest].draught_dm.0);
                let after = (f64::from(before) + sign * smaller).clamp(20.0, 230.0) as u8;
                self.ships[ship].draught_dm = (before, after, t1 + ms(1.5));
            }
        }
        self.label(m.scenario, m.truth, (host, Some(guest)), (begin - 10 * MINUTE_MS, gone + 10 * MINUTE_MS));
    }

    fn pairs(&mut self, scenario: &'static str, ships: &[usize], window: (i64, i64)) {
        for (k, &a) in ships.iter().enumerate() {
            for &b in &ships[k + 1..] {
                self.label(scenario, false, (a, Some(b)), window);
            }
        }
    }

    /// Two or three ships at anchor 300 to 400 m apart, each about its own anchor and at its own time.
    fn neighbours(&mut self) {
        let origin = self.sea();
        let n = 2 + self.dice.below(2);
        let (base, arc, phase) = (self.dice.between(0.0, TAU), self.dice.between(0.8, 1.5), self.dice.between(0.0, TAU));
        let mut east = 0.0;
        let ships: Vec<usize> = (0..n)
            .map(|k| {
                let ship = self.add([Trade::Product, Trade::Cargo, Trade::Bunker][(k + n) % 3], origin);
                let Mode::Swing { radius, .. } = self.swing(ship, (0.0, 0.0)) else { return ship };
                let d = &mut self.dice;
                let mode =
                    Mode::Swing { anchor: (east, d.between(-60.0, 60.0)), radius, base, arc: arc * d.between(0.85, 1.15), phase: phase + d.between(-0.4, 0.4) };
                east += self.dice.between(300.0, 400.0);
                self.then(ship, self.span.0, mode);
                ship
            })
            .collect();
        self.pairs("anchored_neighbours", &ships, self.span);
    }

    /// Three ships along a quay; one of them may be switched off for a night.
    fn quay(&mut self, off: bool) {
        let origin = self.port();
        let along = self.dice.between(0.0, TAU);
        let mut metres = 0.0;
        let ships: Vec<usize> = (0..3)
            .map(|k| {
                let ship = self.add([Trade::Product, Trade::Cargo, Trade::Bunker][k], origin);
                let half = self.ships[ship].length / 2.0;
                metres += half + self.dice.between(12.0, 60.0);
                let heading = along + if self.dice.chance(0.3) { PI } else { 0.0 };
                self.then(ship, self.span.0, Mode::Fixed { at: onward((0.0, 0.0), along, metres), heading });
                metres += half;
                ship
            })
            .collect();
        self.pairs("quay_neighbours", &ships, self.span);
        if off {
            let hours = self.dice.between(5.0, 12.0);
            let from = self.moment(4.0, hours + 1.0);
            self.fall_silent("switched_off_at_quay", false, ships[1], (from, from + ms(hours)));
        }
    }

    fn fall_silent(&mut self, scenario: &'static str, truth: bool, ship: usize, window: (i64, i64)) {
        self.ships[ship].silent.push(window);
        self.label(scenario, truth, (ship, None), window);
    }

    /// A company of ships along a lane, some abreast, some ahead; two of them fall silent for 5 to 14 h and come back further on.
    fn lane(&mut self) {
        let (lat, lon, course) = waters::LANES[self.lanes % waters::LANES.len()];
        let shift = ((self.lanes / waters::LANES.len()) % 9) as f64 * 3.0 * NM;
        self.lanes += 1;
        let course = course.to_radians();
        let span_h = (self.span.1 - self.span.0) as f64 / HOUR_MS as f64;
        let hours = [(); 2].map(|()| self.dice.between(5.0, 14f64.min(span_h - 8.0)));
        let whole = hours[0].max(hours[1]) + 6.5;
        let begin = self.moment(0.0, whole);
        let speed = self.dice.between(10.5, 12.5);
        // Right of the way and ahead, in nautical miles: the silent two are the first.
        let company = [(-0.4, 0.0), (0.9, 1.5), (-1.6, -0.6), (1.7, 0.3), (0.2, -2.4), (-0.9, 2.8), (6.2, 1.0), (-6.2, -1.0)];
        for (k, (right, ahead)) in company.into_iter().enumerate() {
            let trade = if self.dice.chance(0.5) || k == 0 { Trade::Product } else { Trade::Cargo };
            let ship = self.add(trade, (lat, lon));
            let knots = speed + if k < 2 { 0.0 } else { self.dice.between(-0.25, 0.25) };
            let at = |ahead: f64| turned((right * NM + shift, ahead * NM), course);
            let leg_ms = ms(whole);
            let mode = Mode::Shuttle { from: at(ahead), to: at(ahead + knots * whole), t0: begin, leg_ms };
            self.then(ship, begin, mode);
            if let Some(&h) = hours.get(k) {
                let off = begin + ms(2.5 + self.dice.between(0.0, whole - 5.5 - h));
                self.fall_silent("silent_among_others", true, ship, (off, off + ms(h)));
            }
        }
    }

    fn around(&mut self, origin: (f64, f64), n: usize, reach: f64) -> Vec<usize> {
        (0..n)
            .map(|k| {
                let trade = [Trade::Cargo, Trade::Product, Trade::Crude][self.dice.below(3)];
                let ship = self.add(trade, origin);
                let from = onward((0.0, 0.0), k as f64 * TAU / n as f64 + self.dice.between(-0.3, 0.3), self.dice.between(0.3, 1.0) * reach);
                let mode = if k % 2 == 0 { self.swing(ship, from) } else { self.shuttle(from, reach, (8.0, 13.0)) };
                self.then(ship, self.span.0, mode);
                ship
            })
            .collect()
    }
    fn shuttle(&mut self, from: Plane, metres: f64, knots: (f64, f64)) -> Mode {
        let d = &mut self.dice;
        let to = onward(from, d.between(0.0, TAU), metres * d.between(0.8, 1.2));
        let leg_ms = (motion::apart(from, to) / (d.between(knots.0, knots.1) * KNOT) * 1000.0) as i64;
        Mode::Shuttle { from, to, t0: self.span.0 - (d.unit() * leg_ms as f64) as i64, leg_ms }
    }

    /// Ships about an island station; two leave its range, one of them comes back in 7 to 11 h.
    fn island(&mut self) {
        let origin = self.waters.spot(waters::ISLANDS, 150_000.0, 60_000.0, &mut self.dice);
        self.around(origin, 4, 15_000.0);
        for back in [true, false] {
            let ship = self.add(Trade::Cargo, origin);
            let speed = self.dice.between(11.0, 13.5) * KNOT;
            let range = self.dice.between(28_000.0, 36_000.0);
            let leg_ms = (range / speed * 1000.0) as i64 + ms(self.dice.between(3.5, 5.5));
            let begin = self.moment(0.0, 20.0);
            let to = onward((0.0, 0.0), self.dice.between(0.0, TAU), speed * leg_ms as f64 / 1000.0);
            self.then(ship, begin, Mode::Shuttle { from: (0.0, 0.0), to, t0: begin, leg_ms });
            let out = begin + (range / speed * 1000.0) as i64;
            let home = if back { begin + 2 * leg_ms - (range / speed * 1000.0) as i64 } else { self.span.1 };
            self.fall_silent("leaves_coverage", false, ship, (out, home));
            let rest = self.anchored(ship, (0.0, 0.0), begin + 2 * leg_ms);
            self.then(ship, begin + 2 * leg_ms, rest);
        }
    }

    /// All ships of an area fall silent in the same hours.
    fn blackout(&mut self) {
        let origin = self.waters.spot(waters::STATIONS, 150_000.0, 60_000.0, &mut self.dice);
        let hours = self.dice.between(5.0, 8.0);
        let from = self.moment(5.0, hours + 4.0);
        for ship in self.around(origin, 6, 20_000.0) {
            self.fall_silent("outage", false, ship, (from, from + ms(hours)));
        }
    }

    /// Three yachts rafted about one anchor, off a harbour.
    fn yachts(&mut self) {
        let origin = self.port();
        let first = self.add(Trade::Yacht, origin);
        let begin = self.moment(0.0, 20.0);
        let Mode::Swing { anchor, base, arc, phase, .. } = self.swing(first, (0.0, 0.0)) else { return };
        self.then(first, begin, Mode::Swing { anchor, radius: 35.0, base, arc, phase });
        let mut ships = vec![first];
        for side in [-1.0, 1.0] {
            let ship = self.add(Trade::Yacht, origin);
            let at = (side * (self.ships[ship].beam / 2.0 + self.ships[first].beam / 2.0 + 0.5), 0.0);
            self.then(ship, begin, Mode::Beside { leader: first, from: at, to: at, t0: begin - 1, t1: begin, reversed: false, sway: 0.0, phase: 0.0 });
            ships.push(ship);
        }
        self.pairs("rafted_yachts", &ships, self.span);
    }

    /// A leader on a wide circle and followers that keep station on her for some hours, each for itself.
    fn in_company(&mut self, scenario: &'static str, trades: &[Trade], knots: (f64, f64), radius: f64, offset: impl Fn(&mut Dice, f64) -> Plane, sway: f64) {
        let origin = self.waters.spot(waters::SEA, 30_000.0, 2.2 * radius, &mut self.dice);
        let leader = self.add(trades[0], origin);
        let speed = self.dice.between(knots.0, knots.1) * KNOT;
        let hours = self.dice.between(5.0, 9.0);
        let begin = self.moment(0.0, hours + 3.0);
        let (course, curl) = (self.dice.between(0.0, TAU), speed / radius);
        self.then(leader, begin, Mode::Roam { from: (0.0, 0.0), t0: begin, speed, course, curl, heading: course, turn: curl, yaw: 0.02 });
        let mut ships = vec![leader];
        let part = begin + ms(hours);
        for (k, &trade) in trades.iter().enumerate().skip(1) {
            let ship = self.add(trade, origin);
            let at = offset(&mut self.dice, k as f64);
            let (phase, gone) = (self.dice.between(0.0, TAU), (at.0 * 9.0 + 900.0, at.1 * 9.0 - 900.0));
            let beside = |from, to, t0, t1| Mode::Beside { leader, from, to, t0, t1, reversed: false, sway, phase };
            self.then(ship, begin, beside(at, at, begin - 1, begin));
            self.then(ship, part, beside(at, gone, part, part + ms(1.0)));
            ships.push(ship);
        }
        self.pairs(scenario, &ships, (begin, part + ms(1.0)));
    }
    /// Two trawlers with one net between them.
    fn trawlers(&mut self) {
        self.in_company("fishing_pair", &[Trade::Fishing; 2], (2.6, 3.6), 5_000.0, |d, k| (k * d.between(320.0, 430.0), -20.0), 25.0);
    }
    /// Three ships in line ahead, 400 m apart, at 4 to 5 kn.
    fn convoy(&mut self) {
        let trades = [Trade::Cargo, Trade::Product, Trade::Cargo];
        self.in_company("slow_convoy", &trades, (4.0, 5.0), 9_000.0, |d, k| (d.between(-40.0, 40.0), -k * d.between(390.0, 420.0)), 45.0);
    }

    /// Traffic that means nothing: under way along the lanes, alone at anchor, alone at a quay, small craft.
    fn background(&mut self, n: usize) {
        for _ in 0..n {
            let choice = self.dice.unit();
            let trade = [Trade::Cargo, Trade::Product, Trade::Crude, Trade::Cargo][self.dice.below(4)];
            if choice < 0.45 {
                let (lat, lon, course) = waters::LANES[self.dice.below(waters::LANES.len())];
                let ship = self.add(trade, (lat, lon));
                let from = turned((self.dice.between(-9.0, 9.0) * NM, self.dice.between(0.0, 150.0) * NM), course.to_radians());
                let to = onward(from, course.to_radians(), self.dice.between(60.0, 90.0) * NM);
                let leg_ms = (motion::apart(from, to) / (self.dice.between(9.0, 15.0) * KNOT) * 1000.0) as i64;
                let t0 = self.span.0 - (self.dice.unit() * leg_ms as f64) as i64;
                self.then(ship, self.span.0, Mode::Shuttle { from, to, t0, leg_ms });
            } else if choice < 0.75 {
                let origin = self.waters.spot(waters::SEA, 4_000.0, 6_000.0, &mut self.dice);
                let ship = self.add(trade, origin);
                let mode = self.swing(ship, (0.0, 0.0));
                self.then(ship, self.span.0, mode);
            } else if choice < 0.9 {
                let origin = self.port();
                let ship = self.add(trade, origin);
                let heading = self.dice.between(0.0, TAU);
                self.then(ship, self.span.0, Mode::Fixed { at: (0.0, 0.0), heading });
            } else {
                let origin = self.waters.spot(waters::SEA, 12_000.0, 14_000.0, &mut self.dice);
                let trade = if self.dice.chance(0.6) { Trade::Yacht } else { Trade::Fishing };
                let ship = self.add(trade, origin);
                let mode = self.shuttle((0.0, 0.0), 9_000.0, (4.0, 9.0));
                let begin = self.moment(0.0, 20.0);
                self.then(ship, begin, mode);
            }
        }
    }

    /// What real files have too: two ships far apart under one number, a lone teleport, a shore station.
    fn dirt(&mut self) {
        let lonely: Vec<usize> = {
            let in_label = |k: usize| self.planned.iter().any(|p| p.ships.0 == k || p.ships.1 == Some(k));
            (0..self.ships.len()).rev().filter(|k| !in_label(*k) && !matches!(self.ships[*k].trade, Trade::Yacht)).take(40).collect()
        };
        let Some((&one, others)) = lonely.split_first() else { return };
        self.ships[one].teleport_ms = Some(self.moment(2.0, 2.0));
        let Some((&a, others)) = others.split_first() else { return };
        if let Some(&b) = others.iter().find(|k| (self.ships[**k].origin.1 - self.ships[a].origin.1).abs() > 20.0) {
            self.ships[b].mmsi = self.ships[a].mmsi;
        }
        let station = self.add(Trade::BaseStation, (29.27, -94.83));
        self.then(station, self.span.0, Mode::Fixed { at: (0.0, 0.0), heading: 0.0 });
    }
}
