//! What every error of ours can say.

/// Implemented by each crate's error type.
pub trait Remedy: std::error::Error {
    /// Would the same call, made again later, have a chance?
    fn retryable(&self) -> bool;
    /// What the person in front of the box can do, one sentence without a full stop; `None` if nothing helps.
    fn remedy(&self) -> Option<String>;
}
