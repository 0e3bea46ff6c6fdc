-- Read models: how far each of them is, what people told it to leave out, and the ways in which
-- its table is built beside the one in use and takes its place.
CREATE SCHEMA read_models;
-- Tables that are being built; nobody queries them.
CREATE SCHEMA read_models_next;
-- Where a replaced table is for the length of one transaction.
CREATE SCHEMA read_models_gone;

CREATE TABLE projections (
    -- Also the name of its table.
    name       text        NOT NULL PRIMARY KEY,
    -- Of the fold that made the rows.
    version    integer     NOT NULL,
    -- Counts the tables that have taken each other's place; a worker that folded for an earlier
    -- one must start from the rows that are there now.
    generation integer     NOT NULL DEFAULT 1,
    -- The last event that the rows know of.
    position   bigint      NOT NULL DEFAULT 0,
    status     text        NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'stopped')),
    -- The event that it cannot fold, and why.
    stopped_at bigint,
    reason     text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((status = 'stopped') = (stopped_at IS NOT NULL AND reason IS NOT NULL))
    -- Updated several times a second: room on the page for the row's next versions.
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Events that a person has told a read model to leave out.
CREATE TABLE projection_skips (
    name       text        NOT NULL,
    version    integer     NOT NULL,
    position   bigint      NOT NULL,
    actor      text        NOT NULL,
    reason     text        NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version, position)
);

