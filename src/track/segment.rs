//! Splits what one MMSI sent into tracks: one a physical ship.
//!
//! *In*: fixes of one MMSI in total order, and the state that the day before left. *Out*: fixes assigned to tracks. A fold over
//! time that looks ahead no further than `track.confirm_h`. First version: a position that no known track can have reached
//! opens a tentative track, which becomes one when it gathers enough fixes in time, and is dropped as a teleport when it does
//! not. Two positions of one second are never averaged: each goes to the track that it fits.

use crate::model::fix::NULL_U16;
use crate::model::{Fix, Mmsi, Params, TrackId};
use crate::spatial::geodesy;
use crate::units::{E7, EARTH_RADIUS_M};

/// A track that may go on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OpenTrack {
    /// Its name.
    pub id: TrackId,
    /// Its last fix.
    pub last: Fix,
    /// How many fixes it has.
    pub count: u64,
    /// Time of its first fix.
    pub first_ms: i64,
    /// Fixes that wait for confirmation; empty once it is confirmed.
    pub waiting: Vec<Fix>,
    /// Whether it is a track yet.
    pub confirmed: bool,
}

/// What is known of one MMSI so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ShipState {
    /// Its open tracks, oldest first.
    pub tracks: Vec<OpenTrack>,
}

/// What was decided of a stretch of fixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assigned {
    /// Fixes by track; within a track in time order.
    pub fixes: Vec<(TrackId, Vec<Fix>)>,
    /// Fixes dropped because they belong to no track.
    pub teleports: u64,
    /// Fixes dropped as repeats of an old report.
    pub repeats: u64,
    /// Fixes dropped because their track already has another at that moment.
    pub simultaneous: u64,
}

impl Assigned {
    /// Takes out what a track has.
    fn take(&mut self, id: TrackId) -> Vec<Fix> {
        self.fixes.iter_mut().find(|(t, _)| *t == id).map(|(_, fixes)| std::mem::take(fixes)).unwrap_or_default()
    }
    /// The same as [`Self::give`] for a list that need not be copied where nothing stands before it.
    fn put(&mut self, id: TrackId, fixes: Vec<Fix>) {
        match self.fixes.iter_mut().find(|(t, before)| *t == id && before.is_empty()) {
            Some((_, before)) => *before = fixes,
            None => self.give(id, fixes),
        }
    }
    fn give(&mut self, id: TrackId, fixes: impl IntoIterator<Item = Fix>) {
        match self.fixes.iter().position(|(t, _)| *t == id) {
            Some(k) => self.fixes[k].1.extend(fixes),
            None => {
                self.fixes.reserve_exact(1);
                self.fixes.push((id, fixes.into_iter().collect()));
            }
        }
    }
}

/// Assigns fixes, which must be in total order and later than all before, to the ship's tracks.
pub fn assign(mmsi: Mmsi, fixes: impl ExactSizeIterator<Item = Fix>, state: &mut ShipState, params: &Params) -> Assigned {
    assign_behind(Vec::new(), mmsi, fixes, state, params)
}

/// The same behind what is still known of her tracks, which comes first in what is given out.
pub fn assign_behind(
    tails: Vec<(TrackId, Vec<Fix>)>,
    mmsi: Mmsi,
    fixes: impl ExactSizeIterator<Item = Fix>,
    state: &mut ShipState,
    params: &Params,
) -> Assigned {
    let mut out = Assigned { fixes: tails, ..Assigned::default() };
    let slack = params.track.clock_slack_min.millis();
    let speed = params.track.max_speed_kn.metres_per_second() / 1000.0;
    // The usual ship has one track: its fixes go straight into one list.
    let mut run: Vec<Fix> = match &state.tracks[..] {
        [track] => out.take(track.id),
        _ => Vec::new(),
    };
    run.reserve_exact(fixes.len());
    for fix in fixes {
        if let [track] = &mut state.tracks[..] {
            let reach = speed * (fix.t_ms - track.last.t_ms + slack) as f64;
            if within(&track.last, &fix, reach) {
                if take(track, fix, params, &mut out) {
                    run.push(fix);
                }
                continue;
            }
        }
        if state.tracks.is_empty() {
            // The first of all, and its track is there at once.
            let id = TrackId::of(mmsi, &fix, 0);
            // Most ships have one, and there may be a great many ships.
            state.tracks.reserve_exact(1);
            state.tracks.push(OpenTrack { id, last: fix, count: 1, first_ms: fix.t_ms, waiting: Vec::new(), confirmed: true });
            run.push(fix);
            continue;
        }
        if !run.is_empty() {
            let id = state.tracks[0].id;
            out.give(id, run.drain(..));
        }
        clash(mmsi, fix, state, params, &mut out);
    }
    if !run.is_empty() {
        out.put(state.tracks[0].id, run);
    }
    out
}

