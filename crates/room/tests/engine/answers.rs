//! Answers to answers.

use roomtone_room::*;

use crate::bench::{Bench, Mind, Wire, hook};

#[tokio::test]
async fn an_answer_is_one_deeper_and_goes_to_the_others_re_170_re_174() {
    let bench = Bench::new();
    let (sms, bot) = (Wire::new("sms", ChannelType::Sms), Mind::echo("bot"));
    bench.room("R1", &[sms.clone(), bot.clone()]).await;
    bench.say("R1", "sms", "hi").await;
    assert_eq!(sms.texts(), ["re: hi"]);
    assert_eq!(
        *bot.seen.lock().unwrap(),
        ["hi"],
        "nobody is asked about their own words"
    );
    let answer = bench.timeline("R1").await.pop().unwrap();
    assert_eq!((answer.chain_depth, answer.index), (1, 3));
    assert_eq!(answer.source.provider.as_deref(), Some("scripted"), "RE-013");
}

#[tokio::test]
async fn two_agents_stop_at_the_depth_limit_re_171() {
    let bench = Bench::new();
    let sms = Wire::new("sms", ChannelType::Sms);
    let room = bench
        .room("R1", &[sms.clone(), Mind::echo("a"), Mind::echo("b")])
        .await;
    bench.say("R1", "sms", "x").await;
    let timeline = bench.timeline("R1").await;
    let deepest = timeline
        .iter()
        .filter(|event| !event.is_blocked())
        .map(|event| event.chain_depth)
        .max();
    assert_eq!(deepest, Some(4), "4 is the deepest that passes");
    let blocked: Vec<_> = timeline.iter().filter(|event| event.is_blocked()).collect();
    assert_eq!(blocked.len(), 2);
    assert!(
        blocked
            .iter()
            .all(|e| e.chain_depth == 5 && e.blocked_by.as_deref() == Some("event_chain_depth_limit"))
    );
    let noticed = bench.engine.view().observations(&room).await.unwrap();
    assert!(
        noticed
            .iter()
            .all(|o| o.category.as_deref() == Some("event_chain_depth_exceeded"))
    );
    assert_eq!(noticed.len(), 2);
    assert_eq!(
        bench
            .told_types()
            .iter()
            .filter(|told| *told == "chain_depth_exceeded")
            .count(),
        2
    );
}

#[test]
fn the_depth_limit_cannot_be_switched_off_re_172() {
    for max_chain_depth in [0, 101, u32::MAX] {
        let clock = roomtone_base::SystemClock::shared();
        let ids = roomtone_base::IdSource::new(clock.clone(), roomtone_base::Rng::seeded(1));
        let builder = RoomEngine::builder(clock, ids, std::sync::Arc::new(MemoryStore::new()));
        let built = builder
            .settings(Settings {
                max_chain_depth,
                ..Settings::default()
            })
            .build();
        assert!(matches!(built, Err(Error::Setting(_))), "{max_chain_depth}");
    }
}

#[tokio::test]
async fn a_crowd_of_agents_is_bounded_in_width_re_175() {
    let bench = Bench::new();
    let agents: Vec<_> = (0..6)
        .map(|n| Mind::echo(&format!("a{n}")) as std::sync::Arc<dyn Channel>)
        .collect();
    bench.room("R1", &[Wire::new("sms", ChannelType::Sms) as _]).await;
    bench.room("R1", &agents).await;
    bench.say("R1", "sms", "x").await;
    let timeline = bench.timeline("R1").await;
    let passed = timeline
        .iter()
        .filter(|event| event.chain_depth > 0 && !event.is_blocked())
        .count();
    assert_eq!(passed, 50, "10 x max_chain_depth");
    assert!(
        timeline
            .iter()
            .any(|event| event.blocked_by.as_deref() == Some("reentry_loop_cap"))
    );
}

#[tokio::test]
async fn the_agent_policy_changes_on_a_live_room_re_083() {
    let bench = Bench::new();
    let (a, b) = (Mind::echo("a"), Mind::echo("b"));
    let room = bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), a.clone(), b.clone()])
        .await;
    bench
        .engine
        .set_agent_policy(&room, AgentResponsePolicy::AddressedOnly)
        .await
        .unwrap();
    bench.say("R1", "sms", "one").await;
    assert_eq!(
        (a.seen.lock().unwrap().len(), b.seen.lock().unwrap().len()),
        (1, 1)
    );
    bench
        .engine
        .set_agent_policy(&room, AgentResponsePolicy::AgentChain)
        .await
        .unwrap();
    bench.say("R1", "sms", "two").await;
    assert!(a.seen.lock().unwrap().len() > 2);
}

