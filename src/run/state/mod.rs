//! The state of nightly runs: a folder that remembers.
//!
//! `state.json` (the [`index::Index`]) names everything else, and everything else are files that never change ([`objects`]). A night
//! writes new objects, then a new index beside the old one, and renames it: that one moment turns the old state into the new.
//! Whatever stops the program before leaves the old state, and after it the new; what nobody names is swept up by the next night. A
//! run folder that belongs to the new state is whole before that moment, and put in its place right after it, by the next run if need be.

pub mod draw;
pub mod fold;
pub mod index;
pub mod keeper;
pub mod ledger;
pub mod objects;
pub mod rows;
pub mod taken;

use crate::export::whole::{Folder, Sealed, aside_of};
use index::{Index, SCHEMA};
use objects::Objects;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What keeps a state from being used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another run is at it.
    #[error("{}: another run holds this state", .0.display())]
    Locked(PathBuf),
    /// The folder holds something else.
    #[error("{}: holds files that are not a state of alongside", .0.display())]
    NotAState(PathBuf),
    /// Nothing there yet.
    #[error("{}: there is no state in it", .0.display())]
    NoState(PathBuf),
    /// Written by another version.
    #[error("{}: a state of schema {found}, and this version reads {SCHEMA}", .path.display())]
    OtherSchema {
        /// Which.
        path: PathBuf,
        /// What it is.
        found: u64,
    },
    /// Folded under other rules.
    #[error("{}: folded with other rules: {differs}", .path.display())]
    OtherRules {
        /// Which.
        path: PathBuf,
        /// What is not the same.
        differs: String,
    },
    /// A file of it is not what it was.
    #[error("{}: {what}", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// What should be forgotten is not there.
    #[error("no input and no day `{asked}` in it; there are {known}")]
    Unknown {
        /// What was asked for.
        asked: String,
        /// The nearest.
        known: String,
    },
    /// A change that reaches back too far.
    #[error("{what}: days before {oldest} are settled, and their rows are gone")]
    Settled {
        /// What would change.
        what: String,
        /// The first day that may.
        oldest: String,
    },
    /// Our bug.
    #[error("a fault of alongside itself: {0}")]
    Bug(String),
}

impl Error {
    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the disk has room and that you may write there; the state is as it was",
            Self::Locked(_) => "wait until it is done; a lock ends with the program that holds it",
            Self::NotAState(_) => "name another folder with --state; it is made if it is not there",
            Self::NoState(_) => "`alongside detect INPUT... --state DIR -o OUT` begins one",
            Self::OtherSchema { .. } => "begin another with --state elsewhere and the files of the last 35 days, or use the version that wrote it",
            Self::OtherRules { .. } => "give the same rules, or begin another with --state elsewhere and the files of the days that matter",
            Self::Damaged { .. } => "put it back from a copy, or begin another with --state elsewhere; `alongside state verify` lists what is damaged",
            Self::Unknown { .. } => "`alongside state show` lists the inputs and the days",
            Self::Settled { .. } => "a run without --state judges any files by themselves; state.revision_d keeps more days open",
            Self::Bug(_) => "please report it with the command line",
        }
    }
}

/// A state folder, held by this run alone.
#[derive(Debug)]
pub struct Dir {
    folder: PathBuf,
    /// Files that never change.
    pub objects: Objects,
    /// What is in it; none in a new one.
    pub index: Option<Index>,
    _lock: Lock,
}

/// A locked file.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    /// In so many words: a program that another thread is starting holds the file open as well for a moment.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

const INDEX: &str = "state.json";

