use crate::units::{Log, unit};
use soko_event_log::{Appender, AppenderOptions, ClaimKind, Claims, LogReader, MIGRATOR};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};

#[tokio::test]
async fn the_application_may_append_and_read_and_nothing_else() {
    let log = Log::start().await;
    let connect = as_role(&log, "soko_app");
    let appender = Appender::start(connect.clone(), AppenderOptions::default())
        .await
        .unwrap();
    let mut claiming = unit([(1, 1)]);
    claiming = crate::units::With::claiming(claiming, ClaimKind::Sku, "MUG");
    appender.enqueue(claiming).unwrap().await.unwrap();
    // A conflict is looked into as well.
    appender.enqueue(unit([(1, 1)])).unwrap().await.unwrap_err();

    let pool = PgPoolOptions::new().connect_with(connect).await.unwrap();
    assert_eq!(LogReader::new(pool.clone()).head().await.unwrap().get(), 1);
    let claims = Claims::new(pool.clone());
    assert!(claims.find(ClaimKind::Sku, "MUG").await.unwrap().is_some());
    for forbidden in [
        "INSERT INTO events SELECT * FROM events",
        "UPDATE events SET payload = '{}'",
        "DELETE FROM events",
        "TRUNCATE events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "INSERT INTO claims SELECT * FROM claims",
        "DELETE FROM claims",
        "DO $$ BEGIN LOCK TABLE log_turn IN SHARE UPDATE EXCLUSIVE MODE; END $$",
        "SELECT grant_to('soko_app', 'DELETE ON events')",
    ] {
        assert_refused(&pool, forbidden).await;
    }
}

#[tokio::test]
async fn the_auditor_may_not_even_read_the_tables() {
    let log = Log::start().await;
    let connect = as_role(&log, "soko_auditor");
    let pool = PgPoolOptions::new().connect_with(connect).await.unwrap();
    for forbidden in [
        "SELECT * FROM events",
        "SELECT * FROM claims",
        "DO $$ BEGIN LOCK TABLE log_turn IN SHARE UPDATE EXCLUSIVE MODE; END $$",
    ] {
        assert_refused(&pool, forbidden).await;
    }
    let mut auditor = log.pool().acquire().await.unwrap();
    let settings: Vec<String> = sqlx::query_scalar(
        "SELECT unnest(setconfig) FROM pg_db_role_setting s \
         JOIN pg_roles r ON r.oid = s.setrole WHERE rolname = 'soko_auditor'",
    )
    .fetch_all(&mut *auditor)
    .await
    .unwrap();
    assert!(
        settings.contains(&"default_transaction_read_only=on".to_owned()),
        "{settings:?}"
    );
}

#[tokio::test]
async fn who_may_not_make_roles_can_migrate_all_the_same() {
    let log = Log::start().await;
    let name = format!("soko_plain_{}", std::process::id());
    let mut admin = log.pool().acquire().await.unwrap();
    for statement in [
        format!("CREATE ROLE {name} LOGIN PASSWORD 'plain'"),
        format!("CREATE DATABASE {name} OWNER {name}"),
    ] {
        admin.execute(&*statement).await.unwrap();
    }
    let connect: PgConnectOptions = log.database.url().parse().unwrap();
    let connect = connect.database(&name).username(&name).password("plain");
    let mut plain = PgConnection::connect_with(&connect).await.unwrap();
    let migrated = MIGRATOR.run(&mut plain).await;
    let answer = match &migrated {
        Ok(()) => {
            let appender = Appender::start(connect, AppenderOptions::default())
                .await
                .unwrap();
            let answer = appender.enqueue(unit([(1, 1)])).unwrap().await;
            appender.close().await;
            Some(answer)
        }
        Err(_) => None,
    };
    plain.close().await.unwrap();
    for statement in [format!("DROP DATABASE {name}"), format!("DROP ROLE {name}")] {
        admin.execute(&*statement).await.unwrap();
    }
    migrated.unwrap();
    answer.unwrap().unwrap();
}

fn as_role(log: &Log, role: &str) -> PgConnectOptions {
    // Everything that the session does, it does as that role.
    let connect: PgConnectOptions = log.database.url().parse().unwrap();
    connect.options([("role", role)])
}

async fn assert_refused(pool: &PgPool, statement: &str) {
    let refused = pool.execute(statement).await.unwrap_err();
    let code = refused.as_database_error().unwrap().code().unwrap();
    assert_eq!(code, "42501", "{statement}: {refused}");
}
