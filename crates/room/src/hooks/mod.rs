//! Hooks: the host's own rules, asked at named moments (section 9).

mod engine;
mod result;
mod trigger;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

pub use self::{
    engine::{HookEngine, HookReport, HookVerdict},
    result::{HookAction, HookPayload, HookResult, InjectedEvent},
    trigger::HookTrigger,
};
use crate::model::{ChannelDirection, ChannelType, RoomContext};
use roomtone_base::{ChannelId, RoomId};

/// Runs in the pipeline and may stop or change it (S), or watches concurrently afterwards (A).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HookExecution {
    /// One after another, in priority order.
    #[default]
    Sync,
    /// All at once, after the operation; cannot block or modify (RE-097).
    Async,
}

/// Why a hook could not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HookError(
    /// In words; holds no personal datum.
    pub String,
);

/// Where a hook was asked.
#[derive(Clone, Debug)]
pub struct HookContext {
    /// When.
    pub trigger: HookTrigger,
    /// Where; absent outside any room.
    pub room_id: Option<RoomId>,
    /// The room as it is, whole: host code reads everything (RE-077). Absent where the trigger has none at hand.
    pub room: Option<RoomContext>,
    /// What filters match (RE-091).
    pub source: HookSource,
}

/// Where the payload came from; what a hook's filters are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookSource {
    /// The channel.
    pub channel_id: Option<ChannelId>,
    /// Its type.
    pub channel_type: Option<ChannelType>,
    /// Which way it goes.
    pub direction: Option<ChannelDirection>,
}

/// A rule of the host's own. It may take as long as its registration allows, and may fail or panic: what that means
/// the trigger says ([`HookTrigger::fails_closed`]).
#[async_trait]
pub trait Hook: Send + Sync + 'static {
    /// Decides about, or watches, `payload`. What an asynchronous hook returns is ignored.
    ///
    /// # Errors
    /// Why it could not decide.
    async fn call(&self, payload: HookPayload, context: &HookContext) -> Result<HookResult, HookError>;
}

/// A hook and when it is to run (RE-090). Filters that are empty match everything; all others must match (RE-091).
#[derive(Clone)]
pub struct HookRegistration {
    /// Unique among the hooks of its room, or among the global ones.
    pub name: String,
    /// When it runs.
    pub trigger: HookTrigger,
    /// In the pipeline or beside it.
    pub execution: HookExecution,
    /// The rule.
    pub hook: Arc<dyn Hook>,
    /// Lower runs first; equal ones in order of registration.
    pub priority: i32,
    /// Longest wait for its answer.
    pub timeout: Duration,
    /// Types of source channels.
    pub channel_types: Vec<ChannelType>,
    /// Source channels.
    pub channel_ids: Vec<ChannelId>,
    /// Directions of the source.
    pub directions: Vec<ChannelDirection>,
    /// This room alone.
    pub room_id: Option<RoomId>,
}

impl HookRegistration {
    /// A global hook of priority 0 without filters; 30 s; synchronous if the trigger is.
    pub fn new(name: impl Into<String>, trigger: HookTrigger, hook: Arc<dyn Hook>) -> Self {
        HookRegistration {
            name: name.into(),
            trigger,
            execution: if trigger.is_sync() {
                HookExecution::Sync
            } else {
                HookExecution::Async
            },
            hook,
            priority: 0,
            timeout: Duration::from_secs(30),
            channel_types: Vec::new(),
            channel_ids: Vec::new(),
            directions: Vec::new(),
            room_id: None,
        }
    }
}
