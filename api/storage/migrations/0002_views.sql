-- The rows of the projections. All of them can be made again from the log.

-- How far each projection has got; the row is locked while a batch is written, which fences a
-- second worker, and the position is committed together with the rows.
CREATE TABLE projections (
    name     text   PRIMARY KEY,
    position bigint NOT NULL
);

-- One answer about one deal, as the fold of the deal's stream up to the projection's position.
CREATE TABLE deal_views (
    projection text   NOT NULL,
    deal_id    uuid   NOT NULL,
    doc        json   NOT NULL,
    PRIMARY KEY (projection, deal_id)
);

-- The tables below hold facts with the positions between which the log implied them:
-- from_position is the event that brought the fact, until_position the one that took it back
-- (null while it stands). What was known at position K is what stands there.

CREATE TABLE spans (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id           uuid    NOT NULL,
    from_position     bigint  NOT NULL,
    until_position    bigint,
    name              text    NOT NULL,
    account_id        text    NOT NULL,
    account_name      text    NOT NULL,
    segment           text,
    owner             text    NOT NULL,
    stage             text,
    process_id        text,
    process_version   integer,
    closed            text,
    amount            numeric,
    currency          text,
    close_date        date,
    forecast_category text,
    discount          numeric,
    opened_at         timestamptz NOT NULL,
    closed_at         timestamptz,
    deleted           boolean NOT NULL,
    source_system     text,
    external_id       text,
    PRIMARY KEY (id)
);
CREATE INDEX spans_of_a_deal ON spans (deal_id);
CREATE INDEX spans_external_id ON spans (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE credits (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    event_id       uuid        NOT NULL,
    rep            text        NOT NULL,
    kind           text        NOT NULL,
    quarter        text,
    occurred_at    timestamptz NOT NULL,
    amount         numeric     NOT NULL,
    currency       text        NOT NULL,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX credits_of_a_deal ON credits (deal_id);
CREATE INDEX credits_of_a_quarter ON credits (quarter, rep);

CREATE TABLE acts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    event_id       uuid        NOT NULL,
    kind           text        NOT NULL,
    rep            text        NOT NULL,
    segment        text,
    action_time    timestamptz NOT NULL,
    quarter        text,
    outside        boolean,
    interior       boolean,
    seller_only    boolean     NOT NULL,
    depth          numeric,
    previous       numeric,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX acts_of_a_deal ON acts (deal_id);
CREATE INDEX acts_of_a_rep ON acts (rep, quarter);
CREATE INDEX acts_in_time ON acts (action_time);

CREATE TABLE stays (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    event_id       uuid        NOT NULL,
    process        text        NOT NULL,
    stage          text        NOT NULL,
    entered_at     timestamptz NOT NULL,
    left_at        timestamptz,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX stays_of_a_deal ON stays (deal_id);
CREATE INDEX stays_in_a_stage ON stays (process, stage);

-- What people are called. An ordinary register beside the log, which holds ids only: a name can
-- be changed or removed here without touching what was recorded.
CREATE TABLE people (
    id   text PRIMARY KEY,
    name text NOT NULL
);
