-- rooms.db, version 1. Times are nanoseconds since 1970-01-01 UTC; bodies are JSON.

CREATE TABLE room (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT,
    status TEXT NOT NULL,
    -- The counters belong to commits alone and are not in the body.
    event_count INTEGER NOT NULL DEFAULT 0,
    last_activity_at INTEGER,
    updated_at INTEGER NOT NULL,
    -- Last activity, or when the room was made: what "newest" means.
    freshness INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX room_by_freshness ON room (freshness DESC, id DESC);

-- The primary key is what keeps two processes from writing the same place of a timeline.
CREATE TABLE event (
    room INTEGER NOT NULL REFERENCES room (seq) ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    id TEXT NOT NULL,
    key TEXT,
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    -- Deliveries that are not settled yet.
    plan TEXT,
    -- What became of them; laid over the body.
    outcome TEXT,
    PRIMARY KEY (room, idx)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX event_by_id ON event (room, id);
CREATE UNIQUE INDEX event_by_key ON event (room, key) WHERE key IS NOT NULL;
CREATE INDEX event_unsettled ON event (created_at) WHERE plan IS NOT NULL;

CREATE TABLE binding (
    room INTEGER NOT NULL REFERENCES room (seq) ON DELETE CASCADE,
    channel_id TEXT NOT NULL,
    channel_type TEXT NOT NULL,
    -- Order of attachment.
    place INTEGER NOT NULL,
    -- Absent: the channel was detached, and no message may attach it again.
    body TEXT,
    PRIMARY KEY (room, channel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX binding_by_channel ON binding (channel_id) WHERE body IS NOT NULL;

CREATE TABLE participant (
    room INTEGER NOT NULL REFERENCES room (seq) ON DELETE CASCADE,
    id TEXT NOT NULL,
    external_id TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (room, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX participant_by_id ON participant (id);
CREATE INDEX participant_by_external_id ON participant (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE task (
    seq INTEGER PRIMARY KEY,
    room INTEGER NOT NULL REFERENCES room (seq) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX task_by_room ON task (room);

CREATE TABLE observation (
    seq INTEGER PRIMARY KEY,
    room INTEGER NOT NULL REFERENCES room (seq) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX observation_by_room ON observation (room);
