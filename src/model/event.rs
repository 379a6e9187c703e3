//! Events and the evidence for them, as they leave the program.

use crate::model::fix::TrackId;
use crate::model::mmsi::Mmsi;
use crate::model::particulars::Particulars;

/// What an event claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    /// Two ships lay or steamed together long enough to pass cargo.
    Rendezvous,
    /// A ship fell silent.
    Gap,
}

impl Kind {
    /// Every kind this program writes.
    pub const ALL: [Self; 2] = [Self::Rendezvous, Self::Gap];
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rendezvous => "rendezvous",
            Self::Gap => "gap",
        }
    }
    /// From the word in outputs.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Whether the two hulls can have touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// The hulls, or the antennas, which stand inside them, were within 25 m.
    Touching,
    /// The dimensions allow it.
    Possible,
    /// The hulls, or the antennas by any place they may have in them, were too far apart.
    Impossible,
    /// The dimensions are not known.
    Unknown,
}

impl Contact {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Touching => "touching",
            Self::Possible => "possible",
            Self::Impossible => "impossible",
            Self::Unknown => "unknown",
        }
    }
}

/// What the motion of two ships says about their meeting. Distances are between antennas, where nothing else is said.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RendezvousFacts {
    /// The two tracks, lower MMSI (then track id) first.
    pub tracks: [TrackId; 2],
    /// Their numbers.
    pub mmsis: [Mmsi; 2],
    /// First moment within the entering distance.
    pub start_ms: i64,
    /// Last moment within the entering distance.
    pub end_ms: i64,
    /// Part of it with both ships on legs of at most 30 min.
    pub observed_ms: i64,
    /// The data ended before the meeting surely did.
    pub open: bool,
    /// Middle of the positions of both while they were in step, in 1e-7 degree (lat, lon).
    pub mean_e7: (i32, i32),
    /// Positions of both at the start, (lat, lon) in 1e-7 degree.
    pub start_e7: [(i32, i32); 2],
    /// Positions of both at the end.
    pub end_e7: [(i32, i32); 2],
    /// Time-weighted median separation in metres.
    pub median_m: f64,
    /// Tenth percentile of the separation in metres.
    pub p10_m: f64,
    /// Ninetieth percentile of the separation in metres.
    pub p90_m: f64,
    /// Smallest separation at any sample, in metres.
    pub min_m: f64,
    /// Median distance between the two hulls in metres, 0 where they overlap: with port and starboard as sent, and with the two
    /// exchanged. None where fewer than half of the samples had both headings and both antennas' places.
    pub hull_gap_m: Option<[f64; 2]>,
    /// Draught that each ship had sent last when it began, and within 4 h after it ended, in tenths of a metre; None where none was
    /// sent, and after it where the ship was not heard again or the data ended before it did.
    pub draught_dm: [[Option<u16>; 2]; 2],
    /// Median speed of each, in knots, from positions.
    pub speed_kn: [f64; 2],
    /// Median of the relative speed in knots.
    pub relative_kn: f64,
    /// How far the vector between the ships stayed put in a ship's frame, against the motion of the pair: 0..1.
    /// None where the pair hardly moved.
    pub moved_as_one: Option<f64>,
    /// Scatter (standard deviation, both axes) of each ship's own position while they were in step, in metres; infinite where they never were.
    pub scatter_m: [f64; 2],
    /// Scatter of the vector between them in the frame where it is least, in metres.
    pub relative_scatter_m: f64,
    /// Arc that each ship's heading covered, in degrees; None without headings.
    pub heading_arc_deg: [Option<f64>; 2],
    /// Median difference of the headings folded to 0..90 degrees (parallel and anti-parallel are 0); None without both.
    pub heading_difference_deg: Option<f64>,
    /// Share of the samples between 18:00 and 06:00 local solar time.
    pub night_share: f64,
    /// Share of the samples with ship 1, ship 2 and both made fast to the ground: no motion and no turn for half an hour either side.
    pub still_share: [f64; 3],
    /// Real fixes of each inside the meeting.
    pub fixes: [u32; 2],
    /// Other ships that lay as near to either of the two for most of the time.
    pub neighbours: u32,
}

