#![doc = "wip"]
#![allow(dead_code, missing_docs)]
mod config; mod error; mod call; mod media; mod message; mod net; mod stack; mod validate; pub use call::*; mod offer; mod rtp; mod sdp; mod stats;
pub use config::*; pub use error::*; pub use stats::*;
