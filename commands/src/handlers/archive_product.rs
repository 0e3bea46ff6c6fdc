//! A product leaves the catalog for good, and its names can be used again.

use super::claims::Name;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use soko_domain::product::{ProductCommand, ProductError, ProductStatus};
use soko_domain::{Product, ProductId};

/// # Errors
/// [`ProductError`], and every other [`CommandError`].
pub async fn archive_product(
    engine: &Engine,
    product_id: ProductId,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<ProductError>> {
    let lanes = Lanes::new().with::<Product>(product_id);
    engine
        .transact(context, lanes, |unit| archive(unit, product_id, context))
        .await
}

fn archive(
    unit: &mut UnitOfWork<'_>,
    product_id: ProductId,
    context: &CommandContext,
) -> Result<(), ProductError> {
    let listing = unit.state::<Product>(product_id).listing()?;
    let store_id = listing.store_id();
    if !shelf::is_store_of(unit, store_id, context.tenant_id) {
        return Err(ProductError::NotCreated);
    }
    if listing.status() == ProductStatus::Archived {
        // Its names may be another product's by now.
        return Ok(());
    }
    let skus = listing.variants().iter();
    let names: Vec<_> = skus
        .map(|variant| Name::sku(store_id, &variant.sku))
        .chain([Name::product_slug(store_id, listing.slug())])
        .collect();
    unit.execute::<Product>(product_id, ProductCommand::Archive {})?;
    for name in names {
        unit.release(name.given_back());
    }
    Ok(())
}