impl Dir {
    /// Opens a state, or begins one in a folder that is empty or not there.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let fail = |path: &Path| {
            let path = path.to_path_buf();
            move |source| Error::Io { path, source }
        };
        let known = folder.join(INDEX).is_file() || folder.join("lock").is_file();
        if !known && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::NotAState(folder.to_path_buf()));
        }
        fs::create_dir_all(folder).map_err(fail(folder))?;
        let lock_path = folder.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(fail(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Error::Locked(folder.to_path_buf())),
            Err(fs::TryLockError::Error(source)) => return Err(Error::Io { path: lock_path, source }),
        }
        let objects = Objects::in_folder(folder.join("objects"))?;
        let index = read_index(&folder.join(INDEX))?;
        if index.is_none() && !objects.are_none() {
            return Err(Error::Damaged { path: folder.join(INDEX), what: "it is gone, and files that only it can tell are still there".to_owned() });
        }
        let mut dir = Self { folder: folder.to_path_buf(), objects, index, _lock: Lock(lock) };
        dir.publish_what_waits()?;
        Ok(dir)
    }

    /// Opens a state that is there.
    pub fn existing(folder: &Path) -> Result<Self, Error> {
        if !folder.join(INDEX).is_file() {
            return Err(Error::NoState(folder.to_path_buf()));
        }
        Self::open(folder)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The moment at which the state becomes another.
    pub fn commit(&mut self, index: Index) -> Result<(), Error> {
        self.objects.sync()?;
        let path = self.folder.join(INDEX);
        let fail = |source| Error::Io { path: path.clone(), source };
        let text = serde_json::to_vec_pretty(&index).map_err(|e| Error::Bug(e.to_string()))?;
        let mut file = tempfile::Builder::new().prefix(".state-").tempfile_in(&self.folder).map_err(fail)?;
        file.write_all(&text).map_err(fail)?;
        file.as_file().sync_all().map_err(fail)?;
        file.persist(&path).map_err(|e| fail(e.error))?;
        objects::sync_folder(&self.folder)?;
        self.index = Some(index);
        Ok(())
    }

    /// Puts a run that was written with the state in its place, if that has not happened yet.
    pub fn publish_what_waits(&mut self) -> Result<(), Error> {
        let Some(mut index) = self.index.clone() else { return Ok(()) };
        let Some(publish) = index.publish.take() else { return Ok(()) };
        let aside = aside_of(&publish.from);
        if publish.from.is_dir() && Folder::check(&publish.to, true).is_err() {
            // Somebody put something else in its place: that stays, and the book is in the state.
            fs::remove_dir_all(&publish.from).map_err(|source| Error::Io { path: publish.from, source })?;
        } else if publish.from.is_dir() {
            let sealed = Sealed::left(publish.from, publish.to.clone());
            sealed.place().map_err(|e| Error::Io { path: publish.to, source: io::Error::other(e.to_string()) })?;
        }
        if aside.is_dir() {
            fs::remove_dir_all(&aside).map_err(|source| Error::Io { path: aside, source })?;
        }
        self.commit(index)
    }

    /// Notes that the run is in its place.
    pub fn published(&mut self) -> Result<(), Error> {
        match self.index.clone() {
            Some(index) => self.commit(Index { publish: None, ..index }),
            None => Ok(()),
        }
    }

    /// Removes what the index does not name; returns how many files went, and their bytes.
    pub fn sweep(&self) -> Result<(u64, u64), Error> {
        let fail = |source: io::Error| Error::Io { path: self.folder.clone(), source };
        for entry in fs::read_dir(&self.folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if entry.file_name().to_string_lossy().starts_with(".state-") {
                fs::remove_file(entry.path()).map_err(fail)?;
            }
        }
        let named = self.index.as_ref().map(Index::objects).unwrap_or_default();
        self.objects.sweep(&named)
    }
}

fn read_index(path: &Path) -> Result<Option<Index>, Error> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Io { path: path.to_path_buf(), source }),
    };
    let damaged = |e: serde_json::Error| Error::Damaged { path: path.to_path_buf(), what: e.to_string() };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    if value["tool"] != "alongside" {
        return Err(Error::NotAState(path.parent().unwrap_or(path).to_path_buf()));
    }
    match value["schema_version"].as_u64() {
        Some(found) if found != u64::from(SCHEMA) => Err(Error::OtherSchema { path: path.to_path_buf(), found }),
        _ => serde_json::from_value(value).map(Some).map_err(damaged),
    }
}

/// The name of an input: its file name without the suffix of its container. The same name again replaces its rows.
pub fn input_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let suffixes = [".zip", ".gz", ".bz2", ".xz", ".zst", ".csv", ".txt", ".nmea", ".aivdm", ".parquet", ".geoparquet", ".json", ".geojson"];
    let mut rest = name.as_str();
    while let Some(shorter) = suffixes.iter().find_map(|s| rest.get(..rest.len().checked_sub(s.len())?).filter(|_| rest.to_lowercase().ends_with(s))) {
        if shorter.is_empty() {
            break;
        }
        rest = shorter;
    }
    rest.to_owned()
}
