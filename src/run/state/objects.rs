//! Files that never change, named after what is in them.
//!
//! Whatever the state holds is written once under the hash of its bytes, synced, and only then named by the index: whoever pulls the
//! plug leaves files that nobody names, and the next run sweeps them up.

use crate::run::state::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The name of an object: 32 hex digits of BLAKE3 over its bytes.
pub type Name = String;

/// The folder of the objects.
#[derive(Clone, Debug)]
pub struct Objects {
    folder: PathBuf,
    /// Whether they must outlast the power.
    lasting: bool,
}

/// What an object of these bytes is called.
pub fn name_of(bytes: &[u8]) -> Name {
    name_by(blake3::Hasher::new().update(bytes))
}

fn name_by(hasher: &blake3::Hasher) -> Name {
    hasher.finalize().to_hex().as_str()[..32].to_owned()
}

/// A file on its way to its name.
struct Naming<W: Write> {
    inner: W,
    hasher: blake3::Hasher,
    failed: Option<io::Error>,
}

impl<W: Write> Naming<W> {
    fn told<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|e| {
            let kind = e.kind();
            self.failed = Some(e);
            kind.into()
        })
    }
}

impl<W: Write> Write for Naming<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.inner.write(bytes);
        let n = self.told(done)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        let done = self.inner.flush();
        self.told(done)
    }
}

impl Objects {
    /// Those of a folder, which is made if it is not there.
    pub fn in_folder(folder: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
        Ok(Self { folder, lasting: true })
    }

    /// The same, of a folder that goes with the run: nothing waits for the disk.
    pub fn passing(self) -> Self {
        Self { lasting: false, ..self }
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        if self.lasting { file.sync_all() } else { Ok(()) }
    }

    /// Where an object is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Keeps bytes.
    pub fn put(&self, bytes: &[u8]) -> Result<Name, Error> {
        let name = name_of(bytes);
        let path = self.path(&name);
        let fail = |source| Error::Io { path: path.clone(), source };
        // What is there is looked at: a damaged file is replaced by what it was.
        if fs::read(&path).is_ok_and(|there| there == bytes) {
            return Ok(name);
        }
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.folder).map_err(fail)?;
        file.write_all(bytes).map_err(fail)?;
        self.sync_file(file.as_file()).map_err(fail)?;
        file.persist(&path).map_err(|e| fail(e.error))?;
        Ok(name)
    }

    /// Keeps what is written, which need not be in memory as a whole.
    pub fn put_with(&self, write: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), Error>) -> Result<Name, Error> {
        let fail = |source| Error::Io { path: self.folder.clone(), source };
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.folder).map_err(fail)?;
        let mut out = Naming { inner: io::BufWriter::with_capacity(1 << 20, file.as_file_mut()), hasher: blake3::Hasher::new(), failed: None };
        let written = write(&mut out);
        // What the file system said is told, and not what became of it on the way here.
        if let Some(source) = out.failed.take() {
            return Err(fail(source));
        }
        written?;
        out.flush().map_err(fail)?;
        let name = name_by(&out.hasher);
        drop(out);
        let path = self.path(&name);
        self.sync_file(file.as_file()).map_err(fail)?;
        file.persist(&path).map_err(|e| Error::Io { path: path.clone(), source: e.error })?;
        Ok(name)
    }

    /// The bytes of an object, which must be what its name says.
    pub fn get(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.path(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Error::Damaged { path, what: "it is gone".to_owned() }),
            Err(source) => return Err(Error::Io { path, source }),
        };
        if name_of(&bytes) != name {
            return Err(Error::Damaged { path, what: "its bytes are not those that were written".to_owned() });
        }
        Ok(bytes)
    }

    /// Keeps a value, compressed.
    pub fn put_value(&self, value: &impl Serialize) -> Result<Name, Error> {
        let bug = |e: &dyn std::fmt::Display| Error::Bug(e.to_string());
        let packed = zstd::Encoder::new(Vec::new(), 1).map_err(|e| bug(&e))?;
        // Small writes in between, so that the packer gets whole pages.
        let packed = postcard::to_io(value, std::io::BufWriter::with_capacity(1 << 16, packed)).map_err(|e| bug(&e))?;
        self.put(&packed.into_inner().map_err(|e| bug(&e))?.finish().map_err(|e| bug(&e))?)
    }

    /// Keeps a value, if there is anything in it.
    pub fn put_some<T: Serialize + Default + PartialEq>(&self, value: &T) -> Result<Option<Name>, Error> {
        (*value != T::default()).then(|| self.put_value(value)).transpose()
    }

    /// A value from its object.
    pub fn get_value<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        let damaged = |what: String| Error::Damaged { path: self.path(name), what };
        let plain = zstd::decode_all(self.get(name)?.as_slice()).map_err(|e| damaged(e.to_string()))?;
        postcard::from_bytes(&plain).map_err(|e| damaged(e.to_string()))
    }

    /// Whether anything was ever kept there.
    pub fn are_none(&self) -> bool {
        let kept = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|e| !e.file_name().to_string_lossy().starts_with('.'));
        !fs::read_dir(&self.folder).is_ok_and(|mut entries| entries.any(kept))
    }

    /// Makes sure that the folder itself remembers its new files.
    pub fn sync(&self) -> Result<(), Error> {
        sync_folder(&self.folder)
    }

    /// Removes what is not named; returns how many files went, and their bytes.
    pub fn sweep(&self, named: &BTreeSet<&str>) -> Result<(u64, u64), Error> {
        let fail = |source: io::Error| Error::Io { path: self.folder.clone(), source };
        let mut swept = (0, 0);
        for entry in fs::read_dir(&self.folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            // A folder is none of ours: some systems make their own everywhere.
            if entry.file_type().map_err(fail)?.is_dir() {
                continue;
            }
            if !entry.file_name().to_str().is_some_and(|n| named.contains(n)) {
                let bytes = entry.metadata().map_or(0, |m| m.len());
                fs::remove_file(entry.path()).map_err(fail)?;
                swept = (swept.0 + 1, swept.1 + bytes);
            }
        }
        Ok(swept)
    }
}

/// Makes a folder remember its entries, where the system can.
pub fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|source| Error::Io { path: folder.to_path_buf(), source })
}
