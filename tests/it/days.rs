//! One day after the other: however a delivery is cut, through bytes or not, the findings are the same.

use crate::detect::group;
use crate::support::{Chart, Delivery, GULF, START_MS, drawn, drawn_at, fix, for_all, says, through_bytes, track};
use alongside::detect::coverage::{Coverage, Reception};
use alongside::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use alongside::model::{Fix, GapFacts, Params, Particulars, RendezvousFacts, Track};
use alongside::run::engine::Findings;
use alongside::run::packed;
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::Cell;

/// A delivery of tracks, each under its number. Every fifth report says who it is: what is not sent again stands.
fn delivery<'a>(tracks: impl IntoIterator<Item = &'a Track>) -> Delivery {
    let mut out = Delivery::default();
    for (k, track) in tracks.into_iter().enumerate() {
        let said = says(&format!("SHIP {k}"), 80, 100 + 10 * k as u16);
        let part = |says: bool| track.fixes.iter().enumerate().filter(move |(n, _)| (n % 5 == 0) == says).map(|(_, f)| *f);
        out.add(track.mmsi.0, Particulars { class: said.class, ..Particulars::default() }, part(false));
        out.add(track.mmsi.0, Particulars { draught_dm: 70 + k as u16, ..said }, part(true));
    }
    out
}

fn midnights(days: i64) -> Vec<i64> {
    (1..=days).map(|d| START_MS + d * DAY_MS).collect()
}

/// What was found and learnt. Of the parties, whether two ships share a number is told by what was known at the frontier.
fn facts(findings: &Findings) -> (Vec<&RendezvousFacts>, Vec<&GapFacts>, &Reception) {
    (findings.meetings.iter().map(|m| &m.0).collect(), findings.gaps.iter().map(|g| &g.0).collect(), &findings.heard)
}

/// Cut at midnight, carried in memory; the same carried as bytes; the whole at once. The first two agree in everything.
fn three_ways(delivery: &Delivery, days: i64) -> (Findings, Findings, Findings) {
    let params = Params::default();
    let loops = delivery.through(START_MS, &midnights(days), &params, |s| s);
    let bytes = delivery.through(START_MS, &midnights(days), &params, through_bytes);
    let whole = delivery.through(START_MS, &[START_MS + days * DAY_MS], &params, |s| s);
    (loops, bytes, whole)
}

/// All three ways agree; the findings of the nights.
fn check(delivery: &Delivery, days: i64, what: &str) -> Findings {
    let (loops, bytes, whole) = three_ways(delivery, days);
    assert_eq!((&loops.meetings, &loops.gaps), (&bytes.meetings, &bytes.gaps), "{what}: carried as bytes");
    assert_eq!(loops.tally, bytes.tally, "{what}");
    assert_eq!(facts(&loops), facts(&whole), "{what}: cut at midnight and whole");
    bytes
}

/// Two ships 100 m apart from one minute to another after noon of the first day, a kilometre before and after.
fn encounter(chart: Chart, mmsi: u32, from: i64, to: i64) -> [Track; 2] {
    let noon = START_MS + 12 * HOUR_MS;
    let ship = |mmsi: u32, second: bool| {
        let fixes = (-120..1200i64).step_by(2).map(|m| {
            let near = (from..=to).contains(&m);
            let east = if second { if near { 100.0 } else { 1000.0 } } else { 0.0 };
            fix(noon + m * MINUTE_MS, chart.at(east, 0.0))
        });
        track(mmsi, fixes.collect())
    };
    [ship(mmsi, false), ship(mmsi + 1, true)]
}

/// B3: encounters about midnight that were lost when each day was judged alone: 22:00-00:54, 23:30-01:45, 23:12-01:24, 22:30-01:00.
#[test]
fn b03_day_boundary_cuts_no_meeting() {
    let minutes = [(600, 774), (690, 826), (672, 804), (630, 780)];
    let pairs: Vec<[Track; 2]> = minutes
        .iter()
        .enumerate()
        .map(|(k, &(from, to))| encounter(Chart { lat: 28.5, lon: -94.5 + k as f64 }, 366_000_000 + 10 * k as u32, from, to))
        .collect();
    let found = check(&delivery(pairs.iter().flatten()), 2, "about midnight");
    assert_eq!(found.meetings.len(), 4);
    for (k, &(from, to)) in minutes.iter().enumerate() {
        let m = found.meetings.iter().map(|m| &m.0).find(|m| m.mmsis[0].0 == 366_000_000 + 10 * k as u32).unwrap();
        let minute = |ms: i64| (ms - START_MS - 12 * HOUR_MS) as f64 / MINUTE_MS as f64;
        // She comes within 500 m on the way from a kilometre, in the two minutes before.
        assert!((from as f64 - 2.0..=from as f64).contains(&minute(m.start_ms)) && (to as f64..=to as f64 + 2.0).contains(&minute(m.end_ms)), "{m:?}");
        assert!(!m.open && m.observed_ms == m.end_ms - m.start_ms);
    }
}

