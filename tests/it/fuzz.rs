//! Hostile bytes at every door of the program. In the suite each target runs for a moment, always on the same bytes; on request
//! for longer, one after the other, within 512 MiB:
//!
//!     ALONGSIDE_FUZZ_SECONDS=60 cargo test --release --test it fuzz
//!
//! Whatever panics, hangs, or gives an answer that cannot be is printed as a line for [`KEPT`], which runs first of all.

use crate::cli::{Scratch, run};
use crate::containers::{bz2, gz, xz};
use crate::faults::file_of_every_layout;
use crate::ingest::{checked_zst, zipped};
use crate::nmea_encode::{RawPosition, RawStatic, pghp, tagged};
use crate::support::Dice;
use alongside::ingest::blocks::Blocks;
use alongside::ingest::layout::{KNOWN, Layout, Reading, TimeForm, digitraffic};
use alongside::ingest::nmea::lines::Lines;
use alongside::ingest::row::{self, Clock};
use alongside::ingest::scan::{Plan, Wanted, Worker};
use alongside::ingest::{container, inputs};
use alongside::model::time::DAY_MS;
use alongside::run::config;
use alongside::run::manifest::peak_memory_bytes;
use alongside::run::presets::Preset;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Inputs that once broke something, or what was said of it: the target, and the bytes.
const KEPT: &[(&str, &[u8])] = &[("timestamp", b"5555555555555555")];

/// How long one input may take.
const LONGEST: Duration = Duration::from_secs(2);
/// What the process may have taken after a run on request.
const MOST_MEMORY: u64 = 512 << 20;
/// Longest input that is made.
const MOST_BYTES: usize = 16 << 10;

/// Words that mean something somewhere.
const WORDS: [&[u8]; 40] = [
    b"91",
    b"181",
    b"511",
    b"102.3",
    b"-0",
    b"1e999",
    b"NaN",
    b"999999999",
    b"\"",
    b"\"\"",
    b",",
    b";",
    b"\t",
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"2020-02-30T00:00:00",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"4294967296",
    b"18446744073709551616",
    b"0.00000000000000000000000001",
    b"!AIVDM,2,1,9,A,",
    b"\\g:1-2-3,c:1577836800*00\\",
    b"$PGHP,1,",
    b"{\"mmsi\":",
    b"\"features\":[",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b"PAR1",
    b"PK\x05\x06",
    b"\xff\xff\xff\xff",
    b"\x28\xb5\x2f\xfd",
    b"\x50\x2a\x4d\x18",
];

/// One after the other where it takes long, so that memory is that of one.
static ALONE: Mutex<()> = Mutex::new(());

/// Makes inputs out of seeds until the time is over, and gives them to the target. What it takes is checked there; here, that
/// it neither panics nor hangs nor fills the memory.
fn fuzz(name: &str, seeds: &[Vec<u8>], target: impl Fn(&[u8])) {
    let asked = std::env::var("ALONGSIDE_FUZZ_SECONDS").ok().and_then(|s| s.parse::<u64>().ok());
    let _alone = asked.map(|_| ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    let run = |bytes: &[u8], seed: u64| {
        let begin = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| target(bytes)));
        let shown = || format!("seed {seed}; keep it as\n    (\"{name}\", b\"{}\"),", bytes.escape_ascii());
        assert!(outcome.is_ok(), "{name}: broke; {}", shown());
        assert!(begin.elapsed() < LONGEST, "{name}: {:?}; {}", begin.elapsed(), shown());
    };
    KEPT.iter().filter(|(of, _)| *of == name).for_each(|(_, bytes)| run(bytes, 0));
    seeds.iter().for_each(|bytes| run(bytes, 0));
    let (begin, time) = (Instant::now(), asked.map_or(Duration::from_millis(50), Duration::from_secs));
    let mut pool = seeds.to_vec();
    let mut seed = 0;
    // The suite runs a number of inputs, not a time, so that it is the same everywhere; at most the time where it is slow.
    let inputs = if asked.is_some() { u64::MAX } else { 400 };
    while seed < inputs && begin.elapsed() < time {
        seed += 1;
        let mut dice = Dice(seed);
        let mut bytes = dice.pick(&pool).clone();
        for _ in 0..1 + dice.below(4) {
            let other = dice.below(pool.len());
            mutate(&mut bytes, &pool[other], &mut dice);
        }
        bytes.truncate(MOST_BYTES);
        run(&bytes, seed);
        // Some of what was made is made into more, so that faults come together.
        if dice.one_in(16) {
            if pool.len() < 64 + seeds.len() {
                pool.push(bytes);
            } else {
                let k = seeds.len() + dice.below(64);
                pool[k] = if dice.one_in(4) { dice.pick(seeds).clone() } else { bytes };
            }
        }
    }
    if asked.is_some() {
        println!("{name}: {seed} inputs in {:?}, at most {:?} MiB", begin.elapsed(), peak_memory_bytes().map(|b| b >> 20));
        assert!(peak_memory_bytes().is_none_or(|b| b < MOST_MEMORY), "{name}: {:?} bytes", peak_memory_bytes());
    }
}

