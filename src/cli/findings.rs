//! What `inspect` found, as a page for a terminal.

use crate::cli::summary::thousands;
use crate::ingest::escape;
use crate::run::inspect::Report;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Files, days and holes shown, at most.
const MOST: usize = 12;

/// The whole page.
pub fn of(report: &Report) -> String {
    let mut out = String::new();
    for file in report.files.iter().take(MOST) {
        let path = escape(file.path.as_bytes(), 400);
        let _ =
            writeln!(out, "{path}\n  {} ({}), {} bytes\n  {} rows: {}", file.layout, file.told_by, thousands(file.bytes), thousands(file.rows), parts(file));
    }
    if report.files.len() > MOST {
        let _ = writeln!(out, "and {} files more", report.files.len() - MOST);
    }
    let _ = writeln!(out, "\nvessels       {:>12}", thousands(report.vessels));
    if report.vessels > 0 {
        let _ = writeln!(out, "  by class    {}", list(&report.vessels_by_class));
        let _ = writeln!(out, "  by type     {}", list(&report.vessels_by_type));
    }
    let _ = writeln!(out, "positions     {:>12}", thousands(report.positions));
    if let Some((from, to)) = &report.span {
        let days = report.positions_by_day.len();
        let missing = report.missing_days();
        let missing = if missing > 0 { format!(", {missing} without any") } else { String::new() };
        let _ = writeln!(out, "  span        {from} to {to}, {days} {}{missing}", if days == 1 { "day" } else { "days" });
    }
    if let Some([w, s, e, n]) = report.area {
        let _ = writeln!(out, "  area        --bbox {w:.3},{s:.3},{e:.3},{n:.3}");
    }
    if let Some([low, middle, high]) = report.interval_s {
        let _ = writeln!(out, "  interval    {low} s, {middle} s, {high} s (10, 50 and 90 % at most)");
    }
    let missing: Vec<String> =
        report.missing.iter().filter(|(_, share)| **share > 0.0).map(|(column, share)| format!("{column} {:.1} %", share * 100.0)).collect();
    if report.positions > 0 {
        let _ = writeln!(out, "  missing     {}", if missing.is_empty() { "nothing".to_owned() } else { missing.join(", ") });
    }
    if !report.holes.is_empty() {
        let _ = writeln!(out, "\nnobody heard for ten minutes or more: {}", report.holes.len());
        for (from, to) in report.holes.iter().take(MOST) {
            let _ = writeln!(out, "  {from} to {to}");
        }
    }
    let _ = writeln!(out, "\n{}", if report.odd.is_empty() { "nothing odd" } else { "odd" });
    for oddity in &report.odd {
        let _ = writeln!(out, "  {}: {}", oddity.kind.replace('_', " "), oddity.what);
    }
    out
}

fn parts(file: &crate::run::inspect::File) -> String {
    let fixed =
        [("positions", file.positions), ("duplicates", file.duplicates), ("of particulars alone", file.static_only), ("without position", file.no_position)];
    let fixed = fixed.into_iter().map(|(what, n)| (what.to_owned(), n));
    let not_ships = file.not_ships.iter().map(|(kind, n)| (kind.replace('_', " "), *n));
    let rejected = file.rejected.iter().map(|(reason, n)| (format!("rejected as {reason}"), *n));
    let all: Vec<String> = fixed.chain(not_ships).chain(rejected).filter(|(_, n)| *n > 0).map(|(what, n)| format!("{} {what}", thousands(n))).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// The most frequent first.
fn list(counts: &BTreeMap<&'static str, u64>) -> String {
    let mut counts: Vec<(&str, u64)> = counts.iter().map(|(what, n)| (*what, *n)).collect();
    counts.sort_by_key(|(what, n)| (std::cmp::Reverse(*n), *what));
    counts.into_iter().map(|(what, n)| format!("{what} {}", thousands(n))).collect::<Vec<_>>().join(", ")
}
