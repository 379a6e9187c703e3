//! One ship, one moment, in every layout: the same fix whoever wrote it down. And the real samples, counted another way.

use crate::cli::{Scratch, run};
use crate::ingest::{Canon, canon, read_one};
use crate::nmea_encode::{RawPosition, RawStatic, tagged};
use alongside::ingest::nmea::{Decoder, Outcome};
use alongside::ingest::{self, Limits, row};
use alongside::model::{AisClass, FileAccount, Mmsi, Particulars, RejectReason, time};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const T: &str = "2026-04-26T00:00:09";

/// The ship that all layouts speak of.
fn expected() -> Canon {
    Canon {
        mmsi: 219_000_001,
        t_ms: time::day_start_ms(time::parse_day("2026-04-26").expect("a day")) + 9_000,
        lat_e7: 569_126_000,
        lon_e7: 77_507_830,
        sog: Some(119),
        cog: Some(340),
        heading: Some(32),
        status: Some(0),
        said: Particulars {
            name: "EXAMPLE".into(),
            imo: 9_074_729,
            call_sign: "OXAB2".into(),
            ship_type: 80,
            length_dm: 1830,
            beam_dm: 320,
            draught_dm: 75,
            cargo: 0,
            class: AisClass::A,
            to_bow_m: 149,
            to_stern_m: 34,
            to_port_m: 10,
            to_starboard_m: 22,
        },
        line: 2,
    }
}

