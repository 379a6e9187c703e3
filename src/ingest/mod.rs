//! Delivery: hostile bytes in, canonical columns and rejects out.
//!
//! *In*: paths. *Out*: a [`Delivery`]: positions grouped by ship in total order, particulars interned, every row accounted for.
//! Lines come before fields: AIS text holds no newline, so the end of a line always ends a row, a quote is read inside one line
//! only, and a line with the wrong number of fields is one counted reject. No general CSV reader ever sees these bytes.

pub mod blocks;
pub mod container;
pub mod gather;
pub mod inputs;
pub mod layout;
pub mod nmea;
pub mod parquet;
pub mod row;
pub mod scan;
pub mod spill;
pub mod store;

pub use gather::{Delivery, Limits, list_rejects, read, read_apart};

use std::path::{Path, PathBuf};

/// What keeps an input from being read. Every message names the file; [`Error::hint`] says what to type next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing at that path.
    #[error("{}: no such file or folder", .0.display())]
    NotFound(PathBuf),
    /// A glob that matches nothing, or a folder without AIS files.
    #[error("{pattern}: no AIS file found there{}", passed(*.passed_over))]
    NoMatch {
        /// What was given.
        pattern: String,
        /// Files there whose names end like none of AIS.
        passed_over: usize,
    },
    /// The operating system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file without a byte in it.
    #[error("{}: the file is empty", .0.display())]
    Empty(PathBuf),
    /// A compressed file that ends before its end, or is not what it says.
    #[error("{}: cut off or damaged ({what})", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What the decoder said.
        what: String,
    },
    /// Something in an archive that must not be read.
    #[error("{}: {what}", .path.display())]
    Archive {
        /// Which file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A first line that is no header of any known layout.
    #[error("{}: no known AIS layout; the first line is `{found}`", .path.display())]
    UnknownLayout {
        /// Which file.
        path: PathBuf,
        /// The line, cut and escaped.
        found: String,
    },
    /// Text of two bytes a character.
    #[error("{}: its text is UTF-16, two bytes a character", .0.display())]
    Utf16(PathBuf),
    /// Lines that end as they did on old Macintoshes.
    #[error("{}: its lines end in a carriage return alone", .0.display())]
    CarriageReturns(PathBuf),
    /// A known kind of header that lacks a column.
    #[error("{}: no column for {column}; found {}", .path.display(), .found.join(", "))]
    MissingColumn {
        /// Which file.
        path: PathBuf,
        /// What is missing.
        column: &'static str,
        /// What is there.
        found: Vec<String>,
        /// How the command line calls it.
        field: &'static str,
    },
    /// A column that was asked for and is not there.
    #[error("{}: no column `{column}`; found {}", .path.display(), .found.join(", "))]
    NoSuchColumn {
        /// Which file.
        path: PathBuf,
        /// What was asked for.
        column: String,
        /// What is there.
        found: Vec<String>,
    },
    /// Too many malformed rows.
    #[error("{}: {malformed} of {rows} rows are malformed ({percent:.1} %: {why}), above the limit of {limit} %", .path.display())]
    TooManyRejects {
        /// Which file.
        path: PathBuf,
        /// Malformed rows.
        malformed: u64,
        /// All rows.
        rows: u64,
        /// Their share.
        percent: f64,
        /// What is allowed.
        limit: f64,
        /// What was wrong with them, the most frequent first.
        why: String,
    },
    /// Rows of days that a state has settled.
    #[error("{}: holds rows of {day}, and this state has settled all days before {oldest}", .path.display())]
    Settled {
        /// Which file.
        path: PathBuf,
        /// The day.
        day: String,
        /// The first day that may still change.
        oldest: String,
    },
    /// Rows so far behind the end of a state that it would settle all it has.
    #[error("{}: holds rows of {day}, and the data of this state end with {last}: all of its days would be settled", .path.display())]
    Leap {
        /// Which file.
        path: PathBuf,
        /// The day.
        day: String,
        /// The last day of the state.
        last: String,
    },
    /// Files without one usable row.
    #[error("{}: {rows} rows, and not one with a usable position ({why})", .path.display())]
    NothingUsable {
        /// Which file.
        path: PathBuf,
        /// Rows below the header.
        rows: u64,
        /// What became of them.
        why: String,
    },
}

/// Files of other names, in words.
fn passed(over: usize) -> String {
    match over {
        0 => String::new(),
        1 => "; 1 file of another name is passed over".to_owned(),
        n => format!("; {n} files of other names are passed over"),
    }
}

