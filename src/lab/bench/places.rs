//! The queries of zones, ports and coast, by index and, on a sample, by looking at everything.
//!
//! Asked at the first fix of every run, or of every k-th: where slow ships are. One thread.

use crate::lab::bench::{Error, Progress, Traffic, ratio};
use crate::model::Params;
use crate::run::engine;
use crate::spatial::coast::Coast;
use crate::spatial::geodesy;
use crate::spatial::ports::Ports;
use crate::spatial::zones::Zones;
use crate::units::METRES_PER_NM;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::hint::black_box;
use std::time::Instant;

/// Most places asked about.
const MOST_PLACES: usize = 20_000;
/// Places at which the answer is held against that of looking at everything.
const SAMPLE: usize = 500;
/// The same for the shore, where everything is half a million segments.
const SHORE_SAMPLE: usize = 50;

/// A query, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What is asked.
    pub query: String,
    /// How often.
    pub queries: usize,
    /// Answers a second by the index.
    pub per_second: f64,
    /// Answers held against those of looking at everything; all were the same.
    pub compared: usize,
    /// Answers a second by looking at everything.
    pub by_all_per_second: f64,
    /// The index's as a multiple.
    pub ratio: Option<f64>,
}

/// A place and a time.
type Place = ((i32, i32), i64);

/// Measures every query.
pub fn measure(traffic: &Traffic, params: &Params, progress: &(dyn Fn(Progress) + Sync)) -> Result<Vec<Row>, Error> {
    let places = places(traffic, params);
    let (zones, ports, coast) = (Zones::embedded(), Ports::embedded(), Coast::embedded());
    let near_nm = params.place.zone_near_nm.get();
    let reach_m = params.place.reach_nm.metres().get();
    let tell = |done: usize, name: &str| progress(Progress::Measuring { done, of: 4, name: name.to_owned() });
    let mut rows = Vec::new();
    tell(0, "zones");
    let zone = |&(at, t): &Place| zones.relation(at, t, near_nm, |_| true).map(|z| z.distance_nm);
    rows.push(query("zone", &places, SAMPLE, zone, |p| zone_by_all(zones, p.0, near_nm))?);
    tell(1, "ports");
    let port = |p: &Place| ports.nearest(p.0).map(|(_, m)| m);
    rows.push(query("nearest port", &places, SAMPLE, port, |p| port_by_all(ports, p.0))?);
    tell(2, "distance to shore");
    let shore = |p: &Place| coast.shore_m(p.0, reach_m);
    rows.push(query("distance to shore", &places, SHORE_SAMPLE, shore, |p| coast.shore_m_by_all(p.0, reach_m))?);
    tell(3, "on land");
    rows.push(query("on land", &places, SAMPLE, |p| coast.is_land(p.0), |p| coast.is_land_by_all(p.0))?);
    Ok(rows)
}

fn places(traffic: &Traffic, params: &Params) -> Vec<Place> {
    let (legs, runs) = engine::legs_and_runs(&traffic.tracks, traffic.window, params);
    let step = runs.len().div_ceil(MOST_PLACES).max(1);
    let first = |r: &crate::detect::motion::Run| {
        let track = r.track as usize;
        let fix = &traffic.tracks[track].fixes[legs[track].of().start + r.first as usize];
        ((fix.lat_e7, fix.lon_e7), fix.t_ms)
    };
    runs.iter().step_by(step).map(first).collect()
}

/// Times a query at every place, and the same by looking at everything at a sample of them, where the answers must agree.
fn query<A: PartialEq + Debug>(
    name: &str,
    places: &[Place],
    sample: usize,
    by_index: impl Fn(&Place) -> A,
    by_all: impl Fn(&Place) -> A,
) -> Result<Row, Error> {
    // What is loaded at the first question is no part of the answer's time.
    places.first().map(&by_index);
    let begin = Instant::now();
    for place in places {
        black_box(by_index(black_box(place)));
    }
    let per_second = places.len() as f64 / begin.elapsed().as_secs_f64().max(1e-9);
    let chosen: Vec<&Place> = places.iter().step_by(places.len().div_ceil(sample).max(1)).collect();
    let begin = Instant::now();
    let answers: Vec<A> = chosen.iter().map(|place| by_all(place)).collect();
    let by_all_per_second = chosen.len() as f64 / begin.elapsed().as_secs_f64().max(1e-9);
    for (place, expected) in chosen.iter().zip(&answers) {
        let found = by_index(place);
        if found != *expected {
            let (lat, lon) = place.0;
            let what = format!("{found:?} and {expected:?} at {} {}", f64::from(lat) / 1e7, f64::from(lon) / 1e7);
            return Err(Error::Differ { way: format!("{name} by index"), base: format!("{name} by all"), what });
        }
    }
    let ratio = ratio(per_second, by_all_per_second);
    Ok(Row { query: name.to_owned(), queries: places.len(), per_second, compared: chosen.len(), by_all_per_second, ratio })
}

/// Miles to the nearest zone within reach.
fn zone_by_all(zones: &Zones, at: (i32, i32), near_nm: f64) -> Option<f64> {
    zones.all().iter().map(|z| z.distance_m(at) / METRES_PER_NM).filter(|nm| *nm <= near_nm).min_by(f64::total_cmp)
}

/// Metres to the nearest port.
fn port_by_all(ports: &Ports, at: (i32, i32)) -> Option<f64> {
    let p = geodesy::point(at.0, at.1);
    let chord2 = |other: (i32, i32)| {
        let way = geodesy::sub(geodesy::point(other.0, other.1), p);
        geodesy::dot(way, way)
    };
    ports.all().iter().map(|port| chord2(port.at_e7)).min_by(f64::total_cmp).map(|d2| geodesy::arc_of_chord(d2.sqrt()))
}
