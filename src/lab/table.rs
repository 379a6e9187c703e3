//! Our own tables back from a file: cells by column name.
//!
//! *In*: a CSV file that `detect` or `simulate` wrote, or a person after their manner. *Out*: cells, or what is wrong and where.
//! Files of AIS providers never come here.

use crate::ingest::escape;
use crate::lab::Error;
use std::path::Path;

/// Rows with their line numbers; cells in the order of the columns asked for.
pub struct Table {
    /// Line and cells of each.
    pub rows: Vec<(u64, Vec<String>)>,
}

/// A cell as it may be shown on a terminal.
pub fn shown(cell: &str) -> String {
    escape(cell.as_bytes(), 60)
}

/// Reads the columns named; all must be there, others are left alone.
pub fn read(path: &Path, columns: &[&'static str]) -> Result<Table, Error> {
    let file = std::fs::File::open(path).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    let broken = |e: &csv::Error| Error::NotATable { path: path.to_path_buf(), what: e.to_string() };
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|e| broken(&e))?.clone();
    let mut at = Vec::with_capacity(columns.len());
    for &column in columns {
        let missing = || Error::MissingColumn { path: path.to_path_buf(), column, found: header.iter().map(shown).collect() };
        at.push(header.iter().position(|name| name.trim() == column).ok_or_else(missing)?);
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| broken(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        // No cell of ours holds a line break: one that does has a quote that was never closed.
        if record.iter().any(|cell| cell.contains('\n')) {
            return Err(Error::NotATable { path: path.to_path_buf(), what: format!("line {line}: a quote that is not closed") });
        }
        rows.push((line, at.iter().map(|k| record[*k].trim().to_owned()).collect()));
    }
    Ok(Table { rows })
}
