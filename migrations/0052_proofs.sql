-- How people show who they are beside their password. As with passwords, none of it is part of the log.

-- What somebody was sent, to show by it that it reached them. There is one for each purpose: who asks
-- again gets another, and the one before is good for nothing.
CREATE TABLE proofs (
    account_id  uuid        NOT NULL,
    purpose     text        NOT NULL CHECK (purpose IN ('verify_email', 'verify_phone', 'reset_password')),
    -- SHA-256 of what was sent, with its purpose; of a short code with its account and phone, too.
    secret_hash bytea       NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    -- Wrong codes since it was sent.
    failures    integer     NOT NULL DEFAULT 0,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, purpose)
);
CREATE INDEX proofs_expiring ON proofs (expires_at);

-- The secret that an authenticator app shares with us.
CREATE TABLE second_factors (
    account_id    uuid        NOT NULL PRIMARY KEY,
    -- By the master key.
    sealed_secret bytea       NOT NULL,
    made_at       timestamptz NOT NULL,
    -- When a code of it was first shown: until then it is only on offer.
    confirmed_at  timestamptz,
    -- The latest time step whose code was taken: each is good once.
    last_step     bigint      NOT NULL DEFAULT 0
);

-- What opens an account whose authenticator is lost; each is deleted when it is used.
CREATE TABLE recovery_codes (
    account_id uuid  NOT NULL REFERENCES second_factors ON DELETE CASCADE,
    code_hash  bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    PRIMARY KEY (account_id, code_hash)
);

-- When a session last showed the second factor.
ALTER TABLE sessions ADD second_factor_at timestamptz;

-- Messages to people that are still to be sent.
CREATE TABLE messages (
    message_id uuid        NOT NULL PRIMARY KEY,
    -- Whom it is about, where that is known: whoever asks for a reset is nobody yet.
    account_id uuid,
    -- What it is to say, by the master key.
    sealed     bytea       NOT NULL,
    -- When it is tried next; while somebody tries, when it is left to others.
    due_at     timestamptz NOT NULL,
    attempts   integer     NOT NULL DEFAULT 0,
    -- What was not sent by then is of no use any more.
    expires_at timestamptz NOT NULL
);
CREATE INDEX messages_due ON messages (due_at);
CREATE INDEX messages_of_account ON messages (account_id);

-- Whoever is erased has none of it left: as `forget_who_is_erased`, in the transaction of the erasure.
CREATE FUNCTION forget_proofs_of_who_is_erased() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
    DELETE FROM proofs WHERE account_id = NEW.subject_id;
    DELETE FROM second_factors WHERE account_id = NEW.subject_id;
    DELETE FROM messages WHERE account_id = NEW.subject_id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER personal_keys_erased_proofs
    AFTER UPDATE ON personal_keys
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL)
    EXECUTE FUNCTION forget_proofs_of_who_is_erased();
REVOKE ALL ON FUNCTION forget_proofs_of_who_is_erased FROM PUBLIC;

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON proofs, second_factors, recovery_codes, messages');
