//! A stream cut into blocks of whole lines, handed out one at a time.

use crate::ingest::container::read_up_to;
use crate::ingest::scan::MOST_LINE;
use std::io::{self, Read};

/// Bytes of a block, about.
pub const BLOCK: usize = 4 << 20;
/// Bytes of the first one: most files that are small end in it, and need no more memory.
const FIRST: usize = 64 << 10;

/// What is kept of a line that does not end within a block: enough to be told as too long. It must not fill the memory.
const KEPT: usize = MOST_LINE + 1;

/// A stretch of whole lines.
pub struct Block {
    /// Position among the blocks of its stream.
    pub sequence: usize,
    /// Offset of its first byte in the decoded stream.
    pub offset: u64,
    buffer: Vec<u8>,
    end: usize,
}

impl Block {
    /// The bytes; the last block may lack its last newline.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.end]
    }
    /// The buffer, to use again.
    pub fn into_spare(self) -> Vec<u8> {
        self.buffer
    }
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

    /// The next block; a line longer than a block makes a longer block. `spare` is a buffer to use again: its bytes are
    /// overwritten where they stand, so that it need not be cleared.
    pub fn next(&mut self, spare: Vec<u8>) -> io::Result<Option<Block>> {
        if self.done {
            return Ok(None);
        }
        let mut bytes = spare;
        let mut filled = self.rest.len();
        let room = filled + if self.sequence == 0 { FIRST } else { BLOCK };
        if bytes.len() < room {
            bytes.resize(room, 0);
        }
        bytes[..filled].copy_from_slice(&self.rest);
        self.rest.clear();
        let end = loop {
            let got = read_up_to(&mut self.reader, &mut bytes[filled..])?;
            filled += got;
            if filled < bytes.len() {
                self.done = true;
                break filled;
            }
            if let Some(end) = memchr::memrchr(b'\n', &bytes) {
                self.rest.extend_from_slice(&bytes[end + 1..]);
                break end + 1;
            }
            if filled > BLOCK {
                return self.endless(bytes, filled).map(Some);
            }
            bytes.resize(filled + BLOCK, 0);
        };
        if end == 0 {
            return Ok(None);
        }
        Ok(Some(self.block(bytes, end, end as u64)))
    }

    /// A block of `end` bytes that stand for `length` of the stream.
    fn block(&mut self, buffer: Vec<u8>, end: usize, length: u64) -> Block {
        let block = Block { sequence: self.sequence, offset: self.offset, buffer, end };
        self.sequence += 1;
        self.offset += length;
        block
    }

    /// A block of the beginning of a line, of which `filled` bytes are read and that goes on: the rest is read and dropped.
    fn endless(&mut self, mut bytes: Vec<u8>, filled: usize) -> io::Result<Block> {
        let mut length = filled as u64;
        let dropped = &mut bytes[KEPT..];
        loop {
            let got = read_up_to(&mut self.reader, dropped)?;
            let end = memchr::memchr(b'\n', &dropped[..got]).map(|end| end + 1);
            length += end.unwrap_or(got) as u64;
            self.rest.extend_from_slice(&dropped[end.unwrap_or(got)..got]);
            self.done = got < dropped.len() && self.rest.is_empty();
            if end.is_some() || self.done {
                break;
            }
        }
        bytes[KEPT] = b'\n';
        Ok(self.block(bytes, KEPT + 1, length))
    }
}
