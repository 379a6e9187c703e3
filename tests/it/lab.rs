//! The laboratory: matching drawn by hand, the same bytes for the same seed, labels that hold, messages that help.

use alongside::lab::evaluate::{self, Claim};
use alongside::lab::labels::{self, Label};
use alongside::lab::{self, Layout, Plan};
use alongside::model::particulars::imo_check_digit_fits;
use alongside::model::time::{HOUR_MS, parse_day};
use alongside::model::{Kind, Mmsi, MmsiClass};
use alongside::run::oneshot;
use alongside::spatial::coast::Coast;
use alongside::spatial::flags;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn plan(out: PathBuf, ships: u32, days: u32) -> Plan {
    let start_day = parse_day("2024-03-01").unwrap();
    Plan { out, seed: 7, days, start_day, ships, interval_s: 240.0, layout: Layout::Legacy, compress: false }
}

fn made(ships: u32, days: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made");
    lab::simulate(&plan(out.clone(), ships, days)).unwrap();
    (folder, out)
}

/// Every file below a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            all.extend(contents(&entry).into_iter().map(|(name, bytes)| (Path::new(entry.file_name().unwrap()).join(name), bytes)));
        } else {
            all.insert(entry.file_name().unwrap().into(), std::fs::read(&entry).unwrap());
        }
    }
    all
}

fn events_of(input: &Path, out: &Path) -> String {
    let inputs = vec![input.to_str().unwrap().to_owned()];
    let plan = oneshot::Plan { min_confidence: 0, ..oneshot::Plan::new(inputs, out.to_path_buf()) };
    oneshot::detect(&plan, &|_| ()).unwrap();
    std::fs::read_to_string(out.join("events.csv")).unwrap()
}

/// Drawn one character an hour: `#` is the event or label. Lines are `ships drawing`, ships `ab` a meeting, `a` a gap.
fn drawn(line: &str) -> (Kind, Vec<Mmsi>, i64, i64) {
    let (ships, hours) = line.split_once(' ').unwrap();
    let ships: Vec<Mmsi> = ships.bytes().map(|b| Mmsi(u32::from(b))).collect();
    let kind = if ships.len() == 2 { Kind::Rendezvous } else { Kind::Gap };
    (kind, ships, hours.find('#').unwrap() as i64 * HOUR_MS, (hours.rfind('#').unwrap() as i64 + 1) * HOUR_MS)
}

fn claim((k, line): (usize, &&str)) -> Claim {
    let (kind, ships, start_ms, end_ms) = drawn(line);
    Claim { id: format!("E{k}"), kind, ships, start_ms, end_ms, confidence: 80 }
}

fn label((k, line): (usize, &&str)) -> Label {
    let (truth, line) = line.strip_prefix("no ").map_or((true, *line), |rest| (false, rest));
    let (kind, ships, start_ms, end_ms) = drawn(line);
    Label { id: format!("L{k}"), kind, truth, scenario: if truth { "real" } else { "alike" }.into(), start_ms, end_ms, ships, at: (0.0, 0.0) }
}

fn check(events: &[&str], labels: &[&str], expected: &[(usize, usize)]) {
    let events: Vec<Claim> = events.iter().enumerate().map(claim).collect();
    let labels: Vec<Label> = labels.iter().enumerate().map(label).collect();
    assert_eq!(evaluate::matches(&events, &labels), expected);
}

#[test]
fn the_same_ships_at_the_same_time_match() {
    check(&["ab .####."], &["ab .####."], &[(0, 0)]);
}

#[test]
fn other_ships_or_another_kind_do_not() {
    check(&["ab .####.", "a .####."], &["ac .####.", "b .####."], &[]);
}

#[test]
fn half_of_the_shorter_is_enough_and_less_is_not() {
    check(&["ab ####......"], &["ab ..####"], &[(0, 0)]);
    check(&["ab ####......"], &["ab ...####"], &[]);
    // The shorter lies wholly in the longer, whichever is the event.
    check(&["ab ...#......"], &["ab ##########"], &[(0, 0)]);
    check(&["ab ##########"], &["ab ...#......"], &[(0, 0)]);
}

#[test]
fn touching_is_not_overlapping() {
    check(&["ab ##........"], &["ab ..##......"], &[]);
}

#[test]
fn an_event_in_two_pieces_matches_once_by_the_longer_piece() {
    check(&["ab ##........", "ab ...#######"], &["ab ##########"], &[(1, 0)]);
}

#[test]
fn one_event_over_two_labels_takes_the_longer_and_leaves_the_other() {
    check(&["ab ##########"], &["ab ###.......", "ab .....#####"], &[(0, 1)]);
}

