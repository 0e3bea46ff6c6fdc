//! Somebody took the cash for an order, or saw it arrive at the bank.

use super::claims::Name;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::order::{OrderCommand, OrderError, OrderStatus};
use soko_domain::payment::{PaymentCommand, PaymentError, PaymentStatus, ReferenceSource};
use soko_domain::{AccountId, Money, Order, OrderId, Payment, PaymentId, Text};

#[derive(Debug, Clone)]
pub struct CollectPayment {
    pub payment_id: PaymentId,
    /// What was taken; `None`: what was due.
    pub amount: Option<Money>,
    /// The number of the receipt, by which the store tells its receipts apart; `None`: the cash is
    /// known by the payment's own id.
    pub reference: Option<Text<200>>,
    pub collected_by: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedPayment {
    pub payment_id: PaymentId,
    pub payment_status: PaymentStatus,
    pub amount: Money,
    pub order_id: OrderId,
    pub order_status: OrderStatus,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectPaymentError {
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error("the provider says itself what came of this payment")]
    NotByHand,
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// # Errors
/// [`CollectPaymentError`], and [`CommandError::ClaimTaken`] for a receipt that stands for another
/// payment already.
pub async fn collect_payment(
    engine: &Engine,
    request: CollectPayment,
    context: &CommandContext,
) -> Result<Committed<CollectedPayment>, CommandError<CollectPaymentError>> {
    let lanes = Lanes::new().with::<Payment>(request.payment_id);
    engine
        .transact(context, lanes, |unit| collect(unit, &request, context))
        .await
}

fn collect(
    unit: &mut UnitOfWork<'_>,
    request: &CollectPayment,
    context: &CommandContext,
) -> Result<CollectedPayment, CollectPaymentError> {
    let payment_id = request.payment_id;
    let demand = unit.state::<Payment>(payment_id).demand()?;
    if !shelf::is_store_of(unit, demand.store_id(), context.tenant_id) {
        return Err(PaymentError::NotInitiated.into());
    }
    if !demand.provider().is_recorded_by_hand() {
        return Err(CollectPaymentError::NotByHand);
    }
    let (order_id, store_id) = (demand.order_id(), demand.store_id());
    let was_captured = demand.status() == PaymentStatus::Captured;
    let amount = request.amount.unwrap_or(demand.amount());
    let reference = request.reference.clone();
    let reference = reference.unwrap_or_else(|| Text::of_id(payment_id));
    let capture = PaymentCommand::Capture {
        amount,
        reference: reference.clone(),
        collected_by: Some(request.collected_by),
        fee: None,
        source: ReferenceSource::Person { instead_of: None },
    };
    unit.execute::<Payment>(payment_id, capture)?;
    let record = OrderCommand::RecordPayment {
        payment_id,
        brought: amount,
    };
    unit.execute::<Order>(order_id, record)?;
    if !was_captured {
        unit.claim(Name::cash_receipt(store_id, &reference).claimed_by(payment_id));
    }
    Ok(CollectedPayment {
        payment_id,
        payment_status: unit.state::<Payment>(payment_id).demand()?.status(),
        amount,
        order_id,
        order_status: unit.state::<Order>(order_id).progress()?.status(),
    })
}
