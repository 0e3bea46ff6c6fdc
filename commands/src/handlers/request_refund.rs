//! Somebody of the store has a provider give money back.

use super::claims::Name;
use super::give_back::sends_back;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::payment::{PaymentCommand, PaymentError, PaymentStatus, RefundRequest};
use soko_domain::{Money, OrderId, Payment, PaymentId, RefundId};

#[derive(Debug, Clone)]
pub struct RequestRefund {
    pub payment_id: PaymentId,
    pub request: RefundRequest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedRefund {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub payment_status: PaymentStatus,
    pub amount: Money,
    /// What of the payment could still go back.
    pub refundable: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestRefundError {
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error("the provider gives nothing back by itself: give it back by another method")]
    NotByProvider,
}

/// # Errors
/// [`RequestRefundError`], and every other [`CommandError`].
pub async fn request_refund(
    engine: &Engine,
    request: RequestRefund,
    context: &CommandContext,
) -> Result<Committed<RequestedRefund>, CommandError<RequestRefundError>> {
    let lanes = Lanes::new().with::<Payment>(request.payment_id);
    engine
        .transact(context, lanes, |unit| ask(unit, &request, context))
        .await
}

fn ask(
    unit: &mut UnitOfWork<'_>,
    request: &RequestRefund,
    context: &CommandContext,
) -> Result<RequestedRefund, RequestRefundError> {
    let RequestRefund {
        payment_id,
        request,
    } = request;
    let demand = unit.state::<Payment>(*payment_id).demand()?;
    let (order_id, provider) = (demand.order_id(), demand.provider());
    if !shelf::is_store_of(unit, demand.store_id(), context.tenant_id) {
        return Err(PaymentError::NotInitiated.into());
    }
    if !sends_back(provider) {
        return Err(RequestRefundError::NotByProvider);
    }
    let command = PaymentCommand::RequestRefund {
        request: request.clone(),
        of: None,
    };
    let is_new = demand.refund(request.refund_id).is_none();
    unit.execute::<Payment>(*payment_id, command)?;
    if is_new {
        unit.claim(Name::operation(request.refund_id).claimed_by(*payment_id));
    }
    let demand = unit.state::<Payment>(*payment_id).demand()?;
    Ok(RequestedRefund {
        refund_id: request.refund_id,
        payment_id: *payment_id,
        order_id,
        payment_status: demand.status(),
        amount: request.amount,
        refundable: demand.refundable(),
    })
}
