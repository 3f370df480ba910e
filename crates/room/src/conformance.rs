//! What every [`Store`] does, as tests (feature `conformance`). A crate that brings a store runs [`check`] on a fresh
//! one; it panics at the first promise that is not kept.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future;
use jiff::Timestamp;
use roomtone_base::{ChannelId, RoomId};

use crate::{
    BindingChange, Commit, Counters, PlannedDelivery, RoomQuery, Settlement, Store, StoreError,
    model::{
        Access, ChannelBinding, ChannelData, ChannelDirection, ChannelType, DeliveryResult, DeliveryStatus,
        EventContent, EventSource, EventStatus, EventType, Map, Observation, Participant, ParticipantStatus,
        Room, RoomEvent, RoomStatus, SideEffects, SmsData, Task, Visibility,
    },
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a second of our time")
}

/// An event with something in every field that a store could lose.
pub fn sample_event(room: &RoomId, id: &str) -> RoomEvent {
    RoomEvent {
        id: id.into(),
        room_id: room.clone(),
        event_type: EventType::Message,
        source: EventSource {
            channel_id: "sms".into(),
            channel_type: ChannelType::Custom("fax".into()),
            direction: ChannelDirection::Inbound,
            participant_id: Some("+15550100".into()),
            external_id: Some("x1".into()),
            provider: Some("example".into()),
            raw_payload: "{ \"b\": 1,\t\"a\":2 }\n".into(),
            provider_message_id: Some("pm1".into()),
        },
        content: EventContent::text("grüß Gott 😀"),
        status: EventStatus::Delivered,
        blocked_by: None,
        visibility: Visibility::Channels(vec!["a".into(), "b".into()]),
        addressed_to: Some(Vec::new()),
        index: 4_711,
        chain_depth: 2,
        parent_event_id: Some("p".into()),
        correlation_id: Some("T1".into()),
        idempotency_key: None,
        created_at: at(1_000),
        metadata: Map::from_iter([("n".to_owned(), 0.1.into())]),
        channel_data: ChannelData::Sms(SmsData {
            from_number: "+1".into(),
            segments: 2,
            ..SmsData::default()
        }),
        delivery_results: BTreeMap::new(),
    }
}

/// A commit of nothing but an event.
pub fn plain_commit(event: RoomEvent, second: i64) -> Commit {
    Commit {
        event,
        counters: Counters {
            last_activity_at: at(second),
        },
        injected: Vec::new(),
        plan: Vec::new(),
        side_effects: SideEffects::default(),
        binding: None,
    }
}

fn sample_binding(room: &RoomId, channel: &str) -> ChannelBinding {
    ChannelBinding {
        channel_id: channel.into(),
        room_id: room.clone(),
        channel_type: ChannelType::Sms,
        category: Default::default(),
        direction: ChannelDirection::Bidirectional,
        access: Access::ReadOnly,
        muted: true,
        output_muted: false,
        visibility: Visibility::Transport,
        participant_id: None,
        last_read_index: Some(3),
        attached_at: at(5),
        capabilities: Default::default(),
        rate_limit: None,
        retry_policy: Some(Default::default()),
        metadata: Map::from_iter([("recipient_id".to_owned(), "+2".into())]),
    }
}

async fn make(store: &dyn Store, id: &str) -> RoomId {
    store
        .create_room(Room::new(id.into(), at(0)))
        .await
        .expect("a new room");
    id.into()
}

async fn attach(store: &dyn Store, room: &RoomId, channel: &str, second: i64) {
    let mut commit = plain_commit(
        sample_event(room, &format!("attach-{room}-{channel}-{second}")),
        second,
    );
    commit.binding = Some(BindingChange::Put(Box::new(sample_binding(room, channel))));
    store.commit(commit).await.expect("attached");
}

/// Runs every test on one empty store.
///
/// # Panics
/// At the first promise that the store does not keep.
pub async fn check(store: Arc<dyn Store>) {
    rooms_are_kept(&*store).await;
    indexes_are_final_and_gap_free(&store).await;
    commits_are_whole(&*store).await;
    keys_are_unique_in_a_room(&*store).await;
    bindings_leave_tombstones(&*store).await;
    deliveries_are_settled(&*store).await;
    rooms_are_found(&*store).await;
    events_are_paged(&*store).await;
    deleting_takes_everything(&*store).await;
}

