-- The one log. Its columns are those that postgres-es reads, and the position of each event.
CREATE TABLE events (
    position       bigint      NOT NULL PRIMARY KEY,
    tenant_id      uuid        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    -- json, not jsonb: the stored text is the text that was written, and that will be hashed.
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    CONSTRAINT events_stream UNIQUE (aggregate_type, aggregate_id, sequence)
);

-- The position of the last event. Its row lock orders all writers of all nodes.
CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head (position) VALUES (0);

-- What must be unique in the whole system, and who has it.
CREATE TABLE claims (
    kind       text        NOT NULL,
    value      text        NOT NULL,
    tenant_id  uuid        NOT NULL,
    -- The last position of the unit that made the claim.
    position   bigint      NOT NULL,
    -- The id of what holds the claim, where there is one.
    owner      text,
    -- Of the request, for idempotency keys: the same key with another digest is a mistake.
    digest     bytea,
    -- The answer that was given, for idempotency keys.
    outcome    json,
    claimed_at timestamptz NOT NULL,
    CONSTRAINT claims_unique PRIMARY KEY (kind, value)
);