/// Layout, file of one row, and which of name, IMO number, call sign, type, size, draught, class and antenna it tells.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    let dma = "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,Ship type,Cargo type,Width,Length,\
               Type of position fixing device,Draught,Destination,ETA,Data source type";
    let dma_row = "26/04/2026 00:00:09,Class A,219000001,56.912600,7.750783,Under way using engine,0.0,11.9,34.0,32,9074729,OXAB2,EXAMPLE,Tanker,,";
    let dma_rest = "GPS,7.5,GDANSK,26/04/2026 12:00:00,AIS";
    let hub = "MMSI,TIME,LONGITUDE,LATITUDE,COG,SOG,HEADING,ROT,NAVSTAT,IMO,NAME,CALLSIGN,TYPE,A,B,C,D,DRAUGHT,DEST,ETA";
    let earth = "mmsi,imo,vessel_name,callsign,vessel_type,vessel_type_code,vessel_type_cargo,vessel_class,length,width,draught,longitude,latitude,sog,cog,rot,heading,\
                 nav_status,nav_status_code,source,ts_pos_utc,dt_pos_utc";
    vec![
        (
            "marinecadastre",
            format!("{}\n219000001,{T},56.9126,7.750783,11.9,34.0,32.0,EXAMPLE,IMO9074729,OXAB2,80,0.0,183.0,32.0,7.5,,A\n", crate::ingest::LEGACY.join(",")),
            "nictsdk",
        ),
        (
            "marinecadastre",
            format!("{}\n219000001;{T};56.9126;7.750783;11.9;34.0;32.0;EXAMPLE;IMO9074729;OXAB2;80;under way using engine;183.0;32.0;7.5;;A\n", crate::ingest::LEGACY.join(";")),
            "nictsdk",
        ),
        ("dma", format!("{dma}\n{dma_row}32,183,{dma_rest}\n"), "nictsdk"),
        // By their description C is the way to starboard.
        ("dma", format!("{dma},A,B,C,D\n{dma_row}32,183,{dma_rest},149,34,22,10\n"), "nictsdka"),
        ("dma", format!("{dma},A,B,C,D\n{dma_row},,{dma_rest},149,34,22,10\n"), "nictsdka"),
        ("dma", format!("{dma},A,B,C,D\n{dma_row}32,183,{dma_rest},149,34,22,\n"), "nictsdk"),
        ("dma", format!("{dma},A,B,C,D\n{dma_row}32,183,{dma_rest},,,,\n"), "nictsdk"),
        (
            "kystverket",
            "date_time_utc,mmsi,longitude,latitude,status,course_over_ground,true_heading,speed_over_ground,rate_of_turn,maneuvre,data_source,ais_class,msg_type\n\
             2026-04-26 00:00:09.000000+00:00,219000001,7.750783,56.9126,0,34.0,32,11.9,0,0,1,A,1\n"
                .into(),
            "k",
        ),
        (
            "kystverket",
            "Unnamed: 0;mmsi;date_time_utc;sog;cog;true_heading;nav_status;calc_speed;lon;lat\n1;219000001;2026-04-26 00:00:09;11.9;34.0;32;0;7.6;7.750783;56.9126\n".into(),
            "",
        ),
        (
            "brest",
            "sourcemmsi,navigationalstatus,rateofturn,speedoverground,courseoverground,trueheading,lon,lat,t\n219000001,0,-127,11.9,34.0,32,7.750783,56.9126,1777161609\n".into(),
            "",
        ),
        (
            "aishub",
            format!("{hub}\n219000001,2026-04-26 00:00:09 GMT,7.750783,56.912600,34.0,11.9,32,0,0,9074729,EXAMPLE,OXAB2,80,149,34,10,22,7.5,GDANSK,04-26 12:00\n"),
            "nictsda",
        ),
        (
            "exactearth",
            format!("{earth}\n219000001,9074729,EXAMPLE,OXAB2,Tanker,80,,A,183,32,7.5,7.750783,56.9126,11.9,34.0,0,32,Under Way Using Engine,0,S-AIS,20260426000009,2026-04-26 00:00:09\n"),
            "nictsdk",
        ),
        // Whichever of the two stands first: the compact one is that of the layout.
        (
            "exactearth",
            "mmsi,dt_pos_utc,ts_pos_utc,longitude,latitude,sog,cog,heading,nav_status_code\n\
             219000001,2026-04-26 00:00:09,20260426000009,7.750783,56.9126,11.9,34.0,32,0\n"
                .into(),
            "",
        ),
        (
            "un-global-platform",
            "mmsi,imo,vessel_name,callsign,vessel_type_code,vessel_class,length,width,draught,longitude,latitude,sog,cog,heading,nav_status_code,dt_pos_utc,source_filename,H3_int_index_0\n\
             219000001,9074729,EXAMPLE,OXAB2,80,A,183,32,7.5,7.750783,56.9126,11.9,34.0,32,0,2026-04-26 00:00:09,x,577\n"
                .into(),
            "nictsdk",
        ),
        (
            "spire",
            "created_at,timestamp,mmsi,msg_type,latitude,longitude,speed,course,heading,rot,imo,name,call_sign,flag,draught,ship_and_cargo_type,length,width,eta,destination,status,maneuver,accuracy,collection_type\n\
             2026-04-26T00:00:41Z,2026-04-26T00:00:09Z,219000001,1,56.9126,7.750783,11.9,34.0,32,0,9074729,EXAMPLE,OXAB2,DK,7.5,80,183,32,,GDANSK,0,0,True,satellite\n"
                .into(),
            "nictsd",
        ),
        (
            "spire",
            "created_at|timestamp|mmsi|latitude|longitude|speed|course|heading|status|ship_and_cargo_type\n\
             2026-04-26 00:00:41 UTC|2026-04-26 00:00:09 UTC|219000001|56.9126|7.750783|11.9|34.0|32|0|\n"
                .into(),
            "",
        ),
    ]
}

#[test]
fn every_layout_tells_the_same_fix() {
    for (layout, text, told) in cases() {
        let delivery = read_one(text.as_bytes());
        assert!(delivery.refused.is_empty(), "{layout}: {:?}", delivery.refused);
        assert_eq!(delivery.accounts[0].layout, layout);
        let mut wanted = expected();
        let said = &mut wanted.said;
        let tells = |c: char| told.contains(c);
        let blank = Particulars::default();
        if !tells('n') {
            said.name = blank.name;
        }
        if !tells('i') {
            said.imo = blank.imo;
        }
        if !tells('c') {
            said.call_sign = blank.call_sign;
        }
        if !tells('t') {
            said.ship_type = blank.ship_type;
        }
        if !tells('s') {
            (said.length_dm, said.beam_dm) = (0, 0);
        }
        if !tells('a') {
            (said.to_bow_m, said.to_stern_m, said.to_port_m, said.to_starboard_m) = (0, 0, 0, 0);
        }
        if !tells('d') {
            said.draught_dm = blank.draught_dm;
        }
        if !tells('k') {
            said.class = blank.class;
        }
        assert_eq!(canon(&delivery), [wanted], "{layout}: {text}");
    }
}

