-- A line says since when its source states it so, so that a newer export may state it otherwise.

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
        -- From here on filled in by the database.
        caused_by          uuid,
        -- NULL: it goes to the log, or went there in the last pass.
        fate               text CHECK (fate IN ('appended', 'duplicate', 'rejected', 'overtaken')),
        reason             text
    );
    GRANT SELECT, INSERT, UPDATE ON import_lines TO SESSION_USER;
END
$$;
