//! One fault a file, in every layout: what a fault costs is at most the row it stands in, and never makes a position.
//!
//! A file is drawn as numbers, and its text and its canonical rows are made of them. A line that the fault left as it was must be
//! delivered as drawn. A line that it touched must be delivered, or refused, as [`Form::judge`] reads it: the rules of
//! `docs/methods.md` written down a second time, plainly and slowly, with another parser for times and numbers.

use crate::ingest::{Canon, LEGACY, canon_by_file, lenient, read_with};
use crate::nmea_encode::{RawPosition, RawStatic, tagged};
use crate::support::Dice;
use alongside::ingest::Limits;
use alongside::ingest::layout::{KNOWN, Reading};
use alongside::model::{AisClass, FileAccount, Particulars, RejectReason};
use chrono::NaiveDateTime;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// One-fault files a layout.
const FILES: usize = 2_000;
/// Files read at once: a fault is not felt in another file either.
const TOGETHER: usize = 250;
/// 2020-01-01T00:00:00Z.
const DAY_MS: i64 = 1_577_836_800_000;

/// What a column of a form holds.
const KINDS: [&str; 22] = [
    "mmsi", "time", "lat", "lon", "sog", "cog", "heading", "status", "name", "imo", "call", "type", "length", "width", "draught", "cargo", "class", "a", "b",
    "c", "d", "-",
];

/// A layout as its publisher writes it.
struct Form {
    layout: &'static str,
    /// `name=kind` a column, between bars; `-TEXT` is a column that is not read, and what stands in it.
    columns: &'static str,
    delimiter: char,
    /// How a time is written, and what stands behind it; `s` and `ms` are epochs.
    time: (&'static str, &'static str),
    /// The integers of the messages.
    raw: bool,
    /// Speeds, courses and sizes as whole tenths; numbers above all MMSIs stand for made-up names.
    tenths: bool,
    /// Ships under made-up names.
    hashed: bool,
    /// Status and type: codes, Danish words, or American words for the status.
    words: &'static str,
    /// Has the course with a sign.
    signed: bool,
    /// What its columns hold.
    kinds: OnceCell<Vec<&'static str>>,
}

/// Commas, plain units, times with a T.
fn plain() -> Form {
    Form {
        layout: "",
        columns: "",
        delimiter: ',',
        time: ("%Y-%m-%dT%H:%M:%S", ""),
        raw: false,
        tenths: false,
        hashed: false,
        words: "",
        signed: false,
        kinds: OnceCell::new(),
    }
}
const BLANK: (&str, &str) = ("%Y-%m-%d %H:%M:%S", "");
const HUB: &str = "MMSI=mmsi|TIME=time|LONGITUDE=lon|LATITUDE=lat|COG=cog|SOG=sog|HEADING=heading|ROT=-0|NAVSTAT=status|IMO=imo|NAME=name|CALLSIGN=call|\
                   TYPE=type|A=a|B=b|C=c|D=d|DRAUGHT=draught|DEST=-SINGAPORE|ETA=-10-07 12:00";
const DANISH: &str = "# Timestamp=time|Type of mobile=class|MMSI=mmsi|Latitude=lat|Longitude=lon|Navigational status=status|ROT=-0.0|SOG=sog|COG=cog|Heading=heading|\
                      IMO=imo|Callsign=call|Name=name|Ship type=type|Cargo type=-|Width=width|Length=length|Type of position fixing device=-GPS|Draught=draught|\
                      Destination=-GDANSK|ETA=-26/04/2026 12:00:00|Data source type=-AIS";

