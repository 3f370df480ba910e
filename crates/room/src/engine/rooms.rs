//! The life of rooms and of channels in them (sections 5 and 6).

use std::{collections::BTreeMap, sync::Arc};

use roomtone_base::{ChannelId, OrganizationId, ParticipantId, RoomId, TraceId};

use super::{Inner, Registered, RoomEngine};
use crate::{
    Error, Result,
    error::StoreError,
    hooks::HookTrigger,
    model::{
        Access, AgentResponsePolicy, ChannelBinding, ChannelDirection, ChannelType, EventContent,
        EventSource, EventStatus, EventType, FrameworkEventType, InboundMessage, Map, RateLimit, RetryPolicy,
        Room, RoomEvent, RoomStatus, RoomTimers, SYSTEM_CHANNEL, SideEffects, Visibility,
    },
    store::{BindingChange, Commit, Counters},
};

/// How to make a room.
#[derive(Clone, Debug, Default)]
pub struct NewRoom {
    /// Its name; absent: a new one.
    pub id: Option<RoomId>,
    /// The tenant it belongs to.
    pub organization_id: Option<OrganizationId>,
    /// The host's own facts.
    pub metadata: Map,
    /// Idle timers.
    pub timers: RoomTimers,
    /// How agents answer one another.
    pub agent_response_policy: AgentResponsePolicy,
}

/// How to attach a channel; the default lets it do all it can.
#[derive(Clone, Debug, Default)]
pub struct Attach {
    /// What it may do.
    pub access: Access,
    /// Who sees what it writes.
    pub visibility: Visibility,
    /// Suppresses what it writes.
    pub muted: bool,
    /// Suppresses `deliver` and keeps `on_event`.
    pub output_muted: bool,
    /// Narrower than what the channel can do; absent: all it can.
    pub direction: Option<ChannelDirection>,
    /// The person on the other end.
    pub participant_id: Option<ParticipantId>,
    /// Recipient address, persona, per-room overrides.
    pub metadata: Map,
    /// Limit for this room.
    pub rate_limit: Option<RateLimit>,
    /// Retries for this room.
    pub retry_policy: Option<RetryPolicy>,
}

impl From<&ChannelBinding> for Attach {
    /// A binding derived from another one grants exactly what that one grants (RE-064).
    fn from(origin: &ChannelBinding) -> Self {
        Attach {
            access: origin.access,
            visibility: origin.visibility.clone(),
            muted: origin.muted,
            output_muted: origin.output_muted,
            direction: Some(origin.direction),
            participant_id: origin.participant_id.clone(),
            metadata: origin.metadata.clone(),
            rate_limit: origin.rate_limit.clone(),
            retry_policy: origin.retry_policy.clone(),
        }
    }
}

impl RoomEngine {
    /// Makes a room.
    ///
    /// # Errors
    /// [`Error::Store`] with [`StoreError::RoomExists`].
    pub async fn create_room(&self, new: NewRoom) -> Result<Arc<Room>> {
        self.inner.open()?;
        let room = self.inner.make_room(new, &self.inner.ids.make()).await?;
        Ok(room)
    }

