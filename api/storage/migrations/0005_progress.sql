-- Progress as facts that stand between positions. Each also says for which instants it tells what
-- had happened: from from_at until until_at (null while to this day), so that a question with
-- hindsight reads it as well. How a tick counts at an instant follows from its instants.

CREATE TABLE ticks (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    activity       text        NOT NULL,
    weight         numeric     NOT NULL,
    expressible    boolean     NOT NULL,
    from_at        timestamptz NOT NULL,
    until_at       timestamptz,
    settles_at     timestamptz NOT NULL,
    reached_at     timestamptz,
    asserted_at    timestamptz,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX ticks_of_a_deal ON ticks (deal_id);

-- How many activities the process of a deal plans: those without a tick are not ticked.
CREATE TABLE plans (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    activities     integer     NOT NULL,
    from_at        timestamptz NOT NULL,
    until_at       timestamptz,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX plans_of_a_deal ON plans (deal_id);

CREATE TABLE advances (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    event_id       uuid        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    steps          integer     NOT NULL,
    required       integer     NOT NULL,
    evidenced      integer     NOT NULL,
    customer_led   boolean     NOT NULL,
    from_at        timestamptz NOT NULL,
    until_at       timestamptz,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX advances_of_a_deal ON advances (deal_id);

-- Progress is made anew from the log; timelines are folded when they are asked for.
DELETE FROM projections WHERE name IN ('progress', 'history');
