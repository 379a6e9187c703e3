//! The rules of the house. A house rule is a test, or it is a wish.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Which rooms a room may enter, in data-flow order: a room enters only rooms above it. Written `use crate::<room>` or
/// `crate::<room>::`, so that this test can see it. A room may always enter itself.
const DOORS: [(&str, &[&str]); 12] = [
    ("units", &[]),
    ("model", &["units"]),
    ("spatial", &["model", "units"]),
    ("frame", &["model", "units"]),
    ("ingest", &["frame", "spatial", "model", "units"]),
    ("track", &["frame", "spatial", "model", "units"]),
    ("detect", &["spatial", "model", "units"]),
    ("score", &["spatial", "model", "units"]),
    ("export", &["frame", "spatial", "model", "units"]),
    ("run", &["ingest", "track", "detect", "score", "export", "frame", "spatial", "model", "units"]),
    ("lab", &["run", "ingest", "track", "detect", "score", "export", "frame", "spatial", "model", "units"]),
    // The hall speaks of what the rooms name: words, limits, errors; never of how they work.
    ("cli", &["lab", "run", "export", "ingest", "spatial", "model", "units"]),
];

/// Words that must not stand in the code of a room.
const BANNED: [(&[&str], &[&str], &str); 5] = [
    (
        &["detect", "score"],
        &["polars", "std::fs", "std::io", "std::env", "std::time", "SystemTime", "Instant", "println!", "eprintln!", "static mut", "thread_local!"],
        "pure: values in, values out; the same answer wherever and whenever it is computed",
    ),
    (
        &["units", "model", "spatial"],
        &["polars", "std::fs", "std::env", "std::time", "SystemTime", "Instant", "println!", "eprintln!"],
        "a dictionary and tools, no work on files",
    ),
    (
        &["track"],
        &["std::fs", "std::env", "std::time", "SystemTime", "Instant", "println!", "eprintln!"],
        "tracks are a fold over rows, with no clock but theirs",
    ),
    (
        &["ingest"],
        &[".unwrap()", ".expect(", "panic!", "todo!", "unimplemented!", "unreachable!", "println!"],
        "hostile bytes arrive here: whatever they are is a reject, never a crash",
    ),
    (&["frame", "export", "run"], &["println!", "todo!", "unimplemented!"], "standard output belongs to the hall"),
];

/// The features of polars that are on, and why. Each costs build time and binary.
const POLARS: [(&str, &str); 4] = [
    ("dtype-datetime", "the time column of tracks.parquet, so that other tools read it as a time"),
    ("dtype-u16", "speeds, courses and headings in tenths: two bytes a row instead of four"),
    ("dtype-u8", "navigational status, class and vessel number: one byte a row"),
    ("parquet", "tracks.parquet is written, and read back by its users"),
];

/// Folders that the map names as a whole: data files, layouts, one file each, sentences, and the lab, whose files are its own affair.
const NAMED_WHOLE: [&str; 4] = ["src/ingest/layout", "src/ingest/nmea", "src/lab", "src/spatial/data"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every file below a folder of the repository, as `src/room/file.rs`, sorted.
fn files(folder: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut todo = vec![PathBuf::from(folder)];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).expect("a folder of the repository") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                todo.push(path);
            } else {
                out.push(path.display().to_string());
            }
        }
    }
    out.sort();
    out
}

/// The room that a source file belongs to; none for the street door and the floor plan.
fn room_of(file: &str) -> Option<&str> {
    let inside = file.strip_prefix("src/")?;
    let room = inside.split(['/', '.']).next()?;
    (!matches!(inside, "main.rs" | "lib.rs")).then_some(room)
}

/// The code of a file: without comments, line by line with its number.
fn code(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source.lines().enumerate().map(|(n, line)| (n + 1, line.split("//").next().unwrap_or_default())).filter(|(_, line)| !line.trim().is_empty())
}

/// Rooms named after `crate::` in a line of code.
fn entered(line: &str) -> Vec<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
    line.match_indices("crate::").filter(|(k, _)| !line[..*k].ends_with('$')).map(|(k, _)| name(&line[k + "crate::".len()..])).collect()
}

/// Doors that a file walks through without leave.
fn trespasses(room: &str, source: &str) -> Vec<String> {
    let leave = DOORS.iter().find(|(r, _)| *r == room).map_or(&[][..], |(_, doors)| doors);
    let mut out = Vec::new();
    for (n, line) in code(source) {
        for other in entered(line) {
            if other != room && !leave.contains(&other.as_str()) {
                let other = if other.is_empty() { "{...}: one room a line" } else { &other };
                out.push(format!("line {n}: `{room}` may not enter `{other}`"));
            }
        }
    }
    out
}

