//! The guard before the Parquet reader: footer and page headers are walked without keeping anything, and what they promise is held
//! against what there is. Nineteen bytes that promise a list of a thousand million entries make some readers ask for that memory,
//! and a process that does not get it is ended, with no error to catch.

use super::refused;
use std::io::{self, Read, Seek, SeekFrom};

/// The longest footer that is looked at: those of public AIS files stay below 1 MiB.
const MOST_FOOTER: u64 = 16 << 20;
/// Structures within structures: the format needs seven.
const DEEPEST: u32 = 16;
/// Structures and texts in a footer, each of which becomes some hundred bytes in memory: 1,000 row groups of 20 columns have 300,000.
const MOST_PARTS: u32 = 512 << 10;
/// Columns within columns.
const DEEPEST_COLUMN: usize = 16;
/// Values of a page: as many as the largest row group that pyarrow writes.
const MOST_VALUES: i64 = 64 << 20;
/// Bytes of a page, unpacked or not.
const MOST_PAGE: i64 = 128 << 20;

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
    let mut children: Vec<usize> = Vec::new();
    let (mut element, mut too_long) = (0, false);
    let mut walk = Walk::new(&bytes);
    let whole = walk.structure(0, &mut |path, seen| match (path, seen) {
        ([SCHEMA, CHILDREN], Seen::Number(n)) => element = n,
        ([SCHEMA], Seen::End) => {
            too_long |= !(0..=i64::from(MOST_PARTS)).contains(&element);
            children.push(usize::try_from(element).unwrap_or(0));
            element = 0;
        }
        _ => {}
    });
    match whole {
        Some(()) if too_long || !is_shallow(&children) => Err(wrong("columns within columns, deeper than any table".to_owned())),
        Some(()) if walk.rest.is_empty() => Ok(Footer { offset, length }),
        Some(()) => Err(wrong("bytes behind the end of the footer".to_owned())),
        None => Err(wrong("a footer that promises more than it holds".to_owned())),
    }
}

/// Fields of the structures that are looked into.
const SCHEMA: i64 = 2;
const CHILDREN: i64 = 5;

/// Whether a schema, each element with the number of its children behind it, is a tree of few storeys.
fn is_shallow(children: &[usize]) -> bool {
    let mut open: Vec<usize> = Vec::new();
    children.iter().all(|n| {
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if *n > 0 {
            open.push(*n);
        }
        open.len() <= DEEPEST_COLUMN
    })
}

/// What the header of a page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageHead {
    /// Bytes of the header itself.
    pub header: usize,
    /// Bytes of the page behind it.
    pub packed: usize,
    /// Bytes of the page when it is unpacked.
    pub unpacked: usize,
    /// Values in it.
    pub values: usize,
    /// Whether it is the dictionary of the pages behind it.
    pub is_dictionary: bool,
}

/// Reads the header of a page from bytes that begin with it; None where they end before it does.
pub fn page_head(bytes: &[u8]) -> io::Result<Option<PageHead>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut walk = Walk::new(bytes);
    let (mut kind, mut unpacked, mut packed) = (-1, -1, -1);
    // Values, encoding and bytes of the levels in front, as each of the three kinds of page has them.
    let (mut data, mut dictionary, mut data_2) = ((-1, -1), (-1, -1), (-1, -1, 0, 0));
    let whole = walk.structure(0, &mut |path, seen| {
        let Seen::Number(n) = seen else { return };
        match path {
            [1] => kind = n,
            [2] => unpacked = n,
            [3] => packed = n,
            [5, 1] => data.0 = n,
            [5, 2] => data.1 = n,
            [7, 1] => dictionary.0 = n,
            [7, 2] => dictionary.1 = n,
            [8, 1] => data_2.0 = n,
            [8, 4] => data_2.1 = n,
            [8, 5] => data_2.2 = n,
            [8, 6] => data_2.3 = n,
            _ => {}
        }
    });
    if whole.is_none() {
        return if walk.ended { Ok(None) } else { Err(wrong("a page header that is none")) };
    }
    let (values, encoding) = match kind {
        0 => data,
        2 => dictionary,
        3 => (data_2.0, data_2.1),
        _ => return Err(wrong("a page of a kind that holds no values")),
    };
    // 7 writes each text as what it adds to the one before: a few bytes become as much memory as one likes.
    if encoding == 7 {
        return Err(refused("it holds texts in the encoding DELTA_BYTE_ARRAY, which this version does not read".to_owned()));
    }
    let levels_fit = [data_2.2, data_2.3].iter().all(|n| (0..=packed).contains(n)) && data_2.2 + data_2.3 <= packed.min(unpacked);
    let fits = (0..=MOST_PAGE).contains(&unpacked) && (0..=MOST_PAGE).contains(&packed) && (0..=MOST_VALUES).contains(&values);
    if !fits || kind == 3 && !levels_fit || kind == 2 && values > unpacked || ![0, 2, 3, 5, 6, 8, 9].contains(&encoding) {
        return Err(wrong("a page header that promises what cannot be"));
    }
    let [packed, unpacked, values] = [packed, unpacked, values].map(|n| n as usize);
    Ok(Some(PageHead { header: bytes.len() - walk.rest.len(), packed, unpacked, values, is_dictionary: kind == 2 }))
}

