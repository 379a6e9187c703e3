//! Raw NMEA: known sentences, round trips, times, parts in every order, hostile bytes, and the accounting over all of them.

use crate::nmea_encode::{Message, RawPosition, RawStatic, pghp, sealed, tagged};
use alongside::ingest::nmea::{Decoder, Lost, MOST_LINES_APART, MOST_MS_APART, Outcome, Position, Reason, Static};
use alongside::model::{AisClass, NULL_STATUS, NULL_U16};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// 2020-01-01T00:00:00Z.
const T_S: i64 = 1_577_836_800;
const T_MS: i64 = T_S * 1000;

fn at(t_s: i64, sentence: &str) -> String {
    tagged(&format!("c:{t_s}"), sentence)
}

fn one(line: &str) -> Outcome {
    Decoder::new().line(line.as_bytes())
}

#[track_caller]
fn position(line: &str) -> Position {
    match one(line) {
        Outcome::Position(p) | Outcome::PositionAndStatic(p, _) => p,
        other => panic!("{line}: {other:?}"),
    }
}

fn ship(mmsi: u32) -> RawPosition {
    RawPosition { message: 1, mmsi, status: 0, sog: 50, lat: 30_000_000, lon: -50_000_000, cog: 900, heading: 91 }
}

fn tanker() -> RawStatic {
    RawStatic {
        mmsi: 351_759_000,
        imo: 9_134_270,
        call_sign: "3FOF8".into(),
        name: "EVER \"DIADEM\"".into(),
        ship_type: 80,
        size_m: [225, 70, 1, 31],
        draught_dm: 122,
    }
}

/// Decodes lines and checks that each is accounted for once.
fn all(lines: &[String]) -> (Vec<Outcome>, Vec<Lost>) {
    let mut decoder = Decoder::new();
    let outcomes: Vec<Outcome> = lines.iter().map(|l| decoder.line(l.as_bytes())).collect();
    decoder.finish();
    let lost: Vec<Lost> = std::iter::from_fn(|| decoder.lost()).collect();
    check_account(&outcomes, &lost, lines);
    (outcomes, lost)
}

#[track_caller]
fn check_account<L: AsRef<[u8]>>(outcomes: &[Outcome], lost: &[Lost], lines: &[L]) {
    let mut seen = std::collections::BTreeSet::new();
    for part in lost {
        let k = part.line as usize - 1;
        assert_eq!(outcomes[k], Outcome::Part, "line {} is lost and was no part", part.line);
        assert_eq!(part.text, lines[k].as_ref().trim_ascii_end(), "line {}", part.line);
        assert!(seen.insert(part.line), "line {} is lost twice", part.line);
    }
}

/// Sentences and decodes from gpsd's `test/sample.aivdm` and its page "AIVDM/AIVDO protocol decoding".
#[test]
fn positions_of_the_gpsd_samples_are_read() {
    // Sentence, MMSI, latitude, longitude, speed, course, heading, status.
    #[rustfmt::skip]
    #[allow(clippy::type_complexity)]
    let table: [(&str, u32, f64, f64, u16, u16, u16, u8); 7] = [
        ("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A", 371_798_000, 48.381_633_333, -123.395_383_333, 123, 2240, 215, 0),
        ("!AIVDM,1,1,,A,16SteH0P00Jt63hHaa6SagvJ087r,0*42", 440_348_000, 43.080_15, -70.7582, 0, 934, NULL_U16, 0),
        ("!AIVDM,1,1,,B,25Cjtd0Oj;Jp7ilG7=UkKBoB0<06,0*60", 356_302_000, 40.392_358_333, -71.626_143_333, 139, 877, 91, 0),
        ("!AIVDM,1,1,,A,38Id705000rRVJhE7cl9n;160000,0*40", 563_808_000, 36.91, -76.327_533_333, 0, 2520, 352, 5),
        ("!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C", 477_553_000, 47.582_833_333, -122.345_833_333, 0, 510, 181, 5),
        ("!AIVDM,1,1,,A,B52K>;h00Fc>jpUlNV@ikwpUoP06,0*4C", 338_087_471, 40.684_54, -74.072_131_667, 1, 796, NULL_U16, NULL_STATUS),
        ("!AIVDM,1,1,,B,C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220,0*0B", 367_059_850, 29.543_695, -88.810_391_667, 87, 3359, NULL_U16, NULL_STATUS),
    ];
    for (sentence, mmsi, lat, lon, sog_dkn, cog_ddeg, heading_deg, status) in table {
        let p = position(&at(T_S, sentence));
        assert_eq!((p.mmsi, p.t_ms, p.sog_dkn, p.cog_ddeg, p.heading_deg, p.status), (mmsi, T_MS, sog_dkn, cog_ddeg, heading_deg, status), "{sentence}");
        assert!((f64::from(p.lat_e7) - lat * 1e7).abs() < 6.0 && (f64::from(p.lon_e7) - lon * 1e7).abs() < 6.0, "{sentence}: {p:?}");
        let class = if status == NULL_STATUS { AisClass::B } else { AisClass::A };
        assert_eq!(p.class, class, "{sentence}");
    }
}

