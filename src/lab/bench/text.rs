//! The report as people read it, at most 110 columns wide.

use crate::lab::bench::{Report, against, places, search};
use std::fmt::Write;

/// Figures of the base, then multiples of them.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    let input = &report.input;
    let days = if input.days.0 == input.days.1 { input.days.0.clone() } else { format!("{} to {}", input.days.0, input.days.1) };
    let _ = writeln!(out, "{days}: {} rows, {} vessels, {} tracks, {} fixes", whole(input.rows), whole(input.vessels), whole(input.tracks), whole(input.fixes));
    let _ = writeln!(
        out,
        "{} cores, calibration {:.0} ms. Lines marked * are figures, the others multiples of them.\nbuild, query: median of {}; step: runs to meetings, once where the group is not the index; MiB: by the nodes.",
        report.cores, report.calibration_ms, report.runs
    );
    searches(&mut out, report);
    place_queries(&mut out, &report.places);
    if !report.against.is_empty() {
        compared(&mut out, &report.against);
    }
    out
}

fn searches(out: &mut String, report: &Report) {
    let mut group = "";
    for row in &report.searches {
        if row.group != group {
            group = &row.group;
            let _ = writeln!(out, "\n{:<26}{HEAD}", title(row));
        }
        let _ = match (&row.measured, &row.to_base) {
            (Some(m), _) if row.is_base => writeln!(out, "* {:<24}{}", row.name, figures(m)),
            (Some(_), Some(ratios)) => writeln!(out, "  {:<24}{}", row.name, multiples(ratios)),
            _ => writeln!(out, "  {:<24}{:>8}  {}", row.name, "-", row.left_out.as_deref().unwrap_or_default()),
        };
    }
    let mut bases = report.searches.iter().filter(|r| r.is_base).filter_map(|r| r.measured.as_ref().map(|m| (r.enter_m, m.meetings))).peekable();
    if bases.peek().is_some() {
        let list: Vec<String> = bases.map(|(enter_m, n)| format!("{} at {enter_m} m", whole(n))).collect();
        let _ = writeln!(out, "\nAll ways gave the same meetings: {}.", list.join(", "));
    }
}

const HEAD: &str = " entries build ms query ms  step ms     MiB  candidates exact tests    hits";

fn title(row: &search::Row) -> String {
    let threads = format!("{} thread{}", row.threads, if row.threads == 1 { "" } else { "s" });
    match row.group.as_str() {
        "index" => format!("index, {threads}"),
        "run" => "size of runs".to_owned(),
        "threads" => "threads".to_owned(),
        _ => format!("enter {}, leave {} m", row.enter_m, row.leave_m),
    }
}

fn figures(m: &search::Measured) -> String {
    let mib = m.memory_bytes as f64 / (1024.0 * 1024.0);
    let (entries, candidates, tests, hits) = (whole(m.entries), whole(m.candidates), whole(m.exact_tests), whole(m.hits));
    format!("{entries:>8}{:>9.1}{:>9.1}{:>9.1}{mib:>8.2}{candidates:>12}{tests:>12}{hits:>8}", m.build_ms, m.query_ms, m.step_ms)
}

fn multiples(r: &search::Ratios) -> String {
    let [entries, build, query, step, memory, candidates, tests, hits] =
        [r.entries, r.build, r.query, r.step, r.memory, r.candidates, r.exact_tests, r.hits].map(multiple);
    format!("{entries:>8}{build:>9}{query:>9}{step:>9}{memory:>8}{candidates:>12}{tests:>12}{hits:>8}")
}

fn place_queries(out: &mut String, rows: &[places::Row]) {
    let _ = writeln!(out, "\n{:<26}{:>10}{:>16}{:>16}{:>12}{:>12}", "places, one thread", "queries", "a second", "by all", "times", "compared");
    for row in rows {
        let (queries, fast, slow) = (whole(row.queries as u64), whole(row.per_second as u64), whole(row.by_all_per_second as u64));
        let _ = writeln!(out, "  {:<24}{queries:>10}{fast:>16}{slow:>16}{:>12}{:>12}", row.query, multiple(row.ratio), row.compared);
    }
}

fn compared(out: &mut String, rows: &[against::Row]) {
    let _ = writeln!(out, "\nAgainst the earlier report: new by old, times divided by each machine's calibration.");
    let mut group = "";
    for row in rows {
        if row.group != group {
            group = &row.group;
            let _ = writeln!(out, "\n{group:<26}{HEAD}");
        }
        let _ = writeln!(out, "{}", format!("  {:<24}{}  {}", row.name, multiples(&row.ratios), row.verdict).trim_end());
    }
    let count = |verdict: &str| rows.iter().filter(|r| r.verdict == verdict).count();
    let _ = writeln!(out, "\n{} slower by more than 15 %, {} faster.", count("slower"), count("faster"));
}

/// Two decimals, or fewer where it is large.
fn multiple(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(v) if v >= 100.0 => whole(v.round() as u64),
        Some(v) if v >= 10.0 => format!("{v:.1}"),
        Some(v) => format!("{v:.2}"),
    }
}

/// A whole number in groups of three.
fn whole(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
