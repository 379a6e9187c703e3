//! What leaves the house: every file of a run read back by another reader than the one that wrote it.

use crate::cli::{Scratch, run};
use crate::ingest::{FORMULA, LEGACY, Row, csv, drawn_day, sha256, zst};
use alongside::export::whole::{Failure, Folder};
use alongside::export::{self, columns, csv as events_csv, geojson, rejects};
use alongside::model::event::event_id;
use alongside::model::{
    Contact, Event, Evidence, FileAccount, GapFacts, Kind, Mmsi, Particulars, Party, Reject, RejectReason, RendezvousFacts, ScoreName, TrackId,
};
use polars::prelude::{DataFrame, ParquetReader, SerReader};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Columns that hold a number with a fraction, and how many decimals it has, always.
const DECIMALS: [(&str, usize); 21] = [
    ("duration_h", 2),
    ("observed_h", 2),
    ("lat", 6),
    ("lon", 6),
    ("vessel_1_length_m", 1),
    ("vessel_2_length_m", 1),
    ("median_distance_m", 1),
    ("min_distance_m", 1),
    ("hull_gap_m", 1),
    ("vessel_1_median_speed_kn", 2),
    ("vessel_2_median_speed_kn", 2),
    ("relative_speed_kn", 2),
    ("moved_as_one", 2),
    ("observed_fraction", 2),
    ("gap_distance_nm", 1),
    ("gap_implied_speed_kn", 1),
    ("coverage_surprise", 1),
    ("required_speed_kn", 1),
    ("zone_distance_nm", 1),
    ("shore_distance_nm", 1),
    ("port_distance_nm", 1),
];

/// Columns that every event has.
const ALWAYS: [&str; 15] = [
    "event_id",
    "kind",
    "start",
    "duration_h",
    "open",
    "final",
    "lat",
    "lon",
    "confidence",
    "risk",
    "vessel_1_id",
    "vessel_1_mmsi",
    "vessel_1_track_id",
    "summary",
    "evidence",
];

/// Columns that a meeting has besides, and a silence has not.
const MEETING: [&str; 13] = [
    "end",
    "observed_h",
    "vessel_2_id",
    "vessel_2_mmsi",
    "vessel_2_track_id",
    "median_distance_m",
    "min_distance_m",
    "contact",
    "vessel_1_median_speed_kn",
    "vessel_2_median_speed_kn",
    "relative_speed_kn",
    "observed_fraction",
    "moved_as_one",
];

#[test]
fn the_columns_are_those_of_the_contract_in_its_order() {
    let vessel = |n: u8| ["id", "mmsi", "imo", "name", "flag", "ship_type", "length_m", "track_id"].map(|c| format!("vessel_{n}_{c}"));
    let split = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let expected = [
        split("event_id kind start end duration_h observed_h open final lat lon confidence risk risk_band"),
        vessel(1).to_vec(),
        vessel(2).to_vec(),
        split("cluster_id median_distance_m min_distance_m hull_gap_m contact vessel_1_median_speed_kn vessel_2_median_speed_kn relative_speed_kn"),
        split("moved_as_one observed_fraction vessel_1_draught_before_m vessel_1_draught_after_m vessel_2_draught_before_m vessel_2_draught_after_m"),
        split("gap_distance_nm gap_implied_speed_kn coverage_surprise required_speed_kn alternatives zone_id zone_name zone_kind zone_distance_nm"),
        split("shore_distance_nm port_name port_distance_nm summary evidence"),
    ]
    .concat();
    assert_eq!(columns::NAMES.to_vec(), expected);
}

// Events as values.

fn party(mmsi: u32, name: &str) -> Party {
    let particulars = Particulars { name: name.into(), imo: 9_074_729, ship_type: 80, length_dm: 1800, beam_dm: 320, ..Particulars::default() };
    Party { mmsi: Mmsi(mmsi), track: TrackId(u64::from(mmsi)), particulars, shared_mmsi: false }
}

fn reason(score: ScoreName, counted: i32) -> Evidence {
    Evidence {
        score,
        family: "contact",
        indicator: "drawn",
        value: "1".into(),
        unit: "m",
        threshold: "2".into(),
        points: counted,
        counted,
        source: "a drawing",
    }
}

fn meeting() -> Event {
    let facts = RendezvousFacts {
        tracks: [TrackId(1), TrackId(2)],
        mmsis: [Mmsi(366_000_001), Mmsi(366_000_002)],
        start_ms: 1_577_840_400_499,
        end_ms: 1_577_862_000_500,
        observed_ms: 21_600_000,
        open: false,
        mean_e7: (285_000_000, -940_000_000),
        start_e7: [(0, 0); 2],
        end_e7: [(0, 0); 2],
        median_m: 22.04,
        p10_m: 20.0,
        p90_m: 25.0,
        min_m: 19.96,
        hull_gap_m: Some([3.26, 0.0]),
        draught_dm: [[Some(105), Some(83)], [None, Some(60)]],
        speed_kn: [0.804, 0.806],
        relative_kn: 0.1,
        moved_as_one: Some(0.999),
        scatter_m: [100.0; 2],
        relative_scatter_m: 1.0,
        heading_arc_deg: [None; 2],
        heading_difference_deg: None,
        night_share: 0.0,
        still_share: [0.0; 3],
        fixes: [9; 2],
        neighbours: 0,
    };
    Event {
        id: event_id(Kind::Rendezvous, &facts.mmsis, facts.start_ms),
        kind: Kind::Rendezvous,
        start_ms: facts.start_ms,
        end_ms: Some(facts.end_ms),
        duration_h: 6.0,
        observed_h: Some(6.0),
        open: false,
        settled: false,
        mean_e7: facts.mean_e7,
        confidence: 80,
        risk: 8,
        parties: vec![party(366_000_001, "ALPHA"), party(366_000_002, "BETA")],
        cluster_id: None,
        rendezvous: Some(facts),
        gap: None,
        contact: Some(Contact::Touching),
        zone: None,
        shore_nm: Some(30.04),
        port: Some(("Galveston".into(), 40.0)),
        summary: "ALPHA and BETA lay together.".into(),
        evidence: vec![reason(ScoreName::Confidence, 80), reason(ScoreName::Risk, 8)],
    }
}

