//! Evidence for and against a meeting being a transfer, and for its risk.

use crate::model::time::HOUR_MS;
use crate::model::{Contact, Evidence, Params, Party, RendezvousFacts, ScoreName, ShipType, ZoneRelation};
use crate::score::ledger::{Finding, Ledger};
use crate::score::{Place, called};
use crate::spatial::flags;

/// What surrounds a meeting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// Where it lies; None while it is not looked at yet.
    pub place: Option<Place>,
    /// Longest silence of either ship that overlaps the meeting or lies within 24 h of it, in water where others were heard: hours.
    pub gap_h: Option<f64>,
    /// A tug met both ships during it.
    pub assist_tug: bool,
}

/// The verdict on one meeting.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The reasons.
    pub evidence: Vec<Evidence>,
    /// 0..100.
    pub confidence: i32,
    /// 0..100.
    pub risk: i32,
    /// Whether the hulls can have touched.
    pub contact: Contact,
}

/// The ship types of both.
pub fn types(parties: &[Party; 2]) -> [ShipType; 2] {
    [0, 1].map(|k| ShipType::of(parties[k].particulars.ship_type))
}

/// Whether the hulls can have touched. Where the gap between them is known, it says so: they touched where it is small by either
/// reading of port and starboard, which crews and publishers exchange, and did not where it is large by both. Else the antennas,
/// which stand inside the hulls: 25 m between them is contact, and hulls side by side cannot hold them farther apart than half of
/// both lengths along and both beams across. Either is ruled out only beyond 50 m more.
pub fn contact(facts: &RendezvousFacts, parties: &[Party; 2], params: &Params) -> Contact {
    let (touching_m, slack_m) = (params.score.touching_m.get(), params.score.contact_slack_m.get());
    if facts.median_m <= touching_m {
        return Contact::Touching;
    }
    if let Some([sent, exchanged]) = facts.hull_gap_m {
        return match () {
            () if sent.max(exchanged) <= touching_m => Contact::Touching,
            () if sent.min(exchanged) > slack_m => Contact::Impossible,
            () => Contact::Possible,
        };
    }
    let metres = |k: usize| {
        let p = &parties[k].particulars;
        (p.length_dm > 0 && p.beam_dm > 0).then(|| (f64::from(p.length_dm) / 10.0, f64::from(p.beam_dm) / 10.0))
    };
    match (metres(0), metres(1)) {
        (Some((l1, b1)), Some((l2, b2))) if facts.median_m > (l1 + l2) / 2.0 + b1 + b2 + slack_m => Contact::Impossible,
        (Some(_), Some(_)) => Contact::Possible,
        _ => Contact::Unknown,
    }
}

/// Weighs a meeting.
pub fn judge(facts: &RendezvousFacts, parties: &[Party; 2], context: &Context, params: &Params) -> Verdict {
    let mut ledger = Ledger::default();
    let contact = contact(facts, parties, params);
    motion(&mut ledger, facts, contact, params);
    ships(&mut ledger, facts, parties, context, params);
    berth(&mut ledger, facts, context, params);
    risk(&mut ledger, facts, parties, context, params);
    let (evidence, confidence, risk) = ledger.close();
    Verdict { evidence, confidence, risk, contact }
}

/// The confidence and its reasons without a word, and before anything around the meeting is known but whether a tug stood by: what
/// may be asked of millions. Neighbours, counted later, can only take from it.
pub fn glance(facts: &RendezvousFacts, parties: &[Party; 2], assist_tug: bool, params: &Params) -> (Vec<Evidence>, i32) {
    let mut ledger = Ledger::wordless();
    let context = Context { assist_tug, ..Context::default() };
    motion(&mut ledger, facts, contact(facts, parties, params), params);
    ships(&mut ledger, facts, parties, &context, params);
    berth(&mut ledger, facts, &context, params);
    let (evidence, confidence, _) = ledger.close();
    (evidence, confidence)
}