/// Drawings slid over midnight and over the frontier four hours before it, so that every part of them once lies on the border.
#[test]
fn no_border_falls_into_a_flicker_or_a_hole() {
    let near = |n: usize| "#".repeat(n);
    let drawings = [
        format!("~~{}~{}~~", near(10), near(10)),
        format!("~~{}~~~~~~{}~~", near(14), near(14)),
        format!("~~{}{}{}~~", near(11), "?".repeat(38), near(11)),
        format!("~~{}{}{}~~", near(11), "!".repeat(40), near(11)),
        format!("~~{}{}{}~~", near(11), " ".repeat(7), near(11)),
        // Seen apart before a silence and after it, for longer than a flicker only together.
        format!("~~{}~~~{}~~{}~~", near(11), "?".repeat(30), near(11)),
        format!("~~{}oooo{}..", near(8), near(8)),
        format!("..ooo{}ooo~~~???~~ooo{}ooo..", near(6), near(14)),
    ];
    let mut meetings = 0;
    for drawing in &drawings {
        let length = drawing.len() as i64;
        for border in [DAY_MS, DAY_MS - 4 * HOUR_MS] {
            for slide in (0..=length).step_by(3) {
                let pair = drawn(START_MS + border - slide * 6 * MINUTE_MS, 6, drawing);
                let found = check(&delivery(&pair), 2, &format!("{drawing} slid by {slide}"));
                meetings += found.meetings.len();
            }
        }
    }
    assert!(meetings > 150, "{meetings}");
}

/// Between the distances of leaving and entering for thirty hours: what was seen then is needed when they come near again, and the
/// end is where they were then, not where the carried tracks begin.
#[test]
fn what_waits_for_another_approach_is_not_forgotten() {
    for wait in [60, 180, 300] {
        for again in ["##########", ""] {
            let drawing = format!("~~###########{}{again}~~~~~~~~~~", "o".repeat(wait));
            let found = check(&delivery(&drawn(START_MS + 3 * HOUR_MS, 6, &drawing)), 3, &drawing);
            assert_eq!(found.meetings.len(), 1);
            let m = &found.meetings[0].0;
            let (a, b) = (GULF.at(0.0, 0.0), GULF.at(500.0, 0.0));
            assert_eq!((m.start_e7[0], m.end_e7[0]), (a, a));
            assert!(m.end_e7[1].1.abs_diff(b.1) < 20, "500 m east at the end: {:?} {b:?}", m.end_e7[1]);
            let median = if again.is_empty() { 100.0 } else { 600.0 };
            assert!((m.median_m - median).abs() <= 5.0, "{}", m.median_m);
        }
    }
}

/// Silences of every length that end at every hour of the day, and two in a row.
#[test]
fn no_silence_is_lost_at_a_border() {
    for silent_h in [4, 7, 11, 13, 20, 30] {
        for back_h in 0..24 {
            let back = START_MS + 2 * DAY_MS + back_h * HOUR_MS + 30 * MINUTE_MS;
            let off = back - silent_h * HOUR_MS;
            let mut fixes: Vec<Fix> = (0..100).rev().map(|k| fix(off - k * 10 * MINUTE_MS, GULF.at(k as f64 * 100.0, 0.0))).collect();
            fixes.extend((0..4).map(|k| fix(back + k * 10 * MINUTE_MS, GULF.at(-20_000.0, 0.0))));
            let found = check(&delivery(&[track(366_000_001, fixes)]), 4, &format!("{silent_h} h until {back_h}:30"));
            // The second lasts from the last fix to the end of the data.
            assert_eq!(found.gaps.iter().map(|g| (g.0.off_ms, g.0.on_ms)).collect::<Vec<_>>(), [(off, Some(back)), (back + 30 * MINUTE_MS, None)]);
            assert_eq!(found.gaps[0].0.fixes_before, 73);
            assert_eq!(found.gaps[0].1.particulars.name, "SHIP 0");
        }
    }
}

