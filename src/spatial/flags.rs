//! Country digits of an MMSI: which flag they name.

use std::sync::LazyLock;

/// Three country digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mid {
    /// The digits.
    pub mid: u16,
    /// ISO 3166 alpha-2.
    pub iso2: String,
    /// Country in English.
    pub country: String,
    /// The country has no sea coast.
    pub landlocked: bool,
}

static TABLE: LazyLock<Vec<Mid>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_str!("data/mids.csv").as_bytes());
    let mut rows: Vec<Mid> = reader
        .records()
        .flatten()
        .filter_map(|r| Some(Mid { mid: r.get(0)?.parse().ok()?, iso2: r.get(1)?.into(), country: r.get(2)?.into(), landlocked: r.get(3)? == "true" }))
        .collect();
    rows.sort_by_key(|m| m.mid);
    rows
});

/// The country of three digits; `None` where they are unallocated.
pub fn country(mid: u16) -> Option<&'static Mid> {
    TABLE.binary_search_by_key(&mid, |m| m.mid).ok().map(|k| &TABLE[k])
}

/// The whole table, by digits.
pub fn all() -> &'static [Mid] {
    &TABLE
}
