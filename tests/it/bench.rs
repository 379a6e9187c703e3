//! `bench`: every way measured, the same answers, reports kept and compared, and refused where they do not fit.

use crate::cli::{Scratch, run};
use crate::ingest::{Row, csv, drawn_day};
use crate::support::{CHARTS, GULF, START_MS, drawn_at, meetings};
use alongside::lab::bench::{Report, search};
use alongside::lab::{self, Layout};
use alongside::model::Params;
use alongside::model::time::parse_day;
use serde_json::Value;

/// A folder with a day of simulated traffic in `ais`.
fn traffic() -> Scratch {
    let scratch = Scratch::new();
    let start_day = parse_day("2024-03-01").unwrap();
    let plan = lab::Plan { out: scratch.path("made"), seed: 7, days: 1, start_day, ships: 150, interval_s: 240.0, layout: Layout::Legacy, compress: false };
    lab::simulate(&plan).unwrap();
    scratch
}

const QUICK: [&str; 6] = ["--runs", "1", "--threads", "1,2", "--reach", "100,500,5000"];

fn bench(scratch: &Scratch, input: &str, more: &[&str]) -> crate::cli::Done {
    run(scratch, &[&["bench", input], &QUICK[..], more].concat(), None)
}

#[test]
fn the_table_holds_every_way_and_is_narrow() {
    let scratch = traffic();
    let done = bench(&scratch, "made/ais", &[]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{}", done.stdout);
    for name in
        ["* rstar ", "rstar, nodes of 32", "sif ", "sif, nodes of 32", "grid ", "brute ", "rstar, runs of 500 m", "rstar, runs of 12 h", "grid, 1 thread"]
    {
        assert!(done.stdout.contains(name), "{name}: {}", done.stdout);
    }
    for name in
        ["enter 100, leave 150 m", "enter 5000, leave 7500 m", "nearest port", "zone", "distance to shore", "on land", "All ways gave the same meetings"]
    {
        assert!(done.stdout.contains(name), "{name}: {}", done.stdout);
    }
    assert!(done.stdout.lines().all(|l| l.chars().count() <= 110), "{}", done.stdout);
}

#[test]
fn the_json_says_the_same() {
    let scratch = traffic();
    let done = bench(&scratch, "made/ais", &["--json"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let report: Report = serde_json::from_str(&done.stdout).unwrap();
    assert!(report.calibration_ms > 0.0 && report.input.vessels > 100 && report.input.fixes > 1000);
    assert_eq!(report.input.days, ("2024-03-01".into(), "2024-03-01".into()));
    assert_eq!(report.searches.iter().filter(|r| r.is_base).count(), 3, "one for each reach");
    for row in &report.searches {
        let (Some(m), Some(ratios)) = (&row.measured, &row.to_base) else { panic!("{} was left out", row.name) };
        let base = report.searches.iter().find(|r| r.is_base && r.enter_m == row.enter_m).unwrap();
        let base_m = base.measured.as_ref().unwrap();
        assert_eq!((&m.answers, m.meetings), (&base_m.answers, base_m.meetings), "{}", row.name);
        assert!(m.entries > 0 && m.memory_bytes > 0 && m.meetings > 0, "{}", row.name);
        assert!(ratios.entries.is_some() && (!row.is_base || ratios.query == Some(1.0)));
        // The same runs give the same candidates by any index.
        if row.run_extent_m == base.run_extent_m && row.run_h == base.run_h {
            assert_eq!((m.entries, m.candidates, m.exact_tests, m.hits), (base_m.entries, base_m.candidates, base_m.exact_tests, base_m.hits), "{}", row.name);
        }
    }
    let meetings: Vec<u64> = report.searches.iter().filter(|r| r.is_base).map(|r| r.measured.as_ref().unwrap().meetings).collect();
    assert!(meetings[1] < meetings[0] && meetings[0] < meetings[2], "more within 5 km than within 500 m than within 100: {meetings:?}");
    assert!(report.places.len() == 4 && report.places.iter().all(|p| p.compared > 0 && p.per_second > 0.0));
}

#[test]
fn a_report_is_kept_and_compared() {
    let scratch = traffic();
    let done = bench(&scratch, "made/ais", &["--save", "before.json", "-q"]);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, "", ""));
    let done = bench(&scratch, "made/ais", &["--against", "before.json", "--save", "before.json"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("Against the earlier report") && done.stdout.contains(" slower by more than 15 %"), "{}", done.stdout);
    assert!(done.stdout.lines().all(|l| l.chars().count() <= 110), "{}", done.stdout);
    let report: Report = serde_json::from_slice(&scratch.read("before.json")).unwrap();
    assert_eq!(report.against.len(), report.searches.len(), "every way has its line");

    // Ten times as fast before: slower now. Only what is measured in more than a moment counts.
    let mut old: Value = serde_json::from_slice(&scratch.read("before.json")).unwrap();
    for row in old["searches"].as_array_mut().unwrap() {
        row["measured"]["build_ms"] = 0.01.into();
        row["measured"]["query_ms"] = 0.01.into();
    }
    scratch.put("fast.json", old.to_string().as_bytes());
    let done = bench(&scratch, "made/ais", &["--against", "fast.json", "--json"]);
    let report: Report = serde_json::from_str(&done.stdout).unwrap();
    for row in &report.against {
        let now = report.searches.iter().find(|r| r.group == row.group && r.name == row.name).unwrap();
        let ms = now.measured.as_ref().unwrap().search_ms();
        assert!(row.ratios.search.unwrap() > 1.0);
        assert!(row.verdict == "slower" || ms < 5.0, "{} {ms}", row.name);
    }
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let scratch = traffic();
    scratch.put("day.csv", &csv(&drawn_day()));
    let refused = |done: crate::cli::Done, code: i32, words: &str| {
        assert_eq!((done.code, done.stdout.as_str()), (code, ""), "{}", done.stderr);
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    };
    assert_eq!(bench(&scratch, "made/ais", &["--save", "sim.json", "-q"]).code, 0);
    refused(bench(&scratch, "day.csv", &["--against", "sim.json"]), 3, "of other input");
    refused(bench(&scratch, "made/ais", &["--against", "made/labels.csv"]), 3, "not a report");
    refused(bench(&scratch, "made/ais", &["--against", "none.json"]), 3, "none.json");
    // Other answers to the same input.
    let mut old: Value = serde_json::from_slice(&scratch.read("sim.json")).unwrap();
    old["searches"][0]["measured"]["answers"] = "0123456789abcdef".into();
    scratch.put("other.json", old.to_string().as_bytes());
    refused(bench(&scratch, "made/ais", &["--against", "other.json"]), 3, "other answers");
    // The same counts, other positions.
    old["input"]["digest"] = "0123456789abcdef".into();
    scratch.put("other.json", old.to_string().as_bytes());
    refused(bench(&scratch, "made/ais", &["--against", "other.json"]), 3, "of other input");
    // What is there and no report of ours is not replaced.
    let before = scratch.read("day.csv");
    refused(bench(&scratch, "made/ais", &["--save", "day.csv"]), 5, "exists already");
    assert_eq!(scratch.read("day.csv"), before);
    refused(bench(&scratch, "made/ais", &["--save", "no/such/folder.json"]), 5, "no such folder");
    refused(bench(&scratch, "made/labels.csv", &[]), 3, "labels.csv");
    refused(run(&scratch, &["bench", "day.csv", "--threads", "0"], None), 2, "--threads");
    refused(run(&scratch, &["bench", "day.csv", "--reach", "0"], None), 2, "--reach");
    refused(run(&scratch, &["bench", "day.csv", "--bbox", "1,2,3"], None), 2, "--bbox");
}

#[test]
fn a_day_without_meetings_is_measured_too() {
    let scratch = Scratch::new();
    scratch.put("calm.csv", &csv(&[Row::of(366_000_001)]));
    let done = bench(&scratch, "calm.csv", &[]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(done.stdout.contains("* rstar"), "{}", done.stdout);
}

#[test]
fn meetings_that_differ_are_named() {
    let drawing = "~~~##################~~~";
    let near = drawn_at(GULF, [366_000_001, 366_000_002], START_MS, 5, drawing);
    let far = drawn_at(CHARTS[1], [366_000_003, 366_000_004], START_MS, 5, drawing);
    let facts = meetings(&[near, far].concat(), &Params::default());
    assert_eq!(facts.len(), 2);
    assert_eq!(search::first_difference(&facts, &facts), None);
    let mut other = facts.clone();
    other[1].median_m = f64::from_bits(other[1].median_m.to_bits() + 1);
    let told = search::first_difference(&facts, &other).expect("the last bit counts");
    assert!(told.contains("meeting 2") && told.contains(&facts[1].mmsis[0].0.to_string()), "{told}");
    let told = search::first_difference(&facts, &facts[..1]).expect("one is missing");
    assert!(told.starts_with("1 meetings and 2; meeting 2 is nothing and"), "{told}");
}
