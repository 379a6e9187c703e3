//! The columns of an event, in their order, as values with a fixed number of decimals.

use crate::model::event::Event;
use crate::model::time::rfc3339;
use crate::model::{Evidence, Party, ShipType};
use crate::spatial::flags;
use serde_json::{Map, Number, Value, json};

/// All columns, in order.
pub const NAMES: [&str; 57] = [
    "event_id",
    "kind",
    "start",
    "end",
    "duration_h",
    "observed_h",
    "open",
    "final",
    "lat",
    "lon",
    "confidence",
    "risk",
    "risk_band",
    "vessel_1_id",
    "vessel_1_mmsi",
    "vessel_1_imo",
    "vessel_1_name",
    "vessel_1_flag",
    "vessel_1_ship_type",
    "vessel_1_length_m",
    "vessel_1_track_id",
    "vessel_2_id",
    "vessel_2_mmsi",
    "vessel_2_imo",
    "vessel_2_name",
    "vessel_2_flag",
    "vessel_2_ship_type",
    "vessel_2_length_m",
    "vessel_2_track_id",
    "cluster_id",
    "median_distance_m",
    "min_distance_m",
    "hull_gap_m",
    "contact",
    "vessel_1_median_speed_kn",
    "vessel_2_median_speed_kn",
    "relative_speed_kn",
    "moved_as_one",
    "observed_fraction",
    "vessel_1_draught_before_m",
    "vessel_1_draught_after_m",
    "vessel_2_draught_before_m",
    "vessel_2_draught_after_m",
    "gap_distance_nm",
    "gap_implied_speed_kn",
    "coverage_surprise",
    "required_speed_kn",
    "alternatives",
    "zone_id",
    "zone_name",
    "zone_kind",
    "zone_distance_nm",
    "shore_distance_nm",
    "port_name",
    "port_distance_nm",
    "summary",
    "evidence",
];

/// A number with so many decimals; null where it is not finite.
fn fixed(value: f64, decimals: usize) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    let text = format!("{value:.decimals$}");
    // No negative zero.
    let text = if text.trim_start_matches(['-', '0', '.']).is_empty() { text.trim_start_matches('-').to_owned() } else { text };
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

fn maybe(value: Option<f64>, decimals: usize) -> Value {
    value.map_or(Value::Null, |v| fixed(v, decimals))
}

fn degrees(e7: i32) -> Value {
    fixed(f64::from(e7) / 1e7, 6)
}

fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { Value::String(value.to_owned()) }
}

/// The columns of an event, in order.
pub fn of(event: &Event) -> Map<String, Value> {
    let mut values: Vec<Value> = Vec::with_capacity(NAMES.len());
    let r = event.rendezvous.as_ref();
    let g = event.gap.as_ref();
    values.extend([
        json!(event.id),
        json!(event.kind.word()),
        json!(rfc3339(event.start_ms)),
        event.end_ms.map_or(Value::Null, |t| json!(rfc3339(t))),
        fixed(event.duration_h, 2),
        maybe(event.observed_h, 2),
        json!(event.open),
        json!(event.settled),
        degrees(event.mean_e7.0),
        degrees(event.mean_e7.1),
        json!(event.confidence),
        json!(event.risk),
        event.risk_band().map_or(Value::Null, |b| json!(b)),
    ]);
    for k in 0..2 {
        values.extend(event.parties.get(k).map_or_else(|| std::array::from_fn(|_| Value::Null), party));
    }
    values.extend([
        event.cluster_id.as_deref().map_or(Value::Null, |c| json!(c)),
        maybe(r.map(|r| r.median_m), 1),
        maybe(r.map(|r| r.min_m), 1),
        maybe(r.and_then(|r| r.hull_gap_m).map(|[sent, _]| sent), 1),
        event.contact.map_or(Value::Null, |c| json!(c.word())),
        maybe(r.map(|r| r.speed_kn[0]), 2),
        maybe(r.map(|r| r.speed_kn[1]), 2),
        maybe(r.map(|r| r.relative_kn), 2),
        maybe(r.and_then(|r| r.moved_as_one), 2),
        maybe(r.map(|r| r.observed_ms as f64 / (r.end_ms - r.start_ms).max(1) as f64), 2),
    ]);
    let draughts = r.map_or([[None; 2]; 2], |r| r.draught_dm);
    values.extend(draughts.into_iter().flatten().map(|dm| maybe(dm.map(|dm| f64::from(dm) / 10.0), 1)));
    values.extend([
        maybe(g.and_then(|g| g.distance_m).map(|m| m / 1852.0), 1),
        maybe(g.and_then(|g| g.implied_kn), 1),
        maybe(g.and_then(|g| g.surprise_nats), 1),
        Value::Null,
        Value::Null,
        event.zone.as_ref().map_or(Value::Null, |z| json!(z.id)),
        event.zone.as_ref().map_or(Value::Null, |z| json!(z.name)),
        event.zone.as_ref().map_or(Value::Null, |z| json!(z.kind)),
        maybe(event.zone.as_ref().map(|z| z.distance_nm), 1),
        maybe(event.shore_nm, 1),
        event.port.as_ref().map_or(Value::Null, |(name, _)| json!(name)),
        maybe(event.port.as_ref().map(|(_, nm)| *nm), 1),
        json!(event.summary),
        Value::Array(event.evidence.iter().map(evidence).collect()),
    ]);
    NAMES.iter().map(|n| (*n).to_owned()).zip(values).collect()
}

fn party(party: &Party) -> [Value; 8] {
    let p = &party.particulars;
    let flag = party.mmsi.mid().and_then(flags::country).map_or(Value::Null, |c| json!(c.iso2));
    let kind = ShipType::of(p.ship_type);
    [
        json!(party.mmsi.to_string()),
        json!(party.mmsi.0),
        if p.imo == 0 { Value::Null } else { json!(p.imo) },
        text(&p.name),
        flag,
        if kind == ShipType::Unknown { Value::Null } else { json!(kind.word()) },
        if p.length_dm == 0 { Value::Null } else { fixed(f64::from(p.length_dm) / 10.0, 1) },
        json!(party.track.to_string()),
    ]
}

fn evidence(e: &Evidence) -> Value {
    json!({
        "score": e.score.word(),
        "family": e.family,
        "indicator": e.indicator,
        "value": e.value,
        "unit": e.unit,
        "threshold": e.threshold,
        "points": e.points,
        "counted": e.counted,
        "source": e.source,
    })
}