/// The row about so many neighbours by itself; no other is of its family, so it counts alike in any company.
pub fn crowd_alone(neighbours: u32, params: &Params) -> Vec<Evidence> {
    let mut ledger = Ledger::wordless();
    crowd(&mut ledger, neighbours, params);
    ledger.close().0
}

/// Whether a row stands before the one about neighbours, in the order in which a meeting is weighed.
pub fn stands_before_crowd(row: &Evidence) -> bool {
    !matches!(row.family, "berth" | "clamp")
}

const C: ScoreName = ScoreName::Confidence;
const R: ScoreName = ScoreName::Risk;

fn motion(ledger: &mut Ledger, facts: &RendezvousFacts, contact: Contact, params: &Params) {
    let w = &params.score;
    let spread = facts.p90_m - facts.p10_m;
    let moving = facts.scatter_m.iter().all(|s| *s > STATIC_M);
    let one = facts.moved_as_one.unwrap_or(0.0);
    let metres = |v: f64| ledger.say(|| format!("{v:.0}"));
    let gaps = facts.hull_gap_m;
    let hulls = |[sent, exchanged]: [f64; 2]| {
        let by_either = (sent - exchanged).abs() < 1.0;
        ledger.say(|| if by_either { format!("{sent:.0}") } else { format!("{sent:.0}, with port and starboard exchanged {exchanged:.0}") })
    };
    let (points, indicator, value, unit, threshold, source) = if let (Contact::Impossible, Some(gaps)) = (contact, gaps) {
        (w.contact_impossible, "hulls_apart", hulls(gaps), "m", "> 50", "rectangles from heading and antenna; fenders take 2 to 4.5 m")
    } else if contact == Contact::Impossible {
        (
            w.contact_impossible,
            "contact_impossible",
            metres(facts.median_m),
            "m",
            "half both lengths, both beams and 50 m",
            "OCIMF; antenna offsets of 1,724 tankers",
        )
    } else if facts.median_m <= w.touching_m.get() {
        (w.contact_touching, "antennas_touching", metres(facts.median_m), "m", "<= 25", "antennas stand inside the hulls")
    } else if let (Contact::Touching, Some(gaps)) = (contact, gaps) {
        (w.contact_touching, "hulls_touching", hulls(gaps), "m", "<= 25", "OCIMF: fenders of 2 to 4.5 m; positions err by 5 m")
    } else if facts.median_m <= 300.0 && one >= 0.8 {
        (
            w.contact_moved_as_one,
            "moved_as_one",
            ledger.say(|| format!("{one:.2}")),
            "",
            ">= 0.80 and antennas <= 300 m",
            "two ships made fast share one rigid motion",
        )
    } else if facts.median_m <= 150.0 && spread <= 30.0 && moving {
        (
            w.contact_near_and_steady,
            "near_and_steady",
            metres(facts.median_m),
            "m",
            "<= 150, spread <= 30, both in motion",
            "OCIMF; antenna offsets of 1,724 tankers",
        )
    } else if facts.median_m <= 300.0 {
        (w.contact_near, "antennas_near", metres(facts.median_m), "m", "<= 300", "99.9 % of two supertankers head to tail")
    } else {
        (0, "antennas_apart", metres(facts.median_m), "m", "> 300", "99.9 % of two supertankers head to tail")
    };
    ledger.add(C, "contact", points, Finding { indicator, value, unit, threshold, source });

    let hours = (facts.end_ms - facts.start_ms) as f64 / HOUR_MS as f64;
    let share = (hours / 4.0).min(1.0);
    ledger.add(
        C,
        "duration",
        (f64::from(w.duration) * share).floor() as i32,
        Finding {
            indicator: "duration",
            value: ledger.say(|| format!("{hours:.1}")),
            unit: "h",
            threshold: "full at 4",
            source: "Global Fishing Watch 2 h; transfers 4 to 36 h, bunkering 2 to 8 h",
        },
    );

    let fastest = facts.speed_kn[0].max(facts.speed_kn[1]);
    let slow = fastest < params.rendezvous.paced_speed_kn.get() && facts.relative_kn <= params.rendezvous.paced_relative_kn.get();
    ledger.add(
        C,
        "speed",
        if slow { w.low_speed } else { w.low_speed / 2 },
        Finding {
            indicator: "slow_in_step",
            value: ledger.say(|| format!("{fastest:.1} and {:.1} relative", facts.relative_kn)),
            unit: "kn",
            threshold: "< 6 and <= 0.5 relative",
            source: "OCIMF; Global Fishing Watch 2 kn",
        },
    );

    let pair_moves = facts.scatter_m.iter().all(|s| *s > STATIC_M);
    // Where the motion cannot tell, a separation that wanders does; antennas far apart need less of it.
    let wander = match facts.moved_as_one {
        Some(one) => one < 0.6 || (one < 0.8 && spread > 100.0),
        None => spread > 100.0 || (spread > 50.0 && facts.median_m > 150.0),
    };
    let (points, indicator) = match () {
        () if wander && facts.median_m > 100.0 => (w.anchored_neighbours, "each_for_itself"),
        () if pair_moves && spread <= 40.0 => (w.steady, "steady_while_moving"),
        () if pair_moves && spread <= 80.0 => (w.steady / 2, "fairly_steady_while_moving"),
        () => (0, "no_motion_to_tell"),
    };
    ledger.add(
        C,
        "steadiness",
        points,
        Finding {
            indicator,
            value: ledger.say(|| format!("{spread:.0}")),
            unit: "m",
            threshold: "separation 10 to 90 %: <= 40 while both move; each for itself: moved_as_one < 0.6, or unknown and > 100 (> 50 beyond 150 m)",
            source: "ships made fast keep their separation, neighbours at anchor do not",
        },
    );

    let length = (facts.end_ms - facts.start_ms).max(1);
    let fraction = facts.observed_ms as f64 / length as f64;
    let enough = fraction >= 0.5 && facts.fixes.iter().all(|n| *n >= 3);
    let points = if enough { w.observed } else { (f64::from(w.observed) * fraction * 0.5).floor() as i32 };
    ledger.add(
        C,
        "data",
        points,
        Finding {
            indicator: "observed",
            value: ledger.say(|| format!("{fraction:.2}, fixes {} and {}", facts.fixes[0], facts.fixes[1])),
            unit: "",
            threshold: ">= 0.50 and 3 fixes each",
            source: "holes are not evidence",
        },
    );
}

