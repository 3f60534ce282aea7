-- The log itself, what corrects it, and where everything stands. Names in braces are the ledger's
-- schema and that of these views. CREATE OR REPLACE only ever adds columns at the end: that is the
-- rule by which a version of the views goes on, and PostgreSQL holds it.

CREATE OR REPLACE VIEW {audit}.fiscal_quarters WITH (security_invoker) AS
SELECT name, fiscal_year, number, first_day, last_day, zone, from_instant, to_instant
  FROM {ledger}.audit_quarters;
COMMENT ON VIEW {audit}.fiscal_quarters IS
    'The fiscal quarters of everything in the log, and of three years after it. An instant lies in the one quarter with from_instant <= instant < to_instant, a local day in the one with first_day <= day <= last_day.';
COMMENT ON COLUMN {audit}.fiscal_quarters.name IS 'Such as FY2026Q3; a fiscal year is named by the year it ends in. Two rows have one name where another calendar came into force within it.';
COMMENT ON COLUMN {audit}.fiscal_quarters.fiscal_year IS 'The year that the fiscal year ends in.';
COMMENT ON COLUMN {audit}.fiscal_quarters.number IS '1 to 4.';
COMMENT ON COLUMN {audit}.fiscal_quarters.first_day IS 'Its first local day, as its calendar plans it.';
COMMENT ON COLUMN {audit}.fiscal_quarters.last_day IS 'Its last local day, included.';
COMMENT ON COLUMN {audit}.fiscal_quarters.zone IS 'The IANA zone whose local days these are.';
COMMENT ON COLUMN {audit}.fiscal_quarters.from_instant IS 'Its first instant; later than midnight of first_day only where its calendar came into force within it.';
COMMENT ON COLUMN {audit}.fiscal_quarters.to_instant IS 'The first instant that is not in it any more.';

-- The quarters are looked up in lists that are made once for a question, and not row by row.
CREATE OR REPLACE VIEW {audit}.events WITH (security_invoker) AS
SELECT e.position, e.event_id, e.stream_id, e.version,
       CASE WHEN e.stream_id LIKE 'deal:%' THEN substr(e.stream_id, 6)::uuid END AS deal_id,
       split_part(e.topic, '.', 2) AS type, e.topic, e.occurred_at, e.recorded_at, e.ingested_at,
       t.told_at, coalesce(e.on_behalf_of, e.actor) AS rep, e.actor, e.on_behalf_of, e.channel,
       e.clock,
       CASE WHEN e.occurred_at < q.ends[width_bucket(e.occurred_at, q.starts)]
            THEN q.names[width_bucket(e.occurred_at, q.starts)] END AS quarter,
       CASE WHEN t.told_at < q.ends[width_bucket(t.told_at, q.starts)]
            THEN q.names[width_bucket(t.told_at, q.starts)] END AS told_quarter,
       e.caused_by, e.correlation_id, e.idempotency_key, e.source_system, e.external_id,
       e.external_stream, e.file_sha256, e.source_recorded_at, e.data::jsonb AS data,
       c.how AS corrected_how, c.event_id AS corrected_by,
       CASE c.how WHEN 'retracted' THEN NULL WHEN 'amended' THEN c.data::jsonb
            ELSE e.data::jsonb END AS data_in_force,
       e.data::text AS data_text
  FROM {ledger}.events e
 CROSS JOIN LATERAL (
       SELECT CASE WHEN e.channel = 'import' AND e.clock = 'server' THEN e.source_recorded_at
                   ELSE e.recorded_at END AS told_at) t
 CROSS JOIN (
       SELECT array_agg(name ORDER BY from_instant) AS names,
              array_agg(from_instant ORDER BY from_instant) AS starts,
              array_agg(to_instant ORDER BY from_instant) AS ends
         FROM {ledger}.audit_quarters) q
  -- An event may be retracted twice: the later one counts. Written so that the planner may begin
  -- with the corrections, which are few, and need not look for one at every event.
  LEFT JOIN (
       SELECT a.corrected_event_id, a.how, a.event_id, k.data -> 'data' AS data
         FROM {ledger}.audit_corrections a JOIN {ledger}.events k USING (event_id)
        WHERE a.in_force AND NOT EXISTS (
              SELECT FROM {ledger}.audit_corrections b JOIN {ledger}.events l USING (event_id)
               WHERE b.corrected_event_id = a.corrected_event_id AND b.in_force
                 AND b.event_id <> a.event_id AND l.position > k.position)) c
    ON c.corrected_event_id = e.event_id;
