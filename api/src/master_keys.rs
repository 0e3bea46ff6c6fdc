//! Where the master keys come from.

use soko_commands::payments::SEALED_ACCOUNTS;
use soko_event_log::{KeptKeyError, MasterKey, MasterKeys, OpenError, RotationError, Vault};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::config::{Config, MasterKeyTexts};
use crate::signing_keys::{self, SigningKeysError};
use crate::{messages, second_factor};

#[derive(Debug, thiserror::Error)]
pub enum MasterKeysError {
    #[error("there is no master key")]
    Kept(#[from] KeptKeyError),
    #[error("the master keys cannot be used: set SOKO_MASTER_KEY and SOKO_PREVIOUS_MASTER_KEYS")]
    Rotation(#[from] RotationError),
    #[error("the signing keys cannot be sealed anew")]
    SigningKeys(#[from] SigningKeysError),
    #[error("{table} cannot be sealed anew")]
    Table {
        table: &'static str,
        #[source]
        cause: ResealError,
    },
}

/// A column whose values are sealed by a master key, each for the id of its row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealed {
    pub(crate) table: &'static str,
    pub(crate) id: &'static str,
    pub(crate) column: &'static str,
    pub(crate) purpose: &'static str,
}

const PAYMENT_ACCOUNTS: Sealed = Sealed {
    table: SEALED_ACCOUNTS.0,
    id: SEALED_ACCOUNTS.1,
    column: SEALED_ACCOUNTS.2,
    purpose: SEALED_ACCOUNTS.3,
};

#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
    #[error("a row cannot be opened")]
    Open(#[from] OpenError),
}

impl Sealed {
    async fn reseal(self, pool: &PgPool, masters: &MasterKeys) -> Result<(), MasterKeysError> {
        let table = self.table;
        let resealed = self.reseal_rows(pool, masters).await;
        resealed.map_err(|cause| MasterKeysError::Table { table, cause })
    }

    async fn reseal_rows(self, pool: &PgPool, masters: &MasterKeys) -> Result<(), ResealError> {
        let Self {
            table, id, column, ..
        } = self;
        let rows = sqlx::query(&format!("SELECT {id}, {column} FROM {table}"))
            .fetch_all(pool)
            .await?;
        // Only what is still as it was read.
        let update = format!("UPDATE {table} SET {column} = $3 WHERE {id} = $1 AND {column} = $2");
        for row in rows {
            let (owner, sealed): (Uuid, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            if masters.is_outdated(&sealed) {
                let secret = masters.open(self.purpose, owner.as_bytes(), &sealed)?;
                sqlx::query(&update)
                    .bind(owner)
                    .bind(&sealed)
                    .bind(masters.seal(self.purpose, owner.as_bytes(), &secret))
                    .execute(pool)
                    .await?;
            }
        }
        Ok(())
    }
}

/// A vault with the keys of the settings; without any, with one that is made at the first start.
///
/// # Errors
/// [`MasterKeysError`]; above all if personal data is in the database that none of the keys opens.
pub(crate) async fn vault(config: &Config, pool: &PgPool) -> Result<Vault, MasterKeysError> {
    let current = match (&config.master_key, &config.database_url) {
        (Some(key), _) => key.key().clone(),
        (None, None) => MasterKey::in_folder_or_new(&config.data_dir)?,
        (None, Some(_)) => {
            tracing::warn!(
                "SOKO_MASTER_KEY is not set: the key of personal data lies in the database beside it"
            );
            MasterKey::in_database_or_new(pool).await?
        }
    };
    let previous = config.previous_master_keys.iter();
    let previous = previous.flat_map(MasterKeyTexts::keys).cloned();
    let vault = Vault::new(pool.clone(), MasterKeys::new(current, previous));
    vault.enter().await?;
    Ok(vault)
}

/// Seals what earlier master keys have sealed with the one in use; says so where there was any.
pub(crate) async fn rotate(vault: &Vault, pool: &PgPool) {
    match rotated(vault, pool).await {
        Ok(0) => (),
        Ok(count) => tracing::info!(
            keys = count,
            "all is sealed with the master key in use: earlier ones are needed no more"
        ),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "not all is sealed with the master key in use"
        ),
    }
}

/// The keys of people last: then the earlier master keys are noted down as no longer needed.
async fn rotated(vault: &Vault, pool: &PgPool) -> Result<u64, MasterKeysError> {
    signing_keys::reseal(pool, vault.masters()).await?;
    for sealed in [second_factor::SEALED, messages::SEALED, PAYMENT_ACCOUNTS] {
        sealed.reseal(pool, vault.masters()).await?;
    }
    Ok(vault.rotate().await?)
}
