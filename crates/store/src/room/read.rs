//! Looking.

use std::sync::Arc;

use roomtone_base::{ChannelId, ParticipantId, RoomId};
use roomtone_room::{
    ChannelBinding, Participant, ParticipantStatus, PlannedDelivery, Room, RoomContext, RoomEvent, RoomQuery,
    RoomStatus,
};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::de::DeserializeOwned;

use super::rows::{self, EVENT, Failure, ROOM, find_seq};

type Found<T> = Result<T, Failure>;

fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Found<T>,
) -> Found<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Found<T>,
) -> Found<Option<T>> {
    Ok(all(db, sql, params, read)?.pop())
}

/// The first column, JSON.
fn body<T: DeserializeOwned>(row: &Row<'_>) -> Found<T> {
    Ok(serde_json::from_str(
        row.get_ref(0)?.as_str().map_err(crate::Error::record)?,
    )?)
}

fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn room(db: &Connection, id: &RoomId) -> Found<Option<Arc<Room>>> {
    one(
        db,
        &format!("SELECT {ROOM} FROM room WHERE id = ?1"),
        [id.as_str()],
        rows::room,
    )
}

pub(super) fn rooms(db: &Connection, query: &RoomQuery) -> Found<Vec<Arc<Room>>> {
    let sql = format!(
        "SELECT {ROOM} FROM room
         WHERE (?1 IS NULL OR organization_id = ?1) AND (?2 IS NULL OR status = ?2)
         ORDER BY freshness DESC, id DESC LIMIT ?3 OFFSET ?4"
    );
    let organization = query.organization_id.as_ref().map(|id| id.as_str());
    let status = query.status.map(RoomStatus::as_str);
    all(
        db,
        &sql,
        params![organization, status, limited(query.limit), limited(query.offset)],
        rows::room,
    )
}

pub(super) fn rooms_by_channel(
    db: &Connection,
    channel: &ChannelId,
    status: RoomStatus,
    limit: usize,
) -> Found<Vec<RoomId>> {
    let sql = "SELECT room.id FROM binding JOIN room ON room.seq = binding.room
               WHERE binding.channel_id = ?1 AND binding.body IS NOT NULL AND room.status = ?2
               ORDER BY room.freshness DESC, room.id DESC LIMIT ?3";
    all(
        db,
        sql,
        params![channel.as_str(), status.as_str(), limited(limit)],
        |row| Ok(RoomId::from(row.get::<_, String>(0)?)),
    )
}

pub(super) fn room_of_sender(
    db: &Connection,
    sender: &str,
    channel_type: &str,
    status: RoomStatus,
) -> Found<Option<RoomId>> {
    let sql = "SELECT participant.body, room.seq FROM participant JOIN room ON room.seq = participant.room
               WHERE (participant.id = ?1 OR participant.external_id = ?1) AND room.status = ?2
               ORDER BY room.freshness DESC, room.id DESC";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![sender, status.as_str()])?;
    while let Some(row) = rows.next()? {
        let person: Participant = body(row)?;
        let seq: i64 = row.get(1)?;
        if !matches!(
            person.status,
            ParticipantStatus::Active | ParticipantStatus::Inactive
        ) {
            continue;
        }
        for channel in std::iter::once(&person.channel_id).chain(&person.connected_via) {
            let sql = "SELECT 1 FROM binding
                       WHERE room = ?1 AND channel_id = ?2 AND channel_type = ?3 AND body IS NOT NULL";
            if db
                .prepare_cached(sql)?
                .exists(params![seq, channel.as_str(), channel_type])?
            {
                return Ok(Some(person.room_id));
            }
        }
    }
    Ok(None)
}

