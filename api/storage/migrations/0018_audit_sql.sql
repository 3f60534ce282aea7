-- What auditors ask about by SQL and what only the folds can say: rows of each deal as the API
-- answers them, all as known at the position of `audit` in `projections`. The worker writes them
-- (api/audit/tables.py), and they can be made again from the log. The views over them are in
-- api/storage/audit_v1, in a schema of their own.

CREATE TABLE audit_visits (
    deal_id    uuid        NOT NULL,
    event_id   uuid        NOT NULL,
    process    text        NOT NULL,
    stage      text        NOT NULL,
    episode    integer     NOT NULL,
    number     integer     NOT NULL,
    entered_at timestamptz NOT NULL,
    left_at    timestamptz,
    ended_by   uuid,
    ended_how  text
);
CREATE INDEX audit_visits_of_a_deal ON audit_visits (deal_id);

CREATE TABLE audit_advances (
    deal_id      uuid        NOT NULL,
    event_id     uuid        NOT NULL,
    occurred_at  timestamptz NOT NULL,
    from_stage   text,
    to_stage     text        NOT NULL,
    steps        integer     NOT NULL,
    required     integer     NOT NULL,
    evidenced    integer     NOT NULL,
    customer_led boolean     NOT NULL
);
CREATE INDEX audit_advances_of_a_deal ON audit_advances (deal_id);

-- A tick with the instants that its status follows from; none of them where nobody ticked.
CREATE TABLE audit_progress (
    deal_id       uuid    NOT NULL,
    stage         text,
    activity      text    NOT NULL,
    weight        numeric NOT NULL,
    expressible   boolean NOT NULL,
    tick_event_id uuid,
    ticked_at     timestamptz,
    settles_at    timestamptz,
    reached_at    timestamptz,
    asserted_at   timestamptz,
    outcomes      jsonb   NOT NULL
);
CREATE INDEX audit_progress_of_a_deal ON audit_progress (deal_id);

CREATE TABLE audit_commitments (
    deal_id       uuid        NOT NULL,
    side          text        NOT NULL,
    commitment_id text        NOT NULL,
    event_id      uuid        NOT NULL,
    kind          text,
    what          text        NOT NULL,
    level         integer,
    by            text,
    role          text,
    made_at       timestamptz NOT NULL,
    due           date,
    overdue_at    timestamptz,
    renegotiated  boolean     NOT NULL,
    settled       text,
    settled_at    timestamptz,
    kept_late     boolean     NOT NULL,
    event_ids     uuid[]      NOT NULL
);
CREATE INDEX audit_commitments_of_a_deal ON audit_commitments (deal_id);

CREATE TABLE audit_moves (
    deal_id      uuid        NOT NULL,
    event_id     uuid        NOT NULL,
    moved_at     timestamptz NOT NULL,
    rep          text        NOT NULL,
    from_date    date,
    to_date      date,
    from_quarter text,
    to_quarter   text,
    days         integer,
    quarters     integer,
    direction    text,
    cause        text        NOT NULL
);
CREATE INDEX audit_moves_of_a_deal ON audit_moves (deal_id);

CREATE TABLE audit_verdicts (
    deal_id          uuid        NOT NULL,
    event_id         uuid        NOT NULL,
    type             text        NOT NULL,
    rep              text        NOT NULL,
    action_time      timestamptz NOT NULL,
    quarter          text,
    days_left        integer,
    quota            numeric,
    attained         numeric,
    currency         text,
    pressure         numeric,
    shortfall        numeric,
    pivotality       numeric,
    cause            text        NOT NULL,
    explained_by     uuid,
    modifiers        text[]      NOT NULL,
    in_window        boolean,
    behind           boolean,
    abnormal         boolean,
    verdict          text        NOT NULL,
    rules            text[]      NOT NULL,
    findings         jsonb       NOT NULL,
    quota_events     uuid[]      NOT NULL,
    win_events       uuid[]      NOT NULL,
    policy_version   integer     NOT NULL,
    previous_percent numeric
);
CREATE INDEX audit_verdicts_of_a_deal ON audit_verdicts (deal_id);

CREATE TABLE audit_corrections (
    deal_id            uuid    NOT NULL,
    event_id           uuid    NOT NULL,
    corrected_event_id uuid    NOT NULL,
    how                text    NOT NULL,
    in_force           boolean NOT NULL
);
CREATE INDEX audit_corrections_of_a_deal ON audit_corrections (deal_id);
CREATE INDEX audit_corrections_in_force ON audit_corrections (corrected_event_id) WHERE in_force;

-- The quarters of the fiscal calendars, each for the instants at which its calendar is in force.
CREATE TABLE audit_quarters (
    name         text        NOT NULL,
    fiscal_year  integer     NOT NULL,
    number       integer     NOT NULL,
    first_day    date        NOT NULL,
    last_day     date        NOT NULL,
    zone         text        NOT NULL,
    from_instant timestamptz NOT NULL,
    to_instant   timestamptz NOT NULL,
    PRIMARY KEY (from_instant)
);

CREATE TABLE audit_members (
    rep       text        NOT NULL,
    team      text        NOT NULL,
    manager   text,
    role      text        NOT NULL,
    joined_at timestamptz NOT NULL,
    left_at   timestamptz,
    event_ids uuid[]      NOT NULL
);
