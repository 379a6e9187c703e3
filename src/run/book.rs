//! From findings to events: places, context, scores, clusters, order.

use crate::detect::coverage::Coverage;
use crate::detect::gap as detect_gap;
use crate::detect::meeting::{self, Lying};
use crate::model::event::event_id;
use crate::model::time::{self, DAY_MS, HOUR_MS};
use crate::model::{Event, Evidence, GapFacts, Kind, Params, Party, RendezvousFacts, ShipType, TrackId};
use crate::run::engine::Findings;
use crate::run::faint::{Crowd, Faint, held_by};
use crate::score::{self, Place, gap, rendezvous};
use crate::spatial::{coast::Coast, geodesy, ports::Ports, zones::Zones};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The reference data that scores look at.
#[derive(Clone, Copy)]
pub struct References<'a> {
    /// Transfer zones.
    pub zones: &'a Zones,
    /// Ports.
    pub ports: &'a Ports,
    /// Coast.
    pub coast: &'a Coast,
}

/// All events of a run, best first where people look, by time in the files.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Events of confidence `min_confidence` and more, by start, then ships, then kind.
    pub events: Vec<Event>,
    /// How many of each kind were found, and how many of them are below.
    pub counts: BTreeMap<Kind, (u64, u64)>,
    /// Of the events below, by kind: what pushed them down most, and how often.
    pub held_back: BTreeMap<(Kind, &'static str), u64>,
}

/// The confidence below which nobody asks for an event. Clusters and patterns are over all of 50 and more, whatever is written.
pub fn worth_keeping(min_confidence: i32) -> i32 {
    min_confidence.min(50)
}

