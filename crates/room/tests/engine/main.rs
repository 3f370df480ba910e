//! The engine's promises, by their numbers in the specification.
#![allow(
    clippy::cloned_ref_to_slice_refs,
    reason = "the clone is what turns a channel into a `dyn Channel`"
)]
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
