//! What a hook decides about, and what it decides.

use std::sync::Arc;

use roomtone_base::ChannelId;

use crate::model::{EventDraft, Map, Observation, RoomEvent, Task};

/// What a hook is asked about; each trigger has one type (RE-096).
#[derive(Clone, Debug)]
pub enum HookPayload {
    /// An event on its way to the room, or one that tells what happened to it.
    Event(Arc<RoomEvent>),
    /// Words heard or about to be said.
    Text(String),
    /// Another part's own record (a tool call, a session), as JSON.
    Value(serde_json::Value),
    /// Another part's own type (a frame), which only its hooks understand.
    Opaque(crate::model::SessionHandle),
}

impl HookPayload {
    /// The event, if it is one.
    pub fn event(&self) -> Option<&Arc<RoomEvent>> {
        match self {
            HookPayload::Event(event) => Some(event),
            _ => None,
        }
    }

    pub(crate) fn same_type(&self, other: &HookPayload) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// What a hook decided (RFC 9.4).
#[derive(Clone, Debug, Default)]
pub enum HookAction {
    /// Go on.
    #[default]
    Allow,
    /// Stop here.
    Block {
        /// Why, for people.
        reason: Option<String>,
    },
    /// Go on with this instead; an empty text is a text (RE-093).
    Modify(HookPayload),
}

/// An event that a hook adds (RFC 9.4).
#[derive(Clone, Debug, PartialEq)]
pub struct InjectedEvent {
    /// What it says.
    pub event: EventDraft,
    /// Channel that it comes from; absent: the engine's own.
    pub source_channel_id: Option<ChannelId>,
    /// Whom it goes to; absent: stored only (RE-099).
    pub target_channel_ids: Option<Vec<ChannelId>>,
}

/// A hook's answer.
#[derive(Clone, Debug, Default)]
pub struct HookResult {
    /// What it decided.
    pub action: HookAction,
    /// Events it adds, whatever it decided.
    pub injected_events: Vec<InjectedEvent>,
    /// Things to do, kept whatever it decided.
    pub tasks: Vec<Task>,
    /// Things noticed, kept whatever it decided.
    pub observations: Vec<Observation>,
    /// The host's own facts about the decision; handed back in the verdict.
    pub metadata: Map,
}

impl HookResult {
    /// Go on.
    pub fn allow() -> Self {
        Self::default()
    }

    /// Stop here.
    pub fn block(reason: impl Into<String>) -> Self {
        HookResult {
            action: HookAction::Block {
                reason: Some(reason.into()),
            },
            ..Self::default()
        }
    }

    /// Go on with this instead.
    pub fn modify(payload: HookPayload) -> Self {
        HookResult {
            action: HookAction::Modify(payload),
            ..Self::default()
        }
    }
}