/// Made-up names are ships of their own, above every MMSI, the same in every file; nothing is said of their flags.
#[test]
fn ships_without_their_numbers_can_be_told_apart() {
    let piraeus = read_one(b"t,vessel_id,lon,lat,heading,speed,course\n1777161609000,5a1b,7.750783,56.9126,32,11.9,34.0\n1777161609000,5a1c,7.8,56.9,,0,\n");
    assert_eq!(piraeus.accounts[0].layout, "piraeus");
    let fixes = canon(&piraeus);
    assert_eq!(fixes.len(), 2);
    assert!(fixes.iter().all(|f| Mmsi(f.mmsi).is_made_up() && Mmsi(f.mmsi).mid().is_none()), "{fixes:?}");
    let one = fixes.iter().find(|f| f.line == 2).expect("the first row");
    assert_eq!(Canon { mmsi: 219_000_001, status: Some(0), said: expected().said, ..one.clone() }, expected());
    let gfw = "mmsi,timestamp,distance_from_shore,distance_from_port,speed,course,lat,lon,is_fishing,source\n5a1b,1777161609.0,1.0,2.0,11.9,34.0,56.9126,7.750783,-1.0,x\n";
    let again = canon(&read_one(gfw.as_bytes()));
    assert_eq!((again[0].mmsi, again[0].t_ms, again[0].lat_e7), (one.mmsi, one.t_ms, one.lat_e7));
}

/// The integers of the messages: 1/10000 minute to the nearest 1e-7 degree, tenths as they are.
#[test]
fn raw_units_are_the_layouts_affair() {
    let text = "message_type,mmsi,navigation_status,rate_of_turn,speed_over_ground,longitude,latitude,course_over_ground,true_heading,timeStamp\n\
                3,219000001,0,0,119,4650470,34147560,340,32,2026-04-26T00:00:09Z\n3,219000002,0,0,1023,108600000,54600000,3600,511,2026-04-26T00:00:09Z\n";
    let delivery = read_one(text.as_bytes());
    assert_eq!((delivery.accounts[0].layout.as_str(), delivery.accounts[0].no_position), ("nus", 1));
    let fix = canon(&delivery).remove(0);
    assert_eq!((fix.lat_e7, fix.lon_e7, fix.sog, fix.cog, fix.heading), (569_126_000, 77_507_833, Some(119), Some(340), Some(32)));
    let halves: Vec<_> = [0, 1, -1, 3, 108_600_000, -108_600_000].map(row::e7_of_ten_thousandths).into();
    assert_eq!(halves, [Some(0), Some(17), Some(-17), Some(50), Some(1_810_000_000), Some(-1_810_000_000)]);
}

/// Base stations and aids to navigation are counted as what they are, whatever their number looks like.
#[test]
fn a_station_that_is_no_ship_is_counted_as_what_it_is() {
    let (_, text, _) = cases().into_iter().find(|c| c.0 == "dma").expect("the Danish layout");
    let (head, row) = text.split_once('\n').expect("two lines");
    let as_station = |word: &str, mmsi: &str| row.replace("Class A", word).replace("219000001", mmsi);
    let file = format!("{head}\n{}{}{}{}", as_station("Base Station", "2190064"), as_station("AtoN", "992190001"), as_station("Class A", "2190045"), row);
    let delivery = read_one(file.as_bytes());
    let account = &delivery.accounts[0];
    let counted: Vec<_> = account.not_ships.iter().map(|(k, n)| (*k, *n)).collect();
    assert_eq!(counted, [("aid_to_navigation", 1), ("base_station", 1)]);
    // A ship of class A with a number that is none stays refused.
    assert_eq!((account.rejected_total(), canon(&delivery).len()), (1, 1));
}

