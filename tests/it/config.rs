//! The configuration: what is printed reads back as the defaults, a preset lies over them, a file over that and `--set` over
//! all, and whoever misspells a key is told the right one.

use crate::cli::{Scratch, run};
use alongside::ingest::Limits;
use alongside::model::Params;
use alongside::model::params::DETECTION_SECTIONS;
use alongside::run::config::{commented, hashes, load};
use alongside::run::presets::Preset;
use std::collections::BTreeSet;

/// The parameters, or the message and its hint in one text.
fn loaded(file: Option<&str>, sets: &[&str]) -> Result<Params, String> {
    let scratch = Scratch::new();
    let path = file.map(|text| {
        scratch.put("a.toml", text.as_bytes());
        scratch.path("a.toml")
    });
    let sets: Vec<String> = sets.iter().map(|s| (*s).to_owned()).collect();
    load(Preset::Default, path.as_deref(), &sets).map_err(|e| format!("{e}\n{}", e.hint()))
}

#[test]
fn what_is_printed_reads_back_as_the_defaults() {
    let scratch = Scratch::new();
    let printed = run(&scratch, &["config"], None);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    assert_eq!(printed.stdout, commented(&Params::default(), Preset::Default));
    assert_eq!(loaded(Some(&printed.stdout), &[]), Ok(Params::default()));
    assert_eq!(loaded(Some(""), &[]), Ok(Params::default()));
    assert_eq!(loaded(None, &[]), Ok(Params::default()));
    // Every value that can be changed, changed, reads back as well.
    let mut table = toml::Table::try_from(Params::default()).expect("parameters are a table");
    let mut changed = 0;
    for (_, section) in table.iter_mut() {
        for (_, value) in section.as_table_mut().expect("a section").iter_mut() {
            *value = match value {
                toml::Value::Float(v) => toml::Value::Float(*v + 0.125),
                toml::Value::Integer(v) => toml::Value::Integer(*v + 1),
                other => panic!("a kind of value that this test does not know: {other}"),
            };
            changed += 1;
        }
    }
    let params: Params = table.try_into().expect("parameters");
    assert_ne!(params, Params::default());
    assert_eq!(loaded(Some(&commented(&params, Preset::Default)), &[]), Ok(params));
    assert_eq!(changed, Params::DESCRIBED.len());
}

#[test]
fn every_parameter_is_printed_with_its_reason() {
    let printed = commented(&Params::default(), Preset::Default);
    let (mut section, mut comment) = (String::new(), String::new());
    let mut seen = BTreeSet::new();
    for line in printed.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some(text) = line.strip_prefix("# ") {
            comment = format!("{comment} {text}");
            assert!(line.len() <= 110, "{line}");
        } else if let Some((key, value)) = line.split_once(" = ") {
            let described = Params::DESCRIBED.iter().find(|(s, k, _)| *s == section && *k == key);
            let (_, _, doc) = described.unwrap_or_else(|| panic!("{section}.{key} is printed and not described"));
            assert!(comment.trim_start().ends_with(doc.split_whitespace().collect::<Vec<_>>().join(" ").as_str()), "{section}.{key}: {comment}");
            assert!(doc.len() > 20 && doc.ends_with(['.', ')']), "{section}.{key} says what it is in a sentence: {doc}");
            assert!(!value.is_empty());
            assert!(seen.insert((section.clone(), key.to_owned())), "{section}.{key} twice");
        }
        if !line.starts_with('#') {
            comment.clear();
        }
    }
    assert_eq!(seen.len(), Params::DESCRIBED.len());
    // And every leaf of the structure is described: a parameter cannot be added in silence.
    let table = toml::Table::try_from(Params::default()).expect("parameters are a table");
    let leaves: BTreeSet<(String, String)> =
        table.iter().flat_map(|(s, v)| v.as_table().expect("a section").keys().map(move |k| (s.clone(), k.clone()))).collect();
    assert_eq!(seen, leaves);
    // Units stand in the names: who has none is a count, a share, a weight, or in the list.
    for (section, key, _) in Params::DESCRIBED {
        let unit = ["_m", "_nm", "_kn", "_min", "_h", "_d", "_s", "_nats"].iter().any(|u| key.ends_with(u));
        let plain = *section == "score" || key.contains("fixes") || *key == "hour_floor";
        assert!(unit || plain, "{section}.{key}: in which unit?");
    }
}

