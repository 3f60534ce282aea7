-- What customers want to achieve, and when they did: as it was known between two positions.
CREATE TABLE goals (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid   NOT NULL,
    goal           text   NOT NULL,
    recorded_at    timestamptz,
    recorded_by    uuid,
    achieved_at    timestamptz,
    achieved_by    uuid,
    from_position  bigint NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX goals_of_a_deal ON goals (deal_id);
