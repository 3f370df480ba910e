//! What a channel answers.

use std::fmt;

use futures_util::stream::BoxStream;

use super::{DeliveryError, EventDraft, Map, Observation, SideEffects, Task};

/// A piece of an answer that is still being made.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamPart {
    /// More words; the pieces are joined as they are.
    Text(String),
    /// Facts, merged into the event's metadata.
    Metadata(Map),
}

/// The pieces in order. After an error nothing more comes; what came before it stands.
pub type PartStream = BoxStream<'static, Result<StreamPart, DeliveryError>>;

/// An answer that is still being made (RE-167).
pub struct ResponseStream {
    /// All about the answer but its words.
    pub draft: EventDraft,
    /// The words. Not polled before the answer may be given: a muted agent's provider is never called (RE-073).
    pub parts: PartStream,
}

impl fmt::Debug for ResponseStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseStream")
            .field("draft", &self.draft)
            .finish_non_exhaustive()
    }
}

/// What a channel gives back (RFC 6.1): events, subject to permissions, and side effects, kept always (RE-003).
#[derive(Debug, Default)]
pub struct ChannelOutput {
    /// Answers that are complete.
    pub events: Vec<EventDraft>,
    /// One answer that is still being made.
    pub response_stream: Option<ResponseStream>,
    /// Things to do.
    pub tasks: Vec<Task>,
    /// Things noticed.
    pub observations: Vec<Observation>,
    /// Merged into the room's metadata.
    pub metadata_updates: Map,
}

impl ChannelOutput {
    /// No answer, nothing left behind.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// One answer.
    pub fn answer(draft: EventDraft) -> Self {
        ChannelOutput {
            events: vec![draft],
            ..Self::default()
        }
    }

    /// One answer that is still being made.
    pub fn stream(draft: EventDraft, parts: PartStream) -> Self {
        ChannelOutput {
            response_stream: Some(ResponseStream { draft, parts }),
            ..Self::default()
        }
    }

    pub(crate) fn take_side_effects(&mut self) -> SideEffects {
        SideEffects {
            tasks: std::mem::take(&mut self.tasks),
            observations: std::mem::take(&mut self.observations),
            metadata_updates: std::mem::take(&mut self.metadata_updates),
        }
    }
}
