//! A provider says that it has paid a vendor.

use super::claims::Name;
use super::request_payout::{PayoutError, payout};
use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use soko_domain::payment::PaymentProvider;
use soko_domain::vendor_account::{PayoutStatus, VendorAccountCommand};
use soko_domain::{PayoutId, Text, VendorAccount, VendorId};

#[derive(Debug, Clone)]
pub struct CompletePayout {
    pub vendor_id: VendorId,
    pub payout_id: PayoutId,
    pub provider: PaymentProvider,
    /// By which the provider knows the money that left.
    pub reference: Text<200>,
}

/// Told twice, it changes nothing the second time.
///
/// # Errors
/// [`PayoutError`], and [`CommandError::ClaimTaken`] for a reference that stands for another payout
/// already.
pub async fn complete_payout(
    engine: &Engine,
    request: CompletePayout,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<PayoutError>> {
    let CompletePayout {
        vendor_id,
        payout_id,
        provider,
        reference,
    } = request;
    let lanes = Lanes::new().with::<VendorAccount>(vendor_id);
    engine
        .transact(context, lanes, |unit| {
            let before = payout(unit, vendor_id, payout_id)?.status;
            let complete = VendorAccountCommand::CompletePayout {
                payout_id,
                reference: reference.clone(),
            };
            unit.execute::<VendorAccount>(vendor_id, complete)?;
            if before != PayoutStatus::Paid && before != PayoutStatus::Returned {
                unit.claim(Name::sent(provider, &reference).claimed_by(payout_id));
            }
            Ok(())
        })
        .await
}
