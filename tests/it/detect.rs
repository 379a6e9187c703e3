//! The workshop: meetings against a slow oracle, against themselves seen another way, and drawn; gaps.

use crate::support::{CHARTS, Chart, GULF, RADIUS_M, START_MS, drawn, fix, for_all, meetings, sail, says, search, track};
use alongside::detect::coverage::{self, Coverage, Heard, Reception};
use alongside::detect::gap;
use alongside::detect::meeting::{self, Found, Lying, Meeting, Pair, Step, WindowEnd};
use alongside::detect::{motion, pairs};
use alongside::model::fix::NULL_U16;
use alongside::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use alongside::model::{AisClass, Fix, GapFacts, Kind, Mmsi, Params, RendezvousFacts, Track, TrackId};
use alongside::run::book::{self, References};
use alongside::run::engine::Findings;
use alongside::spatial::boxes::IndexKind;
use alongside::spatial::coast::Coast;
use alongside::spatial::geodesy;
use alongside::spatial::ports::Ports;
use alongside::spatial::zones::Zones;
use alongside::units::{Hours, Knots, Metres, Minutes};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// The rules of a rendezvous, looked at every five seconds on unit vectors: slow, and written from the rules alone.
///
/// A moment qualifies when both ships are on legs of at most an hour, within the leaving distance, and either both drift or both are
/// slow and in step. A leg's speed is the displacement over ten minutes to either side of its middle, as far as there is no hole;
/// the relative velocity of two legs is taken likewise about the middle of their common time. Legs that only touch share no time.
mod oracle {
    use super::RADIUS_M;
    use alongside::model::Track;

    pub const TICK_S: i64 = 5;

    /// Distances in metres, speeds in knots, times in seconds.
    #[derive(Clone, Copy)]
    pub struct Rules {
        pub enter: f64,
        pub leave: f64,
        pub flicker_m: f64,
        pub drift: f64,
        pub paced: f64,
        pub relative: f64,
        pub flicker: i64,
        pub hole: i64,
        pub shortest: i64,
    }

    pub const RULES: Rules =
        Rules { enter: 500.0, leave: 750.0, flicker_m: 1500.0, drift: 2.0, paced: 6.0, relative: 0.5, flicker: 1200, hole: 14_400, shortest: 3600 };

    impl Rules {
        /// All thresholds easier (or, below zero, harder) to meet: by one per cent for distances and speeds, by half a minute for times.
        pub fn eased(self, by: f64) -> Self {
            let (more, seconds) = (1.0 + 0.01 * by, (30.0 * by) as i64);
            Self {
                enter: self.enter * more,
                leave: self.leave * more,
                flicker_m: self.flicker_m * more,
                drift: self.drift * more,
                paced: self.paced * more,
                relative: self.relative * more,
                flicker: self.flicker + seconds,
                hole: self.hole + seconds,
                shortest: self.shortest - seconds,
            }
        }
    }

    type Unit = [f64; 3];

    struct Ship {
        t: Vec<i64>,
        p: Vec<Unit>,
    }

    fn ship(track: &Track) -> Ship {
        let unit = |f: &alongside::model::Fix| {
            let ((sp, cp), (sl, cl)) = ((f64::from(f.lat_e7) * 1e-7).to_radians().sin_cos(), (f64::from(f.lon_e7) * 1e-7).to_radians().sin_cos());
            [cp * cl, cp * sl, sp]
        };
        Ship { t: track.fixes.iter().map(|f| f.t_ms / 1000).collect(), p: track.fixes.iter().map(unit).collect() }
    }

    fn minus(a: Unit, b: Unit) -> Unit {
        [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
    }

    fn norm(a: Unit) -> f64 {
        (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]).sqrt()
    }

    fn metres(a: Unit, b: Unit) -> f64 {
        2.0 * RADIUS_M * (norm(minus(a, b)) / 2.0).asin()
    }

    impl Ship {
        fn is_leg(&self, i: usize) -> bool {
            self.t[i + 1] - self.t[i] <= 3600
        }
        /// On the great circle of leg `i`.
        fn at(&self, i: usize, t: f64) -> Unit {
            let f = (t - self.t[i] as f64) / (self.t[i + 1] - self.t[i]) as f64;
            let q = [0, 1, 2].map(|k| self.p[i][k] * (1.0 - f) + self.p[i + 1][k] * f);
            q.map(|v| v / norm(q))
        }
        /// Anywhere on the stretch without holes that leg `i` is part of.
        fn on_stretch(&self, i: usize, t: f64) -> Unit {
            let mut k = i;
            while t < self.t[k] as f64 && k > 0 && self.is_leg(k - 1) {
                k -= 1;
            }
            while t > self.t[k + 1] as f64 && k + 2 < self.t.len() && self.is_leg(k + 1) {
                k += 1;
            }
            self.at(k, t)
        }
        /// Ten minutes to either side of a moment on leg `i`, as far as there is no hole.
        fn about(&self, i: usize, middle: f64) -> (f64, f64) {
            let (mut first, mut last) = (i, i + 1);
            while first > 0 && self.is_leg(first - 1) {
                first -= 1;
            }
            while last + 1 < self.t.len() && self.is_leg(last) {
                last += 1;
            }
            ((middle - 600.0).max(self.t[first] as f64), (middle + 600.0).min(self.t[last] as f64))
        }
        fn knots(&self, i: usize) -> f64 {
            let (from, to) = self.about(i, (self.t[i] + self.t[i + 1]) as f64 / 2.0);
            metres(self.on_stretch(i, from), self.on_stretch(i, to)) / (to - from) * 3600.0 / 1852.0
        }
        /// The legs that hold a moment: none, one, or the two that meet there.
        fn legs(&self, t: i64) -> impl Iterator<Item = usize> {
            let k = self.t.partition_point(|x| *x < t);
            let range = k.saturating_sub(1)..(k + 1).min(self.t.len() - 1);
            range.filter(move |&i| self.is_leg(i) && (self.t[i]..=self.t[i + 1]).contains(&t))
        }
    }

    /// What does not depend on the thresholds: of every tick the separation, and the speeds of every pair of legs there.
    pub struct Pair {
        ticks: Vec<(i64, Vec<Moment>)>,
    }

    /// Metres apart, the faster of the two in knots, knots relative to one another.
    type Moment = (f64, f64, f64);

    pub fn pair(a: &Track, b: &Track) -> Pair {
        let (a, b) = (ship(a), ship(b));
        let speeds = |s: &Ship| (0..s.t.len() - 1).map(|i| if s.is_leg(i) { s.knots(i) } else { f64::INFINITY }).collect::<Vec<_>>();
        let (ka, kb) = (speeds(&a), speeds(&b));
        let mut relative = std::collections::HashMap::new();
        let from = a.t[0].max(b.t[0]);
        let to = a.t[a.t.len() - 1].min(b.t[b.t.len() - 1]);
        let mut ticks = Vec::new();
        let mut t = from + (TICK_S - from.rem_euclid(TICK_S)) % TICK_S;
        while t <= to {
            let mut here = Vec::new();
            for i in a.legs(t) {
                for j in b.legs(t) {
                    if a.t[i].max(b.t[j]) >= a.t[i + 1].min(b.t[j + 1]) {
                        continue;
                    }
                    let apart = metres(a.at(i, t as f64), b.at(j, t as f64));
                    let r = *relative.entry((i, j)).or_insert_with(|| {
                        let middle = (a.t[i].max(b.t[j]) + a.t[i + 1].min(b.t[j + 1])) as f64 / 2.0;
                        let ((a0, a1), (b0, b1)) = (a.about(i, middle), b.about(j, middle));
                        let (from, to) = (a0.max(b0), a1.min(b1));
                        if to <= from {
                            return f64::INFINITY;
                        }
                        let way = |s: &Ship, k: usize| minus(s.on_stretch(k, to), s.on_stretch(k, from));
                        norm(minus(way(&a, i), way(&b, j))) * RADIUS_M / (to - from) * 3600.0 / 1852.0
                    });
                    here.push((apart, ka[i].max(kb[j]), r));
                }
            }
            ticks.push((t, here));
            t += TICK_S;
        }
        Pair { ticks }
    }

