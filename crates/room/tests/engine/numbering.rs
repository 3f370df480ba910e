//! Indexes, counters, idempotency, the gate.

use std::sync::Arc;

use futures_util::future::join_all;
use roomtone_room::*;

use crate::bench::{Bench, Mind, Wire, breathe};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_at_once_are_numbered_without_gap_re_022() {
    let bench = Bench::new();
    let (sms, email) = (
        Wire::new("sms", ChannelType::Sms),
        Wire::new("em", ChannelType::Email),
    );
    bench.room("R1", &[sms, email.clone()]).await;
    let sends = (0..200).map(|n| {
        let engine = bench.engine.clone();
        let message = InboundMessage::text("sms".into(), "ana", format!("m{n}"));
        tokio::spawn(async move { engine.process_inbound(message, Some("R1".into())).await })
    });
    for sent in join_all(sends).await {
        assert!(!sent.unwrap().unwrap().blocked);
    }
    let timeline = bench.timeline("R1").await;
    let indexes: Vec<u64> = timeline.iter().map(|event| event.index).collect();
    assert_eq!(
        indexes,
        (0..202).collect::<Vec<_>>(),
        "two attachments and two hundred messages"
    );
    let room = bench.engine.room(&"R1".into()).await.unwrap();
    assert_eq!((room.event_count, room.latest_index), (202, Some(201)), "RE-024");
    assert_eq!(
        email.indexes(),
        (2..202).collect::<Vec<_>>(),
        "delivered in index order, RE-161"
    );
}

#[tokio::test]
async fn an_empty_room_has_no_latest_index_c_12() {
    let bench = Bench::new();
    bench.room("R1", &[]).await;
    let room = bench.engine.room(&"R1".into()).await.unwrap();
    assert_eq!((room.event_count, room.latest_index), (0, None));
}

#[tokio::test]
async fn a_seen_key_gives_the_first_event_again_re_112() {
    let bench = Bench::new();
    let email = Wire::new("em", ChannelType::Email);
    bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), email.clone()])
        .await;
    let mut message = InboundMessage::text("sms".into(), "ana", "pay 5");
    message.idempotency_key = Some("k1".to_owned());
    let (a, b) = tokio::join!(
        bench.engine.process_inbound(message.clone(), Some("R1".into())),
        bench.engine.process_inbound(message, Some("R1".into())),
    );
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.event.unwrap().id, b.event.unwrap().id);
    assert_ne!(a.duplicate, b.duplicate);
    assert!(!a.blocked && !b.blocked);
    assert_eq!(email.texts(), ["pay 5"]);
}

#[tokio::test]
async fn a_closed_room_refuses_everywhere_and_says_so_re_040_re_041_re_042() {
    let bench = Bench::new();
    let (sms, bot) = (Wire::new("sms", ChannelType::Sms), Mind::echo("bot"));
    let room = bench.room("R1", &[sms.clone(), bot]).await;
    bench.engine.close_room(&room).await.unwrap();
    let before = bench.timeline("R1").await.len();

    let refused = bench.say("R1", "sms", "hello?").await;
    assert_eq!(refused.reason.as_deref(), Some("room_closed"));
    assert!(refused.blocked && refused.event.is_none());
    let send = SendEvent::new(room.clone(), "sms".into(), EventDraft::text("host"));
    assert_eq!(
        bench.engine.send_event(send).await.unwrap_err(),
        Error::RoomClosed(room.clone())
    );
    let attach = bench
        .engine
        .attach_channel(&room, &"bot".into(), Attach::default())
        .await;
    assert_eq!(attach.unwrap_err(), Error::RoomClosed(room.clone()));

    assert_eq!(bench.timeline("R1").await.len(), before, "reading works, RE-044");
    let refusals = bench
        .told_types()
        .iter()
        .filter(|told| *told == "room_refused_event")
        .count();
    assert_eq!(refusals, 2);
}

#[tokio::test]
async fn a_room_closed_during_a_slow_answer_takes_no_answer_re_040() {
    let bench = Bench::new();
    let sms = Wire::new("sms", ChannelType::Sms);
    let email = Wire::with("em", ChannelType::Email, |wire| {
        wire.gate = tokio::sync::Semaphore::new(0)
    });
    let room = bench
        .room("R1", &[sms.clone(), Mind::echo("bot"), email.clone()])
        .await;
    let engine = bench.engine.clone();
    let message = InboundMessage::text("sms".into(), "ana", "hi");
    let asking = tokio::spawn(async move { engine.process_inbound(message, Some("R1".into())).await });
    breathe().await;
    bench.engine.close_room(&room).await.unwrap();
    email.gate.add_permits(10);
    assert!(
        !asking.await.unwrap().unwrap().blocked,
        "RE-025: the message itself stays delivered"
    );
    assert_eq!(bench.story("R1").await, ["3 hi"]);
    assert!(sms.texts().is_empty());
}