/// Dates are read by the layout, never guessed: the day first, and never a month of thirteen.
#[test]
fn a_time_is_read_by_its_layout() {
    let (_, text, _) = cases().into_iter().find(|c| c.0 == "dma").expect("the Danish layout");
    for (time, works) in [
        ("04/12/2026 00:00:09", true),
        ("13/12/2026 00:00:09", true),
        ("12/13/2026 00:00:09", false),
        ("2026-04-26 00:00:09", false),
        ("26/04/2026 24:00:00", false),
        ("26/04/2026T00:00:09", false),
        ("26/4/2026 00:00:09", false),
    ] {
        let delivery = read_one(text.replace("26/04/2026 00:00:09", time).as_bytes());
        assert_eq!(canon(&delivery).len(), usize::from(works), "{time}");
    }
    let brest = |t: &str| format!("sourcemmsi,t,lon,lat\n219000001,{t},7.75,56.91\n");
    for (time, ms) in
        [("1777161609", Some(1_777_161_609_000)), ("1777161609.25", Some(1_777_161_609_250)), ("1777161609000", None), ("17", None), ("-5", None), ("", None)]
    {
        assert_eq!(canon(&read_one(brest(time).as_bytes())).first().map(|f| f.t_ms), ms, "{time}");
    }
}

