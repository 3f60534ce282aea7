-- Where events came in, with filters for the few values that there are. Those of before were made for
-- thousands a megabyte, and where the log ends in a summary, as that of a young ledger does, PostgreSQL
-- packs and writes them anew with each event that has no source.
-- Made first and dropped after, so that who reads waits only for the end.
CREATE INDEX events_came_in_leanly ON events USING brin (
    channel text_bloom_ops (n_distinct_per_range = 16),
    source_system text_bloom_ops (n_distinct_per_range = 16),
    clock text_bloom_ops (n_distinct_per_range = 16)
) WITH (autosummarize = on);
DROP INDEX events_came_in;
ALTER INDEX events_came_in_leanly RENAME TO events_came_in;

-- The append as before, which read all events of a stream to append to it: whether the first event of
-- a request is in the log already is looked up by its id, and only of what is sent again.
CREATE OR REPLACE FUNCTION append_events(asked json, sent_at timestamptz, resent boolean)
RETURNS TABLE (
    ordinal bigint, verdict text, version integer, first_position bigint, last_position bigint,
    recorded_at timestamptz, body_hash text, stream_id text
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
    -- The plan is kept from when the log was empty; it must look into indexes at any size.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    -- Made anew for each call, the plan takes longer than all that it does for one event.
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    now_ timestamptz;
BEGIN
    IF (abs(extract(epoch FROM statement_timestamp() - sent_at)) <= 5) IS NOT TRUE THEN
        RAISE EXCEPTION 'the clocks of application (%) and database (%) are apart',
            sent_at, statement_timestamp() USING ERRCODE = 'DT002';
    END IF;
    SELECT t.last_position, t.instant INTO head, now_ FROM take_head() t;
    RETURN QUERY
    WITH request AS (
        SELECT asked_.*, json_array_length(asked_.events) AS size
          FROM ROWS FROM (json_to_recordset(asked) AS (
               stream_id text, expected_version integer, caller text, key text, body_hash text,
               first_event_id uuid, events json)) WITH ORDINALITY asked_
    ), judged AS (
        SELECT r.*, coalesce(s.version, 0) AS current_version,
               k.version AS k_version, k.first_position AS k_first, k.last_position AS k_last,
               k.recorded_at AS k_recorded_at, k.body_hash AS k_body_hash,
               k.stream_id AS k_stream_id,
               o.version + r.size - 1 AS o_version, o.position AS o_first,
               o.position + r.size - 1 AS o_last, o.recorded_at AS o_recorded_at,
               CASE WHEN o.position IS NOT NULL THEN 'stored'
                    WHEN k.first_position IS NOT NULL THEN 'duplicate'
                    WHEN r.expected_version <> coalesce(s.version, 0) THEN 'conflict'
                    ELSE 'appended' END AS ruling
          FROM request r
          LEFT JOIN LATERAL (
               SELECT e.version FROM events e WHERE e.stream_id = r.stream_id
                ORDER BY e.version DESC LIMIT 1) s ON true
          LEFT JOIN LATERAL (
               SELECT q.* FROM requests q WHERE q.caller = r.caller AND q.key = r.key) k ON true
          LEFT JOIN LATERAL (
               SELECT e.version, e.position, e.recorded_at, e.stream_id FROM events e
                WHERE resent AND e.event_id = r.first_event_id LIMIT 1) o
               ON o.stream_id = r.stream_id
    ), placed AS MATERIALIZED (
        SELECT j.*, head - j.size + sum(j.size) FILTER (WHERE j.ruling = 'appended')
                                        OVER (ORDER BY j.ordinality) AS base
          FROM judged j
    ), written AS (
        INSERT INTO events (
               position, stream_id, version, event_id, topic, occurred_at, recorded_at,
               ingested_at, actor, on_behalf_of, channel, caller, idempotency_key,
               correlation_id, caused_by, clock, source_system, external_id, external_stream,
               file_sha256, source_recorded_at, data)
        SELECT p.base + e.ordinality, p.stream_id, p.current_version + e.ordinality, e.event_id,
               e.topic, e.occurred_at, now_, now_, e.actor, e.on_behalf_of, e.channel, p.caller,
               p.key, e.correlation_id, e.caused_by, 'server', e.source_system, e.external_id,
               e.external_stream, e.file_sha256, e.source_recorded_at, e.data
          FROM placed p CROSS JOIN LATERAL ROWS FROM (json_to_recordset(p.events) AS (
               event_id uuid, topic text, occurred_at timestamptz, actor text, on_behalf_of text,
               channel text, correlation_id text, caused_by uuid, source_system text,
               external_id text, external_stream text, file_sha256 text,
               source_recorded_at timestamptz, data json)) WITH ORDINALITY e
         WHERE p.ruling = 'appended'
    ), answered AS (
        INSERT INTO requests
        SELECT p.caller, p.key, p.body_hash, p.stream_id, p.current_version + p.size,
               p.base + 1, p.base + p.size, now_
          FROM placed p WHERE p.ruling = 'appended' AND p.key IS NOT NULL
    ), moved AS (
        UPDATE log_head h SET position = head + a.total, recorded_at = now_
          FROM (SELECT sum(p.size) AS total FROM placed p WHERE p.ruling = 'appended') a
         WHERE a.total > 0
    )
    SELECT p.ordinality, CASE p.ruling WHEN 'stored' THEN 'appended' ELSE p.ruling END,
           CASE p.ruling WHEN 'appended' THEN p.current_version + p.size
                WHEN 'conflict' THEN p.current_version WHEN 'stored' THEN p.o_version
                ELSE p.k_version END,
           CASE p.ruling WHEN 'appended' THEN (p.base + 1)::bigint
                WHEN 'stored' THEN p.o_first ELSE p.k_first END,
           CASE p.ruling WHEN 'appended' THEN (p.base + p.size)::bigint
                WHEN 'stored' THEN p.o_last ELSE p.k_last END,
           CASE p.ruling WHEN 'appended' THEN now_ WHEN 'stored' THEN p.o_recorded_at
                ELSE p.k_recorded_at END,
           p.k_body_hash, p.k_stream_id
      FROM placed p;
END
$$;