fn silence(off_e7: (i32, i32), on_e7: Option<(i32, i32)>) -> Event {
    let facts = GapFacts {
        track: TrackId(1),
        mmsi: Mmsi(366_000_001),
        off_ms: 1_577_840_400_000,
        on_ms: on_e7.map(|_| 1_577_862_000_000),
        until_ms: on_e7.map_or(1_577_923_200_000, |_| 1_577_862_000_000),
        off_e7,
        on_e7,
        off_motion: (None, None),
        fixes_before: 9,
        distance_m: on_e7.map(|_| 1000.0),
        implied_kn: on_e7.map(|_| 1.0),
        undelivered_ms: 0,
        leaves_coverage: false,
        surprise_nats: None,
    };
    Event {
        id: event_id(Kind::Gap, &[facts.mmsi], facts.off_ms),
        kind: Kind::Gap,
        end_ms: facts.on_ms,
        observed_h: None,
        parties: vec![party(366_000_001, "ALPHA")],
        rendezvous: None,
        gap: Some(facts),
        contact: None,
        ..meeting()
    }
}

fn geojson_of(events: &[Event]) -> Value {
    let mut bytes = Vec::new();
    geojson::write(events, &mut bytes).expect("memory");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn csv_of(events: &[Event]) -> Vec<BTreeMap<String, String>> {
    let mut bytes = Vec::new();
    events_csv::write(events, &mut bytes).expect("memory");
    table(&bytes)
}

/// A CSV file by another's rules: every row has the columns of the header.
fn table(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(false).from_reader(bytes);
    let names = reader.headers().expect("a header").clone();
    reader.records().map(|r| names.iter().map(str::to_owned).zip(r.expect("a row").iter().map(str::to_owned)).collect()).collect()
}

/// RFC 7946, as far as events go.
fn check_geojson(document: &Value) -> usize {
    assert_eq!(document.as_object().expect("an object").keys().collect::<Vec<_>>(), ["type", "features"], "no `crs`, no `bbox`");
    assert_eq!(document["type"], "FeatureCollection");
    let features = document["features"].as_array().expect("features");
    let mut ids = BTreeSet::new();
    for feature in features {
        assert_eq!(feature.as_object().expect("an object").keys().collect::<Vec<_>>(), ["type", "id", "geometry", "properties"]);
        let properties = &feature["properties"];
        assert_eq!(feature["type"], "Feature");
        assert_eq!(feature["id"], properties["event_id"]);
        assert!(ids.insert(feature["id"].to_string()), "an id twice: {}", feature["id"]);
        let id = feature["id"].as_str().expect("text");
        assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        let names: Vec<&str> = properties.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, columns::NAMES);
        let geometry = &feature["geometry"];
        let coordinates = &geometry["coordinates"];
        let lines = |v: &Value| v.as_array().expect("an array").clone();
        match geometry["type"].as_str().expect("a type") {
            "Point" => check_position(coordinates),
            "LineString" => check_line(coordinates),
            "MultiLineString" => lines(coordinates).iter().for_each(check_line),
            other => panic!("{other}"),
        }
        for column in ALWAYS {
            assert!(!properties[column].is_null(), "{id}: {column} is null");
        }
        for column in MEETING {
            let meets = properties["kind"] == "rendezvous";
            assert!(!properties[column].is_null() || !meets || column == "moved_as_one", "{id}: {column} is null");
            assert!(properties[column].is_null() || meets || column == "end", "{id}: a silence has a {column}");
        }
        for (column, decimals) in DECIMALS {
            if let Value::Number(n) = &properties[column] {
                assert_decimals(&n.to_string(), decimals, column);
            } else {
                assert!(properties[column].is_null(), "{column}: {}", properties[column]);
            }
        }
    }
    features.len()
}

fn check_position(at: &Value) {
    let [lon, lat] = at.as_array().expect("a position").as_slice() else { panic!("{at}") };
    for (v, most) in [(lon, 180.0), (lat, 90.0)] {
        let number = v.as_f64().unwrap_or_else(|| panic!("{at}: no number"));
        assert!(number.is_finite() && number.abs() <= most, "{at}");
        let text = v.to_string();
        assert!((number * 1e7).round() / 1e7 == number && text != "-0.0", "{text}: at most seven decimals");
    }
}

fn check_line(line: &Value) {
    let positions = line.as_array().expect("a line");
    assert!(positions.len() >= 2, "{line}");
    positions.iter().for_each(check_position);
    for pair in positions.windows(2) {
        let lon = |p: &Value| p[0].as_f64().expect("a number");
        assert!((lon(&pair[0]) - lon(&pair[1])).abs() <= 180.0, "a line that is not cut at the antimeridian: {line}");
    }
}

fn assert_decimals(text: &str, decimals: usize, column: &str) {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fits = fraction.len() == decimals && !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    assert!(fits, "{column}: `{text}` has not {decimals} decimals");
    assert!(!text.starts_with('-') || digits.bytes().any(|b| b.is_ascii_digit() && b != b'0'), "{column}: a negative zero");
}

