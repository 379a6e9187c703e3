//! `events.csv`: the columns, flat. Text that a spreadsheet would run as a formula is defanged.

use crate::export::{BATCH, columns};
use crate::model::event::Event;
use rayon::prelude::*;
use serde_json::Value;
use std::io::Write;

/// Writes a header and one line an event.
pub fn write(events: &[Event], out: &mut dyn Write) -> Result<(), csv::Error> {
    let lines = events.chunks(BATCH).flat_map(|batch| batch.par_iter().map(line).collect::<Vec<_>>());
    collect(lines, out)
}

/// The line of one event, with its end.
pub fn line(event: &Event) -> Result<String, csv::Error> {
    record(columns::of(event).values().map(cell))
}

/// Writes the header, and lines that are text already.
pub fn collect<T: AsRef<str>>(lines: impl Iterator<Item = Result<T, csv::Error>>, out: &mut dyn Write) -> Result<(), csv::Error> {
    out.write_all(record(columns::NAMES.map(str::to_owned).into_iter())?.as_bytes())?;
    for line in lines {
        out.write_all(line?.as_ref().as_bytes())?;
    }
    Ok(())
}

fn record(cells: impl Iterator<Item = String>) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells)?;
    let bytes = writer.into_inner().map_err(|e| e.into_error())?;
    String::from_utf8(bytes).map_err(|e| std::io::Error::other(e).into())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => defang(text),
        // JSON in a cell begins with a bracket: no formula.
        other => other.to_string(),
    }
}

/// Text cells that begin with `= + - @`, a tab, a line break or their full-width forms get an apostrophe (OWASP); numbers stay numbers.
pub fn defang(text: &str) -> String {
    let risky = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.starts_with(risky) { format!("'{text}") } else { text.to_owned() }
}