#[test]
fn a_file_lies_over_the_defaults_and_set_over_the_file() {
    let file = "[rendezvous]\nenter_m = 400\nhole_h = 3.5\n\n[score]\nnight = 7\n";
    let params = loaded(Some(file), &["rendezvous.enter_m=300", "gap.min_h = 6", "score.open_sea=-1"]).expect("parameters");
    let mut expected = Params::default();
    expected.rendezvous.enter_m = alongside::units::Metres::of(300.0);
    expected.rendezvous.hole_h = alongside::units::Hours::of(3.5);
    expected.score.night = 7;
    expected.gap.min_h = alongside::units::Hours::of(6.0);
    expected.score.open_sea = -1;
    assert_eq!(params, expected);
    // The last of two counts.
    assert_eq!(loaded(None, &["gap.min_h=5", "gap.min_h=6"]).expect("parameters").gap.min_h.get(), 6.0);
    // And a run works by it.
    let scratch = Scratch::new();
    scratch.put("day.csv", &crate::ingest::csv(&crate::ingest::drawn_day()));
    scratch.put("a.toml", b"[gap]\nmin_h = 7\n");
    let gaps = |out: &str, args: &[&str]| {
        let mut all = vec!["detect", "day.csv", "-o", out];
        all.extend(args);
        assert_eq!(run(&scratch, &all, None).code, 0);
        let manifest: serde_json::Value = serde_json::from_slice(&scratch.read(&format!("{out}/manifest.json"))).expect("JSON");
        (manifest["events"]["gap"]["found"].as_u64().expect("a count"), manifest["configuration"]["gap"]["min_h"].to_string())
    };
    let plain = gaps("plain", &[]);
    // Two silences last six hours.
    assert_eq!(gaps("file", &["--config", "a.toml"]), (plain.0 - 2, "7.0".to_owned()));
    assert_eq!(gaps("set", &["--config", "a.toml", "--set", "gap.min_h=4"]), plain);
}

#[test]
fn a_preset_lies_over_the_defaults_and_under_all_else() {
    let scratch = Scratch::new();
    for preset in Preset::ALL {
        let params = load(preset, None, &[]).unwrap_or_else(|e| panic!("{}: {e}", preset.word()));
        let (table, default) = (toml::Table::try_from(&params).expect("a table"), toml::Table::try_from(Params::default()).expect("a table"));
        for (section, key, value, reason) in preset.entries() {
            let found = &table[*section][*key];
            assert!(found.as_integer() == Some(*value) || found.as_float() == Some(*value as f64), "{}: {section}.{key} is {found}", preset.word());
            assert!(DETECTION_SECTIONS.contains(section), "{section}.{key}: a preset says which events exist, never how they score");
            assert!(reason.len() > 15 && reason.ends_with('.'), "{section}.{key} says why in a sentence: {reason}");
            assert_eq!(preset.entries().iter().filter(|(s, k, ..)| s == section && k == key).count(), 1, "{section}.{key} twice");
        }
        // Nothing else is changed, and what is printed is that configuration, with its reasons.
        for (section, key, _) in Params::DESCRIBED {
            if preset.reason(section, key).is_none() {
                assert_eq!(table[*section][*key], default[*section][*key], "{}: {section}.{key}", preset.word());
            }
        }
        let printed = run(&scratch, &["config", "--preset", preset.word()], None);
        assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
        assert_eq!(loaded(Some(&printed.stdout), &[]), Ok(params));
        for (.., reason) in preset.entries() {
            assert!(printed.stdout.contains(&format!("\n# {}: {reason}\n", preset.word())), "{reason}");
        }
        assert!(printed.stdout.lines().all(|line| line.len() <= 110));
    }
    assert_eq!(load(Preset::Default, None, &[]).expect("parameters"), Params::default());
    // A file lies over it, key by key, and `--set` over the file.
    scratch.put("a.toml", b"[rendezvous]\nenter_m = 400\nhole_h = 3\n");
    let params = load(Preset::Gfw, Some(&scratch.path("a.toml")), &["rendezvous.hole_h=2".to_owned()]).expect("parameters");
    let r = &params.rendezvous;
    assert_eq!((r.enter_m.get(), r.hole_h.get(), r.leave_m.get(), r.min_duration_min.get()), (400.0, 2.0, 500.0, 120.0));
}

