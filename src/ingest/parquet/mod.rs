//! Parquet and GeoParquet as lines of a table, so that layouts, accounts, order and scanning are those of every other file.
//!
//! *In*: a file whose footer has been looked at. *Out*: its column names, and then as many lines as it has rows, of the columns that
//! its layout reads. Row group by row group, page by page: memory is that of some pages of each column that is read.
//! What stands in a cell is written as its shortest text: a null is empty, a point is a longitude and a latitude.

mod cells;
mod pages;

use crate::ingest::container::{Beside, Digesting, PIECE, apart, footer, together};
use crate::ingest::layout::{Field, Layout, TimeForm};
use cells::{Cells, Day, Form};
use pages::Chunk;
use polars_parquet::read::{ColumnDescriptor, FileMetadata, read_metadata};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

/// Names under which a point is offered, where the table has no column of that name.
const POINT: [(&str, Form); 4] = [("longitude", Form::PointX), ("latitude", Form::PointY), ("lon", Form::PointX), ("lat", Form::PointY)];
/// The column of points, where no metadata name it.
const GEOMETRY: &str = "geometry";

/// A table whose columns are known.
pub struct Table {
    file: File,
    bytes: u64,
    about: FileMetadata,
    columns: Vec<Column>,
    /// Names of columns that are there, and hold what is no cell of a table of ships.
    unread: Vec<String>,
    digest: Digesting,
}

/// A column as it is offered to the layouts.
#[derive(Clone)]
struct Column {
    name: String,
    /// Which of the file's.
    leaf: usize,
    form: Form,
}

impl Table {
    /// Of a file of so many bytes; the digest is ready when all lines have been read.
    pub fn open(file: File, bytes: u64, digest: Digesting) -> io::Result<Self> {
        // The footer is read by the library's parser: whatever that makes of it stays apart.
        let (file, about) = apart(move || {
            let mut file = file;
            footer(&mut file)?;
            file.seek(SeekFrom::Start(0))?;
            let about = read_metadata(&mut file).map_err(|e| wrong(e.to_string()))?;
            Ok((file, about))
        })?;
        let leaves = about.schema().columns();
        let is_flat = |leaf: &ColumnDescriptor| leaf.path_in_schema.len() == 1 && leaf.descriptor.max_rep_level == 0;
        let column = |(leaf, about): (usize, &ColumnDescriptor)| {
            let form = Form::of(&about.descriptor.primitive_type).filter(|_| is_flat(about))?;
            Some(Column { name: plain(about.path_in_schema.first()?), leaf, form })
        };
        let mut columns: Vec<Column> = leaves.iter().enumerate().filter_map(column).collect();
        let mut unread: Vec<String> = leaves.iter().filter_map(|leaf| leaf.path_in_schema.first()).map(|name| plain(name)).collect();
        unread.dedup();
        unread.retain(|name| columns.iter().all(|c| c.name != *name));
        let geometry = points(&about).unwrap_or_else(|| GEOMETRY.to_owned());
        if let Some(leaf) = columns.iter().find(|c| c.form == Form::Text && c.name == geometry).map(|c| c.leaf) {
            for (name, form) in POINT {
                if columns.iter().all(|c| !c.name.eq_ignore_ascii_case(name)) {
                    columns.push(Column { name: name.to_owned(), leaf, form });
                }
            }
        }
        Ok(Self { file, bytes, about, columns, unread, digest })
    }

    /// Its columns as the first line of a file of lines would name them.
    pub fn header(&self) -> Vec<u8> {
        self.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(",").into_bytes()
    }

