//! A room with scripted channels.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures_util::StreamExt;
use jiff::Timestamp;
use roomtone_base::{ChannelId, IdSource, MemoryEvidence, Rng, RoomId, VirtualClock};
use roomtone_room::*;
use tokio::sync::Semaphore;

/// A transport that writes down what it is given.
pub(crate) struct Wire {
    id: ChannelId,
    channel_type: ChannelType,
    pub(crate) delivered: Mutex<Vec<Arc<RoomEvent>>>,
    pub(crate) fails: AtomicBool,
    pub(crate) panics: AtomicBool,
    pub(crate) streams: AtomicBool,
    /// Stops listening to a growing answer after this many pieces.
    pub(crate) patience: AtomicUsize,
    /// Deliveries wait here while it is shut.
    pub(crate) gate: Semaphore,
    pub(crate) waiting: AtomicUsize,
    pub(crate) sessions: AtomicUsize,
    pub(crate) max_length: Option<usize>,
}

impl Wire {
    pub(crate) fn new(id: &str, channel_type: ChannelType) -> Arc<Self> {
        Self::with(id, channel_type, |_| {})
    }

    pub(crate) fn with(id: &str, channel_type: ChannelType, change: impl FnOnce(&mut Wire)) -> Arc<Self> {
        let mut wire = Wire {
            id: id.into(),
            channel_type,
            delivered: Mutex::default(),
            fails: false.into(),
            panics: false.into(),
            streams: false.into(),
            patience: usize::MAX.into(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            waiting: 0.into(),
            sessions: 0.into(),
            max_length: None,
        };
        change(&mut wire);
        Arc::new(wire)
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let delivered = self.delivered.lock().unwrap();
        delivered
            .iter()
            .map(|event| event.text().unwrap_or("-").to_owned())
            .collect()
    }

    pub(crate) fn indexes(&self) -> Vec<u64> {
        self.delivered
            .lock()
            .unwrap()
            .iter()
            .map(|event| event.index)
            .collect()
    }
}

#[async_trait]
impl Channel for Wire {
    fn id(&self) -> &ChannelId {
        &self.id
    }
    fn channel_type(&self) -> ChannelType {
        self.channel_type.clone()
    }
    fn provider_name(&self) -> &str {
        "scripted"
    }
    fn capabilities(&self) -> ChannelCapabilities {
        ChannelCapabilities {
            max_length: self.max_length,
            ..ChannelCapabilities::default()
        }
    }
    fn supports_streaming_delivery(&self) -> bool {
        self.streams.load(Ordering::SeqCst)
    }

    async fn deliver(
        &self,
        event: &Arc<RoomEvent>,
        _: &ChannelBinding,
        _: &RoomContext,
    ) -> Result<Delivered, DeliveryError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        drop(self.gate.acquire().await.unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        assert!(!self.panics.load(Ordering::SeqCst), "scripted");
        if self.fails.load(Ordering::SeqCst) {
            return Err(DeliveryError::retryable("down", "provider down"));
        }
        let mut delivered = self.delivered.lock().unwrap();
        delivered.push(event.clone());
        Ok(Delivered::sent(format!("{}-{}", self.id, delivered.len())))
    }

