//! What holds for any content, any room, any binding.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};
use roomtone_room::*;

fn words() -> impl Strategy<Value = String> {
    "[a-zäßé漢😀 ]{0,24}"
}

fn leaf() -> impl Strategy<Value = EventContent> {
    let link = || "https://[a-z]{1,8}";
    prop_oneof![
        (words(), option::of("[a-z]{2}"))
            .prop_map(|(text, language)| EventContent::Text(TextContent { text, language })),
        (words(), option::of(words())).prop_map(|(text, plain_text)| {
            let rich = RichContent {
                text,
                plain_text,
                format: "html".into(),
                ..RichContent::default()
            };
            EventContent::Rich(Box::new(rich))
        }),
        (link(), option::of(words())).prop_map(|(url, caption)| {
            let mime_type = "image/png".into();
            EventContent::Media(Box::new(MediaContent {
                url,
                mime_type,
                caption,
                ..MediaContent::default()
            }))
        }),
        (-90.0..=90.0f64, -180.0..=180.0f64, option::of(words())).prop_map(|(latitude, longitude, label)| {
            EventContent::Location(LocationContent {
                latitude,
                longitude,
                label,
                address: None,
            })
        }),
        (link(), option::of(words()), option::of(0.0..1e6f64)).prop_map(
            |(url, transcript, duration_seconds)| {
                let mime_type = "audio/ogg".into();
                let audio = AudioContent {
                    url,
                    mime_type,
                    transcript,
                    duration_seconds,
                    size_bytes: None,
                };
                EventContent::Audio(Box::new(audio))
            }
        ),
        link().prop_map(|url| {
            let mime_type = "video/mp4".into();
            EventContent::Video(Box::new(VideoContent {
                url,
                mime_type,
                ..VideoContent::default()
            }))
        }),
        words().prop_map(|text| EventContent::system("code", text)),
        words().prop_map(|reason| EventContent::Delete(DeleteContent {
            target_event_id: "e".into(),
            delete_type: DeleteType::Admin,
            reason: Some(reason),
        })),
    ]
}

fn content() -> impl Strategy<Value = EventContent> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4)
                .prop_map(|parts| EventContent::Composite(CompositeContent::new(parts).unwrap())),
            inner.clone().prop_map(|new_content| {
                let target_event_id = "e".into();
                EventContent::Edit(Box::new(EditContent {
                    target_event_id,
                    new_content,
                    edit_source: None,
                }))
            }),
            option::of(inner).prop_map(|fallback| {
                EventContent::Template(Box::new(TemplateContent {
                    template_id: "t".into(),
                    language: "en".into(),
                    parameters: Map::new(),
                    body: None,
                    fallback,
                }))
            }),
        ]
    })
}

fn media_types() -> impl Strategy<Value = Vec<ChannelMediaType>> {
    use ChannelMediaType::{Audio, Location, Media, Rich, Template, Text, Video};
    proptest::sample::subsequence(vec![Text, Rich, Media, Audio, Video, Location, Template], 0..=7)
}

fn capabilities() -> impl Strategy<Value = ChannelCapabilities> {
    (
        media_types(),
        option::of(0usize..30),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(media_types, max_length, supports_edit, supports_delete)| ChannelCapabilities {
                media_types,
                max_length,
                supports_edit,
                supports_delete,
                ..ChannelCapabilities::default()
            },
        )
}

/// Does everything in it go over a channel with these capabilities?
fn fits(content: &EventContent, to: &ChannelCapabilities) -> bool {
    match content {
        EventContent::Text(_) | EventContent::System(_) => true,
        EventContent::Rich(_) => to.carries(ChannelMediaType::Rich),
        EventContent::Media(_) => to.carries(ChannelMediaType::Media),
        EventContent::Audio(_) => to.carries(ChannelMediaType::Audio),
        EventContent::Video(_) => to.carries(ChannelMediaType::Video),
        EventContent::Location(_) => to.carries(ChannelMediaType::Location),
        EventContent::Template(_) => to.carries(ChannelMediaType::Template),
        EventContent::Edit(_) => to.supports_edit,
        EventContent::Delete(_) => to.supports_delete,
        EventContent::Composite(composite) => composite.parts().iter().all(|part| fits(part, to)),
    }
}

