//! How well events agree with labels.
//!
//! *In*: events and labels. *Out*: a [`Report`]. An event matches a label when kind and ships agree and they overlap by at least
//! half of the shorter of the two; one event to one label, the best overlap first. Matching and counting are functions of values;
//! reading files stands apart.

use crate::lab::Error;
use crate::lab::labels::Label;
use crate::lab::table;
use crate::model::time::{HOUR_MS, MINUTE_MS, parse_rfc3339};
use crate::model::{Kind, Mmsi};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// What counts of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its name.
    pub id: String,
    /// What it claims.
    pub kind: Kind,
    /// One ship, or two with the lower MMSI first.
    pub ships: Vec<Mmsi>,
    /// UTC milliseconds.
    pub start_ms: i64,
    /// UTC milliseconds; of a silence that lasts, the end of the data.
    pub end_ms: i64,
    /// 0..100.
    pub confidence: i32,
}

/// Agreement in one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OfKind {
    /// `rendezvous` or `gap`.
    pub kind: String,
    /// Labels that are true.
    pub labels: usize,
    /// Of those, matched.
    pub found: usize,
    /// found / labels; null without labels.
    pub recall: Option<f64>,
    /// Events of the confidence asked for.
    pub events: usize,
    /// Of those, matching a true label.
    pub right: usize,
    /// right / events; null without events.
    pub precision: Option<f64>,
    /// Absolute error of the start of what was found: median and 90th percentile, minutes.
    pub start_error_min: Option<(f64, f64)>,
    /// Of the end.
    pub end_error_min: Option<(f64, f64)>,
}

/// Agreement in one scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OfScenario {
    /// Its name.
    pub scenario: String,
    /// Whether it is true, or only looks like it.
    pub truth: bool,
    /// Labels.
    pub labels: usize,
    /// Labels with an event: found, or wrongly reported.
    pub reported: usize,
}

/// The whole comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Events below do not count.
    pub min_confidence: i32,
    /// Events in the file below it.
    pub below: usize,
    /// By kind; kinds without labels are left out.
    pub kinds: Vec<OfKind>,
    /// By scenario, the true ones first.
    pub scenarios: Vec<OfScenario>,
    /// Names of true labels without an event.
    pub missed: Vec<String>,
    /// Names of events that match no true label.
    pub wrong: Vec<String>,
}

/// Pairs of an event's and a label's index. Ties go to the earlier event, then label.
pub fn matches(claims: &[Claim], labels: &[Label]) -> Vec<(usize, usize)> {
    let mut of_ships: BTreeMap<(Kind, &[Mmsi]), Vec<usize>> = BTreeMap::new();
    for (k, label) in labels.iter().enumerate() {
        of_ships.entry((label.kind, &label.ships)).or_default().push(k);
    }
    let mut candidates = Vec::new();
    for (c, claim) in claims.iter().enumerate() {
        for &l in of_ships.get(&(claim.kind, &claim.ships[..])).into_iter().flatten() {
            let label = &labels[l];
            let overlap = claim.end_ms.min(label.end_ms) - claim.start_ms.max(label.start_ms);
            let shorter = (claim.end_ms - claim.start_ms).min(label.end_ms - label.start_ms);
            if overlap > 0 && overlap * 2 >= shorter {
                candidates.push((std::cmp::Reverse(overlap), c, l));
            }
        }
    }
    candidates.sort_unstable();
    let (mut taken_claims, mut taken_labels) = (vec![false; claims.len()], vec![false; labels.len()]);
    candidates.retain(|&(_, c, l)| {
        let free = !taken_claims[c] && !taken_labels[l];
        if free {
            (taken_claims[c], taken_labels[l]) = (true, true);
        }
        free
    });
    candidates.into_iter().map(|(_, c, l)| (c, l)).collect()
}

