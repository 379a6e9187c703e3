//! The wash-house: rows of one MMSI in, tracks of physical ships out.

pub mod segment;
