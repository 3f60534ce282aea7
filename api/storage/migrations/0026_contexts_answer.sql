-- What two terms hold for together is found in one table where one of them is about the deal: its
-- rows have what the envelope says of the event as well. The log itself pays for none of this.
-- An index without the position is a fifth of one with it, and any two are read together; the order
-- comes afterwards. What is asked for together most, a type and something else, is in one of them.
DROP TABLE contexts;
CREATE TABLE contexts (
    position   bigint      PRIMARY KEY,
    deal_id    uuid        NOT NULL,
    owner      text        NOT NULL,
    account_id text        NOT NULL,
    stage      text,
    amount     numeric,
    currency   text,
    told_topic text        NOT NULL,
    told_rep   text        NOT NULL,
    told_actor text        NOT NULL,
    told_of    timestamptz NOT NULL,
    told_at    timestamptz
);
CREATE INDEX contexts_of_an_owner ON contexts (owner, told_topic);
CREATE INDEX contexts_in_a_stage ON contexts (stage, told_topic);
CREATE INDEX contexts_in_a_currency ON contexts (currency, told_topic);
CREATE INDEX contexts_of_an_amount ON contexts (amount);
CREATE INDEX contexts_of_a_topic ON contexts (told_topic);
CREATE INDEX contexts_of_a_rep ON contexts (told_rep, told_topic);
CREATE INDEX contexts_of_an_actor ON contexts (told_actor, told_topic);
CREATE INDEX contexts_of_a_time ON contexts (told_of);
CREATE INDEX contexts_of_a_deal ON contexts (deal_id);
CREATE INDEX contexts_told_late ON contexts (told_of)
    WHERE told_at - told_of > interval '5 minutes';
CREATE INDEX contexts_told_early ON contexts (told_of)
    WHERE told_at - told_of < interval '-5 minutes';
-- How late events are told: without it a question about the few late ones counts on a third of all.
CREATE STATISTICS contexts_lag ON (told_at - told_of) FROM contexts;
-- A rebuild loads whole deals, and lays the rows in this order afterwards: questions read stretches
-- of it.
ALTER TABLE contexts CLUSTER ON contexts_pkey;
DELETE FROM projections WHERE name = 'contexts';

-- Who recorded what for another; all else is found by whom it is attributed to.
CREATE INDEX events_for_another ON events (actor, position) WHERE on_behalf_of IS NOT NULL;
-- Where events came in, of which there are few kinds; that there is none of one must be found soon.
-- A summary of each megabyte of the log, which appends hardly pay for.
CREATE INDEX events_came_in ON events USING brin
    (channel text_bloom_ops, source_system text_bloom_ops, clock text_bloom_ops)
    WITH (autosummarize = on);
-- What an import dates after it was told (events_told_late has the same words); there is hardly any.
CREATE INDEX events_told_early ON events (occurred_at)
    WHERE (CASE WHEN channel = 'import' AND clock = 'server'
                THEN coalesce(source_recorded_at, occurred_at) ELSE recorded_at END)
          - occurred_at < interval '-5 minutes';
CREATE STATISTICS events_lag ON
    ((CASE WHEN channel = 'import' AND clock = 'server'
           THEN coalesce(source_recorded_at, occurred_at) ELSE recorded_at END) - occurred_at)
    FROM events;

-- All that can have another verdict than to be outside the last days of its quarter.
CREATE INDEX acts_near_the_end ON acts (event_id) WHERE outside IS NOT TRUE;
