//! The steps of the pipeline, one function each, up to the commit.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use roomtone_base::{ChannelId, EventId, RoomId, TraceId};

use super::{Inner, Registered};
use crate::{
    Error, Result,
    error::StoreError,
    hooks::{HookContext, HookPayload, HookTrigger, HookVerdict, InjectedEvent},
    lane::Ticket,
    locks::RoomGuard,
    model::{
        ChannelDirection, ChannelType, DeliveryResult, EventContent, EventDraft, EventSource, EventStatus,
        FrameworkEventType, InboundMessage, InboundResult, Observation, RoomContext, RoomEvent,
        SYSTEM_CHANNEL, SessionHandle, SideEffects,
    },
    permission::{self, blocked_by},
    reach::Stand,
    store::{Commit, Counters, PlannedDelivery},
    within::within,
};

/// What wants to become an event.
pub(super) struct Candidate {
    pub(super) channel: Arc<Registered>,
    pub(super) draft: EventDraft,
    pub(super) direction: ChannelDirection,
    pub(super) chain_depth: u32,
    pub(super) trace: TraceId,
    pub(super) created_at: Option<Timestamp>,
    /// Given when the event was announced under an id already.
    pub(super) event_id: Option<EventId>,
    /// Targets that have it already (RE-167).
    pub(super) served: Vec<ChannelId>,
}

/// What is to become of it.
pub(super) enum Decision {
    /// The room takes no events: nothing is stored (RE-041).
    Refused,
    /// Its key was seen before (RE-112).
    Duplicate(Arc<RoomEvent>),
    /// Stored and not broadcast (RE-026).
    Blocked { by: String, reason: String },
    /// Stored and broadcast.
    Allowed,
}

/// Decided, under the lock, and not yet stored.
pub(super) struct Decided {
    lock: RoomGuard,
    pub(super) context: RoomContext,
    pub(super) event: RoomEvent,
    pub(super) decision: Decision,
    channel: Arc<Registered>,
    injected: Vec<InjectedEvent>,
    effects: SideEffects,
    served: Vec<ChannelId>,
}

impl Decided {
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.decision, Decision::Refused)
    }
}

/// On the timeline, and with a place in the room's lane.
pub(super) struct Passed {
    pub(super) event: Arc<RoomEvent>,
    pub(super) context: RoomContext,
    pub(super) plan: Vec<PlannedDelivery>,
    pub(super) injected: Vec<(Arc<RoomEvent>, Vec<ChannelId>)>,
    pub(super) ticket: Ticket,
    /// Targets that had it before it was stored.
    pub(super) served: BTreeMap<ChannelId, DeliveryResult>,
}

impl Passed {
    /// False for an event whose source is no longer attached.
    pub(super) fn reaches_anybody(&self) -> bool {
        !self.event.is_blocked() && self.context.binding(&self.event.source.channel_id).is_some()
    }
}

/// What the commit point left.
pub(super) struct Committed {
    room_id: RoomId,
    channel: Arc<Registered>,
    event: Option<Arc<RoomEvent>>,
    /// Why it goes nowhere.
    reason: Option<String>,
    duplicate: bool,
    passed: Option<Passed>,
}

impl Committed {
    pub(super) fn result(&self) -> InboundResult {
        InboundResult {
            room_id: Some(self.room_id.clone()),
            event: self.event.clone(),
            blocked: self.reason.is_some(),
            reason: self.reason.clone(),
            duplicate: self.duplicate,
            ..InboundResult::default()
        }
    }

    pub(super) fn into_passed(self) -> Option<Passed> {
        self.passed
    }
}

impl Inner {
    pub(super) fn trace_of(&self, message: &InboundMessage) -> TraceId {
        let given = message.trace.as_ref().or(message.correlation_id.as_ref());
        given.cloned().unwrap_or_else(|| self.ids.make())
    }

    /// Before anything else (RE-120).
    pub(super) fn validate(&self, message: &InboundMessage) -> Result<()> {
        message.content.validate()?;
        match message.content {
            EventContent::Edit(_) | EventContent::Delete(_) => Err(Error::Unsupported(
                "changing or taking back an older message is not offered",
            )),
            _ => Ok(()),
        }
    }

