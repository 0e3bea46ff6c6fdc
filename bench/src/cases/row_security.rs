//! What the wall between tenants costs the queries of lists, without all else that a list takes: the same queries by the same functions, once as
//! the owner of the tables, whom no policy binds, and once as who answers requests, in turns.

use super::rebuild::fill;
use crate::report::{Case, Goal, median};
use crate::servers::{Database, Server};
use soko_domain::{AccountId, StoreId, TenantId, VendorId};
use soko_event_log::ScopedReader;
use soko_projections::read_models::orders::{OrderFilter, orders, orders_of_account};
use soko_projections::read_models::products::{Audience, ProductFilter, ProductSort, products};
use soko_projections::{Keyset, RebuildOptions, Within, all};
use sqlx::postgres::PgPoolOptions;
use std::error::Error;
use std::time::{Duration, Instant};
use uuid::Uuid;

const EVENTS: u64 = 40_000;
const PRODUCTS: i64 = 10_000;
const PAGE: i64 = 20;
/// Each in turns of so many, so that what else the machine does meets both alike.
const TURN: usize = 50;
const TURNS: usize = 60;

/// Whose lists are asked for.
struct Lists {
    tenant: TenantId,
    store: StoreId,
    vendor: VendorId,
    account: AccountId,
}

#[derive(Debug, Clone, Copy)]
enum List {
    Catalog,
    CatalogOfVendor,
    OrdersOfStore,
    OrdersOfTenant,
    OrdersOfCustomer,
}

const LISTS: [(List, &str); 5] = [
    (List::Catalog, "the catalog"),
    (List::CatalogOfVendor, "a vendor's products"),
    (List::OrdersOfStore, "a store's orders"),
    (List::OrdersOfTenant, "a business's orders"),
    (List::OrdersOfCustomer, "a customer's orders"),
];

pub(crate) async fn lists(server: &Server, runs: usize) -> Result<Vec<Case>, Box<dyn Error>> {
    let database = server.database().await?;
    let shelf = fill(&database, EVENTS).await?;
    for model in all() {
        model
            .rebuild(&database.pool, &RebuildOptions::default())
            .await?;
    }
    let lists = Lists {
        tenant: shelf.tenant_id,
        store: shelf.store_id,
        vendor: shelf.vendor_id,
        account: shelf.account_id,
    };
    lists.put_products_on_sale(&database).await?;
    let open = ScopedReader::without_wall(one_connection(&database, None));
    let walled = ScopedReader::new(one_connection(&database, Some("soko_reader")));
    let mut cases = Vec::new();
    for (list, name) in LISTS {
        let (mut figures, mut notes) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let (without, with) = lists.in_turns(list, &open, &walled).await?;
            figures.push(with / without);
            notes.push(format!("{without:.0} and {with:.0} µs"));
        }
        cases.push(Case {
            name: format!("row security: the query of {name} alone, with it to without"),
            unit: "",
            figures,
            goal: Goal::None,
            latency: None,
            notes,
        });
    }
    Ok(cases)
}

/// As the owner, or in a role.
fn one_connection(database: &Database, role: Option<&str>) -> sqlx::PgPool {
    let options = match role {
        Some(role) => database.options.clone().options([("role", role)]),
        None => database.options.clone(),
    };
    PgPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

impl Lists {
    /// Medians of a query, in microseconds, without and with the wall.
    async fn in_turns(
        &self,
        list: List,
        open: &ScopedReader,
        walled: &ScopedReader,
    ) -> Result<(f64, f64), Box<dyn Error>> {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for turn in 0..TURNS {
            for (reader, times) in [(open, &mut without), (walled, &mut with)] {
                for _ in 0..TURN {
                    let started = Instant::now();
                    self.ask(list, reader).await?;
                    // The first turns choose their plans.
                    if turn > 1 {
                        times.push(micros(started.elapsed()));
                    }
                }
            }
        }
        Ok((median(&without), median(&with)))
    }

    async fn ask(&self, list: List, reader: &ScopedReader) -> Result<(), Box<dyn Error>> {
        let found = match list {
            List::Catalog => self.products(reader, Audience::Public).await?,
            List::CatalogOfVendor => {
                let within = Within::Vendor(self.tenant, self.vendor);
                self.products(reader, Audience::Team(within)).await?
            }
            List::OrdersOfStore => {
                let within = Within::Store(self.tenant, self.store);
                let page = orders(reader, within, &OrderFilter::default(), first()).await?;
                page.items.len()
            }
            List::OrdersOfTenant => {
                let within = Within::Tenant(self.tenant);
                let page = orders(reader, within, &OrderFilter::default(), first()).await?;
                page.items.len()
            }
            List::OrdersOfCustomer => {
                let filter = OrderFilter::default();
                let page = orders_of_account(reader, self.account, &filter, first()).await?;
                page.items.len()
            }
        };
        if i64::try_from(found)? == PAGE {
            Ok(())
        } else {
            Err(format!("{found} on a page of {list:?}").into())
        }
    }

    async fn products(
        &self,
        reader: &ScopedReader,
        audience: Audience,
    ) -> Result<usize, sqlx::Error> {
        let filter = ProductFilter {
            store_id: Some(self.store),
            ..ProductFilter::default()
        };
        let page = products(reader, audience, &filter, ProductSort::Newest, first()).await?;
        Ok(page.items.len())
    }

    async fn put_products_on_sale(&self, database: &Database) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = (0..PRODUCTS).map(|_| Uuid::now_v7()).collect();
        sqlx::query(
            "INSERT INTO read_models.products (product_id, tenant_id, store_id, vendor_id, slug, \
                 status, name, name_key, keywords, currency, price_min, price_max, category_ids, \
                 version, created_at, updated_at, card, listing) \
             SELECT id, $2, $3, $4, id::text, 'published', 'Mug', 'mug', '', 'KES', 500, 500, '{}', \
                    1, now(), now(), json_build_object('name', 'Mug', 'about', repeat('x', 300)), '{}' \
             FROM unnest($1) AS id",
        )
        .bind(&ids)
        .bind(self.tenant.as_uuid())
        .bind(self.store.as_uuid())
        .bind(self.vendor.as_uuid())
        .execute(&database.pool)
        .await?;
        sqlx::query(
            "INSERT INTO read_models.stock_levels (variant_id, tenant_id, store_id, vendor_id, \
                 product_id, sku, on_hand, reserved, low_stock_threshold, is_low, locations) \
             SELECT gen_random_uuid(), $2, $3, $4, id, id::text, 10, 0, 0, false, '[]' \
             FROM unnest($1) AS id",
        )
        .bind(&ids)
        .bind(self.tenant.as_uuid())
        .bind(self.store.as_uuid())
        .bind(self.vendor.as_uuid())
        .execute(&database.pool)
        .await?;
        sqlx::raw_sql("VACUUM ANALYZE")
            .execute(&database.pool)
            .await?;
        Ok(())
    }
}

fn first<K>() -> Keyset<K> {
    Keyset::first(PAGE)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
