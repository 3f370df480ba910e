//! The conversation: a pure function of state, input and time (dialogue engine, section 3.4).
//!
//! [`Desk::turn`] takes what was heard and gives either the answer or a tool call; [`Desk::resume`] goes on with what
//! the tool said. The state is data: store it, and the conversation goes on after a restart.

mod control;
mod desk;
mod form;
mod keypad;
mod ladder;
mod reply;
mod state;
mod talk;

pub use desk::Desk;
pub use reply::{Act, Input, Reply, Step};
pub use state::{Pending, State, Task};
