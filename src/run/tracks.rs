//! `tracks.parquet`: both tracks of every event, six hours to either side, each fix with its file and line; and for
//! `particulars.csv` what the ships said of themselves in these hours.
//!
//! *In*: the events written, the ships' rows, and where each input begins. *Out*: pieces of about 250,000 fixes, made as they
//! are asked for, so that memory does not grow with the events. Tracks are assigned again: they are the same function of the rows.

use crate::export::particulars::{self, Change};
use crate::frame::{ShipRows, Stretch, TrackColumns};
use crate::ingest::store::stream_of;
use crate::model::event::Event;
use crate::model::fix::{NULL_STATUS, NULL_U16};
use crate::model::time::HOUR_MS;
use crate::model::{Fix, Mmsi, Params, Particulars, TrackId};
use crate::track::segment::{self, ShipState};
use rayon::prelude::*;
use std::collections::BTreeMap;

const SIDE_MS: i64 = 6 * HOUR_MS;
/// Events whose tracks are worked out together.
const EVENTS: usize = 64;
/// Fixes in a piece, about.
const FIXES: usize = 250_000;

/// An event whose tracks are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub id: String,
    /// From when, UTC milliseconds.
    pub start_ms: i64,
    /// To when.
    pub end_ms: i64,
    /// Its ships.
    pub ships: Vec<(Mmsi, TrackId)>,
}

/// What is wanted of events.
pub fn wanted(events: &[Event]) -> Vec<Wanted> {
    let ships = |e: &Event| e.parties.iter().map(|p| (p.mmsi, p.track)).collect();
    events.iter().map(|e| Wanted { id: e.id.clone(), start_ms: e.start_ms, end_ms: e.end_ms.unwrap_or(e.start_ms), ships: ships(e) }).collect()
}

impl Wanted {
    /// From when to when its tracks are wanted.
    pub fn window(&self) -> (i64, i64) {
        (self.start_ms - SIDE_MS, self.end_ms + SIDE_MS)
    }
}

/// Fixes of tracks by ship.
type Tracks = BTreeMap<Mmsi, BTreeMap<TrackId, Vec<Fix>>>;

/// The tracks of the ships of some events.
fn tracks_for(events: &[Wanted], ships: &[ShipRows], params: &Params) -> Tracks {
    let mut mmsis: Vec<Mmsi> = events.iter().flat_map(|e| e.ships.iter().map(|s| s.0)).collect();
    mmsis.sort_unstable();
    mmsis.dedup();
    mmsis.into_par_iter().map(|mmsi| (mmsi, tracks_of(mmsi, ships, params))).collect()
}

/// The pieces, in the order of the events, out of the rows of ships.
pub fn of<'a>(events: &'a [Wanted], ships: &'a [ShipRows], first_rows: &'a [u32], params: &'a Params) -> impl Iterator<Item = TrackColumns> + 'a {
    events.chunks(EVENTS).flat_map(move |events| {
        let tracks = tracks_for(events, ships, params);
        pieces(events, |mmsi, track| tracks.get(&mmsi)?.get(&track).map(Vec::as_slice), first_rows)
    })
}

/// The same out of the fixes of tracks.
pub fn out_of<'a>(events: &'a [Wanted], fixes: &'a BTreeMap<(Mmsi, TrackId), Vec<Fix>>, first_rows: &'a [u32]) -> impl Iterator<Item = TrackColumns> + 'a {
    events.chunks(EVENTS).flat_map(move |events| pieces(events, |mmsi, track| fixes.get(&(mmsi, track)).map(Vec::as_slice), first_rows))
}

fn pieces<'f>(events: &[Wanted], fixes_of: impl Fn(Mmsi, TrackId) -> Option<&'f [Fix]>, first_rows: &[u32]) -> Vec<TrackColumns> {
    let mut pieces = vec![TrackColumns::default()];
    for event in events {
        let (begin, end) = event.window();
        for (vessel, (mmsi, track)) in event.ships.iter().enumerate() {
            let Some(fixes) = fixes_of(*mmsi, *track) else { continue };
            let from = fixes.partition_point(|f| f.t_ms < begin);
            let to = fixes.partition_point(|f| f.t_ms <= end);
            if pieces.last().is_some_and(|p| p.t_ms.len() >= FIXES) {
                pieces.push(TrackColumns::default());
            }
            let Some(piece) = pieces.last_mut() else { continue };
            let (event_id, track_id) = (event.id.clone(), track.to_string());
            piece.stretches.push(Stretch { event_id, vessel: vessel as u8 + 1, mmsi: mmsi.0, track_id, rows: to - from });
            fixes[from..to].iter().for_each(|f| push(piece, f, first_rows));
        }
    }
    pieces.retain(|p| !p.t_ms.is_empty());
    pieces
}

