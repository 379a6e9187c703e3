//! The lift: canonical columns as polars frames, and the one crossing between frames and records.
//!
//! *In*: records that the reader has grouped by ship and put in total order. *Out*: `positions` (one row a report) and
//! `particulars` (what a ship said of itself, one row a time it changed); and back again as plain slices.
//! A frame is built in chunks, of any order; the rows of one ship never stand in two.

pub mod canonical;

use crate::model::{AisClass, Fix, Mmsi, Particulars};
use polars::prelude::*;
use polars_parquet::read::FileMetadata;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter, Version, WriteOptions, ZstdLevel, array_to_columns, compress,
    fallible_streaming_iterator,
};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

/// A row of `positions` on its way into a frame.
#[derive(Clone, Debug, Default)]
pub struct PositionColumns {
    pub mmsi: Vec<u32>,
    pub t_ms: Vec<i64>,
    pub lat_e7: Vec<i32>,
    pub lon_e7: Vec<i32>,
    pub sog_dkn: Vec<u16>,
    pub cog_ddeg: Vec<u16>,
    pub heading_deg: Vec<u16>,
    pub status: Vec<u8>,
    pub particulars: Vec<u32>,
    pub row: Vec<u32>,
}

impl PositionColumns {
    /// Room for `n` rows.
    pub fn with_capacity(n: usize) -> Self {
        Self {
            mmsi: Vec::with_capacity(n),
            t_ms: Vec::with_capacity(n),
            lat_e7: Vec::with_capacity(n),
            lon_e7: Vec::with_capacity(n),
            sog_dkn: Vec::with_capacity(n),
            cog_ddeg: Vec::with_capacity(n),
            heading_deg: Vec::with_capacity(n),
            status: Vec::with_capacity(n),
            particulars: Vec::with_capacity(n),
            row: Vec::with_capacity(n),
        }
    }
    /// Adds a fix of a ship.
    pub fn push(&mut self, mmsi: u32, fix: &Fix) {
        self.extend(mmsi, std::slice::from_ref(fix));
    }
    /// Adds fixes of a ship.
    #[inline]
    pub fn extend(&mut self, mmsi: u32, fixes: &[Fix]) {
        self.mmsi.extend(std::iter::repeat_n(mmsi, fixes.len()));
        self.t_ms.extend(fixes.iter().map(|f| f.t_ms));
        self.lat_e7.extend(fixes.iter().map(|f| f.lat_e7));
        self.lon_e7.extend(fixes.iter().map(|f| f.lon_e7));
        self.sog_dkn.extend(fixes.iter().map(|f| f.sog_dkn));
        self.cog_ddeg.extend(fixes.iter().map(|f| f.cog_ddeg));
        self.heading_deg.extend(fixes.iter().map(|f| f.heading_deg));
        self.status.extend(fixes.iter().map(|f| f.status));
        self.particulars.extend(fixes.iter().map(|f| f.particulars));
        self.row.extend(fixes.iter().map(|f| f.row));
    }
    /// The chunk as a frame; its vectors become the columns without a copy.
    pub fn into_frame(self) -> PolarsResult<DataFrame> {
        let n = self.mmsi.len();
        DataFrame::new(
            n,
            vec![
                UInt32Chunked::from_vec("mmsi".into(), self.mmsi).into_column(),
                Int64Chunked::from_vec("t_ms".into(), self.t_ms).into_column(),
                Int32Chunked::from_vec("lat_e7".into(), self.lat_e7).into_column(),
                Int32Chunked::from_vec("lon_e7".into(), self.lon_e7).into_column(),
                UInt16Chunked::from_vec("sog_dkn".into(), self.sog_dkn).into_column(),
                UInt16Chunked::from_vec("cog_ddeg".into(), self.cog_ddeg).into_column(),
                UInt16Chunked::from_vec("heading_deg".into(), self.heading_deg).into_column(),
                UInt8Chunked::from_vec("status".into(), self.status).into_column(),
                UInt32Chunked::from_vec("particulars".into(), self.particulars).into_column(),
                UInt32Chunked::from_vec("row".into(), self.row).into_column(),
            ],
        )
    }
}

/// Chunks one below the other: their columns keep their chunks, nothing is copied.
pub fn stack(chunks: Vec<DataFrame>) -> PolarsResult<DataFrame> {
    let mut chunks = chunks.into_iter();
    let Some(mut frame) = chunks.next() else { return PositionColumns::default().into_frame() };
    for chunk in chunks {
        frame.vstack_mut_owned(chunk)?;
    }
    Ok(frame)
}

