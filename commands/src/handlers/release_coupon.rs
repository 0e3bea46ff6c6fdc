//! The use of a coupon that an order took (`place_order/coupon.rs`) is given back if the order dies.

use super::claims::Name;
use crate::UnitOfWork;
use soko_domain::order::{Customer, Placement};
use soko_domain::promotion::{PromotionCommand, PromotionError};
use soko_domain::{Order, OrderId, Promotion};

/// Of an order that dies in this unit, which it does once.
pub(super) fn release_coupon(
    unit: &mut UnitOfWork<'_>,
    order_id: OrderId,
) -> Result<(), PromotionError> {
    let Ok(progress) = unit.state::<Order>(order_id).progress() else {
        return Ok(());
    };
    let Placement {
        coupon,
        customer,
        totals,
        ..
    } = progress.placement();
    let Some(coupon) = coupon else {
        return Ok(());
    };
    let promotion_id = coupon.promotion_id;
    let name = match (customer, coupon.customer_use) {
        (Customer::Account(account_id), Some(customer_use)) => {
            Some(Name::coupon_use(promotion_id, *account_id, customer_use))
        }
        _ => None,
    };
    let release = PromotionCommand::Release {
        order_id,
        discount: totals.discount,
    };
    unit.execute::<Promotion>(promotion_id, release)?;
    if let Some(name) = name {
        unit.release(name.given_back());
    }
    Ok(())
}