#[test]
fn a_silence_is_a_line_cut_at_the_antimeridian() {
    let deg = |v: f64| (v * 1e7).round() as i32;
    let at = |lat: f64, lon: f64| (deg(lat), deg(lon));
    let cases = [
        ("still silent", at(10.0, 20.0), None, json!({"type": "Point", "coordinates": [20.0, 10.0]})),
        ("not moved", at(10.0, 20.0), Some(at(10.0, 20.0)), json!({"type": "Point", "coordinates": [20.0, 10.0]})),
        ("plain", at(10.0, 20.0), Some(at(-11.0, 21.5)), json!({"type": "LineString", "coordinates": [[20.0, 10.0], [21.5, -11.0]]})),
        ("across Greenwich", at(1.0, -0.5), Some(at(1.0, 0.5)), json!({"type": "LineString", "coordinates": [[-0.5, 1.0], [0.5, 1.0]]})),
        (
            "eastward across 180",
            at(10.0, 179.0),
            Some(at(12.0, -179.0)),
            json!({"type": "MultiLineString", "coordinates": [[[179.0, 10.0], [180.0, 11.0]], [[-180.0, 11.0], [-179.0, 12.0]]]}),
        ),
        (
            "westward across 180",
            at(10.0, -179.5),
            Some(at(6.0, 179.0)),
            json!({"type": "MultiLineString", "coordinates": [[[-179.5, 10.0], [-180.0, 8.666_666_7]], [[180.0, 8.666_666_7], [179.0, 6.0]]]}),
        ),
    ];
    for (what, off, on, expected) in cases {
        let document = geojson_of(&[silence(off, on)]);
        assert_eq!(check_geojson(&document), 1);
        let geometry = &document["features"][0]["geometry"];
        let plain = |v: &Value| v.to_string();
        assert_eq!(plain(geometry), plain(&expected), "{what}");
    }
}

#[test]
fn a_meeting_is_a_point_longitude_first() {
    let document = geojson_of(&[meeting()]);
    assert_eq!(check_geojson(&document), 1);
    assert_eq!(document["features"][0]["geometry"].to_string(), json!({"type": "Point", "coordinates": [-94.0, 28.5]}).to_string());
    assert_eq!(check_geojson(&geojson_of(&[])), 0);
}

#[test]
fn a_number_has_its_decimals_and_no_number_is_null() {
    let text = |event: &Event, column: &str| csv_of(std::slice::from_ref(event))[0][column].clone();
    let shown = |f: &dyn Fn(&mut Event), column: &str| {
        let mut event = meeting();
        f(&mut event);
        check_geojson(&geojson_of(std::slice::from_ref(&event)));
        text(&event, column)
    };
    type Case<'a> = (&'a str, &'a dyn Fn(&mut Event), &'a str);
    let cases: &[Case] = &[
        ("duration_h", &|e| e.duration_h = 6.0, "6.00"),
        ("duration_h", &|e| e.duration_h = 6.006, "6.01"),
        ("lat", &|e| e.mean_e7 = (-1, 0), "0.000000"),
        ("lat", &|e| e.mean_e7 = (-285_000_004, 0), "-28.500000"),
        ("lon", &|e| e.mean_e7 = (0, -1_800_000_000), "-180.000000"),
        ("shore_distance_nm", &|e| e.shore_nm = Some(-0.04), "0.0"),
        ("shore_distance_nm", &|e| e.shore_nm = Some(f64::NAN), ""),
        ("shore_distance_nm", &|e| e.shore_nm = Some(f64::INFINITY), ""),
        ("shore_distance_nm", &|e| e.shore_nm = None, ""),
        ("port_distance_nm", &|e| e.port = Some(("X".into(), 1e9)), "1000000000.0"),
        ("median_distance_m", &|_| (), "22.0"),
        ("min_distance_m", &|_| (), "20.0"),
        ("moved_as_one", &|_| (), "1.00"),
        ("vessel_1_median_speed_kn", &|_| (), "0.80"),
        ("vessel_2_median_speed_kn", &|_| (), "0.81"),
        ("vessel_1_length_m", &|_| (), "180.0"),
        ("vessel_1_length_m", &|e| e.parties[0].particulars.length_dm = 0, ""),
        ("vessel_1_imo", &|e| e.parties[0].particulars.imo = 0, ""),
        ("vessel_1_imo", &|_| (), "9074729"),
        ("vessel_1_id", &|e| e.parties[0].mmsi = Mmsi(366_000_001), "366000001"),
        ("vessel_1_name", &|e| e.parties[0].particulars.name.clear(), ""),
        ("vessel_1_ship_type", &|e| e.parties[0].particulars.ship_type = 0, ""),
        ("vessel_1_ship_type", &|_| (), "tanker"),
        ("vessel_1_flag", &|_| (), "US"),
        ("vessel_1_flag", &|e| e.parties[0].mmsi = Mmsi(100_000_001), ""),
        // To the second, rounded; risk has a band where confidence allows it.
        ("start", &|_| (), "2020-01-01T01:00:00Z"),
        ("end", &|_| (), "2020-01-01T07:00:01Z"),
        ("end", &|e| e.end_ms = Some(4_102_444_800_000), "2100-01-01T00:00:00Z"),
        ("risk_band", &|e| e.risk = 24, "low"),
        ("risk_band", &|e| e.risk = 25, "elevated"),
        ("risk_band", &|e| e.risk = 50, "high"),
        ("risk_band", &|e| e.risk = 75, "severe"),
        ("risk_band", &|e| e.confidence = 49, ""),
        ("open", &|_| (), "false"),
        ("contact", &|_| (), "touching"),
    ];
    for (column, change, expected) in cases {
        assert_eq!(shown(change, column), *expected, "{column}");
    }
}

