//! The dictionary: the words all rooms share. No files, no frames, no work.

pub mod account;
pub mod event;
pub mod fix;
pub mod mmsi;
pub mod params;
pub mod particulars;
pub mod time;

pub use account::{FileAccount, Reject, RejectReason};
pub use event::{Contact, Event, Evidence, GapFacts, Kind, Party, RendezvousFacts, ScoreName, ZoneRelation};
pub use fix::{Fix, NULL_STATUS, NULL_U16, Track, TrackId};
pub use mmsi::{Mmsi, MmsiClass};
pub use params::Params;
pub use particulars::{AisClass, Particulars, ShipType};