/// What a silence was like.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GapFacts {
    /// Whose.
    pub track: TrackId,
    /// Under which number.
    pub mmsi: Mmsi,
    /// Last fix before: time in UTC milliseconds.
    pub off_ms: i64,
    /// First fix after; None while the ship is still silent at the end of the data.
    pub on_ms: Option<i64>,
    /// The first fix after, or the end of the data where she is still silent.
    pub until_ms: i64,
    /// Position of the last fix, (lat, lon) in 1e-7 degree.
    pub off_e7: (i32, i32),
    /// Position of the first fix after.
    pub on_e7: Option<(i32, i32)>,
    /// Speed and course of the last fix, tenths of a knot and of a degree, where sent.
    pub off_motion: (Option<u16>, Option<u16>),
    /// Fixes in the 12 h up to and with the last.
    pub fixes_before: u32,
    /// Metres between the two ends.
    pub distance_m: Option<f64>,
    /// Knots that the distance takes.
    pub implied_kn: Option<f64>,
    /// Part of it on days that were never delivered: nobody could have heard her then.
    pub undelivered_ms: i64,
    /// The silence begins at the rim of reception, or the course led out of it.
    pub leaves_coverage: bool,
    /// How surprising the silence is by what other ships there and then transmitted, in nats; None where nobody was there to tell.
    pub surprise_nats: Option<f64>,
}

/// Which of the two numbers an evidence row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScoreName {
    /// The event is what its kind claims.
    Confidence,
    /// It looks like an illicit transfer.
    Risk,
}

impl ScoreName {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Confidence => "confidence",
            Self::Risk => "risk",
        }
    }
}

/// One reason for a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Which number.
    pub score: ScoreName,
    /// The family, whose sum is capped.
    pub family: &'static str,
    /// What was looked at.
    pub indicator: &'static str,
    /// What was found.
    pub value: String,
    /// The unit of value and threshold; empty where they have none.
    pub unit: &'static str,
    /// What it was held against.
    pub threshold: String,
    /// Points before the family's cap.
    pub points: i32,
    /// Points that count: the score is their sum.
    pub counted: i32,
    /// Where the rule comes from.
    pub source: &'static str,
}

/// One ship of an event.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Party {
    /// The number it sent under.
    pub mmsi: Mmsi,
    /// Its track.
    pub track: TrackId,
    /// What it said of itself up to the end of the event, the fullest of its reports where equal in age.
    pub particulars: Particulars,
    /// Several ships sent this number at once.
    pub shared_mmsi: bool,
}

/// The transfer zone that counts for a place.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneRelation {
    /// Id in the zone table.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Kind as the zone table words it.
    pub kind: String,
    /// Distance to its rim in nautical miles; 0 inside.
    pub distance_nm: f64,
    /// Whether the table lets it add or take points at this time, and its cargo fits.
    pub may_score: bool,
}

/// A finding, ready to be written: an event, where it lies, and both numbers with their reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Hash of kind, ships and start second.
    pub id: String,
    /// What it claims.
    pub kind: Kind,
    /// UTC milliseconds.
    pub start_ms: i64,
    /// UTC milliseconds; None for a silence without an end.
    pub end_ms: Option<i64>,
    /// Length in hours, to the end of the data where it has no end.
    pub duration_h: f64,
    /// Observed part in hours.
    pub observed_h: Option<f64>,
    /// The data ended before it surely did.
    pub open: bool,
    /// Nothing that is delivered from now on changes it.
    pub settled: bool,
    /// Middle, (lat, lon) in 1e-7 degree.
    pub mean_e7: (i32, i32),
    /// Sum of the counted confidence evidence.
    pub confidence: i32,
    /// Sum of the counted risk evidence.
    pub risk: i32,
    /// One ship, or two with the lower MMSI first.
    pub parties: Vec<Party>,
    /// Event id of the earliest member of its cluster.
    pub cluster_id: Option<String>,
    /// Motion of a meeting.
    pub rendezvous: Option<RendezvousFacts>,
    /// Facts of a silence.
    pub gap: Option<GapFacts>,
    /// Whether the hulls can have touched, for a meeting.
    pub contact: Option<Contact>,
    /// The zone that counts.
    pub zone: Option<ZoneRelation>,
    /// Nautical miles to the coast, 0 on land; None beyond reach.
    pub shore_nm: Option<f64>,
    /// Nearest port and its distance in nautical miles.
    pub port: Option<(String, f64)>,
    /// One sentence a person can read aloud.
    pub summary: String,
    /// The reasons.
    pub evidence: Vec<Evidence>,
}

impl Event {
    /// `low`, `elevated`, `high`, `severe`; None below confidence 50.
    pub fn risk_band(&self) -> Option<&'static str> {
        if self.confidence < 50 {
            return None;
        }
        Some(match self.risk {
            r if r < 25 => "low",
            r if r < 50 => "elevated",
            r if r < 75 => "high",
            _ => "severe",
        })
    }
}

/// The name of an event: 16 hex digits of BLAKE3 over kind, both ships and the start second.
pub fn event_id(kind: Kind, ships: &[Mmsi], start_ms: i64) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.word().as_bytes());
    for ship in ships {
        hasher.update(&ship.0.to_le_bytes());
    }
    hasher.update(&(start_ms + 500).div_euclid(1000).to_le_bytes());
    hasher.finalize().to_hex().chars().take(16).collect()
}