/// More ships than there are, each with a name and a report: what is kept of a ship is little. And of all of them again a day later, with a
/// state.
#[test]
fn of_600_000_ships_little_is_kept() {
    let scratch = Scratch::new();
    let peak_of = |day: u32, args: &[&str]| {
        let mut csv =
            String::from("MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,TransceiverClass\n");
        for ship in 0..600_000u32 {
            let (s, row, column) = (ship / 7 % 86_400, ship / 1000, ship % 1000);
            let time = format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
            let at = format!("{}.{:02},-{}.{:02}", 20 + row / 20, row % 20 * 5, 20 + column / 20, column % 20 * 5);
            let said = format!("SHIP {ship},IMO{},C{ship},80,0,180,30,10.1,80,A", 9_000_000 + ship);
            csv += &format!("{},2020-01-0{day}T{time},{at},0.1,90.0,511,{said}\n", 201_000_000 + ship);
        }
        let file = format!("many-{day}.csv");
        scratch.put(&file, csv.as_bytes());
        drop(csv);
        let done = run(&scratch, &[&["detect", &file, "-o", "out", "--overwrite", "-q"], args].concat(), None);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let manifest: serde_json::Value = serde_json::from_slice(&scratch.read("out/manifest.json")).expect("JSON");
        assert_eq!(manifest["inputs"][0]["positions"], 600_000);
        manifest["peak_memory_bytes"].as_u64()
    };
    let below = |peak: Option<u64>| assert!(peak.is_none_or(|peak| peak < MOST_MEMORY), "{peak:?} bytes");
    below(peak_of(1, &[]));
    // Every thread takes its memory from a place of its own: as many of them as the figures are for.
    let state = ["--state", "state", "--threads", "2"];
    below(peak_of(1, &state));
    below(peak_of(2, &state));
}

fn mutate(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let end = (at + 1 + dice.below(24)).min(bytes.len());
    match dice.below(10) {
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        2 if at < bytes.len() => bytes[at] = *dice.pick(b"\0\x01\x7f\x80\xff0129.-+eE\",;\n\r {}[]:*!\\"),
        3 => drop(bytes.drain(at.min(end)..end)),
        4 => drop(bytes.splice(at..at, dice.pick(&WORDS).iter().copied())),
        5 => {
            // A stretch again, perhaps many times.
            let piece = bytes[at.min(end)..end].repeat(1 + dice.below(40));
            drop(bytes.splice(at..at, piece));
        }
        6 => bytes.truncate(at),
        7 => {
            let from = dice.below(other.len() + 1);
            let piece = other[from..].iter().take(1 + dice.below(200)).copied().collect::<Vec<_>>();
            drop(bytes.splice(at..at, piece));
        }
        8 => (0..dice.below(8)).for_each(|k| bytes.extend_from_slice(&dice.roll().to_le_bytes()[..k])),
        _ => {
            // A number of four bytes at the edge of what it may be.
            let value = dice.pick(&[0u32, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, 0xffff, 1 << 27]).to_le_bytes();
            bytes.iter_mut().skip(at).zip(value).for_each(|(b, v)| *b = v);
        }
    }
}

/// A header and one row of every layout.
fn tables() -> Vec<Vec<u8>> {
    file_of_every_layout().into_iter().map(|text| text.into_bytes()).collect()
}

