//! Yardsticks and the tool wall: quantities, distances, the indexes, zones, ports, coast, flags.

use crate::support::{CHARTS, Chart, GULF, RADIUS_M, for_all};
use alongside::model::Mmsi;
use alongside::model::particulars::imo_check_digit_fits;
use alongside::model::time;
use alongside::spatial::boxes::{Box4, IndexKind, NodeSize, near_pairs, pairs_in_time};
use alongside::spatial::coast::Coast;
use alongside::spatial::ports::{Port, Ports};
use alongside::spatial::zones::Zones;
use alongside::spatial::{flags, geodesy};
use alongside::units::{Hours, Knots, Lat, Lon, Metres, Minutes, NauticalMiles};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::Cell;

// Yardsticks.

#[test]
fn what_is_no_position_is_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 90.000_000_1, -90.1, 91.0, 1e300] {
        assert_eq!(Lat::from_degrees(bad), None, "latitude {bad}");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 180.000_000_1, -180.1, 181.0, 360.0, 1e300] {
        assert_eq!(Lon::from_degrees(bad), None, "longitude {bad}");
    }
    for (bad_lat, bad_lon) in [(900_000_001, 1_800_000_001), (-900_000_001, -1_800_000_001), (i32::MAX, i32::MAX), (i32::MIN, i32::MIN)] {
        assert_eq!((Lat::from_e7(bad_lat), Lon::from_e7(bad_lon)), (None, None));
    }
    for good in [-90.0, -0.000_000_1, 0.0, 45.123_456_7, 90.0] {
        assert!((Lat::from_degrees(good).unwrap().degrees() - good).abs() < 1e-9);
    }
}

#[test]
fn the_antimeridian_has_one_spelling() {
    let west = Lon::from_degrees(-180.0).unwrap();
    assert_eq!(west.e7(), -1_800_000_000);
    assert_eq!(Lon::from_degrees(180.0), Some(west));
    assert_eq!(Lon::from_e7(1_800_000_000), Some(west));
    // What rounds to 180 is 180.
    assert_eq!(Lon::from_degrees(179.999_999_99), Some(west));
    assert_eq!(Lon::from_degrees(179.999_999_9).unwrap().e7(), 1_799_999_999);
}

#[test]
fn what_is_no_quantity_is_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-9, -1.0] {
        assert!(Metres::new(bad).is_none() && NauticalMiles::new(bad).is_none() && Knots::new(bad).is_none(), "{bad}");
        assert!(Minutes::new(bad).is_none() && Hours::new(bad).is_none() && Knots::from_metres_per_second(bad).is_none(), "{bad}");
        assert!(Metres::try_from(bad).is_err());
        assert_eq!(Metres::of(bad).get(), 0.0);
    }
    assert_eq!(NauticalMiles::new(1.0).unwrap().metres(), Metres::of(1852.0));
    assert_eq!(Metres::of(926.0).nautical_miles(), NauticalMiles::of(0.5));
    assert!((Knots::of(1.0).metres_per_second() - 0.514_444_444).abs() < 1e-9);
    assert_eq!((Minutes::of(1.5).millis(), Hours::of(0.25).millis()), (90_000, 900_000));
}

// Distances.

/// A position anywhere, and at the edges.
fn anywhere() -> impl Strategy<Value = (i32, i32)> {
    let lat = prop_oneof![4 => -900_000_000..=900_000_000i32, 1 => Just(900_000_000), 1 => Just(-900_000_000), 1 => -5..5i32];
    let lon = prop_oneof![4 => -1_800_000_000..1_800_000_000i32, 1 => Just(-1_800_000_000), 1 => Just(1_799_999_999), 1 => -5..5i32];
    (lat, lon)
}

/// A position and another from a centimetre to half the globe away.
fn two_places() -> impl Strategy<Value = ((i32, i32), (i32, i32))> {
    let shift = (-2.0..9.0f64, -2.0..9.0f64, any::<bool>(), any::<bool>());
    let near = (anywhere(), shift).prop_map(|(p, (y, x, south, west))| {
        let sign = |flag: bool| if flag { -1 } else { 1 };
        let lat = (i64::from(p.0) + sign(south) * 10f64.powf(y) as i64).clamp(-900_000_000, 900_000_000) as i32;
        let lon = (i64::from(p.1) + sign(west) * 10f64.powf(x) as i64 + 5_400_000_000).rem_euclid(3_600_000_000) - 1_800_000_000;
        (p, (lat, lon as i32))
    });
    prop_oneof![near, (anywhere(), anywhere())]
}