/// What to do with a container that is not read.
const REFUSED: &str = "unpack it by hand, or convert it; look at what is in it, and give the CSV files";

impl Error {
    /// The file that it is about; none where nothing was found.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::NoMatch { .. } => None,
            Self::NotFound(path) | Self::Empty(path) | Self::Utf16(path) | Self::CarriageReturns(path) => Some(path),
            Self::Io { path, .. }
            | Self::Damaged { path, .. }
            | Self::Archive { path, .. }
            | Self::UnknownLayout { path, .. }
            | Self::MissingColumn { path, .. }
            | Self::NoSuchColumn { path, .. }
            | Self::TooManyRejects { path, .. }
            | Self::Settled { path, .. }
            | Self::Leap { path, .. }
            | Self::NothingUsable { path, .. } => Some(path),
        }
    }

    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound(_) | Self::NoMatch { .. } => "check the spelling; a folder is read whole, and a glob goes in quotes: 'ais/*.csv.zst'",
            Self::Io { source, .. } if source.get_ref().is_some_and(|e| e.is::<container::Refused>()) => REFUSED,
            Self::Io { .. } => "check the permissions of the file and its folder",
            Self::Empty(_) | Self::Damaged { .. } => "download it again; compare its size with the publisher's",
            Self::Archive { .. } => REFUSED,
            Self::UnknownLayout { found, .. } => of_first_line(found),
            Self::Utf16(_) => "turn it into UTF-8: `iconv -f UTF-16 -t UTF-8 FILE > NEW`",
            Self::CarriageReturns(_) => "turn them into newlines: `tr '\\r' '\\n' < FILE > NEW`",
            Self::MissingColumn { field, .. } => of_missing(field),
            Self::NoSuchColumn { .. } => "--map is FIELD=COLUMN with a name from the header, whatever its case",
            Self::TooManyRejects { why, .. } if why.starts_with("bad_time") => {
                "do its times have another form than its layout's? `--time-format` names it, `--provider` another layout; sentences need times of receipt"
            }
            Self::TooManyRejects { why, .. } if why.starts_with("position_off_globe") => {
                "are latitude and longitude swapped? `alongside inspect` looks; `--map lat=COLUMN --map lon=COLUMN` reads them the other way round"
            }
            Self::TooManyRejects { .. } => "`--max-reject-share 100` takes the other rows; rejects.csv then shows the refused ones",
            Self::Settled { .. } => "a run without --state judges it by itself; state.revision_d keeps more days open",
            Self::Leap { .. } => "is its date right? if so, `--from` with the first day that is new says that it is meant",
            Self::NothingUsable { .. } => "is it the right file, and are --from, --to and --bbox as meant?",
        }
    }
}

/// What to do with a file whose first line is no header.
fn of_first_line(found: &str) -> &'static str {
    let begins = |with: &[&str]| with.iter().any(|w| found.trim_start().to_lowercase().starts_with(w));
    if begins(&["<"]) {
        "that is a web page, or what a server says of an error, and not the file: download it again"
    } else if begins(&["version https://git-lfs"]) {
        "that stands for a file which Git LFS has: `git lfs pull` brings it"
    } else if begins(&["!", "$"]) || (begins(&["\\"]) && found.contains("\\!")) {
        "sentences are read where one of the first lines has a checksum that fits"
    } else {
        "the first line must be the header of a layout that `alongside detect --help` lists; `--map lat=COLUMN` and the like name the columns of any other"
    }
}

/// What to do where a column is missing.
fn of_missing(field: &str) -> &'static str {
    match field {
        "mmsi" => "the columns needed are MMSI, time, latitude and longitude; `--map mmsi=COLUMN` names one that is called otherwise",
        "time" => "the columns needed are MMSI, time, latitude and longitude; `--map time=COLUMN` names one that is called otherwise, `--time-format` its form",
        "lat" => "the columns needed are MMSI, time, latitude and longitude; `--map lat=COLUMN` names one that is called otherwise",
        _ => "the columns needed are MMSI, time, latitude and longitude; `--map lon=COLUMN` names one that is called otherwise",
    }
}

/// Text from a file, safe for a terminal: control, C1, bidirectional and line-breaking characters escaped, cut at `most` characters.
pub fn escape(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * most)]);
    let mut out = String::new();
    for c in text.chars().take(most) {
        let risky = c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
        if risky {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    if bytes.len() > out.len() && text.chars().count() > most {
        out.push('…');
    }
    out
}