/// Scatter of a position below which a ship is taken not to move at all: a quay gives 1 to 5 m.
const STATIC_M: f64 = 10.0;

fn ships(ledger: &mut Ledger, facts: &RendezvousFacts, parties: &[Party; 2], context: &Context, params: &Params) {
    use ShipType::{Cargo, Fishing, HighSpeed, Other, Passenger, Pilot, Pleasure, Service, Tanker, Tug, Unknown};
    let w = &params.score;
    let [a, b] = types(parties);
    let carries = |t: ShipType| matches!(t, Tanker | Cargo);
    let misfit = |t: ShipType| matches!(t, Pleasure | Passenger | Pilot | Service | HighSpeed);
    let fishing = (a == Fishing && !matches!(b, Fishing | Cargo | Unknown)) || (b == Fishing && !matches!(a, Fishing | Cargo | Unknown));
    let hours = (facts.end_ms - facts.start_ms) as f64 / HOUR_MS as f64;
    // A number that no ship can have is none.
    let nameless = |k: usize| !parties[k].particulars.has_imo();
    // A craft that sends neither type nor IMO number works like a tug as far as anyone can tell.
    let works = [a, b].map(|t| t == Tug);
    let works = [works[0] || (a == Unknown && nameless(0)), works[1] || (b == Unknown && nameless(1))];
    let travelled_m = facts.scatter_m[0].min(facts.scatter_m[1]);
    let tug_work = works[0] != works[1] && (hours < 2.0 || hours < 4.0 && travelled_m > 150.0);
    // Ships above 300 tons carry an IMO number; what sends a cargo type without one may be a barge, a dredger or a scow.
    let unproven = (carries(a) && nameless(0)) || (carries(b) && nameless(1));
    let (points, indicator) = if misfit(a) && misfit(b) {
        (2 * w.types_misfit, "types_carry_no_cargo")
    } else if misfit(a) || misfit(b) || fishing {
        (w.types_misfit, "types_carry_no_cargo")
    } else if tug_work || unproven {
        (0, "types_say_nothing")
    } else if (carries(a) || carries(b)) && [a, b].iter().all(|t| matches!(t, Tanker | Cargo | Tug | Unknown)) {
        (w.types_fit, "types_fit")
    } else if [a, b].iter().all(|t| matches!(t, Tug | Other | Unknown)) && (a, b) != (Unknown, Unknown) {
        (w.types_work_craft, "types_work_craft")
    } else {
        (0, "types_say_nothing")
    };
    let value = ledger.say(|| format!("{a} and {b}"));
    let source = "ship types as sent; never a reason to drop an event";
    ledger.add(C, "types", points, Finding { indicator, value: value.clone(), unit: "", threshold: "tanker, cargo, tug-barge or unknown", source });
    if points > 0 && (a == Tanker || b == Tanker) {
        ledger.add(C, "types", w.types_tanker, Finding { indicator: "types_tanker", value, unit: "", threshold: "one is a tanker", source });
    }
    if tug_work {
        ledger.add(
            C,
            "tugs",
            w.tug_work,
            Finding {
                indicator: "tug_work",
                value: ledger.say(|| format!("{hours:.1} h, {travelled_m:.0} m of scatter")),
                unit: "",
                threshold: "a tug, or a craft without type and IMO number, for less than 2 h, or less than 4 while the pair travelled (> 150 m)",
                source: "assist, docking and towing jobs are short, and one moves the other",
            },
        );
    }
    if context.assist_tug {
        ledger.add(
            C,
            "tugs",
            w.assist_tug,
            Finding {
                indicator: "assist_tug",
                value: ledger.say(|| "a tug stood by".into()),
                unit: "",
                threshold: "a tug within reach of both",
                source: "OFAC 13 Mar 2025: tugs that assisted transfers",
            },
        );
    }
    crowd(ledger, facts.neighbours, params);
}

