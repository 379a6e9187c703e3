//! zip: members in the order of the archive's directory, each a stream behind the archive's name.

use super::beside::{Feed, MOST_RATIO};
use super::{Beside, Digesting, Kind, Stream, peek, read_up_to, refused};
use crate::ingest::{Error, escape};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use zip::result::{ZipError, ZipResult};
use zip::{CompressionMethod, ZipArchive};

/// Members of an archive that are looked at.
const MOST_MEMBERS: usize = 64;

type Archive = ZipArchive<BufReader<File>>;

/// A member as the directory of the archive promises it.
struct Member {
    index: usize,
    shown: String,
    size: u64,
    packed: u64,
    method: CompressionMethod,
}

/// How a member may be packed.
const METHODS: [CompressionMethod; 4] = [CompressionMethod::STORE, CompressionMethod::DEFLATE, CompressionMethod::DEFLATE64, CompressionMethod::BZIP2];

/// Opens an archive as the streams of its members.
pub fn open(path: &Path, mut file: File, stored_bytes: u64) -> Result<Vec<Stream>, Error> {
    // The whole file is hashed first: members are read out of order.
    let digest = hash(&mut file).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    let damaged = |e: ZipError| Error::Damaged { path: path.to_path_buf(), what: e.to_string() };
    let refuse = |what: String| Error::Archive { path: path.to_path_buf(), what };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let members = list(&mut archive).map_err(damaged)?.map_err(refuse)?;
    check(&members, stored_bytes).map_err(refuse)?;
    // Overlaps, names twice, members that the directory conceals, and directories that contradict what stands before the data.
    if archive.has_duplicate_names() {
        return Err(refuse("two files in the archive have the same name".to_owned()));
    }
    if archive.has_overlapping_entries().map_err(damaged)? {
        return Err(refuse("files in the archive overlap".to_owned()));
    }
    archive.validate_header_consistency().map_err(damaged)?;
    let stream = |member: Member| Stream {
        path: behind(path, &member.shown),
        stored_bytes,
        reader: Box::new(beside(path.to_path_buf(), member)),
        table: None,
        digest: digest.clone(),
    };
    Ok(members.into_iter().map(stream).collect())
}

/// Of the whole file, from where it stands.
pub fn hash(file: &mut File) -> io::Result<Digesting> {
    let digest = Digesting::default();
    let mut buffer = vec![0u8; 1 << 20];
    loop {
        let n = read_up_to(file, &mut buffer)?;
        digest.update(&buffer[..n]);
        if n < buffer.len() {
            return Ok(digest);
        }
    }
}

/// The members to read; inside, the word about one that must not be read.
fn list(archive: &mut Archive) -> ZipResult<Result<Vec<Member>, String>> {
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index)?;
        let name = file.name()?.into_owned();
        let shown = escape(name.as_bytes(), 200);
        let (size, packed, method) = (file.size(), file.compressed_size(), file.compression());
        // Two bytes are what the deflate of nothing takes: Java and Python write folders so.
        if file.is_dir() && (size > 0 || packed > 2) {
            return Ok(Err(format!("folder `{shown}` holds bytes")));
        }
        if file.is_dir() || name.contains("__MACOSX/") || name.rsplit(['/', '\\']).next().is_some_and(|n| n.starts_with('.')) {
            continue;
        }
        if file.encrypted() {
            return Ok(Err(format!("member `{shown}` is encrypted")));
        }
        if file.is_symlink() {
            return Ok(Err(format!("member `{shown}` is a symbolic link")));
        }
        members.push(Member { index, shown, size, packed, method });
    }
    Ok(Ok(members))
}

/// Their number, and what they unpack to.
fn check(members: &[Member], stored_bytes: u64) -> Result<(), String> {
    if members.is_empty() {
        return Err("the archive holds no file".to_owned());
    }
    if members.len() > MOST_MEMBERS {
        return Err(format!("the archive holds {} files, more than {MOST_MEMBERS}", members.len()));
    }
    let mut total = 0u64;
    for Member { shown, size, .. } in members {
        total = total.saturating_add(*size);
        if total / MOST_RATIO > stored_bytes.max(1) {
            return Err(format!("with member `{shown}` it unpacks to {total} bytes from a file of {stored_bytes}"));
        }
    }
    Ok(())
}

/// The name of a member behind that of its archive; wherever it points to, it is only shown.
fn behind(archive: &Path, member: &str) -> PathBuf {
    let mut name = archive.as_os_str().to_owned();
    name.push("/");
    name.push(member);
    name.into()
}

fn beside(path: PathBuf, member: Member) -> Beside {
    Beside::new(move |feed| unpack(&path, &member, feed))
}

/// A member may be compressed once more: archives of `.csv.zst` exist.
fn unpack(path: &Path, member: &Member, feed: &Feed) -> io::Result<()> {
    if !METHODS.contains(&member.method) {
        return Err(refused(format!("it is packed in a way that this version does not read ({})", member.method)));
    }
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
    let file = archive.by_index(member.index).map_err(io::Error::other)?;
    let (head, whole) = peek(Promised { inner: file, left: member.size })?;
    feed.pour(&mut Kind::of(&head).decoder(whole)?, &|| member.packed)
}

/// A reader that gives as many bytes as were promised, or fails: an archive's directory may lie.
struct Promised<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Promised<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        if n == 0 && !buf.is_empty() && self.left > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{} bytes less than the archive promised", self.left)));
        }
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| io::Error::other("more bytes than the archive promised"))?;
        Ok(n)
    }
}
