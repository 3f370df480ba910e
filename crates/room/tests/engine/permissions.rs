//! Who may write, who is given what.

use std::sync::Arc;

use roomtone_room::*;

use crate::bench::{Bench, Mind, Wire, hook};

#[tokio::test]
async fn a_source_that_cannot_write_is_stored_blocked_and_keeps_its_side_effects_re_072_re_074_re_110() {
    for (access, muted, word) in [
        (Access::ReadWrite, true, "source_muted"),
        (Access::ReadOnly, false, "source_read_only"),
        (Access::None, false, "source_read_only"),
        (Access::None, true, "source_muted"),
    ] {
        let bench = Bench::new();
        let email = Wire::new("em", ChannelType::Email);
        let room = bench
            .room("R1", &[Wire::new("sms", ChannelType::Sms), email.clone()])
            .await;
        let attach = Attach {
            access,
            muted,
            ..Attach::default()
        };
        bench
            .engine
            .attach_channel(&room, &"sms".into(), attach)
            .await
            .unwrap();
        bench
            .engine
            .add_hook(hook("tasks", HookTrigger::BeforeBroadcast, |_| {
                let task = Task {
                    title: Some("call back".into()),
                    ..Task::default()
                };
                Ok(HookResult {
                    tasks: vec![task],
                    ..HookResult::allow()
                })
            }));
        let result = bench.say("R1", "sms", "hi").await;
        assert_eq!((result.blocked, result.reason.as_deref()), (true, Some(word)));
        let event = result.event.unwrap();
        assert_eq!(
            (event.status, event.blocked_by.as_deref()),
            (EventStatus::Blocked, Some(word))
        );
        assert_eq!(event.index, 3, "RE-026: blocked events consume an index");
        assert!(email.texts().is_empty());
        let tasks = bench.engine.view().tasks(&room).await.unwrap();
        assert_eq!(
            tasks[0].title.as_deref(),
            Some("call back"),
            "hooks ran before the permission was asked"
        );
        let blocked: Vec<_> = bench
            .evidence
            .records()
            .into_iter()
            .filter(|e| e.step == "room.blocked")
            .collect();
        assert_eq!(blocked[0].detail["by"], word);
    }
}

#[tokio::test]
async fn a_muted_agent_hears_and_its_answer_is_kept_back_re_073() {
    let bench = Bench::new();
    let sms = Wire::new("sms", ChannelType::Sms);
    let bot = Mind::new("bot", |_, _| {
        let mut output = ChannelOutput::answer(EventDraft::text("no"));
        output.observations.push(Observation {
            content: Some("heard it".into()),
            ..Observation::default()
        });
        output
    });
    let room = bench.room("R1", &[sms.clone(), bot.clone()]).await;
    bench.engine.set_muted(&room, &"bot".into(), true).await.unwrap();
    bench.say("R1", "sms", "psst").await;
    assert_eq!(*bot.seen.lock().unwrap(), ["psst"]);
    assert_eq!(bench.story("R1").await, ["3 psst", "4 no !source_muted"]);
    assert!(sms.texts().is_empty());
    assert_eq!(bench.engine.view().observations(&room).await.unwrap().len(), 1);
}

#[tokio::test]
async fn readers_and_directions_decide_the_targets_re_070_re_076_re_162() {
    let bench = Bench::new();
    let cases = [
        ("rw", Attach::default(), true),
        (
            "ro",
            Attach {
                access: Access::ReadOnly,
                ..Attach::default()
            },
            true,
        ),
        (
            "wo",
            Attach {
                access: Access::WriteOnly,
                ..Attach::default()
            },
            false,
        ),
        (
            "none",
            Attach {
                access: Access::None,
                ..Attach::default()
            },
            false,
        ),
        (
            "out",
            Attach {
                direction: Some(ChannelDirection::Outbound),
                ..Attach::default()
            },
            false,
        ),
        (
            "in",
            Attach {
                direction: Some(ChannelDirection::Inbound),
                ..Attach::default()
            },
            true,
        ),
        (
            "muted",
            Attach {
                muted: true,
                ..Attach::default()
            },
            true,
        ),
        (
            "silent",
            Attach {
                output_muted: true,
                ..Attach::default()
            },
            false,
        ),
    ];
    let sms = Wire::new("sms", ChannelType::Sms);
    let room = bench.room("R1", &[sms.clone()]).await;
    let mut wires = Vec::new();
    for (id, attach, gets) in cases {
        let wire = Wire::new(id, ChannelType::Email);
        bench.engine.register_channel(wire.clone()).unwrap();
        bench
            .engine
            .attach_channel(&room, &id.into(), attach)
            .await
            .unwrap();
        wires.push((id, wire, gets));
    }
    bench.say("R1", "sms", "hi").await;
    for (id, wire, gets) in wires {
        assert_eq!(!wire.texts().is_empty(), gets, "{id}");
    }
    assert!(sms.texts().is_empty(), "nobody gets their own words");
}

