//! The hall: words in, words and an exit code out.

pub mod args;
pub mod findings;
pub mod progress;
pub mod summary;

use crate::export;
use crate::ingest::{container, escape};
use crate::lab;
use crate::model::{FileAccount, Kind, time};
use crate::run::{config, convert, inspect, nightly, oneshot, state};
use args::{Args, Command};
use clap::Parser;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a run ended; the exit code is its only other spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, with or without events.
    Done = 0,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Nothing usable in the input.
    Refused = 3,
    /// Done, but some input was refused.
    Partial = 4,
    /// Output could not be written.
    Output = 5,
    /// Another run holds the output or the state.
    Held = 6,
    /// Our bug.
    Bug = 70,
}

/// Reads the command line and runs it.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        if container::is_decoder() {
            return;
        }
        tell(&format!("alongside: a fault of alongside itself: {panic}\n  please report it with the command line and the manifest of the input"));
        std::process::exit(Exit::Bug as i32);
    }));
    let args = Args::parse();
    stop_when_told();
    match run(args) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(e) if e.closed_pipe => ExitCode::SUCCESS,
        Err(e) if JSON.load(Ordering::Relaxed) => {
            log("error", &e.message, serde_json::json!({"hint": e.hint, "exit": e.exit as i32}));
            ExitCode::from(e.exit as u8)
        }
        Err(e) => {
            tell(&format!("alongside: {}", e.message));
            for line in e.hint.lines().filter(|l| !l.is_empty()) {
                tell(&format!("  {line}"));
            }
            ExitCode::from(e.exit as u8)
        }
    }
}

/// Ctrl-C and a polite kill end the program at once, with nothing half-written: what was being written is removed first.
#[cfg(unix)]
fn stop_when_told() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            let _hold = crate::export::whole::abandon();
            std::process::exit(128 + signal);
        }
    };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(wait);
}

#[cfg(not(unix))]
fn stop_when_told() {}

/// Whether messages are JSON objects. Set once, before the work begins.
static JSON: AtomicBool = AtomicBool::new(false);

/// One JSON object on standard error.
fn log(level: &str, text: &str, more: serde_json::Value) {
    let mut object = serde_json::json!({"time": oneshot::Clock::start().started, "level": level, "text": text});
    if let (Some(object), serde_json::Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    let _ = writeln!(io::stderr(), "{object}");
}

/// Lines on standard error, safe for a terminal: they may quote file names and cells. Where nobody listens that is no fault.
fn tell(text: &str) {
    if JSON.load(Ordering::Relaxed) {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let hint: Vec<&str> = lines.map(str::trim).collect();
        return log("warning", first.strip_prefix("alongside: ").unwrap_or(first), serde_json::json!({"hint": hint.join(" ")}));
    }
    for line in text.lines() {
        let _ = writeln!(io::stderr(), "{}", escape(line.as_bytes(), 4096));
    }
}

/// A message, what to type next, and the code.
struct Failure {
    message: String,
    hint: String,
    exit: Exit,
    closed_pipe: bool,
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into(), exit, closed_pipe: false }
    }
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        Self { closed_pipe: e.kind() == io::ErrorKind::BrokenPipe, ..Self::new(Exit::Output, format!("standard output: {e}"), "") }
    }
}

impl From<config::Error> for Failure {
    fn from(e: config::Error) -> Self {
        Self::new(Exit::Usage, e.to_string(), e.hint())
    }
}

impl From<oneshot::Error> for Failure {
    fn from(e: oneshot::Error) -> Self {
        match e {
            oneshot::Error::NothingUsable(reasons) => {
                // Each with its own hint; the last one's is the failure's.
                let (hint, mut message) = (reasons.last().map(|r| r.hint()).unwrap_or_default(), String::new());
                for (k, reason) in reasons.iter().enumerate() {
                    let next = if k + 1 < reasons.len() { format!("\n  {}\nalongside: ", reason.hint()) } else { String::new() };
                    message.push_str(&format!("{reason}{next}"));
                }
                Self::new(Exit::Refused, message, hint)
            }
            oneshot::Error::Input(e) => Self::new(Exit::Refused, e.to_string(), e.hint()),
            oneshot::Error::Output(e) => Self::new(if matches!(e, export::Error::Held(_)) { Exit::Held } else { Exit::Output }, e.to_string(), e.hint()),
            oneshot::Error::SameName { .. } => {
                Self::new(Exit::Usage, e.to_string(), "give one of them, or rename it; the same name again replaces what it held")
            }
            oneshot::Error::NoName => Self::new(Exit::Usage, e.to_string(), "write it to a file that is named after what it holds, such as 2024-03-01.csv.zst"),
            oneshot::Error::State(e) => e.into(),
            oneshot::Error::Bug(e) => {
                Self::new(Exit::Bug, format!("a fault of alongside itself: {e}"), "please report it with the input's header and first rows")
            }
        }
    }
}