proptest! {
    #[test]
    fn whatever_is_said_fits_the_target_re_180_re_181(content in content(), to in capabilities()) {
        let fitting = transcode(&content, &to);
        prop_assert!(fits(&fitting, &to), "{fitting:?}");
        if let (EventContent::Text(text), Some(max)) = (&*fitting, to.max_length) {
            prop_assert!(text.text.chars().count() <= max);
        }
        let again = transcode(&fitting, &to);
        prop_assert_eq!(&*again, &*fitting, "what fits is left alone");
    }

    #[test]
    fn a_cut_text_begins_as_the_whole_one_re_181(text in words(), max in 0usize..30) {
        let to = ChannelCapabilities { max_length: Some(max), ..ChannelCapabilities::default() };
        let content = EventContent::text(text.clone());
        let cut = transcode(&content, &to).into_owned();
        let cut = cut.as_text().unwrap();
        let count = text.chars().count();
        prop_assert_eq!(cut.chars().count(), count.min(max));
        if count > max {
            prop_assert!(text.starts_with(&cut[..cut.len() - max.min(3)]) && cut.ends_with(&"..."[..max.min(3)]));
        } else {
            prop_assert_eq!(cut, text);
        }
    }

    #[test]
    fn content_survives_the_wire_re_010(content in content()) {
        let wire = serde_json::to_string(&content).unwrap();
        let back: EventContent = serde_json::from_str(&wire).unwrap();
        prop_assert_eq!(back, content);
    }

    #[test]
    fn visibility_survives_the_wire(ids in vec("[a-z]{1,5}[0-9]", 1..4)) {
        let visibility = Visibility::Channels(ids.iter().map(|id| id.as_str().into()).collect());
        let wire = serde_json::to_value(&visibility).unwrap();
        prop_assert_eq!(&wire, &serde_json::Value::from(ids.join(",")));
        prop_assert_eq!(serde_json::from_value::<Visibility>(wire).unwrap(), visibility);
    }

    #[test]
    fn a_plan_obeys_every_rule_at_once_re_070_re_076_re_162(
        shapes in vec((0..4usize, any::<bool>(), any::<bool>(), 0..3usize, any::<bool>(), 0..5usize), 1..6),
        own in 0..5usize,
        addressed in option::of(vec(0..6usize, 0..3)),
        policy in select(vec![AgentResponsePolicy::AgentChain, AgentResponsePolicy::AddressedOnly]),
    ) {
        let visibilities = ["all", "none", "transport", "intelligence", "c1,c2"];
        let bindings: Vec<_> = shapes.iter().enumerate().map(|(n, shape)| Arc::new(binding(n, *shape, &visibilities))).collect();
        let mut room = Room::new("R".into(), Timestamp::UNIX_EPOCH);
        room.agent_response_policy = policy;
        let context = RoomContext {
            room: Arc::new(room),
            bindings: bindings.clone().into(),
            participants: Arc::new([]),
            recent_events: Arc::new([]),
        };
        let named = addressed.map(|all| all.iter().map(|n| format!("c{n}").into()).collect::<Vec<_>>());
        let event = event(visibilities[own], named.clone());
        let plan = permission::plan(&context, &event, &[]);
        for reader in &bindings {
            let planned = plan.iter().find(|target| target.channel_id == reader.channel_id);
            let effective = if own == 0 { &bindings[0].visibility } else { &event.visibility };
            let may_hear = reader.channel_id != *"c0" && reader.access.can_read()
                && reader.direction != ChannelDirection::Outbound && effective.includes(reader);
            let transport = reader.category == ChannelCategory::Transport;
            let asked = match &named {
                Some(named) => named.contains(&reader.channel_id),
                None => policy == AgentResponsePolicy::AgentChain || bindings[0].category == ChannelCategory::Transport,
            };
            let want = (may_hear && (transport || asked), may_hear && transport && !reader.output_muted);
            let is = planned.map_or((false, false), |target| (target.solicit, target.deliver));
            prop_assert_eq!(is, want, "{:?}", reader);
        }
    }
}

type Shape = (usize, bool, bool, usize, bool, usize);

fn binding(n: usize, shape: Shape, visibilities: &[&str]) -> ChannelBinding {
    let (access, muted, output_muted, direction, thinks, visibility) = shape;
    ChannelBinding {
        channel_id: format!("c{n}").into(),
        room_id: "R".into(),
        channel_type: if thinks { ChannelType::Ai } else { ChannelType::Sms },
        category: if thinks {
            ChannelCategory::Intelligence
        } else {
            ChannelCategory::Transport
        },
        direction: [
            ChannelDirection::Inbound,
            ChannelDirection::Outbound,
            ChannelDirection::Bidirectional,
        ][direction],
        access: [
            Access::ReadWrite,
            Access::ReadOnly,
            Access::WriteOnly,
            Access::None,
        ][access],
        muted,
        output_muted,
        visibility: visibilities[visibility].parse().unwrap(),
        participant_id: None,
        last_read_index: None,
        attached_at: Timestamp::UNIX_EPOCH,
        capabilities: ChannelCapabilities::default(),
        rate_limit: None,
        retry_policy: None,
        metadata: Map::new(),
    }
}

fn event(visibility: &str, addressed_to: Option<Vec<roomtone_base::ChannelId>>) -> RoomEvent {
    let wire = serde_json::json!({
        "id": "e", "room_id": "R", "created_at": "1970-01-01T00:00:00Z", "visibility": visibility,
        "source": {"channel_id": "c0", "channel_type": "sms"}, "content": {"type": "text", "body": "x"},
    });
    RoomEvent {
        addressed_to,
        ..serde_json::from_value(wire).unwrap()
    }
}