COMMENT ON VIEW {audit}.events IS
    'Every event of the log as it was told, corrections included and never applied to `data`. Stands at the head of the log; the columns quarter, told_quarter, corrected_how, corrected_by and data_in_force stand where `audit` stands (see standing).';
COMMENT ON COLUMN {audit}.events.position IS 'Place in the log, from 1 without a gap, in the order of commits.';
COMMENT ON COLUMN {audit}.events.event_id IS 'Id of the event.';
COMMENT ON COLUMN {audit}.events.stream_id IS 'What it is about: `deal:<id>`, `quota:<who>:<quarter>`, `forecast:<who>:<quarter>`, `process:<id>`, `policy`, `calendar`, `organisation`, `rates`.';
COMMENT ON COLUMN {audit}.events.version IS 'Place in its stream, from 1 without a gap.';
COMMENT ON COLUMN {audit}.events.deal_id IS 'The deal, of a deal''s event. An index finds the events of one by stream_id.';
COMMENT ON COLUMN {audit}.events.type IS 'What happened, as docs/events.md lists it.';
COMMENT ON COLUMN {audit}.events.topic IS 'Stored name of the type, with its version.';
COMMENT ON COLUMN {audit}.events.occurred_at IS 'When it happened in the world, as its teller says.';
COMMENT ON COLUMN {audit}.events.recorded_at IS 'When the system of record was told: the clock of the server, that of the source where `clock` is `source`. Never decreases along the positions.';
COMMENT ON COLUMN {audit}.events.ingested_at IS 'When this ledger got it, by its own clock.';
COMMENT ON COLUMN {audit}.events.told_at IS 'When the system was told that first recorded it: recorded_at, but of an ordinary import the time of its source, null where the source does not say it. Lateness is told_at - occurred_at.';
COMMENT ON COLUMN {audit}.events.rep IS 'Whom it is attributed to: on_behalf_of where given, else the actor.';
COMMENT ON COLUMN {audit}.events.actor IS 'Whose credential told it.';
COMMENT ON COLUMN {audit}.events.on_behalf_of IS 'Who acted, where that is not the actor.';
COMMENT ON COLUMN {audit}.events.channel IS 'ui, api, import or rule.';
COMMENT ON COLUMN {audit}.events.clock IS 'Whose clock recorded_at is of: server, or source (a founding import).';
COMMENT ON COLUMN {audit}.events.quarter IS 'Fiscal quarter of occurred_at; null outside every calendar.';
COMMENT ON COLUMN {audit}.events.told_quarter IS 'Fiscal quarter of told_at. An event with an earlier quarter than this was dated back across the end of a quarter.';
COMMENT ON COLUMN {audit}.events.caused_by IS 'The event that its teller names as its cause.';
COMMENT ON COLUMN {audit}.events.correlation_id IS 'Its teller''s name for what belongs together.';
COMMENT ON COLUMN {audit}.events.idempotency_key IS 'The key of the request that told it.';
COMMENT ON COLUMN {audit}.events.source_system IS 'Of an import: the system that it comes from.';
COMMENT ON COLUMN {audit}.events.external_id IS 'Of an import: its id there.';
COMMENT ON COLUMN {audit}.events.external_stream IS 'Of an import: what it is about there.';
COMMENT ON COLUMN {audit}.events.file_sha256 IS 'Of an import: the digest of the file that it came with.';
COMMENT ON COLUMN {audit}.events.source_recorded_at IS 'Of an import: when its source was told, as that says.';
COMMENT ON COLUMN {audit}.events.data IS 'The payload as told; the fields of each type are in docs/events.md.';
COMMENT ON COLUMN {audit}.events.corrected_how IS 'How it reads now: amended, retracted, null for as told.';
COMMENT ON COLUMN {audit}.events.corrected_by IS 'The correction in force.';
COMMENT ON COLUMN {audit}.events.data_in_force IS 'The payload that all figures are made with: that of the amendment in force, null where the event is retracted, else data.';
COMMENT ON COLUMN {audit}.events.data_text IS 'The payload as stored, to the byte.';

