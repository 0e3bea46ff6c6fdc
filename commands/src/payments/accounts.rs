//! The accounts of stores with providers: sealed in a table, opened for a moment.

use super::AccountDetails;
use chrono::{DateTime, Utc};
use soko_domain::payment::PaymentProvider;
use soko_domain::{AccountId, StoreId, TenantId};
use soko_event_log::{MasterKeys, OpenError, ShortMemory};
use soko_gateways::payments::Credentials;
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

/// What they are sealed for.
const PURPOSE: &str = "payment account";

/// Table, id, column and purpose of what the master key seals here, for who seals it anew.
pub const SEALED_ACCOUNTS: (&str, &str, &str, &str) =
    ("payment_accounts", "account_id", "sealed", PURPOSE);

/// Keeps what opens the accounts of stores with providers; cheap to clone.
#[derive(Clone)]
pub struct PaymentAccounts(Arc<Inner>);

struct Inner {
    pool: PgPool,
    masters: MasterKeys,
    known: ShortMemory<(StoreId, PaymentProvider), Arc<Credentials>>,
}

/// Why an account cannot be opened, or not be kept.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("the accounts of stores cannot be read or written")]
    Database(#[from] sqlx::Error),
    #[error("the store has no account with {}", .0.as_str())]
    Missing(PaymentProvider),
    #[error("what opens the account cannot be opened itself")]
    Sealed(#[from] OpenError),
    #[error("what opens the account has another form than it should")]
    Form,
}

impl PaymentAccounts {
    pub fn new(pool: PgPool, masters: MasterKeys) -> Self {
        Self(Arc::new(Inner {
            pool,
            masters,
            known: ShortMemory::default(),
        }))
    }

    /// Puts it in the place of the one before. `callback_secret` is used where the store has none
    /// yet, or is to have another: the ones before it still count for callbacks that are under way.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn put(
        &self,
        (tenant_id, store_id): (TenantId, StoreId),
        mut details: AccountDetails,
        callback_secret: NewCallbackSecret,
        (set_by, now): (AccountId, DateTime<Utc>),
    ) -> Result<(), AccountError> {
        let provider = details.provider();
        let before = match self.details(store_id, provider).await {
            Ok(before) => Some(before),
            Err(AccountError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        if let Some(secrets) = details.callback_secrets_mut() {
            *secrets = before
                .and_then(|mut before| before.callback_secrets_mut().map(std::mem::take))
                .unwrap_or_default();
            if secrets.is_empty() || callback_secret.replaces {
                secrets.insert(0, callback_secret.secret);
                secrets.truncate(CALLBACK_SECRETS_MAX);
            }
        }
        let id = id(store_id, provider);
        let text = serde_json::to_vec(&details).map_err(|_| AccountError::Form)?;
        let sealed = self.0.masters.seal(PURPOSE, id.as_bytes(), &text);
        sqlx::query(
            "INSERT INTO payment_accounts \
                 (account_id, tenant_id, store_id, provider, sealed, hint, set_at, set_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (account_id) DO UPDATE \
             SET sealed = excluded.sealed, hint = excluded.hint, set_at = excluded.set_at, \
                 set_by = excluded.set_by",
        )
        .bind(id)
        .bind(tenant_id.as_uuid())
        .bind(store_id.as_uuid())
        .bind(provider.as_str())
        .bind(sealed)
        .bind(details.hint())
        .bind(now)
        .bind(set_by.as_uuid())
        .execute(&self.0.pool)
        .await?;
        self.0.known.forget_all();
        Ok(())
    }

    /// # Errors
    /// [`AccountError::Database`].
    pub async fn remove(
        &self,
        store_id: StoreId,
        provider: PaymentProvider,
    ) -> Result<(), AccountError> {
        sqlx::query("DELETE FROM payment_accounts WHERE account_id = $1")
            .bind(id(store_id, provider))
            .execute(&self.0.pool)
            .await?;
        self.0.known.forget_all();
        Ok(())
    }

    /// What opens the account that carries this provider. One round trip, or none if it was asked
    /// for within the last second.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn open(
        &self,
        store_id: StoreId,
        provider: PaymentProvider,
    ) -> Result<Credentials, AccountError> {
        let key = (store_id, provider);
        if let Some(known) = self.0.known.get(&key) {
            return Ok((*known).clone());
        }
        let since = self.0.known.begin();
        let details = self.details(store_id, provider.account()).await?;
        let credentials = details.into_credentials(store_id, provider);
        self.0.known.keep(key, Arc::new(credentials.clone()), since);
        Ok(credentials)
    }

    async fn details(
        &self,
        store_id: StoreId,
        provider: PaymentProvider,
    ) -> Result<AccountDetails, AccountError> {
        let id = id(store_id, provider);
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT sealed FROM payment_accounts WHERE account_id = $1")
                .bind(id)
                .fetch_optional(&self.0.pool)
                .await?;
        let sealed = sealed.ok_or(AccountError::Missing(provider))?;
        let opened = self.0.masters.open(PURPOSE, id.as_bytes(), &sealed)?;
        serde_json::from_slice(&opened).map_err(|_| AccountError::Form)
    }
}

/// For paths of callbacks that nobody signs: random, and whether it takes the place of one that the
/// store has.
pub struct NewCallbackSecret {
    pub secret: soko_gateways::payments::Secret,
    pub replaces: bool,
}

/// The one in use, and one that callbacks under way still have in their paths.
const CALLBACK_SECRETS_MAX: usize = 2;

fn id(store_id: StoreId, provider: PaymentProvider) -> Uuid {
    Uuid::new_v5(&store_id.as_uuid(), provider.as_str().as_bytes())
}