async fn rooms_are_kept(store: &dyn Store) {
    let room = make(store, "kept").await;
    let again = store.create_room(Room::new(room.clone(), at(0))).await;
    assert_eq!(again, Err(StoreError::RoomExists(room.clone())));
    let mut changed = Room::clone(&*store.room(&room).await.expect("read").expect("there"));
    changed.metadata.insert("k".to_owned(), "v".into());
    changed.status = RoomStatus::Paused;
    changed.timers.inactive_after_seconds = Some(60);
    // What a host believes about the counters is not taken over (RE-024).
    changed.event_count = 99;
    changed.latest_index = Some(98);
    changed.timers.last_activity_at = Some(at(77));
    store.update_room(changed.clone()).await.expect("updated");
    let read = store.room(&room).await.expect("read").expect("there");
    assert_eq!(
        (read.event_count, read.latest_index, read.timers.last_activity_at),
        (0, None, None),
        "RE-024"
    );
    assert_eq!(
        (&read.metadata, read.status),
        (&changed.metadata, RoomStatus::Paused)
    );
    assert_eq!(read.timers.inactive_after_seconds, Some(60));
    let ghost: RoomId = "ghost".into();
    assert_eq!(store.room(&ghost).await, Ok(None));
    let missing = Err(StoreError::NoRoom(ghost.clone()));
    assert_eq!(store.update_room(Room::new(ghost.clone(), at(0))).await, missing);
    let lost = store.commit(plain_commit(sample_event(&ghost, "lost"), 1)).await;
    assert_eq!(lost.map(drop), missing);
    assert_eq!(store.keep(&ghost, SideEffects::default()).await, missing);
    assert!(store.context(&ghost, 5).await.expect("read").is_none());
}

async fn indexes_are_final_and_gap_free(store: &Arc<dyn Store>) {
    let room = make(&**store, "numbered").await;
    let commits = (0..100).map(|n| {
        let (store, room) = (store.clone(), room.clone());
        async move {
            store
                .commit(plain_commit(sample_event(&room, &format!("n{n}")), n))
                .await
        }
    });
    let mut given: Vec<_> = future::join_all(commits)
        .await
        .into_iter()
        .map(|done| done.expect("stored").event.index)
        .collect();
    given.sort_unstable();
    assert_eq!(given, (0..100).collect::<Vec<_>>(), "RE-022");
    let read = store.room(&room).await.expect("read").expect("there");
    assert_eq!((read.event_count, read.latest_index), (100, Some(99)), "RE-024");
    let timeline = store.events(&room, None, 1_000).await.expect("read");
    assert_eq!(
        timeline.iter().map(|event| event.index).collect::<Vec<_>>(),
        given
    );
}

async fn commits_are_whole(store: &dyn Store) {
    let room = make(store, "whole").await;
    let mut event = sample_event(&room, "w0");
    event.status = EventStatus::Blocked;
    event.blocked_by = Some("dlp".to_owned());
    let mut commit = plain_commit(event.clone(), 50);
    commit.injected = vec![sample_event(&room, "w1"), sample_event(&room, "w2")];
    commit.side_effects = SideEffects {
        tasks: vec![Task {
            id: "t".into(),
            title: Some("call back".into()),
            ..Task::default()
        }],
        observations: vec![Observation {
            id: "o".into(),
            confidence: Some(0.8),
            ..Observation::default()
        }],
        metadata_updates: Map::from_iter([("mood".to_owned(), "good".into())]),
    };
    let (tasks, observations) = (
        commit.side_effects.tasks.clone(),
        commit.side_effects.observations.clone(),
    );
    let committed = store.commit(commit).await.expect("stored");
    assert_eq!(committed.event_count, 3, "RE-026: blocked events count");
    let indexes: Vec<_> = committed.injected.iter().map(|event| event.index).collect();
    assert_eq!((committed.event.index, indexes), (0, vec![1, 2]), "RE-099");
    event.index = 0;
    let read = store
        .event(&room, &"w0".into())
        .await
        .expect("read")
        .expect("there");
    assert_eq!(
        *read, event,
        "every field comes back, RE-012 and RE-014 among them"
    );
    let room = store.room(&room).await.expect("read").expect("there");
    assert_eq!(
        (room.timers.last_activity_at, room.updated_at),
        (Some(at(50)), at(50))
    );
    assert_eq!(room.metadata["mood"], "good");
    assert_eq!(store.tasks(&room.id).await.expect("read"), tasks);
    assert_eq!(store.observations(&room.id).await.expect("read"), observations);
}

