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
}

/// What an object of these bytes is called.
pub fn name_of(bytes: &[u8]) -> Name {
    blake3::hash(bytes).to_hex().as_str()[..32].to_owned()
}

impl Objects {
    /// Those of a folder, which is made if it is not there.
    pub fn in_folder(folder: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
        Ok(Self { folder })
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
        file.as_file().sync_all().map_err(fail)?;
        file.persist(&path).map_err(|e| fail(e.error))?;
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
