//! Cells to text: the shortest that says the same, as files of lines have it.

use super::wrong;
use crate::ingest::scan::MOST_LINE;
use crate::model::time::{self, DAY_MS};
use polars_arrow::array::{Array, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, StaticArray};
use polars_parquet::parquet::schema::types::{IntegerType, PrimitiveConvertedType, PrimitiveType};
use polars_parquet::read::{ParquetTimeUnit, PhysicalType, PrimitiveLogicalType};
use std::io;

/// How the cells of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A whole number.
    Integer,
    /// A whole number that has no sign.
    Unsigned,
    /// A whole number of so many digits behind the point.
    Decimal(u8),
    /// A float.
    Float,
    /// Bytes, as they are.
    Text,
    /// True or false.
    Truth,
    /// A time, as so many of its units to a millisecond: `2020-01-01T00:00:00`, with a fraction where there is one. UTC.
    Instant(i64),
    /// A time in milliseconds of a day number.
    Date,
    /// The first number of a point in well-known binary.
    PointX,
    /// The second.
    PointY,
}

impl Form {
    /// Of a column of the file; None where it holds what is no cell of a table of ships.
    pub fn of(column: &PrimitiveType) -> Option<Self> {
        use PrimitiveConvertedType as Converted;
        use PrimitiveLogicalType as Logical;
        let instant = |per_ms: i64| Some(Self::Instant(per_ms));
        let unsigned = |t: IntegerType| matches!(t, IntegerType::UInt8 | IntegerType::UInt16 | IntegerType::UInt32 | IntegerType::UInt64);
        let logical = column.logical_type.as_ref();
        let converted = column.converted_type.as_ref();
        match column.physical_type {
            PhysicalType::Boolean => Some(Self::Truth),
            PhysicalType::Float | PhysicalType::Double => Some(Self::Float),
            PhysicalType::ByteArray => (!matches!(logical, Some(Logical::Decimal(..)))).then_some(Self::Text),
            PhysicalType::Int96 => instant(1_000_000),
            PhysicalType::FixedLenByteArray(n) => match (logical, converted) {
                (Some(Logical::Decimal(digits, scale)), _) | (None, Some(Converted::Decimal(digits, scale))) if *digits <= 18 && (1..=16).contains(&n) => {
                    u8::try_from(*scale).ok().filter(|s| *s <= 18).map(Self::Decimal)
                }
                _ => None,
            },
            PhysicalType::Int32 | PhysicalType::Int64 => match (logical, converted) {
                (Some(Logical::Timestamp { unit, .. }), _) => match unit {
                    ParquetTimeUnit::Milliseconds => instant(1),
                    ParquetTimeUnit::Microseconds => instant(1_000),
                    ParquetTimeUnit::Nanoseconds => instant(1_000_000),
                },
                (Some(Logical::Date), _) | (None, Some(Converted::Date)) => Some(Self::Date),
                (Some(Logical::Decimal(_, scale)), _) | (None, Some(Converted::Decimal(_, scale))) => {
                    u8::try_from(*scale).ok().filter(|s| *s <= 18).map(Self::Decimal)
                }
                (Some(Logical::Integer(t)), _) if unsigned(*t) => Some(Self::Unsigned),
                (Some(Logical::Time { .. }), _) => None,
                (None, Some(Converted::TimestampMillis)) => instant(1),
                (None, Some(Converted::TimestampMicros)) => instant(1_000),
                (None, Some(Converted::Uint8 | Converted::Uint16 | Converted::Uint32 | Converted::Uint64)) => Some(Self::Unsigned),
                _ => Some(Self::Integer),
            },
        }
    }

    /// Whether it is written as a time, whatever form the layout has for them.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Instant(_) | Self::Date)
    }
}

/// Values of a column, as they are stored.
pub enum Cells {
    Truth(BooleanArray),
    I32(PrimitiveArray<i32>),
    I64(PrimitiveArray<i64>),
    F32(PrimitiveArray<f32>),
    F64(PrimitiveArray<f64>),
    Fixed(FixedSizeBinaryArray),
    Bytes(BinaryViewArray),
}

