//! `rejects.csv`: refused rows, first 1,000 a reason.

use crate::export::csv::defang;
use crate::model::{FileAccount, Reject};
use std::io::Write;

/// Writes a header and one line a refused row.
pub fn write(rejects: &[Reject], accounts: &[FileAccount], out: &mut dyn Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["file", "line", "byte_offset", "reason", "text"])?;
    for r in rejects {
        let file = accounts.get(r.file as usize).map(|a| a.path.display().to_string()).unwrap_or_default();
        writer.write_record([defang(&file), r.line.to_string(), r.byte_offset.to_string(), r.reason.key().to_owned(), defang(&r.text)])?;
    }
    writer.flush()?;
    Ok(())
}
