//! What a message costs: in memory, and on disk with its two commits (the event, and what became of it).

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use roomtone_base::{ChannelId, IdSource, Rng, RoomId, SystemClock};
use roomtone_room::{
    Attach, Channel, ChannelBinding, ChannelType, Delivered, DeliveryError, InboundMessage, MemoryStore,
    NewRoom, RoomContext, RoomEngine, RoomEvent, Store,
};
use roomtone_store::SqliteRoomStore;
use tokio::runtime::Runtime;

struct Wire(ChannelId);

#[async_trait::async_trait]
impl Channel for Wire {
    fn id(&self) -> &ChannelId {
        &self.0
    }
    fn channel_type(&self) -> ChannelType {
        ChannelType::Sms
    }
    fn provider_name(&self) -> &str {
        "bench"
    }
    async fn deliver(
        &self,
        _: &Arc<RoomEvent>,
        _: &ChannelBinding,
        _: &RoomContext,
    ) -> Result<Delivered, DeliveryError> {
        Ok(Delivered::default())
    }
}

/// An engine with `rooms` rooms of two channels each.
async fn engine(store: Arc<dyn Store>, rooms: usize) -> RoomEngine {
    let clock = SystemClock::shared();
    let ids = IdSource::new(clock.clone(), Rng::seeded(1));
    let engine = RoomEngine::builder(clock, ids, store)
        .build()
        .expect("valid settings");
    for id in ["a", "b"] {
        engine
            .register_channel(Arc::new(Wire(id.into())))
            .expect("a new channel");
    }
    for room in 0..rooms {
        let id = RoomId::from(format!("R{room}"));
        let new = NewRoom {
            id: Some(id.clone()),
            ..NewRoom::default()
        };
        engine.create_room(new).await.expect("a new room");
        for channel in ["a", "b"] {
            engine
                .attach_channel(&id, &channel.into(), Attach::default())
                .await
                .expect("attached");
        }
    }
    engine
}

async fn say(engine: &RoomEngine, room: usize) {
    let message = InboundMessage::text("a".into(), "+15550100", "I would like a room for two nights");
    let done = engine
        .process_inbound(message, Some(format!("R{room}").into()))
        .await;
    assert!(!done.expect("processed").blocked);
}

fn costs(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let disk = || Arc::new(SqliteRoomStore::open(folder.path().join("rooms.db")).expect("a new file"));
    let stores: [(&str, Arc<dyn Store>); 2] = [("memory", Arc::new(MemoryStore::new())), ("sqlite", disk())];
    for (name, store) in stores {
        let engine = runtime.block_on(engine(store, 50));
        let mut group = criterion.benchmark_group(name);
        group.bench_function("one message", |bench| {
            bench.iter(|| runtime.block_on(say(&engine, 0)))
        });
        group.throughput(Throughput::Elements(50));
        group.bench_function("fifty rooms at once", |bench| {
            bench.iter(|| runtime.block_on(join_all((0..50).map(|room| say(&engine, room)))));
        });
    }
}

criterion_group!(benches, costs);
criterion_main!(benches);
