//! SQLite storage: a database with one writer, the room's store, the evidence log.
//!
//! [`Db`] is generic: other crates bring their own [`Schema`]. One thread writes; what is queued when it is free goes
//! into one transaction, and every request is answered only after that transaction is on the disk
//! (`synchronous=FULL`, write-ahead log). Readers never wait for the writer.
//!
//! **Invariants.** One transaction per commit point: a crash at any instruction leaves a whole timeline. Indexes are
//! computed inside the transaction and guarded by a unique key, so that several processes may open one file (RE-023).

mod config;
mod db;
mod error;
mod evidence;
mod room;

pub use config::StoreConfig;
pub use db::{Db, Schema, Upgrade};
pub use error::{Error, Result};
pub use evidence::EvidenceLog;
pub use room::SqliteRoomStore;
