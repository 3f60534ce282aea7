-- What both sides said, in words and with the event that states it, so that it is listed across all
-- deals without folding any: until now only how strong the customer's word is.
TRUNCATE commitments, signs;
DELETE FROM parked WHERE projection = 'commitments';
DELETE FROM projections WHERE name = 'commitments';
ALTER TABLE commitments
    ALTER COLUMN level DROP NOT NULL,
    ADD COLUMN side     text NOT NULL,
    ADD COLUMN event_id uuid NOT NULL,
    ADD COLUMN what     text NOT NULL,
    ADD COLUMN by       text;