#[test]
fn equal_overlaps_go_to_the_earlier_line() {
    check(&["ab ####......", "ab ####......"], &["ab ####......"], &[(0, 0)]);
}

#[test]
fn a_look_alike_that_is_reported_is_wrong_and_so_is_an_event_without_a_label() {
    let events: Vec<Claim> = ["ab ####", "cd ####", "ef ####"].iter().enumerate().map(claim).collect();
    let labels: Vec<Label> = ["ab ####", "no cd ####", "gh ####"].iter().enumerate().map(label).collect();
    let report = evaluate::compare(&events, &labels, 50);
    let kind = &report.kinds[0];
    assert_eq!((kind.labels, kind.found, kind.events, kind.right), (2, 1, 3, 1));
    assert_eq!((&report.missed[..], &report.wrong[..]), (&["L2".to_owned()][..], &["E1".to_owned(), "E2".to_owned()][..]));
    let scenarios: Vec<_> = report.scenarios.iter().map(|s| (s.scenario.as_str(), s.labels, s.reported)).collect();
    assert_eq!(scenarios, [("real", 2, 1), ("alike", 1, 1)]);
    // At a higher threshold nothing is reported, so nothing is wrong.
    let strict = evaluate::compare(&events, &labels, 90);
    assert_eq!((strict.below, strict.kinds[0].recall, strict.kinds[0].precision), (3, Some(0.0), None));
}

#[test]
fn timing_is_the_median_and_the_ninetieth_percentile() {
    let lines = ["ab ####......", "cd ####......", "ef ####......"];
    let mut events: Vec<Claim> = lines.iter().enumerate().map(claim).collect();
    for (event, minutes) in events.iter_mut().zip([1, -2, 9]) {
        event.start_ms += minutes * 60_000;
    }
    let labels: Vec<Label> = lines.iter().enumerate().map(label).collect();
    let report = evaluate::compare(&events, &labels, 50);
    assert_eq!((report.kinds[0].start_error_min, report.kinds[0].end_error_min), (Some((2.0, 9.0)), Some((0.0, 0.0))));
}

