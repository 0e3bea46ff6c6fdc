//! Lists of products: filtered, searched, sorted, a page at a time.

use crate::query::{Keyset, Within, rows};
use crate::row::RenderedJson;
use serde::{Deserialize, Serialize};
use soko_domain::{CategoryId, ProductId, StoreId, VendorId};
use soko_event_log::{Scope, ScopedReader};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};

/// Who looks at the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody: what is on sale.
    Public,
    /// Who works on it: drafts and what is archived too.
    Team(Within),
}

impl Audience {
    /// What the database lets a query see.
    pub(super) fn scope(self) -> Scope {
        match self {
            Self::Public => Scope::Public,
            Self::Team(within) => within.scope(),
        }
    }

    /// Where the products, their categories and their stock are found.
    pub(super) const fn sources(self) -> Sources {
        match self {
            Self::Public => Sources {
                products: "catalog.products",
                categories: "catalog.categories",
                stock: "catalog.stock_levels",
                available: "s.available",
            },
            Self::Team(_) => Sources {
                products: "read_models.products",
                categories: "read_models.categories",
                stock: "read_models.stock_levels",
                available: "(s.on_hand - s.reserved)",
            },
        }
    }
}

/// Everybody sees the views of what is public, a team the tables themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources {
    pub(super) products: &'static str,
    pub(super) categories: &'static str,
    /// To be called `s`.
    pub(super) stock: &'static str,
    /// How much there is, of a row of `stock`.
    pub(super) available: &'static str,
}

/// Which products.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductFilter {
    pub store_id: Option<StoreId>,
    pub vendor_id: Option<VendorId>,
    /// In this category, or in one below it.
    pub category_id: Option<CategoryId>,
    /// Words as people type them.
    pub text: Option<String>,
    /// Minor units; a product counts by its cheapest variant.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    pub only_in_stock: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductSort {
    #[default]
    Newest,
    PriceAsc,
    PriceDesc,
    Name,
    /// How well the text fits; the newest first where no text was given.
    Relevance,
}

/// A place in the order of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductPlace {
    /// The price or the score.
    number: i64,
    /// The name.
    text: String,
    product_id: ProductId,
}

/// A product in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProduct {
    pub product_id: ProductId,
    pub version: i64,
    /// A JSON object, rendered when the product changed.
    pub card: RenderedJson,
    /// What can be bought of it now, over all variants.
    pub available: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPage {
    pub items: Vec<ListedProduct>,
    pub next: Option<ProductPlace>,
}

/// How many products there would be for other choices: each count leaves out the filter that it
/// is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    pub categories: Vec<(CategoryId, i64)>,
    pub vendors: Vec<(VendorId, i64)>,
    /// The lowest and the highest price; none if there is no product.
    pub prices: Option<(i64, i64)>,
}

/// Values of a facet, the most frequent ones.
const FACET_VALUES_MAX: i64 = 50;

/// A page of products.
///
/// # Errors
/// The database failed.
pub async fn products(
    reader: &ScopedReader,
    audience: Audience,
    filter: &ProductFilter,
    sort: ProductSort,
    page: Keyset<ProductPlace>,
) -> Result<ProductPage, sqlx::Error> {
    let sort = match sort {
        ProductSort::Relevance if filter.text.is_none() => ProductSort::Newest,
        sort => sort,
    };
    let Sources {
        stock, available, ..
    } = audience.sources();
    // Stock is looked up for the page alone, not for all that was looked through.
    let mut query = QueryBuilder::<Postgres>::new(format!(
        "SELECT product_id, version, card, number, text, \
                (SELECT coalesce(sum({available}), 0)::bigint \
                 FROM {stock} AS s WHERE s.product_id = found.product_id) \
         FROM (SELECT product_id, version, card, ",
    ));
    let (number, text) = match sort {
        ProductSort::Newest => ("0::bigint", "''"),
        ProductSort::PriceAsc | ProductSort::PriceDesc => ("price_min", "''"),
        ProductSort::Name => ("0::bigint", "name_key"),
        ProductSort::Relevance => ("score", "''"),
    };
    query.push(format_args!("{number} AS number, {text} AS text FROM "));
    push_source(&mut query, audience, filter, sort);
    query.push(" WHERE true");
    push_filter(&mut query, audience, filter);
    if let Some(place) = &page.after {
        push_after(&mut query, sort, place);
    }
    query.push(match sort {
        ProductSort::Newest => " ORDER BY product_id DESC",
        ProductSort::PriceAsc => " ORDER BY price_min, product_id",
        ProductSort::PriceDesc => " ORDER BY price_min DESC, product_id DESC",
        ProductSort::Name => " ORDER BY name_key, product_id",
        ProductSort::Relevance => " ORDER BY score DESC, product_id DESC",
    });
    // Written out: only with a limit that it knows does Postgres keep one plan for all pages.
    query.push(format_args!(" LIMIT {}) AS found", page.limit + 1));

    let found = reader.all(&audience.scope(), query).await?;
    let mut items = found.iter().map(listed).collect::<Result<Vec<_>, _>>()?;
    let next = Keyset::cut(page.limit, &mut items, |(_, place)| place.clone());
    Ok(ProductPage {
        items: items.into_iter().map(|(product, _)| product).collect(),
        next,
    })
}

