//! Orders as their customers, their vendors and their stores see them.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use soko_domain::order::OrderStatus;
use soko_domain::permission::Role;
use soko_domain::{AccountId, Money, Order, OrderId, StoreId, TenantId, VendorId};
use soko_event_log::{LogReader, Position};
use soko_projections::read_models::order_tracking::{OrderTracking, TrackingItem, timeline};
use soko_projections::read_models::orders::{
    self as found, Audience, FoundOrder, OrderFilter, Orders, VendorOrders,
};
use soko_projections::{AsOfError, Keyset, Owner, ReadModel, Within, as_of};

use crate::app::App;
use crate::caller::{Caller, Permit, Place};
use crate::found::{Found, Page};
use crate::fresh::MinPosition;
use crate::problem::{Code, Problem, Result};
use crate::query::{Cursor, Limit, Path, Query, cursor, query};
use crate::resources::order_details::{
    FulfilmentDetails, LineDetails, OrderDetails, OrderPayment, OrderTotals,
};
use crate::resources::orders::{place_of, token_hash};
use crate::resources::paying::standing;
use crate::schema::answer;

query! {
    pub(crate) struct OfOrders {
        /// A store's orders, for its people. Neither store nor vendor: my own orders.
        pub store: Option<StoreId>,
        /// A vendor's orders, for its people.
        pub vendor: Option<VendorId>,
        /// Only those of this status.
        pub status: Option<OrderStatus>,
        /// The one of this number.
        pub number: Option<String>,
        /// How many on a page.
        pub limit: Limit,
        /// From the page before.
        pub cursor: Option<Cursor>,
    }
}

query! {
    pub(crate) struct OfOrder {
        /// As it was at this moment, told from the log.
        pub as_of: Option<DateTime<Utc>>,
    }
}

answer! {
    pub(crate) struct OrderSummary {
        pub order_id: OrderId,
        pub number: String,
        pub status: OrderStatus,
        pub store_id: StoreId,
        pub total: Money,
        pub placed_at: DateTime<Utc>,
    }

    pub(crate) struct Tracking {
        pub order_id: OrderId,
        pub status: OrderStatus,
        pub items: Vec<TrackingStep>,
    }

    pub(crate) struct TrackingStep {
        pub at: DateTime<Utc>,
        /// Such as `shipped`.
        pub kind: String,
        pub text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vendor_id: Option<VendorId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub carrier: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tracking_number: Option<String>,
    }
}

pub(crate) async fn get(
    app: Data<App>,
    caller: Caller,
    order_id: Path<OrderId>,
    query: Query<OfOrder>,
    min_position: MinPosition,
) -> Result<Found<OrderDetails>> {
    let audience = audience(&app, &caller, *order_id).await?;
    let found = if let Some(moment) = query.as_of {
        seen_as_of(&app, &audience, *order_id, moment).await?
    } else {
        min_position.reached_by::<Orders>(app.freshness()).await?;
        seen(&app, &audience, *order_id).await?
    };
    let version = found.order.version.unsigned_abs();
    let mut details = details(&app, found).await?;
    if query.as_of.is_none() && !details.payment.provider.is_recorded_by_hand() {
        // The order does not hear of what its payment waits for.
        let is_payer = matches!(audience, Audience::Customer(_));
        let payment = standing(&app, details.payment.payment_id, is_payer).await?;
        (details.payment.status, details.payment.next_action) = payment;
    }
    Ok(Found::new(details).with_version(version))
}

