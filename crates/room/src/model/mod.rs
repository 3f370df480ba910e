//! What a room is made of (section 3 of the specification). Plain data: no behaviour beyond keeping itself valid.

mod binding;
mod channel;
mod channel_data;
mod content;
mod context;
mod delivery;
mod draft;
mod event;
mod framework;
mod message;
mod output;
mod participant;
mod room;
mod side_effect;
mod visibility;

pub use binding::{Access, ChannelBinding};
pub use channel::{
    ChannelCapabilities, ChannelCategory, ChannelDirection, ChannelMediaType, ChannelType, DeliveryMode,
    RateLimit, RetryPolicy,
};
pub use channel_data::{AiData, ChannelData, EmailData, SmsData, WhatsAppData};
pub use content::{
    AudioContent, CompositeContent, ContentError, DeleteContent, DeleteType, EditContent, EventContent,
    LocationContent, MAX_COMPOSITE_DEPTH, MediaContent, RichContent, SystemContent, TemplateContent,
    TextContent, VideoContent,
};
pub use context::RoomContext;
pub use delivery::{Delivered, DeliveryError, DeliveryResult, DeliveryStatus};
pub use draft::EventDraft;
pub use event::{EventSource, EventStatus, EventType, RoomEvent, SYSTEM_CHANNEL};
pub use framework::{FrameworkEvent, FrameworkEventType};
pub use message::{InboundMessage, InboundResult, SessionHandle};
pub use output::{ChannelOutput, PartStream, ResponseStream, StreamPart};
pub use participant::{IdentificationStatus, Identity, Participant, ParticipantRole, ParticipantStatus};
pub use room::{AgentResponsePolicy, Room, RoomStatus, RoomTimers};
pub use side_effect::{Observation, SideEffects, Task, TaskStatus};
pub use visibility::Visibility;

/// A JSON object: metadata, template parameters, payload facts.
pub type Map = serde_json::Map<String, serde_json::Value>;
