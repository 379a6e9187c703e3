//! The summary on stdout: what went in, what came out, what kept the rest below.

use crate::ingest::escape;
use crate::model::event::Event;
use crate::model::{FileAccount, Kind, RejectReason, time};
use crate::run::convert::{self, DayFile};
use crate::run::nightly::News;
use crate::run::oneshot::Outcome;
use crate::run::state::keeper::{Shown, ShownDay};
use crate::run::state::ledger::{Rendered, Status};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The whole text.
pub fn of(outcome: &Outcome, min_confidence: i32) -> String {
    let mut out = String::new();
    let accounts = &outcome.accounts;
    let day = |d: Option<&i32>| d.map(|d| time::day_text(*d)).unwrap_or_default();
    let span = match (outcome.days.first(), outcome.days.last()) {
        (a, b) if a == b => day(a),
        (a, b) => format!("{} to {}", day(a), day(b)),
    };
    let files = if accounts.len() == 1 { "file" } else { "files" };
    let night = outcome.news.as_ref().filter(|n| n.night > 0);
    if let Some(news) = night {
        the_night(&mut out, news);
        let _ = writeln!(out, "\n{} {files} read, the state holds {}\n", accounts.len(), if span.is_empty() { "no days" } else { &span });
    } else {
        let _ = writeln!(out, "{} {files}, {span}, {} vessels, {} tracks\n", accounts.len(), thousands(outcome.vessels), thousands(outcome.tally.tracks));
    }
    accounting(&mut out, accounts);
    let dropped = &outcome.tally;
    if dropped.teleports + dropped.repeats + dropped.simultaneous > 0 {
        let _ = writeln!(
            out,
            "fixes set aside: {} teleports, {} repeats of old reports, {} second positions of a moment",
            thousands(dropped.teleports),
            thousands(dropped.repeats),
            thousands(dropped.simultaneous)
        );
    }
    if let Some(news) = &outcome.news {
        if night.is_none() {
            the_night(&mut out, news);
        }
        let _ = writeln!(out, "\nwritten to {}", escape(outcome.out.display().to_string().as_bytes(), 400));
        return out;
    }
    let _ = writeln!(out, "\nevents          found   below 50    written");
    for kind in Kind::ALL {
        let (found, below) = outcome.book.counts.get(&kind).copied().unwrap_or_default();
        let written = outcome.book.events.iter().filter(|e| e.kind == kind).count() as u64;
        let _ = writeln!(out, "  {:<12}{:>7}    {:>7}    {:>7}", kind.word(), thousands(found), thousands(below), thousands(written));
    }
    held_back(&mut out, outcome);
    telling(&mut out, &outcome.book.events, min_confidence);
    let _ = writeln!(out, "\nwritten to {}", escape(outcome.out.display().to_string().as_bytes(), 400));
    out
}

