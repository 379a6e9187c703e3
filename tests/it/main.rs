//! One binary for all tests: each one links polars, and that is what costs.

mod architecture;
mod bench;
mod cli;
mod config;
mod containers;
mod days;
mod detect;
mod digitraffic;
mod export;
mod faults;
mod fuzz;
mod golden;
mod hull;
mod ingest;
mod inspect;
mod lab;
mod layouts;
mod nights;
mod nmea;
mod nmea_encode;
mod parquet;
mod real_day;
mod score;
mod spatial;
mod support;
mod track;