-- Tables that are being built now, and how far they are.
CREATE TABLE projection_builds (
    name       text        NOT NULL PRIMARY KEY,
    version    integer     NOT NULL,
    position   bigint      NOT NULL DEFAULT 0,
    target     bigint      NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- An empty table beside the one in use, alike in all but its indexes. It has the policies of that
-- one, which are switched on only when it takes its place: COPY does not write into a table with
-- policies, and until then nobody but its builder can reach it.
CREATE FUNCTION projection_build_start(table_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live     CONSTANT regclass := format('read_models.%I', table_name)::regclass;
    next     CONSTANT text := format('read_models_next.%I', table_name);
    settings text;
    it       record;
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %s', next);
    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES)', next, live);

    SELECT array_to_string(reloptions, ', ') INTO settings FROM pg_class WHERE oid = live;
    IF settings <> '' THEN
        EXECUTE format('ALTER TABLE %s SET (%s)', next, settings);
    END IF;

    FOR it IN
        SELECT privilege_type,
               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS role
        FROM pg_class, aclexplode(relacl)
        WHERE oid = live AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s', it.privilege_type, next, it.role);
    END LOOP;

    FOR it IN
        SELECT policyname, permissive, cmd, qual, with_check,
               (SELECT string_agg(CASE role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(role) END, ', ')
                FROM unnest(roles) AS role) AS roles
        FROM pg_policies WHERE schemaname = 'read_models' AND tablename = table_name
    LOOP
        EXECUTE format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', it.policyname, next, it.permissive, it.cmd, it.roles)
            || coalesce(' USING (' || it.qual || ')', '')
            || coalesce(' WITH CHECK (' || it.with_check || ')', '');
    END LOOP;
END $$;

-- The indexes that the table in use has, made after the rows are there: only the primary key, or
-- all that are still missing.
CREATE FUNCTION projection_build_indexes(table_name text, only_key boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live CONSTANT text := format('read_models.%I', table_name);
    next CONSTANT text := format('read_models_next.%I', table_name);
    it   record;
BEGIN
    FOR it IN
        SELECT class.relname AS name, pg_get_indexdef(class.oid) AS definition,
               con.conname AS constraint_name, con.contype AS constraint_type
        FROM pg_index
        JOIN pg_class AS class ON class.oid = indexrelid
        LEFT JOIN pg_constraint AS con ON conindid = indexrelid AND contype IN ('p', 'u')
        WHERE indrelid = live::regclass AND (indisprimary OR NOT only_key)
          AND to_regclass(format('read_models_next.%I', class.relname)) IS NULL
        ORDER BY indisprimary DESC, class.relname
    LOOP
        EXECUTE replace(it.definition, format(' ON %s ', live), format(' ON %s ', next));
        IF it.constraint_type IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I', next,
                it.constraint_name,
                CASE it.constraint_type WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, it.name);
        END IF;
    END LOOP;
    IF NOT only_key THEN
        EXECUTE format('ANALYZE %s', next);
    END IF;
END $$;

CREATE FUNCTION projection_build_drop(table_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS read_models_next.%I', table_name);
END $$;

-- The first step of a switch: queries wait from here on until the transaction ends. The table
-- comes before the checkpoint's row, as in a worker's write; the other way round they would wait
-- for each other.
CREATE FUNCTION projection_switch_lock(table_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('LOCK TABLE read_models.%I IN ACCESS EXCLUSIVE MODE', table_name);
END $$;

-- The last step: the table that was built takes the place of the one in use. Views are made again
-- from their own text, so that they read the new one.
CREATE FUNCTION projection_switch(table_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live     CONSTANT regclass := format('read_models.%I', table_name)::regclass;
    views    text[];
    view     text;
    security record;
BEGIN
    SELECT array_agg(DISTINCT format('CREATE OR REPLACE VIEW %I.%I %s AS %s', nspname, relname,
               'WITH (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(class.oid)))
    INTO views
    FROM pg_depend
    JOIN pg_rewrite ON pg_rewrite.oid = objid
    JOIN pg_class AS class ON class.oid = ev_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass
      AND refobjid = live AND relkind = 'v';
    SELECT relrowsecurity, relforcerowsecurity INTO STRICT security FROM pg_class WHERE oid = live;

    EXECUTE format('ALTER TABLE read_models.%I SET SCHEMA read_models_gone', table_name);
    IF security.relrowsecurity THEN
        EXECUTE format('ALTER TABLE read_models_next.%I ENABLE ROW LEVEL SECURITY', table_name);
    END IF;
    IF security.relforcerowsecurity THEN
        EXECUTE format('ALTER TABLE read_models_next.%I FORCE ROW LEVEL SECURITY', table_name);
    END IF;
    EXECUTE format('ALTER TABLE read_models_next.%I SET SCHEMA read_models', table_name);
    FOREACH view IN ARRAY coalesce(views, '{}') LOOP
        EXECUTE view;
    END LOOP;
    EXECUTE format('DROP TABLE read_models_gone.%I', table_name);
END $$;

-- The content of a read model's table in short: equal tables have equal digests, in whatever order
-- their rows lie. Two sums over the rows' MD5, which tells mistakes, not forgeries.
CREATE FUNCTION projection_digest(table_name text, OUT rows bigint, OUT digest text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
SET intervalstyle = 'iso_8601' SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
BEGIN
    EXECUTE format(
        $query$
            SELECT count(*),
                   md5(concat_ws(',', count(*), sum(('x' || left(hash, 16))::bit(64)::bigint),
                                 sum(('x' || right(hash, 16))::bit(64)::bigint)))
            FROM (SELECT md5(t::text) AS hash FROM read_models.%I AS t) AS hashed
        $query$, table_name)
    INTO rows, digest;
END $$;

REVOKE EXECUTE ON FUNCTION projection_build_start, projection_build_indexes, projection_build_drop,
    projection_switch_lock, projection_switch, projection_digest FROM PUBLIC;

-- The application folds and reads; it makes and changes tables only through the functions above.
SELECT grant_to('soko_app', 'USAGE ON SCHEMA read_models, read_models_next');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE ON projections');
SELECT grant_to('soko_app', 'SELECT, INSERT ON projection_skips');
SELECT grant_to('soko_app', 'SELECT, INSERT, UPDATE, DELETE ON projection_builds');
SELECT grant_to('soko_app', 'EXECUTE ON FUNCTION projection_build_start, projection_build_indexes, '
    'projection_build_drop, projection_switch_lock, projection_switch, projection_digest');
