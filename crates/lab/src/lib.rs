//! Softphone, simulation, load: the product's own test bench.
//!
//! A [`Softphone`] places calls over real sockets. [`Softphone::call_once`] plays, presses keys and records;
//! [`Softphone::converse`] holds a conversation by [`script`], writes down every packet of both directions
//! ([`record::Record`]) and so measures how fast the other side answers and gives way.
//!
//! **Invariants.** Never uses the appliance. Detector, script and measurements are pure: packets and times in,
//! events and figures out. What is said is paced by the media thread, never by a task.

pub mod ear;
mod error;
mod line;
pub mod record;
mod report;
pub mod script;
mod softphone;
pub mod wav;

pub use error::Error;
pub use report::{CallPlan, CallReport, CallResult, Hangup};
pub use softphone::{Clip, Softphone, Talk, TalkEvent, TalkPlan};