/// The same, saved in a configuration file under a name.
#[test]
fn a_provider_can_be_saved() {
    let scratch = Scratch::new();
    scratch.put("a.csv", b"Zeit;Schiff;Breite;Laenge;Fahrt;LAT\n26/04/2026 00:00:09;219000001;56.9126;7.750783;11.9;1.0\n");
    let section = "[provider.harbour]\ntime_format = \"day-first\"\nmap = { time = \"zeit\", mmsi = \"Schiff\", lat = \"Breite\", lon = \"Laenge\" }\n";
    scratch.put("a.toml", format!("[gap]\nmin_h = 5\n\n{section}").as_bytes());
    let look = |args: &[&str]| {
        let done = run(&scratch, &[&["inspect", "a.csv", "--json", "--config", "a.toml"], args].concat(), None);
        (done.code, done.stdout, done.stderr)
    };
    let area = |args: &[&str]| {
        let (code, json, err) = look(args);
        assert_eq!((code, err.as_str()), (0, ""));
        serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["area"].clone()
    };
    assert_eq!(area(&["--provider", "harbour"]), serde_json::json!([7.750783, 56.9126, 7.750783, 56.9126]));
    // What is typed lies over what is saved.
    assert_eq!(area(&["--provider", "harbour", "--map", "lat=LAT"]), serde_json::json!([7.750783, 1.0, 7.750783, 1.0]));
    let (_, json, _) = look(&["--provider", "harbour", "--time-format", "iso"]);
    assert!(json.contains("\"bad_time\": 1"), "{json}");
    // `detect` takes both the parameters and the provider from it; a provider changes no hash.
    for (out, config) in [("with", format!("[gap]\nmin_h = 5\n\n{section}")), ("without", "[gap]\nmin_h = 5\n".to_owned())] {
        scratch.put("b.toml", config.as_bytes());
        let provider = if out == "with" { "harbour" } else { "auto" };
        let by_hand = ["--map", "time=zeit", "--map", "mmsi=Schiff", "--map", "lat=Breite", "--map", "lon=Laenge", "--time-format", "day-first"];
        let args = [&["detect", "a.csv", "-o", out, "--config", "b.toml", "--provider", provider][..], if out == "with" { &[] } else { &by_hand }].concat();
        let done = run(&scratch, &args, None);
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
    let manifests = ["with", "without"].map(|out| serde_json::from_slice::<serde_json::Value>(&scratch.read(&format!("{out}/manifest.json"))).expect("JSON"));
    for key in ["detection_hash", "configuration_hash", "configuration", "vessels"] {
        assert_eq!(manifests[0][key], manifests[1][key], "{key}");
    }
    assert_eq!(manifests[0]["inputs"][0]["positions"], 1);
    // Raw units, and the columns of a layout that is known.
    scratch.put("a.csv", b"MMSI,WANN,LONGITUDE,LATITUDE,NAVSTAT,TIME\n219000001,1777161609,4650470,34147560,0,x\n");
    scratch.put("a.toml", b"[provider.hub]\nbase = \"aishub\"\nunits = \"raw\"\ntime_format = \"epoch-s\"\nmap.time = \"Wann\"\n");
    assert_eq!(area(&["--provider", "hub"]), serde_json::json!([7.7507833, 56.9126, 7.7507833, 56.9126]));
    // What is wrong is said with what was meant, whether the provider is asked for or not.
    let cases: &[(&str, &str, &str)] = &[
        (
            "[provider.a]\ntime_from = \"iso\"",
            "no key `provider.a.time_from`; there are map, time_format, units, base",
            "did you mean `provider.a.time_format`?",
        ),
        ("[provider.a]\ntime_format = \"day-frist\"", "is no form of a time; there are iso, day-first", "did you mean `day-first`?"),
        ("[provider.a]\nunits = \"rar\"", "is no kind of units; there are plain, raw", "did you mean `raw`?"),
        ("[provider.a]\nbase = \"dmaa\"", "is no layout; there are alongside, dma, exactearth", "did you mean `dma`?"),
        ("[provider.a]\nmap = { latt = \"x\" }", "no field `latt` in `provider.a.map`; there are mmsi, time, lat", "did you mean `lat`?"),
        ("[provider.a]\nmap = { lat = 5 }", "`provider.a.map.lat` = 5 is no name of a column", "write it as [provider.NAME]"),
        ("[provider.a]\nmap = \"lat\"", "`provider.a.map` is no table", "write it as [provider.NAME]"),
        ("provider = 5", "`provider` is no section", "write it as [provider.NAME]"),
        ("[provider]\na = 5", "`provider.a` is no section", "write it as [provider.NAME]"),
        ("[provider.dma]\nunits = \"raw\"", "has the name of a layout that is known", "give it another name"),
        ("[providers.a]\nunits = \"raw\"", "no parameter `providers.a`", "did you mean `provider`?"),
    ];
    for (text, found, meant) in cases {
        scratch.put("bad.toml", text.as_bytes());
        let done = run(&scratch, &["detect", "a.csv", "-o", "bad", "--config", "bad.toml"], None);
        assert!(done.code == 2 && done.stderr.contains("bad.toml: ") && done.stderr.contains(found) && done.stderr.contains(meant), "{text}: {}", done.stderr);
    }
    for (word, meant) in [("hup", "did you mean `hub`?"), ("denmark", "a section [provider.denmark] in the file of --config saves one")] {
        let (code, _, err) = look(&["--provider", word]);
        assert!(code == 2 && err.contains("exactearth") && err.contains(", hub") && err.contains(meant), "{err}");
    }
    // The example that `config` prints is one, once it is no comment.
    let printed = run(&scratch, &["config"], None).stdout;
    let example =
        printed.split("--provider harbour").nth(1).expect("the example").lines().filter(|l| l.contains(['[', '='])).map(|l| l.trim_start_matches("# "));
    scratch.put("example.toml", example.collect::<Vec<_>>().join("\n").as_bytes());
    let done = run(&scratch, &["inspect", "a.csv", "--config", "example.toml", "--provider", "harbour"], None);
    assert!(done.stderr.contains("no column `"), "{}", done.stderr);
}

/// Real bytes: every row is where an independent count says.
#[test]
fn the_samples_read_as_counted_another_way() {
    let Some(data) = std::env::var_os("ALONGSIDE_DATA").map(PathBuf::from) else {
        println!("skipped: ALONGSIDE_DATA is not set");
        return;
    };
    let read = |name: &str| std::fs::read_to_string(data.join("samples").join(name)).expect("a sample");
    // Danish: no field of this sample is quoted around a comma but two, whose first fourteen columns are plain.
    let text = read("dma_aisdk_2026-04-26_head.csv");
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split(',').collect()).collect();
    let account = read_one(text.as_bytes()).accounts.remove(0);
    let count = |f: &dyn Fn(&Vec<&str>) -> bool| rows.iter().filter(|r| f(r)).count() as u64;
    let is_ship = |r: &Vec<&str>| r[1].starts_with("Class");
    let is_valid = |r: &Vec<&str>| is_ship(r) && r[2].len() == 9;
    let nowhere = |r: &Vec<&str>| is_valid(r) && (r[3].starts_with("91.0") || r[4].starts_with("181.0"));
    assert_eq!((account.layout.as_str(), account.rows), ("dma", 19_999));
    assert_eq!(account.not_ships["base_station"], count(&|r| r[1] == "Base Station"));
    assert_eq!(account.not_ships["aid_to_navigation"], count(&|r| r[1] == "AtoN"));
    assert_eq!(account.rejected_total(), count(&|r| is_ship(r) && r[2].len() != 9));
    assert_eq!(account.no_position, count(&nowhere));
    // Repeats of a whole line are duplicates; rows that differ only in columns that are not read may be, too.
    let lines: BTreeSet<&str> = text.lines().skip(1).collect();
    assert!(account.duplicates >= (rows.len() - lines.len()) as u64 / 2 && account.positions + account.duplicates == count(&is_valid) - count(&nowhere));

    let text = read("kystverket_semicolon.csv");
    let account = read_one(text.as_bytes()).accounts.remove(0);
    assert_eq!((account.layout.as_str(), account.rows, account.positions + account.duplicates), ("kystverket", text.lines().count() as u64 - 1, 1090));

    let text = read("piraeus_like.csv");
    let delivery = read_one(text.as_bytes());
    let ids: BTreeSet<&str> = text.lines().skip(1).filter_map(|l| l.split(',').nth(2)).collect();
    let found: BTreeSet<u32> = canon(&delivery).iter().map(|f| f.mmsi).collect();
    assert_eq!((delivery.accounts[0].layout.as_str(), delivery.accounts[0].rows, found.len()), ("piraeus", 14_720, ids.len()));

    let text = read("marinecadastre_2023_17_columns.csv");
    let account = read_one(text.as_bytes()).accounts.remove(0);
    let short = text.lines().skip(1).filter(|l| l.split(',').next().is_some_and(|m| m.len() != 9)).count() as u64;
    assert_eq!((account.rows, account.rejected_total(), account.positions), (1000, short, 1000 - short));
}

