//! A product in a list, rendered once, when it changes.

use super::Product;
use crate::row::RenderedJson;
use serde::Serialize;
use soko_domain::product::Variant;
use soko_domain::{CategoryId, Money, ProductId, StoreId, Text, VendorId};

/// What a list says about a product; whoever answers adds how much of it there is.
#[derive(Debug, Serialize)]
struct Card<'a> {
    product_id: ProductId,
    store_id: StoreId,
    vendor_id: VendorId,
    slug: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    /// Of the cheapest variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Money>,
    /// Of the dearest, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_max: Option<Money>,
    category_ids: &'a [CategoryId],
    variants: usize,
    status: soko_domain::product::ProductStatus,
}

pub(super) fn render(product: &Product) -> RenderedJson {
    let listing = &product.listing.0;
    let money = |amount| {
        product
            .currency
            .map(|currency| Money::new(amount, currency))
    };
    let card = Card {
        product_id: product.product_id,
        store_id: product.store_id,
        vendor_id: product.vendor_id,
        slug: &product.slug,
        name: &product.name,
        image: listing.description.images.first().map(Text::as_str),
        price: money(product.price_min),
        price_max: money(product.price_max).filter(|_| product.price_max > product.price_min),
        category_ids: &product.category_ids,
        variants: listing.variants.len(),
        status: product.status,
    };
    // Texts, ids and whole numbers always have a JSON form.
    RenderedJson::of(&card).unwrap_or_default()
}

/// What a product is also found by.
pub(super) fn keywords(variants: &[Variant]) -> String {
    let mut words = Vec::new();
    for variant in variants {
        words.push(variant.sku.as_str());
        words.push(variant.name.as_str());
        words.extend(variant.barcode.as_ref().map(Text::as_str));
        words.extend(variant.options.values().map(Text::as_str));
    }
    words.dedup();
    words.join(" ")
}
