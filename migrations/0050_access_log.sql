-- Who looked at what of others, when, and under which role: whoever reads of others is read of, too.
-- It takes the place of `audit_looks`, which knew of the log of events only.
CREATE TABLE access_log (
    entry      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    account_id uuid        NOT NULL,
    -- If a program of theirs asked.
    api_key_id uuid,
    -- The roles that opened it, as in docs/permissions.md.
    roles      text[]      NOT NULL,
    permission text        NOT NULL,
    -- read, export, tried (a command that was only tried: it leaves no event)
    kind       text        NOT NULL CHECK (kind IN ('read', 'export', 'tried')),
    -- Whose it was; the platform's where it was of everybody.
    tenant_id  uuid        NOT NULL,
    method     text        NOT NULL,
    -- With its parameters in braces.
    route      text        NOT NULL,
    -- What they stood for.
    object     text        NOT NULL,
    query      text        NOT NULL,
    status     smallint    NOT NULL,
    request_id text        NOT NULL
);
CREATE INDEX access_log_of_tenant ON access_log (tenant_id, entry);
CREATE INDEX access_log_of_account ON access_log (account_id, entry);

INSERT INTO access_log (at, account_id, roles, permission, kind, tenant_id, method, route, object,
                        query, status, request_id)
SELECT looked_at, substr(actor, length('account:') + 1)::uuid, '{}', 'read_audit', 'export',
       tenant_id, 'GET', split_part(path, '?', 1), '',
       CASE WHEN path LIKE '%?%' THEN substr(path, strpos(path, '?') + 1) ELSE '' END,
       200, coalesce(request_id, '')
FROM audit_looks
WHERE actor LIKE 'account:%'
ORDER BY look;
DROP TABLE audit_looks;

CREATE TRIGGER access_log_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE access_log ENABLE ALWAYS TRIGGER access_log_append_only;

-- Nobody who serves takes one back.
SELECT grant_to('soko_app', 'SELECT, INSERT ON access_log');