    impl Pair {
        /// Start and end of every rendezvous, in seconds.
        pub fn events(&self, rules: &Rules) -> Vec<(i64, i64)> {
            let mut out = Vec::new();
            // First and last entering moment so far, and the last qualifying one.
            let mut current: Option<(Option<(i64, i64)>, i64)> = None;
            let (mut seen, mut far) = (0, 0.0f64);
            let mut close = |meeting: Option<(Option<(i64, i64)>, i64)>| {
                if let Some((Some((start, end)), _)) = meeting
                    && end - start >= rules.shortest
                {
                    out.push((start, end));
                }
            };
            for (t, here) in &self.ticks {
                let fits = |h: &&Moment| h.0 <= rules.leave && (h.1 <= rules.drift || (h.1 <= rules.paced && h.2 <= rules.relative));
                if let Some(h) = here.iter().filter(fits).min_by(|x, y| x.0.total_cmp(&y.0)) {
                    let goes_on = |m: &(Option<(i64, i64)>, i64)| t - m.1 <= rules.hole.max(TICK_S) && seen <= rules.flicker && far <= rules.flicker_m;
                    if !current.as_ref().is_some_and(goes_on) {
                        close(current.take());
                    }
                    let meeting = current.get_or_insert((None, *t));
                    meeting.1 = *t;
                    if h.0 <= rules.enter {
                        meeting.0 = Some((meeting.0.map_or(*t, |e| e.0), *t));
                    }
                    (seen, far) = (0, 0.0);
                } else if !here.is_empty() {
                    seen += TICK_S;
                    far = here.iter().map(|h| h.0).fold(far, f64::max);
                }
            }
            close(current);
            out
        }
    }
}

// Ship groups, drawn at random.

/// How a ship's reports come: every so many seconds, all at the same moments, or as they like.
#[derive(Clone, Debug)]
pub enum Cadence {
    Even(i64),
    Wild(Vec<i64>),
}

fn cadence() -> impl Strategy<Value = Cadence> {
    let step = prop_oneof![16 => 2..60i64, 12 => 60..180i64, 2 => 300..600i64, 2 => 700..800i64, 2 => 2000..2600i64, 2 => 2900..3500i64, 1 => 7000..12_000i64];
    prop_oneof![Just(Cadence::Even(120)), Just(Cadence::Even(300)), vec(step, 20..60).prop_map(Cadence::Wild)]
}

/// A group about a place: a leader that sails by legs of (minutes, knots, course), the others by (minutes, metres, bearing) from it,
/// taking the last tenth of every stretch to change over.
#[derive(Clone, Debug)]
pub struct Group {
    chart: usize,
    leader: Vec<(i64, f64, f64)>,
    others: Vec<Vec<(i64, f64, f64)>>,
    cadences: Vec<Cadence>,
    hours: i64,
}

pub fn group(hours: i64) -> impl Strategy<Value = Group> {
    let knots = prop_oneof![4 => Just(0.0), 2 => 0.1..1.5f64, 2 => 2.5..5.5f64, 1 => 8.0..12.0f64];
    let leader = vec((30..400i64, knots, 0.0..360.0f64), 3..8);
    let metres = prop_oneof![3 => 20.0..300.0f64, 2 => 300.0..700.0f64, 2 => 700.0..1700.0f64, 2 => 1700.0..9000.0f64];
    let other = vec((15..300i64, metres, 0.0..360.0f64), 3..10);
    (0..CHARTS.len(), leader, vec(other, 1..4), vec(cadence(), 4)).prop_map(move |(chart, leader, others, cadences)| Group {
        chart,
        leader,
        others,
        cadences,
        hours,
    })
}

impl Group {
    fn leader_at(&self, minute: f64) -> (f64, f64) {
        let (mut east, mut north, mut left) = (0.0, 0.0, minute);
        for &(minutes, knots, course) in self.leader.iter().cycle() {
            let m = left.min(minutes as f64);
            let way = knots * 1852.0 / 60.0 * m;
            east += way * course.to_radians().sin();
            north += way * course.to_radians().cos();
            left -= m;
            if left <= 0.0 {
                // A leader that would leave the chart comes round again.
                return (20_000.0 * (east / 20_000.0).sin(), 20_000.0 * (north / 20_000.0).sin());
            }
        }
        (east, north)
    }
    fn offset_at(list: &[(i64, f64, f64)], minute: f64) -> (f64, f64) {
        let place = |k: usize| {
            let (_, metres, bearing) = list[k % list.len()];
            (metres * bearing.to_radians().sin(), metres * bearing.to_radians().cos())
        };
        let (mut k, mut left) = (0, minute);
        loop {
            let minutes = list[k % list.len()].0 as f64;
            if left <= minutes {
                let f = ((left / minutes - 0.9) * 10.0).max(0.0);
                let (a, b) = (place(k), place(k + 1));
                return (a.0 + (b.0 - a.0) * f, a.1 + (b.1 - a.1) * f);
            }
            left -= minutes;
            k += 1;
        }
    }
    /// Fixes at multiples of five seconds, where the oracle looks.
    pub fn tracks(&self) -> Vec<Track> {
        let n = 1 + self.others.len();
        let end = self.hours * 3600;
        (0..n)
            .map(|k| {
                let mut fixes = Vec::new();
                let (mut t, mut step) = (0, 0);
                while t <= end {
                    let minute = t as f64 / 60.0;
                    let (mut east, mut north) = self.leader_at(minute);
                    if k > 0 {
                        let offset = Self::offset_at(&self.others[k - 1], minute);
                        (east, north) = (east + offset.0, north + offset.1);
                    }
                    fixes.push(fix(START_MS + t * 1000, CHARTS[self.chart].at(east, north)));
                    t += match &self.cadences[k % self.cadences.len()] {
                        Cadence::Even(seconds) => *seconds,
                        Cadence::Wild(steps) => steps[step % steps.len()] * 5,
                    };
                    step += 1;
                }
                track(366_000_000 + k as u32 * 17, fixes)
            })
            .collect()
    }
}

fn times(found: &[RendezvousFacts], a: &Track, b: &Track) -> Vec<(i64, i64)> {
    found.iter().filter(|m| m.tracks == [a.id, b.id]).map(|m| (m.start_ms, m.end_ms)).collect()
}

/// Times agree within this: two ticks, for a tick is lost at the most at each side.
const TOLERANCE_MS: i64 = 2 * oracle::TICK_S * 1000;

/// The same meetings as the oracle, wherever the oracle's answer does not hang on one per cent of a distance or speed or on half a
/// minute: there easing all rules, or hardening them, leaves as many meetings, and every start and end lies between the two answers.
#[test]
fn meetings_are_those_of_the_oracle() {
    let (pairs, close_calls, events, sharp, quiet, edges) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    for_all(256, &group(14), |group| {
        let tracks = group.tracks();
        let found = meetings(&tracks, &Params::default());
        for (i, a) in tracks.iter().enumerate() {
            for b in &tracks[i + 1..] {
                let pair = oracle::pair(a, b);
                let expected = pair.events(&oracle::RULES);
                let (easy, hard) = (pair.events(&oracle::RULES.eased(1.0)), pair.events(&oracle::RULES.eased(-1.0)));
                pairs.set(pairs.get() + 1);
                let same = |x: &(i64, i64), y: &(i64, i64)| (x.0 - y.0).abs() <= 900 && (x.1 - y.1).abs() <= 900;
                if easy.len() != hard.len() || easy.len() != expected.len() || !easy.iter().zip(&hard).all(|(x, y)| same(x, y)) {
                    close_calls.set(close_calls.get() + 1);
                    continue;
                }
                let ours = times(&found, a, b);
                prop_assert_eq!(ours.len(), expected.len(), "{:?} instead of {:?}", ours, expected);
                for (k, (start, end)) in ours.iter().enumerate() {
                    let start_within = easy[k].0 * 1000 - TOLERANCE_MS..=hard[k].0 * 1000 + TOLERANCE_MS;
                    let end_within = hard[k].1 * 1000 - TOLERANCE_MS..=easy[k].1 * 1000 + TOLERANCE_MS;
                    prop_assert!(start_within.contains(start) && end_within.contains(end), "{:?} instead of {:?}", ours[k], expected[k]);
                    let width = (hard[k].0 - easy[k].0).max(easy[k].1 - hard[k].1);
                    sharp.set(sharp.get() + usize::from(width <= 30));
                }
                events.set(events.get() + expected.len());
                quiet.set(quiet.get() + usize::from(expected.is_empty()));
                edges.set(edges.get() + if group.chart > 1 { expected.len() } else { 0 });
            }
        }
        Ok(())
    });
    let (pairs, close_calls, events, sharp) = (pairs.get(), close_calls.get(), events.get(), sharp.get());
    assert!(close_calls * 5 < pairs, "{close_calls} of {pairs} pairs hang on a threshold");
    assert!(sharp * 2 > events, "of {events} meetings only {sharp} have both ends known to half a minute");
    assert!(events > 300 && quiet.get() > 100 && edges.get() > 200, "{events} meetings, {quiet:?} pairs without, {edges:?} at the edges");
}

