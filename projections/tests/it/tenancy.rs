//! The second wall: whatever a query forgets, it sees no row outside of its scope.

use crate::log::{Log, id, tenant};
use crate::market::customer;
use crate::running::built;
use crate::tables::market;
use soko_domain::TenantId;
use soko_event_log::{Scope, ScopedReader};
use soko_projections::{RebuildOptions, all};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, QueryBuilder, Row};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Views and functions that run with their owner's rights, and why none of them tells tenants of
/// each other.
const WITH_OWNERS_RIGHTS: &[(&str, &str)] = &[
    ("public.log_head", "a number that every answer carries"),
    ("catalog.categories", "public"),
    ("catalog.products", "public: what is published"),
    ("catalog.stock_levels", "public: how much can be bought"),
    ("catalog.stores", "public"),
    ("public.append", "the only way into the log, for soko_app"),
    (
        "public.forget_proofs_of_who_is_erased",
        "a trigger, of the one person who is erased",
    ),
    (
        "public.forget_who_is_erased",
        "a trigger, of the one person who is erased",
    ),
    (
        "public.reseal_personal_keys",
        "keys that stay sealed, and nothing comes back; for soko_app",
    ),
    (
        "public.projection_build_drop",
        "tables, not rows; for soko_app",
    ),
    (
        "public.projection_build_indexes",
        "tables, not rows; for soko_app",
    ),
    (
        "public.projection_build_start",
        "tables, not rows; for soko_app",
    ),
    (
        "public.projection_digest",
        "a digest of a whole table; for soko_app and auditors",
    ),
    ("public.projection_switch", "tables, not rows; for soko_app"),
    (
        "public.projection_switch_lock",
        "tables, not rows; for soko_app",
    ),
];

#[tokio::test]
async fn every_table_that_knows_a_tenant_forces_its_policies_on_everybody() {
    let log = market().await;
    built(log.pool()).await;
    // Twice: what a rebuild puts in a table's place is guarded as well.
    for _ in 0..2 {
        let open: Vec<String> = sqlx::query_scalar(
            "SELECT c.oid::regclass::text FROM pg_class AS c \
             JOIN pg_namespace AS n ON n.oid = relnamespace \
             JOIN pg_attribute AS a ON attrelid = c.oid AND attname = 'tenant_id' AND NOT attisdropped \
             WHERE relkind IN ('r', 'p', 'm', 'f') AND nspname NOT LIKE 'pg\\_%' \
               AND (relkind NOT IN ('r', 'p') OR NOT relrowsecurity OR NOT relforcerowsecurity \
                    OR NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = 'in_scope'))",
        )
        .fetch_all(log.pool())
        .await
        .unwrap();
        assert_eq!(open, [""; 0], "guard them with guard_rows()");
        for model in all() {
            let options = RebuildOptions::default();
            model.rebuild(log.pool(), &options).await.unwrap();
        }
    }
    let guarded: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relforcerowsecurity")
            .fetch_one(log.pool())
            .await
            .unwrap();
    assert!(guarded >= 20, "{guarded}");
}

