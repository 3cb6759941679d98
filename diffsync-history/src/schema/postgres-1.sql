CREATE TABLE history_sync (
    no BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL,
    profile TEXT NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    dry_run BOOLEAN NOT NULL,
    variables TEXT NOT NULL,
    plan TEXT,
    started_by TEXT NOT NULL,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    program TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    heartbeat_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    breaches TEXT,
    planned TEXT,
    counts TEXT,
    retries BIGINT NOT NULL DEFAULT 0,
    changes BIGINT NOT NULL DEFAULT 0,
    entries BIGINT NOT NULL DEFAULT 0,
    lines BIGINT NOT NULL DEFAULT 0,
    dropped BIGINT NOT NULL DEFAULT 0,
    last_record TEXT,
    pruned_at BIGINT
);
CREATE INDEX history_sync_job ON history_sync (job, no);
CREATE INDEX history_sync_running ON history_sync (heartbeat_at) WHERE status = 'running';

CREATE TABLE history_step (
    sync_no BIGINT NOT NULL REFERENCES history_sync (no),
    seq BIGINT NOT NULL,
    step TEXT NOT NULL,
    duration_us BIGINT NOT NULL,
    heap_final BIGINT,
    heap_peak BIGINT,
    resident_final BIGINT,
    resident_peak BIGINT,
    PRIMARY KEY (sync_no, seq)
);

-- Rows of the three large tables are written and deleted only with their sync, so they need no foreign key.
CREATE TABLE history_change (
    sync_no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    parent_seq BIGINT NOT NULL,
    depth BIGINT NOT NULL,
    model TEXT NOT NULL,
    record TEXT NOT NULL,
    identifiers TEXT,
    action TEXT,
    withheld TEXT,
    changes TEXT,
    PRIMARY KEY (sync_no, seq)
);
-- A record that lives under no other has -1, which an index finds as any other.
CREATE INDEX history_change_parent ON history_change (sync_no, parent_seq, seq);

-- What an entry shares with a row of the diff is kept there alone, and null here.
CREATE TABLE history_entry (
    sync_no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    status TEXT NOT NULL,
    change_seq BIGINT,
    action TEXT,
    model TEXT,
    record TEXT,
    identifiers TEXT,
    url TEXT,
    message TEXT,
    PRIMARY KEY (sync_no, seq)
);
CREATE INDEX history_entry_unwritten ON history_entry (sync_no, seq)
    WHERE status IN ('failed', 'blocked', 'held', 'unknown', 'unsupported');

CREATE TABLE history_line (
    sync_no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    level TEXT NOT NULL,
    target TEXT NOT NULL,
    step TEXT,
    message TEXT NOT NULL,
    fields TEXT,
    PRIMARY KEY (sync_no, seq)
);

CREATE TABLE history_lease (
    name TEXT PRIMARY KEY,
    sync_id TEXT NOT NULL,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    place TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
