-- An import goes to the log in windows, each written by the database from the lines that wait there:
-- they need not travel out and in again.

CREATE OR REPLACE FUNCTION open_import() RETURNS void
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
        -- NULL: the source of the whole import.
        source_system      text,
        -- The cause, where it may be the id of an event.
        cause_id           uuid,
        -- The event that this one is about, by its id.
        refers_to          uuid,
        -- NULL: of context that the source does not date, filled in by the database.
        recorded_at        timestamptz,
        -- From here on filled in by the database.
        caused_by          uuid,
        -- NULL: it goes to the log, or went there in the last pass.
        fate               text CHECK (fate IN ('appended', 'duplicate', 'rejected', 'overtaken')),
        reason             text
    );
    GRANT SELECT, INSERT, UPDATE ON import_lines TO SESSION_USER;
END
$$;

CREATE OR REPLACE FUNCTION index_import() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM ensure_import_lines();
    CREATE INDEX IF NOT EXISTS import_lines_external_id ON pg_temp.import_lines (external_id);
    CREATE INDEX IF NOT EXISTS import_lines_event_id ON pg_temp.import_lines (event_id);
    -- Not the payloads, which nothing looks for and which take the longest.
    ANALYZE pg_temp.import_lines (seq, external_id, event_id, cause, cause_id, refers_to, fate);
END
$$;

-- Appends the chosen lines of the session's table `import_lines` at the time of the log, and counts
-- them. What another import of this source appended since they were looked at becomes `overtaken`.
CREATE FUNCTION append_import(
    importing_system text, importing_caller text, sent_at timestamptz, chosen bigint[]
) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
    -- Planned before there is much of either: it must look into indexes at any size.
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    head bigint;
    now_ timestamptz;
    total bigint;
BEGIN
    PERFORM ensure_import_lines();
    IF (abs(extract(epoch FROM statement_timestamp() - sent_at)) <= 5) IS NOT TRUE THEN
        RAISE EXCEPTION 'the clocks of application (%) and database (%) are apart',
            sent_at, statement_timestamp() USING ERRCODE = 'DT002';
    END IF;
    SELECT t.last_position, t.instant INTO head, now_ FROM take_head() t;
    UPDATE pg_temp.import_lines l SET fate = 'overtaken'
     WHERE l.seq = ANY (chosen) AND l.fate IS NULL
       AND (EXISTS (SELECT FROM events e
                     WHERE e.source_system = coalesce(l.source_system, importing_system)
                       AND e.external_id = l.external_id)
            OR EXISTS (SELECT FROM events e WHERE e.event_id = l.event_id));
    INSERT INTO events (
           position, stream_id, version, event_id, topic, occurred_at, recorded_at, ingested_at,
           actor, on_behalf_of, channel, caller, caused_by, clock, source_system, external_id,
           external_stream, file_sha256, source_recorded_at, data)
    SELECT head + row_number() OVER log, l.stream_id,
           coalesce(v.version, 0) + row_number() OVER stream,
           l.event_id, l.topic, l.occurred_at, now_, now_, l.actor, l.on_behalf_of,
           'import', importing_caller, l.caused_by, 'server',
           coalesce(l.source_system, importing_system), l.external_id,
           l.external_stream, l.file_sha256, l.source_recorded_at, l.data::json
      FROM pg_temp.import_lines l
      LEFT JOIN LATERAL (
           SELECT e.version FROM events e WHERE e.stream_id = l.stream_id
            ORDER BY e.version DESC LIMIT 1) v ON true
     WHERE l.seq = ANY (chosen) AND l.fate IS NULL
    WINDOW log AS (ORDER BY l.is_deal, l.stream_id, l.occurred_at, l.seq),
           stream AS (PARTITION BY l.is_deal, l.stream_id ORDER BY l.occurred_at, l.seq)
     ORDER BY 1;
    GET DIAGNOSTICS total = ROW_COUNT;
    UPDATE log_head h SET position = head + total, recorded_at = now_ WHERE total > 0;
    PERFORM pg_notify('dealtrail_log', format('%s:%s', current_schema(), head + total))
      WHERE total > 0;
    RETURN total;
END
$$;
