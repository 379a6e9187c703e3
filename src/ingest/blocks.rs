//! A stream cut into blocks of whole lines, handed out one at a time.

use crate::ingest::container::read_up_to;
use std::io::{self, Read};

/// Bytes of a block, about.
pub const BLOCK: usize = 4 << 20;

/// A line longer than this is none: a file that unpacks to it must not fill the memory.
const MOST_UNBROKEN: usize = 64 << 20;

/// A stretch of whole lines.
pub struct Block {
    /// Position among the blocks of its stream.
    pub sequence: usize,
    /// Offset of its first byte in the decoded stream.
    pub offset: u64,
    /// The bytes; the last block may lack its last newline.
    pub bytes: Vec<u8>,
}

/// Cuts a stream.
pub struct Blocks<R> {
    reader: R,
    rest: Vec<u8>,
    sequence: usize,
    offset: u64,
    done: bool,
}

impl<R: Read> Blocks<R> {
    /// Goes on from `offset` with bytes already read.
    pub fn new(reader: R, rest: Vec<u8>, offset: u64) -> Self {
        Self { reader, rest, sequence: 0, offset, done: false }
    }

    /// The next block; a line longer than a block makes a longer block. `spare` is a buffer to use again.
    pub fn next(&mut self, mut spare: Vec<u8>) -> io::Result<Option<Block>> {
        if self.done {
            return Ok(None);
        }
        spare.clear();
        let mut bytes = spare;
        bytes.append(&mut self.rest);
        loop {
            let begin = bytes.len();
            bytes.resize(begin + BLOCK - (begin % BLOCK).min(BLOCK - 1), 0);
            let got = read_up_to(&mut self.reader, &mut bytes[begin..])?;
            let full = begin + got == bytes.len();
            bytes.truncate(begin + got);
            if !full {
                self.done = true;
                break;
            }
            if let Some(end) = memchr::memrchr(b'\n', &bytes) {
                self.rest = bytes.split_off(end + 1);
                break;
            }
            if bytes.len() > MOST_UNBROKEN {
                return Err(io::Error::other(format!("more than {MOST_UNBROKEN} bytes without the end of a line")));
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let block = Block { sequence: self.sequence, offset: self.offset, bytes };
        self.sequence += 1;
        self.offset += block.bytes.len() as u64;
        Ok(Some(block))
    }
}
