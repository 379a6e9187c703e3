//! What is delivered of files as they come: a table a field, a table a fault, and one property over all of them: every row is
//! accepted or rejected with a reason, a line and an offset, and no row pays for its neighbour.

use crate::cli::{Scratch, run};
use alongside::frame;
use alongside::ingest::{self, Delivery, Limits};
use alongside::model::{AisClass, NULL_STATUS, NULL_U16, Particulars, RejectReason};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The header of 2015 to 2024, and the order of a [`Row`].
pub const LEGACY: [&str; 17] = [
    "MMSI",
    "BaseDateTime",
    "LAT",
    "LON",
    "SOG",
    "COG",
    "Heading",
    "VesselName",
    "IMO",
    "CallSign",
    "VesselType",
    "Status",
    "Length",
    "Width",
    "Draft",
    "Cargo",
    "TransceiverClass",
];

/// The header of 2025: longitude before latitude.
pub const RENAMED: &str =
    "mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,width,draft,cargo,transceiver";

/// One row, a text a column of [`LEGACY`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub [String; 17]);

impl Row {
    /// A tanker off Galveston at midnight.
    pub fn of(mmsi: u32) -> Self {
        let texts = "2020-01-01T00:00:00,28.50000,-94.00000,5.0,90.0,91,PLAIN JANE,IMO9074729,WDA1234,80,0,180,32,10.5,80,A";
        let mut fields: Vec<String> = vec![mmsi.to_string()];
        fields.extend(texts.split(',').map(str::to_owned));
        Self(fields.try_into().expect("seventeen columns"))
    }
    /// The same with another text in one column.
    pub fn with(mut self, column: &str, text: impl Into<String>) -> Self {
        let k = LEGACY.iter().position(|c| *c == column).expect("a column of the legacy header");
        self.0[k] = text.into();
        self
    }
    pub fn get(&self, column: &str) -> &str {
        &self.0[LEGACY.iter().position(|c| *c == column).expect("a column of the legacy header")]
    }
    /// As a line, the texts as they are: what needs quotes must bring them.
    pub fn line(&self) -> String {
        self.0.join(",")
    }
    /// As a line of 2025: other order, a blank for the T, sentinels empty.
    fn renamed(&self) -> String {
        let mut fields = self.0.clone();
        fields.swap(2, 3);
        fields[1] = fields[1].replace('T', " ");
        for (k, sentinel) in [(4, "102.3"), (5, "360.0"), (6, "511")] {
            if fields[k] == sentinel {
                fields[k].clear();
            }
        }
        fields.join(",")
    }
}

/// A legacy file.
pub fn csv(rows: &[Row]) -> Vec<u8> {
    let mut text = LEGACY.join(",");
    text.push('\n');
    for row in rows {
        text.push_str(&row.line());
        text.push('\n');
    }
    text.into_bytes()
}

pub fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("zstd in memory")
}

pub fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in members {
        if name.ends_with('/') {
            writer.add_directory(*name, options).expect("zip in memory");
        } else if let Some(name) = name.strip_suffix("@") {
            writer.add_symlink(name, "/etc/passwd", options).expect("zip in memory");
        } else {
            writer.start_file(*name, options).expect("zip in memory");
            writer.write_all(bytes).expect("zip in memory");
        }
    }
    writer.finish().expect("zip in memory").into_inner()
}

/// A fix as it was delivered, beside what its ship said in the same row; null is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canon {
    pub mmsi: u32,
    pub t_ms: i64,
    pub lat_e7: i32,
    pub lon_e7: i32,
    pub sog: Option<u16>,
    pub cog: Option<u16>,
    pub heading: Option<u16>,
    pub status: Option<u8>,
    pub said: Particulars,
    pub line: u32,
}

pub fn canon(delivery: &Delivery) -> Vec<Canon> {
    in_files(delivery).map(|(_, canon)| canon).collect()
}

/// The same by file.
pub fn canon_by_file(delivery: &Delivery) -> Vec<Vec<Canon>> {
    let mut out = vec![Vec::new(); delivery.accounts.len()];
    in_files(delivery).for_each(|(file, canon)| out[file].push(canon));
    out
}

/// Fixes by ship and time, each with the number of its file.
fn in_files(delivery: &Delivery) -> impl Iterator<Item = (usize, Canon)> {
    let table = frame::particulars_records(&delivery.particulars).expect("a frame of particulars");
    let known = |v: u16| (v != NULL_U16).then_some(v);
    let mut out = Vec::new();
    for ship in frame::ships(&delivery.positions).expect("a frame of positions") {
        for k in 0..ship.t_ms.len() {
            let fix = ship.fix(k);
            let file = delivery.first_rows.partition_point(|first| *first <= fix.row) - 1;
            let canon = Canon {
                mmsi: ship.mmsi.0,
                t_ms: fix.t_ms,
                lat_e7: fix.lat_e7,
                lon_e7: fix.lon_e7,
                sog: known(fix.sog_dkn),
                cog: known(fix.cog_ddeg),
                heading: known(fix.heading_deg),
                status: (fix.status != NULL_STATUS).then_some(fix.status),
                said: table[fix.particulars as usize].clone(),
                line: fix.row - delivery.first_rows[file],
            };
            out.push((file, canon));
        }
    }
    out.into_iter()
}

/// Everything may be malformed and every day is delivered: for tests that look at single rows.
pub fn lenient() -> Limits {
    Limits { max_reject_percent: 100.0, stray_share: 0.0, ..Limits::default() }
}

pub fn read_with(files: &[(&str, &[u8])], limits: &Limits) -> Delivery {
    // In memory where there is such a place: tens of thousands of small files are read in these tests.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, bytes)| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file in a temporary folder");
            path
        })
        .collect();
    let delivery = ingest::read(&paths, limits, &|_| ()).expect("reading never fails as a whole");
    for account in &delivery.accounts {
        assert!(account.balances(), "rows = accepted + rejected: {account:?}");
    }
    delivery
}

pub fn read_one(bytes: &[u8]) -> Delivery {
    read_with(&[("a.csv", bytes)], &lenient())
}

// Fields.

/// What is made of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Is(i64),
    Null,
    Rejected(RejectReason),
    NotShip(&'static str),
    NoPosition,
}
use RejectReason::{BadMmsi, BadMotion, BadPosition, BadTime, DefaultMmsi, FieldCount, LineTooLong, PositionOffGlobe, RepeatedHeader};
use Says::{Is, NoPosition, NotShip, Null, Rejected};

/// One file with a row a case; every row must be where it belongs, and nowhere else.
fn check(value_of: fn(&Canon) -> Option<i64>, cases: &[(Row, Says)]) {
    let delivery = read_one(&csv(&cases.iter().map(|c| c.0.clone()).collect::<Vec<_>>()));
    let fixes: BTreeMap<u32, Canon> = canon(&delivery).into_iter().map(|c| (c.line, c)).collect();
    let rejects: BTreeMap<u64, RejectReason> = delivery.rejects.iter().map(|r| (r.line, r.reason)).collect();
    let (mut no_position, mut not_ships) = (0, BTreeMap::new());
    for (k, (row, says)) in cases.iter().enumerate() {
        let line = k as u32 + 2;
        let fix = fixes.get(&line);
        let found = match (fix, rejects.get(&u64::from(line))) {
            (Some(fix), None) => Some(value_of(fix).map_or(Null, Is)),
            (None, Some(reason)) => Some(Rejected(*reason)),
            (None, None) => None,
            (Some(_), Some(_)) => panic!("accepted and rejected: {}", row.line()),
        };
        match says {
            NoPosition => no_position += 1,
            NotShip(kind) => *not_ships.entry(*kind).or_insert(0) += 1,
            _ => {}
        }
        let expected = (!matches!(says, NoPosition | NotShip(_))).then_some(*says);
        assert_eq!(found, expected, "{}", row.line());
    }
    let account = &delivery.accounts[0];
    assert_eq!((account.rows, account.no_position, &account.not_ships), (cases.len() as u64, no_position, &not_ships));
}

/// The same for one column: a text a case.
fn column(column: &str, value_of: fn(&Canon) -> Option<i64>, cases: &[(&str, Says)]) {
    let rows: Vec<(Row, Says)> = cases.iter().enumerate().map(|(k, (text, says))| (Row::of(366_000_001 + k as u32).with(column, *text), *says)).collect();
    check(value_of, &rows);
}

#[test]
fn an_mmsi_has_nine_digits_and_nothing_else() {
    column(
        "MMSI",
        |c| Some(i64::from(c.mmsi)),
        &[
            ("366123456", Is(366_123_456)),
            ("366123457.0", Is(366_123_457)),
            (" 366123458 ", Is(366_123_458)),
            // A handheld, a tender, country digits that nobody has: ships, because a tampered identity is the signal.
            ("812345678", Is(812_345_678)),
            ("983661234", Is(983_661_234)),
            ("100000001", Is(100_000_001)),
            ("412000000", Is(412_000_000)),
            ("", Rejected(BadMmsi)),
            ("36612345", Rejected(BadMmsi)),
            ("3661234567", Rejected(BadMmsi)),
            ("36612345x", Rejected(BadMmsi)),
            ("+36612345", Rejected(BadMmsi)),
            ("-36612345", Rejected(BadMmsi)),
            ("3.66123e8", Rejected(BadMmsi)),
            ("366123456.5", Rejected(BadMmsi)),
            ("CC0000000", Rejected(BadMmsi)),
            ("٣٦٦١٢٣٤٥٦", Rejected(BadMmsi)),
            // A base station that lost its zeros is not padded in silence.
            ("2190064", Rejected(BadMmsi)),
            // Numbers that stand for nobody, with and without their zeros.
            ("000000000", Rejected(DefaultMmsi)),
            ("0", Rejected(DefaultMmsi)),
            ("001193046", Rejected(DefaultMmsi)),
            ("1193046", Rejected(DefaultMmsi)),
            ("111111111", Rejected(DefaultMmsi)),
            ("123456789", Rejected(DefaultMmsi)),
            ("999999999", Rejected(DefaultMmsi)),
            ("002190064", NotShip("base_station")),
            ("023661234", NotShip("group")),
            ("111219501", NotShip("sar_aircraft")),
            ("970011234", NotShip("beacon")),
            ("972011234", NotShip("beacon")),
            ("974011234", NotShip("beacon")),
            ("971011234", Is(971_011_234)),
            ("993661234", NotShip("aid_to_navigation")),
        ],
    );
}