    /// A hook runs under the room's lock; taking it again would wait for ever (RE-035).
    pub(super) fn not_under_lock(&self, room_id: &RoomId) -> Result<()> {
        if Stand::under_lock(room_id) {
            Err(Error::Reentrant(room_id.clone()))
        } else {
            Ok(())
        }
    }

    /// Step 3: the room as it is.
    pub(super) async fn look(&self, room_id: &RoomId) -> Result<RoomContext> {
        let context = self.store.context(room_id, self.settings.recent_events).await?;
        context.ok_or_else(|| Error::RoomNotFound(room_id.clone()))
    }

    /// Step 4: the channel makes an event of the message.
    pub(super) async fn hear(
        &self,
        channel: &Registered,
        message: &InboundMessage,
        context: &RoomContext,
    ) -> Result<EventDraft> {
        let draft = channel.channel.handle_inbound(message, context).await;
        let draft = draft.map_err(|error| Error::Channel {
            channel: channel.id.clone(),
            error,
        })?;
        draft.content.validate()?;
        Ok(draft)
    }

    /// Step 6: takes the lock and reads the room again, because it may have been closed meanwhile (RE-041). What was
    /// `seen` before is still true if nothing was written since: then there is no need to read it all once more.
    pub(super) async fn enter(
        &self,
        room_id: &RoomId,
        seen: Option<RoomContext>,
        candidate: Candidate,
    ) -> Result<Decided> {
        let lock = self.locks.lock(room_id).await?;
        let context = match (seen, self.store.room(room_id).await?) {
            // Every change of bindings is an event, every other one of the room moves `updated_at`.
            (Some(seen), Some(room))
                if (room.event_count, room.updated_at) == (seen.room.event_count, seen.room.updated_at) =>
            {
                RoomContext { room, ..seen }
            }
            _ => self.look(room_id).await?,
        };
        let accepts = context.room.status.accepts_events();
        let decision = if accepts {
            Decision::Allowed
        } else {
            Decision::Refused
        };
        let (channel, served) = (candidate.channel.clone(), candidate.served.clone());
        let event = self.compose(room_id, candidate);
        Ok(Decided {
            lock,
            context,
            event,
            decision,
            channel,
            injected: Vec::new(),
            effects: SideEffects::default(),
            served,
        })
    }

    /// All of an event but its place.
    pub(super) fn compose(&self, room_id: &RoomId, candidate: Candidate) -> RoomEvent {
        let Candidate {
            channel,
            draft,
            direction,
            chain_depth,
            trace,
            created_at,
            event_id,
            ..
        } = candidate;
        RoomEvent {
            id: event_id.unwrap_or_else(|| self.ids.make()),
            room_id: room_id.clone(),
            event_type: draft.event_type,
            source: EventSource {
                channel_id: channel.id.clone(),
                channel_type: draft.channel_type.unwrap_or_else(|| channel.channel_type.clone()),
                direction,
                participant_id: draft.participant_id,
                external_id: draft.external_id,
                provider: Some(channel.provider.clone()),
                raw_payload: draft.raw_payload,
                provider_message_id: draft.provider_message_id,
            },
            content: draft.content,
            status: EventStatus::Pending,
            blocked_by: None,
            visibility: draft.visibility,
            addressed_to: draft.addressed_to,
            index: 0,
            chain_depth,
            parent_event_id: draft.parent_event_id,
            correlation_id: Some(trace),
            idempotency_key: draft.idempotency_key,
            created_at: created_at.unwrap_or_else(|| self.clock.now()),
            metadata: draft.metadata,
            channel_data: draft.channel_data,
            delivery_results: BTreeMap::new(),
        }
    }

    /// Step 7: was it here before (RE-032)? Then true.
    pub(super) async fn recall(&self, decided: &mut Decided) -> Result<bool> {
        let Some(key) = &decided.event.idempotency_key else {
            return Ok(false);
        };
        let Some(first) = self.store.event_by_key(&decided.event.room_id, key).await? else {
            return Ok(false);
        };
        decided.decision = Decision::Duplicate(first);
        Ok(true)
    }

