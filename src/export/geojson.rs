//! `events.geojson` (RFC 7946): one Feature an event, streamed, one a line.

use crate::export::{BATCH, columns};
use crate::model::event::{Event, Kind};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::io::Write;

/// Writes a FeatureCollection.
pub fn write(events: &[Event], out: &mut dyn Write) -> Result<(), std::io::Error> {
    let texts = events.chunks(BATCH).flat_map(|batch| batch.par_iter().map(text).collect::<Vec<_>>());
    collect(texts, out)
}

/// One Feature as text.
pub fn text(event: &Event) -> Result<String, std::io::Error> {
    Ok(serde_json::to_string(&feature(event))?)
}

/// Writes a FeatureCollection of Features that are text already.
pub fn collect<T: AsRef<str>>(features: impl Iterator<Item = Result<T, std::io::Error>>, out: &mut dyn Write) -> Result<(), std::io::Error> {
    out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
    let mut separator: &[u8] = b"\n";
    for feature in features {
        out.write_all(separator)?;
        out.write_all(feature?.as_ref().as_bytes())?;
        separator = b",\n";
    }
    out.write_all(b"\n]}\n")
}

/// One Feature.
pub fn feature(event: &Event) -> Value {
    json!({
        "type": "Feature",
        "id": event.id,
        "geometry": geometry(event),
        "properties": columns::of(event),
    })
}

/// A point for a meeting; for a silence a line from the last fix to the first after it, cut at the antimeridian.
fn geometry(event: &Event) -> Value {
    let at = |p: (i32, i32)| [degrees(p.1), degrees(p.0)];
    match (event.kind, &event.gap) {
        (Kind::Gap, Some(gap)) => match gap.on_e7 {
            Some(on) if on != gap.off_e7 => line(gap.off_e7, on),
            _ => json!({"type": "Point", "coordinates": at(gap.off_e7)}),
        },
        _ => json!({"type": "Point", "coordinates": at(event.mean_e7)}),
    }
}

fn degrees(e7: i32) -> f64 {
    f64::from(e7) / 1e7
}

fn line(from: (i32, i32), to: (i32, i32)) -> Value {
    let at = |p: (i32, i32)| [degrees(p.1), degrees(p.0)];
    let across = (i64::from(to.1) - i64::from(from.1)).abs() > 1_800_000_000;
    if !across {
        return json!({"type": "LineString", "coordinates": [at(from), at(to)]});
    }
    // The latitude at which the straight line meets the antimeridian.
    let side = if from.1 > 0 { 180.0 } else { -180.0 };
    let end_lon = degrees(to.1) + 2.0 * side;
    let share = (side - degrees(from.1)) / (end_lon - degrees(from.1));
    let lat = ((degrees(from.0) + (degrees(to.0) - degrees(from.0)) * share) * 1e7).round() / 1e7;
    json!({"type": "MultiLineString", "coordinates": [[at(from), [side, lat]], [[-side, lat], at(to)]]})
}
