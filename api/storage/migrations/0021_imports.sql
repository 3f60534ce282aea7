-- Files that were uploaded to be imported: what was asked, how far it is and what came of it. None
-- of it is in the log, which holds the events that an import made.
CREATE TABLE imports (
    id             uuid        PRIMARY KEY, -- in the order of their coming
    caller         text        NOT NULL,
    key            text        NOT NULL,
    body_hash      text        NOT NULL,
    credential     text        NOT NULL,
    received_at    timestamptz NOT NULL,
    format         text        NOT NULL,
    file           text        NOT NULL,
    profile        text,
    founding       boolean     NOT NULL,
    dry_run        boolean     NOT NULL,
    bytes          bigint      NOT NULL,
    sha256         text        NOT NULL,
    state          text        NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'refused', 'failed', 'cancelled')),
    cancelling     boolean     NOT NULL DEFAULT false,
    attempts       integer     NOT NULL DEFAULT 0,
    began_at       timestamptz,
    told_at        timestamptz,             -- when the progress below was written
    ended_at       timestamptz,
    system         text,                    -- the source of its events, once the files are open
    first_position bigint,                  -- the head of the log when it first began
    position       bigint,                  -- the head of the log when it ended
    step           text        CHECK (step IN ('unpacking', 'reading', 'appending')),
    bytes_to_read  bigint,
    bytes_read     bigint      NOT NULL DEFAULT 0,
    rows_read      bigint      NOT NULL DEFAULT 0,
    events_made    bigint      NOT NULL DEFAULT 0,
    duplicates     bigint      NOT NULL DEFAULT 0,
    rejects        bigint      NOT NULL DEFAULT 0,
    report         json,
    problem        text,
    UNIQUE (caller, key)
);

CREATE TABLE import_rejects (
    import_id uuid    NOT NULL REFERENCES imports,
    number    bigint  NOT NULL,
    file      text    NOT NULL,
    row       bigint  NOT NULL,
    reason    text    NOT NULL,
    PRIMARY KEY (import_id, number)
);
