//! Evidence for and against a ship having fallen silent herself, and for the risk of it.

use crate::model::time::HOUR_MS;
use crate::model::{AisClass, Evidence, GapFacts, Params, Party, ScoreName, ShipType};
use crate::score::ledger::{Finding, Ledger};
use crate::score::rendezvous::{identity, whereabouts, zone_risk};
use crate::score::{Place, called};

const C: ScoreName = ScoreName::Confidence;
const R: ScoreName = ScoreName::Risk;

/// Hours from the last fix to the first after it, or to the end of the data where the silence lasts.
pub fn duration_h(facts: &GapFacts) -> f64 {
    (facts.until_ms - facts.off_ms) as f64 / HOUR_MS as f64
}

/// Hours of silence that anybody could have noticed: without the days that were never delivered.
pub fn hours(facts: &GapFacts) -> f64 {
    (facts.until_ms - facts.off_ms - facts.undelivered_ms) as f64 / HOUR_MS as f64
}

/// Weighs a silence: evidence, confidence, risk. `places` are those of its beginning and, where it has one, its end.
pub fn judge(facts: &GapFacts, party: &Party, places: Option<&[Place]>, params: &Params) -> (Vec<Evidence>, i32, i32) {
    let mut ledger = Ledger::default();
    confidence(&mut ledger, facts, party, places, params);
    risk(&mut ledger, facts, party, places, params);
    ledger.close()
}

fn confidence(ledger: &mut Ledger, facts: &GapFacts, party: &Party, places: Option<&[Place]>, params: &Params) {
    let w = &params.score;
    let nats = facts.surprise_nats.unwrap_or(0.0);
    let share = if nats < 3.0 { 0.0 } else { (nats / 10.0).min(1.0) };
    ledger.add(
        C,
        "reception",
        (f64::from(w.gap_surprise) * share).floor() as i32,
        Finding {
            indicator: "coverage_surprise",
            value: facts.surprise_nats.map_or_else(|| "no witness".into(), |v| format!("{v:.1}")),
            unit: "nats",
            threshold: "full at 10, nothing below 3",
            source: "what other ships in the same cells and hours transmitted",
        },
    );
    if facts.fixes_before >= 14 {
        ledger.add(
            C,
            "reception",
            w.gap_well_heard,
            Finding {
                indicator: "heard_before",
                value: facts.fixes_before.to_string(),
                unit: "fixes",
                threshold: ">= 14 in the 12 h before",
                source: "Welch et al. 2022",
            },
        );
    }
    if facts.leaves_coverage {
        ledger.add(
            C,
            "reception",
            w.gap_leaves_coverage,
            Finding {
                indicator: "leaves_coverage",
                value: "the rim of reception".into(),
                unit: "",
                threshold: "within 10 nm of it, or led out within 2 h",
                source: "regional files: most silences are exits",
            },
        );
    }
    let speed = facts.off_motion.0.map(|s| f64::from(s) / 10.0);
    if speed.is_some_and(|kn| kn > 2.0) {
        ledger.add(
            C,
            "behaviour",
            w.gap_under_way,
            Finding {
                indicator: "under_way",
                value: format!("{:.1}", speed.unwrap_or(0.0)),
                unit: "kn",
                threshold: "> 2 at the last fix",
                source: "ships at rest are switched off for lawful reasons",
            },
        );
    }
    if facts.on_ms.is_some() {
        ledger.add(
            C,
            "behaviour",
            w.gap_closed,
            Finding {
                indicator: "came_back",
                value: facts.implied_kn.map_or_else(String::new, |v| format!("{v:.1}")),
                unit: "kn",
                threshold: "heard again",
                source: "a silence with two ends can be judged",
            },
        );
    } else {
        ledger.add(
            C,
            "reception",
            w.gap_open,
            Finding {
                indicator: "not_back",
                value: format!("{:.1}", hours(facts)),
                unit: "h",
                threshold: "still silent when the data end",
                source: "a ship that sailed out of reach looks the same",
            },
        );
    }
    if hours(facts) >= 12.0 {
        ledger.add(
            C,
            "behaviour",
            w.gap_long_confidence,
            Finding {
                indicator: "long",
                value: format!("{:.1}", hours(facts)),
                unit: "h",
                threshold: ">= 12",
                source: "Global Fishing Watch: below 12 h unreliable",
            },
        );
    }
    use ShipType::{Fishing, HighSpeed, Passenger, Pilot, Pleasure, Service, Tug};
    let kind = ShipType::of(party.particulars.ship_type);
    let nameless = matches!(kind, ShipType::Unknown | ShipType::Other) && !party.particulars.has_imo();
    if nameless || party.particulars.class == AisClass::B || matches!(kind, Pleasure | Passenger | Pilot | Fishing | Service | HighSpeed | Tug) {
        ledger.add(
            C,
            "types",
            w.gap_small_craft,
            Finding {
                indicator: "carries_no_cargo",
                value: kind.to_string(),
                unit: "",
                threshold: "no tanker or cargo ship, class B, or neither type nor IMO number",
                source: "ship types as sent",
            },
        );
    }
    let unmoved = facts.distance_m.is_some_and(|m| m < 1000.0) || (facts.on_ms.is_none() && speed.is_none_or(|kn| kn <= 2.0));
    let berthed = places.and_then(|p| p.first()).is_some_and(|p| p.on_land || p.port.as_ref().is_some_and(|(_, m)| *m < 10_000.0));
    if berthed && (unmoved || speed.is_none_or(|kn| kn <= 2.0)) {
        ledger.add(
            C,
            "berth",
            w.gap_in_port,
            Finding {
                indicator: "silent_where_it_lay",
                value: facts.distance_m.map_or_else(|| "still silent".into(), |m| format!("{m:.0} m between its ends")),
                unit: "",
                threshold: "at rest, inland or within 10 km of a port",
                source: "transponders are switched off alongside for lawful reasons",
            },
        );
    }
}

