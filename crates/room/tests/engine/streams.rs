//! Answers that are said while they are being made.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::{StreamExt, stream};
use roomtone_room::*;

use crate::bench::{Bench, Mind, Wire};

/// An agent that answers `one two three` in pieces, and how many of them were asked for.
fn talker() -> (Arc<Mind>, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let mind = Mind::new("bot", move |_, _| {
        let count = count.clone();
        let parts = stream::iter(["one ", "two ", "three"]).then(move |word| {
            let count = count.clone();
            async move {
                // Lets the listeners take what is there before more is made.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                count.fetch_add(1, Ordering::SeqCst);
                Ok(StreamPart::Text(word.to_owned()))
            }
        });
        let facts = Map::from_iter([("expects".to_owned(), "yes_no".into())]);
        let parts = parts.chain(stream::iter([Ok(StreamPart::Metadata(facts))]));
        ChannelOutput::stream(EventDraft::text("").with("by", "desk"), parts.boxed())
    });
    (mind, made)
}

#[tokio::test]
async fn a_growing_answer_is_said_at_once_stored_once_and_given_to_the_rest_re_167() {
    let bench = Bench::new();
    let (bot, _) = talker();
    let voice = Wire::with("voice", ChannelType::Voice, |wire| wire.streams = true.into());
    let sms = Wire::new("sms", ChannelType::Sms);
    bench.room("R1", &[voice.clone(), sms.clone(), bot]).await;
    bench.say("R1", "sms", "hi").await;
    assert_eq!(
        voice.texts(),
        ["hi", "one two three"],
        "said once, not delivered again"
    );
    assert_eq!(sms.texts(), ["one two three"]);
    let event = bench.timeline("R1").await.pop().unwrap();
    assert_eq!(
        (event.text(), event.index, event.chain_depth),
        (Some("one two three"), 4, 1)
    );
    assert_eq!(
        (&event.metadata["by"], &event.metadata["expects"]),
        (&"desk".into(), &"yes_no".into())
    );
    assert!(!event.metadata.contains_key("interrupted"));
    assert_eq!(event.delivery_results.len(), 2);
    assert_eq!(
        voice.delivered.lock().unwrap()[1].id,
        event.id,
        "announced under the id it is stored under"
    );
}

#[tokio::test]
async fn without_a_speaker_the_answer_is_collected() {
    let bench = Bench::new();
    let (bot, _) = talker();
    let sms = Wire::new("sms", ChannelType::Sms);
    bench.room("R1", &[sms.clone(), bot]).await;
    bench.say("R1", "sms", "hi").await;
    assert_eq!(sms.texts(), ["one two three"]);
}

#[tokio::test]
async fn an_interrupted_answer_stops_being_made() {
    let bench = Bench::new();
    let (bot, made) = talker();
    let voice = Wire::with("voice", ChannelType::Voice, |wire| {
        wire.streams = true.into();
        wire.patience = 1.into();
    });
    bench
        .room("R1", &[voice, Wire::new("sms", ChannelType::Sms), bot])
        .await;
    bench.say("R1", "sms", "hi").await;
    let event = bench.timeline("R1").await.pop().unwrap();
    assert_eq!(event.metadata["interrupted"], true);
    assert_eq!(event.metadata["heard"], "one ", "what was really heard is kept");
    assert!(made.load(Ordering::SeqCst) < 3);
}

#[tokio::test]
async fn a_muted_agents_provider_is_never_called_re_073() {
    let bench = Bench::new();
    let (bot, made) = talker();
    let room = bench.room("R1", &[Wire::new("sms", ChannelType::Sms), bot]).await;
    bench.engine.set_muted(&room, &"bot".into(), true).await.unwrap();
    bench.say("R1", "sms", "hi").await;
    assert_eq!(made.load(Ordering::SeqCst), 0);
    assert_eq!(bench.story("R1").await, ["3 hi"]);
}

#[tokio::test]
async fn a_broken_answer_keeps_what_was_said() {
    let bench = Bench::new();
    let bot = Mind::new("bot", |_, _| {
        let parts = [
            Ok(StreamPart::Text("so far".to_owned())),
            Err(DeliveryError::retryable("cut", "the line was cut")),
        ];
        ChannelOutput::stream(EventDraft::text(""), stream::iter(parts).boxed())
    });
    let sms = Wire::new("sms", ChannelType::Sms);
    bench.room("R1", &[sms.clone(), bot]).await;
    bench.say("R1", "sms", "hi").await;
    assert_eq!(sms.texts(), ["so far"]);
    assert_eq!(
        bench.timeline("R1").await.pop().unwrap().metadata["interrupted"],
        true
    );
}