/// The rows of one ship as plain slices, in total order. Small: there may be a great many ships.
#[derive(Clone, Debug)]
pub struct ShipRows<'a> {
    pub mmsi: Mmsi,
    /// Where they begin in the chunk.
    from: u32,
    pub t_ms: &'a [i64],
    chunk: Arc<Chunk<'a>>,
}

/// The columns of a chunk but for those that ships have themselves.
#[derive(Debug)]
struct Chunk<'a> {
    lat_e7: &'a [i32],
    lon_e7: &'a [i32],
    sog_dkn: &'a [u16],
    cog_ddeg: &'a [u16],
    heading_deg: &'a [u16],
    status: &'a [u8],
    particulars: &'a [u32],
    row: &'a [u32],
}

impl ShipRows<'_> {
    /// One row as a record.
    #[inline]
    pub fn fix(&self, k: usize) -> Fix {
        let (t_ms, k, chunk) = (self.t_ms[k], self.from as usize + k, &*self.chunk);
        Fix {
            t_ms,
            lat_e7: chunk.lat_e7[k],
            lon_e7: chunk.lon_e7[k],
            sog_dkn: chunk.sog_dkn[k],
            cog_ddeg: chunk.cog_ddeg[k],
            heading_deg: chunk.heading_deg[k],
            status: chunk.status[k],
            particulars: chunk.particulars[k],
            row: chunk.row[k],
        }
    }
    /// The rows with a time in `from..to`; the slices must be in time order.
    pub fn between(&self, from: i64, to: i64) -> Self {
        // Mostly all of them, which the first and the last tell: those in the middle are far away in memory.
        let before = |moment: i64| match (self.t_ms.first(), self.t_ms.last()) {
            (Some(first), _) if *first >= moment => 0,
            (_, Some(last)) if *last < moment => self.t_ms.len(),
            _ => self.t_ms.partition_point(|t| *t < moment),
        };
        let (a, b) = (before(from), before(to));
        Self { from: self.from + a as u32, t_ms: &self.t_ms[a..b], ..self.clone() }
    }
}

/// The ships of a `positions` frame, in ascending order.
pub fn ships(positions: &DataFrame) -> PolarsResult<Vec<ShipRows<'_>>> {
    macro_rules! chunks {
        ($name:literal, $as:ident) => {
            positions.column($name)?.as_materialized_series().$as()?.downcast_iter().map(|a| a.values().as_slice()).collect::<Vec<_>>()
        };
    }
    let mmsi = chunks!("mmsi", u32);
    let (t_ms, lat, lon) = (chunks!("t_ms", i64), chunks!("lat_e7", i32), chunks!("lon_e7", i32));
    let (sog, cog, heading) = (chunks!("sog_dkn", u16), chunks!("cog_ddeg", u16), chunks!("heading_deg", u16));
    let (status, particulars, row) = (chunks!("status", u8), chunks!("particulars", u32), chunks!("row", u32));
    let of_chunk = |c: usize| {
        let (n, t_ms) = (mmsi[c].len(), t_ms[c]);
        let chunk = Arc::new(Chunk {
            lat_e7: &lat[c][..n],
            lon_e7: &lon[c][..n],
            sog_dkn: &sog[c][..n],
            cog_ddeg: &cog[c][..n],
            heading_deg: &heading[c][..n],
            status: &status[c][..n],
            particulars: &particulars[c][..n],
            row: &row[c][..n],
        });
        let mut to = 0;
        mmsi[c].chunk_by(|a, b| a == b).map(move |ship| {
            let from = to;
            to += ship.len();
            ShipRows { mmsi: Mmsi(ship[0]), from: from as u32, t_ms: &t_ms[from..to], chunk: Arc::clone(&chunk) }
        })
    };
    let mut out: Vec<ShipRows> = (0..mmsi.len()).into_par_iter().flat_map_iter(of_chunk).collect();
    out.sort_by_key(|s| s.mmsi);
    if let Some(pair) = out.windows(2).find(|pair| pair[0].mmsi == pair[1].mmsi) {
        polars_bail!(ComputeError: "the rows of {} do not stand together", pair[0].mmsi);
    }
    Ok(out)
}

