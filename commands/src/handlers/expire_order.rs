//! Nobody paid an order in time: what it held can be sold to others.

use super::cancel_order::end_payments;
use super::release_coupon::release_coupon;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::order::{OrderCommand, OrderError};
use soko_domain::payment::{PaymentCommand, PaymentError};
use soko_domain::promotion::PromotionError;
use soko_domain::stock::{StockCommand, StockError};
use soko_domain::{Order, OrderId, Payment, Stock, Text};

const ORDER_EXPIRED: Text<500> = Text::literal("the order was not paid in time");

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    Expired,
    /// It was paid, or ended otherwise, or is to be paid when it arrives.
    NotNeeded,
    /// Whether one of its payments moved money is not known yet, or the payer may still pay it: what
    /// the order holds stays held.
    PaymentsOpen,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpireOrderError {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Promotion(#[from] PromotionError),
    #[error(transparent)]
    Stock(#[from] StockError),
}

/// # Errors
/// [`ExpireOrderError`], and every other [`CommandError`].
pub async fn expire_order(
    engine: &Engine,
    order_id: OrderId,
    context: &CommandContext,
) -> Result<Committed<Expiry>, CommandError<ExpireOrderError>> {
    let lanes = Lanes::new().with::<Order>(order_id);
    engine
        .transact(context, lanes, |unit| expire(unit, order_id, context))
        .await
}

fn expire(
    unit: &mut UnitOfWork<'_>,
    order_id: OrderId,
    context: &CommandContext,
) -> Result<Expiry, ExpireOrderError> {
    let progress = unit.state::<Order>(order_id).progress()?;
    let is_waited_for = progress.paid_by().is_none()
        && !progress.status().is_final()
        && !progress.provider().is_paid_on_delivery();
    if !is_waited_for {
        return Ok(Expiry::NotNeeded);
    }
    let payment_ids = progress.attempts().to_vec();
    let lines = progress.placement().lines.iter();
    let variant_ids: Vec<_> = lines.map(|line| line.variant_id).collect();
    unit.require::<Payment>(payment_ids.iter().copied());
    for payment_id in &payment_ids {
        let demand = unit.state::<Payment>(*payment_id).demand()?;
        if !demand.status().is_open() {
            continue;
        }
        if !demand.provider().is_recorded_by_hand() {
            return Ok(Expiry::PaymentsOpen);
        }
        // Nobody can be asked, and nobody has said that money came.
        unit.execute::<Payment>(*payment_id, PaymentCommand::Expire {})?;
    }
    unit.execute::<Order>(order_id, OrderCommand::Expire {})?;
    unit.require::<Stock>(variant_ids.iter().copied());
    for variant_id in variant_ids {
        unit.execute::<Stock>(variant_id, StockCommand::Release { order_id })?;
    }
    release_coupon(unit, order_id)?;
    end_payments(unit, &payment_ids, &ORDER_EXPIRED, context)?;
    Ok(Expiry::Expired)
}
