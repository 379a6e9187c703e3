//! Plain, zstd or zip: recognised by content, decoded as a stream, checked to its end.

use crate::ingest::Error;
use crate::ingest::escape;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Windows above this are refused: 128 MiB, as the zstd tool does.
const WINDOW_LOG_MAX: u32 = 27;
/// Members of an archive that are looked at.
const MOST_MEMBERS: usize = 64;
/// An archive that unpacks to more than this many times its size is a bomb (the public ones stay at 5).
const MOST_RATIO: u64 = 200;

/// One stream of lines: a file, or a member of an archive.
pub struct Stream {
    /// What messages and the manifest call it.
    pub path: PathBuf,
    /// Bytes as stored (of the whole file).
    pub stored_bytes: u64,
    /// The decoded bytes.
    pub reader: Box<dyn Read + Send>,
    /// SHA-256 of the file as stored: ready at once, or when the reader has been read to its end.
    pub digest: Digesting,
}

/// A hash that is ready when the file has been read.
#[derive(Clone, Default)]
pub struct Digesting(std::sync::Arc<std::sync::Mutex<(Sha256, u64)>>);

impl Digesting {
    fn update(&self, bytes: &[u8]) {
        if let Ok(mut state) = self.0.lock() {
            state.0.update(bytes);
            state.1 += bytes.len() as u64;
        }
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
        let n = self.inner.read(buf)?;
        self.digest.update(&buf[..n]);
        Ok(n)
    }
}

/// Opens a path (`-` is standard input) as its streams. Folders inside archives and what operating systems leave there are passed over.
pub fn open(path: &Path) -> Result<Vec<Stream>, Error> {
    let fail = |source| Error::Io { path: path.to_path_buf(), source };
    let digest = Digesting::default();
    if path == Path::new("-") {
        let inner = Hashing { inner: io::stdin(), digest: digest.clone() };
        let (magic, reader) = peek(inner).map_err(fail)?;
        return single(PathBuf::from("-"), 0, magic, reader, digest);
    }
    let mut file = File::open(path).map_err(fail)?;
    let stored = file.metadata().map_err(fail)?.len();
    let mut magic = [0u8; 4];
    let got = read_up_to(&mut file, &mut magic).map_err(fail)?;
    if magic.starts_with(b"PK") && stored > 0 {
        file.seek(SeekFrom::Start(0)).map_err(fail)?;
        return archive(path, file, stored);
    }
    // No seeking: a named pipe has no way back.
    let inner = Hashing { inner: io::Cursor::new(magic[..got].to_vec()).chain(file), digest: digest.clone() };
    single(path.to_path_buf(), stored, magic, Box::new(inner), digest)
}

fn single(path: PathBuf, stored: u64, magic: [u8; 4], reader: Box<dyn Read + Send>, digest: Digesting) -> Result<Vec<Stream>, Error> {
    if magic.starts_with(b"PK") {
        return Err(Error::Archive { path, what: "a zip archive can be read from a file only, not from a pipe".to_owned() });
    }
    let number = u32::from_le_bytes(magic);
    let reader: Box<dyn Read + Send> = if number == 0xFD2F_B528 || (0x184D_2A50..=0x184D_2A5F).contains(&number) {
        let fail = |source| Error::Io { path: path.clone(), source };
        let mut decoder = zstd::stream::read::Decoder::new(reader).map_err(fail)?;
        decoder.window_log_max(WINDOW_LOG_MAX).map_err(fail)?;
        Box::new(decoder)
    } else if magic[..2] == [0x1f, 0x8b] || magic[..3] == *b"BZh" || magic == [0xfd, b'7', b'z', b'X'] || magic == *b"PAR1" {
        let what = "compressed in a form this version does not read (it reads .csv, .zst and .zip)".to_owned();
        return Err(Error::Archive { path, what });
    } else {
        reader
    };
    Ok(vec![Stream { path, stored_bytes: stored, reader, digest }])
}

fn peek(mut reader: impl Read + Send + 'static) -> io::Result<([u8; 4], Box<dyn Read + Send>)> {
    let mut magic = [0u8; 4];
    let n = read_up_to(&mut reader, &mut magic)?;
    Ok((magic, Box::new(io::Cursor::new(magic[..n].to_vec()).chain(reader))))
}

