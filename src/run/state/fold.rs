//! The days that something changed on are folded again, with all after them, and the book is written up.

use crate::detect::coverage::{Coverage, LEARNT_DAYS, Reception};
use crate::detect::meeting::Lying;
use crate::export::csv as events_csv;
use crate::export::geojson;
use crate::frame;
use crate::ingest::Limits;
use crate::model::time::{self, DAY_MS};
use crate::model::{Event, GapFacts, Kind, Params, Party, RendezvousFacts, TrackId};
use crate::run::book::{self, References};
use crate::run::engine::{self, Findings, State, Tally, Ways};
use crate::run::faint::Faint;
use crate::run::heap;
use crate::run::oneshot::Progress;
use crate::run::state::Error;
use crate::run::state::index::{Day, Index};
use crate::run::state::ledger::Rendered;
use crate::run::state::objects::{Name, Objects};
use crate::run::state::rows::{self, DayOf, Fresh};
use crate::run::state::taken::Taken;
use crate::spatial::boxes::IndexKind;
use crate::spatial::{coast::Coast, ports::Ports, zones::Zones};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Meetings and silences of a step, as objects hold them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Found {
    meetings: Vec<(RendezvousFacts, [Party; 2])>,
    gaps: Vec<(GapFacts, Party)>,
}

/// A meeting that is not worth an event: where it lay, and which of the two is a tug.
type Slight = (Lying, [bool; 2]);

/// What would be open, had the data ended with a day.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Open {
    found: Found,
    faint: Vec<Slight>,
    heard: Reception,
}

/// What a fold came to.
#[derive(Default)]
pub struct Folded {
    /// First and last day of the state.
    pub span: Option<(i32, i32)>,
    /// Days that were delivered.
    pub delivered: BTreeSet<i32>,
    /// The first day that was folded again; none where nothing changed.
    pub begin: Option<i32>,
    /// The last day before the night.
    pub known_until: Option<i32>,
    /// Weights or places are others than the night before.
    pub rescored: bool,
    /// What the folded days found, by kind.
    pub found: BTreeMap<Kind, u64>,
    /// Work done.
    pub tally: Tally,
    /// Repeats of rows of another input, by input.
    pub repeated: BTreeMap<String, Vec<u32>>,
    /// Ships with a position on the last day.
    pub vessels: u64,
}

/// How to fold.
pub struct Rules<'a> {
    /// The rules.
    pub params: &'a Params,
    /// The candidate search.
    pub index: IndexKind,
    /// Events below are not kept.
    pub min_confidence: i32,
    /// Which days count as delivered.
    pub limits: &'a Limits,
    /// Hash of weights and places.
    pub scoring_hash: String,
    /// Places.
    pub refs: References<'a>,
    /// Microseconds of the caller's clock.
    pub now_us: &'a (dyn Fn() -> u64 + Sync),
    /// Told of stages.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

impl<'a> Rules<'a> {
    /// With the places that the program brings.
    pub fn new(
        params: &'a Params,
        index: IndexKind,
        min_confidence: i32,
        limits: &'a Limits,
        scoring_hash: String,
        now_us: &'a (dyn Fn() -> u64 + Sync),
        progress: &'a (dyn Fn(Progress) + Sync),
    ) -> Self {
        let refs = References { zones: Zones::embedded(), ports: Ports::embedded(), coast: Coast::embedded() };
        Self { params, index, min_confidence, limits, scoring_hash, refs, now_us, progress }
    }
}

/// The days that count as delivered. What counted when a day was settled counts for good: its events are final.
fn delivered(index: &Index, limits: &Limits) -> BTreeSet<i32> {
    let open_from = index.settled_before.unwrap_or(i32::MIN);
    let judged = index.inputs.values().filter(|input| input.judged).flat_map(|input| input.days.keys().copied());
    let open = limits.delivered(&index.rows_by_day()).into_iter().chain(judged).filter(|day| *day >= open_from);
    open.chain(index.days.range(..open_from).filter(|(_, day)| !day.rows_hash.is_empty()).map(|(day, _)| *day)).collect()
}