/// What a night changed.
fn the_night(out: &mut String, news: &News) {
    let count = |s: Status| news.by_status.get(&s).copied().unwrap_or_default();
    let n = |s: Status| format!("{} {}", thousands(count(s)), s.word());
    let counts = [Status::New, Status::Revised, Status::Withdrawn, Status::Unchanged, Status::Final].map(n).join(", ");
    if news.night > 0 {
        let _ = writeln!(out, "night {}: {counts}", news.night);
    } else {
        let _ = writeln!(out, "\nevents          found    written");
        for kind in Kind::ALL {
            let of = |counts: &BTreeMap<Kind, u64>| thousands(counts.get(&kind).copied().unwrap_or_default());
            let _ = writeln!(out, "  {:<12}{:>7}    {:>7}", kind.word(), of(&news.found), of(&news.events));
        }
    }
    match news.folded.filter(|_| news.night > 0) {
        Some((from, to)) if from == to => drop(writeln!(out, "folded        {}", time::day_text(from))),
        Some((from, to)) => drop(writeln!(out, "folded        {} to {}", time::day_text(from), time::day_text(to))),
        None if news.night > 0 => drop(writeln!(out, "nothing new was delivered")),
        None => {}
    }
    if !news.unchanged_inputs.is_empty() {
        let _ = writeln!(out, "known already {}", list(news.unchanged_inputs.iter().map(|n| escape(n.as_bytes(), 80)).collect()));
    }
    if !news.missing.is_empty() {
        let _ = writeln!(out, "days missing  {}", list(news.missing.iter().map(|d| time::day_text(*d)).collect()));
    }
    if news.night > 0 {
        let kinds: Vec<String> = Kind::ALL.iter().map(|k| format!("{} {}", thousands(news.events.get(k).copied().unwrap_or_default()), k.word())).collect();
        let _ = writeln!(out, "in the book   {}", kinds.join(", "));
    }
    let mut best: Vec<&(Status, Rendered)> = news.changed.iter().collect();
    best.sort_by_key(|(_, e)| (std::cmp::Reverse(e.scores.0 + 2 * e.scores.1.min(50)), e.start_ms, e.id.clone()));
    if !best.is_empty() {
        let which = if news.night > 0 { "new and revised, " } else { "" };
        let _ = writeln!(out, "\n{which}the first to look at, by confidence and twice the risk (50 at most):");
        let _ = writeln!(out, "conf risk           kind        start (UTC)       hours  what");
    }
    for (status, e) in best.iter().take(10) {
        let start = time::rfc3339(e.start_ms).replace('T', " ");
        let what = escape(e.summary.as_bytes(), 160);
        let status = if news.night > 0 { status.word() } else { "" };
        let ((confidence, risk), kind) = (e.scores, e.kind.word());
        let _ = writeln!(out, "{confidence:>4} {risk:>4}  {status:<7}  {kind:<10}  {}  {:>5.1}  {what}", &start[..16], e.duration_h);
    }
    if best.len() > 10 {
        let _ = writeln!(out, "and {} more in the files", best.len() - 10);
    }
    for (id, kind, start_ms) in news.withdrawn.iter().take(10) {
        let _ = writeln!(out, "withdrawn: {} of {} ({id})", kind.word(), time::rfc3339(*start_ms));
    }
    if news.withdrawn.len() > 10 {
        let _ = writeln!(out, "and {} more withdrawn", news.withdrawn.len() - 10);
    }
}

/// What a night changed, by itself.
pub fn night(news: &News) -> String {
    let mut out = String::new();
    the_night(&mut out, news);
    out
}

/// What a state holds.
pub fn state(shown: &Shown) -> String {
    let mut out = String::new();
    let (first, last) = (shown.days.first(), shown.days.last());
    let day = |d: Option<&ShownDay>| d.map_or("none", |d| d.day.as_str()).to_owned();
    let missing: Vec<String> = shown.days.iter().filter(|d| d.rows == 0).map(|d| d.day.clone()).collect();
    let _ = writeln!(out, "nights        {}", thousands(shown.nights));
    let _ = writeln!(out, "days          {}, {} to {}", thousands(shown.days.len() as u64), day(first), day(last));
    if !missing.is_empty() {
        let _ = writeln!(out, "days missing  {}", list(missing));
    }
    if let Some(settled) = &shown.settled_before {
        let _ = writeln!(out, "may change    {settled} and later");
    }
    let _ = writeln!(out, "events        {}, of them final {}", thousands(shown.events.0), thousands(shown.events.1));
    let _ = writeln!(out, "rules         {}, version {}", shown.detection_hash, shown.version);
    let _ = writeln!(out, "on disk       {} bytes", thousands(shown.bytes.values().sum()));
    for (what, bytes) in &shown.bytes {
        let _ = writeln!(out, "  {what:<12}{:>16}", thousands(*bytes));
    }
    let _ = writeln!(out, "\ninput                            night          rows  days");
    for input in &shown.inputs {
        let rows: u64 = input.days.values().sum();
        let mut days: Vec<&str> = [input.days.keys().next(), input.days.keys().last()].into_iter().flatten().map(String::as_str).collect();
        days.dedup();
        let _ = writeln!(out, "{:<32} {:>5}  {:>12}  {}", escape(input.name.as_bytes(), 32), input.night, thousands(rows), days.join(" to "));
    }
    out
}

