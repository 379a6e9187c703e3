//! `manifest.json`: what ran on what, with what came of it. The only file of a run that knows the wall clock.

use crate::export::whole::Written;
use crate::ingest;
use crate::model::event::Event;
use crate::model::{FileAccount, Kind, Params, time};
use crate::run::book::Book;
use crate::run::config;
use crate::run::engine::Tally;
use crate::run::nightly::News;
use crate::run::presets::Preset;
use crate::spatial::boxes::IndexKind;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Everything that the manifest tells.
pub struct Facts<'a> {
    /// Row accounting by file.
    pub accounts: &'a [FileAccount],
    /// Inputs that were refused, and why.
    pub refused: &'a [ingest::Error],
    /// The rules.
    pub params: &'a Params,
    /// What the rules began with.
    pub preset: Preset,
    /// The index used.
    pub index: IndexKind,
    /// Work done.
    pub tally: &'a Tally,
    /// Events and counts.
    pub book: &'a Book,
    /// Ships with a position.
    pub vessels: u64,
    /// First and last day, RFC 3339 dates.
    pub days: Vec<String>,
    /// End of the data.
    pub data_end: String,
    /// The threshold of the files.
    pub min_confidence: i32,
    /// Threads used.
    pub threads: usize,
    /// Wall-clock begin, RFC 3339.
    pub started: String,
    /// Wall-clock milliseconds by stage, in order.
    pub timings_ms: Vec<(&'static str, u64)>,
    /// What a night changed in its state.
    pub news: Option<&'a News>,
    /// The inputs that `file` in `tracks.parquet` numbers; empty where these are `inputs`.
    pub track_files: &'a [String],
}

/// The manifest as JSON.
pub fn json(facts: &Facts, outputs: &[Written]) -> Value {
    let (detection_hash, params_hash) = config::hashes(facts.params);
    let mut counts = Map::new();
    for (kind, news) in Kind::ALL.iter().filter_map(|k| Some((k, facts.news?))) {
        let of = |counts: &std::collections::BTreeMap<Kind, u64>| counts.get(kind).copied().unwrap_or_default();
        counts.insert(kind.word().into(), json!({"found": of(&news.found), "written": of(&news.events)}));
    }
    for kind in Kind::ALL.into_iter().filter(|_| facts.news.is_none()) {
        let (found, below) = facts.book.counts.get(&kind).copied().unwrap_or_default();
        let written = facts.book.events.iter().filter(|e: &&Event| e.kind == kind).count();
        counts.insert(kind.word().into(), json!({"found": found, "below_50": below, "written": written}));
    }
    let search = &facts.tally.search;
    json!({
        "tool": "alongside",
        "version": env!("CARGO_PKG_VERSION"),
        "schema_version": 1,
        "preset": facts.preset.word(),
        "configuration": facts.params,
        "detection_hash": detection_hash,
        "configuration_hash": params_hash,
        "min_confidence": facts.min_confidence,
        "inputs": inputs(facts.accounts, facts.refused),
        "refused": facts.refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "days": facts.days,
        "data_end": facts.data_end,
        "vessels": facts.vessels,
        "tracks": facts.tally.tracks,
        "dropped_fixes": {"teleports": facts.tally.teleports, "repeats": facts.tally.repeats, "simultaneous": facts.tally.simultaneous},
        "events": counts,
        "night": facts.news.filter(|n| n.night > 0).map(night),
        "track_files": if facts.track_files.is_empty() { Value::Null } else { json!(facts.track_files) },
        "spatial": {
            "index": facts.index.word(),
            "entries": search.entries,
            "build_ms": search.build_us as f64 / 1000.0,
            "query_ms": search.query_us as f64 / 1000.0,
            "candidates": search.candidates,
            "exact_tests": facts.tally.exact_tests,
            "hits": facts.tally.hits,
        },
        "outputs": outputs.iter().map(|w| json!({"name": w.name, "bytes": w.bytes, "sha256": w.sha256})).collect::<Vec<_>>(),
        "threads": facts.threads,
        "started": facts.started,
        "timings_ms": facts.timings_ms.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect::<Map<_, _>>(),
        "peak_memory_bytes": peak_memory_bytes(),
    })
}

fn night(news: &News) -> Value {
    let day = |d: &i32| time::day_text(*d);
    json!({
        "number": news.night,
        "folded": news.folded.map(|(from, to)| [day(&from), day(&to)]),
        "missing_days": news.missing.iter().map(day).collect::<Vec<_>>(),
        "unchanged_inputs": news.unchanged_inputs,
        "ledger": news.by_status.iter().map(|(s, n)| (s.word().to_owned(), json!(n))).collect::<Map<_, _>>(),
    })
}

/// One entry for every file that was named or found, and every member of an archive: read, or refused and why.
pub fn inputs(accounts: &[FileAccount], refused: &[ingest::Error]) -> Vec<Value> {
    let why = |path: &Path| refused.iter().find(|e| e.path() == Some(path)).map(ToString::to_string);
    let mut all: Vec<Value> = accounts.iter().map(|a| account(a, why(&a.path))).collect();
    for path in refused.iter().filter_map(ingest::Error::path) {
        if accounts.iter().all(|a| a.path != path) {
            let (sha256, bytes) = ingest::container::stored(path).unwrap_or_default();
            all.push(account(&FileAccount { path: path.to_path_buf(), sha256, bytes, ..FileAccount::default() }, why(path)));
        }
    }
    all
}

/// The row accounting of a file.
fn account(a: &FileAccount, refused: Option<String>) -> Value {
    let rejected: Map<String, Value> = a.rejected.iter().map(|(r, n)| (r.key().to_owned(), json!(n))).collect();
    let not_ships: Map<String, Value> = a.not_ships.iter().map(|(k, n)| ((*k).to_owned(), json!(n))).collect();
    json!({
        "path": a.path.display().to_string(),
        "layout": a.layout,
        "sha256": a.sha256,
        "bytes": a.bytes,
        "rows": a.rows,
        "accepted": a.accepted(),
        "rejected": rejected,
        "positions": a.positions,
        "static_only": a.static_only,
        "no_position": a.no_position,
        "duplicates": a.duplicates,
        "not_ships": not_ships,
        "refused": refused,
    })
}

/// Greatest resident memory of this process so far, where the system tells (Linux).
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb * 1024)
}