/// What the ships said over the same hours, and when it changed.
pub fn changes<'a>(
    events: &'a [Wanted],
    ships: &'a [ShipRows],
    table: &'a [Particulars],
    origin: Origin<'a>,
    params: &'a Params,
) -> impl Iterator<Item = Change> + 'a {
    events.chunks(EVENTS).flat_map(move |events| {
        let tracks = tracks_for(events, ships, params);
        said(events, |mmsi, track| tracks.get(&mmsi)?.get(&track).map(Vec::as_slice), table, origin)
    })
}

/// The same out of the fixes of tracks.
pub fn changes_out_of<'a>(
    events: &'a [Wanted],
    fixes: &'a BTreeMap<(Mmsi, TrackId), Vec<Fix>>,
    table: &'a [Particulars],
    origin: Origin<'a>,
) -> impl Iterator<Item = Change> + 'a {
    events.chunks(EVENTS).flat_map(move |events| said(events, |mmsi, track| fixes.get(&(mmsi, track)).map(Vec::as_slice), table, origin))
}

/// Where a row came from: where the rows of each file begin, and the name of each.
pub type Origin<'a> = (&'a [u32], &'a [String]);

/// A field each time that it is sent with another value than the last.
fn said<'f>(events: &[Wanted], fixes_of: impl Fn(Mmsi, TrackId) -> Option<&'f [Fix]>, table: &[Particulars], (first_rows, files): Origin) -> Vec<Change> {
    let mut out = Vec::new();
    for event in events {
        let (begin, end) = event.window();
        for (vessel, (mmsi, track)) in event.ships.iter().enumerate() {
            let fixes = fixes_of(*mmsi, *track).unwrap_or_default();
            let within = &fixes[fixes.partition_point(|f| f.t_ms < begin)..fixes.partition_point(|f| f.t_ms <= end)];
            let mut known: [String; 7] = Default::default();
            for same in within.chunk_by(|a, b| a.particulars == b.particulars) {
                let fix = &same[0];
                let file = stream_of(first_rows, fix.row);
                for (known, (field, after)) in known.iter_mut().zip(particulars::fields(&table[fix.particulars as usize])) {
                    if !after.is_empty() && *known != after {
                        out.push(Change {
                            event_id: event.id.clone(),
                            vessel: vessel as u8 + 1,
                            mmsi: mmsi.0,
                            track_id: track.to_string(),
                            t_ms: fix.t_ms,
                            field,
                            before: std::mem::replace(known, after.clone()),
                            after,
                            file: files.get(file).cloned().unwrap_or_default(),
                            line: fix.row - first_rows.get(file).copied().unwrap_or_default(),
                        });
                    }
                }
            }
        }
    }
    out
}

fn tracks_of(mmsi: Mmsi, ships: &[ShipRows], params: &Params) -> BTreeMap<TrackId, Vec<Fix>> {
    let Ok(k) = ships.binary_search_by_key(&mmsi, |s| s.mmsi) else { return BTreeMap::new() };
    let fixes = (0..ships[k].t_ms.len()).map(|i| ships[k].fix(i));
    segment::assign(mmsi, fixes, &mut ShipState::default(), params).fixes.into_iter().collect()
}

fn push(piece: &mut TrackColumns, f: &Fix, first_rows: &[u32]) {
    let known = |v: u16| (v != NULL_U16).then_some(v);
    let file = stream_of(first_rows, f.row);
    piece.t_ms.push(f.t_ms);
    piece.lat_e7.push(f.lat_e7);
    piece.lon_e7.push(f.lon_e7);
    piece.sog_dkn.push(known(f.sog_dkn));
    piece.cog_ddeg.push(known(f.cog_ddeg));
    piece.heading_deg.push(known(f.heading_deg));
    piece.status.push((f.status != NULL_STATUS).then_some(f.status));
    piece.file.push(file as u32);
    piece.line.push(f.row - first_rows.get(file).copied().unwrap_or_default());
}
