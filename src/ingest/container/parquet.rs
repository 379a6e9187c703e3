//! Parquet is not read yet. Its footer is checked before any reader may see it: nineteen bytes that promise a list of a thousand
//! million entries make some readers ask for that memory, and a process that does not get it is ended, with no error to catch.

use std::io::{self, Read, Seek, SeekFrom};

/// The longest footer that is looked at: those of public AIS files stay below 1 MiB.
const MOST_FOOTER: u64 = 16 << 20;
/// Structures within structures: the format needs seven.
const DEEPEST: u32 = 16;

/// Where the footer of a Parquet file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Offset of its first byte.
    pub offset: u64,
    /// Its bytes, without length and magic.
    pub length: u64,
}

/// Finds the footer and walks it without keeping anything; an error says what is wrong with it.
pub fn footer(file: &mut (impl Read + Seek)) -> io::Result<Footer> {
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let size = file.seek(SeekFrom::End(0))?;
    if size < 12 {
        return Err(wrong(format!("{size} bytes are too few for a Parquet file")));
    }
    let mut magic = [0u8; 4];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut magic)?;
    let mut tail = [0u8; 8];
    file.seek(SeekFrom::Start(size - 8))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, end @ ..] = tail;
    if magic != *b"PAR1" || end != *b"PAR1" {
        return Err(wrong("it does not begin and end as a Parquet file".to_owned()));
    }
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if length > size - 12 {
        return Err(wrong(format!("a footer of {length} bytes in a file of {size}")));
    }
    if length > MOST_FOOTER {
        return Err(wrong(format!("a footer of {length} bytes, more than {MOST_FOOTER}")));
    }
    let offset = size - 8 - length;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0u8; length as usize];
    file.read_exact(&mut bytes)?;
    match (Walk { rest: &bytes }).structure(0) {
        Some([]) => Ok(Footer { offset, length }),
        Some(_) => Err(wrong("bytes behind the end of the footer".to_owned())),
        None => Err(wrong("a footer that promises more than it holds".to_owned())),
    }
}

/// Thrift's compact protocol, passed over. None is: more than there is, too deep, or no type that exists.
struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    /// A structure to its end, and what follows.
    fn structure(&mut self, depth: u32) -> Option<&'a [u8]> {
        if depth > DEEPEST {
            return None;
        }
        loop {
            let head = self.byte()?;
            let (delta, kind) = (head >> 4, head & 15);
            if kind == 0 {
                return (delta == 0).then_some(self.rest);
            }
            if delta == 0 {
                self.number()?;
            }
            // Of a truth value the field's type is all there is.
            if kind > 2 {
                self.value(kind, depth)?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Option<()> {
        match kind {
            1..=3 => self.byte().map(drop),
            4..=6 => self.number().map(drop),
            7 => self.skip(8),
            8 => {
                let n = self.number()?;
                self.skip(n)
            }
            9 | 10 => self.list(depth),
            11 => self.map(depth),
            12 => self.structure(depth + 1).map(drop),
            _ => None,
        }
    }

    fn list(&mut self, depth: u32) -> Option<()> {
        let head = self.byte()?;
        let n = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
        self.entries(n, &[head & 15], depth)
    }

    fn map(&mut self, depth: u32) -> Option<()> {
        let n = self.number()?;
        if n == 0 {
            return Some(());
        }
        let kinds = self.byte()?;
        self.entries(n, &[kinds >> 4, kinds & 15], depth)
    }

    /// Each takes a byte at least: what promises more of them than there are bytes is refused before anything is made of it.
    fn entries(&mut self, n: u64, kinds: &[u8], depth: u32) -> Option<()> {
        if depth >= DEEPEST || n > self.rest.len() as u64 {
            return None;
        }
        for _ in 0..n {
            for kind in kinds {
                self.value(*kind, depth + 1)?;
            }
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn skip(&mut self, n: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(n).ok()?..)?;
        Some(())
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127).checked_shl(shift)?;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    }
}