/// Compares.
pub fn compare(claims: &[Claim], labels: &[Label], min_confidence: i32) -> Report {
    let counted: Vec<Claim> = claims.iter().filter(|c| c.confidence >= min_confidence).cloned().collect();
    let pairs = matches(&counted, labels);
    let mut label_of = vec![None; counted.len()];
    let mut claim_of = vec![None; labels.len()];
    for &(c, l) in &pairs {
        (label_of[c], claim_of[l]) = (Some(l), Some(c));
    }
    let is_right = |c: usize| label_of[c].is_some_and(|l: usize| labels[l].truth);
    let mut report = Report { min_confidence, below: claims.len() - counted.len(), ..Report::default() };
    for kind in Kind::ALL.into_iter().filter(|k| labels.iter().any(|l| l.kind == *k)) {
        let all: Vec<usize> = (0..labels.len()).filter(|l| labels[*l].kind == kind && labels[*l].truth).collect();
        let found: Vec<(&Claim, &Label)> = all.iter().filter_map(|l| claim_of[*l].map(|c: usize| (&counted[c], &labels[*l]))).collect();
        let events: Vec<usize> = (0..counted.len()).filter(|c| counted[*c].kind == kind).collect();
        let right = events.iter().filter(|c| is_right(**c)).count();
        let share = |n: usize, of: usize| (of > 0).then(|| n as f64 / of as f64);
        let errors = |f: &dyn Fn(&Claim, &Label) -> i64| spread(found.iter().map(|(c, l)| f(c, l).abs() as f64 / MINUTE_MS as f64).collect());
        report.wrong.extend(events.iter().filter(|c| !is_right(**c)).map(|c| counted[*c].id.clone()));
        report.kinds.push(OfKind {
            kind: kind.word().to_owned(),
            labels: all.len(),
            found: found.len(),
            recall: share(found.len(), all.len()),
            events: events.len(),
            right,
            precision: share(right, events.len()),
            start_error_min: errors(&|c, l| c.start_ms - l.start_ms),
            end_error_min: errors(&|c, l| c.end_ms - l.end_ms),
        });
    }
    let mut scenarios: BTreeMap<(bool, &str), (usize, usize)> = BTreeMap::new();
    for (l, label) in labels.iter().enumerate() {
        let counts = scenarios.entry((!label.truth, &label.scenario)).or_default();
        counts.0 += 1;
        counts.1 += usize::from(claim_of[l].is_some());
        if label.truth && claim_of[l].is_none() {
            report.missed.push(label.id.clone());
        }
    }
    let scenario = |((no, name), (labels, reported)): ((bool, &str), (usize, usize))| OfScenario { scenario: name.to_owned(), truth: !no, labels, reported };
    report.scenarios = scenarios.into_iter().map(scenario).collect();
    report
}

/// Median and 90th percentile (nearest rank); `None` of nothing.
fn spread(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let tenth = |v: f64| (v * 10.0).round() / 10.0;
    (n > 0).then(|| (tenth((values[(n - 1) / 2] + values[n / 2]) / 2.0), tenth(values[(n * 9).div_ceil(10) - 1])))
}