#[tokio::test]
async fn a_closed_room_may_be_reopened_an_archived_one_not_re_045() {
    let bench = Bench::new();
    let room = bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    bench.engine.close_room(&room).await.unwrap();
    bench.engine.reopen_room(&room).await.unwrap();
    assert!(!bench.say("R1", "sms", "again").await.blocked);
    bench.engine.archive_room(&room).await.unwrap();
    assert_eq!(
        bench.engine.reopen_room(&room).await,
        Err(Error::RoomClosed(room.clone()))
    );
    assert!(bench.say("R1", "sms", "late").await.blocked);
    let told: Vec<_> = bench
        .told_types()
        .into_iter()
        .filter(|told| told.starts_with("room_"))
        .collect();
    assert_eq!(
        told,
        [
            "room_created",
            "room_channel_attached",
            "room_closed",
            "room_archived",
            "room_refused_event"
        ]
    );
}

#[tokio::test]
async fn too_slow_before_the_commit_leaves_nothing_re_116() {
    let bench = Bench::new();
    bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    struct Forever;
    #[async_trait::async_trait]
    impl Hook for Forever {
        async fn call(&self, _: HookPayload, _: &HookContext) -> Result<HookResult, HookError> {
            std::future::pending().await
        }
    }
    let mut slow = HookRegistration::new("slow", HookTrigger::BeforeBroadcast, Arc::new(Forever));
    slow.timeout = std::time::Duration::from_secs(3_600);
    bench.engine.add_hook(slow);
    let engine = bench.engine.clone();
    let asking = tokio::spawn(async move {
        engine
            .process_inbound(InboundMessage::text("sms".into(), "ana", "hi"), Some("R1".into()))
            .await
    });
    breathe().await;
    bench.clock.advance(std::time::Duration::from_secs(30));
    let result = asking.await.unwrap().unwrap();
    assert_eq!(result.reason.as_deref(), Some("process_timeout"));
    assert!(bench.story("R1").await.is_empty());
    bench.engine.remove_hook("slow", None);
    assert!(!bench.say("R1", "sms", "next").await.blocked, "the lock is free");
}

#[tokio::test]
async fn a_caller_that_stops_waiting_changes_nothing_after_the_commit_re_116() {
    let bench = Bench::new();
    let email = Wire::with("em", ChannelType::Email, |wire| {
        wire.gate = tokio::sync::Semaphore::new(0)
    });
    bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), email.clone()])
        .await;
    {
        let message = InboundMessage::text("sms".into(), "ana", "hi");
        let mut asking = Box::pin(bench.engine.process_inbound(message, Some("R1".into())));
        assert!(futures_util::poll!(&mut asking).is_pending());
    }
    breathe().await;
    email.gate.add_permits(1);
    bench.engine.rest().await;
    assert_eq!(email.texts(), ["hi"]);
    assert!(bench.told_types().contains(&"event_processed".to_owned()));
}

#[tokio::test]
async fn one_cause_one_trace_from_message_to_answer() {
    let bench = Bench::new();
    bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), Mind::echo("bot")])
        .await;
    let mut message = InboundMessage::text("sms".into(), "ana", "hi");
    message.trace = Some("T7".into());
    bench
        .engine
        .process_inbound(message, Some("R1".into()))
        .await
        .unwrap();
    let timeline = bench.timeline("R1").await;
    let of_cause: Vec<_> = timeline
        .iter()
        .filter(|event| event.correlation_id == Some("T7".into()))
        .map(|e| e.index)
        .collect();
    assert_eq!(of_cause, [2, 3]);
    let steps: Vec<_> = bench
        .evidence
        .records()
        .into_iter()
        .filter(|e| e.trace == "T7")
        .collect();
    assert!(
        steps
            .iter()
            .all(|e| e.step == "room.committed" && e.room == Some("R1".into()))
    );
    assert_eq!(
        steps
            .iter()
            .map(|e| e.detail["index"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [2, 3]
    );
    assert_eq!(steps[1].actor, "bot");
}

#[tokio::test]
async fn content_is_checked_before_anything_re_120() {
    let bench = Bench::new();
    bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    let media = MediaContent {
        url: "ftp://x".into(),
        mime_type: "image/png".into(),
        ..MediaContent::default()
    };
    let bad = [
        EventContent::Media(Box::new(media)),
        EventContent::Location(LocationContent {
            latitude: 91.0,
            ..LocationContent::default()
        }),
        EventContent::Location(LocationContent {
            longitude: f64::NAN,
            ..LocationContent::default()
        }),
    ];
    for content in bad {
        let message = InboundMessage::new("sms".into(), "ana", content);
        let refused = bench.engine.process_inbound(message, Some("R1".into())).await;
        assert!(matches!(refused, Err(Error::Content(_))), "{refused:?}");
    }
    assert!(bench.story("R1").await.is_empty());
}
