//! Workers that run, and what they have made.

use crate::log::Log;
use soko_embedded::testing::PATIENCE;
use soko_event_log::{Feed, FeedOptions, LogReader, Position, Tail};
use soko_projections::{Freshness, Model, ReadModel, Workplace, digest};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A process with workers, as far as the database can tell.
pub(crate) struct Node {
    pub(crate) workplace: Workplace,
    shutdown: CancellationToken,
    workers: Vec<JoinHandle<()>>,
}

impl Node {
    pub(crate) fn of(log: &Log) -> Self {
        let pool = log.pool().clone();
        let reader = LogReader::new(pool.clone());
        let tail = Tail::new(reader.clone(), log.head());
        let feed = Feed::start(Box::new(tail), reader, log.head(), FeedOptions::default());
        Self {
            workplace: Workplace {
                feed,
                freshness: Freshness::new(pool.clone()),
                pool,
            },
            shutdown: CancellationToken::new(),
            workers: Vec::new(),
        }
    }

    pub(crate) fn working_on<M: ReadModel>(mut self) -> Self {
        let (workplace, shutdown) = (self.workplace.clone(), self.shutdown.clone());
        self.workers.push(tokio::spawn(async move {
            Model::<M>::boxed().run(&workplace, &shutdown).await;
        }));
        self
    }

    pub(crate) async fn has_folded<M: ReadModel>(&self, position: Position) {
        let freshness = &self.workplace.freshness;
        freshness
            .wait_for(M::NAME, position, PATIENCE)
            .await
            .unwrap();
    }

    /// Ends the workers between any two steps of theirs, as a kill would.
    pub(crate) async fn kill(self) {
        for worker in self.workers {
            worker.abort();
            let _ = worker.await;
        }
    }

    pub(crate) async fn shut_down(self) {
        self.shutdown.cancel();
        for worker in self.workers {
            worker.await.unwrap();
        }
    }
}

pub(crate) async fn digest_of<M: ReadModel>(pool: &PgPool) -> (u64, String) {
    let digest = digest(pool, M::NAME).await.unwrap().unwrap();
    (digest.rows, digest.digest)
}

pub(crate) async fn assert_equals_its_replay<M: ReadModel>(pool: &PgPool) {
    let options = soko_projections::VerifyOptions::default();
    let verification = Model::<M>::boxed().verify(pool, &options).await.unwrap();
    assert!(verification.is_equal(), "{verification:?}");
}

pub(crate) async fn generation_of<M: ReadModel>(pool: &PgPool) -> i32 {
    sqlx::query_scalar("SELECT generation FROM projections WHERE name = $1")
        .bind(M::NAME)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Builds every table there is from the log.
pub(crate) async fn built(pool: &PgPool) {
    for model in soko_projections::all() {
        let options = soko_projections::RebuildOptions::default();
        model.rebuild(pool, &options).await.unwrap();
    }
}
