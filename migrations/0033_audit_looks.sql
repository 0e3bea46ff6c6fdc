-- Who looked at the log, at what of it, and when: whoever reads of others is read of, too.
CREATE TABLE audit_looks (
    look       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    looked_at  timestamptz NOT NULL,
    -- As in the metadata of events.
    actor      text        NOT NULL,
    -- Whose part of the log it was; the platform's where it was all of it.
    tenant_id  uuid        NOT NULL,
    request_id text,
    -- What was asked for, with its query.
    path       text        NOT NULL
);
CREATE INDEX audit_looks_tenant ON audit_looks (tenant_id, look);

-- Nobody who serves takes one back.
SELECT grant_to('soko_app', 'SELECT, INSERT ON audit_looks');
