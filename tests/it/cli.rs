//! The program as people meet it: what it says, on which stream, and with which exit code. Paths and versions are filtered from the
//! snapshots; a person reads each change of them.

use crate::ingest::{Row, csv, drawn_day, zipped, zst};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program under test. Cargo names it at run time as well, so that a moved test binary finds the one beside it.
fn program() -> PathBuf {
    std::env::var_os("CARGO_BIN_EXE_alongside").map_or_else(|| env!("CARGO_BIN_EXE_alongside").into(), PathBuf::from)
}

/// A folder to work in, gone afterwards.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("scratch-").tempdir().expect("a temporary folder"))
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
    /// Names in a folder, sorted.
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(self.path(name)).expect("a folder").map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// What a run of the program came to.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program in the folder, with `input` on its standard input.
pub fn run(scratch: &Scratch, args: &[&str], input: Option<&[u8]>) -> Done {
    let mut child = Command::new(program())
        .args(args)
        .current_dir(scratch.0.path())
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    if let (Some(bytes), Some(mut stdin)) = (input, child.stdin.take()) {
        // A program that refuses its input closes the pipe early.
        let _ = stdin.write_all(bytes);
    }
    let output = child.wait_with_output().expect("the program ends");
    Done {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
    }
}

/// A run as a person sees it on a terminal.
fn transcript(scratch: &Scratch, args: &[&str], input: Option<&[u8]>) -> String {
    let done = run(scratch, args, input);
    let mut out = format!("$ alongside {}\n", args.join(" "));
    for (stream, text) in [("", &done.stdout), ("! ", &done.stderr)] {
        for line in text.lines() {
            out.push_str(format!("{stream}{line}").trim_end());
            out.push('\n');
        }
    }
    out.push_str(&format!("exit {}\n", done.code));
    out
}

macro_rules! snapshot {
    ($name:literal, $text:expr) => {
        insta::with_settings!({filters => vec![(r"/\S*/scratch-[^/\s]+", "[DIR]"), (r"alongside \d+\.\d+\.\d+\S*", "alongside [VERSION]")], omit_expression => true}, {
            insta::assert_snapshot!($name, $text)
        })
    };
}

