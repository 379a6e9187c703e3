//! Silences within one track.
//!
//! *In*: tracks with the fixes of 12 h before the window, and the coverage. *Out*: [`GapFacts`]: every silence that ended in
//! the window, and at the end of the data those that have not ended.

use crate::detect::coverage::Coverage;
use crate::detect::meeting::WindowEnd;
use crate::model::fix::NULL_U16;
use crate::model::{AisClass, Fix, GapFacts, Params, Track};
use crate::spatial::geodesy;
use crate::units::METRES_PER_NM;

/// What a step looks at: the window, half-open at its begin, and what comes after it.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Silences ending in `(begin, end]`.
    pub window: (i64, i64),
    /// Whether the data end with the window.
    pub end: WindowEnd,
    /// Who was heard where.
    pub coverage: &'a Coverage,
    /// Whether a position is on land: reception does not end at a beach.
    pub is_land: &'a (dyn Fn((i32, i32)) -> bool + Sync),
    /// The rules.
    pub params: &'a Params,
}

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

/// The silences of one track.
pub fn find(track: &Track, class: AisClass, scope: &Scope) -> Vec<GapFacts> {
    tell(track, &silences(track, scope.window, scope.end, scope.params), class, scope)
}

/// What can be said of silences that [`silences`] found with the same window, end and rules.
pub fn tell(track: &Track, silences: &[u32], class: AisClass, scope: &Scope) -> Vec<GapFacts> {
    silences.iter().filter_map(|&k| describe(track, k as usize, class, scope)).collect()
}

fn describe(track: &Track, k: usize, class: AisClass, scope: &Scope) -> Option<GapFacts> {
    let params = scope.params;
    let fixes = &track.fixes;
    let (off, on) = (&fixes[k], fixes.get(k + 1));
    let begin = fixes.partition_point(|f| f.t_ms < off.t_ms - params.gap.before_h.millis());
    let fixes_before = (k + 1 - begin) as u32;
    if fixes_before < params.gap.min_fixes_before {
        return None;
    }
    let off_e7 = (off.lat_e7, off.lon_e7);
    let on_e7 = on.map(|f| (f.lat_e7, f.lon_e7));
    let distance_m = on_e7.map(|p| geodesy::distance_m(off_e7, p));
    let data_end_ms = scope.window.1;
    let until = on.map_or(data_end_ms, |f| f.t_ms);
    let hours = (until - off.t_ms) as f64 / 3_600_000.0;
    let known = |v: u16| (v != NULL_U16).then_some(v);
    let off_motion = (known(off.sog_dkn), known(off.cog_ddeg));
    Some(GapFacts {
        track: track.id,
        mmsi: track.mmsi,
        off_ms: off.t_ms,
        on_ms: on.map(|f| f.t_ms),
        data_end_ms,
        off_e7,
        on_e7,
        off_motion,
        fixes_before,
        distance_m,
        implied_kn: distance_m.map(|d| d / METRES_PER_NM / hours),
        leaves_coverage: leaves_coverage(off_e7, off_motion, scope),
        surprise_nats: scope.coverage.surprise((off.t_ms, off_e7), (until, on_e7.unwrap_or(off_e7)), class, params),
    })
}

/// Whether silence began at the seaward rim of reception, or the last course led out of it.
fn leaves_coverage(off_e7: (i32, i32), (sog, cog): (Option<u16>, Option<u16>), scope: &Scope) -> bool {
    let params = scope.params;
    let out = |p: (i32, i32)| !scope.coverage.reaches(p) && !(scope.is_land)(p);
    let rim_m = params.gap.rim_nm.metres().get();
    // Cells are 6 nm high and `reaches` looks one further: a point three cells away is beyond the rim if none there was heard.
    if (0..8).any(|k| out(geodesy::destination(off_e7, f64::from(k) * 45.0, rim_m))) {
        return true;
    }
    let (Some(sog), Some(cog)) = (sog, cog) else { return false };
    let speed_m_h = f64::from(sog) / 10.0 * METRES_PER_NM;
    let steps = (params.gap.lead_out_h.get() * 4.0).round().max(1.0) as u32;
    (1..=steps).any(|s| out(geodesy::destination(off_e7, f64::from(cog) / 10.0, speed_m_h * f64::from(s) / 4.0)))
}
