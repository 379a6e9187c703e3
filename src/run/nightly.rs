//! `detect --state`: what came goes into the state, and the whole book into a run folder.

use crate::export::whole::{Failure, Folder, Scratch, Sealed};
use crate::export::{self, csv as events_csv, geojson, particulars, rejects};
use crate::frame;
use crate::ingest::spill::Part;
use crate::ingest::{self, Delivery, Limits};
use crate::model::{FileAccount, Kind, Mmsi, TrackId, time};
use crate::run::book::Book;
use crate::run::config;
use crate::run::heap;
use crate::run::oneshot::{self, Clock, Error, Format, Outcome, Plan, Progress, check};
use crate::run::state::draw;
use crate::run::state::fold::{self, Folded, Rules};
use crate::run::state::index::{Detection, Index, Publish, Rows};
use crate::run::state::ledger::{self, Ledger, Rendered, Status};
use crate::run::state::rows::{DayOf, Kept};
use crate::run::state::taken::{self, Taken};
use crate::run::state::{Dir, Error as StateError};
use crate::run::{manifest, tracks};
use std::collections::BTreeMap;
use std::path::Path;

/// What a night changed, for people.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Its number, from 1; 0 where there is no state.
    pub night: u64,
    /// What the days that were folded found, by kind.
    pub found: BTreeMap<Kind, u64>,
    /// Events by what became of them.
    pub by_status: BTreeMap<Status, u64>,
    /// New and revised events, with what they are; in the order of files.
    pub changed: Vec<(Status, Rendered)>,
    /// Events that are none any more: name, kind, start.
    pub withdrawn: Vec<(String, Kind, i64)>,
    /// Inputs that were there already.
    pub unchanged_inputs: Vec<String>,
    /// Days between the first and the last without data.
    pub missing: Vec<i32>,
    /// Days folded again or for the first time, from and to.
    pub folded: Option<(i32, i32)>,
    /// Events in the book by kind.
    pub events: BTreeMap<Kind, u64>,
}

/// What decides which events exist.
fn detection(plan: &Plan) -> Detection {
    Detection { hash: config::hashes(&plan.params).0, params: plan.params.clone(), bbox_e7: plan.limits.bbox_e7, min_confidence: plan.min_confidence }
}

/// The index to go on with, where the rules are those it was folded with.
fn begin(dir: &Dir, plan: &Plan) -> Result<Index, StateError> {
    let (mine, scoring) = (detection(plan), config::scoring_hash(&plan.params));
    // A state that no night was finished in binds nobody.
    let Some(index) = dir.index.clone().filter(|i| i.nights > 0) else { return Ok(Index::new(mine, scoring)) };
    let theirs = &index.detection;
    let mut differs = config::differences(&theirs.params, &plan.params);
    if theirs.hash == mine.hash {
        differs.clear();
    }
    if theirs.bbox_e7 != mine.bbox_e7 {
        differs.push("--bbox".to_owned());
    }
    if theirs.min_confidence != mine.min_confidence {
        differs.push(format!("--min-confidence {}, not {}", theirs.min_confidence, mine.min_confidence));
    }
    if theirs.hash != mine.hash && differs.is_empty() {
        differs.push("another version decided which events exist".to_owned());
    }
    match differs.is_empty() {
        true => Ok(Index { detection: mine, ..index }),
        false => Err(StateError::OtherRules { path: dir.folder().to_path_buf(), differs: differs.join(", ") }),
    }
}

/// Runs a night.
pub fn detect(plan: &Plan, state: &Path, progress: &(dyn Fn(Progress) + Sync)) -> Result<Outcome, Error> {
    let clock = Clock::start();
    let mut dir = Dir::open(state)?;
    dir.sweep()?;
    let folder = Folder::begin(&plan.out, plan.overwrite)?;
    let mut index = begin(&dir, plan)?;
    let paths = ingest::inputs::expand(&plan.inputs)?;
    if dir.index.is_none() {
        // From the first file on it is a state, so that one that lost its index is told from one that never had any.
        dir.commit(index.clone())?;
    }
    index.nights += 1;
    progress(Progress::Total(oneshot::stored_bytes(&paths)));
    let mut taken = taken::take_in(&paths, &plan.limits, &mut index, &dir.objects, progress)?;
    // Which days count as delivered is a matter of the whole state, and not of what was asked for in one night.
    let limits = Limits { days: (None, None), ..plan.limits.clone() };
    let (sealed, outcome) = work(plan, &limits, &clock, &dir, &mut index, &mut taken, folder, progress)?;
    index.prune(&plan.params);
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    index.publish = Some(Publish { from: absolute(&sealed.from), to: absolute(&sealed.to) });
    sealed.promise();
    dir.commit(index)?;
    // From here on the state is the new one, and its run is put in its place now or by the next night.
    sealed.place()?;
    dir.published()?;
    dir.sweep()?;
    Ok(outcome)
}

/// Where a run without a state keeps what does not fit into memory; gone afterwards.
pub struct Place {
    dir: Dir,
    kept: Kept,
    _folder: Scratch,
}

