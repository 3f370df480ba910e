//! Rooms in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use async_trait::async_trait;
use roomtone_base::{ChannelId, EventId, ParticipantId, RoomId};

use super::{BindingChange, Commit, Committed, PlannedDelivery, RoomQuery, Settlement, Store};
use crate::{
    error::StoreError,
    model::{
        ChannelBinding, ChannelType, Observation, Participant, ParticipantStatus, Room, RoomContext,
        RoomEvent, RoomStatus, SideEffects, Task,
    },
};

struct Entry {
    room: Arc<Room>,
    events: Vec<Arc<RoomEvent>>,
    index_by_id: HashMap<EventId, usize>,
    index_by_key: HashMap<String, usize>,
    plans: BTreeMap<usize, Vec<PlannedDelivery>>,
    bindings: Arc<[Arc<ChannelBinding>]>,
    detached: HashSet<ChannelId>,
    participants: Arc<[Arc<Participant>]>,
    tasks: Vec<Task>,
    observations: Vec<Observation>,
}

/// Rooms for as long as the program runs: for tests, simulations and boxes that must keep nothing.
#[derive(Default)]
pub struct MemoryStore {
    rooms: RwLock<HashMap<RoomId, Arc<Mutex<Entry>>>>,
}

fn lock(entry: &Mutex<Entry>) -> MutexGuard<'_, Entry> {
    // Nothing inside panics between two writes, so what is there is whole.
    entry.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn entry(&self, id: &RoomId) -> Option<Arc<Mutex<Entry>>> {
        self.rooms
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    fn must(&self, id: &RoomId) -> Result<Arc<Mutex<Entry>>, StoreError> {
        self.entry(id).ok_or_else(|| StoreError::NoRoom(id.clone()))
    }

    fn read<T: Default>(&self, id: &RoomId, look: impl FnOnce(&Entry) -> T) -> T {
        self.entry(id)
            .map(|entry| look(&lock(&entry)))
            .unwrap_or_default()
    }

    /// Rooms that `keep` likes, newest activity first.
    fn newest(&self, keep: impl Fn(&Entry) -> bool) -> Vec<Arc<Room>> {
        let all: Vec<_> = self
            .rooms
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        let mut rooms: Vec<_> = all
            .iter()
            .filter_map(|entry| {
                let entry = lock(entry);
                keep(&entry).then(|| entry.room.clone())
            })
            .collect();
        rooms.sort_by(|a, b| activity(b).cmp(&activity(a)).then_with(|| b.id.cmp(&a.id)));
        rooms
    }
}

fn activity(room: &Room) -> jiff::Timestamp {
    room.timers.last_activity_at.unwrap_or(room.created_at)
}

impl Entry {
    fn push(&mut self, mut event: RoomEvent) -> Arc<RoomEvent> {
        let place = self.events.len();
        event.index = place as u64;
        self.index_by_id.insert(event.id.clone(), place);
        if let Some(key) = &event.idempotency_key {
            self.index_by_key.insert(key.clone(), place);
        }
        let event = Arc::new(event);
        self.events.push(event.clone());
        event
    }

    fn keep(&mut self, effects: SideEffects) {
        self.tasks.extend(effects.tasks);
        self.observations.extend(effects.observations);
        if !effects.metadata_updates.is_empty() {
            Arc::make_mut(&mut self.room)
                .metadata
                .extend(effects.metadata_updates);
        }
    }

