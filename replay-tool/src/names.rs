//! What the people of a story are called, unless they were erased.

use crate::error::Failure;
use soko_domain::account::AccountEvent;
use soko_domain::{AccountId, AnyEvent, SubjectId};
use soko_event_log::{Actor, LogReader, MasterKey, MasterKeys, RecordedEvent, Vault};
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Knows nobody without a master key.
pub(crate) struct Names(Option<Vault>);

impl Names {
    /// With this key, or with the one that lies in a database for development.
    pub(crate) async fn new(pool: &PgPool, key: Option<MasterKey>) -> Result<Self, Failure> {
        let key = match key {
            Some(key) => Some(key),
            None => MasterKey::in_database(pool).await?,
        };
        let vault = |key| Vault::new(pool.clone(), MasterKeys::new(key, []));
        Ok(Self(key.map(vault)))
    }

    /// The names of those who did what is told, the last that each had.
    pub(crate) async fn of(
        &self,
        log: &LogReader,
        events: impl Iterator<Item = &Arc<RecordedEvent>>,
    ) -> Result<BTreeMap<AccountId, String>, Failure> {
        let Self(Some(vault)) = self else {
            return Ok(BTreeMap::new());
        };
        let actors = events.filter_map(|event| match event.metadata.actor {
            Actor::Account(id) => Some(id),
            Actor::Guest | Actor::System(_) => None,
        });
        let accounts: BTreeSet<AccountId> = actors.collect();
        let subjects = accounts.iter().copied().map(SubjectId::from);
        let keys = vault.keys(subjects).await?;
        let mut names = BTreeMap::new();
        for account in accounts {
            for entry in log.stream("account", account.as_uuid()).await? {
                if let AnyEvent::Account(
                    _,
                    AccountEvent::Registered { name, .. }
                    | AccountEvent::ProfileChanged { name, .. },
                ) = &entry.event?.event
                    && let Some(name) = keys.open(name)?
                {
                    names.insert(account, name.to_string());
                }
            }
        }
        Ok(names)
    }
}
