//! The voice channel: calls as a channel of the room like any other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use roomtone_base::{ChannelId, RoomId};
use roomtone_room::{
    Channel, ChannelBinding, ChannelCapabilities, ChannelMediaType, ChannelType, Delivered, DeliveryError,
    EventContent, RoomContext, RoomEvent, SessionHandle,
};

use crate::session::{Command, Session};

/// Name of the channel.
pub const VOICE_CHANNEL: &str = "voice";

/// Calls, as the room sees them. Words delivered to it are spoken on the room's call.
#[derive(Default)]
pub struct VoiceChannel {
    id: Option<ChannelId>,
    sessions: Mutex<HashMap<RoomId, Arc<Session>>>,
}

impl VoiceChannel {
    /// A channel without calls.
    pub fn new() -> Arc<Self> {
        Arc::new(VoiceChannel {
            id: Some(ChannelId::from(VOICE_CHANNEL)),
            sessions: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bind(&self, session: Arc<Session>) {
        self.lock().insert(session.room.clone(), session);
    }

    pub(crate) fn unbind(&self, room: &RoomId) {
        self.lock().remove(room);
    }

    /// Calls that are not over.
    pub fn sessions(&self) -> Vec<Arc<Session>> {
        self.lock().values().cloned().collect()
    }
}

#[async_trait]
impl Channel for VoiceChannel {
    fn id(&self) -> &ChannelId {
        self.id.as_ref().expect("set by the only constructor")
    }

    fn channel_type(&self) -> ChannelType {
        ChannelType::Voice
    }

    fn provider_name(&self) -> &str {
        "sip"
    }

    fn capabilities(&self) -> ChannelCapabilities {
        ChannelCapabilities {
            media_types: vec![ChannelMediaType::Text, ChannelMediaType::Audio],
            supports_audio: true,
            ..ChannelCapabilities::default()
        }
    }

    /// Takes the words over; returns before they are spoken, so that the room's lane is free for the next event.
    async fn deliver(
        &self,
        event: &Arc<RoomEvent>,
        _binding: &ChannelBinding,
        _context: &RoomContext,
    ) -> Result<Delivered, DeliveryError> {
        let EventContent::Text(text) = &event.content else {
            return Err(DeliveryError::permanent("content", "only words can be spoken"));
        };
        let session = self.lock().get(&event.room_id).cloned();
        let session = session.ok_or_else(|| DeliveryError::permanent("no_call", "the call is over"))?;
        session.say(Some(event), &text.text).await;
        Ok(Delivered {
            queued: true,
            ..Delivered::default()
        })
    }

    async fn connect_session(
        &self,
        session: SessionHandle,
        _room_id: &RoomId,
        _binding: &ChannelBinding,
    ) -> Result<(), DeliveryError> {
        let session = session
            .downcast::<Session>()
            .ok_or_else(|| DeliveryError::permanent("session", "this is no voice session"))?;
        self.bind(session.clone());
        let connected = session.connect().await;
        connected.map_err(|error| {
            self.unbind(&session.room);
            DeliveryError::permanent("line", error.to_string())
        })
    }

    async fn close(&self) {
        for session in self.sessions() {
            // A session that is over does not listen any more.
            let _ = session.commands.send(Command::Close);
        }
    }
}