fn haversine_m(a: (i32, i32), b: (i32, i32)) -> f64 {
    let radians = |e7: i32| f64::from(e7) * 1e-7 * std::f64::consts::PI / 180.0;
    // The difference in whole units first: it is exact.
    let half = |x: i32, y: i32| ((i64::from(y) - i64::from(x)) as f64 * 1e-7 * std::f64::consts::PI / 360.0).sin();
    let h = half(a.0, b.0).powi(2) + radians(a.0).cos() * radians(b.0).cos() * half(a.1, b.1).powi(2);
    2.0 * RADIUS_M * h.min(1.0).sqrt().atan2((1.0 - h).max(0.0).sqrt())
}

#[test]
fn distances_are_those_of_the_haversine() {
    let (near, far) = (Cell::new(0), Cell::new(0));
    for_all(4096, &two_places(), |(a, b)| {
        let (ours, naive) = (geodesy::distance_m(a, b), haversine_m(a, b));
        // A tenth of a micrometre stands for the rounding of points 6,371 km from the origin.
        prop_assert!((ours - naive).abs() <= naive * 1e-6 + 1e-7, "{ours} {naive}");
        prop_assert_eq!(ours, geodesy::distance_m(b, a));
        near.set(near.get() + u32::from(naive < 100.0));
        far.set(far.get() + u32::from(naive > 1e7));
        Ok(())
    });
    assert!(near.get() > 100 && far.get() > 100);
}

#[test]
fn known_distances() {
    let degree = RADIUS_M * std::f64::consts::PI / 180.0;
    let check = |a: (f64, f64), b: (f64, f64), metres: f64| {
        let e7 = |p: (f64, f64)| ((p.0 * 1e7).round() as i32, (p.1 * 1e7).round() as i32);
        let d = geodesy::distance_m(e7(a), e7(b));
        assert!((d - metres).abs() < metres * 1e-7 + 1e-6, "{a:?} {b:?}: {d}");
    };
    check((0.0, 0.0), (0.0, 1.0), degree);
    check((0.0, 179.5), (0.0, -179.5), degree);
    check((89.5, 0.0), (89.5, 180.0), degree);
    check((90.0, 0.0), (90.0, 123.0), 0.0);
    check((-90.0, 10.0), (90.0, 10.0), 180.0 * degree);
    check((60.0, -180.0), (60.0, 180.0), 0.0);
}

#[test]
fn a_point_is_at_its_position() {
    for_all(1024, &anywhere(), |at| {
        let p = geodesy::point(at.0, at.1);
        prop_assert!((geodesy::dot(p, p).sqrt() - RADIUS_M).abs() < 1e-6);
        let (lat, lon) = geodesy::position_e7(p);
        prop_assert_eq!(lat, at.0);
        // At a pole every longitude is the same place.
        prop_assert!(at.0.abs() > 899_999_990 || lon == at.1, "{} {}", lon, at.1);
        prop_assert!((-1_800_000_000..1_800_000_000).contains(&lon));
        let (east, north) = geodesy::east_north(p);
        for (u, v, want) in [(east, east, 1.0), (north, north, 1.0), (east, north, 0.0), (east, p, 0.0), (north, p, 0.0)] {
            let off = (geodesy::dot(u, v) - want).abs() / if v == p { RADIUS_M } else { 1.0 };
            prop_assert!(off < 1e-8, "{}", off);
        }
        Ok(())
    });
}

