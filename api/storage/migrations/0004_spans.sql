-- The state of every deal over time, on two clocks.
--
-- As it was known: a row stands from the position of the event that brought the state until the
-- position of the one that ended it. As it happened, with hindsight: a row stands from the instant
-- at which the event occurred until the next one did, as all that is known now has it. Instants
-- are microseconds since 1970, so that both clocks are read and written by the same statements.
-- An end is null while the state goes on.

DROP TABLE spans;
DELETE FROM projections WHERE name = 'spans';

-- The columns that all tables below share.
CREATE TABLE deal_state (
    opened_at         timestamptz NOT NULL,
    closed_at         timestamptz,
    process_version   integer,
    close_date        date,
    deleted           boolean NOT NULL,
    name              text    NOT NULL,
    account_id        text    NOT NULL,
    account_name      text    NOT NULL,
    segment           text,
    owner             text    NOT NULL,
    stage             text,
    process_id        text,
    closed            text,
    amount            numeric,
    currency          text,
    forecast_category text,
    discount          numeric,
    source_system     text,
    external_id       text
);

CREATE TABLE spans (
    deal_id        uuid   NOT NULL,
    from_position  bigint NOT NULL,
    until_position bigint,
    -- Of the row that goes on: when the last of the events occurred that the state rests on. What
    -- occurs earlier, and a correction, change the past and not this row alone.
    settled_at     timestamptz,
    LIKE deal_state,
    PRIMARY KEY (deal_id, from_position)
);
CREATE UNIQUE INDEX spans_that_go_on ON spans (deal_id) WHERE until_position IS NULL;
CREATE INDEX spans_in_order ON spans (from_position);
CREATE INDEX spans_out ON spans (from_position) WHERE closed IS NOT NULL OR deleted;
CREATE INDEX spans_external_id ON spans (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE hindsight_spans (
    deal_id        uuid   NOT NULL,
    from_instant   bigint NOT NULL,
    until_instant  bigint,
    -- Of the event that brought the state: two events of one instant are two rows.
    since_position bigint NOT NULL,
    LIKE deal_state,
    PRIMARY KEY (deal_id, since_position)
);
CREATE UNIQUE INDEX hindsight_spans_that_go_on ON hindsight_spans (deal_id)
    WHERE until_instant IS NULL;
CREATE INDEX hindsight_spans_in_order ON hindsight_spans (from_instant);
CREATE INDEX hindsight_spans_out ON hindsight_spans (from_instant)
    WHERE closed IS NOT NULL OR deleted;

-- The rows of open deals once more, cut at the ends of fixed stretches: what stood at a moment
-- lies together in one slab, however long the history is. The keys hold what totals are made of, so
-- that these read no row.
CREATE TABLE slabs (
    slab           integer NOT NULL,
    deal_id        uuid    NOT NULL,
    from_position  bigint  NOT NULL,
    until_position bigint  NOT NULL,
    since_position bigint  NOT NULL,
    LIKE deal_state,
    PRIMARY KEY (slab, from_position, since_position)
        INCLUDE (until_position, owner, stage, forecast_category, currency, amount)
);
CREATE TABLE hindsight_slabs (
    slab           integer NOT NULL,
    deal_id        uuid    NOT NULL,
    from_instant   bigint  NOT NULL,
    until_instant  bigint  NOT NULL,
    since_position bigint  NOT NULL,
    LIKE deal_state,
    PRIMARY KEY (slab, from_instant, since_position)
        INCLUDE (until_instant, owner, stage, forecast_category, currency, amount)
);

DROP TABLE deal_state;

-- What each local day of the fiscal calendar added to the open deals and took from them.
CREATE TABLE deltas (
    day               date    NOT NULL,
    zone              text    NOT NULL,
    stage             text,
    forecast_category text,
    currency          text,
    deals             bigint  NOT NULL,
    amount            numeric NOT NULL
);
CREATE UNIQUE INDEX deltas_key ON deltas
    (day, zone, stage, forecast_category, currency) NULLS NOT DISTINCT;
CREATE TABLE hindsight_deltas (LIKE deltas);
CREATE UNIQUE INDEX hindsight_deltas_key ON hindsight_deltas
    (day, zone, stage, forecast_category, currency) NULLS NOT DISTINCT;
