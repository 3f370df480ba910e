//! What comes in, and what became of it.

use std::{any::Any, collections::BTreeMap, fmt, sync::Arc};

use jiff::Timestamp;
use roomtone_base::{ChannelId, EventId, RoomId, TraceId};

use super::{DeliveryResult, EventContent, EventType, Map, RoomEvent, Visibility};

/// A live session of a channel (a call, a socket), opaque to the engine: it is handed to
/// [`Channel::connect_session`](crate::Channel::connect_session) once the message has passed.
#[derive(Clone)]
pub struct SessionHandle(Arc<dyn Any + Send + Sync>);

impl SessionHandle {
    /// Wraps a session.
    pub fn new<T: Any + Send + Sync>(session: Arc<T>) -> Self {
        SessionHandle(session)
    }

    /// The session, if it is of type `T`.
    pub fn downcast<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.clone().downcast().ok()
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionHandle")
    }
}

/// A message from outside (RFC 5.12). Its channel's type is the registered one, never the payload's (C-31).
#[derive(Clone, Debug)]
pub struct InboundMessage {
    /// The channel that it came over.
    pub channel_id: ChannelId,
    /// The sender's address on that channel; empty if there is none.
    pub sender_id: String,
    /// What it says.
    pub content: EventContent,
    /// What the provider sent, byte for byte (RE-012).
    pub raw_payload: Arc<str>,
    /// The message's name in the provider's system.
    pub provider_message_id: Option<String>,
    /// When the sender's side says it was sent; absent: now.
    pub timestamp: Option<Timestamp>,
    /// Unique within the room (RE-112).
    pub idempotency_key: Option<String>,
    /// The room that it is for; absent: routing decides.
    pub room_id: Option<RoomId>,
    /// Kind of event; absent: by its content.
    pub event_type: Option<EventType>,
    /// Intelligence channels that are asked (RE-080).
    pub addressed_to: Option<Vec<ChannelId>>,
    /// Who may see it.
    pub visibility: Visibility,
    /// The event that it answers.
    pub parent_event_id: Option<EventId>,
    /// The cause as an outside system names it; becomes the event's correlation id unless `trace` is set.
    pub correlation_id: Option<TraceId>,
    /// The cause: carried by this event and every answer to it. Absent and without `correlation_id`: a new one.
    pub trace: Option<TraceId>,
    /// Live session to connect once the message has passed (RE-113).
    pub session: Option<SessionHandle>,
    /// Facts.
    pub metadata: Map,
}

impl InboundMessage {
    /// A message without anything optional.
    pub fn new(channel_id: ChannelId, sender_id: impl Into<String>, content: EventContent) -> Self {
        InboundMessage {
            channel_id,
            sender_id: sender_id.into(),
            content,
            raw_payload: Arc::from(""),
            provider_message_id: None,
            timestamp: None,
            idempotency_key: None,
            room_id: None,
            event_type: None,
            addressed_to: None,
            visibility: Visibility::All,
            parent_event_id: None,
            correlation_id: None,
            trace: None,
            session: None,
            metadata: Map::new(),
        }
    }

    /// Plain words from `sender_id`.
    pub fn text(channel_id: ChannelId, sender_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(channel_id, sender_id, EventContent::text(text))
    }
}

/// What became of a message (RFC 10.1).
#[derive(Clone, Debug, Default)]
pub struct InboundResult {
    /// The room that took or refused it.
    pub room_id: Option<RoomId>,
    /// The stored event; absent when nothing was stored.
    pub event: Option<Arc<RoomEvent>>,
    /// It was not broadcast.
    pub blocked: bool,
    /// Why not: a hook's reason, `source_muted`, `source_read_only`, `room_closed`, `process_timeout`.
    pub reason: Option<String>,
    /// It had been processed before; `event` is the first one (RE-112, C-1).
    pub duplicate: bool,
    /// What became of it per target; answers to it are not listed. Empty for a duplicate.
    pub delivery_results: BTreeMap<ChannelId, DeliveryResult>,
    /// The first failure of an intelligence channel that was asked.
    pub turn_error: Option<String>,
}
