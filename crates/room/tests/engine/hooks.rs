//! The host's own rules.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use roomtone_room::*;

use crate::bench::{Bench, Mind, Wire, breathe, hook};

fn text_of(payload: &HookPayload) -> String {
    match payload {
        HookPayload::Event(event) => event.text().unwrap_or_default().to_owned(),
        HookPayload::Text(text) => text.clone(),
        _ => String::new(),
    }
}

fn reworded(payload: &HookPayload, text: &str) -> HookPayload {
    let mut event = RoomEvent::clone(payload.event().unwrap());
    event.content = EventContent::text(text);
    HookPayload::Event(Arc::new(event))
}

#[tokio::test]
async fn steps_come_in_the_order_of_the_law_re_110() {
    struct Steps {
        id: roomtone_base::ChannelId,
        log: Arc<Mutex<Vec<&'static str>>>,
    }
    #[async_trait]
    impl Channel for Steps {
        fn id(&self) -> &roomtone_base::ChannelId {
            &self.id
        }
        fn channel_type(&self) -> ChannelType {
            ChannelType::Voice
        }
        fn provider_name(&self) -> &str {
            "scripted"
        }
        async fn handle_inbound(
            &self,
            message: &InboundMessage,
            _: &RoomContext,
        ) -> Result<EventDraft, DeliveryError> {
            self.log.lock().unwrap().push("4 handle_inbound");
            Ok(EventDraft::from_message(message))
        }
        async fn connect_session(
            &self,
            _: SessionHandle,
            _: &roomtone_base::RoomId,
            _: &ChannelBinding,
        ) -> Result<(), DeliveryError> {
            self.log.lock().unwrap().push("12 connect_session");
            Ok(())
        }
        async fn on_event(
            &self,
            _: &Arc<RoomEvent>,
            _: &ChannelBinding,
            _: &RoomContext,
        ) -> Result<ChannelOutput, DeliveryError> {
            self.log.lock().unwrap().push("14 on_event");
            Ok(ChannelOutput::nothing())
        }
        async fn deliver(
            &self,
            _: &Arc<RoomEvent>,
            _: &ChannelBinding,
            _: &RoomContext,
        ) -> Result<Delivered, DeliveryError> {
            self.log.lock().unwrap().push("14 deliver");
            Ok(Delivered::default())
        }
    }
    let bench = Bench::new();
    let log = Arc::new(Mutex::new(Vec::new()));
    let step = |id: &str| {
        Arc::new(Steps {
            id: id.into(),
            log: log.clone(),
        }) as Arc<dyn Channel>
    };
    let room = bench.room("R1", &[step("a"), step("b")]).await;
    let (before, after) = (log.clone(), log.clone());
    bench
        .engine
        .add_hook(hook("before", HookTrigger::BeforeBroadcast, move |payload| {
            before.lock().unwrap().push("9 before_broadcast");
            Ok(if text_of(&payload) == "bad" {
                HookResult::block("bad")
            } else {
                HookResult::allow()
            })
        }));
    bench
        .engine
        .add_hook(hook("after", HookTrigger::AfterBroadcast, move |_| {
            after.lock().unwrap().push("16 after_broadcast");
            Ok(HookResult::allow())
        }));
    let told = log.clone();
    let _told = bench
        .engine
        .subscribe(vec![FrameworkEventType::EventProcessed], move |_| {
            told.lock().unwrap().push("17 event_processed");
        });
    let send = |text: &str, key: &str| {
        let mut message = InboundMessage::text("a".into(), "ana", text);
        message.session = Some(SessionHandle::new(Arc::new(())));
        message.idempotency_key = Some(key.to_owned());
        bench.engine.process_inbound(message, Some(room.clone()))
    };
    let take = || std::mem::take(&mut *log.lock().unwrap());

    send("good", "1").await.unwrap();
    bench.engine.rest().await;
    let mut steps = take();
    // Watching hooks run beside the last step.
    steps[5..].sort_unstable();
    assert_eq!(
        steps,
        [
            "4 handle_inbound",
            "9 before_broadcast",
            "12 connect_session",
            "14 on_event",
            "14 deliver",
            "16 after_broadcast",
            "17 event_processed"
        ]
    );
    send("good", "1").await.unwrap();
    assert_eq!(take(), ["4 handle_inbound"], "a duplicate ends at step 7");
    send("bad", "2").await.unwrap();
    assert_eq!(
        take(),
        ["4 handle_inbound", "9 before_broadcast"],
        "a blocked call never connects, RE-113"
    );
    bench.engine.set_muted(&room, &"a".into(), true).await.unwrap();
    send("good", "3").await.unwrap();
    assert_eq!(
        take(),
        ["4 handle_inbound", "9 before_broadcast"],
        "hooks run before the permission is asked"
    );
}

