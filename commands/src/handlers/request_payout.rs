//! A vendor is to be paid what is cleared, or a part of it.

use super::claims::Name;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::store::StoreError;
use soko_domain::vendor::VendorError;
use soko_domain::vendor_account::{
    Owner, PayoutMethod, PayoutRequest, PayoutStatus, VendorAccountCommand, VendorAccountError,
};
use soko_domain::{
    AccountId, Money, PayoutId, Store, StoreId, TenantId, Vendor, VendorAccount, VendorId,
};

#[derive(Debug, Clone)]
pub struct RequestPayout {
    pub payout_id: PayoutId,
    pub vendor_id: VendorId,
    /// All that can be paid out, if left out.
    pub amount: Option<Money>,
    /// Nobody, if it is time by the store's schedule.
    pub requested_by: Option<AccountId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedPayout {
    pub payout_id: PayoutId,
    pub vendor_id: VendorId,
    pub amount: Money,
    pub method: PayoutMethod,
    pub status: PayoutStatus,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutError {
    #[error(transparent)]
    Account(#[from] VendorAccountError),
    #[error(transparent)]
    Vendor(#[from] VendorError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store does not pay out by {method}")]
    NotOffered { method: PayoutMethod },
}

/// Answers with the payout, which is another than that of the request if the request was made before
/// with the same idempotency key.
///
/// # Errors
/// [`PayoutError`], and every other [`CommandError`].
pub async fn request_payout(
    engine: &Engine,
    request: RequestPayout,
    context: &CommandContext,
) -> Result<Committed<RequestedPayout>, CommandError<PayoutError>> {
    let vendor_id = request.vendor_id;
    let lanes = Lanes::new()
        .with::<VendorAccount>(vendor_id)
        .with::<Vendor>(vendor_id);
    engine
        .transact(context, lanes, |unit| ask(unit, &request, context))
        .await
}

fn ask(
    unit: &mut UnitOfWork<'_>,
    request: &RequestPayout,
    context: &CommandContext,
) -> Result<RequestedPayout, PayoutError> {
    let RequestPayout {
        payout_id,
        vendor_id,
        amount,
        requested_by,
    } = *request;
    let owner = owner(unit, vendor_id, context.tenant_id)?;
    shelf::trading_vendor(unit, vendor_id, owner.store_id)?;
    let rules = unit.state::<Store>(owner.store_id).shop()?.payout_rules();
    let account = unit.state::<VendorAccount>(vendor_id).purse().ok();
    if let Some(account) = account.and_then(|purse| purse.payout_account()) {
        is_offered(unit, owner.store_id, account.method)?;
    }
    let request = PayoutRequest {
        payout_id,
        amount,
        requested_by,
        four_eyes_above: rules.four_eyes_above,
        now: context.now,
    };
    let command = VendorAccountCommand::RequestPayout { owner, request };
    unit.execute::<VendorAccount>(vendor_id, command)?;
    unit.claim(Name::payout(payout_id).claimed_by(vendor_id));
    payout(unit, vendor_id, payout_id)
}

/// The payout as it is, with what this unit has decided so far.
pub(super) fn payout(
    unit: &UnitOfWork<'_>,
    vendor_id: VendorId,
    payout_id: PayoutId,
) -> Result<RequestedPayout, PayoutError> {
    let purse = unit.state::<VendorAccount>(vendor_id).purse()?;
    let payout = purse.payouts().get(payout_id)?;
    Ok(RequestedPayout {
        payout_id,
        vendor_id,
        amount: Money::new(payout.amount, purse.currency()),
        method: payout.method,
        status: payout.status,
    })
}

/// Whether the store has an account with who carries it. That it has not may change later.
pub(super) fn is_offered(
    unit: &UnitOfWork<'_>,
    store_id: StoreId,
    method: PayoutMethod,
) -> Result<(), PayoutError> {
    let accounts = unit.state::<Store>(store_id).shop()?.payment_accounts();
    match method.provider() {
        Some(provider) if !accounts.contains(&provider.account()) => {
            Err(PayoutError::NotOffered { method })
        }
        Some(_) | None => Ok(()),
    }
}

/// In which store the vendor sells, and in which currency. One of another tenant is as good as none.
pub(super) fn owner(
    unit: &UnitOfWork<'_>,
    vendor_id: VendorId,
    tenant_id: TenantId,
) -> Result<Owner, PayoutError> {
    let store_id: StoreId = unit.state::<Vendor>(vendor_id).seller()?.store_id();
    if !shelf::is_store_of(unit, store_id, tenant_id) {
        return Err(VendorError::NotRegistered.into());
    }
    let currency = unit.state::<Store>(store_id).shop()?.currency();
    Ok(Owner { store_id, currency })
}