/// Reads until the buffer is full or the data end.
pub fn read_up_to(reader: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
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

fn archive(path: &Path, mut file: File, stored: u64) -> Result<Vec<Stream>, Error> {
    let fail = |source| Error::Io { path: path.to_path_buf(), source };
    // The whole file is hashed first: members are read out of order.
    let digest = Digesting::default();
    let mut buffer = vec![0u8; 1 << 20];
    loop {
        let n = read_up_to(&mut file, &mut buffer).map_err(fail)?;
        digest.update(&buffer[..n]);
        if n < buffer.len() {
            break;
        }
    }
    let damaged = |what: String| Error::Damaged { path: path.to_path_buf(), what };
    let refuse = |what: String| Error::Archive { path: path.to_path_buf(), what };
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(e.to_string()))?;
    let mut names = Vec::new();
    for k in 0..zip.len() {
        let member = zip.by_index_raw(k).map_err(|e| damaged(e.to_string()))?;
        let name = member.name().map_err(|e| damaged(e.to_string()))?.into_owned();
        let shown = escape(name.as_bytes(), 200);
        if member.is_dir() || name.contains("__MACOSX/") || name.rsplit('/').next().is_some_and(|n| n.starts_with('.')) {
            continue;
        }
        if member.encrypted() {
            return Err(refuse(format!("member `{shown}` is encrypted")));
        }
        if member.is_symlink() {
            return Err(refuse(format!("member `{shown}` is a symbolic link")));
        }
        if member.size() / MOST_RATIO > stored.max(1) {
            return Err(refuse(format!("member `{shown}` unpacks to {} bytes from a file of {stored}", member.size())));
        }
        names.push((k, shown, member.size()));
    }
    if names.is_empty() {
        return Err(refuse("the archive holds no file".to_owned()));
    }
    if names.len() > MOST_MEMBERS {
        return Err(refuse(format!("the archive holds {} files, more than {MOST_MEMBERS}", names.len())));
    }
    Ok(names
        .into_iter()
        .map(|(index, shown, size)| Stream {
            path: behind(path, &shown),
            stored_bytes: stored,
            reader: Box::new(Member { path: path.to_path_buf(), index, limit: size, state: None }) as Box<dyn Read + Send>,
            digest: digest.clone(),
        })
        .collect())
}

/// The name of a member behind that of its archive; wherever it points to, it is only shown.
fn behind(archive: &Path, member: &str) -> PathBuf {
    let mut name = archive.as_os_str().to_owned();
    name.push("/");
    name.push(member);
    name.into()
}

/// Inflated pieces on their way from that thread.
type Pieces = std::sync::mpsc::Receiver<io::Result<Vec<u8>>>;

/// A member of an archive, inflated in a thread of its own (the archive's reader borrows the archive).
struct Member {
    path: PathBuf,
    index: usize,
    limit: u64,
    state: Option<(Pieces, Vec<u8>, usize)>,
}

impl Read for Member {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let (path, index, limit) = (&self.path, self.index, self.limit);
        let (receiver, piece, at) = self.state.get_or_insert_with(|| {
            let (sender, receiver) = std::sync::mpsc::sync_channel(4);
            let path = path.clone();
            std::thread::spawn(move || inflate(&path, index, limit, &sender));
            (receiver, Vec::new(), 0)
        });
        if *at == piece.len() {
            match receiver.recv() {
                Ok(next) => (*piece, *at) = (next?, 0),
                Err(_) => return Ok(0),
            }
        }
        let n = buf.len().min(piece.len() - *at);
        buf[..n].copy_from_slice(&piece[*at..*at + n]);
        *at += n;
        Ok(n)
    }
}

fn inflate(path: &Path, index: usize, limit: u64, sender: &std::sync::mpsc::SyncSender<io::Result<Vec<u8>>>) {
    let work = || -> io::Result<()> {
        let mut zip = zip::ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
        let mut member = zip.by_index(index).map_err(io::Error::other)?.take(limit.saturating_add(1));
        let mut total = 0u64;
        loop {
            let mut piece = vec![0u8; 1 << 20];
            let n = read_up_to(&mut member, &mut piece)?;
            if n == 0 {
                return if total == limit { Ok(()) } else { Err(io::Error::other(format!("{total} bytes where {limit} were promised"))) };
            }
            total += n as u64;
            if total > limit {
                return Err(io::Error::other("more bytes than the archive promised"));
            }
            piece.truncate(n);
            if sender.send(Ok(piece)).is_err() {
                return Ok(());
            }
        }
    };
    if let Err(e) = work() {
        let _ = sender.send(Err(e));
    }
}
