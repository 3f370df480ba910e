//! The media thread: one loop over the sockets of all calls, every 10 ms.
//!
//! [`leg`] is one call, [`thread`] the loop. After a call has been added nothing here allocates, locks, logs or waits
//! for anything but the next tick; calls come and go by rings, and what has to be dropped is dropped elsewhere.

pub(crate) mod leg;
pub(crate) mod thread;
