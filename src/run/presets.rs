//! Presets: what others call a meeting, as far as our parameters can say it.
//!
//! A preset lies over the defaults, a file over it, `--set` over that. A value that is the default today stands here all the same,
//! so that the preset stays what it is when a default changes. What a definition asks for and no parameter says is in `docs/methods.md`.

/// Whose definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Ours.
    #[default]
    Default,
    /// Global Fishing Watch.
    Gfw,
    /// Skylight (Ai2).
    Skylight,
    /// Starboard Maritime Intelligence.
    Starboard,
}

/// One value of a preset: section, key, whole value, and why.
pub type Entry = (&'static str, &'static str, i64, &'static str);

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Default, Self::Gfw, Self::Skylight, Self::Starboard];

    /// The word on the command line and in the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Gfw => "gfw",
            Self::Skylight => "skylight",
            Self::Starboard => "starboard",
        }
    }

    /// Whose definition it is, in a line.
    pub fn whose(self) -> &'static str {
        match self {
            Self::Default => "ours",
            Self::Gfw => "Global Fishing Watch: within 500 m, below 2 kn, 2 h, merged below 4 h",
            Self::Skylight => "Skylight's standard rendezvous: within 250 m, 30 min",
            Self::Starboard => "Starboard's encounter, its wider half: within 200 m, 30 min",
        }
    }

    /// Its values.
    pub fn entries(self) -> &'static [Entry] {
        match self {
            Self::Default => &[],
            Self::Gfw => GFW,
            Self::Skylight => SKYLIGHT,
            Self::Starboard => STARBOARD,
        }
    }

    /// Its values as the table of a configuration file.
    pub fn table(self) -> toml::Table {
        let mut table = toml::Table::new();
        for (section, key, value, _) in self.entries() {
            let section = table.entry(*section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let Some(section) = section.as_table_mut() {
                section.insert((*key).to_owned(), toml::Value::Integer(*value));
            }
        }
        table
    }

    /// Why a parameter has another value than by default.
    pub fn reason(self, section: &str, key: &str) -> Option<&'static str> {
        self.entries().iter().find(|(s, k, ..)| *s == section && *k == key).map(|(.., reason)| *reason)
    }
}

/// Global Fishing Watch, from its public code (pipe-encounters and the events made of it) and Miller et al. 2018.
const GFW: &[Entry] = &[
    ("motion", "observed_leg_min", 60, "Positions interpolated over up to an hour count like any other."),
    ("motion", "longest_leg_min", 60, "Positions are interpolated where the fixes lie less than an hour apart."),
    ("motion", "speed_window_min", 5, "Speeds are taken on a grid of 10 minutes: 5 to either side."),
    ("rendezvous", "enter_m", 500, "Two ships within 500 m (Miller et al. 2018)."),
    ("rendezvous", "leave_m", 500, "One distance for coming and going, no hysteresis."),
    ("rendezvous", "drift_speed_kn", 2, "Below 2 kn: there the median of the encounter, here every moment that counts."),
    ("rendezvous", "paced_speed_kn", 2, "The same limit: two ships under way in step are no encounter."),
    ("rendezvous", "flicker_min", 240, "Encounters of a pair less than 4 h apart are one, also where both were seen in between."),
    ("rendezvous", "flicker_m", 1_000_000, "That merge asks for no distance: farther than two ships get in 4 h."),
    ("rendezvous", "hole_h", 4, "Encounters of a pair less than 4 h apart are one."),
    ("rendezvous", "min_duration_min", 120, "Encounters last 2 h (Miller et al. 2018)."),
    ("rendezvous", "sample_s", 600, "Medians are taken on a grid of 10 minutes."),
];

/// Skylight, from its help pages: both on AIS, at most 250 m, at least 30 minutes. It publishes no limit of speed.
const SKYLIGHT: &[Entry] = &[
    ("rendezvous", "enter_m", 250, "Both ships within 250 m."),
    ("rendezvous", "leave_m", 250, "One distance is published, no hysteresis."),
    ("rendezvous", "min_duration_min", 30, "At least 30 minutes."),
];

/// Starboard, from its help pages: below 50 m for 10 minutes, or below 200 m for 30. A set of parameters can say one of the two.
const STARBOARD: &[Entry] = &[
    ("rendezvous", "enter_m", 200, "Within 200 m, the wider of its two distances."),
    ("rendezvous", "leave_m", 200, "One distance is published, no hysteresis."),
    ("rendezvous", "min_duration_min", 30, "At least 30 minutes at that distance."),
];