#[test]
fn a_time_has_the_form_of_the_layout_and_is_a_date() {
    const DAY: i64 = 1_577_836_800_000;
    column(
        "BaseDateTime",
        |c| Some(c.t_ms),
        &[
            ("2020-01-01T00:00:00", Is(DAY)),
            ("2020-01-01 00:00:01", Is(DAY + 1_000)),
            ("2020-01-01T23:59:59Z", Is(DAY + 86_399_000)),
            ("2020-01-01T00:00:00.5", Is(DAY + 500)),
            ("2020-01-01T00:00:00.1239", Is(DAY + 123)),
            (" 2020-01-01T00:00:03 ", Is(DAY + 3_000)),
            ("1970-01-01T00:00:00", Is(0)),
            ("2020-02-29T00:00:00", Is(DAY + 59 * 86_400_000)),
            ("2000-02-29T00:00:00", Is(951_782_400_000)),
            ("2100-02-29T00:00:00", Rejected(BadTime)),
            ("2019-02-29T00:00:00", Rejected(BadTime)),
            ("2020-13-01T00:00:00", Rejected(BadTime)),
            ("2020-00-01T00:00:00", Rejected(BadTime)),
            ("2020-01-00T00:00:00", Rejected(BadTime)),
            ("2020-01-32T00:00:00", Rejected(BadTime)),
            ("2020-01-01T24:00:00", Rejected(BadTime)),
            ("2020-01-01T00:60:00", Rejected(BadTime)),
            ("2020-01-01T00:00:60", Rejected(BadTime)),
            ("2020-01-01", Rejected(BadTime)),
            ("2020-01-01T00:00", Rejected(BadTime)),
            ("2020-01-01T00:00:00.", Rejected(BadTime)),
            ("2020-01-01T00:00:00.5s", Rejected(BadTime)),
            ("2020-01-01T00:00:00+01:00", Rejected(BadTime)),
            ("2020/01/01T00:00:00", Rejected(BadTime)),
            ("2020-01-01T00-00-00", Rejected(BadTime)),
            ("01/01/2020 00:00:00", Rejected(BadTime)),
            ("+020-01-01T00:00:00", Rejected(BadTime)),
            ("1969-12-31T23:59:59", Rejected(BadTime)),
            ("9999-01-01T00:00:00", Rejected(BadTime)),
            ("0000-00-00T00:00:00", Rejected(BadTime)),
            ("", Rejected(BadTime)),
            ("1577836800", Rejected(BadTime)),
        ],
    );
    // Alone in its file, so that no date was read before it.
    column("BaseDateTime", |c| Some(c.t_ms), &[("\0\0\0\0\0\0\0\0\0\0T00:00:00", Rejected(BadTime))]);
}

#[test]
fn a_latitude_is_a_plain_number_rounded_to_1e_7_degree() {
    column(
        "LAT",
        |c| Some(i64::from(c.lat_e7)),
        &[
            ("28.5", Is(285_000_000)),
            ("+28.5", Is(285_000_000)),
            ("-28.5", Is(-285_000_000)),
            ("28", Is(280_000_000)),
            ("28.", Is(280_000_000)),
            (".5", Is(5_000_000)),
            ("-.5", Is(-5_000_000)),
            (" 28.5 ", Is(285_000_000)),
            ("0028.50", Is(285_000_000)),
            ("28.1234567", Is(281_234_567)),
            // Half away from zero, and only the first digit dropped decides.
            ("28.12345674", Is(281_234_567)),
            ("28.12345675", Is(281_234_568)),
            ("-28.12345675", Is(-281_234_568)),
            ("28.123456749999999999999999999999", Is(281_234_567)),
            ("28.99999999", Is(290_000_000)),
            // The equator stays; so does its negative zero.
            ("0", Is(0)),
            ("0.0", Is(0)),
            ("-0", Is(0)),
            ("-0.00000001", Is(0)),
            ("90", Is(900_000_000)),
            ("-90.0", Is(-900_000_000)),
            ("2.85e1", Is(285_000_000)),
            ("285E-1", Is(285_000_000)),
            ("2.85e+1", Is(285_000_000)),
            ("1e-9", Is(0)),
            ("91", NoPosition),
            ("91.0", NoPosition),
            ("9.1e1", NoPosition),
            ("-91", Rejected(PositionOffGlobe)),
            ("90.0000001", Rejected(PositionOffGlobe)),
            ("95", Rejected(PositionOffGlobe)),
            ("429.4967296", Rejected(PositionOffGlobe)),
            ("1e3", Rejected(PositionOffGlobe)),
            ("1e400", Rejected(BadPosition)),
            ("-1e400", Rejected(BadPosition)),
            ("99999999999999999999999999", Rejected(BadPosition)),
            ("0.0000000000000000000000000000001", Is(0)),
            ("", Rejected(BadPosition)),
            ("-", Rejected(BadPosition)),
            ("+", Rejected(BadPosition)),
            (".", Rejected(BadPosition)),
            ("+-1", Rejected(BadPosition)),
            ("--1", Rejected(BadPosition)),
            ("1e", Rejected(BadPosition)),
            ("e1", Rejected(BadPosition)),
            ("1e1e1", Rejected(BadPosition)),
            ("1.2.3", Rejected(BadPosition)),
            ("28 5", Rejected(BadPosition)),
            ("28°30'", Rejected(BadPosition)),
            ("28.5N", Rejected(BadPosition)),
            ("NaN", Rejected(BadPosition)),
            ("inf", Rejected(BadPosition)),
            ("-infinity", Rejected(BadPosition)),
            ("0x1C", Rejected(BadPosition)),
            ("1_0", Rejected(BadPosition)),
            ("null", Rejected(BadPosition)),
            ("２８", Rejected(BadPosition)),
        ],
    );
}

#[test]
fn a_longitude_of_180_has_one_spelling() {
    column(
        "LON",
        |c| Some(i64::from(c.lon_e7)),
        &[
            ("180", Is(-1_800_000_000)),
            ("-180", Is(-1_800_000_000)),
            ("179.9999999", Is(1_799_999_999)),
            ("0", Is(0)),
            ("181", NoPosition),
            ("-181.0", NoPosition),
            ("180.0000001", Rejected(PositionOffGlobe)),
            ("-180.1", Rejected(PositionOffGlobe)),
            ("360", Rejected(PositionOffGlobe)),
            ("", Rejected(BadPosition)),
        ],
    );
}

#[test]
fn a_row_without_a_position_is_counted_as_that() {
    let row = |lat: &str, lon: &str| Row::of(366_000_001).with("LAT", lat).with("LON", lon);
    check(
        |c| Some(i64::from(c.lat_e7)),
        &[
            (row("", ""), NoPosition),
            (row(" ", " "), NoPosition),
            (row("91", "181"), NoPosition),
            (row("0", "0"), NoPosition),
            (row("0.0", "-0.0"), NoPosition),
            (row("91", ""), Rejected(BadPosition)),
            (row("91", "x"), Rejected(BadPosition)),
            (row("0", "0.0001"), Is(0)),
        ],
    );
}

#[test]
fn speed_course_heading_and_status_know_their_sentinels() {
    column(
        "SOG",
        |c| c.sog.map(i64::from),
        &[
            ("0", Is(0)),
            ("0.0", Is(0)),
            ("-0.0", Is(0)),
            ("12.3", Is(123)),
            ("12.34", Is(123)),
            ("12.35", Is(124)),
            ("1.23e1", Is(123)),
            ("102.1", Is(1021)),
            // "102.2 or more" is no measurement, 102.3 is "not available".
            ("102.2", Null),
            ("102.3", Null),
            ("51.2", Null),
            ("63.0", Null),
            ("51.1", Is(511)),
            ("-1", Null),
            ("6553.5", Null),
            ("99999999999999999999", Rejected(BadMotion)),
            ("", Null),
            ("fast", Rejected(BadMotion)),
            ("NaN", Rejected(BadMotion)),
        ],
    );
    column(
        "COG",
        |c| c.cog.map(i64::from),
        &[
            ("0", Is(0)),
            ("359.9", Is(3599)),
            ("360", Null),
            ("360.0", Null),
            ("409.5", Null),
            // Twelve bits read with a sign, as in 2015 to 2017: from 204.8 on they are 409.6 too low, and -49.6 is "not available".
            ("-149.6", Is(2600)),
            ("-204.8", Is(2048)),
            ("-49.7", Is(3599)),
            ("-49.6", Null),
            ("-204.9", Null),
            ("-1.5", Null),
            ("-0.0", Is(0)),
            ("", Null),
            ("NE", Rejected(BadMotion)),
        ],
    );
    column(
        "Heading",
        |c| c.heading.map(i64::from),
        &[
            ("0", Is(0)),
            ("359", Is(359)),
            ("359.0", Is(359)),
            ("90.4", Is(90)),
            ("360", Null),
            ("511", Null),
            ("511.0", Null),
            ("", Null),
            ("N", Rejected(BadMotion)),
        ],
    );
    // A status never costs a row: some years write it in words.
    column(
        "Status",
        |c| c.status.map(i64::from),
        &[
            ("0", Is(0)),
            ("1", Is(1)),
            ("5.0", Is(5)),
            ("14", Is(14)),
            ("15", Null),
            ("99", Null),
            ("-1", Null),
            ("", Null),
            ("Under way using engine", Is(0)),
            ("moored", Is(5)),
            ("adrift", Null),
        ],
    );
}

#[test]
fn no_particular_costs_a_row() {
    let number = |text: &str| match text {
        "" | "x" | "-5" | "NaN" | "1e9" => Null,
        _ => Is(120),
    };
    let cases: Vec<(&str, Says)> = ["", "x", "-5", "NaN", "1e9", "12", "12.0", "12.04"].map(|t| (t, number(t))).into();
    column("Length", |c| (c.said.length_dm != 0).then_some(i64::from(c.said.length_dm)), &cases);
    column("Width", |c| (c.said.beam_dm != 0).then_some(i64::from(c.said.beam_dm)), &cases);
    column("Draft", |c| (c.said.draught_dm != 0).then_some(i64::from(c.said.draught_dm)), &cases);
    column(
        "IMO",
        |c| (c.said.imo != 0).then_some(i64::from(c.said.imo)),
        &[
            ("IMO9074729", Is(9_074_729)),
            ("9074729", Is(9_074_729)),
            ("IMO 9074729", Is(9_074_729)),
            ("IMO0000000", Null),
            ("", Null),
            ("IMO90747290", Null),
            ("none", Null),
        ],
    );
    column(
        "VesselType",
        |c| (c.said.ship_type != 0).then_some(i64::from(c.said.ship_type)),
        &[("80", Is(80)), ("1024", Is(1024)), ("80.0", Is(80)), ("", Null), ("tanker", Is(80)), ("tender", Null)],
    );
    column(
        "TransceiverClass",
        |c| match c.said.class {
            AisClass::A => Some(1),
            AisClass::B => Some(2),
            AisClass::Unknown => None,
        },
        &[("A", Is(1)), ("B", Is(2)), ("b", Is(2)), ("", Null), ("C", Null)],
    );
}

// Layouts.

