//! The room's store on disk.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail by panicking too")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use jiff::Timestamp;
use roomtone_base::{IdSource, Rng, RoomId, SystemClock};
use roomtone_room::{Room, RoomEngine, Store, conformance};
use roomtone_store::SqliteRoomStore;

const CHILD: &str = "ROOMTONE_STORE_TEST_FILE";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn the_sqlite_store_conforms_re_020_re_021() {
    let folder = folder();
    conformance::check(Arc::new(
        SqliteRoomStore::open(folder.path().join("rooms.db")).unwrap(),
    ))
    .await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_opening_again() {
    let folder = folder();
    let path = folder.path().join("rooms.db");
    let room = RoomId::from("R1");
    let store = SqliteRoomStore::open(&path).unwrap();
    store
        .create_room(Room::new(room.clone(), Timestamp::UNIX_EPOCH))
        .await
        .unwrap();
    let event = conformance::sample_event(&room, "e0");
    let stored = store
        .commit(conformance::plain_commit(event, 5))
        .await
        .unwrap()
        .event;
    drop(store);
    assert!(
        !path.with_extension("db-wal").exists(),
        "a closed file has no log beside it"
    );
    let store = SqliteRoomStore::open(&path).unwrap();
    assert_eq!(
        store.events(&room, None, 9).await.unwrap(),
        std::slice::from_ref(&stored)
    );
    // What `transcript` does.
    let other = SqliteRoomStore::open(&path).unwrap();
    std::thread::spawn(move || {
        let newest = other.find_room_sync(None).unwrap().unwrap();
        assert_eq!(newest.id, "R1");
        assert_eq!(
            other
                .find_room_sync(Some(&newest.id))
                .unwrap()
                .unwrap()
                .event_count,
            1
        );
        assert_eq!(other.events_sync(&newest.id, None, 9).unwrap(), [stored]);
    })
    .join()
    .unwrap();
}

#[tokio::test]
async fn a_detached_channel_stays_detached_after_a_restart_re_065() {
    struct Sms(roomtone_base::ChannelId);
    #[async_trait::async_trait]
    impl roomtone_room::Channel for Sms {
        fn id(&self) -> &roomtone_base::ChannelId {
            &self.0
        }
        fn channel_type(&self) -> roomtone_room::ChannelType {
            roomtone_room::ChannelType::Sms
        }
        fn provider_name(&self) -> &str {
            "scripted"
        }
        async fn deliver(
            &self,
            _: &Arc<roomtone_room::RoomEvent>,
            _: &roomtone_room::ChannelBinding,
            _: &roomtone_room::RoomContext,
        ) -> Result<roomtone_room::Delivered, roomtone_room::DeliveryError> {
            Ok(roomtone_room::Delivered::default())
        }
    }
    let folder = folder();
    let path = folder.path().join("rooms.db");
    let engine = |seed| {
        let clock = SystemClock::shared();
        let ids = IdSource::new(clock.clone(), Rng::seeded(seed));
        let store = Arc::new(SqliteRoomStore::open(&path).unwrap());
        let engine = RoomEngine::builder(clock, ids, store).build().unwrap();
        engine.register_channel(Arc::new(Sms("a".into()))).unwrap();
        engine.register_channel(Arc::new(Sms("b".into()))).unwrap();
        engine
    };
    let say = |engine: &RoomEngine, channel: &str| {
        let message = roomtone_room::InboundMessage::text(channel.into(), "ana", "hi");
        let engine = engine.clone();
        async move { engine.process_inbound(message, Some("R1".into())).await.unwrap() }
    };
    let first = engine(1);
    say(&first, "a").await;
    assert_eq!(say(&first, "b").await.delivery_results.len(), 1);
    first.detach_channel(&"R1".into(), &"b".into()).await.unwrap();
    first.close().await;
    drop(first);
    let second = engine(2);
    assert!(say(&second, "b").await.delivery_results.is_empty());
    assert!(say(&second, "a").await.delivery_results.is_empty());
    assert!(second.store().unsettled().await.unwrap().is_empty());
}

/// This test binary again, writing to `path` and telling of each acknowledged event on its output.
fn child(path: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "writes_for_another_process",
            "--ignored",
            "--nocapture",
        ])
        .env(CHILD, path)
        .env("ROOMTONE_STORE_TEST_NAME", name)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

