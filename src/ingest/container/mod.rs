//! What holds the rows: plain, gzip, bzip2, xz, zstd, zip or Parquet, told by content, decoded beside the scanning, checked to its end.
//!
//! Nothing is ever written: a member of an archive is a stream with a name to show.

mod beside;
mod gz;
mod parquet;
mod xz;
mod zip;
mod zst;

pub use beside::{Beside, PIECE, apart, is_decoder, together};
pub use parquet::{Footer, PageHead, footer, page_head};

use crate::ingest::Error;
use crate::ingest::parquet::Table;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of a stream that tell what it is: a tar archive says so at 257.
const HEAD: usize = 512;

/// One stream of lines: a file, or a member of an archive.
pub struct Stream {
    /// What messages and the manifest call it.
    pub path: PathBuf,
    /// Bytes as stored (of the whole file).
    pub stored_bytes: u64,
    /// The decoded bytes.
    pub reader: Box<dyn Read + Send>,
    /// A table instead of bytes: then the reader is empty, and the lines are had from it once its columns are known.
    pub table: Option<Table>,
    /// SHA-256 of the file as stored: ready at once, or when the reader has been read to its end.
    pub digest: Digesting,
}

/// What a stream is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing known: lines, or something that no layout will fit.
    Plain,
    /// gzip: any number of members.
    Gz,
    /// bzip2: any number of streams.
    Bz2,
    /// xz: any number of streams.
    Xz,
    /// zstd: any number of frames, and frames to skip.
    Zst,
    /// A zip archive.
    Zip,
    /// A Parquet file.
    Parquet,
    /// Known, and not read: what it is.
    Unread(&'static str),
}

/// What nobody takes for lines, by how it begins.
const UNREAD: [(&[u8], &str); 6] = [
    (b"PARE", "an encrypted Parquet file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"\x04\x22\x4d\x18", "an lz4 file"),
    (b"\x1f\x9d", "a compress (.Z) file"),
    (b"SQLite format 3\0", "an SQLite or GeoPackage file"),
];

impl Kind {
    /// Of a stream that begins so.
    pub fn of(head: &[u8]) -> Self {
        let number = head.first_chunk().map_or(0, |four| u32::from_le_bytes(*four));
        if number == 0xFD2F_B528 || (0x184D_2A50..=0x184D_2A5F).contains(&number) {
            return Self::Zst;
        }
        let starts = |magic: &[u8]| head.starts_with(magic);
        if [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"].iter().any(|m| starts(m)) {
            return Self::Zip;
        }
        if starts(b"PAR1") {
            return Self::Parquet;
        }
        if starts(b"\x1f\x8b") {
            return Self::Gz;
        }
        if starts(b"BZh") && head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level)) {
            return Self::Bz2;
        }
        if starts(b"\xfd7zXZ") {
            return Self::Xz;
        }
        if head.get(257..262) == Some(b"ustar") {
            return Self::Unread("a tar archive");
        }
        UNREAD.iter().find(|(magic, _)| starts(magic)).map_or(Self::Plain, |(_, what)| Self::Unread(what))
    }

    /// What it is, if it is none of lines.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gz => Some("gzip data"),
            Self::Bz2 => Some("bzip2 data"),
            Self::Xz => Some("xz data"),
            Self::Zst => Some("zstd data"),
            Self::Zip => Some("a zip archive"),
            Self::Parquet => Some("a Parquet file"),
            Self::Unread(what) => Some(what),
        }
    }

    /// Why it is not read where lines are wanted.
    fn not_read(what: &str, inside: &str) -> String {
        format!("{what}{inside}; this version reads CSV, plain or as .gz, .bz2, .xz, .zst or .zip, and Parquet as a file of its own")
    }

    /// Its decoder around a reader.
    fn decoder<'a>(self, reader: impl Read + Send + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Plain => Box::new(reader),
            Self::Gz => Box::new(gz::Members::new(reader)),
            Self::Bz2 => Box::new(bzip2::bufread::MultiBzDecoder::new(BufReader::with_capacity(128 << 10, reader))),
            Self::Xz => Box::new(xz::Streams::new(reader)),
            Self::Zst => Box::new(zst::Frames::new(reader)?),
            Self::Zip => return Err(refused(Self::not_read("a zip archive", " inside another container"))),
            Self::Parquet => return Err(refused(Self::not_read("a Parquet file", " inside another container"))),
            Self::Unread(what) => return Err(refused(Self::not_read(what, ""))),
        })
    }
}

/// Why a stream is not read although nothing in it is broken. It travels in an [`io::Error`] that says that leave was not given.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

