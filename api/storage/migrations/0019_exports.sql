-- What a ledger exported comes back as the same facts: its events keep their ids, streams and
-- sources, and name each other by those ids.

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
        -- From here on filled in by the database.
        recorded_at        timestamptz,
        caused_by          uuid,
        fate               text CHECK (fate IN ('appended', 'duplicate', 'rejected')),
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
    ANALYZE pg_temp.import_lines;
END
$$;

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
           'import', importing_caller, l.caused_by, 'source',
           coalesce(l.source_system, importing_system), l.external_id,
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

-- An export is kept twice: as it was asked for, before its first byte, and as it ended.
ALTER TABLE accesses DROP CONSTRAINT accesses_kind_check;
ALTER TABLE accesses ADD CONSTRAINT accesses_kind_check
    CHECK (kind IN ('read', 'export', 'exported'));
ALTER TABLE accesses ADD COLUMN format text, ADD COLUMN after_position bigint,
    ADD COLUMN upto_position bigint, ADD COLUMN events bigint;
