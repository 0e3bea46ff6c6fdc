//! Somebody is no longer asked into a vendor's team, or no longer in it: where they were invited
//! at is needed no more, and forgotten.

use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use soko_domain::vendor::{VendorCommand, VendorError};
use soko_domain::{AccountId, InvitationId, Vendor, VendorId};

/// # Errors
/// [`VendorError`], and every other [`CommandError`].
pub async fn withdraw_invitation(
    engine: &Engine,
    vendor_id: VendorId,
    invitation_id: InvitationId,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<VendorError>> {
    let withdraw = VendorCommand::WithdrawInvitation { invitation_id };
    leave(engine, vendor_id, withdraw, context, |_| {
        vec![invitation_id]
    })
    .await
}

/// # Errors
/// [`VendorError`], and every other [`CommandError`].
pub async fn remove_vendor_member(
    engine: &Engine,
    vendor_id: VendorId,
    account_id: AccountId,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<VendorError>> {
    let remove = VendorCommand::RemoveMember { account_id };
    let invitations = |unit: &UnitOfWork<'_>| {
        let seller = unit.state::<Vendor>(vendor_id).seller().ok();
        let accepted = seller.map(|seller| seller.invitations().accepted_by(account_id));
        accepted.into_iter().flatten().collect()
    };
    leave(engine, vendor_id, remove, context, invitations).await
}

async fn leave(
    engine: &Engine,
    vendor_id: VendorId,
    command: VendorCommand,
    context: &CommandContext,
    invitations: impl Fn(&UnitOfWork<'_>) -> Vec<InvitationId> + Send + Sync,
) -> Result<Committed<()>, CommandError<VendorError>> {
    let lanes = Lanes::new().with::<Vendor>(vendor_id);
    engine
        .transact(context, lanes, |unit| {
            let invitations = invitations(unit);
            unit.execute::<Vendor>(vendor_id, command.clone())?;
            for invitation_id in invitations {
                unit.erase(invitation_id.into());
            }
            Ok(())
        })
        .await
}
