//! The desk as an intelligence channel of a room.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::Zoned;
use roomtone_base::{ChannelId, Evidence, EvidenceSink, Mono, RoomId, SharedClock, TraceId};
use roomtone_room::{
    Channel, ChannelBinding, ChannelCategory, ChannelOutput, ChannelType, DeliveryError, EventContent,
    EventDraft, EventType, RoomContext, RoomEvent,
};
use roomtone_speech::{Context, Expectations};
use serde_json::Value as Json;

use crate::{
    Desk, Input, Reply, State, Step,
    tool::{ToolCall, ToolResult, Toolbox},
};

/// Key of the conversation in the room's metadata.
const STATE: &str = "desk.state";
/// Conversations kept in memory; the others come back from their room's metadata.
const KEPT: usize = 1024;

/// Answers in rooms. In: messages with text (metadata `confidence`, `alternatives`), [`EventType::Dtmf`] with the keys
/// as text, and system content with the codes `session_started`, `no_match`, `no_input` and `interrupted` (data
/// `heard`, whole clauses that were heard). Out: one message with the clauses joined by a blank and the metadata
/// `desk.expects` (name of the state), `desk.end_call`, `desk.ms` (time it took, tools included) and
/// `desk.understood`.
///
/// The conversation is kept in the room's metadata, so that it goes on after a restart.
pub struct DeskChannel {
    id: ChannelId,
    desk: Arc<Desk>,
    tools: Toolbox,
    clock: SharedClock,
    evidence: Arc<dyn EvidenceSink>,
    /// With the time of their last turn.
    states: Mutex<HashMap<RoomId, (Mono, State)>>,
}

impl fmt::Debug for DeskChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeskChannel({})", self.id)
    }
}

impl DeskChannel {
    /// A channel named `id` that answers with `desk` and `tools`.
    pub fn new(
        id: ChannelId,
        desk: Arc<Desk>,
        tools: Toolbox,
        clock: SharedClock,
        evidence: Arc<dyn EvidenceSink>,
    ) -> DeskChannel {
        DeskChannel {
            id,
            desk,
            tools,
            clock,
            evidence,
            states: Mutex::new(HashMap::new()),
        }
    }

    /// The desk behind it.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    fn states(&self) -> MutexGuard<'_, HashMap<RoomId, (Mono, State)>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room's conversation: from memory, from its metadata, or a new one.
    fn state(&self, event: &RoomEvent, context: &RoomContext) -> State {
        if let Some((_, state)) = self.states().get(&event.room_id) {
            return state.clone();
        }
        let stored = context.room.metadata.get(STATE).cloned();
        match stored.map(serde_json::from_value::<State>) {
            Some(Ok(state)) => state,
            Some(Err(error)) => {
                tracing::warn!(room = %event.room_id, %error, "a stored conversation can't be read: a new one begins");
                self.new_state(event)
            }
            None => self.new_state(event),
        }
    }

    fn new_state(&self, event: &RoomEvent) -> State {
        self.desk
            .open_conversation(&format!("{}-{}", event.room_id, event.id))
    }

    fn keep(&self, room: &RoomId, state: State) {
        let mut states = self.states();
        if states.len() >= KEPT && !states.contains_key(room) {
            // Ended ones first, then the one that was not spoken in for the longest time.
            let old = states
                .iter()
                .min_by_key(|(_, (used, s))| (!s.ended, *used))
                .map(|(r, _)| r.clone());
            if let Some(old) = old {
                states.remove(&old);
            }
        }
        states.insert(room.clone(), (self.clock.mono(), state));
    }

    /// Works through a turn with its tool calls. What was done is kept before it is told.
    async fn turn(&self, state: &mut State, input: Input, trace: &TraceId, room: &RoomId) -> Reply {
        let now = self.now();
        let mut step = self.desk.turn(state, input, &now);
        loop {
            match step {
                Step::Done(reply) => return reply,
                Step::NeedsTool(call) => {
                    let result = self.use_tool(&call, trace, room).await;
                    step = match self.desk.resume(state, result, &self.now()) {
                        Ok(step) => step,
                        Err(error) => {
                            tracing::error!(%error, "a conversation lost its tool call");
                            return Reply::default();
                        }
                    };
                }
            }
        }
    }

