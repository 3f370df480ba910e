//! When hooks run.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! triggers {
    ($($mode:ident $name:ident = $word:literal),+ $(,)?) => {
        /// When a hook runs (section 9). The engine itself fires the room, channel, task and broadcast triggers; the
        /// other parts fire theirs through [`RoomEngine`](crate::RoomEngine).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are the specification's own")]
        pub enum HookTrigger {
            $(#[serde(rename = $word)] $name,)+
        }

        impl HookTrigger {
            /// All of them.
            pub const ALL: &[HookTrigger] = &[$(HookTrigger::$name),+];

            /// The specification's name in lower case.
            pub fn as_str(self) -> &'static str {
                match self { $(HookTrigger::$name => $word,)+ }
            }

            /// May its hooks block and modify? All others watch.
            pub fn is_sync(self) -> bool {
                match self { $(HookTrigger::$name => triggers!(@ $mode),)+ }
            }
        }
    };
    (@ S) => { true };
    (@ A) => { false };
}

triggers! {
    S BeforeBroadcast = "before_broadcast",
    A AfterBroadcast = "after_broadcast",
    A OnEventUpdated = "on_event_updated",
    A OnEventDeleted = "on_event_deleted",
    A OnChannelAttached = "on_channel_attached",
    A OnChannelDetached = "on_channel_detached",
    A OnChannelMuted = "on_channel_muted",
    A OnChannelUnmuted = "on_channel_unmuted",
    A OnRoomCreated = "on_room_created",
    A OnRoomPaused = "on_room_paused",
    A OnRoomClosed = "on_room_closed",
    S OnIdentityAmbiguous = "on_identity_ambiguous",
    S OnIdentityUnknown = "on_identity_unknown",
    A OnParticipantIdentified = "on_participant_identified",
    A OnParticipantJoined = "on_participant_joined",
    A OnParticipantLeft = "on_participant_left",
    A OnParticipantUpdated = "on_participant_updated",
    A OnTaskCreated = "on_task_created",
    A OnDeliveryStatus = "on_delivery_status",
    A OnError = "on_error",
    A OnSessionStarted = "on_session_started",
    A OnSpeechStart = "on_speech_start",
    A OnSpeechEnd = "on_speech_end",
    A OnPartialTranscription = "on_partial_transcription",
    A OnVadSilence = "on_vad_silence",
    A OnVadAudioLevel = "on_vad_audio_level",
    A OnInputAudioLevel = "on_input_audio_level",
    A OnOutputAudioLevel = "on_output_audio_level",
    A OnSpeakerChange = "on_speaker_change",
    A OnDtmf = "on_dtmf",
    A OnTurnComplete = "on_turn_complete",
    A OnTurnIncomplete = "on_turn_incomplete",
    A OnBackchannel = "on_backchannel",
    A OnBargeIn = "on_barge_in",
    A OnTtsCancelled = "on_tts_cancelled",
    A AfterTts = "after_tts",
    A OnRecordingStarted = "on_recording_started",
    A OnRecordingStopped = "on_recording_stopped",
    A OnRealtimeTextInjected = "on_realtime_text_injected",
    A OnProtocolTrace = "on_protocol_trace",
    S OnTranscription = "on_transcription",
    S BeforeTts = "before_tts",
    S BeforeBridgeAudio = "before_bridge_audio",
    S BeforeBridgeVideo = "before_bridge_video",
    S OnRealtimeToolCall = "on_realtime_tool_call",
    S BeforeDeliver = "before_deliver",
    A AfterDeliver = "after_deliver",
    S BeforeAiContextBuild = "before_ai_context_build",
    S BeforeAiGeneration = "before_ai_generation",
    S BeforeToolUse = "before_tool_use",
    S OnUserInputRequired = "on_user_input_required",
    A OnAiThinking = "on_ai_thinking",
    A OnAiResponse = "on_ai_response",
    // Listed as asynchronous, but its hooks may supply or override a tool's result (C-6).
    S OnToolCall = "on_tool_call",
    A OnPhaseTransition = "on_phase_transition",
    A OnHandoff = "on_handoff",
    A OnHandoffRejected = "on_handoff_rejected",
    A OnStatusPosted = "on_status_posted",
    A OnTaskDelegated = "on_task_delegated",
    A OnTaskCompleted = "on_task_completed",
    A OnVideoSessionStarted = "on_video_session_started",
    A OnVideoSessionEnded = "on_video_session_ended",
    A OnVideoTrackAdded = "on_video_track_added",
    A OnVideoTrackRemoved = "on_video_track_removed",
    A OnVisionResult = "on_vision_result",
    A OnScreenShareStarted = "on_screen_share_started",
    A OnScreenShareStopped = "on_screen_share_stopped",
    A OnVideoDetection = "on_video_detection",
    A OnConferenceParticipantJoined = "on_conference_participant_joined",
    A OnConferenceParticipantLeft = "on_conference_participant_left",
    A OnConferenceTrackPublished = "on_conference_track_published",
    A OnConferenceTrackUnpublished = "on_conference_track_unpublished",
    A OnConferenceTrackMuted = "on_conference_track_muted",
    A OnConferenceTrackUnmuted = "on_conference_track_unmuted",
    A OnActiveSpeakerChanged = "on_active_speaker_changed",
    A OnConnectionQualityChanged = "on_connection_quality_changed",
    A OnPlanUpdated = "on_plan_updated",
    A OnFeedback = "on_feedback",
    A OnObservation = "on_observation",
}

impl HookTrigger {
    /// Does a hook that fails, is late or answers with the wrong type block (RE-095)? On these two nothing may be
    /// heard or said that a hook did not let through; on all others the failure counts as allow (RE-094).
    pub fn fails_closed(self) -> bool {
        matches!(self, HookTrigger::OnTranscription | HookTrigger::BeforeTts)
    }
}

impl fmt::Display for HookTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