/// B1: a course is in degrees, clockwise from north; a course of 90 once led north.
#[test]
fn b01_a_course_leads_where_it_says() {
    let (lat, lon) = GULF.at(0.0, 0.0);
    let ten_miles = 18_520.0;
    for (course, dlat, dlon) in [(0.0, 1, 0), (90.0, 0, 1), (180.0, -1, 0), (270.0, 0, -1)] {
        let to = geodesy::destination((lat, lon), course, ten_miles);
        let sign = |v: i32| if v.abs() < 20_000 { 0 } else { v.signum() };
        assert_eq!((sign(to.0 - lat), sign(to.1 - lon)), (dlat, dlon), "course {course}");
        assert!((geodesy::distance_m((lat, lon), to) - ten_miles).abs() < 0.02);
    }
    for_all(512, &(anywhere(), 0.0..360.0f64, 1.0..1e6f64), |(from, course, metres)| {
        prop_assert!((geodesy::distance_m(from, geodesy::destination(from, course, metres)) - metres).abs() < 0.05);
        Ok(())
    });
}

// Boxes.

/// Boxes about a few places of the globe, the edges among them, tiny and huge, in space and in time; duplicates on purpose.
fn boxes() -> impl Strategy<Value = (Vec<Box4>, i32)> {
    let one = (0..CHARTS.len(), (-2500..2500i32, -2500..2500i32), (0..5u8, 0..5u8), -40_000..40_000i32, 0..6u32, 0..4u8);
    (vec(one, 2..60), prop_oneof![Just(0), 1..800i32, Just(751), 2000..100_000i32]).prop_map(|(list, reach)| {
        let mut out: Vec<Box4> = Vec::new();
        for (chart, (east, north), (size, span), t, owner, twice) in list {
            let (lat, lon) = CHARTS[chart].at(f64::from(east), f64::from(north));
            let p = geodesy::point(lat, lon);
            let half = [0, 3, 250, 5_000, 7_000_000][usize::from(size)];
            let long = [0, 1, 600, 6 * 3600, 200_000][usize::from(span)];
            let lo = p.map(|v| (v.floor() as i32 - half).max(-6_371_000));
            let hi = p.map(|v| (v.ceil() as i32 + half).min(6_371_000));
            // Equal times are common: reports are cut to the minute.
            let t = t.div_euclid(3600) * 3600;
            let one = Box4 { lo: [lo[0], lo[1], lo[2], t], hi: [hi[0], hi[1], hi[2], t + long], owner };
            out.extend(std::iter::repeat_n(one, if twice == 0 { 2 } else { 1 }));
        }
        (out, reach)
    })
}

/// The contract, word for word.
fn near_by_hand(boxes: &[Box4], reach: i32) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    for i in 0..boxes.len() {
        for j in i + 1..boxes.len() {
            let (a, b) = (&boxes[i], &boxes[j]);
            let gap = |k: usize| (i64::from(a.lo[k]) - i64::from(b.hi[k])).max(i64::from(b.lo[k]) - i64::from(a.hi[k]));
            if a.owner != b.owner && (0..3).all(|k| gap(k) <= i64::from(reach)) && gap(3) <= 0 {
                out.push((i as u32, j as u32));
            }
        }
    }
    out
}

/// Every way to look for pairs, those of `bench` among them.
fn every_way() -> Vec<IndexKind> {
    let nodes = NodeSize::ALL.into_iter().flat_map(|size| [IndexKind::RstarNodes(size), IndexKind::SifNodes(size)]);
    IndexKind::ALL.into_iter().chain(nodes).collect()
}

#[test]
fn every_index_finds_the_same_boxes() {
    let (pairs, none) = (Cell::new(0), Cell::new(0));
    for_all(256, &boxes(), |(boxes, reach)| {
        let expected = near_by_hand(&boxes, reach);
        for kind in every_way() {
            let (found, work) = near_pairs(&boxes, reach, kind, &|| 0);
            prop_assert_eq!(&found, &expected, "{:?}", kind);
            prop_assert_eq!((work.entries, work.candidates), (boxes.len() as u64, expected.len() as u64));
        }
        pairs.set(pairs.get() + expected.len());
        none.set(none.get() + usize::from(expected.len() < boxes.len() * (boxes.len() - 1) / 4));
        Ok(())
    });
    assert!(pairs.get() > 10_000 && none.get() > 100, "{pairs:?} {none:?}");
}

