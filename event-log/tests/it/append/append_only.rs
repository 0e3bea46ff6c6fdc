use crate::units::{Log, unit};
use sqlx::{Connection, PgConnection};

const CHANGES: [&str; 5] = [
    "UPDATE events SET payload = '{}' WHERE position = 1",
    "DELETE FROM events WHERE position = 1",
    "DELETE FROM events WHERE false",
    "TRUNCATE events",
    "INSERT INTO events SELECT * FROM events ON CONFLICT (position) DO UPDATE SET payload = '{}'",
];

#[tokio::test]
async fn nobody_changes_what_is_in_the_log() {
    let log = Log::start().await;
    log.append(unit([(1, 1), (1, 2)])).await.unwrap();
    let before = contents(&log).await;
    // The owner, a superuser here, in an ordinary session and in one of a replication.
    for session in ["RESET ALL", "SET session_replication_role = replica"] {
        for change in CHANGES {
            let mut owner = PgConnection::connect(log.database.url()).await.unwrap();
            sqlx::raw_sql(session).execute(&mut owner).await.unwrap();
            let refused = sqlx::raw_sql(change).execute(&mut owner).await.unwrap_err();
            let refused = refused.into_database_error().unwrap();
            assert!(
                refused.message().contains("append-only"),
                "{change}: {refused}"
            );
        }
    }
    assert_eq!(contents(&log).await, before);
}

async fn contents(log: &Log) -> Vec<String> {
    sqlx::query_scalar("SELECT events::text FROM events ORDER BY position")
        .fetch_all(log.pool())
        .await
        .unwrap()
}