    /// Names of columns that cannot be read for their types.
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    /// The rows as lines of the columns that a layout of [`Self::header`] reads, and how they are laid out.
    pub fn lines(self, path: &Path, layout: Layout) -> (Layout, Box<dyn Read + Send>) {
        let read = |k: usize, field: Field| field != Field::Other || layout.station == Some(k);
        let mut wanted: Vec<usize> = layout.columns.iter().enumerate().filter(|(k, f)| read(*k, **f)).map(|(k, _)| k).collect();
        // What changes from row to row comes first: so the scanner has the shortest way.
        wanted.sort_by_key(|k| layout.columns.get(*k).map_or(u8::MAX, |f| rank(*f)));
        let fields: Vec<Field> = wanted.iter().filter_map(|k| layout.columns.get(*k).copied()).collect();
        let columns: Vec<Column> = wanted.iter().filter_map(|k| self.columns.get(*k).cloned()).collect();
        let station = layout.station.and_then(|s| wanted.iter().position(|k| *k == s));
        let is_time = columns.iter().zip(&fields).any(|(c, f)| *f == Field::Time && c.form.is_time());
        let time = if is_time { TimeForm::Iso } else { layout.time };
        let layout = Layout { delimiter: b',', columns: fields, time, station, header: Vec::new(), ..layout };
        let Self { file, bytes, about, digest, .. } = self;
        let path = path.to_path_buf();
        let reader = Beside::new(move |feed| {
            // Beside the decoding, as long as both take.
            let hashing = std::thread::Builder::new().name("hashing".to_owned()).spawn(move || hash(&path, bytes, &digest))?;
            let mut lines = Lines::new(file, &about, columns);
            feed.make(&mut |piece| lines.next(piece), &|| bytes)?;
            hashing.join().map_err(|_| io::Error::other("its hash could not be made"))?
        });
        (layout, Box::new(reader))
    }
}

/// The bytes of the file as stored.
fn hash(path: &Path, bytes: u64, digest: &Digesting) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0u8; 256 << 10];
    let mut n = 0;
    loop {
        let got = crate::ingest::container::read_up_to(&mut file, &mut buffer)?;
        digest.update(buffer.get(..got).unwrap_or_default());
        n += got as u64;
        if got < buffer.len() {
            break;
        }
    }
    if n == bytes { Ok(()) } else { Err(wrong(format!("{n} bytes where there were {bytes}: it changed while it was read"))) }
}

fn wrong(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The place of a field in a line.
fn rank(field: Field) -> u8 {
    match field {
        Field::Mmsi => 0,
        Field::Time => 1,
        Field::Lat => 2,
        Field::Lon => 3,
        Field::Sog => 4,
        Field::Cog => 5,
        Field::Heading => 6,
        Field::Status => 7,
        Field::Particular(p) => 8 + p,
        Field::Other => u8::MAX,
    }
}

/// A name that a header can hold.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_control() || matches!(c, ',' | ';' | '"') { '_' } else { c }).collect()
}

/// The column of points that GeoParquet metadata name.
fn points(about: &FileMetadata) -> Option<String> {
    let text = about.key_value_metadata().as_ref()?.iter().find(|kv| kv.key == "geo")?.value.as_ref()?;
    let geo: serde_json::Value = serde_json::from_str(text).ok()?;
    let name = geo.get("primary_column")?.as_str()?;
    let encoding = geo.get("columns")?.get(name)?.get("encoding")?.as_str()?;
    (encoding == "WKB").then(|| plain(name))
}

/// Threads that write at once, at most: with more, decoding is what takes the time.
const HANDS: usize = 4;
/// Rows below which one alone writes.
const FEW: usize = 1 << 12;
/// Bytes at which who writes stops: cells may be of any length.
const MOST_WRITTEN: usize = 16 * PIECE;

/// Rows to lines, a row group at a time.
struct Lines<'f> {
    file: File,
    about: &'f FileMetadata,
    /// Where each column of a line comes from: which of the columns of the file that are read, and how it is written.
    cells: Vec<(usize, Form)>,
    /// The columns of the file that are read, each once.
    leaves: Vec<usize>,
    /// The row group that comes next.
    group: usize,
    chunks: Vec<Chunk>,
    /// Rows of the row group that are to come.
    left: usize,
    /// Lines written and not yet handed out, and memory to use again.
    written: VecDeque<Vec<u8>>,
    spares: Vec<Vec<u8>>,
}

