//! The seam to everything that talks to or thinks about the outside.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use roomtone_base::{ChannelId, RoomId};

use crate::model::{
    ChannelBinding, ChannelCapabilities, ChannelCategory, ChannelDirection, ChannelOutput, ChannelType,
    Delivered, DeliveryError, EventContent, EventDraft, InboundMessage, Map, PartStream, RoomContext,
    RoomEvent, SessionHandle, StreamPart,
};

/// A channel (RE-060). A transport implements [`deliver`](Channel::deliver); an intelligence channel implements
/// [`on_event`](Channel::on_event) and never reaches the outside itself (RE-061).
///
/// Methods run outside the room lock, concurrently for different targets and rooms, and one event's deliveries end
/// before the next event's begin within one room (RE-161). A method that panics or outlives the engine's delivery
/// timeout counts as failed for that event and harms nothing else. From inside a method the channel may call the
/// engine for any room; for its own room that call does not wait for deliveries (RE-168).
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    /// Name under which it is registered; never changes.
    fn id(&self) -> &ChannelId;

    /// Its medium; never changes.
    fn channel_type(&self) -> ChannelType;

    /// Transport or intelligence; by default what the type says.
    fn category(&self) -> ChannelCategory {
        self.channel_type().category()
    }

    /// What it can physically do (RE-062).
    fn direction(&self) -> ChannelDirection {
        ChannelDirection::Bidirectional
    }

    /// The backend behind it (RE-013): `twilio`, `sip`, `dialogue`.
    fn provider_name(&self) -> &str;

    /// What its medium carries; a snapshot goes into each binding.
    fn capabilities(&self) -> ChannelCapabilities {
        ChannelCapabilities::default()
    }

    /// Facts about this instance (RE-006).
    fn info(&self) -> Map {
        Map::new()
    }

    /// Turns a message into an event (step 4). The engine adds id, source, trace and time.
    ///
    /// # Errors
    /// A message that this channel cannot accept; nothing is stored then.
    async fn handle_inbound(
        &self,
        message: &InboundMessage,
        context: &RoomContext,
    ) -> Result<EventDraft, DeliveryError> {
        let _ = context;
        Ok(EventDraft::from_message(message))
    }

    /// Sends `event` outside. Its content is already transcoded and cut to this channel's abilities.
    ///
    /// # Errors
    /// Why it did not go; recorded for this target alone.
    async fn deliver(
        &self,
        event: &Arc<RoomEvent>,
        binding: &ChannelBinding,
        context: &RoomContext,
    ) -> Result<Delivered, DeliveryError> {
        let _ = (event, binding, context);
        Err(DeliveryError::permanent(
            "not_a_transport",
            format!("channel {} delivers nothing", self.id()),
        ))
    }

    /// Thinks about `event`. Muted channels are asked too; their answers are suppressed (RE-073).
    ///
    /// # Errors
    /// Why there is no answer; recorded for this channel alone.
    async fn on_event(
        &self,
        event: &Arc<RoomEvent>,
        binding: &ChannelBinding,
        context: &RoomContext,
    ) -> Result<ChannelOutput, DeliveryError> {
        let _ = (event, binding, context);
        Ok(ChannelOutput::nothing())
    }

    /// Can it say an answer while it is still being made?
    fn supports_streaming_delivery(&self) -> bool {
        false
    }

    /// Says an answer while it is being made (RE-167). `event` has all but the words and is not stored yet; its id is
    /// the one that it will be stored under. Returning before the pieces end with `metadata.interrupted = true` stops
    /// the making. The default collects the pieces and delivers once.
    ///
    /// # Errors
    /// Why it did not go; recorded for this target alone.
    async fn deliver_stream(
        &self,
        mut parts: PartStream,
        event: &Arc<RoomEvent>,
        binding: &ChannelBinding,
        context: &RoomContext,
    ) -> Result<Delivered, DeliveryError> {
        let mut text = String::new();
        let mut whole = RoomEvent::clone(event);
        while let Some(part) = parts.next().await {
            match part {
                Ok(StreamPart::Text(more)) => text.push_str(&more),
                Ok(StreamPart::Metadata(facts)) => whole.metadata.extend(facts),
                Err(_) if !text.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        whole.content = EventContent::text(text);
        self.deliver(&Arc::new(whole), binding, context).await
    }

    /// Connects a live session to its room, after the message that brought it was committed (RE-113).
    ///
    /// # Errors
    /// Why it is not connected; told as `delivery_failed` for this channel.
    async fn connect_session(
        &self,
        session: SessionHandle,
        room_id: &RoomId,
        binding: &ChannelBinding,
    ) -> Result<(), DeliveryError> {
        let _ = (session, room_id, binding);
        Ok(())
    }

    /// Lets go of everything; called once, when the channel is unregistered or the engine closes.
    async fn close(&self) {}
}