/// Folds every day that something changed on, and all after it.
pub fn fold(index: &mut Index, objects: &Objects, taken: &mut Taken, rules: &Rules) -> Result<Folded, Error> {
    let delivered = delivered(index, rules.limits);
    taken.judge_strays(index, &delivered, objects)?;
    let known: Option<(i32, i32)> = index.days.first_key_value().zip(index.days.last_key_value()).map(|(a, b)| (*a.0, *b.0));
    let rescored = index.scoring_hash != rules.scoring_hash;
    let mut folded = Folded { known_until: known.map(|k| k.1), rescored, ..Folded::default() };
    let (Some(&first), Some(&last)) = (delivered.first(), delivered.last()) else {
        index.days.clear();
        index.provisional = None;
        return Ok(folded);
    };
    let open_from = index.settled_before.unwrap_or(i32::MIN);
    // A state begins with its first day for good once that is settled, also where older ones were let go and nothing came on it.
    let settled_from = known.map(|k| k.0).filter(|day| *day < open_from);
    let first = settled_from.map_or(first, |day| day.min(first));
    // And it ends with its last settled day at the least, also where all that came later was taken away.
    let last = if settled_from.is_some() { last.max(open_from - 1) } else { last };
    folded.span = Some((first, last));
    let hash_of = |day: i32| if delivered.contains(&day) { index.rows_of(day).1 } else { String::new() };
    let differs = |day: &i32| index.days.get(day).is_none_or(|d| d.rows_hash != hash_of(*day));
    let mut begin = (first.max(open_from)..=last).find(differs);
    if known.is_some_and(|k| k.0 != first) {
        begin = Some(first.max(open_from));
    } else if rescored {
        let foldable = |day: &i32| *day == first || index.days.get(&(day - 1)).is_some_and(|d| d.checkpoint.is_some());
        begin = (first.max(open_from)..=last).find(foldable).or(begin);
    }
    if begin.is_none() && known.is_some_and(|k| k.1 > last) {
        // The last days were taken away: what was open at the new end must be told again.
        begin = Some(last.max(open_from));
    }
    index.days.retain(|day, _| (first..=last).contains(day));
    index.scoring_hash.clone_from(&rules.scoring_hash);
    folded.begin = begin.filter(|day| *day <= last);
    folded.delivered = delivered;
    let Some(begin) = begin else { return Ok(folded) };
    let mut fold = Fold { index, objects, rules, fresh: taken.fresh.take(), coverage: Coverage::default(), missing: Vec::new(), first, last, folded };
    fold.days(begin)?;
    Ok(fold.folded)
}

/// A fold on its way.
struct Fold<'a> {
    index: &'a mut Index,
    objects: &'a Objects,
    rules: &'a Rules<'a>,
    /// Rows that are still in memory.
    fresh: Option<Fresh>,
    /// Reception of the last days.
    coverage: Coverage,
    /// Days without data so far.
    missing: Vec<i32>,
    first: i32,
    last: i32,
    folded: Folded,
}

