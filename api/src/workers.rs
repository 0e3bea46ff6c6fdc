//! The workers of this process: each keeps one read model at the head of the log.

use std::sync::Arc;

use soko_event_log::{Feed, FeedOptions, LogReader, Position, ReadError, Tail};
use soko_projections::{AnyReadModel, Freshness, Workplace};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Running workers; they stop when this is dropped, and in order when they are stopped.
pub struct Workers {
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
    feed: Feed,
}

/// A name that no read model has.
#[derive(Debug, thiserror::Error)]
#[error("there is no read model {unknown:?}; there are {known}")]
pub struct UnknownModel {
    unknown: String,
    known: String,
}

/// The read models with these names; all of them if there are none.
///
/// # Errors
/// [`UnknownModel`]
pub fn named(names: &[String]) -> Result<Vec<Box<dyn AnyReadModel>>, UnknownModel> {
    let mut models = soko_projections::all();
    let known: Vec<_> = models.iter().map(|model| model.name()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(UnknownModel {
            unknown: unknown.clone(),
            known: known.join(", "),
        });
    }
    models.retain(|model| names.is_empty() || names.iter().any(|name| name == model.name()));
    Ok(models)
}

impl Workers {
    /// Follows the log itself; `head` wakes them when this process appends.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn start(
        models: Vec<Box<dyn AnyReadModel>>,
        pool: PgPool,
        freshness: Freshness,
        head: Option<watch::Receiver<Position>>,
    ) -> Result<Self, ReadError> {
        let reader = LogReader::new(pool.clone());
        let from = reader.head().await?;
        let tail = Tail::new(reader.clone(), from);
        let tail = match head {
            Some(head) => tail.woken_by(head),
            None => tail,
        };
        let feed = Feed::start(Box::new(tail), reader, from, FeedOptions::default());
        let workplace = Arc::new(Workplace {
            pool,
            feed: feed.clone(),
            freshness,
        });
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for model in models {
            let (workplace, shutdown) = (Arc::clone(&workplace), shutdown.clone());
            tasks.spawn(async move { model.run(&workplace, &shutdown).await });
        }
        Ok(Self {
            shutdown,
            tasks,
            feed,
        })
    }

    /// Lets each finish its batch.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        self.feed.close();
        while self.tasks.join_next().await.is_some() {}
    }

    /// Ends only if all of them do, which they do not by themselves.
    pub async fn ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
