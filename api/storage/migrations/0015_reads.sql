-- What one event takes back of several wins of a deal is one credit: two equal ones were one fact.
TRUNCATE credits;
DELETE FROM parked WHERE projection = 'attainment';
DELETE FROM projections WHERE name = 'attainment';

-- What closed in a quarter, and who was credited with it, without reading what closed before.
CREATE INDEX events_closing ON events (occurred_at)
    WHERE topic IN ('deal.deal_won.v1', 'deal.deal_lost.v1', 'deal.deal_disqualified.v1');
CREATE INDEX credits_in_time ON credits (occurred_at);
CREATE INDEX spans_closed ON spans (closed_at) WHERE closed IS NOT NULL OR deleted;
CREATE INDEX hindsight_spans_closed ON hindsight_spans (closed_at)
    WHERE closed IS NOT NULL OR deleted;
