-- Verdicts are judged when they are asked for, from acts that hold all that judging takes from
-- the deal itself. The rows are made again from the log.
TRUNCATE acts, stays;
ALTER TABLE acts
    ADD COLUMN occurred_at           timestamptz NOT NULL,
    ADD COLUMN unsettled_until       timestamptz,
    ADD COLUMN cause                 text NOT NULL,
    ADD COLUMN expires_on            date,
    ADD COLUMN close_from            date,
    ADD COLUMN close_to              date,
    ADD COLUMN steps                 integer,
    ADD COLUMN skipped               integer,
    ADD COLUMN missing               integer,
    ADD COLUMN process               text,
    ADD COLUMN left_stage            text,
    ADD COLUMN left_stage_entered_at timestamptz,
    DROP COLUMN seller_only;
DROP INDEX IF EXISTS acts_in_time;
DELETE FROM projections WHERE name = 'pressure';