/// The report as people read it.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    let share = |v: Option<f64>| v.map_or_else(|| "-".into(), |v| format!("{v:.3}"));
    let minutes = |v: Option<(f64, f64)>| v.map_or_else(|| "-".into(), |(m, p)| format!("{m:.1} / {p:.1}"));
    let _ = writeln!(out, "at confidence {} and more ({} events below set aside)\n", report.min_confidence, report.below);
    let _ = writeln!(out, "kind         labels  found  recall   events  right  precision   start off (min)     end off (min)");
    for k in &report.kinds {
        let (start, end) = (minutes(k.start_error_min), minutes(k.end_error_min));
        let (recall, precision) = (share(k.recall), share(k.precision));
        let _ = writeln!(out, "{:<12}{:>7}{:>7}{recall:>8}{:>9}{:>7}{precision:>11}{start:>18}{end:>18}", k.kind, k.labels, k.found, k.events, k.right);
    }
    let _ = writeln!(out, "\nTimes are median / 90th percentile of what was found.");
    for (truth, head) in [(true, "true                              labels   found"), (false, "only looks like it                labels   wrongly reported")] {
        let of_truth: Vec<&OfScenario> = report.scenarios.iter().filter(|s| s.truth == truth).collect();
        if !of_truth.is_empty() {
            let _ = writeln!(out, "\n{head}");
        }
        for s in of_truth {
            let _ = writeln!(out, "  {:<32}{:>6}{:>8}", table::shown(&s.scenario), s.labels, s.reported);
        }
    }
    let list = |names: &[String]| names.iter().take(20).map(|n| table::shown(n)).collect::<Vec<_>>().join(" ") + if names.len() > 20 { " ..." } else { "" };
    for (what, names) in [("missed labels", &report.missed), ("wrong events", &report.wrong)] {
        if !names.is_empty() {
            let _ = writeln!(out, "\n{what}: {}", list(names));
        }
    }
    out
}

const COLUMNS: [&str; 8] = ["event_id", "kind", "start", "end", "duration_h", "confidence", "vessel_1_mmsi", "vessel_2_mmsi"];

/// Reads events from `events.csv`, `events.geojson` or the folder of a run. Kinds this program does not know are left out.
pub fn read_events(path: &Path) -> Result<Vec<Claim>, Error> {
    let mut path = path.to_path_buf();
    if path.is_dir() {
        let files = ["events.csv", "events.geojson"].map(|name| path.join(name));
        path = files.into_iter().find(|f| f.is_file()).ok_or(Error::NoEvents(path))?;
    }
    let is_json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("geojson") || e.eq_ignore_ascii_case("json"));
    let rows = if is_json { features(&path)? } else { table::read(&path, &COLUMNS)?.rows };
    let mut claims = Vec::with_capacity(rows.len());
    for (line, row) in rows {
        let bad = |column: usize| Error::Cell { path: path.clone(), line, column: COLUMNS[column], found: table::shown(&row[column]) };
        let Some(kind) = Kind::parse(&row[1]) else { continue };
        let start_ms = parse_rfc3339(&row[2]).ok_or_else(|| bad(2))?;
        let end_ms = if row[3].is_empty() {
            let hours = row[4].parse::<f64>().ok().filter(|h| (0.0..1e6).contains(h)).ok_or_else(|| bad(4))?;
            start_ms + (hours * HOUR_MS as f64).round() as i64
        } else {
            parse_rfc3339(&row[3]).ok_or_else(|| bad(3))?
        };
        let mut ships = Vec::new();
        // Numbers that a provider hides are empty: such an event matches no label.
        for k in [6, 7].into_iter().filter(|k| !row[*k].is_empty()) {
            ships.push(Mmsi(row[k].parse().map_err(|_| bad(k))?));
        }
        ships.sort();
        let confidence = row[5].parse().map_err(|_| bad(5))?;
        claims.push(Claim { id: row[0].clone(), kind, ships, start_ms, end_ms, confidence });
    }
    Ok(claims)
}

/// The columns of every feature's properties, as text; null and absent are empty.
fn features(path: &Path) -> Result<Vec<(u64, Vec<String>)>, Error> {
    use serde_json::Value;
    let broken = |what: String| Error::NotATable { path: path.to_path_buf(), what };
    let file = std::fs::File::open(path).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    let whole: Value = serde_json::from_reader(std::io::BufReader::new(file)).map_err(|e| broken(e.to_string()))?;
    let features = whole.get("features").and_then(Value::as_array).ok_or_else(|| broken("no list of features".into()))?;
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let row = |(k, f): (usize, &Value)| (k as u64 + 1, COLUMNS.iter().map(|c| text(f.get("properties").and_then(|p| p.get(c)))).collect());
    Ok(features.iter().enumerate().map(row).collect())
}
