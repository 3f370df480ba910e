//! What the recogniser is told to expect (dialogue engine, section 3.9), made from the same phrases that the desk
//! understands.

mod build;
mod calibration;
mod examples;

pub use build::{Grammars, rules};
pub(crate) use build::{OPEN, YES_NO, change_state, confirm_state, slot_state};
pub use calibration::{Calibration, GrammarCalibration};
