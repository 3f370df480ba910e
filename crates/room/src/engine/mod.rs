//! The engine: rooms, channels and hooks in, decisions and deliveries out.

mod answers;
mod broadcast;
mod builder;
mod carry;
mod pipeline;
mod rooms;
mod steps;
mod tell;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use roomtone_base::{ChannelId, EvidenceSink, IdSource, RoomId, SharedClock, Telemetry};
use tokio::sync::Notify;

pub use self::{
    builder::{RoomEngineBuilder, Settings},
    pipeline::SendEvent,
    rooms::{Attach, NewRoom},
};
use crate::{
    Channel, Error, Locks, Result, Router, Store,
    bus::{Bus, Subscription},
    hooks::{HookContext, HookEngine, HookPayload, HookRegistration, HookSource, HookTrigger, HookVerdict},
    lane::Lanes,
    model::{ChannelType, FrameworkEvent, FrameworkEventType},
};

/// A channel, with what never changes about it.
pub(crate) struct Registered {
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) id: ChannelId,
    pub(crate) channel_type: ChannelType,
    pub(crate) provider: Arc<str>,
}

pub(crate) struct Inner {
    clock: SharedClock,
    ids: IdSource,
    store: Arc<dyn Store>,
    locks: Arc<dyn Locks>,
    router: Arc<dyn Router>,
    telemetry: Arc<dyn Telemetry>,
    evidence: Arc<dyn EvidenceSink>,
    settings: Settings,
    hooks: HookEngine,
    channels: RwLock<HashMap<ChannelId, Arc<Registered>>>,
    lanes: Arc<Lanes>,
    bus: Arc<Bus>,
    shut: AtomicBool,
    at_work: AtomicUsize,
    rested: Notify,
}

/// The room engine. Clones share everything.
///
/// ```
/// # use std::sync::Arc;
/// # use roomtone_base::{ChannelId, IdSource, Rng, SystemClock};
/// # use roomtone_room::*;
/// # struct Sms(ChannelId);
/// # #[async_trait::async_trait]
/// # impl Channel for Sms {
/// #     fn id(&self) -> &ChannelId { &self.0 }
/// #     fn channel_type(&self) -> ChannelType { ChannelType::Sms }
/// #     fn provider_name(&self) -> &str { "example" }
/// # }
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let clock = SystemClock::shared();
/// let ids = IdSource::new(clock.clone(), Rng::from_entropy());
/// let engine = RoomEngine::builder(clock, ids, Arc::new(MemoryStore::new())).build()?;
/// engine.register_channel(Arc::new(Sms("sms".into())))?;
/// let result = engine.process_inbound(InboundMessage::text("sms".into(), "+15550100", "hello"), None).await?;
/// assert!(!result.blocked);
/// # Ok::<(), Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RoomEngine {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for RoomEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoomEngine")
    }
}

impl RoomEngine {
    /// An engine on `store`. Time, ids and storage are handed in, so that a run can be replayed.
    pub fn builder(clock: SharedClock, ids: IdSource, store: Arc<dyn Store>) -> RoomEngineBuilder {
        RoomEngineBuilder::new(clock, ids, store)
    }

    /// Makes a channel known; its messages are taken and rooms may attach it from now on.
    ///
    /// # Errors
    /// [`Error::ChannelAlreadyRegistered`]; the first one stays in place.
    pub fn register_channel(&self, channel: Arc<dyn Channel>) -> Result<()> {
        self.inner.open()?;
        let registered = Registered {
            id: channel.id().clone(),
            channel_type: channel.channel_type(),
            provider: channel.provider_name().into(),
            channel,
        };
        let (id, channel_type) = (registered.id.clone(), registered.channel_type.to_string());
        {
            let mut channels = self
                .inner
                .channels
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            if channels.contains_key(&id) {
                return Err(Error::ChannelAlreadyRegistered(id));
            }
            channels.insert(id.clone(), Arc::new(registered));
        }
        self.inner.tell(FrameworkEventType::ChannelRegistered, |event| {
            event.channel_id = Some(id);
            event.data.insert("channel_type".to_owned(), channel_type.into());
        });
        Ok(())
    }

    /// Forgets a channel and closes it; `false` if there was none. Its bindings stay: deliveries to it fail.
    pub async fn unregister_channel(&self, id: &ChannelId) -> bool {
        let gone = self
            .inner
            .channels
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
        let Some(gone) = gone else { return false };
        gone.channel.close().await;
        self.inner.tell(FrameworkEventType::ChannelUnregistered, |event| {
            event.channel_id = Some(id.clone())
        });
        true
    }