#[test]
fn help_and_version() {
    let scratch = Scratch::new();
    snapshot!("help", transcript(&scratch, &["--help"], None));
    snapshot!("help-bench", transcript(&scratch, &["bench", "--help"], None));
    snapshot!("help-convert", transcript(&scratch, &["convert", "--help"], None));
    snapshot!("help-detect", transcript(&scratch, &["detect", "--help"], None));
    assert_eq!(run(&scratch, &["--version"], None).stdout, format!("alongside {}\n", env!("CARGO_PKG_VERSION")));
    // Every option that the long help names stands in the short one, and every command in the completions.
    let (long, short) = (run(&scratch, &["detect", "--help"], None).stdout, run(&scratch, &["detect", "-h"], None).stdout);
    let options =
        |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|w| w.starts_with("--")).map(str::to_owned).collect::<Vec<_>>();
    assert!(options(&long).len() > 15);
    for option in options(&long) {
        assert!(short.contains(&option), "{option}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let done = run(&scratch, &["completions", shell], None);
        assert_eq!(done.code, 0);
        for word in ["detect", "config", "min-confidence"] {
            assert!(done.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_summary_of_the_drawn_day() {
    let scratch = Scratch::new();
    scratch.put("day.csv", &csv(&drawn_day()));
    snapshot!("summary", transcript(&scratch, &["detect", "day.csv", "-o", "out"], None));
    snapshot!("summary-all", transcript(&scratch, &["detect", "day.csv", "-o", "all", "--min-confidence", "0", "--kinds", "gap"], None));
    // A day without a single event is an answer like any other.
    scratch.put("calm.csv", &csv(&[Row::of(366_000_001)]));
    snapshot!("summary-calm", transcript(&scratch, &["detect", "calm.csv", "-o", "calm"], None));
}

#[test]
fn messages_name_the_file_what_was_found_and_what_to_type_next() {
    let scratch = Scratch::new();
    let day = csv(&drawn_day());
    scratch.put("day.csv", &day);
    scratch.put("empty.csv", b"");
    scratch.put("names.csv", b"id,name\n1,x\n");
    scratch.put("no-time.csv", b"MMSI,LAT,LON,SOG\n");
    scratch.put("header-only.csv", &csv(&[]));
    scratch.put("page.html", b"<!DOCTYPE html><html><body>404 Not Found</body></html>");
    scratch.put("cut.zip", &zipped(&[("day.csv", &day)])[..2000]);
    scratch.put("cut.csv.zst", &zst(&day)[..2000]);
    scratch.put("rubbish.csv", [&csv(&[Row::of(366_000_001)])[..], b"x\ny\n"].concat().as_slice());
    scratch.put("misspelt.toml", b"[rendezvous]\nenter_metres = 400\n");
    scratch.put("broken.toml", b"[rendezvous\n");
    scratch.put("there/notes.txt", b"mine");
    scratch.put("file", b"");
    std::fs::create_dir(scratch.path("folder")).expect("a folder");
    let cases: &[(&str, &[&str])] = &[
        ("wrong-path", &["detect", "nowhere.csv", "-o", "out"]),
        ("wrong-glob", &["detect", "*.parquet", "-o", "out"]),
        ("empty-folder", &["detect", "folder", "-o", "out"]),
        ("empty-file", &["detect", "empty.csv", "-o", "out"]),
        ("header-only", &["detect", "header-only.csv", "-o", "out"]),
        ("wrong-file", &["detect", "names.csv", "-o", "out"]),
        ("html-page", &["detect", "page.html", "-o", "out"]),
        ("missing-column", &["detect", "no-time.csv", "-o", "out"]),
        ("cut-zip", &["detect", "cut.zip", "-o", "out"]),
        ("cut-zstd", &["detect", "cut.csv.zst", "-o", "out"]),
        ("over-budget", &["detect", "rubbish.csv", "-o", "out"]),
        ("several-bad-files", &["detect", "empty.csv", "names.csv", "-o", "out"]),
        ("other-period", &["detect", "day.csv", "-o", "out", "--from", "2021-01-01"]),
        ("unknown-option", &["detect", "day.csv", "-o", "out", "--min-confidance", "60"]),
        ("unknown-command", &["detekt", "day.csv"]),
        ("no-command", &[]),
        ("no-output", &["detect", "day.csv"]),
        ("no-input", &["detect", "-o", "out"]),
        ("unknown-kind", &["detect", "day.csv", "-o", "out", "--kinds", "rendevous"]),
        ("unknown-index", &["detect", "day.csv", "-o", "out", "--index", "quadtree"]),
        ("confidence-out-of-range", &["detect", "day.csv", "-o", "out", "--min-confidence", "150"]),
        ("misspelt-key", &["detect", "day.csv", "-o", "out", "--config", "misspelt.toml"]),
        ("broken-config", &["detect", "day.csv", "-o", "out", "--config", "broken.toml"]),
        ("no-config", &["detect", "day.csv", "-o", "out", "--config", "none.toml"]),
        ("misspelt-set", &["detect", "day.csv", "-o", "out", "--set", "gap.min_hours=5"]),
        ("bad-set", &["detect", "day.csv", "-o", "out", "--set", "gap.min_h"]),
        ("bad-bbox", &["detect", "day.csv", "-o", "out", "--bbox", "1,2,3"]),
        ("bad-date", &["detect", "day.csv", "-o", "out", "--from", "01/02/2020"]),
        ("folder-in-the-way", &["detect", "day.csv", "-o", "there"]),
        ("foreign-folder", &["detect", "day.csv", "-o", "there", "--overwrite"]),
        ("file-in-the-way", &["detect", "day.csv", "-o", "file"]),
        ("file-as-parent", &["detect", "day.csv", "-o", "file/out"]),
    ];
    let mut all = String::new();
    for (what, args) in cases {
        let text = transcript(&scratch, args, None);
        assert!(!text.contains("panicked") && !text.contains("exit 0\n") && !text.contains("exit 70\n"), "{what}: {text}");
        all.push_str(&format!("# {what}\n{text}\n"));
        assert!(!scratch.path("out").exists(), "{what}: a refused run leaves nothing");
    }
    assert_eq!(scratch.read("there/notes.txt"), b"mine");
    assert!(scratch.list(".").iter().all(|n| !n.starts_with('.')), "nothing temporary is left: {:?}", scratch.list("."));
    snapshot!("messages", all);
}

#[test]
fn an_exit_code_says_how_it_went() {
    let scratch = Scratch::new();
    scratch.put("day.csv", &csv(&drawn_day()));
    scratch.put("calm.csv", &csv(&[Row::of(366_000_001)]));
    scratch.put("names.csv", b"id,name\n1,x\n");
    scratch.put("there/notes.txt", b"mine");
    let cases: &[(&str, &[&str], i32)] = &[
        ("with events", &["detect", "day.csv", "-o", "a"], 0),
        ("without events", &["detect", "calm.csv", "-o", "b"], 0),
        ("a date that is none", &["detect", "day.csv", "-o", "c", "--to", "2020-02-30"], 2),
        ("a box that is none", &["detect", "day.csv", "-o", "c", "--bbox=1,2,3,x"], 2),
        ("a box of five, one of them no number", &["detect", "day.csv", "-o", "c", "--bbox=1,2,x,3,4"], 2),
        ("a share that is no number", &["detect", "day.csv", "-o", "c", "--max-reject-share", "nan"], 2),
        ("a negative share", &["detect", "day.csv", "-o", "c", "--max-reject-share=-1"], 2),
        ("a box upside down", &["detect", "day.csv", "-o", "c", "--bbox=1,20,3,10"], 2),
        ("a box off the globe", &["detect", "day.csv", "-o", "c", "--bbox=1,2,300,4"], 2),
        ("a negative west", &["detect", "day.csv", "-o", "d", "--bbox", "-95.5,20,-80,29.5"], 0),
        ("a box across 180", &["detect", "day.csv", "-o", "e", "--bbox", "170,-30,-170,0"], 0),
        ("no number of threads", &["detect", "day.csv", "-o", "c", "--threads", "many"], 2),
        ("nothing usable", &["detect", "names.csv", "-o", "c"], 3),
        ("nothing in the box", &["detect", "day.csv", "-o", "c", "--bbox=1,2,3,4"], 3),
        ("some refused", &["detect", "names.csv", "day.csv", "-o", "f"], 4),
        ("a folder in the way", &["detect", "day.csv", "-o", "there"], 5),
        ("a folder in the way, before hours of work on a bad input", &["detect", "names.csv", "-o", "there"], 5),
        ("no input", &["detect"], 2),
        ("help", &["--help"], 0),
        ("version", &["-V"], 0),
        ("config", &["config"], 0),
    ];
    for (what, args, code) in cases {
        let done = run(&scratch, args, None);
        assert_eq!(done.code, *code, "{what}: {}{}", done.stdout, done.stderr);
    }
    // Only runs that were done left a folder.
    assert_eq!(scratch.list("."), ["a", "b", "calm.csv", "d", "day.csv", "e", "f", "names.csv", "there"]);
    // What is left of the day in each box.
    let events = |name: &str| String::from_utf8(scratch.read(&format!("{name}/events.csv"))).expect("UTF-8");
    assert!(events("d").contains("366000101") && !events("d").contains("366000201"));
    assert!(!events("e").contains("366000101") && events("e").contains("366000201"));
}

#[test]
fn a_file_of_another_day_is_not_at_fault() {
    let scratch = Scratch::new();
    scratch.put("days/1.csv", &csv(&[Row::of(366_000_001)]));
    // A base station is of no day.
    let later = Row::of(366_000_001).with("BaseDateTime", "2020-01-02T00:00:00");
    scratch.put("days/2.csv", &csv(&[later.clone(), later.with("MMSI", "003669999")]));
    for (out, day) in [("a", ["--to", "2020-01-01"]), ("b", ["--from", "2020-01-02"])] {
        for state in [&["--state", "s"][..], &[]] {
            let args: Vec<&str> = ["detect", "days", "-o", out, "--overwrite", "-q"].iter().chain(&day).chain(state).copied().collect();
            let done = run(&scratch, &args, None);
            assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{args:?}");
        }
    }
}

#[test]
fn streams_are_quiet_where_nobody_looks() {
    let scratch = Scratch::new();
    scratch.put("day.csv", &csv(&drawn_day()));
    let done = run(&scratch, &["detect", "day.csv", "-o", "a"], None);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "no progress when standard error is no terminal");
    assert!(done.stdout.contains("written to a"));
    let never = run(&scratch, &["detect", "day.csv", "-o", "b", "--progress", "never"], None);
    assert_eq!((never.code, never.stderr.as_str()), (0, ""));
    let done = run(&scratch, &["detect", "day.csv", "-o", "c", "-q"], None);
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, "", ""), "-q is silent");
    // It still says what went wrong.
    let done = run(&scratch, &["detect", "day.csv", "-o", "c", "-q"], None);
    assert_eq!((done.code, done.stdout.as_str()), (5, ""));
    assert!(done.stderr.contains("exists already"), "{}", done.stderr);
    // Times belong to -v, on standard error.
    let done = run(&scratch, &["detect", "day.csv", "-o", "d", "-v"], None);
    assert!(done.stderr.contains(" ms") && !done.stdout.contains(" ms"), "{}", done.stderr);
}

/// The exit code where the reader of a stream has gone before the first byte.
fn with_closed(scratch: &Scratch, args: &[&str], stdout: bool, stderr: bool) -> Option<i32> {
    let mut command = Command::new(program());
    command.args(args).current_dir(scratch.0.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (closed, err) in [(stdout, false), (stderr, true)] {
        if closed {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            drop(reader);
            if err {
                command.stderr(writer);
            } else {
                command.stdout(writer);
            }
        }
    }
    command.status().expect("the program ends").code()
}

#[test]
fn a_closed_pipe_is_success() {
    let scratch = Scratch::new();
    scratch.put("day.csv", &csv(&drawn_day()));
    for args in [&["config"][..], &["--help"], &["detect", "--help"], &["completions", "zsh"], &["detect", "day.csv", "-o", "out"]] {
        assert_eq!(with_closed(&scratch, args, true, false), Some(0), "{args:?}");
    }
    // The run itself is whole: only nobody wanted to read its summary.
    assert!(scratch.path("out/manifest.json").exists());
    // Nobody reading the messages does not change how it went, and is no fault of the program.
    scratch.put("names.csv", b"id,name\n1,x\n");
    assert_eq!(with_closed(&scratch, &["detect", "nowhere.csv", "-o", "no"], false, true), Some(3));
    assert_eq!(with_closed(&scratch, &["detect", "nowhere.csv", "-o", "no"], true, true), Some(3));
    assert_eq!(with_closed(&scratch, &["detect", "names.csv", "day.csv", "-o", "some"], false, true), Some(4));
    assert_eq!(with_closed(&scratch, &["detect", "day.csv", "-o", "verbose", "-v"], false, true), Some(0));
}

#[test]
fn hostile_text_never_reaches_the_terminal_as_it_is() {
    let scratch = Scratch::new();
    let rows: Vec<Row> =
        drawn_day().into_iter().map(|r| if r.line().starts_with("366000101") { r.with("VesselName", "\u{1b}[2J\u{202e}EVIL\u{9b}31m") } else { r }).collect();
    let name = "bad\u{1b}[2J\u{202e}.csv";
    scratch.put(name, b"\x1b]0;owned\x07,\x9b\n");
    scratch.put("day.csv", &csv(&rows));
    let member = zipped(&[("a\u{1b}[2Jb.csv@", b"")]);
    scratch.put("link.zip", &member);
    let done = run(&scratch, &["detect", name, "link.zip", "day.csv", "-o", "out\u{1b}[2J"], None);
    assert_eq!(done.code, 4, "{}", done.stderr);
    assert!(done.stdout.contains("EVIL"), "the ship stands in the table: {}", done.stdout);
    for (stream, text) in [("stdout", &done.stdout), ("stderr", &done.stderr)] {
        let bad: Vec<char> =
            text.chars().filter(|c| (c.is_control() && *c != '\n') || matches!(*c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')).collect();
        assert!(bad.is_empty(), "{stream}: {bad:?} in {text:?}");
    }
    assert!(Path::new(&scratch.path("out\u{1b}[2J/manifest.json")).exists());
}
