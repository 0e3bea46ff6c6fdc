//! What a store sorts its products into.

#[cfg(test)]
mod tests;

use crate::ReadModel;
use crate::query::rows;
use soko_domain::category::CategoryEvent;
use soko_domain::{AnyEvent, CategoryId, StoreId, TenantId};
use soko_event_log::{RecordedEvent, Scope, ScopedReader};
use sqlx::QueryBuilder;
use uuid::Uuid;

crate::row! {
    /// A category that is there.
    pub struct Category in "categories" {
        key { category_id: CategoryId }
        tenant_id: TenantId,
        store_id: StoreId,
        slug: String,
        name: String,
        parent_id: Option<CategoryId>,
        version: i64,
    }
}

/// The read model.
#[derive(Debug)]
pub struct Categories;

impl ReadModel for Categories {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["category"];

    type Key = CategoryId;
    type Row = Category;

    fn keys(recorded: &RecordedEvent) -> Vec<CategoryId> {
        match &recorded.event {
            AnyEvent::Category(category_id, _) => vec![*category_id],
            _ => vec![],
        }
    }

    fn fold(
        row: Option<Category>,
        category_id: &CategoryId,
        recorded: &RecordedEvent,
    ) -> Option<Category> {
        let AnyEvent::Category(_, event) = &recorded.event else {
            return row;
        };
        let mut category = match (row, event) {
            (
                None,
                CategoryEvent::Created {
                    store_id,
                    slug,
                    name,
                    parent,
                    ..
                },
            ) => Category {
                category_id: *category_id,
                tenant_id: recorded.tenant_id,
                store_id: *store_id,
                slug: slug.to_string(),
                name: name.to_string(),
                parent_id: *parent,
                version: 0,
            },
            (row, _) => row?,
        };
        match event {
            CategoryEvent::Created { .. } => (),
            CategoryEvent::Renamed { name } => category.name = name.to_string(),
            CategoryEvent::Moved { parent } => category.parent_id = *parent,
            CategoryEvent::Removed {} => return None,
        }
        category.version = super::version(recorded);
        Some(category)
    }

    fn sources(category_id: &CategoryId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("category", category_id.as_uuid())])
    }
}

/// Categories of a store that are answered at once, at most.
pub const CATEGORIES_MAX: i64 = 2_000;

/// All categories of a store, by name. They are public.
///
/// # Errors
/// The database failed.
pub async fn categories(
    reader: &ScopedReader,
    store_id: StoreId,
) -> Result<Vec<Category>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select_public::<Category>());
    query
        .push(" WHERE store_id = ")
        .push_bind(store_id.as_uuid());
    query.push(" ORDER BY name, category_id LIMIT ");
    query.push_bind(CATEGORIES_MAX);
    rows::all(query, reader, &Scope::Public).await
}

/// One category. It is public.
///
/// # Errors
/// The database failed.
pub async fn category(
    reader: &ScopedReader,
    category_id: CategoryId,
) -> Result<Option<Category>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select_public::<Category>());
    query
        .push(" WHERE category_id = ")
        .push_bind(category_id.as_uuid());
    rows::optional(query, reader, &Scope::Public).await
}
