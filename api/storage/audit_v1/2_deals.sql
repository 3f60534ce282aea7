-- The deals: their state now and at any instant, and what the folds say of each.

-- Tables that a rebuild puts others in the place of are read through functions, which look names
-- up anew: a view would go on reading the table that was there when it was made.
CREATE OR REPLACE FUNCTION {audit}.deals_rows() RETURNS SETOF record
    LANGUAGE sql STABLE AS $$
SELECT deal_id, name, account_id, account_name, segment, owner, stage, process_id, process_version,
       closed, amount, currency, close_date, forecast_category, discount, opened_at, closed_at,
       deleted, source_system, external_id, from_position
  FROM {ledger}.spans WHERE until_position IS NULL
$$;
CREATE OR REPLACE VIEW {audit}.deals WITH (security_invoker) AS
SELECT * FROM {audit}.deals_rows() AS d (
    deal_id uuid, name text, account_id text, account_name text, segment text, owner text,
    stage text, process_id text, process_version integer, closed text, amount numeric,
    currency text, close_date date, forecast_category text, discount numeric,
    opened_at timestamptz, closed_at timestamptz, deleted boolean, source_system text,
    external_id text, since_position bigint);
COMMENT ON FUNCTION {audit}.deals_rows() IS 'Reads the view deals.';
COMMENT ON VIEW {audit}.deals IS
    'The state of every deal, corrections applied. Stands where `spans` stands.';
COMMENT ON COLUMN {audit}.deals.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.deals.name IS 'What it is called.';
COMMENT ON COLUMN {audit}.deals.account_id IS 'Id of the buying company.';
COMMENT ON COLUMN {audit}.deals.account_name IS 'Name of the buying company.';
COMMENT ON COLUMN {audit}.deals.segment IS 'Segment of the buying company.';
COMMENT ON COLUMN {audit}.deals.owner IS 'The rep responsible.';
COMMENT ON COLUMN {audit}.deals.stage IS 'The stage that it is in; null before the first.';
COMMENT ON COLUMN {audit}.deals.process_id IS 'The sales process that it is judged by; null for the built-in one.';
COMMENT ON COLUMN {audit}.deals.process_version IS 'The version of that process.';
COMMENT ON COLUMN {audit}.deals.closed IS 'won, lost or disqualified; null while it is open.';
COMMENT ON COLUMN {audit}.deals.amount IS 'What it is to bring, or brought.';
COMMENT ON COLUMN {audit}.deals.currency IS 'Currency of the amount.';
COMMENT ON COLUMN {audit}.deals.close_date IS 'The local day on which it is expected to close, or closed.';
COMMENT ON COLUMN {audit}.deals.forecast_category IS 'As its rep calls it.';
COMMENT ON COLUMN {audit}.deals.discount IS 'The offer that stands, in per cent; null without one.';
COMMENT ON COLUMN {audit}.deals.opened_at IS 'When it was opened, in the world.';
COMMENT ON COLUMN {audit}.deals.closed_at IS 'When it closed, in the world.';
COMMENT ON COLUMN {audit}.deals.deleted IS 'Whether its source deleted it.';
COMMENT ON COLUMN {audit}.deals.source_system IS 'Of an imported deal: the system that it comes from.';
COMMENT ON COLUMN {audit}.deals.external_id IS 'Of an imported deal: its id there.';
COMMENT ON COLUMN {audit}.deals.since_position IS 'Position of the event since which its state is this one.';

CREATE OR REPLACE FUNCTION {audit}.deals_as_of(as_of timestamptz) RETURNS SETOF {audit}.deals
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    at bigint;
    reached bigint;
BEGIN
    IF as_of IS NULL OR as_of > clock_timestamp() THEN
        RAISE EXCEPTION 'nothing is known yet of %', coalesce(as_of::text, 'no instant')
            USING ERRCODE = '22023';
    END IF;
    SELECT coalesce(max(e.position), 0) INTO at FROM (
        SELECT l.position FROM {ledger}.events l WHERE l.recorded_at <= as_of
         ORDER BY l.recorded_at DESC, l.position DESC LIMIT 1) e;
    SELECT coalesce(max(p.position), 0) INTO reached
      FROM {ledger}.projections p WHERE p.name = 'spans';
    IF at > reached THEN
        RAISE EXCEPTION 'the deals stand at position %, and at % the log stood at %; ask again',
            reached, as_of, at USING ERRCODE = '55000';
    END IF;
    RETURN QUERY
    SELECT s.deal_id, s.name, s.account_id, s.account_name, s.segment, s.owner, s.stage,
           s.process_id, s.process_version, s.closed, s.amount, s.currency, s.close_date,
           s.forecast_category, s.discount, s.opened_at, s.closed_at, s.deleted, s.source_system,
           s.external_id, s.from_position
      FROM {ledger}.spans s
     WHERE s.from_position <= at AND (s.until_position IS NULL OR s.until_position > at);