#[tokio::test]
async fn a_block_stores_injects_and_keeps_side_effects_re_026_re_098_re_099() {
    let bench = Bench::new();
    let (sms, email) = (
        Wire::new("sms", ChannelType::Sms),
        Wire::new("em", ChannelType::Email),
    );
    let bot = Mind::echo("bot");
    let room = bench.room("R1", &[sms.clone(), email.clone(), bot.clone()]).await;
    bench
        .engine
        .add_hook(hook("first", HookTrigger::BeforeBroadcast, |payload| {
            Ok(HookResult::modify(reworded(&payload, "changed")))
        }));
    let mut dlp = hook("dlp", HookTrigger::BeforeBroadcast, |_| {
        let inject = |text: &str, targets: Option<&[&str]>| InjectedEvent {
            event: EventDraft::text(text),
            source_channel_id: None,
            target_channel_ids: targets.map(|ids| ids.iter().map(|id| (*id).into()).collect()),
        };
        let mut result = HookResult::block("card number");
        result.injected_events = vec![
            inject("do not", Some(&["sms", "ghost"])),
            inject("kept", None),
            inject("bot", Some(&["bot"])),
        ];
        result.observations.push(Observation {
            content: Some("card".into()),
            ..Observation::default()
        });
        Ok(result)
    });
    dlp.priority = 1;
    bench.engine.add_hook(dlp);
    let result = bench.say("R1", "sms", "4111").await;
    assert_eq!(result.reason.as_deref(), Some("card number"));
    assert_eq!(
        bench.story("R1").await,
        ["3 4111 !dlp", "4 do not", "5 kept", "6 bot"],
        "stored as it was before any hook changed it, and what was injected follows"
    );
    assert_eq!((sms.texts(), email.texts()), (vec!["do not".to_owned()], vec![]));
    assert_eq!(
        *bot.seen.lock().unwrap(),
        ["bot"],
        "no answers are collected for injected events"
    );
    assert_eq!(bench.engine.view().observations(&room).await.unwrap().len(), 1);
    let told = bench.told.lock().unwrap();
    let blocked = told
        .iter()
        .find(|event| event.event_type.as_str() == "event_blocked")
        .unwrap();
    assert_eq!(
        (&blocked.data["hook_name"], &blocked.data["reason"]),
        (&"dlp".into(), &"card number".into())
    );
}

#[tokio::test]
async fn hooks_run_by_priority_and_each_sees_the_last_ones_words_re_092_re_093() {
    let bench = Bench::new();
    let email = Wire::new("em", ChannelType::Email);
    bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), email.clone()])
        .await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    for (name, priority, becomes) in [("late", 5, ""), ("early", -1, "b"), ("middle", 0, "c")] {
        let seen = seen.clone();
        let mut registration = hook(name, HookTrigger::BeforeBroadcast, move |payload| {
            seen.lock()
                .unwrap()
                .push(format!("{name}: {}", text_of(&payload)));
            Ok(HookResult::modify(reworded(&payload, becomes)))
        });
        registration.priority = priority;
        bench.engine.add_hook(registration);
    }
    let result = bench.say("R1", "sms", "a").await;
    assert_eq!(*seen.lock().unwrap(), ["early: a", "middle: b", "late: c"]);
    assert_eq!(email.texts(), [""], "a modify to nothing is a modify");
    assert_eq!(result.event.unwrap().text(), Some(""));
}

