//! The configuration: defaults, a preset over them, a file over that, `--set` over all. A key that does not exist is refused with the right one.

use crate::model::Params;
use crate::model::params::DETECTION_SECTIONS;
use crate::run::presets::Preset;
use crate::run::providers;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not what it should be.
    #[error("{place}: {what}")]
    Bad {
        /// The file, or the option.
        place: String,
        /// What was found.
        what: String,
        /// What to type next.
        hint: String,
    },
}

impl Error {
    /// What to type next.
    pub fn hint(&self) -> String {
        match self {
            Self::Io { .. } => "`alongside config > alongside.toml` writes one to start from".into(),
            Self::Bad { hint, .. } => hint.clone(),
        }
    }
}

/// Defaults, then the preset, then the file, then every `section.key=value`.
pub fn load(preset: Preset, file: Option<&Path>, sets: &[String]) -> Result<Params, Error> {
    let mut table = preset.table();
    if let Some(path) = file {
        let place = path.display().to_string();
        let mut over = file_table(path)?;
        providers::all(&over, &place)?;
        over.remove("provider");
        params(&over, &place)?;
        for (section, values) in over {
            for (key, value) in values.as_table().into_iter().flatten() {
                put(&mut table, &section, key, value.clone());
            }
        }
    }
    for set in sets {
        let place = format!("--set {set}");
        let bad = |what: &str| Error::Bad { place: place.clone(), what: what.into(), hint: "write it as --set rendezvous.enter_m=400".into() };
        let (key, value) = set.split_once('=').ok_or_else(|| bad("no `=` in it"))?;
        let (section, key) = key.split_once('.').ok_or_else(|| bad("no section before the key"))?;
        let parsed: toml::Table = format!("v = {}", value.trim()).parse().map_err(|_| bad("the value is no TOML value"))?;
        if let Some(v) = parsed.get("v") {
            put(&mut table, section.trim(), key.trim(), v.clone());
        }
        // One after the other, so that a message names the option that is wrong.
        params(&table, &place)?;
    }
    let params = params(&table, "")?;
    horizons(&params)?;
    Ok(params)
}

/// Refuses horizons by which an event would be gone before it is final, or a day settled before it came.
fn horizons(params: &Params) -> Result<(), Error> {
    let (book, state) = (&params.book, &params.state);
    let days = [("book.final_d", book.final_d), ("book.context_d", book.context_d), ("state.revision_d", state.revision_d), ("state.keep_d", state.keep_d)];
    let bad =
        |place: &str, what: String| Err(Error::Bad { place: place.to_owned(), what, hint: "`alongside config` says what each of them is for".to_owned() });
    for (name, days) in days {
        if !(1..=36_525).contains(&days) {
            return bad(name, format!("{days} days; it is 1 to 36525"));
        }
    }
    if book.context_d <= book.final_d + 1 {
        return bad("book.context_d", format!("{} days are too few for events that are final after {} (book.final_d)", book.context_d, book.final_d));
    }
    Ok(())
}

/// A configuration file as it stands.
pub(super) fn file_table(path: &Path) -> Result<toml::Table, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    text.parse().map_err(|e: toml::de::Error| Error::Bad {
        place: path.display().to_string(),
        what: e.to_string(),
        hint: "the file is TOML: [section], then key = value".into(),
    })
}

fn put(table: &mut toml::Table, section: &str, key: &str, value: toml::Value) {
    let entry = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(section) = entry.as_table_mut() {
        section.insert(key.to_owned(), value);
    }
}

/// The defaults with a table over them.
fn params(table: &toml::Table, place: &str) -> Result<Params, Error> {
    known(table, place)?;
    let mut table = table.clone();
    // Whole numbers stand for fractions: `400` for `400.0`.
    let floats = toml::Table::try_from(Params::default()).unwrap_or_default();
    for (section, values) in &mut table {
        let Some(values) = values.as_table_mut() else { continue };
        for (key, value) in values.iter_mut() {
            let wants_float = floats.get(section).and_then(|s| s.get(key)).is_some_and(toml::Value::is_float);
            if let (true, toml::Value::Integer(n)) = (wants_float, &*value) {
                *value = toml::Value::Float(*n as f64);
            }
        }
    }
    table.try_into().map_err(|e: toml::de::Error| Error::Bad {
        place: place.to_owned(),
        what: e.message().to_owned(),
        hint: "`alongside config` shows every key with its unit".into(),
    })
}