    /// An answer too deep in a chain is stored without asking anybody (RE-171). Then true.
    pub(super) fn stop_endless_chain(&self, decided: &mut Decided) -> bool {
        if decided.event.chain_depth < self.settings.max_chain_depth {
            return false;
        }
        let (depth, limit) = (decided.event.chain_depth, self.settings.max_chain_depth);
        decided.effects.observations.push(Observation {
            observation_type: "event_chain_depth_exceeded".to_owned(),
            category: Some("event_chain_depth_exceeded".to_owned()),
            content: Some(format!(
                "an answer at depth {depth} was stopped; the limit is {limit}"
            )),
            source_channel_id: Some(decided.event.source.channel_id.clone()),
            ..Observation::default()
        });
        block(decided, blocked_by::CHAIN_DEPTH_LIMIT);
        true
    }

    /// Step 8: the index that hooks see; the final one is the store's (C-11).
    pub(super) fn number(&self, decided: &mut Decided) {
        decided.event.index = decided.context.room.event_count;
    }

    /// Steps 9 and 10: the host's own rules.
    pub(super) async fn ask_before_broadcast(self: &Arc<Self>, decided: &mut Decided) {
        const TRIGGER: HookTrigger = HookTrigger::BeforeBroadcast;
        if !self.hooks.has(TRIGGER) {
            return;
        }
        let start = self.clock.mono();
        let event = Arc::new(decided.event.clone());
        let context = HookContext {
            trigger: TRIGGER,
            room_id: Some(event.room_id.clone()),
            room: Some(decided.context.clone()),
            source: super::tell::source_of(&event),
        };
        let run = self.hooks.run_sync(HookPayload::Event(event.clone()), &context);
        let verdict = Stand::locked(&event.room_id, run).await;
        self.tell_reports(Some(&event.room_id), &verdict.reports);
        self.watch(context, HookPayload::Event(event.clone()));
        let HookVerdict {
            payload,
            blocked,
            injected_events,
            tasks,
            observations,
            ..
        } = verdict;
        decided.injected.extend(injected_events);
        decided.effects.merge(SideEffects {
            tasks,
            observations,
            ..SideEffects::default()
        });
        match (blocked, payload) {
            // Stored as it was before any hook changed it (RE-098).
            (Some((hook, reason)), _) => {
                decided.decision = Decision::Blocked {
                    reason: reason.unwrap_or_else(|| hook.clone()),
                    by: hook,
                };
            }
            (None, HookPayload::Event(changed)) if !Arc::ptr_eq(&changed, &event) => {
                take_over(&mut decided.event, Arc::unwrap_or_clone(changed));
            }
            (None, _) => {}
        }
        self.span(
            "hook_execution",
            start,
            event.correlation_id.as_ref(),
            &[("room_id", &event.room_id)],
        );
    }

    /// Step 11: may the source write (RE-072)? After the hooks, whose side effects are kept (RE-110).
    pub(super) fn check_permission(&self, decided: &mut Decided) {
        if !matches!(decided.decision, Decision::Allowed) {
            return;
        }
        let source = decided.context.binding(&decided.event.source.channel_id);
        if let Some(word) = source.and_then(|binding| permission::write_refusal(binding)) {
            block(decided, word);
        }
    }

