//! What must be kept, and what must not: retention of conversations.
//!
//! **Invariants.** Works on the room's store through its trait; knows no channel and no trade. Evidence, which holds no
//! words of a caller, is not touched.
//!
//! **Deliberately absent.** Policy, consent, personal-data detection, erasure and export: nothing is recorded yet, and
//! they come with what needs them.

mod config;
mod retention;

pub use config::{PrivacyConfig, Record};
pub use retention::Retention;
