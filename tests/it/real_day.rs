//! The real day, where it is at hand: `ALONGSIDE_DATA` names the folder that holds `marinecadastre_2020-01-01_us.csv.zst`.
//!
//! Without it every test here says that it was skipped. The day is public domain and is never committed.

use alongside::ingest::Limits;
use alongside::model::time::{HOUR_MS, MINUTE_MS};
use alongside::model::{Event, Kind, time};
use alongside::run::oneshot::{self, Outcome, Plan};
use alongside::spatial::boxes::IndexKind;
use std::path::{Path, PathBuf};

const DAY: &str = "marinecadastre_2020-01-01_us.csv.zst";

fn day() -> Option<PathBuf> {
    let path = std::env::var_os("ALONGSIDE_DATA").map(|folder| Path::new(&folder).join(DAY));
    let found = path.filter(|p| p.is_file());
    if found.is_none() {
        println!("skipped: ALONGSIDE_DATA names no folder with {DAY}");
    }
    found
}

fn run(inputs: Vec<String>, index: IndexKind, limits: Limits) -> (Outcome, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { index, limits, ..Plan::new(inputs, folder.path().join("run")) };
    (oneshot::detect(&plan, &|_| ()).unwrap(), folder)
}

fn files(folder: &tempfile::TempDir) -> [Vec<u8>; 2] {
    ["events.geojson", "events.csv"].map(|name| std::fs::read(folder.path().join("run").join(name)).unwrap())
}

fn between<'a>(events: &'a [Event], one: &str, two: &str) -> Vec<&'a Event> {
    let is = |e: &&Event| e.kind == Kind::Rendezvous && [one, two].iter().all(|n| e.parties.iter().any(|p| p.particulars.name == *n));
    events.iter().filter(is).collect()
}

/// Transfers seen in the raw rows: one event each, sure, and at the right time.
#[test]
fn known_transfers_are_found_once_and_in_time() {
    let Some(day) = day() else { return };
    let (outcome, _folder) = run(vec![day.display().to_string()], IndexKind::Rstar, Limits::default());
    let rows: u64 = outcome.accounts.iter().map(|a| a.rows).sum();
    assert_eq!(rows, 6_343_600);
    assert!(outcome.accounts.iter().all(|a| a.balances()) && outcome.refused.is_empty());
    let midnight = time::day_start_ms(time::parse_day("2020-01-01").unwrap());
    let at = |h: i64, m: i64| midnight + h * HOUR_MS + m * MINUTE_MS;
    for (one, two, start, end) in [
        ("ZENITH SPIRIT", "EAGLE TAMPA", at(3, 8), at(22, 31)),
        ("BARBARICA", "NORDORCHID", at(3, 29), at(13, 7)),
        ("BARBARICA", "STEMNITSA", at(14, 5), at(20, 58)),
    ] {
        let found = between(&outcome.book.events, one, two);
        assert_eq!(found.len(), 1, "{one} beside {two}");
        let event = found[0];
        assert!(event.confidence >= 70, "{one} beside {two}: {}", event.confidence);
        let off = |a: i64, b: i64| (a - b).abs() as f64 / MINUTE_MS as f64;
        assert!(off(event.start_ms, start) <= 20.0 && off(event.end_ms.unwrap(), end) <= 20.0, "{one} beside {two}: {}", event.summary);
    }
    let (found, below) = outcome.book.counts[&Kind::Rendezvous];
    assert!(found > 50_000 && found - below < 300, "{found} meetings, {} at 50 and more", found - below);
    let barbarica: Vec<_> = outcome.book.events.iter().filter(|e| e.parties.iter().any(|p| p.particulars.name == "BARBARICA")).collect();
    assert!(barbarica.windows(2).all(|w| w[0].cluster_id == w[1].cluster_id), "one ship, two customers: one cluster");
}

/// A part of the day, off Texas and Louisiana: the same bytes by every index.
#[test]
fn every_index_gives_the_same_bytes() {
    let Some(day) = day() else { return };
    let limits = || Limits { bbox_e7: Some([-955_000_000, 270_000_000, -900_000_000, 300_000_000]), ..Limits::default() };
    let of = |index| run(vec![day.display().to_string()], index, limits());
    let (outcome, folder) = of(IndexKind::Rstar);
    assert!(outcome.book.events.len() > 20, "{}", outcome.book.events.len());
    for index in [IndexKind::Sif, IndexKind::Grid, IndexKind::Brute] {
        assert_eq!(files(&folder), files(&of(index).1), "{}", index.word());
    }
}