/// The first few of a list, and how many more there are.
fn list(words: Vec<String>) -> String {
    let first = words.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
    if words.len() > 6 { format!("{first} and {} more", words.len() - 6) } else { first }
}

/// What became of the rows.
fn accounting(out: &mut String, accounts: &[FileAccount]) {
    let sum = |f: &dyn Fn(&FileAccount) -> u64| accounts.iter().map(f).sum::<u64>();
    let _ = writeln!(out, "rows          {:>14}", thousands(sum(&|a| a.rows)));
    let _ = writeln!(out, "  positions   {:>14}", thousands(sum(&|a| a.positions)));
    let mut line = |label: &str, n: u64| {
        if n > 0 {
            let _ = writeln!(out, "  {label:<12}{:>14}", thousands(n));
        }
    };
    line("duplicates", sum(&|a| a.duplicates));
    line("no position", sum(&|a| a.no_position));
    line("static only", sum(&|a| a.static_only));
    line("not ships", sum(&|a| a.not_ships.values().sum()));
    line("rejected", sum(&|a| a.rejected_total()));
    for reason in RejectReason::ALL {
        let n = sum(&|a| a.rejected.get(&reason).copied().unwrap_or(0));
        if n > 0 {
            let _ = writeln!(out, "    {:<22}{:>12}", reason.key(), thousands(n));
        }
    }
}

/// The same of files that were converted.
pub fn of_conversion(outcome: &convert::Outcome) -> String {
    let mut out = String::new();
    let files = if outcome.accounts.len() == 1 { "file" } else { "files" };
    let _ = writeln!(out, "{} {files}, {} vessels\n", outcome.accounts.len(), thousands(outcome.vessels));
    accounting(&mut out, &outcome.accounts);
    let _ = writeln!(out);
    for DayFile { name, bytes, written } in &outcome.files {
        let groups = if written.row_groups == 1 { "row group" } else { "row groups" };
        let _ = writeln!(out, "{name}  {:>14} rows  {:>5} {groups}  {:>14} bytes", thousands(written.rows), written.row_groups, thousands(*bytes));
    }
    let _ = writeln!(out, "\nwritten to {}", escape(outcome.out.display().to_string().as_bytes(), 400));
    out
}

fn held_back(out: &mut String, outcome: &Outcome) {
    let mut by_kind: BTreeMap<Kind, Vec<(&str, u64)>> = BTreeMap::new();
    for ((kind, reason), n) in &outcome.book.held_back {
        by_kind.entry(*kind).or_default().push((reason, *n));
    }
    for (kind, mut reasons) in by_kind {
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let list: Vec<String> = reasons.iter().map(|(r, n)| format!("{} {}", r.replace('_', " "), thousands(*n))).collect();
        let _ = writeln!(out, "{} kept below 50 by: {}", kind.word(), list.join(", "));
    }
}

/// The ten most telling: by band of risk and confidence together, then confidence, then time.
fn telling(out: &mut String, events: &[Event], min_confidence: i32) {
    let mut best: Vec<&Event> = events.iter().collect();
    best.sort_by_key(|e| (std::cmp::Reverse(e.confidence + 2 * e.risk.min(50)), e.start_ms, e.id.clone()));
    if best.is_empty() {
        let _ = writeln!(out, "\nno event of confidence {min_confidence} or more");
        return;
    }
    let _ = writeln!(out, "\nthe first to look at, by confidence and twice the risk (50 at most):\nconf risk  kind        start (UTC)       hours  what");
    for e in best.iter().take(10) {
        let start = time::rfc3339(e.start_ms).replace('T', " ");
        let _ = writeln!(
            out,
            "{:>4} {:>4}  {:<10}  {}  {:>5.1}  {}",
            e.confidence,
            e.risk,
            e.kind.word(),
            &start[..16],
            e.duration_h,
            escape(e.summary.as_bytes(), 160)
        );
    }
    if best.len() > 10 {
        let _ = writeln!(out, "and {} more in the files", best.len() - 10);
    }
}

/// `6343600` as `6,343,600`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (k, c) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
