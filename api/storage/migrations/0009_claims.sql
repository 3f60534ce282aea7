-- Every tick as its rep made it: when it was recorded, and whether its outcomes had been shown by
-- then, so that the runs of ticks of a rep can be found across deals. As in the other tables of
-- progress, from_at and until_at say for which instants a row tells what had happened.

CREATE TABLE claims (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    event_id       uuid        NOT NULL,
    rep            text        NOT NULL,
    activity       text        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    expressible    boolean     NOT NULL,
    shown_at       timestamptz,
    from_at        timestamptz NOT NULL,
    until_at       timestamptz,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX claims_of_a_deal ON claims (deal_id);
CREATE INDEX claims_of_a_rep ON claims (rep, recorded_at);

-- Every deal opened, by whom, and whether it was found to fit.
CREATE TABLE openings (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    event_id       uuid        NOT NULL,
    rep            text        NOT NULL,
    opened_at      timestamptz NOT NULL,
    fit            text,
    fit_event_id   uuid,
    from_at        timestamptz NOT NULL,
    until_at       timestamptz,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX openings_of_a_deal ON openings (deal_id);
CREATE INDEX openings_in_time ON openings (opened_at);

-- Progress is made anew from the log.
TRUNCATE ticks, plans, advances;
DELETE FROM parked WHERE projection = 'progress';
DELETE FROM projections WHERE name = 'progress';
