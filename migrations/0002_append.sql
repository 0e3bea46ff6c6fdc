-- Appends units of work: all of them, or none. One call is one statement, one transaction.
--
-- The events of all units stand one behind the other in their order: `places` says of each where,
-- `units` to which unit it belongs, both counted from 1. In which order the arrays list them is the
-- caller's choice, and in that order they are inserted. `claim_offsets` says how many events of the
-- call stand up to the end of the claim's unit.
--
-- `tails` are the streams whose last sequence the units rely on, because they read them (0: there
-- must be no such stream) or because they go on from there. SK001 says that one has moved, and
-- its detail which: type, id and the sequence that was expected.
--
-- `keys` are of subjects whose personal data comes into the log for the first time; those of
-- `erased_subjects` are destroyed. See 0035_personal_keys.sql.
CREATE FUNCTION append(
    tenants            uuid[],
    metadata           json[],
    places             int[],
    units              int[],
    stream_types       text[],
    stream_ids         uuid[],
    sequences          bigint[],
    event_types        text[],
    event_versions     text[],
    payloads           json[],
    tail_types         text[],
    tail_ids           uuid[],
    tail_sequences     bigint[],
    release_kinds      text[],
    release_values     text[],
    release_tenants    uuid[],
    claim_kinds        text[],
    claim_values       text[],
    claim_tenants      uuid[],
    claim_offsets      int[],
    claim_owners       text[],
    claim_digests      bytea[],
    claim_outcomes     json[],
    claim_command_ids  uuid[],
    key_subjects       uuid[],
    key_tenants        uuid[],
    keys               bytea[],
    erased_subjects    uuid[],
    OUT head           bigint,
    OUT recorded       timestamptz
)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
-- The arrays differ in length from call to call, the best plan never does. Planned while the log is
-- nearly empty, it would be a plan for an empty log.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    base  bigint;
    moved record;
BEGIN
    -- It excludes only itself; readers, dumps and vacuum of the log go on.
    LOCK TABLE log_turn IN SHARE UPDATE EXCLUSIVE MODE;

    -- A statement of its own, so that it sees what was committed while we waited for our turn.
    SELECT e.position, greatest(clock_timestamp(), e.recorded_at) INTO base, recorded
    FROM events e ORDER BY e.position DESC LIMIT 1;
    IF NOT FOUND THEN
        base := 0;
        recorded := clock_timestamp();
    END IF;
    head := base + cardinality(units);

    IF cardinality(tail_types) > 0 THEN
        SELECT t.type, t.id, t.sequence INTO moved
        FROM (
            SELECT unnest(tail_types) AS type, unnest(tail_ids) AS id,
                   unnest(tail_sequences) AS sequence
        ) t
        WHERE t.sequence <> coalesce((
            SELECT e.sequence FROM events e
            WHERE e.aggregate_type = t.type AND e.aggregate_id = t.id::text
                -- Or it would look at every event of the stream on the index page.
                AND e.sequence >= t.sequence
            ORDER BY e.sequence DESC LIMIT 1
        ), 0)
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'a stream has moved' USING
                ERRCODE = 'SK001',
                DETAIL = format('%s %s %s', moved.type, moved.id, moved.sequence);
        END IF;
    END IF;

    -- Lists of `unnest` beside each other yield row by row; in FROM, each would be copied first.
    INSERT INTO events (
        position, tenant_id, aggregate_type, aggregate_id, sequence,
        event_type, event_version, payload, metadata, recorded_at
    )
    SELECT base + e.place, tenants[e.unit], e.type, e.id::text, e.sequence,
           e.event_type, e.event_version, e.payload, metadata[e.unit], recorded
    FROM (
        SELECT unnest(places) AS place, unnest(units) AS unit,
               unnest(stream_types) AS type, unnest(stream_ids) AS id,
               unnest(sequences) AS sequence, unnest(event_types) AS event_type,
               unnest(event_versions) AS event_version, unnest(payloads) AS payload
    ) e;

    IF cardinality(release_kinds) > 0 THEN
        DELETE FROM claims c
        USING (
            SELECT unnest(release_kinds) AS kind, unnest(release_values) AS value,
                   unnest(release_tenants) AS tenant_id
        ) r
        WHERE c.kind = r.kind AND c.value = r.value AND c.tenant_id = r.tenant_id;
    END IF;

    IF cardinality(claim_kinds) > 0 THEN
        INSERT INTO claims (
            kind, value, tenant_id, position, owner, digest, outcome, command_id, claimed_at
        )
        SELECT c.kind, c.value, c.tenant_id, base + c.place, c.owner, c.digest, c.outcome,
               c.command_id, recorded
        FROM (
            SELECT unnest(claim_kinds) AS kind, unnest(claim_values) AS value,
                   unnest(claim_tenants) AS tenant_id, unnest(claim_offsets) AS place,
                   unnest(claim_owners) AS owner, unnest(claim_digests) AS digest,
                   unnest(claim_outcomes) AS outcome, unnest(claim_command_ids) AS command_id
        ) c;
    END IF;

    IF cardinality(key_subjects) > 0 THEN
        INSERT INTO personal_keys (subject_id, tenant_id, sealed_key, made_at)
        SELECT k.subject_id, k.tenant_id, k.sealed_key, recorded
        FROM (
            SELECT unnest(key_subjects) AS subject_id, unnest(key_tenants) AS tenant_id,
                   unnest(keys) AS sealed_key
        ) k;
    END IF;

    IF cardinality(erased_subjects) > 0 THEN
        UPDATE personal_keys k SET sealed_key = NULL, erased_at = recorded
        FROM (SELECT unnest(erased_subjects) AS subject_id) e
        WHERE k.subject_id = e.subject_id AND k.sealed_key IS NOT NULL;
    END IF;
