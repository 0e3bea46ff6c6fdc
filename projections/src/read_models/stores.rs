//! The stores, and what they trade by.

mod web_shops;

pub use self::web_shops::{WebShops, web_shops_since};
use crate::ReadModel;
use crate::query::{Keyset, rows};
use crate::row::Json;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use soko_domain::payment::PaymentProvider;
use soko_domain::store::StoreEvent;
use soko_domain::{AnyEvent, Currency, LocationId, StoreId, TaxRate, TenantId, WebOrigin};
use soko_event_log::{RecordedEvent, Scope, ScopedReader};
use sqlx::QueryBuilder;
use std::collections::BTreeSet;
use uuid::Uuid;

crate::row! {
    /// A store. Who belongs to it is in [`members`](super::members).
    pub struct Store in "stores" {
        key { store_id: StoreId }
        tenant_id: TenantId,
        slug: String,
        name: String,
        currency: Currency,
        country: String,
        /// An IANA name.
        time_zone: String,
        prices_include_tax: bool,
        tax_rate_bps: i32,
        payment_methods: Json<BTreeSet<PaymentProvider>>,
        /// What the store keeps of a vendor's sales.
        commission_bps: i32,
        /// Where stock lies that names no other place.
        main_location: LocationId,
        /// The main one first.
        locations: Json<Vec<Location>>,
        /// Where the pages of its web shops come from; not for everybody.
        web_origins: Json<BTreeSet<WebOrigin>>,
        /// The event that last changed from where its web shops may call us; null while none may.
        web_origins_position: Option<i64>,
        is_open: bool,
        version: i64,
        opened_at: DateTime<Utc>,
    }
}

/// A place where stock lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub location_id: LocationId,
    /// None for the main location, until it is given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The read model.
#[derive(Debug)]
pub struct Stores;

impl ReadModel for Stores {
    const VERSION: i32 = 1;
    const STREAMS: &'static [&'static str] = &["store"];

    type Key = StoreId;
    type Row = Store;

    fn keys(recorded: &RecordedEvent) -> Vec<StoreId> {
        match &recorded.event {
            AnyEvent::Store(store_id, _) => vec![*store_id],
            _ => vec![],
        }
    }

    fn fold(row: Option<Store>, store_id: &StoreId, recorded: &RecordedEvent) -> Option<Store> {
        let AnyEvent::Store(_, event) = &recorded.event else {
            return row;
        };
        let mut store = match (row, event) {
            (None, StoreEvent::Opened(terms)) => Store {
                store_id: *store_id,
                tenant_id: recorded.tenant_id,
                slug: terms.slug.to_string(),
                name: terms.name.to_string(),
                currency: terms.currency,
                country: terms.country.to_string(),
                time_zone: terms.time_zone.to_string(),
                prices_include_tax: terms.tax.prices_include_tax,
                tax_rate_bps: bps(terms.tax.rate),
                payment_methods: Json(terms.payment_methods.clone()),
                commission_bps: bps(terms.commission_bps),
                main_location: terms.main_location,
                locations: Json(vec![Location {
                    location_id: terms.main_location,
                    name: None,
                }]),
                web_origins: Json(BTreeSet::new()),
                web_origins_position: None,
                is_open: true,
                version: 0,
                opened_at: recorded.recorded_at,
            },
            (row, _) => row?,
        };
        store.apply(event);
        store.note_web_origins(event, recorded);
        store.version = super::version(recorded);
        Some(store)
    }

    fn sources(store_id: &StoreId) -> Option<Vec<(&'static str, Uuid)>> {
        Some(vec![("store", store_id.as_uuid())])
    }
}