#[test]
fn no_boxes_have_no_pairs() {
    for kind in every_way() {
        assert!(near_pairs(&[], 751, kind, &|| 0).0.is_empty());
    }
}

#[test]
fn brute_force_looks_at_pairs_that_overlap_in_time() {
    for_all(256, &boxes(), |(boxes, _)| {
        let overlap = |a: &Box4, b: &Box4| a.lo[3] <= b.hi[3] && b.lo[3] <= a.hi[3];
        let by_hand: usize = (0..boxes.len()).map(|i| boxes[i + 1..].iter().filter(|b| overlap(&boxes[i], b)).count()).sum();
        prop_assert_eq!(pairs_in_time(&boxes), by_hand as u64);
        Ok(())
    });
    assert_eq!(pairs_in_time(&[]), 0);
}

/// Boxes that only touch, in space or in time, are near; across the borders of any cells too.
#[test]
fn boxes_that_touch_are_near() {
    let cube = |x: i32, t: i32, owner: u32| Box4 { lo: [x, 0, 0, t], hi: [x + 100, 100, 100, t + 60], owner };
    for begin in (-6_000..6_000).step_by(37) {
        let boxes = [cube(begin, begin, 0), cube(begin + 151, begin + 60, 1), cube(begin + 152, begin + 61, 2), cube(begin + 152, begin, 3)];
        for kind in every_way() {
            assert_eq!(near_pairs(&boxes, 51, kind, &|| 0).0, [(0, 1), (1, 2), (1, 3)], "{kind:?} from {begin}");
        }
    }
}

/// B10: a thousand ships in one anchorage have 499,500 pairs; none is cut off.
#[test]
fn b10_no_cap_in_a_dense_anchorage() {
    let boxes: Vec<Box4> = (0..1000)
        .map(|k| {
            let (lat, lon) = GULF.at(f64::from(k % 32) * 10.0, f64::from(k / 32) * 10.0);
            let p = geodesy::point(lat, lon).map(|v| v as i32);
            Box4 { lo: [p[0], p[1], p[2], 0], hi: [p[0] + 1, p[1] + 1, p[2] + 1, 3600], owner: k as u32 }
        })
        .collect();
    for kind in every_way() {
        assert_eq!(near_pairs(&boxes, 751, kind, &|| 0).0.len(), 499_500, "{}", kind.word());
    }
}

// Zones.

const HEADER: &str = "id,name,lat,lon,radius_nm,wkt,kind,cargo,valid_from,valid_to,may_score\n";

/// The zone that counts at (lat, lon) on a day, for ships that an oil zone is about.
fn zone_at(rows: &str, (lat, lon): (f64, f64), day: &str) -> String {
    let zones = Zones::parse(&format!("{HEADER}{rows}")).unwrap();
    let at = (Lat::from_degrees(lat).unwrap().e7(), Lon::from_degrees(lon).unwrap().e7());
    let t = time::day_start_ms(time::parse_day(day).unwrap()) + 5 * time::HOUR_MS;
    match zones.relation(at, t, 10.0, |cargo| cargo != "dry") {
        None => "none".into(),
        Some(z) => format!("{} {:.1}{}", z.id, z.distance_nm, if z.may_score { "" } else { " (named only)" }),
    }
}

#[test]
fn a_circle_holds_what_is_inside_its_radius() {
    let rows = "roads,Roads,10,20,12,,legal_lightering,any,,,true";
    let north = |nm: f64| (10.0 + nm * 1852.0 / (RADIUS_M.to_radians()), 20.0);
    assert_eq!(zone_at(rows, north(11.9), "2020-01-15"), "roads 0.0");
    assert_eq!(zone_at(rows, north(13.0), "2020-01-15"), "roads 1.0");
    assert_eq!(zone_at(rows, north(21.9), "2020-01-15"), "roads 9.9");
    assert_eq!(zone_at(rows, north(22.1), "2020-01-15"), "none");
}

