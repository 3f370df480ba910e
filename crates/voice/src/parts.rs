//! What every session works with.

use std::sync::Arc;

use roomtone_audio::Pool;
use roomtone_base::{ChannelId, EvidenceSink, IdSource, Metric, SharedClock, Telemetry};
use roomtone_room::{FrameworkEvent, FrameworkEventType, HookSource, Map, RoomEngine};
use roomtone_speech::{Context, Stt, Tts};
use tokio::sync::broadcast;

use crate::{Progress, VoiceConfig, progress::ProgressEvent, session::Session};

/// Time from the line's sample to the same sample behind the filters: half a resampler block and the noise
/// suppressor's overlap, ms.
pub(crate) const FILTER_DELAY_MS: f64 = 11.0;
/// Turn time, end of speech to first packet.
pub const TURN_MS: Metric = Metric("voice.turn_ms");
/// From the first packet with an interrupting caller's speech to the turned-down voice.
pub const BARGE_IN: Metric = Metric("voice.interruptions");

/// Everything handed in from outside.
#[derive(Clone)]
pub struct VoiceParts {
    /// Time.
    pub clock: SharedClock,
    /// Names for sessions and rooms.
    pub ids: IdSource,
    /// The rooms.
    pub engine: RoomEngine,
    /// The real-time threads.
    pub pool: Arc<Pool>,
    /// Ears.
    pub stt: Arc<dyn Stt>,
    /// Voice.
    pub tts: Arc<dyn Tts>,
    /// Name of the voice.
    pub voice: String,
    /// What the listener may hear next.
    pub context: Arc<dyn Context>,
    /// Who answers: attached to each call's room.
    pub desk: ChannelId,
    /// Where evidence goes.
    pub evidence: Arc<dyn EvidenceSink>,
    /// Where spans and metrics go.
    pub telemetry: Arc<dyn Telemetry>,
    /// The `[voice]` section.
    pub config: VoiceConfig,
}

/// [`VoiceParts`] with what the service adds.
pub(crate) struct Parts {
    pub(crate) given: VoiceParts,
    pub(crate) channel: ChannelId,
    pub(crate) progress: broadcast::Sender<Progress>,
    pub(crate) ended: tokio::sync::mpsc::UnboundedSender<Arc<Session>>,
}

impl std::ops::Deref for Parts {
    type Target = VoiceParts;
    fn deref(&self) -> &VoiceParts {
        &self.given
    }
}

impl Parts {
    pub(crate) fn tell(&self, session: &Session, what: ProgressEvent) {
        // Nobody watching is no failure.
        let _ = self.progress.send(Progress {
            call: session.caller.call_id.clone(),
            what,
        });
    }

    pub(crate) fn source(&self) -> HookSource {
        HookSource {
            channel_id: Some(self.channel.clone()),
            channel_type: Some(roomtone_room::ChannelType::Voice),
            direction: None,
        }
    }

    /// Tells the engine's subscribers (RE section 21).
    pub(crate) fn emit(&self, session: &Session, name: &str, mut data: Map) {
        data.insert("session_id".into(), session.id.as_str().into());
        self.engine.emit(&FrameworkEvent {
            event_type: FrameworkEventType::Other(name.into()),
            room_id: Some(session.room.clone()),
            channel_id: Some(self.channel.clone()),
            event_id: None,
            timestamp: self.clock.now(),
            data,
        });
    }
}
