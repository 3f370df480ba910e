//! Who answers: understanding, dialogue, wording and tools of a desk.
//!
//! Everything that a desk says, understands and asks for is in its files; everything that it does is a tool's. Nothing
//! here knows a trade.
//!
//! **Invariants.** A turn is a pure function of state, input and time, so that a conversation can be stored and
//! replayed. No figure is spoken that has no source. Nothing is called done before a tool said so.

mod channel;
mod config;
mod dialog;
mod error;
pub mod grammar;
pub mod nlu;
pub mod pack;
pub mod tool;
pub mod wording;

pub use channel::DeskChannel;
pub use config::DeskConfig;
pub use dialog::{Act, Desk, Input, Pending, Reply, State, Step, Task};
pub use error::Error;