/// Numbers of neighbours beyond which they count, and count more.
pub const CROWD: [u32; 2] = [2, 5];

fn crowd(ledger: &mut Ledger, neighbours: u32, params: &Params) {
    let w = &params.score;
    if neighbours > CROWD[0] {
        let points = if neighbours > CROWD[1] { w.crowd_dense } else { w.crowd };
        ledger.add(
            C,
            "crowd",
            points,
            Finding {
                indicator: "neighbours",
                value: ledger.say(|| neighbours.to_string()),
                unit: "ships",
                threshold: "> 2 as near for most of the time",
                source: "quays, fleets and anchorages",
            },
        );
    }
}

fn berth(ledger: &mut Ledger, facts: &RendezvousFacts, context: &Context, params: &Params) {
    let w = &params.score;
    let share = facts.still_share;
    let still = [0, 1].map(|k| share[k] >= 0.6 || facts.scatter_m[k] <= STATIC_M && facts.heading_arc_deg[k].is_none_or(|a| a <= 15.0));
    let points = match still {
        _ if share[2] >= 0.5 => w.quay_static,
        [true, true] => w.quay_static,
        [false, false] => 0,
        _ => w.quay_one_static,
    };
    ledger.add(
        C,
        "berth",
        points,
        Finding {
            indicator: if points == 0 { "both_moved" } else { "made_fast_to_the_ground" },
            value: ledger.say(|| {
                format!("{:.0} and {:.0} m, still for {:.2} and {:.2}, both {:.2}", facts.scatter_m[0], facts.scatter_m[1], share[0], share[1], share[2])
            }),
            unit: "",
            threshold: "scatter <= 10 m and heading within 15 degrees; or still for 0.60 of the time, both for 0.50",
            source: "a quay gives 1 to 5 m of scatter, an anchor or a drift 15 m to kilometres",
        },
    );
    if let Some(place) = &context.place
        && place.at_berth()
    {
        ledger.add(
            C,
            "berth",
            w.quay_place,
            Finding {
                indicator: if place.on_land { "inland_water" } else { "beside_a_port" },
                value: place.port.as_ref().map_or_else(String::new, |(name, m)| format!("{name} {:.1} nm", m / 1852.0)),
                unit: "",
                threshold: "on land by the 1:10m coast, or port < 2 km and shore < 0.5 nm",
                source: "Natural Earth; port list",
            },
        );
    }
}

