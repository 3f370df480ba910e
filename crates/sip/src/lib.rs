#![doc = "wip"]
#![allow(dead_code, missing_docs)]
mod config; mod error; mod media; mod net; mod offer; mod rtp; mod sdp; mod stats;
pub use config::*; pub use error::*; pub use stats::*;