/// The ships with a row from one time to before another, and those rows.
pub fn between<'a>(ships: &[ShipRows<'a>], from: i64, to: i64) -> Vec<ShipRows<'a>> {
    let some = |s: &&ShipRows| s.t_ms.partition_point(|t| *t < from) < s.t_ms.partition_point(|t| *t < to);
    let mut out = Vec::with_capacity(ships.iter().filter(some).count());
    out.extend(ships.iter().filter(some).map(|s| s.between(from, to)));
    out
}

/// The `particulars` frame: one row for everything distinct that any ship said of itself; `positions.particulars` is the row.
pub fn particulars(table: &[Particulars]) -> PolarsResult<DataFrame> {
    let text = |name: &str, f: fn(&Particulars) -> &str| StringChunked::from_iter_values(name.into(), table.iter().map(f)).into_column();
    let number = |name: &str, f: fn(&Particulars) -> u16| UInt16Chunked::from_vec(name.into(), table.iter().map(f).collect()).into_column();
    DataFrame::new(
        table.len(),
        vec![
            text("name", |p| &p.name),
            UInt32Chunked::from_vec("imo".into(), table.iter().map(|p| p.imo).collect()).into_column(),
            text("call_sign", |p| &p.call_sign),
            number("ship_type", |p| p.ship_type),
            number("length_dm", |p| p.length_dm),
            number("beam_dm", |p| p.beam_dm),
            number("draught_dm", |p| p.draught_dm),
            number("cargo", |p| p.cargo),
            UInt8Chunked::from_vec(
                "class".into(),
                table
                    .iter()
                    .map(|p| match p.class {
                        AisClass::Unknown => 0,
                        AisClass::A => 1,
                        AisClass::B => 2,
                    })
                    .collect(),
            )
            .into_column(),
            number("to_bow_m", |p| p.to_bow_m),
            number("to_stern_m", |p| p.to_stern_m),
            number("to_port_m", |p| p.to_port_m),
            number("to_starboard_m", |p| p.to_starboard_m),
        ],
    )
}

/// The records of a `particulars` frame, by row.
pub fn particulars_records(frame: &DataFrame) -> PolarsResult<Vec<Particulars>> {
    let text = |name: &str| frame.column(name)?.as_materialized_series().str();
    let number = |name: &str| -> PolarsResult<Vec<u16>> { Ok(frame.column(name)?.as_materialized_series().u16()?.iter().map(|v| v.unwrap_or(0)).collect()) };
    let (names, call_signs) = (text("name")?, text("call_sign")?);
    let imo: Vec<u32> = frame.column("imo")?.as_materialized_series().u32()?.iter().map(|v| v.unwrap_or(0)).collect();
    let (types, lengths, beams) = (number("ship_type")?, number("length_dm")?, number("beam_dm")?);
    let (draughts, cargos) = (number("draught_dm")?, number("cargo")?);
    let (bows, sterns, ports, starboards) = (number("to_bow_m")?, number("to_stern_m")?, number("to_port_m")?, number("to_starboard_m")?);
    let classes: Vec<u8> = frame.column("class")?.as_materialized_series().u8()?.iter().map(|v| v.unwrap_or(0)).collect();
    Ok(names
        .iter()
        .zip(call_signs.iter())
        .enumerate()
        .map(|(k, (name, call_sign))| Particulars {
            name: name.unwrap_or_default().into(),
            imo: imo[k],
            call_sign: call_sign.unwrap_or_default().into(),
            ship_type: types[k],
            length_dm: lengths[k],
            beam_dm: beams[k],
            draught_dm: draughts[k],
            cargo: cargos[k],
            class: match classes[k] {
                1 => AisClass::A,
                2 => AisClass::B,
                _ => AisClass::Unknown,
            },
            to_bow_m: bows[k],
            to_stern_m: sterns[k],
            to_port_m: ports[k],
            to_starboard_m: starboards[k],
        })
        .collect())
}

/// Fixes of the tracks of events, column by column, on their way into `tracks.parquet`.
#[derive(Clone, Debug, Default)]
pub struct TrackColumns {
    /// Stretches of rows that share event, vessel, MMSI and track.
    pub stretches: Vec<Stretch>,
    pub t_ms: Vec<i64>,
    pub lat_e7: Vec<i32>,
    pub lon_e7: Vec<i32>,
    pub sog_dkn: Vec<Option<u16>>,
    pub cog_ddeg: Vec<Option<u16>>,
    pub heading_deg: Vec<Option<u16>>,
    pub status: Vec<Option<u8>>,
    pub file: Vec<u32>,
    pub line: Vec<u32>,
}