#[test]
fn a_layout_is_told_by_the_names_of_its_columns() {
    let row = Row::of(366_000_001).with("Heading", "511").with("SOG", "102.3");
    let expected = {
        let mut fix = canon(&read_one(&csv(std::slice::from_ref(&row)))).remove(0);
        fix.line = 0;
        assert_eq!((fix.lat_e7, fix.lon_e7, fix.heading, fix.sog), (285_000_000, -940_000_000, None, None));
        fix
    };
    let legacy = LEGACY.join(",");
    let line = row.line();
    let order = [16, 3, 7, 0, 2, 5, 4, 6, 1, 8, 9, 10, 11, 12, 13, 14, 15];
    let shuffled = |texts: Vec<&str>| order.map(|k| texts[k]).join(",");
    let cases: &[(&str, String, &str)] = &[
        ("legacy", format!("{legacy}\n{line}\n"), "marinecadastre"),
        ("no newline at the end", format!("{legacy}\n{line}"), "marinecadastre"),
        ("misspelt class", format!("{}\n{line}\n", legacy.replace("TransceiverClass", "TranscieverClass")), "marinecadastre"),
        ("renamed", format!("{RENAMED}\n{}\n", row.renamed()), "marinecadastre-2025"),
        ("any order", format!("{}\n{}\n", shuffled(LEGACY.to_vec()), shuffled(line.split(',').collect())), "marinecadastre"),
        ("byte order mark", format!("\u{feff}{legacy}\n{line}\n"), "marinecadastre"),
        ("quoted names", format!("\"{}\"\n{line}\n", legacy.replace(',', "\",\"")), "marinecadastre"),
        ("byte order mark and quoted names", format!("\u{feff}\"{}\"\n{line}\n", legacy.replace(',', "\",\"")), "marinecadastre"),
        ("blanks and capitals", format!("{}\n{line}\n", legacy.replace(',', " , ").to_uppercase()), "marinecadastre"),
        ("CRLF", format!("{legacy}\r\n{line}\r\n"), "marinecadastre"),
        ("blank lines about the header", format!("\n\r\n{legacy}\n\n{line}\n\n"), "marinecadastre"),
        ("a column more", format!("{legacy},Remarks\n{line},late\n"), "marinecadastre"),
        ("a column twice: the first counts", format!("{legacy},LAT\n{line},11.0\n"), "marinecadastre"),
        ("every field quoted", format!("{legacy}\n\"{}\"\n", line.replace(',', "\",\"")), "marinecadastre"),
    ];
    for (what, text, layout) in cases {
        let delivery = read_one(text.as_bytes());
        assert_eq!(delivery.accounts[0].layout, *layout, "{what}");
        let mut fixes = canon(&delivery);
        // What they say of where they stand must be true as well.
        let at = text.lines().position(|l| l.contains("366000001")).expect("the row") as u32 + 1;
        assert_eq!(fixes[0].line, at, "{what}");
        fixes[0].line = 0;
        assert_eq!(fixes, std::slice::from_ref(&expected), "{what}");
    }
    // Columns that the layout can do without.
    let few = read_one(b"mmsi,base_date_time,longitude,latitude\n366000001,2020-01-01 00:00:00,-94.0,28.5\n");
    let fixes = canon(&few);
    assert_eq!((fixes.len(), fixes[0].lat_e7, fixes[0].sog, fixes[0].status, &fixes[0].said), (1, 285_000_000, None, None, &Particulars::default()));
}

/// What NOAA published of these years: no class, or its column misspelt; the status in words; the course with a sign; fewer columns.
#[test]
fn the_files_of_2015_to_2017_say_what_the_later_ones_say() {
    let later = Row::of(366_000_001).with("COG", "300.0").with("Status", "12");
    let expected = canon(&read_one(&csv(std::slice::from_ref(&later))));
    let words = Row::of(366_000_001).with("COG", "-109.6").with("Status", "power-driven vessel pushing ahead or towing alongside");
    let misspelt = LEGACY.join(",").replace("TransceiverClass", "TranscieverClass");
    assert_eq!(canon(&read_one(format!("{misspelt}\n{}\n", words.line()).as_bytes())), expected);
    let short = |texts: &[String], n: usize| texts[..n].join(",");
    let header = LEGACY.map(str::to_owned);
    for n in [16, 15, 12, 7] {
        let found = canon(&read_one(format!("{}\n{}\n", short(&header, n), short(&words.0, n)).as_bytes())).remove(0);
        let mut wanted = expected[0].clone();
        wanted.said.class = AisClass::Unknown;
        if n < 16 {
            wanted.said.cargo = 0;
        }
        if n < 15 {
            (wanted.said.length_dm, wanted.said.beam_dm, wanted.said.draught_dm) = (0, 0, 0);
        }
        if n < 12 {
            (wanted.status, wanted.said) = (None, Particulars::default());
        }
        assert_eq!(found, wanted, "{n} columns");
    }
    let statuses: [(&str, Says); 17] = [
        ("under way using engine", Is(0)),
        ("at anchor", Is(1)),
        ("not under command", Is(2)),
        ("restricted maneuverability", Is(3)),
        ("constrained by her draught", Is(4)),
        ("moored", Is(5)),
        ("aground", Is(6)),
        ("engaged in fishing", Is(7)),
        ("under way sailing", Is(8)),
        ("power-driven vessel towing astern", Is(11)),
        ("power-driven vessel pushing ahead or towing alongside", Is(12)),
        ("AIS-SART (active)", Is(14)),
        ("Under Way Using Engine", Is(0)),
        ("undefined", Null),
        ("not defined (default)", Null),
        ("reserved for future use", Null),
        ("Unknown value", Null),
    ];
    column("Status", |c| c.status.map(i64::from), &statuses);
}