impl Fold<'_> {
    /// Every day from `begin` on; where weights changed, the book of all days before as well.
    fn days(&mut self, begin: i32) -> Result<(), Error> {
        let start = if self.folded.rescored { self.first } else { begin.min(self.last) };
        self.missing = (self.first..start).filter(|d| !self.folded.delivered.contains(d)).collect();
        for (_, day) in self.index.days.range(start - LEARNT_DAYS - 3..start) {
            if let Some(heard) = &day.heard {
                self.coverage.add(self.objects.get_value(heard)?);
            }
        }
        let mut state = if begin > self.last { Some(self.state_before(self.last + 1)?) } else { None };
        for day in start..=self.last {
            if !self.folded.delivered.contains(&day) {
                self.missing.push(day);
            }
            if day >= begin {
                let before = match state.take() {
                    Some(state) => state,
                    None => self.state_before(day)?,
                };
                state = Some(self.advance(before, day)?);
            } else if let Some(heard) = self.index.days.get(&day).and_then(|d| d.heard.as_ref()) {
                self.coverage.add(self.objects.get_value(heard)?);
            }
            self.coverage.forget_before(day - LEARNT_DAYS - 2);
            self.judge(day)?;
            // Checkpoints that no correction can reach are not written.
            let keep = day >= self.last - self.rules.params.state.revision_d as i32;
            if day == self.last || day - self.rules.params.book.final_d as i32 >= self.first {
                (self.rules.progress)(Progress::Stage("weighing the evidence"));
                let state = state.as_ref().filter(|_| day >= begin || day == self.last);
                if let Some(open) = self.open(day, state, keep)? {
                    self.write_up(day, open)?;
                }
            } else if let Some(state) = state.as_ref().filter(|_| keep) {
                let checkpoint = self.objects.put_value(state)?;
                self.entry(day).checkpoint = Some(checkpoint);
            }
        }
        Ok(())
    }

    fn entry(&mut self, day: i32) -> &mut Day {
        self.index.days.entry(day).or_default()
    }

    fn ways(&self) -> Ways<'_> {
        Ways { params: self.rules.params, index: self.rules.index, keep: book::worth_keeping(self.rules.min_confidence), now_us: self.rules.now_us }
    }

    fn state_before(&self, day: i32) -> Result<State, Error> {
        if day == self.first {
            return Ok(State::default());
        }
        let checkpoint = self.index.days.get(&(day - 1)).and_then(|d| d.checkpoint.as_ref());
        let oldest = || self.index.settled_before.map(time::day_text).unwrap_or_default();
        let checkpoint = checkpoint.ok_or_else(|| Error::Settled { what: format!("rows of {}", time::day_text(day)), oldest: oldest() })?;
        self.objects.get_value(checkpoint)
    }

    /// Takes in a day.
    fn advance(&mut self, before: State, day: i32) -> Result<State, Error> {
        (self.rules.progress)(Progress::Stage("finding meetings and gaps"));
        heap::give_back();
        let delivered = self.folded.delivered.contains(&day);
        let (inputs, hash) = self.index.rows_of(day);
        let rows = if delivered { rows::of_day(&inputs, self.objects, &mut self.fresh)? } else { DayOf::nothing()? };
        let DayOf { positions, table, repeated, .. } = rows;
        for ((name, _), repeated) in inputs.iter().zip(&repeated) {
            self.folded.repeated.entry((*name).to_owned()).or_default().extend(repeated);
        }
        let day_end_ms = time::day_start_ms(day + 1);
        let ships = frame::ships(&positions).map_err(bug)?;
        let taken = engine::take_in(before, &ships, &table, day_end_ms, &self.ways());
        self.folded.vessels = ships.len() as u64;
        drop(ships);
        // Some of it is read again where tracks are drawn: here it would lie in the way.
        drop(positions);
        let (next, found) = engine::advance_taken(taken, day_end_ms, &self.ways());
        self.count(&found);
        let Findings { meetings, faint, gaps, heard, .. } = found;
        let put = self.objects;
        let entry = Day {
            rows_hash: if delivered { hash } else { String::new() },
            delivered: if delivered { self.index.delivered_on(day) } else { 0 },
            ships: Some(put.put_value(&next.ships)?),
            found: put.put_some(&Found { meetings, gaps })?,
            faint: put.put_some(&slight(&faint))?,
            heard: put.put_some(&heard)?,
            ..Day::default()
        };
        self.coverage.add(heard);
        self.index.days.insert(day, entry);
        Ok(next)
    }

    fn count(&mut self, found: &Findings) {
        self.folded.tally.extend(&found.tally);
        *self.folded.found.entry(Kind::Rendezvous).or_default() += (found.meetings.len() + found.faint.len()) as u64;
        *self.folded.found.entry(Kind::Gap).or_default() += found.gaps.len() as u64;
    }

    /// Judges for good the silences that ended two days before: the reception of the day after is complete.
    fn judge(&mut self, day: i32) -> Result<(), Error> {
        let mut gaps = Vec::new();
        for step in [day - 2, day - 1] {
            if let Some(found) = self.index.days.get(&step).and_then(|d| d.found.as_ref()) {
                let found: Found = self.objects.get_value(found)?;
                gaps.extend(found.gaps.into_iter().filter(|g| time::day_of(g.0.until_ms) == day - 2));
            }
        }
        book::hear(&mut gaps, &self.coverage, &self.missing, self.rules.refs.coast, self.rules.params);
        let judged = self.objects.put_some(&gaps)?;
        if let Some(entry) = self.index.days.get_mut(&day) {
            entry.judged = judged;
        }
        Ok(())
    }

    /// What is open after a day, had the data ended with it: told of the state it left, or, where that is gone, remembered. The state
    /// becomes a checkpoint meanwhile.
    fn open(&mut self, day: i32, fresh: Option<&State>, keep: bool) -> Result<Option<Open>, Error> {
        let Some(state) = fresh else {
            return self.index.days.get(&day).and_then(|d| d.open.as_ref()).map(|open| self.objects.get_value(open)).transpose();
        };
        let (objects, ways) = (self.objects, self.ways());
        let end_ms = time::day_start_ms(day + 1);
        let (checkpoint, found) = rayon::join(|| keep.then(|| objects.put_value(state)).transpose(), || engine::concluded(state, end_ms, &ways));
        self.entry(day).checkpoint = checkpoint?;
        if day == self.last {
            self.count(&found);
        } else {
            self.folded.tally.extend(&found.tally);
        }
        let open = Open { faint: slight(&found.faint), found: Found { meetings: found.meetings, gaps: found.gaps }, heard: found.heard };
        let name = self.objects.put_value(&open)?;
        self.entry(day).open = Some(name);
        Ok(Some(open))
    }

    /// Writes up the book as a day leaves it: what becomes final with it is kept; of the last day all the rest too.
    fn write_up(&mut self, day: i32, open: Open) -> Result<(), Error> {
        let (objects, rules, is_last) = (self.objects, self.rules, day == self.last);
        let from = day - rules.params.book.context_d as i32 + 1;
        let window: Vec<&Day> = self.index.days.range(from..=day).map(|(_, d)| d).collect();
        let found: Vec<Found> = values(&window, |d| d.found.as_ref(), objects)?;
        let judged: Vec<Vec<(GapFacts, Party)>> = values(&window, |d| d.judged.as_ref(), objects)?;
        // Silences that ended on this day or the one before, or not at all, are heard by what is known so far.
        let unjudged = found.iter().rev().take(2).flat_map(|f| &f.gaps).filter(|g| time::day_of(g.0.until_ms) >= day - 1).cloned();
        let mut gaps: Vec<(GapFacts, Party)> = unjudged.chain(open.found.gaps).collect();
        let mut known = if is_last { std::mem::take(&mut self.coverage) } else { self.coverage.clone() };
        known.add(open.heard);
        book::hear(&mut gaps, &known, &self.missing, rules.refs.coast, rules.params);
        drop(known);
        gaps.extend(judged.into_iter().flatten());
        let mut meetings: Vec<(RendezvousFacts, [Party; 2])> = found.into_iter().flat_map(|f| f.meetings).chain(open.found.meetings).collect();
        meetings.sort_by_key(|(m, _)| (m.start_ms, m.mmsis, m.tracks, m.end_ms));
        gaps.sort_by_key(|(g, _)| (g.off_ms, g.mmsi, g.track));
        // Of the others only those count that share a ship with one of these.
        let tracks: FxHashSet<TrackId> = meetings.iter().flat_map(|m| m.0.tracks).collect();
        let counts = |s: &Slight| s.0.tracks.iter().any(|t| tracks.contains(t));
        let near = |name: &Name| objects.get_value::<Vec<Slight>>(name).map(|all| all.into_iter().filter(counts).collect::<Vec<_>>());
        let slight: Vec<Vec<Slight>> = window.par_iter().filter_map(|d| d.faint.as_ref()).map(near).collect::<Result<_, _>>()?;
        let faint = slight.into_iter().flatten().chain(open.faint.into_iter().filter(counts)).map(|(l, tugs)| Faint::without_reason(l, tugs)).collect();
        let findings = Findings { meetings, faint, gaps, ..Findings::default() };
        let book = book::write_up(findings, rules.refs, rules.params, rules.min_confidence);
        let line = |day: i32| time::day_start_ms(day + 1) - i64::from(rules.params.book.final_d) * DAY_MS;
        let ended = |e: &Event, from: i64, to: i64| !e.open && e.end_ms.is_some_and(|end| end > from && end <= to);
        let render = |events: Vec<Event>| events.into_par_iter().map(|e| rendered(&e)).collect::<Result<Vec<Rendered>, Error>>();
        let (mut settled, mut rest) = (Vec::new(), Vec::new());
        for event in book.events {
            if ended(&event, line(day - 1), line(day)) {
                settled.push(Event { settled: true, ..event });
            } else if is_last && !ended(&event, i64::MIN, line(day)) {
                rest.push(event);
            }
        }
        let settled = objects.put_some(&render(settled)?)?;
        self.entry(day).settled = settled;
        if is_last {
            self.index.provisional = Some(objects.put_value(&render(rest)?)?);
        }
        Ok(())
    }
}

