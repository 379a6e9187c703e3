//! Finnish JSON: the same fix as from a table, whatever the white space, the order of members and the number of downloads in a file.

use crate::cli::{Scratch, run};
use crate::containers::gz;
use crate::ingest::{Canon, canon, lenient, read_one, read_with};
use alongside::ingest::layout::digitraffic;
use alongside::model::{AisClass, Particulars, RejectReason};
use std::collections::BTreeMap;

const FEATURE: &str = r#"{"mmsi":219000001,"type":"Feature","geometry":{"type":"Point","coordinates":[20.85169,55.770832]},"properties":{"mmsi":219000001,"sog":0.1,"cog":346.5,"navStat":1,"rot":4,"posAcc":true,"raim":false,"heading":79,"timestamp":59,"timestampExternal":1659212938646}}"#;
const VESSEL: &str = r#"{"name":"EXAMPLE, \"TWO\"","timestamp":1659212938000,"mmsi":219000001,"callSign":"OXAB2","imo":9074729,"shipType":80,"draught":75,"eta":416128,"posType":1,"referencePointA":149,"referencePointB":34,"referencePointC":10,"referencePointD":22,"destination":"SEGOT"}"#;

fn collection(features: &[&str]) -> String {
    format!(r#"{{"type":"FeatureCollection","dataUpdatedTime":"2022-07-30T20:29:00Z","features":[{}]}}"#, features.join(","))
}

fn expected(line: u32) -> Canon {
    Canon {
        mmsi: 219_000_001,
        t_ms: 1_659_212_938_646,
        lat_e7: 557_708_320,
        lon_e7: 208_516_900,
        sog: Some(1),
        cog: Some(3465),
        heading: Some(79),
        status: Some(1),
        said: Particulars::default(),
        line,
    }
}

/// What the vessel says of herself.
fn said() -> Particulars {
    Particulars {
        name: "EXAMPLE, \"TWO\"".into(),
        imo: 9_074_729,
        call_sign: "OXAB2".into(),
        ship_type: 80,
        length_dm: 1830,
        beam_dm: 320,
        to_bow_m: 149,
        to_stern_m: 34,
        to_port_m: 10,
        to_starboard_m: 22,
        draught_dm: 75,
        cargo: 0,
        class: AisClass::Unknown,
    }
}

#[test]
fn a_feature_is_a_fix_however_it_is_written() {
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&collection(&[FEATURE])).expect("JSON")).expect("JSON");
    let turned = r#"{"features":[{"properties":{"timestampExternal":1659212938646,"heading":79,"navStat":1,"cog":346.5,"sog":0.1,"mmsi":219000001},"geometry":{"coordinates":[20.85169,55.770832],"type":"Point"},"type":"Feature"}],"type":"FeatureCollection","mmsi count":1}"#;
    let other = FEATURE.replace("219000001", "219000002");
    let cases: Vec<(&str, String, u32)> = vec![
        ("one line", collection(&[FEATURE]), 1),
        ("a byte order mark, and a newline", format!("\u{feff}\n{}\n", collection(&[FEATURE])), 1),
        ("indented", pretty.clone(), 1),
        ("CRLF", pretty.replace('\n', "\r\n"), 1),
        ("members in another order, and some behind the list", turned.into(), 1),
        ("the second of two", collection(&[&other, FEATURE]), 2),
        ("two downloads", format!("{}\n{}", collection(&[&other]), collection(&[FEATURE])), 2),
        ("two downloads without a line between them, the first empty", format!("{}{}", collection(&[]), collection(&[FEATURE])), 1),
        ("a feature a line", format!("{other}\n{FEATURE}\n"), 2),
        ("a list of features", format!("[{other},{FEATURE}]"), 2),
        ("a list of downloads", format!("[{},\n{}]", collection(&[&other]), collection(&[FEATURE])), 2),
        ("numbers as texts", collection(&[&FEATURE.replace("55.770832", "\"55.770832\"").replace(":79", ":\"79\"")]), 1),
    ];
    for (what, text, line) in &cases {
        let delivery = read_one(text.as_bytes());
        assert!(delivery.refused.is_empty(), "{what}: {:?}", delivery.refused);
        let account = &delivery.accounts[0];
        assert_eq!(
            (account.layout.as_str(), account.rows, account.positions),
            (digitraffic::NAME, u64::from(*line), u64::from(*line)),
            "{what}: {:?}",
            delivery.rejects
        );
        assert_eq!(canon(&delivery).into_iter().filter(|c| c.mmsi == 219_000_001).collect::<Vec<_>>(), [expected(*line)], "{what}");
    }
}