    /// A registered channel.
    pub fn channel(&self, id: &ChannelId) -> Option<Arc<dyn Channel>> {
        self.inner
            .channel(id)
            .ok()
            .map(|registered| registered.channel.clone())
    }

    /// Adds a hook; one of the same trigger, name and room is replaced (RE-090).
    pub fn add_hook(&self, registration: HookRegistration) {
        self.inner.hooks.add(registration);
    }

    /// Takes a hook out; `false` if there was none. Without a room: the global one.
    pub fn remove_hook(&self, name: &str, room_id: Option<&RoomId>) -> bool {
        self.inner.hooks.remove(name, room_id)
    }

    /// Asks the synchronous hooks of another part's moment (`on_transcription`, `before_tts`), tells the host of
    /// those that failed (RE-100) and keeps their tasks and observations.
    ///
    /// # Errors
    /// What the store could not write or read.
    pub async fn ask_hooks(
        &self,
        trigger: HookTrigger,
        room_id: &RoomId,
        source: HookSource,
        payload: HookPayload,
    ) -> Result<HookVerdict> {
        let inner = &self.inner;
        if !inner.hooks.has(trigger) {
            return Ok(HookVerdict::pass(payload));
        }
        let room = inner.store.context(room_id, inner.settings.recent_events).await?;
        let context = HookContext {
            trigger,
            room_id: Some(room_id.clone()),
            room,
            source,
        };
        let mut verdict = inner.hooks.run_sync(payload, &context).await;
        inner.tell_reports(Some(room_id), &verdict.reports);
        inner.keep_hook_effects(room_id, &mut verdict).await?;
        Ok(verdict)
    }

    /// Lets the asynchronous hooks of another part's moment watch. Returns at once.
    pub fn notify_hooks(
        &self,
        trigger: HookTrigger,
        room_id: Option<RoomId>,
        source: HookSource,
        payload: HookPayload,
    ) {
        self.inner.watch(
            HookContext {
                trigger,
                room_id,
                room: None,
                source,
            },
            payload,
        );
    }

    /// Calls `listener` for framework events of these types, or of all if there are none, until the subscription is
    /// dropped (RE-218). The listener must return at once.
    pub fn subscribe(
        &self,
        types: Vec<FrameworkEventType>,
        listener: impl Fn(&FrameworkEvent) + Send + Sync + 'static,
    ) -> Subscription {
        self.inner.bus.subscribe(types, listener)
    }

    /// Tells the subscribers of something that happened in another part (`voice_session_started`).
    pub fn emit(&self, event: &FrameworkEvent) {
        self.inner.bus.emit(event);
    }

    /// The store, for reading.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// Waits until nothing that the engine began is still going on: deliveries, answers, watching hooks.
    pub async fn rest(&self) {
        loop {
            let rested = self.inner.rested.notified();
            tokio::pin!(rested);
            rested.as_mut().enable();
            if self.inner.at_work.load(Ordering::Acquire) == 0 {
                return;
            }
            rested.await;
        }
    }

    /// Refuses new work, waits for what is going on, closes every channel (RE-251). Channels are closed concurrently,
    /// each within the delivery timeout; gives back those that did not manage.
    pub async fn close(&self) -> Vec<ChannelId> {
        self.inner.shut.store(true, Ordering::Release);
        let limit = self.inner.settings.delivery_timeout;
        let _ = crate::within::within(&*self.inner.clock, limit, self.rest()).await;
        let channels: Vec<_> = {
            let mut table = self
                .inner
                .channels
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            table.drain().map(|(_, registered)| registered).collect()
        };
        let closing = channels.iter().map(|registered| async move {
            let close = std::panic::AssertUnwindSafe(registered.channel.close());
            let closed = futures_util::FutureExt::catch_unwind(close);
            match crate::within::within(&*self.inner.clock, limit, closed).await {
                Some(Ok(())) => None,
                Some(Err(_)) | None => {
                    tracing::error!(target: "roomtone::room", channel = %registered.id, "channel did not close");
                    Some(registered.id.clone())
                }
            }
        });
        futures_util::future::join_all(closing)
            .await
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Inner {
    fn open(&self) -> Result<()> {
        if self.shut.load(Ordering::Acquire) {
            Err(Error::ShutDown)
        } else {
            Ok(())
        }
    }

    fn channel(&self, id: &ChannelId) -> Result<Arc<Registered>> {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        channels
            .get(id)
            .cloned()
            .ok_or_else(|| Error::ChannelNotRegistered(id.clone()))
    }
}