/// A ship's particulars and its position, as sentences.
fn sentences(name: &str) -> Vec<String> {
    let said =
        RawStatic { mmsi: 219_000_001, imo: 9_074_729, call_sign: "OXAB2".into(), name: name.into(), ship_type: 80, size_m: [149, 34, 10, 22], draught_dm: 75 };
    let at = RawPosition { message: 1, mmsi: 219_000_001, status: 0, sog: 119, lat: 34_147_560, lon: 4_650_470, cog: 340, heading: 32 };
    let mut lines: Vec<String> = said.class_a().sentences(2, Some(3), 'A').iter().map(|s| tagged("c:1777161600", s)).collect();
    lines.push(tagged("c:1777161609", &at.message().sentence()));
    lines
}

/// Sentences tell what the tables tell; whatever is no position is counted, and found where it stood.
#[test]
fn sentences_tell_the_same_fix() {
    for name in ["EXAMPLE", "EX,AM\"PLE"] {
        let lines = sentences(name);
        let delivery = read_one(lines.join("\r\n").as_bytes());
        let account = &delivery.accounts[0];
        assert_eq!((account.layout.as_str(), account.rows, account.static_only), ("nmea", 2, 1));
        let mut wanted = expected();
        wanted.line = 3;
        wanted.lon_e7 = 77_507_833;
        wanted.said.name = name.into();
        assert_eq!(canon(&delivery), [wanted]);
    }
    // A ship of which nothing else is known yet; a lost half; a broken checksum; comments.
    let [first, _, position] = <[String; 3]>::try_from(sentences("EXAMPLE")).expect("three lines");
    let broken = position.replace("119", "118").replace("!AIVDM", "!AIVDN");
    let text = format!("# a log\n\n{position}\n{first}\n{broken}\n");
    let delivery = read_one(text.as_bytes());
    let account = &delivery.accounts[0];
    assert!(account.balances());
    assert_eq!((account.rows, account.positions, account.malformed()), (3, 1, 1));
    let found: Vec<_> = delivery.rejects.iter().map(|r| (r.line, r.byte_offset, r.reason.key(), r.text.clone())).collect();
    let offset = |k: usize| text.split_inclusive('\n').take(k).map(str::len).sum::<usize>() as u64;
    assert_eq!(found, [(4, offset(3), "orphan_part", first), (5, offset(4), "bad_checksum", broken)]);
    assert_eq!(canon(&delivery)[0].said, Particulars { class: AisClass::A, ..Particulars::default() });
}

