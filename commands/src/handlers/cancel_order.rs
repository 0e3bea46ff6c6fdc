//! An order is called off: what it held can be sold to others, and its payment is asked for no
//! more. What was paid goes back.

use super::give_back::{Because, give_back};
use super::release_coupon::release_coupon;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::order::{CancelledBy, OrderCommand, OrderError, OrderStatus};
use soko_domain::payment::{PaymentCommand, PaymentError};
use soko_domain::promotion::PromotionError;
use soko_domain::stock::{StockCommand, StockError};
use soko_domain::{Order, OrderId, Payment, PaymentId, Stock, Text};

/// Why the payment is cancelled with it.
const ORDER_CANCELLED: Text<500> = Text::literal("the order was cancelled");

#[derive(Debug, Clone)]
pub struct CancelOrder {
    pub order_id: OrderId,
    pub by: CancelledBy,
    pub reason: Option<Text<500>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelOrderError {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Stock(#[from] StockError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Promotion(#[from] PromotionError),
}

/// Asked twice, it cancels once.
///
/// # Errors
/// [`CancelOrderError`], and every other [`CommandError`].
pub async fn cancel_order(
    engine: &Engine,
    request: CancelOrder,
    context: &CommandContext,
) -> Result<Committed<OrderStatus>, CommandError<CancelOrderError>> {
    let lanes = Lanes::new().with::<Order>(request.order_id);
    engine
        .transact(context, lanes, |unit| cancel(unit, &request, context))
        .await
}

fn cancel(
    unit: &mut UnitOfWork<'_>,
    request: &CancelOrder,
    context: &CommandContext,
) -> Result<OrderStatus, CancelOrderError> {
    let order_id = request.order_id;
    let progress = unit.state::<Order>(order_id).progress()?;
    if !shelf::is_store_of(unit, progress.placement().store_id, context.tenant_id) {
        return Err(OrderError::NotPlaced.into());
    }
    if progress.status() == OrderStatus::Cancelled {
        return Ok(OrderStatus::Cancelled);
    }
    let payment_ids = progress.attempts().to_vec();
    let lines = progress.placement().lines.iter();
    let variant_ids: Vec<_> = lines.map(|line| line.variant_id).collect();
    let command = OrderCommand::Cancel {
        by: request.by,
        reason: request.reason.clone(),
        refund_follows: payments_go_back(unit, &payment_ids)?,
    };
    unit.execute::<Order>(order_id, command)?;
    unit.require::<Stock>(variant_ids.iter().copied());
    for variant_id in variant_ids {
        unit.execute::<Stock>(variant_id, StockCommand::Release { order_id })?;
    }
    release_coupon(unit, order_id)?;
    end_payments(unit, &payment_ids, &ORDER_CANCELLED, context)?;
    Ok(unit.state::<Order>(order_id).progress()?.status())
}

/// Whether what was paid goes back without a person. What was paid by hand goes back by hand, before
/// the order is called off.
fn payments_go_back(
    unit: &UnitOfWork<'_>,
    payment_ids: &[PaymentId],
) -> Result<bool, PaymentError> {
    unit.require::<Payment>(payment_ids.iter().copied());
    for payment_id in payment_ids {
        let demand = unit.state::<Payment>(*payment_id).demand()?;
        if demand.provider().is_recorded_by_hand() && demand.kept().amount() > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Of an order that has died: what came goes back, and what did not come is asked for no more.
pub(super) fn end_payments(
    unit: &mut UnitOfWork<'_>,
    payment_ids: &[PaymentId],
    reason: &Text<500>,
    context: &CommandContext,
) -> Result<(), PaymentError> {
    unit.require::<Payment>(payment_ids.iter().copied());
    for payment_id in payment_ids {
        let demand = unit.state::<Payment>(*payment_id).demand()?;
        let left = demand.refundable();
        if demand.captures().is_empty() {
            let reason = reason.clone();
            unit.execute::<Payment>(*payment_id, PaymentCommand::Cancel { reason })?;
        } else if left.amount() > 0 {
            let because = Because {
                reason: reason.clone(),
                is_surplus: false,
            };
            give_back(unit, *payment_id, left, &because, context.now)?;
        }
    }
    Ok(())
}
