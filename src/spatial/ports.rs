//! The nearest port.

use crate::spatial::geodesy;
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::sync::LazyLock;

/// A port of the embedded list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name and country, as people read it.
    pub name: String,
    /// Position, (lat, lon) in 1e-7 degree.
    pub at_e7: (i32, i32),
}

/// Ports in an R-tree of points on the sphere.
pub struct Ports {
    ports: Vec<Port>,
    tree: RTree<GeomWithData<[f64; 3], u32>>,
}

static EMBEDDED: LazyLock<Ports> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_str!("data/ports.csv").as_bytes());
    let ports = reader
        .records()
        .flatten()
        .filter_map(|r| {
            let degrees = |k: usize| Some((r.get(k)?.parse::<f64>().ok()? * 1e7).round() as i32);
            Some(Port { name: format!("{} ({})", r.get(0)?, r.get(1)?), at_e7: (degrees(2)?, degrees(3)?) })
        })
        .collect();
    Ports::new(ports)
});

impl Ports {
    /// An index over a list.
    pub fn new(ports: Vec<Port>) -> Self {
        let points = ports.iter().enumerate().map(|(i, p)| GeomWithData::new(geodesy::point(p.at_e7.0, p.at_e7.1), i as u32)).collect();
        Self { tree: RTree::bulk_load(points), ports }
    }
    /// The list that comes with the program.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }
    /// All ports, in the order of the list.
    pub fn all(&self) -> &[Port] {
        &self.ports
    }
    /// The nearest port and its distance in metres. Of ports equally far the first in the list.
    pub fn nearest(&self, at_e7: (i32, i32)) -> Option<(&Port, f64)> {
        let p = geodesy::point(at_e7.0, at_e7.1);
        let mut best: Option<(u32, f64)> = None;
        for (entry, d2) in self.tree.nearest_neighbor_iter_with_distance_2(p) {
            match best {
                Some((_, least)) if d2 > least => break,
                Some((index, _)) if entry.data > index => {}
                _ => best = Some((entry.data, d2)),
            }
        }
        best.map(|(i, d2)| (&self.ports[i as usize], geodesy::arc_of_chord(d2.sqrt())))
    }
}
