//! A store, or a vendor in it, gives something off to whoever names a coupon.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::promotion::{Discount, Funder, PromotionCommand, PromotionError, Terms};
use soko_domain::store::StoreError;
use soko_domain::vendor::VendorError;
use soko_domain::{CouponCode, Promotion, PromotionId, Store, StoreId, Text, Vendor, VendorId};

#[derive(Debug, Clone)]
pub struct CreatePromotion {
    pub store_id: StoreId,
    pub code: CouponCode,
    /// Whose goods it is for; without, for all that the store sells.
    pub vendor_id: Option<VendorId>,
    pub funder: Funder,
    pub terms: Terms,
}

/// What is to be changed of a promotion; what is `None` stays.
#[derive(Debug, Clone)]
pub struct ChangePromotion {
    pub promotion_id: PromotionId,
    pub name: Option<Text<120>>,
    pub discount: Option<Discount>,
    /// Minor units of the store's currency; 0 for none.
    pub minimum: Option<i64>,
    pub starts_at: Option<Option<DateTime<Utc>>>,
    pub ends_at: Option<Option<DateTime<Utc>>>,
    pub uses_max: Option<Option<u32>>,
    pub uses_per_customer: Option<Option<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunPromotionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vendor(#[from] VendorError),
    #[error(transparent)]
    Promotion(#[from] PromotionError),
}

/// # Errors
/// [`RunPromotionError`], and every other [`CommandError`].
pub async fn create_promotion(
    engine: &Engine,
    request: CreatePromotion,
    context: &CommandContext,
) -> Result<Committed<PromotionId>, CommandError<RunPromotionError>> {
    let store_id = request.store_id;
    let promotion_id = PromotionId::of_code(store_id, &request.code);
    let lanes = Lanes::new()
        .with::<Promotion>(promotion_id)
        .with::<Store>(store_id)
        .with_all::<Vendor>(request.vendor_id);
    engine
        .transact(context, lanes, |unit| {
            let currency = shelf::open_store(unit, store_id, context.tenant_id)?.currency();
            if let Some(vendor_id) = request.vendor_id {
                shelf::trading_vendor(unit, vendor_id, store_id)?;
            }
            let create = PromotionCommand::Create {
                store_id,
                code: request.code.clone(),
                vendor_id: request.vendor_id,
                funder: request.funder,
                currency,
                terms: request.terms.clone(),
            };
            unit.execute::<Promotion>(promotion_id, create)?;
            Ok(promotion_id)
        })
        .await
}

/// # Errors
/// [`RunPromotionError`], and every other [`CommandError`].
pub async fn change_promotion(
    engine: &Engine,
    request: ChangePromotion,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<RunPromotionError>> {
    let promotion_id = request.promotion_id;
    let lanes = Lanes::new().with::<Promotion>(promotion_id);
    engine
        .transact(context, lanes, |unit| {
            let terms = request.applied_to(terms_of(unit, promotion_id, context)?);
            let change = PromotionCommand::ChangeTerms { terms };
            Ok(unit.execute::<Promotion>(promotion_id, change)?)
        })
        .await
}

/// Ended twice, it ends once.
///
/// # Errors
/// [`RunPromotionError`], and every other [`CommandError`].
pub async fn end_promotion(
    engine: &Engine,
    promotion_id: PromotionId,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<RunPromotionError>> {
    let lanes = Lanes::new().with::<Promotion>(promotion_id);
    engine
        .transact(context, lanes, |unit| {
            terms_of(unit, promotion_id, context)?;
            let end = PromotionCommand::End { now: context.now };
            Ok(unit.execute::<Promotion>(promotion_id, end)?)
        })
        .await
}

/// One of another tenant is as good as none.
fn terms_of(
    unit: &UnitOfWork<'_>,
    promotion_id: PromotionId,
    context: &CommandContext,
) -> Result<Terms, PromotionError> {
    let campaign = unit.state::<Promotion>(promotion_id).campaign()?;
    if shelf::is_store_of(unit, campaign.store_id(), context.tenant_id) {
        Ok(campaign.terms().clone())
    } else {
        Err(PromotionError::NotCreated)
    }
}

impl ChangePromotion {
    fn applied_to(&self, known: Terms) -> Terms {
        Terms {
            name: self.name.clone().unwrap_or(known.name),
            discount: self.discount.unwrap_or(known.discount),
            minimum: self.minimum.unwrap_or(known.minimum),
            starts_at: self.starts_at.unwrap_or(known.starts_at),
            ends_at: self.ends_at.unwrap_or(known.ends_at),
            uses_max: self.uses_max.unwrap_or(known.uses_max),
            uses_per_customer: self.uses_per_customer.unwrap_or(known.uses_per_customer),
        }
    }
}