#[test]
fn text_that_a_spreadsheet_would_run_is_defanged() {
    let cases = [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠1", "'＠1"),
        ("PLAIN", "PLAIN"),
        ("A=1", "A=1"),
        ("", ""),
    ];
    for (text, safe) in cases {
        assert_eq!(events_csv::defang(text), safe);
        let mut event = meeting();
        event.parties[0].particulars.name = text.into();
        event.port = Some((text.into(), 1.0));
        event.summary = text.into();
        let row = &csv_of(std::slice::from_ref(&event))[0];
        for column in ["vessel_1_name", "port_name", "summary"] {
            assert_eq!(row[column], safe, "{column}");
        }
        // Numbers stay numbers, and GIS files keep the text as it is.
        assert_eq!(row["lon"], "-94.000000");
        let properties = &geojson_of(std::slice::from_ref(&event))["features"][0]["properties"];
        assert_eq!(properties["port_name"], text);
        // Refused rows are foreign text from the first byte on; so are file names.
        let accounts = [FileAccount { path: text.into(), ..FileAccount::default() }];
        let reject = Reject { file: 0, line: 3, byte_offset: 70, reason: RejectReason::BadTime, text: text.into() };
        let mut bytes = Vec::new();
        rejects::write(&[reject], &accounts, &mut bytes).expect("memory");
        let row = &table(&bytes)[0];
        assert_eq!((row["file"].as_str(), row["text"].as_str(), row["line"].as_str(), row["byte_offset"].as_str()), (safe, safe, "3", "70"));
        assert_eq!(row["reason"], "bad_time");
    }
}

// A run.

fn manifest(scratch: &Scratch, name: &str) -> Value {
    serde_json::from_slice(&scratch.read(&format!("{name}/manifest.json"))).expect("JSON")
}

/// The drawn day in two files, one of them packed, and everything found in it.
fn drawn_run() -> (Scratch, Vec<Vec<u8>>) {
    let scratch = Scratch::new();
    let rows = drawn_day();
    // Every other row: both files speak of every ship.
    let half = |k: usize| csv(&rows.iter().skip(k).step_by(2).cloned().collect::<Vec<_>>());
    let files = vec![half(0), half(1)];
    scratch.put("even.csv", &files[0]);
    scratch.put("odd.csv.zst", &zst(&files[1]));
    let done = run(&scratch, &["detect", "even.csv", "odd.csv.zst", "-o", "out", "--min-confidence", "0"], None);
    assert_eq!(done.code, 0, "{}", done.stderr);
    (scratch, files)
}

#[test]
fn geojson_and_csv_of_a_run_say_the_same() {
    let (scratch, _) = drawn_run();
    let document: Value = serde_json::from_slice(&scratch.read("out/events.geojson")).expect("JSON");
    let n = check_geojson(&document);
    let text = scratch.read("out/events.csv");
    let header: Vec<&str> = std::str::from_utf8(&text).expect("UTF-8").lines().next().expect("a header").split(',').collect();
    assert_eq!(header, columns::NAMES);
    let rows = table(&text);
    assert_eq!(rows.len(), n);
    let features = document["features"].as_array().expect("features");
    let geometries: BTreeSet<&str> = features.iter().filter_map(|f| f["geometry"]["type"].as_str()).collect();
    assert_eq!(geometries.into_iter().collect::<Vec<_>>(), ["LineString", "MultiLineString", "Point"], "the drawing shows every geometry");
    let mut defanged = 0;
    for (feature, row) in features.iter().zip(&rows) {
        for name in columns::NAMES {
            let (value, cell) = (&feature["properties"][name], &row[name]);
            match value {
                Value::Null => assert_eq!(cell, "", "{name}"),
                Value::String(t) => {
                    assert!(cell == t || *cell == format!("'{t}"), "{name}: {t} and {cell}");
                    defanged += usize::from(cell != t);
                    assert!(!cell.starts_with(['=', '+', '-', '@']), "{name}: {cell}");
                }
                Value::Array(_) => assert_eq!(&serde_json::from_str::<Value>(cell).expect("JSON in a cell"), value, "{name}"),
                other => assert_eq!(cell, &other.to_string(), "{name}"),
            }
        }
        // The point lies where the columns say.
        if feature["geometry"]["type"] == "Point" && row["kind"] == "rendezvous" {
            let at = |k: usize| format!("{:.6}", feature["geometry"]["coordinates"][k].as_f64().expect("a number"));
            assert_eq!((at(0), at(1)), (row["lon"].clone(), row["lat"].clone()));
        }
    }
    assert!(defanged > 0 && features.iter().any(|f| f["properties"]["vessel_2_name"] == FORMULA), "the drawing holds a formula");
    // In the order of time, and the meetings where they were drawn.
    let starts: Vec<&String> = rows.iter().map(|r| &r["start"]).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    let meets: Vec<(i64, i64)> = rows
        .iter()
        .filter(|r| r["kind"] == "rendezvous")
        .map(|r| (r["lon"].parse::<f64>(), r["lat"].parse::<f64>()))
        .map(|(x, y)| (x.expect("a number").round() as i64, y.expect("a number").floor() as i64))
        .collect();
    assert!(
        meets.contains(&(-90, 27))
            && (meets.contains(&(-180, -18)) || meets.contains(&(180, -18)) || meets.contains(&(-180, -19)) || meets.contains(&(180, -19))),
        "{meets:?}"
    );
}

