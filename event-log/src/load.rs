//! The events of one aggregate, by way of postgres-es.

use crate::vault::{Vault, VaultError, subjects_sealed_in};
use cqrs_es::persist::{PersistedEventRepository, PersistenceError, SerializedEvent};
use postgres_es::PostgresEventRepository;
use soko_domain::{Decide, upcasters};
use sqlx::PgPool;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Why an aggregate could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the history of {stream_type} {stream_id} is broken: event {expected} is missing")]
    SequenceGap {
        stream_type: &'static str,
        stream_id: String,
        expected: u64,
    },
    #[error("event {sequence} of {stream_type} {stream_id} cannot be read")]
    Poisoned {
        stream_type: &'static str,
        stream_id: String,
        sequence: u64,
        #[source]
        cause: serde_json::Error,
    },
    #[error("what is personal in the history cannot be opened")]
    Vault(#[from] VaultError),
    #[error("the log cannot be reached")]
    Repository(#[from] PersistenceError),
    #[error("the log cannot be reached")]
    Database(#[from] sqlx::Error),
}

/// Loads single streams; cheap to clone.
#[derive(Clone)]
pub struct Loader {
    pool: PgPool,
    repository: Arc<PostgresEventRepository>,
    vault: Vault,
}

impl Loader {
    pub fn new(pool: PgPool, vault: Vault) -> Self {
        let repository = Arc::new(PostgresEventRepository::new(pool.clone()));
        Self {
            pool,
            repository,
            vault,
        }
    }

    /// The events of a stream after a sequence (0: all), each with its own sequence, and with all
    /// that is personal in them opened.
    ///
    /// # Errors
    /// One is missing or cannot be read; the database cannot be reached.
    pub async fn load<A: Decide>(
        &self,
        id: A::Id,
        after_sequence: u64,
    ) -> Result<Vec<(u64, A::Event)>, LoadError> {
        let stream_id = id.to_string();
        let mut events = if after_sequence == 0 {
            self.repository.get_events::<A>(&stream_id).await?
        } else {
            let after = usize::try_from(after_sequence).unwrap_or(usize::MAX);
            self.repository
                .get_last_events::<A>(&stream_id, after)
                .await?
        };
        self.open(&mut events).await?;
        events
            .into_iter()
            .zip(after_sequence + 1..)
            .map(|(event, sequence)| Ok((sequence, decode::<A>(event, sequence)?)))
            .collect()
    }

    async fn open(&self, events: &mut [SerializedEvent]) -> Result<(), VaultError> {
        let mut subjects = BTreeSet::new();
        for event in &mut *events {
            subjects_sealed_in(&mut event.payload, &mut subjects);
        }
        if subjects.is_empty() {
            return Ok(());
        }
        let keys = self.vault.keys(subjects).await?;
        let mut payloads = events.iter_mut().map(|event| &mut event.payload);
        payloads.try_for_each(|payload| keys.open_json(payload))
    }

    /// The last sequence of each stream, in the order asked for; 0 where there is none.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn tails(&self, streams: &[(&'static str, Uuid)]) -> Result<Vec<u64>, LoadError> {
        let (types, ids): (Vec<&str>, Vec<Uuid>) = streams.iter().copied().unzip();
        let tails: Vec<i64> = sqlx::query_scalar(
            "SELECT coalesce((
                 SELECT e.sequence FROM events e
                 WHERE e.aggregate_type = s.type AND e.aggregate_id = s.id::text
                 ORDER BY e.sequence DESC LIMIT 1
             ), 0)
             FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS s (type, id, place)
             ORDER BY s.place",
        )
        .bind(types)
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        Ok(tails.into_iter().map(i64::unsigned_abs).collect())
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}

fn decode<A: Decide>(event: SerializedEvent, expected: u64) -> Result<A::Event, LoadError> {
    if event.sequence as u64 != expected {
        return Err(LoadError::SequenceGap {
            stream_type: A::TYPE,
            stream_id: event.aggregate_id,
            expected,
        });
    }
    let event = upcasters().iter().fold(event, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            upcaster.upcast(event)
        } else {
            event
        }
    });
    serde_json::from_value(event.payload).map_err(|cause| LoadError::Poisoned {
        stream_type: A::TYPE,
        stream_id: event.aggregate_id,
        sequence: expected,
        cause,
    })
}
