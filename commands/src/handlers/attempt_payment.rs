//! A buyer pays an order once more, or another way.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::order::{OrderCommand, OrderError};
use soko_domain::payment::{
    Payer, PaymentCommand, PaymentError, PaymentProvider, PaymentStatus, Terms,
};
use soko_domain::store::StoreError;
use soko_domain::{Money, Order, OrderId, Payment, PaymentId, Personal, Store, SubjectId};

/// How a provider is to ask the payer.
#[derive(Debug, Clone)]
pub struct Ask {
    pub payer: Payer,
    pub pay_by: DateTime<Utc>,
    /// Whether the payer only agrees now.
    pub capture_later: bool,
}

impl Ask {
    pub(super) fn terms(&self, subject: SubjectId, now: DateTime<Utc>) -> Terms {
        Terms {
            payer: Personal::new(subject, self.payer.clone()),
            asked_at: now,
            pay_by: self.pay_by,
            capture_later: self.capture_later,
        }
    }
}

#[derive(Debug, Clone)]
pub struct AttemptPayment {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub provider: PaymentProvider,
    /// Of a provider that is asked.
    pub ask: Option<Ask>,
}

/// Nothing about the person, so that it may be kept with the idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptedPayment {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub provider: PaymentProvider,
    pub amount: Money,
    pub payment_status: PaymentStatus,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptPaymentError {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store does not take payment by this provider")]
    ProviderNotOffered { provider: PaymentProvider },
    #[error("the store has no account with this provider yet")]
    ProviderNotCarried { provider: PaymentProvider },
    #[error("nothing is to be paid")]
    NothingDue,
    #[error(transparent)]
    Payment(#[from] PaymentError),
}

/// For what the order still needs.
///
/// # Errors
/// [`AttemptPaymentError`], and every other [`CommandError`].
pub async fn attempt_payment(
    engine: &Engine,
    request: AttemptPayment,
    context: &CommandContext,
) -> Result<Committed<AttemptedPayment>, CommandError<AttemptPaymentError>> {
    let lanes = Lanes::new()
        .with_new::<Payment>(request.payment_id)
        .with::<Order>(request.order_id);
    engine
        .transact(context, lanes, |unit| attempt(unit, &request, context))
        .await
}

fn attempt(
    unit: &mut UnitOfWork<'_>,
    request: &AttemptPayment,
    context: &CommandContext,
) -> Result<AttemptedPayment, AttemptPaymentError> {
    let AttemptPayment {
        payment_id,
        order_id,
        provider,
        ..
    } = *request;
    let progress = unit.state::<Order>(order_id).progress()?;
    let (store_id, due) = (progress.placement().store_id, progress.due());
    let subject = progress.placement().customer.subject(order_id);
    if !shelf::is_store_of(unit, store_id, context.tenant_id) {
        return Err(OrderError::NotPlaced.into());
    }
    // A store that has closed since sees its orders off.
    let shop = unit.state::<Store>(store_id).shop()?;
    if !shop.takes(provider) {
        return Err(AttemptPaymentError::ProviderNotOffered { provider });
    }
    if !shop.can_take(provider) {
        return Err(AttemptPaymentError::ProviderNotCarried { provider });
    }
    let attempt = OrderCommand::AttemptPayment {
        payment_id,
        provider,
    };
    unit.execute::<Order>(order_id, attempt)?;
    if due.amount() == 0 {
        return Err(AttemptPaymentError::NothingDue);
    }
    let initiate = PaymentCommand::Initiate {
        order_id,
        store_id,
        provider,
        amount: due,
        terms: request
            .ask
            .as_ref()
            .map(|ask| Box::new(ask.terms(subject, context.now))),
    };
    unit.execute::<Payment>(payment_id, initiate)?;
    Ok(AttemptedPayment {
        payment_id,
        order_id,
        provider,
        amount: due,
        payment_status: unit.state::<Payment>(payment_id).demand()?.status(),
    })
}