/// See [`Refused`].
pub fn refused(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, Refused(what))
}

/// A hash that is ready when the file has been read.
#[derive(Clone, Default)]
pub struct Digesting(std::sync::Arc<std::sync::Mutex<(Sha256, u64)>>);

impl Digesting {
    /// Takes bytes in.
    pub fn update(&self, bytes: &[u8]) {
        if let Ok(mut state) = self.0.lock() {
            state.0.update(bytes);
            state.1 += bytes.len() as u64;
        }
    }
    /// Bytes that went in so far.
    fn count(&self) -> u64 {
        self.0.lock().map_or(0, |state| state.1)
    }
    /// Hex, and how many bytes went in.
    pub fn finish(&self) -> (String, u64) {
        let (hash, n) = self.0.lock().map(|s| s.clone()).unwrap_or_default();
        (hash.finalize().iter().map(|b| format!("{b:02x}")).collect(), n)
    }
}

struct Hashing<R> {
    inner: R,
    digest: Digesting,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Not every decoder asks again after an interruption.
        let n = loop {
            match self.inner.read(buf) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.digest.update(&buf[..n]);
        Ok(n)
    }
}

/// Opens a path (`-` is standard input) as its streams. Folders inside archives and what operating systems leave there are passed over.
pub fn open(path: &Path) -> Result<Vec<Stream>, Error> {
    let fail = |source| Error::Io { path: path.to_path_buf(), source };
    if path == Path::new("-") {
        let (head, reader) = peek(io::stdin()).map_err(fail)?;
        return single(path, 0, &head, reader);
    }
    let mut file = File::open(path).map_err(fail)?;
    let about = file.metadata().map_err(fail)?;
    let head = peek(&mut file).map_err(fail)?.0;
    if Kind::of(&head) == Kind::Zip && about.is_file() {
        file.seek(SeekFrom::Start(0)).map_err(fail)?;
        return zip::open(path, file, about.len());
    }
    if Kind::of(&head) == Kind::Parquet && about.is_file() {
        let digest = Digesting::default();
        let table = Table::open(file, about.len(), digest.clone()).map_err(|e| match e.kind() {
            io::ErrorKind::InvalidData => Error::Damaged { path: path.to_path_buf(), what: e.to_string() },
            _ => fail(e),
        })?;
        return Ok(vec![Stream { path: path.to_path_buf(), stored_bytes: about.len(), reader: Box::new(io::empty()), table: Some(table), digest }]);
    }
    // No seeking: a named pipe has no way back.
    let reader = io::Cursor::new(head.clone()).chain(file);
    single(path, about.len(), &head, reader)
}

fn single(path: &Path, stored_bytes: u64, head: &[u8], reader: impl Read + Send + 'static) -> Result<Vec<Stream>, Error> {
    let refuse = |what: String| Err(Error::Archive { path: path.to_path_buf(), what });
    let digest = Digesting::default();
    let source = Hashing { inner: reader, digest: digest.clone() };
    let reader: Box<dyn Read + Send> = match Kind::of(head) {
        Kind::Plain => Box::new(source),
        Kind::Zip => return refuse("a zip archive can be read from a file only, not from a pipe".to_owned()),
        Kind::Parquet => return refuse("a Parquet file can be read from a file only, not from a pipe: its table of contents stands at its end".to_owned()),
        Kind::Unread(what) => return refuse(Kind::not_read(what, "")),
        kind => {
            let packed = digest.clone();
            Box::new(Beside::new(move |feed| feed.pour(&mut kind.decoder(source)?, &|| packed.count())))
        }
    };
    Ok(vec![Stream { path: path.to_path_buf(), stored_bytes, reader, table: None, digest }])
}

/// SHA-256 and size of a file as stored, for one that was not read to its end; none of what is no file.
pub fn stored(path: &Path) -> Option<(String, u64)> {
    let mut file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|about| about.is_file()))?;
    zip::hash(&mut file).ok().map(|digest| digest.finish())
}

/// A reader whose first bytes have been looked at.
type Whole<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// The first bytes of a reader, and the reader with them before it again.
fn peek<R: Read>(mut reader: R) -> io::Result<(Vec<u8>, Whole<R>)> {
    let mut head = vec![0u8; HEAD];
    let n = read_up_to(&mut reader, &mut head)?;
    head.truncate(n);
    Ok((head.clone(), io::Cursor::new(head).chain(reader)))
}

/// Reads until the buffer is full or the data end.
pub fn read_up_to(reader: &mut (impl Read + ?Sized), buf: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buf.len() {
        match reader.read(&mut buf[n..]) {
            Ok(0) => break,
            Ok(got) => n += got,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}
