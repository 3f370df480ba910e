//! The desk as a channel of a room, with the real engine around it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Zoned;
use roomtone_base::{ChannelId, IdSource, MemoryEvidence, Rng, RoomId, SharedClock, VirtualClock};
use roomtone_desk::{
    Desk, DeskChannel,
    tool::{Tool, ToolCall, ToolResult, ToolSpec, Toolbox},
};
use roomtone_room::{
    Attach, Channel, ChannelBinding, ChannelType, Delivered, DeliveryError, EventContent, EventType,
    InboundMessage, MemoryStore, NewRoom, RoomContext, RoomEngine, RoomEvent,
};
use roomtone_speech::{Context, Expected};
use serde_json::json;

struct HouseTool(ToolSpec);

#[async_trait]
impl Tool for HouseTool {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }
    async fn run(&self, call: &ToolCall, _: &Zoned) -> ToolResult {
        common::house(call)
    }
}

/// A caller's end of the room: keeps what is said to it.
struct Phone {
    id: ChannelId,
    heard: Mutex<Vec<Arc<RoomEvent>>>,
}

#[async_trait]
impl Channel for Phone {
    fn id(&self) -> &ChannelId {
        &self.id
    }
    fn channel_type(&self) -> ChannelType {
        ChannelType::Voice
    }
    fn provider_name(&self) -> &str {
        "test"
    }
    async fn deliver(
        &self,
        event: &Arc<RoomEvent>,
        _: &ChannelBinding,
        _: &RoomContext,
    ) -> Result<Delivered, DeliveryError> {
        self.heard.lock().unwrap().push(event.clone());
        Ok(Delivered::default())
    }
}

struct House {
    engine: RoomEngine,
    phone: Arc<Phone>,
    desk: Arc<DeskChannel>,
    evidence: Arc<MemoryEvidence>,
    room: RoomId,
}

fn desk_channel(clock: &SharedClock, evidence: &Arc<MemoryEvidence>) -> Arc<DeskChannel> {
    let desk = Arc::new(Desk::open(&common::folder(), &common::specs()).unwrap());
    let tools = common::specs()
        .into_iter()
        .fold(Toolbox::new(clock.clone()), |t, s| t.with(Arc::new(HouseTool(s))));
    Arc::new(DeskChannel::new(
        "desk".into(),
        desk,
        tools,
        clock.clone(),
        evidence.clone(),
    ))
}

async fn start() -> House {
    let clock: SharedClock = Arc::new(VirtualClock::new(common::now().timestamp()));
    let ids = IdSource::new(clock.clone(), Rng::seeded(1));
    let engine = RoomEngine::builder(clock.clone(), ids, Arc::new(MemoryStore::new()))
        .build()
        .unwrap();
    let evidence = Arc::new(MemoryEvidence::default());
    let phone = Arc::new(Phone {
        id: "phone".into(),
        heard: Mutex::default(),
    });
    let desk = desk_channel(&clock, &evidence);
    engine.register_channel(phone.clone()).unwrap();
    engine.register_channel(desk.clone()).unwrap();
    let room = engine.create_room(NewRoom::default()).await.unwrap().id.clone();
    for id in ["phone", "desk"] {
        engine
            .attach_channel(&room, &id.into(), Attach::default())
            .await
            .unwrap();
    }
    House {
        engine,
        phone,
        desk,
        evidence,
        room,
    }
}

impl House {
    async fn send(&self, content: EventContent, kind: Option<EventType>) -> Option<Arc<RoomEvent>> {
        let before = self.phone.heard.lock().unwrap().len();
        let mut message = InboundMessage::new("phone".into(), "caller", content);
        message.room_id = Some(self.room.clone());
        message.event_type = kind;
        self.engine.process_inbound(message, None).await.unwrap();
        self.engine.rest().await;
        self.phone.heard.lock().unwrap().get(before).cloned()
    }

    async fn say(&self, text: &str) -> String {
        let answer = self.send(EventContent::text(text), None).await;
        answer
            .and_then(|e| e.text().map(str::to_owned))
            .unwrap_or_default()
    }
}

