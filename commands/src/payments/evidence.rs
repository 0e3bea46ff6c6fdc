//! What was asked of providers and what they answered, for people who want to know later. Nothing is
//! decided by it, so it is written behind the call, and what a crash takes of it is missed by nobody
//! but them.

use super::batches::Batches;
use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use soko_domain::payment::PaymentProvider;
use soko_domain::{PaymentId, TenantId};
use sqlx::PgPool;
use std::time::Duration;
use uuid::Uuid;

/// One call of a provider.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub tenant_id: TenantId,
    pub payment_id: PaymentId,
    /// Our id of what was asked for.
    pub operation_id: Uuid,
    pub kind: &'static str,
    pub provider: PaymentProvider,
    pub began_at: DateTime<Utc>,
    pub took: Duration,
    /// One word of ours.
    pub outcome: &'static str,
    /// The provider's own, without what is personal.
    pub words: String,
}

/// Keeps evidence of calls; cheap to clone.
#[derive(Clone)]
pub struct Evidence(Batches<Call>);

impl Evidence {
    /// Call it within a runtime.
    pub fn start(pool: PgPool) -> Self {
        Self(Batches::start(move |calls| {
            let pool = pool.clone();
            async move {
                if let Err(error) = write(&pool, &calls).await {
                    counter!("soko_provider_evidence_lost_total").increment(calls.len() as u64);
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        calls = calls.len(),
                        "evidence of provider calls is lost"
                    );
                }
            }
        }))
    }

    pub(super) fn keep(&self, call: Call) {
        let labels = [
            ("provider", call.provider.as_str()),
            ("kind", call.kind),
            ("outcome", call.outcome),
        ];
        counter!("soko_provider_calls_total", &labels).increment(1);
        histogram!("soko_provider_call_seconds", &labels[..2]).record(call.took.as_secs_f64());
        self.0.leave(call);
    }
}

/// The commit waits for no disk.
async fn write(pool: &PgPool, calls: &[Call]) -> Result<(), sqlx::Error> {
    fn column<T>(calls: &[Call], value: impl Fn(&Call) -> T) -> Vec<T> {
        calls.iter().map(value).collect()
    }
    sqlx::query(
        "INSERT INTO provider_calls \
             (call_id, tenant_id, payment_id, operation_id, kind, provider, began_at, took_ms, \
              outcome, words) \
         SELECT c.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], \
                              $6::text[], $7::timestamptz[], $8::int[], $9::text[], $10::text[]) AS c, \
                         set_config('synchronous_commit', 'off', true)",
    )
    .bind(column(calls, |_| Uuid::now_v7()))
    .bind(column(calls, |call| call.tenant_id.as_uuid()))
    .bind(column(calls, |call| call.payment_id.as_uuid()))
    .bind(column(calls, |call| call.operation_id))
    .bind(column(calls, |call| call.kind))
    .bind(column(calls, |call| call.provider.as_str()))
    .bind(column(calls, |call| call.began_at))
    .bind(column(calls, |call| {
        i32::try_from(call.took.as_millis()).unwrap_or(i32::MAX)
    }))
    .bind(column(calls, |call| call.outcome))
    .bind(column(calls, |call| call.words.clone()))
    .execute(pool)
    .await?;
    Ok(())
}
