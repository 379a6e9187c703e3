//! Parquet in and out: the rows of a table are those of its lines, `convert` keeps every event, and what a hostile file says costs
//! that file alone.

use crate::cli::{Scratch, run};
use crate::ingest::{Canon, LEGACY, Row, canon, csv, drawn_day, lenient, read_with, sha256};
use alongside::frame::{self, canonical};
use alongside::ingest::container::is_decoder;
use alongside::ingest::layout::{Field, KNOWN, Reading, TimeForm};
use alongside::ingest::{self, Limits};
use alongside::lab;
use alongside::model::{RejectReason, time};
use polars::prelude::*;
use polars_parquet::read::read_metadata;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

/// A file of some columns.
fn file(columns: Vec<Column>, compression: ParquetCompression) -> Vec<u8> {
    file_with(columns, compression, None, None)
}

fn file_with(columns: Vec<Column>, compression: ParquetCompression, geo: Option<&str>, row_group: Option<usize>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut frame = DataFrame::new(columns[0].len(), columns).expect("columns of one length");
    let about = geo.map(|geo| KeyValueMetadata::from_static(vec![("geo".to_owned(), geo.to_owned())]));
    ParquetWriter::new(&mut bytes)
        .with_compression(compression)
        .with_key_value_metadata(about)
        .with_row_group_size(row_group)
        .finish(&mut frame)
        .expect("Parquet in memory");
    bytes
}

/// A text as the number that it is; none is none.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn floats(name: &str, rows: &[Row], column: &str) -> Column {
    Float64Chunked::from_iter_options(name.into(), rows.iter().map(|r| number(r.get(column)))).into_column()
}

fn texts(name: &str, rows: &[Row], column: &str) -> Column {
    let plain = |text: &str| match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.to_owned(),
    };
    StringChunked::from_iter_options(name.into(), rows.iter().map(|r| plain(r.get(column))).map(|t| (!t.is_empty()).then_some(t))).into_column()
}

fn times(name: &str, rows: &[Row], unit: TimeUnit, per_ms: i64) -> Column {
    let ms = rows.iter().map(|r| time::parse_rfc3339(&format!("{}Z", r.get("BaseDateTime"))).map(|t| t * per_ms));
    Int64Chunked::from_iter_options(name.into(), ms).into_column().cast(&DataType::Datetime(unit, None)).expect("a time")
}

/// Rows as MarineCadastre's GeoParquet has them.
fn cadastre(rows: &[Row]) -> Vec<Column> {
    let int =
        |name: &str, column: &str| Int32Chunked::from_iter_options(name.into(), rows.iter().map(|r| number(r.get(column)).map(|v| v as i32))).into_column();
    vec![
        Int64Chunked::from_iter_options("mmsi".into(), rows.iter().map(|r| number(r.get("MMSI")).map(|v| v as i64))).into_column(),
        times("base_date_time", rows, TimeUnit::Microseconds, 1000),
        floats("longitude", rows, "LON"),
        floats("latitude", rows, "LAT"),
        floats("sog", rows, "SOG").cast(&DataType::Float32).expect("floats"),
        floats("cog", rows, "COG"),
        int("heading", "Heading"),
        texts("vessel_name", rows, "VesselName"),
        texts("imo", rows, "IMO"),
        texts("call_sign", rows, "CallSign"),
        int("vessel_type", "VesselType"),
        int("status", "Status"),
        floats("length", rows, "Length"),
        floats("width", rows, "Width"),
        floats("draft", rows, "Draft"),
        int("cargo", "Cargo"),
        texts("transceiver", rows, "TransceiverClass"),
    ]
}

/// Rows that a typed table can hold.
fn typed() -> Vec<Row> {
    drawn_day().into_iter().filter(|r| r.get("LAT") != "north" && r.get("BaseDateTime") != "yesterday" && !r.get("MMSI").starts_with('0')).collect()
}

