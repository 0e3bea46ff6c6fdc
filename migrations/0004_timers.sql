-- How far each process manager has read the log.
CREATE TABLE process_managers (
    name       text        NOT NULL PRIMARY KEY,
    -- The last event that it reacted to, or that did not concern it.
    position   bigint      NOT NULL,
    status     text        NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'stopped')),
    -- The event that it cannot react to, and why.
    stopped_at bigint,
    reason     text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((status = 'stopped') = (stopped_at IS NOT NULL AND reason IS NOT NULL))
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Events that a person has told a process manager to leave out.
CREATE TABLE process_manager_skips (
    name       text        NOT NULL,
    position   bigint      NOT NULL,
    actor      text        NOT NULL,
    reason     text        NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, position)
);

-- What falls due, at once or later; what fired stays for a while, to be looked at.
CREATE TABLE timers (
    timer_id     uuid        NOT NULL PRIMARY KEY,
    -- The process manager that set it.
    manager      text        NOT NULL,
    kind         text        NOT NULL,
    tenant_id    uuid        NOT NULL,
    -- What it is about.
    stream_id    uuid        NOT NULL,
    -- The event that set it, and the correlation of that event.
    position     bigint      NOT NULL,
    correlation  uuid        NOT NULL,
    -- What the manager noted for itself; never personal data.
    details      json,
    due_at       timestamptz NOT NULL,
    -- Counts how often it fired and was set to fire again.
    round        integer     NOT NULL DEFAULT 0,
    -- Counts the tries of this round.
    attempts     integer     NOT NULL DEFAULT 0,
    -- Why the last try failed.
    reason       text,
    -- Until when whoever is trying has it to himself.
    leased_until timestamptz,
    fired_at     timestamptz
) WITH (fillfactor = 70);

CREATE INDEX timers_due ON timers (manager, due_at) WHERE fired_at IS NULL;
CREATE INDEX timers_waiting ON timers (stream_id) WHERE fired_at IS NULL;
CREATE INDEX timers_fired ON timers (manager, fired_at) WHERE fired_at IS NOT NULL;

SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE ON process_managers');
SELECT grant_to('soko_app', 'SELECT, INSERT ON process_manager_skips');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON timers');
