//! The judges: an event and its context in, evidence rows out.
//!
//! Two numbers, never merged: `confidence` that the event is what its kind claims, `risk` that it looks like an illicit
//! transfer. Each is the sum of the `counted` points of its evidence. Pure: zones and lists come as values.

pub mod gap;
pub mod ledger;
pub mod rendezvous;

use crate::model::{ShipType, ZoneRelation};

/// Where an event lies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// The zone that counts.
    pub zone: Option<ZoneRelation>,
    /// Metres to the nearest shore; None beyond reach.
    pub shore_m: Option<f64>,
    /// On land, by the 1:10m outline: a river, a basin, a lake.
    pub on_land: bool,
    /// Nearest port and metres to it.
    pub port: Option<(String, f64)>,
}

impl Place {
    /// At a berth or in inland water, as far as the map can tell.
    pub fn at_berth(&self) -> bool {
        let near_port = self.port.as_ref().is_some_and(|(_, m)| *m < 2000.0);
        self.on_land || (near_port && self.shore_m.is_some_and(|m| m < 926.0))
    }
    /// Nautical miles to the shore, 0 on land.
    pub fn shore_nm(&self) -> Option<f64> {
        if self.on_land { Some(0.0) } else { self.shore_m.map(|m| m / crate::units::METRES_PER_NM) }
    }
}

/// Whether a zone about a cargo is about such a ship.
pub fn cargo_fits(cargo: &str, types: &[ShipType]) -> bool {
    match cargo {
        "dry" => types.contains(&ShipType::Cargo),
        "oil" | "gas" => types.iter().any(|t| matches!(t, ShipType::Tanker | ShipType::Tug | ShipType::Unknown)),
        _ => true,
    }
}

/// How a ship is named in a sentence.
pub fn called(party: &crate::model::Party) -> String {
    let name = if party.particulars.name.is_empty() { format!("MMSI {}", party.mmsi) } else { party.particulars.name.to_string() };
    match ShipType::of(party.particulars.ship_type) {
        ShipType::Unknown | ShipType::Other => name,
        kind => format!("{name} ({kind})"),
    }
}
