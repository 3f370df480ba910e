//! From words to commands (dialogue engine, sections 3.1 to 3.3).
//!
//! Normalise, then all stages read the same tokens: the safety and control lexicon, the values that the open question
//! expects, the phrases as templates that forgive, the keyword patterns. What scores best is taken; what scores too
//! low is rejected, because a wrong deed is worse than a question.

mod asked;
mod automaton;
mod command;
mod compile;
mod explain;
mod pattern;
mod understand;
mod values;
mod weights;

pub use command::{Command, SlotValue};
pub(crate) use compile::{bind_slots as bind, slot_rule};
pub use explain::{Candidate, Understood};
pub(crate) use pattern::check_pattern;
pub use understand::{Asked, Understander};
