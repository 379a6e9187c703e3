//! Meetings that will not be written: what others and the summary still need of them.
//!
//! Of many ships in one place every two meet, and almost none of it is worth an event. What cannot reach the confidence that is asked
//! for, whatever is found around it, is let go as soon as it is over, but for its time, its place among others, and the reason.

use crate::detect::meeting::Lying;
use crate::model::{Evidence, Params, Party, RendezvousFacts, ScoreName, ShipType};
use crate::score::rendezvous;

/// A meeting without its facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Faint {
    /// Who, when and how near: a neighbour to other meetings.
    pub lying: Lying,
    /// Which of the two is a tug.
    pub tugs: [bool; 2],
    /// What held it back, neighbours not counted.
    held: Held,
    /// The same had a tug stood by, where that is another reason.
    held_assisted: Option<Box<Held>>,
}

/// What took most from a confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Held {
    by: &'static str,
    counted: i32,
    before_crowd: bool,
}

impl Held {
    fn of(evidence: &[Evidence]) -> Self {
        match deepest(evidence) {
            Some(row) => Self { by: row.indicator, counted: row.counted, before_crowd: rendezvous::stands_before_crowd(row) },
            None => Self { by: TOO_LITTLE, counted: 0, before_crowd: true },
        }
    }
}

const TOO_LITTLE: &str = "too_little_for_it";

/// The row that took most from the confidence, the first where several did.
fn deepest(evidence: &[Evidence]) -> Option<&Evidence> {
    evidence.iter().filter(|e| e.score == ScoreName::Confidence && e.counted < 0).min_by_key(|e| e.counted)
}

/// What took most from the confidence, or that there was too little for it.
pub fn held_by(evidence: &[Evidence]) -> &'static str {
    deepest(evidence).map_or(TOO_LITTLE, |e| e.indicator)
}

impl Faint {
    /// A faint meeting of which the reason is not asked any more.
    pub fn without_reason(lying: Lying, tugs: [bool; 2]) -> Self {
        Self { lying, tugs, held: Held { by: TOO_LITTLE, counted: 0, before_crowd: true }, held_assisted: None }
    }

    /// The meeting as a faint one, where it stays below `keep` whatever its neighbours and whoever stood by.
    pub fn of(facts: &RendezvousFacts, parties: &[Party; 2], keep: i32, params: &Params) -> Option<Self> {
        let (evidence, confidence) = rendezvous::glance(facts, parties, false, params);
        if confidence >= keep {
            return None;
        }
        let held = Held::of(&evidence);
        let tugs = rendezvous::types(parties).map(|t| t == ShipType::Tug);
        let mut held_assisted = None;
        if tugs == [false; 2] {
            let (evidence, confidence) = rendezvous::glance(facts, parties, true, params);
            if confidence >= keep {
                return None;
            }
            held_assisted = Some(Held::of(&evidence)).filter(|h| *h != held).map(Box::new);
        }
        Some(Self { lying: Lying::from(facts), tugs, held, held_assisted })
    }

    /// Whether it matters that a tug stood by.
    pub fn asks_for_tugs(&self) -> bool {
        self.held_assisted.is_some()
    }

    /// The reason that counts, given what stood around it.
    pub fn held_by(&self, assist_tug: bool, crowd: &Crowd, neighbours: u32) -> &'static str {
        let held = self.held_assisted.as_deref().filter(|_| assist_tug).unwrap_or(&self.held);
        match crowd.0[rendezvous::CROWD.iter().filter(|n| neighbours > **n).count()] {
            Some((by, counted)) if counted < held.counted || counted == held.counted && !held.before_crowd => by,
            _ => held.by,
        }
    }
}

/// What few, some and many neighbours take from a confidence.
pub struct Crowd([Option<(&'static str, i32)>; 3]);

impl Crowd {
    /// Neighbours beyond which a faint meeting need not be told apart.
    pub const ENOUGH: u32 = rendezvous::CROWD[1] + 1;

    /// From the parameters.
    pub fn new(params: &Params) -> Self {
        let [some, many] = rendezvous::CROWD.map(|n| n + 1);
        Self([0, some, many].map(|n| deepest(&rendezvous::crowd_alone(n, params)).map(|row| (row.indicator, row.counted))))
    }
}
