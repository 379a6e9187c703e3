//! One column of a row group, some pages at a time.
//!
//! Headers are walked by the guard before the library sees the page: what a page promises is what it has, and what all columns hold
//! at one time is bounded.

use super::cells::Cells;
use super::wrong;
use crate::ingest::container::{PageHead, page_head, refused};
use polars_arrow::datatypes::{ArrowDataType, Field, TimeUnit};
use polars_buffer::Buffer;
use polars_parquet::parquet::read::{BasicDecompressor, PageMetaData, PageReader};
use polars_parquet::read::{ColumnChunkMetadata, Filter, PhysicalType, column_iter_to_arrays};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;

/// Values that are decoded at once, about: pages are taken together until they have so many, and a page that has more is taken in
/// slices.
const VALUES: usize = 128 << 10;
/// The same in bytes.
const BYTES: usize = 4 << 20;
/// Bytes that the columns of a table may hold together.
const MOST_HELD: usize = 256 << 20;
/// Bytes in which the header of a page mostly fits, and in which it must.
const HEADER: u64 = 1 << 10;
const MOST_HEADER: u64 = 1 << 20;

/// Where a column stands, and what of it is ready.
pub struct Chunk {
    about: PageMetaData,
    field: Field,
    /// The bytes that are not read yet.
    at: u64,
    end: u64,
    /// Values that no page read so far has.
    left: usize,
    /// Its dictionary, as stored, with the header; and how many bytes it holds, unpacked and made into values.
    dictionary: Vec<u8>,
    dictionary_held: usize,
    pages: Buffer<u8>,
    /// Values of the pages that are not decoded yet.
    next: Range<usize>,
    /// Bytes of the pages, unpacked.
    held: usize,
    ready: VecDeque<Cells>,
    /// Values of the first of them that are used up.
    used: usize,
}

impl Chunk {
    /// Of a row group with so many rows.
    pub fn open(about: &ColumnChunkMetadata, rows: usize) -> io::Result<Self> {
        let count = usize::try_from(about.num_values()).unwrap_or(usize::MAX);
        if count != rows {
            return Err(wrong(format!("a column of {} values in a row group of {rows} rows", about.num_values())));
        }
        let Range { start, end } = about.byte_range();
        let about = PageMetaData::from(about);
        let primitive = &about.descriptor.primitive_type;
        // The type is the one that is stored: what it stands for is the writer's affair, here and not the library's.
        let dtype = match primitive.physical_type {
            PhysicalType::Boolean => ArrowDataType::Boolean,
            PhysicalType::Int32 => ArrowDataType::Int32,
            PhysicalType::Int64 => ArrowDataType::Int64,
            PhysicalType::Int96 => ArrowDataType::Timestamp(TimeUnit::Nanosecond, None),
            PhysicalType::Float => ArrowDataType::Float32,
            PhysicalType::Double => ArrowDataType::Float64,
            PhysicalType::ByteArray => ArrowDataType::BinaryView,
            PhysicalType::FixedLenByteArray(n) => ArrowDataType::FixedSizeBinary(n),
        };
        let field = Field::new(primitive.field_info.name.clone(), dtype, about.descriptor.max_def_level > 0);
        Ok(Self {
            about,
            field,
            at: start,
            end,
            left: rows,
            dictionary: Vec::new(),
            dictionary_held: 0,
            pages: Buffer::default(),
            next: 0..0,
            held: 0,
            ready: VecDeque::new(),
            used: 0,
        })
    }

    /// Whether all its values were there, and no more.
    pub fn close(&self) -> io::Result<()> {
        let rest = self.left + self.next.len() + self.ready();
        if rest == 0 { Ok(()) } else { Err(wrong(format!("a column with {rest} values more than its row group has rows"))) }
    }

    /// Bytes that it holds, about.
    pub fn held(&self) -> usize {
        self.dictionary.len() + self.dictionary_held + self.pages.len() + self.held
    }

    /// Values that are ready to be written.
    pub fn ready(&self) -> usize {
        self.ready.front().map_or(0, |cells| cells.len() - self.used)
    }

    /// The values that are ready, and how many of them are used up.
    pub fn cells(&self) -> Option<(&Cells, usize)> {
        self.ready.front().map(|cells| (cells, self.used))
    }

