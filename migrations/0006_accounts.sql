-- What lets people in. None of it is part of the log: a password or a token must be forgettable,
-- and nothing of it may come back with a replay.

-- A row without an account that was registered is the trace of a registration that failed; nobody
-- can reach it.
CREATE TABLE credentials (
    account_id    uuid        NOT NULL PRIMARY KEY,
    -- In the PHC format, with the parameters of its making.
    password_hash text        NOT NULL,
    created_at    timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL
);

-- One log-in on one device, and all refresh tokens that come of it.
CREATE TABLE sessions (
    session_id   uuid        NOT NULL PRIMARY KEY,
    account_id   uuid        NOT NULL,
    -- Each refresh token is made of this and the one before it, so that whoever lost an answer can
    -- be given the same one again, and the tokens themselves are never stored.
    rotation_key bytea       NOT NULL CHECK (octet_length(rotation_key) = 32),
    -- What the device said of itself.
    user_agent   text,
    started_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    -- logout, ended_by_owner, password_changed, password_reset, second_factor_changed, token_reused,
    -- too_many, erased
    end_reason   text,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_of_account ON sessions (account_id, started_at) WHERE ended_at IS NULL;
-- Asked every second: whose access tokens are no longer good.
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_expiring ON sessions (expires_at);

-- Every refresh token of a session: one that comes a second time shows that it was stolen.
CREATE TABLE refresh_tokens (
    token_hash bytea       NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid        NOT NULL REFERENCES sessions ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    spent_at   timestamptz
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);

-- Guesses at a password. Also for e-mails that nobody has, so that nothing tells them apart.
CREATE TABLE login_failures (
    -- SHA-256 of an e-mail, alone or with the network that the guess came from.
    guessed_at_hash bytea       NOT NULL PRIMARY KEY,
    failures        integer     NOT NULL,
    -- How many cost nothing.
    free_failures   integer     NOT NULL,
    last_at         timestamptz NOT NULL
);
CREATE INDEX login_failures_old ON login_failures (last_at);

-- The keys that access tokens are signed with, where none is set from outside.
CREATE TABLE signing_keys (
    key_id      text        NOT NULL PRIMARY KEY,
    -- PKCS#8, sealed by the master key.
    sealed_key  bytea       NOT NULL,
    created_at  timestamptz NOT NULL
);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON credentials, sessions, refresh_tokens, login_failures');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON signing_keys');
