//! The tool wall: every distance, the indexes and the exact tests behind them.
//!
//! Positions become points on a sphere in three dimensions, so there is no antimeridian and no pole in its interface.

pub mod boxes;
pub mod coast;
pub mod flags;
pub mod geodesy;
mod grid;
pub mod hull;
pub mod ports;
pub mod zones;
