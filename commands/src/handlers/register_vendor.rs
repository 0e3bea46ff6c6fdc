//! Somebody wants to sell in a store.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use serde::{Deserialize, Serialize};
use soko_domain::store::StoreError;
use soko_domain::vendor::{VendorCommand, VendorError};
use soko_domain::{
    AccountId, CountryCode, EmailAddress, Personal, PhoneNumber, Store, StoreId, Text, Vendor,
    VendorId,
};

#[derive(Debug, Clone)]
pub struct RegisterVendor {
    pub vendor_id: VendorId,
    pub store_id: StoreId,
    pub name: Text<120>,
    pub email: Personal<EmailAddress>,
    pub phone: Personal<PhoneNumber>,
    pub country: CountryCode,
    pub owner: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegisterVendorError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vendor(#[from] VendorError),
}

/// Answers with the vendor, which is another than that of the request if the request was made before
/// with the same idempotency key.
///
/// # Errors
/// [`RegisterVendorError`], and every other [`CommandError`].
pub async fn register_vendor(
    engine: &Engine,
    request: RegisterVendor,
    context: &CommandContext,
) -> Result<Committed<VendorId>, CommandError<RegisterVendorError>> {
    let lanes = Lanes::new()
        .with_new::<Vendor>(request.vendor_id)
        .with::<Store>(request.store_id);
    engine
        .transact(context, lanes, |unit| {
            shelf::open_store(unit, request.store_id, context.tenant_id)?;
            let command = VendorCommand::Register {
                store_id: request.store_id,
                name: request.name.clone(),
                email: request.email.clone(),
                phone: request.phone.clone(),
                country: request.country,
                owner: request.owner,
            };
            unit.execute::<Vendor>(request.vendor_id, command)?;
            Ok(request.vendor_id)
        })
        .await
}