fn risk(ledger: &mut Ledger, facts: &RendezvousFacts, parties: &[Party; 2], context: &Context, params: &Params) {
    let w = &params.score;
    for party in parties {
        identity(ledger, party, params);
    }
    if let Some(hours) = context.gap_h {
        let points = if hours >= 12.0 { w.gap_long } else { w.gap_notable };
        ledger.add(
            R,
            "dark",
            points,
            Finding {
                indicator: "silent_near_the_event",
                value: format!("{hours:.1}"),
                unit: "h",
                threshold: ">= 6 within 24 h, others heard",
                source: "US State, Treasury and Coast Guard, 14 May 2020; Welch et al. 2022",
            },
        );
    }
    if let Some(place) = &context.place {
        zone_risk(ledger, place, params);
    }
    if facts.night_share > 0.5 {
        ledger.add(
            R,
            "kinematics",
            w.night,
            Finding {
                indicator: "night",
                value: format!("{:.2}", facts.night_share),
                unit: "",
                threshold: "> 0.50 between 18 and 06 local solar time",
                source: "transfers to North Korea in 2018 were at night",
            },
        );
    }
    let hours = (facts.end_ms - facts.start_ms) as f64 / HOUR_MS as f64;
    let [a, b] = types(parties);
    let small = |k: usize, t: ShipType| {
        let length = parties[k].particulars.length_dm;
        t == ShipType::Tug || (t == ShipType::Tanker && length > 0 && length < 1200)
    };
    let bunkering = hours < 8.0
        && ((small(0, a) && matches!(b, ShipType::Cargo | ShipType::Tanker | ShipType::Passenger))
            || (small(1, b) && matches!(a, ShipType::Cargo | ShipType::Tanker | ShipType::Passenger)));
    if bunkering {
        ledger.add(
            R,
            "mitigation",
            w.bunkering_like,
            Finding {
                indicator: "bunkering_like",
                value: format!("{hours:.1}"),
                unit: "h",
                threshold: "a small tanker or barge beside a ship for < 8",
                source: "bunkering looks like a small transfer; size and time tell",
            },
        );
    }
}

/// What a ship says of itself that does not fit.
pub fn identity(ledger: &mut Ledger, party: &Party, params: &Params) {
    let w = &params.score;
    let mid = party.mmsi.mid();
    if mid == Some(445) {
        ledger.add(
            R,
            "lists",
            w.dprk_flag,
            Finding {
                indicator: "north_korean_mmsi",
                value: party.mmsi.to_string(),
                unit: "",
                threshold: "country digits 445",
                source: "UNSCR 2375 (2017) paragraph 11",
            },
        );
    }
    let country = mid.map(flags::country);
    if matches!(country, Some(None)) || matches!(country, Some(Some(c)) if c.landlocked) {
        ledger.add(
            R,
            "identity",
            w.mid_odd,
            Finding {
                indicator: "odd_country_digits",
                value: party.mmsi.to_string(),
                unit: "",
                threshold: "unallocated, or a country without a coast",
                source: "ITU table of maritime identification digits",
            },
        );
    }
    let imo = party.particulars.imo;
    if imo != 0 && !crate::model::particulars::imo_check_digit_fits(imo) {
        ledger.add(
            R,
            "identity",
            w.imo_invalid,
            Finding {
                indicator: "imo_check_digit",
                value: imo.to_string(),
                unit: "",
                threshold: "digits 1-6 times 7..2, last digit of the sum",
                source: "IMO number scheme; C4ADS",
            },
        );
    }
    if party.shared_mmsi {
        ledger.add(
            R,
            "identity",
            w.mmsi_shared,
            Finding {
                indicator: "mmsi_shared",
                value: party.mmsi.to_string(),
                unit: "",
                threshold: "two tracks of one number, 10 fixes each",
                source: "identity tampering, or a careless installation",
            },
        );
    }
}

