//! The committed two days: made again they are the same bytes, and the detector finds what is in them.
//!
//! The floors are below what was measured (said above each test), so that a change of weights may move an event, and a loss of kind or
//! scenario may not pass. `cargo test --release --test it golden -- --nocapture` prints the tables.

use alongside::lab::{self, Layout, Plan, evaluate, labels};
use alongside::model::time::parse_day;
use alongside::run::oneshot;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// What `fixtures/README.md` says.
fn plan(out: PathBuf) -> Plan {
    let start_day = parse_day("2024-03-01").unwrap();
    Plan { out, seed: 1, days: 2, start_day, ships: 240, interval_s: 240.0, layout: Layout::Legacy, compress: true }
}

fn report(input: &Path, labels_file: &Path) -> evaluate::Report {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let inputs = vec![input.to_str().unwrap().to_owned()];
    let plan = oneshot::Plan { min_confidence: 0, formats: vec![oneshot::Format::Csv], ..oneshot::Plan::new(inputs, out.clone()) };
    let outcome = oneshot::detect(&plan, &|_| ()).unwrap();
    assert!(outcome.refused.is_empty());
    let report = evaluate::compare(&evaluate::read_events(&out).unwrap(), &labels::read(labels_file).unwrap(), 50);
    println!("{}", evaluate::table(&report));
    report
}

fn check(report: &evaluate::Report, kind: &str, recall: f64, precision: f64) {
    let of = report.kinds.iter().find(|k| k.kind == kind).unwrap();
    assert!(of.recall.unwrap() >= recall, "{kind}: {of:?}, missed {:?}", report.missed);
    assert!(of.precision.unwrap() >= precision, "{kind}: {of:?}, wrong {:?}", report.wrong);
}

#[test]
fn the_fixture_made_again_is_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    lab::simulate(&plan(out.clone())).unwrap();
    for (made, kept) in [
        ("ais/ais-2024-03-01.csv.zst", "two-days/ais-2024-03-01.csv.zst"),
        ("ais/ais-2024-03-02.csv.zst", "two-days/ais-2024-03-02.csv.zst"),
        ("labels.csv", "two-days.labels.csv"),
    ] {
        let same = std::fs::read(out.join(made)).unwrap() == std::fs::read(fixture(kept)).unwrap();
        assert!(same, "{kept} differs: make it again as fixtures/README.md says, and look at what changed");
    }
}

/// Measured: rendezvous recall 1.00 (30 of 30), precision 0.97 (30 of 31); gap 1.00 (6 of 6) and 1.00.
#[test]
fn the_detector_finds_what_is_in_the_two_days() {
    let report = report(&fixture("two-days"), &fixture("two-days.labels.csv"));
    check(&report, "rendezvous", 0.9, 0.9);
    check(&report, "gap", 0.7, 0.9);
    for kind in &report.kinds {
        // Starts and ends are exact to a report or two; half of them to two minutes.
        assert!(kind.start_error_min.unwrap().0 <= 2.0 && kind.end_error_min.unwrap().0 <= 2.0, "{kind:?}");
    }
    for s in &report.scenarios {
        match (s.truth, s.scenario.as_str()) {
            (true, _) => assert!(s.reported * 3 >= s.labels * 2, "{s:?}"),
            // A tug's job of an hour to an hour and a half beside a ship moves as one with her and may reach 50.
            (false, "tug_work" | "tug_at_anchored_ship") => assert!(s.reported <= 1, "{s:?}"),
            // Yachts rafted at anchor away from a harbour reach 65: they touch and move as one. Here they lie in harbours.
            (false, _) => assert_eq!(s.reported, 0, "{s:?}"),
        }
    }
}

/// The same kind of traffic as the Danish files have it, with the place of every antenna: which hulls touched is seen, not inferred.
/// Measured: rendezvous 1.00 (29 of 29) and 0.97 (29 of 30, the other a tug), gap 1.00 (6 of 6) and 1.00; hull gaps of transfers 0 to 5 m,
/// where 2.5 to 4.5 m were played.
#[test]
fn hulls_that_lay_alongside_are_seen_in_danish_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    lab::simulate(&Plan { seed: 3, interval_s: 120.0, layout: Layout::Dma, compress: false, ..plan(out.clone()) }).unwrap();
    let found = report(&out.join("ais"), &out.join("labels.csv"));
    check(&found, "rendezvous", 0.95, 0.9);
    check(&found, "gap", 0.8, 0.9);
    let run = folder.path().join("run");
    let inputs = vec![out.join("ais").to_str().unwrap().to_owned()];
    oneshot::detect(&oneshot::Plan { min_confidence: 0, ..oneshot::Plan::new(inputs, run.clone()) }, &|_| ()).unwrap();
    let mut reader = csv::Reader::from_path(run.join("events.csv")).unwrap();
    let names = reader.headers().unwrap().clone();
    let labels = labels::read(&out.join("labels.csv")).unwrap();
    let (mut seen, mut unseen, mut changed) = (0, 0, 0);
    for row in reader.records().map(Result::unwrap) {
        let cell = |name: &str| &row[names.iter().position(|n| n == name).unwrap()];
        let ships = [cell("vessel_1_mmsi"), cell("vessel_2_mmsi")];
        let of_row = |l: &&labels::Label| l.ships.len() == 2 && l.ships.iter().zip(ships).all(|(m, s)| m.0.to_string() == s);
        let Some(label) = labels.iter().find(of_row) else { continue };
        let gap: Option<f64> = cell("hull_gap_m").parse().ok();
        match (label.truth, label.scenario.as_str()) {
            (true, _) => {
                assert_ne!(cell("contact"), "impossible", "{label:?}");
                assert!(gap.is_none_or(|m| m <= 8.0 && cell("contact") == "touching"), "{label:?}: {gap:?}");
                (seen, unseen) = (seen + u32::from(gap.is_some()), unseen + u32::from(gap.is_none()));
                let before = cell("vessel_1_draught_before_m").parse::<f64>();
                changed += u32::from(cell("vessel_1_draught_after_m").parse::<f64>().is_ok_and(|after| before.is_ok_and(|before| after != before)));
            }
            (false, "anchored_neighbours" | "slow_convoy" | "fishing_pair") => assert_eq!(cell("contact"), "impossible", "{label:?}: {gap:?}"),
            _ => {}
        }
    }
    // One ship in fourteen sends no heading.
    assert!(seen > 20 && seen > 4 * unseen && changed > 15, "{seen} with a gap, {unseen} without, {changed} with another draught");
}

/// Another seed and interval, which nobody looked at while tuning. Measured: rendezvous 1.00 (71 of 71) and 0.91 (71 of 78, the rest tugs), gap
/// 1.00 (14 of 14) and 1.00.
#[test]
fn the_detector_finds_what_is_in_traffic_it_was_not_tuned_to() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    lab::simulate(&Plan { seed: 20_240_301, ships: 600, interval_s: 120.0, ..plan(out.clone()) }).unwrap();
    let report = report(&out.join("ais"), &out.join("labels.csv"));
    check(&report, "rendezvous", 0.95, 0.8);
    check(&report, "gap", 0.8, 0.9);
}
