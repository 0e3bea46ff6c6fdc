//! Stores: their terms, locations and people.

use std::collections::BTreeSet;

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_commands::handlers::{OpenStore, OpenStoreError, open_store};
use soko_domain::payment::PaymentProvider;
use soko_domain::store::{Shop, Store, StoreCommand, StoreError, Terms};
use soko_domain::{
    CountryCode, Currency, LocationId, Slug, StoreId, Tax, TaxRate, TenantId, Text, WebOrigin,
};
use soko_event_log::{ClaimKind, Claims};
use soko_projections::read_models::{
    self,
    stores::{StoreFilter, Stores},
};
use uuid::Uuid;

use crate::app::App;
use crate::caller::{Caller, Place};
use crate::command::{Command, NoBody};
use crate::found::{Found, Page};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, query};
use crate::recorded::{New, Recorded};
use crate::schema::{answer, body, words};

body! {
    pub(crate) struct NewStore {
        pub tenant_id: TenantId,
        /// The name of the store in addresses; nobody else's.
        pub slug: Slug,
        pub name: Text<120>,
        pub currency: Currency,
        pub country: CountryCode,
        /// An IANA name, such as `Africa/Nairobi`.
        pub time_zone: Text<64>,
        pub prices_include_tax: bool,
        /// In basis points: 1600 is 16 %.
        pub tax_rate_bps: TaxRate,
        pub payment_methods: BTreeSet<PaymentProvider>,
        /// What the store keeps of its vendors' sales, in basis points.
        pub commission_bps: TaxRate,
        /// From where its web shops may call: at most 10, such as `https://shop.example`.
        pub web_origins: Option<BTreeSet<WebOrigin>>,
    }

    pub(crate) struct ChangeStore {
        pub name: Option<Text<120>>,
        pub time_zone: Option<Text<64>>,
        pub prices_include_tax: Option<bool>,
        pub tax_rate_bps: Option<TaxRate>,
        pub payment_methods: Option<BTreeSet<PaymentProvider>>,
        pub commission_bps: Option<TaxRate>,
        /// All of them, in place of those that there were.
        pub web_origins: Option<BTreeSet<WebOrigin>>,
    }
}