END
$$;
COMMENT ON FUNCTION {audit}.deals_as_of(timestamptz) IS
    'The state of every deal as it was known at an instant: what had been recorded by then, with the corrections recorded by then. Columns as those of deals. Refuses an instant that lies ahead, and one that the projection has not reached.';

CREATE OR REPLACE VIEW {audit}.stage_visits WITH (security_invoker) AS
SELECT deal_id, event_id, process, stage, episode, number, entered_at, left_at, ended_by, ended_how,
       coalesce(left_at, now()) - entered_at AS duration
  FROM {ledger}.audit_visits;
COMMENT ON VIEW {audit}.stage_visits IS
    'Every visit of a deal to a stage, corrections applied, as GET /v1/deals/<id>/movement tells them. Stands where `audit` stands.';
COMMENT ON COLUMN {audit}.stage_visits.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.stage_visits.event_id IS 'The stage_entered that began it.';
COMMENT ON COLUMN {audit}.stage_visits.process IS 'The process that the stage is one of.';
COMMENT ON COLUMN {audit}.stage_visits.stage IS 'The stage.';
COMMENT ON COLUMN {audit}.stage_visits.episode IS 'The open spell of the deal, from 1; a reopening begins another.';
COMMENT ON COLUMN {audit}.stage_visits.number IS 'The how-manieth visit of the deal to this stage.';
COMMENT ON COLUMN {audit}.stage_visits.entered_at IS 'When it began, in the world.';
COMMENT ON COLUMN {audit}.stage_visits.left_at IS 'When it ended; null while it lasts.';
COMMENT ON COLUMN {audit}.stage_visits.ended_by IS 'The event that ended it.';
COMMENT ON COLUMN {audit}.stage_visits.ended_how IS 'The type of that event.';
COMMENT ON COLUMN {audit}.stage_visits.duration IS 'How long it lasted, or has lasted until now().';

CREATE OR REPLACE VIEW {audit}.stage_advances WITH (security_invoker) AS
SELECT a.deal_id, a.event_id, a.occurred_at, coalesce(e.on_behalf_of, e.actor) AS rep,
       a.from_stage, a.to_stage, a.steps, a.required, a.evidenced, a.customer_led,
       a.evidenced < a.required AS hollow
  FROM {ledger}.audit_advances a JOIN {ledger}.events e USING (event_id);
COMMENT ON VIEW {audit}.stage_advances IS
    'Every move of a deal above the highest stage of its open spell, and how much of what the stages left behind were for had been shown by then. The first stage is creation and no advance. Stands where `audit` stands.';
COMMENT ON COLUMN {audit}.stage_advances.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.stage_advances.event_id IS 'The stage_entered.';
COMMENT ON COLUMN {audit}.stage_advances.occurred_at IS 'When, in the world.';
COMMENT ON COLUMN {audit}.stage_advances.rep IS 'Who moved it.';
COMMENT ON COLUMN {audit}.stage_advances.from_stage IS 'The stage that it was in.';
COMMENT ON COLUMN {audit}.stage_advances.to_stage IS 'The stage entered.';
COMMENT ON COLUMN {audit}.stage_advances.steps IS 'How many stages it rose above the highest so far.';
COMMENT ON COLUMN {audit}.stage_advances.required IS 'Intended outcomes that the stages left behind require.';
COMMENT ON COLUMN {audit}.stage_advances.evidenced IS 'How many of them were evidenced at their level by then.';
COMMENT ON COLUMN {audit}.stage_advances.customer_led IS 'Whether the customer moved first, in its own words and recorded in time.';
COMMENT ON COLUMN {audit}.stage_advances.hollow IS 'Whether a required outcome was not evidenced.';

CREATE OR REPLACE VIEW {audit}.progress WITH (security_invoker) AS
SELECT p.deal_id, p.stage, p.activity, p.weight, p.tick_event_id, p.ticked_at,
       coalesce(e.on_behalf_of, e.actor) AS ticked_by, e.recorded_at AS tick_recorded_at,
       p.settles_at, p.reached_at, p.asserted_at,
       CASE WHEN p.tick_event_id IS NULL THEN 'not_ticked'
            WHEN NOT p.expressible THEN 'not_expressible'
            WHEN p.reached_at IS NOT NULL
            THEN CASE WHEN p.reached_at <= p.settles_at THEN 'evidenced' ELSE 'evidenced_late' END
            WHEN now() < p.settles_at THEN 'pending'
            WHEN p.asserted_at IS NOT NULL THEN 'asserted_only'
            ELSE 'bare_tick' END AS status,
       p.outcomes
  FROM {ledger}.audit_progress p LEFT JOIN {ledger}.events e ON e.event_id = p.tick_event_id;
COMMENT ON VIEW {audit}.progress IS
    'Every activity of every deal with its tick in force and what shows its outcomes, corrections applied, as GET /v1/deals/<id>/progress tells them. Stands where `audit` stands; the status is that of now().';
