-- What privileges need: functions that can be given to a role that holds nothing else, because
-- they trust nothing that their caller made. Who owns what, and who may do what, is declared in
-- api/storage/rights.py and brought about by `dealtrail migrate`, since roles have names of their own.

-- Never trusts a count that it was told: a forged one would leave a gap in the positions.
CREATE OR REPLACE FUNCTION append_events(asked json, sent_at timestamptz, resent boolean)
RETURNS TABLE (
    ordinal bigint, verdict text, version integer, first_position bigint, last_position bigint,
    recorded_at timestamptz, body_hash text, stream_id text
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
    -- The plan is kept from when the log was empty; it must look into indexes at any size.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
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
    WITH request AS MATERIALIZED (
        SELECT asked_.*, json_array_length(asked_.events) AS size
          FROM ROWS FROM (json_to_recordset(asked) AS (
               stream_id text, expected_version integer, caller text, key text, body_hash text,
               first_event_id uuid, events json)) WITH ORDINALITY asked_
    ), judged AS MATERIALIZED (
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
               SELECT e.version, e.position, e.recorded_at FROM events e
                WHERE resent AND e.event_id = r.first_event_id AND e.stream_id = r.stream_id
               ) o ON true
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
         ORDER BY p.ordinality, e.ordinality
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
      FROM placed p ORDER BY p.ordinality;
END
$$;

ALTER TABLE requests ADD CONSTRAINT requests_hold_events CHECK (last_position >= first_position);

-- Where the lines of one import wait, for as long as its session lasts. The owner of the log makes
-- it and its caller may only fill it in: a founding import reads it with the owner's rights, and a
-- view or a trigger of the caller's in its place would run with them too.
CREATE FUNCTION open_import() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    CREATE TEMPORARY TABLE import_lines (
        seq                bigint  PRIMARY KEY,
        stream_id          text    COLLATE "C" NOT NULL,
        is_deal            boolean NOT NULL,
        external_stream    text,
        external_id        text    NOT NULL,
        event_id           uuid    NOT NULL,
        topic              text    NOT NULL,
        data               text    NOT NULL,
        occurred_at        timestamptz NOT NULL,
        source_recorded_at timestamptz,
        actor              text    NOT NULL,
        on_behalf_of       text,
        cause              text,
        file               text    NOT NULL,
        row                bigint  NOT NULL,
        file_sha256        text,
        -- From here on filled in by the database.
        recorded_at        timestamptz,
        caused_by          uuid,
        fate               text CHECK (fate IN ('appended', 'duplicate', 'rejected')),
        reason             text
    );
    GRANT SELECT, INSERT, UPDATE ON import_lines TO SESSION_USER;
END
$$;

-- Comes once the lines are copied; only the owner of a table may do either.
CREATE FUNCTION index_import() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM ensure_import_lines();
    CREATE INDEX IF NOT EXISTS import_lines_external_id ON pg_temp.import_lines (external_id);
    ANALYZE pg_temp.import_lines;
END
$$;

-- Refuses an `import_lines` that `open_import` did not make.
CREATE FUNCTION ensure_import_lines() RETURNS void
    LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c
                    WHERE c.oid = to_regclass('pg_temp.import_lines') AND c.relkind = 'r'
                      AND pg_get_userbyid(c.relowner) = current_user) THEN
        RAISE EXCEPTION 'import_lines was not made by open_import' USING ERRCODE = '42501';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION founding_refusal() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    earliest timestamptz;
    latest timestamptz;
    head_recorded_at timestamptz;
BEGIN
    PERFORM ensure_import_lines();
    IF EXISTS (SELECT FROM events e WHERE e.stream_id >= 'deal:' AND e.stream_id < 'deal;') THEN
        RETURN 'the ledger has deals already; import without --founding';
    END IF;
    SELECT min(l.recorded_at), max(l.recorded_at) INTO earliest, latest
      FROM pg_temp.import_lines l WHERE l.fate IS NULL;
    SELECT h.recorded_at INTO STRICT head_recorded_at FROM log_head h;
    IF earliest < head_recorded_at THEN
        RETURN format('the log was told something at %s, after the first line of the import (%s); '
            'found an empty ledger and put its context into the import', head_recorded_at, earliest);
    END IF;
    IF latest > clock_timestamp() THEN
        RETURN format('a line of the import was recorded at %s, which lies in the future', latest);
    END IF;
    RETURN NULL;