impl<'f> Lines<'f> {
    fn new(file: File, about: &'f FileMetadata, columns: Vec<Column>) -> Self {
        let mut leaves: Vec<usize> = Vec::new();
        let mut cells = Vec::new();
        for column in columns {
            let known = leaves.iter().position(|l| *l == column.leaf);
            if known.is_none() {
                leaves.push(column.leaf);
            }
            cells.push((known.unwrap_or(leaves.len() - 1), column.form));
        }
        Self { file, about, cells, leaves, group: 0, chunks: Vec::new(), left: 0, written: VecDeque::new(), spares: Vec::new() }
    }

    /// The next lines, some of them; none at the end.
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        out.clear();
        while self.written.is_empty() {
            if self.left > 0 {
                self.write()?;
            } else if !self.open()? {
                return Ok(());
            }
        }
        if let Some(lines) = self.written.pop_front() {
            self.spares.push(std::mem::replace(out, lines));
        }
        Ok(())
    }

    /// Opens the next row group; false where there is none.
    fn open(&mut self) -> io::Result<bool> {
        self.chunks.iter().try_for_each(Chunk::close)?;
        let Some(about) = self.about.row_groups.get(self.group) else { return Ok(false) };
        self.group += 1;
        self.left = about.num_rows();
        let chunk = |leaf: &usize| Chunk::open(about.parquet_columns().get(*leaf).ok_or_else(|| wrong("a row group lacks a column".to_owned()))?, self.left);
        self.chunks = self.leaves.iter().map(chunk).collect::<io::Result<_>>()?;
        Ok(true)
    }

    /// Writes the rows that all columns have ready.
    fn write(&mut self) -> io::Result<()> {
        for k in 0..self.chunks.len() {
            let held: usize = self.chunks.iter().map(Chunk::held).sum();
            if let Some(chunk) = self.chunks.get_mut(k) {
                chunk.fill(&mut self.file, held)?;
            }
        }
        let rows = self.chunks.iter().map(Chunk::ready).min().unwrap_or(0).min(self.left);
        let cell = |(k, form): &(usize, Form)| self.chunks.get(*k).and_then(Chunk::cells).map(|(cells, at)| (cells, at, *form));
        let cells: Vec<(&Cells, usize, Form)> = self.cells.iter().filter_map(cell).collect();
        if rows == 0 || cells.len() < self.cells.len() {
            return Err(wrong("a column with fewer values than its table has rows".to_owned()));
        }
        let hands = if rows < FEW { 1 } else { std::thread::available_parallelism().map_or(1, usize::from).min(HANDS) };
        let mut pieces: Vec<(Range<usize>, Vec<u8>)> =
            (0..hands).map(|h| (rows * h / hands..rows * (h + 1) / hands, self.spares.pop().unwrap_or_default())).collect();
        if let [(rows, out)] = &mut pieces[..] {
            *rows = rows.start..write(&cells, rows.clone(), out);
        } else {
            let cells = &cells;
            together(pieces.iter_mut().map(|(rows, out)| move || *rows = rows.start..write(cells, rows.clone(), out)))?;
        }
        // What stands behind a gap is written once more.
        let mut done = 0;
        for (rows, out) in pieces {
            if rows.start == done {
                done = rows.end;
                self.written.push_back(out);
            } else {
                self.spares.push(out);
            }
        }
        self.left -= done;
        self.chunks.iter_mut().for_each(|chunk| chunk.take(done));
        Ok(())
    }
}

/// Writes rows as lines; returns up to which.
fn write(cells: &[(&Cells, usize, Form)], rows: Range<usize>, out: &mut Vec<u8>) -> usize {
    let mut day = Day::default();
    out.clear();
    for row in rows.clone() {
        for (cells, at, form) in cells {
            cells.write(at + row, *form, &mut day, out);
            out.push(b',');
        }
        if let Some(last) = out.last_mut() {
            *last = b'\n';
        }
        if out.len() > MOST_WRITTEN {
            return row + 1;
        }
    }
    rows.end
}
