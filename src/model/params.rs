//! Every number that decides a result stands here once, with unit, default and reason.
//!
//! `alongside config` prints this table as a commented TOML file; a configuration file may set any part of it.
//! A key that is not here is refused. Detection parameters are part of the detection hash, weights are not.

use crate::units::{Hours, Knots, Metres, Minutes, NauticalMiles};
use serde::{Deserialize, Serialize};

/// One line of `alongside config`: section, key and the comment above it.
pub type Described = (&'static str, &'static str, &'static str);

macro_rules! sections {
    ($( $(#[$sdoc:meta])* $section:ident : $name:ident { $( #[doc = $doc:literal] $key:ident : $ty:ty = $default:expr ; )* } )*) => {
        /// All parameters, by section.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Params { $( $(#[$sdoc])* pub $section: $name, )* }
        $(
            $(#[$sdoc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $name { $( #[doc = $doc] pub $key: $ty, )* }
            impl Default for $name {
                fn default() -> Self { Self { $( $key: $default, )* } }
            }
        )*
        impl Params {
            /// Section, key and documentation of every parameter, in order.
            pub const DESCRIBED: &'static [Described] = &[ $( $( (stringify!($section), stringify!($key), $doc), )* )* ];
        }
    };
}

sections! {
    /// What makes one track of the reports of one MMSI.
    track: TrackParams {
        #[doc = "Fastest a ship is believed to go between two fixes of one track; faster is another ship or a wrong position. 45 kn fast ferries with a tenth to spare (RadianceFleet's factor 1.1)."]
        max_speed_kn: Knots = Knots::of(50.0);
        #[doc = "Added to the time between two fixes before the speed test: clocks and receivers are this far off (public files cut times to the minute or second)."]
        clock_slack_min: Minutes = Minutes::of(1.0);
        #[doc = "Fixes that a position far from the known tracks of its MMSI must gather to become a track of its own; a lone teleport never does."]
        confirm_fixes: usize = 3;
        #[doc = "Time within which they must gather. Part of the 4 h that the detectors look ahead."]
        confirm_h: Hours = Hours::of(4.0);
        #[doc = "A speed above which an unchanged position, course, speed and heading is a repeat of an old report (gpsdio-segment: above 0)."]
        repeat_speed_kn: Knots = Knots::of(0.5);
    }
    /// Motion between fixes.
    motion: MotionParams {
        #[doc = "Longest leg that counts as observed (half of Global Fishing Watch's bridge)."]
        observed_leg_min: Minutes = Minutes::of(30.0);
        #[doc = "Longest leg at all: between the two the ship is assumed present, beyond it the track has a hole (Global Fishing Watch interpolates up to 60 min)."]
        longest_leg_min: Minutes = Minutes::of(60.0);
        #[doc = "Half of the window over which speeds are taken from positions."]
        speed_window_min: Minutes = Minutes::of(10.0);
    }
    /// What counts as a rendezvous.
    rendezvous: RendezvousParams {
        #[doc = "A meeting holds at least one moment with the antennas this near, and runs from the first to the last of them (Global Fishing Watch after Miller et al. 2018; two supertankers head to tail reach 303 m)."]
        enter_m: Metres = Metres::of(500.0);
        #[doc = "A meeting goes on while the antennas are this near: hysteresis, so that one stray sample does not cut it."]
        leave_m: Metres = Metres::of(750.0);
        #[doc = "Both ships slower than this are drifting, anchored or moored (Global Fishing Watch)."]
        drift_speed_kn: Knots = Knots::of(2.0);
        #[doc = "Both ships slower than this, and in step, transfer under way (OCIMF: preferably below 5 kn)."]
        paced_speed_kn: Knots = Knots::of(6.0);
        #[doc = "Greatest relative velocity of two ships in step."]
        paced_relative_kn: Knots = Knots::of(0.5);
        #[doc = "Longest observed time outside those rules that does not end a meeting."]
        flicker_min: Minutes = Minutes::of(20.0);
        #[doc = "Greatest separation during such a flicker."]
        flicker_m: Metres = Metres::of(1500.0);
        #[doc = "Longest time without observation of one ship or both that joins two pieces (Global Fishing Watch merges below 4 h)."]
        hole_h: Hours = Hours::of(4.0);
        #[doc = "Shortest meeting that is an event (Global Fishing Watch: 120 min; bunkering takes from 60)."]
        min_duration_min: Minutes = Minutes::of(60.0);
        #[doc = "Medians and scatters are taken at whole multiples of this since 1970, so that no cut of the files moves them."]
        sample_s: u32 = 300;
    }
    /// The candidate search.
    search: SearchParams {
        #[doc = "Greatest extent of a run, the unit of the index: a stretch of slow motion inside a box of this size."]
        run_extent_m: Metres = Metres::of(2000.0);
        #[doc = "Longest run: bounds the time axis of its box."]
        run_h: Hours = Hours::of(6.0);
    }
    /// What counts as a gap.
    gap: GapParams {
        #[doc = "Shortest silence within one track that is recorded (Global Fishing Watch's production value)."]
        min_h: Hours = Hours::of(4.0);
        #[doc = "Fixes a track must have before its silence says anything."]
        min_fixes_before: u32 = 3;
        #[doc = "Time before the silence over which fixes are counted (Welch et al. 2022 ask for 14 in 12 h)."]
        before_h: Hours = Hours::of(12.0);
        #[doc = "Longest silence whose water is judged by what others transmitted."]
        longest_judged_h: Hours = Hours::of(720.0);
        #[doc = "Silences beginning this near the rim of the cells with any reception, or leading out of them, leave coverage."]
        rim_nm: NauticalMiles = NauticalMiles::of(10.0);
        #[doc = "Time over which the last course is led on to see whether it leads out of coverage."]
        lead_out_h: Hours = Hours::of(2.0);
        #[doc = "A ship counts for an hour when it was heard this long before and after the middle of it."]
        witness_h: Hours = Hours::of(2.0);
        #[doc = "Largest share of silence by chance that one hour may witness against: surprise an hour is capped at -ln of it."]
        hour_floor: f64 = 0.02;
        #[doc = "Cap of the surprise, in nats."]
        max_surprise_nats: f64 = 20.0;
    }
    /// Places.
    place: PlaceParams {
        #[doc = "A zone this near is named and may count (algorithms: inside, near, none)."]
        zone_near_nm: NauticalMiles = NauticalMiles::of(10.0);
        #[doc = "Ports and coast farther than this are given as none."]
        reach_nm: NauticalMiles = NauticalMiles::of(500.0);
    }
    /// How long an event may still change.
    book: BookParams {
        #[doc = "Days after its end for which an event is judged anew whenever more is delivered; then it is final."]
        final_d: u32 = 30;
        #[doc = "Days of findings that are looked at when events are judged: those that may still change, and what lay around them."]
        context_d: u32 = 62;
    }
    /// What a state folder keeps.
    state: StateParams {
        #[doc = "Days for which the rows of a day are kept, so that it may be delivered late or corrected."]
        revision_d: u32 = 35;
        #[doc = "Days for which final events stay in the book of a state."]
        keep_d: u32 = 400;
    }
    /// Weights of the two scores, unfitted; the clamp to 0..100 follows.
    score: ScoreParams {
        #[doc = "Hulls at most this far apart lie alongside: fenders take 2 to 4.5 m, positions err by 5 m on either axis of either ship. So do antennas, which stand inside the hulls."]
        touching_m: Metres = Metres::of(25.0);
        #[doc = "Beyond what the dimensions allow, contact is ruled out only by this much more: for what positions, headings and dimensions err."]
        contact_slack_m: Metres = Metres::of(50.0);
        #[doc = "Confidence, family contact: hulls, or antennas, which stand inside them, at most touching_m apart."]
        contact_touching: i32 = 30;
        #[doc = "Confidence, contact: antennas at most 300 m apart and moved as one at 0.8 or more."]
        contact_moved_as_one: i32 = 28;
        #[doc = "Confidence, contact: antennas at most 150 m apart and steady, both ships in motion."]
        contact_near_and_steady: i32 = 20;
        #[doc = "Confidence, contact: antennas at most 300 m apart."]
        contact_near: i32 = 10;
        #[doc = "Confidence, contact: the hulls, or the antennas wherever they stand in them, were too far apart."]
        contact_impossible: i32 = -30;
        #[doc = "Confidence, duration: full at 4 h, from 1 h in proportion (transfers take 4 to 36 h, bunkering 2 to 8)."]
        duration: i32 = 20;
        #[doc = "Confidence, speed: both ships and their relative speed low."]
        low_speed: i32 = 15;
        #[doc = "Confidence, steadiness: stable separation while the pair moves."]
        steady: i32 = 15;
        #[doc = "Confidence, data: share of the time observed, at least three fixes each."]
        observed: i32 = 10;
        #[doc = "Confidence, types: any two of tanker, cargo, tug-barge or unknown, one of them a tanker or cargo ship."]
        types_fit: i32 = 10;
        #[doc = "Confidence, types: a tanker beside another tanker, a cargo ship or a tug-barge: the pair that carries liquid."]
        types_tanker: i32 = 5;
        #[doc = "Confidence, types: pleasure, passenger, pilot, fishing and service craft carry no such cargo; twice where both are."]
        types_misfit: i32 = -25;
        #[doc = "Confidence, types: work craft among themselves (tugs, and what sends 90 to 99: dredgers, pilots, supply): towing and fleeting, not cargo."]
        types_work_craft: i32 = -35;
        #[doc = "Confidence, berth: neither ship moved for half of the time or more, and headings stayed fixed: made fast to something that does not move."]
        quay_static: i32 = -45;
        #[doc = "Confidence, berth: one of the two did not move for most of the time."]
        quay_one_static: i32 = -20;
        #[doc = "Confidence, berth: on land or inside a river by the 1:10m coast, or within 0.5 nm of it and 2 km of a port."]
        quay_place: i32 = -20;
        #[doc = "Confidence, crowd: more than two other ships lay as near for most of the time."]
        crowd: i32 = -15;
        #[doc = "Confidence, crowd: more than five."]
        crowd_dense: i32 = -25;
        #[doc = "Confidence, neighbours: each swung about its own anchor, or drifted its own way: the separation wandered and the pair did not move as one."]
        anchored_neighbours: i32 = -35;
        #[doc = "Confidence, tug: a tug beside a ship for less than two hours, or for less than four while the pair travelled: assisting, docking, towing."]
        tug_work: i32 = -25;
        #[doc = "Confidence, assist: a tug stood by both."]
        assist_tug: i32 = 5;
        #[doc = "Risk, place: inside a sanctions hotspot; half when only near."]
        zone_hotspot: i32 = 12;
        #[doc = "Risk, place: transfer forbidden there by law; half when only near."]
        zone_prohibited: i32 = 15;
        #[doc = "Risk, place: a zone where lawful lightering or bulk transfer is routine."]
        zone_lawful: i32 = -8;
        #[doc = "Risk, place: a bunkering zone."]
        zone_bunkering: i32 = -12;
        #[doc = "Risk, place: more than 12 nm from shore and outside every known zone."]
        open_sea: i32 = 8;
        #[doc = "Risk, lists: a party under the North Korean country digits (UNSCR 2375 paragraph 11 bans any such transfer)."]
        dprk_flag: i32 = 50;
        #[doc = "Risk, identity: an IMO number whose check digit does not fit."]
        imo_invalid: i32 = 20;
        #[doc = "Risk, identity: country digits that are unallocated or of a country without a coast."]
        mid_odd: i32 = 12;
        #[doc = "Risk, identity: one MMSI with two tracks of ten fixes each."]
        mmsi_shared: i32 = 12;
        #[doc = "Risk, dark: a party silent for 12 h or more within 24 h of the event, in water where others were heard."]
        gap_long: i32 = 25;
        #[doc = "Risk, dark: a party silent for 6 to 12 h within 24 h of the event, in water where others were heard."]
        gap_notable: i32 = 12;
        #[doc = "Risk, pattern: another likely transfer of either ship within 14 days."]
        second_meeting: i32 = 8;
        #[doc = "Risk, kinematics: more than half of the meeting between 18:00 and 06:00 local solar time."]
        night: i32 = 3;
        #[doc = "Risk, mitigation: a small bunker tanker or barge beside a ship for less than 8 h."]
        bunkering_like: i32 = -15;
        #[doc = "Confidence of a gap, reception: others were heard along the way; full at 10 nats of surprise, nothing below 3."]
        gap_surprise: i32 = 45;
        #[doc = "Confidence of a gap, reception: heard at least 14 times in the 12 h before."]
        gap_well_heard: i32 = 15;
        #[doc = "Confidence of a gap, reception: the silence begins at the rim of reception or the course led out of it."]
        gap_leaves_coverage: i32 = -40;
        #[doc = "Confidence of a gap, behaviour: under way when it fell silent."]
        gap_under_way: i32 = 15;
        #[doc = "Confidence of a gap, behaviour: heard again."]
        gap_closed: i32 = 10;
        #[doc = "Confidence of a gap, reception: still silent when the data end; a ship that sailed out of reach looks the same."]
        gap_open: i32 = -20;
        #[doc = "Confidence of a gap, behaviour: 12 h or more."]
        gap_long_confidence: i32 = 10;
        #[doc = "Confidence of a gap, berth: silent where it lay: in port, at a quay, on a river. Ships alongside switch off for lawful reasons."]
        gap_in_port: i32 = -45;
        #[doc = "Confidence of a gap, types: pleasure, passenger, pilot, fishing and service craft, tugs, class B, and craft that send neither type nor IMO number: no cargo to hide."]
        gap_small_craft: i32 = -30;
        #[doc = "Risk of a gap, dark: 12 h or more."]
        gap_risk_long: i32 = 20;
        #[doc = "Risk of a gap, dark: 6 h or more."]
        gap_risk_notable: i32 = 10;
        #[doc = "Risk of a gap, dark: dark transit, above 6 kn between its ends."]
        gap_risk_transit: i32 = 8;
        #[doc = "Risk of a gap, dark: a tanker."]
        gap_risk_tanker: i32 = 8;
    }
}

/// Sections that decide which events exist; the others only score them.
pub const DETECTION_SECTIONS: [&str; 6] = ["track", "motion", "rendezvous", "search", "gap", "book"];
