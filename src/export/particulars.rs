//! `particulars.csv`: what the ships of events said of themselves, and when it changed.

use crate::export::csv::defang;
use crate::model::{Particulars, time};
use std::io::Write;

/// One field of one ship of one event, from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The event.
    pub event_id: String,
    /// 1 or 2.
    pub vessel: u8,
    /// The number the ship sent under.
    pub mmsi: u32,
    /// Its track.
    pub track_id: String,
    /// Since when, UTC milliseconds.
    pub t_ms: i64,
    /// Which field.
    pub field: &'static str,
    /// What it was; empty where nothing had been sent.
    pub before: String,
    /// What it is.
    pub after: String,
    /// Name of the input.
    pub file: String,
    /// Line of it, the header being line 1.
    pub line: u32,
}

/// The fields that are followed, as text; empty where not sent.
pub fn fields(p: &Particulars) -> [(&'static str, String); 7] {
    let number = |n: u32| if n == 0 { String::new() } else { n.to_string() };
    let metres = |dm: u16| if dm == 0 { String::new() } else { format!("{}.{}", dm / 10, dm % 10) };
    [
        ("name", p.name.to_string()),
        ("imo", number(p.imo)),
        ("call_sign", p.call_sign.to_string()),
        ("ship_type", number(u32::from(p.ship_type))),
        ("length_m", metres(p.length_dm)),
        ("beam_m", metres(p.beam_dm)),
        ("draught_m", metres(p.draught_dm)),
    ]
}

/// Writes a header and one line a change.
pub fn write(changes: impl Iterator<Item = Change>, out: &mut dyn Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["event_id", "vessel", "mmsi", "track_id", "t", "field", "before", "after", "file", "line"])?;
    for c in changes {
        let (vessel, mmsi, line) = (c.vessel.to_string(), format!("{:09}", c.mmsi), c.line.to_string());
        let (t, before, after, file) = (time::rfc3339(c.t_ms), defang(&c.before), defang(&c.after), defang(&c.file));
        writer.write_record([&c.event_id, &vessel, &mmsi, &c.track_id, &t, c.field, &before, &after, &file, &line])?;
    }
    writer.flush()?;
    Ok(())
}