impl Cells {
    /// Of what the library decoded.
    pub fn of(array: &dyn Array) -> io::Result<Self> {
        let any = array.as_any();
        let truth = any.downcast_ref().cloned().map(Self::Truth);
        let cells = truth
            .or_else(|| any.downcast_ref().cloned().map(Self::I32))
            .or_else(|| any.downcast_ref().cloned().map(Self::I64))
            .or_else(|| any.downcast_ref().cloned().map(Self::F32))
            .or_else(|| any.downcast_ref().cloned().map(Self::F64))
            .or_else(|| any.downcast_ref().cloned().map(Self::Fixed))
            .or_else(|| any.downcast_ref().cloned().map(Self::Bytes));
        cells.ok_or_else(|| wrong("values of another type than its column".to_owned()))
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Truth(a) => a.len(),
            Self::I32(a) => a.len(),
            Self::I64(a) => a.len(),
            Self::F32(a) => a.len(),
            Self::F64(a) => a.len(),
            Self::Fixed(a) => a.len(),
            Self::Bytes(a) => a.len(),
        }
    }

    /// Writes the `k`th; a null, and a float that is no number, as nothing.
    #[inline]
    pub fn write(&self, k: usize, form: Form, day: &mut Day, out: &mut Vec<u8>) {
        match self {
            Self::I32(a) => a.get(k).into_iter().for_each(|v| integer(i64::from(v), if form == Form::Unsigned { 32 } else { 64 }, form, day, out)),
            Self::I64(a) => a.get(k).into_iter().for_each(|v| integer(v, 64, form, day, out)),
            Self::F32(a) => a.get(k).filter(|v| !v.is_nan()).into_iter().for_each(|v| float_32(v, out)),
            Self::F64(a) => a.get(k).filter(|v| !v.is_nan()).into_iter().for_each(|v| float(v, out)),
            Self::Fixed(a) => a.get(k).into_iter().for_each(|v| match whole(v) {
                Some(v) => integer(v, 64, form, day, out),
                None => out.extend_from_slice(b"too large"),
            }),
            Self::Bytes(a) => a.get(k).into_iter().for_each(|v| bytes(v, form, out)),
            Self::Truth(a) => a.get(k).into_iter().for_each(|v| out.extend_from_slice(if v { b"true" } else { b"false" })),
        }
    }
}