/// Whether two fixes lie within `reach_m`. Most do by far, and a way along the meridian and the parallel, which is never
/// shorter than the straight one, tells it without trigonometry.
fn within(a: &Fix, b: &Fix, reach_m: f64) -> bool {
    let metres = EARTH_RADIUS_M * std::f64::consts::PI / (180.0 * E7);
    let way = (i64::from(a.lat_e7) - i64::from(b.lat_e7)).abs() + (i64::from(a.lon_e7) - i64::from(b.lon_e7)).abs();
    way as f64 * metres <= reach_m || geodesy::distance_m((a.lat_e7, a.lon_e7), (b.lat_e7, b.lon_e7)) <= reach_m
}

/// Whether a fix that fits a track becomes part of it. Repeats of an old report and second positions of a moment do not.
fn take(track: &mut OpenTrack, fix: Fix, params: &Params, out: &mut Assigned) -> bool {
    let last = &track.last;
    if fix.t_ms == last.t_ms {
        out.simultaneous += 1;
        return false;
    }
    let same =
        (fix.lat_e7, fix.lon_e7, fix.cog_ddeg, fix.sog_dkn, fix.heading_deg) == (last.lat_e7, last.lon_e7, last.cog_ddeg, last.sog_dkn, last.heading_deg);
    if same && fix.sog_dkn != NULL_U16 && f64::from(fix.sog_dkn) / 10.0 > params.track.repeat_speed_kn.get() {
        out.repeats += 1;
        return false;
    }
    track.last = fix;
    track.count += 1;
    true
}

/// The slow path: several tracks, or a fix that the one track cannot have sailed to.
fn clash(mmsi: Mmsi, fix: Fix, state: &mut ShipState, params: &Params, out: &mut Assigned) {
    settle(state, fix.t_ms, params, out);
    let slack = params.track.clock_slack_min.millis();
    let speed = params.track.max_speed_kn.metres_per_second() / 1000.0;
    let at = (fix.lat_e7, fix.lon_e7);
    // A track that has a fix at this very moment is not left out: a second position beside it is the same ship, and no new one.
    let nearest = state
        .tracks
        .iter()
        .enumerate()
        .map(|(k, t)| (k, geodesy::distance_m((t.last.lat_e7, t.last.lon_e7), at), t.last.t_ms))
        .filter(|(_, d, t)| *d <= speed * (fix.t_ms - t + slack) as f64)
        .min_by(|x, y| x.1.total_cmp(&y.1).then(x.0.cmp(&y.0)));
    if let Some((k, ..)) = nearest {
        let track = &mut state.tracks[k];
        if take(track, fix, params, out) {
            let id = track.id;
            if track.confirmed {
                out.give(id, [fix]);
            } else {
                track.waiting.push(fix);
                if track.waiting.len() >= params.track.confirm_fixes {
                    track.confirmed = true;
                    out.give(id, std::mem::take(&mut track.waiting));
                }
            }
        }
        return;
    }
    let equal = state.tracks.iter().filter(|t| t.first_ms == fix.t_ms).count() as u32;
    let id = TrackId::of(mmsi, &fix, equal);
    state.tracks.push(OpenTrack { id, last: fix, count: 1, first_ms: fix.t_ms, waiting: vec![fix], confirmed: false });
}

/// Drops tentative tracks whose time to be confirmed is over.
pub fn settle(state: &mut ShipState, now_ms: i64, params: &Params, out: &mut Assigned) {
    let wait = params.track.confirm_h.millis();
    state.tracks.retain(|t| {
        let keep = t.confirmed || now_ms - t.first_ms < wait;
        if !keep {
            out.teleports += t.waiting.len() as u64;
        }
        keep
    });
}