#[test]
fn a_polygon_holds_what_is_inside_its_ring() {
    // An L: the box's north-east corner is not in it.
    let rows = r#"ell,Ell,10.5,20.5,,"POLYGON((20 10,21 10,21 10.5,20.5 10.5,20.5 11,20 11,20 10))",mixed,any,,,true"#;
    assert_eq!(zone_at(rows, (10.25, 20.9), "2020-01-15"), "ell 0.0");
    assert_eq!(zone_at(rows, (10.9, 20.25), "2020-01-15"), "ell 0.0");
    assert_eq!(zone_at(rows, (10.55, 20.55), "2020-01-15"), "ell 3.0");
    assert_eq!(zone_at(rows, (10.9, 20.9), "2020-01-15"), "none");
    assert_eq!(zone_at(rows, (9.9, 20.5), "2020-01-15"), "ell 6.0");
}

#[test]
fn zones_lie_across_180() {
    let square = r#"line,Line,-17,180,,"POLYGON((179.5 -17.5,-179.5 -17.5,-179.5 -16.5,179.5 -16.5,179.5 -17.5))",mixed,any,,,true"#;
    let circle = "line,Line,-17,179.9,20,,mixed,any,,,true";
    for rows in [square, circle] {
        for lon in [179.8, 179.999, 180.0, -180.0, -179.999, -179.9] {
            assert_eq!(zone_at(rows, (-17.0, lon), "2020-01-15"), "line 0.0", "{lon}");
        }
        for lon in [0.0, 178.0, -178.0] {
            assert_eq!(zone_at(rows, (-17.0, lon), "2020-01-15"), "none", "{lon}");
        }
    }
    assert_eq!(zone_at(square, (-17.0, -179.45), "2020-01-15"), "line 2.9");
    assert_eq!(zone_at(square, (-17.0, 179.45), "2020-01-15"), "line 2.9");
}

#[test]
fn of_several_the_smallest_that_may_score_counts_and_a_prohibited_one_first() {
    let at = (10.0, 20.0);
    let small = "small,Small,10,20,5,,legal_lightering,any,,,true\n";
    let large = "large,Large,10,20,50,,sanctions_hotspot,any,,,true\n";
    let mute = "mute,Mute,10,20,1,,mixed,any,,,false\n";
    let forbidden = "forbidden,Forbidden,10,20,90,,prohibited,any,,,true\n";
    let forbidden_mute = "forbidden,Forbidden,10,20,90,,prohibited,any,,,false\n";
    let near = "near,Near,10.1,20,1,,sanctions_hotspot,any,,,true\n";
    for (rows, expected) in [
        (vec![small, large], "small 0.0"),
        (vec![large, small], "small 0.0"),
        (vec![mute, large], "large 0.0"),
        (vec![mute, forbidden_mute], "mute 0.0 (named only)"),
        (vec![small, large, mute, forbidden], "forbidden 0.0"),
        (vec![small, forbidden_mute], "small 0.0"),
        // Inside a zone that may not score is nearer than beside one that may.
        (vec![near, mute], "mute 0.0 (named only)"),
        (vec![near, small], "small 0.0"),
    ] {
        assert_eq!(zone_at(&rows.concat(), at, "2020-01-15"), expected, "{rows:?}");
    }
}

#[test]
fn outside_all_the_nearest_within_ten_miles_is_named() {
    let zones = "far,Far,10.2,20,5,,sanctions_hotspot,any,,,true\nnear,Near,9.9,20,5,,bunkering,any,,,true\n";
    assert_eq!(zone_at(zones, (10.0, 20.0), "2020-01-15"), "near 1.0");
    assert_eq!(zone_at(zones, (10.1, 20.0), "2020-01-15"), "far 1.0");
    let forbidden = "far,Far,10.2,20,5,,prohibited,any,,,true\nnear,Near,9.9,20,5,,bunkering,any,,,true\n";
    assert_eq!(zone_at(forbidden, (10.0, 20.0), "2020-01-15"), "near 1.0", "only of those that hold the place does a prohibited one come first");
}