// The same seen another way.

/// Everything of a meeting but where and under which number.
fn close_to(x: &RendezvousFacts, y: &RendezvousFacts) -> bool {
    let near = |a: f64, b: f64, by: f64| (a - b).abs() <= by;
    let near_option = |a: Option<f64>, b: Option<f64>, by: f64| match (a, b) {
        (Some(a), Some(b)) => near(a, b, by),
        (a, b) => a == b,
    };
    // A value on the border of a bin may fall to either side: one bin of 5 m, 0.1 kn.
    (x.start_ms - y.start_ms).abs() <= 5
        && (x.end_ms - y.end_ms).abs() <= 5
        && (x.observed_ms - y.observed_ms).abs() <= 20
        && x.open == y.open
        && near(x.median_m, y.median_m, 5.0)
        && near(x.p10_m, y.p10_m, 5.0)
        && near(x.p90_m, y.p90_m, 5.0)
        && near(x.min_m, y.min_m, 0.1)
        && (0..2).all(|k| near(x.speed_kn[k], y.speed_kn[k], 0.1) && near(x.scatter_m[k], y.scatter_m[k], 0.1))
        && near(x.relative_kn, y.relative_kn, 0.1)
        && near_option(x.moved_as_one, y.moved_as_one, 0.01)
        && near(x.relative_scatter_m, y.relative_scatter_m, 0.1)
        && x.fixes == y.fixes
}

fn compare(x: &[RendezvousFacts], y: &[RendezvousFacts], same: impl Fn(&RendezvousFacts, &RendezvousFacts) -> bool) -> TestCaseResult {
    prop_assert_eq!(x.len(), y.len());
    for (x, y) in x.iter().zip(y) {
        prop_assert!(same(x, y), "{:#?}\n{:#?}", x, y);
    }
    Ok(())
}

/// Changes every fix; the track keeps its name unless told otherwise.
fn changed(tracks: &[Track], change: impl Fn(&Fix) -> Fix) -> Vec<Track> {
    tracks.iter().map(|t| Track { fixes: t.fixes.iter().map(&change).collect(), ..t.clone() }).collect()
}

/// Checks a change of the world on random groups, and that there were meetings to check it on.
fn metamorphic(cases: u32, hours: i64, check: impl Fn(&Group, &[Track], &[RendezvousFacts]) -> TestCaseResult) {
    let events = Cell::new(0);
    for_all(cases, &group(hours), |group| {
        let tracks = group.tracks();
        let found = meetings(&tracks, &Params::default());
        events.set(events.get() + found.len());
        check(&group, &tracks, &found)
    });
    assert!(events.get() > cases as usize / 2, "{events:?} meetings in {cases} groups");
}

#[test]
fn turning_the_globe_moves_no_meeting() {
    metamorphic(96, 14, |_, tracks, found| {
        for shift in [371_234_567i64, 1_800_000_000, 3_599_999_999] {
            let turned = changed(tracks, |f| {
                let lon = (i64::from(f.lon_e7) + shift + 1_800_000_000).rem_euclid(3_600_000_000) - 1_800_000_000;
                Fix { lon_e7: lon as i32, ..*f }
            });
            compare(found, &meetings(&turned, &Params::default()), close_to)?;
        }
        Ok(())
    });
}

#[test]
fn the_southern_hemisphere_is_like_the_northern() {
    metamorphic(64, 14, |_, tracks, found| compare(found, &meetings(&changed(tracks, |f| Fix { lat_e7: -f.lat_e7, ..*f }), &Params::default()), close_to));
}

#[test]
fn whole_days_later_everything_is_the_same_but_the_times() {
    metamorphic(64, 14, |_, tracks, found| {
        for days in [-20_000, -1, 1, 366] {
            let later = meetings(&changed(tracks, |f| Fix { t_ms: f.t_ms + days * DAY_MS, ..*f }), &Params::default());
            let back: Vec<_> =
                later.into_iter().map(|m| RendezvousFacts { start_ms: m.start_ms - days * DAY_MS, end_ms: m.end_ms - days * DAY_MS, ..m }).collect();
            compare(found, &back, |x, y| x == y)?;
        }
        Ok(())
    });
}

#[test]
fn swapping_the_numbers_swaps_the_ships_and_nothing_else() {
    metamorphic(64, 14, |_, tracks, found| {
        let mut renamed = tracks.to_vec();
        let mmsis: Vec<Mmsi> = tracks.iter().rev().map(|t| t.mmsi).collect();
        renamed.iter_mut().zip(&mmsis).for_each(|(t, m)| t.mmsi = *m);
        let mut swapped: Vec<RendezvousFacts> = meetings(&renamed, &Params::default())
            .into_iter()
            .map(|mut m| {
                prop_assert!(m.mmsis[0] < m.mmsis[1], "the lower number first");
                m.tracks.swap(0, 1);
                for pair in [&mut m.speed_kn, &mut m.scatter_m] {
                    pair.swap(0, 1);
                }
                m.fixes.swap(0, 1);
                m.start_e7.swap(0, 1);
                m.end_e7.swap(0, 1);
                Ok(m)
            })
            .collect::<Result<_, TestCaseError>>()?;
        let order = |m: &RendezvousFacts| (m.start_ms, m.tracks);
        let mut found = found.to_vec();
        found.sort_by_key(order);
        swapped.sort_by_key(order);
        compare(&found, &swapped, |x, y| {
            (x.start_ms, x.end_ms, x.tracks, x.start_e7, x.end_e7, x.observed_ms) == (y.start_ms, y.end_ms, y.tracks, y.start_e7, y.end_e7, y.observed_ms)
                && (x.median_m, x.min_m, x.speed_kn, x.relative_kn) == (y.median_m, y.min_m, y.speed_kn, y.relative_kn)
                && close_to(x, y)
        })
    });
}

/// Fixes at the same moments, and a leg on which one ship still drifts touching one on which the other already does: that moment was
/// once part of the meeting, or not, by the order of the numbers.
#[test]
fn legs_that_touch_in_one_moment_have_no_time_in_common() {
    let leader = vec![(62, 0.0, 0.0), (30, 4.7065, 282.1875), (30, 0.0, 0.0)];
    let other = vec![(51, 4986.0234, 240.3127), (87, 275.3281, 148.74), (104, 20.0, 0.0)];
    let group = Group { chart: 0, leader, others: vec![other], cadences: vec![Cadence::Even(120)], hours: 14 };
    let tracks = group.tracks();
    let mut swapped = tracks.clone();
    (swapped[0].mmsi, swapped[1].mmsi) = (tracks[1].mmsi, tracks[0].mmsi);
    let times = |t: &[Track]| meetings(t, &Params::default()).iter().map(|m| (m.start_ms, m.end_ms)).collect::<Vec<_>>();
    assert_eq!(times(&tracks), times(&swapped));
    assert_eq!(times(&tracks)[0].0, START_MS + 62 * MINUTE_MS);
}

#[test]
fn time_run_backwards_mirrors_every_meeting() {
    let mirror = 2 * START_MS + 20 * HOUR_MS;
    metamorphic(96, 14, |_, tracks, found| {
        let mut reversed = changed(tracks, |f| Fix { t_ms: mirror - f.t_ms, ..*f });
        reversed.iter_mut().for_each(|t| t.fixes.reverse());
        let mut back: Vec<_> = meetings(&reversed, &Params::default())
            .into_iter()
            .map(|m| RendezvousFacts { start_ms: mirror - m.end_ms, end_ms: mirror - m.start_ms, start_e7: m.end_e7, end_e7: m.start_e7, ..m })
            .collect();
        back.sort_by_key(|m| (m.start_ms, m.mmsis, m.tracks));
        let loose = |x: &RendezvousFacts, y: &RendezvousFacts| {
            let near = |a: (i32, i32), b: (i32, i32)| geodesy::distance_m(a, b) < 0.5;
            close_to(x, y) && (0..2).all(|k| near(x.start_e7[k], y.start_e7[k]) && near(x.end_e7[k], y.end_e7[k]))
        };
        compare(found, &back, loose)
    });
}