#[tokio::test]
async fn an_explicit_address_is_honoured_under_both_policies_re_083() {
    let bench = Bench::new();
    let a = Mind::new("a", |event, _| match event.text() {
        Some("go") => {
            let mut draft = EventDraft::text("b, please");
            draft.addressed_to = Some(vec!["b".into()]);
            ChannelOutput::answer(draft)
        }
        _ => ChannelOutput::nothing(),
    });
    let b = Mind::new("b", |_, _| ChannelOutput::nothing());
    let room = bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), a, b.clone()])
        .await;
    bench
        .engine
        .set_agent_policy(&room, AgentResponsePolicy::AddressedOnly)
        .await
        .unwrap();
    bench.say("R1", "sms", "go").await;
    assert_eq!(*b.seen.lock().unwrap(), ["go", "b, please"]);
}

#[tokio::test]
async fn an_answer_passes_the_hooks_like_any_event_re_173() {
    let bench = Bench::new();
    let sms = Wire::new("sms", ChannelType::Sms);
    bench.room("R1", &[sms.clone(), Mind::echo("bot")]).await;
    bench
        .engine
        .add_hook(hook("guard", HookTrigger::BeforeBroadcast, |payload| {
            let is_answer = payload.event().unwrap().chain_depth > 0;
            Ok(if is_answer {
                HookResult::block("not now")
            } else {
                HookResult::allow()
            })
        }));
    let result = bench.say("R1", "sms", "hi").await;
    assert!(!result.blocked, "the answer's fate is not the message's");
    assert_eq!(bench.story("R1").await, ["2 hi", "3 re: hi !guard"]);
    assert!(sms.texts().is_empty());
}

#[tokio::test]
async fn answers_stored_blocked_come_first() {
    let bench = Bench::new();
    let room = bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    for (id, access) in [
        ("a", Access::ReadWrite),
        ("b", Access::ReadOnly),
        ("c", Access::ReadWrite),
    ] {
        let mind = Mind::new(id, move |event, _| match event.chain_depth {
            0 => ChannelOutput::answer(EventDraft::text(id)),
            _ => ChannelOutput::nothing(),
        });
        bench.engine.register_channel(mind).unwrap();
        bench
            .engine
            .attach_channel(
                &room,
                &id.into(),
                Attach {
                    access,
                    ..Attach::default()
                },
            )
            .await
            .unwrap();
    }
    bench.say("R1", "sms", "x").await;
    assert_eq!(
        bench.story("R1").await,
        ["4 x", "5 b !source_read_only", "6 a", "7 c"]
    );
}

#[tokio::test]
async fn an_answer_belongs_where_its_question_belongs() {
    let bench = Bench::new();
    bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), Mind::echo("bot")])
        .await;
    let first = bench.say("R1", "sms", "one").await.event.unwrap();
    let mut reply = InboundMessage::text("sms".into(), "ana", "two");
    reply.parent_event_id = Some(first.id.clone());
    bench
        .engine
        .process_inbound(reply, Some("R1".into()))
        .await
        .unwrap();
    let last = bench.timeline("R1").await.pop().unwrap();
    assert_eq!(
        (last.text(), &last.parent_event_id),
        (Some("re: two"), &Some(first.id.clone()))
    );
}

#[tokio::test]
async fn side_effects_and_metadata_of_channels_are_kept_re_215() {
    let bench = Bench::new();
    let bot = Mind::new("bot", |_, _| {
        let mut output = ChannelOutput::nothing();
        output.tasks.push(Task {
            title: Some("call back".into()),
            ..Task::default()
        });
        output.metadata_updates.insert("mood".into(), "good".into());
        output
    });
    let room = bench.room("R1", &[Wire::new("sms", ChannelType::Sms), bot]).await;
    bench.say("R1", "sms", "hi").await;
    let task = bench.engine.view().tasks(&room).await.unwrap().pop().unwrap();
    assert!(!task.id.is_empty() && task.created_at.is_some() && task.room_id == Some(room.clone()));
    assert_eq!(bench.engine.room(&room).await.unwrap().metadata["mood"], "good");
}
