//! Nights with a state: whatever order the days come in, and whatever stops them, the book is that of one run over all.

use crate::cli::{Scratch, run};
use alongside::ingest;
use alongside::lab::{self, Layout, Plan as Traffic};
use alongside::model::time::{day_text, parse_day};
use alongside::model::{FileAccount, RejectReason};
use alongside::run::oneshot::{self, Outcome, Plan};
use alongside::run::state::index::SCHEMA;
use alongside::run::{convert, nightly};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Simulated days from a day on, as files `ais-YYYY-MM-DD.csv`.
fn traffic(scratch: &Scratch, from: &str, days: u32, ships: u32) -> Vec<PathBuf> {
    let start_day = parse_day(from).unwrap();
    let out = scratch.path("traffic");
    lab::simulate(&Traffic { out: out.clone(), seed: 7, days, start_day, ships, interval_s: 600.0, layout: Layout::Legacy, compress: false }).unwrap();
    (0..days as i32).map(|d| out.join("ais").join(format!("ais-{}.csv", day_text(start_day + d)))).collect()
}

fn plan(scratch: &Scratch, inputs: &[PathBuf], out: &str) -> Plan {
    let inputs = inputs.iter().map(|p| p.display().to_string()).collect();
    Plan { overwrite: true, min_confidence: 0, ..Plan::new(inputs, scratch.path(out)) }
}

fn night(scratch: &Scratch, state: &str, inputs: &[PathBuf]) -> Outcome {
    nightly::detect(&plan(scratch, inputs, "night"), &scratch.path(state), &|_| ()).unwrap()
}

/// The event files of a run.
fn events(scratch: &Scratch, out: &str) -> [Vec<u8>; 2] {
    ["events.geojson", "events.csv"].map(|f| scratch.read(&format!("{out}/{f}")))
}

fn whole(scratch: &Scratch, inputs: &[PathBuf]) -> [Vec<u8>; 2] {
    oneshot::detect(&plan(scratch, inputs, "whole"), &|_| ()).unwrap();
    events(scratch, "whole")
}

fn lines(files: &[Vec<u8>; 2]) -> usize {
    files[1].iter().filter(|b| **b == b'\n').count() - 1
}

/// Thirty days over the ends of a month and a year: after every night the book is that of one run over the days so far.
#[test]
fn thirty_nights_are_one_run_over_thirty_days() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2023-12-12", 30, 300);
    for n in 1..=days.len() {
        let outcome = night(&scratch, "state", &days[n - 1..n]);
        assert!(outcome.refused.is_empty() && outcome.days.len() == n);
        if [1, 2, 19, 20, 30].contains(&n) {
            let (nights, whole) = (events(&scratch, "night"), whole(&scratch, &days[..n]));
            assert!(nights == whole, "{n} nights: {} events, and {} in one run", lines(&nights), lines(&whole));
        }
    }
    let nights = events(&scratch, "night");
    assert!(lines(&nights) > 60, "{} events", lines(&nights));
    let csv = String::from_utf8(nights[1].clone()).unwrap();
    let spans = csv.lines().skip(1).filter_map(|l| l.split(',').nth(2).zip(l.split(',').nth(3)));
    let over: Vec<(&str, &str)> = spans.filter(|(start, end)| !end.is_empty() && start[..10] != end[..10]).collect();
    assert!(over.len() > 30 && over.iter().any(|(start, end)| start[..4] != end[..4]), "over midnight and the end of the year: {over:?}");
    // All thirty at once into a new state: the same.
    night(&scratch, "another", &days);
    assert!(events(&scratch, "night") == nights, "thirty days in one night");
}

/// Days late, missing for a while, repeated, cut short and corrected, in any order: what counts is what was there in the end.
#[test]
fn any_order_of_arrival_ends_with_the_same_book() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-02-26", 8, 120);
    let wanted = whole(&scratch, &days);
    assert!(lines(&wanted) > 20, "{} events", lines(&wanted));
    let orders: [&[usize]; 5] =
        [&[7, 6, 5, 4, 3, 2, 1, 0], &[0, 1, 2, 4, 5, 6, 7, 3], &[3, 0, 7, 3, 1, 5, 2, 2, 6, 4], &[1, 2, 3, 0, 4, 5, 7, 6], &[4, 4, 0, 6, 2, 7, 1, 3, 5]];
    for (k, order) in orders.iter().enumerate() {
        let state = format!("state-{k}");
        for &day in *order {
            night(&scratch, &state, &days[day..=day]);
        }
        assert!(events(&scratch, "night") == wanted, "{order:?}");
    }
    // The fourth day comes as its first half, and later whole under the same name, packed otherwise.
    let text = std::fs::read(&days[3]).unwrap();
    let half = text.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(text.iter().filter(|b| **b == b'\n').count() / 2).unwrap().0;
    let name = days[3].file_name().unwrap().to_str().unwrap();
    scratch.put(&format!("half/{name}"), &text[..=half]);
    scratch.put(&format!("again/{name}.zst"), &crate::ingest::zst(&text));
    for (day, path) in days.iter().enumerate() {
        night(&scratch, "corrected", &[if day == 3 { scratch.path(&format!("half/{name}")) } else { path.clone() }]);
    }
    assert!(events(&scratch, "night") != wanted, "half a day is not the day");
    let outcome = night(&scratch, "corrected", &[scratch.path(&format!("again/{name}.zst"))]);
    assert!(events(&scratch, "night") == wanted, "corrected");
    let news = outcome.news.unwrap();
    assert_eq!(news.folded.map(|f| f.0), parse_day("2024-02-29"));
    assert!(!news.changed.is_empty());
    // The same again changes nothing, also where one is packed otherwise.
    let news = night(&scratch, "corrected", &days).news.unwrap();
    assert_eq!((news.folded, news.changed.len(), news.withdrawn.len(), news.unchanged_inputs.len()), (None, 0, 0, 7));
    assert!(events(&scratch, "night") == wanted);
    // A copy of a day under another name adds nothing but repeats; forgetting it takes nothing away.
    scratch.put("copy/other.csv", &text);
    let copy = [scratch.path("copy/other.csv")];
    let outcome = night(&scratch, "corrected", &copy);
    assert!(events(&scratch, "night") == wanted, "a copy");
    // The copy's name comes later: its rows are the repeats.
    assert!(outcome.accounts[0].duplicates > 1000 && outcome.accounts[0].positions == 0, "{:?}", outcome.accounts[0]);
    let state = scratch.path("corrected");
    alongside::run::state::keeper::forget(&state, "other.csv.gz", &|_| ()).unwrap();
    alongside::run::state::keeper::export(&state, &scratch.path("export"), false, &[oneshot::Format::Geojson, oneshot::Format::Csv]).unwrap();
    assert!(events(&scratch, "export") == wanted, "forgotten");
}

