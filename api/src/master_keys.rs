//! Where the master keys come from.

use soko_event_log::{KeptKeyError, MasterKey, MasterKeys, RotationError, Vault};
use sqlx::PgPool;

use crate::config::{Config, MasterKeyTexts};
use crate::second_factor::{ResealError, SecondFactors};
use crate::signing_keys::{self, SigningKeysError};

#[derive(Debug, thiserror::Error)]
pub enum MasterKeysError {
    #[error("there is no master key")]
    Kept(#[from] KeptKeyError),
    #[error("the master keys cannot be used: set SOKO_MASTER_KEY and SOKO_PREVIOUS_MASTER_KEYS")]
    Rotation(#[from] RotationError),
    #[error("the signing keys cannot be sealed anew")]
    SigningKeys(#[from] SigningKeysError),
    #[error("the second factors cannot be sealed anew")]
    SecondFactors(#[from] ResealError),
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
pub(crate) async fn rotate(vault: &Vault, pool: &PgPool, factors: &SecondFactors) {
    match rotated(vault, pool, factors).await {
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
async fn rotated(
    vault: &Vault,
    pool: &PgPool,
    factors: &SecondFactors,
) -> Result<u64, MasterKeysError> {
    signing_keys::reseal(pool, vault.masters()).await?;
    factors.reseal().await?;
    Ok(vault.rotate().await?)
}