impl Store {
    fn apply(&mut self, event: &StoreEvent) {
        match event {
            StoreEvent::Opened(_)
            | StoreEvent::PayoutRulesChanged(_)
            | StoreEvent::PaymentAccountSet { .. }
            | StoreEvent::PaymentAccountRemoved { .. }
            | StoreEvent::MemberAdded { .. }
            | StoreEvent::MemberRoleChanged { .. }
            | StoreEvent::MemberRemoved { .. } => (),
            StoreEvent::Renamed { name } => self.name = name.to_string(),
            StoreEvent::TimeZoneChanged { time_zone } => self.time_zone = time_zone.to_string(),
            StoreEvent::TaxChanged { tax } => {
                self.prices_include_tax = tax.prices_include_tax;
                self.tax_rate_bps = bps(tax.rate);
            }
            StoreEvent::PaymentMethodsChanged { payment_methods } => {
                self.payment_methods = Json(payment_methods.clone());
            }
            StoreEvent::CommissionChanged { commission_bps } => {
                self.commission_bps = bps(*commission_bps);
            }
            StoreEvent::CommissionRulesChanged(rules) => {
                self.commission_bps = bps(rules.standard.bps);
            }
            StoreEvent::WebOriginsChanged { web_origins } => {
                self.web_origins = Json(web_origins.clone());
            }
            StoreEvent::LocationAdded { location_id, name }
            | StoreEvent::LocationRenamed { location_id, name } => {
                self.name_location(*location_id, name.to_string());
            }
            StoreEvent::Closed {} => self.is_open = false,
        }
    }

    /// A closed store keeps its origins, and they count for nothing.
    fn note_web_origins(&mut self, event: &StoreEvent, recorded: &RecordedEvent) {
        let is_given = matches!(event, StoreEvent::WebOriginsChanged { .. });
        let is_closed = matches!(event, StoreEvent::Closed {});
        if is_given || (is_closed && !self.web_origins.0.is_empty()) {
            self.web_origins_position = Some(recorded.position.get());
        }
    }

    fn name_location(&mut self, location_id: LocationId, name: String) {
        let locations = &mut self.locations.0;
        let known = locations
            .iter_mut()
            .find(|location| location.location_id == location_id);
        match known {
            Some(location) => location.name = Some(name),
            None => locations.push(Location {
                location_id,
                name: Some(name),
            }),
        }
    }
}

fn bps(rate: TaxRate) -> i32 {
    i32::from(rate.bps())
}

/// One store. Stores are public; what of it is shown to whom is for the caller to choose.
///
/// # Errors
/// The database failed.
pub async fn store(reader: &ScopedReader, store_id: StoreId) -> Result<Option<Store>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select_public::<Store>());
    query
        .push(" WHERE store_id = ")
        .push_bind(store_id.as_uuid());
    rows::optional(query, reader, &Scope::Public).await
}

/// The store that has this slug. Stores are public.
///
/// # Errors
/// The database failed.
pub async fn store_by_slug(
    reader: &ScopedReader,
    slug: &str,
) -> Result<Option<Store>, sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select_public::<Store>());
    query.push(" WHERE slug = ").push_bind(slug.to_owned());
    rows::optional(query, reader, &Scope::Public).await
}

/// Which stores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreFilter {
    pub tenant_id: Option<TenantId>,
    pub only_open: bool,
}

/// Stores, the latest first, before one of them. Stores are public.
///
/// # Errors
/// The database failed.
pub async fn stores(
    reader: &ScopedReader,
    filter: StoreFilter,
    page: Keyset<StoreId>,
) -> Result<(Vec<Store>, Option<StoreId>), sqlx::Error> {
    let mut query = QueryBuilder::new(rows::select_public::<Store>());
    query.push(" WHERE true");
    if let Some(tenant_id) = filter.tenant_id {
        query
            .push(" AND tenant_id = ")
            .push_bind(tenant_id.as_uuid());
    }
    if filter.only_open {
        query.push(" AND is_open");
    }
    if let Some(before) = page.after {
        query.push(" AND store_id < ").push_bind(before.as_uuid());
    }
    query.push(" ORDER BY store_id DESC LIMIT ");
    query.push(page.limit + 1);
    let mut items: Vec<Store> = rows::all(query, reader, &Scope::Public).await?;
    let next = Keyset::cut(page.limit, &mut items, |last| last.store_id);
    Ok((items, next))
}
