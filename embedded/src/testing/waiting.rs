use std::process::id;
use std::time::Duration;

use sqlx::Connection;

use super::databases::{admin_url, connect};

/// How long a test waits for what happens in the background: a loaded machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(10);

const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Backends that serve this process, and whoever else is not idle.
const ACTIVITY: &str = "SELECT concat_ws(' ', pid, datname, application_name, state, \
     wait_event_type || '/' || wait_event, \
     'since ' || (clock_timestamp() - query_start)::text, left(query, 120)) \
     FROM pg_stat_activity \
     WHERE pid <> pg_backend_pid() AND (datname LIKE $1 OR state <> 'idle') \
     ORDER BY datname, query_start LIMIT 60";

/// Waits until something is so.
///
/// # Panics
///
/// When it is not, for [`PATIENCE`]; it then says what the server was doing.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(POLL).await;
        }
    };
    let Ok(()) = tokio::time::timeout(PATIENCE, waiting).await else {
        let activity = server_activity().await;
        panic!("it never came to this: {what}\n{activity}");
    };
}

/// What the shared server is doing, a line for each of its backends: for the message of a test
/// that waited in vain.
pub async fn server_activity() -> String {
    let looked = tokio::time::timeout(LOOK_TIMEOUT, look()).await;
    match looked {
        Ok(Ok(lines)) => lines.join("\n"),
        Ok(Err(cause)) => format!("the server says nothing: {cause}"),
        Err(_) => "the server does not answer".to_owned(),
    }
}

async fn look() -> Result<Vec<String>, sqlx::Error> {
    let mut admin = connect(&admin_url().await).await?;
    let lines = sqlx::query_scalar(ACTIVITY)
        .bind(format!("test\\_{}\\_%", id()))
        .fetch_all(&mut admin)
        .await?;
    admin.close().await?;
    Ok(lines)
}
