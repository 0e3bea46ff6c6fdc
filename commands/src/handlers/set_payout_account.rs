//! A vendor says where its money is to go.

use super::request_payout::{PayoutError, is_offered, owner};
use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use chrono::TimeDelta;
use soko_domain::vendor_account::{PayoutDetails, VendorAccountCommand};
use soko_domain::{AccountId, Personal, SubjectId, Vendor, VendorAccount, VendorId};

#[derive(Debug, Clone)]
pub struct SetPayoutAccount {
    pub vendor_id: VendorId,
    pub details: PayoutDetails,
    pub set_by: AccountId,
    /// How long nothing is paid out from now on.
    pub held_for: TimeDelta,
}

/// # Errors
/// [`PayoutError`], and every other [`CommandError`].
pub async fn set_payout_account(
    engine: &Engine,
    request: SetPayoutAccount,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<PayoutError>> {
    let SetPayoutAccount {
        vendor_id,
        details,
        set_by,
        held_for,
    } = request;
    let lanes = Lanes::new()
        .with::<VendorAccount>(vendor_id)
        .with::<Vendor>(vendor_id);
    engine
        .transact(context, lanes, |unit| {
            let owner = owner(unit, vendor_id, context.tenant_id)?;
            is_offered(unit, owner.store_id, details.method())?;
            let command = VendorAccountCommand::SetPayoutAccount {
                owner,
                method: details.method(),
                details: Personal::new(SubjectId::from(vendor_id), details.clone()),
                set_by,
                held_for,
                now: context.now,
            };
            Ok(unit.execute::<VendorAccount>(vendor_id, command)?)
        })
        .await
}
