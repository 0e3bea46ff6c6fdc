//! What providers told us of their own accord: durable before it is answered, worked after.
//!
//! Whoever writes one down keeps it to itself for a while and works it at once; if that process ends
//! before it is done, another finds it when the lease is over.

use super::batches::Batches;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use soko_domain::payment::PaymentProvider;
use soko_domain::{PaymentId, StoreId, TenantId};
use soko_event_log::MasterKeys;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

const PURPOSE: &str = "provider callback";

/// How long one is left to whoever works it.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// A callback that was found to be a provider's, or not.
#[derive(Debug, Clone)]
pub struct NewCallback {
    pub callback_id: Uuid,
    pub tenant_id: TenantId,
    pub store_id: StoreId,
    pub provider: PaymentProvider,
    pub payment_id: Option<PaymentId>,
    pub received_at: DateTime<Utc>,
    pub raw: Raw,
    /// Why nothing of it is believed: then it is kept as a fact, and not worked.
    pub refused: Option<String>,
}

/// As it came.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Raw {
    /// The last part of its path.
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// One to be worked.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) callback_id: Uuid,
    pub(super) tenant_id: TenantId,
    pub(super) store_id: StoreId,
    pub(super) provider: PaymentProvider,
    pub(super) received_at: DateTime<Utc>,
    pub(super) attempts: u32,
    pub(super) raw: Raw,
}

/// What came of one.
#[derive(Debug)]
pub(super) struct Worked {
    pub(super) callback_id: Uuid,
    pub(super) payment_id: Option<PaymentId>,
    pub(super) verdict: String,
    /// It was tried as often as any is, and never came to an end of its own.
    pub(super) is_given_up: bool,
    pub(super) at: DateTime<Utc>,
}

/// Why a callback cannot be answered with success.
#[derive(Debug, thiserror::Error)]
#[error("the callback could not be written down")]
pub struct InboxError;

struct Arriving {
    callback: NewCallback,
    written: oneshot::Sender<bool>,
}

/// Keeps callbacks; cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    pool: PgPool,
    masters: MasterKeys,
    arriving: Batches<Arriving>,
    worked: Batches<Worked>,
}

impl Inbox {
    /// `work` gets what was written down here, to be worked at once. Call it within a runtime.
    pub(super) fn start(
        pool: PgPool,
        masters: MasterKeys,
        work: mpsc::UnboundedSender<Waiting>,
    ) -> Self {
        let (writer, sealer) = (pool.clone(), masters.clone());
        let arriving = Batches::start(move |arrived: Vec<Arriving>| {
            let (pool, masters, work) = (writer.clone(), sealer.clone(), work.clone());
            async move {
                let is_written = match insert(&pool, &masters, &arrived).await {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            callbacks = arrived.len(),
                            "callbacks could not be written down: their providers are told to come back"
                        );
                        false
                    }
                };
                for Arriving { callback, written } in arrived {
                    if is_written && callback.refused.is_none() {
                        let _ = work.send(Waiting::of(callback));
                    }
                    let _ = written.send(is_written);
                }
            }
        });
        let finisher = pool.clone();
        let worked = Batches::start(move |worked: Vec<Worked>| {
            let pool = finisher.clone();
            async move {
                // What is not noted is worked once more, which changes nothing.
                if let Err(error) = finish(&pool, &worked).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        callbacks = worked.len(),
                        "that callbacks were worked could not be noted"
                    );
                }
            }
        });
        Self {
            pool,
            masters,
            arriving,
            worked,
        }
    }

    /// Returns when it is durable.
    ///
    /// # Errors
    /// It is not: its provider is to be told to come back.
    pub async fn put(&self, callback: NewCallback) -> Result<(), InboxError> {
        let (written, told) = oneshot::channel();
        self.arriving.leave(Arriving { callback, written });
        match told.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(InboxError),
        }
    }

    pub(super) fn done(&self, worked: Worked) {
        self.worked.leave(worked);
    }

    /// It is to be tried again then.
    pub(super) async fn again(
        &self,
        callback_id: Uuid,
        due_at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE provider_callbacks SET due_at = $2, leased_until = NULL \
             WHERE callback_id = $1 AND verdict IS NULL",
        )
        .bind(callback_id)
        .bind(due_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What is due and nobody works.
    pub(super) async fn take_due(
        &self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Waiting>, sqlx::Error> {
        let rows = sqlx::query(
            "UPDATE provider_callbacks SET attempts = attempts + 1, \
                    leased_until = clock_timestamp() + make_interval(secs => $2) \
             WHERE callback_id IN ( \
                 SELECT callback_id FROM provider_callbacks \
                 WHERE verdict IS NULL AND due_at <= $1 \
                   AND (leased_until IS NULL OR leased_until <= clock_timestamp()) \
                 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) \
             RETURNING callback_id, tenant_id, store_id, provider, received_at, attempts, sealed",
        )
        .bind(now)
        .bind(LEASE.as_secs_f64())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let waiting = rows.iter().map(|row| self.waiting(row));
        waiting.collect()
    }

    /// One that came, whatever became of it.
    pub(super) async fn find(&self, callback_id: Uuid) -> Result<Option<Waiting>, sqlx::Error> {
        let row = sqlx::query(
            "SELECT callback_id, tenant_id, store_id, provider, received_at, attempts, sealed \
             FROM provider_callbacks WHERE callback_id = $1",
        )
        .bind(callback_id)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| self.waiting(&row)).transpose()
    }

    fn waiting(&self, row: &PgRow) -> Result<Waiting, sqlx::Error> {
        let callback_id: Uuid = row.try_get("callback_id")?;
        let sealed: Option<Vec<u8>> = row.try_get("sealed")?;
        let opened = sealed.and_then(|sealed| {
            let opened = self.masters.open(PURPOSE, callback_id.as_bytes(), &sealed);
            serde_json::from_slice(&opened.ok()?).ok()
        });
        let provider: String = row.try_get("provider")?;
        let unknown = || sqlx::Error::Decode("a provider that nobody knows".into());
        Ok(Waiting {
            callback_id,
            tenant_id: TenantId::from_uuid(row.try_get("tenant_id")?),
            store_id: StoreId::from_uuid(row.try_get("store_id")?),
            provider: PaymentProvider::parse(&provider).ok_or_else(unknown)?,
            received_at: row.try_get("received_at")?,
            attempts: row.try_get::<i32, _>("attempts")?.unsigned_abs(),
            raw: opened.unwrap_or_default(),
        })
    }

    /// Forgets what stood in callbacks that are older, and keeps that they came.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_before(&self, before: DateTime<Utc>) -> Result<u64, sqlx::Error> {
        let forgotten = sqlx::query(
            "UPDATE provider_callbacks SET sealed = NULL WHERE callback_id IN ( \
                 SELECT callback_id FROM provider_callbacks \
                 WHERE received_at < $1 AND sealed IS NOT NULL AND verdict IS NOT NULL \
                 LIMIT 1000)",
        )
        .bind(before)
        .execute(&self.pool)
        .await?;
        Ok(forgotten.rows_affected())
    }
}

