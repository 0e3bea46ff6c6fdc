-- What opens the personal data in the log, each sealed by a master key that is not in the database.
--
-- Whoever is erased keeps a row without a key, so that nobody gives them a new one. Keep backups of
-- this table for a short time only: an erasure does not reach them.
CREATE TABLE personal_keys (
    subject_id uuid        NOT NULL PRIMARY KEY,
    tenant_id  uuid        NOT NULL,
    sealed_key bytea,
    made_at    timestamptz NOT NULL,
    erased_at  timestamptz,
    CHECK ((sealed_key IS NULL) = (erased_at IS NOT NULL))
);

-- The master keys that have sealed any of them, by name.
CREATE TABLE master_keys (
    key_id     text        NOT NULL PRIMARY KEY,
    entered_at timestamptz NOT NULL,
    -- Nothing is sealed with it any more.
    retired_at timestamptz
);

-- Where there is no master key from outside: a database for development, whose personal data is
-- then protected from nobody who has it.
CREATE TABLE development_master_key (
    only_one boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (only_one),
    -- In base64.
    key      text    NOT NULL
);

-- The same keys under a new master key. One that is no longer what it was is left alone: it may
-- have been destroyed.
CREATE FUNCTION reseal_personal_keys(subjects uuid[], old bytea[], new bytea[]) RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    UPDATE personal_keys k SET sealed_key = r.new
    FROM unnest(subjects, old, new) AS r (subject, old, new)
    WHERE k.subject_id = r.subject AND k.sealed_key = r.old;
$$;

-- Whoever is erased cannot come in any more. In the transaction of the erasure, so that nothing of
-- it can be left undone; access tokens that are still good are found among the sessions that ended.
CREATE FUNCTION forget_who_is_erased() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
    DELETE FROM credentials WHERE account_id = NEW.subject_id;
    UPDATE sessions SET
        user_agent = NULL,
        ended_at = coalesce(ended_at, NEW.erased_at),
        end_reason = coalesce(end_reason, 'erased')
    WHERE account_id = NEW.subject_id;
    UPDATE api_keys SET
        name = '',
        revoked_at = coalesce(revoked_at, NEW.erased_at)
    WHERE account_id = NEW.subject_id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER personal_keys_erased
    AFTER UPDATE ON personal_keys
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL)
    EXECUTE FUNCTION forget_who_is_erased();

REVOKE ALL ON FUNCTION reseal_personal_keys, forget_who_is_erased FROM PUBLIC;
SELECT grant_to('soko_app', 'SELECT ON personal_keys');
SELECT grant_to('soko_app', 'EXECUTE ON FUNCTION reseal_personal_keys');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE ON master_keys');
SELECT grant_to('soko_app', 'SELECT, INSERT ON development_master_key');