/// A month in one file, in no order, with repeats and stray clocks: handed on in parts or all in memory, the same events and the same
/// account of every row.
#[test]
fn what_does_not_fit_into_memory_goes_through_the_disk() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 5, 60);
    let mut lines: Vec<String> = days.iter().flat_map(|d| std::fs::read_to_string(d).unwrap().lines().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect();
    let header = std::fs::read_to_string(&days[0]).unwrap().lines().next().unwrap().to_owned();
    lines.sort_by_key(|l| blake3::hash(l.as_bytes()).to_hex().to_string());
    lines.extend(lines.iter().step_by(7).cloned().collect::<Vec<_>>());
    for second in 0..5 {
        // Three times the same: side by side, and far from each other. Of a stray clock's day none is a duplicate.
        let stray = format!("366000001,2031-01-01T00:00:0{second},28.0,-94.0,1.0,1.0,1,,,,,,,,,,");
        [second * 997, second * 997 + 1, second * 2503 + 1001].into_iter().for_each(|at| lines.insert(at, stray.clone()));
        lines.insert(second * 1999, "garbage".to_owned());
    }
    scratch.put("month.csv", format!("{header}\n{}\n", lines.join("\n")).as_bytes());
    let half = lines.len() / 2;
    scratch.put("halves/a.csv", format!("{header}\n{}\n", lines[..half].join("\n")).as_bytes());
    scratch.put("halves/b.csv", format!("{header}\n{}\n", lines[half..].join("\n")).as_bytes());
    for inputs in [vec![scratch.path("month.csv")], vec![scratch.path("halves/a.csv"), scratch.path("halves/b.csv")]] {
        let memory = oneshot::detect(&plan(&scratch, &inputs, "memory"), &|_| ()).unwrap();
        let mut spilling = plan(&scratch, &inputs, "disk");
        spilling.limits.spill_after = 4000;
        let disk = oneshot::detect(&spilling, &|_| ()).unwrap();
        assert!(disk.news.is_some() && memory.news.is_none(), "one of them went through the disk");
        assert!(events(&scratch, "disk") == events(&scratch, "memory"));
        let duplicates = |o: &Outcome| o.accounts.iter().map(|a| (a.rows, a.positions, a.duplicates, a.rejected.clone())).collect::<Vec<_>>();
        assert_eq!(duplicates(&disk), duplicates(&memory));
        assert_eq!(scratch.read("disk/rejects.csv"), scratch.read("memory/rejects.csv"));
        assert!(disk.accounts.iter().map(|a| a.duplicates).sum::<u64>() > 2000, "{:?}", disk.accounts);
        let strays: u64 = disk.accounts.iter().filter_map(|a| a.rejected.get(&RejectReason::StrayClock)).sum();
        assert_eq!(strays, 15);
        // What is converted goes the same two ways.
        let converted = |plan: &Plan, out: &str| {
            let plan = convert::Plan { inputs: plan.inputs.clone(), out: scratch.path(out), overwrite: true, limits: plan.limits.clone() };
            let outcome = convert::convert(&plan, &|_| ()).unwrap();
            let files: Vec<_> = scratch.list(out).into_iter().filter(|f| f != "manifest.json").map(|f| (scratch.read(&format!("{out}/{f}")), f)).collect();
            let manifest: serde_json::Value = serde_json::from_slice(&scratch.read(&format!("{out}/manifest.json"))).unwrap();
            let told: Vec<_> = ["inputs", "refused", "days", "vessels", "outputs"].into_iter().map(|key| manifest[key].clone()).collect();
            (outcome.vessels, outcome.accounts, files, told)
        };
        let (memory, disk) = (converted(&plan(&scratch, &inputs, ""), "in-memory"), converted(&spilling, "on-disk"));
        assert_eq!(memory.2.len(), 6, "five days and the rejects");
        assert!(disk == memory, "{:?}\n{:?}", disk.3, memory.3);
        // A file refused at its end takes back what was handed on of it.
        if inputs.len() > 1 {
            continue;
        }
        let mut strict = spilling.clone();
        strict.limits.max_reject_percent = 0.1;
        assert!(oneshot::detect(&strict, &|_| ()).is_err(), "all are refused");
        let fine = [inputs.clone(), vec![days[4].clone()]].concat();
        let strict = Plan { inputs: plan(&scratch, &fine, "x").inputs, ..strict };
        let left = oneshot::detect(&strict, &|_| ()).unwrap();
        assert_eq!((left.refused.len(), left.accounts.last().unwrap().positions > 1000), (inputs.len(), true));
        assert!(events(&scratch, "disk") == whole(&scratch, &days[4..]), "only the good file counts");
        let (_, accounts, files, _) = converted(&strict, "refused");
        assert_eq!((accounts.len(), files.len()), (2, 2), "one day and the rejects");
    }
}

