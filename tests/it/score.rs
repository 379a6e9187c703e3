//! The judges: tables of what is held for and against an event, and sums that anybody can do again.
//!
//! A [`Case`] is a plain transfer between two tankers in open water; every line of a table says what is different about it.

use crate::support::{START_MS, for_all, says};
use alongside::model::event::event_id;
use alongside::model::time::HOUR_MS;
use alongside::model::{
    AisClass, Contact, Event, Evidence, GapFacts, Kind, Mmsi, Params, Particulars, Party, RendezvousFacts, ScoreName, TrackId, ZoneRelation,
};
use alongside::run::book::{self, Book, References};
use alongside::run::engine::Findings;
use alongside::run::faint::Faint;
use alongside::score::rendezvous::{Context, Verdict};
use alongside::score::{Place, gap, rendezvous};
use alongside::spatial::coast::Coast;
use alongside::spatial::ports::Ports;
use alongside::spatial::zones::Zones;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeSet;

const C: ScoreName = ScoreName::Confidence;
const R: ScoreName = ScoreName::Risk;
const TANKER: u16 = 80;
const CARGO: u16 = 70;
const TUG: u16 = 52;
const PILOT: u16 = 50;
const YACHT: u16 = 37;

#[derive(Clone, Debug)]
struct Case {
    facts: RendezvousFacts,
    parties: [Party; 2],
    context: Context,
}

fn party(mmsi: u32, particulars: Particulars) -> Party {
    Party { mmsi: Mmsi(mmsi), track: TrackId(u64::from(mmsi)), particulars, shared_mmsi: false }
}

/// Two tankers, 60 m apart for eight hours by day, drifting and swinging as one, seen all the time.
fn transfer() -> Case {
    let at = (285_000_000, -945_000_000);
    let parties = [party(538_000_001, says("FIRST", TANKER, 250)), party(636_000_001, says("SECOND", TANKER, 240))];
    let facts = RendezvousFacts {
        tracks: [parties[0].track, parties[1].track],
        mmsis: [parties[0].mmsi, parties[1].mmsi],
        start_ms: START_MS,
        end_ms: START_MS + 8 * HOUR_MS,
        observed_ms: 8 * HOUR_MS,
        open: false,
        mean_e7: at,
        start_e7: [at; 2],
        end_e7: [at; 2],
        median_m: 60.0,
        p10_m: 55.0,
        p90_m: 65.0,
        min_m: 50.0,
        hull_gap_m: None,
        draught_dm: [[None; 2]; 2],
        speed_kn: [0.6, 0.6],
        relative_kn: 0.1,
        moved_as_one: Some(0.95),
        scatter_m: [300.0, 300.0],
        relative_scatter_m: 4.0,
        heading_arc_deg: [Some(60.0), Some(60.0)],
        heading_difference_deg: Some(2.5),
        night_share: 0.2,
        still_share: [0.0; 3],
        fixes: [90, 80],
        neighbours: 0,
    };
    let place = Place { zone: None, shore_m: Some(18_000.0), on_land: false, port: Some(("Galveston (US)".into(), 60_000.0)) };
    Case { facts, parties, context: Context { place: Some(place), gap_h: None, assist_tug: false } }
}

impl Case {
    fn with(mut self, change: impl Fn(&mut Self)) -> Self {
        change(&mut self);
        self
    }
    fn hours(&mut self, hours: f64) -> &mut Self {
        self.facts.end_ms = self.facts.start_ms + (hours * HOUR_MS as f64) as i64;
        self.facts.observed_ms = self.facts.end_ms - self.facts.start_ms;
        self
    }
    fn types(&mut self, first: u16, second: u16) -> &mut Self {
        self.parties[0].particulars.ship_type = first;
        self.parties[1].particulars.ship_type = second;
        self
    }
    fn place(&mut self) -> &mut Place {
        self.context.place.get_or_insert_default()
    }
    fn judge(&self) -> Verdict {
        rendezvous::judge(&self.facts, &self.parties, &self.context, &Params::default())
    }
}

fn zone(kind: &str, distance_nm: f64, may_score: bool) -> Option<ZoneRelation> {
    Some(ZoneRelation { id: kind.into(), name: format!("the {kind}"), kind: kind.into(), distance_nm, may_score })
}

/// Families and what all their rows together may count, as published.
const CAPS: [(ScoreName, &str, i32, i32); 19] = [
    (C, "contact", 30, -30),
    (C, "duration", 20, 0),
    (C, "speed", 15, 0),
    (C, "steadiness", 15, -35),
    (C, "data", 10, 0),
    (C, "types", 15, -50),
    (C, "berth", 0, -60),
    (C, "crowd", 0, -25),
    (C, "tugs", 5, -25),
    (C, "reception", 60, -40),
    (C, "behaviour", 35, 0),
    (R, "lists", 60, 0),
    (R, "dark", 35, 0),
    (R, "identity", 35, 0),
    (R, "place", 20, -12),
    (R, "pattern", 25, 0),
    (R, "kinematics", 20, 0),
    (R, "vessel", 10, 0),
    (R, "mitigation", 0, -30),
];

/// Does the sums again: each score is the sum of what counts, no family beyond its caps, no row beyond its points.
fn adds_up(evidence: &[Evidence], confidence: i32, risk: i32) -> Result<(), String> {
    for (score, total) in [(C, confidence), (R, risk)] {
        let rows = || evidence.iter().filter(move |e| e.score == score);
        let sum: i32 = rows().map(|e| e.counted).sum();
        if sum != total || !(0..=100).contains(&total) {
            return Err(format!("{} is {total}, its evidence {sum}", score.word()));
        }
        let before: i32 = rows().filter(|e| e.family != "clamp").map(|e| e.counted).sum();
        let clamps: Vec<i32> = rows().filter(|e| e.family == "clamp").map(|e| e.counted).collect();
        let expected = if (0..=100).contains(&before) { vec![] } else { vec![before.clamp(0, 100) - before] };
        if clamps != expected {
            return Err(format!("clamps {clamps:?} on a sum of {before}"));
        }
    }
    for e in evidence {
        let within = if e.points >= 0 { (0..=e.points).contains(&e.counted) } else { (e.points..=0).contains(&e.counted) };
        if !within || e.indicator.is_empty() || e.source.is_empty() || e.threshold.is_empty() {
            return Err(format!("{e:?}"));
        }
        if e.family != "clamp" && !CAPS.iter().any(|c| (c.0, c.1) == (e.score, e.family)) {
            return Err(format!("{} is no family of {}", e.family, e.score.word()));
        }
    }
    for (score, family, most, least) in CAPS {
        let sum: i32 = evidence.iter().filter(|e| e.score == score && e.family == family).map(|e| e.counted).sum();
        if !(least..=most).contains(&sum) {
            return Err(format!("{family} counts {sum}"));
        }
    }
    Ok(())
}

