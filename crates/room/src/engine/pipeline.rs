//! The way of a message through the engine (section 10). The order is law (RE-110): this file is the order.

use std::{collections::BTreeMap, sync::Arc};

use roomtone_base::{ChannelId, RoomId, TraceId};

use super::{
    Inner, RoomEngine,
    steps::{Candidate, Committed, Decision},
};
use crate::{
    Error, Result,
    model::{ChannelDirection, EventDraft, FrameworkEventType, InboundMessage, InboundResult, RoomContext},
    reach::Stand,
    within::within,
};

/// An event that the host sends in a channel's name (RE-119).
#[derive(Clone, Debug)]
pub struct SendEvent {
    /// The room.
    pub room_id: RoomId,
    /// The channel in whose name; it must be attached, and does not get the event itself.
    pub channel_id: ChannelId,
    /// What it says.
    pub draft: EventDraft,
    /// 0 unless it continues a chain of answers (RE-170).
    pub chain_depth: u32,
    /// The cause; absent: a new one.
    pub trace: Option<TraceId>,
}

impl SendEvent {
    /// An event that starts a chain of its own.
    pub fn new(room_id: RoomId, channel_id: ChannelId, draft: EventDraft) -> Self {
        SendEvent {
            room_id,
            channel_id,
            draft,
            chain_depth: 0,
            trace: None,
        }
    }
}

impl RoomEngine {
    /// Takes a message from outside all its way: decides about it under the room's lock, stores it, and returns when
    /// it and every answer to it have been delivered (RE-115). Called from inside a delivery to the same room it
    /// returns once the event is stored, because its own deliveries come after the one that it was called from
    /// (RE-168).
    ///
    /// `room_id` wins over the message's own; without either the router decides, and a message that nobody routes
    /// makes a new room. If the caller stops waiting, the message still goes all its way.
    ///
    /// # Errors
    /// [`Error::ChannelNotRegistered`], [`Error::Content`], [`Error::Channel`] (the channel refused it),
    /// [`Error::Reentrant`], [`Error::ShutDown`], [`Error::Store`]. Nothing is stored then. A refusal by room status,
    /// hook, permission or timeout is no error: the result says so.
    pub async fn process_inbound(
        &self,
        message: InboundMessage,
        room_id: Option<RoomId>,
    ) -> Result<InboundResult> {
        let inner = self.inner.clone();
        let (start, trace) = (inner.clock.mono(), inner.trace_of(&message));
        inner.open()?;
        inner.validate(&message)?;
        let channel = inner.channel(&message.channel_id)?; // 1
        let work = async move {
            let room_id = inner.find_room(&message, room_id, &channel, &trace).await?; // 2
            let actor = channel.id.clone();
            let decided = within(&*inner.clock, inner.settings.process_timeout, async {
                let context = inner.look(&room_id).await?; // 3
                let draft = inner.hear(&channel, &message, &context).await?; // 4; 5 has nothing to resolve
                let candidate = Candidate {
                    channel,
                    draft,
                    direction: ChannelDirection::Inbound,
                    chain_depth: 0,
                    trace: trace.clone(),
                    created_at: message.timestamp,
                    event_id: None,
                    served: Vec::new(),
                };
                inner.decide(&room_id, Some(context), candidate).await // 6 to 11
            });
            let Some(decided) = decided.await else {
                return Ok(inner.too_slow(&room_id, &trace, &actor));
            };
            let committed = inner.commit(decided?).await?; // 10, 11, 12; 13 at its end
            inner.connect(&committed, message.session).await;
            let result = inner.finish(committed).await; // 14 to 18
            inner.span(
                "process_inbound",
                start,
                Some(&trace),
                &[("room_id", &room_id), ("channel_id", &actor)],
            );
            Ok(result)
        };
        self.inner.carry(work).await
    }