/// Points in well-known binary.
fn points(name: &str, points: &[Option<(f64, f64)>], big: bool) -> Column {
    let wkb = |&(x, y): &(f64, f64)| match big {
        false => [&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat(),
        true => [&[0, 0, 0, 0, 1][..], &x.to_be_bytes(), &y.to_be_bytes()].concat(),
    };
    BinaryChunked::from_iter_options(name.into(), points.iter().map(|p| p.as_ref().map(wkb))).into_column()
}

#[test]
fn a_table_gives_the_rows_of_its_lines() {
    let rows = typed();
    let expected = read_with(&[("a.csv", &csv(&rows))], &lenient());
    let (fixes, account) = (canon(&expected), &expected.accounts[0]);
    assert!(fixes.len() > 1000 && account.no_position == 1 && account.duplicates == 12);
    for compression in [
        ParquetCompression::Uncompressed,
        ParquetCompression::Snappy,
        ParquetCompression::Gzip(None),
        ParquetCompression::Brotli(None),
        ParquetCompression::Zstd(None),
        ParquetCompression::Lz4Raw,
    ] {
        for row_group in [None, Some(100)] {
            let bytes = file_with(cadastre(&rows), compression, None, row_group);
            // The name does not matter.
            let delivery = read_with(&[("download", &bytes)], &lenient());
            assert!(delivery.refused.is_empty(), "{compression:?}: {:?}", delivery.refused);
            assert_eq!(canon(&delivery), fixes, "{compression:?}");
            let got = &delivery.accounts[0];
            assert_eq!((&*got.layout, got.bytes, &got.sha256), ("marinecadastre-2025", bytes.len() as u64, &sha256(&bytes)));
            let counts = |a: &alongside::model::FileAccount| (a.rows, a.positions, a.no_position, a.duplicates, a.rejected.clone());
            assert_eq!(counts(got), counts(account));
        }
    }
}

/// One ship, as different publishers and tools would write it.
#[test]
fn every_spelling_of_a_table_is_read() {
    let one = Row::of(366_000_001).with("BaseDateTime", "2020-01-01T10:20:30");
    let ms = time::parse_rfc3339("2020-01-01T10:20:30Z").expect("a time");
    let expected: Canon = canon(&read_with(&[("a.csv", &csv(std::slice::from_ref(&one)))], &lenient())).remove(0);
    let only_moving = Canon { said: Default::default(), ..expected.clone() };
    let int = |name: &str, v: i64| Int64Chunked::from_vec(name.into(), vec![v]).into_column();
    let float = |name: &str, v: f64| Float64Chunked::from_vec(name.into(), vec![v]).into_column();
    let text = |name: &str, v: &str| StringChunked::from_iter_values(name.into(), [v].into_iter()).into_column();
    let at = |name: &str, unit, v: i64| int(name, v).cast(&DataType::Datetime(unit, None)).expect("a time");
    let point = |name: &str, big| points(name, &[Some((-94.0, 28.5))], big);
    let without =
        |names: &[&str]| -> Vec<Column> { cadastre(std::slice::from_ref(&one)).into_iter().filter(|c| !names.contains(&c.name().as_str())).collect() };
    let moving = |mut first: Vec<Column>| {
        first.extend([float("sog", 5.0), float("cog", 90.0), int("heading", 91), int("status", 0)]);
        first
    };
    let geo = r#"{"version":"1.1.0","primary_column":"where","columns":{"where":{"encoding":"WKB","geometry_types":["Point"]}}}"#;
    let plain = Reading::default;
    let by_hand = |map: &[(Field, &str)], time| Reading { map: map.iter().map(|(f, c)| (*f, (*c).to_owned())).collect(), time, ..plain() };
    let known = |name: &str| Reading { known: KNOWN.into_iter().find(|k| k.name == name), ..plain() };
    let places = ["longitude", "latitude"];
    type Case<'a> = (&'a str, Vec<Column>, Option<&'a str>, Reading, &'a Canon, &'a str);
    let cases: Vec<Case> = vec![
        ("points alone", [without(&places), vec![point("geometry", false)]].concat(), None, plain(), &expected, "marinecadastre-2025"),
        ("points of the other byte order", [without(&places), vec![point("geometry", true)]].concat(), None, plain(), &expected, "marinecadastre-2025"),
        ("points that metadata name", [without(&places), vec![point("where", false)]].concat(), Some(geo), plain(), &expected, "marinecadastre-2025"),
        (
            "points beside columns: the columns count",
            [without(&[]), vec![points("geometry", &[Some((1.0, 2.0))], false)]].concat(),
            None,
            plain(),
            &expected,
            "marinecadastre-2025",
        ),
        (
            "Kystverket",
            vec![
                at("date_time_utc", TimeUnit::Nanoseconds, ms * 1_000_000),
                int("mmsi", 366_000_001),
                float("longitude", -94.0),
                float("latitude", 28.5),
                int("status", 0),
                float("course_over_ground", 90.0),
                int("true_heading", 91),
                float("speed_over_ground", 5.0),
                point("geometry", false),
            ],
            None,
            plain(),
            &only_moving,
            "kystverket",
        ),
        (
            "names of one's own",
            moving(vec![text("Schiff", "366000001"), at("Zeit", TimeUnit::Milliseconds, ms), float("Breite, N", 28.5), float("Laenge", -94.0)]),
            None,
            by_hand(&[(Field::Mmsi, "schiff"), (Field::Time, "zeit"), (Field::Lat, "breite_ n"), (Field::Lon, "laenge")], Some(TimeForm::DayFirst)),
            &only_moving,
            "mapped",
        ),
        (
            "numbers where times are",
            moving(vec![int("mmsi", 366_000_001), int("when", ms), float("lat", 28.5), float("lon", -94.0)]),
            None,
            by_hand(&[(Field::Time, "when")], Some(TimeForm::EpochMillis)),
            &only_moving,
            "mapped",
        ),
        ("texts everywhere", LEGACY.iter().map(|column| text(column, one.get(column))).collect(), None, plain(), &expected, "marinecadastre"),
        (
            "the layout named",
            moving(vec![float("mmsi", 366_000_001.0), text("basedatetime", "2020-01-01 10:20:30"), float("lat", 28.5), float("lon", -94.0)]),
            None,
            known("marinecadastre"),
            &only_moving,
            "marinecadastre",
        ),
    ];
    for (what, columns, geo, reading, expected, layout) in cases {
        let bytes = file_with(columns, ParquetCompression::Snappy, geo, None);
        let delivery = read_with(&[("a.parquet", &bytes)], &Limits { reading, ..lenient() });
        assert!(delivery.refused.is_empty(), "{what}: {:?}", delivery.refused);
        assert_eq!((canon(&delivery), &*delivery.accounts[0].layout), (vec![expected.clone()], layout), "{what}");
    }
    // What is missing is named, with what is there.
    let bytes = file(without(&["mmsi"]), ParquetCompression::Snappy);
    let delivery = read_with(&[("a.parquet", &bytes)], &lenient());
    let said = delivery.refused[0].to_string();
    assert!(said.contains("no column for MMSI; found base_date_time, longitude"), "{said}");
}

/// Decimals in bytes of a fixed number, as Arrow writes them; and a column of lists is named where one is missing.
#[test]
fn decimals_of_fixed_length_are_numbers() {
    let bytes = include_bytes!("../../fixtures/decimals.parquet");
    let fixes = canon(&read_with(&[("a.parquet", bytes)], &lenient()));
    let figures: Vec<_> = fixes.iter().map(|f| (f.lat_e7, f.lon_e7, f.sog)).collect();
    assert_eq!(figures, [(286_195_200, -942_587_100, Some(103)), (-5_000_000, 100, None)]);
    let reading = Reading { map: vec![(Field::Lat, "heading".to_owned())], ..Reading::default() };
    let said = read_with(&[("a.parquet", bytes)], &Limits { reading, ..lenient() }).refused[0].to_string();
    assert!(said.contains("no column `heading`; found mmsi") && said.contains("heading (of a type that is not read)"), "{said}");
}

#[test]
fn a_cell_stays_in_its_row() {
    let names = ["PLAIN", "A, B", "12\" GUN", "\"WHOLE\"", "TWO\nLINES", "CR\rLF\r\n", "", "END\r", "\u{7f}\u{202e}", "ÆRØ"];
    let rows: Vec<Row> = (0..names.len() + 6).map(|k| Row::of(366_000_001 + k as u32)).collect();
    let mut columns = cadastre(&rows);
    let long = "X".repeat(70 << 10);
    let all: Vec<Option<&str>> = names.iter().map(|n| Some(*n)).chain([None, Some(long.as_str()), None, None, None, None]).collect();
    columns[7] = StringChunked::from_iter_options("vessel_name".into(), all.iter().copied()).into_column();
    // Floats that are no numbers, and numbers that are no places.
    let lat = (0..rows.len()).map(|k| match k.checked_sub(names.len() + 2) {
        Some(0) => f64::NAN,
        Some(1) => f64::INFINITY,
        Some(2) => 1e-7,
        Some(3) => -89.999_999_96,
        _ => 28.5,
    });
    columns[3] = Float64Chunked::from_vec("latitude".into(), lat.collect()).into_column();
    let delivery = read_with(&[("a.parquet", &file(columns, ParquetCompression::Snappy))], &lenient());
    let account = &delivery.accounts[0];
    let rejected = BTreeMap::from([(RejectReason::LineTooLong, 1), (RejectReason::BadPosition, 2)]);
    assert_eq!((account.rows as usize, &account.rejected), (rows.len(), &rejected));
    let fixes = canon(&delivery);
    let said: Vec<&str> = fixes.iter().map(|f| f.said.name.as_str()).collect();
    let expected = ["PLAIN", "A, B", "12\" GUN", "\"WHOLE\"", "TWO LINES", "CR LF", "", "END", "\\u{7f}\\u{202e}", "ÆRØ", "", "", ""];
    assert_eq!(said, expected);
    assert_eq!(fixes[11..].iter().map(|f| f.lat_e7).collect::<Vec<_>>(), [1, -900_000_000]);
    // Lines count from the header, which is line 1.
    assert_eq!(fixes.iter().map(|f| f.line as usize).collect::<Vec<_>>(), (2..13).chain([16, 17]).collect::<Vec<_>>());
    assert_eq!(delivery.rejects.iter().map(|r| r.line).collect::<Vec<_>>(), [13, 14, 15]);
}

/// Floats of every kind, each read as the text that `{}` writes of it.
#[test]
fn a_float_is_its_shortest_text() {
    let mut state = 7u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let digits = [0, 1, 2, 4, 5, 6, 7, 9, 17];
    let rows: Vec<(f64, f64, f32)> = (0..3000)
        .map(|k| {
            let one = 10f64.powi(digits[k % digits.len()]);
            let cut = |v: f64| (v * one).round() / one;
            (cut(draw() * 180.0 - 90.0), cut(draw() * 360.0 - 180.0), cut(draw() * 103.0) as f32)
        })
        .chain([(-0.0, 1e-7, 0.1), (5e-324, 90.0, 1e-20), (-89.999_999_9, -179.999_999_9, 16_777_216.0)])
        .collect();
    let mut text = "mmsi,basedatetime,lat,lon,sog\n".to_owned();
    rows.iter().enumerate().for_each(|(k, (lat, lon, sog))| text.push_str(&format!("{},2020-01-01T00:00:00,{lat},{lon},{sog}\n", 366_000_000 + k)));
    let columns = vec![
        UInt32Chunked::from_vec("mmsi".into(), (0..rows.len() as u32).map(|k| 366_000_000 + k).collect()).into_column(),
        StringChunked::from_iter_values("basedatetime".into(), rows.iter().map(|_| "2020-01-01T00:00:00")).into_column(),
        Float64Chunked::from_vec("lat".into(), rows.iter().map(|r| r.0).collect()).into_column(),
        Float64Chunked::from_vec("lon".into(), rows.iter().map(|r| r.1).collect()).into_column(),
        Float32Chunked::from_vec("sog".into(), rows.iter().map(|r| r.2).collect()).into_column(),
    ];
    let [lines, table] = [text.into_bytes(), file(columns, ParquetCompression::Snappy)].map(|bytes| read_with(&[("a", &bytes)], &lenient()));
    assert!(canon(&lines).len() > 2900);
    assert_eq!((canon(&table), &table.accounts[0].rejected), (canon(&lines), &lines.accounts[0].rejected));
}

#[test]
fn points_that_are_none() {
    let rows: Vec<Row> = (0..8).map(|k| Row::of(366_000_001 + k)).collect();
    let mut columns: Vec<Column> = cadastre(&rows).into_iter().filter(|c| !c.name().ends_with("tude")).collect();
    let (x, y) = ((-94.0f64).to_le_bytes(), 28.5f64.to_le_bytes());
    let wkb = |head: &[u8], tail: &[u8]| Some([head, &x, &y, tail].concat());
    let all = [
        wkb(&[1, 1, 0, 0, 0], &[]),
        // Three dimensions, as ISO and as EWKB write them, the latter with its reference system.
        wkb(&[1, 0xe9, 3, 0, 0], &[0; 8]),
        wkb(&[1, 1, 0, 0, 0xa0, 0xe6, 0x10, 0, 0], &[0; 8]),
        None,
        Some([&[1, 1, 0, 0, 0][..], &f64::NAN.to_le_bytes(), &f64::NAN.to_le_bytes()].concat()),
        // A line, a point that is cut, and nothing.
        wkb(&[1, 2, 0, 0, 0], &[]),
        Some(vec![1, 1, 0, 0, 0, 1, 2, 3]),
        Some(vec![]),
    ];
    columns.push(BinaryChunked::from_iter_options("geometry".into(), all.into_iter()).into_column());
    let delivery = read_with(&[("a.parquet", &file(columns, ParquetCompression::Snappy))], &lenient());
    let account = &delivery.accounts[0];
    assert_eq!((account.positions, account.no_position, account.rejected.clone()), (3, 2, BTreeMap::from([(RejectReason::BadPosition, 3)])));
    assert!(canon(&delivery).iter().all(|f| (f.lat_e7, f.lon_e7) == (285_000_000, -940_000_000)));
}

#[test]
fn a_table_comes_as_a_file() {
    let scratch = Scratch::new();
    let bytes = file(cadastre(&[Row::of(366_000_001)]), ParquetCompression::Snappy);
    let done = run(&scratch, &["inspect", "-"], Some(&bytes));
    assert!(done.code == 3 && done.stderr.contains("-: a Parquet file can be read from a file only, not from a pipe"), "{}", done.stderr);
    scratch.put("a.parquet.gz", &{
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut out, &bytes).expect("gzip in memory");
        out.finish().expect("gzip in memory")
    });
    let done = run(&scratch, &["inspect", "a.parquet.gz"], None);
    assert!(done.code == 3 && done.stderr.contains("a Parquet file inside another container"), "{}", done.stderr);
}

