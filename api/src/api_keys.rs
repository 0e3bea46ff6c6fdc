//! API keys: what programs send in place of a person's access token.
//!
//! A key speaks for the account that made it, and may do no more than what it was made for. Its text
//! is shown when it is made, and stored nowhere.

mod grant;

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, SubsecRound, Utc};
use sha2::{Digest, Sha256};
use soko_domain::permission::Permission;
use soko_domain::{AccountId, Text};
use soko_event_log::ShortMemory;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Postgres, Row, Transaction};
use uuid::Uuid;

pub use self::grant::{Grant, is_grantable};
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;
use crate::tokens::KeyRing;

/// Tells a key from an access token, and whoever finds one (a scanner of source code, say) what it
/// is.
const MARK: &str = "soko_key_";

/// The mark, and 32 bytes in base64.
const CHARACTERS: usize = MARK.len() + 43;

const SHOWN_CHARACTERS: usize = MARK.len() + 6;

/// Keys that one account may have at a time.
const KEYS_MAX: i64 = 50;

/// How exactly the last use is known.
const USE_INTERVAL: Duration = Duration::minutes(1);

/// Digits of a second in the database.
const MICROSECONDS: u16 = 6;

/// How long it is remembered that a key was there.
const TRACE: Duration = Duration::days(90);

/// The keys of all accounts.
pub struct ApiKeys {
    pool: PgPool,
    /// By the SHA-256 of the key.
    kept: ShortMemory<[u8; 32], Grant>,
}

/// A key as its owner sees it.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub key_id: Uuid,
    pub name: String,
    pub prefix: String,
    pub permissions: BTreeSet<Permission>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A key that is wanted.
pub struct Wanted {
    pub account_id: AccountId,
    pub name: Text<120>,
    pub permissions: BTreeSet<Permission>,
    pub expires_at: DateTime<Utc>,
    /// Whether a second factor was shown by who wants it.
    pub with_second_factor: bool,
    /// The idempotency key, and the digest of the request.
    pub request: Option<(String, [u8; 32])>,
    pub is_dry_run: bool,
}

/// A key that was made, with its text.
pub struct Made {
    pub key: ApiKey,
    pub text: Secret,
    /// Whether it was made by the same request before.
    pub is_replayed: bool,
}

/// Whether a token is an API key, good or not, and no access token.
pub fn is_api_key(token: &str) -> bool {
    token.starts_with(MARK)
}

impl ApiKeys {
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            kept: ShortMemory::default(),
        }
    }

    /// What the bearer of the key may do.
    ///
    /// # Errors
    /// `unauthenticated` for a key that is not good, whatever is wrong with it.
    pub async fn verify(&self, text: &str, now: DateTime<Utc>) -> Result<Grant> {
        if text.len() != CHARACTERS {
            return Err(Problem::new(Code::Unauthenticated));
        }
        let hash = hash(text);
        if let Some(grant) = self.kept.get(&hash) {
            return Ok(grant);
        }
        let since = self.kept.begin();
        let row = sqlx::query(
            "SELECT key_id, account_id, permissions, last_used_at, with_second_factor FROM api_keys \
             WHERE key_hash = $1 AND revoked_at IS NULL AND expires_at > $2",
        )
        .bind(&hash[..])
        .bind(now)
        .fetch_optional(&self.pool)
        .await?
        .ok_or_else(|| Problem::new(Code::Unauthenticated))?;
        let grant = Grant::new(
            row.try_get("key_id")?,
            AccountId::from_uuid(row.try_get("account_id")?),
            permissions(&row)?,
            row.try_get("with_second_factor")?,
        );
        let last_used_at: Option<DateTime<Utc>> = row.try_get("last_used_at")?;
        if last_used_at.is_none_or(|at| at < now - USE_INTERVAL) {
            sqlx::query("UPDATE api_keys SET last_used_at = $2 WHERE key_id = $1")
                .bind(grant.key_id())
                .bind(now)
                .execute(&self.pool)
                .await?;
        }
        self.kept.keep(hash, grant.clone(), since);
        Ok(grant)
    }

    /// Whether a key that was good is so still.
    ///
    /// # Errors
    /// The database.
    pub async fn is_good(&self, key_id: Uuid) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM api_keys WHERE key_id = $1 AND revoked_at IS NULL \
             AND expires_at > clock_timestamp())",
        )
        .bind(key_id)
        .fetch_one(&self.pool)
        .await?)
    }

    /// # Errors
    /// `state-conflict` for an account that has as many as it may, `idempotency-mismatch`, and
    /// `already-exists` where the same request comes so late that its key cannot be shown again.
    pub async fn make(
        &self,
        wanted: Wanted,
        secrets: &KeyRing,
        now: DateTime<Utc>,
    ) -> Result<Made> {
        let mut transaction = self.pool.begin().await?;
        // One at a time for each account, so that none gets more than it may.
        sqlx::query("SELECT FROM credentials WHERE account_id = $1 FOR UPDATE")
            .bind(wanted.account_id.as_uuid())
            .execute(&mut *transaction)
            .await?;
        let request = wanted
            .request
            .as_ref()
            .map(|(key, digest)| (hash(key), *digest));
        if let Some(request) = &request
            && let Some(made) =
                made_before(&mut transaction, wanted.account_id, request, secrets).await?
        {
            return Ok(made);
        }
        if count(&mut transaction, wanted.account_id, now).await? >= KEYS_MAX {
            return Err(Problem::new(Code::StateConflict)
                .with_detail(format!("an account has at most {KEYS_MAX} keys")));
        }
        let key_id = Uuid::now_v7();
        let text = text_of(secrets, key_id);
        let key = ApiKey {
            key_id,
            name: wanted.name.to_string(),
            prefix: text.chars().take(SHOWN_CHARACTERS).collect(),
            permissions: wanted.permissions,
            // As the database keeps it.
            created_at: now.trunc_subsecs(MICROSECONDS),
            expires_at: wanted.expires_at.trunc_subsecs(MICROSECONDS),
            last_used_at: None,
        };
        let row = Unshown {
            account_id: wanted.account_id,
            with_second_factor: wanted.with_second_factor,
            request,
        };
        insert(&mut transaction, &key, &text, row).await?;
        if !wanted.is_dry_run {
            transaction.commit().await?;
        }
        Ok(Made {
            key,
            text: text.into(),
            is_replayed: false,
        })
    }

    /// Those that are good, the newest first.
    ///
    /// # Errors
    /// The database.
    pub async fn of(&self, account_id: AccountId, now: DateTime<Utc>) -> Result<Vec<ApiKey>> {
        let rows = sqlx::query(
            "SELECT key_id, name, prefix, permissions, created_at, expires_at, last_used_at \
             FROM api_keys WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2 \
             ORDER BY created_at DESC, key_id DESC LIMIT $3",
        )
        .bind(account_id.as_uuid())
        .bind(now)
        .bind(KEYS_MAX)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(api_key(row)?)).collect()
    }

    /// Whatever was changed without this is found out with the next request.
    pub fn look_again(&self) {
        self.kept.forget_all();
    }

    /// From the next request on it opens nothing here, and within a second nothing anywhere; `false`
    /// if the account has no such key.
    ///
    /// # Errors
    /// The database.
    pub async fn revoke(
        &self,
        account_id: AccountId,
        key_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let revoked = sqlx::query(
            "UPDATE api_keys SET revoked_at = $3 \
             WHERE key_id = $1 AND account_id = $2 AND revoked_at IS NULL AND expires_at > $3",
        )
        .bind(key_id)
        .bind(account_id.as_uuid())
        .bind(now)
        .execute(&self.pool)
        .await?;
        self.kept.forget_all();
        Ok(revoked.rows_affected() > 0)
    }

    /// Removes the traces of keys that have long been good for nothing.
    ///
    /// # Errors
    /// The database.
    pub async fn forget_old(&self, now: DateTime<Utc>) -> std::result::Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM api_keys WHERE expires_at < $1 OR revoked_at < $1")
            .bind(now - TRACE)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