proptest! {
    #[test]
    fn matching_is_one_to_one_and_never_by_less_than_half(
        spans in prop::collection::vec((0i64..48, 1i64..24, 0u8..2), 0..12),
        truths in prop::collection::vec((0i64..48, 1i64..24, 0u8..2), 0..12),
    ) {
        let ships = |n: u8| vec![Mmsi(1), Mmsi(2 + u32::from(n))];
        let claims: Vec<Claim> = spans.iter().map(|&(t, d, n)| Claim {
            id: String::new(), kind: Kind::Rendezvous, ships: ships(n), start_ms: t, end_ms: t + d, confidence: 50,
        }).collect();
        let labels: Vec<Label> = truths.iter().map(|&(t, d, n)| Label {
            id: String::new(), kind: Kind::Rendezvous, truth: true, scenario: String::new(), start_ms: t, end_ms: t + d, ships: ships(n), at: (0.0, 0.0),
        }).collect();
        let pairs = evaluate::matches(&claims, &labels);
        let half = |c: usize, l: usize| {
            let (c, l) = (&claims[c], &labels[l]);
            let overlap = c.end_ms.min(l.end_ms) - c.start_ms.max(l.start_ms);
            c.ships == l.ships && overlap > 0 && 2 * overlap >= (c.end_ms - c.start_ms).min(l.end_ms - l.start_ms)
        };
        prop_assert!(pairs.iter().all(|&(c, l)| half(c, l)));
        let (by_claim, by_label): (BTreeSet<usize>, BTreeSet<usize>) = pairs.iter().copied().unzip();
        prop_assert_eq!((by_claim.len(), by_label.len()), (pairs.len(), pairs.len()));
        // Nothing that could still match is left over.
        let left = (0..claims.len()).filter(|c| !by_claim.contains(c)).any(|c| (0..labels.len()).any(|l| !by_label.contains(&l) && half(c, l)));
        prop_assert!(!left);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_one_thread_or_many_and_another_seed_others() {
    let (_a, first) = made(60, 2);
    let folder = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let second = folder.path().join("second");
    pool.install(|| lab::simulate(&plan(second.clone(), 60, 2))).unwrap();
    assert_eq!(contents(&first), contents(&second));
    let other = folder.path().join("other");
    lab::simulate(&Plan { seed: 8, ..plan(other.clone(), 60, 2) }).unwrap();
    assert_ne!(contents(&first), contents(&other));
}

#[test]
fn a_day_is_in_time_order_under_the_real_header_and_holds_a_little_dirt() {
    let (_folder, out) = made(120, 1);
    let text = std::fs::read_to_string(out.join("ais/ais-2024-03-01.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(lab::write::LEGACY));
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect::<Vec<_>>()).filter(|r| r.len() == 17 && !r[0].contains('X')).collect();
    let malformed = |r: &&Vec<&str>| ["366999002", "366999004", "366999005"].contains(&r[0]);
    let clean: Vec<&Vec<&str>> = rows.iter().filter(|r| !malformed(r)).collect();
    assert_eq!(rows.len() - clean.len(), 3);
    assert!(clean.windows(2).all(|w| w[0][1] <= w[1][1]), "rows are in time order");
    assert!(clean.iter().any(|r| r[2] == "91.00000" && r[3] == "181.00000"));
    assert!(clean.iter().any(|r| r[0].starts_with("00366")));
    assert!(clean.windows(2).filter(|w| w[0] == w[1]).count() >= 3, "exact duplicates");
    assert!(clean.iter().any(|r| r[6] == "511.0") && clean.iter().any(|r| r[16] == "B"));
    for row in &clean {
        let mmsi = Mmsi(row[0].parse().unwrap());
        if mmsi.class() == MmsiClass::Ship {
            assert!(flags::country(mmsi.mid().unwrap()).is_some(), "{mmsi}: country digits");
        }
        if let Some(imo) = row[8].strip_prefix("IMO") {
            assert!(imo_check_digit_fits(imo.parse().unwrap()), "{imo}");
        }
        let speed: f64 = row[4].parse().unwrap();
        assert!(speed < 17.0, "{row:?}");
    }
}

#[test]
fn two_ships_far_apart_share_a_number_and_one_report_is_a_teleport() {
    let folder = tempfile::tempdir().unwrap();
    let (_keep, out) = made(240, 2);
    events_of(&out.join("ais"), &folder.path().join("run"));
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.path().join("run/manifest.json")).unwrap()).unwrap();
    let text = manifest.to_string();
    assert!(text.contains("\"teleports\":1"), "{text}");
}

#[test]
fn both_layouts_give_the_same_events_and_the_same_labels() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    lab::simulate(&Plan { compress: true, ..plan(at("legacy"), 110, 2) }).unwrap();
    lab::simulate(&Plan { layout: Layout::Renamed, ..plan(at("renamed"), 110, 2) }).unwrap();
    let labels = |name: &str| std::fs::read(at(name).join("labels.csv")).unwrap();
    assert_eq!(labels("legacy"), labels("renamed"));
    let events = events_of(&at("legacy/ais"), &at("out-legacy"));
    assert!(events.lines().count() > 20);
    assert_eq!(events, events_of(&at("renamed/ais"), &at("out-renamed")));
    let renamed = std::fs::read_to_string(at("renamed/ais/ais-2024-03-01.csv")).unwrap();
    assert!(renamed.starts_with(lab::write::RENAMED) && !renamed.contains(",511,") && !renamed.contains("181.00000"));
    // events.csv, events.geojson and the run's folder are read alike.
    let read = |name: &str| evaluate::read_events(&at(name)).unwrap();
    assert_eq!(read("out-legacy/events.csv"), read("out-legacy/events.geojson"));
    assert_eq!(read("out-legacy/events.csv"), read("out-legacy"));
}

/// The Danish files hold the same reports, with the place of the antenna; however they are cut and shuffled the events are the same.
#[test]
fn danish_files_hold_the_same_traffic_and_the_hulls() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    lab::simulate(&plan(at("legacy"), 110, 2)).unwrap();
    let made = lab::simulate(&Plan { layout: Layout::Dma, ..plan(at("danish"), 110, 2) }).unwrap();
    let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
    assert_eq!(read("legacy/labels.csv"), read("danish/labels.csv"));
    let days: Vec<String> = ["danish/ais/aisdk-2024-03-01.csv", "danish/ais/aisdk-2024-03-02.csv"].map(read).into();
    let (mut mobiles, mut afloat) = (BTreeSet::new(), 0);
    for (day, (_, rows)) in days.iter().zip(&made.days) {
        assert!(day.starts_with(lab::write::DMA));
        // Five malformed lines.
        assert_eq!(day.lines().count() as u64, rows + 1 + 5);
        for row in day.lines().map(|l| l.split(',').collect::<Vec<_>>()).filter(|r| r.len() == 26 && !r[1].starts_with("Type")) {
            mobiles.insert(row[1].to_owned());
            if let (Ok(length), Ok(width)) = (row[16].parse::<u16>(), row[15].parse::<u16>()) {
                let [a, b, c, d] = [22, 23, 24, 25].map(|k| row[k].parse::<u16>().unwrap());
                assert!(a + b == length && c + d == width && length > 0, "{row:?}");
                afloat += 1;
            }
        }
    }
    assert_eq!(mobiles.iter().map(String::as_str).collect::<Vec<_>>(), ["Base Station", "Class A", "Class B"]);
    assert!(afloat > 10_000);
    let events = events_of(&at("danish/ais"), &at("out"));
    assert!(events.lines().count() > 20 && events.contains("hulls_touching"));
    let mut rows: Vec<&str> = days.iter().flat_map(|d| d.lines().skip(1)).collect();
    rows.reverse();
    std::fs::create_dir(at("cut")).unwrap();
    for (k, part) in rows.chunks(rows.len() / 3 + 1).enumerate() {
        std::fs::write(at("cut").join(format!("{k}.csv")), format!("{}\n{}\n", lab::write::DMA, part.join("\n"))).unwrap();
    }
    assert_eq!(events, events_of(&at("cut"), &at("out-cut")));
}

