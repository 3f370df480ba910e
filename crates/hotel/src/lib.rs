//! The hotel trade: its store and the receptionist's tools.
//!
//! [`House`] is the hotel's own store, a SQLite file seeded once from a TOML file; [`tools`] makes the receptionist's
//! tools on it. What a rule of the house allows is decided by pure functions over one consistent look at the store,
//! and decided again inside the transaction that writes.
//!
//! **Invariants.** Prices and times come from the store in the same turn (RC-072). A deed is done once per key. Every
//! change leaves an audit line in the same transaction.

mod config;
mod error;
mod house;
mod late_check_out;
mod policy;
mod seed;
mod tools;

pub use config::HotelConfig;
pub use error::Error;
pub use house::{AuditLine, Booked, House};
pub use late_check_out::{Quote, Refusal};
pub use policy::Policy;
pub use seed::Seed;
pub use tools::{specs, tools};
