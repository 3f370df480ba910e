//! Lanes and targets.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use roomtone_base::ChannelId;
use roomtone_room::*;
use tokio::sync::Semaphore;

use crate::bench::{Bench, Mind, Wire, breathe};

fn shut(id: &str) -> Arc<Wire> {
    Wire::with(id, ChannelType::Email, |wire| wire.gate = Semaphore::new(0))
}

#[tokio::test]
async fn a_slow_target_holds_its_rooms_lane_and_nothing_else_re_031_re_161() {
    let bench = Bench::new();
    let (slow, quick) = (shut("slow"), Wire::new("quick", ChannelType::Email));
    bench
        .room(
            "R1",
            &[Wire::new("sms", ChannelType::Sms), slow.clone(), quick.clone()],
        )
        .await;
    bench
        .room("R2", &[Wire::new("sms", ChannelType::Sms), quick.clone()])
        .await;
    let send = |room: &'static str, text: &'static str| {
        let engine = bench.engine.clone();
        tokio::spawn(async move {
            engine
                .process_inbound(InboundMessage::text("sms".into(), "ana", text), Some(room.into()))
                .await
        })
    };
    let one = send("R1", "one");
    breathe().await;
    let two = send("R1", "two");
    breathe().await;
    assert_eq!(
        bench.story("R1").await,
        ["3 one", "4 two"],
        "the second commits meanwhile"
    );
    assert_eq!(
        quick.texts(),
        ["one"],
        "and is delivered nowhere before the first has ended"
    );
    assert!(
        !send("R2", "other").await.unwrap().unwrap().blocked,
        "another room is unaffected"
    );
    slow.gate.add_permits(10);
    one.await.unwrap().unwrap();
    two.await.unwrap().unwrap();
    assert_eq!(quick.texts(), ["one", "other", "two"]);
    assert_eq!(slow.texts(), ["one", "two"]);
}

#[tokio::test]
async fn one_targets_failure_is_its_own_re_163_re_117_re_025() {
    let bench = Bench::new();
    let (bad, good) = (
        Wire::new("bad", ChannelType::Email),
        Wire::new("good", ChannelType::Email),
    );
    let room = bench
        .room(
            "R1",
            &[Wire::new("sms", ChannelType::Sms), bad.clone(), good.clone()],
        )
        .await;
    for (fails, panics, code) in [(true, false, "down"), (false, true, "panicked")] {
        bad.fails.store(fails, Ordering::SeqCst);
        bad.panics.store(panics, Ordering::SeqCst);
        let result = bench.say("R1", "sms", "hi").await;
        assert!(!result.blocked);
        let (bad, good) = (&result.delivery_results["bad"], &result.delivery_results["good"]);
        assert_eq!(
            (bad.status, bad.error.as_ref().unwrap().code.as_str()),
            (DeliveryStatus::Failed, code)
        );
        assert_eq!(good.status, DeliveryStatus::Sent);
        let event = result.event.unwrap();
        let stored = bench
            .engine
            .store()
            .event(&room, &event.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.status, EventStatus::Delivered);
        assert_eq!(
            stored.delivery_results, result.delivery_results,
            "written down with the event"
        );
    }
    let told = bench.told_types();
    for (what, times) in [
        ("delivery_failed", 2),
        ("delivery_succeeded", 2),
        ("broadcast_partial_failure", 2),
    ] {
        assert_eq!(told.iter().filter(|told| *told == what).count(), times, "{what}");
    }
}

#[tokio::test]
async fn a_target_that_never_ends_is_given_up_re_117() {
    let bench = Bench::new();
    let stuck = shut("stuck");
    bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), stuck.clone()])
        .await;
    let engine = bench.engine.clone();
    let run = tokio::spawn(async move {
        engine
            .process_inbound(InboundMessage::text("sms".into(), "ana", "hi"), Some("R1".into()))
            .await
    });
    breathe().await;
    bench.clock.advance(Duration::from_secs(120));
    let result = run.await.unwrap().unwrap();
    assert_eq!(
        result.delivery_results["stuck"].error.as_ref().unwrap().code,
        "timeout"
    );
}