    /// A room.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub async fn room(&self, room_id: &RoomId) -> Result<Arc<Room>> {
        self.inner
            .store
            .room(room_id)
            .await?
            .ok_or_else(|| Error::RoomNotFound(room_id.clone()))
    }

    /// Binds a registered channel to a room, or binds it anew, and writes that down (RE-063).
    ///
    /// # Errors
    /// [`Error::ChannelNotRegistered`], [`Error::RoomNotFound`], [`Error::RoomClosed`].
    pub async fn attach_channel(&self, room_id: &RoomId, channel_id: &ChannelId, how: Attach) -> Result<()> {
        let inner = &self.inner;
        inner.open()?;
        let channel = inner.channel(channel_id)?;
        inner.not_under_lock(room_id)?;
        let _lock = inner.locks.lock(room_id).await?;
        inner.attach(room_id, &channel, how, &inner.ids.make()).await
    }

    /// Takes a channel out of a room for good: only [`attach_channel`](Self::attach_channel) brings it back (RE-065).
    /// `false` if it was not attached.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::RoomClosed`].
    pub async fn detach_channel(&self, room_id: &RoomId, channel_id: &ChannelId) -> Result<bool> {
        let change = |_: &ChannelBinding| BindingChange::Detach(channel_id.clone());
        match self
            .change_binding(
                room_id,
                channel_id,
                EventType::ChannelDetached,
                "channel_detached",
                change,
            )
            .await
        {
            Err(Error::ChannelNotAttached { .. }) => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// Suppresses what a channel writes, or lets it speak again.
    ///
    /// # Errors
    /// [`Error::ChannelNotAttached`], [`Error::RoomNotFound`], [`Error::RoomClosed`].
    pub async fn set_muted(&self, room_id: &RoomId, channel_id: &ChannelId, muted: bool) -> Result<()> {
        let (event_type, code) = match muted {
            true => (EventType::ChannelMuted, "channel_muted"),
            false => (EventType::ChannelUnmuted, "channel_unmuted"),
        };
        self.change_binding(room_id, channel_id, event_type, code, |old| {
            put(old, |new| new.muted = muted)
        })
        .await
    }

    /// Changes what a channel may do, effective for later events.
    ///
    /// # Errors
    /// As [`set_muted`](Self::set_muted).
    pub async fn set_access(&self, room_id: &RoomId, channel_id: &ChannelId, access: Access) -> Result<()> {
        let change = |old: &ChannelBinding| put(old, |new| new.access = access);
        self.change_binding(
            room_id,
            channel_id,
            EventType::ChannelUpdated,
            "channel_access_changed",
            change,
        )
        .await
    }

    /// Changes who sees what a channel writes; also for what it wrote before (RE-078).
    ///
    /// # Errors
    /// As [`set_muted`](Self::set_muted).
    pub async fn set_visibility(
        &self,
        room_id: &RoomId,
        channel_id: &ChannelId,
        visibility: Visibility,
    ) -> Result<()> {
        let change = |old: &ChannelBinding| put(old, |new| new.visibility = visibility);
        self.change_binding(
            room_id,
            channel_id,
            EventType::ChannelUpdated,
            "channel_visibility_changed",
            change,
        )
        .await
    }

    /// Merges facts into a binding's metadata.
    ///
    /// # Errors
    /// As [`set_muted`](Self::set_muted).
    pub async fn update_binding_metadata(
        &self,
        room_id: &RoomId,
        channel_id: &ChannelId,
        metadata: Map,
    ) -> Result<()> {
        let change = |old: &ChannelBinding| put(old, |new| new.metadata.extend(metadata));
        self.change_binding(
            room_id,
            channel_id,
            EventType::ChannelUpdated,
            "channel_metadata_updated",
            change,
        )
        .await
    }

    /// Merges facts into a room's metadata; works in every status.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub async fn update_room_metadata(&self, room_id: &RoomId, metadata: Map) -> Result<()> {
        self.change_room(room_id, |room| room.metadata.extend(metadata))
            .await
            .map(drop)
    }

    /// Changes how agents answer one another, for later events (RE-083).
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub async fn set_agent_policy(&self, room_id: &RoomId, policy: AgentResponsePolicy) -> Result<()> {
        self.change_room(room_id, |room| room.agent_response_policy = policy)
            .await
            .map(drop)
    }

    /// Closes a room: from now on it refuses every event (RE-040). Waits for a message that is being decided about.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub async fn close_room(&self, room_id: &RoomId) -> Result<()> {
        self.move_room(room_id, RoomStatus::Closed, |from| from != RoomStatus::Archived)
            .await
    }

    /// Archives a room: it refuses every event, for good (RE-045).
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub async fn archive_room(&self, room_id: &RoomId) -> Result<()> {
        self.move_room(room_id, RoomStatus::Archived, |_| true).await
    }

    /// Opens a closed room again; an archived one stays what it is (RE-045).
    ///
    /// # Errors
    /// [`Error::RoomNotFound`]; [`Error::RoomClosed`] for an archived one.
    pub async fn reopen_room(&self, room_id: &RoomId) -> Result<()> {
        self.move_room(room_id, RoomStatus::Active, |from| from != RoomStatus::Archived)
            .await
    }

    async fn move_room(
        &self,
        room_id: &RoomId,
        to: RoomStatus,
        may: impl Fn(RoomStatus) -> bool,
    ) -> Result<()> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let mut from = to;
        let room = self
            .change_room(room_id, |room| {
                from = room.status;
                if may(from) {
                    room.status = to;
                    room.closed_at = (!to.accepts_events()).then(|| room.closed_at.unwrap_or(now));
                }
            })
            .await?;
        if !may(from) {
            return Err(Error::RoomClosed(room_id.clone()));
        }
        if from == to {
            return Ok(());
        }
        let event_type = match to {
            RoomStatus::Closed => FrameworkEventType::RoomClosed,
            RoomStatus::Archived => FrameworkEventType::RoomArchived,
            RoomStatus::Paused => FrameworkEventType::RoomPaused,
            RoomStatus::Active => return Ok(()),
        };
        // There is no hook for archiving (RE-048).
        if to == RoomStatus::Closed && inner.hooks.watches(HookTrigger::OnRoomClosed) {
            let event =
                Arc::new(inner.system_event(&room.id, EventType::System, "room_closed", &inner.ids.make()));
            inner.watch_event(HookTrigger::OnRoomClosed, &event, None);
        }
        inner.tell(event_type, |event| event.room_id = Some(room_id.clone()));
        Ok(())
    }

    /// Changes a room under its lock.
    async fn change_room(&self, room_id: &RoomId, change: impl FnOnce(&mut Room)) -> Result<Room> {
        let inner = &self.inner;
        inner.open()?;
        inner.not_under_lock(room_id)?;
        let _lock = inner.locks.lock(room_id).await?;
        let mut room = Room::clone(&*self.room(room_id).await?);
        change(&mut room);
        room.updated_at = inner.clock.now();
        inner.store.update_room(room.clone()).await?;
        Ok(room)
    }

    async fn change_binding(
        &self,
        room_id: &RoomId,
        channel_id: &ChannelId,
        event_type: EventType,
        code: &str,
        change: impl FnOnce(&ChannelBinding) -> BindingChange,
    ) -> Result<()> {
        let inner = &self.inner;
        inner.open()?;
        inner.not_under_lock(room_id)?;
        let _lock = inner.locks.lock(room_id).await?;
        let room = self.room(room_id).await?;
        let Some(old) = inner.store.binding(room_id, channel_id).await? else {
            return Err(Error::ChannelNotAttached {
                channel: channel_id.clone(),
                room: room_id.clone(),
            });
        };
        inner
            .record_binding(
                &room,
                channel_id,
                event_type,
                code,
                change(&old),
                &inner.ids.make(),
            )
            .await
    }
}