/// One ship's rows of one event.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    pub event_id: String,
    /// 1 or 2.
    pub vessel: u8,
    pub mmsi: u32,
    pub track_id: String,
    pub rows: usize,
}

impl TrackColumns {
    fn into_frame(self) -> PolarsResult<DataFrame> {
        let stretches = &self.stretches;
        let words = |name: &str, word: fn(&Stretch) -> &str| {
            StringChunked::from_iter_values(name.into(), stretches.iter().flat_map(|s| std::iter::repeat_n(word(s), s.rows))).into_column()
        };
        let numbers = |name: &str, number: fn(&Stretch) -> u32| {
            UInt32Chunked::from_vec(name.into(), stretches.iter().flat_map(|s| std::iter::repeat_n(number(s), s.rows)).collect()).into_column()
        };
        DataFrame::new(
            self.t_ms.len(),
            vec![
                words("event_id", |s| &s.event_id),
                numbers("vessel", |s| u32::from(s.vessel)).cast(&DataType::UInt8)?,
                numbers("mmsi", |s| s.mmsi),
                words("track_id", |s| &s.track_id),
                Int64Chunked::from_vec("t".into(), self.t_ms).into_column().cast(&DataType::Datetime(TimeUnit::Milliseconds, None))?,
                Int32Chunked::from_vec("lat_e7".into(), self.lat_e7).into_column(),
                Int32Chunked::from_vec("lon_e7".into(), self.lon_e7).into_column(),
                UInt16Chunked::from_iter_options("sog_dkn".into(), self.sog_dkn.into_iter()).into_column(),
                UInt16Chunked::from_iter_options("cog_ddeg".into(), self.cog_ddeg.into_iter()).into_column(),
                UInt16Chunked::from_iter_options("heading_deg".into(), self.heading_deg.into_iter()).into_column(),
                UInt8Chunked::from_iter_options("status".into(), self.status.into_iter()).into_column(),
                UInt32Chunked::from_vec("file".into(), self.file).into_column(),
                UInt32Chunked::from_vec("line".into(), self.line).into_column(),
            ],
        )
    }
}

/// Writes pieces of tracks as row groups of one Parquet file, one piece in memory at a time. There is one group at least.
pub fn write_tracks(pieces: impl Iterator<Item = TrackColumns>, out: impl Write) -> PolarsResult<()> {
    let schema = TrackColumns::default().into_frame()?.schema().clone();
    let mut writer = ParquetWriter::new(out).with_compression(ParquetCompression::Snappy).batched(&schema)?;
    let mut none = true;
    for piece in pieces {
        writer.write_batch(&piece.into_frame()?)?;
        none = false;
    }
    if none {
        writer.write_batch(&TrackColumns::default().into_frame()?)?;
    }
    writer.finish()?;
    Ok(())
}

/// Rows of a row group of kept positions: they are written and read back a group at a time.
const KEPT_ROWS: usize = 1 << 15;
/// Row groups packed beside each other, a megabyte each.
const PACKED: usize = 16;

/// Writes fixes of ships as Parquet, a few row groups in memory at a time; returns how many. Columns are written as differences from row
/// to row: polars would first look for a dictionary of each, which takes half as long as reading the file that the rows came from.
pub fn write_positions(fixes: impl Iterator<Item = (u32, Fix)>, out: impl Write) -> PolarsResult<u64> {
    let schema = PositionColumns::default().into_frame()?.schema().to_arrow(CompatLevel::newest());
    let compression = CompressionOptions::Zstd(Some(ZstdLevel::try_new(1)?));
    let options = WriteOptions { statistics: StatisticsOptions::empty(), version: Version::V1, compression, data_page_size: None };
    let mut writer = FileWriter::try_new(out, schema, options)?;
    let fields = writer.parquet_schema().fields().to_vec();
    // A column's pages, column by column.
    let packed = |group: DataFrame| -> PolarsResult<(u64, Vec<Vec<CompressedPage>>)> {
        let mut columns = Vec::new();
        for chunk in group.iter_chunks(CompatLevel::newest(), false) {
            for (column, field) in chunk.columns().iter().zip(&fields) {
                let pages = array_to_columns(column, field.clone(), options, &[Encoding::DeltaBinaryPacked])?.into_iter().flatten();
                columns.push(pages.map(|page| Ok(compress(page?, Vec::new(), compression)?)).collect::<PolarsResult<_>>()?);
            }
        }
        Ok((group.height() as u64, columns))
    };
    let (mut fixes, mut written) = (fixes.peekable(), 0);
    while fixes.peek().is_some() {
        let mut groups = Vec::with_capacity(PACKED);
        while groups.len() < PACKED && fixes.peek().is_some() {
            let mut columns = PositionColumns::with_capacity(KEPT_ROWS);
            fixes.by_ref().take(KEPT_ROWS).for_each(|(mmsi, fix)| columns.push(mmsi, &fix));
            groups.push(columns.into_frame()?);
        }
        for group in groups.into_par_iter().map(packed).collect::<Vec<_>>() {
            let (rows, columns) = group?;
            writer.write(rows, DynIter::new(columns.iter().map(|pages| Ok(pages_of(pages)))))?;
            written += rows;
        }
    }
    writer.end(None)?;
    Ok(written)
}