COMMENT ON COLUMN {audit}.progress.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.progress.stage IS 'The stage that the activity belongs to; null where the process does not know it.';
COMMENT ON COLUMN {audit}.progress.activity IS 'The activity.';
COMMENT ON COLUMN {audit}.progress.weight IS 'What it counts for in the shares.';
COMMENT ON COLUMN {audit}.progress.tick_event_id IS 'The tick in force; null where it is not ticked.';
COMMENT ON COLUMN {audit}.progress.ticked_at IS 'When it was ticked, as the rep says.';
COMMENT ON COLUMN {audit}.progress.ticked_by IS 'The rep who ticked it.';
COMMENT ON COLUMN {audit}.progress.tick_recorded_at IS 'When the tick was recorded.';
COMMENT ON COLUMN {audit}.progress.settles_at IS 'Until when evidence counts as in time.';
COMMENT ON COLUMN {audit}.progress.reached_at IS 'When the last of its outcomes was evidenced at the level it needs; null while one is not.';
COMMENT ON COLUMN {audit}.progress.asserted_at IS 'When the first evidence of any level was given for one of them.';
COMMENT ON COLUMN {audit}.progress.status IS 'evidenced, evidenced_late, asserted_only, bare_tick, pending, not_ticked or not_expressible (docs/metrics.md).';
COMMENT ON COLUMN {audit}.progress.outcomes IS 'Its intended outcomes, each with `outcome`, `required_level`, and of what shows it best `level`, `evidenced_at`, `event_id`.';

CREATE OR REPLACE FUNCTION {audit}.ticks_rows() RETURNS SETOF record
    LANGUAGE sql STABLE AS $$
SELECT c.deal_id, c.event_id, c.rep, c.activity, e.occurred_at, c.recorded_at, c.expressible,
       c.shown_at
  FROM {ledger}.claims c JOIN {ledger}.events e USING (event_id)
 WHERE c.until_position IS NULL AND c.until_at IS NULL
$$;
CREATE OR REPLACE VIEW {audit}.ticks WITH (security_invoker) AS
SELECT * FROM {audit}.ticks_rows() AS t (
    deal_id uuid, event_id uuid, rep text, activity text, occurred_at timestamptz,
    recorded_at timestamptz, expressible boolean, shown_at timestamptz);
COMMENT ON FUNCTION {audit}.ticks_rows() IS 'Reads the view ticks.';
COMMENT ON VIEW {audit}.ticks IS
    'Every tick as its rep made it, corrections applied, also where it was unticked since, and what had been shown by then; one that was retracted has no row, and those of ordinary imports are left out, since nobody knows when they were made. Stands where `progress` stands.';
COMMENT ON COLUMN {audit}.ticks.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.ticks.event_id IS 'The activity_ticked.';
COMMENT ON COLUMN {audit}.ticks.rep IS 'Who ticked.';
COMMENT ON COLUMN {audit}.ticks.activity IS 'The activity.';
COMMENT ON COLUMN {audit}.ticks.occurred_at IS 'When it was done, as the rep says.';
COMMENT ON COLUMN {audit}.ticks.recorded_at IS 'When it was ticked: runs of ticks are told by this clock.';
COMMENT ON COLUMN {audit}.ticks.expressible IS 'Whether the process states an outcome of the activity; ticks without one are in no share.';
COMMENT ON COLUMN {audit}.ticks.shown_at IS 'When the last of its outcomes had been shown; null where one had not been by the time it was ticked.';

CREATE OR REPLACE FUNCTION {audit}.bookings_rows() RETURNS SETOF record
    LANGUAGE sql STABLE AS $$
SELECT deal_id, event_id, rep, kind, quarter, occurred_at, amount, currency
  FROM {ledger}.credits WHERE until_position IS NULL
$$;
CREATE OR REPLACE VIEW {audit}.bookings WITH (security_invoker) AS
SELECT * FROM {audit}.bookings_rows() AS b (
    deal_id uuid, event_id uuid, rep text, kind text, quarter text, occurred_at timestamptz,
    amount numeric, currency text);
COMMENT ON FUNCTION {audit}.bookings_rows() IS 'Reads the view bookings.';
COMMENT ON VIEW {audit}.bookings IS
    'What each win credits to whom in which quarter, and what a reversal takes back. Stands where `attainment` stands.';
COMMENT ON COLUMN {audit}.bookings.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.bookings.event_id IS 'The deal_won, or what takes it back.';
COMMENT ON COLUMN {audit}.bookings.rep IS 'Who is credited.';
COMMENT ON COLUMN {audit}.bookings.kind IS 'revenue, whose shares of a win sum to the whole, or overlay.';
COMMENT ON COLUMN {audit}.bookings.quarter IS 'The fiscal quarter that it counts in.';
COMMENT ON COLUMN {audit}.bookings.occurred_at IS 'When, in the world.';
COMMENT ON COLUMN {audit}.bookings.amount IS 'How much; negative where a win is taken back.';
COMMENT ON COLUMN {audit}.bookings.currency IS 'Currency of the amount.';