/// Refuses keys that do not exist, and says which were meant.
fn known(table: &toml::Table, place: &str) -> Result<(), Error> {
    let mut all: Vec<String> = vec!["provider".to_owned()];
    for (section, key, _) in Params::DESCRIBED {
        all.push(format!("{section}.{key}"));
    }
    for (section, values) in table {
        let Some(values) = values.as_table() else {
            return Err(Error::Bad { place: place.into(), what: format!("`{section}` stands outside a section"), hint: meant(section, &all) });
        };
        for key in values.keys() {
            let found = format!("{section}.{key}");
            if !all.contains(&found) {
                return Err(Error::Bad { place: place.into(), what: format!("no parameter `{found}`"), hint: meant(&found, &all) });
            }
        }
    }
    Ok(())
}

/// Which of all was meant, in words.
pub(super) fn meant(found: &str, all: &[String]) -> String {
    let tail = |s: &str| s.rsplit('.').next().unwrap_or(s).to_owned();
    let score = |known: &String| strsim::jaro_winkler(found, known).max(strsim::jaro_winkler(&tail(found), &tail(known)));
    let best = all.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
    best.map_or_else(String::new, |b| format!("did you mean `{b}`? `alongside config` prints all of them"))
}

/// The configuration as a commented TOML file, with the reasons of a preset where it has a say.
pub fn commented(params: &Params, preset: Preset) -> String {
    let table = toml::Table::try_from(params).unwrap_or_default();
    let every = match preset {
        Preset::Default => " Every value is the default; keep what you change.".to_owned(),
        named => format!("\n# Preset {}, {}.\n# Every other value is the default; keep what you change.", named.word(), named.whose()),
    };
    let mut out = format!("# Configuration of alongside.{every}\n# Units stand in the names.\n");
    let mut section = "";
    for (name, key, doc) in Params::DESCRIBED {
        if *name != section {
            section = name;
            let _ = write!(out, "\n[{section}]\n");
        }
        let value = table.get(*name).and_then(|s| s.get(*key)).map(ToString::to_string).unwrap_or_default();
        for line in wrap(doc, 100) {
            let _ = writeln!(out, "# {line}");
        }
        if let Some(reason) = preset.reason(name, key) {
            let _ = writeln!(out, "# {}: {reason}", preset.word());
        }
        let _ = writeln!(out, "{key} = {value}");
    }
    out + providers::EXAMPLE
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().filter(|l| l.is_empty() || l.len() + word.len() < width);
        match last {
            Some(line) => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The detection parameters in which two configurations differ, as `section.key: theirs, not mine`.
pub fn differences(theirs: &Params, mine: &Params) -> Vec<String> {
    let (a, b) = (toml::Table::try_from(theirs).unwrap_or_default(), toml::Table::try_from(mine).unwrap_or_default());
    let value = |t: &toml::Table, section: &str, key: &str| t.get(section).and_then(|s| s.get(key)).map(ToString::to_string).unwrap_or_default();
    let decides = Params::DESCRIBED.iter().filter(|(section, _, _)| DETECTION_SECTIONS.contains(section));
    let pairs = decides.map(|(section, key, _)| (section, key, value(&a, section, key), value(&b, section, key)));
    pairs.filter(|(_, _, a, b)| a != b).map(|(section, key, a, b)| format!("{section}.{key} {a}, not {b}")).collect()
}

/// Hash of what judges events without deciding which exist.
pub fn scoring_hash(params: &Params) -> String {
    let judged = toml::Table::from_iter(["place", "score"].iter().filter_map(|k| Some(((*k).to_owned(), toml::Table::try_from(params).ok()?.remove(*k)?))));
    blake3::hash(judged.to_string().as_bytes()).to_hex().as_str()[..16].to_owned()
}

/// Hashes of the configuration: of what decides which events exist, and of all of it.
pub fn hashes(params: &Params) -> (String, String) {
    let table = toml::Table::try_from(params).unwrap_or_default();
    let text = |keep: &dyn Fn(&str) -> bool| {
        let kept: toml::Table = table.iter().filter(|(k, _)| keep(k)).map(|(k, v)| (k.clone(), v.clone())).collect();
        let hash = blake3::hash(kept.to_string().as_bytes()).to_hex();
        hash.as_str()[..16].to_owned()
    };
    (text(&|k| DETECTION_SECTIONS.contains(&k)), text(&|_| true))
}