#[test]
fn the_scores_are_the_sums_of_their_evidence() {
    let (scratch, _) = drawn_run();
    let rows = table(&scratch.read("out/events.csv"));
    let mut seen = 0;
    for row in &rows {
        let evidence: Vec<Value> = serde_json::from_str(&row["evidence"]).expect("JSON in a cell");
        assert!(evidence.len() > 3, "{evidence:?}");
        let mut sums = BTreeMap::from([("confidence", 0), ("risk", 0)]);
        for e in &evidence {
            let keys: Vec<&str> = e.as_object().expect("an object").keys().map(String::as_str).collect();
            assert_eq!(keys, ["score", "family", "indicator", "value", "unit", "threshold", "points", "counted", "source"]);
            for key in ["family", "indicator", "threshold", "source"] {
                assert!(e[key].as_str().is_some_and(|t| !t.is_empty()), "{key}: {e}");
            }
            let (points, counted) = (e["points"].as_i64().expect("an integer"), e["counted"].as_i64().expect("an integer"));
            assert!(counted.abs() <= points.abs() && counted * points >= 0, "a cap only takes away: {e}");
            *sums.get_mut(e["score"].as_str().expect("a score")).expect("one of two scores") += counted;
            seen += 1;
        }
        for (score, sum) in sums {
            assert_eq!(row[score], sum.to_string(), "{score} of {}", row["event_id"]);
            assert!((0..=100).contains(&sum), "{score}");
        }
    }
    assert!(rows.len() >= 4 && seen > 30);
}

/// A ship that takes another name and lies deeper while she meets another: what was and what is, with the row that says so; the same
/// in one run and in a night.
#[test]
fn what_ships_said_around_an_event_is_told_with_its_row() {
    let scratch = Scratch::new();
    let mut rows = drawn_day();
    scratch.put("plain.csv", &csv(&rows));
    assert_eq!(run(&scratch, &["detect", "plain.csv", "-o", "plain", "--min-confidence", "0"], None).code, 0);
    let events = table(&scratch.read("plain/events.csv"));
    let event = events.iter().find(|e| e["kind"] == "rendezvous").expect("a meeting");
    let (mmsi, begun) = (event["vessel_1_mmsi"].clone(), event["start"].trim_end_matches('Z').to_owned());
    let is_hers = |row: &Row| row.get("MMSI") == mmsi;
    for row in rows.iter_mut().filter(|row| is_hers(row)) {
        let later = row.get("BaseDateTime") > begun.as_str();
        *row = row.clone().with("VesselName", if later { "=NEW NAME" } else { "OLD NAME" }).with("Draft", if later { "11.5" } else { "7.0" });
    }
    let source = csv(&rows);
    scratch.put("day.csv", &source);
    assert_eq!(run(&scratch, &["detect", "day.csv", "-o", "out", "--min-confidence", "0"], None).code, 0);
    let said = table(&scratch.read("out/particulars.csv"));
    let lines: Vec<&str> = std::str::from_utf8(&source).expect("UTF-8").split('\n').collect();
    let column = |field: &str| match field {
        "name" => "VesselName",
        "imo" => "IMO",
        "call_sign" => "CallSign",
        "ship_type" => "VesselType",
        "length_m" => "Length",
        "beam_m" => "Width",
        _ => "Draft",
    };
    for c in &said {
        let line = lines[c["line"].parse::<usize>().expect("a number") - 1];
        let record = ::csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes()).records().next().expect("a row").expect("fields");
        let sent = |column: &str| record[LEGACY.iter().position(|c| *c == column).expect("a column")].to_owned();
        let (after, sent_after) = (c["after"].trim_start_matches('\''), sent(column(&c["field"])));
        let equal = after == sent_after.trim_start_matches("IMO") || after.parse::<f64>().ok().zip(sent_after.parse::<f64>().ok()).is_some_and(|(a, b)| a == b);
        assert!(equal && sent("MMSI") == c["mmsi"] && format!("{}Z", sent("BaseDateTime")) == c["t"] && c["file"] == "day.csv", "{c:?}: {line}");
        assert!(c["before"] != c["after"], "{c:?}");
    }
    let changed: Vec<_> = said.iter().filter(|c| c["event_id"] == event["event_id"] && c["vessel"] == "1" && !c["before"].is_empty()).collect();
    let told: Vec<_> = changed.iter().map(|c| (c["field"].as_str(), c["before"].as_str(), c["after"].as_str())).collect();
    assert_eq!(told, [("name", "OLD NAME", "'=NEW NAME"), ("draught_m", "7.0", "11.5")]);
    assert!(changed.iter().all(|c| c["t"] > event["start"] && c["t"] < event["end"]));
    assert_eq!(run(&scratch, &["detect", "day.csv", "--state", "state", "-o", "night", "--min-confidence", "0"], None).code, 0);
    // A state has its own name for the input.
    let [night, whole] = ["night", "out"].map(|out| String::from_utf8(scratch.read(&format!("{out}/particulars.csv"))).expect("UTF-8"));
    assert_eq!(night.replace(",day,", ",day.csv,"), whole);
    // It is no input where a folder is read again.
    let again = run(&scratch, &["inspect", "out", "day.csv"], None);
    assert!(!again.stderr.contains("particulars.csv"), "{}", again.stderr);
}