fn banned(room: &str, source: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (rooms, words, reason) in BANNED {
        for (n, line) in code(source).filter(|_| rooms.contains(&room)) {
            out.extend(words.iter().filter(|w| line.contains(**w)).map(|w| format!("line {n}: `{w}` in `{room}` ({reason})")));
        }
    }
    out
}

#[test]
fn no_room_is_entered_but_by_its_door() {
    let mut looked = BTreeSet::new();
    let mut wrong = Vec::new();
    for file in files("src").iter().filter(|f| f.ends_with(".rs")) {
        let Some(room) = room_of(file) else { continue };
        looked.insert(room.to_owned());
        let source = text(file);
        wrong.extend(trespasses(room, &source).into_iter().chain(banned(room, &source)).map(|w| format!("{file}, {w}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The lab may not be built yet; every other room must have been looked at.
    let rooms: BTreeSet<String> = DOORS.iter().map(|(r, _)| (*r).to_owned()).collect();
    assert!(rooms.difference(&looked).all(|r| r == "lab"), "{looked:?}");
    assert_eq!(looked.difference(&rooms).count(), 0, "every folder in src is a room of the table: {looked:?}");
}

#[test]
fn the_watchman_sees() {
    let cases: &[(&str, &str, usize)] = &[
        ("units", "use crate::model::Mmsi;", 1),
        ("model", "use crate::units::{Lat, Lon};", 0),
        ("detect", "    let t = crate::track::segment::assign(a, b);", 1),
        ("detect", "fn f(x: crate::model::Fix, y: crate::run::Plan, z: crate::cli::Exit) {}", 2),
        ("ingest", "use crate::{frame, model};", 1),
        ("lab", "use crate::cli::args;", 1),
        ("lab", "use crate::run::oneshot;", 0),
        ("cli", "use crate::lab::simulate;", 0),
        ("cli", "use crate::detect::gap;", 1),
        ("export", "pub(crate) fn f() {} // as crate::cli does", 0),
        ("score", "//! See `crate::run`.", 0),
        ("score", "pub use self::gap::judge;", 0),
        ("track", "use crate::detect::motion;", 1),
    ];
    for (room, line, n) in cases {
        assert_eq!(trespasses(room, line).len(), *n, "{room}: {line}");
    }
    let words: &[(&str, &str, usize)] = &[
        ("detect", "use std::time::Instant;", 2),
        ("score", "println!(\"{x}\");", 1),
        ("ingest", "let n = x.unwrap();", 1),
        ("ingest", "let n = x.unwrap_or(0);", 0),
        ("run", "let t = std::time::Instant::now();", 0),
        ("spatial", "use polars::prelude::*;", 1),
    ];
    for (room, line, n) in words {
        assert_eq!(banned(room, line).len(), *n, "{room}: {line}");
    }
    // No room is entered from below or from the side.
    for (k, (room, doors)) in DOORS.iter().enumerate() {
        for door in *doors {
            assert!(DOORS[..k].iter().any(|(r, _)| r == door), "`{room}` may enter `{door}`, which is not above it");
        }
    }
}

#[test]
fn the_floor_plan_stands_in_data_flow_order() {
    let lib = text("src/lib.rs");
    let rooms: Vec<&str> = code(&lib).filter_map(|(_, l)| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let place = |room: &str| DOORS.iter().position(|(r, _)| *r == room).unwrap_or_else(|| panic!("`{room}` is no room of the table"));
    assert!(rooms.iter().map(|r| place(r)).is_sorted(), "{rooms:?}");
    let there: BTreeSet<&str> = rooms.iter().copied().collect();
    assert!(DOORS.iter().all(|(r, _)| there.contains(r) || *r == "lab"), "{rooms:?}");
    assert!(text("src/main.rs").lines().any(|l| l.trim() == "#![forbid(unsafe_code)]"), "src/main.rs: #![forbid(unsafe_code)]");
    assert!(text("src/lib.rs").lines().any(|l| l.trim() == "#![deny(unsafe_code)]"), "src/lib.rs: #![deny(unsafe_code)]");
    let unsafe_lines = |file: &String| code(&text(file)).filter(|(_, l)| l.contains("unsafe {") || l.contains("allow(unsafe_code)")).count();
    let with_unsafe: Vec<String> = files("src").into_iter().filter(|f| f.ends_with(".rs") && unsafe_lines(f) > 0).collect();
    assert_eq!(with_unsafe, ["src/run/heap.rs"], "one call that gives memory back, and nothing else");
    assert_eq!(unsafe_lines(&with_unsafe[0]), 2);
    // The street door calls the hall and does nothing else.
    assert!(code(&text("src/main.rs")).count() <= 8, "src/main.rs is a door");
    // Every file says what it is for before it says anything else.
    for file in files("src").iter().filter(|f| f.ends_with(".rs")) {
        assert!(text(file).starts_with("//! "), "{file} opens with its contract");
    }
}

#[test]
fn the_map_names_what_is_there_and_nothing_else() {
    let map = text("ARCHITECTURE.md");
    let quoted: Vec<&str> = map.split('`').skip(1).step_by(2).collect();
    let is_path = |t: &str| (t.contains('/') || t.ends_with(".md") || t.ends_with(".toml")) && !t.contains([' ', '*', '(', '<', ':']);
    let paths: BTreeSet<&str> = quoted.iter().copied().filter(|t| is_path(t)).map(|t| t.trim_end_matches('/')).collect();
    assert!(paths.len() > 50, "the map names its paths in backticks: {paths:?}");
    let lab = code(&text("src/lib.rs")).any(|(_, l)| l == "pub mod lab;");
    for path in &paths {
        // The lab is drawn before it is built; from the day on which the floor plan has it, it must be there.
        assert!(root().join(path).exists() || (*path == "src/lab" && !lab), "ARCHITECTURE.md names `{path}`, which is not there");
    }
    let (mut folders, sources) = (BTreeSet::new(), files("src"));
    for file in &sources {
        folders.extend(Path::new(file).ancestors().skip(1).map(|p| p.display().to_string()).filter(|p| p.len() > "src".len()));
        let whole = NAMED_WHOLE.iter().any(|f| file.starts_with(f));
        assert!(whole || paths.contains(file.as_str()), "ARCHITECTURE.md does not name `{file}`");
    }
    for folder in &folders {
        assert!(paths.contains(folder.as_str()), "ARCHITECTURE.md does not name `{folder}`");
    }
    for file in files("tests/it").iter().filter(|f| f.ends_with(".rs")) {
        assert!(paths.contains(file.as_str()), "ARCHITECTURE.md does not name `{file}`");
    }
    // The doors on the map are the doors of this test.
    let rows: Vec<(String, Vec<String>)> = map
        .lines()
        .filter_map(|l| l.strip_prefix("| `")?.split_once("` | "))
        .filter(|(room, _)| DOORS.iter().any(|(r, _)| r == room))
        .map(|(room, doors)| {
            let doors = doors.trim_end_matches(" |").split(", ").filter(|d| *d != "nobody").map(str::to_owned).collect();
            (room.to_owned(), doors)
        })
        .collect();
    let table: Vec<(String, Vec<String>)> = DOORS.iter().map(|(r, d)| ((*r).to_owned(), d.iter().map(|d| (*d).to_owned()).collect())).collect();
    assert_eq!(rows, table);
}

#[test]
fn every_feature_of_polars_has_a_reason() {
    let cargo: toml::Table = text("Cargo.toml").parse().expect("TOML");
    let polars = &cargo["dependencies"]["polars"];
    assert_eq!(polars["default-features"].as_bool(), Some(false));
    let mut on: Vec<&str> = polars["features"].as_array().expect("a list").iter().filter_map(|f| f.as_str()).collect();
    on.sort_unstable();
    assert_eq!(on, POLARS.map(|(f, _)| f));
    assert!(POLARS.iter().all(|(_, reason)| reason.len() > 20));
    // One test binary and one benchmark binary: each links polars, and that is what costs.
    assert_eq!((cargo["package"]["autotests"].as_bool(), cargo["test"].as_array().map(Vec::len)), (Some(false), Some(1)));
    assert!(root().join("Cargo.lock").exists());
    assert_eq!(cargo["profile"]["release"]["overflow-checks"].as_bool(), Some(true), "hostile numbers must not wrap");
}

#[test]
fn every_test_file_is_wired() {
    let main = text("tests/it/main.rs");
    let wired: BTreeSet<&str> = code(&main).filter_map(|(_, l)| l.strip_prefix("mod ")?.strip_suffix(';')).collect();
    let there: BTreeSet<String> = files("tests/it")
        .iter()
        .filter_map(|f| f.strip_prefix("tests/it/")?.strip_suffix(".rs").map(str::to_owned))
        .filter(|f| f != "main" && !f.contains('/'))
        .collect();
    assert_eq!(wired.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), there);
}