#[tokio::test]
async fn the_sources_visibility_decides_and_the_events_own_wins_re_075() {
    let bench = Bench::new();
    let (sms, email) = (
        Wire::new("sms", ChannelType::Sms),
        Wire::new("em", ChannelType::Email),
    );
    let bot = Mind::new("bot", |_, _| ChannelOutput::nothing());
    let room = bench.room("R1", &[sms, email.clone(), bot.clone()]).await;
    for (visibility, wire_gets, bot_gets) in [
        ("all", 1, 1),
        ("transport", 1, 0),
        ("intelligence", 0, 1),
        ("none", 0, 0),
        ("internal", 0, 0),
        ("em", 1, 0),
        ("bot, em", 1, 1),
        ("nobody", 0, 0),
    ] {
        let seen = |wire: &Wire, bot: &Mind| (wire.texts().len(), bot.seen.lock().unwrap().len());
        let before = seen(&email, &bot);
        bench
            .engine
            .set_visibility(&room, &"sms".into(), visibility.parse().unwrap())
            .await
            .unwrap();
        bench.say("R1", "sms", "x").await;
        let after = seen(&email, &bot);
        assert_eq!(
            (after.0 - before.0, after.1 - before.1),
            (wire_gets, bot_gets),
            "{visibility}"
        );
    }
    bench
        .engine
        .set_visibility(&room, &"sms".into(), Visibility::None)
        .await
        .unwrap();
    let mut message = InboundMessage::text("sms".into(), "ana", "to mail");
    message.visibility = Visibility::Transport;
    bench.engine.process_inbound(message, Some(room)).await.unwrap();
    assert_eq!(email.texts().last().unwrap(), "to mail");
}