/// What a walk comes by: a number, or the end of a structure; with the numbers of the fields that lead there.
#[derive(Clone, Copy)]
enum Seen {
    Number(i64),
    End,
}

type See<'s> = &'s mut dyn FnMut(&[i64], Seen);

/// Thrift's compact protocol, passed over. None is: more than there is, too deep, or nothing that exists.
struct Walk<'a> {
    rest: &'a [u8],
    path: Vec<i64>,
    parts: u32,
    /// Whether it was the end of the bytes that stopped it.
    ended: bool,
}

impl<'a> Walk<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, path: Vec::new(), parts: 0, ended: false }
    }

    fn part(&mut self) -> Option<()> {
        self.parts += 1;
        (self.parts <= MOST_PARTS).then_some(())
    }

    /// A structure to its end.
    fn structure(&mut self, depth: u32, see: See) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.part()?;
        let mut field = 0;
        loop {
            let head = self.byte()?;
            let (delta, kind) = (i64::from(head >> 4), head & 15);
            if kind == 0 {
                see(&self.path, Seen::End);
                return (delta == 0).then_some(());
            }
            let next = if delta == 0 { self.signed()? } else { field + delta };
            // Fields are written in order. One that came twice would be another value for another reader.
            if next <= field || next > i64::from(i16::MAX) {
                return None;
            }
            field = next;
            self.path.push(field);
            // Of a truth value the field's type is all there is.
            if kind > 2 {
                self.value(kind, depth, see)?;
            }
            self.path.pop();
        }
    }

    fn value(&mut self, kind: u8, depth: u32, see: See) -> Option<()> {
        match kind {
            1..=3 => self.byte().map(drop),
            4..=6 => {
                let n = self.signed()?;
                see(&self.path, Seen::Number(n));
                Some(())
            }
            7 => self.skip(8),
            8 => {
                self.part()?;
                let n = self.number()?;
                self.skip(n)
            }
            9 | 10 => self.list(depth, see),
            11 => self.map(depth, see),
            12 => self.structure(depth + 1, see),
            _ => None,
        }
    }

    fn list(&mut self, depth: u32, see: See) -> Option<()> {
        let head = self.byte()?;
        let n = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
        self.entries(n, &[head & 15], depth, see)
    }

    fn map(&mut self, depth: u32, see: See) -> Option<()> {
        let n = self.number()?;
        if n == 0 {
            return Some(());
        }
        let kinds = self.byte()?;
        self.entries(n, &[kinds >> 4, kinds & 15], depth, see)
    }

    /// Each takes a byte at least: what promises more of them than there are bytes is refused before anything is made of it.
    fn entries(&mut self, n: u64, kinds: &[u8], depth: u32, see: See) -> Option<()> {
        if depth >= DEEPEST {
            return None;
        }
        if n > self.rest.len() as u64 {
            self.ended = true;
            return None;
        }
        for _ in 0..n {
            for kind in kinds {
                self.value(*kind, depth + 1, see)?;
            }
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let Some((first, rest)) = self.rest.split_first() else {
            self.ended = true;
            return None;
        };
        self.rest = rest;
        Some(*first)
    }

    fn skip(&mut self, n: u64) -> Option<()> {
        let rest = usize::try_from(n).ok().and_then(|n| self.rest.get(n..));
        self.ended = rest.is_none();
        self.rest = rest?;
        Some(())
    }

    /// The sign in the lowest bit.
    fn signed(&mut self) -> Option<i64> {
        let n = self.number()?;
        Some((n >> 1) as i64 ^ -((n & 1) as i64))
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