    async fn use_tool(&self, call: &ToolCall, trace: &TraceId, room: &RoomId) -> ToolResult {
        let start = self.clock.mono();
        let result = self.tools.run(call, &self.now()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a tool call was refused");
            ToolResult::Failed {
                reason: error.to_string(),
                retryable: false,
            }
        });
        let (word, reason) = match &result {
            ToolResult::Done { .. } => ("done", None),
            ToolResult::Refused { reason, .. } => ("refused", Some(reason.as_str())),
            ToolResult::Failed { reason, .. } => ("failed", Some(reason.as_str())),
        };
        let mut record = Evidence::new(trace.clone(), self.clock.now(), "tool.used", call.tool.clone())
            .room(room.clone())
            .with("key", call.idempotency_key.clone())
            .with("result", word)
            .with("ms", (self.clock.mono() - start).as_millis() as u64);
        if let Some(reason) = reason {
            record = record.with("reason", reason);
        }
        self.evidence.record(record);
        result
    }

    fn now(&self) -> Zoned {
        self.clock.now().to_zoned(self.desk.zone().clone())
    }

    fn record(&self, reply: &Reply, event: &RoomEvent, trace: &TraceId) {
        let acts: Vec<Json> = reply
            .acts
            .iter()
            .filter_map(|a| serde_json::to_value(a).ok()?.get("act").cloned())
            .collect();
        let best = reply.understood.candidates.first();
        let record = Evidence::new(trace.clone(), self.clock.now(), "desk.answered", "desk")
            .room(event.room_id.clone())
            .with("event", event.id.as_str())
            .with("acts", acts)
            .with("intent", best.map(|c| c.intent.clone()))
            .with("score", best.map(|c| f64::from(c.score)))
            .with("expects", reply.expects.clone())
            .with("end_call", reply.end_call);
        self.evidence.record(record);
    }
}

/// What an event tells the desk; `None` for what is none of its business.
fn input(event: &RoomEvent) -> Option<Input> {
    match (&event.content, event.event_type) {
        (EventContent::System(system), _) => match system.code.as_str() {
            "session_started" => Some(Input::Started),
            "no_match" => Some(Input::NoMatch),
            "no_input" => Some(Input::NoInput),
            "interrupted" => {
                let heard = system.data.get("heard").and_then(Json::as_u64).unwrap_or(0);
                Some(Input::Interrupted {
                    heard: usize::try_from(heard).unwrap_or(usize::MAX),
                })
            }
            _ => None,
        },
        (EventContent::Text(text), EventType::Dtmf) => Some(Input::Digits(text.text.clone())),
        (EventContent::Text(text), EventType::Message) => {
            let other = event.metadata.get("alternatives").and_then(Json::as_array);
            let strings =
                |all: &Vec<Json>| all.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
            Some(Input::Text {
                text: text.text.clone(),
                confidence: event
                    .metadata
                    .get("confidence")
                    .and_then(Json::as_f64)
                    .map(|c| c as f32),
                alternatives: other.map(strings).unwrap_or_default(),
            })
        }
        _ => None,
    }
}

#[async_trait]
impl Channel for DeskChannel {
    fn id(&self) -> &ChannelId {
        &self.id
    }

    fn channel_type(&self) -> ChannelType {
        ChannelType::Ai
    }

    fn provider_name(&self) -> &str {
        "dialogue"
    }

    async fn on_event(
        &self,
        event: &Arc<RoomEvent>,
        _: &ChannelBinding,
        context: &RoomContext,
    ) -> Result<ChannelOutput, DeliveryError> {
        let from_agent = event.source.channel_type.category() == ChannelCategory::Intelligence;
        let Some(input) = input(event).filter(|_| !from_agent) else {
            return Ok(ChannelOutput::nothing());
        };
        let began = self.clock.mono();
        let trace = event
            .correlation_id
            .clone()
            .unwrap_or_else(|| TraceId::new(event.id.as_str()));
        let mut state = self.state(event, context);
        let spoken = matches!(
            event.source.channel_type,
            ChannelType::Voice
                | ChannelType::RealtimeVoice
                | ChannelType::AudioVideo
                | ChannelType::RealtimeAudioVideo
        );
        // A call that is over stays over until the next one begins; who writes again wants something again.
        if state.ended && (input == Input::Started || !spoken) {
            state = self.new_state(event);
        }
        // Who writes first must learn as well that no person answers (RC-078).
        let mut opening = Vec::new();
        if input != Input::Started && state.is_new() {
            let greeting = self
                .turn(&mut state, Input::Started, &trace, &event.room_id)
                .await;
            opening.extend(greeting.text.into_iter().next());
        }
        let reply = self.turn(&mut state, input, &trace, &event.room_id).await;
        self.record(&reply, event, &trace);
        let mut output = ChannelOutput::nothing();
        match serde_json::to_value(&state) {
            Ok(stored) => {
                output.metadata_updates.insert(STATE.to_owned(), stored);
            }
            Err(error) => tracing::error!(%error, "a conversation can't be stored"),
        }
        self.keep(&event.room_id, state);
        opening.extend(reply.text.iter().cloned());
        if !opening.is_empty() || reply.end_call {
            let understood = serde_json::to_value(&reply.understood).unwrap_or(Json::Null);
            let draft = EventDraft::text(opening.join(" "))
                .with("desk.expects", reply.expects)
                .with("desk.end_call", reply.end_call)
                .with("desk.ms", (self.clock.mono() - began).as_secs_f64() * 1_000.0)
                .with("desk.understood", understood);
            output.events.push(draft);
        }
        Ok(output)
    }
}

impl Context for DeskChannel {
    fn expectations(&self, room: &RoomId) -> Expectations {
        match self.states().get(room) {
            Some((_, state)) => self.desk.expectations(state),
            None => self.desk.expectations(&self.desk.open_conversation("")),
        }
    }
}