#[test]
fn tracks_point_to_the_rows_they_came_from() {
    let (scratch, files) = drawn_run();
    let frame: DataFrame = ParquetReader::new(io::Cursor::new(scratch.read("out/tracks.parquet"))).finish().expect("Parquet");
    let numbers = |name: &str| -> Vec<Option<i64>> {
        let column = frame.column(name).expect("a column").cast(&polars::prelude::DataType::Int64).expect("integers");
        column.as_materialized_series().i64().expect("integers").iter().collect()
    };
    let texts = |name: &str| -> Vec<String> {
        frame.column(name).expect("a column").as_materialized_series().str().expect("text").iter().map(|t| t.unwrap_or_default().to_owned()).collect()
    };
    let names: Vec<&str> = frame.get_column_names().iter().map(|n| n.as_str()).collect();
    assert_eq!(names, ["event_id", "vessel", "mmsi", "track_id", "t", "lat_e7", "lon_e7", "sog_dkn", "cog_ddeg", "heading_deg", "status", "file", "line"]);
    let lines: Vec<Vec<&str>> = files.iter().map(|f| std::str::from_utf8(f).expect("UTF-8").split('\n').collect()).collect();
    let rows = table(&scratch.read("out/events.csv"));
    let (events, track_ids) = (texts("event_id"), texts("track_id"));
    let [vessel, mmsi, t, lat, lon, sog, cog, heading, file, line] =
        ["vessel", "mmsi", "t", "lat_e7", "lon_e7", "sog_dkn", "cog_ddeg", "heading_deg", "file", "line"].map(numbers);
    let field = |text: &str, column: &str| -> String {
        // The name may be quoted and hold commas; the columns looked at stand before it.
        text.split(',').nth(LEGACY.iter().position(|c| *c == column).expect("a column")).expect("a field").to_owned()
    };
    let scaled = |text: &str, by: f64| (text.parse::<f64>().expect("a number") * by).round() as i64;
    let (mut from, mut nulls) = (BTreeSet::new(), 0);
    for k in 0..frame.height() {
        let (f, l) = (file[k].expect("a file") as usize, line[k].expect("a line") as usize);
        let source = lines[f][l - 1];
        from.insert(f);
        assert_eq!(field(source, "MMSI"), format!("{:09}", mmsi[k].expect("an MMSI")), "{source}");
        assert_eq!(alongside::model::time::parse_rfc3339(&format!("{}Z", field(source, "BaseDateTime"))), t[k], "{source}");
        assert_eq!((Some(scaled(&field(source, "LAT"), 1e7)), Some(scaled(&field(source, "LON"), 1e7))), (lat[k], lon[k]), "{source}");
        for (column, values, by, sentinel) in [("SOG", &sog, 10.0, "102.3"), ("COG", &cog, 10.0, "360.0"), ("Heading", &heading, 1.0, "511")] {
            let text = field(source, column);
            let expected = (text != sentinel).then(|| scaled(&text, by));
            nulls += usize::from(expected.is_none());
            assert_eq!(values[k], expected, "{column} of {source}");
        }
    }
    assert_eq!(from, BTreeSet::from([0, 1]), "both files are pointed to");
    assert!(nulls > 0, "sentinels are null");
    // Both tracks of every event, in order of time, six hours to either side.
    assert!(!rows.is_empty());
    for row in &rows {
        let ms = |text: &str| alongside::model::time::parse_rfc3339(text).expect("a time");
        let (start, end) = (ms(&row["start"]), if row["end"].is_empty() { ms(&row["start"]) } else { ms(&row["end"]) });
        for n in [1, 2] {
            let id = &row[&format!("vessel_{n}_track_id")];
            let own: Vec<usize> = (0..frame.height()).filter(|k| events[*k] == row["event_id"] && vessel[*k] == Some(n)).collect();
            assert_eq!(own.is_empty(), id.is_empty(), "vessel {n} of {} {}", row["event_id"], row["summary"]);
            assert!(own.iter().all(|k| track_ids[*k] == *id && mmsi[*k].map(|m| m.to_string()) == Some(row[&format!("vessel_{n}_mmsi")].clone())));
            let times: Vec<i64> = own.iter().map(|k| t[*k].expect("a time")).collect();
            assert!(times.is_sorted_by(|a, b| a < b));
            assert!(times.iter().all(|x| (start - 6 * 3_600_000 - 1000..=end + 6 * 3_600_000 + 1000).contains(x)));
            // Every report of the ship in that time, once: the drawn ships have one track each.
            let reach = start - 6 * 3_600_000..=end + 6 * 3_600_000;
            let sent: BTreeSet<i64> = lines
                .iter()
                .flatten()
                .filter(|l| !id.is_empty() && l.starts_with(row[&format!("vessel_{n}_mmsi")].as_str()))
                .filter_map(|l| alongside::model::time::parse_rfc3339(&format!("{}Z", field(l, "BaseDateTime"))))
                .filter(|t| reach.contains(t))
                .collect();
            let (first, last) = (sent.first().copied().unwrap_or(0), sent.last().copied().unwrap_or(0));
            assert!(
                times.len() + 2 >= sent.len() && times.len() <= sent.len() + 2,
                "vessel {n} of {}: {} of {} reports",
                row["event_id"],
                times.len(),
                sent.len()
            );
            if let (Some(a), Some(b)) = (times.first(), times.last()) {
                assert!((a - first).abs() <= 120_000 && (b - last).abs() <= 120_000);
            }
        }
    }
}

