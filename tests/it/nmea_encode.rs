//! Messages to sentences: the decoder's counterpart, for fixtures and round trips. Fields are the raw ones of ITU-R M.1371.

/// Bits of a message, most significant first.
#[derive(Clone, Debug, Default)]
pub struct Message(Vec<bool>);

impl Message {
    /// Begins with the number of the message, no repeat, and the MMSI.
    pub fn new(message: u32, mmsi: u32) -> Self {
        Self::default().with(message, 6).with(0, 2).with(mmsi, 30)
    }
    /// Appends the lowest `length` bits.
    pub fn with(mut self, value: u32, length: u32) -> Self {
        self.0.extend((0..length).rev().map(|k| value >> k & 1 == 1));
        self
    }
    /// Appends two's complement.
    pub fn signed(self, value: i32, length: u32) -> Self {
        self.with(value as u32, length)
    }
    /// Appends six-bit text, padded with `@`.
    pub fn text(self, text: &str, characters: usize) -> Self {
        let padded = text.bytes().chain(std::iter::repeat(b'@')).take(characters);
        padded.fold(self, |m, b| m.with(u32::from(b & 63), 6))
    }
    /// Appends bow, stern, port and starboard in metres.
    pub fn size(self, [bow, stern, port, starboard]: [u16; 4]) -> Self {
        self.with(bow.into(), 9).with(stern.into(), 9).with(port.into(), 6).with(starboard.into(), 6)
    }
    /// Appends zeros up to a length.
    pub fn padded(mut self, bits: usize) -> Self {
        self.0.resize(bits, false);
        self
    }
    /// The payload in six-bit characters, and the fill bits.
    pub fn payload(&self) -> (String, u8) {
        let fill = (6 - self.0.len() % 6) % 6;
        let text = self
            .0
            .chunks(6)
            .map(|six| {
                let v = (0..6).fold(0u8, |v, k| v << 1 | u8::from(six.get(k).copied().unwrap_or(false)));
                char::from(if v < 40 { v + 48 } else { v + 56 })
            })
            .collect();
        (text, fill as u8)
    }
    /// One sentence of talker AI on channel A.
    pub fn sentence(&self) -> String {
        self.sentences(1, None, 'A').remove(0)
    }
    /// As many sentences.
    pub fn sentences(&self, total: usize, sequence: Option<u8>, channel: char) -> Vec<String> {
        let (payload, fill) = self.payload();
        let length = payload.len().div_ceil(total);
        let sequence = sequence.map_or_else(String::new, |s| s.to_string());
        (0..total)
            .map(|k| {
                let part = &payload[(k * length).min(payload.len())..((k + 1) * length).min(payload.len())];
                let fill = if k + 1 == total { fill } else { 0 };
                sealed('!', &format!("AIVDM,{total},{},{sequence},{channel},{part},{fill}", k + 1))
            })
            .collect()
    }
}

/// Raw fields of a position report.
#[derive(Clone, Copy, Debug)]
pub struct RawPosition {
    /// 1, 2, 3, 18 or 27.
    pub message: u32,
    pub mmsi: u32,
    pub status: u32,
    pub sog: u32,
    /// Ten-thousandths of a minute; tenths in message 27.
    pub lat: i32,
    pub lon: i32,
    pub cog: u32,
    pub heading: u32,
}

impl RawPosition {
    pub fn message(&self) -> Message {
        let m = Message::new(self.message, self.mmsi);
        match self.message {
            27 => m.with(0, 2).with(self.status, 4).signed(self.lon, 18).signed(self.lat, 17).with(self.sog, 6).with(self.cog, 9).padded(96),
            18 => m.with(0, 8).with(self.sog, 10).with(0, 1).signed(self.lon, 28).signed(self.lat, 27).with(self.cog, 12).with(self.heading, 9).padded(168),
            _ => {
                let m = m.with(self.status, 4).with(128, 8).with(self.sog, 10).with(1, 1).signed(self.lon, 28).signed(self.lat, 27);
                m.with(self.cog, 12).with(self.heading, 9).padded(168)
            }
        }
    }
}

/// Raw fields of the static messages.
#[derive(Clone, Debug)]
pub struct RawStatic {
    pub mmsi: u32,
    pub imo: u32,
    pub call_sign: String,
    pub name: String,
    pub ship_type: u32,
    pub size_m: [u16; 4],
    pub draught_dm: u32,
}

impl RawStatic {
    /// Message 5.
    pub fn class_a(&self) -> Message {
        let m = Message::new(5, self.mmsi).with(0, 2).with(self.imo, 30).text(&self.call_sign, 7).text(&self.name, 20);
        m.with(self.ship_type, 8).size(self.size_m).with(1, 4).with(0, 20).with(self.draught_dm, 8).text("NEW YORK", 20).padded(424)
    }
    /// Message 24, part A.
    pub fn class_b_name(&self) -> Message {
        Message::new(24, self.mmsi).with(0, 2).text(&self.name, 20)
    }
    /// Message 24, part B.
    pub fn class_b_rest(&self) -> Message {
        let m = Message::new(24, self.mmsi).with(1, 2).with(self.ship_type, 8).text("VENDOR", 7).text(&self.call_sign, 7);
        m.size(self.size_m).padded(168)
    }
    /// Message 19, with a position.
    pub fn class_b_with(&self, p: &RawPosition) -> Message {
        let m = Message::new(19, self.mmsi).with(0, 8).with(p.sog, 10).with(0, 1).signed(p.lon, 28).signed(p.lat, 27).with(p.cog, 12).with(p.heading, 9);
        m.with(30, 6).with(0, 4).text(&self.name, 20).with(self.ship_type, 8).size(self.size_m).padded(312)
    }
}

/// A body with its start and its checksum.
pub fn sealed(start: char, body: &str) -> String {
    format!("{start}{body}*{:02X}", body.bytes().fold(0, |v, b| v ^ b))
}

/// A sentence behind a TAG block.
pub fn tagged(tag: &str, sentence: &str) -> String {
    format!("{}\\{sentence}", sealed('\\', tag))
}

/// The `$PGHP` line before the sentences of a message: year, month, day, hour, minute, second and millisecond.
pub fn pghp(time: [u32; 7], sentences: &[String]) -> String {
    let sum = |s: &String| s.rsplit('*').next().and_then(|h| u8::from_str_radix(h, 16).ok()).unwrap_or(0);
    let checksum = sentences.iter().fold(0, |v, s| v ^ sum(s));
    let [year, month, day, hour, minute, second, milli] = time;
    sealed('$', &format!("PGHP,1,{year},{month},{day},{hour},{minute},{second},{milli},219,,2190064,1,{checksum:02X}"))
}