#[tokio::test]
async fn filters_must_all_match_re_091() {
    let bench = Bench::new();
    bench
        .room(
            "R1",
            &[
                Wire::new("sms", ChannelType::Sms),
                Wire::new("em", ChannelType::Email),
            ],
        )
        .await;
    let calls = Arc::new(Mutex::new(Vec::new()));
    type Change = fn(&mut HookRegistration);
    let cases: [(&str, Change); 7] = [
        ("all", |_| {}),
        ("type", |h| h.channel_types = vec![ChannelType::Sms]),
        ("id", |h| h.channel_ids = vec!["sms".into()]),
        ("both", |h| {
            h.channel_types = vec![ChannelType::Email];
            h.channel_ids = vec!["sms".into()];
        }),
        ("inbound", |h| h.directions = vec![ChannelDirection::Inbound]),
        ("here", |h| h.room_id = Some("R1".into())),
        ("elsewhere", |h| h.room_id = Some("R2".into())),
    ];
    for (name, change) in cases {
        let calls = calls.clone();
        let mut registration = hook(name, HookTrigger::BeforeBroadcast, move |_| {
            calls.lock().unwrap().push(name);
            Ok(HookResult::allow())
        });
        change(&mut registration);
        bench.engine.add_hook(registration);
    }
    bench.say("R1", "sms", "x").await;
    assert_eq!(
        std::mem::take(&mut *calls.lock().unwrap()),
        ["all", "type", "id", "inbound", "here"]
    );
    bench.say("R1", "em", "x").await;
    assert_eq!(
        std::mem::take(&mut *calls.lock().unwrap()),
        ["all", "inbound", "here"]
    );
    let send = SendEvent::new("R1".into(), "em".into(), EventDraft::text("x"));
    bench.engine.send_event(send).await.unwrap();
    assert_eq!(std::mem::take(&mut *calls.lock().unwrap()), ["all", "here"]);
}

/// The four ways of giving no valid answer.
#[derive(Clone, Copy, Debug)]
enum Misbehave {
    Err,
    Panic,
    Sleep,
    WrongType,
}

#[async_trait]
impl Hook for Misbehave {
    async fn call(&self, payload: HookPayload, _: &HookContext) -> Result<HookResult, HookError> {
        match (self, payload) {
            (Misbehave::Err, _) => Err(HookError("scripted".into())),
            (Misbehave::Panic, _) => panic!("scripted"),
            (Misbehave::Sleep, _) => std::future::pending().await,
            (Misbehave::WrongType, HookPayload::Text(_)) => {
                Ok(HookResult::modify(HookPayload::Value(true.into())))
            }
            (Misbehave::WrongType, _) => Ok(HookResult::modify(HookPayload::Text("?".into()))),
        }
    }
}

#[tokio::test]
async fn failures_block_speech_and_let_messages_through_re_094_re_095_re_096_re_100() {
    for how in [
        Misbehave::Err,
        Misbehave::Panic,
        Misbehave::Sleep,
        Misbehave::WrongType,
    ] {
        for trigger in [
            HookTrigger::BeforeBroadcast,
            HookTrigger::OnTranscription,
            HookTrigger::BeforeTts,
        ] {
            let bench = Bench::new();
            let email = Wire::new("em", ChannelType::Email);
            let room = bench
                .room("R1", &[Wire::new("sms", ChannelType::Sms), email.clone()])
                .await;
            let mut registration = HookRegistration::new("bad", trigger, Arc::new(how));
            registration.timeout = Duration::from_secs(1);
            bench.engine.add_hook(registration);
            let engine = bench.engine.clone();
            let run = tokio::spawn(async move {
                if trigger == HookTrigger::BeforeBroadcast {
                    let message = InboundMessage::text("sms".into(), "ana", "hi");
                    return engine.process_inbound(message, Some(room)).await.unwrap().blocked;
                }
                let payload = HookPayload::Text("hi".into());
                let verdict = engine
                    .ask_hooks(trigger, &room, HookSource::default(), payload)
                    .await
                    .unwrap();
                verdict.blocked.is_some()
            });
            breathe().await;
            bench.clock.advance(Duration::from_secs(1));
            assert_eq!(run.await.unwrap(), trigger.fails_closed(), "{how:?} {trigger}");
            let want = if matches!(how, Misbehave::Sleep) {
                "hook_timeout"
            } else {
                "hook_error"
            };
            assert!(bench.told_types().contains(&want.to_owned()), "{how:?} {trigger}");
        }
    }
}