#[test]
fn every_index_gives_the_same_meetings() {
    metamorphic(64, 14, |_, tracks, _| {
        let of = |index| {
            let mut found = search(tracks, &Params::default(), index, START_MS + 5 * DAY_MS).ended;
            found.sort_by_key(|m| (m.start_ms, m.tracks));
            found
        };
        let rstar = of(IndexKind::Rstar);
        compare(&rstar, &of(IndexKind::Sif), |x, y| x == y)?;
        compare(&rstar, &of(IndexKind::Grid), |x, y| x == y)?;
        compare(&rstar, &of(IndexKind::Brute), |x, y| x == y)
    });
}

#[test]
fn a_third_ship_changes_nothing_between_two_others() {
    metamorphic(64, 14, |_, tracks, found| {
        for k in 0..tracks.len() {
            let mut fewer = tracks.to_vec();
            let gone = fewer.remove(k).id;
            let left: Vec<_> = found.iter().filter(|m| !m.tracks.contains(&gone)).cloned().collect();
            compare(&left, &meetings(&fewer, &Params::default()), |x, y| x == y)?;
        }
        Ok(())
    });
}

/// One step over a window of time, with legs made for that window or another.
fn step(tracks: &[Track], (window, end): ((i64, i64), WindowEnd), legs_for: (i64, i64), alive: BTreeMap<Pair, Meeting>) -> Found {
    let params = Params::default();
    let made = |(k, track)| motion::legs_and_runs(k as u32, track, legs_for, &params);
    let (legs, runs): (Vec<_>, Vec<_>) = tracks.iter().enumerate().map(made).unzip();
    let step = Step { window, end, params: &params, index: IndexKind::Rstar, now_us: &|| 0 };
    meeting::find(tracks, &legs, &runs.concat(), alive, &step)
}

#[test]
fn legs_about_a_window_say_what_all_legs_say() {
    let (carried, spared) = (Cell::new(0), Cell::new(0));
    metamorphic(96, 14, |group, tracks, _| {
        // Not at a fix, nor at a moment of sampling; the last window holds no fix of some ships.
        let frontier = |hour: i64| START_MS + hour * HOUR_MS + group.others.len() as i64 * 61_234;
        let windows = [(frontier(-1), frontier(5)), (frontier(5), frontier(9)), (frontier(9), frontier(13))];
        let mut alive = [BTreeMap::new(), BTreeMap::new()];
        for (k, window) in windows.into_iter().enumerate() {
            let end = if k == 2 { WindowEnd::DataEnd } else { WindowEnd::Frontier };
            let all = step(tracks, (window, end), motion::ALWAYS, std::mem::take(&mut alive[0]));
            let near = step(tracks, (window, end), window, std::mem::take(&mut alive[1]));
            compare(&all.ended, &near.ended, |x, y| x == y)?;
            prop_assert_eq!(&all.alive, &near.alive);
            carried.set(carried.get() + all.alive.len());
            let parts = tracks.iter().map(|t| motion::fixes_for(&t.fixes, window, &Params::default()));
            spared.set(spared.get() + parts.zip(tracks).filter(|(part, t)| part.len() < t.fixes.len() / 2).count());
            alive = [all.alive, near.alive];
        }
        Ok(())
    });
    assert!(carried.get() > 40 && spared.get() > 200, "{carried:?} meetings over a frontier, {spared:?} tracks of which less than half was looked at");
}

#[test]
fn the_order_of_the_tracks_changes_nothing() {
    metamorphic(64, 14, |_, tracks, found| {
        let mut other = tracks.to_vec();
        other.reverse();
        compare(found, &meetings(&other, &Params::default()), |x, y| x == y)
    });
}

#[test]
fn an_easier_rule_keeps_every_meeting_inside_a_meeting() {
    type Ease = fn(&mut Params);
    let easier: [(&str, Ease); 9] = [
        ("enter_m", |p| p.rendezvous.enter_m = Metres::of(600.0)),
        ("enter_m beyond leave_m", |p| p.rendezvous.enter_m = Metres::of(900.0)),
        ("leave_m", |p| p.rendezvous.leave_m = Metres::of(1000.0)),
        ("drift_speed_kn", |p| p.rendezvous.drift_speed_kn = Knots::of(3.0)),
        ("paced_speed_kn", |p| p.rendezvous.paced_speed_kn = Knots::of(8.0)),
        ("paced_relative_kn", |p| p.rendezvous.paced_relative_kn = Knots::of(1.0)),
        ("flicker_min", |p| p.rendezvous.flicker_min = Minutes::of(40.0)),
        ("flicker_m", |p| p.rendezvous.flicker_m = Metres::of(2500.0)),
        ("hole_h", |p| p.rendezvous.hole_h = Hours::of(6.0)),
    ];
    let more = Cell::new(0);
    metamorphic(64, 14, |_, tracks, found| {
        let shorter = Params {
            rendezvous: alongside::model::params::RendezvousParams { min_duration_min: Minutes::of(30.0), ..Default::default() },
            ..Params::default()
        };
        let kept = meetings(tracks, &shorter);
        prop_assert!(found.iter().all(|m| kept.contains(m)), "min_duration_min only adds");
        for (key, ease) in easier {
            let mut params = Params::default();
            ease(&mut params);
            let eased = meetings(tracks, &params);
            for m in found {
                let holds = |e: &&RendezvousFacts| e.tracks == m.tracks && e.start_ms <= m.start_ms && m.end_ms <= e.end_ms;
                prop_assert!(eased.iter().any(|e| holds(&e)), "{} eased loses {:?}", key, m);
            }
            let time = |list: &[RendezvousFacts]| list.iter().map(|m| m.end_ms - m.start_ms).sum::<i64>();
            more.set(more.get() + u32::from(time(&eased) > time(found)));
        }
        Ok(())
    });
    assert!(more.get() > 50, "easing did something {more:?} times");
}

/// Splitting a leg where the ship sailed it changes nothing but the count of fixes: the speeds here are far from every threshold.
#[test]
fn fixes_on_the_way_change_nothing() {
    let events = Cell::new(0);
    let steps = (0..CHARTS.len(), vec((0..5usize, 60..200i64), 3..8), 1..4i64);
    for_all(48, &steps, |(chart, stays, dense)| {
        // Apart by turns; all changes at 0.9 kn, so that both ships drift throughout.
        let rule = |minute: f64| {
            let (mut left, mut east) = (minute, 0.0);
            for &(k, minutes) in stays.iter().cycle() {
                let to = [100.0, 300.0, 650.0, 1000.0, 1700.0][k];
                let changing = f64::abs(to - east) / (0.9 * 1852.0 / 60.0);
                if left < changing {
                    return (east + (to - east) * left / changing, 0.0, None);
                }
                left -= changing;
                if left < minutes as f64 {
                    return (to, 0.0, None);
                }
                (east, left) = (to, left - minutes as f64);
            }
            unreachable!()
        };
        let still = sail(CHARTS[chart], 366_000_001, (0..=1200).step_by(10), |_| (0.0, 0.0, None));
        let coarse = sail(CHARTS[chart], 636_000_001, (0..=1200).step_by(10), rule);
        // New fixes on the straight line between the old ones, at the ship's place and time.
        let mut fixes = Vec::new();
        for pair in coarse.fixes.windows(2) {
            for k in 0..=dense {
                let f = k as f64 / (dense + 1) as f64;
                let (p, q) = (geodesy::point(pair[0].lat_e7, pair[0].lon_e7), geodesy::point(pair[1].lat_e7, pair[1].lon_e7));
                let t = pair[0].t_ms + (f * (pair[1].t_ms - pair[0].t_ms) as f64) as i64;
                fixes.push(if k == 0 { pair[0] } else { fix(t, geodesy::position_e7(geodesy::lerp(p, q, f))) });
            }
        }
        fixes.extend(coarse.fixes.last());
        let fine = Track { fixes, ..coarse.clone() };
        let before = meetings(&[still.clone(), coarse], &Params::default());
        let after = meetings(&[still, fine], &Params::default());
        events.set(events.get() + before.len());
        compare(&before, &after, |x, y| {
            // Positions are whole centimetres: at 0.9 kn that is 25 ms.
            (x.start_ms - y.start_ms).abs() <= 60 && (x.end_ms - y.end_ms).abs() <= 60 && (x.median_m - y.median_m).abs() <= 5.0 && y.fixes[1] >= x.fixes[1]
        })
    });
    assert!(events.get() > 48, "{events:?} meetings");
}

// The closed form.