#[test]
fn fuzz_header_and_layout() {
    fuzz("header", &tables(), |bytes| {
        let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        for known in [None, Some(KNOWN[0])] {
            match Layout::recognise(Path::new("a.csv"), line, &Reading { known, ..Reading::default() }) {
                Ok(layout) => assert_eq!(layout.columns.len(), 1 + layout.header.iter().filter(|b| **b == layout.delimiter).count()),
                Err(e) => assert!(!e.to_string().chars().any(char::is_control) && !e.hint().is_empty(), "{e}"),
            }
        }
    });
}

#[test]
fn fuzz_one_line() {
    let plans: Vec<Plan> = tables()
        .iter()
        .map(|table| {
            let line = table.split(|b| *b == b'\n').next().unwrap_or_default();
            Plan::new(Layout::recognise(Path::new("a.csv"), line, &Reading::default()).expect("a known header"))
        })
        .collect();
    let rows: Vec<Vec<u8>> = tables().iter().map(|t| t.splitn(2, |b| *b == b'\n').last().unwrap_or_default().to_vec()).collect();
    fuzz("line", &rows, |bytes| {
        for plan in &plans {
            let mut worker = Worker::new(0);
            // Twice by the same worker: what it remembers of the first must not change the second.
            let counts = [0, 1].map(|_| {
                let block = Blocks::new(Cursor::new(bytes), Vec::new(), 0).next(Vec::new()).expect("bytes in memory");
                let Some(block) = block else { return (0, 0, Vec::new()) };
                let scanned = worker.scan(plan, 0, &block, &Wanted::default());
                let fixes: Vec<_> =
                    scanned.shards.iter().flatten().map(|f| (f.t_ms, f.lat_e7, f.lon_e7, f.sog_dkn, f.cog_ddeg, f.heading_deg, f.status, f.row)).collect();
                assert!(fixes.iter().all(|f| f.1.abs() <= 900_000_000 && (-1_800_000_000..1_800_000_000).contains(&f.2)), "{fixes:?}");
                let set_aside = scanned.no_position + scanned.not_ships.values().sum::<u64>() + scanned.rejected.values().sum::<u64>();
                assert_eq!(scanned.rows, fixes.len() as u64 + set_aside);
                (scanned.rows, set_aside, fixes)
            });
            assert_eq!(counts[0], counts[1]);
        }
    });
}

#[test]
fn fuzz_timestamp() {
    let texts = ["2020-01-01T00:00:00.250Z", "2024-02-29 23:59:59 GMT", "31/12/2025 23:59:59", "20190327085040", "1577836800.5", "1577836800000"];
    let remembers = std::cell::RefCell::new(Clock::default());
    fuzz("timestamp", &texts.map(|t| t.as_bytes().to_vec()), |bytes| {
        for (form, _) in TimeForm::ALL {
            let fresh = Clock::default().time_ms(bytes, form);
            assert_eq!(remembers.borrow_mut().time_ms(bytes, form), fresh, "what was read before must not matter");
            assert!(fresh.is_none_or(|t| (0..100_001 * DAY_MS).contains(&t)), "{fresh:?}");
        }
        for digits in [0, 1, 3, 7] {
            let (exact, mut quick) = (row::scaled(bytes, digits), 0);
            // The fast way reads the beginning of a field, and what it takes for a number is that number.
            let field = [bytes, b",               "].concat();
            if let Some(n) = row::decimal(&field, digits, &mut quick) {
                assert_eq!(row::scaled(&field[..n], digits), Some(quick));
            }
            // What is read is the number that stands there.
            let value = std::str::from_utf8(bytes).ok().and_then(|t| t.parse::<f64>().ok()).map(|v| v * 10f64.powi(digits as i32));
            assert!(exact.is_none_or(|v| value.is_some_and(|f| (v as f64 - f).abs() <= 0.5 + f.abs() * 1e-9)), "{exact:?}, {value:?}");
        }
    });
}

/// Reads all streams of a file to their ends.
fn drain(folder: &Path, bytes: &[u8]) {
    let path = folder.join("a");
    std::fs::write(&path, bytes).expect("a file in a temporary folder");
    let Ok(streams) = container::open(&path) else { return };
    for stream in streams {
        let mut total = 0;
        let mut reader = stream.reader;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => total += n,
                Err(e) => {
                    // A decoder that panics in its thread says nothing more.
                    assert!(!e.to_string().contains("stopped before the end"), "{e}");
                    break;
                }
            }
            assert!(total < 256 << 20, "{total} bytes out of {}", bytes.len());
        }
    }
}

fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

#[test]
fn fuzz_zip_directory() {
    let folder = in_memory();
    let table = &tables()[0];
    let seeds = [
        zipped(&[("a.csv", table)]),
        zipped(&[("a/", b""), ("a/b.csv", table), ("__MACOSX/x", b"x"), ("c.csv.zst", &checked_zst(table))]),
        zipped(&[("a.csv@", b""), ("../x.csv", table)]),
        zipped(&[]),
    ];
    fuzz("zip", &seeds, |bytes| drain(folder.path(), bytes));
}

#[test]
fn fuzz_packed_streams() {
    let folder = in_memory();
    let table = &tables()[0];
    let skip = [&b"\x50\x2a\x4d\x18\x04\0\0\0abcd"[..], &checked_zst(table)].concat();
    let seeds = [checked_zst(table), skip, checked_zst(&vec![b'x'; 1 << 20]), gz(table), [gz(table), gz(b"x")].concat(), bz2(table), xz(table)];
    fuzz("packed", &seeds, |bytes| drain(folder.path(), bytes));
}

#[test]
fn fuzz_parquet_guard() {
    // A footer as writers make it: version, schema, rows, row groups.
    let footer = b"\x15\x04\x19\x2c\x48\x06schema\x15\x02\x00\x15\x02\x25\x02\x18\x04mmsi\x00\x16\x14\x19\x1c\x19\x1c\x26\x08\x1c\x15\x02\x19\x05\x00\x19\x18\x04mmsi\x00\x00\x00\x28\x05polar\x00";
    let whole = |footer: &[u8]| [b"PAR1", &[0; 40][..], footer, &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat();
    let seeds = [whole(footer), whole(b"\x00"), whole(b"\x19\xfc\xff\xff\xff\xff\x0f"), whole(&[0x1c; 200]), whole(&[0x19; 200]), whole(&[0x1b, 0x7f, 0xcc])];
    fuzz("parquet", &seeds, |bytes| {
        if let Ok(found) = container::footer(&mut Cursor::new(bytes)) {
            assert_eq!(found.offset + found.length + 8, bytes.len() as u64);
        }
    });
}

#[test]
fn fuzz_nmea() {
    let at = RawPosition { message: 1, mmsi: 219_000_001, status: 0, sog: 119, lat: 34_147_560, lon: 4_650_470, cog: 340, heading: 32 };
    let said = RawStatic {
        mmsi: 219_000_001,
        imo: 9_074_729,
        call_sign: "OXAB2".into(),
        name: "EXAMPLE".into(),
        ship_type: 80,
        size_m: [149, 34, 10, 22],
        draught_dm: 75,
    };
    let parts = said.class_a().sentences(2, Some(3), 'A');
    let position = tagged("c:1777161609", &at.message().sentence());
    let groups: Vec<String> = parts.iter().enumerate().map(|(k, s)| tagged(&format!("g:{}-2-7,c:1777161609", k + 1), s)).collect();
    let others = [18, 19, 24, 27].map(|message| tagged("c:1777161609", &RawPosition { message, ..at }.message().sentence()));
    let seeds = [
        format!("{position}\r\n"),
        format!("{}\n{position}\n", groups.join("\n")),
        format!("{}\n{}\n", pghp([2026, 4, 26, 0, 0, 9, 250], &parts), parts.join("\n")),
        others.join("\n"),
        format!("1777161609 {}\n{},1777161609\n", at.message().sentence(), at.message().sentence()),
        format!("{}\n{}\n", tagged("c:1777161609", &said.class_b_name().sentence()), tagged("c:1777161609", &said.class_b_rest().sentence())),
    ];
    fuzz("nmea", &seeds.map(String::into_bytes), |bytes| {
        let (mut lines, aside) = Lines::new(bytes);
        let mut rows = Vec::new();
        lines.read_to_end(&mut rows).expect("bytes in memory");
        let count = rows.iter().filter(|b| **b == b'\n').count();
        let came = bytes.iter().filter(|b| **b == b'\n').count() + usize::from(bytes.last().is_some_and(|b| *b != b'\n'));
        assert_eq!(count, came, "as many lines as came in");
        all_are_rows("nmea", &rows);
        let aside = aside.lock().expect("nobody reads any more");
        assert_eq!(aside.rows, aside.static_only + aside.no_position + aside.not_ships.values().sum::<u64>() + aside.rejected.values().sum::<u64>());
    });
}

/// What was made for the scanner is taken by it, every line.
fn all_are_rows(name: &'static str, rows: &[u8]) {
    let plan = Plan::new(alongside::ingest::nmea::lines::layout(name));
    if let Some(block) = Blocks::new(Cursor::new(rows), Vec::new(), 0).next(Vec::new()).expect("bytes in memory") {
        let scanned = Worker::new(0).scan(&plan, 0, &block, &Wanted::default());
        let fixes = scanned.shards.iter().map(Vec::len).sum::<usize>() as u64;
        assert_eq!((scanned.rows, scanned.rejected.len()), (fixes, 0), "{}", rows.escape_ascii());
    }
}

#[test]
fn fuzz_json() {
    let feature = |mmsi: u32| {
        format!(
            r#"{{"mmsi":{mmsi},"type":"Feature","geometry":{{"type":"Point","coordinates":[20.85169,55.770832]}},"properties":{{"mmsi":{mmsi},"sog":0.1,"cog":346.5,"navStat":1,"heading":79,"timestampExternal":1659212938646}}}}"#
        )
    };
    let (a, b) = (feature(219_000_001), feature(219_000_002));
    let vessel = r#"{"name":"EX, \"A\"","timestamp":1659212938000,"mmsi":219000001,"callSign":"OXAB2","imo":9074729,"shipType":80,"draught":75,"referencePointA":149,"referencePointB":34,"referencePointC":10,"referencePointD":22}"#;
    let seeds = [format!(r#"{{"type":"FeatureCollection","features":[{a},{b}]}}"#), format!("[{vessel}]\n{a}\n{b}\n"), format!("[{vessel},{vessel}]")];
    fuzz("json", &seeds.map(String::into_bytes), |bytes| {
        let _ = digitraffic::is_here(bytes);
        let (mut reader, aside) = digitraffic::Rows::new(bytes);
        let mut rows = Vec::new();
        // The one thing that can be wrong with bytes in memory.
        if let Err(e) = reader.read_to_end(&mut rows) {
            assert!(e.to_string().ends_with("it is cut"), "{e}");
        }
        all_are_rows(digitraffic::NAME, &rows);
        let aside = aside.lock().expect("nobody reads any more");
        assert_eq!(aside.rows, aside.static_only + aside.no_position + aside.not_ships.values().sum::<u64>() + aside.rejected.values().sum::<u64>());
        assert!(aside.rejects.iter().all(|r| r.byte_offset < bytes.len() as u64));
    });
}

#[test]
fn fuzz_configuration() {
    let folder = in_memory();
    let path = folder.path().join("a.toml");
    let printed = config::commented(&Default::default(), Preset::Default);
    let short = "[rendezvous]\nenter_m = 400\n[score]\nnight = -7\n";
    let seeds = [short.to_owned(), printed.chars().take(3000).collect(), "gap.min_h=5".into(), "rendezvous.enter_m = 1e400".into()];
    fuzz("configuration", &seeds.map(String::into_bytes), |bytes| {
        std::fs::write(&path, bytes).expect("a file in a temporary folder");
        let text = String::from_utf8_lossy(bytes).into_owned();
        for loaded in [config::load(Preset::Default, Some(&path), &[]), config::load(Preset::Gfw, None, &[text])] {
            match loaded {
                // What is taken can be printed and read back.
                Ok(params) => assert!(config::commented(&params, Preset::Default).parse::<toml::Table>().is_ok()),
                Err(e) => assert!(!e.to_string().is_empty() && !e.hint().is_empty(), "{e:?}"),
            }
        }
    });
}

#[test]
fn fuzz_inputs() {
    // Patterns: whatever is typed names files or gives an error with a hint.
    let seeds = ["ais/*.csv", "**/[a-z]?.zst", "-", "/", "[", "a\\*"].map(|s| s.as_bytes().to_vec());
    let folder = in_memory();
    std::fs::write(folder.path().join("a.csv"), b"x").expect("a file");
    fuzz("inputs", &seeds, |bytes| {
        let text = format!("{}/{}", folder.path().display(), String::from_utf8_lossy(bytes).replace(['/', '.'], "x"));
        if let Err(e) = inputs::find(&[text]) {
            assert!(!e.hint().is_empty());
        }
    });
}
