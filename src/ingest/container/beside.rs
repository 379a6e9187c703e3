//! A decoder in a thread of its own, some pieces ahead of who reads them.

use super::{Kind, read_up_to, refused};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// Bytes of a piece.
pub const PIECE: usize = 1 << 20;
/// Pieces that wait to be read: one block of lines, and half the next.
const AHEAD: usize = 6;
/// What unpacks to more than this many times its size is a bomb: public AIS files stay below 20.
pub const MOST_RATIO: u64 = 200;
/// Until this many bytes nobody asks for the ratio.
const ALWAYS: u64 = 128 << 20;

type Work = Box<dyn FnOnce(&Feed) -> io::Result<()> + Send>;

enum Piece {
    Bytes(Vec<u8>),
    Failed(io::Error),
    /// All was decoded, and checked. A channel that closes without it has lost its decoder.
    End,
}

/// Where a decoder puts what it decodes.
pub struct Feed {
    pieces: SyncSender<Piece>,
    /// Pieces that have been read: memory to use again.
    spares: Receiver<Vec<u8>>,
}

impl Feed {
    /// Passes a reader on to its end. `packed` is the size of what was unpacked so far.
    pub fn pour(&self, reader: &mut dyn Read, packed: &dyn Fn() -> u64) -> io::Result<()> {
        let mut read = |piece: &mut Vec<u8>| {
            piece.resize(PIECE, 0);
            let n = read_up_to(reader, piece)?;
            piece.truncate(n);
            Ok(())
        };
        self.make(&mut read, packed)
    }

    /// Passes on what `next` leaves in a buffer, of [`PIECE`] bytes or about, until it leaves nothing.
    pub fn make(&self, next: &mut dyn FnMut(&mut Vec<u8>) -> io::Result<()>, packed: &dyn Fn() -> u64) -> io::Result<()> {
        let mut total = 0u64;
        loop {
            let mut piece = self.spares.try_recv().unwrap_or_default();
            next(&mut piece)?;
            if total == 0
                && let Some(what) = Kind::of(&piece).name()
            {
                return Err(refused(Kind::not_read(what, " inside another container")));
            }
            total += piece.len() as u64;
            if total > ALWAYS && total / MOST_RATIO > packed() {
                return Err(refused(format!("it unpacks to more than {MOST_RATIO} times its size")));
            }
            // Where nobody listens any more there is nothing to do.
            if piece.is_empty() || self.pieces.send(Piece::Bytes(piece)).is_err() {
                return Ok(());
            }
        }
    }
}

/// The name of the threads that meet hostile bytes in the hands of others.
const NAME: &str = "decoder";

/// Whether this thread decodes: when it panics, that is an error of its file and no fault of the program.
pub fn is_decoder() -> bool {
    std::thread::current().name() == Some(NAME)
}

/// Does some decoding in a thread of its own, where a panic is an error.
pub fn apart<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    std::thread::Builder::new().name(NAME.to_owned()).spawn(work)?.join().map_err(|_| lost())?
}

/// Does several such things at once.
pub fn together<W: FnOnce() + Send>(works: impl Iterator<Item = W>) -> io::Result<()> {
    std::thread::scope(|scope| {
        let spawn = |work| std::thread::Builder::new().name(NAME.to_owned()).spawn_scoped(scope, work);
        let all: Vec<_> = works.map(spawn).collect::<io::Result<_>>()?;
        all.into_iter().try_for_each(|one| one.join().map_err(|_| lost()))
    })
}

struct Running {
    pieces: Receiver<Piece>,
    spares: Sender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

enum State {
    Waiting(Work),
    Running(Running),
    Done,
    Lost,
}

/// Reads what a decoder decodes beside it; the decoder starts with the first read.
pub struct Beside(State);

impl Beside {
    /// Of work that pours what it decodes into its feed.
    pub fn new(work: impl FnOnce(&Feed) -> io::Result<()> + Send + 'static) -> Self {
        Self(State::Waiting(Box::new(work)))
    }
}

fn start(work: Work) -> io::Result<Running> {
    let (sender, pieces) = sync_channel(AHEAD);
    let (spares, used) = channel();
    let feed = Feed { pieces: sender, spares: used };
    let decode = move || {
        let last = work(&feed).map_or_else(Piece::Failed, |()| Piece::End);
        // An error that nobody waits for is none.
        let _ = feed.pieces.send(last);
    };
    std::thread::Builder::new().name(NAME.to_owned()).spawn(decode)?;
    Ok(Running { pieces, spares, piece: Vec::new(), at: 0 })
}

impl Running {
    /// Copies what there is, or waits for the next piece; none at the end.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<Option<usize>> {
        if self.at == self.piece.len() {
            // The decoder may be gone already: then it needs no memory.
            let _ = self.spares.send(std::mem::take(&mut self.piece));
            match self.pieces.recv() {
                Ok(Piece::Bytes(next)) => (self.piece, self.at) = (next, 0),
                Ok(Piece::End) => return Ok(None),
                Ok(Piece::Failed(e)) => return Err(e),
                Err(_) => return Err(lost()),
            }
        }
        let n = buf.len().min(self.piece.len() - self.at);
        buf[..n].copy_from_slice(&self.piece[self.at..self.at + n]);
        self.at += n;
        Ok(Some(n))
    }
}

fn lost() -> io::Error {
    io::Error::other("its decoder stopped before the end")
}

impl Read for Beside {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        // Whatever fails below leaves a stream that has no end, and says so however often it is asked.
        let mut running = match std::mem::replace(&mut self.0, State::Lost) {
            State::Waiting(work) => start(work)?,
            State::Running(running) => running,
            State::Done => {
                self.0 = State::Done;
                return Ok(0);
            }
            State::Lost => return Err(lost()),
        };
        let got = running.read(buf)?;
        self.0 = if got.is_some() { State::Running(running) } else { State::Done };
        Ok(got.unwrap_or(0))
    }
}