/// The ships' positions among sentences, counted by their bits and nothing of ours: types and places of fields as in ITU-R M.1371.
fn positions_by_bits(text: &str) -> u64 {
    let mut parts: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut positions = 0;
    for line in text.lines() {
        let Some((body, sum)) = line.find('!').and_then(|at| line[at + 1..].split_once('*')) else { continue };
        let right = sum.get(..2).and_then(|s| u8::from_str_radix(s, 16).ok()) == Some(body.bytes().fold(0, |x, b| x ^ b));
        let fields: Vec<&str> = body.split(',').collect();
        let (&[_, of, part, group, _, payload, _], true) = (fields.as_slice(), right) else { continue };
        let (of, part): (usize, usize) = (of.parse().expect("a number"), part.parse().expect("a number"));
        let mut whole = payload.to_owned();
        if of > 1 {
            let before = parts.remove(group).filter(|(last, _)| part > 1 && last + 1 == part);
            if part > 1 && before.is_none() {
                continue;
            }
            whole.insert_str(0, &before.unwrap_or_default().1);
            if part < of {
                parts.insert(group, (part, whole));
                continue;
            }
        }
        let six = |c: u8| if c > 88 { c - 56 } else { c - 48 };
        let bits: String = whole.bytes().map(|c| format!("{:06b}", six(c))).collect();
        let number = |from: usize, n: usize| bits.get(from..from + n).and_then(|b| i64::from_str_radix(b, 2).ok());
        let signed = |from: usize, n: usize| number(from, n).map(|v| if v >> (n - 1) == 1 { v - (1 << n) } else { v } as f64);
        let (lon, lat, unit, length) = match number(0, 6) {
            Some(1..=3) => ((61, 28), (89, 27), 600_000.0, 168),
            Some(18) => ((57, 28), (85, 27), 600_000.0, 168),
            Some(19) => ((57, 28), (85, 27), 600_000.0, 312),
            Some(27) => ((44, 18), (62, 17), 600.0, 96),
            _ => continue,
        };
        let is_ship = number(8, 30).is_some_and(|mmsi| (200_000_000..800_000_000).contains(&mmsi));
        let within = |(from, n): (usize, usize), most: f64| signed(from, n).is_some_and(|v| (v / unit).abs() <= most);
        positions += u64::from(is_ship && bits.len() >= length && within(lon, 180.0) && within(lat, 90.0));
    }
    positions
}

