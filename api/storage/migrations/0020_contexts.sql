-- What the log is searched by: who acted, and when things happened.
CREATE INDEX events_rep ON events ((coalesce(on_behalf_of, actor)), position);
CREATE INDEX events_occurred_at ON events (occurred_at, position);

-- The deal as each of its events left it, as it was known when the event was told. No later event
-- changes a row: what is asked of the log as it was known once is asked of the rows up to there.
CREATE TABLE contexts (
    position   bigint  PRIMARY KEY,
    deal_id    uuid    NOT NULL,
    owner      text    NOT NULL,
    account_id text    NOT NULL,
    stage      text,
    amount     numeric,
    currency   text
);
CREATE INDEX contexts_of_an_owner ON contexts (owner, position);
CREATE INDEX contexts_in_a_stage ON contexts (stage, position);

-- Which deals were ever of an account, and which somebody owns.
CREATE INDEX spans_of_an_account ON spans (account_id);
CREATE INDEX spans_of_an_owner ON spans (owner);
