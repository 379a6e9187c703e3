//! What `inspect` says of drawn files: figures that can be counted by hand, and every oddity once.

use crate::cli::{Scratch, run};
use crate::ingest::{LEGACY, Row, csv};
use serde_json::Value;

fn look(bytes: &[u8]) -> Value {
    let scratch = Scratch::new();
    scratch.put("a.csv", bytes);
    let out = run(&scratch, &["inspect", "a.csv", "--json"], None);
    assert_eq!(out.code, 0, "{}", out.stderr);
    serde_json::from_str(&out.stdout).expect("JSON")
}

fn odd(report: &Value) -> Vec<&str> {
    report["odd"].as_array().expect("a list").iter().filter_map(|o| o["kind"].as_str()).collect()
}

fn at(mmsi: u32, time: &str) -> Row {
    Row::of(mmsi).with("BaseDateTime", time)
}

#[test]
fn figures_can_be_counted_by_hand() {
    let rows = [
        at(366_000_001, "2020-01-01T00:00:00"),
        at(366_000_001, "2020-01-01T00:01:00"),
        at(366_000_001, "2020-01-01T00:03:00"),
        at(366_000_001, "2020-01-01T00:03:00"),
        at(366_000_002, "2020-01-01T01:00:00").with("Heading", "511").with("VesselType", "30").with("TransceiverClass", "B").with("LAT", "29.5"),
        at(366_000_003, "2020-01-03T00:00:00").with("LAT", "91").with("LON", "181"),
        at(366_000_003, "2020-01-03T00:00:00").with("LON", "179.5"),
        at(2_190_064, "2020-01-01T00:00:00"),
        at(992_190_064, "2020-01-01T00:00:00"),
    ];
    let report = look(&csv(&rows));
    let file = &report["files"][0];
    assert_eq!((file["layout"].as_str(), file["rows"].as_u64(), file["duplicates"].as_u64()), (Some("marinecadastre"), Some(9), Some(1)));
    assert_eq!((file["no_position"].as_u64(), file["not_ships"]["aid_to_navigation"].as_u64()), (Some(1), Some(1)));
    assert_eq!(file["rejected"], serde_json::json!({ "bad_mmsi": 1 }));
    assert_eq!((report["vessels"].as_u64(), report["positions"].as_u64()), (Some(3), Some(5)));
    assert_eq!(report["vessels_by_class"], serde_json::json!({ "A": 2, "B": 1 }));
    assert_eq!(report["vessels_by_type"], serde_json::json!({ "fishing": 1, "tanker": 2 }));
    assert_eq!(report["span"], serde_json::json!(["2020-01-01T00:00:00Z", "2020-01-03T00:00:00Z"]));
    assert_eq!(report["interval_s"], serde_json::json!([60, 60, 120]));
    assert_eq!(report["missing"]["heading"].as_f64(), Some(0.2));
    assert_eq!(report["missing"]["name"].as_f64(), Some(0.0));
    assert_eq!(report["missing"]["antenna"].as_f64(), Some(1.0));
    // Round by the antimeridian it is shorter.
    assert_eq!(report["area"], serde_json::json!([179.5, 28.5, -94.0, 29.5]));
    assert_eq!(report["holes"], serde_json::json!([["2020-01-01T00:10:00Z", "2020-01-01T01:00:00Z"], ["2020-01-01T01:10:00Z", "2020-01-03T00:00:00Z"]]));
    assert_eq!(odd(&report), ["malformed", "duplicates"]);
}

