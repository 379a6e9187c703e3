//! What came is taken in: each input replaces what its name held before, and is accounted for.

use crate::ingest::store::stream_of;
use crate::ingest::{self, Delivery, Limits, container, layout, spill};
use crate::model::{FileAccount, Reject, RejectReason, time};
use crate::run::oneshot::{self, Progress};
use crate::run::state::index::{Index, Input, Rows};
use crate::run::state::objects::{Objects, name_of};
use crate::run::state::rows::{self, DayOf, Fresh, Kept};
use crate::run::state::{Error, input_name};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a night took in.
#[derive(Debug, Default)]
pub struct Taken {
    /// Row accounting of the inputs that were read.
    pub accounts: Vec<FileAccount>,
    /// Refused rows.
    pub rejects: Vec<Reject>,
    /// Inputs that were refused.
    pub refused: Vec<ingest::Error>,
    /// Inputs that were there already, with the same bytes.
    pub unchanged: Vec<String>,
    /// By input that was read: where its rows are accounted for.
    numbered: BTreeMap<String, Numbered>,
    /// The rows of the one input, where they need not be read again.
    pub fresh: Option<Fresh>,
}

/// Where the rows of an input are accounted for.
#[derive(Clone, Debug, Default)]
struct Numbered {
    /// Its first account.
    first: usize,
    /// Where the rows of each of its accounts begin.
    rows: Vec<u32>,
}

