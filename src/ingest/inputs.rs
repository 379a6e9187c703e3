//! What INPUT names: a file, a folder, a glob, or `-`.

use crate::ingest::Error;
use std::path::{Path, PathBuf};

/// Endings that are looked for in a folder; the container itself is recognised by content.
const ENDINGS: [&str; 4] = [".csv", ".zst", ".zip", ".txt"];

/// The files behind the arguments, each once, in the order of their paths within one argument.
pub fn expand(arguments: &[String]) -> Result<Vec<PathBuf>, Error> {
    let mut files: Vec<PathBuf> = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        let mut found = if argument == "-" || path.is_file() {
            vec![path.to_path_buf()]
        } else if path.is_dir() {
            let mut found = Vec::new();
            walk(path, &mut found)?;
            found
        } else if path.exists() {
            vec![path.to_path_buf()]
        } else if argument.contains(['*', '?', '[']) {
            let paths = glob::glob(argument).map_err(|_| Error::NoMatch { pattern: argument.clone() })?;
            paths.filter_map(Result::ok).filter(|p| p.is_file()).collect()
        } else {
            return Err(Error::NotFound(path.to_path_buf()));
        };
        if found.is_empty() {
            return Err(Error::NoMatch { pattern: argument.clone() });
        }
        found.sort();
        files.extend(found);
    }
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|f| seen.insert(f.canonicalize().unwrap_or_else(|_| f.clone())));
    Ok(files)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let fail = |source| Error::Io { path: folder.to_path_buf(), source };
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let mut kind = entry.file_type().map_err(fail)?;
        if kind.is_symlink() {
            // A link to a file is that file; a link to a folder might lead in a circle, and one to nothing is nothing.
            match std::fs::metadata(entry.path()) {
                Ok(target) if target.is_file() => kind = target.file_type(),
                _ => continue,
            }
        }
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if kind.is_dir() && !name.starts_with(['.', '_']) {
            walk(&entry.path(), found)?;
        } else if kind.is_file() && !name.starts_with('.') && ENDINGS.iter().any(|e| name.ends_with(e)) {
            found.push(entry.path());
        }
    }
    Ok(())
}
