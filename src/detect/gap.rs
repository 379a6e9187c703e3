//! Silences within one track.
//!
//! *In*: tracks, and the times of their fixes of 12 h before the window. *Out*: [`GapFacts`]: every silence that ended in the window, and at the
//! end of the data those that have not ended; then, with the reception learnt, what the water around them says.

use crate::detect::coverage::{self, Coverage};
use crate::detect::meeting::WindowEnd;
use crate::model::fix::NULL_U16;
use crate::model::{AisClass, Fix, GapFacts, Params, Track, time};
use crate::spatial::geodesy;
use crate::units::METRES_PER_NM;

/// The last fixes before the silences of one track, by their numbers.
pub fn silences(track: &Track, window: (i64, i64), end: WindowEnd, params: &Params) -> Vec<u32> {
    let shortest = params.gap.min_h.millis();
    let fixes = &track.fixes;
    let is_silence = |pair: &[Fix]| pair[1].t_ms - pair[0].t_ms >= shortest && pair[1].t_ms > window.0 && pair[1].t_ms <= window.1;
    let mut found: Vec<u32> = (0..).zip(fixes.windows(2)).filter(|(_, pair)| is_silence(pair)).map(|(k, _)| k).collect();
    if let (WindowEnd::DataEnd, Some(last)) = (end, fixes.last())
        && window.1 - last.t_ms >= shortest
    {
        found.push(fixes.len() as u32 - 1);
    }
    found
}

/// The silences of one track, ending in `window` (half-open at its begin) or, at the end of the data, not at all. What others heard
/// is not asked yet: see [`hear`].
pub fn find(track: &Track, window: (i64, i64), end: WindowEnd, params: &Params) -> Vec<GapFacts> {
    tell(track, &silences(track, window, end, params), window.1, params)
}

/// What can be said of silences that [`silences`] found in a window that ends at `window_end_ms`.
pub fn tell(track: &Track, silences: &[u32], window_end_ms: i64, params: &Params) -> Vec<GapFacts> {
    silences.iter().filter_map(|&k| describe(track, k as usize, window_end_ms, params)).collect()
}

fn describe(track: &Track, k: usize, window_end_ms: i64, params: &Params) -> Option<GapFacts> {
    let fixes = &track.fixes;
    let (off, on) = (&fixes[k], fixes.get(k + 1));
    let from_ms = off.t_ms - params.gap.before_h.millis();
    let gone = &track.earlier_ms[track.earlier_ms.partition_point(|t| *t < from_ms)..];
    let fixes_before = (gone.len() + k + 1 - fixes.partition_point(|f| f.t_ms < from_ms)) as u32;
    if fixes_before < params.gap.min_fixes_before {
        return None;
    }
    let off_e7 = (off.lat_e7, off.lon_e7);
    let on_e7 = on.map(|f| (f.lat_e7, f.lon_e7));
    let distance_m = on_e7.map(|p| geodesy::distance_m(off_e7, p));
    let until_ms = on.map_or(window_end_ms, |f| f.t_ms);
    let hours = (until_ms - off.t_ms) as f64 / 3_600_000.0;
    let known = |v: u16| (v != NULL_U16).then_some(v);
    Some(GapFacts {
        track: track.id,
        mmsi: track.mmsi,
        off_ms: off.t_ms,
        on_ms: on.map(|f| f.t_ms),
        until_ms,
        off_e7,
        on_e7,
        off_motion: (known(off.sog_dkn), known(off.cog_ddeg)),
        fixes_before,
        distance_m,
        implied_kn: distance_m.map(|d| d / METRES_PER_NM / hours),
        undelivered_ms: 0,
        leaves_coverage: false,
        surprise_nats: None,
    })
}

/// Asks the water around a silence: what others of `class` transmitted there, and whether reception ends there. `is_land` tells
/// whether a position is on land: reception does not end at a beach.
pub fn hear(facts: &mut GapFacts, class: AisClass, coverage: &Coverage, is_land: &dyn Fn((i32, i32)) -> bool, params: &Params) {
    let end = (facts.until_ms, facts.on_e7.unwrap_or(facts.off_e7));
    facts.surprise_nats = coverage.surprise((facts.off_ms, facts.off_e7), end, class, params);
    facts.leaves_coverage = leaves_coverage(facts, coverage, is_land, params);
}

/// Whether silence began at the seaward rim of reception, or the last course led out of it.
fn leaves_coverage(facts: &GapFacts, coverage: &Coverage, is_land: &dyn Fn((i32, i32)) -> bool, params: &Params) -> bool {
    let off_e7 = facts.off_e7;
    let days = coverage::days_for(time::day_of(facts.until_ms));
    let out = |p: (i32, i32)| !coverage.reaches(p, &days) && !is_land(p);
    let rim_m = params.gap.rim_nm.metres().get();
    // Cells are 6 nm high and `reaches` looks one further: a point three cells away is beyond the rim if none there was heard.
    if (0..8).any(|k| out(geodesy::destination(off_e7, f64::from(k) * 45.0, rim_m))) {
        return true;
    }
    let (Some(sog), Some(cog)) = facts.off_motion else { return false };
    let speed_m_h = f64::from(sog) / 10.0 * METRES_PER_NM;
    let steps = (params.gap.lead_out_h.get() * 4.0).round().max(1.0) as u32;
    (1..=steps).any(|s| out(geodesy::destination(off_e7, f64::from(cog) / 10.0, speed_m_h * f64::from(s) / 4.0)))
}