#[test]
fn a_run_works_by_its_preset_and_says_so() {
    let scratch = Scratch::new();
    scratch.put("day.csv", &crate::ingest::csv(&crate::ingest::drawn_day()));
    let manifest = |out: &str, args: &[&str]| -> serde_json::Value {
        let mut all = vec!["detect", "day.csv", "-o", out, "--min-confidence", "0"];
        all.extend(args);
        assert_eq!(run(&scratch, &all, None).code, 0);
        serde_json::from_slice(&scratch.read(&format!("{out}/manifest.json"))).expect("JSON")
    };
    let (ours, same, gfw) = (manifest("a", &[]), manifest("b", &["--preset", "default"]), manifest("c", &["--preset", "gfw"]));
    assert_eq!((&ours["preset"], &same["preset"], &gfw["preset"]), (&"default".into(), &"default".into(), &"gfw".into()));
    assert_eq!(ours["configuration"], same["configuration"]);
    assert_eq!(gfw["configuration"]["rendezvous"]["min_duration_min"].to_string(), "120.0");
    assert_ne!(ours["detection_hash"], gfw["detection_hash"]);
    // The same events as from the same values in a file: a preset is nothing but its values.
    scratch.put("gfw.toml", run(&scratch, &["config", "--preset", "gfw"], None).stdout.as_bytes());
    let file = manifest("d", &["--config", "gfw.toml"]);
    assert_eq!(file["configuration"], gfw["configuration"]);
    assert_eq!(scratch.read("c/events.csv"), scratch.read("d/events.csv"));
    let over = manifest("e", &["--preset", "gfw", "--set", "rendezvous.enter_m=300"]);
    assert_eq!(over["configuration"]["rendezvous"]["enter_m"].to_string(), "300.0");
    assert_eq!(run(&scratch, &["detect", "day.csv", "-o", "f", "--preset", "gwf"], None).code, 2);
}

