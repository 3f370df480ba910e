//! The room engine: model, inbound pipeline, permissions, hooks, delivery lanes.

mod channel;
mod error;
mod hooks;
pub mod model;
mod router;
mod store;
mod within;

pub use channel::Channel;
pub use error::{Error, Result, StoreError};
pub use hooks::{
    Hook, HookAction, HookContext, HookEngine, HookError, HookExecution, HookPayload, HookRegistration,
    HookReport, HookResult, HookSource, HookTrigger, HookVerdict, InjectedEvent,
};
pub use model::*;
pub use router::{DefaultRouter, NewRoomRouter, Router};
pub use store::{
    BindingChange, Commit, Committed, Counters, MemoryStore, PlannedDelivery, RoomQuery, Settlement, Store,
};
