//! What must be unique in the whole system.

use crate::Position;
use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row};
use std::fmt;

/// A claim to be made with a unit; it fails the unit if somebody has it.
///
/// The value is unique for its kind over all tenants, so it names its store or tenant itself where
/// only they have to keep it apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub kind: ClaimKind,
    /// At most 1 KiB.
    pub value: String,
    /// The id of what holds the claim.
    pub owner: Option<String>,
    /// Of the request, for idempotency keys.
    pub digest: Option<Vec<u8>>,
    /// The answer, as JSON, for idempotency keys.
    pub outcome: Option<String>,
}

/// A claim that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundClaim {
    pub owner: Option<String>,
    pub digest: Option<Vec<u8>>,
    pub outcome: Option<String>,
    pub position: Position,
    pub claimed_at: DateTime<Utc>,
}

/// Looks claims up, so that common refusals need no failed append. The append is what guarantees.
#[derive(Debug, Clone)]
pub struct Claims {
    pool: PgPool,
}

impl Claims {
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Who has it, if anybody.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn find(
        &self,
        kind: ClaimKind,
        value: &str,
    ) -> Result<Option<FoundClaim>, sqlx::Error> {
        let row = sqlx::query(
            "SELECT owner, digest, outcome::text AS outcome, position, claimed_at FROM claims \
             WHERE kind = $1 AND value = $2",
        )
        .bind(kind.as_str())
        .bind(value)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(FoundClaim {
                owner: row.try_get("owner")?,
                digest: row.try_get("digest")?,
                outcome: row.try_get("outcome")?,
                position: Position::new(row.try_get("position")?),
                claimed_at: row.try_get("claimed_at")?,
            })
        })
        .transpose()
    }
}

macro_rules! claim_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal),+ $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ClaimKind {
            $($(#[$doc])* $kind),+
        }

        impl ClaimKind {
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// As stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }
        }
    };
}

claim_kinds! {
    Email = "email",
    Phone = "phone",
    TenantSlug = "tenant_slug",
    StoreSlug = "store_slug",
    VendorSlug = "vendor_slug",
    CategorySlug = "category_slug",
    ProductSlug = "product_slug",
    Sku = "sku",
    OrderNumber = "order_number",
    /// One of the uses that a customer may have of a coupon.
    CouponUse = "coupon_use",
    /// A provider's own reference of money that moved: applied once only.
    PaymentReference = "payment_reference",
    /// That a sale, or a refund, stands in the accounts of its vendors.
    Settlement = "settlement",
    /// A payout, owned by the vendor whose it is.
    Payout = "payout",
    /// Our id of something that a provider was asked for, owned by the payment it is of.
    ProviderOperation = "provider_operation",
    /// A request of a client, or a step of a process manager.
    IdempotencyKey = "idempotency_key",
}

impl fmt::Display for ClaimKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