/// Every layout, and both forms where there are two.
fn forms() -> Vec<Form> {
    vec![
        Form {
            layout: "marinecadastre",
            columns: "MMSI=mmsi|BaseDateTime=time|LAT=lat|LON=lon|SOG=sog|COG=cog|Heading=heading|VesselName=name|IMO=imo|CallSign=call|VesselType=type|\
                      Status=status|Length=length|Width=width|Draft=draught|Cargo=cargo|TransceiverClass=class",
            ..plain()
        },
        Form {
            layout: "marinecadastre",
            // 2015 to 2017: no class, words, the course with a sign.
            columns: "MMSI=mmsi|BaseDateTime=time|LAT=lat|LON=lon|SOG=sog|COG=cog|Heading=heading|VesselName=name|IMO=imo|CallSign=call|VesselType=type|\
                      Status=status|Length=length|Width=width|Draft=draught|Cargo=cargo",
            words: "american",
            signed: true,
            ..plain()
        },
        Form {
            layout: "marinecadastre-2025",
            columns: "mmsi=mmsi|base_date_time=time|longitude=lon|latitude=lat|sog=sog|cog=cog|heading=heading|vessel_name=name|imo=imo|call_sign=call|\
                      vessel_type=type|status=status|length=length|width=width|draft=draught|cargo=cargo|transceiver=class",
            time: BLANK,
            ..plain()
        },
        Form { layout: "dma", columns: DANISH, time: ("%d/%m/%Y %H:%M:%S", ""), words: "danish", ..plain() },
        Form { layout: "dma", columns: concat_columns(DANISH, "|A=a|B=b|C=c|D=d"), time: ("%d/%m/%Y %H:%M:%S", ""), words: "danish", ..plain() },
        Form {
            layout: "kystverket",
            columns: "date_time_utc=time|mmsi=mmsi|longitude=lon|latitude=lat|status=status|course_over_ground=cog|true_heading=heading|speed_over_ground=sog|\
                      rate_of_turn=-0|maneuvre=-0|data_source=-1|ais_class=class|msg_type=-1",
            time: (BLANK.0, ".000000+00:00"),
            ..plain()
        },
        Form {
            layout: "kystverket",
            columns: "Unnamed: 0=-17|mmsi=mmsi|date_time_utc=time|sog=sog|cog=cog|true_heading=heading|nav_status=status|calc_speed=-7.6|lon=lon|lat=lat",
            delimiter: ';',
            time: BLANK,
            ..plain()
        },
        Form {
            layout: "brest",
            columns: "sourcemmsi=mmsi|navigationalstatus=status|rateofturn=--127|speedoverground=sog|courseoverground=cog|trueheading=heading|lon=lon|lat=lat|t=time",
            time: ("s", ""),
            ..plain()
        },
        Form {
            layout: "piraeus",
            columns: "t=time|vessel_id=mmsi|lon=lon|lat=lat|heading=heading|speed=sog|course=cog",
            time: ("ms", ""),
            hashed: true,
            ..plain()
        },
        Form {
            layout: "gfw",
            columns: "mmsi=mmsi|timestamp=time|distance_from_shore=-74996.6|distance_from_port=-81384.3|speed=sog|course=cog|lat=lat|lon=lon|is_fishing=--1.0|source=-crowd",
            time: ("s", ".0"),
            hashed: true,
            ..plain()
        },
        Form {
            layout: "nus",
            columns: "message_type=-3|mmsi=mmsi|navigation_status=status|rate_of_turn=-0|speed_over_ground=sog|longitude=lon|latitude=lat|course_over_ground=cog|\
                      true_heading=heading|timeStamp=time",
            time: (plain().time.0, "Z"),
            raw: true,
            ..plain()
        },
        Form { layout: "aishub", columns: HUB, time: (BLANK.0, " GMT"), ..plain() },
        Form {
            layout: "alongside",
            columns: "mmsi=mmsi|t=time|lon=lon|lat=lat|sog_dkn=sog|cog_ddeg=cog|heading_deg=heading|status=status|name=name|imo=imo|call_sign=call|ship_type=type|\
                      length_dm=length|beam_dm=width|draught_dm=draught|cargo=cargo|class=class|to_bow_m=a|to_stern_m=b|to_port_m=c|to_starboard_m=d|source=-a.csv|line=-2",
            tenths: true,
            ..plain()
        },
        Form { layout: "aishub-raw", columns: HUB, time: ("s", ""), raw: true, ..plain() },
        Form {
            layout: "exactearth",
            columns: "mmsi=mmsi|imo=imo|vessel_name=name|callsign=call|vessel_type=-Tanker|vessel_type_code=type|vessel_type_cargo=-|vessel_class=class|length=length|\
                      width=width|flag_country=-Singapore|flag_code=-563|destination=-SINGAPORE|eta=-1007120000|draught=draught|longitude=lon|latitude=lat|sog=sog|cog=cog|\
                      rot=-0|heading=heading|nav_status=-Under Way Using Engine|nav_status_code=status|source=-S-AIS|ts_pos_utc=time|ts_static_utc=-20190327085040|\
                      ts_insert_utc=-20190327085040|dt_pos_utc=-2019-03-27 08:50:40",
            time: ("%Y%m%d%H%M%S", ""),
            ..plain()
        },
        Form {
            layout: "un-global-platform",
            columns: "mmsi=mmsi|imo=imo|vessel_name=name|callsign=call|vessel_type=-Tanker|vessel_type_code=type|vessel_type_cargo=-|vessel_class=class|length=length|\
                      width=width|flag_country=-Singapore|flag_code=-563|destination=-SINGAPORE|eta=-1007120000|draught=draught|longitude=lon|latitude=lat|sog=sog|cog=cog|\
                      rot=-0|heading=heading|nav_status=-Under Way Using Engine|nav_status_code=status|source=-S-AIS|dt_pos_utc=time|dt_static_utc=-2019-03-27 08:50:40|\
                      dt_insert_utc=-2019-03-27 08:50:40|source_filename=-a|H3_int_index_0=-577",
            time: ("%Y-%m-%d %H:%M:%S", ""),
            ..plain()
        },
        Form {
            layout: "spire",
            columns: "created_at=-2026-04-26T00:00:41Z|timestamp=time|mmsi=mmsi|msg_type=-1|latitude=lat|longitude=lon|speed=sog|course=cog|heading=heading|rot=-0|imo=imo|\
                      name=name|call_sign=call|flag=-DK|draught=draught|ship_and_cargo_type=type|length=length|width=width|eta=-|destination=-GDANSK|status=status|\
                      maneuver=-0|accuracy=-True|collection_type=-satellite",
            time: ("%Y-%m-%dT%H:%M:%S", "Z"),
            ..plain()
        },
    ]
}

fn concat_columns(a: &str, b: &str) -> &'static str {
    Box::leak(format!("{a}{b}").into_boxed_str())
}

/// The header and three rows of every layout.
pub fn file_of_every_layout() -> Vec<String> {
    let mut dice = Dice(0);
    let rows = drawn(&mut dice);
    forms().iter().map(|f| format!("{}\n{}\n", f.header(), rows.iter().take(3).map(|d| f.line(d)).collect::<Vec<_>>().join("\n"))).collect()
}

/// A ship, and what she says of herself.
#[derive(Clone, Debug)]
struct Ship {
    mmsi: u32,
    name: String,
    kind: usize,
    class_a: bool,
    size_m: [u16; 4],
    draught_dm: u16,
}

/// A row as numbers.
#[derive(Clone, Debug)]
struct Drawn {
    ship: Ship,
    second: i64,
    /// In 1e-5 degree.
    lat: i32,
    lon: i32,
    sog: u16,
    cog: u16,
    heading: u16,
    status: usize,
}