/// What else could be chosen.
///
/// # Errors
/// The database failed.
pub async fn facets(
    reader: &ScopedReader,
    audience: Audience,
    filter: &ProductFilter,
) -> Result<Facets, sqlx::Error> {
    let of_any_category = ProductFilter {
        category_id: None,
        ..filter.clone()
    };
    let of_any_vendor = ProductFilter {
        vendor_id: None,
        ..filter.clone()
    };
    let of_any_price = ProductFilter {
        min_price: None,
        max_price: None,
        ..filter.clone()
    };
    let Sources {
        products,
        categories,
        ..
    } = audience.sources();
    let scope = audience.scope();
    let counts = async |select: String, filter: &ProductFilter| {
        let mut query = QueryBuilder::<Postgres>::new(select);
        query.push(" WHERE true");
        push_filter(&mut query, audience, filter);
        query.push(" GROUP BY value ORDER BY count(DISTINCT product_id) DESC, value LIMIT ");
        query.push_bind(FACET_VALUES_MAX);
        let found = reader.all(&scope, query).await?;
        let count = |row: &PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
        let counts: Result<Vec<(uuid::Uuid, i64)>, sqlx::Error> = found.iter().map(count).collect();
        counts
    };
    let by_category = counts(count_by_category(products, categories), &of_any_category).await?;
    let by_vendor = counts(count_by_vendor(products), &of_any_vendor).await?;
    let mut prices = QueryBuilder::<Postgres>::new(format!(
        "SELECT min(price_min), max(price_min) FROM {products} WHERE true"
    ));
    push_filter(&mut prices, audience, &of_any_price);
    let found = reader.optional(&scope, prices).await?;
    let found = found.ok_or(sqlx::Error::RowNotFound)?;
    let lowest: Option<i64> = found.try_get(0)?;
    let highest: Option<i64> = found.try_get(1)?;
    Ok(Facets {
        categories: by_category
            .into_iter()
            .map(|(id, count)| (id.into(), count))
            .collect(),
        vendors: by_vendor
            .into_iter()
            .map(|(id, count)| (id.into(), count))
            .collect(),
        prices: lowest.zip(highest),
    })
}

/// A product is in its categories and in all above them.
fn count_by_category(products: &str, categories: &str) -> String {
    format!(
        "WITH RECURSIVE up (leaf, id) AS (
             SELECT category_id, category_id FROM {categories}
             UNION
             SELECT up.leaf, c.parent_id FROM up
             JOIN {categories} AS c ON c.category_id = up.id
             WHERE c.parent_id IS NOT NULL
         )
         SELECT up.id AS value, count(DISTINCT product_id)
         FROM {products} CROSS JOIN unnest(category_ids) AS own (id)
         JOIN up ON up.leaf = own.id"
    )
}

fn count_by_vendor(products: &str) -> String {
    format!("SELECT vendor_id AS value, count(DISTINCT product_id) FROM {products}")
}