const ROOMS: usize = 3;
const PER_CHILD: usize = 100;

#[tokio::test]
#[ignore = "run by the tests that kill it"]
async fn writes_for_another_process() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let name = std::env::var("ROOMTONE_STORE_TEST_NAME").unwrap();
    let store = Arc::new(SqliteRoomStore::open(path).unwrap());
    for room in 0..ROOMS {
        // The other process may have made it.
        let _ = store
            .create_room(Room::new(format!("R{room}").into(), Timestamp::UNIX_EPOCH))
            .await;
    }
    let endless = name == "endless";
    let writers = (0..8).map(|writer| {
        let (store, name) = (store.clone(), name.clone());
        tokio::spawn(async move {
            let mut n = 0;
            while endless || n * 8 + writer < PER_CHILD {
                let room = RoomId::from(format!("R{}", if endless { n % ROOMS } else { 0 }));
                let id = format!("{name}-{}-{writer}-{n}", std::process::id());
                let mut commit = conformance::plain_commit(conformance::sample_event(&room, &id), n as i64);
                if endless {
                    commit
                        .injected
                        .push(conformance::sample_event(&room, &format!("{id}-injected")));
                }
                let index = store.commit(commit).await.unwrap().event.index;
                println!("stored {room} {index} {id}");
                n += 1;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

/// The next acknowledged event: room, index, id.
fn acknowledged(line: &str) -> Option<(RoomId, u64, String)> {
    let mut words = line.split_once("stored ")?.1.split(' ');
    Some((
        words.next()?.into(),
        words.next()?.parse().ok()?,
        words.next()?.to_owned(),
    ))
}

#[tokio::test]
async fn a_killed_process_leaves_a_whole_timeline_re_024() {
    let folder = folder();
    let path = folder.path().join("rooms.db");
    let rng = Rng::seeded(24);
    let mut told = Vec::new();
    for round in 0..20 {
        let mut child = child(&path, "endless");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = told.len() + 1 + rng.below(60) as usize;
        while told.len() < enough {
            let line = lines
                .next()
                .expect("the child writes until it is killed")
                .unwrap();
            told.extend(acknowledged(&line));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts as well.
        told.extend(lines.map_while(Result::ok).filter_map(|line| acknowledged(&line)));

        let store = SqliteRoomStore::open(&path).unwrap();
        let mut stored = 0;
        for room in 0..ROOMS {
            let id = RoomId::from(format!("R{room}"));
            let Some(room) = store.room(&id).await.unwrap() else {
                continue;
            };
            let timeline = store.events(&id, None, usize::MAX).await.unwrap();
            let gap = timeline
                .iter()
                .zip(0..)
                .find(|(event, index)| event.index != *index);
            assert!(gap.is_none(), "round {round}: {gap:?}");
            assert_eq!(
                room.event_count,
                timeline.len() as u64,
                "round {round}: counters equal the timeline"
            );
            assert_eq!(room.latest_index, timeline.last().map(|event| event.index));
            assert_eq!(
                timeline.len() % 2,
                0,
                "an event and what was injected with it are one"
            );
            for (_, index, event) in told.iter().filter(|(of, ..)| *of == id) {
                let there = timeline
                    .get(*index as usize)
                    .is_some_and(|stored| stored.id.starts_with(event.as_str()));
                assert!(there, "round {round}: {event} was acknowledged at {index}");
            }
            stored += timeline.len();
        }
        assert!(stored >= told.len());
    }
}

#[test]
fn two_processes_write_one_timeline_re_023() {
    let folder = folder();
    let path = folder.path().join("rooms.db");
    let children = [child(&path, "one"), child(&path, "two")];
    let mut indexes = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        indexes.extend(text.lines().filter_map(acknowledged).map(|(_, index, _)| index));
    }
    indexes.sort_unstable();
    assert_eq!(
        indexes,
        (0..2 * PER_CHILD as u64).collect::<Vec<_>>(),
        "no gap, no duplicate"
    );
}