    fn change(&mut self, change: BindingChange) {
        match change {
            BindingChange::Put(binding) => {
                self.detached.remove(&binding.channel_id);
                let mut all = self.bindings.to_vec();
                match all.iter_mut().find(|old| old.channel_id == binding.channel_id) {
                    Some(old) => *old = Arc::from(binding),
                    None => all.push(Arc::from(binding)),
                }
                self.bindings = all.into();
            }
            BindingChange::Detach(channel) => {
                self.bindings = self
                    .bindings
                    .iter()
                    .filter(|old| old.channel_id != channel)
                    .cloned()
                    .collect();
                self.detached.insert(channel);
            }
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create_room(&self, room: Room) -> Result<(), StoreError> {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        if rooms.contains_key(&room.id) {
            return Err(StoreError::RoomExists(room.id));
        }
        let entry = Entry {
            room: Arc::new(room.clone()),
            events: Vec::new(),
            index_by_id: HashMap::new(),
            index_by_key: HashMap::new(),
            plans: BTreeMap::new(),
            bindings: Arc::new([]),
            detached: HashSet::new(),
            participants: Arc::new([]),
            tasks: Vec::new(),
            observations: Vec::new(),
        };
        rooms.insert(room.id, Arc::new(Mutex::new(entry)));
        Ok(())
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Arc<Room>>, StoreError> {
        Ok(self.read(id, |entry| Some(entry.room.clone())))
    }

    async fn update_room(&self, mut room: Room) -> Result<(), StoreError> {
        let entry = self.must(&room.id)?;
        let mut entry = lock(&entry);
        room.event_count = entry.room.event_count;
        room.latest_index = entry.room.latest_index;
        room.timers.last_activity_at = entry.room.timers.last_activity_at;
        entry.room = Arc::new(room);
        Ok(())
    }

    async fn delete_room(&self, id: &RoomId) -> Result<bool, StoreError> {
        Ok(self
            .rooms
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id)
            .is_some())
    }

    async fn rooms(&self, query: &RoomQuery) -> Result<Vec<Arc<Room>>, StoreError> {
        let rooms = self.newest(|entry| {
            query.status.is_none_or(|status| entry.room.status == status)
                && (query.organization_id.is_none() || entry.room.organization_id == query.organization_id)
        });
        Ok(rooms.into_iter().skip(query.offset).take(query.limit).collect())
    }

    async fn rooms_by_channel(
        &self,
        channel: &ChannelId,
        status: RoomStatus,
        limit: usize,
    ) -> Result<Vec<RoomId>, StoreError> {
        let rooms = self.newest(|entry| {
            entry.room.status == status && entry.bindings.iter().any(|bound| bound.channel_id == *channel)
        });
        Ok(rooms
            .into_iter()
            .take(limit)
            .map(|room| room.id.clone())
            .collect())
    }

    async fn room_of_sender(
        &self,
        sender: &str,
        channel_type: &ChannelType,
        status: RoomStatus,
    ) -> Result<Option<RoomId>, StoreError> {
        let rooms = self.newest(|entry| {
            entry.room.status == status
                && entry.participants.iter().any(|person| {
                    let here = matches!(
                        person.status,
                        ParticipantStatus::Active | ParticipantStatus::Inactive
                    );
                    let named = person.id == *sender || person.external_id.as_deref() == Some(sender);
                    let over = |id: &ChannelId| {
                        entry
                            .bindings
                            .iter()
                            .any(|b| b.channel_id == *id && b.channel_type == *channel_type)
                    };
                    here && named && (over(&person.channel_id) || person.connected_via.iter().any(over))
                })
        });
        Ok(rooms.first().map(|room| room.id.clone()))
    }

    async fn context(&self, room: &RoomId, recent: usize) -> Result<Option<RoomContext>, StoreError> {
        Ok(self.read(room, |entry| {
            let from = entry.events.len().saturating_sub(recent);
            Some(RoomContext {
                room: entry.room.clone(),
                bindings: entry.bindings.clone(),
                participants: entry.participants.clone(),
                recent_events: Arc::from(&entry.events[from..]),
            })
        }))
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let entry = self.must(&commit.event.room_id)?;
        let mut entry = lock(&entry);
        let keys = std::iter::once(&commit.event).chain(&commit.injected);
        if keys
            .filter_map(|event| event.idempotency_key.as_ref())
            .any(|key| entry.index_by_key.contains_key(key))
        {
            return Err(StoreError::DuplicateKey(commit.event.room_id));
        }
        let event = entry.push(commit.event);
        if !commit.plan.is_empty() {
            entry.plans.insert(event.index as usize, commit.plan);
        }
        let injected: Vec<_> = commit
            .injected
            .into_iter()
            .map(|event| entry.push(event))
            .collect();
        let event_count = entry.events.len() as u64;
        let room = Arc::make_mut(&mut entry.room);
        room.event_count = event_count;
        room.latest_index = Some(event_count - 1);
        room.timers.last_activity_at = Some(commit.counters.last_activity_at);
        room.updated_at = commit.counters.last_activity_at;
        entry.keep(commit.side_effects);
        if let Some(change) = commit.binding {
            entry.change(change);
        }
        Ok(Committed {
            event,
            injected,
            event_count,
        })
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        let entry = self.must(&settlement.room_id)?;
        let mut entry = lock(&entry);
        entry.keep(settlement.side_effects);
        // The event may have been deleted by its host in the meantime.
        if let Some(&place) = entry.index_by_id.get(&settlement.event_id) {
            entry.plans.remove(&place);
            if !settlement.delivery_results.is_empty() || !settlement.metadata.is_empty() {
                let event = Arc::make_mut(&mut entry.events[place]);
                event.delivery_results = settlement.delivery_results;
                event.metadata.extend(settlement.metadata);
            }
        }
        Ok(())
    }

    async fn keep(&self, room: &RoomId, side_effects: SideEffects) -> Result<(), StoreError> {
        lock(&*self.must(room)?).keep(side_effects);
        Ok(())
    }

    async fn unsettled(&self) -> Result<Vec<(Arc<RoomEvent>, Vec<PlannedDelivery>)>, StoreError> {
        let all: Vec<_> = self
            .rooms
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        let mut found = Vec::new();
        for entry in &all {
            let entry = lock(entry);
            found.extend(
                entry
                    .plans
                    .iter()
                    .map(|(place, plan)| (entry.events[*place].clone(), plan.clone())),
            );
        }
        found.sort_by(|(a, _), (b, _)| {
            (a.created_at, &a.room_id, a.index).cmp(&(b.created_at, &b.room_id, b.index))
        });
        Ok(found)
    }

    async fn event(&self, room: &RoomId, id: &EventId) -> Result<Option<Arc<RoomEvent>>, StoreError> {
        Ok(self.read(room, |entry| {
            entry
                .index_by_id
                .get(id)
                .map(|place| entry.events[*place].clone())
        }))
    }

    async fn event_by_key(&self, room: &RoomId, key: &str) -> Result<Option<Arc<RoomEvent>>, StoreError> {
        Ok(self.read(room, |entry| {
            entry
                .index_by_key
                .get(key)
                .map(|place| entry.events[*place].clone())
        }))
    }

    async fn events(
        &self,
        room: &RoomId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Arc<RoomEvent>>, StoreError> {
        let from = after.map_or(0, |index| {
            usize::try_from(index).unwrap_or(usize::MAX).saturating_add(1)
        });
        Ok(self.read(room, |entry| {
            entry.events.iter().skip(from).take(limit).cloned().collect()
        }))
    }

    async fn binding(
        &self,
        room: &RoomId,
        channel: &ChannelId,
    ) -> Result<Option<Arc<ChannelBinding>>, StoreError> {
        Ok(self.read(room, |entry| {
            entry.bindings.iter().find(|b| b.channel_id == *channel).cloned()
        }))
    }

    async fn was_detached(&self, room: &RoomId, channel: &ChannelId) -> Result<bool, StoreError> {
        Ok(self.read(room, |entry| entry.detached.contains(channel)))
    }

    async fn put_participant(&self, participant: Participant) -> Result<(), StoreError> {
        let entry = self.must(&participant.room_id)?;
        let mut entry = lock(&entry);
        let mut all = entry.participants.to_vec();
        match all.iter_mut().find(|old| old.id == participant.id) {
            Some(old) => *old = Arc::new(participant),
            None => all.push(Arc::new(participant)),
        }
        entry.participants = all.into();
        Ok(())
    }

    async fn participant(
        &self,
        room: &RoomId,
        id: &ParticipantId,
    ) -> Result<Option<Arc<Participant>>, StoreError> {
        Ok(self.read(room, |entry| {
            entry.participants.iter().find(|person| person.id == *id).cloned()
        }))
    }

    async fn tasks(&self, room: &RoomId) -> Result<Vec<Task>, StoreError> {
        Ok(self.read(room, |entry| entry.tasks.clone()))
    }

    async fn observations(&self, room: &RoomId) -> Result<Vec<Observation>, StoreError> {
        Ok(self.read(room, |entry| entry.observations.clone()))
    }
}
