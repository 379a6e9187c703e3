//! A folder that appears whole or not at all.

use crate::export::Error;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A run being written, in a temporary folder beside its target that nobody else may replace meanwhile.
pub struct Folder {
    target: PathBuf,
    temporary: tempfile::TempDir,
    overwrite: bool,
    written: Vec<Written>,
    claim: Claim,
}

/// The only run that writes to a target: a lock beside it, which ends with the program, however it ends.
#[derive(Debug)]
struct Claim {
    path: PathBuf,
    _lock: File,
}

impl Claim {
    fn on(target: &Path, parent: &Path, name: &str) -> Result<Self, Error> {
        let path = parent.join(format!(".alongside-{name}.lock"));
        let fail = |source| Error::Io { path: path.clone(), source };
        loop {
            let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(fail)?;
            match lock.try_lock() {
                // Whoever held it may have removed it since it was opened: then this is a lock on nothing.
                Ok(()) if is_at(&lock, &path) => return Ok(Self { path, _lock: lock }),
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => return Err(Error::Held(target.to_path_buf())),
                Err(fs::TryLockError::Error(source)) => return Err(fail(source)),
            }
        }
    }
}

/// Whether an open file is the one that stands at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let name = |m: fs::Metadata| (m.dev(), m.ino());
    fs::metadata(path).ok().map(name).is_some_and(|there| file.metadata().ok().map(name) == Some(there))
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Letters that a temporary folder has behind the name of its target.
const RANDOM: usize = 6;

/// Folders that a stopped program must not leave behind.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Removes what is being written, when the program is told to stop. No run is put in its place while this goes on, and none after.
pub fn abandon() -> impl Sized {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for folder in unfinished.iter() {
        let _ = fs::remove_dir_all(folder);
        let lock = folder.to_str().and_then(|f| f.get(..f.len().checked_sub(RANDOM + 1)?)).map(|f| format!("{f}.lock"));
        let _ = lock.map(fs::remove_file);
    }
    unfinished
}

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder for what a run need not keep: gone when it ends, however it is told to.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Where the system has such folders.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("alongside-").tempdir()?;
        unfinished().insert(folder.path().to_path_buf());
        Ok(Self(folder))
    }
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        unfinished().remove(self.0.path());
    }
}