/// Reads a file in whatever state it is, with the panics of decoders kept off standard error; returns rows, or what was said.
fn look(bytes: &[u8]) -> Result<u64, String> {
    let delivery = read_with(&[("a.parquet", bytes)], &lenient());
    match delivery.refused.first() {
        Some(e) => Err(e.to_string()),
        None => Ok(delivery.accounts[0].rows),
    }
}

fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !is_decoder() {
                usual(panic);
            }
        }));
    });
}

#[test]
fn a_damaged_table_costs_itself_alone() {
    quiet();
    let rows: Vec<Row> = (0..20).map(|k| Row::of(366_000_001 + k % 3).with("VesselName", ["A", "B, C", ""][k as usize % 3])).collect();
    let columns = || {
        let all = cadastre(&rows);
        let mut some: Vec<Column> =
            all.into_iter().filter(|c| ["mmsi", "base_date_time", "longitude", "sog", "vessel_name"].contains(&c.name().as_str())).collect();
        some.push(points("geometry", &vec![Some((-94.0, 28.5)); rows.len()], false));
        some
    };
    for compression in [ParquetCompression::Uncompressed, ParquetCompression::Zstd(None)] {
        let whole = file_with(columns(), compression, None, Some(8));
        assert_eq!(look(&whole), Ok(20));
        for n in (0..whole.len()).step_by(7) {
            assert!(look(&whole[..n]).is_err(), "{n} bytes of {}", whole.len());
        }
        let (mut refused, mut read) = (0, 0);
        for n in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[n] ^= 1 << (n * 7 % 8);
            match look(&bytes) {
                Ok(rows) => read += u64::from(rows == 20),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > whole.len() / 6 && read > 100, "{refused} refused, {read} read of {}", whole.len());
    }
}