#[test]
fn entry_and_exit_are_those_of_bisection() {
    let axis = || -3000.0..3000.0f64;
    let (some, none, whole) = (Cell::new(0), Cell::new(0), Cell::new(0));
    for_all(2048, &([axis(), axis(), axis()], [axis(), axis(), axis()], 1.0..3000.0f64, any::<bool>()), |(begin, end, d, tiny)| {
        let end = if tiny { [0, 1, 2].map(|k| begin[k] + end[k] * 1e-4) } else { end };
        let way = geodesy::sub(end, begin);
        let apart = |s: f64| {
            let r = geodesy::lerp(begin, end, s);
            geodesy::dot(r, r).sqrt()
        };
        // The nearest moment by ternary search, then bisection to either side of it.
        let (mut lo, mut hi) = (0.0, 1.0);
        for _ in 0..200 {
            let (x, y) = (lo + (hi - lo) / 3.0, hi - (hi - lo) / 3.0);
            if apart(x) <= apart(y) { hi = y } else { lo = x }
        }
        let nearest = (lo + hi) / 2.0;
        // A graze within a tenth of a millimetre is anyone's.
        if (apart(nearest) - d).abs() < 1e-4 {
            return Ok(());
        }
        let edge = |outside: f64| {
            if apart(outside) <= d {
                return outside;
            }
            let (mut inside, mut outside) = (nearest, outside);
            for _ in 0..100 {
                let middle = (inside + outside) / 2.0;
                if apart(middle) <= d { inside = middle } else { outside = middle }
            }
            inside
        };
        let expected = (apart(nearest) <= d).then(|| (edge(0.0), edge(1.0)));
        match (pairs::within(begin, way, d), expected) {
            (None, None) => none.set(none.get() + 1),
            (Some(x), Some(y)) => {
                // Judged in metres, since a slow ship has ill-defined moments.
                let off = |a: f64, b: f64| (apart(a) - apart(b)).abs();
                prop_assert!(off(x.0, y.0) < 1e-4 && off(x.1, y.1) < 1e-4, "{x:?} {y:?}");
                prop_assert!((0.0..=1.0).contains(&x.0) && x.0 <= x.1 && x.1 <= 1.0);
                some.set(some.get() + 1);
                whole.set(whole.get() + i32::from(y == (0.0, 1.0)));
            }
            (x, y) => prop_assert!(false, "{x:?} {y:?}"),
        }
        Ok(())
    });
    assert!(some.get() > 200 && none.get() > 200 && whole.get() > 50, "{some:?} {none:?} {whole:?}");
}

/// A ship passes at 1 kn on a straight line 300 m off: she enters 400 m before abeam (500 m away) and leaves 400 m after.
#[test]
fn entry_and_exit_do_not_wait_for_a_fix() {
    let metres_a_minute = 1852.0 / 60.0;
    for chart in CHARTS {
        let still = sail(chart, 366_000_001, (0..=600).step_by(7), |_| (0.0, 0.0, None));
        let passer = sail(chart, 636_000_001, (0..=600).step_by(11), |m| ((m - 300.0) * metres_a_minute / 4.0, 300.0, None));
        let found = meetings(&[still, passer], &Params::default());
        let away = 400.0 / metres_a_minute * 4.0 * MINUTE_MS as f64;
        assert_eq!(found.len(), 1);
        for (t, expected) in [(found[0].start_ms, -away), (found[0].end_ms, away)] {
            let off = (t - START_MS) as f64 - 300.0 * MINUTE_MS as f64 - expected;
            assert!(off.abs() < 200.0, "{chart:?}: {off} ms off");
        }
    }
}

// Drawn: six minutes a character; see `drawn`. Expected: from and to as characters, and the hours observed.

const STEP_MIN: i64 = 6;

/// Checks the meetings of a drawing that is apart at both ends: `(first, last)` are the characters between which she was near.
fn check(drawing: &str, expected: &[(usize, usize, f64)]) {
    let found = meetings(&drawn(START_MS, STEP_MIN, drawing), &Params::default());
    let shown: Vec<_> =
        found.iter().map(|m| ((m.start_ms - START_MS) / MINUTE_MS, (m.end_ms - START_MS) / MINUTE_MS, m.observed_ms as f64 / HOUR_MS as f64)).collect();
    assert_eq!(found.len(), expected.len(), "{drawing}: {shown:?}");
    for (m, &(first, last, observed_h)) in found.iter().zip(expected) {
        let minute = |c: usize| START_MS + c as i64 * STEP_MIN * MINUTE_MS;
        // Within a character: distances change between two of them.
        assert!((minute(first) - STEP_MIN * MINUTE_MS..=minute(first)).contains(&m.start_ms), "{drawing}: {shown:?}");
        assert!((minute(last)..=minute(last) + STEP_MIN * MINUTE_MS).contains(&m.end_ms), "{drawing}: {shown:?}");
        assert!((m.observed_ms as f64 / HOUR_MS as f64 - observed_h).abs() <= 0.25, "{drawing}: {shown:?}");
        assert!(!m.open);
    }
}

fn times_of(c: &str, n: usize) -> String {
    c.repeat(n)
}

#[test]
fn an_hour_together_is_a_meeting_and_less_is_none() {
    check("~~~###########~~~", &[(3, 13, 1.0)]);
    check("~~~#########~~~", &[]);
}

#[test]
fn hysteresis_holds_a_meeting_and_does_not_begin_one() {
    check("~~~oooooooooooooooo~~~", &[]);
    check("~~ooo######oooo######ooo~~", &[(5, 20, 1.6)]);
}

/// B6: one sample at 0.62 km, or a kilometre, inside four hours does not cut a meeting in two.
#[test]
fn b06_one_flicker_is_bridged() {
    let half = times_of("#", 20);
    check(&format!("~~~{half}o{half}~~~"), &[(3, 43, 4.1)]);
    check(&format!("~~~{half}~{half}~~~"), &[(3, 43, 4.0)]);
    check(&format!("~~~{half}~~{half}~~~"), &[(3, 44, 4.0)]);
    // Each half alone would be too short.
    check("~~~######~~######~~~", &[(3, 16, 1.1)]);
}

#[test]
fn a_flicker_too_long_or_too_far_cuts() {
    let half = times_of("#", 20);
    check(&format!("~~~{half}~~~~~~{half}~~~"), &[(3, 22, 1.9), (29, 48, 1.9)]);
    let far = times_of("#", 24);
    // Three kilometres in six minutes and back: far beyond 1.5 km. A ship that makes for it is under way ten minutes before, too.
    let found = meetings(&drawn(START_MS, STEP_MIN, &format!("~~~{far}.{far}~~~")), &Params::default());
    assert_eq!(found.len(), 2);
}

#[test]
fn a_hole_joins_up_to_four_hours_and_is_not_observed() {
    let piece = times_of("#", 11);
    for silent in ["?", "!", " "] {
        // 38 missing reports of 6 min are a hole of 3.9 h, 40 are one of 4.1 h.
        let hole = times_of(silent, 38);
        check(&format!("~~~{piece}{hole}{piece}~~~"), &[(3, 62, 2.1)]);
        let hole = times_of(silent, 40);
        check(&format!("~~~{piece}{hole}{piece}~~~"), &[(3, 13, 1.0), (54, 64, 1.0)]);
    }
    // Seen apart for a while before the silence: not the same meeting, and both too short.
    check("~~~#######~~~~~~~????????~~~~#######~~~", &[]);
}

#[test]
fn legs_up_to_an_hour_count_as_presence_but_only_half_an_hour_as_observed() {
    let piece = times_of("#", 11);
    check(&format!("~~~{piece}????{piece}~~~"), &[(3, 28, 2.6)]);
    check(&format!("~~~{piece}???????{piece}~~~"), &[(3, 31, 2.1)]);
    check(&format!("~~~{piece}????????????{piece}~~~"), &[(3, 36, 2.1)]);
}

/// B4: the silent ship first or second, the answer is the same, and a silence of ten hours is never bridged.
#[test]
fn b04_a_silence_is_bridged_alike_from_both_sides() {
    let (two, ten) = (times_of("#", 20), times_of("?", 100));
    let drawing = format!("~~{two}{ten}{two}~~");
    check(&drawing, &[(2, 21, 1.9), (122, 141, 1.9)]);
    check(&drawing.replace('?', "!"), &[(2, 21, 1.9), (122, 141, 1.9)]);
}

