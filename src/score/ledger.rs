//! Evidence rows, and the sums made of them.

use crate::model::{Evidence, ScoreName};

/// Families: the most and the least that all their rows together may count.
const FAMILIES: [(ScoreName, &str, i32, i32); 21] = [
    (ScoreName::Confidence, "contact", 30, -30),
    (ScoreName::Confidence, "duration", 20, 0),
    (ScoreName::Confidence, "speed", 15, 0),
    (ScoreName::Confidence, "steadiness", 15, -35),
    (ScoreName::Confidence, "data", 10, 0),
    (ScoreName::Confidence, "types", 15, -50),
    (ScoreName::Confidence, "berth", 0, -60),
    (ScoreName::Confidence, "crowd", 0, -25),
    (ScoreName::Confidence, "tugs", 5, -25),
    (ScoreName::Confidence, "reception", 60, -40),
    (ScoreName::Confidence, "behaviour", 35, 0),
    (ScoreName::Risk, "lists", 60, 0),
    (ScoreName::Risk, "dark", 35, 0),
    (ScoreName::Risk, "identity", 35, 0),
    (ScoreName::Risk, "place", 20, -12),
    (ScoreName::Risk, "pattern", 25, 0),
    (ScoreName::Risk, "kinematics", 20, 0),
    (ScoreName::Risk, "vessel", 10, 0),
    (ScoreName::Risk, "mitigation", 0, -30),
    (ScoreName::Confidence, "clamp", 1000, -1000),
    (ScoreName::Risk, "clamp", 1000, -1000),
];

/// Collects evidence; [`Ledger::close`] applies the caps.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: Vec<Evidence>,
    wordless: bool,
}

/// What was looked at and what it was held against, as people read it.
pub struct Finding {
    /// The indicator.
    pub indicator: &'static str,
    /// What was found.
    pub value: String,
    /// Unit of both.
    pub unit: &'static str,
    /// What it was held against.
    pub threshold: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
}

impl Ledger {
    /// A ledger for the sums alone: its rows say neither what was found nor what it was held against.
    pub fn wordless() -> Self {
        Self { wordless: true, ..Self::default() }
    }

    /// What was found, where anyone wants to read it.
    pub fn say(&self, value: impl FnOnce() -> String) -> String {
        if self.wordless { String::new() } else { value() }
    }

    /// Adds a row. A row of no points is kept: it says what was looked at.
    pub fn add(&mut self, score: ScoreName, family: &'static str, points: i32, finding: Finding) {
        let Finding { indicator, value, unit, threshold, source } = finding;
        let threshold = self.say(|| threshold.to_owned());
        self.rows.push(Evidence { score, family, indicator, value, unit, threshold, points, counted: 0, source });
    }

    /// The rows with what counts of each, and both sums, each clamped to 0..100; a clamp is itself a row.
    pub fn close(mut self) -> (Vec<Evidence>, i32, i32) {
        for &(score, family, most, least) in &FAMILIES {
            // First what adds, then what takes away, each in the order of the rules: the sum within the family stays in bounds.
            let (mut up, mut sum) = (0, 0);
            for row in self.rows.iter_mut().filter(|r| r.score == score && r.family == family && r.points > 0) {
                row.counted = row.points.min(most - up).max(0);
                up += row.counted;
                sum += row.counted;
            }
            for row in self.rows.iter_mut().filter(|r| r.score == score && r.family == family && r.points < 0) {
                row.counted = row.points.max(least - sum).min(0);
                sum += row.counted;
            }
        }
        let mut totals = [0, 0];
        for (k, score) in [ScoreName::Confidence, ScoreName::Risk].into_iter().enumerate() {
            let sum: i32 = self.rows.iter().filter(|r| r.score == score).map(|r| r.counted).sum();
            totals[k] = sum.clamp(0, 100);
            if totals[k] != sum {
                self.rows.push(Evidence {
                    score,
                    family: "clamp",
                    indicator: "sum_clamped",
                    value: sum.to_string(),
                    unit: "points",
                    threshold: "0 to 100".into(),
                    points: totals[k] - sum,
                    counted: totals[k] - sum,
                    source: "alongside",
                });
            }
        }
        (self.rows, totals[0], totals[1])
    }
}

impl Ledger {
    /// Goes on from rows that were closed before.
    pub fn reopen(rows: Vec<Evidence>) -> Self {
        Self { rows: rows.into_iter().filter(|r| r.family != "clamp").collect(), wordless: false }
    }

    /// Adds that a ship of the event met others within 14 days.
    pub fn with_second_meeting(mut self, others: u32, params: &crate::model::Params) -> Self {
        self.add(
            ScoreName::Risk,
            "pattern",
            params.score.second_meeting,
            Finding {
                indicator: "second_meeting",
                value: others.to_string(),
                unit: "meetings",
                threshold: "another likely transfer of a party within 14 days",
                source: "OFAC 16 Apr 2025: cargo passed through several hulls",
            },
        );
        self
    }
}
