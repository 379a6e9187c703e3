//! Dispatch: events to files.
//!
//! One table of columns serves CSV and GeoJSON, so that they cannot differ. Every number has a fixed count of decimals. A run
//! appears whole or not at all: [`whole::Folder`] writes beside the target, syncs, and renames.

pub mod columns;
pub mod csv;
pub mod geojson;
pub mod particulars;
pub mod rejects;
pub mod whole;

use std::path::PathBuf;

/// Events that are made into text at a time, in parallel; memory is that of one batch.
const BATCH: usize = 1024;

/// What keeps an output from being written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is there already.
    #[error("{}: exists already", .0.display())]
    Exists(PathBuf),
    /// The folder that is there holds something else.
    #[error("{}: holds files that are not a run of alongside, and is not overwritten", .0.display())]
    NotARun(PathBuf),
    /// Another run writes there.
    #[error("{}: another run is writing there", .0.display())]
    Held(PathBuf),
    /// `.`, `..` or `/`: a folder that cannot be replaced by another of its name.
    #[error("{}: a run makes its folder anew, so the folder needs a name of its own", .0.display())]
    Nameless(PathBuf),
    /// The operating system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A Parquet file could not be made.
    #[error("{}: {what}", .path.display())]
    Parquet {
        /// Which file.
        path: PathBuf,
        /// What polars said.
        what: String,
    },
}

impl Error {
    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists(_) => "name another folder with -o, or add --overwrite",
            Self::Held(_) => "wait until it is done, or name another folder with -o",
            Self::NotARun(_) | Self::Nameless(_) => "name another folder with -o",
            Self::Io { .. } | Self::Parquet { .. } => "check that the disk has room and that you may write there",
        }
    }
}