#[test]
fn what_is_odd_is_said() {
    let ships = |f: &dyn Fn(u32, Row) -> Row| csv(&(0..40).map(|k| f(k, Row::of(366_000_001 + k))).collect::<Vec<_>>());
    assert_eq!(odd(&look(&ships(&|_, r| r))), [""; 0]);
    // The Baltic with latitude and longitude swapped: between Arabia and the Horn of Africa, on land.
    let swapped = look(&ships(&|k, r| r.with("LAT", format!("{:.3}", 18.0 + f64::from(k) * 0.02)).with("LON", format!("{:.3}", 55.6 - f64::from(k) * 0.01))));
    assert_eq!(odd(&swapped), ["swapped"]);
    let months = look(&ships(&|k, r| r.with("BaseDateTime", format!("2020-{:02}-07T00:00:00", 1 + k % 4))));
    assert_eq!(odd(&months), ["day_month"]);
    // The Kattegat, and its other side: the Arabian Sea, far from any shore.
    let kattegat = |swap: bool| {
        look(&ships(&|k, r| {
            let (lat, lon) = (format!("{:.3}", 56.9 + f64::from(k) * 0.005), format!("{:.3}", 11.5 + f64::from(k) * 0.005));
            if swap { r.with("LAT", lon).with("LON", lat) } else { r.with("LAT", lat).with("LON", lon) }
        }))
    };
    assert_eq!((odd(&kattegat(false)), odd(&kattegat(true))), (vec![], vec!["swapped"]));
    // A file that is named after another day than it holds.
    for (name, day, is_odd) in [
        ("aisdk-2024-03-01.csv", "2024-01-03", true),
        ("AIS_2024_03_01.csv", "2024-01-03", true),
        ("20240301.csv", "2024-01-03", true),
        ("aisdk-2024-03-01.csv", "2024-03-01", false),
        ("aisdk-2024-03-01.csv", "2024-02-29", false),
        ("2024-03-03.csv", "2024-03-03", false),
        ("2024-03-31.csv", "2024-01-03", false),
    ] {
        let scratch = Scratch::new();
        scratch.put(name, &ships(&|_, r| r.with("BaseDateTime", format!("{day}T00:00:00"))));
        let report: Value = serde_json::from_str(&run(&scratch, &["inspect", name, "--json"], None).stdout).expect("JSON");
        assert_eq!(odd(&report), if is_odd { vec!["day_month"] } else { vec![] }, "{name} of {day}");
    }
    let imos = look(&ships(&|k, r| if k < 3 { r.with("IMO", "IMO9074728") } else { r }));
    assert_eq!(odd(&imos), ["imo_numbers"]);
    assert!(imos["odd"][0]["what"].as_str().is_some_and(|w| w.starts_with("3 ships")), "{imos}");
    // Twelve ships leap into one spot.
    let mut rows = Vec::new();
    for k in 0..12 {
        for minute in 0..5 {
            let row = at(366_000_001 + k, &format!("2020-01-01T00:0{minute}:00")).with("LAT", format!("{:.2}", 27.0 + f64::from(k) * 0.1));
            rows.push(if minute == 3 { row.with("LAT", "25.00050").with("LON", "-90.00050") } else { row });
        }
    }
    let jammed = look(&csv(&rows));
    assert_eq!(odd(&jammed), ["jammed"], "{jammed}");
    assert!(jammed["odd"][0]["what"].as_str().is_some_and(|w| w.starts_with("12 ships")), "{jammed}");
    let times =
        look(format!("{}\n{}", LEGACY.join(","), format!("{}\n", Row::of(366_000_001).with("BaseDateTime", "13/01/2020 00:00").line()).repeat(3)).as_bytes());
    assert_eq!(odd(&times), ["malformed", "times_unread"]);
}

/// The last second of a day is rounded into the next: a day that none of the positions is of is no day without one.
#[test]
fn a_span_that_is_rounded_counts_no_days() {
    let scratch = Scratch::new();
    for times in [["2020-01-01T23:59:59.700", "2020-01-01T23:59:59.900"], ["2020-01-01T23:59:59.900", "2020-01-02T00:00:00"]] {
        scratch.put("a.csv", &csv(&times.map(|t| at(366_000_001, t))));
        let out = run(&scratch, &["inspect", "a.csv"], None);
        assert!(out.code == 0 && !out.stdout.contains("without any"), "{}{}", out.stdout, out.stderr);
    }
}

#[test]
fn the_page_is_readable_and_what_cannot_be_read_is_named() {
    let scratch = Scratch::new();
    scratch.put("a.csv", &csv(&[at(366_000_001, "2020-01-01T00:00:00"), at(366_000_001, "2020-01-01T00:01:10")]));
    let out = run(&scratch, &["inspect", "a.csv"], None);
    insta::assert_snapshot!("inspect", out.stdout);
    assert_eq!((out.code, out.stderr.as_str()), (0, ""));
    scratch.put("b.csv", b"id,name\n1,x\n");
    let out = run(&scratch, &["inspect", "a.csv", "b.csv"], None);
    assert!(out.code == 4 && out.stderr.contains("b.csv: no known AIS layout"), "{} {}", out.code, out.stderr);
    let out = run(&scratch, &["inspect", "b.csv"], None);
    assert_eq!((out.code, out.stdout.as_str()), (3, ""));
}

/// Nothing is missing where nothing is, and sentences have no header to doubt.
#[test]
fn sentences_without_times_are_told_so() {
    let scratch = Scratch::new();
    scratch.put("a.nmea", b"!AIVDM,1,1,,B,15N4cJ`005Jrek0H@9n`DW5608EP,0*13\n");
    let out = run(&scratch, &["inspect", "a.nmea"], None);
    assert_eq!(out.code, 0, "{}", out.stderr);
    assert!(out.stdout.contains("times unread: most sentences come without a time of receipt"), "{}", out.stdout);
    assert!(!out.stdout.contains("missing") && !out.stdout.contains("by class"), "{}", out.stdout);
}

/// What is told by what is in it has no name to give, and is not a spelling mistake for another.
#[test]
fn json_and_sentences_are_not_named() {
    let scratch = Scratch::new();
    scratch.put("a.nmea", b"!AIVDM,1,1,,B,15N4cJ`005Jrek0H@9n`DW5608EP,0*13\n");
    for name in ["nmea", "digitraffic"] {
        let out = run(&scratch, &["inspect", "a.nmea", "--provider", name], None);
        assert_eq!(out.code, 2, "{}", out.stderr);
        assert!(out.stderr.contains("told by what is in them") && out.stderr.contains("leave it out"), "{}", out.stderr);
    }
}