#[test]
fn the_manifest_accounts_for_every_row_and_every_file() {
    let (scratch, files) = drawn_run();
    let m = manifest(&scratch, "out");
    let keys = [
        "tool",
        "version",
        "configuration",
        "detection_hash",
        "configuration_hash",
        "inputs",
        "refused",
        "days",
        "data_end",
        "vessels",
        "tracks",
        "events",
        "spatial",
        "outputs",
        "threads",
        "started",
        "timings_ms",
        "peak_memory_bytes",
    ];
    for key in keys {
        assert!(!m[key].is_null(), "{key}");
    }
    assert_eq!((&m["tool"], &m["version"]), (&json!("alongside"), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!((&m["days"], &m["data_end"]), (&json!(["2020-01-01"]), &json!("2020-01-02T00:00:00Z")));
    assert_eq!(m["configuration"], json!(alongside::model::Params::default()));
    for key in ["index", "entries", "build_ms", "query_ms", "candidates", "exact_tests", "hits"] {
        assert!(!m["spatial"][key].is_null(), "spatial.{key}");
    }
    assert!(m["spatial"]["hits"].as_u64() >= Some(2), "{}", m["spatial"]);
    let inputs = m["inputs"].as_array().expect("inputs");
    let number = |v: &Value| v.as_u64().unwrap_or_else(|| panic!("{v}: no number"));
    let sum = |v: &Value| v.as_object().expect("an object").values().map(number).sum::<u64>();
    let mut all = BTreeMap::new();
    assert_eq!(inputs.len(), 2);
    for ((input, name), text) in inputs.iter().zip(["even.csv", "odd.csv.zst"]).zip(&files) {
        let keys: Vec<&str> = input.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "path",
                "layout",
                "sha256",
                "bytes",
                "rows",
                "accepted",
                "rejected",
                "positions",
                "static_only",
                "no_position",
                "duplicates",
                "not_ships",
                "refused"
            ]
        );
        let stored = scratch.read(name);
        assert_eq!((&input["path"], &input["sha256"], &input["bytes"]), (&json!(name), &json!(sha256(&stored)), &json!(stored.len())));
        assert_eq!(number(&input["rows"]), text.split(|b| *b == b'\n').count() as u64 - 2, "every line below the header is a row");
        assert_eq!(number(&input["rows"]), number(&input["accepted"]) + sum(&input["rejected"]));
        let parts = ["positions", "static_only", "no_position", "duplicates"].map(|k| number(&input[k]));
        assert_eq!(number(&input["accepted"]), parts.iter().sum::<u64>() + sum(&input["not_ships"]));
        for key in ["rejected", "not_ships"] {
            for (k, v) in input[key].as_object().expect("an object") {
                *all.entry(k.clone()).or_insert(0) += number(v);
            }
        }
        *all.entry("duplicates".into()).or_insert(0) += parts[3];
        *all.entry("no_position".into()).or_insert(0) += parts[2];
    }
    // What was drawn: nothing more, nothing less.
    let expected = [("bad_position", 1), ("bad_time", 1), ("base_station", 1), ("default_mmsi", 1), ("duplicates", 12), ("no_position", 1)];
    assert_eq!(all, expected.map(|(k, n)| (k.to_owned(), n)).into());
    // Events.
    let rows = table(&scratch.read("out/events.csv"));
    for kind in Kind::ALL {
        let written = rows.iter().filter(|r| r["kind"] == kind.word()).count();
        assert_eq!(m["events"][kind.word()]["written"], json!(written));
        assert_eq!(m["events"][kind.word()]["found"], json!(written), "confidence 0 writes all that was found");
        let below = rows.iter().filter(|r| r["kind"] == kind.word() && r["confidence"].parse::<i32>().expect("a number") < 50).count();
        assert_eq!(m["events"][kind.word()]["below_50"], json!(below));
    }
    // Outputs: every file of the folder but the manifest, as it stands there.
    let outputs = m["outputs"].as_array().expect("outputs");
    let mut names: Vec<String> = outputs.iter().map(|o| o["name"].as_str().expect("a name").to_owned()).collect();
    for o in outputs {
        let bytes = scratch.read(&format!("out/{}", o["name"].as_str().expect("a name")));
        assert_eq!((&o["sha256"], &o["bytes"]), (&json!(sha256(&bytes)), &json!(bytes.len())), "{o}");
    }
    names.push("manifest.json".into());
    names.sort();
    assert_eq!(names, scratch.list("out"));
    assert_eq!(names, ["events.csv", "events.geojson", "manifest.json", "particulars.csv", "rejects.csv", "tracks.parquet"]);
    // Refused rows point to their lines.
    let refused = table(&scratch.read("out/rejects.csv"));
    assert_eq!(refused.len(), 3);
    for r in &refused {
        let k = usize::from(r["file"] != "even.csv");
        let (line, offset) = (r["line"].parse::<usize>().expect("a number"), r["byte_offset"].parse::<usize>().expect("a number"));
        let source = files[k].split(|b| *b == b'\n').nth(line - 1).expect("a line");
        assert_eq!(source, r["text"].as_bytes());
        assert!(files[k][offset..].starts_with(source));
    }
}

#[test]
fn the_wall_clock_stands_in_the_manifest_alone() {
    let (scratch, _) = drawn_run();
    let again = run(&scratch, &["detect", "even.csv", "odd.csv.zst", "-o", "again", "--min-confidence", "0"], None);
    assert_eq!(again.code, 0);
    for name in ["events.csv", "events.geojson", "particulars.csv", "rejects.csv", "tracks.parquet"] {
        assert!(scratch.read(&format!("out/{name}")) == scratch.read(&format!("again/{name}")), "{name} differs between two runs");
    }
    let only = run(&scratch, &["detect", "even.csv", "-o", "only", "--formats", "csv"], None);
    assert_eq!(only.code, 0);
    assert_eq!(scratch.list("only"), ["events.csv", "manifest.json", "particulars.csv", "rejects.csv", "tracks.parquet"]);
}

// Whole or nothing.

fn write_run(target: &std::path::Path, overwrite: bool, text: &str) -> Result<(), export::Error> {
    let mut folder = Folder::begin(target, overwrite)?;
    folder.file("events.csv", |out| out.write_all(text.as_bytes()))?;
    let outputs: Vec<Value> = folder.written().iter().map(|w| json!({"name": w.name})).collect();
    folder.file("manifest.json", |out| out.write_all(json!({"tool": "alongside", "outputs": outputs}).to_string().as_bytes()))?;
    folder.finish()
}