/// The table; sorted by relevance, with the score of each product.
fn push_source(
    query: &mut QueryBuilder<'_, Postgres>,
    audience: Audience,
    filter: &ProductFilter,
    sort: ProductSort,
) {
    let products = audience.sources().products;
    let (ProductSort::Relevance, Some(text)) = (sort, &filter.text) else {
        query.push(products);
        return;
    };
    query.push("(SELECT *, (1000000 * (ts_rank(search, ");
    push_words(query, text);
    query
        .push(") + word_similarity(")
        .push_bind(text.to_lowercase());
    query.push(", name_key)))::bigint AS score FROM ");
    query.push(products).push(") AS products");
}

fn push_filter(query: &mut QueryBuilder<'_, Postgres>, audience: Audience, filter: &ProductFilter) {
    match audience {
        Audience::Public => {
            query.push(" AND status = 'published'");
        }
        Audience::Team(within) => within.and(query),
    }
    if let Some(store_id) = filter.store_id {
        query.push(" AND store_id = ").push_bind(store_id.as_uuid());
    }
    if let Some(vendor_id) = filter.vendor_id {
        query
            .push(" AND vendor_id = ")
            .push_bind(vendor_id.as_uuid());
    }
    if let Some(category_id) = filter.category_id {
        query.push(" AND category_ids && ARRAY(WITH RECURSIVE below (id) AS (SELECT ");
        query.push_bind(category_id.as_uuid());
        query.push(" UNION SELECT c.category_id FROM ");
        query
            .push(audience.sources().categories)
            .push(" AS c JOIN below ON c.parent_id = below.id) SELECT id FROM below)");
    }
    if let Some(text) = &filter.text {
        query.push(" AND (search @@ ");
        push_words(query, text);
        // What was meant, if it was not quite what was typed.
        query.push(" OR ").push_bind(text.to_lowercase());
        query.push(" <% name_key)");
    }
    if let Some(min_price) = filter.min_price {
        query.push(" AND price_min >= ").push_bind(min_price);
    }
    if let Some(max_price) = filter.max_price {
        query.push(" AND price_min <= ").push_bind(max_price);
    }
    if filter.only_in_stock {
        let Sources {
            stock, available, ..
        } = audience.sources();
        query.push(format_args!(
            " AND EXISTS (SELECT FROM {stock} AS s \
              WHERE s.product_id = products.product_id AND {available} > 0)"
        ));
    }
}

/// Words of the language, and words that stand for themselves, such as SKUs. Whatever people type
/// is a query.
fn push_words(query: &mut QueryBuilder<'_, Postgres>, text: &str) {
    query.push("(websearch_to_tsquery('english', ");
    query.push_bind(text.to_owned());
    query.push(") || websearch_to_tsquery('simple', ");
    query.push_bind(text.to_owned()).push("))");
}

fn push_after(query: &mut QueryBuilder<'_, Postgres>, sort: ProductSort, place: &ProductPlace) {
    match sort {
        ProductSort::Newest => query.push(" AND product_id < "),
        ProductSort::PriceAsc => query
            .push(" AND (price_min, product_id) > (")
            .push_bind(place.number),
        ProductSort::PriceDesc => query
            .push(" AND (price_min, product_id) < (")
            .push_bind(place.number),
        ProductSort::Name => query
            .push(" AND (name_key, product_id) > (")
            .push_bind(place.text.clone()),
        ProductSort::Relevance => query
            .push(" AND (score, product_id) < (")
            .push_bind(place.number),
    };
    if sort != ProductSort::Newest {
        query.push(", ");
    }
    query.push_bind(place.product_id.as_uuid());
    if sort != ProductSort::Newest {
        query.push(")");
    }
}

fn listed(row: &PgRow) -> Result<(ListedProduct, ProductPlace), sqlx::Error> {
    let product_id: ProductId = rows::column(row, 0)?;
    let product = ListedProduct {
        product_id,
        version: row.try_get(1)?,
        card: rows::column(row, 2)?,
        available: row.try_get(5)?,
    };
    let place = ProductPlace {
        number: row.try_get(3)?,
        text: row.try_get(4)?,
        product_id,
    };
    Ok((product, place))
}
