//! One product, and what is offered of its variants.

use super::search::Sources;
use super::{Audience, Product};
use crate::query::rows;
use crate::row::Row as _;
use soko_domain::product::{ProductStatus, Variant};
use soko_domain::{ProductId, StoreId, TenantId, VariantId, VendorId};
use soko_event_log::{Scope, ScopedReader};
use sqlx::{Postgres, QueryBuilder, Row as _};
use std::collections::BTreeMap;

/// A product, and how much there is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDetail {
    pub product: Product,
    /// What can be bought now of each variant whose stock is tracked.
    pub available: BTreeMap<VariantId, i64>,
}

/// A variant as it is offered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub product_id: ProductId,
    pub store_id: StoreId,
    pub vendor_id: VendorId,
    pub product_name: String,
    pub status: ProductStatus,
    pub variant: Variant,
    pub available: i64,
}

/// One product, if the audience may see it.
///
/// # Errors
/// The database failed.
pub async fn product(
    reader: &ScopedReader,
    audience: Audience,
    product_id: ProductId,
) -> Result<Option<ProductDetail>, sqlx::Error> {
    let mut query = select(audience);
    query
        .push(" WHERE product_id = ")
        .push_bind(product_id.as_uuid());
    detail(reader, audience, query).await
}

/// The product that has this slug; the newest one if stores share it.
///
/// # Errors
/// The database failed.
pub async fn product_by_slug(
    reader: &ScopedReader,
    audience: Audience,
    store_id: Option<StoreId>,
    slug: &str,
) -> Result<Option<ProductDetail>, sqlx::Error> {
    let mut query = select(audience);
    query.push(" WHERE slug = ").push_bind(slug.to_owned());
    if let Some(store_id) = store_id {
        query.push(" AND store_id = ").push_bind(store_id.as_uuid());
    }
    detail(reader, audience, query).await
}

/// What is offered of some variants of a business, in no order; those that no product has are left out.
///
/// # Errors
/// The database failed.
pub async fn offers(
    reader: &ScopedReader,
    tenant_id: TenantId,
    variant_ids: &[VariantId],
) -> Result<Vec<Offer>, sqlx::Error> {
    let ids: Vec<_> = variant_ids.iter().map(VariantId::as_uuid).collect();
    let mut query = QueryBuilder::<Postgres>::new("SELECT ");
    query.push(rows::names::<Product>("p."));
    query.push(
        ", s.variant_id, s.on_hand - s.reserved FROM read_models.stock_levels AS s \
         JOIN read_models.products AS p USING (product_id) WHERE s.variant_id = ANY(",
    );
    query.push_bind(ids).push(")");
    let found = reader.all(&Scope::Tenant(tenant_id), query).await?;
    let mut offers = Vec::with_capacity(found.len());
    for row in &found {
        let product: Product = rows::decode(row)?;
        let variant_id: uuid::Uuid = row.try_get(Product::COLUMNS.len())?;
        let available = row.try_get(Product::COLUMNS.len() + 1)?;
        if let Some(variant) = product.variant(variant_id.into()) {
            offers.push(Offer {
                product_id: product.product_id,
                store_id: product.store_id,
                vendor_id: product.vendor_id,
                variant: variant.clone(),
                product_name: product.name,
                status: product.status,
                available,
            });
        }
    }
    Ok(offers)
}

fn select(audience: Audience) -> QueryBuilder<'static, Postgres> {
    let Sources {
        products,
        stock,
        available,
        ..
    } = audience.sources();
    QueryBuilder::new(format!(
        "SELECT {}, ARRAY(SELECT s.variant_id FROM {stock} AS s \
                          WHERE s.product_id = products.product_id ORDER BY s.variant_id), \
                    ARRAY(SELECT {available} FROM {stock} AS s \
                          WHERE s.product_id = products.product_id ORDER BY s.variant_id) \
         FROM {products}",
        rows::names::<Product>("")
    ))
}

async fn detail(
    reader: &ScopedReader,
    audience: Audience,
    mut query: QueryBuilder<'_, Postgres>,
) -> Result<Option<ProductDetail>, sqlx::Error> {
    match audience {
        Audience::Public => {
            query.push(" AND status = 'published'");
        }
        Audience::Team(within) => within.and(&mut query),
    }
    query.push(" ORDER BY product_id DESC LIMIT 1");
    let Some(row) = reader.optional(&audience.scope(), query).await? else {
        return Ok(None);
    };
    let variants: Vec<uuid::Uuid> = row.try_get(Product::COLUMNS.len())?;
    let available: Vec<i64> = row.try_get(Product::COLUMNS.len() + 1)?;
    Ok(Some(ProductDetail {
        product: rows::decode(&row)?,
        available: variants
            .into_iter()
            .map(VariantId::from)
            .zip(available)
            .collect(),
    }))
}
