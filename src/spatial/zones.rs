//! Known transfer zones: which one counts for a place.
//!
//! Zones name and score; they never create or delete an event. A circle is a centre and a radius; a polygon is tested exactly
//! with `geo`, on a plane about its centre so that no polygon feels the antimeridian. An R-tree of bounding boxes on the
//! sphere comes first.

use crate::model::ZoneRelation;
use crate::spatial::geodesy;
use crate::units::{E7, Lat, Lon, METRES_PER_NM, NauticalMiles};
use geo::{Contains, Distance, Euclidean, Polygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::sync::LazyLock;

/// One row of the zone table.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Slug.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// `sanctions_hotspot`, `prohibited`, `legal_lightering`, `legal_bulk`, `bunkering`, `mixed` or `context`.
    pub kind: String,
    /// Which ships it is about: `any`, `oil`, `gas`, `dry`.
    pub cargo: String,
    /// Whether it may add or take points.
    pub may_score: bool,
    /// First and last day it stands, as day numbers.
    pub valid: (Option<i32>, Option<i32>),
    shape: Shape,
    area_m2: f64,
}

#[derive(Clone, Debug)]
enum Shape {
    Circle { centre: (i32, i32), radius_m: f64 },
    Polygon { centre: (i32, i32), plane: Polygon },
}

/// The zones in use.
pub struct Zones {
    zones: Vec<Zone>,
    tree: RTree<GeomWithData<Rectangle<[f64; 3]>, u32>>,
}

/// What is wrong with a row of a zone file.
#[derive(Debug, thiserror::Error)]
#[error("zone table, row {row}: {what}")]
pub struct ZoneError {
    /// Row, the header being 1.
    pub row: usize,
    /// What was found.
    pub what: String,
}

static EMBEDDED: LazyLock<Zones> = LazyLock::new(|| Zones::parse(include_str!("data/transfer_zones.csv")).unwrap_or_else(|_| Zones::index(Vec::new())));

impl Zones {
    /// The table that comes with the program.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// All zones, in the order of the table.
    pub fn all(&self) -> &[Zone] {
        &self.zones
    }

    /// From the text of a table with the columns of the embedded one.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let fail = |row: usize, what: String| ZoneError { row, what };
        let header = reader.headers().map_err(|e| fail(1, e.to_string()))?.clone();
        let mut zones = Vec::new();
        for (k, record) in reader.records().enumerate() {
            let row = k + 2;
            let record = record.map_err(|e| fail(row, e.to_string()))?;
            let cell = |name: &str| header.iter().position(|h| h == name).and_then(|i| record.get(i)).unwrap_or("");
            let number = |name: &str| cell(name).parse::<f64>().map_err(|_| fail(row, format!("`{name}` is `{}`, not a number", cell(name))));
            let off = |name: &str| fail(row, format!("`{name}` is `{}`, not on the globe", cell(name)));
            let lat = Lat::from_degrees(number("lat")?).ok_or_else(|| off("lat"))?;
            let lon = Lon::from_degrees(number("lon")?).ok_or_else(|| off("lon"))?;
            let centre = (lat.e7(), lon.e7());
            let (shape, area_m2) = if cell("wkt").is_empty() {
                let radius = NauticalMiles::new(number("radius_nm")?).ok_or_else(|| fail(row, format!("`radius_nm` is `{}`, no radius", cell("radius_nm"))))?;
                let radius_m = radius.metres().get();
                (Shape::Circle { centre, radius_m }, std::f64::consts::PI * radius_m * radius_m)
            } else {
                let plane = parse_wkt(cell("wkt"), centre).ok_or_else(|| fail(row, format!("`wkt` is `{}`, not a POLYGON", cell("wkt"))))?;
                let area = geo::Area::unsigned_area(&plane);
                (Shape::Polygon { centre, plane }, area)
            };
            zones.push(Zone {
                id: cell("id").into(),
                name: cell("name").into(),
                kind: cell("kind").into(),
                cargo: cell("cargo").into(),
                may_score: cell("may_score") == "true",
                valid: (edge_day(cell("valid_from"), false), edge_day(cell("valid_to"), true)),
                shape,
                area_m2,
            });
        }
        Ok(Self::index(zones))
    }

    fn index(zones: Vec<Zone>) -> Self {
        let boxes = zones
            .iter()
            .enumerate()
            .map(|(i, zone)| {
                let (centre, radius) = match &zone.shape {
                    Shape::Circle { centre, radius_m } => (*centre, *radius_m),
                    Shape::Polygon { centre, plane } => (*centre, plane.exterior().points().map(|p| p.x().hypot(p.y())).fold(0.0, f64::max) * 1.05),
                };
                let p = geodesy::point(centre.0, centre.1);
                let rectangle = Rectangle::from_corners(p.map(|v| v - radius), p.map(|v| v + radius));
                GeomWithData::new(rectangle, i as u32)
            })
            .collect();
        Self { zones, tree: RTree::bulk_load(boxes) }
    }

    /// The zone that counts for a place at a time: of those that hold it the smallest that may score (a prohibited one first),
    /// then the smallest of any kind, then the nearest within `near_nm`. `fits` says whether a zone's cargo fits the ships.
    pub fn relation(&self, at_e7: (i32, i32), t_ms: i64, near_nm: f64, fits: impl Fn(&str) -> bool) -> Option<ZoneRelation> {
        let p = geodesy::point(at_e7.0, at_e7.1);
        let reach = near_nm * METRES_PER_NM;
        let query = AABB::from_corners(p.map(|v| v - reach), p.map(|v| v + reach));
        let day = crate::model::time::day_of(t_ms);
        let mut hits: Vec<(u8, u8, f64, f64, u32)> = Vec::new();
        for entry in self.tree.locate_in_envelope_intersecting(query) {
            let zone = &self.zones[entry.data as usize];
            let distance_nm = zone.distance_m(at_e7) / METRES_PER_NM;
            if distance_nm > near_nm {
                continue;
            }
            let standing = zone.valid.0.is_none_or(|d| day >= d) && zone.valid.1.is_none_or(|d| day <= d);
            let scores = zone.may_score && standing && fits(&zone.cargo);
            let rank = match (distance_nm <= 0.0, scores) {
                (true, true) => 0,
                (true, false) => 1,
                (false, _) => 2,
            };
            hits.push((rank, u8::from(rank != 0 || zone.kind != "prohibited"), distance_nm, zone.area_m2, entry.data));
        }
        hits.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.total_cmp(&b.3)).then(a.4.cmp(&b.4)));
        let &(_, _, distance_nm, _, index) = hits.first()?;
        let zone = &self.zones[index as usize];
        let standing = zone.valid.0.is_none_or(|d| day >= d) && zone.valid.1.is_none_or(|d| day <= d);
        Some(ZoneRelation {
            id: zone.id.clone(),
            name: zone.name.clone(),
            kind: zone.kind.clone(),
            distance_nm,
            may_score: zone.may_score && standing && fits(&zone.cargo),
        })
    }
}

