-- Who may ask and write: credentials, sessions, and what auditors and exports read. None of it is
-- in the log: a hash is no fact about a deal, and all of it can be deleted.

-- Counts what ends or changes a credential, so that a process knows in one look whether what it
-- remembers still holds.
CREATE TABLE credential_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO credential_state (version) VALUES (0);

CREATE TABLE api_keys (
    id              text        PRIMARY KEY CHECK (id ~ '^[a-z0-9]{8}$'),
    member          text        NOT NULL,
    role            text        NOT NULL
        CHECK (role IN ('rep', 'manager', 'process_owner', 'auditor', 'admin')),
    scopes          text[],     -- null: all that the role may
    name            text        NOT NULL,
    secret_sha256   bytea       NOT NULL CHECK (octet_length(secret_sha256) = 32),
    previous_sha256 bytea       CHECK (octet_length(previous_sha256) = 32),
    previous_until  timestamptz,
    created_by      text        NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    rotated_at      timestamptz,
    revoked_at      timestamptz,
    last_used_at    timestamptz
);

CREATE TABLE sessions (
    id_sha256 bytea       PRIMARY KEY CHECK (octet_length(id_sha256) = 32),
    key_id    text        REFERENCES api_keys, -- null: opened with the token of the server
    opened_at timestamptz NOT NULL,
    seen_at   timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE accesses (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      text        NOT NULL,
    role       text        NOT NULL,
    credential text        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('read', 'export')),
    request    text        NOT NULL,
    request_id text        NOT NULL
);

CREATE FUNCTION count_credential_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE credential_state SET version = version + 1;
    RETURN NULL;
END
$$;

-- Not for last_used_at and seen_at, which change nothing; and a new row was remembered by nobody.
CREATE TRIGGER api_keys_changed AFTER DELETE OR TRUNCATE OR UPDATE OF
        member, role, scopes, secret_sha256, previous_sha256, previous_until, expires_at, revoked_at
    ON api_keys FOR EACH STATEMENT EXECUTE FUNCTION count_credential_change();
CREATE TRIGGER sessions_changed AFTER DELETE OR TRUNCATE OR UPDATE OF key_id, ends_at
    ON sessions FOR EACH STATEMENT EXECUTE FUNCTION count_credential_change();
CREATE TRIGGER accesses_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accesses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE api_keys ENABLE ALWAYS TRIGGER api_keys_changed;
ALTER TABLE sessions ENABLE ALWAYS TRIGGER sessions_changed;
ALTER TABLE accesses ENABLE ALWAYS TRIGGER accesses_append_only;