#[test]
fn particulars_stand_beside_the_positions_that_follow() {
    for (what, text) in [("two downloads", format!("[{VESSEL}]\n{}", collection(&[FEATURE]))), ("a line each", format!("{VESSEL}\n{FEATURE}"))] {
        let delivery = read_one(text.as_bytes());
        let account = &delivery.accounts[0];
        assert_eq!((account.rows, account.static_only, account.positions), (2, 1, 1), "{what}: {:?}", delivery.rejects);
        assert_eq!(canon(&delivery), [Canon { said: said(), ..expected(2) }], "{what}");
    }
    // Vessels alone are rows without a position; 0 is none, and a name in another encoding is one all the same.
    let none = VESSEL.replace("9074729", "0").replace(":75", ":0").replace(":149", ":0").replace(":34", ":0").replace(":10", ":0").replace(":22", ":0");
    let mut bytes = format!("[{none}]").replace("EXAMPLE", "SK#GEN").into_bytes();
    let at = bytes.iter().position(|b| *b == b'#').expect("a letter");
    bytes[at] = 0xc5;
    bytes.extend_from_slice(FEATURE.as_bytes());
    let found = canon(&read_one(&bytes)).remove(0).said;
    assert_eq!((found.name.as_str(), found.imo, found.length_dm, found.beam_dm, found.draught_dm), ("SK\u{fffd}GEN, \"TWO\"", 0, 0, 0, 0));
}

#[test]
fn a_feature_that_is_none_is_refused_where_it_stands() {
    use RejectReason::{BadFeature, BadMmsi, BadMotion, BadPosition, BadTime, DefaultMmsi, PositionOffGlobe};
    let cases: &[(&str, &str, Option<RejectReason>)] = &[
        ("1659212938646", "59", Some(BadTime)),
        ("\"timestampExternal\":1659212938646", "\"timestampExternal\":null", Some(BadTime)),
        ("219000001", "2190001", Some(BadMmsi)),
        ("219000001", "123456789", Some(DefaultMmsi)),
        ("{\"mmsi\":219000001,\"type\"", "{\"mmsi\":219000003,\"type\"", Some(BadMmsi)),
        ("20.85169,55", "20.85169,91", Some(PositionOffGlobe)),
        ("55.770832", "\"north\"", Some(BadPosition)),
        ("20.85169", "20,85169", Some(BadPosition)),
        ("[20.85169,55.770832]", "[]", Some(BadPosition)),
        ("0.1", "\"fast\"", Some(BadMotion)),
        ("\"geometry\"", "\"geometri\"", Some(BadFeature)),
        ("\"Point\"", "\"Point", Some(BadFeature)),
        ("]},", "],", Some(BadFeature)),
        // No position, no ship, no speed: said by numbers that mean so.
        ("20.85169,55.770832", "181,91", None),
        ("{\"type\":\"Point\",\"coordinates\":[20.85169,55.770832]}", "null", None),
        ("219000001", "992190001", None),
    ];
    let (first, last) = (FEATURE.replace("219000001", "219000011"), FEATURE.replace("219000001", "219000012"));
    for (from, to, reason) in cases {
        assert!(FEATURE.contains(from), "{from}");
        let text = collection(&[&first, &FEATURE.replace(from, to), &last]);
        let delivery = read_one(text.as_bytes());
        let account = &delivery.accounts[0];
        let offset = (text.find(&first).expect("the first") + first.len() + 1) as u64;
        let found: Vec<_> = delivery.rejects.iter().map(|r| (r.line, r.byte_offset, r.reason)).collect();
        assert_eq!(found, reason.map(|r| (2, offset, r)).into_iter().collect::<Vec<_>>(), "{to}");
        assert_eq!((account.rows, account.positions), (3, 2), "{to}");
        assert_eq!(account.no_position + account.not_ships.values().sum::<u64>(), u64::from(reason.is_none()), "{to}");
        assert_eq!(canon(&delivery).iter().map(|c| (c.mmsi, c.line)).collect::<Vec<_>>(), [(219_000_011, 1), (219_000_012, 3)], "{to}");
    }
}

#[test]
fn what_is_no_such_json_is_refused_by_name() {
    for text in [
        "{}",
        "[]",
        "{\"type\":\"FeatureCollection\",\"features\":[]}",
        "{\"mmsi\":1}",
        "[{\"mmsi\":\"vessel_1\"}]",
        "{\"vessel_1_mmsi\":219000001,\"timestampExternal\":1}",
    ] {
        let delivery = read_one(text.as_bytes());
        assert!(delivery.refused.first().is_some_and(|e| e.to_string().contains("no known AIS layout")), "{text}: {:?}", delivery.refused);
    }
    // In a folder other JSON is passed over, and what runs wrote; by name it is asked for.
    let scratch = Scratch::new();
    scratch.put("day/locations.json", collection(&[FEATURE]).as_bytes());
    scratch.put("day/package.json", b"{\"name\":\"x\"}");
    scratch.put("day/events.geojson", collection(&[]).as_bytes());
    scratch.put("day/manifest.json", b"{\"mmsi\":1,\"shipType\":2}");
    let done = run(&scratch, &["inspect", "day", "--json"], None);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        done.stdout.contains("\"layout\": \"digitraffic\"") && done.stdout.contains("\"positions\": 1") && !done.stdout.contains("package"),
        "{}",
        done.stdout
    );
    assert!(done.stderr.contains("2 other files"), "{}", done.stderr);
    assert_eq!(run(&scratch, &["inspect", "day/package.json"], None).code, 3);
}

