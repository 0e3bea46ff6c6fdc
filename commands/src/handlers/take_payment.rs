//! A provider says that money has come: the payment takes it, the order what it needs of it, and what
//! nobody needs goes back.

use super::claims::Name;
use super::give_back::{Because, give_back};
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::order::{OrderCommand, OrderError, OrderStatus};
use soko_domain::payment::{
    Demand, PaymentCommand, PaymentError, ReferenceSource, ReferenceStanding,
};
use soko_domain::{Money, Order, Payment, PaymentId, Text};

const SURPLUS: Text<500> = Text::literal("the order does not need it");

/// Money that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakePayment {
    pub payment_id: PaymentId,
    pub amount: Money,
    pub reference: Text<200>,
    pub fee: Option<Money>,
    pub source: ReferenceSource,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenPayment {
    /// What came just now; nothing if it was known.
    pub came: Money,
    /// What of it the order did not need.
    pub surplus: Money,
    /// The reference is another one than the money goes by, and a person has to look which it is.
    #[serde(default)]
    pub is_contested: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakePaymentError {
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// Told twice of the same money, it takes it once.
///
/// # Errors
/// [`TakePaymentError`], and [`CommandError::ClaimTaken`] for a reference that stands for another
/// payment already.
pub async fn take_payment(
    engine: &Engine,
    request: TakePayment,
    context: &CommandContext,
) -> Result<Committed<TakenPayment>, CommandError<TakePaymentError>> {
    let lanes = Lanes::new().with::<Payment>(request.payment_id);
    engine
        .transact(context, lanes, |unit| take(unit, &request, context))
        .await
}

pub(super) fn take(
    unit: &mut UnitOfWork<'_>,
    request: &TakePayment,
    context: &CommandContext,
) -> Result<TakenPayment, TakePaymentError> {
    let payment_id = request.payment_id;
    let demand = unit.state::<Payment>(payment_id).demand()?;
    let (order_id, provider) = (demand.order_id(), demand.provider());
    let (captured, is_known) = (demand.captured(), knows(demand, &request.reference));
    let was_contested = is_contested(demand);
    let capture = PaymentCommand::Capture {
        amount: request.amount,
        reference: request.reference.clone(),
        collected_by: None,
        fee: request.fee,
        source: request.source.clone(),
    };
    unit.execute::<Payment>(payment_id, capture)?;
    let demand = unit.state::<Payment>(payment_id).demand()?;
    let is_new = !is_known && knows(demand, &request.reference);
    let is_contested = !was_contested && is_contested(demand);
    let came = demand.captured().amount() - captured.amount();
    let came = Money::new(came, captured.currency());
    if is_new {
        unit.claim(Name::captured(provider, &request.reference).claimed_by(payment_id));
    }
    let nothing = Money::zero(came.currency());
    if came == nothing {
        return Ok(TakenPayment {
            came,
            surplus: nothing,
            is_contested,
        });
    }
    let status = unit.state::<Order>(order_id).progress()?.status();
    let progress = unit.state::<Order>(order_id).progress()?;
    let accepted = progress.accepts(came);
    if accepted.amount() > 0 {
        let brought = progress.brought_by(payment_id).amount() + accepted.amount();
        let brought = Money::new(brought, accepted.currency());
        let record = OrderCommand::RecordPayment {
            payment_id,
            brought,
        };
        unit.execute::<Order>(order_id, record)?;
    }
    let surplus = Money::new(came.amount() - accepted.amount(), came.currency());
    if surplus.amount() > 0 {
        let because = Because {
            reason: reason(status),
            is_surplus: true,
        };
        give_back(unit, payment_id, surplus, &because, context.now)?;
    }
    Ok(TakenPayment {
        came,
        surplus,
        is_contested,
    })
}

fn is_contested(demand: &Demand) -> bool {
    let mut captures = demand.captures().iter();
    captures.any(|known| known.standing == ReferenceStanding::Contested)
}

fn knows(demand: &Demand, reference: &Text<200>) -> bool {
    let mut captures = demand.captures().iter();
    captures.any(|known| known.is_called(reference))
}

const fn reason(status: OrderStatus) -> Text<500> {
    match status {
        OrderStatus::Cancelled => Text::literal("it came after the order was cancelled"),
        OrderStatus::Expired => Text::literal("it came after the order had expired"),
        _ => SURPLUS,
    }
}
