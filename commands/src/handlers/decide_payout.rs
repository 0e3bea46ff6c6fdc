//! What becomes of a payout by people: it is approved or rejected, put on record when it was paid by
//! hand, and when the money came back.

use super::claims::Name;
use super::request_payout::{PayoutError, RequestedPayout, owner, payout};
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use soko_domain::vendor_account::{PayoutStatus, VendorAccountCommand};
use soko_domain::{AccountId, PayoutId, Text, Vendor, VendorAccount, VendorId};

#[derive(Debug, Clone)]
pub struct DecidePayout {
    pub payout_id: PayoutId,
    /// Whose payout it is.
    pub vendor_id: VendorId,
    pub by: AccountId,
    pub decision: PayoutDecision,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutDecision {
    Approve,
    Reject {
        reason: Text<500>,
    },
    /// It was paid by hand.
    Record {
        /// Such as the number of a transfer; unique within the store.
        reference: Text<200>,
    },
    /// The money came back.
    Return {
        reason: Text<500>,
    },
}

/// Told twice the same, it changes nothing the second time.
///
/// # Errors
/// [`PayoutError`], and [`CommandError::ClaimTaken`] for a reference that stands for another payout
/// already.
pub async fn decide_payout(
    engine: &Engine,
    request: DecidePayout,
    context: &CommandContext,
) -> Result<Committed<RequestedPayout>, CommandError<PayoutError>> {
    let vendor_id = request.vendor_id;
    let lanes = Lanes::new()
        .with::<VendorAccount>(vendor_id)
        .with::<Vendor>(vendor_id);
    engine
        .transact(context, lanes, |unit| decide(unit, &request, context))
        .await
}

fn decide(
    unit: &mut UnitOfWork<'_>,
    request: &DecidePayout,
    context: &CommandContext,
) -> Result<RequestedPayout, PayoutError> {
    let DecidePayout {
        payout_id,
        vendor_id,
        by,
        ref decision,
    } = *request;
    let store_id = owner(unit, vendor_id, context.tenant_id)?.store_id;
    let before = payout(unit, vendor_id, payout_id)?.status;
    let command = match decision {
        PayoutDecision::Approve => {
            // Whom the store has stopped is not paid before it has looked into why.
            shelf::trading_vendor(unit, vendor_id, store_id)?;
            VendorAccountCommand::ApprovePayout {
                payout_id,
                approved_by: by,
                now: context.now,
            }
        }
        PayoutDecision::Reject { reason } => VendorAccountCommand::RejectPayout {
            payout_id,
            rejected_by: by,
            reason: reason.clone(),
        },
        PayoutDecision::Record { reference } => VendorAccountCommand::RecordPayout {
            payout_id,
            reference: reference.clone(),
            paid_by: by,
        },
        PayoutDecision::Return { reason } => VendorAccountCommand::ReturnPayout {
            payout_id,
            reason: reason.clone(),
            recorded_by: Some(by),
        },
    };
    unit.execute::<VendorAccount>(vendor_id, command)?;
    let after = payout(unit, vendor_id, payout_id)?;
    if let PayoutDecision::Record { reference } = decision
        && before != PayoutStatus::Paid
    {
        unit.claim(Name::paid_out(store_id, reference).claimed_by(payout_id));
    }
    Ok(after)
}
