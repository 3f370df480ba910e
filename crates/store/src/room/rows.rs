//! Between rows and what they mean.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use roomtone_base::{ChannelId, RoomId};
use roomtone_room::{DeliveryResult, Map, Room, RoomEvent, StoreError};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Why a request was not served: refused by a promise of the store, or failed.
pub(super) enum Failure {
    Refused(StoreError),
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Failed(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Failed(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Failed(error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::Refused(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            Failure::Failed(error) => error.into(),
        }
    }
}

/// Nanoseconds since 1970; what lies beyond the years 1677 to 2262 is kept at their ends.
pub(super) fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at.as_second() < 0 { i64::MIN } else { i64::MAX })
}

fn time(nanos: i64) -> Result<Timestamp, Error> {
    Timestamp::from_nanosecond(nanos.into()).map_err(Error::record)
}

/// The room's own number, by which all else refers to it.
pub(super) fn seq(db: &Connection, room: &RoomId) -> Result<i64, Failure> {
    let found = find_seq(db, room)?;
    found.ok_or_else(|| StoreError::NoRoom(room.clone()).into())
}

pub(super) fn find_seq(db: &Connection, room: &RoomId) -> Result<Option<i64>, Failure> {
    let mut statement = db.prepare_cached("SELECT seq FROM room WHERE id = ?1")?;
    Ok(statement
        .query_row([room.as_str()], |row| row.get(0))
        .optional()?)
}

/// Columns of [`room`].
pub(super) const ROOM: &str = "room.body, room.event_count, room.last_activity_at, room.updated_at";

/// A room from its [`ROOM`] columns; the columns win over the body.
pub(super) fn room(row: &Row<'_>) -> Result<Arc<Room>, Failure> {
    let mut room: Room = serde_json::from_str(row.get_ref(0)?.as_str().map_err(Error::record)?)?;
    room.event_count = row.get(1)?;
    room.latest_index = room.event_count.checked_sub(1);
    room.timers.last_activity_at = row.get::<_, Option<i64>>(2)?.map(time).transpose()?;
    room.updated_at = time(row.get(3)?)?;
    Ok(Arc::new(room))
}

/// What became of an event's deliveries.
#[derive(Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) delivery_results: BTreeMap<ChannelId, DeliveryResult>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) metadata: Map,
}

/// Columns of [`event`].
pub(super) const EVENT: &str = "event.body, event.idx, event.outcome";

/// An event from its [`EVENT`] columns; its outcome is laid over the body.
pub(super) fn event(row: &Row<'_>) -> Result<Arc<RoomEvent>, Failure> {
    let mut event: RoomEvent = serde_json::from_str(row.get_ref(0)?.as_str().map_err(Error::record)?)?;
    event.index = row.get(1)?;
    if let Some(outcome) = row.get_ref(2)?.as_str_or_null().map_err(Error::record)? {
        let outcome: Outcome = serde_json::from_str(outcome)?;
        event.delivery_results = outcome.delivery_results;
        event.metadata.extend(outcome.metadata);
    }
    Ok(Arc::new(event))
}
