//! Providers that a configuration file holds: how the tables of one are laid out, saved under a name for `--provider`.
//!
//! ```toml
//! [provider.harbour]
//! map = { mmsi = "Id", time = "Zeit", lat = "Breite", lon = "Laenge", sog = "Fahrt" }
//! time_format = "day-first"
//! units = "plain"
//! base = "dma"
//! ```
//! They say how files are read, not what is found in them: no part of the hashes.

use crate::ingest::layout::{Field, KNOWN, PARTICULARS, Reading, TimeForm, Units, digitraffic};
use crate::run::config::{Error, file_table, meant};
use std::path::Path;

/// What a section may hold.
const KEYS: [&str; 4] = ["map", "time_format", "units", "base"];
/// Fields beside the particulars.
const MOVING: [&str; 8] = ["mmsi", "time", "lat", "lon", "sog", "cog", "heading", "status"];

/// The example that `alongside config` prints.
pub const EXAMPLE: &str = "\n# How the tables of a provider are laid out, for `--provider harbour`. The fields are those of --map.
# [provider.harbour]
# map = { mmsi = \"Id\", time = \"Zeit\", lat = \"Breite\", lon = \"Laenge\", sog = \"Fahrt\" }
# time_format = \"day-first\"   # iso, day-first, compact, epoch-s or epoch-ms
# units = \"plain\"             # raw: the integers of the messages, 1/10000 minute and tenths
# base = \"dma\"                # the layout whose columns it begins with; else told by the header
";

/// What `--provider` names: nothing for `auto`, a layout, or a section of the configuration file.
pub fn reading(word: &str, file: Option<&Path>) -> Result<Reading, Error> {
    if word == "auto" {
        return Ok(Reading::default());
    }
    let saved = match file {
        Some(path) => all(&file_table(path)?, &path.display().to_string())?,
        None => Vec::new(),
    };
    if let Some((_, reading)) = saved.iter().find(|(name, _)| name == word) {
        return Ok(reading.clone());
    }
    if let Some(known) = KNOWN.into_iter().find(|k| k.name == word) {
        return Ok(Reading { known: Some(known), ..Reading::default() });
    }
    if [digitraffic::NAME, "nmea"].contains(&word) {
        return Err(Error::Bad {
            place: format!("--provider {word}"),
            what: "JSON and sentences are told by what is in them, and have no name to give".to_owned(),
            hint: "leave it out".to_owned(),
        });
    }
    let names: Vec<String> =
        ["auto"].into_iter().chain(KNOWN.iter().map(|k| k.name)).map(str::to_owned).chain(saved.into_iter().map(|(name, _)| name)).collect();
    Err(Error::Bad {
        place: format!("--provider {word}"),
        what: format!("no layout of that name; there are {}", names.join(", ")),
        hint: format!("{}; a section [provider.{word}] in the file of --config saves one", nearest(word, &names)),
    })
}

fn nearest(word: &str, names: &[String]) -> String {
    meant(word, names).split('?').next().map(|text| format!("{text}?")).unwrap_or_default()
}

/// Every provider of a configuration file, by name. One that cannot be read is an error, whether it is asked for or not.
pub fn all(table: &toml::Table, place: &str) -> Result<Vec<(String, Reading)>, Error> {
    let bad = |what: String, hint: String| Error::Bad { place: place.to_owned(), what, hint };
    let Some(sections) = table.get("provider") else { return Ok(Vec::new()) };
    let as_section = || "write it as [provider.NAME], then map = { lat = \"COLUMN\" }".to_owned();
    let sections = sections.as_table().ok_or_else(|| bad("`provider` is no section".into(), as_section()))?;
    let mut out = Vec::new();
    for (name, section) in sections {
        let at = format!("provider.{name}");
        let section = section.as_table().ok_or_else(|| bad(format!("`{at}` is no section"), as_section()))?;
        if name == "auto" || KNOWN.iter().any(|k| k.name == name) {
            return Err(bad(format!("`{at}` has the name of a layout that is known"), "give it another name".into()));
        }
        let mut reading = Reading::default();
        for (key, value) in section {
            let of = |names: &[&str]| nearest(value.as_str().unwrap_or_default(), &names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
            let no = |what: &str, names: &[&str]| bad(format!("`{at}.{key}` = {value} is no {what}; there are {}", names.join(", ")), of(names));
            match key.as_str() {
                "time_format" => {
                    let form = TimeForm::ALL.iter().find(|f| Some(f.1) == value.as_str());
                    reading.time = Some(form.ok_or_else(|| no("form of a time", &TimeForm::ALL.map(|f| f.1)))?.0);
                }
                "units" => {
                    let units = Units::ALL.iter().find(|u| Some(u.1) == value.as_str());
                    reading.units = Some(units.ok_or_else(|| no("kind of units", &Units::ALL.map(|u| u.1)))?.0);
                }
                "base" => {
                    let known = KNOWN.into_iter().find(|k| Some(k.name) == value.as_str());
                    reading.known = Some(known.ok_or_else(|| no("layout", &KNOWN.map(|k| k.name)))?);
                }
                "map" => {
                    let map = value.as_table().ok_or_else(|| bad(format!("`{at}.map` is no table"), as_section()))?;
                    for (field, column) in map {
                        let names: Vec<String> = MOVING.iter().chain(&PARTICULARS).map(|f| (*f).to_owned()).collect();
                        let known = Field::parse(field)
                            .ok_or_else(|| bad(format!("no field `{field}` in `{at}.map`; there are {}", names.join(", ")), nearest(field, &names)))?;
                        let column = column.as_str().ok_or_else(|| bad(format!("`{at}.map.{field}` = {column} is no name of a column"), as_section()))?;
                        reading.map.push((known, column.to_owned()));
                    }
                }
                _ => {
                    let names = KEYS.map(|k| format!("{at}.{k}"));
                    return Err(bad(format!("no key `{at}.{key}`; there are {}", KEYS.join(", ")), nearest(&format!("{at}.{key}"), &names)));
                }
            }
        }
        out.push((name.clone(), reading));
    }
    Ok(out)
}