/// Every row of the samples is counted, as the decoder counts lines by itself; and positions as their bits say.
#[test]
fn samples_of_sentences_are_counted_by_the_decoder_and_by_their_bits() {
    let Some(data) = std::env::var_os("ALONGSIDE_DATA").map(PathBuf::from) else {
        println!("skipped: ALONGSIDE_DATA is not set");
        return;
    };
    for (name, rows, positions) in [("dma_stream_example.txt", 4051, 2930), ("libais_test.aivdm", 261, 24), ("pyais_nmea_data_sample.txt", 898, 758)] {
        let mut text = String::from_utf8_lossy(&std::fs::read(data.join("samples").join(name)).expect("a sample")).into_owned();
        assert_eq!(positions_by_bits(&text), positions, "{name}");
        if name == "pyais_nmea_data_sample.txt" {
            // Nothing in it has a time; without one, nothing is where.
            let untimed = counted(name, text.as_bytes());
            assert_eq!((untimed.rows, untimed.positions + untimed.duplicates, untimed.rejected[&RejectReason::BadTime]), (rows, 0, positions + 6));
            text = text.lines().enumerate().fold(String::new(), |all, (k, l)| format!("{all}2020-01-01T00:{:02}:{:02}Z {l}\n", k / 60, k % 60));
        }
        let mut decoder = Decoder::new();
        let outcomes: Vec<Outcome> = text.as_bytes().split_inclusive(|b| *b == b'\n').map(|l| decoder.line(l)).collect();
        decoder.finish();
        let lost = std::iter::from_fn(|| decoder.lost()).count() as u64;
        assert_eq!(outcomes.iter().filter(|o| o.is_row()).count() as u64 + lost, rows, "{name}");
        let account = counted(name, text.as_bytes());
        assert!(account.balances(), "{name}");
        assert_eq!((account.layout.as_str(), account.rows, account.positions + account.duplicates), ("nmea", rows, positions), "{name}");
    }
}

/// The account of a file of these bytes.
fn counted(name: &str, bytes: &[u8]) -> FileAccount {
    let scratch = Scratch::new();
    scratch.put(name, bytes);
    let limits = Limits { max_reject_percent: 100.0, stray_share: 0.0, ..Limits::default() };
    ingest::read(&[scratch.path(name)], &limits, &|_| ()).expect("a delivery").accounts.remove(0)
}

/// A table that no layout describes, by the names of its columns; and one whose header is that of another form.
#[test]
fn a_table_can_be_described_by_hand() {
    let scratch = Scratch::new();
    scratch.put("a.csv", b"Zeit;Schiff;Breite;Laenge;Fahrt;LAT\n26/04/2026 00:00:09;219000001;56.9126;7.750783;11.9;1.0\n");
    let by_hand =
        ["--map", "time=zeit", "--map", "mmsi=Schiff", "--map", "lat=Breite", "--map", "lon=Laenge", "--map", "sog=Fahrt", "--time-format", "day-first"];
    let look = |args: &[&str]| {
        let done = run(&scratch, &[&["inspect", "a.csv", "--json"], args].concat(), None);
        (done.code, done.stdout, done.stderr)
    };
    let (code, json, err) = look(&by_hand);
    assert_eq!((code, err.as_str()), (0, ""));
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((report["files"][0]["layout"].as_str(), report["files"][0]["positions"].as_u64()), (Some("mapped"), Some(1)));
    // The column that was named, not the one that the layout would have taken.
    assert_eq!(report["area"], serde_json::json!([7.750783, 56.9126, 7.750783, 56.9126]));
    let (code, _, err) = look(&["--map", "lat=Hoehe"]);
    assert!(code == 3 && err.contains("no column `Hoehe`; found zeit, schiff, breite"), "{err}");
    let (code, _, err) = look(&["--map", "latitude=Breite"]);
    assert!(code == 2 && err.contains("no field `latitude`; there are mmsi, time, lat, lon"), "{err}");
    let (code, _, err) = look(&["--provider", "denmark"]);
    assert!(code == 2 && err.contains("there are auto, alongside, dma, exactearth"), "{err}");
    // AISHub's raw form has the header of the other.
    scratch.put("a.csv", b"MMSI,TIME,LONGITUDE,LATITUDE,COG,SOG,HEADING,NAVSTAT,DRAUGHT\n219000001,1777161609,4650470,34147560,340,119,32,0,75\n");
    let (code, json, _) = look(&["--provider", "aishub-raw"]);
    assert!(code == 0 && json.contains("\"positions\": 1") && json.contains("2026-04-26T00:00:09Z"), "{json}");
    let (_, json, _) = look(&[]);
    assert!(json.contains("\"bad_time\": 1"), "{json}");
}