/// What each row of an indicator counts.
fn counted(evidence: &[Evidence], indicator: &str) -> Vec<i32> {
    evidence.iter().filter(|e| e.indicator == indicator).map(|e| e.counted).collect()
}

#[test]
fn a_plain_transfer_is_believed() {
    let verdict = transfer().judge();
    assert_eq!((verdict.confidence, verdict.risk, verdict.contact), (100, 0, Contact::Possible));
    adds_up(&verdict.evidence, verdict.confidence, verdict.risk).unwrap();
    assert_eq!(counted(&verdict.evidence, "sum_clamped"), [-3]);
}

type Change = fn(&mut Case);

/// Every indicator of a meeting, once: what is different, the indicator, and what it counts.
const MEETINGS: &[(&str, Change, &str, &[i32])] = &[
    ("farther than the hulls can bridge", |c| c.facts.median_m = 400.0, "contact_impossible", &[-30]),
    ("antennas 20 m apart", |c| c.facts.median_m = 20.0, "antennas_touching", &[30]),
    ("hulls 3 m apart", |c| c.facts.hull_gap_m = Some([3.0, 7.0]), "hulls_touching", &[30]),
    ("hulls 3 m apart by one reading of port and starboard", |c| c.facts.hull_gap_m = Some([3.0, 27.0]), "moved_as_one", &[28]),
    ("hulls 60 m apart", |c| c.facts.hull_gap_m = Some([60.0, 55.0]), "hulls_apart", &[-30]),
    ("hulls 60 m apart by one reading of port and starboard", |c| c.facts.hull_gap_m = Some([60.0, 45.0]), "hulls_apart", &[]),
    ("as it is", |_| (), "moved_as_one", &[28]),
    ("no motion to compare", |c| c.facts.moved_as_one = None, "near_and_steady", &[20]),
    ("200 m apart", |c| (c.facts.moved_as_one, c.facts.median_m, c.facts.p10_m, c.facts.p90_m) = (None, 200.0, 190.0, 210.0), "antennas_near", &[10]),
    ("310 m apart", |c| c.facts.median_m = 310.0, "antennas_apart", &[0]),
    ("four hours", |c| _ = c.hours(4.0), "duration", &[20]),
    ("an hour and a half", |c| _ = c.hours(1.5), "duration", &[7]),
    ("as it is", |_| (), "slow_in_step", &[15]),
    ("relative velocity of a knot", |c| c.facts.relative_kn = 1.0, "slow_in_step", &[7]),
    ("a wandering separation", |c| (c.facts.median_m, c.facts.p90_m, c.facts.moved_as_one) = (150.0, 250.0, None), "each_for_itself", &[-35]),
    (
        "a separation that wanders less, farther off",
        |c| (c.facts.median_m, c.facts.p90_m, c.facts.moved_as_one) = (200.0, 115.0, None),
        "each_for_itself",
        &[-35],
    ),
    (
        "a separation that wanders, and half as one",
        |c| (c.facts.median_m, c.facts.p90_m, c.facts.moved_as_one) = (150.0, 250.0, Some(0.7)),
        "each_for_itself",
        &[-35],
    ),
    ("come and gone slowly, one body between", |c| (c.facts.median_m, c.facts.p90_m) = (150.0, 250.0), "each_for_itself", &[]),
    ("each its own motion", |c| (c.facts.median_m, c.facts.moved_as_one) = (150.0, Some(0.2)), "each_for_itself", &[-35]),
    ("as it is", |_| (), "steady_while_moving", &[15]),
    ("spread over 60 m", |c| c.facts.p90_m = 115.0, "fairly_steady_while_moving", &[7]),
    ("nothing moved", |c| c.facts.scatter_m = [2.0; 2], "no_motion_to_tell", &[0]),
    ("as it is", |_| (), "observed", &[10]),
    ("two fixes of one", |c| c.facts.fixes = [2, 90], "observed", &[5]),
    ("a fifth observed", |c| c.facts.observed_ms /= 5, "observed", &[1]),
    ("as it is", |_| (), "types_fit", &[10]),
    ("as it is", |_| (), "types_tanker", &[5]),
    ("two cargo ships", |c| _ = c.types(CARGO, CARGO), "types_tanker", &[]),
    ("a cargo ship and one that says nothing", |c| _ = c.types(CARGO, 0), "types_fit", &[10]),
    ("a pilot", |c| _ = c.types(PILOT, TANKER), "types_carry_no_cargo", &[-25]),
    ("two yachts", |c| _ = c.types(YACHT, YACHT), "types_carry_no_cargo", &[-50]),
    ("a tanker beside a fisherman", |c| _ = c.types(TANKER, 30), "types_carry_no_cargo", &[-25]),
    ("a reefer beside a fisherman", |c| _ = c.types(CARGO, 30), "types_carry_no_cargo", &[]),
    ("a tug and a dredger", |c| _ = c.types(TUG, 90), "types_work_craft", &[-35]),
    ("a tug for an hour is no barge", |c| _ = c.types(TUG, TANKER).hours(1.0), "types_fit", &[]),
    ("two tugs", |c| _ = c.types(TUG, 31), "types_work_craft", &[-35]),
    ("two that say nothing", |c| _ = c.types(0, 0), "types_say_nothing", &[0]),
    ("a tug for 80 minutes", |c| _ = c.types(TUG, TANKER).hours(1.33), "tug_work", &[-25]),
    ("a tug for three hours, and they travelled: docking", |c| _ = c.types(TUG, TANKER).hours(3.0), "tug_work", &[-25]),
    ("a tug for three hours at anchor", |c| (_, c.facts.scatter_m) = (c.types(TUG, TANKER).hours(3.0).facts.open, [90.0; 2]), "tug_work", &[]),
    ("a craft that says nothing of itself, for an hour", |c| c.types(0, TANKER).hours(1.5).parties[0].particulars.imo = 0, "tug_work", &[-25]),
    ("a cargo ship without an IMO number", |c| c.parties[1].particulars.imo = 0, "types_fit", &[]),
    ("still for most of the time: a berth, docking and all", |c| c.facts.still_share = [0.7, 0.8, 0.6], "made_fast_to_the_ground", &[-45]),
    ("one of them still for most of the time", |c| c.facts.still_share = [0.7, 0.1, 0.1], "made_fast_to_the_ground", &[-20]),
    ("a tug for eight hours: a barge", |c| _ = c.types(TUG, TANKER), "tug_work", &[]),
    ("a tug stood by", |c| c.context.assist_tug = true, "assist_tug", &[5]),
    ("three neighbours", |c| c.facts.neighbours = 3, "neighbours", &[-15]),
    ("six neighbours", |c| c.facts.neighbours = 6, "neighbours", &[-25]),
    ("two neighbours", |c| c.facts.neighbours = 2, "neighbours", &[]),
    ("as it is", |_| (), "both_moved", &[0]),
    ("neither moved", |c| (c.facts.scatter_m, c.facts.heading_arc_deg) = ([2.0; 2], [Some(5.0), None]), "made_fast_to_the_ground", &[-45]),
    ("one did not move", |c| (c.facts.scatter_m[0], c.facts.heading_arc_deg[0]) = (2.0, Some(5.0)), "made_fast_to_the_ground", &[-20]),
    ("in a river", |c| c.place().on_land = true, "inland_water", &[-20]),
    ("off a quay", |c| (c.place().shore_m, c.place().port) = (Some(300.0), Some(("Port".into(), 900.0))), "beside_a_port", &[-20]),
    ("off a beach", |c| c.place().shore_m = Some(300.0), "beside_a_port", &[]),
    ("under 445", |c| c.parties[0].mmsi = Mmsi(445_000_001), "north_korean_mmsi", &[50]),
    ("both under 445", |c| (c.parties[0].mmsi, c.parties[1].mmsi) = (Mmsi(445_000_001), Mmsi(445_000_002)), "north_korean_mmsi", &[50, 10]),
    ("under digits of nobody", |c| c.parties[1].mmsi = Mmsi(200_000_001), "odd_country_digits", &[12]),
    ("under a flag without a coast", |c| c.parties[1].mmsi = Mmsi(203_000_001), "odd_country_digits", &[12]),
    ("an IMO number that fits", |c| c.parties[0].particulars.imo = 9_074_729, "imo_check_digit", &[]),
    ("an IMO number that does not", |c| c.parties[0].particulars.imo = 9_074_728, "imo_check_digit", &[20]),
    ("two ships of one number", |c| c.parties[0].shared_mmsi = true, "mmsi_shared", &[12]),
    ("a party silent for 7 h", |c| c.context.gap_h = Some(7.0), "silent_near_the_event", &[12]),
    ("a party silent for 13 h", |c| c.context.gap_h = Some(13.0), "silent_near_the_event", &[25]),
    ("in a hotspot", |c| c.place().zone = zone("sanctions_hotspot", 0.0, true), "sanctions_hotspot", &[12]),
    ("near a hotspot", |c| c.place().zone = zone("sanctions_hotspot", 4.0, true), "sanctions_hotspot", &[6]),
    ("where it is forbidden", |c| c.place().zone = zone("prohibited", 0.0, true), "prohibited_area", &[15]),
    ("in a zone that may not score", |c| c.place().zone = zone("sanctions_hotspot", 0.0, false), "zone_named", &[0]),
    ("in a bunkering zone", |c| c.place().zone = zone("bunkering", 0.0, true), "bunkering_zone", &[-12]),
    ("near one: no licence", |c| c.place().zone = zone("bunkering", 1.0, true), "bunkering_zone", &[0]),
    ("where it is usual", |c| c.place().zone = zone("legal_lightering", 0.0, true), "lawful_zone", &[-8]),
    ("in mid-ocean", |c| c.place().shore_m = None, "open_sea", &[8]),
    ("20 nm off", |c| c.place().shore_m = Some(37_040.0), "open_sea", &[8]),
    ("at night", |c| c.facts.night_share = 0.6, "night", &[3]),
    ("a small tanker for five hours", |c| c.hours(5.0).parties[0].particulars.length_dm = 900, "bunkering_like", &[-15]),
    ("a barge for five hours", |c| _ = c.types(TUG, CARGO).hours(5.0), "bunkering_like", &[-15]),
    ("a small tanker for nine", |c| c.hours(9.0).parties[0].particulars.length_dm = 900, "bunkering_like", &[]),
];