/// What is wrong with the rows of an archive only together with others, repeats of another night's and stray clocks, is told of the
/// member and the line.
#[test]
fn every_member_of_an_archive_answers_for_its_own_rows() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 2, 60);
    let stray = |second: u32| format!("366000001,2031-01-01T00:00:0{second},28.0,-94.0,1.0,1.0,1,,,,,,,,,,\n");
    let with = |day: &Path, strays: std::ops::Range<u32>| [std::fs::read_to_string(day).unwrap(), strays.map(stray).collect()].concat();
    let members = [with(&days[1], 0..3), with(&days[0], 3..4)];
    scratch.put("later.zip", &crate::ingest::zipped(&[("a.csv", members[0].as_bytes()), ("b.csv", members[1].as_bytes())]));
    let archive = [scratch.path("later.zip")];
    night(&scratch, "state", &days[..1]);
    let outcome = night(&scratch, "state", &archive);
    let strays = |a: &FileAccount| a.rejected.get(&RejectReason::StrayClock).copied();
    let told: Vec<_> = outcome.accounts.iter().map(|a| (a.positions > 1000, a.duplicates > 1000, strays(a))).collect();
    assert_eq!(told, [(true, false, Some(3)), (false, true, Some(1))], "{:?}", outcome.accounts);
    whole(&scratch, &archive);
    let rejects = String::from_utf8(scratch.read("night/rejects.csv")).unwrap();
    assert_eq!(rejects.matches("stray_clock").count(), 4, "{rejects}");
    assert_eq!(rejects.as_bytes(), scratch.read("whole/rejects.csv"));
}

/// Rows of a ship that lie on both sides of a row group's end come back as the rows of one ship.
#[test]
fn a_ship_is_not_parted_by_a_row_group() {
    use alongside::frame::{self, PositionColumns};
    let mut columns = PositionColumns::default();
    for k in 0..300_000u32 {
        let fix = crate::support::fix(i64::from(k) * 1000, (k as i32, 0));
        columns.push(1 + k / 100_000, &fix);
    }
    let bytes = frame::to_parquet(&mut columns.into_frame().unwrap()).unwrap();
    let back = frame::from_parquet(bytes).unwrap();
    let ships = frame::ships(&back).unwrap();
    assert_eq!(ships.iter().map(|s| (s.mmsi.0, s.t_ms.len())).collect::<Vec<_>>(), [(1, 100_000), (2, 100_000), (3, 100_000)]);
    assert!(ships[2].fix(99_999).lat_e7 == 299_999);
    // Where rows of a ship do stand apart that is found out, and not taken for two ships.
    let apart = |mmsi: &[u32]| {
        let mut columns = PositionColumns::default();
        mmsi.iter().enumerate().for_each(|(k, m)| columns.push(*m, &crate::support::fix(k as i64, (0, 0))));
        columns.into_frame().unwrap()
    };
    assert!(frame::ships(&apart(&[1, 2, 1])).is_err());
    assert!(frame::ships(&frame::stack(vec![apart(&[1, 2]), apart(&[2, 3])]).unwrap()).is_err());
}

/// A day that never came is named, and nobody fell silent because of it.
#[test]
fn a_missing_day_is_named_and_no_silence() {
    let scratch = Scratch::new();
    let mut days = traffic(&scratch, "2024-05-01", 5, 40);
    days.remove(2);
    let wanted = whole(&scratch, &days);
    for day in &days {
        night(&scratch, "state", std::slice::from_ref(day));
    }
    assert!(events(&scratch, "night") == wanted);
    let news = night(&scratch, "state", &days[..1]).news.unwrap();
    assert_eq!(news.missing, [parse_day("2024-05-03").unwrap()]);
    let shown = run(&scratch, &["state", "show", "state"], None);
    assert!(shown.stdout.contains("days missing  2024-05-03"), "{}", shown.stdout);
    // Rows taken out by day.
    let forgotten = run(&scratch, &["state", "forget", "state", "2024-05-04"], None);
    assert_eq!(forgotten.code, 0, "{}", forgotten.stderr);
    assert!(forgotten.stdout.contains("days missing  2024-05-03, 2024-05-04"), "{}", forgotten.stdout);
}

/// The last days may be taken away as well, and the first: the book is that of what is left.
#[test]
fn what_is_forgotten_was_never_there() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 5, 40);
    night(&scratch, "state", &days);
    let state = scratch.path("state");
    for (forget, left) in [("ais-2024-05-05.csv", 0..4), ("2024-05-01", 1..4)] {
        alongside::run::state::keeper::forget(&state, forget, &|_| ()).unwrap();
        alongside::run::state::keeper::export(&state, &scratch.path("export"), true, &[oneshot::Format::Geojson, oneshot::Format::Csv]).unwrap();
        assert!(events(&scratch, "export") == whole(&scratch, &days[left]), "{forget}");
    }
}

/// A day without half of its rows, then as it was, then forgotten: the ledger says that data changed, not that days went on, and no name is
/// the earlier one of an event that is there.
#[test]
fn what_is_corrected_is_called_so() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 4, 60);
    let day = days[2].clone();
    night(&scratch, "state", &days);
    let as_it_was = std::fs::read_to_string(&day).unwrap();
    let half: String = as_it_was.lines().take(as_it_was.lines().count() / 2).map(|l| format!("{l}\n")).collect();
    let (mut changed, mut withdrawn) = (0, 0);
    for number in 2..=4 {
        match number {
            2 => std::fs::write(&day, &half).unwrap(),
            3 => std::fs::write(&day, &as_it_was).unwrap(),
            _ => (),
        }
        if number == 4 {
            alongside::run::state::keeper::forget(&scratch.path("state"), "2024-05-03", &|_| ()).unwrap();
            alongside::run::state::keeper::export(&scratch.path("state"), &scratch.path("night"), true, &[oneshot::Format::Csv]).unwrap();
        } else {
            night(&scratch, "state", std::slice::from_ref(&day));
        }
        let ledger = String::from_utf8(scratch.read("night/ledger.csv")).unwrap();
        let rows: Vec<Vec<&str>> = ledger.lines().skip(1).map(|l| l.split(',').collect()).collect();
        let gone: std::collections::BTreeSet<&str> = rows.iter().filter(|r| r[1] == "withdrawn").map(|r| r[0]).collect();
        for row in &rows {
            let now = row[6] == number.to_string() && ["new", "revised", "withdrawn"].contains(&row[1]);
            assert!(!now || ["late data", "closed gap"].contains(&row[2]), "night {number}: {row:?}");
            assert!(row[7].is_empty() || gone.contains(row[7]), "night {number}: {row:?}");
            changed += usize::from(now);
            withdrawn += usize::from(now && row[1] == "withdrawn");
        }
    }
    assert!(changed > 30 && withdrawn > 5, "{changed} changed, {withdrawn} of them withdrawn");
}

