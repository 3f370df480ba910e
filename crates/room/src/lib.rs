//! The room engine: model, inbound pipeline, permissions, hooks, delivery lanes.
//!
//! A **room** is one conversation. **Channels** are attached to it: transports carry words to the outside,
//! intelligence channels think about them. A message comes in over a channel, becomes an **event**, is judged by the
//! host's **hooks** and the room's permissions, is written down, and is handed to every other channel that may see
//! it; what those answer goes the same way. [`RoomEngine::process_inbound`] is that way, in one place.
//!
//! The lock of a room covers deciding and committing, never delivering: deliveries run in the room's lane, one
//! event's set after the other's, in index order, while the next message is already being decided.
//!
//! Every event carries the trace of what caused it in `correlation_id`, answers the same as their question.
//!
//! **Invariants.** Knows no audio, network, provider or SQL. Payloads it does not understand (sessions, frames) are
//! opaque to it. Time, ids and randomness are handed in. What it stores it stores in one commit ([`Store::commit`]),
//! and nothing that happens afterwards takes that back.
//!
//! **Deliberately absent.** Retries, circuit breakers, rate limits, identity resolution, member management, editing
//! and deleting (such messages are refused with an error), idle timers, ephemeral events and sources: rules of their
//! own around this core, none of which it needs to be right.

mod bus;
mod channel;
#[cfg(feature = "conformance")]
pub mod conformance;
mod engine;
mod error;
mod hooks;
mod lane;
mod locks;
pub mod model;
pub mod permission;
mod reach;
mod router;
mod store;
mod transcode;
mod view;
mod within;

pub use bus::Subscription;
pub use channel::Channel;
pub use engine::{Attach, NewRoom, RoomEngine, RoomEngineBuilder, SendEvent, Settings};
pub use error::{Error, Result, StoreError};
pub use hooks::{
    Hook, HookAction, HookContext, HookEngine, HookError, HookExecution, HookPayload, HookRegistration,
    HookReport, HookResult, HookSource, HookTrigger, HookVerdict, InjectedEvent,
};
pub use locks::{Locks, MemoryLocks, RoomGuard};
pub use model::*;
pub use router::{DefaultRouter, NewRoomRouter, Router};
pub use store::{
    BindingChange, Commit, Committed, Counters, MemoryStore, PlannedDelivery, RoomQuery, Settlement, Store,
};
pub use transcode::transcode;
pub use view::View;
