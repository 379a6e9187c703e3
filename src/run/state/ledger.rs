//! What became of every event from night to night.

use crate::model::Kind;
use crate::run::state::objects::{Name, name_of};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// An event as the book of a state holds it: rendered, with what orders and follows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rendered {
    /// Its name.
    pub id: String,
    /// What it claims.
    pub kind: Kind,
    /// UTC milliseconds.
    pub start_ms: i64,
    /// UTC milliseconds; none while it lasts.
    pub end_ms: Option<i64>,
    /// Hours, to the end of the data while it lasts.
    pub duration_h: f64,
    /// MMSI and track of its ships.
    pub ships: Vec<(u32, u64)>,
    /// Confidence and risk.
    pub scores: (i32, i32),
    /// Whether it had an end yet.
    pub open: bool,
    /// Nothing changes it any more.
    pub settled: bool,
    /// One sentence about it.
    pub summary: String,
    /// Hash of its content, whether settled or not.
    pub content: Name,
    /// Its Feature.
    pub geojson: String,
    /// Its line.
    pub csv: String,
}

impl Rendered {
    /// The order of events in files.
    pub fn order(&self) -> (i64, &[(u32, u64)], Kind, Option<i64>) {
        (self.start_ms, &self.ships, self.kind, self.end_ms)
    }
    /// Hash of a Feature without its finality.
    pub fn content_of(geojson: &str) -> Name {
        name_of(geojson.replacen("\"final\":true", "\"final\":false", 1).as_bytes())
    }
}

/// What a night did to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// Not known the night before.
    New,
    /// Known, and something about it changed.
    Revised,
    /// Known, and the same.
    Unchanged,
    /// Known, and no event any more.
    Withdrawn,
    /// The same for good.
    Final,
}

impl Status {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Revised => "revised",
            Self::Unchanged => "unchanged",
            Self::Withdrawn => "withdrawn",
            Self::Final => "final",
        }
    }
}

/// Why an event changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// It did not.
    None,
    /// The days went on.
    NextDay,
    /// A silence ended.
    ClosedGap,
    /// A day came late, was corrected or was forgotten.
    LateData,
    /// Weights or places are others.
    ConfigurationChanged,
    /// Thirty days have passed.
    Settled,
}

impl Reason {
    /// The words in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::NextDay => "next day",
            Self::ClosedGap => "closed gap",
            Self::LateData => "late data",
            Self::ConfigurationChanged => "changed configuration",
            Self::Settled => "settled",
        }
    }
}

/// One event in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What the last night did.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// What it claims.
    pub kind: Kind,
    /// UTC milliseconds.
    pub start_ms: i64,
    /// UTC milliseconds.
    pub end_ms: Option<i64>,
    /// MMSI and track of its ships.
    pub ships: Vec<(u32, u64)>,
    /// Whether it had an end yet.
    pub open: bool,
    /// Hash of its content.
    pub content: Name,
    /// The night that found it first, from 1.
    pub first_night: u64,
    /// The last night that found or withdrew it.
    pub last_night: u64,
    /// The name it had when its start was another.
    pub previous: Option<String>,
}

/// All events a state has told of and not let go since, by name.
pub type Ledger = BTreeMap<String, Entry>;

/// What explains a night's changes.
#[derive(Clone, Copy, Debug)]
pub struct Night {
    /// Its number, from 1.
    pub number: u64,
    /// Weights or places changed.
    pub rescored: bool,
    /// Days folded before, again from this moment on.
    pub again_from_ms: Option<i64>,
    /// The end of the data the night before.
    pub known_until_ms: i64,
    /// Whether there are later data now.
    pub goes_on: bool,
    /// What ended until then is no longer in the book, because it is old and not because it is wrong.
    pub let_go_until_ms: i64,
}

/// A new event, from when, and to when.
type Heir = (String, i64, Option<i64>);