impl Place {
    /// A new one.
    pub fn new() -> Result<Self, StateError> {
        let folder = Scratch::new().map_err(|source| StateError::Io { path: std::env::temp_dir(), source })?;
        let mut dir = Dir::open(folder.path())?;
        dir.objects = dir.objects.passing();
        Ok(Self { dir, kept: Kept::default(), _folder: folder })
    }
    /// Keeps rows.
    pub fn keep(&mut self, part: Part) -> Result<(), StateError> {
        self.kept.add(part.positions, part.particulars, &self.dir.objects)
    }
    /// The rows of a delivery by day: those kept and the rest, which are kept as well.
    pub fn days(self, delivery: Delivery) -> Result<Days, StateError> {
        let (taken, rows) = Taken::by_day(delivery, self.kept, &self.dir.objects)?;
        Ok(Days { taken, rows, dir: self.dir, _folder: self._folder })
    }
}

/// The days of a delivery, of which one at a time is in memory.
pub struct Days {
    /// Its accounts, rejects and first rows.
    pub taken: Taken,
    rows: BTreeMap<i32, Rows>,
    dir: Dir,
    _folder: Scratch,
}

impl Days {
    /// The rows of one; what proves a duplicate is counted. To be asked for once.
    pub fn day(&mut self, day: i32) -> Result<DayOf, StateError> {
        self.rows.get(&day).map_or_else(DayOf::nothing, |rows| self.taken.day(rows, &self.dir.objects))
    }
}

/// Runs over many days without a state: the same nights, in a place that is gone afterwards. `delivery` is what has been read, without
/// the parts that are kept in the place already.
pub fn many_days(plan: &Plan, delivery: Delivery, place: Place, folder: Folder, clock: &Clock, progress: &(dyn Fn(Progress) + Sync)) -> Result<Outcome, Error> {
    let Place { dir, kept, _folder } = place;
    let mut index = begin(&dir, plan)?;
    let mut taken = Taken::of(delivery, kept, &mut index, &dir.objects)?;
    // Which days were delivered has been told.
    let limits = Limits { days: (None, None), stray_share: 0.0, ..plan.limits.clone() };
    let (sealed, outcome) = work(plan, &limits, clock, &dir, &mut index, &mut taken, folder, progress)?;
    sealed.place()?;
    Ok(outcome)
}