/// Years that lie apart are all in one run; a state keeps what it says it keeps.
#[test]
fn a_run_over_years_lets_nothing_go() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 3, 60);
    let moved: Vec<PathBuf> = days
        .iter()
        .map(|day| {
            let path = scratch.path(&day.file_name().unwrap().to_string_lossy().replace("2024", "2022"));
            std::fs::write(&path, std::fs::read_to_string(day).unwrap().replace("2024-05-0", "2022-05-0")).unwrap();
            path
        })
        .collect();
    let each = [&days, &moved].map(|days| lines(&whole(&scratch, days)));
    let both: Vec<PathBuf> = days.iter().chain(&moved).cloned().collect();
    let csv = String::from_utf8(whole(&scratch, &both)[1].clone()).unwrap();
    let of_2022 = csv.lines().filter(|l| l.contains(",rendezvous,2022-")).count();
    assert!(each[0] > 10 && of_2022 > 10, "{each:?}, {of_2022}");
}

/// One busy ship with a wrong year is a stray clock, and a whole file with one is refused: neither settles a state.
#[test]
fn a_wrong_year_does_not_settle_a_state() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 3, 60);
    night(&scratch, "state", &days[..2]);
    let as_it_was = std::fs::read_to_string(&days[2]).unwrap();
    let mut of: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    as_it_was.lines().skip(1).for_each(|l| *of.entry(&l[..9]).or_default() += 1);
    let busiest = of.iter().max_by_key(|(_, n)| **n).unwrap().0.to_string();
    let wrong = |line: &str| line.replacen("2024-05-03", "2090-05-03", 1);
    let one: String = as_it_was.lines().map(|l| if l.starts_with(&busiest) { wrong(l) } else { l.to_owned() } + "\n").collect();
    std::fs::write(&days[2], &one).unwrap();
    let outcome = night(&scratch, "state", &days[2..]);
    let strays = outcome.accounts[0].rejected.get(&RejectReason::StrayClock).copied();
    assert_eq!((outcome.days.len(), strays), (3, Some(of[busiest.as_str()] as u64)));
    assert!(events(&scratch, "night") == whole(&scratch, &days));
    let before = events(&scratch, "night");
    let late = scratch.path("ais-2090-05-03.csv");
    std::fs::write(&late, as_it_was.lines().map(|l| wrong(l) + "\n").collect::<String>()).unwrap();
    let refused = night(&scratch, "state", std::slice::from_ref(&late));
    assert!(matches!(refused.refused[..], [ingest::Error::Leap { .. }]), "{:?}", refused.refused);
    assert!(events(&scratch, "night") == before);
    // The day as it should have been still counts, and a leap that is meant is one.
    std::fs::write(&days[2], &as_it_was).unwrap();
    night(&scratch, "state", &days[2..]);
    assert!(events(&scratch, "night") == whole(&scratch, &days));
    let mut meant = plan(&scratch, std::slice::from_ref(&late), "night");
    meant.limits.days.0 = parse_day("2090-05-03");
    assert!(nightly::detect(&meant, &scratch.path("state"), &|_| ()).unwrap().refused.is_empty());
}

/// Other rules are refused by name; other weights judge the book anew.
#[test]
fn rules_must_stay_and_weights_may_change() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 3, 40);
    night(&scratch, "state", &days[..2]);
    let mut other = plan(&scratch, &days[2..], "night");
    other.params.rendezvous.enter_m = alongside::units::Metres::of(300.0);
    let refused = nightly::detect(&other, &scratch.path("state"), &|_| ()).unwrap_err().to_string();
    assert!(refused.contains("rendezvous.enter_m 500.0, not 300.0"), "{refused}");
    let mut other = plan(&scratch, &days[2..], "night");
    other.params.score.duration = 12;
    other.params.score.open_sea = 1;
    let news = nightly::detect(&other, &scratch.path("state"), &|_| ()).unwrap().news.unwrap();
    assert!(news.changed.len() > 3);
    oneshot::detect(&Plan { params: other.params, ..plan(&scratch, &days, "whole") }, &|_| ()).unwrap();
    assert!(events(&scratch, "night") == events(&scratch, "whole"));
    assert!(String::from_utf8(scratch.read("night/ledger.csv")).unwrap().contains("changed configuration"));
}

