//! A folder that appears whole or not at all.

use crate::export::Error;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A run being written, in a temporary folder beside its target.
pub struct Folder {
    target: PathBuf,
    temporary: tempfile::TempDir,
    overwrite: bool,
    written: Vec<Written>,
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
        Self::check(target, overwrite)?;
        let parent = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        let fail = |source| Error::Io { path: parent.to_path_buf(), source };
        fs::create_dir_all(parent).map_err(fail)?;
        let temporary = tempfile::Builder::new().prefix(".alongside-").tempdir_in(parent).map_err(fail)?;
        Ok(Self { target: target.to_path_buf(), temporary, overwrite, written: Vec::new() })
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
        let target = &self.target;
        let fail = |source| Error::Io { path: target.clone(), source };
        let sync = |folder: &Path| File::open(folder).and_then(|f| f.sync_all());
        sync(self.temporary.path()).map_err(fail)?;
        let new = self.temporary.keep();
        set_mode(&new).map_err(fail)?;
        let aside = new.with_extension("old");
        let had = target.exists();
        let swap = || -> io::Result<()> {
            if had {
                if !self.overwrite && fs::read_dir(target)?.next().is_some() {
                    return Err(io::Error::from(io::ErrorKind::AlreadyExists));
                }
                fs::rename(target, &aside)?;
            }
            fs::rename(&new, target).inspect_err(|_| {
                // The old run goes back to its place.
                let _ = fs::rename(&aside, target);
            })?;
            if let Some(parent) = target.parent().filter(|p| !p.as_os_str().is_empty()) {
                sync(parent)?;
            }
            if had {
                fs::remove_dir_all(&aside)?;
            }
            Ok(())
        };
        swap()
            .inspect_err(|_| {
                let _ = fs::remove_dir_all(&new);
            })
            .map_err(fail)
    }
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
