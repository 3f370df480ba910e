//! Changing. Everything here runs inside one transaction.

use std::sync::Arc;

use roomtone_base::RoomId;
use roomtone_room::{
    BindingChange, Commit, Committed, Participant, Room, RoomEvent, Settlement, SideEffects, StoreError,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::rows::{Failure, Outcome, nanos, seq};

type Done<T> = Result<T, Failure>;

/// A room's body: all that has no column of its own that wins.
fn room_body(room: &Room) -> Done<String> {
    Ok(serde_json::to_string(room)?)
}

pub(super) fn create_room(db: &Connection, room: &Room) -> Done<()> {
    let sql = "INSERT INTO room (id, organization_id, status, last_activity_at, updated_at, freshness, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";
    let active = room.timers.last_activity_at.map(nanos);
    let made = db.prepare_cached(sql)?.execute(params![
        room.id.as_str(),
        room.organization_id.as_ref().map(|id| id.as_str()),
        room.status.as_str(),
        active,
        nanos(room.updated_at),
        active.unwrap_or(nanos(room.created_at)),
        room_body(room)?,
    ])?;
    if made == 0 {
        Err(StoreError::RoomExists(room.id.clone()).into())
    } else {
        Ok(())
    }
}

pub(super) fn update_room(db: &Connection, room: &Room) -> Done<()> {
    let sql = "UPDATE room SET organization_id = ?2, status = ?3, updated_at = ?4, body = ?5 WHERE id = ?1";
    let changed = db.prepare_cached(sql)?.execute(params![
        room.id.as_str(),
        room.organization_id.as_ref().map(|id| id.as_str()),
        room.status.as_str(),
        nanos(room.updated_at),
        room_body(room)?,
    ])?;
    if changed == 0 {
        Err(StoreError::NoRoom(room.id.clone()).into())
    } else {
        Ok(())
    }
}

pub(super) fn delete_room(db: &Connection, room: &RoomId) -> Done<bool> {
    Ok(db
        .prepare_cached("DELETE FROM room WHERE id = ?1")?
        .execute([room.as_str()])?
        > 0)
}

/// A commit, written out and waiting for its indexes.
pub(super) struct Ready {
    commit: Commit,
    bodies: Vec<String>,
    plan: Option<String>,
}

impl Ready {
    pub(super) fn new(commit: Commit) -> Result<Self, crate::Error> {
        let events = std::iter::once(&commit.event).chain(&commit.injected);
        let bodies = events.map(serde_json::to_string).collect::<Result<_, _>>()?;
        let plan = (!commit.plan.is_empty())
            .then(|| serde_json::to_string(&commit.plan))
            .transpose()?;
        Ok(Ready { commit, bodies, plan })
    }

    /// The commit point: indexes, events, counters, binding, plan and side effects, all of it or nothing (RE-024).
    pub(super) fn commit(self, db: &Connection) -> Done<Committed> {
        let Ready { commit, bodies, plan } = self;
        let room_id = commit.event.room_id.clone();
        let sql = "SELECT seq, event_count FROM room WHERE id = ?1";
        let room = db
            .prepare_cached(sql)?
            .query_row([room_id.as_str()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?))
            })
            .optional()?;
        let Some((seq, mut count)) = room else {
            return Err(StoreError::NoRoom(room_id).into());
        };
        let mut stored = Vec::with_capacity(bodies.len());
        let events = std::iter::once(commit.event).chain(commit.injected);
        for (n, (mut event, body)) in events.zip(bodies).enumerate() {
            event.index = count;
            insert(
                db,
                seq,
                &event,
                &body,
                if n == 0 { plan.as_deref() } else { None },
            )?;
            count += 1;
            stored.push(Arc::new(event));
        }
        let now = nanos(commit.counters.last_activity_at);
        let sql = "UPDATE room SET event_count = ?2, last_activity_at = ?3, updated_at = ?3, freshness = ?3
                   WHERE seq = ?1";
        db.prepare_cached(sql)?.execute(params![seq, count, now])?;
        keep(db, seq, &commit.side_effects)?;
        if let Some(change) = &commit.binding {
            bind(db, seq, change)?;
        }
        let injected = stored.split_off(1);
        let event = stored.pop().expect("a commit has an event");
        Ok(Committed {
            event,
            injected,
            event_count: count,
        })
    }
}

