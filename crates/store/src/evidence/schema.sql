-- audit.db, version 1. Times are nanoseconds since 1970-01-01 UTC.

CREATE TABLE evidence (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    trace TEXT NOT NULL,
    at INTEGER NOT NULL,
    step TEXT NOT NULL,
    actor TEXT NOT NULL,
    room TEXT,
    call TEXT,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX evidence_by_trace ON evidence (trace);
CREATE INDEX evidence_by_call ON evidence (call) WHERE call IS NOT NULL;

-- What was written down stays as it was written.
CREATE TRIGGER evidence_is_not_changed BEFORE UPDATE ON evidence
BEGIN SELECT raise(ABORT, 'evidence is never changed'); END;
