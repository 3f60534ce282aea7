-- What lists say of a deal's health without folding it: the customer's commitments, and the signs
-- (pushes of the close date, people known at the customer), as facts that stand between positions.
-- Each also says for which instants it tells what had happened, as progress does. How a commitment
-- counts at an instant follows from its instants.

CREATE TABLE commitments (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    commitment_id  text        NOT NULL,
    level          integer     NOT NULL,
    due            date,
    overdue_at     timestamptz,
    renegotiated   boolean     NOT NULL,
    settled        text,
    settled_at     timestamptz,
    from_at        timestamptz NOT NULL,
    until_at       timestamptz,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX commitments_of_a_deal ON commitments (deal_id);

CREATE TABLE signs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    deal_id        uuid        NOT NULL,
    kind           text        NOT NULL,
    name           text        NOT NULL,
    from_at        timestamptz NOT NULL,
    until_at       timestamptz,
    from_position  bigint      NOT NULL,
    until_position bigint,
    PRIMARY KEY (id)
);
CREATE INDEX signs_of_a_deal ON signs (deal_id);