#[test]
fn every_indicator_of_a_meeting_counts_what_it_says() {
    for (what, change, indicator, points) in MEETINGS {
        let verdict = transfer().with(change).judge();
        assert_eq!(counted(&verdict.evidence, indicator), *points, "{what}: {indicator}");
        adds_up(&verdict.evidence, verdict.confidence, verdict.risk).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
}

fn silence() -> (GapFacts, Party, Place) {
    let at = (285_000_000, -945_000_000);
    let facts = GapFacts {
        track: TrackId(1),
        mmsi: Mmsi(636_000_001),
        off_ms: START_MS,
        on_ms: Some(START_MS + 14 * HOUR_MS),
        until_ms: START_MS + 14 * HOUR_MS,
        off_e7: at,
        on_e7: Some((295_000_000, -945_000_000)),
        off_motion: (Some(100), Some(0)),
        fixes_before: 60,
        distance_m: Some(111_195.0),
        implied_kn: Some(4.3),
        undelivered_ms: 0,
        leaves_coverage: false,
        surprise_nats: Some(12.0),
    };
    (facts, party(636_000_001, says("LONER", TANKER, 240)), Place { zone: None, shore_m: Some(18_000.0), on_land: false, port: None })
}

fn lasts(facts: &mut GapFacts, hours: i64) {
    facts.until_ms = facts.off_ms + hours * HOUR_MS;
    facts.on_ms = Some(facts.until_ms);
}

type GapChange = fn(&mut GapFacts, &mut Party, &mut Place);

/// Every indicator of a silence, once.
const SILENCES: &[(&str, GapChange, &str, &[i32])] = &[
    ("as it is", |_, _, _| (), "coverage_surprise", &[45]),
    ("five nats", |g, _, _| g.surprise_nats = Some(5.0), "coverage_surprise", &[22]),
    ("two nats", |g, _, _| g.surprise_nats = Some(2.0), "coverage_surprise", &[0]),
    ("no witness", |g, _, _| g.surprise_nats = None, "coverage_surprise", &[0]),
    ("as it is", |_, _, _| (), "heard_before", &[15]),
    ("heard 13 times", |g, _, _| g.fixes_before = 13, "heard_before", &[]),
    ("at the rim", |g, _, _| g.leaves_coverage = true, "leaves_coverage", &[-40]),
    ("as it is", |_, _, _| (), "under_way", &[15]),
    ("at rest", |g, _, _| g.off_motion.0 = Some(20), "under_way", &[]),
    ("as it is", |_, _, _| (), "came_back", &[10]),
    ("still silent", |g, _, _| (g.on_ms, g.on_e7, g.distance_m, g.implied_kn) = (None, None, None, None), "came_back", &[]),
    ("as it is", |_, _, _| (), "long", &[10]),
    ("eleven hours", |g, _, _| lasts(g, 11), "long", &[]),
    ("still silent", |g, _, _| (g.on_ms, g.on_e7, g.distance_m, g.implied_kn) = (None, None, None, None), "not_back", &[-20]),
    ("a craft that says nothing of itself", |_, p, _| (p.particulars.ship_type, p.particulars.imo) = (0, 0), "carries_no_cargo", &[-30]),
    ("a pilot boat", |_, p, _| p.particulars.ship_type = PILOT, "carries_no_cargo", &[-30]),
    ("class B", |_, p, _| p.particulars.class = AisClass::B, "carries_no_cargo", &[-30]),
    ("in port, at rest", |g, _, at| (g.off_motion.0, at.port) = (Some(0), Some(("Port".into(), 3000.0))), "silent_where_it_lay", &[-45]),
    ("in port, where it came back", |g, _, at| (g.distance_m, at.on_land) = (Some(100.0), true), "silent_where_it_lay", &[-45]),
    ("past a port, under way", |_, _, at| at.port = Some(("Port".into(), 3000.0)), "silent_where_it_lay", &[]),
    ("as it is", |_, _, _| (), "silence", &[20]),
    ("eight hours", |g, _, _| lasts(g, 8), "silence", &[10]),
    ("five hours", |g, _, _| lasts(g, 5), "silence", &[0]),
    ("seven knots between its ends", |g, _, _| g.implied_kn = Some(7.0), "dark_transit", &[8]),
    ("as it is", |_, _, _| (), "tanker", &[8]),
    ("all of the dark", |g, _, _| g.implied_kn = Some(7.0), "tanker", &[7]),
    ("under 445", |_, p, _| p.mmsi = Mmsi(445_000_001), "north_korean_mmsi", &[50]),
    ("in mid-ocean", |_, _, at| at.shore_m = None, "open_sea", &[8]),
    ("where it is forbidden", |_, _, at| at.zone = zone("prohibited", 0.0, true), "prohibited_area", &[15]),
];

#[test]
fn every_indicator_of_a_silence_counts_what_it_says() {
    for (what, change, indicator, points) in SILENCES {
        let (mut facts, mut party, mut place) = silence();
        change(&mut facts, &mut party, &mut place);
        let (evidence, confidence, risk) = gap::judge(&facts, &party, Some(&[place]), &Params::default());
        assert_eq!(counted(&evidence, indicator), *points, "{what}: {indicator}");
        adds_up(&evidence, confidence, risk).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
}

/// The tables above and [`the_same_ship_in_another_meeting_is_a_pattern`] name every indicator there is.
#[test]
fn the_tables_leave_no_indicator_out() {
    let named: BTreeSet<&str> = MEETINGS.iter().map(|r| r.2).chain(SILENCES.iter().map(|r| r.2)).chain(["sum_clamped", "second_meeting"]).collect();
    let mut seen = BTreeSet::new();
    for source in ["rendezvous", "gap", "ledger"] {
        let path = format!("{}/src/score/{source}.rs", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        // `indicator: "x"`, and the words that a choice of indicators is made among.
        for line in text.lines().filter(|l| l.contains("indicator") || l.contains("w.") || l.contains("=> (0, \"") || l.contains("(0, \"")) {
            for word in line.split('"').skip(1).step_by(2).filter(|w| w.contains('_') && w.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
                seen.insert(word.to_owned());
            }
        }
    }
    // Kinds of zones stand in the same lines.
    let zones = ["sanctions_hotspot", "legal_lightering"];
    let missing: Vec<_> = seen.iter().filter(|s| !named.contains(s.as_str()) && !zones.contains(&s.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(seen.len() > 35, "{}", seen.len());
}

/// What looks like a transfer and is none stays below 50 by its evidence; `held` is what holds it down most.
#[test]
fn look_alikes_stay_below_fifty() {
    let quay = |c: &mut Case| (c.facts.scatter_m, c.facts.heading_arc_deg, c.facts.moved_as_one) = ([3.0; 2], [Some(0.0); 2], None);
    let swing = |c: &mut Case| {
        (c.facts.median_m, c.facts.p10_m, c.facts.p90_m, c.facts.moved_as_one) = (320.0, 250.0, 400.0, Some(0.2));
    };
    let near = |c: &mut Case| (c.facts.p10_m, c.facts.p90_m, c.facts.moved_as_one) = (35.0, 90.0, None);
    let table: Vec<(&str, Case, &str)> = vec![
        ("two tankers at a quay", transfer().with(quay), "made_fast_to_the_ground"),
        ("hull to hull at a quay", transfer().with(quay).with(|c| c.facts.median_m = 18.0), "made_fast_to_the_ground"),
        ("two tankers anchored side by side", transfer().with(swing), "each_for_itself"),
        ("anchored nearer, swinging out of step", transfer().with(swing).with(|c| c.facts.median_m = 180.0), "each_for_itself"),
        ("a tug pushing for an hour", transfer().with(near).with(|c| _ = c.types(TUG, TANKER).hours(1.1)), "tug_work"),
        ("a tug between two jobs beside a tug", transfer().with(near).with(|c| _ = c.types(TUG, TUG).hours(3.0)), "types_work_craft"),
        ("a pilot boarding slowly", transfer().with(near).with(|c| _ = c.types(PILOT, TANKER).hours(1.1)), "types_carry_no_cargo"),
        ("two yachts at anchor", transfer().with(near).with(|c| _ = c.types(YACHT, YACHT).hours(10.0)), "types_carry_no_cargo"),
        ("yachts in a marina", transfer().with(quay).with(|c| _ = c.types(YACHT, YACHT)), "types_carry_no_cargo"),
        ("yachts rafted at anchor", transfer().with(|c| _ = c.types(YACHT, YACHT)), "types_carry_no_cargo"),
        ("a tug made fast for an hour", transfer().with(|c| _ = c.types(TUG, TANKER).hours(1.1)), "tug_work"),
        (
            "anchored neighbours that send no heading",
            transfer().with(|c| (c.facts.median_m, c.facts.p10_m, c.facts.p90_m, c.facts.moved_as_one) = (282.0, 245.0, 319.0, None)),
            "each_for_itself",
        ),
        ("too far apart for their hulls", transfer().with(|c| (c.facts.median_m, c.facts.moved_as_one) = (420.0, None)), "contact_impossible"),
    ];
    for (what, case, held) in table {
        let verdict = case.judge();
        assert!(verdict.confidence < 50, "{what}: {}", verdict.confidence);
        let most = verdict.evidence.iter().filter(|e| e.score == C).min_by_key(|e| e.counted).unwrap();
        assert_eq!(most.indicator, held, "{what}");
        // Nothing but the ships' own doing holds it down: it is the same without a map.
        assert!(case.with(|c| c.context.place = None).judge().confidence < 50, "{what} without a map");
    }
}

#[test]
fn random_evidence_adds_up() {
    let metres = || 0.0..800.0f64;
    let ships = || {
        (
            prop_oneof![0..100u16, Just(1024u16)],
            0..4000u16,
            0..600u16,
            prop_oneof![Just(0u32), 1_000_000..9_999_999u32],
            200_000_000..800_000_000u32,
            any::<bool>(),
        )
    };
    let motion = (metres(), metres(), metres(), prop::option::of(0.0..=1.0f64), (0.0..50.0f64, 0.0..500.0f64), 0.0..7.0f64, 0.0..2.0f64);
    let rest = (60..3000i64, 0.0..=1.0f64, (0..50u32, 0..50u32), 0..9u32, 0.0..=1.0f64, prop::option::of(6.0..90.0f64), any::<bool>());
    let place = (0..7usize, 0.0..10.0f64, any::<bool>(), prop::option::of(0.0..900_000.0f64), any::<bool>());
    let (clamped, believed) = (Cell::new(0), Cell::new(0));
    for_all(512, &(motion, rest, ships(), ships(), place), |(m, r, first, second, p)| {
        let case = transfer().with(|c| {
            let f = &mut c.facts;
            (f.median_m, f.p10_m, f.p90_m) = (m.0, m.0 - m.1.min(m.0), m.0 + m.2);
            (f.moved_as_one, f.scatter_m, f.speed_kn, f.relative_kn) = (m.3, [m.4.0, m.4.1], [m.5, m.5 / 2.0], m.6);
            f.end_ms = f.start_ms + r.0 * 60_000;
            f.observed_ms = (r.1 * (f.end_ms - f.start_ms) as f64) as i64;
            (f.fixes, f.neighbours, f.night_share) = ([r.2.0, r.2.1], r.3, r.4);
            (c.context.gap_h, c.context.assist_tug) = (r.5, r.6);
            for (party, s) in c.parties.iter_mut().zip([&first, &second]) {
                let says = &mut party.particulars;
                (says.ship_type, says.length_dm, says.beam_dm, says.imo) = (s.0, s.1, s.2, s.3);
                (party.mmsi, party.shared_mmsi) = (Mmsi(s.4), s.5);
            }
            let kinds = ["sanctions_hotspot", "prohibited", "legal_lightering", "legal_bulk", "bunkering", "mixed"];
            *c.place() = Place { zone: kinds.get(p.0).and_then(|k| zone(k, p.1, p.2)), shore_m: p.3, on_land: p.4, port: None };
        });
        let verdict = case.judge();
        prop_assert_eq!(adds_up(&verdict.evidence, verdict.confidence, verdict.risk), Ok(()));
        // The place can only take from the confidence: who is below without it need not be looked up.
        let anywhere = case.clone().with(|c| c.context.place = None).judge().confidence;
        prop_assert!(verdict.confidence <= anywhere);
        // Zones and lists never touch the confidence.
        let unzoned = case.clone().with(|c| c.place().zone = None).judge();
        prop_assert_eq!(verdict.confidence, unzoned.confidence);
        clamped.set(clamped.get() + counted(&verdict.evidence, "sum_clamped").len());
        believed.set(believed.get() + usize::from(verdict.confidence >= 50));
        Ok(())
    });
    assert!(clamped.get() > 50 && believed.get() > 5, "{clamped:?} {believed:?}");
}

// From findings to a book.

const FORBIDDEN: &str = "id,name,lat,lon,radius_nm,wkt,kind,cargo,valid_from,valid_to,may_score\nbay,Forbidden Bay,28.5,-94.5,30,,prohibited,any,,,true\n";
const NOWHERE: &str = "id,name,lat,lon,radius_nm,wkt,kind,cargo,valid_from,valid_to,may_score\n";

fn book_of(meetings: &[Case], gaps: &[(GapFacts, Party)], zones: &str, min_confidence: i32) -> Book {
    let zones = Zones::parse(zones).unwrap();
    let refs = References { zones: &zones, ports: Ports::embedded(), coast: Coast::embedded() };
    let meetings = meetings.iter().map(|c| (c.facts.clone(), c.parties.clone())).collect();
    let findings = Findings { meetings, gaps: gaps.to_vec(), ..Findings::default() };
    book::write_up(findings, refs, &Params::default(), min_confidence)
}

/// A transfer between two numbers, so many hours after the start.
fn between(first: u32, second: u32, hour: i64) -> Case {
    transfer().with(|c| {
        c.parties = [party(first, says("A", TANKER, 250)), party(second, says("B", TANKER, 240))];
        (c.facts.tracks, c.facts.mmsis) = ([c.parties[0].track, c.parties[1].track], [c.parties[0].mmsi, c.parties[1].mmsi]);
        c.facts.start_ms += hour * HOUR_MS;
        c.facts.end_ms += hour * HOUR_MS;
    })
}

/// Transfers, look-alikes and silences, in the Gulf and elsewhere.
fn some() -> (Vec<Case>, Vec<(GapFacts, Party)>) {
    let far = |c: &mut Case| (c.facts.mean_e7, c.facts.start_e7, c.facts.end_e7) = ((0, 0), [(0, 0); 2], [(0, 0); 2]);
    let quay = |c: &mut Case| (c.facts.scatter_m, c.facts.heading_arc_deg, c.facts.moved_as_one) = ([3.0; 2], [Some(0.0); 2], None);
    let meetings = vec![
        between(538_000_001, 636_000_001, 0),
        between(538_000_002, 636_000_002, 1).with(far),
        between(538_000_003, 636_000_003, 2).with(quay),
        between(538_000_004, 636_000_004, 3).with(far).with(quay),
        between(538_000_001, 636_000_005, 30),
    ];
    let (gap, party, _) = silence();
    let thin = GapFacts { surprise_nats: None, leaves_coverage: true, off_ms: gap.off_ms + 1000, track: TrackId(9), mmsi: Mmsi(538_000_009), ..gap.clone() };
    let other = Party { mmsi: thin.mmsi, track: thin.track, ..party.clone() };
    (meetings, vec![(gap, party), (thin, other)])
}

#[test]
fn zones_never_make_or_unmake_an_event() {
    let (meetings, gaps) = some();
    for min_confidence in [0, 50] {
        let with = book_of(&meetings, &gaps, FORBIDDEN, min_confidence);
        let without = book_of(&meetings, &gaps, NOWHERE, min_confidence);
        let plain = |b: &Book| b.events.iter().map(|e| (e.id.clone(), e.kind, e.confidence, e.start_ms, e.cluster_id.clone())).collect::<Vec<_>>();
        assert_eq!(plain(&with), plain(&without));
        assert_eq!((&with.counts, &with.held_back), (&without.counts, &without.held_back));
        let risks = |b: &Book| b.events.iter().map(|e| e.risk).sum::<i32>();
        assert!(risks(&with) > risks(&without), "the zone did count");
    }
}

#[test]
fn the_least_confidence_cuts_a_book_and_changes_nothing_in_it() {
    let (meetings, gaps) = some();
    let all = book_of(&meetings, &gaps, FORBIDDEN, 0);
    assert_eq!(all.events.len(), 7);
    let some: Vec<&Event> = all.events.iter().filter(|e| e.confidence >= 50).collect();
    assert_eq!(book_of(&meetings, &gaps, FORBIDDEN, 50).events.iter().collect::<Vec<_>>(), some);
    assert!(some.len() > 2 && some.len() < 7);
    for book in [&all, &book_of(&meetings, &gaps, FORBIDDEN, 50)] {
        assert_eq!(book.counts[&Kind::Rendezvous], (5, 2));
        assert_eq!(book.counts[&Kind::Gap], (2, 1));
        assert_eq!(book.held_back[&(Kind::Rendezvous, "made_fast_to_the_ground")], 2);
        assert_eq!(book.held_back[&(Kind::Gap, "leaves_coverage")], 1);
    }
    for event in &all.events {
        adds_up(&event.evidence, event.confidence, event.risk).unwrap();
        assert_eq!(event.risk_band().is_none(), event.confidence < 50);
    }
    assert!(all.events.windows(2).all(|w| w[0].start_ms <= w[1].start_ms));
}

/// Ships of random types that all met, some of them as they would transfer: whether what will not be written is let go at once or
/// carried to the end, the book is the same to the last reason.
#[test]
fn letting_go_of_faint_meetings_changes_nothing() {
    let kind = || prop_oneof![Just(TUG), Just(TANKER), Just(CARGO), Just(YACHT), Just(0)];
    let meeting =
        (0..3usize, 0.0..400.0f64, prop_oneof![0.0..1.0f64, Just(100.0), 0.0..300.0f64], 0..8i64, 1..10i64, any::<bool>(), prop::option::of(0.0..=1.0f64));
    let reasons = std::cell::RefCell::new(BTreeSet::new());
    let (let_go, kept, assisted) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let drawn = (prop::collection::vec(kind(), 8), prop::collection::vec(meeting, 28), 0..3usize, -60..5i32, any::<bool>());
    for_all(128, &drawn, |(types, motions, strictness, dense, twice)| {
        let mut params = Params::default();
        if strictness == 2 {
            (params.score.crowd_dense, params.score.assist_tug) = (dense, -dense / 2);
        }
        let pairs = (0..8).flat_map(|i| (i + 1..8).map(move |j| (i, j)));
        let mut meetings: Vec<(RendezvousFacts, [Party; 2])> = Vec::new();
        for ((i, j), m) in pairs.zip(&motions).filter(|(_, m)| m.0 > 0) {
            let ship = |k: usize| {
                let mut ship = party(538_000_001 + k as u32, says("SHIP", types[k], 200));
                ship.particulars.imo = if k.is_multiple_of(3) { 0 } else { 9_074_729 };
                ship
            };
            let case = transfer().with(|c| {
                c.parties = [ship(i), ship(j)];
                let f = &mut c.facts;
                (f.tracks, f.mmsis) = (c.parties.clone().map(|p| p.track), c.parties.clone().map(|p| p.mmsi));
                (f.median_m, f.p10_m, f.p90_m, f.moved_as_one) = (m.1, m.1, m.1 + m.2, m.6);
                f.start_ms += m.3 * HOUR_MS / 2;
                f.end_ms = f.start_ms + m.4 * HOUR_MS;
                f.observed_ms = f.end_ms - f.start_ms;
                if m.5 {
                    (f.scatter_m, f.heading_arc_deg) = ([3.0; 2], [Some(0.0); 2]);
                }
            });
            if twice && i % 2 == 0 {
                let mut again = case.facts.clone();
                (again.start_ms, again.end_ms) = (again.start_ms + 12 * HOUR_MS, again.end_ms + 12 * HOUR_MS);
                meetings.push((again, case.parties.clone()));
            }
            meetings.push((case.facts, case.parties));
        }
        let min_confidence = [50, 20, 50][strictness];
        let zones = Zones::parse(NOWHERE).unwrap();
        let refs = References { zones: &zones, ports: Ports::embedded(), coast: Coast::embedded() };
        let whole = book::write_up(Findings { meetings: meetings.clone(), ..Findings::default() }, refs, &params, min_confidence);
        let mut findings = Findings::default();
        for (facts, parties) in meetings {
            match Faint::of(&facts, &parties, book::worth_keeping(min_confidence), &params) {
                Some(faint) => findings.faint.push(faint),
                None => findings.meetings.push((facts, parties)),
            }
        }
        let_go.set(let_go.get() + findings.faint.len());
        kept.set(kept.get() + whole.events.len());
        assisted.set(assisted.get() + whole.events.iter().filter(|e| e.evidence.iter().any(|r| r.indicator == "assist_tug")).count());
        let book = book::write_up(findings, refs, &params, min_confidence);
        prop_assert_eq!(&book.events, &whole.events);
        prop_assert_eq!((&book.counts, &book.held_back), (&whole.counts, &whole.held_back));
        reasons.borrow_mut().extend(book.held_back.into_keys().map(|(_, reason)| reason));
        Ok(())
    });
    assert!(let_go.get() > 500 && kept.get() > 200 && assisted.get() > 50, "{let_go:?} {kept:?} {assisted:?}");
    assert!(reasons.borrow().contains("neighbours") && reasons.borrow().len() > 4, "{reasons:?}");
}

#[test]
fn the_order_of_the_findings_changes_nothing() {
    let (mut meetings, mut gaps) = some();
    let before = book_of(&meetings, &gaps, FORBIDDEN, 0);
    meetings.reverse();
    gaps.reverse();
    assert_eq!(book_of(&meetings, &gaps, FORBIDDEN, 0).events, before.events);
}

#[test]
fn the_same_ship_in_another_meeting_is_a_pattern() {
    let day = 24;
    for (apart_days, pattern) in [(3, true), (13, true), (16, false)] {
        let book = book_of(&[between(538_000_001, 636_000_001, 0), between(538_000_001, 636_000_002, apart_days * day)], &[], NOWHERE, 0);
        for event in &book.events {
            assert_eq!(counted(&event.evidence, "second_meeting"), if pattern { vec![8] } else { vec![] }, "{apart_days} days");
            adds_up(&event.evidence, event.confidence, event.risk).unwrap();
        }
    }
}

#[test]
fn meetings_that_follow_within_a_day_are_one_cluster_of_seven_days() {
    let chain = |hours: &[i64]| -> Vec<bool> {
        let cases: Vec<Case> = hours.iter().enumerate().map(|(k, h)| between(538_000_001, 636_000_001 + k as u32, *h)).collect();
        let book = book_of(&cases, &[], NOWHERE, 0);
        let head = book.events[0].id.clone();
        book.events.iter().map(|e| e.cluster_id.as_deref() == Some(&head)).collect()
    };
    // Eight hours each: the next begins 16, then 24, then 25 hours after the end before.
    assert_eq!(chain(&[0, 24]), [true, true]);
    assert_eq!(chain(&[0, 32]), [true, true]);
    assert_eq!(chain(&[0, 33]), [true, false]);
    // Chained day by day, but not beyond seven days of the first.
    assert_eq!(chain(&[0, 30, 60, 90, 120, 150, 168, 190]), [true, true, true, true, true, true, true, false]);
}

#[test]
fn a_silence_near_a_meeting_tells_only_where_others_were_heard() {
    let (gap, ..) = silence();
    let meeting = between(538_000_001, 636_000_001, 36);
    let of = |change: &dyn Fn(&mut GapFacts)| {
        let mut g = GapFacts { track: meeting.facts.tracks[1], ..gap.clone() };
        change(&mut g);
        let book = book_of(std::slice::from_ref(&meeting), &[(g.clone(), party(636_000_001, says("B", TANKER, 240)))], NOWHERE, 0);
        let event = book.events.iter().find(|e| e.kind == Kind::Rendezvous).unwrap();
        counted(&event.evidence, "silent_near_the_event")
    };
    let none: &[i32] = &[];
    assert_eq!(of(&|_| ()), [25], "14 hours, until 22 before");
    assert_eq!(of(&|g| lasts(g, 11)), none, "over 25 hours before");
    assert_eq!(of(&|g| g.leaves_coverage = true), none);
    assert_eq!(of(&|g| g.surprise_nats = Some(2.9)), none);
    assert_eq!(of(&|g| g.track = TrackId(77)), none, "another ship's");
}

#[test]
fn a_band_is_told_from_confidence_fifty_on() {
    let (meetings, _) = some();
    let event = |confidence, risk| Event { confidence, risk, ..book_of(&meetings[..1], &[], NOWHERE, 0).events[0].clone() };
    for (risk, band) in [(0, "low"), (24, "low"), (25, "elevated"), (49, "elevated"), (50, "high"), (74, "high"), (75, "severe"), (100, "severe")] {
        assert_eq!(event(50, risk).risk_band(), Some(band));
        assert_eq!(event(49, risk).risk_band(), None);
    }
}

#[test]
fn the_name_of_an_event_is_its_kind_ships_and_start_second() {
    let ships = [Mmsi(538_000_001), Mmsi(636_000_001)];
    let name = event_id(Kind::Rendezvous, &ships, START_MS);
    assert_eq!(name.len(), 16);
    assert_eq!(name, event_id(Kind::Rendezvous, &ships, START_MS + 499));
    assert_eq!(name, event_id(Kind::Rendezvous, &ships, START_MS - 500));
    let others = [event_id(Kind::Gap, &ships, START_MS), event_id(Kind::Rendezvous, &ships[..1], START_MS), event_id(Kind::Rendezvous, &ships, START_MS + 500)];
    assert!(others.iter().all(|o| *o != name));
}

#[test]
fn neighbours_are_counted_where_they_lay_as_near_for_most_of_the_time() {
    // Five ships in a row, each met by the next for all of the time, and a sixth for a short while only.
    let mut cases: Vec<Case> = (1..5).map(|k| between(538_000_001, 538_000_001 + k, 0)).collect();
    cases.push(between(538_000_001, 538_000_006, 0).with(|c| _ = c.hours(2.0)));
    cases.push(between(538_000_001, 538_000_007, 0).with(|c| c.facts.median_m = 151.0));
    let book = book_of(&cases, &[], NOWHERE, 0);
    let counts: Vec<u32> = book.events.iter().map(|e| e.rendezvous.as_ref().unwrap().neighbours).collect();
    // In the order of the numbers: the short one has the four beside it, and so has the far one; the row has neither.
    assert_eq!(counts, [3, 3, 3, 3, 4, 4]);
}

// What people read.

#[test]
fn summaries_can_be_read_aloud() {
    let say = |change: fn(&mut Case)| {
        let case = transfer().with(change);
        let place = case.context.place.clone().unwrap();
        rendezvous::summary(&case.facts, &case.parties, &place, case.judge().contact)
    };
    insta::assert_snapshot!(say(|_| ()), @"FIRST (tanker) and SECOND (tanker) lay 60 m apart for 8.0 hours, moving as one, 10 nm off shore, 32 nm from Galveston (US).");
    insta::assert_snapshot!(say(|c| {
        c.parties[0].particulars = Particulars::default();
        c.facts.speed_kn = [4.0, 4.1];
        c.facts.moved_as_one = Some(0.3);
        *c.place() = Place { zone: zone("prohibited", 0.0, true), ..Place::default() };
    }), @"MMSI 538000001 and SECOND (tanker) went 60 m apart for 8.0 hours, each moving for itself, far from any shore in the zone the prohibited.");
    insta::assert_snapshot!(say(|c| {
        (c.facts.median_m, c.facts.moved_as_one) = (420.0, None);
        *c.place() = Place { zone: zone("mixed", 4.2, true), shore_m: Some(900.0), ..Place::default() };
    }), @"FIRST (tanker) and SECOND (tanker) lay 420 m apart for 8.0 hours, too far apart for their hulls to touch, close to shore, 4 nm from the zone the mixed.");
    insta::assert_snapshot!(say(|c| {
        c.facts.moved_as_one = None;
        *c.place() = Place { on_land: true, ..Place::default() };
    }), @"FIRST (tanker) and SECOND (tanker) lay 60 m apart for 8.0 hours, in inland water.");
    let (mut facts, party, place) = silence();
    insta::assert_snapshot!(gap::summary(&facts, &party, &place), @"LONER (tanker) fell silent while others there were heard, 10 nm off shore, and came back after 14.0 hours, 60 nm away.");
    (facts.on_ms, facts.on_e7, facts.distance_m, facts.surprise_nats) = (None, None, None, None);
    facts.until_ms = START_MS + 48 * HOUR_MS;
    insta::assert_snapshot!(gap::summary(&facts, &party, &place), @"LONER (tanker) fell silent where nobody else could tell, 10 nm off shore, and was still silent 48.0 hours later, when the data end.");
    facts.surprise_nats = Some(1.0);
    insta::assert_snapshot!(gap::summary(&facts, &party, &place), @"LONER (tanker) fell silent where reception is thin, 10 nm off shore, and was still silent 48.0 hours later, when the data end.");
}

#[test]
fn contact_is_judged_by_what_the_hulls_can_bridge() {
    // 250 and 240 m long, 41 and 40 m wide: 245 along, 81 across, 50 for errors: 376 m.
    let of = |change: &dyn Fn(&mut Case)| {
        let mut case = transfer();
        change(&mut case);
        rendezvous::contact(&case.facts, &case.parties, &Params::default())
    };
    assert_eq!(of(&|c| c.facts.median_m = 25.0), Contact::Touching);
    assert_eq!(of(&|c| c.facts.median_m = 26.0), Contact::Possible);
    assert_eq!(of(&|c| c.facts.median_m = 375.0), Contact::Possible);
    assert_eq!(of(&|c| c.facts.median_m = 378.0), Contact::Impossible);
    assert_eq!(of(&|c| c.parties[1].particulars.length_dm = 0), Contact::Unknown);
    assert_eq!(of(&|c| c.parties[0].particulars.beam_dm = 0), Contact::Unknown);
}

/// Gap with port and starboard as sent and exchanged, in metres. What is known of the hulls goes before what the antennas allow.
#[test]
fn contact_is_judged_by_the_hulls_where_they_are_known() {
    use Contact::{Impossible, Possible, Touching};
    for (gaps, wanted) in [
        ([0.0, 0.0], Touching),
        ([25.0, 25.0], Touching),
        ([25.0, 26.0], Possible),
        ([0.0, 300.0], Possible),
        ([300.0, 0.0], Possible),
        ([26.0, 26.0], Possible),
        ([50.0, 80.0], Possible),
        ([51.0, 51.0], Impossible),
    ] {
        for (median_m, length_dm) in [(60.0, 2500), (340.0, 2500), (400.0, 2500), (60.0, 0)] {
            let mut case = transfer();
            (case.facts.hull_gap_m, case.facts.median_m, case.parties[0].particulars.length_dm) = (Some(gaps), median_m, length_dm);
            assert_eq!(rendezvous::contact(&case.facts, &case.parties, &Params::default()), wanted, "{gaps:?}, antennas {median_m} m apart");
            let verdict = case.judge();
            assert_eq!(verdict.contact, wanted);
            adds_up(&verdict.evidence, verdict.confidence, verdict.risk).unwrap();
        }
    }
    // Antennas stand inside the hulls, whatever is said of where.
    let case = transfer().with(|c| (c.facts.median_m, c.facts.hull_gap_m) = (24.0, Some([60.0, 60.0])));
    assert_eq!(case.judge().contact, Touching);
    let said = |gaps| transfer().with(|c| c.facts.hull_gap_m = Some(gaps)).judge().evidence.into_iter().find(|e| e.family == "contact").unwrap().value;
    assert_eq!(said([3.2, 3.4]), "3");
    assert_eq!(said([3.2, 17.4]), "3, with port and starboard exchanged 17");
    // What counts as alongside is a parameter.
    let mut params = Params::default();
    params.score.touching_m = alongside::units::Metres::of(10.0);
    let case = transfer().with(|c| c.facts.hull_gap_m = Some([12.0, 12.0]));
    assert_eq!(rendezvous::contact(&case.facts, &case.parties, &params), Possible);
}

#[test]
fn a_number_that_no_ship_can_have_proves_nothing() {
    let fits = |imo| {
        let case = transfer().with(|c| c.parties[0].particulars.imo = imo);
        counted(&case.judge().evidence, "types_fit")
    };
    assert_eq!((fits(9_074_729), fits(9_074_728), fits(0)), (vec![10], vec![], vec![]));
}
