//! The engine's promises, by their numbers in the specification.

mod answers;
mod bench;
mod delivery;
mod hooks;
mod numbering;
mod permissions;
mod properties;
mod routing;
mod streams;
