//! `alongside` finds ship-to-ship transfers in downloaded public AIS files.
//!
//! The rooms stand in data-flow order; `ARCHITECTURE.md` is the map and says who may enter where.

#![deny(unsafe_code)]

pub mod units;

pub mod model;

pub mod spatial;

pub mod frame;

pub mod ingest;

pub mod track;

pub mod detect;

pub mod score;

pub mod export;

pub mod run;

pub mod lab;

pub mod cli;
