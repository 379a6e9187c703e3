//! `state.json`: what the state holds, and which objects hold it. The one file that changes, and it changes whole.

use crate::detect::coverage::LEARNT_DAYS;
use crate::model::Params;
use crate::run::state::objects::Name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The schema that this version writes and reads.
pub const SCHEMA: u32 = 4;

/// Everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Always `alongside`.
    pub tool: String,
    /// [`SCHEMA`].
    pub schema_version: u32,
    /// Version of the program that wrote it.
    pub version: String,
    /// What decides which events exist.
    pub detection: Detection,
    /// Hash of weights and places.
    pub scoring_hash: String,
    /// Inputs by name, without folder and container suffix.
    pub inputs: BTreeMap<String, Input>,
    /// Days folded, from the first to the last, with those missing among them; by number since 1970.
    pub days: BTreeMap<i32, Day>,
    /// Events that are not final, by the last night.
    pub provisional: Option<Name>,
    /// The ledger.
    pub ledger: Option<Name>,
    /// Nights so far.
    pub nights: u64,
    /// Days before this one can no longer be corrected: their rows are gone.
    pub settled_before: Option<i32>,
    /// A run folder that was written with this state, and may still have to be put in its place.
    pub publish: Option<Publish>,
}

/// What must be the same in every night of a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Hash of the parameters that decide which events exist.
    pub hash: String,
    /// The parameters, for people.
    pub params: Params,
    /// The box, in 1e-7 degree.
    pub bbox_e7: Option<[i32; 4]>,
    /// Events below are not kept.
    pub min_confidence: i32,
}

/// An input as last delivered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Where it was.
    pub path: PathBuf,
    /// SHA-256 of the file as stored.
    pub sha256: String,
    /// Size as stored.
    pub bytes: u64,
    /// How it was read: what was asked of it, and how it was said to be laid out.
    #[serde(default)]
    pub reading: String,
    /// The night in which it came, from 1.
    pub night: u64,
    /// Whether its days were told from stray clocks when it was made, as `convert` does.
    pub judged: bool,
    /// Rows by UTC day.
    pub days: BTreeMap<i32, Rows>,
}

/// Positions and particulars.
pub type Part = [Name; 2];

/// The rows of an input on a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Positions delivered, repeats among them.
    pub delivered: u64,
    /// Positions kept.
    pub positions: u64,
    /// The positions and the particulars, as Parquet, in as many parts as they came; none once the day is settled.
    pub objects: Option<Vec<Part>>,
}

/// A day as folded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// Hash over the rows it was folded from; empty for a missing day.
    pub rows_hash: String,
    /// Positions delivered for it, repeats among them.
    pub delivered: u64,
    /// The engine's state after it; none once nothing can come before it any more.
    pub checkpoint: Option<Name>,
    /// The open tracks of every ship after it, to assign rows to tracks again.
    pub ships: Option<Name>,
    /// Meetings that ended on it, and silences whose water is not asked yet.
    pub found: Option<Name>,
    /// Meetings that ended on it and are not worth an event.
    pub faint: Option<Name>,
    /// What would have been open, had the data ended with it.
    pub open: Option<Name>,
    /// Reception.
    pub heard: Option<Name>,
    /// Silences whose water is judged for good with this day.
    pub judged: Option<Name>,
    /// Events that became final with this day.
    pub settled: Option<Name>,
}

/// A run folder on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Publish {
    /// Where it was written.
    pub from: PathBuf,
    /// Where it belongs.
    pub to: PathBuf,
}

impl Input {
    /// Whether nothing of it can change any more.
    pub fn is_settled(&self, settled_before: Option<i32>) -> bool {
        !self.days.is_empty() && self.days.keys().all(|day| settled_before.is_some_and(|settled| *day < settled))
    }
}

impl Index {
    /// Of a state that has seen nothing.
    pub fn new(detection: Detection, scoring_hash: String) -> Self {
        Self {
            tool: "alongside".to_owned(),
            schema_version: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            detection,
            scoring_hash,
            inputs: BTreeMap::new(),
            days: BTreeMap::new(),
            provisional: None,
            ledger: None,
            nights: 0,
            settled_before: None,
            publish: None,
        }
    }

    /// Every object that it names.
    pub fn objects(&self) -> BTreeSet<&str> {
        let rows = self.inputs.values().flat_map(|i| i.days.values()).flat_map(|r| r.objects.iter().flatten().flatten());
        let days =
            self.days.values().flat_map(|d| [&d.checkpoint, &d.ships, &d.found, &d.faint, &d.open, &d.heard, &d.judged, &d.settled].into_iter().flatten());
        rows.chain(days).chain(&self.provisional).chain(&self.ledger).map(String::as_str).collect()
    }

    /// Rows delivered by day.
    pub fn rows_by_day(&self) -> BTreeMap<i32, u64> {
        let settled = |day: &i32| self.settled_before.is_some_and(|s| *day < s);
        let mut rows: BTreeMap<i32, u64> = self.days.iter().filter(|(d, _)| settled(d)).map(|(d, day)| (*d, day.delivered)).collect();
        for (day, n) in self.inputs.values().flat_map(|i| &i.days).filter(|(d, _)| !settled(d)) {
            *rows.entry(*day).or_default() += n.delivered;
        }
        rows
    }

    /// Positions delivered for a day.
    pub fn delivered_on(&self, day: i32) -> u64 {
        self.inputs.values().filter_map(|i| i.days.get(&day)).map(|r| r.delivered).sum()
    }

    /// What a day is folded from: its inputs in the order of their names, and the hash of that.
    pub fn rows_of(&self, day: i32) -> (Vec<(&str, &Rows)>, String) {
        let rows: Vec<_> = self.inputs.iter().filter_map(|(name, i)| i.days.get(&day).map(|r| (name.as_str(), r))).collect();
        let mut hasher = blake3::Hasher::new();
        for (name, rows) in &rows {
            hasher.update(name.as_bytes());
            for object in rows.objects.iter().flatten().flatten() {
                hasher.update(object.as_bytes());
            }
        }
        (rows, hasher.finalize().to_hex().as_str()[..32].to_owned())
    }

    /// Lets go of what the configuration does not ask to keep.
    pub fn prune(&mut self, params: &Params) {
        let Some((&last, _)) = self.days.last_key_value() else { return };
        let settled = last - params.state.revision_d as i32 + 1;
        let settled = self.settled_before.map_or(settled, |s| s.max(settled));
        self.settled_before = Some(settled);
        for input in self.inputs.values_mut() {
            input.days.range_mut(..settled).for_each(|(_, rows)| rows.objects = None);
        }
        // Inputs whose days are settled stay known by their names, so that a folder that still holds them is not read again.
        for (_, day) in self.days.range_mut(..settled - 1) {
            (day.checkpoint, day.ships) = (None, None);
        }
        let looked_at = params.book.context_d as i32 + LEARNT_DAYS + 3;
        self.days.retain(|day, _| *day > last - (params.state.keep_d.max(params.state.revision_d) as i32 + looked_at));
    }
}