impl From<state::Error> for Failure {
    fn from(e: state::Error) -> Self {
        use state::Error;
        let exit = match e {
            Error::Io { .. } => Exit::Output,
            Error::Locked(_) => Exit::Held,
            // No second try helps.
            Error::Damaged { .. } | Error::NotAState(_) | Error::NoState(_) | Error::OtherSchema { .. } | Error::OtherRules { .. } | Error::Unknown { .. } => {
                Exit::Usage
            }
            Error::Settled { .. } => Exit::Partial,
            Error::Bug(_) => Exit::Bug,
        };
        Self::new(exit, e.to_string(), e.hint())
    }
}

fn run(args: Args) -> Result<Exit, Failure> {
    match args.command {
        Command::Detect(detect) => run_detect(*detect),
        Command::Convert(convert) => run_convert(&convert),
        Command::Simulate(simulate) => run_simulate(&simulate),
        Command::Evaluate(evaluate) => run_evaluate(&evaluate),
        Command::Bench(bench) => run_bench(&bench),
        Command::Inspect(options) => run_inspect(&options),
        Command::State { what } => run_state(what),
        Command::Config { preset } => {
            io::stdout().write_all(config::commented(&config::load(preset, None, &[])?, preset).as_bytes())?;
            Ok(Exit::Done)
        }
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut <Args as clap::CommandFactory>::command(), "alongside", &mut text);
            io::stdout().write_all(&text)?;
            Ok(Exit::Done)
        }
    }
}

/// Says how many files in the folders were not looked at: nothing is lost in silence.
fn tell_passed_over(inputs: &[String]) {
    let passed_over = crate::ingest::inputs::find(inputs).map_or(0, |found| found.passed_over);
    if passed_over > 0 {
        let files = if passed_over == 1 { "1 other file".to_owned() } else { format!("{passed_over} other files") };
        tell(&format!("alongside: {files} in the folders passed over for the name; give a file by name to have it read whatever it is called"));
    }
}

/// Names the inputs that were refused, and says how the run ended.
fn tell_refused(refused: &[crate::ingest::Error]) -> Exit {
    for e in refused {
        tell(&format!("alongside: {e}\n  {}", e.hint()));
    }
    if refused.is_empty() { Exit::Done } else { Exit::Partial }
}

/// Work in so many threads; none named are as many as there are cores.
fn use_threads(threads: Option<usize>) -> Result<(), Failure> {
    let threads = threads.unwrap_or(0);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|e| Failure::new(Exit::Usage, format!("--threads {threads}: {e}"), "leave it out to use every core"))
}

/// Sets up what a command runs with; gives its progress bar.
fn begin(running: &args::Running) -> Result<progress::Bar, Failure> {
    JSON.store(running.log_format == args::LogFormat::Json, Ordering::Relaxed);
    use_threads(running.threads)?;
    Ok(progress::Bar::new(running.progress == args::ProgressWhen::Auto && !running.quiet && io::stderr().is_terminal()))
}

fn run_convert(options: &args::Convert) -> Result<Exit, Failure> {
    let bar = begin(&options.running)?;
    let reading = options.layout.reading(options.config.as_deref())?;
    let limits = crate::ingest::Limits { reading, ..limits(&options.rows)? };
    let plan = convert::Plan { inputs: options.inputs.clone(), out: options.out.clone(), overwrite: options.overwrite, limits };
    let outcome = convert::convert(&plan, &|p| bar.tell(p))?;
    bar.finish();
    if !options.running.quiet {
        io::stdout().write_all(summary::of_conversion(&outcome).as_bytes())?;
    }
    tell_passed_over(&options.inputs);
    let exit = tell_refused(&outcome.refused);
    if JSON.load(Ordering::Relaxed) {
        log("info", "done", done(exit, &outcome.out, &outcome.accounts, &outcome.refused));
    }
    Ok(exit)
}

/// How a run ended, for a scheduler.
fn done(exit: Exit, out: &Path, accounts: &[FileAccount], refused: &[crate::ingest::Error]) -> serde_json::Value {
    let rows: u64 = accounts.iter().map(|a| a.rows).sum();
    serde_json::json!({"exit": exit as i32, "out": out.display().to_string(), "rows": rows, "refused": refused.len()})
}