/// Weeks later: what can no longer change is settled, its rows are let go, and a correction of it is refused by name.
#[test]
fn old_days_are_settled_and_let_go() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-03-01", 9, 120);
    let short = |inputs: &[PathBuf], out: &str| {
        let mut plan = plan(&scratch, inputs, out);
        (plan.params.book.final_d, plan.params.book.context_d, plan.params.state.revision_d) = (3, 6, 4);
        plan
    };
    for day in &days {
        nightly::detect(&short(std::slice::from_ref(day), "night"), &scratch.path("state"), &|_| ()).unwrap();
    }
    let nights = events(&scratch, "night");
    let csv = String::from_utf8(nights[1].clone()).unwrap();
    let finals = csv.lines().filter(|l| l.split(',').nth(7) == Some("true")).count();
    assert!(finals > 3 && finals < lines(&nights), "{finals} of {} final", lines(&nights));
    // All at once, by nights of a state or by none.
    nightly::detect(&short(&days, "at-once"), &scratch.path("another"), &|_| ()).unwrap();
    assert!(events(&scratch, "at-once") == nights, "all in one night");
    oneshot::detect(&short(&days, "one-shot"), &|_| ()).unwrap();
    assert!(events(&scratch, "one-shot") == nights, "in one run");
    // A late day within reach comes to the same; one beyond is refused, and nothing changes.
    for &day in &[0, 1, 2, 3, 4, 5, 7, 6, 8] {
        nightly::detect(&short(&days[day..=day], "late"), &scratch.path("late-state"), &|_| ()).unwrap();
    }
    assert!(events(&scratch, "late") == nights, "a day late");
    let again = scratch.path("again/ais-2024-03-02.csv");
    scratch.put(
        "again/ais-2024-03-02.csv",
        &[std::fs::read(&days[1]).unwrap(), b"366999999,2024-03-02T01:00:00,28.0,-94.0,1.0,1.0,1,,,,,,,,,\n".to_vec()].concat(),
    );
    let outcome = nightly::detect(&short(&[again], "night"), &scratch.path("state"), &|_| ()).unwrap();
    assert!(outcome.refused[0].to_string().contains("2024-03-02") && outcome.refused[0].to_string().contains("2024-03-06"), "{}", outcome.refused[0]);
    assert!(events(&scratch, "night") == nights);
    // A folder that still holds all of them is not read again, and nobody is told of it.
    let all = nightly::detect(&short(&days, "night"), &scratch.path("state"), &|_| ()).unwrap();
    assert!(all.refused.is_empty() && all.accounts.is_empty() && all.news.unwrap().unchanged_inputs.len() == 9, "{:?}", all.refused);
    assert!(events(&scratch, "night") == nights);
    // A clock years ahead in a file of few rows takes nothing away.
    let text = std::fs::read_to_string(&days[8]).unwrap();
    let row = text.lines().find(|l| l.contains("2024-03-09")).unwrap().replacen("2024-03-09", "2031-03-09", 1);
    assert!(row.contains("2031"));
    let few: Vec<&str> = text.lines().take(500).collect();
    scratch.put("few/few.csv", format!("{}\n{row}\n", few.join("\n")).as_bytes());
    for (state, before) in [("few-state", &[][..]), ("few-later", &days[..8])] {
        before.iter().chain([&scratch.path("few/few.csv")]).for_each(|input| {
            nightly::detect(&short(std::slice::from_ref(input), "few-out"), &scratch.path(state), &|_| ()).unwrap();
        });
        let next = nightly::detect(&short(&days[8..], "few-out"), &scratch.path(state), &|_| ()).unwrap();
        assert!(next.refused.is_empty() && next.days.last() == alongside::model::time::parse_day("2024-03-09").as_ref(), "{state}: {:?}", next.refused);
    }
    // Rows of four days, and of what came again; the checkpoint before them; and no more.
    let index = alongside::run::state::Dir::open(&scratch.path("state")).unwrap().index.unwrap();
    assert_eq!(index.inputs.values().filter(|i| i.days.values().any(|rows| rows.objects.is_some())).count(), 4);
    assert_eq!(index.days.values().filter(|d| d.checkpoint.is_some()).count(), 5);
    assert_eq!(scratch.list("state/objects").len(), index.objects().len());
}

#[test]
fn one_run_at_a_time_and_only_in_a_state() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 1, 30);
    let day = days[0].to_str().unwrap();
    let dir = alongside::run::state::Dir::open(&scratch.path("state")).unwrap();
    let held = run(&scratch, &["detect", day, "--state", "state", "-o", "night"], None);
    assert_eq!((held.code, held.stderr.contains("another run holds this state")), (6, true), "{}", held.stderr);
    drop(dir);
    let lock = std::fs::File::create(scratch.path(".alongside-night.lock")).unwrap();
    lock.try_lock().unwrap();
    for args in [&["detect", day, "-o", "night"][..], &["detect", day, "--state", "state", "-o", "night"]] {
        let held = run(&scratch, args, None);
        assert_eq!((held.code, held.stderr.contains("another run is writing there")), (6, true), "{}", held.stderr);
    }
    drop(lock);
    // The lock of another folder whose name begins alike is nobody's business.
    scratch.put(".alongside-night-1.lock", b"");
    let done = run(&scratch, &["detect", day, "--state", "state", "-o", "night", "--log-format", "json"], None);
    assert_eq!((done.code, &done.stdout[..9]), (0, "night 1: "), "what changed comes first: {} {}", done.stdout, done.stderr);
    let said: serde_json::Value = serde_json::from_str(done.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&said["exit"], &said["night"], &said["missing"]), (&0.into(), &1.into(), &serde_json::json!([])));
    scratch.path(".alongside-night-1.lock").metadata().unwrap();
    scratch.put("mine/notes.txt", b"mine");
    let other = run(&scratch, &["detect", day, "--state", "mine", "-o", "night", "--overwrite"], None);
    assert_eq!((other.code, other.stderr.contains("not a state")), (2, true), "{}", other.stderr);
    assert_eq!(run(&scratch, &["state", "show", "nowhere"], None).code, 2);
    assert_eq!(run(&scratch, &["state", "verify", "state"], None).code, 0);
    // A state of a later version is left alone.
    let text = String::from_utf8(scratch.read("state/state.json")).unwrap();
    let [this, next] = [SCHEMA, SCHEMA + 1].map(|schema| format!("\"schema_version\": {schema},"));
    assert!(text.contains(&this));
    scratch.put("state/state.json", text.replace(&this, &next).as_bytes());
    let later = run(&scratch, &["detect", day, "--state", "state", "-o", "night", "--overwrite"], None);
    assert_eq!((later.code, later.stderr.contains(&format!("schema {}", SCHEMA + 1))), (2, true), "{}", later.stderr);
    scratch.put("state/state.json", text.as_bytes());
    // A flipped bit in any file of it is found.
    let object = std::fs::read_dir(scratch.path("state/objects")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&object).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&object, bytes).unwrap();
    let damaged = run(&scratch, &["state", "verify", "state"], None);
    assert_eq!((damaged.code, damaged.stderr.contains("not those that were written")), (2, true), "{}", damaged.stderr);
}

