//! One MMSI's reports become tracks of physical ships.
//!
//! Drawn: one character a report, in time order, one a minute. A letter is a place: letters of one case are minutes apart by ship,
//! the cases are an ocean apart. `|` puts the next report in the same second as the one before.

use crate::support::{Chart, GULF, START_MS, fix, for_all};
use alongside::model::fix::NULL_U16;
use alongside::model::time::{HOUR_MS, MINUTE_MS};
use alongside::model::{Fix, Mmsi, Params, TrackId};
use alongside::track::segment::{self, Assigned, ShipState};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::Cell;

const MMSI: Mmsi = Mmsi(366_123_456);
const ELSEWHERE: Chart = Chart { lat: 1.2, lon: 104.1 };

/// 300 m a letter: ten knots, one letter a minute.
fn place(c: char) -> (i32, i32) {
    match c {
        'a'..='z' => GULF.at(0.0, f64::from(c as u32 - 'a' as u32) * 300.0),
        _ => ELSEWHERE.at(0.0, f64::from(c as u32 - 'A' as u32) * 300.0),
    }
}

fn reports(drawing: &str) -> Vec<Fix> {
    let mut t = START_MS;
    let mut out: Vec<Fix> = Vec::new();
    let mut same = false;
    for c in drawing.chars() {
        match c {
            '|' => same = true,
            ' ' => t += HOUR_MS,
            _ => {
                if !same && !out.is_empty() {
                    t += MINUTE_MS;
                }
                same = false;
                out.push(fix(t, place(c)));
            }
        }
    }
    out.sort_unstable();
    out
}

/// The tracks as letters, in the order of their first fix.
fn letters(assigned: &Assigned, reports: &[Fix], drawing: &str) -> Vec<String> {
    let mut names: Vec<char> = drawing.chars().filter(|c| c.is_alphabetic()).collect();
    names.sort_unstable();
    let name = |f: &Fix| *names.iter().find(|c| place(**c) == (f.lat_e7, f.lon_e7)).unwrap();
    let mut tracks = by_track(assigned);
    tracks.sort_by_key(|(_, fixes)| fixes[0]);
    assert_eq!(
        tracks.iter().map(|t| t.1.len() as u64).sum::<u64>() + assigned.teleports + assigned.repeats + assigned.simultaneous,
        reports.len() as u64,
        "every report is in a track or counted"
    );
    tracks.iter().map(|(_, fixes)| fixes.iter().map(name).collect()).collect()
}

fn by_track(assigned: &Assigned) -> Vec<(TrackId, Vec<Fix>)> {
    let mut tracks: Vec<(TrackId, Vec<Fix>)> = Vec::new();
    for (id, fixes) in &assigned.fixes {
        match tracks.iter_mut().find(|t| t.0 == *id) {
            Some(t) => t.1.extend(fixes),
            None => tracks.push((*id, fixes.clone())),
        }
    }
    tracks
}

fn assign(reports: &[Fix], state: &mut ShipState) -> Assigned {
    segment::assign(MMSI, reports.iter().copied(), state, &Params::default())
}

/// Tracks as letters, and what was dropped: (teleports, repeats, simultaneous). Waiting reports are settled five hours later.
fn check(drawing: &str, tracks: &[&str], dropped: (u64, u64, u64)) {
    let reports = reports(drawing);
    let mut state = ShipState::default();
    let mut assigned = assign(&reports, &mut state);
    segment::settle(&mut state, reports.last().unwrap().t_ms + 5 * HOUR_MS, &Params::default(), &mut assigned);
    assert_eq!(letters(&assigned, &reports, drawing), tracks, "{drawing}");
    assert_eq!((assigned.teleports, assigned.repeats, assigned.simultaneous), dropped, "{drawing}");
}

#[test]
fn one_ship_is_one_track() {
    check("abcdefgh", &["abcdefgh"], (0, 0, 0));
}

#[test]
fn a_ship_comes_back_after_a_long_silence_where_she_can_have_sailed() {
    check("abc     opq", &["abcopq"], (0, 0, 0));
}