/// A cut download is an error that names the file, not a short day; a bracket that is damaged is not a cut.
#[test]
fn a_cut_list_is_refused() {
    let features: Vec<String> = (0..9).map(|k| FEATURE.replace("219000001", &(219_000_001 + k).to_string())).collect();
    let features: Vec<&str> = features.iter().map(String::as_str).collect();
    for text in [collection(&features), collection(&features).replace("}},", "}},\n  ")] {
        let scratch = Scratch::new();
        let read = |bytes: &[u8]| {
            scratch.put("a.json", bytes);
            alongside::ingest::read(&[scratch.path("a.json")], &lenient(), &|_| ())
        };
        let is_cut = |bytes: &[u8]| match read(bytes) {
            Ok(delivery) => delivery.refused.iter().any(|e| e.to_string().contains("a.json") && e.to_string().contains("it is cut")),
            Err(e) => e.to_string().contains("it is cut"),
        };
        let ends: Vec<usize> = text.match_indices("}}").map(|(k, _)| k + 2).collect();
        assert_eq!(ends.len(), 9);
        // Behind a feature, behind its comma, and in the middle of a number.
        assert!(ends.iter().all(|end| is_cut(&text.as_bytes()[..*end])), "between features");
        assert!(ends[..8].iter().all(|end| is_cut(&text.as_bytes()[..end + 1])), "behind a comma");
        assert!(ends.iter().all(|end| is_cut(&text.as_bytes()[..end - 6])), "within one");
        let all = text.len() - ends[0];
        let found = (ends[0]..text.len() - 2).filter(|cut| is_cut(&text.as_bytes()[..*cut])).count();
        assert!(found * 10 > all * 9, "{found} of {all} cuts");
        // The last brackets, one of them flipped or gone.
        assert!(!is_cut(text.as_bytes()));
        for at in [text.len() - 2, text.len() - 1] {
            let mut flipped = text.clone().into_bytes();
            flipped[at] ^= 1;
            let gone = [&text.as_bytes()[..at], &text.as_bytes()[at + 1..]].concat();
            for damaged in [flipped, gone] {
                assert!(!is_cut(&damaged) && read(&damaged).expect("a delivery").accounts[0].positions == 9);
            }
        }
    }
}

#[test]
fn a_long_download_needs_no_more_memory_than_a_piece_of_it() {
    // Longer than a piece, so that features are cut by its end; and packed, as servers send it.
    let features: Vec<String> = (0..3000).map(|k| FEATURE.replace("219000001", &(219_000_000 + k).to_string())).collect();
    let text = collection(&features.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(text.len() > 700 << 10);
    let delivery = read_with(&[("a.json", text.as_bytes()), ("b.json.gz", &gz(text.as_bytes()))], &lenient());
    let accounts: Vec<_> = delivery.accounts.iter().map(|a| (a.rows, a.positions, a.duplicates)).collect();
    assert_eq!(accounts, [(3000, 3000, 0), (3000, 0, 3000)]);
    assert!(canon(&delivery).iter().all(|c| u32::from(c.line == c.mmsi - 219_000_000 + 1) == 1));
    // Whatever has no end is refused piece by piece, in no time.
    for rubbish in ["{", "{\"", "{\"mmsi\":", "[{", "[", "\"", "x", "}", "{\"features\":[", "{\"mmsi\":\"{"] {
        let text = format!("{}{}{}", collection(&[FEATURE]), rubbish.repeat((1 << 20) / rubbish.len()), collection(&[FEATURE]));
        let begin = std::time::Instant::now();
        let delivery = read_one(text.as_bytes());
        let account = &delivery.accounts[0];
        assert!(account.balances() && account.positions == 1 && account.duplicates <= 1, "{rubbish}: {account:?}");
        assert!(begin.elapsed().as_secs() < 5, "{rubbish}: {:?}", begin.elapsed());
    }
    let reasons: BTreeMap<RejectReason, u64> = BTreeMap::from([(RejectReason::BadFeature, 1)]);
    assert_eq!(read_one(format!("{}x{}", collection(&[FEATURE]), "y".repeat(1 << 20)).as_bytes()).accounts[0].rejected, reasons);
}
