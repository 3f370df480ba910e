//! What the engine tells its host (section 21). Never stored on a timeline.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use roomtone_base::{ChannelId, EventId, RoomId};

use super::Map;

macro_rules! framework_events {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What the engine tells its host.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum FrameworkEventType {
            $($(#[$doc])* $name,)+
            /// Another part's own word (`voice_session_started`, `stt_error`), told through
            /// [`RoomEngine::emit`](crate::RoomEngine::emit).
            Other(Arc<str>),
        }

        impl FrameworkEventType {
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(FrameworkEventType::$name => $word,)+
                    FrameworkEventType::Other(word) => word,
                }
            }
        }
    };
}

framework_events! {
    /// A room was made.
    RoomCreated = "room_created",
    /// A room was paused.
    RoomPaused = "room_paused",
    /// A room was closed.
    RoomClosed = "room_closed",
    /// A room was archived.
    RoomArchived = "room_archived",
    /// A room that takes no events refused one (RE-042).
    RoomRefusedEvent = "room_refused_event",
    /// A channel was bound to a room.
    RoomChannelAttached = "room_channel_attached",
    /// A channel was taken out of a room.
    RoomChannelDetached = "room_channel_detached",
    /// The engine got to know a channel.
    ChannelRegistered = "channel_registered",
    /// The engine forgot a channel.
    ChannelUnregistered = "channel_unregistered",
    /// A message created its room.
    SessionStarted = "session_started",
    /// A message from outside or from the host went all its way.
    EventProcessed = "event_processed",
    /// An event was stored and not broadcast; `hook_name` says which hook, `reason` why.
    EventBlocked = "event_blocked",
    /// A target took an event.
    DeliverySucceeded = "delivery_succeeded",
    /// A target did not; `error` says why.
    DeliveryFailed = "delivery_failed",
    /// Some targets took an event and some did not (RE-117).
    BroadcastPartialFailure = "broadcast_partial_failure",
    /// An answer was stopped by the depth limit (RE-171).
    ChainDepthExceeded = "chain_depth_exceeded",
    /// A hook failed; `hook_name`, `trigger`, `error`.
    HookError = "hook_error",
    /// A hook took too long; `hook_name`, `trigger`, `timeout_ms`.
    HookTimeout = "hook_timeout",
    /// A message was given up before anything was stored (RE-116).
    ProcessTimeout = "process_timeout",
}

impl fmt::Display for FrameworkEventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that the engine tells its host.
#[derive(Clone, Debug)]
pub struct FrameworkEvent {
    /// What.
    pub event_type: FrameworkEventType,
    /// In which room.
    pub room_id: Option<RoomId>,
    /// At which channel.
    pub channel_id: Option<ChannelId>,
    /// About which event.
    pub event_id: Option<EventId>,
    /// When, UTC.
    pub timestamp: Timestamp,
    /// The rest (section 21 names the keys).
    pub data: Map,
}