impl Zone {
    /// Metres from a position to the zone; 0 inside.
    pub fn distance_m(&self, at_e7: (i32, i32)) -> f64 {
        match &self.shape {
            Shape::Circle { centre, radius_m } => (geodesy::distance_m(*centre, at_e7) - radius_m).max(0.0),
            Shape::Polygon { centre, plane } => {
                let p = geo::Point::from(on_plane(at_e7, *centre));
                if plane.contains(&p) { 0.0 } else { Euclidean.distance(&p, plane) }
            }
        }
    }
}

/// Metres east and north of a centre, on a plane that is true along the parallels and the centre's meridian.
fn on_plane((lat, lon): (i32, i32), centre: (i32, i32)) -> (f64, f64) {
    let metre = crate::units::EARTH_RADIUS_M * std::f64::consts::PI / 180.0 / 1e7;
    let turn = 3_600_000_000i64;
    let mut dlon = i64::from(lon) - i64::from(centre.1);
    if dlon > turn / 2 {
        dlon -= turn;
    } else if dlon < -turn / 2 {
        dlon += turn;
    }
    let cos = libm::cos((f64::from(lat) / 1e7).to_radians());
    (dlon as f64 * metre * cos, (f64::from(lat) - f64::from(centre.0)) * metre)
}

fn parse_wkt(text: &str, centre: (i32, i32)) -> Option<Polygon> {
    let inner = text.trim().strip_prefix("POLYGON((")?.strip_suffix("))")?;
    let ring: Option<Vec<(f64, f64)>> = inner
        .split(',')
        .map(|pair| {
            let mut words = pair.split_whitespace().map(|w| w.parse::<f64>().ok());
            let (lon, lat) = (words.next()??, words.next()??);
            // A ring across the antimeridian may count on beyond 180.
            let lon_e7 = (lon.abs() <= 200.0).then(|| (lon * E7).round() as i32)?;
            Some(on_plane((Lat::from_degrees(lat)?.e7(), lon_e7), centre))
        })
        .collect();
    Some(Polygon::new(ring?.into(), Vec::new()))
}

/// The first or last day of an ISO year, month or day.
fn edge_day(text: &str, last: bool) -> Option<i32> {
    let parts: Vec<i32> = text.split('-').map(|w| w.parse().ok()).collect::<Option<_>>()?;
    let date = |y: i32, m: i32, d: i32| crate::model::time::parse_day(&format!("{y:04}-{m:02}-{d:02}"));
    match (parts.as_slice(), last) {
        (&[y], false) => date(y, 1, 1),
        (&[y], true) => date(y, 12, 31),
        (&[y, m], false) => date(y, m, 1),
        (&[y, 12], true) => date(y, 12, 31),
        (&[y, m], true) => date(y, m + 1, 1).map(|d| d - 1),
        (&[y, m, d], _) => date(y, m, d),
        _ => None,
    }
}
