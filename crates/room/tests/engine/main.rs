//! The engine's promises, by their numbers in the specification.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail by panicking too")]

mod answers;
mod bench;
mod delivery;
mod hooks;
mod numbering;
mod permissions;
mod properties;
mod routing;
mod streams;