#[tokio::test]
async fn a_call_in_a_room_is_answered_followed_and_ended() {
    let b = start().await;
    let greeting = b
        .send(
            EventContent::system("session_started", ""),
            Some(EventType::System),
        )
        .await
        .unwrap();
    assert!(greeting.text().unwrap().contains("automatic assistant"), "RC-078");
    assert_eq!(
        (
            &greeting.metadata["desk.expects"],
            &greeting.metadata["desk.end_call"]
        ),
        (&json!("open"), &json!(false))
    );
    b.say("late check out until one").await;
    assert_eq!(b.desk.expectations(&b.room).expected, Expected::Digits);
    assert_eq!(b.desk.expectations(&b.room).grammar.name, "late_check_out_room");
    let silent = b
        .send(EventContent::system("no_input", ""), Some(EventType::System))
        .await
        .unwrap();
    assert!(silent.text().unwrap().starts_with("Your room number"), "RC-028");
    let read_back = b
        .send(EventContent::text("204"), Some(EventType::Dtmf))
        .await
        .unwrap();
    assert!(
        read_back.text().unwrap().starts_with("Room two oh four"),
        "RC-043"
    );
    assert_eq!(b.desk.expectations(&b.room).expected, Expected::YesNo);
    assert!(b.say("yes").await.starts_with("It's booked"));
    let bye = b
        .send(EventContent::text("no thank you, goodbye"), None)
        .await
        .unwrap();
    assert_eq!(bye.metadata["desk.end_call"], json!(true));
    assert_eq!(
        bye.metadata["desk.understood"]["candidates"][0]["intent"],
        json!("bye")
    );
    assert_eq!(b.say("hello").await, "", "a call that is over stays over");
    let records = b.evidence.records();
    let used: Vec<&str> = records
        .iter()
        .filter(|r| r.step == "tool.used")
        .map(|r| r.actor.as_str())
        .collect();
    assert_eq!(used, ["late_check_out_quote", "late_check_out_book"]);
    let trace = bye.correlation_id.clone().unwrap();
    assert!(
        records
            .iter()
            .any(|r| r.step == "desk.answered" && r.trace == trace),
        "evidence carries the trace"
    );
    assert!(
        records.iter().all(|r| !format!("{r:?}").contains("two oh four")),
        "no words in the evidence"
    );
}

#[tokio::test]
async fn a_conversation_goes_on_after_a_restart() {
    let b = start().await;
    b.send(
        EventContent::system("session_started", ""),
        Some(EventType::System),
    )
    .await;
    b.say("late check out until one").await;
    assert!(b.engine.unregister_channel(&"desk".into()).await);
    let clock: SharedClock = Arc::new(VirtualClock::new(common::now().timestamp()));
    b.engine
        .register_channel(desk_channel(&clock, &b.evidence))
        .unwrap();
    assert!(
        b.say("two oh four")
            .await
            .starts_with("Room two oh four, until one in the afternoon")
    );
}

#[tokio::test]
async fn who_writes_first_learns_that_no_person_answers() {
    let b = start().await;
    let text = b.say("what time is breakfast").await;
    assert!(
        text.starts_with("Good day, this is the automatic assistant of Heron House. Breakfast is"),
        "RC-078: {text}"
    );
}

#[tokio::test]
async fn a_tool_that_hangs_fails_in_its_time() {
    struct Hangs(ToolSpec);
    #[async_trait]
    impl Tool for Hangs {
        fn spec(&self) -> &ToolSpec {
            &self.0
        }
        async fn run(&self, _: &ToolCall, _: &Zoned) -> ToolResult {
            std::future::pending().await
        }
    }
    let clock = VirtualClock::new(common::now().timestamp());
    let spec = common::specs().remove(0);
    let call = ToolCall {
        tool: spec.name.to_owned(),
        arguments: Default::default(),
        idempotency_key: "k".into(),
        proof: Default::default(),
        agreed: None,
    };
    let tools = Toolbox::new(Arc::new(clock.clone())).with(Arc::new(Hangs(spec)));
    let work = tokio::spawn(async move { tools.run(&call, &common::now()).await.unwrap() });
    tokio::task::yield_now().await;
    clock.advance(Duration::from_secs(4));
    assert!(matches!(
        work.await.unwrap(),
        ToolResult::Failed { retryable: true, .. }
    ));
}
