-- Lines of one moment go to the log in the order that they state, in whatever order a file has them: a
-- deal is opened first, and what a ledger exported stands as it stood there.

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
        -- Since when the source states it so; NULL: what it says under an id is said for ever.
        stated_at          timestamptz,
        -- Its place among the lines of its stream that share their moment; then they are as given.
        place              bigint NOT NULL DEFAULT 9223372036854775807,
        -- From here on filled in by the database.
        caused_by          uuid,
        -- NULL: it goes to the log, or went there in the last pass.
        fate               text CHECK (fate IN ('appended', 'duplicate', 'rejected', 'overtaken')),
        reason             text
    );
    GRANT SELECT, INSERT, UPDATE ON import_lines TO SESSION_USER;
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
                ORDER BY l.recorded_at, l.is_deal, l.place, l.seq),
           l.event_id, l.topic, l.occurred_at, l.recorded_at, now_, l.actor, l.on_behalf_of,
           'import', importing_caller, l.caused_by, 'source',
           coalesce(l.source_system, importing_system), l.external_id,
           l.external_stream, l.file_sha256, l.source_recorded_at, l.data::json
      FROM pg_temp.import_lines l
      LEFT JOIN (SELECT e.stream_id, max(e.version) AS version FROM events e
                  GROUP BY e.stream_id) v ON v.stream_id = l.stream_id
     WHERE l.fate IS NULL
    WINDOW log AS (ORDER BY l.recorded_at, l.is_deal, l.place, l.seq);
    GET DIAGNOSTICS total = ROW_COUNT;
    UPDATE log_head h
       SET position = head + total,
           recorded_at = (SELECT max(l.recorded_at) FROM pg_temp.import_lines l WHERE l.fate IS NULL)
     WHERE total > 0;
    PERFORM pg_notify('dealtrail_log', format('%s:%s', current_schema(), head + total));
    RETURN total;
END
$$;

CREATE OR REPLACE FUNCTION append_import(
    importing_system text, importing_caller text, sent_at timestamptz, known_upto bigint,
    chosen bigint[]
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
    IF (head = known_upto) IS NOT TRUE THEN
        -- Joins, and not two EXISTS, which would hash the whole log in every window.
        UPDATE pg_temp.import_lines l SET fate = 'overtaken'
          FROM (SELECT o.seq FROM pg_temp.import_lines o
                  JOIN events e ON e.source_system = coalesce(o.source_system, importing_system)
                                AND e.external_id = o.external_id
                 WHERE o.seq = ANY (chosen) AND o.fate IS NULL
                UNION
                SELECT o.seq FROM pg_temp.import_lines o JOIN events e ON e.event_id = o.event_id
                 WHERE o.seq = ANY (chosen) AND o.fate IS NULL) stored
         WHERE l.seq = stored.seq;
    END IF;
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
    WINDOW log AS (ORDER BY l.is_deal, l.stream_id, l.occurred_at, l.place, l.seq),
           stream AS (PARTITION BY l.is_deal, l.stream_id ORDER BY l.occurred_at, l.place, l.seq);
    GET DIAGNOSTICS total = ROW_COUNT;
    UPDATE log_head h SET position = head + total, recorded_at = now_ WHERE total > 0;
    PERFORM pg_notify('dealtrail_log', format('%s:%s', current_schema(), head + total))
      WHERE total > 0;
    RETURN total;
END
$$;