#[test]
fn a_lone_teleport_is_dropped() {
    check("abcXdefg", &["abcdefg"], (1, 0, 0));
    // Two are not enough either, and a third after the time to gather has passed is a new beginning.
    check("abcXdXefg", &["abcdefg"], (2, 0, 0));
    check("abcXdX    eXf", &["abcdef"], (3, 0, 0));
}

#[test]
fn three_positions_elsewhere_are_another_ship() {
    check("abcXdYeZf", &["abcdef", "XYZ"], (0, 0, 0));
}

/// B8: two ships under one number, two positions in one second: never (20, 40) for (10, 20) and (30, 60).
#[test]
fn b08_ships_that_share_a_number_are_split_and_never_averaged() {
    check("a|Ab|Bc|Cd|De|E", &["ABCDE", "abcde"], (0, 0, 0));
    let minute = |k: i64| START_MS + k * MINUTE_MS;
    let (here, there) = ((100_000_000, 200_000_000), (300_000_000, 600_000_000));
    let reports: Vec<Fix> = (0..5).flat_map(|k| [fix(minute(k), here), fix(minute(k), there)]).collect();
    let assigned = assign(&reports, &mut ShipState::default());
    let tracks = by_track(&assigned);
    assert_eq!(tracks.len(), 2);
    for (track, at) in tracks.iter().zip([here, there]) {
        assert!(track.1.iter().all(|f| (f.lat_e7, f.lon_e7) == at));
        assert_eq!(track.1.len(), 5);
    }
}

#[test]
fn one_second_holds_one_fix_of_a_track() {
    // `a|b`: 300 m apart in one second is one ship heard badly, not two.
    check("a|bcdef", &["acdef"], (0, 0, 1));
}

#[test]
fn a_second_position_of_a_moment_is_no_new_ship_while_another_is_about() {
    // The same while a teleport waits, and beside a second ship of the number: the fix belongs to the track it fits.
    check("abcXd|efghi", &["abcdfghi"], (1, 0, 1));
    check("abc|Ad|Be|Cf|g|Dh|Ei|F", &["abcdefhi", "ABCDEF"], (0, 0, 1));
}

#[test]
fn repeats_of_an_old_report_are_dropped_at_speed_only() {
    let with = |sog: u16| -> Vec<Fix> {
        (0..5).map(|k| Fix { sog_dkn: sog, cog_ddeg: 900, heading_deg: 90, ..fix(START_MS + k * MINUTE_MS, GULF.at(0.0, 0.0)) }).collect()
    };
    for (sog, kept) in [(0, 5), (5, 5), (6, 1), (120, 1), (NULL_U16, 5)] {
        let assigned = assign(&with(sog), &mut ShipState::default());
        assert_eq!((by_track(&assigned)[0].1.len(), assigned.repeats), (kept, 5 - kept as u64), "{sog} tenths of a knot");
    }
    // Another course, speed or heading is another report.
    for change in [|f: &mut Fix| f.cog_ddeg += 1, |f: &mut Fix| f.sog_dkn += 1, |f: &mut Fix| f.heading_deg += 1, |f: &mut Fix| f.lat_e7 += 1] {
        let mut reports = with(100);
        reports.truncate(2);
        change(&mut reports[1]);
        assert_eq!(assign(&reports, &mut ShipState::default()).repeats, 0);
    }
}

#[test]
fn the_speed_that_splits_is_fifty_knots_and_a_minute() {
    // One hour at 50 kn and a minute of slack on it: 92.6 km and 1.54 km.
    for (km, tracks) in [(94.0, 1), (94.3, 2)] {
        let mut reports = vec![fix(START_MS, GULF.at(0.0, 0.0))];
        reports.extend((0..3).map(|k| fix(START_MS + HOUR_MS + k * MINUTE_MS, GULF.at(km * 1000.0, 0.0))));
        assert_eq!(by_track(&assign(&reports, &mut ShipState::default())).len(), tracks, "{km} km");
    }
}

