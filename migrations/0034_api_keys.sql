-- What programs log in with. As with passwords, none of it is part of the log.
CREATE TABLE api_keys (
    key_id         uuid        NOT NULL PRIMARY KEY,
    account_id     uuid        NOT NULL,
    name           text        NOT NULL,
    -- SHA-256 of the key, which itself is stored nowhere.
    key_hash       bytea       NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    -- How it begins: enough to tell it from others, and no more.
    prefix         text        NOT NULL,
    -- By name; one that no longer exists gives nothing.
    permissions    text[]      NOT NULL CHECK (cardinality(permissions) > 0),
    -- Whether who made it had shown a second factor.
    with_second_factor boolean NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    -- To the minute.
    last_used_at   timestamptz,
    revoked_at     timestamptz,
    -- SHA-256 of the idempotency key that it was asked for with, and the digest of that request.
    request_hash   bytea       CHECK (octet_length(request_hash) = 32),
    request_digest bytea       CHECK (octet_length(request_digest) = 32),
    CHECK ((request_hash IS NULL) = (request_digest IS NULL))
);
CREATE UNIQUE INDEX api_keys_of_account ON api_keys (account_id, request_hash);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON api_keys');