END;
$$;

-- What is in the log stays as it is; whoever owns the table is refused too.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END;
$$;

CREATE TRIGGER events_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Also in sessions that switch ordinary triggers off, as replication and restores do.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;

-- Rows only come: vacuum by their number, so that pages are frozen step by step and early. Never
-- give space back at the end, which would lock the table. A row of several KiB stays in one piece.
ALTER TABLE events SET (
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 500000,
    autovacuum_freeze_min_age = 0,
    vacuum_truncate = off,
    toast_tuple_target = 8160
);

-- The roles belong to the whole cluster, so another database's migration may be making them too.
-- Both are optional: a migrating user who may not make roles goes on without them.
DO $$
BEGIN
    -- Nobody logs in as this; the login of the application is made a member of it.
    CREATE ROLE soko_app NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE WARNING 'role soko_app was not made: % may not create roles. Have it made, then '
            'grant it what the migrations grant with grant_to().', current_user;
END;
$$;

DO $$
BEGIN
    -- For checkers from outside; without a password, until somebody sets one.
    CREATE ROLE soko_auditor LOGIN;
    ALTER ROLE soko_auditor SET default_transaction_read_only = on;
    ALTER ROLE soko_auditor SET idle_in_transaction_session_timeout = '60s';
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE WARNING 'role soko_auditor was not made: % may not create roles. Have it made, then '
            'grant it what the migrations grant with grant_to().', current_user;
END;
$$;

-- For migrations: grants to a role if it exists. `grant_to('soko_app', 'SELECT ON events')`.
CREATE FUNCTION grant_to(role_name text, privileges text) RETURNS void
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
        EXECUTE format('GRANT %s TO %I', privileges, role_name);
    ELSE
        RAISE WARNING 'not granted, there is no role %: %', role_name, privileges;
    END IF;
END;
$$;
REVOKE ALL ON FUNCTION grant_to FROM PUBLIC;

REVOKE ALL ON FUNCTION append FROM PUBLIC;
SELECT grant_to('soko_app', 'EXECUTE ON FUNCTION append');
SELECT grant_to('soko_app', 'SELECT ON events, log_head, claims');