#[test]
fn a_run_appears_whole_or_not_at_all() {
    let scratch = Scratch::new();
    let target = scratch.path("deep/er/run");
    let text = |name: &str| String::from_utf8(scratch.read(name)).expect("UTF-8");
    write_run(&target, false, "first").expect("a new folder");
    assert_eq!(scratch.list("deep/er"), ["run"], "nothing temporary is left");
    assert_eq!(text("deep/er/run/events.csv"), "first");
    assert!(matches!(write_run(&target, false, "second"), Err(export::Error::Exists(_))));
    assert_eq!(text("deep/er/run/events.csv"), "first");

    // A writer that fails, of itself or of the disk, leaves the old run and nothing else.
    for failure in [io::Error::other("no space left on device"), io::Error::from(io::ErrorKind::StorageFull)] {
        let mut folder = Folder::begin(&target, true).expect("a run to replace");
        folder.file("events.csv", |out| out.write_all(b"half")).expect("a temporary folder");
        let e = folder.file("tracks.parquet", |out| -> Result<(), io::Error> {
            out.write_all(b"half")?;
            Err(failure)
        });
        assert!(e.expect_err("it failed").to_string().contains("tracks.parquet"));
        drop(folder);
        assert_eq!((scratch.list("deep/er"), text("deep/er/run/events.csv").as_str()), (vec!["run".to_owned()], "first"));
    }
    let mut folder = Folder::begin(&target, true).expect("a run to replace");
    assert!(folder.file("tracks.parquet", |_| Err(Failure::Other("polars said no".into()))).expect_err("it failed").to_string().contains("polars said no"));
    drop(folder);
    // A run that is given up before its end.
    drop(Folder::begin(&target, true).expect("a run to replace"));
    assert_eq!(scratch.list("deep/er"), ["run"]);

    write_run(&target, true, "third").expect("a run to replace");
    assert_eq!((scratch.list("deep/er"), text("deep/er/run/events.csv").as_str()), (vec!["run".to_owned()], "third"));
    assert_eq!(scratch.list("deep/er/run"), ["events.csv", "manifest.json"]);

    // No file is written twice, and none outside the folder.
    let mut folder = Folder::begin(&target, true).expect("a run to replace");
    folder.file("events.csv", |out| out.write_all(b"x")).expect("a file");
    assert!(folder.file("events.csv", |out| out.write_all(b"y")).is_err());
    drop(folder);

    // An empty folder may be filled.
    std::fs::create_dir(scratch.path("empty")).expect("a folder");
    write_run(&scratch.path("empty"), false, "x").expect("an empty folder");
}

#[test]
fn a_folder_that_holds_anything_else_is_never_overwritten() {
    let scratch = Scratch::new();
    scratch.put("day.csv", &csv(&[Row::of(366_000_001)]));
    let detect = |out: &str, overwrite: bool| {
        let mut args = vec!["detect", "day.csv", "-o", out];
        args.extend(overwrite.then_some("--overwrite"));
        run(&scratch, &args, None)
    };
    let ours = json!({"tool": "alongside", "outputs": [{"name": "events.csv"}]}).to_string();
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("notes", &[("notes.txt", "mine")]),
        // Others have a manifest.json too: a browser extension, a web page.
        ("extension", &[("manifest.json", "{\"manifest_version\": 3, \"name\": \"mine\"}"), ("page.js", "mine")]),
        ("not-json", &[("manifest.json", "mine")]),
        // A run to which somebody added the case file.
        ("case", &[("manifest.json", &ours), ("events.csv", "x"), ("case.qgz", "mine")]),
        ("case-folder", &[("manifest.json", &ours), ("events.csv", "x"), ("screenshots/1.png", "mine")]),
    ];
    for (name, files) in cases {
        for (file, text) in *files {
            scratch.put(&format!("{name}/{file}"), text.as_bytes());
        }
        for overwrite in [false, true] {
            let done = detect(name, overwrite);
            assert_eq!(done.code, 5, "{name}: {}", done.stderr);
            assert!(done.stderr.contains(name) && done.stderr.contains("-o"), "{}", done.stderr);
            for (file, text) in *files {
                assert_eq!(scratch.read(&format!("{name}/{file}")), text.as_bytes(), "{name}/{file}");
            }
        }
    }
    // A folder that has no name cannot be put in place, and says so before the work.
    for name in [".", "notes/..", "/"] {
        let done = detect(name, true);
        assert!(done.code == 5 && done.stderr.contains("needs a name of its own"), "{name}: {} {}", done.code, done.stderr);
    }
    // Ours is.
    assert_eq!(detect("run", false).code, 0);
    let before = manifest(&scratch, "run");
    assert_eq!(detect("run", false).code, 5);
    assert_eq!(manifest(&scratch, "run"), before);
    assert_eq!(detect("run", true).code, 0);
    // Also where the input is bad: the old run stays.
    scratch.put("names.csv", b"id,name\n1,x\n");
    assert_eq!(run(&scratch, &["detect", "names.csv", "-o", "run", "--overwrite"], None).code, 3);
    assert!(scratch.path("run/manifest.json").exists());
    // A link is replaced, not what it points to.
    std::os::unix::fs::symlink(scratch.path("run"), scratch.path("link")).expect("a link");
    assert_eq!(detect("link", true).code, 0);
    assert!(scratch.path("run/manifest.json").exists());
    assert!(scratch.list(".").iter().all(|n| !n.starts_with('.')), "{:?}", scratch.list("."));
}
