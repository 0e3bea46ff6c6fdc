//! Where the keys for access tokens come from: the settings, or the database, which makes its own.

use chrono::{DateTime, Duration, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use soko_event_log::{MasterKeys, OpenError};
use sqlx::{PgPool, Row};

use crate::config::Config;
use crate::tokens::{KeyRing, SigningPair};

/// A new key is made when the newest is this old.
const ROTATE_AFTER: Duration = Duration::days(90);

/// A new key signs only when everybody who keeps our published keys has had time to look again.
const PUBLISH_BEFORE_USE: Duration = Duration::hours(1);

/// Longer than a token of the key before could still be good.
const KEEP_OLD_FOR: Duration = Duration::days(1);

/// What a key is sealed for.
const PURPOSE: &str = "signing key";

/// One node makes a new key, the others find it.
const LOCK: i64 = 0x736f_6b6f_6b65_7973;

#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    #[error("the signing keys cannot be read")]
    Database(#[from] sqlx::Error),
    #[error("a signing key cannot be used")]
    Key(#[from] ed25519_dalek::pkcs8::Error),
    #[error("a signing key cannot be opened")]
    Sealed(#[from] OpenError),
    #[error("there is no signing key")]
    None,
}

/// The ring as it is now; makes the first key of a database, and each next one when it is due.
///
/// # Errors
/// The database, or a key in it that is none.
pub async fn ring(
    config: &Config,
    pool: &PgPool,
    masters: &MasterKeys,
    now: DateTime<Utc>,
) -> Result<KeyRing, SigningKeysError> {
    let mut stored = stored(pool, masters).await?;
    let Some(set) = &config.signing_key else {
        if stored
            .first()
            .is_none_or(|key| key.created_at < now - ROTATE_AFTER)
        {
            make(pool, masters, now).await?;
            stored = self::stored(pool, masters).await?;
        }
        let in_use = stored
            .iter()
            .position(|key| key.created_at <= now - PUBLISH_BEFORE_USE);
        // The very first key has nobody to wait for.
        let in_use = in_use
            .or(stored.len().checked_sub(1))
            .ok_or(SigningKeysError::None)?;
        let current = stored.remove(in_use).pair;
        return Ok(KeyRing::new(
            current,
            stored.into_iter().map(|key| key.pair),
        ));
    };
    let previous = config
        .previous_signing_key
        .iter()
        .map(|key| SigningPair::new(key.key()));
    let mut others = previous.collect::<Result<Vec<_>, _>>()?;
    others.extend(stored.into_iter().map(|key| key.pair));
    Ok(KeyRing::new(SigningPair::new(set.key())?, others))
}

/// Seals with the master key in use what an earlier one has sealed.
///
/// # Errors
/// The database, or a key that cannot be opened.
pub async fn reseal(pool: &PgPool, masters: &MasterKeys) -> Result<(), SigningKeysError> {
    let rows = sqlx::query("SELECT key_id, sealed_key FROM signing_keys")
        .fetch_all(pool)
        .await?;
    for row in rows {
        let (key_id, sealed): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        if masters.is_outdated(&sealed) {
            let key = masters.open(PURPOSE, key_id.as_bytes(), &sealed)?;
            sqlx::query("UPDATE signing_keys SET sealed_key = $2 WHERE key_id = $1")
                .bind(&key_id)
                .bind(masters.seal(PURPOSE, key_id.as_bytes(), &key))
                .execute(pool)
                .await?;
        }
    }
    Ok(())
}

struct Stored {
    pair: SigningPair,
    created_at: DateTime<Utc>,
}

/// Newest first.
async fn stored(pool: &PgPool, masters: &MasterKeys) -> Result<Vec<Stored>, SigningKeysError> {
    let rows = sqlx::query(
        "SELECT key_id, sealed_key, created_at FROM signing_keys ORDER BY created_at DESC, key_id",
    )
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let key_id: String = row.try_get("key_id")?;
            let sealed: Vec<u8> = row.try_get("sealed_key")?;
            let key =
                SigningKey::from_pkcs8_der(&masters.open(PURPOSE, key_id.as_bytes(), &sealed)?)?;
            Ok(Stored {
                pair: SigningPair::new(&key)?,
                created_at: row.try_get("created_at")?,
            })
        })
        .collect()
}

async fn make(
    pool: &PgPool,
    masters: &MasterKeys,
    now: DateTime<Utc>,
) -> Result<(), SigningKeysError> {
    let key = SigningKey::from_bytes(&rand::random());
    let pair = SigningPair::new(&key)?;
    let key_id = pair.key_id();
    let mut transaction = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *transaction)
        .await?;
    let inserted = sqlx::query(
        "INSERT INTO signing_keys (key_id, sealed_key, created_at) SELECT $1, $2, $3 \
         WHERE NOT EXISTS (SELECT FROM signing_keys WHERE created_at >= $4)",
    )
    .bind(key_id)
    .bind(masters.seal(PURPOSE, key_id.as_bytes(), key.to_pkcs8_der()?.as_bytes()))
    .bind(now)
    .bind(now - ROTATE_AFTER)
    .execute(&mut *transaction)
    .await?;
    if inserted.rows_affected() > 0 {
        // All but the key that this one follows.
        sqlx::query(
            "DELETE FROM signing_keys WHERE created_at < $1 AND created_at < \
             (SELECT max(created_at) FROM signing_keys WHERE created_at < $2)",
        )
        .bind(now - ROTATE_AFTER - KEEP_OLD_FOR)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        tracing::info!("a new key for access tokens was made");
    }
    transaction.commit().await?;
    Ok(())
}