answer! {
    pub(crate) struct StoreOpened {
        pub store_id: StoreId,
        /// Where stock lies that names no other place.
        pub main_location_id: LocationId,
    }

    pub(crate) struct StoreDetails {
        pub store_id: StoreId,
        pub tenant_id: TenantId,
        pub slug: Slug,
        pub name: Text<120>,
        pub status: StoreStatus,
        pub currency: Currency,
        pub country: CountryCode,
        pub time_zone: Text<64>,
        pub prices_include_tax: bool,
        pub tax_rate_bps: TaxRate,
        pub payment_methods: BTreeSet<PaymentProvider>,
        pub commission_bps: TaxRate,
        pub main_location_id: LocationId,
    }

    pub(crate) struct StoreWebOrigins {
        pub web_origins: BTreeSet<WebOrigin>,
    }

    pub(crate) struct StoreInList {
        pub store_id: StoreId,
        pub tenant_id: TenantId,
        pub slug: String,
        pub name: String,
        pub currency: Currency,
        pub country: String,
        pub opened_at: DateTime<Utc>,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoreStatus {
    Open,
    Closed,
}

words! { StoreStatus = "StoreStatus" ["open", "closed"] }

pub(crate) async fn open(
    app: Data<App>,
    caller: Caller,
    command: Command<NewStore>,
) -> Result<New<StoreOpened>> {
    let NewStore { tenant_id, .. } = command.body;
    let context = caller
        .permit(Place::tenant(tenant_id))
        .await?
        .context(&command);
    app.check_time_zone(&command.body.time_zone).await?;
    let store_id = StoreId::from_uuid(Uuid::now_v7());
    let mut body = command.body;
    let web_origins = body.web_origins.take().unwrap_or_default();
    let terms = terms(body, LocationId::from_uuid(Uuid::now_v7()));
    let request = OpenStore {
        store_id,
        terms: Box::new(terms),
        web_origins,
    };
    let opened = open_store(app.engine(), request, &context).await;
    let recorded: New<_> = app
        .recorded_of::<Store, _, _, _>(store_id, opened, &context)
        .await?;
    app.learn_web_origins(store_id).await;
    let opened = |(store_id, main_location_id)| StoreOpened {
        store_id,
        main_location_id,
    };
    Ok(recorded
        .map(opened)
        .at(|opened| format!("/stores/{}", opened.store_id)))
}

fn terms(store: NewStore, main_location: LocationId) -> Terms {
    Terms {
        tenant_id: store.tenant_id,
        slug: store.slug,
        name: store.name,
        currency: store.currency,
        country: store.country,
        time_zone: store.time_zone,
        tax: Tax {
            prices_include_tax: store.prices_include_tax,
            rate: store.tax_rate_bps,
        },
        payment_methods: store.payment_methods,
        commission_bps: store.commission_bps,
        main_location,
    }
}

query! {
    pub(crate) struct ListStores {
        /// Only those of this business.
        tenant: Option<TenantId>,
        limit: Limit,
        cursor: Option<Cursor>,
    }
}

/// Those that are open.
pub(crate) async fn list(
    app: Data<App>,
    query: Query<ListStores>,
    fresh: MinPosition,
) -> Result<Page<StoreInList>> {
    fresh.reached_by::<Stores>(app.freshness()).await?;
    let list = format!("stores {:?}", query.tenant);
    let filter = StoreFilter {
        tenant_id: query.tenant,
        only_open: true,
    };
    let page = query.limit.keyset(query.cursor.as_ref(), &list)?;
    let (stores, next) = read_models::stores::stores(app.reader(), filter, page).await?;
    let items = stores.into_iter().map(|store| StoreInList {
        store_id: store.store_id,
        tenant_id: store.tenant_id,
        slug: store.slug,
        name: store.name,
        currency: store.currency,
        country: store.country,
        opened_at: store.opened_at,
    });
    Ok(Page::of(items, next, &list))
}

/// By its id or its slug.
pub(crate) async fn get(app: Data<App>, store: Path<String>) -> Result<Found<StoreDetails>> {
    let store_id = app.store_called(&store).await?;
    let store = app.engine().read::<Store>(store_id).await?;
    let status = if store.state.is_closed() {
        StoreStatus::Closed
    } else {
        StoreStatus::Open
    };
    let details = details(store_id, status, store.state.shop()?);
    Ok(Found::new(details).with_version(store.version))
}

fn details(store_id: StoreId, status: StoreStatus, shop: &Shop) -> StoreDetails {
    let terms = shop.terms();
    StoreDetails {
        store_id,
        tenant_id: terms.tenant_id,
        slug: terms.slug.clone(),
        name: terms.name.clone(),
        status,
        currency: terms.currency,
        country: terms.country,
        time_zone: terms.time_zone.clone(),
        prices_include_tax: terms.tax.prices_include_tax,
        tax_rate_bps: terms.tax.rate,
        payment_methods: terms.payment_methods.clone(),
        commission_bps: terms.commission_bps,
        main_location_id: terms.main_location,
    }
}

/// From where its web shops may call: not for everybody, for some may not be open yet.
pub(crate) async fn web_origins(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
) -> Result<Found<StoreWebOrigins>> {
    caller.permit(Place::store(*store_id)).await?;
    let store = app.engine().read::<Store>(*store_id).await?;
    let web_origins = store.state.shop()?.web_origins().clone();
    Ok(Found::new(StoreWebOrigins { web_origins }).with_version(store.version))
}

pub(crate) async fn change(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    command: Command<ChangeStore>,
) -> Result<Recorded<()>> {
    let permit = caller.permit(Place::store(*store_id)).await?;
    let change = &command.body;
    let mut commands = vec![];
    if let Some(name) = change.name.clone() {
        commands.push(StoreCommand::Rename { name });
    }
    if let Some(time_zone) = change.time_zone.clone() {
        app.check_time_zone(&time_zone).await?;
        commands.push(StoreCommand::ChangeTimeZone { time_zone });
    }
    if change.prices_include_tax.is_some() || change.tax_rate_bps.is_some() {
        let store = app.engine().read::<Store>(*store_id).await?;
        let Tax {
            prices_include_tax,
            rate,
        } = store.state.shop()?.tax();
        commands.push(StoreCommand::ChangeTax {
            tax: Tax {
                prices_include_tax: change.prices_include_tax.unwrap_or(prices_include_tax),
                rate: change.tax_rate_bps.unwrap_or(rate),
            },
        });
    }
    if let Some(payment_methods) = change.payment_methods.clone() {
        commands.push(StoreCommand::ChangePaymentMethods { payment_methods });
    }
    if let Some(commission_bps) = change.commission_bps {
        commands.push(StoreCommand::ChangeCommission { commission_bps });
    }
    if let Some(web_origins) = change.web_origins.clone() {
        commands.push(StoreCommand::ChangeWebOrigins { web_origins });
    }
    let context = permit.context(&command);
    let changed = app
        .execute_all::<Store>(*store_id, commands, &context)
        .await;
    if change.web_origins.is_some() {
        app.learn_web_origins(*store_id).await;
    }
    app.recorded_of::<Store, _, _, _>(*store_id, changed, &context)
        .await
}

pub(crate) async fn close(
    app: Data<App>,
    caller: Caller,
    store_id: Path<StoreId>,
    command: Command<NoBody>,
) -> Result<Recorded<()>> {
    let closed = execute(&app, &caller, *store_id, &command, StoreCommand::Close).await?;
    app.learn_web_origins(*store_id).await;
    Ok(closed)
}

pub(super) async fn execute<T>(
    app: &App,
    caller: &Caller,
    store_id: StoreId,
    command: &Command<T>,
    store_command: StoreCommand,
) -> Result<Recorded<()>> {
    let context = caller
        .permit(Place::store(store_id))
        .await?
        .context(command);
    let done = app
        .engine()
        .execute::<Store>(store_id, store_command, &context)
        .await;
    app.standings().forget();
    app.recorded_of::<Store, _, _, _>(store_id, done, &context)
        .await
}

impl App {
    /// # Errors
    /// `validation` for a time zone that reports could not be made in.
    async fn check_time_zone(&self, name: &Text<64>) -> Result<()> {
        let known: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM pg_timezone_names WHERE name = $1")
                .bind(name.as_str())
                .fetch_optional(self.pool())
                .await?;
        let unknown = "must be an IANA time zone, such as Africa/Nairobi";
        known
            .map(drop)
            .ok_or_else(|| Problem::invalid_at("/time_zone", unknown))
    }

    /// The store with this id, or with this slug.
    async fn store_called(&self, name: &str) -> Result<StoreId> {
        if let Ok(store_id) = name.parse() {
            return Ok(store_id);
        }
        let nothing = || Problem::new(Code::NotFound);
        let slug: Slug = name.parse().map_err(|_| nothing())?;
        let claims = Claims::new(self.pool().clone());
        let claim = claims.find(ClaimKind::StoreSlug, slug.as_str()).await?;
        let owner = claim
            .and_then(|claim| claim.owner)
            .and_then(|owner| owner.parse().ok());
        owner.ok_or_else(nothing)
    }
}

impl From<OpenStoreError> for Problem {
    fn from(error: OpenStoreError) -> Self {
        match error {
            OpenStoreError::Tenant(tenant) => tenant.into(),
            OpenStoreError::Store(store) => store.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Team(team) => return team.into(),
            StoreError::NotOpened
            | StoreError::UnknownLocation { .. }
            | StoreError::NoSuchAccount => Code::NotFound,
            StoreError::AlreadyOpened | StoreError::LocationExists { .. } => Code::AlreadyExists,
            StoreError::Closed | StoreError::TooManyLocations { .. } => Code::StateConflict,
            StoreError::NoPaymentMethod => {
                return Self::invalid_at("/payment_methods", error);
            }
            StoreError::Commission(commission) => return commission.into(),
            StoreError::PayoutRules(rules) => return rules.into(),
            StoreError::TooManyWebOrigins { .. } => {
                return Self::invalid_at("/web_origins", error);
            }
        };
        Self::new(code).with_detail(error)
    }
}
