//! gzip: members one behind the other, as `pigz`, `bgzip` and `cat` make them.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, BufReader, Read};

/// The members as one stream. Zeros may follow the last (tapes had them); anything else there is an error, for it may have been rows.
pub struct Members<R>(Option<GzDecoder<BufReader<R>>>);

impl<R: Read> Members<R> {
    pub fn new(reader: R) -> Self {
        Self(Some(GzDecoder::new(BufReader::with_capacity(128 << 10, reader))))
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let n = member.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            // Its checksum and length have been compared.
            self.0 = match self.0.take() {
                Some(done) => following(done.into_inner())?,
                None => None,
            };
        }
        Ok(0)
    }
}

fn following<R: Read>(mut rest: BufReader<R>) -> io::Result<Option<GzDecoder<BufReader<R>>>> {
    match rest.fill_buf()?.first() {
        None => Ok(None),
        Some(0x1f) => Ok(Some(GzDecoder::new(rest))),
        Some(_) => only_zeros(rest).map(|()| None),
    }
}

fn only_zeros(mut rest: impl BufRead) -> io::Result<()> {
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.iter().any(|b| *b != 0) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes behind the end of the gzip data"));
        }
        let n = bytes.len();
        if n == 0 {
            return Ok(());
        }
        rest.consume(n);
    }
}