    async fn deliver_stream(
        &self,
        parts: PartStream,
        event: &Arc<RoomEvent>,
        _: &ChannelBinding,
        _: &RoomContext,
    ) -> Result<Delivered, DeliveryError> {
        let patience = self.patience.load(Ordering::SeqCst);
        let heard: Vec<_> = parts.take(patience).collect().await;
        let words: String = heard
            .iter()
            .filter_map(|part| match part {
                Ok(StreamPart::Text(text)) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let mut said = RoomEvent::clone(event);
        said.content = EventContent::text(words.clone());
        self.delivered.lock().unwrap().push(Arc::new(said));
        let mut delivered = Delivered::sent("stream");
        if heard.len() == patience {
            delivered.metadata.insert("heard".to_owned(), words.into());
        }
        Ok(delivered)
    }

    async fn connect_session(
        &self,
        session: SessionHandle,
        _: &RoomId,
        _: &ChannelBinding,
    ) -> Result<(), DeliveryError> {
        let by = session.downcast::<usize>().map_or(0, |n| *n);
        self.sessions.fetch_add(by, Ordering::SeqCst);
        Ok(())
    }
}

type Rule = Box<dyn Fn(&RoomEvent, &RoomContext) -> ChannelOutput + Send + Sync>;

/// An intelligence channel that answers by a rule.
pub(crate) struct Mind {
    id: ChannelId,
    rule: Rule,
    pub(crate) seen: Mutex<Vec<String>>,
}

impl Mind {
    pub(crate) fn new(
        id: &str,
        rule: impl Fn(&RoomEvent, &RoomContext) -> ChannelOutput + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Mind {
            id: id.into(),
            rule: Box::new(rule),
            seen: Mutex::default(),
        })
    }

    /// Answers every message with `re: …`.
    pub(crate) fn echo(id: &str) -> Arc<Self> {
        Mind::new(id, |event, _| match event.event_type {
            EventType::Message => ChannelOutput::answer(EventDraft::text(format!(
                "re: {}",
                event.text().unwrap_or_default()
            ))),
            _ => ChannelOutput::nothing(),
        })
    }
}

#[async_trait]
impl Channel for Mind {
    fn id(&self) -> &ChannelId {
        &self.id
    }
    fn channel_type(&self) -> ChannelType {
        ChannelType::Ai
    }
    fn provider_name(&self) -> &str {
        "scripted"
    }
    async fn on_event(
        &self,
        event: &Arc<RoomEvent>,
        _: &ChannelBinding,
        context: &RoomContext,
    ) -> Result<ChannelOutput, DeliveryError> {
        self.seen
            .lock()
            .unwrap()
            .push(event.text().unwrap_or("-").to_owned());
        Ok((self.rule)(event, context))
    }
}

type Judge = Box<dyn Fn(HookPayload) -> Result<HookResult, HookError> + Send + Sync>;

/// A hook that judges by a function.
pub(crate) struct Judged(pub(crate) Judge);

#[async_trait]
impl Hook for Judged {
    async fn call(&self, payload: HookPayload, _: &HookContext) -> Result<HookResult, HookError> {
        (self.0)(payload)
    }
}

pub(crate) fn hook(
    name: &str,
    trigger: HookTrigger,
    judge: impl Fn(HookPayload) -> Result<HookResult, HookError> + Send + Sync + 'static,
) -> HookRegistration {
    HookRegistration::new(name, trigger, Arc::new(Judged(Box::new(judge))))
}

/// An engine, its clock, its evidence, and what it told.
pub(crate) struct Bench {
    pub(crate) engine: RoomEngine,
    pub(crate) clock: VirtualClock,
    pub(crate) evidence: Arc<MemoryEvidence>,
    pub(crate) told: Arc<Mutex<Vec<FrameworkEvent>>>,
    _subscription: Subscription,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        let shared: roomtone_base::SharedClock = Arc::new(clock.clone());
        let ids = IdSource::new(shared.clone(), Rng::seeded(1));
        let evidence = Arc::new(MemoryEvidence::default());
        let engine = RoomEngine::builder(shared, ids, Arc::new(MemoryStore::new()))
            .evidence(evidence.clone())
            .settings(settings)
            .build()
            .unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = told.clone();
        let subscription = engine.subscribe(Vec::new(), move |event| {
            listener.lock().unwrap().push(event.clone())
        });
        Bench {
            engine,
            clock,
            evidence,
            told,
            _subscription: subscription,
        }
    }

    /// Registers the channels and attaches them to `room`, which is made if need be.
    pub(crate) async fn room(&self, room: &str, channels: &[Arc<dyn Channel>]) -> RoomId {
        let id = RoomId::from(room);
        if self.engine.room(&id).await.is_err() {
            self.engine
                .create_room(NewRoom {
                    id: Some(id.clone()),
                    ..NewRoom::default()
                })
                .await
                .unwrap();
        }
        for channel in channels {
            if self.engine.channel(channel.id()).is_none() {
                self.engine.register_channel(channel.clone()).unwrap();
            }
            self.engine
                .attach_channel(&id, channel.id(), Attach::default())
                .await
                .unwrap();
        }
        id
    }

    pub(crate) async fn say(&self, room: &str, channel: &str, text: &str) -> InboundResult {
        let message = InboundMessage::text(channel.into(), "ana", text);
        self.engine
            .process_inbound(message, Some(room.into()))
            .await
            .unwrap()
    }

    pub(crate) async fn timeline(&self, room: &str) -> Vec<Arc<RoomEvent>> {
        self.engine
            .view()
            .timeline(&room.into(), None, 10_000)
            .await
            .unwrap()
    }

    /// `index text status/blocked_by` of everything that is no entry of the engine's own.
    pub(crate) async fn story(&self, room: &str) -> Vec<String> {
        let all = self.timeline(room).await;
        all.iter()
            .filter(|event| !matches!(event.content, EventContent::System(_)))
            .map(|event| {
                let by = event
                    .blocked_by
                    .as_ref()
                    .map_or(String::new(), |by| format!(" !{by}"));
                format!("{} {}{by}", event.index, event.text().unwrap_or("-"))
            })
            .collect()
    }

    pub(crate) fn told_types(&self) -> Vec<String> {
        self.told
            .lock()
            .unwrap()
            .iter()
            .map(|event| event.event_type.to_string())
            .collect()
    }
}

/// Lets every task that can run, run.
pub(crate) async fn breathe() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
