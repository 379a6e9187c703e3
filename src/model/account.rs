//! Row accounting: every input row is accepted or rejected, and the sums are checked by the program itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Why a row was refused. The words are the keys of `rejects.csv` and of the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectReason {
    /// The row has more or fewer fields than the header.
    FieldCount,
    /// The row is longer than 64 KiB.
    LineTooLong,
    /// The header stands again in the middle of the file.
    RepeatedHeader,
    /// The MMSI is not a number of nine digits.
    BadMmsi,
    /// The MMSI is one that transponders send when nobody has set them up.
    DefaultMmsi,
    /// The time does not have the form of the layout, or is no date.
    BadTime,
    /// Latitude or longitude is not a number.
    BadPosition,
    /// Latitude or longitude is a number off the globe and no known sentinel.
    PositionOffGlobe,
    /// Speed, course or heading is not a number.
    BadMotion,
    /// The row ends in a position or a made-up name, and nothing says that it ends there: it was cut, or goes on in the next line.
    CutShort,
    /// JSON: no feature and no vessel; a bracket, a quote or a member is missing, or is one too many.
    BadFeature,
    /// NMEA: the checksum of the sentence or of a TAG block is missing or does not fit.
    BadChecksum,
    /// NMEA: the checksum fits, but it is no sentence; or there is none in the line.
    BadSentence,
    /// NMEA: the receiver heard something, and could not read it.
    EmptyPayload,
    /// NMEA: no six-bit characters, or not as many as the message has.
    BadPayload,
    /// NMEA: a part of a message whose other parts are missing.
    OrphanPart,
    /// NMEA: a message that says nothing of a ship's position or particulars.
    UnsupportedType,
    /// The day holds too small a share of the run's rows to be a delivered day: a stray clock.
    StrayClock,
    /// Outside `--from` and `--to`.
    OutsidePeriod,
    /// Outside `--bbox`.
    OutsideBbox,
    /// Nothing is wrong with the row; its file was refused, for it holds too many malformed rows.
    FileRefused,
}

impl RejectReason {
    /// All reasons, in the order of the documentation.
    pub const ALL: [Self; 21] = [
        Self::FieldCount,
        Self::LineTooLong,
        Self::RepeatedHeader,
        Self::BadMmsi,
        Self::DefaultMmsi,
        Self::BadTime,
        Self::BadPosition,
        Self::PositionOffGlobe,
        Self::BadMotion,
        Self::CutShort,
        Self::BadFeature,
        Self::BadChecksum,
        Self::BadSentence,
        Self::EmptyPayload,
        Self::BadPayload,
        Self::OrphanPart,
        Self::UnsupportedType,
        Self::StrayClock,
        Self::OutsidePeriod,
        Self::OutsideBbox,
        Self::FileRefused,
    ];
    /// The key in outputs.
    pub fn key(self) -> &'static str {
        match self {
            Self::FieldCount => "field_count",
            Self::LineTooLong => "line_too_long",
            Self::RepeatedHeader => "repeated_header",
            Self::BadMmsi => "bad_mmsi",
            Self::DefaultMmsi => "default_mmsi",
            Self::BadTime => "bad_time",
            Self::BadPosition => "bad_position",
            Self::PositionOffGlobe => "position_off_globe",
            Self::BadMotion => "bad_motion",
            Self::CutShort => "cut_short",
            Self::BadFeature => "bad_feature",
            Self::BadChecksum => "bad_checksum",
            Self::BadSentence => "bad_sentence",
            Self::EmptyPayload => "empty_payload",
            Self::BadPayload => "bad_payload",
            Self::OrphanPart => "orphan_part",
            Self::UnsupportedType => "unsupported_type",
            Self::StrayClock => "stray_clock",
            Self::OutsidePeriod => "outside_period",
            Self::OutsideBbox => "outside_bbox",
            Self::FileRefused => "file_refused",
        }
    }
    /// Whether the row counts as malformed, towards `--max-reject-share`.
    pub fn is_malformed(self) -> bool {
        use RejectReason::*;
        matches!(
            self,
            FieldCount | LineTooLong | BadMmsi | BadTime | BadPosition | PositionOffGlobe | BadMotion | BadFeature | BadChecksum | BadSentence | BadPayload
        )
    }
}

/// One refused row, for `rejects.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Index of the file among the inputs.
    pub file: u32,
    /// Line in the file, the header being line 1.
    pub line: u64,
    /// Offset of the line's first byte in the decoded file.
    pub byte_offset: u64,
    /// Why.
    pub reason: RejectReason,
    /// The line as it stood, control bytes escaped, cut at 1 KiB.
    pub text: String,
}

/// What became of the rows of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileAccount {
    /// As given or found in a folder; `archive.zip/member.csv` inside an archive.
    pub path: PathBuf,
    /// The layout that the header named.
    pub layout: String,
    /// SHA-256 of the file as stored, hex.
    pub sha256: String,
    /// Size of the file as stored.
    pub bytes: u64,
    /// Rows below the header.
    pub rows: u64,
    /// Refused rows by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// Rows that became a fix.
    pub positions: u64,
    /// Rows that hold particulars only.
    pub static_only: u64,
    /// Rows of ships without a position (empty, or the values that mean "not available").
    pub no_position: u64,
    /// Rows equal to another in every canonical column, over all inputs.
    pub duplicates: u64,
    /// Rows of stations that are no ships, by kind.
    pub not_ships: BTreeMap<&'static str, u64>,
}

impl FileAccount {
    /// Refused rows, all reasons.
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }
    /// Rows that were understood.
    pub fn accepted(&self) -> u64 {
        self.positions + self.static_only + self.no_position + self.duplicates + self.not_ships.values().sum::<u64>()
    }
    /// Refused rows that count as malformed.
    pub fn malformed(&self) -> u64 {
        self.rejected.iter().filter(|(reason, _)| reason.is_malformed()).map(|(_, n)| n).sum()
    }
    /// The program's own check: rows = accepted + rejected.
    pub fn balances(&self) -> bool {
        self.rows == self.accepted() + self.rejected_total()
    }
}