fn pages_of(pages: &[CompressedPage]) -> DynStreamingIterator<'_, CompressedPage, PolarsError> {
    DynStreamingIterator::new(fallible_streaming_iterator::convert(pages.iter().map(PolarsResult::Ok)))
}

/// What [`write_positions`] wrote, one row group in memory at a time.
pub struct KeptPositions {
    bytes: Vec<u8>,
    metadata: Arc<FileMetadata>,
    at: usize,
}

impl KeptPositions {
    /// From the bytes of the file.
    pub fn new(bytes: Vec<u8>) -> PolarsResult<Self> {
        let metadata = ParquetReader::new(std::io::Cursor::new(bytes.as_slice())).get_metadata()?.clone();
        Ok(Self { bytes, metadata, at: 0 })
    }
    fn reader(&self) -> ParquetReader<std::io::Cursor<&[u8]>> {
        let mut reader = ParquetReader::new(std::io::Cursor::new(self.bytes.as_slice())).set_rechunk(true).read_parallel(ParallelStrategy::Columns);
        reader.set_metadata(Arc::clone(&self.metadata));
        reader
    }
    /// The next fixes of wanted ships in the order of the file, of all where none are named; none at its end.
    pub fn next_fixes(&mut self, wanted: Option<&BTreeSet<u32>>) -> PolarsResult<Vec<(u32, Fix)>> {
        while self.at < self.metadata.num_rows {
            let group = Some((self.at, KEPT_ROWS));
            self.at += KEPT_ROWS;
            if let Some(wanted) = wanted {
                // Where there is none of them the other columns are left alone.
                let mmsi = self.reader().with_slice(group).with_columns(Some(vec!["mmsi".to_owned()])).finish()?;
                let mmsi = mmsi.column("mmsi")?.as_materialized_series().u32()?.clone();
                let (first, last) = (mmsi.first().unwrap_or(1), mmsi.last().unwrap_or(0));
                if first > last || wanted.range(first..=last).next().is_none() {
                    continue;
                }
            }
            let piece = self.reader().with_slice(group).finish()?;
            let ships = ships(&piece)?;
            let of_wanted = ships.iter().filter(|ship| wanted.is_none_or(|wanted| wanted.contains(&ship.mmsi.0)));
            let fixes: Vec<(u32, Fix)> = of_wanted.flat_map(|ship| (0..ship.t_ms.len()).map(|k| (ship.mmsi.0, ship.fix(k)))).collect();
            if !fixes.is_empty() {
                return Ok(fixes);
            }
        }
        Ok(Vec::new())
    }
    /// How many rows it holds.
    pub fn rows(&self) -> usize {
        self.metadata.num_rows
    }
    /// The largest row number in it.
    pub fn last_row(&self) -> PolarsResult<Option<u32>> {
        let rows = self.reader().with_columns(Some(vec!["row".to_owned()])).finish()?;
        Ok(rows.column("row")?.as_materialized_series().u32()?.max())
    }
}

/// A frame as the bytes of a Parquet file.
pub fn to_parquet(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).with_compression(ParquetCompression::Zstd(None)).finish(frame)?;
    Ok(bytes)
}

/// A frame from the bytes of a Parquet file that [`to_parquet`] made.
pub fn from_parquet(bytes: Vec<u8>) -> PolarsResult<DataFrame> {
    ParquetReader::new(std::io::Cursor::new(bytes)).set_rechunk(true).finish()
}