pub(crate) async fn list(
    app: Data<App>,
    caller: Caller,
    query: Query<OfOrders>,
    min_position: MinPosition,
) -> Result<Page<OrderSummary>> {
    let OfOrders {
        store,
        vendor,
        status,
        number,
        limit,
        ..
    } = &query.0;
    let scope = match (store, vendor) {
        (_, Some(vendor_id)) => {
            let permit = caller.permit(Place::vendor(*vendor_id)).await?;
            Some(Within::Vendor(permit.tenant_id(), *vendor_id))
        }
        (Some(store_id), None) => {
            let permit = caller.permit(Place::store(*store_id)).await?;
            Some(Within::Store(permit.tenant_id(), *store_id))
        }
        (None, None) => None,
    };
    min_position.reached_by::<Orders>(app.freshness()).await?;
    if vendor.is_some() {
        min_position
            .reached_by::<VendorOrders>(app.freshness())
            .await?;
    }
    let filter = OrderFilter {
        status: *status,
        store_id: *store,
        number: number.clone(),
    };
    let list = format!("orders {scope:?} {filter:?}");
    let after = query
        .cursor
        .as_ref()
        .map(|cursor| cursor.key(&list))
        .transpose()?;
    let page = Keyset {
        after,
        limit: limit.rows(),
    };
    let found = if let Some(within) = scope {
        found::orders(app.reader(), within, &filter, page).await?
    } else {
        let account_id = caller.account()?;
        found::orders_of_account(app.reader(), account_id, &filter, page).await?
    };
    Ok(Page {
        items: found.items.into_iter().map(summary).collect(),
        next_cursor: found.next.map(|position| cursor(&list, &position)),
    })
}

/// All that an account ever ordered, the latest first.
pub(super) async fn orders_of(app: &App, account_id: AccountId) -> Result<Vec<FoundOrder>> {
    const AT_ONCE: i64 = 100;
    let mut orders = Vec::new();
    let mut page = Keyset::first(AT_ONCE);
    loop {
        let filter = OrderFilter::default();
        let part = found::orders_of_account(app.reader(), account_id, &filter, page).await?;
        orders.extend(part.items);
        match part.next {
            Some(next) => page.after = Some(next),
            None => return Ok(orders),
        }
    }
}

pub(crate) async fn tracking(
    app: Data<App>,
    caller: Caller,
    order_id: Path<OrderId>,
    min_position: MinPosition,
) -> Result<Found<Tracking>> {
    let audience = audience(&app, &caller, *order_id).await?;
    min_position.reached_by::<Orders>(app.freshness()).await?;
    min_position
        .reached_by::<OrderTracking>(app.freshness())
        .await?;
    let status = seen(&app, &audience, *order_id).await?.order.status;
    let items = timeline(app.reader(), &audience, *order_id, Position::START).await?;
    let items = items.into_iter().map(step).collect();
    Ok(Found::new(Tracking {
        order_id: *order_id,
        status,
        items,
    }))
}

/// Whether the caller may see the order, and how much of it.
pub(crate) async fn audience(app: &App, caller: &Caller, order_id: OrderId) -> Result<Audience> {
    let nothing = || Problem::new(Code::NotFound);
    let order = app.engine().read::<Order>(order_id).await?;
    let progress = order.state.progress().map_err(|_| nothing())?;
    let permit = caller.permit(place_of(caller, progress)).await?;
    if is_customer(&permit) {
        let owner = match (caller.account_id(), caller.order_token()) {
            (_, Some(token)) if caller.account_id().is_none() => {
                Owner::TokenHash(token_hash(token))
            }
            (Some(account_id), _) => Owner::Account(account_id),
            (None, _) => return Err(nothing()),
        };
        return Ok(Audience::Customer(owner));
    }
    let tenant_id = permit.tenant_id();
    if permit.roles().iter().any(|role| !is_of_vendor(*role)) {
        return Ok(Audience::Within(Within::Store(
            tenant_id,
            progress.placement().store_id,
        )));
    }
    for vendor_id in progress.fulfilments().keys() {
        if is_in_team(app, caller, *vendor_id).await? {
            return Ok(Audience::Within(of_vendor(tenant_id, *vendor_id)));
        }
    }
    Err(nothing())
}

fn of_vendor(tenant_id: TenantId, vendor_id: VendorId) -> Within {
    Within::Vendor(tenant_id, vendor_id)
}

