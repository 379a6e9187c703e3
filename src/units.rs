//! Yardsticks: quantities that carry their unit in their type.
//!
//! *In*: plain numbers at a door that names the unit. *Out*: values that cannot be NaN, infinite or off the globe.
//! Nothing here knows about ships.

use std::fmt;

/// Mean Earth radius in metres, the sphere on which every distance is taken (as pipe-encounters and pipe-anchorages;
/// at most 0.6 % from the WGS 84 geodesic).
pub const EARTH_RADIUS_M: f64 = 6_371_000.0;

/// Metres in a nautical mile, exactly.
pub const METRES_PER_NM: f64 = 1852.0;

/// Position units in a degree: positions are integers in 1e-7 degree (1.1 cm).
pub const E7: f64 = 1e7;

/// A latitude on the globe, in 1e-7 degree: always within -90..=90 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lat(i32);

impl Lat {
    /// `None` for what is off the globe.
    pub fn from_e7(value: i32) -> Option<Self> {
        (-900_000_000..=900_000_000).contains(&value).then_some(Self(value))
    }
    /// `None` for NaN, infinities and what is off the globe.
    pub fn from_degrees(value: f64) -> Option<Self> {
        (value.is_finite() && value.abs() <= 90.0).then(|| Self((value * E7).round() as i32))
    }
    /// In 1e-7 degree.
    pub fn e7(self) -> i32 {
        self.0
    }
    /// In degrees.
    pub fn degrees(self) -> f64 {
        f64::from(self.0) / E7
    }
}

/// A longitude on the globe, in 1e-7 degree: always within -180..180 degrees, 180 itself being written -180.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lon(i32);

impl Lon {
    /// `None` for what is off the globe; 180 becomes -180.
    pub fn from_e7(value: i32) -> Option<Self> {
        match value {
            1_800_000_000 => Some(Self(-1_800_000_000)),
            v if (-1_800_000_000..1_800_000_000).contains(&v) => Some(Self(v)),
            _ => None,
        }
    }
    /// `None` for NaN, infinities and what is off the globe; 180 becomes -180.
    pub fn from_degrees(value: f64) -> Option<Self> {
        if !value.is_finite() || value.abs() > 180.0 {
            return None;
        }
        Self::from_e7((value * E7).round() as i32)
    }
    /// In 1e-7 degree.
    pub fn e7(self) -> i32 {
        self.0
    }
    /// In degrees.
    pub fn degrees(self) -> f64 {
        f64::from(self.0) / E7
    }
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);
        impl $name {
            /// A finite value of zero or more; `None` for anything else.
            pub fn new(value: f64) -> Option<Self> {
                (value.is_finite() && value >= 0.0).then_some(Self(value))
            }
            /// A literal of the program's own; negative or not finite literals become zero.
            pub const fn of(value: f64) -> Self {
                if value >= 0.0 && value < f64::INFINITY { Self(value) } else { Self(0.0) }
            }
            /// The number in the unit of the type.
            pub const fn get(self) -> f64 {
                self.0
            }
        }
        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }
        impl TryFrom<f64> for $name {
            type Error = String;
            fn try_from(value: f64) -> Result<Self, String> {
                Self::new(value).ok_or_else(|| format!("{value} is not a finite number of zero or more {}", $unit))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", self.0, $unit)
            }
        }
    };
}

quantity!(
    /// A length in metres.
    Metres,
    "m"
);
quantity!(
    /// A distance in nautical miles (1 nm = 1852 m, exactly).
    NauticalMiles,
    "nm"
);
quantity!(
    /// A speed in knots (1 kn = 1852 m an hour, exactly).
    Knots,
    "kn"
);
quantity!(
    /// A span of time in minutes.
    Minutes,
    "min"
);
quantity!(
    /// A span of time in hours.
    Hours,
    "h"
);

impl Metres {
    /// The same length in nautical miles.
    pub fn nautical_miles(self) -> NauticalMiles {
        NauticalMiles(self.0 / METRES_PER_NM)
    }
}

impl NauticalMiles {
    /// The same length in metres.
    pub fn metres(self) -> Metres {
        Metres(self.0 * METRES_PER_NM)
    }
}

impl Knots {
    /// The same speed in metres a second.
    pub fn metres_per_second(self) -> f64 {
        self.0 * METRES_PER_NM / 3600.0
    }
    /// From metres a second; `None` where that is no speed.
    pub fn from_metres_per_second(value: f64) -> Option<Self> {
        Self::new(value * 3600.0 / METRES_PER_NM)
    }
}

impl Minutes {
    /// The same span in whole milliseconds.
    pub fn millis(self) -> i64 {
        (self.0 * 60_000.0).round() as i64
    }
}

impl Hours {
    /// The same span in whole milliseconds.
    pub fn millis(self) -> i64 {
        (self.0 * 3_600_000.0).round() as i64
    }
}
