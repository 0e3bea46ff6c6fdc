//! A provider says that money has gone back, or that it came to us again.

use super::claims::Name;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::order::{OrderCommand, OrderError, Progress};
use soko_domain::payment::{Demand, PaymentCommand, PaymentError, ReturnStage};
use soko_domain::{Money, Order, Payment, PaymentId, RefundId, Text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteRefund {
    pub payment_id: PaymentId,
    pub refund_id: RefundId,
    /// Under which the provider knows the movement.
    pub reference: Text<200>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompleteRefundError {
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// Told twice, it is done once. The payment and its order hear of it together.
///
/// # Errors
/// [`CompleteRefundError`], and [`CommandError::ClaimTaken`] for a reference that stands for another
/// refund already.
pub async fn complete_refund(
    engine: &Engine,
    request: CompleteRefund,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<CompleteRefundError>> {
    let lanes = Lanes::new().with::<Payment>(request.payment_id);
    engine
        .transact(context, lanes, |unit| complete(unit, &request))
        .await
}

fn complete(
    unit: &mut UnitOfWork<'_>,
    request: &CompleteRefund,
) -> Result<(), CompleteRefundError> {
    let CompleteRefund {
        payment_id,
        refund_id,
        reference,
    } = request;
    let demand = unit.state::<Payment>(*payment_id).demand()?;
    let (order_id, provider) = (demand.order_id(), demand.provider());
    let known = demand
        .refund(*refund_id)
        .ok_or(PaymentError::NoSuchRefund)?;
    let was_done = known.stage == ReturnStage::Done;
    let amount = known.request.amount;
    let of_order = if known.request.is_surplus {
        Money::zero(amount.currency())
    } else {
        part_of_order(
            demand,
            unit.state::<Order>(order_id).progress()?,
            *payment_id,
            amount,
        )
    };
    let done = PaymentCommand::CompleteRefund {
        refund_id: *refund_id,
        reference: reference.clone(),
    };
    unit.execute::<Payment>(*payment_id, done)?;
    if was_done {
        return Ok(());
    }
    unit.claim(Name::returned(provider, reference).claimed_by(*payment_id));
    if of_order.amount() > 0 {
        let record = OrderCommand::RecordRefund {
            payment_id: *payment_id,
            refund_id: *refund_id,
            amount: of_order,
        };
        unit.execute::<Order>(order_id, record)?;
    }
    Ok(())
}

/// How much of what goes back the order hears of: what is no order's goes first, but for what is on
/// its way already.
pub(super) fn part_of_order(
    demand: &Demand,
    order: &Progress,
    payment_id: PaymentId,
    amount: Money,
) -> Money {
    let of_nobody = demand.kept().amount() - order.kept_of(payment_id).amount();
    let free = of_nobody - demand.surplus_under_way().amount();
    let free = free.max(demand.credit().amount());
    Money::new((amount.amount() - free.max(0)).max(0), amount.currency())
}
