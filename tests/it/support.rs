//! Shared drawings: positions at metres from a place, tracks that are sailed or drawn, a delivery cut into days.
//!
//! Nothing here calls the geometry under test: positions are laid out with plain sines and cosines.

use alongside::detect::meeting::{self, Found, Step, WindowEnd};
use alongside::detect::motion;
use alongside::frame::{self, PositionColumns};
use alongside::model::fix::{NULL_STATUS, NULL_U16};
use alongside::model::time::{DAY_MS, MINUTE_MS};
use alongside::model::{AisClass, Fix, Mmsi, Params, Particulars, RendezvousFacts, Track, TrackId};
use alongside::run::engine::{self, DayRows, Findings, State, Ways};
use alongside::spatial::boxes::IndexKind;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

/// Radius of the sphere that distances are taken on, written again so that a change in the library shows.
pub const RADIUS_M: f64 = 6_371_000.0;

/// 2020-01-15T00:00:00Z.
pub const START_MS: i64 = 18_276 * DAY_MS;

/// A place to draw about.
#[derive(Clone, Copy, Debug)]
pub struct Chart {
    pub lat: f64,
    pub lon: f64,
}

/// Open water with nothing special about it.
pub const GULF: Chart = Chart { lat: 28.5, lon: -94.5 };

impl Chart {
    /// The position so many metres east and north, (lat, lon) in 1e-7 degree.
    pub fn at(self, east_m: f64, north_m: f64) -> (i32, i32) {
        let ((sp, cp), (sl, cl)) = (self.lat.to_radians().sin_cos(), self.lon.to_radians().sin_cos());
        let (e, n) = (east_m / RADIUS_M, north_m / RADIUS_M);
        let q = [cp * cl - e * sl - n * sp * cl, cp * sl + e * cl - n * sp * sl, sp + n * cp];
        let lat = q[2].atan2(q[0].hypot(q[1])).to_degrees();
        let lon = (q[1].atan2(q[0]).to_degrees() * 1e7).round() as i32;
        ((lat * 1e7).round() as i32, if lon == 1_800_000_000 { -1_800_000_000 } else { lon })
    }
}

/// Places where planar thinking breaks, and one where it does not.
pub const CHARTS: [Chart; 9] = [
    GULF,
    Chart { lat: 0.0, lon: 0.0 },
    Chart { lat: 10.0, lon: 180.0 },
    Chart { lat: -35.0, lon: -179.995 },
    Chart { lat: 65.0, lon: 179.99 },
    Chart { lat: 90.0, lon: 0.0 },
    Chart { lat: 89.995, lon: 100.0 },
    Chart { lat: -90.0, lon: 45.0 },
    Chart { lat: -89.98, lon: 180.0 },
];

/// A fix with nothing but a time and a position.
pub fn fix(t_ms: i64, (lat_e7, lon_e7): (i32, i32)) -> Fix {
    Fix { t_ms, lat_e7, lon_e7, sog_dkn: NULL_U16, cog_ddeg: NULL_U16, heading_deg: NULL_U16, status: NULL_STATUS, particulars: 0, row: 0 }
}

/// A track of given fixes.
pub fn track(mmsi: u32, fixes: Vec<Fix>) -> Track {
    let mmsi = Mmsi(mmsi);
    Track::new(TrackId::of(mmsi, &fixes[0], 0), mmsi, fixes)
}

/// A track sailed by a rule: at each of the minutes after [`START_MS`], metres east and north of the chart's place and a heading.
pub fn sail(chart: Chart, mmsi: u32, minutes: impl IntoIterator<Item = i64>, rule: impl Fn(f64) -> (f64, f64, Option<f64>)) -> Track {
    let fixes = minutes.into_iter().map(|m| {
        let (east, north, heading) = rule(m as f64);
        Fix { heading_deg: heading.map_or(NULL_U16, |h| h.rem_euclid(360.0) as u16), ..fix(START_MS + m * MINUTE_MS, chart.at(east, north)) }
    });
    track(mmsi, fixes.collect())
}

/// Two ships as a drawing, one character a stretch of so many minutes: `#` 100 m apart, `o` 600 m, `~` 1000 m, `.` 3 km;
/// `?` the second ship is silent, `!` the first is, ` ` both are. The first ship lies still.
pub fn drawn(start_ms: i64, minutes: i64, drawing: &str) -> [Track; 2] {
    drawn_at(GULF, [366_000_001, 636_000_002], start_ms, minutes, drawing)
}

/// The same somewhere else, under other numbers.
pub fn drawn_at(chart: Chart, mmsis: [u32; 2], start_ms: i64, minutes: i64, drawing: &str) -> [Track; 2] {
    let mut fixes = [Vec::new(), Vec::new()];
    let mut apart = 3000.0;
    for (k, c) in drawing.chars().enumerate() {
        apart = match c {
            '#' => 100.0,
            'o' => 600.0,
            '~' => 1000.0,
            '.' => 3000.0,
            _ => apart,
        };
        let t = start_ms + k as i64 * minutes * MINUTE_MS;
        if !matches!(c, '!' | ' ') {
            fixes[0].push(fix(t, chart.at(0.0, 0.0)));
        }
        if !matches!(c, '?' | ' ') {
            fixes[1].push(fix(t, chart.at(apart, 0.0)));
        }
    }
    let [a, b] = fixes;
    [track(mmsis[0], a), track(mmsis[1], b)]
}

