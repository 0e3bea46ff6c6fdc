//! A vendor puts a new product, with its variants and their stock, into the catalog as a draft.

use super::claims::Name;
use super::shelf;
use crate::{CommandContext, CommandError, Committed, Engine, Lanes, UnitOfWork};
use serde::{Deserialize, Serialize};
use soko_domain::category::CategoryError;
use soko_domain::product::{Description, ProductCommand, ProductError, Variant};
use soko_domain::stock::{StockCommand, StockError};
use soko_domain::store::StoreError;
use soko_domain::vendor::VendorError;
use soko_domain::{
    Category, Currency, Product, ProductId, Slug, Stock, Store, StoreId, VariantId, Vendor,
    VendorId,
};
use soko_event_log::ClaimKind;

#[derive(Debug, Clone)]
pub struct CreateProduct {
    pub product_id: ProductId,
    pub store_id: StoreId,
    pub vendor_id: VendorId,
    /// `None`: one is made of the name, so that it is free in the store.
    pub slug: Option<Slug>,
    pub description: Description,
    pub variants: Vec<Variant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedProduct {
    pub product_id: ProductId,
    pub slug: Slug,
    /// As they were given.
    pub variant_ids: Vec<VariantId>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreateProductError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vendor(#[from] VendorError),
    #[error(transparent)]
    Category(#[from] CategoryError),
    #[error("the store sells in {expected}, not in {found}")]
    CurrencyDiffers { expected: Currency, found: Currency },
    #[error(transparent)]
    Product(#[from] ProductError),
    #[error(transparent)]
    Stock(#[from] StockError),
}

/// # Errors
/// [`CreateProductError`], and [`CommandError::ClaimTaken`] for an SKU, or a slug that was asked
/// for, that the store has already.
pub async fn create_product(
    engine: &Engine,
    request: CreateProduct,
    context: &CommandContext,
) -> Result<Committed<CreatedProduct>, CommandError<CreateProductError>> {
    let slugs = match &request.slug {
        Some(slug) => vec![slug.clone()],
        None => free_slugs(&request),
    };
    let mut result = Err(CommandError::Conflict);
    for slug in &slugs {
        result = engine
            .transact(context, lanes(&request), |unit| {
                create(unit, &request, slug, context)
            })
            .await;
        let is_taken = matches!(
            &result,
            Err(CommandError::ClaimTaken {
                kind: ClaimKind::ProductSlug,
                ..
            })
        );
        if !is_taken {
            break;
        }
    }
    result
}

/// The name alone, or else with digits of the product's id.
fn free_slugs(request: &CreateProduct) -> Vec<Slug> {
    let name = Slug::of_name(request.description.name.as_str());
    let name = name.as_ref().map_or("product", Slug::as_str);
    let digits = request.product_id.as_uuid().simple().to_string();
    // The end of a UUIDv7 is random; its beginning is the time.
    [
        name.to_owned(),
        format!("{name}-{}", &digits[26..]),
        format!("{name}-{digits}"),
    ]
    .iter()
    .filter_map(|slug| slug.get(..slug.len().min(100))?.parse().ok())
    .collect()
}

fn lanes(request: &CreateProduct) -> Lanes {
    let variants = request.variants.iter().map(|variant| variant.variant_id);
    let lanes = Lanes::new()
        .with_new::<Product>(request.product_id)
        .with::<Store>(request.store_id)
        .with::<Vendor>(request.vendor_id)
        .with_all::<Category>(request.description.category_ids.iter().copied());
    variants.fold(lanes, Lanes::with_new::<Stock>)
}

fn create(
    unit: &mut UnitOfWork<'_>,
    request: &CreateProduct,
    slug: &Slug,
    context: &CommandContext,
) -> Result<CreatedProduct, CreateProductError> {
    let CreateProduct {
        product_id,
        store_id,
        vendor_id,
        ..
    } = *request;
    let shop = shelf::open_store(unit, store_id, context.tenant_id)?;
    let expected = shop.currency();
    shelf::trading_vendor(unit, vendor_id, store_id)?;
    shelf::categories_exist(unit, store_id, &request.description.category_ids)?;
    let command = ProductCommand::Create {
        store_id,
        vendor_id,
        slug: slug.clone(),
        description: request.description.clone(),
    };
    unit.execute::<Product>(product_id, command)?;
    unit.claim(Name::product_slug(store_id, slug).claimed_by(product_id));
    for variant in &request.variants {
        let found = variant.price.currency();
        if found != expected {
            return Err(CreateProductError::CurrencyDiffers { expected, found });
        }
        let added = ProductCommand::AddVariant {
            variant: variant.clone(),
        };
        unit.execute::<Product>(product_id, added)?;
        let track = StockCommand::Track {
            store_id,
            vendor_id,
            product_id,
            sku: variant.sku.clone(),
        };
        unit.execute::<Stock>(variant.variant_id, track)?;
        unit.claim(Name::sku(store_id, &variant.sku).claimed_by(variant.variant_id));
    }
    Ok(CreatedProduct {
        product_id,
        slug: slug.clone(),
        variant_ids: request.variants.iter().map(|v| v.variant_id).collect(),
    })
}