/// Takes inputs in: each replaces what its name held before.
pub fn take_in(
    paths: &[PathBuf],
    limits: &Limits,
    index: &mut Index,
    objects: &Objects,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Taken, oneshot::Error> {
    let mut taken = Taken::default();
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    // Which days were delivered is told by all that the state has.
    let all = Limits { stray_share: 0.0, ..limits.clone() };
    let reading =
        format!("{:?} {:?} {:?}", limits.days, limits.reading.known.map(|k| k.name), (&limits.reading.map, limits.reading.time, limits.reading.units));
    let reading = name_of(reading.as_bytes());
    for path in paths {
        let name = input_name(path);
        if let Some(other) = seen.insert(name.clone(), path.clone()) {
            return Err(oneshot::Error::SameName { name, paths: [other, path.clone()] });
        }
        if path == Path::new("-") {
            return Err(oneshot::Error::NoName);
        }
        let before = stamp(path);
        if let (Some(known), Some((bytes, _))) = (index.inputs.get(&name), &before)
            && (known.bytes, known.reading.as_str()) == (*bytes, reading.as_str())
            && (known.is_settled(index.settled_before) || container::stored(path).is_some_and(|(hash, _)| hash == known.sha256))
        {
            taken.unchanged.push(name);
            continue;
        }
        let (mut kept, mut broken) = (Kept::default(), None);
        let mut keep = |part: spill::Part| kept.add(part.positions, part.particulars, objects).map_err(|e| later(e, &mut broken));
        let read = ingest::read_apart(std::slice::from_ref(path), &all, &|n| progress(Progress::Bytes(n)), &mut keep);
        if let Some(e) = broken {
            return Err(e.into());
        }
        let mut delivery = match read {
            Ok(delivery) => delivery,
            Err(e) => {
                taken.refused.push(e);
                continue;
            }
        };
        oneshot::check(&delivery.accounts)?;
        if stamp(path) != before {
            taken.refused.push(ingest::Error::Damaged { path: path.clone(), what: "it was changed while it was read".to_owned() });
            continue;
        }
        let numbered = Numbered { first: taken.accounts.len(), rows: std::mem::take(&mut delivery.first_rows) };
        taken.list(&numbered, std::mem::take(&mut delivery.rejects));
        taken.numbered.insert(name.clone(), numbered);
        let accounts = std::mem::take(&mut delivery.accounts);
        let usable = delivery.refused.is_empty();
        taken.refused.append(&mut delivery.refused);
        let nothing = accounts.iter().all(|a| a.positions + a.duplicates == 0);
        if nothing && usable {
            taken.refused.extend(accounts.iter().filter(|a| !oneshot::not_asked_for(a)).map(oneshot::nothing_usable));
        }
        let (sha256, bytes) = accounts.first().map(|a| (a.sha256.clone(), a.bytes)).unwrap_or_default();
        taken.accounts.extend(accounts);
        if !usable || nothing {
            continue;
        }
        let settled = index.settled_before.unwrap_or(i32::MIN);
        let had = index.rows_by_day();
        let worth = limits.worth(had.values().chain(delivery.rows_by_day.values()).copied().max().unwrap_or(0));
        if let Some((day, _)) = delivery.rows_by_day.range(..settled).find(|(_, n)| **n >= worth) {
            let (day, oldest) = (time::day_text(*day), time::day_text(settled));
            taken.refused.push(ingest::Error::Settled { path: path.clone(), day, oldest });
            continue;
        }
        // A wrong date of a whole file cannot be taken back once all before it is settled.
        let reach = index.detection.params.state.revision_d as i32;
        if limits.days.0.is_none()
            && !index.days.is_empty()
            && let Some((last, _)) = had.iter().rfind(|(_, n)| **n >= worth)
            && let Some((day, _)) = delivery.rows_by_day.range(last + reach + 1..).find(|(_, n)| **n >= worth)
        {
            let [day, last] = [*day, *last].map(time::day_text);
            taken.refused.push(ingest::Error::Leap { path: path.clone(), day, last });
            continue;
        }
        kept.add(delivery.positions, delivery.particulars, objects)?;
        let (mut days, fresh) = kept.finish(&delivery.rows_by_day);
        taken.fresh = fresh.filter(|_| paths.len() == 1);
        // Of settled days a few rows are those of a stray clock.
        let late: Vec<Rows> = days.extract_if(..settled, |_, _| true).map(|(_, rows)| rows).collect();
        taken.are_astray(&name, &late, objects)?;
        let judged = taken.accounts.last().is_some_and(|a| a.layout == layout::CANONICAL);
        index.inputs.insert(name, Input { path: path.clone(), sha256, bytes, reading: reading.clone(), night: index.nights, judged, days });
    }
    Ok(taken)
}

/// Keeps what went wrong with the state while an input was read, and ends the reading.
pub fn later(e: Error, broken: &mut Option<Error>) -> ingest::Error {
    let source = std::io::Error::other(e.to_string());
    *broken = Some(e);
    ingest::Error::Io { path: PathBuf::new(), source }
}

/// Size and time of change of a file.
fn stamp(path: &Path) -> Option<(u64, Option<std::time::SystemTime>)> {
    std::fs::metadata(path).ok().filter(|m| m.is_file()).map(|m| (m.len(), m.modified().ok()))
}

impl Taken {
    /// A delivery that is at hand, as the one input, with the parts of it that were kept before.
    pub fn of(delivery: Delivery, kept: Kept, index: &mut Index, objects: &Objects) -> Result<Self, Error> {
        let (taken, days) = Self::by_day(delivery, kept, objects)?;
        index.inputs.insert(String::new(), Input { days, ..Input::default() });
        Ok(taken)
    }

    /// The same, and its rows by day.
    pub fn by_day(mut delivery: Delivery, mut kept: Kept, objects: &Objects) -> Result<(Self, BTreeMap<i32, Rows>), Error> {
        let accounts = std::mem::take(&mut delivery.accounts);
        let rejects = std::mem::take(&mut delivery.rejects);
        let refused = std::mem::take(&mut delivery.refused);
        let numbered = Numbered { first: 0, rows: std::mem::take(&mut delivery.first_rows) };
        kept.drop_rows(&delivery.refused_rows, objects)?;
        kept.add(delivery.positions, delivery.particulars, objects)?;
        let (mut days, fresh) = kept.finish(&delivery.rows_by_day);
        // Days that were handed on before it was known that they do not count.
        let astray: Vec<Rows> = days.extract_if(.., |day, _| delivery.days.binary_search(day).is_err()).map(|(_, rows)| rows).collect();
        let numbered = BTreeMap::from([(String::new(), numbered)]);
        let mut taken = Self { accounts, rejects, refused, fresh, numbered, ..Self::default() };
        taken.are_astray("", &astray, objects)?;
        Ok((taken, days))
    }

    /// Where the rows of each account begin, where all are of one delivery, which has no name; else nothing.
    pub fn first_rows(&self) -> &[u32] {
        self.numbered.get("").map_or(&[], |numbered| &numbered.rows)
    }

    /// The rows of a day of a delivery. Those that repeat others are counted.
    pub fn day(&mut self, rows: &Rows, objects: &Objects) -> Result<DayOf, Error> {
        let day = rows::of_day(&[("", rows)], objects, &mut self.fresh)?;
        day.repeated.iter().for_each(|rows| self.are_repeats("", rows));
        Ok(day)
    }

    /// These rows of an input repeat others.
    fn are_repeats(&mut self, name: &str, rows: &[u32]) {
        let Some(Numbered { first, rows: begins }) = self.numbered.get(name) else { return };
        for row in rows {
            let account = &mut self.accounts[first + stream_of(begins, *row)];
            (account.positions, account.duplicates) = (account.positions - 1, account.duplicates + 1);
        }
    }

    /// Rows that repeat those of another input are duplicates; each belongs to the later of the two.
    pub fn count_repeats(&mut self, repeated: &BTreeMap<String, Vec<u32>>) {
        repeated.iter().for_each(|(name, rows)| self.are_repeats(name, rows));
    }

    /// Rows of days that do not count as delivered are rows of stray clocks.
    pub fn judge_strays(&mut self, index: &Index, delivered: &BTreeSet<i32>, objects: &Objects) -> Result<(), Error> {
        for (name, input) in &index.inputs {
            let of_days = input.days.iter().filter(|(day, _)| !delivered.contains(day));
            self.are_astray(name, &of_days.map(|(_, rows)| rows.clone()).collect::<Vec<_>>(), objects)?;
        }
        Ok(())
    }

    /// These rows of an input are of stray clocks: counted and listed where it was read now.
    fn are_astray(&mut self, name: &str, rows: &[Rows], objects: &Objects) -> Result<(), Error> {
        let Some(numbered) = self.numbered.get(name).filter(|_| !rows.is_empty()).cloned() else { return Ok(()) };
        let (counts, rejects) = rows::strays(rows, &numbered.rows, objects)?;
        for (stream, n) in counts {
            let account = &mut self.accounts[numbered.first + stream];
            account.positions -= n;
            *account.rejected.entry(RejectReason::StrayClock).or_default() += n;
        }
        self.list(&numbered, rejects);
        Ok(())
    }

    /// Lists rejects of an input, as far as there is room.
    fn list(&mut self, numbered: &Numbered, rejects: Vec<Reject>) {
        let more = rejects.into_iter().map(|r| Reject { file: r.file + numbered.first as u32, ..r }).collect();
        ingest::list_rejects(&mut self.rejects, more);
    }
}