/// A number of two's complement, the greatest byte first, where it fits.
fn whole(bytes: &[u8]) -> Option<i64> {
    let sign = if bytes.first().is_some_and(|b| *b >= 128) { 255 } else { 0 };
    let mut wide = [sign; 16];
    wide.get_mut(16usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    i64::try_from(i128::from_be_bytes(wide)).ok()
}

fn integer(v: i64, bits: u32, form: Form, day: &mut Day, out: &mut Vec<u8>) {
    match form {
        Form::Instant(per_ms) => instant(v.div_euclid(per_ms), day, out),
        Form::Date => instant(v.saturating_mul(DAY_MS), day, out),
        Form::Decimal(scale) => decimal(v, u32::from(scale), out),
        Form::Unsigned => out.extend_from_slice(itoa::Buffer::new().format(if bits == 32 { u64::from(v as u32) } else { v as u64 }).as_bytes()),
        _ => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
    }
}

/// A number of so many digits behind the point, without the zeros that end it.
fn decimal(v: i64, scale: u32, out: &mut Vec<u8>) {
    match scale {
        0 => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
        1 => decimal_of::<1>(v, out),
        2 => decimal_of::<2>(v, out),
        5 => decimal_of::<5>(v, out),
        7 => decimal_of::<7>(v, out),
        _ => digits(v, 10u64.pow(scale), out),
    }
}

/// Of a scale that the compiler knows, and mostly of a number that fits into a few bytes: this is most of what is written.
#[inline]
fn decimal_of<const SCALE: u32>(v: i64, out: &mut Vec<u8>) {
    let one = const { 10u64.pow(SCALE) };
    let (whole, mut rest) = (v.unsigned_abs() / one, v.unsigned_abs() % one);
    if whole > 999 {
        return digits(v, one, out);
    }
    let mut text = [0u8; 16];
    let mut n = 0;
    let mut put = |digit: u64, n: &mut usize| {
        if let Some(to) = text.get_mut(*n) {
            *to = b'0' + digit as u8;
        }
        *n += 1;
    };
    if v < 0 {
        out.push(b'-');
    }
    if whole > 99 {
        put(whole / 100, &mut n);
    }
    if whole > 9 {
        put(whole / 10 % 10, &mut n);
    }
    put(whole % 10, &mut n);
    let mut length = n;
    if rest > 0 {
        // The point comes last: its place is kept.
        n += 1;
        let mut place = one;
        for _ in 0..SCALE {
            place /= 10;
            put(rest / place, &mut n);
            rest %= place;
            if rest == 0 {
                break;
            }
        }
        if let Some(point) = text.get_mut(length) {
            *point = b'.';
        }
        length = n;
    }
    let begin = out.len();
    out.extend_from_slice(&text);
    out.truncate(begin + length);
}

fn digits(v: i64, one: u64, out: &mut Vec<u8>) {
    let size = v.unsigned_abs();
    if v < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(itoa::Buffer::new().format(size / one).as_bytes());
    let mut rest = size % one;
    if rest > 0 {
        out.push(b'.');
    }
    let mut place = one;
    while rest > 0 {
        place /= 10;
        out.push(b'0' + (rest / place) as u8);
        rest %= place;
    }
}

/// A float: most are decimals of few digits, and these are found faster than any float is written. Where the decimal of at most
/// fifteen digits reads back as the float it is its shortest text.
fn float(v: f64, out: &mut Vec<u8>) {
    const ONE: f64 = 1e5;
    let n = (v * ONE + 0.5f64.copysign(v)) as i64;
    if n.unsigned_abs() < 1_000_000_000_000_000 && n as f64 / ONE == v {
        decimal_of::<5>(n, out);
    } else {
        out.extend_from_slice(zmij::Buffer::new().format(v).as_bytes());
    }
}

/// The same of half the width, of at most six digits.
fn float_32(v: f32, out: &mut Vec<u8>) {
    const ONE: f64 = 1e2;
    let n = (f64::from(v) * ONE + 0.5f64.copysign(f64::from(v))) as i64;
    if n.unsigned_abs() < 1_000_000 && (n as f64 / ONE) as f32 == v {
        decimal_of::<2>(n, out);
    } else {
        out.extend_from_slice(zmij::Buffer::new().format(v).as_bytes());
    }
}

/// The text of the day that was written last: neighbouring rows share it.
pub type Day = (i32, [u8; 10]);

/// A time, to the millisecond.
fn instant(t_ms: i64, day: &mut Day, out: &mut Vec<u8>) {
    // Years of four digits have no others beside them; what lies outside is a time that no layout reads.
    if !(0..253_402_300_800_000).contains(&t_ms) {
        out.extend_from_slice(itoa::Buffer::new().format(t_ms).as_bytes());
        return;
    }
    let today = time::day_of(t_ms);
    if day.0 != today || day.1[0] == 0 {
        *day = (today, time::day_text(today).as_bytes().first_chunk().copied().unwrap_or_default());
    }
    out.extend_from_slice(&day.1);
    let ms = t_ms.rem_euclid(DAY_MS);
    let s = ms / 1000;
    let two = |v: i64| [b'0' + (v / 10) as u8, b'0' + (v % 10) as u8];
    let [[a, b], [c, d], [e, f]] = [s / 3600, s / 60 % 60, s % 60].map(two);
    out.extend_from_slice(&[b'T', a, b, b':', c, d, b':', e, f]);
    let fraction = ms % 1000;
    if fraction > 0 {
        let [b, c] = two(fraction % 100);
        out.extend_from_slice(&[b'.', b'0' + (fraction / 100) as u8, b, c]);
    }
}

/// A text stays in its cell: in quotes where it holds what would part it, and a line's end becomes a blank. One that no line has
/// room for is cut so that it still has none.
fn bytes(v: &[u8], form: Form, out: &mut Vec<u8>) {
    match form {
        Form::PointX => point(v, 0, out),
        Form::PointY => point(v, 1, out),
        _ if v.len() <= MOST_LINE && !v.iter().fold(false, |parts, b| parts | matches!(b, b',' | b'"' | b'\n' | b'\r')) => out.extend_from_slice(v),
        _ => {
            out.push(b'"');
            for b in v.iter().take(MOST_LINE) {
                match b {
                    b'"' => out.extend_from_slice(b"\"\""),
                    b'\n' | b'\r' => out.push(b' '),
                    _ => out.push(*b),
                }
            }
            out.push(b'"');
        }
    }
}

/// A number of a point in well-known binary, or EWKB, of two dimensions and more; an empty point has none, and what is no point is
/// written as what no layout takes for a number.
fn point(wkb: &[u8], axis: usize, out: &mut Vec<u8>) {
    let read = || {
        let (order, rest) = wkb.split_first()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let little = *order == 1;
        let kind = if little { u32::from_le_bytes(*kind) } else { u32::from_be_bytes(*kind) };
        // The high bits and the thousands say which numbers follow the first two; a number of the reference system may stand before.
        let rest = if kind & 0x2000_0000 == 0 { rest } else { rest.get(4..)? };
        let number = rest.get(axis * 8..)?.first_chunk::<8>()?;
        (*order <= 1 && (kind & 0x0fff_ffff) % 1000 == 1).then(|| if little { f64::from_le_bytes(*number) } else { f64::from_be_bytes(*number) })
    };
    match read() {
        Some(v) if v.is_nan() => {}
        Some(v) => float(v, out),
        None => out.extend_from_slice(b"no point"),
    }
}