END
$$;

-- Appends what the session's table `import_lines` holds, as its source recorded it, and counts it.
CREATE OR REPLACE FUNCTION append_founding(importing_system text, importing_caller text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    head bigint;
    now_ timestamptz;
    refusal text;
    total bigint;
BEGIN
    SELECT t.last_position, t.instant INTO head, now_ FROM take_head() t;
    refusal := founding_refusal();
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION '%', refusal USING ERRCODE = 'DT003';
    END IF;
    INSERT INTO events (
           position, stream_id, version, event_id, topic, occurred_at, recorded_at, ingested_at,
           actor, on_behalf_of, channel, caller, caused_by, clock, source_system, external_id,
           external_stream, file_sha256, source_recorded_at, data)
    SELECT head + row_number() OVER log, l.stream_id,
           coalesce(v.version, 0) + row_number() OVER (PARTITION BY l.stream_id
                ORDER BY l.recorded_at, l.is_deal, l.seq),
           l.event_id, l.topic, l.occurred_at, l.recorded_at, now_, l.actor, l.on_behalf_of,
           'import', importing_caller, l.caused_by, 'source', importing_system, l.external_id,
           l.external_stream, l.file_sha256, l.source_recorded_at, l.data::json
      FROM pg_temp.import_lines l
      LEFT JOIN (SELECT e.stream_id, max(e.version) AS version FROM events e
                  GROUP BY e.stream_id) v ON v.stream_id = l.stream_id
     WHERE l.fate IS NULL
    WINDOW log AS (ORDER BY l.recorded_at, l.is_deal, l.seq)
     ORDER BY 1;
    GET DIAGNOSTICS total = ROW_COUNT;
    UPDATE log_head h
       SET position = head + total,
           recorded_at = (SELECT max(l.recorded_at) FROM pg_temp.import_lines l WHERE l.fate IS NULL)
     WHERE total > 0;
    PERFORM pg_notify('dealtrail_log', format('%s:%s', current_schema(), head + total));
    RETURN total;
END
$$;

-- Puts tables that were made anew in `<ledger>_next` in the place of the live ones, which go to
-- `<ledger>_previous`. The caller must own both; those who may read the old may read the new.
CREATE FUNCTION swap_projection(swapped text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    ledger text := current_schema();
    beside text := ledger || '_next';
    swapped_name text;
    held record;
BEGIN
    FOREACH swapped_name IN ARRAY swapped LOOP
        IF 2 <> (SELECT count(*) FROM pg_class c
                  WHERE c.relname = swapped_name AND c.relkind = 'r'
                    AND c.relnamespace IN (to_regnamespace(quote_ident(ledger)), to_regnamespace(quote_ident(beside)))
                    AND pg_has_role(session_user, c.relowner, 'USAGE')) THEN
            RAISE EXCEPTION '% is no projection of %, live and beside', swapped_name, session_user
                USING ERRCODE = '42501';
        END IF;
        FOR held IN
            SELECT a.privilege_type AS privilege, a.grantee, pg_get_userbyid(a.grantee) AS grantee_name
              FROM pg_class c, aclexplode(c.relacl) a
             WHERE c.relname = swapped_name AND c.relnamespace = to_regnamespace(quote_ident(ledger))
               AND a.grantee NOT IN (0, c.relowner)
        LOOP
            EXECUTE format('GRANT %s ON %I.%I TO %I',
                held.privilege, beside, swapped_name, held.grantee_name);
        END LOOP;
        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', ledger, swapped_name, ledger || '_previous');
        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', beside, swapped_name, ledger);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION open_import(), index_import(), ensure_import_lines(),
    swap_projection(text[]) FROM PUBLIC;