CREATE OR REPLACE VIEW {audit}.corrections WITH (security_invoker) AS
SELECT c.deal_id, c.event_id, c.corrected_event_id, c.how, c.in_force, k.data ->> 'reason' AS reason,
       coalesce(k.on_behalf_of, k.actor) AS rep, k.occurred_at, k.recorded_at, k.position,
       split_part(e.topic, '.', 2) AS corrected_type, e.recorded_at AS corrected_recorded_at,
       coalesce(e.on_behalf_of, e.actor) AS corrected_rep, e.data::jsonb AS data_told,
       (k.data -> 'data')::jsonb AS data_amended
  FROM {ledger}.audit_corrections c
  JOIN {ledger}.events k ON k.event_id = c.event_id
  JOIN {ledger}.events e ON e.event_id = c.corrected_event_id;
COMMENT ON VIEW {audit}.corrections IS
    'Every amendment and retraction with the event that it corrects: both versions side by side. Stands where `audit` stands.';
COMMENT ON COLUMN {audit}.corrections.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.corrections.event_id IS 'The correction, an event itself.';
COMMENT ON COLUMN {audit}.corrections.corrected_event_id IS 'The event that it corrects; may be a correction.';
COMMENT ON COLUMN {audit}.corrections.how IS 'amended or retracted.';
COMMENT ON COLUMN {audit}.corrections.in_force IS 'Whether figures use it: not where it was retracted itself, where a later amendment replaced it, where the amended event was retracted, and where the event is of another deal.';
COMMENT ON COLUMN {audit}.corrections.reason IS 'Why, as its teller says.';
COMMENT ON COLUMN {audit}.corrections.rep IS 'Who corrected.';
COMMENT ON COLUMN {audit}.corrections.occurred_at IS 'When, as its teller says.';
COMMENT ON COLUMN {audit}.corrections.recorded_at IS 'When the system of record was told.';
COMMENT ON COLUMN {audit}.corrections.position IS 'Its place in the log: before it, the event read otherwise.';
COMMENT ON COLUMN {audit}.corrections.corrected_type IS 'The type of the corrected event.';
COMMENT ON COLUMN {audit}.corrections.corrected_recorded_at IS 'When the corrected event was recorded.';
COMMENT ON COLUMN {audit}.corrections.corrected_rep IS 'Whom the corrected event is attributed to.';
COMMENT ON COLUMN {audit}.corrections.data_told IS 'The payload as it was told first.';
COMMENT ON COLUMN {audit}.corrections.data_amended IS 'The payload that replaces it; null for a retraction.';

CREATE OR REPLACE VIEW {audit}.standing WITH (security_invoker) AS
SELECT 'log' AS name, h.position, nullif(h.recorded_at, '-infinity') AS recorded_at,
       0::bigint AS behind, NULL::interval AS waiting, now() AS asked_at
  FROM {ledger}.log_head h
UNION ALL
SELECT p.name, p.position,
       (SELECT e.recorded_at FROM {ledger}.events e WHERE e.position = p.position),
       h.position - p.position,
       now() - (SELECT e.ingested_at FROM {ledger}.events e WHERE e.position = p.position + 1),
       now()
  FROM {ledger}.projections p CROSS JOIN {ledger}.log_head h;
COMMENT ON VIEW {audit}.standing IS
    'Where the log and every projection stand. A view that stands where a projection stands knows nothing of later events; within one transaction at REPEATABLE READ all of them stand still.';
COMMENT ON COLUMN {audit}.standing.name IS '`log`, or a projection: `spans` for deals, `attainment` for bookings, `progress` for ticks, `audit` for all else.';
COMMENT ON COLUMN {audit}.standing.position IS 'The last position that it has taken in.';
COMMENT ON COLUMN {audit}.standing.recorded_at IS 'When the event at that position was recorded.';
COMMENT ON COLUMN {audit}.standing.behind IS 'How many events of the log it has not taken in.';
COMMENT ON COLUMN {audit}.standing.waiting IS 'How long the first of them has been waiting; null where there is none.';
COMMENT ON COLUMN {audit}.standing.asked_at IS 'The instant of this question: statuses that change by time alone are told for it.';

CREATE OR REPLACE VIEW {audit}.parked WITH (security_invoker) AS
SELECT projection, deal_id, position, reason FROM {ledger}.parked;
COMMENT ON VIEW {audit}.parked IS
    'Deals with an event that a projection cannot read or fold. The projection holds them as they were before it, and those of `audit` have no rows; nothing of the log is missing.';
COMMENT ON COLUMN {audit}.parked.projection IS 'The projection.';
COMMENT ON COLUMN {audit}.parked.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.parked.position IS 'The position before which it stands still.';
COMMENT ON COLUMN {audit}.parked.reason IS 'What went wrong.';