async fn keys_are_unique_in_a_room(store: &dyn Store) {
    let (room, other) = (make(store, "keys").await, make(store, "other-keys").await);
    let keyed = |room: &RoomId, id: &str| {
        let mut event = sample_event(room, id);
        event.idempotency_key = Some("k1".to_owned());
        plain_commit(event, 1)
    };
    store.commit(keyed(&room, "k-a")).await.expect("stored");
    let twice = store.commit(keyed(&room, "k-b")).await;
    assert_eq!(
        twice.map(drop),
        Err(StoreError::DuplicateKey(room.clone())),
        "C-32"
    );
    let read = store.room(&room).await.expect("read").expect("there");
    assert_eq!(read.event_count, 1, "nothing of a refused commit stays");
    store
        .commit(keyed(&other, "k-c"))
        .await
        .expect("another room, another key");
    let first = store
        .event_by_key(&room, "k1")
        .await
        .expect("read")
        .expect("there");
    assert_eq!(first.id, "k-a");
    assert_eq!(store.event_by_key(&room, "k2").await, Ok(None));
}

async fn bindings_leave_tombstones(store: &dyn Store) {
    let room = make(store, "bound").await;
    let (sms, email): (ChannelId, ChannelId) = ("sms".into(), "em".into());
    attach(store, &room, "sms", 1).await;
    attach(store, &room, "em", 2).await;
    let bound = store.binding(&room, &sms).await.expect("read").expect("there");
    assert_eq!(*bound, sample_binding(&room, "sms"), "every field comes back");
    let mut commit = plain_commit(sample_event(&room, "detach"), 3);
    commit.binding = Some(BindingChange::Detach(sms.clone()));
    store.commit(commit).await.expect("detached");
    assert_eq!(store.binding(&room, &sms).await, Ok(None));
    assert_eq!(store.was_detached(&room, &sms).await, Ok(true), "RE-065");
    assert_eq!(store.was_detached(&room, &email).await, Ok(false));
    attach(store, &room, "sms", 4).await;
    assert_eq!(store.was_detached(&room, &sms).await, Ok(false));
    let context = store.context(&room, 2).await.expect("read").expect("there");
    let order: Vec<_> = context
        .bindings
        .iter()
        .map(|binding| binding.channel_id.as_str())
        .collect();
    assert_eq!(order, ["em", "sms"], "in the order in which they were attached");
    let recent: Vec<_> = context.recent_events.iter().map(|event| event.index).collect();
    assert_eq!(recent, [2, 3], "the newest, oldest first");
    attach(store, &room, "em", 5).await;
    let context = store.context(&room, 0).await.expect("read").expect("there");
    assert_eq!(
        context.bindings[0].channel_id, "em",
        "attaching again keeps the place"
    );
    assert!(context.recent_events.is_empty());
}

async fn deliveries_are_settled(store: &dyn Store) {
    let room = make(store, "settled").await;
    let plan = vec![PlannedDelivery {
        channel_id: "sms".into(),
        solicit: true,
        deliver: true,
    }];
    for id in ["s0", "s1"] {
        let mut commit = plain_commit(sample_event(&room, id), 1);
        commit.plan = plan.clone();
        store.commit(commit).await.expect("stored");
    }
    let open = store.unsettled().await.expect("read");
    assert_eq!(
        open.iter()
            .map(|(event, _)| event.id.as_str())
            .collect::<Vec<_>>(),
        ["s0", "s1"],
        "RE-118"
    );
    assert_eq!(open[0].1, plan);
    let result = DeliveryResult {
        channel_id: "sms".into(),
        status: DeliveryStatus::Sent,
        provider_message_id: Some("sms-1".into()),
        error: None,
        retry_after: None,
    };
    let settlement = Settlement {
        room_id: room.clone(),
        event_id: "s0".into(),
        delivery_results: BTreeMap::from([("sms".into(), result)]),
        metadata: Map::from_iter([("interrupted".to_owned(), true.into())]),
        side_effects: SideEffects {
            tasks: vec![Task::default()],
            ..SideEffects::default()
        },
    };
    store.settle(settlement.clone()).await.expect("settled");
    let open = store.unsettled().await.expect("read");
    assert_eq!(
        open.iter()
            .map(|(event, _)| event.id.as_str())
            .collect::<Vec<_>>(),
        ["s1"]
    );
    let event = store
        .event(&room, &"s0".into())
        .await
        .expect("read")
        .expect("there");
    assert_eq!(event.delivery_results, settlement.delivery_results);
    assert_eq!(
        (&event.metadata["interrupted"], &event.metadata["n"]),
        (&true.into(), &0.1.into()),
        "merged"
    );
    assert_eq!((event.index, event.status), (0, EventStatus::Delivered), "RE-025");
    assert_eq!(store.tasks(&room).await.expect("read").len(), 1);
    let ghost = Settlement {
        room_id: "ghost".into(),
        ..settlement
    };
    assert_eq!(store.settle(ghost).await, Err(StoreError::NoRoom("ghost".into())));
}