/// The ledger after a night that ended with these events.
pub fn next(before: &Ledger, book: &[Rendered], night: Night) -> Ledger {
    let mut ledger = Ledger::new();
    let reason = |end_ms: Option<i64>, was_open: bool, is_gap: bool, is_open: bool| {
        let late = night.again_from_ms.is_some_and(|from| end_ms.is_none_or(|end| end >= from));
        match () {
            () if night.rescored => Reason::ConfigurationChanged,
            () if is_gap && was_open && !is_open => Reason::ClosedGap,
            // Nothing came behind the data that there were: so something among them is another.
            () if !night.goes_on => Reason::LateData,
            () if late && end_ms.is_some_and(|end| end <= night.known_until_ms) && !was_open => Reason::LateData,
            () => Reason::NextDay,
        }
    };
    for event in book {
        let old = before.get(&event.id).filter(|e| e.status != Status::Withdrawn);
        let is_gap = event.kind == Kind::Gap;
        let (status, why) = match old {
            None => (Status::New, reason(event.end_ms, false, false, event.open)),
            Some(old) if old.content != event.content => (Status::Revised, reason(event.end_ms, old.open, is_gap, event.open)),
            Some(_) if event.settled => (Status::Final, Reason::Settled),
            Some(_) => (Status::Unchanged, Reason::None),
        };
        let first_night = before.get(&event.id).map_or(night.number, |e| e.first_night);
        let entry = Entry {
            status,
            reason: why,
            kind: event.kind,
            start_ms: event.start_ms,
            end_ms: event.end_ms,
            ships: event.ships.clone(),
            open: event.open,
            content: event.content.clone(),
            first_night,
            last_night: night.number,
            previous: before.get(&event.id).and_then(|e| e.previous.clone()),
        };
        ledger.insert(event.id.clone(), entry);
    }
    // What is no event any more, and whether it goes on under another name.
    let mut successors: BTreeMap<(Kind, Vec<u32>), Vec<Heir>> = BTreeMap::new();
    let mmsis = |e: &Entry| e.ships.iter().map(|s| s.0).collect::<Vec<_>>();
    for (id, e) in ledger.iter().filter(|(_, e)| e.status == Status::New) {
        successors.entry((e.kind, mmsis(e))).or_default().push((id.clone(), e.start_ms, e.end_ms));
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (id, old) in before {
        if ledger.contains_key(id) || old.end_ms.unwrap_or(old.start_ms) <= night.let_go_until_ms {
            continue;
        }
        let mut entry = old.clone();
        if old.status != Status::Withdrawn {
            entry.status = Status::Withdrawn;
            entry.reason = reason(old.end_ms, old.open, false, old.open);
            entry.last_night = night.number;
            let overlaps = |s: &&Heir| s.1 <= old.end_ms.unwrap_or(i64::MAX) && s.2.unwrap_or(i64::MAX) >= old.start_ms;
            let heir = successors.get(&(old.kind, mmsis(old))).and_then(|s| s.iter().filter(overlaps).find(|s| !taken.contains(&s.0)));
            if let Some((heir, _, _)) = heir {
                taken.insert(heir.clone());
                if let Some(e) = ledger.get_mut(heir) {
                    e.previous = Some(id.clone());
                }
            }
        }
        ledger.insert(id.clone(), entry);
    }
    // What is an event, perhaps again, is nobody's earlier name.
    let is_gone = |id: &String| ledger.get(id).is_none_or(|e| e.status == Status::Withdrawn);
    let wrong: Vec<String> = ledger.iter().filter(|(_, e)| !e.previous.as_ref().is_none_or(is_gone)).map(|(id, _)| id.clone()).collect();
    for id in wrong {
        if let Some(e) = ledger.get_mut(&id) {
            e.previous = None;
        }
    }
    ledger
}

/// `ledger.csv`.
pub fn write(ledger: &Ledger, out: &mut dyn Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["event_id", "status", "reason", "kind", "start", "first_run", "last_run", "previous_event_id"])?;
    let mut entries: Vec<(&String, &Entry)> = ledger.iter().collect();
    entries.sort_by_key(|(id, e)| (e.start_ms, &e.ships, e.kind, *id));
    for (id, e) in entries {
        let (first, last) = (e.first_night.to_string(), e.last_night.to_string());
        let start = crate::model::time::rfc3339(e.start_ms);
        let previous = e.previous.as_deref().unwrap_or_default();
        writer.write_record([id, e.status.word(), e.reason.word(), e.kind.word(), &start, &first, &last, previous])?;
    }
    writer.flush()?;
    Ok(())
}
