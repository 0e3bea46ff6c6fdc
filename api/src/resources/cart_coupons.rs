//! The coupon of a cart: named by the shopper, and shown with what it would take off now.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::UnitOfWork;
use soko_commands::handlers::{ApplyCoupon, ApplyCouponError, apply_coupon};
use soko_domain::cart::{Cart, CartCommand};
use soko_domain::promotion::PromotionError;
use soko_domain::{CartId, CouponCode, Currency, Money, Promotion, PromotionId, StoreId, VendorId};

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::problem::{Code, Problem, Result};
use crate::query::Query;
use crate::recorded::Recorded;
use crate::resources::carts::{CartDetails, OfStore, cart_of, details};
use crate::schema::{answer, body};

body! {
    pub(crate) struct NewCoupon {
        pub store_id: StoreId,
        pub code: CouponCode,
    }
}

answer! {
    pub(crate) struct CartCoupon {
        pub code: CouponCode,
        /// What it would take off if the cart were ordered now.
        pub discount: Money,
        /// Why it would take off nothing, and the order be refused.
        pub problem: Option<String>,
    }
}

pub(crate) async fn apply(
    app: Data<App>,
    caller: Caller,
    command: Command<NewCoupon>,
) -> Result<Recorded<CartDetails>> {
    let store_id = command.body.store_id;
    let context = caller
        .permit(Place::store(store_id).owned(true))
        .await?
        .context(&command);
    let (cart_id, owner) = cart_of(&caller, store_id)?;
    let request = ApplyCoupon {
        cart_id,
        store_id,
        owner,
        code: command.body.code,
    };
    let applied = apply_coupon(app.engine(), request, &context).await;
    let recorded: Recorded<()> = app
        .recorded_of::<Cart, _, _, _>(cart_id, applied, &context)
        .await?;
    let details = details(&app, store_id, cart_id, caller.now()).await?;
    Ok(recorded.map(|()| details))
}

pub(crate) async fn remove(
    app: Data<App>,
    caller: Caller,
    query: Query<OfStore>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let store_id = query.store;
    let context = caller
        .permit(Place::store(store_id).owned(true))
        .await?
        .context(&command);
    let (cart_id, _) = cart_of(&caller, store_id)?;
    let remove = CartCommand::RemoveCoupon {};
    let removed = app
        .engine()
        .execute::<Cart>(cart_id, remove, &context)
        .await;
    app.recorded_of::<Cart, _, _, _>(cart_id, removed, &context)
        .await
}

/// What the cart's coupon is worth, given whose each of the goods is and what it costs.
pub(super) fn worth(
    unit: &UnitOfWork<'_>,
    (store_id, cart_id): (StoreId, CartId),
    goods: &[(VendorId, Money)],
    currency: Currency,
    now: DateTime<Utc>,
) -> Option<CartCoupon> {
    let code = unit.state::<Cart>(cart_id).coupon()?;
    let promotion_id = PromotionId::of_code(store_id, code);
    let campaign = unit.state::<Promotion>(promotion_id).campaign();
    let discount = campaign.and_then(|campaign| {
        campaign.usable(now)?;
        let parts = campaign.discounts(goods)?;
        Ok(Money::sum(currency, parts)?)
    });
    let (discount, problem) = match discount {
        Ok(discount) => (discount, None),
        Err(error) => (
            Money::zero(currency),
            Some(PromotionError::to_string(&error)),
        ),
    };
    Some(CartCoupon {
        code: code.clone(),
        discount,
        problem,
    })
}

impl From<ApplyCouponError> for Problem {
    fn from(error: ApplyCouponError) -> Self {
        match error {
            ApplyCouponError::Store(error) => error.into(),
            ApplyCouponError::NeedsAccount => Self::new(Code::StateConflict).with_detail(error),
            ApplyCouponError::Promotion(PromotionError::NotCreated) => {
                Self::invalid_at("/code", "is not a coupon of the store")
            }
            ApplyCouponError::Promotion(error) => error.into(),
            ApplyCouponError::Cart(error) => error.into(),
        }
    }
}
