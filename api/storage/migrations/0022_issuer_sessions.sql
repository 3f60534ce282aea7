-- Sessions that the issuer opened name the member themselves; their role is the organisation's.
ALTER TABLE sessions
    ADD COLUMN member text CHECK (member <> ''),
    ADD CONSTRAINT opened_with_one_thing CHECK (key_id IS NULL OR member IS NULL);
DROP TRIGGER sessions_changed ON sessions;
CREATE TRIGGER sessions_changed AFTER DELETE OR TRUNCATE OR UPDATE OF key_id, member, ends_at
    ON sessions FOR EACH STATEMENT EXECUTE FUNCTION count_credential_change();
ALTER TABLE sessions ENABLE ALWAYS TRIGGER sessions_changed;