#[test]
fn a_first_line_that_is_no_header_is_refused_with_what_was_found() {
    let cases: &[(&[u8], &str, &str)] = &[
        (b"", "the file is empty", "download it again"),
        (b"\n\n\n", "no known AIS layout", "--map lat=COLUMN"),
        (b"id,name\n1,x\n", "no known AIS layout; the first line is `id,name`", "--map lat=COLUMN"),
        (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "no known AIS layout; the first line is `<!DOCTYPE html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "no known AIS layout; the first line is `version https", "git lfs pull"),
        (b"\xff\xfeM\0M\0S\0I\0,\0L\0A\0T\0\n\0", "its text is UTF-16", "iconv"),
        (b"\xfe\xff\0M\0M\0S\0I\0,\0L\0A\0T\0\n", "its text is UTF-16", "iconv"),
        (b"M\0M\0S\0I\0,\0L\0A\0T\0,\0L\0O\0N\0\n\0", "its text is UTF-16", "iconv"),
        (b"!AIVDM,1,1,,B,15N4cJ`005Jrek0H@9n`DW5608EP,0\n", "no known AIS layout", "a checksum that fits"),
        (b"!AIVDM,1,1,,B,15N4cJ`005Jrek0H@9n`DW5608EP,0*13\r!AIVDM,1,1,,B,15N4cJ`005Jrek0H@9n`DW5608EP,0*13\r", "a carriage return alone", "tr "),
        // No header at all: the first row must not be eaten as one.
        (b"366000001,2020-01-01T00:00:00,28.5,-94.0\n", "no known AIS layout", "--map lat=COLUMN"),
        (b"MMSI,LAT,LON,SOG\n", "no column for time; found mmsi, lat, lon, sog", "--map time=COLUMN"),
        (b"MMSI,BaseDateTime,LON,SOG\n", "no column for latitude", "--map lat=COLUMN"),
        (b"MMSI,BaseDateTime,LAT,Heading\n", "no column for longitude", "--map lon=COLUMN"),
        (b"\x1b[2Jtitle,\x07\n", "`\\u{1b}[2Jtitle,\\u{7}`", "--map lat=COLUMN"),
        (b"PAR1\x15\x04\x15", "7 bytes are too few for a Parquet file", ""),
        (b"\x1f\x8b\x08\x00rest", "cut off or damaged", "download it again"),
        (b"PK", "no known AIS layout; the first line is `PK`", "--map lat=COLUMN"),
    ];
    for (bytes, message, hint) in cases {
        let delivery = read_one(bytes);
        assert_eq!((delivery.refused.len(), delivery.accounts.len(), canon(&delivery).len()), (1, 0, 0), "{message}");
        let e = &delivery.refused[0];
        assert!(e.to_string().contains("a.csv: ") && e.to_string().contains(message), "{e}\n  where this was expected: {message}");
        assert!(e.hint().contains(hint), "{}\n  where this was expected: {hint}", e.hint());
    }
    // Lines that end in a carriage return alone are one line: never zero rows without a word.
    let old_mac = String::from_utf8(csv(&[Row::of(366_000_001), Row::of(366_000_002)])).expect("ASCII").replace('\n', "\r");
    let delivery = read_one(old_mac.as_bytes());
    assert_eq!(delivery.refused.len(), 1);
    assert!(delivery.refused[0].to_string().contains("a.csv: its lines end in a carriage return alone"), "{}", delivery.refused[0]);
    // A header that no line has room for: not half of it, and the other half a row.
    let wide = [csv(&[]), vec![b','; 70 << 10], b"\n".to_vec()].concat();
    let wide: Vec<u8> = wide.splitn(2, |b| *b == b'\n').collect::<Vec<_>>().concat();
    let delivery = read_one(&wide);
    assert!(delivery.refused[0].to_string().contains("its first line is longer than 64 KiB"), "{}", delivery.refused[0]);
    // Marks of byte order, one for every tool that it went through; and bars between the columns.
    let marked = [b"\xef\xbb\xbf\xef\xbb\xbf".to_vec(), csv(&[Row::of(366_000_001)])].concat();
    assert_eq!(canon(&read_one(&marked)), canon(&read_one(&csv(&[Row::of(366_000_001)]))));
    let bars = String::from_utf8(csv(&[Row::of(366_000_001)])).expect("ASCII").replace(',', "|");
    assert_eq!(canon(&read_one(bars.as_bytes())), canon(&read_one(&csv(&[Row::of(366_000_001)]))));
}

/// A file that is refused for its rows says what is wrong with them, and what would help.
#[test]
fn a_refused_file_says_what_is_wrong_with_its_rows() {
    let hub = "MMSI,TIME,LONGITUDE,LATITUDE,COG,SOG,HEADING,NAVSTAT\n311733000,1728266815,-45686502,22144164,3292,99,333,0\n311733001,1728266815,x,y,3292,99,333,0\n3,x,,,,,,\n";
    let delivery = read_with(&[("a.csv", hub.as_bytes())], &Limits::default());
    let e = &delivery.refused[0];
    assert!(e.to_string().contains("3 of 3 rows are malformed (100.0 %: bad_time 2, bad_mmsi 1)"), "{e}");
    assert!(e.hint().contains("--time-format") && e.hint().contains("--provider"), "{}", e.hint());
}

// Lines.

/// What a row must be, or why it must be refused; `Err(None)` where it is neither.
type OfThird<'a> = Result<&'a dyn Fn(&Canon) -> bool, Option<RejectReason>>;

/// A file of five rows with one line replaced: what the third row is afterwards, and that the other four are as they were.
fn check_line(what: &str, line: &[u8], third: OfThird) {
    let rows: Vec<Row> = (1..=5).map(|k| Row::of(366_000_000 + k)).collect();
    let innocent: Vec<Canon> = canon(&read_one(&csv(&rows))).into_iter().filter(|c| c.line != 4).collect();
    assert_eq!(innocent.len(), 4);
    let mut bytes = Vec::new();
    for (k, old) in csv(&rows).split_inclusive(|b| *b == b'\n').enumerate() {
        if k == 3 {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        } else {
            bytes.extend_from_slice(old);
        }
    }
    let delivery = read_one(&bytes);
    let (there, others): (Vec<Canon>, Vec<Canon>) = canon(&delivery).into_iter().partition(|c| c.line == 4);
    assert_eq!(others, innocent, "{what}: an innocent row was lost or changed");
    match third {
        Ok(fits) => {
            assert_eq!((there.len(), delivery.rejects.len()), (1, 0), "{what}: {:?}", delivery.rejects);
            assert!(fits(&there[0]), "{what}: {:?}", there[0]);
        }
        Err(reason) => {
            assert_eq!(there, [], "{what}");
            let offset = csv(&rows[..2]).len() as u64;
            let found: Vec<_> = delivery.rejects.iter().map(|r| (r.line, r.byte_offset, r.reason)).collect();
            assert_eq!(found, reason.map(|r| (4, offset, r)).into_iter().collect::<Vec<_>>(), "{what}");
        }
    }
}

#[test]
fn a_quote_is_read_inside_its_line_only() {
    let cases: &[(&str, &str)] = &[
        // Proper quoting.
        ("\"ALPHA, BETA\"", "ALPHA, BETA"),
        ("\"MV \"\"12\"\" GUN\"", "MV \"12\" GUN"),
        ("\"\"", ""),
        ("\",\"", ","),
        ("\"A,\"\",B\"", "A,\",B"),
        ("\"  PADDED@@ \"", "PADDED"),
        // Stray quotes: text like any other.
        ("\"ALPHA", "\"ALPHA"),
        ("AL\"PHA", "AL\"PHA"),
        ("ALPHA\"", "ALPHA\""),
        ("\"", "\""),
        ("MV 12\" GUN", "MV 12\" GUN"),
        ("\"\"\"", "\"\"\""),
        ("\"A\"B", "\"A\"B"),
        ("A\"\"B", "A\"\"B"),
        // What a transponder may send.
        ("=HYPERLINK(//X.YZ)", "=HYPERLINK(//X.YZ)"),
        ("<SCRIPT SRC=//X.YZ>", "<SCRIPT SRC=//X.YZ>"),
        ("@@@@@@@@", ""),
        ("A@B@@@", "A@B"),
    ];
    for (text, name) in cases {
        let line = Row::of(366_000_003).with("VesselName", *text).line();
        check_line(text, line.as_bytes(), Ok(&|c: &Canon| c.said.name == *name && c.said.call_sign == "WDA1234"));
    }
    // A stray quote in the first field, in the last, and in two fields at once.
    let last = Row::of(366_000_003).with("TransceiverClass", "\"A").line();
    check_line("last field", last.as_bytes(), Ok(&|c: &Canon| c.said.class == AisClass::Unknown));
    let first = Row::of(366_000_003).with("MMSI", "\"366000003").line();
    check_line("first field", first.as_bytes(), Err(Some(BadMmsi)));
    // Quotes in order: the comma between them is text, and a field is missing. Read without them, a row that lacks a field would be
    // made whole by a comma in a name, and every column between would hold another's number.
    let two = Row::of(366_000_003).with("VesselName", "\"ALPHA").with("CallSign", "X\"").line();
    check_line("two fields", two.as_bytes(), Err(Some(FieldCount)));
    let shifted = Row::of(366_000_003).with("VesselName", "\"ALPHA, BETA\"").line().replacen(",28.50000", "", 1);
    check_line("a field less and a comma in the name", shifted.as_bytes(), Err(Some(FieldCount)));
}

/// A log that lost its power ends in zeros, or has them in its middle: they are one line, however many.
#[test]
fn a_line_without_end_costs_itself() {
    let (row, last) = (Row::of(366_000_001).line(), Row::of(366_000_002).line());
    let sentences = [b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23".as_slice(), b"!AIVDM,1,1,,A,no sentence"];
    for (name, bytes) in [("zeros", 0u8), ("quotes", b'"'), ("commas", b','), ("sentences", b'!')] {
        for length in [70_000, 1 << 20, 4 << 20, (4 << 20) + 65_537, 13_000_000] {
            let endless = vec![bytes; length];
            let file = [LEGACY.join(",").as_bytes(), row.as_bytes(), &endless, b"x,y", last.as_bytes()].join(&b"\n"[..]);
            let read = read_with(&[("log.csv", &file)], &lenient());
            let rejects: Vec<_> = read.rejects.iter().map(|r| (r.line, r.byte_offset, r.reason)).collect();
            let begin = (LEGACY.join(",").len() + row.len() + 2) as u64;
            let expected = [(3, begin, RejectReason::LineTooLong), (4, begin + length as u64 + 1, RejectReason::FieldCount)];
            assert_eq!((rejects.as_slice(), read.accounts[0].positions), (expected.as_slice(), 2), "{name}, {length}");
            let tail = [LEGACY.join(",").as_bytes(), row.as_bytes(), &endless].join(&b"\n"[..]);
            let read = read_with(&[("log.csv", &tail)], &lenient());
            assert_eq!((read.rejects.len(), read.accounts[0].rows, read.accounts[0].positions), (1, 2, 1), "{name}, {length} at the end");
            let log = [sentences[0], &endless, sentences[1], sentences[0]].join(&b"\n"[..]);
            let read = read_with(&[("log.nmea", &log)], &lenient());
            let (rejects, begin): (Vec<_>, _) = (read.rejects.iter().map(|r| (r.line, r.byte_offset)).collect(), sentences[0].len() as u64 + 1);
            assert_eq!(rejects[1..3], [(2, begin), (3, begin + length as u64 + 1)], "{name}, {length} of a log");
        }
    }
}

#[test]
fn whatever_is_wrong_with_a_line_is_that_lines_affair() {
    let good = Row::of(366_000_003);
    let named = |bytes: &[u8]| -> Vec<u8> {
        let line = good.clone().with("VesselName", "#").line();
        let (before, after) = line.split_once('#').expect("a name");
        [before.as_bytes(), bytes, after.as_bytes()].concat()
    };
    check_line("NUL in a name", &named(b"MV\0X"), Ok(&|c: &Canon| c.said.name == "MV\\u{0}X"));
    check_line("Latin-1 in a name", &named(b"SK\xc5GEN"), Ok(&|c: &Canon| c.said.name == "SK\u{fffd}GEN"));
    check_line("UTF-8 in a name", &named("SKÅGEN".as_bytes()), Ok(&|c: &Canon| c.said.name == "SKÅGEN"));
    check_line("terminal escape in a name", &named(b"\x1b[31mRED"), Ok(&|c: &Canon| c.said.name == "\\u{1b}[31mRED"));
    check_line("right-to-left override in a name", &named("A\u{202e}B".as_bytes()), Ok(&|c: &Canon| c.said.name == "A\\u{202e}B"));
    check_line("unit separator in a quoted name", &named(b"\"A\x1fB\""), Ok(&|c: &Canon| c.said.name == "A\\u{1f}B" && c.said.call_sign == "WDA1234"));
    check_line("lone carriage return in a name", &named(b"MV\rX"), Ok(&|c: &Canon| c.said.name == "MV\\u{d}X"));
    check_line("a name of 2,000 letters", &named(&[b'A'; 2000]), Ok(&|c: &Canon| c.said.name.len() == 1024));
    check_line("a line of 70,000 letters", &named(&[b'A'; 70_000]), Err(Some(LineTooLong)));
    check_line("CRLF on one line", format!("{}\r", good.line()).as_bytes(), Ok(&|c: &Canon| c.said.class == AisClass::A));
    check_line("a field more", format!("{},", good.line()).as_bytes(), Err(Some(FieldCount)));
    check_line("a field less", good.line().rsplit_once(',').expect("fields").0.as_bytes(), Err(Some(FieldCount)));
    check_line("an unquoted comma", good.clone().with("VesselName", "ALPHA, BETA").line().as_bytes(), Err(Some(FieldCount)));
    check_line("the header again", LEGACY.join(",").as_bytes(), Err(Some(RepeatedHeader)));
    check_line("nothing", b"", Err(None));
    check_line("a carriage return", b"\r", Err(None));
    check_line("a NUL", b"\0", Err(Some(FieldCount)));
    check_line("NUL in a number", good.clone().with("LAT", "28.\x005").line().as_bytes(), Err(Some(BadPosition)));
    check_line("another file's text", b"Lorem ipsum dolor sit amet", Err(Some(FieldCount)));
}

#[test]
fn a_reject_is_kept_as_it_stood_and_safe_to_show() {
    let line = format!("\u{1b}]0;x\u{7}{}", "y".repeat(3000));
    let delivery = read_one([csv(&[Row::of(366_000_001)]), line.into_bytes(), b"\n".to_vec()].concat().as_slice());
    assert_eq!(delivery.rejects.len(), 1);
    let text = &delivery.rejects[0].text;
    assert!(text.starts_with("\\u{1b}]0;x\\u{7}yyy") && text.ends_with('…') && text.chars().count() < 1100, "{text}");
    // The first thousand a reason are kept, all are counted.
    let mut bytes = csv(&[Row::of(366_000_001)]);
    for k in 0..2500 {
        bytes.extend_from_slice(format!("{k}\n").as_bytes());
    }
    let delivery = read_one(&bytes);
    assert_eq!(delivery.accounts[0].rejected, BTreeMap::from([(FieldCount, 2500)]));
    let lines: Vec<u64> = delivery.rejects.iter().map(|r| r.line).collect();
    assert_eq!(lines, (3..1003).collect::<Vec<u64>>());
}

#[test]
fn a_file_of_many_blocks_has_true_lines_and_offsets() {
    // Three blocks of 4 MiB, with a fault near each end of them and in the middle.
    let row = Row::of(366_000_001).line();
    let mut bytes = csv(&[]);
    let mut expected = Vec::new();
    for line in 2..130_000u64 {
        if line % 9_973 == 0 {
            expected.push((line, bytes.len() as u64, FieldCount));
            bytes.extend_from_slice(b"short\n");
        } else {
            bytes.extend_from_slice(row.as_bytes());
            bytes.push(b'\n');
        }
    }
    assert!(bytes.len() > 12 << 20 && expected.len() > 10);
    let delivery = read_one(&bytes);
    let found: Vec<_> = delivery.rejects.iter().map(|r| (r.line, r.byte_offset, r.reason)).collect();
    assert_eq!(found, expected);
    // The one report that all others repeat is the first.
    assert_eq!(canon(&delivery).iter().map(|c| c.line).collect::<Vec<_>>(), [2]);
    assert_eq!(delivery.accounts[0].duplicates + 1 + expected.len() as u64, delivery.accounts[0].rows);
}

// Containers.

pub fn two_rows() -> Vec<u8> {
    csv(&[Row::of(366_000_001), Row::of(366_000_002)])
}

#[test]
fn a_container_changes_nothing() {
    let plain = two_rows();
    let half = plain.len() / 2;
    let skippable: &[u8] = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd";
    let expected = canon(&read_one(&plain));
    assert_eq!(expected.len(), 2);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("zstd", zst(&plain)),
        ("zstd in two frames", [zst(&plain[..half]), zst(&plain[half..])].concat()),
        ("zstd behind a skippable frame", [skippable.to_vec(), zst(&plain)].concat()),
        ("zstd with skippable frames in between and after", [zst(&plain[..half]), skippable.to_vec(), zst(&plain[half..]), skippable.to_vec()].concat()),
        ("zip", zipped(&[("a.csv", &plain)])),
        ("zip with folders and what macOS leaves", zipped(&[("d/", b""), ("__MACOSX/._a.csv", b"junk"), ("d/.DS_Store", b"junk"), ("d/a.csv", &plain)])),
    ];
    for (what, bytes) in cases {
        // The name does not matter.
        let delivery = read_with(&[("download", &bytes)], &lenient());
        assert!(delivery.refused.is_empty(), "{what}: {:?}", delivery.refused);
        assert_eq!(canon(&delivery), expected, "{what}");
        let account = &delivery.accounts[0];
        assert_eq!((account.rows, account.bytes), (2, bytes.len() as u64), "{what}");
        assert_eq!(account.sha256, sha256(&bytes), "{what}: of the file as stored");
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn every_member_of_an_archive_is_a_file() {
    let one = csv(&[Row::of(366_000_001), Row::of(366_000_001).with("SOG", "x")]);
    let other = csv(&[Row::of(366_000_002)]);
    let bytes = zipped(&[("jan/one.csv", &one), ("../../two.csv", &other), ("/three.csv", &other)]);
    let delivery = read_with(&[("a.zip", &bytes)], &lenient());
    let shown: Vec<(String, u64)> = delivery.accounts.iter().map(|a| (a.path.display().to_string(), a.rows)).collect();
    let ends: Vec<(&str, u64)> = shown.iter().map(|(p, n)| (p.rsplit_once("a.zip").map_or(p.as_str(), |x| x.1), *n)).collect();
    // Names are shown, never opened: wherever they point to, they stay behind the archive's.
    assert_eq!(ends, [("/jan/one.csv", 2), ("/../../two.csv", 1), ("//three.csv", 1)]);
    assert_eq!(delivery.accounts[2].duplicates, 1);
    assert_eq!(delivery.rejects.len(), 1);
    assert_eq!((delivery.rejects[0].file, delivery.rejects[0].line), (0, 3));
}

#[test]
fn what_is_cut_or_forged_is_refused_by_name() {
    let plain = two_rows();
    // Enough rows for several blocks of the compressor, so that a cut lies behind data that decode well.
    let many = csv(&(0..4000).map(|k| Row::of(366_000_000 + k)).collect::<Vec<_>>());
    let whole = zst(&many);
    let archive = zipped(&[("a.csv", &many)]);
    let flag = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for (signature, at) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
            let k = bytes.windows(4).position(|w| w == signature).expect("a zip");
            bytes[k + at] |= 1;
        }
        bytes
    };
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 0x40;
        bytes
    };
    let wide = {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("zstd in memory");
        encoder.window_log(28).expect("a window of 256 MiB");
        encoder.write_all(&plain).expect("zstd in memory");
        encoder.finish().expect("zstd in memory")
    };
    // 64 MiB of blanks in one line, a few kilobytes packed: a ratio that no day of traffic has.
    let bomb = [&plain[..], &vec![b' '; 64 << 20][..]].concat();
    let endless = [&plain[..], &vec![b' '; 200 << 20][..]].concat();
    let lying = {
        // The archive promises fewer bytes than it unpacks to.
        let mut bytes = archive.clone();
        let k = bytes.windows(4).position(|w| w == b"PK\x01\x02").expect("a zip");
        bytes[k + 24..k + 28].copy_from_slice(&1000u32.to_le_bytes());
        bytes
    };
    let names: Vec<String> = (0..65).map(|k| format!("{k}.csv")).collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("zstd cut in the middle", whole[..whole.len() / 2].to_vec(), "cut off or damaged"),
        ("zstd cut one byte short", whole[..whole.len() - 1].to_vec(), "cut off or damaged"),
        ("zstd cut in its second frame", [whole.clone(), whole[..20].to_vec()].concat(), "cut off or damaged"),
        ("zstd with rubbish behind it", [whole.clone(), b"rubbish behind it".to_vec()].concat(), "cut off or damaged"),
        ("zstd with a window of 256 MiB", wide, "a zstd window of more than 128 MiB"),
        ("zstd that unpacks to one endless line", zst(&endless), "unpacks to more than 200 times its size"),
        ("zip cut in the middle", archive[..archive.len() / 2].to_vec(), "cut off or damaged"),
        ("zip cut one byte short", archive[..archive.len() - 1].to_vec(), "cut off or damaged"),
        ("zip with a flipped bit", flipped(&archive, 2000), "cut off or damaged"),
        ("zip that promises too little", lying, "cut off or damaged"),
        ("encrypted member", flag(&zipped(&[("a.csv", &plain)])), "member `a.csv` is encrypted"),
        ("member that is a link", zipped(&[("a.csv@", b"")]), "member `a.csv` is a symbolic link"),
        ("bomb", zipped(&[("a.csv", &bomb)]), "unpacks to"),
        ("empty archive", zipped(&[]), "the archive holds no file"),
        ("archive of folders", zipped(&[("d/", b"")]), "the archive holds no file"),
        ("archive of too many", zipped(&names.iter().map(|n| (n.as_str(), &plain[..])).collect::<Vec<_>>()), "holds 65 files"),
    ];
    for (what, bytes, message) in cases {
        let good = csv(&[Row::of(366_000_009)]);
        let delivery = read_with(&[("bad", &bytes), ("good.csv", &good)], &lenient());
        assert_eq!(delivery.refused.len(), 1, "{what}");
        let e = delivery.refused[0].to_string();
        assert!(e.contains("bad") && e.contains(message), "{what}: {e}");
        // Nothing of the bad file, everything of the good one.
        assert_eq!(canon(&delivery).iter().map(|c| c.mmsi).collect::<Vec<_>>(), [366_000_009], "{what}");
        assert_eq!(delivery.accounts.len(), 1, "{what}");
    }
}

// Inputs.

#[test]
fn an_input_is_a_file_a_folder_or_a_glob() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["b.csv", "a.CSV", "c.csv.zst", "d.zip", "notes.md", ".hidden.csv", "sub/e.csv", "_old/f.csv", ".git/g.csv"] {
        std::fs::create_dir_all(at(name).parent().expect("a parent")).expect("a folder");
        std::fs::write(at(name), b"x").expect("a file");
    }
    let expand = |arguments: &[&str]| -> Result<Vec<String>, String> {
        let arguments: Vec<String> = arguments.iter().map(|a| if *a == "-" { "-".into() } else { at(a).display().to_string() }).collect();
        let found = ingest::inputs::expand(&arguments).map_err(|e| format!("{e}; {}", e.hint()))?;
        Ok(found.iter().map(|p| p.strip_prefix(folder.path()).unwrap_or(p).display().to_string()).collect())
    };
    let cases: &[(&[&str], &[&str])] = &[
        (&["b.csv"], &["b.csv"]),
        (&["notes.md"], &["notes.md"]),
        (&["."], &["a.CSV", "b.csv", "c.csv.zst", "d.zip", "sub/e.csv"]),
        (&["*.csv"], &["b.csv"]),
        (&["**/*.csv"], &["b.csv", "sub/e.csv"]),
        (&["-"], &["-"]),
        // Each once, in the order of the arguments.
        (&["b.csv", ".", "b.csv"], &["b.csv", "a.CSV", "c.csv.zst", "d.zip", "sub/e.csv"]),
    ];
    for (arguments, expected) in cases {
        let mut found = expand(arguments).expect("files");
        found.retain(|f| !f.starts_with('.') && !f.starts_with("_old"));
        let found: Vec<&str> = found.iter().map(|f| f.trim_start_matches("./")).collect();
        assert_eq!(found, *expected, "{arguments:?}");
    }
    for (arguments, message) in [(&["x.csv"][..], "no such file or folder"), (&["*.parquet"], "no AIS file found there")] {
        let e = expand(arguments).expect_err("nothing there");
        assert!(e.contains(message) && e.contains("check the spelling"), "{e}");
    }
    // A link to a file is that file; a link to a folder or to nothing is passed over.
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(at(target), at(name)).expect("a link");
    std::fs::create_dir(at("links")).expect("a folder");
    link("d.zip", "links/night.zip");
    link(".", "links/circle");
    link("nowhere.csv", "links/broken.csv");
    assert_eq!(expand(&["links"]).expect("files"), ["links/night.zip"]);
    // A run that was written beside its inputs is passed over.
    for name in
        ["nights/day.csv", "nights/out/events.csv", "nights/out/manifest.json", "nights/out/tracks.parquet", "nights/more/manifest.json", "nights/more/e.csv"]
    {
        std::fs::create_dir_all(at(name).parent().expect("a parent")).expect("a folder");
        std::fs::write(at(name), b"x").expect("a file");
    }
    assert_eq!(expand(&["nights"]).expect("files"), ["nights/day.csv", "nights/more/e.csv"]);
    std::fs::create_dir(at("empty")).expect("a folder");
    assert!(expand(&["empty"]).expect_err("nothing there").contains("no AIS file found there"));
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let scratch = Scratch::new();
    let plain = csv(&drawn_day());
    scratch.put("day.csv", &plain);
    let from_file = events(&scratch, "file", &["day.csv"]);
    for (name, bytes) in [("plain", plain.clone()), ("zstd", zst(&plain))] {
        let out = run(&scratch, &["detect", "-", "-o", name, "--min-confidence", "0"], Some(&bytes));
        assert_eq!(out.code, 0, "{}", out.stderr);
        assert_eq!(scratch.read(&format!("{name}/events.csv")), from_file.1, "{name}");
        let manifest: serde_json::Value = serde_json::from_slice(&scratch.read(&format!("{name}/manifest.json"))).expect("JSON");
        assert_eq!(manifest["inputs"][0]["sha256"], serde_json::json!(sha256(&bytes)), "{name}");
        assert_eq!(manifest["inputs"][0]["bytes"], serde_json::json!(bytes.len()), "{name}");
    }
}

#[test]
fn a_pipe_by_name_is_a_file_like_any_other() {
    let scratch = Scratch::new();
    let made = std::process::Command::new("mkfifo").arg(scratch.path("pipe")).status().expect("mkfifo is there");
    assert!(made.success());
    for bytes in [two_rows(), zst(&two_rows())] {
        let expected = sha256(&bytes);
        let pipe = scratch.path("pipe");
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::write(pipe, bytes)
        });
        let delivery = ingest::read(std::slice::from_ref(&pipe), &lenient(), &|_| ()).expect("a delivery");
        writer.join().expect("the writer ends").expect("all is read");
        assert_eq!((canon(&delivery).len(), delivery.accounts[0].sha256.clone()), (2, expected));
    }
    // An archive is read from its end: that needs a file, and says so.
    let done = run(&scratch, &["detect", "-", "-o", "out"], Some(&zipped(&[("a.csv", &two_rows())])));
    assert_eq!(done.code, 3);
    assert!(done.stderr.contains("a zip archive can be read from a file only") && done.stderr.contains("unpack it"), "{}", done.stderr);
}

// Which rows.

#[test]
fn duplicates_are_judged_on_canonical_values_across_files() {
    let row = Row::of(366_000_001).with("Heading", "511").with("COG", "360.0").with("LAT", "28.5");
    let renamed = |r: &Row| format!("{RENAMED}\n{}\n", r.renamed()).into_bytes();
    let twins = [
        ("the same", csv(std::slice::from_ref(&row))),
        ("renamed layout, sentinels empty", renamed(&row)),
        (
            "other spelling",
            csv(&[row.clone().with("LAT", "+28.5000000").with("SOG", "5").with("IMO", "9074729").with("VesselName", "PLAIN JANE@@@").with("Length", "180.0")]),
        ),
        ("quoted", csv(&[row.clone().with("VesselName", "\"PLAIN JANE\"")])),
        ("fraction of a second that is none", csv(&[row.clone().with("BaseDateTime", "2020-01-01T00:00:00.000Z")])),
    ];
    let first = csv(std::slice::from_ref(&row));
    for (what, twin) in &twins {
        let delivery = read_with(&[("a.csv", &first), ("b.csv", twin)], &lenient());
        let counts: Vec<(u64, u64)> = delivery.accounts.iter().map(|a| (a.positions, a.duplicates)).collect();
        assert_eq!(counts, [(1, 0), (0, 1)], "{what}");
    }
    let others = [
        ("another second", row.clone().with("BaseDateTime", "2020-01-01T00:00:01")),
        ("another place", row.clone().with("LAT", "28.5000001")),
        ("another speed", row.clone().with("SOG", "5.1")),
        ("another status", row.clone().with("Status", "1")),
        ("another name", row.clone().with("VesselName", "PLAIN JANE II")),
        ("another class", row.clone().with("TransceiverClass", "B")),
        ("another ship", row.clone().with("MMSI", "366000002")),
    ];
    for (what, other) in &others {
        let delivery = read_with(&[("a.csv", &first), ("b.csv", &csv(std::slice::from_ref(other)))], &lenient());
        assert_eq!(delivery.accounts.iter().map(|a| (a.positions, a.duplicates)).collect::<Vec<_>>(), [(1, 0), (1, 0)], "{what}");
    }
}

#[test]
fn a_stray_clock_does_not_move_the_end_of_the_data() {
    let mut rows: Vec<Row> = (0..2000).map(|k| Row::of(366_000_001 + k)).collect();
    rows.push(Row::of(366_000_001).with("BaseDateTime", "2031-05-05T00:00:00"));
    rows.insert(0, Row::of(366_000_001).with("BaseDateTime", "1999-12-31T00:00:00"));
    let day = |text: &str| alongside::model::time::parse_day(text);
    let read = |limits: Limits| {
        let delivery = read_with(&[("a.csv", &csv(&rows))], &limits);
        let strays = delivery.accounts[0].rejected.get(&RejectReason::StrayClock).copied().unwrap_or(0);
        let lines: Vec<u64> = delivery.rejects.iter().filter(|r| r.reason == RejectReason::StrayClock).map(|r| r.line).collect();
        (delivery.days.len(), delivery.days.last().copied(), strays, lines)
    };
    assert_eq!(read(Limits::default()), (1, day("2020-01-01"), 2, vec![2, 2003]));
    let read_rows = |rows: &[Row], limits: Limits| {
        let delivery = read_with(&[("a.csv", &csv(rows))], &limits);
        (delivery.days.len(), delivery.days.last().copied(), delivery.accounts[0].rejected.clone())
    };
    let strays = |n: u64| BTreeMap::from([(RejectReason::StrayClock, n)]);
    let on = |day: &'static str, n: u32| (0..n).map(move |k| Row::of(366_000_002 + k).with("BaseDateTime", format!("{day}T00:00:00")));
    // Two of 2,002 rows are a tenth of a percent: a delivered day, if it lies near another.
    let near: Vec<Row> = rows.iter().cloned().chain(on("2020-01-31", 2)).collect();
    assert_eq!(read_rows(&near, Limits::default()), (2, day("2020-01-31"), strays(2)));
    for (n, days, left) in [(1, 1, 3), (198, 1, 200), (199, 2, 1)] {
        let far: Vec<Row> = rows.iter().cloned().chain(on("2031-05-05", n)).collect();
        assert_eq!(read_rows(&far, Limits::default()), (days, day(if days == 1 { "2020-01-01" } else { "2031-05-05" }), strays(left)), "{n} rows years later");
    }
    // Of many rows as many are enough as one ship cannot send.
    let limits = Limits::default();
    assert_eq!([20, 5_000, 100_000, 10_000_000, 100_000_000].map(|fullest| limits.worth(fullest)), [2, 500, 10_000, 43_200, 100_000]);
    // An open end names its own day, and no stray clock beyond it.
    rows.extend(on("2031-05-05", 2));
    let from = |text: &str| Limits { days: (day(text), None), ..Limits::default() };
    let farther = [&rows[..], &[Row::of(366_000_004).with("BaseDateTime", "2041-05-05T00:00:00")]].concat();
    assert_eq!(read_rows(&farther, from("2020-01-01")).1, day("2020-01-01"));
    assert_eq!(read_rows(&farther, from("2041-05-05")).1, day("2041-05-05"));
    // Named days are delivered however thin; the others are outside the period.
    let named = Limits { days: (day("1999-12-31"), day("1999-12-31")), ..Limits::default() };
    assert_eq!(read_rows(&rows, named), (1, day("1999-12-31"), BTreeMap::from([(RejectReason::OutsidePeriod, 2003)])));
}

#[test]
fn where_duplicates_are_looked_for_cannot_be_seen() {
    let at = |ship: u32, second: u32| Row::of(366_000_001 + ship).with("BaseDateTime", format!("2020-01-01T00:{:02}:{:02}", second / 60, second % 60));
    let stray = Row::of(366_000_001).with("BaseDateTime", "2031-05-05T00:00:00");
    let rows: Vec<Row> = (0..3000).map(|k| at(k % 37, k % 40)).chain([stray.clone(), stray.clone()]).collect();
    let renamed = |r: &[Row]| format!("{RENAMED}\n{}\n", r.iter().map(Row::renamed).collect::<Vec<_>>().join("\n")).into_bytes();
    let bad: Vec<Row> = (0..600).map(|k| if k % 3 == 0 { at(k, k).with("LAT", "north") } else { at(k % 37, k + 60) }).collect();
    let said_anew: Vec<Row> = rows[..900].iter().enumerate().map(|(k, r)| if k % 2 == 0 { r.clone().with("VesselName", "OTHER") } else { r.clone() }).collect();
    let files = [("a.csv", csv(&rows[1000..])), ("b.csv", csv(&bad)), ("c.csv", renamed(&rows[..2000])), ("d.csv", csv(&said_anew)), ("e.csv", csv(&[stray]))];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let read = |settle_after: usize| {
        let delivery = read_with(&files, &Limits { settle_after, ..Limits::default() });
        let accounts: Vec<_> = delivery.accounts.iter().map(|a| (a.rows, a.positions, a.duplicates, a.rejected.clone())).collect();
        let rejects: Vec<_> = delivery.rejects.iter().map(|r| (r.file, r.line, r.reason, r.text.clone())).collect();
        (delivery.positions, delivery.particulars, accounts, rejects, delivery.refused.len(), delivery.rows_by_day)
    };
    let once = read(usize::MAX);
    assert_eq!((once.4, once.2[0].3.get(&RejectReason::StrayClock), once.2[4].3.get(&RejectReason::StrayClock)), (1, Some(&2), Some(&1)));
    assert!(once.2[0].2 > 0 && once.2[2].2 > 0 && once.2[1].1 == 0, "{:?}", once.2);
    for settle_after in [1, 700, 2500] {
        let again = read(settle_after);
        assert!(again.0.equals(&once.0) && again.1.equals(&once.1), "{settle_after}");
        assert_eq!((&again.2, &again.3, again.4, &again.5), (&once.2, &once.3, once.4, &once.5), "{settle_after}");
    }
}

#[test]
fn from_to_and_bbox_reject_the_rest_by_name() {
    let day = |text: &str| alongside::model::time::parse_day(text);
    let at = |k: u32, time: &str, lat: &str, lon: &str| Row::of(366_000_000 + k).with("BaseDateTime", time).with("LAT", lat).with("LON", lon);
    let times = [
        at(1, "2020-01-01T23:59:59.999", "0.5", "0"),
        at(2, "2020-01-02T00:00:00", "0.5", "0"),
        at(3, "2020-01-02T23:59:59.999", "0.5", "0"),
        at(4, "2020-01-03T00:00:00", "0.5", "0"),
    ];
    let kept = |rows: &[Row], limits: Limits| -> Vec<u32> {
        let delivery = read_with(&[("a.csv", &csv(rows))], &limits);
        let refused =
            delivery.accounts[0].rejected.iter().filter(|(r, _)| matches!(r, RejectReason::OutsidePeriod | RejectReason::OutsideBbox)).map(|(_, n)| n);
        assert_eq!(refused.sum::<u64>() + delivery.accounts[0].positions, rows.len() as u64);
        canon(&delivery).iter().map(|c| c.mmsi - 366_000_000).collect()
    };
    let second = day("2020-01-02");
    for (days, expected) in [((second, second), &[2u32, 3][..]), ((None, second), &[1, 2, 3]), ((second, None), &[2, 3, 4]), ((None, None), &[1, 2, 3, 4])] {
        assert_eq!(kept(&times, Limits { days, ..lenient() }), expected, "{days:?}");
    }
    let t = "2020-01-01T00:00:00";
    let places = [
        at(1, t, "10", "170"),
        at(2, t, "10", "179.9999999"),
        at(3, t, "10", "180"),
        at(4, t, "10", "-180"),
        at(5, t, "10", "-170"),
        at(6, t, "10", "0"),
        at(7, t, "20.0000001", "175"),
        at(8, t, "-0.0000001", "175"),
        at(9, t, "0", "169.9999999"),
    ];
    let cases: &[([f64; 4], &[u32])] = &[
        ([170.0, 0.0, -170.0, 20.0], &[1, 2, 3, 4, 5]),
        ([170.0, 0.0, 180.0, 20.0], &[1, 2, 3, 4]),
        ([-180.0, 0.0, -170.0, 20.0], &[3, 4, 5]),
        ([180.0, 0.0, -170.0, 20.0], &[3, 4, 5]),
        ([-180.0, -90.0, 180.0, 90.0], &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ([-1.0, 0.0, 1.0, 20.0], &[6]),
        ([1.0, 0.0, -1.0, 20.0], &[1, 2, 3, 4, 5, 9]),
        ([0.0, 10.0, 0.0, 10.0], &[6]),
    ];
    for (bbox, expected) in cases {
        let limits = Limits { bbox_e7: Some(bbox.map(|v| (v * 1e7) as i32)), ..lenient() };
        assert_eq!(kept(&places, limits), *expected, "{bbox:?}");
    }
}

#[test]
fn a_file_over_its_reject_budget_is_refused_and_named() {
    let scratch = Scratch::new();
    let mut bad = csv(&(0..93).map(|k| Row::of(366_000_001 + k)).collect::<Vec<_>>());
    for _ in 0..7 {
        bad.extend_from_slice(b"rubbish\n");
    }
    scratch.put("day.csv", &csv(&drawn_day()));
    scratch.put("bad.csv", &bad);
    let out = run(&scratch, &["detect", "bad.csv", "day.csv", "-o", "out"], None);
    assert_eq!(out.code, 4, "{}", out.stderr);
    assert!(
        out.stderr.contains("bad.csv: 7 of 100 rows are malformed (7.0 %: field_count 7), above the limit of 5 %") && out.stderr.contains("--max-reject-share"),
        "{}",
        out.stderr
    );
    let manifest: serde_json::Value = serde_json::from_slice(&scratch.read("out/manifest.json")).expect("JSON");
    assert!(manifest["refused"][0].as_str().is_some_and(|m| m.contains("bad.csv")), "{manifest}");
    // Its rows are not in the answer, but they are counted, and what was wrong with it can be looked up.
    assert_eq!(manifest["inputs"][0]["positions"], serde_json::json!(0));
    assert_eq!(manifest["inputs"][0]["rejected"], serde_json::json!({"field_count": 7, "file_refused": 93}));
    assert_eq!((&manifest["inputs"][0]["rows"], &manifest["inputs"][0]["accepted"]), (&serde_json::json!(100), &serde_json::json!(0)));
    let rejects = String::from_utf8(scratch.read("out/rejects.csv")).expect("UTF-8");
    assert_eq!(rejects.lines().filter(|l| l.starts_with("bad.csv,") && l.ends_with(",field_count,rubbish")).count(), 7, "{rejects}");
    assert!(manifest["inputs"][0]["refused"].as_str().is_some_and(|why| why.contains("above the limit")), "{manifest}");
    // Whatever was named has its entry, also what could not be read at all; and every account adds up.
    scratch.put("names.csv", b"id,name\n1,x\n");
    scratch.put("cut.csv.zst", &checked_zst(&csv(&drawn_day()))[..2000]);
    scratch.put("three.zip", &zipped(&[("good.csv", &two_rows()), ("bad.csv", &bad), ("other.csv", b"id,name\n")]));
    scratch.put("header.csv", &csv(&[]));
    let out = run(&scratch, &["detect", "names.csv", "day.csv", "cut.csv.zst", "three.zip", "header.csv", "-o", "all"], None);
    assert_eq!(out.code, 4, "{}", out.stderr);
    let manifest: serde_json::Value = serde_json::from_slice(&scratch.read("all/manifest.json")).expect("JSON");
    let entries: BTreeMap<&str, (u64, u64, Option<&str>)> = manifest["inputs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|i| {
            let n = |v: &serde_json::Value| v.as_u64().expect("a count");
            let rejected: u64 = i["rejected"].as_object().expect("reasons").values().map(n).sum();
            assert_eq!(n(&i["rows"]), n(&i["accepted"]) + rejected, "{i}");
            (i["path"].as_str().expect("a path"), (n(&i["rows"]), rejected, i["refused"].as_str()))
        })
        .collect();
    let found = |path: &str, rows: u64, rejected: u64, why: Option<&str>| {
        let entry = entries.get(path).unwrap_or_else(|| panic!("{path} has no entry: {manifest}"));
        assert_eq!((entry.0, entry.1, entry.2.is_some()), (rows, rejected, why.is_some()), "{path}");
        assert!(why.is_none_or(|why| entry.2.is_some_and(|said| said.contains(why))), "{path}: {entry:?}");
    };
    assert_eq!(entries.len(), 7, "{manifest}");
    found("names.csv", 0, 0, Some("no known AIS layout"));
    found("cut.csv.zst", 0, 0, Some("cut off or damaged"));
    found("three.zip/good.csv", 2, 0, None);
    found("three.zip/bad.csv", 100, 100, Some("7 of 100 rows are malformed"));
    found("three.zip/other.csv", 0, 0, Some("no known AIS layout"));
    found("header.csv", 0, 0, Some("nothing below the header"));
    assert_eq!(entries["day.csv"].2, None);
    let cut = manifest["inputs"].as_array().and_then(|all| all.iter().find(|i| i["path"] == "cut.csv.zst")).expect("its entry");
    assert_eq!((&cut["sha256"], &cut["bytes"]), (&serde_json::json!(sha256(&scratch.read("cut.csv.zst"))), &serde_json::json!(2000)));
    // Asked to, it is taken; alone, nothing is left.
    assert_eq!(run(&scratch, &["detect", "bad.csv", "day.csv", "-o", "out", "--overwrite", "--max-reject-share", "7"], None).code, 0);
    assert_eq!(run(&scratch, &["detect", "bad.csv", "-o", "alone"], None).code, 3);
    assert!(!scratch.path("alone").exists());
    // Duplicates, stations, default numbers, ships that do not know where they are and headers are everyday, not malformed.
    let mut noisy = csv(&drawn_day());
    for _ in 0..2000 {
        let nowhere = Row::of(366_000_401).with("LAT", "91.0").with("LON", "181.0");
        let rows = [Row::of(0).with("MMSI", "002190064"), Row::of(123_456_789), nowhere, Row::of(366_000_402)];
        rows.iter().for_each(|row| noisy.extend_from_slice(format!("{}\n", row.line()).as_bytes()));
        noisy.extend_from_slice(format!("{}\n", LEGACY.join(",")).as_bytes());
    }
    scratch.put("noisy.csv", &noisy);
    assert_eq!(run(&scratch, &["detect", "noisy.csv", "-o", "noisy"], None).code, 0);
}

// Damage. What one fault costs in every layout is in `faults.rs`.

/// What happens to a download.
#[derive(Clone, Debug)]
enum Damage {
    Flip(u8),
    Cut,
    Drop,
    Insert(u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![4 => (1..=255u8).prop_map(Damage::Flip), 2 => Just(Damage::Cut), 1 => Just(Damage::Drop), 1 => any::<u8>().prop_map(Damage::Insert)]
}

/// With the checksum that the zstd tool writes, and publishers therefore.
pub fn checked_zst(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("zstd in memory");
    encoder.include_checksum(true).expect("a checksum");
    encoder.write_all(bytes).expect("zstd in memory");
    encoder.finish().expect("zstd in memory")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 700, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_container_is_refused_or_gives_the_same_rows(zip in any::<bool>(), at in any::<prop::sample::Index>(), damage in damage()) {
        let plain = csv(&(1..40).map(|k| Row::of(366_000_000 + k)).collect::<Vec<_>>());
        let mut bytes = if zip { zipped(&[("a.csv", &plain)]) } else { checked_zst(&plain) };
        let k = at.index(bytes.len());
        match damage {
            Damage::Flip(mask) => bytes[k] ^= mask,
            Damage::Cut => bytes.truncate(k),
            Damage::Drop => drop(bytes.remove(k)),
            Damage::Insert(b) => bytes.insert(k, b),
        }
        let delivery = read_one(&bytes);
        if delivery.refused.is_empty() {
            prop_assert_eq!(canon(&delivery), canon(&read_one(&plain)), "read to its end, and not the same");
        } else {
            prop_assert_eq!((delivery.refused.len(), delivery.accounts.len(), canon(&delivery).len()), (1, 0, 0));
            prop_assert!(delivery.refused[0].to_string().contains("a.csv"));
        }
    }

    #[test]
    fn any_bytes_behind_a_header_are_accounted_for(bytes in prop::collection::vec(prop::sample::select(&b"0123456789.,,,,,\"\"\n\n\r\0-+eETZ: A\xff\xc3"[..]), 0..600)) {
        let rows = csv(&[Row::of(366_000_001), Row::of(366_000_002)]);
        let whole = [&rows[..], &bytes[..], b"\n", Row::of(366_000_003).line().as_bytes()].concat();
        let delivery = read_one(&whole);
        let account = &delivery.accounts[0];
        prop_assert_eq!(account.rows, account.accepted() + account.rejected_total());
        // Three rows stand among the rubbish, and stay.
        let kept: Vec<u32> = canon(&delivery).iter().map(|c| c.mmsi).filter(|m| (366_000_001..=366_000_003).contains(m)).collect();
        prop_assert_eq!(kept, vec![366_000_001, 366_000_002, 366_000_003]);
        let lines = whole.split(|b| *b == b'\n').skip(1).filter(|l| !l.is_empty() && *l != b"\r").count() as u64;
        prop_assert_eq!(account.rows, lines);
    }
}

// The same bytes.

/// Texts that need quotes get them.
fn quoted(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A name that a spreadsheet would run.
pub const FORMULA: &str = "=HYPERLINK(\"//X.YZ\")";

/// A day with two transfers in open water, one of them across the antimeridian, two silences of six hours, one across it as
/// well, and the everyday noise: a base station, sentinels, repeated reports, a few bad rows.
pub fn drawn_day() -> Vec<Row> {
    const MINUTE: i64 = 60;
    let mut rows = Vec::new();
    let metres = 1.0 / 111_194.9;
    let report = |mmsi: u32, t: i64, lat: f64, lon: f64, (sog, cog, heading): (f64, f64, &str), name: &str| {
        let lon = if lon >= 180.0 { lon - 360.0 } else { lon };
        Row::of(mmsi)
            .with("BaseDateTime", format!("2020-01-01T{:02}:{:02}:{:02}", t / 3600, t / 60 % 60, t % 60))
            .with("LAT", format!("{lat:.5}"))
            .with("LON", format!("{lon:.5}"))
            .with("SOG", format!("{sog:.1}"))
            .with("COG", format!("{cog:.1}"))
            .with("Heading", heading)
            .with("VesselName", quoted(name))
            .with("IMO", "")
            .with("CallSign", "")
    };
    // A pair drifts east at 0.8 kn; the second ship comes from the north, lies 22 m off from 02:00 to 09:00, and leaves.
    for (k, &(lat0, lon0, names)) in [(27.5, -90.0, ["GULF LADY", FORMULA]), (-18.0, 179.96, ["NADI, STAR", "DATE LINE"])].iter().enumerate() {
        for step in 0..300 {
            let t = 60 * MINUTE + step * 2 * MINUTE;
            let east = 0.41 * (t - 3600) as f64 * metres / f64::to_radians(lat0).cos();
            let sway = (t as f64 / 2000.0).sin() * 30.0 * metres;
            let outside = (7200 - t).max(t - 32_400).max(0) as f64;
            let north = (22.0 + 4.1 * outside) * metres;
            let heading = if step % 5 == 0 { "511" } else { "91" };
            let sog = if outside > 0.0 { 8.0 } else { 0.8 };
            rows.push(report(366_000_101 + 100 * k as u32, t, lat0 + sway, lon0 + east, (0.8, 90.0, "91"), names[0]));
            let second = report(538_000_102 + 100 * k as u32, t + 20, lat0 + sway + north, lon0 + east, (sog, 90.0, heading), names[1]);
            rows.push(if step % 7 == 0 { second.with("COG", "360.0").with("SOG", "102.3") } else { second });
        }
    }
    // Two ships under way that are not heard from 03:00 to 09:00.
    for (mmsi, lat0, lon0, name) in [(366_000_301, 26.0, -88.0, "QUIET SPIRIT"), (636_000_302, -25.0, 179.4, "FAR SIDE")] {
        for step in (0..60).chain(240..300) {
            let t = 60 * MINUTE + step * 2 * MINUTE;
            let east = 5.5 * (t - 3600) as f64 * metres / f64::to_radians(lat0).cos();
            rows.push(report(mmsi, t, lat0, lon0 + east, (10.7, 90.0, "90"), name));
        }
    }
    let noise = rows[..12].to_vec();
    rows.extend(noise);
    rows.push(Row::of(0).with("MMSI", "003669999"));
    rows.push(Row::of(366_000_401).with("LAT", "91.0").with("LON", "181.0"));
    rows.push(Row::of(366_000_401).with("LAT", "north"));
    rows.push(Row::of(366_000_401).with("BaseDateTime", "yesterday"));
    rows.push(Row::of(123_456_789));
    rows
}

/// Runs `detect` on the inputs and gives its two event files.
fn events(scratch: &Scratch, out: &str, args: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let mut all = vec!["detect", "-o", out, "--min-confidence", "0"];
    all.extend(args);
    let done = run(scratch, &all, None);
    assert_eq!(done.code, 0, "{out}: {}", done.stderr);
    (scratch.read(&format!("{out}/events.geojson")), scratch.read(&format!("{out}/events.csv")))
}

#[test]
fn the_events_are_the_same_bytes_however_the_rows_come() {
    let scratch = Scratch::new();
    let rows = drawn_day();
    scratch.put("day.csv", &csv(&rows));
    let (geojson, events_csv) = events(&scratch, "plain", &["day.csv"]);
    // The drawing must show something.
    let text = String::from_utf8(events_csv.clone()).expect("UTF-8");
    let count = |kind: &str| text.lines().filter(|l| l.contains(kind)).count();
    assert!(count(",rendezvous,") >= 2 && count(",gap,") >= 2, "{text}");
    let likely = run(&scratch, &["detect", "day.csv", "-o", "likely"], None);
    assert_eq!(likely.code, 0);
    let at_50 = scratch.read("likely/events.csv").iter().filter(|b| **b == b'\n').count();
    assert!(at_50 > 2, "fewer than two events of confidence 50: {}", likely.stdout);

    // A multiplier that shares no factor with the count visits every row once.
    let n = rows.len();
    let step = (0..).map(|k| 611 + k).find(|s| gcd(*s, n) == 1).expect("a step");
    let shuffled: Vec<Row> = (0..n).map(|k| rows[k * step % n].clone()).collect();
    assert_ne!(rows, shuffled);
    scratch.put("shuffled.csv", &csv(&shuffled));
    scratch.put("reversed.csv", &csv(&rows.iter().rev().cloned().collect::<Vec<_>>()));
    for (k, part) in shuffled.chunks(n.div_ceil(7)).enumerate() {
        scratch.put(&format!("seven/{k}.csv"), &csv(part));
    }
    assert!(scratch.path("seven/6.csv").exists() && !scratch.path("seven/7.csv").exists());
    scratch.put("day.csv.zst", &zst(&csv(&rows)));
    scratch.put("day.zip", &zipped(&[("one.csv", &csv(&rows[..n / 3])), ("two.csv", &csv(&rows[n / 3..]))]));
    let renamed: Vec<String> = rows.iter().map(Row::renamed).collect();
    scratch.put("renamed.csv", format!("{RENAMED}\r\n{}\r\n", renamed.join("\r\n")).as_bytes());
    scratch.put("mixed/a.csv", &csv(&rows[n / 2..]));
    scratch.put("mixed/b.csv", format!("{RENAMED}\n{}\n", renamed[..n / 2].join("\n")).as_bytes());
    assert!(rows.iter().any(|r| r.get("Heading") == "511") && renamed.iter().any(|r| r.contains(",,")));
    let twice = [rows.clone(), rows.clone()].concat();
    scratch.put("twice.csv", &csv(&twice));
    let cases: &[(&str, &[&str])] = &[
        ("again", &["day.csv"]),
        ("shuffled", &["shuffled.csv"]),
        ("reversed", &["reversed.csv"]),
        ("seven-files", &["seven"]),
        ("seven-files-any-order", &["seven/6.csv", "seven/2.csv", "seven"]),
        ("zstd", &["day.csv.zst"]),
        ("zip", &["day.zip"]),
        ("renamed-layout", &["renamed.csv"]),
        ("mixed-layouts", &["mixed"]),
        ("every-row-twice", &["twice.csv"]),
        ("one-thread", &["day.csv", "--threads", "1"]),
        ("two-threads", &["shuffled.csv", "--threads", "2"]),
        ("eight-threads", &["seven", "--threads", "8"]),
        ("index-rstar", &["day.csv", "--index", "rstar"]),
        ("index-grid", &["day.csv", "--index", "grid"]),
        ("index-brute", &["day.csv", "--index", "brute"]),
    ];
    for (what, args) in cases {
        let (g, c) = events(&scratch, what, args);
        assert!(g == geojson, "{what}: events.geojson differs");
        assert!(c == events_csv, "{what}: events.csv differs");
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[test]
fn files_are_read_with_their_names_as_they_are() {
    // A name that is no UTF-8 and one that would be an option.
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"d\xffy.csv"));
    std::fs::write(&odd, two_rows()).expect("a file");
    let delivery = ingest::read(std::slice::from_ref(&odd), &lenient(), &|_| ()).expect("a delivery");
    assert_eq!(delivery.accounts[0].path, odd);
    assert_eq!(canon(&delivery).len(), 2);
    assert_eq!(ingest::inputs::expand(&[folder.path().display().to_string()]).expect("files"), [odd]);
    let missing = ingest::read(&[Path::new("/nowhere/x.csv").to_path_buf()], &lenient(), &|_| ()).expect("a delivery");
    assert!(missing.refused[0].to_string().starts_with("/nowhere/x.csv: "));
}

/// The usual row is read in one go and any other field by field: the same fix, or the same refusal. A blank before the MMSI makes
/// any row unusual.
#[test]
fn the_usual_row_is_read_like_any_other() {
    let degrees = [
        "28.5",
        "28.123456749",
        "28.12345675",
        "-0.00000005",
        "0",
        "90",
        "-90.0",
        "91",
        "28.",
        ".5",
        "+28.5",
        "2.85e1",
        "28.123456789012345",
        "-",
        "28..5",
        "28.5 ",
        "",
    ];
    let wide = ["-94.0", "179.99999994", "179.99999995", "180", "-180.0", "181", "-179.9999999", "1234567890123", "0.0"];
    let speeds = ["0", "0.0", "5.04", "5.05", "102.2", "102.3", "-1", "-0.0", "51.2", "63.0", "1e1", "007", "", "x", "5,0"];
    let headings = ["0", "91", "359.4", "359.5", "360", "511.0", "511", "-1", "", "9e1"];
    let times = [
        "2020-01-01T00:00:30",
        "2020-01-01 00:00:30",
        "2020-01-01T00:00:30.250",
        "2020-01-01T00:00:30Z",
        "2020-01-01T24:00:00",
        "2020-02-30T00:00:00",
        "2020-01-01T00:00",
    ];
    let names = ["PLAIN JANE", "", "A B", "\"Q\"", "\"A,B\"", "É"];
    let columns: [(&str, &[&str]); 8] = [
        ("LAT", &degrees),
        ("LON", &wide),
        ("LON", &degrees),
        ("SOG", &speeds),
        ("COG", &speeds),
        ("Heading", &headings),
        ("BaseDateTime", &times),
        ("VesselName", &names),
    ];
    let mut rows = Vec::new();
    for (column, texts) in columns {
        for text in texts {
            let mmsi = 366_000_001 + rows.len() as u32;
            // Once to make it usual, twice as it is, and once more as it was.
            let row = |second: u32| Row::of(mmsi).with("BaseDateTime", format!("2020-01-01T00:00:{second:02}"));
            rows.extend([row(0), row(10).with(column, *text), row(20).with(column, *text), row(40)]);
        }
    }
    let says = |rows: &[Row]| {
        let delivery = read_one(&csv(rows));
        let rejects: Vec<_> = delivery.rejects.iter().map(|r| (r.line, r.reason)).collect();
        (canon(&delivery), rejects, delivery.accounts[0].no_position, delivery.accounts[0].duplicates)
    };
    let unusual: Vec<Row> = rows.iter().map(|r| r.clone().with("MMSI", format!(" {}", r.get("MMSI")))).collect();
    let (usual, unusual) = (says(&rows), says(&unusual));
    assert!(usual.0.len() > rows.len() / 2 && usual.1.len() > 20, "{} fixes, {} refused", usual.0.len(), usual.1.len());
    assert_eq!(usual, unusual);
}
