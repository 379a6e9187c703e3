//! zstd: frames one behind the other, and frames to skip before, between and after them.

use super::refused;
use std::io::{self, BufReader, Read};

/// Windows above this are refused: 128 MiB, as the zstd tool does.
const WINDOW_LOG_MAX: u32 = 27;

/// The frames as one stream.
pub struct Frames<R: Read>(zstd::stream::read::Decoder<'static, BufReader<R>>);

impl<R: Read> Frames<R> {
    pub fn new(reader: R) -> io::Result<Self> {
        let mut decoder = zstd::stream::read::Decoder::new(reader)?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        Ok(Self(decoder))
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).map_err(|e| match e.to_string() {
            text if text.contains("too much memory") => refused("it asks for a zstd window of more than 128 MiB (`zstd --long=31`)".to_owned()),
            _ => e,
        })
    }
}