#[test]
fn composite_content_is_refused_from_the_sixth_level_re_011() {
    let mut wire = serde_json::json!({"type": "text", "text": "x"});
    for depth in 1..=7 {
        wire = serde_json::json!({"type": "composite", "parts": [wire]});
        let read = serde_json::from_value::<EventContent>(wire.clone());
        assert_eq!(read.is_ok(), depth <= 5, "{depth}");
    }
    assert!(
        serde_json::from_value::<EventContent>(serde_json::json!({"type": "composite", "parts": []}))
            .is_err()
    );
    // Hidden inside an edit it is just as deep.
    let mut content = EventContent::text("x");
    for _ in 0..5 {
        content = EventContent::Composite(CompositeContent::new(vec![content]).unwrap());
    }
    let edit = EditContent {
        target_event_id: "e".into(),
        new_content: content,
        edit_source: None,
    };
    let nested = CompositeContent::new(vec![EventContent::Edit(Box::new(edit))]);
    assert_eq!(nested.unwrap_err(), ContentError::TooDeep(6));
}

#[test]
fn the_wire_says_text_and_reads_body_c_16() {
    let content = EventContent::text("hi");
    assert_eq!(
        serde_json::to_string(&content).unwrap(),
        r#"{"type":"text","text":"hi"}"#
    );
    for wire in [r#"{"type":"text","text":"hi"}"#, r#"{"type":"text","body":"hi"}"#] {
        assert_eq!(serde_json::from_str::<EventContent>(wire).unwrap(), content);
    }
    assert!(serde_json::from_str::<EventContent>(r#"{"type":"smell"}"#).is_err());
}

#[test]
fn unknown_channel_data_is_kept_re_014() {
    let wire = serde_json::json!({"channel": "sms", "from_number": "+1", "to_number": "+2", "segments": 1, "carrier": "x"});
    let data: ChannelData = serde_json::from_value(wire.clone()).unwrap();
    assert!(matches!(&data, ChannelData::Sms(sms) if sms.extra["carrier"] == "x"));
    assert_eq!(serde_json::to_value(&data).unwrap(), wire);
}

#[test]
fn every_channel_type_and_event_type_has_its_word() {
    for word in [
        "sms",
        "whatsapp_personal",
        "websocket",
        "realtime_audio_video",
        "ai",
        "custom:fax",
    ] {
        let parsed = ChannelType::parse(word).unwrap();
        assert_eq!(parsed.to_string(), word);
        assert_eq!(serde_json::to_value(&parsed).unwrap(), word);
    }
    assert!(ChannelType::parse("smoke").is_none() && ChannelType::parse("custom:").is_none());
    assert_eq!(
        serde_json::to_value(EventType::ParticipantIdentified).unwrap(),
        "participant_identified"
    );
    assert_eq!(serde_json::to_value(EventType::Dtmf).unwrap(), "dtmf");
}

#[test]
fn fallback_texts_are_the_specifications() {
    let bare = ChannelCapabilities::default();
    let cases = [
        (r#"{"type":"rich","body":"**b**","plain_text":"b"}"#, "b"),
        (r#"{"type":"rich","body":"**b**"}"#, "**b**"),
        (
            r#"{"type":"media","url":"https://x/y.png","mime_type":"image/png","filename":"y.png"}"#,
            "[Media: y.png]",
        ),
        (
            r#"{"type":"audio","url":"https://x/a","transcript":"hello"}"#,
            "hello",
        ),
        (
            r#"{"type":"audio","url":"https://x/a"}"#,
            "[Voice message: https://x/a]",
        ),
        (r#"{"type":"video","url":"https://x/v"}"#, "[Video: https://x/v]"),
        (
            r#"{"type":"location","latitude":48.85,"longitude":2.35,"label":"Front desk"}"#,
            "[Location: Front desk (48.85, 2.35)]",
        ),
        (
            r#"{"type":"location","latitude":0,"longitude":10.5}"#,
            "[Location:  (0.0, 10.5)]",
        ),
        (r#"{"type":"template","template_id":"t1","body":"hi"}"#, "hi"),
        (r#"{"type":"template","template_id":"t1"}"#, "[Template: t1]"),
        (
            r#"{"type":"edit","target_event_id":"e","new_content":{"type":"text","body":"new"}}"#,
            "Correction: new",
        ),
        (r#"{"type":"delete","target_event_id":"e"}"#, "[Message deleted]"),
        (
            r#"{"type":"composite","parts":[{"type":"text","body":"a"},{"type":"video","url":"https://x/v"}]}"#,
            "a\n[Video: https://x/v]",
        ),
    ];
    for (wire, want) in cases {
        let content: EventContent = serde_json::from_str(wire).unwrap();
        assert_eq!(transcode(&content, &bare).as_text(), Some(want), "{wire}");
    }
}