    /// Steps 10, 11 and 12: writes it down, draws its place in the lane, and lets go of the lock.
    pub(super) async fn commit(self: &Arc<Self>, decided: Decided) -> Result<Committed> {
        if let Decision::Refused = decided.decision {
            self.refused(&decided);
        }
        let Decided {
            lock,
            context,
            mut event,
            decision,
            channel,
            injected,
            mut effects,
            served,
        } = decided;
        let room_id = event.room_id.clone();
        let without_event = |event, reason: Option<&str>, duplicate| Committed {
            room_id: room_id.clone(),
            channel: channel.clone(),
            event,
            reason: reason.map(str::to_owned),
            duplicate,
            passed: None,
        };
        let reason = match decision {
            Decision::Refused => return Ok(without_event(None, Some("room_closed"), false)),
            Decision::Duplicate(first) => return Ok(without_event(Some(first), None, true)),
            Decision::Blocked { by, reason } => {
                event.status = EventStatus::Blocked;
                event.blocked_by = Some(by);
                Some(reason)
            }
            Decision::Allowed => {
                event.status = EventStatus::Delivered;
                None
            }
        };
        let plan = if reason.is_none() {
            permission::plan(&context, &event, &served)
        } else {
            Vec::new()
        };
        self.stamp(&room_id, &mut effects);
        let tasks = effects.tasks.clone();
        let (injected, targets): (Vec<_>, Vec<_>) = injected
            .into_iter()
            .map(|extra| self.injected_event(&event, extra))
            .unzip();
        let key = event.idempotency_key.clone();
        let commit = Commit {
            counters: Counters {
                last_activity_at: self.clock.now(),
            },
            event,
            injected,
            plan: plan.clone(),
            side_effects: effects,
            binding: None,
        };
        let stored = match (self.store.commit(commit).await, key) {
            // Another process wrote the same key first.
            (Err(StoreError::DuplicateKey(_)), Some(key)) => {
                let first = self.store.event_by_key(&room_id, &key).await?;
                return Ok(without_event(first, None, true));
            }
            (stored, _) => stored?,
        };
        // Drawn under the lock: places in the lane stand in index order (RE-160, RE-161).
        let ticket = self.lanes.ticket(&room_id);
        drop(lock); // 13
        let event = stored.event;
        self.witness(&event);
        stored.injected.iter().for_each(|extra| self.witness(extra));
        if let Some(reason) = &reason {
            self.tell_blocked(&event, reason);
        }
        self.tell_tasks(&event, &tasks);
        let injected = stored.injected.into_iter().zip(targets).collect();
        let served = BTreeMap::new();
        let passed = Passed {
            event: event.clone(),
            context,
            plan,
            injected,
            ticket,
            served,
        };
        Ok(Committed {
            room_id,
            channel,
            event: Some(event),
            reason,
            duplicate: false,
            passed: Some(passed),
        })
    }

    /// The session that a message brought joins its room, now that the message has passed (RE-113).
    pub(super) async fn connect(&self, committed: &Committed, session: Option<SessionHandle>) {
        let (Some(session), Some(passed), None) = (session, &committed.passed, &committed.reason) else {
            return;
        };
        let Some(binding) = passed.context.binding(&committed.channel.id) else {
            return;
        };
        let connecting = committed
            .channel
            .channel
            .connect_session(session, &committed.room_id, binding);
        let connecting = Stand::delivering(&committed.room_id, connecting);
        let error = match within(&*self.clock, self.settings.delivery_timeout, connecting).await {
            Some(Ok(())) => return,
            Some(Err(error)) => error.to_string(),
            None => "connecting the session took too long".to_owned(),
        };
        // The caller may just have hung up: whose session it is says more about it.
        let trace = passed.event.correlation_id.as_ref().map_or("", |t| t.as_str());
        tracing::info!(target: "roomtone::room", room = %committed.room_id, trace, error, "session not connected");
        self.tell_of(FrameworkEventType::DeliveryFailed, &passed.event, |event| {
            event.channel_id = Some(committed.channel.id.clone());
            event.data.insert("error".to_owned(), error.into());
        });
    }

    /// Tells that a room that takes no events refused one (RE-042).
    pub(super) fn refused(&self, decided: &Decided) {
        let event = &decided.event;
        let actor = &event.source.channel_id;
        if let Some(trace) = &event.correlation_id {
            self.witness_refusal(trace, &event.room_id, actor, "room_closed");
        }
        self.tell(FrameworkEventType::RoomRefusedEvent, |told| {
            told.room_id = Some(event.room_id.clone());
            told.channel_id = Some(actor.clone());
        });
    }