/// Final events leave the book when they are old, the rest stays: also where the day that is then the first never came.
#[test]
fn what_is_old_is_let_go_and_nothing_else() {
    let scratch = Scratch::new();
    let mut days = traffic(&scratch, "2024-02-24", 11, 120);
    days.remove(3);
    let short = |inputs: &[PathBuf], out: &str| {
        let mut plan = plan(&scratch, inputs, out);
        (plan.params.book.final_d, plan.params.book.context_d, plan.params.state.revision_d, plan.params.state.keep_d) = (2, 4, 2, 5);
        plan
    };
    let mut most = 0;
    for (n, day) in days.iter().enumerate() {
        let news = nightly::detect(&short(std::slice::from_ref(day), "night"), &scratch.path("state"), &|_| ()).unwrap().news.unwrap();
        let nights = events(&scratch, "night");
        oneshot::detect(&short(&days[..=n], "one-shot"), &|_| ()).unwrap();
        // One run lets nothing go; the rest is the same.
        let text = |files: &[Vec<u8>; 2]| String::from_utf8(files[1].clone()).unwrap();
        let (kept, all) = (text(&nights), text(&events(&scratch, "one-shot")));
        let line = day_text(parse_day("2024-02-24").unwrap() + (n + usize::from(n > 2)) as i32 - 5);
        let let_go = |l: &&str| !kept.lines().any(|k| k == *l);
        assert!(all.lines().filter(let_go).all(|l| l.split(',').nth(3).is_some_and(|end| !end.is_empty() && end < line.as_str())), "{} nights", n + 1);
        assert_eq!(all.lines().filter(|l| !let_go(l)).collect::<Vec<_>>(), kept.lines().collect::<Vec<_>>(), "{} nights", n + 1);
        // What is old was not wrong.
        assert!(news.withdrawn.iter().all(|(_, _, start)| *start > alongside::model::time::day_start_ms(parse_day("2024-02-24").unwrap() + n as i32 - 4)));
        let ledger = String::from_utf8(scratch.read("night/ledger.csv")).unwrap();
        assert_eq!(ledger.lines().skip(1).filter(|l| l.split(',').nth(1) != Some("withdrawn")).count(), lines(&nights));
        most = most.max(lines(&nights));
    }
    let nights = events(&scratch, "night");
    assert!(lines(&nights) > 20 && most > lines(&nights), "{} events, once {most}", lines(&nights));
    // All days that may change are taken away, and come again.
    let state = scratch.path("state");
    for day in ["2024-03-04", "2024-03-05"] {
        alongside::run::state::keeper::forget(&state, day, &|_| ()).unwrap();
    }
    assert!(run(&scratch, &["state", "show", "state"], None).stdout.contains("to 2024-03-03"));
    for day in &days[8..] {
        nightly::detect(&short(std::slice::from_ref(day), "night"), &state, &|_| ()).unwrap();
    }
    assert!(events(&scratch, "night") == nights, "forgotten and delivered again");
    // Far more rows than ever before do not make stray clocks of days that are settled.
    let text = std::fs::read_to_string(&days[9]).unwrap().replace("2024-03-05T", "2024-03-06T");
    let (header, rows) = text.split_once('\n').unwrap();
    scratch.put("ais-2024-03-06.csv", format!("{header}\n{}", rows.repeat(1200)).as_bytes());
    let finals = |files: &[Vec<u8>; 2]| String::from_utf8(files[1].clone()).unwrap().lines().filter(|l| l.split(',').nth(7) == Some("true")).count();
    nightly::detect(&short(&[scratch.path("ais-2024-03-06.csv")], "night"), &state, &|_| ()).unwrap();
    assert!(finals(&events(&scratch, "night")) > 5);
}

/// A file is what was asked of it: with other days it is read again. Standard input has no name to be known by.
#[test]
fn what_is_asked_of_a_file_is_part_of_it() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 3, 60);
    let mut month = std::fs::read(&days[0]).unwrap();
    for day in &days[1..] {
        let text = std::fs::read(day).unwrap();
        month.extend(text.splitn(2, |b| *b == b'\n').nth(1).unwrap());
    }
    scratch.put("month.csv", &month);
    let month = [scratch.path("month.csv")];
    let wanted = whole(&scratch, &days);
    let mut first = plan(&scratch, &month, "night");
    first.limits.days = (None, parse_day("2024-05-01"));
    nightly::detect(&first, &scratch.path("state"), &|_| ()).unwrap();
    assert!(events(&scratch, "night") == whole(&scratch, &days[..1]));
    let news = night(&scratch, "state", &month).news.unwrap();
    assert!(news.unchanged_inputs.is_empty() && events(&scratch, "night") == wanted);
    assert_eq!(night(&scratch, "state", &month).news.unwrap().unchanged_inputs, ["month"]);
    let nameless = run(&scratch, &["detect", "-", "--state", "state", "-o", "night", "--overwrite", "--min-confidence", "0"], Some(b"MMSI\n"));
    assert_eq!((nameless.code, nameless.stderr.contains("standard input has no name")), (2, true), "{}", nameless.stderr);
}

/// A state that lost a file says so, and loses no other because of it; a damaged file that is made again is whole again.
#[test]
fn a_state_that_lost_a_file_is_not_begun_anew() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 2, 40);
    night(&scratch, "state", &days[..1]);
    let objects = scratch.list("state/objects");
    let index = scratch.read("state/state.json");
    std::fs::remove_file(scratch.path("state/state.json")).unwrap();
    let lost = nightly::detect(&plan(&scratch, &days[1..], "night"), &scratch.path("state"), &|_| ()).unwrap_err().to_string();
    assert!(lost.contains("state.json: it is gone"), "{lost}");
    assert_eq!(scratch.list("state/objects"), objects);
    scratch.put("state/state.json", &index);
    for name in &objects {
        let bytes = scratch.read(&format!("state/objects/{name}"));
        std::fs::remove_file(scratch.path(&format!("state/objects/{name}"))).unwrap();
        let verified = run(&scratch, &["state", "verify", "state"], None);
        assert_eq!((verified.code, verified.stderr.contains(&format!("{name}: it is gone"))), (2, true), "{}", verified.stderr);
        scratch.put(&format!("state/objects/{name}"), &bytes);
    }
    // A night that nothing came of binds nobody to its rules.
    scratch.put("empty.csv", b"");
    assert_eq!(run(&scratch, &["detect", "empty.csv", "--state", "new", "-o", "out"], None).code, 3);
    assert_eq!(run(&scratch, &["detect", days[0].to_str().unwrap(), "--state", "new", "-o", "out", "--min-confidence", "10"], None).code, 0);
    let objects = alongside::run::state::Dir::open(&scratch.path("new")).unwrap().objects;
    let name = objects.put(b"some bytes").unwrap();
    std::fs::write(objects.path(&name), b"other byte").unwrap();
    assert!(objects.get(&name).is_err());
    assert!(objects.put(b"some bytes").unwrap() == name && objects.get(&name).unwrap() == b"some bytes");
}