#[test]
fn a_zone_scores_only_while_it_stands_and_for_its_cargo() {
    let dated = |from: &str, to: &str| format!("dated,Dated,10,20,5,,prohibited,any,{from},{to},true");
    let at = (10.0, 20.0);
    for (from, to, day, scores) in [
        ("2020-01-15", "2020-01-15", "2020-01-15", true),
        ("2020-01-16", "", "2020-01-15", false),
        ("", "2020-01-14", "2020-01-15", false),
        ("2020-02", "", "2020-01-31", false),
        ("2020-02", "", "2020-02-01", true),
        ("", "2020-02", "2020-02-29", true),
        ("", "2020-02", "2020-03-01", false),
        ("", "2020-12", "2020-12-31", true),
        ("2019", "2019", "2019-12-31", true),
        ("2019", "2019", "2020-01-01", false),
        ("", "", "1990-01-01", true),
    ] {
        let expected = if scores { "dated 0.0" } else { "dated 0.0 (named only)" };
        assert_eq!(zone_at(&dated(from, to), at, day), expected, "{from}..{to} on {day}");
    }
    assert_eq!(zone_at("coal,Coal,10,20,5,,sanctions_hotspot,dry,,,true", at, "2020-01-15"), "coal 0.0 (named only)");
    assert_eq!(zone_at("oil,Oil,10,20,5,,sanctions_hotspot,oil,,,true", at, "2020-01-15"), "oil 0.0");
}

