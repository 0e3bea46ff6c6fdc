//! Why a product says no.

use super::{Description, Listing, Variant};
use crate::{Currency, Sku, VariantId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductError {
    #[error("there is no such product")]
    NotCreated,
    #[error("the product exists already")]
    AlreadyCreated,
    #[error("the product is archived")]
    Archived,
    #[error("the product has no variant {variant_id}")]
    NoSuchVariant { variant_id: VariantId },
    #[error("the product has another variant {variant_id}")]
    VariantExists { variant_id: VariantId },
    #[error("another variant of the product has the SKU {sku}")]
    SkuTaken { sku: Sku },
    #[error("the SKU stays {sku}: stock and orders know the variant by it")]
    SkuFixed { sku: Sku },
    #[error("a product has at most {} variants", Listing::VARIANTS_MAX)]
    TooManyVariants,
    #[error("the product is priced in {expected}, not in {found}")]
    CurrencyDiffers { expected: Currency, found: Currency },
    #[error("a price is from 0 to {} minor units", Variant::PRICE_MAX)]
    PriceOutOfRange,
    #[error("a product has at most {} images", Description::IMAGES_MAX)]
    TooManyImages,
    #[error("a product is in at most {} categories", Description::CATEGORIES_MAX)]
    TooManyCategories,
    #[error("a variant has at most {} options", Variant::OPTIONS_MAX)]
    TooManyOptions,
    #[error(
        "an option's name has 1 to {} characters",
        Variant::OPTION_NAME_CHARS_MAX
    )]
    BadOptionName,
    #[error("a product without variants cannot be published")]
    NothingToSell,
}