/// B7: tracks that begin and end beside one another give a meeting from the first fix to the last, and not an hour more.
#[test]
fn b07_nothing_is_drawn_out_beyond_the_last_fix() {
    let found = meetings(&drawn(START_MS, STEP_MIN, &times_of("#", 31)), &Params::default());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].start_ms, found[0].end_ms), (START_MS, START_MS + 3 * HOUR_MS));
    assert_eq!(found[0].observed_ms, 3 * HOUR_MS);
}

/// B2, B9: fixes are counted that were sent between start and end: not samples, not both directions, none twice.
#[test]
fn b02_b09_counts_are_of_real_fixes() {
    for hole in ["", "?", "?????????????????"] {
        let pair = drawn(START_MS, STEP_MIN, &format!("~~#########{hole}ooo########~~"));
        let found = meetings(&pair, &Params::default());
        assert_eq!(found.len(), 1);
        let m = &found[0];
        for (k, track) in pair.iter().enumerate() {
            let inside = track.fixes.iter().filter(|f| (m.start_ms..=m.end_ms).contains(&f.t_ms)).count();
            // Inside a hole the other ship's fixes lie in no piece, so they may be left out; none may be added.
            let seen = if hole.len() > 9 && k == 0 { inside - hole.len() } else { inside };
            assert_eq!(m.fixes[k] as usize, seen, "ship {k}, hole of {}", hole.len());
        }
    }
}

/// B13: start and end positions are those of each ship herself, in the order of the numbers.
#[test]
fn b13_positions_are_kept_by_ship() {
    let a = sail(GULF, 366_000_001, (0..=180).step_by(5), |m| (m, 0.0, None));
    let b = sail(GULF, 636_000_001, (0..=180).step_by(5), |m| (m + 120.0, 50.0, None));
    for pair in [[a.clone(), b.clone()], [b.clone(), a.clone()]] {
        let m = &meetings(&pair, &Params::default())[0];
        let ends = |t: &Track| [t.fixes[0], t.fixes[t.fixes.len() - 1]].map(|f| (f.lat_e7, f.lon_e7));
        assert_eq!(m.mmsis, [a.mmsi, b.mmsi]);
        assert_eq!([m.start_e7[0], m.end_e7[0]], ends(&a));
        assert_eq!([m.start_e7[1], m.end_e7[1]], ends(&b));
    }
}

/// B5: between 179.95 and -179.95 a ship is at 180, not at 0.
#[test]
fn b05_the_way_across_180_is_the_short_one() {
    let at = |lon: f64| (100_000_000, (lon * 1e7).round() as i32);
    let minute = |m: i64| START_MS + m * MINUTE_MS;
    let ship = track(366_000_001, vec![fix(minute(15), at(179.95)), fix(minute(45), at(-179.95))]);
    let hours = coverage::vessel_hours(&ship, |_| AisClass::A, (START_MS, START_MS + DAY_MS), &Params::default());
    assert_eq!(hours.len(), 1);
    let (lat, lon) = hours[0].0;
    assert!(lat == 100 && (lon == -1800 || lon == 1799), "{:?}", hours[0]);
    // And a meeting there has its middle there.
    let line = Chart { lat: 10.0, lon: 180.0 };
    let a = sail(line, 366_000_001, (0..=300).step_by(10), |m| (m - 150.0, 0.0, None));
    let b = sail(line, 636_000_001, (0..=300).step_by(10), |m| (m, 0.0, None));
    let m = &meetings(&[a, b], &Params::default())[0];
    assert!((100.0..=155.0).contains(&m.median_m), "{}", m.median_m);
    assert!(geodesy::distance_m(m.mean_e7, line.at(75.0, 0.0)) < 5.0, "{:?}", m.mean_e7);
}

/// B10: sixty ships in one anchorage are 1,770 meetings.
#[test]
fn b10_no_pair_of_a_dense_anchorage_is_dropped() {
    let fleet: Vec<Track> = (0..60u32)
        .map(|k| sail(GULF, 366_000_000 + k, (0..=120).step_by(10), |m| (f64::from(k % 8) * 40.0 + m / 100.0, f64::from(k / 8) * 40.0, None)))
        .collect();
    for index in IndexKind::ALL {
        assert_eq!(search(&fleet, &Params::default(), index, START_MS + DAY_MS).ended.len(), 60 * 59 / 2);
    }
}

/// Few ships and times, so that the same ones meet again and again: counted one by one, exactly and up to a number.
#[test]
fn neighbours_are_those_counted_one_by_one() {
    let meeting = (0..7u64, 1..7u64, 0..20i64, 1..8i64, prop_oneof![0.0..100.0f64, 100.0..400.0f64]);
    let most = Cell::new(0);
    for_all(256, &(vec(meeting, 0..40), 1..8u32), |(drawn, enough)| {
        let lying = |&(a, step, start, hours, median_m): &(u64, u64, i64, i64, f64)| {
            let mut tracks = [TrackId(a), TrackId((a + step) % 7)];
            tracks.sort();
            Lying { tracks, start_ms: start, end_ms: start + hours, median_m }
        };
        let all: Vec<Lying> = drawn.iter().map(lying).collect();
        let by_hand = |m: &Lying| {
            let beside = |o: &&Lying| {
                let overlap = o.end_ms.min(m.end_ms) - o.start_ms.max(m.start_ms);
                o.tracks.iter().any(|t| m.tracks.contains(t)) && o.median_m <= (m.median_m * 1.5).max(150.0) && 2 * overlap > m.end_ms - m.start_ms
            };
            let others: BTreeSet<TrackId> = all.iter().filter(beside).flat_map(|o| o.tracks).filter(|t| !m.tracks.contains(t)).collect();
            others.len() as u32
        };
        let expected: Vec<u32> = all.iter().map(by_hand).collect();
        prop_assert_eq!(&meeting::neighbours(all.len(), |k| all[k], |_| u32::MAX), &expected);
        let up_to: Vec<u32> = expected.iter().map(|n| *n.min(&enough)).collect();
        prop_assert_eq!(meeting::neighbours(all.len(), |k| all[k], |_| enough), up_to);
        most.set(most.get().max(expected.into_iter().max().unwrap_or(0)));
        Ok(())
    });
    assert_eq!(most.get(), 5, "all the others");
}

/// Two ships by where they sail: knots of both, of the second relative to the first, for so many minutes each.
fn convoy(astern_m: f64, phases: &[(f64, f64)], minutes: i64) -> Vec<RendezvousFacts> {
    let way = |minute: f64, relative: bool| {
        let mut left = minute;
        let mut metres = 0.0;
        for &(knots, more) in phases {
            let m = left.min(minutes as f64);
            metres += m * (if relative { more } else { knots }) * 1852.0 / 60.0;
            left -= m;
        }
        metres
    };
    let span = 0..=minutes * phases.len() as i64;
    let a = sail(GULF, 366_000_001, span.clone().step_by(2), |m| (0.0, way(m, false), Some(0.0)));
    let b = sail(GULF, 636_000_001, span.step_by(2), |m| (80.0, way(m, false) + way(m, true) - astern_m, Some(0.0)));
    meetings(&[a, b], &Params::default())
}

/// ZENITH SPIRIT steams at 5 kn beside EAGLE TAMPA, then both drift: one meeting.
#[test]
fn steaming_in_step_then_drifting_is_one_meeting() {
    let found = convoy(0.0, &[(5.0, 0.0), (0.8, 0.0)], 120);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].start_ms, found[0].end_ms), (START_MS, START_MS + 4 * HOUR_MS));
    assert!(found[0].relative_kn < 0.15);
}

#[test]
fn a_fast_convoy_is_no_meeting() {
    assert!(convoy(0.0, &[(10.0, 0.0)], 240).is_empty());
    assert!(convoy(0.0, &[(6.2, 0.0)], 240).is_empty());
    assert_eq!(convoy(0.0, &[(5.8, 0.0)], 240).len(), 1);
    // One overtakes the other: an hour within 500 m, in step at 0.48 kn and not at 0.52.
    assert_eq!(convoy(600.0, &[(4.0, 0.48)], 100).len(), 1);
    assert!(convoy(600.0, &[(4.0, 0.52)], 100).is_empty());
}

/// Two ships by the place and heading of each at a minute, over six hours.
fn pair(first: impl Fn(f64) -> (f64, f64, f64), second: impl Fn(f64) -> (f64, f64, f64)) -> RendezvousFacts {
    let with = |rule: &dyn Fn(f64) -> (f64, f64, f64), m: f64| {
        let (east, north, heading) = rule(m);
        (east, north, Some(heading))
    };
    let a = sail(GULF, 366_000_001, (0..=360).step_by(3), |m| with(&first, m));
    let b = sail(GULF, 636_000_001, (0..=360).step_by(3), |m| with(&second, m));
    let found = meetings(&[a, b], &Params::default());
    assert_eq!(found.len(), 1);
    found[0].clone()
}

