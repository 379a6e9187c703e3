//! `events.csv`: the columns, flat. Text that a spreadsheet would run as a formula is defanged.

use crate::export::{BATCH, columns};
use crate::model::event::Event;
use rayon::prelude::*;
use serde_json::Value;
use std::io::Write;

/// Writes a header and one line an event.
pub fn write(events: &[Event], out: &mut dyn Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns::NAMES)?;
    for batch in events.chunks(BATCH) {
        let rows: Vec<Vec<String>> = batch.par_iter().map(|event| columns::of(event).values().map(cell).collect()).collect();
        for row in rows {
            writer.write_record(row)?;
        }
    }
    writer.flush()?;
    Ok(())
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
