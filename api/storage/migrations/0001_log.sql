-- The log, its head, the answers already given, and the one way to append.
-- The session's search_path names the ledger's schema alone, and the functions keep it.

CREATE TABLE events (
    position           bigint      PRIMARY KEY CHECK (position > 0),
    -- Compared as bytes, so that all streams of a kind lie in one range of the index.
    stream_id          text        COLLATE "C" NOT NULL,
    version            integer     NOT NULL CHECK (version > 0),
    event_id           uuid        NOT NULL UNIQUE,
    topic              text        NOT NULL,
    occurred_at        timestamptz NOT NULL,
    recorded_at        timestamptz NOT NULL,
    ingested_at        timestamptz NOT NULL,
    actor              text        NOT NULL,
    on_behalf_of       text,
    channel            text        NOT NULL CHECK (channel IN ('ui', 'api', 'import', 'rule')),
    caller             text        NOT NULL,
    idempotency_key    text,
    correlation_id     text,
    caused_by          uuid,
    clock              text        NOT NULL CHECK (clock IN ('server', 'source')),
    source_system      text,
    external_id        text,
    external_stream    text,
    file_sha256        text,
    source_recorded_at timestamptz,
    -- json and not jsonb, which would reorder the keys of what is hashed.
    data               json        NOT NULL,
    CONSTRAINT events_stream_version UNIQUE (stream_id, version),
    CONSTRAINT events_server_clock CHECK (clock = 'source' OR recorded_at = ingested_at)
);
CREATE UNIQUE INDEX events_external_id ON events (source_system, external_id)
    WHERE external_id IS NOT NULL;
CREATE INDEX events_external_stream ON events (external_stream) WHERE external_stream IS NOT NULL;
CREATE INDEX events_topic ON events (topic, position);
-- recorded_at never decreases along the positions, so its last entry up to an instant is as-of.
CREATE INDEX events_recorded_at ON events (recorded_at, position);

-- One row, locked by every append: positions are gapless and in the order of commits.
CREATE TABLE log_head (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    position    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head (position, recorded_at) VALUES (0, '-infinity');

CREATE TABLE requests (
    caller         text        NOT NULL,
    key            text        NOT NULL,
    body_hash      text        NOT NULL,
    stream_id      text        COLLATE "C" NOT NULL,
    version        integer     NOT NULL,
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);

CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: what the log says stays said', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'DT010';
END
$$;

CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER requests_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON requests
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_head_stays BEFORE DELETE OR TRUNCATE ON log_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- ALWAYS: they hold in a session that plays a replica, too.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;
ALTER TABLE requests ENABLE ALWAYS TRIGGER requests_append_only;
ALTER TABLE log_head ENABLE ALWAYS TRIGGER log_head_stays;

-- Locks the head until the end of the transaction and tells what time the log has.
CREATE FUNCTION take_head(OUT last_position bigint, OUT instant timestamptz)
    LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    head_recorded_at timestamptz;
BEGIN
    SELECT h.position, h.recorded_at INTO STRICT last_position, head_recorded_at
      FROM log_head h FOR UPDATE;
    instant := clock_timestamp();
    IF instant < head_recorded_at - interval '5 seconds' THEN
        RAISE EXCEPTION 'it is %, and the log was already told something at %',
            instant, head_recorded_at USING ERRCODE = 'DT001';
    END IF;
    instant := greatest(instant, head_recorded_at);
END
$$;

-- Appends independent requests. `asked` is a list of objects {stream_id, expected_version, caller,
-- key, body_hash, size, first_event_id, events}; no stream and no (caller, key) comes twice.
-- `sent_at` is the caller's clock. `resent` is set when these requests may be stored already: one
-- whose first event is in the log is answered as it was, and not stored again.
CREATE FUNCTION append_events(asked json, sent_at timestamptz, resent boolean)
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
    IF abs(extract(epoch FROM statement_timestamp() - sent_at)) > 5 THEN
        RAISE EXCEPTION 'the clocks of application (%) and database (%) are apart',
            sent_at, statement_timestamp() USING ERRCODE = 'DT002';
    END IF;
    SELECT t.last_position, t.instant INTO head, now_ FROM take_head() t;
    RETURN QUERY
    WITH request AS MATERIALIZED (
        SELECT *
          FROM ROWS FROM (json_to_recordset(asked) AS (
               stream_id text, expected_version integer, caller text, key text, body_hash text,
               size integer, first_event_id uuid, events json)) WITH ORDINALITY
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

-- Why a founding import of the session's table `import_lines` is refused; NULL if it is not.
CREATE FUNCTION founding_refusal() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    earliest timestamptz;
    head_recorded_at timestamptz;
BEGIN
    IF EXISTS (SELECT FROM events e WHERE e.stream_id >= 'deal:' AND e.stream_id < 'deal;') THEN
        RETURN 'the ledger has deals already; import without --founding';
    END IF;
    SELECT min(l.recorded_at) INTO earliest FROM import_lines l WHERE l.fate IS NULL;
    SELECT h.recorded_at INTO STRICT head_recorded_at FROM log_head h;
    IF earliest < head_recorded_at THEN
        RETURN format('the log was told something at %s, after the first line of the import (%s); '
            'found an empty ledger and put its context into the import', head_recorded_at, earliest);
    END IF;
    RETURN NULL;
END
$$;

-- Appends what the session's table `import_lines` holds, as its source recorded it, and counts it.
CREATE FUNCTION append_founding(importing_system text, importing_caller text) RETURNS bigint
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
      FROM import_lines l
      LEFT JOIN (SELECT e.stream_id, max(e.version) AS version FROM events e
                  GROUP BY e.stream_id) v ON v.stream_id = l.stream_id
     WHERE l.fate IS NULL
    WINDOW log AS (ORDER BY l.recorded_at, l.is_deal, l.seq)
     ORDER BY 1;
    GET DIAGNOSTICS total = ROW_COUNT;
    UPDATE log_head h
       SET position = head + total,
           recorded_at = (SELECT max(l.recorded_at) FROM import_lines l WHERE l.fate IS NULL)
     WHERE total > 0;
    PERFORM pg_notify('dealtrail_log', format('%s:%s', current_schema(), head + total));
    RETURN total;
END
$$;

-- The roles of a ledger come with their own migration; until then its owner is its one user.
REVOKE ALL ON FUNCTION take_head(), append_events(json, timestamptz, boolean),
    founding_refusal(), append_founding(text, text) FROM PUBLIC;