fn put(old: &ChannelBinding, change: impl FnOnce(&mut ChannelBinding)) -> BindingChange {
    let mut new = Box::new(old.clone());
    change(&mut new);
    BindingChange::Put(new)
}

impl Inner {
    /// Step 2: the room that a message is for, made if need be, with the message's channel attached.
    pub(super) async fn find_room(
        self: &Arc<Self>,
        message: &InboundMessage,
        named: Option<RoomId>,
        channel: &Arc<Registered>,
        trace: &TraceId,
    ) -> Result<RoomId> {
        let room_id = match named.or_else(|| message.room_id.clone()) {
            Some(named) => Some(named),
            None => {
                self.router
                    .route(message, &channel.channel_type, &*self.store)
                    .await?
            }
        };
        if let Some(room_id) = &room_id {
            self.not_under_lock(room_id)?;
            if self.store.binding(room_id, &channel.id).await?.is_some() {
                return Ok(room_id.clone());
            }
        }
        let known = match &room_id {
            Some(room_id) => self.store.room(room_id).await?.is_some(),
            None => false,
        };
        let room_id = room_id.unwrap_or_else(|| self.ids.make());
        if !known {
            let new = NewRoom {
                id: Some(room_id.clone()),
                ..NewRoom::default()
            };
            match self.make_room(new, trace).await {
                // Another message made it at the same moment.
                Err(Error::Store(StoreError::RoomExists(_))) => {}
                made => drop(made?),
            }
        }
        self.attach_if_new(&room_id, channel, trace).await?;
        if !known && message.session.is_none() {
            // A live session's own part tells when it has begun; a text conversation begins with its room.
            self.tell(FrameworkEventType::SessionStarted, |event| {
                event.room_id = Some(room_id.clone())
            });
            if self.hooks.watches(HookTrigger::OnSessionStarted) {
                let event =
                    Arc::new(self.system_event(&room_id, EventType::System, "session_started", trace));
                self.watch_event(HookTrigger::OnSessionStarted, &event, None);
            }
        }
        Ok(room_id)
    }

    async fn make_room(self: &Arc<Self>, new: NewRoom, trace: &TraceId) -> Result<Arc<Room>> {
        let mut room = Room::new(new.id.unwrap_or_else(|| self.ids.make()), self.clock.now());
        room.organization_id = new.organization_id;
        room.metadata = new.metadata;
        room.timers = new.timers;
        room.agent_response_policy = new.agent_response_policy;
        self.store.create_room(room.clone()).await?;
        self.tell(FrameworkEventType::RoomCreated, |event| {
            event.room_id = Some(room.id.clone());
            if let Some(organization) = &room.organization_id {
                event
                    .data
                    .insert("organization_id".to_owned(), organization.as_str().into());
            }
        });
        if self.hooks.watches(HookTrigger::OnRoomCreated) {
            let event = Arc::new(self.system_event(&room.id, EventType::System, "room_created", trace));
            self.watch_event(HookTrigger::OnRoomCreated, &event, None);
        }
        Ok(Arc::new(room))
    }