pub(super) fn context(db: &Connection, id: &RoomId, recent: usize) -> Found<Option<RoomContext>> {
    let (Some(seq), Some(room)) = (find_seq(db, id)?, room(db, id)?) else {
        return Ok(None);
    };
    let sql = "SELECT body FROM binding WHERE room = ?1 AND body IS NOT NULL ORDER BY place";
    let bindings = all(db, sql, [seq], |row| body(row).map(Arc::new))?;
    let participants = all(
        db,
        "SELECT body FROM participant WHERE room = ?1 ORDER BY id",
        [seq],
        |row| body(row).map(Arc::new),
    )?;
    let sql = format!("SELECT {EVENT} FROM event WHERE room = ?1 ORDER BY idx DESC LIMIT ?2");
    let mut events = all(db, &sql, params![seq, limited(recent)], rows::event)?;
    events.reverse();
    Ok(Some(RoomContext {
        room,
        bindings: bindings.into(),
        participants: participants.into(),
        recent_events: events.into(),
    }))
}

/// The event whose `column` (`id` or `key`) is `value`.
pub(super) fn event(
    db: &Connection,
    room: &RoomId,
    column: &'static str,
    value: &str,
) -> Found<Option<Arc<RoomEvent>>> {
    let Some(seq) = find_seq(db, room)? else {
        return Ok(None);
    };
    one(
        db,
        &format!("SELECT {EVENT} FROM event WHERE room = ?1 AND {column} = ?2"),
        params![seq, value],
        rows::event,
    )
}

pub(super) fn events(
    db: &Connection,
    room: &RoomId,
    after: Option<u64>,
    limit: usize,
) -> Found<Vec<Arc<RoomEvent>>> {
    let Some(seq) = find_seq(db, room)? else {
        return Ok(Vec::new());
    };
    let after = after.map_or(-1, |index| i64::try_from(index).unwrap_or(i64::MAX));
    let sql = format!("SELECT {EVENT} FROM event WHERE room = ?1 AND idx > ?2 ORDER BY idx LIMIT ?3");
    all(db, &sql, params![seq, after, limited(limit)], rows::event)
}

pub(super) fn unsettled(db: &Connection) -> Found<Vec<(Arc<RoomEvent>, Vec<PlannedDelivery>)>> {
    let sql = format!(
        "SELECT {EVENT}, event.plan FROM event JOIN room ON room.seq = event.room
         WHERE event.plan IS NOT NULL ORDER BY event.created_at, room.id, event.idx"
    );
    all(db, &sql, [], |row| {
        let plan = serde_json::from_str(row.get_ref(3)?.as_str().map_err(crate::Error::record)?)?;
        Ok((rows::event(row)?, plan))
    })
}

pub(super) fn binding(
    db: &Connection,
    room: &RoomId,
    channel: &ChannelId,
) -> Found<Option<Arc<ChannelBinding>>> {
    let Some(seq) = find_seq(db, room)? else {
        return Ok(None);
    };
    let sql = "SELECT body FROM binding WHERE room = ?1 AND channel_id = ?2 AND body IS NOT NULL";
    one(db, sql, params![seq, channel.as_str()], |row| {
        body(row).map(Arc::new)
    })
}

pub(super) fn was_detached(db: &Connection, room: &RoomId, channel: &ChannelId) -> Found<bool> {
    let Some(seq) = find_seq(db, room)? else {
        return Ok(false);
    };
    let sql = "SELECT body IS NULL FROM binding WHERE room = ?1 AND channel_id = ?2";
    let tombstone = db
        .prepare_cached(sql)?
        .query_row(params![seq, channel.as_str()], |row| row.get(0))
        .optional()?;
    Ok(tombstone.unwrap_or(false))
}

pub(super) fn participant(
    db: &Connection,
    room: &RoomId,
    id: &ParticipantId,
) -> Found<Option<Arc<Participant>>> {
    let Some(seq) = find_seq(db, room)? else {
        return Ok(None);
    };
    let sql = "SELECT body FROM participant WHERE room = ?1 AND id = ?2";
    one(db, sql, params![seq, id.as_str()], |row| body(row).map(Arc::new))
}

/// Everything in `table` (`task` or `observation`) of a room, oldest first.
pub(super) fn side_effects<T: DeserializeOwned>(
    db: &Connection,
    table: &'static str,
    room: &RoomId,
) -> Found<Vec<T>> {
    let Some(seq) = find_seq(db, room)? else {
        return Ok(Vec::new());
    };
    all(
        db,
        &format!("SELECT body FROM {table} WHERE room = ?1 ORDER BY seq"),
        [seq],
        body,
    )
}