#[test]
fn a_table_that_promises_too_much_is_found_out() {
    quiet();
    let rows: Vec<Row> = (0..50).map(|k| Row::of(366_000_001 + k)).collect();
    let whole = file(cadastre(&rows), ParquetCompression::Uncompressed);
    let about = read_metadata(&mut Cursor::new(&whole)).expect("a footer");
    let at = |name: &str| {
        let chunk = about.row_groups[0].columns_under_root_iter(name).expect("a column").next().expect("a column");
        let range = chunk.byte_range();
        range.start as usize..range.end as usize
    };
    let head = alongside::ingest::container::page_head(&whole[at("vessel_name")]).expect("a header").expect("all of it");
    assert!(head.is_dictionary && head.values == 1 && head.header < 40, "{head:?}");
    // Each byte of each page header as the first of a large number, or the last of one that does not end.
    for name in ["mmsi", "vessel_name", "latitude"] {
        let range = at(name);
        for k in range.clone().take(30) {
            for forged in [&[0xfe, 0xff, 0xff, 0xff, 0x0f][..], &[0xff; 10], &[0x80; 3], &[0x7f], &[0]] {
                let mut bytes = whole.clone();
                bytes[k..k + forged.len()].copy_from_slice(forged);
                let _ = look(&bytes);
            }
        }
    }
    // Each number of the footer, likewise.
    let footer = whole.len() - 8 - u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().expect("four bytes")) as usize;
    for k in (footer..whole.len() - 18).step_by(3) {
        for forged in [&[0xfe, 0xff, 0xff, 0xff, 0x0f][..], &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]] {
            let mut bytes = whole.clone();
            bytes[k..k + forged.len()].copy_from_slice(forged);
            let _ = look(&bytes);
        }
    }
}

