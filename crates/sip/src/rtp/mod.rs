//! RTP (RFC 3550) and telephone events (RFC 4733): pure, allocation-free, without sockets and clocks.
//!
//! [`header`] reads and writes packets, [`order`] puts them in order and knows what is lost, [`digits`] turns event
//! packets into key presses and back, [`receive`] and [`send`] are one direction of one call each.

pub(crate) mod digits;
pub(crate) mod header;
pub(crate) mod order;
pub(crate) mod receive;
pub(crate) mod send;