async fn made_before(
    transaction: &mut Transaction<'_, Postgres>,
    account_id: AccountId,
    (request_hash, digest): &([u8; 32], [u8; 32]),
    secrets: &KeyRing,
) -> Result<Option<Made>> {
    let row = sqlx::query(
        "SELECT key_id, name, prefix, permissions, created_at, expires_at, last_used_at, \
         key_hash, request_digest FROM api_keys WHERE account_id = $1 AND request_hash = $2",
    )
    .bind(account_id.as_uuid())
    .bind(&request_hash[..])
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    if row.try_get::<&[u8], _>("request_digest")? != digest {
        return Err(Problem::new(Code::IdempotencyMismatch));
    }
    let key = api_key(&row)?;
    let text = text_of(secrets, key.key_id);
    // The secret that it was made of has been replaced since.
    if row.try_get::<&[u8], _>("key_hash")? != hash(&text) {
        return Err(Problem::new(Code::AlreadyExists)
            .with_detail("the key was made, and cannot be shown again"));
    }
    Ok(Some(Made {
        key,
        text: text.into(),
        is_replayed: true,
    }))
}

async fn count(
    transaction: &mut Transaction<'_, Postgres>,
    account_id: AccountId,
    now: DateTime<Utc>,
) -> std::result::Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM api_keys \
         WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2",
    )
    .bind(account_id.as_uuid())
    .bind(now)
    .fetch_one(&mut **transaction)
    .await
}

/// What is kept of a key and never shown.
struct Unshown {
    account_id: AccountId,
    with_second_factor: bool,
    request: Option<([u8; 32], [u8; 32])>,
}

async fn insert(
    transaction: &mut Transaction<'_, Postgres>,
    key: &ApiKey,
    text: &str,
    row: Unshown,
) -> std::result::Result<(), sqlx::Error> {
    let permissions: Vec<String> = key.permissions.iter().map(|p| grant::name(*p)).collect();
    sqlx::query(
        "INSERT INTO api_keys (key_id, account_id, name, key_hash, prefix, permissions, \
         created_at, expires_at, request_hash, request_digest, with_second_factor) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(key.key_id)
    .bind(row.account_id.as_uuid())
    .bind(&key.name)
    .bind(&hash(text)[..])
    .bind(&key.prefix)
    .bind(permissions)
    .bind(key.created_at)
    .bind(key.expires_at)
    .bind(row.request.as_ref().map(|(hash, _)| &hash[..]))
    .bind(row.request.as_ref().map(|(_, digest)| &digest[..]))
    .bind(row.with_second_factor)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn api_key(row: &PgRow) -> std::result::Result<ApiKey, sqlx::Error> {
    Ok(ApiKey {
        key_id: row.try_get("key_id")?,
        name: row.try_get("name")?,
        prefix: row.try_get("prefix")?,
        permissions: permissions(row)?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}

fn permissions(row: &PgRow) -> std::result::Result<BTreeSet<Permission>, sqlx::Error> {
    let names: Vec<String> = row.try_get("permissions")?;
    Ok(names.iter().filter_map(|name| grant::named(name)).collect())
}

/// Made of its id and a secret of ours, so that whoever lost the answer can be given it again.
fn text_of(secrets: &KeyRing, key_id: Uuid) -> String {
    let bytes = secrets.derived("api key", key_id);
    format!("{MARK}{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}