// Out.

/// What a folder of canonical files holds, without where it came from.
fn columns(scratch: &Scratch, name: &str) -> DataFrame {
    let frame = ParquetReader::new(Cursor::new(scratch.read(name))).finish().expect("Parquet");
    frame.drop("source").and_then(|f| f.drop("line")).expect("the columns of provenance")
}

fn detect(scratch: &Scratch, out: &str, args: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let done = run(scratch, &[&["detect", "-q", "--min-confidence", "0", "-o", out], args].concat(), None);
    assert_eq!(done.code, 0, "{out}: {}", done.stderr);
    (scratch.read(&format!("{out}/events.geojson")), scratch.read(&format!("{out}/events.csv")))
}

fn convert(scratch: &Scratch, out: &str, args: &[&str]) -> String {
    let done = run(scratch, &[&["convert", "-o", out], args].concat(), None);
    assert_eq!(done.code, 0, "{out}: {}", done.stderr);
    done.stdout
}

#[test]
fn converted_files_give_the_same_events() {
    let scratch = Scratch::new();
    // Names as long as any that is kept, and longer once they are escaped.
    let names = ["Ð".repeat(600), "\u{7f}".repeat(900), format!("@@ \u{202e}{} @", "X".repeat(1019)), "\"A, \"\"B\"\"\"".to_owned()];
    let odd = names.iter().enumerate().map(|(k, name)| Row::of(366_000_900 + k as u32).with("VesselName", name));
    scratch.put("drawn.csv", &csv(&drawn_day().into_iter().chain(odd).collect::<Vec<_>>()));
    let plan = lab::Plan {
        out: scratch.path("traffic"),
        seed: 3,
        days: 2,
        start_day: time::parse_day("2024-03-01").expect("a day"),
        ships: 60,
        interval_s: 90.0,
        layout: lab::Layout::Legacy,
        compress: false,
    };
    lab::simulate(&plan).expect("traffic");
    // Ships under made-up names, who lie together.
    let hashed: String =
        (0..400).map(|k| format!("{},{:x},{},38.0,0,0.1,90\n", 1_502_370_018_000i64 + k * 60_000, 0xabc + k % 2, 20.0 + (k % 2) as f64 * 1e-3)).collect();
    scratch.put("hashed.csv", format!("t,vessel_id,lon,lat,heading,speed,course\n{hashed}").as_bytes());
    for (name, input, days) in [("drawn", "drawn.csv", 1), ("two", "traffic/ais", 2), ("hashed", "hashed.csv", 1)] {
        let expected = detect(&scratch, &format!("{name}-source"), &[input]);
        assert!(expected.1.iter().filter(|b| **b == b'\n').count() > 1, "{name}: no event to compare");
        let folder = format!("{name}-canonical");
        let said = convert(&scratch, &folder, &[input]);
        assert!(said.contains("rows") && said.contains(&format!("written to {folder}")), "{said}");
        let files = scratch.list(&folder);
        assert_eq!((files.len(), files.iter().filter(|f| f.ends_with(".parquet")).count()), (days + 2, days), "{files:?}");
        assert_eq!(detect(&scratch, &format!("{name}-again"), &[&folder]), expected, "{name}");
        // The particulars are the same, each once, and so are the fixes.
        let read = |input: &str| {
            let paths = ingest::inputs::expand(&[scratch.path(input).display().to_string()]).expect("files");
            let delivery = ingest::read(&paths, &Limits::default(), &|_| ()).expect("a delivery");
            assert!(delivery.refused.is_empty(), "{:?}", delivery.refused);
            let fixes: Vec<Canon> = canon(&delivery).into_iter().map(|c| Canon { line: 0, ..c }).collect();
            (fixes, frame::particulars_records(&delivery.particulars).expect("particulars"), delivery.days)
        };
        assert_eq!(read(input), read(&folder), "{name}");
        // Converted once more it is the same but for where it came from.
        convert(&scratch, &format!("{name}-twice"), &[&folder]);
        for file in files.iter().filter(|f| f.ends_with(".parquet")) {
            assert!(columns(&scratch, &format!("{folder}/{file}")).equals_missing(&columns(&scratch, &format!("{name}-twice/{file}"))), "{name}, {file}");
        }
    }
}

