//! Rows that are handed on while more are read, so that a file of a month does not need the memory of a month.
//!
//! What is handed on is a [`Part`]: the rows by ship in total order, with a table of their own. Rows of one day may come in several
//! parts, and a row may repeat one of an earlier part: whoever takes the parts brings each day together.

use crate::frame;
use crate::ingest::Error;
use crate::ingest::gather::{Context, Days, frame_error, group};
use crate::ingest::scan::{Scanned, Worker};
use crate::ingest::store::{Dropped, Store};
use polars::prelude::DataFrame;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Rows that were handed on.
pub struct Part {
    /// One row a report; the rows of a ship stand together, in total order.
    pub positions: DataFrame,
    /// What their `particulars` are the places in.
    pub particulars: DataFrame,
}

/// Takes parts.
pub type Taker<'a> = &'a mut dyn FnMut(Part) -> Result<(), Error>;

/// Share of the rows, one in so many, that a day must hold for it to be worth handing the others on.
const WORTH: u64 = 50;

/// What was handed on so far.
pub struct Spill<'a> {
    taker: Option<Taker<'a>>,
    /// Fixes in memory after which they are handed on.
    after: usize,
    /// Rows by day since the last time.
    days: BTreeMap<i32, u64>,
    /// Rows handed on, by stream.
    pub accepted: BTreeMap<usize, u64>,
    /// Duplicates that fell among them and before.
    pub dropped: Vec<Dropped>,
    /// Parts so far.
    pub parts: usize,
    /// Why a part was not taken: reading ends with it.
    pub broken: Option<Error>,
}

impl<'a> Spill<'a> {
    /// To a taker, where there is one.
    pub fn new(taker: Option<Taker<'a>>, after: usize) -> Self {
        Self { taker, after, days: BTreeMap::new(), accepted: BTreeMap::new(), dropped: Vec::new(), parts: 0, broken: None }
    }

    /// How many fixes may come before [`Self::look`].
    pub fn room(&self) -> usize {
        if self.taker.is_some() { (self.after / 4).max(1) } else { usize::MAX }
    }

    /// Hands on what the store holds, where it is much and of more than one day. Returns whether reading may go on.
    pub fn look(&mut self, round: &[Scanned], store: &mut Store, workers: &[Mutex<Worker>]) -> bool {
        if self.taker.is_none() {
            return true;
        }
        for (day, n) in round.iter().flat_map(|block| &block.days) {
            *self.days.entry(*day).or_default() += n;
        }
        let total: u64 = self.days.values().sum();
        if store.len() < self.after || self.days.values().filter(|n| **n * WORTH >= total).count() < 2 {
            return true;
        }
        self.days.clear();
        self.broken = self.hand_on(store.take(), workers).err();
        self.broken.is_none()
    }

    fn hand_on(&mut self, store: Store, workers: &[Mutex<Worker>]) -> Result<(), Error> {
        let first_rows = store.first_rows().to_vec();
        let context = Context { days: Days::Open, first_rows: &first_rows };
        let (table, grouped, dropped) = store.finish(workers, |mmsis, starts, fixes| group(mmsis, starts, fixes, &context));
        let mut grouped = grouped.into_iter().collect::<Result<Vec<_>, _>>().map_err(frame_error)?;
        for shard in &mut grouped {
            shard.accepted.iter().for_each(|(stream, n)| *self.accepted.entry(*stream).or_default() += n);
            self.dropped.push(std::mem::take(&mut shard.dropped));
        }
        self.dropped.extend(dropped);
        self.parts += 1;
        let positions = frame::stack(grouped.into_iter().map(|shard| shard.positions).filter(|f| f.height() > 0).collect()).map_err(frame_error)?;
        let particulars = frame::particulars(&table).map_err(frame_error)?;
        self.taker.as_mut().map_or(Ok(()), |take| take(Part { positions, particulars }))
    }

    /// Takes back what was counted of a stream that is refused; its rows in earlier parts are dropped by whoever has them.
    pub fn forget(&mut self, stream: usize, first_row: u64) {
        self.accepted.remove(&stream);
        self.dropped.iter_mut().for_each(|d| d.forget(stream, first_row));
    }
}
