-- States of aggregates, so that a long stream need not be read from its start. Only a cache: all
-- of it may be deleted at any time.
CREATE TABLE snapshots (
    aggregate_type text        NOT NULL,
    aggregate_id   uuid        NOT NULL,
    -- Of the last event that is in the state.
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    -- Of the state's shape in the program that wrote it.
    schema_version integer     NOT NULL,
    state          json        NOT NULL,
    taken_at       timestamptz NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
);

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON snapshots');