    /// Puts an event into a room in a channel's name, through the same pipeline (RE-119).
    ///
    /// # Errors
    /// As [`process_inbound`](Self::process_inbound), and [`Error::RoomNotFound`], [`Error::ChannelNotAttached`],
    /// [`Error::RoomClosed`].
    pub async fn send_event(&self, send: SendEvent) -> Result<InboundResult> {
        let inner = self.inner.clone();
        inner.open()?;
        send.draft.content.validate()?;
        let channel = inner.channel(&send.channel_id)?; // 1
        let work = async move {
            let SendEvent {
                room_id,
                channel_id,
                draft,
                chain_depth,
                trace,
            } = send;
            inner.not_under_lock(&room_id)?;
            let trace = trace.unwrap_or_else(|| inner.ids.make());
            let decided = within(&*inner.clock, inner.settings.process_timeout, async {
                let context = inner.look(&room_id).await?; // 3
                if context.binding(&channel_id).is_none() {
                    return Err(Error::ChannelNotAttached {
                        channel: channel_id.clone(),
                        room: room_id.clone(),
                    });
                }
                let direction = ChannelDirection::Outbound;
                let (event_id, created_at, served) = (None, None, Vec::new());
                let trace = trace.clone();
                let candidate = Candidate {
                    channel,
                    draft,
                    direction,
                    chain_depth,
                    trace,
                    created_at,
                    event_id,
                    served,
                };
                inner.decide(&room_id, Some(context), candidate).await // 6 to 11
            });
            let Some(decided) = decided.await else {
                return Ok(inner.too_slow(&room_id, &trace, &channel_id));
            };
            let decided = decided?;
            if matches!(decided.decision, Decision::Refused) {
                inner.refused(&decided);
                return Err(Error::RoomClosed(room_id));
            }
            let committed = inner.commit(decided).await?; // 10, 11, 12; 13 at its end
            Ok(inner.finish(committed).await) // 14 to 18
        };
        self.inner.carry(work).await
    }
}

impl Inner {
    /// Steps 6 to 11: takes the room's lock and decides; `seen` is the room as step 3 read it. Nothing durable has happened when it is given up.
    pub(super) async fn decide(
        self: &Arc<Self>,
        room_id: &RoomId,
        seen: Option<RoomContext>,
        candidate: Candidate,
    ) -> Result<super::steps::Decided> {
        let mut decided = self.enter(room_id, seen, candidate).await?; // 6, takes the lock
        if decided.is_open()
            && !self.recall(&mut decided).await? // 7
            && !self.stop_endless_chain(&mut decided)
        {
            self.number(&mut decided); // 8
            self.ask_before_broadcast(&mut decided).await; // 9, 10
            self.check_permission(&mut decided); // 11
        }
        Ok(decided)
    }

    /// Steps 14 to 18 for the event that came from outside.
    async fn finish(self: &Arc<Self>, committed: Committed) -> InboundResult {
        let mut result = committed.result();
        let Some(passed) = committed.into_passed() else {
            return result;
        };
        let (first, room) = (passed.event.clone(), passed.context.clone());
        let is_processed = passed.reaches_anybody();
        if Stand::in_lane(&first.room_id) {
            let inner = self.clone();
            self.detach(async move {
                inner.drain(passed).await;
                inner.close_up(&first, &room, is_processed);
            });
            return result;
        }
        let outcome = self.drain(passed).await; // 14, 15
        self.close_up(&first, &room, is_processed); // 16, 17
        result.delivery_results = outcome.delivery_results;
        result.turn_error = outcome.turn_error;
        result // 18
    }

    fn close_up(
        self: &Arc<Self>,
        event: &Arc<crate::RoomEvent>,
        room: &crate::RoomContext,
        is_processed: bool,
    ) {
        if event.is_blocked() {
            return;
        }
        self.watch_event(crate::HookTrigger::AfterBroadcast, event, Some(room)); // 16
        if is_processed {
            self.tell_of(FrameworkEventType::EventProcessed, event, |_| {}); // 17
        }
    }

    /// The result of a message that was given up before anything was stored (RE-116).
    fn too_slow(&self, room_id: &RoomId, trace: &TraceId, actor: &ChannelId) -> InboundResult {
        const REASON: &str = "process_timeout";
        tracing::warn!(target: "roomtone::room", room = %room_id, channel = %actor, "message given up: too slow");
        self.witness_refusal(trace, room_id, actor, REASON);
        self.tell(FrameworkEventType::ProcessTimeout, |event| {
            event.room_id = Some(room_id.clone());
            event.channel_id = Some(actor.clone());
        });
        InboundResult {
            room_id: Some(room_id.clone()),
            blocked: true,
            reason: Some(REASON.to_owned()),
            delivery_results: BTreeMap::new(),
            ..InboundResult::default()
        }
    }
}