impl Waiting {
    fn of(callback: NewCallback) -> Self {
        Self {
            callback_id: callback.callback_id,
            tenant_id: callback.tenant_id,
            store_id: callback.store_id,
            provider: callback.provider,
            received_at: callback.received_at,
            attempts: 1,
            raw: callback.raw,
        }
    }
}

async fn insert(
    pool: &PgPool,
    masters: &MasterKeys,
    arrived: &[Arriving],
) -> Result<(), sqlx::Error> {
    fn column<T>(arrived: &[Arriving], value: impl Fn(&NewCallback) -> T) -> Vec<T> {
        arrived.iter().map(|one| value(&one.callback)).collect()
    }
    let sealed = |callback: &NewCallback| {
        let is_believed = callback.refused.is_none();
        let text = serde_json::to_vec(&callback.raw)
            .ok()
            .filter(|_| is_believed)?;
        Some(masters.seal(PURPOSE, callback.callback_id.as_bytes(), &text))
    };
    sqlx::query(
        "INSERT INTO provider_callbacks \
             (callback_id, tenant_id, store_id, provider, payment_id, digest, received_at, sealed, \
              verdict, attempts, due_at, leased_until, worked_at) \
         SELECT c.*, 1, c.received_at, clock_timestamp() + make_interval(secs => $10), \
                CASE WHEN c.verdict IS NOT NULL THEN c.received_at END \
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::bytea[], \
                     $7::timestamptz[], $8::bytea[], $9::text[]) \
              AS c (callback_id, tenant_id, store_id, provider, payment_id, digest, received_at, \
                    sealed, verdict)",
    )
    .bind(column(arrived, |one| one.callback_id))
    .bind(column(arrived, |one| one.tenant_id.as_uuid()))
    .bind(column(arrived, |one| one.store_id.as_uuid()))
    .bind(column(arrived, |one| one.provider.as_str()))
    .bind(column(arrived, |one| one.payment_id.map(|id| id.as_uuid())))
    .bind(column(arrived, |one| digest(&one.raw)))
    .bind(column(arrived, |one| one.received_at))
    .bind(column(arrived, sealed))
    .bind(column(arrived, |one| one.refused.clone()))
    .bind(LEASE.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(())
}

/// The commit waits for no disk: what a crash takes of it is worked once more, which changes nothing.
async fn finish(pool: &PgPool, worked: &[Worked]) -> Result<(), sqlx::Error> {
    fn column<T>(worked: &[Worked], value: impl Fn(&Worked) -> T) -> Vec<T> {
        worked.iter().map(value).collect()
    }
    sqlx::query(
        "UPDATE provider_callbacks AS c \
         SET verdict = w.verdict, worked_at = w.at, leased_until = NULL, \
             was_given_up = w.was_given_up, \
             payment_id = coalesce(w.payment_id, c.payment_id) \
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::boolean[]) \
              AS w (callback_id, payment_id, verdict, at, was_given_up), \
              set_config('synchronous_commit', 'off', true) \
         WHERE c.callback_id = w.callback_id",
    )
    .bind(column(worked, |one| one.callback_id))
    .bind(column(worked, |one| one.payment_id.map(|id| id.as_uuid())))
    .bind(column(worked, |one| one.verdict.clone()))
    .bind(column(worked, |one| one.at))
    .bind(column(worked, |one| one.is_given_up))
    .execute(pool)
    .await?;
    Ok(())
}

fn digest(raw: &Raw) -> Vec<u8> {
    let digest = Sha256::new()
        .chain_update(raw.path.as_bytes())
        .chain_update([0])
        .chain_update(&raw.body);
    digest.finalize().to_vec()
}