fn risk(ledger: &mut Ledger, facts: &GapFacts, party: &Party, places: Option<&[Place]>, params: &Params) {
    let w = &params.score;
    let hours = hours(facts);
    let (points, threshold) = match hours {
        h if h >= 12.0 => (w.gap_risk_long, ">= 12"),
        h if h >= 6.0 => (w.gap_risk_notable, ">= 6"),
        _ => (0, "< 6"),
    };
    ledger.add(
        R,
        "dark",
        points,
        Finding { indicator: "silence", value: format!("{hours:.1}"), unit: "h", threshold, source: "Skylight 6 h; Global Fishing Watch 12 h" },
    );
    if facts.implied_kn.is_some_and(|kn| kn > 6.0) {
        ledger.add(
            R,
            "dark",
            w.gap_risk_transit,
            Finding {
                indicator: "dark_transit",
                value: format!("{:.1}", facts.implied_kn.unwrap_or(0.0)),
                unit: "kn",
                threshold: "> 6 between its ends",
                source: "Androm 2018",
            },
        );
    }
    if ShipType::of(party.particulars.ship_type) == ShipType::Tanker {
        ledger.add(
            R,
            "dark",
            w.gap_risk_tanker,
            Finding { indicator: "tanker", value: "tanker".into(), unit: "", threshold: "a tanker", source: "ship type as sent" },
        );
    }
    identity(ledger, party, params);
    if let Some(place) = places.and_then(weightiest) {
        zone_risk(ledger, place, params);
    }
}

/// The end whose zone counts: one that may score before one that is only named, then the nearer, then the first.
pub fn weightiest(places: &[Place]) -> Option<&Place> {
    let rank = |p: &Place| p.zone.as_ref().map_or((2, f64::INFINITY), |z| (i32::from(!z.may_score), z.distance_nm));
    places.iter().min_by(|a, b| rank(a).0.cmp(&rank(b).0).then(rank(a).1.total_cmp(&rank(b).1)))
}

/// One sentence that can be read aloud.
pub fn summary(facts: &GapFacts, party: &Party, place: &Place) -> String {
    let hours = duration_h(facts);
    let end = match (facts.on_ms, facts.distance_m) {
        (Some(_), Some(m)) => format!("came back after {hours:.1} hours, {:.0} nm away", m / 1852.0),
        _ => format!("was still silent {hours:.1} hours later, when the data end"),
    };
    let others = match facts.surprise_nats {
        Some(n) if n >= 3.0 => "while others there were heard",
        Some(_) => "where reception is thin",
        None => "where nobody else could tell",
    };
    let unknown = match facts.undelivered_ms {
        0 => String::new(),
        ms => format!(" ({:.1} of the hours are on days without data)", ms as f64 / HOUR_MS as f64),
    };
    format!("{} fell silent {others}{}, and {end}{unknown}.", called(party), whereabouts(place))
}