impl Drawn {
    /// Ship, time and position as delivered.
    fn place(&self) -> (u32, i64, i32, i32) {
        let lon_e7 = if self.lon == 18_000_000 { -1_800_000_000 } else { self.lon * 100 };
        (self.ship.mmsi, DAY_MS + self.second * 1000, self.lat * 100, lon_e7)
    }
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789  -.&/()=+#'<_,\"";
const TYPES: [(u16, &str); 4] = [(30, "Fishing"), (52, "Tug"), (70, "Cargo"), (80, "Tanker")];
const STATUS: [(u8, &str, &str); 4] = [
    (0, "Under way using engine", "under way using engine"),
    (1, "At anchor", "at anchor"),
    (5, "Moored", "moored"),
    (12, "Power-driven vessel pushing ahead or towing alongside", "power-driven vessel pushing ahead or towing alongside"),
];

/// Three ships and some ten rows of theirs, so that most rows repeat what their ship said before.
fn drawn(dice: &mut Dice) -> Vec<Drawn> {
    let ships: Vec<Ship> = (0..3)
        .map(|_| Ship {
            // Numbers that one bit turns into a group, an aircraft, a beacon or a default stand among them.
            mmsi: *dice.pick(&[219_000_000, 366_000_000, 101_000_000, 950_000_000, 636_000_000]) + dice.below(1_000_000) as u32,
            name: (0..dice.below(20)).map(|_| char::from(*dice.pick(LETTERS))).collect(),
            kind: dice.below(4),
            class_a: dice.one_in(2),
            size_m: [1 + dice.below(300) as u16, 1 + dice.below(90) as u16, 1 + dice.below(30) as u16, 1 + dice.below(30) as u16],
            draught_dm: 10 + dice.below(200) as u16,
        })
        .collect();
    let motion = |dice: &mut Dice, most: usize| Some(dice.below(most) as u16).filter(|v| *v != 512 && *v != 630).unwrap_or(7);
    (0..8 + dice.below(5))
        .map(|_| Drawn {
            ship: dice.pick(&ships).clone(),
            second: dice.below(86_400) as i64,
            lat: if dice.one_in(12) { *dice.pick(&[9_000_000, -9_000_000, 1, -1]) } else { dice.between(-8_999_999, 8_999_999) as i32 },
            lon: if dice.one_in(12) { *dice.pick(&[18_000_000, -18_000_000, 1, -1]) } else { dice.between(-17_999_999, 17_999_999) as i32 },
            sog: motion(dice, 1022),
            cog: dice.below(3600) as u16,
            heading: dice.below(360) as u16,
            status: dice.below(4),
        })
        .map(|d| Drawn { lat: if d.lat == 0 { 1 } else { d.lat }, ..d })
        .collect()
}

fn decimal(value: i64, digits: u32) -> String {
    let unit = 10i64.pow(digits);
    format!("{}{}.{:0width$}", if value < 0 { "-" } else { "" }, (value / unit).abs(), (value % unit).abs(), width = digits as usize)
}

/// Quotes where a text needs them.
fn quoted(text: &str, delimiter: char) -> String {
    if text.contains([delimiter, '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Fix(Canon),
    Rejected(RejectReason),
    NotShip(&'static str),
    NoPosition,
    /// A blank line is no row.
    NoRow,
}
use Fate::{Fix, NoPosition, NoRow, NotShip, Rejected};

impl Form {
    fn columns(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        self.columns.split('|').map(|c| c.split_once('=').expect("name=kind"))
    }
    fn kinds(&self) -> &[&'static str] {
        self.kinds.get_or_init(|| {
            let kinds: Vec<_> = self.columns().map(|(_, kind)| if kind.starts_with('-') { "-" } else { kind }).collect();
            assert!(kinds.iter().all(|k| KINDS.contains(k)), "{kinds:?}");
            kinds
        })
    }
    fn header(&self) -> String {
        self.columns().map(|(name, _)| name.to_owned()).collect::<Vec<_>>().join(&self.delimiter.to_string())
    }
    fn limits(&self) -> Limits {
        let known = KNOWN.into_iter().find(|k| k.name == self.layout && self.layout == "aishub-raw");
        Limits { reading: Reading { known, ..Reading::default() }, ..lenient() }
    }
    /// A number of so many decimal places in plain units; in raw ones the integer behind it.
    fn number(&self, value: i64, digits: u32) -> String {
        if self.raw || self.tenths { value.to_string() } else { decimal(value, digits) }
    }

    fn cell(&self, d: &Drawn, kind: &str) -> String {
        let ship = &d.ship;
        let degrees = |v: i32| if self.raw { (v * 6).to_string() } else { decimal(v.into(), 5) };
        match kind {
            "mmsi" if self.hashed => format!("{:x}", ship.mmsi),
            "mmsi" => ship.mmsi.to_string(),
            "time" => match self.time {
                ("s", behind) => format!("{}{behind}", DAY_MS / 1000 + d.second),
                ("ms", _) => (DAY_MS + d.second * 1000).to_string(),
                (form, behind) => format!("{}{behind}", chrono::DateTime::from_timestamp(DAY_MS / 1000 + d.second, 0).expect("a time").format(form)),
            },
            "lat" => degrees(d.lat),
            "lon" => degrees(d.lon),
            "sog" => self.number(d.sog.into(), 1),
            "cog" if self.signed && d.cog >= 2048 => decimal(i64::from(d.cog) - 4096, 1),
            "cog" => self.number(d.cog.into(), 1),
            "heading" => d.heading.to_string(),
            "status" => match self.words {
                "danish" => STATUS[d.status].1.to_owned(),
                "american" => STATUS[d.status].2.to_owned(),
                _ => STATUS[d.status].0.to_string(),
            },
            "name" => quoted(&ship.name, self.delimiter),
            "imo" => "9074729".to_owned(),
            "call" => "OXAB2".to_owned(),
            "type" if self.words == "danish" => TYPES[ship.kind].1.to_owned(),
            "type" => TYPES[ship.kind].0.to_string(),
            "length" => ((ship.size_m[0] + ship.size_m[1]) * if self.tenths { 10 } else { 1 }).to_string(),
            "width" => ((ship.size_m[2] + ship.size_m[3]) * if self.tenths { 10 } else { 1 }).to_string(),
            "draught" => self.number(ship.draught_dm.into(), 1),
            "cargo" => "80".to_owned(),
            "class" if self.words == "danish" => if ship.class_a { "Class A" } else { "Class B" }.to_owned(),
            "class" => if ship.class_a { "A" } else { "B" }.to_owned(),
            "a" | "b" | "c" | "d" => ship.size_m[usize::from(kind.as_bytes()[0] - b'a')].to_string(),
            other => other.strip_prefix('-').expect("a kind").to_owned(),
        }
    }
    fn line(&self, d: &Drawn) -> String {
        self.columns().map(|(_, kind)| self.cell(d, kind)).collect::<Vec<_>>().join(&self.delimiter.to_string())
    }

    /// What the row says, out of its numbers.
    fn canon(&self, d: &Drawn, line: u32) -> Canon {
        let (kinds, ship) = (self.kinds(), &d.ship);
        let has = |kind: &str| kinds.contains(&kind);
        let size = |length: bool| if length { ship.size_m[0] + ship.size_m[1] } else { ship.size_m[2] + ship.size_m[3] };
        Canon {
            mmsi: if self.hashed { 0 } else { ship.mmsi },
            t_ms: DAY_MS + d.second * 1000,
            lat_e7: d.lat * 100,
            lon_e7: if d.lon == 18_000_000 { -1_800_000_000 } else { d.lon * 100 },
            sog: Some(d.sog),
            cog: Some(d.cog),
            heading: has("heading").then_some(d.heading),
            status: has("status").then_some(STATUS[d.status].0),
            said: Particulars {
                name: if has("name") { ship.name.trim().into() } else { Default::default() },
                imo: if has("imo") { 9_074_729 } else { 0 },
                call_sign: if has("call") { "OXAB2".into() } else { Default::default() },
                ship_type: if has("type") { TYPES[ship.kind].0 } else { 0 },
                length_dm: if has("length") || has("a") { size(true) * 10 } else { 0 },
                beam_dm: if has("width") || has("c") { size(false) * 10 } else { 0 },
                to_bow_m: if has("a") { ship.size_m[0] } else { 0 },
                to_stern_m: if has("b") { ship.size_m[1] } else { 0 },
                // The Danes write starboard first.
                to_port_m: if has("c") { ship.size_m[if self.words == "danish" { 3 } else { 2 }] } else { 0 },
                to_starboard_m: if has("d") { ship.size_m[if self.words == "danish" { 2 } else { 3 }] } else { 0 },
                draught_dm: if has("draught") { ship.draught_dm } else { 0 },
                cargo: if has("cargo") { 80 } else { 0 },
                class: match (has("class"), ship.class_a) {
                    (false, _) => AisClass::Unknown,
                    (_, true) => AisClass::A,
                    (_, false) => AisClass::B,
                },
            },
            line,
        }
    }

    /// A line cut at its delimiters, with quoting where no quote is a stray one.
    fn split(&self, line: &[u8]) -> Vec<Vec<u8>> {
        let d = self.delimiter as u8;
        let plain: Vec<Vec<u8>> = line.split(|b| *b == d).map(<[u8]>::to_vec).collect();
        // RFC 4180 in one line: a field that begins with a quote ends with one before a delimiter; two stand for one.
        let (mut fields, mut rest, mut fits) = (Vec::new(), Some(line), true);
        while let Some(text) = rest {
            let mut field = Vec::new();
            if text.first() == Some(&b'"') {
                let (mut k, mut closed) = (1, false);
                while k < text.len() && !closed {
                    match (text[k], text.get(k + 1)) {
                        (b'"', Some(b'"')) => k += 1,
                        (b'"', next) if next.is_none_or(|b| *b == d) => closed = true,
                        (b'"', _) => fits = false,
                        _ => {}
                    }
                    if !closed {
                        field.push(text[k]);
                    }
                    k += 1;
                }
                fits &= closed;
                rest = text.get(k).and(text.get(k + 1..));
            } else {
                let end = text.iter().position(|b| *b == d);
                field.extend_from_slice(&text[..end.unwrap_or(text.len())]);
                rest = end.map(|e| &text[e + 1..]);
            }
            fields.push(field);
        }
        if fits { fields } else { plain }
    }

    /// What must become of a line. `row` is the row that it was, or is nearest to; `next` the line behind it, none where it has no end.
    fn judge(&self, line: &[u8], next: Option<&[u8]>, row: &Drawn, at_line: u32) -> Fate {
        if line.is_empty() {
            return NoRow;
        }
        if line.len() > 65_536 {
            return Rejected(RejectReason::LineTooLong);
        }
        let kinds = self.kinds();
        let cells = self.split(line);
        if cells.len() != kinds.len() {
            return Rejected(RejectReason::FieldCount);
        }
        let cell = |kind: &str| kinds.iter().position(|k| *k == kind).map_or(&b""[..], |k| blanks_off(&cells[k]));
        let mut canon = self.canon(row, at_line);
        if !self.hashed {
            let text = cell("mmsi");
            let digits = text.strip_suffix(b".0").unwrap_or(text);
            if line == self.header().as_bytes() {
                return Rejected(RejectReason::RepeatedHeader);
            }
            let value = std::str::from_utf8(digits).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit())).and_then(|t| t.parse::<u32>().ok());
            match (value, digits.len()) {
                (Some(0 | 1_193_046 | 111_111_111 | 123_456_789 | 999_999_999), _) if text.len() < 9 || digits.len() == 9 => {
                    return Rejected(RejectReason::DefaultMmsi);
                }
                (Some(v), 9) => canon.mmsi = v,
                (Some(v), 10) if self.tenths && v >= 1_000_000_000 => canon.mmsi = v,
                _ => return Rejected(RejectReason::BadMmsi),
            }
            let starts = |heads: &[&str]| heads.iter().any(|h| digits.starts_with(h.as_bytes()));
            let not_ship = [
                ("base_station", &["00"][..]),
                ("group", &["0"]),
                ("sar_aircraft", &["111"]),
                ("beacon", &["970", "972", "974"]),
                ("aid_to_navigation", &["99"]),
            ];
            if let Some((kind, _)) = not_ship.into_iter().find(|(_, heads)| starts(heads)) {
                return NotShip(kind);
            }
        } else if line == self.header().as_bytes() {
            return Rejected(RejectReason::RepeatedHeader);
        } else if cell("mmsi").is_empty() {
            return Rejected(RejectReason::BadMmsi);
        }
        match self.time_ms(cell("time")) {
            Some(t_ms) => canon.t_ms = t_ms,
            None => return Rejected(RejectReason::BadTime),
        }
        let (lat, lon) = (cell("lat"), cell("lon"));
        if lat.is_empty() && lon.is_empty() {
            return NoPosition;
        }
        let unit = if self.raw { 600_000.0 } else { 1.0 };
        let (Some(lat), Some(lon)) = (number(lat, unit, 1e7), number(lon, unit, 1e7)) else { return Rejected(RejectReason::BadPosition) };
        if lat == 910_000_000 || lon.abs() == 1_810_000_000 || (lat, lon) == (0, 0) {
            return NoPosition;
        }
        if lat.abs() > 900_000_000 || lon.abs() > 1_800_000_000 {
            return Rejected(RejectReason::PositionOffGlobe);
        }
        (canon.lat_e7, canon.lon_e7) = (lat as i32, if lon == 1_800_000_000 { -1_800_000_000 } else { lon as i32 });
        for kind in ["sog", "cog", "heading"] {
            let text = cell(kind);
            let tenths = if self.raw || self.tenths || kind == "heading" { 1.0 } else { 10.0 };
            let value = match number(text, 1.0, tenths) {
                Some(v) if kind == "cog" && self.layout == "marinecadastre" && (-2048..0).contains(&v) => Some(v + 4096),
                None if !text.is_empty() => return Rejected(RejectReason::BadMotion),
                value => value,
            };
            let below = |most: i64| value.filter(|v| (0..most).contains(v)).map(|v| v as u16);
            match kind {
                "sog" => canon.sog = below(1022).filter(|v| *v != 512 && *v != 630),
                "cog" => canon.cog = below(3600),
                _ => canon.heading = below(360),
            }
        }
        let status = cell("status");
        let word = |of: &str| status.eq_ignore_ascii_case(of.as_bytes());
        canon.status = match number(status, 1.0, 1.0) {
            Some(v) => (0..15).contains(&v).then_some(v as u8),
            None => STATUS.iter().find(|s| word(s.1)).map(|s| s.0),
        };
        let last = *kinds.last().expect("a column");
        let goes_on = next.is_none_or(|n| !n.is_empty() && !n.contains(&(self.delimiter as u8)));
        if matches!(last, "lat" | "lon") && goes_on {
            return Rejected(RejectReason::CutShort);
        }
        Fix(canon)
    }

    fn time_ms(&self, text: &[u8]) -> Option<i64> {
        let (form, _) = self.time;
        let text = std::str::from_utf8(text).ok()?;
        if form == "s" || form == "ms" {
            let ms = number(text.as_bytes(), 1.0, if form == "s" { 1000.0 } else { 1.0 })?;
            return (315_532_800_000..6_311_433_600_000).contains(&ms).then_some(ms);
        }
        let text = if form.contains('-') { ["Z", " UTC", " GMT", "+00:00"].iter().find_map(|u| text.strip_suffix(u)).unwrap_or(text) } else { text };
        let (text, fraction) = text.split_once('.').filter(|_| form.contains('-')).map_or((text, None), |(t, f)| (t, Some(f)));
        let ms = match fraction {
            Some(f) if f.is_empty() || !f.bytes().all(|b| b.is_ascii_digit()) => return None,
            Some(f) => format!("{f:0<3}")[..3].parse::<i64>().ok()?,
            None => 0,
        };
        // Every digit at its place: chrono takes more.
        let shape = chrono::DateTime::from_timestamp(0, 0)?.format(form).to_string();
        let fits =
            |(t, s): (u8, u8)| t == s || (t.is_ascii_digit() && s.is_ascii_digit()) || (form.contains('-') && matches!((t, s), (b'T', b' ') | (b' ', b'T')));
        if text.len() != shape.len() || !text.bytes().zip(shape.bytes()).all(fits) {
            return None;
        }
        let text = if form.contains('T') {
            text.replace(' ', "T")
        } else if form.contains('-') {
            text.replace('T', " ")
        } else {
            text.to_owned()
        };
        let time = NaiveDateTime::parse_from_str(&text, form).ok().filter(|_| !text.ends_with("60"))?.and_utc().timestamp_millis() + ms;
        (0..100_001 * 86_400_000).contains(&time).then_some(time)
    }
}

/// Blanks about a field do not count.
fn blanks_off(text: &[u8]) -> &[u8] {
    if text.first() == Some(&b' ') || text.last() == Some(&b' ') { text.trim_ascii() } else { text }
}

/// A decimal number, divided by a unit, in whole parts of it.
fn number(text: &[u8], unit: f64, parts: f64) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (digits, exponent) = body.split_once(['e', 'E']).map_or((body, None), |(d, e)| (d, Some(e)));
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.bytes().any(|b| b.is_ascii_digit()) && digits.matches('.').count() < 2;
    let whole = exponent.is_none_or(|e| e.strip_prefix(['-', '+']).unwrap_or(e).bytes().all(|b| b.is_ascii_digit()));
    let value = text.parse::<f64>().ok().filter(|_| plain && whole)?;
    // Of the integers of the messages no part is one.
    let value = if unit > 1.0 { value.round() * parts / unit } else { value * parts };
    (value.abs() < 9e15).then(|| value.round() as i64)
}

/// Numbers what faults there are.
const FAULTS: [&str; 23] = [
    "nothing",
    "separator more",
    "separator less",
    "quote at the start of a field",
    "quote within a field",
    "quote at the end of a field",
    "NUL",
    "bad UTF-8",
    "newline in a field",
    "other delimiter",
    "cut",
    "flipped bit",
    "flipped bit again",
    "another text",
    "field more",
    "field less",
    "garbage",
    "endless line",
    "blank line",
    "header again",
    "twin",
    "CRLF",
    "byte order mark",
];

/// Texts that stand where they must not.
const TEXTS: [(&str, &str); 26] = [
    ("mmsi", ""),
    ("mmsi", "36600000"),
    ("mmsi", "111111111"),
    ("mmsi", "0"),
    ("mmsi", "003669999"),
    ("mmsi", "993661234"),
    ("time", ""),
    ("time", "2020-02-30T00:00:00"),
    ("time", "32/01/2020 00:00:00"),
    ("time", "-1"),
    ("lat", "91"),
    ("lat", "91.0"),
    ("lon", "181.0"),
    ("lat", ""),
    ("lon", "-"),
    ("lat", "90.00001"),
    ("lon", "1e5"),
    ("lon", "1e999"),
    ("lat", "NaN"),
    ("sog", "x"),
    ("cog", "NaN"),
    ("heading", "511"),
    ("sog", "102.3"),
    ("sog", "99999999999999999999999"),
    ("heading", "0x10"),
    ("status", "adrift"),
];

/// Damages a file of lines: its bytes, and the row that was hit.
fn damage(form: &Form, dice: &mut Dice, fault: &str, rows: &[Drawn]) -> (Vec<u8>, usize) {
    let mut lines: Vec<Vec<u8>> = rows.iter().map(|d| form.line(d).into_bytes()).collect();
    let d = form.delimiter as u8;
    let hit = dice.below(rows.len());
    let line = &mut lines[hit];
    let separators: Vec<usize> = line.iter().enumerate().filter(|(_, b)| **b == d).map(|(k, _)| k).collect();
    // Where a field begins and ends; a quoted delimiter makes two of one, which is as good.
    let field = dice.below(separators.len() + 1);
    let begin = if field == 0 { 0 } else { separators[field - 1] + 1 };
    let end = separators.get(field).copied().unwrap_or(line.len());
    let anywhere = dice.below(line.len() + 1);
    let mut behind = None;
    match fault {
        "separator more" => line.insert(anywhere, d),
        "separator less" => drop(line.remove(*dice.pick(&separators))),
        "quote at the start of a field" => line.insert(begin, b'"'),
        "quote within a field" => line.insert(anywhere, b'"'),
        "quote at the end of a field" => line.insert(end, b'"'),
        "NUL" => line.insert(anywhere, 0),
        "bad UTF-8" => line.insert(anywhere, *dice.pick(&[0xff, 0xc3, 0x80, 0xe2])),
        "newline in a field" => line.insert(anywhere, b'\n'),
        "other delimiter" => {
            let other = *dice.pick(b",;\t|");
            line.iter_mut().filter(|b| **b == d).for_each(|b| *b = other);
        }
        "another text" => {
            let kinds = form.kinds();
            let (kind, text) = dice.pick(&TEXTS);
            let cells = form.columns().zip(kinds).map(|((_, c), k)| if k == kind { (*text).to_owned() } else { form.cell(&rows[hit], c) });
            *line = cells.collect::<Vec<_>>().join(&form.delimiter.to_string()).into_bytes();
        }
        "field more" => line.extend([d, b'X']),
        "field less" => drop(line.drain(begin..(end + 1).min(line.len()))),
        "garbage" => behind = Some((hit, (0..1 + dice.below(60)).map(|_| dice.roll() as u8).filter(|b| *b != d && *b != b'\n').collect())),
        "endless line" if dice.one_in(8) => behind = Some((hit, vec![b'x'; 65_537 + dice.below(4000)])),
        "blank line" => behind = Some((hit, Vec::new())),
        "header again" => behind = Some((hit, form.header().into_bytes())),
        "twin" => behind = Some((lines.len(), lines[hit].clone())),
        "CRLF" => line.push(b'\r'),
        _ => {}
    }
    if let Some((at, line)) = behind {
        lines.insert(at, line);
    }
    let mut bytes = if fault == "byte order mark" { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
    bytes.extend_from_slice(form.header().as_bytes());
    bytes.push(b'\n');
    let body = bytes.len();
    for line in &lines {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    match fault {
        "cut" => bytes.truncate(body + dice.below(bytes.len() - body)),
        "flipped bit" | "flipped bit again" => {
            let at = body + dice.below(bytes.len() - body);
            bytes[at] ^= 1 << dice.below(8);
            return (bytes.clone(), bytes[body..at].iter().filter(|b| **b == b'\n').count().min(rows.len() - 1));
        }
        _ => {}
    }
    let hit = if fault == "cut" { bytes[body..].iter().filter(|b| **b == b'\n').count().min(rows.len() - 1) } else { hit };
    (bytes, hit)
}

/// What was found of a file, and what must be.
#[derive(Debug, Default, PartialEq)]
struct Came {
    fixes: Vec<Canon>,
    rejects: Vec<(u64, u64, RejectReason)>,
    rows: u64,
    no_position: u64,
    duplicates: u64,
    not_ships: BTreeMap<&'static str, u64>,
}

/// Rows by their text.
type Texts<'a> = BTreeMap<Vec<u8>, &'a Drawn>;

/// What must come of a file, line by line; and how many innocent rows are in it.
fn must_come(form: &Form, bytes: &[u8], texts: &Texts, row: &Drawn) -> (Came, usize) {
    let (mut came, mut innocent, mut offset, mut seen) = (Came::default(), 0, 0, BTreeSet::new());
    let pieces: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let bare = |piece: &&[u8]| -> Vec<u8> {
        let line = piece.strip_suffix(b"\n").unwrap_or(piece);
        line.strip_suffix(b"\r").unwrap_or(line).to_vec()
    };
    for (k, piece) in pieces.iter().enumerate() {
        let (line, number) = (bare(piece), k as u32 + 1);
        if k > 0 {
            let next = piece.ends_with(b"\n").then(|| pieces.get(k + 1).map(bare).unwrap_or_default());
            let judged = form.judge(&line, next.as_deref(), texts.get(&line).copied().unwrap_or(row), number);
            // An untouched line is what was drawn, whatever any reader says.
            let fate = match texts.get(&line) {
                Some(d) if judged != Rejected(RejectReason::CutShort) => {
                    innocent += 1;
                    Fix(form.canon(d, number))
                }
                _ => judged,
            };
            came.rows += u64::from(fate != NoRow);
            match fate {
                Fix(canon) if !seen.insert(format!("{:?}", Canon { line: 0, ..canon.clone() })) => came.duplicates += 1,
                Fix(canon) => came.fixes.push(canon),
                Rejected(reason) => came.rejects.push((number.into(), offset, reason)),
                NotShip(kind) => *came.not_ships.entry(kind).or_default() += 1,
                NoPosition => came.no_position += 1,
                NoRow => {}
            }
        }
        offset += piece.len() as u64;
    }
    came.fixes.sort_by_key(|c| c.line);
    (came, innocent)
}

/// What came of a file. Made-up names are a hash: which, is not asked here.
fn came(form: &Form, account: &FileAccount, fixes: &[Canon], rejects: Vec<(u64, u64, RejectReason)>) -> Came {
    let mut fixes: Vec<Canon> = fixes.iter().map(|c| Canon { mmsi: if form.hashed { 0 } else { c.mmsi }, ..c.clone() }).collect();
    fixes.sort_by_key(|c| c.line);
    Came { fixes, rejects, rows: account.rows, no_position: account.no_position, duplicates: account.duplicates, not_ships: account.not_ships.clone() }
}

/// A particular that was touched may say anything; all that was not touched stands as it was.
fn same_but_touched(form: &Form, found: &Came, wanted: &mut Came, bytes: &[u8], texts: &Texts, row: &Drawn) {
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    let kinds = form.kinds();
    for (f, w) in found.fixes.iter().zip(&mut wanted.fixes).filter(|(f, w)| f.line == w.line) {
        let line = lines[f.line as usize - 1];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if texts.contains_key(line) {
            continue;
        }
        let (now, was) = (form.split(line), form.split(form.line(row).as_bytes()));
        for (kind, _) in kinds.iter().zip(now.iter().zip(&was)).filter(|(_, (now, was))| now != was) {
            let (to, from) = (&mut w.said, &f.said);
            match *kind {
                "name" => to.name.clone_from(&from.name),
                "imo" => to.imo = from.imo,
                "call" => to.call_sign.clone_from(&from.call_sign),
                "type" => to.ship_type = from.ship_type,
                "length" | "width" | "a" | "b" | "c" | "d" => {
                    (to.length_dm, to.beam_dm) = (from.length_dm, from.beam_dm);
                    (to.to_bow_m, to.to_stern_m) = (from.to_bow_m, from.to_stern_m);
                    (to.to_port_m, to.to_starboard_m) = (from.to_port_m, from.to_starboard_m);
                }
                "draught" => to.draught_dm = from.draught_dm,
                "cargo" => to.cargo = from.cargo,
                "class" => to.class = from.class,
                _ => {}
            }
        }
    }
}

#[test]
fn one_fault_costs_one_row_at_most_in_every_layout() {
    for (f, form) in forms().iter().enumerate() {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut innocents, mut hit_and_kept) = (0, 0);
        for batch in 0..FILES / TOGETHER {
            let mut dice = Dice((f * 1000 + batch) as u64);
            let files: Vec<_> = (0..TOGETHER)
                .map(|k| {
                    let fault = FAULTS[(batch * TOGETHER + k) % FAULTS.len()];
                    *seen.entry(fault).or_default() += 1;
                    let rows = drawn(&mut dice);
                    let (bytes, hit) = damage(form, &mut dice, fault, &rows);
                    (format!("{k:03}.csv"), fault, rows, bytes, hit)
                })
                .collect();
            let named: Vec<(&str, &[u8])> = files.iter().map(|(name, _, _, bytes, _)| (name.as_str(), bytes.as_slice())).collect();
            let delivery = read_with(&named, &form.limits());
            assert!(delivery.refused.is_empty(), "{}: a whole file was refused: {:?}", form.layout, delivery.refused);
            let fixes = canon_by_file(&delivery);
            let mut rejects = vec![Vec::new(); TOGETHER];
            for r in &delivery.rejects {
                rejects[r.file as usize].push((r.line, r.byte_offset, r.reason));
            }
            for (k, (_, fault, rows, bytes, hit)) in files.iter().enumerate() {
                let account = &delivery.accounts[k];
                let shown = || format!("{}, {fault}, row {hit}:\n{}", form.layout, bytes.escape_ascii().to_string().replace("\\n", "\n"));
                assert_eq!(account.layout, form.layout, "{}", shown());
                let found = came(form, account, &fixes[k], std::mem::take(&mut rejects[k]));
                let texts: Texts = rows.iter().map(|d| (form.line(d).into_bytes(), d)).collect();
                let (mut wanted, innocent) = must_come(form, bytes, &texts, &rows[*hit]);
                same_but_touched(form, &found, &mut wanted, bytes, &texts, &rows[*hit]);
                assert_eq!(found, wanted, "{}", shown());
                innocents += innocent;
                hit_and_kept += found.fixes.len() + found.duplicates as usize - innocent;
                // A fault costs the line that it stands in, the other half of a line that it cut, or the line that it joined to it;
                // and where a row ends in a position also the one before a line that may be its rest.
                let lost = rows.len().saturating_sub(innocent);
                assert!(lost <= 2 || *fault == "cut", "{lost} rows: {}", shown());
                // No position is made, but from a flipped digit, and from another text.
                let drawn_at: BTreeSet<(i32, i32)> = rows.iter().map(|d| form.canon(d, 0)).map(|c| (c.lat_e7, c.lon_e7)).collect();
                let made = found.fixes.iter().filter(|c| !drawn_at.contains(&(c.lat_e7, c.lon_e7))).count();
                assert!(made == 0 || fault.starts_with("flipped") || *fault == "another text", "a position was made: {}", shown());
            }
        }
        assert_eq!(seen.len(), FAULTS.len(), "a fault that is never drawn says nothing");
        assert!(innocents > FILES * 8 && hit_and_kept > FILES / 20, "{}: {innocents} innocent rows, {hit_and_kept} hit and kept", form.layout);
    }
    let told: BTreeSet<&str> = forms().iter().map(|f| f.layout).collect();
    assert_eq!(told, KNOWN.iter().map(|k| k.name).collect(), "every layout has its form here");
    assert_eq!(forms()[0].header(), LEGACY.join(","));
}

/// Sentences: one of them, or its TAG block, is hit. A checksum covers both, so that what is taken is what was sent.
#[test]
fn one_fault_costs_one_sentence_at_most() {
    let mut touched = 0;
    for batch in 0..FILES / TOGETHER {
        let mut dice = Dice(batch as u64);
        let files: Vec<_> = (0..TOGETHER)
            .map(|k| {
                let rows = drawn(&mut dice);
                let mut lines: Vec<String> = rows
                    .iter()
                    .map(|d| {
                        let at = RawPosition {
                            message: 1,
                            mmsi: d.ship.mmsi,
                            status: 0,
                            sog: d.sog.into(),
                            lat: d.lat * 6,
                            lon: d.lon * 6,
                            cog: d.cog.into(),
                            heading: d.heading.into(),
                        };
                        tagged(&format!("c:{}", DAY_MS / 1000 + d.second), &at.message().sentence())
                    })
                    .collect();
                let said =
                    RawStatic { mmsi: 636_000_001, imo: 0, call_sign: "A8".into(), name: "TWO PARTS".into(), ship_type: 80, size_m: [9; 4], draught_dm: 75 };
                lines.extend(said.class_a().sentences(2, Some(3), 'A').iter().map(|s| tagged("c:1577836800", s)));
                let whole: Vec<Vec<u8>> = lines.iter().map(|l| format!("{l}\r\n").into_bytes()).collect();
                let (hit, mut bytes) = (dice.below(whole.len()), whole.concat());
                let begin = whole[..hit].concat().len();
                let at = begin + dice.below(whole[hit].len());
                match k % 8 {
                    0 => bytes.insert(at, b','),
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, *dice.pick(b"\"\\!$*")),
                    3 => bytes.insert(at, 0),
                    4 => bytes.insert(at, 0xff),
                    5 => bytes.insert(at, b'\n'),
                    6 => bytes.truncate(at),
                    _ => bytes[at] ^= 1 << dice.below(8),
                }
                (format!("{k:03}.nmea"), rows, whole, bytes)
            })
            .collect();
        let named: Vec<(&str, &[u8])> = files.iter().map(|(name, _, _, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let delivery = read_with(&named, &lenient());
        // A file that is cut within its first line is no stream of sentences any more.
        let mut accounts = delivery.accounts.iter().zip(canon_by_file(&delivery));
        for (name, rows, whole, bytes) in &files {
            if delivery.refused.iter().any(|e| e.to_string().contains(name.as_str())) {
                assert!(bytes.len() < whole[0].len() + 2, "a whole file was refused:\n{}", bytes.escape_ascii());
                continue;
            }
            let (account, fixes) = accounts.next().expect("an account");
            let shown = || bytes.escape_ascii().to_string().replace("\\n", "\n");
            let said = |c: &Canon| (c.mmsi, c.t_ms, c.lat_e7, c.lon_e7, c.sog, c.cog, c.heading);
            let sent: Vec<_> = rows
                .iter()
                .map(|d| {
                    (
                        d.ship.mmsi,
                        DAY_MS + d.second * 1000,
                        d.lat * 100,
                        if d.lon == 18_000_000 { -1_800_000_000 } else { d.lon * 100 },
                        Some(d.sog),
                        Some(d.cog),
                        Some(d.heading),
                    )
                })
                .collect();
            let found: Vec<_> = fixes.iter().map(said).collect();
            assert!(found.iter().all(|f| sent.contains(f)), "something was read that was not sent:\n{}", shown());
            let lines: BTreeSet<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
            let mut lost = 0;
            for (row, line) in sent.iter().zip(whole) {
                let innocent = lines.contains(line.as_slice());
                assert!(!innocent || found.contains(row), "an innocent sentence was lost:\n{}", shown());
                lost += usize::from(!found.contains(row));
            }
            touched += lost;
            assert!(account.rows as usize + 2 >= fixes.len() && account.balances(), "{}", shown());
        }
    }
    assert!(touched > FILES / 2);
}

/// Finnish JSON: whatever is hit, a feature that was left as it was is delivered, and no position is read that was not written.
#[test]
fn one_fault_costs_one_feature_at_most() {
    let mut lost_in_all = 0;
    for batch in 0..FILES / TOGETHER {
        let mut dice = Dice(batch as u64);
        let files: Vec<_> = (0..TOGETHER)
            .map(|k| {
                let rows = drawn(&mut dice);
                let features: Vec<Vec<u8>> = rows.iter().map(|d| feature(d).into_bytes()).collect();
                let head = *dice.pick(&[r#"{"type":"FeatureCollection","dataUpdatedTime":"2020-01-01T00:00:00Z","features":["#, "{\"features\" : [\n", ""]);
                let (between, tail) = if head.is_empty() { ("\n", "\n") } else { (*dice.pick(&[",", ",\n  "]), "]}\n") };
                let mut bytes = [head.as_bytes(), &features.join(between.as_bytes()), tail.as_bytes()].concat();
                let at = head.len() + dice.below(bytes.len() - head.len() - tail.len());
                // A name that says what it is must not be hit in all files: the first feature is left alone.
                let at = at.max(head.len() + features[0].len());
                // A list that is cut is refused by name: that has a test of its own.
                let fault = if k % 10 == 7 && !head.is_empty() { 9 } else { k % 10 };
                match fault {
                    0 => bytes.insert(at, *dice.pick(b",:;")),
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b'"'),
                    3 => bytes.insert(at, *dice.pick(b"{}[]")),
                    4 => bytes.insert(at, 0),
                    5 => bytes.insert(at, 0xff),
                    6 => bytes.insert(at, b'\n'),
                    7 => bytes.truncate(at),
                    8 => bytes.insert(at, b'\\'),
                    _ => bytes[at] ^= 1 << dice.below(8),
                }
                (format!("{k:03}.json"), fault, rows, features, bytes)
            })
            .collect();
        let named: Vec<(&str, &[u8])> = files.iter().map(|(name, .., bytes)| (name.as_str(), bytes.as_slice())).collect();
        let delivery = read_with(&named, &lenient());
        assert!(delivery.refused.is_empty(), "a whole file was refused: {:?}", delivery.refused);
        let found_by_file = canon_by_file(&delivery);
        for (k, (_, fault, rows, features, bytes)) in files.iter().enumerate() {
            let (account, shown) = (&delivery.accounts[k], || String::from_utf8_lossy(bytes).replace("},{\"mmsi", "},\n{\"mmsi"));
            let place = |c: &Canon| (c.mmsi, c.t_ms, c.lat_e7, c.lon_e7);
            let found: Vec<_> = found_by_file[k].iter().map(place).collect();
            let drawn_at: Vec<_> = rows.iter().map(Drawn::place).collect();
            let mut lost = 0;
            for (row, text) in drawn_at.iter().zip(features) {
                let innocent = memchr::memmem::find(bytes, text).is_some();
                assert!(!innocent || found.contains(row), "fault {fault}: an innocent feature was lost: {row:?}\n{}", shown());
                lost += usize::from(!found.contains(row));
            }
            // A digit that was dropped or flipped makes another number, and nobody can see it; nothing else does.
            let made = found.iter().filter(|f| !drawn_at.contains(f)).count();
            assert!(made == 0 || matches!(fault, 1 | 9), "fault {fault}: something was read that was not written:\n{}", shown());
            assert!(*fault == 7 || (lost <= 2 && account.rejected_total() <= 2), "fault {fault}: {account:?}\n{}", shown());
            assert!(account.rejected_total() > 0 || *fault == 7 || lost == made, "fault {fault}: lost without a word\n{}", shown());
            lost_in_all += lost;
        }
    }
    assert!(lost_in_all > FILES / 2, "{lost_in_all}");
}

/// A row as Digitraffic writes it.
fn feature(d: &Drawn) -> String {
    format!(
        r#"{{"mmsi":{0},"type":"Feature","geometry":{{"type":"Point","coordinates":[{1},{2}]}},"properties":{{"mmsi":{0},"sog":{3},"cog":{4},"navStat":{5},"rot":0,"posAcc":true,"raim":false,"heading":{6},"timestamp":{7},"timestampExternal":{8}}}}}"#,
        d.ship.mmsi,
        decimal(d.lon.into(), 5),
        decimal(d.lat.into(), 5),
        decimal(d.sog.into(), 1),
        decimal(d.cog.into(), 1),
        STATUS[d.status].0,
        d.heading,
        d.second % 60,
        DAY_MS + d.second * 1000
    )
}