#[test]
fn a_misspelt_name_is_answered_with_the_right_one() {
    let cases: &[(&str, &str, &str)] = &[
        ("[rendezvous]\nenter_metres = 400\n", "no parameter `rendezvous.enter_metres`", "`rendezvous.enter_m`"),
        ("[rendezvouz]\nenter_m = 400\n", "no parameter `rendezvouz.enter_m`", "`rendezvous.enter_m`"),
        ("[Rendezvous]\nhole_h = 4\n", "no parameter `Rendezvous.hole_h`", "`rendezvous.hole_h`"),
        ("[gaps]\nmin_h = 4\n", "no parameter `gaps.min_h`", "`gap.min_h`"),
        ("[gap]\nmin_hours = 4\n", "no parameter `gap.min_hours`", "`gap.min_h`"),
        ("[score]\nnigth = 4\n", "no parameter `score.nigth`", "`score.night`"),
        ("[score]\nenter_m = 4\n", "no parameter `score.enter_m`", "`rendezvous.enter_m`"),
        ("[track]\nmax-speed-kn = 4\n", "no parameter `track.max-speed-kn`", "`track.max_speed_kn`"),
        ("enter_m = 400\n", "`enter_m` stands outside a section", "`rendezvous.enter_m`"),
        ("[gapp]\n", "gapp", "gap"),
    ];
    for (text, found, meant) in cases {
        let e = loaded(Some(text), &[]).expect_err(text);
        assert!(e.contains("a.toml") && e.contains(found) && e.contains(meant), "{text}: {e}");
    }
    let sets: &[(&str, &str, &str)] = &[
        ("gap.min_hours=4", "no parameter `gap.min_hours`", "`gap.min_h`"),
        ("gapp.min_h=4", "no parameter `gapp.min_h`", "`gap.min_h`"),
        ("min_h=4", "no section before the key", "--set rendezvous.enter_m=400"),
        ("gap.min_h", "no `=` in it", "--set rendezvous.enter_m=400"),
        ("gap.min_h=", "the value is no TOML value", "--set rendezvous.enter_m=400"),
        ("gap.min_h=four", "the value is no TOML value", "--set rendezvous.enter_m=400"),
        ("", "no `=` in it", "--set rendezvous.enter_m=400"),
    ];
    for (set, found, meant) in sets {
        let e = loaded(None, &[set]).expect_err(set);
        assert!(e.contains("--set") && e.contains(found) && e.contains(meant), "{set}: {e}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_where_it_stands() {
    let cases: &[(&str, &str)] = &[
        ("[rendezvous]\nenter_m = \"near\"\n", "string"),
        ("[rendezvous]\nenter_m = -5\n", "-5 is not a finite number of zero or more m"),
        ("[rendezvous]\nenter_m = nan\n", "NaN is not a finite number"),
        ("[rendezvous]\nenter_m = inf\n", "inf is not a finite number"),
        ("[rendezvous]\nsample_s = -1\n", "-1"),
        ("[score]\nnight = 1.5\n", "1.5"),
        ("[score]\nnight = [1]\n", "sequence"),
        ("[rendezvous\n", "a.toml"),
        ("[gap]\nmin_h = 4\nmin_h = 5\n", "duplicate key"),
    ];
    for (text, found) in cases {
        let e = loaded(Some(text), &[]).expect_err(text);
        assert!(e.contains("a.toml") && e.contains(found), "{text}: {e}");
    }
    // Beside a file that is right, it is the option that is wrong.
    let e = loaded(Some("[gap]\nmin_h = 5\n"), &["score.night=\"dark\""]).expect_err("no number");
    assert!(e.contains("--set score.night") && !e.contains("a.toml"), "{e}");
    let e = load(Preset::Default, Some(std::path::Path::new("/nowhere/a.toml")), &[]).expect_err("no file");
    assert!(e.to_string().contains("/nowhere/a.toml") && e.hint().contains("alongside config"), "{e}");
}

#[test]
fn the_detection_hash_changes_with_what_decides_which_events_exist() {
    let default = hashes(&Params::default());
    let mut seen = BTreeSet::new();
    for (section, key, _) in Params::DESCRIBED {
        let table = toml::Table::try_from(Params::default()).expect("parameters are a table");
        let value = match &table[*section][*key] {
            toml::Value::Float(v) => (v + 0.125).to_string(),
            toml::Value::Integer(v) => (v + 1).to_string(),
            other => panic!("{other}"),
        };
        let changed = hashes(&loaded(None, &[&format!("{section}.{key}={value}")]).expect("parameters"));
        let detects = DETECTION_SECTIONS.contains(section);
        assert_eq!(changed.0 != default.0, detects, "{section}.{key}");
        assert_ne!(changed.1, default.1, "{section}.{key}");
        assert!(seen.insert(changed.1), "{section}.{key}: a hash that another change has");
    }
    assert_eq!(hashes(&Params::default()), default);
    for section in DETECTION_SECTIONS {
        assert!(Params::DESCRIBED.iter().any(|(s, ..)| *s == section), "{section}");
    }
    for section in ["place", "score"] {
        assert!(!DETECTION_SECTIONS.contains(&section), "{section} only scores");
    }
}

#[test]
fn help_states_the_defaults_that_are() {
    let scratch = Scratch::new();
    let help = run(&scratch, &["detect", "--help"], None).stdout;
    // Each option's own paragraph.
    let of = |option: &str| {
        let from = help.find(&format!("{option} <")).unwrap_or_else(|| panic!("{option} is not in the help"));
        let rest = &help[from..];
        let end = rest[2..].find(" --").map_or(rest.len(), |k| k + 2);
        rest[..end].split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let stated = |option: &str, default: &str| assert!(of(option).contains(&format!("[default: {default}]")), "{option}: {}", of(option));
    stated("--max-reject-share", &Limits::default().max_reject_percent.to_string());
    stated("--min-confidence", "50");
    stated("--index", "rstar");
    stated("--preset", "default");
    for preset in Preset::ALL {
        assert!(of("--preset").contains(&format!("{}: {}", preset.word(), preset.whose())), "{}", of("--preset"));
    }
    stated("--progress", "auto");
    for kind in alongside::model::Kind::ALL {
        assert!(of("--kinds").contains(kind.word()), "{}", of("--kinds"));
    }
    // What the program tells people to type works: the example of a bad `--set`, and the pair of `--bbox`.
    let done = run(&scratch, &["detect", "x", "-o", "y", "--set", "gap"], None);
    let example = done.stderr.split("--set ").last().map(str::trim).expect("an example");
    assert_eq!(loaded(None, &[example]).expect("parameters").rendezvous.enter_m.get(), 400.0);
    let done = run(&scratch, &["detect", "x", "-o", "y", "--bbox", "1"], None);
    let example = done.stderr.split_whitespace().find(|w| w.starts_with("--bbox=")).map(|w| w.trim_end_matches(';')).expect("an example");
    let tried = run(&scratch, &["detect", "x", "-o", "y", example], None);
    assert_eq!(tried.code, 3, "the box is right, only the file is not there: {}", tried.stderr);
}

/// Horizons by which an event would be gone before it is final, or that no calendar holds.
#[test]
fn horizons_must_hold_what_they_are_for() {
    for set in ["book.context_d=3", "book.final_d=61", "state.revision_d=0", "state.keep_d=4000000000"] {
        let refused = loaded(None, &[set]).unwrap_err();
        assert!(refused.contains(set.split_once('=').unwrap().0), "{refused}");
    }
}
