//! Money comes for an order without anybody having asked for it: the payer found the way alone.

use super::shelf;
use super::take_payment::{TakePayment, TakePaymentError, TakenPayment, take};
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::order::{OrderCommand, OrderError};
use soko_domain::payment::{
    Payer, PaymentCommand, PaymentError, PaymentProvider, ReferenceSource, Terms,
};
use soko_domain::{Money, Order, OrderId, Payment, PaymentId, Personal, Text};

#[derive(Debug, Clone)]
pub struct ReceiveMoney {
    /// The same for the same money.
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub provider: PaymentProvider,
    pub amount: Money,
    pub reference: Text<200>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiveMoneyError {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Take(#[from] TakePaymentError),
}

/// It is a payment of its own, which the order takes as far as it needs it.
///
/// # Errors
/// [`ReceiveMoneyError`], and [`CommandError::ClaimTaken`] for money that is known.
pub async fn receive_money(
    engine: &Engine,
    request: ReceiveMoney,
    context: &CommandContext,
) -> Result<Committed<TakenPayment>, CommandError<ReceiveMoneyError>> {
    let lanes = Lanes::new()
        .with::<Payment>(request.payment_id)
        .with::<Order>(request.order_id);
    engine
        .transact(context, lanes, |unit| receive(unit, &request, context))
        .await
}

fn receive(
    unit: &mut UnitOfWork<'_>,
    request: &ReceiveMoney,
    context: &CommandContext,
) -> Result<TakenPayment, ReceiveMoneyError> {
    let ReceiveMoney {
        payment_id,
        order_id,
        provider,
        amount,
        ..
    } = *request;
    let progress = unit.state::<Order>(order_id).progress()?;
    let store_id = progress.placement().store_id;
    let subject = progress.placement().customer.subject(order_id);
    let is_waited_for = progress.due().amount() > 0;
    if !shelf::is_store_of(unit, store_id, context.tenant_id) {
        return Err(OrderError::NotPlaced.into());
    }
    if unit.state::<Payment>(payment_id).demand().is_err() {
        let initiate = PaymentCommand::Initiate {
            order_id,
            store_id,
            provider,
            amount,
            terms: Some(Box::new(Terms {
                payer: Personal::new(subject, Payer::default()),
                asked_at: context.now,
                pay_by: context.now,
                capture_later: false,
            })),
        };
        unit.execute::<Payment>(payment_id, initiate)?;
        if is_waited_for {
            let attempt = OrderCommand::AttemptPayment {
                payment_id,
                provider,
            };
            unit.execute::<Order>(order_id, attempt)?;
        }
    }
    let request = TakePayment {
        payment_id,
        amount,
        reference: request.reference.clone(),
        fee: None,
        source: ReferenceSource::Provider,
    };
    Ok(take(unit, &request, context)?)
}
