//! What INPUT names: a file, a folder, a glob, or `-`.

use crate::ingest::Error;
use crate::ingest::container::read_up_to;
use crate::ingest::layout::digitraffic;
use std::path::{Path, PathBuf};

/// Endings that are looked for in a folder; the container itself is recognised by content.
const ENDINGS: [&str; 13] = [".csv", ".txt", ".gz", ".bz2", ".xz", ".zst", ".zip", ".nmea", ".aivdm", ".json", ".geojson", ".parquet", ".geoparquet"];
/// Files of these names are what a run leaves, where its manifest stands beside them.
const LEFT_BY_RUNS: [&str; 4] = ["tracks.parquet", "events.parquet", "particulars.csv", "rejects.csv"];

/// What the arguments name.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, each once, in the order of their paths within one argument.
    pub files: Vec<PathBuf>,
    /// Files in the given folders that are passed over for their names; hidden ones and what runs left are not counted.
    pub passed_over: usize,
}

/// The files behind the arguments. See [`find`].
pub fn expand(arguments: &[String]) -> Result<Vec<PathBuf>, Error> {
    find(arguments).map(|found| found.files)
}

/// The files behind the arguments, and how many were passed over in folders.
pub fn find(arguments: &[String]) -> Result<Found, Error> {
    let mut all = Found::default();
    for argument in arguments {
        let mut passed_over = 0;
        let path = Path::new(argument);
        let mut found = if argument == "-" || path.is_file() {
            vec![path.to_path_buf()]
        } else if path.is_dir() {
            let mut found = Vec::new();
            walk(path, &mut found, &mut passed_over)?;
            found
        } else if path.exists() {
            vec![path.to_path_buf()]
        } else if argument.contains(['*', '?', '[']) {
            let paths = glob::glob(argument).map_err(|_| Error::NoMatch { pattern: argument.clone(), passed_over })?;
            paths.filter_map(Result::ok).filter(|p| p.is_file()).collect()
        } else if path.is_symlink() {
            // It is there, and what it leads to is not.
            return Err(std::fs::metadata(path).map_or_else(|e| Error::Io { path: path.to_path_buf(), source: e }, |_| Error::NotFound(path.to_path_buf())));
        } else {
            return Err(Error::NotFound(path.to_path_buf()));
        };
        if found.is_empty() {
            return Err(Error::NoMatch { pattern: argument.clone(), passed_over });
        }
        found.sort();
        all.files.extend(found);
        all.passed_over += passed_over;
    }
    let mut seen = std::collections::BTreeSet::new();
    all.files.retain(|f| seen.insert(f.canonicalize().unwrap_or_else(|_| f.clone())));
    Ok(all)
}

/// Most JSON in the world is no AIS: in a folder it is asked for more than its name. What cannot be read will be refused by name.
fn is_other_json(path: &Path) -> bool {
    let head = std::fs::File::open(path).and_then(|mut file| {
        let mut head = vec![0u8; 64 << 10];
        let n = read_up_to(&mut file, &mut head)?;
        head.truncate(n);
        Ok(head)
    });
    head.is_ok_and(|head| !digitraffic::is_here(&head))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>, passed_over: &mut usize) -> Result<(), Error> {
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
        // A run that was written into the folder of its inputs is none of them.
        let is_run = |folder: &Path| ["manifest.json", "tracks.parquet"].iter().all(|f| folder.join(f).is_file());
        if kind.is_dir() && !name.starts_with(['.', '_']) && !is_run(&entry.path()) {
            walk(&entry.path(), found, passed_over)?;
        } else if LEFT_BY_RUNS.contains(&name.as_str()) && folder.join("manifest.json").is_file() {
            continue;
        } else if kind.is_file() && !name.starts_with('.') && name != "manifest.json" {
            let is_json = [".json", ".geojson"].iter().any(|e| name.ends_with(e));
            match ENDINGS.iter().any(|e| name.ends_with(e)) && !(is_json && is_other_json(&entry.path())) {
                true => found.push(entry.path()),
                false => *passed_over += 1,
            }
        }
    }
    Ok(())
}