/// A run that was not put in its place any more, where people meanwhile put something of their own: that stays.
#[test]
fn what_people_put_in_the_place_of_a_run_stays() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 2, 40);
    night(&scratch, "state", &days[..1]);
    for theirs in [true, false] {
        let waits = scratch.path(".alongside-night-abcdef");
        copy(&scratch.path("night"), &waits);
        std::fs::remove_dir_all(scratch.path("night")).unwrap();
        if theirs {
            scratch.put("night/notes.txt", b"mine");
        }
        let mut dir = alongside::run::state::Dir::open(&scratch.path("state")).unwrap();
        let index = dir.index.clone().unwrap();
        dir.commit(alongside::run::state::index::Index { publish: Some(publish(&waits, &scratch.path("night"))), ..index }).unwrap();
        drop(dir);
        assert_eq!(run(&scratch, &["state", "verify", "state"], None).code, 0);
        assert!(!waits.exists());
        if theirs {
            assert_eq!(scratch.list("night"), ["notes.txt"]);
            let refused =
                run(&scratch, &["detect", days[1].to_str().unwrap(), "--state", "state", "-o", "night", "--overwrite", "--min-confidence", "0"], None);
            assert_eq!((refused.code, refused.stderr.contains("not a run of alongside")), (5, true), "{}", refused.stderr);
            std::fs::remove_dir_all(scratch.path("night")).unwrap();
            night(&scratch, "state", &days[..1]);
        } else {
            assert!(scratch.list("night").contains(&"events.csv".to_owned()));
        }
    }
}

fn publish(from: &Path, to: &Path) -> alongside::run::state::index::Publish {
    alongside::run::state::index::Publish { from: from.to_path_buf(), to: to.to_path_buf() }
}

/// Days cut into files anyhow, over midnight, twice, with stray clocks; delivered in any order, wrong at first, forgotten and again.
#[test]
fn any_cut_in_any_order_with_strays_is_one_run() {
    let scratch = Scratch::new();
    let paths = traffic(&scratch, "2023-12-29", 6, 90);
    let text: Vec<String> = paths.iter().map(|p| std::fs::read_to_string(p).unwrap()).collect();
    let header = text[0].lines().next().unwrap();
    let days: Vec<Vec<&str>> = text.iter().map(|t| t.lines().skip(1).collect()).collect();
    for seed in 0..times(4) {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed + 1);
        let mut below = |n: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 11) as usize % n.max(1)
        };
        let mut files: Vec<(String, Vec<String>)> = Vec::new();
        let missing = if below(3) == 0 { 1 + below(4) } else { 99 };
        for (d, day) in days.iter().enumerate().filter(|(d, _)| *d != missing) {
            let mut rows: Vec<String> = day.iter().map(|r| (*r).to_owned()).collect();
            let year = ["1970", "2035", "2025"][below(3)];
            let stray = |r: &str| r.replacen(",2023-", &format!(",{year}-"), 1).replacen(",2024-", &format!(",{year}-"), 1);
            match below(4) {
                0 => {
                    let parts = 2 + below(3);
                    for k in 0..parts {
                        files.push((format!("{d}-{k}"), rows.iter().skip(k).step_by(parts).cloned().collect()));
                    }
                    continue;
                }
                1 if d + 1 < days.len() && d + 1 != missing => rows.extend(days[d + 1][..days[d + 1].len() / 3].iter().map(|r| (*r).to_owned())),
                2 => rows.push(stray(&rows[below(rows.len())])),
                _ => {}
            }
            files.push((format!("{d}"), rows));
        }
        let put = |folder: &str, name: &str, rows: &[String]| {
            scratch.put(&format!("{folder}/{name}.csv"), format!("{header}\n{}\n", rows.join("\n")).as_bytes());
            scratch.path(&format!("{folder}/{name}.csv"))
        };
        let inputs: Vec<PathBuf> = files.iter().map(|(name, rows)| put("cut", name, rows)).collect();
        let wanted = whole(&scratch, &inputs);
        let mut order: Vec<usize> = (0..files.len()).collect();
        for k in (1..order.len()).rev() {
            order.swap(k, below(k + 1));
        }
        let state = format!("state-{seed}");
        for k in order {
            let (name, rows) = &files[k];
            match below(4) {
                0 => drop(night(&scratch, &state, &[put("wrong", name, &files[below(files.len())].1[..200])])),
                1 => {
                    night(&scratch, &state, &inputs[k..=k]);
                    alongside::run::state::keeper::forget(&scratch.path(&state), name, &|_| ()).unwrap();
                }
                2 => drop(night(&scratch, &state, &[put("half", name, &rows[..rows.len() / 2])])),
                _ => {}
            }
            night(&scratch, &state, &inputs[k..=k]);
        }
        night(&scratch, &state, &inputs);
        assert!(events(&scratch, "night") == wanted, "seed {seed}: {:?}", files.iter().map(|f| &f.0).collect::<Vec<_>>());
        assert!(lines(&wanted) > 20);
    }
}

