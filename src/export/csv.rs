//! `events.csv`: the columns, flat. Text that a spreadsheet would run as a formula is defanged.

use crate::export::columns;
use crate::model::event::Event;
use serde_json::Value;
use std::io::Write;

/// Writes a header and one line an event.
pub fn write(events: &[Event], out: &mut dyn Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns::NAMES)?;
    for event in events {
        writer.write_record(columns::of(event).values().map(cell))?;
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