#[test]
fn a_silent_day_in_between_is_a_day_like_any_other() {
    let early = drawn(START_MS + 19 * HOUR_MS, 6, &"#".repeat(40));
    let mut tracks = early.clone();
    for (k, later) in drawn(START_MS + 2 * DAY_MS + HOUR_MS, 6, &format!("{}~~~~", "#".repeat(40))).into_iter().enumerate() {
        tracks[k].fixes.extend(later.fixes);
    }
    let data = delivery(&tracks);
    let found = check(&data, 3, "nothing on the second day");
    assert_eq!(found.meetings.len(), 2);
    assert_eq!(found.gaps.iter().filter(|g| g.0.on_ms.is_some()).count(), 2);
    // The night of the silent day may also be left out altogether.
    let skipped = data.through(START_MS, &[START_MS + DAY_MS, START_MS + 3 * DAY_MS], &Params::default(), through_bytes);
    assert_eq!((&found.meetings, &found.gaps), (&skipped.meetings, &skipped.gaps));
}

/// A day that was never delivered is no silence: what is left of it is judged, and is none where that is too short.
#[test]
fn a_missing_day_is_nobodys_silence() {
    use alongside::run::book::hear;
    use alongside::spatial::coast::Coast;
    let (noon, missing) = (START_MS + 12 * HOUR_MS, [(START_MS / DAY_MS) as i32 + 1]);
    let ship = |mmsi: u32, last_h: i64, first_h: i64| {
        let before = (0..=last_h * 6).map(|k| fix(START_MS + k * 10 * MINUTE_MS, GULF.at(0.0, 0.0)));
        let after = (0..60).map(|k| fix(START_MS + 2 * DAY_MS + first_h * HOUR_MS + k * 10 * MINUTE_MS, GULF.at(0.0, 0.0)));
        track(mmsi, before.chain(after).collect())
    };
    // Heard to the end of the first day; from noon on not; and three hours each before and after.
    let ships = [ship(366_000_001, 23, 0), ship(366_000_002, 12, 0), ship(366_000_003, 21, 3)];
    let mut found = check(&delivery(&ships), 3, "a missing day");
    found.gaps.retain(|g| g.0.on_ms.is_some());
    assert_eq!(found.gaps.len(), 3);
    let coverage = Coverage::new(found.heard.clone());
    hear(&mut found.gaps, &coverage, &missing, Coast::embedded(), &Params::default());
    let left: Vec<_> = found.gaps.iter().map(|g| (g.0.mmsi.0, g.0.off_ms - noon, alongside::score::gap::hours(&g.0))).collect();
    assert_eq!(left, [(366_000_002, 0, 12.0), (366_000_003, 9 * HOUR_MS, 6.0)]);
}

/// Two ships under one number, on either side of an ocean, across midnight: two tracks, each with its own meeting.
#[test]
fn b08_a_shared_number_stays_two_ships_over_midnight() {
    let there = Chart { lat: 1.3, lon: 104.2 };
    let start = START_MS + 21 * HOUR_MS;
    let drawing = format!("~~{}~~~~~", "#".repeat(50));
    let (here, far) = (drawn_at(GULF, [366_000_001, 538_000_001], start, 6, &drawing), drawn_at(there, [366_000_001, 636_000_001], start, 6, &drawing));
    let data = delivery(here.iter().chain(&far));
    let found = check(&data, 2, "a shared number");
    assert_eq!(found.meetings.len(), 2);
    let tracks: Vec<_> = found.meetings.iter().map(|m| m.0.tracks[0]).collect();
    assert_ne!(tracks[0], tracks[1]);
    for (facts, parties) in &found.meetings {
        assert!((facts.median_m - 100.0).abs() <= 5.0 && parties[0].shared_mmsi && !parties[1].shared_mmsi);
    }
    assert!(found.gaps.iter().all(|g| g.0.on_ms.is_none()), "no silence between two ships: {:?}", found.gaps);
    assert_eq!((found.tally.teleports, found.tally.simultaneous), (0, 0));
}