/// Scores everything that was found and [`hear`]d. What was let go as faint must not have been worth keeping for `min_confidence`.
pub fn write_up(findings: Findings, refs: References, params: &Params, min_confidence: i32) -> Book {
    let keep = worth_keeping(min_confidence);
    let Findings { meetings, faint, gaps, .. } = findings;
    let (mut facts, parties): (Vec<RendezvousFacts>, Vec<[Party; 2]>) = meetings.into_iter().unzip();
    let full = facts.len();
    let lying = |k: usize| if k < full { Lying::from(&facts[k]) } else { faint[k - full].lying };
    let neighbours = meeting::neighbours(full + faint.len(), lying, |k| if k < full { u32::MAX } else { Crowd::ENOUGH });
    facts.iter_mut().zip(&neighbours).for_each(|(f, n)| f.neighbours = *n);
    let tugs = Tugs::of(&facts, &parties, &faint);
    let contexts = contexts(&facts, &parties, &gaps, &tugs);
    let looked: Vec<(Option<Event>, Option<&'static str>)> =
        facts.into_par_iter().zip(parties).zip(contexts).map(|((f, p), c)| weigh_meeting(f, p, c, refs, params, keep)).collect();
    let mut book = Book::default();
    book.take(Kind::Rendezvous, looked);
    book.take_faint(&faint, &tugs, &neighbours[full..], params);
    drop((faint, tugs, neighbours));
    let looked: Vec<(Option<Event>, Option<&'static str>)> = gaps.into_par_iter().map(|(f, p)| weigh_gap(f, p, refs, params, keep)).collect();
    book.take(Kind::Gap, looked);
    book.events.sort_by(|a, b| {
        let ships = |e: &Event| e.parties.iter().map(|p| (p.mmsi, p.track)).collect::<Vec<_>>();
        (a.start_ms, ships(a), a.kind, a.end_ms).cmp(&(b.start_ms, ships(b), b.kind, b.end_ms))
    });
    second_meetings(&mut book.events, params);
    cluster(&mut book.events);
    book.events.retain(|e| e.confidence >= min_confidence);
    book
}

impl Book {
    fn take(&mut self, kind: Kind, looked: Vec<(Option<Event>, Option<&'static str>)>) {
        for (event, held_by) in looked {
            let counts = self.counts.entry(kind).or_default();
            counts.0 += 1;
            if let Some(reason) = held_by {
                counts.1 += 1;
                *self.held_back.entry((kind, reason)).or_default() += 1;
            }
            self.events.extend(event);
        }
    }

    fn take_faint(&mut self, faint: &[Faint], tugs: &Tugs, neighbours: &[u32], params: &Params) {
        let crowd = Crowd::new(params);
        let held_by = |(f, n): (&Faint, &u32)| f.held_by(f.asks_for_tugs() && tugs.stood_by(&f.lying), &crowd, *n);
        let add = |mut counts: BTreeMap<&'static str, u64>, reason| {
            *counts.entry(reason).or_default() += 1;
            counts
        };
        let held: Vec<BTreeMap<&'static str, u64>> = faint.par_iter().zip(neighbours).map(held_by).fold(BTreeMap::new, add).collect();
        for (reason, n) in held.into_iter().flatten() {
            let counts = self.counts.entry(Kind::Rendezvous).or_default();
            *counts = (counts.0 + n, counts.1 + n);
            *self.held_back.entry((Kind::Rendezvous, reason)).or_default() += n;
        }
    }
}

/// What holds an event below 50, where something does. Asked first of the evidence without the place: what is written must not
/// decide what is given as the reason.
fn what_holds(evidence: &[Evidence], confidence: i32) -> Option<&'static str> {
    (confidence < 50).then(|| held_by(evidence))
}

/// Asks of every silence what others heard around it. `missing` are the days between the first and the last that were never delivered:
/// a silence too short without them is none.
pub fn hear(findings: &mut Findings, missing: &[i32], coast: &Coast, params: &Params) {
    let coverage = Coverage::new(std::mem::take(&mut findings.heard));
    findings.gaps.retain_mut(|(facts, _)| {
        facts.undelivered_ms = undelivered_ms(facts.off_ms, facts.until_ms, missing);
        facts.until_ms - facts.off_ms - facts.undelivered_ms >= params.gap.min_h.millis()
    });
    let hear = |(facts, party): &mut (GapFacts, Party)| detect_gap::hear(facts, party.particulars.class, &coverage, &|p| coast.is_land(p), params);
    findings.gaps.par_iter_mut().for_each(hear);
}

/// Milliseconds of a span that lie on the missing days.
fn undelivered_ms(from_ms: i64, to_ms: i64, missing: &[i32]) -> i64 {
    let inside = |day: &i32| (time::day_start_ms(day + 1).min(to_ms) - time::day_start_ms(*day).max(from_ms)).max(0);
    missing.iter().map(inside).sum()
}

fn contexts(facts: &[RendezvousFacts], parties: &[[Party; 2]], gaps: &[(GapFacts, Party)], tugs: &Tugs) -> Vec<rendezvous::Context> {
    let mut silent: BTreeMap<TrackId, Vec<&GapFacts>> = BTreeMap::new();
    for (gap, _) in gaps {
        // Only silences in water where others were heard say anything.
        if gap.surprise_nats.is_some_and(|n| n >= 3.0) && !gap.leaves_coverage {
            silent.entry(gap.track).or_default().push(gap);
        }
    }
    facts
        .iter()
        .zip(parties)
        .map(|(f, p)| {
            let near = |g: &&&GapFacts| g.until_ms >= f.start_ms - DAY_MS && g.off_ms <= f.end_ms + DAY_MS;
            let gap_h =
                f.tracks.iter().flat_map(|t| silent.get(t).into_iter().flatten().filter(near).map(|g| gap::hours(g))).filter(|h| *h >= 6.0).reduce(f64::max);
            let both_tug = !rendezvous::types(p).contains(&ShipType::Tug) && tugs.stood_by(&Lying::from(f));
            rendezvous::Context { place: None, gap_h, assist_tug: both_tug }
        })
        .collect()
}

/// Tugs that a ship met, with the times, by ship; in the order of the tugs.
struct Tugs(BTreeMap<TrackId, Vec<(TrackId, i64, i64)>>);

impl Tugs {
    fn of(facts: &[RendezvousFacts], parties: &[[Party; 2]], faint: &[Faint]) -> Self {
        let full = facts.iter().zip(parties).map(|(f, p)| (Lying::from(f), rendezvous::types(p).map(|t| t == ShipType::Tug)));
        let mut tugs: BTreeMap<TrackId, Vec<(TrackId, i64, i64)>> = BTreeMap::new();
        for (m, is_tug) in full.chain(faint.iter().map(|f| (f.lying, f.tugs))) {
            for k in (0..2).filter(|k| is_tug[1 - k]) {
                tugs.entry(m.tracks[k]).or_default().push((m.tracks[1 - k], m.start_ms, m.end_ms));
            }
        }
        tugs.values_mut().for_each(|met| met.sort_unstable());
        Self(tugs)
    }

    /// Whether one tug met both ships while they were together.
    fn stood_by(&self, m: &Lying) -> bool {
        let [Some(one), Some(two)] = m.tracks.map(|t| self.0.get(&t)) else { return false };
        let met = |list: &[(TrackId, i64, i64)]| list.iter().any(|(_, start, end)| *start < m.end_ms && *end > m.start_ms);
        // Both lists in step: each is walked once.
        let (mut one, mut two) = (one.chunk_by(|x, y| x.0 == y.0).peekable(), two.chunk_by(|x, y| x.0 == y.0).peekable());
        while let (Some(x), Some(y)) = (one.peek(), two.peek()) {
            match x[0].0.cmp(&y[0].0) {
                Ordering::Less => drop(one.next()),
                Ordering::Greater => drop(two.next()),
                Ordering::Equal if met(x) && met(y) => return true,
                Ordering::Equal => drop((one.next(), two.next())),
            }
        }
        false
    }
}

/// Looks a place up.
pub fn place_of(at_e7: (i32, i32), t_ms: i64, types: &[ShipType], refs: References, params: &Params) -> Place {
    let reach_m = params.place.reach_nm.metres().get();
    Place {
        zone: refs.zones.relation(at_e7, t_ms, params.place.zone_near_nm.get(), |cargo| score::cargo_fits(cargo, types)),
        shore_m: refs.coast.shore_m(at_e7, reach_m),
        on_land: refs.coast.is_land(at_e7),
        port: refs.ports.nearest(at_e7).filter(|(_, m)| *m <= reach_m).map(|(p, m)| (p.name.clone(), m)),
    }
}

fn weigh_meeting(
    facts: RendezvousFacts,
    parties: [Party; 2],
    mut context: rendezvous::Context,
    refs: References,
    params: &Params,
    min_confidence: i32,
) -> (Option<Event>, Option<&'static str>) {
    // Places can only take from the confidence: whoever is below without them need not be looked up.
    let anywhere = rendezvous::judge(&facts, &parties, &context, params);
    if anywhere.confidence < min_confidence {
        return (None, Some(held_by(&anywhere.evidence)));
    }
    let types = rendezvous::types(&parties);
    let mut place = place_of(facts.mean_e7, facts.start_ms, &types, refs, params);
    // A zone at the start or the end counts as well as one in the middle: the nearest of the three.
    for at in facts.start_e7.iter().chain(&facts.end_e7) {
        let near = refs.zones.relation(*at, facts.start_ms, params.place.zone_near_nm.get(), |cargo| score::cargo_fits(cargo, &types));
        let rank = |z: &Option<crate::model::ZoneRelation>| z.as_ref().map_or(f64::INFINITY, |z| z.distance_nm - if z.may_score { 100.0 } else { 0.0 });
        if rank(&near) < rank(&place.zone) {
            place.zone = near;
        }
    }
    context.place = Some(place.clone());
    let verdict = rendezvous::judge(&facts, &parties, &context, params);
    if verdict.confidence < min_confidence {
        return (None, Some(held_by(&verdict.evidence)));
    }
    let held = what_holds(&anywhere.evidence, anywhere.confidence).or_else(|| what_holds(&verdict.evidence, verdict.confidence));
    let summary = rendezvous::summary(&facts, &parties, &place, verdict.contact);
    let event = Event {
        id: event_id(Kind::Rendezvous, &facts.mmsis, facts.start_ms),
        kind: Kind::Rendezvous,
        start_ms: facts.start_ms,
        end_ms: Some(facts.end_ms),
        duration_h: (facts.end_ms - facts.start_ms) as f64 / HOUR_MS as f64,
        observed_h: Some(facts.observed_ms as f64 / HOUR_MS as f64),
        open: facts.open,
        mean_e7: facts.mean_e7,
        confidence: verdict.confidence,
        risk: verdict.risk,
        parties: parties.into(),
        cluster_id: None,
        contact: Some(verdict.contact),
        rendezvous: Some(facts),
        gap: None,
        shore_nm: place.shore_nm(),
        port: place.port.map(|(name, m)| (name, m / 1852.0)),
        zone: place.zone,
        summary,
        evidence: verdict.evidence,
    };
    (Some(event), held)
}

fn weigh_gap(facts: GapFacts, party: Party, refs: References, params: &Params, min_confidence: i32) -> (Option<Event>, Option<&'static str>) {
    let (anywhere, confidence_anywhere, _) = gap::judge(&facts, &party, None, params);
    if confidence_anywhere < min_confidence {
        return (None, Some(held_by(&anywhere)));
    }
    let types = [ShipType::of(party.particulars.ship_type)];
    let mut places = vec![place_of(facts.off_e7, facts.off_ms, &types, refs, params)];
    if let (Some(on), Some(t)) = (facts.on_e7, facts.on_ms) {
        places.push(place_of(on, t, &types, refs, params));
    }
    let (evidence, confidence, risk) = gap::judge(&facts, &party, Some(&places), params);
    if confidence < min_confidence {
        return (None, Some(held_by(&evidence)));
    }
    let held = what_holds(&anywhere, confidence_anywhere).or_else(|| what_holds(&evidence, confidence));
    let mean_e7 = match facts.on_e7 {
        Some(on) => {
            let middle = geodesy::lerp(geodesy::point(facts.off_e7.0, facts.off_e7.1), geodesy::point(on.0, on.1), 0.5);
            geodesy::position_e7(middle)
        }
        None => facts.off_e7,
    };
    let summary = gap::summary(&facts, &party, &places[0]);
    let zone = gap::weightiest(&places).and_then(|p| p.zone.clone());
    let place = places.swap_remove(0);
    let event = Event {
        id: event_id(Kind::Gap, &[facts.mmsi], facts.off_ms),
        kind: Kind::Gap,
        start_ms: facts.off_ms,
        end_ms: facts.on_ms,
        duration_h: gap::duration_h(&facts),
        observed_h: None,
        open: facts.on_ms.is_none(),
        mean_e7,
        confidence,
        risk,
        parties: vec![party],
        cluster_id: None,
        contact: None,
        rendezvous: None,
        gap: Some(facts),
        shore_nm: place.shore_nm(),
        port: place.port.map(|(name, m)| (name, m / 1852.0)),
        zone,
        summary,
        evidence,
    };
    (Some(event), held)
}

/// A ship with another likely transfer within 14 days: a reason of risk for both.
fn second_meetings(events: &mut [Event], params: &Params) {
    const REACH_MS: i64 = 14 * DAY_MS;
    let mut of_ship: BTreeMap<TrackId, Vec<(i64, i64, usize)>> = BTreeMap::new();
    for (k, e) in events.iter().enumerate() {
        if e.kind == Kind::Rendezvous && e.confidence >= 50 {
            for p in &e.parties {
                of_ship.entry(p.track).or_default().push((e.start_ms, e.end_ms.unwrap_or(e.start_ms), k));
            }
        }
    }
    let others: Vec<u32> = events
        .iter()
        .enumerate()
        .map(|(k, e)| {
            let end = e.end_ms.unwrap_or(e.start_ms);
            let near = |m: &&(i64, i64, usize)| m.2 != k && m.0 <= end + REACH_MS && m.1 >= e.start_ms - REACH_MS;
            let mut found: Vec<usize> = e.parties.iter().flat_map(|p| of_ship.get(&p.track).into_iter().flatten().filter(near).map(|m| m.2)).collect();
            found.sort_unstable();
            found.dedup();
            if e.kind == Kind::Rendezvous && e.confidence >= 50 { found.len() as u32 } else { 0 }
        })
        .collect();
    for (event, n) in events.iter_mut().zip(others) {
        if n > 0 {
            let evidence = std::mem::take(&mut event.evidence);
            let (evidence, _, risk) = score::ledger::Ledger::reopen(evidence).with_second_meeting(n, params).close();
            (event.evidence, event.risk) = (evidence, risk);
        }
    }
}

/// Meetings that share a ship and overlap, or follow within a day, are one cluster, named after its earliest member; a member
/// begins within 7 days of it.
fn cluster(events: &mut [Event]) {
    const FOLLOW_MS: i64 = DAY_MS;
    const SPAN_MS: i64 = 7 * DAY_MS;
    // Of each track: the last end seen, and the cluster it belongs to.
    let mut last: BTreeMap<TrackId, (i64, usize)> = BTreeMap::new();
    let mut leader: Vec<usize> = (0..events.len()).collect();
    for k in 0..events.len() {
        let e = &events[k];
        if e.kind != Kind::Rendezvous || e.confidence < 50 {
            continue;
        }
        let joined = e
            .parties
            .iter()
            .filter_map(|p| last.get(&p.track))
            .filter(|(end, head)| e.start_ms <= end + FOLLOW_MS && e.start_ms <= events[*head].start_ms + SPAN_MS)
            .map(|(_, head)| *head)
            .min();
        leader[k] = joined.unwrap_or(k);
        let end = e.end_ms.unwrap_or(e.start_ms);
        for p in &e.parties {
            let entry = last.entry(p.track).or_insert((end, leader[k]));
            *entry = (entry.0.max(end), leader[k]);
        }
    }
    for k in 0..events.len() {
        if events[k].kind == Kind::Rendezvous && events[k].confidence >= 50 {
            let id = events[leader[k]].id.clone();
            events[k].cluster_id = Some(id);
        }
    }
}