/// Folds, and writes the run.
#[allow(clippy::too_many_arguments)]
fn work(
    plan: &Plan,
    limits: &Limits,
    clock: &Clock,
    dir: &Dir,
    index: &mut Index,
    taken: &mut Taken,
    mut folder: Folder,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(Sealed, Outcome), Error> {
    if index.inputs.is_empty() && index.days.is_empty() {
        return Err(Error::NothingUsable(std::mem::take(&mut taken.refused)));
    }
    let now_us = || clock.us();
    let mut timings_ms = vec![("read", now_us() / 1000)];
    let scoring_hash = config::scoring_hash(&plan.params);
    let rules = Rules::new(&plan.params, plan.index, plan.min_confidence, limits, scoring_hash, &now_us, progress);
    let Carried { mut folded, book, ledger, news } = carry_on(dir, index, taken, &rules)?;
    check(&taken.accounts)?;
    timings_ms.push(("fold", now_us() / 1000 - timings_ms[0].1));
    progress(Progress::Stage("writing"));
    heap::give_back();
    let asked: Vec<&Rendered> = book.iter().filter(|e| plan.kinds.contains(&e.kind)).collect();
    write_events(&mut folder, &asked, &plan.formats)?;
    if index.nights > 0 {
        folder.file("ledger.csv", |out| ledger::write(&ledger, out))?;
    }
    let wanted = wanted(&news, &plan.kinds);
    let drawn = draw::draw(&wanted, taken.first_rows(), &folded, index, &dir.objects, &plan.params)?;
    folder.file("tracks.parquet", |out| frame::write_tracks(tracks::out_of(&wanted, &drawn.fixes, &drawn.first_rows), out))?;
    let named = |a: &FileAccount| a.path.display().to_string();
    let files = if drawn.files.is_empty() { taken.accounts.iter().map(named).collect() } else { drawn.files.clone() };
    let changes = tracks::changes_out_of(&wanted, &drawn.fixes, &drawn.table, (&drawn.first_rows, &files));
    folder.file("particulars.csv", |out| particulars::write(changes, out))?;
    folder.file("rejects.csv", |out| rejects::write(&taken.rejects, &taken.accounts, out))?;
    timings_ms.extend(folded.tally.rooms_us.iter().map(|(room, us)| (*room, us / 1000)));
    let nothing = Book::default();
    let days: Vec<i32> = folded.delivered.iter().copied().collect();
    let facts = manifest::Facts {
        accounts: &taken.accounts,
        refused: &taken.refused,
        params: &plan.params,
        preset: plan.preset,
        index: plan.index,
        tally: &folded.tally,
        book: &nothing,
        vessels: folded.vessels,
        days: days.iter().map(|d| time::day_text(*d)).collect(),
        data_end: folded.span.map(|(_, last)| time::rfc3339(time::day_start_ms(last + 1))).unwrap_or_default(),
        min_confidence: plan.min_confidence,
        threads: rayon::current_num_threads(),
        started: clock.started.clone(),
        timings_ms,
        news: Some(&news),
        track_files: &drawn.files,
    };
    let manifest = manifest::json(&facts, folder.written());
    folder.file("manifest.json", |out| {
        serde_json::to_writer_pretty(&mut *out, &manifest)?;
        out.write_all(b"\n").map_err(Failure::from)
    })?;
    let outcome = Outcome {
        accounts: std::mem::take(&mut taken.accounts),
        refused: std::mem::take(&mut taken.refused),
        book: nothing,
        tally: std::mem::take(&mut folded.tally),
        vessels: folded.vessels,
        days,
        out: plan.out.clone(),
        news: Some(news),
    };
    Ok((folder.seal()?, outcome))
}

/// A state carried on by what came.
pub struct Carried {
    /// What was folded.
    pub folded: Folded,
    /// All events, in the order of files.
    pub book: Vec<Rendered>,
    /// What became of each.
    pub ledger: Ledger,
    /// What is new.
    pub news: News,
}

/// Folds what changed, and keeps the book and the ledger.
pub fn carry_on(dir: &Dir, index: &mut Index, taken: &mut Taken, rules: &Rules) -> Result<Carried, Error> {
    let folded = fold::fold(index, &dir.objects, taken, rules)?;
    taken.count_repeats(&folded.repeated);
    let book = fold::book_of(index, &dir.objects)?;
    let (ledger, news) = tell(index, dir, &book, &folded, taken)?;
    index.ledger = Some(dir.objects.put_value(&ledger)?);
    Ok(Carried { folded, book, ledger, news })
}

/// The event files of a book.
pub fn write_events(folder: &mut Folder, events: &[&Rendered], formats: &[Format]) -> Result<(), export::Error> {
    if formats.contains(&Format::Geojson) {
        folder.file("events.geojson", |out| geojson::collect(events.iter().map(|e| Ok(e.geojson.as_str())), out))?;
    }
    if formats.contains(&Format::Csv) {
        folder.file("events.csv", |out| events_csv::collect(events.iter().map(|e| Ok(e.csv.as_str())), out))?;
    }
    Ok(())
}

/// The ledger after the night, and what it says that is new.
fn tell(index: &Index, dir: &Dir, book: &[Rendered], folded: &Folded, taken: &Taken) -> Result<(Ledger, News), Error> {
    let before: Ledger = match &index.ledger {
        Some(name) => dir.objects.get_value(name)?,
        None => Ledger::new(),
    };
    let horizon = &index.detection.params;
    let night = ledger::Night {
        number: index.nights,
        rescored: folded.rescored,
        again_from_ms: folded.begin.map(time::day_start_ms),
        known_until_ms: folded.known_until.map_or(i64::MIN, |d| time::day_start_ms(d + 1)),
        goes_on: folded.span.is_some_and(|(_, last)| folded.known_until.is_none_or(|known| last > known)),
        let_go_until_ms: folded.span.map_or(i64::MIN, |(_, last)| time::day_start_ms(last + 1 - (horizon.state.keep_d + horizon.book.final_d) as i32)),
    };
    let ledger = ledger::next(&before, book, night);
    let mut news = News { night: index.nights, found: folded.found.clone(), unchanged_inputs: taken.unchanged.clone(), ..News::default() };
    for event in book {
        *news.events.entry(event.kind).or_default() += 1;
        let status = ledger.get(&event.id).map_or(Status::New, |e| e.status);
        *news.by_status.entry(status).or_default() += 1;
        if matches!(status, Status::New | Status::Revised) {
            news.changed.push((status, event.clone()));
        }
    }
    for (id, e) in ledger.iter().filter(|(_, e)| e.status == Status::Withdrawn && e.last_night == index.nights) {
        *news.by_status.entry(Status::Withdrawn).or_default() += 1;
        news.withdrawn.push((id.clone(), e.kind, e.start_ms));
    }
    if let Some((first, last)) = folded.span {
        news.missing = (first..=last).filter(|d| !folded.delivered.contains(d)).collect();
        news.folded = folded.begin.map(|begin| (begin, last));
    }
    Ok((ledger, news))
}

/// The tracks of what is new.
fn wanted(news: &News, kinds: &[Kind]) -> Vec<tracks::Wanted> {
    let of = |e: &Rendered| tracks::Wanted {
        id: e.id.clone(),
        start_ms: e.start_ms,
        end_ms: e.end_ms.unwrap_or(e.start_ms),
        ships: e.ships.iter().map(|s| (Mmsi(s.0), TrackId(s.1))).collect(),
    };
    news.changed.iter().filter(|(_, e)| kinds.contains(&e.kind)).map(|(_, e)| of(e)).collect()
}
