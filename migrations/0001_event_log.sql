-- The one log. Its columns are those that postgres-es reads, and the position of each event.
CREATE TABLE events (
    position       bigint      NOT NULL PRIMARY KEY,
    tenant_id      uuid        NOT NULL,
    -- Never sorted for people: compared as bytes, whatever language the database speaks.
    aggregate_type text        COLLATE "C" NOT NULL,
    aggregate_id   text        COLLATE "C" NOT NULL,
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    event_type     text        COLLATE "C" NOT NULL,
    event_version  text        COLLATE "C" NOT NULL,
    -- json, not jsonb: the stored text is the text that was written, and that will be hashed.
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    -- In this order because the first look, or else the second, tells two rows apart.
    CONSTRAINT events_stream UNIQUE (aggregate_id, sequence, aggregate_type)
);

-- Whoever appends holds the lock of this table, which has no rows, until the commit. That orders
-- all writers of all nodes, so that positions have no gaps and become visible in their order.
-- A counter in a row would do the same; but each append leaves a dead version of that row, and
-- while one old snapshot lives (a dump, a long report) the next append must walk over all of them.
CREATE TABLE log_turn ();

-- The position of the last event.
CREATE VIEW log_head AS
SELECT coalesce(max(position), 0) AS position FROM events;

-- What must be unique in the whole system, and who has it.
CREATE TABLE claims (
    kind       text        COLLATE "C" NOT NULL,
    value      text        COLLATE "C" NOT NULL,
    tenant_id  uuid        NOT NULL,
    -- The last position of the unit that made the claim.
    position   bigint      NOT NULL,
    -- The id of what holds the claim, where there is one.
    owner      text,
    -- Of the request, for idempotency keys: the same key with another digest is a mistake.
    digest     bytea,
    -- The answer that was given, for idempotency keys.
    outcome    json,
    -- Of the unit that made the claim, as in the metadata of its events.
    command_id uuid        NOT NULL,
    claimed_at timestamptz NOT NULL,
    -- The value comes first because it tells two claims apart; most are of a few kinds.
    CONSTRAINT claims_unique PRIMARY KEY (value, kind)
);