fn program() -> PathBuf {
    std::env::var_os("CARGO_BIN_EXE_alongside").map_or_else(|| env!("CARGO_BIN_EXE_alongside").into(), PathBuf::from)
}

/// How often: a few times in the suite, `ALONGSIDE_KILLS` times on request.
fn times(few: u64) -> u64 {
    std::env::var("ALONGSIDE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

/// Three days in the state, and the fourth stopped in the middle; then it comes again. `stop` does what is to happen to the program.
fn interrupted(what: &str, few: u64, stop: impl Fn(&Scratch, &Path, u64, Duration)) {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 4, 60);
    let wanted = whole(&scratch, &days);
    night(&scratch, "before", &days[..3]);
    let old = events(&scratch, "night");
    let begin = std::time::Instant::now();
    copy(&scratch.path("before"), &scratch.path("measured"));
    run(&scratch, &["detect", days[3].to_str().unwrap(), "--state", "measured", "-o", "measured-out", "-q", "--min-confidence", "0"], None);
    let takes = begin.elapsed();
    let n = times(few);
    for k in 0..n {
        for folder in ["state", "out"] {
            let _ = std::fs::remove_dir_all(scratch.path(folder));
        }
        copy(&scratch.path("before"), &scratch.path("state"));
        copy(&scratch.path("night"), &scratch.path("out"));
        stop(&scratch, &days[3], k, takes.mul_f64((k as f64 + 0.5) / n as f64));
        // What is there is a whole run, the old one or the new one.
        if scratch.path("out").exists() {
            let there = events(&scratch, "out");
            assert!(there == old || there == wanted, "{what} {k}: half a run");
        }
        let verified = run(&scratch, &["state", "verify", "state"], None);
        assert_eq!(verified.code, 0, "{what} {k}: {}", verified.stderr);
        let again = run(&scratch, &["detect", days[3].to_str().unwrap(), "--state", "state", "-o", "out", "--overwrite", "-q", "--min-confidence", "0"], None);
        assert_eq!(again.code, 0, "{what} {k}: {}", again.stderr);
        assert!(events(&scratch, "out") == wanted, "{what} {k}: another book");
        let left: Vec<String> = scratch.list(".").into_iter().filter(|n| n.starts_with(".alongside")).collect();
        assert!(left.is_empty(), "{what} {k}: {left:?}");
        let names = alongside::run::state::Dir::open(&scratch.path("state")).unwrap().index.unwrap().objects().len();
        assert_eq!(scratch.list("state/objects").len(), names, "{what} {k}: files that nobody names");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// `kill -9` at any instant leaves the old state or the new one, and the next night needs no help.
#[test]
fn a_kill_at_any_instant_is_recovered_from() {
    interrupted("kill", 6, |scratch, day, _, after| {
        let mut child = Command::new(program())
            .args(["detect", day.to_str().unwrap(), "--state", "state", "-o", "out", "--overwrite", "-q", "--min-confidence", "0"])
            .current_dir(scratch.path("."))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(after);
        let _ = child.kill();
        child.wait().unwrap();
    });
}

/// A disk that is full after so many bytes of any file: an error, and nothing has changed.
#[test]
#[cfg(unix)]
fn a_full_disk_is_an_error_and_nothing_more() {
    interrupted("full disk", 4, |scratch, day, k, _| {
        let blocks = 1 << (k % 9);
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" detect \"$1\" --state state -o out --overwrite -q --min-confidence 0");
        let done = Command::new("bash").args(["-c", &script]).arg(program()).arg(day).current_dir(scratch.path(".")).output().unwrap();
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!([Some(0), Some(5)].contains(&done.status.code()), "{:?}: {stderr}", done.status);
        if done.status.code() == Some(5) {
            assert!(stderr.contains("room"), "{stderr}");
        }
    });
}

/// Ctrl-C and a polite kill: at once, with their own codes, and nothing left behind.
#[test]
#[cfg(unix)]
fn a_signal_stops_within_two_seconds_and_leaves_nothing() {
    let scratch = Scratch::new();
    let days = traffic(&scratch, "2024-05-01", 2, 400);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for state in [&[][..], &["--state", "state"]] {
            let mut child = Command::new(program())
                .args(["detect", days[0].to_str().unwrap(), days[1].to_str().unwrap(), "-o", "out", "-q"])
                .args(state)
                .current_dir(scratch.path("."))
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(60));
            let begin = std::time::Instant::now();
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
            let status = child.wait().unwrap();
            assert!(begin.elapsed() < Duration::from_secs(2));
            assert!(status.code() == Some(code), "{signal}: {status:?}");
            let left: Vec<String> = scratch.list(".").into_iter().filter(|n| n.starts_with(".alongside") || n == "out").collect();
            assert!(left.is_empty(), "{signal}: {left:?}");
        }
    }
}

/// The 23 consecutive real days: night by night, and all at once.
#[test]
fn the_real_days_night_by_night_are_one_run() {
    let folder = std::env::var_os("ALONGSIDE_DATA").map(|f| Path::new(&f).join("zone19_2009-09")).filter(|f| f.is_dir());
    let Some(folder) = folder else {
        println!("skipped: ALONGSIDE_DATA names no folder with zone19_2009-09");
        return;
    };
    let mut days: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    days.sort();
    let scratch = Scratch::new();
    let wanted = whole(&scratch, &days);
    assert!(days.len() == 23 && lines(&wanted) > 300, "{} days, {} events", days.len(), lines(&wanted));
    // Pairs that stay near for hours after their last meeting: what is known at the end of one day and of two is the same.
    for two in [&days[6..8], &days[15..17]] {
        let state = two[0].file_stem().unwrap().to_string_lossy().into_owned();
        night(&scratch, &state, two);
        assert!(events(&scratch, "night") == whole(&scratch, two), "{two:?}");
    }
    // One day comes four days late.
    let late = days.remove(11);
    days.insert(15, late);
    for day in &days {
        night(&scratch, "state", std::slice::from_ref(day));
    }
    assert!(events(&scratch, "night") == wanted);
}
