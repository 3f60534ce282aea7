-- A clock that is set while an append waits for the head was right when the append was asked for, so
-- that nobody else can notice: a statement waits no longer than it may wait for a lock.
CREATE OR REPLACE FUNCTION take_head(OUT last_position bigint, OUT instant timestamptz)
    LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    asked_at timestamptz := statement_timestamp();
    patience interval := current_setting('lock_timeout')::interval;
    head_recorded_at timestamptz;
BEGIN
    SELECT h.position, h.recorded_at INTO STRICT last_position, head_recorded_at
      FROM log_head h FOR UPDATE;
    instant := clock_timestamp();
    IF instant < head_recorded_at - interval '5 seconds' THEN
        RAISE EXCEPTION 'it is %, and the log was already told something at %',
            instant, head_recorded_at USING ERRCODE = 'DT001';
    END IF;
    IF instant < asked_at - interval '5 seconds'
            OR patience > '0' AND instant > asked_at + patience + interval '5 seconds' THEN
        RAISE EXCEPTION 'the clock went from % to % while an append waited', asked_at, instant
            USING ERRCODE = 'DT001';
    END IF;
    instant := greatest(instant, head_recorded_at);
END
$$;