#[test]
fn a_zone_table_that_makes_no_sense_is_refused_with_its_row() {
    for (row, what) in [
        ("x,X,ten,20,5,,mixed,any,,,true", "`lat` is `ten`"),
        ("x,X,10,20,,,mixed,any,,,true", "`radius_nm` is ``"),
        (r#"x,X,10,20,,"LINESTRING(1 2,3 4)",mixed,any,,,true"#, "not a POLYGON"),
        (r#"x,X,10,20,,"POLYGON((1 2,3))",mixed,any,,,true"#, "not a POLYGON"),
        ("x,X,91,20,5,,mixed,any,,,true", "`lat` is `91`"),
        ("x,X,NaN,20,5,,mixed,any,,,true", "`lat` is `NaN`"),
        ("x,X,10,185,5,,mixed,any,,,true", "`lon` is `185`"),
        ("x,X,10,20,inf,,mixed,any,,,true", "`radius_nm` is `inf`"),
        ("x,X,10,20,-5,,mixed,any,,,true", "`radius_nm` is `-5`"),
        (r#"x,X,10,20,,"POLYGON((500 10,501 10,501 11,500 10))",mixed,any,,,true"#, "not a POLYGON"),
    ] {
        let good = "ok,OK,10,20,5,,mixed,any,,,true";
        let error = Zones::parse(&format!("{HEADER}{good}\n{row}\n")).err().unwrap_or_else(|| panic!("`{row}` was taken")).to_string();
        assert!(error.contains("row 3") && error.contains(what), "{error}");
    }
}

#[test]
fn the_embedded_zones_are_all_there() {
    let zones = Zones::embedded().all();
    assert_eq!(zones.len(), 201);
    assert_eq!(zones.iter().filter(|z| !z.may_score).count(), 138);
    for zone in zones {
        assert!(
            ["sanctions_hotspot", "prohibited", "legal_lightering", "legal_bulk", "bunkering", "mixed", "context"].contains(&zone.kind.as_str()),
            "{}",
            zone.id
        );
        assert!(["any", "oil", "gas", "dry"].contains(&zone.cargo.as_str()), "{}", zone.id);
    }
    // Laconian Gulf: a polygon or circle found through the index, and the middle of the Pacific through nothing.
    assert!(Zones::embedded().relation((364_500_000, 228_500_000), 1_600_000_000_000, 10.0, |_| true).is_some());
    assert!(Zones::embedded().relation((-450_000_000, -1_300_000_000), 1_600_000_000_000, 10.0, |_| true).is_none());
}

// Ports and coast.

fn embedded_ports() -> Vec<Port> {
    let mut reader = csv::Reader::from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/src/spatial/data/ports.csv")).unwrap();
    let rows = reader.records().map(|r| r.unwrap());
    let e7 = |text: &str| (text.parse::<f64>().unwrap() * 1e7).round() as i32;
    rows.map(|r| Port { name: format!("{} ({})", &r[0], &r[1]), at_e7: (e7(&r[2]), e7(&r[3])) }).collect()
}

#[test]
fn the_nearest_port_is_the_nearest() {
    let all = embedded_ports();
    assert!(all.len() > 3000);
    // Near a port, where sailors are, and anywhere.
    let near = (0..all.len(), -1_000_000..1_000_000i32, -1_000_000..1_000_000i32).prop_map(move |(k, y, x)| {
        let at = embedded_ports()[k].at_e7;
        ((at.0 + y).clamp(-900_000_000, 900_000_000), (at.1 + x).clamp(-1_800_000_000, 1_799_999_999))
    });
    for_all(48, &prop_oneof![near, anywhere()], |at| {
        let (port, m) = Ports::embedded().nearest(at).unwrap();
        let least = all.iter().map(|p| haversine_m(p.at_e7, at)).fold(f64::INFINITY, f64::min);
        prop_assert!((m - least).abs() < 0.01, "{} {} {}", port.name, m, least);
        prop_assert!((haversine_m(port.at_e7, at) - least).abs() < 0.01);
        Ok(())
    });
}

#[test]
fn of_two_ports_equally_far_the_first_is_named() {
    let port = |name: &str, lat, lon| Port { name: name.into(), at_e7: (lat, lon) };
    let twins = Ports::new(vec![port("far", 0, 50_000_000), port("one", 10_000_000, 0), port("other", 10_000_000, 0)]);
    assert_eq!(twins.nearest((0, 0)).unwrap().0.name, "one");
    assert!(Ports::new(Vec::new()).nearest((0, 0)).is_none());
    // Across the antimeridian, where a planar search fails.
    let line = Ports::new(vec![port("west", 0, 1_700_000_000), port("east", 0, -1_799_000_000)]);
    assert_eq!(line.nearest((0, 1_799_000_000)).unwrap().0.name, "east");
}

/// An island of many corners about a place, radius varying; no corner farther than 30 km, edges of a few kilometres.
fn island(chart: Chart, corners: usize, wild: u32) -> Vec<(i32, i32)> {
    (0..corners)
        .map(|k| {
            let angle = k as f64 / corners as f64 * std::f64::consts::TAU;
            let r = 15_000.0 + 10_000.0 * (angle * f64::from(wild)).sin();
            chart.at(r * angle.cos(), r * angle.sin())
        })
        .collect()
}

/// Metres to a shore by hand: the least distance to a thousand places on every edge.
fn shore_by_hand(ring: &[(i32, i32)], at: (i32, i32)) -> f64 {
    let mut least = f64::INFINITY;
    for k in 0..ring.len() {
        let (a, b) = (ring[k], ring[(k + 1) % ring.len()]);
        let lerp = |x: i32, y: i32, f: f64| (f64::from(x) + (f64::from(y) - f64::from(x)) * f).round() as i32;
        least = (0..=100).map(|s| f64::from(s) / 100.0).map(|f| haversine_m((lerp(a.0, b.0, f), lerp(a.1, b.1, f)), at)).fold(least, f64::min);
    }
    least
}

#[test]
fn the_distance_to_the_coast_is_that_of_the_nearest_edge() {
    let place = Chart { lat: 40.0, lon: -170.0 };
    let rings = [island(place, 150, 5), island(Chart { lat: 41.0, lon: -169.0 }, 40, 3)];
    let coast = Coast::new(&rings);
    let (land, sea) = (Cell::new(0), Cell::new(0));
    let metres = || prop_oneof![-30_000.0..30_000.0f64, -120_000.0..120_000.0f64];
    for_all(96, &(metres(), metres()), |(east, north)| {
        let at = place.at(east, north);
        let by_hand = rings.iter().map(|r| shore_by_hand(r, at)).fold(f64::INFINITY, f64::min);
        let ours = coast.shore_m(at, 500_000.0).unwrap();
        prop_assert!((ours - by_hand).abs() < by_hand * 0.001 + 20.0, "{ours} {by_hand}");
        prop_assert_eq!((coast.shore_m_by_all(at, 500_000.0), coast.is_land_by_all(at)), (Some(ours), coast.is_land(at)));
        // Within reach or not at all.
        prop_assert_eq!(coast.shore_m(at, ours * 0.99), None);
        prop_assert!(coast.shore_m(at, ours * 1.01).is_some());
        // Inside the island by the angle and radius that drew it, where not within 200 m of its edge.
        let (r, angle) = (east.hypot(north), north.atan2(east));
        let edge = 15_000.0 + 10_000.0 * (angle * 5.0).sin();
        if by_hand > 200.0 && r < 30_000.0 {
            prop_assert_eq!(coast.is_land(at), r < edge);
            land.set(land.get() + u32::from(r < edge));
            sea.set(sea.get() + u32::from(r > edge));
        }
        Ok(())
    });
    assert!(land.get() > 0 && sea.get() > 0);
}

#[test]
fn the_embedded_coast_knows_land_from_sea() {
    let coast = Coast::embedded();
    let e7 = |lat: f64, lon: f64| ((lat * 1e7) as i32, (lon * 1e7) as i32);
    for (lat, lon, land) in [
        (39.0, -98.0, true),
        (0.0, 25.0, true),
        (-80.0, 0.0, true),
        (-89.9, 120.0, true),
        (68.0, 179.99, true),
        (67.5, -179.99, true),
        (28.5, -94.5, false),
        (0.0, -30.0, false),
        (0.0, 180.0 - 1e-6, false),
        (89.9, 0.0, false),
    ] {
        assert_eq!(coast.is_land(e7(lat, lon)), land, "{lat} {lon}");
    }
    // Galveston's beach is about 60 nm from the lightering area, and the North Pole has no shore within 300 nm.
    let gulf = coast.shore_m(e7(28.5, -94.5), 926_000.0).unwrap() / 1852.0;
    assert!((35.0..60.0).contains(&gulf), "{gulf}");
    assert_eq!(coast.shore_m(e7(90.0, 0.0), 300.0 * 1852.0), None);
    assert!(coast.shore_m(e7(90.0, 0.0), 500.0 * 1852.0).is_some());
    // Neither the antimeridian through Chukotka nor the map's southern rim is a shore.
    let inland = coast.shore_m(e7(67.8, 179.999), 926_000.0).unwrap();
    assert!(inland > 20_000.0, "{inland}");
    assert_eq!(coast.shore_m(e7(-90.0, 0.0), 300_000.0), None);
}

// Flags and numbers.

#[test]
fn flags_by_country_digits() {
    let flag = |mmsi: u32| Mmsi(mmsi).mid().map(|mid| flags::country(mid).map(|m| (m.iso2.as_str(), m.landlocked)));
    for (mmsi, expected) in [
        (445_123_456, Some(Some(("KP", false)))),
        (366_123_456, Some(Some(("US", false)))),
        (636_012_345, Some(Some(("LR", false)))),
        (203_123_456, Some(Some(("AT", true)))),
        (269_057_000, Some(Some(("CH", true)))),
        (984_451_234, Some(Some(("KP", false)))),
        (200_123_456, Some(None)),
        (400_123_456, Some(None)),
        (999_999_998, Some(None)),
        (812_345_678, None),
    ] {
        assert_eq!(flag(mmsi), expected, "{mmsi}");
    }
    assert!(flags::all().windows(2).all(|w| w[0].mid < w[1].mid), "digits stand once, in order");
    assert!(flags::all().len() > 280);
}

#[test]
fn imo_numbers_check_themselves() {
    // 9074729: 9*7 + 0*6 + 7*5 + 4*4 + 7*3 + 2*2 = 139.
    for (imo, fits) in [(9_074_729, true), (9_074_728, false), (8_814_275, true), (9_241_061, true), (1_234_567, true), (1_234_568, false)] {
        assert_eq!(imo_check_digit_fits(imo), fits, "{imo}");
    }
    for imo in [0, 1, 999_999, 10_000_000, 90_747_290, u32::MAX] {
        assert!(!imo_check_digit_fits(imo), "{imo} has not seven digits");
    }
    // Exactly one check digit fits any six.
    for head in (100_000..1_000_000).step_by(7919) {
        assert_eq!((0..10).filter(|d| imo_check_digit_fits(head * 10 + d)).count(), 1);
    }
}
