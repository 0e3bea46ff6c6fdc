-- What opens a store's account with a payment provider, sealed by the master key. It is no part of
-- the log, which only says that it was set.
CREATE TABLE payment_accounts (
    -- Made of the store and the provider; what it is sealed for.
    account_id uuid        NOT NULL PRIMARY KEY,
    tenant_id  uuid        NOT NULL,
    store_id   uuid        NOT NULL,
    provider   text        NOT NULL,
    sealed     bytea       NOT NULL,
    -- What people tell one account from another by; no secret.
    hint       text        NOT NULL,
    set_at     timestamptz NOT NULL,
    set_by     uuid        NOT NULL,
    UNIQUE (store_id, provider)
);
SELECT guard_rows('payment_accounts', NULL);
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON payment_accounts');
SELECT grant_to('soko_reader', 'SELECT (account_id, tenant_id, store_id, provider, hint, set_at, set_by) ON payment_accounts');

-- What was asked of providers, and what they answered: evidence for people. Nothing is decided by it.
CREATE TABLE provider_calls (
    call_id      uuid        NOT NULL PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    payment_id   uuid        NOT NULL,
    -- Our id of what was asked for, under which the provider does it once.
    operation_id uuid        NOT NULL,
    -- start, ask, refund, ask_refund, capture, void, code
    kind         text        NOT NULL,
    provider     text        NOT NULL,
    began_at     timestamptz NOT NULL,
    took_ms      integer     NOT NULL,
    -- One word of ours, and the provider's own.
    outcome      text        NOT NULL,
    words        text        NOT NULL DEFAULT ''
);
CREATE INDEX provider_calls_payment ON provider_calls (payment_id, began_at);
CREATE INDEX provider_calls_began ON provider_calls (began_at);
SELECT guard_rows('provider_calls', NULL);
SELECT grant_to('soko_app', 'SELECT, INSERT, DELETE ON provider_calls');
SELECT grant_to('soko_reader', 'SELECT ON provider_calls');

-- What providers told us of their own accord: written down before it is answered, worked after.
CREATE TABLE provider_callbacks (
    callback_id  uuid        NOT NULL PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    store_id     uuid        NOT NULL,
    provider     text        NOT NULL,
    -- What it is about, as far as that is known.
    payment_id   uuid,
    -- SHA-256 of its path and body: the same once more is the same.
    digest       bytea       NOT NULL CHECK (octet_length(digest) = 32),
    received_at  timestamptz NOT NULL,
    -- Path, headers and body as they came, by the master key; null once it is too old to be of use,
    -- and of what was refused.
    sealed       bytea,
    -- What came of it; null while it waits.
    verdict      text,
    attempts     integer     NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    leased_until timestamptz,
    worked_at    timestamptz
) WITH (fillfactor = 70);
CREATE INDEX provider_callbacks_due ON provider_callbacks (due_at) WHERE verdict IS NULL;
CREATE INDEX provider_callbacks_payment ON provider_callbacks (payment_id, received_at);
CREATE INDEX provider_callbacks_digest ON provider_callbacks (digest);
CREATE INDEX provider_callbacks_received ON provider_callbacks (received_at);
SELECT guard_rows('provider_callbacks', NULL);
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON provider_callbacks');
SELECT grant_to('soko_reader', 'SELECT (callback_id, tenant_id, store_id, provider, payment_id, digest, received_at, verdict, attempts, due_at, worked_at) ON provider_callbacks');