/// Clears away what a run left that was stopped without warning; a run that had just been set aside goes back to its place.
fn clear(target: &Path, parent: &Path, name: &str) -> io::Result<()> {
    let prefix = format!(".alongside-{name}-");
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let found = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = found.strip_prefix(&prefix) else { continue };
        let random = rest.strip_suffix(".old").unwrap_or(rest);
        // Runs that are called `out` and `out-1` stand side by side: the lock of one begins like a folder of the other.
        if random.len() != RANDOM || !random.bytes().all(|b| b.is_ascii_alphanumeric()) || !entry.file_type()?.is_dir() {
            continue;
        }
        if rest.ends_with(".old") && !target.exists() {
            fs::rename(entry.path(), target)?;
        } else {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Name within the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hash.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Folder {
    /// Whether a run may be written there; asked before the work, so that hours are not lost.
    pub fn check(target: &Path, overwrite: bool) -> Result<(), Error> {
        if target.file_name().is_none() {
            return Err(Error::Nameless(target.to_path_buf()));
        }
        let occupied = match fs::read_dir(target) {
            Ok(mut entries) => entries.next().is_some(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(Error::Io { path: target.to_path_buf(), source }),
        };
        match (occupied, overwrite) {
            (false, _) => Ok(()),
            (true, false) => Err(Error::Exists(target.to_path_buf())),
            (true, true) if is_run(target) => Ok(()),
            (true, true) => Err(Error::NotARun(target.to_path_buf())),
        }
    }

    /// Begins a run.
    pub fn begin(target: &Path, overwrite: bool) -> Result<Self, Error> {
        // A link to a folder is kept: the run is put where it leads.
        let led = if target.is_symlink() {
            fs::canonicalize(target).map_err(|source| Error::Io { path: target.to_path_buf(), source })?
        } else {
            target.to_path_buf()
        };
        let target = led.as_path();
        if target.file_name().is_none() {
            return Err(Error::Nameless(target.to_path_buf()));
        }
        let parent = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        let fail = |source| Error::Io { path: parent.to_path_buf(), source };
        fs::create_dir_all(parent).map_err(fail)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let claim = Claim::on(target, parent, &name)?;
        clear(target, parent, &name).map_err(fail)?;
        Self::check(target, overwrite)?;
        let temporary = tempfile::Builder::new().prefix(&format!(".alongside-{name}-")).rand_bytes(RANDOM).tempdir_in(parent).map_err(fail)?;
        unfinished().insert(temporary.path().to_path_buf());
        Ok(Self { target: target.to_path_buf(), temporary, overwrite, written: Vec::new(), claim })
    }

    /// Writes one file of it; `name` may have folders before it.
    pub fn file<E>(&mut self, name: &str, write: impl FnOnce(&mut dyn Write) -> Result<(), E>) -> Result<(), Error>
    where
        E: Into<Failure>,
    {
        let path = self.target.join(name);
        let fail = |source| Error::Io { path: path.clone(), source };
        let place = self.temporary.path().join(name);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        let file = File::options().write(true).create_new(true).open(place).map_err(fail)?;
        let mut out = Hashing { inner: BufWriter::with_capacity(1 << 16, file), hash: Sha256::new(), bytes: 0 };
        write(&mut out).map_err(|e| match e.into() {
            Failure::Io(source) => fail(source),
            Failure::Other(what) => Error::Parquet { path: path.clone(), what },
        })?;
        out.flush().map_err(fail)?;
        out.inner.get_ref().sync_all().map_err(fail)?;
        let sha256 = out.hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        self.written.push(Written { name: name.to_owned(), bytes: out.bytes, sha256 });
        Ok(())
    }

    /// What has been written.
    pub fn written(&self) -> &[Written] {
        &self.written
    }

    /// Puts the folder in its place.
    pub fn finish(self) -> Result<(), Error> {
        self.seal()?.place()
    }

    /// Makes the folder safe where it is: it is whole, and only has to be put in its place.
    pub fn seal(self) -> Result<Sealed, Error> {
        let fail = |source| Error::Io { path: self.target.clone(), source };
        sync(self.temporary.path()).map_err(fail)?;
        let from = self.temporary.keep();
        set_mode(&from).map_err(fail)?;
        Ok(Sealed { from, to: self.target, overwrite: self.overwrite, claim: Some(self.claim) })
    }
}

/// A run that is whole, beside the place where it belongs.
#[derive(Debug)]
pub struct Sealed {
    /// Where it is.
    pub from: PathBuf,
    /// Where it belongs.
    pub to: PathBuf,
    /// Replace a run that is there.
    pub overwrite: bool,
    claim: Option<Claim>,
}

impl Sealed {
    /// One that was sealed by a program that did not come to place it.
    pub fn left(from: PathBuf, to: PathBuf) -> Self {
        Self { from, to, overwrite: true, claim: None }
    }

    /// From here on the folder belongs to something that will not be taken back.
    pub fn promise(&self) {
        unfinished().remove(&self.from);
    }

    /// Puts the folder in its place; where that fails it is removed, and what was there stays.
    pub fn place(self) -> Result<(), Error> {
        let Self { from, to, overwrite, claim } = self;
        let aside = aside_of(&from);
        // Who is told to stop waits until one or the other is there.
        let mut unfinished = unfinished();
        let had = to.exists();
        let swap = || -> io::Result<()> {
            if had {
                fs::rename(&to, &aside)?;
            }
            fs::rename(&from, &to).inspect_err(|_| {
                // The old run goes back to its place.
                let _ = fs::rename(&aside, &to);
            })?;
            if let Some(parent) = to.parent().filter(|p| !p.as_os_str().is_empty()) {
                sync(parent)?;
            }
            if had {
                fs::remove_dir_all(&aside)?;
            }
            Ok(())
        };
        // Asked again: somebody may have put his own files there meanwhile.
        let done = Folder::check(&to, overwrite).and_then(|()| swap().map_err(|source| Error::Io { path: to.clone(), source })).inspect_err(|_| {
            let _ = fs::remove_dir_all(&from);
        });
        unfinished.remove(&from);
        drop(claim);
        done
    }
}

/// Where the run that is replaced stands for a moment.
pub fn aside_of(from: &Path) -> PathBuf {
    let mut aside = from.as_os_str().to_owned();
    aside.push(".old");
    PathBuf::from(aside)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder).and_then(|f| f.sync_all())
}

/// Whether a folder is a run and nothing else: a manifest of ours, and the files that it names. Others write a `manifest.json`
/// too, and people put their own files beside a run.
fn is_run(folder: &Path) -> bool {
    let manifest = fs::read(folder.join("manifest.json")).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let Some(manifest) = manifest.filter(|m| m["tool"] == "alongside") else { return false };
    let ours = |name: &std::ffi::OsStr| {
        let mut outputs = manifest["outputs"].as_array().into_iter().flatten();
        name == "manifest.json" || outputs.any(|o| o["name"].as_str().is_some_and(|n| name == n))
    };
    fs::read_dir(folder).is_ok_and(|entries| entries.into_iter().all(|e| e.is_ok_and(|e| ours(&e.file_name()))))
}

/// Temporary folders are private to the user; a run is as open as the user's other folders.
#[cfg(unix)]
fn set_mode(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn set_mode(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Why a writer gave up.
pub enum Failure {
    /// The operating system refused.
    Io(io::Error),
    /// Something else, in words.
    Other(String),
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

impl From<::csv::Error> for Failure {
    fn from(e: ::csv::Error) -> Self {
        match e.into_kind() {
            ::csv::ErrorKind::Io(e) => Self::Io(e),
            other => Self::Other(format!("{other:?}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(e: serde_json::Error) -> Self {
        Self::Io(e.into())
    }
}

impl From<polars::prelude::PolarsError> for Failure {
    fn from(e: polars::prelude::PolarsError) -> Self {
        Self::Other(e.to_string())
    }
}
