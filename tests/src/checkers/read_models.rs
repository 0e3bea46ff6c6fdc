//! Invariant 5: read models equal a replay from zero.

use crate::Soko;
use sqlx::{PgConnection, Row};
use std::time::{Duration, Instant};

const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(60);

/// Waits until every read model has seen the whole log.
pub(super) async fn catch_up(auditor: &mut PgConnection) {
    let started = Instant::now();
    loop {
        let behind: Vec<String> = sqlx::query(
            "SELECT name FROM audit.projections
             WHERE position < (SELECT coalesce(max(position), 0) FROM audit.events)",
        )
        .fetch_all(&mut *auditor)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
        if behind.is_empty() {
            return;
        }
        assert!(
            started.elapsed() < CAUGHT_UP_WITHIN,
            "still behind: {behind:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(super) async fn equal_their_replay(soko: &Soko) {
    let (code, output, errors) = soko.replay_tool(&["verify"]).await;
    assert_eq!(code, 0, "{output}\n{errors}");
}
