-- The second wall between tenants: whatever a query forgets, the database shows no row outside of
-- the scope that the query was asked in. The first wall is the queries' own conditions, and what
-- handlers ask of their callers.
--
-- `soko_reader` answers requests. It sees what `soko.scope` says, which is set for one transaction
-- and ends with it, and without it nothing. `soko_app` decides, appends and folds for all tenants
-- alike, so it sees all. Neither owns a table, and neither may pass by the policies.

-- Kinds of scope, and what stands behind them: 'platform', 'tenant <id>', 'tenants <id>,<id>',
-- 'account <id>', 'token <hash>', 'cart <id>'. To an account or a token a part may be added, an
-- order or a payment on which something hangs: 'account <id> <order id>'.
--
-- Plain expressions, so that they are part of the policy's own plan and no calls.
CREATE FUNCTION scope_text(kind text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN split_part(current_setting('soko.scope', true), ' ', 1) = kind
                THEN split_part(current_setting('soko.scope', true), ' ', 2) END
$$;

CREATE FUNCTION scope_id(kind text) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN split_part(current_setting('soko.scope', true), ' ', 1) = kind
                THEN split_part(current_setting('soko.scope', true), ' ', 2)::uuid END
$$;

CREATE FUNCTION scope_part() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(split_part(current_setting('soko.scope', true), ' ', 3), '')::uuid
$$;

CREATE FUNCTION scope_is_platform() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(current_setting('soko.scope', true) = 'platform', false)
$$;

DO $$
BEGIN
    -- Nobody logs in as this; the login of the application is made a member of it.
    CREATE ROLE soko_reader NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE WARNING 'role soko_reader was not made: % may not create roles. Have it made, then '
            'grant it what the migrations grant with grant_to().', current_user;
END;
$$;

-- Who makes the roles and is no superuser would not be in them, and could not serve.
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT soko_app, soko_reader TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR undefined_object THEN
        RAISE WARNING '% may not be made a member of soko_app and soko_reader: have it done', current_user;
END;
$$;

-- For migrations: forces the policies of a table on everybody. `visible` is what a scope shows of
-- it beside its tenant's rows and the platform's view of all; null if that is all.
CREATE FUNCTION guard_rows(guarded regclass, visible text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    has_tenant CONSTANT boolean := EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = guarded AND attname = 'tenant_id' AND NOT attisdropped);
    conditions CONSTANT text := concat_ws(' OR ',
        CASE WHEN has_tenant THEN 'tenant_id = (SELECT public.scope_id(''tenant''))' END,
        visible,
        '(SELECT public.scope_is_platform())');
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY in_scope ON %s FOR SELECT USING (%s)', guarded, conditions);
    -- The owner serves nobody: it migrates, and the functions that append, and the views of the
    -- auditors, are its own. Once forced, it too needs a policy.
    EXECUTE format('CREATE POLICY owner ON %s TO CURRENT_USER USING (true) WITH CHECK (true)', guarded);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'soko_app') THEN
        EXECUTE format('CREATE POLICY application ON %s TO soko_app USING (true) WITH CHECK (true)', guarded);
    ELSE
        RAISE WARNING 'there is no role soko_app: it gets no policy on %', guarded;
    END IF;
END $$;
REVOKE ALL ON FUNCTION guard_rows FROM PUBLIC;

-- What belongs to people, too. Each is one condition on an own column, so that no policy reads
-- another table: that would cost a look at each row, and tie the tables of the read models, which
-- are replaced one by one, to each other.
SELECT guard_rows('read_models.orders',
    'account_id = (SELECT public.scope_id(''account'')) OR token_hash = (SELECT public.scope_text(''token''))');
SELECT guard_rows('read_models.order_tracking', 'order_id = (SELECT public.scope_part())');
SELECT guard_rows('read_models.payments',
    'order_id = (SELECT public.scope_part()) OR payment_id = (SELECT public.scope_part())');
SELECT guard_rows('read_models.payment_moves', 'payment_id = (SELECT public.scope_part())');
SELECT guard_rows('read_models.carts',
    'cart_id = (SELECT public.scope_id(''cart'')) OR account_id = (SELECT public.scope_id(''account''))');
SELECT guard_rows('read_models.members', 'account_id = (SELECT public.scope_id(''account''))');
SELECT guard_rows('read_models.accounts', 'account_id = (SELECT public.scope_id(''account''))');
SELECT guard_rows('read_models.invitations', 'token_hash = (SELECT public.scope_text(''token''))');
SELECT guard_rows('read_models.tenants',
    'tenant_id = ANY (string_to_array((SELECT public.scope_text(''tenants'')), '','')::uuid[])');

-- All other tables that know a tenant. Its number leaves room: what is numbered below this is
-- guarded here, whenever it was written, and what comes later guards its own tables; a test sees
-- to it.
DO $$
DECLARE
    guarded regclass;
BEGIN
    FOR guarded IN
        SELECT c.oid::regclass FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT attisdropped
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND nspname IN ('public', 'read_models')
        ORDER BY c.oid
    LOOP
        PERFORM guard_rows(guarded, NULL);
    END LOOP;
END $$;

-- What everybody may see. These views read with their owner's rights, so that no scope is needed,
-- and search, which uses operators that may not run before a policy has been asked, keeps its
-- indexes. Nothing is in them that is not public.
CREATE SCHEMA catalog;

CREATE VIEW catalog.products AS
SELECT * FROM read_models.products WHERE status = 'published';

CREATE VIEW catalog.stock_levels AS
SELECT variant_id, product_id, on_hand - reserved AS available FROM read_models.stock_levels;

CREATE VIEW catalog.categories AS
SELECT * FROM read_models.categories;

-- Where a store's web shops are, those that are not open yet among them, is for its own people.
CREATE VIEW catalog.stores AS
SELECT store_id, tenant_id, slug, name, currency, country, time_zone, prices_include_tax, tax_rate_bps,
       payment_methods, commission_bps, main_location, locations, '[]'::json AS web_origins,
       NULL::bigint AS web_origins_position, is_open, version, opened_at
FROM read_models.stores;

SELECT grant_to('soko_reader', 'USAGE ON SCHEMA catalog, read_models');
SELECT grant_to('soko_reader', 'SELECT ON ALL TABLES IN SCHEMA catalog, read_models');
SELECT grant_to('soko_reader', 'SELECT ON events, log_head');