#[test]
fn a_converted_file_is_what_the_dictionary_says() {
    let scratch = Scratch::new();
    let rows = drawn_day();
    scratch.put("day.csv", &csv(&rows));
    convert(&scratch, "out", &["day.csv"]);
    let bytes = scratch.read("out/2020-01-01.parquet");
    let frame = ParquetReader::new(Cursor::new(&bytes)).finish().expect("Parquet");
    let names: Vec<&str> = frame.get_column_names().into_iter().map(|n| n.as_str()).collect();
    let dictionary = "mmsi t lon lat sog_dkn cog_ddeg heading_deg status name imo call_sign ship_type length_dm beam_dm draught_dm cargo class to_bow_m to_stern_m to_port_m to_starboard_m source line geometry";
    assert_eq!(names, dictionary.split(' ').collect::<Vec<_>>());
    // The methods name every column.
    let methods = include_str!("../../docs/methods.md");
    assert!(names.iter().all(|n| methods.contains(&format!("| `{n}` |"))));
    let f64s = |name: &str| frame.column(name).expect(name).f64().expect("f64").into_no_null_iter().collect::<Vec<f64>>();
    let (lon, lat) = (f64s("lon"), f64s("lat"));
    // Every row is the line that it names.
    let mmsi: Vec<u32> = frame.column("mmsi").expect("mmsi").u32().expect("u32").into_no_null_iter().collect();
    let lines: Vec<u32> = frame.column("line").expect("line").u32().expect("u32").into_no_null_iter().collect();
    let wkb = frame.column("geometry").expect("geometry").binary().expect("binary").clone();
    for k in 0..frame.height() {
        let row = &rows[lines[k] as usize - 2];
        assert_eq!(
            (mmsi[k].to_string().as_str(), lon[k], lat[k]),
            (row.get("MMSI"), number(row.get("LON")).expect("lon"), number(row.get("LAT")).expect("lat"))
        );
        let point = [&[1, 1, 0, 0, 0][..], &lon[k].to_le_bytes(), &lat[k].to_le_bytes()].concat();
        assert_eq!(wkb.get(k), Some(&point[..]));
    }
    let sources: BTreeSet<&str> = frame.column("source").expect("source").str().expect("str").iter().flatten().collect();
    assert_eq!((sources, lines.iter().collect::<BTreeSet<_>>().len()), (BTreeSet::from(["day.csv"]), frame.height()));
    let about = read_metadata(&mut Cursor::new(&bytes)).expect("a footer");
    let text = |key: &str| about.key_value_metadata().as_ref().and_then(|all| all.iter().find(|kv| kv.key == key)).and_then(|kv| kv.value.clone()).expect(key);
    let geo: serde_json::Value = serde_json::from_str(&text("geo")).expect("JSON");
    let least = |v: &[f64]| v.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bbox = serde_json::json!([least(&lon), least(&lat), most(&lon), most(&lat)]);
    let column = serde_json::json!({"encoding": "WKB", "geometry_types": ["Point"], "bbox": bbox});
    assert_eq!(geo, serde_json::json!({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text("alongside")).expect("JSON")["day"], "2020-01-01");
    // No row group goes over a border of blocks, and the first is the earliest.
    let t: Vec<i64> = frame.column("t").expect("t").cast(&DataType::Int64).expect("i64").i64().expect("i64").into_no_null_iter().collect();
    let mut from = 0;
    let mut blocks = Vec::new();
    for group in &about.row_groups {
        let of: BTreeSet<i64> = t[from..from + group.num_rows()].iter().map(|t| t / (canonical::BLOCK_H * 3_600_000)).collect();
        assert!(of.len() == 1 && group.num_rows() <= canonical::MOST_ROWS);
        blocks.extend(of);
        from += group.num_rows();
    }
    assert!(blocks.is_sorted() && blocks.len() >= 2 && from == frame.height(), "{blocks:?}");
}

#[test]
fn a_conversion_is_the_same_bytes_whoever_works_at_it() {
    let scratch = Scratch::new();
    let rows = drawn_day();
    scratch.put("day.csv", &csv(&rows));
    scratch.put("shuffled.csv", &csv(&rows.iter().rev().cloned().collect::<Vec<_>>()));
    convert(&scratch, "one", &["day.csv", "--threads", "1"]);
    convert(&scratch, "three", &["day.csv", "--threads", "3"]);
    convert(&scratch, "shuffled", &["shuffled.csv"]);
    assert!(scratch.read("one/2020-01-01.parquet") == scratch.read("three/2020-01-01.parquet"));
    assert!(columns(&scratch, "one/2020-01-01.parquet").equals_missing(&columns(&scratch, "shuffled/2020-01-01.parquet")));
}

#[test]
fn a_conversion_is_written_whole_and_replaces_nothing() {
    let scratch = Scratch::new();
    scratch.put("day.csv", &csv(&drawn_day()));
    convert(&scratch, "out", &["day.csv"]);
    let manifest: serde_json::Value = serde_json::from_slice(&scratch.read("out/manifest.json")).expect("JSON");
    let input = &manifest["inputs"][0];
    let rejected: u64 = input["rejected"].as_object().expect("counts").values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(input["rows"].as_u64(), Some(input["accepted"].as_u64().expect("accepted") + rejected));
    assert_eq!(manifest["outputs"][0]["rows"], input["positions"]);
    assert_eq!(manifest["outputs"][0]["sha256"], sha256(&scratch.read("out/2020-01-01.parquet")));
    let done = run(&scratch, &["convert", "day.csv", "-o", "out"], None);
    assert!(done.code == 5 && done.stderr.contains("out: exists already"), "{}", done.stderr);
    assert_eq!(run(&scratch, &["convert", "day.csv", "-o", "out", "--overwrite", "-q"], None).code, 0);
    let done = run(&scratch, &["convert", "nothing.csv", "-o", "other"], None);
    assert!(done.code == 3 && !scratch.path("other").exists(), "{}", done.stderr);
    // Another's folder is left alone; what could not be read is named, and the rest is written.
    scratch.put("mine/notes.txt", b"x");
    assert_eq!(run(&scratch, &["convert", "day.csv", "-o", "mine", "--overwrite"], None).code, 5);
    scratch.put("bad.csv", b"one,two\n1,2\n");
    let done = run(&scratch, &["convert", "day.csv", "bad.csv", "-o", "partial"], None);
    assert!(done.code == 4 && done.stderr.contains("bad.csv: no known AIS layout"), "{}", done.stderr);
    assert_eq!(scratch.list("partial"), ["2020-01-01.parquet", "manifest.json", "rejects.csv"]);
}

/// A day that held few rows when it was read was delivered all the same: what is converted is not judged again.
#[test]
fn converted_days_stay_delivered() {
    let scratch = Scratch::new();
    let mut rows = drawn_day();
    rows.push(Row::of(366_000_101).with("BaseDateTime", "2020-01-05T00:00:00"));
    scratch.put("days.csv", &csv(&rows));
    let days = ["--from", "2020-01-01", "--to", "2020-01-05"];
    let expected = detect(&scratch, "source", &[&["days.csv"][..], &days].concat());
    convert(&scratch, "canonical", &[&["days.csv"][..], &days].concat());
    assert_eq!(scratch.list("canonical"), ["2020-01-01.parquet", "2020-01-05.parquet", "manifest.json", "rejects.csv"]);
    assert_eq!(detect(&scratch, "again", &["canonical"]), expected);
}