#[tokio::test]
async fn hidden_words_do_not_come_back_through_history_re_077_re_079() {
    let bench = Bench::new();
    let sms = Wire::new("sms", ChannelType::Sms);
    let bot = Mind::new("bot", |_, context: &RoomContext| {
        let heard: Vec<_> = context
            .recent_events
            .iter()
            .filter_map(|event| event.text())
            .collect();
        ChannelOutput::answer(EventDraft::text(format!("I know {heard:?}")))
    });
    let room = bench.room("R1", &[sms.clone(), bot]).await;
    let mut secret = InboundMessage::text("sms".into(), "ana", "secret");
    secret.visibility = Visibility::Transport;
    bench
        .engine
        .process_inbound(secret, Some(room.clone()))
        .await
        .unwrap();
    bench.say("R1", "sms", "one").await;
    bench.say("R1", "sms", "two").await;
    assert_eq!(sms.texts(), ["I know []", r#"I know ["one", "I know []"]"#]);
    let view = bench
        .engine
        .view()
        .as_seen_by(&room, &"bot".into(), 100)
        .await
        .unwrap();
    assert!(
        view.recent_events
            .iter()
            .all(|event| event.text() != Some("secret"))
    );
    let own = bench
        .engine
        .view()
        .as_seen_by(&room, &"sms".into(), 100)
        .await
        .unwrap();
    assert!(
        own.recent_events
            .iter()
            .any(|event| event.text() == Some("secret")),
        "own words are always seen"
    );
}

#[tokio::test]
async fn only_the_addressed_agents_are_asked_re_080_re_081_re_082() {
    let bench = Bench::new();
    let email = Wire::new("em", ChannelType::Email);
    let quiet = |id| Mind::new(id, |_, _| ChannelOutput::nothing());
    let (a, b) = (quiet("a"), quiet("b"));
    let room = bench
        .room(
            "R1",
            &[
                Wire::new("sms", ChannelType::Sms),
                email.clone(),
                a.clone(),
                b.clone(),
            ],
        )
        .await;
    let none: Option<&[&str]> = None;
    for (addressed, wants) in [
        (none, (1, 1)),
        (Some(&["a"][..]), (1, 0)),
        (Some(&[]), (0, 0)),
        (Some(&["ghost"]), (0, 0)),
    ] {
        let mut message = InboundMessage::text("sms".into(), "ana", "hi");
        message.addressed_to = addressed.map(|ids| ids.iter().map(|id| (*id).into()).collect());
        let count = |mind: &Arc<Mind>| mind.seen.lock().unwrap().len();
        let before = (count(&a), count(&b), email.texts().len());
        let result = bench
            .engine
            .process_inbound(message.clone(), Some(room.clone()))
            .await
            .unwrap();
        assert_eq!(
            (count(&a) - before.0, count(&b) - before.1),
            wants,
            "{addressed:?}"
        );
        assert_eq!(email.texts().len() - before.2, 1, "transports always get it");
        assert_eq!(
            result.event.unwrap().addressed_to,
            message.addressed_to,
            "kept with the event"
        );
    }
}

#[tokio::test]
async fn a_derived_binding_never_grants_more_re_064() {
    let bench = Bench::new();
    let email = Wire::new("em", ChannelType::Email);
    let room = bench.room("R1", &[email]).await;
    let narrow = Attach {
        access: Access::ReadOnly,
        visibility: Visibility::Transport,
        muted: true,
        direction: Some(ChannelDirection::Inbound),
        ..Attach::default()
    };
    bench
        .engine
        .attach_channel(&room, &"em".into(), narrow)
        .await
        .unwrap();
    let child = bench.room("R2", &[]).await;
    let origin = bench
        .engine
        .store()
        .binding(&room, &"em".into())
        .await
        .unwrap()
        .unwrap();
    bench
        .engine
        .attach_channel(&child, &"em".into(), Attach::from(&*origin))
        .await
        .unwrap();
    let derived = bench
        .engine
        .store()
        .binding(&child, &"em".into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            derived.access,
            &derived.visibility,
            derived.muted,
            derived.direction
        ),
        (
            Access::ReadOnly,
            &Visibility::Transport,
            true,
            ChannelDirection::Inbound
        )
    );
}

#[tokio::test]
async fn binding_changes_are_on_the_timeline_re_063() {
    let bench = Bench::new();
    let room = bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    let sms = "sms".into();
    bench.engine.set_muted(&room, &sms, true).await.unwrap();
    bench.engine.set_muted(&room, &sms, false).await.unwrap();
    bench
        .engine
        .set_access(&room, &sms, Access::ReadOnly)
        .await
        .unwrap();
    bench
        .engine
        .set_visibility(&room, &sms, Visibility::None)
        .await
        .unwrap();
    bench
        .engine
        .update_binding_metadata(&room, &sms, Map::new())
        .await
        .unwrap();
    assert!(bench.engine.detach_channel(&room, &sms).await.unwrap());
    assert!(!bench.engine.detach_channel(&room, &sms).await.unwrap());
    let entries: Vec<_> = bench
        .timeline("R1")
        .await
        .iter()
        .map(|event| match &event.content {
            EventContent::System(content) => (event.event_type, content.code.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let want = [
        (EventType::ChannelAttached, "channel_attached"),
        (EventType::ChannelMuted, "channel_muted"),
        (EventType::ChannelUnmuted, "channel_unmuted"),
        (EventType::ChannelUpdated, "channel_access_changed"),
        (EventType::ChannelUpdated, "channel_visibility_changed"),
        (EventType::ChannelUpdated, "channel_metadata_updated"),
        (EventType::ChannelDetached, "channel_detached"),
    ];
    assert_eq!(entries, want.map(|(kind, code)| (kind, code.to_owned())));
}
