//! What a channel or hook may look at.

use std::sync::Arc;

use roomtone_base::ChannelId;

use super::{ChannelBinding, Participant, Room, RoomEvent, Visibility};

/// A frozen look at a room (RE-027). Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct RoomContext {
    /// The room.
    pub room: Arc<Room>,
    /// Its channels, in the order they were attached.
    pub bindings: Arc<[Arc<ChannelBinding>]>,
    /// Its people.
    pub participants: Arc<[Arc<Participant>]>,
    /// The newest events, oldest first.
    pub recent_events: Arc<[Arc<RoomEvent>]>,
}

impl RoomContext {
    /// The binding of a channel.
    pub fn binding(&self, channel_id: &ChannelId) -> Option<&Arc<ChannelBinding>> {
        self.bindings
            .iter()
            .find(|binding| binding.channel_id == *channel_id)
    }

    /// Who may see `event`, as of now: its own visibility if it is narrower than `all`, else that of the channel that
    /// wrote it. This is *live* visibility (RE-078): widening a binding widens the past. If the source is gone, the
    /// event's own field answers.
    pub fn visibility_of<'a>(&'a self, event: &'a RoomEvent) -> &'a Visibility {
        if !event.visibility.is_all() {
            return &event.visibility;
        }
        self.binding(&event.source.channel_id)
            .map_or(&event.visibility, |binding| &binding.visibility)
    }

    /// May `reader` see `event`? Own events are always seen (RE-077).
    pub fn is_visible(&self, event: &RoomEvent, reader: &ChannelBinding) -> bool {
        event.source.channel_id == reader.channel_id || self.visibility_of(event).includes(reader)
    }

    /// The same look with the events that `reader` may see and no others (RE-077, RE-079). Blocked events reached
    /// nobody and stay out, except the reader's own.
    #[must_use]
    pub fn for_reader(&self, reader: &ChannelBinding) -> RoomContext {
        let shown = |event: &Arc<RoomEvent>| {
            self.is_visible(event, reader)
                && (!event.is_blocked() || event.source.channel_id == reader.channel_id)
        };
        if self.recent_events.iter().all(shown) {
            return self.clone();
        }
        let recent_events = self
            .recent_events
            .iter()
            .filter(|event| shown(event))
            .cloned()
            .collect();
        RoomContext {
            recent_events,
            ..self.clone()
        }
    }
}
