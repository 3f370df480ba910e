//! Which room a message is for.

use roomtone_room::*;

use crate::bench::{Bench, Wire};

async fn say(bench: &Bench, channel: &str, sender: &str) -> InboundResult {
    let message = InboundMessage::text(channel.into(), sender, "hi");
    bench.engine.process_inbound(message, None).await.unwrap()
}

#[tokio::test]
async fn the_one_room_of_a_channel_is_found_re_141() {
    let bench = Bench::new();
    let room = bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    assert_eq!(say(&bench, "sms", "+1").await.room_id, Some(room.clone()));
    assert_eq!(say(&bench, "sms", "+2").await.room_id, Some(room));
}

#[tokio::test]
async fn two_candidates_give_a_new_room_never_a_guess_re_142() {
    let bench = Bench::new();
    let sms = Wire::new("sms", ChannelType::Sms);
    bench.room("R1", &[sms.clone()]).await;
    bench.room("R2", &[sms]).await;
    let new = say(&bench, "sms", "+9").await;
    let room = new.room_id.unwrap();
    assert!(room != *"R1" && room != *"R2");
    assert_eq!(new.event.unwrap().index, 1, "after the attachment");
    assert!(bench.told_types().contains(&"session_started".to_owned()));
}

#[tokio::test]
async fn a_sender_who_takes_part_is_brought_to_that_room_re_141() {
    let bench = Bench::new();
    let sms = Wire::new("sms", ChannelType::Sms);
    bench.room("R1", &[sms.clone()]).await;
    let room = bench.room("R2", &[sms]).await;
    let person = Participant::new(
        "+15".into(),
        room.clone(),
        "sms".into(),
        jiff::Timestamp::UNIX_EPOCH,
    );
    bench.engine.store().put_participant(person).await.unwrap();
    assert_eq!(say(&bench, "sms", "+15").await.room_id, Some(room.clone()));
    assert_ne!(say(&bench, "sms", "+16").await.room_id, Some(room));
}

#[tokio::test]
async fn closed_rooms_are_not_found_c_9() {
    let bench = Bench::new();
    let room = bench.room("R1", &[Wire::new("sms", ChannelType::Sms)]).await;
    bench.engine.close_room(&room).await.unwrap();
    let new = say(&bench, "sms", "+1").await;
    assert!(!new.blocked);
    assert_ne!(new.room_id, Some(room));
}

#[tokio::test]
async fn a_named_room_that_does_not_exist_is_made_c_29() {
    let bench = Bench::new();
    bench
        .engine
        .register_channel(Wire::new("sms", ChannelType::Sms))
        .unwrap();
    assert_eq!(bench.say("case-7", "sms", "hi").await.event.unwrap().index, 1);
    assert_eq!(bench.say("case-7", "sms", "again").await.event.unwrap().index, 2);
}

#[tokio::test]
async fn a_channel_never_bound_is_attached_and_a_detached_one_is_not_re_065() {
    let bench = Bench::new();
    let (sms, email) = (
        Wire::new("sms", ChannelType::Sms),
        Wire::new("em", ChannelType::Email),
    );
    let room = bench.room("R1", &[sms.clone()]).await;
    bench.engine.register_channel(email.clone()).unwrap();
    bench.say("R1", "em", "by mail").await;
    assert_eq!(sms.texts(), ["by mail"]);
    bench.engine.detach_channel(&room, &"em".into()).await.unwrap();
    let told = bench.told_types().len();
    let after = bench.say("R1", "em", "after").await;
    assert!(!after.blocked && after.event.is_some() && after.delivery_results.is_empty());
    assert_eq!(sms.texts(), ["by mail"], "stored and broadcast to nobody");
    assert_eq!(
        bench.told_types().len(),
        told,
        "and nobody is told that it was processed"
    );
    bench
        .engine
        .attach_channel(&room, &"em".into(), Attach::default())
        .await
        .unwrap();
    bench.say("R1", "em", "back").await;
    assert_eq!(
        sms.texts(),
        ["by mail", "back"],
        "the host's own attach brings it back"
    );
}

#[tokio::test]
async fn unknown_and_twice_registered_channels_are_errors() {
    let bench = Bench::new();
    let ghost = InboundMessage::text("ghost".into(), "ana", "hi");
    let refused = bench.engine.process_inbound(ghost, None).await.unwrap_err();
    assert_eq!(refused, Error::ChannelNotRegistered("ghost".into()));
    bench
        .engine
        .register_channel(Wire::new("sms", ChannelType::Sms))
        .unwrap();
    let twice = bench
        .engine
        .register_channel(Wire::new("sms", ChannelType::Email))
        .unwrap_err();
    assert_eq!(twice, Error::ChannelAlreadyRegistered("sms".into()));
    assert!(bench.engine.unregister_channel(&"sms".into()).await);
    assert!(!bench.engine.unregister_channel(&"sms".into()).await);
}

#[tokio::test]
async fn the_host_sends_through_the_same_pipeline_re_119() {
    let bench = Bench::new();
    let email = Wire::new("em", ChannelType::Email);
    let room = bench
        .room("R1", &[Wire::new("sms", ChannelType::Sms), email.clone()])
        .await;
    let sent = SendEvent::new(room.clone(), "sms".into(), EventDraft::text("hello"));
    assert_eq!(
        bench.engine.send_event(sent).await.unwrap().event.unwrap().status,
        EventStatus::Delivered
    );
    assert_eq!(email.texts(), ["hello"]);
    bench
        .engine
        .register_channel(Wire::new("other", ChannelType::Sms))
        .unwrap();
    let stranger = SendEvent::new(room.clone(), "other".into(), EventDraft::text("x"));
    assert!(matches!(
        bench.engine.send_event(stranger).await,
        Err(Error::ChannelNotAttached { .. })
    ));
    let nowhere = SendEvent::new("R9".into(), "sms".into(), EventDraft::text("x"));
    assert_eq!(
        bench.engine.send_event(nowhere).await.unwrap_err(),
        Error::RoomNotFound("R9".into())
    );
}
