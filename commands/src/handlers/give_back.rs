//! Money that goes back by itself: where the provider can send it, it is to; where it cannot, it is
//! kept for the payer until somebody has given it back.

use super::claims::Name;
use crate::UnitOfWork;
use chrono::{DateTime, TimeDelta, Utc};
use soko_domain::payment::{PaymentCommand, PaymentError, PaymentProvider, RefundRequest};
use soko_domain::{Money, Payment, PaymentId, RefundId, Text};
use soko_gateways::payments::capabilities_of;
use uuid::Uuid;

/// How long somebody has to give back what cannot go back by itself.
const CREDIT_DECIDED_WITHIN: TimeDelta = TimeDelta::days(14);

/// Why, and whether the order has counted the money as its own.
#[derive(Debug, Clone)]
pub(super) struct Because {
    pub(super) reason: Text<500>,
    /// The order never needed it, and does not hear of it.
    pub(super) is_surplus: bool,
}

/// Whether the provider itself can be told to give money back.
pub(super) fn sends_back(provider: PaymentProvider) -> bool {
    capabilities_of(provider).is_some_and(|can| can.refunds)
}

/// Has so much of a payment go back, capture by capture. Asked twice for the same, it asks once.
pub(super) fn give_back(
    unit: &mut UnitOfWork<'_>,
    payment_id: PaymentId,
    amount: Money,
    because: &Because,
    now: DateTime<Utc>,
) -> Result<(), PaymentError> {
    let demand = unit.state::<Payment>(payment_id).demand()?;
    if !sends_back(demand.provider()) {
        return keep_for_payer(unit, payment_id, amount, because, now);
    }
    let parts = demand.parts_of(amount);
    for (of, part) in parts {
        let request = RefundRequest {
            refund_id: refund_id(payment_id, of.as_str(), because),
            amount: part,
            reason: because.reason.clone(),
            is_surplus: because.is_surplus,
            requested_by: None,
        };
        let is_new = is_new(unit, payment_id, request.refund_id)?;
        let (of, refund_id) = (Some(of), request.refund_id);
        unit.execute::<Payment>(payment_id, PaymentCommand::RequestRefund { request, of })?;
        if is_new {
            unit.claim(Name::operation(refund_id).claimed_by(payment_id));
        }
    }
    Ok(())
}

fn is_new(
    unit: &UnitOfWork<'_>,
    payment_id: PaymentId,
    refund_id: RefundId,
) -> Result<bool, PaymentError> {
    let demand = unit.state::<Payment>(payment_id).demand()?;
    Ok(demand.refund(refund_id).is_none())
}

fn keep_for_payer(
    unit: &mut UnitOfWork<'_>,
    payment_id: PaymentId,
    amount: Money,
    because: &Because,
    now: DateTime<Utc>,
) -> Result<(), PaymentError> {
    let credit = unit.state::<Payment>(payment_id).demand()?.credit();
    let reason: String = because.reason.as_str().chars().take(200).collect();
    let hold = PaymentCommand::HoldCredit {
        amount: Money::new(credit.amount() + amount.amount(), amount.currency()),
        decide_by: now + CREDIT_DECIDED_WITHIN,
        because: reason.parse().unwrap_or(KEPT),
    };
    unit.execute::<Payment>(payment_id, hold)
}

const KEPT: Text<200> = Text::literal("the order does not need it");

/// The same for the same money and reason, whoever computes it.
fn refund_id(payment_id: PaymentId, reference: &str, because: &Because) -> RefundId {
    let name = format!("{} {reference}", because.reason);
    RefundId::from_uuid(Uuid::new_v5(&payment_id.as_uuid(), name.as_bytes()))
}
