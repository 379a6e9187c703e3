//! xz: streams one behind the other, with a bound on the memory that a stream may ask for.

use super::refused;
use lzma_rust2::XzReader;
use std::io::{self, BufReader, Read};

/// Dictionaries up to 128 MiB (`xz -9` takes 64), and what the decoder needs beside them, in KiB.
const MOST_MEMORY: u32 = (128 << 10) + 1024;

/// The streams as one.
pub struct Streams<R: Read>(XzReader<BufReader<R>>);

impl<R: Read> Streams<R> {
    pub fn new(reader: R) -> Self {
        Self(XzReader::new_mem_limit(BufReader::with_capacity(128 << 10, reader), true, MOST_MEMORY))
    }
}

impl<R: Read> Read for Streams<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).map_err(|e| match e.kind() {
            io::ErrorKind::OutOfMemory => refused("it asks for an xz dictionary of more than 128 MiB".to_owned()),
            _ => e,
        })
    }
}
