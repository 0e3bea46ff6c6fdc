//! A product can be bought in one more form, of which stock is kept from now on.

use super::claims::Name;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::product::{ProductCommand, ProductError, Variant};
use soko_domain::stock::{StockCommand, StockError};
use soko_domain::store::StoreError;
use soko_domain::{Currency, Product, ProductId, Stock, VariantId};

#[derive(Debug, Clone)]
pub struct AddVariant {
    pub product_id: ProductId,
    pub variant: Variant,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddVariantError {
    #[error(transparent)]
    Product(#[from] ProductError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store sells in {expected}, not in {found}")]
    CurrencyDiffers { expected: Currency, found: Currency },
    #[error(transparent)]
    Stock(#[from] StockError),
}

/// Answers with the variant, which is another than that of the request if the request was made
/// before with the same idempotency key.
///
/// # Errors
/// [`AddVariantError`], and [`CommandError::ClaimTaken`] for an SKU that the store has already.
pub async fn add_variant(
    engine: &Engine,
    request: AddVariant,
    context: &CommandContext,
) -> Result<Committed<VariantId>, CommandError<AddVariantError>> {
    let lanes = Lanes::new()
        .with::<Product>(request.product_id)
        .with::<Stock>(request.variant.variant_id);
    engine
        .transact(context, lanes, |unit| {
            add(unit, &request, context)?;
            Ok(request.variant.variant_id)
        })
        .await
}

fn add(
    unit: &mut UnitOfWork<'_>,
    request: &AddVariant,
    context: &CommandContext,
) -> Result<(), AddVariantError> {
    let AddVariant {
        product_id,
        variant,
    } = request;
    let listing = unit.state::<Product>(*product_id).listing()?;
    let (store_id, vendor_id) = (listing.store_id(), listing.vendor_id());
    let is_repeated = listing.variant(variant.variant_id).is_ok();
    let expected = shelf::open_store(unit, store_id, context.tenant_id)?.currency();
    let found = variant.price.currency();
    if found != expected {
        return Err(AddVariantError::CurrencyDiffers { expected, found });
    }
    let added = ProductCommand::AddVariant {
        variant: variant.clone(),
    };
    unit.execute::<Product>(*product_id, added)?;
    if is_repeated {
        return Ok(());
    }
    let track = StockCommand::Track {
        store_id,
        vendor_id,
        product_id: *product_id,
        sku: variant.sku.clone(),
    };
    unit.execute::<Stock>(variant.variant_id, track)?;
    unit.claim(Name::sku(store_id, &variant.sku).claimed_by(variant.variant_id));
    Ok(())
}
