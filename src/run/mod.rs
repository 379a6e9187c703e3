//! The stairwell: the order of the rooms, and what a run keeps of itself.
//!
//! A run is a loop over UTC days. Each day gets the state that the day before left, a value, and gives the events that are over
//! and the next state; [`engine`] holds that loop and nothing of files or clocks.

pub mod book;
pub mod config;
pub mod convert;
pub mod engine;
pub mod faint;
pub mod heap;
pub mod inspect;
pub mod manifest;
pub mod nightly;
pub mod oneshot;
pub mod packed;
pub mod presets;
pub mod providers;
pub mod state;
pub mod tracks;