#[tokio::test]
async fn watching_hooks_never_hold_or_break_anything_re_097() {
    let bench = Bench::new();
    bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    for (name, how) in [
        ("panics", Misbehave::Panic),
        ("hangs", Misbehave::Sleep),
        ("fails", Misbehave::Err),
    ] {
        bench.engine.add_hook(HookRegistration::new(
            name,
            HookTrigger::AfterBroadcast,
            Arc::new(how),
        ));
    }
    assert!(!bench.say("R1", "sms", "one").await.blocked);
    assert!(!bench.say("R1", "sms", "two").await.blocked);
    breathe().await;
    bench.clock.advance(Duration::from_secs(30));
    bench.engine.rest().await;
    let told = bench.told_types();
    assert_eq!(told.iter().filter(|told| *told == "hook_error").count(), 4);
    assert_eq!(told.iter().filter(|told| *told == "hook_timeout").count(), 2);
}

#[tokio::test]
async fn a_hook_that_writes_to_its_own_room_is_told_so_re_035() {
    struct Reenters(RoomEngine, Mutex<Vec<Error>>);
    #[async_trait]
    impl Hook for Reenters {
        async fn call(&self, _: HookPayload, _: &HookContext) -> Result<HookResult, HookError> {
            let message = InboundMessage::text("sms".into(), "ana", "me too");
            let inbound = self
                .0
                .process_inbound(message, Some("R1".into()))
                .await
                .unwrap_err();
            let send = SendEvent::new("R1".into(), "sms".into(), EventDraft::text("x"));
            let send = self.0.send_event(send).await.unwrap_err();
            let close = self.0.close_room(&"R1".into()).await.unwrap_err();
            self.1.lock().unwrap().extend([inbound, send, close]);
            Ok(HookResult::allow())
        }
    }
    let bench = Bench::new();
    bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    let hook = Arc::new(Reenters(bench.engine.clone(), Mutex::default()));
    bench.engine.add_hook(HookRegistration::new(
        "re",
        HookTrigger::BeforeBroadcast,
        hook.clone(),
    ));
    assert!(!bench.say("R1", "sms", "hi").await.blocked);
    assert_eq!(*hook.1.lock().unwrap(), vec![Error::Reentrant("R1".into()); 3]);
    bench.engine.remove_hook("re", None);
}

#[tokio::test]
async fn rooms_and_channels_tell_their_life_to_hooks_re_048_re_063() {
    let bench = Bench::new();
    let calls = Arc::new(Mutex::new(Vec::new()));
    for trigger in [
        HookTrigger::OnRoomCreated,
        HookTrigger::OnRoomClosed,
        HookTrigger::OnChannelAttached,
        HookTrigger::OnChannelDetached,
        HookTrigger::OnChannelMuted,
        HookTrigger::OnChannelUnmuted,
        HookTrigger::OnSessionStarted,
    ] {
        let calls = calls.clone();
        bench.engine.add_hook(hook("watch", trigger, move |payload| {
            let event = payload.event().unwrap();
            let EventContent::System(content) = &event.content else {
                panic!()
            };
            calls.lock().unwrap().push(format!("{trigger} {}", content.code));
            Ok(HookResult::block("nobody asked"))
        }));
    }
    bench
        .engine
        .register_channel(Wire::new("sms", ChannelType::Sms))
        .unwrap();
    let room = bench.say("case-7", "sms", "hi").await.room_id.unwrap();
    let sms = "sms".into();
    bench.engine.set_muted(&room, &sms, true).await.unwrap();
    bench.engine.set_muted(&room, &sms, false).await.unwrap();
    bench.engine.detach_channel(&room, &sms).await.unwrap();
    bench.engine.close_room(&room).await.unwrap();
    bench.engine.rest().await;
    let mut calls = calls.lock().unwrap().clone();
    calls.sort_unstable();
    assert_eq!(
        calls,
        [
            "on_channel_attached channel_attached",
            "on_channel_detached channel_detached",
            "on_channel_muted channel_muted",
            "on_channel_unmuted channel_unmuted",
            "on_room_closed room_closed",
            "on_room_created room_created",
            "on_session_started session_started"
        ]
    );
}

#[test]
fn every_trigger_has_its_own_word() {
    let words: std::collections::BTreeSet<_> =
        HookTrigger::ALL.iter().map(|trigger| trigger.as_str()).collect();
    assert_eq!(words.len(), HookTrigger::ALL.len());
    assert_eq!(
        HookTrigger::ALL.len(),
        79,
        "78 of the specification and one of the older list"
    );
    let closed: Vec<_> = HookTrigger::ALL
        .iter()
        .filter(|trigger| trigger.fails_closed())
        .collect();
    assert_eq!(closed, [&HookTrigger::OnTranscription, &HookTrigger::BeforeTts]);
}