/// An object of every day.
fn values<T: DeserializeOwned + Send>(days: &[&Day], of: impl Fn(&Day) -> Option<&Name> + Sync, objects: &Objects) -> Result<Vec<T>, Error> {
    days.par_iter().filter_map(|day| of(day)).map(|name| objects.get_value(name)).collect()
}

fn slight(faint: &[Faint]) -> Vec<Slight> {
    let mut slight: Vec<Slight> = faint.iter().map(|f| (f.lying, f.tugs)).collect();
    slight.sort_unstable_by_key(|(l, _)| (l.tracks, l.start_ms, l.end_ms));
    slight
}

fn bug(e: impl std::fmt::Display) -> Error {
    Error::Bug(e.to_string())
}

fn rendered(event: &Event) -> Result<Rendered, Error> {
    let geojson = geojson::text(event).map_err(bug)?;
    Ok(Rendered {
        id: event.id.clone(),
        kind: event.kind,
        start_ms: event.start_ms,
        end_ms: event.end_ms,
        duration_h: event.duration_h,
        ships: event.parties.iter().map(|p| (p.mmsi.0, p.track.0)).collect(),
        scores: (event.confidence, event.risk),
        open: event.open,
        settled: event.settled,
        summary: event.summary.clone(),
        content: Rendered::content_of(&geojson),
        geojson,
        csv: events_csv::line(event).map_err(bug)?,
    })
}

/// All events of a state, in the order of files.
pub fn book_of(index: &Index, objects: &Objects) -> Result<Vec<Rendered>, Error> {
    // Days are kept longer than their events stay in the book: what is judged anew is judged by what lay before it. A run without a
    // state keeps everything.
    let last = index.days.last_key_value().filter(|_| index.nights > 0);
    let from = last.map_or(i32::MIN, |(last, _)| last + 1 - index.detection.params.state.keep_d as i32);
    let names: Vec<&Name> = index.days.range(from..).filter_map(|(_, d)| d.settled.as_ref()).chain(&index.provisional).collect();
    let parts: Vec<Vec<Rendered>> = names.par_iter().map(|n| objects.get_value(n)).collect::<Result<_, _>>()?;
    let mut all: Vec<Rendered> = parts.into_iter().flatten().collect();
    all.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(all)
}
