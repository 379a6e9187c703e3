//! Tracks as a state carries them: column by column, each value as its difference to the one before. Most of a state are fixes, and most
//! fixes are a little later than the last and a little farther on: that is small before it is compressed, and quick.

use crate::model::{Fix, Mmsi, Track, TrackId};
use rayon::prelude::*;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Tracks to bytes.
pub fn serialize<S: Serializer>(tracks: &[Track], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(tracks.iter().map(|track| (track.id, track.mmsi, Both(&track.fixes, &track.earlier_ms))))
}

/// Tracks from bytes.
pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<Track>, D::Error> {
    let packed: Vec<(TrackId, Mmsi, Packed)> = Vec::deserialize(from)?;
    let track = |(id, mmsi, Packed(bytes))| unpack(bytes).map(|(fixes, earlier_ms)| Track { id, mmsi, fixes, earlier_ms });
    packed.into_par_iter().map(track).collect::<Option<_>>().ok_or_else(|| D::Error::custom("packed fixes that are none"))
}

struct Both<'a>(&'a [Fix], &'a [i64]);

impl Serialize for Both<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&pack(self.0, self.1))
    }
}

/// Where packed fixes lie in what is read.
struct Packed<'d>(&'d [u8]);

impl<'d> Deserialize<'d> for Packed<'d> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(from).map(Self)
    }
}

/// Columns of a fix.
const COLUMNS: usize = 9;

/// Fixes, and times of earlier ones, as bytes: how many, then column after column.
pub fn pack(fixes: &[Fix], earlier_ms: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + fixes.len() * 16 + earlier_ms.len() * 3);
    put(&mut out, fixes.len() as u64);
    put(&mut out, earlier_ms.len() as u64);
    put_column(&mut out, earlier_ms, |t| *t);
    put_column(&mut out, fixes, |f| f.t_ms);
    put_column(&mut out, fixes, |f| f.lat_e7);
    put_column(&mut out, fixes, |f| f.lon_e7);
    put_column(&mut out, fixes, |f| f.sog_dkn);
    put_column(&mut out, fixes, |f| f.cog_ddeg);
    put_column(&mut out, fixes, |f| f.heading_deg);
    put_column(&mut out, fixes, |f| f.status);
    put_column(&mut out, fixes, |f| f.particulars);
    put_column(&mut out, fixes, |f| f.row);
    out
}

/// Both from [`pack`]; none where the bytes are not such.
pub fn unpack(mut bytes: &[u8]) -> Option<(Vec<Fix>, Box<[i64]>)> {
    let n = usize::try_from(take(&mut bytes)?).ok()?;
    let earlier = usize::try_from(take(&mut bytes)?).ok()?;
    // A value takes a byte at least.
    if n > bytes.len() / COLUMNS || earlier > bytes.len() {
        return None;
    }
    let mut earlier_ms = vec![0; earlier].into_boxed_slice();
    take_column(&mut bytes, &mut earlier_ms, |t| t)?;
    let blank = Fix { t_ms: 0, lat_e7: 0, lon_e7: 0, sog_dkn: 0, cog_ddeg: 0, heading_deg: 0, status: 0, particulars: 0, row: 0 };
    let mut fixes = vec![blank; n];
    take_column(&mut bytes, &mut fixes, |f| &mut f.t_ms)?;
    take_column(&mut bytes, &mut fixes, |f| &mut f.lat_e7)?;
    take_column(&mut bytes, &mut fixes, |f| &mut f.lon_e7)?;
    take_column(&mut bytes, &mut fixes, |f| &mut f.sog_dkn)?;
    take_column(&mut bytes, &mut fixes, |f| &mut f.cog_ddeg)?;
    take_column(&mut bytes, &mut fixes, |f| &mut f.heading_deg)?;
    take_column(&mut bytes, &mut fixes, |f| &mut f.status)?;
    take_column(&mut bytes, &mut fixes, |f| &mut f.particulars)?;
    take_column(&mut bytes, &mut fixes, |f| &mut f.row)?;
    bytes.is_empty().then_some((fixes, earlier_ms))
}

fn put_column<R, T: Into<i64>>(out: &mut Vec<u8>, rows: &[R], field: impl Fn(&R) -> T) {
    let mut last = 0i64;
    for row in rows {
        let value = field(row).into();
        let step = value.wrapping_sub(last);
        put(out, (step << 1 ^ step >> 63) as u64);
        last = value;
    }
}

fn take_column<R, T: TryFrom<i64>>(bytes: &mut &[u8], rows: &mut [R], field: impl Fn(&mut R) -> &mut T) -> Option<()> {
    let mut last = 0i64;
    rows.iter_mut().try_for_each(|row| {
        let step = take(bytes)?;
        last = last.wrapping_add((step >> 1) as i64 ^ -((step & 1) as i64));
        *field(row) = last.try_into().ok()?;
        Some(())
    })
}

/// Seven bits a byte, the lowest first.
#[inline]
fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
