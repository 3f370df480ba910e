//! What the desk can do, as opposed to say (dialogue engine, section 3.6).
//!
//! A [`Tool`] declares what it takes, gives, needs and risks; the [`Toolbox`] holds every call against that declaration
//! before the tool sees it, so that neither a rule nor a model can go round it.

mod call;
mod spec;
mod toolbox;

pub use call::{Arguments, ToolCall, ToolResult};
pub use spec::{Argument, Offline, Proof, Risk, ToolSpec, ValueKind};
pub use toolbox::{Tool, Toolbox};
