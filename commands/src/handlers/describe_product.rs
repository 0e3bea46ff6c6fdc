//! A product is described anew, under categories of its store.

use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes};
use serde::{Deserialize, Serialize};
use soko_domain::category::CategoryError;
use soko_domain::product::{Description, ProductCommand, ProductError};
use soko_domain::{Category, Product, ProductId};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DescribeProductError {
    #[error(transparent)]
    Product(#[from] ProductError),
    #[error(transparent)]
    Category(#[from] CategoryError),
}

/// # Errors
/// [`DescribeProductError`], and every other [`CommandError`].
pub async fn describe_product(
    engine: &Engine,
    product_id: ProductId,
    description: Description,
    context: &CommandContext,
) -> Result<Committed<()>, CommandError<DescribeProductError>> {
    let lanes = Lanes::new()
        .with::<Product>(product_id)
        .with_all::<Category>(description.category_ids.iter().copied());
    engine
        .transact(context, lanes, |unit| {
            let listing = unit.state::<Product>(product_id).listing()?;
            let store_id = listing.store_id();
            if !shelf::is_store_of(unit, store_id, context.tenant_id) {
                return Err(ProductError::NotCreated.into());
            }
            let present = &listing.description().category_ids;
            // A category that was removed since does not stand in the way of another change.
            let new = description.category_ids.difference(present);
            shelf::categories_exist(unit, store_id, new)?;
            let command = ProductCommand::Describe {
                description: description.clone(),
            };
            Ok(unit.execute::<Product>(product_id, command)?)
        })
        .await
}
