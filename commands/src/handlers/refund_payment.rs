//! Money goes back to who paid, by the hands of somebody of the store.

use super::claims::Name;
use super::complete_refund::part_of_order;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::order::{OrderCommand, OrderError};
use soko_domain::payment::{PaymentCommand, PaymentError, PaymentStatus, Refund};
use soko_domain::{Money, Order, OrderId, Payment, PaymentId, RefundId};

#[derive(Debug, Clone)]
pub struct RefundPayment {
    pub payment_id: PaymentId,
    pub refund: Refund,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundedPayment {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub payment_status: PaymentStatus,
    pub amount: Money,
    /// What of the payment is left.
    pub kept: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundPaymentError {
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// The payment and its order hear of it together.
///
/// # Errors
/// [`RefundPaymentError`], and [`CommandError::ClaimTaken`] for a reference that stands for another
/// refund of the store already.
pub async fn refund_payment(
    engine: &Engine,
    request: RefundPayment,
    context: &CommandContext,
) -> Result<Committed<RefundedPayment>, CommandError<RefundPaymentError>> {
    let lanes = Lanes::new().with::<Payment>(request.payment_id);
    engine
        .transact(context, lanes, |unit| refund(unit, &request, context))
        .await
}

fn refund(
    unit: &mut UnitOfWork<'_>,
    request: &RefundPayment,
    context: &CommandContext,
) -> Result<RefundedPayment, RefundPaymentError> {
    let RefundPayment { payment_id, refund } = request;
    let payment_id = *payment_id;
    let demand = unit.state::<Payment>(payment_id).demand()?;
    let (order_id, store_id) = (demand.order_id(), demand.store_id());
    if !shelf::is_store_of(unit, store_id, context.tenant_id) {
        return Err(PaymentError::NotInitiated.into());
    }
    let kept_before = demand.kept();
    let order = unit.state::<Order>(order_id).progress()?;
    let of_order = part_of_order(demand, order, payment_id, refund.amount);
    unit.execute::<Payment>(payment_id, PaymentCommand::Refund(refund.clone()))?;
    let demand = unit.state::<Payment>(payment_id).demand()?;
    let (kept, payment_status) = (demand.kept(), demand.status());
    // Told again, it was reckoned from what is left after it: the order has heard of it.
    if kept != kept_before {
        unit.claim(Name::refund(store_id, &refund.reference).claimed_by(payment_id));
        if of_order.amount() > 0 {
            let record = OrderCommand::RecordRefund {
                payment_id,
                refund_id: refund.refund_id,
                amount: of_order,
            };
            unit.execute::<Order>(order_id, record)?;
        }
    }
    Ok(RefundedPayment {
        refund_id: refund.refund_id,
        payment_id,
        order_id,
        payment_status,
        amount: refund.amount,
        kept,
    })
}