/// The one place that knows how meetings are searched for: from the first fix to an end of the data.
pub fn search(tracks: &[Track], params: &Params, index: IndexKind, data_end_ms: i64) -> Found {
    let mut legs = Vec::new();
    let mut runs = Vec::new();
    let begin = tracks.iter().filter_map(|t| t.fixes.first()).map(|f| f.t_ms).min().unwrap_or(data_end_ms);
    for (k, track) in tracks.iter().enumerate() {
        let (l, r) = motion::legs_and_runs(k as u32, track, (begin, data_end_ms), params);
        legs.push(l);
        runs.extend(r);
    }
    let step = Step { window: (begin, data_end_ms), end: WindowEnd::DataEnd, params, index, now_us: &|| 0 };
    meeting::find(tracks, &legs, &runs, BTreeMap::new(), &step)
}

/// Meetings with the data ending long after the last fix, so that none is open; by start, then pair.
pub fn meetings(tracks: &[Track], params: &Params) -> Vec<RendezvousFacts> {
    let end = tracks.iter().filter_map(|t| t.fixes.last()).map(|f| f.t_ms).max().unwrap_or(START_MS);
    let mut found = search(tracks, params, IndexKind::Rstar, end + DAY_MS).ended;
    found.sort_by_key(|m| (m.start_ms, m.mmsis, m.tracks));
    found
}

/// Draws `n` values, always the same ones, and checks each; a failure prints the value, shrunk.
pub fn for_all<S: Strategy>(n: u32, values: &S, check: impl Fn(S::Value) -> TestCaseResult) {
    let config = Config { cases: n, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(values, check) {
        panic!("{error}");
    }
}

/// Reports of several ships over several days, and what they said of themselves.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    pub ships: BTreeMap<u32, Vec<Fix>>,
    pub particulars: Vec<Particulars>,
}

impl Delivery {
    /// Adds a ship's fixes, brought into total order, under what it says of itself.
    pub fn add(&mut self, mmsi: u32, says: Particulars, fixes: impl IntoIterator<Item = Fix>) -> &mut Self {
        let index = self.particulars.iter().position(|p| *p == says).unwrap_or_else(|| {
            self.particulars.push(says);
            self.particulars.len() - 1
        });
        let list = self.ships.entry(mmsi).or_default();
        list.extend(fixes.into_iter().map(|f| Fix { particulars: index as u32, ..f }));
        list.sort_unstable();
        self
    }

    /// The part of a delivery in a span of time, with a table of its own: what one night's file would hold.
    fn part(&self, from_ms: i64, to_ms: i64) -> Self {
        let inside = |f: &&Fix| (from_ms..to_ms).contains(&f.t_ms);
        // In another order than the whole has it, so that an index never fits by luck.
        let used: BTreeSet<u32> = self.ships.values().flatten().filter(inside).map(|f| f.particulars).collect();
        let order: Vec<u32> = used.into_iter().rev().collect();
        let renumber = |f: &Fix| Fix { particulars: order.iter().position(|p| *p == f.particulars).unwrap() as u32, ..*f };
        let ships = self.ships.iter().map(|(mmsi, fixes)| (*mmsi, fixes.iter().filter(inside).map(renumber).collect())).collect();
        Self { ships, particulars: order.iter().map(|k| self.particulars[*k as usize].clone()).collect() }
    }

    /// Takes the delivery through the engine in steps that end at `ends`, the last of them the end of the data; `carry` says
    /// what becomes of the state between two steps.
    pub fn through(&self, begin_ms: i64, ends: &[i64], params: &Params, carry: impl Fn(State) -> State) -> Findings {
        let ways = Ways { params, index: IndexKind::Rstar, keep: 0, now_us: &|| 0 };
        let mut state = State { frontier_ms: Some(begin_ms), ..State::default() };
        let mut findings = Findings::default();
        let mut from = begin_ms;
        for (k, &end) in ends.iter().enumerate() {
            let night = self.part(from, end);
            let mut columns = PositionColumns::default();
            for (mmsi, fixes) in &night.ships {
                fixes.iter().for_each(|f| columns.push(*mmsi, f));
            }
            let positions = columns.into_frame().unwrap();
            let ships = frame::ships(&positions).unwrap();
            let rows = DayRows { ships: &ships, particulars: &night.particulars };
            if k + 1 == ends.len() {
                findings.extend(engine::conclude(carry(std::mem::take(&mut state)), rows, end, &ways));
            } else {
                let (next, found) = engine::advance(carry(std::mem::take(&mut state)), rows, end, &ways);
                state = next;
                findings.extend(found);
            }
            from = end;
        }
        findings.meetings.sort_by_key(|m| (m.0.start_ms, m.0.mmsis, m.0.tracks));
        findings.gaps.sort_by_key(|g| (g.0.off_ms, g.0.mmsi, g.0.track));
        findings
    }
}

/// Through the bytes that a state directory would hold.
pub fn through_bytes(state: State) -> State {
    let bytes = state.to_bytes().unwrap();
    let back = State::from_bytes(&bytes).unwrap();
    assert_eq!(bytes, back.to_bytes().unwrap(), "a state read back is written the same");
    back
}

/// What a ship of a type and a length says of itself.
pub fn says(name: &str, ship_type: u16, length_m: u16) -> Particulars {
    Particulars {
        name: name.into(),
        ship_type,
        length_dm: length_m * 10,
        beam_dm: length_m * 10 / 6,
        imo: 9074729,
        class: AisClass::A,
        to_bow_m: length_m - length_m / 5,
        to_stern_m: length_m / 5,
        to_port_m: length_m / 15,
        to_starboard_m: length_m / 6 - length_m / 15,
        ..Particulars::default()
    }
}

/// Numbers that look like chance, and are the same every time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// 0 to `n` - 1; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }
    /// Both ends included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.roll() % (high - low + 1) as u64) as i64
    }
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
