//! A shopper names a coupon for their cart. It is held for nobody: whether it is good for anything is
//! looked at again when the order is placed.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use serde::{Deserialize, Serialize};
use soko_domain::cart::{CartCommand, CartError, CartOwner};
use soko_domain::promotion::PromotionError;
use soko_domain::store::StoreError;
use soko_domain::{Cart, CartId, CouponCode, Promotion, PromotionId, Store, StoreId};

#[derive(Debug, Clone)]
pub struct ApplyCoupon {
    pub cart_id: CartId,
    pub store_id: StoreId,
    pub owner: CartOwner,
    pub code: CouponCode,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplyCouponError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the coupon is for customers with an account")]
    NeedsAccount,
    #[error(transparent)]
    Promotion(#[from] PromotionError),
    #[error(transparent)]
    Cart(#[from] CartError),
}

/// # Errors
/// [`ApplyCouponError`], and every other [`CommandError`].
pub async fn apply_coupon(
    engine: &Engine,
    request: ApplyCoupon,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<ApplyCouponError>> {
    let ApplyCoupon {
        cart_id, store_id, ..
    } = request;
    let promotion_id = PromotionId::of_code(store_id, &request.code);
    let lanes = Lanes::new()
        .with::<Cart>(cart_id)
        .with::<Store>(store_id)
        .with::<Promotion>(promotion_id);
    engine
        .transact(context, lanes, |unit| {
            shelf::open_store(unit, store_id, context.tenant_id)?;
            let campaign = unit.state::<Promotion>(promotion_id).campaign()?;
            campaign.usable(context.now)?;
            if campaign.terms().uses_per_customer.is_some() && request.owner == CartOwner::Guest {
                return Err(ApplyCouponError::NeedsAccount);
            }
            let code = request.code.clone();
            Ok(unit.execute::<Cart>(cart_id, CartCommand::ApplyCoupon { code })?)
        })
        .await
}