/// What the place adds to the risk.
pub fn zone_risk(ledger: &mut Ledger, place: &Place, params: &Params) {
    let w = &params.score;
    let shown = |zone: &ZoneRelation| format!("{} {:.1} nm", zone.id, zone.distance_nm);
    match &place.zone {
        Some(zone) if zone.may_score => {
            let inside = zone.distance_nm <= 0.0;
            let (full, indicator) = match zone.kind.as_str() {
                "sanctions_hotspot" => (w.zone_hotspot, "sanctions_hotspot"),
                "prohibited" => (w.zone_prohibited, "prohibited_area"),
                "bunkering" => (w.zone_bunkering, "bunkering_zone"),
                _ => (w.zone_lawful, "lawful_zone"),
            };
            // Near a zone counts half, and only what adds: nearness to a lawful area is no licence.
            let points = if inside { full } else { (full / 2).max(0) };
            ledger.add(
                R,
                "place",
                points,
                Finding { indicator, value: shown(zone), unit: "", threshold: "inside; half within 10 nm", source: "transfer zone table" },
            );
        }
        Some(zone) => {
            ledger.add(
                R,
                "place",
                0,
                Finding { indicator: "zone_named", value: shown(zone), unit: "", threshold: "may not score", source: "transfer zone table" },
            );
        }
        None if place.shore_nm().is_none_or(|nm| nm > 12.0) => {
            let value = place.shore_nm().map_or_else(|| "beyond reach".into(), |nm| format!("{nm:.0}"));
            ledger.add(
                R,
                "place",
                w.open_sea,
                Finding {
                    indicator: "open_sea",
                    value,
                    unit: "nm",
                    threshold: "> 12 from shore, outside every known zone",
                    source: "IMO A.1192(33): transfers in mid-ocean",
                },
            );
        }
        None => {}
    }
}

/// One sentence that can be read aloud.
pub fn summary(facts: &RendezvousFacts, parties: &[Party; 2], place: &Place, contact: Contact) -> String {
    let hours = (facts.end_ms - facts.start_ms) as f64 / HOUR_MS as f64;
    let fastest = facts.speed_kn[0].max(facts.speed_kn[1]);
    let how = if fastest < 2.0 { "lay" } else { "went" };
    let together = match (facts.moved_as_one, contact) {
        (_, Contact::Impossible) => ", too far apart for their hulls to touch",
        (Some(m), _) if m >= 0.8 => ", moving as one",
        (Some(m), _) if m < 0.6 => ", each moving for itself",
        _ => "",
    };
    let hulls = facts.hull_gap_m.map_or_else(String::new, |[m, _]| format!(" ({m:.0} m between the hulls)"));
    let (one, two) = (called(&parties[0]), called(&parties[1]));
    format!("{one} and {two} {how} {:.0} m apart{hulls} for {hours:.1} hours{together}{}.", facts.median_m, whereabouts(place))
}

/// `, 48 nm off shore in Galveston Lightering Area` and the like.
pub fn whereabouts(place: &Place) -> String {
    let shore = match (place.on_land, place.shore_nm()) {
        (true, _) => ", in inland water".to_owned(),
        (_, Some(nm)) if nm < 1.0 => ", close to shore".to_owned(),
        (_, Some(nm)) => format!(", {nm:.0} nm off shore"),
        (_, None) => ", far from any shore".to_owned(),
    };
    match (&place.zone, &place.port) {
        (Some(zone), _) if zone.distance_nm <= 0.0 => format!("{shore} in the zone {}", zone.name),
        (Some(zone), _) => format!("{shore}, {:.0} nm from the zone {}", zone.distance_nm, zone.name),
        (None, Some((name, m))) => format!("{shore}, {:.0} nm from {name}", m / 1852.0),
        (None, None) => shore,
    }
}
