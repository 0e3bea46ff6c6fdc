//! The catalog: what shoppers browse and search, and what vendors are still working on.
//!
//! Stock is not part of it: how much there is, a query looks up where it counts, so that selling
//! never rewrites the catalog.

mod card;
mod queries;
mod search;
#[cfg(test)]
mod tests;

pub use queries::{Offer, ProductDetail, offers, product, product_by_slug};
pub use search::{
    Audience, Facets, ListedProduct, ProductFilter, ProductPage, ProductPlace, ProductSort, facets,
    products,
};

use crate::ReadModel;
use crate::row::{Json, RenderedJson};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::product::{Description, ProductEvent, ProductStatus, Variant};
use soko_domain::{
    AnyEvent, CategoryId, Currency, Money, ProductId, StoreId, TenantId, VariantId, VendorId,
};
use soko_event_log::RecordedEvent;
use uuid::Uuid;

crate::row! {
    /// A product, on sale or not.
    pub struct Product in "products" {
        key { product_id: ProductId }
        tenant_id: TenantId,
        store_id: StoreId,
        vendor_id: VendorId,
        slug: String,
        status: ProductStatus,
        name: String,
        /// The name in lower case.
        name_key: String,
        /// SKUs, variants and their options, to be searched.
        keywords: String,
        /// Of the prices; none without variants.
        currency: Option<Currency>,
        /// Of the cheapest variant, in minor units; 0 without any.
        price_min: i64,
        price_max: i64,
        category_ids: Vec<CategoryId>,
        version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
        /// The product in a list, as it is answered.
        card: RenderedJson,
        listing: Json<Listing>,
    }
}

/// All that is said about a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    pub description: Description,
    /// In the order in which they were added.
    pub variants: Vec<Variant>,
}

/// The read model.
#[derive(Debug)]
pub struct Products;

impl ReadModel for Products {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["product"];
    const CACHE_ROWS: usize = 256;
    const ROW_BYTES: usize = 4_096;

    type Key = ProductId;
    type Row = Product;

    fn keys(recorded: &RecordedEvent) -> Vec<ProductId> {
        match &recorded.event {
            AnyEvent::Product(product_id, _) => vec![*product_id],
            _ => vec![],
        }
    }

    fn creates(recorded: &RecordedEvent) -> bool {
        recorded.sequence == 1
    }

    fn fold(
        row: Option<Product>,
        product_id: &ProductId,
        recorded: &RecordedEvent,
    ) -> Option<Product> {
        let AnyEvent::Product(_, event) = &recorded.event else {
            return row;
        };
        let mut product = match (row, event) {
            (
                None,
                ProductEvent::Created {
                    store_id,
                    vendor_id,
                    slug,
                    description,
                },
            ) => Product {
                product_id: *product_id,
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                vendor_id: *vendor_id,
                slug: slug.to_string(),
                status: ProductStatus::Draft,
                name: String::new(),
                name_key: String::new(),
                keywords: String::new(),
                currency: None,
                price_min: 0,
                price_max: 0,
                category_ids: vec![],
                version: 0,
                created_at: recorded.recorded_at,
                updated_at: recorded.recorded_at,
                card: RenderedJson::default(),
                listing: Json(Listing {
                    description: description.clone(),
                    variants: vec![],
                }),
            },
            (row, _) => row?,
        };
        product.apply(event);
        product.version = super::version(recorded);
        product.updated_at = recorded.recorded_at;
        product.derive();
        Some(product)
    }

    fn sources(product_id: &ProductId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("product", product_id.as_uuid())])
    }
}

impl Product {
    pub fn variant(&self, variant_id: VariantId) -> Option<&Variant> {
        let variants = &self.listing.0.variants;
        variants
            .iter()
            .find(|variant| variant.variant_id == variant_id)
    }

    fn apply(&mut self, event: &ProductEvent) {
        let listing = &mut self.listing.0;
        match event {
            ProductEvent::Created { description, .. } | ProductEvent::Described { description } => {
                listing.description = description.clone();
            }
            ProductEvent::VariantAdded { variant } => listing.variants.push(variant.clone()),
            ProductEvent::VariantChanged { variant } => {
                if let Some(known) = listing.find(variant.variant_id) {
                    *known = variant.clone();
                }
            }
            ProductEvent::PriceChanged { variant_id, price } => {
                if let Some(variant) = listing.find(*variant_id) {
                    variant.price = *price;
                }
            }
            ProductEvent::Published {} => self.status = ProductStatus::Published,
            ProductEvent::Unpublished {} => self.status = ProductStatus::Draft,
            ProductEvent::Archived {} => self.status = ProductStatus::Archived,
        }
    }

    /// What follows from the listing.
    fn derive(&mut self) {
        let Listing {
            description,
            variants,
        } = &self.listing.0;
        self.name = description.name.to_string();
        self.name_key = self.name.to_lowercase();
        self.category_ids = description.category_ids.iter().copied().collect();
        let prices = || variants.iter().map(|variant| variant.price);
        self.currency = prices().next().map(Money::currency);
        self.price_min = prices().map(Money::amount).min().unwrap_or_default();
        self.price_max = prices().map(Money::amount).max().unwrap_or_default();
        self.keywords = card::keywords(variants);
        self.card = card::render(self);
    }
}

impl Listing {
    fn find(&mut self, variant_id: VariantId) -> Option<&mut Variant> {
        self.variants
            .iter_mut()
            .find(|variant| variant.variant_id == variant_id)
    }
}
