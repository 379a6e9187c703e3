//! Two reports of the same input, side by side.
//!
//! Times are divided by each report's own calibration first, so that reports of two machines can be compared.

use crate::lab::bench::{Error, Input, Report, ratio, search};
use serde::{Deserialize, Serialize};

/// A search this many times as long as before has become slower.
const SLOWER: f64 = 1.15;
/// Differences below, milliseconds, say nothing.
const LEAST_MS: f64 = 2.0;

/// One way in both reports: the new figure as a multiple of the old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// As in the report.
    pub group: String,
    /// As in the report.
    pub name: String,
    /// New by old, times by calibration.
    pub ratios: search::Ratios,
    /// `slower`, `faster`, or empty.
    pub verdict: String,
}

/// Refuses a report of other input.
pub fn same_input(old: &Input, new: &Input) -> Result<(), Error> {
    let counts = [("rows", old.rows, new.rows), ("vessels", old.vessels, new.vessels), ("tracks", old.tracks, new.tracks), ("fixes", old.fixes, new.fixes)];
    if let Some((what, x, y)) = counts.into_iter().find(|(_, x, y)| x != y) {
        return Err(Error::OtherInput { what: format!("{x} {what} then, {y} now") });
    }
    if old != new {
        return Err(Error::OtherInput { what: format!("digest {} then, {} now", old.digest, new.digest) });
    }
    Ok(())
}

/// Compares every way that both reports measured. Refuses other answers.
pub fn compare(old: &Report, new: &Report) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    // A machine that needs twice as long for the calibration is given twice as long.
    let speed = ratio(old.calibration_ms, new.calibration_ms).unwrap_or(1.0);
    for row in &new.searches {
        let Some(before) = old.searches.iter().find(|r| r.group == row.group && r.name == row.name && r.threads == row.threads) else { continue };
        let (Some(x), Some(y)) = (&before.measured, &row.measured) else { continue };
        if x.answers != y.answers {
            let what = format!("`{}`, enter {} m: {} meetings then, {} now", row.name, row.enter_m, x.meetings, y.meetings);
            return Err(Error::OtherAnswers { what });
        }
        let mut scaled = y.clone();
        scaled.build_ms *= speed;
        scaled.query_ms *= speed;
        scaled.step_ms *= speed;
        let (was, is) = (x.search_ms(), scaled.search_ms());
        let verdict = if is > was * SLOWER && is - was > LEAST_MS {
            "slower"
        } else if was > is * SLOWER && was - is > LEAST_MS {
            "faster"
        } else {
            ""
        };
        rows.push(Row { group: row.group.clone(), name: row.name.clone(), ratios: scaled.ratios(x), verdict: verdict.to_owned() });
    }
    Ok(rows)
}
