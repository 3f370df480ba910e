//! An event as its author hands it in.

use std::sync::Arc;

use roomtone_base::{ChannelId, EventId, ParticipantId};

use super::{ChannelData, ChannelType, EventContent, EventType, InboundMessage, Map, Visibility};

/// What a channel or hook says. The engine adds the rest (id, room, source, depth, trace, time), so that no author
/// can forge it.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDraft {
    /// What kind of thing happened.
    pub event_type: EventType,
    /// What it says.
    pub content: EventContent,
    /// Who says it, on behalf of the channel.
    pub participant_id: Option<ParticipantId>,
    /// Sender's name in the provider's system.
    pub external_id: Option<String>,
    /// Finer type of the source, where one channel serves two (`mms` on an SMS channel).
    pub channel_type: Option<ChannelType>,
    /// The message's name in the provider's system.
    pub provider_message_id: Option<String>,
    /// What the provider sent, byte for byte (RE-012).
    pub raw_payload: Arc<str>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Intelligence channels that are asked (RE-080).
    pub addressed_to: Option<Vec<ChannelId>>,
    /// The event it belongs under; an answer without one takes its question's.
    pub parent_event_id: Option<EventId>,
    /// Unique within the room (RE-112).
    pub idempotency_key: Option<String>,
    /// Facts.
    pub metadata: Map,
    /// Facts that only this kind of channel has.
    pub channel_data: ChannelData,
}

impl EventDraft {
    /// A message that everybody sees.
    pub fn new(content: EventContent) -> Self {
        EventDraft {
            event_type: EventType::Message,
            content,
            participant_id: None,
            external_id: None,
            channel_type: None,
            provider_message_id: None,
            raw_payload: Arc::from(""),
            visibility: Visibility::All,
            addressed_to: None,
            parent_event_id: None,
            idempotency_key: None,
            metadata: Map::new(),
            channel_data: ChannelData::None,
        }
    }

    /// A message of plain words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(EventContent::text(text))
    }

    /// Takes over what a message from outside says; its sender becomes the participant, an empty sender nobody.
    pub fn from_message(message: &InboundMessage) -> Self {
        let event_type = message.event_type.unwrap_or(match message.content {
            EventContent::Edit(_) => EventType::Edit,
            EventContent::Delete(_) => EventType::Delete,
            _ => EventType::Message,
        });
        EventDraft {
            event_type,
            content: message.content.clone(),
            participant_id: (!message.sender_id.is_empty()).then(|| message.sender_id.as_str().into()),
            external_id: None,
            channel_type: None,
            provider_message_id: message.provider_message_id.clone(),
            raw_payload: message.raw_payload.clone(),
            visibility: message.visibility.clone(),
            addressed_to: message.addressed_to.clone(),
            parent_event_id: message.parent_event_id.clone(),
            idempotency_key: message.idempotency_key.clone(),
            metadata: message.metadata.clone(),
            channel_data: ChannelData::None,
        }
    }

    /// Sets a fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }
}