/// From a place, so many metres on a bearing.
fn off((east, north): (f64, f64), bearing: f64, metres: f64) -> (f64, f64) {
    (east + metres * bearing.to_radians().sin(), north + metres * bearing.to_radians().cos())
}

#[test]
fn made_fast_ships_that_turn_move_as_one() {
    // Drifting two kilometres and turning through 120 degrees, the second lies 60 m abeam.
    let heading = |m: f64| m / 3.0;
    let middle = |m: f64| (m * 5.0, -m * 2.0);
    let m = pair(
        |m| (middle(m).0, middle(m).1, heading(m)),
        |m| {
            let p = off(middle(m), heading(m) + 90.0, 60.0);
            (p.0, p.1, heading(m))
        },
    );
    assert!(m.moved_as_one.unwrap() > 0.98, "{m:?}");
    assert!((m.median_m - 60.0).abs() < 5.0 && m.relative_scatter_m < 2.0);
    assert_eq!(m.heading_difference_deg.map(|d| d.round()), Some(3.0), "the first bin, of five degrees");
    assert!((115.0..=125.0).contains(&m.heading_arc_deg[0].unwrap()));
}

#[test]
fn anchored_neighbours_do_not_move_as_one() {
    // Each swings with the tide about its own anchor, 300 m apart, 150 m of chain: heads alike, the vector between them does not turn.
    let heading = |m: f64| 60.0 * (m / 360.0 * std::f64::consts::TAU).sin();
    let swing = |anchor: (f64, f64)| {
        move |m: f64| {
            let p = off(anchor, heading(m) + 180.0, 150.0);
            (p.0, p.1, heading(m))
        }
    };
    let m = pair(swing((0.0, 0.0)), swing((300.0, 0.0)));
    assert!(m.moved_as_one.unwrap() < 0.4, "{:?} {}", m.moved_as_one, m.relative_scatter_m);
    // And out of step with one another.
    let late = |m: f64| swing((300.0, 0.0))(m + 90.0);
    assert!(pair(swing((0.0, 0.0)), late).moved_as_one.unwrap() < 0.4);
}

#[test]
fn who_hardly_moved_moved_neither_as_one_nor_otherwise() {
    // A quay: two metres of scatter.
    let jitter = |m: f64| (2.0 * (m * 7.1).sin(), 2.0 * (m * 3.3).cos());
    let still = pair(|m| (jitter(m).0, jitter(m).1, 10.0), |m| (40.0 + jitter(m + 5.0).0, jitter(m).1, 10.0));
    assert_eq!(still.moved_as_one, None);
    assert!(still.scatter_m.iter().all(|s| *s < 5.0));
    // Two drifters in one current, 100 m in all, headings fixed: they look fast, so it says nothing.
    assert_eq!(pair(|m| (m / 3.6, 0.0, 10.0), |m| (m / 3.6, 60.0, 10.0)).moved_as_one, None);
    // Half a kilometre in step does.
    assert!(pair(|m| (m * 1.5, 0.0, 10.0), |m| (m * 1.5, 60.0, 10.0)).moved_as_one.unwrap() > 0.95);
}

#[test]
fn a_meeting_is_open_until_the_data_are_four_hours_past_it() {
    let together = drawn(START_MS, STEP_MIN, &times_of("#", 21));
    let apart = drawn(START_MS, STEP_MIN, &format!("{}~~~~~~~~~~", times_of("#", 21)));
    let flicker = drawn(START_MS, STEP_MIN, &format!("{}~~", times_of("#", 21)));
    let end = START_MS + 2 * HOUR_MS;
    for (tracks, data_end, open) in [
        (&together, end, true),
        (&together, end + 4 * HOUR_MS, true),
        (&together, end + 4 * HOUR_MS + 1, false),
        // Seen apart for longer than a flicker: over, whatever the clock says.
        (&apart, end + HOUR_MS, false),
        (&flicker, end + 12 * MINUTE_MS, true),
    ] {
        let found = search(tracks, &Params::default(), IndexKind::Rstar, data_end).ended;
        assert_eq!(found.iter().map(|m| m.open).collect::<Vec<_>>(), [open], "data end {} min after", (data_end - end) / MINUTE_MS);
        assert_eq!(found[0].start_ms, START_MS);
    }
}

#[test]
fn two_short_contacts_between_two_samples_are_a_meeting_too() {
    // Three minutes together, three and a half hours unseen, three minutes together: no multiple of five minutes lies in either.
    let minutes = || [1, 4, 211, 214];
    let still = sail(GULF, 366_000_001, minutes(), |_| (0.0, 0.0, None));
    let other = sail(GULF, 636_000_001, minutes(), |_| (100.0, 0.0, None));
    let found = meetings(&[still, other], &Params::default());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].observed_ms, 6 * MINUTE_MS);
    assert!((found[0].median_m - 100.0).abs() <= 5.0);
}

// Gaps.

/// A ship that reports every so many minutes, falls silent, and may come back.
fn silence(before: usize, silent_ms: Option<i64>) -> Track {
    let mut fixes: Vec<Fix> = (0..before).map(|k| fix(START_MS + k as i64 * 10 * MINUTE_MS, GULF.at(k as f64 * 1000.0, 0.0))).collect();
    let last = *fixes.last().unwrap();
    if let Some(ms) = silent_ms {
        fixes.extend((0..3).map(|k| fix(last.t_ms + ms + k * 10 * MINUTE_MS, GULF.at(40_000.0, 0.0))));
    }
    track(366_000_001, fixes)
}

fn gaps_with(track: &Track, coverage: &Coverage, end: WindowEnd, data_end_ms: i64) -> Vec<GapFacts> {
    let params = Params::default();
    let mut found = gap::find(track, (START_MS, data_end_ms), end, &params);
    found.iter_mut().for_each(|g| gap::hear(g, AisClass::A, coverage, &|_| false, &params));
    found
}

fn gaps(track: &Track) -> Vec<GapFacts> {
    gaps_with(track, &Coverage::default(), WindowEnd::DataEnd, track.fixes.last().unwrap().t_ms)
}

#[test]
fn four_hours_of_silence_are_recorded_and_less_is_not() {
    assert!(gaps(&silence(20, Some(4 * HOUR_MS - 1))).is_empty());
    let found = gaps(&silence(20, Some(4 * HOUR_MS)));
    assert_eq!(found.len(), 1);
    let g = &found[0];
    assert_eq!((g.off_ms, g.on_ms), (START_MS + 190 * MINUTE_MS, Some(START_MS + 190 * MINUTE_MS + 4 * HOUR_MS)));
    assert_eq!((g.off_e7, g.on_e7), (GULF.at(19_000.0, 0.0), Some(GULF.at(40_000.0, 0.0))));
    assert!((g.distance_m.unwrap() - 21_000.0).abs() < 1.0);
    assert!((g.implied_kn.unwrap() - 21.0 / 1.852 / 4.0).abs() < 0.001);
}

#[test]
fn an_open_gap_is_told_at_the_end_of_the_data_only() {
    let ship = silence(20, None);
    let last = ship.fixes.last().unwrap().t_ms;
    let of = |end, ms| gaps_with(&ship, &Coverage::default(), end, last + ms);
    assert!(of(WindowEnd::Frontier, 10 * HOUR_MS).is_empty());
    assert!(of(WindowEnd::DataEnd, 4 * HOUR_MS - 1).is_empty());
    let open = of(WindowEnd::DataEnd, 4 * HOUR_MS);
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].on_ms, open[0].on_e7, open[0].distance_m, open[0].until_ms), (None, None, None, last + 4 * HOUR_MS));
}

#[test]
fn a_silence_is_told_in_the_window_that_it_ends_in() {
    let ship = silence(20, Some(5 * HOUR_MS));
    let on = START_MS + 190 * MINUTE_MS + 5 * HOUR_MS;
    let params = Params::default();
    let of = |window| gap::find(&ship, window, WindowEnd::Frontier, &params).len();
    assert_eq!([of((START_MS, on - 1)), of((on - 1, on)), of((on, on + 1)), of((START_MS, on))], [0, 1, 0, 1]);
}