#[tokio::test]
async fn nobody_who_serves_passes_by_the_policies() {
    let log = Log::empty().await;
    let powers: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s: %s', rolname, what) FROM pg_roles AS r CROSS JOIN LATERAL ( \
             SELECT 'is a superuser' AS what WHERE rolsuper \
             UNION ALL SELECT 'passes by policies' WHERE rolbypassrls \
             UNION ALL SELECT 'makes roles' WHERE rolcreaterole \
             UNION ALL SELECT 'owns ' || oid::regclass FROM pg_class WHERE relowner = r.oid \
             UNION ALL SELECT 'owns ' || oid::regprocedure FROM pg_proc WHERE proowner = r.oid \
             UNION ALL SELECT 'may become ' || roleid::regrole FROM pg_auth_members WHERE member = r.oid \
         ) AS power WHERE rolname IN ('soko_app', 'soko_reader', 'soko_auditor')",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    assert_eq!(powers, [""; 0]);
    let changes: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace \
         WHERE relkind IN ('r', 'p', 'v') AND nspname NOT IN ('pg_catalog', 'information_schema') \
           AND has_table_privilege('soko_reader', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    assert_eq!(changes, [""; 0], "who answers changes nothing");
}

#[tokio::test]
async fn whatever_runs_with_its_owners_rights_has_a_reason() {
    let log = Log::empty().await;
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace \
         WHERE relkind = 'v' AND nspname NOT IN ('pg_catalog', 'information_schema', 'audit') \
           AND NOT coalesce('security_invoker=true' = ANY (reloptions), false) \
         UNION ALL \
         SELECT nspname || '.' || proname FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace \
         WHERE prosecdef AND nspname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    let known: BTreeSet<_> = WITH_OWNERS_RIGHTS.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<_> = found.iter().map(String::as_str).collect();
    assert_eq!(found, known);
    // The views of `audit` are for auditors of the whole; nobody who serves may read them.
    let served: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace \
         WHERE nspname = 'audit' AND has_table_privilege('soko_reader', c.oid, 'SELECT')",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    assert_eq!(served, [""; 0]);
}

#[tokio::test]
async fn a_query_without_any_condition_sees_its_scope_alone() {
    let log = market().await;
    built(log.pool()).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace \
         WHERE relforcerowsecurity AND nspname IN ('public', 'read_models') \
           AND has_table_privilege('soko_reader', c.oid, 'SELECT')",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    assert!(tables.len() >= 18, "{tables:?}");
    let mut filled = 0;
    for table in &tables {
        let there: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM {table}"))
            .fetch_one(log.pool())
            .await
            .unwrap();
        filled += usize::from(there > 0);
        let see = async |scope: Scope| count(log.reader(), &scope, table).await;
        assert_eq!(see(Scope::Public).await, 0, "without a scope: {table}");
        assert_eq!(see(Scope::Platform).await, there, "{table}");
        assert_eq!(see(Scope::Tenant(id(555))).await, 0, "of another: {table}");
        assert_eq!(see(Scope::Account(id(555))).await, 0, "of another: {table}");
        assert_eq!(see(Scope::Token("none".to_owned())).await, 0, "{table}");
        let is_of_tenants = table != "read_models.accounts";
        if is_of_tenants {
            assert_eq!(see(Scope::Tenant(tenant())).await, there, "{table}");
        }
    }
    assert!(filled >= 17, "only {filled} tables have rows");
}

#[tokio::test]
async fn people_see_what_is_theirs_and_nothing_that_is_not() {
    let log = market().await;
    built(log.pool()).await;
    let theirs = Scope::Account(customer());
    let seen = async |scope: &Scope, table: &str| count(log.reader(), scope, table).await;
    assert_eq!(seen(&theirs, "read_models.orders").await, 3);
    assert_eq!(seen(&theirs, "read_models.members").await, 1);
    assert_eq!(seen(&theirs, "read_models.accounts").await, 1);
    for table in [
        "events",
        "read_models.stores",
        "read_models.sales",
        "read_models.products",
    ] {
        assert_eq!(seen(&theirs, table).await, 0, "{table}");
    }
    // Of one order what happened to it, and of the others nothing.
    let order_id: Uuid = sqlx::query_scalar("SELECT order_id FROM read_models.orders LIMIT 1")
        .fetch_one(log.pool())
        .await
        .unwrap();
    let part = Scope::PartOfAccount(customer(), order_id);
    for table in ["read_models.order_tracking", "read_models.payments"] {
        let of_order = format!("SELECT count(*) FROM {table} WHERE order_id = $1");
        let there: i64 = sqlx::query_scalar(&of_order)
            .bind(order_id)
            .fetch_one(log.pool())
            .await
            .unwrap();
        assert!(there > 0);
        assert_eq!(seen(&part, table).await, there, "{table}");
        assert_eq!(seen(&theirs, table).await, 0, "{table}");
    }
}

/// As many as are asked for of a wall between tenants, if they can be had in this time.
const SWITCHES: usize = 100_000;
const SWITCHING: Duration = Duration::from_secs(15);
const TENANTS: u128 = 50;

#[tokio::test]
async fn one_connection_that_serves_tenants_in_turns_never_mixes_them_up() {
    let log = Log::empty().await;
    sqlx::query(
        "INSERT INTO read_models.vendor_orders (vendor_id, position, tenant_id, order_id) \
         SELECT gen_random_uuid(), row, lpad(to_hex(tenant), 32, '0')::uuid, gen_random_uuid() \
         FROM generate_series(1, $1::bigint) AS tenant, generate_series(1, 3) AS row",
    )
    .bind(i64::try_from(TENANTS).unwrap())
    .execute(log.pool())
    .await
    .unwrap();
    let reader = reader_of_one_connection(log.pool());
    let started = Instant::now();
    // The same turns in every run; xorshift.
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut switches = 0;
    while switches < SWITCHES && started.elapsed() < SWITCHING {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        switches += 1;
        let number = u128::from(random) % (TENANTS + 3);
        let asked = TenantId::from_uuid(Uuid::from_u128(number));
        let (scope, expected) = match number {
            0 => (Scope::Public, 0),
            number if number <= TENANTS => (Scope::Tenant(asked), 3),
            _ => (Scope::Account(id(number)), 0),
        };
        if random.is_multiple_of(997) {
            // What fails in the middle leaves nothing behind either.
            let failing =
                QueryBuilder::new("SELECT 1 / count(*) - 1 / 0 FROM read_models.vendor_orders");
            reader.all(&scope, failing).await.unwrap_err();
        }
        let query = QueryBuilder::new("SELECT tenant_id FROM read_models.vendor_orders");
        let rows = reader.all(&scope, query).await.unwrap();
        assert_eq!(rows.len(), expected, "{scope}");
        for row in rows {
            assert_eq!(TenantId::from_uuid(row.get(0)), asked);
        }
    }
    println!("{switches} switches in {:?}", started.elapsed());
    assert!(switches > 1_000, "only {switches} in {SWITCHING:?}");
}

fn reader_of_one_connection(pool: &PgPool) -> ScopedReader {
    let options: PgConnectOptions = (*pool.connect_options()).clone();
    let options = options.options([("role", "soko_reader")]);
    let pool = PgPoolOptions::new().max_connections(1);
    ScopedReader::new(pool.connect_lazy_with(options))
}

async fn count(reader: &ScopedReader, scope: &Scope, table: &str) -> i64 {
    let query = QueryBuilder::new(format!("SELECT count(*) FROM {table}"));
    let row = reader.optional(scope, query).await.unwrap().unwrap();
    row.get(0)
}