    fn tell_blocked(&self, event: &RoomEvent, reason: &str) {
        if event.blocked_by.as_deref() == Some(blocked_by::CHAIN_DEPTH_LIMIT) {
            self.tell_of(FrameworkEventType::ChainDepthExceeded, event, |told| {
                told.channel_id = Some(event.source.channel_id.clone());
                told.data.insert("depth".to_owned(), event.chain_depth.into());
                told.data
                    .insert("max_chain_depth".to_owned(), self.settings.max_chain_depth.into());
            });
        }
        self.tell_of(FrameworkEventType::EventBlocked, event, |told| {
            told.channel_id = Some(event.source.channel_id.clone());
            told.data.insert("reason".to_owned(), reason.into());
            told.data
                .insert("blocked_by".to_owned(), event.blocked_by.clone().into());
            told.data
                .insert("hook_name".to_owned(), event.blocked_by.clone().into());
        });
    }

    /// A hook's extra event, and whom it goes to; nobody unless it says so (RE-099).
    fn injected_event(&self, trigger: &RoomEvent, extra: InjectedEvent) -> (RoomEvent, Vec<ChannelId>) {
        let known = extra.source_channel_id.and_then(|id| self.channel(&id).ok());
        let (channel_id, channel_type, provider) = match known {
            Some(channel) => (
                channel.id.clone(),
                channel.channel_type.clone(),
                Some(channel.provider.clone()),
            ),
            None => (SYSTEM_CHANNEL.into(), ChannelType::System, None),
        };
        let draft = extra.event;
        let event = RoomEvent {
            id: self.ids.make(),
            room_id: trigger.room_id.clone(),
            event_type: draft.event_type,
            source: EventSource {
                channel_id,
                channel_type,
                direction: ChannelDirection::Inbound,
                participant_id: draft.participant_id,
                external_id: draft.external_id,
                provider,
                raw_payload: draft.raw_payload,
                provider_message_id: draft.provider_message_id,
            },
            content: draft.content,
            status: EventStatus::Delivered,
            blocked_by: None,
            visibility: draft.visibility,
            addressed_to: draft.addressed_to,
            index: trigger.index,
            chain_depth: trigger.chain_depth,
            parent_event_id: draft.parent_event_id,
            correlation_id: trigger.correlation_id.clone(),
            idempotency_key: draft.idempotency_key,
            created_at: self.clock.now(),
            metadata: draft.metadata,
            channel_data: draft.channel_data,
            delivery_results: BTreeMap::new(),
        };
        (event, extra.target_channel_ids.unwrap_or_default())
    }

    /// Keeps what the hooks of another part's moment left behind (RE-074).
    pub(super) async fn keep_hook_effects(&self, room_id: &RoomId, verdict: &mut HookVerdict) -> Result<()> {
        let (tasks, observations) = (
            std::mem::take(&mut verdict.tasks),
            std::mem::take(&mut verdict.observations),
        );
        let mut effects = SideEffects {
            tasks,
            observations,
            ..SideEffects::default()
        };
        if effects.is_empty() {
            return Ok(());
        }
        self.stamp(room_id, &mut effects);
        Ok(self.store.keep(room_id, effects).await?)
    }

    /// Names, places and times of side effects that their authors left open.
    pub(super) fn stamp(&self, room_id: &RoomId, effects: &mut SideEffects) {
        for task in &mut effects.tasks {
            if task.id.is_empty() {
                task.id = self.ids.uuid();
            }
            task.room_id = Some(room_id.clone());
            task.created_at.get_or_insert_with(|| self.clock.now());
        }
        for observation in &mut effects.observations {
            if observation.id.is_empty() {
                observation.id = self.ids.uuid();
            }
            observation.room_id = Some(room_id.clone());
            observation.created_at.get_or_insert_with(|| self.clock.now());
        }
    }
}

/// Stored and not broadcast, for a reason of the engine's own.
pub(super) fn block(decided: &mut Decided, word: &str) {
    decided.decision = Decision::Blocked {
        by: word.to_owned(),
        reason: word.to_owned(),
    };
}

/// A hook may change what an event says and to whom, never which event it is.
fn take_over(event: &mut RoomEvent, changed: RoomEvent) {
    event.event_type = changed.event_type;
    event.content = changed.content;
    event.visibility = changed.visibility;
    event.addressed_to = changed.addressed_to;
    event.parent_event_id = changed.parent_event_id;
    event.metadata = changed.metadata;
    event.channel_data = changed.channel_data;
}