#[test]
fn particulars_of_the_gpsd_samples_are_read() {
    let mut decoder = Decoder::new();
    let mut read = |lines: &[&str]| {
        let last = lines.iter().map(|l| decoder.line(at(T_S, l).as_bytes())).last();
        match last {
            Some(Outcome::Static(s) | Outcome::PositionAndStatic(_, s)) => s,
            other => panic!("{lines:?}: {other:?}"),
        }
    };
    let s = read(&["!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C", "!AIVDM,2,2,1,A,88888888880,2*25"]);
    assert_eq!((s.mmsi, s.imo, s.name.as_str(), s.call_sign.as_str(), s.ship_type), (351_759_000, 9_134_270, "EVER DIADEM", "3FOF8", 70));
    assert_eq!((s.size_m, s.length_dm(), s.beam_dm(), s.draught_dm, s.class), ([225, 70, 1, 31], 2950, 320, 122, AisClass::A));
    let s = read(&["!AIVDM,1,1,,B,C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220,0*0B"]);
    assert_eq!((s.name.as_str(), s.ship_type, s.size_m, s.class), ("CAPT.J.RIMES", 70, [5, 21, 4, 4], AisClass::B));
    let s = read(&["!AIVDM,1,1,,A,H42O55i18tMET00000000000000,2*6D"]);
    assert_eq!((s.mmsi, s.name.as_str(), s.call_sign.as_str()), (271_041_815, "PROGUY", ""));
    let s = read(&["!AIVDM,1,1,,A,H42O55lt0000000D3nink000?050,0*40"]);
    assert_eq!((s.ship_type, s.call_sign.as_str(), s.size_m), (60, "TC6163", [0, 15, 0, 5]));
    let both = decoder.known(271_041_815).copied();
    assert_eq!(both.map(|s| (s.name.as_str().to_owned(), s.ship_type, s.size_m)), Some(("PROGUY".into(), 60, [0, 15, 0, 5])));
}

#[test]
fn a_base_station_tells_its_time_and_dates_no_row() {
    let mut decoder = Decoder::new();
    assert_eq!(decoder.line(b"!AIVDM,1,1,,A,403OviQuMGCqWrRO9>E6fE700@GO,0*4D"), Outcome::NotShip("base_station"));
    // 2007-05-14T19:57:39Z
    assert_eq!(decoder.base_station_ms(), Some(1_179_172_659_000));
    assert_eq!(decoder.line(ship(311_000_001).message().sentence().as_bytes()), Outcome::Reject(Reason::BadTime));
}

#[test]
fn stations_that_are_no_ships_are_told_by_number_and_by_message() {
    let by_number = |mmsi: u32| one(&ship(mmsi).message().sentence());
    for (mmsi, kind) in [
        (2_190_064, "base_station"),
        (21_900_640, "group"),
        (111_219_501, "sar_aircraft"),
        (970_012_345, "beacon"),
        (972_012_345, "beacon"),
        (974_012_345, "beacon"),
        (992_190_934, "aid_to_navigation"),
    ] {
        assert_eq!(by_number(mmsi), Outcome::NotShip(kind), "{mmsi}");
    }
    let by_message = |message: u32, bits: usize| one(&Message::new(message, 311_000_001).padded(bits).sentence());
    assert_eq!(by_message(4, 168), Outcome::NotShip("base_station"));
    assert_eq!(by_message(9, 168), Outcome::NotShip("sar_aircraft"));
    assert_eq!(by_message(21, 272), Outcome::NotShip("aid_to_navigation"));
    for mmsi in [0, 1_193_046, 111_111_111, 123_456_789, 999_999_999] {
        assert_eq!(by_number(mmsi), Outcome::Reject(Reason::DefaultMmsi), "{mmsi}");
    }
    assert_eq!(by_number(1_000_000_000), Outcome::Reject(Reason::BadMmsi));
}

#[test]
fn what_is_not_available_is_null_and_no_position_is_none() {
    let p = |change: fn(&mut RawPosition)| {
        let mut raw = ship(311_000_001);
        change(&mut raw);
        one(&at(T_S, &raw.message().sentence()))
    };
    let read = |change: fn(&mut RawPosition)| match p(change) {
        Outcome::Position(p) => p,
        other => panic!("{other:?}"),
    };
    for (sog, wanted) in [(0, 0), (1021, 1021), (1022, NULL_U16), (1023, NULL_U16)] {
        let raw = RawPosition { sog, ..ship(311_000_001) };
        assert_eq!(position(&at(T_S, &raw.message().sentence())).sog_dkn, wanted);
    }
    assert_eq!(read(|r| r.cog = 3600).cog_ddeg, NULL_U16);
    assert_eq!(read(|r| r.cog = 3599).cog_ddeg, 3599);
    assert_eq!(read(|r| r.cog = 4095).cog_ddeg, NULL_U16);
    assert_eq!(read(|r| r.heading = 511).heading_deg, NULL_U16);
    assert_eq!(read(|r| r.heading = 359).heading_deg, 359);
    assert_eq!(read(|r| r.heading = 360).heading_deg, NULL_U16);
    assert_eq!(read(|r| r.status = 15).status, NULL_STATUS);
    assert_eq!(read(|r| r.lon = 108_000_000).lon_e7, -1_800_000_000);
    assert_eq!(read(|r| r.lat = -54_000_000).lat_e7, -900_000_000);
    let none = Outcome::NoPosition { mmsi: 311_000_001, t_ms: T_MS };
    assert_eq!(p(|r| r.lat = 54_600_000), none);
    assert_eq!(p(|r| r.lon = 108_600_000), none);
    assert_eq!(p(|r| (r.lat, r.lon) = (0, 0)), none);
    assert_eq!(p(|r| r.lat = 54_000_001), Outcome::Reject(Reason::PositionOffGlobe));
    assert_eq!(p(|r| r.lon = -108_000_001), Outcome::Reject(Reason::PositionOffGlobe));
}