/// A ship of a number appears just before midnight and is known for one only after it.
#[test]
fn a_track_that_is_confirmed_after_midnight_keeps_what_it_sent_before() {
    let there = Chart { lat: 1.3, lon: 104.2 };
    for minutes in [30, 100, 119] {
        // The third fix makes it a track: two of them lie before midnight.
        let start = START_MS + DAY_MS - 2 * minutes * MINUTE_MS + MINUTE_MS;
        let here = track(366_000_001, (0..600).map(|k| fix(START_MS + 18 * HOUR_MS + k * 2 * MINUTE_MS, GULF.at(0.0, 0.0))).collect());
        let other = track(366_000_001, (0..9).map(|k| fix(start + k * minutes * MINUTE_MS, there.at(0.0, 0.0))).collect());
        let found = check(&delivery([&here, &other]), 3, "confirmed late");
        let gap = found.gaps.iter().find(|g| g.0.off_e7 == there.at(0.0, 0.0)).unwrap();
        assert_eq!(gap.0.fixes_before, (720 / minutes + 1).min(9) as u32, "every {minutes} min");
    }
}

#[test]
fn no_delivery_has_no_findings() {
    let found = check(&Delivery::default(), 3, "nothing");
    assert!(found.meetings.is_empty() && found.gaps.is_empty());
}

/// Random groups over sixty hours: in nights, in nights through bytes, whole, and cut anywhere.
#[test]
fn any_cut_gives_the_same_findings() {
    let (meetings, gaps, over, hulls) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    for_all(64, &(group(60), vec(5 * 60..70 * 60i64, 0..5), any::<bool>()), |(group, cuts, shared)| {
        let mut tracks = group.tracks();
        if shared && tracks.len() > 2 {
            tracks[2].mmsi = tracks[0].mmsi;
        }
        for (k, track) in tracks.iter_mut().enumerate() {
            track.fixes.iter_mut().for_each(|f| f.heading_deg = ((f.t_ms - START_MS) / (10 + k as i64) / MINUTE_MS % 400) as u16);
        }
        let data = delivery(&tracks);
        let (loops, bytes, whole) = three_ways(&data, 3);
        prop_assert_eq!(&loops, &bytes);
        prop_assert_eq!(facts(&loops), facts(&whole));
        let mut ends: Vec<i64> = cuts.iter().map(|m| START_MS + m * MINUTE_MS).collect();
        ends.push(START_MS + 3 * DAY_MS);
        ends.sort_unstable();
        ends.dedup();
        let anyhow = data.through(START_MS, &ends, &Params::default(), through_bytes);
        prop_assert_eq!(facts(&anyhow), facts(&whole), "cut at {:?}", cuts);
        meetings.set(meetings.get() + whole.meetings.len());
        gaps.set(gaps.get() + whole.gaps.len());
        let crosses = |m: &RendezvousFacts| (m.start_ms - START_MS) / DAY_MS != (m.end_ms - START_MS) / DAY_MS;
        hulls.set(hulls.get() + whole.meetings.iter().filter(|m| m.0.hull_gap_m.is_some()).count());
        over.set(over.get() + whole.meetings.iter().filter(|m| crosses(&m.0)).count());
        Ok(())
    });
    assert!(meetings.get() > 100 && gaps.get() > 100 && over.get() > 20, "{meetings:?} meetings, {over:?} over midnight, {gaps:?} gaps");
    assert!(hulls.get() > 50, "{hulls:?} with a gap between hulls");
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    use alongside::run::engine::State;
    let bytes = State::default().to_bytes().unwrap();
    assert!(State::from_bytes(&bytes).is_ok());
    for n in 0..bytes.len() {
        assert!(State::from_bytes(&bytes[..n]).is_err(), "the first {n} of {} bytes", bytes.len());
    }
}

#[test]
fn the_fixture_cut_at_midnight_gives_the_same_events() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/two-days");
    cut_at_midnight(["ais-2024-03-01.csv.zst", "ais-2024-03-02.csv.zst"].map(|day| folder.join(day)).into());
}

