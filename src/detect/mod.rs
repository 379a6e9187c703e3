//! The workshop: tracks in, events out. Pure: no files, no clock, no globals.

pub mod coverage;
pub mod gap;
pub mod meeting;
pub mod motion;
pub mod pairs;
pub mod stats;
