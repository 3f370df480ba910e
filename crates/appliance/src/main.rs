//! The `roomtone` program.
fn main() {}