#[tokio::test]
async fn targets_are_served_at_the_same_time_re_163() {
    let bench = Bench::new();
    let (a, b) = (shut("a"), shut("b"));
    bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), a.clone(), b.clone()])
        .await;
    let engine = bench.engine.clone();
    let run = tokio::spawn(async move {
        engine
            .process_inbound(InboundMessage::text("sms".into(), "ana", "hi"), Some("R1".into()))
            .await
    });
    breathe().await;
    assert_eq!(
        (a.waiting.load(Ordering::SeqCst), b.waiting.load(Ordering::SeqCst)),
        (1, 1)
    );
    a.gate.add_permits(1);
    b.gate.add_permits(1);
    run.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_channel_may_send_from_within_its_lane_re_168() {
    struct Tool(ChannelId, RoomEngine, Mutex<Vec<bool>>);
    #[async_trait]
    impl Channel for Tool {
        fn id(&self) -> &ChannelId {
            &self.0
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
            _: &RoomContext,
        ) -> Result<ChannelOutput, DeliveryError> {
            let send = SendEvent::new(
                event.room_id.clone(),
                self.0.clone(),
                EventDraft::text("one moment"),
            );
            let sent = self.1.send_event(send).await.unwrap();
            self.2.lock().unwrap().push(sent.event.is_some());
            Ok(ChannelOutput::answer(EventDraft::text("done")))
        }
    }
    let bench = Bench::new();
    let sms = Wire::new("sms", ChannelType::Sms);
    let tool = Arc::new(Tool("tool".into(), bench.engine.clone(), Mutex::default()));
    bench.room("R1", &[sms.clone(), tool.clone()]).await;
    bench.say("R1", "sms", "hi").await;
    bench.engine.rest().await;
    assert_eq!(*tool.2.lock().unwrap(), [true]);
    assert_eq!(sms.texts(), ["one moment", "done"], "in index order");
}

#[tokio::test]
async fn texts_are_cut_to_the_target_re_181() {
    let bench = Bench::new();
    let small = Wire::with("small", ChannelType::Sms, |wire| wire.max_length = Some(8));
    bench
        .room("R1", &[Wire::new("em", ChannelType::Email), small.clone()])
        .await;
    let result = bench.say("R1", "em", "äöüß and more").await;
    assert_eq!(small.texts(), ["äöüß ..."]);
    assert_eq!(
        result.event.unwrap().text(),
        Some("äöüß and more"),
        "the stored event is whole"
    );
}

#[tokio::test]
async fn a_live_session_connects_once_its_message_has_passed_re_113() {
    let bench = Bench::new();
    let voice = Wire::new("voice", ChannelType::Voice);
    let room = bench.room("R1", &[voice.clone(), Mind::echo("bot")]).await;
    let call = || {
        let mut message = InboundMessage::text("voice".into(), "+15550100", "");
        message.session = Some(SessionHandle::new(Arc::new(7_usize)));
        bench.engine.process_inbound(message, Some("R1".into()))
    };
    call().await.unwrap();
    assert_eq!(voice.sessions.load(Ordering::SeqCst), 7);
    bench
        .engine
        .set_muted(&room, &"voice".into(), true)
        .await
        .unwrap();
    assert!(call().await.unwrap().blocked);
    assert_eq!(
        voice.sessions.load(Ordering::SeqCst),
        7,
        "a blocked call never connects"
    );
}

#[tokio::test]
async fn closing_waits_closes_every_channel_and_refuses_late_work_re_251() {
    struct Stuck(ChannelId);
    #[async_trait]
    impl Channel for Stuck {
        fn id(&self) -> &ChannelId {
            &self.0
        }
        fn channel_type(&self) -> ChannelType {
            ChannelType::Email
        }
        fn provider_name(&self) -> &str {
            "scripted"
        }
        async fn close(&self) {
            std::future::pending().await
        }
    }
    let bench = Bench::new();
    bench
        .room(
            "R1",
            &[
                Wire::new("sms", ChannelType::Sms),
                Arc::new(Stuck("stuck".into())),
            ],
        )
        .await;
    let engine = bench.engine.clone();
    let closing = tokio::spawn(async move { engine.close().await });
    breathe().await;
    bench.clock.advance(Duration::from_secs(120));
    assert_eq!(closing.await.unwrap(), [ChannelId::from("stuck")]);
    let late = InboundMessage::text("sms".into(), "ana", "late");
    assert_eq!(
        bench.engine.process_inbound(late, None).await.unwrap_err(),
        Error::ShutDown
    );
    assert_eq!(
        bench.engine.create_room(NewRoom::default()).await.unwrap_err(),
        Error::ShutDown
    );
}