fn insert(db: &Connection, seq: i64, event: &RoomEvent, body: &str, plan: Option<&str>) -> Done<()> {
    if let Some(key) = &event.idempotency_key {
        let sql = "SELECT 1 FROM event WHERE room = ?1 AND key = ?2";
        if db.prepare_cached(sql)?.exists(params![seq, key])? {
            return Err(StoreError::DuplicateKey(event.room_id.clone()).into());
        }
    }
    let sql =
        "INSERT INTO event (room, idx, id, key, created_at, body, plan) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let done = db.prepare_cached(sql)?.execute(params![
        seq,
        event.index,
        event.id.as_str(),
        event.idempotency_key,
        nanos(event.created_at),
        body,
        plan,
    ]);
    match done {
        // The place is taken, or the id is: never a silent write (RE-023).
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(StoreError::Conflict(event.room_id.clone()).into())
        }
        done => Ok(done.map(drop)?),
    }
}

pub(super) fn keep(db: &Connection, seq: i64, effects: &SideEffects) -> Done<()> {
    for task in &effects.tasks {
        let body = serde_json::to_string(task)?;
        db.prepare_cached("INSERT INTO task (room, body) VALUES (?1, ?2)")?
            .execute(params![seq, body])?;
    }
    for observation in &effects.observations {
        let body = serde_json::to_string(observation)?;
        db.prepare_cached("INSERT INTO observation (room, body) VALUES (?1, ?2)")?
            .execute(params![seq, body])?;
    }
    if !effects.metadata_updates.is_empty() {
        let mut select = db.prepare_cached("SELECT body FROM room WHERE seq = ?1")?;
        let body: String = select.query_row([seq], |row| row.get(0))?;
        let mut room: Room = serde_json::from_str(&body)?;
        room.metadata.extend(effects.metadata_updates.clone());
        db.prepare_cached("UPDATE room SET body = ?2 WHERE seq = ?1")?
            .execute(params![seq, room_body(&room)?])?;
    }
    Ok(())
}

fn bind(db: &Connection, seq: i64, change: &BindingChange) -> Done<()> {
    match change {
        BindingChange::Put(binding) => {
            // A channel that comes back after it was detached takes the last place, one that changes keeps its own.
            let sql = "INSERT INTO binding (room, channel_id, channel_type, place, body)
                       VALUES (?1, ?2, ?3, (SELECT ifnull(max(place), -1) + 1 FROM binding WHERE room = ?1), ?4)
                       ON CONFLICT (room, channel_id) DO UPDATE SET
                       place = iif(body IS NULL, excluded.place, place),
                       channel_type = excluded.channel_type, body = excluded.body";
            let body = serde_json::to_string(binding)?;
            let channel_type = binding.channel_type.to_string();
            db.prepare_cached(sql)?
                .execute(params![seq, binding.channel_id.as_str(), channel_type, body])?;
        }
        BindingChange::Detach(channel) => {
            let sql = "UPDATE binding SET body = NULL WHERE room = ?1 AND channel_id = ?2";
            db.prepare_cached(sql)?.execute(params![seq, channel.as_str()])?;
        }
    }
    Ok(())
}

pub(super) fn settle(db: &Connection, settlement: Settlement) -> Done<()> {
    let Settlement {
        room_id,
        event_id,
        delivery_results,
        metadata,
        side_effects,
    } = settlement;
    let seq = seq(db, &room_id)?;
    keep(db, seq, &side_effects)?;
    let outcome = match delivery_results.is_empty() && metadata.is_empty() {
        true => None,
        false => Some(serde_json::to_string(&Outcome {
            delivery_results,
            metadata,
        })?),
    };
    let sql = "UPDATE event SET plan = NULL, outcome = ifnull(?3, outcome) WHERE room = ?1 AND id = ?2";
    db.prepare_cached(sql)?
        .execute(params![seq, event_id.as_str(), outcome])?;
    Ok(())
}

pub(super) fn put_participant(db: &Connection, person: &Participant) -> Done<()> {
    let seq = seq(db, &person.room_id)?;
    let sql = "INSERT INTO participant (room, id, external_id, body) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (room, id) DO UPDATE SET external_id = excluded.external_id, body = excluded.body";
    let body = serde_json::to_string(person)?;
    db.prepare_cached(sql)?
        .execute(params![seq, person.id.as_str(), person.external_id, body])?;
    Ok(())
}