fn run_detect(detect: args::Detect) -> Result<Exit, Failure> {
    let bar = begin(&detect.running)?;
    let params = config::load(detect.preset, detect.config.as_deref(), &detect.set)?;
    let kinds = if detect.kinds.is_empty() { Kind::ALL.to_vec() } else { detect.kinds.clone() };
    let plan = oneshot::Plan {
        inputs: detect.inputs.clone(),
        out: detect.out.clone(),
        overwrite: detect.overwrite,
        params,
        preset: detect.preset,
        index: detect.index.into(),
        limits: crate::ingest::Limits { reading: detect.layout.reading(detect.config.as_deref())?, ..limits(&detect.rows)? },
        min_confidence: detect.min_confidence,
        kinds,
        formats: detect.formats.clone(),
    };
    let outcome = match &detect.state {
        Some(state) => nightly::detect(&plan, state, &|p| bar.tell(p))?,
        None => oneshot::detect(&plan, &|p| bar.tell(p))?,
    };
    bar.finish();
    let out = io::stdout();
    if !detect.running.quiet {
        out.lock().write_all(summary::of(&outcome, detect.min_confidence).as_bytes())?;
    }
    tell_passed_over(&detect.inputs);
    let exit = tell_refused(&outcome.refused);
    if JSON.load(Ordering::Relaxed) {
        let mut done = done(exit, &outcome.out, &outcome.accounts, &outcome.refused);
        if let (Some(news), Some(done)) = (outcome.news.as_ref().filter(|n| n.night > 0), done.as_object_mut()) {
            let changes: BTreeMap<_, _> = news.by_status.iter().map(|(s, n)| (s.word(), *n)).collect();
            let missing: Vec<String> = news.missing.iter().map(|d| time::day_text(*d)).collect();
            done.extend([("night".into(), news.night.into()), ("missing".into(), missing.into()), ("ledger".into(), serde_json::json!(changes))]);
        }
        log("info", "done", done);
    }
    if detect.verbose > 0 {
        for (room, us) in &outcome.tally.rooms_us {
            tell(&format!("{room}: {} ms", us / 1000));
        }
    }
    Ok(exit)
}

fn run_state(what: args::StateCommand) -> Result<Exit, Failure> {
    use args::StateCommand;
    use state::keeper;
    match what {
        StateCommand::Show { state, json } => {
            let shown = keeper::show(&state)?;
            let text = if json {
                serde_json::to_string_pretty(&shown).map_err(|e| Failure::new(Exit::Bug, e.to_string(), ""))? + "\n"
            } else {
                summary::state(&shown)
            };
            io::stdout().write_all(text.as_bytes())?;
        }
        StateCommand::Export { state, out, overwrite, formats } => {
            let events = keeper::export(&state, &out, overwrite, &formats)?;
            writeln!(io::stdout(), "{} events written to {}", summary::thousands(events), escape(out.display().to_string().as_bytes(), 400))?;
        }
        StateCommand::Verify { state } => {
            let (files, damaged) = keeper::verify(&state)?;
            if let Some(last) = damaged.last() {
                let what: Vec<String> = damaged.iter().map(ToString::to_string).collect();
                return Err(Failure::new(Exit::Usage, what.join("\nalongside: "), last.hint()));
            }
            writeln!(io::stdout(), "{} files, each what it was when it was written", summary::thousands(files as u64))?;
        }
        StateCommand::Prune { state, set } => {
            let params = if set.is_empty() { keeper::params(&state)? } else { config::load(Default::default(), None, &set)? };
            let (files, bytes) = keeper::prune(&state, &params)?;
            writeln!(io::stdout(), "{} files let go, {} bytes", summary::thousands(files), summary::thousands(bytes))?;
        }
        StateCommand::Forget { state, what } => {
            let bar = progress::Bar::new(io::stderr().is_terminal());
            let news = keeper::forget(&state, &what, &|p| bar.tell(p))?;
            bar.finish();
            io::stdout().write_all(summary::night(&news).as_bytes())?;
        }
    }
    Ok(Exit::Done)
}

impl From<lab::Error> for Failure {
    fn from(e: lab::Error) -> Self {
        let exit = if matches!(e, lab::Error::Output(_)) { Exit::Output } else { Exit::Refused };
        Self::new(exit, e.to_string(), e.hint())
    }
}