    /// So many more are used up.
    pub fn take(&mut self, n: usize) {
        self.used += n;
        if self.ready() == 0 {
            self.ready.pop_front();
            self.used = 0;
        }
    }

    /// Makes some values ready, where none are and there are any; `held` is what all columns hold.
    pub fn fill(&mut self, file: &mut File, held: usize) -> io::Result<()> {
        while self.ready() == 0 && self.left + self.next.len() > 0 {
            self.ready.clear();
            self.used = 0;
            if self.next.is_empty() {
                self.read(file, held)?;
            }
            let slice = self.next.start..self.next.end.min(self.next.start + VALUES);
            self.next.start = slice.end;
            self.decode(slice)?;
        }
        Ok(())
    }

    /// Reads the next pages.
    fn read(&mut self, file: &mut File, held: usize) -> io::Result<()> {
        self.pages = Buffer::default();
        self.held = 0;
        let mut bytes = self.dictionary.clone();
        let mut values = 0;
        while values < VALUES && self.held < BYTES && values < self.left {
            let head = self.head(file)?;
            let size = (head.header + head.packed) as u64;
            if size > self.end - self.at {
                return Err(wrong("a page that is longer than its column".to_owned()));
            }
            let unpacked = head.packed + head.unpacked;
            if held + self.held + unpacked + head.values.min(VALUES) * 16 > MOST_HELD {
                return Err(refused(format!("its pages are too large: more than {} MiB at a time", MOST_HELD >> 20)));
            }
            file.seek(SeekFrom::Start(self.at))?;
            let page = if head.is_dictionary { &mut self.dictionary } else { &mut bytes };
            if head.is_dictionary && (values > 0 || self.dictionary_held > 0) {
                return Err(wrong("a second dictionary".to_owned()));
            }
            let before = page.len();
            page.resize(before + size as usize, 0);
            file.read_exact(page.get_mut(before..).unwrap_or_default())?;
            self.at += size;
            if head.is_dictionary {
                // As views of sixteen bytes, each of a text of four and more.
                self.dictionary_held = unpacked + 4 * head.unpacked + 1;
                bytes.extend_from_slice(&self.dictionary);
            } else {
                self.held += unpacked + head.values.min(VALUES) * 16;
                values += head.values;
            }
        }
        self.left = self.left.checked_sub(values).ok_or_else(|| wrong("pages with more values than their column".to_owned()))?;
        self.pages = Buffer::from_vec(bytes);
        self.next = 0..values;
        Ok(())
    }

    /// The header of the page that comes next.
    fn head(&self, file: &mut File) -> io::Result<PageHead> {
        let mut length = HEADER;
        loop {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(self.at))?;
            file.take(length.min(self.end.saturating_sub(self.at))).read_to_end(&mut bytes)?;
            if let Some(head) = page_head(&bytes)? {
                return Ok(head);
            }
            if (bytes.len() as u64) < length || length >= MOST_HEADER {
                return Err(wrong("a column that ends before its last page".to_owned()));
            }
            length *= 32;
        }
    }

    /// Decodes a slice of the pages.
    fn decode(&mut self, slice: Range<usize>) -> io::Result<()> {
        let expected = slice.len();
        let all = self.next.end;
        let about = PageMetaData::new(0, all as i64, self.about.compression, self.about.descriptor.clone());
        let pages = PageReader::new_with_page_meta(Cursor::new(self.pages.clone()), about, Vec::new(), self.pages.len());
        let filter = (expected < all).then_some(Filter::Range(slice));
        let types = vec![&self.about.descriptor.primitive_type];
        let decoded = column_iter_to_arrays(vec![BasicDecompressor::new(pages, Vec::new())], types, self.field.clone(), filter);
        let (arrays, _) = decoded.map_err(|e| wrong(e.to_string()))?;
        self.ready = arrays.iter().filter(|array| !array.is_empty()).map(|array| Cells::of(array.as_ref())).collect::<io::Result<_>>()?;
        let got: usize = self.ready.iter().map(Cells::len).sum();
        if got == expected { Ok(()) } else { Err(wrong(format!("pages of {got} values that promised {expected}"))) }
    }
}