#[test]
fn the_long_range_message_has_its_own_units() {
    let raw = RawPosition { message: 27, mmsi: 311_000_001, status: 3, sog: 17, lat: -12_345, lon: 71_234, cog: 359, heading: 0 };
    let p = position(&at(T_S, &raw.message().sentence()));
    assert_eq!((p.message, p.lat_e7, p.lon_e7, p.sog_dkn, p.cog_ddeg, p.heading_deg), (27, -205_750_000, 1_187_233_333, 170, 3590, NULL_U16));
    assert_eq!((p.status, p.class), (3, AisClass::Unknown));
    let raw = RawPosition { sog: 63, cog: 511, ..raw };
    let p = position(&at(T_S, &raw.message().sentence()));
    assert_eq!((p.sog_dkn, p.cog_ddeg), (NULL_U16, NULL_U16));
    let raw = RawPosition { lat: 54_600, lon: 108_600, ..raw };
    assert_eq!(one(&at(T_S, &raw.message().sentence())), Outcome::NoPosition { mmsi: 311_000_001, t_ms: T_MS });
}

#[test]
fn an_auxiliary_craft_names_its_mothership() {
    let message = Message::new(24, 982_190_001).with(1, 2).with(36, 8).text("", 7).text("TENDER1", 7).with(219_000_777, 30).padded(168);
    match one(&at(T_S, &message.sentence())) {
        Outcome::Static(s) => assert_eq!((s.mothership, s.size_m, s.call_sign.as_str()), (219_000_777, [0; 4], "TENDER1")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_time_is_found_wherever_it_is_written() {
    let s = ship(311_000_001).message().sentence();
    let half = T_MS + 500;
    let table: Vec<(String, i64)> = vec![
        (tagged("c:1577836800", &s), T_MS),
        (tagged("c:1577836800500", &s), half),
        (tagged("s:station,c:1577836800.5,n:7", &s), half),
        (tagged("s:rORBCOMM000,q:u,T:2020-01-01 00.00.00", &s), T_MS),
        (tagged("s:one", &tagged("c:1577836800", &s)), T_MS),
        // The time of receiving, not that of the archive.
        (format!("1577836892{}", tagged("s:VENDOR,q:u,c:1577836800", &s)), T_MS),
        (format!("1577836800 {s}"), T_MS),
        (format!("1577836800.5,{s}"), half),
        (format!("1577836800500\t{s}"), half),
        (format!("2020-01-01T00:00:00Z {s}"), T_MS),
        (format!("[2020-01-01 00:00:00.500] {s}"), half),
        (format!("2020-01-01T01:00:00+01:00,{s}"), T_MS),
        (format!("20200101000000 {s}"), T_MS),
        (format!("2020-01-01T00:00:00Z receiver-1 {s}"), T_MS),
        (format!("{s},1577836800"), T_MS),
        (format!("{s},b003669794,1577836800"), T_MS),
        (format!("{s},d-093,S2212,t235959.00,T59.00339837,r09STOL1,1577836800\r\n"), T_MS),
        (format!("{s} 2020-01-01T00:00:00Z"), T_MS),
    ];
    for (line, t_ms) in table {
        assert_eq!(position(&line).t_ms, t_ms, "{line}");
    }
    for line in [
        s.clone(),
        format!("{s},12724149"),
        tagged("c:12724149", &s),
        tagged("c:99999999999", &s),
        tagged("c:-5", &s),
        tagged("s:station", &s),
        // A bad time is not mended with a worse one.
        format!("1577836800{}", tagged("c:0", &s)),
        format!("2020-02-30T00:00:00Z {s}"),
    ] {
        assert_eq!(one(&line), Outcome::Reject(Reason::BadTime), "{line}");
    }
    assert_eq!(position(&format!("2024-02-29T23:59:60Z {s}")).t_ms, 1_709_251_200_000);
}

#[test]
fn a_time_line_belongs_to_the_message_it_was_written_for() {
    let s = ship(311_000_001).message().sentences(1, None, 'A');
    let clock = pghp([2020, 1, 1, 0, 0, 0, 250], &s);
    let (out, _) = all(&[clock.clone(), s[0].clone(), s[0].clone()]);
    assert!(matches!(out[1], Outcome::Position(p) if p.t_ms == T_MS + 250), "{out:?}");
    assert_eq!(out[2], Outcome::Reject(Reason::BadTime), "it holds for one message");
    // Its own message was lost: the next must not have its time.
    let other = ship(311_000_002).message().sentence();
    assert_eq!(all(&[clock.clone(), other.clone()]).0[1], Outcome::Reject(Reason::BadTime));
    // The time of the sentence itself goes first.
    let (out, _) = all(&[clock.clone(), at(T_S + 9, &s[0])]);
    assert!(matches!(out[1], Outcome::Position(p) if p.t_ms == T_MS + 9000), "{out:?}");
    // Zero stands for no checksum.
    let (out, _) = all(&[pghp([2020, 1, 1, 0, 0, 0, 250], &[]), other]);
    assert!(matches!(out[1], Outcome::Position(p) if p.t_ms == T_MS + 250), "{out:?}");
    // Of several sentences, the exclusive or.
    let parts = tanker().class_a().sentences(2, Some(1), 'A');
    let (out, _) = all(&[pghp([2020, 1, 1, 0, 0, 0, 250], &parts), parts[0].clone(), parts[1].clone()]);
    assert!(matches!(out[2], Outcome::Static(s) if s.t_ms == T_MS + 250), "{out:?}");
    let broken = clock.replace("2020", "2021");
    let (out, _) = all(&[broken, s[0].clone()]);
    assert_eq!(out, [Outcome::Reject(Reason::BadChecksum), Outcome::Reject(Reason::BadTime)]);
    let (out, _) = all(&[sealed('$', "PGHP,1,2020,13,1,0,0,0,0,219,,1,1,00"), s[0].clone()]);
    assert_eq!(out, [Outcome::Reject(Reason::BadTime), Outcome::Reject(Reason::BadTime)]);
}

#[test]
fn every_fault_has_its_reason() {
    let s = ship(311_000_001).message().sentence();
    let body = |text: &str| at(T_S, &sealed('!', text));
    let payload = ship(311_000_001).message().payload().0;
    for (line, reason) in [
        (at(T_S, &s.replace("*", "*0")), Reason::BadChecksum),
        (at(T_S, s.split('*').next().unwrap()), Reason::BadChecksum),
        (at(T_S, &s).replace("c:15", "c:16"), Reason::BadChecksum),
        (format!("\\c:1577836800\\{s}"), Reason::BadChecksum),
        ("no sentence".into(), Reason::BadSentence),
        ("\\c:1577836800".into(), Reason::BadSentence),
        (body("AIVDM,1,2,,A,1,0"), Reason::BadSentence),
        (body("AIVDM,0,0,,A,1,0"), Reason::BadSentence),
        (body(&format!("AIVDM,1,1,,A,{payload}")), Reason::BadSentence),
        (body(&format!("AIVDM,1,1,,A,{payload},6")), Reason::BadSentence),
        (body(&format!("AIVDM,1,1,,A,{payload},0,9")), Reason::BadSentence),
        (body(&format!("AIVDM,1,1,,A,{payload},0,0")), Reason::BadPayload),
        (body("AIVDM,1,1,,A,,0"), Reason::EmptyPayload),
        (body("AIVDM,1,1,,A,1,0"), Reason::BadPayload),
        (body(&format!("AIVDM,1,1,,A,{payload}0,0")), Reason::BadPayload),
        (body(&format!("AIVDM,1,1,,A,{},0", &payload[1..])), Reason::BadPayload),
        (body(&format!("AIVDM,1,1,,A,{}x,0", &payload[..27])), Reason::BadPayload),
        (body(&format!("AIVDM,1,1,,A,{}~,0", &payload[..27])), Reason::BadPayload),
        (body(&format!("AIVDM,1,1,,A,{payload}{},0", "0".repeat(400))), Reason::BadPayload),
        (format!("{}{s}", " ".repeat(2000)), Reason::BadSentence),
        (at(T_S, &Message::new(27, 311_000_001).padded(108).sentence()), Reason::BadPayload),
        (sealed('$', "AITXT,01,01,70,Leave").replace('L', "l"), Reason::BadChecksum),
        (at(T_S, &Message::new(8, 311_000_001).padded(200).sentence()), Reason::UnsupportedType),
        (at(T_S, &tanker().class_a().sentences(2, Some(3), 'A')[1]), Reason::OrphanPart),
    ] {
        let (out, lost) = all(std::slice::from_ref(&line));
        let found = if lost.is_empty() { out[0] } else { Outcome::Reject(Reason::OrphanPart) };
        assert_eq!(found, Outcome::Reject(reason), "{line}");
    }
    for line in ["", "\r\n", "# a comment with !AIVDM in it", "$GPRMC,no,checksum", &sealed('$', "AITXT,01,01,70,Leave"), &tagged("c:1577836800", "")] {
        assert_eq!(one(line), Outcome::Other, "{line}");
    }
    for talker in ["AB", "BS", "AN", "SA", "--"] {
        let line = at(T_S, &sealed('!', &format!("{talker}VDO,1,1,,,{payload},0")));
        assert_eq!(position(&line).mmsi, 311_000_001, "{line}");
    }
    assert_eq!(
        position(&at(T_S, &s.to_lowercase().replace("aivdm", "AIVDM").replace(&payload.to_lowercase(), &payload).replace(",a,", ",A,"))).mmsi,
        311_000_001
    );
}

fn parts_at(raw: &RawStatic, total: usize, sequence: u8, t_s: i64) -> Vec<String> {
    raw.class_a().sentences(total, Some(sequence), 'A').iter().map(|l| at(t_s, l)).collect()
}

/// The same, in a TAG group.
fn group_at(raw: &RawStatic, total: usize, group: u32, t_s: i64) -> Vec<String> {
    let lines = raw.class_a().sentences(total, Some(1), 'A');
    lines.iter().enumerate().map(|(k, l)| tagged(&format!("g:{}-{total}-{group},c:{t_s}", k + 1), l)).collect()
}

fn statics(outcomes: &[Outcome]) -> Vec<Static> {
    outcomes.iter().filter_map(|o| if let Outcome::Static(s) = o { Some(*s) } else { None }).collect()
}

#[test]
fn parts_of_a_group_come_in_any_order_and_between_others() {
    let (a, b) = (tanker(), RawStatic { mmsi: 219_000_001, name: "OTHER".into(), ..tanker() });
    let (x, y) = (group_at(&a, 3, 1, T_S), group_at(&b, 3, 2, T_S));
    let plain = at(T_S, &ship(311_000_001).message().sentence());
    let lines = [&x[2], &plain, &y[0], &x[0], &y[2], &plain, &y[1], &x[1]].map(String::clone);
    let (out, lost) = all(&lines);
    let names: Vec<_> = statics(&out).iter().map(|s| (s.mmsi, s.name.as_str().to_owned())).collect();
    assert_eq!((names, lost.len()), (vec![(219_000_001, "OTHER".into()), (351_759_000, "EVER \"DIADEM\"".into())], 0));
}

#[test]
fn parts_without_a_group_come_in_order_and_between_others() {
    let (x, y) = (parts_at(&tanker(), 3, 1, T_S), parts_at(&RawStatic { mmsi: 219_000_001, ..tanker() }, 3, 2, T_S));
    let plain = at(T_S, &ship(311_000_001).message().sentence());
    let (out, lost) = all(&[&x[0], &plain, &y[0], &x[1], &y[1], &plain, &y[2], &x[2]].map(String::clone));
    assert_eq!((statics(&out).len(), lost.len()), (2, 0), "{out:?}");
    let (out, lost) = all(&[&x[1], &x[0], &x[2]].map(String::clone));
    let orphan = Outcome::Reject(Reason::OrphanPart);
    assert_eq!((out, lost.len()), (vec![orphan, Outcome::Part, orphan], 1));
}

#[test]
fn a_missing_part_is_counted_and_nothing_is_made_of_the_rest() {
    let x = parts_at(&tanker(), 2, 1, T_S);
    let (out, lost) = all(&[x[0].clone()]);
    assert_eq!((out, lost.len(), lost[0].line), (vec![Outcome::Part], 1, 1));
    // Too many lines, or too much time, between the two.
    let mut lines = vec![x[0].clone()];
    lines.extend((0..MOST_LINES_APART).map(|_| "#".to_owned()));
    lines.push(x[1].clone());
    let (out, lost) = all(&lines);
    assert_eq!((out.last(), lost.len()), (Some(&Outcome::Reject(Reason::OrphanPart)), 1));
    lines.remove(1);
    assert_eq!(statics(&all(&lines).0).len(), 1);
    let late = parts_at(&tanker(), 2, 1, T_S + MOST_MS_APART / 1000 + 1);
    let (out, lost) = all(&[x[0].clone(), late[1].clone()]);
    assert_eq!((out[1], lost.len()), (Outcome::Reject(Reason::OrphanPart), 1));
}

#[test]
fn a_repeated_part_does_no_harm() {
    let x = parts_at(&tanker(), 2, 1, T_S);
    let orphan = Outcome::Reject(Reason::OrphanPart);
    let (out, lost) = all(&[&x[0], &x[0], &x[1], &x[1]].map(String::clone));
    assert_eq!((statics(&out).len(), out[1], out[3], lost.len()), (1, orphan, orphan, 0));
    // The second copy's last part does not fall to the next message.
    let y = parts_at(&RawStatic { mmsi: 219_000_001, ship_type: 70, ..tanker() }, 2, 1, T_S);
    let (out, _) = all(&[&x[0], &x[0], &x[1], &y[0], &x[1], &y[1]].map(String::clone));
    assert_eq!(statics(&out).iter().map(|s| s.mmsi).collect::<Vec<_>>(), [351_759_000]);
}

#[test]
fn parts_that_cannot_be_told_apart_make_no_message() {
    let (x, y) = (parts_at(&tanker(), 2, 1, T_S), parts_at(&RawStatic { mmsi: 219_000_001, ..tanker() }, 2, 1, T_S));
    let (out, _) = all(&[x[0].clone(), y[0].clone(), x[1].clone(), y[1].clone()]);
    assert!(statics(&out).is_empty(), "{out:?}");
    // A loss costs the next message too where it comes soon.
    let (out, lost) = all(&[&x[0], &y[0], &y[1]].map(String::clone));
    assert_eq!((statics(&out).len(), lost.len()), (0, 2), "{out:?}");
    let later = parts_at(&tanker(), 2, 1, T_S + MOST_MS_APART / 1000 + 1);
    let (out, lost) = all(&[&x[0], &later[0], &later[1]].map(String::clone));
    assert_eq!((statics(&out).len(), lost.len()), (1, 1), "{out:?}");
    // Stations, groups and channels tell them apart.
    let by = |tag: &str, raw: &RawStatic, channel: char| -> Vec<String> {
        let sentences = raw.class_a().sentences(2, Some(1), channel);
        sentences.iter().enumerate().map(|(k, l)| tagged(&tag.replace('#', &(k + 1).to_string()), l)).collect()
    };
    let other = RawStatic { mmsi: 219_000_001, ..tanker() };
    for (one, two, channel) in
        [("s:one,c:1577836800", "s:two,c:1577836800", 'A'), ("g:#-2-1,c:1577836800", "g:#-2-2,c:1577836800", 'A'), ("c:1577836800", "c:1577836800", 'B')]
    {
        let (x, y) = (by(one, &tanker(), 'A'), by(two, &other, channel));
        let (out, lost) = all(&[x[0].clone(), y[0].clone(), x[1].clone(), y[1].clone()]);
        assert_eq!((statics(&out).len(), lost.len()), (2, 0), "{one}");
    }
}

#[test]
fn the_first_line_of_a_group_may_carry_the_time_for_all() {
    let x = tanker().class_a().sentences(2, Some(1), 'A');
    let lines = [tagged("g:1-2-1234,s:r003669930,c:1577836800", &x[0]), tagged("g:2-2-1234", &x[1])];
    let (out, _) = all(&lines);
    assert_eq!(statics(&out).iter().map(|s| s.t_ms).collect::<Vec<_>>(), [T_MS]);
    let plain = ship(311_000_001).message().sentence();
    let (out, _) = all(&[tagged("g:1-2-7,c:1577836800", "$ARVSI,x"), tagged("g:2-2-7", &plain), tagged("g:2-2-8", &plain)]);
    assert!(matches!(out[1], Outcome::Position(p) if p.t_ms == T_MS), "{out:?}");
    assert_eq!(out[2], Outcome::Reject(Reason::BadTime));
}

/// Every line of the real samples, where they are at hand: how many of what, counted by another decoder too (pyais 3.3.1).
#[test]
fn real_samples_are_read_as_counted() {
    let Some(folder) = std::env::var_os("ALONGSIDE_DATA").map(PathBuf::from) else {
        eprintln!("ALONGSIDE_DATA is not set: the real samples are not read");
        return;
    };
    let count = |name: &str, prefix: &str| {
        let text = std::fs::read_to_string(folder.join("samples").join(name)).unwrap();
        let lines: Vec<String> = text.lines().map(|l| if l.starts_with('!') { format!("{prefix}{l}") } else { l.to_owned() }).collect();
        let (out, lost) = all(&lines);
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for o in &out {
            let key = match o {
                Outcome::Position(_) => "position",
                Outcome::PositionAndStatic(..) => "position_and_static",
                Outcome::Static(_) => "static",
                Outcome::NoPosition { .. } => "no_position",
                Outcome::NotShip(kind) => kind,
                Outcome::Part => "part",
                Outcome::Clock => "clock",
                Outcome::Other => "other",
                Outcome::Reject(reason) => reason.key(),
            };
            *counts.entry(key).or_default() += 1;
        }
        if !lost.is_empty() {
            counts.insert("lost", lost.len());
        }
        assert_eq!(counts.iter().filter(|(k, _)| **k != "lost").map(|(_, n)| n).sum::<usize>(), lines.len());
        counts.into_iter().collect::<Vec<_>>()
    };
    #[rustfmt::skip]
    assert_eq!(count("dma_stream_example.txt", ""), [
        ("aid_to_navigation", 62), ("base_station", 145), ("clock", 4051), ("default_mmsi", 6), ("group", 2), ("no_position", 11),
        ("part", 449), ("position", 2930), ("sar_aircraft", 1), ("static", 496), ("unsupported_type", 398),
    ]);
    #[rustfmt::skip]
    assert_eq!(count("libais_test.aivdm", ""), [
        ("aid_to_navigation", 9), ("bad_payload", 17), ("base_station", 3), ("default_mmsi", 1), ("other", 82), ("part", 2),
        ("position", 21), ("position_and_static", 3), ("sar_aircraft", 6), ("static", 12), ("unsupported_type", 189),
    ]);
    #[rustfmt::skip]
    assert_eq!(count("pyais_nmea_data_sample.txt", ""), [
        ("bad_time", 764), ("base_station", 6), ("empty_payload", 100), ("lost", 20), ("part", 20), ("unsupported_type", 8),
    ]);
    #[rustfmt::skip]
    assert_eq!(count("pyais_nmea_data_sample.txt", "2020-01-01T00:00:00Z "), [
        ("base_station", 6), ("empty_payload", 100), ("lost", 20), ("no_position", 4), ("part", 20), ("position", 758), ("static", 2), ("unsupported_type", 8),
    ]);
}

fn any_position() -> impl Strategy<Value = RawPosition> {
    let message = prop::sample::select(vec![1u32, 2, 3, 18]);
    (message, 201_000_000u32..776_000_000, 0u32..16, 0u32..1024, -54_000_000i32..=54_000_000, -108_000_000i32..=108_000_000, 0u32..4096, 0u32..512)
        .prop_map(|(message, mmsi, status, sog, lat, lon, cog, heading)| RawPosition { message, mmsi, status, sog, lat, lon, cog, heading })
        .prop_filter("no default", |p| (p.lat, p.lon) != (0, 0))
}

fn any_static() -> impl Strategy<Value = RawStatic> {
    let size = (0u16..512, 0u16..512, 0u16..64, 0u16..64);
    ("[ -?A-_]{0,20}", "[0-9A-Z]{0,7}", 201_000_000u32..776_000_000, 0u32..1 << 30, 0u32..256, size, 0u32..256).prop_map(
        |(name, call_sign, mmsi, imo, ship_type, (a, b, c, d), draught_dm)| RawStatic {
            mmsi,
            imo,
            call_sign,
            name,
            ship_type,
            size_m: [a, b, c, d],
            draught_dm,
        },
    )
}

/// Ten-thousandths of a minute to 1e-7 degree, the long way.
fn e7(value: i32) -> i32 {
    let exact = i128::from(value) * 10_000_000;
    let half = 300_000 * exact.signum();
    ((exact + half) / 600_000) as i32
}

proptest! {
    #[test]
    fn positions_round_trip(raw in any_position(), t_ms in 631_152_000_000i64..4_102_444_800_000) {
        let p = position(&tagged(&format!("c:{t_ms}"), &raw.message().sentence()));
        let status = if raw.message == 18 || raw.status == 15 { NULL_STATUS } else { raw.status as u8 };
        let lon = if raw.lon == 108_000_000 { -1_800_000_000 } else { e7(raw.lon) };
        prop_assert_eq!((p.message, p.mmsi, p.t_ms, p.lat_e7, p.lon_e7, p.status), (raw.message as u8, raw.mmsi, t_ms, e7(raw.lat), lon, status));
        let known = |v: u32, below: u32| if v < below { v as u16 } else { NULL_U16 };
        let sog = if matches!(raw.sog, 512 | 630) { NULL_U16 } else { known(raw.sog, 1022) };
        prop_assert_eq!((p.sog_dkn, p.cog_ddeg, p.heading_deg), (sog, known(raw.cog, 3600), known(raw.heading, 360)));
    }

    #[test]
    fn particulars_round_trip(raw in any_static(), p in any_position(), total in 2usize..=5, order in Just([0usize, 1, 2, 3, 4]).prop_shuffle()) {
        let lines = group_at(&raw, total, 4, T_S);
        let shuffled: Vec<String> = order.iter().filter_map(|k| lines.get(*k).cloned()).collect();
        let (out, lost) = all(&shuffled);
        prop_assert!(lost.is_empty());
        let name = raw.name.trim();
        let found = statics(&out);
        prop_assert_eq!(found.len(), 1);
        let s = found[0];
        prop_assert_eq!((s.mmsi, s.imo, s.name.as_str(), s.call_sign.as_str()), (raw.mmsi, raw.imo, name, raw.call_sign.as_str()));
        prop_assert_eq!((u32::from(s.ship_type), s.size_m, u32::from(s.draught_dm)), (raw.ship_type, raw.size_m, raw.draught_dm));
        let mut decoder = Decoder::new();
        decoder.line(at(T_S, &raw.class_b_rest().sentence()).as_bytes());
        decoder.line(at(T_S, &raw.class_b_name().sentence()).as_bytes());
        let s = decoder.known(raw.mmsi).copied().unwrap();
        prop_assert_eq!((s.name.as_str(), s.call_sign.as_str(), u32::from(s.ship_type), s.size_m), (name, raw.call_sign.as_str(), raw.ship_type, raw.size_m));
        match one(&at(T_S, &raw.class_b_with(&p).sentence())) {
            Outcome::PositionAndStatic(q, s) => {
                prop_assert_eq!((q.lat_e7, s.name.as_str(), u32::from(s.ship_type), s.size_m), (e7(p.lat), name, raw.ship_type, raw.size_m));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    /// Any bytes: an outcome a line, and nothing made of them.
    #[test]
    fn hostile_bytes_are_refused(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let mut decoder = Decoder::new();
        let out: Vec<Outcome> = lines.iter().map(|l| decoder.line(l)).collect();
        decoder.finish();
        let positions = out.iter().filter(|o| matches!(o, Outcome::Position(_) | Outcome::PositionAndStatic(..) | Outcome::Static(_))).count();
        prop_assert_eq!(positions, 0);
    }

    /// Bytes that look like sentences, with checksums that fit.
    #[test]
    fn hostile_sentences_are_accounted_for(bodies in prop::collection::vec(
        ("[1-4]", "[1-4]", "[0-2]?", "[AB]?", "[0-W`-w]{0,72}", "[0-6]", prop::sample::select(vec!["c:1577836800", "g:1-2-3,c:1577836801", "s:x", ""])), 0..40))
    {
        let lines: Vec<String> = bodies.iter().map(|(total, number, sequence, channel, payload, fill, tag)| {
            tagged(tag, &sealed('!', &format!("AIVDM,{total},{number},{sequence},{channel},{payload},{fill}")))
        }).collect();
        let (out, lost) = all(&lines);
        let parts = out.iter().filter(|o| **o == Outcome::Part).count();
        prop_assert!(lost.len() <= parts);
        for o in &out {
            if let Outcome::Position(p) = o {
                prop_assert!(p.lat_e7.abs() <= 900_000_000 && (-1_800_000_000..1_800_000_000).contains(&p.lon_e7) && p.mmsi <= 999_999_999);
            }
        }
    }

    /// One changed bit, or a cut: never another position, as the checksum finds every single bit.
    #[test]
    fn a_broken_line_gives_no_other_position(raw in any_position(), bit in 0usize..2000, cut in 0usize..200) {
        let line = at(T_S, &raw.message().sentence());
        let whole = one(&line);
        let mut flipped = line.clone().into_bytes();
        let k = bit % (flipped.len() * 8);
        flipped[k / 8] ^= 1 << (k % 8);
        let cut = &line.as_bytes()[..cut.min(line.len() - 1)];
        for broken in [&flipped[..], cut] {
            let out = Decoder::new().line(broken);
            // The case of a hexadecimal digit is one bit too.
            let harmless = matches!(out, Outcome::Reject(_) | Outcome::Other) || out == whole;
            prop_assert!(harmless, "{:?}", out);
        }
    }

    /// Merged feeds without a loss, in order each: only messages that were sent come out, whatever they share.
    #[test]
    fn merged_feeds_never_mix_messages(
        raws in prop::collection::vec((any_static(), 0u8..2, prop::sample::select(vec!["", "s:one", "s:two"])), 1..4),
        copies in prop::collection::vec(0usize..3, 1..8), total in 2usize..=3, picks in prop::collection::vec(0usize..8, 40))
    {
        let mut feeds: Vec<Vec<String>> = copies.iter().filter_map(|k| raws.get(*k)).map(|(raw, sequence, tag)| {
            let lines = raw.class_a().sentences(total, Some(*sequence), 'A');
            lines.iter().rev().map(|l| tagged(&format!("{tag},c:{T_S}"), l)).collect()
        }).collect();
        let mut lines: Vec<String> = Vec::new();
        for pick in picks {
            feeds.retain(|f| !f.is_empty());
            let n = feeds.len();
            lines.extend(feeds.get_mut(pick % n.max(1)).and_then(Vec::pop));
        }
        let (out, lost) = all(&lines);
        let parts = out.iter().filter(|o| **o == Outcome::Part).count();
        prop_assert_eq!(parts - lost.len(), (total - 1) * statics(&out).len());
        for s in statics(&out) {
            let sent = raws.iter().any(|(raw, ..)| {
                (s.mmsi, s.imo, s.name.as_str(), s.call_sign.as_str()) == (raw.mmsi, raw.imo, raw.name.trim(), raw.call_sign.as_str())
                    && (u32::from(s.ship_type), s.size_m, u32::from(s.draught_dm)) == (raw.ship_type, raw.size_m, raw.draught_dm)
            });
            prop_assert!(sent, "{:?}", s);
        }
    }

    /// Any parts of any messages in any order, some twice, some missing: the account holds.
    #[test]
    fn parts_in_any_order_are_accounted_for(
        raws in prop::collection::vec((any_static(), 0u8..2, prop::sample::select(vec!["", "s:one", "g:1-2-7", "g:1-2-8,s:two"])), 1..5),
        picks in prop::collection::vec((0usize..5, 0usize..3), 0..30))
    {
        let sent: Vec<Vec<String>> = raws.iter().map(|(raw, sequence, tag)| {
            let lines = raw.class_a().sentences(3, Some(*sequence), 'A');
            lines.iter().map(|l| tagged(&format!("{tag},c:{T_S}"), l)).collect()
        }).collect();
        let lines: Vec<String> = picks.iter().filter_map(|(k, part)| sent.get(*k).map(|l| l[*part].clone())).collect();
        let (out, lost) = all(&lines);
        let parts = out.iter().filter(|o| **o == Outcome::Part).count();
        let whole = out.iter().filter(|o| !matches!(o, Outcome::Part | Outcome::Reject(Reason::OrphanPart))).count();
        prop_assert_eq!(parts - lost.len(), 2 * whole);
    }
}