fn run_simulate(options: &args::Simulate) -> Result<Exit, Failure> {
    let start_day =
        time::parse_day(&options.start).ok_or_else(|| Failure::new(Exit::Usage, format!("--start {}: not a date", options.start), "write it as 2024-03-01"))?;
    let plan = lab::Plan {
        out: options.out.clone(),
        seed: options.seed,
        days: options.days,
        start_day,
        ships: options.ships,
        interval_s: f64::from(options.interval),
        layout: match options.layout {
            args::SimulatedLayout::Marinecadastre => lab::Layout::Legacy,
            args::SimulatedLayout::Marinecadastre2025 => lab::Layout::Renamed,
            args::SimulatedLayout::Dma => lab::Layout::Dma,
        },
        compress: options.compress.is_some(),
    };
    let made = lab::simulate(&plan)?;
    let mut text = String::new();
    for (name, rows) in &made.days {
        text += &format!("{}  {} rows\n", plan.out.join(name).display(), summary::thousands(*rows));
    }
    let (yes, no) = made.labels.values().fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
    text += &format!("{}  {yes} true, {no} that only look like it\n", plan.out.join("labels.csv").display());
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

fn run_inspect(options: &args::Inspect) -> Result<Exit, Failure> {
    let bar = progress::Bar::new(io::stderr().is_terminal());
    let (report, refused) = inspect::inspect(&options.inputs, options.layout.reading(options.config.as_deref())?, &|p| bar.tell(p))?;
    bar.finish();
    let text = if options.json {
        serde_json::to_string_pretty(&report).map_err(|e| Failure::new(Exit::Bug, e.to_string(), ""))? + "\n"
    } else {
        findings::of(&report)
    };
    io::stdout().write_all(text.as_bytes())?;
    tell_passed_over(&options.inputs);
    Ok(tell_refused(&refused))
}

fn run_evaluate(options: &args::Evaluate) -> Result<Exit, Failure> {
    let claims = lab::evaluate::read_events(&options.events)?;
    let labels = lab::labels::read(&options.labels)?;
    let report = lab::evaluate::compare(&claims, &labels, options.min_confidence);
    let text = if options.json {
        serde_json::to_string_pretty(&report).map_err(|e| Failure::new(Exit::Bug, e.to_string(), ""))? + "\n"
    } else {
        lab::evaluate::table(&report)
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

impl From<lab::bench::Error> for Failure {
    fn from(e: lab::bench::Error) -> Self {
        use lab::bench::Error;
        let exit = match e {
            Error::Run(e) => return e.into(),
            Error::Differ { .. } => Exit::Bug,
            Error::NoReport { .. } | Error::OtherInput { .. } | Error::OtherAnswers { .. } => Exit::Refused,
            Error::Output { .. } => Exit::Output,
            Error::Threads { .. } => Exit::Usage,
        };
        Self::new(exit, e.to_string(), e.hint())
    }
}

fn run_bench(options: &args::Bench) -> Result<Exit, Failure> {
    use lab::bench;
    // What can fail at once must not fail after minutes.
    options.save.as_deref().map_or(Ok(()), bench::may_save)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = if options.threads.is_empty() { vec![1, cores] } else { options.threads.clone() };
    threads.sort_unstable();
    threads.dedup();
    let mut reaches_m: Vec<f64> = options.reach.iter().map(|m| f64::from(*m)).collect();
    reaches_m.sort_by(f64::total_cmp);
    reaches_m.dedup();
    let plan = bench::Plan {
        inputs: options.inputs.clone(),
        limits: limits(&options.rows)?,
        runs: options.runs,
        threads,
        reaches_m,
        against: options.against.as_deref().map(bench::load).transpose()?,
    };
    let bar = progress::Bar::new(!options.quiet && io::stderr().is_terminal());
    let (report, refused) = bench::bench(&plan, &|p| bar.tell_bench(p))?;
    bar.finish();
    if let Some(path) = &options.save {
        bench::save(&report, path)?;
    }
    if !options.quiet {
        let text = if options.json { bench::json(&report)? } else { bench::text::table(&report) };
        io::stdout().write_all(text.as_bytes())?;
    }
    Ok(tell_refused(&refused))
}

/// Which rows are asked for.
fn limits(args::Rows { from, to, bbox, max_reject_share }: &args::Rows) -> Result<crate::ingest::Limits, Failure> {
    let day = |option: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => {
            time::parse_day(text).map(Some).ok_or_else(|| Failure::new(Exit::Usage, format!("{option} {text}: not a date"), "write it as 2020-01-31"))
        }
    };
    let days = (day("--from", from)?, day("--to", to)?);
    if matches!(days, (Some(from), Some(to)) if from > to) {
        return Err(Failure::new(Exit::Usage, "--from is later than --to", "name the first day with --from and the last with --to"));
    }
    let bbox_e7 = match bbox {
        None => None,
        Some(text) => {
            let parts: Vec<f64> = text.split(',').map(|t| t.trim().parse().unwrap_or(f64::NAN)).collect();
            let ok = parts.len() == 4
                && parts.iter().all(|v| v.is_finite() && v.abs() <= 180.0)
                && parts[1].abs() <= 90.0
                && parts[3].abs() <= 90.0
                && parts[1] <= parts[3];
            if !ok {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("--bbox {text}: not four numbers W,S,E,N"),
                    "write it as --bbox=-95.5,28,-94,29.5; W greater than E crosses 180",
                ));
            }
            Some([0, 1, 2, 3].map(|k| (parts[k] * 1e7).round() as i32))
        }
    };
    Ok(crate::ingest::Limits { days, bbox_e7, max_reject_percent: *max_reject_share, ..Default::default() })
}
