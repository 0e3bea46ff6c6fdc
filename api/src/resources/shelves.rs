//! The catalog as shoppers see it, and as the vendor's own people do.

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Data};
use soko_domain::product::{ProductStatus, Variant};
use soko_domain::{CategoryId, Money, ProductId, Sku, StoreId, Text, VariantId, VendorId};
use soko_projections::read_models::categories::Categories;
use soko_projections::read_models::products::{
    Audience, Facets, ListedProduct, ProductDetail, ProductFilter, ProductPlace, ProductSort,
    Products, facets, product, product_by_slug, products,
};
use soko_projections::read_models::stock_levels::StockLevels;
use soko_projections::{Keyset, Within};
use std::collections::BTreeMap;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::found::Found;
use crate::fresh::MinPosition;
use crate::kept_answers::{KeptAnswer, Tagged};
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, cursor, query};
use crate::schema::{answer, words};

query! {
    pub(crate) struct OfProducts {
        /// Only of this store.
        pub store: Option<StoreId>,
        /// Words as people type them, typing errors included.
        pub q: Option<String>,
        /// In this category, or in one below it.
        pub category: Option<CategoryId>,
        /// Only of this vendor.
        pub vendor: Option<VendorId>,
        /// Minor units; a product counts by its cheapest variant.
        pub min_price: Option<i64>,
        /// Minor units.
        pub max_price: Option<i64>,
        /// Only what can be had now.
        pub in_stock: Option<bool>,
        /// By relevance where words are given, else the newest first.
        pub sort: Option<ProductSort>,
        /// Also how many there would be for other choices.
        pub facets: Option<bool>,
        /// How many on a page.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }
}

query! {
    pub(crate) struct OfProduct {
        /// In this store, where a slug may stand for one product in each.
        pub store: Option<StoreId>,
    }
}

answer! {
    pub(crate) struct Shelf {
        pub items: Vec<CardOnShelf>,
        /// Asks for the page after this one; null if this is the last.
        pub next_cursor: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub facets: Option<ShelfFacets>,
    }

    pub(crate) struct CardOnShelf {
        pub product_id: ProductId,
        pub store_id: StoreId,
        pub vendor_id: VendorId,
        pub slug: String,
        pub name: Text<200>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub image: Option<String>,
        /// Of the cheapest variant.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub price: Option<Money>,
        /// Of the dearest, if it is another one.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub price_max: Option<Money>,
        pub category_ids: Vec<CategoryId>,
        /// How many forms it comes in.
        pub variants: u32,
        pub status: ProductStatus,
        /// What can be bought of it now, over all variants.
        pub available: i64,
        pub in_stock: bool,
    }

    pub(crate) struct ShelfFacets {
        pub categories: Vec<CategoryCount>,
        pub vendors: Vec<VendorCount>,
        pub min_price: Option<i64>,
        pub max_price: Option<i64>,
    }

    pub(crate) struct CategoryCount {
        pub category_id: CategoryId,
        pub count: i64,
    }

    pub(crate) struct VendorCount {
        pub vendor_id: VendorId,
        pub count: i64,
    }

    pub(crate) struct ProductDetails {
        pub product_id: ProductId,
        pub store_id: StoreId,
        pub vendor_id: VendorId,
        pub slug: String,
        pub name: Text<200>,
        pub description: Option<Text<5000>>,
        pub category_ids: Vec<CategoryId>,
        pub images: Vec<Text<500>>,
        /// What search engines are told, if it is something else than people.
        pub seo: Option<SeoDetails>,
        pub status: ProductStatus,
        pub variants: Vec<VariantDetails>,
    }

    pub(crate) struct SeoDetails {
        pub title: Option<Text<200>>,
        pub description: Option<Text<500>>,
    }

    pub(crate) struct VariantDetails {
        pub variant_id: VariantId,
        pub sku: Sku,
        pub name: Text<200>,
        pub price: Money,
        pub barcode: Option<Text<64>>,
        pub weight_g: Option<u32>,
        pub options: BTreeMap<String, Text<100>>,
        /// What can be bought of it now.
        pub available: i64,
        pub in_stock: bool,
    }
}

words! {
    ProductSort = "ProductSort" ["newest", "price_asc", "price_desc", "name", "relevance"],
    ProductStatus = "ProductStatus" ["draft", "published", "unpublished", "archived"],
}

/// A public page is kept as it was rendered until one of the models that it shows moves.
pub(crate) async fn list(
    app: Data<App>,
    query: Query<OfProducts>,
    min_position: MinPosition,
    request: HttpRequest,
) -> Result<KeptAnswer<Shelf>> {
    list_is_fresh(&app, min_position).await?;
    let render = async || render(&app, Audience::Public, &query.0).await;
    let tagged = app
        .shelves()
        .answer(app.freshness(), request.query_string(), render)
        .await?;
    Ok(KeptAnswer::new(tagged))
}

/// Drafts, and what is off sale, too.
pub(crate) async fn list_of_vendor(
    app: Data<App>,
    caller: Caller,
    vendor_id: Path<VendorId>,
    query: Query<OfProducts>,
    min_position: MinPosition,
) -> Result<KeptAnswer<Shelf>> {
    let permit = caller.permit(Place::vendor(*vendor_id)).await?;
    list_is_fresh(&app, min_position).await?;
    let audience = Audience::Team(Within::Vendor(permit.tenant_id(), *vendor_id));
    let body = render(&app, audience, &query.0).await?;
    Ok(KeptAnswer::new(Tagged::of(body)))
}

pub(crate) async fn get(
    app: Data<App>,
    name: Path<String>,
    query: Query<OfProduct>,
    min_position: MinPosition,
) -> Result<Found<ProductDetails>> {
    products_are_fresh(&app, min_position).await?;
    let found = match name.parse::<ProductId>() {
        Ok(product_id) => product(app.reader(), Audience::Public, product_id).await?,
        Err(_) => product_by_slug(app.reader(), Audience::Public, query.store, &name).await?,
    };
    shown(found)
}

pub(crate) async fn get_of_vendor(
    app: Data<App>,
    caller: Caller,
    path: Path<(VendorId, ProductId)>,
    min_position: MinPosition,
) -> Result<Found<ProductDetails>> {
    let (vendor_id, product_id) = path.0;
    let permit = caller.permit(Place::vendor(vendor_id)).await?;
    products_are_fresh(&app, min_position).await?;
    let audience = Audience::Team(Within::Vendor(permit.tenant_id(), vendor_id));
    shown(product(app.reader(), audience, product_id).await?)
}

fn shown(found: Option<ProductDetail>) -> Result<Found<ProductDetails>> {
    let found = found.ok_or_else(|| Problem::new(Code::NotFound))?;
    let version = found.product.version.unsigned_abs();
    // Stock moves without the product changing, so the version tells nothing of the whole.
    Ok(Found::new(details(found)).with_version_for_changes(version))
}

async fn render(app: &App, audience: Audience, asked: &OfProducts) -> Result<Bytes> {
    let OfProducts {
        store,
        category,
        vendor,
        min_price,
        max_price,
        in_stock,
        limit,
        ..
    } = asked;
    let text = asked
        .q
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let filter = ProductFilter {
        store_id: *store,
        vendor_id: *vendor,
        category_id: *category,
        text: text.map(str::to_owned),
        min_price: *min_price,
        max_price: *max_price,
        only_in_stock: in_stock.unwrap_or(false),
    };
    let by_default = if filter.text.is_some() {
        ProductSort::Relevance
    } else {
        ProductSort::Newest
    };
    let sort = asked.sort.unwrap_or(by_default);
    let list = format!("products {filter:?} {sort:?}");
    let after: Option<ProductPlace> = asked
        .cursor
        .as_ref()
        .map(|cursor| cursor.key(&list))
        .transpose()?;
    let page = Keyset {
        after,
        limit: limit.rows(),
    };
    let found = products(app.reader(), audience, &filter, sort, page).await?;
    let counts = match asked.facets {
        Some(true) => Some(facets(app.reader(), audience, &filter).await?),
        Some(false) | None => None,
    };
    let next = found.next.as_ref().map(|place| cursor(&list, place));
    rendered(&found.items, next.as_deref(), counts.map(ShelfFacets::from))
        .map(Bytes::from)
        .map_err(|error| Problem::ours(Code::Internal, &error))
}

/// A [`Shelf`] of cards as they were rendered when their products changed, each with what there is
/// of it now. They are JSON already, so they are not read again.
fn rendered(
    items: &[ListedProduct],
    next_cursor: Option<&str>,
    facets: Option<ShelfFacets>,
) -> serde_json::Result<String> {
    const BEYOND_CARDS: usize = 1_024;
    let cards: usize = items.iter().map(|item| item.card.as_str().len() + 64).sum();
    let mut shelf = String::with_capacity(cards + BEYOND_CARDS);
    shelf.push_str("{\"items\":[");
    for (place, item) in items.iter().enumerate() {
        let card = item.card.as_str();
        let open = card.strip_suffix('}').unwrap_or(card);
        let separator = if place == 0 { "" } else { "," };
        let (available, in_stock) = (item.available.max(0), item.available > 0);
        let parts = [
            separator,
            open,
            ",\"available\":",
            &available.to_string(),
            ",\"in_stock\":",
            if in_stock { "true}" } else { "false}" },
        ];
        shelf.extend(parts);
    }
    shelf.push_str("],\"next_cursor\":");
    shelf.push_str(&serde_json::to_string(&next_cursor)?);
    if let Some(facets) = facets {
        shelf.push_str(",\"facets\":");
        shelf.push_str(&serde_json::to_string(&facets)?);
    }
    shelf.push('}');
    Ok(shelf)
}

fn details(found: ProductDetail) -> ProductDetails {
    let ProductDetail { product, available } = found;
    let listing = product.listing.0;
    let variant = |variant: Variant| {
        let available = available
            .get(&variant.variant_id)
            .copied()
            .unwrap_or(0)
            .max(0);
        VariantDetails {
            variant_id: variant.variant_id,
            sku: variant.sku,
            name: variant.name,
            price: variant.price,
            barcode: variant.barcode,
            weight_g: variant.weight_g,
            options: variant.options,
            available,
            in_stock: available > 0,
        }
    };
    ProductDetails {
        product_id: product.product_id,
        store_id: product.store_id,
        vendor_id: product.vendor_id,
        slug: product.slug,
        name: listing.description.name,
        description: listing.description.description,
        category_ids: product.category_ids,
        images: listing.description.images,
        seo: listing.description.seo.map(|seo| SeoDetails {
            title: seo.title,
            description: seo.description,
        }),
        status: product.status,
        variants: listing.variants.into_iter().map(variant).collect(),
    }
}

impl From<Facets> for ShelfFacets {
    fn from(facets: Facets) -> Self {
        let categories = facets.categories.into_iter();
        let vendors = facets.vendors.into_iter();
        Self {
            categories: categories
                .map(|(category_id, count)| CategoryCount { category_id, count })
                .collect(),
            vendors: vendors
                .map(|(vendor_id, count)| VendorCount { vendor_id, count })
                .collect(),
            min_price: facets.prices.map(|(lowest, _)| lowest),
            max_price: facets.prices.map(|(_, highest)| highest),
        }
    }
}

/// A product shows what there is of it.
async fn products_are_fresh(app: &App, min_position: MinPosition) -> Result<()> {
    min_position.reached_by::<Products>(app.freshness()).await?;
    min_position
        .reached_by::<StockLevels>(app.freshness())
        .await
}

/// A list can be of a category, and of all below it.
async fn list_is_fresh(app: &App, min_position: MinPosition) -> Result<()> {
    products_are_fresh(app, min_position).await?;
    min_position.reached_by::<Categories>(app.freshness()).await
}