#[test]
fn the_name_of_a_track_is_its_first_fix_not_its_line() {
    let mut reports = reports("a|Ab|Bc|Cd");
    let names = |r: &[Fix]| by_track(&assign(r, &mut ShipState::default())).iter().map(|t| t.0).collect::<Vec<_>>();
    let before = names(&reports);
    reports.iter_mut().zip(100..).for_each(|(f, row)| f.row = row);
    assert_eq!(before, names(&reports));
    assert_ne!(before[0], before[1]);
}

#[test]
fn a_track_stands_once_in_what_was_assigned() {
    // A teleport takes the ship off the usual path for four hours; afterwards it is the same track still.
    let assigned = assign(&reports("abcXd     efghijkl"), &mut ShipState::default());
    assert_eq!(assigned.fixes.len(), 1, "one entry a track");
    assert_eq!(assigned.fixes[0].1.len(), 12);
}

/// Reports of up to three ships and stray positions under one number, some in the same second.
fn mixture() -> impl Strategy<Value = Vec<Fix>> {
    let seconds = prop_oneof![Just(0i64), Just(1), 10..90i64, 600..5000i64, 10_000..30_000i64];
    vec((seconds, 0..8u8, 0..5i32, prop_oneof![Just(NULL_U16), Just(0), Just(80)]), 1..60).prop_map(|steps| {
        let mut t = START_MS;
        let mut out: Vec<Fix> = steps
            .into_iter()
            .map(|(dt, ship, step, sog)| {
                t += dt * 1000;
                let chart = match ship {
                    0..=3 => Chart { lat: 28.5, lon: 179.99 },
                    4..=5 => Chart { lat: 90.0, lon: 0.0 },
                    6 => ELSEWHERE,
                    _ => Chart { lat: -60.0, lon: f64::from(step) * 30.0 },
                };
                Fix { sog_dkn: sog, ..fix(t, chart.at(f64::from(step) * 400.0, 0.0)) }
            })
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    })
}

#[test]
fn chunking_changes_nothing() {
    let (several, teleports, simultaneous) = (Cell::new(0), Cell::new(0), Cell::new(0));
    for_all(256, &(mixture(), vec(any::<prop::sample::Index>(), 0..6)), |(reports, cuts)| {
        let mut whole_state = ShipState::default();
        let whole = assign(&reports, &mut whole_state);
        let mut cuts: Vec<usize> = cuts.iter().map(|c| c.index(reports.len() + 1)).collect();
        cuts.extend([0, reports.len()]);
        cuts.sort_unstable();
        let mut state = ShipState::default();
        let mut pieces = Assigned::default();
        for pair in cuts.windows(2) {
            let part = assign(&reports[pair[0]..pair[1]], &mut state);
            pieces.fixes.extend(part.fixes);
            pieces.teleports += part.teleports;
            pieces.repeats += part.repeats;
            pieces.simultaneous += part.simultaneous;
        }
        let sorted = |a: &Assigned| {
            let mut tracks = by_track(a);
            tracks.sort();
            tracks
        };
        prop_assert_eq!(sorted(&whole), sorted(&pieces));
        prop_assert_eq!((whole.teleports, whole.repeats, whole.simultaneous), (pieces.teleports, pieces.repeats, pieces.simultaneous));
        prop_assert_eq!(&whole_state, &state);
        for (_, fixes) in by_track(&whole) {
            prop_assert!(fixes.windows(2).all(|p| p[0].t_ms < p[1].t_ms), "one fix a moment, in time order");
        }
        several.set(several.get() + usize::from(by_track(&whole).len() > 1));
        teleports.set(teleports.get() + whole.teleports);
        simultaneous.set(simultaneous.get() + whole.simultaneous);
        Ok(())
    });
    assert!(several.get() > 20 && teleports.get() > 20 && simultaneous.get() > 20, "{several:?} {teleports:?} {simultaneous:?}");
}