#[test]
fn labels_lie_in_the_data_and_at_sea_and_name_ships_that_are_there() {
    let (_folder, out) = made(240, 2);
    let labels = labels::read(&out.join("labels.csv")).unwrap();
    let (from, to) = (i64::from(parse_day("2024-03-01").unwrap()) * 24 * HOUR_MS, i64::from(parse_day("2024-03-03").unwrap()) * 24 * HOUR_MS);
    let files: Vec<String> = ["ais/ais-2024-03-01.csv", "ais/ais-2024-03-02.csv"].map(|f| std::fs::read_to_string(out.join(f)).unwrap()).into();
    let sent: BTreeSet<&str> = files.iter().flat_map(|f| f.lines()).filter_map(|l| l.split(',').next()).collect();
    for l in &labels {
        assert!(from <= l.start_ms && l.start_ms < l.end_ms && l.end_ms <= to, "{l:?}");
        assert_eq!(l.ships.len(), if l.kind == Kind::Gap { 1 } else { 2 }, "{l:?}");
        assert!(l.ships.windows(2).all(|w| w[0] < w[1]), "{l:?}");
        assert!(l.ships.iter().all(|m| sent.contains(m.to_string().as_str())), "{l:?}");
        let ashore = ["quay_neighbours", "switched_off_at_quay", "rafted_yachts"].contains(&l.scenario.as_str());
        let at = ((l.at.0 * 1e7) as i32, (l.at.1 * 1e7) as i32);
        assert!(ashore || !Coast::embedded().is_land(at), "{l:?}");
        let hours = (l.end_ms - l.start_ms) as f64 / HOUR_MS as f64;
        match l.scenario.as_str() {
            "tug_work" | "tug_at_anchored_ship" => assert!((0.4..1.7).contains(&hours), "{l:?}"),
            "bunkering" => assert!((1.9..7.0).contains(&hours) || l.end_ms == to, "{l:?}"),
            "silent_among_others" => assert!((5.0..14.5).contains(&hours), "{l:?}"),
            _ => {}
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for l in &labels {
        *counts.entry(&l.scenario).or_default() += 1;
    }
    assert_eq!(counts.len(), 20, "{counts:?}");
    assert!(counts.values().all(|n| *n >= 2), "{counts:?}");
    assert!(labels.iter().any(|l| l.scenario == "transfer_across_antimeridian" && l.at.1.abs() > 179.9));
}

#[test]
fn a_larger_fleet_has_more_of_everything_and_no_more_ships_than_asked_for() {
    let ships = |out: &Path| {
        let text = std::fs::read_to_string(out.join("ais/ais-2024-03-01.csv")).unwrap();
        let names: BTreeSet<String> = text.lines().skip(1).filter_map(|l| l.split(',').nth(7)).map(str::to_owned).filter(|n| !n.is_empty()).collect();
        names.len()
    };
    let (_a, small) = made(150, 1);
    let (_b, large) = made(900, 1);
    // Three of the five malformed lines carry a name of their own.
    assert!((100..=154).contains(&ships(&small)) && (700..=904).contains(&ships(&large)));
    let count = |out: &Path| labels::read(&out.join("labels.csv")).unwrap().len() as f64;
    let ratio = count(&large) / count(&small);
    assert!((4.0..9.0).contains(&ratio), "{ratio}");
    let folder = tempfile::tempdir().unwrap();
    for n in [1, 5, 30] {
        lab::simulate(&plan(folder.path().join(n.to_string()), n, 1)).unwrap();
    }
}

fn alongside(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_alongside")).args(arguments).current_dir(folder).output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

#[test]
fn simulate_says_what_it_made_and_does_not_write_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["simulate", "-o", "t", "--ships", "20", "--days", "1", "--interval", "300", "--compress", "zst"];
    let (code, out, err) = alongside(&arguments, folder.path());
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("ais-2024-03-01.csv.zst") && out.contains("labels.csv"), "{out}");
    let (code, _, err) = alongside(&arguments, folder.path());
    assert_eq!(code, 5);
    insta::assert_snapshot!(err, @"
    alongside: t: exists already
      name another folder with -o
    ");
    let (code, _, err) = alongside(&["simulate", "-o", "u", "--start", "1 March"], folder.path());
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @"
    alongside: --start 1 March: not a date
      write it as 2024-03-01
    ");
    assert_eq!(alongside(&["simulate", "-o", "u", "--days", "0"], folder.path()).0, 2);
    assert!(!folder.path().join("u").exists());
}

#[test]
fn evaluate_names_the_file_the_line_and_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let head = "label_id,kind,truth,scenario,start,end,vessel_1_mmsi,vessel_2_mmsi,lat,lon\n";
    let events = "event_id,kind,start,end,duration_h,confidence,vessel_1_mmsi,vessel_2_mmsi,evidence\n";
    write("labels.csv", &format!("{head}L1,gap,yes,silent,2024-03-01T00:00:00Z,2024-03-01T06:00:00Z,366000001,,1.0,2.0\n"));
    write("maybe.csv", &format!("{head}L1,gap,maybe,silent,2024-03-01T00:00:00Z,2024-03-01T06:00:00Z,366000001,,1.0,2.0\n"));
    write("events.csv", &format!("{events}E1,gap,2024-03-01T00:00:00Z,,6.00,60,366000001,,[]\nE2,loitering,x,,,,,,\n"));
    write("open.csv", &format!("{events}E1,gap,2024-03-01T00:00:00Z,,6.00,60,366000001,,\"[]\nE2,gap,2024-03-01T00:00:00Z,,6.00,60,366000001,,[]\n"));
    write("odd.geojson", "{\"type\": \"FeatureCollection\"}");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let run = |arguments: &[&str]| alongside(&[&["evaluate"], arguments].concat(), folder.path());
    let (code, out, _) = run(&["events.csv", "labels.csv", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["kinds"][0]["found"]), (0, &serde_json::json!(1)));
    insta::assert_snapshot!(run(&["events.csv", "labels.csv"]).1, @"
    at confidence 50 and more (0 events below set aside)

    kind         labels  found  recall   events  right  precision   start off (min)     end off (min)
    gap               1      1   1.000        1      1      1.000         0.0 / 0.0         0.0 / 0.0

    Times are median / 90th percentile of what was found.

    true                              labels   found
      silent                               1       1
    ");
    let mut messages = String::new();
    for arguments in
        [["events.csv", "maybe.csv"], ["labels.csv", "labels.csv"], ["open.csv", "labels.csv"], ["odd.geojson", "labels.csv"], ["empty", "labels.csv"]]
    {
        let (code, _, err) = run(&arguments);
        assert_eq!(code, 3, "{err}");
        messages += &err;
    }
    insta::assert_snapshot!(messages, @"
    alongside: maybe.csv: line 2: `maybe` is no truth
      events are the events.csv, events.geojson or folder of `alongside detect`, labels the labels.csv of `alongside simulate`
    alongside: labels.csv: no column `event_id`; found label_id, kind, truth, scenario, start, end, vessel_1_mmsi, vessel_2_mmsi, lat, lon
      events are the events.csv, events.geojson or folder of `alongside detect`, labels the labels.csv of `alongside simulate`
    alongside: open.csv: not a readable table: line 2: a quote that is not closed
      events are the events.csv, events.geojson or folder of `alongside detect`, labels the labels.csv of `alongside simulate`
    alongside: odd.geojson: not a readable table: no list of features
      events are the events.csv, events.geojson or folder of `alongside detect`, labels the labels.csv of `alongside simulate`
    alongside: empty: no events.csv and no events.geojson in it
      give the folder that `alongside detect -o` wrote
    ");
    let (code, _, err) = run(&["nowhere.csv", "labels.csv"]);
    assert_eq!(code, 3);
    assert!(err.starts_with("alongside: nowhere.csv: "), "{err}");
    assert_eq!(run(&["events.csv"]).0, 2);
}