async fn is_in_team(app: &App, caller: &Caller, vendor_id: VendorId) -> Result<bool> {
    let Some(account_id) = caller.account_id() else {
        return Ok(false);
    };
    let vendor = app.engine().read::<soko_domain::Vendor>(vendor_id).await?;
    Ok(vendor.state.role_of(account_id).is_some())
}

fn is_customer(permit: &Permit) -> bool {
    permit
        .roles()
        .iter()
        .any(|role| matches!(role, Role::Customer | Role::Guest))
}

pub(crate) fn is_of_vendor(role: Role) -> bool {
    role.scope() == soko_domain::permission::Scope::Vendor
}

pub(crate) async fn seen(app: &App, audience: &Audience, order_id: OrderId) -> Result<FoundOrder> {
    let found = found::order(app.reader(), audience, order_id).await?;
    // The aggregate is there, so the read model does not know of it yet.
    found.ok_or_else(|| Problem::new(Code::ProjectionBehind))
}

/// As its read model would have shown it then.
async fn seen_as_of(
    app: &App,
    audience: &Audience,
    order_id: OrderId,
    moment: DateTime<Utc>,
) -> Result<FoundOrder> {
    let not_yet = || Problem::new(Code::NotFound).with_detail("it was not yet placed then");
    let reader = LogReader::new(app.pool().clone());
    let mut position = None;
    for (stream_type, stream_id) in Orders::sources(&order_id).unwrap_or_default() {
        let entries = reader.stream(stream_type, stream_id).await?;
        let events = entries.iter().filter_map(|entry| entry.event.as_ref().ok());
        let until_then = events.take_while(|recorded| recorded.recorded_at <= moment);
        position = position.max(until_then.last().map(|recorded| recorded.position));
    }
    let position = position.ok_or_else(not_yet)?;
    let rows = as_of::<Orders>(app.pool(), &[order_id], position).await;
    let rows = rows.map_err(|error| match error {
        AsOfError::Database(error) => error.into(),
        AsOfError::Log(error) => error.into(),
        poisoned @ AsOfError::Poisoned { .. } => Problem::ours(Code::Internal, &poisoned),
    })?;
    let row = rows.into_iter().flatten().next().ok_or_else(not_yet)?;
    FoundOrder::seen_by(audience, row)
        .map_err(|error| Problem::ours(Code::Internal, &error))?
        .ok_or_else(not_yet)
}

pub(super) async fn details(app: &App, found: FoundOrder) -> Result<OrderDetails> {
    let FoundOrder { order, terms } = found;
    let keys = app.vault().keys([terms.shipping_address.subject()]).await?;
    let fulfilments = order
        .fulfilments
        .0
        .into_iter()
        .map(|part| FulfilmentDetails {
            vendor_id: part.vendor_id,
            status: part.status,
            carrier: part.carrier,
            tracking_number: part.tracking_number,
        });
    Ok(OrderDetails {
        order_id: order.order_id,
        number: order.number,
        status: order.status,
        store_id: order.store_id,
        totals: OrderTotals::of(terms.totals, order.currency),
        lines: terms
            .lines
            .into_iter()
            .map(|line| LineDetails::of(line, order.currency))
            .collect(),
        fulfilments: fulfilments.collect(),
        payment: OrderPayment::new(order.payment_id, order.provider, order.payment_status),
        coupon: terms.coupon,
        shipping_address: keys.open(&terms.shipping_address)?,
        placed_at: Some(order.placed_at),
        guest_token: None,
    })
}

fn summary(found: FoundOrder) -> OrderSummary {
    let FoundOrder { order, terms } = found;
    OrderSummary {
        order_id: order.order_id,
        number: order.number,
        status: order.status,
        store_id: order.store_id,
        total: Money::new(terms.totals.total, order.currency),
        placed_at: order.placed_at,
    }
}

pub(crate) fn step(item: TrackingItem) -> TrackingStep {
    TrackingStep {
        at: item.at,
        kind: item.kind,
        text: item.text,
        vendor_id: item.vendor_id,
        carrier: item.carrier,
        tracking_number: item.tracking_number,
    }
}