    /// Attaches a channel that was never bound to the room; never one that was detached, never over an existing
    /// binding, and decided under the lock (RE-065).
    async fn attach_if_new(
        self: &Arc<Self>,
        room_id: &RoomId,
        channel: &Arc<Registered>,
        trace: &TraceId,
    ) -> Result<()> {
        let _lock = self.locks.lock(room_id).await?;
        let is_bound = self.store.binding(room_id, &channel.id).await?.is_some();
        if is_bound || self.store.was_detached(room_id, &channel.id).await? {
            return Ok(());
        }
        match self.attach(room_id, channel, Attach::default(), trace).await {
            // The gate will say so.
            Err(Error::RoomClosed(_)) => Ok(()),
            attached => attached,
        }
    }

    /// Binds a channel; the caller holds the room's lock.
    async fn attach(
        self: &Arc<Self>,
        room_id: &RoomId,
        channel: &Registered,
        how: Attach,
        trace: &TraceId,
    ) -> Result<()> {
        let room = self
            .store
            .room(room_id)
            .await?
            .ok_or_else(|| Error::RoomNotFound(room_id.clone()))?;
        let binding = ChannelBinding {
            channel_id: channel.id.clone(),
            room_id: room_id.clone(),
            channel_type: channel.channel_type.clone(),
            category: channel.channel.category(),
            direction: how.direction.unwrap_or_else(|| channel.channel.direction()),
            access: how.access,
            muted: how.muted,
            output_muted: how.output_muted,
            visibility: how.visibility,
            participant_id: how.participant_id,
            last_read_index: None,
            attached_at: self.clock.now(),
            capabilities: channel.channel.capabilities(),
            rate_limit: how.rate_limit,
            retry_policy: how.retry_policy,
            metadata: how.metadata,
        };
        let change = BindingChange::Put(Box::new(binding));
        self.record_binding(
            &room,
            &channel.id,
            EventType::ChannelAttached,
            "channel_attached",
            change,
            trace,
        )
        .await
    }

    /// Changes a binding together with the timeline entry that tells of it; the caller holds the room's lock.
    async fn record_binding(
        self: &Arc<Self>,
        room: &Room,
        channel_id: &ChannelId,
        event_type: EventType,
        code: &str,
        change: BindingChange,
        trace: &TraceId,
    ) -> Result<()> {
        if !room.status.accepts_events() {
            return Err(Error::RoomClosed(room.id.clone()));
        }
        let mut event = self.system_event(&room.id, event_type, code, trace);
        if let EventContent::System(content) = &mut event.content {
            content
                .data
                .insert("channel_id".to_owned(), channel_id.as_str().into());
        }
        let commit = Commit {
            event,
            counters: Counters {
                last_activity_at: self.clock.now(),
            },
            injected: Vec::new(),
            plan: Vec::new(),
            side_effects: SideEffects::default(),
            binding: Some(change),
        };
        let event = self.store.commit(commit).await?.event;
        self.witness(&event);
        let (trigger, told) = match event_type {
            EventType::ChannelAttached => (
                Some(HookTrigger::OnChannelAttached),
                Some(FrameworkEventType::RoomChannelAttached),
            ),
            EventType::ChannelDetached => (
                Some(HookTrigger::OnChannelDetached),
                Some(FrameworkEventType::RoomChannelDetached),
            ),
            EventType::ChannelMuted => (Some(HookTrigger::OnChannelMuted), None),
            EventType::ChannelUnmuted => (Some(HookTrigger::OnChannelUnmuted), None),
            // There is no hook for other changes (RE-063).
            _ => (None, None),
        };
        if let Some(told) = told {
            self.tell(told, |event| {
                event.room_id = Some(room.id.clone());
                event.channel_id = Some(channel_id.clone());
            });
        }
        if let Some(trigger) = trigger {
            self.watch_event(trigger, &event, None);
        }
        Ok(())
    }

    /// The engine's own entry; seen by the host alone.
    pub(super) fn system_event(
        &self,
        room_id: &RoomId,
        event_type: EventType,
        code: &str,
        trace: &TraceId,
    ) -> RoomEvent {
        RoomEvent {
            id: self.ids.make(),
            room_id: room_id.clone(),
            event_type,
            source: EventSource {
                channel_id: SYSTEM_CHANNEL.into(),
                channel_type: ChannelType::System,
                direction: ChannelDirection::Inbound,
                participant_id: None,
                external_id: None,
                provider: None,
                raw_payload: Arc::from(""),
                provider_message_id: None,
            },
            content: EventContent::system(code, ""),
            status: EventStatus::Delivered,
            blocked_by: None,
            visibility: Visibility::Internal,
            addressed_to: None,
            index: 0,
            chain_depth: 0,
            parent_event_id: None,
            correlation_id: Some(trace.clone()),
            idempotency_key: None,
            created_at: self.clock.now(),
            metadata: Map::new(),
            channel_data: crate::ChannelData::None,
            delivery_results: BTreeMap::new(),
        }
    }
}