async fn rooms_are_found(store: &dyn Store) {
    let org = |name: &str| Some(name.into());
    for (id, organization_id, second) in [
        ("f1", org("A"), 100),
        ("f2", org("A"), 300),
        ("f3", org("B"), 200),
    ] {
        let room = Room {
            organization_id,
            ..Room::new(id.into(), at(90))
        };
        store.create_room(room).await.expect("a new room");
        attach(store, &id.into(), "found", second).await;
    }
    let ids = |rooms: Vec<Arc<Room>>| rooms.iter().map(|room| room.id.to_string()).collect::<Vec<_>>();
    let all = RoomQuery {
        limit: 3,
        ..RoomQuery::default()
    };
    assert_eq!(
        ids(store.rooms(&all).await.expect("read")),
        ["f2", "f3", "f1"],
        "newest activity first"
    );
    let paged = RoomQuery {
        offset: 1,
        limit: 1,
        ..RoomQuery::default()
    };
    assert_eq!(ids(store.rooms(&paged).await.expect("read")), ["f3"]);
    let of_a = RoomQuery {
        organization_id: org("A"),
        limit: 9,
        ..RoomQuery::default()
    };
    assert_eq!(
        ids(store.rooms(&of_a).await.expect("read")),
        ["f2", "f1"],
        "RE-240"
    );
    let bound = store
        .rooms_by_channel(&"found".into(), RoomStatus::Active, 2)
        .await
        .expect("read");
    assert_eq!(bound, ["f2", "f3"].map(RoomId::from));
    let person = |id: &str, room: &str| Participant::new(id.into(), room.into(), "found".into(), at(1));
    let mut named = person("p9", "f1");
    named.external_id = Some("+15".to_owned());
    store.put_participant(named.clone()).await.expect("kept");
    let find = |sender: &'static str, kind: ChannelType| async move {
        store
            .room_of_sender(sender, &kind, RoomStatus::Active)
            .await
            .expect("read")
    };
    assert_eq!(
        find("+15", ChannelType::Sms).await,
        Some("f1".into()),
        "by external id, RE-141"
    );
    assert_eq!(
        find("+15", ChannelType::Email).await,
        None,
        "over the same type of channel"
    );
    store.put_participant(person("+15", "f3")).await.expect("kept");
    assert_eq!(
        find("+15", ChannelType::Sms).await,
        Some("f3".into()),
        "the newest"
    );
    let mut gone = person("+15", "f3");
    gone.status = ParticipantStatus::Left;
    store.put_participant(gone.clone()).await.expect("kept");
    assert_eq!(
        find("+15", ChannelType::Sms).await,
        Some("f1".into()),
        "who left is not there"
    );
    let read = store
        .participant(&"f3".into(), &"+15".into())
        .await
        .expect("read")
        .expect("there");
    assert_eq!(*read, gone, "one record per room and id, RE-050");
    let mut closed = Room::clone(&*store.room(&"f1".into()).await.expect("read").expect("there"));
    closed.status = RoomStatus::Closed;
    store.update_room(closed).await.expect("updated");
    assert_eq!(find("+15", ChannelType::Sms).await, None);
    let lost = store.put_participant(person("x", "ghost")).await;
    assert_eq!(lost, Err(StoreError::NoRoom("ghost".into())));
}

async fn events_are_paged(store: &dyn Store) {
    let room = make(store, "paged").await;
    for n in 0..5 {
        store
            .commit(plain_commit(sample_event(&room, &format!("p{n}")), n))
            .await
            .expect("stored");
    }
    for (after, limit, want) in [
        (None, 2, vec![0, 1]),
        (Some(0), 2, vec![1, 2]),
        (Some(3), 9, vec![4]),
        (Some(4), 9, vec![]),
        (Some(u64::MAX), 9, vec![]),
        (None, 0, vec![]),
    ] {
        let page = store.events(&room, after, limit).await.expect("read");
        assert_eq!(
            page.iter().map(|event| event.index).collect::<Vec<_>>(),
            want,
            "{after:?} {limit}"
        );
    }
    assert_eq!(store.events(&"ghost".into(), None, 5).await, Ok(Vec::new()));
}

async fn deleting_takes_everything(store: &dyn Store) {
    let room: RoomId = "settled".into();
    assert_eq!(store.delete_room(&room).await, Ok(true));
    assert_eq!(store.delete_room(&room).await, Ok(false));
    assert_eq!(store.room(&room).await, Ok(None));
    assert!(store.events(&room, None, 9).await.expect("read").is_empty());
    assert!(store.tasks(&room).await.expect("read").is_empty());
    assert!(store.unsettled().await.expect("read").is_empty());
    make(store, "settled").await;
    let fresh = store
        .commit(plain_commit(sample_event(&room, "again"), 1))
        .await
        .expect("stored");
    assert_eq!(fresh.event.index, 0, "a new room of the same name starts anew");
}