#[test]
fn fixes_before_a_silence_are_those_of_twelve_hours_and_the_last() {
    for (before, counted) in [(2, None), (3, Some(3)), (14, Some(14)), (73, Some(73)), (74, Some(73)), (200, Some(73))] {
        let found = gaps(&silence(before, Some(6 * HOUR_MS)));
        assert_eq!(found.first().map(|g| g.fixes_before), counted, "{before} fixes, one in ten minutes");
    }
}

/// Ships of a class that should have been heard in every hour of two days about the Gulf chart, and how many were.
fn witnesses(class: AisClass, present: u32, heard: u32) -> Coverage {
    let (lat, lon) = coverage::cell_of(GULF.at(0.0, 0.0));
    let first = (START_MS / HOUR_MS) as i32;
    let cells = || (-12..=12).flat_map(|dlat| (-12..=12).map(move |dlon| (lat + dlat, lon + dlon)));
    let of_hour: Vec<_> = cells().map(|cell| (cell, class, Heard { present, heard })).collect();
    let days = (first / 24..=(first + 47) / 24).map(|day| (day, cells().collect()));
    Coverage::new(Reception { hours: (first..first + 48).map(|hour| (hour, of_hour.clone())).collect(), cells: days.collect() })
}

/// Of a silence that ended on a day, the 30 days before, that day and the next may speak, and no other.
#[test]
fn reception_of_later_and_of_long_past_days_says_nothing() {
    let ship = silence(20, Some(5 * HOUR_MS));
    let all = |day: i64| {
        let (lat, lon) = coverage::cell_of(GULF.at(0.0, 0.0));
        let hours = (0..24).flat_map(|h| (-12..=12).flat_map(move |dy| (-12..=12).map(move |dx| (h, dy, dx))));
        hours.map(|(h, dy, dx)| ((lat + dy, lon + dx), ((START_MS + day * DAY_MS) / HOUR_MS) as i32 + h, AisClass::A, true)).collect::<Vec<_>>()
    };
    let leaves = |day: i64| gaps_with(&ship, &Coverage::new(Reception::of(all(day))), WindowEnd::Frontier, START_MS + DAY_MS)[0].leaves_coverage;
    assert_eq!([-31, -30, 0, 1, 2].map(leaves), [true, false, false, false, true]);
}

#[test]
fn surprise_is_what_others_transmitted() {
    // Off at 03:10, on at 08:10: the whole hours 4, 5, 6 and 7.
    let ship = silence(20, Some(5 * HOUR_MS));
    let of = |coverage: &Coverage| gaps_with(&ship, coverage, WindowEnd::DataEnd, START_MS + DAY_MS)[0].surprise_nats;
    assert_eq!(of(&Coverage::default()), None, "nobody there to tell");
    assert_eq!(of(&witnesses(AisClass::B, 10, 10)), None, "class B is heard less far");
    let nats = |present: f64, heard: f64| -4.0 * (1.0 - (heard + 1.0) / (present + 2.0)).ln();
    for (present, heard) in [(10, 10), (10, 5), (10, 0), (1, 1)] {
        let expected = nats(f64::from(present), f64::from(heard));
        assert!((of(&witnesses(AisClass::A, present, heard)).unwrap() - expected).abs() < 1e-9, "{present} {heard}");
    }
    // An hour counts for no more than -ln 0.02, and all together for no more than 20 nats.
    assert!((of(&witnesses(AisClass::A, 1000, 1000)).unwrap() - 4.0 * 50f64.ln()).abs() < 1e-9);
    let long = silence(20, Some(10 * HOUR_MS));
    assert_eq!(gaps_with(&long, &witnesses(AisClass::A, 1000, 1000), WindowEnd::DataEnd, START_MS + DAY_MS)[0].surprise_nats, Some(20.0));
}

#[test]
fn a_ship_is_a_witness_for_an_hour_between_two_fixes_two_hours_from_its_middle() {
    // Heard in hours 0 and 3: only half past one lies within two hours of both fixes.
    let minute = |m: i64| START_MS + m * MINUTE_MS;
    let hours = |minutes: &[i64]| {
        let ship = track(366_000_001, minutes.iter().map(|m| fix(minute(*m), GULF.at(0.0, 0.0))).collect());
        let found = coverage::vessel_hours(&ship, |_| AisClass::B, (START_MS, START_MS + DAY_MS), &Params::default());
        found.iter().map(|h| (i64::from(h.1) - START_MS / HOUR_MS, h.3)).collect::<Vec<_>>()
    };
    assert_eq!(hours(&[20, 190]), [(1, false)]);
    assert_eq!(hours(&[20, 40, 100, 190, 220]), [(0, true), (1, true), (2, false), (3, true)]);
    assert_eq!(hours(&[20, 300]), []);
    assert_eq!(hours(&[20]), []);
}

#[test]
fn leaving_coverage_is_no_silence_of_ones_own() {
    // Cells with reception from the chart's middle about 60 nm to every side.
    let coverage = witnesses(AisClass::A, 3, 3);
    let leaves = |east_m: f64, north_m: f64, sog: u16, cog: u16| {
        let mut fixes: Vec<Fix> = (0..5).map(|k| fix(START_MS + k * 10 * MINUTE_MS, GULF.at(east_m, north_m))).collect();
        let last = fixes.last_mut().unwrap();
        (last.sog_dkn, last.cog_ddeg) = (sog, cog);
        gaps_with(&track(366_000_001, fixes), &coverage, WindowEnd::DataEnd, START_MS + DAY_MS)[0].leaves_coverage
    };
    let nm = 1852.0;
    assert!(!leaves(0.0, 0.0, NULL_U16, NULL_U16));
    assert!(leaves(0.0, 75.0 * nm, NULL_U16, NULL_U16), "beyond the rim");
    assert!(!leaves(0.0, 60.0 * nm, 0, 0), "near it, at rest");
    // B1: two hours at 20 kn to the north lead out, to the south, and from the middle, they do not; nor does a course without a speed.
    assert!(leaves(0.0, 50.0 * nm, 200, 0));
    assert!(!leaves(0.0, 50.0 * nm, 200, 1800));
    assert!(!leaves(0.0, 0.0, 200, 0));
    assert!(!leaves(0.0, 50.0 * nm, NULL_U16, 0) && !leaves(0.0, 50.0 * nm, 200, NULL_U16));
    assert!(leaves(-50.0 * nm, 0.0, 200, 2700) && !leaves(-50.0 * nm, 0.0, 200, 900));
}

/// B11: the middle of a silence from 179.9 to -179.9 is at 180, not at 0.
#[test]
fn b11_the_middle_of_a_gap_across_180_is_there() {
    let mut fixes: Vec<Fix> = (0..5).map(|k| fix(START_MS + k * 10 * MINUTE_MS, (-170_000_000, 1_799_000_000))).collect();
    fixes.push(fix(START_MS + 8 * HOUR_MS, (-170_000_000, -1_799_000_000)));
    let facts = gaps(&track(366_000_001, fixes)).remove(0);
    let miles = facts.distance_m.unwrap() / 1852.0;
    assert!((miles - 12.0 * 17f64.to_radians().cos()).abs() < 0.1, "{miles}");
    let party = alongside::model::Party { mmsi: Mmsi(366_000_001), track: TrackId(1), particulars: says("EAST", 80, 200), shared_mmsi: false };
    let findings = Findings { gaps: vec![(facts, party)], ..Findings::default() };
    let refs = References { zones: Zones::embedded(), ports: Ports::embedded(), coast: Coast::embedded() };
    let book = book::write_up(findings, refs, &Params::default(), 0);
    assert_eq!(book.events.len(), 1);
    assert_eq!(book.events[0].kind, Kind::Gap);
    let (lat, lon) = book.events[0].mean_e7;
    assert!(lat < -169_999_000 && lat > -170_100_000 && lon.abs() > 1_799_990_000, "{lat} {lon}");
}

/// B12: nothing reads the local time zone: the same test gives the same answer under another.
#[test]
fn b12_the_time_zone_of_the_machine_is_nobodys_business() {
    let test = std::env::current_exe().unwrap();
    let under = |zone: &str| {
        let run = std::process::Command::new(&test).args(["--exact", "days::b03_day_boundary_cuts_no_meeting"]).env("TZ", zone).output().unwrap();
        assert!(run.status.success(), "{zone}: {}", String::from_utf8_lossy(&run.stdout));
        assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"), "it ran at all");
    };
    under("Asia/Kolkata");
    under("America/St_Johns");
}
