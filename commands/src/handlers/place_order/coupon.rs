//! What a coupon takes off the lines of an order, and the use of it that the order takes.

use super::bill::Bill;
use super::{PlaceOrder, PlaceOrderError};
use crate::UnitOfWork;
use crate::handlers::claims::Name;
use chrono::{DateTime, Utc};
use soko_domain::order::{Customer, OrderCoupon};
use soko_domain::promotion::PromotionCommand;
use soko_domain::{AccountId, CouponCode, MoneyError, Promotion, PromotionId};

/// A coupon that is good for the order.
pub(super) struct Redemption {
    coupon: OrderCoupon,
    /// Who may use it so many times only.
    counted: Option<AccountId>,
}

/// Takes off the bill what the coupon is worth; nothing is written yet. `customer_use` is the first
/// of the customer's uses of it that is not known to be taken.
pub(super) fn take_off(
    unit: &UnitOfWork<'_>,
    request: &PlaceOrder,
    code: CouponCode,
    customer_use: u8,
    now: DateTime<Utc>,
    bill: &mut Bill,
) -> Result<Redemption, PlaceOrderError> {
    let promotion_id = PromotionId::of_code(request.store_id, &code);
    let campaign = unit.state::<Promotion>(promotion_id).campaign()?;
    campaign.usable(now)?;
    let counted = match (campaign.terms().uses_per_customer, &request.customer) {
        (None, _) => None,
        (Some(_), Customer::Guest { .. }) => return Err(PlaceOrderError::CouponNeedsAccount),
        (Some(max), Customer::Account(_)) if customer_use >= max => {
            return Err(PlaceOrderError::CouponUsedUp);
        }
        (Some(_), Customer::Account(account_id)) => Some(*account_id),
    };
    let prices = bill.lines.iter();
    let prices = prices.map(|line| Ok((line.vendor_id, line.price(bill.currency)?)));
    let prices = prices.collect::<Result<Vec<_>, MoneyError>>()?;
    let discounts = campaign.discounts(&prices)?;
    for (line, discount) in bill.lines.iter_mut().zip(discounts) {
        line.take_off(discount, campaign.funder(), bill.tax)?;
    }
    bill.add_up()?;
    // A payment of nothing can neither be asked for nor come.
    if bill.totals.total == 0 {
        return Err(PlaceOrderError::NothingLeftToPay);
    }
    let coupon = OrderCoupon {
        promotion_id,
        code,
        customer_use: counted.map(|_| customer_use),
    };
    Ok(Redemption { coupon, counted })
}

impl Redemption {
    pub(super) fn coupon(&self) -> &OrderCoupon {
        &self.coupon
    }

    /// Takes the use, with the order.
    pub(super) fn redeem(
        self,
        unit: &mut UnitOfWork<'_>,
        request: &PlaceOrder,
        discount: i64,
        now: DateTime<Utc>,
    ) -> Result<(), PlaceOrderError> {
        let OrderCoupon {
            promotion_id,
            customer_use,
            ..
        } = self.coupon;
        let redeem = PromotionCommand::Redeem {
            order_id: request.order_id,
            account_id: match request.customer {
                Customer::Account(account_id) => Some(account_id),
                Customer::Guest { .. } => None,
            },
            discount,
            now,
        };
        unit.execute::<Promotion>(promotion_id, redeem)?;
        if let (Some(account_id), Some(customer_use)) = (self.counted, customer_use) {
            let name = Name::coupon_use(promotion_id, account_id, customer_use);
            unit.claim(name.claimed_by(request.order_id));
        }
        Ok(())
    }
}