/// The same traffic with the places of the antennas: hull gaps and draughts are carried over midnight too.
#[test]
fn danish_files_cut_at_midnight_give_the_same_events() {
    use alongside::lab::{Layout, Plan, simulate};
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    let start_day = alongside::model::time::parse_day("2024-03-01").unwrap();
    simulate(&Plan { out: out.clone(), seed: 5, days: 2, start_day, ships: 240, interval_s: 240.0, layout: Layout::Dma, compress: false }).unwrap();
    let meetings = cut_at_midnight(["aisdk-2024-03-01.csv", "aisdk-2024-03-02.csv"].map(|day| out.join("ais").join(day)).into());
    let changed = |m: &RendezvousFacts| m.draught_dm.iter().any(|d| d[0].is_some() && d[1].is_some() && d[0] != d[1]);
    let count = |what: &dyn Fn(&RendezvousFacts) -> bool| meetings.iter().filter(|m| what(m)).count();
    assert!(count(&|m| m.hull_gap_m.is_some()) > 40 && count(&changed) > 15);
}

/// Fixes of any values come back as they were; bytes that are cut or changed are found out or give other fixes, and no more of them
/// than the bytes can hold.
#[test]
fn packed_fixes_come_back() {
    let fix = (any::<i64>(), any::<[i32; 2]>(), any::<[u16; 3]>(), any::<u8>(), any::<[u32; 2]>());
    let fix = fix.prop_map(|(t_ms, [lat_e7, lon_e7], [sog_dkn, cog_ddeg, heading_deg], status, [particulars, row])| Fix {
        t_ms,
        lat_e7,
        lon_e7,
        sog_dkn,
        cog_ddeg,
        heading_deg,
        status,
        particulars,
        row,
    });
    for_all(512, &(vec(fix, 0..40), vec(any::<i64>(), 0..40), any::<prop::sample::Index>(), any::<u8>()), |(fixes, earlier_ms, at, other)| {
        let bytes = packed::pack(&fixes, &earlier_ms);
        prop_assert_eq!(packed::unpack(&bytes), Some((fixes, earlier_ms.into_boxed_slice())));
        let at = at.index(bytes.len());
        prop_assert_eq!(packed::unpack(&bytes[..at]), None);
        let changed: Vec<u8> = bytes.iter().enumerate().map(|(k, b)| if k == at { other } else { *b }).collect();
        prop_assert!(packed::unpack(&changed).is_none_or(|(fixes, earlier)| fixes.len() * 9 + earlier.len() < changed.len()));
        Ok(())
    });
    // As a ship sends them: three bytes of time, two of each axis, one or two of the rest.
    let sent: Vec<Fix> = drawn(START_MS, 5, "##########")[0].fixes.clone();
    let bytes = packed::pack(&sent, &[]).len();
    assert!(bytes < sent.len() * 16 + 40, "{bytes} bytes of {} fixes", sent.len());
}

/// Two days: cut at midnight, the state carried through bytes, against the whole at once; and scored, the same events.
fn cut_at_midnight(paths: Vec<std::path::PathBuf>) -> Vec<RendezvousFacts> {
    use alongside::ingest::{self, Limits};
    use alongside::run::book::{References, hear, write_up};
    use alongside::spatial::{coast::Coast, ports::Ports, zones::Zones};
    let read = ingest::read(&paths, &Limits::default(), &|_| ()).unwrap();
    let mut data = Delivery { particulars: alongside::frame::particulars_records(&read.particulars).unwrap(), ..Delivery::default() };
    for ship in alongside::frame::ships(&read.positions).unwrap() {
        data.ships.insert(ship.mmsi.0, (0..ship.t_ms.len()).map(|k| ship.fix(k)).collect());
    }
    let begin = alongside::model::time::day_start_ms(read.days[0]);
    let params = Params::default();
    let nights = data.through(begin, &[begin + DAY_MS, begin + 2 * DAY_MS], &params, through_bytes);
    let whole = data.through(begin, &[begin + 2 * DAY_MS], &params, |s| s);
    let over = nights.meetings.iter().filter(|m| m.0.start_ms < begin + DAY_MS && m.0.end_ms > begin + DAY_MS).count();
    assert!(nights.meetings.len() > 60 && over > 5, "{} meetings, {over} over midnight", nights.meetings.len());
    let refs = References { zones: Zones::embedded(), ports: Ports::embedded(), coast: Coast::embedded() };
    let events = |mut findings: Findings| {
        let coverage = Coverage::new(findings.heard.clone());
        hear(&mut findings.gaps, &coverage, &[], refs.coast, &params);
        write_up(findings, refs, &params, 0).events
    };
    assert_eq!(facts(&nights), facts(&whole));
    let all = whole.meetings.iter().map(|m| m.0.clone()).collect();
    assert_eq!(events(nights), events(whole));
    all
}
